"""The agreements on a record that was read offline: which bound whom when, what their terms say, and what proves it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from keepclear.errors import Fault, InputError, KeepclearError

if TYPE_CHECKING:
    from keepclear.agreements.documents import Document
    from keepclear.agreements.facts import Filed, Finding, Flown
    from keepclear.agreements.terms.base import Term
    from keepclear.cli.record_reading import Offline
    from keepclear.separation.minima import MinimaTable
    from keepclear.watch.bound_terms import Bound
    from keepclear.watch.encounters import Encounter
    from keepclear.watch.labels import Labelled

__all__ = ["agreement_documents", "bound_then", "broken_terms", "findings_of", "found_by", "term_documents"]


def bound_then(
    offline: Offline, names: Sequence[str], filings: Sequence[Filed], tracks: Sequence[Flown]
) -> tuple[tuple[Bound, ...], tuple[str, ...]]:
    """The agreements that bound anybody in the time of the tracks, or of the filings where there are none.

    Parameters
    ----------
    names
        Those of the agreements that are meant; none: all.

    Returns
    -------
    tuple
        Them, and what to say of those that are disputed or did not bind then.

    Raises
    ------
    InputError
        If one of the names is of no agreement on this record.
    """
    from keepclear.agreements.life import standings_of
    from keepclear.watch.bound_terms import bound_in

    standings = standings_of(offline.view, offline.documents, _latest(offline, tracks))
    unknown = [one for one in names if one not in standings]
    if unknown:
        known = f"one of: {', '.join(standings)}" if standings else "none was proposed on this record"
        raise InputError([Fault("no such agreement", known, field="--agreement", value=one) for one in unknown])
    from_s, to_s = _span(filings, tracks)
    found: list[Bound] = []
    notes: list[str] = []
    for name, standing in standings.items():
        if names and name not in names:
            continue
        some = list(bound_in(standing, partial(_terms, name), from_s, to_s))
        found += some
        if names and not some:
            notes.append(f"{standing.sentence}: no term of it bound anybody in the time that was looked at")
        notes += [f"{name} is disputed: {one.sentence}" for one in standing.disputes]
    return tuple(found), tuple(notes)


def findings_of(
    bound: Iterable[Bound], offline: Offline, filings: Sequence[Filed], tracks: Sequence[Flown]
) -> tuple[tuple[Bound, Finding], ...]:
    """What the terms say of filings, tracks and record while they bound."""
    from keepclear.watch import bound_terms

    return tuple(bound_terms.findings_of(bound, filings, tracks, offline.view, at_s=_latest(offline, tracks)))


def found_by(
    table: MinimaTable,
    bound: Sequence[Bound],
    filings: Sequence[Filed],
    tracks: Sequence[Flown],
    *,
    with_plans: bool,
) -> list[Encounter]:
    """Who came within the minima: those of the table, and of the agreements for as long as they bound.

    Parameters
    ----------
    with_plans
        Whether plans are looked at beside tracks, where there is no track for one of two.
    """
    from keepclear.watch.bound_terms import encounters_by, stricter
    from keepclear.watch.planned import planned_encounters

    met = encounters_by(table, bound, tracks)
    planned = planned_encounters(filings, stricter(table, bound)) if with_plans else ()
    return [*met, *(one for one in planned if not tracks or not _is_seen(one, tracks, met))]


def broken_terms(one: Labelled, findings: Iterable[tuple[Bound, Finding]]) -> list[tuple[Bound, Finding]]:
    """What terms say of those who met, while they did: what was broken, or may have been."""
    from keepclear.agreements.facts import Result

    met = one.encounter
    units = {f"{side.party} {side.unit}" for side in (met.a, met.b)}
    return [
        (bound, finding)
        for bound, finding in findings
        if finding.result in (Result.BREACHED, Result.POSSIBLE)
        and (finding.from_s is None or finding.from_s <= met.to_s)
        and (finding.to_s is None or finding.to_s >= met.from_s)
        and (finding.party in met.parties if finding.party else _of_both(finding, met.parties))
        and (not finding.unit or f"{finding.party} {finding.unit}" in units)
    ]


def _of_both(finding: Finding, parties: Sequence[str]) -> bool:
    """Whether what is of no party alone is of these: of their tracks, and their filings."""
    named = {one.track.partition(" ")[0] for one in finding.evidence if one.track}
    named |= {one.ref.origin.partition("/")[0] for one in finding.evidence if one.ref is not None}
    return not named or named <= set(parties)


def agreement_documents(bound: Iterable[Bound]) -> list[dict[str, Any]]:
    """The agreements that were judged by, for programs, with the entries that prove them."""
    from keepclear.times import to_text
    from keepclear.watch.telling import entry_document

    return [
        {
            "agreement": one.agreement, "document": one.period.document.hash, "from": to_text(one.period.from_s),
            "to": None if one.period.to_s is None else to_text(one.period.to_s),
            "entries": [entry_document(ref) for ref in one.refs],
        }
        for one in bound
    ]  # fmt: skip


def term_documents(found: Iterable[tuple[Bound, Finding]]) -> list[dict[str, Any]]:
    """What terms say, for programs."""
    from keepclear.watch.telling import entry_document

    return [
        {
            "agreement": bound.agreement, "document": bound.period.document.hash, "term": finding.term,
            "clause": finding.clause, "result": finding.result.value, "sentence": finding.sentence,
            "evidence": [
                {"entry": None if one.ref is None else entry_document(one.ref), "track": one.track or None,
                 "note": one.note or None}
                for one in finding.evidence
            ],
        }
        for bound, finding in found
    ]  # fmt: skip


def _latest(offline: Offline, tracks: Sequence[Flown]) -> float:
    """How far record and tracks go: what a document says of its own time holds after the last entry too."""
    return max([offline.last_s, *(float(one.track.time_s[-1]) for one in tracks)])


def _terms(name: str, document: Document) -> tuple[Term, ...]:
    return tuple(_each_term(name, document))


def _each_term(name: str, document: Document) -> Iterator[Term]:
    from keepclear.agreements.terms.geometry import Annexes
    from keepclear.agreements.terms.registry import UnknownTerm, read_term

    annexes = Annexes(document.annexes)
    for one in document.terms:
        try:
            term = read_term(one.members, annexes, parties=document.parties, agreement=name, file=name)
            term.contributes()  # an area that cannot be drawn is found by drawing it
            yield term
        except KeepclearError:  # it was signed as it is: it cannot be judged, and so nothing is within it
            yield UnknownTerm(
                id=one.id, clause=one.clause, clause_hash=one.clause_hash, parties=frozenset(document.parties),
                members=one.members, written_type=one.type,
            )  # fmt: skip


def _span(filings: Sequence[Filed], tracks: Sequence[Flown]) -> tuple[float | None, float | None]:
    if tracks:
        return (
            min(float(one.track.time_s[0]) for one in tracks),
            max(float(one.track.time_s[-1]) for one in tracks),
        )
    starts, ends = [one.start_s for one in filings], [one.end_s for one in filings]
    low = None if None in starts else min((one for one in starts if one is not None), default=None)
    return low, None if None in ends else max((one for one in ends if one is not None), default=None)


def _is_seen(planned: Encounter, tracks: Sequence[Flown], met: Iterable[Encounter]) -> bool:
    """Whether tracks tell of what was planned: both were seen for all of that time, or for as much as they met."""
    filings = {planned.filing_a, planned.filing_b}
    whole = {
        one.operation for one in tracks
        if one.track.time_s[0] <= planned.from_s and one.track.time_s[-1] >= planned.to_s
    }  # fmt: skip
    return filings <= whole or any(
        {one.filing_a, one.filing_b} == filings and one.from_s <= planned.to_s and one.to_s >= planned.from_s
        for one in met
    )
