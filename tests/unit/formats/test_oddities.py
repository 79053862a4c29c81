"""Slips are asked about, in the words of the party's own entries."""

from __future__ import annotations

import numpy as np

from keepclear.formats.oddities import oddities
from keepclear.formats.registry import read_many
from keepclear.model.extents import Track, TrackBasis, Volume
from keepclear.model.footprints import Circle
from keepclear.model.kinds import OperationKind, ZoneKind
from keepclear.model.operations import Operation, Plans, Zone


def _zone(k: int, lon: float, lat: float) -> Zone:
    return Zone("UN", f"S{k}", ZoneKind.PROTECTED_SITE, (Volume(Circle(lon, lat, 100.0)),))


def _route(lon: list[float], step_s: float, basis: TrackBasis = TrackBasis.PLANNED) -> Plans:
    n = len(lon)
    track = Track(np.arange(n) * step_s, np.array(lon), np.full(n, 37.0), np.full(n, np.nan), basis=basis)
    return Plans((Operation("RU", "C1", OperationKind.CONVOY, tracks=(track,)),))


def test_a_site_with_latitude_and_longitude_swapped_is_asked_about() -> None:
    sites = [_zone(k, 40.0 + 0.05 * k, 37.0 + 0.03 * (k % 3)) for k in range(8)]
    assert list(oddities(Plans(zones=tuple(sites)))) == []
    (asked,) = oddities(Plans(zones=(*sites, _zone(9, 37.05, 40.15))))
    assert "UN S9" in asked
    assert "swapped" in asked


def test_a_route_that_asks_too_much_speed_is_asked_about_once() -> None:
    assert list(oddities(_route([40.0, 40.1, 40.2], 600.0))) == []
    (asked,) = oddities(_route([40.0, 40.1, 42.1, 40.3], 600.0))
    assert "RU C1: from position 2 to 3 it is 177." in asked
    assert "(and 1 more)" in asked


def test_what_was_flown_is_not_asked_about() -> None:
    assert list(oddities(_route([40.0, 42.0], 60.0, TrackBasis.FLOWN))) == []


def test_reading_files_asks(tmp_path) -> None:
    rows = "\n".join(f"C1,RU,convoy,2026-01-01T0{k}:00:00Z,37,{lon},planned" for k, lon in enumerate((40, 41, 50)))
    path = tmp_path / "convoy.csv"
    path.write_text("operation,party,kind,time,lat,lon,track\n" + rows + "\n", encoding="utf-8")
    assert any("faster than its kind moves" in warning for warning in read_many([str(path)]).warnings)
