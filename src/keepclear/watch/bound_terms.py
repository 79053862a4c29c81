"""The agreements that bound parties in some time: what their terms say of it, and who met within the minima they set.

An agreement counts for as long as it bound: who ends it later undoes no breach, and one that came later breaks nothing
that was before it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from keepclear.agreements.documents import Document
from keepclear.agreements.facts import Filed, Finding, Flown, RecordView, Result
from keepclear.agreements.standing import AgreementStanding, Period
from keepclear.agreements.terms.base import Term
from keepclear.errors import KeepclearError
from keepclear.model.findings import Answer
from keepclear.record.entries import EntryRef
from keepclear.separation.minima import MinimaTable, Rule
from keepclear.watch.encounters import Encounter, Met, encounters

__all__ = ["Bound", "bound_in", "encounters_by", "findings_of", "stricter"]


@dataclass(frozen=True, eq=False, slots=True)
class Bound:
    """An agreement that bound its parties for a while.

    Attributes
    ----------
    agreement
        Its name.
    period
        Which document, from when and until when.
    terms
        Those of the document; what this version cannot read is as one of an unknown type.
    refs
        The entries that prove it: the proposal and the signatures.
    """

    agreement: str
    period: Period
    terms: tuple[Term, ...]
    refs: tuple[EntryRef, ...]

    def at_some_time_in(self, from_s: float | None, to_s: float | None) -> bool:
        """Whether it bound anybody then."""
        ended = self.period.to_s is not None and from_s is not None and self.period.to_s <= from_s
        return not ended and (to_s is None or self.period.from_s <= to_s)


def bound_in(
    standing: AgreementStanding,
    terms_of: Callable[[Document], tuple[Term, ...]],
    from_s: float | None,
    to_s: float | None,
) -> Iterator[Bound]:
    """The documents of an agreement that bound anybody in a time."""
    for period in standing.periods:
        version = standing.of(period.document.hash)
        refs = () if version is None else (
            *version.proposals[:1], *(one.ref for _, one in sorted(version.signatures.items()))
        )  # fmt: skip
        bound = Bound(standing.id, period, (), refs)
        if bound.at_some_time_in(from_s, to_s):
            yield replace(bound, terms=terms_of(period.document))


def findings_of(
    bound: Iterable[Bound], filings: Sequence[Filed], tracks: Sequence[Flown], record: RecordView, *, at_s: float
) -> Iterator[tuple[Bound, Finding]]:
    """What the terms say of filings, tracks and record while they bound."""
    for one in bound:
        filed = [each for each in filings if one.at_some_time_in(each.start_s, each.end_s)]
        flown = [each for each in tracks if one.at_some_time_in(*map(float, each.track.time_s[[0, -1]]))]
        for term in one.terms:
            told = _told_by(term, filed, flown, record, at_s)
            yield from ((one, finding) for finding in told if one.at_some_time_in(finding.from_s, finding.to_s))


def _told_by(
    term: Term, filings: Sequence[Filed], tracks: Sequence[Flown], record: RecordView, at_s: float
) -> Sequence[Finding]:
    try:
        return tuple(term.evaluate(filings, tracks, record, at_s))
    except KeepclearError as error:  # what cannot be judged is not within it
        return (term.finding(Result.POSSIBLE, f"it could not be judged: {error}"),)


def encounters_by(
    table: MinimaTable,
    bound: Sequence[Bound],
    tracks: Sequence[Flown],
    *,
    window: tuple[float, float] | None = None,
) -> tuple[Encounter, ...]:
    """Who came within the minima: those of the table, and of the agreements for as long as they bound.

    An agreement that asks for less than the table loosens nothing.

    Parameters
    ----------
    window
        From and to, seconds since the epoch: only what happened then is looked at.
    """
    if not tracks:
        return ()
    asking = [one for one in bound if any(term.contributes().minima for term in one.terms)]
    low = min(float(one.track.time_s[0]) for one in tracks)
    high = max(float(one.track.time_s[-1]) for one in tracks)
    edges = {edge for one in asking for edge in (one.period.from_s, one.period.to_s) if edge is not None}
    starts = [-math.inf, *sorted(edge for edge in edges if low < edge <= high)]
    found: list[tuple[float, Encounter]] = []
    for start, end in zip(starts, [*starts[1:], math.inf], strict=True):
        some = [one for one in asking if one.at_some_time_in(max(start, low), max(start, low))]
        during = encounters(tracks, stricter(table, some), window=window)
        found += [(start, one) for one in during if one.from_s < end and one.to_s >= start]
    return _once(found)


def stricter(table: MinimaTable, bound: Iterable[Bound]) -> MinimaTable:
    """The table, with what agreements ask for where that is more."""
    for one in bound:
        for term in one.terms:
            for asked in term.contributes().minima:
                before = {frozenset((rule.first, rule.second)): rule for rule in table.rules}
                pair = frozenset((asked.rule.first, asked.rule.second))
                table = table.with_rules([_most(asked.rule, before.get(pair))])
    return table


def _most(rule: Rule, before: Rule | None) -> Rule:
    if before is None:
        return rule
    heights = (rule.vertical_m, before.vertical_m)
    vertical = None if heights[0] is None or heights[1] is None else max(heights[0], heights[1])
    more = replace(
        rule, horizontal_m=max(rule.horizontal_m, before.horizontal_m), vertical_m=vertical,
        time_s=max(rule.time_s, before.time_s),
    )  # fmt: skip
    numbers = (before.horizontal_m, before.vertical_m, before.time_s)
    return before if (more.horizontal_m, more.vertical_m, more.time_s) == numbers else more


def _once(found: Iterable[tuple[float, Encounter]]) -> tuple[Encounter, ...]:
    """Each encounter once: of two of one pair that overlap, and were found by other minima, the one that lasted longer.

    One that is certain gives way to none that is only possible.
    """
    kept: dict[tuple[Met, Met], list[tuple[float, Encounter]]] = {}
    for start, one in sorted(found, key=lambda each: each[1].from_s - each[1].to_s):
        others = kept.setdefault((one.a, one.b), [])
        if not any(start != other_start and _covers(other, one) for other_start, other in others):
            others.append((start, one))
    every = [one for others in kept.values() for _, one in others]
    return tuple(sorted(every, key=lambda each: (each.from_s, each.a, each.b)))


def _covers(other: Encounter, one: Encounter) -> bool:
    meets = one.from_s <= other.to_s and one.to_s >= other.from_s
    return meets and (other.answer is Answer.CONFLICT or one.answer is not Answer.CONFLICT)
