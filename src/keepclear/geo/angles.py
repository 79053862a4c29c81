"""Latitude and longitude written as angles: decimal degrees, degrees and minutes, degrees, minutes and seconds.

The text is cut into tokens, each token becomes one letter, and the string of letters says which of the ways of
writing it is. So what is accepted can be read off two patterns, and nothing else is.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from keepclear.errors import InputError
from keepclear.geo.typed import EXAMPLES, PositionFormat, Typed, diagonal_m, refusal

__all__ = ["read_angles"]

_LAT, _LON = "latitude", "longitude"
_LIMIT = {_LAT: 90.0, _LON: 180.0}
_FORMATS = (
    PositionFormat.DECIMAL_DEGREES,
    PositionFormat.DEGREES_MINUTES,
    PositionFormat.DEGREES_MINUTES_SECONDS,
)

# Latin O is east in German and west in French and Spanish, so it is not here. Cyrillic С and В look like Latin C and
# B, which mean nothing. Arabic ش is north (شمال); in Persian it could begin east (شرق), but Persian writes words.
_HEMISPHERES = {
    (_LAT, 1): "n north С СШ северной северная ش شمال شمالا",
    (_LAT, -1): "s south Ю ЮШ южной южная ج جنوب جنوبا",
    (_LON, 1): "e east В ВД восточной восточная ق شرق شرقا",
    (_LON, -1): "w west З ЗД западной западная غ غرب غربا",
}
_UNITS = {"d": "deg degree degrees град درجة", "m": "min minute minutes мин دقيقة", "c": "sec second seconds сек ثانية"}
_LABELS = {_LAT: "lat latitude широта", _LON: "lon lng long longitude долгота"}

_MARKS = {"°": "d", "'": "m", '"': "c", ",": "|", ";": "|", "/": "|", "+": "s"}
# Not \d: that takes the digits of every script, of which only those that `plain` translates are meant.
_POINT = r"[0-9]+(?:\.[0-9]+)?"
_POINT_OR_COMMA = r"[0-9]+(?:[.,][0-9]+)?"
_WORD = r"[^\W\d_]+(?:\.[^\W\d_]+)*\.?"

# One angle: a label, a sign or hemisphere, one to three numbers with their marks, a hemisphere.
_ONE = re.compile(r"a?[hs]?n(?:d?|[dy]?nm?|[dy]?n[my]?nc?)h?")


class _Token(NamedTuple):
    kind: str  # a label, h hemisphere, s sign, n number, d m c marks of degree, minute, second, y joint, | separator
    text: str
    axis: str = ""
    sign: int = 1


class _Angle(NamedTuple):
    axis: str  # empty if not said
    degrees: float
    half_unit_deg: float
    numbers: int


def _words() -> dict[str, _Token]:
    words: dict[str, _Token] = {}
    for (axis, sign), names in _HEMISPHERES.items():
        words |= {name.lower(): _Token("h", name, axis, sign) for name in names.split()}
    for kind, names in _UNITS.items():
        words |= {name.lower(): _Token(kind, name) for name in names.split()}
    for axis, names in _LABELS.items():
        words |= {name.lower(): _Token("a", name, axis) for name in names.split()}
    return words


_WORDS = _words()


def read_angles(text: str) -> Typed:
    """Place written as two angles.

    Latitude comes first unless letters (N, S, E, W and their Russian and Arabic forms) or the words latitude and
    longitude say otherwise. The last digit of each angle is taken as rounded: the true value lies within half of it.

    Parameters
    ----------
    text
        As `keepclear.geo.typed.plain` leaves it.

    Raises
    ------
    InputError
        If it is not two angles, could be read in two ways, or is out of range.
    """
    tokens = _tokens(text)
    first, second = (_angle(part, text) for part in _halves(tokens, text))
    if bool(first.axis) != bool(second.axis):
        raise refusal("only one of the two angles has a letter", "give both theirs: 35.28N 40.15E", text)
    if first.axis and first.axis == second.axis:
        raise refusal(f"two angles of {first.axis}", "one latitude (N, S) and one longitude (E, W)", text)
    lat, lon = (second, first) if first.axis == _LON else (first, second)
    _check_range(lat, lon, text)
    resolution_m = diagonal_m(lat.degrees, lon.half_unit_deg, lat.half_unit_deg)
    return Typed(lon.degrees, lat.degrees, resolution_m, _FORMATS[max(lat.numbers, lon.numbers) - 1])


def _tokens(text: str) -> list[_Token]:
    comma_is_decimal = re.search(r"\d\.\d", text) is None
    if comma_is_decimal and re.search(r"\d,\d+,\d", text):
        raise refusal("commas that could be decimal or between numbers", "35,28; 40,15 or 35.28, 40.15", text)
    number = _POINT_OR_COMMA if comma_is_decimal else _POINT
    tokens: list[_Token] = []
    for match in re.finditer(rf"(?P<n>{number})|(?P<w>{_WORD})|(?P<space>\s+)|(?P<other>.)", text):
        found = match.group()
        if match["n"]:
            tokens.append(_Token("n", found.replace(",", ".")))
        elif match["w"]:
            tokens.append(_word(found, text))
        elif match["other"]:
            tokens += _mark(found, text, match.start(), tokens)
    return tokens


def _word(found: str, text: str) -> _Token:
    token = _WORDS.get(found.replace(".", "").lower())
    if token is not None:
        return token
    if found.lower() in "oо":  # Latin and Cyrillic
        raise refusal("the letter O is east in some languages and west in others", "write E or W", text)
    raise refusal(f"unknown word {found[:20]!r} in a position", EXAMPLES, text)


def _mark(found: str, text: str, at: int, before: list[_Token]) -> list[_Token]:
    if found in ":=" and before and before[-1].kind == "a":
        return []
    joins = at > 0 and text[at - 1] in "0123456789°'\""
    if found == ":" and joins:
        return [_Token("y", found)]
    if found == "-":
        return [_Token("y" if joins else "s", found, sign=-1)]
    if found not in _MARKS:
        raise refusal(f"unknown character {found!r} in a position", EXAMPLES, text)
    return [_Token(_MARKS[found], found)]


def _halves(tokens: list[_Token], text: str) -> tuple[list[_Token], list[_Token]]:
    """Cut where the second angle begins."""
    kinds = "".join(token.kind for token in tokens)
    if kinds.count("|") > 1:
        raise refusal("more than two parts", EXAMPLES, text)
    if "|" in kinds:
        cut = kinds.index("|")
        return tokens[:cut], tokens[cut + 1 :]
    for pattern in (
        r"a[^a]+(?=a)",  # lat 35.28 lon 40.15
        r"h[^h]+(?=h)",  # N35.28 E40.15
        r"[^h]+h(?=[^h]+h$)",  # 35.28N 40.15E
        r"s?[^s]*n[^s]*(?=s)",  # 35.28 -40.15
        r"s?nd[^d]*(?=nd)",  # 35°17' 40°09'
        r"s?n(?=n$)",  # 35.28 40.15
    ):
        match = re.match(pattern, kinds)
        if match:
            return tokens[: match.end()], tokens[match.end() :]
    raise _no_halves(kinds, text)


def _no_halves(kinds: str, text: str) -> InputError:
    numbers = kinds.count("n")
    if numbers == 2 and kinds.count("h") == 1:
        return refusal("only one of the two angles has a letter", "give both theirs: 35.28N 40.15E", text)
    if numbers == 0:
        return refusal("not a position", EXAMPLES, text)
    if numbers == 1 and re.search(r"\d,\d", text):
        return refusal("only one number with a decimal comma", "with two whole numbers write 35; 40", text)
    if numbers == 1:
        return refusal("only one angle", "latitude and longitude", text)
    return refusal("numbers that could be read in more than one way", "mark them: 35°17′N 40°09′E", text)


def _angle(tokens: list[_Token], text: str) -> _Angle:
    kinds = "".join(token.kind for token in tokens)
    if not _ONE.fullmatch(kinds) or kinds.count("h") > 1:
        raise refusal("not an angle that can be read", EXAMPLES, text)
    heads = [token for token in tokens if token.kind in "ahs"]
    axes = {token.axis for token in heads if token.axis}
    if "s" in kinds and "h" in kinds:
        raise refusal("a sign and a letter on one angle", "either -35.28 or 35.28S", text)
    if len(axes) > 1:
        raise refusal("an angle called both latitude and longitude", "N or S for latitude, E or W for longitude", text)
    axis = axes.pop() if axes else ""
    numbers = [token.text for token in tokens if token.kind == "n"]
    if len(numbers) > 1 and "h" not in kinds and ("d" not in kinds or "y" in kinds):
        raise refusal("numbers that could be read in more than one way", "mark them: 35°17′N 40°09′E", text)
    if len(numbers) == 1 and "h" in kinds and "d" not in kinds:
        numbers = _unpacked(numbers[0], axis)
    sign = -1 if any(token.sign < 0 for token in heads) else 1
    value, half_unit = _sum(numbers, text)
    return _Angle(axis, sign * value, half_unit, len(numbers))


def _unpacked(number: str, axis: str) -> list[str]:
    """Numbers of an angle written without marks, as in notices to airmen: 351707N is 35, 17, 07."""
    wide = 2 if axis == _LAT else 3
    whole = number.partition(".")[0]
    if len(whole) == wide + 2:
        return [number[:wide], number[wide:]]
    if len(whole) == wide + 4:
        return [number[:wide], number[wide : wide + 2], number[wide + 2 :]]
    return [number]


def _sum(numbers: list[str], text: str) -> tuple[float, float]:
    """Degrees, and half of the last digit in degrees."""
    value, unit = 0.0, 1.0
    for i, number in enumerate(numbers):
        if i < len(numbers) - 1 and "." in number:
            raise refusal(f"{number} has decimals, but is not the last number of its angle", EXAMPLES, text)
        if i > 0 and float(number) >= 60.0:
            name = ("minutes", "seconds")[i - 1]
            raise refusal(f"{number} {name}", f"{name} run from 0 to below 60", text)
        unit = 60.0**-i
        value += float(number) * unit
    return value, 0.5 * unit * 10.0 ** -len(numbers[-1].partition(".")[2])


def _check_range(lat: _Angle, lon: _Angle, text: str) -> None:
    if abs(lat.degrees) > _LIMIT[_LAT]:
        swapped = not lat.axis and abs(lat.degrees) <= _LIMIT[_LON] and abs(lon.degrees) <= _LIMIT[_LAT]
        right = (
            "it looks as if the longitude came first: write the latitude first, or mark both with N, S, E, W"
            if swapped
            else "a latitude from -90 to 90"
        )
        raise refusal(f"latitude {lat.degrees:g} is out of range", right, text)
    if abs(lon.degrees) > _LIMIT[_LON]:
        raise refusal(f"longitude {lon.degrees:g} is out of range", "a longitude from -180 to 180", text)
