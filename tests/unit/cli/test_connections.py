"""Connections that ask nothing do not keep others out."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import Any

import httpx
import pytest
import uvicorn

from keepclear.cli import connections
from keepclear.cli.connections import Patient, most_connections


async def app(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, int]]:
    monkeypatch.setattr(connections, "HEAD_S", 1.0)
    monkeypatch.setattr(Patient, "most", 8)
    config = uvicorn.Config(
        app, host="127.0.0.1", port=0, http=Patient, loop="asyncio", log_config=None, lifespan="off"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()
    server.should_exit = True
    thread.join(20)


def has_ended(one: socket.socket) -> bool:
    """Whether the other side has closed it, or does so soon."""
    one.settimeout(20)
    try:
        return one.recv(1) == b""
    except ConnectionResetError:
        return True


@pytest.mark.parametrize("before", [b"", b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"])
def test_a_head_that_trickles_is_not_waited_for(address: tuple[str, int], before: bytes) -> None:
    with socket.create_connection(address) as one:
        if before:
            one.sendall(before)
            assert b"200 OK" in one.recv(1000)
        begun_s = time.monotonic()
        with suppress(OSError):  # the system says so, when it is closed
            for byte in b"GET / HTTP/1.1\r\nx: " + b"y" * 200:
                one.sendall(bytes([byte]))
                time.sleep(0.1)
            pytest.fail("it was waited for")
        assert time.monotonic() - begun_s >= 0.9


def test_one_that_says_nothing_at_all_is_closed(address: tuple[str, int]) -> None:
    with socket.create_connection(address) as one:
        assert has_ended(one)


def test_one_that_rests_between_two_requests_is_left_alone(address: tuple[str, int]) -> None:
    with httpx.Client(base_url=f"http://{address[0]}:{address[1]}") as client:
        assert client.get("/").text == "ok"
        port = client.get("/").extensions["network_stream"].get_extra_info("client_addr")
        time.sleep(2.0)
        again = client.get("/")
        assert again.text == "ok"
        assert again.extensions["network_stream"].get_extra_info("client_addr") == port


def test_where_there_are_too_many_the_one_that_has_waited_longest_makes_room(address: tuple[str, int]) -> None:
    with ExitStack() as stack:
        idle = [stack.enter_context(socket.create_connection(address)) for _ in range(8)]
        assert httpx.get(f"http://{address[0]}:{address[1]}/").text == "ok"
        assert has_ended(idle[0])


def test_a_process_asks_for_as_many_as_it_may_have() -> None:
    assert 64 <= most_connections() <= 4096
