"""What holds for every type of term. Its own test has a SAMPLE of its members, which is tried here."""

import importlib
import json
from pathlib import Path

import jsonschema
import pytest

from keepclear.agreements import terms as folder
from keepclear.agreements.facts import Result
from keepclear.agreements.terms.base import Term, parameters_of
from keepclear.agreements.terms.registry import UnknownTerm, ground_of, read_term, read_terms, types
from keepclear.errors import InputError
from tests.unit.agreements.terms.made_terms import ANNEXES, PARTIES, T0, area, filed, flown, patrol, record, term
from tools.make_terms import files, schema_of

HERE = Path(__file__).parent
DOMAIN = [
    "EXCLUSION_ZONE",
    "BUFFER_FROM_LINE",
    "DEPTH_BAND",
    "CORRIDOR",
    "WITHDRAW",
    "FORCE_LIMIT",
    "MIN_SEPARATION",
    "NOTIFY",
    "ACK",
    "JOINT_ACTIVITY",
    "CEASE",
    "CHANNEL",
    "PROHIBIT_ACT",
    "ACTIVITY_LIMIT",
    "WARNING_LADDER",
    "DELIVERABLE",
    "REVIEW",
    "DURATION",
    "SITE_PROTECTION",
    "LIAISON_BODY",
    "AREA_ALLOCATION",
    "NO_SHARING",
]


def sample_of(name):
    module = types()[name].__module__.rsplit(".", 1)[-1]
    return dict(importlib.import_module(f"tests.unit.agreements.terms.test_{module}").SAMPLE)


def members_of(name, /, **more):
    return {"id": "T1", "type": name, "clause": "c5"} | sample_of(name) | more


def test_every_type_of_the_domain_is_there():
    assert sorted(types()) == sorted(DOMAIN)


@pytest.mark.parametrize("name", DOMAIN)
def test_its_sample_fits_its_schema_and_is_read(name):
    jsonschema.validate(members_of(name), json.loads(json.dumps(schema_of(types()[name]), default=dict)))
    made = read_term(members_of(name), ANNEXES, parties=PARTIES)
    assert type(made) is types()[name]
    assert made.clause == "c5"
    assert made.parties <= set(PARTIES)


@pytest.mark.parametrize("name", DOMAIN)
def test_of_nothing_nothing_is_met(name):
    for at_s in (0.0, T0, T0 + 1e9):
        findings = term(name, **sample_of(name)).evaluate((), (), record(), at_s)
        assert Result.MET not in {one.result for one in findings}


@pytest.mark.parametrize("name", DOMAIN)
def test_every_sentence_names_the_clause_and_can_be_read_out(name):
    made = term(name, **sample_of(name))
    filings = [
        filed(patrol()),
        filed(patrol("tr", kind=None)),
        filed(area("ru", lon=40.0)),
        filed(area("tr", lon=42.0)),
    ]
    findings = made.evaluate(filings, [flown(), flown("tr")], record(), T0 + 1e6)
    for one in findings:
        assert one.sentence.startswith(f"Clause c5 ({name}): ")
        assert one.sentence.endswith(".")
        assert "allowed" not in one.sentence
        assert "approv" not in one.sentence
        assert "permi" not in one.sentence
        assert "None" not in one.sentence
        assert (one.term, one.clause) == ("T1", "c5")


@pytest.mark.parametrize("name", DOMAIN)
def test_what_a_stranger_files_has_no_finding(name):
    made = term(name, **sample_of(name))
    before = made.evaluate((), (), record(), T0 + 1e6)
    stranger = filed(patrol("us"), recipients=frozenset())
    assert made.evaluate((stranger,), (flown("us"),), record(), T0 + 1e6) == before


@pytest.mark.parametrize("name", DOMAIN)
def test_its_ground_can_be_drawn(name):
    grounds = term(name, **sample_of(name)).ground()
    assert all(one.label and one.footprint is not None for one in grounds)
    assert len(ground_of(members_of(name), ANNEXES)) == len(grounds)


@pytest.mark.parametrize("name", DOMAIN)
def test_all_that_is_missing_and_all_that_is_too_much_is_told_at_once(name):
    needed = [member for member, (_, _, must) in parameters_of(types()[name]).items() if must]
    with pytest.raises(InputError) as raised:
        read_term({"id": "T1", "type": name, "colour": "red"}, ANNEXES, parties=PARTIES, file="terms.yaml")
    told = {(one.file, one.feature, one.field) for one in raised.value.faults}
    assert told == {("terms.yaml", "T1", member) for member in (*needed, "clause", "colour")}


@pytest.mark.parametrize("name", DOMAIN)
@pytest.mark.parametrize("wrong", [None, True, 7, -1.5, "", "\x00", "x" * 5000, [], {}, [[]], {"a": {}}, ["x", 3]])
def test_no_value_of_no_member_makes_anything_but_a_fault_or_a_term(name, wrong):
    for member in (*parameters_of(types()[name]), "id", "clause", "clause_hash", "parties", "affiliates"):
        try:
            made = read_term(members_of(name, **{member: wrong}), ANNEXES, parties=PARTIES)
        except InputError as error:
            assert all(one.problem for one in error.faults)  # noqa: PT017 - either is right
        else:
            made.evaluate((filed(patrol()),), (), record(), T0)


def test_faults_of_all_terms_are_told_and_ids_are_unique():
    listed = [
        members_of("DEPTH_BAND", max="10"),
        members_of("NOTIFY", id="T2", lead="2"),
        members_of("NOTIFY", id="T3"),
    ]
    with pytest.raises(InputError) as raised:
        read_terms([*listed, members_of("NOTIFY", id="T3"), "no term", {}], ANNEXES, parties=PARTIES)
    features = [one.feature for one in raised.value.faults]
    assert features.count("T1") == 1
    assert features.count("T2") == 1
    assert "T3" in features
    assert {"term 5", "term 6"} <= set(features)


def test_an_unknown_type_is_shown_as_text_and_never_met():
    made = read_term({"id": "T1", "type": "NO_SINGING", "clause": "c9", "after": "22:00"}, parties=PARTIES)
    assert isinstance(made, UnknownTerm)
    (finding,) = made.evaluate((filed(patrol()),), (flown(),), record(), T0)
    assert finding.result is Result.NO_DATA
    assert '"after": "22:00"' in finding.sentence
    # Nobody is to think that a filing is within what was not read.
    (warning,) = made.warnings_for(filed(patrol()), record(), T0)
    assert (warning.result, warning.party) == (Result.POSSIBLE, "ru")


def test_the_pages_of_the_specification_say_what_the_code_does():
    for path, text in files().items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name}: run `make docs`"


def test_every_type_is_one_file_and_has_one_test():
    modules = {one.__module__.rsplit(".", 1)[-1] for one in types().values()}
    assert len(modules) == len(types())
    for module in modules:
        assert (HERE / f"test_{module}.py").exists()


def test_a_new_type_is_one_file(tmp_path, monkeypatch):
    """The example of the how-to page, put into a folder of its own: nothing else is needed."""
    page = (Path(__file__).parents[4] / "docs" / "howto" / "write-a-term.md").read_text(encoding="utf-8")
    code = page.split("```python\n", 1)[1].split("```", 1)[0]
    (tmp_path / "longest_stay.py").write_text(code, encoding="utf-8")
    monkeypatch.setattr(folder, "__path__", [*folder.__path__, str(tmp_path)])
    types.cache_clear()
    try:
        made = term("LONGEST_STAY", max="3 h", kinds=["patrol"])
        assert isinstance(made, Term)
        (finding,) = made.evaluate((filed(patrol()),), (), record(), T0)
        assert finding.result is Result.BREACHED
        assert "4 h" in finding.sentence
        assert [str(one.result) for one in made.evaluate((filed(area()),), (), record(), T0)] == ["met"]
        assert "max" in schema_of(types()["LONGEST_STAY"])["properties"]
    finally:
        monkeypatch.undo()
        types.cache_clear()
    assert "LONGEST_STAY" not in types()
