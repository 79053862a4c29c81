"""Where a party stands on a line, as a table: what it is, what is said of it, what it is then.

Both sides have their say. A party asks by saying that it joins; it is a member once the member that it names says so
too. It leaves by its own word, and is removed only by that of all others. What does not apply changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

__all__ = ["TRANSITIONS", "Standing", "Word", "after"]


class Standing(StrEnum):
    """What a party is on a line."""

    STRANGER = "stranger"
    """It has said nothing."""
    ASKING = "asking"
    """It says that it joins, and who invited it; that member has not said so."""
    MEMBER = "member"
    """Both have said it."""
    LEFT = "left"
    """It has said that it leaves."""
    REMOVED = "removed"
    """All others have said that it is on the line no longer."""


class Word(StrEnum):
    """What is said of a party, and by whom."""

    JOINS = "joins"
    """By itself, naming who invited it; or that it founds the line."""
    NEW_CARD = "new card"
    """By itself."""
    BROUGHT_IN = "brought in"
    """By the member that it named, whose people compared the words of its identity."""
    LEAVES = "leaves"
    """By itself."""
    REMOVED_BY_ALL = "removed by all"
    """By all other members, each for itself."""


TRANSITIONS: Mapping[tuple[Standing, Word], Standing] = MappingProxyType(
    {
        (Standing.STRANGER, Word.JOINS): Standing.ASKING,
        (Standing.ASKING, Word.JOINS): Standing.ASKING,
        (Standing.ASKING, Word.BROUGHT_IN): Standing.MEMBER,
        (Standing.ASKING, Word.LEAVES): Standing.LEFT,
        (Standing.MEMBER, Word.JOINS): Standing.MEMBER,
        (Standing.MEMBER, Word.NEW_CARD): Standing.MEMBER,
        (Standing.MEMBER, Word.BROUGHT_IN): Standing.MEMBER,
        (Standing.MEMBER, Word.LEAVES): Standing.LEFT,
        (Standing.MEMBER, Word.REMOVED_BY_ALL): Standing.REMOVED,
        (Standing.LEFT, Word.JOINS): Standing.ASKING,
        (Standing.REMOVED, Word.JOINS): Standing.ASKING,
    }
)
"""What a party is after a word; where there is no line, the word changes nothing."""


def after(standing: Standing, word: Word) -> Standing:
    """What a party is after a word is said of it."""
    return TRANSITIONS.get((standing, word), standing)
