"""Escalation: who is told when, by which channel, and the same however often it is asked."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepclear.errors import InputError
from keepclear.line.deadlines import DEFAULT_DEADLINES, Clock, MessageClass, Owed
from keepclear.line.escalation import (
    DEFAULT_LADDERS,
    DESK,
    Post,
    Reason,
    Role,
    Roster,
    next_s,
    to_tell,
)
from keepclear.line.threads import Owing
from keepclear.record.entries import EntryRef

REF = EntryRef("north/border/log", 3, bytes(32))
ROSTER = Roster(
    (
        Post(Role.DUTY_OFFICER, 0, ("pager",)),
        Post(Role.DUTY_OFFICER, 1, ("e-mail", "pager")),
        Post(Role.DUTY_OFFICER, 2, ("pager",)),
        Post(Role.PARTY_AUTHORITY, 0, ("telephone",)),
    )
)
ROSTERS = {"north": ROSTER, "south": ROSTER}
ANSWER = Owing(REF, "north", "south", MessageClass.FLASH, Owed.ANSWER, 0.0, 60.0)
ABLE = replace(ANSWER, owed=Owed.ABLE, due_s=120.0)
SEEN = Owing(REF, "north", "south", MessageClass.SHORT, Owed.SEEN, 0.0, 1_800.0)


def told(*owed, until_s=10_000.0, **others):
    return to_tell(owed, ROSTERS, until_s=until_s, **others)


def to(tells, party, at_s=None):
    return [(one.role, one.rank, one.channel) for one in tells if one.party == party and at_s in {None, one.at_s}]


def test_flash_goes_up_at_60_120_and_300_seconds_on_every_channel():
    tells = told(ANSWER, ABLE)
    assert sorted({one.at_s for one in tells}) == [0.0, 60.0, 120.0, 300.0]
    duty, first, second = ((Role.DUTY_OFFICER, n) for n in range(3))
    assert to(tells, "south", 0.0) == [(*duty, DESK), (*duty, "pager")]
    assert to(tells, "south", 60.0) == [
        (*duty, DESK),
        (*duty, "pager"),
        (*first, DESK),
        (*first, "e-mail"),
        (*first, "pager"),
    ]
    assert {one[:2] for one in to(tells, "south", 120.0)} == {duty, first, second}
    assert {one[:2] for one in to(tells, "south", 300.0)} == {duty, first, second, (Role.PARTY_AUTHORITY, 0)}
    assert to(tells, "north", 60.0) == [(*duty, DESK), (*duty, "pager")], "who waits is told too"
    assert {one.reason for one in tells if one.party == "north"} == {Reason.WAITING}


def test_an_answer_stops_the_first_step_and_someone_able_the_rest():
    answered = replace(ANSWER, met_s=30.0)
    assert sorted({one.at_s for one in told(answered, ABLE)}) == [0.0, 120.0, 300.0]
    assert sorted({one.at_s for one in told(answered, replace(ABLE, met_s=150.0))}) == [0.0, 120.0]
    assert sorted({one.at_s for one in told(answered, replace(ABLE, met_s=120.0))}) == [0.0]


def test_who_cannot_act_sends_it_up_at_once():
    owed = [replace(ANSWER, met_s=40.0, unable_s=40.0), replace(ABLE, unable_s=40.0)]
    tells = told(*owed)
    assert sorted({one.at_s for one in tells}) == [0.0, 40.0]
    assert (Role.PARTY_AUTHORITY, 0, "telephone") in to(tells, "south", 40.0)


def test_every_member_that_can_reach_the_addressee_is_asked_to_relay():
    reach = {"east": {"south"}, "west": {"north"}, "un": {"south", "north"}, "north": {"south"}, "south": {"south"}}
    tells = told(ANSWER, ABLE, reach=reach)
    relaying = {one.party for one in tells if one.reason is Reason.RELAY}
    assert relaying == {"east", "un"}
    assert min(one.at_s for one in tells if one.reason is Reason.RELAY) == 60.0
    assert all(one.owed_by == "south" for one in tells)


def test_a_party_whose_posts_are_not_known_is_told_at_its_desk():
    tells = to_tell([ANSWER], {}, until_s=60.0)
    assert to(tells, "south", 60.0) == [(Role.DUTY_OFFICER, 0, DESK)]


def test_an_ordinary_filing_is_quiet_until_it_is_due():
    tells = told(SEEN)
    assert [(one.at_s, one.channel) for one in tells if one.at_s < 1_800.0] == [(0.0, DESK), (900.0, DESK)]
    assert {one.channel for one in tells if one.at_s == 1_800.0} == {DESK, "pager", "e-mail"}
    assert sorted({one.at_s for one in tells}) == [0.0, 900.0, 1_800.0, 3_600.0]
    assert sorted({one.at_s for one in told(replace(SEEN, met_s=1_000.0))}) == [0.0, 900.0]
    assert sorted({one.at_s for one in told(replace(SEEN, ceased_s=500.0))}) == [0.0]
    assert told(replace(SEEN, ceased_s=-1.0)) == ()


def test_the_author_is_told_of_what_was_not_delivered_and_nobody_is_told_what_did_not_reach_them():
    owing = Owing(REF, "north", "south", MessageClass.IMMEDIATE, Owed.RECEIPT, 0.0, 5.0)
    tells = told(owing, reach={"east": {"south"}})
    assert {(one.party, one.reason) for one in tells} == {("north", Reason.NOT_DELIVERED), ("east", Reason.RELAY)}
    assert told(replace(owing, met_s=59.0)) == ()


def test_what_no_person_answers_tells_nobody():
    assert told(Owing(REF, "north", "south", None, Owed.RECEIPT, 0.0, 5.0)) == ()


@pytest.mark.parametrize("message_class", MessageClass)
def test_every_class_has_a_step_for_all_that_is_owed_and_none_for_what_is_not(message_class):
    rules = {rule.owed for rule in DEFAULT_DEADLINES.rules[message_class]}
    steps = {step.owed for step in DEFAULT_LADDERS[message_class]}
    assert steps - {Owed.RECEIPT} == rules
    flash = DEFAULT_DEADLINES.rules[MessageClass.FLASH]
    assert all(rule.clock is Clock.KEPT for rule in flash), "nothing waits for a receipt"
    assert {step.after_s for step in DEFAULT_LADDERS[MessageClass.FLASH]} == {0.0, 60.0, 120.0, 300.0}


moments = st.one_of(st.none(), st.floats(0.0, 4_000.0))
owings = st.builds(
    lambda base, from_s, met_s, ceased_s, unable_s: replace(
        base, from_s=from_s, due_s=from_s + base.due_s, met_s=met_s, ceased_s=ceased_s, unable_s=unable_s
    ),
    st.sampled_from([ANSWER, ABLE, SEEN]), st.floats(0.0, 1_000.0), moments, moments, moments,
)  # fmt: skip


@given(st.lists(owings, max_size=6), st.floats(0.0, 6_000.0), st.floats(0.0, 6_000.0))
def test_asked_twice_it_is_the_same_and_asked_later_it_only_goes_on(owed, one_s, other_s):
    early, late = sorted((one_s, other_s))
    first, second = told(*owed, until_s=early), told(*owed, until_s=late)
    assert first == told(*reversed(owed), *owed, until_s=early)
    assert second[: len(first)] == first
    assert all(early < one.at_s <= late for one in second[len(first) :])
    # Nothing is missed by whoever asks again when it was told to.
    upcoming = next_s(owed, after_s=early)
    new = {one.at_s for one in told(*owed, until_s=float("inf")) if one.at_s > early}
    assert upcoming == min(new, default=None)


@given(st.lists(owings, min_size=1, max_size=4), st.floats(0.0, 4_000.0))
def test_what_was_told_before_an_answer_is_not_unsaid_by_it(owed, met_s):
    """The past does not change when an answer comes: only what lies after it is left out."""
    open_ = [replace(one, met_s=None, ceased_s=None, unable_s=None) for one in owed]
    given_ = [replace(one, met_s=met_s) for one in open_]
    before = [one for one in told(*open_) if one.at_s < met_s]
    assert [one for one in told(*given_) if one.at_s < met_s] == before
    assert all(one.reason is Reason.ARRIVED for one in told(*given_) if one.at_s >= met_s)


@pytest.mark.parametrize(
    "posts", [(), (Post(Role.PARTY_AUTHORITY),), (Post(Role.DUTY_OFFICER), Post(Role.DUTY_OFFICER, 0, ("pager",)))]
)
def test_a_roster_always_has_one_duty_officer(posts):
    with pytest.raises(InputError):
        Roster(posts)


def test_tells_name_the_entry_and_are_told_apart():
    tells = told(ANSWER, ABLE, SEEN)
    assert all(one.ref == REF for one in tells)
    assert all(one < other for one, other in itertools.pairwise(tells))
