"""What agreements change in a node's tables, step by step: a part of `keepclear.node.folding`.

A filing is judged by the terms in force when it begins to count, and again when an agreement comes into force or
ceases to bind, or a notice comes that may exempt it. What agreements add to the minima is searched for just then too:
conflicts that only an agreement makes appear with it, and go with it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from keepclear.agreements.facts import Filed, RecordView, Result
from keepclear.errors import KeepclearError
from keepclear.node.agreement_folding import AgreementFold, Binding
from keepclear.node.conflict_lives import ConflictState
from keepclear.node.findings_told import members_of
from keepclear.node.searching import FoundConflict, Search
from keepclear.node.term_findings import TermFinding
from keepclear.node.terms_in_force import InForce, TermsInForce, graver
from keepclear.record.bodies.registry import body_of
from keepclear.record.entries import Entry, EntryRef
from keepclear.separation.asking import Thing
from keepclear.store.node.agreements import TermFindingRow, agreement_entries, findings_of, put_findings
from keepclear.store.node.conflicts import ConflictRow, change_conflict, conflict_between, drop_conflict, open_conflicts
from keepclear.store.node.filings import Filing, FilingState, filings_by_id, filings_like, plans_of
from keepclear.store.node.plan_bytes import unpacked

__all__ = ["AgreementSteps"]

_AT_ONCE = 500
_OPEN = (ConflictState.FOUND, ConflictState.ADVISED, ConflictState.ACCEPTED)
_TYPES = ("operation", "zone", "commitment")


class AgreementSteps:
    """Does a fold's steps that are about agreements. One thread at a time, in a transaction that writes.

    Parameters
    ----------
    us
        The party whose node this is.
    fold
        Knows which agreements bind.
    search
        What conflicts are found by.
    entry_of
        Gives an entry with what was held of its body at the step.
    find, live, say
        Of the fold: note what was found of a filing; work out how a conflict stands; tell those who follow events.
    """

    def __init__(
        self,
        us: str,
        fold: AgreementFold,
        search: Search,
        entry_of: Callable[[str, int], Entry],
        *,
        find: Callable[[Connection, Filing, FoundConflict], None],
        live: Callable[[Connection, ConflictRow], None],
        say: Callable[[Connection, str, Mapping[str, Any], str, EntryRef], None],
    ) -> None:
        self._us, self._fold, self._search, self._entry_of = us, fold, search, entry_of
        self._find, self._live, self._say = find, live, say

    @property
    def terms(self) -> TermsInForce:
        """The terms in force."""
        return self._fold.terms

    def hear(
        self, conn: Connection, line: str, ref: EntryRef, kind: str, kept_s: float, at_s: float, *, counted: bool
    ) -> None:
        """An entry came, or its body did."""
        if self._fold.is_about(conn, ref, kind):
            noted = self._fold.note(conn, line, ref, kind, kept_s)
            if noted and counted:
                self._rebind(conn, self._fold.hear(conn, line, ref, kind, kept_s, at_s), at_s)

    def count(self, conn: Connection, line: str, at_s: float) -> None:
        """Entries of a line count from now on, or do so no longer."""
        if agreement_entries(conn, line):
            self._rebind(conn, self._fold.look(conn, line, at_s), at_s)

    def due_s(self, conn: Connection, until_s: float) -> float | None:
        """When the next agreement changes by itself, if that is by then."""
        return self._fold.due_s(conn, until_s)

    def pass_time(self, conn: Connection, at_s: float) -> None:
        """Take in what changes by itself at that time."""
        for line in self._fold.due_lines(conn, at_s):
            self._rebind(conn, self._fold.look(conn, line, at_s), at_s)

    def after_s(self, conn: Connection) -> float:
        """How long after its end a filing may still be too close in time to another, by an agreement in force."""
        rules = (bound.rule.time_s for one in self.terms.in_force(conn) for group, _ in one.rules for bound in group)
        return max(rules, default=0.0)

    # --- one filing ------------------------------------------------------------------------------------------------

    def found(self, conn: Connection, filing: Filing, thing: Thing, near: list[FoundConflict]) -> list[FoundConflict]:
        """What was found of a filing, and what is found besides by minima of agreements in force."""
        more = self.terms.near(conn, thing, exercise=filing.exercise, leaving_out=(filing.ref,))
        return graver([*near, *more]) if more else near

    def judge(self, conn: Connection, filing: Filing, thing: Thing, at_s: float) -> None:
        """What terms in force say of a filing that counts."""
        if not filing.exercise:
            (found,) = self._judged(conn, [(filing, thing)], at_s)
            self._take(conn, filing, found, at_s)

    def _judged(
        self, conn: Connection, filings: Sequence[tuple[Filing, Thing]], at_s: float, *,
        known: dict[str, RecordView] | None = None,
    ) -> Sequence[tuple[TermFinding, ...]]:  # fmt: skip
        """What terms in force say of each of some filings; `known`: as `TermsInForce.of_filed` has it."""
        if not self.terms.in_force(conn):
            return [()] * len(filings)
        return self.terms.of_each(conn, [self._filed(*one) for one in filings], at_s, known=known)

    def _take(self, conn: Connection, filing: Filing, found: Sequence[TermFinding], at_s: float) -> None:
        """Keep what terms say of a filing, and tell those who follow events what is new of it."""
        before = findings_of(conn, filing.id)
        if not before and not found:
            return
        in_force = {one.key: one for one in self.terms.in_force(conn)}
        rows = [_row(filing, one, in_force, at_s) for one in found]
        put_findings(conn, filing.id, rows)
        told = {(row.agreement, row.term, row.result, row.sentence) for row in before}
        for row in rows:
            if (row.agreement, row.term, row.result, row.sentence) not in told:
                data = {
                    "agreement": row.agreement, "term": row.term, "clause": row.clause, "result": row.result,
                    "sentence": row.sentence, "party": row.party, "own": filing.party == self._us,
                }  # fmt: skip
                self._say(conn, "term", data, filing.line, filing.ref)

    def forget(self, conn: Connection, filing: Filing) -> None:
        """A filing is found no longer: what terms said of it stands in reports."""
        put_findings(conn, filing.id, ())

    def _filed(self, filing: Filing, thing: Thing) -> Filed:
        """A filing as terms look at it: it counts from when our node had it."""
        body: Any = None
        try:
            body = body_of(self._entry_of(filing.ref.origin, filing.ref.index))
        except KeepclearError:
            body = None  # what it says besides the plan is not known
        return Filed(
            filing.ref, filing.party, thing, on_behalf_of=getattr(body, "on_behalf_of", None) or "",
            recipients=frozenset(filing.recipients), said_s=filing.time_s, counts_from_s=filing.kept_s,
            start_s=filing.start_s, end_s=filing.end_s, exercise=filing.exercise,
            reason_if_late=getattr(body, "reason_if_late", None) or "",
            is_rough=getattr(body, "precision", None) is not None,
        )  # fmt: skip

    # --- when an agreement begins or ceases to bind ----------------------------------------------------------------

    def _rebind(self, conn: Connection, changed: Binding, at_s: float) -> None:
        for one in changed.gone:
            self._drop_conflicts(conn, one)
        fresh = {one.key for one in changed.new if one.rules}
        known: dict[str, RecordView] = {}
        for some in self._standing(conn, changed.parties):
            judged = [one for one in some if not one[0].exercise]
            found = self._judged(conn, judged, at_s, known=known)
            told = {filing.id: each for (filing, _), each in zip(judged, found, strict=True)}
            for filing, thing in some:
                if fresh:
                    self._find_by(conn, filing, thing, fresh)
                if filing.id in told:
                    self._take(conn, filing, told[filing.id], at_s)

    def _find_by(self, conn: Connection, filing: Filing, thing: Thing, only: Collection[tuple[str, str, str]]) -> None:
        """Note what a filing comes too close to by the minima of these agreements."""
        more = self.terms.near(conn, thing, exercise=filing.exercise, leaving_out=(filing.ref,), only=only)
        for found in sorted(graver(more), key=lambda each: each.filing.id if each.filing else 0):
            self._find_more(conn, filing, found)

    def _find_more(self, conn: Connection, filing: Filing, found: FoundConflict) -> None:
        """Note a finding, unless what is known of the pair is graver, or the same."""
        assert found.filing is not None
        row = conflict_between(conn, filing.id, found.filing.id)
        if row is not None and row.finding is not None and row.found_s is not None:
            same = row.finding["minima"]["rule"] == found.conflict.minima.rule
            if same or not _asks_more(row.finding["minima"], members_of(found.conflict)["minima"]):
                return
        self._find(conn, filing, found)

    def _drop_conflicts(self, conn: Connection, gone: InForce) -> None:
        """Conflicts that only a gone agreement made are none any more, unless the table of minima finds them too."""
        mark = gone.mark
        for row in open_conflicts(conn, _OPEN):
            if row.finding is None or mark not in row.finding["minima"]["rule"]:
                continue
            both = filings_by_id(conn, (row.first, row.second))
            again = self._found_again(conn, both[row.first], row.second)
            if again is not None:
                self._find(conn, both[row.first], again)
            elif row.advisories:
                kept = replace(row, finding=None, found_s=None)
                change_conflict(conn, kept)
                self._live(conn, kept)
            else:
                drop_conflict(conn, row.id)
                told = {"conflict": row.id, "state": "ended", "answer": row.answer, "own": row.own}
                self._say(conn, "conflict", told, row.line, both[row.second].ref)

    def _found_again(self, conn: Connection, filing: Filing, other: int) -> FoundConflict | None:
        data = plans_of(conn, (filing.id,)).get(filing.id)
        if data is None:
            return None
        thing = unpacked(data)
        near, _ = self._search.near(conn, thing, exercise=filing.exercise, leaving_out=(filing.ref,))
        both = [one for one in self.found(conn, filing, thing, near) if one.filing and one.filing.id == other]
        return both[0] if both else None

    def _standing(self, conn: Connection, parties: Collection[str]) -> Iterator[list[tuple[Filing, Thing]]]:
        """The filings of these parties that stand and can be read, some at a time, the oldest first."""
        rows: list[Filing] = []
        for party in sorted(parties):
            below = None
            while True:
                some = filings_like(
                    conn, types=_TYPES, party=party, states=(FilingState.ACTIVE,), below=below, limit=_AT_ONCE
                )
                rows += some
                if len(some) < _AT_ONCE:
                    break
                below = some[-1].id
        rows.sort(key=lambda one: one.id)
        for start in range(0, len(rows), _AT_ONCE):
            some = rows[start : start + _AT_ONCE]
            plans = plans_of(conn, [one.id for one in some])
            yield [(one, unpacked(plans[one.id])) for one in some if one.id in plans]


def _row(
    filing: Filing, one: TermFinding, in_force: Mapping[tuple[str, str, str], InForce], at_s: float
) -> TermFindingRow:  # fmt: skip
    finding = one.finding
    agreement = in_force[one.line, one.agreement, one.document]
    zone = finding.result is not Result.MET and any(zone.term.id == finding.term for zone in agreement.zones)
    return TermFindingRow(
        filing.id, at_s, one.line, one.agreement, one.document, finding.term, finding.clause, str(finding.result),
        finding.sentence, finding.party, finding.from_s, finding.to_s, finding.due_s, int(zone),
    )  # fmt: skip


def _asks_more(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    heights = [float("inf") if one["vertical_m"] is None else one["vertical_m"] for one in (before, after)]
    return bool(after["horizontal_m"] > before["horizontal_m"] or heights[1] > heights[0])
