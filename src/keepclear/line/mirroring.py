"""A mirror's side of C2SP tlog-mirror for one log, as decisions: what is asked, what is known → what to do and answer.

Nothing here keeps anything. A decision names the steps that have to be durable before its answer is given, and whoever
has the store does them in order; the answer is not given if one of them fails. What is known comes in as a
`MirrorState`. It may be a little old when it is used, as the specification allows: packages are proved against the
checkpoint that the request names, a package that is held already is skipped when it is saved, and the last two
questions (is the checkpoint still not behind, is everything held) are asked again with the newest state.

==================  ==================================================================================================
add-checkpoint      404 another log · 403 not signed by its key · 400 malformed, or older than it says · 409 we have
                    another size, or another root of that size · 422 not proved · 200 taken
add-entries         404 another log · 409 the end is no checkpoint that was pending here, or is behind; the start leaves
                    a gap, or is far behind · 422 a package is not proved · 400 nothing whole came · 202 something came,
                    not all · 200 all held and cosigned
==================  ==================================================================================================

keepclear's rule goes beyond the specification: the cosignature is a receipt, so it also waits for every body that is
addressed to us. Until then the answer is 202 with `RETRY_AFTER_S`, and a next entry that is the end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import TypeAlias

from keepclear.errors import IntegrityError, PeerError
from keepclear.line.entry_packages import MOST_PACKAGES, EntriesHeader, Package, PackageReader, prove_package
from keepclear.line.mirror_requests import AddCheckpoint, Answer, MirrorInfo, size_answer
from keepclear.line.tickets import open_ticket, ticket_for
from keepclear.record.checkpoints import Checkpoint, open_checkpoint
from keepclear.record.forks import ForkEvidence, evidence_of_fork
from keepclear.record.keys import VerifierKey
from keepclear.record.merkle import EMPTY_ROOT
from keepclear.record.merkle_proofs import verify_consistency
from keepclear.record.notes import Note
from keepclear.record.tiles import TILE_WIDTH

__all__ = [
    "MOST_BEHIND",
    "MOST_PENDING",
    "RETRY_AFTER_S",
    "TRANSITIONS",
    "Compare",
    "Decision",
    "EntriesUpload",
    "Event",
    "KeepFork",
    "MirrorState",
    "PendingCheckpoint",
    "Stage",
    "Step",
    "TakePending",
    "on_add_checkpoint",
]

MOST_PENDING = 16
"""Checkpoints that a mirror remembers as possible ends of an upload; tickets bring back older ones."""
MOST_BEHIND = MOST_PACKAGES * TILE_WIDTH
"""How far below the next entry an upload may start: what one request repeats."""
RETRY_AFTER_S = 5
"""When to ask again for a cosignature that waits for bodies."""


@dataclass(frozen=True, slots=True)
class PendingCheckpoint:
    """A checkpoint that the log signed and that continues all that were taken before; `note` has only its signature."""

    size: int
    root: bytes
    note: bytes


@dataclass(frozen=True, slots=True)
class MirrorState:
    """What a mirror knows of one log.

    Attributes
    ----------
    key
        The log's key, whose name is the origin.
    pending
        The last checkpoints taken, smallest first; the last is the *pending checkpoint*. What is held is among them.
    held
        The size up to which the copy is complete.
    next_entry
        The first entry that is neither in the copy nor saved for it.
    cosigned
        The size of the *mirror checkpoint*: the newest that we cosigned.
    """

    key: VerifierKey
    pending: tuple[PendingCheckpoint, ...] = ()
    held: int = 0
    next_entry: int = 0
    cosigned: int = 0

    @property
    def newest(self) -> PendingCheckpoint | None:
        """The pending checkpoint; None before the first."""
        return self.pending[-1] if self.pending else None

    @property
    def size(self) -> int:
        """The pending checkpoint's size."""
        return self.pending[-1].size if self.pending else 0

    def known(self, size: int) -> PendingCheckpoint | None:
        """The remembered checkpoint of that size."""
        return next((one for one in self.pending if one.size == size), None)


# --- add-checkpoint ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TakePending:
    """Make this the pending checkpoint, if the one before is still of `after` entries; None if there was none."""

    checkpoint: PendingCheckpoint
    after: int | None


@dataclass(frozen=True, slots=True)
class KeepFork:
    """Keep the proof that the log contradicted itself, and tell people."""

    evidence: ForkEvidence


@dataclass(frozen=True, slots=True)
class Compare:
    """A checkpoint that the log signed and that was not taken: whether it contradicts the copy, only the copy knows."""

    size: int
    checkpoint: bytes


Step: TypeAlias = TakePending | KeepFork | Compare


@dataclass(frozen=True, slots=True)
class Decision:
    """What to make durable, in order, and then to answer."""

    answer: Answer
    first: tuple[Step, ...] = ()


def on_add_checkpoint(state: MirrorState, data: bytes) -> Decision:
    """Decide on an ``add-checkpoint`` request; tlog-witness says in which order what is checked."""
    try:
        asked = AddCheckpoint.of_bytes(data)
        note = Note.of_bytes(asked.checkpoint)
        said = Checkpoint.of_text(note.text)
    except PeerError as error:
        return Decision(Answer.saying(400, str(error)))
    if said.origin != state.key.name:
        return Decision(Answer.saying(404, "no such log is mirrored here"))
    try:
        checkpoint, _ = open_checkpoint(asked.checkpoint, state.key)
    except IntegrityError as error:
        return Decision(Answer.saying(403, str(error)))
    if asked.old_size > checkpoint.size:
        return Decision(Answer.saying(400, "the old size is greater than the checkpoint's"))
    return _decide_on_signed(state, asked, checkpoint, note)


def _decide_on_signed(state: MirrorState, asked: AddCheckpoint, checkpoint: Checkpoint, note: Note) -> Decision:
    compare = Compare(checkpoint.size, asked.checkpoint)
    if asked.old_size != state.size:
        return Decision(size_answer(state.size), (_fork(state, checkpoint, asked.checkpoint) or compare,))
    newest = state.newest
    if newest is not None and newest.size == checkpoint.size and newest.root != checkpoint.root:
        fork = _fork(state, checkpoint, asked.checkpoint)
        assert fork is not None
        return Decision(size_answer(state.size), (fork,))
    try:
        verify_consistency(
            asked.proof,
            old_size=state.size,
            old_root=newest.root if newest else EMPTY_ROOT,
            new_size=checkpoint.size,
            new_root=checkpoint.root,
        )
    except IntegrityError as error:
        return Decision(Answer.saying(422, str(error)), (compare,))
    if newest is not None and newest.size == checkpoint.size:
        return Decision(Answer(200))
    own = next(one for one in note.signatures if one.is_by(state.key))
    taken = PendingCheckpoint(checkpoint.size, checkpoint.root, Note(note.text, (own,)).to_bytes())
    return Decision(Answer(200), (TakePending(taken, newest.size if newest else None),))


def _fork(state: MirrorState, checkpoint: Checkpoint, data: bytes) -> KeepFork | None:
    """Two signed checkpoints of one size with different roots are the proof by themselves."""
    known = state.known(checkpoint.size)
    if known is None or known.root == checkpoint.root:
        return None
    evidence = evidence_of_fork(known.note, data, key=state.key, read=_no_tree)
    return None if evidence is None else KeepFork(evidence)


def _no_tree(_: Sequence[tuple[int, int]]) -> list[bytes]:
    raise AssertionError("equal sizes need no tree")


# --- add-entries ---------------------------------------------------------------------------------------------------


class Stage(Enum):
    """How far an ``add-entries`` request has come."""

    HEADER = auto()  # not yet whole
    PACKAGES = auto()  # the next package is awaited
    WHOLE = auto()  # every package of the canonical sequence has been proved
    REFUSED = auto()  # the answer is known, whatever else may come


class Event(Enum):
    """What happens to it."""

    ACCEPTED = auto()  # the header asks for entries that we can take
    NOTHING_ASKED = auto()  # the same, for no entries
    PROVED = auto()  # a package, and there are more to come
    LAST_PROVED = auto()
    REJECTED = auto()


TRANSITIONS: dict[tuple[Stage, Event], Stage] = {
    (Stage.HEADER, Event.ACCEPTED): Stage.PACKAGES,
    (Stage.HEADER, Event.NOTHING_ASKED): Stage.WHOLE,
    (Stage.HEADER, Event.REJECTED): Stage.REFUSED,
    (Stage.PACKAGES, Event.PROVED): Stage.PACKAGES,
    (Stage.PACKAGES, Event.LAST_PROVED): Stage.WHOLE,
    (Stage.PACKAGES, Event.REJECTED): Stage.REFUSED,
}
"""Where each event leads. What is not here cannot happen."""


class EntriesUpload:
    """One ``add-entries`` request as it is received.

    Give it bytes; save each package that comes out before giving it more. When the body ends, whole or broken off,
    `end` says what to answer, or which checkpoint to hold and cosign before that.

    Parameters
    ----------
    state
        What is known as the request begins.
    secret
        For tickets.
    leaf_hashes
        See `keepclear.line.entry_packages.prove_package`.
    """

    def __init__(
        self, state: MirrorState, *, secret: bytes, leaf_hashes: Callable[[int, int], Sequence[bytes]]
    ) -> None:
        self._state, self._secret, self._leaf_hashes = state, secret, leaf_hashes
        self._reader = PackageReader()
        self._stage = Stage.HEADER
        self._target: PendingCheckpoint | None = None
        self._came = 0
        self._refusal: Answer | None = None

    @property
    def stage(self) -> Stage:
        """How far it has come."""
        return self._stage

    @property
    def start(self) -> int:
        """The first entry that is uploaded; 0 before the header is there."""
        header = self._reader.header()
        return header.start if header else 0

    @property
    def refusal(self) -> Answer | None:
        """An answer to be given at once, without waiting for the rest of the body."""
        return self._refusal

    def receive(self, data: bytes) -> list[Package]:
        """Take some bytes of the body; the packages that they complete, proved, are to be saved."""
        if self._refusal is not None:
            return []
        self._reader.feed(data)
        if self._stage is Stage.HEADER and not self._begun():
            return []
        return self._proved()

    def end(self, state: MirrorState) -> Answer | PendingCheckpoint:
        """The body has ended: what to answer.

        Parameters
        ----------
        state
            As it is now that all packages that came out are saved.

        Returns
        -------
        Answer or PendingCheckpoint
            A checkpoint whose entries are all there: hold it, and then ask `concluded`.
        """
        if self._refusal is not None:
            return self._refusal
        if self._target is None:
            return Answer.saying(400, "the body ends within the header of add-entries")
        if self._stage is Stage.PACKAGES or (self._reader.surplus and not self._came):
            if self._came:
                return self._info(state, 202)
            return Answer.saying(400, "the body holds no whole package of entries")
        if state.next_entry < self._target.size or self._target.size < state.cosigned:
            return self._info(state, 409)
        return self._target

    def concluded(self, state: MirrorState, *, bodies_missing: bool) -> Answer | None:
        """After holding the checkpoint: what to answer, or None if it is to be cosigned.

        Parameters
        ----------
        bodies_missing
            Whether there are entries before its size whose body is addressed to us and neither held nor refused.
        """
        assert self._target is not None
        if state.held < self._target.size or self._target.size < state.cosigned or not state.known(self._target.size):
            return self._info(state, 409)
        if bodies_missing:
            return self._info(state, 202, retry_after_s=RETRY_AFTER_S)
        return None

    def _begun(self) -> bool:
        """Whether the header is there, and can be done."""
        header = self._reader.header()
        if header is None:
            return False
        refusal = self._refused(header)
        if refusal is not None:
            self._refuse(refusal)
            return False
        self._step(Event.NOTHING_ASKED if self._reader.whole else Event.ACCEPTED)
        return True

    def _refused(self, header: EntriesHeader) -> Answer | None:
        state = self._state
        if header.origin != state.key.name.encode():
            return Answer.saying(404, "no such log is mirrored here")
        target = state.known(header.end) or self._of_ticket(header)
        if target is None or target.size < state.cosigned:
            return self._info(state, 409)
        self._target = target
        if not state.next_entry - MOST_BEHIND <= header.start <= state.next_entry:
            return self._info(state, 409)
        if header.start > header.end:
            return Answer.saying(400, "the upload starts after its end")
        return None

    def _of_ticket(self, header: EntriesHeader) -> PendingCheckpoint | None:
        """An older checkpoint that was pending here, which the ticket proves; of no use once the copy is past it."""
        note = open_ticket(header.ticket, secret=self._secret)
        if note is None or not self._state.held < header.end < self._state.size:
            return None
        try:
            checkpoint, _ = open_checkpoint(note, self._state.key)
        except (PeerError, IntegrityError):
            return None  # a ticket for another log
        return PendingCheckpoint(checkpoint.size, checkpoint.root, note) if checkpoint.size == header.end else None

    def _proved(self) -> list[Package]:
        proved: list[Package] = []
        target = self._target
        assert target is not None
        try:
            for package in self._reader.packages():
                prove_package(package, size=target.size, root=target.root, leaf_hashes=self._leaf_hashes)
                proved.append(package)
                self._came += 1
                self._step(Event.LAST_PROVED if self._reader.whole else Event.PROVED)
        except IntegrityError as error:
            self._refuse(Answer.saying(422, str(error)))
        except PeerError as error:
            self._refuse(Answer.saying(422 if self._came else 400, str(error)))
        return proved

    def _refuse(self, answer: Answer) -> None:
        self._refusal = answer
        self._step(Event.REJECTED)

    def _step(self, event: Event) -> None:
        self._stage = TRANSITIONS[self._stage, event]

    def _info(self, state: MirrorState, status: int, *, retry_after_s: int | None = None) -> Answer:
        """Where we are; it names the end that was asked for while that is of use, else the pending checkpoint."""
        target = self._target
        if target is None or target.size < state.cosigned or not (target.size > state.held or state.known(target.size)):
            target = state.newest
        size, ticket = (target.size, ticket_for(target.note, secret=self._secret)) if target else (0, b"")
        return MirrorInfo(size, state.next_entry, ticket).answer(status, retry_after_s=retry_after_s)
