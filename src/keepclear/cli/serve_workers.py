"""``keepclear serve --workers N``: several processes that answer on the same sockets, and one that looks after them.

The first process holds the folder's lock and the sockets, and forks the others before it has opened anything else. One
that ends by itself is started again; where that goes on and on, the node ends and says so.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import socket
import sys
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from typing import TYPE_CHECKING

from keepclear.cli.screen import note
from keepclear.clock import monotonic_s
from keepclear.store.files import write_whole

if TYPE_CHECKING:
    from types import FrameType

    from keepclear.cli.node_server import Listening
    from keepclear.node.folder import NodeFolder

__all__ = ["serve_workers"]

_FAILED = 75  # EX_TEMPFAIL of sysexits.h: whoever looks after it starts it again
_ENDS, _WITHIN_S = 10, 60.0  # so many that end so soon are not started again
_GRACE_S = 20.0
_LEADER = "leader.json"


def serve_workers(folder: NodeFolder, listening: Listening, *, told: Sequence[str]) -> int:
    """Serve until SIGINT or SIGTERM; the exit status."""
    # Imported once for all of them, before they are forked: it takes seconds, and most of a process's memory.
    import_module("keepclear.api.app")
    import_module("keepclear.node.running")
    family = _Family(folder, listening)
    before = {one: signal.signal(one, family.asked_to_end) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        for _ in range(folder.settings.workers):
            family.add()
        folder.announce(listening.local_url, certificate=listening.certificate)
        sys.stdout.write("".join(f"{line}\n" for line in told))
        sys.stdout.flush()
        return family.look_after()
    finally:
        family.end()
        for one, handler in before.items():
            signal.signal(one, handler)


class _Family:
    """The processes that serve, and what the first one does with them."""

    def __init__(self, folder: NodeFolder, listening: Listening) -> None:
        self._folder, self._listening = folder, listening
        self._children: list[BaseProcess] = []
        self._ended: deque[float] = deque(maxlen=_ENDS)
        self._ending = False
        # A signal is noticed by what stands in this pipe, whatever is being waited for.
        self._told, self._tell = os.pipe()

    def asked_to_end(self, _number: int, _frame: FrameType | None) -> None:
        """What a signal does."""
        self._ending = True
        os.write(self._tell, b".")

    def add(self) -> None:
        # Forked, so that they have the sockets, and a passphrase that somebody has typed.
        child = multiprocessing.get_context("fork").Process(target=_work, args=(self._folder, self._listening))
        child.start()
        self._children.append(child)

    def ending(self) -> bool:
        """Whether a signal has come."""
        return self._ending

    def look_after(self) -> int:
        while not self.ending():
            wait([self._told, *(child.sentinel for child in self._children)])
            for child in [child for child in self._children if not child.is_alive()]:
                self._children.remove(child)
                if self.ending():
                    continue
                self._ended.append(monotonic_s())
                if len(self._ended) == _ENDS and self._ended[-1] - self._ended[0] < _WITHIN_S:
                    note("keepclear: its processes end as soon as they are started; see what they say above")
                    return _FAILED
                self.add()
        return 0

    def end(self) -> None:
        for child in self._children:
            with suppress(ProcessLookupError):
                child.terminate()
        until = monotonic_s() + _GRACE_S
        for child in self._children:
            child.join(max(0.0, until - monotonic_s()))
            if child.is_alive():
                child.kill()
                child.join()
        with suppress(OSError):
            (self._folder.run / _LEADER).unlink(missing_ok=True)


def _work(folder: NodeFolder, listening: Listening) -> None:
    """One of the processes: the node is opened, served, and closed."""
    from keepclear.api.handing_on import HandingOn
    from keepclear.cli.node_server import NodeServer
    from keepclear.errors import KeepclearError
    from keepclear.node.log_lines import set_up_logs
    from keepclear.node.running import Node

    set_up_logs(level=folder.settings.log_level, form=folder.settings.log_format)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # typed at a terminal, all get it; the first process tells us
    own = socket.create_server(("127.0.0.1", 0))
    own.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # what is accepted has it from here
    scheme = "http" if listening.tls is None else "https"
    url = f"{scheme}://127.0.0.1:{own.getsockname()[1]}"
    failed: list[str] = []
    try:
        with Node.open(folder) as node:
            server = NodeServer(
                node, listening, besides=[own],
                around=lambda app: HandingOn(app, leads=node.leads, leader=lambda: _leader(folder)),
            )  # fmt: skip

            def give_up(sentence: str) -> None:
                failed.append(sentence)
                server.ask_to_end()

            node.failed = give_up
            node.led = lambda: write_whole(folder.run / _LEADER, json.dumps({"url": url}).encode(), mode=0o600)
            node.start()
            server.run()
    except KeepclearError as error:
        failed.append(str(error))
    for sentence in failed:
        note(f"keepclear: {sentence}")
    sys.exit(_FAILED if failed else 0)


def _leader(folder: NodeFolder) -> str | None:
    """Where the process that leads left word that it is reached."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        return str(json.loads((folder.run / _LEADER).read_bytes())["url"])
    return None
