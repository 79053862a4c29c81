"""What a record and tracks come to, fact by fact, for one encounter at the moment at which it began.

Each fact is so, or not, or left open by the uncertainty of the positions; each says why, and what it rests on.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from keepclear.agreements.facts import Evidence, Heard
from keepclear.model.operations import Operation
from keepclear.record.bodies.joint import MeasureBody
from keepclear.record.bodies.talk import AnswerGiven
from keepclear.record.entries import EntryRef
from keepclear.separation.checking import check
from keepclear.watch.conformance import CONFORMANCE_SHARE
from keepclear.watch.encounters import Basis, Met
from keepclear.watch.joint_plans import PRESENT_SHARE, PlanOnRecord
from keepclear.watch.label_case import Case, Notice, first_answer, track_text
from keepclear.watch.label_words import entry_text, moment_text, share_text
from keepclear.watch.rules import Atom

__all__ = ["Fact", "Facts", "facts_of"]


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact.

    Attributes
    ----------
    so
        Whether it is so; None if the uncertainty of the positions leaves it open.
    sentence
        Why.
    evidence
        What it rests on.
    reported
        Whether it is so by the positions as reported.
    wanting
        What would have to be so instead, as the end of "it would be … if"; empty where it is so.
    """

    so: bool | None
    sentence: str
    evidence: tuple[Evidence, ...] = ()
    reported: bool | None = None
    wanting: str = ""

    @property
    def by_report(self) -> bool:
        """Whether it is so by the positions as reported."""
        return bool(self.so) if self.so is not None else bool(self.reported)


Facts = Mapping[Atom, Fact]


def facts_of(case: Case, began_s: float, without: AbstractSet[EntryRef] = frozenset()) -> Facts:
    """All facts, had the encounter begun then, and had these entries not been made.

    A label asks for them again and again, each time but for one entry, which most facts do not rest on: each is worked
    out once for what it is made of.
    """
    left_out = frozenset(without)
    return case.once(("facts", began_s, left_out), lambda: _facts(case, began_s, left_out))


def _facts(case: Case, began_s: float, without: frozenset[EntryRef]) -> Facts:
    met, once = case.encounter, case.once
    a, b = case.notice(met.a, met.b, began_s, without), case.notice(met.b, met.a, began_s, without)
    plan = case.joint_plan(began_s, without)
    measure = _measure(case, a, b, began_s, without)
    asked = bool(measure.so)

    def answered(side: Met, other: Met, notice: Notice) -> Fact:
        answers = () if notice.filed is None else notice.filed.answers
        of_it = without & {one.ref for one in answers} if without else without
        return once(
            (Atom.ANSWERED_A, side, id(notice), began_s, of_it), lambda: _answered(side, other, notice, began_s, of_it)
        )

    return {
        Atom.JOINT_SIGNED: once((Atom.JOINT_SIGNED, id(plan)), lambda: _signed(case, plan)),
        Atom.JOINT_PRESENT: once((Atom.JOINT_PRESENT, id(plan)), lambda: _present(case, plan)),
        Atom.MET: once((Atom.MET,), lambda: _met(case)),
        Atom.FILED_A: once((Atom.FILED_A, id(a)), lambda: _filed(met.a, met.b, a)),
        Atom.FILED_B: once((Atom.FILED_B, id(b)), lambda: _filed(met.b, met.a, b)),
        Atom.TOLD: once((Atom.TOLD, id(a), id(b), id(plan)), lambda: _told(case, a, b, plan)),
        Atom.ANSWERED_A: answered(met.a, met.b, a),
        Atom.ANSWERED_B: answered(met.b, met.a, b),
        Atom.NO_CONFLICT: _no_conflict(case, a, b, began_s, without),
        Atom.MEASURE: measure,
        Atom.KEPT_A: once((Atom.KEPT_A, id(a), asked), lambda: _kept(case, met.a, a, asked=asked)),
        Atom.KEPT_B: once((Atom.KEPT_B, id(b), asked), lambda: _kept(case, met.b, b, asked=asked)),
    }


def _signed(case: Case, plan: PlanOnRecord | None) -> Fact:
    parties = " and ".join(case.encounter.parties)
    if plan is None:
        told = f"there was no joint plan of {parties}"
        return _not(told, wanting=f"{parties} had signed one plan, each with its role")
    name = f"the joint plan {plan.plan.id} ({plan.hash[:12]}…)"
    evidence = [Evidence(plan.heard.ref, note=f"{name}, told by {plan.heard.party}")]
    evidence += [Evidence(one.ref, note=f"{party} signed it") for party, one in sorted(plan.signed.items())]
    if not plan.missing:
        roles = ", ".join(f"{one.party} as {one.role}" for one in plan.plan.participants)
        return _so(f"{name} was signed by every participant: {roles}", tuple(evidence))
    who = " and ".join(plan.missing)
    why = "; ".join(plan.wrong[party] for party in plan.missing if party in plan.wrong)
    sentence = f"{name} was not signed by {who}{f' ({why})' if why else ''}"
    return _not(sentence, tuple(evidence), wanting=f"{who} had signed {name}")


def _present(case: Case, plan: PlanOnRecord | None) -> Fact:
    if plan is None:
        return _not("", wanting="the tracks of all of them showed them there for at least half of its time")
    so: bool | None = True
    told, absent, evidence, reported = [], [], [], True
    for one in plan.plan.participants:
        share = case.known.present(plan, one.party)
        reaches = share.reaches(PRESENT_SHARE)
        told.append(f"{one.party} {share_text(share)}")
        if reaches is not True:
            absent.append(one.party)
        so = False if reaches is False or so is False else (None if reaches is None or so is None else True)
        reported &= share.reported >= PRESENT_SHARE
        evidence += [Evidence(track=track_text(flown)) for flown in case.known.flown_by.get(one.party, [])]
    sentence = f"in the place of the plan, of its time: {', '.join(told)} (half is asked of each)"
    wanting = f"the track of {' and '.join(absent)} showed it there for at least half of the plan's time"
    return Fact(so, sentence, tuple(evidence), reported, wanting if absent else "")


def _met(case: Case) -> Fact:
    encounter = case.encounter
    tracks = [
        Evidence(track=track_text(flown)) for side in (encounter.a, encounter.b) for flown in case.tracks_of(side)
    ]
    if encounter.basis is Basis.PLANS:
        return _so("it is about what was planned", tuple(tracks))
    sure = encounter.certain_from_s is not None
    return Fact(True if sure else None, "", tuple(tracks), encounter.nominal_is_within)


def _filed(side: Met, other: Met, notice: Notice) -> Fact:
    filed = notice.filed
    wanting = f"{side.party or side.name} had filed what it did before it began, and told {other.party or other.name}"
    if filed is None:
        return _not(f"{side.name}: nothing was filed to {other.party or 'others'} in time", wanting=wanting)
    evidence = (Evidence(filed.ref, note=f"{filed.party} filed it"),)
    counts_s = filed.counts_from_s
    when = "not known to others" if counts_s is None else f"known to others at {moment_text(counts_s)}"
    if filed.plan is None:
        text = (
            f"the filing of {side.party} ({entry_text(filed.ref)}) is incomplete: {filed.problem or 'it says nothing'}"
        )
        return _not(text, evidence, wanting=f"the filing of {side.party} had said where and when")
    late = filed.start_s is not None and notice.first_s is not None and notice.first_s > filed.start_s
    sentence = f"{side.party} had filed ({entry_text(filed.ref)}, {when}"
    if late:
        return _not(f"{sentence}), but only after it had begun", evidence, wanting=wanting)
    return _so(f"{sentence})", evidence)


def _told(case: Case, a: Notice, b: Notice, plan: PlanOnRecord | None) -> Fact:
    evidence = [Evidence(one.filed.ref, note=f"{one.filed.party} filed it") for one in (a, b) if one.filed]
    sides = set(case.encounter.parties)
    told = {one.filed.party for one in (a, b) if one.filed}
    if plan is not None:
        said = [plan.heard, *(one for _, one in sorted(plan.signed.items()))]
        told |= {one.party for one in said if one.party in sides}
        evidence += [Evidence(one.ref, note=f"{one.party} told of a joint plan") for one in said if one.party in sides]
    if not told:
        parties = " nor ".join(one or "the unit of nobody known" for one in case.encounter.parties)
        wanting = "one of them had told the other of it before"
        return _not(f"neither {parties} had told the other of it", wanting=wanting)
    return _so(f"{' and '.join(sorted(told))} had told of it", tuple(evidence))


def _answered(side: Met, other: Met, notice: Notice, began_s: float, without: AbstractSet[EntryRef]) -> Fact:
    filed = notice.filed
    wanting = f"{other.party} had seen or read back the filing of {side.party} before {moment_text(began_s)}"
    if filed is None:
        return _not(f"there was no filing of {side.party} that {other.party} could have answered", wanting=wanting)
    first = first_answer(filed, other.party, without)
    if first is None or first.at_s > began_s:
        late = "" if first is None else f" (it did at {moment_text(first.at_s)}, when it had begun)"
        return _not(f"{other.party} had not answered the filing of {side.party}{late}", wanting=wanting)
    text = f"{other.party} had answered the filing of {side.party} ({first.answer.value}, {moment_text(first.at_s)})"
    return _so(text, (Evidence(first.ref, note=f"{other.party} answered: {first.answer.value}"),))


def _no_conflict(case: Case, a: Notice, b: Notice, began_s: float, without: AbstractSet[EntryRef]) -> Fact:
    for one, other in ((a, b), (b, a)):
        if one.filed is None or not (one.filed.conflicts or one.filed.settled):
            continue
        still = [ref for ref, settled_s in one.filed.settled if settled_s > began_s]  # it was open when they met
        for ref in sorted({*one.filed.conflicts, *still}, key=lambda ref: (ref.origin, ref.index)):
            advisories = case.advisories(one.filed.ref, ref)
            before = [each for each in advisories if _by(each, began_s) and each.ref not in without]
            # An advisory about an earlier version, and whoever was not told of a search since: the plans are here.
            is_old = other.filed is not None and ref != other.filed.ref
            if ref in other.lineage and (before or not advisories) and not (is_old and _is_clear(one, other)):
                text = f"a conflict between {entry_text(one.filed.ref)} and {entry_text(ref)} was left open"
                evidence = tuple(Evidence(each.ref, note="advises of it") for each in before)
                return _not(text, evidence, wanting="the conflict between the filings had been resolved")
    return _so("no conflict between the filings is known to have been left open")


def _is_clear(a: Notice, b: Notice) -> bool:
    """Whether the plans as they are now keep apart by the documented minima, as far as is known."""
    plans = [one.filed.plan for one in (a, b) if one.filed is not None]
    operations = [one for one in plans if isinstance(one, Operation)]
    return len(operations) == 2 and not check(operations).conflicts


def _measure(case: Case, a: Notice, b: Notice, began_s: float, without: AbstractSet[EntryRef]) -> Fact:
    found = case.measures(a, b, began_s, without)
    if found:
        one = found[0]
        assert isinstance(one.body, MeasureBody)
        concurred = [each for each in one.answers if each.answer is AnswerGiven.CONCUR and each.at_s <= began_s]
        evidence = [Evidence(one.ref, note=f"{one.party} proposed a measure ({one.body.measure})")]
        evidence += [
            Evidence(each.ref, note=f"{each.party} concurred") for each in concurred if each.ref not in without
        ]
        text = f"both sides had concurred in a measure ({one.body.measure}, {entry_text(one.ref)})"
        return _so(text, tuple(evidence))
    wanting = f"both had concurred in a measure (time, route, level, meeting) before {moment_text(began_s)}"
    return _not("there was no measure in which both sides had concurred", wanting=wanting)


def _kept(case: Case, side: Met, notice: Notice, *, asked: bool) -> Fact:
    """Whether a side kept to its plan; not worked out where no measure makes it matter, which takes the most time."""
    if not case.has_tracks:
        return _so("there are no tracks to hold against the plans")
    mine = case.tracks_of(side)
    filed = notice.filed
    if filed is None or not isinstance(filed.plan, Operation):
        wanting = f"{side.party or side.name} had kept to a plan for {CONFORMANCE_SHARE:.0%} of its time"
        return _not(f"there was no plan of {side.party} to keep to", wanting=wanting)
    evidence = tuple(Evidence(track=track_text(one)) for one in mine)
    if not asked:
        wanting = f"the track of {side.party} kept to its plan for {CONFORMANCE_SHARE:.0%} of its time"
        return _not("", evidence, wanting=wanting)
    wanting = f"the track of {side.party} had kept to its plan for {CONFORMANCE_SHARE:.0%} of its time"
    found = [one for one in (case.known.kept(filed, flown) for flown in mine) if one is not None]
    if not found:
        return _not(f"no track shows that {side.name} kept to its plan", evidence, wanting=wanting)
    share, farthest_m = min(found, key=lambda one: (one[0].least, one[0].greatest))
    reaches = share.reaches(CONFORMANCE_SHARE)
    far = f", at most {farthest_m:,.0f} m outside" if farthest_m > 0.0 else ""
    sentence = f"{side.name} kept to its plan {share_text(share)} of the time{far}"
    return Fact(reaches, sentence, evidence, share.reported >= CONFORMANCE_SHARE, "" if reaches else wanting)


def _so(sentence: str, evidence: tuple[Evidence, ...] = ()) -> Fact:
    return Fact(so=True, sentence=sentence, evidence=evidence)


def _not(sentence: str, evidence: tuple[Evidence, ...] = (), *, wanting: str = "") -> Fact:
    return Fact(so=False, sentence=sentence, evidence=evidence, wanting=wanting)


def _by(one: Heard, at_s: float) -> bool:
    return one.counts_from_s is not None and one.counts_from_s <= at_s
