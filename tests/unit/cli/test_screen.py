from __future__ import annotations

import json

import pytest

from keepclear.cli.screen import plain, plain_json


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


def test_json_for_a_terminal_has_nothing_that_a_terminal_would_obey() -> None:
    value = {"name": "\x9b31m \u202e\x7f \U000e0001 ночь", "list": [1, "a\nb"]}
    text = plain_json(json.dumps(value, ensure_ascii=False, indent=1))
    assert json.loads(text) == value
    assert all(one.isprintable() or one == "\n" for one in text)
    assert "ночь" in text
