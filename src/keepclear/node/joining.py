"""Coming onto a line, at the side of the party that was invited.

A person compares the words of the inviter's identity; then we begin our log, say in it that we join, and answer. The
answer is kept and sent until the inviter's node has it, so nothing is lost if it is away.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from keepclear.errors import Fault, InputError, KeepclearError
from keepclear.line.acceptances import accept, compare, join
from keepclear.line.invitations import Invitation, read_invitation
from keepclear.line.standing import Standing
from keepclear.node.actors import Actor
from keepclear.node.line_desk import LineDesk
from keepclear.node.refusals import ClashError
from keepclear.node.roles import Scope
from keepclear.record.bodies.members import MemberJoinedBody
from keepclear.record.entries import EntryRef
from keepclear.record.entry_types import EntryType
from keepclear.store.node.cards import CardSource
from keepclear.store.node.lines import Joining as KeptJoining
from keepclear.store.node.lines import KnownLine, add_line, joining_of, note_sent, put_joining

__all__ = ["InvitationView", "Joined", "Joining"]


@dataclass(frozen=True, slots=True)
class InvitationView:
    """What an invitation says; not the words of the inviter's identity, which somebody must hear.

    Attributes
    ----------
    line, name
        The line's name in the record, and what it is called.
    party, party_name, addresses
        Who invites, as the file says: nothing proves it before the words are compared.
    expires_s
        Until when it can be answered.
    """

    line: str
    name: str
    party: str
    party_name: str
    addresses: tuple[str, ...]
    expires_s: float


@dataclass(frozen=True, slots=True)
class Joined:
    """That we have said we join a line.

    Attributes
    ----------
    line, inviter
        Which, and through whom.
    acceptance
        The answer as a file, which the inviter's node must have; it is sent there if that has an address.
    addresses
        Where to.
    """

    line: str
    inviter: str
    acceptance: bytes = field(repr=False)
    addresses: tuple[str, ...]


class Joining(LineDesk):
    """The invited party's part of `keepclear.node.lines.Lines`."""

    def look(self, data: bytes) -> InvitationView:
        """What an invitation says.

        Raises
        ------
        InputError
            If it is none that can be read.
        """
        found = _read(data)
        card = found.card
        return InvitationView(found.line, found.name, card.party, card.name, tuple(card.addresses), found.expires_s)

    def join(self, data: bytes, heard: str, *, by: Actor) -> Joined:
        """Answer an invitation, once a person has heard the words of the inviter's identity. Done twice, it goes on.

        Parameters
        ----------
        heard
            The twelve words, as somebody who is known read them over a telephone.

        Raises
        ------
        InputError
            If the words are not the inviter's, the invitation cannot be read or has expired, or it is our own.
        ClashError
            If we are on another line of that name.
        """
        by.must(Scope.LINES)
        invitation = _read(data)
        if invitation.card.party == self.party:
            raise InputError(Fault("the invitation is your own", "give it to the party that you invite"))
        compared = compare(heard, invitation.card.identity_key())
        invitation.check_time(self.clock())
        self._must_be_free(invitation)
        line = invitation.line
        if line not in self.records.lines():
            self.records.begin(line, recipients=[invitation.card.party])
        card = self.card(line)
        body = join(invitation, compared, card=card, now_s=self.clock())
        self.note_compared(compared.identity, by)
        with self.database.writing() as conn:
            add_line(conn, KnownLine(line, invitation.name, invitation.root), at_s=self.clock())
        self.cards.put(line, invitation.card, source=CardSource.INVITATION)
        ref = self._said_before(line, body) or self.said(line, body, also=(invitation.card.party,))[0]
        acceptance = accept(invitation, card=card, joined=ref, key=self.records.transport_key())
        self._keep(invitation, acceptance, by)
        return Joined(line, invitation.card.party, acceptance, tuple(invitation.card.addresses))

    def acceptance_to_send(self, line: str) -> tuple[tuple[str, ...], bytes] | None:
        """Our answer to an invitation, and where it goes; None if the inviter's node has it, or it is too late."""
        with self.database.reading() as conn:
            held = joining_of(conn, line)
        if held is None or held.sent_s is not None or self.is_member(line):
            return None
        addresses = [peer.card.addresses for peer in self.cards.peers(line) if peer.party == held.inviter]
        return tuple(addresses[0]) if addresses else (), held.acceptance

    def acceptance_sent(self, line: str) -> None:
        """Note that the inviter's node took it."""
        with self.database.writing() as conn:
            note_sent(conn, line, at_s=self.clock())

    def acceptance_has_come(self, line: str) -> bool:
        """Whether the inviter's node has taken our answer."""
        with self.database.reading() as conn:
            held = joining_of(conn, line)
        return held is not None and held.sent_s is not None

    def _keep(self, invitation: Invitation, acceptance: bytes, by: Actor) -> None:
        line, inviter = invitation.line, invitation.card.party
        joining = KeptJoining(line, inviter, invitation.card.identity, acceptance, invitation.expires_s, None)
        with self.database.writing() as conn:
            held = joining_of(conn, line)
            if held is None or held.acceptance != acceptance:
                put_joining(conn, joining)
            self.acts.record(conn, by, "line join", ref=line, detail={"inviter": inviter})
        self.tell(line, "joining", party=inviter)

    def _must_be_free(self, invitation: Invitation) -> None:
        known = next((one for one in self.all() if one.line == invitation.line), None)
        if known is not None and known.root != invitation.root:
            problem = f"{self.party} has another line called {invitation.line}"
            raise ClashError(Fault(problem, "ask for a line of another name", field="line", value=invitation.line))
        if known is not None and self.is_member(invitation.line):
            raise ClashError(Fault(f"{self.party} is on this line already", field="line", value=invitation.line))

    def _said_before(self, line: str, body: MemberJoinedBody) -> EntryRef | None:
        """Where we have just said this; who left or was removed since says it anew."""
        found = self.reader.of(line)
        standing = None if found is None else found.standings.get((self.party, self.folder.identity))
        if standing in {Standing.LEFT, Standing.REMOVED}:
            return None
        items = self.reader.items(self.records.own_origin(line))
        said = [item for item in items if item.entry.leaf.type == EntryType.MEMBER_JOINED]
        return said[-1].ref if said and said[-1].entry.body == body.to_bytes() else None


def _read(data: bytes) -> Invitation:
    try:
        return read_invitation(data)
    except KeepclearError as error:
        problem = f"not an invitation that holds: {error}"
        raise InputError(Fault(problem, "the file that the inviting party wrote, as it is")) from None
