from __future__ import annotations

import threading

import pytest

from keepclear.node.bell import TOPICS, Bell


def test_who_waits_is_woken_by_its_topics_and_by_no_other():
    bell = Bell()
    said, came = bell.waiter("said"), bell.waiter("came", "body")
    bell.ring("body")
    assert came.wait(0)
    assert not said.wait(0)


def test_a_ring_while_the_waiter_was_busy_is_not_lost_and_counts_once():
    bell = Bell()
    waiter = bell.waiter("said")
    bell.ring("said")
    bell.ring("said")
    assert waiter.wait(0)
    assert not waiter.wait(0)


def test_everybody_is_woken_when_the_node_stops():
    bell = Bell()
    waiter = bell.waiter("receipt")
    bell.ring("stop")
    assert waiter.wait(0)


def test_a_waiter_that_was_closed_is_forgotten():
    bell = Bell()
    with bell.waiter("said") as waiter:
        pass
    bell.ring("said")
    assert not waiter.wait(0)


def test_callbacks_get_the_topics_of_each_ring_until_they_are_taken_back():
    bell = Bell()
    heard: list[frozenset[str]] = []
    stop = bell.listen(heard.append)
    bell.ring("said", "event")
    stop()
    bell.ring("came")
    assert heard == [frozenset({"said", "event"})]


def test_a_topic_that_there_is_not_is_our_own_mistake():
    with pytest.raises(AssertionError):
        Bell().ring("bell")
    with pytest.raises(AssertionError):
        Bell().waiter("bell")
    assert "stop" in TOPICS


def test_no_wake_up_is_lost_between_threads_that_ring_and_one_that_counts():
    bell = Bell()
    made = 0
    seen = 0
    guard = threading.Lock()
    waiter = bell.waiter("said")

    def ring() -> None:
        nonlocal made
        for _ in range(2000):
            with guard:
                made += 1
            bell.ring("said")

    threads = [threading.Thread(target=ring) for _ in range(4)]
    for thread in threads:
        thread.start()
    while seen < 8000:
        # A wake-up that was lost would leave this waiting although there is something to see.
        assert waiter.wait(10)
        with guard:
            seen = made
    for thread in threads:
        thread.join()
