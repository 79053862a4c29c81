"""What several threads have to do at once is done together, each thing once, and nobody waits for ever."""

from __future__ import annotations

import threading

import pytest

from keepclear.errors import StoreError
from keepclear.node.together import Together


class Worker:
    """Notes what it is given; while `gate` is shut it waits in its first work."""

    def __init__(self):
        self.given = []
        self.gate, self.began = threading.Event(), threading.Event()

    def __call__(self, items):
        self.given.append(list(items))
        self.began.set()
        assert self.gate.wait(20.0)


def started(work):
    failures = []

    def run():
        try:
            work()
        except BaseException as error:  # noqa: BLE001  # told by the test
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, failures


def queued(together, count):
    while len(together._queue) < count:  # no loop of events here
        pass


def test_who_is_alone_is_done_at_once():
    worker = Worker()
    worker.gate.set()
    together = Together(worker, most=4)
    together.do(["a"])
    together.do(["b", "c"])
    assert worker.given == [["a"], ["b", "c"]]


def test_who_comes_meanwhile_is_done_with_the_others_and_no_more_at_a_time_than_may_be():
    worker = Worker()
    together = Together(worker, most=4)
    threads = [started(lambda: together.do(["first"]))[0]]
    assert worker.began.wait(20.0)
    for number in range(6):
        threads.append(started(lambda number=number: together.do([number]))[0])
        queued(together, number + 1)
    threads.append(started(lambda: together.do(list("abcdef")))[0])
    queued(together, 7)
    worker.gate.set()
    for thread in threads:
        thread.join(20.0)
        assert not thread.is_alive()
    assert worker.given == [["first"], [0, 1, 2, 3], [4, 5], list("abcdef")]


def test_work_that_breaks_off_is_told_to_all_who_waited_for_it_and_others_go_on():
    worker = Worker()

    def breaks(items):
        worker(items)
        if "bad" in items:
            raise ZeroDivisionError

    together = Together(breaks, most=3)
    first, _ = started(lambda: together.do(["first"]))
    assert worker.began.wait(20.0)
    others = []
    for number, item in enumerate(("bad", "with it", "too", "later")):
        others.append(started(lambda item=item: together.do([item])))
        queued(together, number + 1)
    worker.gate.set()
    for thread, _ in [(first, []), *others]:
        thread.join(20.0)
        assert not thread.is_alive()
    assert [[type(one) for one in failures] for _, failures in others] == [
        [ZeroDivisionError], [StoreError], [StoreError], [],
    ]  # fmt: skip
    assert worker.given[1:] == [["bad", "with it", "too"], ["later"]]
    together.do(["again"])


def test_a_thousand_things_of_many_threads_are_each_done_once():
    done, guard = [], threading.Lock()

    def work(items):
        assert guard.acquire(blocking=False), "two are at work at once"
        done.extend(items)
        guard.release()

    together = Together(work, most=16)
    threads = [
        threading.Thread(target=lambda start=start: [together.do([start + n]) for n in range(125)])
        for start in range(0, 1000, 125)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60.0)
    assert sorted(done) == list(range(1000))


def test_whoever_does_not_wait_any_longer_holds_up_nobody(monkeypatch):
    worker = Worker()
    together = Together(worker, most=4)
    first, _ = started(lambda: together.do(["first"]))
    assert worker.began.wait(20.0)
    real = threading.Lock

    class Interrupted:
        """A lock whose owner is interrupted as soon as they would wait for it."""

        def __init__(self):
            self.lock = real()

        def acquire(self):
            if not self.lock.acquire(blocking=False):
                raise KeyboardInterrupt
            return True

        def release(self):
            self.lock.release()

    monkeypatch.setattr("keepclear.node.together.threading.Lock", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        together.do(["gone"])
    monkeypatch.undo()
    later, failures = started(lambda: together.do(["later"]))
    queued(together, 1)
    worker.gate.set()
    for thread in (first, later):
        thread.join(20.0)
        assert not thread.is_alive()
    assert not failures
    assert worker.given == [["first"], ["later"]]
