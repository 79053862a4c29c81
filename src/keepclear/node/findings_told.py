"""A finding as JSON and back: what the tables keep of a conflict, and the advisory that tells of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from keepclear.model.findings import Answer, Closest, Conflict, Interval, Minima, Side
from keepclear.model.kinds import parse_kind
from keepclear.record.bodies.line_talk import AdvisoryBody
from keepclear.record.bodies.references import EntryRefValue
from keepclear.record.entries import EntryRef

__all__ = ["advisory_of", "finding_of", "members_of"]


def members_of(conflict: Conflict) -> dict[str, Any]:
    """The members of a finding, as JSON has them."""
    return asdict(conflict)


def finding_of(members: Mapping[str, Any]) -> Conflict:
    """The finding of these members."""
    closest = members["closest"]
    if closest is not None:
        closest = Closest(**{**closest, "a": _position(closest["a"]), "b": _position(closest["b"])})
    intervals = tuple(Interval(Answer(one["answer"]), one["start_s"], one["end_s"]) for one in members["intervals"])
    return Conflict(
        Answer(members["answer"]), tuple(members["reasons"]), _side(members["a"]), _side(members["b"]),
        Minima(**members["minima"]), intervals, closest, members["sentence"],
    )  # fmt: skip


def advisory_of(conflict: Conflict, ours: EntryRef, theirs: EntryRef) -> AdvisoryBody:
    """What we tell the other party of a finding."""
    closest, minima = conflict.closest, conflict.minima
    members: dict[str, Any] = {
        "about": [EntryRefValue.of(ours), EntryRefValue.of(theirs)],
        "answer": conflict.answer.value,
        "sentence": conflict.sentence,
        "intervals": [
            {name: value for name, value in (("start_s", one.start_s), ("end_s", one.end_s)) if value is not None}
            | {"answer": one.answer.value}
            for one in conflict.intervals
        ],
        "minima": _minima_in_words(minima),
    }
    if closest is not None and math.isfinite(closest.horizontal_m):
        lon_deg, lat_deg, _ = closest.a
        moment = {"lon_deg": lon_deg, "lat_deg": lat_deg, "horizontal_m": closest.horizontal_m}
        moment |= {} if closest.vertical_m is None else {"vertical_m": closest.vertical_m}
        moment |= {} if closest.time_a_s is None else {"time_s": closest.time_a_s}
        members["closest"] = moment
    return AdvisoryBody(**members)


def _minima_in_words(minima: Minima) -> str:
    height = "" if minima.vertical_m is None else f", {minima.vertical_m:g} m in height"
    time = f", {minima.time_s:g} s" if minima.time_s else ""
    return f"{minima.rule}: {minima.horizontal_m:g} m{height}{time}"


def _side(members: Mapping[str, Any]) -> Side:
    kind = members["kind"]
    return Side(**{**members, "kind": None if kind is None else parse_kind(kind)})


def _position(value: Any) -> tuple[float, float, float | None]:
    lon, lat, height = value
    return lon, lat, height
