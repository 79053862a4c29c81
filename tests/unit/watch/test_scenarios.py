"""The five scenarios of the domain, as small as they go: what each variant is called, and what is said of claims."""

from __future__ import annotations

import pytest

from keepclear.record.bodies.talk import AnswerGiven
from keepclear.watch.claims import Weight, weigh
from keepclear.watch.encounters import Basis, encounters
from keepclear.watch.labels import Flag, Label
from keepclear.watch.planned import encounter_of_parties, encounter_of_plans, planned_encounters
from tests.unit.watch.encounters_made import HOUR, Story, at, flight, moved, patrol

CONCUR = AnswerGiven.CONCUR

# Deir Gusun, 27 May 2020. Plans stay more than 500 m apart; the tracks come to one place and stay 20 minutes.
MORNING = at("2020-05-27T00:00:00Z")
SIX, HALF_PAST_SEVEN, MEETING, APART = (MORNING + h * HOUR for h in (6.0, 7.5, 8.0 + 1 / 3, 8.0 + 2 / 3))
RU_PLAN = [(41.22, 37.05), (42.0, 37.2036)], [SIX, MEETING]
US_PLAN = [(41.95, 37.0), (42.0, 37.1964)], [HALF_PAST_SEVEN, MEETING]
RU_TRACK = [(41.22, 37.05), (42.0, 37.2), (42.0, 37.2)], [SIX, MEETING, APART]
US_TRACK = [(41.95, 37.0), (42.00068, 37.2), (42.00068, 37.2)], [HALF_PAST_SEVEN, MEETING, APART]


def _gusun_tracks(uncertainty_m=0.0):
    return [
        moved("RU", "patrol", *RU_TRACK, uncertainty_m=uncertainty_m),
        moved("US", "patrol", *US_TRACK, uncertainty_m=uncertainty_m),
    ]


def _gusun_filed(*, seen=True):
    story = Story("RU", "US")
    filed_s = SIX - 26 * HOUR
    late = {"late_s": 1500.0}
    ru = story.file(patrol("RU", "ru-1", *RU_PLAN, **late), filed_s)
    us = story.file(patrol("US", "us-1", *US_PLAN, **late), filed_s)
    if seen:
        story.seen(ru, "US", filed_s + 600.0)
        story.seen(us, "RU", filed_s + 600.0)
    return story, ru, us


def _gusun(story, tracks=None, **more):
    tracks = tracks or _gusun_tracks()
    (encounter,) = encounters(tracks)
    return story.label(encounter, tracks, **more)


def test_deir_gusun_filed_and_seen_is_deconflicted_and_unsafe():
    story, _, _ = _gusun_filed()
    found = _gusun(story)
    assert found.label is Label.DECONFLICTED
    assert found.basis is Basis.TRACKS
    assert found.flags == {Flag.UNSAFE}
    assert found.encounter.approach.horizontal_m == pytest.approx(60.4, abs=0.5)


def test_deir_gusun_with_a_meeting_concurred_in_is_coordinated_and_not_unsafe():
    story, ru, us = _gusun_filed()
    story.answer(story.measure("RU", [ru, us], "meeting", SIX - 20 * HOUR), "US", CONCUR, SIX - 19 * HOUR)
    found = _gusun(story)
    assert found.label is Label.COORDINATED
    assert found.flags == frozenset()


def test_deir_gusun_without_filings_is_coincidental_and_unsafe():
    found = _gusun(Story("RU", "US"))
    assert (found.label, found.flags) == (Label.COINCIDENTAL, {Flag.UNSAFE})


def test_deir_gusun_with_one_plan_signed_by_both_is_joint():
    story = Story("RU", "US")
    both = [patrol("RU", "ru-1", *RU_TRACK), patrol("US", "us-1", *US_TRACK)]
    plan = story.joint_plan("RU", both, HALF_PAST_SEVEN, APART, SIX - 20 * HOUR)
    for party in ("RU", "US"):
        story.sign(party, plan, SIX - 19 * HOUR)
    found = _gusun(story)
    assert (found.label, found.flags) == (Label.JOINT, frozenset())


def test_deir_gusun_with_positions_15_km_uncertain_is_undetermined():
    story, _, _ = _gusun_filed()
    found = _gusun(story, _gusun_tracks(15_000.0))
    assert found.label is Label.UNDETERMINED
    assert found.between == (Label.DECONFLICTED, None)
    assert found.possible_flags == {Flag.UNSAFE}
    (threshold,) = found.thresholds
    assert "500 m" in threshold
    assert "0 to 30,0" in threshold


GUSUN_CLAIMS = {
    Label.DECONFLICTED: (Weight.CONTRADICTED, Weight.SUPPORTED),
    Label.COORDINATED: (Weight.CONTRADICTED, Weight.SUPPORTED),
    Label.COINCIDENTAL: (Weight.UNSUPPORTED, Weight.UNSUPPORTED),
    Label.JOINT: (Weight.SUPPORTED, Weight.CONTRADICTED),
    Label.UNDETERMINED: (Weight.UNSUPPORTED, Weight.UNSUPPORTED),
}


@pytest.mark.parametrize("label", GUSUN_CLAIMS)
def test_both_claims_of_deir_gusun_are_weighed_in_each_variant(label):
    story, ru, us = _gusun_filed()
    tracks = _gusun_tracks(15_000.0 if label is Label.UNDETERMINED else 0.0)
    if label is Label.COORDINATED:
        story.answer(story.measure("US", [us, ru], "meeting", SIX - 20 * HOUR), "RU", CONCUR, SIX - 19 * HOUR)
    if label in (Label.COINCIDENTAL, Label.JOINT):
        story = Story("RU", "US")
    if label is Label.JOINT:
        both = [patrol("RU", "ru-1", *RU_TRACK), patrol("US", "us-1", *US_TRACK)]
        plan = story.joint_plan("US", both, HALF_PAST_SEVEN, APART, SIX - 20 * HOUR)
        story.sign("RU", plan, SIX - 19 * HOUR)
        story.sign("US", plan, SIX - 19 * HOUR)
    found = _gusun(story, tracks)
    assert found.label is label
    claims = [story.claim("RU", what, SIX, APART, APART + HOUR) for what in ("joint", "not-joint")]
    assert tuple(weigh(claim, [found]).weight for claim in claims) == GUSUN_CLAIMS[label]


def test_distances_are_the_same_on_either_side_of_42_degrees_east():
    def closest(shift):
        tracks = [
            moved("RU", "patrol", [(41.99 + shift, 37.2), (42.0 + shift, 37.2)], [SIX, SIX + HOUR]),
            moved("US", "patrol", [(41.99 + shift, 37.203), (42.0007 + shift, 37.2)], [SIX, SIX + HOUR]),
        ]
        (found,) = encounters(tracks)
        return found.approach.horizontal_m

    assert closest(0.0005) == pytest.approx(closest(-0.0015), abs=1e-6)
    assert closest(0.0) == pytest.approx(closest(3.0), abs=1e-6)


# Darbasiyah, 1 Nov 2019: five vehicles of RU and four of TR, one plan.
NINE, ONE = at("2019-11-01T09:00:00Z"), at("2019-11-01T13:00:00Z")
LOOP = [(40.652, 37.065), (40.40, 36.955), (40.25, 36.890), (40.25, 36.870), (40.55, 36.990), (40.652, 37.065)]
TIMES = [NINE + share * (ONE - NINE) for share in (0.0, 0.22, 0.35, 0.38, 0.8, 1.0)]


def _darbasiyah(signers=("RU", "TR"), present=("RU", "TR")):
    story = Story("RU", "TR")
    both = [patrol(party, f"{party}-patrol", LOOP, TIMES) for party in ("RU", "TR")]
    plan = story.joint_plan("RU", both, NINE, ONE, NINE - 30 * HOUR, {"RU": 5, "TR": 4})
    for party in signers:
        story.sign(party, plan, NINE - 29 * HOUR)
    points = {"RU": LOOP, "TR": [(lon + 0.0008, lat) for lon, lat in LOOP]}
    tracks = [moved(party, "patrol", points[party], TIMES, every_s=30.0) for party in present]
    found = encounters(tracks)
    encounter = found[0] if found else encounter_of_parties(("RU", "TR"), NINE, ONE)
    return story, story.label(encounter, tracks)


def test_darbasiyah_signed_by_both_and_driven_by_both_is_joint_and_the_claim_is_supported():
    story, found = _darbasiyah()
    assert (found.label, found.basis, found.flags) == (Label.JOINT, Basis.TRACKS, frozenset())
    claim = story.claim("RU", "joint", NINE, ONE, ONE + HOUR)
    assert weigh(claim, [found]).weight is Weight.SUPPORTED
    assert {one.ref.origin for one in weigh(claim, [found]).evidence if one.ref} == {"ru/border/log", "tr/border/log"}


def test_darbasiyah_with_one_signature_missing_is_not_joint():
    _, found = _darbasiyah(signers=("RU",))
    assert found.label is Label.NOTIFIED_ONLY
    assert any("TR had signed" in text and "JOINT" in text for text in found.would_change)


def test_darbasiyah_with_tr_absent_from_the_tracks_is_joint_planned():
    story, found = _darbasiyah(present=("RU",))
    assert (found.label, found.basis) == (Label.JOINT_PLANNED, Basis.TRACKS)
    assert weigh(story.claim("RU", "joint", NINE, ONE, ONE), [found]).weight is Weight.UNSUPPORTED


def test_the_numbers_of_a_claim_are_held_against_those_that_were_signed_for():
    story, found = _darbasiyah()

    def weight(russian, turkish):
        parts = [{"party": "RU", "platforms": russian}, {"party": "TR", "platforms": turkish}]
        claim = story.claim("RU", "participants", NINE, ONE, ONE, parts)
        return weigh(claim, [found], record=story.record).weight

    assert weight(5, 4) is Weight.SUPPORTED
    assert weight(5, 5) is Weight.CONTRADICTED


# Raqqa, 5 Apr 2016: two volumes that overlap from 09:00 to 10:00 between FL200 and FL250.
APRIL = at("2016-04-05T00:00:00Z")


def _raqqa(*, amended=True, seen=True, concurred=False):
    story = Story("RU", "US")
    said = APRIL - 30 * HOUR
    ru = story.file(
        flight("RU", "ru-flight", 39.017, 35.95, 40_000.0, APRIL + 8 * HOUR, APRIL + 10 * HOUR, 150, 250), said
    )
    us = story.file(
        flight("US", "us-flight", 39.017, 35.95, 30_000.0, APRIL + 9 * HOUR, APRIL + 11 * HOUR, 200, 300), said
    )
    story.change(us, conflicts=(ru,))
    story.change(ru, conflicts=(us,))
    if amended:
        higher = flight("US", "us-flight", 39.017, 35.95, 30_000.0, APRIL + 9 * HOUR, APRIL + 11 * HOUR, 270, 330)
        story.change(ru, conflicts=())
        us = story.file(higher, said + 2 * HOUR, supersedes=us)
    if seen:
        story.seen(ru, "US", said + 3 * HOUR)
        story.seen(us, "RU", said + 3 * HOUR)
    if concurred:
        story.answer(story.measure("US", [us, ru], "level", said + 4 * HOUR), "RU", CONCUR, said + 5 * HOUR)
    (encounter,) = planned_encounters(story.filings)
    return story, story.label(encounter)


@pytest.mark.parametrize(
    ("options", "label", "weight"),
    [
        ({"amended": False}, Label.NOTIFIED_ONLY, Weight.UNSUPPORTED),
        ({"seen": False}, Label.NOTIFIED_ONLY, Weight.UNSUPPORTED),
        ({}, Label.DECONFLICTED, Weight.UNSUPPORTED),
        ({"concurred": True}, Label.COORDINATED, Weight.SUPPORTED),
    ],
)
def test_raqqa_is_coordinated_only_once_both_concurred_and_never_joint(options, label, weight):
    story, found = _raqqa(**options)
    assert (found.label, found.basis) == (label, Basis.PLANS)
    claim = story.claim("RU", "coordinated", APRIL + 8 * HOUR, APRIL + 11 * HOUR, APRIL + 12 * HOUR)
    assert weigh(claim, [found]).weight is weight
    joint = story.claim("RU", "joint", APRIL + 8 * HOUR, APRIL + 11 * HOUR, APRIL + 12 * HOUR)
    assert weigh(joint, [found]).weight is not Weight.SUPPORTED


# Al-Bab, 21 and 22 Jan 2017.
BAB = at("2017-01-21T09:00:00Z")


@pytest.mark.parametrize(
    ("signers", "label", "weight"),
    [(("RU", "TR"), Label.JOINT, Weight.SUPPORTED), (("RU",), Label.NOTIFIED_ONLY, Weight.UNSUPPORTED)],
)
def test_al_bab_on_the_first_day_is_joint_only_with_both_signatures(signers, label, weight):
    story = Story("RU", "TR")
    both = [
        flight(party, f"{party}-1", 37.5157, 36.3705, 25_000.0, BAB, BAB + HOUR, 100, 200) for party in ("RU", "TR")
    ]
    plan = story.joint_plan("RU", both, BAB, BAB + HOUR, BAB - 24 * HOUR, {"RU": 3, "TR": 4})
    for party in signers:
        story.sign(party, plan, BAB - 20 * HOUR)
    air = {"domains": frozenset({"air"}), "every_s": 10.0, "height_m": 5000.0}
    tracks = [
        moved("RU", "su-24", [(37.4, 36.3), (37.6, 36.4)], [BAB, BAB + HOUR], **air),
        moved("TR", "f-16", [(37.4, 36.31), (37.6, 36.41)], [BAB, BAB + HOUR], **air),
    ]
    (encounter,) = encounters(tracks)
    found = story.label(encounter, tracks)
    assert found.label is label
    assert weigh(story.claim("RU", "joint", BAB, BAB + HOUR, BAB + 5 * HOUR), [found]).weight is weight


def test_al_bab_on_the_second_day_is_deconflicted_and_what_is_said_of_it_is_disputed():
    story = Story("RU", "US")
    day = BAB + 24 * HOUR
    ru = story.file(flight("RU", "ru-2", 37.5157, 36.3705, 25_000.0, day, day + HOUR, 100, 200), day - 5 * HOUR)
    us = story.file(flight("US", "us-2", 37.5157, 36.3705, 25_000.0, day, day + HOUR, 250, 300), day - 5 * HOUR)
    story.seen(ru, "US", day - 4.9 * HOUR)
    story.seen(us, "RU", day - 4.9 * HOUR)
    four = [{"party": "RU", "platforms": 2}, {"party": "US", "platforms": 2}]
    russian = story.claim("RU", "participants", day, day + HOUR, day + 5 * HOUR, four)
    american = story.claim("US", "only-deconfliction", day, day + HOUR, day + 9 * HOUR)
    (encounter,) = planned_encounters(story.filings)
    found = story.label(encounter)
    assert (found.label, found.flags) == (Label.DECONFLICTED, {Flag.DISPUTED})
    assert weigh(russian, [found]).weight is Weight.CONTRADICTED
    assert weigh(american, [found]).weight is Weight.SUPPORTED


def test_an_hours_notice_by_word_of_mouth_is_shown_as_incomplete_and_late():
    story = Story("RU", "US")
    start = at("2015-09-30T10:00:00Z")
    us = story.file(flight("US", "us-1", 37.0, 35.0, 40_000.0, start, start + HOUR, 200, 250), start - 20 * HOUR)
    story.seen(us, "RU", start - 19.8 * HOUR)
    ru = story.file(
        flight("RU", "ru-1", 37.0, 35.0, 1.0, start, start + 3 * HOUR, 0, 400), start - HOUR, problem="no geometry"
    )
    story.change(ru, plan=None)
    first, second = (next(one for one in story.filings if one.ref == ref) for ref in (ru, us))
    found = story.label(encounter_of_plans(first, second))
    assert (found.label, found.flags) == (Label.NOTIFIED_ONLY, {Flag.LATE})
    assert any("incomplete: no geometry" in text for text in found.because)
