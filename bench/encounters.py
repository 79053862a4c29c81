"""A day of a thousand units at 0.1 Hz: every encounter found, and labelled by a record of filings and answers.

Made up, with a fixed seed: patrols, flights and drones of five parties wander about 500 by 500 km, each for two
operations that were filed, most of them seen, some late, some not at all.
"""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bench.memory import peak_bytes
from bench.record import RecordFigure
from keepclear.agreements.facts import Filed, Flown, Given, RecordView
from keepclear.model.extents import Track, TrackBasis
from keepclear.model.heights import HeightReference
from keepclear.model.kinds import Domain, OperationKind
from keepclear.model.operations import Operation
from keepclear.record.bodies.talk import AnswerGiven
from keepclear.record.entries import EntryRef
from keepclear.watch.encounters import encounters
from keepclear.watch.labels import Labelled, Labelling

__all__ = ["Day", "day_of_units", "encounter_figures", "labelled"]

SEED = 24
UNITS, QUICK_UNITS = 1_000, 100
PARTIES = ("blue", "green", "red", "white", "yellow")
BEGINS_S = 1_790_000_000.0
DAY_S, STEP_S = 86_400.0, 10.0
SIDE_M = 500_000.0
DEGREE_M = 111_320.0
SHARES = ((OperationKind.PATROL, Domain.GROUND, 0.8), (OperationKind.FLIGHT, Domain.AIR, 0.12))
SPEEDS = {Domain.GROUND: (8.0, 18.0), Domain.AIR: (120.0, 230.0), Domain.UAS: (30.0, 60.0)}

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Day:
    """Tracks, and what was filed."""

    tracks: Sequence[Flown]
    filings: Sequence[Filed]
    record: RecordView


def day_of_units(count: int, *, seed: int = SEED) -> Day:
    """A day of so many units."""
    rng = np.random.default_rng(seed)
    tracks, filings = [], []
    for number in range(count):
        share = number / count
        kind, domain = OperationKind.UAS, Domain.UAS
        for one, where, upto in (SHARES[0], (*SHARES[1][:2], SHARES[0][2] + SHARES[1][2])):
            if share < upto:
                kind, domain = one, where
                break
        party = PARTIES[number % len(PARTIES)]
        flown = _flown(rng, party, f"{kind.value}-{number}", kind, domain)
        tracks.append(flown)
        filings += list(_filed(rng, flown, number))
    return Day(tracks, filings, RecordView(frozenset(PARTIES)))


def _flown(rng: np.random.Generator, party: str, unit: str, kind: OperationKind, domain: Domain) -> Flown:
    """From one place to the next, at even speed, all day."""
    times = BEGINS_S + np.arange(0.0, DAY_S, STEP_S)
    speed = rng.uniform(*SPEEDS[domain])
    stops = rng.uniform(0.0, SIDE_M, (2 + int(speed * DAY_S / (0.4 * SIDE_M)), 2))
    legs = np.linalg.norm(np.diff(stops, axis=0), axis=1)
    at_m = np.concatenate(([0.0], np.cumsum(legs)))
    along = np.minimum((times - BEGINS_S) * speed, at_m[-1])
    east, north = (np.interp(along, at_m, stops[:, k]) for k in (0, 1))
    lat = 34.0 + north / DEGREE_M
    lon = 38.0 + east / (DEGREE_M * np.cos(np.radians(36.0)))
    level = {Domain.GROUND: 400.0, Domain.AIR: 3_000.0 + 300.0 * rng.integers(0, 25), Domain.UAS: 800.0}[domain]
    height = np.full(len(times), float(level))
    track = Track(times, lon, lat, height, HeightReference.W84, TrackBasis.FLOWN, 10.0)
    return Flown(party, unit, track, None, kind.value, gap_s=60.0, domains=frozenset({domain}))


def _filed(rng: np.random.Generator, flown: Flown, number: int) -> Iterator[Filed]:
    """Two filings, each for half of the day, and the answers to them."""
    half = len(flown.track.time_s) // 2
    for part, piece in enumerate((slice(0, half, 60), slice(half, None, 60))):
        track = flown.track
        plan = Track(
            track.time_s[piece], track.lon_deg[piece], track.lat_deg[piece], track.height_m[piece],
            HeightReference.W84, late_s=300.0,
        )  # fmt: skip
        operation = Operation(
            flown.party, f"{flown.unit}-{part}", OperationKind(flown.kind), tracks=(plan,), domains=flown.domains
        )
        if rng.random() < 0.1:
            continue
        start = float(plan.time_s[0])
        counts = start - rng.choice([30.0, 5.0, 1.0, -1.0]) * 3600.0
        ref = _ref(flown.party, 2 * number + part)
        others = frozenset(PARTIES) - {flown.party}
        answers = tuple(
            Given(_ref(one, 1_000_000 + 2 * number + part), one, AnswerGiven.SEEN, counts + rng.uniform(60.0, 7200.0))
            for one in sorted(others)
            if rng.random() < 0.8
        )
        yield Filed(
            ref, flown.party, operation, recipients=others, counts_from_s=counts, start_s=start,
            end_s=float(plan.time_s[-1]), answers=tuple(sorted(answers, key=lambda one: one.at_s)),
        )  # fmt: skip


def _ref(party: str, index: int) -> EntryRef:
    return EntryRef(f"{party}/bench/log", index, hashlib.sha256(f"{party} {index}".encode()).digest())


def labelled(day: Day) -> list[Labelled]:
    """Every encounter of a day, with its label."""
    labelling = Labelling(day.filings, day.record, day.tracks)
    return [labelling.label(one) for one in encounters(day.tracks)]


def encounter_figures(*, quick: bool) -> list[RecordFigure]:
    """How long it takes, and how much memory besides the tracks."""
    count = QUICK_UNITS if quick else UNITS
    labelled(day_of_units(20, seed=1))  # compiles, or loads from the cache
    day = day_of_units(count)
    positions = sum(len(one.track.time_s) for one in day.tracks)
    began = time.perf_counter()
    found = labelled(day)
    took_s = time.perf_counter() - began
    _, peak = peak_bytes(lambda: labelled(day))
    counts = {name: sum(one.label == name for one in found) for name in sorted({one.label for one in found})}
    print(f"{len(found):,} encounters: {counts}", file=sys.stderr)
    what = f"a day of {count:,} units at 0.1 Hz ({positions:,} positions, {len(found):,} encounters)"
    return [
        RecordFigure(f"{what}: all labels", took_s, "s", 10.0),
        RecordFigure(f"{what}: memory besides the tracks", peak / 1e6, "MB", 300.0),
    ]


if __name__ == "__main__":
    for figure in encounter_figures(quick="--quick" in sys.argv):
        print(figure)
