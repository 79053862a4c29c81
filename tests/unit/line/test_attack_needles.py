"""What a pattern needs is in whatever it matches."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepclear.line.attack_language import _vocabularies
from keepclear.line.attack_words import needles
from keepclear.line.attack_words.needles import Needles, needs_of

PATTERNS = [
    p
    for words in _vocabularies()
    for p in (*words.ordering, *words.planning, *words.naming, *words.pleading, *words.harmless)
]


@pytest.mark.parametrize(
    ("pattern", "needs"),
    [
        ("strike (?:the|a) bridge", [{"strike"}, {"bridge"}]),
        ("(?:strike|bomb)ing?", [{"strike", "bomb"}, {"in"}]),
        ("(?:strike|b)", []),
        ("(?:air )?raid", [{"raid"}]),
        ("(?:raid )+now", [{"raid"}, {"now"}]),
        ("ra?id", [{"id"}]),
        ("d m p i", [{"d m p i"}]),
        (r"a\d", []),
        ("(?<!no )(?!not )strike", [{"strike"}]),
    ],
)
def test_needs_are_read_from_the_pattern(pattern, needs):
    assert [set(one) for one in needs_of(re.compile(pattern))] == needs


def test_a_pattern_for_letters_of_any_case_needs_nothing():
    assert needs_of(re.compile("strike", re.IGNORECASE)) == ()
    assert Needles([re.compile("strike", re.IGNORECASE)]).may_match("")


@given(data=st.data())
def test_what_a_pattern_matches_has_all_that_it_needs(data):
    pattern = data.draw(st.sampled_from(PATTERNS))
    text = data.draw(st.from_regex(pattern))
    assert Needles([pattern]).may_match(text)


@given(data=st.data())
def test_patterns_that_are_left_out_would_not_have_matched(data):
    words = data.draw(st.sampled_from(_vocabularies()))
    some = data.draw(st.lists(st.sampled_from((*words.pleading, *words.harmless)), min_size=1, max_size=2))
    text = " ".join(data.draw(st.from_regex(one)) for one in some)
    there = words.harmless_needles.found_in(text)
    used = set(words.harmless_needles.of(words.harmless, there))
    assert not [one for one in words.harmless if one not in used and one.search(text)]


@given(text=st.text(st.sampled_from("strike bdgairno"), max_size=60))
def test_needles_are_found_wherever_they_stand(text):
    patterns = [re.compile(one) for one in ("strike (?:the|a) bridge", "(?:strike|bomb)ing?", "(?:air )?raid", "no go")]
    every = {one for pattern in patterns for some in needs_of(pattern) for one in some}
    assert Needles(patterns).found_in(text) == {one for one in every if one in text}


def test_most_patterns_need_something():
    without = [one for one in PATTERNS if not needs_of(one)]
    assert len(without) < len(PATTERNS) / 20
    assert not any(words.needles.may_match("supply run to the north depot") for words in _vocabularies()[1:])


WORDS = ["strike", "the", "house", "bomb", "raid", "no", "warning", "north", "ground", "p-17"]


@given(words=st.lists(st.sampled_from(WORDS), max_size=6))
def test_what_was_found_of_one_text_is_right_for_the_next(words):
    text = " ".join(words)
    for one in _vocabularies():
        known = one.needles.may_match(text)
        one.needles._may.clear()
        assert one.needles.may_match(text) == known


def test_what_was_found_of_texts_is_kept_of_no_more_than_so_many(monkeypatch):
    monkeypatch.setattr(needles, "_MOST_KEPT", 3)
    one = Needles([re.compile(word) for word in ("strike", "bomb", "raid", "house")])
    for text in ("strike", "bomb", "raid", "house", "strike bomb", "", "strike"):
        assert one.may_match(text) == bool(text)
        assert len(one._may) <= 3
