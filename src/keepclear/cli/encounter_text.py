"""What ``keepclear encounter`` found, as text, as JSON and as GeoJSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from keepclear.agreements.facts import Finding
    from keepclear.cli.encounter import Looked
    from keepclear.watch.bound_terms import Bound

__all__ = ["written"]


def written(looked: Looked, form: str) -> Iterator[str]:
    """The answer in pieces; `form` is text, json or geojson."""
    from keepclear.cli.screen import plain, plain_json
    from keepclear.watch.telling import geojson_of

    if form == "text":
        for line in _lines(looked):
            yield plain(line) + "\n"
        return
    document = (
        geojson_of(looked.labelled, looked.tracks, has_record=looked.offline is not None)
        if form == "geojson"
        else _document(looked)
    )
    yield plain_json(json.dumps(document, ensure_ascii=False, allow_nan=False)) + "\n"


def _document(looked: Looked) -> dict[str, Any]:
    from keepclear.cli.record_terms import agreement_documents, broken_terms, term_documents
    from keepclear.times import to_text
    from keepclear.watch.telling import document_of

    offline = looked.offline
    encounters = []
    for one in looked.labelled:
        told = document_of(one, has_record=offline is not None)
        if offline is not None:
            told["terms"] = term_documents(broken_terms(one, looked.judged))
        encounters.append(told)
    return {
        "keepclear": "encounter/1",
        "line": None if offline is None else offline.line,
        "record_until": None if offline is None else to_text(offline.last_s),
        "tracks": len(looked.tracks),
        "filings": len(looked.filings),
        "batches": _batches(looked),
        "agreements": agreement_documents(looked.bound),
        "encounters": encounters,
        "terms_besides": term_documents(_besides(looked)),
        "warnings": list(looked.warnings),
    }


def _batches(looked: Looked) -> list[dict[str, Any]]:
    """The batches that tracks are made of, each with the entry that commits to it."""
    from keepclear.watch.telling import entry_document

    if looked.offline is None:
        return []
    used = {name: flown for flown in looked.tracks for name in flown.batches}
    return [
        {
            "batch": one.body.batch, "entry": entry_document(one.ref),
            "party": used[one.body.batch].party or None, "unit": used[one.body.batch].unit,
        }
        for one in looked.offline.committed
        if one.body is not None and one.body.batch in used
    ]  # fmt: skip


def _lines(looked: Looked) -> Iterator[str]:
    from keepclear.cli.record_terms import broken_terms
    from keepclear.watch.telling import lines_of

    for one in looked.labelled:
        yield from lines_of(one, has_record=looked.offline is not None)
        yield from (f"  {_term(*found)}" for found in broken_terms(one, looked.judged))
    yield from (f"Besides: {_term(*found)}" for found in _besides(looked))
    yield from (f"Note: {text}" for text in looked.warnings)
    yield _last_line(looked)


def _term(bound: Bound, finding: Finding) -> str:
    proved = ", ".join(f"entry {one.index} of {one.origin}" for one in bound.refs)
    which = f"{bound.agreement}, document {bound.period.document.hash[:12]}: {proved}"
    return f"{finding.result.value.upper()}: {finding.sentence} ({which})"


def _besides(looked: Looked) -> list[tuple[Bound, Finding]]:
    """What was broken, and belongs to none of the encounters that are told."""
    from keepclear.agreements.facts import Result
    from keepclear.cli.record_terms import broken_terms

    told = {id(finding) for one in looked.labelled for _, finding in broken_terms(one, looked.judged)}
    return [one for one in looked.judged if one[1].result is Result.BREACHED and id(one[1]) not in told]


def _last_line(looked: Looked) -> str:
    if not looked.labelled:
        what = f"{len(looked.tracks):,} tracks" if looked.tracks else f"{len(looked.filings):,} filings"
        return f"NO ENCOUNTER FOUND in what is known: {what} were looked at. A silence is no proof of distance."
    certain = sum(one.encounter.certain_from_s is not None for one in looked.labelled)
    possible = len(looked.labelled) - certain
    which = "" if looked.offline is not None else " No record was given, so nothing had been said as far as is known."
    return f"{certain:,} certain, {possible:,} possible.{which}"
