"""The clock of a replay: it stands still until it is stepped, and all nodes read the same one.

Between two steps of a scenario may lie a second or a year. In a real year the nodes would have told each other every
minute that they are there; here they do so once, at the end of it. So the thread that steps the clock sees the new
time first, lets the nodes hear of each other at it, and only then does everybody else: nobody finds a silence.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["SteppedClock"]


class SteppedClock:
    """Tells the time that it was last stepped to. Any thread may call it; one thread steps it.

    Parameters
    ----------
    time_s
        Seconds since the epoch, to begin with.
    """

    def __init__(self, time_s: float) -> None:
        self._time_s = time_s
        self._ahead = threading.local()

    def __call__(self) -> float:
        """The time, for the thread that asks."""
        ahead_s: float | None = getattr(self._ahead, "time_s", None)
        return self._time_s if ahead_s is None else ahead_s

    @contextmanager
    def stepped(self, to_s: float) -> Iterator[None]:
        """Within, it is later for the thread that steps; afterwards for all."""
        assert to_s >= self._time_s, (to_s, self._time_s)
        self._ahead.time_s = to_s
        try:
            yield
            self._time_s = to_s
        finally:
            self._ahead.time_s = None
