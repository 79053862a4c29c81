"""Entries and trees for both directions, from fixed seeds."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence

from keepclear.record.merkle import grown, leaf_hash, tree_root

# Where tiles and levels begin and end; the rest is chance.
LARGEST = 70_000
EDGES = (1, 2, 3, 4, 255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_537, LARGEST)


class Tree:
    """All complete subtrees of a log in memory, by keepclear."""

    def __init__(self, entries: Sequence[bytes]) -> None:
        self.entries = entries
        self.leaves = [leaf_hash(entry) for entry in entries]
        self._nodes = grown(0, self.leaves, self.read)

    def read(self, places: Sequence[tuple[int, int]]) -> list[bytes]:
        return [self._nodes[place] for place in places]

    def root(self, size: int) -> bytes:
        return tree_root(size, self.read)


def some_entries(count: int, *, seed: int) -> list[bytes]:
    """Random entries, and among them the shortest and the longest that there can be."""
    chance = random.Random(seed)
    entries = [chance.randbytes(chance.randrange(300)) for _ in range(count)]
    for index, length in ((0, 1), (1, 0), (255, 65_535), (256, 65_534)):
        if index < count:
            entries[index] = chance.randbytes(length)
    return entries


def some_sizes(count: int, *, seed: int, most: int = LARGEST) -> list[int]:
    chance = random.Random(seed)
    return sorted({*(size for size in EDGES if size <= most), *(chance.randint(1, most) for _ in range(count))})


def some_places(sizes: Sequence[int], *, seed: int, each: int) -> list[tuple[int, int]]:
    """(index, size): of every size the first, the last, and a few by chance."""
    chance = random.Random(seed)
    return sorted(
        {(index, size) for size in sizes for index in (0, size - 1, *(chance.randrange(size) for _ in range(each)))}
    )


def some_subtrees(places: Sequence[tuple[int, int]], *, seed: int) -> list[tuple[int, int, int]]:
    """(level, index, size) of complete subtrees that hold these entries."""
    chance = random.Random(seed)
    found = set()
    for index, size in places:
        level = chance.randrange(size.bit_length())
        if ((index >> level) + 1) << level <= size:
            found.add((level, index >> level, size))
    return sorted(found)


def digest_of(entries: Sequence[bytes]) -> bytes:
    """As the Go program digests what it read: SHA-256 of all of it, each behind its length."""
    return hashlib.sha256(b"".join(len(entry).to_bytes(4, "big") + entry for entry in entries)).digest()


def spoiled(data: bytes, at: int) -> bytes:
    """The same with one bit of one byte changed."""
    return data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :]


def ways_to_spoil(proof: Sequence[bytes], *, seed: int) -> list[list[bytes]]:
    """Proofs that differ from this one by a bit of each hash, by a hash, or by their order."""
    chance = random.Random(seed)
    spoilt = [[*proof[:i], spoiled(one, chance.randrange(32)), *proof[i + 1 :]] for i, one in enumerate(proof)]
    spoilt += [[*proof, bytes(32)], [bytes(32), *proof]]
    if proof:
        spoilt += [list(proof[1:]), list(proof[:-1])]
    if len(proof) > 1:
        spoilt.append(list(proof[::-1]))
    return spoilt
