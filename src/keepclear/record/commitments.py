"""Commitments: what was planned can be proved later without having been told before.

A commitment is an entry that is for nobody. Its leaf shows that its author had a body at that place in the log, and
nothing of what it says; the salt keeps others from guessing. An opening is a later entry in the same log that gives
salt and body. One that does not fit is refused: a commitment has one opening or none.
"""

from __future__ import annotations

import base64

from keepclear.errors import Fault, InputError, IntegrityError
from keepclear.record.bodies.base import Body
from keepclear.record.bodies.committed import CommitmentBody, OpeningBody
from keepclear.record.bodies.references import EntryRefValue
from keepclear.record.canonical import MOST_BYTES, parse_canonical
from keepclear.record.entries import Entry, EntryRef, Leaf
from keepclear.record.entry_types import EntryType

__all__ = ["check_opening", "commitment", "opening"]


def commitment(body: Body, *, line: str, party: str, time_s: float, exercise: bool, salt: bytes) -> Entry:
    """The entry that commits to a body; its author keeps it whole, and publishes the leaf.

    Parameters
    ----------
    body
        What is committed to.
    salt
        32 random bytes. Salt and body together are the opening: who loses the salt cannot open.

    Raises
    ------
    InputError
        As `Entry.said`, and if the body is itself a commitment or an opening.
    """
    content = CommitmentBody(type=str(body.TYPE), v=body.VERSION, body=body.members())
    return Entry.said(
        EntryType.COMMITMENT,
        1,
        line=line,
        party=party,
        time_s=time_s,
        recipients=(),
        exercise=exercise,
        body=content.to_bytes(),
        salt=salt,
    )


def opening(committed: Entry, ref: EntryRef) -> OpeningBody:
    """The body of the entry that opens a commitment.

    Parameters
    ----------
    committed
        The commitment with its salt and body.
    ref
        Where it stands.

    Raises
    ------
    InputError
        If it is no commitment, its salt and body are not held, or `ref` names another entry.
    IntegrityError
        If salt and body are not those of the leaf.
    """
    if committed.leaf.type != EntryType.COMMITMENT or committed.salt is None or committed.body is None:
        raise InputError(Fault("cannot be opened", "a commitment with its salt and body", value=committed.leaf.type))
    if ref.leaf_hash != committed.leaf.hash:
        raise InputError(Fault("the reference is to another entry", "the commitment's place in the log", field="entry"))
    salt = base64.b64encode(committed.salt).decode("ascii")
    content = parse_canonical(committed.body, limit=MOST_BYTES)
    made = OpeningBody.of_members({"entry": EntryRefValue.of(ref), "salt": salt, "content": content})
    check_opening(committed.leaf, made)
    return made


def check_opening(leaf: Leaf, opened: OpeningBody) -> None:
    """Prove that an opening fits a commitment.

    Parameters
    ----------
    leaf
        The commitment, as it stands at ``opened.entry`` in the log.
    opened
        The opening.

    Raises
    ------
    IntegrityError
        If the leaf is no commitment, the opening is of another entry or another party's log, or what it gives is not
        what was committed to.
    """
    ref = opened.entry.ref()
    if leaf.type != EntryType.COMMITMENT:
        raise IntegrityError(f"the entry that is opened is no commitment but a {leaf.type}")
    if ref.leaf_hash != leaf.hash:
        raise IntegrityError("the opening is of another entry: its hash is not this leaf's")
    if not ref.origin.startswith(f"{leaf.party}/{leaf.line}/"):
        raise IntegrityError(f"the opening names the log {ref.origin}, which is not that of the leaf's party and line")
    try:
        leaf.check_body(base64.b64decode(opened.salt), opened.content.to_bytes())
    except IntegrityError:
        raise IntegrityError("a wrong opening: this is not what was committed to") from None
