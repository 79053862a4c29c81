"""Real nodes for tests: folders set up as `keepclear init` does, and processes that serve them on loopback.

``Nodes`` keeps them together: whatever a test does to them, all of their processes are gone at the end.
"""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

import httpx

from keepclear.clock import now_s
from keepclear.node.beginning import Beginning, begin_node
from keepclear.node.folder import NodeFolder
from keepclear.node.settings import write_settings

__all__ = ["PASSWORD", "PROGRAM", "NodeProcess", "Nodes", "free_port", "loopback", "nodes_in"]

PROGRAM = str(Path(sys.executable).parent / "keepclear")
PASSWORD = "a long enough phrase for tests"
_START_S = 60.0
_STOP_S = 30.0


class NodeProcess:
    """A node that can be started, stopped, killed, and asked.

    Parameters
    ----------
    folder
        Of the node, set up.
    port
        That it listens at.
    """

    def __init__(self, folder: NodeFolder, port: int) -> None:
        self.folder, self.port = folder, port
        self.certificate = self.path / "tls" / "certificate.pem"
        scheme = "https" if self.certificate.exists() else "http"
        self.url = f"{scheme}://127.0.0.1:{port}"
        self.process: subprocess.Popen[bytes] | None = None
        self.starts = 0

    @property
    def path(self) -> Path:
        return self.folder.path

    @property
    def party(self) -> str:
        return self.folder.party

    @property
    def verify(self) -> ssl.SSLContext | bool:
        """What is believed of its certificate: that one alone, if it has one."""
        return ssl.create_default_context(cafile=str(self.certificate)) if self.certificate.exists() else True

    @property
    def log(self) -> str:
        """What the processes have written so far, all of them."""
        return "".join(
            path.read_text(errors="replace") for path in sorted(self.path.parent.glob(f"{self.path.name}.*.log"))
        )

    def start(self, *options: str, environment: Mapping[str, str] | None = None, wait: bool = True) -> Self:
        """Start ``keepclear serve``; with `wait`, return when it is ready."""
        assert self.process is None
        self.starts += 1
        # Into a file: a pipe that nobody reads would hold the node up.
        with (self.path.parent / f"{self.path.name}.{self.starts}.log").open("wb") as output:
            self.process = subprocess.Popen(
                [PROGRAM, "serve", str(self.path), "--port", str(self.port), *options],
                stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True,
                env={**os.environ, **(environment or {})},
            )  # fmt: skip
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self, timeout_s: float = _START_S) -> None:
        """Wait until it answers that it is ready."""
        until, verify = time.monotonic() + timeout_s, self.verify
        while time.monotonic() < until:
            assert self.process is not None
            if self.process.poll() is not None:
                raise AssertionError(f"{self.party} ended with {self.process.returncode}:\n{self.log[-4000:]}")
            with suppress(httpx.HTTPError):
                if httpx.get(f"{self.url}/readyz", timeout=2.0, verify=verify).status_code == 200:
                    return
            time.sleep(0.05)
        raise AssertionError(f"{self.party} was not ready within {timeout_s} s:\n{self.log[-4000:]}")

    def stop(self) -> int:
        """End it as its operator would, and wait; the exit status."""
        return self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a power cut would; its workers too."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def restart(self, *options: str) -> Self:
        """Kill it and start it again."""
        self.kill()
        return self.start(*options)

    def _end(self, number: int) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        try:
            status = self.process.wait(timeout=_STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.party} did not end:\n{self.log[-4000:]}") from None
        self.process = None
        return status

    def client(self) -> httpx.Client:
        """A client of the owner of the folder, who may do everything."""
        token = self.folder.local_token(make=True)
        return httpx.Client(
            base_url=f"{self.url}/api/v1", headers={"authorization": f"Bearer {token}"}, timeout=30.0, trust_env=False,
            verify=self.verify,
        )  # fmt: skip

    def asked(self, method: str, path: str, body: Any = None, *, status: int | None = None, **more: Any) -> Any:
        """What the API answers to the owner of the folder; anything but success (or `status`) fails the test."""
        with self.client() as client:
            answer = client.request(method, path, json=body, **more)
        expected = answer.is_success if status is None else answer.status_code == status
        assert expected, f"{method} {path}: {answer.status_code} {answer.text[:2000]}"
        return answer.json() if answer.content else None

    def run(self, command: str, *arguments: str, status: int = 0, text: str = "") -> str:
        """What ``keepclear COMMAND [SUBCOMMAND] DIR …`` prints; the folder goes after the command's words."""
        words = command.split()
        done = subprocess.run(
            [PROGRAM, *words, str(self.path), *arguments], input=text, capture_output=True, text=True, check=False,
            timeout=60,
        )  # fmt: skip
        assert done.returncode == status, f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout


def loopback(port: int) -> str:
    """Where a port is reached from this machine."""
    return f"http://127.0.0.1:{port}"


class Nodes:
    """The nodes of one test."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.made: list[NodeProcess] = []

    def new(
        self,
        party: str,
        *,
        called_only: bool = True,
        address_of: Callable[[int], str] = loopback,
        by_command: bool = False,
        **settings: object,
    ) -> NodeProcess:
        """Set up a node.

        Parameters
        ----------
        called_only
            False leaves it without an address, so that it has to call the others.
        address_of
            Gives the address on its card for the port that it listens at, where something stands in between.
        by_command
            Have ``keepclear init`` do it.
        """
        port, settings = free_port(), {"heartbeat_s": 1.0, **settings}
        address = address_of(port) if called_only else ""
        given = Beginning(
            party=party, name=f"{party} cell", officer="officer", password=PASSWORD,
            address=address, settings=settings,
        )  # fmt: skip
        folder = self._by_command(given) if by_command else begin_node(self._folder / party, given, time_s=now_s())
        node = NodeProcess(folder, port)
        self.made.append(node)
        return node

    def _by_command(self, given: Beginning) -> NodeFolder:
        path = self._folder / given.party
        words = ["--party", given.party, "--name", given.name, "--officer", given.officer, "--address", given.address]
        subprocess.run(
            [PROGRAM, "init", str(path), *words, "--password-file", "-"], input=given.password, text=True, check=True,
            capture_output=True, timeout=120,
        )  # fmt: skip
        write_settings(path, given.settings)
        return NodeFolder(path)

    def started(self, parties: Sequence[str], **settings: Any) -> list[NodeProcess]:
        """Set up nodes, and start them all at once."""
        made = [self.new(party, **settings) for party in parties]
        for node in made:
            node.start(wait=False)
        for node in made:
            node.wait_ready(2 * _START_S)
        return made

    def end(self) -> None:
        for node in self.made:
            node.kill()


@contextmanager
def nodes_in(folder: Path) -> Iterator[Nodes]:
    """Nodes in a folder, all of them killed at the end."""
    nodes = Nodes(folder)
    try:
        yield nodes
    finally:
        nodes.end()


def free_port() -> int:
    """One that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
