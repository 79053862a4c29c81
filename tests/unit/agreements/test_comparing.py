"""Two versions side by side: nothing that is different is left out, and nothing that is the same is told."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepclear.agreements.comparing import Kind, compare
from keepclear.agreements.documents import Annex, Document, Text
from keepclear.agreements.reading import read_agreement
from tests.unit.agreements.made_agreements import ENGLISH, MAIN, document, files

FIRST = document("1")


def changed(old: str, new: str, *, text: str = ENGLISH) -> Document:
    assert old in MAIN
    return read_agreement(files(agreement_yaml=MAIN.replace(old, new), text_en_md=text))


def test_the_same_is_the_same():
    difference = compare(FIRST, document("1"))
    assert difference.is_none
    assert (difference.head, difference.clauses, difference.terms, difference.ground) == ((), (), (), ())


def test_the_head_is_told():
    other = replace(FIRST, id="other", title="T", version="2", parties=("ru", "tr", "us"), annexes={}, terms=())
    told = {one.what: (one.kind, one.old, one.new) for one in compare(FIRST, other).head}
    assert told["agreement"] == (Kind.CHANGED, "border-patrols", "other")
    assert told["version"][1:] == ("1", "2")
    assert told["parties"][1:] == ("ru, tr", "ru, tr, us")
    assert told["annex border.geojson"][0] is Kind.REMOVED
    assert FIRST.annexes["border.geojson"].sha256 in told["annex border.geojson"][1]


def test_texts_that_come_go_or_become_authentic_are_told():
    english, arabic = FIRST.texts
    other = replace(FIRST, texts=(english, Text("tr", authentic=False, markdown="# Mutabakat\n")))
    told = [(one.what, one.kind) for one in compare(FIRST, other).head]
    assert told == [("text in ar", Kind.REMOVED), ("text in tr", Kind.ADDED)]
    other = replace(FIRST, texts=(english, replace(arabic, authentic=True)), terms=())
    (told,) = compare(FIRST, other).head
    assert (told.what, told.old, told.new) == ("text in ar", "a translation", "authentic")


def test_a_clause_that_says_something_else_is_told_with_its_lines():
    text = ENGLISH.replace("10 km", "12 km")
    (told,) = compare(FIRST, changed("version: 1", "version: 1", text=text)).clauses
    assert (told.language, told.authentic, told.clause, told.kind) == ("en", True, "c2", Kind.CHANGED)
    assert told.lines == ("- Patrols stay within 10 km of the border.", "+ Patrols stay within 12 km of the border.")


@pytest.mark.parametrize(
    ("text", "clause", "kind"),
    [
        (ENGLISH + "\n## 3. New\nMore.\n", "3", Kind.ADDED),
        (ENGLISH.replace("## 1. Purpose\nTo stay out of each other's way.\n\n", ""), "1", Kind.REMOVED),
        (ENGLISH.replace("# Memorandum", "# Memorandum of 2019"), "“Memorandum of 2019”", Kind.ADDED),
        ("Foreword.\n" + ENGLISH, "", Kind.ADDED),
        (ENGLISH.replace("\n\n## 2", "\n\n\n## 2"), "1", Kind.CHANGED),
        (ENGLISH.replace("way.\n", "way. \n"), "1", Kind.CHANGED),
    ],
)
def test_whatever_is_different_in_a_text_is_told(text, clause, kind):
    told = compare(FIRST, changed("version: 1", "version: 1", text=text)).clauses
    assert (clause, kind) in [(one.clause, one.kind) for one in told]
    assert all(one.lines for one in told)


def test_what_nobody_would_see_is_told_in_words():
    (told,) = compare(FIRST, changed("version: 1", "version: 1", text=ENGLISH.replace("way.\n", "way.\r\n"))).clauses
    assert told.lines == ("- other line ends", "+ the words are the same")


def test_clauses_that_stand_in_another_order_are_told():
    one, other = ("## 1\nA.\n", "## 2\nB.\n")
    old, new = (
        Document("a", "A", "1", ("x", "y"), (Text("en", authentic=True, markdown=text),))
        for text in (one + other, other + one)
    )
    (told,) = compare(old, new).clauses
    assert told.kind is Kind.MOVED


@given(st.permutations([f"## {n}\n" for n in range(6)]))
def test_as_few_clauses_as_will_do_are_told_to_have_moved(lines):
    old, new = (
        Document("a", "A", "1", ("x", "y"), (Text("en", authentic=True, markdown="".join(each)),))
        for each in (sorted(lines), lines)
    )
    places = [int(one[3]) for one in lines]
    runs = [run for size in range(7) for run in combinations(places, size) if list(run) == sorted(run)]
    moved = {one.clause for one in compare(old, new).clauses}
    assert len(moved) == 6 - max(map(len, runs))
    stays = [one for one in places if str(one) not in moved]
    assert stays == sorted(stays)


@given(st.lists(st.sampled_from(["# 1", "## 2", "text", "", "{#a} b", "```", "# H", "text "]), max_size=8), st.data())
def test_texts_that_differ_are_never_told_to_be_the_same(lines, data):
    others = data.draw(st.permutations([*lines, data.draw(st.sampled_from(["", "text", "## 2"]))]))
    old, new = (
        Document("a", "A", "1", ("x", "y"), (Text("en", authentic=True, markdown="\n".join(["x", *each, ""])),))
        for each in (lines, others)
    )
    difference = compare(old, new)
    assert bool(difference.clauses) == (old.texts[0].markdown != new.texts[0].markdown)


def test_terms_are_told_member_by_member():
    other = changed("    max: 10 km\n", "    max: 12 km\n    min: 1 km\n")
    (told,) = compare(FIRST, other).terms
    assert (told.term, told.clause, told.kind) == ("depth", "c2", Kind.CHANGED)
    assert {one.name: (one.old, one.new) for one in told.members} == {"max": ("10 km", "12 km"), "min": (None, "1 km")}


def test_terms_that_come_and_go_are_told():
    more = "terms:\n  - {id: again, type: REVIEW, clause: '1', period: 6 months}\n"
    other = changed("terms:\n", more)
    (added,) = compare(FIRST, other).terms
    assert (added.term, added.kind) == ("again", Kind.ADDED)
    assert {one.name for one in added.members} >= {"type", "clause", "period"}
    assert [(one.term, one.kind) for one in compare(other, FIRST).terms] == [("again", Kind.REMOVED)]


def test_a_term_whose_clause_has_changed_is_told():
    (told,) = compare(FIRST, changed("version: 1", "version: 1", text=ENGLISH.replace("10 km", "12 km"))).terms
    assert [one.name for one in told.members] == ["clause_hash"]


def test_the_ground_is_told_with_what_it_covers():
    (told,) = compare(FIRST, changed("max: 10 km", "max: 20 km")).ground
    assert (told.term, told.kind) == ("depth", Kind.CHANGED)
    assert told.new_m2 == pytest.approx(2 * told.old_m2, rel=0.02)
    # The border is some 207 km long, and the band 10 km deep.
    assert told.old_m2 == pytest.approx(207e3 * 10e3, rel=0.05)
    gone = compare(FIRST, replace(FIRST, terms=())).ground
    assert [(one.kind, one.new, one.new_m2) for one in gone] == [(Kind.REMOVED, (), 0.0)]


def test_another_map_changes_the_ground_of_a_term_that_says_the_same():
    data = FIRST.annexes["border.geojson"].data.replace(b"36.84", b"36.94")
    other = replace(FIRST, annexes={"border.geojson": Annex("application/geo+json", data)})
    difference = compare(FIRST, other)
    assert difference.terms == ()
    assert [one.term for one in difference.ground] == ["depth"]
    spaces = replace(
        FIRST, annexes={"border.geojson": Annex("application/geo+json", data.replace(b"36.94", b"36.840"))}
    )
    assert compare(FIRST, spaces).ground == ()
