"""Claims: what somebody said publicly of an encounter, weighed against the record.

The record can show that something was so, and that it was otherwise; where it shows neither, a claim is UNSUPPORTED,
and that proves nothing against it. A claim and its contrary are never both SUPPORTED.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from keepclear.agreements.facts import Evidence, Filed, Finding, RecordView, Result
from keepclear.model.operations import Operation
from keepclear.record.bodies.joint import JointPlanBody
from keepclear.record.bodies.watched import ClaimBody, PlatformsValue
from keepclear.record.entry_types import EntryType
from keepclear.separation.judging import surface_distance_m
from keepclear.watch.label_changes import name_of
from keepclear.watch.labels import Labelled
from keepclear.watch.rules import Flag, Label

__all__ = ["VERDICTS", "Weighed", "Weight", "concerned", "weigh"]


class Weight(StrEnum):
    """How a claim stands to the record."""

    SUPPORTED = "supported"
    UNSUPPORTED = "unsupported"
    """The record does not show it; nor does it show otherwise."""
    CONTRADICTED = "contradicted"


_YES, _NO, _OPEN = Weight.SUPPORTED, Weight.CONTRADICTED, Weight.UNSUPPORTED
_L = Label
_OPPOSITE = {_YES: _NO, _NO: _YES, _OPEN: _OPEN}

_JOINT = {_L.JOINT: _YES, _L.COORDINATED: _NO, _L.DECONFLICTED: _NO}
_COORDINATED = {_L.JOINT: _YES, _L.COORDINATED: _YES}
_DECONFLICTED = {_L.JOINT: _YES, _L.COORDINATED: _YES, _L.DECONFLICTED: _YES}
_ONLY = {_L.JOINT: _NO, _L.JOINT_PLANNED: _NO, _L.COORDINATED: _NO, _L.DECONFLICTED: _YES}


def _not(table: Mapping[Label, Weight]) -> dict[Label, Weight]:
    return {label: _OPPOSITE[weight] for label, weight in table.items()}


VERDICTS: Mapping[str, Mapping[Label, Weight]] = MappingProxyType(
    {
        "joint": _JOINT,
        "not-joint": _not(_JOINT),
        "coordinated": _COORDINATED,
        "not-coordinated": _not(_COORDINATED),
        "deconflicted": _DECONFLICTED,
        "only-deconfliction": _ONLY,
    }
)
"""What a label says of a claim. A label that is not here says nothing of it: UNSUPPORTED."""
_NEGATIVE = frozenset({"not-joint", "not-coordinated", "no-breach", "only-deconfliction"})


@dataclass(frozen=True, slots=True)
class Weighed:
    """A claim, weighed.

    Attributes
    ----------
    weight
        How it stands.
    because
        Why, as sentences.
    evidence
        The entries and tracks that decide it.
    """

    weight: Weight
    because: tuple[str, ...]
    evidence: tuple[Evidence, ...]


def weigh(
    claim: ClaimBody,
    labelled: Sequence[Labelled],
    *,
    filings: Sequence[Filed] = (),
    findings: Sequence[Finding] = (),
    record: RecordView | None = None,
) -> Weighed:
    """How a claim stands to the record.

    Parameters
    ----------
    labelled
        Encounters with their labels; those that the claim does not speak of are left aside.
    filings, record
        For what is claimed of participants: how many platforms were filed, or signed for in a joint plan.
    findings
        For what is claimed of breaches.
    """
    some = [one for one in labelled if concerned(claim, one)]
    if claim.asserts in ("breach", "no-breach"):
        return _of_breach(claim, some, findings)
    if not some:
        who = " and ".join(claim.subject.parties)
        return Weighed(_OPEN, (f"the record holds no encounter of {who} at that time and place",), ())
    if claim.asserts == "participants":
        return _of_participants(claim, some, filings, record or RecordView())
    return _by_label(claim.asserts, some, set(claim.subject.parties))


def concerned(claim: ClaimBody, labelled: Labelled) -> bool:
    """Whether a claim speaks of an encounter: of its parties, its time and its place."""
    encounter, subject = labelled.encounter, claim.subject
    during = subject.from_s <= encounter.to_s and subject.to_s >= encounter.from_s
    if not during or not set(encounter.parties) <= set(subject.parties):
        return False
    approach, place = encounter.approach, subject.place
    if approach is None or place is None:
        return True
    here = (place.lon_deg, place.lat_deg, None)
    # A place that is said without an uncertainty is a name on a map: within ten kilometres of it is there.
    reach = place.uncertainty_m or 10_000.0
    return (
        min(surface_distance_m(here, approach.a), surface_distance_m(here, approach.b)) <= reach + approach.greatest_m
    )


def _by_label(asserts: str, some: Sequence[Labelled], parties: AbstractSet[str]) -> Weighed:
    """The verdict of the labels: of several, that which decides; for a denial, what stands against it.

    What is asserted of several parties is supported only where it is so of each of them.
    """
    table = VERDICTS[asserts]
    verdicts = [(_verdict(table, one), one) for one in some]
    order = (_NO, _YES) if asserts in _NEGATIVE else (_YES, _NO)
    weight = next((one for one in order if any(verdict is one for verdict, _ in verdicts)), _OPEN)
    deciding = [one for verdict, one in verdicts if verdict is weight]
    left = parties - {party for one in deciding for party in one.encounter.parties}
    if weight is _YES and left:
        who = " and ".join(sorted(left))
        texts = (*_sentences(deciding, asserts, weight), f"of {who} the record does not show it")
        return Weighed(_OPEN, texts, _evidence(deciding))
    return Weighed(weight, tuple(_sentences(deciding, asserts, weight)), _evidence(deciding))


def _verdict(table: Mapping[Label, Weight], one: Labelled) -> Weight:
    """Of UNDETERMINED: what all labels say that it may be, if they say the same."""
    if one.label is not Label.UNDETERMINED:
        return table.get(one.label, _OPEN)
    possible = {_OPEN if label is None else table.get(label, _OPEN) for label in one.between}
    return possible.pop() if len(possible) == 1 else _OPEN


def _sentences(some: Sequence[Labelled], asserts: str, weight: Weight) -> Iterator[str]:
    told: set[str] = set()
    for one in some:
        a, b = one.encounter.a.name, one.encounter.b.name
        basis = " by the plans" if one.basis.value == "plans" else ""
        head = f"{a} and {b}: {name_of(one.label)}{basis}"
        for text in (head, *one.because):
            if text not in told:
                told.add(text)
                yield text
    if weight is _OPEN:
        yield f"that shows neither {asserts.replace('-', ' ')} nor the contrary, which proves nothing against the claim"


def _evidence(some: Sequence[Labelled]) -> tuple[Evidence, ...]:
    found = {(one.ref, one.track): one for labelled in some for one in labelled.evidence}
    return tuple(found.values())


def _of_breach(claim: ClaimBody, some: Sequence[Labelled], findings: Sequence[Finding]) -> Weighed:
    subject = claim.subject
    related = [
        one
        for one in findings
        if _parties_of(one) <= set(subject.parties)
        and (one.from_s is None or one.from_s <= subject.to_s)
        and (one.to_s is None or one.to_s >= subject.from_s)
    ]
    breached = [one for one in related if one.result is Result.BREACHED]
    flagged = [one for one in some if Flag.TERM_BREACH in one.flags]
    positive = claim.asserts == "breach"
    if breached or flagged:
        evidence = tuple(item for one in breached for item in one.evidence) + _evidence(flagged)
        texts = [one.sentence for one in breached] or ["a term was breached in the encounter"]
        return Weighed(_YES if positive else _NO, tuple(dict.fromkeys(texts)), evidence)
    met = [one for one in related if one.result is Result.MET]
    if met and len(met) == len(related):
        evidence = tuple(item for one in met for item in one.evidence)
        return Weighed(_NO if positive else _YES, tuple(dict.fromkeys(one.sentence for one in met)), evidence)
    why = "the terms in force leave it open" if related else "no term in force was found to speak of it"
    return Weighed(_OPEN, (why,), tuple(item for one in related for item in one.evidence))


def _parties_of(finding: Finding) -> set[str]:
    """Of whom a finding speaks: of a party, or of those whose filings and tracks it sets against each other."""
    if finding.party or not finding.evidence:
        return {finding.party}
    said = {one.ref.origin.partition("/")[0] for one in finding.evidence if one.ref is not None}
    return said | {one.track.partition(" ")[0] for one in finding.evidence if one.track}


def _of_participants(
    claim: ClaimBody, some: Sequence[Labelled], filings: Sequence[Filed], record: RecordView
) -> Weighed:
    """Who took part: together first, if several are named, and then with how many platforms."""
    parties = {one.party for one in claim.participants}
    together = _by_label("joint", some, parties)
    if len(parties) > 1 and together.weight is not _YES:
        return together
    told = dict(_platforms(some, filings, record))
    wrong, open_, sentences = False, False, list(together.because)
    for one in claim.participants:
        said = told.get(one.party)
        if said is None or one.platforms is None:
            open_ = open_ or said is None
            sentences.append(f"of {one.party} the record does not say with how many")
        elif said != one.platforms:
            wrong = True
            sentences.append(f"{_claimed(one)}, and {said} of {one.party} by the record")
        else:
            sentences.append(f"{_claimed(one)}, as by the record")
    weight = _NO if wrong else (_OPEN if open_ else _YES)
    return Weighed(weight, tuple(sentences), together.evidence)


def _claimed(one: PlatformsValue) -> str:
    return f"{one.platforms} of {one.party} are claimed"


def _platforms(some: Sequence[Labelled], filings: Sequence[Filed], record: RecordView) -> Iterator[tuple[str, int]]:
    """By party, with how many platforms it took part, as joint plans and filings among the evidence say."""
    refs = {one.ref for labelled in some for one in labelled.evidence}
    for heard in record.of(EntryType.JOINT_PLAN):
        if heard.ref in refs and isinstance(heard.body, JointPlanBody):
            yield from ((one.party, one.platforms) for one in heard.body.plan.participants if one.platforms is not None)
    for filed in filings:
        if filed.ref in refs and isinstance(filed.plan, Operation):
            yield from ((one.party, one.platforms) for one in filed.plan.participants if one.platforms is not None)
