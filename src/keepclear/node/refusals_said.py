"""Saying once that a body is not kept, even where the machine stopped between saying it and noting that it was said.

As `keepclear.store.refusing`, for many threads: what our log has refused is read once, and then only what is new in it.
"""

from __future__ import annotations

import threading

from keepclear.errors import Fault, InputError, IntegrityError, PeerError
from keepclear.node.mirror_log import MirrorLog
from keepclear.node.own_log import Outgoing, OwnLog
from keepclear.record.bodies.references import EntryRefValue
from keepclear.record.bodies.registry import body_of
from keepclear.record.bodies.talk import RefusedBody
from keepclear.record.entries import EntryRef
from keepclear.record.entry_types import EntryType
from keepclear.store.log_store import BodyState

__all__ = ["Refusals"]


class Refusals:
    """What our log on one line has refused."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._said: dict[EntryRef, EntryRef] = {}
        self._read: dict[str, int] = {}

    def refuse(self, mirror: MirrorLog, index: int, own: OwnLog, *, guard: str) -> EntryRef:
        """Say that the body of an entry is not kept, or find that it was said; see `keepclear.store.refusing.refuse`.

        Raises
        ------
        InputError
            If the body is not wanted.
        """
        # The mirror's lock comes first, since the caller may have it; who has ours never asks for a mirror's.
        with mirror.held() as theirs, self._guard:
            if theirs.body_state(index) is not BodyState.WANTED:
                right = "an entry addressed to you whose body is not here"
                raise InputError(Fault("there is nothing to refuse", right, field="entry", value=str(index)))
            self._read_on(own)
            ref = mirror.ref(index)
            said = self._said.get(ref)
            if said is None:
                exercise = mirror.entry(index).leaf.exercise
                body = RefusedBody(entry=EntryRefValue.of(ref), guard=guard)
                (said,) = own.say([Outgoing(body, (mirror.party,), exercise)])
                self._said[ref] = said
            with own.held() as ours:
                theirs.refuse_body(index, ours, said.index)
        return said

    def _read_on(self, own: OwnLog) -> None:
        """Take in what our log has said since the last time."""
        start, end = self._read.get(own.origin, 0), own.size
        for index in own.may_be({EntryType.REFUSED}, start, end):
            self._take(own, index)
        self._read[own.origin] = end

    def _take(self, own: OwnLog, index: int) -> None:
        try:
            body = body_of(own.entry(index))
        except (InputError, PeerError, IntegrityError):
            return
        if isinstance(body, RefusedBody):
            self._said[body.entry.ref()] = own.ref(index)
