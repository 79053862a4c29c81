"""``keepclear draft|conflict|series`` and ``line invitations|withdraw``, with two real nodes behind real servers."""

from __future__ import annotations

import json
from contextlib import contextmanager

import pytest

from keepclear.cli import conflict, draft, filing, line, series
from keepclear.cli.app import run
from keepclear.cli.node_requests import AskedNode
from tests.pair_served import START_S, pair_served, patrol, wait_for


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    with pair_served(tmp_path_factory.mktemp("pair")) as places:
        yield places


@pytest.fixture
def ask(pair, monkeypatch, capsys, tmp_path):
    """Run a command for RU as at its terminal; what it printed. Only how its node is found is the test's."""
    ru, _ = pair

    @contextmanager
    def linked(*_):
        with AskedNode(ru.url, token=ru.node.folder.local_token()) as node:
            yield node

    for module in (conflict, draft, filing, line, series):
        monkeypatch.setattr(module, "linked", linked)

    def asked(*arguments, status=0):
        done = run([one if one != "DIR" else str(ru.node.folder.path) for one in arguments])
        told = capsys.readouterr()
        assert done == status, told
        return told.out + told.err

    return asked


def plan_file(path, name, lon=40.6, hours=1):
    start = START_S + 86_400.0 * 7
    geometry = {"type": "Point", "coordinates": [lon, 37.0]}
    times = {"start": _text(start), "end": _text(start + 3600.0 * hours)}
    properties = {"id": name, "name": name, "party": "RU", "kind": "patrol", "radius_m": 500, **times}
    path.write_text(json.dumps({"type": "Feature", "properties": properties, "geometry": geometry}))
    return str(path)


def _text(time_s):
    from keepclear.times import to_text

    return to_text(time_s)


def test_a_draft_is_kept_looked_at_filed_and_dropped(ask, tmp_path):
    assert "There are no drafts." in ask("draft", "list", "DIR")
    for name in ("first", "second"):
        assert "Kept as draft" in ask("file", "DIR", plan_file(tmp_path / name, name, lon=10.0), "--draft")
    assert "operation first" in ask("draft", "list", "DIR")
    assert json.loads(ask("draft", "show", "DIR", "1"))["operation"]["id"] == "first"
    assert "nothing could be compared" in ask("draft", "check", "DIR", "1", status=3)
    assert "--yes" in ask("draft", "file", "DIR", "1", status=2)  # somebody must be asked
    assert "Filed as RU:north:" in ask("draft", "file", "DIR", "1", "--yes")
    assert "Draft 2 is dropped." in ask("draft", "drop", "DIR", "2", "--yes")
    assert "There are no drafts." in ask("draft", "list", "DIR")
    assert "draft" in ask("draft", "show", "DIR", "1", status=2)


def test_a_conflict_is_shown_and_its_risk_accepted_on_the_record(ask, pair):
    ru, tr = pair
    assert "No conflict is known here" in ask("conflict", "list", "DIR")
    ru.client.file(patrol("RU", "p-1"))
    tr.client.file(patrol("TR", "p-1"))
    (found,) = wait_for(lambda: list(ru.client.conflicts()))
    listed = ask("conflict", "list", "DIR", "--own")
    assert f"{found.id} " in listed
    assert "RU patrol" in listed
    wait_for(lambda: ru.client.conflict(found.id).advised_by)
    shown = ask("conflict", "show", "DIR", str(found.id))
    assert f"Conflict {found.id} on north: {found.answer}, advised" in shown
    assert "Advised of by " in shown
    accepted = ("conflict", "accept-risk", "DIR", str(found.id), "--reason", "escort on the spot")
    assert "--yes" in ask(*accepted, status=2)
    assert "Said as RU:north:" in ask(*accepted, "--yes")
    wait_for(lambda: ru.client.conflict(found.id).accepted_by == ["RU"])
    assert "Going on knowingly, each for itself: RU" in ask("conflict", "show", "DIR", str(found.id))
    assert "999" in ask("conflict", "advise", "DIR", "999", status=2)


def test_a_series_is_begun_shown_and_ended(ask, tmp_path):
    file = plan_file(tmp_path / "night", "night", lon=-20.0)
    new = ("series", "new", "DIR", file, "--until", _text(START_S + 30 * 86_400.0))
    assert "1 for Monday to 7 for Sunday" in ask(*new, "--days", "0,9", status=2)
    assert "Series 1 is begun." in ask(*new, "--days", "1,2,3,4,6,7", "--zone", "Asia/Damascus", "--ahead", "20")
    assert "Mon, Tue, Wed, Thu, Sat, Sun" in ask("series", "list", "DIR")
    assert "due" in ask("series", "show", "DIR", "1") or "filed" in ask("series", "show", "DIR", "1")
    assert "Series 1 is cancelled" in ask("series", "cancel", "DIR", "1", "--yes")
    assert "cancelled" in ask("series", "list", "DIR")


def test_an_invitation_is_listed_and_taken_back(ask, pair):
    ru, _ = pair
    ru.client.invite("north")
    listed = ask("line", "invitations", "DIR")
    assert "TR" in listed
    (waiting,) = [one for one in ru.client.invitations("north") if one.party is None]
    assert f"Invitation {waiting.id} to north is taken back." in ask(
        "line", "withdraw", "DIR", str(waiting.id), "--yes"
    )
    assert "withdrawn" in ask("line", "invitations", "DIR")
