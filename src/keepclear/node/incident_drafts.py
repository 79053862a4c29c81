"""Incident reports as they are drafted: what the record and the tracks say, and nothing that nobody has said.

Narrative and attribution stay empty: they are the author's own, and no program's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from keepclear.agreements.facts import Flown
from keepclear.record.bodies.references import EntryRefValue
from keepclear.record.bodies.watched import ClosestValue, IncidentBody, PlaceValue, PlatformsValue
from keepclear.times import to_text
from keepclear.watch.labels import Labelled

__all__ = ["drafted"]

_NOBODY = "not known"


def drafted(one: Labelled, tracks: Sequence[Flown], *, us: str, detected_s: float) -> IncidentBody:
    """The first report of an encounter, for an officer to complete and send."""
    encounter = one.encounter
    there = [
        flown
        for flown in tracks
        if (flown.party, flown.unit) in {(m.party, m.unit) for m in (encounter.a, encounter.b)}
    ]
    refs = dict.fromkeys(found.ref for found in one.evidence if found.ref is not None)
    day = to_text(encounter.from_s)[:16].replace(":", "").replace("-", "")
    label: Any = str(one.label)
    flags: Any = sorted(map(str, one.flags))
    return IncidentBody(
        id=f"{us}-{day}Z-{encounter.a.unit}-{encounter.b.unit}"[:200], stage="first", detected_s=detected_s,
        from_s=encounter.from_s, to_s=encounter.to_s, place=_place(one),
        parties=[party or _NOBODY for party in dict.fromkeys(encounter.parties)],
        platforms=[
            PlatformsValue(party=flown.party or _NOBODY, platforms=1, platform_class=flown.platform_class or flown.kind)
            for flown in there
        ],
        label=label, flags=flags, closest=_closest(one), entries=[EntryRefValue.of(ref) for ref in refs],
        open_questions=[*one.thresholds, *encounter.reasons],
    )  # fmt: skip


def _place(one: Labelled) -> PlaceValue | None:
    approach = one.encounter.approach
    if approach is None:
        return None
    unsure = max(0.0, approach.greatest_m - approach.least_m) / 2.0 + approach.horizontal_m
    return PlaceValue(
        lon_deg=approach.a[0], lat_deg=approach.a[1], uncertainty_m=math.ceil(unsure) if math.isfinite(unsure) else 1e9
    )


def _closest(one: Labelled) -> ClosestValue | None:
    approach = one.encounter.approach
    if approach is None:
        return None
    return ClosestValue(
        horizontal_m=approach.horizontal_m,
        vertical_m=None if approach.vertical_m is None else abs(approach.vertical_m),
        from_s=approach.from_s, to_s=approach.to_s,
    )  # fmt: skip
