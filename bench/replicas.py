"""Larger days made of the Swiss one: shifted in place and time, asynchronous, with uneven legs.

The stock day is too small and too regular to show an index: every leg lasts 10 s, on one time grid. Each replica of a
flight is therefore resampled at its own random instants, 5 to 60 s apart (log-uniform), on the path flown.

Two ways to grow, both from fixed seeds:

- *constant* density: copies stand 5° of longitude apart (the day is 4.6° wide, and turning about the Earth's axis
  changes no distance) and on successive days, so that a flight has as many neighbours in the tenth million as in the
  first;
- *growing* density: all copies share the area and the day, each moved by up to half a degree and by any time, so
  that pairs in conflict grow with the square of the size.
"""

from __future__ import annotations

import argparse
import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.positions import GAP_S, Positions, swiss_day

__all__ = ["DATA", "replica", "replica_file"]

DATA = Path(__file__).parent / "data"
SEED = 20180801
SHORTEST_S, LONGEST_S = 5.0, 59.9  # below the 60 s beyond which two flown positions are a gap
DAY_S = 86400.0
STOCK_STEP_S = 10.0
PLACE_DEG = 5.0
MOST_PLACES = 68  # so that no copy crosses the antimeridian, where most of the peers cannot follow

Floats = npt.NDArray[np.float64]


def replica(day: Positions, legs: int, *, growing: bool) -> Positions:
    """A set of exactly `legs` legs made of copies of `day`.

    Parameters
    ----------
    day
        The Swiss day.
    legs
        How many legs.
    growing
        Whether all copies share one area and day.
    """
    random = np.random.default_rng(SEED)
    copies: list[Positions] = []
    have = 0
    places = min(MOST_PLACES, math.ceil(2.0 * math.sqrt(legs / _mean_legs(day))))
    while have < legs:
        copy = _resampled(day, random)
        move = _crowded if growing else _spread
        copies.append(move(copy, len(copies), places, random))
        have += len(copy.time_s) - len(copy.names)
    return _cut(_together(copies), legs)


def replica_file(legs: int, *, growing: bool) -> Path:
    """Path of the replica of that size under ``bench/data``, made if it is not there."""
    path = DATA / f"{'growing' if growing else 'constant'}-{legs}.parquet"
    if not path.exists():
        replica(swiss_day(), legs, growing=growing).write(path)
    return path


def _mean_legs(day: Positions) -> float:
    """About how many legs one copy will have: the time flown over the mean of the log-uniform step."""
    mean_s = (LONGEST_S - SHORTEST_S) / math.log(LONGEST_S / SHORTEST_S)
    return float(len(day.legs()) * STOCK_STEP_S / mean_s)


def _resampled(day: Positions, random: np.random.Generator) -> Positions:
    """Every flight at instants of its own; a flight with a gap becomes two."""
    broken = (np.diff(day.operation) != 0) | (np.diff(day.time_s) > GAP_S)
    ends = np.concatenate(([0], np.flatnonzero(broken) + 1, [len(day.time_s)]))
    times, pieces, names, parties = [], [], [], []
    for low, high in pairwise(ends):
        source = slice(low, high)
        time_s = _uneven(day.time_s[low], day.time_s[high - 1], random)
        if len(time_s) < 2:
            continue
        columns = (day.lat_deg, day.lon_deg, day.height_m)
        pieces.append([np.interp(time_s, day.time_s[source], column[source]) for column in columns])
        times.append(time_s)
        names.append(f"{day.names[day.operation[low]]}@{int(day.time_s[low])}")
        parties.append(day.parties[day.operation[low]])
    operation = np.repeat(np.arange(len(times)), [len(piece) for piece in times])
    lat_deg, lon_deg, height_m = (np.concatenate(column) for column in zip(*pieces, strict=True))
    return Positions(operation, np.concatenate(times), lat_deg, lon_deg, height_m, tuple(names), tuple(parties))


def _uneven(start_s: float, end_s: float, random: np.random.Generator) -> Floats:
    """Random instants from start to end, to the millisecond."""
    most = int((end_s - start_s) / SHORTEST_S) + 2
    steps = np.exp(random.uniform(math.log(SHORTEST_S), math.log(LONGEST_S), most))
    instants = start_s + np.round(random.uniform(0.0, 10.0) + np.cumsum(steps) - steps[0], 3)
    return np.asarray(instants[instants <= end_s])


def _spread(copy: Positions, number: int, places: int, random: np.random.Generator) -> Positions:
    """The copy at its own place and day."""
    lon_deg = copy.lon_deg + PLACE_DEG * (number % places - places // 2) + random.uniform(-0.15, 0.15)
    late_s = DAY_S * (number // places) + random.uniform(-1800.0, 1800.0)
    return _moved(copy, copy.time_s + np.round(late_s, 3), copy.lat_deg, lon_deg, number)


def _crowded(copy: Positions, number: int, _places: int, random: np.random.Generator) -> Positions:
    """The copy in the same area and day as all others."""
    late_s = np.round(random.uniform(0.0, DAY_S), 3)
    start_s = np.floor(copy.time_s.min() / DAY_S) * DAY_S
    firsts = np.concatenate(([True], np.diff(copy.operation) != 0))
    # Whole flights are brought back into the day by their start, so that none is torn in two.
    days = np.floor((copy.time_s[firsts] + late_s - start_s) / DAY_S) * DAY_S
    time_s = copy.time_s + late_s - days[copy.operation]
    lat_deg = copy.lat_deg + random.uniform(-0.5, 0.5)
    return _moved(copy, time_s, lat_deg, copy.lon_deg + random.uniform(-0.5, 0.5), number)


def _moved(copy: Positions, time_s: Floats, lat_deg: Floats, lon_deg: Floats, number: int) -> Positions:
    names = tuple(f"{name}#{number}" for name in copy.names)
    return Positions(copy.operation, time_s, lat_deg, lon_deg, copy.height_m, names, copy.parties)


def _together(copies: list[Positions]) -> Positions:
    offsets = np.cumsum([0] + [len(copy.names) for copy in copies[:-1]])
    return Positions(
        np.concatenate([copy.operation + offset for copy, offset in zip(copies, offsets, strict=True)]),
        np.concatenate([copy.time_s for copy in copies]),
        np.concatenate([copy.lat_deg for copy in copies]),
        np.concatenate([copy.lon_deg for copy in copies]),
        np.concatenate([copy.height_m for copy in copies]),
        tuple(name for copy in copies for name in copy.names),
        tuple(party for copy in copies for party in copy.parties),
    )


def _cut(positions: Positions, legs: int) -> Positions:
    """The first positions that make up so many legs."""
    joined = np.concatenate(([0], np.cumsum(np.diff(positions.operation) == 0)))
    return positions.only(joined <= legs)


def main() -> None:
    """Write replicas."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("legs", nargs="+", type=int)
    parser.add_argument("--growing", action="store_true")
    chosen = parser.parse_args()
    for legs in chosen.legs:
        path = replica_file(legs, growing=chosen.growing)
        print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
