"""How far the tables have come: the time of the last step that they were made of, beside the last that there was.

The one is dropped with the tables, the other is a fact. Where they differ the tables are behind, whatever the reason
(made anew by a newer program, or a rebuild that was cut off), and the steps in between are done again.
"""

from __future__ import annotations

import struct

from sqlalchemy import Column, Connection, Table, delete, insert, select

from keepclear.store.node.columns import SECONDS, WHOLE
from keepclear.store.node.database import projections
from keepclear.store.node.kept_values import keep_value, kept_value
from keepclear.store.ready import Ready

__all__ = ["last_step_s", "note_projected", "note_step", "projected_s"]

_projected = Table(
    "projected",
    projections,
    Column("id", WHOLE, primary_key=True, autoincrement=False),
    Column("at_s", SECONDS, nullable=False),
)
_GET = Ready(select(_projected.c.at_s))
_DROP, _PUT = Ready(delete(_projected)), Ready(insert(_projected))
_LAST = "last step"
_APART_S = 2e-6  # more than two neighbouring numbers of seconds are apart until the year 2500
_LONG_AGO_S = -1e18


def last_step_s(conn: Connection) -> float:
    """The time of the last step that there was; long ago if there was none."""
    found = kept_value(conn, _LAST)
    return _LONG_AGO_S if found is None else float(struct.unpack(">d", found)[0])


def note_step(conn: Connection, now_s: float) -> float:
    """A new step, whose time is this or just after the last one's: no two have the same, and none goes back."""
    at_s = max(now_s, last_step_s(conn) + _APART_S)
    keep_value(conn, _LAST, struct.pack(">d", at_s))
    return at_s


def projected_s(conn: Connection) -> float:
    """The time of the last step that is in the tables; long ago if there is none."""
    found = _GET.value(conn)
    return _LONG_AGO_S if found is None else float(found)


def note_projected(conn: Connection, at_s: float) -> None:
    """The step of that time is in the tables."""
    _DROP.run(conn)
    _PUT.run(conn, id=1, at_s=at_s)
