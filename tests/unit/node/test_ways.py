"""E-mail, webhook and command: against a real mail server, a real HTTP server, and real programs."""

from __future__ import annotations

import datetime as dt
import email
import gc
import hashlib
import hmac
import json
import socket
import ssl
import sys
import threading
import time
import warnings
from contextlib import contextmanager
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from keepclear.errors import InputError
from keepclear.node.way_command import CommandWay
from keepclear.node.way_email import EmailWay
from keepclear.node.way_webhook import WebhookWay
from keepclear.node.ways import NotToldError, plain_text
from tests.unit.node.alarm_parts import http_server, until

NOTICE = {
    "party": "RU", "kind": "flash", "sentence": "TR said FLASH on north.", "at": "2026-01-01T00:00:00.000Z",
    "line": "north", "entry": "TR:north:4", "alarm": 7,
}  # fmt: skip
SECRET = b"sixteen or more characters"
SOON_S = 30.0  # less than anything here would last that is not ended, and enough on a busy machine


# --- e-mail --------------------------------------------------------------------------------------------------------


class Mailbox:
    def __init__(self):
        self.taken = []
        self.refuse = ()

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802  # as aiosmtpd has it
        if address in self.refuse:
            return "550 nobody of that name"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, session, envelope):  # noqa: N802  # as aiosmtpd has it
        self.taken.append((session.ssl is not None, envelope.mail_from, list(envelope.rcpt_tos), envelope.content))
        return "250 OK"


@contextmanager
def mail_server(box, **options):
    controller = Controller(box, hostname="127.0.0.1", port=0, ready_timeout=10, **options)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        controller.port = free.getsockname()[1]
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()
        with warnings.catch_warnings():  # the server leaves a connection whose handshake failed to the collector
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()


@pytest.fixture
def certificate(tmp_path):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = serialization.NoEncryption()
    (tmp_path / "tls.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, private)
    )
    (tmp_path / "tls.crt").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "tls.crt", tmp_path / "tls.key")
    return tmp_path / "tls.crt", context


def _email(port, /, more=(), **also):
    more = {**dict(more), **also}
    settings = {"host": "127.0.0.1", "port": port, "security": "none", "sender": "node@example.org"}
    return EmailWay.of_settings({**settings, "to": ["duty@example.org"], **more}, None)


def test_mail_comes_with_what_it_is_about_and_the_same_id_each_time():
    box = Mailbox()
    with mail_server(box) as port:
        way = _email(port, to=["duty@example.org", "deputy@example.org"])
        for _ in range(2):
            assert "taken by 127.0.0.1 for 2" in way.tell(NOTICE, key="alarm 7|mail", at_s=1.7e9)
    messages = [email.message_from_bytes(content) for *_, content in box.taken]
    assert box.taken[0][1:3] == ("node@example.org", ["duty@example.org", "deputy@example.org"])
    assert messages[0]["Subject"] == "[keepclear RU] FLASH on north"
    assert messages[0]["Message-ID"] == messages[1]["Message-ID"]
    text = messages[0].get_payload(decode=True).decode()
    assert "TR said FLASH on north." in text
    assert "Entry: TR:north:4" in text


def test_mail_goes_over_tls_after_signing_in_and_only_to_a_server_that_is_known(certificate):
    file, context = certificate
    box, signed_in = Mailbox(), []

    def authenticate(server, session, envelope, mechanism, data):
        signed_in.append((data.login, data.password))
        return AuthResult(success=data.password == b"secret word")

    options = {"tls_context": context, "require_starttls": True, "authenticator": authenticate, "auth_required": True}
    with mail_server(box, **options) as port:
        settings = {
            "host": "localhost", "port": port, "security": "starttls", "user": "node", "sender": "node@example.org",
            "to": ["duty@example.org"], "timeout_s": 2,
        }  # fmt: skip
        known = EmailWay.of_settings({**settings, "ca_file": str(file)}, b"secret word")
        known.tell(NOTICE, key="a", at_s=1.7e9)
        with pytest.raises(NotToldError, match="certificate"):
            EmailWay.of_settings(settings, b"secret word").tell(NOTICE, key="a", at_s=1.7e9)
        with pytest.raises(NotToldError) as caught:
            EmailWay.of_settings({**settings, "ca_file": str(file)}, b"wrong word").tell(NOTICE, key="a", at_s=1.7e9)
    assert "word" not in str(caught.value)
    assert [over_tls for over_tls, *_ in box.taken] == [True]
    assert signed_in[0] == (b"node", b"secret word")


def test_mail_that_one_of_them_cannot_have_is_a_failure():
    box = Mailbox()
    box.refuse = ("gone@example.org",)
    with mail_server(box) as port, pytest.raises(NotToldError, match=r"gone@example\.org"):
        _email(port, to=["duty@example.org", "gone@example.org"]).tell(NOTICE, key="a", at_s=1.7e9)


@contextmanager
def _silent_server(*, trickling=False):
    """Takes a connection and says nothing, or a byte now and then."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve():
            connection, _ = listening.accept()
            with connection:
                while not over.wait(0.05):
                    if trickling:
                        connection.sendall(b"2")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            over.set()
            thread.join()


@pytest.mark.parametrize("trickling", [False, True])
def test_a_mail_server_that_hangs_holds_nobody_up(trickling):
    with _silent_server(trickling=trickling) as port:
        begun = time.monotonic()
        with pytest.raises(NotToldError):
            _email(port, timeout_s=1).tell(NOTICE, key="a", at_s=1.7e9)
        assert time.monotonic() - begun < SOON_S


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"host": "mail.example.org", "security": "none"}, "settings.security"),
        ({"security": "perhaps"}, "settings.security"),
        ({"host": ""}, "settings.host"),
        ({"sender": "not an address"}, "settings.sender"),
        ({"sender": "a@b\nBcc: all@example.org"}, "settings.sender"),
        ({"to": []}, "settings.to"),
        ({"to": "duty@example.org"}, "settings.to"),
        ({"to": ["duty@example.org\r\nBcc: x@y"]}, "settings.to"),
        ({"to": ["a@b"] * 21}, "settings.to"),
        ({"port": 0}, "settings.port"),
        ({"port": True}, "settings.port"),
        ({"user": "node"}, "settings.user"),
        ({"timeout_s": float("nan")}, "settings.timeout_s"),
        ({"password": "in the open"}, "settings.password"),
    ],
)
def test_wrong_mail_settings_are_named(settings, field):
    with pytest.raises(InputError) as caught:
        _email(25, settings)
    assert field in {fault.field for fault in caught.value.faults}


# --- webhook -------------------------------------------------------------------------------------------------------


def _ok(handler, status=204, **headers):
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.end_headers()


def _webhook(url, **more):
    return WebhookWay.of_settings({"url": url, "timeout_s": 2, **more}, SECRET)


def test_a_webhook_is_signed_so_that_who_shares_the_secret_can_tell():
    came = []
    with http_server(lambda handler: (came.append((handler.headers, handler.body)), _ok(handler))) as url:
        assert _webhook(f"{url}/alarm").tell(NOTICE, key="alarm 7|hook", at_s=1_700_000_000.5) == "it answered 204"
    headers, body = came[0]
    assert json.loads(body) == NOTICE
    code = hmac.new(SECRET, b"1700000000." + body, hashlib.sha256).hexdigest()
    assert headers["Keepclear-Signature"] == f"t=1700000000,v1={code}"
    assert headers["Keepclear-Notice"] == hashlib.sha256(b"alarm 7|hook").hexdigest()[:32]


def test_a_redirect_is_not_followed_and_what_is_no_success_is_a_failure():
    came = []
    moved = http_server(lambda handler: (came.append(handler.path), _ok(handler, 307, Location="/elsewhere")))
    with moved as url, pytest.raises(NotToldError, match="307"):
        _webhook(f"{url}/alarm").tell(NOTICE, key="a", at_s=1.7e9)
    assert came == ["/alarm"]
    with http_server(lambda handler: _ok(handler, 503)) as url, pytest.raises(NotToldError, match="503"):
        _webhook(url).tell(NOTICE, key="a", at_s=1.7e9)


def test_a_service_that_answers_without_end_or_not_at_all_holds_nobody_up():
    over = threading.Event()

    def without_end(handler):
        _ok(handler, 200)
        while not over.wait(0.01):
            try:
                handler.wfile.write(b"x" * 10_000)
            except OSError:
                return

    with http_server(without_end) as url:
        begun = time.monotonic()
        assert _webhook(url).tell(NOTICE, key="a", at_s=1.7e9) == "it answered 200"
        assert time.monotonic() - begun < SOON_S
        over.set()
    with _silent_server() as port, pytest.raises(NotToldError):
        _webhook(f"http://127.0.0.1:{port}").tell(NOTICE, key="a", at_s=1.7e9)


@pytest.mark.parametrize(
    ("url", "secret"),
    [
        ("http://example.org/alarm", SECRET),
        ("ftp://127.0.0.1/", SECRET),
        ("https://name:word@example.org/", SECRET),
        ("https://", SECRET),
        ("https://[::1", SECRET),
        ("https://example.org/", b"short"),
        ("https://example.org/", None),
    ],
)
def test_wrong_webhook_settings_are_refused(url, secret):
    with pytest.raises(InputError):
        WebhookWay.of_settings({"url": url}, secret)


# --- command -------------------------------------------------------------------------------------------------------


def _command(*argv, timeout_s=10):
    return CommandWay.of_settings({"argv": list(argv), "timeout_s": timeout_s}, None)


def test_a_command_has_the_notice_on_its_input_and_no_shell_sees_it(tmp_path, monkeypatch):
    monkeypatch.setenv("KEEPCLEAR_PASSPHRASE_FILE", "a secret")
    program = (
        "import json,os,sys; json.dump([json.load(sys.stdin), sys.argv[2:], dict(os.environ)], open(sys.argv[1], 'w'))"
    )
    words = ["$(touch pwned); `id`", "&& rm -rf *"]
    way = _command(sys.executable, "-c", program, str(tmp_path / "out"), *words)
    assert way.tell(NOTICE, key="alarm 7|siren", at_s=1.7e9) == "it ended with 0"
    told, argv, environment = json.loads((tmp_path / "out").read_text())
    assert told == {**NOTICE, "notice": "alarm 7|siren"}
    assert argv == words
    assert not any(name.startswith("KEEPCLEAR") for name in environment)


def test_a_command_that_hangs_is_killed_with_all_it_started(tmp_path):
    program = (
        "import subprocess,sys,time; child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
        " open(sys.argv[1], 'w').write(str(child.pid)); time.sleep(60)"
    )
    begun = time.monotonic()
    with pytest.raises(NotToldError, match="killed"):
        _command(sys.executable, "-c", program, str(tmp_path / "pid"), timeout_s=2).tell(NOTICE, key="a", at_s=1.7e9)
    assert time.monotonic() - begun < SOON_S
    until(lambda: not _runs(int((tmp_path / "pid").read_text())))


def _runs(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("import sys; sys.exit('no carrier')", "ended with 1: no carrier"),
        ("import os,signal; os.kill(os.getpid(), signal.SIGKILL)", "ended with -9"),
        ("import sys; sys.stderr.write('x' * 10_000_000); sys.exit(3)", "ended with 3: xxx"),
    ],
)
def test_a_command_that_fails_says_why_briefly(program, said):
    with pytest.raises(NotToldError) as caught:
        _command(sys.executable, "-c", program).tell(NOTICE, key="a", at_s=1.7e9)
    assert said in str(caught.value)
    assert len(str(caught.value)) <= 200


def test_a_command_that_is_not_there_or_reads_nothing_is_no_traceback():
    with pytest.raises(NotToldError, match="could not be started"):
        _command("/no/such/program").tell(NOTICE, key="a", at_s=1.7e9)
    big = {**NOTICE, "sentence": "x" * 1_000_000}
    assert _command(sys.executable, "-c", "pass").tell(big, key="a", at_s=1.7e9) == "it ended with 0"


@pytest.mark.parametrize(
    "settings",
    [
        {}, {"argv": []}, {"argv": "/bin/true"}, {"argv": ["true"]}, {"argv": ["/bin/true", 1]},
        {"argv": ["/bin/true\0"]}, {"argv": ["/bin/true"], "timeout_s": 0}, {"argv": ["/bin/true"], "shell": True},
    ],
)  # fmt: skip
def test_wrong_command_settings_are_refused(settings):
    with pytest.raises(InputError):
        CommandWay.of_settings(settings, None)


def test_a_text_for_people_says_what_it_is_and_that_it_may_come_twice():
    subject, text = plain_text({**NOTICE, "again": True, "exercise": True, "line": "north\nsouth"})
    assert subject == "[keepclear RU] EXERCISE again FLASH on north south"
    assert "may have been sent before" in text
