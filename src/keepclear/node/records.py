"""All the logs that a party's node keeps: its own, in which it says things, and its copies of the others'.

Nothing else in the node touches the store of logs. Every method may be called from any thread. Each log has a lock;
nobody holds one while waiting for the network.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import overload

from keepclear.errors import Fault, InputError, KeepclearError, StoreError
from keepclear.line.tickets import SECRET_BYTES
from keepclear.node.bell import Bell
from keepclear.node.folder import NodeFolder
from keepclear.node.kept_log import KeptLog
from keepclear.node.mirror_log import Keeps, MirrorLog
from keepclear.node.own_log import Outgoing, OwnLog
from keepclear.node.refusals_said import Refusals
from keepclear.record.bodies.registry import forget_bodies
from keepclear.record.entries import Entry, EntryRef, Leaf
from keepclear.record.keys import SigningKey, VerifierKey
from keepclear.record.names import KeyName, Purpose
from keepclear.record.tlog_proofs import TlogProof
from keepclear.store.held import HeldLog
from keepclear.store.log import Log
from keepclear.store.log_store import BodyState, Conflict, DamagedError, LogStore, StoredLog
from keepclear.store.mirror import Mirror
from keepclear.store.receiving import Receiver
from keepclear.store.receiving_bodies import BodyDesk
from keepclear.store.sending import Sender

__all__ = ["Outgoing", "Records"]

_SECRET = "ticket secret"  # noqa: S105  # the name of the setting that has it


class Records:
    """The logs of a party.

    Parameters
    ----------
    folder
        Has the keys.
    store
        Has the logs; it is the caller's to close.
    bell
        Rung when something is new.
    clock
        Gives the entries their times.
    shared
        Whether other processes of this node write the store as well.
    """

    def __init__(
        self, folder: NodeFolder, store: LogStore, bell: Bell, clock: Callable[[], float], *, shared: bool = False
    ) -> None:
        self.folder, self.store = folder, store
        self._bell, self._clock, self._shared = bell, clock, shared
        self._guard = threading.RLock()
        self._own: dict[str, OwnLog] = {}
        self._mirrors: dict[str, MirrorLog] = {}
        self._unreadable: dict[str, str] = {}
        self._senders: dict[tuple[str, str, tuple[str, ...]], Sender] = {}
        self._keeps: Keeps = lambda *_: True
        self._refusals: dict[str, Refusals] = {}
        self._secret = self._ticket_secret()
        self.look_again()

    # --- which logs ------------------------------------------------------------------------------------------------

    @property
    def party(self) -> str:
        """Whose they are."""
        return self.folder.party

    def lines(self) -> tuple[str, ...]:
        """The lines on which the party has a log."""
        with self._guard:
            return tuple(sorted({log.line for log in self._own.values()}))

    def own_origin(self, line: str) -> str:
        """The log in which the party speaks on a line: its newest.

        Raises
        ------
        InputError
            If it has none there.
        """
        return self._speaking(line).origin

    def origins(self, line: str) -> tuple[str, ...]:
        """All logs of a line, our own among them."""
        with self._guard:
            return tuple(sorted(o for o, log in (self._own | self._mirrors).items() if log.line == line))

    def own_origins(self, line: str) -> tuple[str, ...]:
        """Our own logs on a line, oldest first."""
        with self._guard:
            found = [name for o, log in self._own.items() if log.line == line and (name := KeyName.of_text(o))]
        return tuple(name.text for name in sorted(found, key=lambda name: name.begun))

    def is_own(self, origin: str) -> bool:
        """Whether it is a log of ours."""
        return origin in self._own

    def unreadable(self) -> dict[str, str]:
        """Logs that could not be opened, and why."""
        with self._guard:
            return dict(self._unreadable)

    def look_again(self) -> None:
        """Open the logs that have come into the store, by another process or another part of this program."""
        with self._guard:
            for stored in self.store.logs():
                if stored.origin not in self._own and stored.origin not in self._mirrors:
                    self._open(stored)

    def begin(self, line: str, *, recipients: Iterable[str] = ()) -> str:
        """Begin our log on a line, with its keys and their certificates; its origin. Done twice, it goes on.

        Raises
        ------
        InputError
            If there is a log already, or the name is none.
        """
        from keepclear.store.key_changes import begin_log

        with self._guard:
            log, _ = begin_log(
                self.folder, self.store, line, time_s=self._clock(), recipients=recipients,
                sealed_with=self.folder.passphrase_of_new_keys(),
            )  # fmt: skip
            self.look_again()
        self._bell.ring("said", "line")
        return log.origin

    def begin_anew(self, line: str, *, recipients: Iterable[str] = (), old_is_lost: bool = False) -> str:
        """Begin a new log on a line that is linked to the one before; see `keepclear.store.key_changes`."""
        from keepclear.store.key_changes import change_log_key

        with self._guard:
            key = change_log_key(
                self.folder, self.store, line, time_s=self._clock(), recipients=recipients,
                sealed_with=self.folder.passphrase_of_new_keys(), old_is_lost=old_is_lost,
            )  # fmt: skip
            self._own = {origin: log for origin, log in self._own.items() if log.line != line}
            self.look_again()
        self._bell.ring("said", "line")
        return key.name

    def add_mirror(self, key: VerifierKey) -> None:
        """Mirror the log of another party that `key` signs; nothing is done where it is mirrored already.

        Raises
        ------
        InputError
            If it is no key of another party's log on a line of ours, or another key's log is mirrored by this name.
        """
        name = KeyName.of_text(key.name)
        if name is None or name.purpose is not Purpose.LOG or name.party == self.party:
            raise InputError(Fault("not the key of another party's log", "<party>/<line>/log+…", value=key.text))
        with self._guard:
            self.look_again()
            there = self._mirrors.get(key.name)
            if there is not None:
                if there.read(lambda log: log.key) != key:
                    problem = f"the log {key.name} is mirrored under another key"
                    raise InputError(Fault(problem, "a log keeps its key; begin a new one", value=key.text))
                return
            if all(stored.origin != key.name for stored in self.store.logs()):
                Mirror.create(self.store, key, party=self.party)
            self.look_again()
        self._bell.ring("line")

    # --- saying ----------------------------------------------------------------------------------------------------

    def say(self, line: str, bodies: Sequence[Outgoing]) -> tuple[EntryRef, ...]:
        """Say these on a line, all of them or none; durable when this returns. Concurrent callers share a commit.

        Raises
        ------
        InputError
            If one cannot be said, or our log on the line says nothing at present (`silence` tells why).
        StoreError
            If it could not be kept.
        """
        refs = self._speaking(line).say(bodies)
        self._bell.ring("said")
        return refs

    def say_each(self, line: str, wanted: Sequence[Sequence[Outgoing]]) -> list[tuple[EntryRef, ...] | Exception]:
        """Say each of these, all or none of it, and whatever becomes of the others; see `OwnLog.say_each`.

        Raises
        ------
        InputError
            If our log on the line says nothing at present (`silence` tells why).
        """
        found = self._speaking(line).say_each(wanted)
        if any(not isinstance(one, Exception) for one in found):
            self._bell.ring("said")
        return found

    def silence(self, line: str) -> str:
        """Why nothing can be said on a line, as a sentence; empty where it can."""
        return self._speaking(line).silence

    def restored(self, line: str) -> bool:
        """Whether our log waits for a peer to show the newest checkpoint that it holds of it (`confirm`)."""
        return self._speaking(line).restored

    def stop_saying(self, line: str, why: str) -> None:
        """Say nothing more on a line until `confirm`: a peer holds more of our log, or another history of it."""
        self._speaking(line).stop_saying(why)

    def confirm(self, origin: str, checkpoint: bytes) -> None:
        """After a restore: a checkpoint of our log that a peer holds; see `keepclear.store.log.Log.confirm`.

        Raises
        ------
        DamagedError
            If it is of more entries than are here: bring those back first.
        IntegrityError
            If our log has forked.
        """
        self._of_ours(origin).confirm(checkpoint, key=self._key_of(origin))
        self._bell.ring("line", "said")

    def bring_back(self, origin: str, checkpoint: bytes, leaves: Sequence[bytes]) -> None:
        """After a restore: take back what we had said since, as a peer kept it; then the log speaks again.

        The bodies come by `put_bodies`, from those who have them. Get the leaves before calling this.

        Raises
        ------
        PeerError
            If the checkpoint is malformed, or these are not as many leaves as there are from here to it.
        IntegrityError
            If our key did not sign it, or the leaves do not lead to it. Nothing was taken.
        """
        self._of_ours(origin).bring_back(checkpoint, leaves, key=self._key_of(origin))
        self._bell.ring("line", "said", "came")

    # --- reading ---------------------------------------------------------------------------------------------------

    def size(self, origin: str) -> int:
        """How many entries a log has here."""
        return self._kept(origin).size

    def leaf(self, origin: str, index: int) -> Leaf:
        """A leaf; raises PeerError where it is none that can be read."""
        return Leaf.of_bytes(self._kept(origin).read(lambda log: log.leaf(index)))

    def leaves(self, origin: str, start: int, stop: int) -> list[Leaf | None]:
        """Leaves from `start` to before `stop`; None for one that cannot be read."""
        return self._kept(origin).leaves(start, stop)

    def leaves_of(self, origin: str, types: Collection[str], start: int, stop: int) -> Iterator[tuple[int, Leaf]]:
        """Number and leaf of the entries of these types, from `start` to before `stop`: of few types, and fast.

        Parameters
        ----------
        types
            Some of `keepclear.node.kept_log.SELDOM`.
        """
        for index in self._kept(origin).may_be(types, start, stop):
            (leaf,) = self.leaves(origin, index, index + 1)
            if leaf is not None and leaf.type in types:
                yield index, leaf

    def statements(self, origin: str) -> tuple[bytes, ...]:
        """The statements about keys in a log whose bodies are here, in order."""
        from keepclear.store.key_statements import STATEMENTS, statement_of

        size = self.size(origin)
        held = [self.entry(origin, index) for index, _ in self.leaves_of(origin, STATEMENTS, 0, size)]
        return tuple(found for entry in held if (found := statement_of(entry)) is not None)

    def ref(self, origin: str, index: int) -> EntryRef:
        """The name of an entry."""
        return self._kept(origin).ref(index)

    @overload
    def entry(self, where: EntryRef) -> Entry: ...
    @overload
    def entry(self, where: str, index: int) -> Entry: ...
    def entry(self, where: EntryRef | str, index: int | None = None) -> Entry:
        """An entry, by its name or its place, with what is held of its body.

        Raises
        ------
        InputError
            If there is no such entry, or another one than was named.
        """
        if isinstance(where, str):
            assert index is not None
            return self._kept(where).entry(index)
        entry = self._kept(where.origin).entry(where.index)
        if entry.leaf.hash != where.leaf_hash:
            raise InputError(Fault("another entry stands there", value=f"{where.origin} {where.index}"))
        return entry

    def entries(self, origin: str, start: int, stop: int) -> list[Entry]:
        """Entries from `start` to before `stop`, with what is held of their bodies."""
        return self._kept(origin).entries(start, stop)

    def bodies(self, origin: str, start: int, stop: int) -> list[Entry | None]:
        """Entries from `start` on without attachments, much faster than one by one; None where a leaf cannot be read.

        As many of those before `stop` as are read together, which are fewer where bodies are long (`HeldLog.bodies`).
        """
        return self._kept(origin).bodies(start, stop)

    def body_state(self, origin: str, index: int) -> BodyState | None:
        """What became of an entry's body; None where there is none for us."""
        return self._kept(origin).read(lambda log: log.body_state(index))

    def put_bodies(self, origin: str, entries: Mapping[int, Entry]) -> None:
        """Keep bodies that came by another way than an upload; the leaves prove them.

        Of a mirrored log, or of our own after a restore.

        Raises
        ------
        PeerError
            If one is of another entry than stands there, or not whole.
        IntegrityError
            If one is not what its leaf says.
        """
        own = self._own.get(origin)
        if own is not None:
            with own.held() as ours:
                ours.put_bodies(entries)
        else:
            with self._mirror(origin).held() as theirs:
                theirs.put_bodies(entries)
        if entries:
            self._bell.ring("body", "line")

    def wanted(self, origin: str, *, limit: int = 1000) -> tuple[int, ...]:
        """Entries of a mirrored log that are addressed to us and whose body has not come."""
        return self._mirror(origin).read(lambda log: log.wanted(limit=limit))

    def wanted_of(self, origin: str, start: int, stop: int) -> frozenset[int]:
        """The same of entries from `start` to before `stop`; of a log of our own none is known to be wanted."""
        if self.is_own(origin):
            return frozenset()
        return frozenset(self._mirror(origin).read(lambda log: log.wanted(since=start, before=stop, limit=stop)))

    def checkpoint(self, origin: str, size: int | None = None) -> bytes:
        """The signed checkpoint with its cosignatures: the newest, or the one of that size."""
        return self._kept(origin).read(lambda log: log.checkpoint(size))

    def proof(self, ref: EntryRef) -> TlogProof:
        """Proof of an entry, with the checkpoint that most have cosigned."""
        self.entry(ref)
        return self._kept(ref.origin).read(lambda log: log.proof(ref.index, size=log.best_receipts(ref.index)))

    def receipts(self, origin: str) -> tuple[tuple[str, int], ...]:
        """Who has cosigned a log, and the greatest size that he has: the keys' verifier texts."""
        keys = (key for key, _ in self.store.first_cosigned(origin, above=-1))
        return tuple((key, self.store.last_cosigned(origin, key) or 0) for key in keys)

    def cosigned_by(self, origin: str, index: int) -> tuple[tuple[str, int], ...]:
        """Who has stored an entry: key and the size of the first checkpoint with it that he cosigned."""
        return self.store.first_cosigned(origin, above=index)

    def conflicts(self, origin: str) -> tuple[Conflict, ...]:
        """Pairs of checkpoints of a log that do not agree: proved, where they have evidence, or not."""
        return self.store.conflicts(origin)

    def forks(self, origin: str) -> tuple[Conflict, ...]:
        """Proved forks of a log."""
        return tuple(found for found in self.store.conflicts(origin) if found.evidence)

    def add_conflict(self, origin: str, conflict: Conflict) -> None:
        """Keep evidence that somebody else has given us; the same is kept once."""
        self.store.add_conflict(origin, conflict)

    @contextmanager
    def reading(self, origin: str) -> Iterator[HeldLog]:
        """A log under its lock, for what is not here: tiles, consistency proofs. Be quick."""
        with self._kept(origin).held() as log:
            yield log

    # --- sending and receiving -------------------------------------------------------------------------------------

    def keep_by(self, keeps: Keeps) -> None:
        """Ask these guards whether a body that came is kept."""
        self._keeps = keeps

    @contextmanager
    def receiver(self, origin: str) -> Iterator[tuple[Receiver, BodyDesk]]:
        """What takes uploads of a log that we mirror, under its lock; see `MirrorLog.receiving`."""
        with self._mirror(origin).receiving() as found:
            yield found

    def comes_fast(self, origin: str) -> bool:
        """Whether so much of a log that we mirror is coming just now that it is better to look at it together."""
        found = self._mirrors.get(origin)
        return found is not None and found.comes_fast

    @contextmanager
    def sender(self, origin: str, keys: Iterable[VerifierKey], party: str) -> Iterator[Sender]:
        """What uploads a log to a party's mirror, under the log's lock; the same each time for the same keys.

        Take the whole body of a request in the block, and send it outside. Receipts that came ring "receipt".
        """
        keys = tuple(keys)
        kept = self._kept(origin)
        with kept.held() as log:
            name = (origin, party, tuple(key.text for key in keys))
            sender = self._senders.get(name)
            if sender is None or sender.log is not log:
                sender = self._senders[name] = Sender(self.store, log, keys=keys, party=party)
            before = sender.uploading.cosigned
            yield sender
            grown = sender.uploading.cosigned > before
        if grown:
            self._bell.ring("receipt")

    def refuse(self, origin: str, index: int, guard: str) -> EntryRef:
        """Say in our log that the body of an entry is not kept, to its author; the entry that says so.

        Raises
        ------
        InputError
            If the body is not wanted.
        """
        mirror = self._mirror(origin)
        with self._guard:
            refusals = self._refusals.setdefault(mirror.line, Refusals())
        said = refusals.refuse(mirror, index, self._speaking(mirror.line), guard=guard)
        self._bell.ring("said", "body")
        return said

    def erase(self, origin: str, index: int) -> None:
        """Remove an entry's body for good."""
        with self._kept(origin).held() as log:
            log.erase_body(index)
        forget_bodies()
        self._bell.ring("body")

    # --- keys ------------------------------------------------------------------------------------------------------

    def mirror_key(self, line: str) -> SigningKey:
        """What we cosign with on a line."""
        return self.folder.signing_key(KeyName(self.party, Purpose.MIRROR, line))

    def transport_key(self) -> SigningKey:
        """What signs our requests."""
        return self.folder.signing_key(KeyName(self.party, Purpose.TRANSPORT))

    # --- inside ----------------------------------------------------------------------------------------------------

    def _open(self, stored: StoredLog) -> None:
        name = KeyName.of_text(stored.origin)
        if name is None or name.line is None:
            return
        try:
            if stored.own:
                if self.store.end(stored.origin):  # not one whose beginning was cut off
                    self._own[stored.origin] = self._open_own(name)
            else:
                mirror = Mirror(self.store, stored.origin, party=self.party)
                self._mirrors[stored.origin] = MirrorLog(
                    self.store, mirror, shared=self._shared, key=self.mirror_key(name.line), secret=self._secret,
                    keeps=self._is_kept, ring=self._bell.ring,
                )  # fmt: skip
            self._unreadable.pop(stored.origin, None)
        except KeepclearError as error:
            self._unreadable[stored.origin] = str(error)

    def _is_kept(self, origin: str, number: int, entry: Entry) -> bool:
        return self._keeps(origin, number, entry)  # the guards of now, not of when the log was opened

    def _open_own(self, name: KeyName) -> OwnLog:
        """A log of ours; one that must not be signed any more is opened to be read, and says why."""
        fault: KeepclearError | None = None
        try:
            log = Log(self.store, name.text, key=self.folder.signing_key(name))
        except (DamagedError, InputError) as error:
            log, fault = Log(self.store, name.text), error  # what is damaged beyond its end cannot be opened so either
        own = OwnLog(self.store, log, shared=self._shared, clock=self._clock)
        if fault is not None:
            own.stop_saying(str(fault), behind=isinstance(fault, DamagedError))
        return own

    def _key_of(self, origin: str) -> SigningKey:
        name = KeyName.of_text(origin)
        assert name is not None
        return self.folder.signing_key(name)

    def _speaking(self, line: str) -> OwnLog:
        own = self.own_origins(line)
        if not own:
            told = ", ".join(self.lines()) or "none yet"
            raise InputError(Fault("there is no such line", f"one of: {told}", field="line", value=line))
        return self._own[own[-1]]

    def _of_ours(self, origin: str) -> OwnLog:
        with self._guard:
            found = self._own.get(origin)
        if found is None:
            raise InputError(Fault("not a log of our own", field="origin", value=origin))
        return found

    def _mirror(self, origin: str) -> MirrorLog:
        found = self._mirrors.get(origin)
        if found is None:
            self.look_again()
            found = self._mirrors.get(origin)
        if found is None:
            raise self._missing(origin)
        return found

    def _kept(self, origin: str) -> KeptLog[Log] | KeptLog[Mirror]:
        return self._own.get(origin) or self._mirror(origin)

    def _missing(self, origin: str) -> KeepclearError:
        why = self._unreadable.get(origin)
        if why is not None:
            return StoreError(why)
        return InputError(Fault("no such log is kept here", field="origin", value=origin))

    def _ticket_secret(self) -> bytes:
        found = self.store.setting(_SECRET)
        if found is None or len(found) != SECRET_BYTES:
            self.store.put_setting(_SECRET, secrets.token_bytes(SECRET_BYTES))
            found = self.store.setting(_SECRET)
            assert found is not None
        return found
