from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepclear.agreements.facts import Evidence
from keepclear.agreements.terms.force_limit import _highest, _Stay
from tests.unit.agreements.terms.made_terms import DAY, HOUR, T0, area, filed, flown, only, record, results, term

SAMPLE = {"area": "map.geojson#east", "category": "tank", "max": 10, "parties": ["ru"]}


def limit(**more):
    return term("FORCE_LIMIT", **(SAMPLE | more))


def inside(*platforms, start_s=T0, **more):
    return filed(area(lon=42.0, lat=36.8, start_s=start_s, platforms=platforms, **more))


@pytest.mark.parametrize(
    ("filings", "result"),
    [
        ([], "no data"),
        ([inside((10, "tank"))], "met"),
        ([inside((11, "tank"))], "breached"),
        ([inside((11, "truck"))], "met"),
        ([inside((6, "tank")), inside((6, "Tank"))], "breached"),
        ([inside((6, "tank")), inside((6, "tank"), start_s=T0 + 2 * HOUR)], "met"),
        ([inside((6, "tank")), inside((6, "tank"), start_s=T0 + 1.9 * HOUR)], "breached"),
        ([inside((None, "tank"))], "possible"),
        ([inside((11, ""))], "possible"),
        ([inside()], "possible"),
        ([replace(inside((11, "tank")), is_rough=True)], "possible"),
        ([inside((11, "tank"), uncertainty_m=40_000.0)], "possible"),
        ([filed(area(lon=42.0, lat=36.999, platforms=[(11, "tank")]))], "possible"),
        ([filed(area(lon=40.0, lat=36.8, platforms=[(11, "tank")]))], "no data"),
        ([filed(area("tr", lon=42.0, lat=36.8, platforms=[(11, "tank")]))], "no data"),
    ],
)
def test_platforms_are_counted_at_each_time(filings, result):
    assert results(limit(), filings) == [result]


def test_a_filing_that_says_no_place_may_be_there():
    blind = replace(inside(), plan=None, problem="no geometry")
    assert results(limit(), [inside((10, "tank")), blind]) == ["possible"]
    assert results(limit(), [blind]) == ["possible"]
    elsewhen = replace(blind, start_s=T0 - 9 * HOUR, end_s=T0 - 8 * HOUR)
    assert results(limit(), [inside((10, "tank")), elsewhen]) == ["possible"]
    assert results(limit(**{"from": "2019-11-01T05:00:00Z"}), [inside((10, "tank")), elsewhen]) == ["met"]


def test_an_affiliate_that_is_bound_is_counted_too():
    theirs = filed(area("sy", lon=42.0, lat=36.8, platforms=[(11, "tank")]))
    found = limit(affiliates=["sy"]).evaluate([theirs], (), record(), T0 + DAY)
    assert [(str(one.result), one.party) for one in found] == [("no data", "ru"), ("breached", "sy")]


def test_one_class_that_is_not_told_may_be_the_one_that_is_bound():
    some = filed(area(lon=42.0, lat=36.8, platforms=[(1, "truck"), (11, "")]))
    members = {name: one for name, one in SAMPLE.items() if name != "category"}
    assert results(term("FORCE_LIMIT", **members, classes=["tank"]), [some]) == ["possible"]
    known = filed(area(lon=42.0, lat=36.8, platforms=[(1, "truck"), (11, "lorry")]))
    assert results(term("FORCE_LIMIT", **members, classes=["tank"]), [known]) == ["no data"]


def test_tracks_are_counted_by_themselves():
    positions = [(42.0, 36.8), (42.01, 36.8)]
    units = [flown(unit=f"U{number}", positions=positions, platform_class="tank") for number in range(11)]
    assert results(limit(), tracks=units) == ["breached"]
    assert results(limit(), tracks=units[:10]) == ["met"]
    unknown = [replace(one, platform_class="") for one in units]
    assert results(limit(), tracks=unknown) == ["possible"]
    assert "11 tank of ru in map.geojson#east, by tracks" in only(limit(), tracks=units).sentence


TIMES = st.one_of(st.integers(0, 8).map(float), st.sampled_from([float("-inf"), float("inf")]))
STAYS = st.builds(
    lambda times, least, more: _Stay(min(times), max(times), least, least + more, Evidence()),
    st.tuples(TIMES, TIMES),
    st.integers(0, 3).map(float),
    st.sampled_from([0.0, 1.0, float("inf")]),
)


def slowly(stays, *, certain):
    """Every moment at which somebody comes, against everybody."""
    counts = [(one.start_s, one.end_s, one.least if certain else one.most) for one in stays]
    best = (0.0, min(start for start, _, _ in counts), max(end for _, end, _ in counts))
    for moment in sorted({start for start, _, _ in counts}):
        present = [(end, count) for start, end, count in counts if start <= moment < end or start == moment == end]
        total = sum(count for _, count in present)
        if total > best[0]:
            best = (total, moment, min(end for end, count in present if count))
    return best


@given(st.lists(STAYS, min_size=1, max_size=12), st.booleans())
def test_the_most_at_a_time_are_found_as_by_looking_at_every_moment(stays, certain):
    assert tuple(_highest(stays, certain=certain)) == slowly(stays, certain=certain)
