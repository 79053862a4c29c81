"""Positions as they were reported: batches, and of each the positions of one unit as one row of packed numbers.

They are kept as they came. Whose unit a callsign is, is found when they are read, by the rules of then: what was
learned later holds for what was reported before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Column, Connection, Index, Row, Table, and_, delete, func, insert, or_, select

from keepclear.model.heights import HeightReference
from keepclear.store.node.columns import OCTETS, SECONDS, WHOLE, WORDS
from keepclear.store.node.database import facts
from keepclear.watch.batches import Identity, Piece

__all__ = [
    "KeptBatch", "KeptPiece", "Seen", "add_batch", "batch_of", "batches_before", "pieces_of", "prune_positions",
    "seen_units",
]  # fmt: skip

_batch = Table(
    "position_batch",
    facts,
    Column("id", WHOLE, primary_key=True),
    Column("hash", WORDS, nullable=False),
    Column("source", WORDS, nullable=False),
    Column("person", WORDS, nullable=False),
    Column("kept_s", SECONDS, nullable=False),
    Column("count", WHOLE, nullable=False),
    Column("from_s", SECONDS, nullable=False),
    Column("to_s", SECONDS, nullable=False),
    Index("position_batch_once", "source", "hash", unique=True),
    sqlite_autoincrement=True,
)
_piece = Table(
    "position_piece",
    facts,
    Column("id", WHOLE, primary_key=True),
    Column("batch", WHOLE, nullable=False),
    Column("source", WORDS, nullable=False),
    Column("unit", WORDS, nullable=False),
    Column("callsign", WORDS, nullable=False),
    Column("uid", WORDS, nullable=False),
    Column("icao", WORDS, nullable=False),
    Column("reference", WORDS, nullable=False),
    Column("from_s", SECONDS, nullable=False),
    Column("to_s", SECONDS, nullable=False),
    Column("count", WHOLE, nullable=False),
    Column("data", OCTETS, nullable=False),
    Index("position_piece_by_time", "to_s", "from_s"),
    Index("position_piece_of_batch", "batch"),
    sqlite_autoincrement=True,
)
_b, _p = _batch.c, _piece.c
_COLUMNS = ("time_s", "lon_deg", "lat_deg", "height_m", "uncertainty_m")


@dataclass(frozen=True, slots=True)
class KeptBatch:
    """A batch.

    Attributes
    ----------
    id, hash, source
        Its number, the SHA-256 of its canonical text, and what reported it.
    person, kept_s
        Who brought it, and when.
    count, from_s, to_s
        How many positions it has, and from when to when.
    """

    id: int
    hash: str
    source: str
    person: str
    kept_s: float
    count: int
    from_s: float
    to_s: float


@dataclass(frozen=True, eq=False, slots=True)
class KeptPiece:
    """Positions of one unit out of one batch."""

    batch: int
    source: str
    piece: Piece


@dataclass(frozen=True, slots=True)
class Seen:
    """A unit that was reported: by what it is called, from when to when, and how many positions there are."""

    identity: Identity
    source: str
    from_s: float
    to_s: float
    count: int


def batch_of(conn: Connection, source: str, hash: str) -> KeptBatch | None:  # noqa: A002  # as in the table
    """The batch of that source with that hash."""
    row = conn.execute(select(_batch).where(_b.source == source, _b.hash == hash)).first()
    return None if row is None else KeptBatch(*row)


def add_batch(
    conn: Connection, pieces: Sequence[Piece], *, hash: str, source: str, person: str, at_s: float  # noqa: A002
) -> KeptBatch:  # fmt: skip
    """Keep a batch with its positions."""
    times = [(float(one.time_s[0]), float(one.time_s[-1])) for one in pieces]
    values = {
        "hash": hash, "source": source, "person": person, "kept_s": at_s, "count": sum(map(len, pieces)),
        "from_s": min(first for first, _ in times), "to_s": max(last for _, last in times),
    }  # fmt: skip
    number = conn.execute(insert(_batch).returning(_b.id), values).scalar_one()
    conn.execute(insert(_piece), [_row(number, source, one) for one in pieces])
    return KeptBatch(number, **values)  # type: ignore[arg-type]


def batches_before(
    conn: Connection, before: int | None, *, limit: int, source: str | None = None
) -> list[KeptBatch]:  # fmt: skip
    """Batches, the newest first, those with smaller numbers."""
    wanted = select(_batch).order_by(_b.id.desc()).limit(limit)
    if before is not None:
        wanted = wanted.where(_b.id < before)
    return [KeptBatch(*row) for row in conn.execute(wanted if source is None else wanted.where(_b.source == source))]


def pieces_of(
    conn: Connection,
    *,
    from_s: float | None = None,
    to_s: float | None = None,
    source: str | None = None,
    identities: Iterable[Identity] | None = None,
) -> list[KeptPiece]:
    """Positions from one time to another, of some units or of all, in the order in which they came."""
    wanted = select(_piece).order_by(_p.id)
    if from_s is not None:
        wanted = wanted.where(_p.to_s >= from_s)
    if to_s is not None:
        wanted = wanted.where(_p.from_s <= to_s)
    if source is not None:
        wanted = wanted.where(_p.source == source)
    if identities is not None:
        named = [
            and_(_p.unit == one.unit, _p.callsign == one.callsign, _p.uid == one.uid, _p.icao == one.icao)
            for one in identities
        ]
        if not named:
            return []
        wanted = wanted.where(or_(*named))
    found = (_kept(row) for row in conn.execute(wanted))
    cut = ((one, one.piece.between(from_s, to_s)) for one in found)
    return [KeptPiece(one.batch, one.source, piece) for one, piece in cut if len(piece)]


def seen_units(conn: Connection, *, from_s: float | None = None, to_s: float | None = None) -> list[Seen]:
    """Which units were reported by which source, by name."""
    names = (_p.unit, _p.callsign, _p.uid, _p.icao, _p.source)
    wanted = select(*names, func.min(_p.from_s), func.max(_p.to_s), func.sum(_p["count"])).group_by(*names)
    if from_s is not None:
        wanted = wanted.where(_p.to_s >= from_s)
    if to_s is not None:
        wanted = wanted.where(_p.from_s <= to_s)
    return [
        Seen(Identity(*row[:4]), row[4], row[5], row[6], int(row[7])) for row in conn.execute(wanted.order_by(*names))
    ]


def prune_positions(conn: Connection, *, before_s: float) -> int:
    """Forget batches that were taken before a time; how many."""
    old = select(_b.id).where(_b.kept_s < before_s)
    conn.execute(delete(_piece).where(_p.batch.in_(old)))
    return conn.execute(delete(_batch).where(_b.kept_s < before_s)).rowcount


def _row(batch: int, source: str, piece: Piece) -> dict[str, Any]:
    columns = np.stack([getattr(piece, name) for name in _COLUMNS])
    return {
        "batch": batch, "source": source, "unit": piece.identity.unit, "callsign": piece.identity.callsign,
        "uid": piece.identity.uid, "icao": piece.identity.icao, "reference": str(piece.reference),
        "from_s": float(piece.time_s[0]), "to_s": float(piece.time_s[-1]), "count": len(piece),
        "data": np.ascontiguousarray(columns, dtype="<f8").tobytes(),
    }  # fmt: skip


def _kept(row: Row[Any]) -> KeptPiece:
    columns = np.frombuffer(bytes(row.data), dtype="<f8").astype(np.float64).reshape(len(_COLUMNS), -1)
    identity = Identity(row.unit, row.callsign, row.uid, row.icao)
    return KeptPiece(row.batch, row.source, Piece(identity, HeightReference(row.reference), *columns))
