"""Encounters in real flights, those that the package ``traffic`` carries: ``python -m bench.real_encounters``.

Air-to-air refuelling, aircraft of a carrier, firefighting, and television relay: what is found, and how near they came.
The tables in docs/howto/encounters.md come from here. Not part of the tests: it needs the ``bench`` extra.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import numpy as np

from keepclear.agreements.facts import Flown
from keepclear.errors import InputError
from keepclear.model.extents import Track, TrackBasis
from keepclear.model.heights import HeightReference
from keepclear.model.kinds import Domain
from keepclear.separation.sentences import time_of_day
from keepclear.units import feet_to_metres
from keepclear.watch.encounters import Encounter, encounters
from keepclear.watch.flown import check_flown

SAMPLES = (
    ("air-to-air refuelling", "military", "inflight_refuelling"),
    ("aircraft of a carrier", "military", "aircraft_carrier"),
    ("firefighting, California", "firefighting", "calfire"),
    ("television relay, Tour de France", "tv_relay", "tour_de_france"),
    ("television relay, Vasaloppet", "tv_relay", "vasaloppet"),
)
ADSB_M = 100.0
"""How far off a position may be: containment of ADS-B as it is usually flown is better than 0.1 NM."""
LANDED_S = 1800.0
"""A longer silence than this, and it is another flight: what is on the ground in between is no encounter."""


def main() -> None:
    """Print what is found in each."""
    warnings.simplefilter("ignore")
    for title, module, name in SAMPLES:
        flights = _sample(module, name)
        if flights is None:
            continue
        tracks = list(_tracks(flights))
        began = time.perf_counter()
        found = encounters(tracks)
        took_s = time.perf_counter() - began
        positions = sum(len(one.track.time_s) for one in tracks)
        print(f"\n{title}: {len(tracks)} tracks, {positions:,} positions, {len(found)} encounters, {took_s:.1f} s")
        try:
            check_flown(tracks, now_s=time.time())
        except InputError as error:
            print(f"  refused by check_flown: {len(error.faults)} faults, the first: {error.faults[0]}")
        _told(found)


def _sample(module: str, name: str) -> Any:
    try:
        return getattr(import_module(f"traffic.data.samples.{module}"), name)
    except (ImportError, AttributeError) as error:
        print(f"{name}: not carried by this version ({error})", file=sys.stderr)
        return None


def _tracks(flights: Any) -> Iterator[Flown]:
    """One track for each aircraft and flight; each aircraft is held to be a party of its own."""
    every = flights.data.sort_values(["icao24", "timestamp"])
    silence_s = every["timestamp"].diff().dt.total_seconds().to_numpy(float)
    sortie = np.cumsum(np.abs(np.nan_to_num(silence_s)) > LANDED_S)
    for (icao, number), rows in every.groupby([every["icao24"], sortie]):
        data = rows.dropna(subset=["latitude", "longitude"]).sort_values("timestamp").drop_duplicates("timestamp")
        if len(data) < 2:
            continue
        times = data["timestamp"].dt.as_unit("ns").astype("int64").to_numpy() / 1e9
        height = feet_to_metres(1.0) * data["altitude"].to_numpy(dtype=float)
        track = Track(
            times.astype(float), data["longitude"].to_numpy(float), data["latitude"].to_numpy(float), height,
            HeightReference.FL, TrackBasis.FLOWN, ADSB_M,
        )  # fmt: skip
        name = str(data["callsign"].dropna().iloc[0]) if "callsign" in data and data["callsign"].notna().any() else ""
        yield Flown(
            str(icao), f"{name or icao}/{number}", track, None, "flight", gap_s=60.0, domains=frozenset({Domain.AIR})
        )


def _told(found: tuple[Encounter, ...]) -> None:
    kinds = Counter(one.answer.value for one in found)
    print(f"  {dict(kinds)}")
    certain = [one for one in found if one.certain_from_s is not None and one.approach is not None]
    for one in sorted(certain, key=lambda one: one.approach.horizontal_m)[:12]:  # type: ignore[union-attr]
        approach = one.approach
        assert approach is not None
        level = "?" if approach.vertical_m is None else f"{approach.vertical_m:,.0f}"
        assert one.certain_from_s is not None
        assert one.certain_to_s is not None
        minutes = (one.certain_to_s - one.certain_from_s) / 60.0
        print(
            f"  {one.a.unit} and {one.b.unit}: {approach.horizontal_m:,.0f} m ({approach.least_m:,.0f} to "
            f"{approach.greatest_m:,.0f}), {level} m in height, {time_of_day(one.certain_from_s)}, {minutes:.0f} min"
        )


if __name__ == "__main__":
    main()
