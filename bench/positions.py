"""Positions of many operations as flat arrays: what every competitor in the benchmark is given."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

__all__ = ["GAP_S", "HORIZONTAL_M", "TOLERANCE_M", "VERTICAL_M", "Legs", "Positions", "read_positions", "swiss_day"]

HORIZONTAL_M = 9260.0  # 5 NM
VERTICAL_M = 304.8  # 1,000 ft
TOLERANCE_M = 0.001  # closer than the minima by more than this is a conflict; touching is not
GAP_S = 60.0  # further apart than this, two positions are not joined by a leg: nothing is known between them
FOOT_M = 0.3048

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False, slots=True)
class Positions:
    """Positions ordered by operation and time.

    Attributes
    ----------
    operation
        Index into `names`, shape (n,), never going back.
    time_s, lat_deg, lon_deg, height_m
        Shape (n,): seconds since the epoch, WGS84 degrees, metres.
    names, parties
        One of each for every operation.
    """

    operation: Ints
    time_s: Floats
    lat_deg: Floats
    lon_deg: Floats
    height_m: Floats
    names: tuple[str, ...]
    parties: tuple[str, ...]

    def legs(self) -> Legs:
        """Legs between neighbouring positions of one operation that are no gap."""
        joined = (self.operation[1:] == self.operation[:-1]) & (np.diff(self.time_s) <= GAP_S)
        first = np.flatnonzero(joined)
        return Legs(first, first + 1, self.operation[first])

    def only(self, keep: npt.NDArray[np.bool_]) -> Positions:
        """Those positions alone, with the operations that still have any."""
        left, operation = np.unique(self.operation[keep], return_inverse=True)
        return Positions(
            operation.astype(np.int64),
            self.time_s[keep],
            self.lat_deg[keep],
            self.lon_deg[keep],
            self.height_m[keep],
            tuple(self.names[i] for i in left),
            tuple(self.parties[i] for i in left),
        )

    def within(self, start_s: float, end_s: float) -> Positions:
        """Positions from `start_s` up to, not including, `end_s`."""
        return self.only((self.time_s >= start_s) & (self.time_s < end_s))

    def table(self) -> pa.Table:
        """Arrow table in keepclear's position format, one row a position, text as plain strings."""
        index = pa.array(self.operation)
        return pa.table(
            {
                "operation": pa.array(self.names).take(index),
                "party": pa.array(self.parties).take(index),
                "kind": pa.repeat("flight", len(index)),
                "time": self.time_s,
                "lat": self.lat_deg,
                "lon": self.lon_deg,
                "height_m": self.height_m,
            }
        )

    def write(self, path: Path) -> None:
        """Write a Parquet file in keepclear's position format."""
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(self.table(), path, compression="zstd", row_group_size=1 << 20)


@dataclass(frozen=True, eq=False, slots=True)
class Legs:
    """Legs as indices of their first and last position; `operation` is the operation of each."""

    first: Ints
    last: Ints
    operation: Ints

    def __len__(self) -> int:
        return len(self.first)


def read_positions(path: Path) -> Positions:
    """Positions of a Parquet file in keepclear's position format, times in epoch seconds.

    Read with pyarrow alone, so that what is compared does not depend on the reader under test.
    """
    table = pq.read_table(path, columns=["operation", "party", "time", "lat", "lon", "height_m"])
    coded = table["operation"].combine_chunks().cast(pa.string()).dictionary_encode()
    names = [str(name) for name in coded.dictionary.to_pylist()]
    code = coded.indices.to_numpy().astype(np.int64)
    time_s = np.asarray(table["time"].to_numpy(), np.float64)
    order = np.lexsort((time_s, code))
    code = code[order]
    party_column = table["party"].combine_chunks().cast(pa.string())
    firsts = np.searchsorted(code, np.arange(len(names)))
    parties = party_column.take(pa.array(order[firsts])).to_pylist()
    column = {name: np.asarray(table[name].to_numpy(), np.float64)[order] for name in ("lat", "lon", "height_m")}
    return Positions(
        code, time_s[order], column["lat"], column["lon"], column["height_m"], tuple(names), tuple(map(str, parties))
    )


def swiss_day() -> Positions:
    """The sample "switzerland" of the package ``traffic``: 1,243 flights, 139,098 positions of 2018-08-01.

    An operation is a callsign; its party is the callsign's first three letters where they are an airline's
    designator, else "unknown". Altitudes are barometric feet, taken as metres above the ellipsoid.
    """
    from traffic.data.samples import switzerland  # the `bench` extra

    data: Any = switzerland.data.sort_values(["callsign", "timestamp"])
    callsign = data["callsign"].to_numpy(dtype=str)
    names, operation = np.unique(callsign, return_inverse=True)
    moment = data["timestamp"].dt.tz_convert(None).astype("datetime64[ns]").to_numpy()
    lat_deg, lon_deg, altitude_ft = (
        np.array(data[column].to_numpy(dtype=np.float64)) for column in ("latitude", "longitude", "altitude")
    )  # copies: what Arrow hands out is read-only, a type of its own to a compiled kernel
    return Positions(
        operation.astype(np.int64),
        moment.astype("datetime64[ms]").astype(np.int64) / 1000.0,
        lat_deg,
        lon_deg,
        altitude_ft * FOOT_M,
        tuple(map(str, names)),
        tuple(_designator(str(name)) for name in names),
    )


def _designator(callsign: str) -> str:
    # An airline's callsign is its three-letter designator and then a flight number, which begins with a digit
    # (ICAO Doc 8585; Annex 10 vol. II, 5.2.1.7.2.1). A bare registration such as HBJGP has no airline.
    airline = len(callsign) > 3 and callsign[:3].isalpha() and callsign[3].isdigit()
    return callsign[:3] if airline else "unknown"
