"""Which model reads which type and version of body."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from keepclear.errors import PeerError
from keepclear.record.bodies.agreements import (
    AffiliateBody,
    AgreementChangedBody,
    AgreementProposedBody,
    AgreementSignedBody,
    DeliverableBody,
    ExemptionNoticeBody,
    TermQueryBody,
)
from keepclear.record.bodies.base import Body
from keepclear.record.bodies.committed import CommitmentBody, OpeningBody
from keepclear.record.bodies.joint import JointPlanBody, JointPlanSignedBody, MeasureBody
from keepclear.record.bodies.keys import IdentityVouchBody, KeyCertificateBody, KeyRevocationBody
from keepclear.record.bodies.line_talk import AcceptedRiskBody, AdvisoryBody, LineTestBody
from keepclear.record.bodies.members import (
    LineFoundedBody,
    MemberInvitedBody,
    MemberJoinedBody,
    MemberLeftBody,
    MemberRemovedBody,
)
from keepclear.record.bodies.plans import OperationBody, ZoneBody
from keepclear.record.bodies.talk import AnswerBody, AttachmentNote, CancelBody, MessageBody, RefusedBody
from keepclear.record.bodies.watched import ClaimBody, IncidentBody, PositionsBody
from keepclear.record.entries import Entry

__all__ = ["BODIES", "attachments_of", "body_of", "forget_bodies", "read_body"]

_WITH_ATTACHMENTS = (MessageBody, AgreementProposedBody, DeliverableBody, PositionsBody, IncidentBody)
_SHORT = 8192  # bytes of a body of which many are kept in memory

_MODELS: tuple[type[Body], ...] = (
    MessageBody,
    OperationBody,
    ZoneBody,
    CancelBody,
    AnswerBody,
    CommitmentBody,
    OpeningBody,
    RefusedBody,
    LineTestBody,
    AdvisoryBody,
    AcceptedRiskBody,
    KeyCertificateBody,
    KeyRevocationBody,
    IdentityVouchBody,
    LineFoundedBody,
    MemberInvitedBody,
    MemberJoinedBody,
    MemberLeftBody,
    MemberRemovedBody,
    AgreementProposedBody,
    AgreementSignedBody,
    AgreementChangedBody,
    AffiliateBody,
    ExemptionNoticeBody,
    TermQueryBody,
    DeliverableBody,
    JointPlanBody,
    JointPlanSignedBody,
    MeasureBody,
    PositionsBody,
    ClaimBody,
    IncidentBody,
)

BODIES: Mapping[tuple[str, int], type[Body]] = MappingProxyType(
    {(str(model.TYPE), model.VERSION): model for model in _MODELS}
)
"""Model by type and version."""


def read_body(type: str, version: int, data: bytes) -> Body | None:  # noqa: A002  # the name that it has in the leaf
    """The body that these bytes are; ``None`` where type and version are not known.

    What is not known is shown as it is and passed on, never dropped and never half understood.

    Raises
    ------
    PeerError
        If the bytes are not canonical JSON, or not a body of that type.
    """
    return (_read_again if len(data) <= _SHORT else _read_long_again)(type, version, data)


def _read(type: str, version: int, data: bytes) -> Body | None:  # noqa: A002  # as above
    model = BODIES.get((type, version))
    return None if model is None else model.of_bytes(data)


# One body is read by the guards, by what folds threads, by what searches, by what shows it; values never change.
_read_again = functools.lru_cache(maxsize=256)(_read)
# A long one takes a second to read, and is asked for several times within a moment; it takes some 30 MB.
_read_long_again = functools.lru_cache(maxsize=2)(_read)


def forget_bodies() -> None:
    """Keep nothing in memory of the bodies that were read: one of them was erased."""
    _read_again.cache_clear()
    _read_long_again.cache_clear()


def body_of(entry: Entry) -> Body | None:
    """The body of an entry; ``None`` where it is not held, or its type and version are not known.

    Raises
    ------
    PeerError
        As `read_body`, and if the body notes other attachments than its leaf has.
    """
    if entry.body is None:
        return None
    body = read_body(entry.leaf.type, entry.leaf.version, entry.body)
    noted, there = len(attachments_of(body)), len(entry.leaf.attachments)
    if noted != there and isinstance(body, _WITH_ATTACHMENTS):
        raise PeerError(f"the {body.TYPE} notes {noted} attachments, and its leaf has {there}")
    return body


def attachments_of(body: Body | None) -> Sequence[AttachmentNote]:
    """What a body notes of its attachments; none where its type has none, or it is not known."""
    return body.attachments if isinstance(body, _WITH_ATTACHMENTS) else ()
