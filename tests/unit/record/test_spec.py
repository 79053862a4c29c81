"""The specification of entries says what the code does, and others can hold a body to it."""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator

from keepclear.errors import InputError
from keepclear.record.bodies.registry import BODIES
from tests.fuzz.record_entries import bodies
from tools.make_spec import BEGIN, END, FOLDER, files

every_body = pytest.mark.parametrize("body", bodies(), ids=lambda body: str(body.TYPE))


@pytest.mark.parametrize("path", files(), ids=lambda path: path.name)
def test_the_files_say_what_the_code_does(path):
    assert path.read_text(encoding="utf-8") == files()[path], "run tools/make_spec.py"


def test_there_is_one_schema_for_each_type_and_version():
    names = {path.name for path in (FOLDER / "entries").iterdir()}
    assert names == {f"{kind}-v{version}.json" for kind, version in BODIES}


def test_the_worked_vector_is_in_the_page():
    _, _, rest = (FOLDER / "leaf.md").read_text(encoding="utf-8").partition(BEGIN)
    assert "SHA-256(00 + leaf), hex:" in rest.partition(END)[0]


def _validator(body):
    path = FOLDER / "entries" / f"{body.TYPE}-v{body.VERSION}.json"
    schema = json.loads(path.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


@every_body
def test_a_body_fits_its_published_schema(body):
    assert list(_validator(body).iter_errors(json.loads(body.to_bytes()))) == []


@every_body
def test_what_the_published_schema_refuses_is_refused_by_us(body):
    validator = _validator(body)
    for name in body.members():
        for put in (None, 1, "", "x", [], {}, [1], {"extra": 1}):
            members = json.loads(body.to_bytes()) | {name: put}
            if not validator.is_valid(members):
                with pytest.raises(InputError):
                    type(body).of_members(members)
    assert not validator.is_valid(json.loads(body.to_bytes()) | {"extra": 1})
