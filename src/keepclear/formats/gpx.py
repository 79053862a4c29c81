"""GPX 1.0 and 1.1: tracks were flown (or driven, or walked), routes are planned.

The elements are taken as they stream by, so that every fault of a file can be named with its point, and a file costs no
more memory than its positions. (gpxpy stops at the first bad number and turns it into an exception without a place; the
tests read the same files with it.) Elevations are above mean sea level (GPX 1.1 schema, ``ele``: "in meters"; receivers
and map sites write them above the geoid).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from keepclear.errors import Fault, InputError
from keepclear.formats.bounded import DEEPEST, size_text
from keepclear.formats.gpx_paths import Path, Paths
from keepclear.formats.reading import Reading
from keepclear.model.extents import TrackBasis
from keepclear.model.operations import Plans

__all__ = ["MOST_BYTES", "read"]

MOST_BYTES = 256 << 20
"""The largest file that is read."""

_NAMESPACES = ("http://www.topografix.com/GPX/1/1", "http://www.topografix.com/GPX/1/0", "")
_CHUNK_BYTES = 1 << 18
_LONGEST_TEXT = 10_000  # characters in an element that is read
_POINTS = {"trkpt", "rtept"}
_PARENTS = {
    "trk": "gpx", "rte": "gpx", "wpt": "gpx", "trkseg": "trk", "trkpt": "trkseg", "rtept": "rte", "gpx": None,
}  # fmt: skip
_READ_TEXTS = {"name", "ele", "time"}


def read(stream: BinaryIO, reading: Reading) -> Plans:
    """The operations of a GPX file: one for each track, and one for each route.

    Raises
    ------
    InputError
        With every fault found.
    """
    paths = Paths(reading)
    events = _Events(paths, reading)
    parser = DefusedXMLParser(target=events, forbid_dtd=True)
    taken = 0
    try:
        while data := stream.read(_CHUNK_BYTES):
            taken += len(data)
            if taken > MOST_BYTES:
                events.refuse(f"larger than {size_text(MOST_BYTES)}, the most that is read of GPX", "split the file")
            parser.feed(data)
        parser.close()
    except SyntaxError as error:  # what the XML library calls a parse error
        line, column = getattr(error, "position", (1, 0))
        reason = str(error).partition(":")[0]
        events.refuse(f"not XML: {reason}", feature=f"line {line} column {column + 1}")
    except DefusedXmlException as error:
        problem = f"a document type or entities are refused ({type(error).__name__})"
        events.refuse(problem, "remove the <!DOCTYPE …> declaration")
    except (ValueError, LookupError):
        events.refuse("the XML declaration names an encoding that is not supported", "save the file as UTF-8")
    return paths.plans()


class _Events:
    """Follows the elements of a GPX document and hands their points on."""

    def __init__(self, paths: Paths, reading: Reading) -> None:
        self._paths = paths
        self._reading = reading
        self._open: list[str] = []
        self._namespace = ""
        self._text: list[str] = []
        self._length = 0
        self._listening = False
        self._path: Path | None = None

    def refuse(self, problem: str, right: str = "", *, feature: str = "", value: str = "") -> None:
        """Stop here, with what was found before."""
        raise InputError([*self._reading.faults, Fault(problem, right, self._reading.file, feature, value=value)])

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        namespace, _, name = tag.rpartition("}")
        namespace = namespace.lstrip("{")
        if not self._open:
            self._check_root(namespace, name)
        if len(self._open) >= DEEPEST:
            self.refuse(f"nested deeper than {DEEPEST} levels", feature=f"element {name[:60]}")
        # Elements of others (extensions) are passed over, with all that is in them.
        parent = self._open[-1] if self._open else None
        inside = parent != "" and namespace == self._namespace
        if inside and _PARENTS.get(name, parent) != parent:
            problem, right = f"<{name}> inside <{parent}>", f"<{name}> inside <{_PARENTS[name]}>"
            self._reading.fault(problem, right, feature=self._path.label if self._path else "")
            inside = False
        self._open.append(name if inside else "")
        if not inside:
            return
        begin = _BEGIN.get(name)
        if begin:
            begin(self, attributes)
        self._listening = name in _READ_TEXTS
        self._text.clear()
        self._length = 0

    def data(self, text: str) -> None:
        """Text inside the element that began last."""
        if self._listening and self._length <= _LONGEST_TEXT:
            self._length += len(text)
            self._text.append(text[:_LONGEST_TEXT])

    def end(self, _tag: str) -> None:
        """An element ends."""
        name = self._open.pop()
        if not name:
            return
        parent = self._open[-1] if self._open else ""
        if self._path is not None:
            if name in _READ_TEXTS and self._listening:
                text = "".join(self._text).strip()
                if parent in _POINTS:
                    self._path.say(name, text)
                elif parent in {"trk", "rte"} and name == "name":
                    self._path.name = text
            elif name in _POINTS:
                self._path.end_point()
            elif name in {"trk", "rte"}:
                self._paths.add(self._path)
                self._path = None
        self._listening = False

    def close(self) -> None:
        """The document ends."""

    def _check_root(self, namespace: str, name: str) -> None:
        if name != "gpx":
            self.refuse("not GPX: the outermost element is another", "<gpx>", value=name[:60])
        if namespace not in _NAMESPACES:
            self.refuse("not a namespace of GPX 1.0 or 1.1", _NAMESPACES[0], value=namespace[:100])
        self._namespace = namespace

    def begin_track(self, _attributes: dict[str, str]) -> None:
        """A <trk>."""
        self._path = self._paths.begin(TrackBasis.FLOWN)

    def begin_route(self, _attributes: dict[str, str]) -> None:
        """A <rte>."""
        self._path = self._paths.begin(TrackBasis.PLANNED)
        self._path.begin_segment()

    def begin_segment(self, _attributes: dict[str, str]) -> None:
        """A <trkseg>."""
        assert self._path  # a segment's parent is a track
        self._path.begin_segment()

    def begin_point(self, attributes: dict[str, str]) -> None:
        """A <trkpt> or <rtept>."""
        assert self._path  # the parents are as they should be, so a path and a segment are open
        self._path.begin_point(attributes)

    def begin_waypoint(self, _attributes: dict[str, str]) -> None:
        """A <wpt>."""
        self._paths.waypoints += 1


_BEGIN: dict[str, Callable[[_Events, dict[str, str]], None]] = {
    "trk": _Events.begin_track,
    "rte": _Events.begin_route,
    "trkseg": _Events.begin_segment,
    "trkpt": _Events.begin_point,
    "rtept": _Events.begin_point,
    "wpt": _Events.begin_waypoint,
}
