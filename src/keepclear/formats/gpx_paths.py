"""The paths of a GPX file, point by point, and the operations they become."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Mapping

import numpy as np

from keepclear.errors import Fault, InputError
from keepclear.formats.decimals import parse_number
from keepclear.formats.reading import Reading
from keepclear.model.extents import Track, TrackBasis, Volume
from keepclear.model.footprints import Corridor, Edges
from keepclear.model.heights import Height, HeightReference
from keepclear.model.kinds import OperationKind, ZoneKind
from keepclear.model.operations import Operation, Plans, Source
from keepclear.times import parse_time

__all__ = ["Path", "Paths"]

_LONGEST_NUMBER = 100
_NAN = float("nan")


class Segment:
    """One unbroken run of points: longitudes, latitudes, heights and times, NaN where not given."""

    __slots__ = ("heights", "lats", "lons", "times")

    def __init__(self) -> None:
        self.lons, self.lats, self.heights, self.times = array("d"), array("d"), array("d"), array("d")

    def __len__(self) -> int:
        return len(self.lons)

    def append(self, point: Mapping[str, float]) -> None:
        """Put a point at the end."""
        self.lons.append(point["lon"])
        self.lats.append(point["lat"])
        self.heights.append(point.get("ele", _NAN))
        self.times.append(point.get("time", _NAN))

    def extend(self, other: Segment) -> None:
        """Put all points of another segment at the end."""
        for name in self.__slots__:
            getattr(self, name).extend(getattr(other, name))


class Path:
    """One track or route while it is read.

    Attributes
    ----------
    name
        As the file says, or empty.
    segments
        Those begun so far; a route is one segment.
    """

    def __init__(self, basis: TrackBasis, number: int, reading: Reading) -> None:
        self.basis = basis
        self.name = ""
        self.segments: list[Segment] = []
        self.default_name = f"{'track' if basis is TrackBasis.FLOWN else 'route'} {number}"
        self._reading = reading
        self._point: dict[str, float] = {}

    @property
    def label(self) -> str:
        """What messages call the path."""
        return f"{self.default_name} {self.name[:60]!r}" if self.name else self.default_name

    def begin_segment(self) -> None:
        """The points that follow belong together."""
        self.segments.append(Segment())

    def begin_point(self, attributes: Mapping[str, str]) -> None:
        """A point begins, at the longitude and latitude in its attributes."""
        self._point = {}
        for field, most in (("lat", 90.0), ("lon", 180.0)):
            text = attributes.get(field)
            if text is None:
                self._fault(f"no {field}", "an attribute with decimal degrees", field)
                continue
            number = self._attempt(field, text, _coordinate)
            if abs(number) > most:
                hint = ": lat and lon may be swapped" if field == "lat" and abs(number) <= 180.0 else ""
                self._fault(f"{field} out of range{hint}", f"from -{most:g} to {most:g}", field, text)
                number = _NAN
            self._point[field] = number

    def say(self, field: str, text: str) -> None:
        """What an element inside the point says: its elevation or its time."""
        if not text:
            return
        if field == "ele":
            self._point[field] = self._attempt(field, text, _elevation)
        elif field == "time":
            self._point[field] = self._attempt(field, text, _time)

    def end_point(self) -> None:
        """The point is complete."""
        self._point.setdefault("lat", _NAN)
        self._point.setdefault("lon", _NAN)
        segment = self.segments[-1]
        time_s = self._point.get("time", _NAN)
        if len(segment) and time_s < segment.times[-1] < math.inf:
            self._fault("the time goes back", "points in the order of their times", "time")
        segment.append(self._point)

    def check_times(self) -> bool:
        """Whether the points have times; that only some have them is noted."""
        timed = untimed = 0
        first = ""
        for number, segment in enumerate(self.segments, 1):
            missing = np.isnan(np.frombuffer(segment.times))
            if missing.any() and not first:
                first = self._place(number, int(np.argmax(missing)) + 1)
            untimed += int(np.count_nonzero(missing))
            timed += int(np.count_nonzero(~missing))
        if timed and untimed:
            problem = f"{untimed} of {timed + untimed} points have no time; the first of them here"
            self._reading.fault(problem, "a time for each point, or for none", feature=first, field="time")
        return timed > 0

    def _attempt(self, field: str, text: str, parse: Callable[[str], float]) -> float:
        try:
            return parse(text)
        except InputError as error:
            for fault in error.faults:
                self._fault(fault.problem, fault.right, field, fault.value[:200])
            # Infinity, not NaN: something is there, though it is wrong and noted.
            return math.inf if field == "time" else _NAN

    def _fault(self, problem: str, right: str, field: str, value: str = "") -> None:
        feature = self._place(len(self.segments), len(self.segments[-1]) + 1)
        self._reading.fault(problem, right, feature=feature, field=field, value=value[:200])

    def _place(self, segment: int, point: int) -> str:
        within = f", segment {segment}" if self.basis is TrackBasis.FLOWN else ""
        return f"{self.label}{within}, point {point}"


class Paths:
    """Collects the tracks and routes of one file.

    Attributes
    ----------
    waypoints
        How many points there are that belong to no path.
    """

    def __init__(self, reading: Reading) -> None:
        self.waypoints = 0
        self._reading = reading
        self._counts = dict.fromkeys(TrackBasis, 0)
        self._used: set[str] = set()

    def begin(self, basis: TrackBasis) -> Path:
        """A new track (flown) or route (planned)."""
        self._counts[basis] += 1
        return Path(basis, self._counts[basis], self._reading)

    def add(self, path: Path) -> None:
        """Take over a path that is complete."""
        path.segments = [segment for segment in path.segments if len(segment)]
        if not path.segments:
            self._reading.warn(f"{path.label} has no points and was left out")
            return
        timed = path.check_times()
        if self._reading.faults:
            return
        tracks = tuple(_track(run, path.basis) for run in _runs(path.segments)) if timed else ()
        volumes = () if timed else tuple(_untimed(segment) for segment in path.segments)
        identifier = self._identifier(path)
        kind = self._reading.kind
        if isinstance(kind, ZoneKind):
            self._reading.fault("a zone does not move", _KINDS, feature=path.label, field="kind", value=kind.value)
            return
        source = Source(self._reading.file, path.label)
        self._reading.operations.append(
            Operation(
                self._reading.party,
                identifier,
                kind,
                volumes,
                tracks,
                name=path.name or path.default_name,
                source=source,
            )
        )

    def plans(self) -> Plans:
        """The operations of the paths.

        Raises
        ------
        InputError
            With every fault found.
        """
        reading = self._reading
        if self.waypoints and not any(self._counts.values()):
            problem = (
                f"no track and no route, only {_waypoints(self.waypoints)}, which say nothing of where a unit goes"
            )
            reading.fault(problem, "at least one <trk> or <rte>")
        elif self.waypoints:
            reading.warn(f"left aside, outside tracks and routes: {_waypoints(self.waypoints)}")
        return reading.plans()

    def _identifier(self, path: Path) -> str:
        wanted = path.name or path.default_name
        identifier, count = wanted, 1
        while identifier in self._used:
            count += 1
            identifier = f"{wanted} ({count})"
        if identifier != wanted:
            self._reading.warn(f"{path.label} shares its name with another path and has the id {identifier[:80]!r}")
        self._used.add(identifier)
        return identifier


_KINDS = f"one of: {', '.join(kind.value for kind in OperationKind)}"


def _runs(segments: list[Segment]) -> list[Segment]:
    """Segments put together where each begins no earlier than the one before it ends.

    A new segment says that the receiver heard nothing for a while (GPX 1.1 schema, ``trkseg``), not that the unit was
    nowhere. As one track the time between is a gap in which the unit may be anywhere it could reach; as two it would be
    a time at which there is no unit, and that could be called clear.
    """
    runs = [segments[0]]
    for segment in segments[1:]:
        if segment.times[0] >= runs[-1].times[-1]:
            runs[-1].extend(segment)
        else:
            runs.append(segment)
    return runs


def _track(run: Segment, basis: TrackBasis) -> Track:
    return Track(
        np.frombuffer(run.times),
        np.frombuffer(run.lons),
        np.frombuffer(run.lats),
        np.frombuffer(run.heights),
        HeightReference.AMSL,
        basis,
    )


def _untimed(segment: Segment) -> Volume:
    """A path of no width whose times are not known, between its least and its greatest height if all are known."""
    line = np.column_stack((np.frombuffer(segment.lons), np.frombuffer(segment.lats)))
    floor = ceiling = None
    if not any(map(math.isnan, segment.heights)):
        floor, ceiling = (Height(bound(segment.heights), HeightReference.AMSL) for bound in (min, max))
    return Volume(Corridor(line, 0.0, Edges.GEODESIC), floor, ceiling)


def _number(text: str, *, thousands_possible: bool) -> float:
    if len(text) > _LONGEST_NUMBER:
        raise InputError(Fault("not a number", "a plain decimal number", value=text[:_LONGEST_NUMBER]))
    return parse_number(text, thousands_possible=thousands_possible)


def _coordinate(text: str) -> float:
    degrees = _number(text, thousands_possible=False)
    if math.isnan(degrees):
        raise InputError(Fault("not a number", "decimal degrees", value=text))
    return degrees


def _elevation(text: str) -> float:
    height = _number(text, thousands_possible=True)
    return height if math.isnan(height) else Height(height, HeightReference.AMSL).value_m


def _time(text: str) -> float:
    if len(text) > _LONGEST_NUMBER:
        raise InputError(Fault("not a time", "2026-01-31T09:00:00Z", value=text[:_LONGEST_NUMBER]))
    return parse_time(text)


def _waypoints(count: int) -> str:
    return "1 waypoint" if count == 1 else f"{count} waypoints"
