"""Text with its disguises taken off: one form for every letter, digit, mark and space.

A guard of words is only as good as its reading. The same word can be written with letters of another script that look
alike, with digits for letters, spaced out, or with marks that nobody sees. Each of these is undone here, and each
character of the result knows which character of the original it came from, so that a person can be shown the place.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass

from keepclear.geo.typed import plain

__all__ = ["GONE", "PLACE", "Folded", "folded", "folded_pattern", "readings"]

PLACE = "⌖"
"""Stands for a position. A text that has this character itself loses it."""
GONE = "□"
"""Stands for what was harmless; likewise."""

_CYRILLIC = "авекмнорстухѕіјԁһԛԝьзӏ"
_AS_LATIN = "abekmhopctyxsijdhqwb3l"
_GREEK = "αβεηικμνορτυχζ"
_GREEK_AS_LATIN = "abenikmvoptyxz"
_TO_LATIN = dict(zip(_CYRILLIC + _GREEK, _AS_LATIN + _GREEK_AS_LATIN, strict=True))
_TO_CYRILLIC = dict(zip("abekmhopctyx3", "авекмнорстухз", strict=True)) | {"n": "п", "u": "и", "r": "г", "i": "і"}
_DIGITS_AS_LETTERS = {"0": "o", "3": "e", "4": "a", "5": "s", "7": "t", "8": "b", "@": "a", "$": "s", "!": "i"}
_ONE_BY_ONE = {
    **dict.fromkeys("أإآٱ", "ا"),
    "ة": "ه",
    "ى": "ي",
    "ؤ": "و",
    "ئ": "ي",
    "ی": "ي",
    "ک": "ك",
    "ـ": "",
    "ı": "i",
    "ø": "o",
    "ł": "l",
    "đ": "d",
    "æ": "ae",
    "œ": "oe",
    "،": ",",
    "؛": ";",
    "؟": "?",
    "。": ".",
    "…": ".",
    "·": ".",
}
_SPACED_OUT = re.compile(
    r"(?<!\S)[^\W_](?P<gap> {1,3})(?:[^\W_](?P=gap))+[^\W_](?![^\s,.;:!?])"
    r"|(?<!\w)(?:[^\W\d_][.\-_*]){2,}[^\W\d_](?!\w)"
    r"|(?<!\S)(?:[\d.,:;°'\"+\-nsew] ){4,}[\d°'\"nsew](?!\w)"
)
_LONGEST_KEPT = 40  # characters of a word whose reading is kept for the next text that has it
_MIXED = re.compile(r"[\w@$!]*\w[\w@$!]*")


@dataclass(frozen=True, slots=True)
class Folded:
    """A text, and for each of its characters the index of the original's character that it came from."""

    text: str
    origins: tuple[int, ...]

    def original_span(self, start: int, end: int) -> tuple[int, int]:
        """Where in the original a span that is not empty came from."""
        return self.origins[start], self.origins[end - 1] + 1

    def replaced(self, pattern: re.Pattern[str], becomes: Callable[[re.Match[str]], str]) -> Folded:
        """With every match replaced; what is new comes from where the match did, character by character."""
        pieces: list[str] = []
        origins: list[int] = []
        last = 0
        for match in pattern.finditer(self.text):
            start, end = match.span()
            new = becomes(match)
            if new == match[0]:
                continue  # most words become themselves
            pieces += [self.text[last:start], new]
            origins += self.origins[last:start]
            origins += [self.origins[min(start + i, end - 1)] for i in range(len(new))]
            last = end
        if not last:
            return self
        return Folded("".join([*pieces, self.text[last:]]), (*origins, *self.origins[last:]))

    def here(self, start: int, end: int) -> tuple[int, int]:
        """The span that came from this one of the original."""
        return bisect_left(self.origins, start), bisect_left(self.origins, end)

    def masked(self, spans: list[tuple[int, int]], mark: str) -> Folded:
        """With each span (in order, apart from each other) replaced by the mark between two spaces."""
        pieces: list[str] = []
        origins: list[int] = []
        last = 0
        for start, end in spans:
            pieces += [self.text[last:start], f" {mark} "]
            origins += [*self.origins[last:start], self.origins[start], self.origins[start], self.origins[end - 1]]
            last = end
        return Folded("".join([*pieces, self.text[last:]]), (*origins, *self.origins[last:]))


def folded(text: str) -> Folded:
    """The text in small letters without accents, digits as 0–9, marks as `keepclear.geo.typed.plain` has them."""
    if text.isascii():
        return Folded(text.lower(), tuple(range(len(text))))
    pieces: list[str] = []
    origins: list[int] = []
    for index, character in enumerate(text):
        for one in " " if character in (PLACE, GONE) else _character(character):
            pieces.append(one)
            origins.append(index)
    return Folded("".join(pieces), tuple(origins))


def folded_pattern(pattern: str) -> str:
    r"""A pattern whose letters are folded as texts are. What is ASCII stays: ``\W`` is not ``\w``."""
    return "".join(one if one.isascii() else "".join(_character(one)) for one in pattern)


def readings(text: Folded) -> list[Folded]:
    """All that a folded text can be read as: as it stands, and with lookalikes taken for Latin and for Cyrillic."""
    joined = text.replaced(_SPACED_OUT, _joined)
    # One letter that looks like no Latin one, and the text is in Cyrillic: не and нас are words of it.
    is_cyrillic = any("Ѐ" <= letter <= "ӿ" and letter not in _TO_LATIN for letter in text.text)
    latin, with_l = (
        joined.replaced(_MIXED, functools.partial(_latin, one=one, is_cyrillic=is_cyrillic)) for one in "il"
    )
    found = [text, joined, latin, with_l, joined.replaced(_MIXED, _cyrillic)]
    return [one for i, one in enumerate(found) if one.text not in {other.text for other in found[:i]}]


def _character(character: str) -> str:
    if character.isascii():
        return character.lower()
    return _decomposed(character)


@functools.lru_cache(maxsize=20_000)
def _decomposed(character: str) -> str:
    marked = _as_mark(character)
    if marked != character:
        return marked
    result = []
    for one in unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", character).casefold()):
        category = unicodedata.category(one)
        if category in ("Mn", "Me", "Cf"):
            continue
        digit = unicodedata.decimal(one, None)
        if digit is not None:
            result.append(str(digit))
        elif category in ("Zs", "Zl", "Zp"):
            result.append("\n" if category != "Zs" else " ")
        else:
            result.append("-" if category == "Pd" else _ONE_BY_ONE.get(one, one))
    return "".join(result)


def _as_mark(character: str) -> str:
    """What `plain` makes of it; it was written for positions, and knows their marks in every script."""
    if character in _ONE_BY_ONE:
        return _ONE_BY_ONE[character]
    made = plain(f"x{character}x")[1:-1]
    return made if made.isascii() and made != " " else character


def _joined(match: re.Match[str]) -> str:
    run = match.group()
    together = re.sub(r" " if re.search(r"\d", run) else r"[ .\-_*]", "", run)  # the points of numbers stay
    return re.sub(r"(?<=[^\W\d_]{4})(?=\d)", " ", together)  # a word, and a grid reference after it


def _latin(match: re.Match[str], *, one: str, is_cyrillic: bool) -> str:
    """The word with lookalikes and digits taken for Latin letters; the digit 1 for `one`, an i or an l."""
    word = match.group()
    return (_latin_word if len(word) <= _LONGEST_KEPT else _latin_word.__wrapped__)(word, one, is_cyrillic)


@functools.lru_cache(maxsize=4096)
def _latin_word(word: str, one: str, is_cyrillic: bool) -> str:  # noqa: FBT001  # of a cache by position
    if is_cyrillic and not re.search(r"[a-z]", word):
        return word
    changed = "".join(_TO_LATIN.get(letter, letter) for letter in word)
    letters = sum(letter.isalpha() for letter in changed)
    if not changed.isascii() or letters == 0 or letters * 2 < len(changed):
        return word
    stem = changed.rstrip("!$@")  # these end words, and sentences
    lookalikes = _DIGITS_AS_LETTERS | {"1": one}
    return "".join(lookalikes.get(letter, letter) for letter in stem) + changed[len(stem) :]


def _cyrillic(match: re.Match[str]) -> str:
    word = match.group()
    if not re.search(r"[Ѐ-ӿ]", word) or not re.search(r"[a-z0-9]", word):
        return word
    return "".join(_TO_CYRILLIC.get(one, one) for one in word)
