"""No route, parameter or member of the API is left without a word of explanation."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.test_reference import PAGES
from tools import make_http_reference

TOLD = make_http_reference.described()
ROUTES = [
    (f"{method.upper()} {path}", operation)
    for path, operations in TOLD["paths"].items()
    for method, operation in operations.items()
]


@pytest.mark.parametrize(("name", "operation"), ROUTES, ids=[name for name, _ in ROUTES])
def test_every_route_is_explained(name, operation):
    assert len(operation["description"].split()) >= 2
    assert f"### {name}\n" in PAGES["http.md"]
    for parameter in operation.get("parameters", ()):
        assert parameter.get("description"), parameter["name"]


def test_every_value_is_explained():
    unexplained = [
        name
        for name, schema in TOLD["components"]["schemas"].items()
        if not name.startswith("Listed_") and "properties" in schema and not schema.get("description")
    ]
    assert not unexplained
    named = [name for name in TOLD["components"]["schemas"] if not name.startswith("Listed_")]
    assert not [name for name in named if f"### {name}\n" not in PAGES["http.md"]]


def test_every_example_of_a_body_is_one():
    from keepclear.values.filings import OPERATION_EXAMPLE, ZONE_EXAMPLE, CheckAsked, OperationAsked, ZoneAsked

    for model, name, example in (
        (OperationAsked, "operation", OPERATION_EXAMPLE),
        (CheckAsked, "operation", OPERATION_EXAMPLE),
        (ZoneAsked, "zone", ZONE_EXAMPLE),
    ):
        assert getattr(model.model_validate({name: example}), name) is not None


def test_what_is_shown_with_curl_are_routes():
    page = (make_http_reference.__file__.rsplit("/", 2)[0]) + "/docs/howto/api.md"
    shown = re.findall(r"^curl (.*)/api/v1(/[a-z-]+)", Path(page).read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert len(shown) >= 4
    for options, path in shown:
        assert ("post" if "--json" in options else "get") in TOLD["paths"][f"/api/v1{path}"]
