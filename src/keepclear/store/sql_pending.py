"""What a store keeps of things that are not whole yet, in SQL tables: the part of `SqlLogStore` that a mirror needs.

Each of these methods is one transaction, and each may be repeated: what is there already is left as it is. So an upload
that is cut off, by the network or by a kill, goes on from what had become durable.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, func, insert, select

from keepclear.store import tables
from keepclear.store.log_store import GapError, GrownElsewhereError, SignedHead, StoredPiece
from keepclear.store.ready import Ready

__all__ = ["SqlPending", "drop_all_pieces", "drop_pieces"]

_OF_LOG: BindParameter[Any] = bindparam("log_")
_NUMBER: BindParameter[Any] = bindparam("number_")
_SIZE: BindParameter[Any] = bindparam("size_")
_pend, _come, _piece = tables.pending.c, tables.coming.c, tables.piece.c
_point, _leaf, _cosig = tables.checkpoint.c, tables.leaf.c, tables.cosignature.c
_PENDING = select(_pend.size, _pend.root, _pend.note).where(_pend.log == _OF_LOG).order_by(_pend.size)
_DROP_PENDING = tables.pending.delete().where(_pend.log == _OF_LOG, _pend.size <= _SIZE)
# The newest by the order of the key: a maximum would be looked for in all of them.
_NEWEST = select(_point.size).where(_point.log == _OF_LOG).order_by(_point.size.desc()).limit(1)
_LAST = select(_leaf.number).where(_leaf.log == _OF_LOG).order_by(_leaf.number.desc()).limit(1)
_LAST_COMING = select(_come.number).where(_come.log == _OF_LOG).order_by(_come.number.desc()).limit(1)
_COMING = (
    select(_come.number, _come.leaf)
    .where(_come.log == _OF_LOG, _come.number >= bindparam("start_"), _come.number < bindparam("stop_"))
    .order_by(_come.number)
)
_DROP_COMING = tables.coming.delete().where(_come.log == _OF_LOG, _come.number < _SIZE)
_DROP_SINCE = tables.coming.delete().where(_come.log == _OF_LOG, _come.number >= bindparam("start_"))
_LAST_COSIGNED = (
    select(_cosig.size)
    .where(_cosig.log == _OF_LOG, _cosig.key == bindparam("key_"))
    .order_by(_cosig.size.desc())
    .limit(1)
)
_PIECES = (
    select(_piece.number, _piece.part, _piece.offset, _piece.total, _piece.salt, _piece.data)
    .where(_piece.log == _OF_LOG, _piece.number == _NUMBER)
    .order_by(_piece.part, _piece.offset)
)
_PIECE_ENDS = (
    select(_piece.number, _piece.part, func.sum(func.length(_piece.data)), func.max(_piece.total))
    .where(_piece.log == _OF_LOG)
    .group_by(_piece.number, _piece.part)
    .order_by(_piece.number, _piece.part)
)
_DROP_PIECES = tables.piece.delete().where(_piece.log == _OF_LOG, _piece.number == _NUMBER)
_DROP_PART = _DROP_PIECES.where(_piece.part == bindparam("part_"))
_DROP_PIECE = _DROP_PART.where(_piece.offset == bindparam("offset_"))
_ALL = 2**63 - 1
# What every entry takes, without SQLAlchemy each time.
_PUT_COMING, _GET_COMING, _TAKE_PIECES = Ready(insert(tables.coming)), Ready(_COMING), Ready(_DROP_PIECES)


class SqlPending(ABC):
    """The methods of `LogStore` for checkpoints, leaves and bodies that are not whole yet."""

    @abstractmethod
    def reading(self) -> AbstractContextManager[Connection]:
        """See `SqlLogStore.reading`."""

    @abstractmethod
    def writing(self, origin: str = "") -> AbstractContextManager[Connection]:
        """See `SqlLogStore.writing`."""

    @abstractmethod
    def _id(self, connection: Connection, origin: str) -> int:
        """The number that stands for a log in the tables."""

    def last_cosigned(self, origin: str, key: str) -> int | None:
        """See `LogStore.last_cosigned`."""
        with self.reading() as connection:
            asked = {"log_": self._id(connection, origin), "key_": key}
            return connection.execute(_LAST_COSIGNED, asked).scalar()

    def put_pending(self, origin: str, head: SignedHead, *, after: int | None, keep: int) -> None:
        """See `LogStore.put_pending`."""
        with self.writing(origin) as connection:
            log = self._id(connection, origin)
            sizes = [row[0] for row in connection.execute(_PENDING, {"log_": log})]
            held = connection.execute(_NEWEST, {"log_": log}).scalar()
            newest = max([*sizes, *([] if held is None else [held])], default=None)
            if newest != after or (newest is not None and head.size <= newest):
                told = f"the newest checkpoint taken is of {newest} entries, not {after}"
                raise GrownElsewhereError(f"{origin}: {told}: one of {head.size} was not taken")
            row = {"log": log, "size": head.size, "root": head.root, "note": head.note}
            connection.execute(insert(tables.pending), row)
            if len(sizes) >= keep:
                connection.execute(_DROP_PENDING, {"log_": log, "size_": sizes[-keep]})

    def pending(self, origin: str) -> tuple[SignedHead, ...]:
        """See `LogStore.pending`."""
        with self.reading() as connection:
            rows = connection.execute(_PENDING, {"log_": self._id(connection, origin)})
            return tuple(SignedHead(row[0], row[1], row[2]) for row in rows)

    def put_coming(self, origin: str, start: int, leaves: Sequence[bytes]) -> int:
        """See `LogStore.put_coming`."""
        with self.writing(origin) as connection:
            log = self._id(connection, origin)
            following = _next_entry(connection, log)
            if start > following:
                raise GapError(f"{origin}: entry {start} would leave a gap after {following - 1}: not kept")
            new = leaves[following - start :]
            if new:
                rows = [{"log": log, "number": number, "leaf": data} for number, data in enumerate(new, following)]
                _PUT_COMING.run_many(connection, rows)
            return following + len(new)

    def next_entry(self, origin: str) -> int:
        """See `LogStore.next_entry`."""
        with self.reading() as connection:
            return _next_entry(connection, self._id(connection, origin))

    def coming(self, origin: str, start: int, stop: int) -> list[bytes]:
        """See `LogStore.coming`."""
        with self.reading() as connection:
            asked = {"log_": self._id(connection, origin), "start_": start, "stop_": stop}
            rows = _GET_COMING.rows(connection, **asked)
        return [row[1] for expected, row in enumerate(rows, start) if row[0] == expected]

    def drop_coming(self, origin: str, *, since: int) -> None:
        """See `LogStore.drop_coming`."""
        with self.writing(origin) as connection:
            connection.execute(_DROP_SINCE, {"log_": self._id(connection, origin), "start_": since})

    def settle_pending(self, origin: str, size: int) -> None:
        """See `LogStore.settle_pending`."""
        with self.writing(origin) as connection:
            asked = {"log_": self._id(connection, origin), "size_": size}
            connection.execute(_DROP_PENDING, asked)
            connection.execute(_DROP_COMING, asked)

    def drop_pending(self, origin: str) -> None:
        """See `LogStore.drop_pending`."""
        self.settle_pending(origin, _ALL)

    def put_piece(self, origin: str, piece: StoredPiece) -> None:
        """See `LogStore.put_piece`."""
        with self.writing(origin) as connection:
            log = self._id(connection, origin)
            place = {"log_": log, "number_": piece.number, "part_": piece.part, "offset_": piece.offset}
            connection.execute(_DROP_PIECE, place)
            names = ("number", "part", "offset", "total", "salt", "data")
            connection.execute(insert(tables.piece), {"log": log, **{name: getattr(piece, name) for name in names}})

    def pieces(self, origin: str, number: int) -> tuple[StoredPiece, ...]:
        """See `LogStore.pieces`."""
        with self.reading() as connection:
            asked = {"log_": self._id(connection, origin), "number_": number}
            return tuple(StoredPiece(*row) for row in connection.execute(_PIECES, asked))

    def piece_ends(self, origin: str) -> tuple[tuple[int, int, int, int], ...]:
        """See `LogStore.piece_ends`."""
        with self.reading() as connection:
            rows = connection.execute(_PIECE_ENDS, {"log_": self._id(connection, origin)})
            return tuple((row[0], row[1], int(row[2]), row[3]) for row in rows)

    def drop_pieces(self, origin: str, number: int, *, part: int | None = None) -> None:
        """See `LogStore.drop_pieces`."""
        with self.writing(origin) as connection:
            drop_pieces(connection, self._id(connection, origin), number, part=part)


def drop_pieces(connection: Connection, log: int, number: int, *, part: int | None = None) -> None:
    """Remove pieces within a transaction."""
    asked = {"log_": log, "number_": number}
    if part is None:
        connection.execute(_DROP_PIECES, asked)
    else:
        connection.execute(_DROP_PART, {**asked, "part_": part})


def drop_all_pieces(connection: Connection, places: Sequence[Mapping[str, int]]) -> None:
    """Remove all pieces of several entries within a transaction: ``log_`` and ``number_`` of each."""
    _TAKE_PIECES.run_many(connection, places)


def _next_entry(connection: Connection, log: int) -> int:
    lasts = [connection.execute(last, {"log_": log}).scalar() for last in (_LAST, _LAST_COMING)]
    return max((-1 if last is None else last) for last in lasts) + 1
