"""A node that several processes serve on PostgreSQL: one of them leads, and whichever is killed, the node goes on."""

from __future__ import annotations

import json
import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from tests.nodes import NodeProcess, nodes_in

WORKERS = 3


@pytest.fixture
def node(tmp_path, postgres):
    with nodes_in(tmp_path) as nodes:
        yield nodes.new("RU", database=postgres.url(postgres.new_schema()), workers=WORKERS)


def children(node: NodeProcess) -> list[int]:
    told = Path(f"/proc/{node.process.pid}/task/{node.process.pid}/children").read_text()
    return [int(number) for number in told.split()]


def leader(node: NodeProcess, *, but: str = "") -> str:
    """Where the process that leads is reached, once it is another than `but`."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            url = json.loads((node.folder.run / "leader.json").read_bytes())["url"]
        except FileNotFoundError:
            url = but
        if url != but:
            return url
        time.sleep(0.05)
    raise AssertionError(f"nobody leads:\n{node.log[-4000:]}")


def pid_at(url: str, among: list[int]) -> int:
    """Which process listens there."""
    port = int(url.rpartition(":")[2])
    inodes = {
        line.split()[9]
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]
        if line.split()[3] == "0A" and int(line.split()[1].rpartition(":")[2], 16) == port
    }
    sockets = {f"socket:[{inode}]" for inode in inodes}
    for pid in among:
        for handle in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(FileNotFoundError):  # one that was closed since they were listed
                if str(handle.readlink()) in sockets:
                    return pid
    raise AssertionError(f"nobody listens at {url}")


@pytest.mark.slow
def test_the_leader_and_the_others_are_killed_and_the_node_goes_on(node):
    node.start()
    assert len(children(node)) == WORKERS
    first = leader(node)
    # Whoever is asked, what peers send is answered by the one that leads: unsigned, it is refused by each alike.
    answers = {httpx.post(f"{node.url}/line/v1/heartbeat", content=b"x").status_code for _ in range(12)}
    assert len(answers) == 1
    assert answers.pop() in (400, 401, 403)
    old = set(children(node))
    os.kill(pid_at(first, list(old)), signal.SIGKILL)
    second = leader(node, but=first)
    assert node.asked("GET", "/me")["party"] == "RU"
    others = [pid for pid in children(node) if pid != pid_at(second, children(node))]
    os.kill(others[0], signal.SIGKILL)
    for _ in range(40):
        if len(children(node)) == WORKERS and not {others[0]} & set(children(node)):
            break
        time.sleep(0.1)
    assert len(children(node)) == WORKERS
    assert node.asked("GET", "/me")["party"] == "RU"
    pids = children(node)
    assert node.stop() == 0
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]
    assert not (node.folder.run / "leader.json").exists()


@pytest.mark.slow
def test_all_of_it_ends_when_it_is_told_to_while_a_worker_starts(node):
    node.start(wait=False)
    time.sleep(0.3)
    if node.process.poll() is None:
        assert node.stop() in (0, -signal.SIGTERM)


@pytest.mark.slow
def test_several_processes_cannot_share_files(tmp_path):
    with nodes_in(tmp_path) as nodes:
        alone = nodes.new("TR", workers=2)
        alone.start(wait=False)
        assert alone.process.wait(timeout=30) == 2
        assert "SQLite" in alone.log
