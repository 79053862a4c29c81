"""An answer about nothing is never clear."""

from __future__ import annotations

import numpy as np
import pytest

from keepclear.model.extents import Track, Volume
from keepclear.model.findings import Answer
from keepclear.model.footprints import Circle
from keepclear.model.kinds import OperationKind, ZoneKind
from keepclear.model.operations import Operation, Zone
from keepclear.separation.checking import check


def _convoy(party: str, lon: float, lat: float, start_s: float = 0.0) -> Operation:
    track = Track(start_s + np.array([0.0, 600.0]), np.array([lon, lon + 0.05]), np.full(2, lat), np.full(2, np.nan))
    return Operation(party, "C", OperationKind.CONVOY, tracks=(track,))


APART = [_convoy("RU", 40.0, 37.0), _convoy("TR", 40.0, 37.5)]


def test_far_apart_is_clear_where_they_are() -> None:
    for options in (
        {},
        {"window": (0.0, 300.0)},
        {"area": (39.0, 36.0, 41.0, 38.0)},
        {"area": (40.0, 36.9, 40.1, 37.1)},
    ):
        report = check(APART, **options)
        assert (report.answer, report.pairs_compared) == (Answer.CLEAR, 1), options


@pytest.mark.parametrize(
    "options",
    [
        {"window": (1e9, 2e9)},
        {"window": (None, -1.0)},
        {"area": (0.0, 0.0, 1.0, 1.0)},
        {"area": (37.0, 40.0, 37.6, 40.1)},  # latitude and longitude swapped
        {"area": (179.0, 36.0, -179.0, 38.0)},
    ],
)
def test_nothing_in_what_was_looked_at_is_possible(options) -> None:
    report = check(APART, **options)
    assert (report.answer, report.pairs_compared) == (Answer.POSSIBLE, 0)
    assert "within the times and the area that were looked at" in report.reasons[0]


def test_one_of_two_in_the_window_is_not_a_pair() -> None:
    assert check([APART[0], _convoy("TR", 40.0, 37.5, 1e6)], window=(0.0, 600.0)).answer is Answer.POSSIBLE


def test_an_area_across_the_antimeridian_and_a_wide_circle_are_found() -> None:
    near = [_convoy("RU", 179.9, 10.0), _convoy("TR", -179.9, 10.5)]
    assert check(near, area=(179.5, 9.0, -179.5, 11.0)).pairs_compared == 1
    zone = Zone("UN", "Z", ZoneKind.NO_GO_AREA, (Volume(Circle(42.0, 38.0, 200_000.0)),))
    assert check([APART[0]], [zone], area=(39.9, 37.4, 39.95, 37.5)).pairs_compared == 1
