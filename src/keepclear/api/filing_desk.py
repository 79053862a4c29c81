"""What the routes of operations and of zones have in common: they differ in the plan alone."""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from fastapi import Query, Response

from keepclear.api.etags import Condition, etag
from keepclear.api.paging import Page
from keepclear.api.parameters import Span, lines_asked, ref_of, refs_of
from keepclear.api.problems import problem_of
from keepclear.api.shown.entries import ref_told
from keepclear.api.shown.filings import filing_told, found_told
from keepclear.api.shown.terms import kept_finding_told
from keepclear.errors import Fault, InputError, KeepclearError
from keepclear.line.operation_states import OperationState
from keepclear.node.actors import Actor
from keepclear.node.entry_ids import EntryId
from keepclear.node.filing import Filed
from keepclear.node.filing_checks import filing_warnings
from keepclear.node.filing_requests import FilingRequest
from keepclear.node.filing_rounds import NotAloneError
from keepclear.node.refusals import ClashError, NotFoundError
from keepclear.record.bodies.plans import OperationBody, OperationValue, ZoneBody, ZoneValue
from keepclear.record.bodies.registry import body_of
from keepclear.record.entries import Entry, EntryRef
from keepclear.store.node.agreements import findings_of
from keepclear.store.node.filings import Box, Filing, FilingState, filing_of, filings_like
from keepclear.values.base import Listed
from keepclear.values.conflicts import FoundTold
from keepclear.values.entries import EntrySaid
from keepclear.values.filings import (
    CancelledTold,
    CheckAsked,
    FiledTold,
    FilingAsked,
    FilingOutcomeTold,
    FilingsAsked,
    FilingsTold,
    FilingTold,
    OperationAsked,
    ZoneAsked,
)
from keepclear.watch.conformance import Keeping

if TYPE_CHECKING:
    from keepclear.node.running import Node

__all__ = [
    "Answer",
    "ExerciseFilter",
    "FilingType",
    "StateFilter",
    "Wanted",
    "amended",
    "cancelled",
    "checked",
    "filed",
    "filed_each",
    "filed_many",
    "filed_told",
    "filing_of_id",
    "filings_listed",
    "sent",
]

_LOG = logging.getLogger("keepclear.api")
FilingType = Literal["operation", "zone"]
StateFilter = Annotated[
    list[FilingState] | None,
    Query(description="Only in these states; left out: in all.", examples=[["active"]]),
]
ExerciseFilter = Annotated[bool | None, Query(description="Only of exercises, or only what is in earnest.")]


class Wanted(NamedTuple):
    """A plan to be filed, and who files it."""

    kind: FilingType
    asked: OperationAsked | ZoneAsked
    actor: Actor


class Answer(NamedTuple):
    """What is answered to a filing: the body, and headers that go with it."""

    body: bytes
    headers: dict[str, str]


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


def filed_each(node: Node, every: Sequence[Wanted]) -> list[Answer | Exception]:
    """File plans that came at the same time, each in its own request; what to answer each, or why it is refused."""
    done = node.filing.file_each([(_request_or_why(one.asked), one.actor) for one in every])
    last = {one.ref.origin: one.ref for one in done if isinstance(one, Filed)}  # they stand in the order of the log
    for ref in last.values():
        node.projector.wait_for(ref, 2.0)
    with node.database.reading() as conn:
        rows = [filing_of(conn, one.ref) if isinstance(one, Filed) else None for one in done]
    return [
        _answer(one.kind, result, row) if isinstance(result, Filed) else result
        for one, result, row in zip(every, done, rows, strict=True)
    ]


def filed_many(node: Node, asked: FilingsAsked, actor: Actor, request_id: str) -> FilingsTold:
    """File plans, each by itself, or all of them or none.

    Raises
    ------
    KeepclearError
        If all or none was asked and one cannot be filed, with all that is wrong with any; or if nothing could be filed,
        and that is no fault of what was asked.
    """
    wanted = (_request_or_error(one) for one in asked.filings)  # each is made when its turn comes
    done = node.filing.file_all(wanted, by=actor, all_or_none=asked.all_or_none)
    failed = [one for one in done if isinstance(one, Exception)]
    if failed and asked.all_or_none:
        raise _refused_whole(done)
    if len(failed) == len(done) and not any(isinstance(one, InputError) for one in failed):
        raise failed[0]
    return FilingsTold(items=[_outcome_told(one, request_id) for one in done])


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


def _request(asked: OperationAsked | ZoneAsked | FilingAsked) -> FilingRequest:
    # Only what was said: a default written out would be another body, with another hash.
    members: dict[str, Any] = {name: getattr(asked, name) for name in asked.model_fields_set}
    rough = asked.model_fields_set & {"precision", "precision_for"}
    if rough:
        members |= asked.model_dump(mode="json", exclude_unset=True, include=set(rough))
    return FilingRequest.of_json(members)


def _request_or_error(asked: FilingAsked) -> FilingRequest | Exception:
    try:
        return _request(asked)
    except KeepclearError as error:
        return error


def _request_or_why(asked: OperationAsked | ZoneAsked) -> FilingRequest | Exception:
    try:
        return _request(asked)
    except Exception as error:  # noqa: BLE001  # raised in the request that it belongs to, whatever it is
        return error


def _refused_whole(done: Sequence[object]) -> Exception:
    """Why none of several is filed: what the first is refused with, and the faults of all, each with its place."""
    failed = [
        (place, one)
        for place, one in enumerate(done)
        if isinstance(one, Exception) and not isinstance(one, NotAloneError)
    ]
    first = next((one for _, one in failed if not isinstance(one, InputError)), failed[0][1])
    if not isinstance(first, InputError):
        return first
    faults = [
        replace(fault, field=".".join(filter(None, (f"filings[{place}]", fault.field))))
        for place, one in failed
        if isinstance(one, InputError)
        for fault in one.faults
    ]
    return (ClashError if isinstance(first, ClashError) else InputError)(faults)


def _outcome_told(done: Filed | Exception, request_id: str) -> FilingOutcomeTold:
    if isinstance(done, Filed):
        return FilingOutcomeTold(filed=_told(done))
    problem, _ = problem_of(done, request_id)
    if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _LOG.error("one of several was not filed: %s", done, extra={"request_id": request_id}, exc_info=done)
    return FilingOutcomeTold(problem=problem)


def filed_told(node: Node, kind: FilingType, done: Filed, response: Response) -> FiledTold:
    """What was said of a filing; the answer has its place and its ETag."""
    told = _told(done)
    filing = _projected(node, done.ref) if node.projector.wait_for(done.ref, 2.0) else None
    response.headers.update(_headers(kind, told, filing))
    return told


def _answer(kind: FilingType, done: Filed, filing: Filing | None) -> Answer:
    told = _told(done)
    return Answer(_json(told), _headers(kind, told, filing))


def _headers(kind: FilingType, told: FiledTold, filing: Filing | None) -> dict[str, str]:
    headers = {"location": f"/api/v1/{kind}s/{told.id}"}
    return headers if filing is None else headers | {"etag": _etag(filing)}


def _told(done: Filed) -> FiledTold:
    before = found_told(done.found_before)
    return FiledTold(
        id=str(EntryId.of(done.ref)),
        ref=ref_told(done.ref),
        entries=[EntrySaid(id=str(EntryId.of(ref)), ref=ref_told(ref)) for ref in done.refs],
        found_before=before,
        found_after=before if done.found_after is done.found_before else found_told(done.found_after),
        warnings=list(done.warnings),
    )


def sent(told: FiledTold | FilingsTold, response: Response, status: int = 201) -> Response:
    """The answer to a filing, written here: FastAPI would check it once more, and have another thread write it."""
    return Response(_json(told), status, headers=dict(response.headers), media_type="application/json")


def _json(told: FiledTold | FilingsTold) -> bytes:
    return told.model_dump_json(by_alias=True).encode()


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
