"""What ``keepclear file`` makes of its options before it asks the node, and how it tells what the node did."""

from __future__ import annotations

import pytest

from keepclear.cli.filing import _agreed, _asked, _wanted, filed_text, plans
from keepclear.errors import InputError


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
