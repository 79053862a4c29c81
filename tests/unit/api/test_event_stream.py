from __future__ import annotations

import json
import socket
import threading
from contextlib import closing, contextmanager
from urllib.parse import parse_qs

import httpx
import pytest

from keepclear.api.event_feed import EventFeed
from keepclear.api.event_stream import EventStream, Wanted, frame_of
from keepclear.node.bell import Bell
from keepclear.record.entries import EntryRef
from keepclear.store.node.database import NodeDatabase
from keepclear.store.node.events import prune, say
from tests.serving import serving


class Told:
    """A database with a bell, into which the tests say events."""

    def __init__(self, path):
        self.database = NodeDatabase.open(path / "node.db")
        self.bell = Bell()
        self.may_read = True
        self.options = {}

    def say(self, *data, type="entry", line=None, ref=None, at_s=1e9, ring=True):  # noqa: A002  # as in the table
        with self.database.writing() as conn:
            ids = [say(conn, type, {"n": one}, at_s=at_s, line=line, ref=ref) for one in data]
        if ring:
            self.bell.ring("event")
        return ids

    def app(self, feed):
        async def app(scope, receive, send):
            if scope["type"] != "http":
                return
            query = parse_qs(scope["query_string"].decode())
            after = query.get("after")
            wanted = Wanted(tuple(query.get("type", ())), (query.get("line") or [None])[0])
            stream = EventStream(
                feed,
                after=int(after[0]) if after else None,
                wanted=wanted,
                may_still_read=lambda: self.may_read,
                **self.options,
            )
            await stream(scope, receive, send)

        return app

    @contextmanager
    def served(self):
        feed = EventFeed(self.database, self.bell, frame_of=frame_of)
        feed.start()
        try:
            with serving(self.app(feed)) as url:
                yield url, feed
                self.bell.ring("stop")
        finally:
            feed.stop()


@pytest.fixture
def told(tmp_path):
    one = Told(tmp_path)
    with closing(one.database):
        yield one


def blocks(response, count):
    """The first blocks of a stream after its beginning, comments left out."""
    found, block = [], {}
    for line in response.iter_lines():
        if not line and block:
            if "retry" not in block:
                found.append(block)
            block = {}
            if len(found) == count:
                break
        name, _, value = line.partition(": ")
        if name:
            block[name] = value
    return found


def numbers(response, count):
    return [json.loads(one["data"])["data"]["n"] for one in blocks(response, count)]


def wait_for_streams(feed, count):
    tick = threading.Event()
    for _ in range(1000):
        if feed.streams == count:
            return
        tick.wait(0.01)
    raise AssertionError(f"{feed.streams} streams")


def test_what_nobody_followed_is_not_read_and_whoever_asks_for_it_later_has_it(told):
    with told.served() as (url, feed):
        ids = told.say(*range(5))
        tick = threading.Event()
        while feed.position < ids[-1]:
            tick.wait(0.01)
        assert feed.recent(ids[0]) is None  # it is in the table alone
        with httpx.stream("GET", f"{url}?after={ids[1]}") as response:
            wait_for_streams(feed, 1)
            told.say(5, 6)
            assert numbers(response, 5) == [2, 3, 4, 5, 6]


def test_what_is_said_arrives_with_all_that_it_is_about(told):
    ref = EntryRef("RU/north/log/2", 7, bytes(32))
    with told.served() as (url, feed), httpx.stream("GET", url) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["cache-control"] == "no-store"
        wait_for_streams(feed, 1)
        (number,) = told.say("a\nb", type="filing", line="north", ref=ref)
        (block,) = blocks(response, 1)
    assert (block["id"], block["event"]) == (str(number), "filing")
    assert json.loads(block["data"]) == {
        "id": number,
        "at": "2001-09-09T01:46:40.000Z",
        "type": "filing",
        "line": "north",
        "entry": "RU:north:2:7",
        "data": {"n": "a\nb"},
    }


def test_a_stream_resumes_after_the_number_that_it_names_without_doubles_or_gaps(told):
    ids = told.say(*range(1200))
    with told.served() as (url, _):
        with httpx.stream("GET", f"{url}?after={ids[99]}") as response:
            assert numbers(response, 1100) == list(range(100, 1200))
        told.say(*range(1200, 1300))
        with httpx.stream("GET", f"{url}?after={ids[1199]}") as response:
            assert numbers(response, 100) == list(range(1200, 1300))


def test_nothing_is_lost_or_doubled_while_others_are_saying_something(told):
    told.say(*range(700))
    stop = threading.Event()

    def go_on():
        for n in range(700, 1500):
            told.say(n)
            if stop.is_set():
                return

    thread = threading.Thread(target=go_on)
    with told.served() as (url, _):
        thread.start()
        with httpx.stream("GET", f"{url}?after=0", timeout=60) as response:
            assert numbers(response, 1500) == list(range(1500))
        stop.set()
        thread.join()


def test_without_a_number_a_stream_begins_with_what_happens_from_now_on(told):
    told.say(*range(10))
    with told.served() as (url, feed), httpx.stream("GET", url) as response:
        wait_for_streams(feed, 1)
        told.say("new")
        assert numbers(response, 1) == ["new"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [("type=filing", [1, 3]), ("line=north", [0, 1, 4]), ("type=filing&line=north", [1]),
     ("type=entry&type=alarm", [0, 2, 4])],
)  # fmt: skip
def test_only_what_is_wanted_is_sent(told, query, expected):
    told.say(0, line="north")
    told.say(1, type="filing", line="north")
    told.say(2, line="south")
    told.say(3, type="filing", line="south")
    told.say(4, type="alarm")  # of no line: for those of every line
    with told.served() as (url, _), httpx.stream("GET", f"{url}?after=0&{query}") as response:
        assert numbers(response, len(expected)) == expected


def test_who_asks_for_what_is_kept_no_longer_is_told_so(told):
    told.say("old", at_s=1.0)
    told.say("new", at_s=9.0)
    with told.database.writing() as conn:
        prune(conn, before_s=5.0)
    with told.served() as (url, _), httpx.stream("GET", f"{url}?after=0") as response:
        reset, new = blocks(response, 2)
    assert (reset["event"], reset["id"]) == ("reset", "1")
    assert json.loads(new["data"])["data"] == {"n": "new"}


def test_who_has_seen_what_never_happened_here_is_told_so_and_goes_on(told):
    told.say("first")
    with told.served() as (url, feed), httpx.stream("GET", f"{url}?after=900") as response:
        wait_for_streams(feed, 1)
        (reset,) = blocks(response, 1)
        assert (reset["event"], reset["id"]) == ("reset", "1")


def test_silence_is_broken_and_the_number_goes_on_though_nothing_was_wanted(told):
    told.options = {"heartbeat_s": 0.05}
    with told.served() as (url, feed), httpx.stream("GET", f"{url}?type=alarm") as response:
        wait_for_streams(feed, 1)
        (number,) = told.say("not wanted")
        lines = response.iter_lines()
        found = [next(lines) for _ in range(40)]
    assert f"id: {number}" in found
    assert ": still here" in found


def test_what_others_processes_say_is_found_without_a_bell(told):
    with told.served() as (url, feed), httpx.stream("GET", url) as response:
        wait_for_streams(feed, 1)
        told.say("quiet", ring=False)
        assert numbers(response, 1) == ["quiet"]


def test_a_stream_ends_when_its_reader_may_read_no_longer(told):
    told.options = {"recheck_s": 0.05}
    with told.served() as (url, feed), httpx.stream("GET", url) as response:
        wait_for_streams(feed, 1)
        told.may_read = False
        assert not [line for line in response.iter_lines() if line.startswith("data")]


def test_all_streams_end_when_the_node_stops(told):
    with told.served() as (url, feed), httpx.stream("GET", url) as response:
        wait_for_streams(feed, 1)
        told.bell.ring("stop")
        assert all(not line.startswith("data") for line in response.iter_lines())


def test_a_reader_that_goes_away_is_forgotten(told):
    with told.served() as (url, feed):
        with httpx.stream("GET", url):
            wait_for_streams(feed, 1)
        wait_for_streams(feed, 0)


def test_a_reader_that_reads_nothing_is_dropped_and_holds_nobody_up(told):
    told.options = {"most_blocked_s": 0.3}
    big = "x" * 100_000
    with told.served() as (url, feed), socket.socket() as stuck:
        stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stuck.connect(("127.0.0.1", int(url.rsplit(":", 1)[1])))
        stuck.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        wait_for_streams(feed, 1)
        with httpx.stream("GET", url, timeout=60) as response:
            wait_for_streams(feed, 2)
            for _ in range(10):
                told.say(*[big] * 10)
            assert numbers(response, 100) == [big] * 100
            wait_for_streams(feed, 1)


def test_five_hundred_streams_all_get_everything(told):
    """Each over a connection of its own, read by one thread."""
    with told.served() as (url, feed):
        port = int(url.rsplit(":", 1)[1])
        clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(500)]
        try:
            for one in clients:
                one.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            wait_for_streams(feed, 500)
            told.say(*range(5))
            for one in clients:
                one.settimeout(30)
                got = b""
                while b'"n":4' not in got:
                    got += one.recv(65536)
                assert [got.count(f'"n":{n}}}'.encode()) for n in range(5)] == [1] * 5
        finally:
            for one in clients:
                one.close()
        wait_for_streams(feed, 0)
