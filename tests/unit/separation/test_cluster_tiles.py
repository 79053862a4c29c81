"""What a cluster is sent: no position that a tile needs is left behind, and no other is sent."""

from __future__ import annotations

import math

import numpy as np
import pytest

from keepclear.separation import cluster_tiles
from keepclear.separation.cluster_tiles import ClusterTiles, columns_of_part
from keepclear.separation.kept import Kept
from keepclear.separation.legs import TrackColumns
from keepclear.separation.search import Limits


def made_columns(seed: int, *, by_position: bool) -> TrackColumns:
    """Tracks of one position and more, some of whose slips are without limit."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(1, 9, 40)
    first = np.concatenate(([0], np.cumsum(counts)))
    many = int(first[-1])
    time_s = np.concatenate([np.sort(rng.integers(0, 40, n)).astype(np.float64) for n in counts])
    shape = many if by_position else len(counts)
    early, late = (np.where(rng.random(shape) < 0.1, math.inf, rng.integers(0, 4, shape) * 1.0) for _ in range(2))
    lon, lat, height = rng.random((3, many))
    operation, reference = np.arange(len(counts), dtype=np.int32), rng.integers(0, 4, len(counts)).astype(np.int8)
    return TrackColumns(
        time_s, lon, lat, height, first, operation, reference, rng.random(len(counts)), rng.random(len(counts)) < 0.5,
        rng.random(shape), early, late,
    )  # fmt: skip


def limits_of(time_s: float) -> Limits:
    one = np.zeros((1, 1))
    return Limits(one, one, one + time_s, np.zeros(40, np.int32), compare_own=True)


def wanted(columns: TrackColumns, low: float, high: float, time_s: float) -> list[tuple[int, int, int]]:
    """Of each track that is under way between two times its number and its first and last position, the slow way."""
    found = []
    for track, (begin, end) in enumerate(zip(columns.first[:-1], columns.first[1:], strict=True)):
        rows = slice(begin, end) if columns.by_position else track
        early, late = np.max(columns.early_s[rows]), np.max(columns.late_s[rows]) + time_s
        at = range(begin, end)
        behind = [k for k in at if columns.time_s[k] < low - 1e-3 - late]
        ahead = [k for k in at if columns.time_s[k] >= high + 1e-3 + early]
        if len(behind) < len(at) and len(ahead) < len(at):
            start = begin + len(behind)
            stop = end - len(ahead)
            found.append((track, max(int(begin), int(start) - 2), min(int(end), int(stop) + 2)))
    return found


@pytest.mark.parametrize("by_position", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_a_tile_gets_what_bounds_the_legs_under_way_in_it(
    seed: int, *, by_position: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster_tiles, "_LEAST_TILE", 10)
    columns, time_s = made_columns(seed, by_position=by_position), float(seed % 3)
    cut = ClusterTiles(columns, limits_of(time_s), 7)
    assert len(cut.tiles) > 3
    assert [cut.tiles[0].low_s, cut.tiles[-1].high_s] == [-math.inf, math.inf]
    assert all(one.high_s == next_one.low_s for one, next_one in zip(cut.tiles, cut.tiles[1:], strict=False))
    kept = Kept()
    for tile in cut.tiles:
        sent = columns_of_part(cut.part(tile), kept)
        ranges = wanted(columns, tile.low_s, tile.high_s, time_s)
        rows = np.concatenate([np.arange(low, high) for _, low, high in ranges])
        tracks = [track for track, _, _ in ranges]
        assert np.array_equal(np.diff(sent.first), [high - low for _, low, high in ranges])
        for name in ("time_s", "lon_deg", "lat_deg", "height_m"):
            assert np.array_equal(getattr(sent, name), getattr(columns, name)[rows])
        for name in ("operation", "reference", "gap_s"):
            assert np.array_equal(getattr(sent, name), getattr(columns, name)[tracks])
        for name in ("uncertainty_m", "early_s", "late_s"):
            assert np.array_equal(getattr(sent, name), getattr(columns, name)[rows if by_position else tracks])
        assert sent.by_position == by_position or len(rows) == len(tracks)


def test_what_comes_read_only_or_not_aligned_is_as_the_kernels_take_it() -> None:
    columns = made_columns(1, by_position=False)
    cut = ClusterTiles(columns, limits_of(0.0), 1)
    numbers, of_track = cut.part(cut.tiles[0])
    shifted = np.frombuffer(b"x" + numbers.tobytes(), np.float64, offset=1).reshape(numbers.shape)
    frozen = tuple(np.frombuffer(array.tobytes(), array.dtype) for array in of_track)
    assert not shifted.flags.aligned
    assert not any(array.flags.writeable for array in (shifted, *frozen))
    sent = columns_of_part((shifted, frozen), Kept())
    for name in TrackColumns.__slots__:
        array = getattr(sent, name)
        assert array.flags.aligned
        assert array.flags.writeable
        assert array.flags.c_contiguous
        assert np.array_equal(array, getattr(columns, name))
