"""Small logs made in the plainest way, published as files by path; keys and salts are made of their names.

Nothing here is secret, and nothing here uses the tiles or the tree of `keepclear.record`.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from keepclear.record.bodies.committed import OpeningBody
from keepclear.record.bodies.talk import MessageBody
from keepclear.record.checkpoints import Checkpoint, sign_checkpoint
from keepclear.record.commitments import commitment, opening
from keepclear.record.cosignatures import cosign
from keepclear.record.entries import Attachment, Entry, EntryRef
from keepclear.record.keys import SignatureKind, SigningKey
from keepclear.record.notes import Note
from keepclear.record.tlog_proofs import TlogProof
from tests.reference import merkle_tree as oracle

ORIGIN = "north/border/log"
SAID_S = 1_772_438_400.0  # 2026-03-02T08:00:00Z
HELD_S = 1_772_438_405
NOW_S = SAID_S + 86_400.0
FOREIGN_ENTRIES = tuple(b"entry %d" % number for number in range(700))


def log_key(name: str = ORIGIN) -> SigningKey:
    return SigningKey.of_seed(name, SignatureKind.ED25519, sha256(name.encode()).digest())


def mirror_key(name: str) -> SigningKey:
    return SigningKey.of_seed(name, SignatureKind.COSIGNATURE, sha256(name.encode()).digest())


def salt(number: int) -> bytes:
    return sha256(b"salt %d" % number).digest()


def said(number: int, *, exercise: bool = False, attachments: Sequence[bytes] = (), party: str = "north") -> Entry:
    files = [Attachment(salt(1000 + at), data) for at, data in enumerate(attachments)]
    return Entry.said(
        "message",
        1,
        line="border",
        party=party,
        time_s=SAID_S + number,
        recipients=["south", "un"],
        exercise=exercise,
        body=MessageBody(text=f"convoy {number} is late").to_bytes(),
        salt=salt(number),
        attachments=files,
    )


def committed(number: int) -> Entry:
    body = MessageBody(text="we go at nine")
    return commitment(body, line="border", party="north", time_s=SAID_S, exercise=False, salt=salt(number))


def opened(entry: Entry, index: int, *, origin: str = ORIGIN) -> Entry:
    body: OpeningBody = opening(entry, EntryRef(origin, index, entry.leaf.hash))
    return Entry.said(
        "opening",
        1,
        line="border",
        party="north",
        time_s=SAID_S + 100,
        recipients=["south"],
        exercise=False,
        body=body.to_bytes(),
        salt=salt(index + 500),
    )


def checkpoint(
    entries: Sequence[bytes], *, key: SigningKey | None = None, held_by: Sequence[tuple[SigningKey, int]] = ()
) -> bytes:
    key = key or log_key()
    head = Checkpoint(key.verifier.name, len(entries), oracle.mth(tuple(entries)))
    note = Note.of_bytes(sign_checkpoint(head, key))
    lines = tuple(cosign(note.text, one, time_s=time_s) for one, time_s in held_by)
    return Note(note.text, note.signatures + lines).to_bytes()


def proof(entries: Sequence[bytes], index: int, signed: bytes) -> TlogProof:
    return TlogProof(index, tuple(oracle.path(index, tuple(entries))), signed)


def published(entries: Sequence[bytes], signed: bytes | None = None) -> dict[str, bytes]:
    """All files of a log by path: checkpoint, tiles of every level, bundles."""
    files = {"checkpoint": signed or checkpoint(entries)}
    for at in range(0, len(entries), 256):
        part = entries[at : at + 256]
        files[f"tile/entries/{_place(at // 256, len(part))}"] = b"".join(
            len(entry).to_bytes(2, "big") + entry for entry in part
        )
    hashes, level = [sha256(b"\0" + entry).digest() for entry in entries], 0
    while hashes:
        above = []
        for at in range(0, len(hashes), 256):
            part = hashes[at : at + 256]
            files[f"tile/{level}/{_place(at // 256, len(part))}"] = b"".join(part)
            if len(part) == 256:
                above.append(_root(part))
        hashes, level = above, level + 1
    return files


def write(files: dict[str, bytes], folder: Path) -> Path:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def _place(number: int, width: int) -> str:
    digits = f"{number:06d}" if number > 999 else f"{number:03d}"
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    path = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
    return path if width == 256 else f"{path}.p/{width}"


def _root(hashes: Sequence[bytes]) -> bytes:
    if len(hashes) == 1:
        return hashes[0]
    half = len(hashes) // 2
    return sha256(b"\1" + _root(hashes[:half]) + _root(hashes[half:])).digest()
