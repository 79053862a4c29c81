"""``keepclear agreement new``, ``check`` and ``diff``, as a person at a terminal gives them."""

from __future__ import annotations

import json

import pytest

from keepclear import read
from keepclear.agreements.documents import Document
from keepclear.cli.agreement_text import _beside
from keepclear.cli.app import run
from tests.unit.agreements.made_agreements import ENGLISH, MAIN, document, files


@pytest.fixture
def ask(capfd, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def asked(*arguments: str, status: int = 0) -> str:
        got = run(["agreement", *arguments])
        out, err = capfd.readouterr()
        assert got == status, out + err
        return out + err

    return asked


@pytest.fixture
def folder(tmp_path):
    return written(tmp_path / "one", files())


def written(path, parts):
    path.mkdir()
    for name, data in parts.items():
        (path / name).write_bytes(data)
    return path


def test_a_new_agreement_can_be_checked_at_once(ask, tmp_path):
    said = ask(
        "new", "deal", "--title", "Ours", "--party", "ru", "--party", "tr", "--language", "ar", "--language", "no"
    )
    assert "Next: write in them, then: keepclear agreement check deal" in said
    assert sorted(one.name for one in (tmp_path / "deal").iterdir()) == ["agreement.yaml", "text.ar.md", "text.no.md"]
    said = ask("check", "deal")
    assert "Ours (deal), version 1" in said
    assert "No fault was found in it." in said
    found = json.loads(ask("check", "deal", "--format", "json"))
    assert [(one["language"], one["authentic"]) for one in found["texts"]] == [("ar", True), ("no", False)]
    # The examples in the file are ones: with their marks taken away, what they name is asked for.
    main = tmp_path / "deal" / "agreement.yaml"
    main.write_text(main.read_text().replace("#  ", "  "))
    assert "border.geojson" in ask("check", "deal", status=2)
    (tmp_path / "deal" / "border.geojson").write_bytes(files()["border.geojson"])
    assert "DEPTH_BAND" in ask("check", "deal")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("new", "Deal", "--title", "T", "--party", "ru", "--party", "tr"), "not what an agreement can be called"),
        (("new", "deal", "--title", "T", "--party", "ru"), "2 to 256 parties"),
        (("new", "deal", "--title", "T", "--party", "ru", "--party", "t r"), "not a party's name"),
        (("new", "deal", "--title", " ", "--party", "ru", "--party", "tr"), "not a title"),
        (("new", "deal", "--title", "T", "--party", "a", "--party", "b", "--language", "../x"), "not a language"),
        (("new", "one", "--title", "T", "--party", "ru", "--party", "tr"), "there is something already"),
    ],
)
def test_what_cannot_be_begun_is_told_and_nothing_is_made(ask, folder, arguments, says):
    before = sorted(folder.parent.rglob("*"))
    assert says in ask(*arguments, status=2)
    assert sorted(folder.parent.rglob("*")) == before


def test_a_title_of_any_characters_is_a_title(ask, tmp_path):
    title = 'مذكرة: "#{x}" \' — 备忘录'
    ask("new", "deal", "--title", title, "--party", "1", "--party", "true")
    found = json.loads(ask("check", "deal", "--format", "json"))
    assert found["title"] == title
    assert found["parties"] == ["1", "true"]


def test_check_tells_the_hashes_and_writes_the_document(ask, folder, tmp_path):
    said = ask("check", "one", "-o", "out.json")
    made = document()
    assert f"SHA-256 {made.hash}" in said
    assert made.text_hash in said
    assert "depth   DEPTH_BAND   c2       ru, tr" in said
    assert Document.of_bytes((tmp_path / "out.json").read_bytes()).hash == made.hash
    assert made.hash in ask("check", "out.json")
    assert made.hash in ask("check", "one/agreement.yaml")
    assert json.loads(ask("check", "one", "--format", "json"))["document"] == made.hash


def test_check_tells_all_that_is_wrong_with_its_line(ask, folder):
    main = MAIN.replace("max: 10 km", "max: 10").replace("[ru, tr]", "[ru, r u]").replace("clause: c2", "clause: c7")
    (folder / "agreement.yaml").write_text(main)
    said = ask("check", "one", status=2).splitlines()
    assert len(said) == 3
    assert any(one.startswith("one/agreement.yaml: line 9, term depth: max: a number without a unit") for one in said)
    assert any(one.startswith("one/agreement.yaml: line 9, term depth: clause: no such clause") for one in said)
    assert any(one.startswith("one/agreement.yaml: line 4: parties[1]: not a party's name") for one in said)


def test_check_tells_what_looks_odd_and_what_lies_beside(ask, folder):
    (folder / "text.en.md").write_bytes(ENGLISH.replace("\n", "\r\n").encode())
    (folder / "notes.txt").write_text("mine")
    said = ask("check", "one")
    assert "line ends with CR" in said
    assert "notes.txt lies in the folder and is no part of the agreement." in said


def test_check_tells_of_a_type_that_is_not_known_and_of_terms_that_cannot_both_be_kept(ask, folder):
    more = """\
  - {id: later, type: OF_ANOTHER_VERSION, clause: c2, anything: 1}
  - {id: far, type: DEPTH_BAND, clause: c2, line: border.geojson#border, side: south, min: 20 km, max: 30 km}
"""
    (folder / "agreement.yaml").write_text(MAIN.replace("annexes:", more + "annexes:"))
    said = ask("check", "one", status=1)
    assert "Term later is of a type that this version does not know (OF_ANOTHER_VERSION): it is never checked." in said
    assert "CANNOT BOTH BE KEPT: depth, far:" in said
    assert "No fault was found" not in said


@pytest.mark.parametrize("name", ["../secret.md", "/etc/passwd", "a/../../secret.md", "link.md", "..\\\\secret.md"])
def test_an_agreement_reads_nothing_outside_its_folder(ask, folder, tmp_path, name):
    (tmp_path / "secret.md").write_text("## 1\nSecret.\n")
    (folder / "link.md").symlink_to(tmp_path / "secret.md")
    (folder / "agreement.yaml").write_text(MAIN.replace("file: text.ar.md", f'file: "{name}"'))
    said = ask("check", "one", status=2)
    assert "Secret." not in said
    assert "folder" in said


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("x.json", b"{}", "agreement/1"),
        ("x.json", None, "cannot be read"),
        ("nowhere", None, "cannot be read"),
        ("x.yaml", b"a: [", "not YAML"),
    ],
)
def test_what_is_no_agreement_is_told(ask, tmp_path, name, data, says):
    if data is not None:
        (tmp_path / name).write_bytes(data)
    assert says in ask("check", name, status=2)


def test_diff_tells_what_is_different_side_by_side(ask, folder, tmp_path):
    main = MAIN.replace("version: 1", "version: 2").replace("max: 10 km", "max: 12 km")
    text = ENGLISH.replace("10 km", "12 km") + "\n## 3. Later\nMore.\n"
    written(tmp_path / "two", files(agreement_yaml=main, text_en_md=text))
    said = ask("diff", "one", "two", status=1)
    assert "version   changed   1     2" in said
    assert "Patrols stay within 10 km of the border.   Patrols stay within 12 km of the border." in said
    assert "Clause 3 (en, authentic): added" in said
    assert "max      10 km   12 km" in said
    assert "On the ground" in said
    assert "12 km from border.geojson#border" in said
    assert "byte for byte" in ask("diff", "one", "one")
    found = json.loads(ask("diff", "one", "two", "--format", "json", status=1))
    assert [one["clause"] for one in found["clauses"]] == ["c2", "3"]
    assert found["ground"][0]["new_km2"] > found["ground"][0]["old_km2"] > 2000


def test_diff_writes_the_ground_as_a_map_that_reads_again(ask, folder, tmp_path):
    written(tmp_path / "two", files(agreement_yaml=MAIN.replace("max: 10 km", "max: 12 km")))
    ask("diff", "one", "two", "--format", "geojson", "-o", "map.geojson", status=1)
    zones = read(tmp_path / "map.geojson").zones
    assert {one.id for one in zones} == {"depth before", "depth after"}


def test_what_stands_in_an_agreement_moves_no_cursor(ask, folder):
    (folder / "agreement.yaml").write_text(MAIN.replace("Patrols along the border", '"\\e[2J\\u202eevil"'))
    for arguments in (("check", "one"), ("check", "one", "--format", "json"), ("diff", "one", "one")):
        said = ask(*arguments)
        assert "\x1b" not in said
        assert "\u202e" not in said


def test_lines_taken_out_stand_beside_those_put_in():
    lines = ["- a", "- b", "+ c", "- d", "+ e", "+ f", "+ g"]
    assert list(_beside(lines)) == [("a", "c"), ("b", ""), ("d", "e"), ("", "f"), ("", "g")]
