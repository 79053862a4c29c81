"""Two nodes between which the network is cut, one way or both, slow, and repeats what was sent: nothing is lost."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.afterwards import must_all_have, must_be_sound
from tests.bad_network import BadNetwork, Weather
from tests.killing import all_busy
from tests.line_of_nodes import LINE, client_of, joined, until
from tests.load import at_work
from tests.nodes import NodeProcess, nodes_in

PARTIES = ("RU", "TR")


@pytest.fixture
def made(tmp_path) -> Iterator[tuple[list[NodeProcess], list[BadNetwork]]]:
    """Two nodes on a line, and the network before each."""
    with ExitStack() as stack:
        nodes, networks = stack.enter_context(nodes_in(tmp_path)), []

        def behind(port: int) -> str:
            networks.append(stack.enter_context(BadNetwork(port)))
            return networks[-1].url

        pair = nodes.started(PARTIES, address_of=behind)
        joined(pair)
        assert all(network.counts.relayed for network in networks)
        yield pair, networks


def state_of(node: NodeProcess) -> str:
    with client_of(node) as client:
        return str(next(iter(client.status(LINE).channels)).state)


@pytest.mark.slow
def test_people_work_on_through_cuts_and_all_arrives_when_they_are_over(made):
    (ru, tr), (to_ru, to_tr) = made
    cut, deaf, fine = Weather(cut=True), Weather(deaf=True), Weather()
    with at_work((ru, tr), desks=1) as desks:
        for here, there in ((cut, cut), (cut, fine), (fine, cut), (deaf, fine), (fine, deaf), (deaf, deaf)):
            all_busy(desks)
            to_ru.change(here)
            to_tr.change(there)
            all_busy(desks)  # who files at a node that nobody reaches is told that it is filed, and not that it arrived
            if here.cut and there.cut:
                until(lambda: state_of(ru) == "down" and state_of(tr) == "down", "both know that they are cut off")
            else:
                time.sleep(1.0)
            for network in (to_ru, to_tr):
                network.change(fine)
            until(lambda: state_of(ru) == "up" and state_of(tr) == "up", "both hear each other again")
    assert to_ru.counts.lost_answers
    assert to_tr.counts.lost_answers
    must_all_have((ru, tr), desks)
    must_be_sound((ru, tr))


@pytest.mark.slow
def test_what_is_late_comes_twice_or_again_changes_nothing(made):
    pair, networks = made
    with at_work(pair, desks=1) as desks:
        for network in networks:
            network.change(Weather(delay_s=0.5, again=0.3, replay=0.3))
        until(
            lambda: all(one.counts.doubled > 20 and one.counts.replayed > 20 for one in networks), "enough of it came",
            timeout_s=120.0,
        )  # fmt: skip
        all_busy(desks)
        for network in networks:
            network.change(Weather())
    for network in networks:
        # A request is taken once: another copy of it, whenever it comes, is refused. Only the answer to an invitation,
        # for which no signature is looked at before its party is known, may come again, and changes nothing then.
        statuses = network.counts.replayed_statuses
        assert {status for endpoint, status in statuses if endpoint != "acceptance"} == {"409"}, statuses
        assert {status for endpoint, status in statuses if endpoint == "acceptance"} <= {"200"}, statuses
    must_all_have(pair, desks)
    must_be_sound(pair)


@pytest.mark.slow
def test_a_node_that_nobody_can_call_gets_and_gives_all_by_calling(tmp_path):
    with nodes_in(tmp_path) as nodes:
        called, calls = nodes.new("RU"), nodes.new("TR", called_only=False)
        for node in (called, calls):
            node.start()
        joined([called, calls])
        with at_work((called, calls), desks=1) as desks:
            all_busy(desks)
            calls.restart()
            all_busy(desks)
            called.restart()
            all_busy(desks)
        must_all_have((called, calls), desks)
        must_be_sound((called, calls))
