"""Sharing positions: what a party tells of its own units is its choice, and what it told can be proved.

A batch goes beside the log to those it is for; its hash stands in the log. A batch that is for nobody is committed to
all the same: whoever is shown it later can check that it is what was kept then. What others share is read as tracks of
theirs, as roughly and as late as they chose.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np

from keepclear.agreements.facts import Flown
from keepclear.errors import Fault, InputError, KeepclearError
from keepclear.line.coarse_grid import GRIDS_KM
from keepclear.model.kinds import OperationKind
from keepclear.node.actors import SYSTEM, Actor
from keepclear.node.acts import Acts
from keepclear.node.audience import Audience
from keepclear.node.entry_ids import EntryId
from keepclear.node.guarding import Guards
from keepclear.node.line_bodies import LineBodies
from keepclear.node.positions import Bound, Positions, flown_of
from keepclear.node.proofs import ProofFiles, Proofs
from keepclear.node.records import Outgoing, Records
from keepclear.node.refusals import GoneError, NotFoundError
from keepclear.node.roles import Scope
from keepclear.record.bodies.talk import AttachmentNote
from keepclear.record.bodies.watched import BoxValue, PositionsBody, PositionSource
from keepclear.record.entries import Entry, EntryRef
from keepclear.record.entry_types import EntryType
from keepclear.store.node.arrivals import kept_s
from keepclear.store.node.database import NodeDatabase
from keepclear.store.node.position_shares import (
    KeptShare,
    add_share,
    end_share,
    note_shared,
    open_shares,
    share_of,
    shares,
)
from keepclear.store.node.position_sources import KeptSource
from keepclear.watch.batches import MOST_POSITIONS, Identity, Piece, batch_hash, coarsened, written
from keepclear.watch.shared_batches import checked_batch

__all__ = ["DEFAULT_GRID_KM", "MEDIA_TYPE", "PositionSharing", "ProvedTrack", "Shared", "SharedTrack"]

DEFAULT_GRID_KM = 5
"""How roughly positions are told where nothing else is said."""
MEDIA_TYPE = "application/x-ndjson"

_TYPES = (EntryType.POSITIONS,)
_MOST_KEPT = 512
_MOST_KEPT_POSITIONS = 1_000_000
_AHEAD_S = 5.0
_LEAST_EVERY_S = 5.0
_LATE_S = 3600.0  # so much later than it was a position may come, and is still shared


@dataclass(frozen=True, slots=True)
class Shared:
    """Positions that were said.

    Attributes
    ----------
    ref
        The entry.
    batch
        SHA-256 of the batch.
    count
        How many positions.
    to_s
        The time of the last.
    warnings
        What a person should know.
    """

    ref: EntryRef
    batch: str
    count: int
    to_s: float
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SharedTrack:
    """A batch that was shared on a line.

    Attributes
    ----------
    ref, line, party, body
        The entry.
    flown
        The tracks in it; none where the batch is not held here, or is not what was said.
    problem
        Why; empty where all is well.
    """

    ref: EntryRef
    line: str
    party: str
    body: PositionsBody
    flown: tuple[Flown, ...]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class ProvedTrack:
    """A batch, and what proves when it was committed to.

    Attributes
    ----------
    batch
        Its bytes, whose SHA-256 stands in the entry.
    files
        The proof of the entry; the batch is in the entry's file too, and is checked with it.
    """

    batch: bytes
    files: ProofFiles


class PositionSharing:
    """Shares positions, and reads what others have shared. Any thread may use it.

    Parameters
    ----------
    records, database, acts, clock
        The node's.
    positions
        Ours.
    bodies
        What was said on the lines.
    guards, audience
        Judge what is said, and know who is told.
    proofs
        Gives proofs.
    """

    def __init__(
        self,
        records: Records,
        database: NodeDatabase,
        positions: Positions,
        bodies: LineBodies,
        guards: Guards,
        audience: Audience,
        proofs: Proofs,
        acts: Acts,
        clock: Callable[[], float],
    ) -> None:
        self._records, self._database, self._positions, self._bodies = records, database, positions, bodies
        self._guards, self._audience, self._proofs, self._acts = guards, audience, proofs, acts
        self._clock = clock
        self._read: OrderedDict[EntryRef, tuple[tuple[tuple[Identity, Piece], ...], str]] = OrderedDict()
        self._kept = 0  # positions
        self._spanned: set[EntryRef] = set()
        self._tried: dict[int, float] = {}
        self._lock = threading.Lock()

    # --- sharing ---------------------------------------------------------------------------------------------------

    def share(
        self,
        line: str | None,
        unit: str,
        *,
        by: Actor,
        from_s: float,
        to_s: float,
        recipients: Sequence[str] | None = None,
        grid_km: int | None = DEFAULT_GRID_KM,
        delay_s: float = 0.0,
    ) -> tuple[Shared, ...]:
        """Say where a unit of ours was, or commit to it alone.

        Parameters
        ----------
        recipients
            Who is given the batch; None: all who are on the line. Nobody: it is committed to, and kept.
        grid_km
            How roughly; None: exactly.
        delay_s
            Positions that are not so old are not said.

        Raises
        ------
        InputError
            If there is no such position, or it cannot be said so; with all faults.
        """
        by.must(Scope.FILE)
        line = self._audience.line(line)
        _check(grid_km, delay_s, from_s, to_s)
        told = self._audience.told(line, recipients)
        until_s = min(to_s, self._clock() - delay_s)
        given = self._positions.pieces(unit, from_s, until_s) if from_s <= until_s else []
        if not given:
            late = "" if until_s == to_s else f"; the delay of {delay_s:g} s keeps the newest back"
            right = f"a unit and a time of which positions were posted{late}"
            raise NotFoundError("position of this unit then", field="unit", value=unit, right=right)
        said = []
        for source, bound, piece in given:
            rough = piece if grid_km is None else coarsened(piece, grid_km)
            for start in range(0, len(rough), MOST_POSITIONS):
                some = rough.taken(np.arange(start, min(start + MOST_POSITIONS, len(rough))))
                said.append(self._say(line, told.parties, bound, source, some, grid_km, delay_s, by))
        return tuple(replace(one, warnings=told.warnings) for one in said)

    def _say(
        self, line: str, parties: Sequence[str], bound: Bound, source: KeptSource, piece: Piece, grid_km: int | None,
        delay_s: float, by: Actor,
    ) -> Shared:  # fmt: skip
        data, unit = written([piece]), bound.unit
        west, south, east, north = piece.box if grid_km is None else piece.reach
        body = PositionsBody(
            batch=batch_hash(data), unit=unit, kind=OperationKind(bound.kind) if bound.kind else None,
            domain=next(iter(bound.domains)) if len(bound.domains) == 1 else None,
            platform_class=bound.platform_class or None,
            source=PositionSource(
                name=source.name, owner=source.owner, accuracy_m=source.accuracy_m, max_age_s=source.max_age_s
            ),
            from_s=float(piece.time_s[0]), to_s=float(piece.time_s[-1]), count=len(piece),
            area=BoxValue(west_deg=west, south_deg=south, east_deg=east, north_deg=north),
            precision=None if grid_km is None else f"grid of {grid_km} km", delayed_s=delay_s,
            attachments=[AttachmentNote(name="positions.ndjson", media_type=MEDIA_TYPE, size_bytes=len(data))],
        )  # fmt: skip
        verdict = self._guards.judge(body, by=by, line=line)
        (ref,) = self._records.say(line, [Outgoing(body, parties, attachments=[data])])
        told = {"unit": unit, "count": len(piece), "to": list(parties), "grid_km": grid_km}
        self._acts.note(by, "share positions", ref=str(EntryId.of(ref)), detail=told)
        self._guards.flag(verdict, ref, by=by.user)
        return Shared(ref, body.batch, len(piece), body.to_s)

    # --- as time goes by -------------------------------------------------------------------------------------------

    def begin(
        self,
        line: str | None,
        unit: str,
        *,
        by: Actor,
        recipients: Sequence[str] | None = None,
        grid_km: int | None = DEFAULT_GRID_KM,
        delay_s: float = 0.0,
        every_s: float = 60.0,
        until_s: float | None = None,
    ) -> KeptShare:
        """Share a unit's positions from now on, so roughly and so late, until it is ended.

        Whoever is on the line when it begins is told, unless `recipients` says who: nobody is told that an officer
        has not told, so whoever comes onto the line later is told once somebody shares with them too.

        Raises
        ------
        InputError
            With all that is wrong.
        """
        by.must(Scope.FILE)
        line, now_s = self._audience.line(line), self._clock()
        _check(grid_km, delay_s, now_s, now_s if until_s is None else until_s)
        if not _LEAST_EVERY_S <= every_s <= 86_400.0:
            raise InputError(Fault("not how often", "5 s to a day", field="every_s", value=f"{every_s:g}"))
        # Whom an officer told it to, by name: who comes later is another party, of which nobody has thought yet.
        named = sorted(self._audience.told(line, recipients).parties)
        share = KeptShare(
            0, line, named, unit, grid_km, delay_s, every_s, now_s, until_s, now_s, by.user, now_s
        )  # fmt: skip
        with self._database.writing() as conn:
            share = add_share(conn, share)
            told = {"unit": unit, "to": named, "grid_km": grid_km, "delay_s": delay_s}
            self._acts.record(conn, by, "begin sharing", ref=str(share.id), detail=told)
        return share

    def end(self, number: int, *, by: Actor) -> KeptShare:
        """Share no more of it.

        Raises
        ------
        NotFoundError
            If there is none of that number that goes on.
        """
        by.must(Scope.FILE)
        with self._database.writing() as conn:
            if not end_share(conn, number, by=by.user, at_s=self._clock()):
                raise NotFoundError("sharing that goes on", field="number", value=str(number))
            self._acts.record(conn, by, "end sharing", ref=str(number))
            found = share_of(conn, number)
        assert found is not None
        return found

    def listed(self) -> list[KeptShare]:
        """What is shared as time goes by, and was, the oldest first."""
        with self._database.reading() as conn:
            return shares(conn)

    def make_due(self) -> int:
        """Say what is due of all that is shared as time goes by; how many entries that were."""
        with self._database.reading() as conn:
            due = open_shares(conn)
        done, problems = 0, list[KeepclearError]()
        for one in due:
            try:
                done += self._make_due(one)
            except KeepclearError as error:
                problems.append(error)  # what keeps one from being shared keeps no other back
        if problems:
            raise problems[0]
        return done

    def _make_due(self, share: KeptShare) -> int:
        now_s = self._clock()
        until_s = min(now_s - share.delay_s, now_s if share.until_s is None else share.until_s)
        over = share.until_s is not None and now_s - share.delay_s >= share.until_s
        tried_s = self._tried.get(share.id, share.shared_to_s)
        if not over and until_s - max(tried_s, share.shared_to_s) < share.every_s:
            return 0
        from_s = max(share.shared_to_s, tried_s - _LATE_S)
        self._tried[share.id] = until_s
        said: tuple[Shared, ...] = ()
        actor = replace(SYSTEM, user=share.person, scopes=SYSTEM.scopes | {Scope.FILE})
        told = self._still_told(share)
        if until_s > share.shared_to_s and (told or not share.recipients):
            with suppress(NotFoundError):  # it has not been heard of
                said = self.share(
                    share.line, share.unit, by=actor, from_s=from_s + 0.001, to_s=until_s,
                    recipients=told, grid_km=share.grid_km, delay_s=share.delay_s,
                )  # fmt: skip
        if said:  # else what comes late is still to be said
            with self._database.writing() as conn:
                note_shared(conn, share.id, max(one.to_s for one in said))
        if over:
            with self._database.writing() as conn:
                end_share(conn, share.id, by=SYSTEM.user, at_s=now_s)
        return len(said)

    def _still_told(self, share: KeptShare) -> list[str]:
        """Those of a share's recipients who can be told now: who has left keeps it from nobody else."""
        now = set(self._audience.told(share.line, None).parties)
        return [one for one in share.recipients or () if one in now]

    # --- what was shared -------------------------------------------------------------------------------------------

    def tracks(self, line: str, *, from_s: float | None = None, to_s: float | None = None) -> Iterator[SharedTrack]:
        """What was shared on a line, by us too, and overlaps a time: the tracks as they were told."""
        for ref in self._bodies.refs(line, _TYPES):
            body = self._bodies.body(ref)
            if not isinstance(body, PositionsBody):
                continue
            if (from_s is not None and body.to_s < from_s) or (to_s is not None and body.from_s > to_s):
                continue
            yield self.track(ref)

    def told_by(self, line: str, parties: Collection[str], from_s: float, to_s: float) -> tuple[EntryRef, ...]:
        """The entries in which these parties shared positions of a time: what whoever sees where they were has read."""
        found = []
        for ref in self._bodies.refs(line, _TYPES):
            body = self._bodies.body(ref) if EntryId.of(ref).party in parties else None
            if isinstance(body, PositionsBody) and body.from_s <= to_s and body.to_s >= from_s:
                found.append(ref)
        return tuple(found)

    def spans(self, line: str) -> Iterator[tuple[float, float]]:
        """From when to when positions were shared on a line since this was asked last; no batch is read for it."""
        for ref in self._bodies.refs(line, _TYPES):
            if ref in self._spanned:
                continue
            body = self._bodies.body(ref)
            if isinstance(body, PositionsBody):
                self._spanned.add(ref)
                yield body.from_s, body.to_s

    def track(self, ref: EntryRef) -> SharedTrack:
        """What one entry shares.

        Raises
        ------
        NotFoundError
            If it shares nothing that is known here.
        """
        body, place = self._bodies.body(ref), EntryId.of(ref)
        if not isinstance(body, PositionsBody):
            raise NotFoundError("positions that were shared", field="entry", value=str(place))
        pieces, problem = self._pieces(ref, body)
        source = KeptSource(
            body.source.name, body.source.owner, body.source.accuracy_m, body.source.max_age_s, 0.0, "", "", 0.0
        )  # fmt: skip
        flown = tuple(
            flown_of(self._bound(place.party, identity, body), piece, source, batches=(body.batch,))
            for identity, piece in pieces
        )
        return SharedTrack(ref, place.line, place.party, body, flown, problem)

    def prove(self, ref: EntryRef, *, by: Actor) -> ProvedTrack:
        """The batch of an entry, and the proof that it was committed to.

        Raises
        ------
        NotFoundError
            If it shares nothing.
        GoneError
            If the batch is not held here.
        """
        by.must(Scope.PROOFS)
        shared = self.track(ref)
        data = self._data(ref)
        if data is None:
            raise GoneError("batch that is held here", field="entry", value=str(EntryId.of(ref)))
        if batch_hash(data) != shared.body.batch:
            problem = f"the batch does not have the hash that {shared.party} has said: {shared.body.batch}"
            raise InputError(Fault(problem, field="entry", value=str(EntryId.of(ref))))
        files = self._proofs.of(ref, by=by)
        if Entry.of_json(files.entry).body is None:  # who may not read the entry any more is not given what it shares
            raise GoneError("batch that is still shown: it has expired", field="entry", value=str(EntryId.of(ref)))
        return ProvedTrack(data, files)

    def _bound(self, party: str, identity: Identity, body: PositionsBody) -> Bound:
        domains = frozenset({body.domain} if body.domain is not None else ())
        told = Bound(
            party, identity.name, kind="" if body.kind is None else str(body.kind),
            platform_class=body.platform_class or "", domains=domains,
        )  # fmt: skip
        return self._positions.with_operation(told, identity.name)

    def _data(self, ref: EntryRef) -> bytes | None:
        attachments = self._records.entry(ref).attachments
        return attachments[0].data if attachments and attachments[0] is not None else None

    def _pieces(self, ref: EntryRef, body: PositionsBody) -> tuple[tuple[tuple[Identity, Piece], ...], str]:
        with self._lock:
            known = self._read.get(ref)
            if known is not None:
                self._read.move_to_end(ref)
        if known is not None:
            return known
        data = self._data(ref)
        if data is None:
            return (), "the batch is not held here"
        pieces, problem = self._checked(ref, body, data)
        with self._lock:
            if ref not in self._read:
                self._kept += sum(len(one) for _, one in pieces)
            self._read[ref] = (pieces, problem)
            while len(self._read) > _MOST_KEPT or (self._kept > _MOST_KEPT_POSITIONS and len(self._read) > 1):
                _, (gone, _) = self._read.popitem(last=False)
                self._kept -= sum(len(one) for _, one in gone)
        return pieces, problem

    def _checked(
        self, ref: EntryRef, body: PositionsBody, data: bytes
    ) -> tuple[tuple[tuple[Identity, Piece], ...], str]:  # fmt: skip
        """The positions of a batch as another party sent it; none where they cannot be what was said."""
        with self._database.reading() as conn:
            came_s = kept_s(conn, ref.origin, ref.index)
        latest_s = (self._clock() if came_s is None else came_s) + _AHEAD_S
        pieces, problem = checked_batch(body, data, latest_s=latest_s)
        return tuple((one.identity, one) for one in pieces), problem

    def forget(self) -> None:
        """Keep nothing that was read."""
        with self._lock:
            self._read.clear()
            self._kept = 0


def _check(grid_km: int | None, delay_s: float, from_s: float, to_s: float) -> None:
    faults = []
    if grid_km is not None and grid_km not in GRIDS_KM:
        right = f"one of: {', '.join(map(str, GRIDS_KM))}; or exactly"
        faults.append(Fault("not a grid", right, field="grid_km", value=str(grid_km)))
    if not 0.0 <= delay_s <= 31 * 86_400.0:
        faults.append(Fault("not a delay", "seconds from 0 to 31 days", field="delay_s", value=f"{delay_s:g}"))
    if to_s < from_s:
        faults.append(Fault("the end is before the start", "to after from", field="to"))
    if faults:
        raise InputError(faults)
