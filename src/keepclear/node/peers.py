"""Whom our node exchanges logs with, and by which keys it knows them.

Who is on a line follows from the logs, and from cards of those who are joining (`keepclear.node.cards_on_file`). Here
it is kept ready for each request that comes in. It is worked out anew when the bell rings "line", and when an entry has
come that says who is on a line, or the body of one: not with each filing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from keepclear.line.cards import CardKeys
from keepclear.line.membership import Membership
from keepclear.line.party_words import MEMBERSHIP_TYPES
from keepclear.node.bell import Bell
from keepclear.node.request_signatures import key_id_text
from keepclear.record.bodies.members import PartyCard
from keepclear.record.key_ring import KeyRing
from keepclear.record.keys import VerifierKey
from keepclear.record.names import KeyName, Purpose
from keepclear.store.log_store import BodyState

if TYPE_CHECKING:
    from keepclear.node.records import Records

__all__ = ["CardOnFile", "Cards", "Peer", "Peers"]


class CardOnFile(Protocol):
    """A party with whom there is something to exchange on a line."""

    @property
    def party(self) -> str:
        """Who."""

    @property
    def card(self) -> PartyCard:
        """What it says of itself."""

    @property
    def keys(self) -> CardKeys:
        """The keys of the card."""

    @property
    def kind(self) -> str:
        """``member``; ``inviter``, through whom we are joining; or ``asking``, of which our logs know no more."""


class Cards(Protocol):
    """Where the cards come from; `keepclear.node.cards_on_file` is one."""

    def peers(self, line: str) -> Iterable[CardOnFile]:
        """All on a line but ourselves."""

    def wanted(self, line: str) -> bool:
        """Whether something is lacking to know who is on the line."""

    def give(self, line: str) -> bytes:
        """What we know of it."""

    def take(self, line: str, data: bytes, *, giver: str = "") -> int:
        """What another knows of it; how much of it was new."""


@dataclass(frozen=True)
class Peer:
    """A party that our node talks to on a line.

    Attributes
    ----------
    line, party
        Where, and who.
    addresses
        Where its node is, the first to be tried first; none if it calls us.
    keys
        The newest of its keys.
    mirrors, transports
        All keys with which it cosigns, and signs requests; those that it has ended are left out.
    logs
        The keys of all its logs on the line.
    kind
        ``member``; ``inviter``; ``invited``, by a member, and its own word is not here yet; or ``asking``.
    """

    line: str
    party: str
    addresses: tuple[str, ...]
    keys: CardKeys = field(repr=False)
    mirrors: tuple[VerifierKey, ...] = field(repr=False)
    transports: tuple[VerifierKey, ...] = field(repr=False)
    logs: tuple[VerifierKey, ...] = field(repr=False)
    kind: str

    @property
    def member(self) -> bool:
        """Whether it is given our log. Who only asks to join may give us its own, and nothing else."""
        return self.kind != "asking"


class Peers:
    """The parties on our lines. Any thread may use it.

    Parameters
    ----------
    records
        Our logs, and the copies of theirs: what a peer's log lacks of a copy is begun here.
    cards
        Who they are.
    membership_of
        Who is on a line, as the logs say; None where it is not known how the line began.
    bell
        Rung "line" when something of this may have changed.
    """

    def __init__(
        self, records: Records, cards: Cards, bell: Bell, *, membership_of: Callable[[str], Membership | None]
    ) -> None:
        self._records, self._cards, self._membership_of = records, cards, membership_of
        self._guard = threading.Lock()
        self._looking = threading.RLock()
        self._known: dict[str, tuple[Peer, ...]] = {}
        self._by_key: Mapping[str, VerifierKey] = {}
        self._looked: dict[str, int] = {}
        self._bodiless: set[tuple[str, int]] = set()
        self._news = self._told = 0
        self._has_looked = False
        self._wanted: dict[str, tuple[int, bool]] = {}
        self._stale = True
        self._touched = True
        bell.listen(self._rung)

    @property
    def cards(self) -> Cards:
        """Where the cards come from."""
        return self._cards

    def lines(self) -> tuple[str, ...]:
        """The lines on which there is anybody."""
        return tuple(sorted(self._all()))

    def of(self, line: str) -> tuple[Peer, ...]:
        """All others on a line, those who ask to join too."""
        return self._all().get(line, ())

    def find(self, line: str, party: str) -> Peer | None:
        """One of them."""
        return next((peer for peer in self.of(line) if peer.party == party), None)

    def lines_with(self, party: str) -> tuple[str, ...]:
        """The lines that we share with a party."""
        return tuple(line for line in self.lines() if self.find(line, party) is not None)

    def key(self, key_id: str) -> VerifierKey | None:
        """The transport key of that id, if a peer has it now."""
        self._all()
        return self._by_key.get(key_id)

    def stopped(self, line: str, party: str) -> str:
        """Why nothing ordinary is exchanged with a party; empty if it is. FLASH is, always."""
        peer = self.find(line, party)
        forked = [key.name for key in (peer.logs if peer else ()) if self._records.forks(key.name)]
        if not forked:
            return ""
        return (
            f"the log {forked[0]} has forked: {party} signed two histories that cannot both be true. The evidence is "
            "kept; nothing but FLASH is exchanged with it until people have found out why"
        )

    def refreshed(self) -> bool:
        """Look again where something has come; whether there is news of who is on a line since this was asked last."""
        with self._looking:  # what another thread is finding out just now is news too
            self._all()
            before, self._told = self._told, self._news
        return self._told != before

    def cards_wanted(self, line: str) -> bool:
        """Whether something is lacking to know who is on a line; looked up once for all news."""
        self._all()
        news, wanted = self._wanted.get(line, (-1, False))
        if news != self._news:
            news, wanted = self._news, self._cards.wanted(line)
            self._wanted[line] = (news, wanted)
        return wanted

    def _rung(self, topics: frozenset[str]) -> None:
        with self._guard:
            self._stale = self._stale or "line" in topics
            self._touched = self._touched or bool(topics & {"line", "said", "came", "body"})

    def _all(self) -> dict[str, tuple[Peer, ...]]:
        if not self._touched and self._has_looked:
            return self._known
        with self._looking:  # one looks, and the others wait for what it finds
            with self._guard:
                touched, stale = self._touched, self._stale
                self._touched = self._stale = False
            if touched:
                heard = self._heard_of_members()
                self._news += heard
                if heard or stale:
                    self._look()
                self._has_looked = True
        return self._known

    def _heard_of_members(self) -> bool:
        """Whether there are new entries that say who is on a line, or bodies of such."""
        found = False
        for line in self._records.lines():
            for origin in self._records.origins(line):
                start, size = self._looked.get(origin, 0), self._records.size(origin)
                numbers = [number for number, _ in self._records.leaves_of(origin, MEMBERSHIP_TYPES, start, size)]
                self._bodiless.update((origin, number) for number in numbers)
                found = found or bool(numbers)
                self._looked[origin] = size
        came = {one for one in self._bodiless if self._records.body_state(*one) is not BodyState.WANTED}
        self._bodiless -= came
        return found or bool(came)

    def _look(self) -> None:
        found = {line: tuple(self._peers(line)) for line in self._records.lines()}
        self._wanted.clear()
        if found == self._known:
            return
        self._news += 1
        for peers in found.values():
            for peer in peers:
                for key in peer.logs:
                    self._records.add_mirror(key)
        self._by_key = {key_id_text(key): key for peers in found.values() for peer in peers for key in peer.transports}
        self._known = found

    def _peers(self, line: str) -> Iterable[Peer]:
        found = self._membership_of(line)
        for one in self._cards.peers(line):
            member = None if found is None else found.members.get(one.party)
            ring = None if member is None else member.ring
            keys = one.keys
            yield Peer(
                line=line, party=one.party, addresses=tuple(one.card.addresses), keys=keys,
                kind="invited" if one.kind == "asking" and _brought_in(found, one) else one.kind,
                mirrors=_current(ring, one.party, Purpose.MIRROR, line, keys.mirror),
                transports=_current(ring, one.party, Purpose.TRANSPORT, None, keys.transport),
                logs=_logs(ring, one.party, line, keys.log),
            )  # fmt: skip


def _brought_in(found: Membership | None, one: CardOnFile) -> bool:
    """Whether a member says that it brought a party in, whose own entry has not come: somebody must begin to talk."""
    if found is None:
        return False
    who = (one.party, one.keys.identity)
    return who not in found.standings and who in [(asking.party, asking.identity) for asking in found.asking]


def _current(
    ring: KeyRing | None, party: str, purpose: Purpose, line: str | None, newest: VerifierKey
) -> tuple[VerifierKey, ...]:
    """The keys that have not ended; that of the card where the logs do not tell."""
    found = () if ring is None else ring.periods(party, purpose, line)
    held = [period.key for period in found if period.until_s is None]
    if not found or newest not in [period.key for period in found]:
        held.append(newest)
    return tuple(dict.fromkeys(held))


def _logs(ring: KeyRing | None, party: str, line: str, newest: VerifierKey) -> tuple[VerifierKey, ...]:
    """The keys of all logs of a party, also of those that it writes in no more."""
    found = [period.key for period in (() if ring is None else ring.periods(party, Purpose.LOG, line))]
    return tuple(sorted(dict.fromkeys([*found, newest]), key=_begun))


def _begun(key: VerifierKey) -> int:
    name = KeyName.of_text(key.name)
    return 0 if name is None else name.begun
