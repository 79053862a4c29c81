"""Who has what was said, as whoever said it is told: a node stored it, refused it, or does not have it yet."""

from __future__ import annotations

from pathlib import Path

from keepclear.cli.node_requests import AskedNode
from keepclear.cli.receipts import later_text, received_text

FOLDER = Path("north\x1b[2J")


def test_a_node_that_runs_for_a_command_alone_waits_for_nobody_and_says_when_the_others_are_told():
    # Nobody listens there: to ask at all would fail.
    with AskedNode("http://127.0.0.1:9", token="kcl_none") as node:
        node.alone = True
        (text,) = received_text(node, "RU:north:4", FOLDER)
        assert text == "".join(later_text(node, FOLDER))
        assert "when your node runs: keepclear serve north" in text
        assert "\x1b" not in text


def test_a_node_that_is_served_tells_the_others_itself():
    with AskedNode("http://127.0.0.1:9", token="kcl_none") as node:
        assert list(later_text(node, FOLDER)) == []
