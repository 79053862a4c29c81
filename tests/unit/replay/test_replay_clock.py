"""The clock of a replay: the thread that steps it is ahead of all others while it does."""

from __future__ import annotations

import threading

import pytest

from keepclear.replay.stepped_clock import SteppedClock


def test_others_see_the_step_when_it_is_over() -> None:
    clock = SteppedClock(100.0)
    seen: list[float] = []

    def look() -> None:
        thread = threading.Thread(target=lambda: seen.append(clock()))
        thread.start()
        thread.join()

    with clock.stepped(160.0):
        assert clock() == 160.0
        look()
    look()
    assert seen == [100.0, 160.0]
    assert clock() == 160.0


def test_a_step_that_fails_is_none() -> None:
    clock = SteppedClock(100.0)
    with pytest.raises(StopIteration), clock.stepped(160.0):
        next(iter(()))
    assert clock() == 100.0
