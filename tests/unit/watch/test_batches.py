"""Batches of positions: one text for the same positions, faults with their lines, and coarse that contains exact."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepclear.errors import InputError
from keepclear.line.coarse_grid import GRIDS_KM
from keepclear.model.heights import HeightReference
from keepclear.watch.batches import (
    Identity,
    Piece,
    batch_hash,
    coarsened,
    gathered,
    joined,
    read_batch,
    surface,
    two_places,
    written,
)

START_S = 1.7e9


def piece(lon, lat, *, unsure=0.0, step_s=3600.0, unit="p"):
    lon, lat = np.atleast_1d(np.asarray(lon, float)), np.atleast_1d(np.asarray(lat, float))
    n = len(lon)
    times = START_S + step_s * np.arange(n)
    nothing = np.full(n, np.nan)
    return Piece(Identity(unit=unit), HeightReference.UNKNOWN, times, lon, lat, nothing, np.full(n, float(unsure)))


positions = st.fixed_dictionaries(
    {"unit": st.sampled_from(["a", "b", "c d"]), "lon_deg": st.floats(-180, 180), "lat_deg": st.floats(-90, 90)},
    optional={"height_m": st.floats(-100, 20_000), "uncertainty_m": st.floats(0, 1e6),
              "height_reference": st.sampled_from(["W84", "MSL", "AGL", "std"])},
)  # fmt: skip


@given(st.lists(positions, min_size=1, max_size=20), st.randoms())
def test_the_same_positions_have_one_text_however_they_come(values, random):
    told = [one | {"time": f"2026-01-{1 + n:02}T09:00:00.5+03:00"} for n, one in enumerate(values)]
    text = written(gathered((f"line {n}", one) for n, one in enumerate(told)))
    shuffled = random.sample(told, len(told))
    lines = "\r\n".join(json.dumps(one, indent=None, ensure_ascii=random.random() < 0.5) for one in shuffled)
    again = read_batch(lines.encode())
    assert written(again) == text
    assert written(read_batch(text)) == text
    assert batch_hash(written(again)) == batch_hash(text)
    assert sum(map(len, again)) == len(told)


@given(
    st.floats(-180, 180), st.floats(-90, 90), st.sampled_from(GRIDS_KM), st.floats(0, 1e5), st.floats(0, 360),
)  # fmt: skip
def test_what_is_told_roughly_contains_the_exact_place_and_all_round_it(lon, lat, grid_km, unsure, bearing):
    from keepclear.geo.ellipsoid import _geod

    rough = coarsened(piece(lon, lat, unsure=unsure), grid_km)
    edge = _geod().fwd(lon, lat, bearing, unsure)
    _, _, apart_m = _geod().inv(float(rough.lon_deg[0]), float(rough.lat_deg[0]), edge[0], edge[1])
    assert apart_m <= float(rough.uncertainty_m[0])
    assert np.isnan(rough.height_m).all()


@given(st.floats(-179, 179), st.floats(-80, 80), st.sampled_from(GRIDS_KM))
def test_a_cell_is_no_wider_than_it_must_be(lon, lat, grid_km):
    rough = coarsened(piece(lon, lat), grid_km)
    assert float(rough.uncertainty_m[0]) < 1_600.0 * grid_km
    again = coarsened(rough, grid_km)
    assert (again.lon_deg[0], again.lat_deg[0]) == pytest.approx((rough.lon_deg[0], rough.lat_deg[0]))


def test_who_is_told_a_cell_again_and_again_learns_no_more():
    near = piece([41.001, 41.002, 41.003], [37.001, 37.002, 37.003])
    rough = coarsened(near, 5)
    assert len({*zip(rough.lon_deg.tolist(), rough.lat_deg.tolist(), strict=True)}) == 1


def test_a_unit_across_the_antimeridian_is_at_one_place():
    assert two_places(piece([179.9999, -179.9999], [0.0, 0.0], step_s=1.0)) == []
    assert len(two_places(piece([170.0, -170.0], [0.0, 0.0], step_s=1.0))) == 1
    assert piece([179.9, -179.9], [0.0, 1.0]).box == (-180.0, 0.0, 180.0, 1.0)


def test_pieces_are_joined_in_time_and_what_is_there_twice_is_once():
    whole = piece([41.0, 41.1, 41.2], [37.0] * 3)
    assert len(joined([whole, whole.taken(np.array([1, 2]))], Identity(unit="p"))) == 3
    early, late = whole.between(None, START_S + 1.0), whole.between(START_S + 1.0, None)
    assert (len(early), len(late)) == (1, 2)
    assert joined([late, early], Identity(unit="p")).lon_deg.tolist() == [41.0, 41.1, 41.2]


def test_heights_of_several_references_are_not_mixed():
    both = json.dumps({"unit": "p", "time": "2026-01-01T00:00:00Z", "lon_deg": 1, "lat_deg": 1, "height_m": 5})
    other = json.dumps(
        {"unit": "p", "time": "2026-01-01T01:00:00Z", "lon_deg": 1, "lat_deg": 1, "height_m": 9,
         "height_reference": "AMSL"}
    )  # fmt: skip
    pieces = read_batch(f"{both}\n{other}".encode())
    assert {str(one.reference) for one in pieces} == {"W84", "AMSL"}
    whole = joined(pieces, Identity(unit="p"))
    assert np.isnan(whole.height_m).sum() == 1


@pytest.mark.parametrize("data", [b"", b"\n\n", b" "])
def test_a_batch_without_a_position_is_none(data):
    with pytest.raises(InputError, match="no position in it"):
        read_batch(data)


def test_faults_are_bounded_and_the_last_says_so():
    with pytest.raises(InputError) as refused:
        read_batch(b"x\n" * 5000)
    assert len(refused.value.faults) <= 1001


def test_surface_agrees_with_the_compiled_one():
    from keepclear.geo.ellipsoid import surface_point

    lon, lat = np.array([0.0, 41.2, -179.0]), np.array([0.0, 37.0, -89.0])
    for row, (x, y) in zip(surface(lon, lat), zip(lon, lat, strict=True), strict=True):
        assert row == pytest.approx(surface_point(x, y), abs=1e-6)
