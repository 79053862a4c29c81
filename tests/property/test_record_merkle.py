"""The Merkle tree and its tiles, for trees of any size and proofs damaged in any way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepclear.errors import IntegrityError
from keepclear.record.merkle import (
    MAX_SIZE,
    consistency_proof,
    grown,
    inclusion_proof,
    leaf_hash,
    root_of,
    subtree_consistency_proof,
    subtree_root,
    tree_root,
)
from keepclear.record.merkle_proofs import verify_consistency, verify_inclusion, verify_subtree_consistency
from keepclear.record.tile_reading import hash_reader
from keepclear.record.tiles import grown_tiles, tile_at, tiles_between, tiles_of
from tests.fuzz.record_tree import TARGETS, samples
from tests.reference.merkle_tree import SparseTree, mth

# Sizes of all magnitudes, with those beside the powers of two, where trees change their shape.
SIZES = st.one_of(
    st.integers(1, 70),
    st.integers(1, 70_000),
    st.integers(1, MAX_SIZE),
    st.builds(lambda power, off: min(max(1, (1 << power) + off), MAX_SIZE), st.integers(0, 63), st.integers(-3, 3)),
)


def _tree(data: st.DataObject, size: int) -> SparseTree:
    unlike = data.draw(st.lists(st.integers(0, size - 1), max_size=6), "entries unlike the others")
    return SparseTree(size, {index: b"entry %d" % index for index in (0, size - 1, *unlike)})


def _index(data: st.DataObject, size: int, tree: SparseTree) -> int:
    return data.draw(st.sampled_from(list(tree.unlike)) | st.integers(0, size - 1), "index")


def _damaged(data: st.DataObject, proof: list[bytes]) -> list[bytes]:
    """The proof with something changed, left out, put in or moved."""
    damaged = list(proof)
    how = data.draw(st.sampled_from(["bit", "drop", "add", "move"] if proof else ["add"]), "how")
    at = data.draw(st.integers(0, max(0, len(proof) - 1)), "at")
    if how == "bit":
        bit = data.draw(st.integers(0, 255), "bit")
        damaged[at] = (int.from_bytes(damaged[at], "big") ^ 1 << bit).to_bytes(32, "big")
    elif how == "drop":
        del damaged[at]
    elif how == "add":
        damaged.insert(at, data.draw(st.binary(max_size=40) | st.sampled_from([*proof, b"\0" * 32]), "more"))
    else:
        damaged.insert(data.draw(st.integers(0, len(proof) - 1), "to"), damaged.pop(at))
    return damaged


def _holds_whole_and_not_damaged(data: st.DataObject, proof: list[bytes], verify) -> None:
    verify(proof)
    damaged = _damaged(data, proof)
    if damaged != proof:
        with pytest.raises(IntegrityError):
            verify(damaged)


@given(size=SIZES, data=st.data())
def test_an_inclusion_proof_of_any_entry_of_any_tree(size, data):
    tree = _tree(data, size)
    index = _index(data, size, tree)
    leaf, root = tree.mth(index, index + 1), tree.mth(0, size)
    assert tree_root(size, tree) == root
    proof = inclusion_proof(index, size, tree)
    said = {"size": size, "leaf": leaf, "root": root}
    _holds_whole_and_not_damaged(data, proof, lambda proof: verify_inclusion(proof, index=index, **said))
    other = data.draw(
        st.sampled_from([index ^ 1 << data.draw(st.integers(0, 62)), index - 1, index + 1, size]), "other"
    )
    if index in tree.unlike:  # the entries that are alike may stand for each other where all around them is alike too
        with pytest.raises(IntegrityError):
            verify_inclusion(proof, index=other, **said)


@given(size=SIZES, data=st.data())
def test_a_consistency_proof_between_any_two_trees(size, data):
    tree = _tree(data, size)
    old_size = _index(data, size, tree) + 1
    said = {"old_size": old_size, "old_root": tree.mth(0, old_size), "new_size": size, "new_root": tree.mth(0, size)}
    proof = consistency_proof(old_size, size, tree)
    _holds_whole_and_not_damaged(data, proof, lambda proof: verify_consistency(proof, **said))


@given(size=SIZES, data=st.data())
def test_a_subtree_proof_of_any_subtree(size, data):
    tree = _tree(data, size)
    height = data.draw(st.integers(0, size.bit_length() - 1), "height")
    start = data.draw(st.integers(0, (size - 1) >> height), "place") << height
    end = min(size, start + data.draw(st.integers((1 << height) // 2 + 1, 1 << height), "length"))
    root = subtree_root(start, end, tree)
    assert root == tree.mth(start, end)
    said = {"start": start, "end": end, "subtree": root, "size": size, "root": tree.mth(0, size)}
    proof = subtree_consistency_proof(start, end, size, tree)
    _holds_whole_and_not_damaged(data, proof, lambda proof: verify_subtree_consistency(proof, **said))


@given(size=SIZES, more=st.integers(0, 600))
def test_growth_of_any_tree(size, more):
    more = min(more, MAX_SIZE - size)
    tree = SparseTree(size + more, {0: b"first", size - 1: b"last", size + more - 1: b"new"})
    held = SparseTree(size, {index: entry for index, entry in tree.unlike.items() if index < size})
    gained = grown(size, [tree.mth(index, index + 1) for index in range(size, size + more)], held)
    assert gained == {
        (level, index): tree.mth(index << level, (index + 1) << level)
        for level in range(64)
        for index in range(size >> level, (size + more) >> level)
    }


ENTRIES = tuple(b"entry %d" % index for index in range(5600))
LEAVES = [leaf_hash(entry) for entry in ENTRIES]


@given(st.lists(st.integers(0, 700), max_size=8))
def test_a_log_that_grows_in_any_steps_has_the_same_tiles(steps):
    blobs: dict[tuple[int, int], bytes] = {}
    size, published = 0, set()
    for step in steps:
        read = hash_reader(lambda tiles: [blobs[tile.level, tile.number][: tile.width * 32] for tile in tiles], size)
        for place, gain in grown_tiles(size, LEAVES[size : size + step], read).items():
            assert len(blobs.get(place, b"")) == gain.offset * 32
            blobs[place] = blobs.get(place, b"") + gain.hashes
        published |= set(tiles_between(size, size + step))
        size += step
    assert set(tiles_of(size)) <= published
    widths = {(tile.level, tile.number): tile.width for tile in tiles_of(size)}
    assert {place: len(blob) for place, blob in blobs.items()} == {place: 32 * width for place, width in widths.items()}
    read = hash_reader(lambda tiles: [blobs[tile.level, tile.number] for tile in tiles], size)
    assert tree_root(size, read) == root_of(LEAVES[:size]) == mth(ENTRIES[:size])


@given(size=SIZES, level=st.integers(0, 7), data=st.data())
def test_a_tile_of_a_size_is_as_wide_as_the_size_says(size, level, data):
    count = size >> 8 * level
    if count:
        number = data.draw(st.integers(0, (count - 1) >> 8), "number")
        assert tile_at(level, number, size).width == min(256, count - 256 * number)


targets = pytest.mark.parametrize("name", TARGETS)


@targets
def test_the_samples_hold(name):
    assert all(TARGETS[name](sample) for sample in samples()[name])


@targets
@given(data=st.data())
def test_damaged_samples_are_believed_only_where_they_are_true(name, data):
    sample = data.draw(st.sampled_from(samples()[name]), "sample")
    start = data.draw(st.integers(0, len(sample)), "start")
    end = data.draw(st.integers(start, min(len(sample), start + 64)), "end")
    put = data.draw(st.binary(max_size=8) | st.just(sample[start:end] * 2), "put")
    TARGETS[name](sample[:start] + put + sample[end:])
    TARGETS[name](sample[:start])


@targets
@given(data=st.binary(max_size=400))
def test_any_bytes_are_believed_only_where_they_are_true(name, data):
    TARGETS[name](data)
