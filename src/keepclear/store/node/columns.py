"""The types of the node's columns, so that a value reads the same on SQLite and on PostgreSQL."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, Double, Integer, LargeBinary, Text
from sqlalchemy.types import TypeEngine

__all__ = ["OCTETS", "SECONDS", "STRUCTURE", "WHOLE", "WORDS"]

WORDS: TypeEngine[str] = Text().with_variant(Text(collation="C"), "postgresql")
"""Text, compared by bytes: other orders change with the operating system, and break the indexes."""
WHOLE: TypeEngine[int] = BigInteger().with_variant(Integer(), "sqlite")
"""A whole number of 64 bits; SQLite counts up only in columns called INTEGER."""
SECONDS: TypeEngine[float] = Double()
"""Seconds since the epoch, or how many of them."""
OCTETS: TypeEngine[bytes] = LargeBinary()
STRUCTURE: TypeEngine[Any] = JSON(none_as_null=True)
"""What JSON can say."""
