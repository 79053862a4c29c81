"""KMZ archives: the first KML counts, and no archive unpacks to more than it may."""

from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepclear.errors import InputError
from keepclear.formats import kmz
from keepclear.formats.kml import read
from keepclear.formats.reading import Reading

KML = b"<kml><Placemark><name>%s</name><Point><coordinates>1,2</coordinates></Point></Placemark></kml>"


def packed(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def read_bytes(data: bytes):
    return read(io.BytesIO(data), Reading("plan.kmz", "red"))


def words_of(data: bytes) -> str:
    with pytest.raises(InputError) as caught:
        read_bytes(data)
    return str(caught.value)


def test_the_first_kml_counts_and_others_are_named():
    plans = read_bytes(packed({"a.png": b"x", "doc.KML": KML % b"first", "files/b.kml": KML % b"second"}))
    assert [operation.name for operation in plans.operations] == ["first"]
    assert any("1 more" in warning for warning in plans.warnings)


def test_a_bomb_is_refused():
    bomb = b"<kml>" + b" " * (64 << 20) + b"</kml>"
    assert "200 times" in words_of(packed({"doc.kml": bomb}))


def test_a_bomb_with_a_false_size_is_refused():
    data = bytearray(packed({"doc.kml": b"<kml>" + b" " * (64 << 20) + b"</kml>"}))
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = data.rfind(signature) + offset
        data[at : at + 4] = (1000).to_bytes(4, "little")
    assert "\n" not in words_of(bytes(data))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"PK", "not a KMZ archive"),
        (b"PK\x03\x04" + b"\0" * 100, "not a KMZ archive"),
        (packed({"a.txt": b"x"}), "no KML in the archive"),
        (packed({}), "no KML in the archive"),
        (packed({"doc.kml": KML % b"x"}, zipfile.ZIP_LZMA), "unusual way"),
        (packed({"doc.kml": KML % b"x"})[:-30], "not a KMZ archive"),
    ],
)
def test_archives_that_are_refused(data, words):
    assert words in words_of(data)


def test_an_encrypted_archive_is_refused():
    data = bytearray(packed({"doc.kml": KML % b"x"}))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.rfind(signature) + offset] |= 1
    assert "encrypted" in words_of(bytes(data))


def test_too_many_members(monkeypatch):
    monkeypatch.setattr(kmz, "MOST_MEMBERS", 5)
    assert "more than 5 files" in words_of(packed({f"{number}.txt": b"" for number in range(6)}))


WHOLE = packed({"doc.kml": KML % b"whole"})


@settings(max_examples=300, deadline=None)
@given(st.integers(2, len(WHOLE) - 1), st.integers(0, 255), st.integers(0, 40))
def test_a_damaged_archive_gives_values_or_an_input_error(at, byte, cut):
    data = bytearray(WHOLE)
    data[at] = byte
    try:
        got = read_bytes(bytes(data[: len(data) - cut])).operations
    except InputError as error:
        got = error.faults
    assert got
