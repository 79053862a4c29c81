"""Calling another party's node over HTTP: signed, over TLS outside loopback, and never longer or larger than is sound.

A certificate is believed if an authority that we know has signed it, or if the address on the party's card names it:
``https://north.example:8443#sha256=…`` with the SHA-256 of the certificate in base64url. The card is signed by the
party (it stands in its log), so a certificate that the node made for itself will do.
"""

from __future__ import annotations

import base64
import errno
import hashlib
import ipaddress
import secrets
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from keepclear.errors import Fault, InputError, PeerError
from keepclear.line.mirror_requests import Answer
from keepclear.node.request_signatures import RequestSigner

__all__ = ["MOST_ANSWER_BYTES", "Address", "Caller", "UnreachableError", "is_loopback"]

MOST_ANSWER_BYTES = 32 * 2**20
_CONNECT_S = 5.0
_IDLE_S = 30.0  # without a byte either way
_PIN = "sha256="
_NOT_SIGNED = (18, 19, 20, 21)  # of OpenSSL's codes: whoever signed it is not known here


class UnreachableError(PeerError):
    """No answer came; whether the request did, nobody knows."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a node is.

    Attributes
    ----------
    url
        Scheme, host, port and path, without a slash at the end.
    pin
        The SHA-256 of its certificate, if the address names it.
    """

    url: str
    pin: bytes | None = None

    @classmethod
    def of_text(cls, text: str) -> Address:
        """An address as it stands on a card.

        Raises
        ------
        InputError
            If it is none that may be called: outside loopback it has to be ``https``.
        """
        try:
            parts = urlsplit(text)
            host, _ = parts.hostname or "", parts.port
        except ValueError:
            host, parts = "", urlsplit("")
        if parts.scheme not in ("http", "https") or not host or parts.query or parts.username is not None:
            raise InputError(Fault("not the address of a node", "https://host:port", field="address", value=text))
        if parts.scheme == "http" and not is_loopback(host):
            problem = "what is said on a line does not go over the network unencrypted"
            raise InputError(Fault(problem, "an address that begins with https", field="address", value=text))
        return cls(f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}", _pin_of(parts.fragment, text))


class Caller:
    """Calls nodes. One thread at a time uses it; it keeps its connections open.

    Parameters
    ----------
    signer
        Signs what is sent.
    authorities
        The file of the authorities that sign certificates; empty for those of the system.
    """

    def __init__(self, signer: RequestSigner, *, authorities: str = "", idle_s: float = _IDLE_S) -> None:
        self._signer, self._authorities = signer, authorities
        self._timeout = httpx.Timeout(idle_s, connect=_CONNECT_S)
        self._clients: dict[Address, httpx.Client] = {}
        self._last: dict[tuple[str, ...], str] = {}

    def post(self, addresses: tuple[str, ...], path: str, body: bytes, *, to: str) -> Answer:
        """Send a request to the first of a node's addresses that answers; the one that did last is tried first.

        Raises
        ------
        UnreachableError
            If none does.
        """
        return self._first(addresses, "POST", path, body, to)

    def get(self, addresses: tuple[str, ...], path: str, *, to: str, most: int = MOST_ANSWER_BYTES) -> Answer:
        """The same for a request that only reads."""
        return self._first(addresses, "GET", path, b"", to, most)

    def close(self) -> None:
        """Close the connections."""
        for client in self._clients.values():
            client.close()
        self._clients.clear()

    def _first(
        self, addresses: tuple[str, ...], method: str, path: str, body: bytes, to: str, most: int = MOST_ANSWER_BYTES
    ) -> Answer:
        last = self._last.get(addresses)
        order = addresses if last is None else (last, *(one for one in addresses if one != last))
        why = "it has no address"
        for text in order:
            try:
                answer = self._called(Address.of_text(text), method, path, body, to, most)
            except (httpx.HTTPError, httpx.InvalidURL, OSError, ssl.SSLError, InputError, PeerError) as error:
                why = f"{text.partition('#')[0]}: {_told(error)}"
                continue
            self._last[addresses] = text
            return answer
        raise UnreachableError(why)

    def _called(self, address: Address, method: str, path: str, body: bytes, to: str, most: int) -> Answer:
        base = urlsplit(address.url)
        headers = self._signer.headers(method, base.path + path, to=to, body=body)
        if body:
            headers["content-type"] = "application/octet-stream"
        client = self._client(address)
        extensions: dict[str, Any] = {} if address.pin is None else {"trace": _pinned(address.pin)}
        with client.stream(
            method, address.url + path, content=body or None, headers=headers, extensions=extensions
        ) as response:
            data = bytearray()
            for chunk in response.iter_raw(65_536):
                data += chunk
                if len(data) > most:
                    raise PeerError(f"an answer of more than {most:,} bytes is not read")
            return Answer(
                response.status_code, response.headers.get("content-type", ""), bytes(data), _retry_after(response)
            )

    def _client(self, address: Address) -> httpx.Client:
        client = self._clients.get(address)
        if client is None:
            # Proxies of the environment are not ours: what goes to another party goes where its card says.
            client = self._clients[address] = httpx.Client(
                timeout=self._timeout, verify=self._context(address), trust_env=False, http2=False,
                headers={"accept-encoding": "identity", "user-agent": "keepclear"},
                limits=httpx.Limits(max_keepalive_connections=2, keepalive_expiry=120.0),
            )  # fmt: skip
        return client

    def _context(self, address: Address) -> ssl.SSLContext:
        if address.pin is None:
            return ssl.create_default_context(cafile=self._authorities or None)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE  # the card says which one it has to be: `_pinned` looks before we speak
        return context


def _pinned(pin: bytes) -> Callable[[str, Mapping[str, Any]], None]:
    """Looks at the certificate when a connection has been made, before anything is sent over it."""

    def trace(event: str, info: Mapping[str, Any]) -> None:
        if event != "connection.start_tls.complete":
            return
        tls = info["return_value"].get_extra_info("ssl_object")
        certificate = None if tls is None else tls.getpeercert(True)  # noqa: FBT003  # it has no name
        if certificate is None or not secrets.compare_digest(hashlib.sha256(certificate).digest(), pin):
            info["return_value"].close()
            raise PeerError("its certificate is not the one that its card names")

    return trace


def _pin_of(fragment: str, text: str) -> bytes | None:
    if not fragment:
        return None
    try:
        pin = base64.urlsafe_b64decode(fragment.removeprefix(_PIN) + "==") if fragment.startswith(_PIN) else b""
    except ValueError:
        pin = b""
    if len(pin) != 32:
        right = f"#{_PIN} and the SHA-256 of the certificate in base64url"
        raise InputError(Fault("not a certificate that an address can name", right, field="address", value=text))
    return pin


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, and nobody else can connect to it."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _retry_after(response: httpx.Response) -> int | None:
    value = response.headers.get("retry-after", "")
    return int(value) if value.isascii() and value.isdecimal() and len(value) < 6 else None


def _told_by_system(error: OSError) -> str:
    """Why no connection was made or kept, in words."""
    if isinstance(error, socket.gaierror):
        return "its name is not known here: is it written rightly, and is there a network?"
    known = {
        errno.ECONNREFUSED: "nothing takes connections there: its node is not running, or listens elsewhere",
        errno.EHOSTUNREACH: "no way leads to that machine: it is off, or the network is cut",
        errno.ENETUNREACH: "no way leads to that network: is this machine connected?",
        errno.ECONNRESET: "the connection was cut off",
        errno.EPIPE: "the connection was cut off",
        errno.ETIMEDOUT: "it did not answer in time",
    }
    return known.get(error.errno or 0, error.strerror or str(error) or type(error).__name__)


def _told(error: BaseException) -> str:
    if isinstance(error, httpx.TimeoutException):
        return "it did not answer in time"
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            right = "" if cause.verify_code not in _NOT_SIGNED else ": name them in the setting peer_authorities"
            return f"its certificate is not believed: {cause.verify_message}{right}"
        if isinstance(cause, OSError) and not isinstance(cause, ssl.SSLError):
            return _told_by_system(cause)
        cause = cause.__cause__ or cause.__context__
    return " ".join(str(error).split())[:200] or type(error).__name__
