"""Joint plans as the search needs them: the parts of each plan, and which participants have signed it.

A projection. Parts of one plan are not in conflict with each other once every participant has signed; until then they
are plans like any others.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Column, Connection, Index, Table, bindparam, delete, insert, select

from keepclear.record.entries import EntryRef
from keepclear.store.node.columns import OCTETS, SECONDS, WHOLE, WORDS
from keepclear.store.node.database import projections
from keepclear.store.ready import Ready

__all__ = [
    "JointPart", "add_parts", "add_signature", "drop_entry", "is_named", "is_signed", "part_of", "parts_of_plan",
    "plans_signed_by",
]  # fmt: skip

_part = Table(
    "joint_part",
    projections,
    Column("origin", WORDS, primary_key=True),
    Column("number", WHOLE, primary_key=True, autoincrement=False),
    Column("place", WHOLE, primary_key=True, autoincrement=False),
    Column("line", WORDS, nullable=False),
    Column("plan", WORDS, nullable=False),
    Column("party", WORDS, nullable=False),
    Column("role", WORDS, nullable=False),
    Column("thing_id", WORDS, nullable=False),
    Column("content", OCTETS, nullable=False),
    Index("joint_part_of_plan", "line", "plan"),
    Index("joint_part_of_thing", "party", "thing_id"),
)
_signature = Table(
    "joint_signature",
    projections,
    Column("origin", WORDS, primary_key=True),
    Column("number", WHOLE, primary_key=True, autoincrement=False),
    Column("line", WORDS, nullable=False),
    Column("plan", WORDS, nullable=False),
    Column("party", WORDS, nullable=False),
    Column("role", WORDS, nullable=False),
    Column("at_s", SECONDS, nullable=False),
    Index("joint_signature_of_plan", "line", "plan"),
)
_p, _s = _part.c, _signature.c
_NAMED = Ready(select(_p.place).where(_p.party == bindparam("by"), _p.thing_id == bindparam("thing")).limit(1))


@dataclass(frozen=True, slots=True)
class JointPart:
    """What one participant does in a plan.

    Attributes
    ----------
    party, role, thing_id
        Who, as what, and the id of the operation.
    content
        SHA-256 of the operation, without what says that it is part of a plan.
    """

    party: str
    role: str
    thing_id: str
    content: bytes


def add_parts(conn: Connection, line: str, ref: EntryRef, plan: str, parts: Iterable[JointPart]) -> None:
    """An entry tells of a plan."""
    drop_entry(conn, ref.origin, ref.index)
    conn.execute(
        insert(_part),
        [
            {"origin": ref.origin, "number": ref.index, "place": place, "line": line, "plan": plan, "party": one.party,
             "role": one.role, "thing_id": one.thing_id, "content": one.content}
            for place, one in enumerate(parts)
        ],
    )  # fmt: skip


def add_signature(conn: Connection, line: str, ref: EntryRef, plan: str, party: str, role: str, at_s: float) -> None:
    """An entry signs a plan."""
    drop_entry(conn, ref.origin, ref.index)
    values = {
        "origin": ref.origin, "number": ref.index, "line": line, "plan": plan, "party": party, "role": role,
        "at_s": at_s,
    }  # fmt: skip
    conn.execute(insert(_signature), values)


def drop_entry(conn: Connection, origin: str, number: int) -> str:
    """An entry counts no more; the plan that it was about, empty where it was about none."""
    found = ""
    for table in (_part, _signature):
        here = (table.c.origin == origin) & (table.c.number == number)
        found = conn.execute(select(table.c.plan).where(here)).scalar() or found
        conn.execute(delete(table).where(here))
    return found


def is_named(conn: Connection, party: str, thing_id: str) -> bool:
    """Whether any plan, signed or not, has an operation of that party and id."""
    return _NAMED.value(conn, by=party, thing=thing_id) is not None


def parts_of_plan(conn: Connection, line: str, plan: str) -> tuple[JointPart, ...]:
    """The parts of a plan; the same plan told twice has each once."""
    wanted = select(_p.party, _p.role, _p.thing_id, _p.content).where(_p.line == line, _p.plan == plan)
    rows = conn.execute(wanted.order_by(_p.party, _p.thing_id))
    return tuple(dict.fromkeys(JointPart(row[0], row[1], row[2], bytes(row[3])) for row in rows))


def plans_signed_by(conn: Connection, line: str, plan: str) -> frozenset[tuple[str, str]]:
    """Who has signed a plan, and as what."""
    wanted = select(_s.party, _s.role).where(_s.line == line, _s.plan == plan)
    return frozenset((row[0], row[1]) for row in conn.execute(wanted))


def is_signed(conn: Connection, line: str, plan: str) -> bool:
    """Whether every participant of a plan has signed it, in the role that the plan gives it."""
    parts = parts_of_plan(conn, line, plan)
    return bool(parts) and {(one.party, one.role) for one in parts} <= plans_signed_by(conn, line, plan)


def part_of(conn: Connection, plan: str, party: str, thing_id: str, content: bytes) -> tuple[str, tuple[str, ...]]:
    """The line of a plan that is signed by all and has this part, and the ids of all its parts; empty where none is."""
    wanted = select(_p.line).distinct().where(_p.plan == plan, _p.party == party, _p.thing_id == thing_id)
    for line in conn.execute(wanted.where(_p.content == content).order_by(_p.line)).scalars():
        if is_signed(conn, line, plan):
            return line, tuple(sorted({one.thing_id for one in parts_of_plan(conn, line, plan)}))
    return "", ()
