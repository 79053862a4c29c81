"""By how much a plan or a track is out of something: the greatest excess over all of it, from above and from below.

What a term asks of places is a field: for each place by how many metres it is out (positive) or within (negative),
changing by no more than a metre for each metre that one goes. So a few places tell of all between them; where that
is not enough, there are more places, until it is. Nothing is sampled and hoped for: what stays undecided is *maybe*.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

from keepclear.agreements.excess_answers import BEYOND, GAP, NUMERIC_M, ROUGH, Excess, Field, Standing, Window
from keepclear.agreements.excess_areas import excess_of_volume
from keepclear.agreements.excess_tracks import excess_of_track
from keepclear.model.kinds import SPEED_LIMIT_M_S, Domain
from keepclear.model.operations import Operation, Zone

__all__ = [
    "BEYOND",
    "GAP",
    "NUMERIC_M",
    "ROUGH",
    "Excess",
    "Field",
    "Standing",
    "excess_of_plan",
    "excess_of_track",
    "excess_of_volume",
]

_RANK = {Standing.WITHIN: 0, Standing.MAYBE: 1, Standing.OUT: 2}


def excess_of_plan(
    plan: Operation | Zone, field: Field, window: Window = (None, None), *, rough: bool = False
) -> Excess | None:
    """How far a plan is out, over the whole of it; None where nothing of it is in the window.

    Parameters
    ----------
    window
        Only what can be in this time counts, slip included.
    rough
        Whether the plan was widened before it was told, so that what is out of it need not be.
    """
    found = [one for volume in plan.volumes if (one := excess_of_volume(volume, field, window)) is not None]
    if isinstance(plan, Operation):
        speed = plan.top_speed_m_s or max(SPEED_LIMIT_M_S[domain] for domain in plan.domains or Domain)
        tracks = (excess_of_track(track, field, window, top_speed_m_s=speed) for track in plan.tracks)
        found += [one for one in tracks if one is not None]
    worst = _worst(found)
    if worst is not None and rough and worst.standing is Standing.OUT:
        return replace(worst, standing=Standing.MAYBE, because=(ROUGH,))
    return worst


def _worst(found: Iterable[Excess]) -> Excess | None:
    listed = list(found)
    if not listed:
        return None
    standing = max((one.standing for one in listed), key=_RANK.__getitem__)
    same = [one for one in listed if one.standing is standing]
    worst = max(same, key=lambda one: one.most_m)
    spans = sorted(
        (span for one in same for span in one.spans), key=lambda span: -math.inf if span[0] is None else span[0]
    )
    because = tuple(dict.fromkeys(reason for one in same for reason in one.because))
    return replace(worst, spans=tuple(spans), because=because)
