"""Proposals: the smallest changes by which either side of a conflict would part from the other.

Every amount that is tried makes a whole new plan, which is judged against everything known by the exact tests. It
works if the pair is parted altogether and nothing else is worse than it was: what was clear is not possible, what was
possible is not a conflict. Amounts are tried on a ladder from small to large; between the first that works and the
last that does not, the smallest that works is found by halving. A smaller one may be missed where what works is
narrower than a rung. A window or an area that the check was limited to is no limit here.

Cost is in seconds: what a change costs the one who makes it, so that changes can be compared.

- ``delay``: its seconds. ``earlier``: 1.5 times its seconds, for it leaves less time to prepare.
- ``level``: to climb and come back at 5 m/s, and 60 s.
- ``shift``: to go there and back at its usual speed, and 120 s, for the whole plan is drawn anew.
- ``detour``: the way that is longer at its usual speed, and 60 s.

Whether there is time left for a change is not looked at: this knows no now.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from keepclear.model.findings import Answer, Conflict, Proposal, Side
from keepclear.model.heights import HeightReference
from keepclear.model.kinds import SURFACE
from keepclear.model.operations import Operation
from keepclear.separation.changes import (
    Impossible,
    changed,
    detour_times,
    path_m,
    side_bearing_deg,
    start_of,
    usual_speed_m_s,
)
from keepclear.separation.known import Key, Known
from keepclear.separation.sentences import metres, time_of_day, who
from keepclear.separation.world import World
from keepclear.units import feet_to_metres, metres_to_feet

__all__ = ["proposals_for", "with_proposals"]

_MINUTE_S = 60.0
_DELAYS_S = (
    1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 45.0,
    *(_MINUTE_S * n for n in (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 75, 90, 105, 120)),
    *(3600.0 * n for n in (2.5, 3, 3.5, 4, 5, 6, 8, 10, 12, 18, 24)),
)  # fmt: skip
_SIDEWAYS_M = (
    10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 640.0, 1e3, 1.5e3, 2.2e3, 3.3e3, 5e3, 7.5e3, 11e3, 16e3, 24e3, 36e3, 50e3
)  # fmt: skip
_HEIGHTS_M = (10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 480.0, 640.0, 1e3, 1.5e3, 2.2e3, 3.3e3, 5e3)
_LEVEL_M = feet_to_metres(500.0)
_LEVELS_M = tuple(_LEVEL_M * n for n in (1, 2, 3, 4, 6, 8, 10, 14, 20, 30))
_RANK = {Answer.CLEAR: 0, Answer.POSSIBLE: 1, Answer.CONFLICT: 2}
_WINDS = ("north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west")
_IN_GENERAL = {
    "delay": "starts later",
    "earlier": "starts earlier",
    "level": "changes its level",
    "shift": "moves to the side as a whole",
    "detour": "goes round",
}


@dataclass(frozen=True, slots=True)
class _Question:
    """One side of one conflict, which may change."""

    known: Known
    conflict: Conflict
    side: str
    operation: Operation
    before: dict[Key, Answer]

    @property
    def own(self) -> Side:
        return self.conflict.a if self.side == "a" else self.conflict.b

    @property
    def other(self) -> Side:
        return self.conflict.b if self.side == "a" else self.conflict.a

    @property
    def on_ground(self) -> bool:
        return bool(self.operation.domains & SURFACE)


@dataclass(frozen=True, slots=True)
class _Found:
    """The smallest amount that works, the plan it makes and what that still has; or what was tried, and why not."""

    amount: float
    operation: Operation | None
    remaining: dict[Key, Answer]
    because: str = ""


def with_proposals(
    world: World, conflicts: tuple[Conflict, ...], *, progress: Callable[[float], None] | None = None
) -> tuple[Conflict, ...]:
    """The same findings with proposals, those that work first, by what they cost.

    Parameters
    ----------
    progress
        Called with the share of the findings done, from 0 to 1.
    """
    known = Known(
        world.operations,
        world.zones,
        minima=world.minima,
        between="all" if world.compare_own else "parties",
        gap_limits_s=world.gap_limits_s,
    )
    result = []
    for done, conflict in enumerate(conflicts, start=1):
        result.append(replace(conflict, proposals=proposals_for(known, conflict)))
        if progress is not None:
            progress(done / len(conflicts))
    return tuple(result)


def proposals_for(known: Known, conflict: Conflict) -> tuple[Proposal, ...]:
    """Proposals for one finding: for each operation in it, one of each change; zones do not move."""
    proposals: list[tuple[str, str, Proposal]] = []
    for name, side in (("a", conflict.a), ("b", conflict.b)):
        operation = known.thing((side.is_zone, side.party, side.id))
        if isinstance(operation, Operation):
            question = _Question(known, conflict, name, operation, known.answers_of(operation))
            proposals += [(side.party, side.id, proposal) for proposal in _of_side(question)]
    # Not by "a" and "b": those change places with the order of the files.
    order = list(_IN_GENERAL)
    proposals.sort(key=lambda row: (not row[2].works, row[2].cost, row[0], row[1], order.index(row[2].change)))
    return tuple(proposal for _, _, proposal in proposals)


def _of_side(question: _Question) -> list[Proposal]:
    try:
        changed(question.operation, question.conflict, question.side, "delay", 0.0)
    except Impossible as error:
        if any(track.basis == "flown" for track in question.operation.tracks):
            return [_failed(question, "delay", 0.0, str(error), "changes its plan")]
    return [_of_change(question, change) for change in _IN_GENERAL]


def _of_change(question: _Question, change: str) -> Proposal:
    ladder = _ladder(question.operation, change)
    signs = (1.0,) if change in ("delay", "earlier") else (1.0, -1.0)
    found: _Found | None = None
    failures = []
    for sign in signs:
        limit = math.inf if found is None else abs(found.amount)
        one = _smallest(question, change, [sign * value for value in ladder if value < limit])
        if one.operation is not None:
            found = one
        else:
            failures.append(one)
    if found is None:
        # The way that got further says more than the one that could not even begin.
        most = max(failures, key=lambda failure: abs(failure.amount))
        return _failed(question, change, most.amount, most.because, _IN_GENERAL[change])
    return _working(question, change, found)


def _ladder(operation: Operation, change: str) -> tuple[float, ...]:
    if change in ("delay", "earlier"):
        return _DELAYS_S
    if change == "level":
        return _LEVELS_M if _in_flight_levels(operation) else _HEIGHTS_M
    return _SIDEWAYS_M


def _in_flight_levels(operation: Operation) -> bool:
    references = {track.height_reference for track in operation.tracks}
    heights = (height for volume in operation.volumes for height in (volume.floor, volume.ceiling))
    references |= {height.reference for height in heights if height is not None}
    return HeightReference.FL in references


def _step(change: str, amount: float, *, in_levels: bool) -> float:
    """What amounts of about this size are whole numbers of."""
    if change in ("delay", "earlier"):
        return 1.0 if abs(amount) <= _MINUTE_S else _MINUTE_S
    if change == "level" and in_levels:
        return _LEVEL_M
    return 10.0 if abs(amount) <= 1e3 else 100.0


def _smallest(question: _Question, change: str, amounts: list[float]) -> _Found:
    last, because = 0.0, "nothing smaller than what was found the other way was left to try"
    for amount in amounts:
        found = _tried(question, change, amount)
        if found.operation is not None:
            return _halved(question, change, last, found)
        if found.amount == 0.0:  # it cannot be made, and larger ones are no better
            return _Found(last, None, {}, found.because if last == 0.0 else f"{because}; beyond that {found.because}")
        last, because = amount, f"tried up to {_amount_text(change, amount)}: {found.because}"
    return _Found(last, None, {}, because)


def _halved(question: _Question, change: str, fails: float, works: _Found) -> _Found:
    """The smallest amount that works between one that fails and one that works."""
    sign, low, high = math.copysign(1.0, works.amount), abs(fails), abs(works.amount)
    in_levels = _in_flight_levels(question.operation)
    while True:
        step = _step(change, high, in_levels=in_levels)
        middle = round((low + 0.5 * (high - low)) / step) * step
        if not low + 1e-6 < middle < high - 1e-6:
            return works
        found = _tried(question, change, sign * middle)
        if found.operation is None:
            low = middle
        else:
            works, high = found, middle


def _tried(question: _Question, change: str, amount: float) -> _Found:
    """One amount; an amount of 0 in what comes back says that the change cannot be made."""
    try:
        plan = changed(question.operation, question.conflict, question.side, change, amount)
    except Impossible as error:
        return _Found(0.0, None, {}, str(error))
    other = question.other
    # Most amounts fail already at the other side, which is asked for much sooner than everything.
    if question.known.answers_of(plan, among=(other.is_zone, other.party, other.id)):
        return _Found(amount, None, {}, f"that does not part it from {who(other)}")
    after = question.known.answers_of(plan)
    worse = [key for key, answer in after.items() if _RANK[answer] > _RANK[question.before.get(key, Answer.CLEAR)]]
    if worse:
        return _Found(amount, None, after, f"it would come too close to {_names(question.known, worse)}")
    return _Found(amount, plan, after)


def _names(known: Known, keys: Iterable[Key]) -> str:
    names = [who(_side(known, key)) for key in sorted(keys)]
    return " and ".join(names) if len(names) < 3 else f"{', '.join(names[:2])} and {len(names) - 2} more"


def _side(known: Known, key: Key) -> Side:
    thing = known.thing(key)
    return Side(thing.party, thing.id, thing.kind, is_zone=key[0], name=thing.name)


def _failed(question: _Question, change: str, amount: float, because: str, what: str) -> Proposal:
    sentence = f"{who(question.own)} {what}"
    return Proposal(question.side, change, amount, _unit(change), False, math.inf, sentence, because)


def _working(question: _Question, change: str, found: _Found) -> Proposal:
    assert found.operation is not None, "it works, so there is a plan"
    sentence = f"{who(question.own)} {_words(question, change, found.amount, found.operation)}"
    if found.remaining:
        verb = "stays" if Answer.CONFLICT in found.remaining.values() else "may stay"
        sentence += f"; it {verb} too close to {_names(question.known, found.remaining)}"
    cost = _cost(question.operation, found.operation, change, found.amount)
    return Proposal(question.side, change, found.amount, _unit(change), works=True, cost=cost, sentence=sentence)


def _cost(before: Operation, after: Operation, change: str, amount: float) -> float:
    """Seconds; see the head of this module."""
    size, speed = abs(amount), usual_speed_m_s(before)
    if change == "delay":
        return size
    if change == "earlier":
        return 1.5 * size
    if change == "level":
        return 60.0 + 2.0 * size / 5.0
    if change == "shift":
        return 120.0 + 2.0 * size / speed
    longer = sum(path_m(track) for track in after.tracks) - sum(path_m(track) for track in before.tracks)
    return 60.0 + max(0.0, longer) / speed


def _unit(change: str) -> str:
    return "s" if change in ("delay", "earlier") else "m"


def _words(question: _Question, change: str, amount: float, plan: Operation) -> str:
    if change in ("delay", "earlier"):
        word = "later" if change == "delay" else "earlier"
        return f"starts {_amount_text(change, amount)} {word} ({_new_start(question.operation, plan)})"
    if change == "level":
        feet = f" ({metres_to_feet(abs(amount)):,.0f} ft)" if _in_flight_levels(plan) else ""
        below = "; how high the ground is there is not known here" if amount < 0.0 else ""
        return f"goes {'higher' if amount > 0.0 else 'lower'} by {_amount_text(change, amount)}{feet}{below}"
    bearing = side_bearing_deg(question.operation, question.conflict, question.side) + (180.0 if amount < 0.0 else 0.0)
    towards = _WINDS[round(bearing / 45.0) % 8]
    unseen = "; whether roads or the ground allow it is not known here" if question.on_ground else ""
    if not question.operation.tracks:
        return f"moves its area {_amount_text(change, amount)} to the {towards}{unseen}"
    hand = "right" if amount > 0.0 else "left"
    if change == "shift":
        return f"moves its whole route {_amount_text(change, amount)} to the {hand} ({towards}){unseen}"
    low, high = detour_times(question.operation, question.conflict, question.side)
    when = f"from {time_of_day(low)[11:]} to {time_of_day(high)[11:]}"
    return f"goes round, {_amount_text(change, amount)} to the {hand} of its route ({towards}) {when}{unseen}"


def _new_start(before: Operation, after: Operation) -> str:
    old, new = start_of(before), start_of(after)
    assert old is not None, "what has no times cannot be moved in time"
    assert new is not None, "what has no times cannot be moved in time"
    text = time_of_day(new)
    return text[11:] if text[:10] == time_of_day(old)[:10] else text


def _amount_text(change: str, amount: float) -> str:
    if change not in ("delay", "earlier"):
        return metres(abs(amount))
    if amount < _MINUTE_S:
        return f"{amount:.0f} s"
    hours, minutes = divmod(round(amount / _MINUTE_S), 60)
    parts = [f"{hours} h"] * (hours > 0) + [f"{minutes} min"] * (minutes > 0)
    return " ".join(parts)
