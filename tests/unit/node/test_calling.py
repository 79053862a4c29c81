"""Calling a node: where it may be, which certificate it has, and how much of its answer is read."""

from __future__ import annotations

import base64
import datetime as dt
import errno
import hashlib
import os
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from keepclear.errors import InputError
from keepclear.node.calling import Address, Caller, UnreachableError, _told, _told_by_system
from keepclear.node.request_signatures import RequestSigner
from keepclear.record.keys import SignatureKind, SigningKey

SIGNER = RequestSigner(SigningKey.of_seed("A/transport", SignatureKind.ED25519, b"a" * 32), lambda: 1.7e9)


def certificate(path: Path) -> bytes:
    """A certificate that nobody else has signed, with its key in one file; its DER."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "elsewhere.example")])
    day = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(day).not_valid_after(day + dt.timedelta(days=9000)).sign(key, hashes.SHA256())
    )  # fmt: skip
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    return made.public_bytes(serialization.Encoding.DER)


def whole(talking: socket.socket) -> bytes:
    """A request with its body."""
    data = b""
    while b"\r\n\r\n" not in data or len(data.partition(b"\r\n\r\n")[2]) < length(data):
        more = talking.recv(65536)
        if not more:
            break
        data += more
    return data


def length(data: bytes) -> int:
    return int(data.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or b"0")


@contextmanager
def answering(answer: bytes, *, tls: Path | None = None, linger: bool = False) -> Iterator[tuple[int, list[bytes]]]:
    """A server of one kind of answer; its port, and what it was sent."""
    heard: list[bytes] = []
    listening = socket.create_server(("127.0.0.1", 0))
    context = None
    if tls is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls)
    done = threading.Event()

    def serve() -> None:
        while not done.is_set():
            try:
                one, _ = listening.accept()
                with one if context is None else context.wrap_socket(one, server_side=True) as talking:
                    heard.append(whole(talking))
                    talking.sendall(answer)
                    if linger:
                        done.wait(5)
            except OSError:
                continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listening.getsockname()[1], heard
    finally:
        done.set()
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(5)


def pin(der: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(der).digest()).decode().rstrip("=")


@pytest.mark.parametrize(
    "text",
    [
        "http://node.example:8443", "http://10.0.0.1", "ftp://127.0.0.1", "https://", "https://a:b@node.example",
        "node",
        "https://node.example?x=1", "https://node.example:99999", "https://node.example#sha256=AAAA", "https://n#other=x",
        "http://127.0.0.1.example",
    ],
)  # fmt: skip
def test_addresses_that_may_not_be_called(text: str) -> None:
    with pytest.raises(InputError):
        Address.of_text(text)


def test_addresses_that_may() -> None:
    assert Address.of_text("https://node.example:8443/line/").url == "https://node.example:8443/line"
    assert Address.of_text("http://127.0.0.1:1").url == "http://127.0.0.1:1"
    assert Address.of_text("http://[::1]:1").pin is None
    der = b"certificate"
    assert Address.of_text(f"https://n#sha256={pin(der)}").pin == hashlib.sha256(der).digest()


def test_the_certificate_that_the_card_names_is_believed_and_no_other(tmp_path: Path) -> None:
    der = certificate(tmp_path / "tls.pem")
    caller = Caller(SIGNER)
    with answering(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi", tls=tmp_path / "tls.pem") as (port, heard):
        url = f"https://127.0.0.1:{port}"
        assert caller.post((f"{url}#sha256={pin(der)}",), "/x", b"secret", to="B").body == b"hi"
        said = len(heard)
        for wrong in (f"{url}#sha256={pin(b'another')}", url):
            with pytest.raises(UnreachableError):
                caller.post((wrong,), "/x", b"secret", to="B")
        assert all(b"secret" not in one and b"POST" not in one for one in heard[said:])
    caller.close()


def test_an_answer_has_a_limit(tmp_path: Path) -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-length: 100000000\r\n\r\n"
    with answering(head + bytes(200_000)) as (port, _), pytest.raises(UnreachableError, match="more than 1,000 bytes"):
        Caller(SIGNER).get((f"http://127.0.0.1:{port}",), "/x", to="B", most=1000)


def test_a_node_that_says_nothing_is_given_up() -> None:
    with answering(b"", linger=True) as (port, _), pytest.raises(UnreachableError, match=r"127\.0\.0\.1"):
        Caller(SIGNER, idle_s=0.3).get((f"http://127.0.0.1:{port}",), "/x", to="B")


def test_the_address_that_answered_is_tried_first_next_time() -> None:
    # It closes each connection and says so: a caller may use one again that it has not yet seen to be closed.
    answer = b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n"
    with answering(answer) as (port, heard), socket.create_server(("127.0.0.1", 0)) as dead:
        gone = dead.getsockname()[1]
        dead.close()
        caller = Caller(SIGNER)
        addresses = (f"http://127.0.0.1:{gone}", f"http://127.0.0.1:{port}")
        for _ in range(2):
            assert caller.get(addresses, "/x", to="B").status == 204
        assert len(heard) == 2
        assert caller._last[addresses] == addresses[1]
        caller.close()


def test_a_redirection_is_an_answer_and_leads_nowhere() -> None:
    answer = b"HTTP/1.1 307 Temporary Redirect\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n"
    with answering(answer) as (port, heard):
        assert Caller(SIGNER).post((f"http://127.0.0.1:{port}",), "/x", b"body", to="B").status == 307
        assert len(heard) == 1


def test_why_nobody_is_reached_is_said_in_words():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # and does not listen
        url = f"http://127.0.0.1:{held.getsockname()[1]}"
        caller = Caller(SIGNER)
        with pytest.raises(UnreachableError) as refused:
            caller.get((url,), "/line/v1/x", to="B")
        assert str(refused.value).endswith(
            "nothing takes connections there: its node is not running, or listens elsewhere"
        )
        with pytest.raises(UnreachableError) as unknown:
            caller.get(("https://nowhere.invalid:1",), "/line/v1/x", to="B")
        assert "its name is not known here" in str(unknown.value)
        caller.close()
    for number in errno.errorcode:
        assert "Errno" not in _told(httpx.ConnectError("x")) + _told_by_system(OSError(number, os.strerror(number)))
