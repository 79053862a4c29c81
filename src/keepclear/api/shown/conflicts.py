"""Conflicts, as answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from sqlalchemy import Connection

from keepclear.api.shown.filings import conflict_told
from keepclear.node.entry_ids import EntryId
from keepclear.node.findings_told import finding_of
from keepclear.store.node.conflicts import ConflictRow
from keepclear.store.node.filings import Filing, filings_by_id
from keepclear.values.base import moment_or_none
from keepclear.values.conflicts import ConflictTold, FoundConflictTold, IntervalTold, SideTold

__all__ = ["conflicts_told"]


def conflicts_told(conn: Connection, rows: Sequence[ConflictRow]) -> list[ConflictTold]:
    """These conflicts, with the filings that they are between."""
    filings = filings_by_id(conn, {number for row in rows for number in (row.first, row.second)})
    return [_told(row, filings) for row in rows]


def _told(row: ConflictRow, filings: Mapping[int, Filing]) -> ConflictTold:
    pair = [filings[number] for number in (row.first, row.second) if number in filings]
    return ConflictTold(
        id=row.id,
        line=row.line,
        state=row.state,
        answer=_answer(row),
        found=_found(row, pair),
        found_at=moment_or_none(row.found_s),
        changed_at=moment_or_none(row.state_s),
        advised_by=list(row.advised_by),
        advisories=[str(EntryId.of(one)) for one in row.advisories],
        accepted_by=list(row.accepted_by),
        why_not_advised=row.why_not_advised,
        exercise=any(one.exercise for one in pair),
    )


def _found(row: ConflictRow, pair: Sequence[Filing]) -> FoundConflictTold:
    entries = {(one.party, one.thing_id): str(EntryId.of(one.ref)) for one in pair}
    if row.finding is not None:
        return conflict_told(finding_of(row.finding), entries=entries)
    # Only others have advised of it, and our own search found nothing: what they said stands in the advisory.
    first, second = (_side(one) for one in (*pair, None, None)[:2])
    interval = IntervalTold(answer=_answer(row), start=moment_or_none(row.start_s), end=moment_or_none(row.end_s))
    sentence = f"{', '.join(row.advised_by)} advised of it; our own search did not find it"
    return FoundConflictTold(answer=_answer(row), sentence=sentence, a=first, b=second, intervals=[interval])


def _answer(row: ConflictRow) -> Literal["conflict", "possible"]:
    return "conflict" if row.answer == "conflict" else "possible"


def _side(filing: Filing | None) -> SideTold:
    if filing is None:
        return SideTold(entry=None, party="", id="")
    return SideTold(
        entry=str(EntryId.of(filing.ref)),
        party=filing.party,
        id=filing.thing_id,
        kind=filing.kind or None,
        name=filing.name,
        is_zone=filing.type == "zone",
    )
