"""Workers, backends and servers are killed, and connections cut at every message: the log goes on uncontradicted."""

from __future__ import annotations

import multiprocessing
import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import psycopg
import pytest

from keepclear.errors import StoreError
from keepclear.store.log import Log
from keepclear.store.log_store import UnknownOutcomeError
from keepclear.store.postgres import PostgresStore
from tests.crash.cutting_proxy import CuttingProxy
from tests.crash.postgres_appender import append_beside_others
from tests.crash.saying import KEY, ORIGIN, head_of, must_continue, said
from tests.postgres import Server

COMMIT = b"COMMIT\0"
SPAWNING = multiprocessing.get_context("forkserver")
SPAWNING.set_forkserver_preload(["tests.crash.postgres_appender"])


@dataclass
class Place:
    """A store's address and its marks, with a log begun."""

    server: Server
    schema: str
    marks: Path

    @property
    def url(self) -> str:
        return self.server.url(self.schema)

    @contextmanager
    def log(self, url: str = "", **more: float) -> Iterator[Log]:
        store = PostgresStore(url or self.url, marks=self.marks, **more)
        try:
            yield Log(store, ORIGIN, key=KEY)
        finally:
            store.close()


@pytest.fixture
def place(postgres: Server, tmp_path: Path) -> Place:
    found = Place(postgres, postgres.new_schema(), tmp_path / "record-signed")
    store = PostgresStore(found.url, marks=found.marks)
    Log.create(store, KEY)
    store.close()
    return found


@contextmanager
def workers(place: Place, many: int, count: int) -> Iterator[list[tuple[BaseProcess, Connection]]]:
    started = []
    for number in range(many):
        ours, theirs = SPAWNING.Pipe(duplex=False)
        arguments = (place.url, place.marks, f"worker {number}", count, theirs)
        child = SPAWNING.Process(target=append_beside_others, args=arguments)
        child.start()
        theirs.close()
        started.append((child, ours))
    try:
        yield started
    finally:
        for child, pipe in started:
            child.kill()
            child.join()
            child.close()
            pipe.close()


@dataclass
class Heard:
    """What the workers have told: the leaves that were acknowledged, and the checkpoints that were shown."""

    leaves: list[bytes] = field(default_factory=list)
    shown: dict[int, bytes] = field(default_factory=dict)
    ended: int = 0

    def listen(self, pipes: list[Connection], until: Callable[[], bool] = lambda: False) -> None:
        """Take in what comes, until `until` says so or every pipe has ended."""
        pipes = list(pipes)
        while pipes and not until():
            for pipe in wait(pipes, timeout=120):
                try:
                    told = pipe.recv()
                except (EOFError, ConnectionResetError):
                    told = "gone"
                if told is None or told == "gone":
                    self.ended += told is None
                    pipes.remove(pipe)
                    continue
                leaf, (size, root) = told
                self.leaves.append(leaf)
                assert self.shown.setdefault(size, root) == root


def must_hold(place: Place, heard: Heard, *, most: int) -> None:
    """All that was acknowledged is there once, in a log that contradicts no checkpoint that was shown."""
    with place.log() as log:
        must_continue(log, heard.shown)
        leaves = list(log.leaves())
        assert len(set(leaves)) == len(leaves) <= most
        assert set(heard.leaves) <= set(leaves)
        sizes = [head.size for head in log._store.checkpoints(ORIGIN, limit=10_000)]
        assert sizes == sorted(set(sizes), reverse=True)
        log.append([said("after")])
        must_continue(log, heard.shown)


def test_processes_that_append_to_one_log_take_turns(place):
    heard = Heard()
    with workers(place, 3, 30) as running:
        heard.listen([pipe for _, pipe in running])
    assert heard.ended == 3
    assert len(heard.leaves) == len(set(heard.leaves)) == 90
    must_hold(place, heard, most=90)
    with place.log() as log:
        assert log.size == 91


def test_a_worker_that_is_killed_keeps_nobody_from_writing(place):
    heard = Heard()
    with workers(place, 3, 40) as running:
        pipes = [pipe for _, pipe in running]
        heard.listen(pipes, lambda: len(heard.leaves) > 20)
        running[0][0].kill()
        heard.listen(pipes)
    assert heard.ended == 2
    must_hold(place, heard, most=120)


@pytest.mark.slow
def test_a_backend_that_is_killed_loses_nothing(place):
    """The server ends every session then, and recovers from its write-ahead log."""
    heard = Heard()
    with workers(place, 2, 60) as running:
        pipes = [pipe for _, pipe in running]
        for kill in range(2):
            heard.listen(pipes, lambda after=10 + 40 * kill: len(heard.leaves) > after)
            with place.server.admin() as admin:
                found = admin.execute(
                    "SELECT pid FROM pg_stat_activity WHERE application_name = 'keepclear' LIMIT 1"
                ).fetchone()
                assert found is not None
                os.kill(int(found[0]), signal.SIGKILL)
        heard.listen(pipes)
    assert heard.ended == 2
    must_hold(place, heard, most=120)


@pytest.mark.slow
def test_a_server_that_is_stopped_at_once_and_started_again_loses_nothing(place):
    heard = Heard()
    with workers(place, 2, 60) as running:
        pipes = [pipe for _, pipe in running]
        for stop in range(2):
            heard.listen(pipes, lambda after=10 + 40 * stop: len(heard.leaves) > after)
            place.server.stop("immediate")
            place.server.start()
        heard.listen(pipes)
    assert heard.ended == 2
    must_hold(place, heard, most=120)


def test_an_idle_connection_that_the_server_dropped_is_made_anew(place):
    with place.log() as log:
        log.append([said("before")])
        generation = log._store.generation
        place.server.stop("fast")
        place.server.start()
        assert log.append([said("after")])[0].index == 1
        assert log._store.generation > generation
        must_continue(log, {})


class Careful:
    """Says two things and erases one through a proxy that may hang up, and looks at what is durable when it did."""

    def __init__(self, place: Place, proxy: CuttingProxy) -> None:
        self.place = place
        self.url = place.server.url(place.schema, port=proxy.port)
        self.shown: dict[int, bytes] = {}
        self.failures: list[StoreError] = []
        self.store: PostgresStore | None = None

    def run(self) -> None:
        for do in (lambda: self.say("one"), lambda: self.say("two"), lambda: self.must_log().erase_body(0)):
            for _ in range(3):
                try:
                    do()
                    break
                except UnknownOutcomeError as error:
                    self.failures.append(error)
                    self.must_log().reread()
                except StoreError as error:
                    self.failures.append(error)
        if self.store is not None:
            self.store.close()

    def say(self, what: str) -> None:
        log = self.must_log()
        if said(what).leaf.to_bytes() not in log.leaves():
            log.append([said(what)])
        size, root = head_of(log.checkpoint())
        assert self.shown.setdefault(size, root) == root

    def must_log(self) -> Log:
        if self.store is None:
            store = PostgresStore(self.url, marks=self.place.marks)
            try:
                self.log = Log(store, ORIGIN, key=KEY)
            except BaseException:
                store.close()
                raise
            self.store = store
        return self.log


@pytest.mark.slow
@pytest.mark.parametrize("answered", [False, True], ids=["not done", "done but not reported"])
def test_a_connection_that_is_cut_at_any_message_contradicts_nothing(postgres, tmp_path, answered):
    def one_run(**cut: Any) -> tuple[list[bytes], Careful]:
        folder = Path(tempfile.mkdtemp(dir=tmp_path))
        place = Place(postgres, postgres.new_schema(), folder / "record-signed")
        store = PostgresStore(place.url, marks=place.marks)
        Log.create(store, KEY)
        store.close()
        with CuttingProxy(postgres.port, answered=answered, **cut) as proxy:
            user = Careful(place, proxy)
            user.run()
        with place.log() as log:
            must_continue(log, user.shown)
            assert list(log.leaves()) == [said(what).leaf.to_bytes() for what in ("one", "two")]
        return proxy.messages, user

    messages, well = one_run()
    assert not well.failures
    assert sum(COMMIT in message for message in messages) == 3
    for at in range(len(messages)):
        # What the driver sends one after the other may come in one piece or in two, so that a commit has another
        # number in each run: each tells what was cut, and the commits are cut by what they are.
        sent, user = one_run(cut_at=at)
        unknown = [failure for failure in user.failures if isinstance(failure, UnknownOutcomeError)]
        assert len(unknown) == (at < len(sent) and COMMIT in sent[at])
    for passed in range(3):
        _, user = one_run(cut_on=COMMIT, passed=passed)
        assert isinstance(user.failures[0], UnknownOutcomeError)


def test_after_an_unknown_outcome_every_call_is_refused_until_it_is_reread(place):
    with CuttingProxy(place.server.port) as proxy, place.log(place.server.url(place.schema, port=proxy.port)) as log:
        log.append([said("one")])
        log.append([said("two")])
        proxy.cut_on, proxy.answered = COMMIT, True
        with pytest.raises(UnknownOutcomeError, match="a commit was not confirmed"):
            log.append([said("three")])
        for call in (log.checkpoint, lambda: log.append([said("four")]), lambda: log.proof(0), lambda: log.leaf(0)):
            with pytest.raises(UnknownOutcomeError, match="reread"):
                call()
        assert log.reread() == 3
        assert log.append([said("four")])[0].index == 3


def test_a_commit_that_is_still_going_on_is_waited_for(place):
    """The server waits for a standby that never comes; our connection is cut, and its transaction goes on."""
    admin = place.server.admin()
    try:
        with (
            CuttingProxy(place.server.port) as proxy,
            place.log(place.server.url(place.schema, port=proxy.port), lock_timeout_s=0.5) as log,
        ):
            log.append([said("one")])
            log.append([said("two")])
            _wait_for_standby(admin, "absent")
            proxy.cut_on, proxy.answered = COMMIT, True
            with pytest.raises(UnknownOutcomeError):
                log.append([said("three")])
            with pytest.raises(StoreError, match="lock timeout"):
                log.reread()
            with pytest.raises(UnknownOutcomeError):
                log.checkpoint()
            _wait_for_standby(admin, "")
            assert log.reread() == 3
            assert log.append([said("four")])[0].index == 3
    finally:
        _wait_for_standby(admin, "")
        admin.close()


def test_a_commit_that_a_standby_did_not_confirm_in_time_is_not_called_durable(place):
    admin = place.server.admin()
    try:
        with place.log(statement_timeout_s=1) as log:
            log.append([said("one")])
            _wait_for_standby(admin, "absent")
            with pytest.raises(UnknownOutcomeError, match="canceling wait for synchronous replication"):
                log.append([said("two")])
            _wait_for_standby(admin, "")
            assert log.reread() == 2
            assert log.append([said("three")])[0].index == 2
    finally:
        _wait_for_standby(admin, "")
        admin.close()


def _wait_for_standby(admin: psycopg.Connection[tuple[object, ...]], name: str) -> None:
    admin.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{name}'")  # type: ignore[arg-type]
    admin.execute("SELECT pg_reload_conf()")
    until = time.monotonic() + 10
    while True:
        with psycopg.connect(admin.info.dsn, autocommit=True) as fresh:
            found = fresh.execute("SHOW synchronous_standby_names").fetchone()
        if found == (name,):
            time.sleep(0.2)  # for sessions that are open to take it in
            return
        assert time.monotonic() < until
        time.sleep(0.05)
