"""Whatever bytes come, entries are read as they are or refused; and every plan comes back as it was told."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepclear import Operation, Polygon, Track, Volume, Zone
from keepclear.errors import InputError, IntegrityError, PeerError
from keepclear.model.extents import TrackBasis
from keepclear.model.footprints import Circle, Corridor, Edges
from keepclear.model.heights import Height, HeightReference
from keepclear.model.kinds import Domain, OperationKind, ZoneKind, ZoneRule
from keepclear.model.operations import JointPlan, Participant, Source
from keepclear.record.bodies.plans import OperationBody, ZoneBody
from keepclear.record.canonical import canonical, parse, parse_canonical
from keepclear.record.entries import Entry, Leaf
from keepclear.times import EARLIEST_S, LATEST_S
from tests.fuzz.record_entries import TARGETS, samples

targets = pytest.mark.parametrize("name", TARGETS)
ODD_BYTES = st.sampled_from(
    [
        b'"a":1,', b"1e400", b"-0", b"1.0", b"9007199254740992", b"\\ud800", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"NaN",
        b"[" * 70, b'{"a":' * 70, b"\x00", b"null", b"true", b"{}", b"[]", b" ", b"\\u0041", b"2026-02-30", b"/",
        b"A" * 44, b'"exercise":false,', b'"x":[1.5,{"b":null}],', "\uffff".encode(), b"1" * 5000,
    ]
) | st.binary(max_size=8)  # fmt: skip


@targets
def test_the_samples_hold(name):
    for sample in samples()[name]:
        assert TARGETS[name](sample), sample


@targets
@given(data=st.binary(max_size=300))
def test_random_bytes(name, data):
    TARGETS[name](data)


@targets
@given(data=st.data())
def test_samples_with_damaged_bytes(name, data):
    damaged = data.draw(st.sampled_from(samples()[name]), "sample")
    for _ in range(data.draw(st.integers(1, 3), "how often")):
        start = data.draw(st.integers(0, len(damaged)), "start")
        end = data.draw(st.integers(start, min(len(damaged), start + 20)), "end")
        damaged = damaged[:start] + data.draw(ODD_BYTES, "put") + damaged[end:]
    TARGETS[name](damaged)


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


def _places(value, path=()):
    yield path
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in steps:
        yield from _places(inner, (*path, step))


@pytest.mark.parametrize("name", ["leaf", "body", "entry file"])
@given(data=st.data())
def test_samples_with_odd_members(name, data):
    head, mark, text = data.draw(st.sampled_from(samples()[name]), "sample").rpartition(b"\n")
    document = json.loads(text)
    path = data.draw(st.sampled_from([place for place in _places(document) if place]), "path")
    holder = document
    for step in path[:-1]:
        holder = holder[step]
    if data.draw(st.booleans(), "remove"):
        del holder[path[-1]]
    else:
        holder[path[-1]] = data.draw(JSON_VALUES, "put")
    try:
        changed = canonical(document)
    except InputError:
        return
    TARGETS[name](head + mark + changed)


@given(value=JSON_VALUES)
def test_what_is_written_is_read_as_the_same_value(value):
    try:
        data = canonical(value)
        same = parse_canonical(data)
    except (InputError, PeerError):
        text = json.dumps(value, ensure_ascii=False)
        odd = any(0xFDD0 <= ord(one) <= 0xFDEF or ord(one) & 0xFFFE == 0xFFFE for one in text)
        assert odd or _has_large_whole_float(value)
        return
    assert same == value
    assert canonical(same) == data


@given(value=JSON_VALUES, data=st.data())
def test_one_value_has_one_canonical_text(value, data):
    try:
        right = canonical(value)
        parse_canonical(right)
    except (InputError, PeerError):
        return
    options = {"ensure_ascii": data.draw(st.booleans()), "indent": data.draw(st.sampled_from([None, 1]))}
    options["separators"] = data.draw(st.sampled_from([(",", ":"), (", ", ": ")]))
    other = json.dumps(value, **options).encode()
    if other != right:
        parse(other, limit=1 << 20)
        with pytest.raises(PeerError, match="canonical"):
            parse_canonical(other)


def _has_large_whole_float(value):
    if isinstance(value, float):
        return abs(value) >= 2**53
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(map(_has_large_whole_float, inner))


NAMES = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,62}\Z")


@given(
    type=st.from_regex(r"\A[a-z][a-z0-9-]{0,62}\Z") | st.sampled_from(["operation", "message"]),
    version=st.integers(1, 65_535),
    line=NAMES,
    party=NAMES,
    time_s=st.floats(EARLIEST_S, LATEST_S - 1),
    recipients=st.sets(NAMES, max_size=5),
    exercise=st.booleans(),
    salt=st.binary(min_size=32, max_size=32),
    body=st.binary(max_size=50),
)
def test_entries_come_back_as_they_were(salt, body, type, version, **said):  # noqa: A002
    entry = Entry.said(type, version, body=body, salt=salt, **said)
    entry.check()
    assert Leaf.of_bytes(entry.leaf.to_bytes()) == entry.leaf
    assert entry.leaf.time_s == pytest.approx(said["time_s"], abs=0.0006)
    again = Entry.of_json(entry.to_json())
    assert again == entry
    again.check()
    other = Entry(entry.leaf, salt, body + b" ")
    with pytest.raises(IntegrityError):
        other.check()


LON, LAT = st.floats(-180, 180), st.floats(-90, 90)
TIMES = st.floats(EARLIEST_S, LATEST_S)
HEIGHTS = st.builds(Height, st.floats(-12_000, 1e6), st.sampled_from(HeightReference))
POSITIONS = st.lists(st.tuples(LON, LAT), min_size=1, max_size=5).map(np.array)
EDGES = st.sampled_from(Edges)


@st.composite
def polygons(draw):
    west, south, wide = draw(st.floats(-179, 150)), draw(st.floats(-80, 50)), draw(st.floats(0.5, 29))
    rings = [_box(west, south, wide)]
    if draw(st.booleans()):
        rings.append(_box(west + wide / 2, south + wide / 8, wide / 8))
    return Polygon(tuple(rings), draw(EDGES))


def _box(west, south, wide):
    return np.array([[west, south], [west + wide, south], [west + wide, south + wide], [west, south]])


FOOTPRINTS = (
    polygons()
    | st.builds(Circle, LON, LAT, st.floats(0, 1e7))
    | st.builds(Corridor, POSITIONS, st.floats(0, 1e7), EDGES)
)


@st.composite
def volumes(draw):
    start, end = sorted([draw(TIMES), draw(TIMES)])
    floor, ceiling = draw(st.none() | HEIGHTS), draw(st.none() | HEIGHTS)
    if floor and ceiling and floor.reference == ceiling.reference and floor.value_m > ceiling.value_m:
        floor, ceiling = ceiling, floor
    return Volume(
        draw(FOOTPRINTS),
        floor,
        ceiling,
        draw(st.sampled_from([None, start])),
        draw(st.sampled_from([None, end])),
        draw(st.floats(0, 1e12)),
    )


@st.composite
def tracks(draw):
    n = draw(st.integers(1, 5))

    def many(numbers):
        return draw(st.lists(numbers, min_size=n, max_size=n).map(np.array))

    def tolerance(numbers):
        return draw(numbers) if draw(st.booleans()) else many(numbers)

    slips = st.floats(0, 1e12) | st.just(math.inf)
    return Track(
        np.sort(many(TIMES)),
        many(LON),
        many(LAT),
        many(st.floats(-12_000, 1e6) | st.just(math.nan)),
        draw(st.sampled_from(HeightReference)),
        draw(st.sampled_from(TrackBasis)),
        tolerance(st.floats(0, 1e12)),
        tolerance(slips),
        tolerance(slips),
    )


# What is no character (a noncharacter, half of a surrogate pair) is refused, in a test of its own.
WORDS = st.text(st.characters(exclude_categories=["Cs", "Cn"]), max_size=8)
IDS = WORDS.filter(str.strip)


@st.composite
def operations(draw):
    standing = draw(st.lists(volumes(), max_size=2))
    return Operation(
        draw(IDS),
        draw(IDS),
        draw(st.none() | st.sampled_from(OperationKind)),
        tuple(standing),
        tuple(draw(st.lists(tracks(), min_size=0 if standing else 1, max_size=2))),
        draw(st.frozensets(st.sampled_from(Domain))),
        tuple(draw(st.lists(st.builds(Participant, WORDS, WORDS, st.none() | st.integers(0, 99), WORDS), max_size=2))),
        draw(st.none() | st.builds(JointPlan, WORDS, st.frozensets(WORDS, max_size=3))),
        draw(WORDS),
        draw(st.none() | st.floats(0, 1e5, exclude_min=True, exclude_max=True)),
        Source("a file of ours", "feature 1"),
    )


ZONES = st.builds(
    Zone, IDS, IDS, st.sampled_from(ZoneKind), st.lists(volumes(), min_size=1, max_size=2).map(tuple),
    st.sampled_from(ZoneRule), WORDS,
)  # fmt: skip


def assert_same(mine, theirs):
    """That two values of the model are the same, number by number."""
    assert type(mine) is type(theirs)
    if isinstance(mine, np.ndarray):
        assert mine.dtype == theirs.dtype
        assert mine.shape == theirs.shape
        assert np.array_equal(mine, theirs, equal_nan=True)
    elif isinstance(mine, tuple):
        assert len(mine) == len(theirs)
        for one, other in zip(mine, theirs, strict=True):
            assert_same(one, other)
    elif hasattr(mine, "__dataclass_fields__") and not isinstance(mine, Source):
        for name in mine.__dataclass_fields__:
            assert_same(getattr(mine, name), getattr(theirs, name))
    elif not isinstance(mine, Source):
        assert mine == theirs


@given(operation=operations())
def test_operations_come_back_exactly(operation):
    data = OperationBody.of_model(operation).to_bytes()
    body = OperationBody.of_bytes(data)
    assert body.to_bytes() == data
    assert_same(body.to_model(), operation)
    assert b"a file of ours" not in data


@given(zone=ZONES)
def test_zones_come_back_exactly(zone):
    data = ZoneBody.of_model(zone).to_bytes()
    body = ZoneBody.of_bytes(data)
    assert body.to_bytes() == data
    assert_same(body.to_model(), zone)
