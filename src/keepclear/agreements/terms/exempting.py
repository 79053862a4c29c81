"""Exemptions: what need not keep to a term, if its notice was given in time. Without the notice it does not count."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from keepclear.agreements.facts import Evidence, Filed, Finding, Flown, Heard, Result
from keepclear.agreements.terms.binding import plan_of_track
from keepclear.agreements.terms.quantities import read_duration, said_duration
from keepclear.errors import Fault, InputError
from keepclear.model.kinds import OperationKind, parse_operation_kind
from keepclear.model.operations import Operation

if TYPE_CHECKING:
    from keepclear.agreements.terms.base import Scene, Term

__all__ = ["SCHEMA", "Exemption", "applied", "applied_to_track", "read_exemption"]

SCHEMA: Mapping[str, Any] = {
    "activity": {"type": "string"},
    "kinds": {"type": "array", "items": {"type": "string"}, "minItems": 1},
    "notice": {"type": "string", "examples": ["1 h"]},
}


@dataclass(frozen=True, slots=True)
class Exemption:
    """What is exempt.

    Attributes
    ----------
    activity
        As the clause calls it: "medevac", "firefighting".
    notice_lead_s
        How long before it begins its notice must count; None where none is needed.
    kinds
        The kinds of operation that it can be; empty: any, if the notice says that it is the activity.
    """

    activity: str
    notice_lead_s: float | None = None
    kinds: frozenset[OperationKind] = frozenset()


def read_exemption(members: Mapping[str, object]) -> Exemption:
    """An exemption as it is written.

    Raises
    ------
    InputError
        With all faults.
    """
    faults = [Fault("there is no such member", ", ".join(SCHEMA), field=one) for one in members if one not in SCHEMA]
    activity, lead_s, kinds = members.get("activity"), None, frozenset[OperationKind]()
    if not isinstance(activity, str) or not activity.strip():
        faults.append(Fault("no activity", 'for example "medevac"', field="activity"))
        activity = ""
    try:
        lead_s = None if members.get("notice") is None else read_duration(members["notice"])
    except InputError as error:
        faults += [replace(one, field="notice") for one in error.faults]
    given = members.get("kinds")
    if given is not None and (not isinstance(given, list | tuple) or not given):
        faults.append(Fault("not a list of kinds", "for example [medevac]", field="kinds", value=str(given)[:99]))
    elif given is not None:
        try:
            kinds = frozenset(parse_operation_kind(str(one)) for one in given)
        except InputError as error:
            faults += [replace(one, field="kinds") for one in error.faults]
    elif activity:
        kinds = _kinds_of(activity)
    if activity and not faults and lead_s is None and not kinds:
        problem = "neither kinds nor a notice: nothing would show that something is this activity"
        faults.append(Fault(problem, 'kinds, or a notice, for example "1 h"', field="notice"))
    if faults:
        raise InputError(faults)
    return Exemption(activity.strip(), lead_s, kinds)


def applied(term: Term, finding: Finding, filed: Filed, scene: Scene) -> Finding:
    """A finding about a filing, with the exemptions of the term in it."""
    if finding.result not in (Result.BREACHED, Result.POSSIBLE):
        return finding
    kind = filed.plan.kind if isinstance(filed.plan, Operation) else None
    return _applied(term, finding, _Case(filed.party, kind, filed.start_s, filed.end_s, filed), scene)


def applied_to_track(term: Term, finding: Finding, flown: Flown, scene: Scene) -> Finding:
    """A finding about a track, with the exemptions of the term in it."""
    if finding.result not in (Result.BREACHED, Result.POSSIBLE):
        return finding
    filed = scene.filing_of(flown)
    times = flown.track.time_s
    kind = plan_of_track(flown, filed).kind
    return _applied(term, finding, _Case(flown.party, kind, float(times[0]), float(times[-1]), filed), scene)


@dataclass(frozen=True, slots=True)
class _Case:
    party: str
    kind: OperationKind | None
    start_s: float | None
    end_s: float | None
    filed: Filed | None


def _applied(term: Term, finding: Finding, case: _Case, scene: Scene) -> Finding:
    why_not: list[str] = []
    for exemption in term.exemptions:
        if exemption.kinds and case.kind not in exemption.kinds:
            continue
        if exemption.notice_lead_s is None:
            return _exempt(finding, f"exempt as {exemption.activity}, which needs no notice")
        notices = list(_notices(term, exemption, case, scene))
        leads = [(case.start_s - one.counts_from_s, one) for one in notices if case.start_s and one.counts_from_s]
        lead, notice = max(leads, key=lambda pair: pair[0], default=(None, None))
        asked = f"notice of {said_duration(exemption.notice_lead_s)}"
        if lead is not None and notice is not None and lead >= exemption.notice_lead_s:
            why = f"exempt as {exemption.activity}: its notice counted {said_duration(lead)} before; {asked} is needed"
            return _exempt(finding, why, notice)
        if exemption.kinds or notices:
            late = "there is none" if lead is None else _lateness(lead)
            why_not.append(f"the exemption for {exemption.activity} needs {asked}, and {late}")
    if not why_not:
        return finding
    return replace(finding, sentence=f"{finding.sentence} Not exempt: {'; '.join(why_not)}.")


def _lateness(lead_s: float) -> str:
    if lead_s < 0.0:
        return f"it counted only {said_duration(lead_s)} after the beginning"
    return f"it counted only {said_duration(lead_s)} before"


def _exempt(finding: Finding, why: str, notice: Heard | None = None) -> Finding:
    evidence = finding.evidence if notice is None else (*finding.evidence, Evidence(ref=notice.ref, note=why))
    sentence = f"{finding.sentence} Within the term all the same: {why}."
    return replace(finding, result=Result.MET, sentence=sentence, evidence=evidence)


def _notices(term: Term, exemption: Exemption, case: _Case, scene: Scene) -> Iterator[Heard]:
    """The notices of this party that name the term and the activity, cover the case, and stood when it began."""
    began_s = scene.at_s if case.start_s is None else case.start_s
    for heard in scene.heard("exemption-notice"):
        body: Any = heard.body
        if scene.taken_back.get((heard.ref, heard.party), math.inf) <= began_s:
            continue
        if heard.party != case.party or not term.is_meant_by(body):
            continue
        if body.activity.strip().casefold() != exemption.activity.casefold() or not _covers(body, case):
            continue
        named = {one.ref() for one in body.filings}
        if not named or (case.filed is not None and case.filed.ref in named):
            yield heard


def _covers(notice: Any, case: _Case) -> bool:
    begins = notice.from_s is None or (case.start_s is not None and notice.from_s <= case.start_s)
    return begins and (notice.to_s is None or (case.end_s is not None and case.end_s <= notice.to_s))


def _kinds_of(activity: str) -> frozenset[OperationKind]:
    try:
        return frozenset({parse_operation_kind(activity)})
    except InputError:
        return frozenset()
