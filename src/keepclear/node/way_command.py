"""Alarms by a command of the operator's: a pager, an SMS gateway, a siren.

It is started without a shell, with the notice as JSON on its standard input, and has so long to end. After that it is
killed, with all that it started. Only the operator at the machine can say which command that is: whoever could say it
over the network could run anything.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePath
from typing import IO, Any, Self

from keepclear.node.ways import Members, NotToldError, printable

__all__ = ["CommandWay"]

_MEMBERS = ("argv", "timeout_s")
_PASSED_ON = ("PATH", "HOME", "USER", "LANG", "LC_ALL", "TMPDIR")  # no settings of ours, which may hold secrets
_MOST_SHOWN = 500


@dataclass(frozen=True, slots=True)
class CommandWay:
    """A command and its arguments, and how long it may take."""

    argv: tuple[str, ...]
    timeout_s: float

    @classmethod
    def of_settings(cls, settings: Mapping[str, Any], secret: bytes | None) -> Self:
        """Read it as it was set up.

        Raises
        ------
        InputError
            With all that is wrong.
        """
        found = Members(settings, _MEMBERS)
        right = "a list: the program by its whole path, and its arguments"
        argv = found.texts("argv", right, most=100)
        if argv and not PurePath(argv[0]).is_absolute():
            found.fault("argv", "the program is not given by its whole path", right)
        if secret:
            found.fault("secret", "a command has none", "leave it out")
        timeout_s = found.number("timeout_s", "1 to 300 seconds", default=30.0, least=1.0, most=300.0)
        found.done()
        return cls(argv, timeout_s)

    def tell(self, notice: Mapping[str, Any], *, key: str, at_s: float) -> str:  # noqa: ARG002  # as every way
        """Run it; see `keepclear.node.ways.Way`. It has told somebody if it ends with 0."""
        told = json.dumps({**notice, "notice": key}, ensure_ascii=False).encode() + b"\n"
        environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        try:
            process = subprocess.Popen(  # noqa: S603  # the operator's own command, no shell
                self.argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                cwd="/", env=environment, start_new_session=True,
            )  # fmt: skip
        except (OSError, ValueError) as error:
            raise NotToldError(printable(f"it could not be started: {error}")) from error
        said = _Listener(process.stderr)
        try:
            feeder = threading.Thread(target=_feed, args=(process, told), name="keepclear-telling", daemon=True)
            feeder.start()
            code = process.wait(self.timeout_s)
        except subprocess.TimeoutExpired:
            raise NotToldError(f"it had not ended after {self.timeout_s:g} s, and was killed") from None
        finally:
            if process.poll() is None:
                _kill(process)
        if code != 0:
            raise NotToldError(printable(f"it ended with {code}: {said.text()}"))
        return "it ended with 0"


class _Listener:
    """Reads what a command says of its errors, keeps the beginning, and drops the rest."""

    def __init__(self, stream: IO[bytes] | None) -> None:
        self._said = bytearray()
        self._stream = stream
        self._thread = threading.Thread(target=self._listen, name="keepclear-telling", daemon=True)
        self._thread.start()

    def text(self) -> str:
        """What was said."""
        self._thread.join(0.5)  # what it started may hold the pipe open for as long as it likes
        return bytes(self._said).decode("utf-8", "replace") or "it said nothing"

    def _listen(self) -> None:
        if self._stream is None:
            return
        with self._stream, suppress(OSError, ValueError):
            while part := os.read(self._stream.fileno(), 4096):
                self._said += part[: _MOST_SHOWN - len(self._said)]


def _feed(process: subprocess.Popen[bytes], told: bytes) -> None:
    """Give it the notice; one that does not read it may do as it likes."""
    with suppress(OSError, ValueError):
        if process.stdin is not None:
            with process.stdin:
                process.stdin.write(told)


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):
        process.wait(5.0)
