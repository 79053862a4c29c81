"""What is worked out once, or looked for only nearby, is what the slow way finds."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepclear.agreements.facts import Finding, Result
from keepclear.line.deadlines import DEFAULT_DEADLINES
from keepclear.model.extents import Volume
from keepclear.model.footprints import Circle, Corridor, Polygon
from keepclear.model.kinds import OperationKind
from keepclear.model.operations import Operation
from keepclear.record.bodies.references import EntryRefValue
from keepclear.record.bodies.talk import CancelBody
from keepclear.watch.approach import merged, merged_by_row
from keepclear.watch.extent import RELATED, Extent
from keepclear.watch.label_case import Case
from keepclear.watch.label_changes import moments
from keepclear.watch.label_facts import facts_of
from keepclear.watch.label_flags import Findings, _concerns
from keepclear.watch.label_known import Known
from keepclear.watch.labels import Label
from keepclear.watch.sampling import path_of
from tests.unit.watch.encounters_made import GROUND, HOUR, Story, moved, patrol
from tests.unit.watch.test_labels import MET, TRACKS, T, full_story, stories

spans = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 40), st.integers(0, 9)).map(
        lambda one: (one[0], float(one[1]), float(one[1] + one[2]))
    ),
    min_size=1,
    max_size=30,
)


@given(spans, st.sampled_from([0.0, 1.0, 3.0]))
def test_spans_of_many_rows_are_merged_as_those_of_each(some, apart_s):
    row, start, end = (np.array(column) for column in zip(*some, strict=True))
    starts, ends, first = merged_by_row(row, start, end, apart_s)
    for k in range(int(row.max()) + 1):
        part = slice(first[k], first[k + 1])
        found = list(zip(starts[part].tolist(), ends[part].tolist(), strict=True))
        assert found == merged([(low, high) for which, low, high in some if which == k], apart_s)


def an_operation(rng, number):
    """Somewhere in a square of 200 km: a route, an area, a corridor or a circle."""
    lon, lat = rng.uniform(41.0, 43.0), rng.uniform(36.0, 38.0)
    start = T + rng.uniform(-6.0, 6.0) * HOUR
    if number % 4 == 0:
        points = np.column_stack((rng.uniform(41.0, 43.0, 12), rng.uniform(36.0, 38.0, 12)))
        return patrol("blue", f"op-{number}", points, start + np.arange(12) * 600.0)
    wide, turn = rng.uniform(0.02, 0.5), np.linspace(0.0, 2.0 * math.pi, 9)
    ring = np.column_stack((lon + wide * np.cos(turn), lat + wide * np.sin(turn)))
    ring[-1] = ring[0]
    line = np.column_stack((rng.uniform(41.0, 43.0, 4), rng.uniform(36.0, 38.0, 4)))
    footprints = (Polygon((ring,)), Corridor(line, 800.0), Circle(lon, lat, 5_000.0))
    volume = Volume(footprints[number % 4 - 1], None, None, start, start + 3 * HOUR)
    return Operation("blue", f"op-{number}", OperationKind.PATROL, (volume,), domains=GROUND)


def test_the_filings_about_a_place_are_those_that_asking_each_of_them_finds():
    rng = np.random.default_rng(11)
    story = Story("blue", "red")
    for number in range(48):
        story.file(an_operation(rng, number), T - 40 * HOUR)
    story.filings[5] = replace(story.filings[5], plan=None, problem="the body is not held")
    story.filings[9] = replace(story.filings[9], start_s=None, end_s=None)
    known = Known(story.filings, story.record, (), DEFAULT_DEADLINES)
    seen = 0
    for _ in range(25):
        places = [(rng.uniform(41.0, 43.0), rng.uniform(36.0, 38.0), None)]
        places.append((places[0][0] + 0.01, places[0][1], None))
        places, near_m = places[: int(rng.integers(0, 3))], float(rng.choice([500.0, 9_260.0]))
        low = T + rng.uniform(-7.0, 9.0) * HOUR
        expected = {}
        for filed in story.filings:
            extent = None if filed.plan is None else Extent(filed.plan)
            slack = 0.0 if extent is None else extent.tolerance.time_s
            begins = filed.start_s is None or filed.start_s - slack <= low + 60.0
            if not begins or (filed.end_s is not None and filed.end_s + slack < low):
                continue
            if extent is None:
                expected[filed.ref] = math.inf
                continue
            far = min((extent.distance_m(*one[:2]) for one in places), default=0.0)
            if far <= max(RELATED * extent.tolerance.lateral_m, near_m):
                expected[filed.ref] = far
        found = {one.ref: far for one, far in known.about("blue", low, low + 60.0, places, near_m)}
        assert found == pytest.approx(expected, abs=1e-6)
        seen += len(expected)
    assert seen > 60


@settings(max_examples=60, deadline=None)
@given(stories(), st.sampled_from(sorted(TRACKS)))
def test_facts_are_the_same_whatever_was_asked_before(story, which):
    """A case keeps what it worked out; without an entry it must not tell what was so with it."""
    known = Known(story.filings, story.record, TRACKS[which], DEFAULT_DEADLINES)
    old = Case(known, MET[which])
    refs = [one.ref for filed in story.filings for one in (filed, *filed.answers)]
    refs += [one.ref for some in story.heard.values() for heard in some for one in (heard, *heard.answers)]
    for began_s in moments(old):
        for without in (frozenset(), *(frozenset({ref}) for ref in refs)):
            assert facts_of(old, began_s, without) == facts_of(Case(known, MET[which]), began_s, without)


def test_what_is_taken_back_by_another_stands():
    """Only who said it can take it back; a cancellation counts from its own time."""
    for party, hours, expected in (("red", -1.0, Label.COORDINATED), ("blue", -1.0, Label.DECONFLICTED),
                                   ("blue", 3.0, Label.COORDINATED)):  # fmt: skip
        story = full_story()
        for kind in ("joint-plan", "joint-plan-signed"):
            story.heard.pop(kind)
        measure = story.heard["measure"][0].ref
        story.say(party, CancelBody(entry=EntryRefValue.of(measure), reason="no more"), T + hours * HOUR)
        assert story.label(MET["kept"], TRACKS["kept"]).label is expected


def test_where_a_unit_is_known_to_be_is_told_alike_in_short_and_in_full():
    one = moved("blue", "b", [(42.0, 37.0), (42.4, 37.0)], [T, T + HOUR], every_s=50.0, uncertainty_m=20.0)
    keep = np.ones(len(one.track.time_s), np.bool_)
    keep[20:30] = False
    columns = {name: getattr(one.track, name)[keep] for name in ("time_s", "lon_deg", "lat_deg", "height_m")}
    path = path_of(replace(one, track=replace(one.track, **columns)))
    times = np.linspace(T - 60.0, T + HOUR + 60.0, 500)
    known, doubt = path.known_at(times)
    full = path.at(times)
    assert np.array_equal(known, full.known)
    assert np.array_equal(doubt, full.doubt_m)
    assert 300 < known.sum() < 460


def test_of_many_findings_those_that_concern_an_encounter_are_those_that_asking_each_finds():
    rng = np.random.default_rng(4)
    story = full_story()
    refs = [one.ref for one in story.filings]
    case = Case(Known(story.filings, story.record, TRACKS["kept"], DEFAULT_DEADLINES), MET["kept"])
    told = {case.encounter.a: frozenset(refs[:1]), case.encounter.b: frozenset(refs[1:])}
    some = []
    for number in range(300):
        start = None if number % 7 == 0 else T + rng.uniform(-4.0, 4.0) * HOUR
        end = None if number % 5 == 0 or start is None else start + rng.uniform(0.0, 2.0) * HOUR
        about = [None, *refs, story.heard["measure"][0].ref][int(rng.integers(0, 4))]
        party, unit = str(rng.choice(["blue", "red", "green"])), str(rng.choice(["", "blue-1", "red-1"]))
        some.append(Finding("t", f"c{number}", Result.MET, "a sentence", party, about, unit, start, end))
    slow = [one for one in some if _concerns(one, case, told)]
    assert 30 < len(slow) < 270
    assert Findings(some).concerning(case, told) == slow
