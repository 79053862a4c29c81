"""Invitations onto a line: which line, the inviter's card with its keys, until when, and a secret for one answer.

The invited party compares the words of the inviter's identity over a telephone, says in its own log that it joins, and
answers (`keepclear.line.acceptances`). The file holds no private key; the secret is none, and one that is the private
half of a key on the card is refused. Who finds an invitation on the way can answer it, and then has other words than
those that the inviter hears.

The format is ``docs/spec/invitations.md``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from keepclear.errors import Fault, InputError, PeerError
from keepclear.line.cards import CardKeys, keys_of_card
from keepclear.line.signed_json import Members, sign_json, signed_members, verify_signed
from keepclear.line.versions import MOST_VERSION, OURS, Versions
from keepclear.record.bodies.members import PartyCard, check_card
from keepclear.record.bodies.references import EntryRefValue
from keepclear.record.canonical import MOST_INTEGER
from keepclear.record.entries import EntryRef
from keepclear.record.keys import SignatureKind, SigningKey, VerifierKey
from keepclear.record.names import check_name
from keepclear.record.scalars import base64_text
from keepclear.times import to_text

__all__ = [
    "INVITATION_TRANSITIONS",
    "MOST_FILE_BYTES",
    "SECRET_BYTES",
    "Invitation",
    "InvitationEvent",
    "InvitationState",
    "after_event",
    "check_transport",
    "read_card",
    "read_invitation",
    "read_ref",
    "read_versions",
    "sign_invitation",
]

SECRET_BYTES = 32
MOST_FILE_BYTES = 512 * 1024

_INVITATION = "keepclear invitation v1"


class InvitationState(StrEnum):
    """Where an invitation is, for the one who wrote it."""

    OPEN = "open"
    ANSWERED = "answered"
    COMPARED = "compared"
    USED = "used"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class InvitationEvent(StrEnum):
    """What happens to it."""

    ACCEPTANCE = "an acceptance that holds came"
    SAME_ACCEPTANCE = "it came again, byte for byte"
    WORDS = "its identity's words were compared"
    OTHER_WORDS = "its words are not those that were heard"
    ADMITTED = "the party was said to be on the line"
    WITHDRAW = "an officer withdrew it"
    EXPIRY = "its time is over"


_S, _E = InvitationState, InvitationEvent
INVITATION_TRANSITIONS: Mapping[tuple[InvitationState, InvitationEvent], InvitationState] = MappingProxyType(
    {
        (_S.OPEN, _E.ACCEPTANCE): _S.ANSWERED,
        (_S.ANSWERED, _E.SAME_ACCEPTANCE): _S.ANSWERED,  # the answer to the first one was lost
        (_S.COMPARED, _E.SAME_ACCEPTANCE): _S.COMPARED,
        (_S.USED, _E.SAME_ACCEPTANCE): _S.USED,
        (_S.ANSWERED, _E.WORDS): _S.COMPARED,
        # Somebody else has answered: the secret was seen on the way, and is good for nothing any more.
        (_S.ANSWERED, _E.OTHER_WORDS): _S.WITHDRAWN,
        (_S.COMPARED, _E.ADMITTED): _S.USED,
        **{(state, _E.WITHDRAW): _S.WITHDRAWN for state in (_S.OPEN, _S.ANSWERED, _S.COMPARED)},
        **{(state, _E.EXPIRY): _S.EXPIRED for state in (_S.OPEN, _S.ANSWERED)},
    }
)
"""What an invitation is after an event; an event that is not here is refused, so a second acceptance is."""


def after_event(state: InvitationState, event: InvitationEvent) -> InvitationState:
    """What an invitation is after an event.

    Raises
    ------
    InputError
        If the event is not one for an invitation in that state.
    """
    then = INVITATION_TRANSITIONS.get((state, event))
    if then is None:
        raise InputError(Fault(f"{event.value}, and the invitation is {state.value}", "write a new invitation"))
    return then


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation onto a line.

    Attributes
    ----------
    root
        The entry that founded the line.
    line, name
        The line's name in the record, and what it is called.
    card
        The inviter's: name, identity, certificates for log, mirror and transport key, addresses.
    expires_s
        Until when it can be answered, by the inviter's clock, in seconds since the epoch.
    secret
        32 random bytes.
    versions
        Of the protocol, that the inviter speaks.

    Raises
    ------
    InputError
        If one of them is not what it must be, or the secret is the private half of a key on the card.
    """

    root: EntryRef
    line: str
    name: str
    card: PartyCard
    expires_s: float
    secret: bytes = field(repr=False)
    versions: Versions = OURS

    def __post_init__(self) -> None:
        check_name(self.line, field="line")
        check_card(self.card)
        if self.root.origin.split("/")[1] != self.line:
            raise InputError(Fault(f"{self.root.origin} is no log on {self.line}", field="root"))
        if not 0 < len(self.name) <= 1000:
            raise InputError(Fault("a line without a name", "1 to 1000 characters", field="name"))
        if len(self.secret) != SECRET_BYTES:
            raise InputError(
                Fault(f"a secret of {len(self.secret)} bytes", f"{SECRET_BYTES} random ones", field="secret")
            )
        public = SigningKey.of_seed("secret", SignatureKind.ED25519, self.secret).verifier.public
        if public in {key.public for key in _all_keys(self.keys)}:
            raise InputError(Fault("the secret is a private key", f"{SECRET_BYTES} random bytes", field="secret"))

    @property
    def keys(self) -> CardKeys:
        """The inviter's keys."""
        return keys_of_card(self.card, self.line)

    def check_time(self, now_s: float) -> None:
        """Refuse an invitation whose time is over.

        Raises
        ------
        InputError
            If it has expired.
        """
        if now_s > self.expires_s:
            problem = f"the invitation was good until {to_text(self.expires_s)}"
            raise InputError(Fault(problem, f"ask {self.card.party} for a new one"))


def sign_invitation(invitation: Invitation, key: SigningKey) -> bytes:
    """The invitation as a file, which is to be given to nobody but the invited party.

    Raises
    ------
    InputError
        If the key is not the transport key on the inviter's card.
    """
    check_transport(key, invitation.keys)
    return sign_json(_INVITATION, _invitation_members(invitation), key)


def read_invitation(data: bytes) -> Invitation:
    """Read an invitation. That it came from whom it names, only the words of its identity say.

    Raises
    ------
    PeerError
        If it is malformed.
    IntegrityError
        If a certificate on its card does not hold, or its transport key did not sign it.
    """
    members, note = signed_members(data, _INVITATION, limit=MOST_FILE_BYTES)
    root, line, name = read_ref(members.inside("root")), members.name("line"), members.text("name")
    card, expires_s = read_card(members), members.time("expires")
    secret, versions = members.octets("secret", size=SECRET_BYTES), read_versions(members)
    members.none_left()
    try:
        invitation = Invitation(root, line, name, card, expires_s, secret, versions)
    except InputError as error:
        raise PeerError(f"not an invitation: {error}") from None
    verify_signed(note, invitation.keys.transport)
    return invitation


def _invitation_members(invitation: Invitation) -> dict[str, object]:
    return {
        "root": EntryRefValue.of(invitation.root).model_dump(),
        "line": invitation.line,
        "name": invitation.name,
        "card": invitation.card.model_dump(mode="json", exclude_none=True),
        "expires": to_text(invitation.expires_s),
        "secret": base64_text(invitation.secret),
        "versions": [invitation.versions.least, invitation.versions.most],
    }


def _all_keys(keys: CardKeys) -> tuple[VerifierKey, ...]:
    return keys.identity, keys.log, keys.mirror, keys.transport


def check_transport(key: SigningKey, keys: CardKeys) -> None:
    """Refuse a key that is not the transport key on a card.

    Raises
    ------
    InputError
        If it is another.
    """
    if key.verifier != keys.transport:
        raise InputError(Fault(f"the key {key.verifier.text} is not on the card", keys.transport.text, field="key"))


def read_ref(members: Members) -> EntryRef:
    """A reference to an entry, or `PeerError`."""
    origin, index = members.text("origin"), members.whole("index", most=MOST_INTEGER)
    leaf = members.octets("leaf", size=32)
    members.none_left()
    try:
        return EntryRef(origin, index, leaf)
    except InputError as error:
        raise PeerError(f"not a reference to an entry: {error}") from None


def read_card(members: Members) -> PartyCard:
    """The member ``card``, or `PeerError`."""
    from pydantic import ValidationError

    value = members.value("card")
    try:
        card = PartyCard.model_validate(value)
        check_card(card)
    except (ValidationError, InputError) as error:
        where = str(error.errors()[0]["loc"]) if isinstance(error, ValidationError) else str(error.faults[0])
        members.refuse("card", f"not a party's card: {where[:300]}")
    return card


def read_versions(members: Members) -> Versions:
    """The member ``versions``, or `PeerError`."""
    value = members.items("versions", most=2)
    least, most = value if len(value) == 2 else (None, None)
    if type(least) is not int or type(most) is not int or not 1 <= least <= most <= MOST_VERSION:
        members.refuse("versions", f"two numbers from 1 to {MOST_VERSION}")
    return Versions(least, most)
