from __future__ import annotations

import pytest

from keepclear.cli.screen import plain


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Darbasiyah – دوريّة", "Darbasiyah – دوريّة"),
        ("a\x1b[2Jb", "a\\x1b[2Jb"),
        ("one\ntwo\tthree", "one two three"),
        ("safe\u202eevas", "safe\\u202eevas"),
        ("no\xa0break", "no break"),
        ("\udcff", "\\udcff"),
        ("a\x85b\u2028c", "a\\x85b\\u2028c"),
    ],
)
def test_nothing_unprintable_reaches_the_screen(text: str, shown: str) -> None:
    assert plain(text) == shown
