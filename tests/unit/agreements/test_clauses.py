"""Clauses of texts: where they begin and end, in any script."""

from __future__ import annotations

import hashlib

import pytest

from keepclear.agreements.clauses import clauses_of, clauses_twice, is_anchor, pieces_of

TEXT = """\
Before all.

# Title

## 5. Depth
Ten kilometres.

### 5.1 Except
The town.

Patrols {#p}
halt at night.

Nobody else.

## 6. End
Over.
"""


def test_a_headings_clause_goes_as_far_as_the_next_of_its_rank():
    found = clauses_of(TEXT)
    assert list(found) == ["5", "5.1", "p", "6"]
    assert found["5"].text.startswith("## 5. Depth\nTen")
    assert found["5"].text.endswith("Nobody else.")
    assert found["5.1"].text.startswith("### 5.1 Except")
    assert found["p"].text == "Patrols {#p}\nhalt at night.\n\nNobody else."
    assert found["6"].text == "## 6. End\nOver."
    assert [one.line for one in found.values()] == [5, 8, 11, 16]


def test_the_hash_is_that_of_the_bytes_as_they_stand():
    found = clauses_of(TEXT.replace("\n", "\r\n"))
    assert found["6"].text == "## 6. End\r\nOver."
    assert found["6"].sha256 == hashlib.sha256(b"## 6. End\r\nOver.").hexdigest()


@pytest.mark.parametrize(
    ("heading", "anchor"),
    [
        ("## 5. Depth", "5"),
        ("## 5) Depth", "5"),
        ("## Article 5", "5"),
        ("## Art. 5 - depth", "5"),
        ("## § 5", "5"),
        ("## Статья 5. Глубина", "5"),
        ("## Madde 5", "5"),
        ("## المادة ٥", "5"),
        ("## ٥٫", "5"),
        ("## 第5条 深度", "5"),
        ("## ५.१ गहराई", "5.1"),
        ("###### 1.2.3.4", "1.2.3.4"),
        ("   ## 5", "5"),
        ("## Depth {#c5}", "c5"),
        ("## 5. Depth {#depth-band}", "depth-band"),
        ("\ufeff## 5. Depth", "5"),
    ],
)
def test_a_clause_is_called_by_its_anchor_or_else_by_its_number(heading, anchor):
    assert list(clauses_of(f"{heading}\ntext\n")) == [anchor]


@pytest.mark.parametrize(
    "line", ["## Depth", "#5", "5. Depth", "    ## 5", "text {#}", "text {#a b}", "{# c}", "## ", "##"]
)
def test_what_is_no_clause(line):
    assert clauses_of(f"{line}\ntext\n") == {}


def test_what_stands_between_fences_is_an_example():
    text = "## 1\n```\n## 2\n~~~\n{#x}\n```\n## 3\n~~~~\n## 4\n~~~\n## 5\n~~~~\n## 6\n"
    assert list(clauses_of(text)) == ["1", "3", "6"]


def test_line_ends_of_every_kind_are_line_ends():
    for end in ("\n", "\r\n", "\r"):
        found = clauses_of(TEXT.replace("\n", end))
        assert list(found) == ["5", "5.1", "p", "6"]
        assert [one.line for one in found.values()] == [5, 8, 11, 16]


def test_clauses_that_are_called_the_same_are_told():
    assert clauses_twice("## 5\n## 6\n## 5\n{#a} {#b}\n{#b}\n") == {"5", "b"}
    assert clauses_of("## 5\nfirst\n## 5\nsecond\n")["5"].text == "## 5\nfirst"


@pytest.mark.parametrize("text", ["", TEXT, "no heading at all", "\r\n\r\n## 1", "## 1"])
def test_the_pieces_are_all_of_the_text(text):
    assert "".join(one.text for one in pieces_of(text)) == text


def test_a_piece_without_an_anchor_is_called_by_its_heading():
    assert [one.anchor for one in pieces_of(TEXT)] == ["", "“Title”", "5", "5.1", "p", "6"]


@pytest.mark.parametrize(("text", "right"), [("c5", True), ("5.1", True), ("ك٥", True), ("-", False), ("", False)])
def test_anchors(text, right):
    assert is_anchor(text) is right
