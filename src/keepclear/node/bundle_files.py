"""The file in which a line is carried by hand: sections, each with its kind and length (``docs/spec/nodes.md``).

Everything in a section proves itself: checkpoints and notes are signed, leaves lead to a checkpoint's root, bodies have
the hash in their leaf. The signed head says whose bundle it is and for whom, and the signed end that nothing of it is
missing. What came before the place where a file is cut off is of use all the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import IO

from keepclear.errors import Fault, InputError, KeepclearError, PeerError
from keepclear.line.signed_json import sign_json, signed_members, verify_signed
from keepclear.record.keys import SigningKey, VerifierKey
from keepclear.record.notes import Note
from keepclear.record.scalars import base64_text
from keepclear.times import to_text

__all__ = ["BundleHead", "BundleReader", "BundleWriter", "Section"]

_MAGIC = b"keepclear bundle v1\n"
_HEAD, _END = "keepclear bundle head v1", "keepclear bundle end v1"
_MOST_SECTION = 32 * 2**20
_MOST_NOTE = 64 * 1024
_AT_ONCE = 2**20


class Section(IntEnum):
    """What is in a section."""

    HEAD = 1  # whose bundle, for whom
    CARDS = 2  # who is on the line
    LOG = 3  # a checkpoint with its cosignatures, and from which entry on leaves follow
    LEAVES = 4  # of that log
    BODIES = 5  # of that log, as an add-bodies request
    FLASH = 6  # beside the log
    END = 7


@dataclass(frozen=True, slots=True)
class BundleHead:
    """Whose bundle it is.

    Attributes
    ----------
    party, line, to
        Who made it, on which line, for whom.
    made_s
        When, by its maker's clock.
    """

    party: str
    line: str
    to: str
    made_s: float


class BundleWriter:
    """Writes a bundle to an open file, from the head to the end."""

    def __init__(self, file: IO[bytes], head: BundleHead, key: SigningKey) -> None:
        self._file, self._key = file, key
        self._made = hashlib.sha256()
        self._count = 0
        self._write(_MAGIC)
        members = {"party": head.party, "line": head.line, "to": head.to, "made": to_text(head.made_s)}
        self.add(Section.HEAD, sign_json(_HEAD, members, key))

    def add(self, kind: Section, data: bytes) -> None:
        """Write a section."""
        assert len(data) <= _MOST_SECTION
        self._write(bytes([kind]) + len(data).to_bytes(4, "big") + data)
        self._count += 1

    def end(self) -> None:
        """Write the end."""
        members = {"sections": self._count, "sha256": base64_text(self._made.digest())}
        self.add(Section.END, sign_json(_END, members, self._key))

    def _write(self, data: bytes) -> None:
        self._made.update(data)
        self._file.write(data)


class BundleReader:
    """Reads a bundle.

    Parameters
    ----------
    file
        Open for reading, and seekable.
    keys
        The transport keys that a party has on a line now.

    Raises
    ------
    InputError
        If it is no bundle.
    PeerError
        If its head is of nobody whom we know, or not signed by it.
    """

    def __init__(self, file: IO[bytes], keys: Callable[[str, str], tuple[VerifierKey, ...]]) -> None:
        self._file, self._keys = file, keys
        if file.read(len(_MAGIC)) != _MAGIC:
            raise InputError(Fault("not a bundle of a line", "a file that keepclear line carry wrote"))
        first = self._section()
        if first is None or first[0] is not Section.HEAD:
            raise PeerError("the bundle does not begin with its head")
        self.head = self._read_head(first[1])

    def whole(self) -> str:
        """Read all of it once, and look at its end: why it is not whole, as a sentence; empty if it is."""
        self._file.seek(0)
        made = hashlib.sha256(self._file.read(len(_MAGIC)))
        count = 0
        while True:
            at = self._file.tell()
            try:
                found = self._section()
            except PeerError as error:
                return str(error)
            if found is None:
                return "the file is cut off: its end is missing; what came before that is used"
            kind, data = found
            if kind is Section.END:
                return self._checked_end(data, made.digest(), count)
            self._feed(made, at)
            count += 1

    def sections(self) -> Iterator[tuple[Section, bytes]]:
        """What is in it, in order, up to its end or where it is cut off; sections of no kind we know are left out."""
        self._file.seek(len(_MAGIC))
        while True:
            try:
                found = self._section()
            except PeerError:
                return
            if found is None or found[0] is Section.END:
                return
            kind, data = found
            if kind is not None and kind is not Section.HEAD:
                yield kind, data

    def _section(self) -> tuple[Section | None, bytes] | None:
        head = self._file.read(5)
        if len(head) < 5:
            return None
        length = int.from_bytes(head[1:], "big")
        if length > _MOST_SECTION:
            raise PeerError("the file is damaged: a section is longer than any can be; what came before it is used")
        data = self._file.read(length)
        if len(data) < length:
            return None
        return (Section(head[0]) if head[0] in Section.__members__.values() else None), data

    def _feed(self, made: hashlib._Hash, start: int) -> None:
        """Hash what has been read from `start` on."""
        end = self._file.tell()
        self._file.seek(start)
        while start < end:
            data = self._file.read(min(_AT_ONCE, end - start))
            made.update(data)
            start += len(data)

    def _checked_end(self, data: bytes, digest: bytes, count: int) -> str:
        try:
            members, note = signed_members(data, _END, limit=_MOST_NOTE)
            self._verify(note, self.head.party, self.head.line)
            said = (members.whole("sections"), members.octets("sha256", size=32))
        except KeepclearError as error:
            return f"the end of the file does not hold: {error}"
        if said != (count, digest):
            return "the file is damaged: it is not what was written; what proves itself is used"
        return ""

    def _read_head(self, data: bytes) -> BundleHead:
        members, note = signed_members(data, _HEAD, limit=_MOST_NOTE)
        head = BundleHead(members.name("party"), members.name("line"), members.name("to"), members.time("made"))
        self._verify(note, head.party, head.line)
        return head

    def _verify(self, note: Note, party: str, line: str) -> None:
        key = next((key for key in self._keys(line, party) if any(one.is_by(key) for one in note.signatures)), None)
        if key is None:
            raise PeerError(
                f"a bundle of {party} on {line} that no transport key of its signed, as far as is known here"
            )
        verify_signed(note, key)
