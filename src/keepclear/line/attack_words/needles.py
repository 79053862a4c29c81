"""Letters without which a pattern cannot match, so that most texts need not be searched for it at all.

Looking whether a text has some of a few hundred short strings takes microseconds, where the patterns of five languages
take milliseconds. What is said here must never be wrong in one direction: whatever text a pattern matches, all that
is said to be needed is in it. A pattern of which nothing can be told needs nothing, and is always searched for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import Any

__all__ = ["Needles", "needs_of"]

_LEAST = 2
"""Characters of a needle: what is shorter is in every text."""
_SPACE = 32
_MOST_KEPT = 4096

Needs = tuple[frozenset[str], ...]
"""Of each of these sets one string at least is in whatever is matched."""


class Needles:
    """What a text must have for one of several patterns to match.

    Parameters
    ----------
    patterns
        Over texts in small letters.
    """

    def __init__(self, patterns: Iterable[re.Pattern[str]]) -> None:
        self._needs = {pattern: needs_of(pattern) for pattern in patterns}
        every = {one for needs in self._needs.values() for some in needs for one in some}
        self._without = [needs for needs in self._needs.values() if not needs]
        self._may: dict[frozenset[str], bool] = {}  # many texts have the same few needles, or none
        # By their first letters: few pairs of letters are in a short text.
        self._by_start: dict[str, list[str]] = {}
        for one in sorted(every):
            self._by_start.setdefault(one[:_LEAST], []).append(one)

    def found_in(self, text: str) -> frozenset[str]:
        """The needles that are in a text."""
        starts = self._by_start.keys() & {text[i : i + _LEAST] for i in range(len(text) - _LEAST + 1)}
        return frozenset(one for start in starts for one in self._by_start[start] if one in text)

    def may_match(self, text: str) -> bool:
        """Whether one of the patterns may match somewhere in the text; if not, none does."""
        there = self.found_in(text)
        may = self._may.get(there)
        if may is None:
            if len(self._may) >= _MOST_KEPT:
                self._may.clear()
            may = any(_has(needs, there) for needs in (self._needs.values() if there else self._without))
            self._may[there] = may
        return may

    def of(self, patterns: Iterable[re.Pattern[str]], there: frozenset[str]) -> Iterator[re.Pattern[str]]:
        """Those of some of the patterns, in their order, that may match a text which has these needles and no others.

        Nor does another where something was taken out of the text since: what is left of that are marks, no letters.
        """
        needs = self._needs
        return (one for one in patterns if (_has(needs[one], there) if there else not needs[one]))


def _has(needs: Needs, there: frozenset[str]) -> bool:
    return all(not some.isdisjoint(there) for some in needs)


def needs_of(pattern: re.Pattern[str]) -> Needs:
    """What is in whatever a pattern matches: strings of letters and spaces."""
    if pattern.flags & re.IGNORECASE:
        return ()
    try:
        parsed = import_module("re._parser").parse(pattern.pattern, pattern.flags)
    except (ImportError, AttributeError):  # another Python, which keeps it elsewhere
        return ()
    return tuple(dict.fromkeys(_needed(list(parsed))))


def _needed(items: list[tuple[Any, Any]]) -> Iterator[frozenset[str]]:
    """What the parts need that stand one after another: all of it."""
    run = ""
    for kind, value in items:
        name = str(kind)
        if name == "LITERAL" and (chr(value).isalpha() or value == _SPACE):
            run += chr(value)
            continue
        yield from _worth(run)
        run = ""
        if name == "SUBPATTERN":
            yield from _needed(list(value[3]))
        elif name == "ATOMIC_GROUP":
            yield from _needed(list(value))
        elif name in {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"} and value[0] >= 1:
            yield from _needed(list(value[2]))
        elif name == "BRANCH":
            ways = [_best(_needed(list(way))) for way in value[1]]
            if all(ways):
                yield frozenset().union(*ways)
    yield from _worth(run)


def _worth(run: str) -> Iterator[frozenset[str]]:
    needle = run.strip()
    if len(needle) >= _LEAST:
        yield frozenset({needle})


def _best(needs: Iterable[frozenset[str]]) -> frozenset[str]:
    """The one that fewest texts have, by a guess; empty where there is none."""
    return max(needs, key=lambda one: (min(map(len, one)), -len(one)), default=frozenset())
