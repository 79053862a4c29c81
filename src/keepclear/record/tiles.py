"""Tiles and entry bundles, as which a log is published: C2SP tlog-tiles.

A tile is up to 256 hashes of one level, end to end. Level 0 holds the leaf hashes, and each hash of a higher level is
the root of a full tile of the level below, so that tile level l is level 8·l of the Merkle tree. A bundle is the
entries themselves that hash to a tile of level 0.

The last tile of a level is partial unless it is full: a tree of each size has its own, and its width is in its path.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from keepclear.errors import Fault, InputError, PeerError
from keepclear.record.merkle import MAX_SIZE, HashReader, grown

__all__ = [
    "ENTRY_MOST_BYTES",
    "TILE_HEIGHT",
    "TILE_WIDTH",
    "Bundle",
    "Gain",
    "Tile",
    "bundles_between",
    "bundles_of",
    "decode_bundle",
    "encode_bundle",
    "grown_tiles",
    "parse_path",
    "tile_at",
    "tiles_between",
    "tiles_of",
]

TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT
ENTRY_MOST_BYTES = 65_535  # what the length before an entry can say

_MOST_LEVEL = 63
_LONGEST_PATH = 64  # "tile/63/", seven groups for the largest number, ".p/255" and some to spare
_PATH = re.compile(
    r"tile/(?P<level>entries|0|[1-9][0-9]?)/(?P<number>(?:x[0-9]{3}/)*[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile of hashes: which it is, not what is in it.

    Parameters
    ----------
    level, number
        Its level, 0 to 63, and its place in the level, counted from 0.
    width
        How many hashes it has: 256 if it is full, 1 to 255 if it is partial.

    Raises
    ------
    InputError
        If there can be no such tile.

    Examples
    --------
    >>> Tile(0, 1234067, 112).path
    'tile/0/x001/x234/067.p/112'
    """

    level: int
    number: int
    width: int = TILE_WIDTH

    def __post_init__(self) -> None:
        if not 0 <= self.level <= _MOST_LEVEL:
            raise InputError(Fault("no level of a tile", f"from 0 to {_MOST_LEVEL}", value=str(self.level)))
        _must_be_place(self.number, self.width)

    @property
    def path(self) -> str:
        """Where it is served, below the log's prefix."""
        return f"tile/{self.level}/{_number_path(self.number, self.width)}"

    @property
    def parent(self) -> tuple[int, int]:
        """The (level, number) of the tile whose hash at ``number % 256`` is this one's root once it is full."""
        return self.level + 1, self.number >> TILE_HEIGHT

    @classmethod
    def of_path(cls, path: str) -> Tile:
        """The tile served there.

        Raises
        ------
        PeerError
            If no tile of hashes is: each has exactly one path.
        """
        place = parse_path(path)
        if not isinstance(place, Tile):
            raise PeerError("the path is that of a bundle of entries, not of a tile of hashes")
        return place


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle of entries: those whose leaf hashes are the tile of level 0 with this number and width.

    Raises
    ------
    InputError
        If there can be no such bundle.

    Examples
    --------
    >>> Bundle(67).path
    'tile/entries/067'
    """

    number: int
    width: int = TILE_WIDTH

    def __post_init__(self) -> None:
        _must_be_place(self.number, self.width)

    @property
    def path(self) -> str:
        """Where it is served, below the log's prefix."""
        return f"tile/entries/{_number_path(self.number, self.width)}"

    @property
    def start(self) -> int:
        """Index of its first entry."""
        return self.number << TILE_HEIGHT

    @property
    def tile(self) -> Tile:
        """The tile of its leaf hashes."""
        return Tile(0, self.number, self.width)

    @classmethod
    def of_path(cls, path: str) -> Bundle:
        """The bundle served there.

        Raises
        ------
        PeerError
            If no bundle is: each has exactly one path.
        """
        place = parse_path(path)
        if not isinstance(place, Bundle):
            raise PeerError("the path is that of a tile of hashes, not of a bundle of entries")
        return place


def parse_path(path: str) -> Tile | Bundle:
    """The tile or bundle that is served at this path, relative to the log's prefix.

    Raises
    ------
    PeerError
        If the path is not exactly that of a tile or a bundle.
    """
    match = _PATH.fullmatch(path) if len(path) <= _LONGEST_PATH else None
    if match is None:
        raise PeerError("not the path of a tile or of a bundle of entries")
    number = int(match["number"].replace("/", "").replace("x", ""))
    width = int(match["width"] or TILE_WIDTH)
    try:
        place = Bundle(number, width) if match["level"] == "entries" else Tile(int(match["level"]), number, width)
    except InputError as error:
        raise PeerError(f"not the path of a tile or of a bundle of entries: {error}") from None
    if place.path != path:  # x000/067 for 067, or .p/256 for a full one
        raise PeerError("not the path of a tile or of a bundle of entries: there is a shorter way to write it")
    return place


# --- which of them there are ---------------------------------------------------------------------------------------


def tile_at(level: int, number: int, size: int) -> Tile:
    """The tile with this level and number as a tree of `size` entries has it.

    Raises
    ------
    InputError
        If that tree has no such tile.
    """
    width = min((size >> TILE_HEIGHT * level) - (number << TILE_HEIGHT), TILE_WIDTH)
    return Tile(level, number, width)


def tiles_of(size: int) -> Iterator[Tile]:
    """All tiles of a tree of `size` entries: level by level from 0, and from the left."""
    return tiles_between(0, size)


def tiles_between(old_size: int, new_size: int) -> Iterator[Tile]:
    """The tiles to publish when a tree has grown: those of the new size that the old one did not have.

    Level by level from 0, and from the left. The old tree's partial tiles stay where they are; they may go once the
    full ones are published.

    Raises
    ------
    InputError
        If the sizes are not those of a tree that grew.
    """
    _must_be_growth(old_size, new_size)
    return _tiles_between(old_size, new_size)


def bundles_of(size: int) -> Iterator[Bundle]:
    """All bundles of a log of `size` entries, from the left."""
    return bundles_between(0, size)


def bundles_between(old_size: int, new_size: int) -> Iterator[Bundle]:
    """The bundles to publish when a log has grown, as `tiles_between`."""
    _must_be_growth(old_size, new_size)
    return (Bundle(number, width) for number, width in _places_between(old_size, new_size))


# --- what is in them -----------------------------------------------------------------------------------------------


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """The bytes of a bundle of 1 to 256 entries: before each, its length in two bytes, the higher first.

    Raises
    ------
    InputError
        If there are none or more than 256 of them, or one has more than 65,535 bytes.
    """
    if not 1 <= len(entries) <= TILE_WIDTH:
        raise InputError(Fault("no number of entries of a bundle", "from 1 to 256", value=str(len(entries))))
    longest = max(map(len, entries))
    if longest > ENTRY_MOST_BYTES:
        raise InputError(Fault("an entry is too long", f"at most {ENTRY_MOST_BYTES} bytes", value=f"{longest} bytes"))
    return b"".join([len(entry).to_bytes(2, "big") + entry for entry in entries])


def decode_bundle(data: bytes, *, width: int) -> list[bytes]:
    """The entries of a bundle of `width` of them.

    Raises
    ------
    PeerError
        If the bytes are not exactly that.
    """
    entries: list[bytes] = []
    at = 0
    for _ in range(width):
        start = at + 2
        at = start + int.from_bytes(data[at:start], "big")
        if len(data) < max(start, at):
            raise PeerError(f"a bundle of {width} entries breaks off in entry {len(entries)}, counted from 0")
        entries.append(data[start:at])
    if at != len(data):
        raise PeerError(f"a bundle of {width} entries has {len(data) - at} bytes after the last one")
    return entries


class Gain(NamedTuple):
    """What a tile gains: hashes, end to end, that stand after the first `offset` ones, which do not change."""

    offset: int
    hashes: bytes


def grown_tiles(size: int, leaf_hashes: Sequence[bytes], read: HashReader) -> dict[tuple[int, int], Gain]:
    """What each tile of a tree of `size` entries gains by these leaves, by (tile level, number).

    Parameters
    ----------
    size, leaf_hashes, read
        As for `keepclear.record.merkle.grown`, which also says what is raised.
    """
    gained = grown(size, leaf_hashes, read)
    tiles: dict[tuple[int, int], list[bytes]] = {}
    for (level, index), value in gained.items():  # in order, within each level
        if level % TILE_HEIGHT == 0:
            tiles.setdefault((level // TILE_HEIGHT, index >> TILE_HEIGHT), []).append(value)
    gains = {}
    for (level, number), hashes in tiles.items():
        before = (size >> TILE_HEIGHT * level) - (number << TILE_HEIGHT)
        gains[level, number] = Gain(max(before, 0), b"".join(hashes))
    return gains


# --- inside --------------------------------------------------------------------------------------------------------


def _tiles_between(old_size: int, new_size: int) -> Iterator[Tile]:
    level = 0
    while new_size:
        for number, width in _places_between(old_size, new_size):
            yield Tile(level, number, width)
        level, old_size, new_size = level + 1, old_size >> TILE_HEIGHT, new_size >> TILE_HEIGHT


def _places_between(old: int, new: int) -> Iterator[tuple[int, int]]:
    """(number, width) of the tiles of one level that change as it grows from `old` to `new` hashes."""
    for number in range(old >> TILE_HEIGHT, new >> TILE_HEIGHT):
        yield number, TILE_WIDTH
    if new % TILE_WIDTH and new != old:
        yield new >> TILE_HEIGHT, new % TILE_WIDTH


def _number_path(number: int, width: int) -> str:
    digits = str(number)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    partial = "" if width == TILE_WIDTH else f".p/{width}"
    return "/".join([f"x{group}" for group in groups[:-1]] + groups[-1:]) + partial


def _must_be_place(number: int, width: int) -> None:
    if not 0 <= number <= MAX_SIZE:
        raise InputError(Fault("no number of a tile", f"from 0 to {MAX_SIZE}"))
    if not 1 <= width <= TILE_WIDTH:
        raise InputError(Fault("no width of a tile", f"from 1 to {TILE_WIDTH}", value=str(width)))


def _must_be_growth(old_size: int, new_size: int) -> None:
    if not 0 <= old_size <= new_size <= MAX_SIZE:
        raise InputError(Fault("not the sizes of a tree that grew", f"from 0 to {MAX_SIZE}, the smaller first"))
