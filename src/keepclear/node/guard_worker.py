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
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Any

from keepclear.clock import monotonic_s
from keepclear.line.guards import Outcome, Span, Verdict, guard_members, guard_text

__all__ = ["GuardTask", "GuardWorker", "judged"]

_LENGTH = struct.Struct(">I")
_REST_S = 15.0
_NAMES = frozenset({"unit", "callsign", "uid", "icao"})
_PLAIN = frozenset({"time", "height_reference"})
_LONGEST_PLAIN = 40
_POSITION = _NAMES | _PLAIN | {"lon_deg", "lat_deg", "height_m", "uncertainty_m"}
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
        files = [inner for file in task.attachments for inner in _files(*file)]
        found = [guard_attachment(name, data, text=text) for name, data in files]
        worst = max([worst, *found], key=lambda one: one.outcome)
    return worst


def _files(name: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    """An attachment; of the document of an agreement the texts, terms and annexes instead, which are packed in it.

    Of a batch of positions the names instead: there are thousands of lines of numbers, and few names.
    """
    names = _names(data) if name.endswith(".ndjson") else None
    if names is not None:
        yield f"{name}.txt", "\n".join(names).encode(errors="replace")
        return
    document = _document(data)
    if document is None:
        yield name, data
        return
    for number, one in enumerate(document.pop("texts")):
        yield f"text {number}.md", str(_member(one, "text")).encode(errors="replace")
    for number, one in enumerate(document.pop("annexes")):
        try:
            yield str(_member(one, "name")) or f"annex {number}", base64.b64decode(str(_member(one, "data")))
        except ValueError:
            yield name, data  # no annex that anybody can read: all of it is judged as it is
    yield name, json.dumps(document, ensure_ascii=False).encode(errors="replace")


def _names(data: bytes) -> list[str] | None:
    """The names in a batch of positions; None where there is anything in it but names, times and numbers."""
    found: dict[str, None] = {}
    try:
        for line in data.splitlines():
            position = json.loads(line)
            if not isinstance(position, dict) or not position.keys() <= _POSITION:
                return None
            for member, value in position.items():
                if member in _NAMES:
                    found[str(value)] = None
                elif member in _PLAIN:
                    if not (isinstance(value, str) and len(value) <= _LONGEST_PLAIN):
                        return None
                elif isinstance(value, bool) or not isinstance(value, int | float):
                    return None
    except (ValueError, RecursionError):
        return None
    return list(found)


def _document(data: bytes) -> dict[str, Any] | None:
    if not data.startswith(b"{") or b'"annexes"' not in data or b'"texts"' not in data:
        return None
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return None
    is_one = isinstance(found, dict) and all(isinstance(found.get(one), list) for one in ("texts", "annexes"))
    return found if is_one else None


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
