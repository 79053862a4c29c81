"""How the words of one language are written down.

Patterns are regular expressions over folded text (`keepclear.line.folding`) with punctuation within sentences made
spaces, and each position replaced by `PLACE`. Besides, a tilde and a digit stand for up to so many words between:
``drop ~2 bombs``. Every pattern begins and ends at a word's edge.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from keepclear.line.attack_words.needles import Needles
from keepclear.line.folding import PLACE, folded_pattern

__all__ = ["PLACE", "Vocabulary", "one_of", "vocabulary"]

_GAP = re.compile(r"~(\d) ")
_EDGE_BEFORE, _EDGE_AFTER = r"(?:(?<![^\W_])|(?=[\W_]))", r"(?![^\W_])"


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What is said of attacks in one language.

    Attributes
    ----------
    language
        Its tag (BCP 47).
    pleading
        A caller's plight with the caller's own place. Taken out first, with the place.
    harmless
        Idioms, prohibitions, what was suffered and what others threaten. Taken out, in this order, before anything
        else is looked for.
    ordering
        Asks for an attack, announces one, or passes an object of attack: refused beside a position.
    planning
        Reads as a plan, unless the sentences say that it is news, a warning or a call for help.
    naming
        Names an attack without saying whose it is or when: at most flagged.
    telling
        What news, warnings and calls for help have.
    needles
        Without any of these in a text, nothing is ordered, planned or named in it.
    harmless_needles
        The same of what is pleading or harmless.
    """

    language: str
    pleading: tuple[re.Pattern[str], ...]
    harmless: tuple[re.Pattern[str], ...]
    ordering: tuple[re.Pattern[str], ...]
    planning: tuple[re.Pattern[str], ...]
    naming: tuple[re.Pattern[str], ...]
    telling: tuple[re.Pattern[str], ...]
    needles: Needles
    harmless_needles: Needles


def vocabulary(
    language: str,
    *,
    pleading: Iterable[str],
    harmless: Iterable[str],
    ordering: Iterable[str],
    planning: Iterable[str],
    naming: Iterable[str],
    telling: Iterable[str],
) -> Vocabulary:
    """The vocabulary of these patterns."""
    asks, plans, names = _all(ordering), _all(planning), _all(naming)
    pleas, idioms = _all(pleading), _all(harmless)
    needles, others = Needles((*asks, *plans, *names)), Needles((*pleas, *idioms))
    return Vocabulary(language, pleas, idioms, asks, plans, names, _all(telling), needles, others)


def one_of(words: str) -> str:
    """Pattern of any of these words, which spaces part; an underscore stands for a space within one."""
    return "(?:" + "|".join(word.replace("_", " ") for word in words.split()) + ")"


def _all(patterns: Iterable[str]) -> tuple[re.Pattern[str], ...]:
    return tuple(map(_compiled, patterns))


def _compiled(pattern: str) -> re.Pattern[str]:
    gaps = _GAP.sub(lambda match: rf"(?:[^\W_]+[,:]? ){{0,{match[1]}}}", pattern)
    return re.compile(f"{_EDGE_BEFORE}(?:{folded_pattern(gaps)}){_EDGE_AFTER}")
