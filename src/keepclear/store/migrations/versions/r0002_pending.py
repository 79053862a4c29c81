"""What a mirror keeps of uploads that are not whole yet."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision: str | None = "0001"


def upgrade() -> None:
    """Make the tables of pending checkpoints, coming leaves and pieces of bodies."""
    op.create_table(
        "pending",
        sa.Column("log", sa.Integer, sa.ForeignKey("log.id"), primary_key=True),
        _number("size"),
        sa.Column("root", sa.LargeBinary, nullable=False),
        sa.Column("note", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "coming",
        sa.Column("log", sa.Integer, sa.ForeignKey("log.id"), primary_key=True),
        _number("number"),
        sa.Column("leaf", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "piece",
        sa.Column("log", sa.Integer, primary_key=True),
        _number("number"),
        _number("part"),
        _number("offset"),
        sa.Column("total", sa.BigInteger, nullable=False),
        sa.Column("salt", sa.LargeBinary, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.ForeignKeyConstraint(["log", "number"], ["leaf.log", "leaf.number"]),
    )


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, primary_key=True, autoincrement=False)
