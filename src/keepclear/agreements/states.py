"""The states of an agreement, and what leads from one to the next: the table is the truth."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

__all__ = ["BINDING", "TRANSITIONS", "AgreementEvent", "AgreementState", "state_after"]


class AgreementState(StrEnum):
    """How far a document has come. In no state does it allow anybody anything."""

    DRAFT = "draft"
    """It is on no record, or was taken back before it bound anybody."""
    PROPOSED = "proposed"
    COUNTERED = "countered"
    """Another document was put against it."""
    PARTLY_SIGNED = "partly signed"
    """Somebody has signed. It binds nobody, those who have signed neither."""
    IN_FORCE = "in force"
    SUSPENDED = "suspended"
    RESUMED = "resumed"
    """In force again."""
    EXPIRED = "expired"
    TERMINATED = "terminated"


class AgreementEvent(StrEnum):
    """What happens to a document."""

    PROPOSED = "proposed"
    COUNTERED = "another document put against it"
    SIGNED = "signed by one"
    UNSIGNED = "the last signature taken back"
    WITHDRAWN = "taken back by all who proposed it"
    ENTERED = "signed by all, and its time has come"
    SUSPENDED = "suspended by one"
    RESUMED = "resumed by all who had suspended it"
    EXPIRED = "its time is over"
    TERMINATED = "ended by one, or another document in force in its place"


BINDING = frozenset({AgreementState.IN_FORCE, AgreementState.RESUMED})
"""The states in which its terms bind."""

_S, _E = AgreementState, AgreementEvent
_OPEN = (_S.PROPOSED, _S.COUNTERED, _S.PARTLY_SIGNED)
_ENTERED = (_S.IN_FORCE, _S.SUSPENDED, _S.RESUMED)

TRANSITIONS: Mapping[tuple[AgreementState, AgreementEvent], AgreementState] = MappingProxyType(
    {
        (_S.DRAFT, _E.PROPOSED): _S.PROPOSED,
        (_S.PROPOSED, _E.PROPOSED): _S.PROPOSED,
        (_S.PROPOSED, _E.COUNTERED): _S.COUNTERED,
        (_S.COUNTERED, _E.PROPOSED): _S.PROPOSED,
        (_S.COUNTERED, _E.COUNTERED): _S.COUNTERED,
        (_S.PROPOSED, _E.SIGNED): _S.PARTLY_SIGNED,
        (_S.COUNTERED, _E.SIGNED): _S.PARTLY_SIGNED,
        (_S.PARTLY_SIGNED, _E.SIGNED): _S.PARTLY_SIGNED,
        # Signatures stand whatever else is proposed, until they are taken back.
        (_S.PARTLY_SIGNED, _E.PROPOSED): _S.PARTLY_SIGNED,
        (_S.PARTLY_SIGNED, _E.COUNTERED): _S.PARTLY_SIGNED,
        (_S.PARTLY_SIGNED, _E.UNSIGNED): _S.PROPOSED,
        **{(state, _E.WITHDRAWN): _S.DRAFT for state in _OPEN},
        (_S.PARTLY_SIGNED, _E.ENTERED): _S.IN_FORCE,
        **{(state, _E.SUSPENDED): _S.SUSPENDED for state in _ENTERED},
        (_S.SUSPENDED, _E.RESUMED): _S.RESUMED,
        **{(state, _E.EXPIRED): _S.EXPIRED for state in _ENTERED},
        **{(state, _E.TERMINATED): _S.TERMINATED for state in _ENTERED},
    }
)
"""What is not in it has no effect, and whoever asked for it is told so."""


def state_after(state: AgreementState, event: AgreementEvent) -> AgreementState | None:
    """The state that an event leads to; None where it leads nowhere."""
    return TRANSITIONS.get((state, event))
