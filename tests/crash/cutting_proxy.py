"""A TCP proxy between a client and PostgreSQL that hangs up at a chosen message of the client."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Self

__all__ = ["CuttingProxy"]


class CuttingProxy:
    """Cuts at the message of this number, or at one that holds these bytes.

    Parameters
    ----------
    target
        The server's port.
    cut_at
        Counted from 0; a message is what the client has sent at a time.
    passed
        How many messages that hold the bytes are passed on before the one that is cut.
    answered
        Whether the server gets the message and answers, and only the client never hears of it.
    """

    def __init__(
        self, target: int, *, cut_at: int = -1, cut_on: bytes = b"", passed: int = 0, answered: bool = False
    ) -> None:
        self.target = target
        self.cut_at = cut_at
        self.cut_on = cut_on
        self.passed = passed
        self.answered = answered
        self.messages: list[bytes] = []

    def __enter__(self) -> Self:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        server = socket.create_connection(("127.0.0.1", self.target))
        muted, heard = threading.Event(), threading.Event()
        answers = threading.Thread(target=_pass_answers, args=(server, client, muted, heard), daemon=True)
        answers.start()
        with suppress(OSError):
            while data := client.recv(1 << 20):
                number = len(self.messages)
                self.messages.append(data)
                if number == self.cut_at or self._holds_what_is_cut(data):
                    self.cut_on = b""
                    if self.answered:
                        muted.set()
                        server.sendall(data)
                        heard.wait(5)
                    break
                server.sendall(data)
        for end in (client, server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        answers.join()
        client.close()
        server.close()

    def _holds_what_is_cut(self, data: bytes) -> bool:
        if not self.cut_on or self.cut_on not in data:
            return False
        self.passed -= 1
        return self.passed < 0


def _pass_answers(server: socket.socket, client: socket.socket, muted: threading.Event, heard: threading.Event) -> None:
    with suppress(OSError):
        while data := server.recv(1 << 20):
            if muted.is_set():
                heard.set()
            else:
                client.sendall(data)
    heard.set()
    with suppress(OSError):
        client.shutdown(socket.SHUT_RDWR)
