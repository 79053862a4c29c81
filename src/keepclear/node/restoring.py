"""After a restore: asking the others what they hold of our log, bringing back what we lack, and speaking again.

A log that was put back from a copy says nothing: what it said since the copy was made is not known here, and to say
something else under the same numbers would be a second history. So every member of the line is asked for the newest
checkpoint of our log that it holds. If one holds more than we do, the leaves that we lack are got from it, and proved
by our own signature. Only when *all* have answered does the log speak again: one that does not answer may be the one
that holds the most. Who cannot wait for that begins a new log that names the old one
(``keepclear restore --begin-anew``). FLASH waits for none of this: it goes beside the log.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from keepclear.clock import monotonic_s
from keepclear.errors import IntegrityError, KeepclearError, PeerError
from keepclear.line.mirror_requests import Answer
from keepclear.node.alarms import AlarmKind, Alarms
from keepclear.node.bell import Bell
from keepclear.node.calling import Caller
from keepclear.node.peer_desk import PREFIX
from keepclear.node.records import Records
from keepclear.node.remote_log import remote_checkpoint, remote_leaves
from keepclear.node.turning import TurnDesk
from keepclear.record.checkpoints import Checkpoint, open_checkpoint

__all__ = ["Asked", "Restoring", "getting"]

_LOG = logging.getLogger(__name__)
_NEXT_S = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
_PATIENCE_S = 120.0
_MOST_LEAVES = 5_000_000

Get = Callable[[str], Answer]


class Asked(Protocol):
    """A member that may hold something of our log (`keepclear.node.peers.Peer`)."""

    @property
    def line(self) -> str:
        """Where."""

    @property
    def party(self) -> str:
        """Who."""

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where its node is; none if it calls us."""

    @property
    def kind(self) -> str:
        """Only a ``member`` holds a copy of our log."""


class Restoring:
    """Brings restored logs back to where they were. One process of a node runs it.

    Parameters
    ----------
    records
        The logs.
    peers_of
        Those on a line but ourselves.
    get
        Gets a path below ``/line/v1/`` from one of them.
    alarms
        Told that a line is silent, and why.
    bell
        Rung with "line" when somebody new can be asked.
    """

    def __init__(
        self,
        records: Records,
        peers_of: Callable[[str], Iterable[Asked]],
        get: Callable[[Asked, str], Answer],
        alarms: Alarms,
        bell: Bell,
    ) -> None:
        self._records, self._peers_of, self._get, self._alarms, self._bell = records, peers_of, get, alarms, bell
        self._forked: set[str] = set()
        self._since_s = monotonic_s()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, if a log was restored; otherwise there is nothing to do."""
        self._stopping.clear()
        self._since_s = monotonic_s()
        if self.silent():
            self._thread = threading.Thread(target=self._run, name="keepclear-restoring", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End; a request that is under way is waited for."""
        self._stopping.set()
        self._bell.ring("stop")
        if self._thread is not None:
            self._thread.join()

    def silent(self) -> tuple[str, ...]:
        """The lines whose log was restored, and waits."""
        lines = (line for line in self._records.lines() if self._records.restored(line))
        return tuple(line for line in lines if self._records.own_origin(line) not in self._forked)

    def look(self) -> tuple[str, ...]:
        """Ask once on every line that waits; those that still do."""
        for line in self.silent():
            try:
                self._bring_back(line)
            except IntegrityError as error:
                self._forked.add(self._records.own_origin(line))
                self._alarms.sound(AlarmKind.FORK, str(error), key=self._records.own_origin(line), line=line)
            except KeepclearError as error:
                self._alarm(line, str(error))
        return self.silent()

    def _run(self) -> None:
        with self._bell.waiter("line") as waiter:
            tries = 0
            while not self._stopping.is_set():
                try:
                    if not self.look():
                        return
                except Exception:  # noqa: BLE001  # whatever it is, it is tried again
                    _LOG.exception("bringing back what was said since the copy was made")
                next_s = monotonic_s() + _NEXT_S[min(tries, len(_NEXT_S) - 1)]
                tries += 1
                waiter.wait(next_s - monotonic_s())
                self._stopping.wait(0.2)  # the bell may ring often

    def _bring_back(self, line: str) -> None:
        origin = self._records.own_origin(line)
        members = [peer for peer in self._peers_of(line) if peer.kind == "member"]
        shown, unheard = self._shown(origin, members)
        if not members:
            # Just after the start the others are merely not known yet, and a log begun anew cannot be taken back.
            if monotonic_s() - self._since_s >= _PATIENCE_S:
                self._alarm(line, "nobody else is known on the line who could show what was said last")
            return
        if unheard:
            self._alarm(line, f"not yet heard of: {', '.join(unheard)}")
            return
        self._must_agree(origin, shown)
        data, newest, peer = max(shown, key=lambda one: one[1].size)
        size = self._records.size(origin)
        if newest.size > size:
            leaves = self._leaves(origin, peer, size, newest.size)
            self._records.bring_back(origin, data, leaves)
            _LOG.warning("%s: entries %d to %d were brought back from %s", origin, size, newest.size - 1, peer.party)
        for data, _, _ in shown:
            self._records.confirm(origin, data)
        self._alarms.clear(AlarmKind.RESTORE, origin)

    def _must_agree(self, origin: str, shown: Sequence[tuple[bytes, Checkpoint, Asked]]) -> None:
        """Whoever shows another tree of ours has proof of a fork: it is kept as evidence before anything is said."""
        with self._records.reading(origin) as log:
            wrong = [data for data, one, _ in shown if one.size <= log.size and log.root_at(one.size) != one.root]
        for data in wrong:
            self._records.confirm(origin, data)  # raises

    def _shown(self, origin: str, members: Sequence[Asked]) -> tuple[list[tuple[bytes, Checkpoint, Asked]], list[str]]:
        """What the members hold, and those that did not say."""
        with self._records.reading(origin) as log:
            key = log.key
        shown, unheard = [], []
        for peer in members:
            try:
                data = remote_checkpoint(self._getter(peer), origin)
                checkpoint, _ = open_checkpoint(data, key)
            except KeepclearError as error:
                _LOG.info("%s: %s did not show what it holds: %s", origin, peer.party, error)
                unheard.append(peer.party)
                continue
            shown.append((data, checkpoint, peer))
        return shown, unheard

    def _leaves(self, origin: str, peer: Asked, start: int, stop: int) -> list[bytes]:
        if stop - start > _MOST_LEAVES:
            raise PeerError(f"{peer.party} shows {stop - start:,} entries that are not here; that is not believed")
        return list(remote_leaves(self._getter(peer), origin, start, stop))

    def _getter(self, peer: Asked) -> Get:
        return lambda path: self._get(peer, path)

    def _alarm(self, line: str, why: str) -> None:
        origin = self._records.own_origin(line)
        sentence = f"This node was restored from a copy, and says nothing on {line}: {why}"
        self._alarms.sound(AlarmKind.RESTORE, sentence, key=origin, line=line)


def getting(caller: Caller, turns: TurnDesk) -> Callable[[Asked, str], Answer]:
    """Gets from a peer over the network; of one that cannot be called, when it calls."""

    def get(peer: Asked, path: str) -> Answer:
        if peer.addresses:
            return caller.get(peer.addresses, f"{PREFIX}/{path}", to=peer.party)
        return turns.get(peer.line, peer.party, path)

    return get
