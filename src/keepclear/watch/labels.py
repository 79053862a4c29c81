"""Labels: what an encounter was, by the record and the tracks, and by nothing else.

`label` is a pure function. Only what counted when the event began decides: an entry counts from the time of another
party's or a witness's cosignature, never from its author's clock. The rules are the table in `keepclear.watch.rules`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from keepclear.agreements.facts import Evidence, Filed, Finding, Flown, RecordView
from keepclear.line.deadlines import DEFAULT_DEADLINES, Deadlines
from keepclear.watch.encounters import Basis, Encounter
from keepclear.watch.label_case import Case
from keepclear.watch.label_changes import (
    Change,
    Outcomes,
    because,
    downward,
    evidence_of,
    if_exact,
    moments,
    straddled,
    subsets,
    upward,
)
from keepclear.watch.label_facts import facts_of
from keepclear.watch.label_flags import Findings, flags_of
from keepclear.watch.label_known import Known
from keepclear.watch.rules import Atom, Flag, Label, first_match

__all__ = ["Change", "Flag", "Label", "Labelled", "Labelling", "label"]


@dataclass(frozen=True, slots=True)
class Labelled:
    """What an encounter was.

    Attributes
    ----------
    encounter
        Which.
    label, basis
        What it was, and whether tracks say so or plans.
    flags, possible_flags
        What it was besides, and what it may have been.
    between
        Of UNDETERMINED: the labels that it would have under the least and the greatest distances, None for no
        encounter. Otherwise the one label.
    thresholds
        Of UNDETERMINED: which threshold the uncertainty straddles, as sentences with numbers.
    because
        Why, as sentences, in the order of the rules.
    evidence
        The entries and the tracks that it rests on.
    would_change
        What would make it another label, as sentences; the same as `changes`.
    changes
        The same as values.
    """

    encounter: Encounter
    label: Label
    basis: Basis
    flags: frozenset[Flag]
    possible_flags: frozenset[Flag]
    between: tuple[Label | None, ...]
    thresholds: tuple[str, ...]
    because: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    changes: tuple[Change, ...]

    @property
    def would_change(self) -> tuple[str, ...]:
        """What would make it another label, as sentences."""
        return tuple(one.sentence for one in self.changes)


class Labelling:
    """Labels of many encounters by one record and one set of tracks: what is worked out for one serves the others.

    Parameters
    ----------
    filings, record, tracks, findings, deadlines
        As of `label`.
    """

    def __init__(
        self,
        filings: Sequence[Filed],
        record: RecordView,
        tracks: Sequence[Flown],
        *,
        findings: Sequence[Finding] = (),
        deadlines: Deadlines = DEFAULT_DEADLINES,
    ) -> None:
        self._known = Known(filings, record, tracks, deadlines)
        self._findings = Findings(findings)

    def label(self, encounter: Encounter) -> Labelled:
        """What an encounter was."""
        case = Case(self._known, encounter)
        began = moments(case)
        facts = facts_of(case, began[-1])  # when it had begun for certain, if it ever did
        outcomes = _outcomes(case, began)
        between = tuple(sorted({one for one, _ in outcomes}, key=_rank))
        decided = between[0] if len(between) == 1 else None
        name = decided or Label.UNDETERMINED
        flags, possible = flags_of(case, facts, began[-1], self._findings)
        if name is Label.UNDETERMINED:
            thresholds = straddled(case, facts, outcomes)
            changes = if_exact(case, facts)
        else:
            thresholds = ()
            changes = (*upward(facts, name), *downward(case, began[-1], name))
        return Labelled(
            encounter, name, Basis.TRACKS if case.has_tracks else Basis.PLANS, flags, possible, between, thresholds,
            because(facts, name, between), evidence_of(facts, name, between), changes,
        )  # fmt: skip


def label(
    encounter: Encounter,
    filings: Sequence[Filed],
    record: RecordView,
    tracks: Sequence[Flown],
    *,
    findings: Sequence[Finding] = (),
    deadlines: Deadlines = DEFAULT_DEADLINES,
) -> Labelled:
    """What an encounter was.

    Parameters
    ----------
    filings, record
        What was said on the line; in any order.
    tracks
        Where units were: those of the encounter, and of everybody else in a joint plan.
    findings
        What the terms in force say of it; for the flags alone.
    deadlines
        By when filings are to be answered.
    """
    return Labelling(filings, record, tracks, findings=findings, deadlines=deadlines).label(encounter)


def _outcomes(case: Case, began: Sequence[float]) -> Outcomes:
    """The label in every case that the uncertainty leaves open: whenever it began, and whatever was so."""
    found: dict[Label | None, list[frozenset[Atom]]] = {}
    for began_s in began:
        facts = facts_of(case, began_s)
        sure = {atom for atom, fact in facts.items() if fact.so}
        for some in subsets([atom for atom, fact in facts.items() if fact.so is None]):
            found.setdefault(first_match(sure | some), []).append(some)
    return tuple((one, tuple(dict.fromkeys(cases))) for one, cases in found.items())


def _rank(one: Label | None) -> int:
    return len(Label) if one is None else list(Label).index(one)
