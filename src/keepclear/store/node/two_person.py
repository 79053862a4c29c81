"""Acts that one person has proposed and another must confirm."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, Row, Table, insert, select, update

from keepclear.store.node.columns import SECONDS, STRUCTURE, WHOLE, WORDS
from keepclear.store.node.database import facts

__all__ = ["KeptProposal", "add_proposal", "proposal_of", "proposals_before", "proposals_in", "put_proposal_state"]

_proposal = Table(
    "proposal",
    facts,
    Column("id", WHOLE, primary_key=True),
    Column("kind", WORDS, nullable=False),
    Column("subject", WORDS, nullable=False),
    Column("content", STRUCTURE, nullable=False),
    Column("state", WORDS, nullable=False, index=True),
    Column("proposed_by", WORDS, nullable=False),
    Column("proposed_s", SECONDS, nullable=False),
    Column("ends_s", SECONDS, nullable=False),
    Column("decided_by", WORDS, nullable=False),
    Column("decided_s", SECONDS),
    Column("outcome", WORDS, nullable=False),
    sqlite_autoincrement=True,
)


@dataclass(frozen=True, slots=True)
class KeptProposal:
    """One proposal.

    Attributes
    ----------
    id
        Its number.
    kind
        Which act it is.
    subject
        The act in words, as the second person is to read it.
    content
        What carries it out is given.
    state
        How it stands, see `keepclear.node.two_person.ProposalState`.
    proposed_by, proposed_s, ends_s
        By whom and when, and until when it can be confirmed.
    decided_by, decided_s
        Who confirmed, refused or withdrew it, and when.
    outcome
        Why it could not be carried out, where it could not.
    """

    id: int
    kind: str
    subject: str
    content: Mapping[str, Any]
    state: str
    proposed_by: str
    proposed_s: float
    ends_s: float
    decided_by: str = ""
    decided_s: float | None = None
    outcome: str = ""


def add_proposal(
    conn: Connection,
    *,
    kind: str,
    subject: str,
    content: Mapping[str, Any],
    state: str,
    proposed_by: str,
    proposed_s: float,
    ends_s: float,
) -> int:
    """Keep a new proposal; its number."""
    values = {
        "kind": kind, "subject": subject, "content": dict(content), "state": state, "proposed_by": proposed_by,
        "proposed_s": proposed_s, "ends_s": ends_s, "decided_by": "", "outcome": "",
    }  # fmt: skip
    number: int = conn.execute(insert(_proposal).returning(_proposal.c.id), values).scalar_one()
    return number


def proposal_of(conn: Connection, number: int) -> KeptProposal | None:
    """The proposal of that number."""
    row = conn.execute(select(_proposal).where(_proposal.c.id == number)).one_or_none()
    return None if row is None else _proposal_of(row)


def proposals_before(conn: Connection, before: int | None = None, *, limit: int) -> list[KeptProposal]:
    """The newest first, those with smaller numbers than `before`."""
    wanted = select(_proposal).order_by(_proposal.c.id.desc()).limit(limit)
    if before is not None:
        wanted = wanted.where(_proposal.c.id < before)
    return [_proposal_of(row) for row in conn.execute(wanted)]


def proposals_in(conn: Connection, states: Iterable[str]) -> list[KeptProposal]:
    """All that stand so, the oldest first."""
    wanted = select(_proposal).where(_proposal.c.state.in_(list(states))).order_by(_proposal.c.id)
    return [_proposal_of(row) for row in conn.execute(wanted)]


def put_proposal_state(
    conn: Connection,
    number: int,
    state: str,
    *,
    decided_by: str | None = None,
    decided_s: float | None = None,
    outcome: str = "",
    is_over: bool = False,
) -> None:
    """Write down how it stands now, and who decided when if someone did; what it was to do is forgotten when over."""
    values: dict[str, object] = {"state": state, "outcome": outcome}
    if is_over:
        values["content"] = {}
    if decided_by is not None:
        values |= {"decided_by": decided_by, "decided_s": decided_s}
    conn.execute(update(_proposal).where(_proposal.c.id == number).values(values))


def _proposal_of(row: Row[tuple[object, ...]]) -> KeptProposal:
    return KeptProposal(
        row.id, row.kind, row.subject, row.content, row.state, row.proposed_by, row.proposed_s, row.ends_s,
        row.decided_by, row.decided_s, row.outcome,
    )  # fmt: skip
