"""Plans of every sort, made by Hypothesis, for round trips through the writers."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from keepclear.model.extents import Track, TrackBasis, Volume
from keepclear.model.footprints import Circle, Corridor, Edges, Polygon
from keepclear.model.heights import Height, HeightReference
from keepclear.model.kinds import Domain, OperationKind, ZoneKind, ZoneRule
from keepclear.model.operations import JointPlan, Operation, Participant, Plans, Zone

# Texts without control characters or blanks at their ends: what XML can keep.
texts = st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=1, max_size=12).filter(
    lambda text: text == text.strip() and not any(ord(one) in (0xFFFE, 0xFFFF) for one in text)
)
times = st.floats(0.0, 4e9).map(lambda time_s: round(time_s, 3)) | st.floats(1e6, 4e9)
metres = st.floats(0.0, 1e4)
heights = st.floats(-400.0, 20_000.0)
references = st.sampled_from(HeightReference)


# Bulk numbers come from a seed: drawn one by one they would take most of a test's time.
generators = st.integers(0, 2**32 - 1).map(np.random.default_rng)


@st.composite
def rings(draw):
    rng = draw(generators)
    centre = np.array([rng.uniform(-170, 170), rng.uniform(-80, 80)])
    angle = np.arange(rng.integers(3, 8))
    angle = angle * 2 * np.pi / len(angle)
    around = rng.uniform(0.001, 5.0) * np.column_stack((np.cos(angle), np.sin(angle)))
    around = np.vstack((around, around[:1]))
    ring = centre + around
    return (ring, centre + 0.3 * around) if draw(st.booleans()) else (ring,)


@st.composite
def lines(draw, least=1):
    rng, n = draw(generators), draw(st.integers(least, 6))
    return np.column_stack((rng.uniform(-180, 180, n), rng.uniform(-90, 90, n)))


edges = st.sampled_from(Edges)
circles = st.builds(Circle, st.floats(-180, 180), st.floats(-90, 90), st.floats(0, 1e7))
footprints = (
    st.builds(Polygon, rings(), edges)
    | circles
    | st.builds(Corridor, lines(2), st.just(0.0) | st.floats(0, 1e5), edges)
)


@st.composite
def volumes(draw):
    reference = draw(references)
    low, high = sorted((draw(heights), draw(heights)))
    window = sorted((draw(times), draw(times)))
    return Volume(
        draw(footprints),
        draw(st.none() | st.just(Height(low, reference))),
        draw(st.none() | st.just(Height(high, reference))),
        draw(st.none() | st.just(window[0])),
        draw(st.none() | st.just(window[1])),
        draw(st.just(0.0) | metres),
    )


@st.composite
def tracks(draw):
    rng, line = draw(generators), draw(lines())
    n = len(line)

    def tolerance(*values):
        return rng.choice(values) if draw(st.booleans()) else rng.choice(values, n)

    return Track(
        np.sort(np.round(rng.uniform(0.0, 4e9, n), draw(st.sampled_from([0, 3, 9])))),
        line[:, 0],
        line[:, 1],
        np.where(rng.random(n) < draw(st.sampled_from([0.0, 0.5, 1.0])), np.nan, rng.uniform(-400.0, 20_000.0, n)),
        draw(references),
        draw(st.sampled_from(TrackBasis)),
        tolerance(0.0, rng.uniform(0, 100)),
        tolerance(0.0, rng.uniform(0, 100), np.inf),
        tolerance(0.0, rng.uniform(0, 100), np.inf),
    )


participants = st.builds(Participant, texts, st.just("") | texts, st.none() | st.integers(0, 99), st.just("") | texts)
extents = st.tuples(st.lists(volumes(), max_size=2), st.lists(tracks(), max_size=2)).filter(
    lambda one: one[0] or one[1]
)
operations = st.builds(
    lambda extent, **rest: Operation(volumes=tuple(extent[0]), tracks=tuple(extent[1]), **rest),
    extents,
    party=texts,
    id=texts,
    kind=st.none() | st.sampled_from(OperationKind),
    domains=st.just(frozenset()) | st.frozensets(st.sampled_from(Domain), min_size=1),
    participants=st.lists(participants, max_size=2).map(tuple),
    joint=st.none() | st.builds(JointPlan, texts, st.frozensets(texts, max_size=2)),
    name=st.just("") | texts,
    top_speed_m_s=st.none() | st.floats(0.1, 1e3),
)
zones = st.builds(
    Zone,
    party=texts,
    id=texts,
    kind=st.sampled_from(ZoneKind),
    volumes=st.lists(volumes(), min_size=1, max_size=2).map(tuple),
    rule=st.sampled_from(ZoneRule),
    name=st.just("") | texts,
)
all_plans = st.builds(
    lambda some, others: Plans(tuple(some), tuple(others)),
    st.lists(operations, max_size=2, unique_by=lambda one: (one.party, one.id)),
    st.lists(zones, max_size=2, unique_by=lambda one: (one.party, one.id)),
).filter(lambda plans: plans.operations or plans.zones)
