"""All terms of an agreement asked at once: of all filings, those that may be out of a term are looked at closely.

What is left aside is within the term for certain: each filing has a sphere round all of it, and one look at its centre
tells how far all of it is at least. Such filings are counted, and have no finding of their own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from keepclear.agreements.facts import Filed, Finding, Flown, RecordView, Result
from keepclear.agreements.terms.base import Scene, Term
from keepclear.errors import KeepclearError

__all__ = ["Evaluation", "evaluate", "to_be_asked", "warnings_of"]

_WARNED = (Result.BREACHED, Result.POSSIBLE)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What all terms say.

    Attributes
    ----------
    findings
        All that is breached or possible, what is due, and what there is no data for; what is met as far as it is told.
    within
        For each term, how many filings and tracks that it binds were left aside because they are within it.
    at_s
        As of when.
    """

    findings: tuple[Finding, ...]
    within: Mapping[str, int]
    at_s: float

    def of(self, term: str) -> tuple[Finding, ...]:
        """The findings of one term."""
        return tuple(one for one in self.findings if one.term == term)

    def counts(self) -> Mapping[Result, int]:
        """How many findings of each result there are; those left aside are met."""
        found = Counter(one.result for one in self.findings)
        found[Result.MET] += sum(self.within.values())
        return {result: found[result] for result in Result}


def evaluate(
    terms: Iterable[Term],
    filings: Sequence[Filed],
    tracks: Sequence[Flown] = (),
    record: RecordView | None = None,
    *,
    at_s: float,
    full: bool = False,
) -> Evaluation:
    """What all terms say of all filings, tracks and the record, as of a time.

    Parameters
    ----------
    full
        Whether what is met is told one by one; else it may only be counted, which is much faster.
    """
    scene = Scene(filings, tracks, RecordView() if record is None else record, at_s, is_brief=not full)
    findings: list[Finding] = []
    within: dict[str, int] = {}
    for term in terms:
        if full:
            findings += term.evaluate(filings, tracks, scene.record, at_s)
            within[term.id] = 0
        else:
            found, left = _briefly(term, scene)
            findings += found
            within[term.id] = left
    return Evaluation(tuple(findings), within, at_s)


def warnings_of(
    terms: Sequence[Term], filings: Sequence[Filed], record: RecordView, at_s: float
) -> list[list[tuple[Term, Finding]]]:
    """What terms say of each of some filings by itself: what it is not within, or may not be; term after term.

    As if `Term.warnings_for` were asked of each term and each filing, but only those are that may have anything to say.
    A term that cannot be evaluated says that the filing may not be within it.
    """
    scene = Scene(filings, (), record, at_s)
    found: list[list[tuple[Term, Finding]]] = [[] for _ in filings]
    for term in terms:
        for row in to_be_asked(term, scene):
            found[row] += [(term, one) for one in _warnings(term, filings[row], record, at_s)]
    return found


def to_be_asked(term: Term, scene: Scene) -> Sequence[int]:
    """The filings of a scene that may not be within a term; of all others it says that they are, or nothing."""
    try:
        return _rows(_screened(term, scene)[1]) if term.JUDGES_FILINGS and len(scene.filings) else ()
    except KeepclearError:
        return range(len(scene.filings))  # it is left to the term to say why


def _screened(term: Term, scene: Scene) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Which filings a term binds, and which of these are to be looked at."""
    bound = scene.bound(term)
    if term.from_s is not None:
        bound &= scene.batch.ends_s > term.from_s
    return bound, term.screen(scene.batch, bound)


def _warnings(term: Term, filed: Filed, record: RecordView, at_s: float) -> list[Finding]:
    try:
        found = term.warnings_for(filed, record, at_s)
    except KeepclearError as error:
        return [term.finding(Result.POSSIBLE, f"it could not be judged: {error}", party=filed.party, about=filed.ref)]
    return [one for one in found if one.result in _WARNED]


def _briefly(term: Term, scene: Scene) -> tuple[list[Finding], int]:
    findings = list(term.of_scene(scene))
    left = 0
    if term.JUDGES_FILINGS:
        bound, looked_at = _screened(term, scene)
        left += int((bound & ~looked_at).sum())
        findings += term.of_filings((scene.filings[row] for row in _rows(looked_at)), scene)
    tracks: Iterable[Flown] = scene.tracks
    if term.SCREENS_TRACKS and len(scene.tracks):
        everything = np.ones(len(scene.tracks), np.bool_)
        looked_at = term.screen(scene.track_batch, everything)
        left += int((~looked_at).sum())
        tracks = (scene.tracks[row] for row in _rows(looked_at))
    findings += term.of_tracks(tracks, scene)
    return findings, left


def _rows(flags: npt.NDArray[np.bool_]) -> list[int]:
    return [int(row) for row in np.flatnonzero(flags)]
