"""An encounter and its label as text, as JSON and as GeoJSON, each with the entries that prove it."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from keepclear.agreements.facts import Evidence, Flown
from keepclear.record.entries import EntryRef
from keepclear.separation.sentences import metres, place, time_of_day
from keepclear.times import to_text
from keepclear.watch.approach import Approach
from keepclear.watch.claims import Weighed
from keepclear.watch.label_changes import name_of
from keepclear.watch.labels import Labelled

__all__ = ["claim_document", "document_of", "entry_document", "geojson_of", "lines_of"]


def lines_of(labelled: Labelled, *, has_record: bool = True) -> Iterator[str]:
    """For people: what it was, why, what it rests on, and what would change it.

    Parameters
    ----------
    has_record
        Whether there is a record at all: without one it is not known what it was, only that they met.
    """
    encounter = labelled.encounter
    flags = [one.value for one in sorted(labelled.flags)]
    flags += [f"{one.value} (possibly)" for one in sorted(labelled.possible_flags)]
    basis = " (basis: plans)" if labelled.basis.value == "plans" else ""
    besides = f"; {', '.join(flags)}" if flags else ""
    within = "within the minima" if encounter.certain_from_s is not None else "possibly within the minima"
    what = f"{name_of(labelled.label)}{basis}{besides}" if has_record else within
    yield f"{encounter.a.name} and {encounter.b.name}: {what}"
    yield f"  When: {time_of_day(encounter.from_s)} to {time_of_day(encounter.to_s)}"
    if encounter.approach is not None:
        with_heights = encounter.minima.vertical_m is not None
        closest = _closest(encounter.approach, with_heights=with_heights)
        yield f"  Closest: {closest}; the minimum is {_minima(labelled)}"
    yield from (f"  Only possible: {text}" for text in encounter.reasons)
    if not has_record:
        return
    yield from (f"  Open: {text}" for text in labelled.thresholds)
    yield from (f"  Why: {text}" for text in labelled.because)
    for one in labelled.evidence:
        yield f"  Rests on: {_evidence(one)}"
    yield from (f"  {text}" for text in labelled.would_change)


def _closest(one: Approach, *, with_heights: bool) -> str:
    text = metres(one.horizontal_m)
    if one.greatest_m - one.least_m >= 1.0:
        text += f" (between {metres(one.least_m)} and {metres(one.greatest_m)})"
    if one.vertical_m is not None:
        text += f" and {metres(one.vertical_m)} in height"
    elif with_heights and one.vertical_least_m is not None and one.vertical_greatest_m is not None:
        text += f" and {metres(one.vertical_least_m)} to {metres(one.vertical_greatest_m)} in height"
    moment = "" if one.time_s is None else f" at {time_of_day(one.time_s)}"
    return f"{text}{moment} near {place(one.a)}"


def _minima(labelled: Labelled) -> str:
    minima = labelled.encounter.minima
    vertical = "" if minima.vertical_m is None else f" or {minima.vertical_m:,.10g} m in height"
    return f"{minima.horizontal_m:,.10g} m{vertical} ({minima.rule})"


def _evidence(one: Evidence) -> str:
    what = f"track {one.track}" if one.ref is None else f"entry {one.ref.index} of {one.ref.origin}"
    return f"{what}: {one.note}" if one.note else what


def document_of(labelled: Labelled, *, has_record: bool = True) -> dict[str, Any]:
    """For programs; without a record nothing is said of what it was."""
    encounter = labelled.encounter
    minima = encounter.minima
    judged = {
        "label": labelled.label.value,
        "basis": labelled.basis.value,
        "flags": sorted(one.value for one in labelled.flags),
        "possible_flags": sorted(one.value for one in labelled.possible_flags),
        "between": [None if one is None else one.value for one in labelled.between],
        "thresholds": list(labelled.thresholds),
        "because": list(labelled.because),
        "evidence": [_evidence_document(one) for one in labelled.evidence],
        "would_change": list(labelled.would_change),
    }
    return (judged if has_record else {"label": None}) | {
        "a": {"party": encounter.a.party or None, "unit": encounter.a.unit},
        "b": {"party": encounter.b.party or None, "unit": encounter.b.unit},
        "from": to_text(encounter.from_s),
        "to": to_text(encounter.to_s),
        "certain": encounter.certain_from_s is not None,
        "certain_from": _time(encounter.certain_from_s),
        "certain_to": _time(encounter.certain_to_s),
        "minima": {
            "horizontal_m": minima.horizontal_m, "vertical_m": minima.vertical_m, "time_s": minima.time_s,
            "rule": minima.rule,
        },
        "closest": None if encounter.approach is None else _approach(encounter.approach),
        "reasons": list(encounter.reasons),
    }  # fmt: skip


def _approach(one: Approach) -> dict[str, Any]:
    return {
        "time": _time(one.time_s), "from": _time(one.from_s), "to": _time(one.to_s),
        "horizontal_m": one.horizontal_m, "least_m": one.least_m, "greatest_m": one.greatest_m,
        "vertical_m": one.vertical_m, "vertical_least_m": one.vertical_least_m,
        "vertical_greatest_m": one.vertical_greatest_m, "a": list(one.a), "b": list(one.b),
    }  # fmt: skip


def _time(time_s: float | None) -> str | None:
    return None if time_s is None else to_text(time_s)


def entry_document(ref: EntryRef) -> dict[str, Any]:
    """A reference as entries have it."""
    return {"origin": ref.origin, "index": ref.index, "leaf": base64.b64encode(ref.leaf_hash).decode("ascii")}


def _evidence_document(one: Evidence) -> dict[str, Any]:
    entry = None if one.ref is None else entry_document(one.ref)
    return {"entry": entry, "track": one.track or None, "note": one.note or None}


def claim_document(weighed: Weighed) -> dict[str, Any]:
    """A weighed claim, for programs."""
    return {
        "weight": weighed.weight.value,
        "because": list(weighed.because),
        "evidence": [_evidence_document(one) for one in weighed.evidence],
    }


def geojson_of(labelled: Iterable[Labelled], tracks: Sequence[Flown], *, has_record: bool = True) -> dict[str, Any]:
    """For maps: the closest approaches as lines from the one unit to the other, and the tracks round them."""
    features = []
    wanted: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for one in labelled:
        encounter = one.encounter
        for side in (encounter.a, encounter.b):
            wanted.setdefault((side.party, side.unit), []).append((encounter.from_s - 600.0, encounter.to_s + 600.0))
        approach = encounter.approach
        ends = [] if approach is None else [_position(approach.a), _position(approach.b)]
        geometry = {"type": "LineString", "coordinates": ends} if ends else None
        features.append(
            {"type": "Feature", "geometry": geometry, "properties": document_of(one, has_record=has_record)}
        )
    for flown in tracks:
        for start, end in wanted.get((flown.party, flown.unit), []):
            features += list(_track_feature(flown, start, end))
    return {"type": "FeatureCollection", "features": features}


def _position(position: tuple[float, float, float | None]) -> list[float]:
    lon, lat, height = position
    return [lon, lat] if height is None else [lon, lat, height]


def _track_feature(flown: Flown, start: float, end: float) -> Iterator[dict[str, Any]]:
    track = flown.track
    low, high = (int(np.searchsorted(track.time_s, value)) for value in (start, end))
    if high - low < 2:
        return
    part = slice(low, high)
    coordinates = [list(pair) for pair in zip(track.lon_deg[part].tolist(), track.lat_deg[part].tolist(), strict=True)]
    times = [to_text(value) for value in track.time_s[part].tolist()]
    yield {
        "type": "Feature",
        "geometry": {"type": "LineString", "coordinates": coordinates},
        "properties": {"party": flown.party or None, "unit": flown.unit, "track": "flown", "times": times},
    }
