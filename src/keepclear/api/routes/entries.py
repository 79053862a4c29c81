"""Entries: all that was said on the lines, answers to it, and proofs of it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from keepclear.api.asking import TheNode
from keepclear.api.authentication import Needs
from keepclear.api.entry_pages import entries_listed, one_entry, said_told
from keepclear.api.paging import PageAsked
from keepclear.api.parameters import EntryInPath, LineFilter, PartyFilter, ref_of
from keepclear.api.shown.entries import thread_told
from keepclear.node.actors import Actor
from keepclear.node.answering import ReadBackTyped
from keepclear.node.refusals import NotFoundError
from keepclear.node.roles import Scope
from keepclear.record.entry_types import EntryType
from keepclear.values.base import Listed
from keepclear.values.entries import AnswerAsked, EntrySaid, EntryTold, GivenTold, ThreadTold

__all__ = ["router"]

router = APIRouter(tags=["entries"])
_PLANS = frozenset({EntryType.OPERATION, EntryType.ZONE, EntryType.COMMITMENT, EntryType.OPENING})


@router.get("/entries")
def list_entries(
    node: TheNode,
    actor: Annotated[Actor, Needs(Scope.READ)],  # noqa: ARG001  # asked for to be checked
    page: PageAsked,
    line: LineFilter = None,
    party: PartyFilter = None,
    type: Annotated[  # noqa: A002  # the name of the parameter
        list[Annotated[str, Query(min_length=1, max_length=100)]] | None, Query(description="Only of these types.")
    ] = None,
) -> Listed[EntryTold]:
    """All that was said, the newest arrival first, without what it says: each entry is read by itself."""
    return entries_listed(node, page, line=line, party=party, types=type or (), with_bodies=False)


@router.get("/entries/{id}")
def get_entry(
    node: TheNode,
    actor: Annotated[Actor, Needs(Scope.READ)],
    entry_id: EntryInPath,
) -> EntryTold:
    """One entry, and what it says where that is held here. That somebody read another party's plan is noted."""
    ref = ref_of(node, entry_id)
    if node.records.leaf(ref.origin, ref.index).type in _PLANS:
        node.readings.read(ref, by=actor)
    return one_entry(node, ref, with_body=True)


@router.get("/entries/{id}/thread")
def get_thread(
    node: TheNode,
    actor: Annotated[Actor, Needs(Scope.READ)],  # noqa: ARG001  # asked for to be checked
    entry_id: EntryInPath,
) -> ThreadTold:
    """An entry and all that was said about it: who has it, who has seen it, who owes what by when."""
    return _thread(node, entry_id)


@router.get("/entries/{id}/answers")
def list_answers(
    node: TheNode,
    actor: Annotated[Actor, Needs(Scope.READ)],  # noqa: ARG001  # asked for to be checked
    entry_id: EntryInPath,
) -> Listed[GivenTold]:
    """All answers to an entry, those that do not count too, by when they were given."""
    thread = _thread(node, entry_id)
    given = [one for standing in thread.standings for one in standing.answers] + thread.strangers
    return Listed[GivenTold](items=sorted(given, key=lambda one: (one.at, one.id)))


@router.post("/entries/{id}/answers", status_code=201)
def answer_entry(
    node: TheNode,
    actor: Annotated[Actor, Needs(Scope.ANSWER)],
    entry_id: EntryInPath,
    asked: AnswerAsked,
    response: Response,
) -> EntrySaid:
    """Answer an entry, as a person. No answer is an approval, and a receipt, which a machine gives, is none of them."""
    got = asked.read_back
    said = node.answering.answer(
        ref_of(node, entry_id),
        asked.answer,
        by=actor,
        read_back=None if got is None else ReadBackTyped(got.place, got.time, got.datum),
        unit=asked.unit,
        reason=asked.reason,
        insist=asked.insist,
    )
    return said_told(node, said.ref, said.warnings, response)


@router.get(
    "/entries/{id}/proof",
    response_class=Response,
    responses={200: {"content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}}},
)
def get_proof(
    node: TheNode,
    actor: Annotated[Actor, Needs(Scope.PROOFS)],
    entry_id: EntryInPath,
) -> Response:
    """A proof that an entry was said and by whom it is held: files for `keepclear verify`, which needs no node."""
    files = node.proofs.of(ref_of(node, entry_id), by=actor)
    name = entry_id.replace(":", "_")
    headers = {"content-disposition": f'attachment; filename="proof-{name}.zip"'}
    return Response(files.zipped(), media_type="application/zip", headers=headers)


def _thread(node: TheNode, text: str) -> ThreadTold:
    ref, at_s = ref_of(node, text), node.clock()
    try:
        return thread_told(node.projector.thread(ref, at_s), at_s)
    except KeyError:
        node.projector.wait_for(ref, 2.0)
    try:
        return thread_told(node.projector.thread(ref, at_s), at_s)
    except KeyError:
        right = "an entry that counts: its author was a member of the line there"
        raise NotFoundError("thread", field="id", value=text, right=right) from None
