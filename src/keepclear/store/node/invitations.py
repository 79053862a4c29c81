"""Invitations that this party wrote, and what came of each."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Column, Connection, Row, Table, insert, select, update

from keepclear.line.invitations import InvitationEvent, InvitationState, after_event
from keepclear.store.node.columns import OCTETS, SECONDS, WHOLE, WORDS
from keepclear.store.node.database import facts

__all__ = ["WrittenInvitation", "add_invitation", "invitation_of", "invitations_of", "move_invitation"]

_invitation = Table(
    "invitation",
    facts,
    Column("id", WHOLE, primary_key=True),
    Column("line", WORDS, nullable=False, index=True),
    Column("state", WORDS, nullable=False),
    Column("data", OCTETS, nullable=False),
    Column("made_s", SECONDS, nullable=False),
    Column("expires_s", SECONDS, nullable=False),
    Column("acceptance", OCTETS),
    Column("party", WORDS),
    Column("came_s", SECONDS),
    sqlite_autoincrement=True,
)
_i = _invitation.c


@dataclass(frozen=True, slots=True)
class WrittenInvitation:
    """An invitation of ours.

    Attributes
    ----------
    id
        Its number here.
    line
        Onto which line.
    state
        What has come of it.
    data
        The file, which has the secret.
    made_s, expires_s
        When it was written, and until when it can be answered.
    acceptance
        The answer; None while there is none.
    party
        Who answered, as it says itself.
    came_s
        When the answer came.
    """

    id: int
    line: str
    state: InvitationState
    data: bytes
    made_s: float
    expires_s: float
    acceptance: bytes | None = None
    party: str | None = None
    came_s: float | None = None


def add_invitation(conn: Connection, *, line: str, data: bytes, made_s: float, expires_s: float) -> int:
    """Note an invitation that was written; its number."""
    values = {"line": line, "state": InvitationState.OPEN, "data": data, "made_s": made_s, "expires_s": expires_s}
    return int(conn.execute(insert(_invitation).returning(_i.id), values).scalar_one())


def invitation_of(conn: Connection, number: int) -> WrittenInvitation | None:
    """The invitation of that number; None if there is none."""
    row = conn.execute(select(_invitation).where(_i.id == number)).one_or_none()
    return None if row is None else _written(row)


def invitations_of(conn: Connection, line: str, *states: InvitationState) -> tuple[WrittenInvitation, ...]:
    """The invitations onto a line, the oldest first; of some states only, if they are named."""
    wanted = select(_invitation).where(_i.line == line).order_by(_i.id)
    if states:
        wanted = wanted.where(_i.state.in_([str(state) for state in states]))
    return tuple(_written(row) for row in conn.execute(wanted))


def move_invitation(
    conn: Connection,
    number: int,
    event: InvitationEvent,
    *,
    acceptance: bytes | None = None,
    party: str | None = None,
    at_s: float | None = None,
) -> InvitationState:
    """Let an invitation go on by an event, as the table in `keepclear.line.invitations` says.

    Parameters
    ----------
    acceptance, party, at_s
        With `ACCEPTANCE`: what came, from whom, and when.

    Raises
    ------
    InputError
        If the event is not one for an invitation in its state; or there is no such invitation.
    """
    held = invitation_of(conn, number)
    assert held is not None
    state = after_event(held.state, event)
    values: dict[str, object] = {"state": str(state)}
    if event is InvitationEvent.ACCEPTANCE:
        values |= {"acceptance": acceptance, "party": party, "came_s": at_s}
    conn.execute(update(_invitation).where(_i.id == number).values(values))
    return state


def _written(row: Row[tuple[object, ...]]) -> WrittenInvitation:
    acceptance = None if row.acceptance is None else bytes(row.acceptance)
    return WrittenInvitation(
        row.id, row.line, InvitationState(row.state), bytes(row.data), row.made_s, row.expires_s, acceptance,
        row.party, row.came_s,
    )  # fmt: skip
