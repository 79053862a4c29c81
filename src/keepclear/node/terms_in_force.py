"""The terms in force at a node: what they say of filings, and the minima and zones that they add to the search.

Which agreements are in force stands in the tables (`keepclear.node.agreement_folding`), so every process of a node, and
every rebuild, sees the same ones at the same step. A document is read once and kept in memory by its hash.

Minima that an agreement sets bind between those whom it binds, beside the table of minima and never below it: whichever
of the two asks for more finds the conflict. Looser ones loosen nothing, since who else reads the table does not know.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from weakref import WeakKeyDictionary

from sqlalchemy import Connection

from keepclear.agreements.documents import Document
from keepclear.agreements.evaluating import warnings_of
from keepclear.agreements.facts import Filed, Finding, Heard, RecordView, Result
from keepclear.agreements.life import standings_of
from keepclear.agreements.standing import AgreementStanding
from keepclear.agreements.terms.base import BoundRule, BoundZone, Contribution, Term
from keepclear.agreements.terms.geometry import Annexes
from keepclear.agreements.terms.registry import UnknownTerm, read_term
from keepclear.errors import KeepclearError
from keepclear.model.findings import Answer
from keepclear.model.operations import Operation, Zone
from keepclear.node.agreement_documents import Documents, EntryOf
from keepclear.node.agreements_heard import AgreementsHeard
from keepclear.node.filing_checks import time_bounds
from keepclear.node.searching import FoundConflict, Search, SearchFound
from keepclear.node.term_findings import TermFinding
from keepclear.record.bodies.agreements import AgreementProposedBody
from keepclear.record.entries import EntryRef
from keepclear.separation.asking import Thing
from keepclear.separation.minima import ANYTHING, MinimaTable
from keepclear.store.node.agreements import AgreementRow, agreements_of
from keepclear.store.node.filings import plans_of
from keepclear.store.node.plan_bytes import unpacked

__all__ = ["EntryOf", "InForce", "TermsInForce", "graver", "terms_of"]

_MOST_DOCUMENTS = 32
# No document is kept for the sake of its terms: one whose body was erased is forgotten.
_MADE: WeakKeyDictionary[Document, tuple[tuple[Term, Contribution], ...]] = WeakKeyDictionary()
_MADE_LOCK = threading.Lock()
_LEAST_M = 0.01  # the search knows no minimum of 0 between units that move


@dataclass(frozen=True, eq=False)
class InForce:
    """An agreement that is in force.

    Attributes
    ----------
    line, agreement, document
        Which, and its document.
    terms
        Those that this program knows.
    rules
        The minima that they set: those of the same numbers together, and what searches by them.
    zones
        The areas that are to be kept out of.
    """

    line: str
    agreement: str
    document: Document
    terms: tuple[Term, ...]
    rules: tuple[tuple[tuple[BoundRule, ...], Search], ...]
    zones: tuple[BoundZone, ...]

    @property
    def mark(self) -> str:
        """What is in the rule that a conflict by its minima names, and in no other's."""
        return f"of {self.agreement} on {self.line} (document {self.document.hash[:12]})"

    @property
    def key(self) -> tuple[str, str, str]:
        """What is another one where another document is in force."""
        return self.line, self.agreement, self.document.hash

    def told(self, finding: Finding, term: Term) -> TermFinding:
        """A finding of one of its terms."""
        return TermFinding(self.agreement, self.line, self.document.hash, term.TYPE, finding)


class TermsInForce:
    """Judges filings by the terms in force. Any thread may use it.

    Parameters
    ----------
    entry_of, documents
        Give an entry of a log, and the document that one proposes.
    search
        The node's search, whose minima bind besides.
    """

    def __init__(self, entry_of: EntryOf, documents: Documents, search: Search) -> None:
        self._search, self.documents = search, documents
        self.heard = AgreementsHeard(entry_of)
        self._read_once: OrderedDict[tuple[str, str], InForce] = OrderedDict()
        self._lock = threading.Lock()
        self._writer: Connection | None = None
        self._known: tuple[InForce, ...] | None = None  # to the writer, in its transaction

    def in_force(self, conn: Connection) -> tuple[InForce, ...]:
        """The agreements that are in force, by line and name."""
        if conn is self._writer:
            if self._known is None:
                self._known = self._in_force(conn)
            return self._known
        return self._in_force(conn)

    @contextmanager
    def held(self, conn: Connection) -> Iterator[None]:
        """While the caller writes the tables, alone: which agreements are in force is read once, until `change`."""
        self._writer, self._known = conn, None
        try:
            yield
        finally:
            self._writer, self._known = None, None

    def change(self) -> None:
        """Who writes the tables has changed how an agreement stands, or what is held of one."""
        self._known = None

    def standings(self, conn: Connection, line: str, at_s: float) -> Mapping[str, AgreementStanding]:
        """How the agreements of a line stand at a time, and when each document bound."""
        return self.standings_by(self.heard.all(conn, line), at_s)

    def standings_by(self, heard: Collection[Heard], at_s: float) -> Mapping[str, AgreementStanding]:
        """The same, by what was read already."""
        proposals = [one.ref for one in heard if isinstance(one.body, AgreementProposedBody)]
        return standings_of(heard, self.documents.by_hash(proposals), at_s)

    def _in_force(self, conn: Connection) -> tuple[InForce, ...]:
        rows = [row for row in agreements_of(conn) if row.document]
        return tuple(found for row in rows if (found := self._read(row)) is not None)

    # --- before something is said ----------------------------------------------------------------------------------

    def added(
        self,
        conn: Connection,
        found: SearchFound,
        thing: Thing,
        *,
        at_s: float,
        exercise: bool = False,
        leaving_out: Collection[EntryRef] = (),
        on_behalf_of: str = "",
        reason: str = "",
    ) -> SearchFound:
        """What was found of something of ours that is not said yet, and what the agreements in force add to it.

        What is said for practice is judged by no term, and enters no area.

        Parameters
        ----------
        reason
            Why it is told so late.
        """
        more = self.near(conn, thing, exercise=exercise, leaving_out=leaving_out)
        if more:
            filed = [one for one in found.conflicts if one.filing is not None]
            drafts = [one for one in found.conflicts if one.filing is None]
            found = replace(found, conflicts=(*graver([*filed, *more]), *drafts))
        if not exercise:
            start_s, end_s = time_bounds(thing)
            filed_now = Filed(
                None, thing.party, thing, on_behalf_of=on_behalf_of, said_s=at_s, start_s=start_s, end_s=end_s,
                reason_if_late=reason,
            )  # fmt: skip
            found = replace(
                found,
                conflicts=(*found.conflicts, *self.zones_near(conn, thing, on_behalf_of=on_behalf_of)),
                terms=self.of_filed(conn, filed_now, at_s),
            )
        return replace(found, answer=_answer(found))

    def of_filed(
        self, conn: Connection, filed: Filed, at_s: float, *, known: dict[str, RecordView] | None = None
    ) -> tuple[TermFinding, ...]:
        """What the terms in force say of a filing: where it is not within them, or may not be; the gravest first.

        Parameters
        ----------
        known
            What stands on the record, by agreement: filled here, so that of many filings in one step it is read once.
        """
        return self.of_each(conn, (filed,), at_s, known=known)[0]

    def of_each(
        self,
        conn: Connection,
        filings: Sequence[Filed],
        at_s: float,
        *,
        known: dict[str, RecordView] | None = None,
    ) -> list[tuple[TermFinding, ...]]:
        """The same of several filings, each by itself: much faster than one after another."""
        known = {} if known is None else known
        found: list[list[TermFinding]] = [[] for _ in filings]
        for one in self.in_force(conn):
            rows = [
                row for row, filed in enumerate(filings) if filed.party in one.document.parties or filed.on_behalf_of
            ]
            if not rows:
                continue
            name = "/".join(one.key)
            if name not in known:
                known[name] = self.heard.record_of(conn, one.line, one.document.parties)
            told = warnings_of(one.terms, [filings[row] for row in rows], known[name], at_s)
            for row, warnings in zip(rows, told, strict=True):
                found[row] += [one.told(finding, term) for term, finding in warnings]
        return [tuple(sorted(each, key=lambda told: told.finding.result is not Result.BREACHED)) for each in found]

    # --- the search ------------------------------------------------------------------------------------------------

    def near(
        self,
        conn: Connection,
        thing: Thing,
        *,
        exercise: bool,
        leaving_out: Collection[EntryRef] = (),
        only: Collection[tuple[str, str, str]] | None = None,
    ) -> list[FoundConflict]:
        """What a thing comes too close to by minima of agreements in force, each with the clause as its rule.

        Parameters
        ----------
        only
            By these agreements alone (`InForce.key`).
        """
        if isinstance(thing, Zone):
            return []
        found: list[FoundConflict] = []
        for one in self.in_force(conn):
            if only is not None and one.key not in only:
                continue
            by: dict[Search, list[FoundConflict]] = {}  # terms that ask for the same distances are searched for once
            for bound, search in one.rules:
                if any(_binds(rule, thing) for rule in bound):
                    if search not in by:
                        by[search], _ = search.near(conn, thing, exercise=exercise, leaving_out=leaving_out)
                    found += [kept for each in by[search] if (kept := _kept(conn, one, bound, thing, each)) is not None]
        return found

    def zones_near(self, conn: Connection, thing: Thing, *, on_behalf_of: str = "") -> list[FoundConflict]:
        """Areas of agreements in force that a thing would enter, or may, though its term binds it."""
        if isinstance(thing, Zone):
            return []
        found: list[FoundConflict] = []
        for one in self.in_force(conn):
            bound = [zone for zone in one.zones if zone.binds(thing, on_behalf_of=on_behalf_of)]
            among = self._search.asking.conflicts_of(thing, [zone.zone for zone in bound])
            for place, conflict in among:
                rule = f"clause {bound[place].term.clause} {one.mark}"
                found.append(FoundConflict(replace(conflict, minima=replace(conflict.minima, rule=rule))))
        return found

    # --- documents -------------------------------------------------------------------------------------------------

    def _read(self, row: AgreementRow) -> InForce | None:
        key = (row.line, row.document)
        with self._lock:
            known = self._read_once.get(key)
            if known is not None:
                self._read_once.move_to_end(key)
                return known
        document = None if row.proposal is None else self.documents.of(row.proposal)
        if not isinstance(document, Document) or document.hash != row.document:
            return None  # erased since, or not what was signed: nothing can be judged by it
        made = _made(row, document)
        with self._lock:
            self._read_once[key] = made
            while len(self._read_once) > _MOST_DOCUMENTS:
                self._read_once.popitem(last=False)
        return made


def terms_of(document: Document) -> tuple[Term, ...]:
    """The terms of a document, made once for as long as it is kept in memory.

    One that cannot be read is as one of a type that is not known: nothing is met by it.
    """
    return tuple(term for term, _ in _drawn(document))


def _drawn(document: Document) -> tuple[tuple[Term, Contribution], ...]:
    """The terms, each with what it adds to the search."""
    with _MADE_LOCK:
        found = _MADE.get(document)
    if found is None:
        found = tuple(_draw(document))
        with _MADE_LOCK:
            _MADE[document] = found
    return found


def _draw(document: Document) -> Iterator[tuple[Term, Contribution]]:
    annexes = Annexes(document.annexes)
    for one in document.terms:
        try:
            term = read_term(one.members, annexes, parties=document.parties, agreement=document.id)
            yield term, term.contributes()  # an area that cannot be drawn is found by drawing it
        except KeepclearError:
            unknown = UnknownTerm(
                id=one.id, clause=one.clause, clause_hash=one.clause_hash, parties=frozenset(document.parties),
                members=one.members, written_type=one.type,
            )  # fmt: skip
            yield unknown, unknown.contributes()


def graver(found: Iterable[FoundConflict]) -> list[FoundConflict]:
    """Of several findings with the same filing the gravest, and of equals the one that asks for most."""
    best: dict[int, FoundConflict] = {}
    for one in found:
        assert one.filing is not None
        before = best.get(one.filing.id)
        if before is None or _gravity(one) > _gravity(before):
            best[one.filing.id] = one
    return list(best.values())


def _answer(found: SearchFound) -> Answer:
    if any(one.answer is Answer.CONFLICT for one in found.conflicts):
        return Answer.CONFLICT
    return Answer.POSSIBLE if found.conflicts else found.answer


def _gravity(found: FoundConflict) -> tuple[bool, float, float]:
    minima = found.conflict.minima
    height = float("inf") if minima.vertical_m is None else minima.vertical_m
    return found.answer is Answer.CONFLICT, minima.horizontal_m, height


def _made(row: AgreementRow, document: Document) -> InForce:
    terms = terms_of(document)
    contributions = [one for _, one in _drawn(document)]
    grouped: dict[tuple[str, float, float | None, float], list[BoundRule]] = {}
    for bound in (bound for one in contributions for bound in one.minima):
        rule = bound.rule
        grouped.setdefault((bound.term.id, rule.horizontal_m, rule.vertical_m, rule.time_s), []).append(bound)
    searches = {key[1:]: _search_by(some[0]) for key, some in grouped.items()}
    rules = tuple((tuple(some), searches[key[1:]]) for key, some in grouped.items())
    zones = tuple(zone for one in contributions for zone in one.zones)
    return InForce(row.line, row.agreement, document, terms, rules, zones)


def _search_by(bound: BoundRule) -> Search:
    rule = replace(bound.rule, horizontal_m=max(bound.rule.horizontal_m, _LEAST_M))
    return Search(minima=MinimaTable((), rule))


def _kept(
    conn: Connection, one: InForce, bound: Sequence[BoundRule], thing: Thing, found: FoundConflict
) -> FoundConflict | None:  # fmt: skip
    """A finding by minima of a term, if they bind the two, and at that time."""
    assert found.filing is not None, "filings were searched"
    data = plans_of(conn, (found.filing.id,)).get(found.filing.id)
    other = None if data is None else unpacked(data)
    if other is None or not any(_binds_pair(rule, thing, other) for rule in bound):
        return None
    term = bound[0].term
    intervals = found.conflict.intervals
    within = tuple(each for each in intervals if _overlaps(each.start_s, each.end_s, term.from_s, term.until_s))
    if intervals and not within:
        return None
    minima = replace(found.conflict.minima, rule=f"clause {term.clause} {one.mark}")
    return replace(found, conflict=replace(found.conflict, minima=minima, intervals=within))


def _binds(bound: BoundRule, thing: Thing) -> bool:
    """Whether minima of a term bind a thing on either side, or may."""
    return any(_is_side(bound, thing, name) for name in (bound.rule.first, bound.rule.second))


def _binds_pair(bound: BoundRule, one: Thing, other: Thing) -> bool:
    rule = bound.rule
    return (_is_side(bound, one, rule.first) and _is_side(bound, other, rule.second)) or (
        _is_side(bound, one, rule.second) and _is_side(bound, other, rule.first)
    )


def _is_side(bound: BoundRule, thing: Thing, name: str) -> bool:
    term = bound.term
    if not isinstance(thing, Operation) or thing.party not in term.parties or term.binds_plan(thing) is False:
        return False
    names = {str(domain) for domain in thing.domains} | ({thing.kind.value} if thing.kind is not None else set())
    return name in {ANYTHING, "operation"} or thing.kind is None or name in names


def _overlaps(start_s: float | None, end_s: float | None, from_s: float | None, until_s: float | None) -> bool:
    before = end_s is not None and from_s is not None and end_s < from_s
    after = start_s is not None and until_s is not None and start_s >= until_s
    return not (before or after)
