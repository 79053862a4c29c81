"""A node that is put back from an older copy brings back what it said since, and never says something else instead."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from keepclear.node.folder import NodeFolder
from tests.afterwards import must_all_have, must_be_sound
from tests.killing import all_busy, kill
from tests.line_of_nodes import LINE, client_of, joined, until
from tests.load import at_work, operation
from tests.nodes import NodeProcess, nodes_in

PASSPHRASE = "words for the backup"


def put_back(node: NodeProcess, copy: Path, words: Path) -> None:
    """Lose the node's folder, and restore the copy in its place."""
    shutil.rmtree(node.path)
    node.run(f"restore {copy}", "--sealed-with", str(words))
    node.folder = NodeFolder(node.path)


def filed(node: NodeProcess, name: str) -> int:
    with node.client() as client:
        asked = {"line": LINE, "operation": operation(node.party, name)}
        return client.post("/operations", json=asked).status_code


@pytest.mark.slow
def test_a_restored_node_asks_every_member_before_it_speaks(tmp_path):
    copy, words = tmp_path / "copy", tmp_path / "words"
    words.write_text(PASSPHRASE + "\n")
    with nodes_in(tmp_path) as nodes:
        ru, tr, us = made = nodes.started(("RU", "TR", "US"))
        joined(made)
        with at_work(made, desks=1) as before:
            all_busy(before)
            ru.run("backup", str(copy), "--sealed-with", str(words))
            for _ in range(3):
                all_busy(before)
        must_all_have(made, before)
        kill(ru)
        kill(us)  # who may hold more of RU's log than TR does
        put_back(ru, copy, words)
        ru.start()
        with client_of(ru) as client:
            waits = "not yet heard of: US"
            until(lambda: any(waits in one.sentence for one in client.alarms()), "RU says why it waits")
            assert filed(ru, "too-early") == 422
            assert client.status(LINE).silence
            us.start()
            until(lambda: not client.status(LINE).silence, "RU has been shown all")
        with at_work(made, desks=1, first=10) as after:
            all_busy(after)
        must_all_have(made, [*before, *after])
        must_be_sound(made)
        for node in (tr, us):
            assert not forks(node)


@pytest.mark.slow
def test_who_can_only_call_shows_a_restored_node_what_it_holds_when_it_calls(tmp_path):
    copy, words = tmp_path / "copy", tmp_path / "words"
    words.write_text(PASSPHRASE + "\n")
    with nodes_in(tmp_path) as nodes:
        ru, tr = made = nodes.new("RU"), nodes.new("TR", called_only=False)
        for node in made:
            node.start()
        joined(list(made))
        with at_work(made, desks=1) as before:
            all_busy(before)
            ru.run("backup", str(copy), "--sealed-with", str(words))
            for _ in range(3):
                all_busy(before)
        must_all_have(made, before)
        kill(ru)
        put_back(ru, copy, words)
        ru.start()
        with client_of(ru) as client:
            until(lambda: not client.status(LINE).silence, "RU has been shown what TR holds, in turns of TR's")
        with at_work(made, desks=1, first=10) as after:
            all_busy(after)
        must_all_have(made, [*before, *after])
        must_be_sound(made)
        assert not forks(tr)


def forks(node: NodeProcess) -> list[object]:
    store = node.folder.open_records(readonly=True)
    try:
        return [one for log in store.logs() for one in store.conflicts(log.origin)]
    finally:
        store.close()
