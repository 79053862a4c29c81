"""A process that judges texts, so that one which takes for ever can be cut off.

The guards are patterns, and whoever writes against them may find a text on which a pattern takes minutes. In a thread
nothing stops that, and it would hold up the whole node. So whatever is long is judged here, by a process that is ended
when its time is over; the next judgement starts another.

Run by `GuardWorker` as ``python -m keepclear.node.guard_worker``: requests and answers are JSON with its length before.
"""

from __future__ import annotations

import base64
import json
import struct
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Any

from keepclear.clock import monotonic_s
from keepclear.line.guards import Outcome, Span, Verdict, guard_members, guard_text

__all__ = ["GuardTask", "GuardWorker", "judged"]

_LENGTH = struct.Struct(">I")
_REST_S = 15.0
_RECURSION = 100_000  # nobody's JSON is so deep: the record's own reader allows far less


@dataclass(frozen=True, slots=True)
class GuardTask:
    """What is to be judged.

    Attributes
    ----------
    members
        A body's members; a text, where they could not be read as JSON.
    attachments
        Names and contents.
    """

    members: object
    attachments: Sequence[tuple[str, bytes]] = ()

    def to_bytes(self) -> bytes:
        """As a request."""
        files = [[name, base64.b64encode(data).decode("ascii")] for name, data in self.attachments]
        return json.dumps({"members": self.members, "attachments": files}).encode()

    @classmethod
    def of_bytes(cls, data: bytes) -> GuardTask:
        """Of a request."""
        told = json.loads(data)
        return cls(told["members"], [(name, base64.b64decode(text)) for name, text in told["attachments"]])


def judged(task: GuardTask) -> Verdict:
    """The worst that the guards say of it; a FLASH is judged as anything else, and let through by the caller."""
    members = task.members
    worst = guard_text(members) if isinstance(members, str) else guard_members(members)
    if task.attachments:
        from keepclear.line.attachments import guard_attachment

        text = members if isinstance(members, str) else str(_member(members, "text"))
        found = [guard_attachment(name, data, text=text) for name, data in task.attachments]
        worst = max([worst, *found], key=lambda one: one.outcome)
    return worst


class GuardWorker:
    """The process, started when it is needed. Any thread may ask; one is judged at a time.

    Parameters
    ----------
    rest_s
        After so long without anything to judge the process is ended: it takes as much memory as a fifth of a node.
    """

    def __init__(self, *, rest_s: float = _REST_S) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._rest_s, self._used_s = rest_s, 0.0
        self._resting: threading.Timer | None = None

    def judge(self, task: GuardTask, *, limit_s: float) -> Verdict | None:
        """The verdict; None if it took longer than `limit_s`, or the process ended over it."""
        data = task.to_bytes()
        with self._lock:
            process = self._running()
            timer = threading.Timer(limit_s, process.kill)
            timer.daemon = True
            timer.start()
            try:
                answer = _asked(process, data)
            finally:
                timer.cancel()
            self._used_s = monotonic_s()
            if answer is None:
                self._end()
                return None
            self._rest_later(self._rest_s)
        return _verdict(json.loads(answer))

    def stop(self) -> None:
        """End the process; the next judgement starts another."""
        with self._lock:
            if self._resting is not None:
                self._resting.cancel()
                self._resting = None
            self._end()

    def _rest_later(self, wait_s: float) -> None:
        """With the lock held."""
        if self._resting is None:
            self._resting = threading.Timer(wait_s, self._rest)
            self._resting.daemon = True
            self._resting.start()

    def _rest(self) -> None:
        with self._lock:
            self._resting = None
            left_s = self._used_s + self._rest_s - monotonic_s()
            if left_s > 0.0 and self._process is not None:
                self._rest_later(left_s)
            else:
                self._end()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._end()
            self._process = subprocess.Popen(
                # -P: what lies about in the working directory is not this program.
                [sys.executable, "-P", "-m", "keepclear.node.guard_worker"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            )  # fmt: skip
        return self._process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with suppress(OSError):
                        pipe.close()
            process.wait()


def _asked(process: subprocess.Popen[bytes], data: bytes) -> bytes | None:
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(_LENGTH.pack(len(data)) + data)
        process.stdin.flush()
        return _read(process.stdout)
    except OSError:
        return None


def _read(pipe: IO[bytes]) -> bytes | None:
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    data = pipe.read(length)
    return data if len(data) == length else None


def _member(members: object, name: str) -> object:
    return members.get(name, "") if isinstance(members, dict) else ""


def _verdict(told: Any) -> Verdict:
    spans = tuple(Span(*one) for one in told["spans"])
    return Verdict(Outcome(told["outcome"]), told["guard"], spans, told["sentence"])


def _serve() -> None:
    sys.setrecursionlimit(_RECURSION)
    while (data := _read(sys.stdin.buffer)) is not None:
        verdict = judged(GuardTask.of_bytes(data))
        spans = [(one.member, one.start, one.end) for one in verdict.spans]
        told = {"outcome": verdict.outcome, "guard": verdict.guard, "spans": spans, "sentence": verdict.sentence}
        answer = json.dumps(told).encode()
        sys.stdout.buffer.write(_LENGTH.pack(len(answer)) + answer)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    _serve()
