"""A conversation with the Go program of this folder (``peer.go``)."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path
from typing import Any


class RefusedError(Exception):
    """What the other side did not accept, in its words."""


class Peer:
    """A conversation with the running program: one line of JSON each way."""

    def __init__(self, program: Path) -> None:
        self._process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, do: str, **question: Any) -> Any:
        """Its answer; `RefusedError` if it refuses. Bytes go as base64, which is how Go's JSON has them."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps({"do": do, **question}, default=_base64), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        assert line, f"the Go program ended with status {self._process.wait(10)}"
        reply = json.loads(line)
        if "refused" in reply:
            raise RefusedError(reply["refused"])
        return reply["answer"]

    def close(self) -> None:
        self._process.communicate(timeout=10)


def _base64(value: Any) -> str:
    if not isinstance(value, bytes):
        raise TypeError(f"{type(value).__name__} cannot be sent")
    return base64.b64encode(value).decode()
