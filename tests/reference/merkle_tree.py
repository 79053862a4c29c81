"""The Merkle tree as its definitions say it, slowly: the oracle for `keepclear.record.merkle` and what stands on it.

Written from RFC 6962 §2.1 (MTH, PATH, PROOF, SUBPROOF) and draft-ietf-plants-merkle-tree-certs-04 §4.4.1
(SUBTREE_PROOF, SUBTREE_SUBPROOF), over lists of entries, sharing nothing with the code under test.
"""

from __future__ import annotations

import hashlib
from functools import cache

Entries = tuple[bytes, ...]
Hashes = list[bytes]


def _hash(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def _k(n: int) -> int:
    """The largest power of two smaller than n, for n > 1."""
    k = 1
    while 2 * k < n:
        k *= 2
    return k


@cache
def mth(d: Entries) -> bytes:
    """Merkle Tree Hash of the entries."""
    if not d:
        return _hash()
    if len(d) == 1:
        return _hash(b"\x00", d[0])
    k = _k(len(d))
    return _hash(b"\x01", mth(d[:k]), mth(d[k:]))


def path(m: int, d: Entries) -> Hashes:
    """PATH(m, D[n]): the audit path of entry m."""
    if len(d) == 1:
        return []
    k = _k(len(d))
    return [*path(m, d[:k]), mth(d[k:])] if m < k else [*path(m - k, d[k:]), mth(d[:k])]


def proof(m: int, d: Entries) -> Hashes:
    """PROOF(m, D[n]): that the first m entries are what the tree of D began with, for 0 < m ≤ n."""
    return _subproof(m, d, known=True)


def _subproof(m: int, d: Entries, *, known: bool) -> Hashes:
    if m == len(d):
        return [] if known else [mth(d)]
    k = _k(len(d))
    if m <= k:
        return [*_subproof(m, d[:k], known=known), mth(d[k:])]
    return [*_subproof(m - k, d[k:], known=False), mth(d[:k])]


def subtree_proof(start: int, end: int, d: Entries) -> Hashes:
    """SUBTREE_PROOF(start, end, D_n), for a valid subtree."""
    return _subtree_subproof(start, end, d, known=True)


def _subtree_subproof(start: int, end: int, d: Entries, *, known: bool) -> Hashes:
    if start == 0 and end == len(d):
        return [] if known else [mth(d)]
    k = _k(len(d))
    if end <= k:
        return [*_subtree_subproof(start, end, d[:k], known=known), mth(d[k:])]
    if k <= start:
        return [*_subtree_subproof(start - k, end - k, d[k:], known=known), mth(d[:k])]
    assert start == 0, "not a valid subtree"
    return [*_subtree_subproof(0, end - k, d[k:], known=False), mth(d[:k])]


def is_subtree(start: int, end: int) -> bool:
    """Whether [start, end) is a valid subtree: `start` a multiple of BIT_CEIL(end - start)."""
    if not 0 <= start < end:
        return False
    ceil = 1
    while ceil < end - start:
        ceil *= 2
    return start % ceil == 0


class HeldTree:
    """A tree of entries that are all at hand: answers for its complete subtrees, and counts how often it is asked."""

    def __init__(self, d: Entries) -> None:
        self.d = d
        self.calls = 0

    def __call__(self, pairs):
        self.calls += 1
        return [self.node(level, index) for level, index in pairs]

    def node(self, level: int, index: int) -> bytes:
        assert (index + 1) << level <= len(self.d), "not a complete subtree"
        return mth(self.d[index << level : (index + 1) << level])

    def tile(self, level: int, number: int, width: int) -> bytes:
        """MTH(D[(n * 256 + i) * 256**l : (n * 256 + i + 1) * 256**l]) for each i, as C2SP tlog-tiles says."""
        each = 256**level
        starts = [(number * 256 + i) * each for i in range(width)]
        assert starts[-1] + each <= len(self.d), "the tile is wider than the tree"
        return b"".join(mth(self.d[start : start + each]) for start in starts)


class SparseTree:
    """A tree of up to 2^63 − 1 entries that are all alike but for a few, whose hashes can be had nonetheless."""

    def __init__(self, size: int, unlike: dict[int, bytes]) -> None:
        self.size = size
        self.unlike = dict(sorted(unlike.items()))
        self._alike: dict[int, bytes] = {}

    def mth(self, start: int, end: int) -> bytes:
        """MTH(D[start:end])."""
        n = end - start
        alike = not any(start <= index < end for index in self.unlike)
        if alike and n in self._alike:
            return self._alike[n]
        if n == 1:
            found = _hash(b"\x00", self.unlike.get(start, b"alike"))
        else:
            k = _k(n)
            found = _hash(b"\x01", self.mth(start, start + k), self.mth(start + k, end))
        if alike:
            self._alike[n] = found
        return found

    def __call__(self, pairs):
        assert all((index + 1) << level <= self.size for level, index in pairs), "not a complete subtree"
        return [self.mth(index << level, (index + 1) << level) for level, index in pairs]
