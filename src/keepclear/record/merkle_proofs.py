"""Verifying that an entry, an older tree or a subtree is part of a tree (RFC 6962 §2.1).

All three are one procedure, that of draft-ietf-plants-merkle-tree-certs §4.4.3: an entry is a subtree of one, and an
older tree is a subtree that starts at 0. What is verified comes from others, so whatever is wrong with it, from a
missing hash to a size that no tree has, is an `IntegrityError`: it is not proved.

No proof fixes the size of the tree by itself, as some hold for several sizes: size and root come from one signed
checkpoint, or nothing is proved.
"""

from __future__ import annotations

from collections.abc import Sequence

from keepclear.errors import IntegrityError
from keepclear.record.merkle import EMPTY_ROOT, MAX_SIZE, is_subtree, must_be_hashes, node_hash

__all__ = ["verify_consistency", "verify_inclusion", "verify_subtree_consistency"]

# Numbers out of range are not repeated: what others send as a size may have thousands of digits.
_NO_SUCH = "no tree has what the proof is said to prove"


def verify_inclusion(proof: Sequence[bytes], *, index: int, size: int, leaf: bytes, root: bytes) -> None:
    """Check that the entry whose `leaf_hash` is `leaf` is the one at `index` of the tree of `size` with this `root`.

    Raises
    ------
    IntegrityError
        If that is not proved, whatever the reason.
    """
    if not 0 <= index < size <= MAX_SIZE:
        raise IntegrityError(f"not proved: {_NO_SUCH}")
    _must_lead_to(proof, (index, index + 1, size), leaf, root, f"that entry {index} is in the tree of {size} entries")


def verify_consistency(
    proof: Sequence[bytes], *, old_size: int, old_root: bytes, new_size: int, new_root: bytes
) -> None:
    """Check that the tree of `new_size` entries with `new_root` began with the one of `old_size` with `old_root`.

    From the empty tree, whose root must be `EMPTY_ROOT`, and between trees of equal sizes, the proof must be empty.

    Raises
    ------
    IntegrityError
        If that is not proved, whatever the reason.
    """
    if not 0 <= old_size <= new_size <= MAX_SIZE:
        raise IntegrityError(f"not proved: {_NO_SUCH}")
    what = f"that the tree of {new_size} entries began with the one of {old_size}"
    if old_size:
        _must_lead_to(proof, (0, old_size, new_size), old_root, new_root, what)
        return
    must_be_hashes([*proof, old_root, new_root])
    if proof or old_root != EMPTY_ROOT or (new_size == 0 and new_root != EMPTY_ROOT):
        raise IntegrityError(f"not proved {what}")


def verify_subtree_consistency(
    proof: Sequence[bytes], *, start: int, end: int, subtree: bytes, size: int, root: bytes
) -> None:
    """Check that the subtree [start, end) with the root `subtree` has the entries of the tree of `size` with `root`.

    Raises
    ------
    IntegrityError
        If that is not proved, whatever the reason.
    """
    if not (is_subtree(start, end) and end <= size <= MAX_SIZE):
        raise IntegrityError(f"not proved: {_NO_SUCH}")
    what = f"that the subtree [{start}, {end}) is in the tree of {size} entries"
    _must_lead_to(proof, (start, end, size), subtree, root, what)


def _must_lead_to(proof: Sequence[bytes], span: tuple[int, int, int], subtree: bytes, root: bytes, what: str) -> None:
    """Check a proof for the valid span (start, end, size): the procedure of the draft, §4.4.3.

    `first`, `last` and `edge` are the places, on the level that has been reached, of the nodes above the subtree's
    first and last entry and the tree's last one.
    """
    must_be_hashes([*proof, subtree, root])
    start, end, size = span
    first, last, edge = start, end - 1, size - 1
    on_edge = last == edge
    while first != last and (on_edge or last % 2):
        first, last, edge = first >> 1, last >> 1, edge >> 1
    rest = iter(proof)
    # The largest complete part at the subtree's end: the whole subtree, whose hash we know, or the proof's first hash.
    found_subtree = found_root = subtree if first == last else next(rest, b"")
    for sibling in rest:
        if edge == 0:
            raise IntegrityError(f"not proved {what}: the proof has more hashes than belong in it")
        if last % 2 or last == edge:
            if first < last:
                found_subtree = node_hash(sibling, found_subtree)
            found_root = node_hash(sibling, found_root)
            while last % 2 == 0:  # a last one without a neighbour goes up as it is
                first, last, edge = first >> 1, last >> 1, edge >> 1
        else:
            found_root = node_hash(found_root, sibling)
        first, last, edge = first >> 1, last >> 1, edge >> 1
    if edge != 0 or found_subtree != subtree or found_root != root:
        raise IntegrityError(f"not proved {what}")
