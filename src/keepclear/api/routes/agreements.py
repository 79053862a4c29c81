"""Agreements: proposing, signing and changing them, how they stand, and what came of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Path, Query, Response

from keepclear.agreements.report_pages import html_page, markdown_page
from keepclear.agreements.reporting import Report, parse_zones
from keepclear.api.asking import TheNode
from keepclear.api.authentication import Needs
from keepclear.api.entry_pages import said_told
from keepclear.api.parameters import LineFilter, SpanAsked, lines_asked, ref_of, refs_of
from keepclear.api.shown.agreements import agreement_told, report_told, version_told
from keepclear.api.shown.differences import difference_told
from keepclear.api.told_users import told_proposal
from keepclear.errors import Fault, InputError
from keepclear.node.actors import Actor
from keepclear.node.agreeing import SIGNING, Changing, Signing
from keepclear.node.agreement_reading import AgreementView
from keepclear.node.roles import Scope
from keepclear.store.node.two_person import KeptProposal
from keepclear.values.agreements import (
    AGREEMENT_PATTERN,
    AffiliateAsked,
    AgreementProposalAsked,
    AgreementTold,
    ChangeAsked,
    DeliverableAsked,
    DifferenceTold,
    ExemptionAsked,
    QueryAsked,
    ReportTold,
    SignatureAsked,
    SigningTold,
    VersionTold,
)
from keepclear.values.base import Listed
from keepclear.values.entries import EntrySaid

if TYPE_CHECKING:
    from keepclear.node.running import Node

__all__ = ["router"]

router = APIRouter(tags=["agreements"])
_Reader = Annotated[Actor, Needs(Scope.READ)]
_Signer = Annotated[Actor, Needs(Scope.SIGN)]
_Filer = Annotated[Actor, Needs(Scope.FILE)]
_Speaker = Annotated[Actor, Needs(Scope.SAY)]
_Named = Annotated[
    str,
    Path(
        alias="agreement", pattern=AGREEMENT_PATTERN, max_length=64, description="The agreement's name.",
        examples=["sochi"],
    ),
]  # fmt: skip
_Document = Annotated[
    str, Path(pattern="^[0-9a-f]{64}$", max_length=64, description="SHA-256 of the document.", examples=["9f" * 32])
]


def _hash_asked(description: str) -> Any:
    return Query(description=description, pattern="^[0-9a-f]{64}$", max_length=64, examples=["9f" * 32])


_ZonesAsked = Annotated[
    list[str] | None,
    Query(
        alias="zone", description="A party's time zone, besides those of the setting: PARTY=ZONE.",
        examples=[["RU=Europe/Moscow"]],
    ),
]  # fmt: skip
_MOST_WAITING = 1000


@router.get("/agreements")
def list_agreements(node: TheNode, actor: _Reader, line: LineFilter = None) -> Listed[AgreementTold]:  # noqa: ARG001  # asked for to be checked
    """The agreements of all lines, or of one, and how each stands. That says nothing of the channel."""
    lines_asked(node, line)
    return Listed[AgreementTold](items=[agreement_told(view) for view in node.agreements.views(line)])


@router.post("/agreements", status_code=201)
def propose_agreement(
    node: TheNode, actor: _Signer, asked: AgreementProposalAsked, response: Response
) -> EntrySaid:  # fmt: skip
    """Propose a document to the other parties. It binds nobody before all of them have signed the same bytes."""
    return _proposed(node, actor, asked, None, response)


@router.get("/agreements/{agreement}")
def get_agreement(node: TheNode, actor: _Reader, name: _Named, line: LineFilter = None) -> AgreementTold:  # noqa: ARG001  # as above
    """How an agreement stands, with all that was proposed and signed, and what waits here for a second person."""
    view = node.agreements.found(name, line)
    return agreement_told(view, _waiting(node, view))


@router.get("/agreements/{agreement}/versions")
def list_versions(node: TheNode, actor: _Reader, name: _Named, line: LineFilter = None) -> Listed[VersionTold]:  # noqa: ARG001  # as above
    """The documents that were proposed, the newest first."""
    view = node.agreements.found(name, line)
    return Listed[VersionTold](items=[version_told(one) for one in reversed(view.versions)])


@router.post("/agreements/{agreement}/versions", status_code=201)
def counter_agreement(
    node: TheNode, actor: _Signer, name: _Named, asked: AgreementProposalAsked, response: Response
) -> EntrySaid:
    """Put another document against one that was proposed. Which one is said by `counters`."""
    return _proposed(node, actor, asked, name, response)


@router.get("/agreements/{agreement}/versions/{document}")
def get_version(
    node: TheNode, actor: _Reader, name: _Named, document: _Document, line: LineFilter = None  # noqa: ARG001  # as above
) -> VersionTold:  # fmt: skip
    """One document, as it is to be read before it is signed."""
    return version_told(node.agreements.found(name, line).version(document), whole=True)


@router.get("/agreements/{agreement}/difference")
def get_difference(
    node: TheNode,
    actor: _Reader,  # noqa: ARG001  # as above
    name: _Named,
    before: Annotated[str, _hash_asked("The document that it is compared with: its SHA-256.")],
    after: Annotated[str, _hash_asked("The document that is looked at: its SHA-256.")],
    line: LineFilter = None,
) -> DifferenceTold:
    """What changes from one document to another: clauses and terms side by side, and what changes on the ground."""
    view = node.agreements.found(name, line)
    return difference_told(*(_content(view, one, field) for one, field in ((before, "before"), (after, "after"))))


@router.post("/agreements/{agreement}/signatures", status_code=202)
def sign_agreement(node: TheNode, actor: _Signer, name: _Named, asked: SignatureAsked) -> SigningTold:
    """Propose to sign a document for the party. It is signed once another person has confirmed it (`proposals`)."""
    line = node.agreements.found(name, asked.line).line
    signing = Signing(
        line=line, agreement=name, document=asked.document, text=asked.text or "",
        in_force_s=None if asked.in_force is None else asked.in_force.timestamp(), affiliates=tuple(asked.affiliates),
    )  # fmt: skip
    return SigningTold(proposal=told_proposal(node.agreeing.sign(signing, by=actor)))


@router.post("/agreements/{agreement}/changes", status_code=202)
def change_agreement(
    node: TheNode, actor: _Signer, name: _Named, asked: ChangeAsked, response: Response
) -> SigningTold:  # fmt: skip
    """Suspend, resume or end an agreement (another person confirms it), or withdraw from or reject a document."""
    line = node.agreements.found(name, asked.line).line
    changing = Changing(
        line=line, agreement=name, change=asked.change, document=asked.document or "",
        from_s=None if asked.effective is None else asked.effective.timestamp(), reason=asked.reason,
    )  # fmt: skip
    done = node.agreeing.change(changing, by=actor)
    if isinstance(done, KeptProposal):
        return SigningTold(proposal=told_proposal(done))
    return SigningTold(entry=said_told(node, done, (), response).id)


@router.post("/agreements/{agreement}/queries", status_code=201)
def ask_about_agreement(
    node: TheNode, actor: _Speaker, name: _Named, asked: QueryAsked, response: Response
) -> EntrySaid:  # fmt: skip
    """Ask what an agreement, or a term of it, means. An answer is owed within seven days, or two if it is urgent."""
    line = node.agreements.found(name, asked.line).line
    ref = node.agreeing.query(line, name, asked.question, by=actor, term=asked.term, urgent=asked.urgent)
    return said_told(node, ref, (), response)


@router.post("/agreements/{agreement}/exemptions", status_code=201)
def give_exemption_notice(
    node: TheNode, actor: _Filer, name: _Named, asked: ExemptionAsked, response: Response
) -> EntrySaid:  # fmt: skip
    """Give notice of an activity for which a term makes an exception. It asks nobody's leave."""
    line = node.agreements.found(name, asked.line).line
    ref = node.agreeing.give_notice(
        line, name, term=asked.term, activity=asked.activity, from_s=asked.starts.timestamp(),
        to_s=asked.ends.timestamp(), filings=refs_of(node, asked.filings, field="filings"), reason=asked.reason,
        by=actor,
    )  # fmt: skip
    return said_told(node, ref, (), response)


@router.post("/agreements/{agreement}/deliverables", status_code=201)
def deliver(
    node: TheNode, actor: _Filer, name: _Named, asked: DeliverableAsked, response: Response
) -> EntrySaid:  # fmt: skip
    """Say that what a term asks for is given or done. That it is so, the party says; nothing here proves it."""
    line = node.agreements.found(name, asked.line).line
    ref = node.agreeing.deliver(
        line, name, term=asked.term, what=asked.what, done_s=None if asked.done is None else asked.done.timestamp(),
        for_s=None if asked.due is None else asked.due.timestamp(), remarks=asked.remarks, by=actor,
    )  # fmt: skip
    return said_told(node, ref, (), response)


@router.post("/agreements/{agreement}/affiliates", status_code=201)
def say_affiliate(
    node: TheNode, actor: _Signer, name: _Named, asked: AffiliateAsked, response: Response
) -> EntrySaid:  # fmt: skip
    """Say whom an agreement binds besides its parties, or confirm or deny what another party said of it."""
    line = node.agreements.found(name, asked.line).line
    ref = node.agreeing.say_affiliate(
        line, name, affiliate=asked.affiliate, stance=asked.stance, binder=asked.by, reason=asked.reason, by=actor
    )
    return said_told(node, ref, (), response)


@router.get("/agreements/{agreement}/report")
def get_report(
    node: TheNode,
    actor: _Reader,  # noqa: ARG001  # as above
    name: _Named,
    span: SpanAsked,
    zones: _ZonesAsked = None,
    line: LineFilter = None,
) -> ReportTold:
    """What was due, done, late, breached and disputed, by whom, by which entries; left out: of the last day."""
    return report_told(_report(node, name, line, span, zones))


@router.get(
    "/agreements/{agreement}/report.md",
    response_class=Response,
    responses={200: {"content": {"text/markdown": {"schema": {"type": "string"}}}}},
)
def get_report_as_markdown(
    node: TheNode,
    actor: _Reader,  # noqa: ARG001  # as above
    name: _Named,
    span: SpanAsked,
    zones: _ZonesAsked = None,
    line: LineFilter = None,
) -> Response:
    """The same, as Markdown."""
    page = markdown_page(_report(node, name, line, span, zones))
    return Response(page, media_type="text/markdown; charset=utf-8")


@router.get(
    "/agreements/{agreement}/report.html",
    response_class=Response,
    responses={200: {"content": {"text/html": {"schema": {"type": "string"}}}}},
)
def get_report_as_page(
    node: TheNode,
    actor: _Reader,  # noqa: ARG001  # as above
    name: _Named,
    span: SpanAsked,
    zones: _ZonesAsked = None,
    line: LineFilter = None,
) -> Response:
    """The same, as a page of its own, to be kept as a file."""
    page = html_page(_report(node, name, line, span, zones))
    headers = {"content-disposition": f'attachment; filename="{name}.html"'}
    return Response(page, media_type="text/html; charset=utf-8", headers=headers)


def _proposed(
    node: Node, actor: Actor, asked: AgreementProposalAsked, name: str | None, response: Response
) -> EntrySaid:  # fmt: skip
    counters = None if asked.counters is None else ref_of(node, asked.counters, field="counters")
    if name is not None:
        node.agreements.found(name, asked.line)
        there = asked.document.get("agreement")
        if there != name:
            raise InputError(Fault("another agreement's", name, field="document.agreement", value=str(there)[:80]))
        if counters is None:
            raise InputError(Fault("what it is put against is not said", "the entry", field="counters"))
    ref = node.agreeing.propose(asked.line, asked.document, counters=counters, remarks=asked.remarks, by=actor)
    said = said_told(node, ref, (), response)
    response.headers["location"] = f"/api/v1/agreements/{asked.document.get('agreement')}"
    return said


def _waiting(node: Node, view: AgreementView) -> list[KeptProposal]:
    """What one person here has proposed of this agreement, and waits for another."""
    return [
        one
        for one in node.access.two_persons.before(limit=_MOST_WAITING)
        if one.kind == SIGNING
        and one.state == "open"
        and (one.content.get("line"), one.content.get("agreement")) == (view.line, view.id)
    ]


def _content(view: AgreementView, document: str, field: str) -> Any:
    version = view.version(document)
    if version.content is None:
        raise InputError(Fault(f"it cannot be read here: {version.problem}", field=field, value=document))
    return version.content


def _report(node: Node, name: str, line: str | None, span: Any, zones: list[str] | None) -> Report:
    asked = parse_zones(",".join(zones or []), field="zone")
    return node.compliance.report(name, line, from_s=span.from_s, to_s=span.to_s, zones=asked)
