"""Carrying a line by hand: what would have gone over the network, in a file, both ways.

A bundle for a party has what its mirror has not cosigned of our logs, with the bodies addressed to it, our receipts for
its own log, the newest checkpoint of every log that we hold, the cards of the line, and FLASH that waits. It may be
read twice, or after a newer one; who was given one that is cut off reads what there is and asks for another.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import IO, TYPE_CHECKING

from keepclear.errors import Fault, InputError, IntegrityError, KeepclearError, PeerError, StoreError
from keepclear.line.body_requests import MOST_ENTRY_BYTES, Gone, Piece, Wanted, format_bodies, pieces_of
from keepclear.node.bundle_files import BundleHead, BundleReader, BundleWriter, Section
from keepclear.node.comparing import Comparing
from keepclear.node.flashes import Flashes
from keepclear.node.forks_found import ForksFound
from keepclear.node.peer_desk import PeerDesk
from keepclear.node.peers import Peer, Peers
from keepclear.record.checkpoints import Checkpoint, open_checkpoint
from keepclear.record.entries import Leaf
from keepclear.record.keys import VerifierKey
from keepclear.record.notes import Note
from keepclear.record.scalars import decimal_number
from keepclear.record.tiles import TILE_WIDTH, decode_bundle, encode_bundle
from keepclear.store.mirror import Mirror
from keepclear.store.sending import MOST_REQUEST_BYTES

if TYPE_CHECKING:
    from keepclear.node.records import Records

__all__ = ["Carried", "Carrying", "Written"]


@dataclass(frozen=True, slots=True)
class Written:
    """What was written into a bundle: for whom, and how many entries and bodies."""

    path: Path
    to: str
    entries: int
    bodies: int


@dataclass(frozen=True, slots=True)
class Carried:
    """What came of a bundle that was read.

    Attributes
    ----------
    party, line, made_s
        Whose it was, and when it was made.
    entries
        How many entries were new, by log.
    receipts
        Up to where the party has stored our logs, by log, where that was new.
    troubles
        What was not taken, and why; empty where everything was.
    """

    party: str
    line: str
    made_s: float
    entries: dict[str, int]
    receipts: dict[str, int]
    troubles: tuple[str, ...]


@dataclass
class _Log:
    """A log in a bundle, while it is read."""

    origin: str
    start: int
    checkpoint: bytes


class _Sections:
    """Sections of a bundle, one after the other; none is kept."""

    def __init__(self, sections: Iterator[tuple[Section, bytes]]) -> None:
        self._sections = sections
        self._ahead: tuple[Section, bytes] | None = None

    def next(self) -> tuple[Section, bytes] | None:
        """The next one; those of a log that were not wanted are passed over."""
        found, self._ahead = self._ahead or next(self._sections, None), None
        while found is not None and found[0] is Section.LEAVES:
            found = next(self._sections, None)
        return found

    def of(self, kind: Section) -> Iterator[bytes]:
        """Those of a kind that come next, up to the first of another."""
        while True:
            if self._ahead is None:
                self._ahead = next(self._sections, None)
            if self._ahead is None or self._ahead[0] is not kind:
                return
            found, self._ahead = self._ahead, None
            yield found[1]


class Carrying:
    """Writes and reads bundles. Any thread may use it."""

    def __init__(
        self,
        records: Records,
        peers: Peers,
        *,
        desk: PeerDesk,
        flashes: Flashes,
        comparing: Comparing,
        forks: ForksFound,
        clock: Callable[[], float],
    ) -> None:
        self._records, self._peers, self._desk, self._flashes = records, peers, desk, flashes
        self._comparing, self._forks, self._clock = comparing, forks, clock

    # --- writing ---------------------------------------------------------------------------------------------------

    def write(self, line: str, party: str, path: Path, *, whole: bool = False) -> Written:
        """Write a bundle for a party; a file that is there is replaced when the new one is whole.

        Parameters
        ----------
        whole
            All of our logs, for a party that has lost its copies.

        Raises
        ------
        InputError
            If the party is not on the line.
        StoreError
            If the file cannot be written.
        """
        peer = self._peers.find(line, party)
        if peer is None or not peer.member:
            known = ", ".join(one.party for one in self._peers.of(line) if one.member) or "nobody yet"
            raise InputError(Fault(f"{party} is not on the line {line}", f"one of: {known}", field="party"))
        coming = path.with_name(f".{path.name}.new")
        try:
            with coming.open("wb") as file:
                written = self._write(file, peer, path, whole=whole)
                file.flush()
                os.fsync(file.fileno())
            coming.replace(path)
        except OSError as error:
            raise StoreError(f"{path}: cannot be written: {error.strerror or error}") from error
        finally:
            coming.unlink(missing_ok=True)
        return written

    def _write(self, file: IO[bytes], peer: Peer, path: Path, *, whole: bool) -> Written:
        head = BundleHead(self._records.party, peer.line, peer.party, round(self._clock(), 3))
        writer = BundleWriter(file, head, self._records.transport_key())
        for waiting in self._flashes.waiting(peer.line, peer.party):
            writer.add(Section.FLASH, waiting.data)
        writer.add(Section.CARDS, self._peers.cards.give(peer.line))
        entries = bodies = 0
        for origin in self._records.origins(peer.line):
            if self._records.is_own(origin):
                more = self._write_own(writer, origin, peer, whole=whole)
                entries, bodies = entries + more[0], bodies + more[1]
            else:
                self._write_held(writer, origin)
        writer.end()
        return Written(path, peer.party, entries, bodies)

    def _write_own(self, writer: BundleWriter, origin: str, peer: Peer, *, whole: bool) -> tuple[int, int]:
        with self._records.sender(origin, peer.mirrors, peer.party) as sender:
            start, size = (0 if whole else sender.uploading.cosigned), sender.size
            checkpoint = sender.log.checkpoint(size)
        writer.add(Section.LOG, _log_section(start, checkpoint))
        addressed = []
        for at in range(start, size, TILE_WIDTH):
            with self._records.reading(origin) as log:
                leaves = list(log.leaves(at, min(size, at + TILE_WIDTH)))
            writer.add(Section.LEAVES, encode_bundle(leaves))
            addressed += [n for n, leaf in enumerate(leaves, at) if _is_for(leaf, peer.party)]
        if self._peers.stopped(peer.line, peer.party):
            addressed = []
        for data in self._bodies(origin, addressed):
            writer.add(Section.BODIES, data)
        return size - start, len(addressed)

    def _write_held(self, writer: BundleWriter, origin: str) -> None:
        """The checkpoint that we cosigned of another's log: our receipt."""
        key = self._records.mirror_key(origin.split("/")[1]).verifier
        size = self._records.store.last_cosigned(origin, key.text)
        with self._records.reading(origin) as log:
            try:
                checkpoint = log.checkpoint(size)
            except InputError:
                return  # nothing of it is held yet
            writer.add(Section.LOG, _log_section(Checkpoint.of_text(Note.of_bytes(checkpoint).text).size, checkpoint))

    def _bodies(self, origin: str, numbers: list[int]) -> Iterator[bytes]:
        """Requests with the bodies of these entries, none longer than over the network."""
        items: list[Piece | Gone] = []
        room = MOST_REQUEST_BYTES
        for number in numbers:
            entry = self._records.entry(origin, number)
            length = len(entry.body or b"") + sum(len(one.data) for one in entry.attachments if one is not None)
            if entry.body is None or length > MOST_ENTRY_BYTES:
                items.append(Gone(number))
                continue
            for piece in pieces_of(entry, Wanted(number), most_bytes=MOST_ENTRY_BYTES + 2**20):
                items.append(piece)
                room -= len(piece.data)
                if room <= 0:
                    yield b"".join(format_bodies(origin, items))
                    items, room = [], MOST_REQUEST_BYTES
        yield b"".join(format_bodies(origin, items))

    # --- reading ---------------------------------------------------------------------------------------------------

    def read(self, path: Path) -> Carried:
        """Take in a bundle: as much of it as there is, and is new.

        Raises
        ------
        InputError
            If it cannot be read, is no bundle, or is for another party.
        PeerError
            If it is of nobody whom we know.
        """
        try:
            with path.open("rb") as file:
                reader = BundleReader(file, self._keys)
                return self._read(reader)
        except OSError as error:
            raise InputError(Fault(f"cannot be read: {error.strerror or error}", file=str(path))) from None

    def _read(self, reader: BundleReader) -> Carried:
        head = reader.head
        peer = self._peers.find(head.line, head.party)
        if head.to != self._records.party or peer is None:
            raise InputError(Fault(f"a bundle for {head.to}", f"one for {self._records.party}", field="to"))
        carried = Carried(head.party, head.line, head.made_s, {}, {}, ())
        troubles = [why] if (why := reader.whole()) else []
        shown: list[bytes] = []
        sections = _Sections(reader.sections())
        while (found := sections.next()) is not None:
            kind, data = found
            try:
                if kind is Section.LOG:
                    log = _log_of(data)
                    shown.append(log.checkpoint)
                    troubles += self._take_log(peer, log, sections.of(Section.LEAVES), carried)
                else:
                    troubles += self._take_other(peer, kind, data)
            except KeepclearError as error:
                troubles.append(str(error))
        self._settle(peer, shown)
        return replace(carried, troubles=tuple(dict.fromkeys(troubles)))

    def _take_other(self, peer: Peer, kind: Section, data: bytes) -> list[str]:
        endpoint = {Section.CARDS: "cards", Section.BODIES: "add-bodies", Section.FLASH: "flash"}.get(kind)
        if endpoint is None:
            return []
        answer = self._desk.post(peer.party, endpoint, (data,), line=peer.line)
        return [] if answer.status == 200 else [answer.body.decode(errors="replace").strip()]

    def _take_log(self, peer: Peer, log: _Log, bundles: Iterator[bytes], carried: Carried) -> list[str]:
        origin = log.origin
        if origin.split("/")[1:2] != [peer.line] or origin not in self._records.origins(peer.line):
            return [f"{origin} is not known here yet: read the bundle once more when its cards have been taken"]
        try:
            if self._records.is_own(origin):
                return self._take_receipt(peer, log, carried)
            first = next(bundles, None)
            if first is None:
                return []  # only its checkpoint
            return self._take_leaves(peer, log, chain([first], bundles), carried)
        except KeepclearError as error:
            self._forks.look(origin)
            return [str(error)]

    def _take_receipt(self, peer: Peer, log: _Log, carried: Carried) -> list[str]:
        with self._records.sender(log.origin, peer.mirrors, peer.party) as sender:
            said, note = open_checkpoint(log.checkpoint, sender.log.key)
            if said.size > sender.size or sender.log.root_at(said.size) != said.root:
                raise IntegrityError(f"{peer.party} holds another history of {log.origin}, of {said.size} entries")
            if not sender.log.add_cosignatures(note.signatures, peer.mirrors, size=said.size):
                return []
            if said.size > sender.uploading.cosigned:
                carried.receipts[log.origin] = said.size
                sender.uploading = replace(sender.uploading, cosigned=said.size)
        return []

    def _take_leaves(self, peer: Peer, log: _Log, bundles: Iterable[bytes], carried: Carried) -> list[str]:
        if why := self._peers.stopped(peer.line, log.origin.partition("/")[0]):
            return [why]
        with self._records.receiver(log.origin) as (receiver, _):
            mirror: Mirror = receiver.mirror
            before = mirror.size
            if log.start > before:
                right = f"a bundle of {peer.party} from entry {before} on (--whole)"
                return [f"{log.origin}: the bundle begins at entry {log.start}, and {before} are here; ask for {right}"]
            mirror.extend(log.checkpoint, _leaves(log, bundles, since=before))
            receiver.store.settle_pending(log.origin, mirror.size)
            if mirror.size > before:
                carried.entries[log.origin] = mirror.size - before
        return []

    def _settle(self, peer: Peer, shown: list[bytes]) -> None:
        """Cosign what is whole now, and compare the histories."""
        for origin in self._records.origins(peer.line):
            if origin.partition("/")[0] == peer.party:
                self._desk.post(peer.party, "add-bodies", format_bodies(origin, []))
        checkpoints = []
        for data in shown:
            try:
                note = Note.of_bytes(data)
                name = Checkpoint.of_text(note.text).origin
            except PeerError:
                continue
            own = tuple(one for one in note.signatures if one.name == name)[:1]
            if own:
                checkpoints.append(Note(note.text, own).to_bytes())
        self._comparing.shown(peer, checkpoints)

    def _keys(self, line: str, party: str) -> tuple[VerifierKey, ...]:
        peer = self._peers.find(line, party)
        return () if peer is None else peer.transports


def _leaves(log: _Log, bundles: Iterable[bytes], *, since: int) -> Iterator[bytes]:
    """The leaves of a log in a bundle from entry `since` on."""
    at = log.start
    size = Checkpoint.of_text(Note.of_bytes(log.checkpoint).text).size
    for data in bundles:
        width = min(TILE_WIDTH, size - at)
        if width < 1:
            raise PeerError(f"{log.origin}: more leaves than its checkpoint has")
        for leaf in decode_bundle(data, width=width):
            if at >= since:
                yield leaf
            at += 1


def _log_section(start: int, checkpoint: bytes) -> bytes:
    return f"{start}\n".encode() + checkpoint


def _log_of(data: bytes) -> _Log:
    first, _, checkpoint = data.partition(b"\n")
    start = decimal_number(first.decode("ascii", "replace"))
    if start is None:
        raise PeerError("a log in a bundle begins with the number of its first entry")
    return _Log(Checkpoint.of_text(Note.of_bytes(checkpoint).text).origin, start, checkpoint)


def _is_for(leaf: bytes, party: str) -> bool:
    try:
        return party in Leaf.of_bytes(leaf).recipients
    except (PeerError, InputError):
        return False
