"""Positions: what reports them, whose they are, the batches, what is shared of them, and the encounters found."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision: str | None = "0001"

_WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _source() -> None:
    op.create_table(
        "position_source",
        sa.Column("name", _WORDS, nullable=False),
        sa.Column("owner", _WORDS, nullable=False),
        sa.Column("accuracy_m", sa.Double(), nullable=False),
        sa.Column("max_age_s", sa.Double(), nullable=False),
        sa.Column("clock_tolerance_s", sa.Double(), nullable=False),
        sa.Column("note", _WORDS, nullable=False),
        sa.Column("person", _WORDS, nullable=False),
        sa.Column("at_s", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )


def _rule() -> None:
    op.create_table(
        "position_rule",
        sa.Column("id", _WHOLE, nullable=False),
        sa.Column("kind", _WORDS, nullable=False),
        sa.Column("value", _WORDS, nullable=False),
        sa.Column("unit", _WORDS, nullable=False),
        sa.Column("party", _WORDS, nullable=False),
        sa.Column("operation", _WORDS, nullable=False),
        sa.Column("platform_class", _WORDS, nullable=False),
        sa.Column("operation_kind", _WORDS, nullable=False),
        sa.Column("domain", _WORDS, nullable=False),
        sa.Column("from_s", sa.Double(), nullable=True),
        sa.Column("to_s", sa.Double(), nullable=True),
        sa.Column("person", _WORDS, nullable=False),
        sa.Column("at_s", sa.Double(), nullable=False),
        sa.Column("ended_by", _WORDS, nullable=True),
        sa.Column("ended_s", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )


def _batch() -> None:
    op.create_table(
        "position_batch",
        sa.Column("id", _WHOLE, nullable=False),
        sa.Column("hash", _WORDS, nullable=False),
        sa.Column("source", _WORDS, nullable=False),
        sa.Column("person", _WORDS, nullable=False),
        sa.Column("kept_s", sa.Double(), nullable=False),
        sa.Column("count", _WHOLE, nullable=False),
        sa.Column("from_s", sa.Double(), nullable=False),
        sa.Column("to_s", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("position_batch_once", "position_batch", ["source", "hash"], unique=True)


def _piece() -> None:
    op.create_table(
        "position_piece",
        sa.Column("id", _WHOLE, nullable=False),
        sa.Column("batch", _WHOLE, nullable=False),
        sa.Column("source", _WORDS, nullable=False),
        sa.Column("unit", _WORDS, nullable=False),
        sa.Column("callsign", _WORDS, nullable=False),
        sa.Column("uid", _WORDS, nullable=False),
        sa.Column("icao", _WORDS, nullable=False),
        sa.Column("reference", _WORDS, nullable=False),
        sa.Column("from_s", sa.Double(), nullable=False),
        sa.Column("to_s", sa.Double(), nullable=False),
        sa.Column("count", _WHOLE, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("position_piece_by_time", "position_piece", ["to_s", "from_s"], unique=False)
    op.create_index("position_piece_of_batch", "position_piece", ["batch"], unique=False)


def _share() -> None:
    op.create_table(
        "position_share",
        sa.Column("id", _WHOLE, nullable=False),
        sa.Column("line", _WORDS, nullable=False),
        sa.Column("recipients", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("unit", _WORDS, nullable=False),
        sa.Column("grid_km", _WHOLE, nullable=True),
        sa.Column("delay_s", sa.Double(), nullable=False),
        sa.Column("every_s", sa.Double(), nullable=False),
        sa.Column("from_s", sa.Double(), nullable=False),
        sa.Column("until_s", sa.Double(), nullable=True),
        sa.Column("shared_to_s", sa.Double(), nullable=False),
        sa.Column("person", _WORDS, nullable=False),
        sa.Column("at_s", sa.Double(), nullable=False),
        sa.Column("ended_by", _WORDS, nullable=True),
        sa.Column("ended_s", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )


def _encounter() -> None:
    op.create_table(
        "encounter_seen",
        sa.Column("id", _WHOLE, nullable=False),
        sa.Column("key", _WORDS, nullable=False),
        sa.Column("line", _WORDS, nullable=False),
        sa.Column("found_s", sa.Double(), nullable=False),
        sa.Column("from_s", sa.Double(), nullable=False),
        sa.Column("to_s", sa.Double(), nullable=False),
        sa.Column("label", _WORDS, nullable=False),
        sa.Column("flags", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("told", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("incident", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("reported_origin", _WORDS, nullable=True),
        sa.Column("reported_number", _WHOLE, nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("encounter_seen_by_time", "encounter_seen", ["from_s", "id"], unique=False)
    op.create_index("encounter_seen_once", "encounter_seen", ["key"], unique=True)


def upgrade() -> None:
    """Make the tables."""
    _source()
    _rule()
    _batch()
    _piece()
    _share()
    _encounter()
