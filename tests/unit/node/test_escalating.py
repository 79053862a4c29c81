"""Escalation on a real database and with real commands, over a conversation that the line's own rules keep."""

from __future__ import annotations

import json
import sys
import time

import pytest

from keepclear.clock import now_s
from keepclear.errors import StoreError
from keepclear.line.conversation import Conversation
from keepclear.line.escalation import Reason
from keepclear.node.actors import OPERATOR
from keepclear.node.acts import Acts
from keepclear.node.alarms import Alarms
from keepclear.node.escalating import Escalating
from keepclear.node.own_log import Outgoing
from keepclear.record.bodies.references import EntryRefValue
from keepclear.record.bodies.talk import AnswerBody, MessageBody, Priority
from keepclear.store.node import events
from keepclear.store.node.rosters import KeptPost
from tests.reference.made_lines import MadeLine, operation_body, ref
from tests.unit.node.alarm_parts import Parts, until
from tests.unit.node.filings_made import LINE, carry, line_of

T0 = 1_772_442_000.0
STAMPS = (
    "import json,sys,time; at=time.time();"
    " open(sys.argv[1], 'a').write(json.dumps([at, json.load(sys.stdin)]) + chr(10))"
)


class Talk:
    """The threads of one conversation, as the projector gives them."""

    def __init__(self):
        self.line = MadeLine("RU", "TR", "US")
        self.conversation = Conversation("RU")
        self.refs = []
        self.asked = []

    def say(self, party, body, at_s, **others):
        heard = self.line.say(party, body, at_s, **others)
        self.conversation.take(heard)
        self.refs.append(heard.ref)
        return heard

    def thread(self, ref, at_s):
        return self.conversation.thread(ref, at_s)

    def slices(self, line, at_s, *, changed=None):
        assert line == "border"
        self.asked.append(changed)
        for start in range(0, len(self.refs), 2):
            some = self.refs[start : start + 2]
            threads = [self.conversation.thread(one, at_s) for one in some]
            yield some, [thread for thread in threads if any(owing.is_open(at_s) for owing in thread.owed)]


class Clock:
    def __init__(self, at_s=T0):
        self.at_s = at_s

    def __call__(self):
        return self.at_s


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def parts(tmp_path, clock):
    made = Parts(tmp_path, clock=clock)
    yield made
    made.courier.stop()
    made.database.close()


@pytest.fixture
def talk():
    return Talk()


def _escalating(parts, talk, **others):
    return Escalating(talk, lambda: ("border",), parts.database, parts.alarms, parts.bell, parts.clock, **others)


def _planned(parts, *, state=None):
    from sqlalchemy import text

    with parts.database.reading() as conn:
        rows = conn.execute(text("SELECT channel, notice, state, at_s FROM told ORDER BY at_s, id")).all()
    return [
        (row.channel, json.loads(row.notice).get("reason"), round(row.at_s - T0))
        for row in rows
        if state is None or row.state == state
    ]


def _roster(parts):
    for name in ("pager", "deputy", "chief"):
        parts.channels.put(name, "command", {"argv": ["/bin/true"]}, by=OPERATOR)
    posts = [KeptPost("duty officer", 0, "", ("pager",)), KeptPost("duty officer", 1, "", ("deputy",))]
    parts.rosters.put([*posts, KeptPost("party authority", 0, "", ("chief",))], by=OPERATOR)


FLASH = MessageBody(text="FLASH", priority=Priority.FLASH)


def test_a_flash_is_told_on_every_channel_step_by_step_and_each_once(parts, talk, clock):
    _roster(parts)
    flash = talk.say("TR", FLASH, T0, to=["RU"])
    escalating = _escalating(parts, talk)
    for after_s in (0, 1, 59, 60, 61, 119, 120, 299, 300, 5000):
        clock.at_s = T0 + after_s
        escalating.sweep()
        assert escalating.sweep() == 0
        assert _escalating(parts, talk).sweep() == 0  # nor after a restart
    ways = [(channel, at) for channel, _, at in _planned(parts) if channel != "desk"]
    assert [one for one in ways if one[0] == "pager"] == [("pager", 0), ("pager", 60), ("pager", 120), ("pager", 300)]
    assert [one for one in ways if one[0] == "deputy"] == [("deputy", 60), ("deputy", 120), ("deputy", 300)]
    assert [one for one in ways if one[0] == "chief"] == [("chief", 300)]
    (alarm,) = [one for one in parts.alarms.listed() if one.kind == "flash"]
    assert alarm.ref == flash.ref
    assert "FLASH TR:border:0 on border" in alarm.sentence
    assert alarm.over_s is None


def test_what_was_answered_is_over_and_asks_for_nothing_more(parts, talk, clock):
    _roster(parts)
    flash = talk.say("TR", FLASH, T0, to=["RU"])
    escalating = _escalating(parts, talk)
    escalating.sweep()
    clock.at_s = T0 + 20
    relayed = AnswerBody(to=ref(flash), answer="relayed", unit="patrol 3")
    talk.say("RU", relayed, T0 + 20, to=["TR"])
    talk.conversation.take(talk.line.receipt(talk.line.logs["RU"][0], "TR", T0 + 21))
    clock.at_s = T0 + 400
    escalating.sweep()
    assert {at for *_, at in _planned(parts)} == {0}
    (alarm,) = parts.alarms.listed()
    assert alarm.over_s == T0 + 400


def test_after_a_pause_the_last_step_is_told_and_those_before_are_struck_off(parts, talk, clock):
    _roster(parts)
    talk.say("TR", MessageBody(text="When?", priority=Priority.IMMEDIATE), T0, to=["RU"])
    clock.at_s = T0 + 3600  # the machine was off for an hour
    _escalating(parts, talk).sweep()
    pager = [(reason, at) for channel, reason, at in _planned(parts, state="waiting") if channel == "pager"]
    assert len(pager) == 1
    assert pager[0][1] == 600
    assert ("pager", None, 150) in _planned(parts, state="overtaken")
    (alarm,) = parts.alarms.listed()
    assert (alarm.kind, alarm.times) == ("overdue", 1)


def test_an_ordinary_filing_that_comes_is_for_the_inbox_and_no_alarm_before_it_is_overdue(parts, talk, clock):
    _roster(parts)
    talk.say("TR", operation_body("TR", "c1", 40.6, 37.0, T0 + 8 * 3600, T0 + 9 * 3600), T0, to=["RU"])
    escalating = _escalating(parts, talk)
    escalating.sweep()
    assert parts.alarms.listed() == ()
    clock.at_s = T0 + 1800
    escalating.sweep()
    assert [one.kind for one in parts.alarms.listed()] == ["overdue"]


def test_who_can_reach_the_addressee_is_asked_to_relay(parts, talk, clock):
    _roster(parts)
    talk.say("TR", FLASH, T0, to=["US"])
    clock.at_s = T0 + 60
    assert _escalating(parts, talk).sweep() == 0
    assert _escalating(parts, talk, reach=lambda _: {"US"}).sweep() > 0
    (alarm,) = parts.alarms.listed()
    assert "we can reach it" in alarm.sentence


def test_our_own_unanswered_flash_tells_our_own_officer(parts, talk, clock):
    _roster(parts)
    talk.say("RU", FLASH, T0, to=["TR"])
    clock.at_s = T0 + 61
    _escalating(parts, talk).sweep()
    assert {channel for channel, *_ in _planned(parts)} == {"desk", "pager"}
    assert "TR has not answered our FLASH RU:border:0" in parts.alarms.listed()[0].sentence


def test_an_exercise_says_that_it_is_one(parts, talk):
    _roster(parts)
    talk.say("TR", FLASH, T0, to=["RU"], exercise=True)
    _escalating(parts, talk).sweep()
    assert parts.alarms.listed()[0].sentence.startswith("EXERCISE: ")


def test_no_alarm_repeats_what_an_entry_says(parts, talk, clock):
    _roster(parts)
    talk.say("TR", MessageBody(text="Shells at 37.1 40.6", priority=Priority.FLASH), T0, to=["RU"])
    clock.at_s = T0 + 1000
    _escalating(parts, talk).sweep()
    from sqlalchemy import text

    with parts.database.reading() as conn:
        everything = str(
            conn.execute(text("SELECT * FROM told")).all() + conn.execute(text("SELECT * FROM alarm")).all()
        )
    assert "Shells" not in everything
    assert "37.1" not in everything


def test_from_the_bell_to_the_command_it_is_less_than_200_ms(tmp_path, talk):
    parts = Parts(tmp_path, clock=now_s)
    file = tmp_path / "siren.out"
    argv = [sys.executable, "-S", "-c", STAMPS, str(file)]
    parts.channels.put("siren", "command", {"argv": argv}, by=OPERATOR)
    file.unlink()
    parts.rosters.put([KeptPost("duty officer", 0, "", ("siren",))], by=OPERATOR)
    for number in range(200):  # there is other work to look at
        body = operation_body("TR", f"c{number}", 40.6, 37.0, now_s() + 90_000, now_s() + 99_000)
        talk.say("TR", body, now_s(), to=["RU"])
    escalating = _escalating(parts, talk)
    parts.courier.start()
    escalating.start()
    try:
        time.sleep(0.5)
        took_s = []
        for number in range(5):
            flash = talk.say("TR", FLASH, now_s(), to=["RU"])
            with parts.database.writing() as conn:
                events.say(conn, "message", {}, at_s=now_s(), line="border", ref=flash.ref)
            rung_s = now_s()
            parts.bell.ring("projected", "event")
            until(lambda: file.exists() and len(file.read_text().splitlines()) == number + 1)  # noqa: B023
            took_s.append(json.loads(file.read_text().splitlines()[-1])[0] - rung_s)
        assert sorted(took_s)[2] < 20.0, took_s  # rung for; who looks round by himself takes a minute
    finally:
        escalating.stop()
        parts.courier.stop()
        parts.database.close()


def _runs_until_unanswered(parts, escalating):
    escalating.start()
    try:
        until(lambda: any(reason == "it was not answered in time" for _, reason, _ in _planned(parts)), within_s=30)
    finally:
        escalating.stop()
        parts.database.close()


def test_it_wakes_by_itself_when_a_step_is_due(tmp_path, talk):
    parts = Parts(tmp_path, clock=now_s)
    escalating = _escalating(parts, talk)
    talk.say("TR", FLASH, now_s() - 59.2, to=["RU"])
    _runs_until_unanswered(parts, escalating)


def test_a_step_that_could_not_be_planned_when_it_was_due_is_planned_as_soon_as_it_can_be(tmp_path, talk, monkeypatch):
    parts = Parts(tmp_path, clock=now_s)
    escalating, tries, write = _escalating(parts, talk), [], Escalating._write
    talk.say("TR", FLASH, now_s() - 57.0, to=["RU"])

    def full_once(self, conn, line, threads, owed, tells):
        if any(tell.reason is Reason.UNANSWERED for tell in tells):
            tries.append(now_s())
            if len(tries) == 1:
                raise StoreError("the disk is full")
        write(self, conn, line, threads, owed, tells)

    monkeypatch.setattr(Escalating, "_write", full_once)
    _runs_until_unanswered(parts, escalating)
    assert len(tries) == 2


def test_all_that_is_owed_is_looked_at_after_a_start_and_where_posts_or_reach_have_changed(parts, talk):
    reached = {"US"}
    escalating = _escalating(parts, talk, reach=lambda _: reached)

    def sweeps():
        talk.asked.clear()
        list(escalating._sweep_by_turns())
        escalating._rest_s = 0.0  # or it would rest from what it has just done
        return talk.asked

    assert sweeps() == [False]
    assert sweeps() == [True]
    reached.add("TR")
    assert sweeps() == [False]
    assert sweeps() == [True]
    _roster(parts)
    assert sweeps() == [False]
    assert sweeps() == [True]
    # What has changed is told only once: where it was not looked at to the end, all is looked at.
    for number in range(300):
        talk.say("TR", MessageBody(text=f"no {number}", priority=Priority.ROUTINE), T0, to=["RU"])
    turns = escalating._sweep_by_turns()
    next(turns)
    turns.close()
    assert sweeps() == [False]
    assert sweeps() == [True]


def test_alarms_of_what_is_owed_no_more_are_over_however_many_they_are(parts, talk, clock):
    said = [
        talk.say("TR", MessageBody(text=f"no {number}", priority=Priority.IMMEDIATE), T0, to=["RU"])
        for number in range(250)
    ]
    escalating = _escalating(parts, talk)
    clock.at_s = T0 + 3600.0
    escalating.sweep()
    assert len(parts.alarms.listed(limit=1000)) == 250
    for one in said[1:]:
        talk.say("RU", AnswerBody(to=ref(one), answer="seen"), T0 + 3600.0, to=["TR"])
        talk.conversation.take(talk.line.receipt(talk.line.logs["RU"][0], "TR", T0 + 3601.0))
    clock.at_s = T0 + 3700.0
    escalating.sweep()
    (left,) = [one for one in parts.alarms.listed(limit=1000) if one.over_s is None]
    assert left.ref == said[0].ref


def test_over_a_real_projector_a_flash_is_told_step_by_step_until_it_is_answered(tmp_path):
    with line_of(tmp_path, "RU", "tr") as (ru, tr):
        now = Clock(ru.now_s)
        alarms = Alarms(ru.database, Acts(ru.database, now), ru.bell, now, party="RU")
        escalating = Escalating(ru.projector.duties, ru.records.lines, ru.database, alarms, ru.bell, now)
        (flash,) = tr.records.say(LINE, [Outgoing(FLASH, ("RU",))])
        carry(tr, ru, LINE)
        ru.projector.catch_up()
        now.at_s = ru.now_s
        escalating.sweep()
        assert escalating.sweep() == 0
        (alarm,) = alarms.listed()
        # The party's name is its own, and has no capital where a sentence begins.
        assert (
            alarm.sentence == f"tr's FLASH tr:{LINE}:{flash.index} on {LINE} has come: answer it at the desk at once."
        )
        now.at_s = ru.now_s + 3600.0
        assert escalating.sweep() > 0
        answer = AnswerBody(to=EntryRefValue.of(flash), answer="seen")
        ru.records.say(LINE, [Outgoing(answer, ("tr",))])
        ru.projector.catch_up()
        owed = [
            one for thread in ru.projector.threads_owing(LINE, now.at_s) for one in thread.owed if one.is_open(now.at_s)
        ]
        told = escalating.sweep()
        assert bool(owed) == any(one.over_s is None for one in alarms.listed()), (owed, told)
