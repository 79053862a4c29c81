"""Terms: a hundred of them over ten thousand operations, beside what is asked for.

The operations are those of `bench.node_plans`: patrols, convoys and flights along a border, from a fixed seed, and most
of them within the terms, as they would be. The terms are of every type that looks at filings, with borders of some
hundred positions. One core, one process, everything compiled; reading the terms is timed too.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator

import numpy as np

from bench.record import RecordFigure
from keepclear.agreements.contradictions import contradictions
from keepclear.agreements.evaluating import Evaluation, evaluate
from keepclear.agreements.facts import Filed, Given, RecordView
from keepclear.agreements.terms.base import Term
from keepclear.agreements.terms.registry import read_terms
from keepclear.model.extents import Track, Volume
from keepclear.model.footprints import Circle, Polygon
from keepclear.model.heights import Height
from keepclear.model.kinds import Domain, OperationKind
from keepclear.model.operations import Operation, Participant
from keepclear.record.bodies.talk import AnswerGiven
from keepclear.record.entries import EntryRef

__all__ = ["filings_of", "terms_figures", "terms_of"]

SEED = 29
OPERATIONS, TERMS = 10_000, 100
DAY_S, START_S = 86_400.0, 1_572_566_400.0
PARTIES = ("north", "south", "relief")
KINDS = (
    OperationKind.PATROL,
    OperationKind.CONVOY,
    OperationKind.FLIGHT,
    OperationKind.MEDEVAC,
    OperationKind.EXERCISE,
)


def terms_figures(*, quick: bool = False) -> list[RecordFigure]:
    """The figures of terms."""
    operations, terms = (1_000, 100) if quick else (OPERATIONS, TERMS)
    return list(_figures(operations, terms))


def _figures(operations: int, terms: int) -> Iterator[RecordFigure]:
    filings = filings_of(operations)
    annexes, listed = terms_of(terms)
    began = time.perf_counter()
    made = read_terms(listed, annexes, parties=PARTIES)
    yield RecordFigure(f"{terms:,} terms read", time.perf_counter() - began, "s", None)
    _evaluated(filings[:200], made)  # compiled, or loaded
    began = time.perf_counter()
    found = _evaluated(filings, made)
    took = time.perf_counter() - began
    yield RecordFigure(f"{operations:,} operations × {terms:,} terms", took, "s", 2.0)
    yield RecordFigure("findings of them that are not met", float(len(found.findings)), "", None)
    began = time.perf_counter()
    contradictions(made)
    yield RecordFigure(f"contradictions of {terms:,} terms", time.perf_counter() - began, "s", None)


def _evaluated(filings: list[Filed], terms: tuple[Term, ...]) -> Evaluation:
    return evaluate(terms, filings, (), RecordView(frozenset(PARTIES)), at_s=START_S + 2 * DAY_S)


def filings_of(number: int, *, seed: int = SEED) -> list[Filed]:
    """Filings of a day, for three parties, along a border from 38°E to 42°E at 37°N: most within 10 km to the south."""
    random = np.random.default_rng(seed)
    return [_filing(row, random) for row in range(number)]


def _filing(row: int, random: np.random.Generator) -> Filed:
    party = PARTIES[row % 3]
    kind = KINDS[int(random.choice(len(KINDS), p=(0.45, 0.3, 0.17, 0.05, 0.03)))]
    lon, lat = random.uniform(38.2, 41.8), 37.0 - abs(random.normal(0.055, 0.012))
    start = START_S + random.uniform(0.0, DAY_S)
    end = start + random.uniform(1800.0, 6 * 3600.0)
    volumes: tuple[Volume, ...] = ()
    tracks: tuple[Track, ...] = ()
    if kind is OperationKind.FLIGHT:
        floor, ceiling = Height.of_flight_level(100.0), Height.of_flight_level(200.0)
        volumes = (Volume(Circle(lon, lat, 2000.0), floor, ceiling, start, end),)
    elif row % 5 == 0:
        corners = 0.01 * np.array([(-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1)]) + (lon, lat)
        volumes = (Volume(Polygon((corners,)), None, None, start, end),)
    else:
        steps = random.normal(0.0, 0.003, (8, 2)).cumsum(axis=0)
        times = np.linspace(start, end, 8)
        tracks = (Track(times, lon + 3 * steps[:, 0], lat + steps[:, 1] * 0.5, np.full(8, np.nan), late_s=600.0),)
    domains = frozenset({Domain.AIR}) if kind is OperationKind.FLIGHT else frozenset({Domain.GROUND})
    people = (Participant(party, "", 4, "truck"),)
    plan = Operation(party, f"P{row}", kind, volumes, tracks, domains, people)
    ref = EntryRef(f"{party}/border/log", row, hashlib.sha256(str(row).encode()).digest())
    told = start - random.choice([26.0, 50.0, 3.0], p=[0.5, 0.48, 0.02]) * 3600.0
    others = frozenset(PARTIES) - {party}
    answers = tuple(Given(ref, other, AnswerGiven.SEEN, told + 600.0) for other in sorted(others))
    return Filed(
        ref, party, plan, recipients=others, said_s=told, counts_from_s=told, start_s=start, end_s=end, answers=answers
    )


def terms_of(number: int) -> tuple[dict[str, bytes], list[dict[str, object]]]:
    """Terms of all types that look at filings, and the annex with their geometry."""
    random = np.random.default_rng(SEED + 1)
    lon = np.linspace(38.0, 42.0, 200)
    border = np.column_stack((lon, 37.0 + 0.01 * np.sin(9 * lon)))
    features = [_feature("border", "LineString", border.tolist())]
    for row in range(number):
        x, y = random.uniform(38.2, 41.8), random.uniform(36.3, 37.6)
        corners = [[x - 0.1, y - 0.05], [x + 0.1, y - 0.05], [x + 0.1, y + 0.05], [x - 0.1, y + 0.05]]
        features.append(_feature(f"area{row}", "Polygon", [[*corners, corners[0]]]))
    annex = json.dumps({"type": "FeatureCollection", "features": features}).encode()
    return {"map.geojson": annex}, [_term(row) for row in range(number)]


def _term(row: int) -> dict[str, object]:
    line, place = {"line": "map.geojson#border"}, f"map.geojson#area{row}"
    given: list[dict[str, object]] = [
        {"type": "DEPTH_BAND", **line, "side": "south", "max": f"{12 + row % 7} km", "kinds": ["patrol", "convoy"]},
        {"type": "EXCLUSION_ZONE", "area": place},
        {"type": "BUFFER_FROM_LINE", **line, "distance": "100 m", "side": "north", "kinds": ["flight"]},
        {"type": "SITE_PROTECTION", "site": place, "buffer": "5 km"},
        {"type": "NOTIFY", "lead": "24 h"},
        {"type": "FORCE_LIMIT", "area": place, "max": 200},
        {"type": "AREA_ALLOCATION", "areas": {"north": place}},
        {"type": "ACK", "deadline": "12 h"},
        {"type": "ACTIVITY_LIMIT", **line, "distance": "1 km", "side": "north"},
        {"type": "WITHDRAW", "force": "militia", **line, "side": "south", "distance": "30 km",
         "start": "2019-10-23T09:00:00Z", "duration": "150 h"},
    ]  # fmt: skip
    return {"id": f"T{row}", "clause": f"c{row}"} | given[row % len(given)]


def _feature(name: str, kind: str, coordinates: object) -> dict[str, object]:
    return {"type": "Feature", "id": name, "geometry": {"type": kind, "coordinates": coordinates}}


if __name__ == "__main__":
    for figure in terms_figures():
        print(figure)
