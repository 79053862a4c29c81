"""Whether two members were shown one history: checkpoints of one log that came by different ways, side by side.

Two checkpoints of one size with different roots, both signed by the log, are proof at once. Of different sizes, one
must be the beginning of the other: where the larger tree is held here that is seen at once; where not, a consistency
proof is asked for, from whoever showed the larger. Whoever cannot give one has shown nothing yet, and is asked again.

A checkpoint by which a log merely has grown, or which is older than ours and agrees, is no news.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise

from keepclear.errors import IntegrityError
from keepclear.record.checkpoints import Checkpoint, open_checkpoint
from keepclear.record.forks import ForkEvidence, evidence_of_fork
from keepclear.record.keys import VerifierKey
from keepclear.record.merkle import HashReader
from keepclear.record.merkle_proofs import verify_consistency
from keepclear.record.notes import Note

__all__ = ["Finding", "HeldHead", "Shown", "Verdict", "compared_heads", "proved_or_forked"]


class Verdict(StrEnum):
    """What a checkpoint that a member showed says beside another."""

    FORKED = "forked"
    """Proved: the log signed two histories."""
    ASK = "ask for a consistency proof"
    """Whether the smaller is the beginning of the larger cannot be seen from what is held."""
    GROWN = "grown"
    """It is larger than what is held here: there is something to fetch, which will prove itself or not."""
    UNSIGNED = "not signed by the log"
    """The log's key did not sign it: it says nothing of the log, and something of who showed it."""
    UNKNOWN = "no such log here"
    """There is no log of this origin on the line as far as is known here."""


@dataclass(frozen=True, slots=True)
class HeldHead:
    """What is held here of a log.

    Attributes
    ----------
    checkpoint
        The newest, as the log signed it; None if nothing is held yet.
    read
        The hashes of the tree up to it.
    """

    checkpoint: bytes | None
    read: HashReader | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Shown:
    """A checkpoint, and the member that showed it."""

    by: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of a checkpoint that a member showed.

    Attributes
    ----------
    origin, by
        Of which log, and who showed it.
    verdict
        What it is.
    smaller, larger
        The two that were compared; for one that cannot be compared, both are that.
    evidence
        Where it is proved that the log forked.
    beside
        Who showed the other one; empty where that is ours.
    """

    origin: str
    by: str
    verdict: Verdict
    smaller: bytes
    larger: bytes
    evidence: ForkEvidence | None = None
    beside: str = ""


def compared_heads(
    shown: Iterable[Shown], *, keys: Mapping[str, VerifierKey], held: Mapping[str, HeldHead]
) -> tuple[Finding, ...]:
    """Compare what members showed with what is held here, and with each other.

    Parameters
    ----------
    shown
        The newest checkpoints that each member showed; the order changes nothing.
    keys
        The log keys of the line, by origin.
    held
        What is held here, by origin.

    Raises
    ------
    PeerError
        If one is no checkpoint at all.
    """
    found: list[Finding] = []
    opened: dict[str, list[tuple[Checkpoint, Shown]]] = {}
    for one in sorted(set(shown), key=lambda one: (one.by, one.data)):
        origin = Checkpoint.of_text(Note.of_bytes(one.data).text).origin
        key = keys.get(origin)
        if key is None:
            found.append(_alone(origin, one, Verdict.UNKNOWN))
            continue
        try:
            opened.setdefault(origin, []).append((open_checkpoint(one.data, key)[0], one))
        except IntegrityError:
            found.append(_alone(origin, one, Verdict.UNSIGNED))
    for origin in sorted(opened):
        found += _of_log(keys[origin], opened[origin], held.get(origin, HeldHead(None)))
    return tuple(found)


def proved_or_forked(
    finding: Finding, hashes: Iterable[bytes], prefix_root: bytes, *, key: VerifierKey
) -> ForkEvidence | None:
    """What a consistency proof that was asked for says: None if the larger continues the smaller, or the evidence.

    Parameters
    ----------
    hashes, prefix_root
        The proof to the larger checkpoint, and the root that its tree has at the size of the smaller.

    Raises
    ------
    IntegrityError
        If the proof does not lead to the larger checkpoint: it proves neither, so ask again, or somebody else.
    """
    smaller, larger = (open_checkpoint(data, key)[0] for data in (finding.smaller, finding.larger))
    proof = tuple(hashes)
    verify_consistency(proof, old_size=smaller.size, old_root=prefix_root, new_size=larger.size, new_root=larger.root)
    if prefix_root == smaller.root:
        return None
    return ForkEvidence(finding.smaller, finding.larger, prefix_root, proof)


def _alone(origin: str, one: Shown, verdict: Verdict) -> Finding:
    return Finding(origin, one.by, verdict, one.data, one.data)


def _of_log(key: VerifierKey, shown: list[tuple[Checkpoint, Shown]], held: HeldHead) -> Iterator[Finding]:
    ours = None if held.checkpoint is None else open_checkpoint(held.checkpoint, key)[0]
    ahead = []
    for head, one in sorted(shown, key=lambda both: (both[0].size, both[0].root, both[1].by)):
        if ours is None or held.checkpoint is None or head.size > ours.size:
            ahead.append((head, one))
            yield Finding(key.name, one.by, Verdict.GROWN, held.checkpoint or one.data, one.data)
        elif head.size == ours.size or held.read is not None:
            evidence = evidence_of_fork(held.checkpoint, one.data, key=key, read=held.read or _nothing)
            if evidence is not None:
                yield Finding(key.name, one.by, Verdict.FORKED, evidence.smaller, evidence.larger, evidence)
        elif head.size > 0:
            yield Finding(key.name, one.by, Verdict.ASK, one.data, held.checkpoint)
    yield from _beside(key, ahead)


def _beside(key: VerifierKey, ahead: list[tuple[Checkpoint, Shown]]) -> Iterator[Finding]:
    """Those that are ahead of us, each beside the next larger: if each continues the one before, they all agree."""
    for (smaller, first), (larger, second) in pairwise(ahead):
        if smaller.size == larger.size and smaller.root == larger.root:
            continue
        if smaller.size == larger.size:
            evidence = evidence_of_fork(first.data, second.data, key=key, read=_nothing)
            assert evidence is not None
            yield Finding(
                key.name, second.by, Verdict.FORKED, evidence.smaller, evidence.larger, evidence, first.by
            )  # fmt: skip
        elif smaller.size > 0:
            yield Finding(key.name, second.by, Verdict.ASK, first.data, second.data, None, first.by)


def _nothing(_: object) -> list[bytes]:
    raise AssertionError("two checkpoints of one size need no hashes")
