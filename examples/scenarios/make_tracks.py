"""Makes the invented routes and tracks of the scenarios; run as python examples/scenarios/make_tracks.py.

Each route is driven or flown at an even speed, with halts where they are given; a track is the route with where the
unit was every so many seconds. There is no chance in it: run again, it writes the same files.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from pyproj import Geod

HERE = Path(__file__).parent
WGS84 = Geod(ellps="WGS84")
Timed = tuple[float, float, float]  # seconds since the epoch, longitude, latitude

DARBASIYAH = [
    (40.652, 37.065), (40.55, 37.010), (40.40, 36.955), (40.25, 36.890), (40.25, 36.870), (40.40, 36.930),
    (40.55, 36.990), (40.40, 36.930), (40.55, 36.990), (40.652, 37.065),
]  # fmt: skip
DEEP = (40.25, 36.802)  # in the place of the fifth: 12 km from the border


def at(text: str) -> float:
    """Seconds since the epoch."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def text_of(time_s: float) -> str:
    """RFC 3339."""
    return datetime.fromtimestamp(round(time_s, 3), UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def driven(points: Sequence[tuple[float, float]], start_s: float, end_s: float, speed_m_s: float) -> list[Timed]:
    """A route at that speed, with what is left of the time spent in equal halts at the points between."""
    legs = [WGS84.inv(*a, *b)[2] for a, b in pairwise(points)]
    halt_s = (end_s - start_s - sum(legs) / speed_m_s) / (len(points) - 2)
    assert halt_s >= 0.0, halt_s
    made, now_s = [(start_s, *points[0])], start_s
    for number, (leg, point) in enumerate(zip(legs, points[1:], strict=True), start=1):
        now_s += leg / speed_m_s
        made.append((round(now_s), *point))
        if number < len(legs):
            now_s += halt_s
            made.append((round(now_s), *point))
    made[-1] = (end_s, *points[-1])
    return made


def even(points: Sequence[Timed]) -> list[Timed]:
    """As given."""
    return list(points)


def along(route: Sequence[Timed], every_s: float, *, behind_m: float = 0.0, beside_m: float = 0.0) -> Iterable[Timed]:
    """Where a unit was on a route, every so often; so far behind, and so far to the right of it."""
    time_s = route[0][0]
    while time_s <= route[-1][0] + 1e-6:
        before, after = next((a, b) for a, b in pairwise(route) if a[0] <= time_s <= b[0])
        azimuth, _, leg_m = WGS84.inv(before[1], before[2], after[1], after[2])
        share = (time_s - before[0]) / (after[0] - before[0]) if after[0] > before[0] else 0.0
        done_m = share * leg_m - (min(behind_m, share * leg_m) if leg_m else 0.0)
        lon, lat, _ = WGS84.fwd(before[1], before[2], azimuth, done_m)
        if beside_m:
            lon, lat, _ = WGS84.fwd(lon, lat, azimuth + 90.0, beside_m)
        yield time_s, lon, lat
        time_s += every_s


def orbit(
    center: tuple[float, float], radius_m: float, start_s: float, end_s: float, *, every_s: float, phase_deg: float
) -> Iterable[Timed]:
    """Round and round a place, once in ten minutes."""
    time_s = start_s
    while time_s <= end_s + 1e-6:
        azimuth = phase_deg + 360.0 * (time_s - start_s) / 600.0
        lon, lat, _ = WGS84.fwd(*center, azimuth, radius_m)
        yield time_s, lon, lat
        time_s += every_s


def write_track(path: Path, units: dict[str, Iterable[Timed]], *, height_m: float | None = None) -> None:
    """Positions as CSV: unit, time, longitude, latitude, and the height above the ellipsoid where it is given."""
    path.parent.mkdir(exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["unit", "time", "lon_deg", "lat_deg", *(["height_m"] if height_m is not None else [])])
        for unit, places in units.items():
            for time_s, lon, lat in places:
                height = [] if height_m is None else [f"{height_m:.0f}"]
                writer.writerow([unit, text_of(time_s), f"{lon:.6f}", f"{lat:.6f}", *height])


def write_route(path: Path, route: Sequence[Timed], **properties: Any) -> None:
    """A planned route as GeoJSON."""
    path.parent.mkdir(exist_ok=True)
    more = {"domain": "ground", "coordTimes": [text_of(one[0]) for one in route], **properties}
    coordinates = [[round(one[1], 6), round(one[2], 6)] for one in route]
    feature = {"type": "Feature", "properties": more, "geometry": {"type": "LineString", "coordinates": coordinates}}
    path.write_text(json.dumps(feature, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def darbasiyah() -> None:
    """The joint patrol, the same with a point too deep, and a straight leg to the west."""
    folder = HERE / "darbasiyah"
    start_s, end_s, speed = at("2019-11-01T09:00"), at("2019-11-01T13:00"), 45.0 / 3.6
    route = driven(DARBASIYAH, start_s, end_s, speed)
    slip = {"early_s": 300, "late_s": 600, "uncertainty_m": 200, "kind": "patrol"}
    deep = driven([*DARBASIYAH[:4], DEEP, *DARBASIYAH[5:]], start_s, end_s, 50.0 / 3.6)
    lon, lat, _ = WGS84.fwd(*DARBASIYAH[0], 244.0, 55_000.0)
    west = [(start_s, *DARBASIYAH[0]), (start_s + 4000.0, lon, lat)]
    early = [(one[0] - 4 * 86_400.0, *one[1:]) for one in route]
    plans = {"patrol": route, "patrol-tr": route, "too-deep": deep, "west": west, "too-early": early}
    for name, points in plans.items():
        write_route(folder / "plans" / f"{name}.geojson", points, id=name, name="joint patrol", **slip)
    write_track(folder / "tracks" / "ru.csv", {"patrol": along(route, 30.0)})
    write_track(folder / "tracks" / "tr.csv", {"patrol-tr": along(route, 30.0, behind_m=100.0)})


def deir_gusun() -> None:
    """Two patrols that meet, the plans that keep apart, and those that meet."""
    folder = HERE / "deir-gusun"
    met_s, parted_s = at("2020-05-27T08:20"), at("2020-05-27T08:40")
    there, beside = (42.0, 37.2), WGS84.fwd(42.0, 37.2, 90.0, 60.0)[:2]
    ru = [(at("2020-05-27T06:00"), 41.22, 37.05), (met_s, *there), (parted_s, *there)]
    us = [(at("2020-05-27T07:30"), 41.95, 37.00), (met_s, *beside), (parted_s, *beside)]
    write_track(folder / "tracks" / "ru.csv", {"ru-patrol": along(ru, 30.0)})
    write_track(folder / "tracks" / "us.csv", {"us-patrol": along(us, 30.0)})
    slip = {"early_s": 120, "late_s": 120, "uncertainty_m": 50, "kind": "patrol"}
    apart_ru = [
        ru[0],
        (met_s, *WGS84.fwd(*there, 262.0, 1500.0)[:2]),
        (parted_s, *WGS84.fwd(*there, 262.0, 1500.0)[:2]),
    ]
    apart_us = [
        us[0],
        (met_s, *WGS84.fwd(*there, 170.0, 1500.0)[:2]),
        (parted_s, *WGS84.fwd(*there, 170.0, 1500.0)[:2]),
    ]
    for name, points in (("ru-apart", apart_ru), ("us-apart", apart_us), ("ru-meets", ru), ("us-meets", us)):
        write_route(folder / "plans" / f"{name}.geojson", points, id=name.partition("-")[0] + "-patrol", **slip)


def al_bab() -> None:
    """Aircraft that go round within the volumes that were filed."""
    folder, center = HERE / "al-bab", (37.5157, 36.3705)
    for day, name in (("21", "ru"), ("21", "tr"), ("22", "ru"), ("22", "us")):
        start_s, end_s = at(f"2017-01-{day}T09:00"), at(f"2017-01-{day}T10:00")
        count = {"tr": 4, "us": 2}.get(name, 3 if day == "21" else 2)
        height_m = 5800.0 if name == "us" else 4300.0
        radius_m = 15_000.0 if name == "ru" else 14_000.0
        units = {
            f"aircraft {n + 1}": orbit(center, radius_m, start_s, end_s, every_s=20.0, phase_deg=n * 5.0)
            for n in range(count)
        }
        write_track(folder / "tracks" / f"{day}-{name}.csv", units, height_m=height_m)


if __name__ == "__main__":
    assert math.isclose(WGS84.inv(0, 0, 1, 0)[2], 111_319.49, rel_tol=1e-6)
    darbasiyah()
    deir_gusun()
    al_bab()
