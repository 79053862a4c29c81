"""What the tree of the record must withstand: whatever bytes come, a true value or a refusal in one line.

Each target takes bytes, as a fuzzer makes them, and fails if what was claimed with them was believed but is not true.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from keepclear.errors import IntegrityError, PeerError
from keepclear.record.merkle_proofs import verify_consistency, verify_inclusion, verify_subtree_consistency
from keepclear.record.tile_reading import authenticated, authenticated_entries
from keepclear.record.tiles import Bundle, Tile, decode_bundle, encode_bundle, parse_path
from tests.reference import merkle_tree as oracle

ENTRIES = tuple(b"entry %d" % index for index in range(300))
SIZE = 300
ROOT = oracle.mth(ENTRIES)
TILES = (Tile(0, 0), Tile(0, 1, 44), Tile(1, 0, 1))


def tile_path(data: bytes) -> bool:
    """A path as a web server is asked for it; whether it was that of a tile or a bundle."""
    path = data.decode("utf-8", "replace")
    place = _unless_refused(lambda: parse_path(path))
    assert place is None or place.path == path
    assert place is None or path.isascii()
    return place is not None


def bundle(data: bytes) -> bool:
    """A width, and the bytes of a bundle."""
    width = 1 + (data[0] if data else 0)
    entries = _unless_refused(lambda: decode_bundle(data[1:], width=width))
    assert entries is None or (len(entries) == width and encode_bundle(entries) == data[1:])
    return entries is not None


def inclusion(data: bytes) -> bool:
    """An index of eight bytes, a leaf hash and a proof, for a tree whose root is known."""
    index, (leaf, *proof) = int.from_bytes(data[:8], "big", signed=True), _hashes(data[8:]) or [b""]
    if not _holds(lambda: verify_inclusion(proof, index=index, size=SIZE, leaf=leaf, root=ROOT)):
        return False
    assert leaf == oracle.mth(ENTRIES[index : index + 1])
    assert proof == oracle.path(index, ENTRIES)
    return True


def consistency(data: bytes) -> bool:
    """An older size of eight bytes, its root and a proof, for a tree whose root is known."""
    old_size, (old_root, *proof) = int.from_bytes(data[:8], "big", signed=True), _hashes(data[8:]) or [b""]
    said = {"old_size": old_size, "old_root": old_root, "new_size": SIZE, "new_root": ROOT}
    if not _holds(lambda: verify_consistency(proof, **said)):
        return False
    assert old_root == oracle.mth(ENTRIES[:old_size])
    assert proof == (oracle.proof(old_size, ENTRIES) if old_size else [])
    return True


def subtree(data: bytes) -> bool:
    """Where a subtree starts and ends, in eight bytes each, its root and a proof, for a tree whose root is known."""
    start, end = (int.from_bytes(data[at : at + 8], "big", signed=True) for at in (0, 8))
    root, *proof = _hashes(data[16:]) or [b""]
    said = {"start": start, "end": end, "subtree": root, "size": SIZE, "root": ROOT}
    if not _holds(lambda: verify_subtree_consistency(proof, **said)):
        return False
    assert root == oracle.mth(ENTRIES[start:end])
    assert proof == oracle.subtree_proof(start, end, ENTRIES)
    return True


def tiles(data: bytes) -> bool:
    """All tiles of a log, end to end, and its second bundle after them."""
    starts = (0, 8192, 9600, 9632)
    answers = {tile: data[at:end] for tile, at, end in zip(TILES, starts, starts[1:], strict=False)}
    found = _unless_refused(lambda: authenticated(TILES, lambda few: [answers[t] for t in few], size=SIZE, root=ROOT))
    if found is None:
        return False
    assert found == _true_tiles()
    entries = _unless_refused(lambda: authenticated_entries(Bundle(1, 44), data[9632:], found[TILES[1]]))
    assert entries is None or tuple(entries) == ENTRIES[256:]
    return entries is not None


TARGETS: dict[str, Callable[[bytes], bool]] = {
    "tile path": tile_path,
    "bundle": bundle,
    "inclusion": inclusion,
    "consistency": consistency,
    "subtree": subtree,
    "tiles": tiles,
}


@cache
def samples() -> dict[str, list[bytes]]:
    """Bytes that hold, for each target."""
    paths = [place.path for place in (*TILES, Tile(63, 1234067, 255), Bundle(10**18), Bundle(5, 9))]
    few = [[b""], [b"a", b"", b"bc" * 300], [b"%d" % number for number in range(256)]]
    spans = [(0, 1), (299, 300), (0, 300), (0, 299), (128, 200), (256, 299), (256, 300), (200, 204)]
    return {
        "tile path": [path.encode() for path in paths],
        "bundle": [bytes([len(entries) - 1]) + encode_bundle(entries) for entries in few],
        "inclusion": [
            _number(index) + oracle.mth(ENTRIES[index : index + 1]) + b"".join(oracle.path(index, ENTRIES))
            for index in (0, 1, 128, 255, 256, 298, 299)
        ],
        "consistency": [
            _number(size) + oracle.mth(ENTRIES[:size]) + b"".join(oracle.proof(size, ENTRIES) if size else [])
            for size in (0, 1, 128, 255, 256, 257, 299, 300)
        ],
        "subtree": [
            _number(start) + _number(end) + oracle.mth(ENTRIES[start:end])
            + b"".join(oracle.subtree_proof(start, end, ENTRIES))
            for start, end in spans
        ],
        "tiles": [b"".join(_true_tiles().values()) + encode_bundle(ENTRIES[256:])],
    }  # fmt: skip


@cache
def _true_tiles() -> dict[Tile, bytes]:
    held = oracle.HeldTree(ENTRIES)
    return {tile: held.tile(tile.level, tile.number, tile.width) for tile in TILES}


def _number(value: int) -> bytes:
    return value.to_bytes(8, "big", signed=True)


def _hashes(data: bytes) -> list[bytes]:
    return [data[at : at + 32] for at in range(0, len(data), 32)]


def _holds(verify: Callable[[], None]) -> bool:
    return _unless_refused(lambda: verify() is None) is True


def _unless_refused(parse):
    try:
        return parse()
    except (PeerError, IntegrityError) as error:
        said = str(error)
    assert len(said.splitlines()) == 1, f"not one line: {said!r}"
    assert len(said) < 1_000, "not a line that a person reads"
    return None
