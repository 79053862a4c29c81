"""Legs are cut so short that units are never further apart on their chords than on the surface, but by a millimetre."""

from __future__ import annotations

import math

import numpy as np
import pytest
from pyproj import Geod

from keepclear.geo.ellipsoid import LONGEST_LEG_M, farther_m, longest_leg_m, surface_points

GEOD = Geod(ellps="WGS84")
ALLOWED_M = 0.001
STEPS = 41
LATITUDES = (0.0, 1e-6, 20.0, 45.0, 70.0, 89.9, -89.99)


def vectors(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    out = np.empty((lon.size, 3))
    surface_points(np.ascontiguousarray(lon.ravel()), np.ascontiguousarray(lat.ravel()), out)
    return out.reshape(*lon.shape, 3)


def on_leg(lon: np.ndarray, lat: np.ndarray, azimuth: np.ndarray, length: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where units are on the shortest path, and where on its chord, at `STEPS` even times; shapes (n, STEPS, 3).

    `lon` and `lat` are the middles of legs, `azimuth` their directions there.
    """
    share = np.linspace(-0.5, 0.5, STEPS)
    wide = [np.broadcast_to(value[:, None], (len(lon), STEPS)).copy() for value in (lon, lat, azimuth)]
    there_lon, there_lat, _ = GEOD.fwd(*wide, length[:, None] * share)
    truth = vectors(np.asarray(there_lon), np.asarray(there_lat))
    chord = truth[:, :1] + (share + 0.5)[None, :, None] * (truth[:, -1:] - truth[:, :1])
    return truth, chord


def farther(horizontal_m: float, length_m: float, seed: int) -> float:
    """By how much the chords put units further apart that are truly closer than the minimum: the worst of many pairs.

    At any two moments of the two legs, so that slips in time are covered too.
    """
    rng = np.random.default_rng(seed)
    many = 900
    lat = rng.choice(LATITUDES, many)
    lon = rng.uniform(-180.0, 180.0, many)
    azimuth = np.where(rng.random(many) < 0.5, rng.choice([0.0, 90.0, 180.0, 45.0], many), rng.uniform(0, 360, many))
    # The other leg: parallel, opposite, crossing or any; its middle at about the minimum, so that some of the moments
    # of the two are just within it. Its length: the longest, or none.
    turned = np.where(rng.random(many) < 0.7, rng.choice([0.0, 180.0, 90.0], many), rng.uniform(0, 360, many))
    away = horizontal_m + rng.choice([0.0, 1.0], many) * rng.uniform(-1.0, 1.0, many) * length_m
    bearing = azimuth + np.where(rng.random(many) < 0.7, rng.choice([0.0, 90.0], many), rng.uniform(0, 360, many))
    other_lon, other_lat, back = (np.asarray(value) for value in GEOD.fwd(lon, lat, bearing, away))
    other_length = length_m * np.where(rng.random(many) < 0.3, rng.uniform(0.0, 1.0, many), 1.0)
    a, chord_a = on_leg(lon, lat, azimuth, np.full(many, length_m))
    b, chord_b = on_leg(other_lon, other_lat, back + 180.0 - bearing + azimuth + turned, other_length)
    worst = -math.inf
    for k in range(many):
        true = np.linalg.norm(a[k][:, None] - b[k][None], axis=2)
        held = np.linalg.norm(chord_a[k][:, None] - chord_b[k][None], axis=2)
        just_within = (true <= horizontal_m) & (true > 0.999 * horizontal_m)
        worst = max(worst, float((held - true)[just_within].max(initial=-math.inf)))
    assert worst > -math.inf
    return worst


@pytest.mark.parametrize("horizontal_m", [30.0, 150.0, 500.0, 1_000.0, 2_000.0, 5_556.0, 9_260.0, 30_000.0, 100_000.0])
def test_units_are_never_more_than_a_millimetre_further_apart_on_their_chords(horizontal_m: float) -> None:
    worst = farther(horizontal_m, longest_leg_m(horizontal_m), int(horizontal_m))
    assert worst <= ALLOWED_M
    assert worst <= 1.002 * farther_m(longest_leg_m(horizontal_m), horizontal_m), "the bound that is stated holds"


@pytest.mark.parametrize("horizontal_m", [500.0, 1_000.0, 2_000.0])
def test_legs_much_longer_would_be_further_apart(horizontal_m: float) -> None:
    longer = next(length for length in np.arange(1e3, 1e5, 100.0) if farther_m(length, horizontal_m) > 3.0 * ALLOWED_M)
    assert farther(horizontal_m, float(longer), 1) > ALLOWED_M


def test_legs_are_as_long_as_the_sag_allows_but_never_longer_than_the_cap() -> None:
    assert longest_leg_m(500.0) == pytest.approx(5_987.0, abs=1.0)
    assert longest_leg_m(9_260.0) == LONGEST_LEG_M == longest_leg_m(1e6)
    for horizontal_m in np.geomspace(0.001, 1e6, 400).tolist():
        assert farther_m(longest_leg_m(horizontal_m), horizontal_m) <= ALLOWED_M
