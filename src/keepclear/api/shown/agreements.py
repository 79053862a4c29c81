"""Agreements, as answers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from keepclear.agreements.affiliates import affiliates_of
from keepclear.agreements.facts import Heard
from keepclear.agreements.reporting import Report
from keepclear.agreements.terms.registry import UnknownTerm
from keepclear.api.told_users import told_proposal
from keepclear.node.agreement_reading import AgreementView, Version
from keepclear.node.entry_ids import EntryId
from keepclear.node.terms_in_force import terms_of
from keepclear.record.bodies.agreements import AgreementSignedBody
from keepclear.store.node.two_person import KeptProposal
from keepclear.values.agreements import (
    AffiliateTold,
    AgreementTold,
    ReportTold,
    SignatureTold,
    TermTold,
    VersionTold,
)
from keepclear.values.base import moment, moment_or_none

__all__ = ["agreement_told", "report_told", "version_told"]

_SHOWN = 2000


def agreement_told(view: AgreementView, waiting: Iterable[KeptProposal] = ()) -> AgreementTold:
    """How an agreement stands."""
    standing, main = view.standing, view.main
    return AgreementTold(
        id=view.id,
        line=view.line,
        title=main.title,
        state=str(standing.state),
        since=moment_or_none(standing.since_s or standing.version.state_s),
        sentence=standing.sentence,
        document=view.document,
        parties=list(main.parties),
        missing=list(main.standing.missing),
        disputes=[one.sentence for one in standing.disputes],
        flags=sorted(str(flag) for flag in standing.flags),
        versions=[version_told(one) for one in reversed(view.versions)],
        signatures=list(_signatures(view)),
        affiliates=list(_affiliates(view)),
        waiting=[told_proposal(one) for one in waiting],
    )


def version_told(version: Version, *, whole: bool = False) -> VersionTold:
    """A document that was proposed; `whole`: with its content."""
    content = version.content
    body = version.body
    return VersionTold(
        entry=str(EntryId.of(version.ref)),
        party=EntryId.of(version.ref).party,
        document=version.document,
        title=version.title,
        parties=list(version.parties),
        languages=[one.language + (" (authentic)" if one.authentic else "") for one in body.texts],
        text=version.text,
        signed_by=list(version.signed_by),
        missing=list(version.standing.missing),
        counters=None if body.counters is None else str(EntryId.of(body.counters.ref())),
        proposed=moment_or_none(version.proposed_s),
        problem=version.problem,
        terms=list(_terms(version)) if whole else [],
        content=json.loads(content.canonical()) if whole and content is not None else None,
    )


def report_told(report: Report) -> ReportTold:
    """A compliance report."""
    return ReportTold(
        agreement=report.agreement,
        line=report.line,
        starts=moment(report.from_s),
        ends=moment(report.to_s),
        made=moment(report.made_s),
        state=report.state,
        counts=dict(report.counts),
        report=report.members(),
    )


def _terms(version: Version) -> Iterator[TermTold]:
    if version.content is None:
        return
    for term in terms_of(version.content):
        known = not isinstance(term, UnknownTerm)
        kind = term.TYPE or getattr(term, "written_type", "")
        yield TermTold(id=term.id, type=kind, clause=term.clause, sentence=_written(term.members), known=known)


def _written(members: Mapping[str, Any]) -> str:
    left_out = {"id", "type", "clause", "clause_hash"}
    told = {name: value for name, value in members.items() if name not in left_out}
    return json.dumps(told, ensure_ascii=False, sort_keys=True)[:_SHOWN]


def _signatures(view: AgreementView) -> Iterator[SignatureTold]:
    why = {one.ref: one.why for one in view.standing.no_effect}
    standing = {one.ref for version in view.versions for one in version.standing.signatures.values()}
    for one in view.heard:
        if isinstance(one.body, AgreementSignedBody):
            effect = why.get(one.ref, "" if one.ref in standing else _no_effect(one))
            yield SignatureTold(
                entry=str(EntryId.of(one.ref)),
                party=one.party,
                persons=list(one.body.persons),
                document=one.body.document,
                counts=moment_or_none(one.counts_from_s),
                effect=effect,
            )


def _no_effect(one: Heard) -> str:
    return "nobody else is known to have it yet" if one.counts_from_s is None else "it does not stand any more"


def _affiliates(view: AgreementView) -> Iterator[AffiliateTold]:
    for one in affiliates_of(view.standing, view.heard):
        yield AffiliateTold(affiliate=one.name, by=one.by, standing=one.sentence)
