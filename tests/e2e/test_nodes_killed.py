"""Nodes that are killed again and again while people work at them lose nothing and say nothing twice."""

from __future__ import annotations

import random

import pytest

from tests.afterwards import must_all_have, must_be_sound
from tests.killing import killed_at_random
from tests.line_of_nodes import joined
from tests.load import at_work
from tests.nodes import nodes_in

PARTIES = ("RU", "TR", "US", "SY", "IL")


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("count", "kills"), [(2, 34), (5, 18)])
def test_nodes_are_killed_at_random_and_lose_nothing(tmp_path, count, kills):
    with nodes_in(tmp_path) as made:
        nodes = made.started(PARTIES[:count])
        joined(nodes)
        with at_work(nodes, desks=2 if count == 2 else 1) as desks:
            killed_at_random(nodes, desks, random.Random(count), kills=kills)
        must_all_have(nodes, desks)
        must_be_sound(nodes)
        assert sum(node.starts for node in nodes) == count + kills
