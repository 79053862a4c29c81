"""Refusing a body: our own log says that it is not kept, and then the copy of the other's log counts it as refused.

The order is that of what may be believed: a receipt counts a refused body only where an entry of ours names it. Cut
off between the two, doing it again finds the entry that was said.
"""

from __future__ import annotations

from keepclear.errors import Fault, InputError
from keepclear.record.bodies.references import EntryRefValue
from keepclear.record.bodies.registry import body_of
from keepclear.record.bodies.talk import RefusedBody
from keepclear.record.entries import EntryRef
from keepclear.record.entry_types import EntryType
from keepclear.record.merkle import leaf_hash
from keepclear.store.log import Log
from keepclear.store.log_store import BodyState
from keepclear.store.mirror import Mirror
from keepclear.store.saying import entry_said

__all__ = ["refuse"]


def refuse(mirror: Mirror, index: int, own: Log, *, guard: str, time_s: float) -> EntryRef:
    """Say in our own log that the body of an entry is not kept, to its author, and count it as refused.

    Parameters
    ----------
    own
        Our log on the same line, with its key.
    guard
        The rule by which it is refused, for example ``NO_SHARING``.

    Returns
    -------
    EntryRef
        The entry that says so.

    Raises
    ------
    InputError
        If the body is not wanted: it was not addressed to us, is held, or was refused before.
    """
    if mirror.body_state(index) is not BodyState.WANTED:
        right = "an entry addressed to you whose body is not here; one that is here is removed by: keepclear log erase"
        raise InputError(Fault("there is nothing to refuse", right, field="INDEX", value=str(index)))
    ref = EntryRef(mirror.origin, index, leaf_hash(mirror.leaf(index)))
    said = _said_before(own, ref)
    if said is None:
        leaf = mirror.entry(index).leaf
        author, line = mirror.origin.split("/")[:2]
        party = own.origin.partition("/")[0]
        body = RefusedBody(entry=EntryRefValue.of(ref), guard=guard)
        entry = entry_said(
            body, line=line, party=party, time_s=time_s, recipients=(author,), exercise=leaf.exercise
        )  # fmt: skip
        (said,) = own.append([entry])
    mirror.refuse_body(index, own, said.index)
    return said


def _said_before(own: Log, ref: EntryRef) -> EntryRef | None:
    for index in range(own.size - 1, -1, -1):
        entry = own.entry(index)
        body = body_of(entry) if entry.leaf.type == EntryType.REFUSED else None
        if isinstance(body, RefusedBody) and body.entry.ref() == ref:
            return EntryRef(own.origin, index, entry.leaf.hash)
    return None
