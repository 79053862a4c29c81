"""The tiles of one tree in a store, each of them verified up to a signed root before it is used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from keepclear.errors import IntegrityError, PeerError
from keepclear.record.merkle import HASH_BYTES, HashReader
from keepclear.record.tile_reading import authenticated, edge_tiles, hash_reader
from keepclear.record.tiles import TILE_HEIGHT, TILE_WIDTH, Tile
from keepclear.store.growing import Growing
from keepclear.store.log_store import DamagedError, LogStore

__all__ = ["TrustedTiles"]

_MOST_KNOWN = 256  # tiles of 8 KiB that are kept in memory once verified


class TrustedTiles:
    """The tiles of the tree of `size` entries with this `root`, which a verified checkpoint states.

    On making one, the right edge of the tree is hashed up to the root, and the last full tile of each level to the tile
    above it.

    Raises
    ------
    DamagedError
        If they do not.
    """

    def __init__(self, store: LogStore, origin: str, *, size: int, root: bytes) -> None:
        self._store, self._origin = store, origin
        self.size, self.root = size, root
        self._known: dict[Tile, bytes] = {}
        self.authentic(list(_last_tiles(size)))

    def authentic(self, tiles: Sequence[Tile]) -> Mapping[Tile, bytes]:
        """These tiles, verified up to the root."""
        try:
            known = authenticated(tiles, self._fetch, size=self.size, root=self.root, known=self._known)
        except DamagedError:
            raise
        except (IntegrityError, PeerError) as error:
            raise DamagedError(f"{self._store.name}: {self._origin}: {error}; {_affected(tiles)}") from error
        if len(self._known) + len(known) > _MOST_KNOWN:
            self._known = {tile: known[tile] for tile in edge_tiles(self.size)}
        self._known.update(known)
        return known

    def reader(self) -> HashReader:
        """Reads hashes of the tree, not verified: for what is verified as a whole afterwards. One query a call."""
        return hash_reader(self._fetch, self.size)

    def growing(self) -> Growing:
        """The tree as it is, to be grown."""
        return Growing(self.size, {tile: self._known[tile] for tile in edge_tiles(self.size)})

    def become(self, growing: Growing, root: bytes) -> None:
        """Go by the grown tree, which has become durable; full tiles that are known stay so."""
        self.size, self.root = growing.size, root
        self._known = {tile: data for tile, data in self._known.items() if tile.width == TILE_WIDTH}
        self._known.update(growing.edges)

    def _fetch(self, tiles: Sequence[Tile]) -> list[bytes]:
        """Tiles from memory where they are known, the others from the store in one query."""
        missing = [tile for tile in tiles if tile not in self._known]
        found = dict(zip(missing, self._store.tiles(self._origin, [(t.level, t.number) for t in missing]), strict=True))
        answer = []
        for tile in tiles:
            data = self._known.get(tile) or found[tile]
            if data is None or len(data) < tile.width * HASH_BYTES:
                problem = f"{tile.path} is missing or cut short"
                raise DamagedError(f"{self._store.name}: {self._origin}: {problem}; {_affected(tiles)}")
            answer.append(data[: tile.width * HASH_BYTES])
        return answer


def _last_tiles(size: int) -> Iterator[Tile]:
    """The last full tile of each level; those above them, up to the right edge, come by themselves."""
    level, count = 0, size
    while count >= TILE_WIDTH:
        yield Tile(level, (count >> TILE_HEIGHT) - 1)
        level, count = level + 1, count >> TILE_HEIGHT


def _affected(tiles: Sequence[Tile]) -> str:
    """Which entries cannot be proved without these tiles."""
    spans = [(t.number << TILE_HEIGHT * (t.level + 1), (t.number + 1) << TILE_HEIGHT * (t.level + 1)) for t in tiles]
    lowest, beyond = min((s for s, _ in spans), default=0), max((e for _, e in spans), default=0)
    told = f"what is between entries {lowest} and {beyond - 1} cannot all be proved until it is mended"
    return f"{told}; examine the log to see which"
