"""What the tests of the store say, and an oracle of the tree that is made of it."""

from __future__ import annotations

import hashlib
from pathlib import Path

from keepclear.record.checkpoints import Checkpoint, open_checkpoint, sign_checkpoint
from keepclear.record.entries import Attachment, Entry
from keepclear.record.keys import SignatureKind, SigningKey
from keepclear.store.log import Log
from keepclear.store.sqlite import SqliteStore

ORIGIN = "north/border/log"
KEY = SigningKey.of_seed(ORIGIN, SignatureKind.ED25519, b"1" * 32)
MIRROR_KEY = SigningKey.of_seed("south/border/mirror", SignatureKind.COSIGNATURE, b"2" * 32)
OWN_KEY = SigningKey.of_seed("south/border/log", SignatureKind.ED25519, b"3" * 32)


def said(number: object, *, party: str = "north", to: tuple[str, ...] = ("south",), attached: int = 0) -> Entry:
    """An entry that differs from every other with another number, in leaf and body."""
    salt = hashlib.sha256(f"salt {number}".encode()).digest()
    files = tuple(Attachment(salt, f"file {number} {place}".encode() * 20) for place in range(attached))
    return Entry.said(
        "message",
        1,
        line="border",
        party=party,
        time_s=1.8e9,
        recipients=to,
        exercise=False,
        body=f'{{"said":"{number}"}}'.encode(),
        salt=salt,
        attachments=files,
    )


def tree(leaves: list[bytes]) -> bytes:
    """The root of RFC 6962 §2.1, as it is written there."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    half = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + tree(leaves[:half]) + tree(leaves[half:])).digest()


def signed(leaves: list[bytes], key: SigningKey = KEY) -> bytes:
    """A checkpoint of these leaves."""
    return sign_checkpoint(Checkpoint(key.verifier.name, len(leaves), tree(leaves)), key)


def head_of(checkpoint: bytes) -> tuple[int, bytes]:
    """Size and root of a checkpoint of ours, its signature verified."""
    read, _ = open_checkpoint(checkpoint, KEY.verifier)
    return read.size, read.root


def opened(path: Path) -> Log:
    """Our log in that file, for appending."""
    store = SqliteStore(path)
    try:
        return Log(store, ORIGIN, key=KEY)
    except BaseException:
        store.close()
        raise


def must_continue(log: Log, shown: dict[int, bytes]) -> None:
    """Everything that was ever shown is part of what is there, and what is there is whole."""
    assert log.size >= max(shown, default=0)
    for size, root in shown.items():
        assert log.root_at(size) == root, f"the checkpoint of {size} entries is contradicted"
    leaves = list(log.leaves())
    assert tree(leaves) == log.root
    found = log.examine()
    assert found.sound, found.text
