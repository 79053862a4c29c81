"""Distances from footprints and planned paths agree with the slow way, which looks at every edge and every leg."""

from __future__ import annotations

import math

import numpy as np
import pytest

from keepclear.model.extents import Volume
from keepclear.model.footprints import Polygon
from keepclear.separation.outside import from_footprint, from_path, nearest_of_each
from keepclear.separation.shapes import BLOCK, blocks_of, compile_shape

NO_RING = np.empty((0, 3)), np.zeros(1, np.int64)


def wander(rng, count, step_m=3_000.0):
    """Edges end to end, about the surface of the Earth."""
    steps = rng.normal(0.0, step_m, (count + 1, 3))
    points = np.array([3_900_000.0, 3_200_000.0, 3_870_000.0]) + np.cumsum(steps, axis=0)
    return np.hstack((points[:-1], points[1:]))


def to_edges(place, edges):
    """The slow way: the distance from each edge."""
    start, move = edges[:, :3], edges[:, 3:] - edges[:, :3]
    length = (move * move).sum(axis=1)
    share = ((place - start) * move).sum(axis=1) / np.where(length > 0.0, length, 1.0)
    return np.linalg.norm(place - start - np.clip(share, 0.0, 1.0)[:, None] * move, axis=1)


@pytest.mark.parametrize("count", [1, BLOCK, 5 * BLOCK + 3])
def test_the_border_is_as_far_as_its_nearest_edge(count):
    rng = np.random.default_rng(count)
    edges = wander(rng, count)
    points = edges[rng.integers(0, count, 60), :3] + rng.normal(0.0, 20_000.0, (60, 3))
    blocks, _ = blocks_of(edges, np.array([0, count]))
    out = np.empty(60)
    from_footprint(points, edges, blocks, *NO_RING, False, 250.0, out)
    assert out == pytest.approx([to_edges(one, edges).min() - 250.0 for one in points], abs=1e-6)


def test_within_a_border_the_distance_is_negative_and_as_deep_as_the_border_is_far():
    turn = np.linspace(0.0, 2.0 * math.pi, 400)
    ring = np.column_stack((42.0 + 0.2 * np.cos(turn), 37.0 + 0.2 * np.sin(turn)))
    ring[-1] = ring[0]
    shape = compile_shape(Volume(Polygon((ring,))), owner=0, is_zone=True, on_ground=True, horizontal_m=500.0)
    blocks, _ = blocks_of(shape.edges, np.array([0, len(shape.edges)]))
    centre = np.array([shape.centre])
    out = np.empty(1)
    rings, first = np.concatenate(shape.rings), np.array([0, *np.cumsum([len(one) for one in shape.rings])])
    from_footprint(centre, shape.edges, blocks, rings, first, True, 0.0, out)
    assert out[0] == pytest.approx(-to_edges(centre[0], shape.edges).min(), abs=1e-6)
    assert out[0] < -15_000.0


@pytest.mark.parametrize("seed", range(6))
def test_of_runs_of_edges_those_within_reach_are_found_with_their_distance_and_no_others(seed):
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 40, 12)
    edges = np.concatenate([wander(rng, n) for n in counts if n])
    first = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
    radius = rng.choice([0.0, 500.0, 20_000.0], len(edges))
    size = 8
    blocks, block_first = blocks_of(edges, first, size)
    for k in range(len(counts)):
        blocks[block_first[k] : block_first[k + 1], 3] += radius[first[k] : first[k + 1]].max(initial=0.0)
    wanted, reach = rng.random(len(counts)) < 0.8, rng.choice([0.0, 5_000.0, 30_000.0], len(counts))
    places = edges[rng.integers(0, len(edges), 2), :3] + rng.normal(0.0, 10_000.0, (2, 3))
    out = np.empty(len(counts))
    nearest_of_each(places, edges, radius, first, blocks, block_first, size, wanted, reach, out)
    for k in range(len(counts)):
        run = slice(first[k], first[k + 1])
        slow = min(float((to_edges(one, edges[run]) - radius[run]).min(initial=math.inf)) for one in places)
        expected = slow if wanted[k] and slow <= reach[k] else math.inf
        assert out[k] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(("early_s", "late_s"), [(0.0, 0.0), (60.0, 200.0), (math.inf, math.inf)])
def test_of_a_planned_path_only_what_is_due_then_counts(early_s, late_s):
    rng = np.random.default_rng(3)
    edges = wander(rng, 30)
    plan = np.vstack((edges[:, :3], edges[-1:, 3:]))
    plan_s = np.sort(rng.choice(np.arange(0.0, 2_000.0, 50.0), 31))  # some twice: a stop in no time
    own = rng.normal(1_000.0, 100.0, 31)
    times = rng.uniform(-400.0, 2_400.0, 80)
    points = plan[rng.integers(0, 31, 80)] + rng.normal(0.0, 5_000.0, (80, 3))
    out, height, w84 = (np.empty(80) for _ in range(3))
    from_path(points, times, plan, plan_s, own, own, early_s, late_s, out, height, w84)
    for i, (place, time) in enumerate(zip(points, times, strict=True)):
        due = []
        for k in range(30):
            begin, end = max(time - late_s, plan_s[k]), min(time + early_s, plan_s[k + 1])
            if begin <= end:
                step = plan_s[k + 1] - plan_s[k]
                shares = [0.0, 1.0] if step == 0.0 else [(begin - plan_s[k]) / step, (end - plan_s[k]) / step]
                ends = [plan[k] + share * (plan[k + 1] - plan[k]) for share in shares]
                due.append(to_edges(place, np.array([np.concatenate(ends)]))[0])
        assert out[i] == pytest.approx(min(due, default=math.inf), abs=1e-6)
        assert math.isnan(height[i]) == (not due)
