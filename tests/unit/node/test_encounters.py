"""Encounters: labelled alike on both nodes from the record, told once, reported by an officer; claims weighed."""

from __future__ import annotations

import pytest

from keepclear.errors import InputError
from keepclear.node.refusals import ClashError, NotFoundError
from keepclear.record.bodies.talk import AnswerGiven
from keepclear.watch.claims import Weight
from keepclear.watch.rules import Flag, Label
from tests.unit.node.officers_made import asked, patrol
from tests.unit.node.test_joint_planning import plan
from tests.unit.node.watch_made import LINE, NOON_S, OFFICER, line_text, share, watching

DAY_S = 86_400.0


@pytest.fixture
def two(tmp_path):
    with watching(tmp_path, "A", "B") as made:
        yield made


def at(nodes, time_s):
    for one in nodes:
        one.now_s = time_s


def drive(a, b, *, grid_km=None, units=("a-1", "b-1"), present=("A", "B")):
    """Both drive for an hour from noon on, 60 m apart, and tell each other where they were."""
    at((a, b), NOON_S + 3700.0)
    for node, unit, lat in ((a, units[0], 37.06), (b, units[1], 37.06054)):
        if node.party not in present:
            continue
        rows = [(NOON_S + 30.0 * n, 40.65 + 0.00001 * n, lat) for n in range(121)]
        node.positions.register("gps", by=OFFICER, accuracy_m=1.0, max_age_s=120.0)
        node.positions.bind("unit", unit, by=OFFICER, unit=unit, domain="ground", kind_of_operation="patrol")
        node.post(line_text(unit, *rows))
        node.sharing.share(LINE, unit, by=OFFICER, from_s=NOON_S, to_s=NOON_S + DAY_S, grid_km=grid_km)
    share(a, b)


def labels(node):
    return [(one.label, one.flags) for one in node.encounters.found(LINE, NOON_S - 600.0, NOON_S + 4000.0)]


def test_two_who_come_close_and_filed_nothing_met_by_chance_and_unsafely_on_both_nodes(two):
    a, b = two
    drive(a, b)
    assert labels(a) == labels(b)
    ((label, flags),) = labels(a)
    assert label is Label.COINCIDENTAL
    assert Flag.UNSAFE in flags


def test_it_is_told_once_with_an_alarm_and_a_report_to_send(two):
    a, b = two
    drive(a, b)
    for node in two:
        assert node.encounters.sweep() == 1
        assert node.encounters.sweep() == 0
        node.encounters.look_at_all()
        assert node.encounters.sweep() == 0
        assert len(node.happened("encounter")) == 1
        assert [one.kind for one in node.alarms.listed()] == ["encounter"]
    (seen,) = a.incidents.drafts()
    draft = a.incidents.draft(seen.id)
    assert draft["label"] == "coincidental"
    assert "unsafe" in draft["flags"]
    assert 55.0 < draft["closest"]["horizontal_m"] < 65.0
    assert "narrative" not in draft
    assert a.encounters.one(seen.id).labelled.label is Label.COINCIDENTAL


def test_an_officer_completes_and_sends_the_report_and_the_other_replies_beside_it(two):
    a, b = two
    drive(a, b)
    a.encounters.sweep()
    (seen,) = a.incidents.drafts()
    said = a.incidents.report(None, {"narrative": "They came round the bend."}, by=OFFICER, encounter=seen.id)
    assert a.incidents.drafts() == []
    with pytest.raises(ClashError):
        a.incidents.report(None, {}, by=OFFICER, encounter=seen.id)
    share(a, b)
    b.incidents.reply(said.ref, {"narrative": "We stood still."}, by=OFFICER)
    share(a, b)
    told = {one.party: (one.body.stage, one.body.narrative) for one in a.incidents.reports(LINE)}
    assert told == {"A": ("first", "They came round the bend."), "B": ("reply", "We stood still.")}
    with pytest.raises(NotFoundError):
        a.incidents.reply(said.ref, {}, by=OFFICER)
    with pytest.raises(InputError):
        a.incidents.report(LINE, {"id": "x", "stage": "reply"}, by=OFFICER)


def test_positions_too_rough_to_tell_leave_it_undetermined(two):
    a, b = two
    drive(a, b, grid_km=5)
    (found,) = b.encounters.found(LINE, NOON_S - 600.0, NOON_S + 4000.0)
    assert found.label is Label.UNDETERMINED


def test_filings_that_were_seen_and_a_measure_in_which_both_concur(two):
    a, b = two
    refs = {}
    for node, unit in ((a, "a-1"), (b, "b-1")):
        thing = patrol(node.party, id=unit, radius_m=5000.0)
        refs[node.party] = node.filing.file(asked(thing), by=OFFICER).ref
    share(a, b)
    for node, other in ((a, "B"), (b, "A")):
        node.answering.answer(refs[other], AnswerGiven.SEEN, by=OFFICER)
    said = a.measures.say([refs["A"], refs["B"]], "meeting", "We meet at the bridge at noon.", by=OFFICER)
    share(a, b)
    b.answering.answer(said.ref, AnswerGiven.CONCUR, by=OFFICER)
    share(a, b)
    drive(a, b)
    assert labels(a) == labels(b)
    assert labels(a)[0][0] is Label.COORDINATED


@pytest.mark.parametrize(("signed", "label"), [("AB", Label.JOINT), ("A", None), ("", None)])
def test_a_joint_plan_makes_it_joint_only_with_every_signature(two, signed, label):
    a, b = two
    wanted = plan("A", "B", radius_m=5000.0)
    a.joint.propose(None, wanted, by=OFFICER)
    share(a, b)
    for node in two:
        if node.party in signed:
            node.sign(wanted.hash)
    share(a, b)
    drive(a, b, units=("joint-A", "joint-B"))
    assert labels(a) == labels(b)
    (found,) = labels(a)
    assert (found[0] is Label.JOINT) == (label is Label.JOINT)
    assert found[0] is not Label.JOINT_PLANNED


def test_a_claim_is_weighed_against_what_the_record_shows(two):
    a, b = two
    drive(a, b)
    claim = {
        "subject": {"parties": ["A", "B"], "from_s": NOON_S, "to_s": NOON_S + 3600.0}, "said_by": "a spokesman",
        "said_s": NOON_S + 3650.0, "where": "https://example.org/1", "words_ref": "first joint patrol",
        "asserts": "joint",
    }  # fmt: skip
    said = a.claims.add(None, claim, by=OFFICER)
    share(a, b)
    for node in two:
        weighed = node.claims.weigh(said.ref)
        assert weighed.weighed.weight in {Weight.UNSUPPORTED, Weight.CONTRADICTED}
        assert weighed.weighed.because
        assert node.claims.refs(LINE) == (said.ref,)
    with pytest.raises(NotFoundError):
        a.claims.weigh(b.newest())
    with pytest.raises(InputError) as refused:
        a.claims.add(None, {**claim, "asserts": "great"}, by=OFFICER)
    assert [fault.field for fault in refused.value.faults] == ["asserts"]


def test_measures_are_about_filings_of_both_sides(two):
    a, _ = two
    own = a.filing.file(asked(patrol("A")), by=OFFICER).ref
    with pytest.raises(InputError, match="all of the filings are ours"):
        a.measures.say([own, own], "time", "We start later.", by=OFFICER)


def test_a_unit_that_leaves_its_operation_or_falls_silent_is_told(two):
    a, _ = two
    a.filing.file(asked(patrol("A", id="a-1", radius_m=500.0)), by=OFFICER)
    a.positions.register("gps", by=OFFICER, accuracy_m=1.0, max_age_s=120.0)

    def go(seconds, lon):
        a.now_s = NOON_S + seconds
        rows = [(NOON_S + second, lon, 37.06) for second in range(seconds - 60, seconds, 10)]
        a.post(line_text("a-1", *rows))
        a.track_watch.sweep()
        return [str(one.keeping) for one in a.track_watch.states()]

    assert go(120, 40.65) == ["conforming"]
    assert go(300, 40.67) == ["nonconforming"]
    assert [one.kind for one in a.alarms.listed()] == ["track"]
    assert go(420, 40.65) == ["conforming"]
    a.now_s = NOON_S + 900.0
    a.track_watch.sweep()
    (state,) = a.track_watch.states()
    assert str(state.keeping) == "track lost"
    assert "not been heard of" in state.sentence
    assert [event.data["state"] for event in a.happened("track")] == [
        "conforming", "nonconforming", "conforming", "track lost",
    ]  # fmt: skip
    a.now_s = NOON_S + 7200.0  # the operation is over
    a.track_watch.sweep()
    assert a.track_watch.states() == []
