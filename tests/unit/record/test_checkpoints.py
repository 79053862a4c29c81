"""Checkpoints: the published ones, and each way in which a text is none."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from keepclear.errors import InputError, IntegrityError, PeerError
from keepclear.record.checkpoints import Checkpoint, open_checkpoint, sign_checkpoint
from keepclear.record.keys import SignatureKind, SigningKey, VerifierKey
from keepclear.record.notes import Note, signed, verified
from keepclear.record.scalars import base64_text

VECTORS = json.loads((Path(__file__).parents[2] / "vectors/record/checkpoints.json").read_text(encoding="utf-8"))
ROOT = bytes(range(32))
KEY = SigningKey.of_seed("a/north/log", SignatureKind.ED25519, bytes(32))
OTHER = SigningKey.of_seed("b/north/log", SignatureKind.ED25519, bytes([1]) * 32)


@pytest.mark.parametrize("vector", VECTORS["signed"], ids=lambda vector: str(vector["size"]))
def test_published_checkpoints_are_opened(vector):
    data = vector["note"].encode()
    checkpoint, note = open_checkpoint(data, VerifierKey.of_text(vector["vkey"]))
    assert (checkpoint.origin, checkpoint.size) == (vector["origin"], vector["size"])
    assert base64_text(checkpoint.root) == vector["root"]
    assert checkpoint.text == note.text
    assert note.to_bytes() == data


@pytest.mark.parametrize("vector", VECTORS["badly_signed"])
def test_published_checkpoints_with_bad_signatures_are_refused(vector):
    with pytest.raises(IntegrityError, match="does not hold"):
        open_checkpoint(vector["note"].encode(), VerifierKey.of_text(vector["vkey"]))


@pytest.mark.parametrize("vector", VECTORS["unverifiable"])
def test_published_checkpoints_of_unknown_keys_are_read_and_not_trusted(vector):
    checkpoint = Checkpoint.of_text(Note.of_bytes(vector["note"].encode()).text)
    assert (checkpoint.origin, checkpoint.size) == (vector["origin"], vector["size"])
    assert base64_text(checkpoint.root) == vector["root"]
    with pytest.raises(IntegrityError):
        open_checkpoint(vector["note"].encode(), KEY.verifier)


@pytest.mark.parametrize("size", [1, 9, 10, 2**53 + 1, 2**63 - 1])
@pytest.mark.parametrize("extensions", [(), ("x",), ("— not a signature", " ", "\u0085")])
def test_checkpoints_come_back_as_they_were(size, extensions):
    checkpoint = Checkpoint("a/north/log", size, ROOT, extensions)
    assert Checkpoint.of_text(checkpoint.text) == checkpoint
    opened, note = open_checkpoint(sign_checkpoint(checkpoint, KEY), KEY.verifier)
    assert opened == checkpoint
    assert verified(note, [KEY.verifier]) == (KEY.verifier,)


def test_an_empty_log_has_the_root_of_nothing():
    empty = Checkpoint("a/north/log", 0, hashlib.sha256(b"").digest())
    assert empty.text.split("\n")[1] == "0"
    assert Checkpoint.of_text(empty.text) == empty
    with pytest.raises(InputError, match="empty log"):
        Checkpoint("a/north/log", 0, ROOT)
    with pytest.raises(PeerError, match="empty log"):
        Checkpoint.of_text(f"a\n0\n{base64_text(ROOT)}\n")


B64 = base64_text(ROOT)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "newline"),
        ("\n", "three lines"),
        ("a\n", "three lines"),
        ("a\n1\n", "three lines"),
        (f"a\n1\n{B64}", "newline"),
        (f"\n1\n{B64}\n", "none of them empty"),
        (f"a\n\n{B64}\n", "none of them empty"),
        (f"a\n1\n{B64}\n\n", "none of them empty"),
        (f"a\n1\n{B64}\n\nx\n", "none of them empty"),
        (f"a\n01\n{B64}\n", "size"),
        (f"a\n00\n{B64}\n", "size"),
        (f"a\n+1\n{B64}\n", "size"),
        (f"a\n-1\n{B64}\n", "size"),
        (f"a\n 1\n{B64}\n", "size"),
        (f"a\n1 \n{B64}\n", "size"),
        (f"a\n1.0\n{B64}\n", "size"),
        (f"a\n1_0\n{B64}\n", "size"),
        (f"a\n0x1\n{B64}\n", "size"),
        (f"a\n١\n{B64}\n", "size"),
        (f"a\n{2**63}\n{B64}\n", "size"),
        (f"a\n{10**30}\n{B64}\n", "size"),
        (f"a\n1\n{base64_text(ROOT[:31])}\n", "32 bytes"),
        (f"a\n1\n{base64_text(ROOT + b'x')}\n", "32 bytes"),
        (f"a\n1\n{B64[:-1]}\n", "32 bytes"),
        (f"a\n1\n{B64} \n", "32 bytes"),
        (f"a\n1\n{B64[:-2]}9=\n", "32 bytes"),  # the same bytes in a base64 with bits left over
        (f"a\n1\n{ROOT.hex()}\n", "32 bytes"),
    ],
)
def test_what_is_not_a_checkpoint_is_refused(text, said):
    with pytest.raises(PeerError, match=said):
        Checkpoint.of_text(text)


@pytest.mark.parametrize(
    ("origin", "size", "root", "extensions"),
    [
        ("", 1, ROOT, ()),
        ("a\nb", 1, ROOT, ()),
        ("a", -1, ROOT, ()),
        ("a", 2**63, ROOT, ()),
        ("a", 1, ROOT[:31], ()),
        ("a", 1, ROOT, ("",)),
        ("a", 1, ROOT, ("x\ny",)),
    ],
)
def test_checkpoints_that_cannot_be_are_not_made(origin, size, root, extensions):
    with pytest.raises(InputError):
        Checkpoint(origin, size, root, extensions)


def test_a_log_signs_only_for_itself():
    with pytest.raises(InputError, match="does not sign for the log"):
        sign_checkpoint(Checkpoint("a/north/log", 1, ROOT), OTHER)
    foreign = signed(Checkpoint("a/north/log", 1, ROOT).text, OTHER).to_bytes()
    with pytest.raises(IntegrityError, match="says it is of another log"):
        open_checkpoint(foreign, OTHER.verifier)


def test_a_signed_text_that_is_no_checkpoint_is_refused():
    with pytest.raises(PeerError):
        open_checkpoint(signed("a/north/log\n", KEY).to_bytes(), KEY.verifier)
    with pytest.raises(PeerError):
        open_checkpoint(b"", KEY.verifier)
