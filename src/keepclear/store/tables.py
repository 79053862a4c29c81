"""The tables of a store of logs, for any SQL database.

==============  ====================================================================================================
``setting``     small values by name; ``schema`` holds the version of these tables
``log``         one row per log: ours, and those that we mirror
``leaf``        the leaves, by number
``tile``        the tree: for each tile the widest it has become (a narrower tile is a prefix of it)
``checkpoint``  every checkpoint ever signed, at most one of each size
``cosignature`` signature lines of others on those checkpoints
``body``        bodies and their salts, beside the log; may be erased
``attachment``  files that belong to bodies; may be erased
``conflict``    pairs of checkpoints that do not agree: evidence, never removed
``pending``     checkpoints of a log that we mirror, taken before their leaves have all come
``coming``      leaves that have come and are proved, and are not part of the copy yet
``piece``       pieces of bodies that are not whole yet
==============  ====================================================================================================
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

from keepclear.store.log_store import DamagedError

__all__ = ["OLDEST_READABLE", "SCHEMA_VERSION", "attachment", "body", "checkpoint", "conflict", "cosignature", "leaf"]
__all__ += ["coming", "log", "metadata", "pending", "piece", "setting", "tile"]

# With each change of the tables: one more, and the migration of that number (`keepclear.store.migrations`).
SCHEMA_VERSION = 2
OLDEST_READABLE = 1  # older tables than these cannot be read by this program before they have been migrated
metadata = MetaData()


class _Kept(TypeDecorator[Any]):
    """A value of the type that was written, and nothing else.

    A damaged file can give a number, text or nothing at all where bytes were written; SQLAlchemy's own `LargeBinary`
    would make bytes of a number, as many as it says.
    """

    cache_ok = True
    wanted: ClassVar[type] = bytes

    def __init__(self, *, nothing: bool = False) -> None:
        super().__init__()
        self.nothing = nothing

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any]:  # noqa: ARG002
        """What SQLAlchemy calls for what is to be done with each value read."""
        wanted, nothing = self.wanted, self.nothing

        def checked(value: Any) -> Any:
            if isinstance(value, memoryview):
                value = bytes(value)
            if isinstance(value, wanted) or (value is None and nothing):
                return value
            raise DamagedError(f"{type(value).__name__} is there where {wanted.__name__} was written")

        return checked


class _Octets(_Kept):
    impl = LargeBinary
    cache_ok = True


class _Whole(_Kept):
    impl = BigInteger
    cache_ok = True
    wanted = int


class _Words(_Kept):
    impl = Text
    cache_ok = True
    wanted = str

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """By bytes on PostgreSQL: its other orders change with the operating system, and break the indexes."""
        return Text(collation="C" if dialect.name == "postgresql" else None)


setting = Table(
    "setting",
    metadata,
    Column("name", _Words, primary_key=True),
    Column("value", _Octets, nullable=False),
)

log = Table(
    "log",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("origin", _Words, nullable=False, unique=True),
    Column("key", _Words, nullable=False),
    Column("own", Boolean, nullable=False),
)

leaf = Table(
    "leaf",
    metadata,
    Column("log", ForeignKey("log.id"), primary_key=True),
    Column("number", _Whole, primary_key=True, autoincrement=False),
    Column("leaf", _Octets, nullable=False),
)

tile = Table(
    "tile",
    metadata,
    Column("log", ForeignKey("log.id"), primary_key=True),
    Column("level", _Whole, primary_key=True, autoincrement=False),
    Column("number", _Whole, primary_key=True, autoincrement=False),
    Column("hashes", _Octets, nullable=False),
    CheckConstraint("length(hashes) BETWEEN 32 AND 8192", name="tile_width"),
)

checkpoint = Table(
    "checkpoint",
    metadata,
    Column("log", ForeignKey("log.id"), primary_key=True),
    Column("size", _Whole, primary_key=True, autoincrement=False),
    Column("root", _Octets, nullable=False),
    Column("note", _Octets, nullable=False),
)

cosignature = Table(
    "cosignature",
    metadata,
    Column("log", Integer, primary_key=True),
    Column("size", _Whole, primary_key=True, autoincrement=False),
    Column("key", _Words, primary_key=True),
    Column("line", _Words, nullable=False),
    ForeignKeyConstraint(["log", "size"], ["checkpoint.log", "checkpoint.size"]),
)

body = Table(
    "body",
    metadata,
    Column("log", Integer, primary_key=True),
    Column("number", _Whole, primary_key=True, autoincrement=False),
    Column("state", _Whole, nullable=False),
    Column("salt", _Octets(nothing=True)),
    Column("body", _Octets(nothing=True)),
    Column("refusal", _Whole(nothing=True)),
    ForeignKeyConstraint(["log", "number"], ["leaf.log", "leaf.number"]),
)

attachment = Table(
    "attachment",
    metadata,
    Column("log", Integer, primary_key=True),
    Column("number", _Whole, primary_key=True, autoincrement=False),
    Column("place", _Whole, primary_key=True, autoincrement=False),
    Column("salt", _Octets, nullable=False),
    Column("data", _Octets, nullable=False),
    ForeignKeyConstraint(["log", "number"], ["leaf.log", "leaf.number"]),
)

conflict = Table(
    "conflict",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("log", ForeignKey("log.id"), nullable=False),
    Column("first", _Octets, nullable=False),
    Column("second", _Octets, nullable=False),
    Column("detail", _Words, nullable=False),
    Column("evidence", _Octets, nullable=False),
    UniqueConstraint("log", "first", "second"),
)

pending = Table(
    "pending",
    metadata,
    Column("log", ForeignKey("log.id"), primary_key=True),
    Column("size", _Whole, primary_key=True, autoincrement=False),
    Column("root", _Octets, nullable=False),
    Column("note", _Octets, nullable=False),
)

coming = Table(
    "coming",
    metadata,
    Column("log", ForeignKey("log.id"), primary_key=True),
    Column("number", _Whole, primary_key=True, autoincrement=False),
    Column("leaf", _Octets, nullable=False),
)

piece = Table(
    "piece",
    metadata,
    Column("log", Integer, primary_key=True),
    Column("number", _Whole, primary_key=True, autoincrement=False),
    Column("part", _Whole, primary_key=True, autoincrement=False),
    Column("offset", _Whole, primary_key=True, autoincrement=False),
    Column("total", _Whole, nullable=False),
    Column("salt", _Octets, nullable=False),
    Column("data", _Octets, nullable=False),
    ForeignKeyConstraint(["log", "number"], ["leaf.log", "leaf.number"]),
)
