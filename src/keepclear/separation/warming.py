"""Compiling on both cores: the first check on a machine is quicker if a second process helps.

Most of the time goes to a few kernels, and numba compiles one at a time in a process. So while this process compiles
the search, another compiles the judges into the same cache, and both have them.
"""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable

import numpy as np

from keepclear.geo.heights import HEIGHT_SPANS
from keepclear.geo.kernel import kernels_are_compiled

__all__ = ["compile_judges", "compile_kernels", "load_kernels"]


def _start_helper() -> Callable[[], None]:
    """Start a process that compiles the judges, if nothing has been compiled here before; returns what waits for it."""
    if kernels_are_compiled() or not sys.executable:
        return lambda: None
    program = "from keepclear.separation.warming import compile_judges; compile_judges()"
    quiet = subprocess.DEVNULL
    try:
        helper = subprocess.Popen([sys.executable, "-c", program], stdin=quiet, stdout=quiet, stderr=quiet)  # noqa: S603
    except OSError:
        return lambda: None  # no process to be had: it only takes longer

    def wait() -> None:
        helper.wait()

    return wait


def compile_judges() -> None:
    """Compile the judges by calling them with nothing to judge; the types are a real call's (a test holds this)."""
    from keepclear.separation.gaps import gap_spheres
    from keepclear.separation.judging import _judge_hits, _on_surface
    from keepclear.separation.leg_shapes import judge_legs
    from keepclear.separation.overlap import legs_near, overlapping, runs_of_legs

    number, numbers, table = np.zeros(0), np.zeros(0, np.int32), np.zeros((0, 0))
    codes, first, points = np.zeros(0, np.int8), np.zeros(1, np.int64), np.zeros((0, 5))
    column = np.zeros(0, np.int64)
    _judge_hits(
        np.zeros((0, 2), np.int32), points, numbers, codes, number, number, number, numbers, table, table, table,
        np.zeros((0, 0), np.bool_), -math.inf, math.inf, HEIGHT_SPANS, np.zeros((2, 0, 5)), np.zeros(0, np.int64),
    )  # fmt: skip
    _on_surface(points, table, table)
    judge_legs(
        points, column, codes, number, number, np.zeros((0, 2)), column, number, 0.001, number, number,
        np.zeros((0, 2, 4)), number, number, points, first, np.zeros((0, 4)), first, np.zeros((0, 3)), first, first,
        True, HEIGHT_SPANS,
    )  # fmt: skip
    runs, spheres, times = runs_of_legs(points, numbers, numbers, number, number, number)
    pairs = overlapping(spheres, times, np.zeros(0, np.bool_), column)
    legs_near(pairs.copy(), points, numbers, runs, number, number, number, spheres, times)
    gap_spheres(points, number, table)


def compile_kernels() -> None:
    """Compile what every check needs. The search here, by one of two short tracks, and the judges in a helper."""
    from keepclear.model.extents import Track, Volume
    from keepclear.model.footprints import Circle
    from keepclear.model.kinds import ZoneKind
    from keepclear.model.operations import Operation, Zone
    from keepclear.separation.judging_standing import judge_standing
    from keepclear.separation.minima import MinimaTable
    from keepclear.separation.search import join
    from keepclear.separation.world import compile_world

    wait = _start_helper()
    track = Track(np.array([0.0, 1.0]), np.zeros(2), np.zeros(2), np.zeros(2))
    operations = [Operation(party, "1", tracks=(track,)) for party in "ab"]
    far = Zone("a", "far", ZoneKind.NO_GO_AREA, (Volume(Circle(90.0, 0.0, 1.0)),))
    world = compile_world(operations, (far,), minima=MinimaTable.default(), compare_own=False)
    join(world.legs, world.limits)
    assert len(world.packed.blocks) == 1  # packing shapes is compiled too
    wait()
    judge_standing(world)  # by what the helper has compiled


def load_kernels() -> None:
    """Load what was compiled in an earlier process, if anything was: the first kernel to be loaded takes 0.3 s."""
    if kernels_are_compiled():
        compile_kernels()
