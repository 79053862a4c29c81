"""Cut the busiest hour out of the Swiss day: ``python -m examples.switzerland.make_slice`` from the repository's root.

Needs the ``bench`` extra, which brings the package ``traffic`` and with it the sample. Run again, it writes the same
positions.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bench.positions import Positions, swiss_day

HOUR_S = 3600.0
TARGET = Path(__file__).with_name("busiest-hour.parquet")


def busiest_hour_s(positions: Positions) -> float:
    """Start of the clock hour with the most positions, seconds since the epoch."""
    hours, many = np.unique(positions.time_s // HOUR_S, return_counts=True)
    return float(hours[np.argmax(many)] * HOUR_S)


def main() -> None:
    """Write the slice beside this file."""
    day = swiss_day()
    start_s = busiest_hour_s(day)
    hour = day.within(start_s, start_s + HOUR_S)
    hour.write(TARGET)
    print(f"{TARGET.name}: {len(hour.names)} flights, {len(hour.time_s)} positions, {TARGET.stat().st_size} bytes")


if __name__ == "__main__":
    main()
