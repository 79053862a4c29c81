"""Texts are folded the same whether or not they were read before, and every character keeps its place."""

from __future__ import annotations

import re

from hypothesis import example, given
from hypothesis import strategies as st

from keepclear.line import folding
from keepclear.line.folding import Folded, folded, readings

TEXTS = st.text(st.sampled_from("ab1l!$@ .-_7оасxжé0"), max_size=40)
BECOMES = {
    "itself": lambda match: match.group(),
    "nothing": lambda _: "",
    "longer": lambda match: match.group() * 2,
    "now and then": lambda match: match.group() if match.start() % 2 else "x",
}


def replaced_slowly(text, pattern, becomes):
    """Character by character, whatever it becomes."""
    made, at = [], 0
    for match in pattern.finditer(text.text):
        made += zip(text.text[at : match.start()], text.origins[at : match.start()], strict=True)
        for place, one in enumerate(becomes(match)):
            made.append((one, text.origins[min(match.start() + place, match.end() - 1)]))
        at = match.end()
    made += zip(text.text[at:], text.origins[at:], strict=True)
    return Folded("".join(one for one, _ in made), tuple(origin for _, origin in made))


@given(text=TEXTS, how=st.sampled_from(sorted(BECOMES)), pattern=st.sampled_from([r"\w+", r"[ .]+", "a|b", "1"]))
@example(text="ab ab", how="itself", pattern=r"\w+")
def test_replacing_keeps_the_places_of_all_that_stays(text, how, pattern):
    given_text = folded(text)
    compiled = re.compile(pattern)
    assert given_text.replaced(compiled, BECOMES[how]) == replaced_slowly(given_text, compiled, BECOMES[how])


@given(text=TEXTS)
def test_a_text_is_read_the_same_as_if_no_word_had_been_read_before(text):
    known = readings(folded(text))
    folding._latin_word.cache_clear()
    assert readings(folded(text)) == known


def test_words_that_are_long_are_not_kept():
    folding._latin_word.cache_clear()
    readings(folded("a1" * 5000))
    assert folding._latin_word.cache_info().currsize == 0
    readings(folded("a1b c2d"))
    assert folding._latin_word.cache_info().currsize == 4
