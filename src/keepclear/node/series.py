"""Operations that come again: each is filed by itself, some time before it starts.

What is filed is an operation like any other, with an id of its own (``patrol/2026-01-05``), so it can be amended and
cancelled like any other. Each day is filed once: it is claimed under the series and the day before it is said, and who
comes after a crash looks in our log whether it was. What cannot be filed (a guard refuses it, nobody is on the line)
is noted with the reason, told to those who watch, and tried again; a day whose time has passed is missed, and shown so.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from keepclear.errors import Fault, InputError, KeepclearError, PeerError
from keepclear.model.operations import Operation
from keepclear.node.actors import Actor, Via
from keepclear.node.acts import Acts
from keepclear.node.audience import Audience
from keepclear.node.bell import Bell
from keepclear.node.filing import Filing
from keepclear.node.filing_requests import FilingRequest
from keepclear.node.records import Records
from keepclear.node.recurrence import Occurrence, Recurrence, moved, starts_s
from keepclear.node.refusals import NotFoundError, StaleError
from keepclear.node.roles import Scope
from keepclear.record.bodies.plans import OperationBody
from keepclear.record.bodies.registry import body_of
from keepclear.record.entries import EntryRef
from keepclear.store.node import events
from keepclear.store.node.database import NodeDatabase
from keepclear.store.node.intents import Intent, claim, intent_of, release, settle
from keepclear.store.node.series import (
    KeptDay,
    KeptSeries,
    add_series,
    days_of,
    end_series,
    live_series,
    put_day,
    series_after,
    series_of,
)

__all__ = ["Day", "SeriesDesk"]

_LOOK_S = 60.0
_AT_ONCE = 1024
_DESPITE = "one of a series, which the node files by itself"
_SCOPES = frozenset({Scope.READ, Scope.FILE})


@dataclass(frozen=True, slots=True)
class Day:
    """One of a series.

    Attributes
    ----------
    occurrence
        Its day, and when it starts.
    state
        ``due`` (not filed yet), ``filed``, ``cancelled``, ``failed`` or ``missed``.
    id
        Of the operation.
    ref
        The entry that files it; None where there is none.
    note
        Why it failed; what is odd about its time.
    """

    occurrence: Occurrence
    state: str
    id: str
    ref: EntryRef | None
    note: str


class SeriesDesk:
    """Keeps series, and files what is due. `start` has a thread do it; the process that leads the node does.

    Parameters
    ----------
    records, database, acts, bell, clock
        The node's.
    filing, audience
        Files, and knows the lines.
    """

    def __init__(
        self,
        records: Records,
        database: NodeDatabase,
        filing: Filing,
        audience: Audience,
        acts: Acts,
        bell: Bell,
        clock: Callable[[], float],
    ) -> None:
        self._records, self._database, self._filing, self._audience = records, database, filing, audience
        self._acts, self._bell, self._clock = acts, bell, clock
        self._thread: threading.Thread | None = None
        self._stopping, self._wake = threading.Event(), threading.Event()
        self._filing_now = threading.Lock()

    # --- keeping ---------------------------------------------------------------------------------------------------

    def begin(self, request: FilingRequest, recurrence: Recurrence, *, by: Actor) -> KeptSeries:
        """Begin a series with its first operation; what is due is filed soon.

        Raises
        ------
        InputError
            If it is no operation that can come again, or never comes.
        RefusedError
            If a guard refuses it.
        """
        by.must(Scope.FILE)
        line = self._audience.line(request.line)
        operation = request.model()
        if not isinstance(operation, Operation):
            raise InputError(Fault("a zone does not come again", "an operation", field="zone"))
        first_s = starts_s(operation)
        recurrence.check(first_s)
        self._filing.try_out(replace(request, line=line), by=by)
        with self._database.writing() as conn:
            kept = add_series(
                conn, line=line, by=by.user, at_s=self._clock(), request=replace(request, line=line).to_json(),
                recurrence=recurrence.to_json(),
            )  # fmt: skip
            self._acts.record(conn, by, "series begin", ref=str(kept.id), detail={"id": operation.id})
        self._wake.set()
        self._bell.ring("event")
        return kept

    def get(self, id: int, *, by: Actor) -> KeptSeries:  # noqa: A002  # its id
        """A series.

        Raises
        ------
        NotFoundError
            If there is none of that number.
        """
        by.must(Scope.READ)
        with self._database.reading() as conn:
            found = series_of(conn, id)
        if found is None:
            raise NotFoundError("series", field="id", value=str(id))
        return found

    def listed(
        self, *, by: Actor, after: int | None = None, limit: int = 100, line: str | None = None
    ) -> list[KeptSeries]:
        """Series with greater numbers, oldest first, those that were cancelled too."""
        by.must(Scope.READ)
        with self._database.reading() as conn:
            return series_after(conn, after, limit=limit, line=line)

    def days(self, id: int, *, by: Actor) -> tuple[Day, ...]:  # noqa: A002  # its id
        """All of a series, in order, and how each stands."""
        kept = self.get(id, by=by)
        with self._database.reading() as conn:
            known = days_of(conn, id)
        operation, recurrence = _read(kept)
        found = []
        for one in recurrence.occurrences(starts_s(operation)):
            day = known.get(one.day.isoformat(), KeptDay(one.day.isoformat(), one.start_s, "due", note=one.note))
            ref = None
            if day.origin is not None and day.index is not None:
                ref = self._records.ref(day.origin, day.index)
            found.append(Day(one, day.state, _id(operation, one), ref, day.note))
        return tuple(found)

    def cancel(self, id: int, reason: str | None = None, *, by: Actor) -> tuple[EntryRef, ...]:  # noqa: A002
        """Let a series come no more, and cancel what of it was filed and is not over; the entries that say so.

        Raises
        ------
        StaleError
            If it was cancelled before.
        """
        by.must(Scope.FILE)
        self.get(id, by=by)
        with self._filing_now:  # nothing of it is filed meanwhile
            with self._database.writing() as conn:
                if not end_series(conn, id, by=by.user, at_s=self._clock()):
                    raise StaleError(f"series {id} was cancelled before")
                self._acts.record(conn, by, "series cancel", ref=str(id))
            said: list[EntryRef] = []
            for day in self.days(id, by=by):
                if day.state == "filed":
                    said += self._cancel_day(id, day, reason, by)
        self._bell.ring("event")
        return tuple(said)

    def cancel_one(self, id: int, day: date, reason: str | None = None, *, by: Actor) -> tuple[EntryRef, ...]:  # noqa: A002
        """Cancel one of a series, filed or not; the entries that say so, if it was.

        Raises
        ------
        NotFoundError
            If it has no such day.
        StaleError
            If that was cancelled before, or is missed.
        """
        by.must(Scope.FILE)
        with self._filing_now:
            found = next((one for one in self.days(id, by=by) if one.occurrence.day == day), None)
            if found is None:
                raise NotFoundError("day of this series", field="day", value=day.isoformat())
            if found.state in {"cancelled", "missed"}:
                raise StaleError(f"{day.isoformat()} is {found.state}")
            said = self._cancel_day(id, found, reason, by)
            self._acts.note(by, "series cancel one", ref=str(id), detail={"day": day.isoformat()})
        return said

    # --- filing ----------------------------------------------------------------------------------------------------

    def file_due(self) -> int:
        """File all that is due and was not filed; how many were."""
        filed = 0
        with self._filing_now:
            with self._database.reading() as conn:
                series = live_series(conn)
            for kept in series:
                filed += self._file_series(kept)
        return filed

    def start(self) -> None:
        """Have a thread file what is due."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="keepclear-series", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        thread, self._thread = self._thread, None
        self._stopping.set()
        self._wake.set()
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                self.file_due()
            except KeepclearError as error:
                with suppress(KeepclearError):
                    self._tell({"problem": str(error)}, None)
            self._wake.wait(_LOOK_S)

    def _file_series(self, kept: KeptSeries) -> int:
        try:
            operation, recurrence = _read(kept)
        except InputError as error:
            self._tell({"series": kept.id, "problem": str(error)}, kept.line)
            return 0
        now_s, first_s = self._clock(), starts_s(operation)
        with self._database.reading() as conn:
            known = days_of(conn, kept.id)
        filed = 0
        for one in recurrence.occurrences(first_s):
            if one.start_s > now_s + recurrence.ahead_s:
                break
            state = known[one.day.isoformat()].state if one.day.isoformat() in known else "due"
            if state in {"due", "failed"}:
                filed += self._file_day(kept, operation, one, state=state, now_s=now_s)
        return filed

    def _file_day(self, kept: KeptSeries, first: Operation, one: Occurrence, *, state: str, now_s: float) -> int:
        key = f"series {kept.id} {one.day.isoformat()}"
        operation = moved(first, by_s=one.start_s - starts_s(first), id=_id(first, one))
        if self._found_said(kept, key, one, operation.id):
            return 1
        if one.start_s <= now_s:
            note = "its time came before it could be filed"
            self._put(kept, KeptDay(one.day.isoformat(), one.start_s, "missed", note=note), tell=True)
            return 0
        by = Actor(kept.by, frozenset(), _SCOPES, via=Via.SYSTEM, credential=f"series {kept.id}")
        origin = self._records.own_origin(kept.line)
        intent = Intent(key, now_s, kept.by, origin, self._records.size(origin))
        with self._database.writing() as conn:
            if claim(conn, intent) is not None:
                return 0
        try:
            request = replace(FilingRequest.of_json(kept.request), thing=operation)
            # Nobody is there to be asked, and a plan that is carried out all the same is better told than hidden.
            request = replace(request, despite_terms=request.despite_terms or _DESPITE)
            filed = self._filing.file(request, by=by)
        except KeepclearError as error:
            with self._database.writing() as conn:
                release(conn, key)
            day = KeptDay(one.day.isoformat(), one.start_s, "failed", note=str(error))
            self._put(kept, day, tell=state != "failed")
            return 0
        self._settle(kept, key, one, filed.ref)
        return 1

    def _found_said(self, kept: KeptSeries, key: str, one: Occurrence, id: str) -> bool:  # noqa: A002  # its id
        """Whether a day that was claimed before a crash was said; if not, the claim is given up."""
        with self._database.reading() as conn:
            there = intent_of(conn, key)
        if there is None:
            return False
        ref = self._said_since(there, id)
        if ref is None:
            with self._database.writing() as conn:
                release(conn, key)
            return False
        self._settle(kept, key, one, ref)
        return True

    def _said_since(self, there: Intent, id: str) -> EntryRef | None:  # noqa: A002  # its id
        """The entry of our log that files the operation of that id, from where the claim was made on."""
        end = self._records.size(there.origin)
        for at in range(there.size, end, _AT_ONCE):
            for index, entry in enumerate(self._records.entries(there.origin, at, min(at + _AT_ONCE, end)), at):
                try:
                    body = body_of(entry)
                except PeerError:
                    continue
                if isinstance(body, OperationBody) and body.operation.id == id:
                    return EntryRef(there.origin, index, entry.leaf.hash)
        return None

    def _settle(self, kept: KeptSeries, key: str, one: Occurrence, ref: EntryRef) -> None:
        day = KeptDay(one.day.isoformat(), one.start_s, "filed", ref.origin, ref.index, one.note)
        with self._database.writing() as conn:
            settle(conn, key, origin=ref.origin, index=ref.index)
            put_day(conn, kept.id, day)

    def _cancel_day(self, id: int, day: Day, reason: str | None, by: Actor) -> tuple[EntryRef, ...]:  # noqa: A002
        said: tuple[EntryRef, ...] = ()
        if day.ref is not None:
            try:
                said = self._filing.cancel(self._filing.newest(day.ref), reason, by=by)
            except StaleError:
                said = ()  # over, or cancelled by itself
        origin, index = (day.ref.origin, day.ref.index) if day.ref is not None else (None, None)
        state = KeptDay(day.occurrence.day.isoformat(), day.occurrence.start_s, "cancelled", origin, index, day.note)
        with self._database.writing() as conn:
            put_day(conn, id, state)
        return said

    def _put(self, kept: KeptSeries, day: KeptDay, *, tell: bool) -> None:
        with self._database.writing() as conn:
            put_day(conn, kept.id, day)
        if tell:
            self._tell({"series": kept.id, "day": day.day, "state": day.state, "problem": day.note}, kept.line)

    def _tell(self, told: dict[str, Any], line: str | None) -> None:
        with self._database.writing() as conn:
            events.say(conn, "filing", told, at_s=self._clock(), line=line)
        self._bell.ring("event")


def _read(kept: KeptSeries) -> tuple[Operation, Recurrence]:
    operation = FilingRequest.of_json(kept.request).model()
    assert isinstance(operation, Operation)
    return operation, Recurrence.of_json(kept.recurrence)


def _id(operation: Operation, one: Occurrence) -> str:
    return f"{operation.id}/{one.day.isoformat()}"
