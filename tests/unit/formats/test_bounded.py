import io
import json

import pytest

from keepclear.errors import InputError
from keepclear.formats.bounded import (
    DEEPEST,
    MOST_CONTAINERS,
    MOST_ELEMENTS,
    load_json,
    parse_xml,
    read_bounded,
    size_text,
)
from keepclear.formats.reading import Reading


@pytest.fixture
def reading():
    return Reading("plans.json", "UN")


def refusal(call, *args):
    with pytest.raises(InputError) as caught:
        call(*args)
    assert all("\n" not in str(fault) for fault in caught.value.faults)
    return str(caught.value)


def test_a_stream_is_read_whole_up_to_its_cap(reading):
    assert read_bounded(io.BytesIO(b"x" * 3_000_000), 3_000_000, reading) == b"x" * 3_000_000


def test_one_byte_more_than_the_cap_is_refused_and_the_cap_is_named(reading):
    message = refusal(read_bounded, io.BytesIO(b"x" * (2 << 20) + b"y"), 2 << 20, reading)
    assert message.startswith("plans.json: larger than 2 MiB")


def test_no_more_than_the_cap_is_ever_asked_for(reading):
    class Endless(io.RawIOBase):
        given = 0

        def read(self, count=-1):
            assert count > 0
            self.given += count
            return b" " * count

    stream = Endless()
    refusal(read_bounded, stream, 5_000_000, reading)
    assert stream.given == 5_000_001


def test_a_disk_that_fails_is_a_fault_of_the_file(reading):
    class Broken(io.RawIOBase):
        def read(self, _count=-1):
            raise OSError(5, "Input/output error")

    assert refusal(read_bounded, Broken(), 10, reading) == "plans.json: cannot be read: Input/output error"


@pytest.mark.parametrize(
    ("count", "text"), [(10, "10 bytes"), (1536, "1.5 KiB"), (64 << 20, "64 MiB"), (3 << 30, "3 GiB")]
)
def test_sizes_are_written_as_people_write_them(count, text):
    assert size_text(count) == text


@pytest.mark.parametrize(
    "value", [None, True, 0, -1.5, 2**53, 'ä \U0001f600 \\ " ]]]', [], {}, {"a": [{"b": [1, 2.5]}]}, "\ud7ff\ue000"]
)
@pytest.mark.parametrize("ascii_only", [True, False])
def test_json_that_is_json_is_read(value, ascii_only, reading):
    assert load_json(json.dumps(value, ensure_ascii=ascii_only).encode(), reading) == value


def test_a_byte_order_mark_is_allowed(reading):
    assert load_json(b"\xef\xbb\xbf[1]", reading) == [1]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (b"", "line 1 column 1: not JSON"),
        (b'{"a": 1,}', "line 1 column 9: not JSON"),
        (b'{\n  "a" 1\n}', "line 2 column 7: not JSON"),
        (b"[1] [2]", "line 1 column 5: not JSON"),
        (b'["a\x00b"]', "line 1 column 4: not JSON"),
        (b"[1,\n\n \xff]", "line 3 column 2: not UTF-8"),
        ('["ä\n'.encode("utf-16"), "line 1 column 1: not UTF-8"),
    ],
)
def test_broken_json_is_refused_with_its_place(text, where, reading):
    assert refusal(load_json, text, reading).startswith(f"plans.json: {where}")


@pytest.mark.parametrize("text", [b"NaN", b"[Infinity]", b'{"a": -Infinity}', b"[1e999]", b"[-1E+400]"])
def test_numbers_that_are_not_finite_are_refused(text, reading):
    assert "finite number" in refusal(load_json, text, reading)


def test_a_number_that_is_merely_tiny_is_read(reading):
    assert load_json(b"[1e-999]", reading) == [0.0]


def test_a_name_given_twice_is_refused(reading):
    message = refusal(load_json, b'{"id": {"a": 1, "b": 2, "a": 3}}', reading)
    assert "twice" in message
    assert "'a'" in message


@pytest.mark.parametrize("digits", [41, 5_000, 1_000_000])
def test_long_integers_are_refused_before_they_are_converted(digits, reading):
    assert "at most 40 digits" in refusal(load_json, b"[" + b"7" * digits + b"]", reading)


@pytest.mark.parametrize("half", [b'["\\ud800"]', b'{"\\uDC00": 1}', b'[["\\ud800\\ud800"]]'])
def test_half_of_a_surrogate_pair_is_refused(half, reading):
    assert "surrogate" in refusal(load_json, half, reading)


def test_the_deepest_nesting_is_read_and_one_more_is_not(reading):
    assert load_json(b"[" * DEEPEST + b"]" * DEEPEST, reading)
    message = refusal(load_json, b"\n" + b'{"a":' * (DEEPEST + 1) + b"1" + b"}" * (DEEPEST + 1), reading)
    assert f"line 2 column {5 * DEEPEST + 1}: nested deeper than {DEEPEST}" in message


def test_a_million_brackets_do_no_harm(reading):
    assert "nested deeper" in refusal(load_json, b"[" * 1_000_000, reading)


@pytest.mark.parametrize("text", ["[" * 200, "]" * 200 + "{", '\\" [[[', "\\"])
def test_brackets_in_texts_are_no_nesting(text, reading):
    data = json.dumps([text, {"a": text}]).encode()
    assert load_json(data, reading) == [text, {"a": text}]


def test_brackets_in_texts_hide_no_nesting(reading):
    deep = b'["' + b"]" * 300 + b'",' + b"[" * 300
    assert "nested deeper" in refusal(load_json, deep, reading)


def test_nesting_is_counted_across_the_pieces_it_is_counted_in(reading):
    long = json.dumps(["x" * 40] * 60_000).encode()  # larger than two pieces
    nested = b"[" * (DEEPEST - 1) + long + b"]" * (DEEPEST - 1)
    assert load_json(nested, reading)
    assert "nested deeper" in refusal(load_json, b"[" + nested + b"]", reading)
    assert "nested deeper" in refusal(load_json, long[:-1] + b"," + b"[" * DEEPEST, reading)


def test_brackets_too_many_to_hold_are_refused_before_they_are_read(reading):
    assert "lists and objects" in refusal(load_json, b"[" + b"[]," * MOST_CONTAINERS + b"[]]", reading)
    text = "[]" * (MOST_CONTAINERS // 2 + 1)
    assert load_json(f'["{text}"]'.encode(), reading) == [text]


def test_faults_found_before_are_kept(reading):
    reading.fault("something else")
    assert refusal(load_json, b"{", reading).splitlines()[0] == "plans.json: something else"


def test_xml_is_read_in_the_encodings_it_declares(reading):
    assert parse_xml(b'<?xml version="1.0" encoding="iso-8859-1"?><a>\xe4</a>', reading).text == "ä"
    assert parse_xml('<?xml version="1.0" encoding="utf-16"?><a>ä</a>'.encode("utf-16"), reading).text == "ä"
    assert parse_xml(b"\xef\xbb\xbf<a><b/></a>", reading).tag == "a"


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (b"", "line 1 column 1: not XML"),
        (b"<a>\n<b></a>", "line 2 column 6: not XML"),
        (b"<a>\x00</a>", "line 1 column 4: not XML"),
        (b"<a>&nbsp;</a>", "line 1 column 4: not XML"),
        (b"<a/><b/>", "line 1 column 5: not XML"),
        (b"<a>\xff</a>", "line 1 column 4: not XML"),
    ],
)
def test_broken_xml_is_refused_with_its_place(text, where, reading):
    assert refusal(parse_xml, text, reading).startswith(f"plans.json: {where}")


@pytest.mark.parametrize("encoding", ["utf-7", "idna", "hex", "no-such", "shift_jis", "rot13", "zlib"])
def test_encodings_that_are_not_supported_are_refused(encoding, reading):
    document = f'<?xml version="1.0" encoding="{encoding}"?><a/>'.encode()
    assert "encoding" in refusal(parse_xml, document, reading)


@pytest.mark.parametrize(
    "document",
    [
        b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "http://localhost/">]><a>&x;</a>',
        b'<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;&b;&b;">]><a>&c;</a>',
        b'<!DOCTYPE a [<!ENTITY % p "x"> %p;]><a/>',
        b"<!DOCTYPE a><a/>",
    ],
)
def test_document_types_and_entities_are_refused(document, reading):
    assert "<!DOCTYPE" in refusal(parse_xml, document, reading)


def test_deep_xml_is_refused_and_the_deepest_allowed_is_read(reading):
    assert parse_xml(b"<a>" * DEEPEST + b"</a>" * DEEPEST, reading).tag == "a"
    assert "nested deeper" in refusal(parse_xml, b"<a>" * (DEEPEST + 1) + b"</a>" * (DEEPEST + 1), reading)
    assert "nested deeper" in refusal(parse_xml, b"<a>" * 200_000, reading)
    assert len(parse_xml(b"<a>" + b"<b/>" * 1000 + b"</a>", reading)) == 1000


@pytest.mark.slow
def test_elements_too_many_to_hold_are_refused(reading):
    assert "elements" in refusal(parse_xml, b"<a>" + b"<b/>" * MOST_ELEMENTS + b"</a>", reading)
