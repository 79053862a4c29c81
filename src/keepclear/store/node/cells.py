"""Cells of space and time: a table in which whatever could come too close to something is found by a few keys.

Each part of a filing, a sphere with times (`keepclear.separation.parts`), has one row, under the square of its middle
and the time it begins. Squares lie on the six faces of a cube round the Earth, so there is no pole and no seam: a
middle lies on the face of its greatest coordinate, at the other two, which makes no distance greater. Parts of like
size share a size of square, at least as wide as they are; parts of like duration share a class of time, so that what
is still under way began within that time. A question looks, for each class in use, into the squares that its own
parts reach. What a square gives is compared sphere by sphere (`keepclear.node.searching`) before anything is read.

What is larger than all squares, and what lasts for ever, has classes of its own that are always looked into. A square's
number holds all of its coordinates: no two squares share one, and a database of many machines can be divided by it.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Column, Connection, Index, Table, bindparam, delete, func, insert, select, text

from keepclear.store.node.columns import SECONDS, WHOLE, WORDS
from keepclear.store.node.database import projections
from keepclear.store.ready import Ready

__all__ = [
    "FOR_EVER_S",
    "Cells",
    "Near",
    "add_cells",
    "box_of",
    "cells_near",
    "drop_cells",
    "held_classes",
    "held_parts",
    "within_reach",
]

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

FOR_EVER_S = 1e12
"""Stands for infinity: thirty thousand years, and every time that there is lies within it."""
_SQUARES_M = (16e3, 64e3, 256e3, 1024e3, 4096e3)
"""A part lies in a class whose squares are as wide as it is, or in the last, for what is larger than all."""
_ANYWHERE = len(_SQUARES_M)
_LASTING_S = (3_600.0, 28_800.0, 230_400.0, 1_843_200.0)
_ALWAYS = len(_LASTING_S)
_DURATIONS = 8
_HALF = 1 << 11
_MOST_SQUARES = 20_000
"""More than this for one question, and all of a class are looked through instead."""

_cell = Table(
    "cell",
    projections,
    Column("square", WHOLE, primary_key=True, autoincrement=False),
    Column("start_s", SECONDS, primary_key=True),
    Column("filing", WHOLE, primary_key=True, autoincrement=False),
    Column("part", WHOLE, primary_key=True, autoincrement=False),
    Column("end_s", SECONDS, nullable=False),
    Column("owner", WORDS, nullable=False),  # the party; empty for a zone, which binds everyone
    Column("x_m", SECONDS, nullable=False),
    Column("y_m", SECONDS, nullable=False),
    Column("z_m", SECONDS, nullable=False),
    Column("radius_m", SECONDS, nullable=False),
    Index("cell_by_filing", "filing"),
    sqlite_with_rowid=False,
)
_class = Table(
    "cell_class",
    projections,
    Column("number", WHOLE, primary_key=True, autoincrement=False),
    Column("held", WHOLE, nullable=False),
)

_PUT = Ready(insert(_cell))
_OF_FILING = Ready(select(_cell.c.square).where(_cell.c.filing == bindparam("which")))
_DROP = Ready(delete(_cell).where(_cell.c.filing == bindparam("which")))
_HELD = Ready(select(_class.c.number).where(_class.c.held > 0).order_by(_class.c.number))
_HOLD = Ready(
    _class.update().where(_class.c.number == bindparam("which")).values(held=_class.c.held + bindparam("more"))
)
_PUT_CLASS = Ready(insert(_class))
_DROP_EMPTY = Ready(delete(_class).where(_class.c.held <= 0))

_WANTED = "c.filing, c.x_m, c.y_m, c.z_m, c.radius_m, c.start_s, c.end_s"
_SOON = "c.start_s <= :until AND c.end_s >= :begin AND c.owner <> :owner"
_THERE = " AND ".join(
    f"c.{axis}_m + c.radius_m >= :low_{axis} AND c.{axis}_m - c.radius_m <= :high_{axis}" for axis in "xyz"
)
"""Most of what a square holds lies elsewhere in it, and a row that is given out takes longer than it takes to look."""
_WHEN = f"c.start_s >= :since AND {_SOON} AND {_THERE}"
_SINCE = " ".join(f"WHEN {duration} THEN :since_{duration}" for duration in range(len(_LASTING_S)))
_IN_ALL_SQUARES = Ready(
    text(
        f"SELECT {_WANTED} FROM json_each(:squares) AS k CROSS JOIN cell AS c ON c.square = k.value "  # noqa: S608
        f"AND c.start_s >= CASE (k.value >> 27) & 7 {_SINCE} ELSE :since_{_ALWAYS} END "
        f"WHERE {_SOON} AND {_THERE}"
    )
)
"""Of squares of all durations at once."""
_IN_SQUARES = Ready(
    text(f"SELECT {_WANTED} FROM cell AS c WHERE c.square = ANY(CAST(:squares AS bigint[])) AND {_WHEN}")  # noqa: S608
)
"""Of one duration: the index is then used for the times as well."""
_BETWEEN_SQUARES = Ready(
    text(f"SELECT {_WANTED} FROM cell AS c WHERE c.square BETWEEN :low AND :high AND {_WHEN}")  # noqa: S608
)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Which squares of the classes in use a question looks into.

    Attributes
    ----------
    by_duration
        Numbers of squares by the class of duration.
    text
        All of those, in JSON.
    whole
        Classes of which all is looked through: of what duration, the first number and the last.
    """

    by_duration: Mapping[int, list[int]]
    text: str
    whole: Sequence[tuple[int, int, int]]


@dataclass(frozen=True, slots=True)
class Cells:
    """Parts of one thing, as rows: spheres (n, 4) and times (n, 2), and whether it is for practice."""

    spheres: Array
    times: Array
    exercise: bool
    _wanted: dict[tuple[tuple[int, ...], float], _Wanted] = field(default_factory=dict, compare=False, repr=False)

    def wanted(self, classes: Sequence[int], reach_m: float) -> _Wanted:
        """The squares of these classes that are within reach, worked out once: what is filed is asked about twice."""
        key = tuple(classes), reach_m
        if key not in self._wanted:
            self._wanted[key] = self._work_out(classes, reach_m)
        return self._wanted[key]

    def _work_out(self, classes: Sequence[int], reach_m: float) -> _Wanted:
        by_duration: dict[int, list[int]] = {}
        by_size: dict[int, Ints | None] = {}
        whole: list[tuple[int, int, int]] = []
        for number in classes:
            if bool(number >> 6) != self.exercise:
                continue
            size, duration = (number >> 3) & 7, number % _DURATIONS
            if size not in by_size:
                by_size[size] = _asked_squares(size, self.spheres, reach_m)
            squares = by_size[size]
            if squares is None:
                whole.append((duration, number << 27, ((number + 1) << 27) - 1))
            else:
                by_duration.setdefault(duration, []).extend((squares | (number << 27)).tolist())
        text = json.dumps([one for found in by_duration.values() for one in found])
        return _Wanted(by_duration, text, whole)


@dataclass(frozen=True, slots=True)
class Near:
    """Parts found: the filing of each, shape (n,), its sphere (n, 4) and times (n, 2)."""

    filings: Ints
    spheres: Array
    times: Array


def add_cells(conn: Connection, filing: int, cells: Cells, *, owner: str) -> None:
    """Put the parts of a filing in; `owner` is its party, or empty for a zone."""
    times = _finite(cells.times)
    classes = _classes(cells.spheres, times, exercise=cells.exercise)
    squares = _squares(classes, cells.spheres[:, :3])
    columns = zip(squares.tolist(), times.tolist(), cells.spheres.tolist(), strict=True)
    rows = [
        {
            "square": square, "start_s": start, "end_s": end, "filing": filing, "part": part, "owner": owner,
            "x_m": x, "y_m": y, "z_m": z, "radius_m": radius,
        }
        for part, (square, (start, end), (x, y, z, radius)) in enumerate(columns)
    ]  # fmt: skip
    if rows:
        _PUT.run_many(conn, rows)
    _count(conn, classes, 1)


def drop_cells(conn: Connection, filing: int) -> None:
    """Take the parts of a filing out."""
    found = [row[0] for row in _OF_FILING.rows(conn, which=filing)]
    if found:
        _DROP.run(conn, which=filing)
        _count(conn, np.array(found, dtype=np.int64) >> 27, -1)


def held_classes(conn: Connection) -> Sequence[int]:
    """The classes of size, duration and purpose that have parts now."""
    return [row[0] for row in _HELD.rows(conn)]


def held_parts(conn: Connection) -> int:
    """How many parts there are in all classes; for tests and figures."""
    return int(conn.execute(select(func.coalesce(func.sum(_class.c.held), 0))).scalar_one())


def cells_near(conn: Connection, asked: Cells, *, reach_m: float, reach_s: float, leaving_owner: str = "/") -> Near:
    """All parts that could be within reach of one of those asked for, and some that are not.

    Parameters
    ----------
    asked
        The thing that asks.
    reach_m, reach_s
        The largest minima that could bind it.
    leaving_owner
        A party whose operations are not wanted; its zones are.
    """
    times = _finite(asked.times)
    begin, end = float(times[:, 0].min()) - reach_s, float(times[:, 1].max()) + reach_s
    wanted = asked.wanted(held_classes(conn), reach_m)
    given = {"begin": begin, "until": end, "owner": leaving_owner, **_box(asked.spheres, reach_m)}
    rows = _in_squares(conn, wanted, given)
    for duration, low, high in wanted.whole:
        rows += _BETWEEN_SQUARES.rows(conn, **given, since=_since(duration, begin), low=low, high=high)
    found_rows = np.array(rows, dtype=np.float64).reshape(-1, 7)
    return Near(found_rows[:, 0].astype(np.int64), found_rows[:, 1:5], found_rows[:, 5:7])


def _box(spheres: Array, reach_m: float) -> dict[str, float]:
    """From where to where, on each axis, what is within reach of some sphere has a part."""
    reach = spheres[:, 3:] + (reach_m + 2.0)
    low, high = (spheres[:, :3] - reach).min(axis=0), (spheres[:, :3] + reach).max(axis=0)
    return {
        f"{end}_{axis}": value
        for end, values in (("low", low), ("high", high))
        for axis, value in zip("xyz", values.tolist(), strict=True)
    }


def _in_squares(conn: Connection, wanted: _Wanted, given: dict[str, Any]) -> list[Any]:
    """The parts in squares, of which some may be under way at the times that are given."""
    if not wanted.by_duration:
        return []
    begin_s = given["begin"]
    if conn.dialect.name == "sqlite":
        since = {f"since_{duration}": _since(duration, begin_s) for duration in range(_ALWAYS + 1)}
        return _IN_ALL_SQUARES.rows(conn, **given, **since, squares=wanted.text)
    return [
        row
        for duration, squares in wanted.by_duration.items()
        for row in _IN_SQUARES.rows(conn, **given, since=_since(duration, begin_s), squares=squares)
    ]


def within_reach(near: Near, asked: Cells, *, reach_m: float, reach_s: float) -> Ints:
    """Of what `cells_near` found, the filings of which some part is within reach of one that is asked for."""
    times = _finite(asked.times)
    good = np.zeros(len(near.filings), dtype=np.bool_)
    for sphere, (start, end) in zip(asked.spheres, times, strict=True):
        square = ((near.spheres[:, :3] - sphere[:3]) ** 2).sum(axis=1)
        limit = near.spheres[:, 3] + (sphere[3] + reach_m + 2.0)
        good |= (square <= limit * limit) & (near.times[:, 0] <= end + reach_s) & (near.times[:, 1] >= start - reach_s)
    return np.unique(near.filings[good])


def box_of(spheres: Array) -> tuple[float, float, float, float]:
    """West, south, east, north in degrees of a box that holds these spheres' part of the surface, and more.

    West is greater than east where the box lies across the antimeridian; where it would be more than half round the
    Earth, or holds a pole, it has all longitudes.
    """
    everywhere = (-180.0, -90.0, 180.0, 90.0)
    distance = np.sqrt((spheres[:, :3] ** 2).sum(axis=1))
    if not len(spheres) or (spheres[:, 3] > 2e6).any() or (distance < 4e6).any():
        return everywhere
    lat = np.degrees(np.arcsin(spheres[:, 2] / distance))  # of the sphere: within 0.2° of that of the ellipsoid
    lon = np.degrees(np.arctan2(spheres[:, 1], spheres[:, 0]))
    far = np.degrees(np.arcsin(np.minimum(spheres[:, 3] / distance, 1.0))) + 0.2
    south, north = float((lat - far).min()), float((lat + far).max())
    if south <= -89.0 or north >= 89.0:
        return -180.0, max(south, -90.0), 180.0, min(north, 90.0)
    aside = np.degrees(np.arcsin(np.minimum(np.sin(np.radians(far)) / np.cos(np.radians(np.abs(lat))), 1.0)))
    # Longitudes counted from the first middle: none is more than half round the Earth from it.
    off = (lon - lon[0] + 180.0) % 360.0 - 180.0
    low, high = float((off - aside).min()), float((off + aside).max())
    if high - low >= 180.0:
        return -180.0, south, 180.0, north
    return (lon[0] + low + 180.0) % 360.0 - 180.0, south, (lon[0] + high + 180.0) % 360.0 - 180.0, north


def _finite(times: Array) -> Array:
    return np.clip(times, -FOR_EVER_S, FOR_EVER_S)


def _classes(spheres: Array, times: Array, *, exercise: bool) -> Ints:
    """Purpose, size and duration of each part: bits 6, 3 to 5, 0 to 2."""
    size = np.searchsorted(np.array(_SQUARES_M), 2.0 * spheres[:, 3])
    lasting = np.searchsorted(np.array(_LASTING_S), times[:, 1] - times[:, 0])
    return ((int(exercise) << 6) | (size << 3) | lasting).astype(np.int64)


def _squares(classes: Ints, middles: Array) -> Ints:
    """The number of the square of each middle: class, face, and where on the face."""
    size = (classes >> 3) & 7
    width = np.array([*_SQUARES_M, 1e9])[size]
    axis = np.abs(middles).argmax(axis=1)
    rows = np.arange(len(middles))
    face = 2 * axis + (middles[rows, axis] < 0.0)
    face[size == _ANYWHERE] = 0
    u, v = middles[rows, (axis + 1) % 3], middles[rows, (axis + 2) % 3]
    u, v = np.floor(u / width).astype(np.int64), np.floor(v / width).astype(np.int64)
    u[size == _ANYWHERE], v[size == _ANYWHERE] = 0, 0
    return np.asarray((classes << 27) | (face << 24) | ((u + _HALF) << 12) | (v + _HALF))


def _asked_squares(size: int, spheres: Array, reach_m: float) -> Ints | None:
    """The squares of a size (face and place) that hold every middle within reach of a sphere; None if too many."""
    if size == _ANYWHERE:
        return None
    width = _SQUARES_M[size]
    # A part of this size is at most half as large as a square is wide.
    too_many, found = _squares_within()(spheres, reach_m + 0.5 * width + 2.0, width, _HALF, _MOST_SQUARES)
    return None if too_many else found


@functools.cache
def _squares_within() -> Any:
    from keepclear.geo.squares import squares_within  # who only lists filings compiles nothing

    return squares_within


def _since(duration: int, begin_s: float) -> float:
    """The earliest start of what can still be under way then."""
    return (
        -FOR_EVER_S if duration == _ALWAYS else max(-FOR_EVER_S, begin_s - _LASTING_S[duration] - 1.0)
    )  # for rounding


def _count(conn: Connection, classes: Ints, sign: int) -> None:
    numbers, counts = np.unique(classes, return_counts=True)
    for number, count in zip(numbers.tolist(), counts.tolist(), strict=True):
        if _HOLD.run(conn, which=number, more=sign * count) == 0:
            _PUT_CLASS.run(conn, number=number, held=sign * count)
    if sign < 0:
        _DROP_EMPTY.run(conn)
