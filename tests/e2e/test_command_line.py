"""The real program, run as a person or a script runs it: what it prints and how it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest

import keepclear
from keepclear.separation.minima import MinimaTable

PROGRAM = str(Path(sys.executable).parent / "keepclear")

HEADER = "operation,party,kind,time,lat,lon,height_m,track\n"
# Due north along 40.6°E at 10 m/s, due south along the same road, and the same far away.
NORTH = HEADER + (
    "patrol-1,RU,patrol,2026-05-01T09:00:00Z,37.00,40.60,400,planned\n"
    "patrol-1,RU,patrol,2026-05-01T09:20:00Z,37.10,40.60,400,planned\n"
)
SOUTH = HEADER + (
    "convoy-7,TR,convoy,2026-05-01T09:00:00Z,37.10,40.60,400,planned\n"
    "convoy-7,TR,convoy,2026-05-01T09:20:00Z,37.00,40.60,400,planned\n"
)
FAR = HEADER + (
    "convoy-9,TR,convoy,2026-05-01T09:00:00Z,36.10,42.60,400,planned\n"
    "convoy-9,TR,convoy,2026-05-01T09:20:00Z,36.00,42.60,400,planned\n"
)


def run(*arguments: str | Path, stdin: str | bytes = b"", cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [PROGRAM, *map(str, arguments)],
        input=stdin.encode() if isinstance(stdin, str) else stdin,
        capture_output=True,
        check=False,
        cwd=cwd,
        timeout=120,
    )
    result = subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())
    assert "Traceback" not in result.stderr
    return result


@pytest.fixture
def plans(tmp_path: Path) -> Path:
    for name, text in (("north.csv", NORTH), ("south.csv", SOUTH), ("far.csv", FAR)):
        (tmp_path / name).write_text(text)
    return tmp_path


def loaded(*arguments: str, cwd: Path | None = None) -> set[str]:
    """The packages that a command loads: what makes it slow to start, counted instead of timed (`bench` times it)."""
    command = [sys.executable, "-X", "importtime", "-m", "keepclear.cli", *arguments]
    done = subprocess.run(command, capture_output=True, check=False, cwd=cwd, timeout=120)
    names = [line.rpartition("|")[2].strip() for line in done.stderr.decode().splitlines() if "|" in line]
    return {name.partition(".")[0] for name in names}


def test_the_version_is_told_without_loading_anything() -> None:
    assert run("--version").stdout == f"keepclear {keepclear.__version__}\n"
    from_elsewhere = loaded("--version") - set(sys.stdlib_module_names)
    assert not from_elsewhere & {"numpy", "numba", "typer", "click", "rich", "pydantic", "pyproj", "shapely", "yaml"}


def test_two_that_meet_are_a_conflict(plans: Path) -> None:
    done = run("check", "north.csv", "south.csv", cwd=plans)
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "CONFLICT: 1 pair comes too close."
    assert "RU patrol-1 (patrol)" in done.stdout


def test_two_that_do_not_are_clear_and_that_is_no_permission(plans: Path) -> None:
    done = run("check", "north.csv", "far.csv", cwd=plans)
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == "CLEAR: no conflict found in what is known; not a permission."


def test_one_party_alone_is_possible_because_nothing_was_compared(plans: Path) -> None:
    done = run("check", "north.csv", cwd=plans)
    assert done.returncode == 3
    assert done.stdout.splitlines()[-1].startswith("POSSIBLE: ")


def test_json_is_one_object_of_the_promised_shape(plans: Path) -> None:
    done = run("check", "north.csv", "south.csv", "--format", "json", cwd=plans)
    answer = json.loads(done.stdout)
    assert set(answer) >= {
        "keepclear", "answer", "scope", "operations", "zones", "legs", "elapsed_s", "conflicts", "warnings",
    }  # fmt: skip
    assert answer["keepclear"] == "check/1"
    assert answer["answer"] == "conflict"
    assert (answer["operations"], answer["zones"], answer["legs"]) == (2, 0, 2)
    (pair,) = answer["conflicts"]
    assert set(pair) >= {"answer", "reasons", "a", "b", "minima", "intervals", "closest", "sentence", "proposals"}
    assert {pair["a"]["operation"], pair["b"]["operation"]} == {"patrol-1", "convoy-7"}
    assert pair["closest"]["time_a"] == "2026-05-01T09:10:00.000Z"
    assert pair["closest"]["horizontal_m"] == pytest.approx(0.0, abs=0.01)
    assert pair["intervals"][0]["start"] < "2026-05-01T09:10:00.000Z" < pair["intervals"][0]["end"]


@pytest.mark.parametrize("form", ["geojson", "kml"])
def test_maps_hold_both_sides(plans: Path, form: str) -> None:
    done = run("check", "north.csv", "south.csv", "--format", form, cwd=plans)
    assert done.returncode == 1
    assert "patrol-1" in done.stdout
    assert "convoy-7" in done.stdout


def test_an_answer_goes_to_a_file_and_the_word_to_the_screen(plans: Path) -> None:
    done = run("check", "north.csv", "south.csv", "--format", "json", "--output", "answer.json", cwd=plans)
    assert (done.returncode, done.stdout) == (1, "")
    assert "CONFLICT: 1 pair comes too close. Written to answer.json." in done.stderr
    assert json.loads((plans / "answer.json").read_text())["answer"] == "conflict"


def test_quiet_is_the_answer_and_nothing_else(plans: Path) -> None:
    done = run("check", "north.csv", "far.csv", "--quiet", cwd=plans)
    assert done.stdout == "CLEAR: no conflict found in what is known; not a permission.\n"
    assert done.stderr == ""


def test_standard_input_is_read(plans: Path) -> None:
    assert run("check", "north.csv", "-", stdin=SOUTH, cwd=plans).returncode == 1
    twice = run("check", "-", "-", stdin=SOUTH, cwd=plans)
    assert twice.returncode == 2
    assert "standard input is given twice" in twice.stderr


def test_standard_input_can_be_given_a_party_and_a_kind(plans: Path) -> None:
    written = SOUTH.replace(",TR,", ",,").replace("party", "other")
    done = run("check", "north.csv", "-@UN mission:convoy", "--format", "json", stdin=written, cwd=plans)
    assert done.returncode == 1, done.stderr
    sides = [json.loads(done.stdout)["conflicts"][0][side] for side in ("a", "b")]
    assert "UN mission" in {side["party"] for side in sides}
    assert not (plans / "nvoy").exists()


def test_parties_can_be_given_on_the_command_line(plans: Path) -> None:
    for name in ("north.csv", "south.csv"):
        rows = [line.split(",") for line in (plans / name).read_text().splitlines()]
        (plans / name).write_text("".join(",".join(row[:1] + row[3:]) + "\n" for row in rows))
    done = run("check", "north.csv@RU:patrol", "south.csv@TR:convoy", "--format", "json", cwd=plans)
    (pair,) = json.loads(done.stdout)["conflicts"]
    assert {(side["party"], side["kind"]) for side in (pair["a"], pair["b"])} == {("RU", "patrol"), ("TR", "convoy")}


def test_minima_scope_and_parties_change_what_is_found(plans: Path) -> None:
    both = ("check", "north.csv", "south.csv")
    assert run(*both, "--to", "2026-05-01T09:05:00Z", cwd=plans).returncode == 0
    assert run(*both, "--area", "0,0,1,1", cwd=plans).returncode in (0, 3)
    assert (
        run("check", "far.csv", "south.csv", "--between", "all", "--minima", "500000,500000", cwd=plans).returncode == 1
    )
    rules = '[[rule]]\nbetween = ["ground", "ground"]\nhorizontal_m = 300000\n'
    (plans / "rules.toml").write_text(rules)
    done = run("check", "north.csv", "far.csv", "--minima", "rules.toml", "--format", "json", cwd=plans)
    assert json.loads(done.stdout)["conflicts"][0]["minima"]["horizontal_m"] == 300000


def test_every_fault_of_every_file_is_one_line(plans: Path) -> None:
    (plans / "bad.csv").write_text(NORTH.replace("37.00", "137.00").replace("09:20:00Z", "09:20:00"))
    done = run("check", "bad.csv", "missing.gpx", "north.csv", cwd=plans)
    assert (done.returncode, done.stdout) == (2, "")
    lines = done.stderr.splitlines()
    assert sum(line.startswith("bad.csv: ") for line in lines) == 2
    assert sum(line.startswith("missing.gpx: ") for line in lines) == 1
    assert len(lines) == 3


def test_every_fault_of_the_options_is_one_line(plans: Path) -> None:
    bad = ["--minma", "1", "--from", "today", "--area", "1", "--jobs", "many", "--format", "pdf", "--between", "us"]
    done = run("check", "north.csv", *bad, "--minima", "x", "--gap-air", "0", "--output", "no/x", cwd=plans)
    assert (done.returncode, done.stdout) == (2, "")
    named = [line.split(":")[0] for line in done.stderr.splitlines()]
    assert sorted(named) == sorted(
        ["--minma", "--from", "--area", "--jobs", "--format", "--between", "--minima", "--gap-air", "--output"]
    )


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["check"],
        ["chek"],
        ["check", "x", "--minima"],
        ["convert", "x"],
        ["formats", "x"],
        ["--bogus"],
        ["minima", "--format", "x"],
    ],
)
def test_a_command_line_that_makes_no_sense_is_never_an_answer(arguments: list[str]) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stdout + done.stderr


def test_an_input_is_not_overwritten(plans: Path) -> None:
    done = run("check", "north.csv", "south.csv", "--output", "south.csv", cwd=plans)
    assert done.returncode == 2
    assert (plans / "south.csv").read_text() == SOUTH


def test_a_reader_that_goes_away_is_not_an_answer(plans: Path) -> None:
    command = f"set -o pipefail; '{PROGRAM}' minima --format json | true"
    done = subprocess.run(["bash", "-c", command], capture_output=True, check=False, timeout=60)
    assert done.returncode in (0, 141)  # 0 if it was quicker than the reader
    assert done.stderr == b""


def test_a_full_disk_is_one_line_and_not_an_answer() -> None:
    with open("/dev/full", "wb") as full:  # noqa: PTH123 - a device
        done = subprocess.run(
            [PROGRAM, "minima"], stdout=full, stderr=subprocess.PIPE, check=False, text=True, timeout=60
        )
    assert done.returncode == 70
    assert done.stderr.endswith("No space left on device\n")
    assert done.stderr.count("\n") == 1


def test_no_output_at_all_is_not_an_answer() -> None:
    done = subprocess.run(["bash", "-c", f"'{PROGRAM}' minima >&-"], capture_output=True, check=False, timeout=60)
    assert done.returncode == 70
    assert done.stderr.endswith(b"standard output is closed\n")
    assert done.stderr.count(b"\n") == 1


def test_an_interrupt_is_one_line_and_not_an_answer(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "never.csv")
    # A shell that runs the tests in the background has them ignore interrupts, and so would the program.
    command = ["env", "--default-signal=INT", PROGRAM, "check", "never.csv"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with (tmp_path / "never.csv").open("w"):  # waits until it is being read
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        out, told = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, "")
    assert told == "keepclear: stopped before there was an answer\n"


@pytest.mark.parametrize("form", ["toml", "json"])
def test_the_table_of_minima_can_be_given_back(tmp_path: Path, form: str) -> None:
    text = run("minima", "--format", form).stdout
    assert len((tomllib.loads if form == "toml" else json.loads)(text)["rule"]) == len(MinimaTable.default().rules)
    (tmp_path / f"minima.{form}").write_text(text)
    assert MinimaTable.read(tmp_path / f"minima.{form}") == MinimaTable.default()


def test_formats_and_minima_are_shown() -> None:
    assert "parquet" in run("formats").stdout
    assert "ICAO Doc 4444" in run("minima").stdout


@pytest.mark.parametrize("form", ["geojson", "kml"])
def test_a_converted_file_says_the_same(plans: Path, form: str) -> None:
    assert run("convert", "south.csv", "--to", form, "--output", f"south.{form}", cwd=plans).returncode == 0
    done = run("check", "north.csv", f"south.{form}", "--format", "json", cwd=plans)
    (pair,) = json.loads(done.stdout)["conflicts"]
    assert {pair["a"]["operation"], pair["b"]["operation"]} == {"patrol-1", "convoy-7"}


def test_a_check_of_two_small_files_loads_nothing_of_a_node(plans: Path) -> None:
    assert run("check", "north.csv", "south.csv", cwd=plans).returncode == 1
    found = loaded("check", "north.csv", "south.csv", cwd=plans)
    assert {"numba", "keepclear"} <= found
    of_others = {"sqlalchemy", "starlette", "uvicorn", "httpx", "cryptography", "jinja2", "ruamel", "dask"}
    assert not found & of_others
