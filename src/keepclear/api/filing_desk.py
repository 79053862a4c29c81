"""What the routes of operations and of zones have in common: they differ in the plan alone."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import Query, Response

from keepclear.api.etags import Condition, etag
from keepclear.api.paging import Page
from keepclear.api.parameters import Span, lines_asked, ref_of, refs_of
from keepclear.api.shown.entries import ref_told
from keepclear.api.shown.filings import filing_told, found_told
from keepclear.api.shown.terms import kept_finding_told
from keepclear.errors import Fault, InputError, KeepclearError
from keepclear.line.operation_states import OperationState
from keepclear.node.actors import Actor
from keepclear.node.entry_ids import EntryId
from keepclear.node.filing_checks import filing_warnings
from keepclear.node.filing_requests import FilingRequest
from keepclear.node.refusals import NotFoundError
from keepclear.record.bodies.plans import OperationBody, OperationValue, ZoneBody, ZoneValue
from keepclear.record.bodies.registry import body_of
from keepclear.record.entries import Entry, EntryRef
from keepclear.store.node.agreements import findings_of
from keepclear.store.node.filings import Box, Filing, FilingState, filing_of, filings_like
from keepclear.values.base import Listed
from keepclear.values.conflicts import FoundTold
from keepclear.values.entries import EntrySaid
from keepclear.values.filings import CancelledTold, CheckAsked, FiledTold, FilingTold, OperationAsked, ZoneAsked
from keepclear.watch.conformance import Keeping

if TYPE_CHECKING:
    from keepclear.node.running import Node

__all__ = [
    "ExerciseFilter",
    "FilingType",
    "StateFilter",
    "amended",
    "cancelled",
    "checked",
    "filed",
    "filed_told",
    "filing_of_id",
    "filings_listed",
    "sent",
]

FilingType = Literal["operation", "zone"]
StateFilter = Annotated[
    list[FilingState] | None,
    Query(description="Only in these states; left out: in all.", examples=[["active"]]),
]
ExerciseFilter = Annotated[bool | None, Query(description="Only of exercises, or only what is in earnest.")]


def filings_listed(
    node: Node,
    kind: FilingType,
    page: Page,
    *,
    line: str | None,
    party: str | None,
    states: Collection[FilingState] | None,
    span: Span,
    area: Box | None,
    exercise: bool | None,
) -> Listed[FilingTold]:
    """A page of filings, the newest first, without their plans: each of those is read by itself, which is noted."""
    if line is not None:
        lines_asked(node, line)
    with node.database.reading() as conn:
        rows = filings_like(
            conn,
            types=(kind,),
            line=line,
            party=party,
            states=states or (),
            from_s=span.from_s,
            to_s=span.to_s,
            area=area,
            exercise=exercise,
            below=page.number_after,
            limit=page.limit + 1,
        )
    shown, cursor = page.answer(rows, key=lambda row: [row.id])
    return Listed[FilingTold](items=[filing_told(row) for row in shown], next=cursor)


def filing_of_id(node: Node, kind: FilingType, text: str, actor: Actor, response: Response) -> FilingTold:
    """One filing with its plan; that it was read is noted, where it is another party's."""
    filing = _filing(node, kind, text)
    entry = node.readings.read(filing.ref, by=actor)
    at_s = node.clock()
    more: dict[str, Any] = _plan_of(entry, filing)
    try:
        thread = node.projector.thread(filing.ref, at_s)
    except KeyError:
        thread = None
    if thread is not None:
        if thread.state is not None:
            more["state"] = _by_track(node, filing, thread.state.value)
        if thread.searched is not None:
            more["answer"] = thread.searched.answer.value
    with node.database.reading() as conn:
        more["terms"] = [kept_finding_told(row) for row in findings_of(conn, filing.id)]
    response.headers["etag"] = _etag(filing)
    return filing_told(filing, **more)


def checked(node: Node, asked: CheckAsked, actor: Actor) -> FoundTold:
    """What a plan comes too close to; nobody is told."""
    thing = _one_of(asked.operation, asked.zone)
    leaving_out = refs_of(node, asked.leaving_out, field="leaving_out")
    request = FilingRequest(thing=thing, line=asked.line, exercise=asked.exercise, on_behalf_of=asked.on_behalf_of)
    warnings: tuple[str, ...] = ()
    if asked.to_file:
        members = asked.model_dump(mode="json", exclude_unset=True, exclude={"to_file", "leaving_out"})
        warnings = node.filing.try_out(FilingRequest.of_json(members), by=actor, instead_of=leaving_out)
    found = found_told(node.filing.check(request, by=actor, leaving_out=leaving_out))
    return found.model_copy(update={"warnings": list(warnings)})


def filed(
    node: Node, kind: FilingType, asked: OperationAsked | ZoneAsked, actor: Actor, response: Response
) -> FiledTold:
    """File a plan."""
    return filed_told(node, kind, node.filing.file(_request(asked), by=actor), response)


def amended(
    node: Node,
    kind: FilingType,
    text: str,
    asked: OperationAsked | ZoneAsked,
    condition: Condition,
    actor: Actor,
    response: Response,
) -> FiledTold:
    """File a plan in place of an earlier one."""
    filing = _filing(node, kind, text)
    condition.must_fit(_etag(filing))
    return filed_told(node, kind, node.filing.amend(filing.ref, _request(asked), by=actor), response)


def cancelled(
    node: Node, kind: FilingType, text: str, reason: str | None, condition: Condition, actor: Actor
) -> CancelledTold:
    """Say that a filing no longer stands."""
    filing = _filing(node, kind, text)
    condition.must_fit(_etag(filing))
    refs = node.filing.cancel(filing.ref, reason, by=actor)
    return CancelledTold(entries=[EntrySaid(id=str(EntryId.of(ref)), ref=ref_told(ref)) for ref in refs])


def _filing(node: Node, kind: FilingType, text: str) -> Filing:
    ref = ref_of(node, text)
    filing = _projected(node, ref)
    if filing is None and node.projector.wait_for(ref, 2.0):
        filing = _projected(node, ref)
    if filing is None or filing.type != kind:
        raise NotFoundError(kind, field="id", value=text, right=f"the id of an entry that is a filing of {kind}s")
    return filing


def _projected(node: Node, ref: EntryRef) -> Filing | None:
    with node.database.reading() as conn:
        return filing_of(conn, ref)


def _etag(filing: Filing) -> str:
    return etag(filing.ref.leaf_hash.hex(), filing.state, filing.changed_by)


def _request(asked: OperationAsked | ZoneAsked) -> FilingRequest:
    # Only what was said: a default written out would be another body, with another hash.
    return FilingRequest.of_json(asked.model_dump(mode="json", exclude_unset=True))


def filed_told(node: Node, kind: FilingType, done: Any, response: Response) -> FiledTold:
    """What was said of a filing; the answer has its place and its ETag."""
    number = str(EntryId.of(done.ref))
    response.headers["location"] = f"/api/v1/{kind}s/{number}"
    filing = _projected(node, done.ref) if node.projector.wait_for(done.ref, 2.0) else None
    if filing is not None:
        response.headers["etag"] = _etag(filing)
    return FiledTold(
        id=number,
        ref=ref_told(done.ref),
        entries=[EntrySaid(id=str(EntryId.of(ref)), ref=ref_told(ref)) for ref in done.refs],
        found_before=None if done.found_before is None else found_told(done.found_before),
        found_after=None if done.found_after is None else found_told(done.found_after),
        warnings=list(done.warnings),
    )


def sent(told: FiledTold, response: Response) -> Response:
    """The answer to a filing, written here: FastAPI would check it once more, and have another thread write it."""
    body = told.model_dump_json(by_alias=True)
    return Response(body, 201, headers=dict(response.headers), media_type="application/json")


def _one_of(operation: OperationValue | None, zone: ZoneValue | None) -> OperationValue | ZoneValue:
    if (operation is None) == (zone is None):
        problem = "neither an operation nor a zone" if operation is None else "an operation and a zone"
        raise InputError(Fault(problem, "one of them", field="operation"))
    if operation is not None:
        return operation
    assert zone is not None
    return zone


def _plan_of(entry: Entry, filing: Filing) -> dict[str, Any]:
    """What a filing says, as its author wrote it, where that is held and can be read."""
    try:
        body = body_of(entry)
    except KeepclearError:
        return {}
    if not isinstance(body, OperationBody | ZoneBody) or entry.body is None:
        return {}
    members = json.loads(entry.body)
    warnings = filing_warnings(
        body.to_model(), now_s=filing.kept_s, reason_if_late=body.reason_if_late or "", exercise=filing.exercise
    )
    told = {
        "thing": members.get("operation") or members.get("zone"),
        "remarks": body.remarks,
        "warnings": list(warnings),
    }
    return told | ({"on_behalf_of": body.on_behalf_of} if isinstance(body, OperationBody) else {})


def _by_track(node: Node, filing: Filing, state: str) -> str:
    """The state of a filing of ours that is under way, as its track shows it, where there is one."""
    if state != OperationState.ACTIVE or filing.party != node.party or not node.positions.any:
        return state
    found = next((one for one in node.track_watch.states() if one.operation == filing.ref), None)
    return state if found is None or found.keeping is Keeping.UNKNOWN else str(found.keeping)
