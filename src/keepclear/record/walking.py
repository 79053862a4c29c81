"""A whole log walked from its tiles: every hash computed again, and what does not fit found by its number.

A log's hashes are published twice over: an entry hashes to its place in a tile of level 0, and each full tile to its
place in the tile above, up to the root that the log signed. So where two neighbours disagree, the third says which of
them is damaged, and the other can be made again from it. What is believed at each place goes into the root; if that is
the root that the log signed, everything believed is what the log signed, and all that was found is certain. If it is
not, nothing is: then somebody put other entries in place of the logged ones, and tiles to match.

One tile of each level is held at a time, whatever the size of the log.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TypeAlias

from keepclear.errors import PeerError
from keepclear.record.merkle import EMPTY_ROOT, HASH_BYTES, packed_root
from keepclear.record.tiles import TILE_HEIGHT, TILE_WIDTH, Bundle, Tile, decode_bundle

__all__ = ["Fetch", "Finding", "Findings", "Walk", "read_tile"]

Fetch: TypeAlias = Callable[[str], bytes | None]
"""Gives what stands at a path below the log's prefix; None if nothing does. `PeerError` if it cannot be had."""

_MOST_FINDINGS = 10_000
_MOST_MIXED = 6  # hashes in doubt within one tile that are tried in all mixtures: at most 64 roots of one tile
_MOST_EDGES = 4096  # mixtures tried of the tiles at the right edge, which only the root vouches for
_PATIENCE = 64  # things missing in a row before a place is given up: a checkpoint may name any size


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong in a place.

    Attributes
    ----------
    kind
        ``"entry"``, ``"bundle"``, ``"tile"``, ``"tree"``, ``"leaf"``, ``"checkpoint"`` or ``"cosignature"``.
    problem
        What is wrong, as the end of a sentence that begins with what it is about.
    first, last
        Numbers of the entries (or of the bundles or tiles), counted from 0, `last` included; None where there is none.
    level
        The level of the tiles.
    """

    kind: str
    problem: str
    first: int | None = None
    last: int | None = None
    level: int | None = None

    @property
    def sentence(self) -> str:
        """In words, with the numbers and, for tiles, the path of the first."""
        if self.first is None or self.last is None:
            return f"{self.kind}: {self.problem}"
        numbers = f"{self.first}" if self.first == self.last else f"{self.first}–{self.last}"
        name = {"entry": "entry", "leaf": "entry"}.get(self.kind, self.kind)
        several = name if self.first == self.last else {"entry": "entries"}.get(name, f"{name}s")
        level = "" if self.level is None else f" of level {self.level}"
        return f"{several} {numbers}{level}: {self.problem}"


class Findings:
    """What was found, in order; neighbours with the same problem are one finding.

    Attributes
    ----------
    listed
        The findings, at most 10,000.
    unlisted
        How many there were beyond that.
    """

    def __init__(self) -> None:
        self.listed: list[Finding] = []
        self.unlisted = 0
        self._latest: dict[tuple[str, int | None], int] = {}

    def add(
        self, kind: str, problem: str, first: int | None = None, last: int | None = None, *, level: int | None = None
    ) -> None:
        """Note one, or lengthen the one before it."""
        last = first if last is None else last
        at = self._latest.get((kind, level))
        if at is not None and first is not None:
            before = self.listed[at]
            if before.problem == problem and before.last is not None and before.last + 1 == first:
                self.listed[at] = Finding(kind, problem, before.first, last, level)
                return
        if len(self.listed) >= _MOST_FINDINGS:
            self.unlisted += 1
            return
        self._latest[kind, level] = len(self.listed)
        self.listed.append(Finding(kind, problem, first, last, level))

    def __len__(self) -> int:
        return len(self.listed) + self.unlisted


class _GivenUpError(Exception):
    """So much is missing that going on would only make a longer list."""


@dataclass(slots=True)
class _Doubt:
    """The hashes of one tile, as the tile has them and as what is below gives them; None where they cannot be had."""

    tile: Tile
    recorded: list[bytes] | None
    computed: list[bytes | None] | None

    @property
    def is_settled(self) -> bool:
        """Whether the tile and what is below it say the same."""
        return self.computed == self.recorded

    def candidates(self) -> Iterator[list[bytes]]:
        """What the hashes may truly be, likeliest first."""
        recorded, computed = self.recorded, self.computed
        if recorded is None:
            if computed is not None and None not in computed:
                yield [one for one in computed if one is not None]
            return
        if computed is None:
            yield recorded
            return
        below = [theirs if ours is None else ours for ours, theirs in zip(computed, recorded, strict=True)]
        differing = [at for at, (ours, theirs) in enumerate(zip(below, recorded, strict=True)) if ours != theirs]
        if not 1 < len(differing) <= _MOST_MIXED:
            yield below
            if differing:
                yield recorded
            return
        for choice in itertools.product((below, recorded), repeat=len(differing)):
            mixed = list(recorded)
            for at, source in zip(differing, choice, strict=True):
                mixed[at] = source[at]
            yield mixed


@dataclass
class Walk:
    """One walk through all tiles and bundles of a log.

    Parameters
    ----------
    fetch
        Where they come from.
    size
        How many entries the log has.
    findings
        Where to note what is wrong.
    read_entry
        Called with the number and the bytes of each entry whose hash is the tile's, in order.
    progress
        Called now and then with the share that is done, from 0 to 1.
    """

    fetch: Fetch
    size: int
    findings: Findings
    read_entry: Callable[[int, bytes], None] | None = None
    progress: Callable[[float], None] | None = None
    hashed: int = 0
    unread: int = 0
    _missing: int = field(default=0, repr=False)

    def leads_to(self, root: bytes) -> bool:
        """Whether the log that is here is the one with this root."""
        if self.size == 0:
            return root == EMPTY_ROOT
        try:
            edges = [self._doubt_of(tile) for tile in _edges(self.size)]
        except _GivenUpError:
            problem = f"{_PATIENCE} things missing or unreadable in a row: given up here, and nothing is proved"
            self.findings.add("tree", problem)
            return False
        choices = [list(edge.candidates()) for edge in edges]
        for choice in itertools.islice(itertools.product(*choices), _MOST_EDGES):
            if _root_of_edges(choice) == root:
                for edge, believed in zip(edges, choice, strict=True):
                    self._note_differences(edge, believed)
                return True
        for edge in edges:
            self._note_doubts(edge)
        problem = "tiles and entries lead to another root than the checkpoint's: none of them is proved to be the log's"
        self.findings.add("tree", problem)
        return False

    def _root_of_full(self, tile: Tile, expected: bytes | None) -> bytes | None:
        """The root of a full tile, as believed; what the tile above has for it settles doubts."""
        doubt = self._doubt_of(tile)
        if doubt.recorded is not None and doubt.is_settled:
            return packed_root(b"".join(doubt.recorded))
        several = list(doubt.candidates())
        roots = [packed_root(b"".join(hashes)) for hashes in several]
        if expected in roots:
            at = roots.index(expected)
            self._note_differences(doubt, several[at])
            return roots[at]
        self._note_doubts(doubt)
        return roots[0] if roots else expected

    def _doubt_of(self, tile: Tile) -> _Doubt:
        recorded = self._recorded(tile)
        if tile.level == 0:
            return _Doubt(tile, recorded, self._hashes_of_entries(tile, recorded))
        first = tile.number << TILE_HEIGHT
        below: list[bytes | None] = [
            self._root_of_full(Tile(tile.level - 1, first + at), recorded[at] if recorded else None)
            for at in range(tile.width)
        ]
        return _Doubt(tile, recorded, below)

    def _hashes_of_entries(self, tile: Tile, recorded: list[bytes] | None) -> list[bytes | None] | None:
        bundle = Bundle(tile.number, tile.width)
        entries = self._entries(bundle)
        if entries is None:
            self.unread += bundle.width
            return None
        hashes: list[bytes | None] = [sha256(b"\x00" + entry).digest() for entry in entries]
        self.hashed += len(hashes)
        if self.read_entry is not None:
            for at, entry in enumerate(entries):
                if recorded is None or hashes[at] == recorded[at]:
                    self.read_entry(bundle.start + at, entry)
        if self.progress is not None:
            self.progress((bundle.start + bundle.width) / self.size)
        return hashes

    def _entries(self, bundle: Bundle) -> list[bytes] | None:
        try:
            data, width = _full_instead(self.fetch, bundle)
            self._missing = 0 if data is not None else self._missing + 1
            if data is not None:
                return decode_bundle(data, width=width)[: bundle.width]
            problem = "missing here, so its entries cannot be read; their hashes are in the tile"
        except PeerError as error:
            self._missing += 1
            problem = f"cannot be read: {error}; the hashes of its entries are in the tile"
        self._give_up_if_hopeless()
        self.findings.add("bundle", problem, bundle.number)
        return None

    def _recorded(self, tile: Tile) -> list[bytes] | None:
        try:
            data = read_tile(self.fetch, tile)
        except PeerError as error:
            problem = f"{error}; it can be made again from what is below it"
        else:
            self._missing = 0
            return [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)]
        self._missing += 1
        self._give_up_if_hopeless()
        self.findings.add("tile", problem, tile.number, level=tile.level)
        return None

    def _give_up_if_hopeless(self) -> None:
        if self._missing >= _PATIENCE:
            raise _GivenUpError

    def _note_differences(self, doubt: _Doubt, believed: Sequence[bytes]) -> None:
        """Note what is damaged in a tile or below it, as it is known what is right."""
        tile = doubt.tile
        if doubt.recorded is not None:
            wrong = [at for at, hash_ in enumerate(believed) if doubt.recorded[at] != hash_]
            if wrong:
                hashes = f"{len(wrong)} of its {tile.width} hashes, the first at {wrong[0]}, are damaged ({tile.path})"
                self.findings.add(
                    "tile", f"{hashes}; they can be made again from what is below", tile.number, level=tile.level
                )
        for at, hash_ in enumerate(believed):
            if doubt.computed is not None and doubt.computed[at] not in (hash_, None):
                self._note_damage_below(tile.level, (tile.number << TILE_HEIGHT) + at)

    def _note_doubts(self, doubt: _Doubt) -> None:
        """Note where a tile and what is below it differ, as nothing says which of them is right."""
        if doubt.recorded is None or doubt.computed is None:
            return
        for at, (ours, theirs) in enumerate(zip(doubt.computed, doubt.recorded, strict=True)):
            if ours not in (theirs, None):
                span = TILE_WIDTH**doubt.tile.level
                first = ((doubt.tile.number << TILE_HEIGHT) + at) * span
                problem = f"not what {doubt.tile.path} says, and which of the two is damaged cannot be told here"
                self.findings.add("entry", problem, first, first + span - 1)

    def _note_damage_below(self, level: int, index: int) -> None:
        """Note that what stands below a hash of a tile of this level, which is right, is damaged."""
        if level == 0:
            self.findings.add("entry", "damaged: not what was logged; its hash in the tile is safe", index)
            return
        span = TILE_WIDTH**level
        problem = f"tiles and entries below hash {index % TILE_WIDTH} of a tile of level {level} are not what it says"
        self.findings.add("entry", problem, index * span, (index + 1) * span - 1)


def read_tile(fetch: Fetch, tile: Tile) -> bytes:
    """The bytes of a tile, cut from the full one where the partial one is gone, as tlog-tiles allows.

    Raises
    ------
    PeerError
        If it is missing, or has not the length of its width.
    """
    data, width = _full_instead(fetch, tile)
    if data is None:
        raise PeerError(f"missing ({tile.path})")
    if len(data) != width * HASH_BYTES:
        raise PeerError(f"{len(data)} bytes where {width} hashes have {width * HASH_BYTES} ({tile.path})")
    return data[: tile.width * HASH_BYTES]


def _full_instead(fetch: Fetch, place: Tile | Bundle) -> tuple[bytes | None, int]:
    """What is at a place, or at the full one there, with the width of which it is."""
    data = fetch(place.path)
    if data is not None or place.width == TILE_WIDTH:
        return data, place.width
    full = Bundle(place.number) if isinstance(place, Bundle) else Tile(place.level, place.number)
    return fetch(full.path), TILE_WIDTH


def _edges(size: int) -> Iterator[Tile]:
    """The partial tiles, which together hash to the root: the highest first, so that entries come in order."""
    top = (size.bit_length() - 1) // TILE_HEIGHT
    for level in range(top, -1, -1):
        number, width = divmod(size >> TILE_HEIGHT * level, TILE_WIDTH)
        if width:
            yield Tile(level, number, width)


def _root_of_edges(hashes: Sequence[Sequence[bytes]]) -> bytes:
    """The root over the hashes of the partial tiles, highest level first."""
    root = b""
    for several in reversed(hashes):
        root = packed_root(b"".join(several) + root)
    return root
