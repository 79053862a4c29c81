"""What all terms are: whom they bind, when, and how they are asked. A type of term is a class of its own module.

A finding never says that anything is allowed: what is inside a term is within it, and no more.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from keepclear.agreements.facts import Evidence, Filed, Finding, Flown, Heard, RecordView, Result
from keepclear.agreements.terms import binding, exempting
from keepclear.agreements.terms.batch import Batch
from keepclear.agreements.terms.exempting import Exemption, read_exemption
from keepclear.agreements.terms.parameters import Parameter, domains, kinds, moment, names, objects, text
from keepclear.agreements.terms.quantities import said_moment
from keepclear.errors import Fault
from keepclear.model.footprints import Footprint
from keepclear.model.kinds import SPEED_LIMIT_M_S, Domain, OperationKind, ZoneKind
from keepclear.model.operations import Operation, Zone
from keepclear.record.entries import EntryRef
from keepclear.separation.minima import Rule

__all__ = ["COMMON", "BoundRule", "BoundZone", "Contribution", "Ground", "Scene", "Term", "parameters_of"]

COMMON = ("id", "type", "clause", "clause_hash", "parties", "affiliates")
"""Members that every term has and that are no parameters."""


@dataclass(frozen=True, eq=False)
class Scene:
    """All that a term is judged by.

    Attributes
    ----------
    filings, tracks, record
        What was filed, where units were, and what else stands on the record.
    at_s
        As of when: what counts later does not count.
    is_brief
        Whether what is met may be left out.
    """

    filings: Sequence[Filed]
    tracks: Sequence[Flown]
    record: RecordView
    at_s: float
    is_brief: bool = False

    @cached_property
    def batch(self) -> Batch:
        """The filings as columns."""
        return Batch(self.filings, self.at_s)

    @cached_property
    def track_batch(self) -> Batch:
        """The tracks as columns, each as a filing of its own."""
        filed = [as_filed(one, self.filing_of(one)) for one in self.tracks]
        return Batch(filed, self.at_s, [_gone_m(one, two) for one, two in zip(self.tracks, filed, strict=True)])

    def filing_of(self, flown: Flown) -> Filed | None:
        """The filing that a track was flown for; None where that is not known or not at hand."""
        return None if flown.operation is None else self._by_ref.get(flown.operation)

    def bound(self, term: Term) -> npt.NDArray[np.bool_]:
        """Which filings a term binds."""
        batch = self.batch
        firsts = [
            binding.bond_of_sort(term, self.filings[row], self.record, self.at_s).binds for row in batch.first_of_sort
        ]
        in_time = batch.starts_s < (math.inf if term.until_s is None else term.until_s)
        return np.asarray(batch.stands & in_time & np.array(firsts, dtype=np.bool_)[batch.sort])

    @cached_property
    def _by_ref(self) -> Mapping[EntryRef, Filed]:
        return {one.ref: one for one in self.filings if one.ref is not None}

    @cached_property
    def taken_back(self) -> Mapping[tuple[EntryRef, str], float]:
        """From when what a party said stands no more, since it cancelled it, or put another joint plan in its place."""
        found: dict[tuple[EntryRef, str], float] = {}
        for heard in (*self.heard("cancel"), *self.heard("joint-plan")):
            body: Any = heard.body
            about = body.entry if heard.body.TYPE == "cancel" else body.supersedes
            if about is not None and heard.counts_from_s is not None:
                key = (about.ref(), heard.party)
                found[key] = min(found.get(key, math.inf), heard.counts_from_s)
        return found

    def heard(self, entry_type: str) -> Iterator[Heard]:
        """The entries of a type that count by then, and are not for practice."""
        for one in self.record.of(entry_type):
            if not one.exercise and one.counts_from_s is not None and one.counts_from_s <= self.at_s:
                yield one


@dataclass(frozen=True, slots=True)
class BoundZone:
    """A zone that a term asks to keep out of, while it is in force.

    Attributes
    ----------
    zone
        The zone, for the search; its party is the term.
    term
        Whose it is: a zone binds everyone, so ask `binds` whether it binds an operation.
    free
        Parties that are bound by the term, but not to keep out of this zone.
    """

    zone: Zone
    term: Term
    free: frozenset[str] = frozenset()

    def binds(self, operation: Operation, *, on_behalf_of: str = "") -> bool:
        """Whether an operation has to keep out of the zone; where its kind or class is not known it may have to."""
        party = on_behalf_of or operation.party
        named = operation.party in self.term.parties and (not on_behalf_of or on_behalf_of in self.term.affiliates)
        bound = named or party in self.term.affiliates
        return bound and party not in self.free and self.term.binds_plan(operation) is not False


@dataclass(frozen=True, slots=True)
class BoundRule:
    """Minima that a term sets between operations of the parties that it binds, while it is in force."""

    rule: Rule
    term: Term


@dataclass(frozen=True, slots=True)
class Contribution:
    """What a term adds to the search for conflicts while it is in force."""

    zones: tuple[BoundZone, ...] = ()
    minima: tuple[BoundRule, ...] = ()


@dataclass(frozen=True, slots=True)
class Ground:
    """What a term looks like on a map.

    Attributes
    ----------
    label
        What it is, for example "0 to 10 km south of map.geojson#border".
    footprint
        The shape.
    """

    label: str
    footprint: Footprint


@dataclass(frozen=True, kw_only=True, eq=False)
class Term:
    """A clause that a program can check.

    Attributes
    ----------
    id
        Unique in the agreement.
    clause, clause_hash
        The anchor of the clause in the text, and the hash of what it says.
    parties
        Who is bound.
    affiliates
        Whom of the parties' affiliates it names as bound too.
    agreement
        Which agreement it is of; empty where that is not known, and then entries about any agreement count.
    members
        The term as it was written.
    from_s, until_s
        When it binds; None is open.
    domains, kinds, classes
        What it binds: where units move, kinds of operation, classes of platform; empty: all.
    exemptions
        What is exempt, and by which notice.
    """

    TYPE: ClassVar[str] = ""
    KINDS: ClassVar[frozenset[OperationKind | ZoneKind]] = frozenset()
    """The kinds that are bound where a term of this type names none; empty: all operations, but no zones."""

    id: str
    clause: str
    clause_hash: str = ""
    parties: frozenset[str] = frozenset()
    affiliates: frozenset[str] = frozenset()
    agreement: str = ""
    members: Mapping[str, Any] = field(default_factory=dict, repr=False)
    from_s: float | None = field(default=None, metadata=moment("from when it binds"))
    until_s: float | None = field(default=None, metadata=moment("until when it binds"))
    domains: frozenset[Domain] = field(
        default=frozenset(), metadata=domains("where the units move that it binds: ground, air, uas, sea")
    )
    kinds: frozenset[OperationKind | ZoneKind] = field(
        default=frozenset(), metadata=kinds("the kinds of operation that it binds, for example patrol")
    )
    classes: tuple[str, ...] = field(default=(), metadata=names("the classes of platform that it binds"))
    exemptions: tuple[Exemption, ...] = field(
        default=(),
        metadata=objects("what is exempt, and the notice that it needs", read_exemption, exempting.SCHEMA),
    )
    remarks: str = field(default="", metadata=text("free text; nothing follows from it"))

    # --- to be asked ---

    def evaluate(
        self, filings: Sequence[Filed], tracks: Sequence[Flown], record: RecordView, at_s: float
    ) -> tuple[Finding, ...]:
        """What the term says of all this, as of a time: findings of the record, of each filing, and of each track."""
        scene = Scene(filings, tracks, record, at_s)
        return (*self.of_scene(scene), *self.of_filings(filings, scene), *self.of_tracks(tracks, scene))

    def warnings_for(self, filed: Filed, record: RecordView, at_s: float) -> tuple[Finding, ...]:
        """What the term says of one filing, before it is filed or when it comes; within the term too."""
        return self.of_filings((filed,), Scene((filed,), (), record, at_s))

    def contributes(self) -> Contribution:
        """The zones and minima that it adds to the search for conflicts while it is in force."""
        return Contribution()

    def ground(self) -> tuple[Ground, ...]:
        """Its shapes, for maps and for differences between versions."""
        return ()

    # --- for types to fill in ---

    def named_parties(self) -> frozenset[str]:
        """Parties that its parameters name, besides those that it binds."""
        return frozenset()

    def check(self) -> Iterable[Fault]:
        """What is wrong with the parameters together."""
        return ()

    def of_scene(self, scene: Scene) -> tuple[Finding, ...]:  # noqa: ARG002 - for types to fill in
        """What it says of the record, or of filings and tracks taken together."""
        return ()

    def of_filing(self, filed: Filed, scene: Scene) -> tuple[Finding, ...]:  # noqa: ARG002
        """What it says of a filing that it binds, apart from exemptions."""
        return ()

    def of_bound(self, filings: Sequence[Filed], scene: Scene) -> Iterable[tuple[Finding, ...]]:
        """What it says of each of some filings that it binds; for types that judge many at once faster."""
        return [self.of_filing(one, scene) for one in filings]

    def of_track(self, flown: Flown, scene: Scene) -> tuple[Finding, ...]:  # noqa: ARG002
        """What it says of a track that it binds, apart from exemptions."""
        return ()

    def screen(self, batch: Batch, bound: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:  # noqa: ARG002
        """Which of the bound filings of a batch have to be looked at; the others are within the term for certain."""
        return bound

    JUDGES_FILINGS: ClassVar[bool] = True
    """Whether `of_filing` says anything; else filings are not gone through."""
    SCREENS_TRACKS: ClassVar[bool] = False
    """Whether `screen` may be asked of tracks too: it looks at places alone."""

    # --- what all types share ---

    def of_filings(self, filings: Iterable[Filed], scene: Scene) -> tuple[Finding, ...]:
        """What it says of these filings: those that it binds, with exemptions, and with what is unconfirmed."""
        if not self.JUDGES_FILINGS:
            return ()
        found: list[Finding] = []
        bonds = [(one, binding.bond_of_filing(self, one, scene.record, scene.at_s)) for one in filings]
        bound = [(one, bond) for one, bond in bonds if bond.binds]
        todo = [one for one, _ in bound if not self._is_not_yet(one)]
        judged = iter(self.of_bound(todo, scene))
        for filed, bond in bound:
            findings = self._not_yet(filed) or next(judged)
            found += [bond.applied(exempting.applied(self, one, filed, scene)) for one in findings]
        return tuple(found)

    def of_tracks(self, tracks: Iterable[Flown], scene: Scene) -> tuple[Finding, ...]:
        """What it says of these tracks."""
        found: list[Finding] = []
        for flown in tracks:
            bond = binding.bond_of_track(self, flown, scene)
            if bond.binds:
                judged = self.of_track(flown, scene)
                judged = tuple(exempting.applied_to_track(self, one, flown, scene) for one in judged)
                found += [bond.applied(one) for one in judged]
        return tuple(found)

    def binds_party(self, party: str) -> bool:
        """Whether a party is bound."""
        return party in self.parties

    def binds_plan(self, plan: Operation | Zone | None) -> bool | None:
        """Whether it binds this by domain, kind and class; None where that is not known."""
        return binding.binds_plan(self, plan)

    def is_meant_by(self, body: Any) -> bool:
        """Whether a body that names a term of an agreement names this one."""
        return body.term == self.id and (not self.agreement or body.agreement == self.agreement)

    @property
    def name(self) -> str:
        """How it is called in sentences: "Clause c5 (DEPTH_BAND)"."""
        return f"Clause {self.clause} ({self.TYPE})"

    def finding(self, result: Result, sentence: str, **more: Any) -> Finding:
        """A finding of this term; the sentence begins with the clause."""
        return Finding(self.id, self.clause, result, f"{self.name}: {sentence}", **more)

    def about(self, result: Result, filed: Filed, sentence: str, **more: Any) -> Finding:
        """A finding about a filing."""
        evidence = (*((Evidence(ref=filed.ref),) if filed.ref else ()), *more.pop("evidence", ()))
        times = {"from_s": filed.start_s, "to_s": filed.end_s} | more
        return self.finding(result, sentence, party=filed.party, about=filed.ref, evidence=evidence, **times)

    def about_track(self, result: Result, flown: Flown, sentence: str, **more: Any) -> Finding:
        """A finding about a track."""
        batches = ", ".join(flown.batches)
        evidence = (Evidence(track=f"{flown.name} {batches}".strip()), *more.pop("evidence", ()))
        times = {"from_s": float(flown.track.time_s[0]), "to_s": float(flown.track.time_s[-1])} | more
        return self.finding(
            result, sentence, party=flown.party, unit=flown.unit, about=flown.operation, evidence=evidence, **times
        )

    def _is_not_yet(self, filed: Filed) -> bool:
        return self.from_s is not None and filed.end_s is not None and filed.end_s <= self.from_s

    def _not_yet(self, filed: Filed) -> tuple[Finding, ...]:
        if self.from_s is None or not self._is_not_yet(filed):
            return ()
        sentence = f"{filed_name(filed)} is over before the term binds, from {said_moment(self.from_s)}."
        return (self.about(Result.NOT_YET, filed, sentence),)


def as_filed(flown: Flown, filed: Filed | None) -> Filed:
    """A track as a filing of its own: where the unit was, and when."""
    times = flown.track.time_s
    plan = binding.plan_of_track(flown, filed)
    return Filed(None, flown.party, plan, start_s=float(times[0]), end_s=float(times[-1]))


def _gone_m(flown: Flown, filed: Filed) -> float:
    """How far the unit may have gone from its positions in the longest gap of its track."""
    steps = np.diff(flown.track.time_s)
    gaps = steps[steps > flown.gap_s]
    domains = filed.plan.domains if isinstance(filed.plan, Operation) else frozenset(Domain)
    return float(gaps.max()) * max(SPEED_LIMIT_M_S[one] for one in domains) if len(gaps) else 0.0


def filed_name(filed: Filed) -> str:
    """How a filing is called in sentences: "RU patrol P1", "RU's filing"."""
    plan = filed.plan
    if plan is None:
        return f"{filed.party}'s filing"
    kind = plan.kind.value if plan.kind is not None else "operation"
    whose = f"{filed.party} for {filed.on_behalf_of}" if filed.on_behalf_of else filed.party
    return f"{whose} {kind} {plan.name or plan.id}"


def parameters_of(kind: type[Term]) -> dict[str, tuple[str, Parameter, bool]]:
    """The parameters of a type, by the member that is written: the field, the parameter, and whether it is needed."""
    found: dict[str, tuple[str, Parameter, bool]] = {}
    for one in dataclasses.fields(kind):
        parameter: Parameter | None = one.metadata.get("parameter")
        if parameter is None:
            continue
        needed = one.default is dataclasses.MISSING and one.default_factory is dataclasses.MISSING
        found[parameter.member or member_of(one.name)] = (one.name, parameter, needed)
    return found


def member_of(field_name: str) -> str:
    """A field's name as it is written in a term: without the unit, which stands with the number there."""
    for unit in ("_m", "_s"):
        if field_name.endswith(unit):
            return field_name.removesuffix(unit)
    return field_name


def with_parties(term: Term, parties: Collection[str]) -> Term:
    """The same term, binding these where it names none."""
    return term if term.parties else replace(term, parties=frozenset(parties))
