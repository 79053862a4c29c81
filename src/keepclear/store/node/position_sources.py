"""What reports positions, and the rules by which it is said whose unit a report is of."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Column, Connection, Row, Table, delete, insert, select, update

from keepclear.store.node.columns import SECONDS, WHOLE, WORDS
from keepclear.store.node.database import facts

__all__ = [
    "KeptRule", "KeptSource", "add_rule", "end_rule", "put_source", "rule_of", "rules", "source_of", "sources",
]  # fmt: skip

_source = Table(
    "position_source",
    facts,
    Column("name", WORDS, primary_key=True),
    Column("owner", WORDS, nullable=False),
    Column("accuracy_m", SECONDS, nullable=False),
    Column("max_age_s", SECONDS, nullable=False),
    Column("clock_tolerance_s", SECONDS, nullable=False),
    Column("note", WORDS, nullable=False),
    Column("person", WORDS, nullable=False),
    Column("at_s", SECONDS, nullable=False),
)
_rule = Table(
    "position_rule",
    facts,
    Column("id", WHOLE, primary_key=True),
    Column("kind", WORDS, nullable=False),
    Column("value", WORDS, nullable=False),
    Column("unit", WORDS, nullable=False),
    Column("party", WORDS, nullable=False),
    Column("operation", WORDS, nullable=False),
    Column("platform_class", WORDS, nullable=False),
    Column("operation_kind", WORDS, nullable=False),
    Column("domain", WORDS, nullable=False),
    Column("from_s", SECONDS),
    Column("to_s", SECONDS),
    Column("person", WORDS, nullable=False),
    Column("at_s", SECONDS, nullable=False),
    Column("ended_by", WORDS),
    Column("ended_s", SECONDS),
    sqlite_autoincrement=True,
)


@dataclass(frozen=True, slots=True)
class KeptSource:
    """What reports positions.

    Attributes
    ----------
    name, owner
        What it is called, and the party whose it is.
    accuracy_m
        How far off its positions may be, besides what each says of itself.
    max_age_s
        How long a position says where the unit is; a longer silence is a gap.
    clock_tolerance_s
        How far its clock may be ahead of ours.
    note
        Whatever is worth knowing of it.
    person, at_s
        Who said so, and when.
    """

    name: str
    owner: str
    accuracy_m: float
    max_age_s: float
    clock_tolerance_s: float
    note: str
    person: str
    at_s: float


@dataclass(frozen=True, slots=True)
class KeptRule:
    """Whose unit a report is of.

    Attributes
    ----------
    id
        Its number.
    kind, value
        What a report must say: ``unit``, ``callsign``, ``uid`` or ``icao``, and which.
    unit, party
        The unit that it then is, and whose; the party is empty where that is not known.
    operation
        The operation that it is on: its id among those of the party; empty where only the unit is known.
    platform_class
        What sort of platform it is; empty where not known.
    operation_kind
        What it does, as a kind of operation; empty where not known.
    domain
        Where it moves: ``ground``, ``air``, ``uas`` or ``sea``; empty where that is not known.
    from_s, to_s
        From when to when it holds; None: without a bound.
    person, at_s, ended_by, ended_s
        Who made it, and who took it back.
    """

    id: int
    kind: str
    value: str
    unit: str
    party: str
    operation: str
    platform_class: str
    operation_kind: str
    domain: str
    from_s: float | None
    to_s: float | None
    person: str
    at_s: float
    ended_by: str | None = None
    ended_s: float | None = None


def put_source(conn: Connection, source: KeptSource) -> None:
    """Keep what is said of a source, in place of what was."""
    conn.execute(delete(_source).where(_source.c.name == source.name))
    conn.execute(insert(_source), asdict(source))


def source_of(conn: Connection, name: str) -> KeptSource | None:
    """The source of that name."""
    row = conn.execute(select(_source).where(_source.c.name == name)).first()
    return None if row is None else KeptSource(*row)


def sources(conn: Connection) -> list[KeptSource]:
    """All sources, by name."""
    return [KeptSource(*row) for row in conn.execute(select(_source).order_by(_source.c.name))]


def add_rule(conn: Connection, rule: KeptRule) -> KeptRule:
    """Keep a rule; it, with its number."""
    values = asdict(rule)
    del values["id"]
    number = conn.execute(insert(_rule).returning(_rule.c.id), values).scalar_one()
    row = conn.execute(select(_rule).where(_rule.c.id == number)).one()
    return _kept(row)


def end_rule(conn: Connection, number: int, *, by: str, at_s: float) -> bool:
    """Take a rule back; whether it still held."""
    wanted = update(_rule).where(_rule.c.id == number, _rule.c.ended_s.is_(None))
    return conn.execute(wanted, {"ended_by": by, "ended_s": at_s}).rowcount > 0


def rule_of(conn: Connection, number: int) -> KeptRule | None:
    """The rule of that number."""
    row = conn.execute(select(_rule).where(_rule.c.id == number)).first()
    return None if row is None else _kept(row)


def rules(conn: Connection, *, ended_too: bool = False) -> list[KeptRule]:
    """Rules, the oldest first: those that hold, or all."""
    wanted = select(_rule).order_by(_rule.c.id)
    return [_kept(row) for row in conn.execute(wanted if ended_too else wanted.where(_rule.c.ended_s.is_(None)))]


def _kept(row: Row[Any]) -> KeptRule:
    return KeptRule(*list(row))
