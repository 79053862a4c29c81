"""Names: composed and taken apart again, and numbers and bytes in their one spelling."""

from __future__ import annotations

import base64
import re

import pytest

from keepclear.errors import InputError
from keepclear.record.names import (
    NAME_PATTERN,
    ORIGIN_PATTERN,
    KeyName,
    Purpose,
    identity_name,
    is_key_name,
    is_name,
    is_origin,
    log_origin,
    mirror_name,
    transport_name,
)
from keepclear.record.scalars import base64_bytes, base64_hashes, base64_text, decimal_number

COMPOSED = {
    "a/identity": KeyName("a", Purpose.IDENTITY),
    "a/transport": KeyName("a", Purpose.TRANSPORT),
    "a/north/log": KeyName("a", Purpose.LOG, "north"),
    "a/north/log/2": KeyName("a", Purpose.LOG, "north", 2),
    "a/north/log/999999": KeyName("a", Purpose.LOG, "north", 999_999),
    "a/north/mirror": KeyName("a", Purpose.MIRROR, "north"),
    "log/log/log": KeyName("log", Purpose.LOG, "log"),
    "identity/identity": KeyName("identity", Purpose.IDENTITY),
}


@pytest.mark.parametrize(("text", "name"), COMPOSED.items())
def test_names_are_composed_and_taken_apart(text, name):
    assert name.text == text
    assert KeyName.of_text(text) == name
    assert is_key_name(text)
    assert is_origin(text) is (name.purpose is Purpose.LOG)


def test_each_purpose_has_its_name():
    assert identity_name("a") == "a/identity"
    assert transport_name("a") == "a/transport"
    assert log_origin("a", "north") == "a/north/log"
    assert log_origin("a", "north", begun=3) == "a/north/log/3"
    assert mirror_name("a", "north") == "a/north/mirror"


@pytest.mark.parametrize(
    "text",
    [
        "", "a", "a/log", "a/mirror", "a/north/identity", "a/north/transport", "a//log", "/north/log", "a/north/log/",
        "a/north/log/0", "a/north/log/1", "a/north/log/02", "a/north/log/1000000", "a/north/log/x", "a/north/log/2/3",
        "a/north/mirror/2", "a/identity/", "a/Identity", "a b/identity", "é/identity", "a/north/log\n", "-/identity",
        "sum.golang.org", "example.com/behind-the-sofa",
    ],
)  # fmt: skip
def test_names_of_others_are_not_taken_for_ours(text):
    assert KeyName.of_text(text) is None
    assert not is_origin(text)


@pytest.mark.parametrize("text", ["a", "A", "9", "a.b_c-d", "x" * 63])
def test_names_that_can_be(text):
    assert is_name(text)
    assert re.fullmatch(NAME_PATTERN, text)
    assert re.fullmatch(ORIGIN_PATTERN, f"{text}/{text}/log")


@pytest.mark.parametrize("text", ["", ".", "..", "-a", "_a", "a/b", "a b", "a+b", "a\n", "é", "x" * 64, None, 7])
def test_names_that_cannot_be(text):
    assert not is_name(text)
    if isinstance(text, str):
        with pytest.raises(InputError, match="not a name that a party can have"):
            identity_name(text)
        with pytest.raises(InputError, match="not a name that a line can have"):
            mirror_name("a", text)


@pytest.mark.parametrize(
    ("purpose", "line", "begun"),
    [
        (Purpose.LOG, None, 1),
        (Purpose.MIRROR, None, 1),
        (Purpose.IDENTITY, "north", 1),
        (Purpose.TRANSPORT, "north", 1),
        (Purpose.LOG, "north", 0),
        (Purpose.LOG, "north", 1_000_000),
        (Purpose.MIRROR, "north", 2),
    ],
)
def test_key_names_that_cannot_be_are_not_made(purpose, line, begun):
    with pytest.raises(InputError):
        KeyName("a", purpose, line, begun)


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("1", 1), ("10", 10), (str(2**63 - 1), 2**63 - 1)])
def test_numbers(text, number):
    assert decimal_number(text) == number


@pytest.mark.parametrize(
    "text", ["", "00", "01", "+1", "-1", " 1", "1 ", "1\n", "1.0", "1e3", "٣", str(2**63), "9" * 99]
)
def test_what_is_not_a_number(text):
    assert decimal_number(text) is None


@pytest.mark.parametrize("data", [b"", b"\x00", b"\xff\xfe", b"abc", bytes(range(256))])
def test_bytes(data):
    assert base64_bytes(base64_text(data)) == data


@pytest.mark.parametrize(
    "text", ["A", "AA", "AAA", "AA=", "AB==", "AAB=", "AA==A", "AA==\n", " AA==", "A A=", "AA--", "é", "===="]
)
def test_what_is_not_the_one_spelling_of_bytes(text):
    assert base64_bytes(text) is None


def test_every_last_letter_is_the_spelling_of_its_bytes_or_refused():
    for length in (1, 2, 3, 32):
        whole = base64_text(bytes(length))
        kept = len(whole.rstrip("="))
        for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/":
            text = whole[: kept - 1] + letter + whole[kept:]
            data = base64.b64decode(text)
            assert base64_bytes(text) == (data if base64_text(data) == text else None)


def test_hashes():
    hashes = (bytes(32), bytes(range(32)), b"\xff" * 32)
    lines = [base64_text(one) for one in hashes]
    assert base64_hashes(lines) == hashes
    assert base64_hashes([]) == ()
    short, long, other = base64_text(bytes(31)), base64_text(bytes(33)), lines[0][:-2] + "B="
    for wrong in ("", short, long, other, lines[0] + "\n", f"{lines[0]}\n{lines[0]}", " " + lines[0], lines[0][:-1]):
        assert base64_hashes([*lines, wrong]) is None


def test_no_space_or_control_character_is_in_a_key_name():
    for code in range(0x110000):
        character = chr(code)
        barred = character == "+" or code < 0x20 or character.isspace() or 0xD800 <= code <= 0xDFFF
        assert is_key_name(f"a{character}") is not barred, hex(code)
