"""Positions within running text, in every way that people write them.

Found too readily, on purpose: two numbers that could be a position are taken for one. A position alone is no fault (it
is what most messages have), and only with language of attack beside it does it count against a text. A text that is a
position and nothing else is read by `keepclear.geo.coordinates.read_position`; this is for those in between.
"""

from __future__ import annotations

import re
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

from keepclear.errors import InputError
from keepclear.geo.coordinates import read_position
from keepclear.geo.typed import MOST_CHARACTERS
from keepclear.line.folding import Folded, folded_pattern

__all__ = ["Place", "PlaceKind", "places_in"]


class PlaceKind(StrEnum):
    """How a place was written."""

    ANGLES = "latitude and longitude"
    GRID = "grid reference"
    METRES = "easting and northing"
    BEARING = "distance and direction from a place"
    CODE = "code of a place"
    WHOLE = "a text that is a position"


class Place(NamedTuple):
    """A position in a folded text: its span there, and how it is written."""

    start: int
    end: int
    kind: PlaceKind


# One angle: a label or hemisphere, a number with one to three parts, a hemisphere. Hemispheres and labels in English,
# French, Turkish, Russian and Arabic. Turkish K, D, G, B are kuzey, doğu, güney, batı.
_HEMISPHERE = (
    r"(?:north|south|east|west|nord|sud|est|ouest|kuzey|dogu|guney|bati|северн\w+|южн\w+|восточн\w+|западн\w+"
    r"|с\.? ?ш\.?|ю\.? ?ш\.?|в\.? ?д\.?|з\.? ?д\.?|شمالا?|جنوبا?|شرقا?|غربا?|[nsewokdgbсювз]|ش|ج|ق|غ)(?!'?[^\W\d_])"
)
_LABEL = (
    r"(?:latitude|longitude|lat|long|lon|lng|enlem|boylam|широта|долгота|шир|долг|خط العرض|خط الطول|خط عرض|خط طول"
    r"|دايره عرض|العرض|الطول|عرض|طول|x|y)"
)
_MARK = r"(?: ?(?:°|deg(?:rees?)?\b|град\w*|derece|degres?|درجه|d(?![^\W\d_])))"
_MINUTE = r"(?: ?(?:'|min(?:utes?)?\b|мин\w*|dakika|دقيقه|m(?![^\W\d_])))"
_SECOND = r"(?: ?(?:\"|''|sec(?:onds?)?\b|сек\w*|saniye|secondes?|ثانيه|s(?![^\W\d_])))"
_DECIMAL = rf"(?P<number>\d{{1,3}}(?:[.,]\d+)?)(?!\d)(?P<mark>{_MARK})?"
_SEXAGESIMAL = (
    rf"(?P<number>\d{{1,3}})(?!\d)(?P<mark>{_MARK})?[ :\-]{{0,2}}\d{{1,2}}(?:[.,]\d+)?(?! ?°|\d){_MINUTE}?"
    rf"(?:[ :\-]{{0,2}}\d{{1,2}}(?:[.,]\d+)?{_SECOND}?)?"
)
_ANGLES = [
    re.compile(folded_pattern(rf"(?<![\w.])(?P<label>{_LABEL}\W{{0,3}})?{letters.format(numbers)}"))
    for numbers in (_DECIMAL, _SEXAGESIMAL)
    for letters in (
        rf"(?:[+-] ?)?{{}}(?!\d)(?: ?(?P<letter>{_HEMISPHERE}))?",
        rf"(?P<letter>{_HEMISPHERE}) ?{{}}(?!\d)",
    )
]
_PACKED = re.compile(
    r"(?<!\w)(?:[ns] ?)?(\d{4}|\d{6})(?:[.,]\d+)?(?: ?[ns])?[ ,/\-]{0,3}(?:[ewo] ?)?(\d{5}"
    r"|\d{7})(?:[.,]\d+)?(?: ?[ewo])?(?!\w)"
)
_ISO_6709 = re.compile(r"(?<![\w.])[+-]\d{2,6}(?:\.\d+)?[+-]\d{3,7}(?:\.\d+)?(?:[+-]\d+(?:\.\d+)?)?/?")
_BETWEEN = re.compile(
    folded_pattern(
        r"(?:\s|[,;/|()\[\]:+°.]|\band\b|\bby\b|\bet\b|\bve\b|\bи\b|\bو|\be\b|\bx\b|%2c|&|=|to the)*-?(?:\s|\()*"
    )
)

_ZONE = r"(?:0?[1-9]|[1-5]\d|60)"
_MGRS = re.compile(
    rf"(?<!\w){_ZONE}[ \-]?[c-hj-np-x][ \-]?[a-hj-np-z][ \-]?[a-hj-np-v](?:[ \-/,]{{0,2}}\d){{2,10}}(?!\d)", re.ASCII
)
_SQUARE = re.compile(
    r"(?<!\w)(?!(?:at|on|to|in|by|of|or|no|is|we|me|am|pm|un|su|fl|km|kg)\b)[a-hj-np-z][a-hj-np-v] ?"
    r"(?:\d{3}[ \-]?\d{3}|\d{4}[ \-]?\d{4}|\d{5}[ \-]?\d{5})(?!\d)",
    re.ASCII,
)
_GRID_WORD = re.compile(
    folded_pattern(
        r"(?<!\w)(?:grid|mgrs|utm|gr|square|map ref\w*|кв|квадрат\w*|коорд\w*|coord\w*|koordinat\w*|carroyage|grille"
        r"|مربع|احداثي\w*|الاحداثي\w*)(?: (?:ref\w*|reference|coordinates"
        r"|square))?\W{0,4}(?:[a-z]{2} ?)?(?:\d[ \-/]?){5,9}\d(?!\d)"
    )
)
_METRES = re.compile(
    folded_pattern(
        r"(?<![\w.])(?:zone ?)?(?:\d{1,2} ?(?:[a-z]|north|south)?[ ,;:]+)?(?:[exyхуn]\w{0,7} ?[=:]? ?)?"
        r"\d{3} ?\d{3}(?:[.,]\d+)?(?: ?m\b)?(?: ?e\b)?[\s,;/]+(?:[nyуe]\w{0,7} ?[=:]? ?)?\d ?\d{3}"
        r" ?\d{3}(?:[.,]\d+)?(?: ?m\b)?(?: ?n(?![\w']))?(?!\d)"
        r"|(?<![\w.])(?:[xхyу] ?[=:]? ?)?\d{7}(?:[.,]\d+)?[\s,;/]+(?:[yуxх] ?[=:]? ?)?\d{7}(?:[.,]\d+)?(?!\d)"
    )
)
_CODE = re.compile(
    r"(?<!\w)[23456789cfghjmpqrvwx]{4,8}\+[23456789cfghjmpqrvwx]{2,3}(?!\w)"  # Open Location Code
    r"|///?\w+\.\w+\.\w+|w3w\W{1,3}\w+\.\w+\.\w+"  # three words
    r"|(?<!\w)geohash\W{1,3}[0-9b-hjkmnp-z]{5,12}(?!\w)"
    r"|(?<!\w)\d{3}[a-hj-np-z]{2}[1-4][1-9]?(?!\w)"  # GARS
)

_UNIT = (
    r"(?:km|kms|kilomet(?:er|re)s?|m|mtrs?|met(?:er|re)s?|metres?|nm|nmi|nautical miles?|miles?|mi|yards?|yds?|ft|feet"
    r"|км|километр\w*|м|метр\w*|миль|мил[яи]|كم|كيلومتر\w*|كيلو|متر\w*|م|ميل\w*|kilometre|metre|mil)"
)
_DIRECTION = (
    r"(?:(?:north|south)[ -]?(?:east|west)\w*|(?:north|south|east|west)(?:ern|wards?)?|nn[ew]|ss[ew]|[ew]n[ew]"
    r"|[ew]s[ew]|[ns][ew]|[nsew]"
    r"|(?:nord|sud)[ -]?(?:est|ouest)?|est|ouest|(?:северо|юго)[ -]?(?:восто\w+|запад\w+)|север\w*|юг\w*|южн\w+"
    r"|восто\w+|запад\w*"
    r"|(?:شمال|جنوب|شرق|غرب)\w*|(?:ال)?(?:شمالي?|جنوبي?|شرقي?|غربي?)\w*|(?:kuzey|guney)\w*|dogu\w*|bati\w*)"
)
_AMOUNT = rf"\d+(?:[.,]\d+)? ?{_UNIT}(?! ?(?:/|per|p/?h|an hour|в час|saatte|par heure|h\b))"
_DEGREES = (
    r"(?:bearing|azimuth|heading|direction|radial|brg|az|азимут\w*|пеленг\w*|курс\w*|azimut|relevement|kerteriz"
    r"|istikamet|سمت|اتجاه|زاويه)"
)
_OF = r"(?: (?:of|from|de|du|d|от)(?: (?:the|la|le))?(?: [^\W\d_]+)?)?"
_BEARING = re.compile(
    folded_pattern(
        rf"(?<![\w.]){_AMOUNT}(?!\w)(?: \w+){{0,2}}?[ \-,]+{_DIRECTION}(?!\w){_OF}"
        rf"|(?<![\w'])(?![nsew]\b){_DIRECTION}(?: \w+){{0,4}}?[ \-,]+{_AMOUNT}(?!\w){_OF}"
        rf"|(?<!\w){_DEGREES}\W{{1,3}}\d{{1,3}}(?:[.,]\d+)?(?:°| ?deg\w*"
        rf"| ?mils?)?(?:[^\d\n]{{0,30}})\d+(?:[.,]\d+)? ?{_UNIT}(?!\w){_OF}"
        rf"|(?<![\w.]){_AMOUNT}(?!\w)[^\d\n]{{0,30}}{_DEGREES}\W{{1,3}}\d{{1,3}}"
        rf"|(?<![\w.])\d{{3}} ?(?:°|deg\w*|/) ?(?:at |for )?{_AMOUNT}(?!\w)"
    )
)
_SHAPES = (
    (PlaceKind.GRID, _MGRS),
    (PlaceKind.GRID, _GRID_WORD),
    (PlaceKind.GRID, _SQUARE),
    (PlaceKind.METRES, _METRES),
    (PlaceKind.ANGLES, _ISO_6709),
    (PlaceKind.CODE, _CODE),
    (PlaceKind.BEARING, _BEARING),
)


def places_in(text: Folded) -> list[Place]:
    """Positions in a folded text, in order and apart from each other; where two overlap they are one."""
    found = [Place(*match.span(), kind) for kind, pattern in _SHAPES for match in pattern.finditer(text.text)]
    found += [Place(*match.span(), PlaceKind.ANGLES) for match in _PACKED.finditer(text.text) if _is_packed(match)]
    found += _angle_pairs(text.text)
    if not found and _is_position(text.text):
        found = [Place(0, len(text.text), PlaceKind.WHOLE)]
    return _joined(found)


def _angle_pairs(text: str) -> list[Place]:
    pairs = []
    for pattern in _ANGLES:
        for first, second in pairwise(pattern.finditer(text)):
            gap = text[first.end() : second.start()]
            if len(gap) <= 40 and _is_pair(first, second, gap):
                pairs.append(Place(first.start(), second.end(), PlaceKind.ANGLES))
    return pairs


def _is_pair(first: re.Match[str], second: re.Match[str], gap: str) -> bool:
    """Whether two angles are a latitude and a longitude, in either order, as far as that can be told."""
    values = sorted(abs(float(one["number"].replace(",", "."))) for one in (first, second))
    if values[0] > 90.0 or values[1] > 180.0:
        return False
    if first["label"] and second["label"]:
        return True
    if not _BETWEEN.fullmatch(gap):
        return False
    if all(one["mark"] or one["letter"] for one in (first, second)):
        return True
    # Clock times, prices and scores have two decimals or fewer, and words between them.
    fine = [
        len(re.split("[.,]", one["number"])[-1]) if re.search("[.,]", one["number"]) else 0 for one in (first, second)
    ]
    return min(fine) >= 2 and (min(fine) >= 3 or not re.search(r"[^\W\d_]", gap))


def _is_packed(match: re.Match[str]) -> bool:
    lat, lon = match[1], match[2]
    with_letters = re.search("[nsewo]", match.group()) is not None
    return with_letters and int(lat[:2]) <= 90 and int(lon[:3]) <= 180


def _is_position(text: str) -> bool:
    if len(text) > MOST_CHARACTERS or not re.search(r"\d", text):
        return False
    try:
        read_position(text, datum=None)
    except InputError:
        return False
    return True


def _joined(found: list[Place]) -> list[Place]:
    joined: list[Place] = []
    for place in sorted(found):
        if joined and place.start < joined[-1].end:
            last = joined[-1]
            joined[-1] = Place(last.start, max(last.end, place.end), last.kind)
        else:
            joined.append(place)
    return joined
