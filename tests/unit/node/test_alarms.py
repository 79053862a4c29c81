"""Alarms: shown until a named person has seen them, told outside at least once, on a real database."""

from __future__ import annotations

import json
import sys
import threading
import time

import pytest

from keepclear.errors import InputError
from keepclear.line.escalation import Role
from keepclear.node.actors import OPERATOR, Actor, Via
from keepclear.node.alarms import TOLD, AlarmKind
from keepclear.node.refusals import ClashError, NotAllowedError, NotFoundError, StaleError
from keepclear.node.roles import Role as UserRole
from keepclear.node.roles import scopes_of
from keepclear.record.entries import EntryRef
from keepclear.store.node.events import since
from keepclear.store.node.rosters import KeptPost
from keepclear.store.node.told import NoticeState, begin_notice
from tests.unit.node.alarm_parts import Parts, http_server, until

REF = EntryRef("TR/north/log", 4, bytes(32))
WRITES = "import json,sys; open(sys.argv[1], 'a').write(json.dumps(json.load(sys.stdin)) + chr(10))"


def _officer(role=UserRole.DUTY_OFFICER, via=Via.SESSION):
    return Actor("ivanov", frozenset({role}), scopes_of({role}), via=via)


@pytest.fixture
def parts(tmp_path):
    made = Parts(tmp_path)
    yield made
    made.courier.stop()
    made.database.close()


def _siren(parts, tmp_path, name="siren", program=WRITES):
    file = tmp_path / f"{name}.out"
    argv = [sys.executable, "-c", program, str(file)]
    parts.channels.put(name, "command", {"argv": argv, "timeout_s": 10}, by=OPERATOR)
    file.unlink(missing_ok=True)  # what setting it up has tried
    return file


def _lines(file):
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def test_an_alarm_stays_until_a_named_person_has_seen_it(parts):
    number = parts.alarms.sound("channel", "The channel to TR is down.", key="north/TR", line="north")
    assert parts.alarms.sound("channel", "The channel to TR is down still.", key="north/TR") is None
    assert parts.alarms.sound("channel", "The channel to US is down.", key="north/US") == number + 1
    assert parts.alarms.clear("channel", "north/TR")
    assert not parts.alarms.clear("channel", "north/TR")
    other, alarm = parts.alarms.listed()
    assert (alarm.id, alarm.times, alarm.sentence) == (number, 2, "The channel to TR is down still.")
    assert alarm.over_s is not None
    assert other.over_s is None

    seen = parts.alarms.acknowledge(number, _officer(), "called them")
    assert (seen.acknowledged_by, seen.note) == ("ivanov", "called them")
    again = parts.alarms.acknowledge(number, Actor("petrov", frozenset(), scopes_of({UserRole.DUTY_OFFICER})))
    assert again.acknowledged_by == "ivanov"
    assert [one.id for one in parts.alarms.listed()] == [number + 1]
    assert [one.id for one in parts.alarms.listed(open_only=False)] == [number + 1, number]
    assert [one.id for one in parts.alarms.listed(open_only=False, after=number + 1)] == [number]
    assert parts.alarms.sound("channel", "Down again.", key="north/TR") == number + 2
    with parts.database.reading() as conn:
        said = [(event.type, event.data["alarm"], event.data.get("acknowledged_by")) for event in since(conn, 0)]
    assert ("alarm", number, "ivanov") in said


def test_only_who_may_acknowledges(parts):
    number = parts.alarms.sound("disk", "The disk is nearly full.")
    with pytest.raises(NotAllowedError):
        parts.alarms.acknowledge(number, _officer(UserRole.MONITOR))
    with pytest.raises(NotFoundError):
        parts.alarms.acknowledge(99, _officer())
    with pytest.raises(InputError):
        parts.alarms.acknowledge(number, _officer(), "x" * 10_000)


def test_every_sort_of_alarm_says_whom_it_is_told():
    assert set(TOLD) == set(AlarmKind)


def test_an_alarm_goes_by_each_channel_of_the_posts_once(parts, tmp_path):
    files = {name: _siren(parts, tmp_path, name) for name in ("siren", "pager", "deputy", "chief")}
    parts.rosters.put(
        [
            KeptPost("duty officer", 0, "ivanov", ("desk", "siren", "pager")),
            KeptPost("duty officer", 1, "petrov", ("deputy", "pager")),
            KeptPost("party authority", 0, "chief", ("chief",)),
        ],
        by=_officer(),
    )
    parts.courier.start()
    guard = parts.alarms.sound("guard", "A message to TR was refused.", key="1", line="north", ref=REF)
    fork = parts.alarms.sound("fork", "TR has two histories.", key="TR/north/log", line="north")
    for number, names in ((guard, {"siren", "pager"}), (fork, {"siren", "pager", "deputy", "chief"})):
        done = {(name, NoticeState.DONE) for name in names}
        until(lambda: {(one.channel, one.state) for one in parts.alarms.one(number)[1]} == done)  # noqa: B023
    told = {name: [one["kind"] for one in _lines(file)] for name, file in files.items()}
    assert sorted(told["siren"]) == ["fork", "guard"]
    assert sorted(told["pager"]) == ["fork", "guard"]
    assert told["deputy"] == ["fork"]
    assert told["chief"] == ["fork"]
    notice = next(one for one in _lines(files["siren"]) if one["kind"] == "guard")
    assert (notice["entry"], notice["role"], notice["party"]) == ("TR:north:4", "duty officer", "RU")


def test_what_was_begun_when_the_machine_stopped_is_told_again_and_says_so(parts, tmp_path):
    file = _siren(parts, tmp_path)
    parts.rosters.put([KeptPost("duty officer", 0, "", ("siren",))], by=_officer())
    number = parts.alarms.sound("fork", "TR has two histories.")
    second = parts.alarms.sound("clock", "The clocks are apart.")
    (notice,) = parts.alarms.one(number)[1]
    with parts.database.writing() as conn:
        begin_notice(conn, notice.id)  # and then the power failed
    parts.courier.start()
    until(lambda: len(_lines(file)) == 2)
    assert [(one["alarm"], one.get("again")) for one in sorted(_lines(file), key=lambda one: one["alarm"])] == [
        (number, True),
        (second, None),
    ]
    parts.courier.stop()
    parts.courier.start()
    time.sleep(0.2)
    assert len(_lines(file)) == 2


def test_a_channel_that_fails_is_an_alarm_told_by_the_others(parts, tmp_path):
    file = _siren(parts, tmp_path)
    with http_server(lambda handler: handler.send_error(503)) as url:
        view = parts.channels.put("hook", "webhook", {"url": url}, secret="sixteen or more characters", by=_officer())
        assert (view.worked, view.note, view.has_secret) == (False, "it answered 503", True)
        assert "sixteen" not in repr(view)
        assert [one.kind for one in parts.alarms.listed()] == ["alarm-channel"]
        parts.rosters.put([KeptPost("duty officer", 0, "", ("hook", "siren"))], by=_officer())
        number = parts.alarms.sound("clock", "The clocks are apart.")
        parts.courier.start()
        until(lambda: {one.channel: one.state for one in parts.alarms.one(number)[1]}["hook"] is NoticeState.GIVEN_UP)
    by_channel = {one.channel: one for one in parts.alarms.one(number)[1]}
    assert by_channel["siren"].state is NoticeState.DONE
    assert by_channel["hook"].tries == 3
    (failing,) = [one for one in parts.alarms.listed() if one.kind == "alarm-channel"]
    assert failing.times >= 4
    parts.alarms.acknowledge(failing.id, _officer())
    with http_server(lambda handler: handler.send_error(500)) as url:
        parts.channels.put("hook", "webhook", {"url": url}, by=_officer())
    until(lambda: any(one["kind"] == "alarm-channel" for one in _lines(file)))
    assert all(one["kind"] != "alarm-channel" or "hook" in one["sentence"] for one in _lines(file))


def test_a_channel_that_works_again_ends_its_alarm(parts):
    answers = [500, 204]

    def answer(handler):
        handler.send_response(answers.pop(0))
        handler.end_headers()

    with http_server(answer) as url:
        parts.channels.put("hook", "webhook", {"url": url}, secret="sixteen or more characters", by=_officer())
        (failed,) = parts.alarms.listed()
        assert failed.over_s is None
        (tried,) = parts.channels.try_now("hook", by=_officer())
    assert (tried.channel, tried.worked, tried.note) == ("hook", True, "it answered 204")
    (failed,) = parts.alarms.listed()
    assert failed.over_s is not None


def test_one_that_hangs_holds_up_neither_the_others_nor_what_is_urgent(parts, tmp_path):
    file = _siren(parts, tmp_path)
    let_go, came = threading.Event(), []

    def answer(handler):
        notice = json.loads(handler.body)
        came.append(notice["kind"])
        if notice["kind"] == "clock":
            let_go.wait(10)
        handler.send_response(204)
        handler.end_headers()

    with http_server(answer) as url:
        parts.channels.put("hook", "webhook", {"url": url}, secret="sixteen or more characters", by=_officer())
        parts.rosters.put([KeptPost("duty officer", 0, "", ("hook", "siren"))], by=_officer())
        parts.courier.start()
        parts.alarms.sound("clock", "The clocks are apart.")
        until(lambda: "clock" in came)
        parts.alarms.sound("guard", "A message was refused.")
        parts.alarms.sound("fork", "TR has two histories.")
        until(lambda: "fork" in came and len(_lines(file)) == 3)
        assert "guard" not in came
        let_go.set()
        until(lambda: "guard" in came)


def test_a_command_is_set_up_at_the_machine_alone(parts):
    settings = {"argv": ["/bin/true"]}
    for actor in (_officer(), _officer(UserRole.PARTY_AUTHORITY, Via.TOKEN)):
        with pytest.raises(NotAllowedError):
            parts.channels.put("siren", "command", settings, by=actor)
    assert parts.channels.put("siren", "command", settings, by=OPERATOR).worked
    for kind, other in (("command", {"argv": ["/bin/sh"]}), ("webhook", {"url": "https://example.org"})):
        with pytest.raises(NotAllowedError):
            parts.channels.put("siren", kind, other, secret="sixteen or more characters", by=_officer())
    with pytest.raises(NotAllowedError):
        parts.channels.drop("siren", by=_officer())
    assert parts.channels.one("siren").settings == settings


@pytest.mark.parametrize("name", ["", "desk", "Siren", "a b", "-x", "x" * 41, "сирена", "x\n"])
def test_what_is_no_name_of_a_channel_is_refused(parts, name):
    with pytest.raises(InputError):
        parts.channels.put(name, "command", {"argv": ["/bin/true"]}, by=OPERATOR)


def test_the_roster_is_checked_whole_and_changed_by_who_has_read_it(parts):
    assert parts.rosters.get().posts == (KeptPost("duty officer", 0),)
    with pytest.raises(InputError) as caught:
        parts.rosters.put(
            [KeptPost("king", 0), KeptPost("linguist", -1, "x" * 300), KeptPost("liaison", 0, "", ("pager", "a", "a"))],
            by=_officer(),
        )
    fields = {fault.field for fault in caught.value.faults}
    assert fields == {"posts[0].role", "posts[1].rank", "posts[1].holder", "posts[2].channels"}
    with pytest.raises(InputError, match="nobody is on duty"):
        parts.rosters.put([KeptPost("duty officer", 1)], by=_officer())
    first = parts.rosters.put([KeptPost(Role.DUTY_OFFICER, 0, "ivanov")], by=_officer(), if_version=0)
    assert first.version == 1
    with pytest.raises(StaleError):
        parts.rosters.put([KeptPost("duty officer", 0, "petrov")], by=_officer(), if_version=0)
    with pytest.raises(NotAllowedError):
        parts.rosters.put([KeptPost("duty officer", 0)], by=_officer(UserRole.FILER))
    assert parts.rosters.get().posts[0].holder == "ivanov"


def test_a_channel_that_somebody_has_is_not_dropped(parts):
    parts.channels.put("siren", "command", {"argv": ["/bin/true"]}, by=OPERATOR)
    parts.rosters.put([KeptPost("duty officer", 0, "", ("siren",))], by=OPERATOR)
    with pytest.raises(ClashError):
        parts.channels.drop("siren", by=OPERATOR)
    parts.rosters.put([KeptPost("duty officer", 0)], by=OPERATOR)
    parts.channels.drop("siren", by=OPERATOR)
    assert parts.channels.all() == ()


def test_a_sentence_is_one_line(parts):
    parts.alarms.sound("disk", "The disk\n\nis  full." + "x" * 5000)
    (alarm,) = parts.alarms.listed()
    assert alarm.sentence.startswith("The disk is full.x")
    assert len(alarm.sentence) == 1000
