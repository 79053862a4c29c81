"""Hashes, roots, growth and the making of proofs, against published values and the definitions."""

from __future__ import annotations

import hashlib
import json
from itertools import pairwise
from pathlib import Path

import pytest

from keepclear.errors import InputError, IntegrityError
from keepclear.record.merkle import (
    EMPTY_ROOT,
    MAX_SIZE,
    consistency_proof,
    grown,
    inclusion_proof,
    is_subtree,
    leaf_hash,
    node_hash,
    packed_root,
    root_of,
    subtree_consistency_proof,
    subtree_root,
    tree_root,
)
from tests.reference import merkle_tree as oracle

VECTORS = json.loads((Path(__file__).parents[2] / "vectors/record/merkle.json").read_text(encoding="utf-8"))
PUBLISHED = tuple(bytes.fromhex(entry) for entry in VECTORS["tree"]["entries"])
ENTRIES = tuple(b"entry %d" % index for index in range(71))
HASHES = [leaf_hash(entry) for entry in ENTRIES]


def _held(size: int) -> oracle.HeldTree:
    return oracle.HeldTree(ENTRIES[:size])


def _bytes(hashes: list[str]) -> list[bytes]:
    return [bytes.fromhex(value) for value in hashes]


# --- published values ----------------------------------------------------------------------------------------------


def test_the_nodes_of_the_certificate_transparency_tree():
    levels = [_bytes(level) for level in VECTORS["tree"]["nodes"]]
    assert [leaf_hash(entry) for entry in PUBLISHED] == levels[0]
    for below, level in pairwise(levels):
        assert [node_hash(below[i], below[i + 1]) for i in range(0, len(below), 2)] == level
    gained = grown(0, levels[0], oracle.HeldTree(()))
    assert gained == {(level, index): value for level, row in enumerate(levels) for index, value in enumerate(row)}


@pytest.mark.parametrize("size", range(9))
def test_the_roots_of_the_certificate_transparency_tree(size):
    root = bytes.fromhex(VECTORS["tree"]["roots"][size])
    assert root_of(map(leaf_hash, PUBLISHED[:size])) == root
    assert tree_root(size, oracle.HeldTree(PUBLISHED)) == root
    assert oracle.mth(PUBLISHED[:size]) == root


def test_the_root_of_all_eight_is_the_one_that_everybody_knows():
    known = "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
    assert root_of(map(leaf_hash, PUBLISHED)).hex() == known


@pytest.mark.parametrize("case", VECTORS["inclusion"], ids=str)
def test_published_inclusion_proofs(case):
    proof = inclusion_proof(case["index"], case["size"], oracle.HeldTree(PUBLISHED))
    assert proof == _bytes(case["proof"])
    assert oracle.path(case["index"], PUBLISHED[: case["size"]]) == proof


@pytest.mark.parametrize("case", VECTORS["consistency"], ids=str)
def test_published_consistency_proofs(case):
    proof = consistency_proof(case["old_size"], case["new_size"], oracle.HeldTree(PUBLISHED))
    assert proof == _bytes(case["proof"])
    assert oracle.proof(case["old_size"], PUBLISHED[: case["new_size"]]) == proof


@pytest.mark.parametrize("case", VECTORS["subtrees"], ids=str)
def test_the_subtree_proofs_that_the_draft_draws(case):
    start, end, size = case["start"], case["end"], case["size"]
    drawn = [oracle.mth(ENTRIES[low:high]) for low, high in case["proof"]]
    assert subtree_consistency_proof(start, end, size, _held(size)) == drawn
    assert oracle.subtree_proof(start, end, ENTRIES[:size]) == drawn


# --- the definitions, for every small tree -------------------------------------------------------------------------


@pytest.mark.parametrize("size", range(71))
def test_roots_as_defined(size):
    root = oracle.mth(ENTRIES[:size])
    assert root_of(iter(HASHES[:size])) == root
    assert packed_root(b"".join(HASHES[:size])) == root
    assert tree_root(size, _held(size)) == root


def test_a_root_over_several_runs_of_leaves():
    entries = tuple(b"%d" % index for index in range(3 * 4096 + 5))
    for size in (4095, 4096, 4097, 8192, 3 * 4096 + 5):
        assert root_of(map(leaf_hash, entries[:size])) == oracle.mth(entries[:size])


@pytest.mark.parametrize("size", range(1, 71))
def test_inclusion_proofs_as_defined(size):
    for index in range(size):
        held = _held(size)
        assert inclusion_proof(index, size, held) == oracle.path(index, ENTRIES[:size])
        assert held.calls == (size > 1)


@pytest.mark.parametrize("new_size", range(1, 71))
def test_consistency_proofs_as_defined(new_size):
    for old_size in range(1, new_size + 1):
        held = _held(new_size)
        assert consistency_proof(old_size, new_size, held) == oracle.proof(old_size, ENTRIES[:new_size])
        assert held.calls == (old_size < new_size)
    assert consistency_proof(0, new_size, _held(new_size)) == []


@pytest.mark.parametrize("size", range(1, 71))
def test_subtree_proofs_as_defined(size):
    for end in range(1, size + 1):
        for start in filter(lambda start, end=end: oracle.is_subtree(start, end), range(end)):
            held = _held(size)
            proof = subtree_consistency_proof(start, end, size, held)
            assert proof == oracle.subtree_proof(start, end, ENTRIES[:size])
            assert held.calls == bool(proof)
            assert subtree_root(start, end, _held(end)) == oracle.mth(ENTRIES[start:end])


def test_which_ranges_are_subtrees():
    for start in range(-2, 130):
        for end in range(-2, 130):
            assert is_subtree(start, end) == oracle.is_subtree(start, end), (start, end)
    assert is_subtree(0, MAX_SIZE)
    assert is_subtree(2**62, MAX_SIZE)
    assert not is_subtree(0, MAX_SIZE + 1)


# --- growth --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", range(40))
def test_growth_gives_each_complete_subtree_that_is_new(size):
    for new_size in range(size, 71):
        held = _held(size)
        gained = grown(size, HASHES[size:new_size], held)
        assert held.calls <= 1
        new = {(level, index) for level in range(7) for index in range(size >> level, new_size >> level)}
        assert gained == {(level, index): _held(new_size).node(level, index) for level, index in new}


def test_a_tree_grown_entry_by_entry_is_the_tree():
    nodes: dict[tuple[int, int], bytes] = {}

    def read(pairs):
        return [nodes[pair] for pair in pairs]

    for size, value in enumerate(HASHES):
        gained = grown(size, [value], read)
        assert not gained.keys() & nodes.keys()
        nodes.update(gained)
        assert tree_root(size + 1, read) == oracle.mth(ENTRIES[: size + 1])


def test_growth_asks_only_for_what_becomes_a_left_child():
    asked = []

    def read(pairs):
        asked.extend(pairs)
        return _held(7)(pairs)

    grown(7, [], read)
    assert asked == []
    grown(6, HASHES[6:7], read)
    assert asked == []
    grown(7, HASHES[7:8], read)
    assert asked == [(0, 6), (1, 2), (2, 0)]


# --- what no tree has ----------------------------------------------------------------------------------------------


def _unread(pairs):
    pytest.fail(f"asked for {pairs}")


@pytest.mark.parametrize("size", [-1, 2**63, 2**64, pytest.param(10**5000, id="of 5001 digits")])
@pytest.mark.parametrize(
    "call",
    [
        lambda size: tree_root(size, _unread),
        lambda size: inclusion_proof(0, size, _unread),
        lambda size: consistency_proof(0, size, _unread),
        lambda size: consistency_proof(size, 5, _unread),
        lambda size: subtree_consistency_proof(0, 1, size, _unread),
        lambda size: grown(size, [], _unread),
    ],
)
def test_sizes_that_no_tree_has_are_refused(call, size):
    with pytest.raises(InputError, match="no size of a tree"):
        call(size)


def test_a_tree_does_not_grow_beyond_the_largest():
    with pytest.raises(InputError, match="no size of a tree"):
        grown(MAX_SIZE, HASHES[:1], _unread)


@pytest.mark.parametrize(
    ("index", "size"), [(0, 0), (5, 5), (-1, 5), (2**70, 5), pytest.param(10**5000, 5, id="of 5001 digits")]
)
def test_entries_that_the_tree_does_not_have_are_refused(index, size):
    with pytest.raises(InputError, match="no such entry"):
        inclusion_proof(index, size, _unread)


def test_an_older_tree_is_not_the_larger():
    with pytest.raises(InputError, match="larger"):
        consistency_proof(6, 5, _unread)


@pytest.mark.parametrize(("start", "end"), [(0, 0), (3, 3), (4, 2), (1, 3), (2, 5), (-4, 0), (8, 2**63), (0, 2**63)])
def test_ranges_that_are_no_subtrees_are_refused(start, end):
    with pytest.raises(InputError, match="not a subtree"):
        subtree_consistency_proof(start, end, MAX_SIZE, _unread)
    with pytest.raises(InputError, match="not a subtree"):
        subtree_root(start, end, _unread)


def test_a_subtree_that_ends_after_the_tree_is_refused():
    with pytest.raises(InputError, match="ends after the tree"):
        subtree_consistency_proof(4, 8, 7, _unread)


def test_the_empty_tree():
    assert hashlib.sha256().digest() == EMPTY_ROOT
    assert tree_root(0, _unread) == root_of([]) == packed_root(b"") == EMPTY_ROOT
    assert grown(0, [], _unread) == {}
    assert consistency_proof(0, 0, _unread) == []


@pytest.mark.parametrize("answer", [[], [HASHES[0]], [*HASHES[:3]], [HASHES[0], HASHES[1][:31]], [b"", HASHES[1]]])
def test_a_reader_that_does_not_give_what_was_asked_for(answer):
    assert inclusion_proof(1, 4, lambda pairs: HASHES[: len(pairs)]) == HASHES[:2]
    with pytest.raises(IntegrityError):
        inclusion_proof(1, 4, lambda _: answer)


@pytest.mark.parametrize("wrong", [b"", b"x" * 31, b"x" * 33, b"x" * 64])
def test_hashes_of_another_length_are_not_hashes(wrong):
    with pytest.raises(IntegrityError, match="a hash has"):
        root_of([*HASHES[:5], wrong])
    with pytest.raises(IntegrityError, match="a hash has"):
        grown(0, [*HASHES[:5], wrong], _unread)


def test_bytes_that_are_not_a_whole_number_of_hashes():
    for count in (1, 31, 33, 63, 65):
        with pytest.raises(IntegrityError, match="whole number"):
            packed_root(b"x" * count)
