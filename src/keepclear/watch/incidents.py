"""Incident reports, drafted: what the record and the tracks say, and gaps where only people can speak.

A draft holds no narrative, no attribution and no cause: those are each party's own words. It is drafted when an
encounter was, or may have been, unsafe or a breach of a term.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from keepclear.agreements.facts import Evidence, Flown
from keepclear.record.bodies.references import EntryRefValue
from keepclear.record.bodies.watched import ClosestValue, IncidentBody, PlaceValue, PlatformsValue, TermRefValue
from keepclear.record.entries import EntryRef
from keepclear.watch.labels import Flag, Labelled

__all__ = ["draft", "wants_report"]

_NOBODY = "not known"
_ANYWHERE_M = 1e9  # the most that a report can say
_GRAVE = frozenset({Flag.UNSAFE, Flag.TERM_BREACH})


def wants_report(labelled: Labelled) -> bool:
    """Whether an encounter was, or may have been, unsafe or a breach of a term."""
    return bool(_GRAVE & (labelled.flags | labelled.possible_flags))


def draft(
    labelled: Labelled, *, detected_s: float, report_id: str, tracks: Sequence[Flown] = (),
    terms: Sequence[TermRefValue] = (),
) -> IncidentBody:  # fmt: skip
    """The first report of an encounter, as far as the record tells it, for an officer to complete and send.

    Parameters
    ----------
    detected_s
        When our node noticed it.
    report_id
        What the incident is called.
    tracks
        What is known of where units were: what sort of thing moved there.
    terms
        The terms that it touches.
    """
    encounter = labelled.encounter
    units = {(met.party, met.unit) for met in (encounter.a, encounter.b)}
    there = [one for one in tracks if (one.party, one.unit) in units]
    return IncidentBody(
        id=report_id,
        stage="first",
        detected_s=detected_s,
        from_s=encounter.from_s,
        to_s=encounter.to_s,
        parties=[party or _NOBODY for party in dict.fromkeys(encounter.parties)],
        platforms=[
            PlatformsValue(party=one.party or _NOBODY, platforms=1, platform_class=one.platform_class or one.kind)
            for one in there
        ],
        label=labelled.label.value,
        flags=sorted(one.value for one in labelled.flags),
        terms=list(terms),
        entries=[EntryRefValue.of(ref) for ref in dict.fromkeys(_refs(labelled.evidence))],
        open_questions=list(_open_questions(labelled)),
        place=_place(labelled),
        closest=_closest(labelled),
    )


def _place(labelled: Labelled) -> PlaceValue | None:
    """Where one of the two was; the other was as far off as they were apart."""
    approach = labelled.encounter.approach
    if approach is None:
        return None
    unsure_m = max(0.0, approach.greatest_m - approach.least_m) / 2.0 + approach.horizontal_m
    return PlaceValue(
        lon_deg=approach.a[0], lat_deg=approach.a[1],
        uncertainty_m=float(math.ceil(unsure_m)) if math.isfinite(unsure_m) else _ANYWHERE_M,
    )  # fmt: skip


def _closest(labelled: Labelled) -> ClosestValue | None:
    approach = labelled.encounter.approach
    if approach is None:
        return None
    return ClosestValue(
        horizontal_m=approach.horizontal_m,
        vertical_m=None if approach.vertical_m is None else abs(approach.vertical_m),
        from_s=approach.from_s,
        to_s=approach.to_s,
    )


def _refs(evidence: Sequence[Evidence]) -> list[EntryRef]:
    return [one.ref for one in evidence if one.ref is not None]


def _open_questions(labelled: Labelled) -> list[str]:
    """What is not known, in words."""
    found = [f"The label is open: {text}." for text in labelled.thresholds]
    found += [f"It may have been {one.value}." for one in sorted(labelled.possible_flags)]
    found += [f"{text[0].upper()}{text[1:]}." for text in labelled.encounter.reasons if text]
    found += ["Who of either side was warned, and when?", "Was anybody hurt, or anything damaged?"]
    return found
