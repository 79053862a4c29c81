"""Filings: every operation and zone that was said on a line, and every body kept back that may be one.

A row for each entry, whether it can be read or not, with what lists and filters ask for; what a test of separation
reads stands beside it (`plan`), as long as the filing is active.
"""

from __future__ import annotations

import base64
import functools
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from operator import attrgetter
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Index,
    Integer,
    Table,
    and_,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    text,
    update,
)  # fmt: skip

from keepclear.model.bulk import made_of
from keepclear.record.entries import EntryRef
from keepclear.record.entry_types import EntryType
from keepclear.store.node.columns import OCTETS, SECONDS, STRUCTURE, WHOLE, WORDS
from keepclear.store.node.database import projections
from keepclear.store.ready import Ready

__all__ = [
    "UNREADABLE",
    "Box",
    "Filing",
    "FilingState",
    "Fresh",
    "Unread",
    "active_count",
    "active_names",
    "add_filing",
    "add_filings",
    "change_filing",
    "compared_with",
    "drop_plan",
    "ended_before",
    "ended_too_early",
    "filed_after",
    "filing_of",
    "filings_by_id",
    "filings_changed_by",
    "filings_like",
    "filings_of_log",
    "filings_of_thing",
    "is_in_run",
    "newest_number",
    "plans_of",
    "put_plan",
    "put_plans",
    "unread_filings",
]

UNREADABLE = "unreadable"
"""Stands for the type of an entry whose leaf is none that can be read."""
Box = tuple[float, float, float, float]
"""West, south, east, north in degrees; where west is greater than east it lies across the antimeridian."""


class FilingState(StrEnum):
    """How it stands with a filing, as far as searching goes."""

    ACTIVE = "active"
    """It is searched for, or counts as unread."""
    AMENDED = "amended"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    """It is over, slip included."""
    COVERED = "covered"
    """Kept back, and a filing that can be read contains it, or it was opened and is no plan."""
    NOT_COUNTED = "not counted"
    """Its author was no member of the line there."""


_filing = Table(
    "filing",
    projections,
    Column("id", WHOLE, primary_key=True, autoincrement=False),
    Column("line", WORDS, nullable=False),
    Column("origin", WORDS, nullable=False),
    Column("number", WHOLE, nullable=False),
    Column("leaf_hash", OCTETS, nullable=False),
    Column("party", WORDS, nullable=False),
    Column("type", WORDS, nullable=False),
    Column("exercise", Boolean, nullable=False),
    Column("time_s", SECONDS, nullable=False),
    Column("kept_s", SECONDS, nullable=False),
    Column("recipients", STRUCTURE, nullable=False),
    Column("problem", WORDS, nullable=False),
    Column("unread", WHOLE, nullable=False),
    Column("for_us", WHOLE, nullable=False),
    Column("run_stop", WHOLE, nullable=False),
    Column("thing_id", WORDS, nullable=False),
    Column("name", WORDS, nullable=False),
    Column("kind", WORDS, nullable=False),
    Column("start_s", SECONDS),
    Column("end_s", SECONDS),
    Column("west", SECONDS),
    Column("south", SECONDS),
    Column("east", SECONDS),
    Column("north", SECONDS),
    Column("state", WORDS, nullable=False),
    Column("state_s", SECONDS, nullable=False),
    Column("supersedes", STRUCTURE),
    Column("changed_by", STRUCTURE),
    Index("filing_by_place", "origin", "number", unique=True),
    Index("filing_by_thing", "party", "thing_id"),
    Index("filing_by_end", "state", "end_s"),
    Index("filing_unread", "unread", "state", "for_us", "exercise", "line", "party", "type"),
    Index("filing_to_compare", "state", "unread", "exercise", "type", "party"),
    Index("filing_by_line", "line", "id"),
)
_plan = Table(
    "plan",
    projections,
    Column("filing", WHOLE, primary_key=True, autoincrement=False),
    Column("data", OCTETS, nullable=False),
)
_f = _filing.c
_NUMBER = _f.id == bindparam("which")
_LAST = Ready(select(func.max(_f.id)))
_PUT = Ready(insert(_filing))
_AT = Ready(select(_filing).where(_f.origin == bindparam("log"), _f.number == bindparam("place")))
_BY_ID = Ready(select(_filing).where(_NUMBER))
_OF_THING = Ready(select(_filing).where(_f.party == bindparam("by"), _f.thing_id == bindparam("thing")).order_by(_f.id))
_ENDED = Ready(select(_f.id).where(_f.state == FilingState.ACTIVE, _f.end_s < bindparam("at")).order_by(_f.id))
_ENDED_TOO_EARLY = Ready(
    select(_f.id).where(_f.state == FilingState.EXPIRED, _f.end_s >= bindparam("at")).order_by(_f.id)
)
_AFTER = Ready(
    select(_f.id, _f.party, _f.type, _f.origin, _f.number, _f.leaf_hash)
    .where(_f.id > bindparam("after"))
    .order_by(_f.id)
    .limit(bindparam("most"))
)
_IS_ACTIVE = f"f.state = '{FilingState.ACTIVE}' AND f.unread = 0"
_NAMES = {
    "sqlite": Ready(
        text(
            "SELECT f.id, f.leaf_hash FROM json_each(:ids) AS k CROSS JOIN filing AS f ON f.id = k.value "  # noqa: S608
            f"WHERE {_IS_ACTIVE}"
        )
    ),
    "postgresql": Ready(
        text(f"SELECT f.id, f.leaf_hash FROM filing AS f WHERE f.id = ANY(CAST(:ids AS bigint[])) AND {_IS_ACTIVE}")  # noqa: S608
    ),
}
"""Of filings by number, those that are active and can be read."""
_PLANS = {
    "sqlite": Ready(
        text("SELECT p.filing, p.data FROM json_each(:ids) AS k CROSS JOIN plan AS p ON p.filing = k.value")
    ),
    "postgresql": Ready(text("SELECT p.filing, p.data FROM plan AS p WHERE p.filing = ANY(CAST(:ids AS bigint[]))")),
}
_ALL_OF_IT = ", ".join(f"f.{column.name}" for column in _f)
_BY_IDS = {
    "sqlite": Ready(
        text(f"SELECT {_ALL_OF_IT} FROM json_each(:ids) AS k CROSS JOIN filing AS f ON f.id = k.value").columns(*_f)  # noqa: S608
    ),
    "postgresql": Ready(
        text(f"SELECT {_ALL_OF_IT} FROM filing AS f WHERE f.id = ANY(CAST(:ids AS bigint[]))").columns(*_f)  # noqa: S608
    ),
}
_PUT_PLAN = Ready(insert(_plan))
_DROP_PLAN = Ready(delete(_plan).where(_plan.c.filing == bindparam("which")))


@dataclass(frozen=True, slots=True)
class Filing:
    """An operation or a zone that was said, as far as lists and searches go.

    Attributes
    ----------
    id
        Its number in this node's tables; another after a rebuild by a newer program.
    line, ref, party, type, exercise, time_s, kept_s, recipients
        Which entry it is: as in its leaf, and when our node had it.
    problem
        Why it could not be read; empty if it could.
    thing_id, name, kind
        Of the operation or zone; empty where unknown.
    start_s, end_s
        From when to when, slip included; None where it is not known or open.
    box
        What holds all of it.
    state, state_s
        How it stands, and since when.
    supersedes
        The entry whose place it takes, by its own word.
    changed_by
        The entry by which it was amended or cancelled.
    for_us
        Whether it is for us to read: said to us, or by ourselves.
    run_stop
        One past the last of the entries, next to each other in the log, that tell of this filing; 0 where it is alone.
    """

    id: int
    line: str
    ref: EntryRef
    party: str
    type: str
    exercise: bool
    time_s: float
    kept_s: float
    recipients: tuple[str, ...]
    problem: str
    thing_id: str
    name: str
    kind: str
    start_s: float | None
    end_s: float | None
    box: Box | None
    state: FilingState
    state_s: float
    supersedes: EntryRef | None
    changed_by: EntryRef | None
    for_us: bool = True
    run_stop: int = 0

    @property
    def is_read(self) -> bool:
        """Whether we know what it says."""
        return not self.problem


@dataclass(frozen=True, slots=True)
class Fresh:
    """A filing that came lately: its number, whose it is, of which type, and its entry."""

    number: int
    party: str
    type: str
    ref: EntryRef


@dataclass(frozen=True, slots=True)
class Unread:
    """Filings of one party on one line that could not be read, for one reason: each could be anywhere at any time.

    Attributes
    ----------
    line, party, type, problem, count
        Whose they are, and why they could not be read.
    for_us
        Whether they were for us to read: said to us, or by ourselves. What was said to others alone, or is kept back
        from everybody, is not.
    """

    line: str
    party: str
    type: str
    problem: str
    count: int
    for_us: bool = True


def add_filing(conn: Connection, row: Filing) -> Filing:
    """Put a filing in, with the next number instead of the one it has."""
    return add_filings(conn, (row,))[0]


def add_filings(conn: Connection, rows: Sequence[Filing]) -> list[Filing]:
    """Put filings in, with the next numbers."""
    first = int(_LAST.value(conn) or 0) + 1
    numbered = [replace(row, id=number) for number, row in enumerate(rows, first)]
    if numbered:
        _PUT.run_many(conn, [_values(row) for row in numbered])
    return numbered


def change_filing(conn: Connection, number: int, **values: Any) -> None:
    """Give a filing other values: attributes of `Filing`, by name."""
    given = dict(values)
    if "problem" in given:
        given["unread"] = int(bool(given["problem"]))
    if "box" in given:
        given["west"], given["south"], given["east"], given["north"] = given.pop("box") or (None,) * 4
    for name in ("supersedes", "changed_by"):
        if name in given:
            given[name] = _told(given[name])
    _changing(tuple(sorted(given))).run(conn, which=number, **{f"new_{name}": one for name, one in given.items()})


@functools.cache
def _changing(names: tuple[str, ...]) -> Ready:
    return Ready(update(_filing).where(_NUMBER).values({name: bindparam(f"new_{name}") for name in names}))


def put_plan(conn: Connection, number: int, data: bytes) -> None:
    """Keep what a test of separation reads of a filing (`plan_bytes.packed`)."""
    _DROP_PLAN.run(conn, which=number)
    _PUT_PLAN.run(conn, filing=number, data=data)


def put_plans(conn: Connection, plans: Mapping[int, bytes]) -> None:
    """Keep those of filings that had none."""
    if plans:
        conn.execute(insert(_plan), [{"filing": number, "data": data} for number, data in plans.items()])


def drop_plan(conn: Connection, number: int) -> None:
    """Keep it no longer."""
    _DROP_PLAN.run(conn, which=number)


def plans_of(conn: Connection, numbers: Collection[int]) -> Mapping[int, bytes]:
    """What was kept of these filings."""
    found: dict[int, bytes] = {}
    for some in _in_runs(sorted(numbers)):
        found |= {row[0]: bytes(row[1]) for row in _PLANS[conn.dialect.name].rows(conn, ids=_listed(conn, some))}
    return found


def filing_of(conn: Connection, ref: EntryRef) -> Filing | None:
    """The filing that an entry is; None if it is none, or another entry stands there."""
    row = _AT.one(conn, log=ref.origin, place=ref.index)
    return _filing_of(row) if row is not None and bytes(row.leaf_hash) == ref.leaf_hash else None


def filings_by_id(conn: Connection, numbers: Collection[int]) -> Mapping[int, Filing]:
    """Filings by number."""
    found: dict[int, Filing] = {}
    if len(numbers) <= _FEW:
        rows = (_BY_ID.one(conn, which=number) for number in sorted(numbers))
        return {row.id: _filing_of(row) for row in rows if row is not None}
    for some in _in_runs(sorted(numbers)):
        told = _BY_IDS[conn.dialect.name].rows(conn, ids=_listed(conn, some))
        found |= {one.id: one for one in _filings_of(told)}
    return found


def active_names(conn: Connection, numbers: Collection[int]) -> Mapping[int, bytes]:
    """Of these filings those that are active and can be read, and the hash of each one's leaf."""
    found: dict[int, bytes] = {}
    for some in _in_runs(sorted(numbers)):
        found |= {row[0]: bytes(row[1]) for row in _NAMES[conn.dialect.name].rows(conn, ids=_listed(conn, some))}
    return found


def filings_of_log(conn: Connection, origin: str, *, start: int = 0, stop: int = 2**53) -> list[Filing]:
    """All filings of a log from an entry to before another, in order."""
    within = (_f.origin == origin, _f.number >= start, _f.number < stop)
    return [_filing_of(row) for row in conn.execute(select(_filing).where(*within).order_by(_f.number))]


def is_in_run(conn: Connection, origin: str, number: int) -> bool:
    """Whether an earlier entry that can be read says that this one tells of the same filing."""
    within = (_f.origin == origin, _f.number >= number - _LONGEST_RUN, _f.number < number, _f.run_stop > number)
    return conn.execute(select(_f.id).where(*within).limit(1)).scalar() is not None


def filings_of_thing(conn: Connection, party: str, thing_id: str) -> list[Filing]:
    """Every entry in which a party told of an operation or zone of that id, in the order in which they came."""
    return [_filing_of(row) for row in _OF_THING.rows(conn, by=party, thing=thing_id)]


def filings_like(
    conn: Connection,
    *,
    types: Collection[str] = ("operation",),
    line: str | None = None,
    party: str | None = None,
    states: Collection[FilingState] = (),
    from_s: float | None = None,
    to_s: float | None = None,
    area: Box | None = None,
    exercise: bool | None = None,
    below: int | None = None,
    limit: int = 100,
) -> list[Filing]:
    """Filings that match, the newest first. What is not known of one never leaves it out.

    Parameters
    ----------
    states
        None given: all.
    from_s, to_s
        Those that may be under way between them.
    area
        Those whose box meets it.
    below
        Only numbers below this: the last of the page before.
    """
    wanted: list[Any] = [_f.type.in_(sorted(types))]
    wanted += [column == value for column, value in ((_f.line, line), (_f.party, party)) if value is not None]
    if exercise is not None:
        wanted.append(_f.exercise == exercise)
    if states:
        wanted.append(_f.state.in_(sorted(states)))
    if to_s is not None:
        wanted.append(or_(_f.start_s.is_(None), _f.start_s <= to_s))
    if from_s is not None:
        wanted.append(or_(_f.end_s.is_(None), _f.end_s >= from_s))
    if area is not None:
        wanted.append(or_(_f.west.is_(None), _meets(area)))
    if below is not None:
        wanted.append(_f.id < below)
    rows = conn.execute(select(_filing).where(and_(*wanted)).order_by(_f.id.desc()).limit(limit))
    return [_filing_of(row) for row in rows]


def ended_before(conn: Connection, at_s: float) -> list[int]:
    """Active filings that were over before then, by number."""
    return [row[0] for row in _ENDED.rows(conn, at=at_s)]


def ended_too_early(conn: Connection, at_s: float) -> list[int]:
    """Filings that were taken to be over and are not at that time, by number: a clock was ahead, and no longer is."""
    return [row[0] for row in _ENDED_TOO_EARLY.rows(conn, at=at_s)]


def unread_filings(conn: Connection, *, exercise: bool, leaving_out: Collection[EntryRef] = ()) -> list[Unread]:
    """Active filings that could not be read, counted by line, party, type and reason; those that are for us first."""
    ours, others = _UNREAD if not leaving_out else _unread(leaving_out)
    found = [Unread(row[0], row[1], row[2], row[3], row[4]) for row in ours.rows(conn, practice=exercise)]
    rest = others.rows(conn, practice=exercise)
    return found + [Unread(row[0], row[1], row[2], "not said to us", row[3], for_us=False) for row in rest]


def _unread(leaving_out: Collection[EntryRef]) -> tuple[Ready, Ready]:
    """What counts those that are for us, and the others."""
    practice = _f.exercise == bindparam("practice")
    hidden: list[Any] = [_f.unread == 1, _f.state == FilingState.ACTIVE]
    hidden += [or_(_f.origin != one.origin, _f.number != one.index) for one in leaving_out]
    # What cannot be read at all does not tell either whether it is for practice.
    for_us = (*hidden, _f.for_us == 1, or_(practice, _f.type == UNREADABLE))
    # Why what is for others cannot be read needs no telling, and there may be very many: an index counts them.
    for_others = (*hidden, _f.for_us == 0, practice)
    kinds: list[Any] = [_f.line, _f.party, _f.type]
    whys = [*kinds, _f.problem]
    return (
        Ready(select(*whys, func.count()).where(*for_us).group_by(*whys).order_by(*whys)),
        Ready(select(*kinds, func.count()).where(*for_others).group_by(*kinds).order_by(*kinds)),
    )


_UNREAD = _unread(())


def _compared(*more: Any) -> Ready:
    wanted = (_f.state == FilingState.ACTIVE, _f.unread == 0, _f.exercise == bindparam("practice"))
    one = select(_f.origin, _f.number).where(*wanted, _f.type == bindparam("kind"), *more)
    return Ready(one.limit(bindparam("most", type_=Integer)))


_COMPARED = _compared()
_COMPARED_BEFORE, _COMPARED_AFTER = _compared(_f.party < bindparam("than")), _compared(_f.party > bindparam("than"))


def compared_with(
    conn: Connection, *, us: str, own_too: bool, exercise: bool, leaving_out: Collection[EntryRef] = ()
) -> bool:
    """Whether there is any filing at all that something of that party is compared with: others', and its own zones.

    Parameters
    ----------
    own_too
        All of its own: for a zone.
    """
    left_out = {(ref.origin, ref.index) for ref in leaving_out}
    given = {"practice": exercise, "most": len(left_out) + 1}
    for kind in (EntryType.OPERATION, EntryType.ZONE, EntryType.COMMITMENT):
        every = own_too or kind is EntryType.ZONE
        for wanted in (_COMPARED,) if every else (_COMPARED_BEFORE, _COMPARED_AFTER):
            rows = wanted.rows(conn, **given, kind=kind, **({} if every else {"than": us}))
            if any((row[0], row[1]) not in left_out for row in rows):
                return True
    return False


def filings_changed_by(conn: Connection, party: str, line: str) -> list[Filing]:
    """Filings of a party on a line that were amended or cancelled."""
    changed = (FilingState.AMENDED, FilingState.CANCELLED)
    wanted = select(_filing).where(_f.line == line, _f.party == party, _f.state.in_(changed)).order_by(_f.id)
    return [_filing_of(row) for row in conn.execute(wanted)]


def newest_number(conn: Connection) -> int:
    """The number of the newest filing; 0 before the first."""
    return int(_LAST.value(conn) or 0)


def filed_after(conn: Connection, number: int, *, limit: int) -> list[Fresh]:
    """The filings after the one of that number, in their order."""
    return [
        Fresh(row.id, row.party, row.type, EntryRef(row.origin, row.number, bytes(row.leaf_hash)))
        for row in _AFTER.rows(conn, after=number, most=limit)
    ]


def active_count(conn: Connection) -> int:
    """How many filings are active."""
    return int(conn.execute(select(func.count()).where(_f.state == FilingState.ACTIVE)).scalar_one())


_PLAIN = (
    "line", "party", "type", "exercise", "time_s", "kept_s", "problem", "thing_id", "name", "kind", "start_s",
    "end_s", "state", "state_s", "run_stop",
)  # fmt: skip
_RUN = 500
_FEW = 6  # that are asked for one by one
_LONGEST_RUN = 1000


def _listed(conn: Connection, numbers: Sequence[int]) -> Any:
    """Numbers as one value of a statement."""
    return json.dumps(list(numbers)) if conn.dialect.name == "sqlite" else list(numbers)


def _in_runs(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(numbers), _RUN):
        yield numbers[start : start + _RUN]


def _meets(area: Box) -> Any:
    west, south, east, north = area
    upright = and_(_f.south <= north, _f.north >= south)
    spans = [(west, east)] if west <= east else [(west, 180.0), (-180.0, east)]
    across = [
        or_(
            and_(_f.west <= _f.east, _f.west <= high, _f.east >= low),
            and_(_f.west > _f.east, or_(_f.west <= high, _f.east >= low)),
        )
        for low, high in spans
    ]
    return and_(upright, or_(*across))


def _told(ref: EntryRef | None) -> list[Any] | None:
    return None if ref is None else [ref.origin, ref.index, base64.b64encode(ref.leaf_hash).decode()]


def _ref(value: list[Any] | None) -> EntryRef | None:
    return None if value is None else EntryRef(value[0], value[1], base64.b64decode(value[2]))


def _values(row: Filing) -> dict[str, Any]:
    west, south, east, north = row.box or (None, None, None, None)
    values = {name: getattr(row, name) for name in _PLAIN}
    return values | {
        "id": row.id, "origin": row.ref.origin, "number": row.ref.index, "leaf_hash": row.ref.leaf_hash,
        "recipients": list(row.recipients), "unread": int(bool(row.problem)), "for_us": int(row.for_us),
        "west": west, "south": south, "east": east, "north": north, "supersedes": _told(row.supersedes),
        "changed_by": _told(row.changed_by),
    }  # fmt: skip


def _filings_of(rows: Sequence[Any]) -> list[Filing]:
    """As `_filing_of`, of many rows, column by column."""
    columns: dict[str, Any] = {name: map(attrgetter(name), rows) for name in _PLAIN}
    columns["id"] = (row.id for row in rows)
    columns["ref"] = (EntryRef(row.origin, row.number, bytes(row.leaf_hash)) for row in rows)
    columns["recipients"] = (tuple(row.recipients) for row in rows)
    columns["box"] = (None if row.west is None else (row.west, row.south, row.east, row.north) for row in rows)
    columns["state"] = (FilingState(row.state) for row in rows)
    columns["supersedes"] = (_ref(row.supersedes) for row in rows)
    columns["changed_by"] = (_ref(row.changed_by) for row in rows)
    columns["for_us"] = (bool(row.for_us) for row in rows)
    return made_of(Filing, len(rows), columns)


def _filing_of(row: Any) -> Filing:
    ref = EntryRef(row.origin, row.number, bytes(row.leaf_hash))
    box = None if row.west is None else (row.west, row.south, row.east, row.north)
    values = {name: getattr(row, name) for name in _PLAIN} | {"state": FilingState(row.state)}
    return Filing(
        id=row.id, ref=ref, recipients=tuple(row.recipients), box=box, supersedes=_ref(row.supersedes),
        changed_by=_ref(row.changed_by), for_us=bool(row.for_us), **values,
    )  # fmt: skip
