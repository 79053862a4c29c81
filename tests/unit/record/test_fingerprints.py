"""Fingerprints: the same words for the same key, and what is said of others."""

from __future__ import annotations

import hashlib

import pytest
from mnemonic import Mnemonic

from keepclear.errors import InputError
from keepclear.record.fingerprints import check_words, words
from keepclear.record.keys import SignatureKind, SigningKey

KEY = SigningKey.of_seed("a/identity", SignatureKind.ED25519, bytes(32)).verifier
OTHER = SigningKey.of_seed("a/identity", SignatureKind.ED25519, bytes([1]) * 32).verifier
WORDS = words(KEY)


def test_the_words_are_the_first_half_of_the_hash_of_the_vkey():
    # BIP-39: 11 bits a word, the last four of all a checksum.
    assert len(WORDS) == 12
    listed = Mnemonic("english").wordlist
    bits = "".join(f"{listed.index(word):011b}" for word in WORDS)
    digest = hashlib.sha256(KEY.text.encode()).digest()[:16]
    assert int(bits[:128], 2).to_bytes(16, "big") == digest
    assert bits[128:] == f"{hashlib.sha256(digest).digest()[0]:08b}"[:4]


def test_another_name_or_kind_has_other_words():
    renamed = SigningKey.of_seed("b/identity", SignatureKind.ED25519, bytes(32)).verifier
    cosigning = SigningKey.of_seed("a/identity", SignatureKind.COSIGNATURE, bytes(32)).verifier
    assert len({words(one) for one in (KEY, OTHER, renamed, cosigning)}) == 4


@pytest.mark.parametrize(
    "text",
    [
        " ".join(WORDS),
        "\n".join(WORDS) + "\n",
        " , ".join(word.upper() for word in WORDS) + ".",
        "\t".join(f"{n}. {word.title()}" for n, word in enumerate(WORDS, 1)),
        "-".join(WORDS),
    ],
)
def test_how_the_words_are_written_down_does_not_matter(text):
    check_words(text, KEY)


def said(text) -> str:
    with pytest.raises(InputError) as refused:
        check_words(text, KEY)
    return str(refused.value)


def test_the_words_of_another_key_are_named_as_such():
    first = next(n for n in range(12) if words(OTHER)[n] != WORDS[n])
    answer = said(" ".join(words(OTHER)))
    assert answer.startswith(f"word {first + 1} differs; the checksum of the words holds")
    assert "another key" in answer
    assert repr(words(OTHER)[first]) in answer


def test_a_misheard_word_is_named_and_the_checksum_does_not_hold():
    listed = Mnemonic("english")
    wrong = next(
        heard
        for word in listed.wordlist
        if word != WORDS[6] and not listed.check(" ".join(heard := (*WORDS[:6], word, *WORDS[7:])))
    )
    assert said(" ".join(wrong)).startswith("word 7 differs; the checksum of the words does not hold")


def test_a_word_that_no_fingerprint_has_is_named():
    assert said(" ".join((*WORDS[:3], "keepclear", *WORDS[4:]))).startswith("word 4 differs; word 4 is on no list")


@pytest.mark.parametrize("count", [0, 1, 11, 13])
def test_too_few_or_too_many_words_are_counted(count):
    assert f"there are {count}" in said(" ".join((WORDS * 2)[:count]))


def test_a_long_text_is_not_searched_to_its_end():
    assert "there are 5000" in said("a " * 10_000_000)
