"""Positions: posting them, whose they are, and what is shared of them."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from keepclear.api.asking import TheNode
from keepclear.api.authentication import Needs
from keepclear.api.limits import RowId
from keepclear.api.paging import PageAsked
from keepclear.api.parameters import EntryInPath, lines_asked, ref_of
from keepclear.api.shown.positions import (
    batch_told,
    binding_told,
    posted_told,
    shared_told,
    sharing_told,
    source_told,
    track_told,
    unit_told,
)
from keepclear.errors import Fault, InputError
from keepclear.node.actors import Actor
from keepclear.node.refusals import NotFoundError
from keepclear.node.roles import Scope
from keepclear.record.canonical import parse
from keepclear.record.names import NAME_PATTERN
from keepclear.values.base import Listed, Time
from keepclear.values.positions import (
    POSITIONS_EXAMPLE,
    BatchTold,
    BindingAsked,
    BindingTold,
    PostedTold,
    ShareAsked,
    SharedTold,
    SharingAsked,
    SharingTold,
    SourceAsked,
    SourceTold,
    TrackTold,
    UnitTold,
)
from keepclear.watch.batches import MOST_POSITIONS

__all__ = ["router"]

router = APIRouter(tags=["positions"])
_Reader = Annotated[Actor, Needs(Scope.READ)]
_Filer = Annotated[Actor, Needs(Scope.FILE)]
_SourceName = Annotated[
    str, Path(pattern=NAME_PATTERN, max_length=63, description="The source's name.", examples=["trackers"])
]
_MOST_SPAN_S = 31 * 86_400.0
_POSITION: dict[str, Any] = {
    "type": "object",
    "properties": {
        **{name: {"type": "string", "minLength": 1, "maxLength": 100} for name in ("unit", "callsign", "uid")},
        "icao": {"type": "string", "pattern": "^[0-9A-Fa-f]{6}$"},
        "time": {"type": "string", "format": "date-time"},
        "lon_deg": {"type": "number", "minimum": -180, "maximum": 180},
        "lat_deg": {"type": "number", "minimum": -90, "maximum": 90},
        "height_m": {"type": "number", "minimum": -12000, "maximum": 1000000},
        "height_reference": {"type": "string", "enum": ["W84", "AMSL", "AGL", "FL", "UNKNOWN"]},
        "uncertainty_m": {"type": "number", "minimum": 0, "maximum": 10000000},
    },
    "required": ["time", "lon_deg", "lat_deg"],
    "additionalProperties": False,
}
_POSTED = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "properties": {
                    "source": {"type": "string"},
                    "positions": {"type": "array", "items": _POSITION, "minItems": 1, "maxItems": MOST_POSITIONS},
                },
                "required": ["source", "positions"],
                "additionalProperties": False,
            },
            "example": POSITIONS_EXAMPLE,
        },
        "application/x-ndjson": {
            "schema": {"type": "string", "description": "One position a line; the source is a parameter."},
            "example": '{"unit":"patrol-3","time":"2026-01-31T09:00:00Z","lon_deg":41.22,"lat_deg":37.05}\n',
        },
    },
}


@router.post("/positions", status_code=201, openapi_extra={"requestBody": _POSTED})
async def post_positions(
    request: Request,
    node: TheNode,
    actor: _Filer,
    source: Annotated[
        str | None, Query(max_length=63, description="What reported them, with lines.", examples=["trackers"])
    ] = None,
) -> PostedTold:
    """Post a batch of positions: all of it is taken, or nothing; the same batch again is not taken twice.

    Times have a zone. A position that is ahead of the clock, or puts a unit at two places at once, is refused with the
    line that it stands in.
    """
    body: bytes = request.scope["state"].get("body", b"")
    return posted_told(await run_in_threadpool(_posted, node, actor, source, body, _is_json(request)))


@router.get("/positions/batches")
def list_batches(
    node: TheNode,
    actor: _Reader,  # noqa: ARG001  # asked for to be checked
    page: PageAsked,
    source: Annotated[str | None, Query(max_length=63, description="Only of this source.")] = None,
) -> Listed[BatchTold]:
    """Batches that were taken, the newest first."""
    rows = node.positions.batches(page.number_after, limit=page.limit + 1, source=source)
    shown, cursor = page.answer(rows, key=lambda row: [row.id])
    return Listed(items=[batch_told(row) for row in shown], next=cursor)


@router.get("/positions/sources")
def list_sources(node: TheNode, actor: _Reader) -> Listed[SourceTold]:  # noqa: ARG001  # as above
    """What reports positions."""
    return Listed(items=[source_told(one) for one in node.positions.sources()])


@router.put("/positions/sources/{source}")
def put_source(node: TheNode, actor: _Filer, source: _SourceName, asked: SourceAsked) -> SourceTold:
    """Register what reports positions, or say anew how accurate it is."""
    kept = node.positions.register(
        source, by=actor, owner=asked.owner, accuracy_m=asked.accuracy_m, max_age_s=asked.max_age_s,
        clock_tolerance_s=asked.clock_tolerance_s, note=asked.note,
    )  # fmt: skip
    return source_told(kept)


@router.get("/positions/bindings")
def list_bindings(node: TheNode, actor: _Reader) -> Listed[BindingTold]:  # noqa: ARG001  # as above
    """Whose units are whose, by which rules; the oldest first."""
    return Listed(items=[binding_told(one) for one in node.positions.rules()])


@router.post("/positions/bindings", status_code=201)
def bind_positions(node: TheNode, actor: _Filer, asked: BindingAsked) -> BindingTold:
    """Say whose unit it is of which positions speak so; it holds for those that have come already, too."""
    rule = node.positions.bind(
        asked.by, asked.value, by=actor, unit=asked.unit, party=asked.party, operation=asked.operation or "",
        platform_class=asked.platform_class or "", kind_of_operation=asked.kind or "", domain=asked.domain or "",
        from_s=None if asked.start is None else asked.start.timestamp(),
        to_s=None if asked.end is None else asked.end.timestamp(),
    )  # fmt: skip
    return binding_told(rule)


@router.delete("/positions/bindings/{number}", status_code=204)
def unbind_positions(node: TheNode, actor: _Filer, number: RowId) -> Response:
    """Take a binding back."""
    node.positions.unbind(number, by=actor)
    return Response(status_code=204)


@router.get("/positions/units")
def list_units(
    node: TheNode,
    actor: _Reader,  # noqa: ARG001  # as above
    from_: Annotated[Time | None, Query(alias="from", description="Heard of since then.")] = None,
) -> Listed[UnitTold]:
    """Units of which there are positions, and how ours stand to their operations."""
    states = {one.unit: one for one in node.track_watch.states()}
    seen = node.positions.units(from_s=None if from_ is None else from_.timestamp())
    return Listed(items=[unit_told(one, states) for one in seen])


@router.get("/positions/tracks")
def get_track(
    node: TheNode,
    actor: _Reader,
    unit: Annotated[str, Query(min_length=1, max_length=100, description="Which unit.", examples=["patrol-3"])],
    from_: Annotated[Time, Query(alias="from", description="From when.")],
    to: Annotated[Time, Query(description="Until when, at most 31 days later.")],
    party: Annotated[
        str | None, Query(max_length=63, description="Whose; left out: ours, or nobody's that is known.")
    ] = None,
    line: Annotated[str | None, Query(max_length=63, description="Of another party: on which line it shares.")] = None,
) -> Listed[TrackTold]:
    """Where one unit was. That somebody read where another party's unit was is noted, as with its plans."""
    from_s, to_s = from_.timestamp(), to.timestamp()
    if not from_s <= to_s <= from_s + _MOST_SPAN_S:
        raise InputError(Fault("not a time", "to after from, at most 31 days later", field="to"))
    if party in {None, node.party}:
        found = [one for one in node.positions.flown(from_s, to_s, unit=unit) if one.party in {"", node.party}]
        return Listed(items=[track_told(one) for one in found])
    shared = [
        one
        for name in lines_asked(node, line)
        for one in node.sharing.tracks(name, from_s=from_s, to_s=to_s)
        if one.party == party and any(flown.unit == unit for flown in one.flown)
    ]
    shown = node.readings.shown([one.ref for one in shared], by=actor)
    kept = [one for one, entry in zip(shared, shown, strict=True) if entry.body is not None]
    seen = [one for one in node.positions.flown(from_s, to_s, unit=unit) if one.party == party]
    return Listed(items=[track_told(flown) for one in kept for flown in one.flown if flown.unit == unit]
                  + [track_told(one) for one in seen])  # fmt: skip


@router.post("/positions/shares", status_code=201)
def share_positions(node: TheNode, actor: _Filer, asked: ShareAsked) -> Listed[SharedTold]:
    """Tell others where a unit of ours was, as roughly and as late as we choose; or commit to it alone."""
    said = node.sharing.share(
        asked.line, asked.unit, by=actor, from_s=asked.start.timestamp(), to_s=asked.end.timestamp(),
        recipients=asked.recipients, grid_km=None if asked.exact else asked.grid_km, delay_s=asked.delay_s,
    )  # fmt: skip
    return Listed(items=[shared_told(one) for one in said])


@router.get("/positions/sharing")
def list_sharing(node: TheNode, actor: _Reader) -> Listed[SharingTold]:  # noqa: ARG001  # as above
    """What of our positions is shared as time goes by, and was; the oldest first."""
    return Listed(items=[sharing_told(one) for one in node.sharing.listed()])


@router.post("/positions/sharing", status_code=201)
def begin_sharing(node: TheNode, actor: _Filer, asked: SharingAsked) -> SharingTold:
    """Share a unit's positions from now on, until it is ended."""
    begun = node.sharing.begin(
        asked.line, asked.unit, by=actor, recipients=asked.recipients,
        grid_km=None if asked.exact else asked.grid_km, delay_s=asked.delay_s, every_s=asked.every_s,
        until_s=None if asked.until is None else asked.until.timestamp(),
    )  # fmt: skip
    return sharing_told(begun)


@router.delete("/positions/sharing/{number}")
def end_sharing(node: TheNode, actor: _Filer, number: RowId) -> SharingTold:
    """Share no more of it. What was shared stays with those who have it."""
    return sharing_told(node.sharing.end(number, by=actor))


@router.get(
    "/positions/proofs/{id}",
    response_class=Response,
    responses={200: {"content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}}},
)
def prove_positions(node: TheNode, actor: Annotated[Actor, Needs(Scope.PROOFS)], entry_id: EntryInPath) -> Response:
    """A batch that was committed to, and the files that prove it with `keepclear verify`, which needs no node."""
    proved = node.sharing.prove(ref_of(node, entry_id), by=actor)
    data = io.BytesIO(proved.files.zipped())
    with zipfile.ZipFile(data, "a", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(zipfile.ZipInfo(f"{proved.files.name}.ndjson", (1980, 1, 1, 0, 0, 0)), proved.batch)
    name = entry_id.replace(":", "_")
    headers = {"content-disposition": f'attachment; filename="positions-{name}.zip"'}
    return Response(data.getvalue(), media_type="application/zip", headers=headers)


def _posted(node: TheNode, actor: Actor, source: str | None, body: bytes, is_json: bool) -> Any:  # noqa: FBT001
    if not is_json:
        if source is None:
            raise InputError(Fault("what reported them is not said", "the parameter source", field="source"))
        return node.positions.post(source, body, by=actor)
    value: Any = parse(body, limit=len(body) + 1) if body else None
    if not isinstance(value, dict):
        raise InputError(Fault("not a batch", "an object with source and positions", field="body"))
    faults = [
        Fault("there is no such member", "source and positions", field=str(name)[:60])
        for name in value.keys() - {"source", "positions"}
    ]
    named, positions = value.get("source", source), value.get("positions")
    if not isinstance(named, str) or (source is not None and named != source):
        faults.append(Fault("not the name of a source", "one that is registered", field="source"))
    if not isinstance(positions, list) or not 1 <= len(positions) <= MOST_POSITIONS:
        faults.append(Fault("not a list of positions", f"1 to {MOST_POSITIONS} positions", field="positions"))
    if faults:
        raise InputError(faults)
    assert isinstance(named, str)
    try:
        return node.positions.post(named, positions or [], by=actor)
    except NotFoundError:
        raise
    except InputError as error:
        placed = [
            replace(fault, field=".".join(part for part in (_place(fault.feature), fault.field) if part))
            for fault in error.faults
        ]
        raise InputError(placed) from None


def _place(feature: str) -> str:
    number = feature.removeprefix("position ")
    return f"positions[{int(number) - 1}]" if number.isdigit() else ""


def _is_json(request: Request) -> bool:
    return not request.headers.get("content-type", "").lower().startswith("application/x-ndjson")
