"""Positions: what is taken, what is refused with its line, whose units they are, and what is shared and proved."""

from __future__ import annotations

import json

import numpy as np
import pytest

from keepclear.errors import InputError
from keepclear.node.actors import Actor
from keepclear.node.refusals import NotAllowedError, NotFoundError
from keepclear.node.roles import Role, scopes_of
from keepclear.record.entries import Entry
from keepclear.watch.batches import surface
from tests.unit.node.lines_made import MadeNode, bring_in, meet
from tests.unit.node.watch_made import LINE, OFFICER, batch_hash, line_text, share, watching

MONITOR = Actor("mona", frozenset({Role.MONITOR}), scopes_of([Role.MONITOR]))


@pytest.fixture
def one(tmp_path):
    with watching(tmp_path, "A", "B") as (a, _):
        yield a


@pytest.fixture
def two(tmp_path):
    with watching(tmp_path, "A", "B") as made:
        yield made


@pytest.fixture
def three(tmp_path):
    with watching(tmp_path, "A", "B", "C") as made:
        yield made


def route(now_s, count=5, lon=41.0, step_s=10.0):
    return [(now_s - 100.0 + n * step_s, lon + n * 0.001, 37.0) for n in range(count)]


def test_a_batch_is_taken_once_however_often_it_is_sent(one):
    text = line_text("p-1", *route(one.now_s))
    first = one.post(text)
    again = one.positions.post("gps", b"\n" + text + b"\n\n", by=OFFICER)  # written otherwise, and the same
    assert (first.again, again.again) == (False, True)
    assert first.batch == again.batch
    assert [len(flown.track.time_s) for flown in one.positions.flown()] == [5]
    assert one.did().count("post positions") == 1


@pytest.mark.parametrize(
    ("line", "field", "problem"),
    [
        (b'{"unit":"p","time":"2023-11-14T09:00:00","lon_deg":41,"lat_deg":37}', "time", "no zone"),
        (b'{"unit":"p","time":"2023-11-14T09:00:00Z","lon_deg":181,"lat_deg":37}', "lon_deg", "not what belongs here"),
        (b'{"unit":"p","time":"2023-11-14T09:00:00Z","lon_deg":"41","lat_deg":37}', "lon_deg", "not what belongs"),
        (b'{"time":"2023-11-14T09:00:00Z","lon_deg":41,"lat_deg":37}', "unit", "whose position"),
        (b'{"icao":"xyz","time":"2023-11-14T09:00:00Z","lon_deg":41,"lat_deg":37}', "icao", "not an ICAO"),
        (b'{"unit":"p","time":"2023-11-14T09:00:00Z","lon_deg":41,"lat_deg":37,"aim":1}', "aim", "no such member"),
        (b"nonsense", "", "not JSON"),
        (b'{"unit":"p","time":"2023-11-14T09:00:00Z","lon_deg":NaN,"lat_deg":37}', "", "not JSON"),
        (b"[" * 500, "", "not JSON"),
        (b'{"unit":"p","unit":"q","time":"2023-11-14T09:00:00Z","lon_deg":41,"lat_deg":37}', "", "not JSON"),
        (b"x" * 5000, "", "too long"),
    ],
)
def test_what_is_no_position_is_refused_with_its_line_and_nothing_is_kept(one, line, field, problem):
    good = line_text("p-1", *route(one.now_s))
    with pytest.raises(InputError) as refused:
        one.post(good + b"\n" + line)
    fault = refused.value.faults[0]
    assert (fault.feature, fault.field) == ("line 6", field)
    assert problem in fault.problem
    assert one.positions.batches() == []


def test_positions_ahead_of_the_clock_are_refused_but_for_what_the_source_s_clock_may_be_off(one):
    soon = line_text("p-1", (one.now_s + 20.0, 41.0, 37.0))
    with pytest.raises(InputError, match=r"ahead of this node's clock"):
        one.post(soon)
    one.positions.register("slow", by=OFFICER, clock_tolerance_s=30.0)
    assert one.positions.post("slow", soon, by=OFFICER).batch.count == 1


def test_a_unit_at_two_places_at_once_is_refused_within_a_batch_and_across_batches(one):
    at_s = one.now_s - 60.0
    with pytest.raises(InputError) as refused:
        one.post(line_text("p-1", (at_s, 41.0, 37.0), (at_s, 41.5, 37.0)))
    assert refused.value.faults[0].feature == "line 2"
    assert "44,506 m from line 1" in refused.value.faults[0].problem
    one.post(line_text("p-1", (at_s, 41.0, 37.0)))
    with pytest.raises(InputError, match="two places within 1 s"):
        one.post(line_text("p-1", (at_s + 1.0, 41.5, 37.0)))
    assert one.post(line_text("p-1", (at_s + 1.0, 41.0001, 37.0))).batch.count == 1
    assert one.post(line_text("p-2", (at_s, 41.5, 37.0))).batch.count == 1


def test_only_who_may_file_posts_and_only_from_a_source_that_is_registered(one):
    with pytest.raises(NotFoundError, match="register it first"):
        one.positions.post("radar", b"{}", by=OFFICER)
    with pytest.raises(NotAllowedError):
        one.positions.post("radar", b"{}", by=MONITOR)
    with pytest.raises(InputError) as refused:
        one.positions.register("no name", by=OFFICER, accuracy_m=-1.0, max_age_s=1e9)
    assert [fault.field for fault in refused.value.faults] == ["name", "accuracy_m", "max_age_s"]


def test_too_many_positions_in_one_batch_are_refused(one):
    with pytest.raises(InputError, match="at most 10000"):
        one.post(b"{}\n" * 10_001)


def test_whose_unit_a_callsign_is_a_rule_says_also_of_what_came_before_it(one):
    one.positions.register("radar", by=OFFICER, accuracy_m=100.0)
    text = json.dumps({"callsign": "hawk 1", "time": "2023-11-14T09:00:00Z", "lon_deg": 41.0, "lat_deg": 37.0})
    posted = one.positions.post("radar", text.encode(), by=OFFICER)
    assert [(bound.party, bound.unit) for bound in posted.units] == [("", "hawk 1")]
    assert "without an owner" in posted.warnings[0]
    rule = one.positions.bind("callsign", "HAWK 1", by=OFFICER, unit="h-1", party="B", domain="air")
    (flown,) = one.positions.flown()
    assert (flown.party, flown.unit, flown.source_owner, set(flown.domains)) == ("B", "h-1", "A", {"air"})
    assert float(flown.track.uncertainty_m[0]) == 100.0
    one.positions.unbind(rule.id, by=OFFICER)
    assert one.positions.flown()[0].party == ""
    with pytest.raises(NotFoundError):
        one.positions.unbind(rule.id, by=OFFICER)


def test_a_rule_holds_for_its_time_alone(one):
    one.post(line_text("p-1", *route(one.now_s, 10)))
    middle_s = one.now_s - 100.0 + 45.0
    one.positions.bind("unit", "p-1", by=OFFICER, unit="convoy", to_s=middle_s)
    assert {(flown.unit, len(flown.track.time_s)) for flown in one.positions.flown()} == {("convoy", 5), ("p-1", 5)}


def test_a_rule_that_cannot_be_is_refused_with_all_its_faults(one):
    with pytest.raises(InputError) as refused:
        one.positions.bind("mood", "", by=OFFICER, party="no name", domain="space", from_s=2.0, to_s=1.0)
    assert {fault.field for fault in refused.value.faults} == {"by", "value", "party", "domain", "to", "unit"}


def test_what_is_shared_comes_as_a_track_of_that_party_and_coarse_contains_exact(two):
    a, b = two
    a.post(line_text("p-1", *route(a.now_s), height_m=300.0))
    (said,) = a.sharing.share(None, "p-1", by=OFFICER, from_s=0.0, to_s=a.now_s)
    share(a, b)
    (shared,) = b.sharing.tracks(LINE)
    assert (shared.party, shared.problem, shared.body.batch) == ("A", "", said.batch)
    assert shared.body.precision == "grid of 5 km"
    (flown,) = shared.flown
    assert (flown.party, flown.unit, flown.source, flown.batches) == ("A", "p-1", "gps", (said.batch,))
    exact = surface(np.array([41.0]), np.array([37.0]))
    rough = surface(flown.track.lon_deg[:1], flown.track.lat_deg[:1])
    assert ((exact - rough) ** 2).sum() ** 0.5 < float(flown.track.uncertainty_m[0])


def test_who_it_is_for_alone_is_given_the_batch_and_a_delay_keeps_the_newest_back(two):
    a, b = two
    a.post(line_text("p-1", *route(a.now_s)))
    a.sharing.share(LINE, "p-1", by=OFFICER, from_s=0.0, to_s=a.now_s, recipients=[], grid_km=None)
    (late,) = a.sharing.share(
        LINE, "p-1", by=OFFICER, from_s=0.0, to_s=a.now_s, recipients=["B"], grid_km=None, delay_s=75.0
    )
    assert late.count == 3
    share(a, b)
    assert [shared.body.count for shared in b.sharing.tracks(LINE)] == [3]
    with pytest.raises(NotFoundError, match="keeps the newest back"):
        a.sharing.share(LINE, "p-1", by=OFFICER, from_s=0.0, to_s=a.now_s, delay_s=3600.0)
    with pytest.raises(InputError, match="not a grid"):
        a.sharing.share(LINE, "p-1", by=OFFICER, from_s=0.0, to_s=a.now_s, grid_km=3)


def test_a_batch_that_was_committed_to_can_be_proved_later(two):
    a, b = two
    a.post(line_text("p-1", *route(a.now_s)))
    (said,) = a.sharing.share(LINE, "p-1", by=OFFICER, from_s=0.0, to_s=a.now_s, recipients=[], grid_km=None)
    share(a, b)
    proved = a.sharing.prove(said.ref, by=OFFICER)
    assert batch_hash(proved.batch) == said.batch
    entry = Entry.of_json(proved.files.entry)
    entry.check()
    assert entry.attachments[0].data == proved.batch
    assert entry.leaf.hash == said.ref.leaf_hash
    with pytest.raises(NotFoundError):
        b.sharing.prove(said.ref, by=OFFICER)  # it was for nobody: B has the leaf alone


def test_what_is_shared_as_time_goes_by_is_said_in_steps_and_each_position_once(two):
    a, b = two
    begun = a.sharing.begin(LINE, "p-1", by=OFFICER, grid_km=None, every_s=30.0)
    start_s = a.now_s
    for step in range(1, 9):
        a.now_s = start_s + 10.0 * step
        a.post(line_text("p-1", (a.now_s, 41.0 + step * 0.001, 37.0)))
        a.sharing.make_due()
    a.sharing.end(begun.id, by=OFFICER)
    a.now_s += 100.0
    assert a.sharing.make_due() == 0
    b.now_s = a.now_s  # what is ahead of its clock B does not believe
    share(a, b)
    told = [time for shared in b.sharing.tracks(LINE) for flown in shared.flown for time in flown.track.time_s]
    assert len(told) == len(set(told)) == 6
    with pytest.raises(NotFoundError):
        a.sharing.end(begun.id, by=OFFICER)


def test_who_comes_onto_the_line_later_is_not_told_what_nobody_has_shared_with_them(tmp_path, two):
    a, b = two
    begun = a.sharing.begin(LINE, "p-1", by=OFFICER, grid_km=None, every_s=30.0)
    assert begun.recipients == ["B"]
    c = MadeNode(tmp_path / "C", "C")
    try:
        c.now_s = max(a.now_s, b.now_s)
        bring_in(a, c, LINE, b)
        a.projector.catch_up()
        assert a.audience.told(LINE, None).parties == ("B", "C")
        a.now_s += 40.0
        a.post(line_text("p-1", (a.now_s - 1.0, 41.0, 37.0)))
        assert a.sharing.make_due() == 1
        meet(LINE, a, c)
        (shared,) = a.sharing.tracks(LINE)
        entry = c.records.entry(shared.ref)
        assert entry.leaf.recipients == ("B",)
        assert (entry.body, entry.attachments) == (None, ())
    finally:
        c.close()


def test_who_is_not_to_be_told_any_more_keeps_positions_from_nobody_else(three):
    a, *_ = three
    a.sharing.begin(LINE, "p-1", by=OFFICER, grid_km=None, every_s=30.0, recipients=["B", "C"])
    a.audience.stopped = lambda _line, party: "its log has two histories" if party == "C" else ""
    a.now_s += 40.0
    a.post(line_text("p-1", (a.now_s - 1.0, 41.0, 37.0)))
    assert a.sharing.make_due() == 1
    (shared,) = a.sharing.tracks(LINE)
    assert a.records.entry(shared.ref).leaf.recipients == ("B",)
    a.audience.stopped = lambda _line, _party: "its log has two histories"
    a.now_s += 40.0
    a.post(line_text("p-1", (a.now_s - 1.0, 41.0, 37.0)))
    assert a.sharing.make_due() == 0  # nobody is left, and that is no reason to commit to it alone
