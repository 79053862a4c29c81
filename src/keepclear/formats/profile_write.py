"""Operations and zones to the properties of the profile that GeoJSON and KML share."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from keepclear.formats.heights_given import height_members
from keepclear.formats.positions import Array
from keepclear.formats.tolerances import tolerance_value
from keepclear.model.extents import Track, Volume
from keepclear.model.footprints import Circle, Corridor, Edges, Polygon
from keepclear.model.heights import HeightReference
from keepclear.model.kinds import domains_of
from keepclear.model.operations import Operation, Zone
from keepclear.times import parse_time, to_text

__all__ = [
    "Warn",
    "Written",
    "crosses_antimeridian",
    "exact_text",
    "off_lonlat_m",
    "reference_name",
    "silent",
    "written_parts",
]

Warn = Callable[[str], None]

_EDGES = {Edges.LONLAT: "lonlat", Edges.GEODESIC: "geodesic"}
_EARTH_M = 6_371_000.0


def silent(sentence: str) -> None:
    """A `Warn` for those who do not want to know."""


@dataclass(frozen=True, slots=True)
class Written:
    """One feature to be written: either volumes that differ in footprint alone, or one track.

    ``properties`` are those of the whole, then those of this part.
    """

    properties: dict[str, object]
    volumes: tuple[Volume, ...] = ()
    track: Track | None = None


def written_parts(thing: Operation | Zone, *, default_edges: Edges, merge: bool = True) -> Iterator[Written]:
    """The features that say all of an operation or zone, numbered where there are several.

    Neighbouring polygons that are alike but for their rings become one feature if `merge`.
    """
    groups: list[tuple[dict[str, object], tuple[Volume, ...], Track | None]] = []
    keyed = [(_volume_properties(volume, default_edges), volume) for volume in thing.volumes]
    for _, alike in groupby(enumerate(keyed), key=lambda one: _merge_key(one[0], *one[1]) if merge else one[0]):
        several = [pair for _, pair in alike]
        groups.append((several[0][0], tuple(volume for _, volume in several), None))
    if isinstance(thing, Operation):
        groups += [(_track_properties(track), (), track) for track in thing.tracks]
    whole = _whole_properties(thing)
    for number, (own, volumes, moving) in enumerate(groups, start=1):
        numbered: dict[str, object] = {"part": number, "parts": len(groups)} if len(groups) > 1 else {}
        yield Written({**whole, **numbered, **own}, volumes, moving)


def _merge_key(index: int, properties: dict[str, object], volume: Volume) -> object:
    return repr(properties) if isinstance(volume.footprint, Polygon) else index


def _whole_properties(thing: Operation | Zone) -> dict[str, object]:
    properties: dict[str, object] = {"id": thing.id, "party": thing.party}
    if thing.kind is not None:
        properties["kind"] = thing.kind.value
    if thing.name:
        properties["name"] = thing.name
    if isinstance(thing, Zone):
        return {**properties, "rule": thing.rule.value}
    if thing.domains != domains_of(thing.kind):
        properties["domain"] = sorted(domain.value for domain in thing.domains)
    if thing.participants:
        properties["participants"] = [
            {"party": one.party, "role": one.role, "platforms": one.platforms, "class": one.platform_class}
            for one in thing.participants
        ]
    if thing.joint:
        properties["joint"] = {"plan": thing.joint.plan, "with": sorted(thing.joint.operations)}
    if thing.top_speed_m_s is not None:
        properties["top_speed_m_s"] = thing.top_speed_m_s
    return properties


def _volume_properties(volume: Volume, default_edges: Edges) -> dict[str, object]:
    properties: dict[str, object] = {}
    for name, time_s in (("start", volume.start_s), ("end", volume.end_s)):
        if time_s is not None:
            properties[name] = exact_text(time_s)
    for name, height in (("floor", volume.floor), ("ceiling", volume.ceiling)):
        if height is not None:
            properties[name] = height_members(height)
    if volume.uncertainty_m:
        properties["uncertainty_m"] = volume.uncertainty_m
    footprint = volume.footprint
    if isinstance(footprint, Circle):
        properties["radius_m"] = footprint.radius_m
    elif footprint.edges is not default_edges:
        properties["edges"] = _EDGES[footprint.edges]
    if isinstance(footprint, Corridor):
        properties["half_width_m"] = footprint.half_width_m
    return properties


def _track_properties(track: Track) -> dict[str, object]:
    properties: dict[str, object] = {
        "track": track.basis.value,
        "height_reference": reference_name(track.height_reference),
    }
    for name in ("uncertainty_m", "early_s", "late_s"):
        value = tolerance_value(getattr(track, name))
        if value is not None:
            properties[name] = value
    return properties


def reference_name(reference: HeightReference) -> str:
    """The reference as the profile writes it for bare numbers of metres."""
    return "STD" if reference is HeightReference.FL else reference.value


def exact_text(time_s: float) -> str:
    """RFC 3339 text that reads back as the same number, or is less than a nanosecond off.

    Milliseconds where they are enough, else nanoseconds.
    """
    text = to_text(time_s)
    if parse_time(text) == time_s:
        return text
    whole = math.floor(time_s)
    nanoseconds = min(round((time_s - whole) * 1e9), 999_999_999)
    return f"{to_text(float(whole))[:19]}.{nanoseconds:09d}Z"


def crosses_antimeridian(positions: Array) -> bool:
    """Whether an edge of this line or ring takes the short way over 180°."""
    return bool((np.abs(np.diff(positions[:, 0])) > 180.0).any())


def off_lonlat_m(positions: Array) -> float:
    """About how far the shortest paths between positions lie from straight lines in longitude and latitude, metres."""
    lon, lat = np.radians(positions[:, 0]), np.radians(positions[:, 1])
    east = np.abs((np.diff(lon) + np.pi) % (2.0 * np.pi) - np.pi)
    north = np.abs(np.diff(lat))
    middle = np.abs((lat[1:] + lat[:-1]) / 2.0) + north / 2.0
    bend = east**2 * np.sin(middle) * np.abs(np.cos(middle)) + 2.0 * east * north * np.sin(middle)
    return float(_EARTH_M / 8.0 * bend.max()) if len(bend) else 0.0
