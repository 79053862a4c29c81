"""The body of ``add-entries``: a header, then entries in packages that are proved one by one (C2SP tlog-mirror).

A request uploads the entries [start, end), or the first of them, cut into packages at multiples of 256. Each package
carries the proof that it belongs to the tree of `end` entries, so a mirror needs no more than one of them in memory,
and keeps what it has proved when the rest does not arrive.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from keepclear.errors import Fault, InputError, IntegrityError, PeerError
from keepclear.line.mirror_requests import MOST_PROOF_HASHES, MOST_TICKET_BYTES
from keepclear.record.merkle import HASH_BYTES, leaf_hash, must_be_hashes, root_of
from keepclear.record.merkle_proofs import verify_subtree_consistency
from keepclear.record.tiles import ENTRY_MOST_BYTES, TILE_WIDTH

__all__ = [
    "MOST_PACKAGES",
    "MOST_PACKAGE_BYTES",
    "EntriesHeader",
    "Package",
    "PackageReader",
    "format_package",
    "package_ranges",
    "prove_package",
]

MOST_PACKAGES = 32
"""How many packages a client should send in one request at most; a mirror takes more."""
MOST_PACKAGE_BYTES = TILE_WIDTH * (2 + ENTRY_MOST_BYTES) + 1 + MOST_PROOF_HASHES * HASH_BYTES
"""The longest package there can be."""

_UINT64 = 2**64


@dataclass(frozen=True, slots=True)
class EntriesHeader:
    """What an ``add-entries`` request begins with.

    Attributes
    ----------
    origin
        Which log, as bytes: what is no text is no log that anyone knows.
    start, end
        Which entries; `end` is the tree size of a checkpoint that the mirror has taken.
    ticket
        What the mirror gave with an earlier answer, or nothing.

    Raises
    ------
    InputError
        If one of them has no place in the header.
    """

    origin: bytes
    start: int
    end: int
    ticket: bytes = b""

    def __post_init__(self) -> None:
        if max(len(self.origin), len(self.ticket)) > MOST_TICKET_BYTES:
            raise InputError(Fault("an origin or a ticket is too long", f"at most {MOST_TICKET_BYTES} bytes"))
        if not (0 <= self.start < _UINT64 and 0 <= self.end < _UINT64):
            raise InputError(Fault("no numbers of entries", "from 0 to 2^64 - 1"))

    def to_bytes(self) -> bytes:
        """The header."""
        return b"".join(
            (
                len(self.origin).to_bytes(2, "big"),
                self.origin,
                self.start.to_bytes(8, "big"),
                self.end.to_bytes(8, "big"),
                len(self.ticket).to_bytes(2, "big"),
                self.ticket,
            )
        )


@dataclass(frozen=True, slots=True)
class Package:
    """Entries from `start` on, and the proof that the subtree from `start`, rounded down to 256, is in the tree."""

    start: int
    entries: tuple[bytes, ...]
    proof: tuple[bytes, ...]

    @property
    def end(self) -> int:
        """One more than the number of the last entry."""
        return self.start + len(self.entries)


def package_ranges(start: int, end: int) -> Iterator[tuple[int, int]]:
    """The entries of each package of the canonical sequence for [start, end)."""
    while start < end:
        until = min(end, (start // TILE_WIDTH + 1) * TILE_WIDTH)
        yield start, until
        start = until


def format_package(entries: Iterable[bytes], proof: Sequence[bytes]) -> bytes:
    """The bytes of a package.

    Raises
    ------
    InputError
        If an entry or the proof is too long.
    """
    parts = []
    for entry in entries:
        if len(entry) > ENTRY_MOST_BYTES:
            raise InputError(Fault("an entry is too long", f"at most {ENTRY_MOST_BYTES} bytes"))
        parts += [len(entry).to_bytes(2, "big"), entry]
    if len(proof) > MOST_PROOF_HASHES:
        raise InputError(Fault("a proof is too long", f"at most {MOST_PROOF_HASHES} hashes"))
    return b"".join((*parts, bytes([len(proof)]), *proof))


def prove_package(
    package: Package, *, size: int, root: bytes, leaf_hashes: Callable[[int, int], Sequence[bytes]]
) -> None:
    """Check that the entries of a package are those of the tree of `size` entries with this `root`.

    Parameters
    ----------
    leaf_hashes
        Gives the leaf hashes of entries [a, b) that are held: at most 255, those between the package and the multiple
        of 256 before it.

    Raises
    ------
    IntegrityError
        If that is not proved.
    """
    rounded = package.start - package.start % TILE_WIDTH
    before = list(leaf_hashes(rounded, package.start)) if rounded < package.start else []
    if len(before) != package.start - rounded:
        raise IntegrityError(f"entries {rounded} to {package.start} are not held, so the package cannot be proved")
    must_be_hashes(before)
    subtree = root_of((*before, *map(leaf_hash, package.entries)))
    verify_subtree_consistency(package.proof, start=rounded, end=package.end, subtree=subtree, size=size, root=root)


class PackageReader:
    """Takes the bytes of an ``add-entries`` request as they come, and gives what is whole.

    Call `feed`, then `header` until it gives one, then `packages`. No more is buffered than is fed at a time and one
    package besides. What follows the last package that the header asks for is dropped.
    """

    def __init__(self) -> None:
        self._data = bytearray()
        self._at = 0  # what is before has been taken
        self._header: EntriesHeader | None = None
        self._ranges: Iterator[tuple[int, int]] = iter(())
        self._range: tuple[int, int] | None = None
        self._entries: list[bytes] = []
        self._surplus = 0

    @property
    def whole(self) -> bool:
        """Whether the header and every package that it asks for have been given."""
        return self._header is not None and self._range is None

    @property
    def surplus(self) -> int:
        """How many bytes came after that."""
        return self._surplus

    def feed(self, data: bytes) -> None:
        """Take some bytes."""
        self._data += data

    def header(self) -> EntriesHeader | None:
        """The header, as soon as it is there."""
        if self._header is None:
            self._header = self._read_header()
            if self._header is not None:
                self._ranges = package_ranges(self._header.start, self._header.end)
                self._next_range()
        return self._header

    def packages(self) -> Iterator[Package]:
        """The packages that have become whole, none of them proved.

        Raises
        ------
        PeerError
            If what is there is no package: more hashes than there may be.
        """
        while self._range is not None:
            package = self._read_package(*self._range)
            if package is None:
                break
            self._next_range()
            yield package
        if self.whole:
            self._surplus += len(self._data) - self._at
            self._at = len(self._data)
        del self._data[: self._at]
        self._at = 0

    def _next_range(self) -> None:
        self._range, self._entries = next(self._ranges, None), []

    def _read_header(self) -> EntriesHeader | None:
        data = self._data
        after_origin = 2 + int.from_bytes(data[:2], "big")
        after_numbers = after_origin + 18
        end = after_numbers + int.from_bytes(data[after_numbers - 2 : after_numbers], "big")
        if len(data) < max(after_numbers, end):
            return None
        first, last = (int.from_bytes(data[at : at + 8], "big") for at in (after_origin, after_origin + 8))
        self._at = end
        return EntriesHeader(bytes(data[2:after_origin]), first, last, bytes(data[after_numbers:end]))

    def _read_package(self, start: int, end: int) -> Package | None:
        data = self._data
        while len(self._entries) < end - start:  # entries stay taken, so that no byte is looked at twice
            first = self._at + 2
            after = first + int.from_bytes(data[self._at : first], "big")
            if len(data) < max(first, after):
                return None
            self._entries.append(bytes(data[first:after]))
            self._at = after
        if len(data) <= self._at:
            return None
        count = data[self._at]
        if count > MOST_PROOF_HASHES:
            raise PeerError(f"a package has {count} hashes, more than {MOST_PROOF_HASHES}")
        first = self._at + 1
        after = first + count * HASH_BYTES
        if len(data) < after:
            return None
        proof = tuple(bytes(data[at : at + HASH_BYTES]) for at in range(first, after, HASH_BYTES))
        self._at = after
        return Package(start, tuple(self._entries), proof)
