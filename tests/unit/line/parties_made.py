"""Parties with keys and logs, made for tests: what they say is said as a node would say it."""

from __future__ import annotations

from dataclasses import dataclass, field

from keepclear.line.membership import Membership, membership
from keepclear.line.party_words import LineLog
from keepclear.record.bodies.base import Body
from keepclear.record.bodies.members import (
    LineFoundedBody,
    MemberInvitedBody,
    MemberJoinedBody,
    MemberLeftBody,
    MemberRemovedBody,
    PartyCard,
)
from keepclear.record.bodies.references import EntryRefValue
from keepclear.record.certificates import Certificate, sign_statement
from keepclear.record.entries import Entry, EntryRef
from keepclear.record.keys import SignatureKind, SigningKey, VerifierKey
from keepclear.record.names import KeyName, Purpose

LINE = "border"
_KINDS = {Purpose.MIRROR: SignatureKind.COSIGNATURE}


def signing_key(party: str, purpose: Purpose, seed: int = 1, *, line: str | None = LINE, begun: int = 1) -> SigningKey:
    name = KeyName(party, purpose, line if purpose.of_line else None, begun)
    secret = f"{name.text} {seed}".encode().ljust(32, b".")[:32]
    return SigningKey.of_seed(name.text, _KINDS.get(purpose, SignatureKind.ED25519), secret)


@dataclass
class MadeParty:
    """A party with an identity, a log and what it said; `seed` makes another one of the same name."""

    name: str
    seed: int = 1
    begun: int = 1
    before: MadeParty | None = None
    entries: list[Entry] = field(default_factory=list)

    @property
    def identity(self) -> SigningKey:
        return signing_key(self.name, Purpose.IDENTITY, self.seed)

    @property
    def log_key(self) -> SigningKey:
        return signing_key(self.name, Purpose.LOG, self.seed, begun=self.begun)

    @property
    def transport(self) -> SigningKey:
        return signing_key(self.name, Purpose.TRANSPORT, self.seed)

    def certificate(self, key: VerifierKey, *, supersedes: VerifierKey | None = None) -> str:
        name = KeyName.of_text(key.name)
        assert name is not None
        statement = Certificate(self.name, name.purpose, name.line, key, 100, supersedes)
        return sign_statement(statement, self.identity).decode()

    def card(self, **others) -> PartyCard:
        mirror = signing_key(self.name, Purpose.MIRROR, self.seed).verifier
        log = signing_key(self.name, Purpose.LOG, self.seed).verifier
        members = {
            "party": self.name,
            "name": f"The party {self.name}",
            "identity": self.identity.verifier.text,
            "certificates": [self.certificate(key) for key in (log, mirror, self.transport.verifier)],
            "addresses": [f"https://{self.name}.example:8443"],
        }
        return PartyCard(**(members | others))

    def say(self, body: Body, *, exercise: bool = False, time_s: float = 1000.0) -> EntryRef:
        entry = Entry.said(
            body.TYPE, body.VERSION, line=LINE, party=self.name, time_s=time_s, recipients=[], exercise=exercise,
            body=body.to_bytes(), salt=len(self.entries).to_bytes(32, "big"),
        )  # fmt: skip
        self.entries.append(entry)
        return EntryRef(self.log_key.verifier.name, len(self.entries) - 1, entry.leaf.hash)

    def found(self) -> EntryRef:
        return self.say(LineFoundedBody(line=LINE, name="north-east", founder=self.card()))

    def join(self, root: EntryRef, inviter: MadeParty | None, **others) -> EntryRef:
        known = None if inviter is None else {"party": inviter.name, "identity": inviter.identity.verifier.text}
        return self.say(MemberJoinedBody(root=EntryRefValue.of(root), card=self.card(**others), inviter=known))

    def invite(
        self, other: MadeParty, joined: EntryRef, *, compared: bool = True, start: int | None = None
    ) -> EntryRef:
        body = MemberInvitedBody(
            party=other.name, identity=other.identity.verifier.text, joined=EntryRefValue.of(joined),
            words_compared=compared, start=start,
        )  # fmt: skip
        return self.say(body)

    def bring_in(self, other: MadeParty, root: EntryRef) -> EntryRef:
        joined = other.join(root, self)
        self.invite(other, joined)
        return joined

    def leave(self, root: EntryRef) -> EntryRef:
        return self.say(MemberLeftBody(root=EntryRefValue.of(root)))

    def remove(self, other: MadeParty, root: EntryRef, *, until: int | None = None) -> EntryRef:
        body = MemberRemovedBody(
            root=EntryRefValue.of(root), party=other.name, identity=other.identity.verifier.text,
            log=other.log_key.verifier.name, until=len(other.entries) if until is None else until,
        )  # fmt: skip
        return self.say(body)

    def log(self, *, size: int | None = None) -> LineLog:
        held = len(self.entries) if size is None else size
        return LineLog(self.log_key.verifier, held, dict(enumerate(self.entries[:held])))


def on_line(root: EntryRef, *parties: MadeParty) -> Membership:
    return membership(root, [party.log() for party in parties if party.entries])


def members(root: EntryRef, *parties: MadeParty) -> list[str]:
    return sorted(on_line(root, *parties).members)
