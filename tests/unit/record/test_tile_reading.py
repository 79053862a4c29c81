"""A tree read from its tiles is the tree, and a tile that is not the log's does not get through."""

from __future__ import annotations

import pytest

from keepclear.errors import InputError, IntegrityError, PeerError
from keepclear.record.merkle import EMPTY_ROOT, MAX_SIZE, consistency_proof, inclusion_proof, tree_root
from keepclear.record.tile_reading import (
    authenticated,
    authenticated_entries,
    edge_tiles,
    hash_reader,
    tiles_above,
)
from keepclear.record.tiles import Bundle, Tile, encode_bundle, tile_at, tiles_of
from tests.reference import merkle_tree as oracle

ENTRIES = tuple(b"entry %d" % index for index in range(66_000))
SIZES = [1, 2, 255, 256, 257, 511, 512, 700, 65_535, 65_536, 65_537, 65_793, 66_000]


class Published:
    """The tiles of a log as its publisher has them, some of them perhaps changed; notes what it is asked for."""

    def __init__(self, entries=ENTRIES, changed=None):
        self.tree = oracle.HeldTree(entries)
        self.changed = changed or {}
        self.asked = []

    def __call__(self, tiles):
        self.asked.append(list(tiles))
        assert len(set(tiles)) == len(tiles), "a tile was asked for twice"
        return [self.changed.get(tile) or self.tree.tile(tile.level, tile.number, tile.width) for tile in tiles]


def _root(size: int) -> bytes:
    return oracle.mth(ENTRIES[:size])


# --- reading -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
def test_hashes_read_from_tiles_are_those_of_the_tree(size):
    pairs = [
        (level, index)
        for level in range(17)
        for index in sorted({0, 1, (size >> level) // 2, (size >> level) - 2, (size >> level) - 1})
        if 0 <= index < size >> level
    ]
    published = Published()
    held = oracle.HeldTree(ENTRIES[:size])
    assert hash_reader(published, size)(pairs) == held(pairs)
    assert len(published.asked) == 1
    assert set(published.asked[0]) <= set(tiles_of(size))


@pytest.mark.parametrize("size", SIZES)
def test_proofs_over_tiles_are_those_of_the_tree(size):
    published = Published()
    read = hash_reader(published, size)
    held = oracle.HeldTree(ENTRIES[:size])
    for index in {0, size // 3, size // 2, size - 1}:
        assert inclusion_proof(index, size, read) == inclusion_proof(index, size, held)
        assert consistency_proof(index + 1, size, read) == consistency_proof(index + 1, size, held)
    assert tree_root(size, read) == _root(size)
    assert len(published.asked) <= 9


def test_reading_nothing_fetches_nothing():
    assert hash_reader(lambda tiles: pytest.fail(f"asked for {tiles}"), 5)([]) == []


@pytest.mark.parametrize(
    ("pair", "size"),
    [((0, 5), 5), ((1, 2), 5), ((-1, 0), 5), ((0, -1), 5), ((0, 0), 0), ((63, 0), MAX_SIZE), ((99, 0), 5)],
)
def test_a_subtree_that_is_not_complete_cannot_be_read(pair, size):
    with pytest.raises(InputError, match="not a complete subtree"):
        hash_reader(lambda tiles: pytest.fail(f"asked for {tiles}"), size)([pair])


@pytest.mark.parametrize("answer", [[], [b""], [b"x" * 31], [b"x" * 64], [b"x" * 159], [b"x" * 8192], [b"x" * 160] * 2])
def test_tiles_of_another_length_are_the_peers_fault(answer):
    with pytest.raises(PeerError, match=r"has \d+ bytes, not 160|answered"):
        hash_reader(lambda _: answer, 5)([(0, 0)])


# --- which tiles vouch for which -----------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, *SIZES, 70_000, 2**32 + 1, MAX_SIZE])
def test_the_right_edge_is_every_partial_tile(size):
    partial = [tile_at(level, (size >> 8 * level) >> 8, size) for level in range(9) if (size >> 8 * level) % 256]
    assert list(edge_tiles(size)) == partial


def test_the_tiles_above_a_tile():
    assert tiles_above(Tile(0, 5), 70_000) == (Tile(1, 0), Tile(2, 0, 1))
    assert tiles_above(Tile(0, 272), 70_000) == (Tile(1, 1, 17),)
    assert tiles_above(Tile(0, 273, 112), 70_000) == ()
    assert tiles_above(Tile(0, 0), MAX_SIZE)[-1] == Tile(7, 0, 127)


@pytest.mark.parametrize(
    "tile", [Tile(0, 274), Tile(0, 273), Tile(0, 273, 111), Tile(1, 1, 18), Tile(3, 0, 1), Tile(0, 5, 255)]
)
def test_a_tile_of_another_size_is_refused(tile):
    with pytest.raises(InputError, match=r"no such tile|no width"):
        tiles_above(tile, 70_000)
    with pytest.raises(InputError, match=r"no such tile|no width"):
        authenticated([tile], Published(), size=70_000, root=_root(70_000))


@pytest.mark.parametrize("size", [-1, 2**63, 10**5000], ids=["negative", "2^63", "of 5001 digits"])
def test_no_tiles_of_a_tree_of_no_size(size):
    with pytest.raises(InputError, match="no size of a tree"):
        edge_tiles(size)
    with pytest.raises(InputError, match="no size of a tree"):
        authenticated([], Published(), size=size, root=EMPTY_ROOT)


# --- authentication ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
def test_the_tiles_of_the_log_are_authentic(size):
    published = Published()
    tiles = [tile for tile in tiles_of(size) if tile.number < 3 or tile.width < 256 or tile.number > 250]
    found = authenticated(tiles, published, size=size, root=_root(size))
    assert set(tiles) <= found.keys()
    assert found == {tile: published.tree.tile(tile.level, tile.number, tile.width) for tile in found}
    assert len(published.asked) == 1


def test_the_empty_log_has_no_tiles_and_one_root():
    never = Published(())
    assert authenticated([], never, size=0, root=EMPTY_ROOT) == {}
    assert never.asked == []
    with pytest.raises(IntegrityError, match="root of 0 entries"):
        authenticated([], never, size=0, root=_root(1))


@pytest.mark.parametrize("size", [1, 255, 256, 257, 700, 65_793, 66_000])
def test_no_byte_of_a_tile_can_be_changed(size):
    tiles = [tile for tile in tiles_of(size) if tile.number in {0, 1, 255, 256} or tile.width < 256]
    for tile in tiles:
        data = oracle.HeldTree(ENTRIES).tile(tile.level, tile.number, tile.width)
        for at in {0, 31, len(data) // 2, len(data) - 1}:
            changed = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
            with pytest.raises(IntegrityError, match="tile/"):
                authenticated([tile], Published(changed={tile: changed}), size=size, root=_root(size))


def test_no_two_tiles_can_be_exchanged():
    first, second = Tile(0, 3), Tile(0, 4)
    tree = oracle.HeldTree(ENTRIES)
    changed = {first: tree.tile(0, 4, 256), second: tree.tile(0, 3, 256)}
    with pytest.raises(IntegrityError, match=r"tile/0/003 is not what tile/1/000 says of it"):
        authenticated([first, second], Published(changed=changed), size=66_000, root=_root(66_000))


def test_a_whole_log_of_other_tiles_is_found_out():
    forked = (b"another", *ENTRIES[1:])
    for tile in (Tile(0, 0), Tile(0, 100), edge_tiles(66_000)[0]):
        with pytest.raises(IntegrityError, match="right edge"):
            authenticated([tile], Published(forked), size=66_000, root=_root(66_000))


def test_a_fork_that_keeps_the_edge_is_found_out_below_it():
    """The liar serves the true right edge, and a forged tile with its forged parent under it."""
    forked = oracle.HeldTree((b"another", *ENTRIES[1:]))
    changed = {Tile(0, 0): forked.tile(0, 0, 256), Tile(1, 0): forked.tile(1, 0, 256)}
    with pytest.raises(IntegrityError, match=r"tile/1/000 is not what tile/2/000\.p/1 says of it"):
        authenticated([Tile(0, 0)], Published(changed=changed), size=66_000, root=_root(66_000))


def test_the_right_tiles_under_the_wrong_root():
    for root in (_root(65_999), EMPTY_ROOT, b""):
        with pytest.raises(IntegrityError, match="right edge"):
            authenticated([Tile(0, 0)], Published(), size=66_000, root=root)


def test_what_is_known_is_not_fetched_again():
    size, published = 66_000, Published()
    known = authenticated([Tile(0, 0)], published, size=size, root=_root(size))
    again = authenticated([Tile(0, 0), Tile(0, 1)], published, size=size, root=_root(size), known=known)
    assert published.asked[1:] == [[Tile(0, 1)]]
    assert authenticated([Tile(0, 1)], published, size=size, root=_root(size), known=again).items() <= again.items()
    assert len(published.asked) == 2
    liar = Published(changed={Tile(0, 2): b"x" * 8192})
    with pytest.raises(IntegrityError, match="tile/0/002"):
        authenticated([Tile(0, 2)], liar, size=size, root=_root(size), known=again)


def test_tiles_of_another_length_do_not_get_as_far_as_a_hash():
    for data in (b"x", b"x" * 8191, b"x" * 8193):
        with pytest.raises(PeerError, match="bytes, not 8192"):
            authenticated([Tile(0, 0)], Published(changed={Tile(0, 0): data}), size=66_000, root=_root(66_000))


# --- entries -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bundle", [Bundle(0), Bundle(2, 188)])
def test_entries_are_what_their_tile_says(bundle):
    entries = list(ENTRIES[bundle.start : bundle.start + bundle.width])
    hashes = oracle.HeldTree(ENTRIES).tile(0, bundle.number, bundle.width)
    assert authenticated_entries(bundle, encode_bundle(entries), hashes) == entries
    for at in (0, 100, bundle.width - 1):
        changed = [*entries[:at], b"another", *entries[at + 1 :]]
        with pytest.raises(
            IntegrityError, match=f"1 entries are not what was logged, the first at index {bundle.start + at}$"
        ):
            authenticated_entries(bundle, encode_bundle(changed), hashes)
    with pytest.raises(IntegrityError, match="2 entries are not"):
        authenticated_entries(bundle, encode_bundle([entries[1], entries[0], *entries[2:]]), hashes)
    with pytest.raises(PeerError, match="breaks off"):
        authenticated_entries(bundle, encode_bundle(entries[:-1]), hashes)
    with pytest.raises(PeerError, match="bytes, not"):
        authenticated_entries(bundle, encode_bundle(entries), hashes[:-32])
