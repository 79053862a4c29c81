"""Real processes that append are killed at random moments, and another goes on from what they left."""

from __future__ import annotations

import multiprocessing
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest

from keepclear.errors import StoreError
from keepclear.store.log import Log
from keepclear.store.sqlite import SqliteStore
from tests.crash.appender import append_for_ever, append_until_full, hold
from tests.crash.saying import KEY, ORIGIN, must_continue, opened, said

KILLS_A_FILE = 35
# The first import takes a second; processes forked from one that has it done start in milliseconds.
SPAWNING = multiprocessing.get_context("forkserver")
SPAWNING.set_forkserver_preload(["tests.crash.appender"])


@contextmanager
def process(work: Any, *args: Any) -> Iterator[tuple[BaseProcess, Connection]]:
    ours, theirs = SPAWNING.Pipe()
    child = SPAWNING.Process(target=work, args=(*args, theirs))
    child.start()
    theirs.close()
    try:
        yield child, ours
    finally:
        child.kill()
        child.join()
        child.close()
        ours.close()


def begin(path: Path) -> None:
    store = SqliteStore(path)
    Log.create(store, KEY)
    store.close()


def received(pipe: Connection) -> Iterator[Any]:
    """Everything that was sent before the other end was gone."""
    try:
        while True:
            yield pipe.recv()
    except (EOFError, ConnectionResetError):
        return


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_nothing_acknowledged_is_lost_or_contradicted_by_a_kill(tmp_path, seed):
    path = tmp_path / "record.db"
    begin(path)
    moments = random.Random(seed)
    shown: dict[int, bytes] = {}
    sizes = [0]
    for kill in range(KILLS_A_FILE):
        with process(append_for_ever, path, seed * 1000 + kill) as (child, pipe):
            shown.update([pipe.recv()])
            time.sleep(moments.uniform(0.0, 0.03))
            child.kill()
            shown.update(received(pipe))
            child.join()
        log = opened(path)
        assert log.size >= max(shown)
        for size in moments.sample(sorted(shown), min(10, len(shown))):
            assert log.root_at(size) == shown[size]
        sizes.append(log.size)
        log._store.close()
    assert all(before < after for before, after in pairwise(sizes))
    log = opened(path)
    must_continue(log, shown)
    log._store.close()


@pytest.mark.parametrize("room", [1, 4096, 20_000, 33_000, 70_000, 120_000, 250_000, 600_000])
def test_a_disk_that_is_full_loses_nothing_that_was_acknowledged(tmp_path, room):
    path = tmp_path / "record.db"
    begin(path)
    log = opened(path)
    log.append([said(n) for n in range(30)])
    log._store.close()
    shown: dict[int, bytes] = {}
    told: list[str] = []
    with process(append_until_full, path, path.stat().st_size + room) as (_, pipe):
        for message in received(pipe):
            if message[0] == "full":
                told = message[1]
            else:
                shown.update([message])
    assert told
    assert all(str(path) in sentence for sentence in told)
    log = opened(path)
    must_continue(log, shown)
    log.append([said("after")])
    must_continue(log, shown)
    log._store.close()


def test_a_second_process_is_refused_and_readers_are_not(tmp_path):
    path = tmp_path / "record.db"
    begin(path)
    with process(hold, path) as (child, pipe):
        assert pipe.recv() == 0
        with pytest.raises(StoreError, match=rf"record\.db is open for writing in process {child.pid}"):
            SqliteStore(path)
        reader = SqliteStore(path, readonly=True)
        log = Log(reader, ORIGIN)
        for size in range(1, 6):
            pipe.send("append")
            assert pipe.recv() == size
            log.refresh()
            assert log.size == size
            assert log.proof(size - 1).index == size - 1
        with pytest.raises(StoreError, match="for reading only"):
            reader.put_setting("name", b"value")
        child.kill()
        child.join()
        log.refresh()
        assert log.size == 5
        reader.close()
    log = opened(path)
    assert log.size == 5
    with pytest.raises(StoreError, match="is open for writing in process"):
        SqliteStore(path)
    log._store.close()
