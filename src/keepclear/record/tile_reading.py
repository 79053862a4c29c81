"""Reading a Merkle tree from its tiles, trusting them or not.

`hash_reader` makes a reader of tree hashes from a function that fetches tiles: enough where the tiles are one's own,
or where what is made of them is verified anyway. `authenticated` trusts nothing but the root that a signed checkpoint
states: the partial tiles on the right edge must hash up to it, and a full tile's root must be the hash that stands for
it in the tile above.

A fetch is given tiles without repetition and answers with the bytes of each, in order. One that gets the full tile
instead of a partial one, as tlog-tiles allows, cuts it to the width asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import TypeAlias

from keepclear.errors import Fault, InputError, IntegrityError, PeerError
from keepclear.record.merkle import HASH_BYTES, MAX_SIZE, HashReader, leaf_hash, must_be_size, packed_root, tree_root
from keepclear.record.tiles import TILE_HEIGHT, TILE_WIDTH, Bundle, Tile, decode_bundle, tile_at

__all__ = ["TileFetch", "authenticated", "authenticated_entries", "edge_tiles", "hash_reader", "tiles_above"]

TileFetch: TypeAlias = Callable[[Sequence[Tile]], Sequence[bytes]]
"""Gives the bytes of each tile asked for, in order."""


def hash_reader(fetch: TileFetch, size: int) -> HashReader:
    """A reader of the hashes of a tree of `size` entries, from its tiles.

    Each call of the reader fetches each tile that it needs once, all of them in one call of `fetch`. It checks how
    long they are, not that they are right: see `authenticated`. The reader raises `PeerError` for a tile of the wrong
    length, and `InputError` if asked for a subtree that is not complete in the tree.
    """

    def read(pairs: Sequence[tuple[int, int]]) -> list[bytes]:
        places = [_place(level, index, size) for level, index in pairs]
        data = _fetched(dict.fromkeys(tile for tile, _, _ in places), fetch)
        return [_root_within(data[tile][first:last]) for tile, first, last in places]

    return read


# The same few tiles above are part of every proof, and most of the right edge of every append: at most about 4 MB.
_root_within = lru_cache(maxsize=4096)(packed_root)


def edge_tiles(size: int) -> tuple[Tile, ...]:
    """The partial tiles of a tree of `size` entries, at most one a level: together they hash up to its root.

    Raises
    ------
    InputError
        If `size` is no size of a tree.
    """
    must_be_size(size)
    tiles, level, count = [], 0, size
    while count:
        if count % TILE_WIDTH:
            tiles.append(Tile(level, count >> TILE_HEIGHT, count % TILE_WIDTH))
        level, count = level + 1, count >> TILE_HEIGHT
    return tuple(tiles)


def tiles_above(tile: Tile, size: int) -> tuple[Tile, ...]:
    """The tiles that authenticate a tile of a tree of `size` entries: from the next level up to a partial one.

    Raises
    ------
    InputError
        If that tree has no such tile.
    """
    if tile_at(tile.level, tile.number, size) != tile:
        raise InputError(Fault(f"a tree of {size} entries has no such tile", value=tile.path))
    above = []
    while tile.width == TILE_WIDTH:
        tile = tile_at(*tile.parent, size)
        above.append(tile)
    return tuple(above)


def authenticated(
    tiles: Iterable[Tile], fetch: TileFetch, *, size: int, root: bytes, known: Mapping[Tile, bytes] | None = None
) -> dict[Tile, bytes]:
    """The bytes of tiles of the tree of `size` entries with this `root`, verified, whoever they came from.

    Parameters
    ----------
    tiles
        Those that are wanted, a bounded number of them.
    fetch
        Called at most once: for these tiles, those above them, and those of the right edge, less the known ones.
    size, root
        Of a checkpoint whose signature has been verified.
    known
        Tiles that an earlier call returned for the same size and root. They are not fetched again, and are trusted.

    Returns
    -------
    dict
        The tiles that were wanted and those that authenticate them, which may be `known` to the next call.

    Raises
    ------
    InputError
        If the tree has no such tile.
    PeerError
        If a tile does not have the length of its width, or not as many are answered as were asked for.
    IntegrityError
        If a tile is not that of this tree.
    """
    known = known or {}
    needed = dict.fromkeys(edge_tiles(size))
    for tile in tiles:
        needed.update(dict.fromkeys((tile, *tiles_above(tile, size))))
    fresh = _fetched([tile for tile in needed if tile not in known], fetch)
    data = {tile: known[tile] if tile in known else fresh[tile] for tile in needed}
    if size == 0 or not all(tile in known for tile in edge_tiles(size)):
        _must_hash_up(data, size, root)
    for tile in fresh:
        if tile.width == TILE_WIDTH:
            _must_stand_above(tile, data, size)
    return data


def authenticated_entries(bundle: Bundle, data: bytes, hashes: bytes) -> list[bytes]:
    """The entries of a bundle, each of them hashing to what its tile of level 0 says.

    Parameters
    ----------
    bundle, data
        The bundle and its bytes.
    hashes
        The bytes of ``bundle.tile``, authenticated.

    Raises
    ------
    PeerError
        If the bytes are not a bundle of that width.
    IntegrityError
        If an entry is not the one that was logged.
    """
    entries = decode_bundle(data, width=bundle.width)
    if b"".join(map(leaf_hash, entries)) == hashes:
        return entries
    if len(hashes) != bundle.width * HASH_BYTES:
        raise PeerError(f"{bundle.tile.path} has {len(hashes)} bytes, not {bundle.width * HASH_BYTES}")
    wrong = [
        bundle.start + offset
        for offset, entry in enumerate(entries)
        if leaf_hash(entry) != hashes[offset * HASH_BYTES : (offset + 1) * HASH_BYTES]
    ]
    raise IntegrityError(f"{bundle.path}: {len(wrong)} entries are not what was logged, the first at index {wrong[0]}")


def _place(level: int, index: int, size: int) -> tuple[Tile, int, int]:
    """The tile whose hashes make up a complete subtree, and from which byte to which they stand in it."""
    if not (0 <= level < MAX_SIZE.bit_length() and 0 <= index < size >> level):
        raise InputError(Fault("not a complete subtree of the tree"))
    tile_level, height = divmod(level, TILE_HEIGHT)
    first = index << height
    tile = tile_at(tile_level, first >> TILE_HEIGHT, size)
    offset = first % TILE_WIDTH
    return tile, offset * HASH_BYTES, (offset + (1 << height)) * HASH_BYTES


def _fetched(tiles: Iterable[Tile], fetch: TileFetch) -> dict[Tile, bytes]:
    wanted = list(tiles)
    if not wanted:
        return {}
    answered = fetch(wanted)
    if len(answered) != len(wanted):
        raise PeerError(f"{len(answered)} tiles were answered where {len(wanted)} were asked for")
    for tile, data in zip(wanted, answered, strict=True):
        if len(data) != tile.width * HASH_BYTES:
            raise PeerError(f"{tile.path} has {len(data)} bytes, not {tile.width * HASH_BYTES}")
    return dict(zip(wanted, answered, strict=True))


def _must_hash_up(data: Mapping[Tile, bytes], size: int, root: bytes) -> None:
    """Check the right edge: every hash of every partial tile goes into the root, so all of them are right if it is."""
    if tree_root(size, hash_reader(lambda tiles: [data[tile] for tile in tiles], size)) != root:
        paths = ", ".join(tile.path for tile in edge_tiles(size)) or "no tiles"
        raise IntegrityError(f"the tiles of the right edge ({paths}) do not hash up to the root of {size} entries")


def _must_stand_above(tile: Tile, data: Mapping[Tile, bytes], size: int) -> None:
    """Check a full tile against the one above, which is either partial or checked likewise."""
    above = tile_at(*tile.parent, size)
    at = tile.number % TILE_WIDTH * HASH_BYTES
    if packed_root(data[tile]) != data[above][at : at + HASH_BYTES]:
        raise IntegrityError(f"{tile.path} is not what {above.path} says of it")
