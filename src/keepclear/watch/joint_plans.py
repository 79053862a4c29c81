"""Joint plans on the record: who had signed which plan by when, and who was there.

A plan is one plan by its hash. It is signed when every participant has said so in an entry of its own, with the role
that the plan names; a proposal is no signature.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from keepclear.agreements.facts import Flown, Heard
from keepclear.record.bodies.joint import JointPlanSignedBody, PlanValue
from keepclear.watch.conformance import Share, time_inside
from keepclear.watch.extent import Extent
from keepclear.watch.sampling import path_of

__all__ = ["PRESENT_SHARE", "PlanOnRecord", "PlanTold", "presence", "with_signatures"]

PRESENT_SHARE = 0.5
"""Of the plan's time, that every participant's track must show it there."""
_STEP_S = 30.0


@dataclass(frozen=True, slots=True)
class PlanTold:
    """A joint plan as one entry tells of it.

    Attributes
    ----------
    heard, plan
        The entry, and the plan.
    hash
        Of the plan. It takes a while to work out, so it is kept.
    """

    heard: Heard
    plan: PlanValue
    hash: str

    @property
    def parties(self) -> frozenset[str]:
        """Who takes part."""
        return frozenset(one.party for one in self.plan.participants)


@dataclass(frozen=True, slots=True)
class PlanOnRecord(PlanTold):
    """A joint plan, and how far it had been signed at a time.

    Attributes
    ----------
    signed
        By participant, the entry in which it signed.
    wrong
        By participant, why an entry of it is no signature of this plan.
    """

    signed: Mapping[str, Heard]
    wrong: Mapping[str, str]

    @property
    def missing(self) -> tuple[str, ...]:
        """The participants that had not signed."""
        return tuple(sorted(one.party for one in self.plan.participants if one.party not in self.signed))


def with_signatures(told: PlanTold, signatures: Sequence[Heard]) -> PlanOnRecord:
    """A plan with those of some signatures that are of it, and in the right role."""
    roles = {one.party: one.role for one in told.plan.participants}
    signed: dict[str, Heard] = {}
    wrong: dict[str, str] = {}
    for one in signatures:
        body = one.body
        if not isinstance(body, JointPlanSignedBody) or one.party not in roles or one.party in signed:
            continue
        same_entry, same_plan = body.entry.ref() == told.heard.ref, body.plan == told.hash
        if same_plan and body.role.casefold() == roles[one.party].casefold():
            signed[one.party] = one
            wrong.pop(one.party, None)
        elif same_plan:
            wrong[one.party] = f"{one.party} signed it as {body.role!r}, and the plan has it as {roles[one.party]!r}"
        elif same_entry:
            wrong[one.party] = f"{one.party} signed a plan with another hash ({body.plan[:12]}…, not {told.hash[:12]}…)"
    return PlanOnRecord(told.heard, told.plan, told.hash, signed, wrong)


def presence(extents: Sequence[Extent], period: tuple[float, float], tracks: Sequence[Flown]) -> Share:
    """Which share of a plan's time a participant was where the plan takes place: that unit of it which was there most.

    There is anywhere in the plan's own extent, at whatever time of it. A silence is no presence.

    Parameters
    ----------
    extents
        All operations of the plan: participants of one plan are where the others are.
    """
    best = Share(0.0, 0.0, 0.0)
    for flown in tracks:
        one = _present(extents, period, flown)
        best = Share(*(max(pair) for pair in zip(_numbers(best), _numbers(one), strict=True)))
    return best


def _numbers(share: Share) -> tuple[float, float, float]:
    return share.reported, share.least, share.greatest


def _present(extents: Sequence[Extent], period: tuple[float, float], flown: Flown) -> Share:
    start, end = period
    path = path_of(flown, start, end)
    if path is None or end <= start:
        return Share(0.0, 0.0, 0.0)
    low, high = max(start, float(path.time_s[0])), min(end, float(path.time_s[-1]))
    inner = path.time_s[(path.time_s >= low) & (path.time_s <= high)]
    steps = np.linspace(low, high, max(2, min(20_000, math.ceil((high - low) / _STEP_S) + 1)))
    moments = np.unique(np.concatenate((inner, steps)))
    if len(moments) < 2:
        return Share(0.0, 0.0, 0.0)
    known = path.at(0.5 * (moments[:-1] + moments[1:])).known
    samples = path.at(moments)
    parts = [one.outside(path, samples, heights=False, any_time=True) for one in extents]
    shares = []
    for name in ("metres", "greatest", "least"):
        nearest = np.minimum.reduce([getattr(part, name) for part in parts])
        shares.append(min(1.0, time_inside(moments, nearest, known) / (end - start)))
    return Share(shares[0], min(shares[1], shares[0]), max(shares[2], shares[0]))
