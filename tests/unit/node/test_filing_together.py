"""Filings that come at the same time are said in one go, and each is told what it would be told by itself."""

from __future__ import annotations

import threading

import pytest

from keepclear.errors import InputError, StoreError
from keepclear.line.coarsening import Precision
from keepclear.model.findings import Answer
from keepclear.node import filing as filing_module
from keepclear.node.filing_rounds import NotAloneError
from keepclear.node.guarding import RefusedError
from keepclear.node.refusals import ClashError, NotAllowedError
from keepclear.record.bodies.committed import CommitmentBody
from keepclear.record.bodies.talk import CancelBody
from keepclear.store.log import Log
from tests.unit.node.officers_made import LINE, OFFICER, ORDER, READER, asked, patrol, share, site, together

FAR = 30.0  # degrees of latitude, where nothing else is


@pytest.fixture
def two(tmp_path):
    with together(tmp_path, "A", "B") as made:
        a, b = made
        b.filing.file(asked(patrol("B", id="elsewhere", lat=10.0)), by=OFFICER)
        share(a, b)
        yield made


def size(node):
    return node.records.size(node.records.own_origin(LINE))


def against(filed, other):
    """The findings about another filing, after it was filed."""
    return [one for one in filed.found_after.conflicts if one.filing is not None and one.filing.ref in other.refs]


def test_two_of_a_group_that_come_too_close_are_both_told_of_it(two):
    a, _ = two
    before = size(a)
    crossing, zone, aside = a.filing.file_all(
        [asked(patrol()), asked(site()), asked(patrol(id="aside", lat=FAR))], by=OFFICER
    )
    assert (crossing.ref.index, zone.ref.index, aside.ref.index) == (before, before + 1, before + 2)
    for one, other in ((crossing, zone), (zone, crossing)):
        assert one.found_before.answer is Answer.CLEAR  # neither was there yet
        assert one.found_after.answer is Answer.POSSIBLE  # heights are not said
        assert [found.answer for found in against(one, other)] == [Answer.POSSIBLE]
    assert aside.found_after is aside.found_before
    assert aside.found_after.answer is Answer.CLEAR


def test_one_of_a_group_that_is_told_roughly_is_compared_as_it_is_told(two):
    a, _ = two
    # 7 km aside: only the cell that the area is told by reaches there.
    zone, crossing = a.filing.file_all(
        [asked(site(lat=37.12), precision=Precision(50)), asked(patrol())], by=OFFICER
    )  # fmt: skip
    assert isinstance(a.body(zone.committed), CommitmentBody)
    again = a.filing.check(patrol(id="crossing"), by=READER, leaving_out=crossing.refs)
    assert again.answer is not Answer.CLEAR
    assert crossing.found_after.answer is again.answer
    assert against(crossing, zone)


def test_what_is_for_practice_is_not_compared_with_what_is_in_earnest(two):
    a, b = two
    b.filing.file(asked(patrol("B", id="drill", lat=10.0), exercise=True), by=OFFICER)
    share(a, b)
    crossing, zone = a.filing.file_all([asked(patrol(), exercise=True), asked(site())], by=OFFICER)
    assert crossing.found_after.answer is zone.found_after.answer is Answer.CLEAR


def test_of_a_list_that_is_done_in_parts_the_first_is_told_of_the_last(two, monkeypatch):
    monkeypatch.setattr(filing_module, "_MOST_AT_ONCE", 2)
    a, _ = two
    *_, zone = done = a.filing.file_all(
        [asked(patrol()), *(asked(patrol(id=f"aside-{n}", lat=FAR)) for n in range(3)), asked(site())], by=OFFICER
    )
    assert against(done[0], zone)
    assert against(zone, done[0])
    assert [one.found_after.answer for one in done[1:4]] == [Answer.CLEAR] * 3


def test_what_is_wrong_with_one_stops_no_other_and_each_act_is_recorded(two):
    a, _ = two
    standing = a.filing.file(asked(patrol(id="standing", lat=FAR)), by=OFFICER)
    before = size(a)
    done = a.filing.file_all(
        [
            asked(patrol(id="first", lat=11.0)),
            asked(patrol(id="standing", lat=12.0)),
            asked(patrol(id="first", lat=13.0)),
            asked(patrol(id="order", lat=14.0), remarks=ORDER),
            asked(patrol("B", id="theirs", lat=15.0)),
            asked(patrol(id="to nobody", lat=16.0), recipients=("nobody",)),
            ValueError("no request at all"),
            asked(patrol(id="last", lat=17.0)),
        ],
        by=OFFICER,
    )
    kinds = [ClashError, ClashError, RefusedError, InputError, InputError, ValueError]
    assert [type(one) for one in done[1:7]] == kinds
    assert "is filed already" in str(done[1])
    assert "at this moment" in str(done[2])
    assert [done[0].ref.index, done[7].ref.index] == [before, before + 1]
    assert size(a) == before + 2
    acts = [(act.what, act.detail["id"], act.ref) for act in a.acts.before(limit=3) if act.what == "file"]
    names = {"standing": standing, "first": done[0], "last": done[7]}
    assert {(one, ref) for _, one, ref in acts} == {(name, f"A:{LINE}:{one.ref.index}") for name, one in names.items()}
    a.filing.file(asked(patrol(id="order", lat=14.0)), by=OFFICER)  # nothing of those that failed is in the way


def test_all_or_none_says_all_next_to_each_other_or_nothing(two):
    a, _ = two
    before = size(a)
    wanted = [asked(patrol(id=f"p{n}", lat=11.0 + n)) for n in range(3)]
    spoilt = [*wanted, asked(patrol(id="order", lat=15.0), remarks=ORDER)]
    done = a.filing.file_all(spoilt, by=OFFICER, all_or_none=True)
    assert [type(one) for one in done] == [NotAloneError] * 3 + [RefusedError]
    a.filing.file(asked(patrol(id="standing", lat=FAR)), by=OFFICER)
    done = a.filing.file_all([*wanted, asked(patrol(id="standing"))], by=OFFICER, all_or_none=True)
    assert [type(one) for one in done] == [NotAloneError] * 3 + [ClashError]
    assert size(a) == before + 1
    done = a.filing.file_all(wanted, by=OFFICER, all_or_none=True)
    assert [one.ref.index for one in done] == [before + 1, before + 2, before + 3]
    assert a.filing.file_all([], by=OFFICER) == []


def _second_time_full(node, monkeypatch):
    """What is said from now on, of which the second time finds the disk full; something is filed before."""
    node.filing.file(asked(patrol(id="aside", lat=FAR)), by=OFFICER)
    say, said = node.records.say_each, []

    def second_fails(line, wanted):
        said.append(wanted)
        return say(line, wanted) if len(said) == 1 else [StoreError("the disk is full") for _ in wanted]

    monkeypatch.setattr(node.records, "say_each", second_fails)
    return said


def test_of_all_or_none_whose_plans_cannot_be_said_no_commitment_stays(two, monkeypatch):
    a, b = two
    said = _second_time_full(a, monkeypatch)
    wanted = [asked(patrol(id=f"p{n}", lat=11.0 + n), precision=Precision(5)) for n in range(2)]
    done = a.filing.file_all(wanted, by=OFFICER, all_or_none=True)
    assert [type(one) for one in done] == [StoreError] * 2
    assert [len(one[0]) for one in said] == [2, 2]
    share(a, b)
    assert isinstance(b.body(a.newest()), CancelBody)
    assert b.filing.check(patrol("B", id="x", lat=11.0), by=READER).answer is Answer.CLEAR


def test_of_all_or_none_one_that_is_only_committed_to_does_not_stay_alone(two, monkeypatch):
    a, b = two
    said = _second_time_full(a, monkeypatch)
    wanted = [asked(patrol(id="kept", lat=11.0), recipients=()), asked(patrol(id="told", lat=12.0))]
    done = a.filing.file_all(wanted, by=OFFICER, all_or_none=True)
    assert [type(one) for one in done] == [NotAloneError, StoreError]
    assert [len(one) for one in said] == [1, 1]
    share(a, b)
    assert isinstance(b.body(a.newest()), CancelBody)
    assert b.filing.check(patrol("B", id="x", lat=11.0), by=READER).answer is Answer.CLEAR


def test_a_store_that_fails_in_the_middle_fails_all_of_that_group_and_leaves_nothing_in_the_way(two, monkeypatch):
    a, _ = two
    before, append, tries = size(a), Log.append, []

    def fails_once(log, entries):
        tries.append(len(entries))
        if len(tries) == 1:
            raise StoreError("the disk is full")
        return append(log, entries)

    monkeypatch.setattr(Log, "append", fails_once)
    wanted = [asked(patrol(id=f"p{n}", lat=11.0 + n)) for n in range(3)]
    done = a.filing.file_all(wanted, by=OFFICER)
    assert [type(one) for one in done] == [StoreError] * 3
    assert len({id(one) for one in done}) == 3
    assert size(a) == before
    assert a.did() == []
    assert [one.ref.index for one in a.filing.file_all(wanted, by=OFFICER)] == [before, before + 1, before + 2]
    assert tries == [3, 3]
    assert a.did() == ["file"] * 3


def test_what_was_said_stands_and_its_acts_are_recorded_though_the_tables_do_not_catch_up(two, monkeypatch):
    a, _ = two

    def stuck(*_, **__):
        raise StoreError("the tables are stuck")

    monkeypatch.setattr(a.projector, "catch_up", stuck)
    monkeypatch.setattr(a.projector, "catch_up_logs", stuck)
    monkeypatch.setattr("keepclear.node.filing_rounds._WAIT_S", 0.05)
    done = a.filing.file_all([asked(patrol(id=f"p{n}", lat=11.0 + n)) for n in range(2)], by=OFFICER)
    assert all("have not caught up" in one.warnings[-1] for one in done)
    assert a.did() == ["file"] * 2


def test_a_search_that_fails_for_one_fails_for_no_other(two, monkeypatch):
    a, _ = two
    search = a.search.conflicts_of

    def fails_for_one(thing, **more):
        if thing.id == "odd":
            raise ZeroDivisionError
        return search(thing, **more)

    monkeypatch.setattr(a.search, "conflicts_of", fails_for_one)
    before = size(a)
    odd, even = a.filing.file_all([asked(patrol(id="odd")), asked(patrol(id="even", lat=FAR))], by=OFFICER)
    assert isinstance(odd, ZeroDivisionError)
    assert even.ref.index == before
    assert size(a) == before + 1


def test_who_may_not_file_files_nothing_of_a_list(two):
    a, _ = two
    with pytest.raises(NotAllowedError):
        a.filing.file_all([asked(patrol())], by=READER)


def test_an_amendment_is_told_of_an_area_of_our_own_that_was_filed_meanwhile(two, monkeypatch):
    a, _ = two
    first = a.filing.file(asked(patrol(lat=FAR)), by=OFFICER)
    changing, zones = a.filing._changing.say, []

    def meanwhile(line, outgoing, **more):
        zones.append(a.filing.file(asked(site()), by=OFFICER))
        return changing(line, outgoing, **more)

    monkeypatch.setattr(a.filing._changing, "say", meanwhile)
    amended = a.filing.amend(first.ref, asked(patrol()), by=OFFICER)
    assert amended.found_before.answer is Answer.CLEAR
    assert against(amended, zones[0])


def test_threads_that_file_at_once_share_their_appends_and_no_conflict_is_missed(two, monkeypatch):
    a, _ = two
    appends, append = [], Log.append

    def counted(log, entries):
        appends.append(len(entries))
        return append(log, entries)

    monkeypatch.setattr(Log, "append", counted)
    before = size(a)
    things = [patrol(id=f"op-{n}") if n % 2 else site(id=f"zone-{n}") for n in range(12)]
    done, failures = {}, []

    def file(thing):
        try:
            done[thing.id] = a.filing.file(asked(thing), by=OFFICER)
        except BaseException as error:  # noqa: BLE001  # told by the test
            failures.append(error)

    threads = [threading.Thread(target=file, args=(thing,)) for thing in things]
    with a.database.writing():  # nobody gets further than to have said it
        for thread in threads:
            thread.start()
        while size(a) == before:
            pass
    for thread in threads:
        thread.join(60.0)
    assert not failures
    assert sum(appends) == 12
    assert len(appends) < 12
    assert sorted(one.ref.index for one in done.values()) == list(range(before, before + 12))
    assert sorted(act.detail["id"] for act in a.acts.before(limit=12)) == sorted(done)
    operations = [one for name, one in done.items() if name.startswith("op")]
    areas = [one for name, one in done.items() if name.startswith("zone")]
    for operation in operations:
        for area in areas:
            later, earlier = sorted((operation, area), key=lambda one: -one.ref.index)
            assert against(later, earlier), "the one that came later is told, whoever else was filed with it"


def test_each_of_several_is_said_whatever_becomes_of_the_others(two):
    from keepclear.node.own_log import Outgoing
    from keepclear.record.bodies.talk import MessageBody, Priority

    a, _ = two
    before = size(a)
    one = Outgoing(MessageBody(text="We stay.", priority=Priority.ROUTINE), ["B"])
    unsayable = Outgoing(one.body, [f"P{n}" for n in range(20_000)])  # a leaf has 65,535 bytes
    first, nothing, failed, last = a.records.say_each(LINE, [[one, one], [], [one, unsayable], [one]])
    assert [ref.index for ref in (*first, *last)] == [before, before + 1, before + 2]
    assert isinstance(nothing, InputError)
    assert isinstance(failed, InputError)
    assert size(a) == before + 3


def test_of_those_that_come_at_once_each_is_filed_by_who_asked(two):
    a, _ = two
    why = InputError([])
    done = a.filing.file_each(
        [(asked(patrol()), READER), (asked(site()), OFFICER), (why, OFFICER), (asked(patrol(id="other")), OFFICER)]
    )
    assert isinstance(done[0], NotAllowedError)
    assert done[2] is why
    assert [one.ref for one in done[3:] if against(one, done[1])] == [done[3].ref]
    assert a.filing.file(asked(patrol()), by=OFFICER).refs  # nothing stands in the way of what was refused
