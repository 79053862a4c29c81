"""A verified copy of another party's log.

What is taken in is a checkpoint that the log's key signed, and the leaves up to it. They are kept only if they lead
from the copy as it is to that checkpoint's root: that is the whole proof, so a consistency proof is needed only to
find out early.

Where a checkpoint contradicts the copy, nothing is kept but the two checkpoints, as evidence, and the error says
stop. Two that are signed and of one size, or of a size that the copy has passed, prove a fork to anyone. A greater
one that comes without the right leaves proves nothing yet (who sent it may have sent the wrong ones); it is kept as
not proved.

The mirror cosigns only the head of what it holds whole: every leaf, and for each entry addressed to its party the
body, or an entry of the party's own log that refuses it by name. So the cosignature is a receipt.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

from keepclear.errors import Fault, InputError, IntegrityError, PeerError, StoreError
from keepclear.record.checkpoints import Checkpoint, open_checkpoint
from keepclear.record.cosignatures import cosign
from keepclear.record.entries import Entry, Leaf
from keepclear.record.entry_types import EntryType
from keepclear.record.forks import ForkEvidence
from keepclear.record.keys import SigningKey, VerifierKey
from keepclear.record.merkle import leaf_hash
from keepclear.record.merkle_proofs import verify_consistency
from keepclear.record.names import KeyName
from keepclear.record.notes import Note, Signature
from keepclear.record.tiles import ENTRY_MOST_BYTES
from keepclear.store.growing import Growing
from keepclear.store.held import HeldLog
from keepclear.store.log import Log, whole_bodies
from keepclear.store.log_store import BodyState, Conflict, Growth, LogStore, SignedHead, StoredBody

__all__ = ["Mirror"]

_AT_ONCE = 4096  # leaves in memory
_MOST_UNPROVED = 32  # checkpoints kept that came without proof


class Mirror(HeldLog):
    """A copy of another party's log in a store.

    Parameters
    ----------
    store
        Where it is kept.
    origin
        Which log.
    party
        Who we are: bodies addressed to this party are wanted.
    """

    def __init__(self, store: LogStore, origin: str, *, party: str) -> None:
        self._party = party
        super().__init__(store, origin)

    @classmethod
    def create(cls, store: LogStore, key: VerifierKey, *, party: str) -> Mirror:
        """Begin a copy of the log that `key` signs for; nothing of it is held yet."""
        store.create(key.name, key=key.text, own=False)
        return cls(store, key.name, party=party)

    @property
    def head(self) -> SignedHead | None:
        """The newest checkpoint that is held; None before the first."""
        return self._head

    def extend(
        self, checkpoint: bytes, leaves: Iterable[bytes], consistency: Sequence[bytes] | None = None
    ) -> SignedHead:
        """Take in a newer checkpoint and the leaves that lead to it: all of it, or nothing.

        Parameters
        ----------
        checkpoint
            The signed note; cosignatures in it are passed over (`add_cosignatures` takes them).
        leaves
            Those from `size` on, as many as the checkpoint has more. Taken a few thousand at a time.
        consistency
            A consistency proof from `size`, if there is one: a fork is then found before any leaf is taken.

        Returns
        -------
        SignedHead
            The newest head that is held afterwards; where the checkpoint is an older one that agrees, that is the
            same as before.

        Raises
        ------
        PeerError
            If the checkpoint is malformed, or there are too few or too many leaves.
        IntegrityError
            If the log's key did not sign it, or it contradicts what is held: the log has forked, or was
            sent wrongly. `evidence` has the proved ones.
        """
        self._ready()
        new, note = open_checkpoint(checkpoint, self._key)
        if self._head is not None and new.size <= self._size:
            return self._known_already(new, checkpoint, self._head)
        if consistency is not None and self._head is not None:
            try:
                verify_consistency(
                    consistency, old_size=self._size, old_root=self._root, new_size=new.size, new_root=new.root
                )
            except IntegrityError as error:
                raise self._unproved(checkpoint, f"no proof that it continues {self._size} entries: {error}") from error
        own = tuple(signature for signature in note.signatures if signature.is_by(self._key))
        head = SignedHead(new.size, new.root, Note(note.text, own[:1]).to_bytes())
        growing = self._growing()
        at = growing.size
        parts = self._parts(growing, iter(leaves), new)
        try:
            head = self._store.append(self._origin, parts, at=at, seal=lambda: head)
        except _OtherTreeError as error:
            if consistency is None and self._head is not None:
                raise self._unproved(checkpoint, str(error)) from error
            raise IntegrityError(f"{self._origin}: {error}; nothing was kept") from error
        self._has_grown(head, growing)
        return head

    def put_body(self, index: int, entry: Entry) -> None:
        """Keep the body of an entry, and its attachments, which the leaf proves to be what was said.

        Raises
        ------
        PeerError
            If the leaf is another than the one held, the body is missing, or not all attachments are there.
        IntegrityError
            If they are not what the leaf says.
        """
        self.put_bodies({index: entry})

    def put_bodies(self, entries: Mapping[int, Entry]) -> None:
        """Keep the bodies of several entries in one transaction, as `put_body`: all of them or none."""
        bodies, files = whole_bodies(self, entries)
        if bodies:
            self._store.put_bodies(self._origin, bodies, files)

    def refuse_body(self, index: int, own: Log, refusal: int) -> None:
        """Count a body as refused, which an entry of our own log on the same line says.

        Raises
        ------
        InputError
            If that entry does not refuse the body of this one, or is not in our own log on this line.
        """
        # Bodies need the models of the trade, which take a while to import: only where a body is read.
        from keepclear.record.bodies.registry import body_of
        from keepclear.record.bodies.talk import RefusedBody

        entry = own.entry(refusal)
        ours, theirs = KeyName.of_text(own.origin), KeyName.of_text(self._origin)
        same_line = ours is not None and theirs is not None and ours.line == theirs.line and ours.party == self._party
        body = body_of(entry) if entry.leaf.type == EntryType.REFUSED else None
        named = body.entry.ref() if isinstance(body, RefusedBody) else None
        wanted = (self._origin, index, leaf_hash(self.leaf(index)))
        if not same_line or named is None or (named.origin, named.index, named.leaf_hash) != wanted:
            right = (
                f"an entry of {self._party} on the same line of type refused that names entry {index} of {self._origin}"
            )
            raise InputError(Fault("not a refusal of that body", right, value=f"{own.origin} {refusal}"))
        self._store.put_body(self._origin, StoredBody(index, BodyState.REFUSED, refusal=refusal))

    def wanted(self, *, since: int = 0, before: int | None = None, limit: int = 1000) -> tuple[int, ...]:
        """Entries (of those in a range) addressed to us whose body is neither held nor refused, the first `limit`."""
        self._ready()
        end = self._size if before is None else before
        return self._store.wanted(self._origin, since=since, before=end, limit=limit)

    def cosign(self, key: SigningKey, *, time_s: int, size: int | None = None) -> Signature:
        """Cosign the newest checkpoint, or the one of `size`, and keep the cosignature before giving it out.

        Where `key` has cosigned that one before, it is the same cosignature again: when it was first made is what
        matters to those who have it.

        Raises
        ------
        InputError
            If there is no checkpoint of that size.
        StoreError
            If not everything up to there is held (the message names what is missing), or `key` has cosigned a greater
            one: a cosigner never goes back.
        """
        self._ready()
        if self._head is None:
            raise StoreError(f"nothing of {self._origin} is held yet, so nothing is cosigned")
        at = self._size if size is None else size
        note = Note.of_bytes(self.checkpoint(at))
        made = next((one for one in note.signatures if one.is_by(key.verifier)), None)
        if made is not None:
            return made
        self._must_cosign(key.verifier, at)
        signature = cosign(note.text, key, time_s=time_s)
        self.add_cosignatures((signature,), (key.verifier,), size=at)
        return signature

    def _must_cosign(self, key: VerifierKey, at: int) -> None:
        last = self._store.last_cosigned(self._origin, key.text)
        if last is not None and last > at:
            raise StoreError(f"{self._origin}: {key.name} has cosigned {last} entries, and does not go back to {at}")
        missing = self.wanted(before=at, limit=10)
        if missing:
            told = ", ".join(map(str, missing)) + (" and others" if len(missing) == 10 else "")
            raise StoreError(f"{self._origin}: the bodies of entries {told} are neither held nor refused: not cosigned")
        mark = self._store.mark(self._origin)
        if mark is not None and mark.size > self._size:
            raise StoreError(
                f"{self._origin}: {mark.size} entries were held once and {self._size} are now: extend the copy "
                "before cosigning"
            )

    def conflicts(self) -> tuple[Conflict, ...]:
        """All pairs of checkpoints that were found not to agree, proved or not."""
        return self._store.conflicts(self._origin)

    def evidence(self) -> tuple[ForkEvidence, ...]:
        """The forks that are proved, as evidence that anyone can verify."""
        return tuple(ForkEvidence.of_bytes(found.evidence) for found in self.conflicts() if found.evidence)

    def _known_already(self, new: Checkpoint, checkpoint: bytes, head: SignedHead) -> SignedHead:
        """An older checkpoint, or one of the same size: either it agrees, or the log has forked."""
        if self.root_at(new.size) == new.root:
            return head
        detail = f"the log signed two different trees of {new.size} entries"
        self._keep_evidence(checkpoint, detail)
        raise IntegrityError(f"{self._origin} has forked: {detail}; both checkpoints are kept as evidence")

    def _unproved(self, checkpoint: bytes, detail: str) -> IntegrityError:
        """Keep a checkpoint that came without proof, and say what to do about it."""
        kept = sum(not conflict.evidence for conflict in self._store.conflicts(self._origin))
        if kept < _MOST_UNPROVED:
            ours = self.checkpoint()
            self._store.add_conflict(self._origin, Conflict(ours, checkpoint, detail))
        return IntegrityError(
            f"{self._origin}: {detail}. The log has forked, or this was not sent rightly; nothing was kept but the two "
            "checkpoints"
        )

    def _parts(self, growing: Growing, leaves: Iterator[bytes], new: Checkpoint) -> Iterator[Growth]:
        mark = self._store.mark(self._origin)
        while growing.size < new.size:
            until = min(new.size, growing.size + _AT_ONCE)
            if mark is not None and growing.size < mark.size < until:
                until = mark.size
            some = list(islice(leaves, until - growing.size))
            if len(some) < until - growing.size:
                raise PeerError(f"{self._origin}: leaves up to {growing.size + len(some)} of {new.size} were given")
            if any(len(leaf) > ENTRY_MOST_BYTES for leaf in some):
                raise PeerError(f"{self._origin}: a leaf has more than {ENTRY_MOST_BYTES} bytes")
            first = growing.size
            gains = growing.add(some)
            if mark is not None and growing.size == mark.size and growing.root() != mark.root:
                raise _OtherTreeError(f"these are not the {mark.size} entries that were held once")
            yield Growth(some, gains, [body for n, leaf in enumerate(some, first) for body in self._asked(n, leaf)])
        if next(leaves, None) is not None:
            raise PeerError(f"{self._origin}: more leaves were given than the checkpoint's {new.size}")
        if growing.root() != new.root:
            raise _OtherTreeError(f"the leaves do not lead to the checkpoint of {new.size} entries")

    def _asked(self, number: int, data: bytes) -> Iterator[StoredBody]:
        """The body that is wanted, if the leaf is addressed to us; a leaf that we cannot read is merely kept."""
        try:
            leaf = Leaf.of_bytes(data)
        except (PeerError, InputError):
            return
        if self._party in leaf.recipients:
            yield StoredBody(number, BodyState.WANTED)


class _OtherTreeError(Exception):
    """The leaves lead to another root than the checkpoint's."""
