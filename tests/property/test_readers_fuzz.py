"""Whatever bytes come, a reader gives values or `InputError`, with faults of one line each."""

from __future__ import annotations

import io
import json
import re

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepclear.formats.bounded import DEEPEST
from keepclear.formats.sniffing import sniff
from tests.fuzz.readers import (
    JSON_NAMES,
    READ_NAMES,
    XML_NAMES,
    must_read_or_refuse,
    parquet_bytes,
    parquet_columns,
    samples,
    zip_bytes,
)

names = pytest.mark.parametrize("name", READ_NAMES)

ODD_NUMBERS = st.sampled_from(
    [0, -0.0, -1, 0.1, 90, 90.0000001, -91, 180, -180, 181, 360, 46.0, 1e5, 1e7, 1e16, 1e300, 5e-324, 2**53 + 1, 10**39]
)
# fmt: off
ODD_TEXTS = st.sampled_from([
    "", " ", "\n", "a\nb", "a\tb\u2028c", "\x00", "\ufeff", "\U0010ffff", "x" * 10_000, "NaN", "1e999", "-inf",
    "٣٥", "1,5", "𝟏", "'\"", "%s{0}", "../..", "[[[[", "AGL", "W84", "FT", "M", "Circle", "Polygon", "uas",
    "no-go area", "2026-03-02T08:00:00Z", "2026-03-02T08:00:00", "2026-02-30",
    "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:60Z",
])
# fmt: on
ODD_VALUES = st.recursive(
    st.none() | st.booleans() | ODD_NUMBERS | ODD_TEXTS | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ODD_TEXTS | st.text(), inner, max_size=4),
    max_leaves=8,
)
ODD_BYTES = (
    st.sampled_from(
        b"\x00 \xff \xef\xbb\xbf <!DOCTYPE> &#0; &#xD800; ]]> <![CDATA[ NaN 1e999 \\ud800 \r \" ' , ; PK -".split()
    )
    | st.sampled_from([b"[" * (DEEPEST + 1), b"<a>" * (DEEPEST + 1), b"9" * 400, b"\n\n", b"\x1a"])
    | st.binary(max_size=8)
)


@names
def test_the_samples_are_valid_and_their_format_is_recognised(name):
    for sample in samples()[name]:
        assert must_read_or_refuse(sample, name) is not None
        assert sniff(sample) == name
        assert must_read_or_refuse(sample) is not None


@names
@given(data=st.data())
def test_samples_with_damaged_bytes(name, data):
    damaged = data.draw(st.sampled_from(samples()[name]), "sample")
    for _ in range(data.draw(st.integers(1, 4), "how often")):
        start = data.draw(st.integers(0, len(damaged)), "start")
        end = data.draw(st.integers(start, min(len(damaged), start + 40)), "end")
        again = damaged[start:end] * data.draw(st.sampled_from([0, 1, 2]), "copies")
        damaged = damaged[:start] + data.draw(ODD_BYTES, "put") + again + damaged[end:]
    must_read_or_refuse(damaged, name)
    must_read_or_refuse(damaged)


@names
@given(data=st.data())
def test_samples_that_break_off(name, data):
    sample = data.draw(st.sampled_from(samples()[name]), "sample")
    must_read_or_refuse(sample[: data.draw(st.integers(0, len(sample)), "end")], name)


@names
@given(data=st.binary(max_size=300))
def test_random_bytes(name, data):
    must_read_or_refuse(data, name)
    must_read_or_refuse(data)


def _places(value, path=()):
    yield path
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in steps:
        yield from _places(inner, (*path, step))


def _change(document, path, change, put):
    """Replace, remove, repeat or wrap what stands at `path`."""
    if not path:
        return put
    holder = document
    for step in path[:-1]:
        holder = holder[step]
    step = path[-1]
    if change == "remove":
        del holder[step]
    elif change == "repeat" and isinstance(holder, list):
        holder.insert(step, holder[step])
    elif change == "wrap":
        holder[step] = [holder[step]]
    else:
        holder[step] = put
    return document


@pytest.mark.parametrize("name", JSON_NAMES)
@given(data=st.data())
def test_json_with_odd_members(name, data):
    document = json.loads(data.draw(st.sampled_from(samples()[name]), "sample"))
    for _ in range(data.draw(st.integers(1, 3), "how often")):
        path = data.draw(st.sampled_from(list(_places(document))), "path")
        change = data.draw(st.sampled_from(["replace", "replace", "remove", "repeat", "wrap"]), "change")
        document = _change(document, path, change, data.draw(ODD_VALUES, "put"))
    text = json.dumps(document).encode()
    must_read_or_refuse(text, name)
    must_read_or_refuse(text)


@pytest.mark.parametrize("name", JSON_NAMES)
@given(document=ODD_VALUES)
def test_any_json(name, document):
    must_read_or_refuse(json.dumps(document).encode(), name)


XML_PARTS = re.compile(rb"<[^<>]+>|[^<>\s\"]+|\"[^\"]*\"")


@pytest.mark.parametrize("name", XML_NAMES)
@given(data=st.data())
def test_xml_with_odd_elements_and_texts(name, data):
    sample = data.draw(st.sampled_from(samples()[name]), "sample")
    spans = [match.span() for match in XML_PARTS.finditer(sample)]
    for _ in range(data.draw(st.integers(1, 3), "how often")):
        start, end = data.draw(st.sampled_from(spans), "part")
        other = data.draw(st.sampled_from(spans), "other")
        put = data.draw(
            st.sampled_from([b"", sample[start:end] * 2, sample[slice(*other)]])
            | (ODD_TEXTS | ODD_NUMBERS).map(lambda value: str(value).encode()),
            "put",
        )
        sample = sample[:start] + put + sample[end:]
    must_read_or_refuse(sample, name)


@given(data=st.data())
def test_tables_with_odd_cells(data):
    lines = [line.split(",") for line in samples()["csv"][0].decode().splitlines()]
    for _ in range(data.draw(st.integers(1, 4), "how often")):
        row = data.draw(st.sampled_from(lines), "row")
        cell = data.draw(st.integers(0, len(row) - 1) if row else st.just(0), "cell")
        put = str(data.draw(ODD_TEXTS | ODD_NUMBERS | st.text(max_size=5), "put"))
        row[cell : cell + data.draw(st.integers(0, 2), "replacing")] = [put]
    for separator in (",", ";", "\t"):
        must_read_or_refuse("\n".join(separator.join(line) for line in lines).encode("utf-8", "surrogatepass"), "csv")


ARRAYS = [
    st.lists(st.none() | st.floats(), min_size=4, max_size=4).map(lambda values: pa.array(values, pa.float64())),
    st.lists(st.none() | st.floats(width=32), min_size=4, max_size=4).map(
        lambda values: pa.array(values, pa.float32())
    ),
    st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), min_size=4, max_size=4).map(
        lambda values: pa.array(values, pa.int64())
    ),
    st.lists(st.none() | ODD_TEXTS, min_size=4, max_size=4).map(lambda values: pa.array(values, pa.string())),
    st.lists(st.none() | ODD_TEXTS, min_size=4, max_size=4).map(lambda v: pa.array(v, pa.string()).dictionary_encode()),
    st.lists(st.none() | st.binary(max_size=9), min_size=4, max_size=4).map(
        lambda values: pa.array(values, pa.binary())
    ),
    st.lists(st.none() | st.booleans(), min_size=4, max_size=4).map(pa.array),
    st.lists(st.none() | st.integers(-(2**62), 2**62), min_size=4, max_size=4).map(
        lambda v: pa.array(v, pa.timestamp("us"))
    ),
    st.lists(st.none() | st.integers(-(2**62), 2**62), min_size=4, max_size=4).map(
        lambda values: pa.array(values, pa.timestamp("ns", tz="UTC"))
    ),
    st.lists(st.lists(st.floats(0, 1), max_size=2), min_size=4, max_size=4).map(
        lambda v: pa.array(v, pa.list_(pa.float64()))
    ),
    st.just(pa.nulls(4)),
]


@given(data=st.data())
def test_parquet_with_odd_columns(data):
    columns = parquet_columns()
    for _ in range(data.draw(st.integers(1, 3), "how often")):
        name = data.draw(st.sampled_from([*columns, "late_s", "height_ft", "track", "lon ", "a\nb"]), "column")
        columns[name] = data.draw(st.one_of(ARRAYS), "values")
    must_read_or_refuse(parquet_bytes(columns), "parquet")


@given(
    members=st.dictionaries(
        st.sampled_from(["doc.kml", "a.kml", "b/DOC.KML", "../x.kml", "/etc/x.kml", "x.png", "a\nb.kml"]),
        st.sampled_from([*samples()["kml"], b"", b"<kml/>", b"\x00" * 10_000_000, samples()["kmz"][0]]),
        max_size=3,
    )
)
def test_archives_of_odd_members(members):
    must_read_or_refuse(zip_bytes(members), "kmz")


@pytest.mark.slow
@pytest.mark.parametrize("name", JSON_NAMES)
def test_a_member_in_every_place_may_be_of_every_type(name):
    # Not left to chance: every single place of every sample, with one value of each type.
    for sample in samples()[name]:
        for path in _places(json.loads(sample)):
            for put in (None, True, -1, 1e300, "", "x", "a\n\x1b[2Jb", "y" * 10_000, [], {}, [[]], [{}], {"a": None}):
                document = _change(json.loads(sample), path, "replace", put)
                must_read_or_refuse(json.dumps(document).encode(), name)
            if path:
                must_read_or_refuse(json.dumps(_change(json.loads(sample), path, "remove", None)).encode(), name)


@names
def test_nothing_is_read_from_nothing(name):
    assert must_read_or_refuse(b"", name) is None
    assert must_read_or_refuse(io.BytesIO(b"\n \n").getvalue(), name) is None
