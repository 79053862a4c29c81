"""Where two pieces of path may be at once: the part of the unit square of (u, v) that time and height allow."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tests.reference.shapes import Shape

__all__ = ["Region", "Strip", "region_of"]

_CLOCK_S = 2.4e-7  # one step of a float64 at today's times


@dataclass(frozen=True)
class Strip:
    """``low <= a*u + b*v <= high``; an open strip leaves out its borders."""

    a: float
    b: float
    low: float
    high: float
    is_open: bool = False


@dataclass(frozen=True)
class Region:
    """Where two pieces may be at once: u from u0 to u1; v tied to u (v = v0 + v1*u), or within the strips."""

    u0: float
    u1: float
    tie: tuple[float, float] | None
    strips: tuple[Strip, ...] = ()


def region_of(a: Shape, i: int, b: Shape, j: int, vertical_m: float | None, time_s: float) -> Region | None:
    """Region of piece `i` of `a` and piece `j` of `b`, or None. `vertical_m` is the effective one: strictly less."""
    if not a.moving and not b.moving:
        together = max(a.window_s[0], b.window_s[0]) < min(a.window_s[1], b.window_s[1]) + time_s
        apart = max(a.band_m[0], b.band_m[0]) - min(a.band_m[1], b.band_m[1])
        return Region(0.0, 1.0, None) if together and (vertical_m is None or apart < vertical_m) else None
    if not b.moving:
        return _moving_static(a, i, b, vertical_m, time_s)
    (s0, s1), (t0, t1) = a.time_s[i], b.time_s[j]
    least = -(b.early_s[j] + a.late_s[i]) - time_s
    most = b.late_s[j] + a.early_s[i] + time_s
    strips = []
    if vertical_m is not None:
        (y0, y1), (z0, z1) = a.height_m[i], b.height_m[j]
        strips.append(Strip(y1 - y0, -(z1 - z0), -vertical_m - y0 + z0, vertical_m - y0 + z0, True))
    if least == most == 0.0 and (s1 > s0 or t1 > t0):
        return _tied(s0, s1, t0, t1, strips)
    strips.append(Strip(s1 - s0, -(t1 - t0), least - s0 + t0, most - s0 + t0))
    return _clipped(strips, None)


def _moving_static(a: Shape, i: int, b: Shape, vertical_m: float | None, time_s: float) -> Region | None:
    (s0, s1), (y0, y1) = a.time_s[i], a.height_m[i]
    earliest = b.window_s[0] - a.late_s[i] - time_s
    latest = b.window_s[1] + a.early_s[i] + time_s
    strips = [Strip(s1 - s0, 0.0, earliest - s0, latest - s0)]
    if vertical_m is not None:
        strips.append(Strip(y1 - y0, 0.0, b.band_m[0] - vertical_m - y0, b.band_m[1] + vertical_m - y0, True))
    return _clipped(strips, None)


def _tied(s0: float, s1: float, t0: float, t1: float, strips: list[Strip]) -> Region | None:
    """No slip: one clock, so v follows from u (or, where only one of the two moves in time, is fixed)."""
    if max(s0, t0) > min(s1, t1):
        return None
    if t1 > t0:
        tie = ((s0 - t0) / (t1 - t0), (s1 - s0) / (t1 - t0))
        moved = [Strip(s.a + s.b * tie[1], 0.0, s.low - s.b * tie[0], s.high - s.b * tie[0], True) for s in strips]
        return _clipped([*moved, Strip(s1 - s0, 0.0, max(s0, t0) - s0, min(s1, t1) - s0)], tie)
    # b is at one instant: u is fixed and v free
    return _clipped([*strips, Strip(s1 - s0, 0.0, t0 - s0, t0 - s0)], None)


def _clipped(strips: list[Strip], tie: tuple[float, float] | None) -> Region | None:
    corners = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]
    kept = []
    for strip in strips:
        if strip.a == 0.0 and strip.b == 0.0:
            slack = 0.0 if strip.is_open else _CLOCK_S
            inside = strip.low < 0.0 < strip.high if strip.is_open else strip.low - slack <= 0.0 <= strip.high + slack
            if not inside:
                return None
            continue
        slack = 0.0 if strip.is_open else _CLOCK_S  # a closed strip may be one instant, which rounding must not lose
        for sign, bound in ((1.0, strip.high), (-1.0, -strip.low)):
            if math.isfinite(bound):
                corners = _cut(corners, sign * strip.a, sign * strip.b, bound + slack)
        if strip.b != 0.0:
            kept.append(strip)
    if not corners:
        return None
    us = [u for u, _ in corners]
    return Region(min(us), max(us), tie, tuple(kept))


def _cut(corners: list[tuple[float, float]], a: float, b: float, bound: float) -> list[tuple[float, float]]:
    """The part of a convex polygon where a*u + b*v <= bound."""
    out = []
    for here, after in zip(corners, corners[1:] + corners[:1], strict=True):
        f, g = a * here[0] + b * here[1] - bound, a * after[0] + b * after[1] - bound
        if f <= 0.0:
            out.append(here)
        if (f < 0.0 < g) or (g < 0.0 < f):
            part = f / (f - g)
            out.append((here[0] + part * (after[0] - here[0]), here[1] + part * (after[1] - here[1])))
    return out
