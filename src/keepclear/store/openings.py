"""Whether what opens a commitment is what was committed to, as the logs that are held show."""

from __future__ import annotations

from keepclear.errors import IntegrityError, PeerError
from keepclear.record.bodies.committed import OpeningBody
from keepclear.record.commitments import check_opening
from keepclear.record.entries import Leaf
from keepclear.store.held import HeldLog
from keepclear.store.log_store import LogStore

__all__ = ["check_opening_held"]


def check_opening_held(opening: OpeningBody, origin: str, store: LogStore) -> None:
    """Prove that an opening that stands in the log `origin` fits a commitment of the same party and line.

    Raises
    ------
    IntegrityError
        If it is wrong.
    PeerError
        If the log that holds the commitment is not held, so that nobody can say.
    """
    ref = opening.entry.ref()
    if ref.origin.split("/")[:2] != origin.split("/")[:2]:
        raise IntegrityError(f"a wrong opening: it is in {origin}, and opens an entry of {ref.origin}")
    if not any(log.origin == ref.origin for log in store.logs()):
        raise PeerError(f"the log {ref.origin}, which has what is opened, is not held here")
    log = HeldLog(store, ref.origin)
    if ref.index >= log.size:
        raise IntegrityError(f"a wrong opening: {ref.origin} has no entry {ref.index}")
    check_opening(Leaf.of_bytes(log.leaf(ref.index)), opening)
