"""How bytes and numbers are written in the lines of the record: one spelling each, and any other is refused.

C2SP writes bytes in the standard base64 of RFC 4648 section 4 and numbers in ASCII decimal without leading zeroes.
Bytes that have two spellings could be passed on in the other one, and then what was signed or compared as text no
longer matches; so padding must be there, the bits that padding leaves over must be zero, and nothing may stand between.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Sequence

__all__ = ["LARGEST", "base64_bytes", "base64_hashes", "base64_text", "decimal_number"]

LARGEST = 2**63 - 1
"""The largest number that the specifications allow for a size, an index or a time."""

# In groups of four, which the length must be, a last one of three letters leaves two bits over, one of two leaves four.
# The letters that may stand before padding are those with zeroes there. To spell the bytes again and compare took five
# times as long, and a proof has twenty and more such lines.
_BASE64 = re.compile(r"[A-Za-z0-9+/]*+(?:(?<=[AEIMQUYcgkosw048])=|(?<=[AQgw])==)?")
_BASE64_HASH = re.compile(r"[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=")
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")


def base64_text(data: bytes) -> str:
    """Standard base64 of `data`, padded."""
    return binascii.b2a_base64(data, newline=False).decode("ascii")


def base64_bytes(text: str) -> bytes | None:
    """The bytes of standard base64, or None if `text` is not the one spelling of them."""
    if len(text) % 4 or _BASE64.fullmatch(text) is None:
        return None
    return binascii.a2b_base64(text)


def base64_hashes(lines: Sequence[str]) -> tuple[bytes, ...] | None:
    """The hashes of 32 bytes that these are as `base64_bytes` has them, or None if any of them is something else."""
    if not all(map(_BASE64_HASH.fullmatch, lines)):
        return None
    return tuple(map(binascii.a2b_base64, lines))


def decimal_number(text: str, *, most: int = LARGEST) -> int | None:
    """The number from 0 to `most` that `text` is, in ASCII digits without sign or leading zeroes; otherwise None."""
    if _DECIMAL.fullmatch(text) is None:
        return None
    number = int(text)
    return number if number <= most else None
