"""Proof that a log contradicted itself: two heads of one log, both signed by it, that cannot both be true.

Two checkpoints of the same size with different roots show it by themselves. Where the sizes differ, it takes one
thing more: the root that the larger tree has at the smaller size, with the consistency proof from that root to the
larger checkpoint. SHA-256 lets nobody find a second root that the same proof procedure accepts, so if the smaller
checkpoint was signed with another root, no consistency proof between the two can ever be made. Whoever has the log's
key can verify all this offline; nobody needs to be trusted, least of all who found the fork.

As a file (specified in ``docs/spec/fork-evidence.md``), UTF-8, lines ended by a newline::

    keepclear fork evidence v1
    prefix <base64 of the root of the larger tree at the smaller size>     only where the sizes differ
    <base64 of a hash>                                                     the consistency proof, one hash a line

    <the smaller checkpoint, verbatim, with all its signatures>

    <the larger checkpoint, verbatim, with all its signatures>

A checkpoint holds one empty line, so the file always has five paragraphs and needs no lengths or marks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NoReturn, Self

from keepclear.errors import IntegrityError, PeerError
from keepclear.record.checkpoints import Checkpoint, open_checkpoint
from keepclear.record.keys import VerifierKey
from keepclear.record.merkle import HASH_BYTES, HashReader, consistency_proof, tree_root
from keepclear.record.merkle_proofs import verify_consistency
from keepclear.record.notes import Note
from keepclear.record.scalars import base64_bytes, base64_text

__all__ = ["MOST_EVIDENCE_BYTES", "Fork", "ForkEvidence", "evidence_of_fork", "is_fork_evidence", "verify_fork"]

MOST_EVIDENCE_BYTES = 4 * 2**20
"""No evidence is larger: two notes and some dozens of hashes."""

_HEADER = "keepclear fork evidence v1"
_MOST_HASHES = 2 * 63  # a consistency proof has at most one hash for each level of each tree


@dataclass(frozen=True, slots=True)
class ForkEvidence:
    """Two signed checkpoints, and what shows that they contradict each other.

    Attributes
    ----------
    smaller, larger
        The checkpoints, byte for byte as they were served; of equal sizes, in the order of their bytes.
    prefix_root
        The root of the larger tree at the smaller size; None where the sizes are equal.
    hashes
        The consistency proof from `prefix_root` to the larger checkpoint; empty where the sizes are equal.
    """

    smaller: bytes
    larger: bytes
    prefix_root: bytes | None = None
    hashes: tuple[bytes, ...] = ()

    @classmethod
    def of_bytes(cls, data: bytes) -> Self:
        """The evidence in a file.

        Raises
        ------
        PeerError
            If it is not, byte for byte, such a file. Nothing is verified yet: that is for `verify_fork`.
        """
        if len(data) > MOST_EVIDENCE_BYTES:
            _refuse(f"{len(data)} bytes, more than the {MOST_EVIDENCE_BYTES} that evidence can have")
        if not is_fork_evidence(data):
            _refuse(f"the first line is not {_HEADER!r}")
        paragraphs = data.split(b"\n\n")
        if len(paragraphs) != 5:
            _refuse(f"{len(paragraphs)} paragraphs, where the head and two checkpoints make 5")
        head, text, signatures, larger_text, larger_signatures = paragraphs
        prefix_root, hashes = _read_head(head)
        found = cls(
            text + b"\n\n" + signatures + b"\n", larger_text + b"\n\n" + larger_signatures, prefix_root, tuple(hashes)
        )
        found._must_be_in_order()
        if found.to_bytes() != data:
            _refuse("not written as evidence is written: base64 has one form, and lines end with a newline")
        return found

    def to_bytes(self) -> bytes:
        """The file."""
        lines = [_HEADER]
        if self.prefix_root is not None:
            lines.append(f"prefix {base64_text(self.prefix_root)}")
        lines += [base64_text(one) for one in self.hashes]
        return "".join(f"{line}\n" for line in lines).encode() + b"\n" + self.smaller + b"\n" + self.larger

    def _must_be_in_order(self) -> None:
        first, second = _head_of(self.smaller), _head_of(self.larger)
        if first.origin != second.origin:
            _refuse("the two checkpoints are of different logs")
        if first.size > second.size or (first.size == second.size and self.smaller >= self.larger):
            _refuse("the two checkpoints stand in the wrong order, or are the same: the smaller comes first")
        if (first.size == second.size) != (self.prefix_root is None) or (self.prefix_root is None and self.hashes):
            _refuse("a prefix and its proof belong to checkpoints of different sizes, and only to those")


@dataclass(frozen=True, slots=True)
class Fork:
    """A log that contradicted itself, as verified.

    Attributes
    ----------
    key
        The log's key, which signed both.
    smaller, larger
        The two heads.
    prefix_root
        The root that the larger tree has at the smaller size; where the sizes are equal, the larger's own.
    """

    key: VerifierKey
    smaller: Checkpoint
    larger: Checkpoint
    prefix_root: bytes


def is_fork_evidence(data: bytes) -> bool:
    """Whether a file says of itself that it is evidence of a fork."""
    return data.startswith(_HEADER.encode() + b"\n")


def verify_fork(evidence: ForkEvidence, keys: Iterable[VerifierKey]) -> Fork:
    """The fork that the evidence proves.

    Parameters
    ----------
    evidence
        What somebody says shows a fork.
    keys
        The keys of the logs that are trusted to be those logs'; one of them must have signed both checkpoints.

    Raises
    ------
    IntegrityError
        If it proves none, with the step that failed and what would be needed.
    """
    origin = _head_of(evidence.smaller).origin
    known = [key for key in keys if key.name == origin]
    if not known:
        raise IntegrityError(f"no key of the log {origin} is known here; a policy with a line for this log is needed")
    key, smaller, larger = _opened_by_one(evidence, known)
    if smaller.size == larger.size:
        if smaller.root == larger.root:
            raise IntegrityError("both checkpoints have the same size and the same root: that is no fork")
        return Fork(key, smaller, larger, larger.root)
    if evidence.prefix_root is None:
        raise IntegrityError("the sizes differ, and the root of the larger tree at the smaller size is missing")
    verify_consistency(
        evidence.hashes,
        old_size=smaller.size,
        old_root=evidence.prefix_root,
        new_size=larger.size,
        new_root=larger.root,
    )
    if evidence.prefix_root == smaller.root:
        raise IntegrityError("the evidence proves the opposite: the larger tree began with the smaller one")
    return Fork(key, smaller, larger, evidence.prefix_root)


def evidence_of_fork(first: bytes, second: bytes, *, key: VerifierKey, read: HashReader) -> ForkEvidence | None:
    """Evidence that two checkpoints of one log contradict each other; None if they agree.

    Parameters
    ----------
    first, second
        The checkpoints as served, in any order.
    key
        The log's key.
    read
        The hashes of the tree of the larger one; not called where the sizes are equal.

    Raises
    ------
    IntegrityError
        If a checkpoint is not signed by the key, or what `read` gives does not lead to the larger one's root, so that
        it cannot be told.
    PeerError
        If they are no checkpoints.
    """
    (smaller, small), (larger, large) = sorted(
        ((open_checkpoint(data, key)[0], data) for data in (first, second)), key=lambda one: (one[0].size, one[1])
    )
    if smaller.size == larger.size:
        return None if smaller.root == larger.root else ForkEvidence(small, large)
    prefix_root = tree_root(smaller.size, read)
    hashes = consistency_proof(smaller.size, larger.size, read)
    verify_consistency(hashes, old_size=smaller.size, old_root=prefix_root, new_size=larger.size, new_root=larger.root)
    return None if prefix_root == smaller.root else ForkEvidence(small, large, prefix_root, tuple(hashes))


def _opened_by_one(evidence: ForkEvidence, known: list[VerifierKey]) -> tuple[VerifierKey, Checkpoint, Checkpoint]:
    """Both checkpoints opened by the same key: two keys that say different things are no contradiction of either."""
    failures = []
    for key in known:
        try:
            return key, open_checkpoint(evidence.smaller, key)[0], open_checkpoint(evidence.larger, key)[0]
        except IntegrityError as error:
            failures.append(str(error))
    raise IntegrityError(f"the log's key did not sign both checkpoints, so nothing is proved: {failures[0]}")


def _read_head(head: bytes) -> tuple[bytes | None, list[bytes]]:
    lines = head.split(b"\n")[1:]
    if len(lines) > 1 + _MOST_HASHES:
        _refuse(f"{len(lines)} lines before the checkpoints, more than any proof has")
    if not lines:
        return None, []
    if not lines[0].startswith(b"prefix "):
        _refuse("the second line is neither empty nor 'prefix' with a root")
    return _hash_of(lines[0].removeprefix(b"prefix ")), [_hash_of(line) for line in lines[1:]]


def _head_of(checkpoint: bytes) -> Checkpoint:
    return Checkpoint.of_text(Note.of_bytes(checkpoint).text)


def _hash_of(text: bytes) -> bytes:
    value = base64_bytes(text.decode("ascii", "replace"))
    if value is None or len(value) != HASH_BYTES:
        _refuse("a line before the checkpoints is not the base64 of a hash of 32 bytes")
    return value


def _refuse(problem: str) -> NoReturn:
    raise PeerError(f"not evidence of a fork: {problem}") from None
