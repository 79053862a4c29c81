"""Whether a text passes the position of an object to be attacked.

A position alone is what most messages have, and talk of attacks alone is what people at a border talk about. What is
looked for is both: language that asks for an attack, announces one or hands on an object of attack, within `NEAR`
characters of a position. Calls for help, news, warnings and prohibitions have the same words in other forms; those are
taken out first (see `keepclear.line.attack_words`).
"""

from __future__ import annotations

import functools
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from enum import IntEnum
from itertools import chain
from typing import NamedTuple

from keepclear.line.attack_words.vocabulary import Vocabulary
from keepclear.line.folding import GONE, PLACE, Folded, folded, readings
from keepclear.line.places import places_in

__all__ = ["NEAR", "Language", "Reading", "read_language"]

NEAR = 600
"""Characters between a position and words of attack that count as being about each other."""

_SHORT = 4096  # characters
_JOINTS = re.compile(r"[^\w\s.,:;!?" + PLACE + GONE + r"]+|_")
_SPACES = re.compile(r"[^\S\n]+")
_LINES = re.compile(r"\s*\n\s*")
_SENTENCE = re.compile(r"[^.!?;\n]+")


class Language(IntEnum):
    """What a text's language is, the worst last."""

    OTHER = 0
    NAMING = 1
    PLANNING = 2
    ORDERING = 3


class Reading(NamedTuple):
    """What was found in a text: the worst language near a position, and both spans in the text as it was given."""

    language: Language
    words: tuple[int, int] | None = None
    place: tuple[int, int] | None = None


def read_language(text: str, *, place_is_given: bool = False) -> Reading:
    """The worst that a text says near a position.

    Parameters
    ----------
    text
        As it was written.
    place_is_given
        The text goes with a geometry: a position is taken to be everywhere in it.
    """
    worst = Reading(Language.OTHER)
    found, places = (_read_again if len(text) <= _SHORT else _read)(text)
    if not places and not place_is_given:
        return worst
    for one in found:
        worded = _worded(one.masked([one.here(*place) for place in places], PLACE))
        worst = max([worst, *_found(worded, place_is_given=place_is_given)], key=lambda reading: reading.language)
    return worst


def _read(text: str) -> tuple[list[Folded], list[tuple[int, int]]]:
    """All that it can be read as, and the positions in it."""
    found = readings(folded(text))
    # Of disguises that are taken off, some belong to words: a digit may be a letter there, and must not be one here.
    return found, _apart([one.original_span(place.start, place.end) for one in found for place in places_in(one)])


# What goes with a geometry is asked about twice.
_read_again = functools.lru_cache(maxsize=4)(_read)


def _apart(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The spans in order, those that overlap as one."""
    apart: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if apart and start < apart[-1][1]:
            apart[-1] = (apart[-1][0], max(apart[-1][1], end))
        else:
            apart.append((start, end))
    return apart


def _worded(text: Folded) -> Folded:
    """With marks within sentences made spaces, and spaces single."""
    text = text.replaced(_JOINTS, lambda _: " ").replaced(_SPACES, lambda _: " ")
    return text.replaced(_LINES, lambda _: "\n")


def _found(text: Folded, *, place_is_given: bool) -> Iterator[Reading]:
    for words in _vocabularies():
        if not words.needles.may_match(text.text):
            continue  # nor does it once something was taken out: what is left of that are marks, and no letters
        rest, there = text, words.harmless_needles.found_in(text.text)
        for pattern in words.harmless_needles.of(words.pleading, there):
            rest = rest.replaced(pattern, lambda _: GONE)
        for pattern in words.harmless_needles.of(words.harmless, there):
            rest = rest.replaced(pattern, _gone)
        places = [match.start() for match in re.finditer(PLACE, rest.text)]
        for language, start, end in _signals(rest, words):
            span = rest.original_span(start, end)
            if place_is_given:
                yield Reading(language, span)
                continue
            if not places:  # the only place is that of who calls for help: no object of attack is handed on
                yield Reading(min(language, Language.NAMING), span)
                continue
            place = rest.original_span(*_nearest(places, start))
            if max(span[0] - place[1], place[0] - span[1]) <= NEAR:
                yield Reading(language, span, place)


@functools.cache
def _vocabularies() -> tuple[Vocabulary, ...]:
    """Of all languages. Their patterns take a third of a second to compile: only who reads a text waits for that."""
    from keepclear.line.attack_words.arabic import ARABIC
    from keepclear.line.attack_words.english import ENGLISH
    from keepclear.line.attack_words.french import FRENCH
    from keepclear.line.attack_words.russian import RUSSIAN
    from keepclear.line.attack_words.turkish import TURKISH

    return ENGLISH, RUSSIAN, ARABIC, TURKISH, FRENCH


def _gone(match: re.Match[str]) -> str:
    """What is left of harmless words: the position among them stays a position."""
    return f"{GONE} {PLACE} {GONE}" if PLACE in match.group() else GONE


def _nearest(places: list[int], at: int) -> tuple[int, int]:
    after = bisect_left(places, at)
    place = min(places[max(after - 1, 0) : after + 1], key=lambda one: abs(one - at))
    return place, place + 2  # the space behind it comes from the position's end


def _signals(text: Folded, words: Vocabulary) -> Iterator[tuple[Language, int, int]]:
    there = words.needles.found_in(text.text)
    for pattern in words.needles.of(words.ordering, there):
        for match in pattern.finditer(text.text):
            yield Language.ORDERING, *match.span()
    sentences = [match.span() for match in _SENTENCE.finditer(text.text)]
    told: dict[int, bool] = {}
    for language, patterns in ((Language.PLANNING, words.planning), (Language.NAMING, words.naming)):
        for match in chain.from_iterable(one.finditer(text.text) for one in words.needles.of(patterns, there)):
            here = max(bisect_right(sentences, match.start(), key=lambda span: span[0]) - 1, 0)
            if here not in told:
                near = sentences[max(here - 1, 0) : here + 2]
                told[here] = _is_told(text.text[near[0][0] : near[-1][1]] if near else text.text)
            if not told[here]:
                yield language, *match.span()


def _is_told(part: str) -> bool:
    """Whether a sentence, with those beside it, says that this is news, a warning or a call for help."""
    return GONE in part or any(pattern.search(part) for words in _vocabularies() for pattern in words.telling)
