"""Operations that come again."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response

from keepclear.api.asking import TheNode
from keepclear.api.authentication import Needs
from keepclear.api.limits import RowId
from keepclear.api.paging import PageAsked
from keepclear.api.parameters import LineFilter, lines_asked
from keepclear.api.shown.entries import id_or_none, ref_told
from keepclear.errors import Fault, InputError
from keepclear.node.actors import Actor
from keepclear.node.entry_ids import EntryId
from keepclear.node.filing_requests import FilingRequest
from keepclear.node.recurrence import Recurrence
from keepclear.node.roles import Scope
from keepclear.node.series import Day
from keepclear.record.entries import EntryRef
from keepclear.store.node.series import KeptSeries
from keepclear.values.base import Listed, moment, moment_or_none
from keepclear.values.entries import EntrySaid
from keepclear.values.filings import DAY_PATTERN, CancelledTold, SeriesAsked, SeriesDayTold, SeriesTold

__all__ = ["router"]

router = APIRouter(tags=["series"])
_Reader = Annotated[Actor, Needs(Scope.READ)]
_Filer = Annotated[Actor, Needs(Scope.FILE)]
_Reason = Annotated[str | None, Query(min_length=1, max_length=1000, description="Why.")]


@router.get("/series")
def list_series(node: TheNode, actor: _Reader, page: PageAsked, line: LineFilter = None) -> Listed[SeriesTold]:
    """Series, the oldest first, those that were cancelled too."""
    if line is not None:
        lines_asked(node, line)
    rows = node.series.listed(by=actor, after=page.number_after, limit=page.limit + 1, line=line)
    shown, cursor = page.answer(rows, key=lambda row: [row.id])
    return Listed[SeriesTold](items=[_told(row) for row in shown], next=cursor)


@router.post("/series", status_code=201)
def begin_series(node: TheNode, actor: _Filer, asked: SeriesAsked, response: Response) -> SeriesTold:
    """Begin a series with its first operation; each is filed in its time."""
    members = asked.model_dump(mode="json", exclude_unset=True)
    recurrence = Recurrence.of_json({"zone": asked.recurrence.zone, **members.pop("recurrence")})
    kept = node.series.begin(FilingRequest.of_json(members), recurrence, by=actor)
    response.headers["location"] = f"/api/v1/series/{kept.id}"
    return _told(kept)


@router.get("/series/{number}")
def get_series(node: TheNode, actor: _Reader, number: RowId) -> SeriesTold:
    """One series."""
    return _told(node.series.get(number, by=actor))


@router.get("/series/{number}/days")
def list_series_days(node: TheNode, actor: _Reader, number: RowId, page: PageAsked) -> Listed[SeriesDayTold]:
    """The single operations of a series, and what became of each."""
    days = [one for one in node.series.days(number, by=actor) if one.occurrence.day.isoformat() > page.text_after]
    shown, cursor = page.answer(days[: page.limit + 1], key=lambda one: [one.occurrence.day.isoformat()])
    return Listed[SeriesDayTold](items=[_day_told(one) for one in shown], next=cursor)


@router.delete("/series/{number}")
def cancel_series(node: TheNode, actor: _Filer, number: RowId, reason: _Reason = None) -> CancelledTold:
    """Let a series come no more, and cancel what of it was filed and is not over."""
    return _cancelled(node.series.cancel(number, reason, by=actor))


@router.delete("/series/{number}/days/{day}")
def cancel_series_day(
    node: TheNode,
    actor: _Filer,
    number: RowId,
    day: Annotated[str, Path(pattern=DAY_PATTERN, description="The day, as in the list.", examples=["2026-01-31"])],
    reason: _Reason = None,
) -> CancelledTold:
    """Cancel one of a series, filed or not."""
    try:
        which = date.fromisoformat(day)
    except ValueError:
        raise InputError(Fault("no such day", "a day as ISO 8601 has it", field="day", value=day)) from None
    return _cancelled(node.series.cancel_one(number, which, reason, by=actor))


def _told(kept: KeptSeries) -> SeriesTold:
    return SeriesTold(
        id=kept.id,
        line=kept.line,
        by=kept.by,
        begun_at=moment(kept.begun_s),
        request=dict(kept.request),
        recurrence=dict(kept.recurrence),
        cancelled=moment_or_none(kept.ended_s),
        cancelled_by=kept.ended_by,
    )


def _day_told(one: Day) -> SeriesDayTold:
    return SeriesDayTold(
        day=one.occurrence.day.isoformat(),
        starts=moment(one.occurrence.start_s),
        state=one.state,
        thing_id=one.id,
        entry=id_or_none(one.ref),
        note=one.note,
    )


def _cancelled(refs: tuple[EntryRef, ...]) -> CancelledTold:
    said: list[Any] = [EntrySaid(id=str(EntryId.of(ref)), ref=ref_told(ref)) for ref in refs]
    return CancelledTold(entries=said)
