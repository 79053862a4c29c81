"""Alarms by e-mail: SMTP with TLS, to the operator's own mail server."""

from __future__ import annotations

import ipaddress
import re
import smtplib
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate
from hashlib import sha256
from typing import Any, Self

from keepclear.node.ways import Members, NotToldError, plain_text, within

__all__ = ["EmailWay", "is_loopback"]

_ADDRESS = re.compile(r"[^@\s<>,;:\"()\\]+@[^@\s<>,;:\"()\\]+")
_SECURITY = ("starttls", "tls", "none")
_PORTS = {"starttls": 587, "tls": 465, "none": 25}
_MEMBERS = ("host", "port", "security", "user", "sender", "to", "ca_file", "timeout_s")


@dataclass(frozen=True, slots=True)
class EmailWay:
    """A mail server, and to whom mail goes.

    Attributes
    ----------
    host, port
        The server.
    security
        ``starttls`` or ``tls``; ``none`` only for a server on this machine.
    user, password
        How we sign in there; empty where it wants nothing.
    sender, to
        The addresses.
    ca_file
        Certificates by which the server is known; empty: the system's.
    timeout_s
        How long it may take altogether.
    """

    host: str
    port: int
    security: str
    user: str
    password: str
    sender: str
    to: tuple[str, ...]
    ca_file: str
    timeout_s: float

    @classmethod
    def of_settings(cls, settings: Mapping[str, Any], secret: bytes | None) -> Self:
        """Read it as it was set up.

        Raises
        ------
        InputError
            With all that is wrong.
        """
        found = Members(settings, _MEMBERS)
        host = found.text("host", "the name of the mail server")
        security = found.text("security", f"one of: {', '.join(_SECURITY)}", default="starttls")
        if security not in _SECURITY:
            found.fault("security", "no such security", f"one of: {', '.join(_SECURITY)}")
        elif security == "none" and not is_loopback(host):
            found.fault("security", "mail would go unprotected", "starttls or tls; none only to this machine")
        port = found.number("port", "a port", default=_PORTS.get(security, 587), least=1, most=65_535)
        user = found.text("user", "the name to sign in with, or empty", default="")
        if user and not secret:
            found.fault("user", "there is no password for it", "give the password as the channel's secret")
        sender = found.text("sender", "an address, for example keepclear@example.org")
        to = found.texts("to", "one to 20 addresses", most=20)
        for name, one in (("sender", sender), *(("to", one) for one in to)):
            if one and not _ADDRESS.fullmatch(one):
                found.fault(name, "not an address", "for example duty@example.org")
        ca_file = found.text("ca_file", "a file with certificates, or empty", default="")
        timeout_s = found.number("timeout_s", "1 to 120 seconds", default=20.0, least=1.0, most=120.0)
        found.done()
        password = (secret or b"").decode("utf-8", "replace") if user else ""
        return cls(host, int(port), security, user, password, sender, to, ca_file, timeout_s)

    def tell(self, notice: Mapping[str, Any], *, key: str, at_s: float) -> str:
        """Send it to all; see `keepclear.node.ways.Way`."""
        message = self.message(notice, key=key, at_s=at_s)
        return within(self.timeout_s, lambda: self._send(message))

    def message(self, notice: Mapping[str, Any], *, key: str, at_s: float) -> EmailMessage:
        """The mail; the same notice has the same Message-ID, so that a mailbox shows it once."""
        message = EmailMessage()
        message["Subject"], text = plain_text(notice)
        message["From"], message["To"] = self.sender, ", ".join(self.to)
        message["Date"] = formatdate(at_s)
        message["Message-ID"] = f"<{sha256(key.encode()).hexdigest()[:32]}@keepclear.invalid>"
        message["Auto-Submitted"] = "auto-generated"
        message["X-Priority"] = "1"
        message.set_content(text, cte="base64")
        return message

    def _send(self, message: EmailMessage) -> str:
        context = ssl.create_default_context(cafile=self.ca_file or None)
        server = self._connected(context)
        try:
            if self.security == "starttls":
                server.starttls(context=context)
                server.ehlo()
            if self.user:
                server.login(self.user, self.password)
            refused = server.send_message(message)
        except BaseException:
            server.close()  # no farewell to a server that may not answer it
            raise
        with suppress(OSError, smtplib.SMTPException):  # it has taken the mail, whatever it says now
            server.quit()
        if refused:
            raise NotToldError(f"the mail server did not take it for {', '.join(sorted(refused))}")
        return f"taken by {self.host} for {len(self.to)}"

    def _connected(self, context: ssl.SSLContext) -> smtplib.SMTP:
        if self.security == "tls":
            return smtplib.SMTP_SSL(self.host, self.port, timeout=self.timeout_s, context=context)
        return smtplib.SMTP(self.host, self.port, timeout=self.timeout_s)


def is_loopback(host: str) -> bool:
    """Whether it is a name of this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
