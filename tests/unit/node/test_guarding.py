import secrets
import time

import pytest

from keepclear.line.guards import Outcome
from keepclear.model.extents import Volume
from keepclear.model.footprints import Circle
from keepclear.model.kinds import ZoneKind
from keepclear.model.operations import Zone
from keepclear.node.actors import OPERATOR
from keepclear.node.bell import Bell
from keepclear.node.guard_worker import GuardTask, GuardWorker, judged
from keepclear.node.guarding import NOT_JUDGED, Guards, RefusedError
from keepclear.record.bodies.plans import ZoneBody
from keepclear.record.bodies.talk import AttachmentNote, MessageBody, Priority
from keepclear.record.entries import Attachment, Entry
from keepclear.store.node.database import NodeDatabase
from keepclear.store.saying import entry_said

ORDER = "Strike the house at 36.3705N 37.5157E at noon."
CALM = "Our convoy stops at 36.3705N 37.5157E until noon. "
ORIGIN = "TR/north/log"


@pytest.fixture
def database(tmp_path):
    made = NodeDatabase.open(tmp_path / "node.db")
    yield made
    made.close()


@pytest.fixture
def guards(database):
    made = Guards(database, Bell(), lambda: 1000.0, limit_s=60.0)  # a busy machine takes long to start a process
    yield made
    made.stop()


def came(body, *, attachments=()):
    return entry_said(body, line="north", party="TR", time_s=1.8e9, recipients=["RU"], attachments=attachments)


def test_what_is_refused_is_told_at_once_and_its_words_are_kept_nowhere(guards, database, tmp_path):
    with pytest.raises(RefusedError) as caught:
        guards.judge(MessageBody(text=ORDER), by=OPERATOR, line="north")
    error = caught.value
    assert error.guard == "NO_SHARING"
    assert {span.member for span in error.spans} == {"text"}
    assert error.faults[0].field == "text"
    (noted,) = guards.noted()
    assert (noted.outcome, noted.guard, noted.by, noted.line, noted.index) == (
        "refuse",
        "NO_SHARING",
        "operator",
        "north",
        None,
    )
    assert noted.spans == tuple((one.member, one.start, one.end) for one in error.spans)
    database.close()
    kept = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    for word in (b"Strike", b"36.3705", b"37.5157", b"house"):
        assert word not in kept
        assert word.decode() not in str(error)


def test_calm_words_pass_and_nothing_is_noted(guards):
    assert guards.judge(MessageBody(text=CALM), by=OPERATOR).outcome is Outcome.PASS
    assert guards.judge(MessageBody(text=CALM * 100), by=OPERATOR).outcome is Outcome.PASS
    assert guards.noted() == []


def test_flash_is_never_refused(guards):
    verdict = guards.judge(MessageBody(text=ORDER, priority=Priority.FLASH), by=OPERATOR)
    assert verdict.outcome is Outcome.FLAG
    assert guards.keeps(ORIGIN, 3, came(MessageBody(text=ORDER, priority=Priority.FLASH)))
    guards.flush()
    (noted,) = guards.noted_of(ORIGIN, 3)
    assert noted.outcome == "flag"


def test_a_long_text_is_judged_by_another_process_and_just_so(guards):
    with pytest.raises(RefusedError):
        guards.judge(MessageBody(text=CALM * 20 + ORDER), by=OPERATOR)


def test_a_body_that_came_is_refused_with_its_guard_which_is_noted(guards):
    sounded = []
    guards.sound = lambda *told, **more: sounded.append((told, more))
    assert not guards.keeps(ORIGIN, 7, came(MessageBody(text=ORDER)))
    assert guards.guard_of(ORIGIN, 7) == "NO_SHARING"
    guards.flush()
    (noted,) = guards.noted_of(ORIGIN, 7)
    assert (noted.outcome, noted.by, noted.line) == ("refuse", "", "north")
    assert sounded[0][0][0] == "guard"
    assert "Strike" not in str(sounded)


def test_the_guard_of_a_refusal_is_known_after_a_restart(guards, database):
    zone = Zone("TR", "z", ZoneKind.HAZARD_AREA, (Volume(Circle(37.5157, 36.3705, 50.0)),))
    assert not guards.keeps(ORIGIN, 8, came(ZoneBody.of_model(zone)))
    guards.flush()
    again = Guards(database, Bell(), lambda: 2000.0)
    assert again.guard_of(ORIGIN, 8) == "HAZARD_EXTENT"
    again.stop()


def test_an_attachment_that_a_machine_could_run_is_refused_both_ways(guards):
    note = AttachmentNote(name="map.exe", media_type="application/octet-stream", size_bytes=4)
    body = MessageBody(text="see the map", attachments=[note])
    with pytest.raises(RefusedError) as caught:
        guards.judge(body, by=OPERATOR, attachments=[("map.exe", b"MZ\0\0")])
    assert caught.value.guard == "ATTACHMENT_TYPE"
    assert not guards.keeps(ORIGIN, 9, came(body, attachments=[b"MZ\0\0"]))
    assert guards.guard_of(ORIGIN, 9) == "ATTACHMENT_TYPE"


def test_a_type_that_is_not_known_is_judged_as_text_and_kept_if_calm(guards):
    for index, (text, kept) in enumerate(
        [(b'{"words":"all quiet"}', True), (b'{"words":"' + ORDER.encode() + b'"}', False)]
    ):
        for body in (text, b"\xff" + text):  # JSON, and no JSON
            entry = Entry.said(
                "weather", 3, line="north", party="TR", time_s=1.8e9, recipients=["RU"], exercise=False, body=body,
                salt=secrets.token_bytes(32),
            )  # fmt: skip
            assert guards.keeps(ORIGIN, index, entry) is kept


def test_what_takes_too_long_is_flagged_for_a_person_and_not_passed_over(database):
    guards = Guards(database, Bell(), lambda: 1000.0, limit_s=0.02)  # less than it takes to start the process
    try:
        body = MessageBody(text=CALM * 2000)
        began = time.monotonic()
        verdict = guards.judge(body, by=OPERATOR)
        assert time.monotonic() - began < 2.0
        assert (verdict.outcome, verdict.guard) == (Outcome.FLAG, NOT_JUDGED)
        assert guards.keeps(ORIGIN, 1, came(body))
        guards.flush()
        assert guards.noted_of(ORIGIN, 1)[0].guard == NOT_JUDGED
    finally:
        guards.stop()


def test_a_process_with_nothing_to_judge_is_ended_and_the_next_judgement_starts_another():
    worker = GuardWorker(rest_s=0.2)
    task = GuardTask({"text": CALM * 10})
    first = worker.judge(task, limit_s=60.0)
    process = worker._process
    assert first is not None
    assert process is not None
    assert process.wait(30.0) != 0  # ended from here
    until = time.monotonic() + 10.0
    while worker._process is not None:
        assert time.monotonic() < until
        time.sleep(0.01)
    assert worker.judge(task, limit_s=60.0) == first
    worker.stop()
    assert worker._process is None


def test_a_worker_that_was_cut_off_judges_the_next_one():
    worker = GuardWorker()
    try:
        assert worker.judge(GuardTask({"text": CALM * 2000}), limit_s=0.01) is None
        verdict = worker.judge(GuardTask({"text": ORDER}), limit_s=30.0)
        assert verdict is not None
        assert verdict == judged(GuardTask({"text": ORDER}))
        assert verdict.outcome is Outcome.REFUSE
    finally:
        worker.stop()


def test_a_task_goes_to_the_worker_as_it_is():
    task = GuardTask({"text": "ok", "deep": [[{"a": None}]]}, [("Ω.txt", bytes(range(256)))])
    assert GuardTask.of_bytes(task.to_bytes()) == task


def test_a_missing_attachment_is_no_reason_to_stumble(guards):
    note = AttachmentNote(name="a.txt", media_type="text/plain", size_bytes=4)
    entry = came(MessageBody(text="see it", attachments=[note]), attachments=[b"calm"])
    assert guards.keeps(ORIGIN, 5, Entry(entry.leaf, entry.salt, entry.body, (None,)))
    assert isinstance(entry.attachments[0], Attachment)
