"""What this node has on file of the parties of a line beyond what their logs gave it, and whom it follows from that.

Who is on a line, the logs say. Before they can, somebody must be asked for them: the inviter whose words were compared,
the party that answered our invitation, and those whom a member says it invited. Their cards are kept here; so are
bodies of membership entries that were said before we came (`keepclear.node.membership_bodies`). Nothing of this makes
anybody a member.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from keepclear.errors import InputError, IntegrityError, KeepclearError
from keepclear.line.cards import CardKeys, keys_of_card
from keepclear.line.party_words import card_of
from keepclear.node.bell import Bell
from keepclear.node.membership_bodies import Item, read_items, write_items
from keepclear.node.membership_reading import MembershipReader
from keepclear.node.records import Records
from keepclear.record.bodies.base import Body
from keepclear.record.bodies.members import MemberInvitedBody, PartyCard
from keepclear.record.bodies.registry import body_of
from keepclear.record.entries import Entry, EntryRef
from keepclear.record.names import KeyName
from keepclear.store.mirror import Mirror
from keepclear.store.node.bodies_on_file import drop_entries, entries_on_file, origins_on_file, put_entry
from keepclear.store.node.cards import CardSource, cards_on_file, put_card
from keepclear.store.node.database import NodeDatabase

__all__ = ["CardsOnFile", "PeerCard"]


@dataclass(frozen=True, slots=True)
class PeerCard:
    """A party with whom there is something to exchange on a line.

    Attributes
    ----------
    party, card, keys
        Who, what it says of itself, and its keys.
    kind
        ``member``; ``inviter``, through whom we are joining; ``asking``, of which nothing is known but that it asks.
    """

    party: str
    card: PartyCard = field(repr=False)
    keys: CardKeys = field(repr=False)
    kind: str

    @property
    def member(self) -> bool:
        """Whether it is given our log; who only asks to join may give us its own."""
        return self.kind != "asking"


class CardsOnFile:
    """The cards and bodies on file. Any thread may use it.

    Parameters
    ----------
    records
        Our logs, and the copies of the others'.
    database
        Where cards and bodies are kept.
    reader
        Says who is on a line.
    bell
        Rung "line" where there is something new.
    clock
        Tells the time.
    """

    def __init__(
        self,
        records: Records,
        database: NodeDatabase,
        reader: MembershipReader,
        bell: Bell,
        clock: Callable[[], float],
    ) -> None:
        self._records, self._database, self._reader = records, database, reader
        self._bell, self._clock = bell, clock

    def peers(self, line: str) -> tuple[PeerCard, ...]:
        """All others with whom there is something to exchange, by party."""
        found: dict[str, PeerCard] = {}
        members = self._members(line)
        with self._database.reading() as conn:
            held = cards_on_file(conn, line)
        for one in held:
            kind = "inviter" if one.source is CardSource.INVITATION and not members else "asking"
            self._add(found, one.card, line, kind)
        for card in members.values():
            self._add(found, card, line, "member")
        found.pop(self._records.party, None)
        return tuple(found[party] for party in sorted(found))

    def put(self, line: str, card: PartyCard, *, source: CardSource) -> None:
        """Put a card on file."""
        with self._database.writing() as conn:
            changed = put_card(conn, line, card, source=source, at_s=self._clock())
        if changed:
            self._bell.ring("line")

    def entries(self, origin: str) -> Mapping[int, tuple[Entry, ...]]:
        """Entries with bodies of a log that is not mirrored that far yet; nothing proves that they stand there."""
        with self._database.reading() as conn:
            return entries_on_file(conn, origin)

    def wanted(self, line: str) -> bool:
        """Whether something is lacking to know who is on a line, that another may have."""
        for origin in self._records.origins(line):
            for item in self._reader.items(origin):
                if item.entry.body is None:
                    return True
                body = _body(item.entry)
                if isinstance(body, MemberInvitedBody) and body.party != self._records.party:
                    joined = body.joined.ref()
                    if self._size(joined.origin) <= joined.index and not self._on_file(joined):
                        return True
        return False

    def give(self, line: str) -> bytes:
        """What we know of who is on a line, for another member of it; as much as may be sent.

        What is proved comes first: the rest anybody may have made up.
        """
        items = [item for origin in self._records.origins(line) for item in self._reader.items(origin)]
        with self._database.reading() as conn:
            for origin in origins_on_file(conn, line):
                for index, entries in entries_on_file(conn, origin).items():
                    items += [Item(EntryRef(origin, index, entry.leaf.hash), entry) for entry in entries]
        return write_items((item for item in items if item.entry.body is not None), cut=True)

    def take(self, line: str, data: bytes, *, giver: str = "") -> int:
        """Take in what another knows of who is on a line; how much of it was new.

        Parameters
        ----------
        giver
            Which party gave it: what cannot be proved yet takes up the room of that party, and of no other.

        Raises
        ------
        PeerError
            If it is malformed; then nothing is kept.
        """
        items = list(read_items(line, data))
        own = [item for item in items if item.ref.origin.partition("/")[0] != self._records.party]
        new = 0
        by_origin: dict[str, list[Item]] = {}
        for item in own:
            by_origin.setdefault(item.ref.origin, []).append(item)
        for origin, found in by_origin.items():
            size = self._size(origin)
            if size:
                new += self._bring_in(origin, [(one.ref.index, one.entry) for one in found if one.ref.index < size])
            ahead = [one for one in found if one.ref.index >= size]
            if ahead:
                with self._database.writing() as conn:
                    new += sum(put_entry(conn, origin, one.ref.index, one.entry, giver=giver) for one in ahead)
        if new:
            self.settle(line)
            self._bell.ring("line")
        return new

    def settle(self, line: str) -> None:
        """Move bodies on file into the copies that have their leaves by now, and file cards of those invited."""
        with self._database.reading() as conn:
            origins = origins_on_file(conn, line)
        for origin in origins:
            size = self._size(origin)
            found = [(index, one) for index, some in self.entries(origin).items() if index < size for one in some]
            if found:
                self._bring_in(origin, found)
                with self._database.writing() as conn:
                    drop_entries(conn, origin, before=size)
        for card in self._invited(line):
            self.put(line, card, source=CardSource.MEMBER)

    def _bring_in(self, origin: str, found: Iterable[tuple[int, Entry]]) -> int:
        """Put bodies into a copy, those that its leaves prove and that it lacks; how many."""
        with self._records.reading(origin) as log:
            if not isinstance(log, Mirror):
                return 0
            lacking = {
                index: entry
                for index, entry in found
                if log.leaf(index) == entry.leaf.to_bytes() and log.entry(index).body is None
            }
        if lacking:
            self._records.put_bodies(origin, lacking)
        return len(lacking)

    def _invited(self, line: str) -> Iterator[PartyCard]:
        """Cards of those whom a member has invited, each from the entry that was named."""
        members = self._members(line)
        for origin in self._records.origins(line):
            party = origin.partition("/")[0]
            if party not in members or party == self._records.party:
                continue
            for item in self._reader.items(origin):
                body = _body(item.entry)
                if isinstance(body, MemberInvitedBody) and body.party not in {*members, self._records.party}:
                    card = self._card_in(body.joined.ref())
                    if card is not None and card.identity == body.identity:
                        yield card

    def _card_in(self, ref: EntryRef) -> PartyCard | None:
        if ref.index < self._size(ref.origin):
            held: tuple[Entry, ...] = (self._records.entry(ref.origin, ref.index),)
        else:
            held = self.entries(ref.origin).get(ref.index, ())
        for entry in held:
            body = _body(entry) if entry.leaf.hash == ref.leaf_hash else None
            if body is not None:
                return card_of(body)
        return None

    def _on_file(self, ref: EntryRef) -> bool:
        return any(entry.leaf.hash == ref.leaf_hash for entry in self.entries(ref.origin).get(ref.index, ()))

    def _members(self, line: str) -> dict[str, PartyCard]:
        found = self._reader.of(line)
        return {} if found is None else {party: member.card for party, member in found.members.items()}

    def _size(self, origin: str) -> int:
        name = KeyName.of_text(origin)
        if name is None or name.line is None or origin not in self._records.origins(name.line):
            return 0
        return self._records.size(origin)

    def _add(self, found: dict[str, PeerCard], card: PartyCard, line: str, kind: str) -> None:
        try:
            keys = keys_of_card(card, line)
        except (InputError, IntegrityError):
            return  # a card that does not hold is nobody's
        found[card.party] = PeerCard(card.party, card, keys, kind)


def _body(entry: Entry) -> Body | None:
    try:
        return body_of(entry)
    except KeepclearError:
        return None
