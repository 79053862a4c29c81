"""Bodies of membership entries that are on file: which party gave each, since each has room of its own."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision: str | None = "0002"

_WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table. What is there already was given by nobody in particular, and takes up nobody's room."""
    op.create_table(
        "body_given",
        sa.Column("origin", _WORDS, nullable=False),
        sa.Column("number", _WHOLE, nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(), nullable=False),
        sa.Column("giver", _WORDS, nullable=False),
        sa.Column("bytes", _WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("origin", "number", "leaf_hash"),
    )
    op.create_index("body_given_by", "body_given", ["giver"], unique=False)
