"""What may not make a label, a flag or a claim better than the record shows: each was so once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from keepclear.agreements.facts import Evidence, Finding, Flown, Result
from keepclear.model.extents import Track, TrackBasis
from keepclear.record.bodies.line_talk import AdvisoryBody
from keepclear.record.bodies.references import EntryRefValue
from keepclear.record.bodies.watched import ClaimBody
from keepclear.watch.binding import bind
from keepclear.watch.claims import Weight, weigh
from keepclear.watch.encounters import encounters
from keepclear.watch.labels import Flag, Label, label
from keepclear.watch.planned import planned_encounters
from tests.unit.watch.encounters_made import AIR, HOUR, Story, at, moved, patrol

T = at("2026-06-01T12:00:00Z")
END = T + HOUR
DAY = 24 * HOUR
PATHS = {"blue": [(41.99, 37.2), (42.01, 37.2)], "red": [(42.01, 37.2005), (41.99, 37.2005)]}
PLANS = {party: patrol(party, f"{party}-1", points, [T, END]) for party, points in PATHS.items()}
TRACKS = [moved(party, f"{party}-1", points, [T, END]) for party, points in PATHS.items()]
BLURRED = [moved(party, f"{party}-1", points, [T, END], uncertainty_m=600.0) for party, points in PATHS.items()]


def seen_by_both(plans=PLANS, parties=("blue", "red"), counts_s=T - 20 * HOUR):
    story = Story(*parties)
    refs = {party: story.file(plan, counts_s) for party, plan in plans.items()}
    for party, ref in refs.items():
        for other in set(refs) - {party}:
            story.seen(ref, other, counts_s + 60.0)
    return story, refs


def labelled(story, tracks=TRACKS, **more):
    return label(encounters(tracks)[0], story.filings, story.record, tracks, **more)


def test_a_conflict_settled_only_afterwards_was_open():
    for settled_s, expected in ((T - HOUR, Label.DECONFLICTED), (END + HOUR, Label.NOTIFIED_ONLY)):
        story, refs = seen_by_both()
        about = [EntryRefValue.of(one) for one in refs.values()]
        story.say("blue", AdvisoryBody.model_construct(about=about, answer="conflict"), T - 8 * HOUR)
        story.change(refs["blue"], settled=((refs["red"], settled_s),))
        assert labelled(story).label is expected


def test_a_filing_of_last_week_is_none_of_today_whoever_is_bound_to_it():
    old = {party: patrol(party, f"{party}-1", points, [T - 7 * DAY, END - 7 * DAY]) for party, points in PATHS.items()}
    story, refs = seen_by_both(old, counts_s=T - 9 * DAY)
    assert [one.operation for one in bind(TRACKS, story.filings)] == [None, None]
    bound = [replace(one, operation=refs[one.party]) for one in TRACKS]
    assert labelled(story, bound).label is Label.COINCIDENTAL
    # Somewhat late is late, and about the same.
    late = [replace(one, track=replace(one.track, time_s=one.track.time_s + 1.5 * HOUR)) for one in TRACKS]
    story, refs = seen_by_both()
    assert labelled(story, [replace(one, operation=refs[one.party]) for one in late]).label is Label.DECONFLICTED


def test_units_of_other_filings_are_no_part_of_a_signed_plan_in_the_same_place():
    story, refs = seen_by_both()
    plan = story.joint_plan("red", list(PLANS.values()), T, END, T - 10 * HOUR)
    for party in PLANS:
        story.sign(party, plan, T - 9 * HOUR)
    bound = [replace(one, operation=refs[one.party]) for one in TRACKS]
    assert labelled(story, bound).label is Label.JOINT
    other = story.file(patrol("red", "red-2", PATHS["red"], [T, END]), T - 20 * HOUR)
    story.seen(other, "blue", T - 19 * HOUR)
    stranger = replace(bound[1], operation=other, unit="red-2")
    # It is not of the plan, and it shows nobody of the plan to be there.
    assert labelled(story, [bound[0], stranger]).label is Label.DECONFLICTED
    unnamed = [replace(TRACKS[1], unit="red-9"), stranger]
    met = encounters([bound[0], unnamed[0]])[0]
    assert label(met, story.filings, story.record, [bound[0], stranger]).label is Label.JOINT_PLANNED


def test_breaches_of_two_together_and_of_filings_told_late_are_flagged():
    story = Story("blue", "red")
    tracks = tuple(Evidence(track=one.name) for one in TRACKS)
    near = Finding("t1", "c1", Result.BREACHED, "too near", from_s=T, to_s=END, evidence=tracks)
    assert Flag.TERM_BREACH in labelled(story, findings=[near]).flags
    others = replace(near, evidence=(tracks[0], Evidence(track="green green-1")))
    assert Flag.TERM_BREACH not in labelled(story, findings=[others]).flags
    late = story.file(PLANS["red"], T + 0.9 * HOUR)
    told = Finding("t2", "c2", Result.BREACHED, "too late", party="red", about=late, from_s=T, to_s=END)
    assert Flag.TERM_BREACH in labelled(story, findings=[told]).flags


def test_a_claim_of_no_breach_is_not_supported_where_two_came_too_near():
    story = Story("blue", "red")
    tracks = tuple(Evidence(track=one.name) for one in TRACKS)
    near = Finding("t1", "c1", Result.POSSIBLE, "perhaps too near", from_s=T, to_s=END, evidence=tracks)
    met = Finding("t2", "c2", Result.MET, "within it", party="red", from_s=T, to_s=END)
    claim = story.claim("red", "no-breach", T, END, END)
    for findings, weight in (([met], Weight.SUPPORTED), ([met, near], Weight.UNSUPPORTED)):
        one = labelled(story, findings=findings)
        assert weigh(claim, [one], findings=findings).weight is weight


def test_what_is_claimed_of_three_is_not_shown_by_two():
    story, _ = seen_by_both(parties=("blue", "green", "red"))
    plan = story.joint_plan("red", list(PLANS.values()), T, END, T - 10 * HOUR)
    for party in PLANS:
        story.sign(party, plan, T - 9 * HOUR)
    one = labelled(story)
    assert one.label is Label.JOINT
    of_two = ClaimBody(
        subject={"parties": ["blue", "red"], "from_s": T, "to_s": END}, said_by="a spokesman", said_s=END,
        where="https://example.org/news", words_ref="a statement", asserts="joint",
    )  # fmt: skip
    assert weigh(of_two, [one]).weight is Weight.SUPPORTED
    assert weigh(story.claim("red", "joint", T, END, END), [one]).weight is Weight.UNSUPPORTED
    people = [{"party": name} for name in ("blue", "green", "red")]
    claim = story.claim("red", "participants", T, END, END, participants=people)
    assert weigh(claim, [one]).weight is Weight.UNSUPPORTED


def test_plans_told_late_or_amended_under_way_meet_too():
    story, refs = seen_by_both()
    story.change(refs["red"], counts_from_s=T + 60.0)
    assert len(planned_encounters(story.filings)) == 1
    story.change(refs["red"], counts_from_s=END + 1.0)
    assert planned_encounters(story.filings) == ()
    far = patrol("red", "red-1", [(43.0, 38.0), (43.1, 38.0)], [T, END])
    story, refs = seen_by_both({"blue": PLANS["blue"], "red": far})
    assert planned_encounters(story.filings) == ()
    story.file(PLANS["red"], T + 300.0, supersedes=refs["red"])
    assert len(planned_encounters(story.filings)) == 1


def test_heights_known_only_later_make_nothing_certain_before():
    def flight(party, heights):
        time = T + 30.0 * np.arange(len(heights))
        where = (41.0 + 1e-5 * np.arange(len(heights)), np.full(len(heights), 37.0))
        track = Track(time, *where, np.array(heights, dtype=float), basis=TrackBasis.FLOWN)
        return Flown(party, f"{party}-1", track, None, "flight", domains=AIR)

    unknown = float("nan")
    level = flight("a", [1000.0] * 5)
    (met,) = encounters([level, flight("b", [unknown, unknown, 1000.0, 1000.0, 1000.0])])
    assert (met.from_s, met.certain_from_s) == (T, T + 60.0)
    (met,) = encounters([level, flight("b", [5000.0, 5000.0, 5000.0, unknown, unknown])])
    assert met.certain_from_s is None


def test_no_change_of_the_record_is_passed_over_while_it_is_open_when_they_met():
    """A filing that did not stand for a moment, among a hundred others that came to count meanwhile."""
    met = encounters(BLURRED)[0]
    story, refs = seen_by_both()
    elsewhere = patrol("blue", "far", [(45.0, 39.0), (45.1, 39.0)], [T, END])
    step = (met.to_s - met.from_s) / 200.0
    for number in range(1, 200):
        story.file(elsewhere, met.from_s + number * step)
    assert story.label(met, BLURRED).between == (Label.DECONFLICTED, None)
    gone = met.from_s + 101.4 * step
    again = story.file(PLANS["red"], gone + 0.2 * step, supersedes=refs["red"])
    story.seen(again, "blue", gone + 0.2 * step)
    assert story.label(met, BLURRED).between == (Label.DECONFLICTED, None)
    story.change(refs["red"], superseded_s=gone)
    assert Label.NOTIFIED_ONLY in story.label(met, BLURRED).between


def test_when_a_conflict_was_settled_counts_while_it_is_open_when_they_met():
    met = encounters(BLURRED)[0]
    story, refs = seen_by_both()
    middle = 0.5 * (met.from_s + met.to_s)
    story.change(refs["blue"], settled=((refs["red"], middle),))
    between = story.label(met, BLURRED).between
    assert between == (Label.DECONFLICTED, Label.NOTIFIED_ONLY, None)
