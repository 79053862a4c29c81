"""What terms about lines share: judging plans and tracks by a field, and saying what was found."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from keepclear.agreements.excess import Excess, Field, Standing, excess_of_plan, excess_of_track
from keepclear.agreements.facts import Filed, Finding, Flown, Result
from keepclear.agreements.terms.base import Scene, Term, filed_name
from keepclear.agreements.terms.batch import Batch
from keepclear.agreements.terms.binding import plan_of_track
from keepclear.agreements.terms.quantities import said_length, said_moment
from keepclear.model.kinds import SPEED_LIMIT_M_S
from keepclear.separation.sentences import place

__all__ = ["filing_by_field", "screened_by_field", "track_by_field", "when"]

_RESULTS = {Standing.WITHIN: Result.MET, Standing.MAYBE: Result.POSSIBLE, Standing.OUT: Result.BREACHED}


def filing_by_field(term: Term, filed: Filed, field: Field, what: str) -> tuple[Finding, ...]:
    """What a term says of a filing by a field; `what` is what it asks, as in "outside WHAT"."""
    if filed.plan is None:
        sentence = f"{filed_name(filed)} cannot be judged: {filed.problem or 'it says neither where nor when'}."
        return (term.about(Result.POSSIBLE, filed, sentence),)
    found = excess_of_plan(filed.plan, field, (term.from_s, term.until_s), rough=filed.is_rough)
    if found is None:
        return ()
    sentence = f"{filed_name(filed)} {_said(found, what, 'as filed')}"
    return (term.about(_RESULTS[found.standing], filed, sentence, **_times(found)),)


def track_by_field(term: Term, flown: Flown, field: Field, what: str, scene: Scene) -> tuple[Finding, ...]:
    """What a term says of a track by a field."""
    plan = plan_of_track(flown, scene.filing_of(flown))
    speed = max(SPEED_LIMIT_M_S[domain] for domain in plan.domains)
    window = (term.from_s, term.until_s)
    found = excess_of_track(flown.track, field, window, gap_s=flown.gap_s, top_speed_m_s=speed)
    if found is None:
        return ()
    sentence = f"{flown.name} {_said(found, what, 'by its track')}"
    return (term.about_track(_RESULTS[found.standing], flown, sentence, **_times(found)),)


def screened_by_field(batch: Batch, bound: npt.NDArray[np.bool_], field: Field) -> npt.NDArray[np.bool_]:
    """Which of the bound filings are not within a field for certain, by the spheres round them."""
    result = bound.copy()
    rows = np.flatnonzero(bound & np.isfinite(batch.spheres[:, 3]))
    if len(rows):
        at, slack = field(np.ascontiguousarray(batch.centres[rows]))
        reach = batch.spheres[rows, 3]
        result[rows] = ~((at + reach <= 0.0) & (slack > 2.0 * reach))
    return result & ~_within_by_legs(batch, result, field)


def _within_by_legs(batch: Batch, rows: npt.NDArray[np.bool_], field: Field) -> npt.NDArray[np.bool_]:
    """Which of some filings are within a field for certain, by what it says at the positions of their tracks.

    Between two positions the excess is at most the mean of theirs and half the way between them.
    """
    legs = batch.legs
    asked = np.flatnonzero(rows[legs.row])
    within = rows & legs.has_only_tracks
    if not len(asked):
        return np.zeros(len(rows), np.bool_)
    points, length = legs.points[asked], legs.length_m[asked]
    (at_a, slack_a), (at_b, slack_b) = field(points[:, :3]), field(points[:, 3:])
    good = (at_a + at_b + length <= -2.0 * legs.doubt_m[asked]) & (slack_a + slack_b > 2.0 * length)
    within[legs.row[asked[~good]]] = False
    return np.asarray(within)


def when(found: Excess) -> str:
    """The times of an excess in words, in UTC; empty where none is known."""
    if not found.spans:
        return ""
    start, end = found.spans[0][0], found.spans[-1][1]
    times = f" ({len(found.spans)} times)" if len(found.spans) > 1 else ""
    if start is None and end is None:
        return ", at a time that is not known"
    begins = "" if start is None else f" from {said_moment(start)}"
    ends = "" if end is None else f" to {said_moment(end)}"
    return f",{begins}{ends}{times}"


def _said(found: Excess, what: str, how: str) -> str:
    if found.standing is Standing.WITHIN:
        return f"is within {what}, {how}."
    lon, lat = found.place
    far = f"{said_length(found.most_m)} " if found.most_m >= 1.0 else ""
    where = f"near {place((lon, lat, None))}{when(found)}"
    if found.standing is Standing.OUT:
        return f"is {far}outside {what}, {how}, {where}."
    return f"may be outside {what}, {how}, {where}: {'; '.join(found.because)}."


def _times(found: Excess) -> dict[str, float | None]:
    return {"from_s": found.spans[0][0], "to_s": found.spans[-1][1]} if found.spans else {}
