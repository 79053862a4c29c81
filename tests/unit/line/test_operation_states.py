"""The states of a filing: every event in every state, and no way that leads to good news too early."""

from __future__ import annotations

import itertools

import pytest

from keepclear.line.operation_states import OPERATION_TRANSITIONS, OperationEvent, OperationState, state_after

LAST = {OperationState.SUPERSEDED, OperationState.CANCELLED, OperationState.ABORTED, OperationState.EXPIRED}
GOOD = {OperationState.NO_CONFLICT_FOUND, OperationState.RESOLVED, OperationState.ACCEPTED_RISK}


@pytest.mark.parametrize(("state", "event"), list(itertools.product(OperationState, OperationEvent)))
def test_every_event_in_every_state(state, event):
    after = OPERATION_TRANSITIONS.get((state, event), state)
    if state in LAST:
        assert after is state, "what is over is over"
    if state is OperationState.DRAFT:
        assert (after is OperationState.FILED) == (event is OperationEvent.FILED)
    elif event in {OperationEvent.CONFLICT, OperationEvent.POSSIBLE} and state not in {*LAST, OperationState.ACTIVE}:
        assert after.value == event.value, "bad news is taken in every state before it begins"
    if after is OperationState.NO_CONFLICT_FOUND and after is not state:
        assert state is OperationState.ACKNOWLEDGED
    if after in {OperationState.RESOLVED, OperationState.ACCEPTED_RISK} and after is not state:
        assert state in {OperationState.CONFLICT, OperationState.POSSIBLE}
    if event is OperationEvent.ENDED and state is not OperationState.DRAFT:
        assert after in LAST


def test_every_state_can_be_reached_and_every_event_does_something():
    reached, waiting = {OperationState.DRAFT}, [OperationState.DRAFT]
    while waiting:
        here = waiting.pop()
        for (state, _), after in OPERATION_TRANSITIONS.items():
            if state is here and after not in reached:
                reached.add(after)
                waiting.append(after)
    assert reached == set(OperationState)
    assert {event for _, event in OPERATION_TRANSITIONS} == set(OperationEvent)


def test_the_order_in_which_events_are_given_does_not_matter():
    happened = [
        (0.0, OperationEvent.FILED),
        (1.0, OperationEvent.DELIVERED),
        (1.0, OperationEvent.ACKNOWLEDGED),
        (1.0, OperationEvent.NO_CONFLICT_FOUND),
        (-5.0, OperationEvent.STARTED),
        (9.0, OperationEvent.CANCELLED),
    ]
    for count in range(1, len(happened) + 1):
        answers = {state_after(one) for one in itertools.permutations(happened[:count])}
        assert len(answers) == 1
    assert state_after(happened[:4]) is OperationState.NO_CONFLICT_FOUND
    assert state_after(happened) is OperationState.ABORTED


def test_what_is_not_acknowledged_is_never_called_free_of_conflicts():
    for events in itertools.permutations([one for one in OperationEvent if one is not OperationEvent.ACKNOWLEDGED], 4):
        happened = [(float(n), event) for n, event in enumerate(events)]
        assert state_after(happened) is not OperationState.NO_CONFLICT_FOUND
