"""The node's search misses nothing: in worlds made at random it finds just what a check of everything finds.

A check compares every pair; the search finds its candidates in tables, by cells. Whatever the cells missed would be a
conflict that the check has and the search has not, and these tests fail. Worlds lie at poles, on the antimeridian and
everywhere else, and hold what cells find hard: near misses by the full minimum, uncertainty, slip (without end too),
silences, flights across an ocean, zones without times, and areas that reach across half the Earth.
"""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from keepclear.model.extents import Track, TrackBasis, Volume
from keepclear.model.findings import Answer
from keepclear.model.footprints import Circle
from keepclear.model.heights import HeightReference
from keepclear.model.kinds import OperationKind, ZoneKind
from keepclear.model.operations import Operation, Zone
from keepclear.node.searching import Search
from keepclear.record.entries import EntryRef
from keepclear.separation.checking import check
from keepclear.separation.minima import MinimaTable
from keepclear.store.node.cells import add_cells, drop_cells, held_classes, held_parts
from keepclear.store.node.database import NodeDatabase
from keepclear.store.node.filings import Filing, FilingState, add_filing, put_plan
from keepclear.store.node.plan_bytes import packed
from tests.property.test_metamorphic import _world
from tests.reference.judging import Rule
from tests.reference.worlds import EPOCH_S, PLACES, SCALES, Place, moved

pytestmark = pytest.mark.slow

Thing = Operation | Zone
Key = tuple[bool, str, str]


def _key(thing: Thing) -> Key:
    return isinstance(thing, Zone), thing.party, thing.id


def _file(conn: Connection, search: Search, things: list[Thing]) -> dict[Key, Filing]:
    filed = {}
    for number, thing in enumerate(things):
        ref = EntryRef(f"{thing.party}/l/log", number, number.to_bytes(4, "big") * 8)
        kind = "zone" if isinstance(thing, Zone) else "operation"
        row = Filing(
            0, "l", ref, thing.party, kind, False, 0.0, 0.0, (), "", thing.id, "", "", None, None, None,
            FilingState.ACTIVE, 0.0, None, None,
        )  # fmt: skip
        filed[_key(thing)] = row = add_filing(conn, row)
        put_plan(conn, row.id, packed(thing))
        owner = "" if isinstance(thing, Zone) else thing.party
        add_cells(conn, row.id, search.cells_of(thing, exercise=False), owner=owner)
    return filed


def _expected(things: list[Thing], minima: MinimaTable) -> dict[frozenset[Key], Answer]:
    operations = [one for one in things if isinstance(one, Operation)]
    zones = [one for one in things if isinstance(one, Zone)]
    return {
        frozenset((side.is_zone, side.party, side.id) for side in (found.a, found.b)): found.answer
        for found in check(operations, zones, minima=minima).conflicts
    }


def _assert_nothing_is_missed(folder: Path, things: list[Thing], minima: MinimaTable) -> int:
    expected = _expected(things, minima)
    search = Search(minima=minima)
    database = NodeDatabase.open(folder / "node.db")
    try:
        database.rebuild_projections()
        with database.writing() as conn:
            filed = _file(conn, search, things)
        by_number = {row.id: key for key, row in filed.items()}
        with database.reading() as conn:
            for thing in things:
                own = _key(thing)
                found = search.conflicts_of(thing, conn=conn, leaving_out=[filed[own].ref])
                told = {by_number[one.filing.id]: one.answer for one in found.conflicts if one.filing}
                assert told == {
                    key: answer for pair, answer in expected.items() if own in pair for key in pair - {own}
                }, own
                # As after a filing: what was found before is looked up, and is the same.
                again = search.conflicts_of(thing, conn=conn, leaving_out=[filed[own].ref])
                assert {by_number[one.filing.id]: one.answer for one in again.conflicts if one.filing} == told, own
        with database.writing() as conn:
            for row in filed.values():
                drop_cells(conn, row.id)
            assert held_parts(conn) == 0
            assert not held_classes(conn)
    finally:
        database.close()
    return len(expected)


def _hard(rng: np.random.Generator, place: Place, moment_s: float) -> list[Thing]:
    """What cells find hard, round a place: of two more parties, so that it is compared with everything."""

    def there(metres: float) -> tuple[float, float]:
        return moved(place.lon, place.lat, rng.uniform(0.0, 360.0), metres)[:2]

    def track(*points: tuple[float, float], seconds: float, **more: object) -> Track:
        times = moment_s + np.linspace(-seconds, seconds, len(points))
        lon, lat = np.array(points).T
        return Track(times, lon, lat, np.full(len(points), 2_000.0), **more)

    far = rng.uniform(2e6, 9e6)
    late = Operation("C", "whenever", OperationKind.FLIGHT, tracks=(
        track(there(5e4), there(5e4), seconds=3_000.0, late_s=math.inf, early_s=rng.choice((0.0, math.inf))),
    ))  # fmt: skip
    silent = Operation("C", "silent", OperationKind.FLIGHT, tracks=(
        track(there(2e5), there(2e5), there(2e5), seconds=rng.uniform(200.0, 4_000.0), basis=TrackBasis.FLOWN),
    ))  # fmt: skip
    ocean = Operation("D", "ocean", OperationKind.FLIGHT, tracks=(
        track(there(far), there(1e3), there(far), seconds=20_000.0, uncertainty_m=rng.choice((0.0, 30_000.0))),
    ))  # fmt: skip
    still = Operation("D", "still", None, tracks=(Track(
        np.array([moment_s]), *(np.array([value]) for value in there(2e4)), np.array([math.nan]),
        HeightReference.UNKNOWN,
    ),))  # fmt: skip
    unknown_times = Operation("D", "some day", OperationKind.PATROL, volumes=(Volume(Circle(*there(1e4), 3_000.0)),))
    zones: list[Thing] = [
        Zone("C", "for ever", ZoneKind.NO_GO_AREA, (Volume(Circle(*there(1e5), rng.uniform(1e3, 1e5))),)),
        Zone("C", "wide", ZoneKind.GEO_ZONE, (Volume(Circle(*there(1e6), rng.uniform(5e5, 3e6))),)),
        Zone("D", "from now", ZoneKind.HAZARD_AREA, (Volume(Circle(*there(3e4), 2e4), start_s=moment_s),)),
        Zone("D", "site", ZoneKind.PROTECTED_SITE, (Volume(Circle(*there(2e4), 5e3), uncertainty_m=2e4),)),
    ]
    return [late, silent, ocean, still, unknown_times, *zones]


@given(seed=st.integers(0, 2**32 - 1), place=st.sampled_from(PLACES), scale=st.sampled_from(SCALES))
@settings(max_examples=25, deadline=None)
def test_the_search_finds_what_a_check_finds(tmp_path_factory, seed: int, place: Place, scale) -> None:
    folder = tmp_path_factory.mktemp("search")
    operations, zones = _world(seed, place, scale)
    minima = Rule(scale.horizontal_m, scale.vertical_m, float(np.random.default_rng(seed).choice((0.0, 600.0)))).table
    _assert_nothing_is_missed(folder, [*operations, *zones], minima)


@given(seed=st.integers(0, 2**32 - 1), place=st.sampled_from(PLACES))
@settings(max_examples=25, deadline=None)
def test_it_finds_what_is_hard_to_find(tmp_path_factory, seed: int, place: Place) -> None:
    rng = np.random.default_rng(seed)
    scale = SCALES[int(rng.integers(0, len(SCALES)))]
    operations, zones = _world(seed, place, replace(scale, leg_m=(scale.leg_m[0], min(scale.leg_m[1], 5e4))))
    # With the default table every domain meets every other, and what is of no known kind asks for the widest.
    kinds = (OperationKind.FLIGHT, OperationKind.CONVOY, OperationKind.UAS, OperationKind.PATROL, None)
    mixed = [
        Operation(one.party, one.id, kinds[int(rng.integers(0, 5))], volumes=one.volumes, tracks=one.tracks)
        for one in operations
    ]
    things = [*mixed, *zones, *_hard(rng, place, EPOCH_S + rng.uniform(0.0, 600.0))]
    assert _assert_nothing_is_missed(tmp_path_factory.mktemp("search"), things, MinimaTable.default()) > 0
