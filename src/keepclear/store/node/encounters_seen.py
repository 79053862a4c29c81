"""Encounters that this node has found, so that nobody is told of one twice; the reports drafted for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Column, Connection, Index, Row, Table, delete, insert, select, update

from keepclear.store.node.columns import SECONDS, STRUCTURE, WHOLE, WORDS
from keepclear.store.node.database import facts

__all__ = [
    "Drafted", "SeenEncounter", "drafts_unsent", "encounter_of", "encounters_before", "encounters_open",
    "prune_encounters", "put_encounter",
]  # fmt: skip

_encounter = Table(
    "encounter_seen",
    facts,
    Column("id", WHOLE, primary_key=True),
    Column("key", WORDS, nullable=False),
    Column("line", WORDS, nullable=False),
    Column("found_s", SECONDS, nullable=False),
    Column("from_s", SECONDS, nullable=False),
    Column("to_s", SECONDS, nullable=False),
    Column("label", WORDS, nullable=False),
    Column("flags", STRUCTURE, nullable=False),
    Column("told", STRUCTURE, nullable=False),
    Column("incident", STRUCTURE),
    Column("reported_origin", WORDS),
    Column("reported_number", WHOLE),
    Index("encounter_seen_once", "key", unique=True),
    Index("encounter_seen_by_time", "from_s", "id"),
    sqlite_autoincrement=True,
)
_e = _encounter.c


@dataclass(frozen=True, slots=True)
class SeenEncounter:
    """An encounter as it was last worked out.

    Attributes
    ----------
    id, key
        Its number, and what makes it the same one when it is found again: the units and when it began.
    line
        The line that both parties are on; empty where there is none.
    found_s
        When it was first found.
    from_s, to_s, label, flags, told
        As it was last worked out.
    incident
        The members of the incident report drafted for it; None where none is called for.
    reported_origin, reported_number
        The entry that reports it, where an officer has sent it.
    """

    id: int
    key: str
    line: str
    found_s: float
    from_s: float
    to_s: float
    label: str
    flags: list[str] = field(default_factory=list)
    told: Mapping[str, Any] = field(default_factory=dict)
    incident: Mapping[str, Any] | None = None
    reported_origin: str | None = None
    reported_number: int | None = None

    @property
    def parties(self) -> tuple[str, str]:
        """Whose units they were; empty where nobody knows."""
        return str(self.told["a"]["party"]), str(self.told["b"]["party"])


def put_encounter(conn: Connection, seen: SeenEncounter) -> SeenEncounter:
    """Keep an encounter, in place of what was known of the same one; with its number."""
    values = {
        "key": seen.key, "line": seen.line, "found_s": seen.found_s, "from_s": seen.from_s, "to_s": seen.to_s,
        "label": seen.label, "flags": list(seen.flags), "told": dict(seen.told),
        "incident": None if seen.incident is None else dict(seen.incident),
        "reported_origin": seen.reported_origin, "reported_number": seen.reported_number,
    }  # fmt: skip
    number = conn.execute(select(_e.id).where(_e.key == seen.key)).scalar()
    if number is None:
        number = conn.execute(insert(_encounter).returning(_e.id), values).scalar_one()
    else:
        del values["found_s"]
        conn.execute(update(_encounter).where(_e.id == number).values(values))
    return _kept(conn.execute(select(_encounter).where(_e.id == number)).one())


def encounter_of(conn: Connection, *, number: int | None = None, key: str | None = None) -> SeenEncounter | None:
    """The one of that number, or of that key."""
    wanted = select(_encounter).where(_e.id == number if key is None else _e.key == key)
    row = conn.execute(wanted).first()
    return None if row is None else _kept(row)


def encounters_before(
    conn: Connection,
    before: int | None,
    *,
    limit: int,
    line: str | None = None,
    from_s: float | None = None,
    to_s: float | None = None,
) -> list[SeenEncounter]:
    """Encounters, the newest found first."""
    wanted = select(_encounter).order_by(_e.id.desc()).limit(limit)
    if before is not None:
        wanted = wanted.where(_e.id < before)
    if line is not None:
        wanted = wanted.where(_e.line == line)
    if from_s is not None:
        wanted = wanted.where(_e.to_s >= from_s)
    if to_s is not None:
        wanted = wanted.where(_e.from_s <= to_s)
    return [_kept(row) for row in conn.execute(wanted)]


def encounters_open(conn: Connection) -> list[SeenEncounter]:
    """Those for which a report was drafted and none was sent, the oldest first."""
    wanted = select(_encounter).where(_e.reported_origin.is_(None)).order_by(_e.id)
    return [one for one in map(_kept, conn.execute(wanted)) if one.incident is not None]


@dataclass(frozen=True, slots=True)
class Drafted:
    """An encounter for which a report was drafted and none was sent: its number and line, and when it was found."""

    number: int
    line: str
    found_s: float


def drafts_unsent(conn: Connection) -> list[Drafted]:
    """What `encounters_open` gives, without what it is about."""
    wanted = select(_e.id, _e.line, _e.found_s).where(_e.reported_origin.is_(None), _e.incident.is_not(None))
    return [Drafted(*row) for row in conn.execute(wanted.order_by(_e.id))]


def prune_encounters(conn: Connection, *, before_s: float) -> int:
    """Forget those that were found before a time; how many."""
    return conn.execute(delete(_encounter).where(_e.found_s < before_s)).rowcount


def _kept(row: Row[Any]) -> SeenEncounter:
    return SeenEncounter(*list(row))
