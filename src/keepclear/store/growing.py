"""A tree that grows, of which nothing but the right edge is in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from keepclear.record.merkle import leaf_hash, tree_root
from keepclear.record.tile_reading import edge_tiles, hash_reader
from keepclear.record.tiles import Gain, Tile, grown_tiles, tile_at

__all__ = ["Growing"]


class Growing:
    """A tree and what is added to it.

    Parameters
    ----------
    size
        How many entries it has.
    edges
        Its partial tiles, verified.
    """

    def __init__(self, size: int, edges: Mapping[Tile, bytes]) -> None:
        self.size = size
        self.edges = dict(edges)

    def add(self, leaves: Sequence[bytes]) -> dict[tuple[int, int], Gain]:
        """Add entries, and say what their tiles gain."""
        gains = grown_tiles(self.size, [leaf_hash(leaf) for leaf in leaves], hash_reader(self._fetch, self.size))
        self.size += len(leaves)
        partial = edge_tiles(self.size)
        edges = {tile: self.edges[tile] for tile in partial if tile in self.edges}
        for (level, number), gain in gains.items():
            tile = tile_at(level, number, self.size)
            if tile in partial:
                before = self.edges[Tile(level, number, gain.offset)] if gain.offset else b""
                edges[tile] = before + gain.hashes
        self.edges = edges
        return gains

    def root(self) -> bytes:
        """The root of the tree as it is now."""
        return tree_root(self.size, hash_reader(self._fetch, self.size))

    def _fetch(self, tiles: Sequence[Tile]) -> list[bytes]:
        return [self.edges[tile] for tile in tiles]
