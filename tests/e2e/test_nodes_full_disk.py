"""A node whose disk is full says so, and acknowledges nothing; when there is room again it goes on by itself."""

from __future__ import annotations

import resource

import pytest

from keepclear.client.client import Client
from tests.afterwards import must_all_have, must_be_sound
from tests.killing import all_busy, kill
from tests.line_of_nodes import LINE, client_of, joined, until
from tests.load import at_work, operation
from tests.nodes import NodeProcess, nodes_in

_NO_LIMIT = resource.RLIM_INFINITY


def room(node: NodeProcess, size_bytes: int) -> None:
    """Let no file of a running node grow beyond this: the system refuses it as it does on a disk that is full."""
    assert node.process is not None
    resource.prlimit(node.process.pid, resource.RLIMIT_FSIZE, (size_bytes, _NO_LIMIT))


def behind(client: Client) -> int:
    return next(iter(client.status(LINE).channels)).behind or 0


@pytest.mark.slow
def test_a_full_disk_loses_nothing_that_was_acknowledged(tmp_path):
    with nodes_in(tmp_path) as nodes:
        ru, tr = nodes.started(("RU", "TR"))
        joined([ru, tr])
        with at_work((ru, tr), desks=1) as desks:
            all_busy(desks)
            room(tr, 0)
            assert {filed(tr, number) for number in range(5)} == {503}
            # What comes from the other party is not acknowledged to it either: it keeps it, and sends it again.
            with client_of(ru) as client:
                until(lambda: behind(client) > 3, "RU is told that TR does not have all")
            room(tr, _NO_LIMIT)
            all_busy(desks)
            room(ru, 0)
            assert filed(ru, 9) == 503
            kill(ru)  # a power cut besides
            ru.start()
            all_busy(desks)
        must_all_have((ru, tr), desks)
        must_be_sound((ru, tr))


def filed(node: NodeProcess, number: int) -> int:
    """What is answered to a filing."""
    with node.client() as client:
        asked = {"line": LINE, "operation": operation(node.party, f"full-{number}")}
        return client.post("/operations", json=asked).status_code
