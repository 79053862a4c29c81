"""The record offline, in a party's folder or as logs that were exported: what was said on a line, and what counts when.

Nothing is asked but the logs: an entry counts from the first cosignature of somebody other than its author. Of a node
that has more in its tables nothing else is believed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from keepclear.cli.folders import opened
from keepclear.cli.kept_logs import is_party_folder
from keepclear.cli.record_tracks import committed_by
from keepclear.cli.screen import note
from keepclear.cli.which_log import held_log
from keepclear.errors import Fault, InputError, IntegrityError, PeerError
from keepclear.record.names import KeyName

if TYPE_CHECKING:
    from keepclear.agreements.documents import Document
    from keepclear.agreements.facts import Filed, RecordView
    from keepclear.cli.record_tracks import Committed
    from keepclear.line.conversation import Conversation, Receipt
    from keepclear.record.bodies.base import Body
    from keepclear.record.entries import Entry, EntryRef
    from keepclear.store.held import HeldLog
    from keepclear.store.log_store import LogStore, SignedHead
    from keepclear.store.party_folder import PartyFolder

    Log = tuple[KeyName, Iterable[tuple[EntryRef, Entry]], Iterable[Receipt]]

__all__ = ["Offline", "read_record"]

_RIGHT = "a party's folder, or logs as keepclear export writes them"


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
    committed
        The batches of positions that were shared or committed to.
    notes
        What is to be known of how the record was read.
    """

    line: str
    talk: Conversation
    entries: Mapping[EntryRef, Entry]
    bodies: Mapping[EntryRef, Body]
    last_s: float
    committed: tuple[Committed, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def counts(self) -> Mapping[EntryRef, float]:
        """From when entries count; those that nobody but their author is known to have are left out."""
        said = ((ref, self.talk.said(ref)) for ref in self.entries)
        found = ((ref, None if one is None else self.talk.counts_from_s(one)) for ref, one in said)
        return {ref: at_s for ref, at_s in found if at_s is not None and math.isfinite(at_s)}

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


def read_record(directory: Path, line: str | None, policies: list[str] | None = None) -> Offline:
    """What a party's folder, or logs that were exported, hold of a line.

    Parameters
    ----------
    policies
        Files that say whose keys are believed: for exported logs alone, since a party's folder has verified its own.

    Raises
    ------
    InputError
        If it is no such folder, or it is not clear which line is meant.
    IntegrityError
        If a log does not hold what was logged.
    """
    if is_party_folder(str(directory)):
        if policies:
            right = "leave it out: the folder has verified its logs already"
            raise InputError(Fault("not for a party's folder", right, str(directory), field="--policy"))
        folder = opened(directory, None)
        with folder.store(readonly=True) as store:
            names = [KeyName.of_text(log.origin) for log in store.logs()]
            return _read(_kept(store, folder), _line(names, line))
    from keepclear.cli.record_exports import exported_folders, policy_of, read_export

    folders = exported_folders(directory)
    if not folders:
        raise InputError(Fault("there are no logs here", _RIGHT, str(directory), field="--record"))
    believed = policy_of(policies or [], directory)
    logs = [read_export(one, believed) for one in folders]
    read = _read(((one.name, one.entries, one.receipts) for one in logs), _line([one.name for one in logs], line))
    silent = [one.name.text for one in logs if one.name.line == read.line and not one.receipts]
    notes = (f"{one}: no cosigner that a policy names has cosigned it, so nothing in it counts" for one in silent)
    return replace(read, notes=tuple(notes))


def _line(names: Iterable[KeyName | None], wanted: str | None) -> str:
    lines = sorted({str(name.line) for name in names if name is not None})
    if wanted is None and len(lines) == 1:
        return lines[0]
    if wanted is None or wanted not in lines:
        problem = "no such line is held" if wanted is not None else f"logs of {len(lines)} lines are held"
        right = f"one of: {', '.join(lines)}" if lines else "begin a log: keepclear log new"
        raise InputError(Fault(problem, right, field="--line", value=wanted or ""))
    return wanted


def _read(logs: Iterable[Log], line: str) -> Offline:
    from keepclear.line.conversation import Conversation
    from keepclear.line.said import Heard
    from keepclear.record.bodies.registry import body_of
    from keepclear.record.bodies.watched import PositionsBody
    from keepclear.record.entry_types import EntryType

    # Nobody's own: what counts is what others have shown, for every party alike.
    talk = Conversation("")
    entries: dict[EntryRef, Entry] = {}
    bodies: dict[EntryRef, Body] = {}
    committed: list[Committed] = []
    last_s = -math.inf
    for name, said, receipts in logs:
        if name.line != line:
            continue
        for ref, entry in said:
            talk.take(Heard(ref, entry, math.inf))
            last_s = max(last_s, entry.leaf.time_s)
            try:
                body = body_of(entry)
            except PeerError:
                body = None
            if body is not None:
                bodies[ref] = body
            if entry.leaf.type == EntryType.POSITIONS:
                committed.append(committed_by(ref, entry, body if isinstance(body, PositionsBody) else None))
            # A batch is long, and its positions are kept above.
            entries[ref] = entry.without_body() if entry.leaf.type == EntryType.POSITIONS else entry
        for receipt in receipts:
            talk.take(receipt)
            last_s = max(last_s, receipt.at_s)
    if not entries:
        raise InputError(Fault("nothing was said on this line", "a line with entries", field="--line", value=line))
    return Offline(line, talk, entries, bodies, last_s, tuple(committed))


def _kept(store: LogStore, folder: PartyFolder) -> Iterator[Log]:
    """The logs in a party's folder."""
    for log in store.logs():
        name = KeyName.of_text(log.origin)
        if name is not None:
            held = held_log(store, folder, log.origin)
            yield name, _entries(held), _receipts(store, held)


def _entries(log: HeldLog) -> Iterator[tuple[EntryRef, Entry]]:
    from keepclear.record.entries import EntryRef
    from keepclear.record.merkle import leaf_hash

    for index in range(log.size):
        try:
            entry = log.entry(index)
        except PeerError as error:
            note(f"Note: left out is entry {index} of {log.origin}: {error}")
            continue
        yield EntryRef(log.origin, index, leaf_hash(entry.leaf.raw)), entry


def _receipts(store: LogStore, log: HeldLog) -> Iterator[Receipt]:
    """Every cosignature that is held."""
    from keepclear.line.conversation import Receipt
    from keepclear.record.cosignatures import cosigned_at
    from keepclear.record.keys import VerifierKey
    from keepclear.record.names import Purpose
    from keepclear.record.notes import Note

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
                yield Receipt(log.origin, size, by, at_s)


def _heads(store: LogStore, origin: str) -> Iterator[SignedHead]:
    """All checkpoints that are kept, newest first."""
    before: int | None = None
    while some := store.checkpoints(origin, before=before):
        yield from some
        before = some[-1].size
