"""A log as another party's node serves it (C2SP tlog-tiles below the mirror's prefix), read over HTTP."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence

from keepclear.errors import PeerError
from keepclear.line.mirror_requests import Answer
from keepclear.record.tile_reading import TileFetch
from keepclear.record.tiles import TILE_WIDTH, Bundle, Tile, decode_bundle

__all__ = ["origin_path", "remote_checkpoint", "remote_leaves", "remote_tiles"]

Get = Callable[[str], Answer]
"""Gets a path below ``/line/v1/``."""


def origin_path(origin: str) -> str:
    """Where a log is served, below ``/line/v1/``."""
    return f"mirror/{hashlib.sha256(origin.encode()).hexdigest()}"


def remote_checkpoint(get: Get, origin: str) -> bytes:
    """The checkpoint that is served; nothing of it is verified."""
    return _body(get, f"{origin_path(origin)}/checkpoint")


def remote_tiles(get: Get, origin: str) -> TileFetch:
    """Gets tiles; nothing of them is verified."""

    def fetch(tiles: Sequence[Tile]) -> list[bytes]:
        return [_body(get, f"{origin_path(origin)}/{tile.path}") for tile in tiles]

    return fetch


def remote_leaves(get: Get, origin: str, start: int, stop: int) -> Iterator[bytes]:
    """Leaves from `start` to before `stop`, a bundle at a time; nothing of them is verified.

    Raises
    ------
    PeerError
        If one is not there, or is none.
    """
    while start < stop:
        number = start // TILE_WIDTH
        bundle = Bundle(number, min(TILE_WIDTH, stop - number * TILE_WIDTH))
        leaves = decode_bundle(_body(get, f"{origin_path(origin)}/{bundle.path}"), width=bundle.width)
        yield from leaves[start - bundle.start :]
        start = bundle.start + bundle.width


def _body(get: Get, path: str) -> bytes:
    answer = get(path)
    if answer.status != 200:
        raise PeerError(f"it answered {answer.status} to {path}")
    return answer.body
