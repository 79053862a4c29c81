"""A whole log audited from its tiles, in one place or in several copies of it.

In each place the checkpoint's signature and cosignatures are checked, every hash is computed again, and, if asked,
every entry is read. Then the copies' heads are held against each other: two that the log signed and that cannot both be
true are a fork, of which evidence is made that anybody can verify with the log's key alone.

Everything wrong is found, not only the first thing; what cannot be told is said to be so, and is never passed over.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from keepclear.errors import IntegrityError, PeerError
from keepclear.record.checkpoints import Checkpoint
from keepclear.record.forks import ForkEvidence, evidence_of_fork
from keepclear.record.keys import VerifierKey
from keepclear.record.leaves import Leaf
from keepclear.record.merkle import HashReader, tree_root
from keepclear.record.notes import Note
from keepclear.record.policies import Policy
from keepclear.record.tile_reading import hash_reader
from keepclear.record.verifying import Receipt, opened_by, party_and_line_of, quorum_text, receipts
from keepclear.record.walking import Fetch, Finding, Findings, Walk, read_tile

__all__ = ["Audited", "Compared", "audit", "compared"]


@dataclass(slots=True)
class Audited:
    """What was found in one place.

    Attributes
    ----------
    fetch
        Where it was read from.
    note
        The checkpoint as served; None if it cannot be read.
    head
        What the checkpoint says; None if it cannot be read.
    key
        The log's key that signed it; None if nobody's key was given, or the signature does not hold.
    held
        The policy's cosigners whose cosignatures hold.
    proved
        Whether what is here, less what was found damaged, is what leads to the checkpoint's root.
    hashed, unread
        Entries whose hash was computed, and those in bundles that could not be read.
    types
        How many entries of which type and version, if they were read.
    findings
        What is wrong.
    """

    fetch: Fetch
    note: bytes | None = None
    head: Checkpoint | None = None
    key: VerifierKey | None = None
    held: tuple[Receipt, ...] = ()
    proved: bool = False
    hashed: int = 0
    unread: int = 0
    types: Counter[tuple[str, int]] | None = None
    findings: Findings = field(default_factory=Findings)

    @property
    def damaged(self) -> list[tuple[int, int]]:
        """The numbers of the entries that are not here as they were logged: first and last of each run, in order."""
        spans = sorted(_spans(self.findings.listed))
        merged: list[tuple[int, int]] = []
        for first, last in spans:
            if merged and first <= merged[-1][1] + 1:
                merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
            else:
                merged.append((first, last))
        size = self.head.size if self.head else 0
        return [(first, min(last, size - 1)) for first, last in merged]


@dataclass(frozen=True, slots=True)
class Compared:
    """What two copies say of each other.

    Attributes
    ----------
    first, second
        Which copies, counted from 0.
    problem
        What is wrong; empty if they agree.
    evidence
        Of the fork, if it is one.
    """

    first: int
    second: int
    problem: str = ""
    evidence: ForkEvidence | None = None


def audit(
    fetch: Fetch,
    *,
    keys: Sequence[VerifierKey],
    policy: Policy,
    now_s: float,
    read_entries: bool = False,
    progress: Callable[[float], None] | None = None,
) -> Audited:
    """Audit the log in one place.

    Parameters
    ----------
    fetch
        Gives what stands at a path below the log's prefix.
    keys
        The keys of the logs that are believed; if there are none, the signature is not checked.
    policy
        Whose cosignatures are looked for, and how many there must be.
    now_s
        Seconds since the epoch: a cosignature from the future is a finding.
    read_entries
        Whether to read every entry as a leaf of keepclear's, and not only its hash.
    progress
        Called with the share that is done, from 0 to 1.

    Raises
    ------
    PeerError
        If there is no log: no checkpoint.
    """
    place = Audited(fetch)
    place.note = fetch("checkpoint")
    if place.note is None:
        raise PeerError("there is no log here: no file 'checkpoint'")
    _audit_checkpoint(place, place.note, keys=keys, policy=policy, now_s=now_s)
    if place.head is None:
        return place
    leaves = _Leaves(place.head.origin, place.findings) if read_entries else None
    walk = Walk(fetch, place.head.size, place.findings, leaves.read if leaves else None, progress)
    place.proved = walk.leads_to(place.head.root)
    place.hashed, place.unread = walk.hashed, walk.unread
    place.types = leaves.types if leaves else None
    return place


def compared(places: Sequence[Audited]) -> Iterator[Compared]:
    """Every two copies with different heads held against each other; the copies are of one log.

    Where one agrees with all the others, nothing comes out: what comes out is wrong or cannot be told.
    """
    heads = [(number, place) for number, place in enumerate(places) if place.head is not None]
    for (one, first), (other, second) in itertools.combinations(heads, 2):
        try:
            problem, evidence = _between(first, second)
        except (IntegrityError, PeerError) as error:
            problem, evidence = f"whether they agree cannot be told from what is here: {error}", None
        if problem:
            yield Compared(one, other, problem, evidence)


# --- inside --------------------------------------------------------------------------------------------------------


class _Leaves:
    """Reads entries as leaves of one log, and counts what they are."""

    def __init__(self, origin: str, findings: Findings) -> None:
        self.types: Counter[tuple[str, int]] = Counter()
        self._findings = findings
        self._said_by = party_and_line_of(origin)

    def read(self, number: int, entry: bytes) -> None:
        try:
            leaf = Leaf.of_bytes(entry)
        except PeerError as error:
            self._findings.add("leaf", f"no leaf that keepclear can read: {error}", number)
            return
        self.types[leaf.type, leaf.version] += 1
        if (leaf.party, leaf.line) != self._said_by:
            problem = f"says it was said by {leaf.party} on the line {leaf.line}, which this log cannot say"
            self._findings.add("leaf", problem, number)


def _audit_checkpoint(
    place: Audited, data: bytes, *, keys: Sequence[VerifierKey], policy: Policy, now_s: float
) -> None:
    try:
        note = Note.of_bytes(data)
        place.head = Checkpoint.of_text(note.text)
    except PeerError as error:
        place.findings.add("checkpoint", f"cannot be read, so nothing else can be checked: {error}")
        return
    if keys:
        try:
            place.key, _, _ = opened_by(data, keys)
        except IntegrityError as error:
            place.findings.add("checkpoint", str(error))
    try:
        place.held, from_the_future = receipts(note, policy, now_s=now_s)
    except IntegrityError as error:
        place.findings.add("cosignature", str(error))
        return
    for one in from_the_future:
        place.findings.add("cosignature", f"that of {one.name} is dated in the future, and is not counted")
    if not policy.quorum_met_by(one.key for one in place.held):
        problem = f"the policy asks for cosignatures by {quorum_text(policy)}, and there are too few here"
        place.findings.add("cosignature", problem)


def _between(first: Audited, second: Audited) -> tuple[str, ForkEvidence | None]:
    """What is wrong between two copies, and evidence if the log signed both; an empty text if they agree."""
    small, large = sorted((first, second), key=lambda place: place.head.size if place.head else 0)
    if small.head is None or large.head is None or small.note is None or large.note is None:
        raise PeerError("a checkpoint cannot be read")
    if small.head.origin != large.head.origin:
        return f"they are different logs: {small.head.origin} and {large.head.origin}", None
    read = _reader(large.fetch, large.head.size)
    if small.key is not None and small.key == large.key:
        evidence = evidence_of_fork(small.note, large.note, key=small.key, read=read)
        if evidence is None:
            return "", None
        return f"FORK: the log signed {_contradiction(small.head, large.head)}", evidence
    root = large.head.root if small.head.size == large.head.size else tree_root(small.head.size, read)
    if root == small.head.root:
        return "", None
    unsigned = "whether the log signed both is not known, as no key was given, or a signature does not hold"
    return f"they differ: {_contradiction(small.head, large.head)}; {unsigned}", None


def _contradiction(small: Checkpoint, large: Checkpoint) -> str:
    if small.size == large.size:
        return f"two different histories of {small.size} entries"
    return f"a history of {small.size} entries, and one of {large.size} that does not begin with those"


def _reader(fetch: Fetch, size: int) -> HashReader:
    return hash_reader(lambda tiles: [read_tile(fetch, tile) for tile in tiles], size)


def _spans(findings: Sequence[Finding]) -> Iterator[tuple[int, int]]:
    for one in findings:
        if one.first is None or one.last is None:
            continue
        if one.kind == "entry":
            yield one.first, one.last
        elif one.kind == "bundle":
            yield one.first << 8, (one.last << 8) + 255
