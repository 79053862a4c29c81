"""Paths, which tiles and bundles there are, what is in them, and what they gain."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from keepclear.errors import InputError, PeerError
from keepclear.record.merkle import MAX_SIZE, leaf_hash
from keepclear.record.tile_reading import hash_reader
from keepclear.record.tiles import (
    Bundle,
    Gain,
    Tile,
    bundles_between,
    bundles_of,
    decode_bundle,
    encode_bundle,
    grown_tiles,
    parse_path,
    tile_at,
    tiles_between,
    tiles_of,
)
from tests.reference.merkle_tree import HeldTree

VECTORS = json.loads((Path(__file__).parents[2] / "vectors/record/merkle.json").read_text(encoding="utf-8"))["tiles"]
SIZES = [0, 1, 2, 100, 255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_537, 65_792, 70_000]

# --- paths ---------------------------------------------------------------------------------------------------------

PATHS = {
    "tile/0/x001/x234/067": Tile(0, 1234067),
    "tile/0/x001/x234/067.p/112": Tile(0, 1234067, 112),
    "tile/0/000": Tile(0, 0),
    "tile/0/000.p/1": Tile(0, 0, 1),
    "tile/1/999.p/255": Tile(1, 999, 255),
    "tile/2/x001/000": Tile(2, 1000),
    "tile/10/x001/x000/000.p/10": Tile(10, 1_000_000, 10),
    "tile/63/001": Tile(63, 1),
    "tile/0/x009/x223/x372/x036/x854/x775/807.p/100": Tile(0, MAX_SIZE, 100),
    "tile/entries/000": Bundle(0),
    "tile/entries/000.p/17": Bundle(0, 17),
    "tile/entries/x123/456": Bundle(123_456),
}


@pytest.mark.parametrize(("path", "place"), PATHS.items())
def test_each_has_one_path(path, place):
    assert place.path == path
    assert parse_path(path) == place
    assert type(place).of_path(path) == place


@pytest.mark.parametrize("case", VECTORS["paths"], ids=str)
def test_published_paths(case):
    assert Tile(case["level"], case["number"], case["width"]).path == case["path"]


def test_every_small_number_has_a_path_of_its_own():
    paths = [Tile(0, number, width).path for number in range(1100) for width in (1, 255, 256)]
    assert len(set(paths)) == len(paths)
    assert all(Tile.of_path(path).path == path for path in paths)


@pytest.mark.parametrize(
    "path",
    [
        # numbers and widths written otherwise
        "tile/0/1", "tile/0/01", "tile/0/0001", "tile/0/x000/067", "tile/0/x000/x000/067", "tile/0/x001",
        "tile/0/001/067", "tile/0/x001/x067", "tile/0/x01/067", "tile/0/-01", "tile/0/+01", "tile/0/ 01",
        "tile/0/0 1", "tile/0/00a", "tile/0/067.p/0", "tile/0/067.p/256", "tile/0/067.p/257", "tile/0/067.p/999",
        "tile/0/067.p/1000", "tile/0/067.p/01", "tile/0/067.p/001", "tile/0/067.p/", "tile/0/067.p", "tile/0/067p/1",
        "tile/0/067.p/-1", "tile/0/067.p/1.5", "tile/0/067.p/1e1", "tile/0/067.p/1/", "tile/0/x001.p/1/067",
        "tile/0/067.p/1.p/1",
        # levels
        "tile/64/000", "tile/99/000", "tile/100/000", "tile/00/000", "tile/01/000", "tile/-1/000", "tile//000",
        "tile/8x/000",
        # letters
        "Tile/0/000", "TILE/0/000", "tile/0/X001/067", "tile/0/067.P/1", "tile/Entries/000", "tile/ENTRIES/000",
        "tile/entry/000", "tile/0/٠٠١", "tile/٠/001", "tile/0/００１", "tile/0/001.p/１", "tile/0/0²1",
        # what a file system would make of it
        "../tile/0/000", "tile/../tile/0/000", "tile/0/../0/000", "tile/0/..", "tile/0/x../000", "/tile/0/000",
        "tile/0/000/", "tile/0//000", "./tile/0/000", "tile/./0/000", "tile\\0\\000", "tile/0/000\n", "\ntile/0/000",
        "tile/0/000\0", "tile/0/000\r", "tile/0/000?x", "tile/0/000#x", "tile/0/%3000", "tile/0/000.gz",
        "tile/data/000", "tile/names/000", "checkpoint", "", "tile", "tile/", "tile/0/", "tile/0", "tile/entries/",
        "tile/entries/1", "tile/entries/x000/001", "tile/entries/000.p/0", "tile/entries/000.p/256",
        # beyond every tree
        "tile/0/x009/x223/x372/x036/x854/x775/808", "tile/0/x999/x999/x999/x999/x999/x999/999",
        "tile/0/x001/x000/x000/x000/x000/x000/x000/000", "tile/0/" + "x999/" * 2000 + "999", "tile/0/" + "9" * 10_000,
    ],
    ids=lambda path: ascii(path[:40]),
)  # fmt: skip
def test_other_paths_are_refused(path):
    for parse in (parse_path, Tile.of_path, Bundle.of_path):
        with pytest.raises(PeerError, match="path"):
            parse(path)


def test_a_tile_is_no_bundle_and_a_bundle_no_tile():
    with pytest.raises(PeerError, match="bundle of entries, not"):
        Tile.of_path("tile/entries/000")
    with pytest.raises(PeerError, match="tile of hashes, not"):
        Bundle.of_path("tile/0/000")


@pytest.mark.parametrize(
    ("level", "number", "width"),
    [(-1, 0, 1), (64, 0, 1), (0, -1, 1), (0, MAX_SIZE + 1, 1), (0, 10**5000, 1), (0, 0, 0), (0, 0, 257), (0, 0, -1)],
    ids=lambda value: hex(value)[:12],
)
def test_tiles_that_cannot_be_are_refused(level, number, width):
    with pytest.raises(InputError, match=r"no (level|number|width)"):
        Tile(level, number, width)
    if level == 0:
        with pytest.raises(InputError, match=r"no (number|width)"):
            Bundle(number, width)


# --- which there are -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", VECTORS["of"], ids=lambda case: str(case["size"]))
def test_the_tiles_that_the_specification_counts(case):
    full = [Tile(level, number) for level, count in case["full"] for number in range(count)]
    partial = [Tile(*place) for place in case["partial"]]
    assert sorted(tiles_of(case["size"]), key=str) == sorted(full + partial, key=str)
    assert all(tile_at(tile.level, tile.number, case["size"]) == tile for tile in full + partial)


def _counted(size: int) -> set[Tile]:
    """All tiles, straight from the formula: level l has floor(size / 256**l) hashes."""
    counts = [(level, size // 256**level) for level in range(9)]
    full = {Tile(level, number) for level, count in counts for number in range(count // 256)}
    return full | {Tile(level, count // 256, count % 256) for level, count in counts if count % 256}


@pytest.mark.parametrize("new_size", SIZES)
def test_what_is_published_is_what_is_new(new_size):
    assert set(tiles_of(new_size)) == _counted(new_size)
    assert [bundle.tile for bundle in bundles_of(new_size)] == [tile for tile in tiles_of(new_size) if tile.level == 0]
    for old_size in filter(new_size.__ge__, SIZES):
        published = list(tiles_between(old_size, new_size))
        assert len(set(published)) == len(published)
        assert set(published) == _counted(new_size) - _counted(old_size)
        bundles = list(bundles_between(old_size, new_size))
        assert [bundle.tile for bundle in bundles] == [tile for tile in published if tile.level == 0]


def test_the_tiles_of_the_largest_tree_are_not_all_made_at_once():
    first = next(tiles_of(MAX_SIZE))
    assert first == Tile(0, 0)
    assert list(tiles_between(MAX_SIZE - 1, MAX_SIZE)) == [Tile(0, MAX_SIZE >> 8, 255)]
    assert tile_at(7, 0, MAX_SIZE) == Tile(7, 0, 127)


@pytest.mark.parametrize(("old_size", "new_size"), [(-1, 5), (6, 5), (0, 2**63), (2**63, 2**63), (0, -1), (-2, -1)])
def test_sizes_of_no_tree_that_grew_are_refused(old_size, new_size):
    with pytest.raises(InputError, match="grew"):
        tiles_between(old_size, new_size)
    with pytest.raises(InputError, match="grew"):
        bundles_between(old_size, new_size)


@pytest.mark.parametrize(
    ("level", "number", "size"), [(0, 0, 0), (0, 1, 256), (1, 0, 255), (2, 0, 65_535), (0, -1, 5), (9, 0, 5)]
)
def test_a_tile_that_the_tree_does_not_have_is_refused(level, number, size):
    with pytest.raises(InputError, match=r"no (width|number)"):
        tile_at(level, number, size)


# --- bundles -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "entries", [[b""], [b"a"], [b"", b"bc", b"d" * 65_535], [b"%d" % n for n in range(256)], [b""] * 256]
)
def test_a_bundle_comes_back_as_it_was(entries):
    data = encode_bundle(entries)
    assert decode_bundle(data, width=len(entries)) == entries
    for wrong in (data + b"\0", data[:-1], data + data):
        with pytest.raises(PeerError, match=f"a bundle of {len(entries)} entries"):
            decode_bundle(wrong, width=len(entries))
    for width in {len(entries) - 1, len(entries) + 1}:
        with pytest.raises(PeerError, match=f"a bundle of {width} entries"):
            decode_bundle(data, width=width)


def test_the_bytes_of_a_bundle():
    assert encode_bundle([b"ab", b"", b"x" * 258]) == b"\0\2ab" + b"\0\0" + b"\1\2" + b"x" * 258


@pytest.mark.parametrize("data", [b"", b"\0", b"\0\1", b"\0\2a", b"\xff\xff" + b"a" * 65_534])
def test_a_bundle_that_breaks_off(data):
    with pytest.raises(PeerError, match="breaks off in entry 0"):
        decode_bundle(data, width=1)


@pytest.mark.parametrize("entries", [[], [b""] * 257, [b"x" * 65_536]], ids=len)
def test_entries_that_no_bundle_holds(entries):
    with pytest.raises(InputError):
        encode_bundle(entries)


# --- growth --------------------------------------------------------------------------------------------------------


def test_a_gain_is_what_follows_the_hashes_that_stand():
    hashes = [leaf_hash(b"%d" % number) for number in range(600)]
    held = HeldTree(tuple(b"%d" % number for number in range(600)))
    gains = grown_tiles(250, hashes[250:600], held)
    assert gains == {
        (0, 0): Gain(250, b"".join(hashes[250:256])),
        (0, 1): Gain(0, b"".join(hashes[256:512])),
        (0, 2): Gain(0, b"".join(hashes[512:600])),
        (1, 0): Gain(0, held.node(8, 0) + held.node(8, 1)),
    }
    assert held.calls == 1


def test_blobs_that_only_ever_gain_are_the_tiles_of_every_size():
    entries = tuple(b"%d" % number for number in range(66_100))
    held = HeldTree(entries)
    blobs: dict[tuple[int, int], bytes] = {}
    size = 0
    for more in (1, 1, 253, 1, 1, 300, 64_900, 77, 1, 1, 1, 500):
        read = hash_reader(lambda tiles: [blobs[tile.level, tile.number][: tile.width * 32] for tile in tiles], size)
        for place, gain in grown_tiles(size, [leaf_hash(entry) for entry in entries[size : size + more]], read).items():
            assert len(blobs.get(place, b"")) == gain.offset * 32
            blobs[place] = blobs.get(place, b"") + gain.hashes
        size += more
        assert {(tile.level, tile.number): tile.width * 32 for tile in tiles_of(size)} == {
            place: len(blob) for place, blob in blobs.items()
        }
    assert all(
        blobs[tile.level, tile.number] == held.tile(tile.level, tile.number, tile.width) for tile in tiles_of(size)
    )
