"""What was said, as far as answers and deadlines go: the facts of which a conversation is worked out, one row an entry.

A node reads them when it starts, which takes a thousandth of the time that reading all bodies again would. Rows are
numbered anew when they change, so whoever has read up to a number finds what is new after it.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Boolean, Column, Connection, Index, Table, bindparam, delete, func, insert, select, update

from keepclear.line.read_back import Place, Reentered
from keepclear.line.said import Said
from keepclear.model.findings import Answer
from keepclear.record.bodies.talk import AnswerGiven, Priority
from keepclear.record.entries import EntryRef
from keepclear.store.node.columns import WHOLE, WORDS
from keepclear.store.node.database import projections
from keepclear.store.ready import Ready

__all__ = [
    "SaidRow",
    "awaiting",
    "problem_in",
    "put_said",
    "said_after",
    "said_at",
    "said_in_log",
    "said_table",
    "set_counted",
]

_said = Table(
    "said",
    projections,
    Column("origin", WORDS, primary_key=True),
    Column("number", WHOLE, primary_key=True, autoincrement=False),
    Column("line", WORDS, nullable=False),
    Column("change", WHOLE, nullable=False),
    Column("counted", Boolean, nullable=False),
    Column("awaits_body", WHOLE, nullable=False),
    Column("facts", WORDS, nullable=False),
    Index("said_by_change", "line", "change"),
    Index("said_awaiting", "awaits_body", "origin", "number"),
)
said_table = _said
"""For who joins it with a table of his own."""
_s = _said.c
_HERE = (_s.origin == bindparam("log"), _s.number == bindparam("place"))
_NEXT = Ready(select(func.max(_s.change)).where(_s.line == bindparam("on")))
_DROP, _PUT = Ready(delete(_said).where(*_HERE)), Ready(insert(_said))
_AFTER = Ready(select(_said).where(_s.line == bindparam("on"), _s.change > bindparam("after")).order_by(_s.change))
_AT = Ready(select(_said).where(*_HERE))
_AWAITING = Ready(select(_s.origin, _s.number).where(_s.awaits_body == 1).order_by(_s.origin, _s.number))


@dataclass(frozen=True, slots=True)
class SaidRow:
    """What was said, whether it counts (its author was a member there), and the number of its last change."""

    said: Said
    counted: bool
    change: int


def put_said(conn: Connection, line: str, said: Said, *, counted: bool, awaits_body: bool) -> int:
    """Put in what an entry says, or in place of what was known of it before; the number of the change."""
    change = _next(conn, line)
    _DROP.run(conn, log=said.ref.origin, place=said.ref.index)
    _PUT.run(
        conn, origin=said.ref.origin, number=said.ref.index, line=line, change=change, counted=counted,
        awaits_body=int(awaits_body), facts=_written(said),
    )  # fmt: skip
    return change


def set_counted(conn: Connection, line: str, origin: str, start: int, stop: int, *, counted: bool) -> None:
    """Whether entries of a log count from now on."""
    wanted = (_s.origin == origin, _s.number >= start, _s.number < stop)
    for number in conn.execute(select(_s.number).where(*wanted).order_by(_s.number)).scalars().all():
        here = update(_said).where(_s.origin == origin, _s.number == number)
        conn.execute(here.values(counted=counted, change=_next(conn, line)))


def said_after(conn: Connection, line: str, change: int) -> Iterator[SaidRow]:
    """All that has changed on a line after a change, in that order."""
    for row in _AFTER.each(conn, on=line, after=change):
        yield _row(row)


def said_at(conn: Connection, origin: str, number: int) -> SaidRow | None:
    """What an entry says; None where nothing is known of it."""
    row = _AT.one(conn, log=origin, place=number)
    return None if row is None else _row(row)


def said_in_log(conn: Connection, origin: str) -> Iterator[tuple[int, bool]]:
    """The entries of a log, and whether they count."""
    for row in conn.execute(select(_s.number, _s.counted).where(_s.origin == origin).order_by(_s.number)):
        yield row[0], row[1]


def awaiting(conn: Connection) -> list[tuple[str, int]]:
    """Entries whose body may come yet."""
    return [(row[0], row[1]) for row in _AWAITING.rows(conn)]


def problem_in(facts: str) -> str:
    """Why it is not known what an entry says, of its row; empty where it is."""
    return str(json.loads(facts).get("problem", ""))


def _next(conn: Connection, line: str) -> int:
    return int(_NEXT.value(conn, on=line) or 0) + 1


def _row(row: Any) -> SaidRow:
    return SaidRow(_read(row.facts), row.counted, row.change)


def _written(said: Said) -> str:
    """All members that say something, in JSON."""
    place, back = said.place, said.read_back
    members = {
        "ref": _ref_value(said.ref), "party": said.party, "recipients": sorted(said.recipients),
        "exercise": said.exercise, "kept_s": said.kept_s, "type": said.type, "problem": said.problem,
        "about": [_ref_value(one) for one in said.about],
        "supersedes": None if said.supersedes is None else _ref_value(said.supersedes),
        "start_s": said.start_s, "end_s": said.end_s, "always": said.always, "priority": said.priority,
        "given": said.given, "unit": said.unit, "reason": said.reason, "found": said.found, "guard": said.guard,
        "urgent": said.urgent, "stage": said.stage,
        "place": None if place is None else [place.lon_deg, place.lat_deg, place.time_s, place.uncertainty_m],
        "read_back": None if back is None else [back.lon_deg, back.lat_deg, back.time_s, back.uncertainty_m, back.text],
    }  # fmt: skip
    says = {name: value for name, value in members.items() if value is not None and value is not False}
    return json.dumps({name: value for name, value in says.items() if value not in ("", [])})


def _read(text: str) -> Said:
    members: dict[str, Any] = json.loads(text)
    found = dict(members)
    found["ref"] = _ref_of(members["ref"])
    found["party"], found["type"] = sys.intern(members["party"]), sys.intern(members["type"])
    found["recipients"] = frozenset(sys.intern(one) for one in members.get("recipients", ()))
    found["exercise"] = members.get("exercise", False)
    found["about"] = tuple(_ref_of(one) for one in members.get("about", ()))
    found["supersedes"] = _ref_of(members["supersedes"]) if "supersedes" in members else None
    found["problem"] = sys.intern(members.get("problem", ""))
    for name, kind in (("priority", Priority), ("given", AnswerGiven), ("found", Answer)):
        if name in members:
            found[name] = kind(members[name])
    if "place" in members:
        found["place"] = Place(*members["place"])
    if "read_back" in members:
        found["read_back"] = Reentered(*members["read_back"])
    return Said(**found)


def _ref_value(ref: EntryRef) -> list[Any]:
    return [ref.origin, ref.index, base64.b64encode(ref.leaf_hash).decode()]


def _ref_of(value: list[Any]) -> EntryRef:
    return EntryRef(sys.intern(value[0]), value[1], base64.b64decode(value[2]))
