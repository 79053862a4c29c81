"""The closest point of approach of the package ``traffic``, on at most an hour.

Judges: every pair of flights with overlapping boxes, resampled to 1 s, by geodesic distance and difference of
altitude. Does not judge: two flights of one aircraft. In release 2.13 its second filter compares each footprint with
itself and so excludes nothing; every pair is sent to a worker process.
"""

from __future__ import annotations

import logging
import time

import numpy as np
import pandas as pd
from cartopy import crs
from traffic.core import Traffic

from bench.peers.outcome import NotRun, Outcome
from bench.positions import FOOT_M, TOLERANCE_M, Positions

__all__ = ["find"]

MOST_SPAN_S = 3600.0


def find(positions: Positions, horizontal_m: float, vertical_m: float) -> Outcome:
    """Pairs closer than both minima at a second of the clock.

    Raises
    ------
    NotRun
        If the positions span more than an hour: it would take the better part of a day.
    """
    if np.ptp(positions.time_s) > MOST_SPAN_S:
        raise NotRun("given one hour only")
    began = time.perf_counter()
    logging.getLogger("traffic").setLevel(logging.ERROR)
    flights = Traffic(_frame(positions))
    ready = time.perf_counter()
    close = flights.closest_point_of_approach(
        horizontal_m, vertical_m / FOOT_M, projection=crs.EuroPP(), round_t="d", max_workers=2
    )
    pairs: frozenset[tuple[int, int]] = frozenset()
    if close is not None:
        near = close.data[
            (close.data.lateral * 1852.0 < horizontal_m - TOLERANCE_M)
            & (close.data.vertical * FOOT_M < vertical_m - TOLERANCE_M)
        ]
        number = {name: index for index, name in enumerate(positions.names)}
        both = zip(near.callsign_x.map(number), near.callsign_y.map(number), strict=True)
        pairs = frozenset((min(a, b), max(a, b)) for a, b in both)
    return Outcome(pairs, time.perf_counter() - ready, ready - began)


def _frame(positions: Positions) -> pd.DataFrame:
    names = np.asarray(positions.names)[positions.operation]
    return pd.DataFrame(
        {
            "timestamp": pd.to_datetime(positions.time_s, unit="s", utc=True).round("ms"),
            "icao24": [f"{index:06x}" for index in positions.operation],
            "callsign": names,
            "flight_id": names,
            "latitude": positions.lat_deg,
            "longitude": positions.lon_deg,
            "altitude": positions.height_m / FOOT_M,
            "groundspeed": 0.0,
            "track": 0.0,
        }
    )
