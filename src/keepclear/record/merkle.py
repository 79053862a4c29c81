"""The Merkle tree of a log: its hashes, its roots, and the proofs that an entry or an older tree is part of it.

The tree and its inclusion and consistency proofs are those of RFC 6962 §2.1, with SHA-256; subtrees and their
consistency proofs are those of draft-ietf-plants-merkle-tree-certs §4, which C2SP tlog-mirror asks for. The draft
shows that the other two are special cases: an inclusion proof is the consistency proof of the subtree of one entry,
and a consistency proof that of a subtree that starts at 0. So one function makes all three here, and one verifies
them in `keepclear.record.merkle_proofs`, by another way, so that a mistake in either shows.

Nothing here keeps a tree. Who holds one answers a `HashReader`, and each function that takes one calls it at most
once, so that a store needs one query and a client of tiles one round of requests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import islice
from typing import TypeAlias

from keepclear.errors import Fault, InputError, IntegrityError

__all__ = [
    "EMPTY_ROOT",
    "HASH_BYTES",
    "MAX_SIZE",
    "HashReader",
    "consistency_proof",
    "grown",
    "inclusion_proof",
    "is_subtree",
    "leaf_hash",
    "must_be_hashes",
    "must_be_size",
    "node_hash",
    "packed_root",
    "root_of",
    "subtree_consistency_proof",
    "subtree_root",
    "tree_root",
]

HASH_BYTES = 32
MAX_SIZE = 2**63 - 1
"""The most entries that a tree may have: others keep sizes in signed integers of 64 bits."""

EMPTY_ROOT = sha256(b"").digest()
"""The root of the tree of no entries."""

HashReader: TypeAlias = Callable[[Sequence[tuple[int, int]]], list[bytes]]
"""Gives, for each (level, index), the hash of the complete subtree of leaves [index << level, (index + 1) << level)."""

_RUN = 4096  # leaf hashes folded at a time; a power of two, so that each full run is a complete subtree


# --- hashes --------------------------------------------------------------------------------------------------------


def leaf_hash(entry: bytes) -> bytes:
    """Hash of an entry as a leaf: SHA-256 of a zero byte and the entry."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of the node above two nodes: SHA-256 of a one byte and their hashes."""
    return sha256(b"\x01" + left + right).digest()


def packed_root(hashes: bytes) -> bytes:
    """Root of the tree over leaf hashes (or over the roots of equal, complete subtrees) that stand end to end.

    Raises
    ------
    IntegrityError
        If the bytes are not a whole number of hashes.
    """
    if len(hashes) % HASH_BYTES:
        raise IntegrityError(f"{len(hashes)} bytes are not a whole number of {HASH_BYTES}-byte hashes")
    while len(hashes) > HASH_BYTES:
        # A last one without a neighbour goes up as it is: the same tree as RFC 6962's split at a power of two.
        pairs_end = len(hashes) - len(hashes) % 64
        nodes = [sha256(b"\x01" + hashes[at : at + 64]).digest() for at in range(0, pairs_end, 64)]
        hashes = b"".join(nodes) + hashes[pairs_end:]
    return hashes or EMPTY_ROOT


def root_of(leaf_hashes: Iterable[bytes]) -> bytes:
    """Root of the tree over these leaf hashes, taken one run at a time: an iterator of millions need not fit in memory.

    Raises
    ------
    IntegrityError
        If a hash does not have 32 bytes.
    """
    rest = iter(leaf_hashes)
    return packed_root(b"".join([packed_root(run) for run in iter(lambda: _packed(islice(rest, _RUN)), b"")]))


def must_be_hashes(hashes: Sequence[bytes]) -> None:
    """Raise `IntegrityError` if one of them does not have 32 bytes."""
    wrong = set(map(len, hashes)) - {HASH_BYTES}
    if wrong:
        raise IntegrityError(f"a hash has {min(wrong)} bytes, not {HASH_BYTES}")


# --- roots and growth ----------------------------------------------------------------------------------------------


def must_be_size(size: int) -> None:
    """Raise `InputError` if no tree has so many entries."""
    if not 0 <= size <= MAX_SIZE:
        raise InputError(Fault("no size of a tree", f"from 0 to {MAX_SIZE}", value=_told(size)))


def tree_root(size: int, read: HashReader) -> bytes:
    """Root of the tree of `size` entries.

    Raises
    ------
    InputError
        If `size` is no size of a tree.
    IntegrityError
        If `read` gives something other than as many hashes as it was asked for.
    """
    must_be_size(size)
    return _range_hashes([(0, size)], read)[0] if size else EMPTY_ROOT


def is_subtree(start: int, end: int) -> bool:
    """Whether the entries [start, end) make a subtree: `start` a multiple of the least power of two ≥ end − start."""
    return 0 <= start < end <= MAX_SIZE and start % (1 << (end - start - 1).bit_length()) == 0


def subtree_root(start: int, end: int, read: HashReader) -> bytes:
    """Root of the subtree [start, end).

    Raises
    ------
    InputError
        If [start, end) is not a subtree.
    IntegrityError
        As for `tree_root`.
    """
    _must_be_subtree(start, end)
    return _range_hashes([(start, end)], read)[0]


def grown(size: int, leaf_hashes: Sequence[bytes], read: HashReader) -> dict[tuple[int, int], bytes]:
    """Hashes of all complete subtrees that a tree of `size` entries gains by these leaves, by (level, index).

    The leaves themselves are among them, as level 0. `read` is asked for those nodes of the tree as it was that
    become left children: at most one per level.

    Raises
    ------
    InputError
        If the tree would become larger than `MAX_SIZE`.
    IntegrityError
        If a leaf hash does not have 32 bytes, or as for `tree_root`.
    """
    new_size = size + len(leaf_hashes)
    must_be_size(size)
    must_be_size(new_size)
    must_be_hashes(leaf_hashes)
    wanted = [
        (level, (size >> level) - 1)
        for level in range(new_size.bit_length())
        if (size >> level) % 2 and new_size >> level > size >> level
    ]
    lefts = dict(zip(wanted, _read(wanted, read), strict=True))
    gained: dict[tuple[int, int], bytes] = {}
    nodes, level = list(leaf_hashes), 0
    while nodes:
        first = size >> level
        gained.update(((level, first + offset), node) for offset, node in enumerate(nodes))
        if first % 2:
            nodes.insert(0, lefts[level, first - 1])
        each = iter(nodes)
        nodes = [node_hash(left, right) for left, right in zip(each, each, strict=False)]  # an odd last one waits
        level += 1
    return gained


# --- proofs made ---------------------------------------------------------------------------------------------------


def inclusion_proof(index: int, size: int, read: HashReader) -> list[bytes]:
    """Proof that the entry `index` is in the tree of `size` entries: PATH of RFC 6962 §2.1.1.

    Raises
    ------
    InputError
        If the tree has no such entry, or `size` is no size of a tree.
    IntegrityError
        As for `tree_root`.
    """
    must_be_size(size)
    if not 0 <= index < size:
        raise InputError(Fault("no such entry", f"the log has {size} entries, counted from 0", value=_told(index)))
    return _range_hashes(_proof_ranges(index, index + 1, size), read)


def consistency_proof(old_size: int, new_size: int, read: HashReader) -> list[bytes]:
    """Proof that the tree of `old_size` entries is what the one of `new_size` began with: PROOF of RFC 6962 §2.1.2.

    The RFC defines none from the empty tree, which every tree began with; here, as in C2SP tlog-witness, it is empty.

    Raises
    ------
    InputError
        If the sizes are no sizes of trees, or `old_size` is the larger.
    IntegrityError
        As for `tree_root`.
    """
    must_be_size(old_size)
    must_be_size(new_size)
    if old_size > new_size:
        raise InputError(
            Fault("the older tree is larger than the newer", value=f"{_told(old_size)} and {_told(new_size)}")
        )
    return _range_hashes(_proof_ranges(0, old_size, new_size), read) if old_size else []


def subtree_consistency_proof(start: int, end: int, size: int, read: HashReader) -> list[bytes]:
    """Proof that the subtree [start, end) is in the tree of `size`: SUBTREE_PROOF of the draft, §4.4.1.

    Raises
    ------
    InputError
        If [start, end) is not a subtree, or ends after the tree, or `size` is no size of a tree.
    IntegrityError
        As for `tree_root`.
    """
    must_be_size(size)
    _must_be_subtree(start, end)
    if end > size:
        raise InputError(Fault("the subtree ends after the tree", f"the tree has {size} entries", value=_told(end)))
    return _range_hashes(_proof_ranges(start, end, size), read)


# --- inside --------------------------------------------------------------------------------------------------------


def _proof_ranges(start: int, end: int, size: int) -> list[tuple[int, int]]:
    """The ranges of entries whose hashes are the proof of the subtree [start, end), in the order of the proof.

    Goes down from the root to the subtree and notes at each fork the side not taken. A subtree that straddles a fork
    begins where the node does; what is left of the fork is then in both trees, and from there on the verifier cannot
    know the hash of the rest, so the last node is told too.
    """
    ranges = []
    node_start, node_end, known = 0, size, True
    while (node_start, node_end) != (start, end):
        fork = node_start + (1 << ((node_end - node_start - 1).bit_length() - 1))
        if end <= fork:
            ranges.append((fork, node_end))
            node_end = fork
            continue
        ranges.append((node_start, fork))
        node_start = fork
        if start < fork:
            start, known = fork, False
    if not known:
        ranges.append((start, end))
    return ranges[::-1]


def _range_hashes(ranges: Sequence[tuple[int, int]], read: HashReader) -> list[bytes]:
    """The root of each range, from one call of `read` for the complete subtrees that they are made of."""
    parts = [list(_complete_subtrees(start, end)) for start, end in ranges]
    hashes = iter(_read([pair for pairs in parts for pair in pairs], read))
    return [_joined(list(islice(hashes, len(pairs)))) for pairs in parts]


def _complete_subtrees(start: int, end: int) -> Iterator[tuple[int, int]]:
    """The complete subtrees, as (level, index), that make up a subtree: from the left, each smaller than the last."""
    while start < end:
        level = (end - start).bit_length() - 1
        yield level, start >> level
        start += 1 << level


def _joined(hashes: list[bytes]) -> bytes:
    root = hashes.pop()
    while hashes:
        root = node_hash(hashes.pop(), root)
    return root


def _read(pairs: list[tuple[int, int]], read: HashReader) -> list[bytes]:
    if not pairs:
        return []
    hashes = read(pairs)
    if len(hashes) != len(pairs):
        raise IntegrityError(f"{len(hashes)} hashes of the tree were read where {len(pairs)} were asked for")
    must_be_hashes(hashes)
    return hashes


def _packed(hashes: Iterable[bytes]) -> bytes:
    several = list(hashes)
    must_be_hashes(several)
    return b"".join(several)


def _must_be_subtree(start: int, end: int) -> None:
    if not is_subtree(start, end):
        right = "its start is a multiple of the least power of two that is no less than its length"
        raise InputError(Fault("not a subtree", right, value=f"[{_told(start)}, {_told(end)})"))


def _told(number: int) -> str:
    return str(number) if abs(number) <= 2**64 else "more than 2^64"  # int refuses to write thousands of digits
