"""Answers to invitations, and words that people read to each other: what makes one party of a line of two.

The invited party compares the words of the inviter's identity, says in its own log that it joins, and sends back an
acceptance: its card, the entry, and a tag that only who has the invitation can make. The inviter compares the words of
that identity, and then says in its own log that the party is on the line.

Neither side can go on without `Compared`, which is had only from words that were heard: nothing that the files say
takes their place. The format is ``docs/spec/invitations.md``.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from keepclear.errors import Fault, InputError, IntegrityError, PeerError
from keepclear.line.cards import CardKeys, keys_of_card
from keepclear.line.invitations import (
    MOST_FILE_BYTES,
    Invitation,
    check_transport,
    read_card,
    read_ref,
    read_versions,
)
from keepclear.line.signed_json import sign_json, signed_members, verify_signed
from keepclear.line.versions import OURS, Versions
from keepclear.record.bodies.members import KnownIdentity, MemberInvitedBody, MemberJoinedBody, PartyCard, check_card
from keepclear.record.bodies.references import EntryRefValue
from keepclear.record.canonical import canonical
from keepclear.record.entries import EntryRef
from keepclear.record.fingerprints import check_words
from keepclear.record.keys import SigningKey, VerifierKey
from keepclear.record.scalars import base64_text

__all__ = ["Acceptance", "Compared", "accept", "admit", "compare", "join", "read_acceptance"]

_ACCEPTANCE = "keepclear acceptance v1"


@dataclass(frozen=True, slots=True)
class Acceptance:
    """The answer to an invitation, which the invited party signed with its transport key.

    Attributes
    ----------
    root, line
        Of the line.
    card
        The invited party's.
    joined
        The entry of its own log by which it joins.
    versions
        Of the protocol, that it speaks.
    """

    root: EntryRef
    line: str
    card: PartyCard
    joined: EntryRef
    versions: Versions = OURS

    @property
    def keys(self) -> CardKeys:
        """Its keys."""
        return keys_of_card(self.card, self.line)


@dataclass(frozen=True, slots=True)
class Compared:
    """That people compared the words of an identity. Only `compare` makes it."""

    identity: VerifierKey


def compare(heard: str, identity: VerifierKey) -> Compared:
    """Compare the twelve words that somebody known read over the telephone with an identity.

    Raises
    ------
    InputError
        If they are others; it names the first that differs.
    """
    check_words(heard, identity)
    return Compared(identity)


def join(invitation: Invitation, compared: Compared, *, card: PartyCard, now_s: float) -> MemberJoinedBody:
    """What the invited party says in its own log, once it has compared the inviter's words.

    Raises
    ------
    InputError
        If the words compared are another identity's, the invitation has expired, or the card is not for the line.
    """
    if compared.identity.text != invitation.card.identity:
        raise InputError(Fault("the words compared are another identity's", invitation.card.identity, field="words"))
    invitation.check_time(now_s)
    _own_keys(card, invitation.line)
    inviter = KnownIdentity(party=invitation.card.party, identity=invitation.card.identity)
    return MemberJoinedBody(root=EntryRefValue.of(invitation.root), card=card, inviter=inviter)


def accept(invitation: Invitation, *, card: PartyCard, joined: EntryRef, key: SigningKey) -> bytes:
    """The acceptance as a file, once what `join` gave stands in the log.

    Raises
    ------
    InputError
        If the entry is not in the log on the card, or the key is not the transport key on it.
    """
    keys = _own_keys(card, invitation.line)
    check_transport(key, keys)
    if joined.origin != keys.log.name:
        raise InputError(Fault(f"an entry of {joined.origin}", f"one of {keys.log.name}", field="joined"))
    members = _acceptance_members(Acceptance(invitation.root, invitation.line, card, joined))
    return sign_json(_ACCEPTANCE, members | {"tag": _tag(invitation.secret, members)}, key)


def read_acceptance(data: bytes, invitation: Invitation, *, now_s: float) -> Acceptance:
    """Read the answer to an invitation of ours. Whose it is, only the words of its identity say.

    Raises
    ------
    PeerError
        If it is malformed, or of another line.
    InputError
        If the invitation has expired.
    IntegrityError
        If who made it did not have the invitation, a certificate does not hold, or its transport key did not sign it.
    """
    invitation.check_time(now_s)
    members, note = signed_members(data, _ACCEPTANCE, limit=MOST_FILE_BYTES)
    root, line, card = read_ref(members.inside("root")), members.name("line"), read_card(members)
    joined, versions = read_ref(members.inside("joined")), read_versions(members)
    tag = members.octets("tag", size=32)
    members.none_left()
    found = Acceptance(root, line, card, joined, versions)
    if (root, line) != (invitation.root, invitation.line):
        raise PeerError("not an acceptance of this invitation: it is of another line")
    if not hmac.compare_digest(base64_text(tag), _tag(invitation.secret, members.all_but("tag"))):
        raise IntegrityError("who made this acceptance did not have this invitation: its tag does not hold")
    verify_signed(note, found.keys.transport)
    if card.party == invitation.card.party or joined.origin != found.keys.log.name:
        raise PeerError("not an acceptance: the entry is not in the log on its card, or the card is the inviter's")
    return found


def admit(acceptance: Acceptance, compared: Compared, *, start: int | None = None) -> MemberInvitedBody:
    """What the inviter says in its own log, once it has compared the words of the invited party.

    Parameters
    ----------
    start
        From which entry on our log is given to it; None for all of it.

    Raises
    ------
    InputError
        If the words compared are another identity's.
    """
    if compared.identity.text != acceptance.card.identity:
        raise InputError(Fault("the words compared are another identity's", acceptance.card.identity, field="words"))
    return MemberInvitedBody(
        party=acceptance.card.party, identity=acceptance.card.identity, words_compared=True, start=start,
        joined=EntryRefValue.of(acceptance.joined),
    )  # fmt: skip


def _acceptance_members(acceptance: Acceptance) -> dict[str, object]:
    return {
        "root": EntryRefValue.of(acceptance.root).model_dump(),
        "line": acceptance.line,
        "card": acceptance.card.model_dump(mode="json", exclude_none=True),
        "joined": EntryRefValue.of(acceptance.joined).model_dump(),
        "versions": [acceptance.versions.least, acceptance.versions.most],
    }


def _tag(secret: bytes, members: Mapping[str, object]) -> str:
    message = _ACCEPTANCE.encode() + b"\n" + canonical(members)
    return base64_text(hmac.digest(secret, message, hashlib.sha256))


def _own_keys(card: PartyCard, line: str) -> CardKeys:
    check_card(card)
    try:
        return keys_of_card(card, line)
    except IntegrityError as error:
        raise InputError(
            Fault(str(error), "certificates for the log, mirror and transport key", field="card")
        ) from None
