"""A node served over HTTP: its sockets, and the server that answers on them until it is told to stop."""

from __future__ import annotations

import ipaddress
import signal
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import uvicorn

from keepclear.cli.connections import Patient, most_connections
from keepclear.errors import Fault, InputError
from keepclear.node.tls import TlsFiles, authorities_of, tls_files

if TYPE_CHECKING:
    from pathlib import Path
    from types import FrameType

    from keepclear.node.folder import NodeFolder
    from keepclear.node.running import Node

__all__ = ["Listening", "NodeServer", "is_loopback", "listen"]

_GRACE_S = 10
_BACKLOG = 1024


class Listening:
    """The sockets on which a node is reached.

    Attributes
    ----------
    sockets
        Those that listen; where the host is another than loopback, one on loopback besides, for the folder's owner.
    url, local_url
        Where the node is reached from elsewhere, and from this machine.
    tls
        The certificate; None where it goes without.
    """

    def __init__(self, sockets: Sequence[socket.socket], host: str, tls: TlsFiles | None) -> None:
        self.sockets, self.tls = list(sockets), tls
        self.port: int = sockets[0].getsockname()[1]
        scheme = "http" if tls is None else "https"
        self.url = f"{scheme}://{_shown(host)}:{self.port}"
        loopback = host if is_loopback(host) else "127.0.0.1"
        self.local_url = f"{scheme}://{_shown(loopback)}:{self.port}"

    @property
    def certificate(self) -> Path | None:
        """The file of the certificate; None where it goes without."""
        return None if self.tls is None else self.tls.certificate

    def close(self) -> None:
        """Let go of them."""
        for one in self.sockets:
            one.close()


def listen(folder: NodeFolder) -> Listening:
    """Open the sockets that the settings ask for.

    Raises
    ------
    InputError
        If nothing can listen there, it is not loopback and there is no certificate, or the settings name files that
        are not what they should be.
    """
    settings = folder.settings
    tls = tls_files(folder.path, settings)
    authorities_of(folder.path, settings)
    host, port = settings.host, settings.port
    if not is_loopback(host) and tls is None:
        problem = f"{host} can be reached from other machines, and there is no certificate: all would go unencrypted"
        right = "give --tls-cert and --tls-key, or listen at 127.0.0.1"
        raise InputError(Fault(problem, right, field="--host", value=host))
    if tls is not None:
        _must_fit(tls)
    sockets = [_socket(host, port)]
    own_port = sockets[0].getsockname()[1]
    if not is_loopback(host) and not _is_any(host):
        sockets.append(_socket("127.0.0.1", own_port))
    return Listening(sockets, host, tls)


class NodeServer:
    """Serves a node that is open.

    Parameters
    ----------
    node
        What is served; who opened it starts and stops it.
    listening
        Where.
    besides
        Sockets on which it is served as well.
    around
        Makes of the application what is served; it is the application alone where nothing is given.
    """

    def __init__(
        self,
        node: Node,
        listening: Listening,
        *,
        besides: Sequence[socket.socket] = (),
        around: Callable[[Any], Any] = lambda app: app,
    ) -> None:
        from keepclear.api.app import create_app

        self._node, self._listening = node, listening
        self._sockets = [*listening.sockets, *besides]
        tls = listening.tls
        Patient.most = most_connections()
        config = uvicorn.Config(
            around(create_app(node)), lifespan="off", log_config=None, access_log=False, server_header=False,
            proxy_headers=False,  # whoever is asking is whoever has connected: nobody says so himself
            timeout_graceful_shutdown=_GRACE_S, timeout_keep_alive=75, ws="none", http=Patient, loop="asyncio",
            ssl_certfile=None if tls is None else tls.certificate, ssl_keyfile=None if tls is None else tls.key,
        )  # fmt: skip
        self._server = _Server(config, node)
        self._thread: threading.Thread | None = None

    def run(self) -> None:
        """Serve until SIGINT, SIGTERM or `end`."""
        self._server.run(sockets=self._sockets)

    def start(self) -> None:
        """Serve in a thread of its own; when this returns, the node answers."""
        self._thread = threading.Thread(target=self.run, name="keepclear-http", daemon=True)
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            self._thread.join(0.005)
        if not self._server.started:
            raise InputError(Fault("the node could not be served", value=self._listening.url))

    def end(self) -> None:
        """Stop serving; what has begun is answered first."""
        self._node.bell.ring("stop")
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join()

    @property
    def ask_to_end(self) -> Callable[[], None]:
        """What a signal or another thread calls to stop it, without waiting."""
        return self._server.ask_to_end


class _Server(uvicorn.Server):
    """Ends the streams before it waits for connections, for they do not end by themselves."""

    def __init__(self, config: uvicorn.Config, node: Node) -> None:
        super().__init__(config)
        self._node = node

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """End at SIGINT and SIGTERM; uvicorn's own would raise the signal again at the end, as if it had failed."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {one: signal.signal(one, self._signalled) for one in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for one, handler in before.items():
                signal.signal(one, handler)

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        self.handle_exit(number, frame)  # the second time at once
        self.ask_to_end()

    def ask_to_end(self) -> None:
        """Have it end soon."""
        self.should_exit = True
        # Not here: a handler of signals may have interrupted whoever holds the bell.
        threading.Thread(target=self._node.bell.ring, args=("stop",), daemon=True).start()


def is_loopback(host: str) -> bool:
    """Whether an address is reached from this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_any(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _socket(host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        made = socket.socket(family)
        try:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            # What is accepted has it from here: else an answer waits 40 ms until what was sent before is confirmed.
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            made.bind(where)
            made.listen(_BACKLOG)
        except OSError:
            made.close()
            raise
    except OSError as error:
        problem = f"nothing can listen there: {error.strerror or error}"
        raise InputError(Fault(problem, "another --host or --port", field="--port", value=f"{host}:{port}")) from None
    return made


def _must_fit(tls: TlsFiles) -> None:
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(tls.certificate, tls.key)
    except (OSError, ssl.SSLError) as error:
        problem = f"not a certificate and its private key: {getattr(error, 'reason', None) or error}"
        raise InputError(Fault(problem, "two files in PEM that belong together", file=str(tls.certificate))) from None
