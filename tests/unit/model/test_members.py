"""Members of closed lists given by name: a text that equals one must not be taken for another."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from keepclear.errors import InputError
from keepclear.model.extents import Track, TrackBasis, Volume
from keepclear.model.findings import Answer
from keepclear.model.footprints import Circle
from keepclear.model.heights import Height, HeightReference
from keepclear.model.kinds import Domain, OperationKind, ZoneKind, ZoneRule
from keepclear.model.operations import JointPlan, Operation, Zone
from keepclear.separation.asking import Asking
from keepclear.separation.checking import check
from keepclear.separation.known import Known
from keepclear.separation.minima import MinimaTable

MINIMA = MinimaTable.single(1000.0, 300.0)
HERE = Volume(Circle(0.0, 0.0, 100.0))


def track(*lon_deg, lat_deg=0.0, **more):
    times = np.array([0.0, 50.0, 3600.0])[: len(lon_deg)]
    return Track(times, np.array(lon_deg), np.full(len(times), lat_deg), np.full(len(times), 1000.0), **more)


def passing():
    """A unit of which nothing is known for most of an hour, and one that it could have reached meanwhile."""
    silent = Operation("A", "1", kind="flight", tracks=(track(0.0, 0.0, 1.0, basis="flown"),))
    other = Operation("B", "1", kind="flight", tracks=(track(0.5, 0.5, 0.5, lat_deg=0.3),))
    return [silent, other]


def test_a_track_that_is_flown_by_name_has_its_gaps():
    assert check(passing(), minima=MINIMA).answer is Answer.POSSIBLE
    first, second = passing()
    assert [found.answer for found in Known([first], minima=MINIMA).conflicts_of(second)] == [Answer.POSSIBLE]
    assert [found.answer for _, found in Asking(minima=MINIMA).conflicts_of(second, [first])] == [Answer.POSSIBLE]


def test_limits_of_gaps_by_name_are_those_of_the_domain():
    assert check(passing(), minima=MINIMA, gap_limits_s={"air": 7200.0}).answer is Answer.CLEAR
    assert check(passing(), minima=MINIMA, gap_limits_s={"ground": 7200.0}).answer is Answer.POSSIBLE


def test_names_become_what_they_name():
    flown = track(0.0, 0.1, basis="Flown", height_reference="msl")
    assert (flown.basis, flown.height_reference) == (TrackBasis.FLOWN, HeightReference.AMSL)
    assert flown.basis is TrackBasis.FLOWN
    assert replace(flown, basis="planned").basis is TrackBasis.PLANNED
    operation = Operation("A", "1", kind="Ground_Move", tracks=(flown,), domains=["air", Domain.SEA])
    assert operation.kind is OperationKind.GROUND_MOVE
    assert Domain.AIR in operation.domains
    assert operation.domains == {Domain.AIR, Domain.SEA}
    zone = Zone("A", "z", "no-go area", (HERE,), rule="conditional")
    assert (zone.kind, zone.rule) == (ZoneKind.NO_GO_AREA, ZoneRule.CONDITIONAL)
    assert zone.kind is ZoneKind.NO_GO_AREA
    assert JointPlan("P", ["B-20", "C-3"]) == JointPlan("P", frozenset({"C-3", "B-20"}))
    assert Height(100.0, "FL").reference is HeightReference.FL


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: track(0.0, basis="flew"), "basis: unknown basis of a track (got 'flew'); one of: planned, flown"),
        (lambda: track(0.0, basis=None), "basis: unknown basis of a track (got 'None'); one of: planned, flown"),
        (lambda: track(0.0, height_reference="sea"), "height_reference: unknown height reference (got 'sea')"),
        (lambda: Height(1.0, 5), "height_reference: unknown height reference (got '5')"),
        (
            lambda: Operation("A", "1", kind="raid", tracks=(track(0.0),)),
            "kind: unknown kind of operation",
        ),
        (lambda: Operation("A", "1", tracks=(track(0.0),), domains=["space"]), "domain: unknown domain (got 'space')"),
        (lambda: Zone("A", "z", "lake", (HERE,)), "kind: unknown kind of zone (got 'lake')"),
        (lambda: Zone("A", "z", "buffer", (HERE,), rule="never"), "rule: unknown rule of a zone (got 'never')"),
        (lambda: JointPlan("P", "B-20 C-3"), "joint: one text in place of ids (got 'B-20 C-3')"),
        (lambda: check([], gap_limits_s={"space": 1.0}), "domain: unknown domain (got 'space')"),
        (lambda: check([], window=(math.nan, None)), "from: not a time between the years 1 and 9999 (got 'nan')"),
        (lambda: check([], window=(None, math.inf)), "to: not a time between the years 1 and 9999 (got 'inf')"),
    ],
)
def test_what_has_no_such_name_is_refused(make, named):
    with pytest.raises(InputError) as refused:
        make()
    assert str(refused.value).startswith(named)


@pytest.mark.parametrize("asked", [partial(check, []), Known, Asking])
@pytest.mark.parametrize("seconds", [math.nan, math.inf, 0.0, -1.0])
def test_what_is_no_silence_is_refused(asked, seconds):
    with pytest.raises(InputError, match="gap: not the longest silence that is no gap, for sea"):
        asked(gap_limits_s={Domain.SEA: seconds})
