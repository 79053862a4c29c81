"""Loads for a node: filings at a steady rate or as fast as some clients can, and readers of its events."""

from __future__ import annotations

import http.client
import json
import os
import queue
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.node_pair import LINE
from bench.node_plans import request_of
from keepclear.cli.demo_nodes import DemoNode
from keepclear.model.operations import Operation, Zone

__all__ = ["Events", "Filer", "file_all", "file_lists", "file_steadily", "streams", "until_quiet"]


class Filer:
    """A client with one connection that stays open.

    Parameters
    ----------
    node
        Asked as the owner of its folder.
    """

    def __init__(self, node: DemoNode) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", node.port, timeout=60.0)
        self._connection.connect()
        self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._headers = {"authorization": f"Bearer {node.folder.local_token()}", "content-type": "application/json"}

    def file(self, plan: Operation | Zone) -> str:
        """File it; the entry's id."""
        path, body = request_of(plan, LINE)
        return str(self.post(path, body)["id"])

    def post(self, path: str, body: object) -> dict[str, object]:
        """What the node answers."""
        self._connection.request("POST", path, body=json.dumps(body), headers=self._headers)
        answer = self._connection.getresponse()
        text = answer.read()
        assert answer.status in {200, 201}, f"{path}: {answer.status} {text[:500]!r}"
        found: dict[str, object] = json.loads(text)
        return found

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()


def file_all(node: DemoNode, plans: Sequence[Operation | Zone], *, clients: int) -> float:
    """File them all, each client one after another, each plan in a request of its own; the seconds that it took."""
    left: queue.SimpleQueue[Operation | Zone] = queue.SimpleQueue()
    for plan in plans:
        left.put(plan)
    failed: list[BaseException] = []

    def work(filer: Filer) -> None:
        try:
            while not failed:
                filer.file(left.get_nowait())
        except queue.Empty:
            pass
        except BaseException as error:  # noqa: BLE001  # raised again below
            failed.append(error)
        finally:
            filer.close()

    threads = [threading.Thread(target=work, args=(Filer(node),)) for _ in range(clients)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return time.perf_counter() - began


def file_lists(node: DemoNode, plans: Sequence[Operation | Zone], *, at_once: int) -> float:
    """File them all by one client, so many in each request; the seconds that it took."""
    filer = Filer(node)
    began = time.perf_counter()
    for start in range(0, len(plans), at_once):
        wanted = [request_of(plan, LINE)[1] for plan in plans[start : start + at_once]]
        items = filer.post("/api/v1/filings", {"filings": wanted})["items"]
        assert isinstance(items, list)
        assert all(one["filed"] for one in items), items
    took_s = time.perf_counter() - began
    filer.close()
    return took_s


def file_steadily(node: DemoNode, plans: Sequence[Operation | Zone], *, per_s: float, clients: int) -> dict[str, float]:
    """File one after another at fixed moments, whether or not those before are done; when each was due, by entry."""
    began = time.perf_counter() + 0.2
    due: dict[str, float] = {}
    guard = threading.Lock()
    failed: list[BaseException] = []

    def work(first: int) -> None:
        filer = Filer(node)
        try:
            for number in range(first, len(plans), clients):
                at = began + number / per_s
                time.sleep(max(0.0, at - time.perf_counter()))
                entry = filer.file(plans[number])
                with guard:
                    due[entry] = at
        except BaseException as error:  # noqa: BLE001  # raised again below
            failed.append(error)
        finally:
            filer.close()

    threads = [threading.Thread(target=work, args=(first,)) for first in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return due


@dataclass(slots=True)
class Events:
    """A reader of a node's events of filings in a thread of its own: when each entry was told.

    Attributes
    ----------
    told
        By entry.
    """

    node: DemoNode
    told: dict[str, float] = field(default_factory=dict)
    _socket: socket.socket | None = None
    _thread: threading.Thread | None = None

    def start(self) -> Events:
        """Begin."""
        self._socket = _opened(self.node)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """End."""
        assert self._socket is not None
        assert self._thread is not None
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()

    def _read(self) -> None:
        assert self._socket is not None
        for line in _lines(self._socket):
            if line.startswith(b"data: "):
                entry = json.loads(line[6:]).get("entry")
                if entry is not None:
                    self.told.setdefault(entry, time.perf_counter())


def until_quiet(node: DemoNode, *, share: float = 0.1, within_s: float = 180.0) -> None:
    """Wait until a node has used less than this share of one core for two seconds: what it was given is done."""
    until_s = time.perf_counter() + within_s
    quiet_for, before_s = 0, _cpu_s(node)
    while quiet_for < 2:
        assert time.perf_counter() < until_s, f"the node was still at work after {within_s:.0f} s"
        time.sleep(1.0)
        now_s = _cpu_s(node)
        quiet_for = quiet_for + 1 if now_s - before_s < share else 0
        before_s = now_s


def _cpu_s(node: DemoNode) -> float:
    """Seconds of processor time that its process has used."""
    words = Path(f"/proc/{node.pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def streams(node: DemoNode, count: int, plan: Operation | Zone) -> tuple[float, float]:
    """So many readers of events at once: seconds from a filing until the first and the last of them has it.

    They are opened when the node is quiet: what it still does of what it was given before is measured elsewhere.
    """
    until_quiet(node)
    open_ones = [_opened(node) for _ in range(count)]
    seen: list[float] = []
    guard = threading.Lock()

    def work(some: Sequence[socket.socket]) -> None:
        import selectors

        with selectors.DefaultSelector() as selector:
            for one in some:
                selector.register(one, selectors.EVENT_READ, bytearray())
            while selector.get_map():
                for key, _ in selector.select(timeout=60.0):
                    key.data.extend(key.fileobj.recv(65536))  # type: ignore[union-attr]
                    if b"event: filing" in key.data:
                        with guard:
                            seen.append(time.perf_counter())
                        selector.unregister(key.fileobj)

    thread = threading.Thread(target=work, args=(open_ones,))
    thread.start()
    filer = Filer(node)
    time.sleep(2.0)  # all streams have begun
    began = time.perf_counter()
    filer.file(plan)
    thread.join(120.0)
    filer.close()
    for one in open_ones:
        one.close()
    assert len(seen) == count, f"{count - len(seen)} of {count} streams had no event"
    return min(seen) - began, max(seen) - began


def _opened(node: DemoNode) -> socket.socket:
    made = socket.create_connection(("127.0.0.1", node.port), timeout=60.0)
    asked = (
        f"GET /api/v1/events?type=filing HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: text/event-stream\r\n"
        f"authorization: Bearer {node.folder.local_token()}\r\n\r\n"
    )
    made.sendall(asked.encode())
    head = made.recv(65536)
    assert head.startswith(b"HTTP/1.1 200"), head[:200]
    made.settimeout(None)
    return made


def _lines(opened: socket.socket) -> Iterator[bytes]:
    rest = b""
    while True:
        try:
            more = opened.recv(65536)
        except OSError:
            return
        if not more:
            return
        *whole, rest = (rest + more).split(b"\n")
        yield from whole
