"""Alarms by webhook: a signed POST to a service of the operator's.

The header ``Keepclear-Signature: t=<seconds>,v1=<hex>`` has HMAC-SHA256, with the shared secret, of the seconds, a full
stop, and the body. Who checks it, and that the seconds are not old, knows that it is from this node and new.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

from keepclear.node.way_email import is_loopback
from keepclear.node.ways import Members, NotToldError, within

__all__ = ["LEAST_SECRET", "SIGNATURE", "WebhookWay", "signature"]

SIGNATURE = "Keepclear-Signature"
NOTICE = "Keepclear-Notice"
LEAST_SECRET = 16
_MEMBERS = ("url", "ca_file", "timeout_s")


@dataclass(frozen=True, slots=True, repr=False)
class WebhookWay:
    """Where it is posted, and the secret that is shared with who reads it."""

    url: str
    secret: bytes
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
        url = found.text("url", "https://…")
        if url and (problem := _wrong(url)):
            found.fault("url", problem, "https://host/path; http:// only to this machine; no name and password in it")
        if len(secret or b"") < LEAST_SECRET:
            found.fault(
                "secret", "no secret, or a short one", f"at least {LEAST_SECRET} characters, shared with the service"
            )
        ca_file = found.text("ca_file", "a file with certificates, or empty", default="")
        timeout_s = found.number("timeout_s", "1 to 120 seconds", default=10.0, least=1.0, most=120.0)
        found.done()
        return cls(url, secret or b"", ca_file, timeout_s)

    def tell(self, notice: Mapping[str, Any], *, key: str, at_s: float) -> str:
        """Post it; see `keepclear.node.ways.Way`. Anything but a 2xx is a failure; a redirect is not followed."""
        body = json.dumps(dict(notice), ensure_ascii=False, sort_keys=True).encode()
        headers = {
            "Content-Type": "application/json",
            SIGNATURE: signature(self.secret, body, at_s=at_s),
            NOTICE: hashlib.sha256(key.encode()).hexdigest()[:32],
        }
        return within(self.timeout_s, lambda: self._post(body, headers))

    def _post(self, body: bytes, headers: Mapping[str, str]) -> str:
        import httpx

        context = ssl.create_default_context(cafile=self.ca_file or None)
        options: dict[str, Any] = {"timeout": self.timeout_s, "follow_redirects": False, "trust_env": False}
        # What is answered is not read: only the number counts, and a body could be without end.
        with (
            httpx.Client(verify=context, **options) as client,
            client.stream("POST", self.url, content=body, headers=dict(headers)) as response,
        ):
            status = response.status_code
        if not 200 <= status < 300:
            raise NotToldError(f"it answered {status}")
        return f"it answered {status}"


def signature(secret: bytes, body: bytes, *, at_s: float) -> str:
    """The header's value."""
    seconds = str(int(at_s))
    code = hmac.new(secret, seconds.encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={code}"


def _wrong(url: str) -> str:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return "not an address"
    if parts.username or parts.password:
        return "there is a name or a password in it"
    if not host or parts.scheme not in {"http", "https"}:
        return "not an address"
    return "it would go unprotected" if parts.scheme == "http" and not is_loopback(host) else ""
