"""Agreements as people write them: what is read, and all that is wrong told at once, with file and line."""

from __future__ import annotations

import hashlib

import pytest

from keepclear.agreements.reading import files_named, read_agreement
from keepclear.agreements.yaml_text import MOST_YAML_BYTES, read_yaml
from keepclear.errors import InputError
from tests.unit.agreements.made_agreements import ARABIC, BORDER, ENGLISH, MAIN, files, refused_with


def refused(**others):
    with pytest.raises(InputError) as error:
        read_agreement(files(**others))
    return error.value.faults


def test_a_folder_becomes_a_document():
    made = read_agreement(files())
    assert (made.id, made.title, made.version) == ("border-patrols", "Patrols along the border", "1")
    assert made.parties == ("ru", "tr")
    assert [(one.language, one.authentic) for one in made.texts] == [("en", True), ("ar", False)]
    assert made.annexes["border.geojson"].data == BORDER
    assert made.annexes["border.geojson"].media_type == "application/geo+json"
    assert made.term("depth").members["from"] == "2019-10-23T09:00:00Z"
    assert made.term("depth").clause_hash == made.clause_hash("c2")


def test_bytes_are_taken_as_they_are():
    odd = ("\ufeff" + ENGLISH).replace("\n", "\r\n").encode()
    made = read_agreement(files(text_en_md=odd))
    assert made.texts[0].markdown.encode() == odd
    assert made.texts[0].sha256 == hashlib.sha256(odd).hexdigest()


def test_json_is_yaml_and_terms_may_stand_in_files_of_their_own():
    terms = '[{"id": "depth", "type": "DEPTH_BAND", "clause": "c2", "line": "border.geojson#border",'
    terms += ' "side": "south", "max": "10 km"}]'
    head = MAIN[: MAIN.index("terms:")]
    for named in ("terms: terms.json\n", "terms:\n  - file: terms.json\n"):
        main = f"{head}{named}annexes: [border.geojson]\n"
        made = read_agreement(files(agreement_yaml=main, terms_json=terms))
        assert made.term("depth").members["max"] == "10 km"
        assert files_named(main.encode()) == ("text.en.md", "text.ar.md", "border.geojson", "terms.json")


def test_a_number_as_a_version_or_a_clause_is_its_text():
    made = read_agreement(files(agreement_yaml=MAIN.replace("version: 1", "version: 1.5").replace("c2", "1")))
    assert made.version == "1.5"
    assert made.term("depth").clause == "1"


def test_numbers_of_terms_stay_numbers_and_what_says_nothing_is_left_out():
    more = "  - id: new\n    type: OF_LATER\n    clause: '1'\n    remarks:\n    each: [{activity: a, kinds: null}]\n"
    more += "    count: 3\n    yes: no\n"
    made = read_agreement(files(agreement_yaml=MAIN.replace("annexes:", more + "annexes:")))
    members = made.term("new").members
    assert "remarks" not in members
    assert members["each"] == [{"activity": "a"}]
    assert members["count"] == 3
    assert members["yes"] == "no"


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        ("title: Patrols along the border\n", "", {"field": "title", "problem": "missing"}),
        ("title: Patrols along the border", "title: [1]", {"field": "title", "feature": "line 2"}),
        ("title: Patrols along the border", "title: true", {"field": "title", "right": "text"}),
        ("parties: [ru, tr]", "parties: ru", {"field": "parties", "right": "a list", "feature": "line 4"}),
        ("parties: [ru, tr]", "parties: [ru, 7]", {"field": "parties", "value": "7"}),
        ("parties: [ru, tr]", "parties: [ru, ru]", {"field": "parties[1]", "problem": "twice", "feature": "line 4"}),
        ("parties: [ru, tr]", "parties: [ru]", {"field": "parties", "feature": "line 4"}),
        ("version: 1", "version: 1\nversions: 2", {"problem": "no such field", "feature": "line 4"}),
        ("version: 1", "version: 1\nversion: 2", {"problem": "same name twice", "feature": "line 4"}),
        ("authentic: true, ", "", {"problem": "no authentic text"}),
        ("authentic: true", "authentic: yes", {"field": "authentic", "value": "yes", "feature": "line 6"}),
        ("language: ar, ", "", {"field": "language", "feature": "line 7"}),
        ("language: ar", "language: en", {"problem": "two texts in one language", "feature": "line 7"}),
        (
            "file: text.ar.md",
            "file: text.fa.md",
            {"problem": "no such file", "value": "text.fa.md", "feature": "line 7"},
        ),
        ("file: text.ar.md", "file: text.ar.md, sha256: ab", {"problem": "another hash", "right": "write"}),
        ("file: text.ar.md", "file: text.ar.md, hash: ab", {"problem": "no such field", "field": "hash"}),
        ("file: text.ar.md", "fil: text.ar.md", {"problem": "names no file"}),
        ("clause: c2", "clause: c3", {"field": "clause", "feature": "line 9, term depth", "problem": "no such clause"}),
        ("clause: c2", "clause_hash: abc", {"field": "clause", "feature": "line 9, term depth"}),
        ("clause: c2", "clause: c2\n    clause_hash: abc", {"field": "clause_hash", "value": "abc"}),
        ("type: DEPTH_BAND", "type: depth", {"field": "type", "value": "depth"}),
        ("  - id: depth", "  - id: a b", {"field": "id", "value": "a b"}),
        (
            "  - border.geojson",
            "  - border.geojson\n  - border.geojson",
            {"problem": "two annexes", "feature": "line 18"},
        ),
        ("  - border.geojson", "  - map.geojson", {"problem": "no such file", "value": "map.geojson"}),
        ("  - border.geojson", "  - {file: border.geojson, media_type: 7}", {"field": "media_type"}),
        ("  - border.geojson", "  - [border.geojson]", {"right": "a mapping with file"}),
        ("  - border.geojson", "  []", {"file": "border.geojson", "problem": "not named"}),
        ("annexes:\n  - border.geojson", "annexes: border.geojson", {"field": "annexes", "right": "a list"}),
    ],
)
def test_what_is_wrong_is_told_with_its_line(old, new, wanted):
    assert old in MAIN
    assert refused_with(refused(agreement_yaml=MAIN.replace(old, new, 1)), **wanted)


def test_all_that_is_wrong_is_told_at_once_and_nothing_twice():
    main = MAIN.replace("border-patrols", "Border").replace("clause: c2", "clause: c9").replace("[ru, tr]", "[ru, r u]")
    faults = refused(agreement_yaml=main.replace("  - border.geojson", "  - other.geojson"))
    # The file that is missing is told where it is named, and where a term names what is in it.
    assert len(faults) == len(set(faults)) == 6
    assert {one.field for one in faults if one.field} == {"agreement", "clause", "parties[1]", "file", "line"}


def test_of_a_text_that_cannot_be_read_nothing_is_guessed():
    faults = refused(text_en_md=ENGLISH.encode("utf-16"))
    assert [(one.file, one.problem) for one in faults] == [("text.en.md", "not UTF-8 at byte 0")]


def test_a_text_of_nothing_but_anchors_is_refused_by_its_name():
    faults = refused(text_en_md="# 1\n" * 60_000)
    assert [(one.file, one.problem) for one in faults] == [
        ("text.en.md", "more than 50000 headings and anchors in one text")
    ]


def test_a_file_of_terms_is_told_by_its_own_name_and_line():
    main = MAIN[: MAIN.index("terms:")] + "terms: terms.yaml\nannexes: [border.geojson]\n"
    terms = "- id: a\n  type: REVIEW\n  clause: c2\n\n- id: b\n  type: REVIEW\n  clause: c7\n- just text\n"
    faults = refused(agreement_yaml=main, terms_yaml=terms)
    assert refused_with(faults, file="terms.yaml", feature="line 5, term b", field="clause")
    assert refused_with(faults, file="terms.yaml", feature="line 8", problem="not a term")
    assert refused_with(refused(agreement_yaml=main, terms_yaml="a: b: c"), file="terms.yaml", problem="not YAML")


def test_without_its_main_file_there_is_none():
    with pytest.raises(InputError) as error:
        read_agreement({"text.md": b""})
    assert error.value.faults[0].file == "agreement.yaml"
    for main in ("", "- a\n", "just text"):
        assert refused_with(refused(agreement_yaml=main), problem="not a mapping")


# --- YAML ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: 1", {"a": 1}),
        ("a: -1.5", {"a": -1.5}),
        ("a: 1e3", {"a": 1000.0}),
        ("a: 012", {"a": 12}),
        ("a: yes", {"a": "yes"}),
        ("a: on", {"a": "on"}),
        ("a: True", {"a": True}),
        ("a: null", {"a": None}),
        ("a:", {"a": None}),
        ("a: ''", {"a": ""}),
        ("a: '1'", {"a": "1"}),
        ('a: "\\u0661"', {"a": "١"}),
        ("a: ١٢", {"a": "١٢"}),
        ("a: 2019-10-23", {"a": "2019-10-23"}),
        ("a: 2019-10-23T09:00:00Z", {"a": "2019-10-23T09:00:00Z"}),
        ("a: 12:30:45", {"a": "12:30:45"}),
        ("a: 0x1F", {"a": "0x1F"}),
        ("a: .inf", {"a": ".inf"}),
        ("a: |\n  two\n  lines\n", {"a": "two\nlines\n"}),
        ("a: [1, [2, {b: c}]]", {"a": [1, [2, {"b": "c"}]]}),
        ("1: a", {"1": "a"}),
        ('{"a": [1, 2.5, "x", null, true]}', {"a": [1, 2.5, "x", None, True]}),
        ("", None),
        ("# nothing", None),
    ],
)
def test_yaml_says_what_it_says(text, value):
    assert read_yaml(text.encode()).value == value


def test_lines_are_counted_from_one():
    found = read_yaml(b"a:\n  - b\n  - c: 1\n\nd: 2\n")
    assert [found.line(path) for path in [("a",), ("a", 0), ("a", 1), ("a", 1, "c"), ("d",), ("d", "x"), ("e",)]] == [
        2, 2, 3, 3, 5, 5, 1,
    ]  # fmt: skip


BOMB = "a: &a [x, x]\n" + "".join(
    f"{two}: &{two} [*{one}, *{one}]\n" for one, two in zip("abcdefg", "bcdefgh", strict=True)
)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (BOMB, "an alias"),
        ("a: &x 1", "an anchor"),
        ("a: {<<: *x}", "an alias"),
        ("a: !!python/object:os.system x", "a tag"),
        ("a: !!binary aGk=", "a tag"),
        ("a: 1\na: 2", "the same name twice"),
        ("a: {b: 1, b: 2}", "the same name twice"),
        ("'1': a\n1: b", "the same name twice"),
        ("a: 1\n---\nb: 2", "a second document"),
        ("[a]: 1", "a name that is no text"),
        ("{a: 1}: 1", "a name that is no text"),
        ("a: b: c", "not YAML"),
        ("a: [1", "not YAML"),
        ("\ta: 1", "not YAML"),
        ("a: 1e999", "a number that is too large"),
        ("a: \x07", "not YAML"),
        ("[" * 40 + "]" * 40, "nested deeper"),
        ("[" * 100_000, "nested deeper"),
        ("a: " + "[1," * 31 + "1" + "]" * 31 + "\nx: " + "{y: " * 40, "nested deeper"),
        ("a: '\ud800'", None),
    ],
)
def test_yaml_that_can_be_misread_or_is_a_bomb_is_refused(text, problem):
    data = text.encode("utf-8", "surrogatepass")
    with pytest.raises(InputError) as error:
        read_yaml(data, file="f.yaml")
    faults = error.value.faults
    assert all(one.file == "f.yaml" for one in faults)
    assert refused_with(faults, problem=problem or "not UTF-8")


def test_too_much_yaml_is_refused_before_it_is_read():
    with pytest.raises(InputError, match="more than the 1048576 allowed"):
        read_yaml(b"#" * (MOST_YAML_BYTES + 1))
    with pytest.raises(InputError, match="more than 60000 values"):
        read_yaml(b"- a\n" * 61_000)


def test_many_faults_are_bounded():
    with pytest.raises(InputError) as error:
        read_yaml(b"a: 1\n" * 500)
    assert len(error.value.faults) == 100


def test_the_texts_are_as_the_samples_have_them():
    # Or else the tests above would test nothing.
    assert "clause: c2" in MAIN
    assert "{#c2}" in ENGLISH
    assert "{#c2}" in ARABIC
