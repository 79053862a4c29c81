"""What a term of an agreement in force says of a filing."""

from __future__ import annotations

from keepclear.values.base import EntryId, Time, Told

__all__ = ["BreachTold", "TermFindingTold"]


class TermFindingTold(Told):
    """What a term in force says of a filing. Within a term is no more than that: nothing is permitted by it.

    Attributes
    ----------
    agreement, term, type, clause
        Which, and of which type the term is.
    result
        ``breached`` or ``possible`` (what is known does not decide it).
    sentence
        The same in words, with place, time and by how much.
    party
        Who is bound, and is spoken of.
    due
        By when something was due, where something was.
    """

    agreement: str
    line: str = ""
    term: str
    type: str = ""
    clause: str
    result: str
    sentence: str
    party: str = ""
    starts: Time | None = None
    ends: Time | None = None
    due: Time | None = None


class BreachTold(Told):
    """A filing that stands and that is not within a term in force, or may not be."""

    entry: EntryId
    party: str
    name: str = ""
    own: bool = False
    judged: Time
    finding: TermFindingTold
