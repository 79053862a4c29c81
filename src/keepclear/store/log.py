"""A party's own log: the one that it appends to and signs.

A log's word cannot be taken back, so it never signs two trees of one size, nor a smaller one after a greater. The
order of writes that sees to it is told in `keepclear.store.sql_store`; here is what surrounds it:

- the tree that is signed grows from a right edge that was verified against the newest durable checkpoint;
- if the outcome of an append is not known, the log refuses everything until `Log.reread` has looked at the disk;
- if the file holds less than its mark says was signed, it is not opened for signing at all;
- if the mark is missing, the file counts as restored from a copy: it is read, and it signs nothing until
  `Log.confirm` has been given a checkpoint that another party holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from keepclear.errors import Fault, InputError, IntegrityError, PeerError, StoreError
from keepclear.record.checkpoints import Checkpoint, open_checkpoint, sign_checkpoint
from keepclear.record.entries import Entry, EntryRef
from keepclear.record.keys import SignatureKind, SigningKey
from keepclear.record.merkle import EMPTY_ROOT, leaf_hash
from keepclear.record.names import KeyName
from keepclear.record.notes import Note
from keepclear.store.held import HeldLog
from keepclear.store.log_store import (
    BodyState,
    DamagedError,
    Growth,
    LogStore,
    Mark,
    SignedHead,
    StoredAttachment,
    StoredBody,
)

__all__ = ["Log", "stored_attachments", "whole_bodies"]


class Log(HeldLog):
    """A log of our own in a store.

    Parameters
    ----------
    store
        Where it is kept.
    origin
        Which log.
    key
        The log's key; without one the log is only read.

    Raises
    ------
    InputError
        If the key is another log's.
    StoreError
        If the store has no such log, or it is another party's.
    DamagedError
        If the store holds something else than what was signed, or, where there is a key, less.
    """

    def __init__(self, store: LogStore, origin: str, *, key: SigningKey | None = None) -> None:
        self._signing = key
        self._restored = False
        super().__init__(store, origin)

    @classmethod
    def create(cls, store: LogStore, key: SigningKey) -> Log:
        """Begin the log that `key` signs for, with a checkpoint of no entries.

        Raises
        ------
        InputError
            If the key is not an Ed25519 key of a party's log on a line.
        StoreError
            If the store holds it already.
        """
        origin = key.verifier.name
        _speaker(origin)
        if key.verifier.kind is not SignatureKind.ED25519:
            raise InputError(
                Fault("a log signs with an Ed25519 key", "use the line's log key", value=key.verifier.text)
            )
        note = sign_checkpoint(Checkpoint(origin, 0, EMPTY_ROOT), key)
        store.create(origin, key=key.verifier.text, own=True, head=SignedHead(0, EMPTY_ROOT, note))
        return cls(store, origin, key=key)

    @property
    def restored(self) -> bool:
        """Whether nothing tells what was signed last, so that nothing may be signed before `confirm`."""
        return self._restored

    def append(self, entries: Sequence[Entry]) -> tuple[EntryRef, ...]:
        """Say something: all of the entries, or none of them.

        When this returns, they are durable, and so is a signed checkpoint of them, which `checkpoint` gives.

        Parameters
        ----------
        entries
            One or more, of this log's party and line, with their bodies.

        Returns
        -------
        tuple
            What names them from now on.

        Raises
        ------
        InputError
            If an entry is not this party's on this line, or has no body to be kept; with all faults.
        IntegrityError
            If a body is not the one that its leaf names.
        UnknownOutcomeError
            If they may have been kept or not: `reread`, and look at the size, before saying anything again.
        StoreError
            If they could not be kept; then none of them was.
        """
        self._ready()
        self._must_sign()
        self._check(entries)
        growing = self._growing()
        at = growing.size
        leaves = [entry.leaf.to_bytes() for entry in entries]
        gains = growing.add(leaves)
        files = tuple(file for number, entry in enumerate(entries, at) for file in stored_attachments(number, entry))
        bodies = [
            StoredBody(number, BodyState.HELD, entry.salt, entry.body) for number, entry in enumerate(entries, at)
        ]
        head = self._store.append(
            self._origin,
            (Growth(leaves, gains, bodies, files),),
            at=at,
            seal=lambda: self._sealed(growing.size, growing.root()),
        )
        self._has_grown(head, growing)
        return tuple(EntryRef(self._origin, number, leaf_hash(leaf)) for number, leaf in enumerate(leaves, at))

    def confirm(self, checkpoint: bytes) -> None:
        """After a restore: take a checkpoint of ours that another party holds as the newest that was shown.

        Raises
        ------
        DamagedError
            If it is of more entries than are here: the newer ones must be brought back first.
        IntegrityError
            If it is signed with our key and is not of this tree: the log has forked. Both checkpoints are kept.
        """
        self._ready()
        shown, _ = open_checkpoint(checkpoint, self._key)
        if shown.size > self._size:
            raise DamagedError(
                f"{self._origin}: {shown.size} entries were signed, and the restored file holds {self._size}; "
                "bring the others back from those who hold them, or begin a new log that names this one"
            )
        if self.root_at(shown.size) != shown.root:
            detail = f"what was restored is not what the checkpoint of {shown.size} entries says"
            self._keep_evidence(checkpoint, detail)
            raise IntegrityError(f"{self._origin} has forked: {detail}; both checkpoints are kept as evidence")
        self._store.put_mark(self._origin, Mark(self._size, self._root))
        self._restored = False

    def bring_back(self, checkpoint: bytes, leaves: Sequence[bytes]) -> None:
        """After a restore: take back the entries that we said since the copy was made, as another party had kept them.

        Nothing is signed. The mark goes ahead first: whatever stops this in the middle, the log stays silent.

        Parameters
        ----------
        checkpoint
            Signed with our key; of more entries than are here.
        leaves
            Those from `size` on, up to the checkpoint's.

        Raises
        ------
        PeerError
            If the checkpoint is malformed, or there are too few or too many leaves.
        IntegrityError
            If our key did not sign it, or the leaves do not lead to it from what is here: they were sent wrongly, or
            the log has forked. Nothing was taken.
        """
        self._ready()
        new, note = open_checkpoint(checkpoint, self._key)
        if new.size - self._size != len(leaves) or not leaves:
            raise PeerError(
                f"{self._origin}: {len(leaves)} leaves were given, and from {self._size} entries to {new.size} there "
                f"are {new.size - self._size}"
            )
        growing = self._growing()
        gains = growing.add(leaves)
        if growing.root() != new.root:
            problem = f"the leaves do not lead from {self._size} entries to the checkpoint of {new.size}"
            raise IntegrityError(f"{self._origin}: {problem}; nothing was taken")
        self._store.put_mark(self._origin, Mark(new.size, new.root))
        own = tuple(signature for signature in note.signatures if signature.is_by(self._key))
        head = SignedHead(new.size, new.root, Note(note.text, own[:1]).to_bytes())
        self._store.append(self._origin, (Growth(leaves, gains),), at=self._size, seal=lambda: head, brought=True)
        self._has_grown(head, growing)

    def put_bodies(self, entries: Mapping[int, Entry]) -> None:
        """Keep bodies of our own entries that were brought back without them; the leaves prove them.

        Raises
        ------
        PeerError
            If one is of another entry than stands there, or not whole.
        IntegrityError
            If one is not what its leaf says.
        """
        self._store.put_bodies(self._origin, *whole_bodies(self, entries))

    def _load(self) -> None:
        # The mark is read first: what another process has appended between the two then only seems newer than it.
        mark = None if self._signing is None else self._store.mark(self._origin)
        super()._load()
        if not self._own:
            raise StoreError(f"{self._origin} is another party's log; it is mirrored, not appended to")
        if self._head is None:
            raise DamagedError(f"{self._store.name}: {self._origin} has no checkpoint. {self.examine().text}")
        if self._signing is not None:
            if self._signing.verifier != self._key:
                fault = Fault(f"not the key of the log {self._origin}", f"its key is {self._key.text}")
                raise InputError(fault)
            self._check_mark(mark)

    def _check_mark(self, mark: Mark | None) -> None:
        name = f"{self._store.name}: {self._origin}"
        self._restored = mark is None
        if mark is None:
            return
        if mark.size > self._size:
            raise DamagedError(
                f"{name}: {mark.size} entries were signed, and only {self._size} are here: the end of the file was "
                f"lost, or an older copy put back. Safe are entries 0 to {self._size - 1}. Nothing is signed from here "
                "on; put the newer file back, or begin a new log that names this one"
            )
        if self.root_at(mark.size) != mark.root:
            raise DamagedError(
                f"{name}: what is here is not what was signed with {mark.size} entries; nothing is signed"
            )
        if mark.size < self._size:  # the last append was cut off between commit and mark: nobody has seen it
            self._store.put_mark(self._origin, Mark(self._size, self._root))

    def _must_sign(self) -> None:
        if self._signing is None:
            raise InputError(
                Fault(f"{self._origin} was opened without its key", "open it with the log's key to append")
            )
        if self._restored:
            raise StoreError(
                f"{self._store.name} was restored from a copy, or its mark was lost: nothing is signed for "
                f"{self._origin} before a checkpoint that another party holds has been confirmed"
            )

    def _check(self, entries: Sequence[Entry]) -> None:
        if not entries:
            raise InputError(Fault("nothing to append", "one entry or more"))
        party, line = _speaker(self._origin)
        faults = []
        for number, entry in enumerate(entries):
            if (entry.leaf.party, entry.leaf.line) != (party, line):
                told = f"{entry.leaf.party} on {entry.leaf.line}"
                wanted = f"{party} on {line}"
                faults.append(Fault("not this log's party and line", wanted, feature=f"entry {number}", value=told))
            if entry.body is None or any(file is None for file in entry.attachments):
                faults.append(Fault("without its body or an attachment", "say what is said", feature=f"entry {number}"))
            if len(entry.attachments) != len(entry.leaf.attachments):
                faults.append(Fault("without its attachments", "as many as in its leaf", feature=f"entry {number}"))
        if faults:
            raise InputError(faults)
        for entry in entries:
            entry.check()

    def _sealed(self, size: int, root: bytes) -> SignedHead:
        assert self._signing is not None
        note = sign_checkpoint(Checkpoint(self._origin, size, root), self._signing)
        return SignedHead(size, root, note)


def stored_attachments(number: int, entry: Entry) -> Iterable[StoredAttachment]:
    """The attachments of an entry as a store keeps them."""
    for place, file in enumerate(entry.attachments):
        if file is not None:
            yield StoredAttachment(number, place, file.salt, file.data)


def whole_bodies(log: HeldLog, entries: Mapping[int, Entry]) -> tuple[list[StoredBody], list[StoredAttachment]]:
    """Bodies of entries of a log as a store keeps them, proved by the leaves that are held.

    Raises
    ------
    PeerError
        If a leaf is another than the one held, the body is missing, or not all attachments are there.
    IntegrityError
        If they are not what the leaf says.
    """
    bodies = []
    files: list[StoredAttachment] = []
    leaves = log.leaves_at(entries)
    for index, entry in entries.items():
        if leaves[index] != entry.leaf.to_bytes():
            raise PeerError(f"entry {index} of {log.origin} has another leaf")
        whole = len(entry.attachments) == len(entry.leaf.attachments) and None not in entry.attachments
        if entry.body is None or not whole:
            raise PeerError(f"entry {index} of {log.origin}: the body or an attachment is missing")
        entry.check()
        bodies.append(StoredBody(index, BodyState.HELD, entry.salt, entry.body))
        files.extend(stored_attachments(index, entry))
    return bodies, files


def _speaker(origin: str) -> tuple[str, str]:
    """Party and line of a log's origin."""
    name = KeyName.of_text(origin)
    if name is None or name.line is None or not origin.startswith(f"{name.party}/{name.line}/log"):
        raise InputError(Fault("not the name of a party's log on a line", "<party>/<line>/log", value=origin))
    return name.party, name.line
