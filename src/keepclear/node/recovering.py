"""Bodies of our own entries that we have lost, asked back from those to whom they were addressed.

After a restore from an older copy the leaves of what was said since are brought back from a mirror
(`keepclear.node.restoring`); their bodies only their recipients have. Each is asked for the bodies addressed to it, by
the thread that talks to it, and the leaf proves them.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from keepclear.errors import KeepclearError, PeerError
from keepclear.line.body_requests import MOST_ENTRY_BYTES, Gone, PieceReader, check_part, whole_entry
from keepclear.line.mirror_requests import Answer
from keepclear.node.peers import Peer
from keepclear.node.remote_log import origin_path
from keepclear.record.entries import Entry, Leaf

if TYPE_CHECKING:
    from keepclear.node.records import Records

__all__ = ["Recovering"]

_LOG = logging.getLogger(__name__)
_MOST_BODY = MOST_ENTRY_BYTES + 2**20
_AT_ONCE = 4096


class Recovering:
    """Asks bodies of our own back. Any thread may use it."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._guard = threading.Lock()
        self._looked: dict[str, bool] = {}
        self._lacking: dict[str, set[int]] = {}

    def busy(self, line: str) -> bool:
        """Whether something of ours is lacking, or may be: looked up at the start, and when our log speaks again."""
        silent = bool(self._records.silence(line))
        with self._guard:
            look = not silent and not self._looked.get(line, False)
            self._looked[line] = not silent
        if look:
            for origin in self._records.own_origins(line):
                found = self._bodiless(origin)
                with self._guard:
                    self._lacking[origin] = found
        return any(self._lacking.get(origin) for origin in self._records.own_origins(line))

    def step(self, peer: Peer, get: Callable[[str, int], Answer]) -> None:
        """Ask a peer for what was addressed to it.

        Parameters
        ----------
        get
            Gets a path below ``/line/v1/`` from it, at most so many bytes.
        """
        for origin in self._records.own_origins(peer.line):
            for number in sorted(self._lacking.get(origin, ())):
                leaf = self._records.leaf(origin, number)
                if peer.party not in leaf.recipients:
                    continue
                answer = get(f"{origin_path(origin)}/body/{number}", _MOST_BODY)
                if answer.status == 200:
                    self._take(peer, origin, number, leaf, answer.body)

    def _take(self, peer: Peer, origin: str, number: int, leaf: Leaf, data: bytes) -> None:
        try:
            entry = _entry_of(leaf, number, data)
        except KeepclearError as error:
            _LOG.warning("%s: the body of entry %d from %s: %s", origin, number, peer.party, error)
            return
        self._records.put_bodies(origin, {number: entry})
        with self._guard:
            self._lacking[origin].discard(number)

    def _bodiless(self, origin: str) -> set[int]:
        """Entries of ours for others of whose bodies nothing is known here: what we say ourselves always has one."""
        found: set[int] = set()
        size = self._records.size(origin)
        for start in range(0, size, _AT_ONCE):
            stop = min(size, start + _AT_ONCE)
            known = set(self._records.store.body_numbers(origin, start, stop))
            if len(known) < stop - start:
                leaves = self._records.leaves(origin, start, stop)
                found |= {n for n, leaf in enumerate(leaves, start) if n not in known and leaf and leaf.recipients}
        return found


def _entry_of(leaf: Leaf, number: int, data: bytes) -> Entry:
    """The entry whose pieces these are, each part proved."""
    reader = PieceReader()
    reader.feed(data)
    if reader.origin() is None:
        raise PeerError("not pieces of a body")
    parts: dict[int, bytearray] = {}
    salts: dict[int, bytes] = {}
    for item in reader.items():
        if isinstance(item, Gone) or item.number != number:
            raise PeerError("another body than was asked for")
        part = parts.setdefault(item.part, bytearray())
        if item.offset != len(part):
            raise PeerError("pieces of a body that are not in order")
        part += item.data
        salts[item.part] = item.salt
    whole = [(salts[part], bytes(parts[part])) for part in sorted(parts)]
    for place, (salt, body) in enumerate(whole):
        check_part(leaf, place, salt, body)
    return whole_entry(leaf, whole)
