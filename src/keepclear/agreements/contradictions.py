"""What is wrong with terms taken together: those that cannot both be kept, and exemptions that go in circles.

They are reported and not mended: which of two terms is meant, only the parties can say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from keepclear.agreements.borders import Side, on_surface, side_named
from keepclear.agreements.terms.base import Term
from keepclear.agreements.terms.cease import Cease
from keepclear.agreements.terms.corridor import CorridorTerm
from keepclear.agreements.terms.depth_band import DepthBand
from keepclear.agreements.terms.duration import Duration
from keepclear.agreements.terms.exclusion_zone import ExclusionZone
from keepclear.agreements.terms.fields import region_of
from keepclear.agreements.terms.joint_activity import JointActivity
from keepclear.agreements.terms.min_separation import MinSeparation
from keepclear.agreements.terms.notify import Notify
from keepclear.agreements.terms.quantities import said_duration, said_length, said_moment

__all__ = ["Contradiction", "contradictions"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Terms that do not go together.

    Attributes
    ----------
    terms
        Their ids, in the order in which they stand.
    sentence
        What is wrong, naming the clauses and what each asks.
    certain
        Whether they cannot both be kept; else they only ask different things of the same, which may be meant.
    """

    terms: tuple[str, ...]
    sentence: str
    certain: bool


def contradictions(terms: Sequence[Term]) -> tuple[Contradiction, ...]:
    """All pairs of terms that contradict each other, and all circles of exemptions."""
    found = [one for a, b in combinations(terms, 2) if _bind_the_same(a, b) for one in _of_two(a, b)]
    return (*found, *_ends(terms), *_circles(terms))


def _of_two(a: Term, b: Term) -> Iterator[Contradiction]:
    for first, second in ((a, b), (b, a)):
        if isinstance(first, DepthBand) and isinstance(second, ExclusionZone):
            yield from _covered(first, second)
        if isinstance(first, CorridorTerm) and isinstance(second, ExclusionZone) and first.rule == "stay inside":
            yield from _blocked(first, second)
        if isinstance(first, JointActivity) and isinstance(second, Cease) and second.area is None:
            yield _pair(first, second, "one asks for an activity that the other says has ceased", certain=True)
    if isinstance(a, DepthBand) and isinstance(b, DepthBand):
        yield from _bands(a, b)
    if isinstance(a, Notify) and isinstance(b, Notify):
        yield from _notices(a, b)
    if isinstance(a, MinSeparation) and isinstance(b, MinSeparation):
        asked = {(one.horizontal_m, one.vertical_m) for one in (a, b)}
        if len(asked) > 1:
            what = (
                f"one asks {said_length(a.horizontal_m)} and the other {said_length(b.horizontal_m)} between the same"
            )
            yield _pair(a, b, what, certain=False)
    if isinstance(a, CorridorTerm) and isinstance(b, CorridorTerm) and a.axis.name == b.axis.name and a.rule != b.rule:
        yield _pair(
            a, b, f"one asks to stay inside a corridor along {a.axis.name}, the other outside of one", certain=False
        )


def _bands(a: DepthBand, b: DepthBand) -> Iterator[Contradiction]:
    if not np.array_equal(a.line.positions, b.line.positions):
        return
    if a.named_side is not b.named_side:
        yield _pair(a, b, f"they ask for bands on different sides of {a.line.name}: nothing is in both", certain=True)
    elif a.max_m < b.min_m or b.max_m < a.min_m:
        yield _pair(a, b, f"no depth from {a.line.name} is in both bands: {_band(a)}, and {_band(b)}", certain=True)


def _covered(band: DepthBand, zone: ExclusionZone) -> Iterator[Contradiction]:
    """A zone that covers all of a band leaves nowhere to be, unless it is only for some heights."""
    if zone.floor is not None or zone.ceiling is not None:
        return
    middle = _inner_line(band)
    outside = region_of((zone.area,)).outside(middle)
    if len(outside) and float(outside.max()) <= 0.0:
        what = f"the zone {zone.area.name} covers the band of {_band(band)} along all of its middle"
        yield _pair(band, zone, what, certain=False)


def _blocked(corridor: CorridorTerm, zone: ExclusionZone) -> Iterator[Contradiction]:
    if zone.floor is not None or zone.ceiling is not None:
        return
    axis = corridor.axis.border
    outside = region_of((zone.area,)).outside(on_surface(axis.line))
    if float(outside.max()) <= 0.0:
        yield _pair(
            corridor, zone, f"the zone {zone.area.name} covers all of the axis {corridor.axis.name}", certain=False
        )


def _notices(a: Notify, b: Notify) -> Iterator[Contradiction]:
    for first, second in ((a, b), (b, a)):
        if first.max_lead_s is not None and second.lead_s > first.max_lead_s:
            one, other = said_duration(first.max_lead_s), said_duration(second.lead_s)
            yield _pair(
                first, second, f"one asks for notice at most {one} before, the other at least {other}", certain=True
            )
            return
    if a.lead_s != b.lead_s:
        what = f"one asks for notice of {said_duration(a.lead_s)}, the other of {said_duration(b.lead_s)}, for the same"
        yield _pair(a, b, what, certain=False)


def _ends(terms: Sequence[Term]) -> Iterator[Contradiction]:
    durations = [one for one in terms if isinstance(one, Duration)]
    for a, b in combinations(durations, 2):
        if (a.months, a.renewal) != (b.months, b.renewal):
            what = f"one says that the agreement runs {a.months} months, the other {b.months}"
            yield _pair(a, b, what, certain=True)
    for duration in durations:
        since = duration.start_s if duration.start_s is not None else duration.from_s
        end = None if since is None else duration.ends_s(since)
        for term in terms:
            if end is not None and term is not duration and term.from_s is not None and term.from_s >= end:
                ends, begins = said_moment(end), said_moment(term.from_s)
                what = f"the agreement runs until {ends}, and the term binds only from {begins}"
                yield _pair(duration, term, what, certain=True)


def _circles(terms: Sequence[Term]) -> Iterator[Contradiction]:
    """Exemptions that name terms as their activity ("T2"), and come back to where they began."""
    by_id = {term.id: term for term in terms}
    leads = {
        term.id: [one.activity for one in term.exemptions if one.activity in by_id and one.activity != term.id]
        for term in terms
    }
    told: set[frozenset[str]] = set()
    for term in terms:
        if any(one.activity == term.id for one in term.exemptions):
            sentence = f"{term.name}: its exemption is what the term itself asks, so it always or never applies."
            yield Contradiction((term.id,), sentence, certain=True)
        circle = _circle_from(term.id, leads)
        if circle and frozenset(circle) not in told:
            told.add(frozenset(circle))
            way = " → ".join((*circle, circle[0]))
            yield Contradiction(tuple(circle), f"the exemptions of these terms go in a circle: {way}.", certain=True)


def _circle_from(start: str, leads: dict[str, list[str]]) -> list[str]:
    """A way along exemptions from a term back to itself; empty if there is none. Not recursive: chains can be long."""
    came: dict[str, str] = {}
    todo = [start]
    while todo:
        here = todo.pop()
        for after in leads[here]:
            if after == start:
                way = [here]
                while way[-1] != start:
                    way.append(came[way[-1]])
                return way[::-1]
            if after not in came:
                came[after] = here
                todo.append(after)
    return []


def _bind_the_same(a: Term, b: Term) -> bool:
    """Whether there can be something that both bind, at one time."""
    if isinstance(a, JointActivity | Cease) and isinstance(b, JointActivity | Cease):
        kinds_a, kinds_b = a.kinds or a.KINDS, b.kinds or b.KINDS
    else:
        kinds_a, kinds_b = a.kinds, b.kinds
    sets = ((a.parties, b.parties), (kinds_a, kinds_b), (a.domains, b.domains), (set(a.classes), set(b.classes)))
    if any(one and other and not one & other for one, other in sets):
        return False
    ends = a.until_s is None or b.from_s is None or b.from_s < a.until_s
    return ends and (b.until_s is None or a.from_s is None or a.from_s < b.until_s)


def _inner_line(band: DepthBand) -> Array:
    """Points in the middle of a band, along all of its line."""
    from pyproj import Geod

    line = band.line.border.line
    geod = Geod(ellps="WGS84")
    azimuth, _, _ = geod.inv(line[:-1, 0], line[:-1, 1], line[1:, 0], line[1:, 1])
    turn = -90.0 if side_named(band.line.positions, band.side) is Side.LEFT else 90.0
    depth = np.full(len(line) - 1, 0.5 * (band.min_m + band.max_m))
    lon, lat, _ = geod.fwd(line[:-1, 0], line[:-1, 1], np.asarray(azimuth) + turn, depth)
    return on_surface(np.column_stack((lon, lat)))


def _band(term: DepthBand) -> str:
    return f"{said_length(term.min_m)} to {said_length(term.max_m)}"


def _pair(a: Term, b: Term, what: str, *, certain: bool) -> Contradiction:
    verdict = "cannot both be kept" if certain else "may not go together"
    return Contradiction((a.id, b.id), f"{a.name} and {b.name} {verdict}: {what}.", certain)
