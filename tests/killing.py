"""Nodes killed at any moment, as by a power cut: while they work, and while they start."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Sequence

from tests.line_of_nodes import until
from tests.load import Desk
from tests.nodes import NodeProcess

__all__ = ["all_busy", "kill", "killed_at_random"]

_WHILE_STARTING = 0.25  # of all kills


def killed_at_random(nodes: Sequence[NodeProcess], desks: Sequence[Desk], chance: random.Random, *, kills: int) -> None:
    """Kill nodes and start them again. At the end all run, and every desk has been at work since."""
    order = [node for _ in range(kills // len(nodes) + 1) for node in chance.sample(list(nodes), len(nodes))]
    for node in order[:kills]:
        if chance.random() < _WHILE_STARTING:
            time.sleep(chance.uniform(0.0, 2.5))
        else:
            # Under work: when somebody there has just been told that something was done.
            node.wait_ready(120.0)
            all_busy([desk for desk in desks if desk.node is node][:1])
            time.sleep(chance.uniform(0.0, 0.3))
        kill(node)
        node.start(wait=False)
    for node in nodes:
        node.wait_ready(120.0)
    all_busy(desks)


def kill(node: NodeProcess) -> None:
    """Kill the node's process, and no other: whatever it has started has to notice by itself."""
    assert node.process is not None
    os.kill(node.process.pid, signal.SIGKILL)
    node.process.wait()
    node.process = None


def all_busy(desks: Sequence[Desk]) -> None:
    """Wait until each of these desks has had something more acknowledged."""
    before = [len(desk.acknowledged) for desk in desks]
    for desk, count in zip(desks, before, strict=True):
        until(
            lambda: desk.failed or len(desk.acknowledged) > count,  # noqa: B023  # called at once
            f"something is acknowledged at {desk.node.party}: {desk.last_words}", timeout_s=120.0,
        )  # fmt: skip
        assert not desk.failed, desk.failed
