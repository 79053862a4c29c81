"""The record in a party's folder, read offline: what was said on a line, and from when each entry counts.

Nothing is asked but the logs: an entry counts from the first cosignature of somebody other than its author. Of a node
that has more in its tables nothing else is believed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from keepclear.cli.folders import opened
from keepclear.cli.kept_logs import is_party_folder
from keepclear.cli.screen import note
from keepclear.cli.which_log import held_log
from keepclear.errors import Fault, InputError, IntegrityError, PeerError

if TYPE_CHECKING:
    from keepclear.agreements.documents import Document
    from keepclear.agreements.facts import Filed, RecordView
    from keepclear.line.conversation import Conversation
    from keepclear.record.bodies.base import Body
    from keepclear.record.entries import Entry, EntryRef
    from keepclear.store.held import HeldLog
    from keepclear.store.log_store import LogStore, SignedHead
    from keepclear.store.party_folder import PartyFolder

__all__ = ["Offline", "read_record"]

_RIGHT = "a party's folder; logs that were exported are first taken into one: keepclear log import"


@dataclass(frozen=True, slots=True)
class Offline:
    """What was said on a line.

    Attributes
    ----------
    line
        Which.
    talk
        The conversation.
    entries, bodies
        All entries by reference, and the bodies that are held and known.
    last_s
        The latest time that any entry or cosignature names: how far the record goes.
    """

    line: str
    talk: Conversation
    entries: Mapping[EntryRef, Entry]
    bodies: Mapping[EntryRef, Body]
    last_s: float

    @property
    def filings(self) -> tuple[Filed, ...]:
        """All filings."""
        from keepclear.agreements.heard import filed_in

        return filed_in(self.talk, self.bodies, self.last_s)

    @property
    def view(self) -> RecordView:
        """All else."""
        from keepclear.agreements.heard import record_of

        return record_of(self.talk, self.bodies, self.last_s)

    @property
    def documents(self) -> Mapping[str, Document]:
        """The documents of agreements, by hash."""
        from keepclear.agreements.heard import documents_in

        return documents_in(self.entries.values())


def read_record(directory: Path, line: str | None) -> Offline:
    """What a party's folder holds of a line.

    Raises
    ------
    InputError
        If it is no such folder, or it is not clear which line is meant.
    IntegrityError
        If a log does not hold what was logged.
    """
    if not is_party_folder(str(directory)):
        raise InputError(Fault("there are no logs here", _RIGHT, str(directory), field="--record"))
    folder = opened(directory, None)
    with folder.store(readonly=True) as store:
        return _read(store, folder, _line(store, line))


def _line(store: LogStore, wanted: str | None) -> str:
    from keepclear.record.names import KeyName

    names = [KeyName.of_text(log.origin) for log in store.logs()]
    lines = sorted({str(name.line) for name in names if name is not None})
    if wanted is None and len(lines) == 1:
        return lines[0]
    if wanted is None or wanted not in lines:
        problem = "no such line is held" if wanted is not None else f"logs of {len(lines)} lines are held"
        right = f"one of: {', '.join(lines)}" if lines else "begin a log: keepclear log new"
        raise InputError(Fault(problem, right, field="--line", value=wanted or ""))
    return wanted


def _read(store: LogStore, folder: PartyFolder, line: str) -> Offline:
    from keepclear.line.conversation import Conversation
    from keepclear.line.said import Heard
    from keepclear.record.bodies.registry import body_of
    from keepclear.record.names import KeyName

    # Nobody's own: what counts is what others have shown, for every party alike.
    talk = Conversation("")
    entries: dict[EntryRef, Entry] = {}
    bodies: dict[EntryRef, Body] = {}
    last_s = -math.inf
    for log in store.logs():
        name = KeyName.of_text(log.origin)
        if name is None or name.line != line:
            continue
        held = held_log(store, folder, log.origin)
        for ref, entry in _entries(held):
            talk.take(Heard(ref, entry, math.inf))
            entries[ref] = entry
            last_s = max(last_s, entry.leaf.time_s)
            try:
                body = body_of(entry)
            except PeerError:
                continue
            if body is not None:
                bodies[ref] = body
        last_s = max(last_s, _take_receipts(talk, store, held))
    if not entries:
        raise InputError(Fault("nothing was said on this line", "a line with entries", field="--line", value=line))
    return Offline(line, talk, entries, bodies, last_s)


def _entries(log: HeldLog) -> list[tuple[EntryRef, Entry]]:
    from keepclear.record.entries import EntryRef
    from keepclear.record.merkle import leaf_hash

    found = []
    for index in range(log.size):
        try:
            entry = log.entry(index)
        except PeerError as error:
            note(f"Note: left out is entry {index} of {log.origin}: {error}")
            continue
        found.append((EntryRef(log.origin, index, leaf_hash(entry.leaf.raw)), entry))
    return found


def _take_receipts(talk: Conversation, store: LogStore, log: HeldLog) -> float:
    """Take in every cosignature that is held; the latest time that one names."""
    from keepclear.line.conversation import Receipt
    from keepclear.record.cosignatures import cosigned_at
    from keepclear.record.keys import VerifierKey
    from keepclear.record.names import KeyName, Purpose
    from keepclear.record.notes import Note

    last_s = -math.inf
    sizes = {size for _, size in store.first_cosigned(log.origin, above=0)} | {log.size}
    sizes |= {head.size for head in _heads(store, log.origin)}
    for size in sorted(sizes):
        try:
            checkpoint = Note.of_bytes(log.checkpoint(size))
        except InputError:
            continue
        for key, _ in store.cosignatures(log.origin, size):
            verifier = VerifierKey.of_text(key)
            name = KeyName.of_text(verifier.name)
            by = name.party if name is not None and name.purpose is Purpose.MIRROR else verifier.name
            for signature in checkpoint.signatures:
                if (signature.name, signature.key_id) != (verifier.name, verifier.key_id):
                    continue
                try:
                    at_s = float(cosigned_at(checkpoint.text, signature, verifier))
                except IntegrityError:
                    continue
                talk.take(Receipt(log.origin, size, by, at_s))
                last_s = max(last_s, at_s)
    return last_s


def _heads(store: LogStore, origin: str) -> list[SignedHead]:
    """All checkpoints that are kept, newest first."""
    found: list[SignedHead] = []
    before: int | None = None
    while some := store.checkpoints(origin, before=before):
        found += some
        before = some[-1].size
    return found
