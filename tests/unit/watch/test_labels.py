"""Labels of made-up records: what decides, what does not, and that what is said to change a label changes it."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keepclear.agreements.facts import Evidence, Finding, RecordView, Result
from keepclear.record.bodies.line_talk import AdvisoryBody
from keepclear.record.bodies.references import EntryRefValue
from keepclear.record.bodies.talk import AnswerGiven, CancelBody
from keepclear.watch.encounters import Basis, Met, encounters
from keepclear.watch.label_changes import name_of
from keepclear.watch.labels import Flag, Label, Labelling, label
from keepclear.watch.planned import encounter_of_plans
from keepclear.watch.rules import RULES, Atom
from tests.unit.watch.encounters_made import HOUR, Story, at, moved, patrol

T = at("2026-06-01T12:00:00Z")
END = T + HOUR
PATHS = {"blue": [(41.99, 37.2), (42.01, 37.2)], "red": [(42.01, 37.2005), (41.99, 37.2005)]}
PLANS = {party: patrol(party, f"{party}-1", points, [T, END]) for party, points in PATHS.items()}
KEPT = {party: moved(party, f"{party}-1", points, [T, END]) for party, points in PATHS.items()}
STRAYED = moved("red", "red-1", [(42.03, 37.24), (42.0, 37.2005), (41.97, 37.24)], [T, T + HOUR / 2, END])
BLURRED = {party: moved(party, f"{party}-1", points, [T, END], uncertainty_m=600.0) for party, points in PATHS.items()}
TRACKS = {
    "kept": (KEPT["blue"], KEPT["red"]),
    "strayed": (KEPT["blue"], STRAYED),
    "blurred": (BLURRED["blue"], BLURRED["red"]),
}
MET = {name: encounters(tracks)[0] for name, tracks in TRACKS.items()}
RANK = {one: place for place, one in enumerate([*(row for row, _, _ in RULES if row is not None), None])}
SEEN, CONCUR, OBJECT = AnswerGiven.SEEN, AnswerGiven.CONCUR, AnswerGiven.OBJECT


def full_story(hours=20.0):
    """Everything: both filed and saw, a meeting concurred in, one plan signed by both."""
    story = Story("blue", "red")
    refs = {party: story.file(plan, T - hours * HOUR) for party, plan in PLANS.items()}
    story.seen(refs["blue"], "red", T - (hours - 0.4) * HOUR)
    story.seen(refs["red"], "blue", T - (hours - 0.4) * HOUR)
    measure = story.measure("blue", list(refs.values()), "meeting", T - (hours - 2) * HOUR)
    story.answer(measure, "red", CONCUR, T - (hours - 3) * HOUR)
    plan = story.joint_plan("red", list(PLANS.values()), T, END, T - (hours - 4) * HOUR)
    for party in PLANS:
        story.sign(party, plan, T - (hours - 5) * HOUR)
    return story


@st.composite
def stories(draw):
    """Some of everything, at times before and after the encounter began."""
    times = st.sampled_from([T - 30 * HOUR, T - HOUR, T + 60.0, T + 0.6 * HOUR, END + HOUR])
    some = st.one_of(st.none(), times)
    story = Story("blue", "red")
    refs = {}
    for party, plan in PLANS.items():
        counts = draw(some)
        if counts is not None:
            refs[party] = story.file(plan, counts)
            answered = draw(some)
            if answered is not None:
                other = "red" if party == "blue" else "blue"
                story.answer(refs[party], other, draw(st.sampled_from([SEEN, CONCUR, OBJECT])), answered)
    if len(refs) == 2 and draw(st.booleans()):
        measure = story.measure("red", list(refs.values()), draw(st.sampled_from(["level", "meeting"])), draw(times))
        if draw(st.booleans()):
            story.answer(measure, "blue", CONCUR, draw(times))
    if draw(st.booleans()):
        plan = story.joint_plan("blue", list(PLANS.values()), T, END, draw(times))
        for party in PLANS:
            if draw(st.booleans()):
                story.sign(party, plan, draw(times))
    return story


SLOWER = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def entries_of(story):
    """Every entry that speaks for something, by what takes it away."""
    for filed in story.filings:
        yield ("filing", filed.ref)
        yield from (("answer", one.ref) for one in filed.answers)
    for some in story.heard.values():
        for one in some:
            yield ("heard", one.ref)
            yield from (("answer", each.ref) for each in one.answers)


def without(story, ref):
    """The same record but for one entry."""
    filings = [
        replace(one, answers=tuple(each for each in one.answers if each.ref != ref))
        for one in story.filings
        if one.ref != ref
    ]
    heard = {
        kind: [
            replace(one, answers=tuple(each for each in one.answers if each.ref != ref))
            for one in some
            if one.ref != ref
        ]
        for kind, some in story.heard.items()
    }
    return filings, RecordView(story.parties, heard)


@SLOWER
@given(stories(), st.sampled_from(sorted(TRACKS)), st.randoms(use_true_random=False))
def test_the_order_of_what_is_given_does_not_matter(story, which, shuffling: random.Random):
    found = label(MET[which], story.filings, story.record, TRACKS[which])
    filings, tracks = list(story.filings), list(TRACKS[which])
    shuffling.shuffle(filings)
    shuffling.shuffle(tracks)
    heard = {kind: shuffling.sample(some, len(some)) for kind, some in reversed(list(story.heard.items()))}
    assert label(MET[which], filings, RecordView(story.parties, heard), tracks) == found


@SLOWER
@given(stories(), st.sampled_from(sorted(TRACKS)))
def test_taking_away_what_was_said_never_makes_a_label_better(story, which):
    found = label(MET[which], story.filings, story.record, TRACKS[which])
    for _, ref in entries_of(story):
        filings, record = without(story, ref)
        then = label(MET[which], filings, record, TRACKS[which])
        assert min(RANK[one] for one in then.between) >= min(RANK[one] for one in found.between)
        assert max(RANK[one] for one in then.between) >= max(RANK[one] for one in found.between)


@SLOWER
@given(stories(), st.sampled_from(sorted(TRACKS)))
def test_what_counts_only_after_the_beginning_changes_no_label(story, which):
    began = MET[which].to_s if MET[which].certain_from_s is None else MET[which].certain_from_s
    early = [one for one in story.filings if one.counts_from_s <= began]
    filings = [replace(one, answers=tuple(each for each in one.answers if each.at_s <= began)) for one in early]
    heard = {
        kind: [
            replace(one, answers=tuple(each for each in one.answers if each.at_s <= began))
            for one in some
            if one.counts_from_s <= began
        ]
        for kind, some in story.heard.items()
    }
    found = label(MET[which], story.filings, story.record, TRACKS[which])
    then = label(MET[which], filings, RecordView(story.parties, heard), TRACKS[which])
    assert (then.label, then.between, then.basis) == (found.label, found.between, found.basis)


@SLOWER
@given(stories(), st.sampled_from(sorted(TRACKS)))
def test_swapping_the_parties_gives_the_mirrored_result(story, which):
    """With names in the other order, everything is the same about the other side."""
    names = {"blue": "zulu", "red": "alpha"}

    def renamed(party):
        return names.get(party, party)

    tracks = [replace(one, party=renamed(one.party)) for one in TRACKS[which]]
    filings = [
        replace(
            one,
            party=renamed(one.party),
            recipients=frozenset(map(renamed, one.recipients)),
            answers=tuple(replace(each, party=renamed(each.party)) for each in one.answers),
        )
        for one in story.filings
    ]
    heard = {
        kind: [
            replace(
                one,
                party=renamed(one.party),
                answers=tuple(replace(each, party=renamed(each.party)) for each in one.answers),
            )
            for one in some
        ]
        for kind, some in story.heard.items()
        if not kind.startswith("joint")  # a plan names its parties inside what is hashed
    }
    plain = {kind: some for kind, some in story.heard.items() if not kind.startswith("joint")}
    found = label(MET[which], story.filings, RecordView(story.parties, plain), TRACKS[which])
    (mirrored,) = encounters(tracks)
    then = label(mirrored, filings, RecordView(frozenset(names.values()), heard), tracks)
    assert (mirrored.a.party, mirrored.b.party) == ("alpha", "zulu")
    assert (then.label, then.flags, then.possible_flags, then.between) == (
        found.label, found.flags, found.possible_flags, found.between,
    )  # fmt: skip
    assert then.encounter.approach.horizontal_m == pytest.approx(found.encounter.approach.horizontal_m, abs=1e-6)
    assert then.encounter.approach.a == pytest.approx(found.encounter.approach.b, nan_ok=True)


@SLOWER
@given(stories(), st.sampled_from(["kept", "strayed"]))
def test_what_is_said_to_make_a_label_less_does(story, which):
    found = label(MET[which], story.filings, story.record, TRACKS[which])
    for change in found.changes:
        if change.without is not None:
            filings, record = without(story, change.without)
            then = label(MET[which], filings, record, TRACKS[which])
            assert then.label is change.to
            assert f"it would be {name_of(change.to)}." in change.sentence


def filed_twice():
    """Both filed; nobody answered."""
    story = Story("blue", "red")
    return story, {party: story.file(plan, T - 20 * HOUR) for party, plan in PLANS.items()}


def do(story, refs, needs):
    """Make it so, by entries that count in time."""
    sides = {Atom.ANSWERED_A: ("blue", "red"), Atom.ANSWERED_B: ("red", "blue")}
    for atom, party in ((Atom.FILED_A, "blue"), (Atom.FILED_B, "red")):
        if atom in needs:
            refs[party] = story.file(PLANS[party], T - 10 * HOUR)
    if Atom.TOLD in needs and not refs:
        refs["blue"] = story.file(PLANS["blue"], T - 10 * HOUR)
    for atom, (party, other) in sides.items():
        if atom in needs:
            story.seen(refs[party], other, T - 9 * HOUR)
    if Atom.MEASURE in needs:
        story.answer(story.measure("blue", list(refs.values()), "time", T - 9 * HOUR), "red", CONCUR, T - 8 * HOUR)
    if Atom.JOINT_SIGNED in needs:
        told = story.heard["joint-plan"]
        plan = told[0].ref if told else story.joint_plan("blue", list(PLANS.values()), T, END, T - 9 * HOUR)
        for party in PLANS:
            story.sign(party, plan, T - 8 * HOUR)


@pytest.mark.parametrize("start", ["nothing", "one filed", "both filed", "both filed and seen", "one signature"])
@pytest.mark.parametrize("which", ["kept", "strayed"])
def test_what_is_said_to_make_a_label_more_does(start, which):
    def begun():
        story, refs = filed_twice()
        if start in ("nothing", "one filed", "one signature"):
            story, refs = Story("blue", "red"), {}
        if start == "one filed":
            refs["blue"] = story.file(PLANS["blue"], T - 20 * HOUR)
        if start == "both filed and seen":
            story.seen(refs["blue"], "red", T - 19 * HOUR)
            story.seen(refs["red"], "blue", T - 19 * HOUR)
        if start == "one signature":
            plan = story.joint_plan("blue", list(PLANS.values()), T, END, T - 20 * HOUR)
            story.sign("blue", plan, T - 19 * HOUR)
        return story, refs

    first, _ = begun()
    found = label(MET[which], first.filings, first.record, TRACKS[which])
    upward = [one for one in found.changes if one.needs]
    assert upward
    for change in upward:
        story, refs = begun()
        tracks = which
        if change.needs & {Atom.KEPT_A, Atom.KEPT_B, Atom.JOINT_PRESENT}:
            tracks = "kept"
        do(story, refs, change.needs)
        then = label(MET[tracks], story.filings, story.record, TRACKS[tracks])
        assert then.label is change.to, change.sentence
        assert name_of(change.to) in change.sentence


def test_what_it_would_be_with_exact_positions_is_what_it_is_with_them():
    story, refs = filed_twice()
    do(story, refs, {Atom.ANSWERED_A, Atom.ANSWERED_B})
    found = label(MET["blurred"], story.filings, story.record, TRACKS["blurred"])
    assert found.label is Label.UNDETERMINED
    (change,) = found.changes
    assert label(MET["kept"], story.filings, story.record, TRACKS["kept"]).label is change.to is Label.DECONFLICTED


@pytest.mark.parametrize(
    ("taken", "expected"),
    [
        ((), Label.JOINT),
        (("joint-plan-signed",), Label.COORDINATED),
        (("joint-plan-signed", "joint-plan", "measure"), Label.DECONFLICTED),
    ],
)
def test_first_match_of_a_full_record(taken, expected):
    story = full_story()
    for kind in taken:
        story.heard.pop(kind)
    found = label(MET["kept"], story.filings, story.record, TRACKS["kept"])
    assert (found.label, found.basis) == (expected, Basis.TRACKS)
    assert found.because
    assert any(one.ref is not None for one in found.evidence)
    assert {one.track for one in found.evidence if one.track} == {"blue blue-1", "red red-1"}


def test_a_signature_of_another_plan_or_another_role_is_none_and_is_told():
    for wrong, text in (({"plan": "0" * 64}, "another hash"), ({"role": "guide"}, "signed it as 'guide'")):
        story = Story("blue", "red")
        plan = story.joint_plan("blue", list(PLANS.values()), T, END, T - 9 * HOUR)
        story.sign("blue", plan, T - 8 * HOUR)
        story.sign("red", plan, T - 8 * HOUR, **wrong)
        found = label(MET["kept"], story.filings, story.record, TRACKS["kept"])
        assert found.label is Label.NOTIFIED_ONLY
        assert any(text in sentence for sentence in found.because)


def test_a_plan_that_was_taken_back_or_replaced_before_is_not_the_plan():
    story = full_story()
    plan = story.heard["joint-plan"][0]
    story.say("red", CancelBody(entry=EntryRefValue.of(plan.ref)), T - HOUR)
    assert label(MET["kept"], story.filings, story.record, TRACKS["kept"]).label is Label.COORDINATED


def test_an_objection_after_concurring_takes_the_measure_back():
    story, refs = filed_twice()
    measure = story.measure("blue", list(refs.values()), "time", T - 9 * HOUR)
    story.answer(measure, "red", CONCUR, T - 8 * HOUR)
    assert label(MET["kept"], story.filings, story.record, TRACKS["kept"]).label is Label.COORDINATED
    story.answer(measure, "red", OBJECT, T - 7 * HOUR)
    assert label(MET["kept"], story.filings, story.record, TRACKS["kept"]).label is Label.NOTIFIED_ONLY


def test_an_amended_filing_must_be_seen_anew():
    story, refs = filed_twice()
    do(story, refs, {Atom.ANSWERED_A, Atom.ANSWERED_B})
    story.file(PLANS["blue"], T - 5 * HOUR, supersedes=refs["blue"])
    found = label(MET["kept"], story.filings, story.record, TRACKS["kept"])
    assert found.label is Label.NOTIFIED_ONLY
    assert "red had not answered the filing of blue" in found.because


def test_a_filing_told_to_somebody_else_is_no_notice():
    story = Story("blue", "red", "green")
    story.file(PLANS["blue"], T - 20 * HOUR, to=["green"])
    assert label(MET["kept"], story.filings, story.record, TRACKS["kept"]).label is Label.COINCIDENTAL


def test_a_filing_for_practice_is_no_notice():
    story = Story("blue", "red")
    story.file(PLANS["blue"], T - 20 * HOUR, exercise=True)
    assert label(MET["kept"], story.filings, story.record, TRACKS["kept"]).label is Label.COINCIDENTAL


def test_a_filing_of_another_place_or_time_is_no_notice():
    story = Story("blue", "red")
    story.file(patrol("blue", "elsewhere", [(44.0, 35.0), (44.1, 35.0)], [T, END]), T - 20 * HOUR)
    story.file(patrol("blue", "tomorrow", PATHS["blue"], [T + 24 * HOUR, END + 24 * HOUR]), T - 20 * HOUR)
    assert label(MET["kept"], story.filings, story.record, TRACKS["kept"]).label is Label.COINCIDENTAL


def test_a_filing_told_only_when_it_had_begun_is_late():
    story = Story("blue", "red")
    early = patrol("blue", "blue-1", PATHS["blue"], [T - HOUR, END])
    story.seen(story.file(early, T - 0.5 * HOUR), "red", T - 0.4 * HOUR)
    story.seen(story.file(PLANS["red"], T - 20 * HOUR), "blue", T - 19 * HOUR)
    found = label(MET["kept"], story.filings, story.record, TRACKS["kept"])
    assert found.label is Label.NOTIFIED_ONLY
    assert Flag.LATE in found.flags


def test_an_open_conflict_counts_only_if_it_was_advised_of_before():
    for hours, expected in ((-8.0, Label.NOTIFIED_ONLY), (3.0, Label.DECONFLICTED)):
        story, refs = filed_twice()
        do(story, refs, {Atom.ANSWERED_A, Atom.ANSWERED_B})
        about = [EntryRefValue.of(one) for one in refs.values()]
        body = AdvisoryBody.model_construct(about=about, answer="conflict")
        story.say("blue", body, T + hours * HOUR)
        story.change(refs["blue"], conflicts=(refs["red"],))
        assert label(MET["kept"], story.filings, story.record, TRACKS["kept"]).label is expected


def test_undetermined_names_the_threshold_and_what_lies_between():
    story = full_story()
    story.heard.pop("joint-plan-signed")
    found = label(MET["blurred"], story.filings, story.record, TRACKS["blurred"])
    assert found.label is Label.UNDETERMINED
    assert None in found.between
    assert any("the minimum of 500 m lies between" in text for text in found.thresholds)
    assert found.possible_flags == frozenset()  # a meeting was concurred in
    assert found.flags == frozenset()


def test_presence_that_the_uncertainty_leaves_open_is_undetermined():
    story = full_story()
    blurred = [
        moved(party, f"{party}-1", [(lon, lat + 0.003) for lon, lat in points], [T, END], uncertainty_m=400.0)
        for party, points in PATHS.items()
    ]
    (met,) = encounters(blurred)
    found = label(met, story.filings, story.record, blurred)
    assert found.label is Label.UNDETERMINED
    assert Label.JOINT in found.between
    assert any("half is asked of each" in text for text in found.thresholds)


def test_a_silence_is_not_bridged():
    """Within the silence they may have met; without it nothing is known of that."""
    story = full_story()
    for kind in ("joint-plan", "joint-plan-signed"):
        story.heard.pop(kind)
    track = KEPT["red"].track
    keep = (track.time_s < T + 0.3 * HOUR) | (track.time_s > T + 0.7 * HOUR)
    columns = {name: getattr(track, name)[keep] for name in ("time_s", "lon_deg", "lat_deg", "height_m")}
    silent = replace(KEPT["red"], track=replace(track, **columns))
    (met,) = encounters([KEPT["blue"], silent])
    found = label(met, story.filings, story.record, [KEPT["blue"], silent])
    assert (met.certain_from_s, found.label) == (None, Label.UNDETERMINED)
    assert "nothing is known of a unit during a silence in its track" in met.reasons
    assert found.changes == ()


def finding(result, **more):
    return Finding("t1", "c5", result, "a sentence", **more)


@pytest.mark.parametrize(
    ("made", "flags", "possible"),
    [
        (finding(Result.BREACHED, party="blue", from_s=T, to_s=END), {Flag.TERM_BREACH}, set()),
        (finding(Result.POSSIBLE, party="red", from_s=T, to_s=END), set(), {Flag.TERM_BREACH}),
        (finding(Result.BREACHED, party="green", from_s=T, to_s=END), set(), set()),
        (finding(Result.BREACHED, party="red", from_s=END + HOUR), set(), set()),
        (finding(Result.BREACHED, party="red", unit="another"), set(), set()),
        (finding(Result.MET, party="red", disputed_by=("blue",)), {Flag.DISPUTED}, set()),
        (finding(Result.NO_DATA, party="red"), set(), set()),
    ],
)
def test_findings_of_terms_make_flags(made, flags, possible):
    story = full_story()
    found = label(MET["kept"], story.filings, story.record, TRACKS["kept"], findings=[made])
    assert (found.flags, found.possible_flags) == (flags, possible)


def test_obstruction_and_dispute_come_from_reports():
    story = full_story()
    story.incident("blue", T, END, ["they blocked the road with two vehicles"], END + HOUR, label="joint")
    found = label(MET["kept"], story.filings, story.record, TRACKS["kept"])
    assert found.flags == {Flag.OBSTRUCTION}
    story.incident("red", T, END, [], END + HOUR, label="coincidental")
    found = label(MET["kept"], story.filings, story.record, TRACKS["kept"])
    assert found.flags == {Flag.OBSTRUCTION, Flag.DISPUTED}


def test_contrary_claims_make_it_disputed():
    story = full_story()
    story.claim("blue", "joint", T, END, END)
    assert label(MET["kept"], story.filings, story.record, TRACKS["kept"]).flags == frozenset()
    story.claim("red", "only-deconfliction", T, END, END)
    assert label(MET["kept"], story.filings, story.record, TRACKS["kept"]).flags == {Flag.DISPUTED}


def test_units_of_nobody_known_are_met_by_coincidence():
    stranger = replace(KEPT["red"], party="", unit="A1B2C3")
    tracks = [KEPT["blue"], stranger]
    (met,) = encounters(tracks)
    story = Story("blue", "red")
    story.file(PLANS["blue"], T - 20 * HOUR)
    found = label(met, story.filings, story.record, tracks)
    assert (met.a, found.label) == (Met("", "A1B2C3"), Label.COINCIDENTAL)


def test_one_labelling_serves_many_encounters_alike():
    story = full_story()
    labelling = Labelling(story.filings, story.record, TRACKS["kept"])
    first, second = (story.filings[k] for k in (0, 1))
    planned = encounter_of_plans(first, second)
    assert labelling.label(MET["kept"]) == label(MET["kept"], story.filings, story.record, TRACKS["kept"])
    assert labelling.label(planned) == label(planned, story.filings, story.record, TRACKS["kept"])
    assert all(isinstance(one, Evidence) for one in labelling.label(planned).evidence)
