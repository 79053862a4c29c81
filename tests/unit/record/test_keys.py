"""Keys: the published vectors, vkeys that are refused, and secret bytes that never show."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from keepclear.errors import InputError, PeerError
from keepclear.record.keys import SignatureKind, SigningKey, VerifierKey, cosignature_message, key_id_of, vkey_parts
from keepclear.record.scalars import base64_text

VECTORS = json.loads((Path(__file__).parents[2] / "vectors/record/notes.json").read_text(encoding="utf-8"))
SEED = bytes(range(32))
KEY = SigningKey.of_seed("a/north/log", SignatureKind.ED25519, SEED)
MIRROR = SigningKey.of_seed("a/north/mirror", SignatureKind.COSIGNATURE, SEED)

PRIME = 2**255 - 19
D = -121665 * pow(121666, -1, PRIME) % PRIME


def times_eight(point):
    for _ in range(3):
        (x1, y1), (x2, y2) = point, point
        product = D * x1 * x2 * y1 * y2
        point = (
            (x1 * y2 + x2 * y1) * pow(1 + product, -1, PRIME) % PRIME,
            (y1 * y2 + x1 * x2) * pow(1 - product, -1, PRIME) % PRIME,
        )
    return point


def square_root(square):
    """Root modulo the prime, or None (RFC 8032 section 5.1.3, step 3)."""
    root = pow(square, (PRIME + 3) // 8, PRIME)
    if root * root % PRIME != square % PRIME:
        root = root * pow(2, (PRIME - 1) // 4, PRIME) % PRIME
    return root if root * root % PRIME == square % PRIME else None


def x_of(y):
    return square_root((y * y - 1) * pow(D * y * y + 1, -1, PRIME))


def small_order_points():
    """The eight points of the curve whose order divides 8: those of order 1 to 4, and those of order 8.

    A point of order 8 doubles to one with y = 0, so that x² = -y², and with the curve's equation t = y² solves
    d t² + 2 t - 1 = 0.
    """
    found = {(0, 1), (0, PRIME - 1), (x_of(0), 0), (PRIME - x_of(0), 0)}
    for sign in (1, -1):
        y = square_root((sign * square_root(1 + D) - 1) * pow(D, -1, PRIME))
        if y is not None:
            found |= {(x, one) for one in (y, PRIME - y) for x in (x_of(one), PRIME - x_of(one))}
    return found


def test_the_oracle_finds_all_eight_points_of_small_order():
    points = small_order_points()
    assert len(points) == 8
    for x, y in points:
        assert (y * y - x * x - 1 - D * x * x * y * y) % PRIME == 0
        assert times_eight((x, y)) == (0, 1)


@pytest.mark.parametrize("y", sorted({y for _, y in small_order_points()}))
@pytest.mark.parametrize("sign", [0, 1])
def test_a_public_key_of_small_order_is_refused(y, sign):
    with pytest.raises(InputError, match="anybody's signature"):
        VerifierKey("a", SignatureKind.ED25519, (y | sign << 255).to_bytes(32, "little"))


@pytest.mark.parametrize("y", range(PRIME, 2**255))
def test_a_public_key_in_another_than_its_one_encoding_is_refused(y):
    with pytest.raises(InputError, match="not encoded"):
        VerifierKey("a", SignatureKind.ED25519, y.to_bytes(32, "little"))


def test_under_bytes_that_are_no_point_no_signature_holds():
    y = next(y for y in range(2, 100) if x_of(y) is None)
    key = VerifierKey("a", SignatureKind.ED25519, y.to_bytes(32, "little"))
    assert not key.verify(b"", bytes(64))
    assert not key.verify(b"m", KEY.sign(b"m"))


@pytest.mark.parametrize("vector", VECTORS["ed25519"]["vectors"])
def test_the_vectors_of_rfc_8032(vector):
    key = SigningKey.of_seed("x", SignatureKind.ED25519, bytes.fromhex(vector["seed"]))
    message, signature = bytes.fromhex(vector["message"]), bytes.fromhex(vector["signature"])
    assert key.verifier.public.hex() == vector["public"]
    assert key.sign(message) == signature
    assert key.verifier.verify(message, signature)
    assert not key.verifier.verify(message + b"\n", signature)
    for place in range(64):
        damaged = bytearray(signature)
        damaged[place] ^= 1
        assert not key.verifier.verify(message, bytes(damaged))


def test_a_signature_whose_second_half_is_not_reduced_is_refused():
    order = 2**252 + 27742317777372353535851937790883648493
    signature = KEY.sign(b"m")
    again = (int.from_bytes(signature[32:], "little") + order).to_bytes(32, "little")
    assert not KEY.verifier.verify(b"m", signature[:32] + again)


@pytest.mark.parametrize("vkey", [*(one["vkey"] for one in VECTORS["signed"]), VECTORS["vkeys"]["ed25519"]])
def test_published_keys_are_read_and_written_again(vkey):
    key = VerifierKey.of_text(vkey)
    assert key.kind is SignatureKind.ED25519
    assert key.text == vkey


def test_a_published_cosigners_key_is_read_and_written_again():
    key = VerifierKey.of_text(VECTORS["vkeys"]["cosignature"])
    assert key.kind is SignatureKind.COSIGNATURE
    assert key.text == VECTORS["vkeys"]["cosignature"]


def test_an_ml_dsa_key_is_recognised_and_not_verified():
    text = VECTORS["vkeys"]["ml_dsa_44"]
    name, key_id, kind, public = vkey_parts(text)
    assert (name, kind, len(public)) == ("test", 6, 1312)
    assert key_id == key_id_of(name, kind, public)
    with pytest.raises(PeerError, match="of type 6, which keepclear does not verify"):
        VerifierKey.of_text(text)


@pytest.mark.parametrize("vkey", VECTORS["not_vkeys"]["vkeys"])
def test_what_others_refuse_is_refused(vkey):
    with pytest.raises(PeerError):
        VerifierKey.of_text(vkey)


GOOD = KEY.verifier.text
ID = KEY.verifier.key_id.hex()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "NAME\\+KEYID\\+KEY"),
        (GOOD.replace("a/north/log", "a/north/lo"), "the key id of 'a/north/lo' should be"),
        (GOOD.replace("a/north/log", ""), "not empty"),
        (GOOD.replace("a/north/log", "a b"), "no spaces"),
        (GOOD.replace("a/north/log", "a\u2003b"), "no spaces"),
        (GOOD.replace("a/north/log", "a\x00b"), "control"),
        (GOOD.replace(ID, ID[:-1]), "8 hexadecimal"),
        (GOOD.replace(ID, "٠" * 8), "8 hexadecimal"),
        (GOOD.replace(ID, f"+{ID[1:]}"), "8 hexadecimal"),
        (GOOD[:-1], "base64"),
        (GOOD + "\n", "base64"),
        (GOOD + "=", "base64"),
        (f"a+{ID}+", "base64"),
        (f"a+{ID}+AQ==", "base64"),
        (f"a+{key_id_of('a', 1, bytes(31)).hex()}+{base64_text(bytes([1]) + bytes(31))}", "32 bytes, not 31"),
        (f"a+{key_id_of('a', 1, bytes(32)).hex()}+{base64_text(bytes([1]) + bytes(32))}", "anybody's signature"),
        (f"a+{key_id_of('a', 2, SEED).hex()}+{base64_text(bytes([2]) + SEED)}", "of type 2"),
        ("é" * 1025 + f"+{ID}+AQAA", "not a vkey"),
    ],
)
def test_what_is_not_a_vkey_is_refused_with_the_reason(text, said):
    with pytest.raises(PeerError, match=said):
        VerifierKey.of_text(text)


def test_the_hexadecimal_digits_of_a_key_id_may_be_capitals():
    name, key_id, encoded = GOOD.split("+", 2)
    assert VerifierKey.of_text(f"{name}+{key_id.upper()}+{encoded}") == KEY.verifier


def test_kinds_do_not_verify_each_others_signatures():
    as_log = VerifierKey("a", SignatureKind.ED25519, MIRROR.verifier.public)
    cosigned = MIRROR.sign(b"text\n", time_s=7)
    assert MIRROR.verifier.verify(b"text\n", cosigned)
    assert not as_log.verify(b"text\n", cosigned)
    assert not as_log.verify(b"text\n", cosigned[8:])
    assert not MIRROR.verifier.verify(b"text\n", KEY.sign(b"text\n"))
    # The same bytes as a note of its own: the header parts the two kinds, unless a log signs such a text as a note.
    assert as_log.verify(cosignature_message(b"text\n", time_s=7), cosigned[8:])


@pytest.mark.parametrize("length", [0, 8, 63, 65, 71, 73])
def test_signatures_of_another_length_do_not_hold(length):
    assert not KEY.verifier.verify(b"", (KEY.sign(b"") + bytes(9))[:length])
    assert not MIRROR.verifier.verify(b"", (MIRROR.sign(b"", time_s=1) + bytes(9))[:length])


def test_a_time_past_what_the_specification_allows_does_not_hold():
    assert MIRROR.verifier.verify(b"", MIRROR.sign(b"", time_s=2**63 - 1))
    assert not MIRROR.verifier.verify(b"", (2**63).to_bytes(8, "big") + MIRROR.sign(b"", time_s=1)[8:])
    for time_s in (-1, 2**63):
        with pytest.raises(ValueError, match="2\\^63"):
            MIRROR.sign(b"", time_s=time_s)


def test_signing_with_the_wrong_kind_of_key_is_a_bug():
    with pytest.raises(ValueError, match="with a time"):
        KEY.sign(b"", time_s=1)
    with pytest.raises(ValueError, match="with a time"):
        MIRROR.sign(b"")


def test_secret_bytes_do_not_show():
    for shown in (repr(KEY), str(KEY), f"{KEY}", repr([KEY]), repr(vars(KEY))):
        assert SEED.hex() not in shown
        assert repr(SEED)[2:-1] not in shown
        assert base64_text(SEED) not in shown
    with pytest.raises(InputError) as refused:
        SigningKey.of_seed("a", SignatureKind.ED25519, SEED[:-1])
    assert SEED[:-1].hex() not in str(refused.value)
    assert repr(SEED[:-1])[2:-1] not in str(refused.value)


@pytest.mark.parametrize("name", ["", " ", "a b", "a+b", "a\nb", "a\u0085b", "a\u00a0b", "\ud800", "x" * 1025])
def test_names_that_no_note_can_carry_are_refused(name):
    with pytest.raises(InputError, match="not a name that a key can have"):
        SigningKey.of_seed(name, SignatureKind.ED25519, SEED)
