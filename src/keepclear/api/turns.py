"""What several requests want done is done together, some at a time, in few threads that are not the event loop's.

A thread for each would have all of them run at once and get in each other's way, and each would go to its thread and
back by itself. Nobody waits for company: who comes while a thread is free goes at once, and who comes meanwhile goes
with the next.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from starlette.concurrency import run_in_threadpool

from keepclear.node.filing_rounds import again

__all__ = ["Turns"]

_WantedT = TypeVar("_WantedT")
_AnswerT = TypeVar("_AnswerT")


class Turns(Generic[_WantedT, _AnswerT]):
    """Has things done together. It is used in one event loop.

    Parameters
    ----------
    work
        Does as many as it is given; of each, in their order, what became of it.
    most
        How many at a time.
    abreast
        How many threads: while one of them waits for the disk, another goes on.
    """

    def __init__(
        self, work: Callable[[Sequence[_WantedT]], Sequence[_AnswerT | Exception]], *, most: int, abreast: int = 1
    ) -> None:
        self._work, self._most, self._abreast = work, most, abreast
        self._waiting: deque[tuple[_WantedT, asyncio.Future[_AnswerT]]] = deque()
        self._going: set[asyncio.Task[None]] = set()

    async def do(self, wanted: _WantedT) -> _AnswerT:
        """Have it done; it is, once it has begun, even if nobody waits any more."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[_AnswerT] = loop.create_future()
        self._waiting.append((wanted, answer))
        if len(self._going) < self._abreast:
            task = loop.create_task(self._go())
            self._going.add(task)
            task.add_done_callback(self._going.discard)
        return await answer

    async def _go(self) -> None:
        while self._waiting:
            taken = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
            taken = [one for one in taken if not one[1].done()]  # nobody waits for those any more
            if taken:
                await self._turn([wanted for wanted, _ in taken], [answer for _, answer in taken])

    async def _turn(self, wanted: Sequence[_WantedT], answers: Sequence[asyncio.Future[_AnswerT]]) -> None:
        try:
            done: Sequence[_AnswerT | Exception] = await run_in_threadpool(self._work, wanted)
        except Exception as error:  # noqa: BLE001  # raised to each who waits
            done = [again(error) for _ in wanted]
        for answer, result in zip(answers, done, strict=True):
            if answer.done():
                continue
            if isinstance(result, Exception):
                answer.set_exception(result)
            else:
                answer.set_result(result)
