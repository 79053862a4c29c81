"""Reading a thread out of a conversation: which answers count, what is owed, and how far a filing has come."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from keepclear.line.conversation import Conversation
from keepclear.line.deadlines import SATISFIED_BY, Clock, MessageClass, Owed, Rule, due_s
from keepclear.line.operation_states import OperationEvent, OperationState, state_after
from keepclear.line.read_back import Comparison, Outcome, compare
from keepclear.line.said import Said
from keepclear.line.threads import (
    Advised,
    AdvisoryStatus,
    Given,
    Oddity,
    Owing,
    Searched,
    Standing,
    Thread,
    Void,
)
from keepclear.model.findings import Answer
from keepclear.record.bodies.talk import AnswerGiven
from keepclear.record.entries import EntryRef
from keepclear.record.entry_types import EntryType

__all__ = ["read_thread"]

_CANNOT = frozenset({AnswerGiven.UNABLE, AnswerGiven.NOT_OURS})
_FOUND = {Answer.CONFLICT: OperationEvent.CONFLICT, Answer.POSSIBLE: OperationEvent.POSSIBLE}
_WITHOUT_END = math.inf
_FIRST, _FULL, _REPLY = "first", "full", "reply"
_BY_ITS_AUTHOR = frozenset({Owed.FIRST_REPORT, Owed.FULL_REPORT})
_CLASSES: Mapping[str, MessageClass] = {
    EntryType.LINE_TEST: MessageClass.LINE_TEST,
    EntryType.TERM_QUERY: MessageClass.TERM_QUERY,
    EntryType.INCIDENT: MessageClass.INCIDENT,
}
_AMENDED = frozenset({EntryType.OPERATION, EntryType.ZONE, EntryType.JOINT_PLAN, EntryType.INCIDENT})
"""Types of which a later entry may take the place of an earlier one."""


def read_thread(talk: Conversation, said: Said, at_s: float) -> Thread:
    """The thread of an entry at that time."""
    return _Reading(talk, said).thread(at_s)


class _Reading:
    """One entry, and what of the conversation concerns it."""

    def __init__(self, talk: Conversation, said: Said) -> None:
        self.talk = talk
        self.said = said
        self.about = tuple(talk.about(said.ref))
        self.amendment = _amendment(talk, said)
        self.cancellation = _cancellation(talk, said)

    def thread(self, at_s: float) -> Thread:
        said, talk = self.said, self.talk
        answers = tuple(self._answers())
        standings = tuple(self._standing(party, answers) for party in sorted(said.recipients))
        advised = tuple(self._advised()) if said.is_filing else ()
        return Thread(
            ref=said.ref,
            party=said.party,
            type=said.type,
            exercise=said.exercise,
            problem=said.problem,
            kept_s=said.kept_s,
            counts_from_s=talk.counts_from_s(said),
            start_s=said.start_s,
            end_s=said.end_s,
            state=self._state(standings, advised, at_s) if said.is_filing else None,
            standings=standings,
            supersedes=self._superseded(),
            superseded_by=None if self.amendment is None else self.amendment.ref,
            cancelled_by=None if self.cancellation is None else self.cancellation.ref,
            advised=advised,
            searched=talk.searched(said.ref),
            strangers=tuple(one for one in answers if one.party not in said.recipients),
            odd=tuple(self._odd()),
            own=tuple(self._own()),
        )

    def _own(self) -> Iterator[Owing]:
        """What its author owes: the full report, once it has told of an incident at all."""
        said = self.said
        if said.type != EntryType.INCIDENT or said.stage != _FIRST or self.cancellation is not None:
            return
        for rule in self.talk.deadlines.rules[MessageClass.INCIDENT]:
            by_s = due_s(rule, said.kept_s, start_s=None)
            if rule.owed is Owed.FULL_REPORT and by_s is not None:
                later_s = None if self.amendment is None else self.talk.when_s(self.amendment)
                is_full = self.amendment is not None and self.amendment.stage == _FULL
                met_s, ceased_s = (later_s, None) if is_full else (None, later_s)
                row = (MessageClass.INCIDENT, rule.owed, said.kept_s, by_s, met_s, ceased_s)
                yield Owing(said.ref, said.party, said.party, *row)

    def _superseded(self) -> EntryRef | None:
        before = None if self.said.supersedes is None else self.talk.said(self.said.supersedes)
        effective = before is not None and _amendment(self.talk, before) == self.said
        return self.said.supersedes if effective else None

    def _answers(self) -> Iterator[Given]:
        told: set[tuple[object, ...]] = set()
        for one in self.about:
            if one.given is None:
                continue
            # The same words again; what a read-back says is in its numbers.
            words = (one.party, one.given, one.unit, one.reason, one.read_back)
            compared = self._compared(one)
            void = self._void(one, compared)
            at_s = self.talk.when_s(one)
            repeats = words in told
            told.add(words)
            yield Given(one.ref, one.party, one.given, at_s, one.unit, one.reason, compared, void, repeats)

    def _compared(self, answer: Said) -> Comparison | None:
        if answer.read_back is None or self.said.place is None:
            return None
        return compare(self.said.place, answer.read_back, tolerance=self.talk.tolerance)

    def _void(self, answer: Said, compared: Comparison | None) -> Void | None:
        if answer.party not in self.said.recipients:
            return Void.NOT_ADDRESSED
        if answer.exercise != self.said.exercise:
            return Void.EXERCISE
        if _cancellation(self.talk, answer) is not None:
            return Void.WITHDRAWN
        if self.amendment is not None:
            return Void.AMENDED
        if compared is not None and not compared.agrees:
            return Void.TOO_COARSE if compared.outcome is Outcome.TOO_COARSE else Void.DIFFERS
        return None

    def _standing(self, party: str, answers: tuple[Given, ...]) -> Standing:
        received_s = self.talk.received_s(self.said, party)
        refusals = [one for one in self.about if one.party == party and one.type == EntryType.REFUSED]
        own = tuple(one for one in answers if one.party == party)
        owed = tuple(self._owed(party, received_s, own, refusals))
        return Standing(party, received_s, refusals[0].guard if refusals else "", own, owed)

    def _owed(
        self, party: str, received_s: float | None, answers: tuple[Given, ...], refusals: list[Said]
    ) -> Iterator[Owing]:
        said, deadlines = self.said, self.talk.deadlines
        message_class, start_s = self._class(received_s)
        ceased_s = min([*self._ceased(), *(self.talk.when_s(one) for one in refusals)], default=None)
        receipt_s = due_s(deadlines.receipt, said.kept_s, start_s=None)
        if receipt_s is not None:
            row = (message_class, Owed.RECEIPT, said.kept_s, receipt_s, received_s)
            yield Owing(said.ref, said.party, party, *row, ceased_s)
        unable_s = min((one.at_s for one in answers if one.void is None and one.answer in _CANNOT), default=None)
        for rule in () if message_class is None else deadlines.rules[message_class]:
            if rule.owed in _BY_ITS_AUTHOR:
                continue
            from_s = said.kept_s if rule.clock is Clock.KEPT else received_s
            by_s = None if from_s is None else due_s(rule, from_s, start_s=start_s)
            if from_s is not None and by_s is not None:
                row = (message_class, rule.owed, from_s, by_s, self._met_s(rule, answers, party))
                yield Owing(said.ref, said.party, party, *row, ceased_s, unable_s)

    def _met_s(self, rule: Rule, answers: tuple[Given, ...], party: str) -> float | None:
        nothing_to_read_back = rule.owed is Owed.READ_BACK and self.said.place is None
        enough = SATISFIED_BY[Owed.ANSWER if nothing_to_read_back else rule.owed]
        given = [one.at_s for one in answers if one.void is None and one.answer in enough]
        if rule.owed is Owed.REPLY:
            given += self._replied(party)
        return min(given, default=None)

    def _replied(self, party: str) -> Iterator[float]:
        """When a party said something about it in an entry of its own: a message, or its own report."""
        replies = {EntryType.MESSAGE, self.said.type}
        for one in self.about:
            its_own = one.party == party and one.type in replies and one.exercise == self.said.exercise
            if its_own and self.said.ref in one.about and _cancellation(self.talk, one) is None:
                yield self.talk.when_s(one)

    def _ceased(self) -> Iterator[float]:
        for one in (self.amendment, self.cancellation):
            if one is not None:
                yield self.talk.when_s(one)
        if self.said.is_filing and self.said.end_s is not None:
            yield self.said.end_s
        # An advisory of a filing that is no more, or is another now, asks for nothing: a new search says anew.
        for filing in map(self.talk.said, self.said.about) if self.said.found is not None else ():
            for change in () if filing is None else (_amendment(self.talk, filing), _cancellation(self.talk, filing)):
                if change is not None:
                    yield self.talk.when_s(change)

    def _class(self, received_s: float | None) -> tuple[MessageClass | None, float | None]:
        """What sort of thing it is for an addressee that has had it since then, and when what it is about starts."""
        said, deadlines = self.said, self.talk.deadlines
        known_s = said.kept_s if received_s is None else received_s
        if said.problem:
            return None, None
        if said.priority is not None:
            return deadlines.class_of_priority(said.priority), None
        if said.found is not None:
            return MessageClass.CONFLICT_ADVISORY, said.start_s
        if said.type in _CLASSES:
            return self._class_of_type(said), None
        if said.is_filing:
            return self._class_of_filing(said, known_s), said.start_s
        if said.type == EntryType.CANCEL:
            cancelled = self.talk.said(said.about[0])
            if cancelled is None or not cancelled.is_filing or cancelled.problem:
                return MessageClass.SHORT, None
            return self._class_of_filing(cancelled, known_s), None
        return None, None

    def _class_of_type(self, said: Said) -> MessageClass | None:
        if said.type == EntryType.TERM_QUERY:
            return MessageClass.URGENT_TERM_QUERY if said.urgent else MessageClass.TERM_QUERY
        # A reply to a report asks for none: else each would ask for the next.
        return None if said.stage == _REPLY else _CLASSES[said.type]

    def _class_of_filing(self, filing: Said, known_s: float) -> MessageClass:
        if filing.always:
            return MessageClass.ROUTINE
        return self.talk.deadlines.class_of_lead(None if filing.start_s is None else filing.start_s - known_s)

    def _advised(self) -> Iterator[Advised]:
        for one in self.about:
            if one.found is not None and one.exercise == self.said.exercise:
                status, status_s, accepted_by = self._status(one)
                found_s = self.talk.when_s(one)
                since_s = max(found_s, status_s)
                yield Advised(one.ref, one.party, one.about, one.found, found_s, status, since_s, accepted_by)

    def _status(self, advisory: Said) -> tuple[AdvisoryStatus, float, tuple[str, ...]]:
        """How an advisory stands for this filing, since when, and who has accepted it."""
        talk = self.talk
        accepted = _accepted(talk, advisory)
        withdrawn = _cancellation(talk, advisory)
        filings = [talk.said(ref) for ref in advisory.about]
        ended = [withdrawn] + [_cancellation(talk, one) for one in filings if one is not None]
        ended_s = min((talk.when_s(one) for one in ended if one is not None), default=None)
        if ended_s is not None:
            return AdvisoryStatus.RESOLVED, ended_s, tuple(sorted(accepted))
        amended = [_amendment(talk, one) for one in filings if one is not None]
        amended_s = max((one.kept_s for one in amended if one is not None), default=None)
        if amended_s is not None:
            searched = talk.searched(self.said.ref)
            if searched is not None and searched.at_s >= amended_s and searched.answer is Answer.CLEAR:
                return AdvisoryStatus.RESOLVED, searched.at_s, tuple(sorted(accepted))
            return AdvisoryStatus.TO_BE_SEARCHED, amended_s, tuple(sorted(accepted))
        concerned = {advisory.party, *(None if one is None else one.party for one in filings)}
        if concerned <= accepted.keys():
            return AdvisoryStatus.ACCEPTED, max(accepted.values()), tuple(sorted(accepted))
        return AdvisoryStatus.STANDING, talk.when_s(advisory), tuple(sorted(accepted))

    def _state(self, standings: tuple[Standing, ...], advised: tuple[Advised, ...], at_s: float) -> OperationState:
        said = self.said
        acknowledged_s = _all_by(one.seen_s for one in standings)
        happened = [(said.kept_s, OperationEvent.FILED), *self._findings(advised, acknowledged_s)]
        moments = (
            (OperationEvent.DELIVERED, _all_by(one.received_s for one in standings)),
            (OperationEvent.ACKNOWLEDGED, acknowledged_s),
            (OperationEvent.STARTED, said.start_s),
            (OperationEvent.ENDED, said.end_s),
            (OperationEvent.AMENDED, None if self.amendment is None else self.talk.when_s(self.amendment)),
            (OperationEvent.CANCELLED, None if self.cancellation is None else self.talk.when_s(self.cancellation)),
        )
        happened += [(moment_s, event) for event, moment_s in moments if moment_s is not None]
        known = {OperationEvent.STARTED, OperationEvent.ENDED}  # what is foreseen has not happened yet
        return state_after(one for one in happened if one[1] not in known or one[0] <= at_s)

    def _findings(
        self, advised: tuple[Advised, ...], acknowledged_s: float | None
    ) -> Iterator[tuple[float, OperationEvent]]:
        """What was found, and at the end what all of it comes to."""
        searched = self.talk.searched(self.said.ref)
        found = [(one.at_s, _FOUND[one.found]) for one in advised]
        if searched is not None and searched.answer in _FOUND:
            found.append((searched.at_s, _FOUND[searched.answer]))
        yield from found
        outcome = _outcome(advised, searched)
        if outcome is not None:
            moments = [at_s for at_s, _ in found] + [one.status_s for one in advised]
            if searched is not None:
                moments.append(searched.at_s)
            if outcome is OperationEvent.NO_CONFLICT_FOUND and acknowledged_s is not None:
                moments.append(acknowledged_s)
            yield max(moments), outcome

    def _odd(self) -> Iterator[Oddity]:
        for one in self.about:
            if one.supersedes == self.said.ref and (self.amendment is None or one.ref != self.amendment.ref):
                yield Oddity(one.ref, _why_not(self.said, one, amended=self.amendment is not None))
            elif one.type == EntryType.CANCEL and (self.cancellation is None or one.ref != self.cancellation.ref):
                why = "cancelled before" if self.cancellation is not None else _why_not(self.said, one, amended=False)
                yield Oddity(one.ref, why)
            elif one.type == EntryType.CANCEL and self.amendment is not None:
                yield Oddity(one.ref, "it cancels a version that was amended: the amendment stands")
            elif one.found is not None and not self._is_concerned(one):
                yield Oddity(one.ref, "an advisory of a party that has no part in it")

    def _is_concerned(self, advisory: Said) -> bool:
        filings = [self.talk.said(ref) for ref in advisory.about]
        return any(one is None or one.party == advisory.party for one in filings)


def _amendment(talk: Conversation, said: Said) -> Said | None:
    """The entry that takes the place of this one: the first that may."""
    if said.type not in _AMENDED:
        return None
    found = [one for one in talk.about(said.ref) if one.supersedes == said.ref and _may_change(said, one)]
    return min(found, key=lambda one: one.order, default=None)


def _cancellation(talk: Conversation, said: Said) -> Said | None:
    """The entry by which this one no longer stands: the first that may say so."""
    if said.type == EntryType.CANCEL:  # what was cancelled does not come back
        return None
    found = [one for one in talk.about(said.ref) if one.type == EntryType.CANCEL and _may_change(said, one)]
    return min(found, key=lambda one: one.order, default=None)


def _may_change(said: Said, by: Said) -> bool:
    same_type = by.type in {EntryType.CANCEL, said.type}
    return by.party == said.party and by.order > said.order and by.exercise == said.exercise and same_type


def _why_not(said: Said, by: Said, *, amended: bool) -> str:
    if by.party != said.party:
        return "of another party: nobody changes another's entry"
    if by.exercise != said.exercise:
        return "said in an exercise of what is none, or the other way round"
    if by.type not in {EntryType.CANCEL, said.type}:
        return f"of another type: {by.type} for {said.type}"
    if said.type == EntryType.CANCEL:
        return "what was cancelled does not come back"
    return "amended before by another entry: both of them stand" if amended else "said before what it is about"


def _accepted(talk: Conversation, advisory: Said) -> dict[str, float]:
    """Which parties have accepted an advised risk, and since when."""
    found: dict[str, float] = {}
    for one in talk.about(advisory.ref):
        if one.type == EntryType.ACCEPTED_RISK and one.exercise == advisory.exercise and not _cancellation(talk, one):
            found[one.party] = min(talk.when_s(one), found.get(one.party, _WITHOUT_END))
    return found


def _outcome(advised: tuple[Advised, ...], searched: Searched | None) -> OperationEvent | None:
    """What all findings come to: the gravest that is open; None if nobody has found or searched anything."""
    outcomes = {_come_to(one) for one in advised}
    if searched is not None:
        outcomes.add(_searched(searched, advised))
    gravest_first = (
        OperationEvent.CONFLICT,
        OperationEvent.POSSIBLE,
        OperationEvent.RISK_ACCEPTED,
        OperationEvent.RESOLVED,
        OperationEvent.NO_CONFLICT_FOUND,
    )
    return next((one for one in gravest_first if one in outcomes), None)


def _come_to(advised: Advised) -> OperationEvent:
    if advised.status is AdvisoryStatus.STANDING:
        return _FOUND[advised.found]
    if advised.status is AdvisoryStatus.TO_BE_SEARCHED:
        return OperationEvent.POSSIBLE
    return OperationEvent.RISK_ACCEPTED if advised.status is AdvisoryStatus.ACCEPTED else OperationEvent.RESOLVED


def _searched(searched: Searched, advised: tuple[Advised, ...]) -> OperationEvent:
    if searched.answer is Answer.CLEAR:
        return OperationEvent.NO_CONFLICT_FOUND
    accepted = {ref for one in advised if one.status is AdvisoryStatus.ACCEPTED for ref in one.about}
    known = bool(searched.against) and accepted.issuperset(searched.against)
    return OperationEvent.RISK_ACCEPTED if known else _FOUND[searched.answer]


def _all_by(moments: Iterator[float | None]) -> float | None:
    """When the last of all had happened; None if one has not, or there is none."""
    known = list(moments)
    given = [one for one in known if one is not None]
    return max(given) if given and len(given) == len(known) else None
