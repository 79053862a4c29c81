"""What is owed by when: the deadlines of a line as a table, which an agreement may change.

A clock starts with what somebody other than the author shows: the addressee's receipt, which is its own cosignature or,
on the addressee's own node, the moment the entry was stored. The author's clock starts nothing. Two things cannot wait
for a receipt: the receipt itself, and FLASH; theirs start when the entry was in the store of the node that counts.

That something is owed and was not given is a reason to call again, and proves nothing against anybody.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from keepclear.errors import Fault, InputError
from keepclear.record.bodies.talk import AnswerGiven, Priority

__all__ = [
    "DEFAULT_DEADLINES",
    "SATISFIED_BY",
    "Clock",
    "Deadlines",
    "MessageClass",
    "Owed",
    "Rule",
    "due_s",
]

_MIN_S, _HOUR_S, _DAY_S = 60.0, 3_600.0, 86_400.0


class MessageClass(StrEnum):
    """What sort of thing is to be answered."""

    ROUTINE = "routine"
    SHORT = "short"
    IMMEDIATE = "immediate"
    FLASH = "flash"
    CONFLICT_ADVISORY = "conflict advisory"
    LINE_TEST = "line test"
    INCIDENT = "incident"
    TERM_QUERY = "term query"
    URGENT_TERM_QUERY = "urgent term query"


class Owed(StrEnum):
    """What is to be given. Each is a different thing, and none of them is an approval."""

    RECEIPT = "receipt"
    """The machine has it: by itself, no person has seen anything."""
    SEEN = "seen"
    """A person has seen it: any answer of a person says so."""
    READ_BACK = "read back"
    """Place and time, entered anew, agree; any person's answer where there is no place."""
    ANSWER = "answer"
    """Any answer of a person."""
    ABLE = "someone able to act"
    """Someone who can act has it: it was relayed to a unit, or concurred in."""
    RELAYED = "relayed"
    """The unit was told. Nothing asks for it by default; an agreement may."""
    FIRST_REPORT = "first report"
    FULL_REPORT = "full report"
    REPLY = "reply"


_ANY = frozenset(AnswerGiven)

SATISFIED_BY: Mapping[Owed, frozenset[AnswerGiven]] = MappingProxyType(
    {
        Owed.RECEIPT: frozenset(),
        Owed.SEEN: _ANY,
        Owed.READ_BACK: frozenset({AnswerGiven.READ_BACK}),
        Owed.ANSWER: _ANY,
        # Neither UNABLE nor NOT_OURS helps those who are being hit: the search for someone who can act goes on.
        Owed.ABLE: frozenset({AnswerGiven.RELAYED, AnswerGiven.CONCUR}),
        Owed.RELAYED: frozenset({AnswerGiven.RELAYED}),
        Owed.FIRST_REPORT: frozenset(),  # entries of their own, not answers
        Owed.FULL_REPORT: frozenset(),
        Owed.REPLY: frozenset({AnswerGiven.CONCUR, AnswerGiven.OBJECT, AnswerGiven.NOT_OURS, AnswerGiven.UNABLE}),
    }
)
"""Which answers give what is owed; a read-back that does not agree gives nothing."""


class Clock(StrEnum):
    """From which moment the seconds run."""

    RECEIVED = "when the addressee had it"
    KEPT = "when our node had it"


@dataclass(frozen=True, slots=True)
class Rule:
    """What is owed, and by when: so long after the clock started, or so long before the start, the earlier of both.

    Attributes
    ----------
    owed
        What.
    within_s
        Seconds after the clock started; None if only the start counts.
    before_start_s
        Seconds before the operation, or the conflict, starts; None if that does not count. A moment that has passed
        when the clock starts does not count either.
    clock
        From when the seconds run.

    Raises
    ------
    InputError
        If neither says by when, or one of them is negative or no number.
    """

    owed: Owed
    within_s: float | None = None
    before_start_s: float | None = None
    clock: Clock = Clock.RECEIVED

    def __post_init__(self) -> None:
        given = {"within_s": self.within_s, "before_start_s": self.before_start_s}
        if all(value is None for value in given.values()):
            raise InputError(Fault("no deadline", "within_s, before_start_s or both", field="within_s"))
        wrong = [name for name, value in given.items() if value is not None and not 0.0 <= value < math.inf]
        if wrong:
            raise InputError([Fault("not a deadline", "seconds, 0 or more", field=name) for name in wrong])


def due_s(rule: Rule, from_s: float, *, start_s: float | None) -> float | None:
    """When it is due, seconds since the epoch; None where a rule hangs on a start that is not known or has passed.

    Parameters
    ----------
    from_s
        When the rule's clock started.
    start_s
        When the operation or the conflict starts; None if that is not known.
    """
    found = [] if rule.within_s is None else [from_s + rule.within_s]
    if rule.before_start_s is not None and start_s is not None and start_s - rule.before_start_s > from_s:
        found.append(start_s - rule.before_start_s)
    return min(found, default=None)


_RULES: Mapping[MessageClass, tuple[Rule, ...]] = MappingProxyType(
    {
        MessageClass.ROUTINE: (Rule(Owed.SEEN, 12 * _HOUR_S), Rule(Owed.READ_BACK, before_start_s=24 * _HOUR_S)),
        MessageClass.SHORT: (Rule(Owed.SEEN, 30 * _MIN_S),),
        MessageClass.IMMEDIATE: (Rule(Owed.READ_BACK, 5 * _MIN_S),),
        MessageClass.FLASH: (
            Rule(Owed.ANSWER, 60.0, clock=Clock.KEPT),
            Rule(Owed.ABLE, 120.0, clock=Clock.KEPT),
        ),
        MessageClass.CONFLICT_ADVISORY: (Rule(Owed.ANSWER, 15 * _MIN_S, before_start_s=2 * _HOUR_S),),
        MessageClass.LINE_TEST: (),  # given back by an entry of its own: see `keepclear.line.channel`
        MessageClass.INCIDENT: (
            Rule(Owed.FIRST_REPORT, _HOUR_S, clock=Clock.KEPT),
            Rule(Owed.FULL_REPORT, _DAY_S, clock=Clock.KEPT),
            Rule(Owed.REPLY, 2 * _DAY_S),
        ),
        MessageClass.TERM_QUERY: (Rule(Owed.REPLY, 7 * _DAY_S),),
        MessageClass.URGENT_TERM_QUERY: (Rule(Owed.REPLY, 2 * _DAY_S),),
    }
)


@dataclass(frozen=True, slots=True)
class Deadlines:
    """The deadlines of a line.

    Attributes
    ----------
    rules
        For each class of message, what is owed.
    receipt
        What is owed for everything, while the channel is up.
    routine_lead_s
        A filing known to the addressee so long before it starts, or longer, is ROUTINE.
    short_lead_s
        So long before, or longer, and less than that: SHORT. Less: IMMEDIATE.

    Raises
    ------
    InputError
        If a class has no rules, or the lead times are out of order.
    """

    rules: Mapping[MessageClass, tuple[Rule, ...]] = field(default_factory=lambda: _RULES)
    receipt: Rule = Rule(Owed.RECEIPT, 5.0, clock=Clock.KEPT)
    routine_lead_s: float = 48 * _HOUR_S
    short_lead_s: float = 2 * _HOUR_S

    def __post_init__(self) -> None:
        right = "one or more, or an empty list"
        missing = [one for one in MessageClass if one not in self.rules]
        faults = [Fault("no rules for a class of message", right, value=one) for one in missing]
        if not 0.0 <= self.short_lead_s <= self.routine_lead_s < math.inf:
            right = "0 or more, and routine_lead_s not less than short_lead_s"
            faults.append(Fault("lead times out of order", right, field="short_lead_s", value=str(self.short_lead_s)))
        if faults:
            raise InputError(faults)
        object.__setattr__(self, "rules", MappingProxyType(dict(self.rules)))

    def agreed(self, rules: Mapping[MessageClass, Iterable[Rule]]) -> Deadlines:
        """These deadlines, but for the classes that an agreement has rules for: all rules of such a class are its."""
        changed = {one: tuple(these) for one, these in rules.items()}
        return Deadlines({**self.rules, **changed}, self.receipt, self.routine_lead_s, self.short_lead_s)

    def class_of_lead(self, lead_s: float | None) -> MessageClass:
        """The class of a filing by its lead time.

        Parameters
        ----------
        lead_s
            Seconds from when the addressee had it until it starts, negative if it had started; None if it is not known
            when it starts, and then it may be under way: IMMEDIATE.
        """
        if lead_s is None or lead_s < self.short_lead_s:
            return MessageClass.IMMEDIATE
        return MessageClass.ROUTINE if lead_s >= self.routine_lead_s else MessageClass.SHORT

    @staticmethod
    def class_of_priority(priority: Priority) -> MessageClass:
        """The class of a message: the one of the same name."""
        return MessageClass(priority.value)


DEFAULT_DEADLINES = Deadlines()
