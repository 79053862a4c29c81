"""What several requests want done at once is done together, each for itself, and nobody waits for ever."""

from __future__ import annotations

import asyncio
import threading

import pytest

from keepclear.api.turns import Turns
from keepclear.errors import Fault, InputError, StoreError


class Worker:
    """Notes what it is given; while `gate` is shut it waits. Of a text comes the text in capitals, of else an error."""

    def __init__(self):
        self.given, self.gate = [], threading.Event()

    def __call__(self, wanted):
        self.given.append(list(wanted))
        assert self.gate.wait(20.0)
        if "broken" in wanted:
            raise OSError("the disk is gone")
        return [one.upper() if isinstance(one, str) else InputError(Fault(f"{one} is no text")) for one in wanted]


async def begun(worker, count):
    while len(worker.given) < count:  # noqa: ASYNC110  # what is waited for happens in a thread
        await asyncio.sleep(0.001)


def all_done(worker, first, others, *, most=4):
    """What became of each, where the first is being done when the others come."""

    async def run():
        turns = Turns(worker, most=most)
        tasks = [asyncio.create_task(turns.do(first))]
        await begun(worker, 1)
        tasks += [asyncio.create_task(turns.do(one)) for one in others]
        await asyncio.sleep(0.01)
        worker.gate.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    return asyncio.run(run())


def test_who_comes_meanwhile_goes_with_the_others_and_no_more_at_a_time_than_may():
    worker = Worker()
    assert all_done(worker, "first", list("abcdef")) == ["FIRST", *"ABCDEF"]
    assert worker.given == [["first"], list("abcd"), list("ef")]


def test_each_has_its_own_answer_or_error():
    done = all_done(Worker(), "first", ["a", 1, "b", 2])
    assert [done[0], done[1], done[3]] == ["FIRST", "A", "B"]
    assert [str(one) for one in (done[2], done[4])] == ["1 is no text", "2 is no text"]


def test_work_that_breaks_off_is_told_to_all_whose_it_was_and_the_next_is_done():
    done = all_done(Worker(), "first", ["a", "broken", "b"], most=2)
    assert [done[0], done[3]] == ["FIRST", "B"]
    assert all(isinstance(one, StoreError) and "not known how far" in str(one) for one in done[1:3])
    assert done[1] is not done[2]


def test_what_nobody_waits_for_any_more_is_not_begun():
    worker = Worker()

    async def run():
        turns = Turns(worker, most=4)
        first = asyncio.create_task(turns.do("first"))
        await begun(worker, 1)
        left, other = (asyncio.create_task(turns.do(one)) for one in ("left", "other"))
        await asyncio.sleep(0.01)
        left.cancel()
        worker.gate.set()
        with pytest.raises(asyncio.CancelledError):
            await left
        return await asyncio.gather(first, other)

    assert asyncio.run(run()) == ["FIRST", "OTHER"]
    assert worker.given == [["first"], ["other"]]


def test_who_leaves_while_it_is_done_harms_no_other_and_later_ones_are_done():
    worker = Worker()

    async def run():
        turns = Turns(worker, most=4)
        left = asyncio.create_task(turns.do("left"))
        await begun(worker, 1)
        other = asyncio.create_task(turns.do("other"))
        left.cancel()
        worker.gate.set()
        return await other, await turns.do("later")

    assert asyncio.run(run()) == ("OTHER", "LATER")
    assert worker.given == [["left"], ["other"], ["later"]]


def test_as_many_threads_as_may_are_at_it_and_no_more():
    worker = Worker()

    async def run():
        turns = Turns(worker, most=4, abreast=2)
        tasks = [asyncio.create_task(turns.do("a"))]
        await begun(worker, 1)
        tasks.append(asyncio.create_task(turns.do("b")))
        await begun(worker, 2)  # while the first is not done
        tasks += [asyncio.create_task(turns.do(one)) for one in "cd"]
        await asyncio.sleep(0.01)
        assert worker.given == [["a"], ["b"]]
        worker.gate.set()
        return await asyncio.gather(*tasks)

    assert asyncio.run(run()) == list("ABCD")
    assert worker.given == [["a"], ["b"], ["c", "d"]]
