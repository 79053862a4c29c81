"""Who may use the node: its users, what they are to the party, and the hash of what each proves it with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Boolean, Column, Connection, Row, Table, func, insert, select, update

from keepclear.store.node.columns import SECONDS, WHOLE, WORDS
from keepclear.store.node.database import facts

__all__ = ["KeptUser", "add_user", "change_user", "count_users", "user_named", "users_after"]

_user = Table(
    "person",  # `user` is a word of SQL's own
    facts,
    Column("name", WORDS, primary_key=True),
    Column("shown", WORDS, nullable=False),
    Column("roles", WORDS, nullable=False),
    Column("password", WORDS, nullable=False),
    Column("must_change", Boolean, nullable=False),
    Column("added_s", SECONDS, nullable=False),
    Column("disabled_s", SECONDS),
    Column("version", WHOLE, nullable=False),
)


@dataclass(frozen=True, slots=True)
class KeptUser:
    """One user.

    Attributes
    ----------
    name
        What they sign in with, and what stands in every record of what they did. Never given to another person.
    shown
        Their name or post, as people know them.
    roles
        What they are to the party, by the names of the roles.
    password
        The argon2 hash of their password; empty if they have none and use tokens.
    must_change
        Whether the password was given to them by another, and is good for nothing but changing it.
    added_s, disabled_s
        Since when they are here, and when they were disabled, if they are.
    version
        Grows with every change.
    """

    name: str
    shown: str
    roles: tuple[str, ...]
    password: str
    must_change: bool
    added_s: float
    disabled_s: float | None = None
    version: int = 1


def add_user(conn: Connection, user: KeptUser) -> bool:
    """Add a user; False, and nothing done, if there is or was one of that name."""
    if user_named(conn, user.name) is not None:
        return False
    conn.execute(insert(_user), _values(user))
    return True


def change_user(conn: Connection, user: KeptUser) -> KeptUser:
    """Put a user in place of the one of that name, under a new version."""
    values = {**_values(user), "version": _user.c.version + 1}
    conn.execute(update(_user).where(_user.c.name == user.name).values(values))
    changed = user_named(conn, user.name)
    assert changed is not None
    return changed


def user_named(conn: Connection, name: str) -> KeptUser | None:
    """The user of that name, disabled or not."""
    row = conn.execute(select(_user).where(_user.c.name == name)).one_or_none()
    return None if row is None else _user_of(row)


def users_after(conn: Connection, name: str = "", *, limit: int) -> list[KeptUser]:
    """Users in the order of their names, those after `name`."""
    rows = conn.execute(select(_user).where(_user.c.name > name).order_by(_user.c.name).limit(limit))
    return [_user_of(row) for row in rows]


def count_users(conn: Connection, roles: Iterable[str] = ()) -> int:
    """How many users are not disabled and have one of the roles; of any role if none is named."""
    wanted = frozenset(roles)
    if not wanted:
        return conn.execute(select(func.count()).where(_user.c.disabled_s.is_(None))).scalar_one()
    rows = conn.execute(select(_user.c.roles).where(_user.c.disabled_s.is_(None))).scalars()
    return sum(not wanted.isdisjoint(row.split()) for row in rows)


def _values(user: KeptUser) -> dict[str, object]:
    return {
        "name": user.name, "shown": user.shown, "roles": " ".join(user.roles), "password": user.password,
        "must_change": user.must_change, "added_s": user.added_s, "disabled_s": user.disabled_s,
        "version": user.version,
    }  # fmt: skip


def _user_of(row: Row[tuple[object, ...]]) -> KeptUser:
    return KeptUser(
        row.name, row.shown, tuple(row.roles.split()), row.password, row.must_change, row.added_s, row.disabled_s,
        row.version,
    )  # fmt: skip
