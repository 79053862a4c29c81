"""Incident reports, drafted: what the record and the tracks say, and gaps where only people can speak.

A draft holds no narrative, no attribution and no cause: those are each party's own words. It is drafted when an
encounter was, or may have been, unsafe or a breach of a term.
"""

from __future__ import annotations

from collections.abc import Sequence

from keepclear.agreements.facts import Evidence
from keepclear.record.bodies.references import EntryRefValue
from keepclear.record.bodies.watched import ClosestValue, IncidentBody, PlaceValue, TermRefValue
from keepclear.record.entries import EntryRef
from keepclear.watch.labels import Flag, Labelled

__all__ = ["draft", "wants_report"]

_GRAVE = frozenset({Flag.UNSAFE, Flag.TERM_BREACH})


def wants_report(labelled: Labelled) -> bool:
    """Whether an encounter was, or may have been, unsafe or a breach of a term."""
    return bool(_GRAVE & (labelled.flags | labelled.possible_flags))


def draft(labelled: Labelled, *, detected_s: float, report_id: str, terms: Sequence[TermRefValue] = ()) -> IncidentBody:
    """The first report of an encounter, as far as the record tells it.

    Parameters
    ----------
    detected_s
        When our node noticed it.
    report_id
        What the incident is called.
    terms
        The terms that it touches.
    """
    encounter = labelled.encounter
    approach = encounter.approach
    place = closest = None
    if approach is not None:
        lon, lat, _ = approach.a
        place = PlaceValue(lon_deg=lon, lat_deg=lat, uncertainty_m=approach.greatest_m)
        closest = ClosestValue(
            horizontal_m=approach.horizontal_m,
            vertical_m=approach.vertical_m,
            from_s=approach.from_s,
            to_s=approach.to_s,
        )
    refs = dict.fromkeys(_refs(labelled.evidence))
    return IncidentBody(
        id=report_id,
        stage="first",
        detected_s=detected_s,
        from_s=encounter.from_s,
        to_s=encounter.to_s,
        parties=[one or "not known" for one in encounter.parties],
        label=labelled.label.value,
        flags=sorted(one.value for one in labelled.flags),
        terms=list(terms),
        entries=[EntryRefValue.of(ref) for ref in refs],
        open_questions=list(_open_questions(labelled)),
        place=place,
        closest=closest,
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
