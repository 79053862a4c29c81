"""Flags: what an encounter was besides its label. They may rest on what was said afterwards; labels never do."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from keepclear.agreements.facts import Evidence, Filed, Finding, Heard, Result
from keepclear.line.deadlines import MessageClass, Owed, due_s
from keepclear.record.bodies.joint import MeasureBody
from keepclear.record.bodies.talk import AnswerGiven
from keepclear.record.bodies.watched import ClaimBody, IncidentBody
from keepclear.record.entries import EntryRef
from keepclear.record.entry_types import EntryType
from keepclear.watch.encounters import Basis, Met
from keepclear.watch.label_case import Case, Notice, first_answer
from keepclear.watch.label_facts import Facts
from keepclear.watch.rules import Atom, Flag

__all__ = ["CONTRARY", "Findings", "about_it", "contrary", "flags_of"]

CONTRARY: frozenset[frozenset[str]] = frozenset(
    frozenset(pair)
    for pair in (
        ("joint", "not-joint"),
        ("joint", "only-deconfliction"),
        ("joint", "not-coordinated"),
        ("coordinated", "not-coordinated"),
        ("coordinated", "only-deconfliction"),
        ("participants", "only-deconfliction"),
        ("participants", "not-joint"),
        ("breach", "no-breach"),
    )
)
"""What cannot both be so. ``participants`` is that parties took part together in one thing."""
_OBSTRUCTING = ("obstruct", "block", "hinder", "ramm", "cut off", "barred the way")


class Findings:
    """Findings, by when and what they are of: a day has many, and an encounter is touched by few."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self._all = findings
        self._from_s = np.array([-math.inf if one.from_s is None else one.from_s for one in findings])
        self._to_s = np.array([math.inf if one.to_s is None else one.to_s for one in findings])
        self._about: dict[EntryRef, list[int]] = defaultdict(list)
        for number, one in enumerate(findings):
            if one.about is not None:
                self._about[one.about].append(number)

    def concerning(self, case: Case, told: Mapping[Met, frozenset[EntryRef]]) -> list[Finding]:
        """Those that concern an encounter: of its time and its units, or about what was told of it."""
        encounter = case.encounter
        during = np.flatnonzero((self._from_s <= encounter.to_s) & (self._to_s >= encounter.from_s)).tolist()
        about = [number for some in told.values() for ref in some for number in self._about.get(ref, ())]
        return [self._all[k] for k in sorted({*during, *about}) if _concerns(self._all[k], case, told)]


def flags_of(case: Case, facts: Facts, began_s: float, findings: Findings) -> tuple[frozenset[Flag], frozenset[Flag]]:
    """What it was besides, and what it may have been."""
    encounter = case.encounter
    a = case.notice(encounter.a, encounter.b, began_s)
    b = case.notice(encounter.b, encounter.a, began_s)
    sure: set[Flag] = set()
    possible: set[Flag] = set()
    if encounter.basis is Basis.TRACKS and not _waived(case, facts, a, b, began_s):
        (sure if facts[Atom.MET].so else possible).add(Flag.UNSAFE)
    told = {encounter.a: _told_of(case, encounter.a, encounter.b, a, began_s)}
    told[encounter.b] = _told_of(case, encounter.b, encounter.a, b, began_s)
    related = findings.concerning(case, told)
    if any(one.result is Result.BREACHED for one in related):
        sure.add(Flag.TERM_BREACH)
    elif any(one.result is Result.POSSIBLE for one in related):
        possible.add(Flag.TERM_BREACH)
    reports = [one for one in case.known.record.of(EntryType.INCIDENT) if _is_about(one, case)]
    if any(_obstructs(one) for one in reports):
        sure.add(Flag.OBSTRUCTION)
    if _is_late(case, a, b, began_s):
        sure.add(Flag.LATE)
    if any(one.disputed_by for one in related) or _is_disputed(case, (a, b), reports):
        sure.add(Flag.DISPUTED)
    return frozenset(sure), frozenset(possible - sure)


def _waived(case: Case, facts: Facts, a: Notice, b: Notice, began_s: float) -> bool:
    """Whether both had agreed to be so near: a plan that all had signed, or a meeting in which both had concurred."""
    if facts[Atom.JOINT_SIGNED].so:
        return True
    measures = case.measures(a, b, began_s)
    return any(isinstance(one.body, MeasureBody) and one.body.measure == "meeting" for one in measures)


def _told_of(case: Case, side: Met, other: Met, notice: Notice, began_s: float) -> frozenset[EntryRef]:
    """The filings of a side about this: what was told too late is none that a label rests on, but terms speak of it."""
    late = {one.ref for one in case.later(side, other, began_s) if one.ref is not None}
    return notice.lineage | late


def _concerns(finding: Finding, case: Case, told: Mapping[Met, frozenset[EntryRef]]) -> bool:
    encounter = case.encounter
    sides = (encounter.a, encounter.b)
    start, end = finding.from_s, finding.to_s
    during = (start is None or start <= encounter.to_s) and (end is None or end >= encounter.from_s)
    if not finding.party and finding.evidence:  # of two together: both have to be those who met
        return during and all(
            any(_is_of(one, side) or one.ref in told[side] for one in finding.evidence) for side in sides
        )
    of_unit = bool(finding.unit) and (finding.party, finding.unit) in ((one.party, one.unit) for one in sides)
    if finding.about is not None:
        return any(finding.about in some for some in told.values()) or (during and of_unit)
    return during and (of_unit if finding.unit else finding.party in encounter.parties)


def _is_of(evidence: Evidence, side: Met) -> bool:
    """Whether evidence is of a side: its track."""
    return f"{evidence.track} ".startswith(f"{side.name} ")


def _is_late(case: Case, a: Notice, b: Notice, began_s: float) -> bool:
    """Whether a filing was told, or answered, later than it was due, or only after the encounter began."""
    encounter = case.encounter
    for side, other, notice in ((encounter.a, encounter.b, a), (encounter.b, encounter.a, b)):
        if notice.filed is None:
            if case.later(side, other, began_s):
                return True
            continue
        filed, first_s = notice.filed, notice.first_s
        is_known = filed.start_s is not None and first_s is not None
        if is_known and filed.start_s - first_s < case.known.deadlines.short_lead_s:  # type: ignore[operator]
            return True
        if _is_answered_late(case, filed, other.party):
            return True
    return False


def _is_answered_late(case: Case, filed: Filed, party: str) -> bool:
    """Whether the first answer of a person came later than the deadlines of the line have it."""
    first = first_answer(filed, party)
    if first is None or filed.counts_from_s is None:
        return False
    deadlines = case.known.deadlines
    kind = deadlines.class_of_lead(filed.lead_s)
    if kind not in (MessageClass.ROUTINE, MessageClass.SHORT, MessageClass.IMMEDIATE):
        return False
    owed = [rule for rule in deadlines.rules[kind] if rule.owed in (Owed.SEEN, Owed.READ_BACK, Owed.ANSWER)]
    due = [due_s(rule, filed.counts_from_s, start_s=filed.start_s) for rule in owed]
    return any(one is not None and first.at_s > one for one in due[:1])


def _is_about(heard: Heard, case: Case) -> bool:
    body = heard.body
    return isinstance(body, IncidentBody) and about_it(body.parties, body.from_s, body.to_s, case)


def about_it(parties: Iterable[str], from_s: float | None, to_s: float | None, case: Case) -> bool:
    """Whether what is said of some parties at some time is said of this encounter."""
    encounter = case.encounter
    during = (from_s is None or from_s <= encounter.to_s) and (to_s is None or to_s >= encounter.from_s)
    return during and set(encounter.parties) <= set(parties)


def _obstructs(heard: Heard) -> bool:
    body = heard.body
    return isinstance(body, IncidentBody) and any(word in act.casefold() for act in body.acts for word in _OBSTRUCTING)


def _is_disputed(case: Case, notices: tuple[Notice, Notice], reports: Sequence[Heard]) -> bool:
    """Whether the record holds statements of it that contradict each other."""
    against = (AnswerGiven.OBJECT, AnswerGiven.NOT_OURS)
    filings = [one.filed for one in notices if one.filed is not None]
    if any(answer.answer in against for filed in filings for answer in filed.answers):
        return True
    labels = {one.body.label for one in reports if isinstance(one.body, IncidentBody) and one.body.label is not None}
    if len(labels) > 1 or any(one.answers and _objects(one) for one in reports):
        return True
    claims = [
        one.body
        for one in case.known.record.of(EntryType.CLAIM)
        if isinstance(one.body, ClaimBody)
        and about_it(one.body.subject.parties, one.body.subject.from_s, one.body.subject.to_s, case)
    ]
    return any(contrary(one, other) for one, other in itertools.combinations(claims, 2))


def _objects(heard: Heard) -> bool:
    return any(one.answer is AnswerGiven.OBJECT for one in heard.answers)


def contrary(one: ClaimBody, other: ClaimBody) -> bool:
    """Whether two claims of one thing cannot both be so."""
    return frozenset({one.asserts, other.asserts}) in CONTRARY
