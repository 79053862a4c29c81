"""Which entries are a party's own word about who is on a line.

Anybody can make a log and call it another's. What makes a log a party's is that its key was certified by the party's
identity. So a *speaker* is a party together with one identity: all that can be said for certain is that the same
people speak. Whether they are the ones whom others take for that party is for `keepclear.line.membership`.

Nothing is asked of the order in which logs are given. The entries of a speaker have an order of their own: first those
of its first log, then those of the one begun anew, and so on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from keepclear.errors import Fault, InputError, KeepclearError, PeerError
from keepclear.record.bodies.base import Body
from keepclear.record.bodies.keys import KeyCertificateBody, KeyRevocationBody
from keepclear.record.bodies.members import (
    LineFoundedBody,
    MemberJoinedBody,
    PartyCard,
)
from keepclear.record.bodies.registry import body_of
from keepclear.record.certificates import Certificate, read_statement
from keepclear.record.entries import Entry, EntryRef
from keepclear.record.entry_types import EntryType
from keepclear.record.key_ring import KeyRing
from keepclear.record.keys import VerifierKey
from keepclear.record.names import KeyName, Purpose

__all__ = ["MEMBERSHIP_TYPES", "LineLog", "Place", "Said", "Speaker", "Unread", "card_of", "speakers"]

MEMBERSHIP_TYPES = frozenset(
    {
        EntryType.LINE_FOUNDED,
        EntryType.MEMBER_INVITED,
        EntryType.MEMBER_JOINED,
        EntryType.MEMBER_LEFT,
        EntryType.MEMBER_REMOVED,
        EntryType.KEY_CERTIFICATE,
        EntryType.KEY_REVOCATION,
    }
)
"""Types of the entries from which it is worked out who is on a line."""


_MOST_IDENTITIES = 32


@dataclass(frozen=True, slots=True)
class LineLog:
    """What is held of a log on the line.

    Attributes
    ----------
    key
        The key that signed the checkpoint up to which all this was verified.
    size
        How many entries of it are held.
    entries
        Entries by index; those of other types than `MEMBERSHIP_TYPES` may be left out, and are passed over.
    """

    key: VerifierKey
    size: int
    entries: Mapping[int, Entry] = field(repr=False)


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A place in all that a party said: the how manyth of its logs, from 1, and the index in it."""

    begun: int
    index: int


@dataclass(frozen=True, slots=True)
class Said:
    """An entry that says something of who is on the line.

    Attributes
    ----------
    place, ref
        Where it stands.
    time_s
        When, by its author's clock: nothing is decided by it.
    body
        What it says.
    """

    place: Place
    ref: EntryRef
    time_s: float
    body: Body


@dataclass(frozen=True, slots=True)
class Unread:
    """An entry that could not be counted, and why."""

    ref: EntryRef
    reason: str


@dataclass(frozen=True, slots=True)
class Speaker:
    """A party and one identity, and what they said.

    Attributes
    ----------
    party, identity
        Who.
    ring
        What this identity certified and revoked, in the order of the party's logs.
    said
        In order; only from logs whose key this identity certified.
    """

    party: str
    identity: VerifierKey
    ring: KeyRing = field(repr=False)
    said: tuple[Said, ...] = field(repr=False)

    @property
    def logs(self) -> frozenset[int]:
        """The numbers of its logs."""
        return frozenset(one.place.begun for one in self.said)


def card_of(body: Body) -> PartyCard | None:
    """The card in a body; None if it has none."""
    if isinstance(body, LineFoundedBody):
        return body.founder
    return body.card if isinstance(body, MemberJoinedBody) else None


def speakers(line: str, logs: Iterable[LineLog]) -> tuple[dict[tuple[str, VerifierKey], Speaker], tuple[Unread, ...]]:
    """All who speak in these logs, by party and identity, and what could not be counted.

    Raises
    ------
    InputError
        If two of the logs have the same key: they are one log, or it has forked and there is no telling what was said.
    """
    given = list(logs)
    if len({log.key for log in given}) != len(given):
        raise InputError(Fault("the same log twice", "each log once; one that has forked not at all"))
    found: dict[tuple[str, VerifierKey], Speaker] = {}
    unread: list[Unread] = []
    for party, own in groupby(sorted(_of_line(line, given), key=_order), key=lambda log: log.name.party):
        read = [_read(log, line) for log in own]
        unread += [one for log in read for one in log.unread]
        identities = {identity: None for log in read for identity in log.identities()}
        heard = [_speaker(party, identity, read) for identity in identities]
        found |= {(party, one.identity): one for one in heard}
        counted = {said.ref for one in heard for said in one.said}
        stray = [said.ref for log in read for said in log.said if said.ref not in counted]
        unread += [Unread(ref, f"no identity of {party} that says it joins certified this log's key") for ref in stray]
    return found, tuple(sorted(unread, key=lambda one: (one.ref.origin, one.ref.index, one.ref.leaf_hash)))


@dataclass(frozen=True, slots=True)
class _Named:
    name: KeyName
    log: LineLog


@dataclass(frozen=True, slots=True)
class _Read:
    """A log as read: what it says of the line, and its statements about keys, each with its index."""

    name: KeyName
    key: VerifierKey
    said: tuple[Said, ...]
    notes: tuple[tuple[int, bytes], ...]
    unread: tuple[Unread, ...]

    def identities(self) -> list[VerifierKey]:
        """Those of its cards, in order; of very many the first, as each costs a walk over the party's logs."""
        cards = (card for one in self.said if (card := card_of(one.body)) is not None)
        return list(dict.fromkeys(card.identity_key() for card in cards))[:_MOST_IDENTITIES]


def _of_line(line: str, logs: Sequence[LineLog]) -> Iterable[_Named]:
    for log in logs:
        name = KeyName.of_text(log.key.name)
        if name is None or name.purpose is not Purpose.LOG or name.line != line:
            problem = f"{log.key.name} is not a log on the line {line}"
            raise InputError(Fault(problem, f"PARTY/{line}/log", field="log", value=log.key.name))
        yield _Named(name, log)


def _order(one: _Named) -> tuple[str, int, str]:
    return one.name.party, one.name.begun, one.log.key.text


def _read(one: _Named, line: str) -> _Read:
    said: list[Said] = []
    notes: list[tuple[int, bytes]] = []
    unread: list[Unread] = []
    for index, entry in sorted(one.log.entries.items()):
        if entry.leaf.type not in MEMBERSHIP_TYPES:
            continue
        ref = EntryRef(one.log.key.name, index, entry.leaf.hash)
        try:
            body = _counted(entry, one.name, line)
        except KeepclearError as error:
            unread.append(Unread(ref, str(error)))
            continue
        if isinstance(body, KeyCertificateBody | KeyRevocationBody):
            notes.append((index, body.note.encode("utf-8", "replace")))
            continue
        said.append(Said(Place(one.name.begun, index), ref, entry.leaf.time_s, body))
        card = card_of(body)
        if card is not None:
            notes += [(index, note.encode("utf-8", "replace")) for note in card.certificates]
    return _Read(one.name, one.log.key, tuple(said), tuple(notes), tuple(unread))


def _counted(entry: Entry, name: KeyName, line: str) -> Body:
    leaf = entry.leaf
    if (leaf.party, leaf.line) != (name.party, line):
        raise PeerError(f"the leaf says it is of {leaf.party} on {leaf.line}, and it stands in a log of {name.text}")
    if leaf.exercise:
        raise PeerError("said for practice: it changes nothing")
    if entry.body is None:
        raise PeerError("its body is not held")
    entry.check()
    body = body_of(entry)
    if body is None:
        raise PeerError(f"{leaf.type} of version {leaf.version}, which is newer than what is understood here")
    card = card_of(body)
    if card is not None and card.party != name.party:
        raise PeerError(f"the card is that of {card.party}")
    if isinstance(body, LineFoundedBody) and body.line != line:
        raise PeerError(f"it founds the line {body.line}")
    return body


def _speaker(party: str, identity: VerifierKey, logs: Sequence[_Read]) -> Speaker:
    ring = KeyRing.founded([identity])
    said: list[Said] = []
    for log in logs:
        after = ring.taking(note for _, note in log.notes)
        # A log whose key this identity never certified has no say, not even in the order of what others hold.
        if log.key in {period.key for period in after.periods(party, Purpose.LOG, log.name.line)}:
            end = _given_way(log, after)
            said += [one for one in log.said if end is None or one.place.index <= end]
            ring = after
    return Speaker(party, identity, ring, tuple(said))


def _given_way(log: _Read, ring: KeyRing) -> int | None:
    """Where in a log its party says that a log begun anew takes its place: what comes after is not counted."""
    later = {
        period.key
        for period in ring.periods(log.name.party, Purpose.LOG, log.name.line)
        if (name := KeyName.of_text(period.key.name)) is not None and name.begun > log.name.begun
    }
    for index, note in log.notes:
        try:
            statement, _ = read_statement(note)
        except KeepclearError:
            continue
        if isinstance(statement, Certificate) and statement.key in later:
            return index
    return None
