import pytest

from keepclear.errors import InputError
from keepclear.model.findings import Answer
from keepclear.node import drafts as module
from keepclear.node.guarding import RefusedError
from keepclear.node.refusals import ClashError, NotAllowedError, NotFoundError, StaleError
from keepclear.node.searching import NOTHING_COMPARED
from tests.unit.node.officers_made import LINE, OFFICER, ORDER, READER, asked, patrol, share, site, together


@pytest.fixture
def two(tmp_path):
    with together(tmp_path, "A", "B") as made:
        yield made


def content(thing, **more):
    return asked(thing, **more).to_json()


def test_a_draft_is_kept_changed_by_who_has_read_it_and_dropped(two):
    a, b = two
    kept = a.drafts.keep({"line": LINE, "operation": {"id": "patrol-1"}}, by=OFFICER)
    assert (kept.version, kept.by, kept.line) == (1, "anna", LINE)
    changed = a.drafts.change(kept.id, content(patrol()), version=1, by=OFFICER)
    assert changed.version == 2
    with pytest.raises(StaleError, match="version 2"):
        a.drafts.change(kept.id, {}, version=1, by=OFFICER)
    assert a.drafts.get(kept.id, by=OFFICER).content == content(patrol())
    assert [one.id for one in a.drafts.listed(by=OFFICER)] == [kept.id]
    with pytest.raises(StaleError):
        a.drafts.drop(kept.id, by=OFFICER, version=1)
    a.drafts.drop(kept.id, by=OFFICER, version=2)
    for gone in (a.drafts.get, a.drafts.drop, a.drafts.check, a.drafts.file):
        with pytest.raises(NotFoundError):
            gone(kept.id, by=OFFICER)
    share(a, b)
    assert b.drafts.listed(by=OFFICER) == []


def test_a_draft_never_leaves_and_is_found_by_a_dry_run_here(two):
    a, b = two
    a.drafts.keep(content(site()), by=OFFICER)
    a.drafts.keep({"operation": {"id": "half"}}, by=OFFICER)  # not complete: nothing to compare with
    before = a.records.size(a.records.own_origin(LINE))
    found = a.filing.check(patrol(), by=READER)
    assert found.answer is Answer.POSSIBLE  # at what height is not said
    assert found.conflicts[0].draft == "draft 1"
    assert found.notes == ("draft 2 is not complete, and was not compared",)
    assert a.records.size(a.records.own_origin(LINE)) == before
    share(a, b)
    assert b.filing.check(patrol("B"), by=READER).conflicts == ()


def test_a_draft_is_checked_and_filed_once_it_is_complete(two):
    a, b = two
    kept = a.drafts.keep({"operation": {"party": "A", "id": "patrol-1"}}, by=OFFICER)
    with pytest.raises(InputError):
        a.drafts.check(kept.id, by=OFFICER)
    with pytest.raises(InputError):
        a.drafts.file(kept.id, by=OFFICER)
    a.drafts.change(kept.id, content(patrol(), recipients=("B",)), version=1, by=OFFICER)
    assert a.drafts.check(kept.id, by=OFFICER).reasons == (NOTHING_COMPARED,)
    with pytest.raises(StaleError):
        a.drafts.file(kept.id, by=OFFICER, version=1)
    filed = a.drafts.file(kept.id, by=OFFICER, version=2)
    assert a.drafts.listed(by=OFFICER) == []
    share(a, b)
    assert b.body(filed.ref).operation.id == "patrol-1"


def test_what_a_guard_refuses_stays_a_draft(two):
    a, _ = two
    kept = a.drafts.keep(content(patrol(), remarks=ORDER), by=OFFICER)
    with pytest.raises(RefusedError):
        a.drafts.file(kept.id, by=OFFICER)
    assert a.drafts.get(kept.id, by=OFFICER).version == 1


@pytest.mark.parametrize("wrong", [None, [], "x", {"operation": float("nan")}, {"a": {1, 2}}, {"a": "\ud800"}])
def test_what_is_no_json_is_no_draft(two, wrong):
    a, _ = two
    with pytest.raises(InputError):
        a.drafts.keep(wrong, by=OFFICER)


def test_there_is_an_end_to_drafts(two, monkeypatch):
    a, _ = two
    monkeypatch.setattr(module, "MOST_DRAFTS", 2)
    for _ in range(2):
        a.drafts.keep({}, by=OFFICER)
    with pytest.raises(ClashError):
        a.drafts.keep({}, by=OFFICER)


def test_who_may_not_file_sees_no_drafts(two):
    a, _ = two
    kept = a.drafts.keep({}, by=OFFICER)
    for attempt in (
        lambda: a.drafts.keep({}, by=READER),
        lambda: a.drafts.get(kept.id, by=READER),
        lambda: a.drafts.listed(by=READER),
        lambda: a.drafts.drop(kept.id, by=READER),
        lambda: a.drafts.change(kept.id, {}, version=1, by=READER),
    ):
        with pytest.raises(NotAllowedError):
            attempt()
