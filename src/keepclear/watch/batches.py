"""Batches of positions: where units were, one position a line, in the one form whose hash can be said on a line.

A batch is UTF-8 text, each line the canonical JSON (RFC 8785) of one position::

    {"lat_deg":37.05,"lon_deg":41.22,"time":"2020-05-27T06:00:00.000Z","uncertainty_m":25.0,"unit":"patrol-3"}

Who moved is said by ``unit`` (the party's own name for it), ``callsign``, ``uid`` or ``icao`` (its 24-bit address, six
hexadecimal digits); whose unit a callsign is, the rules of the reader say. Times have milliseconds. The hash of a batch
is the SHA-256 of its bytes, so a track that was committed to by its hash can be shown, and proved, whenever it is asked
for.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from keepclear.errors import Fault, InputError, PeerError
from keepclear.geo.ellipsoid import ECCENTRICITY_SQ, SEMI_MAJOR_M
from keepclear.model.extents import Track, TrackBasis
from keepclear.model.heights import HeightReference, parse_height_reference
from keepclear.record.canonical import canonical, parse
from keepclear.times import parse_time, to_text

__all__ = [
    "MOST_LINE_BYTES", "MOST_POSITIONS", "Identity", "Piece", "batch_hash", "coarsened", "gathered", "joined",
    "member_faults", "read_batch", "surface", "twice_fault", "two_places", "written",
]  # fmt: skip

MOST_POSITIONS = 10_000
"""Positions in one batch."""
MOST_LINE_BYTES = 2_000
MOST_FAULTS = 1000

Array = npt.NDArray[np.float64]
_TEXTS = ("unit", "callsign", "uid", "icao")
_NUMBERS = ("lon_deg", "lat_deg", "height_m", "uncertainty_m")
_MEMBERS = frozenset({*_TEXTS, *_NUMBERS, "time", "height_reference"})
_NAME = re.compile(r"[^\x00-\x1f\x7f-\x9f]{1,100}")
_ICAO = re.compile(r"[0-9A-F]{6}")
_MOST_UNCERTAINTY_M = 1e7
_LEAST_M_PER_DEG = 110_500.0
"""Fewer metres than a degree of latitude, or of longitude at the equator, has anywhere."""
_KM_PER_DEG = 111.7
"""More kilometres than a degree of latitude, or of longitude at the equator, has anywhere."""


@dataclass(frozen=True, slots=True, order=True)
class Identity:
    """By what a unit is called in reports; empty where it is not called so."""

    unit: str = ""
    callsign: str = ""
    uid: str = ""
    icao: str = ""

    @property
    def name(self) -> str:
        """The first of them that is given: how it is called where nothing else is known."""
        return self.unit or self.callsign or self.uid or self.icao

    def members(self) -> dict[str, str]:
        """Those that are given."""
        return {name: text for name in _TEXTS if (text := getattr(self, name))}


@dataclass(frozen=True, eq=False, slots=True)
class Piece:
    """Positions of one unit, in the order of their times; all arrays have shape (n,).

    Attributes
    ----------
    identity
        Who moved.
    reference
        What the heights are counted from.
    time_s, lon_deg, lat_deg, height_m, uncertainty_m
        As `Track`.
    """

    identity: Identity
    reference: HeightReference
    time_s: Array
    lon_deg: Array
    lat_deg: Array
    height_m: Array
    uncertainty_m: Array

    def __len__(self) -> int:
        return len(self.time_s)

    @property
    def box(self) -> tuple[float, float, float, float]:
        """West, south, east, north; the whole way round where it lies on both sides of the antimeridian."""
        west, east = float(self.lon_deg.min()), float(self.lon_deg.max())
        if east - west > 180.0:
            west, east = -180.0, 180.0
        return west, float(self.lat_deg.min()), east, float(self.lat_deg.max())

    @property
    def reach(self) -> tuple[float, float, float, float]:
        """As `box`, but with all places where the unit may have been by the uncertainty of its positions."""
        degrees = self.uncertainty_m / _LEAST_M_PER_DEG
        south, north = float((self.lat_deg - degrees).min()), float((self.lat_deg + degrees).max())
        if south <= -90.0 or north >= 90.0:
            return -180.0, max(south, -90.0), 180.0, min(north, 90.0)
        wide = degrees / math.cos(math.radians(max(abs(south), abs(north))))
        west, east = float((self.lon_deg - wide).min()), float((self.lon_deg + wide).max())
        if west < -180.0 or east > 180.0 or east - west > 180.0:
            west, east = -180.0, 180.0
        return west, south, east, north

    def between(self, from_s: float | None, to_s: float | None) -> Piece:
        """The positions from one time to another, both included; there may be none."""
        wanted = np.ones(len(self), np.bool_)
        if from_s is not None:
            wanted &= self.time_s >= from_s
        if to_s is not None:
            wanted &= self.time_s <= to_s
        return self if wanted.all() else self.taken(np.flatnonzero(wanted))

    def taken(self, rows: npt.NDArray[np.intp]) -> Piece:
        """Those in these places."""
        return replace(
            self, time_s=self.time_s[rows], lon_deg=self.lon_deg[rows], lat_deg=self.lat_deg[rows],
            height_m=self.height_m[rows], uncertainty_m=self.uncertainty_m[rows],
        )  # fmt: skip

    def track(self, *, accuracy_m: float = 0.0) -> Track:
        """As a track that was flown; the accuracy of the source is added to each uncertainty."""
        return Track(
            self.time_s, self.lon_deg, self.lat_deg, self.height_m, self.reference, TrackBasis.FLOWN,
            self.uncertainty_m + accuracy_m,
        )  # fmt: skip


@dataclass(slots=True)
class _Row:
    identity: Identity
    time_s: float
    numbers: tuple[float, float, float, float]
    reference: HeightReference


def read_batch(
    data: bytes, *, most: int = MOST_POSITIONS, accept: Callable[[float], str] = lambda _: ""
) -> tuple[Piece, ...]:
    """The positions of a batch, one piece for each unit.

    Parameters
    ----------
    accept
        Why a time cannot be; empty where it can: what is ahead of the clock is for the caller to say.

    Raises
    ------
    InputError
        With all that is wrong, each fault with its line.
    """
    lines = data.split(b"\n")
    if lines and not lines[-1]:
        lines.pop()
    wanted = [(number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    if len(wanted) > most:
        raise InputError(Fault(f"{len(wanted)} positions in one batch", f"at most {most}: send several batches"))
    faults: list[Fault] = []
    values: list[tuple[str, Any]] = []
    for number, line in wanted:
        if len(line) > MOST_LINE_BYTES:
            right = f"one position, at most {MOST_LINE_BYTES} bytes"
            faults.append(Fault("the line is too long", right, feature=f"line {number}"))
            continue
        try:
            values.append((f"line {number}", parse(line.strip(), limit=MOST_LINE_BYTES)))
        except PeerError as error:
            faults.append(Fault(f"not JSON: {error}", "one position, a JSON object", feature=f"line {number}"))
        if len(faults) >= MOST_FAULTS:
            raise InputError(faults)
    return gathered(values, faults=faults, accept=accept)


def gathered(
    values: Iterable[tuple[str, Any]],
    *,
    faults: Sequence[Fault] = (),
    accept: Callable[[float], str] = lambda _: "",
) -> tuple[Piece, ...]:
    """The positions that JSON values are, one piece for each unit, by name.

    Parameters
    ----------
    values
        Where each stands ("line 3"), and the value.
    faults
        What was found to be wrong before.

    Raises
    ------
    InputError
        With all that is wrong: members that are none, times without a zone or ahead, a unit at two places at once.
    """
    found, rows = list(faults), list[tuple[str, _Row]]()
    for place, value in values:
        try:
            row = _row(value)
        except InputError as error:
            found += [replace(fault, feature=place) for fault in error.faults]
        else:
            problem = accept(row.time_s)
            if problem:
                found.append(Fault(problem, feature=place, field="time", value=to_text(row.time_s)))
            rows.append((place, row))
        if len(found) >= MOST_FAULTS:
            found.append(Fault(f"more than {MOST_FAULTS} faults: reading stopped here"))
            raise InputError(found)
    if not found and not rows:
        raise InputError(Fault("no position in it", "one position a line"))
    pieces = _pieces(rows, found)
    if found:
        raise InputError(found)
    return pieces


def written(pieces: Iterable[Piece]) -> bytes:
    """The one text of these positions, by unit and time."""
    lines = [line for piece in sorted(pieces, key=_order) for line in _lines(piece)]
    return b"".join(line + b"\n" for line in lines)


def batch_hash(data: bytes) -> str:
    """What is said of a batch: SHA-256 of its bytes, hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def joined(pieces: Sequence[Piece], identity: Identity) -> Piece:
    """All positions of pieces as one, in the order of their times; the same position twice is one.

    Heights of another reference than most of them have are not known.
    """
    assert pieces, "nothing to join"
    if len(pieces) == 1:
        return replace(pieces[0], identity=identity)
    counts: dict[HeightReference, int] = {}
    for piece in pieces:
        known = int(np.isfinite(piece.height_m).sum())
        counts[piece.reference] = counts.get(piece.reference, 0) + known
    reference = max(counts, key=lambda one: (counts[one], str(one)))
    columns = []
    for name in ("time_s", "lon_deg", "lat_deg", "height_m", "uncertainty_m"):
        parts = [
            np.full(len(one), np.nan) if name == "height_m" and one.reference is not reference else getattr(one, name)
            for one in pieces
        ]
        columns.append(np.concatenate(parts))
    order = np.argsort(columns[0], kind="stable")
    whole = Piece(identity, reference, *(column[order] for column in columns))
    return whole.taken(_without_repeats(whole))


def coarsened(piece: Piece, grid_km: int) -> Piece:
    """The positions as the middles of the cells of a grid that they lie in; height is not told.

    The uncertainty reaches to the farthest corner of the cell, and from there as far as it did before: what is told
    contains the exact position. Whoever is told the same cell twice has not learned more.
    """
    step = grid_km * 0.009  # degrees of latitude; a fixed grid, whatever is told
    row = np.clip(np.floor((piece.lat_deg + 90.0) / step), 0, math.ceil(180.0 / step) - 1)
    south = row * step - 90.0
    north = np.minimum(south + step, 90.0)
    widest = np.cos(np.radians(np.where(north <= 0.0, north, np.where(south >= 0.0, south, 0.0))))
    columns = np.maximum(1.0, np.floor(360.0 * np.maximum(widest, 1e-9) / step))
    width = 360.0 / columns
    column = np.clip(np.floor((piece.lon_deg + 180.0) / width), 0, columns - 1)
    lon = (column + 0.5) * width - 180.0
    lat = (south + north) / 2.0
    half_high, half_wide = (north - south) / 2.0, width / 2.0 * widest
    reach_m = 1000.0 * _KM_PER_DEG * np.hypot(half_high, np.minimum(half_wide, 180.0))
    return replace(
        piece, lon_deg=np.round(lon, 7), lat_deg=np.round(lat, 7), height_m=np.full(len(piece), np.nan),
        reference=HeightReference.UNKNOWN, uncertainty_m=np.ceil(piece.uncertainty_m + reach_m + 0.1),
    )  # fmt: skip


def surface(lon_deg: Array, lat_deg: Array) -> Array:
    """Points at height 0 as earth-centred vectors, shape (n, 3)."""
    lon, lat = np.radians(lon_deg), np.radians(lat_deg)
    sine = np.sin(lat)
    radius = SEMI_MAJOR_M / np.sqrt(1.0 - ECCENTRICITY_SQ * sine * sine)
    level = radius * np.cos(lat)
    return np.stack([level * np.cos(lon), level * np.sin(lon), radius * (1.0 - ECCENTRICITY_SQ) * sine], axis=1)


def member_faults(value: Mapping[str, Any]) -> list[Fault]:
    """Members that no position has, and texts that are no names."""
    right = f"one of: {', '.join(sorted(_MEMBERS))}"
    faults = [Fault("there is no such member", right, field=str(name)[:60]) for name in value.keys() - _MEMBERS]
    for name in _TEXTS:
        text = value.get(name)
        if text is not None and not (isinstance(text, str) and _NAME.fullmatch(text.strip())):
            faults.append(Fault("not a name", "1 to 100 visible characters", field=name, value=str(text)[:60]))
    icao = value.get("icao")
    if isinstance(icao, str) and not _ICAO.fullmatch(icao.strip().upper()):
        faults.append(Fault("not an ICAO address", "six hexadecimal digits", field="icao", value=icao))
    if not any(isinstance(value.get(name), str) and value[name].strip() for name in _TEXTS):
        faults.append(Fault("whose position it is is not said", "unit, callsign, uid or icao", field="unit"))
    return faults


def _row(value: Any) -> _Row:
    if not isinstance(value, dict):
        raise InputError(Fault("not a position", "a JSON object with unit, time, lon_deg and lat_deg"))
    faults = member_faults(value)
    numbers = [_number(value, name, faults) for name in _NUMBERS]
    time_s, reference = _time(value, faults), HeightReference.W84
    try:
        named = value.get("height_reference")
        if named is not None:
            reference = parse_height_reference(named if isinstance(named, str) else str(named))
    except InputError as error:
        faults += error.faults
    if faults:
        raise InputError(faults)
    texts = {name: value[name].strip() for name in _TEXTS if value.get(name) is not None}
    if "icao" in texts:
        texts["icao"] = texts["icao"].upper()
    if math.isnan(numbers[2]):
        reference = HeightReference.UNKNOWN
    return _Row(Identity(**texts), time_s, (numbers[0], numbers[1], numbers[2], numbers[3]), reference)


_RANGES = {
    "lon_deg": (-180.0, 180.0, "degrees from -180 to 180"), "lat_deg": (-90.0, 90.0, "degrees from -90 to 90"),
    "height_m": (-12_000.0, 1e6, "metres from -12000 to 1000000"),
    "uncertainty_m": (0.0, _MOST_UNCERTAINTY_M, "metres from 0 to 10000000"),
}  # fmt: skip
_OTHERWISE = {"height_m": math.nan, "uncertainty_m": 0.0}


def _number(value: Mapping[str, Any], name: str, faults: list[Fault]) -> float:
    given = value.get(name)
    low, high, right = _RANGES[name]
    if given is None and name in _OTHERWISE:
        return _OTHERWISE[name]
    if given is None:
        faults.append(Fault("missing", right, field=name))
    elif isinstance(given, bool) or not isinstance(given, int | float) or not low <= given <= high:
        faults.append(Fault("not what belongs here", right, field=name, value=str(given)[:60]))
    else:
        return float(given) + 0.0  # no negative zero, which would be another text
    return math.nan


def _time(value: Mapping[str, Any], faults: list[Fault]) -> float:
    given = value.get("time")
    if not isinstance(given, str):
        right = "RFC 3339 text with a zone, for example 2026-01-31T09:00:00Z"
        faults.append(Fault("missing" if given is None else "not a time", right, field="time", value=str(given or "")))
        return math.nan
    try:
        return round(parse_time(given) * 1000.0) / 1000.0
    except InputError as error:
        faults += [replace(fault, field="time") for fault in error.faults]
        return math.nan


def _pieces(rows: Sequence[tuple[str, _Row]], faults: list[Fault]) -> tuple[Piece, ...]:
    units: dict[Identity, list[tuple[str, _Row]]] = {}
    for place, row in rows:
        units.setdefault(row.identity, []).append((place, row))
    found = []
    for identity, members in sorted(units.items()):
        members.sort(key=lambda one: one[1].time_s)
        whole = _piece_of(identity, HeightReference.UNKNOWN, [row for _, row in members])
        for first, second, apart_m in two_places(whole):
            faults.append(twice_fault(whole, first, second, apart_m, members[second][0], members[first][0]))
            if len(faults) >= MOST_FAULTS:
                return ()
        for reference in sorted({row.reference for _, row in members}):
            piece = _piece_of(identity, reference, [row for _, row in members if row.reference is reference])
            found.append(piece.taken(_without_repeats(piece)))
    return tuple(found)


def _piece_of(identity: Identity, reference: HeightReference, rows: Sequence[_Row]) -> Piece:
    table = np.array([one.numbers for one in rows])
    times = np.array([one.time_s for one in rows])
    return Piece(identity, reference, times, table[:, 0], table[:, 1], table[:, 2], table[:, 3])


_SPEED_M_S = 12_000.0
"""Faster than anything goes but from the Earth: two such positions are of two units, or one of them is wrong."""
_SAME_M = 50.0
"""So far apart two reports of one moment may be whatever they say of their uncertainty."""


def two_places(piece: Piece) -> list[tuple[int, int, float]]:
    """Neighbours in time that no unit can have been at both: their places, and how far apart they are."""
    if len(piece) < 2:
        return []
    points = surface(piece.lon_deg, piece.lat_deg)
    apart = np.sqrt(((points[1:] - points[:-1]) ** 2).sum(axis=1))
    unsure = piece.uncertainty_m[1:] + piece.uncertainty_m[:-1]
    wrong = apart - unsure - _SAME_M > _SPEED_M_S * np.diff(piece.time_s)
    return [(int(one), int(one) + 1, float(apart[one])) for one in np.flatnonzero(wrong)]


def twice_fault(piece: Piece, first: int, second: int, apart_m: float, place: str, other: str) -> Fault:
    """A unit at two places at once, in words."""
    after_s = float(piece.time_s[second] - piece.time_s[first])
    when = "at the same moment" if after_s == 0.0 else f"within {after_s:.3g} s"
    problem = f"{piece.identity.name} at two places {when}: {apart_m:,.0f} m from {other}"
    right = "positions of one unit under one name; give each unit its own"
    return Fault(problem, right, feature=place, field="time", value=to_text(float(piece.time_s[second])))


def _without_repeats(piece: Piece) -> npt.NDArray[np.intp]:
    columns = (piece.time_s, piece.lon_deg, piece.lat_deg, piece.height_m, piece.uncertainty_m)
    same = np.ones(max(0, len(piece) - 1), np.bool_)
    for column in columns:
        same &= (column[1:] == column[:-1]) | (np.isnan(column[1:]) & np.isnan(column[:-1]))
    return np.flatnonzero(np.concatenate(([True], ~same)))


def _order(piece: Piece) -> tuple[Identity, str, float]:
    return piece.identity, str(piece.reference), float(piece.time_s[0]) if len(piece) else 0.0


def _lines(piece: Piece) -> Iterable[bytes]:
    names = piece.identity.members()
    for time_s, lon, lat, height, unsure in zip(
        piece.time_s.tolist(), piece.lon_deg.tolist(), piece.lat_deg.tolist(), piece.height_m.tolist(),
        piece.uncertainty_m.tolist(), strict=True,
    ):  # fmt: skip
        value: dict[str, Any] = {**names, "time": to_text(time_s), "lon_deg": lon, "lat_deg": lat}
        if not math.isnan(height):
            value |= {"height_m": height, "height_reference": str(piece.reference)}
        if unsure:
            value["uncertainty_m"] = unsure
        yield canonical(value)
