"""Line tests between two nodes: real logs, carried from one store to the other."""

from __future__ import annotations

import pytest

from keepclear.errors import InputError
from keepclear.line.channel import CHARACTERS, ChannelEvent, Timing, next_test_s
from keepclear.node.actors import OPERATOR, Actor
from keepclear.node.acts import Acts
from keepclear.node.alarm_channels import AlarmChannels
from keepclear.node.alarms import Alarms
from keepclear.node.line_tests import LineTests
from keepclear.node.own_log import Outgoing
from keepclear.node.refusals import NotAllowedError
from keepclear.record.bodies.line_talk import LineTestBody
from keepclear.record.bodies.references import EntryRefValue
from keepclear.record.bodies.registry import body_of
from tests.unit.node.alarm_parts import until
from tests.unit.node.lines_made import MadeNode, bring_in, carry

LINE = "north"


class Testing(MadeNode):
    """A node that tests its lines."""

    __test__ = False

    def __init__(self, path, party):
        super().__init__(path, party)
        acts = Acts(self.database, self.clock)
        self.alarms = Alarms(self.database, acts, self.bell, self.clock, party=party)
        self.channels = AlarmChannels(self.database, acts, self.alarms, self.bell, self.clock)
        self.happened = []
        self.tests = self.made_tests()

    def made_tests(self):
        return LineTests(
            self.records, lambda line: self.reader.of(line).members, self.database, self.channels, self.alarms,
            Acts(self.database, self.clock), self.bell, self.clock,
            tested=lambda line, party, event, _: self.happened.append((line, party, event)),
        )  # fmt: skip

    def said_tests(self):
        origin = self.records.own_origin(LINE)
        entries = self.records.entries(origin, 0, self.records.size(origin))
        return [(n, body_of(one)) for n, one in enumerate(entries) if one.leaf.type == "line-test"]


@pytest.fixture
def nodes(tmp_path):
    made = [Testing(tmp_path / party, party) for party in ("RU", "TR")]
    made[0].lines.new(LINE, line=LINE, by=OPERATOR)
    bring_in(made[0], made[1], LINE)
    yield made
    for one in made:
        one.close()


def _exchanged(*nodes):
    for giver in nodes:
        for taker in nodes:
            if giver is not taker:
                carry(giver, taker, LINE)
    for one in nodes:
        one.tests.look()


def test_a_test_comes_back_by_itself_with_every_character_and_says_what_was_tried(nodes):
    ours, theirs = nodes
    ours.channels.put("siren", "command", {"argv": ["/bin/true"]}, by=OPERATOR)
    ours.channels.put("pager", "command", {"argv": ["/bin/false"]}, by=OPERATOR)
    ref = ours.tests.begin(LINE, by=OPERATOR)
    for _ in range(4):
        _exchanged(ours, theirs)
    ((_, sent),) = ours.said_tests()
    assert sent.text == CHARACTERS
    assert [(one.channel, one.worked, one.note) for one in sent.tried] == [
        ("pager", False, None),
        ("siren", True, None),
    ]
    ((_, given_back),) = theirs.said_tests()
    assert given_back.returns.ref() == ref
    (test,) = ours.tests.listed(LINE)
    assert (test.ref, test.party, test.passed, test.lost) == (ref, "TR", True, ())
    assert ours.happened == [(LINE, "TR", ChannelEvent.TEST_BEGUN), (LINE, "TR", ChannelEvent.TEST_PASSED)]
    assert [one.kind for one in ours.alarms.listed()] == ["alarm-channel"]


def test_it_is_given_back_once_whatever_is_forgotten(nodes):
    ours, theirs = nodes
    ours.tests.begin(LINE)
    _exchanged(ours, theirs)
    theirs.tests = theirs.made_tests()
    _exchanged(ours, theirs)
    from sqlalchemy import text

    with theirs.database.writing() as conn:  # said, and the machine stopped before that was noted
        conn.execute(text("DELETE FROM line_test_returned"))
        conn.execute(text("DELETE FROM kept_value WHERE name LIKE 'line tests read%'"))
    theirs.tests = theirs.made_tests()
    _exchanged(ours, theirs)
    assert len(theirs.said_tests()) == 1
    assert len(ours.said_tests()) == 1


def test_lost_characters_are_an_alarm_and_the_next_whole_test_ends_it(nodes):
    ours, theirs = nodes
    ref = ours.tests.begin(LINE)
    text = CHARACTERS.replace("ş", "s").replace("Ж", "?")
    theirs.records.say(LINE, [Outgoing(LineTestBody(text=text, returns=EntryRefValue.of(ref)), ("RU",))])
    carry(theirs, ours, LINE)
    ours.tests.look()
    (test,) = ours.tests.listed(LINE)
    assert test.passed is False
    assert len(test.lost) == 2
    (alarm,) = ours.alarms.listed()
    assert alarm.kind == "line-test"
    assert "LATIN SMALL LETTER S WITH CEDILLA" in alarm.sentence
    assert ours.happened[-1] == (LINE, "TR", ChannelEvent.TEST_FAILED)
    ours.tests.begin(LINE)
    for _ in range(2):
        _exchanged(ours, theirs)
    assert ours.alarms.listed()[0].over_s is not None
    assert ours.happened[-1] == (LINE, "TR", ChannelEvent.TEST_PASSED)


def test_a_test_that_does_not_come_back_in_time_is_an_alarm_and_late_is_late(nodes):
    ours, theirs = nodes
    ours.tests.begin(LINE)
    ours.tests.look()
    assert ours.alarms.listed() == ()
    ours.now_s += Timing().test_within_s + 1
    ours.tests.look()
    ours.tests.look()
    (alarm,) = ours.alarms.listed()
    assert "TR has not given back" in alarm.sentence
    assert ours.happened[1:] == [(LINE, "TR", ChannelEvent.TEST_FAILED)]
    for _ in range(2):
        _exchanged(ours, theirs)
    (test,) = ours.tests.listed(LINE)
    assert test.returned_s is not None
    assert test.passed is False


def test_somebody_elses_answer_and_a_test_of_long_ago_count_for_nothing(nodes):
    ours, theirs = nodes
    ref = ours.tests.begin(LINE)
    ours.records.say(LINE, [Outgoing(LineTestBody(text="x", returns=EntryRefValue.of(ref)), ("TR",))])
    ours.tests.look()
    assert ours.tests.listed(LINE)[0].returned_s is None
    theirs.now_s += 13 * 3600
    carry(ours, theirs, LINE)
    theirs.tests.look()
    assert [body for _, body in theirs.said_tests() if body.returns is not None] == []


def test_lines_are_tested_twice_a_day_by_themselves(nodes):
    ours, _ = nodes
    ours.tests.look()
    times = []
    for _ in range(24 * 4 + 1):
        before = len(ours.said_tests())
        ours.now_s += 900.0
        ours.tests.look()
        if len(ours.said_tests()) > before:
            times.append(ours.now_s % 86_400.0)
    assert len(times) == 2
    for at_s, wanted_s in zip(sorted(times), Timing().test_s, strict=True):
        assert wanted_s <= at_s < wanted_s + 901


def test_what_was_missed_while_the_node_was_off_is_made_up_for_once(nodes):
    ours, _ = nodes
    ours.tests.look()
    ours.now_s += 5 * 86_400.0
    ours.tests = ours.made_tests()
    for _ in range(3):
        ours.tests.look()
    assert len(ours.said_tests()) == 1
    assert ours.tests.look() <= next_test_s(ours.now_s)


def test_only_who_may_begins_one_and_only_where_there_is_somebody(nodes, tmp_path):
    ours, _ = nodes
    with pytest.raises(NotAllowedError):
        ours.tests.begin(LINE, by=Actor("filer", frozenset()))
    alone = Testing(tmp_path / "UN", "UN")
    alone.lines.new("south", line="south", by=OPERATOR)
    with pytest.raises(InputError):
        alone.tests.begin("south", by=OPERATOR)
    alone.tests.look()
    alone.now_s += 86_400.0
    alone.tests.look()
    alone.close()


def test_the_thread_gives_back_what_comes(nodes):
    ours, theirs = nodes
    theirs.tests.start()
    try:
        ours.tests.begin(LINE)
        carry(ours, theirs, LINE)
        theirs.bell.ring("came", "body")
        until(theirs.said_tests)
    finally:
        theirs.tests.stop()
