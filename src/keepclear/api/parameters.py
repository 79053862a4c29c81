"""Parameters that many routes have: entries in paths, lines, times and areas."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Path, Query

from keepclear.errors import Fault, InputError
from keepclear.node.entry_ids import ENTRY_ID_RIGHT, EntryId
from keepclear.node.refusals import NotFoundError
from keepclear.record.entries import EntryRef
from keepclear.record.names import NAME_PATTERN
from keepclear.store.node.filings import Box
from keepclear.values.base import ENTRY_ID_PATTERN, Time

if TYPE_CHECKING:
    from keepclear.node.running import Node

__all__ = [
    "AreaAsked",
    "EntryInPath",
    "LineFilter",
    "LineInPath",
    "PartyFilter",
    "Span",
    "SpanAsked",
    "lines_asked",
    "ref_of",
    "refs_of",
]

_AREA_RIGHT = "west,south,east,north in degrees, for example 40,36.5,42.5,37.5; west > east crosses the antimeridian"

EntryInPath = Annotated[
    str,
    Path(
        alias="id",
        pattern=ENTRY_ID_PATTERN,
        max_length=160,
        description=f"An entry: {ENTRY_ID_RIGHT}.",
        examples=["RU:north:12"],
    ),
]
"""Parameter of a path: the id of an entry."""
LineInPath = Annotated[
    str, Path(pattern=NAME_PATTERN, max_length=63, description="The line's name.", examples=["north"])
]
"""Parameter of a path: the name of a line."""
LineFilter = Annotated[
    str | None, Query(pattern=NAME_PATTERN, max_length=63, description="Only of this line.", examples=["north"])
]
PartyFilter = Annotated[
    str | None, Query(pattern=NAME_PATTERN, max_length=63, description="Only of this party.", examples=["RU"])
]


@dataclass(frozen=True, slots=True)
class Span:
    """From when to when; None: without limit."""

    from_s: float | None
    to_s: float | None


def _span(
    from_: Annotated[Time | None, Query(alias="from", description="Not over before this time.")] = None,
    to: Annotated[Time | None, Query(description="Begun by this time.")] = None,
) -> Span:
    if from_ is not None and to is not None and to < from_:
        raise InputError(Fault("the end is before the start", "to after from", field="to", value=to.isoformat()))
    return Span(None if from_ is None else from_.timestamp(), None if to is None else to.timestamp())


def _area(
    area: Annotated[
        str | None,
        Query(max_length=200, description=f"What may meet this area: {_AREA_RIGHT}.", examples=["40,36,42,37"]),
    ] = None,
) -> Box | None:
    if area is None:
        return None
    numbers = [number for number in map(_degrees, area.split(",")) if number is not None]
    if len(numbers) != 4 or area.count(",") != 3:
        raise InputError(Fault("not an area", _AREA_RIGHT, field="area", value=area))
    west, south, east, north = numbers
    if not (abs(west) <= 180 and abs(east) <= 180 and -90 <= south <= north <= 90):
        raise InputError(Fault("no such area on the Earth", _AREA_RIGHT, field="area", value=area))
    return west, south, east, north


SpanAsked = Annotated[Span, Depends(_span)]
"""Parameter of an endpoint: `from` and `to`."""
AreaAsked = Annotated[Box | None, Depends(_area)]
"""Parameter of an endpoint: `area`."""


def ref_of(node: Node, text: str, *, field: str = "id") -> EntryRef:
    """The entry of that id.

    Raises
    ------
    NotFoundError
        If this node has none.
    """
    place = EntryId.parse(text, field=field)
    if place.origin in node.records.origins(place.line) and place.index < node.records.size(place.origin):
        return node.records.ref(place.origin, place.index)
    raise NotFoundError("entry", field=field, value=text, right="one that this node has")


def refs_of(node: Node, ids: Sequence[str], *, field: str) -> tuple[EntryRef, ...]:
    """The entries of these ids.

    Raises
    ------
    InputError
        With all that this node has not.
    """
    found, faults = list[EntryRef](), list[Fault]()
    for number, text in enumerate(ids):
        try:
            found.append(ref_of(node, text, field=f"{field}[{number}]"))
        except InputError as error:
            faults += error.faults
    if faults:
        raise InputError(faults)
    return tuple(found)


def lines_asked(node: Node, line: str | None) -> tuple[str, ...]:
    """The lines that are meant: the one named, or all.

    Raises
    ------
    NotFoundError
        If the node is on none of that name.
    """
    lines = node.records.lines()
    if line is None:
        return lines
    if line not in lines:
        raise NotFoundError("line", field="line", value=line, right=f"one of: {', '.join(lines) or 'none yet'}")
    return (line,)


def _degrees(text: str) -> float | None:
    try:
        number = float(text) if text.isascii() and "_" not in text else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) else None
