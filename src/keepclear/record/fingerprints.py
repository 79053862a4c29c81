"""Fingerprints of keys that two people can read to each other over a telephone: twelve words.

The words are those of the English list of BIP-39 (2,048 words, told apart by their first four letters), taken from
PyPI's ``mnemonic``. They hold the first 128 bits of SHA-256 of the vkey, so name and kind are in them as well as the
key, and 4 bits of checksum, by which one misheard word is noticed in 15 of 16 cases even by the one who only writes
them down. They are no secret and nothing can be restored from them.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING

from keepclear.errors import Fault, InputError
from keepclear.record.keys import VerifierKey

if TYPE_CHECKING:
    from mnemonic import Mnemonic

__all__ = ["check_words", "words"]

_COUNT = 12
_MOST_CHARACTERS = 10_000
_WANTED = "ask for the words of the key again, from the person whose key it is"


def words(key: VerifierKey) -> tuple[str, ...]:
    """The twelve words of a key."""
    return tuple(_words_by_list().to_mnemonic(hashlib.sha256(key.text.encode()).digest()[:16]).split(" "))


def check_words(text: str, key: VerifierKey) -> None:
    """Check words that somebody read out against a key.

    Capitals, spaces, line ends, commas, full stops, hyphens and numbers before the words do not matter.

    Raises
    ------
    InputError
        If they are not the key's words. It names the first word that differs, and says whether the words are at least
        some key's: if so this is most likely another key; if not, a word was most likely misheard.
    """
    heard = re.findall(r"[^\W\d_]+", unicodedata.normalize("NFKC", text[:_MOST_CHARACTERS]).casefold())
    wanted = words(key)
    if tuple(heard) == wanted:
        return
    if len(heard) != _COUNT:
        raise InputError(Fault(f"a fingerprint has {_COUNT} words, and there are {len(heard)}", _WANTED))
    place = next(n for n in range(_COUNT) if heard[n] != wanted[n])
    raise InputError(Fault(f"word {place + 1} differs; {_meaning(heard)}", _WANTED, value=heard[place]))


def _meaning(heard: list[str]) -> str:
    known = _words_by_list()
    stranger = next((n for n, word in enumerate(heard, 1) if word not in known.wordlist), None)
    if stranger is not None:
        return f"word {stranger} is on no list of words for fingerprints, so it was misheard or mistyped"
    if known.check(" ".join(heard)):
        return "the checksum of the words holds, so they are most likely those of another key: do not trust this one"
    return "the checksum of the words does not hold, so at least one was misheard or mistyped"


@cache
def _words_by_list() -> Mnemonic:
    from mnemonic import Mnemonic

    return Mnemonic("english")
