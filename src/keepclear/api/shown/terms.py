"""What terms say of filings that were told, as answers."""

from __future__ import annotations

from keepclear.node.entry_ids import EntryId
from keepclear.store.node.agreements import TermFindingRow
from keepclear.store.node.filings import Filing
from keepclear.values.base import moment, moment_or_none
from keepclear.values.term_findings import BreachTold, TermFindingTold

__all__ = ["breach_told", "kept_finding_told"]


def kept_finding_told(row: TermFindingRow) -> TermFindingTold:
    """What a term says of a filing, as it was judged."""
    return TermFindingTold(
        agreement=row.agreement,
        line=row.line,
        term=row.term,
        clause=row.clause,
        result=row.result,
        sentence=row.sentence,
        party=row.party,
        starts=moment_or_none(row.from_s),
        ends=moment_or_none(row.to_s),
        due=moment_or_none(row.due_s),
    )


def breach_told(filing: Filing, row: TermFindingRow, *, us: str) -> BreachTold:
    """A filing that is not within a term, or may not be."""
    return BreachTold(
        entry=str(EntryId.of(filing.ref)),
        party=filing.party,
        name=filing.name or filing.thing_id,
        own=filing.party == us,
        judged=moment(row.at_s),
        finding=kept_finding_told(row),
    )
