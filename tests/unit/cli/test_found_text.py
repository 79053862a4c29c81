"""What a search found, in words: nothing of it is left out, and the worst answer counts."""

from __future__ import annotations

import itertools

import pytest

from keepclear.cli.found_text import STATUS_OF, found_text, worst


def test_each_pair_is_told_with_its_reasons_and_what_else_is_to_be_known():
    found = {
        "sentence": "1 conflict, 1 possible.",
        "conflicts": [
            {"answer": "conflict", "sentence": "A and B are 2 km apart"},
            {"answer": "possible", "sentence": "A and C may be", "reasons": ["C is told roughly"]},
        ],
        "reasons": ["one filing could not be read"], "notes": ["one was told to others"],
    }  # fmt: skip
    assert list(found_text(found)) == [
        "1 conflict, 1 possible.\n",
        "  CONFLICT: A and B are 2 km apart\n",
        "  POSSIBLE: A and C may be\n",
        "    because C is told roughly\n",
        "  one filing could not be read\n",
        "  one was told to others\n",
    ]


def test_what_another_party_wrote_cannot_move_the_cursor():
    found = {"sentence": "\x1b[2J", "conflicts": [{"answer": "conflict", "sentence": "\x1b]0;x\x07"}], "notes": ["\r"]}
    assert not {"\x1b", "\x07", "\r"} & set("".join(found_text(found)))


@pytest.mark.parametrize("answers", [*itertools.product(["clear", "conflict", "possible"], repeat=2)])
def test_clear_only_where_all_are(answers):
    found = worst(list(answers))
    assert (found == "clear") == (set(answers) == {"clear"})
    assert (found == "conflict") == ("conflict" in answers)
    assert (STATUS_OF[found] == 0) == (found == "clear")
