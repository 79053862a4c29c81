"""Each statement, commit and file write fails once, in two ways: not done; and done, but not reported."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from keepclear.errors import StoreError
from keepclear.record.cosignatures import cosign
from keepclear.record.notes import Note
from keepclear.store.log import Log
from keepclear.store.log_store import UnknownOutcomeError
from keepclear.store.sqlite import SqliteStore
from tests.crash.saying import KEY, MIRROR_KEY, ORIGIN, head_of, must_continue, opened, said

WAYS = ("not done", "done but not reported", "not done, and nothing more from then on")


@dataclass
class Plan:
    """Fails the step with this number."""

    fail_at: int = -1
    way: str = ""
    steps: int = 0
    names: list[str] = field(default_factory=list)

    def step(self, name: str, do: Callable[[], Any], error: type[Exception]) -> Any:
        at, self.steps = self.steps, self.steps + 1
        self.names.append(name)
        if at == self.fail_at or (at > self.fail_at >= 0 and "nothing more" in self.way):
            if self.way == "done but not reported":
                do()
            raise error("failed on purpose")
        return do()


def failing(plan: Plan) -> Callable[..., sqlite3.Connection]:
    """SQLite's own driver, with a step before each statement."""

    class Cursor(sqlite3.Cursor):
        def execute(self, sql: str, *rest: Any) -> Any:
            return plan.step(sql, lambda: super(Cursor, self).execute(sql, *rest), sqlite3.OperationalError)

        def executemany(self, sql: str, *rest: Any) -> Any:
            return plan.step(sql, lambda: super(Cursor, self).executemany(sql, *rest), sqlite3.OperationalError)

    class Connection(sqlite3.Connection):
        def cursor(self, factory: Any = Cursor) -> Any:
            return super().cursor(factory)

        def execute(self, sql: str, *rest: Any) -> Any:
            return plan.step(sql, lambda: super(Connection, self).execute(sql, *rest), sqlite3.OperationalError)

        def rollback(self) -> None:
            plan.step("rollback", super().rollback, sqlite3.OperationalError)

    return lambda *args, **more: sqlite3.connect(*args, **more, factory=Connection)


@dataclass
class Careful:
    """Somebody who says things, shows what was acknowledged, and after a failure says something else."""

    path: Path
    plan: Plan
    shown: dict[int, bytes] = field(default_factory=dict)
    log: Log | None = None
    failures: int = 0
    count: int = 0

    def run(self) -> None:
        for things in (1, 3):
            self.attempt(lambda many=things: self.say(many))
        self.attempt(self.cosigned)
        self.attempt(self.erased)
        self.attempt(lambda: self.say(1))
        self.leave()

    def attempt(self, what: Callable[[], object]) -> None:
        """Try it; if it fails, look at what is durable and try once more."""
        for _ in range(2):
            try:
                what()
            except UnknownOutcomeError:
                self.failures += 1
                try:
                    self.must_log().reread()
                except StoreError:
                    self.leave()
            except StoreError:
                self.failures += 1
            else:
                return

    def say(self, many: int) -> None:
        self.count += many
        log = self.must_log()
        log.append([said(f"{self.count} {n}") for n in range(many)])
        size, root = head_of(log.checkpoint())
        assert self.shown.setdefault(size, root) == root
        self.shown[size] = root

    def cosigned(self) -> None:
        log = self.must_log()
        note = Note.of_bytes(log.checkpoint())
        log.add_cosignatures([cosign(note.text, MIRROR_KEY, time_s=1)], [MIRROR_KEY.verifier])

    def erased(self) -> None:
        log = self.must_log()
        if log.size:
            log.erase_body(0)

    def must_log(self) -> Log:
        if self.log is None:
            store = SqliteStore(self.path, connect=failing(self.plan))
            try:
                have = {log.origin for log in store.logs()}
                self.log = Log(store, ORIGIN, key=KEY) if ORIGIN in have else Log.create(store, KEY)
            except BaseException:
                store.close()
                raise
            self.store = store
        return self.log

    def leave(self) -> None:
        if self.log is not None:
            self.store.close()
            self.log = None


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Plan:
    """A plan that also has the writes and syncs of files as steps."""
    plan = Plan()
    for name in ("pwrite", "fsync"):
        real = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *args, n=name, r=real: plan.step(n, lambda: r(*args), OSError))
    return plan


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a log that is about to fill its first tile."""
    folder = tmp_path_factory.mktemp("begun")
    store = SqliteStore(folder / "record.db")
    Log.create(store, KEY).append([said(f"before {n}") for n in range(254)])
    store.close()
    return folder


def run_with(folder: Path, plan: Plan, begun: Path | None) -> Careful:
    if begun is None:
        folder.mkdir()
    else:
        shutil.copytree(begun, folder)
    user = Careful(folder / "record.db", plan)
    user.run()
    return user


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("from_nothing", [True, False])
def test_every_step_fails_once_and_nothing_signed_is_contradicted(tmp_path, watched, begun, way, from_nothing):
    template = None if from_nothing else begun
    open_before = len(list(Path("/proc/self/fd").iterdir()))
    well = run_with(tmp_path / "well", watched, template)
    steps, names = watched.steps, list(watched.names)
    assert well.failures == 0
    assert names.count("COMMIT") >= 5
    assert {"pwrite", "BEGIN IMMEDIATE"} <= set(names)
    failed = 0
    for at in range(steps):
        folder = tmp_path / str(at)
        watched.fail_at, watched.way, watched.steps = at, way, 0
        user = run_with(folder, watched, template)
        watched.fail_at = -1
        failed += user.failures > 0
        _must_hold(folder, user.shown, names[at])
        shutil.rmtree(folder)
    # A few steps only tidy up (a roll-back of nothing, the sync when closing): they fail unseen on purpose.
    assert failed > steps * 0.8
    assert len(list(Path("/proc/self/fd").iterdir())) == open_before  # who tries again and again runs out of nothing


def _must_hold(folder: Path, shown: dict[int, bytes], name: str) -> None:
    """On reopening, all that was shown is there, and the log goes on."""
    try:
        log = opened(folder / "record.db")
    except StoreError:
        assert not shown, name  # only a log that was never begun may be missing
        return
    must_continue(log, shown)
    before = log.size
    log.append([said("after")])
    assert log.size == before + 1
    must_continue(log, shown)
    log._store.close()


def test_after_an_unknown_outcome_every_call_is_refused_until_it_is_reread(tmp_path, watched):
    user = Careful(tmp_path / "record.db", watched)
    user.say(3)
    log = user.must_log()
    first = watched.steps
    user.say(1)
    commit = watched.names.index("COMMIT", first) - first
    watched.fail_at, watched.way, watched.steps = commit, "done but not reported", 0
    with pytest.raises(UnknownOutcomeError, match="reread"):
        log.append([said("unknown")])
    for call in (log.checkpoint, lambda: log.append([said("again")]), lambda: log.proof(0), lambda: log.leaf(0)):
        with pytest.raises(UnknownOutcomeError, match="reread"):
            call()
    assert log.reread() == 5
    assert log.leaf(4) == said("unknown").leaf.to_bytes()
    log.append([said("again")])
    user.shown[6] = head_of(log.checkpoint())[1]
    must_continue(log, user.shown)
    user.leave()
