"""Cosignatures: those that others made, and each way in which one does not hold."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from keepclear.errors import InputError, IntegrityError, PeerError
from keepclear.record.checkpoints import Checkpoint, sign_checkpoint
from keepclear.record.cosignatures import cosign, cosignatures, cosigned_at
from keepclear.record.keys import SignatureKind, SigningKey, VerifierKey, cosignature_message
from keepclear.record.notes import Note, Signature, verified

VECTORS = json.loads((Path(__file__).parents[2] / "vectors/record/cosignatures.json").read_text(encoding="utf-8"))
LOG = SigningKey.of_seed("a/north/log", SignatureKind.ED25519, bytes(32))
MIRROR = SigningKey.of_seed("b/north/mirror", SignatureKind.COSIGNATURE, bytes([1]) * 32)
WITNESS = SigningKey.of_seed("witness.example/w1", SignatureKind.COSIGNATURE, bytes([2]) * 32)
CHECKPOINT = Checkpoint("a/north/log", 5, bytes(range(32)))
NOTE = Note.of_bytes(sign_checkpoint(CHECKPOINT, LOG))


def with_lines(*lines: Signature) -> Note:
    return Note(NOTE.text, (*NOTE.signatures, *lines))


@pytest.mark.parametrize("vector", VECTORS["signed"])
def test_cosignatures_that_others_made_hold_and_are_made_the_same(vector):
    key = VerifierKey.of_text(vector["vkey"])
    signature = Signature.of_line(vector["line"][:-1])
    assert cosigned_at(vector["text"], signature, key) == vector["time_s"]
    signer = SigningKey.of_seed(key.name, SignatureKind.COSIGNATURE, bytes.fromhex(vector["seed"]))
    assert signer.verifier == key
    assert cosign(vector["text"], signer, time_s=vector["time_s"]).line == vector["line"]
    assert verified(Note(vector["text"], (signature,)), [key]) == (key,)


@pytest.mark.parametrize("vector", VECTORS["messages"])
def test_the_published_message_is_what_is_signed(vector):
    message = cosignature_message(vector["text"].encode(), time_s=vector["time_s"])
    assert message == vector["message"].encode()


@pytest.mark.parametrize("vector", VECTORS["unverifiable"])
def test_the_published_example_is_read(vector):
    note = Note.of_bytes(vector["note"].encode())
    line = note.signatures[1]
    assert line.name == vector["name"]
    assert len(line.value) == 72
    assert int.from_bytes(line.value[:8], "big") == vector["time_s"]
    assert cosignatures(note, [MIRROR.verifier]) == ()


@pytest.mark.parametrize("time_s", [0, 1, 1_700_000_000, 2**32, 2**63 - 1])
def test_a_cosignature_says_when(time_s):
    line = cosign(CHECKPOINT.text, MIRROR, time_s=time_s)
    assert cosigned_at(CHECKPOINT.text, line, MIRROR.verifier) == time_s


def test_each_byte_of_a_cosignature_counts():
    line = cosign(CHECKPOINT.text, MIRROR, time_s=1_700_000_000)
    for place in range(72):
        damaged = bytearray(line.value)
        damaged[place] ^= 1
        with pytest.raises(IntegrityError):
            cosigned_at(CHECKPOINT.text, Signature(line.name, line.key_id, bytes(damaged)), MIRROR.verifier)


def test_extension_lines_are_cosigned_too():
    extended = Checkpoint("a/north/log", 5, bytes(range(32)), ("one",))
    line = cosign(extended.text, MIRROR, time_s=1)
    assert cosigned_at(extended.text, line, MIRROR.verifier) == 1
    with pytest.raises(IntegrityError, match="does not hold"):
        cosigned_at(CHECKPOINT.text, line, MIRROR.verifier)


def test_a_cosignature_of_another_key_or_kind_is_refused():
    line = cosign(CHECKPOINT.text, MIRROR, time_s=1)
    with pytest.raises(IntegrityError, match="is not a cosignature by the key"):
        cosigned_at(CHECKPOINT.text, line, WITNESS.verifier)
    with pytest.raises(IntegrityError, match="is not a cosignature by the key"):
        cosigned_at(CHECKPOINT.text, NOTE.signatures[0], LOG.verifier)
    borrowed = Signature(WITNESS.verifier.name, WITNESS.verifier.key_id, line.value)
    with pytest.raises(IntegrityError, match="does not hold"):
        cosigned_at(CHECKPOINT.text, borrowed, WITNESS.verifier)


def test_only_checkpoints_are_cosigned_and_only_by_cosigners():
    with pytest.raises(PeerError):
        cosign("anything else\n", MIRROR, time_s=1)
    with pytest.raises(InputError, match="not a cosigner's key"):
        cosign(CHECKPOINT.text, LOG, time_s=1)


def test_the_cosignatures_of_a_checkpoint_are_those_of_known_cosigners():
    first, second = cosign(NOTE.text, MIRROR, time_s=10), cosign(NOTE.text, MIRROR, time_s=20)
    stranger = cosign(NOTE.text, WITNESS, time_s=15)
    # tlog-cosignature: an ML-DSA-44 signature is a time and 2,420 bytes, and its key id is of a key of type 6.
    ml_dsa = Signature(MIRROR.verifier.name, b"\x01\x02\x03\x04", bytes(2428))
    note = with_lines(first, stranger, ml_dsa, second)
    found = cosignatures(Note.of_bytes(note.to_bytes()), [MIRROR.verifier, LOG.verifier])
    assert [(one.key, one.time_s, one.signature) for one in found] == [
        (MIRROR.verifier, 10, first),
        (MIRROR.verifier, 20, second),
    ]
    assert cosignatures(note, []) == ()
    assert cosignatures(NOTE, [MIRROR.verifier]) == ()


def test_a_cosignature_by_a_known_key_that_does_not_hold_is_not_passed_over():
    good, bad = cosign(NOTE.text, MIRROR, time_s=10), cosign(CHECKPOINT.text + "x\n", WITNESS, time_s=10)
    with pytest.raises(IntegrityError, match=r"witness\.example/w1"):
        cosignatures(with_lines(good, bad), [MIRROR.verifier, WITNESS.verifier])


def test_a_note_that_is_no_checkpoint_has_no_cosignatures():
    with pytest.raises(PeerError):
        cosignatures(Note("text\n", NOTE.signatures), [MIRROR.verifier])
