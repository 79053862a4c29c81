"""What the line does not carry: the position of an object to be attacked, and attachments that can do harm.

A guard judges before anything is kept. Its verdict names places in what was judged, never the words that stand there,
so that the refusal can be logged and shown without repeating what was refused. FLASH is never refused, only flagged:
"we are being hit at …" must get through, whatever a program makes of it.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

from keepclear.line.attack_language import Language, Reading, read_language
from keepclear.record.bodies.base import Body
from keepclear.record.bodies.talk import Priority

__all__ = ["NO_SHARING", "Outcome", "Span", "Verdict", "guard_body", "guard_members", "guard_text"]

NO_SHARING = "NO_SHARING"
"""The guard against passing coordinates of an object to be attacked."""

_REFUSED = (
    "Not sent and not kept: this reads as passing the position of an object to be attacked, which this line does not"
    " carry. To keep others away from a danger, file a hazard area; if you are being attacked, send it as FLASH; if it"
    " was misread, say it in other words."
)
_FLAGGED = (
    "Sent, and flagged for the duty officers: a position stands beside words of attack. This line does not carry"
    " positions of objects to be attacked."
)
_FLASHED = "Sent, because FLASH is never refused, and flagged for the duty officers of all who receive it."
_GEOMETRY = frozenset({"lon_deg", "lat_deg", "line", "rings", "coordinates", "lon", "lat", "latitude", "longitude"})
_HERE = re.compile(
    r"\b(?:here|this (?:place|point|position|location|grid|area|site|spot|polygon|circle|zone|volume|building)|"
    r"(?:the )?(?:cent(?:re|er)|middle|first|last|way ?points?|vertex|vertices|corners?)|inside|within"
    r"|здесь|сюда|в центр\w*|в точк\w*|هنا|المركز|وسط|burada|buraya|merkez\w*|ici|au centre|au milieu)\b",
    re.IGNORECASE,
)


class Outcome(IntEnum):
    """What is done with what was judged, the worst last."""

    PASS = 0
    FLAG = 1
    REFUSE = 2


@dataclass(frozen=True, slots=True)
class Span:
    """Where something was found: the path of the member, and the characters of its text from `start` to `end`."""

    member: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a guard says.

    Attributes
    ----------
    outcome
        Passed, passed with a flag for the duty officers, or refused.
    guard
        Which guard; empty where all is well.
    spans
        What it found, words first and then the position. No text is repeated.
    sentence
        For the sender; empty where all is well. It repeats nothing either.
    """

    outcome: Outcome = Outcome.PASS
    guard: str = ""
    spans: tuple[Span, ...] = ()
    sentence: str = ""

    def for_flash(self) -> Verdict:
        """The same for a FLASH message, which is never refused."""
        return replace(self, outcome=Outcome.FLAG, sentence=_FLASHED) if self.outcome is Outcome.REFUSE else self


def guard_text(text: str, *, member: str = "text", place_is_given: bool = False) -> Verdict:
    """Judge one free text.

    Parameters
    ----------
    text
        As it was written, in whatever language.
    member
        What to call it in the spans.
    place_is_given
        The text goes with a geometry. Then words that ask for an attack are flagged, and refused if they point to
        that geometry or the text has a position of its own.

    Returns
    -------
    Verdict
        REFUSE, if a position stands near language that asks for an attack, announces one or hands on an object of
        attack. FLAG, if it only names attacks and nothing says that this is news, a warning or a call for help.
    """
    return _guard([(member, text)], place_is_given=place_is_given)


def guard_members(members: object, *, is_flash: bool = False) -> Verdict:
    """Judge every text in a JSON value, of a known type or not, wherever it stands.

    Texts that follow each other are read as one, so that a position in a name and an order in the remarks are found.
    """
    has_place = any(path.rpartition(".")[2] in _GEOMETRY for path, _ in _leaves(members, "", strings=False))
    texts = [(path, str(text)) for path, text in _leaves(members, "", strings=True)]
    verdict = _guard(texts, place_is_given=has_place)
    return verdict.for_flash() if is_flash else verdict


def guard_body(body: Body) -> Verdict:
    """Judge what an entry says; all of its texts: names, remarks, reasons, names of attachments."""
    is_flash = getattr(body, "priority", None) is Priority.FLASH
    return guard_members(body.members(), is_flash=is_flash)


def _guard(texts: Sequence[tuple[str, str]], *, place_is_given: bool) -> Verdict:
    joined = "\n".join(text for _, text in texts)
    reading = read_language(joined)
    outcome = _OUTCOMES[reading.language]
    if outcome is not Outcome.REFUSE and place_is_given:
        unplaced = read_language(joined, place_is_given=True)
        if unplaced.language is Language.ORDERING:
            reading, outcome = unplaced, Outcome.REFUSE if _points_to_it(joined) else Outcome.FLAG
    if outcome is Outcome.PASS:
        return Verdict()
    sentence = _REFUSED if outcome is Outcome.REFUSE else _FLAGGED
    return Verdict(outcome, NO_SHARING, tuple(_spans(texts, reading)), sentence)


def _points_to_it(text: str) -> bool:
    return _HERE.search(text) is not None


def _spans(texts: Sequence[tuple[str, str]], reading: Reading) -> Iterator[Span]:
    starts = [0]
    for _, text in texts:
        starts.append(starts[-1] + len(text) + 1)
    for found in (reading.words, reading.place):
        if found is not None:
            which = min(bisect_right(starts, found[0]), len(texts)) - 1
            member, text = texts[which]
            yield Span(member, found[0] - starts[which], min(found[1] - starts[which], len(text)))


def _leaves(value: object, path: str, *, strings: bool) -> Iterator[tuple[str, object]]:
    """Paths and values of a JSON value: all texts, or everything that has a name. Names that are not ours are texts."""
    waiting: list[tuple[str, object]] = [(path, value)]
    while waiting:
        here, inner = waiting.pop()
        if isinstance(inner, Mapping):
            named = [(f"{here}.{name}".lstrip("."), name, one) for name, one in inner.items()]
            waiting += [(where, one) for where, _, one in reversed(named)]
            yield from ((where, name) for where, name, _ in named if not strings or not str(name).isidentifier())
        elif isinstance(inner, list | tuple):
            waiting += [(f"{here}[{i}]", one) for i, one in reversed(list(enumerate(inner))) if not _is_numbers(one)]
        elif strings and isinstance(inner, str):
            yield here, inner


def _is_numbers(value: object) -> bool:
    """Whether it is a number or a list of them: of positions there may be a million, and they hold no words."""
    return isinstance(value, int | float) or (
        isinstance(value, list | tuple) and all(isinstance(one, int | float) for one in value)
    )


_OUTCOMES = {
    Language.OTHER: Outcome.PASS,
    Language.NAMING: Outcome.FLAG,
    Language.PLANNING: Outcome.REFUSE,
    Language.ORDERING: Outcome.REFUSE,
}
