"""A proof verifies for what it proves, and for nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from keepclear.errors import IntegrityError
from keepclear.record.merkle import (
    EMPTY_ROOT,
    MAX_SIZE,
    consistency_proof,
    inclusion_proof,
    subtree_consistency_proof,
)
from keepclear.record.merkle_proofs import verify_consistency, verify_inclusion, verify_subtree_consistency
from tests.reference import merkle_tree as oracle

ENTRIES = tuple(b"entry %d" % index for index in range(71))
LEAVES = [oracle.mth((entry,)) for entry in ENTRIES]
ROOTS = [oracle.mth(ENTRIES[:size]) for size in range(71)]


def _subtrees(size: int) -> list[tuple[int, int]]:
    return [(start, end) for end in range(1, size + 1) for start in range(end) if oracle.is_subtree(start, end)]


def _damaged(proof: list[bytes]) -> Iterator[list[bytes]]:
    """The proof with a byte of a hash flipped, a hash left out, two exchanged, and one too many, at every place."""
    for at, value in enumerate(proof):
        for byte in (0, at % 32, 31):
            flipped = value[:byte] + bytes([value[byte] ^ 1 << at % 8]) + value[byte + 1 :]
            yield [*proof[:at], flipped, *proof[at + 1 :]]
        yield [*proof[:at], *proof[at + 1 :]]
        yield [*proof[:at], value[:31], *proof[at + 1 :]]
        yield [*proof[:at], value + b"\0", *proof[at + 1 :]]
        yield [*proof[:at], b"", *proof[at + 1 :]]
        yield [*proof[:at], value, value, *proof[at + 1 :]]
        for other in range(at):
            swapped = list(proof)
            swapped[at], swapped[other] = swapped[other], swapped[at]
            yield swapped
    for more in (b"\0" * 32, b"", ROOTS[1]):
        yield [*proof, more]
        yield [more, *proof]


def _refused(verify, proof, **said) -> None:
    with pytest.raises(IntegrityError, match=r"not proved|a hash has"):
        verify(proof, **said)


# --- inclusion -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", range(1, 71))
def test_an_inclusion_proof_holds_whole_and_not_damaged(size):
    for index in range(size):
        said = {"index": index, "size": size, "leaf": LEAVES[index], "root": ROOTS[size]}
        proof = oracle.path(index, ENTRIES[:size])
        verify_inclusion(proof, **said)
        for damaged in _damaged(proof):
            _refused(verify_inclusion, damaged, **said)
        _refused(verify_inclusion, proof, **said | {"leaf": LEAVES[size]})
        _refused(verify_inclusion, proof, **said | {"root": ROOTS[size - 1]})


@pytest.mark.parametrize("size", range(1, 41))
def test_an_inclusion_proof_proves_one_place(size):
    for index in range(size):
        proof = oracle.path(index, ENTRIES[:size])
        for other in set(range(-1, size + 3)) - {index}:
            said = {"index": other, "size": size, "root": ROOTS[size]}
            _refused(verify_inclusion, proof, leaf=LEAVES[index], **said)
            _refused(verify_inclusion, proof, leaf=LEAVES[other], **said)


def test_every_bit_of_an_inclusion_proof_counts():
    said = {"index": 11, "size": 13, "leaf": LEAVES[11], "root": ROOTS[13]}
    proof = oracle.path(11, ENTRIES[:13])
    packed = b"".join([*proof, LEAVES[11], ROOTS[13]])
    for bit in range(8 * len(packed)):
        flipped = (int.from_bytes(packed, "big") ^ 1 << bit).to_bytes(len(packed), "big")
        *hashes, leaf, root = (flipped[at : at + 32] for at in range(0, len(flipped), 32))
        _refused(verify_inclusion, hashes, **said | {"leaf": leaf, "root": root})


def test_a_node_is_not_taken_for_a_leaf_with_a_shorter_proof():
    """The hash of a node, given as a leaf hash, needs a size that the checkpoint does not say."""
    node = oracle.mth(ENTRIES[:2])
    proof = oracle.path(0, ENTRIES[:4])[1:]
    for index in range(4):
        _refused(verify_inclusion, proof, index=index, size=4, leaf=node, root=ROOTS[4])


def test_bytes_do_not_move_between_neighbours():
    """A node hashes its children end to end: a byte more of the one and less of the other is the same node."""
    left, right = LEAVES[:2]
    for at in (1, 31):
        _refused(verify_inclusion, [left[:at]], index=1, size=2, leaf=left[at:] + right, root=ROOTS[2])
        _refused(verify_inclusion, [right[at:]], index=0, size=2, leaf=left + right[:at], root=ROOTS[2])
        said = {"old_size": 1, "old_root": left + right[:at], "new_size": 2, "new_root": ROOTS[2]}
        _refused(verify_consistency, [right[at:]], **said)
    _refused(verify_inclusion, [b""], index=0, size=2, leaf=left + right, root=ROOTS[2])


# --- consistency ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("new_size", range(1, 71))
def test_a_consistency_proof_holds_whole_and_not_damaged(new_size):
    for old_size in range(1, new_size + 1):
        said = {"old_size": old_size, "old_root": ROOTS[old_size], "new_size": new_size, "new_root": ROOTS[new_size]}
        proof = oracle.proof(old_size, ENTRIES[:new_size])
        verify_consistency(proof, **said)
        for damaged in _damaged(proof):
            _refused(verify_consistency, damaged, **said)
        for root in (ROOTS[old_size - 1], EMPTY_ROOT, b"", LEAVES[70]):
            _refused(verify_consistency, proof, **said | {"old_root": root})
            _refused(verify_consistency, proof, **said | {"new_root": root})


@pytest.mark.parametrize("new_size", range(1, 33))
def test_a_consistency_proof_proves_one_older_tree(new_size):
    for old_size in range(1, new_size + 1):
        proof = oracle.proof(old_size, ENTRIES[:new_size])
        for other in set(range(-1, new_size + 2)) - {old_size}:
            said = {"old_size": other, "new_size": new_size, "new_root": ROOTS[new_size]}
            _refused(verify_consistency, proof, old_root=ROOTS[old_size], **said)
            if 0 < other <= new_size:
                other_proof = oracle.proof(other, ENTRIES[:new_size])
                _refused(verify_consistency, other_proof, old_root=ROOTS[old_size], **said)


@pytest.mark.parametrize("new_size", [0, 1, 2, 7, MAX_SIZE])
def test_every_tree_began_empty(new_size):
    root = EMPTY_ROOT if new_size == 0 else ROOTS[7]
    said = {"old_size": 0, "old_root": EMPTY_ROOT, "new_size": new_size, "new_root": root}
    verify_consistency([], **said)
    _refused(verify_consistency, [EMPTY_ROOT], **said)
    _refused(verify_consistency, [], **said | {"old_root": ROOTS[1]})
    _refused(verify_consistency, [], **said | {"old_root": b""})
    _refused(verify_consistency, [], **said | {"new_root": root[:31]})


def test_the_empty_tree_has_one_root():
    _refused(verify_consistency, [], old_size=0, old_root=EMPTY_ROOT, new_size=0, new_root=ROOTS[1])


def test_a_forked_log_has_no_proof():
    forked = (*ENTRIES[:4], b"another", *ENTRIES[5:12])
    for old_size in range(5, 12):
        for proof in (oracle.proof(old_size, ENTRIES[:12]), oracle.proof(old_size, forked)):
            said = {"old_size": old_size, "new_size": 12}
            _refused(verify_consistency, proof, old_root=ROOTS[old_size], new_root=oracle.mth(forked), **said)
            _refused(verify_consistency, proof, old_root=oracle.mth(forked[:old_size]), new_root=ROOTS[12], **said)


# --- subtrees ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", range(1, 71))
def test_a_subtree_proof_holds(size):
    for start, end in _subtrees(size):
        verify_subtree_consistency(
            oracle.subtree_proof(start, end, ENTRIES[:size]),
            start=start, end=end, subtree=oracle.mth(ENTRIES[start:end]), size=size, root=ROOTS[size],
        )  # fmt: skip


@pytest.mark.parametrize("size", [*range(1, 25), 31, 32, 33])
def test_a_subtree_proof_does_not_hold_damaged(size):
    for start, end in _subtrees(size):
        said = {"start": start, "end": end, "subtree": oracle.mth(ENTRIES[start:end]), "size": size}
        proof = oracle.subtree_proof(start, end, ENTRIES[:size])
        for damaged in _damaged(proof):
            _refused(verify_subtree_consistency, damaged, **said, root=ROOTS[size])
        _refused(verify_subtree_consistency, proof, **said, root=ROOTS[size - 1])
        _refused(verify_subtree_consistency, proof, **said | {"subtree": LEAVES[70]}, root=ROOTS[size])


@pytest.mark.parametrize("size", range(1, 18))
def test_a_subtree_proof_proves_one_subtree(size):
    proofs = {span: oracle.subtree_proof(*span, ENTRIES[:size]) for span in _subtrees(size)}
    for span, its_proof in proofs.items():
        subtree = oracle.mth(ENTRIES[span[0] : span[1]])
        for start, end in proofs.keys() - {span}:
            for proof in (its_proof, proofs[start, end]):
                said = {"start": start, "end": end, "subtree": subtree, "size": size, "root": ROOTS[size]}
                _refused(verify_subtree_consistency, proof, **said)


@pytest.mark.parametrize(
    ("start", "end"), [(0, 0), (3, 3), (4, 2), (1, 3), (2, 5), (-4, 0), (-1, 1), (8, 17), (0, 71), (0, 2**63)]
)
def test_what_is_no_subtree_of_the_tree_is_not_proved(start, end):
    said = {"subtree": ROOTS[70], "size": 70, "root": ROOTS[70]}
    _refused(verify_subtree_consistency, [], start=start, end=end, **said)


# --- sizes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [-1, 0, 2**63, 2**64, pytest.param(10**5000, id="of 5001 digits")])
def test_nothing_is_proved_in_a_tree_of_no_size(size):
    _refused(verify_inclusion, [], index=0, size=size, leaf=LEAVES[0], root=LEAVES[0])
    _refused(verify_inclusion, [], index=size - 1, size=size, leaf=LEAVES[0], root=LEAVES[0])
    said = {"old_root": LEAVES[0], "new_root": LEAVES[0]}
    _refused(verify_consistency, [], old_size=size, new_size=size, **said)
    _refused(verify_consistency, [], old_size=1, new_size=size, **said)
    _refused(verify_subtree_consistency, [], start=0, end=1, subtree=LEAVES[0], size=size, root=LEAVES[0])
    _refused(verify_subtree_consistency, [], start=0, end=size, subtree=LEAVES[0], size=size, root=LEAVES[0])


HUGE = [2**32 - 1, 2**32, 2**32 + 1, 2**40 + 12345, 2**62 - 1, 2**62, 2**62 + 1, MAX_SIZE - 1, MAX_SIZE]


@pytest.mark.parametrize("size", HUGE)
def test_proofs_in_trees_near_the_limits(size):
    middle = size // 3
    indices = {
        0,
        1,
        middle,
        middle + 1,
        2 ** (size.bit_length() - 1) - 1,
        2 ** (size.bit_length() - 1),
        size - 2,
        size - 1,
    }
    indices = sorted(index for index in indices if index < size)
    tree = oracle.SparseTree(size, {index: b"entry %d" % index for index in indices})
    root = tree.mth(0, size)
    for index in indices:
        leaf = tree.mth(index, index + 1)
        proof = inclusion_proof(index, size, tree)
        verify_inclusion(proof, index=index, size=size, leaf=leaf, root=root)
        assert len(proof) <= 63
        for damaged in _damaged(proof[-3:]):
            _refused(verify_inclusion, [*proof[:-3], *damaged], index=index, size=size, leaf=leaf, root=root)
        for other in {*indices, index ^ 1, index ^ 2**31, index + 1} - {index}:
            _refused(verify_inclusion, proof, index=other, size=size, leaf=leaf, root=root)
    for old_size in [index + 1 for index in indices]:
        said = {"old_size": old_size, "old_root": tree.mth(0, old_size), "new_size": size, "new_root": root}
        proof = consistency_proof(old_size, size, tree)
        verify_consistency(proof, **said)
        for damaged in _damaged(proof[:3]):
            _refused(verify_consistency, [*damaged, *proof[3:]], **said)
    for start, end in ((middle // 256 * 256, middle // 256 * 256 + 200), ((size - 1) // 256 * 256, size)):
        said = {"start": start, "end": end, "subtree": tree.mth(start, end), "size": size, "root": root}
        proof = subtree_consistency_proof(start, end, size, tree)
        verify_subtree_consistency(proof, **said)
        for damaged in _damaged(proof[-3:]):
            _refused(verify_subtree_consistency, [*proof[:-3], *damaged], **said)


def test_a_proof_may_have_millions_of_hashes_too_many():
    said = {"index": 5, "size": 70, "leaf": LEAVES[5], "root": ROOTS[70]}
    _refused(verify_inclusion, [LEAVES[0]] * 1_000_000, **said)
