"""Filings, what a search found of them, drafts and series, as answers."""

from __future__ import annotations

import math
from typing import Any

from keepclear.api.shown.entries import id_or_none, ref_told
from keepclear.model.findings import CLEAR_SENTENCE, Answer, Closest, Conflict, Interval, Minima, Side
from keepclear.node.entry_ids import EntryId
from keepclear.node.searching import FoundConflict, SearchFound
from keepclear.node.term_findings import TermFinding
from keepclear.store.node.filings import Filing, FilingState
from keepclear.times import to_text
from keepclear.values.base import moment_or_none
from keepclear.values.conflicts import FoundConflictTold, FoundTold, IntervalTold, MinimaTold, SideTold
from keepclear.values.filings import FilingTold
from keepclear.values.term_findings import TermFindingTold

__all__ = ["conflict_told", "filing_told", "found_conflict_told", "found_told", "term_told"]


def found_told(found: SearchFound) -> FoundTold:
    """What a search came to."""
    return FoundTold(
        answer=found.answer.value,
        sentence=_sentence(found),
        conflicts=[found_conflict_told(one) for one in found.conflicts],
        checked=found.checked,
        reasons=list(found.reasons),
        notes=list(found.notes),
        terms=[term_told(one) for one in found.terms],
    )


def term_told(one: TermFinding) -> TermFindingTold:
    """What a term says of a filing."""
    finding = one.finding
    return TermFindingTold(
        agreement=one.agreement,
        line=one.line,
        term=finding.term,
        type=one.type,
        clause=finding.clause,
        result=finding.result.value,
        sentence=finding.sentence,
        party=finding.party,
        starts=moment_or_none(finding.from_s),
        ends=moment_or_none(finding.to_s),
        due=moment_or_none(finding.due_s),
    )


def found_conflict_told(found: FoundConflict) -> FoundConflictTold:
    """A conflict that a search found; the other side's entry is named."""
    entry = None if found.filing is None else str(EntryId.of(found.filing.ref))
    other = None if found.filing is None else (found.filing.party, found.filing.thing_id)
    return conflict_told(found.conflict, entries={} if other is None or entry is None else {other: entry})


def conflict_told(conflict: Conflict, *, entries: dict[tuple[str, str], str]) -> FoundConflictTold:
    """A conflict; `entries`: ids of entries by the party and the id of the plan that they told."""
    return FoundConflictTold(
        answer=conflict.answer.value,
        sentence=conflict.sentence,
        reasons=list(conflict.reasons),
        a=_side(conflict.a, entries),
        b=_side(conflict.b, entries),
        minima=_minima(conflict.minima),
        intervals=[_interval(one) for one in conflict.intervals],
        closest=None if conflict.closest is None else _closest(conflict.closest),
    )


def filing_told(filing: Filing, **more: Any) -> FilingTold:
    """A filing, without its plan; `more`: what else is known of it, by the names of `FilingTold`."""
    changed = id_or_none(filing.changed_by)
    told: dict[str, Any] = {
        "id": str(EntryId.of(filing.ref)),
        "ref": ref_told(filing.ref),
        "line": filing.line,
        "party": filing.party,
        "type": filing.type,
        "thing_id": filing.thing_id,
        "kind": filing.kind or None,
        "name": filing.name,
        "exercise": filing.exercise,
        "starts": moment_or_none(filing.start_s),
        "ends": moment_or_none(filing.end_s),
        "kept_at": moment_or_none(filing.kept_s),
        "state": filing.state.value,
        "active": filing.state is FilingState.ACTIVE,
        "problem": filing.problem,
        "supersedes": id_or_none(filing.supersedes),
        "superseded_by": changed if filing.state is FilingState.AMENDED else None,
        "cancelled_by": changed if filing.state is FilingState.CANCELLED else None,
    }
    return FilingTold(**told | more)


def _sentence(found: SearchFound) -> str:
    if found.answer is Answer.CLEAR:
        return CLEAR_SENTENCE
    close = sum(one.answer is Answer.CONFLICT for one in found.conflicts)
    maybe = len(found.conflicts) - close
    parts = []
    if close:
        parts.append(f"it comes too close to {close} other plan{'s' if close > 1 else ''}")
    if maybe:
        parts.append(f"it may come too close to {maybe} other plan{'s' if maybe > 1 else ''}")
    return "; ".join([*parts, *found.reasons]) or "not enough is known to say"


def _side(side: Side, entries: dict[tuple[str, str], str]) -> SideTold:
    kind = None if side.kind is None else side.kind.value
    entry = entries.get((side.party, side.id))
    return SideTold(entry=entry, party=side.party, id=side.id, kind=kind, name=side.name, is_zone=side.is_zone)


def _minima(minima: Minima) -> MinimaTold:
    return MinimaTold(
        horizontal_m=_finite(minima.horizontal_m),
        vertical_m=_finite(minima.vertical_m),
        time_s=_finite(minima.time_s),
        rule=minima.rule,
    )


def _interval(interval: Interval) -> IntervalTold:
    start, end = moment_or_none(interval.start_s), moment_or_none(interval.end_s)
    return IntervalTold(answer=interval.answer.value, start=start, end=end)


def _closest(closest: Closest) -> dict[str, Any]:
    return {
        "time_a": _text(closest.time_a_s),
        "time_b": _text(closest.time_b_s),
        "horizontal_m": _finite(closest.horizontal_m),
        "vertical_m": _finite(closest.vertical_m),
        "a": [_finite(one) for one in closest.a],
        "b": [_finite(one) for one in closest.b],
    }


def _text(time_s: float | None) -> str | None:
    return None if moment_or_none(time_s) is None or time_s is None else to_text(time_s)


def _finite(number: float | None) -> float | None:
    return None if number is None or not math.isfinite(number) else number
