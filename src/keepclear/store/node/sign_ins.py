"""Attempts to sign in, so that guessing is slow, and stays slow when the node is started again.

Whose name was tried is kept as a hash: what people type there by mistake is, often enough, their password.
"""

from __future__ import annotations

import hashlib

from sqlalchemy import Boolean, Column, Connection, Table, delete, func, insert, select, update

from keepclear.store.node.columns import OCTETS, SECONDS, WHOLE, WORDS
from keepclear.store.node.database import facts

__all__ = ["failures", "has_signed_in_from", "note_good", "note_try", "prune_sign_ins"]

_sign_in = Table(
    "sign_in",
    facts,
    Column("id", WHOLE, primary_key=True),
    Column("name_hash", OCTETS, nullable=False, index=True),
    Column("address", WORDS, nullable=False, index=True),
    Column("at_s", SECONDS, nullable=False, index=True),
    Column("good", Boolean, nullable=False),
)


def note_try(conn: Connection, name: str, address: str, *, at_s: float) -> int:
    """Keep one attempt as failed, which it is until `note_good` says otherwise; its number."""
    values = {"name_hash": _hashed(name), "address": address, "at_s": at_s, "good": False}
    number: int = conn.execute(insert(_sign_in).returning(_sign_in.c.id), values).scalar_one()
    return number


def note_good(conn: Connection, number: int) -> None:
    """Keep that the attempt of this number was a good one."""
    conn.execute(update(_sign_in).where(_sign_in.c.id == number).values(good=True))


def failures(
    conn: Connection, *, since_s: float, name: str | None = None, address: str | None = None
) -> tuple[int, float]:
    """How many attempts failed since then, with this name, from this address or both; and when the first of them did.

    Those with a name count from its last good one from the address on, if there was one.
    """
    matches = [_sign_in.c.at_s > since_s]
    if name is not None:
        matches.append(_sign_in.c.name_hash == _hashed(name))
    if address is not None:
        matches.append(_sign_in.c.address == address)
    if name is not None and address is not None:
        good = conn.execute(select(func.max(_sign_in.c.id)).where(*matches, _sign_in.c.good)).scalar()
        matches.append(_sign_in.c.id > (good or 0))
    found = conn.execute(select(func.count(), func.min(_sign_in.c.at_s)).where(*matches, ~_sign_in.c.good)).one()
    return found[0], found[1] or 0.0


def has_signed_in_from(conn: Connection, name: str, address: str, *, since_s: float) -> bool:
    """Whether this name was signed in with from this address since then."""
    where = (_sign_in.c.name_hash == _hashed(name), _sign_in.c.address == address, _sign_in.c.at_s > since_s)
    return conn.execute(select(func.count()).where(*where, _sign_in.c.good)).scalar_one() > 0


def prune_sign_ins(conn: Connection, *, before_s: float) -> None:
    """Forget what was tried before this time."""
    conn.execute(delete(_sign_in).where(_sign_in.c.at_s < before_s))


def _hashed(name: str) -> bytes:
    return hashlib.sha256(b"keepclear sign-in\n" + name.encode()).digest()
