"""Plans as the node's tables keep them: what a test of separation reads, quick to take up again.

A header in JSON and after it all numbers of tracks, lines and rings end to end. They were checked when they came, so
nothing is checked here. Not a format for others: whatever is made otherwise by a newer program is made anew.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from keepclear.model.extents import Track, TrackBasis, Volume
from keepclear.model.footprints import Circle, Corridor, Edges, Footprint, Polygon
from keepclear.model.heights import Height, HeightReference
from keepclear.model.kinds import Domain, OperationKind, ZoneKind, ZoneRule
from keepclear.model.operations import JointPlan, Operation, Source, Zone

__all__ = ["packed", "unpacked"]

Array = npt.NDArray[np.float64]
Thing = Operation | Zone

_HEADER_BYTES = 4


def packed(thing: Thing) -> bytes:
    """An operation or a zone, less what no test of separation reads (its participants, and where it was read)."""
    arrays: list[Array] = []
    header: dict[str, Any] = {
        "party": thing.party, "id": thing.id, "name": thing.name, "kind": thing.kind,
        "volumes": [_packed_volume(one, arrays) for one in thing.volumes],
    }  # fmt: skip
    if isinstance(thing, Zone):
        header["rule"] = thing.rule
    else:
        header["domains"] = sorted(thing.domains)
        header["tracks"] = [_packed_track(one, arrays) for one in thing.tracks]
        header["top_speed_m_s"] = thing.top_speed_m_s
        header["joint"] = None if thing.joint is None else [thing.joint.plan, sorted(thing.joint.operations)]
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # so that the numbers begin where numbers may
    return len(text).to_bytes(_HEADER_BYTES, "big") + text + b"".join(one.tobytes() for one in arrays)


def unpacked(data: bytes) -> Thing:
    """The operation or zone that was packed."""
    end = _HEADER_BYTES + int.from_bytes(data[:_HEADER_BYTES], "big")
    header, _ = _parsed(str(data[_HEADER_BYTES:end], "ascii"))
    numbers = _Numbers(np.frombuffer(data, dtype=np.float64, offset=end))
    volumes = tuple([_volume(one, numbers) for one in header["volumes"]])
    party, name, kind = header["party"], header["name"], header["kind"]
    if "rule" in header:
        return Zone(party, header["id"], ZoneKind(kind), volumes, ZoneRule(header["rule"]), name)
    operation = object.__new__(Operation)
    joint = header["joint"]
    values = (
        party, header["id"], _KINDS[kind], volumes, tuple([_track(one, numbers) for one in header["tracks"]]),
        _domains(tuple(header["domains"])), (), None if joint is None else JointPlan(joint[0], frozenset(joint[1])),
        name, header["top_speed_m_s"], _NO_SOURCE,
    )  # fmt: skip
    for put, value in zip(_PUT_INTO_OPERATION, values, strict=True):
        put(operation, value)
    return operation


_parsed = json.JSONDecoder().raw_decode  # without a look for encodings and for what comes after
_KINDS: dict[str | None, OperationKind | None] = {None: None, **{one.value: one for one in OperationKind}}
_REFERENCES = {one.value: one for one in HeightReference}
_BASES = {one.value: one for one in TrackBasis}
_EDGES = {one.value: one for one in Edges}
_NO_SOURCE = Source()
_OPERATION = ("party", "id", "kind", "volumes", "tracks", "domains", "participants", "joint", "name", "top_speed_m_s",
              "source")  # fmt: skip
assert Operation.__slots__ == _OPERATION, "what an operation has is not what is put into it"
_PUT_INTO_OPERATION = [getattr(Operation, name).__set__ for name in _OPERATION]


@functools.cache
def _domains(names: tuple[str, ...]) -> frozenset[Domain]:
    return frozenset(Domain(one) for one in names)


class _Numbers:
    """Takes the numbers from the front, as many as are asked for."""

    def __init__(self, numbers: Array) -> None:
        self._numbers, self._at = numbers, 0

    def take(self, count: int) -> Array:
        found = self._numbers[self._at : self._at + count]
        self._at += count
        return found

    def pairs(self, count: int) -> Array:
        return self.take(2 * count).reshape(-1, 2)


def _packed_volume(volume: Volume, arrays: list[Array]) -> list[Any]:
    heights = [None if one is None else [one.value_m, one.reference] for one in (volume.floor, volume.ceiling)]
    footprint = _packed_footprint(volume.footprint, arrays)
    return [footprint, *heights, volume.start_s, volume.end_s, volume.uncertainty_m]


def _volume(value: Sequence[Any], numbers: _Numbers) -> Volume:
    footprint, floor, ceiling, start_s, end_s, uncertainty_m = value
    heights = [None if one is None else Height(one[0], _REFERENCES[one[1]]) for one in (floor, ceiling)]
    return Volume(_footprint(footprint, numbers), heights[0], heights[1], start_s, end_s, uncertainty_m)


def _packed_footprint(footprint: Footprint, arrays: list[Array]) -> list[Any]:
    if isinstance(footprint, Circle):
        return ["circle", footprint.lon_deg, footprint.lat_deg, footprint.radius_m]
    if isinstance(footprint, Corridor):
        arrays.append(footprint.line)
        return ["corridor", len(footprint.line), footprint.half_width_m, footprint.edges]
    arrays += footprint.rings
    return ["polygon", [len(ring) for ring in footprint.rings], footprint.edges]


def _footprint(value: Sequence[Any], numbers: _Numbers) -> Footprint:
    match value[0]:
        case "circle":
            return Circle(value[1], value[2], value[3])
        case "corridor":
            return Corridor.of_checked(numbers.pairs(value[1]), value[2], _EDGES[value[3]])
        case _:
            return Polygon.of_checked(tuple([numbers.pairs(count) for count in value[1]]), _EDGES[value[2]])


def _packed_track(track: Track, arrays: list[Array]) -> list[Any]:
    arrays += [track.time_s, track.lon_deg, track.lat_deg, track.height_m]
    tolerances: list[float | None] = []
    for one in (track.uncertainty_m, track.early_s, track.late_s):
        if isinstance(one, np.ndarray):
            arrays.append(one)
            tolerances.append(None)
        else:
            tolerances.append(one)
    return [len(track.time_s), track.height_reference, track.basis, *tolerances]


def _track(value: Sequence[Any], numbers: _Numbers) -> Track:
    count, reference, basis, *tolerances = value
    time_s, lon_deg, lat_deg, height_m = numbers.take(4 * count).reshape(4, count)
    given = [numbers.take(count) if one is None else one for one in tolerances]
    return Track.of_checked(
        time_s, lon_deg, lat_deg, height_m, _REFERENCES[reference], _BASES[basis], *given
    )  # fmt: skip
