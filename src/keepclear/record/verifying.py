"""What a proof proves: who said what, where it stands in their log, and who held it by when.

Nothing is asked of a network or a store: the proof, the entry and a policy are all there is. Every step either holds
or raises `IntegrityError` with a sentence that says which step failed and what would be needed. What is not proved is
not hinted at; above all, that a receipt is missing proves nothing, since a proof can be made before the receipt came.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from keepclear.errors import IntegrityError, PeerError
from keepclear.record.bodies.committed import OpeningBody
from keepclear.record.checkpoints import Checkpoint
from keepclear.record.commitments import check_opening
from keepclear.record.cosignatures import cosignatures_of_checkpoint
from keepclear.record.entries import Entry, EntryRef
from keepclear.record.keys import VerifierKey
from keepclear.record.leaves import CLOCK_TOLERANCE_S, Leaf
from keepclear.record.merkle import leaf_hash
from keepclear.record.merkle_proofs import verify_inclusion
from keepclear.record.names import KeyName, Purpose, is_origin
from keepclear.record.notes import Note, verified
from keepclear.record.policies import Policy, shown
from keepclear.record.tlog_proofs import TlogProof

__all__ = [
    "Body",
    "Proved",
    "Receipt",
    "opened_by",
    "party_and_line_of",
    "quorum_text",
    "receipts",
    "verify_entry",
]


class Body(StrEnum):
    """What is shown of an entry's body."""

    SHOWN = "shown"
    """It is in the entry file, and it is what the leaf was made with."""
    NOT_SHOWN = "not shown"
    """It is not in the file: kept back, erased, or never given to who asks."""
    UNKNOWN = "no leaf"
    """The entry is none of keepclear's, so it has no body that could be shown."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A cosignature that holds.

    Attributes
    ----------
    name
        What the policy calls the cosigner.
    key
        Its key.
    time_s
        When it cosigned, by its own clock; the earliest, if it did so more than once.
    """

    name: str
    key: VerifierKey
    time_s: int

    @property
    def mirror(self) -> tuple[str, str] | None:
        """Party and line, if it is a party's node that keeps a copy of all logs on that line."""
        name = KeyName.of_text(self.key.name)
        if name is None or name.purpose is not Purpose.MIRROR or name.line is None:
            return None
        return name.party, name.line


@dataclass(frozen=True, slots=True)
class Proved:
    """What was proved.

    Attributes
    ----------
    checkpoint
        The head of the log that the proof leads to.
    index
        The entry's place, counted from 0.
    entry_bytes
        How long the entry is.
    leaf
        What it says, if it is an entry of keepclear's.
    body
        What is shown of its body.
    attachments
        How many attachments are shown, of those that the leaf names.
    held
        The policy's cosigners whose receipts are in the proof, earliest first.
    from_the_future
        Those whose receipts are dated later than now, and therefore do not count.
    opened
        Type and version of what the entry committed to, if it is a commitment and its opening was given and fits.
    """

    checkpoint: Checkpoint
    index: int
    entry_bytes: int
    leaf: Leaf | None
    body: Body
    attachments: int
    held: tuple[Receipt, ...]
    from_the_future: tuple[Receipt, ...]
    opened: tuple[str, int] | None = None


# --- the steps -----------------------------------------------------------------------------------------------------


def verify_entry(
    proof: TlogProof, entry: Entry | bytes, policy: Policy, *, now_s: float, opening: OpeningBody | None = None
) -> Proved:
    """What the proof proves of the entry, to whoever believes the policy.

    Parameters
    ----------
    proof
        Where the entry is said to be.
    entry
        A leaf with what is held besides it, or the bytes of any log's entry.
    policy
        Whose logs and cosigners are believed.
    now_s
        Seconds since the epoch: a receipt from the future counts for nothing.
    opening
        What is said to have been committed to, where the entry is a commitment.

    Raises
    ------
    IntegrityError
        If a step fails, with what would be needed.
    """
    checkpoint = proof.head
    key = _signer(proof.note, checkpoint.origin, policy.log_keys)
    held, from_the_future = receipts(proof.note, policy, now_s=now_s)
    _must_meet_quorum(policy, held)
    data = entry.leaf.to_bytes() if isinstance(entry, Entry) else entry
    _step(
        "the entry is not proved to be in the log",
        "the entry exactly as it was logged, and the proof that was made for it",
        lambda: verify_inclusion(
            proof.hashes, index=proof.index, size=checkpoint.size, leaf=leaf_hash(data), root=checkpoint.root
        ),
    )
    leaf = entry.leaf if isinstance(entry, Entry) else _leaf_of(data)
    if leaf is not None:
        _must_be_of(leaf, key)
    body, attachments = Body.UNKNOWN, 0
    if leaf is not None:
        body = Body.NOT_SHOWN
    if isinstance(entry, Entry):
        _step(
            "what is shown beside the leaf is not what was said",
            "body, salt and attachments as the author gave them; or leave them out, and the leaf alone is proved",
            entry.check,
        )
        body = Body.NOT_SHOWN if entry.body is None else Body.SHOWN
        attachments = sum(one is not None for one in entry.attachments)
    opened = None if opening is None else _opened(leaf, EntryRef(key.name, proof.index, leaf_hash(data)), opening)
    return Proved(checkpoint, proof.index, len(data), leaf, body, attachments, held, from_the_future, opened)


def opened_by(data: bytes, keys: Iterable[VerifierKey]) -> tuple[VerifierKey, Checkpoint, Note]:
    """A checkpoint, and the key, of those of logs that are believed, which signed it.

    Raises
    ------
    PeerError
        If it is no checkpoint.
    IntegrityError
        If none of the keys is the log's and signed it.
    """
    note = Note.of_bytes(data)
    checkpoint = Checkpoint.of_text(note.text)
    return _signer(note, checkpoint.origin, keys), checkpoint, note


def _signer(note: Note, origin: str, keys: Iterable[VerifierKey]) -> VerifierKey:
    """Which of the keys is of the log `origin` and signed its checkpoint, the note."""
    known = [key for key in keys if key.name == origin]
    if not known:
        raise IntegrityError(
            f"the checkpoint says it is of the log {origin}, and no key of that log is known here; needed: "
            "a policy with a line 'log' for it, from somebody you trust to know whose log it is"
        )
    failures = []
    for key in known:
        try:
            verified(note, [key])
        except IntegrityError as error:
            failures.append(error)
        else:
            return key
    raise IntegrityError(
        f"the signature of the log {origin} does not hold: {failures[0]}; needed: a checkpoint that the log signed, "
        "and the log's true key in the policy"
    )


def receipts(note: Note, policy: Policy, *, now_s: float) -> tuple[tuple[Receipt, ...], tuple[Receipt, ...]]:
    """Cosignatures of the policy's witnesses that hold, and those that hold but are dated in the future.

    The note is one whose text has been read as a checkpoint.

    Raises
    ------
    IntegrityError
        If one that names a witness's key does not hold: then the note was meddled with.
    """
    names = {one.key: name for name, one in policy.witnesses.items() if isinstance(one.key, VerifierKey)}
    try:
        found = cosignatures_of_checkpoint(note, names)
    except IntegrityError as error:
        raise IntegrityError(f"a cosignature does not hold: {error}; needed: the proof as it was given out") from None
    earliest: dict[VerifierKey, int] = {}
    for one in found:
        earliest[one.key] = min(one.time_s, earliest.get(one.key, one.time_s))
    every = sorted((time_s, shown(names[key]), key) for key, time_s in earliest.items())
    split: tuple[list[Receipt], list[Receipt]] = ([], [])
    for time_s, name, key in every:
        split[time_s > now_s + CLOCK_TOLERANCE_S].append(Receipt(name, key, time_s))
    return tuple(split[0]), tuple(split[1])


def party_and_line_of(origin: str) -> tuple[str, str] | None:
    """The party and the line of a log, by its origin; None where it is none of keepclear's."""
    if not is_origin(origin):
        return None
    party, line, _ = origin.split("/", 2)
    return party, line


def quorum_text(policy: Policy) -> str:
    """Who must have cosigned, in words: a witness, or how many of which group."""
    name = policy.quorum or "nobody"
    group = policy.groups.get(name)
    if group is None:
        return shown(name)
    members = ", ".join(shown(member) for member in group.members)
    return f"{shown(name)} ({group.threshold} of {members})"


def _must_meet_quorum(policy: Policy, held: tuple[Receipt, ...]) -> None:
    if policy.quorum_met_by(one.key for one in held):
        return
    there = f"those of {', '.join(one.name for one in held)}" if held else "none that counts"
    raise IntegrityError(
        f"the policy asks for cosignatures by {quorum_text(policy)}, and in this proof are {there}; needed: a "
        "proof that was made after they had cosigned. That they are missing proves nothing, one way or the other"
    )


def _must_be_of(leaf: Leaf, key: VerifierKey) -> None:
    """Refuse a leaf that one party's log holds and that says it was said by another."""
    if party_and_line_of(key.name) != (leaf.party, leaf.line):
        raise IntegrityError(
            f"the leaf says it was said by {leaf.party} on the line {leaf.line}, and it stands in the log {key.name}, "
            "which cannot speak for that party there; needed: a proof from that party's own log on that line"
        )


def _opened(leaf: Leaf | None, ref: EntryRef, opening: OpeningBody) -> tuple[str, int]:
    """Type and version of what was committed to, if the opening fits the entry that is proved here."""

    def check() -> None:
        if leaf is None:
            raise IntegrityError("the entry is no commitment")
        check_opening(leaf, opening)
        if opening.entry.ref() != ref:
            raise IntegrityError("the opening names another place")

    _step("the opening does not fit the commitment", "the opening that its author gave in the same log", check)
    return opening.content.type, opening.content.v


def _leaf_of(data: bytes) -> Leaf | None:
    try:
        return Leaf.of_bytes(data)
    except PeerError:
        return None


def _step(what: str, needed: str, check: Callable[[], None]) -> None:
    try:
        check()
    except IntegrityError as error:
        raise IntegrityError(f"{what} ({error}); needed: {needed}") from None
