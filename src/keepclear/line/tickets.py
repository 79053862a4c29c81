"""Tickets: a mirror's memory of a checkpoint that it has taken, kept by the log and given back (C2SP tlog-mirror).

A mirror remembers some of its pending checkpoints. A ticket brings back an older one: the signed checkpoint itself,
with a code under a secret of the mirror's that says that it was once pending here. The log's signature would not do,
as it says nothing of whether the checkpoint continues those that the mirror holds.
"""

from __future__ import annotations

import hmac

from keepclear.line.mirror_requests import MOST_TICKET_BYTES

__all__ = ["SECRET_BYTES", "open_ticket", "ticket_for"]

SECRET_BYTES = 32
_CODE_BYTES = 32
_DOMAIN = b"keepclear mirror ticket v1\n"


def ticket_for(note: bytes, *, secret: bytes) -> bytes:
    """A ticket for a pending checkpoint; nothing where it is too long for one.

    Parameters
    ----------
    note
        The checkpoint with the log's signature.
    secret
        `SECRET_BYTES` random bytes that only this mirror knows.
    """
    return _code(note, secret) + note if _CODE_BYTES + len(note) <= MOST_TICKET_BYTES else b""


def open_ticket(ticket: bytes, *, secret: bytes) -> bytes | None:
    """The checkpoint of a ticket; None if we did not make it."""
    code, note = ticket[:_CODE_BYTES], ticket[_CODE_BYTES:]
    return note if note and hmac.compare_digest(code, _code(note, secret)) else None


def _code(note: bytes, secret: bytes) -> bytes:
    assert len(secret) == SECRET_BYTES
    return hmac.digest(secret, _DOMAIN + note, "sha256")
