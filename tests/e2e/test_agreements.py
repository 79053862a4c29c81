"""An agreement signed at two real nodes by commands alone, and a filing at 12 km depth that is told its clause."""

from __future__ import annotations

import json

import pytest

from keepclear.client.client import Client
from tests.line_of_nodes import joined, until
from tests.nodes import PASSWORD, nodes_in
from tests.unit.node.agreements_made import AGREEMENT, BORDER, MAIN, TEXT

pytestmark = pytest.mark.slow
OWN = "quiet copper window of march"
DEEP = {
    "type": "Feature",
    "properties": {
        "id": "deep", "party": "RU", "kind": "patrol", "start": "2035-03-02T08:00:00Z", "end": "2035-03-02T11:00:00Z",
    },
    "geometry": {
        "type": "Polygon",
        "coordinates": [[[40.5, 36.885], [40.52, 36.885], [40.52, 36.892], [40.5, 36.892], [40.5, 36.885]]],
    },
}  # fmt: skip


@pytest.fixture
def pair(tmp_path):
    with nodes_in(tmp_path) as nodes:
        made = nodes.started(["RU", "TR"])
        joined(made)
        yield made


def folder(path):
    there = path / "sochi"
    there.mkdir()
    (there / "agreement.yaml").write_text(MAIN.format(version="1", depth="10 km", more=""))
    (there / "text.md").write_text(TEXT.format(depth="10 km", apart="3 km"))
    (there / "border.geojson").write_text(json.dumps(BORDER))
    return str(there)


def signatories(node, path):
    """The first officer and a second person, each with a password of their own."""
    first, own = path / "first", path / "own"
    first.write_text(PASSWORD)
    own.write_text(OWN)
    node.run("user add", "second", "--role", "party-authority", "--password-file", str(first))
    for name in ("officer", "second"):
        node.run("user own-password", name, "--password-file", str(first), "--new-password-file", str(own))
    return ["--password-file", str(own), "--yes"]


def signatory(node, name):
    """The same, by the API."""
    if name != "officer":
        node.asked("POST", "/users", {"name": name, "roles": ["party-authority"], "password": PASSWORD})
    with Client(node.url) as client:
        client.sign_in(name, PASSWORD)
        client.change_password(PASSWORD, OWN)


def state(node):
    return node.asked("GET", f"/agreements/{AGREEMENT}")["state"]


def sign(node, own):
    told = node.run("agreement sign", AGREEMENT, "--user", "officer", *own)
    assert "Nothing is said yet" in told
    node.run("agreement sign", AGREEMENT, "--user", "officer", *own, status=2)  # the same person again
    assert "Done by officer and second" in node.run("agreement sign", AGREEMENT, "--user", "second", *own)


def test_a_plan_at_twelve_kilometres_is_told_its_clause_before_it_is_filed(pair, tmp_path):
    ru, tr = pair
    own = signatories(ru, tmp_path)
    for name in ("officer", "second"):
        signatory(tr, name)
    assert "binds nobody" in ru.run("agreement propose", folder(tmp_path), "--yes")
    until(lambda: tr.asked("GET", "/agreements")["items"], "TR has the proposal")
    document = tmp_path / "proposed.json"
    tr.run("agreement read", AGREEMENT, "--output", str(document))
    assert json.loads(document.read_bytes())["agreement"] == AGREEMENT
    sign(ru, own)
    assert state(ru) == "partly signed"
    sign(tr, own)
    for node in pair:
        until(lambda node=node: state(node) == "in force", "it is in force")
    assert "IN FORCE" in ru.run("agreement status")
    plan = tmp_path / "deep.geojson"
    plan.write_text(json.dumps(DEEP))
    told = ru.run("file", str(plan), "--dry-run", status=1)
    assert "NOT WITHIN A TERM of sochi: Clause c5 (DEPTH_BAND)" in told
    ru.run("file", str(plan), "--yes", status=2)
    assert ru.asked("GET", "/operations")["items"] == []
    ru.run("file", str(plan), "--yes", "--despite-terms", "the bridge is out")
    until(lambda: tr.asked("GET", "/operations")["items"], "TR has the filing")
    report = json.loads(tr.run("agreement report", AGREEMENT, "--format", "json"))
    assert [(one["clause"], one["party"]) for one in report["findings"] if one["kind"] == "breached"] == [("c5", "RU")]
    for user in ("officer", "second"):
        tr.run("agreement suspend", AGREEMENT, "--user", user, *own)
    until(lambda: state(ru) == "suspended", "RU knows that it is suspended")
    plan.write_text(json.dumps(DEEP).replace("deep", "deeper"))
    assert "NOT WITHIN" not in ru.run("file", str(plan), "--dry-run", status=3)
