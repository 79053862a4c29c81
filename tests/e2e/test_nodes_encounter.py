"""Two real nodes: tracks posted and shared, an encounter labelled alike on both; a joint plan with both signatures."""

from __future__ import annotations

import json
import time
from contextlib import ExitStack, contextmanager
from functools import partial

import pytest

from keepclear.client.client import Client
from keepclear.times import to_datetime, to_text
from keepclear.values.joint_plans import JointPlanAsked
from keepclear.values.positions import BindingAsked, ShareAsked, SourceAsked
from keepclear.values.users import UserAsked
from tests.line_of_nodes import LINE, client_of, joined, until
from tests.nodes import nodes_in

LASTS_S = 6.0
GIVEN, OWN = "harbour lantern seven mule", "quiet copper window of march"
LATITUDES = {"RU": 37.06, "TR": 37.06054}  # 60 m apart


@pytest.mark.slow
def test_only_a_plan_that_both_signed_makes_it_joint_on_both_nodes(tmp_path):
    with nodes_in(tmp_path) as nodes, ExitStack() as ending:
        made = nodes.started(["RU", "TR"])
        joined(made)
        clients = {node.party: ending.enter_context(client_of(node)) for node in made}
        authorities = {node.party: authorities_of(node, clients[node.party]) for node in made}
        for client in clients.values():
            client.put_position_source("gps", SourceAsked(accuracy_m=1.0, max_age_s=60.0))
        # Of the first plan one signature is missing; the second has both.
        found = {}
        for name, signers in (("half", ["RU"]), ("whole", ["RU", "TR"])):
            start_s = time.time() + 6.0
            plan = plan_of(name, start_s)
            clients["RU"].propose_joint_plan(JointPlanAsked.model_validate({"plan": plan}))
            for party in signers:
                sign(made, authorities, clients, party, name)
            assert time.time() < start_s, "the signatures were to come before it began"
            states = {
                until(partial(state_of, clients[party], name, len(signers)), f"{party} has the signatures")
                for party in clients
            }
            assert states == {"signed by all" if len(signers) == 2 else "partly signed"}
            drive(clients, name, start_s)
            found[name] = {party: until(partial(label_of, clients[party], name), "a label") for party in clients}
        assert found["half"]["RU"] == found["half"]["TR"]
        assert found["whole"]["RU"] == found["whole"]["TR"]
        assert found["whole"]["RU"][0] == "joint"
        assert found["half"]["RU"][0] not in {"joint", "joint-planned"}
        for client in clients.values():
            assert {one.state for one in client.operations() if one.thing_id.startswith("whole")} <= {
                "active",
                "expired",
            }
            drafts = [one.report for one in client.incident_drafts()]
            assert [one["stage"] for one in drafts] == ["first"]  # of the first; a joint patrol is none


def drive(clients, name, start_s):
    """Both drive beside each other, post where they were, and tell each other."""
    time.sleep(max(0.0, start_s + LASTS_S + 0.5 - time.time()))
    for party, client in clients.items():
        unit = f"{name}-{party}"
        client.bind_positions(BindingAsked(by="unit", value=unit, kind="patrol", domain="ground"))
        lines = [
            json.dumps(
                {"unit": unit, "time": to_text(start_s + second), "lon_deg": 40.65 + 0.0001 * second,
                 "lat_deg": LATITUDES[party], "height_m": 450.0}
            )
            for second in range(int(LASTS_S) + 1)
        ]  # fmt: skip
        told = client.post_positions("gps", "\n".join(lines).encode())
        assert told.count == len(lines)
        assert client.post_positions("gps", "\n".join(lines).encode()).again
        asked = ShareAsked(
            unit=unit, start=to_datetime(start_s - 1.0), end=to_datetime(start_s + LASTS_S + 1.0), exact=True
        )
        (shared,) = client.share_positions(asked)
        assert shared.count == len(lines)


def label_of(client, name):
    """The label of the encounter of the two units, once it is there with both tracks."""
    found = [one for one in client.encounters(line=LINE) if {one.a.unit, one.b.unit} == {f"{name}-RU", f"{name}-TR"}]
    return (found[0].label, tuple(found[0].flags)) if found else None


def state_of(client, name, signatures):
    plans = [one for one in client.joint_plans() if one.plan["id"] == name]
    return plans[0].state if plans and len(plans[0].signatures) == signatures else None


def sign(made, authorities, clients, party, name):
    plan = until(
        lambda: next((one for one in clients[party].joint_plans() if one.plan["id"] == name), None), "the plan"
    )
    node = next(one for one in made if one.party == party)
    first, second = authorities[party]
    with signed_in(node, first) as client:
        proposal = client.sign_joint_plan(plan.hash)
    with signed_in(node, second) as client:
        client.confirm(proposal.id)


@contextmanager
def signed_in(node, name):
    with Client(node.url, verify=node.verify) as client:
        client.sign_in(name, OWN)
        yield client


def authorities_of(node, client):
    """Two persons who sign for the party."""
    names = ("anna", "boris")
    for name in names:
        client.add_user(UserAsked.model_validate({"name": name, "roles": ["party-authority"], "password": GIVEN}))
        with Client(node.url, verify=node.verify) as own:
            own.sign_in(name, GIVEN)
            own.change_password(GIVEN, OWN)
    return names


def plan_of(name, start_s):
    def part(party):
        circle = {"shape": "circle", "lon_deg": 40.65, "lat_deg": LATITUDES[party], "radius_m": 3000.0}
        return {"party": party, "id": f"{name}-{party}", "kind": "patrol", "domains": ["ground"],
                "volumes": [{"footprint": circle, "start_s": start_s, "end_s": start_s + LASTS_S}]}  # fmt: skip

    return {
        "id": name, "title": f"Joint patrol {name}", "start_s": start_s, "end_s": start_s + LASTS_S,
        "participants": [{"party": party, "role": f"column of {party}"} for party in LATITUDES],
        "operations": [part(party) for party in LATITUDES],
    }  # fmt: skip
