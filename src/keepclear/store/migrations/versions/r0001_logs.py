"""The tables as they were when PostgreSQL was added; SQLite files from before have them too."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision: str | None = None


def upgrade() -> None:
    """Make the tables of logs."""
    words = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.create_table(
        "setting",
        sa.Column("name", words, primary_key=True),
        sa.Column("value", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "log",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("origin", words, nullable=False, unique=True),
        sa.Column("key", words, nullable=False),
        sa.Column("own", sa.Boolean, nullable=False),
    )
    _make_tree()
    _make_cosignatures(words)
    _make_bodies()
    op.create_table(
        "conflict",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("log", sa.Integer, sa.ForeignKey("log.id"), nullable=False),
        sa.Column("first", sa.LargeBinary, nullable=False),
        sa.Column("second", sa.LargeBinary, nullable=False),
        sa.Column("detail", words, nullable=False),
        sa.Column("evidence", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("log", "first", "second"),
    )


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, primary_key=True, autoincrement=False)


def _make_tree() -> None:
    op.create_table(
        "leaf",
        sa.Column("log", sa.Integer, sa.ForeignKey("log.id"), primary_key=True),
        _number("number"),
        sa.Column("leaf", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "tile",
        sa.Column("log", sa.Integer, sa.ForeignKey("log.id"), primary_key=True),
        _number("level"),
        _number("number"),
        sa.Column("hashes", sa.LargeBinary, nullable=False),
        sa.CheckConstraint("length(hashes) BETWEEN 32 AND 8192", name="tile_width"),
    )
    op.create_table(
        "checkpoint",
        sa.Column("log", sa.Integer, sa.ForeignKey("log.id"), primary_key=True),
        _number("size"),
        sa.Column("root", sa.LargeBinary, nullable=False),
        sa.Column("note", sa.LargeBinary, nullable=False),
    )


def _make_cosignatures(words: sa.types.TypeEngine[str]) -> None:
    op.create_table(
        "cosignature",
        sa.Column("log", sa.Integer, primary_key=True),
        _number("size"),
        sa.Column("key", words, primary_key=True),
        sa.Column("line", words, nullable=False),
        sa.ForeignKeyConstraint(["log", "size"], ["checkpoint.log", "checkpoint.size"]),
    )


def _make_bodies() -> None:
    op.create_table(
        "body",
        sa.Column("log", sa.Integer, primary_key=True),
        _number("number"),
        sa.Column("state", sa.BigInteger, nullable=False),
        sa.Column("salt", sa.LargeBinary),
        sa.Column("body", sa.LargeBinary),
        sa.Column("refusal", sa.BigInteger),
        sa.ForeignKeyConstraint(["log", "number"], ["leaf.log", "leaf.number"]),
    )
    op.create_table(
        "attachment",
        sa.Column("log", sa.Integer, primary_key=True),
        _number("number"),
        _number("place"),
        sa.Column("salt", sa.LargeBinary, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.ForeignKeyConstraint(["log", "number"], ["leaf.log", "leaf.number"]),
    )
