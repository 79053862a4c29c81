"""Encounters: what they were, what was said of them, and reports of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from keepclear.api.asking import TheNode
from keepclear.api.authentication import Needs
from keepclear.api.entry_pages import said_told
from keepclear.api.limits import RowId
from keepclear.api.paging import PageAsked
from keepclear.api.parameters import EntryInPath, LineFilter, SpanAsked, lines_asked, ref_of, refs_of
from keepclear.api.shown.encounters import (
    claim_told,
    draft_told,
    encounter_told,
    label_told,
    members_told,
    weighed_told,
)
from keepclear.errors import Fault, InputError
from keepclear.node.actors import Actor
from keepclear.node.encounter_words import told_of
from keepclear.node.entry_ids import EntryId
from keepclear.node.refusals import NotFoundError
from keepclear.node.roles import Scope
from keepclear.record.bodies.watched import ClaimBody
from keepclear.values.base import Listed, PartyName, Time
from keepclear.values.encounters import (
    ClaimAsked,
    ClaimTold,
    EncounterTold,
    IncidentAsked,
    IncidentDraftTold,
    IncidentTold,
    LabelTold,
    MeasureAsked,
    ReplyAsked,
    WeighedTold,
    WeighingAsked,
)
from keepclear.values.entries import EntrySaid
from keepclear.watch.labels import Labelled

__all__ = ["router"]

router = APIRouter(tags=["encounters"])
_Reader = Annotated[Actor, Needs(Scope.READ)]
_Speaker = Annotated[Actor, Needs(Scope.SAY)]
_MOST_SPAN_S = 31 * 86_400.0


@router.get("/encounters")
def list_encounters(
    node: TheNode,
    actor: _Reader,  # noqa: ARG001  # asked for to be checked
    page: PageAsked,
    span: SpanAsked,
    line: LineFilter = None,
) -> Listed[EncounterTold]:
    """Units of two parties that came too close, or may have, as they were last labelled; the newest found first.

    Where they were closest is not in it: that is read one by one, and noted.
    """
    if line is not None:
        lines_asked(node, line)
    _look(node)
    rows = node.encounters.listed(
        page.number_after, limit=page.limit + 1, line=line, from_s=span.from_s, to_s=span.to_s
    )
    shown, cursor = page.answer(rows, key=lambda row: [row.id])
    return Listed(items=[encounter_told(row) for row in shown], next=cursor)


@router.get("/encounters/{number}")
def get_encounter(node: TheNode, actor: _Reader, number: RowId) -> EncounterTold:
    """One encounter, labelled by what is known now. That somebody read where another's unit was is noted."""
    told = node.encounters.one(number)
    refs = [found.ref for found in told.labelled.evidence if found.ref is not None]
    node.readings.shown(refs, by=actor)
    return encounter_told(told.seen, _as_shown(node, actor, told.seen.line, told.labelled))


@router.get("/labels")
def label_parties(
    node: TheNode,
    actor: _Reader,
    parties: Annotated[
        list[PartyName], Query(alias="party", min_length=2, max_length=2, description="Two.", examples=[["RU", "TR"]])
    ],
    from_: Annotated[Time, Query(alias="from", description="From when.")],
    to: Annotated[Time, Query(description="Until when, at most 31 days later.")],
    line: LineFilter = None,
) -> Listed[LabelTold]:
    """What two parties did in a time was: by their tracks; without any, by their plans, or by what else they said."""
    from_s, to_s = from_.timestamp(), to.timestamp()
    if not from_s <= to_s <= from_s + _MOST_SPAN_S:
        raise InputError(Fault("not a time", "at most 31 days, the end not before the start", field="to"))
    if len(set(parties)) != 2:
        raise InputError(Fault("one party", "two", field="party", value=parties[0]))
    lines = lines_asked(node, line)
    if len(lines) != 1:
        raise NotFoundError("line", field="line", right=f"one of: {', '.join(lines) or 'none yet'}")
    found = node.encounters.of_parties(lines[0], (parties[0], parties[1]), from_s, to_s)
    node.readings.shown([one.ref for told in found for one in told.evidence if one.ref is not None], by=actor)
    return Listed(items=[label_told(_as_shown(node, actor, lines[0], one)) for one in found])


@router.get("/incidents")
def list_incidents(
    node: TheNode,
    actor: _Reader,  # noqa: ARG001  # as above
    line: LineFilter = None,
) -> Listed[IncidentTold]:
    """Incident reports on the record, of all parties: each its own."""
    found = [one for name in lines_asked(node, line) for one in node.incidents.reports(name)]
    return Listed(
        items=[
            IncidentTold(id=str(EntryId.of(one.ref)), line=one.line, party=one.party, report=members_told(one.body))
            for one in found
        ]
    )


@router.get("/incidents/drafts")
def list_incident_drafts(node: TheNode, actor: _Reader) -> Listed[IncidentDraftTold]:
    """Reports that were drafted for encounters and not sent. The first report is due an hour after it was noticed.

    They say where another's unit was, so that somebody read them is noted.
    """
    _look(node)
    drafts = node.incidents.drafts()
    for one in drafts:
        _read(node, actor, one.line, one.parties, one.from_s, one.to_s)
    return Listed(items=[draft_told(one) for one in drafts])


@router.post("/incidents", status_code=201)
def report_incident(node: TheNode, actor: _Speaker, asked: IncidentAsked, response: Response) -> EntrySaid:
    """Send an incident report, drafted or of one's own. Narrative and attribution are its author's."""
    said = node.incidents.report(
        asked.line, asked.report, by=actor, encounter=asked.encounter, recipients=asked.recipients
    )
    return said_told(node, said.ref, said.warnings, response)


@router.post("/incidents/{id}/replies", status_code=201)
def reply_to_incident(
    node: TheNode, actor: _Speaker, entry_id: EntryInPath, asked: ReplyAsked, response: Response
) -> EntrySaid:
    """Report our own side of what another party has reported. Neither report changes the other."""
    said = node.incidents.reply(ref_of(node, entry_id), asked.report, by=actor)
    return said_told(node, said.ref, said.warnings, response)


@router.get("/claims")
def list_claims(
    node: TheNode,
    actor: _Reader,  # noqa: ARG001  # as above
    line: LineFilter = None,
) -> Listed[ClaimTold]:
    """What was said publicly of encounters, as it was put on the record; not weighed."""
    items = []
    for name in lines_asked(node, line):
        for ref in node.claims.refs(name):
            body = node.claims.body(ref)
            number = EntryId.of(ref)
            items.append(ClaimTold(id=str(number), line=name, party=number.party, claim=members_told(body)))
    return Listed(items=items)


@router.post("/claims", status_code=201)
def add_claim(node: TheNode, actor: _Speaker, asked: ClaimAsked, response: Response) -> EntrySaid:
    """Put on the record what somebody said publicly of an encounter: who, when, where; the words by reference alone."""
    said = node.claims.add(asked.line, asked.claim.members(), by=actor, recipients=asked.recipients)
    return said_told(node, said.ref, said.warnings, response)


@router.get("/claims/{id}")
def get_claim(node: TheNode, actor: _Reader, entry_id: EntryInPath) -> ClaimTold:  # noqa: ARG001  # as above
    """A claim, weighed against the record and the tracks by what is known now."""
    return claim_told(node.claims.weigh(ref_of(node, entry_id)))


@router.post("/claims/weighings")
def weigh_claim(node: TheNode, actor: _Reader, asked: WeighingAsked) -> WeighedTold:  # noqa: ARG001  # as above
    """Weigh a claim without putting it on the record; nobody is told."""
    lines = lines_asked(node, asked.line)
    if len(lines) != 1:
        raise NotFoundError("line", field="line", right=f"one of: {', '.join(lines) or 'none yet'}")
    return weighed_told(*node.claims.weighed(lines[0], ClaimBody.of_members(asked.claim.members())))


@router.post("/measures", status_code=201)
def say_measure(
    node: TheNode, actor: Annotated[Actor, Needs(Scope.ANSWER)], asked: MeasureAsked, response: Response
) -> EntrySaid:
    """Say what would keep filings of both sides apart, or have them meet. It is mutual once the other side concurs."""
    said = node.measures.say(refs_of(node, asked.filings, field="filings"), asked.measure, asked.text, by=actor)
    return said_told(node, said.ref, said.warnings, response)


def _as_shown(node: TheNode, actor: Actor, line: str, one: Labelled) -> dict[str, Any]:
    """An encounter as a person may see it: where others were is read, and noted, with their positions; and expires."""
    met, told = one.encounter, told_of(one)
    if not _read(node, actor, line, met.parties, met.from_s, met.to_s):
        told["closest"] = None
    return told


def _read(node: TheNode, actor: Actor, line: str, parties: Iterable[str], from_s: float, to_s: float) -> bool:
    """Note that somebody reads where others' units were; whether all of it may still be shown."""
    others = {party for party in parties if party != node.party}
    batches = node.sharing.told_by(line, others, from_s, to_s) if line else ()
    return all(entry.body is not None for entry in node.readings.shown(batches, by=actor))


def _look(node: TheNode) -> None:
    """Where no thread watches, because the node runs for one command alone, look now."""
    if not node.watching.running:
        node.encounters.look_at_all()
        node.encounters.sweep()
