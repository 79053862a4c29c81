"""The tracks that a record can show: batches of positions that travelled with it, and files that it had committed to.

A batch counts as what its party said of its own units once its bytes have the hash that stands in the party's log. One
whose bytes are not in the record is told; whoever has them hands them in as a file, and the hash proves them then.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from keepclear.errors import Fault, InputError

if TYPE_CHECKING:
    from keepclear.agreements.facts import Flown
    from keepclear.model.kinds import OperationKind, ZoneKind
    from keepclear.record.bodies.watched import PositionsBody
    from keepclear.record.entries import Entry, EntryRef
    from keepclear.watch.batches import Piece

__all__ = ["Committed", "committed_by", "entry_told", "proved_files", "together", "tracks_shared"]

_LINES = (".ndjson", ".jsonl")
_NOISE_M = 250.0  # as far as a receiver may be off without anybody thinking of it as another place
_AHEAD_S = 5.0


@dataclass(frozen=True, eq=False, slots=True)
class Committed:
    """A batch that stands in a party's log by its hash.

    Attributes
    ----------
    ref, party
        Which entry, and whose.
    body
        What it says of the batch; None where it is not held.
    pieces
        The positions; none where the bytes are not here, or are not what was said.
    problem
        Why; empty where all is well.
    """

    ref: EntryRef
    party: str
    body: PositionsBody | None
    pieces: tuple[Piece, ...] = ()
    problem: str = ""

    @property
    def flown(self) -> tuple[Flown, ...]:
        """Its tracks."""
        from keepclear.watch.shared_batches import flown_in

        return () if self.body is None else flown_in(self.party, self.body, self.pieces)


def committed_by(ref: EntryRef, entry: Entry, body: PositionsBody | None) -> Committed:
    """What an entry of positions commits to, with the positions where their bytes are in it."""
    from keepclear.watch.shared_batches import checked_batch

    if body is None:
        return Committed(ref, entry.leaf.party, None, problem="its body is not held here")
    attached = entry.attachments[0] if entry.attachments else None
    if attached is None:
        return Committed(ref, entry.leaf.party, body, problem=f"the batch {body.batch} is not held here")
    pieces, problem = checked_batch(body, attached.data)
    return Committed(ref, entry.leaf.party, body, pieces, problem)


def tracks_shared(
    committed: Iterable[Committed], counts: Mapping[EntryRef, float], window: tuple[float | None, float | None]
) -> tuple[tuple[Flown, ...], tuple[str, ...]]:
    """The tracks that were shared, one of each unit, and what of them could not be used, as sentences.

    Parameters
    ----------
    counts
        From when each entry counts: nobody shares where a unit will have been.
    window
        From when to when anybody wants to know; None: not bounded.
    """
    from keepclear.watch.shared_batches import joined_batches

    units: dict[tuple[str, str], list[Flown]] = {}
    problems = []
    for one in committed:
        if one.body is not None and not _within(one.body, window):
            continue
        problem = one.problem
        if one.body is not None and not problem and one.body.to_s > counts.get(one.ref, math.inf) + _AHEAD_S:
            problem = "it has positions of a time after it was told"
        if problem:
            problems.append(f"positions of {one.party} ({entry_told(one.ref)}) are left out: {problem}")
            continue
        for flown in one.flown:
            units.setdefault((flown.party, flown.unit), []).append(flown)
    return tuple(track for some in units.values() for track in joined_batches(some)), tuple(problems)


def proved_files(
    files: Sequence[str], committed: Sequence[Committed]
) -> tuple[tuple[Flown, ...], list[str], tuple[str, ...]]:
    """The files that are batches: those that the record commits to are proved by their hash.

    Returns
    -------
    tuple
        Their tracks, the files that are none, and what to say of them.

    Raises
    ------
    InputError
        With everything that is wrong with such files.
    """
    from keepclear.formats.registry import parse_source
    from keepclear.watch.batches import batch_hash

    by_hash = {one.body.batch: one for one in committed if one.body is not None}
    found: list[Flown] = []
    others: list[str] = []
    notes: list[str] = []
    faults: list[Fault] = []
    for file in files:
        try:
            path, party, kind = parse_source(file)
            if not path.lower().endswith(_LINES):
                others.append(file)
                continue
            data = _bytes_of(path)
            known = by_hash.get(batch_hash(data))
            if known is None:
                found += _unproved(path, party, kind, data)
                if committed:
                    notes.append(f"{path} is no batch that this record commits to: nothing proves when it was made")
            else:
                found += _proved(path, party, data, known)
                notes.append(f"{path} is the batch that {known.party} committed to ({entry_told(known.ref)})")
        except InputError as error:
            faults += [replace(fault, file=fault.file or file) for fault in error.faults]
    if faults:
        raise InputError(faults)
    return tuple(found), others, tuple(notes)


def together(given: Sequence[Flown], shared: Sequence[Flown]) -> tuple[tuple[Flown, ...], tuple[str, ...]]:
    """Tracks that were given, and those that were shared, with what to say of units of which there are both.

    What was shared is left aside where what was given covers it and agrees with it, since it says the same less
    exactly. Where the two do not agree both stand, each by itself.
    """
    found, notes = list(given), []
    for one in shared:
        own = [at for at, flown in enumerate(found[: len(given)]) if (flown.party, flown.unit) == (one.party, one.unit)]
        hashes = set(one.batches)
        if any(hashes <= set(found[at].batches) for at in own):
            continue  # the very batch was handed in
        agreeing = next((at for at in own if _agrees(found[at], one)), None)
        if agreeing is not None:
            found[agreeing] = replace(found[agreeing], batches=(*found[agreeing].batches, *one.batches))
            notes.append(f"what {one.party} shared of {one.unit} agrees with the track that was given of it")
        elif own:
            found.append(replace(one, unit=f"{one.unit} as shared"))
            notes.append(
                f"what {one.party} shared of {one.unit} is not the track that was given of it: each is looked at"
            )
        else:
            found.append(one)
    return tuple(found), tuple(notes)


def entry_told(ref: EntryRef) -> str:
    """An entry in sentences."""
    return f"entry {ref.index} of {ref.origin}"


def _within(body: PositionsBody, window: tuple[float | None, float | None]) -> bool:
    low, high = window
    return (low is None or body.to_s >= low) and (high is None or body.from_s <= high)


def _bytes_of(path: str) -> bytes:
    from keepclear.cli.record_files import read_file
    from keepclear.watch.batches import MOST_LINE_BYTES, MOST_POSITIONS

    right = "a batch: positions, one JSON object a line"
    return read_file(path, most_bytes=MOST_LINE_BYTES * MOST_POSITIONS, right=right)


def _proved(path: str, party: str | None, data: bytes, known: Committed) -> tuple[Flown, ...]:
    from keepclear.watch.shared_batches import checked_batch, flown_in

    assert known.body is not None
    if party is not None and party != known.party:
        right = f"{path}@{known.party}, or no party"
        raise InputError(Fault(f"{known.party} has committed to this batch", right, path, field="party", value=party))
    pieces, problem = checked_batch(known.body, data)
    if problem:
        raise InputError(Fault(problem, f"the batch as {known.party} described it", path))
    return tuple(replace(one, source=path) for one in flown_in(known.party, known.body, pieces))


def _unproved(
    path: str, party: str | None, kind: OperationKind | ZoneKind | None, data: bytes
) -> Iterator[Flown]:  # fmt: skip
    from keepclear.agreements.facts import Flown
    from keepclear.model.kinds import OperationKind
    from keepclear.watch.batches import read_batch

    for piece in read_batch(data):
        what = kind.value if isinstance(kind, OperationKind) else ""
        yield Flown(party or Path(path).stem, piece.identity.name, piece.track(), kind=what, source=path)


def _agrees(given: Flown, shared: Flown) -> bool:
    """Whether a track covers all of what was shared, without a gap, and is nowhere else than that says."""
    import numpy as np

    from keepclear.watch.sampling import path_of

    track = shared.track
    low, high = float(track.time_s[0]), float(track.time_s[-1])
    if given.track.time_s[0] > low or given.track.time_s[-1] < high:
        return False
    path, other = path_of(given, low, high), path_of(shared, low, high)
    if path is None or other is None:
        return False
    moments = np.array(track.time_s)
    here, there = path.at(moments), other.at(moments)
    apart = np.linalg.norm(here.xyz_m - there.xyz_m, axis=1)
    return bool(np.all(here.known & there.known & (apart <= here.doubt_m + there.doubt_m + _NOISE_M)))
