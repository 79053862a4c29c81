"""A log as the store holds it, read so that nothing unverified is given out.

On opening, the newest checkpoint's signature is verified, the right edge of the tree is hashed up to its root, the
last full tile of each level to the tile above it, and the last entries to their tile. All else is verified when it is
read: an entry against its tile, its tile against those above, a proof against the root. So opening takes as long for
a million entries as for a thousand, and damage in the middle of the file is found when somebody asks for what was
damaged, at the latest; `HeldLog.examine` looks for it everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from keepclear.errors import Fault, InputError, IntegrityError, PeerError, StoreError
from keepclear.record.checkpoints import open_checkpoint
from keepclear.record.cosignatures import cosigned_at
from keepclear.record.entries import Attachment, Entry, Leaf
from keepclear.record.forks import evidence_of_fork
from keepclear.record.keys import VerifierKey
from keepclear.record.merkle import (
    EMPTY_ROOT,
    HASH_BYTES,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    subtree_consistency_proof,
    subtree_root,
    tree_root,
)
from keepclear.record.merkle_proofs import verify_consistency, verify_inclusion, verify_subtree_consistency
from keepclear.record.notes import MOST_SIGNATURES, Note, Signature
from keepclear.record.tiles import TILE_WIDTH, Tile, tile_at
from keepclear.record.tlog_proofs import TlogProof
from keepclear.store.examining import Examination, examine
from keepclear.store.growing import Growing
from keepclear.store.log_store import BodyState, Conflict, DamagedError, LogStore, SignedHead, StoredLog
from keepclear.store.reading_bodies import together
from keepclear.store.trusted_tiles import TrustedTiles

__all__ = ["HeldLog"]

_BODY = "the body of entry {} (its leaf is safe, and so is every other entry)"
_MOST_LINES = 4096  # cosignature lines that are remembered as verified


class HeldLog:
    """A log in a store, its head verified. One thread at a time uses it.

    Parameters
    ----------
    store, origin
        Where, and which.

    Raises
    ------
    StoreError
        If the store has no such log, or cannot be read.
    DamagedError
        If what is there is not what its checkpoint says; the message says which entries can still be proved.
    """

    def __init__(self, store: LogStore, origin: str) -> None:
        self._store = store
        self._origin = origin
        self._load()

    @property
    def origin(self) -> str:
        """The log's name."""
        return self._origin

    @property
    def key(self) -> VerifierKey:
        """The key that signs the log's checkpoints."""
        return self._key

    @property
    def size(self) -> int:
        """How many entries it has."""
        return self._size

    @property
    def root(self) -> bytes:
        """The root of its tree."""
        return self._root

    def refresh(self) -> None:
        """Go by what the store holds now; raises as the constructor does."""
        self._load()

    def reread(self) -> int:
        """After `UnknownOutcomeError`: go by what is durable, and say how many entries that is."""
        self._store.reread()
        self._load()
        return self._size

    # --- what is given out -----------------------------------------------------------------------------------------

    def checkpoint(self, size: int | None = None) -> bytes:
        """The signed checkpoint with the cosignatures that are held: the newest, or the one of that size.

        Raises
        ------
        InputError
            If there is none of that size.
        """
        self._ready()
        if size is None or size == self._size:
            head = self._head
        else:
            head = self._store.checkpoint(self._origin, size)
            if head is not None:
                self._must_be_ours(head)
        if head is None:
            raise InputError(Fault("no checkpoint of that size was signed", field="size", value=str(size)))
        lines = [self._verified_line(head, *pair) for pair in self._store.cosignatures(self._origin, head.size)]
        return head.note + "".join(f"{line}\n" for line in lines).encode()

    def leaf(self, index: int) -> bytes:
        """One leaf, verified."""
        return next(self.leaves(index, index + 1))

    def leaves(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """The leaves from `start` to before `stop` (or the end), verified, some 256 in memory at a time.

        Raises
        ------
        InputError
            If the log has no such entries.
        DamagedError
            At the first leaf that is not what was logged.
        """
        self._ready()
        stop = self._size if stop is None else stop
        if not 0 <= start <= stop <= self._size:
            right = f"the log has {self._size} entries, counted from 0"
            raise InputError(Fault("no such entries", right, value=f"{start} to {stop}"))
        return self._leaves(start, stop)

    def leaves_at(self, numbers: Iterable[int]) -> dict[int, bytes]:
        """The leaves of some entries, verified; neighbours are read together. Ask for few thousands at a time.

        Raises
        ------
        InputError, DamagedError
            As `leaves`.
        """
        found: dict[int, bytes] = {}
        for start, stop in _runs(sorted(set(numbers))):
            found.update(zip(range(start, stop), self.leaves(start, stop), strict=True))
        return found

    def entry(self, index: int) -> Entry:
        """An entry with what is held of its body and attachments, all verified.

        Raises
        ------
        PeerError
            If the leaf is not one that keepclear can read; `leaf` gives its bytes.
        """
        leaf = Leaf.of_bytes(self.leaf(index))
        stored = self._store.body(self._origin, index)
        if stored is None or stored.state is not BodyState.HELD:
            return Entry(leaf)
        files: list[Attachment | None] = [None] * len(leaf.attachments)
        with self._as_damage(_BODY.format(index)):
            for file in self._store.attachments(self._origin, index):
                if file.place >= len(files):
                    raise IntegrityError("an attachment that the leaf does not have")
                files[file.place] = Attachment(file.salt, file.data)
            entry = Entry(leaf, stored.salt, stored.body, tuple(files) if any(files) else ())
            entry.check()
        return entry

    def bodies(self, start: int, stop: int) -> list[Entry | None]:
        """Entries from `start` on with what is held of their bodies, all verified; no attachments.

        As many of those before `stop` as are read together (`keepclear.store.reading_bodies`), one at least: whoever
        wants the rest asks again. None for one whose leaf is not one that keepclear can read.
        """
        self._ready()
        stop = together(self._store, self._origin, start, stop)
        leaves = [_read(data) for data in self.leaves(start, stop)]
        found: list[Entry | None] = [None if leaf is None else Entry(leaf) for leaf in leaves]
        for stored in self._store.bodies(self._origin, start, stop):
            leaf = leaves[stored.number - start]
            if leaf is not None and stored.state is BodyState.HELD:
                with self._as_damage(_BODY.format(stored.number)):
                    entry = Entry(leaf, stored.salt, stored.body)
                    entry.check()
                found[stored.number - start] = entry
        return found

    def body_state(self, index: int) -> BodyState | None:
        """What became of an entry's body; None where there is none for us."""
        self._ready()
        stored = self._store.body(self._origin, index)
        return None if stored is None else stored.state

    def proof(self, index: int, *, size: int | None = None) -> TlogProof:
        """Proof that the entry is in the log, with the newest checkpoint and its cosignatures, or the one of that size.

        Raises
        ------
        InputError
            If there is no such entry, or no checkpoint of that size that has it.
        """
        leaf = self._stored_leaf(index)
        whole = self._size if size is None else self._within(size)
        if index >= whole:
            raise InputError(
                Fault(f"entry {index} is not in it", f"{index + 1} or more", field="size", value=str(size))
            )
        checkpoint = self.checkpoint(whole)
        root = self.root_at(whole)
        hashes = inclusion_proof(index, whole, self._tiles.reader())
        try:
            verify_inclusion(hashes, index=index, size=whole, leaf=leaf_hash(leaf), root=root)
        except IntegrityError:
            self.leaf(index)  # says what is damaged
            raise DamagedError(f"{self._store.name}: tiles changed while they were read; try again") from None
        return TlogProof(index, tuple(hashes), checkpoint)

    def best_receipts(self, index: int) -> int:
        """The size of the checkpoint with which to prove an entry: the one most have cosigned, of those the earliest.

        The earliest, because it says how soon they had stored the entry. The newest, where nobody has cosigned.
        """
        self._ready()
        sizes = sorted({size for _, size in self._store.first_cosigned(self._origin, above=index)} | {self._size})
        many = {size: len(self._store.cosignatures(self._origin, size)) for size in sizes}
        return max(sizes, key=lambda size: (many[size], size == self._size and not many[size], -size))

    def consistency(self, old_size: int, new_size: int | None = None) -> list[bytes]:
        """Proof that the log of `old_size` entries is what the one of `new_size` (or all of it) began with."""
        self._ready()
        new = self._size if new_size is None else self._within(new_size)
        old_root = self.root_at(old_size)
        hashes = consistency_proof(old_size, new, self._tiles.reader())
        with self._as_damage("a proof made from its tiles"):
            verify_consistency(hashes, old_size=old_size, old_root=old_root, new_size=new, new_root=self.root_at(new))
        return hashes

    def subtree_consistency(self, start: int, end: int, size: int | None = None) -> list[bytes]:
        """Proof that the subtree [start, end) is part of the tree of `size` entries (C2SP tlog-mirror)."""
        self._ready()
        whole = self._size if size is None else self._within(size)
        hashes = subtree_consistency_proof(start, end, whole, self._tiles.reader())
        subtree = subtree_root(start, end, self._tiles.reader())
        with self._as_damage("a proof made from its tiles"):
            verify_subtree_consistency(
                hashes, start=start, end=end, subtree=subtree, size=whole, root=self.root_at(whole)
            )
        return hashes

    def root_at(self, size: int) -> bytes:
        """The root that the log had with `size` entries, proved to be what it began with."""
        self._ready()
        if self._within(size) == self._size:
            return self._root
        old_root = tree_root(size, self._tiles.reader())
        hashes = consistency_proof(size, self._size, self._tiles.reader())
        with self._as_damage("its tiles"):
            verify_consistency(hashes, old_size=size, old_root=old_root, new_size=self._size, new_root=self._root)
        return old_root

    def tile(self, tile: Tile) -> bytes:
        """The hashes of a tile of the log as it is, verified."""
        self._ready()
        return self._tiles.authentic([tile])[tile][: 32 * tile.width]

    def examine(self, *, progress: Callable[[float], None] | None = None) -> Examination:
        """Look at each leaf, tile, checkpoint, cosignature, body and attachment; damage is told, not raised."""
        return examine(self._store, self._origin, progress=progress)

    # --- what is changed -------------------------------------------------------------------------------------------

    def add_cosignatures(
        self, signatures: Iterable[Signature], keys: Iterable[VerifierKey], *, size: int | None = None
    ) -> tuple[str, ...]:
        """Keep cosignatures by any of `keys` on the newest checkpoint, or the one of that size.

        Returns
        -------
        tuple
            The names of those whose cosignature was kept; signatures of others are left out.

        Raises
        ------
        IntegrityError
            If one that names one of `keys` does not hold; then none is kept.
        """
        self._ready()
        at = self._size if size is None else size
        note = Note.of_bytes(self.checkpoint(at))
        by_id = {(key.name, key.key_id): key for key in keys if key != self._key}
        kept: dict[str, str] = {}
        names = []
        signers = {(signature.name, signature.key_id) for signature in note.signatures}
        for signature in signatures:
            key = by_id.get((signature.name, signature.key_id))
            if key is not None:
                cosigned_at(note.text, signature, key)
                kept[key.text] = signature.line.rstrip("\n")
                names.append(key.name)
                signers.add((key.name, key.key_id))
        if len(signers) > MOST_SIGNATURES:
            raise PeerError(f"a checkpoint carries at most {MOST_SIGNATURES} signatures")
        if kept:
            self._store.add_cosignatures(self._origin, at, kept)
        return tuple(names)

    def erase_body(self, index: int) -> None:
        """Remove an entry's body, salt and attachments for good; its leaf stays and proves what they were.

        Raises
        ------
        InputError
            If there is no such entry, or its body was never here: a receipt must not count it as one that was.
        """
        self._ready()
        if not 0 <= index < self._size:
            raise self._no_such(index)
        if self.body_state(index) not in (BodyState.HELD, BodyState.ERASED):
            raise InputError(Fault("its body is not here", "an entry whose body is here", value=str(index)))
        self._store.erase_body(self._origin, index)

    # --- inside ----------------------------------------------------------------------------------------------------

    def _load(self) -> None:
        stored = _found(self._store, self._origin)
        self._generation = self._store.generation
        self._own = stored.own
        self._lines: set[tuple[int, str]] = set()
        try:
            with self._as_damage("its key"):
                self._key = VerifierKey.of_text(stored.key)
                if self._key.name != self._origin:
                    raise IntegrityError(f"the key is named {self._key.name}")
            self._take_head(self._store.head(self._origin))
        except DamagedError as error:
            raise DamagedError(f"{error}. {self.examine().text}") from error

    def _take_head(self, head: SignedHead | None) -> None:
        self._head = head
        self._size = head.size if head else 0
        self._root = head.root if head else EMPTY_ROOT
        if head is not None:
            self._must_be_ours(head)
        end = self._store.end(self._origin)
        if end != self._size:
            newer = self._store.head(self._origin)
            if newer is not None and newer.size > self._size:  # a writer beside us has appended in between
                self._take_head(newer)
                return
            problem = f"its newest checkpoint is of {self._size} entries, and the last entry there is number {end - 1}"
            raise DamagedError(f"{self._store.name}: {self._origin}: {problem}")
        self._tiles = TrustedTiles(self._store, self._origin, size=self._size, root=self._root)
        last = max(0, self._size - 1) // TILE_WIDTH * TILE_WIDTH
        for _ in self._leaves(last, self._size):
            pass

    def _growing(self) -> Growing:
        """The tree as it is, to be grown."""
        self._ready()
        return self._tiles.growing()

    def _has_grown(self, head: SignedHead, growing: Growing) -> None:
        """Go by what has just become durable."""
        self._head, self._size, self._root = head, head.size, head.root
        self._tiles.become(growing, head.root)

    def _ready(self) -> None:
        """What is remembered was read before somebody called `LogStore.reread`: read it again."""
        if self._store.generation != self._generation:
            self._load()

    def _must_be_ours(self, head: SignedHead) -> None:
        with self._as_damage(f"the checkpoint of {head.size} entries"):
            checkpoint, _ = open_checkpoint(head.note, self._key)
            if (checkpoint.size, checkpoint.root) != (head.size, head.root):
                raise IntegrityError(f"signed are {checkpoint.size} entries and the root {checkpoint.root.hex()}")
        if head.size < self._size and self.root_at(head.size) != head.root:
            raise DamagedError(
                f"{self._store.name}: {self._origin}: the checkpoint of {head.size} entries is another tree's"
            )

    def _keep_evidence(self, checkpoint: bytes, detail: str) -> None:
        """Keep a signed checkpoint that is not of this tree, and what proves to others that it is not."""
        found = evidence_of_fork(checkpoint, self.checkpoint(), key=self._key, read=self._tiles.reader())
        assert found is not None
        self._store.add_conflict(self._origin, Conflict(found.smaller, found.larger, detail, found.to_bytes()))

    def _verified_line(self, head: SignedHead, key: str, line: str) -> str:
        if (head.size, line) in self._lines:
            return line
        with self._as_damage(f"a cosignature on the checkpoint of {head.size} entries"):
            text = Note.of_bytes(head.note).text
            cosigned_at(text, Signature.of_line(line), VerifierKey.of_text(key))
        if len(self._lines) >= _MOST_LINES:
            self._lines.clear()
        self._lines.add((head.size, line))
        return line

    def _stored_leaf(self, index: int) -> bytes:
        """A leaf as it is in the store, not verified."""
        self._ready()
        if not 0 <= index < self._size:
            raise self._no_such(index)
        leaf = self._store.leaves(self._origin, index, index + 1)[0]
        if leaf is None:
            raise self._damaged_entry(index)
        return leaf

    def _leaves(self, start: int, stop: int) -> Iterator[bytes]:
        while start < stop:
            until = min(stop, (start // TILE_WIDTH + 1) * TILE_WIDTH)
            self._ready()
            tile = tile_at(0, start // TILE_WIDTH, self._size)
            hashes = self._tiles.authentic([tile])[tile]
            for index, leaf in enumerate(self._store.leaves(self._origin, start, until), start):
                at = index % TILE_WIDTH * HASH_BYTES
                if leaf is None or leaf_hash(leaf) != hashes[at : at + HASH_BYTES]:
                    raise self._damaged_entry(index)
                yield leaf
            start = until

    def _within(self, size: int) -> int:
        if not 0 <= size <= self._size:
            raise InputError(Fault("no size that the log had", f"0 to {self._size}", field="size", value=str(size)))
        return size

    def _no_such(self, index: int) -> InputError:
        return InputError(Fault("no such entry", f"the log has {self._size}, counted from 0", value=str(index)))

    def _damaged_entry(self, index: int) -> DamagedError:
        return DamagedError(
            f"{self._store.name}: entry {index} of {self._origin} is damaged: what is there is not what was logged. "
            "Its hash is safe, and no other entry is affected by it; examine the log for further damage"
        )

    @contextmanager
    def _as_damage(self, what: str) -> Iterator[None]:
        """Our own store holds only what was verified once: whatever does not hold now has been damaged since."""
        try:
            yield
        except DamagedError:
            raise
        except (IntegrityError, PeerError, InputError) as error:
            raise DamagedError(f"{self._store.name}: {self._origin}: damaged is {what}: {error}") from error


def _runs(numbers: list[int]) -> Iterator[tuple[int, int]]:
    """Where neighbours begin and end."""
    at = 0
    while at < len(numbers):
        end = at + 1
        while end < len(numbers) and numbers[end] == numbers[end - 1] + 1:
            end += 1
        yield numbers[at], numbers[end - 1] + 1
        at = end


def _read(data: bytes) -> Leaf | None:
    try:
        return Leaf.of_bytes(data)
    except (InputError, PeerError):
        return None


def _found(store: LogStore, origin: str) -> StoredLog:
    for log in store.logs():
        if log.origin == origin:
            return log
    raise StoreError(f"{store.name} holds no log {origin}")
