"""A report as KML: a Placemark for each pair in conflict, and the plans of those in it."""

from __future__ import annotations

from collections.abc import Iterator

from keepclear.formats.kml_write import KML_CLOSE, KML_OPEN, element, plan_placemarks, position_text, time_span
from keepclear.formats.report_geojson import COLOURS, involved
from keepclear.formats.report_json import CONTRACT, answer_sentence, interval_to_json
from keepclear.model.findings import Closest, Conflict, Report, Side
from keepclear.model.operations import Operation, Plans, Zone

__all__ = ["report_to_kml"]

_PLAN_COLOUR = "#54607a"
_MARK = f'<ExtendedData><Data name="keepclear"><value>{CONTRACT}</value></Data></ExtendedData>\n'


def report_to_kml(report: Report, plans: Plans) -> str:
    """A KML document; the answer to the check as a whole is its description."""
    return "".join(_pieces(report, plans))


def _pieces(report: Report, plans: Plans) -> Iterator[str]:
    yield KML_OPEN
    yield element("name", f"keepclear check: {report.answer.value}")
    yield element("description", "\n".join([answer_sentence(report), *report.reasons, *report.warnings]))
    for answer, colour in COLOURS.items():
        yield _style(answer.value, colour, width=4)
    yield _style("plan", _PLAN_COLOUR, width=2)
    yield "<Folder>\n" + element("name", "Conflicts")
    for conflict in report.conflicts:
        yield _placemark(conflict)
    yield "</Folder>\n<Folder>\n" + element("name", "Plans")
    part = involved(report, plans)
    things: tuple[Operation | Zone, ...] = (*part.operations, *part.zones)
    for thing in things:
        yield from plan_placemarks(thing, style="#plan")
    yield "</Folder>\n" + KML_CLOSE


def _style(name: str, colour: str, *, width: int) -> str:
    red, green, blue = colour[1:3], colour[3:5], colour[5:7]
    opaque, faint = f"ff{blue}{green}{red}", f"40{blue}{green}{red}"  # KML writes alpha, blue, green, red
    return (
        f'<Style id="{name}"><IconStyle><color>{opaque}</color></IconStyle>'
        f"<LineStyle><color>{opaque}</color><width>{width}</width></LineStyle>"
        f"<PolyStyle><color>{faint}</color></PolyStyle></Style>\n"
    )


def _placemark(conflict: Conflict) -> str:
    names = f"{conflict.answer.value}: {_side(conflict.a)} and {_side(conflict.b)}"
    because = [f"Because: {reason}" for reason in conflict.reasons]
    proposals = [f"Would part them: {one.sentence}" for one in conflict.proposals if one.works]
    text = "\n".join([conflict.sentence, *because, *proposals])
    return "".join(
        (
            "<Placemark>\n",
            element("name", names),
            element("description", text),
            _span(conflict),
            element("styleUrl", f"#{conflict.answer.value}"),
            _MARK,
            "" if conflict.closest is None else _geometry(conflict.closest),
            "</Placemark>\n",
        )
    )


def _side(side: Side) -> str:
    return f"{side.name or side.id} ({side.party})"


def _span(conflict: Conflict) -> str:
    """From the first to the last moment of violation; open where an interval is."""
    intervals = conflict.intervals
    if not intervals:
        return ""
    known_starts = [one for one in intervals if one.start_s is not None]
    known_ends = [one for one in intervals if one.end_s is not None]
    first = min(known_starts, key=lambda one: one.start_s or 0.0) if len(known_starts) == len(intervals) else None
    last = max(known_ends, key=lambda one: one.end_s or 0.0) if len(known_ends) == len(intervals) else None
    start = None if first is None else interval_to_json(first)["start"]
    end = None if last is None else interval_to_json(last)["end"]
    return time_span(start, end)


def _geometry(closest: Closest) -> str:
    """A line between the closest positions with a mark in each, drawn on the ground so that nothing hides it."""
    a, b = closest.a[:2], closest.b[:2]
    marks = [f"<Point><coordinates>{position_text([at])}</coordinates></Point>\n" for at in dict.fromkeys((a, b))]
    ends = position_text([a, b])
    line = f"<LineString><tessellate>1</tessellate><coordinates>{ends}</coordinates></LineString>\n" if a != b else ""
    return f"<MultiGeometry>\n{''.join(marks)}{line}</MultiGeometry>\n"
