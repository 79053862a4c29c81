"""What is concluded from a heartbeat: no replay counts, our own clock says how fresh it is, a round trip compares."""

from __future__ import annotations

from dataclasses import replace

import pytest

from keepclear.errors import PeerError
from keepclear.line.hearing import MOST_SENT, Hearing
from keepclear.line.heartbeats import Heard, Heartbeat

T = 1_772_442_000.0
START = Hearing("b", "border")
SENT = START.sent(Heartbeat("a", "border", "b", T, 5))


def heartbeat(sent_s=T, sequence=1, heard=None):
    return Heartbeat("b", "border", "a", sent_s, sequence, (), heard)


@pytest.mark.parametrize("sequence", [1, 2, 3])
def test_a_replay_is_refused_and_changes_nothing(sequence):
    after, _ = START.heard(heartbeat(sequence=3), received_s=T)
    with pytest.raises(PeerError, match="replay"):
        after.heard(heartbeat(sequence=sequence, sent_s=T + 60), received_s=T + 60)
    again, _ = after.heard(heartbeat(sequence=4), received_s=T + 60)
    assert again.last == Heard(4, T, T + 60)


@pytest.mark.parametrize("ahead_s", [-600.0, -5.2, -4.9, 0.0, 3.0, 5.5, 600.0])
@pytest.mark.parametrize(("there_s", "back_s"), [(0.0, 0.0), (0.1, 0.1), (1.0, 0.0), (0.0, 2.0)])
def test_clocks_are_compared_over_a_round_trip(ahead_s, there_s, back_s):
    held_s = 20.0  # the peer sends its own when it is due
    came_s = T + there_s
    answer = heartbeat(came_s + held_s + ahead_s, heard=Heard(5, T, came_s + ahead_s))
    _, told = SENT.heard(answer, received_s=came_s + held_s + back_s)
    assert told.clock is not None
    assert told.clock.error_s == pytest.approx((there_s + back_s) / 2, abs=0.01)
    assert abs(told.clock.ahead_s - ahead_s) <= told.clock.error_s
    assert told.clock.flagged == (abs(told.clock.ahead_s) > 5)
    if abs(ahead_s) <= 5:
        assert not told.clock.certain  # certain means certain
    if abs(ahead_s) > 5 + there_s + back_s + 0.01:
        assert told.clock.certain
    assert told.oldest_s == pytest.approx(held_s + there_s + back_s)  # our clock alone, however wrong the other is
    assert told.fresh(60)
    assert not told.fresh(10)


def test_one_way_alone_shows_only_a_clock_that_is_ahead():
    _, told = START.heard(heartbeat(T + 7), received_s=T)
    assert told.clock is not None
    assert (told.clock.ahead_s, told.clock.error_s, told.clock.flagged) == (7.0, None, True)
    _, told = START.heard(heartbeat(T - 7), received_s=T)  # slow, or behind: nobody can tell
    assert told.clock is None
    assert told.oldest_s is None
    assert not told.fresh(1e9)


def test_an_answer_to_what_is_not_remembered_says_nothing():
    for heard in (Heard(4, T, T), Heard(99, T, T)):
        _, told = SENT.heard(heartbeat(heard=heard), received_s=T)
        assert (told.oldest_s, told.clock) == (None, None)


def test_an_answer_to_what_was_sent_otherwise_is_refused():
    with pytest.raises(PeerError, match="sent when it was not"):
        SENT.heard(heartbeat(heard=Heard(5, T + 1, T)), received_s=T)


def test_a_round_trip_that_cannot_be_shows_no_difference():
    answer = heartbeat(T + 100, heard=Heard(5, T, T))  # held for 100 s, and here after 1
    _, told = SENT.heard(answer, received_s=T + 1)
    assert told.clock is not None
    assert told.clock.error_s is None  # at least ahead, by one way alone


def test_another_party_or_line_is_refused():
    with pytest.raises(PeerError, match="of c on border"):
        START.heard(replace(heartbeat(), party="c"), received_s=T)
    with pytest.raises(PeerError, match="on other"):
        START.heard(replace(heartbeat(), line="other"), received_s=T)


def test_what_is_remembered_is_bounded_and_sequences_grow():
    hearing, sequences = START, []
    for n in range(MOST_SENT + 50):
        sequences.append(hearing.next_sequence(T - n))  # even of a clock that runs backwards
        hearing = hearing.sent(Heartbeat("a", "border", "b", T - n, sequences[-1]))
    assert sequences == sorted(set(sequences))
    assert list(hearing.ours) == sequences[-MOST_SENT:]
    assert START.next_sequence(-5.0) == 1
