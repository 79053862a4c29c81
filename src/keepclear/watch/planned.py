"""Encounters of plans: what labels are about where there are no tracks."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import combinations

from keepclear.agreements.facts import Filed, RecordView
from keepclear.model.findings import Answer, Closest, Conflict, Minima
from keepclear.model.operations import Operation
from keepclear.record.bodies.joint import JointPlanBody
from keepclear.record.entries import EntryRef
from keepclear.record.entry_types import EntryType
from keepclear.separation.checking import check
from keepclear.separation.minima import MinimaTable, Rule
from keepclear.watch.approach import Approach
from keepclear.watch.encounters import Basis, Encounter, Met

__all__ = ["encounter_of_parties", "encounter_of_plans", "planned_encounters", "planned_together"]

_ANY_HEIGHT = 1e6
_NOTHING_BINDS = Minima(0.0, None, 0.0, "nothing that is known binds them")


def planned_encounters(
    filings: Sequence[Filed], minima: MinimaTable | None = None, *, at_s: float | None = None
) -> tuple[Encounter, ...]:
    """The plans of different parties that share a time and a place, at whatever heights.

    What only height keeps apart is an encounter too, of which it can be said that it was deconflicted; whether plans
    are within the minima says `Encounter.answer`.

    Parameters
    ----------
    at_s
        As of when filings stand; where it is not given, those are looked at that stood at any time of their own.
    """
    table = minima or MinimaTable.default()
    standing = [one for one in filings if isinstance(one.plan, Operation) and one.ref and _stands(one, at_s)]
    plans = [_numbered(one, number) for number, one in enumerate(standing)]
    sure = {_key(one): one for one in check(plans, minima=table).conflicts}
    level = MinimaTable(tuple(replace(rule, vertical_m=None) for rule in table.rules), _level(table))
    found = check(plans, minima=level).conflicts
    made = [_encounter(standing, one, sure.get(_key(one))) for one in found]
    return tuple(sorted((one for one in made if one is not None), key=lambda one: (one.from_s, one.a, one.b)))


def encounter_of_plans(a: Filed, b: Filed) -> Encounter | None:
    """Two filings as an encounter, near each other or not: the time that they share; None if there is none."""
    starts = [-math.inf if one.start_s is None else one.start_s for one in (a, b)]
    ends = [math.inf if one.end_s is None else one.end_s for one in (a, b)]
    start, end = max(starts), min(ends)
    if start > end or not (math.isfinite(start) and math.isfinite(end)):
        return None
    first, second = sorted((a, b), key=_met)
    return Encounter(
        _met(first), _met(second), Basis.PLANS, start, end, None, None, _NOTHING_BINDS, None,
        ("whether they come near each other was not asked",), first.ref, second.ref,
    )  # fmt: skip


def encounter_of_parties(parties: tuple[str, str], from_s: float, to_s: float) -> Encounter:
    """Two parties at one time, as somebody spoke of them: for a label where neither plans nor tracks tell of more."""
    first, second = (Met(party, "whatever it did") for party in sorted(parties))
    return Encounter(
        first, second, Basis.PLANS, from_s, to_s, None, None, _NOTHING_BINDS, None,
        ("neither plans nor tracks say how near they came",),
    )  # fmt: skip


def planned_together(record: RecordView, found: Iterable[Encounter]) -> tuple[Encounter, ...]:
    """The joint plans on a record of which nothing else tells: an encounter for each two participants that met not."""
    met: dict[frozenset[str], list[Encounter]] = defaultdict(list)
    for one in found:
        met[frozenset(one.parties)].append(one)
    made: dict[tuple[frozenset[str], float, float], Encounter] = {}
    for heard in record.of(EntryType.JOINT_PLAN):
        if not isinstance(heard.body, JointPlanBody) or heard.exercise:
            continue
        plan = heard.body.plan
        for a, b in combinations(sorted(one.party for one in plan.participants), 2):
            some = met.get(frozenset((a, b)), ())
            known = any(one.from_s <= plan.end_s and one.to_s >= plan.start_s for one in some)
            if not known:
                key = (frozenset((a, b)), plan.start_s, plan.end_s)
                made.setdefault(key, encounter_of_parties((a, b), plan.start_s, plan.end_s))
    return tuple(made.values())


def _stands(filed: Filed, at_s: float | None) -> bool:
    if filed.exercise or filed.counts_from_s is None:
        return False
    if at_s is not None or filed.start_s is None:
        return at_s is None or filed.stood_at(at_s)
    moment = max(filed.start_s, filed.counts_from_s)  # told late, or amended under way, it is what was planned then
    return filed.stood_at(moment) and (filed.end_s is None or moment <= filed.end_s)


def _level(table: MinimaTable) -> Rule | None:
    return None if table.one_for_all is None else replace(table.one_for_all, vertical_m=_ANY_HEIGHT)


def _numbered(filed: Filed, number: int) -> Operation:
    """The plan with an id of its own: versions share theirs. Joint plans are looked at part by part."""
    assert isinstance(filed.plan, Operation)
    return replace(filed.plan, id=str(number), party=filed.party, joint=None)


def _key(conflict: Conflict) -> tuple[str, str]:
    return conflict.a.id, conflict.b.id


def _encounter(standing: Sequence[Filed], near: Conflict, sure: Conflict | None) -> Encounter | None:
    a, b = standing[int(near.a.id)], standing[int(near.b.id)]
    swapped = _met(b) < _met(a)
    starts = [one.start_s for one in near.intervals]
    ends = [one.end_s for one in near.intervals]
    shared = encounter_of_plans(a, b)
    low = shared.from_s if shared is not None else None
    high = shared.to_s if shared is not None else None
    start = low if None in starts else min(one for one in starts if one is not None)
    end = high if None in ends else max(one for one in ends if one is not None)
    if start is None or end is None:
        return None
    certain = [one for one in (sure.intervals if sure else ()) if one.answer is Answer.CONFLICT]
    told = sure or near
    first, second = (b, a) if swapped else (a, b)
    return Encounter(
        _met(first), _met(second), Basis.PLANS, start, end,
        certain[0].start_s if certain else None, certain[-1].end_s if certain else None,
        told.minima, None if told.closest is None else _approach(told.closest, swapped=swapped),
        () if certain else told.reasons or ("their heights keep them apart",), first.ref, second.ref,
    )  # fmt: skip


def _approach(closest: Closest, *, swapped: bool) -> Approach:
    a, b = (closest.b, closest.a) if swapped else (closest.a, closest.b)
    least = closest.horizontal_m
    return Approach(
        closest.time_a_s, None, None, least, least, least, closest.vertical_m, closest.vertical_m, closest.vertical_m,
        a, b,
    )  # fmt: skip


def _met(filed: Filed) -> Met:
    return Met(filed.party, filed.plan.id if filed.plan is not None else _unit(filed.ref))


def _unit(ref: EntryRef | None) -> str:
    return "" if ref is None else f"entry {ref.index}"
