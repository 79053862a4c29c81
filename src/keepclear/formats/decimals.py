"""A number as people write it in a text cell: other scripts' digits and decimal commas on purpose, guesses never."""

from __future__ import annotations

import math
import re
import unicodedata

from keepclear.errors import Fault, InputError

__all__ = ["parse_number"]

_PLAIN = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_COMMA = re.compile(r"[+-]?(\d+),(\d+)", re.ASCII)
_WANTED = "write a plain decimal number without a unit, for example 35.28"
# Arabic decimal separator, minus sign, and the marks that turn the direction of writing (Unicode 15.1, UAX #9).
_REPLACED = str.maketrans({"\u066b": ".", "\u2212": "-", **dict.fromkeys("\u200e\u200f\u061c\u202a\u202b\u202c", "")})


def parse_number(text: str, *, thousands_possible: bool) -> float:
    """The number that `text` writes; NaN for an empty text and for ``nan``.

    Digits of any script, the Arabic decimal separator and a decimal comma are accepted.

    Parameters
    ----------
    thousands_possible
        Whether the quantity can be a thousand or more, so that ``12,345`` could be either twelve and a bit or twelve
        thousand and some. Such a text is then refused.

    Raises
    ------
    InputError
        If the text is no number, is infinite, or could be two numbers.
    """
    if _PLAIN.fullmatch(text) and abs(number := float(text)) < math.inf:  # nearly all are written like this
        return number
    plain = _with_ascii_digits(text.translate(_REPLACED)).strip()
    if not plain or plain.lower() == "nan":
        return float("nan")
    if comma := _COMMA.fullmatch(plain):
        whole, fraction = comma.groups()
        if thousands_possible and len(fraction) == 3 and len(whole) <= 3 and not whole.startswith("0"):
            raise InputError(Fault("the comma could mark decimals or thousands", _WANTED, value=text))
        plain = plain.replace(",", ".")
    number = float(plain) if _PLAIN.fullmatch(plain) else float("inf")
    if number in (float("inf"), float("-inf")):
        raise InputError(Fault("not a number", _WANTED, value=text))
    return number


def _with_ascii_digits(text: str) -> str:
    if text.isascii():
        return text
    return "".join(str(digit) if (digit := unicodedata.decimal(c, None)) is not None else c for c in text)
