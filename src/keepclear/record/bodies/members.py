"""Who is on a line, as each party says in its own log: it founds it, invites, joins, leaves, wants another removed.

None of these alone makes anybody a member; what they say together, `keepclear.line.membership` works out.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from keepclear.errors import Fault, InputError, KeepclearError
from keepclear.record.bodies.base import Body, Language, Line, Origin, PartyName, Text, Value
from keepclear.record.bodies.references import EntryRefValue
from keepclear.record.canonical import MOST_INTEGER
from keepclear.record.certificates import Certificate, read_statement
from keepclear.record.entry_types import EntryType
from keepclear.record.keys import SignatureKind, VerifierKey
from keepclear.record.names import KeyName, Purpose

__all__ = [
    "Contact",
    "KnownIdentity",
    "LineFoundedBody",
    "MemberInvitedBody",
    "MemberJoinedBody",
    "MemberLeftBody",
    "MemberRemovedBody",
    "PartyCard",
    "check_card",
]

_Vkey = Annotated[str, Field(min_length=1, max_length=1200)]
_Note = Annotated[str, Field(min_length=1, max_length=16_384)]
_Address = Annotated[str, Field(max_length=2048, pattern=r"^https?://[!-~]+$")]


class Contact(Value):
    """How people of a role are reached besides the line.

    Attributes
    ----------
    role
        Which, for example ``duty officer``.
    text
        How, in words: a number, a frequency, hours.
    """

    role: Line
    text: Line


class PartyCard(Value):
    """What a party says of itself.

    Attributes
    ----------
    party
        Its name in the record.
    name
        What it is called.
    identity
        The vkey of its identity, whose words people compare.
    certificates
        For its log, mirror and transport keys, signed by the identity (C2SP signed-note).
    addresses
        Where its node is reached, the first one to be tried first; none where it calls the others.
    languages
        That its people speak (BCP 47), the best first.
    contacts
        How its people are reached besides the line.
    """

    party: PartyName
    name: Line
    identity: _Vkey
    certificates: Annotated[list[_Note], Field(min_length=1, max_length=16)]
    addresses: Annotated[list[_Address], Field(max_length=16)] = Field(default=[])
    languages: Annotated[list[Language], Field(max_length=32)] = Field(default=[])
    contacts: Annotated[list[Contact], Field(max_length=64)] = Field(default=[])

    def identity_key(self) -> VerifierKey:
        """The identity; `check_card` has seen that it is one."""
        return VerifierKey.of_text(self.identity)


class KnownIdentity(Value):
    """A party, and the identity whose words were compared.

    Attributes
    ----------
    party
        Its name in the record.
    identity
        The vkey.
    """

    party: PartyName
    identity: _Vkey


class LineFoundedBody(Body):
    """A party begins a line, on which it is the first.

    Attributes
    ----------
    line
        The name of the line in the record, which is the leaf's too.
    name
        What the line is called.
    founder
        The party's card.
    """

    TYPE: ClassVar[EntryType] = EntryType.LINE_FOUNDED

    line: PartyName
    name: Line
    founder: PartyCard

    def check(self) -> None:
        """Check that the card is one."""
        _raise(_card_faults(self.founder, "founder"))


class MemberInvitedBody(Body):
    """A member says that another party is on the line, or may be.

    Attributes
    ----------
    party
        Whom.
    identity
        The vkey of its identity.
    joined
        The entry by which that party says that it joins.
    words_compared
        Whether people of this member compared the words of that identity. Only then does it bring the party in.
    start
        From which entry on this log is given to the new member; left out, it is given from the beginning.
    """

    TYPE: ClassVar[EntryType] = EntryType.MEMBER_INVITED

    party: PartyName
    identity: _Vkey
    joined: EntryRefValue
    words_compared: bool
    start: Annotated[int, Field(ge=0, le=MOST_INTEGER)] | None = None

    def check(self) -> None:
        """Check that identity and entry are the party's."""
        faults = _identity_faults(self.identity, self.party, "identity")
        _raise(faults + _origin_faults(self.joined.origin, self.party, "joined.origin"))


class MemberJoinedBody(Body):
    """A party joins a line, or, being on it, gives a new card.

    Attributes
    ----------
    root
        The entry by which the line was founded.
    card
        The party's card.
    inviter
        By whom it was invited, after it compared the words of that identity; left out where only the card is new.
    """

    TYPE: ClassVar[EntryType] = EntryType.MEMBER_JOINED

    root: EntryRefValue
    card: PartyCard
    inviter: KnownIdentity | None = None

    def check(self) -> None:
        """Check card and inviter."""
        faults = _card_faults(self.card, "card")
        if self.inviter is not None:
            faults += _identity_faults(self.inviter.identity, self.inviter.party, "inviter.identity")
            if self.inviter.party == self.card.party:
                faults.append(Fault("nobody invites itself", "the party that sent the invitation", field="inviter"))
        _raise(faults)


class MemberLeftBody(Body):
    """A party leaves the line.

    Attributes
    ----------
    root
        The entry by which the line was founded.
    reason
        Why.
    """

    TYPE: ClassVar[EntryType] = EntryType.MEMBER_LEFT

    root: EntryRefValue
    reason: Text | None = None


class MemberRemovedBody(Body):
    """A member says that another is to be on the line no longer, which is so once all others have said just this.

    Attributes
    ----------
    root
        The entry by which the line was founded.
    party
        Whom.
    identity
        The vkey of its identity.
    log, until
        Its log, and how many entries of it count still: all that was held when the first member said it.
    reason
        Why.
    """

    TYPE: ClassVar[EntryType] = EntryType.MEMBER_REMOVED

    root: EntryRefValue
    party: PartyName
    identity: _Vkey
    log: Origin
    until: Annotated[int, Field(ge=1, le=MOST_INTEGER)]
    reason: Text | None = None

    def check(self) -> None:
        """Check that identity and log are the party's."""
        faults = _identity_faults(self.identity, self.party, "identity")
        _raise(faults + _origin_faults(self.log, self.party, "log"))


def check_card(card: PartyCard) -> None:
    """Check that identity and certificates name the party. Whether the identity signed them is for a key ring to say.

    Raises
    ------
    InputError
        With all faults.
    """
    _raise(_card_faults(card, ""))


def _card_faults(card: PartyCard, path: str) -> list[Fault]:
    before = f"{path}." if path else ""
    faults = _identity_faults(card.identity, card.party, f"{before}identity")
    for number, note in enumerate(card.certificates):
        field = f"{before}certificates[{number}]"
        try:
            statement, _ = read_statement(note.encode("utf-8", "surrogatepass"))
        except KeepclearError as error:
            faults.append(Fault(f"not a certificate: {error}", field=field))
            continue
        if not isinstance(statement, Certificate) or statement.party != card.party:
            faults.append(Fault(f"not a certificate for a key of {card.party}", field=field))
    return faults


def _identity_faults(text: str, party: str, field: str) -> list[Fault]:
    right = f"the vkey of {party}/identity, as its party shows it"
    try:
        key = VerifierKey.of_text(text)
    except KeepclearError as error:
        return [Fault(str(error), right, field=field)]
    name = KeyName.of_text(key.name)
    if name != KeyName(party, Purpose.IDENTITY) or key.kind is not SignatureKind.ED25519:
        return [Fault(f"the key {key.name} is not the identity of {party}", right, field=field)]
    return []


def _origin_faults(origin: str, party: str, field: str) -> list[Fault]:
    if origin.partition("/")[0] == party:
        return []
    return [Fault(f"not a log of {party}", f"{party}/LINE/log", field=field, value=origin)]


def _raise(faults: list[Fault]) -> None:
    if faults:
        raise InputError(faults)
