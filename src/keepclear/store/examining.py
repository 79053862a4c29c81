"""Looking at everything that the store holds of a log, to say what is damaged and what is safe.

The walk of `keepclear.record.walking` decides from the hashes which of two things that disagree is damaged. This adds
what a file of a database can do besides: rows that are gone or cannot be read, and older checkpoints, of which the
greatest that still leads to its root tells how far the log is whole, where the newest one does not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from keepclear.errors import IntegrityError, KeepclearError, PeerError, StoreError
from keepclear.record.checkpoints import open_checkpoint
from keepclear.record.cosignatures import cosigned_at
from keepclear.record.entries import Attachment, Entry, Leaf
from keepclear.record.keys import VerifierKey
from keepclear.record.merkle import HASH_BYTES, tree_root
from keepclear.record.notes import Note, Signature
from keepclear.record.tile_reading import hash_reader
from keepclear.record.tiles import TILE_WIDTH, Bundle, Tile, encode_bundle, parse_path
from keepclear.record.walking import Findings, Walk
from keepclear.store.log_store import BodyState, LogStore, SignedHead
from keepclear.store.reading_bodies import together

__all__ = ["Examination", "examine"]

_MOST_TRIES = 12  # older checkpoints that are tried where the newest does not lead to its root
_MOST_SENTENCES = 1000


@dataclass(frozen=True, slots=True)
class Examination:
    """What was found.

    Attributes
    ----------
    origin
        Which log.
    size
        The size of the greatest checkpoint that is signed and that what is there leads to.
    damaged
        Entries below `size` that are not what was logged, as ranges (first, last), both included.
    sentences
        All that is wrong, in words; empty if nothing is.
    """

    origin: str
    size: int
    damaged: tuple[tuple[int, int], ...]
    sentences: tuple[str, ...]

    @property
    def sound(self) -> bool:
        """Whether nothing at all is wrong."""
        return not self.sentences

    @property
    def safe(self) -> tuple[tuple[int, int], ...]:
        """Entries that are what was logged and can be proved, as ranges (first, last)."""
        ranges, start = [], 0
        for first, last in sorted(self.damaged):
            if first > start:
                ranges.append((start, first - 1))
            start = max(start, last + 1)
        if start < self.size:
            ranges.append((start, self.size - 1))
        return tuple(ranges)

    @property
    def text(self) -> str:
        """What is damaged and what is safe, in words."""
        if self.sound:
            return f"Nothing is wrong with the {self.size} entries of {self.origin}"
        safe = _told(self.safe) or "none"
        more = len(self.sentences) - 10
        found = "; ".join(self.sentences[:10]) + (f"; and {more} more" if more > 0 else "")
        return f"Found in {self.origin}: {found}. Safe entries: {safe}"


class _Reader:
    """The store as a place of tiles and bundles, with what cannot be read noted and passed over."""

    def __init__(self, store: LogStore, origin: str) -> None:
        self.store, self.origin = store, origin
        self.lost: set[int] = set()

    def fetch(self, path: str) -> bytes | None:
        place = parse_path(path)
        if isinstance(place, Bundle):
            return encode_bundle([leaf or b"" for leaf in self._leaves(place)])
        return self.tile(place)

    def tile(self, place: Tile) -> bytes | None:
        try:
            data = self.store.tiles(self.origin, [(place.level, place.number)])[0]
        except IntegrityError:
            return None
        return data and data[: place.width * HASH_BYTES]

    def _leaves(self, bundle: Bundle) -> list[bytes | None]:
        stop = bundle.start + bundle.width
        try:
            leaves = self.store.leaves(self.origin, bundle.start, stop)
        except IntegrityError:
            leaves = [self._leaf(number) for number in range(bundle.start, stop)]
        self.lost.update(number for number, leaf in enumerate(leaves, bundle.start) if leaf is None)
        return [None if leaf is not None and len(leaf) > 65_535 else leaf for leaf in leaves]

    def _leaf(self, number: int) -> bytes | None:
        try:
            return self.store.leaves(self.origin, number, number + 1)[0]
        except IntegrityError:
            return None


def examine(store: LogStore, origin: str, *, progress: Callable[[float], None] | None = None) -> Examination:
    """Look at everything that `store` holds of the log; damage is found, not raised.

    Raises
    ------
    StoreError
        If the store is closed, or the disk does not answer.
    """
    sentences = [f"the database finds: {fault}" for fault in store.faults()]
    try:
        key = VerifierKey.of_text(next(log.key for log in store.logs() if log.origin == origin))
    except (KeepclearError, StopIteration) as error:
        if isinstance(error, StoreError):
            raise
        return Examination(origin, 0, (), (*sentences, f"the log's key cannot be read ({error})"))
    reader, findings = _Reader(store, origin), Findings()
    size = _proved_size(reader, key, findings, sentences, progress)
    told = {range_ for finding in findings.listed if (range_ := _range(finding.kind, finding.first, finding.last))}
    damaged = {(first, min(last, size - 1)) for first, last in told if first < size}
    known = {number for first, last in damaged for number in range(first, last + 1)} if len(damaged) < 10_000 else set()
    for number in sorted(reader.lost - known):
        if number < size:
            damaged.add((number, number))
    sentences += [f"entry {number} is missing" for number in sorted(reader.lost)[:_MOST_SENTENCES]]
    sentences += [finding.sentence for finding in findings.listed]
    if findings.unlisted:
        sentences.append(f"and {findings.unlisted} more")
    sentences += _history_faults(reader, key, size)
    sentences += _body_faults(reader, size)
    return Examination(origin, size, tuple(sorted(damaged)), tuple(sentences))


def _proved_size(
    reader: _Reader,
    key: VerifierKey,
    findings: Findings,
    sentences: list[str],
    progress: Callable[[float], None] | None,
) -> int:
    """The size of the greatest checkpoint that what is there leads to; what is found on the way is noted."""
    head = _greatest(reader, key, 2**63 - 1, sentences)
    if head is None:
        return 0
    _note_ends(reader, head, sentences)
    if Walk(reader.fetch, head.size, findings, progress=progress).leads_to(head.root):
        return head.size
    # The newest does not hold: halve the history until the greatest one that does is found.
    held, beyond = 0, head.size
    for _ in range(_MOST_TRIES):
        older = _greatest(reader, key, (held + beyond + 1) // 2 + 1, [])
        if older is None or older.size <= held:
            break
        if Walk(reader.fetch, older.size, Findings()).leads_to(older.root):
            held = older.size
        else:
            beyond = older.size
    sentences.append(f"only the first {held} entries lead to a checkpoint that was signed")
    return held


def _note_ends(reader: _Reader, head: SignedHead, sentences: list[str]) -> None:
    try:
        end = reader.store.end(reader.origin)
        newer = reader.store.head(reader.origin) if end > head.size else None
    except IntegrityError as error:
        sentences.append(str(error))
        return
    if end != head.size and (newer is None or newer.size != end):  # unless a writer beside us has appended in between
        sentences.append(f"the newest checkpoint is of {head.size} entries, and the last entry is number {end - 1}")


def _greatest(reader: _Reader, key: VerifierKey, before: int, sentences: list[str]) -> SignedHead | None:
    """The greatest checkpoint below a size whose signature holds."""
    for head in _heads(reader, before, sentences):
        try:
            checkpoint, _ = open_checkpoint(head.note, key)
            if (checkpoint.size, checkpoint.root) == (head.size, head.root):
                return head
            sentences.append(f"the checkpoint of {head.size} entries is filed under another size or root")
        except (IntegrityError, PeerError) as error:
            sentences.append(f"the checkpoint of {head.size} entries: {error}")
        if len(sentences) > _MOST_SENTENCES:
            return None
    return None


def _heads(reader: _Reader, before: int, sentences: list[str]) -> Iterator[SignedHead]:
    while True:
        try:
            heads = reader.store.checkpoints(reader.origin, before=before, limit=100)
        except IntegrityError as error:
            sentences.append(f"checkpoints below {before} entries cannot be read: {error}")
            return
        yield from heads
        # A damaged row may name any size: never ask for the same ones twice.
        if not heads or heads[-1].size >= before:
            return
        before = heads[-1].size


def _history_faults(reader: _Reader, key: VerifierKey, size: int) -> list[str]:
    """What is wrong with older checkpoints and with cosignatures."""
    faults: list[str] = []
    tiles: dict[Tile, bytes] = {}
    for head in _heads(reader, size + 1, faults):
        try:
            _check_head(reader, key, head)
            if head.size < size:
                _check_root(head, tree_root(head.size, hash_reader(_cached(reader, tiles), size)))
        except (IntegrityError, PeerError) as error:
            faults.append(f"the checkpoint of {head.size} entries: {error}")
        if len(faults) > _MOST_SENTENCES:
            break
    return faults


def _check_root(head: SignedHead, root: bytes) -> None:
    if root != head.root:
        raise IntegrityError("not of this tree")


def _check_head(reader: _Reader, key: VerifierKey, head: SignedHead) -> None:
    checkpoint, _ = open_checkpoint(head.note, key)
    if (checkpoint.size, checkpoint.root) != (head.size, head.root):
        raise IntegrityError("filed under another size or root")
    text = Note.of_bytes(head.note).text
    for cosigner, line in reader.store.cosignatures(reader.origin, head.size):
        try:
            cosigned_at(text, Signature.of_line(line), VerifierKey.of_text(cosigner))
        except KeepclearError as error:
            raise IntegrityError(f"a cosignature is damaged: {error}") from error


def _cached(reader: _Reader, tiles: dict[Tile, bytes]) -> Callable[..., list[bytes]]:
    def fetch(wanted: list[Tile]) -> list[bytes]:
        if len(tiles) > 64:
            tiles.clear()
        for tile in wanted:
            if tile not in tiles:
                tiles[tile] = reader.tile(tile) or b""
        return [tiles[tile] for tile in wanted]

    return fetch


def _body_faults(reader: _Reader, size: int) -> list[str]:
    """Bodies and attachments that are not what their leaf says."""
    faults: list[str] = []
    start = stop = 0
    while stop < size:
        start, stop = stop, together(reader.store, reader.origin, stop, min(stop + TILE_WIDTH, size))
        try:
            held = [body for body in reader.store.bodies(reader.origin, start, stop) if body.state is BodyState.HELD]
        except IntegrityError as error:
            faults.append(f"bodies of entries {start} to {stop - 1} cannot be read: {error}")
            continue
        for body in held:
            if body.number in reader.lost:
                continue
            try:
                leaf = Leaf.of_bytes(reader.store.leaves(reader.origin, body.number, body.number + 1)[0] or b"")
                files: list[Attachment | None] = [None] * len(leaf.attachments)
                for file in reader.store.attachments(reader.origin, body.number) if files else ():
                    files[file.place] = Attachment(file.salt, file.data)
                Entry(leaf, body.salt, body.body, tuple(files) if any(files) else ()).check()
            except (KeepclearError, IndexError) as error:
                faults.append(f"the body of entry {body.number} is damaged ({error}); its leaf is not")
        if len(faults) > _MOST_SENTENCES:
            break
    return faults


def _range(kind: str, first: int | None, last: int | None) -> tuple[int, int] | None:
    """The entries that a finding is about."""
    if first is None or last is None or kind not in {"entry", "leaf", "bundle"}:
        return None
    return (first * TILE_WIDTH, (last + 1) * TILE_WIDTH - 1) if kind == "bundle" else (first, last)


def _told(ranges: tuple[tuple[int, int], ...], most: int = 20) -> str:
    told = [f"{first}" if first == last else f"{first}–{last}" for first, last in ranges[:most]]
    return ", ".join(told) + (f" and {len(ranges) - most} more ranges" if len(ranges) > most else "")
