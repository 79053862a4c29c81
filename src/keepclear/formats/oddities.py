"""What could be read but looks like a slip of whoever typed it: asked about, never mended.

Latitude and longitude swapped, minutes typed as decimals, a degree off: one entry lies far from everything else that
its party filed, or a route asks more speed of a unit than anything has. Only plans are looked at; flown positions are
what they are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from keepclear.model.extents import Track, TrackBasis
from keepclear.model.footprints import Circle, Polygon
from keepclear.model.kinds import SPEED_LIMIT_M_S
from keepclear.model.operations import Operation, Plans, Zone

__all__ = ["oddities"]

_MOST_OF_A_PARTY = 20_000


def oddities(plans: Plans) -> Iterator[str]:
    """One sentence for each thing in `plans` that looks like a slip."""
    from keepclear.geo.slips import find_slips

    filed: dict[str, dict[str, tuple[float, float]]] = defaultdict(dict)
    # What was flown is most of what there is, and is not looked at.
    planned = [operation for operation in plans.operations if operation.volumes or _is_planned(operation.tracks)]
    things: list[Operation | Zone] = [*planned, *plans.zones]
    for thing in things:
        place = _place(thing)
        if place is not None:
            filed[thing.party][f"{thing.party} {thing.id}"] = place
    for places in filed.values():
        if len(places) <= _MOST_OF_A_PARTY:
            yield from (slip.sentence for slip in find_slips(list(places.values()), names=list(places)))
    for operation in planned:
        for track in operation.tracks:
            if track.basis is TrackBasis.PLANNED and len(track.time_s) > 1:
                top_m_s = operation.top_speed_m_s or max(SPEED_LIMIT_M_S[domain] for domain in operation.domains)
                yield from _too_fast(operation, track, top_m_s)


def _is_planned(tracks: tuple[Track, ...]) -> bool:
    return any(track.basis is TrackBasis.PLANNED for track in tracks)


def _place(thing: Operation | Zone) -> tuple[float, float] | None:
    """One position that stands for what was filed; None for what was flown."""
    if thing.volumes:
        footprint = thing.volumes[0].footprint
        if isinstance(footprint, Circle):
            return footprint.lon_deg, footprint.lat_deg
        lon, lat = footprint.rings[0][0] if isinstance(footprint, Polygon) else footprint.line[0]
        return float(lon), float(lat)
    if isinstance(thing, Zone) or thing.tracks[0].basis is TrackBasis.FLOWN:
        return None
    return float(thing.tracks[0].lon_deg[0]), float(thing.tracks[0].lat_deg[0])


def _too_fast(operation: Operation, track: Track, top_m_s: float) -> Iterator[str]:
    lat = np.radians(track.lat_deg)
    across = np.radians((np.diff(track.lon_deg) + 180.0) % 360.0 - 180.0) * np.cos(0.5 * (lat[1:] + lat[:-1]))
    metres = 6_371_008.8 * np.hypot(np.diff(lat), across)  # rough is enough to see a slip
    seconds = np.diff(track.time_s)
    fast = np.flatnonzero(metres > 1.2 * top_m_s * seconds + 50.0)
    if len(fast):
        k = int(fast[0])
        pace = f"{metres[k] / seconds[k]:,.0f} m/s" if seconds[k] > 0.0 else "no time"
        more = f" (and {len(fast) - 1} more)" if len(fast) > 1 else ""
        yield (
            f"{operation.party} {operation.id}: from position {k + 1} to {k + 2} it is {metres[k] / 1000.0:,.1f} km in "
            f"{seconds[k]:,.0f} s, {pace}, faster than its kind moves: is a position or a time mistyped?{more}"
        )
