"""How bytes and numbers are written in the lines of the record: one spelling each, and any other is refused.

C2SP writes bytes in the standard base64 of RFC 4648 section 4 and numbers in ASCII decimal without leading zeroes.
Bytes that have two spellings could be passed on in the other one, and then what was signed or compared as text no
longer matches; so padding must be there, the bits that padding leaves over must be zero, and nothing may stand between.
"""

from __future__ import annotations

import base64
import binascii
import re

__all__ = ["LARGEST", "base64_bytes", "base64_text", "decimal_number"]

LARGEST = 2**63 - 1
"""The largest number that the specifications allow for a size, an index or a time."""

_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")


def base64_text(data: bytes) -> str:
    """Standard base64 of `data`, padded."""
    return base64.b64encode(data).decode("ascii")


def base64_bytes(text: str) -> bytes | None:
    """The bytes of standard base64, or None if `text` is not the one spelling of them."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):  # ValueError: not ASCII
        return None
    return data if base64_text(data) == text else None


def decimal_number(text: str, *, most: int = LARGEST) -> int | None:
    """The number from 0 to `most` that `text` is, in ASCII digits without sign or leading zeroes; otherwise None."""
    if _DECIMAL.fullmatch(text) is None:
        return None
    number = int(text)
    return number if number <= most else None
