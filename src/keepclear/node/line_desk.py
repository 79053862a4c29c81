"""What all that is done about lines needs: our place on one, whom entries about it go to, and how they are said."""

from __future__ import annotations

from collections.abc import Callable

from keepclear.errors import Fault, InputError
from keepclear.line.membership import Membership
from keepclear.node.actors import Actor
from keepclear.node.acts import Acts
from keepclear.node.bell import Bell
from keepclear.node.cards_on_file import CardsOnFile
from keepclear.node.folder import NodeFolder
from keepclear.node.membership_reading import MembershipReader
from keepclear.node.own_card import own_card
from keepclear.node.own_log import Outgoing
from keepclear.node.records import Records
from keepclear.node.refusals import NotFoundError
from keepclear.record.bodies.base import Body
from keepclear.record.bodies.members import PartyCard
from keepclear.record.entries import EntryRef
from keepclear.record.keys import VerifierKey
from keepclear.store.key_statements import trust
from keepclear.store.node.compared import note_compared
from keepclear.store.node.database import NodeDatabase
from keepclear.store.node.events import say as say_event
from keepclear.store.node.lines import KnownLine, line_of, lines_of

__all__ = ["LineDesk"]


class LineDesk:
    """The base of `keepclear.node.lines.Lines`.

    Parameters
    ----------
    folder, records, database, acts, bell, clock
        Those of the node.
    reader
        Says who is on a line.
    cards
        The cards on file.
    """

    def __init__(
        self,
        folder: NodeFolder,
        records: Records,
        database: NodeDatabase,
        reader: MembershipReader,
        cards: CardsOnFile,
        acts: Acts,
        bell: Bell,
        clock: Callable[[], float],
    ) -> None:
        self.folder, self.records, self.database = folder, records, database
        self.reader, self.cards, self.acts = reader, cards, acts
        self.bell, self.clock = bell, clock

    @property
    def party(self) -> str:
        """Who we are."""
        return self.records.party

    def all(self) -> tuple[KnownLine, ...]:
        """The lines that we are on, have left, or asked to join."""
        with self.database.reading() as conn:
            return lines_of(conn)

    def known(self, line: str) -> KnownLine:
        """A line of ours.

        Raises
        ------
        NotFoundError
            If there is none of that name.
        """
        with self.database.reading() as conn:
            found = line_of(conn, line)
        if found is None:
            told = ", ".join(one.line for one in self.all()) or "none yet: keepclear line new, or keepclear line join"
            raise NotFoundError("line", field="line", value=line, right=f"one of: {told}")
        return found

    def members(self, line: str) -> Membership:
        """Who is on a line, as the logs that are held say.

        Raises
        ------
        NotFoundError
            If there is no such line.
        """
        self.known(line)
        found = self.reader.of(line)
        assert found is not None
        return found

    def is_member(self, line: str) -> bool:
        """Whether we are on a line, as far as the logs say that are held here."""
        found = self.reader.of(line)
        return found is not None and self.party in found.members

    def others(self, line: str) -> tuple[str, ...]:
        """To whom an entry about the line is addressed: its members, and those through whom we join."""
        return tuple(peer.party for peer in self.cards.peers(line) if peer.member)

    def card(self, line: str) -> PartyCard:
        """Our own card on a line, as it is now."""
        return own_card(self.folder, self.records, line)

    def said(self, line: str, *bodies: Body, also: tuple[str, ...] = ()) -> tuple[EntryRef, ...]:
        """Say something about the line to all on it, and to some besides."""
        recipients = tuple(sorted({*self.others(line), *also} - {self.party}))
        refs = self.records.say(line, [Outgoing(body, recipients) for body in bodies])
        self.bell.ring("line")
        return refs

    def note_compared(self, identity: VerifierKey, by: Actor) -> None:
        """Note that people of ours compared the words of an identity."""
        trust(self.records.store, identity)  # for `keepclear audit` and `verify`, which know the logs alone
        with self.database.writing() as conn:
            note_compared(conn, identity, user=by.user, at_s=self.clock())
            self.acts.record(conn, by, "line compare", ref=identity.name, detail={"identity": identity.text})

    def tell(self, line: str, what: str, **more: str) -> None:
        """Note an event about who is on a line."""
        with self.database.writing() as conn:
            say_event(conn, "member", {"what": what, **more}, at_s=self.clock(), line=line)
        self.bell.ring("event", "line")

    def must_be_member(self, line: str) -> None:
        """Go no further where we are not on the line.

        Raises
        ------
        InputError
            If we are not, or cannot tell yet.
        """
        self.known(line)
        if not self.is_member(line):
            problem = f"{self.party} is not on this line, as far as the logs say that are held here"
            raise InputError(Fault(problem, "join it first, and wait until you are admitted", field="line", value=line))
