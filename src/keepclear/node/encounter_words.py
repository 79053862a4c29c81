"""An encounter as JSON: what is kept of it, and told by the API, so that a screen needs nothing else."""

from __future__ import annotations

from typing import Any

from keepclear.agreements.facts import Evidence
from keepclear.node.entry_ids import EntryId
from keepclear.watch.encounters import Approach, Encounter
from keepclear.watch.labels import Labelled

__all__ = ["told_of"]


def told_of(one: Labelled) -> dict[str, Any]:
    """What there is to say of an encounter."""
    encounter = one.encounter
    return {
        "a": {"party": encounter.a.party, "unit": encounter.a.unit},
        "b": {"party": encounter.b.party, "unit": encounter.b.unit},
        "basis": str(one.basis),
        "from_s": encounter.from_s,
        "to_s": encounter.to_s,
        "certain": encounter.certain_from_s is not None,
        "label": str(one.label),
        "flags": sorted(map(str, one.flags)),
        "possible_flags": sorted(map(str, one.possible_flags)),
        "between": [None if label is None else str(label) for label in one.between],
        "thresholds": list(one.thresholds),
        "because": list(one.because),
        "would_change": list(one.would_change),
        "minima": {
            "horizontal_m": encounter.minima.horizontal_m, "vertical_m": encounter.minima.vertical_m,
            "rule": encounter.minima.rule,
        },
        "closest": _closest(encounter),
        "reasons": list(encounter.reasons),
        "evidence": [_evidence(found) for found in one.evidence],
    }  # fmt: skip


def _closest(encounter: Encounter) -> dict[str, Any] | None:
    approach = encounter.approach
    if approach is None:
        return None
    return {
        "time_s": approach.time_s,
        "horizontal_m": round(approach.horizontal_m, 1),
        "least_m": round(approach.least_m, 1),
        "greatest_m": round(approach.greatest_m, 1),
        "vertical_m": None if approach.vertical_m is None else round(approach.vertical_m, 1),
        "place": _place(approach),
    }


def _place(approach: Approach) -> list[float]:
    return [round(approach.a[0], 5), round(approach.a[1], 5)]


def _evidence(found: Evidence) -> dict[str, Any]:
    entry = None if found.ref is None else str(EntryId.of(found.ref))
    return {"entry": entry, "track": found.track, "note": found.note}
