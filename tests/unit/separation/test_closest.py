"""The least distance of two legs over a convex region: clipping, and the least square against many samples."""

from __future__ import annotations

import math

import numpy as np
import pytest

from keepclear.separation.closest import CORNERS, clip, clip_box, least_on_segment, least_square, unit_square


def room(*corners: tuple[float, float]) -> tuple[np.ndarray, int]:
    polygon = np.full((CORNERS, 2), np.nan)
    polygon[: len(corners)] = np.array(corners).reshape(-1, 2)
    return polygon, len(corners)


def clipped(polygon: np.ndarray, n: int, a: float, b: float, c: float) -> list[tuple[float, float]]:
    n = clip(polygon, n, np.empty((CORNERS, 2)), a, b, c)
    return [tuple(row) for row in polygon[:n].tolist()]


def area(polygon: np.ndarray, n: int) -> float:
    x, y = polygon[:n, 0], polygon[:n, 1]
    return 0.5 * float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))


def samples(polygon: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Corners, points of the border and points inside: all are weighted means of corners."""
    weights = np.vstack((np.eye(n), rng.dirichlet(np.full(n, 0.3), 300), rng.dirichlet(np.ones(n), 100)))
    return weights @ polygon[:n]


def test_nothing_stays_nothing() -> None:
    assert clipped(*room(), 1.0, 0.0, 5.0) == []


def test_a_point_stays_or_goes() -> None:
    assert clipped(*room((0.5, 0.5)), 1.0, 1.0, 1.0) == [(0.5, 0.5)]
    assert clipped(*room((0.5, 0.5)), 1.0, 1.0, 0.99) == []


def test_a_line_keeps_two_corners() -> None:
    line = (0.0, 0.0), (1.0, 1.0)
    assert clipped(*room(*line), 1.0, 0.0, 2.0) == [*line]
    assert clipped(*room(*line), 1.0, 0.0, 0.25) == [(0.0, 0.0), (0.25, 0.25)]
    assert clipped(*room(*line), -1.0, 0.0, -0.25) == [(0.25, 0.25), (1.0, 1.0)]
    assert clipped(*room(*line), 1.0, 0.0, 0.0) == [(0.0, 0.0), (0.0, 0.0)], "what is left is a point"
    assert clipped(*room(*line), 1.0, 0.0, -0.1) == []
    assert clipped(*room((0.3, 0.3), (0.3, 0.3)), 1.0, 0.0, 0.5) == [(0.3, 0.3)] * 2
    assert clipped(*room((0.3, 0.3), (0.3, 0.3)), 1.0, 0.0, 0.2) == []


def test_a_square_loses_a_corner_or_keeps_one() -> None:
    for bound, corners, size in ((0.5, 3, 0.125), (1.5, 5, 0.875), (5.0, 4, 1.0)):
        polygon, scratch = np.empty((CORNERS, 2)), np.empty((CORNERS, 2))
        n = clip(polygon, unit_square(polygon), scratch, 1.0, 1.0, bound)
        assert (n, area(polygon, n)) == (corners, pytest.approx(size))


def test_touching_a_corner_or_a_side_leaves_it() -> None:
    polygon = np.empty((CORNERS, 2))
    left = clipped(polygon, unit_square(polygon), 1.0, 1.0, 0.0)
    assert set(left) == {(0.0, 0.0)}
    left = clipped(polygon, unit_square(polygon), 1.0, 0.0, 0.0)
    assert set(left) == {(0.0, 0.0), (0.0, 1.0)}
    assert clipped(polygon, unit_square(polygon), 1.0, 1.0, -1e-9) == []


def test_a_box_of_infinite_bounds_binds_nothing() -> None:
    polygon, scratch = np.empty((CORNERS, 2)), np.empty((CORNERS, 2))
    assert clip_box(polygon, unit_square(polygon), scratch, -math.inf, math.inf, -math.inf, math.inf) == 4
    assert area(polygon, 4) == 1.0
    n = clip_box(polygon, unit_square(polygon), scratch, 0.25, 0.5, 0.5, 2.0)
    assert area(polygon, n) == pytest.approx(0.125)
    assert clip_box(polygon, unit_square(polygon), scratch, 2.0, -1.0, 0.0, 1.0) == 0


def test_eight_half_planes_leave_what_satisfies_all_of_them_and_fit_in_the_room() -> None:
    rng = np.random.default_rng(5)
    grid = np.stack(np.meshgrid(np.linspace(0, 1, 41), np.linspace(0, 1, 41)), axis=-1).reshape(-1, 2)
    for _ in range(60):
        polygon, scratch = np.empty((CORNERS, 2)), np.empty((CORNERS, 2))
        n, inside = unit_square(polygon), np.ones(len(grid), bool)
        for _ in range(8):
            a, b = rng.normal(size=2)
            c = a * 0.5 + b * 0.5 + abs(rng.normal()) * 0.4
            n = clip(polygon, n, scratch, a, b, c)
            inside &= grid @ (a, b) <= c
            assert n <= 12
            assert (polygon[:n] @ (a, b) <= c + 1e-12).all()
        share = area(polygon, n)
        assert share == pytest.approx(inside.mean(), abs=0.06)


@pytest.mark.parametrize("kind", ["crossing", "parallel", "standing", "same"])
def test_the_least_square_is_below_all_samples_and_is_taken_inside(kind: str) -> None:
    rng = np.random.default_rng(6)
    for _ in range(60):
        polygon, scratch = np.empty((CORNERS, 2)), np.empty((CORNERS, 2))
        n = unit_square(polygon)
        for _ in range(rng.integers(0, 4)):
            a, b = rng.normal(size=2)
            n = clip(polygon, n, scratch, a, b, a * 0.5 + b * 0.5 + rng.normal() * 0.3)
        if n == 0:
            continue
        c, a, b = rng.normal(size=(3, 3)) * (10.0, 10.0, 1.0)
        if kind == "parallel":
            b = a * rng.uniform(-2.0, 2.0)
        elif kind == "standing":
            b = np.zeros(3)
        elif kind == "same":
            b, c = a, np.zeros(3)
        square, u, w = least_square(polygon, np.int64(n), *c, *a, *b)
        assert square == pytest.approx(np.sum((c + u * a - w * b) ** 2), abs=1e-9)
        points = samples(polygon, n, rng)
        values = np.sum((c + points[:, :1] * a - points[:, 1:] * b) ** 2, axis=1)
        assert square <= values.min() + 1e-9
        assert np.hypot(points[:, 0] - u, points[:, 1] - w).min() < 0.6
        swapped = polygon[:n, ::-1][::-1].copy()
        other = np.empty((CORNERS, 2))
        other[:n] = swapped
        assert least_square(other, np.int64(n), *-c, *b, *a)[0] == pytest.approx(square, abs=1e-9)


def test_of_equal_places_the_first_is_taken() -> None:
    polygon = np.empty((CORNERS, 2))
    n = unit_square(polygon)
    assert least_square(polygon, n, 0.0, 3.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0) == (9.0, 0.0, 0.0)


def test_corners_that_fell_together_still_tell_inside_from_outside() -> None:
    # Two legs that would meet at u = w = 0.5, which is outside of what is left of the square: a corner, or a side.
    legs = -0.5, 0.5, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0
    for corners, expected in (
        ([(0.0, 0.0)] * 4, 0.5),
        ([(0.0, 0.0), (0.0, 0.0), (0.0, 1.0), (0.0, 1.0)], 0.25),
        ([(0.0, 0.5), (1.0, 0.5), (1.0, 0.5), (0.0, 0.5)], 0.0),
    ):
        polygon, n = room(*corners)
        assert least_square(polygon, np.int64(n), *legs)[0] == pytest.approx(expected, abs=1e-12)
    assert least_square(*room(), *legs)[0] == math.inf


def test_the_least_on_a_segment_is_clamped_to_it() -> None:
    assert least_on_segment(1.0, 2.0, 0.0, 0.0, 0.0, 0.0) == (5.0, 0.0)
    assert least_on_segment(1.0, 2.0, 0.0, 1.0, 0.0, 0.0) == (5.0, 0.0)
    assert least_on_segment(-3.0, 2.0, 0.0, 1.0, 0.0, 0.0) == (8.0, 1.0)
    assert least_on_segment(-0.5, 2.0, 0.0, 1.0, 0.0, 0.0) == (4.0, 0.5)
