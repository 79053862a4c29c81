"""Deadlines: the table of the domain, line by line, and what an agreement may change."""

from __future__ import annotations

import math

import pytest

from keepclear.errors import InputError
from keepclear.line.deadlines import (
    DEFAULT_DEADLINES,
    SATISFIED_BY,
    Clock,
    Deadlines,
    MessageClass,
    Owed,
    Rule,
    due_s,
)
from keepclear.record.bodies.talk import AnswerGiven, Priority

HOUR, DAY = 3_600.0, 86_400.0


def table(message_class, *, from_s=0.0, start_s=None):
    rules = DEFAULT_DEADLINES.rules[message_class]
    return {rule.owed: due_s(rule, from_s, start_s=start_s) for rule in rules}


@pytest.mark.parametrize(
    ("message_class", "start_s", "wanted"),
    [
        (MessageClass.ROUTINE, 72 * HOUR, {Owed.SEEN: 12 * HOUR, Owed.READ_BACK: 48 * HOUR}),
        (MessageClass.ROUTINE, None, {Owed.SEEN: 12 * HOUR, Owed.READ_BACK: None}),
        (MessageClass.SHORT, 3 * HOUR, {Owed.SEEN: 1_800.0}),
        (MessageClass.IMMEDIATE, HOUR, {Owed.READ_BACK: 300.0}),
        (MessageClass.FLASH, None, {Owed.ANSWER: 60.0, Owed.ABLE: 120.0}),
        (MessageClass.CONFLICT_ADVISORY, None, {Owed.ANSWER: 900.0}),
        (MessageClass.CONFLICT_ADVISORY, 5 * HOUR, {Owed.ANSWER: 900.0}),
        (MessageClass.CONFLICT_ADVISORY, 2 * HOUR + 300.0, {Owed.ANSWER: 300.0}),  # T-2 h ahead, and earlier
        (MessageClass.CONFLICT_ADVISORY, 2 * HOUR - 1.0, {Owed.ANSWER: 900.0}),  # T-2 h has passed
        (MessageClass.INCIDENT, None, {Owed.FIRST_REPORT: HOUR, Owed.FULL_REPORT: DAY, Owed.REPLY: 2 * DAY}),
        (MessageClass.TERM_QUERY, None, {Owed.REPLY: 7 * DAY}),
        (MessageClass.URGENT_TERM_QUERY, None, {Owed.REPLY: 2 * DAY}),
        (MessageClass.LINE_TEST, None, {}),
    ],
)
def test_the_table_of_the_domain(message_class, start_s, wanted):
    assert table(message_class, start_s=start_s) == wanted


def test_everything_is_receipted_within_five_seconds():
    assert due_s(DEFAULT_DEADLINES.receipt, 100.0, start_s=None) == 105.0


@pytest.mark.parametrize(
    ("lead_s", "wanted"),
    [
        (48 * HOUR, MessageClass.ROUTINE),
        (48 * HOUR - 0.001, MessageClass.SHORT),
        (2 * HOUR, MessageClass.SHORT),
        (2 * HOUR - 0.001, MessageClass.IMMEDIATE),
        (0.0, MessageClass.IMMEDIATE),
        (-HOUR, MessageClass.IMMEDIATE),
        (-math.inf, MessageClass.IMMEDIATE),
        (None, MessageClass.IMMEDIATE),
    ],
)
def test_the_class_of_a_filing_is_its_lead(lead_s, wanted):
    assert DEFAULT_DEADLINES.class_of_lead(lead_s) is wanted


def test_every_priority_has_a_class_and_every_class_rules():
    for priority in Priority:
        assert DEFAULT_DEADLINES.class_of_priority(priority).value == priority.value
    assert set(DEFAULT_DEADLINES.rules) == set(MessageClass)
    assert set(SATISFIED_BY) == set(Owed)


def test_only_flash_receipts_and_reports_run_from_our_own_store():
    early = {one for one, rules in DEFAULT_DEADLINES.rules.items() if any(rule.clock is Clock.KEPT for rule in rules)}
    assert early == {MessageClass.FLASH, MessageClass.INCIDENT}


def test_neither_cannot_nor_not_ours_is_someone_able_to_act():
    assert SATISFIED_BY[Owed.ABLE] == {AnswerGiven.RELAYED, AnswerGiven.CONCUR}
    assert SATISFIED_BY[Owed.ANSWER] == set(AnswerGiven)
    assert SATISFIED_BY[Owed.READ_BACK] == {AnswerGiven.READ_BACK}, "to have seen it is not to have read it back"


def test_an_agreement_changes_its_classes_and_no_others():
    agreed = DEFAULT_DEADLINES.agreed({MessageClass.SHORT: [Rule(Owed.READ_BACK, 600.0), Rule(Owed.RELAYED, 1_200.0)]})
    assert [one.owed for one in agreed.rules[MessageClass.SHORT]] == [Owed.READ_BACK, Owed.RELAYED]
    for other in set(MessageClass) - {MessageClass.SHORT}:
        assert agreed.rules[other] == DEFAULT_DEADLINES.rules[other]
    assert [one.owed for one in DEFAULT_DEADLINES.rules[MessageClass.SHORT]] == [Owed.SEEN]


@pytest.mark.parametrize(
    "make",
    [
        lambda: Rule(Owed.SEEN),
        lambda: Rule(Owed.SEEN, -1.0),
        lambda: Rule(Owed.SEEN, math.nan),
        lambda: Rule(Owed.SEEN, before_start_s=math.inf),
        lambda: Deadlines({}),
        lambda: Deadlines(routine_lead_s=1.0),
    ],
)
def test_what_is_no_deadline_is_refused(make):
    with pytest.raises(InputError):
        make()
