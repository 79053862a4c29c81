"""All terms at once: what is left aside is within the term for certain, and nothing else is."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.terms import DAY_S, PARTIES, START_S, filings_of, terms_of
from keepclear.agreements.evaluating import evaluate, warnings_of
from keepclear.agreements.facts import RecordView, Result
from keepclear.agreements.terms.exclusion_zone import ExclusionZone
from keepclear.agreements.terms.registry import read_term, read_terms
from keepclear.errors import PeerError
from keepclear.model.footprints import Circle
from keepclear.model.kinds import OperationKind, ZoneKind
from tests.unit.agreements.terms.made_terms import ANNEXES, PATROL, T0, area, filed, flown, patrol, record
from tests.unit.agreements.terms.made_terms import PARTIES as TWO
from tests.unit.agreements.terms.test_all_types import DOMAIN, members_of

WARNED = (Result.BREACHED, Result.POSSIBLE)
LONS, LATS = st.floats(39.8, 42.5), st.floats(36.5, 37.4)
KINDS = st.sampled_from([*OperationKind, None, ZoneKind.HAZARD_AREA])


@st.composite
def filings(draw):
    """A filing anywhere near the border, of any shape, precision and time."""
    party = draw(st.sampled_from(["ru", "tr", "us"]))
    kind, start = draw(KINDS), T0 + 3600.0 * draw(st.integers(-200, 200))
    platforms = [(draw(st.sampled_from([None, 1, 20])), draw(st.sampled_from(["tank", "rotary wing", ""])))]
    if draw(st.booleans()) or isinstance(kind, ZoneKind):
        radius = draw(st.sampled_from([0.0, 50.0, 3000.0, 60_000.0]))
        doubt = draw(st.sampled_from([0.0, 0.0, 4000.0]))
        plan = area(party, "P", draw(LONS), draw(LATS), radius, kind, start, uncertainty_m=doubt, platforms=platforms)
    else:
        places = draw(st.lists(st.tuples(LONS, LATS), min_size=1, max_size=4))
        late = draw(st.sampled_from([0.0, 7200.0]))
        plan = patrol(party, "P", places, start, kind, late_s=late, platforms=platforms)
    one = filed(plan, lead_s=3600.0 * draw(st.sampled_from([1, 30, 100])))
    changes = draw(
        st.sampled_from([{}, {}, {"is_rough": True}, {"plan": None}, {"start_s": None}, {"counts_from_s": None}])
    )
    return replace(one, **changes)


def told(findings):
    """What is not met, and what is due of the record, in any order."""
    kept = [
        one for one in findings if one.result is not Result.MET and not (one.result is Result.NOT_YET and one.about)
    ]
    return Counter(
        replace(one, evidence=(), from_s=to_the_second(one.from_s), to_s=to_the_second(one.to_s)) for one in kept
    )


def to_the_second(time_s):
    """Roots of a quadratic are a few microseconds off by what is judged beside; the sentence says the second."""
    return None if time_s is None else round(time_s)


TERMS = tuple(read_term(members_of(name, id=name), ANNEXES, parties=TWO) for name in DOMAIN)


SCREENED = tuple(one for one in TERMS if one.JUDGES_FILINGS)


@settings(max_examples=40, deadline=None)
@given(some=st.lists(filings(), max_size=5), hours=st.integers(-300, 900))
def test_no_filing_is_missed_by_leaving_aside(some, hours):
    at_s = T0 + 3600.0 * hours
    briefly = evaluate(SCREENED, some, (), record(), at_s=at_s)
    fully = evaluate(SCREENED, some, (), record(), at_s=at_s, full=True)
    assert told(briefly.findings) == told(fully.findings)


@pytest.mark.parametrize("gap_s", [60.0, 900.0])
@pytest.mark.parametrize("doubt_m", [0.0, 30_000.0])
@pytest.mark.parametrize("shift", [-1.0, 0.0, 1.0])
def test_no_track_is_missed_by_leaving_aside(gap_s, doubt_m, shift):
    positions = [(lon + shift, lat + 0.1 * shift) for lon, lat in PATROL]
    more = {"positions": positions, "every_s": 600.0, "gap_s": gap_s, "uncertainty_m": doubt_m}
    tracks = [flown("ru", **more), flown("tr", kind="exercise", **more), flown("ru", positions=positions[:1] * 2)]
    briefly = evaluate(TERMS, (), tracks, record(), at_s=T0)
    fully = evaluate(TERMS, (), tracks, record(), at_s=T0, full=True)
    assert told(briefly.findings) == told(fully.findings)


@settings(max_examples=20, deadline=None)
@given(some=st.lists(filings(), min_size=1, max_size=4), other=filings())
def test_another_partys_filing_changes_nothing_that_is_said_of_these(some, other):
    stranger = replace(other, party="us", recipients=frozenset())
    before = evaluate(SCREENED, some, (), record(), at_s=T0, full=True)
    after = evaluate(SCREENED, [*some, stranger], (), record(), at_s=T0, full=True)
    assert before.findings == after.findings


@settings(max_examples=40, deadline=None)
@given(some=st.lists(filings(), max_size=5), hours=st.integers(-300, 900))
def test_many_are_warned_of_what_each_is_warned_of_alone(some, hours):
    at_s = T0 + 3600.0 * hours
    slowly = [
        [(term.id, one) for term in TERMS for one in term.warnings_for(filed, record(), at_s) if one.result in WARNED]
        for filed in some
    ]
    together = [[(term.id, one) for term, one in each] for each in warnings_of(TERMS, some, record(), at_s)]
    alone = [[(term.id, one) for term, one in warnings_of(TERMS, [each], record(), at_s)[0]] for each in some]
    assert together == alone == slowly


def test_a_term_that_cannot_be_evaluated_warns_of_each_filing():
    class Broken(ExclusionZone):
        def screen(self, *_):
            raise PeerError("no answer")

        def warnings_for(self, *_):
            raise PeerError("no answer")

    (zone,) = (one for one in TERMS if isinstance(one, ExclusionZone))
    broken = Broken(id="x", clause="c1", parties=frozenset(TWO), area=zone.area)
    ((found,),) = [[one for _, one in each] for each in warnings_of([broken], [filed(area())], record(), T0)]
    assert (found.result, found.party) == (Result.POSSIBLE, "ru")
    assert "could not be judged: no answer" in found.sentence


def test_ten_thousand_operations_are_told_as_one_by_one():
    many = filings_of(400)
    annexes, listed = terms_of(20)
    terms = read_terms(listed, annexes, parties=PARTIES)
    view = RecordView(frozenset(PARTIES))
    briefly = evaluate(terms, many, (), view, at_s=START_S + 2 * DAY_S)
    fully = evaluate(terms, many, (), view, at_s=START_S + 2 * DAY_S, full=True)
    assert told(briefly.findings) == told(fully.findings)
    assert sum(briefly.within.values()) > 500
    assert briefly.counts()[Result.BREACHED] == fully.counts()[Result.BREACHED] > 0
    assert briefly.of("T4") == tuple(one for one in briefly.findings if one.term == "T4")


def test_sets_of_nothing():
    empty = evaluate((), (), at_s=T0)
    assert (empty.findings, dict(empty.within)) == ((), {})
    assert evaluate(TERMS, (), at_s=T0).counts()[Result.MET] == 0


@pytest.mark.parametrize("radius", [2e6, 9e6])
def test_a_plan_as_wide_as_a_continent_is_never_left_aside(radius):
    wide = area(lon=0.0, lat=0.0)
    wide = replace(wide, volumes=(replace(wide.volumes[0], footprint=Circle(41.0, 37.0, radius)),))
    (band,) = (one for one in TERMS if one.TYPE == "DEPTH_BAND")
    found = evaluate([band], [filed(wide)], at_s=T0)
    assert [one.result for one in found.findings] == [Result.BREACHED]
    assert np.isinf(radius) or found.within["DEPTH_BAND"] == 0
