"""The commands of the record, run as a person runs them: proofs, whole logs, and evidence of forks."""

from __future__ import annotations

import functools
import gzip
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from keepclear.record.policies import LogTrust, Policy, WitnessTrust, policy_text
from tests.reference.made_logs import (
    FOREIGN_ENTRIES,
    HELD_S,
    checkpoint,
    committed,
    log_key,
    mirror_key,
    opened,
    proof,
    published,
    said,
    write,
)

PROGRAM = str(Path(sys.executable).parent / "keepclear")
SOUTH = mirror_key("south/border/mirror")
COMMITMENT = committed(2)
ENTRIES = [said(0), said(1, exercise=True), COMMITMENT, opened(COMMITMENT, 2)]
LEAVES = tuple(entry.leaf.to_bytes() for entry in ENTRIES)
HELD = checkpoint(LEAVES, held_by=[(SOUTH, HELD_S)])
FORKED = (*FOREIGN_ENTRIES[:300], b"another history", *FOREIGN_ENTRIES[301:])
KEY = log_key().verifier.text


def run(*arguments: str | Path, cwd: Path, stdin: bytes = b"") -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [PROGRAM, *map(str, arguments)], input=stdin, capture_output=True, check=False, cwd=cwd, timeout=120
    )
    result = subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())
    assert "Traceback" not in result.stderr
    return result


@pytest.fixture
def bag(tmp_path: Path) -> Path:
    """An empty directory but for a proof, what it is of, and a policy."""
    policy = Policy((LogTrust(log_key().verifier),), {"SOUTH": WitnessTrust(SOUTH.verifier)}, {}, "SOUTH")
    files = {
        "policy.txt": policy_text(policy),
        "nobody.txt": policy_text(Policy((LogTrust(log_key().verifier),))),
        "said.tlog-proof": proof(LEAVES, 0, HELD).to_bytes(),
        "said.json": ENTRIES[0].to_json(),
        "said.leaf": LEAVES[0],
        "unheld.tlog-proof": proof(LEAVES, 0, checkpoint(LEAVES)).to_bytes(),
        "committed.tlog-proof": proof(LEAVES, 2, HELD).to_bytes(),
        "committed.leaf": LEAVES[2],
        "opening.json": ENTRIES[3].to_json(),
    }
    return write(files, tmp_path)


# --- verify --------------------------------------------------------------------------------------------------------


def test_a_proof_is_one_paragraph(bag: Path) -> None:
    done = run("verify", "said.tlog-proof", "--entry", "said.json", "--policy", "policy.txt", cwd=bag)
    assert (done.returncode, done.stderr) == (0, "")
    (paragraph,) = done.stdout.splitlines()
    assert paragraph.startswith("Proved: north said this on the line border.")
    assert "south's node had stored it by 2026-03-02T08:00:05Z" in paragraph
    assert "not a permission" in paragraph


def test_a_leaf_alone_will_do_and_standard_input_too(bag: Path) -> None:
    arguments = ("verify", "-", "--entry", "said.leaf", "--policy", "policy.txt")
    done = run(*arguments, cwd=bag, stdin=(bag / "said.tlog-proof").read_bytes())
    assert done.returncode == 0
    assert "The body is not shown here" in done.stdout


def test_a_commitment_is_opened(bag: Path) -> None:
    arguments = ("verify", "committed.tlog-proof", "--entry", "committed.leaf", "--policy", "policy.txt")
    done = run(*arguments, "--opening", "opening.json", cwd=bag)
    assert done.returncode == 0
    assert "what it held is opened here" in done.stdout
    wrong = run(*arguments, "--opening", "said.json", cwd=bag)
    assert wrong.returncode == 2
    assert "said.json: no opening" in wrong.stderr


@pytest.mark.parametrize("name", ["said.tlog-proof", "said.json", "policy.txt"])
def test_no_byte_can_be_changed(bag: Path, name: str) -> None:
    """At a few places of each file; the unit tests change every byte of them."""
    data = (bag / name).read_bytes()
    for at in range(len(data) // 8, len(data), len(data) // 4):
        changed = bytearray(data)
        changed[at] ^= 1
        (bag / name).write_bytes(changed)
        done = run("verify", "said.tlog-proof", "--entry", "said.json", "--policy", "policy.txt", cwd=bag)
        assert done.returncode in (1, 2), (name, at)
        assert done.stdout.startswith("Not proved: ") if done.returncode == 1 else done.stderr.startswith(name)
        assert len((done.stdout + done.stderr).splitlines()) == 1


def test_what_is_not_proved_says_which_step_and_what_is_needed(bag: Path) -> None:
    done = run("verify", "unheld.tlog-proof", "--entry", "said.json", "--policy", "policy.txt", cwd=bag)
    assert done.returncode == 1
    assert "asks for cosignatures by SOUTH" in done.stdout
    assert "proves nothing, one way or the other" in done.stdout
    fine = run("verify", "unheld.tlog-proof", "--entry", "said.json", "--policy", "nobody.txt", cwd=bag)
    assert fine.returncode == 0
    assert "proves nothing either way" in fine.stdout


def test_json_is_one_object_either_way(bag: Path) -> None:
    arguments = ("--entry", "said.json", "--policy", "policy.txt", "--format", "json")
    good = json.loads(run("verify", "said.tlog-proof", *arguments, cwd=bag).stdout)
    assert (good["keepclear"], good["proved"], good["entry"]["party"]) == ("verify/1", True, "north")
    done = run("verify", "unheld.tlog-proof", *arguments, cwd=bag)
    bad = json.loads(done.stdout)
    assert (done.returncode, bad["keepclear"], bad["proved"]) == (1, "verify/1", False)


def test_bad_files_are_told_with_file_and_line(bag: Path) -> None:
    (bag / "bad.txt").write_text("log x\nwitness\nquorum none\n")
    done = run("verify", "nowhere", "--entry", "said.json", "--policy", "bad.txt", "--format", "xml", cwd=bag)
    assert (done.returncode, done.stdout) == (2, "")
    lines = done.stderr.splitlines()
    assert any(line.startswith("bad.txt: line 1: ") for line in lines)
    assert any(line.startswith("bad.txt: line 2: ") for line in lines)
    assert any("xml" in line for line in lines)
    for arguments, told in [
        (("nowhere", "--entry", "said.json", "--policy", "policy.txt"), "nowhere: cannot be read"),
        (("said.json", "--entry", "said.json", "--policy", "policy.txt"), "said.json: "),
        (("said.tlog-proof", "--policy", "policy.txt"), "--entry: missing"),
        (("said.tlog-proof", "--entry", ".", "--policy", "policy.txt"), ".: cannot be read"),
        (("said.tlog-proof", "--entry", "said.json", "--policy", "said.json"), "said.json: line 1"),
    ]:
        done = run("verify", *arguments, cwd=bag)
        assert (done.returncode, done.stdout) == (2, ""), arguments
        assert told in done.stderr


# --- audit ---------------------------------------------------------------------------------------------------------


def test_a_sound_log_has_nothing_wrong(tmp_path: Path) -> None:
    write(published(FOREIGN_ENTRIES), tmp_path / "log")
    done = run("audit", "log", "--key", KEY, cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1].startswith("NOTHING WRONG")
    unsure = run("audit", "log", cwd=tmp_path)
    assert unsure.returncode == 3
    assert "NOT ALL CHECKED" in unsure.stdout.splitlines()[-1]


def test_leaves_are_read_and_cosigners_told(tmp_path: Path, bag: Path) -> None:
    write(published(LEAVES, HELD), tmp_path / "log")
    done = run("audit", "log", "--policy", "policy.txt", "--entries", cwd=tmp_path)
    assert done.returncode == 0
    assert "Cosigned: SOUTH (south/border/mirror), by 2026-03-02T08:00:05Z" in done.stdout
    assert "1 commitment v1, 2 message v1, 1 opening v1" in done.stdout


def test_everything_wrong_is_told_and_what_is_safe(tmp_path: Path) -> None:
    log = write(published(FOREIGN_ENTRIES), tmp_path / "log")
    (log / "tile/entries/001").unlink()
    bundle = bytearray((log / "tile/entries/000").read_bytes())
    bundle[2] ^= 1
    (log / "tile/entries/000").write_bytes(bundle)
    done = run("audit", "log", "--key", KEY, cwd=tmp_path)
    assert done.returncode == 1
    assert "WRONG: entry 0: damaged" in done.stdout
    assert "WRONG: bundle 1: missing" in done.stdout
    assert "Safe: entries 1–255, 512–699" in done.stdout
    assert done.stdout.splitlines()[-1] == "FOUND: 2 things are wrong, as told above."
    document = json.loads(run("audit", "log", "--key", KEY, "--format", "json", cwd=tmp_path).stdout)
    assert (document["keepclear"], document["wrong"]) == ("audit/1", 2)
    assert document["places"][0]["damaged"] == [[0, 0], [256, 511]]


@pytest.mark.parametrize("size", [400, 700])
def test_a_fork_yields_evidence_that_verify_accepts(tmp_path: Path, bag: Path, size: int) -> None:
    write(published(FOREIGN_ENTRIES), tmp_path / "one")
    write(published(FORKED[:size]), tmp_path / "two")
    done = run("audit", "one", "two", "--key", KEY, "--evidence", "fork.txt", cwd=tmp_path)
    assert done.returncode == 1
    assert "one and two: FORK" in done.stdout
    verified = run("verify", "fork.txt", "--policy", "policy.txt", cwd=bag)
    assert verified.returncode == 0
    assert verified.stdout.startswith("Proved: north's log on the line border (north/border/log) contradicted itself.")
    # The evidence needs nobody's word: changed, it proves nothing.
    data = bytearray((tmp_path / "fork.txt").read_bytes())
    data[-30] ^= 1
    (tmp_path / "fork.txt").write_bytes(data)
    assert run("verify", "fork.txt", "--policy", "policy.txt", cwd=bag).returncode in (1, 2)


def test_evidence_without_a_name_is_named_by_what_is_in_it(tmp_path: Path) -> None:
    for name, entries in (("one", FOREIGN_ENTRIES), ("two", FORKED), ("three", FORKED[:400])):
        write(published(entries), tmp_path / name)
    done = run("audit", "one", "two", "three", "--key", KEY, cwd=tmp_path)
    assert done.returncode == 1
    assert len(list(tmp_path.glob("fork-*.txt"))) == 2
    again = run("audit", "one", "two", "three", "--key", KEY, "--evidence", "e.txt", cwd=tmp_path)
    assert again.returncode == 1
    assert {path.name for path in tmp_path.glob("e*.txt")} == {"e.txt", "e-2.txt"}


def test_copies_that_agree_are_said_to(tmp_path: Path) -> None:
    write(published(FOREIGN_ENTRIES), tmp_path / "one")
    write(published(FOREIGN_ENTRIES[:300]), tmp_path / "two")
    done = run("audit", "one", "two", "--key", KEY, cwd=tmp_path)
    assert done.returncode == 0
    assert "The 2 copies agree" in done.stdout


def test_bad_places_and_keys_are_told_all_at_once(tmp_path: Path) -> None:
    write(published(FOREIGN_ENTRIES[:3]), tmp_path / "one")
    write(published(LEAVES, checkpoint(LEAVES, key=log_key("south/border/log"))), tmp_path / "two")
    done = run("audit", "nowhere", "ftp://x/y", "http://", "--key", "nonsense", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 4
    (tmp_path / "empty").mkdir()
    done = run("audit", "empty", cwd=tmp_path)
    assert done.returncode == 2
    assert "empty: there is no log here" in done.stderr
    done = run("audit", "one", "two", cwd=tmp_path)
    assert done.returncode == 2
    assert "not the log of the others" in done.stderr


# --- audit over HTTP -----------------------------------------------------------------------------------------------


class _Server(BaseHTTPRequestHandler):
    """Serves files by path, as many web servers do: with or without gzip, and with some bad manners on request."""

    def __init__(self, files: dict[str, bytes], asked: list[str], *arguments: object) -> None:
        self.files, self.asked = files, asked
        super().__init__(*arguments)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        manners, _, name = self.path.lstrip("/").partition("/")
        self.asked.append(name)
        data = self.files.get(name)
        if manners == "moved":
            self._answer(302, b"", Location=f"/plain/{name}")
        elif manners == "file":
            self._answer(302, b"", Location=f"file:///etc/{name}")
        elif data is None:
            self._answer(404, b"not found")
        elif manners == "gzip":
            self._answer(200, gzip.compress(data), **{"Content-Encoding": "gzip"})
        elif manners == "bomb":
            self._answer(200, gzip.compress(bytes(50_000_000)), **{"Content-Encoding": "gzip"})
        elif manners == "long":
            self._answer(200, data + bytes(20_000_000))
        elif manners == "odd":
            self._answer(200, data, **{"Content-Encoding": "br"})
        elif manners == "dying" and name != "checkpoint":
            self._answer(503, b"")
        elif manners == "broken" and name == "tile/entries/001":
            self._answer(500, b"")
        else:
            self._answer(200, data)

    def _answer(self, code: int, data: bytes, **headers: str) -> None:
        self.send_response(code)
        for header, value in headers.items():
            self.send_header(header, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def served() -> Iterator[str]:
    files = published(FOREIGN_ENTRIES)
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Server, files, []))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize("manners", ["plain", "gzip", "moved"])
def test_a_log_on_a_web_server_is_audited(served: str, manners: str, tmp_path: Path) -> None:
    done = run("audit", f"{served}/{manners}/", "--key", KEY, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "700 entries" in done.stdout


@pytest.mark.parametrize(
    ("manners", "told"),
    [
        ("bomb", "can be there"),
        ("long", "can be there"),
        ("odd", "packed|packs"),
        ("file", "cannot be had"),
        ("nothing/at/all", "there is no log here"),
    ],
)
def test_a_server_with_bad_manners_is_bad_input(served: str, manners: str, told: str, tmp_path: Path) -> None:
    done = run("audit", f"{served}/{manners}", "--key", KEY, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert any(part in done.stderr for part in told.split("|"))
    assert len(done.stderr.splitlines()) == 1


def test_a_server_that_fails_for_one_file_is_found_out(served: str, tmp_path: Path) -> None:
    done = run("audit", f"{served}/broken", "--key", KEY, cwd=tmp_path)
    assert done.returncode == 1
    assert "bundle 1: cannot be read" in done.stdout
    assert "500" in done.stdout


def test_a_server_that_fails_altogether_is_not_asked_for_ever(served: str, tmp_path: Path) -> None:
    start = time.monotonic()
    done = run("audit", f"{served}/dying", "--key", KEY, cwd=tmp_path)
    assert done.returncode == 1
    assert "was not asked for, as the server had failed" in done.stdout
    assert time.monotonic() - start < 60


def test_a_server_that_is_not_there_is_bad_input(tmp_path: Path) -> None:
    done = run("audit", "http://127.0.0.1:9/log", cwd=tmp_path)
    assert done.returncode == 2
    assert "cannot be had" in done.stderr
