"""Tracks out of files: whose they are, how far off their source may be, and which of them cannot be true.

A position from the future, a unit in two places at once, a jump faster than anything of its kind can go: each is a
fault with file, unit and position, and nothing is made of such a track.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from keepclear.agreements.facts import Flown
from keepclear.errors import Fault, InputError
from keepclear.geo.ellipsoid import surface_points
from keepclear.model.extents import Track, TrackBasis
from keepclear.model.kinds import GAP_LIMIT_S, SPEED_LIMIT_M_S, Domain, OperationKind, domains_of
from keepclear.model.operations import Operation
from keepclear.times import to_text
from keepclear.watch.sampling import path_of

__all__ = ["CLOCKS_S", "TrackSource", "check_flown", "flown_of"]

Array = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

CLOCKS_S = 5.0
"""Clocks agree within this (ASTM F3548-21): no further ahead is a position of the future."""
_NOISE_M = 250.0
"""What a receiver may be off between two reports without anybody thinking of it as a jump."""
_BASELINE_S = 30.0
_MOST_FAULTS = 100


@dataclass(frozen=True, slots=True)
class TrackSource:
    """Where positions come from.

    Attributes
    ----------
    name, owner
        What it is called, and the party whose it is; empty where that is not known.
    accuracy_m
        How far off its positions may be, besides what they say themselves.
    max_age_s
        A longer silence than this is a gap; None: as long as is usual for the domain.
    """

    name: str = ""
    owner: str = ""
    accuracy_m: float = 0.0
    max_age_s: float | None = None


def flown_of(operations: Iterable[Operation], source: TrackSource | None = None) -> tuple[Flown, ...]:
    """The flown tracks of operations as formats read them: each operation is a unit. Planned tracks are left aside."""
    source = source or TrackSource()
    return tuple(
        Flown(
            operation.party, operation.id, _less_sure(track, source.accuracy_m), None,
            "" if operation.kind is None else operation.kind.value, "", source.name or operation.source.file,
            source.owner, _gap_s(operation, source), (), operation.domains,
        )
        for operation in operations
        for track in operation.tracks
        if track.basis is TrackBasis.FLOWN
    )  # fmt: skip


def _gap_s(operation: Operation, source: TrackSource) -> float:
    if source.max_age_s is not None:
        return source.max_age_s
    return min(GAP_LIMIT_S[domain] for domain in operation.domains)


def _less_sure(track: Track, accuracy_m: float) -> Track:
    return track if accuracy_m == 0.0 else replace(track, uncertainty_m=track.uncertainty_m + accuracy_m)


def check_flown(tracks: Sequence[Flown], *, now_s: float) -> None:
    """Refuse what cannot be true.

    Parameters
    ----------
    now_s
        The time of the record, or of the clock: later than this, with `CLOCKS_S`, is the future.

    Raises
    ------
    InputError
        With every fault, at most a hundred: its file, unit and position.
    """
    faults: list[Fault] = []
    for flown in tracks:
        faults += _future(flown, now_s)
        faults += _jumps(flown)
    by_unit: dict[tuple[str, str], list[Flown]] = defaultdict(list)
    for flown in tracks:
        by_unit[flown.party, flown.unit].append(flown)
    for some in by_unit.values():
        faults += _two_places(some)
    if faults:
        raise InputError(faults[:_MOST_FAULTS])


def _fault(flown: Flown, problem: str, right: str, index: int, value: str = "") -> Fault:
    return Fault(problem, right, flown.source, f"{flown.name}, position {index + 1}", "time", value)


def _future(flown: Flown, now_s: float) -> Iterator[Fault]:
    time = flown.track.time_s
    if time[-1] > now_s + CLOCKS_S:
        index = int(np.searchsorted(time, now_s + CLOCKS_S, side="right"))
        right = f"no later than {to_text(now_s)}; a plan is no track: say so with track: planned"
        more = len(time) - index - 1
        text = f"a position from the future{f', and {more} more' if more else ''}"
        yield _fault(flown, text, right, index, to_text(float(time[index])))


def _jumps(flown: Flown) -> Iterator[Fault]:
    """Where it went faster than anything of its kind: from one position to the next, or in half a minute."""
    time = flown.track.time_s
    if len(time) < 2:
        return
    one = np.arange(len(time) - 1)
    later = np.searchsorted(time, time[:-1] + _BASELINE_S)  # over it what a receiver may be off counts for little
    for other in (one + 1, np.minimum(np.maximum(later, one + 1), len(time) - 1)):
        found = _too_fast(flown, one, other)
        if found is not None:
            yield found
            return


def _too_fast(flown: Flown, one: Indices, other: Indices) -> Fault | None:
    """The first of some pairs of positions that are too far apart for the time between them."""
    track = flown.track
    limit = max(SPEED_LIMIT_M_S[domain] for domain in _domains(flown))
    points = _points(track)
    apart = np.linalg.norm(points[other] - points[one], axis=1)
    step = track.time_s[other] - track.time_s[one]
    doubt, early, late = (
        np.broadcast_to(np.asarray(value, dtype=np.float64), track.time_s.shape)
        for value in (track.uncertainty_m, track.early_s, track.late_s)
    )
    slip = np.maximum((early + late)[one], (early + late)[other])
    wrong = np.flatnonzero(apart > limit * (step + slip) + _NOISE_M + doubt[one] + doubt[other])
    if len(wrong) == 0:
        return None
    row = int(wrong[0])
    index = int(other[row])
    more = f", and {len(wrong) - 1} more such jumps" if len(wrong) > 1 else ""
    before = "the position before it" if index == one[row] + 1 else f"position {one[row] + 1}"
    problem = f"{apart[row]:,.0f} m from {before} in {step[row]:,.1f} s"
    problem += f", {apart[row] / step[row]:,.0f} m/s{more}" if step[row] > 0.0 else f": two places at once{more}"
    right = f"at most {limit:,.0f} m/s; two units are two tracks; leave out what is wrong, or say how far off it may be"
    return _fault(flown, problem, right, index, to_text(float(track.time_s[index])))


def _two_places(some: Sequence[Flown]) -> Iterator[Fault]:
    """Where two tracks of one unit do not agree on where it was."""
    for number, one in enumerate(some):
        for other in some[number + 1 :]:
            low = max(float(one.track.time_s[0]), float(other.track.time_s[0]))
            high = min(float(one.track.time_s[-1]), float(other.track.time_s[-1]))
            if low > high:
                continue
            path, second = path_of(one, low, high), path_of(other, low, high)
            if path is None or second is None:
                continue
            moments = path.time_s[(path.time_s >= low) & (path.time_s <= high)]
            here, there = path.at(moments), second.at(moments)
            apart = np.linalg.norm(here.xyz_m - there.xyz_m, axis=1)
            wrong = np.flatnonzero(here.known & there.known & (apart > here.doubt_m + there.doubt_m + _NOISE_M))
            if len(wrong):
                moment = float(moments[wrong[0]])
                index = int(np.searchsorted(one.track.time_s, moment))
                where = f" (the other is in {other.source})" if other.source != one.source else ""
                problem = f"in two places at once, {apart[wrong[0]]:,.0f} m apart{where}"
                yield _fault(one, problem, "a name for each unit", index, to_text(moment))


def _points(track: Track) -> Array:
    points = np.empty((len(track.time_s), 3))
    surface_points(np.array(track.lon_deg), np.array(track.lat_deg), points)
    return points


def _domains(flown: Flown) -> frozenset[Domain]:
    return flown.domains or domains_of(OperationKind(flown.kind) if flown.kind else None)
