"""A node with all its parts: it starts, stops, and shares its work between processes."""

from __future__ import annotations

import threading
import time

import pytest

from keepclear.errors import InputError, StoreError
from keepclear.node.folder import NodeFolder
from keepclear.node.running import Node
from tests.unit.node.records_made import LINE, said


@pytest.fixture
def folder(tmp_path):
    return NodeFolder.create(tmp_path / "RU", "RU", name="Hmeymim cell")


def until(what, timeout_s=60.0):
    """Wait for something to become true."""
    end_s = time.monotonic() + timeout_s
    while not what():
        assert time.monotonic() < end_s
        time.sleep(0.02)


def ours():
    """The threads that a node has begun."""
    return {thread.name for thread in threading.enumerate() if thread.name.startswith("keepclear")}


def test_a_node_starts_stops_and_leaves_no_thread_behind(folder):
    before = ours()
    with Node.open(folder) as node:
        assert not node.leads()
        assert ours() == before  # opening begins nothing
        node.start()
        assert node.leads()
        assert ours() > before
        node.records.begin(LINE)
        node.records.say(LINE, [said("hello")])
        ref = node.records.ref(node.records.own_origin(LINE), 2)
        assert node.projector.wait_for(ref, 20)
    until(lambda: ours() == before)
    with pytest.raises(StoreError, match="closed"), node.database.reading():
        pass
    node.close()  # a second time does nothing
    with Node.open(folder.path) as again:
        assert again.records.entry(ref).leaf.hash == ref.leaf_hash


def test_a_command_alone_has_what_it_waits_for_and_tells_nobody(folder):
    with Node.open(folder) as node:
        node.start_alone()
        node.records.begin(LINE)
        assert node.projector.wait_for(node.records.ref(node.records.own_origin(LINE), 0), 20)
        assert not any("exchange" in name for name in ours())


def test_what_cannot_be_opened_leaves_nothing_open(folder, tmp_path):
    (folder.path / "node.db").write_text("no database, and long enough that it is looked at as if it were one" * 20)
    with pytest.raises(StoreError, match=r"node\.db"):
        Node.open(folder)
    (folder.path / "node.db").unlink()
    Node.open(folder).close()  # the store of logs was let go of
    with pytest.raises(InputError):
        Node.open(tmp_path / "nowhere")


def test_of_two_processes_on_postgresql_one_leads_and_both_hear_what_is_rung(postgres, tmp_path):
    url = postgres.url(postgres.new_schema())
    folder = NodeFolder.create(tmp_path / "RU", "RU")
    folder = NodeFolder(folder.path, options={"database": url})
    first, second = Node.open(folder), Node.open(NodeFolder(folder.path, options={"database": url}))
    with first, second:
        first.start()
        second.start()
        assert (first.leads(), second.leads()) == (True, False)
        first.records.begin(LINE)
        second.records.look_again()
        said_here, heard_there = first.bell.waiter("said"), second.bell.waiter("said")
        until(lambda: _rings(first, heard_there))
        said_here.wait(0)
        ref = second.records.say(LINE, [said("of the one that does not lead")])[0]
        assert first.projector.wait_for(ref, 20)  # by the leader, which heard of it
        assert second.projector.wait_for(ref, 20)  # and the other hears that it is done
        assert said_here.wait(30)
        # What comes from the others is not sent back to them: it would go round for ever.
        heard_there.wait(0.5)
        assert not heard_there.wait(1.0)
        first.close()
        until(second.leads)
        ref = second.records.say(LINE, [said("of the one that leads now")])[0]
        assert second.projector.wait_for(ref, 20)


def _rings(node, waiter):
    node.bell.ring("said")
    return waiter.wait(0.2)


def test_a_leader_that_has_lost_its_lock_says_so_and_does_no_more(postgres, tmp_path):
    url = postgres.url(postgres.new_schema())
    folder = NodeFolder.create(tmp_path / "RU", "RU")
    told = []
    with Node.open(NodeFolder(folder.path, options={"database": url})) as node:
        node.failed = told.append
        node.start()
        node._leadership._driver.close()
        until(lambda: told)
        assert "lost the lock" in told[0]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_node_one_of_whose_threads_has_died_of_our_own_fault_says_so(folder):
    told = []
    hook = threading.excepthook
    with Node.open(folder) as node:
        node.failed = told.append
        node.projector.then(lambda: 1 / 0)
        node.start()
        until(lambda: told)
        assert "keepclear-projecting" in told[0]
    assert threading.excepthook is hook
