"""The state of a channel: every event in every state, silence to the second, one-way cuts, and line tests."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepclear.errors import InputError
from keepclear.line.channel import (
    CHARACTERS,
    DEFAULT_TIMING,
    TRANSITIONS,
    Channel,
    ChannelEvent,
    ChannelState,
    Timing,
    lost_characters,
    next_test_s,
)

HAPPENINGS = st.sampled_from(["heard", "one way", "begun", "back", "lost"])
UP, DEGRADED, DOWN, TESTING = ChannelState.UP, ChannelState.DEGRADED, ChannelState.DOWN, ChannelState.TESTING


def up(at_s=0.0) -> Channel:
    return Channel().heard(at_s, hears_us=True)[0]


def test_the_table_knows_only_changes():
    assert all(after is not before for (before, _), after in TRANSITIONS.items())
    assert set(TRANSITIONS.values()) == set(ChannelState)
    assert {event for _, event in TRANSITIONS} == set(ChannelEvent)
    # Whatever state it is in, silence leads down, and a heartbeat out of it.
    for state in ChannelState:
        assert TRANSITIONS.get((state, ChannelEvent.SILENT), DOWN) is DOWN
    assert TRANSITIONS[DOWN, ChannelEvent.HEARD] is UP


def happened(channel, event, at_s):
    """The channel after the event came about in the way in which it does."""
    match event:
        case ChannelEvent.HEARD | ChannelEvent.HEARD_ONE_WAY:
            return channel.heard(at_s, hears_us=event is ChannelEvent.HEARD)
        case ChannelEvent.MISSED:
            return channel.at(at_s + 180.0)
        case ChannelEvent.SILENT:
            return channel.at(at_s + 900.0)
        case ChannelEvent.TEST_BEGUN:
            return channel.test_begun(at_s)
        case _:
            return channel.test_returned(at_s, whole=event is ChannelEvent.TEST_PASSED)


def in_state(state):
    match state:
        case ChannelState.UP:
            return up()
        case ChannelState.DEGRADED:
            return Channel().heard(0.0, hears_us=False)[0]
        case ChannelState.DOWN:
            return up(-1_000.0).at(0.0)[0]
        case _:
            return up().test_begun(0.0)[0]


@pytest.mark.parametrize(("state", "event"), list(itertools.product(ChannelState, ChannelEvent)))
def test_every_event_in_every_state_leads_where_the_table_says(state, event):
    before = in_state(state)
    assert before.state is state
    after, changes = happened(before, event, 1.0)
    wanted = TRANSITIONS.get((state, event), state)
    if event is ChannelEvent.TEST_PASSED and state is DEGRADED:
        wanted = DEGRADED  # this one is degraded as the other side does not hear us, and a test does not change that
    if event is ChannelEvent.SILENT and state is not DOWN:
        assert [change.event for change in changes][-1] is ChannelEvent.SILENT
    assert after.state is wanted
    assert all(change.before is not change.after for change in changes)
    if changes:
        assert (changes[0].before, changes[-1].after) == (state, after.state)
        assert after.since_s == changes[-1].at_s


def test_three_missed_heartbeats_degrade_and_a_quarter_of_an_hour_is_down():
    channel = up(1_000.0)
    assert channel.at(1_179.999)[0].state is UP
    degraded, changes = channel.at(1_180.0)
    assert degraded.state is DEGRADED
    assert [(one.at_s, one.event) for one in changes] == [(1_180.0, ChannelEvent.MISSED)]
    assert degraded.at(1_899.999)[0].state is DEGRADED
    down, changes = degraded.at(1_900.0)
    assert down.state is DOWN
    assert [one.at_s for one in changes] == [1_900.0]


def test_looking_late_finds_each_change_at_its_own_moment():
    down, changes = up().at(10_000.0)
    assert [(one.at_s, one.after) for one in changes] == [(180.0, DEGRADED), (900.0, DOWN)]
    assert down.since_s == 900.0
    assert down.at(20_000.0)[1] == ()


def test_a_heartbeat_each_minute_keeps_it_up_and_two_missed_do_no_harm():
    channel, found = Channel(), []
    for at_s in (0, 60, 120, 300, 360, 420, 590):
        channel, changes = channel.heard(float(at_s), hears_us=True)
        found += changes
    assert [(one.at_s, one.after) for one in found] == [(0.0, UP), (300.0, DEGRADED), (300.0, UP)]


def test_a_channel_that_is_heard_one_way_is_not_up():
    channel, changes = up().heard(60.0, hears_us=False)
    assert channel.state is DEGRADED
    assert changes[0].event is ChannelEvent.HEARD_ONE_WAY
    assert channel.heard(120.0, hears_us=True)[0].state is UP
    assert Channel().heard(0.0, hears_us=False)[0].state is DEGRADED


def test_a_line_that_loses_letters_stays_degraded_until_a_test_passes():
    channel = up().test_begun(10.0)[0]
    assert channel.state is TESTING
    channel, changes = channel.test_returned(20.0, whole=False)
    assert channel.state is DEGRADED
    assert changes[0].event is ChannelEvent.TEST_FAILED
    channel = channel.heard(60.0, hears_us=True)[0]
    assert channel.state is DEGRADED
    channel = channel.test_begun(70.0)[0].test_returned(75.0, whole=True)[0]
    assert channel.state is UP


def test_a_test_that_does_not_come_back_fails_in_its_time():
    channel = up().test_begun(10.0)[0]
    for at_s in (60.0, 120.0, 180.0, 240.0, 300.0):
        channel = channel.heard(at_s, hears_us=True)[0]
    assert channel.state is TESTING
    channel, changes = channel.at(310.0)
    assert [(one.at_s, one.event, one.after) for one in changes] == [(310.0, ChannelEvent.TEST_FAILED, DEGRADED)]


def test_a_test_that_passes_does_not_hide_missed_heartbeats():
    channel = up().at(200.0)[0].test_begun(210.0)[0]
    assert channel.state is TESTING
    assert channel.test_returned(220.0, whole=True)[0].state is DEGRADED
    silent = up().at(1_000.0)[0].test_begun(1_010.0)[0]
    assert silent.state is DOWN
    assert silent.test_returned(1_020.0, whole=True)[0].state is DEGRADED
    assert silent.at(1_400.0)[0].state is DOWN


def test_our_clock_stepping_back_undoes_nothing():
    down = up(0.0).at(1_000.0)[0]
    assert down.at(10.0)[0] == down
    heard = down.heard(10.0, hears_us=True)[0]
    assert (heard.state, heard.heard_s) == (UP, 1_000.0)


def test_it_says_when_to_look_again():
    channel = up(0.0)
    assert channel.next_s() == 180.0
    assert channel.at(180.0)[0].next_s() == 900.0
    assert channel.at(900.0)[0].next_s() is None
    assert Channel().next_s() is None
    assert channel.test_begun(10.0)[0].next_s() == 180.0


@given(
    st.lists(st.tuples(st.floats(0.0, 4_000.0), HAPPENINGS), max_size=30),
    st.lists(st.floats(0.0, 5_000.0), max_size=30),
)
def test_looking_more_often_changes_nothing(events, looks):
    """Silence counts at its own moment, however often anybody looks."""

    def run(moments):
        channel, found = Channel(), []
        for at_s, what in moments:
            match what:
                case "heard" | "one way":
                    channel, changes = channel.heard(at_s, hears_us=what == "heard")
                case "begun":
                    channel, changes = channel.test_begun(at_s)
                case "back" | "lost":
                    channel, changes = channel.test_returned(at_s, whole=what == "back")
                case _:
                    channel, changes = channel.at(at_s)
            found += changes
        channel, changes = channel.at(6_000.0)
        return replace(channel, looked_s=None), [*found, *changes]

    told = sorted(events, key=lambda one: one[0])
    merged = sorted([*told, *((at_s, "look") for at_s in looks)], key=lambda one: one[0])
    # Stable sorting leaves looks after events of the same moment; a look changes nothing either way.
    assert run(merged) == run(told)


def test_tests_are_twice_a_day_in_utc():
    assert next_test_s(0.0) == 6 * 3_600.0
    assert next_test_s(6 * 3_600.0) == 18 * 3_600.0
    assert next_test_s(18 * 3_600.0) == 30 * 3_600.0
    assert len(DEFAULT_TIMING.test_s) == 2
    moments = list(itertools.accumulate(range(3), lambda at_s, _: next_test_s(at_s), initial=-1.0))
    assert moments[1:] == [6 * 3_600.0, 18 * 3_600.0, 30 * 3_600.0]


def test_the_characters_of_a_test_are_those_of_all_who_share_lines():
    for needed in "A~ßğыҐعکپ٧۷כ한中か’′°₺\u200f\U0001f6a9𠀀":
        assert needed in CHARACTERS
    assert lost_characters(CHARACTERS, CHARACTERS) == ()


@pytest.mark.parametrize(
    ("returned", "lost"),
    [
        (CHARACTERS.encode("latin-1", "replace").decode("latin-1"), "CYRILLIC SMALL LETTER ZHE"),
        (CHARACTERS.encode("cp1256", "replace").decode("cp1256"), "LATIN SMALL LETTER DOTLESS I"),
        (CHARACTERS.replace("٧", "7"), "ARABIC-INDIC DIGIT SEVEN"),
        (CHARACTERS.replace("\u200f", ""), "RIGHT-TO-LEFT MARK"),
        (CHARACTERS[::-1], "SPACE"),
        (CHARACTERS + "x", "more came back"),
        (CHARACTERS[:-1], "CJK"),
        ("", "SPACE"),
    ],
)
def test_what_a_line_loses_is_named(returned, lost):
    assert any(lost in one for one in lost_characters(CHARACTERS, returned))


def test_an_accent_composed_otherwise_is_not_lost():
    assert lost_characters("é", "e\u0301") == ()


@pytest.mark.parametrize(
    "wrong", [{"silent_s": 180.0}, {"missed": 0}, {"heartbeat_s": 0.0}, {"test_s": ()}, {"test_s": (86_400.0,)},
              {"test_within_s": 0.0}, {"silent_s": float("nan")}],
)  # fmt: skip
def test_timings_that_contradict_themselves_are_refused(wrong):
    with pytest.raises(InputError):
        Timing(**wrong)
