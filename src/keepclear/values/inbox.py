"""The inbox: what is to be answered, by when, and how matters stand with what we have filed."""

from __future__ import annotations

from pydantic import Field

from keepclear.values.base import EntryId, LineName, PartyName, Time, Told
from keepclear.values.entries import OwingTold, StandingTold
from keepclear.values.term_findings import BreachTold

__all__ = ["InboxItemTold", "InboxTold", "OwnFilingTold"]


class InboxItemTold(Told):
    """An entry that waits for an answer of ours.

    Attributes
    ----------
    sort
        What sort of thing it is for us.
    due, overdue
        By when the first of what is owed is due, and whether that has passed.
    summary
        What it says, in a line; not where, which is read in the entry itself.
    blocked
        Why our read-back does not count.
    flagged
        What a guard had to say of it.
    """

    id: EntryId
    line: LineName
    party: PartyName
    type: str
    exercise: bool = False
    kept_at: Time | None
    sort: str | None
    due: Time | None
    overdue: bool
    owed: list[OwingTold]
    summary: str = ""
    blocked: str = ""
    flagged: str = ""


class OwnFilingTold(Told):
    """A filing of ours that stands, and how far it has come with each party.

    Attributes
    ----------
    state
        How far it has come; no state is a permission.
    sentences
        How it stands with each party, to be read out.
    overdue
        What others owe us of it, and was due before.
    """

    id: EntryId
    line: LineName
    type: str
    thing_id: str = ""
    name: str = ""
    exercise: bool = False
    state: str | None
    starts: Time | None
    ends: Time | None
    standings: list[StandingTold]
    sentences: list[str] = Field(default=[])
    overdue: list[OwingTold] = Field(default=[])


class InboxTold(Told):
    """What is to be answered (FLASH first, then what is overdue, then what is due first), and our own filings.

    Attributes
    ----------
    more
        Whether there are more filings of ours than these: the list of operations and that of zones have them all.
    terms
        Filings that stand, of any party, that are not within a term in force, or may not be.
    """

    at: Time
    to_answer: list[InboxItemTold]
    own: list[OwnFilingTold]
    more: bool = False
    terms: list[BreachTold] = Field(default=[])
