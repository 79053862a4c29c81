"""Several threads share a commit; it fails at each of its steps, and the process is killed at any moment."""

from __future__ import annotations

import json
import multiprocessing
import random
import threading
import time
from collections import Counter

import pytest

from keepclear.errors import KeepclearError
from keepclear.node.bell import Bell
from keepclear.node.folder import NodeFolder
from keepclear.node.own_log import Outgoing
from keepclear.node.records import Records
from keepclear.record.bodies.talk import MessageBody, Priority
from keepclear.store.log_store import UnknownOutcomeError
from keepclear.store.sqlite import SqliteStore
from tests.crash.speaking_at_once import LINE, speak_for_ever
from tests.crash.test_every_write import WAYS, Plan, failing
from tests.crash.test_killed import received

KILLS = 12
SPAWNING = multiprocessing.get_context("forkserver")
SPAWNING.set_forkserver_preload(["tests.crash.speaking_at_once"])


def new_folder(path):
    folder = NodeFolder.create(path / "RU", "RU")
    store = folder.open_records()
    Records(folder, store, Bell(), lambda: 1.8e9).begin(LINE)
    store.close()
    return folder.path


def texts_of(path):
    """All that was said, after the log has been looked at from end to end."""
    folder = NodeFolder(path)
    store = folder.open_records()
    try:
        records = Records(folder, store, Bell(), lambda: 1.8e9)
        origin = records.own_origin(LINE)
        assert records.silence(LINE) == ""
        with records.reading(origin) as log:
            assert log.examine().sound
        entries = records.entries(origin, 2, records.size(origin))
        return [json.loads(entry.body)["text"] for entry in entries]
    finally:
        store.close()


def say_together(records, texts):
    """Each text in a thread of its own, all of them waiting in the queue before the first is said; what each got."""
    own = records._own[records.own_origin(LINE)]
    got: dict[str, object] = {}

    def speak(text: str) -> None:
        try:
            got[text] = records.say(LINE, [Outgoing(MessageBody(text=text, priority=Priority.ROUTINE), ("TR",))])
        except KeepclearError as error:
            got[text] = error

    threads = [threading.Thread(target=speak, args=(text,)) for text in texts]
    with own._lock:
        for thread in threads:
            thread.start()
        while len(own._queue) < len(texts):
            time.sleep(0.0005)
    for thread in threads:
        thread.join()
    return got


def attempt(path, plan):
    """A batch of three that a failure may hit, and another one after that."""
    folder = NodeFolder(path)
    store = SqliteStore(path / "record.db", connect=failing(plan))
    try:
        records = Records(folder, store, Bell(), lambda: 1.8e9)
        plan.steps = 0
        plan.names.clear()
        fail_at, plan.fail_at = plan.fail_later, plan.fail_later
        got = say_together(records, ["first 1", "first 2", "first 3"])
        assert fail_at == plan.fail_at
        return got | say_together(records, ["second 1", "second 2"])
    finally:
        store.close()


class LaterPlan(Plan):
    """Fails a step of those after the store was opened."""

    fail_later = -1


def steps_of_a_batch(path):
    plan = LaterPlan()
    attempt(path, plan)
    return plan.steps


@pytest.mark.parametrize("way", WAYS)
def test_every_step_of_a_shared_commit_fails_once_and_each_caller_is_told_the_truth(tmp_path, way):
    steps = steps_of_a_batch(new_folder(tmp_path / "watched"))
    assert steps > 10
    unknown = 0
    path = new_folder(tmp_path)
    before: Counter[str] = Counter()
    for step in range(0, steps, 1 if way != WAYS[2] else 3):
        plan = LaterPlan(way=way)
        plan.fail_later = step
        got = attempt(path, plan)
        found = Counter(texts_of(path))
        for text, result in got.items():
            times = found[text] - before[text]
            if isinstance(result, tuple):
                assert times == 1, (step, plan.names[step], text)
            elif isinstance(result, UnknownOutcomeError):
                unknown += 1
                assert times in (0, 1)
            else:
                assert times == 0, (step, plan.names[step], text, result)
        before = found
    # Where the disk answers again, nobody is left in doubt.
    assert (unknown > 0) == (way == WAYS[2])


@pytest.mark.slow
def test_nothing_that_was_acknowledged_to_any_thread_is_lost_or_doubled_by_a_kill(tmp_path):
    path = new_folder(tmp_path)
    moments = random.Random(7)
    told: dict[int, str] = {}
    for kill in range(KILLS):
        ours, theirs = SPAWNING.Pipe()
        child = SPAWNING.Process(target=speak_for_ever, args=(path, kill, theirs))
        child.start()
        theirs.close()
        told.update(ours.recv())
        time.sleep(moments.uniform(0.0, 0.05))
        child.kill()
        for acknowledged in received(ours):
            told.update(acknowledged)
        child.join()
        child.close()
        ours.close()
        texts = texts_of(path)
        for index, text in told.items():
            assert texts[index - 2] == text
        assert max(Counter(texts).values()) == 1
    assert len(told) > 3 * KILLS
