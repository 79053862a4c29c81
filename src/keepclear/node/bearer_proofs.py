"""What proves a session or a token: an id that may be seen, and a secret of which only a hash is kept.

The secret has 256 random bits, so that a plain SHA-256 is hash enough: nobody can try them all.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

__all__ = ["Proof", "new_proof", "proof_of_cookie", "proof_of_token"]

_TOKEN = re.compile(r"kc_([a-z0-9]{16})_([A-Za-z0-9]{64})", re.ASCII)
_COOKIE = re.compile(r"([a-z0-9]{16})\.([A-Za-z0-9]{64})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Proof:
    """An id and the secret that goes with it."""

    id: str
    secret: str

    def __repr__(self) -> str:
        return f"Proof(id={self.id!r})"  # whatever is logged, the secret is not

    @property
    def hash(self) -> bytes:
        """What is kept of the secret."""
        return hashlib.sha256(self.secret.encode()).digest()

    @property
    def token(self) -> str:
        """As a bearer token."""
        return f"kc_{self.id}_{self.secret}"

    @property
    def cookie(self) -> str:
        """As the value of a cookie."""
        return f"{self.id}.{self.secret}"

    def proves(self, kept_hash: bytes) -> bool:
        """Whether that hash is this secret's; takes the same time whatever the answer."""
        return hmac.compare_digest(self.hash, kept_hash)


def new_proof() -> Proof:
    """An id and a secret that nobody has had before."""
    return Proof(secrets.token_hex(8), secrets.token_hex(32))


def proof_of_token(text: str) -> Proof | None:
    """What a bearer token says; None if it is none of ours."""
    match = _TOKEN.fullmatch(text)
    return Proof(*match.groups()) if match else None


def proof_of_cookie(text: str) -> Proof | None:
    """What a cookie says; None if it is none of ours."""
    match = _COOKIE.fullmatch(text)
    return Proof(*match.groups()) if match else None
