"""A log of our own, in which many threads say things at once.

*Group commit.* Who has something to say puts it in a queue and waits for the log's lock. Who gets it appends all that
stands in the queue by then, with one signature and one sync of the disk; those who come after him find theirs done. So
saying one thing takes one sync, and a hundred at once take two.

Everything that was said is durable when `OwnLog.say` returns; where it raises, nothing of the caller's was said, except
that `UnknownOutcomeError` leaves it open (the disk could not even be asked).
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from keepclear.errors import Fault, InputError, IntegrityError, KeepclearError, StoreError
from keepclear.node.kept_log import KeptLog
from keepclear.record.bodies.base import Body
from keepclear.record.entries import Entry, EntryRef
from keepclear.record.keys import SigningKey
from keepclear.record.merkle import leaf_hash
from keepclear.store.log import Log
from keepclear.store.log_store import DamagedError, GrownElsewhereError, LogStore, UnknownOutcomeError
from keepclear.store.saying import entry_said

__all__ = ["Outgoing", "OwnLog"]

_MOST_ENTRIES = 1000  # in one transaction
_MOST_BYTES = 32 * 2**20  # of bodies and attachments in one transaction
_MOST_TRIES = 50  # against other processes that say things in the same log


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Something to be said.

    Attributes
    ----------
    body
        What.
    recipients
        The parties that are given the body.
    exercise
        Whether it is said in an exercise.
    attachments
        Files that go with it, in the order in which the body names them.
    """

    body: Body
    recipients: Iterable[str] = ()
    exercise: bool = False
    attachments: Sequence[bytes] = ()


@dataclass(eq=False, slots=True)
class _Waiting:
    entries: list[Entry]
    size_bytes: int
    refs: tuple[EntryRef, ...] | None = None
    error: BaseException | None = field(default=None)

    @property
    def is_settled(self) -> bool:
        return self.refs is not None or self.error is not None


class OwnLog(KeptLog[Log]):
    """A log of our own.

    Parameters
    ----------
    store, log, shared
        See `KeptLog`.
    clock
        Gives the entries their times.
    """

    def __init__(self, store: LogStore, log: Log, *, shared: bool, clock: Callable[[], float]) -> None:
        super().__init__(store, log, shared=shared)
        self._clock = clock
        self._queue: deque[_Waiting] = deque()
        self._queue_guard = threading.Lock()
        self._silence, self._behind = "", False

    @property
    def restored(self) -> bool:
        """Whether it was put back from a copy, and says nothing until a peer has shown its newest checkpoint."""
        return self._log.restored or self._behind

    @property
    def silence(self) -> str:
        """Why nothing can be said in it, as a sentence; empty where it can."""
        if self._silence:
            return self._silence
        if self.restored:
            return (
                f"{self.origin} was put back from a copy, or its mark was lost: nothing is said in it until another "
                "party has shown the newest checkpoint that it holds"
            )
        return ""

    def stop_saying(self, why: str, *, behind: bool = False) -> None:
        """Say nothing more in this log, because of a fork or a peer that holds more of it than we do.

        Parameters
        ----------
        behind
            It holds less than was signed once: it counts as restored, until that has been brought back.
        """
        self._silence, self._behind = why, behind

    def confirm(self, checkpoint: bytes, *, key: SigningKey) -> None:
        """Take a checkpoint of ours that another party holds; see `Log.confirm`."""
        with self._lock:
            try:
                self._log.confirm(checkpoint)
            except IntegrityError as error:
                if not isinstance(error, DamagedError):
                    self._silence = str(error)
                raise
            self._speak_again(Log(self.store, self.origin, key=key))

    def bring_back(self, checkpoint: bytes, leaves: Sequence[bytes], *, key: SigningKey) -> None:
        """Take back what was said since the copy was made, and speak again; see `Log.bring_back`."""
        with self._lock:
            self._log.bring_back(checkpoint, leaves)
            log = Log(self.store, self.origin, key=key)
            log.confirm(checkpoint)
            self._speak_again(log)

    def _speak_again(self, log: Log) -> None:
        self._log, self._silence, self._behind = log, "", False

    def say(self, outgoing: Sequence[Outgoing]) -> tuple[EntryRef, ...]:
        """Say these, all or none; what names them, once they are durable.

        Raises
        ------
        InputError
            If one of them cannot be said, or the log says nothing at present.
        StoreError
            If they could not be kept.
        """
        self._must_speak()
        waiting = self._waiting(outgoing)
        self._settle([waiting])
        if waiting.error is not None:
            raise waiting.error
        assert waiting.refs is not None
        return waiting.refs

    def say_each(self, wanted: Sequence[Sequence[Outgoing]]) -> list[tuple[EntryRef, ...] | Exception]:
        """Say each of these, all or none of it, and whatever becomes of the others; in one commit where all goes well.

        Returns
        -------
        What names the entries of each; or why it was not said.

        Raises
        ------
        InputError
            If the log says nothing at present.
        """
        self._must_speak()
        found: list[_Waiting | Exception] = []
        for outgoing in wanted:
            try:
                found.append(self._waiting(outgoing))
            except Exception as error:  # noqa: BLE001  # those before stand in the queue, and will be said
                found.append(error)
        self._settle([one for one in found if isinstance(one, _Waiting)])
        return [_outcome(one) for one in found]

    def _settle(self, every: Sequence[_Waiting]) -> None:
        """See to it that all of these have been said, or have failed."""
        while not all(one.is_settled for one in every):  # there may be more than fits into one transaction
            with self._lock:
                if not all(one.is_settled for one in every):
                    self._say_all()

    def _must_speak(self) -> None:
        if self.silence:
            raise InputError(Fault(self.silence, field="line", value=self.line))

    def _waiting(self, outgoing: Sequence[Outgoing]) -> _Waiting:
        """Make the entries and queue them; under one lock, so that their times stand in the order of the entries."""
        with self._queue_guard:
            time_s = self._clock()
            entries = [
                entry_said(
                    one.body, line=self.line, party=self.party, time_s=time_s, recipients=one.recipients,
                    exercise=one.exercise, attachments=one.attachments,
                )
                for one in outgoing
            ]  # fmt: skip
            if not entries:
                raise InputError(Fault("nothing to say", "one entry or more"))
            waiting = _Waiting(entries, sum(_bytes_of(entry) for entry in entries))
            self._queue.append(waiting)
        return waiting

    def _say_all(self) -> None:
        """Append what stands in the queue; every one that was taken has refs or an error afterwards."""
        batch = self._taken()
        if not batch:
            return
        try:
            self._append(batch)
        except (InputError, IntegrityError) as error:
            if len(batch) == 1:
                batch[0].error = error
                return
            for one in batch:  # whose fault it was: each alone
                self._append_alone(one)
        except BaseException as error:
            for one in batch:
                one.error = _for_another(error)
            if not isinstance(error, Exception):
                raise

    def _append_alone(self, one: _Waiting) -> None:
        try:
            self._append([one])
        except KeepclearError as error:
            one.error = error

    def _taken(self) -> list[_Waiting]:
        batch: list[_Waiting] = []
        entries = size = 0
        with self._queue_guard:
            while self._queue:
                first = self._queue[0]
                entries, size = entries + len(first.entries), size + first.size_bytes
                if batch and (entries > _MOST_ENTRIES or size > _MOST_BYTES):
                    break
                batch.append(self._queue.popleft())
        return batch

    def _append(self, batch: Sequence[_Waiting]) -> None:
        entries = [entry for one in batch for entry in one.entries]
        refs = self._appended(entries)
        at = 0
        for one in batch:
            one.refs = refs[at : at + len(one.entries)]
            at += len(one.entries)

    def _appended(self, entries: Sequence[Entry]) -> tuple[EntryRef, ...]:
        """As `Log.append`; where others have said something meanwhile, after that."""
        unsure = False
        for _ in range(_MOST_TRIES):
            at = self._log.size
            try:
                return self._log.append(entries)
            except GrownElsewhereError:
                self._log.refresh()
            except UnknownOutcomeError as error:
                self._look_at_disk(error)
                said = self._said_at(at, entries)
                if said is not None:
                    return said
                if unsure:
                    raise
                unsure = True
        raise StoreError(f"{self.store.name}: {self.origin} is written by others all the time; nothing was said")

    def _look_at_disk(self, error: UnknownOutcomeError) -> None:
        try:
            self._log.reread()
        except StoreError as again:  # then nobody can say, and that is what the callers are told
            raise UnknownOutcomeError(*error.args) from again

    def _said_at(self, at: int, entries: Sequence[Entry]) -> tuple[EntryRef, ...] | None:
        """What names these entries, if they are what stands in the log from `at` on: a leaf has a salt of its own."""
        if self._log.size < at + len(entries):
            return None
        leaves = [entry.leaf.to_bytes() for entry in entries]
        if list(self._log.leaves(at, at + len(entries))) != leaves:
            return None
        return tuple(EntryRef(self.origin, index, leaf_hash(leaf)) for index, leaf in enumerate(leaves, at))


def _outcome(one: _Waiting | Exception) -> tuple[EntryRef, ...] | Exception:
    if isinstance(one, Exception):
        return one
    if one.refs is not None:
        return one.refs
    error = one.error
    return error if isinstance(error, Exception) else StoreError(f"nothing was said: {error!r}")


def _bytes_of(entry: Entry) -> int:
    return len(entry.body or b"") + sum(len(file.data) for file in entry.attachments if file is not None)


def _for_another(error: BaseException) -> BaseException:
    """An error that several threads are to raise: each its own, since a traceback grows where it is raised."""
    if isinstance(error, KeepclearError):
        again = type(error)(*error.args)
        again.__cause__ = error
        return again
    return StoreError(f"nothing was said: {error!r}")
