"""Canonical JSON: the examples of RFC 8785, and what RFC 7493 forbids."""

from __future__ import annotations

import json
import math
import struct
import time
from pathlib import Path

import pytest

from keepclear.errors import InputError, PeerError
from keepclear.record.canonical import DEEPEST, MOST_CONTAINERS, MOST_INTEGER, canonical, parse, parse_canonical

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "record" / "rfc8785.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("row", VECTORS["numbers"], ids=lambda row: row["ieee754"])
def test_numbers_of_appendix_b(row):
    number = struct.unpack(">d", bytes.fromhex(row["ieee754"]))[0]
    assert canonical(number).decode() == row["json"]
    if abs(number) < 2**53 or abs(number) >= 1e21:
        assert parse_canonical(row["json"].encode()) == number


@pytest.mark.parametrize("bits", VECTORS["no numbers"])
def test_what_is_no_number_in_appendix_b_has_no_text(bits):
    with pytest.raises(InputError, match="cannot be written as JSON"):
        canonical(struct.unpack(">d", bytes.fromhex(bits))[0])


@pytest.mark.parametrize("example", VECTORS["values"], ids=lambda example: example["section"])
def test_examples_of_section_3_2(example):
    value = parse(example["json"].encode(), limit=10_000)
    wanted = bytes.fromhex(example["canonical_hex"])
    assert canonical(value) == wanted
    assert parse_canonical(wanted) == value
    with pytest.raises(PeerError, match="not canonical"):
        parse_canonical(example["json"].encode())


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"[1,]", "not JSON"),
        (b"{'a':1}", "not JSON"),
        (b"01", "not JSON"),
        (b"1 2", "not JSON"),
        (b'"\n"', "not JSON: Invalid control character"),
        (b"[NaN]", "not JSON: NaN"),
        (b"-Infinity", "not JSON: -Infinity"),
        (b"[1e400]", "larger than a double"),
        (b"9007199254740992", "beyond"),
        (b"-9007199254740992", "beyond"),
        (b"9" * 100_000, "beyond"),
        (b'{"a":1,"b":2,"a":3}', "the name 'a' twice"),
        (b'{"a":1,"\\u0061":3}', "the name 'a' twice"),
        (b'{"x":{"\\u001b":1,"\\u001b":2}}', r"the name '\\x1b' twice"),
        (b'"\xff"', "not UTF-8 at byte 1"),
        (b'"\xed\xa0\x80"', "not UTF-8"),
        (b'\xef\xbb\xbf""', "byte order mark"),
        ('"a"'.encode("utf-16"), "not UTF-8"),
        (b'"\\ud800"', "surrogate"),
        (b'{"\\udfff":1}', "surrogate"),
        (b'"\\uffff"', "noncharacter"),
        ('"\ufdd0"'.encode(), "noncharacter"),
        ('"\U0010fffe"'.encode(), "noncharacter"),
        (b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1), "nested deeper"),
        (b'{"a":' * (DEEPEST + 1) + b"1" + b"}" * (DEEPEST + 1), "nested deeper"),
        (b"[" * 500_000, "nested deeper"),
    ],
)
def test_what_i_json_forbids_is_refused(data, problem):
    for read in (parse_canonical, lambda text: parse(text, limit=1 << 20)):
        with pytest.raises(PeerError, match=problem) as refused:
            read(data)
        assert len(str(refused.value)) < 300
        assert str(refused.value).isprintable()


def test_what_is_longer_than_the_limit_is_refused_unread():
    assert parse(b"[1]", limit=3) == [1]
    with pytest.raises(PeerError, match="3 bytes, more than the 2 allowed"):
        parse(b"[1]", limit=2)
    with pytest.raises(PeerError, match="more than"):
        parse(b"[" + b"[]," * MOST_CONTAINERS + b"[]]", limit=1 << 26)


def test_brackets_in_strings_are_no_depth():
    value = ["[" * 100, '\\"[{' * 100, [[]]]
    assert parse_canonical(canonical(value)) == value
    deepest = b"[" * DEEPEST + b"]" * DEEPEST
    assert canonical(parse_canonical(deepest)) == deepest


@pytest.mark.parametrize(
    "data",
    [
        b"0.00001e5", b"12.50", b"0.1000000000000000055",
        b' {"a":1}', b'{"a":1}\n', b'{"a": 1}', b'{"b":1,"a":2}', b"1.0", b"1e0", b"-0", b"-0.0", b"0.10", b"1E-7",
        b"1e-07", b"1e+7", b"100000000000000000000e1", b'"\\u0041"', b'"\\/"', b'"\\u000A"', b'"\\u001F"', b'"\\u20ac"',
        '{"\ufb33":1,"\U0001f600":2}'.encode(),
    ],
)  # fmt: skip
def test_another_text_of_the_same_value_is_not_canonical(data):
    value = parse(data, limit=100)
    with pytest.raises(PeerError, match="not canonical"):
        parse_canonical(data)
    assert parse_canonical(canonical(value)) == value


@pytest.mark.parametrize(
    "value",
    [
        math.nan, -math.inf, MOST_INTEGER + 1, -MOST_INTEGER - 1, "\ud800", {"\udc00": 1}, "\uffff", {"\U0001fffe": 1},
        {1: 2}, {1}, b"bytes", object(), [math.nan],
    ],
)  # fmt: skip
def test_what_has_no_text_is_refused(value):
    with pytest.raises(InputError):
        canonical(value)


@pytest.mark.parametrize(
    "text", [b"0.1", b"-41.00000000000001", b"0.000001", b"1e-7", b"5e-324", b"1e+21", b"123456789.12345679"]
)
def test_numbers_at_their_shortest_are_canonical(text):
    assert canonical(parse_canonical(text)) == text


def test_a_value_that_holds_itself_is_refused():
    value: list[object] = []
    value.append(value)
    with pytest.raises(InputError):
        canonical(value)
    with pytest.raises(InputError, match="nested deeper"):
        canonical(json.loads("[" * (DEEPEST + 1) + "]" * (DEEPEST + 1)))


def test_the_largest_integers_are_read():
    assert parse_canonical(b"[9007199254740991,-9007199254740991]") == [MOST_INTEGER, -MOST_INTEGER]


@pytest.mark.parametrize(
    "data",
    [
        b'"' * 1_000_000, b'[{"' + b'\\"' * 500_000, b'{"' + b"\\" * 999_999, b"[" + b'"[[",' * 150_000,
        b"{" * 70 + b'\\"' * 500_000,
    ],
)  # fmt: skip
def test_hostile_texts_are_refused_soon(data):
    started = time.thread_time()
    with pytest.raises(PeerError):
        parse(data, limit=1 << 21)
    assert time.thread_time() - started < 5.0, "a time that grows with the square of the length"


def test_many_names_one_of_them_twice_is_found_soon():
    names = [f'"{number}":0' for number in range(100_000)]
    started = time.thread_time()
    with pytest.raises(PeerError, match="the name '99999' twice"):
        parse(f"{{{','.join([*names, names[-1]])}}}".encode(), limit=1 << 22)
    assert time.thread_time() - started < 5.0
