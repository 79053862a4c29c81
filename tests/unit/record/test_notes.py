"""Signed notes: the published ones, what the specification refuses, and which signatures count."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from keepclear.errors import InputError, IntegrityError, PeerError
from keepclear.record.keys import SignatureKind, SigningKey, VerifierKey
from keepclear.record.notes import (
    MOST_NOTE_BYTES,
    MOST_SIGNATURES,
    Note,
    Signature,
    signature_lines,
    signed,
    verified,
)
from keepclear.record.scalars import base64_text

FOLDER = Path(__file__).parents[2] / "vectors/record"
VECTORS = json.loads((FOLDER / "notes.json").read_text(encoding="utf-8"))
COSIGNATURES = json.loads((FOLDER / "cosignatures.json").read_text(encoding="utf-8"))


def key(name="a", *, seed=1, kind=SignatureKind.ED25519) -> SigningKey:
    return SigningKey.of_seed(name, kind, bytes([seed]) * 32)


ALPHA, BRAVO = key("alpha"), key("bravo", seed=2)
TEXT = "one\n\ntwo\n"


@pytest.mark.parametrize("vector", VECTORS["signed"], ids=lambda vector: vector["vkey"][:12])
def test_published_notes_are_verified(vector):
    data = vector["note"].encode()
    note = Note.of_bytes(data)
    trusted = VerifierKey.of_text(vector["vkey"])
    assert note.text == vector["text"]
    assert note.to_bytes() == data
    assert verified(note, [trusted]) == (trusted,)
    for place in range(len(vector["text"].encode()) - 1):
        damaged = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        with pytest.raises((IntegrityError, PeerError)):
            verified(Note.of_bytes(damaged), [trusted])


def test_the_published_signer_signs_the_published_note():
    vector = VECTORS["signed"][0]
    name = vector["vkey"].split("+")[0]
    signer = SigningKey.of_seed(name, SignatureKind.ED25519, bytes.fromhex(vector["seed"]))
    assert signer.verifier.text == vector["vkey"]
    assert signed(vector["text"], signer).to_bytes() == vector["note"].encode()


@pytest.mark.parametrize("vector", VECTORS["unverifiable"])
def test_published_notes_of_unknown_keys_are_read_and_not_trusted(vector):
    note = Note.of_bytes(vector["note"].encode())
    assert note.text == vector["text"]
    assert [one.name for one in note.signatures] == vector["names"]
    with pytest.raises(IntegrityError, match="not signed by any key"):
        verified(note, [ALPHA.verifier])


def lines_of(note: Note) -> str:
    return "".join(one.line for one in note.signatures)


SIGNED = signed(TEXT, ALPHA)
LINE = lines_of(SIGNED)
WIDE, UNBROKEN = "al\u2003pha", "al\u00a0pha"  # an em space, a no-break space


def test_the_last_empty_line_parts_text_and_signatures():
    inner = signed("inner\n", BRAVO).to_bytes().decode()
    outer = signed(inner, ALPHA)
    again = Note.of_bytes(outer.to_bytes())
    assert again == outer
    assert again.text == inner
    assert verified(again, [ALPHA.verifier, BRAVO.verifier]) == (ALPHA.verifier,)


@pytest.mark.parametrize("text", ["\n", "\n\n", "x\n\n\n", "\n— a AAAAAAA=\n", "— a AAAAAAA=\n", "é\x7f\u0085\u2028\n"])
def test_odd_texts_come_back_as_they_were(text):
    note = signed(text, ALPHA)
    assert Note.of_bytes(note.to_bytes()) == note
    assert note.text == text


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "an empty line"),
        (b"\n", "an empty line"),
        (b"\n\n", "lines"),
        (TEXT.encode(), "em dash"),
        (b"x\n" + LINE.encode(), "an empty line"),
        (f"x\n\n{LINE}"[:-1].encode(), "newline"),
        (f"x\n\n{LINE}\n".encode(), "lines"),
        (f"x\n\n{LINE}x".encode(), "newline"),
        (f"x\n\n{LINE}x\n".encode(), "em dash"),
        (f"x\r\n\n{LINE}".encode(), "control"),
        (f"x\x00\n\n{LINE}".encode(), "control"),
        (f"x\t\n\n{LINE}".encode(), "control"),
        (f"x\x1f\n\n{LINE}".encode(), "control"),
        (f"x\n\n{LINE}".replace("\n", "\r\n").encode(), "control"),
        (b"\xff\n\n" + LINE.encode(), "UTF-8"),
        (b"\xed\xa0\x80\n\n" + LINE.encode(), "UTF-8"),
        (b"\xc0\x80\n\n" + LINE.encode(), "UTF-8"),
        (f"x\n\n{LINE.replace('— ', '- ')}".encode(), "em dash"),
        (f"x\n\n{LINE.replace('— ', '—')}".encode(), "em dash"),
        (f"x\n\n{LINE.replace('— ', '—  ')}".encode(), "key name"),
        (f"x\n\n{LINE.replace('alpha', 'al+pha')}".encode(), "key name"),
        (f"x\n\n{LINE.replace('alpha', WIDE)}".encode(), "key name"),
        (f"x\n\n{LINE.replace('alpha', UNBROKEN)}".encode(), "key name"),
        (f"x\n\n{LINE.replace('alpha', 'al pha')}".encode(), "base64"),
        (f"x\n\n{LINE.replace('alpha ', 'alpha  ')}".encode(), "base64"),
        (f"x\n\n{LINE[:-1]} \n".encode(), "base64"),
        ("x\n\n— alpha\n".encode(), "key name"),
        ("x\n\n— alpha \n".encode(), "base64"),
        ("x\n\n— alpha AAAAAA==\n".encode(), "four bytes"),
        ("x\n\n— alpha AAAAAAB=\n".encode(), "base64"),
        ("x\n\n— alpha AAAAAAA\n".encode(), "base64"),
        ("x\n\n— alpha AAAAAAA_\n".encode(), "base64"),
        ("x\n\n— alpha AAAA\u0660AAA\n".encode(), "base64"),
    ],
)
def test_what_is_not_a_signed_note_is_refused(data, said):
    with pytest.raises(PeerError, match=said):
        Note.of_bytes(data)


def test_signatures_up_to_the_limit_are_read_and_more_are_not():
    many = [key(f"k{n}", seed=n + 1) for n in range(MOST_SIGNATURES)]
    note = signed(TEXT, *many)
    assert verified(Note.of_bytes(note.to_bytes()), [one.verifier for one in many]) == tuple(o.verifier for o in many)
    assert MOST_SIGNATURES >= 16
    with pytest.raises(PeerError, match="more than 64 signatures"):
        Note.of_bytes(note.to_bytes() + LINE.encode())
    with pytest.raises(InputError, match="1 to 64"):
        signed(TEXT, *many, ALPHA)


def test_a_note_of_nothing_but_signature_lines_or_of_too_many_bytes_is_refused():
    with pytest.raises(PeerError, match="signatures"):
        Note.of_bytes(b"x\n\n" + b"\xe2\x80\x94 \n" * 100_000)
    with pytest.raises(PeerError, match="1,000,000 bytes"):
        Note.of_bytes(b"x" * MOST_NOTE_BYTES + b"\n\n" + LINE.encode())


def test_signatures_of_unknown_keys_are_ignored_even_with_a_known_name_or_id():
    same_name = Signature("alpha", BRAVO.verifier.key_id, bytes(64))
    same_id = Signature("bravo", ALPHA.verifier.key_id, bytes(64))
    unknown = Signature("charlie", b"\x00\x00\x00\x00", b"\x00")
    note = Note(TEXT, (same_name, same_id, unknown, *SIGNED.signatures))
    assert verified(Note.of_bytes(note.to_bytes()), [ALPHA.verifier, BRAVO.verifier]) == (ALPHA.verifier,)


@pytest.mark.parametrize("bad_first", [False, True])
def test_one_bad_signature_of_a_known_key_refuses_the_whole_note(bad_first):
    bad = Signature("bravo", BRAVO.verifier.key_id, SIGNED.signatures[0].value)
    lines = (bad, *SIGNED.signatures) if bad_first else (*SIGNED.signatures, bad)
    with pytest.raises(IntegrityError, match=r"the signature of bravo .* does not hold"):
        verified(Note(TEXT, lines), [ALPHA.verifier, BRAVO.verifier])
    assert verified(Note(TEXT, lines), [ALPHA.verifier]) == (ALPHA.verifier,)


def test_a_bad_repetition_of_a_good_signature_refuses_the_note():
    good = SIGNED.signatures[0]
    bad = Signature(good.name, good.key_id, good.value[:-1] + bytes([good.value[-1] ^ 1]))
    with pytest.raises(IntegrityError):
        verified(Note(TEXT, (good, bad)), [ALPHA.verifier])
    assert verified(Note(TEXT, (good, good)), [ALPHA.verifier]) == (ALPHA.verifier,)


def test_with_no_trusted_key_nothing_is_verified():
    with pytest.raises(IntegrityError, match="not signed by any key"):
        verified(SIGNED, [])


def test_two_keys_that_no_signature_tells_apart_are_refused(monkeypatch):
    twin = VerifierKey("alpha", SignatureKind.ED25519, BRAVO.verifier.public)
    twin.__dict__["key_id"] = ALPHA.verifier.key_id  # a collision, which would take 2^32 keys to find
    with pytest.raises(InputError, match="the same key id"):
        verified(SIGNED, [ALPHA.verifier, twin])
    assert verified(SIGNED, [ALPHA.verifier, ALPHA.verifier]) == (ALPHA.verifier,)


def test_a_signature_of_one_text_does_not_hold_for_another():
    with pytest.raises(IntegrityError):
        verified(Note("another\n", SIGNED.signatures), [ALPHA.verifier])


@pytest.mark.parametrize("text", ["", "x", "x\r\n", "x\t\n", "\x00\n", "\ud800\n", "x" * MOST_NOTE_BYTES + "\n"])
def test_texts_that_no_note_can_have_are_not_signed(text):
    with pytest.raises(InputError, match="the text of a note"):
        signed(text, ALPHA)


def test_a_note_without_a_key_is_not_made():
    with pytest.raises(InputError, match="not 0"):
        signed(TEXT)


@pytest.mark.parametrize("vector", COSIGNATURES["witness_answers"])
def test_the_published_answer_of_a_witness_is_read(vector):
    lines = signature_lines(vector["lines"].encode())
    assert [one.name for one in lines] == vector["names"]
    assert "".join(one.line for one in lines) == vector["lines"]


@pytest.mark.parametrize(
    "data", [b"", b"\n", LINE.encode()[:-1], b"\n" + LINE.encode(), LINE.encode() + b"\n", b"\xff"]
)
def test_what_is_not_signature_lines_is_refused(data):
    with pytest.raises(PeerError):
        signature_lines(data)


def test_a_signature_says_whose_it_is():
    assert SIGNED.signatures[0].is_by(ALPHA.verifier)
    assert not SIGNED.signatures[0].is_by(BRAVO.verifier)
    assert not SIGNED.signatures[0].is_by(key("bravo").verifier)
    assert base64_text(SIGNED.signatures[0].key_id + SIGNED.signatures[0].value) in LINE
