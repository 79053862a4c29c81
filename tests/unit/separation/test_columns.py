"""Tracks that were read together stand end to end already: their columns are taken as they are, and no others'."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from keepclear.formats.registry import read_many
from keepclear.model.extents import Track, TrackBasis
from keepclear.model.heights import HeightReference
from keepclear.model.kinds import GAP_LIMIT_S
from keepclear.model.operations import Operation
from keepclear.separation.legs import TrackColumns, columns_of

COLUMNS = ("time_s", "lon_deg", "lat_deg", "height_m")


@pytest.fixture
def read(tmp_path) -> tuple[Operation, ...]:
    """Five flights of unequal length that all begin at the same moment; two have the same times."""
    rows = [
        f"{name},{party},{1.6e9 + 10 * k:.0f},{47.0 + 0.001 * k + 0.01 * number},{7.0 + 0.002 * k},{900 + number}"
        for number, (name, party, many) in enumerate((("a", "A", 7), ("b", "B", 3), ("c", "A", 3), ("d", "C", 1),
                                                      ("e", "B", 9)))
        for k in range(many)
    ]  # fmt: skip
    path = tmp_path / "flights.csv"
    path.write_text("\n".join(["operation,party,time,lat,lon,height_m", *rows]) + "\n")
    return read_many([str(path)]).operations


def columns(operations: Sequence[Operation]) -> TrackColumns:
    return columns_of(operations, dict(GAP_LIMIT_S))


def must_be_those_of(found: TrackColumns, operations: Sequence[Operation]) -> None:
    tracks = [track for operation in operations for track in operation.tracks]
    for name in COLUMNS:
        one_by_one = np.concatenate([getattr(track, name) for track in tracks])
        assert np.array_equal(getattr(found, name), one_by_one)
        assert getattr(found, name).flags.carray, "or the kernels would be compiled anew"


def is_shared(found: TrackColumns, operations: Sequence[Operation]) -> bool:
    return all(np.shares_memory(getattr(found, name), getattr(operations[0].tracks[0], name)) for name in COLUMNS)


def with_track(operation: Operation, track: Track) -> Operation:
    return replace(operation, tracks=(track,))


def test_all_of_a_file_or_a_run_of_it_is_not_copied(read):
    for some in (read, read[1:], read[:3], read[2:3]):
        found = columns(some)
        must_be_those_of(found, some)
        assert is_shared(found, some)


@pytest.mark.parametrize("order", [[1, 0, 2, 3, 4], [0, 2, 1, 3, 4], [0, 1, 3, 4], [0, 0], [4, 3, 2, 1, 0], [1, 2, 1]])
def test_in_another_order_or_with_some_left_out_they_are(read, order):
    some = [read[number] for number in order]
    found = columns(some)
    must_be_those_of(found, some)
    assert not is_shared(found, some)


def test_what_was_changed_or_made_otherwise_is_taken_as_it_is(read):
    track = read[1].tracks[0]
    moved = replace(track, lat_deg=track.lat_deg + 1.0)
    assert (track.row, moved.row) == (7, -1)
    for other in (moved, copy.deepcopy(track), pickle.loads(pickle.dumps(track))):
        some = [read[0], with_track(read[1], other), *read[2:]]
        found = columns(some)
        must_be_those_of(found, some)
        assert not is_shared(found, some)
    alone = [with_track(read[1], pickle.loads(pickle.dumps(track)))]
    must_be_those_of(columns(alone), alone)


def test_tracks_of_two_files_that_would_follow_each_other_are_copied(read, tmp_path):
    second = tmp_path / "second.csv"
    second.write_text((tmp_path / "flights.csv").read_text().replace(",901", ",1901"))
    others = read_many([str(second)]).operations
    some = [read[0], *others[1:]]
    assert [one.tracks[0].row for one in some] == [one.tracks[0].row for one in read]
    found = columns(some)
    must_be_those_of(found, some)
    assert not is_shared(found, some)


@pytest.mark.parametrize("cut", [slice(3, None), slice(None, None, 2), slice(0, -1)], ids=["later", "thinned", "same"])
def test_rows_of_a_column_that_is_itself_a_part_are_not_mistaken_for_those_of_the_whole(cut):
    whole = {name: np.random.default_rng(5).uniform(1.0, 2.0, 60) for name in COLUMNS}
    whole["time_s"].sort()
    columns_there = {name: column[cut] for name, column in whole.items()}
    starts = [0, 4, 9, 20]
    tracks = []
    for start, stop in pairwise(starts):
        track = Track.of_checked(
            *(columns_there[name][start:stop] for name in COLUMNS), HeightReference.W84, TrackBasis.PLANNED
        )
        object.__setattr__(track, "row", start)
        tracks.append(Operation("A", str(start), tracks=(track,)))
    must_be_those_of(columns(tracks), tracks)
    assert is_shared(columns(tracks), tracks) == (cut == slice(0, -1))


def test_nobody_can_change_what_was_read(read):
    for name in COLUMNS:
        with pytest.raises(ValueError, match="read-only"):
            getattr(read[0].tracks[0], name)[0] = 0.0
