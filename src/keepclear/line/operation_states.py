"""The states of a filing, as a table: what happens, in which state, leads where.

Bad news is taken at once: a conflict shows before anybody has acknowledged the filing. Good news waits for all that
must come before it: that no conflict was found says nothing while somebody has not even seen the filing. No state is a
permission; ACKNOWLEDGED says that a person of every addressee has seen it, and no more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType

__all__ = ["OPERATION_TRANSITIONS", "OperationEvent", "OperationState", "state_after"]


class OperationState(StrEnum):
    """How far a filing has come."""

    DRAFT = "draft"
    FILED = "filed"
    DELIVERED = "delivered"
    """The machines of all addressees have it."""
    ACKNOWLEDGED = "acknowledged"
    """A person of every addressee has seen it."""
    NO_CONFLICT_FOUND = "no conflict found"
    """In what is known; not a permission."""
    POSSIBLE = "possible"
    CONFLICT = "conflict"
    RESOLVED = "resolved"
    ACCEPTED_RISK = "accepted risk"
    """All parties concerned go on knowingly, each for itself."""
    ACTIVE = "active"
    SUPERSEDED = "superseded"
    CANCELLED = "cancelled"
    ABORTED = "aborted"
    """Cancelled after it had begun."""
    EXPIRED = "expired"
    """Its time is over. Whether it was carried out is for tracks to say."""


class OperationEvent(StrEnum):
    """What happens to a filing; of those of one moment, the first in this list comes first."""

    FILED = "filed"
    DELIVERED = "delivered"
    ACKNOWLEDGED = "acknowledged"
    NO_CONFLICT_FOUND = "no conflict found"
    CONFLICT = "conflict"
    POSSIBLE = "possible"
    RESOLVED = "resolved"
    RISK_ACCEPTED = "risk accepted"
    STARTED = "started"
    AMENDED = "amended"
    CANCELLED = "cancelled"
    ENDED = "ended"


_S, _E = OperationState, OperationEvent
_BEFORE = (
    _S.FILED,
    _S.DELIVERED,
    _S.ACKNOWLEDGED,
    _S.NO_CONFLICT_FOUND,
    _S.POSSIBLE,
    _S.CONFLICT,
    _S.RESOLVED,
    _S.ACCEPTED_RISK,
)
_OPEN = (_S.POSSIBLE, _S.CONFLICT)

OPERATION_TRANSITIONS: Mapping[tuple[OperationState, OperationEvent], OperationState] = MappingProxyType(
    {
        (_S.DRAFT, _E.FILED): _S.FILED,
        (_S.FILED, _E.DELIVERED): _S.DELIVERED,
        (_S.FILED, _E.ACKNOWLEDGED): _S.ACKNOWLEDGED,
        (_S.DELIVERED, _E.ACKNOWLEDGED): _S.ACKNOWLEDGED,
        (_S.ACKNOWLEDGED, _E.NO_CONFLICT_FOUND): _S.NO_CONFLICT_FOUND,
        **{(state, _E.CONFLICT): _S.CONFLICT for state in _BEFORE},
        **{(state, _E.POSSIBLE): _S.POSSIBLE for state in _BEFORE},
        **{(state, _E.RESOLVED): _S.RESOLVED for state in _OPEN},
        **{(state, _E.RISK_ACCEPTED): _S.ACCEPTED_RISK for state in _OPEN},
        **{(state, _E.STARTED): _S.ACTIVE for state in _BEFORE},
        **{(state, _E.AMENDED): _S.SUPERSEDED for state in (*_BEFORE, _S.ACTIVE)},
        **{(state, _E.CANCELLED): _S.CANCELLED for state in _BEFORE},
        (_S.ACTIVE, _E.CANCELLED): _S.ABORTED,
        **{(state, _E.ENDED): _S.EXPIRED for state in (*_BEFORE, _S.ACTIVE)},
    }
)
"""What is not here changes nothing."""

_RANK = {event: rank for rank, event in enumerate(OperationEvent)}


def state_after(happened: Iterable[tuple[float, OperationEvent]]) -> OperationState:
    """The state of a filing to which this happened, each at its time, in seconds; the order given does not matter."""
    state = OperationState.DRAFT
    for _, event in sorted(happened, key=lambda one: (one[1] is not _E.FILED, one[0], _RANK[one[1]])):
        state = OPERATION_TRANSITIONS.get((state, event), state)
    return state
