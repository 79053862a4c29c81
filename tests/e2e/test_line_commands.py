"""The commands of a line, as a person at a terminal gives them: with a node that is served, and without."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from keepclear.errors import StoreError
from keepclear.node.folder import NodeFolder
from tests.forking import forked_program
from tests.line_of_nodes import until

pytestmark = pytest.mark.usefixtures("forked")

KEEPCLEAR = [sys.executable, "-m", "keepclear.cli"]
PASSWORD = "twelve geese fly south"

PLAN = {
    "type": "Feature",
    "properties": {
        "id": "patrol-1", "party": "north", "kind": "patrol", "start": "2035-03-02T08:00:00Z",
        "end": "2035-03-02T11:00:00Z",
    },
    "geometry": {
        "type": "Polygon",
        "coordinates": [[[41.20, 37.03], [41.24, 37.03], [41.24, 37.07], [41.20, 37.07], [41.20, 37.03]]],
    },
}  # fmt: skip


def ask(folder: Path, *arguments: str, status: int = 0, given: str = "") -> str:
    command = [forked_program(), *arguments]
    done = subprocess.run(
        command, cwd=folder, input=given, capture_output=True, text=True, check=False, timeout=240
    )  # fmt: skip
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def words(folder: Path, party: str) -> str:
    return ask(folder, "key", "show", party).splitlines()[1].strip()


@pytest.fixture
def parties(tmp_path: Path) -> Iterator[Path]:
    for party in ("north", "south"):
        ask(tmp_path, "init", party, "--party", party, "--password-file", "-", given=PASSWORD + "\n")
    (tmp_path / "plan.geojson").write_text(json.dumps(PLAN))
    yield tmp_path
    for told in tmp_path.glob("*/run/node.json"):
        os.kill(json.loads(told.read_text())["pid"], signal.SIGKILL)


def test_init_says_what_is_wrong_and_makes_nothing(tmp_path: Path) -> None:
    said = ask(tmp_path, "init", "n", "--party", "n", "--password-file", "-", given="short\n", status=2)
    assert said.startswith("password: ")
    assert not (tmp_path / "n").exists()
    said = ask(tmp_path, "init", "n", "--party", "n", status=2)
    assert "--password-file" in said
    ask(tmp_path, "init", "n", "--party", "n", "--password-file", "-", given=PASSWORD)
    said = ask(tmp_path, "init", "n", "--party", "n", "--password-file", "-", given=PASSWORD, status=2)
    assert "there is a node in this folder already" in said


@pytest.mark.slow
@pytest.mark.timeout(900)  # some thirty commands, each of which opens a node of its own
def test_everything_works_where_nobody_serves(parties: Path) -> None:
    ask(parties, "line", "new", "north", "--name", "River bank")
    assert "good until" in ask(parties, "line", "invite", "north")
    assert ((parties / "north-river-bank.invitation").stat().st_mode & 0o777) == 0o600
    told = ask(parties, "line", "join", "south", "north-river-bank.invitation", status=2)
    assert "--words" in told
    assert words(parties, "north") not in told
    wrong = ask(
        parties, "line", "join", "south", "north-river-bank.invitation", "--words", words(parties, "south"), status=2
    )
    assert "word 1 differs" in wrong
    invited = ("line", "join", "south", "north-river-bank.invitation", "--words", words(parties, "north"))
    assert "has no address" in ask(parties, *invited)
    ask(parties, *invited, "--acceptance", "answer")
    admit = ("line", "admit", "north", "south", "--words", words(parties, "south"))
    assert "has not answered" in ask(parties, *admit, status=2)
    assert "south is on river-bank" in ask(parties, *admit, "--acceptance", "answer")
    for _ in range(2):
        for giver, taker in (("north", "south"), ("south", "north")):
            ask(parties, "line", "carry", giver, f"{giver}.bundle", "--to", taker)
            ask(parties, "line", "carry", taker, f"{giver}.bundle")
    assert "Southern" not in ask(parties, "line", "members", "north")
    for party in ("north", "south"):
        told = ask(parties, "line", "members", party)
        assert f"{party} (you)" in told
        assert "north" in told
        assert "south" in told
    filed = ask(parties, "file", "north", "plan.geojson", "--yes")
    assert "Filed as north:river-bank:" in filed
    assert "when your node runs" in filed
    for dry_run in ((), ("--dry-run",)):  # what filing would refuse, a dry run refuses too
        assert "is filed already" in ask(parties, "file", "north", "plan.geojson", *dry_run, status=2)
    assert "plan of north" in ask(parties, "file", "south", "plan.geojson", "--yes", status=2)


@pytest.mark.slow
def test_serving(parties: Path) -> None:
    assert "unencrypted" in ask(parties, "serve", "north", "--host", "0.0.0.0", status=2)
    assert "cannot share files" in ask(parties, "serve", "north", "--workers", "2", status=2)
    with subprocess.Popen([*KEEPCLEAR, "serve", "north", "--port", "0"], cwd=parties, stdout=subprocess.PIPE) as node:
        assert node.stdout is not None
        assert b"The node of north is at http://127.0.0.1:" in node.stdout.readline()
        assert "On no line yet" in ask(parties, "line", "status", "north")
        assert f"process {node.pid}" in ask(parties, "serve", "north", "--port", "0", status=74)
        node.send_signal(signal.SIGTERM)
        assert node.wait(30) == 0
    assert not (parties / "north" / "run" / "node.json").exists()
    assert "does not run" in ask(parties, "stop", "north")


@pytest.mark.slow
def test_a_node_that_is_only_starting_is_stopped_too(parties: Path) -> None:
    folder = NodeFolder(parties / "north")
    with subprocess.Popen(
        [*KEEPCLEAR, "serve", "north", "--port", "0"], cwd=parties, stdout=subprocess.DEVNULL
    ) as node:
        while not _is_locked(folder):  # seen before it says where it is
            time.sleep(0.002)
        assert "has stopped" in ask(parties, "stop", "north")
        assert node.wait(30) == 0


def _is_locked(folder: NodeFolder) -> bool:
    try:
        with folder.lock():
            return False
    except StoreError:
        return True


@pytest.mark.slow
def test_the_demonstration_tells_its_story_and_leaves_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [*KEEPCLEAR, "demo"], env={**os.environ, "TMPDIR": str(tmp_path)}, capture_output=True, text=True, check=False,
        timeout=280,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    for told in (
        "are on the line",
        "SOUTH is told at once",
        "advises of it",
        "is resolved",
        "Proved: NORTH",
        "SIGKILL",
    ):
        assert told in done.stdout
    assert done.stdout.rstrip().splitlines()[-1].startswith("That was all")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_ctrl_c_ends_the_demonstration(tmp_path: Path) -> None:
    with subprocess.Popen(
        [*KEEPCLEAR, "demo", "--keep", str(tmp_path / "kept")], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as demo:
        assert demo.stdout is not None
        for line in demo.stdout:
            if b"come together" in line:
                break
        demo.send_signal(signal.SIGINT)
        demo.communicate(timeout=60)
        assert demo.returncode == 130
    assert (tmp_path / "kept" / "north" / "node.db").exists()
    assert not list((tmp_path / "kept").glob("*/run/node.json"))


def test_what_is_typed_wrongly_is_told_in_words(parties: Path) -> None:
    for directory in ("nowhere", "plan.geojson", "."):
        said = ask(parties, "inbox", directory, status=2)
        assert (
            said
            == f"{directory}: there is no node in this folder; set one up: keepclear init {directory} --party NAME\n"
        )
    ask(parties, "line", "new", "north", "--name", "River bank")
    for days in ("0", "nan", "1e9"):
        assert ask(parties, "line", "invite", "north", "--days", days, status=2).startswith("--days: not for how long")
    for entry in ("zz", "../users"):
        for arguments in (["proof", "north", entry], ["answer", "north", entry, "seen"]):
            said = ask(parties, *arguments, status=2)
            assert said.startswith("ENTRY: not the id of an entry")
            assert len(said.splitlines()) == 1
    said = ask(parties, "say", "north", "hello", "--about", "zz", status=2)
    assert said.startswith("about[0]: not the id of an entry (got 'zz'); PARTY:LINE:NUMBER")
    assert ask(parties, "say", "north", "", status=2).startswith("TEXT: nothing to say")
    said = ask(parties, "answer", "north", "south:river-bank:4", "object", status=2)
    assert said == "--reason: missing; an objection says why\n"


def test_a_node_starts_though_a_command_has_the_folder_for_a_moment(parties: Path) -> None:
    folder = NodeFolder(parties / "north")
    with folder.lock(), (parties / "north.log").open("wb") as log:
        serving = subprocess.Popen(
            [*KEEPCLEAR, "serve", "north", "--port", "0"], cwd=parties, stdout=log, stderr=log, stdin=subprocess.DEVNULL
        )
        with pytest.raises(subprocess.TimeoutExpired):
            serving.wait(4)
    try:
        ask(parties, "line", "new", "north", "--name", "River bank")
        until(folder.running, "the node starts")  # whether before or after the command, which may have been first
        assert ask(parties, "serve", "north", "--port", "0", status=74).startswith(
            "north: the node of this folder runs"
        )
    finally:
        serving.terminate()
        assert serving.wait(60) == 0, (parties / "north.log").read_text()
