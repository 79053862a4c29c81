"""Key files: what is sealed opens with its passphrase alone, and nothing in it can be changed unnoticed."""

from __future__ import annotations

from pathlib import Path

import pytest

from keepclear.errors import InputError
from keepclear.record.keys import SignatureKind, SigningKey
from keepclear.record.scalars import base64_text
from keepclear.record.sealing import NONCE_BYTES, SALT_BYTES, is_sealed, seal, sealed_verifier, unseal

SEED = bytes(range(100, 132))
KEY = SigningKey.of_seed("a/north/mirror", SignatureKind.COSIGNATURE, SEED)
SALT, NONCE = bytes(range(SALT_BYTES)), bytes(range(NONCE_BYTES))
PLAIN = seal(KEY, None)


@pytest.fixture(scope="module")
def sealed() -> bytes:
    return seal(KEY, "pass ﬁ Å", salt=SALT, nonce=NONCE)


def test_a_sealed_key_opens_with_its_passphrase_however_it_is_typed(sealed):
    assert is_sealed(sealed)
    assert sealed_verifier(sealed) == KEY.verifier
    for typed in ("pass ﬁ Å", "pass fi A\u030a"):
        opened = unseal(sealed, typed)
        assert opened.verifier == KEY.verifier
        assert opened.seed() == SEED


def test_a_plain_key_opens_without_one():
    assert not is_sealed(PLAIN)
    assert sealed_verifier(PLAIN) == KEY.verifier
    assert unseal(PLAIN, None).seed() == SEED
    with pytest.raises(InputError, match="not sealed"):
        unseal(PLAIN, "x")


def test_a_sealed_key_holds_nothing_of_the_secret(sealed):
    assert SEED not in sealed
    assert base64_text(SEED).encode() not in sealed
    assert SEED.hex().encode() not in sealed


def test_the_cost_and_the_cipher_are_written_in_it(sealed):
    lines = sealed.decode().split("\n")
    assert lines[0] == "keepclear sealed key v1"
    assert lines[2] == f"kdf scrypt n=131072 r=8 p=1 salt={base64_text(SALT)}"
    assert lines[3] == f"cipher chacha20-poly1305 nonce={base64_text(NONCE)}"


def test_a_wrong_passphrase_is_refused_without_a_hint(sealed):
    said = set()
    for wrong in ("Pass fi Å", "x", "pass fi Å "):
        with pytest.raises(InputError, match="the passphrase is wrong, or the file has been changed") as refused:
            unseal(sealed, wrong)
        said.add(str(refused.value))
        assert refused.value.__suppress_context__
    assert len(said) == 1
    with pytest.raises(InputError, match="give the passphrase"):
        unseal(sealed, None)


@pytest.mark.parametrize("line", [2, 3, 4])
def test_no_byte_of_a_sealed_key_can_be_changed(sealed, line):
    lines = sealed.decode().split("\n")
    encoded = lines[line][-8:]
    lines[line] = lines[line][:-8] + ("A" if encoded[0] != "A" else "B") + encoded[1:]
    with pytest.raises(InputError, match="the passphrase is wrong, or the file has been changed"):
        unseal("\n".join(lines).encode(), "pass ﬁ Å")


def test_the_public_key_cannot_be_changed(sealed):
    other = SigningKey.of_seed("b/north/mirror", SignatureKind.COSIGNATURE, SEED).verifier.text
    renamed = sealed.replace(KEY.verifier.text.encode(), other.encode())
    with pytest.raises(InputError, match="changed"):
        unseal(renamed, "pass ﬁ Å")
    foreign = SigningKey.of_seed("a/north/mirror", SignatureKind.COSIGNATURE, bytes(32)).verifier.text
    with pytest.raises(InputError, match="not that of the public key") as refused:
        unseal(PLAIN.replace(KEY.verifier.text.encode(), foreign.encode()), None)
    assert base64_text(SEED) not in str(refused.value)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b"keepclear key v1", b"keepclear key v2", "version that is not known"),
        (b"keepclear key v1", b"\xff", "not a key file"),
        (b"seed ", b"seeds ", "32 bytes in base64"),
        (b"seed ", b"seed  ", "32 bytes in base64"),
        (b"\nkey ", b"\nkeys ", "second line"),
        (b"\nkey a", b"\nkey +", "second line"),
        (base64_text(SEED).encode(), base64_text(SEED[1:]).encode(), "32 bytes in base64"),
        (base64_text(SEED).encode() + b"\n", base64_text(SEED).encode(), "3 lines"),
        (b"\nseed", b"\n\nseed", "3 lines"),
        (b"keepclear", b"x" * 20_000, "not a key file"),
    ],
)
def test_what_is_no_key_file_is_refused_without_showing_it(old, new, said):
    with pytest.raises(InputError, match=said) as refused:
        unseal(PLAIN.replace(old, new), None)
    assert base64_text(SEED)[:16] not in str(refused.value)


def test_a_file_cannot_ask_for_another_cost(sealed):
    for asked in (b"n=2 ", b"n=1073741824 "):
        with pytest.raises(InputError, match="kdf"):
            unseal(sealed.replace(b"n=131072 ", asked), "pass ﬁ Å")


@pytest.mark.parametrize("passphrase", ["", "\ud800", "x" * 10_001])
def test_passphrases_that_cannot_be_are_refused(passphrase):
    with pytest.raises(InputError, match="passphrase"):
        seal(KEY, passphrase, salt=SALT, nonce=NONCE)


@pytest.mark.parametrize(("salt", "nonce"), [(b"", NONCE), (SALT, b""), (SALT[1:], NONCE)])
def test_a_missing_salt_or_nonce_is_a_bug(salt, nonce):
    with pytest.raises(ValueError, match="salt"):
        seal(KEY, "x", salt=salt, nonce=nonce)


def test_the_example_of_the_specification_opens():
    text = (Path(__file__).parents[3] / "docs/spec/keys.md").read_text(encoding="utf-8")
    example = text.partition("An example")[2].split("```text\n")[1].split("```")[0]
    opened = unseal(example.encode(), "passphrase")
    assert opened.seed() == bytes(32)
    assert seal(opened, "passphrase", salt=bytes(range(16)), nonce=bytes(range(12))) == example.encode()
