"""What ``keepclear file`` makes of its options before it asks the node, and how it tells what the node did."""

from __future__ import annotations

import pytest

from keepclear.cli import filing
from keepclear.cli.filing import _agreed, _asked, _file, _parts, _wanted, filed_text, plans
from keepclear.cli.node_requests import AskedNode
from keepclear.errors import InputError
from tests.unit.api.nodes_served import serving


@pytest.mark.parametrize(
    ("text", "precision"),
    [
        (None, None),
        ("10", {"grid_km": 10}),
        ("10,1800", {"grid_km": 10, "time_s": 1800}),
        ("1,60,50", {"grid_km": 1, "time_s": 60, "height_m": 50.0}),
    ],
)
def test_a_precision_is_read(text, precision):
    assert _wanted(text) == precision


@pytest.mark.parametrize("text", ["", "ten", "1,2,3,4", "0.5", "10,", "nan", "1e400"])
def test_what_is_no_precision_is_refused_and_the_option_named(text):
    with pytest.raises(InputError) as caught:
        _wanted(text)
    assert {one.field for one in caught.value.faults} == {"--coarse"}


def test_only_what_was_given_is_asked():
    more = {"line": None, "recipients": ["TR"], "exercise": False, "remarks": ""}
    asked = _asked(("zone", {"id": "z"}), more)
    assert asked == {"zone": {"id": "z"}, "recipients": ["TR"], "exercise": False, "remarks": ""}


def test_a_file_that_is_not_there_is_named():
    with pytest.raises(InputError, match=r"nowhere\.geojson"):
        plans(["nowhere.geojson"], "RU", None)


def test_who_files_despite_a_conflict_is_asked_so_and_not_passed_over_where_nobody_is():
    assert _agreed(1, "conflict", yes=True)
    with pytest.raises(InputError, match="--yes"):
        _agreed(1, "clear", yes=False)


def test_what_changed_since_it_was_looked_at_is_told_and_nothing_is_told_twice():
    before = {"answer": "clear", "sentence": "Nothing found.", "conflicts": []}
    after = {"answer": "conflict", "sentence": "One.", "conflicts": [{"answer": "conflict", "sentence": "too close"}]}
    told = {"id": "RU:north:4", "warnings": ["late\x1b"], "found_before": before, "found_after": after}
    text = "".join(filed_text(told, (), instead_of="RU:north:3"))
    assert "late" not in "".join(filed_text(told, {"late\x1b"}))
    assert "Filed as RU:north:4 in the place of RU:north:3." in text
    assert "late" in text
    assert "\x1b" not in text
    assert "Since it was filed: One." in text
    assert "CONFLICT: too close" in text
    assert "Since" not in "".join(filed_text({**told, "found_after": before}, ()))
    assert "Since it was filed: One." in "".join(filed_text({"id": "RU:north:4", "found_after": after}, ()))


def patrol(name):
    volume = {"footprint": {"shape": "circle", "lon_deg": 40.65, "lat_deg": 37.06, "radius_m": 500.0}}
    volume |= {"start_s": 2056000000.0, "end_s": 2056003600.0}
    body = ("operation", {"party": "RU", "id": name, "kind": "patrol", "volumes": [volume]})
    return body, _asked(body, {"line": "north", "exercise": False, "remarks": None})


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    with (
        serving(tmp_path_factory.mktemp("node")) as served,
        AskedNode(served.url, token=served.node.folder.local_token()) as asked,
    ):
        asked.begin_line("North", line="north")
        asked.alone = True
        yield asked


def told(capsys, node, tmp_path, *names):
    _file(node, [patrol(name) for name in names], frozenset(), tmp_path)
    return capsys.readouterr().out


def test_many_plans_are_told_of_as_each_by_itself(capsys, node, tmp_path):
    singles = [told(capsys, node, tmp_path, f"single-{n}") for n in range(3)]
    many = told(capsys, node, tmp_path, *(f"many-{n}" for n in range(3)))
    number = int(singles[-1].partition("\n")[0].rstrip(".").rpartition(":")[2])
    expected = "".join(singles)
    for n in range(3):
        expected = expected.replace(f"RU:north:{number - 2 + n}.", f"RU:north:{number + 1 + n}.")
    assert many == expected
    assert many.count("Filed as") == 3


def test_of_many_plans_those_that_are_refused_are_named_and_the_others_are_filed(capsys, node, tmp_path):
    with pytest.raises(InputError) as caught:
        told(capsys, node, tmp_path, "good-1", "twice", "twice", "good-2")
    assert capsys.readouterr().out.count("Filed as") == 3
    assert [one.feature for one in caught.value.faults] == ["twice"]
    assert "at this moment" in caught.value.faults[0].problem


def test_many_plans_go_in_requests_that_are_not_too_long(monkeypatch):
    monkeypatch.setattr(filing, "_AT_ONCE", 3)
    few = [(("zone", {}), "x" * 10)] * 7
    assert [len(one) for one in _parts(few)] == [3, 3, 1]
    monkeypatch.setattr(filing, "_MOST_BYTES", 24)
    assert [len(one) for one in _parts(few)] == [2, 2, 2, 1]
    assert [len(one) for one in _parts([(("zone", {}), "x" * 100)] * 2)] == [1, 1]
    assert list(_parts([])) == []
