"""What a filing must be besides well formed: ours, of this world's size, and of a time that is not over.

What is only odd is told, and filed all the same: who files late or leaves something out may have had reason to.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from keepclear.errors import Fault, InputError
from keepclear.line.deadlines import DEFAULT_DEADLINES, Deadlines
from keepclear.model.extents import Track, Volume
from keepclear.model.footprints import Circle, Corridor, Footprint
from keepclear.model.operations import Operation, Zone
from keepclear.times import parse_time, to_text

__all__ = ["MOST_ACROSS_M", "check_filing", "filing_warnings", "time_bounds"]

MOST_ACROSS_M = 5_000_000.0
"""The greatest extent: half a continent. What binds more of the world is no plan that somebody can keep clear of."""
_NO_PLACE_M = 100_000.0  # a place that is known no better tells nobody where not to be
_DAY_S = 86_400.0
_YEAR_S = 366 * _DAY_S
_EARLIEST_ZONE_S = parse_time("2000-01-01T00:00:00Z")
_EARTH_M = 6_378_137.0

Array = npt.NDArray[np.float64]


def check_filing(thing: Operation | Zone, *, party: str, now_s: float) -> None:
    """Refuse what cannot be filed by this party at this time.

    Raises
    ------
    InputError
        With all that is wrong.
    """
    where = "zone" if isinstance(thing, Zone) else "operation"
    faults = []
    if thing.party != party:
        right = f"{party}; for an affiliate, name it in on_behalf_of"
        faults.append(Fault("not ours to file", right, field=f"{where}.party", value=thing.party))
    faults += _times_wrong(thing, where, now_s)
    for number, one in enumerate(thing.volumes):
        faults += _wide(_across_m(one.footprint), f"{where}.volumes[{number}]")
    if isinstance(thing, Operation):
        for number, track in enumerate(thing.tracks):
            faults += _wide(_spread_m(track.lon_deg, track.lat_deg), f"{where}.tracks[{number}]")
    if faults:
        raise InputError(faults)


def filing_warnings(
    thing: Operation | Zone,
    *,
    now_s: float,
    reason_if_late: str | None,
    exercise: bool,
    deadlines: Deadlines = DEFAULT_DEADLINES,
) -> tuple[str, ...]:
    """What a person should know of a filing: that it is late, or says too little.

    Parameters
    ----------
    now_s
        When it is filed; of a filing that came, when we had it.
    reason_if_late
        What is said of why; its author is asked for it where it is None.
    """
    return tuple(_warned(thing, now_s, reason_if_late, exercise=exercise, deadlines=deadlines))


def time_bounds(thing: Operation | Zone) -> tuple[float | None, float | None]:
    """The earliest and the latest time of it, slip included; None where that is open or not known."""
    starts: list[float | None] = [one.start_s for one in thing.volumes]
    ends: list[float | None] = [one.end_s for one in thing.volumes]
    for track in thing.tracks if isinstance(thing, Operation) else ():
        starts.append(float(track.time_s[0]) - float(np.max(track.early_s)))
        ends.append(float(track.time_s[-1]) + float(np.max(track.late_s)))
    known_starts = [one for one in starts if one is not None and one > -math.inf]
    known_ends = [one for one in ends if one is not None and one < math.inf]
    start_s = min(known_starts) if len(known_starts) == len(starts) else None
    return start_s, max(known_ends) if len(known_ends) == len(ends) else None


def _times_wrong(thing: Operation | Zone, where: str, now_s: float) -> Iterator[Fault]:
    _, end_s = time_bounds(thing)
    if end_s is not None and end_s <= now_s:
        right = "something that is still to come; what happened is said in a message"
        yield Fault("it is over", right, field=where, value=to_text(end_s))
    if isinstance(thing, Zone):
        for number, volume in enumerate(thing.volumes):
            yield from _zone_times_wrong(volume, f"{where}.volumes[{number}]", now_s)
        return
    for path, times in _named_times(thing, where):
        known = [one for one in times if one is not None and math.isfinite(one)]
        first_s, last_s = min(known, default=now_s), max(known, default=now_s)
        if first_s < now_s - _YEAR_S:
            right = "no longer ago than a year"
            yield Fault("an operation is not planned so long ago", right, field=path, value=to_text(first_s))
        if last_s > now_s + 10 * _YEAR_S:
            right = "at most ten years ahead"
            yield Fault("an operation is not planned so far ahead", right, field=path, value=to_text(last_s))
        if known and max(known) - min(known) > _YEAR_S:
            yield Fault("an operation of more than a year", "several, or a zone", field=path)


def _named_times(operation: Operation, where: str) -> Iterator[tuple[str, tuple[float | None, ...]]]:
    for number, volume in enumerate(operation.volumes):
        yield f"{where}.volumes[{number}]", (volume.start_s, volume.end_s)
    for number, track in enumerate(operation.tracks):
        yield f"{where}.tracks[{number}].time_s", (float(track.time_s[0]), float(track.time_s[-1]))


def _zone_times_wrong(volume: Volume, path: str, now_s: float) -> Iterator[Fault]:
    if volume.start_s is not None and not _EARLIEST_ZONE_S <= volume.start_s <= now_s + 10 * _YEAR_S:
        right = f"from {to_text(_EARLIEST_ZONE_S)[:10]} to ten years ahead; leave it out for what was always there"
        yield Fault("not when a zone begins", right, field=f"{path}.start_s", value=to_text(volume.start_s))
    if volume.end_s is not None and volume.end_s > now_s + 50 * _YEAR_S:
        right = "at most fifty years ahead; leave it out for what has no end"
        yield Fault("not when a zone ends", right, field=f"{path}.end_s", value=to_text(volume.end_s))


def _wide(across_m: float, path: str) -> Iterator[Fault]:
    if across_m > MOST_ACROSS_M:
        right = f"at most {MOST_ACROSS_M / 1000.0:,.0f} km"
        yield Fault("too wide for anybody to keep clear of", right, field=path, value=f"{across_m / 1000.0:,.0f} km")


def _across_m(footprint: Footprint) -> float:
    if isinstance(footprint, Circle):
        return 2.0 * footprint.radius_m
    if isinstance(footprint, Corridor):
        return _spread_m(footprint.line[:, 0], footprint.line[:, 1]) + 2.0 * footprint.half_width_m
    return _spread_m(footprint.rings[0][:, 0], footprint.rings[0][:, 1])


def _spread_m(lon_deg: Array, lat_deg: Array) -> float:
    """The greatest distance of a point from the first, along a sphere; no extent is more than twice as wide."""
    lon, lat = np.radians(lon_deg), np.radians(lat_deg)
    points = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    chord = np.linalg.norm(points - points[:, :1], axis=0).max()
    return float(2.0 * _EARTH_M * np.arcsin(min(chord / 2.0, 1.0)))


def _warned(
    thing: Operation | Zone, now_s: float, reason_if_late: str | None, *, exercise: bool, deadlines: Deadlines
) -> Iterator[str]:
    start_s, _ = time_bounds(thing)
    if isinstance(thing, Operation):
        if start_s is None:
            yield "When it starts is not said: others must take it that it may be under way at any time."
        elif start_s - now_s < deadlines.routine_lead_s and not exercise:
            lead = _lead(start_s - now_s)
            why = "; say why (reason_if_late)" if reason_if_late is None else ""
            yield f"It is told {lead}, less than {deadlines.routine_lead_s / 3600:g} h before: it is late{why}."
        if thing.kind is None:
            yield "What kind of operation it is is not said: the strictest separation is asked of it."
        place = _without_place(thing)
        if place:
            yield (
                f"It says no place that anybody could keep clear of (uncertain by {place / 1000.0:,.0f} km): it is "
                "incomplete, and whatever others plan in its time may come too close."
            )
        missing = _without_heights(thing)
        if missing and thing.domains and any(one in {"air", "uas"} for one in thing.domains):
            yield "Heights are not said: others must take it that it may be at any."
    if any(isinstance(one, Track) and one.basis != "planned" for one in getattr(thing, "tracks", ())):
        yield "It has a track that was flown: a filing tells what is planned."


def _lead(lead_s: float) -> str:
    if lead_s <= 0.0:
        return "after it has begun"
    hours = lead_s / 3600.0
    return f"{hours:.1f} h before it starts" if hours >= 1.0 else f"{lead_s / 60.0:.0f} min before it starts"


def _without_place(operation: Operation) -> float:
    """How uncertain its place is, where that is so much that it tells of none; else 0. In metres."""
    uncertain = [one.uncertainty_m for one in operation.volumes]
    uncertain += [float(np.max(one.uncertainty_m)) for one in operation.tracks]
    return max((one for one in uncertain if one >= _NO_PLACE_M), default=0.0)


def _without_heights(operation: Operation) -> bool:
    volumes = any(one.floor is None or one.ceiling is None for one in operation.volumes)
    return volumes or any(bool(np.isnan(track.height_m).any()) for track in operation.tracks)
