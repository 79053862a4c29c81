"""Documents: one sequence of bytes, which has one hash, in all that binds."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace

import pytest

from keepclear.agreements.document_checks import MOST_SEPARATIONS
from keepclear.agreements.documents import MOST_DOCUMENT_BYTES, Annex, Document, TermText, Text, joined_hash
from keepclear.agreements.oddities import oddities_of
from keepclear.errors import InputError, PeerError
from keepclear.record.canonical import canonical
from tests.unit.agreements.made_agreements import document, files, refused_with


def test_the_hash_is_that_of_the_canonical_bytes_and_they_come_back():
    made = document()
    assert made.hash == hashlib.sha256(made.canonical()).hexdigest()
    again = Document.of_bytes(made.canonical())
    assert again.canonical() == made.canonical()
    assert again.annexes["border.geojson"].data == files()["border.geojson"]
    assert [one.markdown for one in again.texts] == [one.markdown for one in made.texts]
    assert again.term("depth").members == made.term("depth").members
    assert again.term("width") is None


def test_the_bytes_are_what_the_specification_says():
    members = json.loads(document().canonical())
    assert list(members) == sorted(members)
    assert members["keepclear"] == "agreement/1"
    assert [list(one) for one in members["texts"]] == [["authentic", "language", "text"]] * 2
    assert base64.b64decode(members["annexes"][0]["data"]) == files()["border.geojson"]


def test_every_byte_of_everything_counts():
    made = document()
    text, other = made.texts
    changed = [
        replace(made, title="Patrols along the border "),
        replace(made, version="2"),
        replace(made, parties=("tr", "ru")),
        replace(made, texts=(text, replace(other, markdown=other.markdown + " "))),
        replace(made, texts=(text,)),
        replace(made, annexes={"border.geojson": Annex("application/json", made.annexes["border.geojson"].data)}),
        replace(made, annexes={"b.geojson": made.annexes["border.geojson"]}),
        replace(made, terms=()),
        replace(made, terms=(TermText(dict(made.terms[0].members) | {"max": "12 km"}),)),
    ]
    assert len({one.hash for one in changed} | {made.hash}) == len(changed) + 1


def test_the_authentic_text_is_pinned_by_its_hash_and_several_by_one():
    made = document()
    english, arabic = made.texts
    assert made.text_hash == english.sha256
    both = replace(made, texts=(english, replace(arabic, authentic=True)), terms=())
    lines = f"{arabic.sha256}\n{english.sha256}\n".encode()  # by language
    assert both.text_hash == hashlib.sha256(lines).hexdigest() == joined_hash([arabic.sha256, english.sha256])
    swapped = replace(both, texts=both.texts[::-1])
    assert swapped.text_hash == both.text_hash
    assert swapped.hash != both.hash


def test_where_several_texts_are_authentic_a_clause_is_that_of_all():
    made = document()
    english, arabic = made.texts
    both = (english, replace(arabic, authentic=True))
    with pytest.raises(InputError) as refused:
        replace(made, texts=both)
    assert refused_with(refused.value.faults, field="clause_hash", problem="something else")
    pinned = joined_hash([arabic.clauses["c2"].sha256, english.clauses["c2"].sha256])
    again = replace(made, texts=both, terms=(TermText(dict(made.terms[0].members) | {"clause_hash": pinned}),))
    assert again.clause_hash("c2") == pinned
    assert again.clauses == ("1", "c2")
    assert "الدوريات" in again.clause_text("c2", language="ar")
    assert again.clause_text("c2", language="fr") == english.clauses["c2"].text
    assert again.clause_text("c9") == ""


TERM = {"id": "a", "type": "REVIEW", "clause": "1"}
ENGLISH = Text("en", authentic=True, markdown="## 1\nText.\n")
PINNED = TERM | {"clause_hash": ENGLISH.clauses["1"].sha256}


def _made(**others) -> Document:
    members = {
        "id": "one", "title": "One", "version": "1", "parties": ("a", "b"), "texts": (ENGLISH,),
        "terms": (TermText(PINNED),),
    }  # fmt: skip
    return Document(**(members | others))


@pytest.mark.parametrize(
    ("others", "wanted"),
    [
        ({"id": "One"}, {"field": "agreement", "right": "a-z"}),
        ({"id": ""}, {"field": "agreement"}),
        ({"title": " "}, {"field": "title"}),
        ({"version": "1" * 1001}, {"field": "version"}),
        ({"parties": ("a",)}, {"field": "parties", "right": "2 to 256"}),
        ({"parties": ("a", "b") * 129}, {"field": "parties", "right": "2 to 256"}),
        ({"parties": ("a", "a")}, {"field": "parties[1]", "problem": "twice"}),
        ({"parties": ("a", "b c")}, {"field": "parties[1]", "problem": "not a party's name"}),
        ({"texts": (replace(ENGLISH, authentic=False),)}, {"field": "texts", "problem": "no authentic text"}),
        ({"texts": ()}, {"field": "texts", "problem": "no authentic text"}),
        ({"texts": (ENGLISH, replace(ENGLISH, language="EN"))}, {"field": "texts[1].language", "problem": "two texts"}),
        ({"texts": (replace(ENGLISH, language="English!"),)}, {"field": "texts[0].language"}),
        ({"texts": (ENGLISH, Text("ar", authentic=False, markdown=" \n"))}, {"field": "texts[1]", "problem": "empty"}),
        ({"terms": (TermText(PINNED), TermText(PINNED))}, {"feature": "term a", "problem": "called the same"}),
        ({"terms": (TermText(PINNED | {"id": "a b"}),)}, {"feature": "term a b", "field": "id"}),
        ({"terms": (TermText(PINNED | {"type": "review"}),)}, {"field": "type", "right": "capitals"}),
        ({"terms": (TermText(PINNED | {"clause": "7"}),)}, {"field": "clause", "problem": "no such clause"}),
        ({"terms": (TermText(PINNED | {"clause": ""}),)}, {"field": "clause", "problem": "names no clause"}),
        ({"terms": (TermText(TERM),)}, {"field": "clause_hash", "problem": "does not pin"}),
        ({"terms": (TermText(PINNED | {"clause_hash": "0" * 64}),)}, {"field": "clause_hash", "right": "write"}),
        ({"terms": tuple(TermText(PINNED | {"id": f"t{n}"}) for n in range(1001))}, {"right": "at most 1000"}),
        ({"annexes": {"a/b": Annex("text/csv", b"")}}, {"field": "annexes", "right": "without a path"}),
        ({"annexes": {"..": Annex("text/csv", b"")}}, {"field": "annexes"}),
        ({"annexes": {"a": Annex("Text", b"")}}, {"feature": "annex a", "field": "media_type"}),
    ],
)  # fmt: skip
def test_what_is_no_document_is_refused_with_its_field(others, wanted):
    with pytest.raises(InputError) as refused:
        _made(**others)
    assert refused_with(refused.value.faults, **wanted)


def test_all_that_is_wrong_is_told_at_once():
    with pytest.raises(InputError) as refused:
        _made(id="", parties=("a",), texts=(), annexes={"/": Annex("x", b"")})
    assert {one.field for one in refused.value.faults} >= {"agreement", "parties", "texts", "annexes", "clause"}


def test_a_clause_that_is_there_twice_can_be_named_by_no_term():
    twice = replace(ENGLISH, markdown="## 1\nText.\n## 1\nOther.\n")
    with pytest.raises(InputError) as refused:
        _made(texts=(twice,))
    assert refused_with(refused.value.faults, problem="two clauses are called so")


def test_a_thousand_pages_are_a_document_and_more_bytes_than_an_attachment_has_are_none():
    # About 2,500 characters a page; the names of the clauses are looked up in all of them.
    page = "A sentence of the agreement, of which there are many. " * 46
    text = "".join(f"## {n}. Page\n{page}\n\n" for n in range(1, 1001))
    made = _made(texts=(replace(ENGLISH, markdown=text),), terms=())
    assert len(made.texts[0].clauses) == 1000
    assert Document.of_bytes(made.canonical()).hash == made.hash
    with pytest.raises(InputError, match="more than the 16777216 allowed"):
        _made(annexes={"a": Annex("text/plain", bytes(MOST_DOCUMENT_BYTES * 3 // 4))})


def test_a_text_of_nothing_but_anchors_is_refused_before_it_takes_long():
    text = Text("en", authentic=True, markdown="{#a}\n" * 1_000_000)
    with pytest.raises(InputError) as refused:
        _made(texts=(ENGLISH, replace(text, language="ar")))
    assert refused_with(refused.value.faults, field="texts[1]", problem="more than 50000 headings")
    assert len(refused.value.faults) == 1


def _sent(**others) -> bytes:
    members = json.loads(_made().canonical())
    members.update(others)
    return canonical({name: value for name, value in members.items() if value is not ...})


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "not JSON"),
        (b"[]", "agreement/1"),
        (b'{"keepclear":"entry/1"}', "agreement/1"),
        (_sent(extra=1), "no such member"),
        (_sent(terms=...), "missing"),
        (_sent(parties="ab"), "a list"),
        (_sent(parties=[1, 2]), "text"),
        (_sent(title=7), "title"),
        (_sent(texts=[{"language": "en", "authentic": "yes", "text": "x"}]), "true or false"),
        (_sent(texts=[{"language": "en", "text": "x"}]), "authentic"),
        (_sent(terms=["x"]), "an object"),
        (_sent(annexes=[{"name": "a", "media_type": "text/csv", "data": "x"}]), "base64"),
        (_sent(annexes=[{"name": "a", "media_type": "text/csv", "data": "eA=="}] * 2), "each once"),
        (_sent(texts=[{"language": "en", "authentic": True, "text": "## 1\nOther.\n"}]), "something else"),
        (_made().canonical() + b" ", "not canonical"),
    ],
)
def test_bytes_of_others_that_are_no_document_are_refused(data, says):
    with pytest.raises(PeerError, match=says):
        Document.of_bytes(data)


def test_texts_of_any_script_are_texts():
    for markdown in ("## ١\nعربي\u200f\n", "## 1\n第一条 深度\n", "## 1\n\U0001f6a7\n"):
        made = _made(texts=(Text("und", authentic=True, markdown=markdown),), terms=())
        assert Document.of_bytes(made.canonical()).texts[0].markdown == markdown
    with pytest.raises(InputError, match="no character"):
        _made(texts=(Text("und", authentic=True, markdown="## 1\n\ufffe\n"),), terms=())


@pytest.mark.parametrize(
    ("markdown", "says"),
    [
        ("\ufeff## 1\nText.\n", "byte order mark"),
        ("## 1\r\nText.\r\n", "line ends with CR"),
        ("## 1\r\nText.\n", "several kinds"),
        ("## 1\nText.", "does not end with a line end"),
        ("## 1\nText \u202eturned.\n", "in line 2"),
    ],
)
def test_what_looks_odd_in_a_text_is_told_and_can_be_signed(markdown, says):
    text = Text("en", authentic=True, markdown=markdown)
    made = _made(texts=(text,), terms=())
    assert [one for one in oddities_of(made) if says in one]
    assert text.sha256 == hashlib.sha256(markdown.encode()).hexdigest()


def test_what_looks_odd_in_a_document_is_told():
    arabic = Text("ar", authentic=False, markdown="نص\n")
    told = " ".join(oddities_of(_made(texts=(ENGLISH, arabic))))
    assert "The text in ar has no clause 1" in told
    both = _made(texts=(ENGLISH, replace(arabic, authentic=True)), terms=())
    assert "none prevails" in " ".join(oddities_of(both))
    assert "no terms" in " ".join(oddities_of(both))
    assert oddities_of(document()) == ()


def test_more_distances_than_can_be_searched_for_are_refused():
    made = document()
    term = made.terms[0].members

    def asking(many):
        return tuple(TermText(term | {"id": f"apart-{row}", "type": "MIN_SEPARATION"}) for row in range(many))

    assert len(replace(made, terms=asking(MOST_SEPARATIONS)).terms) == MOST_SEPARATIONS
    with pytest.raises(InputError, match="51 terms of type MIN_SEPARATION") as found:
        replace(made, terms=asking(MOST_SEPARATIONS + 1))
    assert [(one.field, one.right) for one in found.value.faults] == [("terms", "at most 50")]
