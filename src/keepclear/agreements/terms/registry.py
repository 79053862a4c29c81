"""The types of terms: every module of this folder that defines one. A new type is one file and one test.

A type that this version does not know is kept, shown as text, and evaluates to no data: never to met.
"""

from __future__ import annotations

import difflib
import functools
import importlib
import json
import pkgutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, ClassVar

from keepclear.agreements import terms as folder
from keepclear.agreements.facts import Filed, Finding, Flown, RecordView, Result
from keepclear.agreements.terms.base import COMMON, Term, parameters_of, with_parties
from keepclear.agreements.terms.geometry import Annexes, HasData
from keepclear.agreements.terms.parameters import is_plain
from keepclear.errors import Fault, InputError

__all__ = ["UnknownTerm", "ground_of", "read_term", "read_terms", "types"]

_MOST_TERMS = 10_000
_LONGEST_TOLD = 1000
_WIDTH = (
    "a width is refused: it could mean the whole or each side of the axis",
    'half_width_left and half_width_right, each from the axis to the edge, for example "6 km"',
)
AnyAnnexes = Annexes | Mapping[str, HasData | bytes] | None


@dataclass(frozen=True, kw_only=True, eq=False)
class UnknownTerm(Term):
    """A term of a type that this version does not know."""

    written_type: str = ""

    def evaluate(
        self,
        filings: Sequence[Filed],  # noqa: ARG002 - nothing is known of what it asks
        tracks: Sequence[Flown],  # noqa: ARG002
        record: RecordView,  # noqa: ARG002
        at_s: float,  # noqa: ARG002
    ) -> tuple[Finding, ...]:
        """No data: a person has to read it."""
        sentence = (
            f"a term of the type {self.written_type}, which this version does not know; it was not checked. It says: "
        )
        return (self.finding(Result.NO_DATA, f"{sentence}{self.text}"),)

    JUDGES_FILINGS: ClassVar[bool] = False

    def warnings_for(self, filed: Filed, record: RecordView, at_s: float) -> tuple[Finding, ...]:  # noqa: ARG002
        """A filing of whom it may bind may not be within it: it must not look as if it were, for want of a reader."""
        if filed.party not in self.parties and not filed.on_behalf_of:
            return ()
        sentence = f"it was not checked, since this version cannot read it; a person has to. It says: {self.text}"
        return (self.finding(Result.POSSIBLE, sentence[:_LONGEST_TOLD], party=filed.party, about=filed.ref),)

    @property
    def text(self) -> str:
        """The term as it was written."""
        return json.dumps(dict(self.members), ensure_ascii=False, sort_keys=True, default=str)

    @property
    def name(self) -> str:
        """How it is called in sentences."""
        return f"Clause {self.clause} ({self.written_type})"


@functools.cache
def types() -> Mapping[str, type[Term]]:
    """Every type of term by its name, found by looking at all modules of this folder."""
    found: dict[str, type[Term]] = {}
    for module in pkgutil.iter_modules(folder.__path__):
        for one in vars(importlib.import_module(f"{folder.__name__}.{module.name}")).values():
            if isinstance(one, type) and issubclass(one, Term) and one.TYPE:
                other = found.setdefault(one.TYPE, one)
                assert other is one, f"two types of term are called {one.TYPE}"
    return MappingProxyType(dict(sorted(found.items())))


def read_term(
    members: Mapping[str, Any],
    annexes: AnyAnnexes = None,
    *,
    parties: Collection[str] = (),
    agreement: str = "",
    file: str = "",
) -> Term:
    """A term as it is written in an agreement.

    Parameters
    ----------
    members
        JSON values.
    annexes
        The annexes of the agreement, by name.
    parties
        The parties of the agreement: a term that names none binds all of them, and none else can be bound.
    agreement
        What the agreement is called, so that entries about terms of others do not count.
    file
        Where it is written, for faults.

    Returns
    -------
    Term
        An `UnknownTerm` if the type is not known.

    Raises
    ------
    InputError
        With all faults, each with the term's id, the member, the value and what would be right.
    """
    if not isinstance(members, Mapping):
        raise InputError(Fault("not a term", "an object with id, type and clause", file, value=str(members)[:99]))
    reader = _Reader(members, annexes if isinstance(annexes, Annexes) else Annexes(annexes), parties, file)
    return replace(reader.term(), agreement=agreement)


def read_terms(
    listed: Sequence[Mapping[str, Any]],
    annexes: AnyAnnexes = None,
    *,
    parties: Collection[str] = (),
    agreement: str = "",
    file: str = "",
) -> tuple[Term, ...]:
    """All terms of an agreement.

    Raises
    ------
    InputError
        With all faults of all terms; two terms of one id are one.
    """
    if len(listed) > _MOST_TERMS:
        raise InputError(Fault(f"{len(listed)} terms", f"at most {_MOST_TERMS}", file))
    shared = annexes if isinstance(annexes, Annexes) else Annexes(annexes)
    found: dict[str, Term] = {}
    faults: list[Fault] = []
    for number, members in enumerate(listed, start=1):
        try:
            term = read_term(members, shared, parties=parties, agreement=agreement, file=file)
        except InputError as error:
            faults += [one if one.feature else replace(one, feature=f"term {number}") for one in error.faults]
            continue
        if term.id in found:
            faults.append(Fault("two terms have this id", "ids of their own", file, term.id, "id", term.id))
        found[term.id] = term
    if faults:
        raise InputError(faults)
    return tuple(found.values())


def ground_of(members: Mapping[str, Any], annexes: AnyAnnexes = None) -> tuple[Any, ...]:
    """The shapes of a term as it is written; none if it cannot be read."""
    try:
        return read_term(members, annexes).ground()
    except InputError:
        return ()


class _Reader:
    """Reads one term, and gathers what is wrong with it."""

    def __init__(self, members: Mapping[str, Any], annexes: Annexes, parties: Collection[str], file: str) -> None:
        self._members, self._annexes, self._parties, self._file = members, annexes, parties, file
        self._faults: list[Fault] = []
        self._id = str(members.get("id") or "")

    def term(self) -> Term:
        values: dict[str, Any] = {"members": MappingProxyType(dict(self._members))}
        values |= {"id": self._text("id"), "clause": self._text("clause")}
        written = self._text("type")
        clause_hash = self._members.get("clause_hash", "")
        if not isinstance(clause_hash, str):
            self._fault("not a hash", "SHA-256 of the clause, in hexadecimal", "clause_hash", clause_hash)
        values["clause_hash"] = clause_hash
        values["parties"] = self._named("parties") or frozenset(self._parties)
        values["affiliates"] = self._named("affiliates")
        unknown = sorted(values["parties"] - set(self._parties)) if self._parties else []
        for one in unknown:
            self._fault("not a party of the agreement", f"of: {', '.join(sorted(self._parties))}", "parties", one)
        kind = types().get(written, UnknownTerm)
        if kind is UnknownTerm:
            values["written_type"] = written
        else:
            values |= self._parameters(kind)
        if self._faults:
            raise InputError(self._faults)
        term = kind(**values)
        for one in self._checked(term):
            self._faults.append(replace(one, file=self._file, feature=self._id))
        if self._faults:
            raise InputError(self._faults)
        return with_parties(term, self._parties)

    def _checked(self, term: Term) -> list[Fault]:
        faults = list(term.check())
        if term.from_s is not None and term.until_s is not None and term.until_s <= term.from_s:
            right = "until after from"
            faults.append(
                Fault("the end is not after the start", right, field="until", value=str(self._members["until"]))
            )
        for name in sorted(term.named_parties()):
            if self._parties and name not in self._parties:
                right = f"of: {', '.join(sorted(self._parties))}"
                faults.append(Fault("not a party of the agreement", right, value=name))
        return faults

    def _parameters(self, kind: type[Term]) -> dict[str, Any]:
        known = parameters_of(kind)
        values: dict[str, Any] = {}
        for member, (name, parameter, needed) in known.items():
            if member not in self._members:
                if needed:
                    self._fault("missing", parameter.says, member)
                continue
            try:
                values[name] = parameter.read(self._members[member], self._annexes)
            except InputError as error:
                for one in error.faults:
                    inner = (
                        one.field
                        if not one.feature and one.field not in ("", "domain", "kind", "coordinates", "height")
                        else ""
                    )
                    inside = f"{one.feature}: {one.problem}" if one.feature else one.problem
                    value = one.value or _shown(self._members[member])
                    joint = "" if inner.startswith("[") else "."
                    self._fault(inside, one.right, f"{member}{joint}{inner}" if inner else member, value)
        for member in self._members:
            if member in known or member in COMMON:
                continue
            if member in ("width", "half_width") and "half_width_left" in known:
                self._fault(*_WIDTH, member, self._members[member])
                continue
            near = difflib.get_close_matches(str(member), [*known, *COMMON], n=1, cutoff=0.6)
            right = f"did you mean {near[0]}?" if near else f"of: {', '.join(sorted(known))}"
            self._fault(f"{kind.TYPE} has no such member", right, str(member), self._members[member])
        return values

    def _text(self, member: str) -> str:
        value = self._members.get(member)
        if not isinstance(value, str) or not is_plain(value, 200):
            right = "a text of 1 to 200 characters, without control characters"
            self._fault("missing" if value is None else "not a name", right, member, value or "")
            return ""
        return value.strip()

    def _named(self, member: str) -> frozenset[str]:
        value = self._members.get(member)
        if value is None:
            return frozenset()
        if (
            not isinstance(value, list | tuple)
            or not value
            or not all(isinstance(one, str) and is_plain(one, 200) for one in value)
        ):
            self._fault("not a list of names", "at least one, or leave the member out", member, value)
            return frozenset()
        return frozenset(value)

    def _fault(self, problem: str, right: str, field: str, value: object = "") -> None:
        self._faults.append(Fault(problem, right, self._file, self._id, field, _shown(value)))


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)[:200]
