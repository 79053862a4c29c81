"""The inbox, as an answer."""

from __future__ import annotations

from keepclear.api.shown.entries import owing_told, standing_told
from keepclear.api.shown.terms import breach_told
from keepclear.node.entry_ids import EntryId
from keepclear.node.inbox import InboxItem, InboxView, OwnFiling
from keepclear.values.base import moment, moment_or_none
from keepclear.values.inbox import InboxItemTold, InboxTold, OwnFilingTold

__all__ = ["inbox_told"]


def inbox_told(view: InboxView, *, us: str) -> InboxTold:
    """The inbox at one moment."""
    return InboxTold(
        at=moment(view.at_s),
        to_answer=[_item(one, view.at_s) for one in view.to_answer],
        own=[_own(one, view.at_s) for one in view.own],
        more=view.more,
        terms=[breach_told(filing, row, us=us) for filing, row in view.terms],
    )


def _item(item: InboxItem, at_s: float) -> InboxItemTold:
    return InboxItemTold(
        id=str(EntryId.of(item.ref)),
        line=item.line,
        party=item.party,
        type=item.type,
        exercise=item.exercise,
        kept_at=moment_or_none(item.kept_s),
        sort=None if item.message_class is None else item.message_class.value,
        due=moment_or_none(item.due_s),
        overdue=item.overdue,
        owed=[owing_told(one, at_s) for one in item.owed],
        summary=item.summary,
        blocked=item.blocked,
        flagged=item.flagged,
    )


def _own(filing: OwnFiling, at_s: float) -> OwnFilingTold:
    return OwnFilingTold(
        id=str(EntryId.of(filing.ref)),
        line=filing.line,
        type=filing.type,
        thing_id=filing.id,
        name=filing.name,
        exercise=filing.exercise,
        state=None if filing.state is None else filing.state.value,
        starts=moment_or_none(filing.start_s),
        ends=moment_or_none(filing.end_s),
        standings=[standing_told(one, at_s) for one in filing.standings],
        sentences=list(filing.sentences),
        overdue=[owing_told(one, at_s) for one in filing.overdue],
    )
