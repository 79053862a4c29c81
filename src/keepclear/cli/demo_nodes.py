"""The two nodes of the demonstration: real processes on this machine, started, killed and started again."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from time import sleep
from typing import IO

from keepclear.cli.node_requests import AskedNode
from keepclear.clock import monotonic_s
from keepclear.errors import KeepclearError, StoreError
from keepclear.node.beginning import Beginning, begin_node
from keepclear.node.folder import NodeFolder
from keepclear.record.fingerprints import words

__all__ = ["DemoNode"]

_START_S = 60.0
_STOP_S = 15.0
_PASSWORD = "this node is a demonstration"  # noqa: S105  # of nodes that are reached from this machine alone


class DemoNode:
    """A party's node.

    Parameters
    ----------
    folder
        Where it is set up.
    party, name
        Whose it is.
    time_s
        Now.
    """

    def __init__(self, folder: Path, party: str, name: str, *, time_s: float) -> None:
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.party, self.name = party, name
        given = Beginning(
            party=party, name=name, officer="officer", password=_PASSWORD, address=self.url,
            settings={"port": self.port},
        )  # fmt: skip
        self.folder: NodeFolder = begin_node(folder, given, time_s=time_s)
        self._process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None
        self._requests: AskedNode | None = None

    @property
    def words(self) -> str:
        """The words of its identity."""
        return " ".join(words(self.folder.identity))

    @property
    def pid(self) -> int | None:
        """The number of its process; None where it does not run."""
        return None if self._process is None else self._process.pid

    @property
    def ask(self) -> AskedNode:
        """The node, to be asked."""
        assert self._requests is not None
        return self._requests

    def start(self) -> None:
        """Start it; when it answers, `wait` tells."""
        self._log = (self.folder.path / "serve.log").open("ab")
        # Of a session of its own: Ctrl-C is for us, and we stop it.
        self._process = subprocess.Popen(  # noqa: S603  # this very program
            [sys.executable, "-m", "keepclear.cli", "serve", str(self.folder.path)],
            stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log, start_new_session=True,
        )  # fmt: skip

    def wait(self) -> None:
        """Wait until it answers.

        Raises
        ------
        StoreError
            If it does not within a minute.
        """
        assert self._process is not None
        until_s = monotonic_s() + _START_S
        while monotonic_s() < until_s and self._process.poll() is None:
            token = self.folder.local_token()
            if token is not None and self.folder.running() is not None:
                requests = AskedNode(self.url, token=token)
                with suppress(KeepclearError):
                    requests.me()
                    self._requests = requests
                    return
                requests.close()
            sleep(0.05)
        self.kill()
        raise StoreError(f"the node of {self.party} did not start; see {self.folder.path / 'serve.log'}")

    def kill(self) -> None:
        """End it as a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ask it to stop, and wait."""
        self._end(signal.SIGTERM)

    def _end(self, number: int) -> None:
        if self._requests is not None:
            self._requests.close()
            self._requests = None
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.send_signal(number)
            try:
                self._process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        if self._log is not None:
            self._log.close()
            self._log = None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
