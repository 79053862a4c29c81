"""What may be attached."""

from __future__ import annotations

import io
import zipfile

import pytest

from keepclear.line.attachments import ATTACHMENT_TYPE, MOST_SCANNED, guard_attachment
from keepclear.line.guards import NO_SHARING, Outcome

KML = b"<kml><Placemark><name>%s</name><Point><coordinates>40.1512,35.2812,0</coordinates></Point></Placemark></kml>"
JSON = b'{"type":"Feature","properties":{"name":"%s"},"geometry":{"type":"Point","coordinates":[40.1512,35.2812]}}'


def _zip(**files: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in files.items():
            file.writestr(name.replace("_", "."), content)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("tool.exe", b""), ("map.png.EXE ", b""), ("map.png", b"MZ\x90"), ("a.txt", b"#!/bin/sh"), ("x", b"\x7fELF"),
        ("form.docm", b"PK"), ("map.kmz", b"PK\x03\x04 broken"), ("a.zip", _zip(a_exe=b"")),
        ("a.zip", _zip(b_zip=_zip(c_txt=b"x"))), ("a.7z", b"7z\xbc\xaf"), ("page.html", b"<p>"),
    ],
)  # fmt: skip
def test_what_machines_run_or_cannot_be_looked_into_is_refused(name, data):
    verdict = guard_attachment(name, data)
    assert (verdict.outcome, verdict.guard) == (Outcome.REFUSE, ATTACHMENT_TYPE)


@pytest.mark.parametrize("made", [KML, JSON])
@pytest.mark.parametrize(("word", "outcome"), [(b"Target 1", Outcome.REFUSE), (b"Water point", Outcome.PASS)])
def test_map_files_are_read_as_text(made, word, outcome):
    for name, data in (("a.kml", made % word), ("a.kmz", _zip(doc_kml=made % word)), ("a.txt", made % word)):
        verdict = guard_attachment(name, data)
        assert verdict.outcome is outcome
        assert verdict.guard == (NO_SHARING if outcome else "")


def test_the_message_and_its_map_are_judged_together():
    data = KML % b"Place 1"
    assert guard_attachment("a.kml", data, text="The clinics that we know of").outcome is Outcome.PASS
    assert guard_attachment("a.kml", data, text="Strike all of these").outcome is Outcome.REFUSE


def test_what_is_not_read_to_its_end_is_flagged():
    assert guard_attachment("a.txt", b"tea " * MOST_SCANNED).outcome is Outcome.FLAG
    assert guard_attachment("a.zip", _zip(a_txt=b"\x00" * 50_000_000)).outcome is Outcome.FLAG


def test_a_picture_passes():
    assert guard_attachment("a.png", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40).outcome is Outcome.PASS
