"""Positions and what comes of them through the typed client, at two real nodes."""

from __future__ import annotations

import json

import pytest

from keepclear.client.problems import RefusedError
from keepclear.clock import now_s
from keepclear.times import to_datetime, to_text
from keepclear.values.encounters import ClaimAsked, IncidentAsked, MeasureAsked, ReplyAsked, WeighingAsked
from keepclear.values.entries import AnswerAsked
from keepclear.values.filings import OperationAsked
from keepclear.values.positions import BindingAsked, ShareAsked, SharingAsked, SourceAsked
from tests.pair_served import LINE, pair_served, wait_for


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    with pair_served(tmp_path_factory.mktemp("watch")) as pair:
        yield pair


def operation(party, start_s):
    circle = {"shape": "circle", "lon_deg": 41.0, "lat_deg": 37.0, "radius_m": 900.0}
    volume = {"footprint": circle, "start_s": start_s, "end_s": start_s + 600.0}
    value = {"party": party, "id": f"op-{party}", "kind": "patrol", "domains": ["ground"], "volumes": [volume]}
    return OperationAsked.model_validate({"line": LINE, "operation": value})


def test_from_positions_to_an_incident_through_the_client(pair):
    here, there = pair
    clients = {one.party: one.client for one in pair}
    start_s = now_s() - 20.0
    refs = {party: client.file(operation(party, start_s)).id for party, client in clients.items()}
    for place in pair:
        client, party = place.client, place.party
        client.put_position_source("gps", SourceAsked(accuracy_m=1.0))
        assert [one.name for one in client.position_sources()] == ["gps"]
        lat = 37.0 if place is here else 37.0005
        rows = [
            {"unit": f"op-{party}", "time": to_text(start_s + n), "lon_deg": 41.0 + n * 1e-5, "lat_deg": lat,
             "height_m": 500.0}
            for n in range(10)
        ]  # fmt: skip
        posted = client.post_positions("gps", rows)
        assert posted.units[0].operation == refs[party]
        assert client.post_positions("gps", "\n".join(map(json.dumps, rows)).encode()).again
        assert [one.batch for one in client.position_batches()] == [posted.batch]
        (shared,) = client.share_positions(
            ShareAsked(unit=f"op-{party}", start=to_datetime(start_s), end=to_datetime(start_s + 60.0), exact=True)
        )
        assert client.prove_positions(shared.id)[:2] == b"PK"
    # Its own operation is under way, and its track shows how.
    assert here.client.operation(refs[here.party]).value.state == "conforming"
    (unit,) = here.client.units()
    assert (unit.state, unit.outside_m) == ("conforming", 0.0)
    found = wait_for(lambda: list(here.client.encounters(line=LINE)))
    assert [one.closest for one in found] == [None], "where another's unit was is read one by one, and noted"
    assert here.node.readings.log(by=auditor()) == []
    told = here.client.encounter(found[0].number)
    assert {one.origin.split("/")[0] for one in here.node.readings.log(by=auditor())} == {there.party}
    assert {told.a.party, told.b.party} == set(clients)
    assert told.closest is not None
    labels = list(here.client.labels(sorted(clients), to_datetime(start_s), to_datetime(start_s + 60.0)))
    assert [one.label for one in labels] == [told.label]
    assert [
        one.party
        for one in here.client.track(
            f"op-{there.party}", to_datetime(start_s), to_datetime(start_s + 60.0), party=there.party
        )
    ] == [there.party]
    read = here.node.readings.log(by=auditor())
    assert read, "that another party's track was read is noted"
    drafts = list(here.client.incident_drafts())
    said = here.client.report_incident(IncidentAsked(encounter=drafts[0].encounter, report={"narrative": "Close."}))
    wait_for(lambda: [one for one in there.client.incidents() if one.id == said.id])
    there.client.reply_to_incident(said.id, ReplyAsked(report={"narrative": "We stood."}))
    assert {one.report["stage"] for one in there.client.incidents()} == {"first", "reply"}


def auditor():
    from tests.unit.node.officers_made import AUDITOR

    return AUDITOR


def test_claims_measures_bindings_and_sharing_through_the_client(pair):
    here, there = pair
    at_s = now_s() - 600.0
    claim = {
        "subject": {"parties": [here.party, there.party], "from_s": at_s, "to_s": at_s + 60.0}, "said_by": "somebody",
        "said_s": at_s + 90.0, "where": "https://example.org", "words_ref": "joint", "asserts": "joint",
    }  # fmt: skip
    weighed = here.client.weigh_claim(WeighingAsked.model_validate({"claim": claim, "line": LINE}))
    said = here.client.add_claim(ClaimAsked.model_validate({"claim": claim, "line": LINE}))
    assert here.client.claim(said.id).weighed.weight == weighed.weight
    assert [one.id for one in here.client.claims()] == [said.id]
    filings = [next(one.id for one in place.client.operations(party=place.party)) for place in pair]
    wait_for(lambda: [one for one in here.client.operations() if one.id == filings[1]])
    measure = here.client.say_measure(MeasureAsked(filings=filings, measure="time", text="Ours waits an hour."))
    wait_for(lambda: [one for one in there.client.entries() if one.id == measure.id])
    there.client.answer(measure.id, AnswerAsked.model_validate({"answer": "concur"}))
    rule = here.client.bind_positions(BindingAsked(by="callsign", value="HAWK", party=there.party))
    assert [one.number for one in here.client.bindings()] == [rule.number]
    here.client.unbind_positions(rule.number)
    begun = here.client.begin_sharing(SharingAsked(unit="op-1"))
    assert here.client.end_sharing(begun.number).ended_at is not None
    assert [one.number for one in here.client.sharing()] == [begun.number]
    assert list(here.client.joint_plans()) == []
    for refused in (lambda: here.client.joint_plan("0" * 64), lambda: here.client.sign_joint_plan("0" * 64),
                    lambda: here.client.file_joint_plan("0" * 64)):  # fmt: skip
        with pytest.raises(RefusedError):
            refused()
