"""Logs in SQL tables: what is the same for every database.

A backend adds how a transaction begins and ends (`reading`, `writing`) and where marks are kept.

**Order of writes.** `SqlLogStore.append` is one transaction:

1. begin, with the write lock (the database's or the log's): nobody else can write the log between what is read next
   and the end;
2. read the greatest checkpoint, and refuse unless it is of the size that the caller expects;
3. write leaves, tiles, bodies and attachments;
4. sign (``seal``): only now, when the size is known to be free; write the checkpoint, whose size is a primary key;
5. commit, which returns when all of it is on the disk;
6. write the mark, outside the database;
7. return the checkpoint: nobody has seen it before.

A crash before 5 leaves nothing. One between 5 and 7 leaves a checkpoint that nobody was shown: it is there on
reopening, and is used. If 5 reports a failure, the commit may have been made or not, and if 6 fails, it has been;
both are `UnknownOutcomeError`, after which every call is refused until `reread` has looked at what is durable. A
caller that went on by what it remembered might sign another tree of the same size.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import BindParameter, Connection, LargeBinary, bindparam, cast, func, insert, select, update

from keepclear.errors import StoreError
from keepclear.store import tables
from keepclear.store.log_store import (
    BodyState,
    Conflict,
    DamagedError,
    GrownElsewhereError,
    Growth,
    Mark,
    SignedHead,
    StoredAttachment,
    StoredBody,
    StoredLog,
)
from keepclear.store.ready import Ready
from keepclear.store.sql_pending import SqlPending, drop_all_pieces, drop_pieces

__all__ = ["SqlLogStore"]

# Statements are made once; SQLAlchemy then finds their compiled form in its cache by identity of structure.
_OF_LOG: BindParameter[Any] = bindparam("log_")
_NUMBER: BindParameter[Any] = bindparam("number_")
_SIZE: BindParameter[Any] = bindparam("size_")
_log, _leaf, _tile, _point = tables.log.c, tables.leaf.c, tables.tile.c, tables.checkpoint.c
_LOG_ID = select(_log.id).where(_log.origin == bindparam("origin_"))
_LOGS = select(_log.origin, _log.key, _log.own).order_by(_log.origin)
_HEADS = select(_point.size, _point.root, _point.note).where(_point.log == _OF_LOG).order_by(_point.size.desc())
_HEAD = _HEADS.limit(1)
_BEFORE = _HEADS.where(_point.size < _SIZE).limit(bindparam("limit_"))
_AT = _HEADS.where(_point.size == _SIZE)
_LAST = select(_leaf.number).where(_leaf.log == _OF_LOG).order_by(_leaf.number.desc()).limit(1)
_LEAVES = (
    select(_leaf.number, _leaf.leaf)
    .where(_leaf.log == _OF_LOG, _leaf.number >= bindparam("start_"), _leaf.number < bindparam("stop_"))
    .order_by(_leaf.number)
)
# Levels times numbers: a few rows more than asked for. SQLite would search (level, number) IN (…) row by row.
_TILES = (
    select(_tile.level, _tile.number, _tile.hashes)
    .where(_tile.log == _OF_LOG, _tile.level.in_(bindparam("levels_", expanding=True)))
    .where(_tile.number.in_(bindparam("numbers_", expanding=True)))
)
_ADD_TILE = insert(tables.tile)
_WIDEN_TILE = (
    update(tables.tile)
    .where(_tile.log == _OF_LOG, _tile.level == bindparam("level_"), _tile.number == _NUMBER)
    .where(func.length(_tile.hashes) == bindparam("held_"))
    # The cast is for SQLite, which makes text of two blobs joined together.
    .values(hashes=cast(_tile.hashes.op("||")(bindparam("more_", type_=LargeBinary)), LargeBinary))
)
_cosig, _body, _attached, _conflict = tables.cosignature.c, tables.body.c, tables.attachment.c, tables.conflict.c
_LINES = select(_cosig.key, _cosig.line).where(_cosig.log == _OF_LOG, _cosig.size == _SIZE).order_by(_cosig.key)
_FIRST_LINES = (
    select(_cosig.key, func.min(_cosig.size))
    .where(_cosig.log == _OF_LOG, _cosig.size > _SIZE)
    .group_by(_cosig.key)
    .order_by(_cosig.key)
)
_DROP_LINE = tables.cosignature.delete().where(
    _cosig.log == _OF_LOG, _cosig.size == _SIZE, _cosig.key == bindparam("key_")
)
_BODIES = (
    select(_body.number, _body.state, _body.salt, _body.body, _body.refusal)
    .where(_body.log == _OF_LOG, _body.number >= bindparam("start_"), _body.number < bindparam("stop_"))
    .order_by(_body.number)
)
_BODY_NUMBERS = (
    select(_body.number)
    .where(_body.log == _OF_LOG, _body.number >= bindparam("start_"), _body.number < bindparam("stop_"))
    .order_by(_body.number)
)
_BODY_LENGTHS = (
    select(_body.number, func.length(_body.body))
    .where(_body.log == _OF_LOG, _body.number >= bindparam("start_"), _body.number < bindparam("stop_"))
    .where(_body.body.is_not(None))
    .order_by(_body.number)
)
_DROP_BODY = tables.body.delete().where(_body.log == _OF_LOG, _body.number == _NUMBER)
_WANTED = (
    select(_body.number)
    .where(_body.log == _OF_LOG, _body.state == BodyState.WANTED.value)
    .where(_body.number >= bindparam("since_"), _body.number < bindparam("before_"))
    .order_by(_body.number)
    .limit(bindparam("limit_"))
)
_ATTACHED = (
    select(_attached.number, _attached.place, _attached.salt, _attached.data)
    .where(_attached.log == _OF_LOG, _attached.number == _NUMBER)
    .order_by(_attached.place)
)
_DROP_ATTACHED = tables.attachment.delete().where(_attached.log == _OF_LOG, _attached.number == _NUMBER)
_SETTING = select(tables.setting.c.value).where(tables.setting.c.name == bindparam("name_"))
_DROP_SETTING = tables.setting.delete().where(tables.setting.c.name == bindparam("name_"))
_CONFLICTS = (
    select(_conflict.first, _conflict.second, _conflict.detail, _conflict.evidence)
    .where(_conflict.log == _OF_LOG)
    .order_by(_conflict.id)
)
# What every entry takes, without SQLAlchemy each time.
_GET_LEAVES, _GET_BODIES, _GET_ATTACHED = Ready(_LEAVES), Ready(_BODIES), Ready(_ATTACHED)
_GET_BODY_NUMBERS, _GET_BODY_LENGTHS = Ready(_BODY_NUMBERS), Ready(_BODY_LENGTHS)
_STATES = {state.value: state for state in BodyState}
_GET_HEAD, _GET_FIRST_LINES, _GET_CONFLICTS = Ready(_HEAD), Ready(_FIRST_LINES), Ready(_CONFLICTS)
_PUT_LEAF, _PUT_BODY, _PUT_HEAD = (Ready(insert(one)) for one in (tables.leaf, tables.body, tables.checkpoint))
_WIDEN = Ready(_WIDEN_TILE)
_TAKE_BODY, _TAKE_ATTACHED = Ready(_DROP_BODY), Ready(_DROP_ATTACHED)


class SqlLogStore(SqlPending):
    """A `LogStore` over SQLAlchemy Core, less what is the backend's own."""

    def __init__(self) -> None:
        self._ids: dict[str, int] = {}

    @property
    @abstractmethod
    def name(self) -> str:
        """What to call the store in a message."""

    @abstractmethod
    def reading(self) -> AbstractContextManager[Connection]:
        """One consistent view of the tables."""

    @abstractmethod
    def writing(self, origin: str = "") -> AbstractContextManager[Connection]:
        """A transaction that holds the write lock from its beginning; durable when the block has been left.

        Parameters
        ----------
        origin
            The log that is written: a backend may let others be written at the same time. Empty: no log's.
        """

    @abstractmethod
    def mark(self, origin: str) -> Mark | None:
        """See `LogStore.mark`."""

    @abstractmethod
    def put_mark(self, origin: str, mark: Mark) -> None:
        """See `LogStore.put_mark`."""

    def create(self, origin: str, *, key: str, own: bool, head: SignedHead | None = None) -> None:
        """See `LogStore.create`. The mark comes first: a log without one would count as restored."""
        if head is not None and head.size != 0:
            raise StoreError(f"{origin}: a log begins with size 0, not {head.size}")
        with self.writing(origin) as connection:
            if connection.execute(_LOG_ID, {"origin_": origin}).first() is not None:
                raise StoreError(f"{self.name} already holds the log {origin}")
            added = connection.execute(insert(tables.log), {"origin": origin, "key": key, "own": own})
            log = added.inserted_primary_key[0]  # type: ignore[index]  # there is one after an insert of one row
            if head is not None:
                _add_head(connection, log, head)

    def logs(self) -> tuple[StoredLog, ...]:
        """See `LogStore.logs`."""
        with self.reading() as connection:
            return tuple(StoredLog(row[0], row[1], row[2]) for row in connection.execute(_LOGS))

    def append(
        self,
        origin: str,
        parts: Iterable[Growth],
        *,
        at: int,
        seal: Callable[[], SignedHead],
        brought: bool = False,  # noqa: ARG002  # only a store that looks at the mark before it signs needs to know
    ) -> SignedHead:
        """See `LogStore.append`, and the order of writes above."""
        with self.writing(origin) as connection:
            log = self._id(connection, origin)
            held = _head(_GET_HEAD.one(connection, log_=log))
            there = held.size if held else 0
            if there != at:
                told = "another handle has appended, open the log anew" if there > at else "it holds less than it did"
                problem = f"{origin} has {there} entries where {at} were expected: nothing was written; {told}"
                raise GrownElsewhereError(problem) if there > at else StoreError(problem)
            size = at
            for part in parts:
                _add_leaves(connection, log, part.leaves, size)
                _add_tiles(connection, log, part, origin)
                _add_bodies(connection, log, part.bodies, part.attachments)
                size += len(part.leaves)
            head = seal()
            if head.size != size or (held is not None and size == at):
                raise StoreError(f"{origin}: a checkpoint of size {head.size} for {at} entries and {size - at} more")
            _add_head(connection, log, head)
        self.put_mark(origin, Mark(head.size, head.root))
        return head

    def head(self, origin: str) -> SignedHead | None:
        """See `LogStore.head`."""
        with self.reading() as connection:
            return _head(connection.execute(_HEAD, {"log_": self._id(connection, origin)}).first())

    def checkpoint(self, origin: str, size: int) -> SignedHead | None:
        """See `LogStore.checkpoint`."""
        with self.reading() as connection:
            asked = {"log_": self._id(connection, origin), "size_": size}
            return _head(connection.execute(_AT, asked).first())

    def checkpoints(self, origin: str, *, before: int | None = None, limit: int = 100) -> tuple[SignedHead, ...]:
        """See `LogStore.checkpoints`."""
        with self.reading() as connection:
            below = 2**63 - 1 if before is None else before
            asked = {"log_": self._id(connection, origin), "size_": below, "limit_": limit}
            return tuple(SignedHead(row[0], row[1], row[2]) for row in connection.execute(_BEFORE, asked))

    def end(self, origin: str) -> int:
        """See `LogStore.end`."""
        with self.reading() as connection:
            last = connection.execute(_LAST, {"log_": self._id(connection, origin)}).scalar()
            return 0 if last is None else last + 1

    def leaves(self, origin: str, start: int, stop: int) -> list[bytes | None]:
        """See `LogStore.leaves`."""
        found: list[bytes | None] = [None] * (stop - start)
        with self.reading() as connection:
            asked = {"log_": self._id(connection, origin), "start_": start, "stop_": stop}
            for number, data in _GET_LEAVES.rows(connection, **asked):
                if not start <= number < stop:
                    raise DamagedError(f"{self.name}: asked for entries {start} to {stop}, the database gave {number}")
                found[number - start] = data
        return found

    def tiles(self, origin: str, wanted: Sequence[tuple[int, int]]) -> list[bytes | None]:
        """See `LogStore.tiles`."""
        with self.reading() as connection:
            asked = {
                "log_": self._id(connection, origin),
                "levels_": sorted({level for level, _ in wanted}),
                "numbers_": sorted({number for _, number in wanted}),
            }
            found = {(row[0], row[1]): row[2] for row in connection.execute(_TILES, asked)} if wanted else {}
        return [found.get(place) for place in wanted]

    def add_cosignatures(self, origin: str, size: int, lines: Mapping[str, str]) -> None:
        """See `LogStore.add_cosignatures`."""
        with self.writing(origin) as connection:
            log = self._id(connection, origin)
            if connection.execute(_AT, {"log_": log, "size_": size}).first() is None:
                raise StoreError(f"{origin} has no checkpoint of size {size} that could be cosigned")
            for key, line in lines.items():
                connection.execute(_DROP_LINE, {"log_": log, "size_": size, "key_": key})
                connection.execute(insert(tables.cosignature), {"log": log, "size": size, "key": key, "line": line})

    def cosignatures(self, origin: str, size: int) -> tuple[tuple[str, str], ...]:
        """See `LogStore.cosignatures`."""
        with self.reading() as connection:
            asked = {"log_": self._id(connection, origin), "size_": size}
            return tuple((row[0], row[1]) for row in connection.execute(_LINES, asked))

    def first_cosigned(self, origin: str, *, above: int) -> tuple[tuple[str, int], ...]:
        """See `LogStore.first_cosigned`."""
        with self.reading() as connection:
            asked = {"log_": self._id(connection, origin), "size_": above}
            return tuple((row[0], row[1]) for row in _GET_FIRST_LINES.rows(connection, **asked))

    def body(self, origin: str, number: int) -> StoredBody | None:
        """See `LogStore.body`."""
        return next(iter(self.bodies(origin, number, number + 1)), None)

    def bodies(self, origin: str, start: int, stop: int) -> tuple[StoredBody, ...]:
        """See `LogStore.bodies`."""
        with self.reading() as connection:
            asked = {"log_": self._id(connection, origin), "start_": start, "stop_": stop}
            rows = _GET_BODIES.rows(connection, **asked)
        try:
            return tuple(StoredBody(row[0], _STATES[row[1]], row[2], row[3], row[4]) for row in rows)
        except KeyError as error:
            problem = f"the bodies of {origin} from entry {start} on: {error} is no state of a body"
            raise DamagedError(f"{self.name}: {problem}") from None

    def body_numbers(self, origin: str, start: int, stop: int) -> tuple[int, ...]:
        """See `LogStore.body_numbers`."""
        with self.reading() as connection:
            asked = {"log_": self._id(connection, origin), "start_": start, "stop_": stop}
            return tuple(row[0] for row in _GET_BODY_NUMBERS.rows(connection, **asked))

    def body_lengths(self, origin: str, start: int, stop: int) -> tuple[tuple[int, int], ...]:
        """See `LogStore.body_lengths`."""
        with self.reading() as connection:
            asked = {"log_": self._id(connection, origin), "start_": start, "stop_": stop}
            return tuple((row[0], row[1]) for row in _GET_BODY_LENGTHS.rows(connection, **asked))

    def put_body(self, origin: str, body: StoredBody, attachments: Sequence[StoredAttachment] = ()) -> None:
        """See `LogStore.put_body`."""
        self.put_bodies(origin, (body,), attachments)

    def put_bodies(
        self, origin: str, bodies: Sequence[StoredBody], attachments: Sequence[StoredAttachment] = ()
    ) -> None:
        """See `LogStore.put_bodies`."""
        with self.writing(origin) as connection:
            log = self._id(connection, origin)
            places = [{"log_": log, "number_": body.number} for body in bodies]
            attached = {file.number for file in attachments}
            drop_all_pieces(connection, places)
            _TAKE_BODY.run_many(connection, places)
            _TAKE_ATTACHED.run_many(connection, [place for place in places if place["number_"] in attached])
            _add_bodies(connection, log, bodies, attachments)

    def erase_body(self, origin: str, number: int) -> None:
        """See `LogStore.erase_body`; a backend adds what it takes for the bytes to be gone from its files."""
        with self.writing(origin) as connection:
            log = self._id(connection, origin)
            drop_pieces(connection, log, number)
            connection.execute(_DROP_ATTACHED, {"log_": log, "number_": number})
            connection.execute(_DROP_BODY, {"log_": log, "number_": number})
            _add_bodies(connection, log, (StoredBody(number, BodyState.ERASED),), ())

    def wanted(self, origin: str, *, before: int, since: int = 0, limit: int = 1000) -> tuple[int, ...]:
        """See `LogStore.wanted`."""
        with self.reading() as connection:
            asked = {"log_": self._id(connection, origin), "since_": since, "before_": before, "limit_": limit}
            return tuple(connection.execute(_WANTED, asked).scalars())

    def attachments(self, origin: str, number: int) -> tuple[StoredAttachment, ...]:
        """See `LogStore.attachments`."""
        with self.reading() as connection:
            rows = _GET_ATTACHED.rows(connection, log_=self._id(connection, origin), number_=number)
            return tuple(StoredAttachment(row[0], row[1], row[2], row[3]) for row in rows)

    def setting(self, name: str) -> bytes | None:
        """See `LogStore.setting`."""
        with self.reading() as connection:
            return connection.execute(_SETTING, {"name_": name}).scalar()

    def put_setting(self, name: str, value: bytes) -> None:
        """See `LogStore.put_setting`."""
        with self.writing() as connection:
            connection.execute(_DROP_SETTING, {"name_": name})
            connection.execute(insert(tables.setting), {"name": name, "value": value})

    def add_conflict(self, origin: str, conflict: Conflict) -> None:
        """See `LogStore.add_conflict`."""
        with self.writing(origin) as connection:
            log = self._id(connection, origin)
            held = connection.execute(_CONFLICTS, {"log_": log})
            if any((row[0], row[1]) == (conflict.first, conflict.second) for row in held):
                return
            values = {name: getattr(conflict, name) for name in ("first", "second", "detail", "evidence")}
            connection.execute(insert(tables.conflict), {"log": log, **values})

    def conflicts(self, origin: str) -> tuple[Conflict, ...]:
        """See `LogStore.conflicts`."""
        with self.reading() as connection:
            rows = _GET_CONFLICTS.rows(connection, log_=self._id(connection, origin))
            return tuple(Conflict(row[0], row[1], row[2], row[3]) for row in rows)

    def _id(self, connection: Connection, origin: str) -> int:
        known = self._ids.get(origin)
        if known is None:
            known = connection.execute(_LOG_ID, {"origin_": origin}).scalar()
            if known is None:
                raise StoreError(f"{self.name} holds no log {origin}")
            self._ids[origin] = known
        return known


def _head(row: Sequence[Any] | None) -> SignedHead | None:
    return None if row is None else SignedHead(row[0], row[1], row[2])


def _add_head(connection: Connection, log: int, head: SignedHead) -> None:
    row = {"log": log, "size": head.size, "root": head.root, "note": head.note}
    _PUT_HEAD.run(connection, **row)


def _add_leaves(connection: Connection, log: int, leaves: Sequence[bytes], first: int) -> None:
    rows = [{"log": log, "number": number, "leaf": data} for number, data in enumerate(leaves, first)]
    if rows:
        _PUT_LEAF.run_many(connection, rows)


def _add_tiles(connection: Connection, log: int, growth: Growth, origin: str) -> None:
    new = []
    for (level, number), (offset, more) in growth.tiles.items():
        if offset == 0:
            new.append({"log": log, "level": level, "number": number, "hashes": more})
            continue
        place = {"log_": log, "level_": level, "number_": number, "held_": 32 * offset, "more_": more}
        if _WIDEN.run(connection, **place) != 1:
            raise DamagedError(f"{origin}: tile {number} of level {level} does not hold the {offset} hashes it should")
    if new:
        connection.execute(_ADD_TILE, new)


def _add_bodies(
    connection: Connection, log: int, bodies: Sequence[StoredBody], attachments: Sequence[StoredAttachment]
) -> None:
    rows = [
        {"log": log, "number": b.number, "state": b.state.value, "salt": b.salt, "body": b.body, "refusal": b.refusal}
        for b in bodies
    ]
    files = [{"log": log, "number": a.number, "place": a.place, "salt": a.salt, "data": a.data} for a in attachments]
    if rows:
        _PUT_BODY.run_many(connection, rows)
    if files:
        connection.execute(insert(tables.attachment), files)
