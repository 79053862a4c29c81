"""The record of acts cannot be changed, on either database."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from keepclear.errors import StoreError
from keepclear.node.actors import OPERATOR
from keepclear.store.node.acts import acts_before
from tests.unit.node.access_made import Made, place


@pytest.fixture(params=["sqlite", "postgresql"])
def made(request, tmp_path):
    made = Made(place(request, tmp_path))
    yield made
    made.database.close()


def note(made, count=3):
    for number in range(count):
        made.clock.now_s += 1
        made.access.acts.note(OPERATOR, f"what {number}", ref=f"ref {number % 2}", detail={"n": number, "deep": [1.5]})


def test_acts_come_back_the_newest_first_and_page_by_number(made):
    note(made)
    acts = made.access.acts.before(limit=2)
    assert [act.what for act in acts] == ["what 2", "what 1"]
    assert acts[0].detail == {"n": 2, "deep": [1.5]}
    assert [act.what for act in made.access.acts.before(acts[-1].id, limit=5)] == ["what 0"]


def test_acts_are_found_by_all_that_is_kept(made):
    note(made)
    start_s = made.clock.now_s
    found = made.access.acts.before
    assert [act.what for act in found(limit=9, ref="ref 0")] == ["what 2", "what 0"]
    assert [act.what for act in found(limit=9, what="what 1")] == ["what 1"]
    assert found(limit=9, user="nobody") == []
    assert [act.what for act in found(limit=9, from_s=start_s - 1, to_s=start_s)] == ["what 1"]


@pytest.mark.parametrize(
    "statement", ["UPDATE act SET person = 'nobody'", "DELETE FROM act", "DELETE FROM act WHERE id = 1"]
)
def test_acts_are_never_changed(made, statement):
    note(made)
    with pytest.raises(StoreError, match="acts are never changed"), made.database.writing() as conn:
        conn.execute(text(statement))
    with made.database.reading() as conn:
        assert len(acts_before(conn, limit=10)) == 3


def test_an_act_whose_transaction_fails_was_never_done(made):
    def half():
        with made.database.writing() as conn:
            made.access.acts.record(conn, OPERATOR, "half of it")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()
    assert made.access.acts.before(limit=10) == []
