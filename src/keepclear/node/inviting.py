"""Bringing a party onto a line, at the side of the member that invites it.

An invitation is written and given away; an answer comes, over the network or as a file; a person compares the words of
the identity that answered; then we say in our log that the party is on the line. What an invitation may become is the
table of `keepclear.line.invitations`.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from keepclear.errors import Fault, InputError, IntegrityError, PeerError
from keepclear.line.acceptances import Acceptance, admit, compare, read_acceptance
from keepclear.line.invitations import (
    SECRET_BYTES,
    Invitation,
    InvitationEvent,
    InvitationState,
    read_invitation,
    sign_invitation,
)
from keepclear.node.actors import Actor
from keepclear.node.line_desk import LineDesk
from keepclear.node.refusals import NotFoundError
from keepclear.node.roles import Scope
from keepclear.record.entries import EntryRef
from keepclear.record.names import check_name
from keepclear.store.node.cards import CardSource
from keepclear.store.node.invitations import (
    WrittenInvitation,
    add_invitation,
    invitation_of,
    invitations_of,
    move_invitation,
)

__all__ = ["VALID_S", "Answered", "Invited", "Inviting"]

VALID_S = 7 * 86_400.0
"""How long an invitation can be answered, unless something else is said."""
_LEAST_VALID_S, _MOST_VALID_S = 60.0, 366 * 86_400.0


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation that was written.

    Attributes
    ----------
    id
        Its number here.
    data
        The file, for the invited party and nobody else.
    expires_s
        Until when it can be answered.
    """

    id: int
    data: bytes = field(repr=False)
    expires_s: float


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer to an invitation, which waits for somebody to compare the words of who answered.

    Attributes
    ----------
    id
        The invitation's number.
    party, party_name, addresses
        Who answered, as it says itself: nothing proves it before the words are compared.
    came_s
        When.
    """

    id: int
    party: str
    party_name: str
    addresses: tuple[str, ...]
    came_s: float


class Inviting(LineDesk):
    """The inviter's part of `keepclear.node.lines.Lines`."""

    def invite(self, line: str, *, valid_s: float = VALID_S, by: Actor) -> Invited:
        """Write an invitation onto a line, for one party.

        Raises
        ------
        InputError
            If we are not on the line, or `valid_s` is not from a minute to a year.
        """
        by.must(Scope.LINES)
        self.must_be_member(line)
        if not _LEAST_VALID_S <= valid_s <= _MOST_VALID_S:
            raise InputError(Fault("not how long an invitation is good", "60 s to 366 days", field="valid_s"))
        known, now_s = self.known(line), self.clock()
        invitation = Invitation(
            known.root, line, known.name, self.card(line), now_s + valid_s, secrets.token_bytes(SECRET_BYTES)
        )
        data = sign_invitation(invitation, self.records.transport_key())
        with self.database.writing() as conn:
            number = add_invitation(conn, line=line, data=data, made_s=now_s, expires_s=invitation.expires_s)
            self.acts.record(conn, by, "line invite", ref=line, detail={"invitation": number})
        return Invited(number, data, invitation.expires_s)

    def invitations(self, line: str) -> tuple[WrittenInvitation, ...]:
        """The invitations that we wrote onto a line, and what came of each, the oldest first."""
        self.known(line)
        self._expire(line)
        with self.database.reading() as conn:
            return invitations_of(conn, line)

    def withdraw(self, number: int, *, by: Actor) -> None:
        """Take an invitation back; it can be answered no more.

        Raises
        ------
        InputError
            If there is none of that number, or it has been used.
        """
        by.must(Scope.LINES)
        with self.database.writing() as conn:
            if invitation_of(conn, number) is None:
                raise NotFoundError("invitation", field="id", value=str(number))
            move_invitation(conn, number, InvitationEvent.WITHDRAW)
            self.acts.record(conn, by, "line withdraw", ref=str(number))

    def take_acceptance(self, data: bytes) -> Answered:
        """Take in the answer to one of our invitations, over the network or from a file; the same again is fine.

        Nothing follows from it but that the party can be asked for its log. Whose it is, only the words say.

        Raises
        ------
        PeerError
            If it is malformed, or answers no invitation of ours that is open.
        InputError
            If the invitation has expired, or was answered by somebody else.
        """
        found, acceptance = self._answers(data)
        same = found.acceptance == data
        event = InvitationEvent.SAME_ACCEPTANCE if same else InvitationEvent.ACCEPTANCE
        now_s = self.clock()
        with self.database.writing() as conn:
            party = acceptance.card.party
            move_invitation(conn, found.id, event, acceptance=data, party=party, at_s=now_s)
        if not same:
            self.cards.put(found.line, acceptance.card, source=CardSource.ACCEPTANCE)
            self.tell(found.line, "asks", party=party)
        came_s = found.came_s if same and found.came_s is not None else now_s
        return _answered(found.id, acceptance, came_s)

    def acceptances(self, line: str) -> tuple[Answered, ...]:
        """The answers on a line that wait for the words to be compared."""
        self.known(line)
        with self.database.reading() as conn:
            held = invitations_of(conn, line, InvitationState.ANSWERED, InvitationState.COMPARED)
        return tuple(_answered(one.id, self._acceptance(one), one.came_s or one.made_s) for one in held)

    def admit(self, line: str, party: str, heard: str, *, start: int | None = None, by: Actor) -> EntryRef:
        """Say that a party is on the line, once a person has heard the words of its identity.

        Parameters
        ----------
        heard
            The twelve words, as somebody who is known read them over a telephone.
        start
            From which entry on our log is given to it: 0 or None, from the beginning. Nothing else is done yet.

        Returns
        -------
        EntryRef
            The entry of our log that says so.

        Raises
        ------
        InputError
            If it has not answered, or the words are not those of the identity that did. If those are whole words of
            some other identity, somebody else had the invitation, and it is withdrawn. Also if a start is wanted: who
            has only the end of a log can prove neither that it is one, nor who was on the line.
        """
        by.must(Scope.LINES)
        if start:
            problem = "a log is given to a new member whole: what was said before was not addressed to it, and it has"
            right = "leave it out; what it cannot read now it will never be able to read"
            raise InputError(Fault(f"{problem} nothing of that but the leaves", right, field="start", value=str(start)))
        check_name(party, field="party")
        self.must_be_member(line)
        found = self._waiting(line, party)
        acceptance = self._acceptance(found)
        try:
            compared = compare(heard, acceptance.card.identity_key())
        except InputError as error:
            if _is_another_key(error) and found.state is InvitationState.ANSWERED:
                self._move(found.id, InvitationEvent.OTHER_WORDS, by, "line refuse")
                right = "the invitation is withdrawn; write a new one, and find out who had this one"
                raise InputError([*error.faults, Fault("somebody else answered the invitation", right)]) from None
            raise
        self.note_compared(compared.identity, by)
        if found.state is InvitationState.ANSWERED:
            self._move(found.id, InvitationEvent.WORDS, by, "line admit")
        (ref,) = self.said(line, admit(acceptance, compared), also=(party,))
        with self.database.writing() as conn:
            move_invitation(conn, found.id, InvitationEvent.ADMITTED)
        self.tell(line, "admitted", party=party)
        return ref

    def _answers(self, data: bytes) -> tuple[WrittenInvitation, Acceptance]:
        """The invitation that an acceptance answers: the one whose secret made its tag."""
        last: PeerError | IntegrityError | None = None
        for known in self.all():
            self._expire(known.line)
            with self.database.reading() as conn:
                written = invitations_of(conn, known.line)
            for one in reversed(written):
                invitation = read_invitation(one.data)
                try:
                    found = read_acceptance(data, invitation, now_s=one.made_s)
                except (PeerError, IntegrityError) as error:
                    last = error
                    continue
                if one.acceptance is None:
                    invitation.check_time(self.clock())
                return one, found
        raise last or PeerError("this answers no invitation of ours")

    def _waiting(self, line: str, party: str) -> WrittenInvitation:
        with self.database.reading() as conn:
            held = invitations_of(conn, line, InvitationState.ANSWERED, InvitationState.COMPARED)
        found = [one for one in held if one.party == party]
        if not found:
            waiting = ", ".join(one.party or "" for one in held) or "nobody"
            problem = f"{party} has not answered an invitation onto this line; {waiting} has"
            raise InputError(Fault(problem, "keepclear line join, at their side, first", field="party", value=party))
        return found[-1]

    def _acceptance(self, one: WrittenInvitation) -> Acceptance:
        assert one.acceptance is not None
        return read_acceptance(one.acceptance, read_invitation(one.data), now_s=one.came_s or one.made_s)

    def _move(self, number: int, event: InvitationEvent, by: Actor, what: str) -> None:
        with self.database.writing() as conn:
            move_invitation(conn, number, event)
            self.acts.record(conn, by, what, ref=str(number))

    def _expire(self, line: str) -> None:
        now_s = self.clock()
        with self.database.reading() as conn:
            old = [one for one in invitations_of(conn, line, InvitationState.OPEN) if one.expires_s < now_s]
        if old:
            with self.database.writing() as conn:
                for one in old:
                    held = invitation_of(conn, one.id)
                    if held is not None and held.state is InvitationState.OPEN:
                        move_invitation(conn, one.id, InvitationEvent.EXPIRY)


def _answered(number: int, acceptance: Acceptance, came_s: float) -> Answered:
    card = acceptance.card
    return Answered(number, card.party, card.name, tuple(card.addresses), came_s)


def _is_another_key(error: InputError) -> bool:
    """Whether the words that were heard are whole words of some key: then no word was merely misheard."""
    return any("checksum of the words holds" in fault.problem for fault in error.faults)
