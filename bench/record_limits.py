"""What the record cannot be faster than: the same rows in bare SQLite, the same hashes and signatures, nothing else."""

from __future__ import annotations

import hashlib
import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

__all__ = ["BareTable", "audit_hashes_s", "best_s", "reading_folder_s", "sign_s", "verify_and_hash_s"]

TILE = 256
# As the store sets them.
PRAGMAS = ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON", "journal_size_limit = 4194304")

Row = tuple[int, bytes, bytes]


class BareTable:
    """One SQLite table of leaves and bodies, written with the store's pragmas and nothing around it."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        for pragma in PRAGMAS:
            self._connection.execute(f"PRAGMA {pragma}")
        self._connection.execute("CREATE TABLE entry (number INTEGER PRIMARY KEY, leaf BLOB, body BLOB)")

    def commit_s(self, rows: Sequence[Row]) -> float:
        """Seconds to add the rows in one durable commit."""
        began = time.perf_counter()
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.executemany("INSERT INTO entry VALUES (?, ?, ?)", rows)
        self._connection.execute("COMMIT")
        return time.perf_counter() - began

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()


def best_s(measure: Callable[[], object], repeats: int) -> float:
    """Seconds of the fastest of several runs."""
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        measure()
        times.append(time.perf_counter() - began)
    return min(times)


def sign_s(message: bytes, repeats: int) -> float:
    """Seconds of one Ed25519 signature of `message`, by ``cryptography`` alone."""
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    return best_s(lambda: [key.sign(message) for _ in range(100)], repeats) / 100


def verify_and_hash_s(message: bytes, hashes: int, signatures: int, repeats: int) -> float:
    """Seconds of so many Ed25519 verifications of `message` and so many hashes of two nodes, and nothing else."""
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    signed, public, node = key.sign(message), key.public_key(), bytes(65)

    def once() -> None:
        for _ in range(signatures):
            public.verify(signed, message)
        for _ in range(hashes):
            hashlib.sha256(node).digest()

    return best_s(lambda: [once() for _ in range(100)], repeats) / 100


def audit_hashes_s(entries: Sequence[bytes], repeats: int) -> float:
    """Seconds to hash these entries as leaves and then as a tree, by ``hashlib`` in plain loops."""

    def once() -> bytes:
        nodes = [hashlib.sha256(b"\x00" + entry).digest() for entry in entries]
        while len(nodes) > 1:
            paired = [hashlib.sha256(b"\x01" + nodes[i] + nodes[i + 1]).digest() for i in range(0, len(nodes) - 1, 2)]
            nodes = paired + nodes[len(nodes) - len(nodes) % 2 :]
        return nodes[0]

    return best_s(once, repeats)


def reading_folder_s(folder: Path, repeats: int) -> float:
    """Seconds to read every file of a published log, and do nothing with it."""
    files = [path for path in (folder / "tile").rglob("*") if path.is_file()]
    return best_s(lambda: [path.read_bytes() for path in files], repeats)
