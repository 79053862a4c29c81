import gzip
import importlib
import inspect
import io
import json
import os
import sys
import threading
from pathlib import Path

import pytest

from keepclear.errors import InputError
from keepclear.formats.opening import unopened
from keepclear.formats.registry import FORMATS, format_named, formats_table, parse_source, read, read_many
from keepclear.model.kinds import OperationKind, ZoneKind
from keepclear.model.operations import Plans

CSV = b"operation,time,lat,lon,height_m\nA,2026-01-31T09:00:00Z,46.0,7.0,500\nA,2026-01-31T09:00:10Z,46.01,7.0,500\n"


def zone(identifier="Z1"):
    return {
        "identifier": identifier,
        "country": "CHE",
        "restriction": "PROHIBITED",
        "applicability": [{"permanent": "YES"}],
        "geometry": [
            {"uomDimensions": "M", "horizontalProjection": {"type": "Circle", "center": [7, 46], "radius": 9}}
        ],
    }


def zones(*identifiers):
    return json.dumps({"features": [zone(identifier) for identifier in identifiers or ("Z1",)]}).encode()


def faults_of(call, *args, **kwargs):
    with pytest.raises(InputError) as caught:
        call(*args, **kwargs)
    return [str(fault) for fault in caught.value.faults]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("known", [known for known in FORMATS if known.reads], ids=lambda known: known.name)
def test_every_format_has_its_reader_and_says_how_much_it_reads(known):
    module = importlib.import_module(known.module)
    assert callable(module.read)
    assert known.cap_bytes == vars(module).get("MOST_BYTES")
    assert known.windowed == ("window" in inspect.signature(module.read).parameters)


def test_names_and_usual_extensions_are_known_by_one_format_each():
    assert len({known.name for known in FORMATS}) == len(FORMATS)
    assert all(extension.startswith(".") and extension.islower() for known in FORMATS for extension in known.extensions)
    assert format_named(" KML ").name == "kml"
    (fault,) = faults_of(format_named, "shapefile")
    assert all(known.name in fault for known in FORMATS)


def test_the_table_has_a_row_for_each_format():
    rows = formats_table()
    assert [row[0] for row in rows] == [known.name for known in FORMATS]
    by_name = {row[0]: row for row in rows}
    assert by_name["geojson"][2] == "read and write"
    assert by_name["f3548"][2:4] == ("read", "64 MiB")
    assert by_name["csv"][3] == "any size, in pieces"
    assert by_name["json"][2:4] == ("write", "")


def test_a_file_is_told_by_its_content_whatever_it_is_called(folder):
    Path("zones.gpx").write_bytes(zones())
    plans = read("zones.gpx")
    assert [(found.party, found.id) for found in plans.zones] == [("zones", "CHE-Z1")]


def test_a_path_a_stream_and_standard_input_give_the_same(folder, monkeypatch):
    path = folder / "zones.json"
    path.write_bytes(zones())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(zones())))
    with path.open("rb") as stream:
        sources = (path, str(path), io.BytesIO(zones()), stream, "-")
        found = [read(source, party="FOCA").zones[0] for source in sources]
    assert {(one.party, one.id) for one in found} == {("FOCA", "CHE-Z1")}
    assert [one.source.file for one in found] == [str(path)] * 2 + ["stream", str(path), "standard input"]


def test_the_party_of_standard_input_is_stdin(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(zones())))
    assert read("-").zones[0].party == "stdin"


@pytest.mark.parametrize("name", ["zones.json", "positions.csv"])
def test_what_comes_through_a_pipe_is_read_though_one_cannot_go_back_in_it(folder, name):
    data = zones() if name.endswith(".json") else CSV
    os.mkfifo(name)
    writer = threading.Thread(target=Path(name).write_bytes, args=(data,))
    writer.start()
    plans = read(name)
    writer.join()
    assert len(plans.zones) + len(plans.operations) == 1


def test_a_format_may_be_said(folder):
    assert read(io.BytesIO(zones()), format="ed269").zones
    assert "one of" in faults_of(read, io.BytesIO(zones()), format="x")[0]
    assert "json is written, not read" in faults_of(read, io.BytesIO(zones()), format="json")[0]


def test_kind_and_party_reach_the_reader():
    (found,) = read(io.BytesIO(zones()), party="UN", kind=ZoneKind.PROTECTED_SITE).zones
    assert (found.party, found.kind) == ("UN", ZoneKind.PROTECTED_SITE)


def test_a_window_reaches_only_the_readers_that_take_one():
    assert read(io.BytesIO(zones()), window=(0.0, 1.0)).zones
    assert read(io.BytesIO(CSV), window=(None, None)).operations


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("missing.gpx", "missing.gpx: no such file"),
        ("folder.gpx", "folder.gpx: a directory"),
        ("empty.gpx", "empty.gpx: an empty file"),
        ("positions.csv.gz", "compressed with gzip"),
        ("unknown.dat", "unknown.dat: no format that keepclear knows"),
        ("unknown.json", "no format that keepclear knows"),
        ("broken.json", "broken.json: line 2 column 1: not JSON"),
        ("a\0b", "cannot be opened"),
        ("x" * 5000, "cannot be opened"),
        ("", "a directory"),
    ],
)
def test_what_cannot_be_read_is_a_fault_of_one_line(folder, name, words):
    Path("folder.gpx").mkdir()
    Path("empty.gpx").touch()
    Path("positions.csv.gz").write_bytes(gzip.compress(CSV))
    Path("unknown.dat").write_bytes(b"hello\nworld")
    Path("unknown.json").write_bytes(b'{"hello": 1}')
    Path("broken.json").write_bytes(b'{"hello": 1,\n}')
    (fault,) = faults_of(read, name)
    assert words in fault
    assert "\n" not in fault
    if "no format" in words:
        assert all(known.name in fault for known in FORMATS if known.reads)


def test_what_the_system_will_not_open_is_a_fault():
    # Raised by hand: tests may run as a user to whom everything is permitted.
    assert "permission denied" in str(unopened("secret.gpx", PermissionError(13, "Permission denied")))
    assert "Too many open files" in str(unopened("a.gpx", OSError(24, "Too many open files")))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plan.gpx", ("plan.gpx", None, None)),
        ("plan.gpx@UN", ("plan.gpx", "UN", None)),
        ("plan.gpx@UN Mission:convoy", ("plan.gpx", "UN Mission", OperationKind.CONVOY)),
        ("plan.gpx@UN:No_Go-Area", ("plan.gpx", "UN", ZoneKind.NO_GO_AREA)),
        ("a@b.gpx@UN", ("a@b.gpx", "UN", None)),
        ("a@b/plan.gpx", ("a@b/plan.gpx", None, None)),
        (r"C:\plans\a.gpx@UN:uas", (r"C:\plans\a.gpx", "UN", OperationKind.UAS)),
        (r"C:\pl@ns\a.gpx", (r"C:\pl@ns\a.gpx", None, None)),
        ("-@UN:uas", ("-", "UN", OperationKind.UAS)),
        ("-", ("-", None, None)),
    ],
)
def test_sources_name_file_party_and_kind(folder, text, expected):
    assert parse_source(text) == expected


def test_a_path_that_exists_as_it_stands_wins(folder):
    Path("plan@UN:convoy").touch()
    assert parse_source("plan@UN:convoy") == ("plan@UN:convoy", None, None)
    assert parse_source("plan@UN:convoy@OCHA") == ("plan@UN:convoy", "OCHA", None)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a.gpx@", "no party after the @"),
        ("a.gpx@:uas", "no party after the @"),
        ("@UN", "no file before the @"),
        ("a.gpx@UN:tank", "unknown kind (got 'tank')"),
        ("a.gpx@UN:", "unknown kind"),
    ],
)
def test_sources_that_say_half_are_refused(folder, text, words):
    assert words in faults_of(parse_source, text)[0]


def test_many_files_are_read_as_one(folder):
    Path("a.json").write_bytes(zones("Z1", "Z2"))
    Path("b.json").write_bytes(zones("Z1"))
    Path("c.csv").write_bytes(CSV)
    plans = read_many(["a.json@FOCA", "b.json", "c.csv"])
    assert [(one.party, one.id) for one in plans.zones] == [("FOCA", "CHE-Z1"), ("FOCA", "CHE-Z2"), ("b", "CHE-Z1")]
    assert [one.party for one in plans.operations] == ["c"]
    assert read_many([]) == Plans()


def test_files_that_share_a_name_are_different_parties(folder):
    for name in ("un", "ocha"):
        Path(name).mkdir()
        Path(name, "zones.json").write_bytes(zones())
    assert [one.party for one in read_many(["un/zones.json", "ocha/zones.json"]).zones] == ["un/zones", "ocha/zones"]


def test_files_that_share_a_name_but_not_an_extension_are_different_parties(folder):
    Path("plan.json").write_bytes(zones())
    Path("plan.csv").write_bytes(CSV)
    Path("other.csv").write_bytes(CSV)
    plans = read_many(["plan.json", "plan.csv", "other.csv"])
    assert [one.party for one in (*plans.zones, *plans.operations)] == ["plan.json", "plan.csv", "other"]


def test_an_id_in_two_files_of_one_party_is_a_fault_that_names_both(folder):
    Path("a.json").write_bytes(zones("Z1", "Z2"))
    Path("b.json").write_bytes(zones("Z2"))
    (fault,) = faults_of(read_many, ["a.json@UN", "b.json@UN"])
    assert fault.startswith("b.json: zone CHE-Z2: id: ")
    assert "a.json" in fault


def test_a_file_given_twice_is_a_fault(folder):
    Path("a.json").write_bytes(zones())
    (fault,) = faults_of(read_many, ["a.json", "a.json"])
    assert "given twice" in fault


def test_a_file_of_many_given_twice_is_one_fault(folder):
    Path("a.json").write_bytes(zones("Z1", "Z2", "Z3"))
    (fault,) = faults_of(read_many, ["a.json@UN", "a.json@UN"])
    assert fault.startswith("a.json: the file is given twice; give it once")


def test_every_fault_of_every_file_is_said(folder):
    Path("a.json").write_bytes(json.dumps({"features": [zone() | {"restriction": "?"}, 5]}).encode())
    faults = faults_of(read_many, ["a.json", "missing.gpx", "b.gpx@UN:tank"])
    assert len(faults) == 4
    assert sum("a.json" in fault for fault in faults) == 2


def test_a_stream_that_fails_while_it_is_read_is_a_fault():
    class Failing(io.RawIOBase):
        def __init__(self):
            self.left = [CSV]

        def readable(self):
            return True

        def readinto(self, buffer):
            if not self.left:
                raise OSError(5, "Input/output error")
            data = self.left.pop()
            buffer[: len(data)] = data
            return len(data)

    assert "Input/output error" in faults_of(read, Failing())[0]
