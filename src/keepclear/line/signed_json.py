"""Signed texts between nodes: a signed note of a head line and one line of canonical JSON.

The head says what it is and in which version, so a text signed as one thing cannot be taken for another, and the
transport key, which signs them, signs nothing else that begins with ``keepclear`` (HTTP message signatures begin with
a quotation mark). That it is a note makes it a text that a person can look at and that survives being mailed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn

from keepclear.errors import InputError, PeerError
from keepclear.record.canonical import MOST_INTEGER, JsonValue, canonical, parse_canonical
from keepclear.record.keys import SigningKey, VerifierKey
from keepclear.record.names import is_name
from keepclear.record.notes import MOST_NOTE_BYTES, Note, signed, verified
from keepclear.record.scalars import base64_bytes
from keepclear.times import parse_time, to_text

__all__ = ["Members", "sign_json", "signed_members", "verify_signed"]


def sign_json(head: str, members: Mapping[str, object], key: SigningKey) -> bytes:
    """The note of a head and members.

    Raises
    ------
    InputError
        If a member cannot be written as JSON, or the text is longer than a note.
    """
    return signed(f"{head}\n{canonical(members).decode()}\n", key).to_bytes()


def signed_members(data: bytes, head: str, *, limit: int = MOST_NOTE_BYTES) -> tuple[Members, Note]:
    """The members of a note with this head. Nothing is verified yet: that is for `verify_signed`.

    Raises
    ------
    PeerError
        If it is longer than `limit` bytes, no note, has another head or more lines, or no canonical JSON object.
    """
    what = head.rpartition(" ")[0].removeprefix("keepclear ")
    if len(data) > limit:
        raise PeerError(f"not a {what}: {len(data)} bytes, more than the {limit} that one can have")
    note = Note.of_bytes(data)
    first, _, rest = note.text.partition("\n")
    if first != head:
        newer = first.startswith(head.rpartition(" ")[0] + " v") and first[-1:].isdecimal()
        raise PeerError(f"not a {what} that can be read: " + ("its version is newer" if newer else "another head"))
    if rest.count("\n") != 1:
        raise PeerError(f"not a {what}: one line of JSON follows the head")
    value = parse_canonical(rest[:-1].encode(), limit=limit)
    if not isinstance(value, dict):
        raise PeerError(f"not a {what}: not a JSON object")
    return Members(what, value), note


def verify_signed(note: Note, key: VerifierKey) -> None:
    """Verify that `key` signed a note.

    Raises
    ------
    IntegrityError
        If it did not.
    """
    verified(note, [key])


class Members:
    """The members of such a text as they are taken out, each once; `rest` is what nobody asked for.

    Every method raises `PeerError`, which names the member, if it is missing or not what it must be.
    """

    def __init__(self, what: str, members: dict[str, JsonValue]) -> None:
        self._what, self._all, self._left = what, members, dict(members)

    def all_but(self, name: str) -> dict[str, JsonValue]:
        """All members as they came but one, whether taken out or not."""
        return {key: value for key, value in self._all.items() if key != name}

    @property
    def rest(self) -> tuple[str, ...]:
        """Names of members that have not been taken out."""
        return tuple(sorted(self._left))

    def none_left(self) -> None:
        """Refuse members that nobody asked for."""
        if self._left:
            self.refuse(self.rest[0][:60].encode("ascii", "backslashreplace").decode(), "there is no such member")

    def has(self, name: str) -> bool:
        """Whether there is such a member."""
        return name in self._left

    def value(self, name: str) -> JsonValue:
        """Any value."""
        if name not in self._left:
            self.refuse(name, "missing")
        return self._left.pop(name)

    def text(self, name: str, *, most: int = 1000) -> str:
        """A text that is not empty."""
        value = self.value(name)
        if not isinstance(value, str) or not 0 < len(value) <= most:
            self.refuse(name, f"a text of 1 to {most} characters")
        return value

    def name(self, name: str) -> str:
        """The name of a party or line."""
        value = self.value(name)
        if not isinstance(value, str) or not is_name(value):
            self.refuse(name, "a name in the record")
        return value

    def whole(self, name: str, *, least: int = 0, most: int = MOST_INTEGER) -> int:
        """A whole number."""
        value = self.value(name)
        if type(value) is not int or not least <= value <= most:
            self.refuse(name, f"a whole number from {least} to {most}")
        return value

    def time(self, name: str) -> float:
        """A time as `keepclear.times.to_text` writes it, in seconds since the epoch."""
        value = self.value(name)
        try:
            time_s = parse_time(value) if isinstance(value, str) else None
            right = time_s is not None and to_text(time_s) == value
        except InputError:
            time_s, right = None, False
        if time_s is None or not right:
            self.refuse(name, "a time as 2026-01-31T09:00:00.000Z")
        return time_s

    def octets(self, name: str, *, size: int) -> bytes:
        """Base64 of so many bytes."""
        value = self.value(name)
        data = base64_bytes(value) if isinstance(value, str) else None
        if data is None or len(data) != size:
            self.refuse(name, f"base64 of {size} bytes")
        return data

    def inside(self, name: str) -> Members:
        """The members of an object."""
        value = self.value(name)
        if not isinstance(value, dict):
            self.refuse(name, "an object")
        return Members(f"{self._what}: {name}", value)

    def items(self, name: str, *, most: int) -> list[JsonValue]:
        """A list."""
        value = self.value(name)
        if not isinstance(value, list) or len(value) > most:
            self.refuse(name, f"a list of at most {most}")
        return value

    def refuse(self, name: str, right: str) -> NoReturn:
        """Say that a member is not what it must be."""
        raise PeerError(f"not a {self._what}: {name}: {right}")
