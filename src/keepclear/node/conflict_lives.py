"""The life of a conflict, as a table: what happens to it, in which state, leads where.

A conflict is between two filings as they were said; an amendment is another filing, so what it conflicts with is
another conflict. Nothing but a change of the plans, or time, makes one be over: that it was accepted as a risk by
everybody concerned is shown as what it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType

__all__ = ["CONFLICT_TRANSITIONS", "ConflictEvent", "ConflictState", "life_of"]


class ConflictState(StrEnum):
    """How far a conflict has come."""

    NEW = "new"
    """Nobody has found it yet; none is shown in this state."""
    FOUND = "found"
    """Our own search found it, and nobody has said so on the line."""
    ADVISED = "advised"
    """A party concerned has said so, in an advisory."""
    ACCEPTED = "accepted"
    """All parties concerned have said that they go on, each for itself. No permission."""
    RESOLVED = "resolved"
    """One of the plans was amended or cancelled, and all that is known was searched again."""
    ENDED = "ended"
    """One of the plans is over."""
    DROPPED = "dropped"
    """One of the filings does not count (its author was no member), or its body is no longer here."""


class ConflictEvent(StrEnum):
    """What happens to a conflict."""

    FOUND = "found"
    ADVISED = "advised"
    ACCEPTED = "accepted by all parties concerned"
    TAKEN_BACK = "the advisory, or an acceptance, was taken back"
    CHANGED = "a plan was amended or cancelled"
    OVER = "a plan is over"
    NOT_COUNTED = "a filing does not count"


_S, _E = ConflictState, ConflictEvent
_OPEN = (_S.NEW, _S.FOUND, _S.ADVISED, _S.ACCEPTED)

CONFLICT_TRANSITIONS: Mapping[tuple[ConflictState, ConflictEvent], ConflictState] = MappingProxyType(
    {
        (_S.NEW, _E.FOUND): _S.FOUND,
        (_S.NEW, _E.ADVISED): _S.ADVISED,
        (_S.FOUND, _E.ADVISED): _S.ADVISED,
        (_S.ADVISED, _E.ACCEPTED): _S.ACCEPTED,
        (_S.ACCEPTED, _E.TAKEN_BACK): _S.ADVISED,
        (_S.ADVISED, _E.TAKEN_BACK): _S.FOUND,
        **{(state, _E.CHANGED): _S.RESOLVED for state in _OPEN},
        **{(state, _E.OVER): _S.ENDED for state in _OPEN},
        **{(state, _E.NOT_COUNTED): _S.DROPPED for state in (*_OPEN, _S.RESOLVED, _S.ENDED)},
    }
)
"""What a conflict is after something has happened; where there is no line, it changes nothing."""


def life_of(events: Iterable[ConflictEvent]) -> ConflictState:
    """The state after all of these, in their order."""
    state = ConflictState.NEW
    for event in events:
        state = CONFLICT_TRANSITIONS.get((state, event), state)
    return state
