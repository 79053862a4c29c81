"""Passwords: which ones are good enough, and their hashes.

Argon2id with the second parameter set of RFC 9106 (64 MiB, three passes). Length is what makes a password strong; rules
about digits and signs only make it hard to remember. What people would guess first is refused: the user's name, the
party's, a few characters over and over.

Hashing takes memory, so that two are done at a time, and who comes while many wait is asked to come again.
"""

from __future__ import annotations

import threading
import unicodedata
from base64 import b64encode
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from secrets import token_bytes

from argon2 import Parameters, PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from keepclear.errors import Fault, InputError
from keepclear.node.refusals import TooManyTriesError

__all__ = ["LONGEST", "SHORTEST", "Passwords", "check_password"]

SHORTEST = 12
"""Characters of the shortest password."""
LONGEST = 256
"""Characters of the longest: far above what anybody types."""

_FEWEST_DIFFERENT = 5
_AT_ONCE = 2
_MOST_WAITING = 20
_RIGHT = f"{SHORTEST} to {LONGEST} characters; several words that do not belong together are good"


class Passwords:
    """Makes and compares hashes of passwords.

    Parameters
    ----------
    cost
        What a hash costs; hashes made at another cost are made anew when their owner signs in.
    """

    def __init__(self, cost: Parameters = RFC_9106_LOW_MEMORY) -> None:
        self._hasher = PasswordHasher.from_parameters(cost)
        self._room = threading.BoundedSemaphore(_AT_ONCE)
        self._waiting = threading.BoundedSemaphore(_MOST_WAITING)
        # What is compared with where there is no such user: that must take as long as a wrong password does.
        # To compare takes what the parameters say, whatever the hash is: random octets are one of no password.
        self._nobodys = _hash_of_nothing(cost)

    def hashed(self, password: str) -> str:
        """The hash of a password, with its salt and parameters."""
        with self._turn():
            return self._hasher.hash(_normal(password))

    def match(self, kept: str, password: str) -> bool:
        """Whether this is the password of that hash; of no hash never, and that takes as long."""
        with self._turn():
            try:
                self._hasher.verify(kept or self._nobodys, _normal(password))
            except (VerificationError, InvalidHashError):
                return False
            return bool(kept)

    def is_outdated(self, kept: str) -> bool:
        """Whether the hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(kept)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._waiting.acquire(blocking=False):
            raise TooManyTriesError("too many are signing in at once", retry_after_s=5)
        try:
            with self._room:
                yield
        finally:
            self._waiting.release()


def check_password(password: str, *, names: Iterable[str], field: str = "password") -> str:
    """`password`, if it is good enough for someone of these names.

    Raises
    ------
    InputError
        If it is not; the password itself is in no fault.
    """
    faults = list(_faults(_normal(password), names, field))
    if faults:
        raise InputError(faults)
    return password


def _faults(password: str, names: Iterable[str], field: str) -> Iterator[Fault]:
    if len(password) < SHORTEST:
        yield Fault(f"the password has fewer than {SHORTEST} characters", _RIGHT, field=field)
    if len(password) > LONGEST:
        yield Fault(f"the password has more than {LONGEST} characters", _RIGHT, field=field)
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in password):
        yield Fault("the password has a character that nobody can type", _RIGHT, field=field)
    if len(set(password.casefold())) < _FEWEST_DIFFERENT:
        yield Fault("the password is a few characters over and over", _RIGHT, field=field)
    plain = "".join(filter(str.isalnum, password.casefold()))
    for name in dict.fromkeys(names):
        word = "".join(filter(str.isalnum, name.casefold()))
        # With the name taken out, what is left must be a password still: "anna anna anna" and "1anna2anna3" are none.
        if len(word) >= 3 and word in plain and len(plain.replace(word, "")) < SHORTEST:
            yield Fault("the password is hardly more than a name", f"leave {name!r} out of it", field=field)


def _normal(password: str) -> str:
    # The same keys pressed on two machines give the same password (RFC 8265).
    return unicodedata.normalize("NFC", password)


def _hash_of_nothing(cost: Parameters) -> str:
    salt, octets = (b64encode(token_bytes(size)).decode().rstrip("=") for size in (cost.salt_len, cost.hash_len))
    spent = f"m={cost.memory_cost},t={cost.time_cost},p={cost.parallelism}"
    return f"$argon2{cost.type.name.lower()}$v={cost.version}${spent}${salt}${octets}"
