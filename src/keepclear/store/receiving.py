"""A mirror's end of the line in a store: does what `keepclear.line.mirroring` decides, and then answers.

Each step is durable before the answer that depends on it is given, and each may be done twice. So whatever a kill cuts
off, the next request finds what had been kept, and says where it goes on:

1. a checkpoint that is taken stands in ``pending``;
2. each package of entries, once proved, stands in ``coming``: the next entry is the first that is missing;
3. when all are there, one transaction makes them part of the copy, with their checkpoint (`Mirror.extend`), and the
   bodies that are addressed to us become wanted; what stood in ``pending`` and ``coming`` is removed after that;
4. each body stands in ``piece`` until it is whole and proved, and then in ``body``;
5. the cosignature is kept, and given out.
"""

from __future__ import annotations

from collections.abc import Iterator

from keepclear.errors import IntegrityError, PeerError, StoreError
from keepclear.line.mirror_requests import Answer, cosignatures_answer
from keepclear.line.mirroring import (
    MOST_PENDING,
    Compare,
    EntriesUpload,
    KeepFork,
    MirrorState,
    PendingCheckpoint,
    Step,
    TakePending,
    on_add_checkpoint,
)
from keepclear.record.checkpoints import open_checkpoint
from keepclear.record.keys import SigningKey
from keepclear.record.merkle import leaf_hash
from keepclear.record.tiles import TILE_WIDTH
from keepclear.store.log_store import Conflict, GapError, GrownElsewhereError, LogStore, SignedHead
from keepclear.store.mirror import Mirror

__all__ = ["EntriesReceiver", "Receiver"]

_AT_ONCE = 1024  # leaves in memory
_MOST_VERIFIED = 1024


class Receiver:
    """Takes what a log sends to its mirror. One thread at a time uses it; uploads may be interleaved.

    Parameters
    ----------
    store, mirror
        The copy, and where it is.
    key
        What we cosign with.
    secret
        For tickets (`keepclear.line.tickets.SECRET_BYTES` random bytes, the same after a restart).
    """

    def __init__(self, store: LogStore, mirror: Mirror, *, key: SigningKey, secret: bytes) -> None:
        self.store, self.mirror = store, mirror
        self._key, self._secret = key, secret
        self._verified: set[SignedHead] = set()

    @property
    def origin(self) -> str:
        """Which log."""
        return self.mirror.origin

    def state(self) -> MirrorState:
        """What is known now, and durable."""
        head = self.store.head(self.origin)
        if head is not None and (self.mirror.head is None or head.size != self.mirror.size):
            self.mirror.refresh()
        held = self.mirror.size
        taken = [
            *reversed(self.store.checkpoints(self.origin, limit=MOST_PENDING)),
            *(one for one in self.store.pending(self.origin) if one.size > held or self.mirror.head is None),
        ]
        return MirrorState(
            self.mirror.key,
            tuple(self._pending(one) for one in taken),
            held,
            self.store.next_entry(self.origin),
            self.store.last_cosigned(self.origin, self._key.verifier.text) or 0,
        )

    def add_checkpoint(self, data: bytes) -> Answer:
        """Answer an ``add-checkpoint`` request."""
        for _ in range(3):
            decision = on_add_checkpoint(self.state(), data)
            try:
                for step in decision.first:
                    self._do(step)
            except GrownElsewhereError:
                continue  # somebody else's checkpoint was taken meanwhile: decide anew
            return decision.answer
        return Answer.saying(503, "too much at once")

    def upload(self) -> EntriesReceiver:
        """Begin to receive an ``add-entries`` request."""
        return EntriesReceiver(self, EntriesUpload(self.state(), secret=self._secret, leaf_hashes=self._leaf_hashes))

    def hold(self, target: PendingCheckpoint) -> None:
        """Make what has come part of the copy, up to a checkpoint.

        If it does not lead there, a fork or damage has come between: the copy stays as it is, both checkpoints are kept
        (see `Mirror.extend`), and what was to come is dropped, so that the copy goes on from what it has.
        """
        held = self.mirror.size
        if self.mirror.head is not None and target.size <= held:
            return
        try:
            self.mirror.extend(target.note, self._coming(held, target.size))
        except GrownElsewhereError:
            self.mirror.refresh()
        except (IntegrityError, PeerError):
            self.store.drop_pending(self.origin)
        else:
            self.store.settle_pending(self.origin, target.size)

    def cosign(self, size: int, *, time_s: int) -> Answer:
        """Cosign a checkpoint that is held with all its bodies; 200 with the cosignature."""
        return cosignatures_answer((self.mirror.cosign(self._key, time_s=time_s, size=size),))

    def drop_last_bundle(self, start: int) -> None:
        """Forget leaves that a package could not be proved with, if they are not part of the copy: they may be damaged.

        They are at most 255, and come again.
        """
        if start % TILE_WIDTH:
            self.store.drop_coming(self.origin, since=start - start % TILE_WIDTH)

    def _do(self, step: Step) -> None:
        match step:
            case TakePending(taken, after):
                head = SignedHead(taken.size, taken.root, taken.note)
                self.store.put_pending(self.origin, head, after=after, keep=MOST_PENDING)
            case KeepFork(found):
                detail = "the log signed two different trees of one size"
                self.store.add_conflict(self.origin, Conflict(found.smaller, found.larger, detail, found.to_bytes()))
            case Compare(size, checkpoint):
                if self.mirror.head is not None and size <= self.mirror.size:
                    try:
                        self.mirror.extend(checkpoint, ())
                    except IntegrityError:
                        return  # it keeps the evidence itself

    def _pending(self, head: SignedHead) -> PendingCheckpoint:
        """Our disk is nobody we trust: what was taken has to be signed still."""
        if head not in self._verified:
            found, _ = open_checkpoint(head.note, self.mirror.key)
            if (found.size, found.root) != (head.size, head.root):
                raise StoreError(f"{self.store.name}: {self.origin}: a pending checkpoint is damaged")
            if len(self._verified) >= _MOST_VERIFIED:
                self._verified.clear()
            self._verified.add(head)
        return PendingCheckpoint(head.size, head.root, head.note)

    def _leaf_hashes(self, start: int, stop: int) -> list[bytes]:
        held = self.mirror.size
        leaves = [*self.mirror.leaves(start, min(stop, held))] if start < held else []
        if stop > held:
            leaves += self.store.coming(self.origin, max(start, held), stop)
        return [leaf_hash(leaf) for leaf in leaves]

    def _coming(self, start: int, stop: int) -> Iterator[bytes]:
        for first in range(start, stop, _AT_ONCE):
            yield from self.store.coming(self.origin, first, min(stop, first + _AT_ONCE))


class EntriesReceiver:
    """One ``add-entries`` request: `receive` its bytes, and answer with `end` when they have ended."""

    def __init__(self, receiver: Receiver, upload: EntriesUpload) -> None:
        self._receiver, self._upload = receiver, upload
        self._gap = False

    def receive(self, data: bytes) -> Answer | None:
        """Take some bytes; an answer, if there is no need to wait for the rest."""
        if self._gap:
            return None
        packages = self._upload.receive(data)
        if packages:
            leaves = [leaf for package in packages for leaf in package.entries]  # one follows the other
            try:
                self._receiver.store.put_coming(self._receiver.origin, packages[0].start, leaves)
            except GapError:
                self._gap = True  # what came before was dropped meanwhile; `end` says where to go on
        refusal = self._upload.refusal
        if refusal is not None and refusal.status == 422:
            self._receiver.drop_last_bundle(self._upload.start)
        return refusal

    def end(self, *, time_s: int) -> Answer:
        """The body has ended, whole or cut off.

        Parameters
        ----------
        time_s
            Now, for the cosignature.
        """
        receiver = self._receiver
        found = self._upload.end(receiver.state())
        if isinstance(found, Answer):
            return found
        receiver.hold(found)
        state = receiver.state()
        missing = bool(receiver.mirror.wanted(before=min(found.size, state.held), limit=1))
        return self._upload.concluded(state, bodies_missing=missing) or receiver.cosign(found.size, time_s=time_s)
