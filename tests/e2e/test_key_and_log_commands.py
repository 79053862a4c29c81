"""``keepclear key`` and ``keepclear log`` as people of two parties use them, and as somebody who means harm would."""

from __future__ import annotations

import json
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from keepclear.record.canonical import canonical
from keepclear.record.commitments import commitment
from keepclear.record.entry_files import read_entry
from keepclear.record.fingerprints import words
from keepclear.record.keys import VerifierKey
from keepclear.record.names import KeyName, Purpose
from keepclear.store.log import Log
from keepclear.store.party_folder import PartyFolder
from keepclear.store.saying import entry_said
from keepclear.store.sqlite import SqliteStore
from tests.forking import forked_program

pytestmark = pytest.mark.usefixtures("forked")

PROGRAM = str(Path(sys.executable).parent / "keepclear")
EXAMPLE = Path(__file__).parents[2] / "examples" / "two-parties" / "northern-force.geojson"
NOT_TO_BE_SAID = ("approv", "permitted", "allowed to", "authoris", "consented", "accepted by")


def run(*arguments: str | Path, cwd: Path, stdin: bytes = b"", status: int = 0) -> str:
    """What a command prints, standard output and error together."""
    done = subprocess.run(
        [forked_program(), *map(str, arguments)], input=stdin, cwd=cwd, timeout=120, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    printed = done.stdout.decode()
    assert done.returncode == status, printed
    assert "Traceback" not in printed
    assert "fault of keepclear's own" not in printed
    said = "".join(line for line in printed.lower().splitlines() if not line.startswith("  "))  # not the words of keys
    assert not [word for word in NOT_TO_BE_SAID if word in said]
    assert "\x1b" not in printed
    return printed


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two parties that have each begun a log; north has said three things to south, and one to east alone."""
    cwd = tmp_path_factory.mktemp("begun")
    for party, other in (("north", "south"), ("south", "north")):
        run("key", "new", party, "--party", party, cwd=cwd)
        run("log", "new", party, "--line", "border", "--to", other, cwd=cwd)
    run("log", "say", "north", "A convoy on the R7 tomorrow.", "--to", "south", cwd=cwd)
    run("log", "say", "north", "Kept for later.", "--keep-back", cwd=cwd)
    run("log", "say", "north", "For east alone.", "--to", "east", cwd=cwd)
    run("log", "say", "north", "An exercise.", "--to", "south", "--exercise", cwd=cwd)
    return cwd


@pytest.fixture
def parties(begun: Path, tmp_path: Path) -> Path:
    """A copy of them that a test may change."""
    return Path(shutil.copytree(begun, tmp_path / "parties"))


def key(folder: Path, name: str) -> str:
    """A public key of a party's folder."""
    public = PartyFolder(folder, passphrase=lambda _: "").public_keys()
    return next(one.text for one in public if one.name == name)


def exchange(cwd: Path, *more: str | Path, status: int = 0) -> str:
    """North's log carried to south."""
    run("log", "export", "north", "tiles", cwd=cwd)
    run("log", "export", "north", "for-south.jsonl", "--format", "lines", "--for", "south", cwd=cwd)
    return run("log", "import", "south", "tiles", "--bodies", "for-south.jsonl", *more, cwd=cwd, status=status)


def identified(cwd: Path) -> tuple[str, str]:
    """The option that names north's identity."""
    return "--identity", key(cwd / "north", "north/identity")


def forged(cwd: Path, said: list[object], *, name: str = "forged", log_key: bool = True) -> Path:
    """Another folder of north's, with its true key, where it has said something else."""
    other = cwd / name
    folder = PartyFolder(cwd / "north", passphrase=lambda _: "")
    signing = folder.signing_key(KeyName("north", Purpose.LOG, "border"))
    other.mkdir()
    shutil.copytree(cwd / "north" / "keys", other / "keys")
    (other / "keys").chmod(0o700)
    store = SqliteStore(other / "record.db")
    try:
        log = Log.create(store, signing)
        log.append([entry_said(body, line="border", party="north", time_s=1e9, recipients=["south"]) for body in said])  # type: ignore[arg-type]
    finally:
        store.close()
    return other


# --- keys ----------------------------------------------------------------------------------------------------------


def test_words_are_compared(parties: Path) -> None:
    north = key(parties / "north", "north/identity")
    heard = " ".join(words(VerifierKey.of_text(north)))
    assert heard in run("key", "show", "north", cwd=parties)
    assert "The words are those of north/identity" in run("key", "compare", north, heard.upper(), cwd=parties)
    other = " ".join(words(VerifierKey.of_text(key(parties / "south", "south/identity"))))
    assert "word 1 differs" in run("key", "compare", north, other, cwd=parties, status=1)
    assert "a fingerprint has 12 words" in run("key", "compare", north, "a", "few", cwd=parties, status=1)
    assert "KEY: " in run("key", "compare", "north/identity", heard, cwd=parties, status=2)


def test_an_identity_is_never_written_over(parties: Path) -> None:
    before = (parties / "north" / "keys" / "identity.key").read_bytes()
    assert "there is an identity already" in run("key", "new", "north", "--party", "north", cwd=parties, status=2)
    assert (parties / "north" / "keys" / "identity.key").read_bytes() == before
    assert "the log is there already" in run("log", "new", "north", "--line", "border", cwd=parties, status=2)
    assert "differ in capitals only" in run("log", "new", "north", "--line", "Border", cwd=parties, status=2)


@pytest.mark.parametrize("name", ["", "a/b", "-x", "n\x1b[31m", "é", "n" * 64, "a+b", "x y"])
def test_names_that_none_can_have(parties: Path, name: str) -> None:
    printed = run("key", "new", "new", f"--party={name}", cwd=parties, status=2)
    assert "not a name that a party can have" in printed
    assert not (parties / "new").exists()
    printed = run("log", "new", "north", f"--line={name}", cwd=parties, status=2)
    assert "not a name that a line can have" in printed
    assert "--to: not a party's name" in run("log", "say", "north", "x", f"--to={name}", cwd=parties, status=2)


def test_keys_that_others_could_have_changed_are_not_used(parties: Path) -> None:
    keys = parties / "north" / "keys"
    shutil.copy(parties / "south" / "keys" / "identity.vkey", keys / "identity.vkey")
    assert "not the public half" in run("key", "show", "north", cwd=parties, status=2)
    (keys / "identity.vkey").unlink()
    assert "north/identity" in run("key", "show", "north", cwd=parties)
    (keys / "border.log.key").chmod(0o640)
    assert "others than the owner can read" in run("log", "say", "north", "x", cwd=parties, status=2)
    (keys / "border.log.key").chmod(0o600)
    keys.chmod(0o770)
    assert "others than the owner can write in the folder" in run("log", "say", "north", "x", cwd=parties, status=2)
    keys.chmod(0o700)
    shutil.copy(parties / "south" / "keys" / "border.log.key", keys / "border.log.key")
    assert "should hold north/border/log" in run("log", "say", "north", "x", cwd=parties, status=2)


def test_sealed_keys(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("correct horse\nnot this line\n")
    (tmp_path / "wrong").write_text("correct house\n")
    sealed = ("--passphrase-file", "secret")
    assert "not sealed" not in run("key", "new", "n", "--party", "north", *sealed, cwd=tmp_path)
    assert "nobody at a terminal" in run("log", "new", "n", "--line", "x", cwd=tmp_path, status=2)
    wrong = run("log", "new", "n", "--line", "x", "--passphrase-file", "wrong", cwd=tmp_path, status=2)
    assert "the passphrase is wrong" in wrong
    assert "not sealed" not in run("log", "new", "n", "--line", "x", *sealed, cwd=tmp_path)
    for file in (tmp_path / "n" / "keys").glob("*.key"):
        assert file.read_text().startswith("keepclear sealed key v1")
        assert file.stat().st_mode & 0o777 == 0o600
    run("log", "say", "n", "sealed", *sealed, cwd=tmp_path)
    assert "nobody at a terminal" in run("log", "say", "n", "sealed", cwd=tmp_path, status=2)
    assert "2. " in run("log", "show", "n", cwd=tmp_path)
    (tmp_path / "empty").write_text("\n")
    assert "the passphrase is empty" in run(
        "key", "new", "m", "--party", "m", "--passphrase-file", "empty", cwd=tmp_path, status=2
    )


def test_a_passphrase_is_asked_for_at_a_terminal(tmp_path: Path) -> None:
    def typed(*arguments: str, answers: list[str]) -> tuple[int, str]:
        child, terminal = pty.fork()
        if child == 0:
            os.chdir(tmp_path)
            os.execv(PROGRAM, [PROGRAM, *arguments])
        shown, until = b"", time.monotonic() + 60
        while time.monotonic() < until:
            if not select.select([terminal], [], [], 20)[0]:
                os.kill(child, signal.SIGKILL)
                break
            try:
                chunk = os.read(terminal, 1000)
            except OSError:
                break
            if not chunk:
                break
            shown += chunk
            if answers and shown.endswith(b": "):
                os.write(terminal, answers.pop(0).encode() + b"\n")
        os.close(terminal)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), shown.decode()

    new = ("key", "new", "n", "--party", "north", "--passphrase-file", "-")
    status, shown = typed(*new, answers=["open sesame", "open sesami"])
    assert (status, "the two are not the same" in shown) == (2, True)
    status, shown = typed(*new, answers=["open sesame", "open sesame"])
    assert status == 0
    assert "sesame" not in shown
    status, shown = typed("log", "new", "n", "--line", "border", answers=["open sesame"])
    assert (status, "is begun" in shown) == (0, True)


def test_a_log_key_is_changed_and_both_logs_can_be_read(parties: Path) -> None:
    old = key(parties / "north", "north/border/log")
    changed = run("key", "change", "north", "--purpose", "log", "--to", "south", cwd=parties)
    assert "north/border/log/2+" in changed
    assert "entry 1 of north/border/log/2" in run("log", "say", "north", "New log.", "--to", "south", cwd=parties)
    first = run("log", "show", "north", "--log", "north/border/log", cwd=parties)
    assert "north/border/log: 7 entries" in first
    assert f"supersedes {old}" in first
    assert f"supersedes {old}" in run("log", "show", "north", cwd=parties)
    opened = run("log", "open", "north", "3", "--to", "south", "--log", "north/border/log", cwd=parties)
    assert "It opens entry 3 of north/border/log." in opened
    assert "opens entry 3 of north/border/log, and is what was committed" in run("log", "show", "north", cwd=parties)
    revoke = ("key", "revoke", "north", old, "--reason", "compromised", "--to", "south")
    assert "--from a time before it ended" in run(*revoke, cwd=parties, status=2)
    run(*revoke, "--from", "2026-01-01T00:00:00Z", cwd=parties)
    identity = identified(parties)
    for number in ("", "/2"):
        origin = f"north/border/log{number}"
        where = f"tiles{len(number)}"
        run("log", "export", "north", where, "--log", origin, cwd=parties)
        run(
            "log", "export", "north", f"{where}.jsonl", "--log", origin, "--format", "lines", "--for", "south",
            cwd=parties,
        )  # fmt: skip
        taken = run("log", "import", "south", where, "--bodies", f"{where}.jsonl", *identity, cwd=parties)
        assert "Its key is certified by the identity of north" in taken
        proof = ("log", "proof", "south", "1", "--of", "north") if number else ("log", "proof", "south", "2")
        named = () if number else ("--log", origin)
        run(*proof, "-o", f"{where}.proof", "--entry", f"{where}.json", *named, cwd=parties)
        run("log", "policy", "south", "--log", origin, "-o", "policy", cwd=parties)
        run("verify", f"{where}.proof", "--entry", f"{where}.json", "--policy", "policy", cwd=parties)
    shown = run("key", "show", "south", cwd=parties)
    assert "compromised: not theirs from " in shown
    assert "no such log is held" in run("log", "show", "north", "--log", "north/border/log/9", cwd=parties, status=2)


def test_what_nobody_would_believe_of_our_keys_is_not_said(parties: Path) -> None:
    south = key(parties / "south", "south/border/log")
    revoke = ("key", "revoke", "north")
    assert "not named as a key of north" in run(*revoke, south, "--reason", "lost", cwd=parties, status=2)
    mirror = key(parties / "north", "north/border/mirror")
    assert "still the one in use" in run(*revoke, mirror, "--reason", "lost", cwd=parties)
    assert "already been lost" in run(*revoke, mirror, "--reason", "compromised", cwd=parties, status=2)
    unknown = run(*revoke, mirror, "--reason", "tired", "--from", "soon", cwd=parties, status=2)
    assert len(unknown.splitlines()) == 2


def test_a_lost_log_key_and_a_party_that_comes_later(parties: Path) -> None:
    (parties / "north" / "keys" / "border.log.key").unlink()
    change = ("key", "change", "north", "--purpose", "log")
    assert "cannot be read" in run(*change, cwd=parties, status=2)
    assert "north/border/log/2+" in run(*change, "--lost", cwd=parties)
    assert "for east" in run("key", "certify", "north", "--to", "east", cwd=parties)
    assert run("log", "show", "north", cwd=parties).count("north to east: key-certificate") == 3


def test_a_new_identity_is_vouched_for_by_its_words(parties: Path) -> None:
    exchange(parties, *identified(parties))
    old = key(parties / "north", "north/identity")
    shutil.move(parties / "north" / "keys" / "identity.key", parties)
    shutil.move(parties / "north" / "keys" / "identity.vkey", parties)
    run("key", "new", "north", "--party", "north", cwd=parties)
    new = key(parties / "north", "north/identity")
    heard = " ".join(words(VerifierKey.of_text(new)))
    vouch = ("key", "vouch", "south", new, "--supersedes", old)
    assert "word 1 differs" in run(*vouch, "--words", " ".join(words(VerifierKey.of_text(old))), cwd=parties, status=2)
    assert "vouches that north's identity is now this key" in run(*vouch, "--words", heard, cwd=parties)
    shown = run("key", "show", "south", cwd=parties)
    assert "superseded: not theirs from " in shown
    assert new in shown
    run("key", "change", "north", "--purpose", "log", "--to", "south", cwd=parties)
    shutil.rmtree(parties / "tiles")
    assert "certified by the identity of north" in exchange(parties)


# --- what is said, and to whom -------------------------------------------------------------------------------------


def test_three_things_are_said_proved_and_one_byte_changed(parties: Path, tmp_path: Path) -> None:
    run("log", "proof", "north", "2", "-o", "said.tlog-proof", "--entry", "said.json", cwd=parties)
    run("log", "policy", "north", "-o", "policy", cwd=parties)
    empty = tmp_path / "empty"
    empty.mkdir()
    for name in ("said.tlog-proof", "said.json", "policy"):
        shutil.move(parties / name, empty)
    arguments = ("verify", "said.tlog-proof", "--entry", "said.json", "--policy", "policy")
    assert "Proved: north said this on the line border." in run(*arguments, cwd=empty)
    text = (empty / "said.json").read_text()
    (empty / "said.json").write_text(text.replace(" R7", " R8"))
    assert "Not proved" in run(*arguments, cwd=empty, status=1)


def test_a_receipt_stays_in_the_proof_when_more_is_said(parties: Path) -> None:
    exchange(parties, *identified(parties), "--receipt", "receipt")
    mirror = key(parties / "south", "south/border/mirror")
    assert "receipts kept: south/border/mirror" in run(
        "log", "receipts", "north", "receipt", "--key", mirror, cwd=parties
    )
    run("log", "say", "north", "More.", cwd=parties)
    printed = run("log", "proof", "north", "2", "-o", "p", "--entry", "e", cwd=parties)
    assert "in the log of 6 entries. Receipts in the proof: south/border/mirror." in printed
    run("log", "policy", "north", "--cosigner", mirror, "--quorum", "all", "-o", "policy", cwd=parties)
    assert "south's node had stored it by" in run("verify", "p", "--entry", "e", "--policy", "policy", cwd=parties)
    printed = run("log", "proof", "north", "6", "-o", "p", "--entry", "e", cwd=parties)
    assert "none, which proves nothing either way" in printed
    run("verify", "p", "--entry", "e", "--policy", "policy", cwd=parties, status=1)


def test_receipts_of_strangers_and_forged_ones(parties: Path) -> None:
    exchange(parties, *identified(parties), "--receipt", "receipt")
    mirror = key(parties / "south", "south/border/mirror")
    run("key", "new", "other", "--party", "south", cwd=parties)
    run("log", "new", "other", "--line", "border", cwd=parties)
    stranger = key(parties / "other", "south/border/mirror")
    receipts = ("log", "receipts", "north", "receipt", "--key")
    assert "none by a key that was given" in run(*receipts, stranger, cwd=parties)
    assert "not a key that cosigns" in run(*receipts, key(parties / "south", "south/border/log"), cwd=parties, status=2)
    own = key(parties / "north", "north/border/mirror")
    assert "a receipt of your own proves nothing" in run(*receipts, own, cwd=parties, status=2)
    data = (parties / "receipt").read_text()
    (parties / "receipt").write_text(data[:-10] + ("A" if data[-10] != "A" else "B") + data[-9:])
    assert "nothing of it was kept" in run(*receipts, mirror, cwd=parties, status=1)
    (parties / "receipt").write_text(data.replace("\n6\n", "\n5\n"))
    assert "no such checkpoint of 5 entries" in run(*receipts, mirror, cwd=parties, status=2)
    (parties / "receipt").write_text("no note")
    run(*receipts, mirror, cwd=parties, status=2)


def test_no_body_reaches_whom_it_is_not_for(parties: Path) -> None:
    run("log", "export", "north", "tiles", cwd=parties)
    tiles = b"".join(path.read_bytes() for path in (parties / "tiles").rglob("*") if path.is_file())
    secrets = [b"A convoy on the R7", b"Kept for later", b"For east alone", b"An exercise."]
    assert not [text for text in secrets if text in tiles]
    run("log", "export", "north", "none.jsonl", "--format", "lines", cwd=parties)
    assert not [text for text in secrets if text in (parties / "none.jsonl").read_bytes()]
    run("log", "export", "north", "south.jsonl", "--format", "lines", "--for", "south", cwd=parties)
    data = (parties / "south.jsonl").read_bytes()
    assert [text for text in secrets if text in data] == [secrets[0], secrets[3]]
    assert (parties / "south.jsonl").stat().st_mode & 0o077 == 0
    run("log", "proof", "north", "3", "-o", "p", "--entry", "e", "--leaf", "l", cwd=parties)
    assert secrets[1] not in (parties / "e").read_bytes() + (parties / "p").read_bytes()
    assert secrets[1].decode() not in run("log", "show", "north", "--format", "json", cwd=parties)
    # Who is given everything all the same keeps only what is for them.
    run("log", "export", "north", "all.jsonl", "--format", "lines", "--with-all-bodies", cwd=parties)
    assert secrets[1] in (parties / "all.jsonl").read_bytes()
    run("log", "import", "south", "tiles", "--bodies", "all.jsonl", *identified(parties), cwd=parties)
    shown = run("log", "show", "south", "--of", "north", cwd=parties)
    assert "For east alone" not in shown + (parties / "south" / "record.db").read_bytes().decode("latin-1")
    assert shown.count("the body is not here") == 2
    assert "message (exercise)" in shown
    inside = run("log", "export", "north", "north/keys/tiles", cwd=parties, status=2)
    assert "inside your party's folder" in inside


def test_plans_are_filed_under_our_name_only(parties: Path) -> None:
    assert "--called NAME" in run("log", "file", "north", EXAMPLE, cwd=parties, status=2)
    assert len(run("log", "file", "north", EXAMPLE, cwd=parties, status=2).splitlines()) == 3
    file = ("log", "file", "north", EXAMPLE, "--called", "Northern Force", "--to", "south")
    assert "entries 6 to 8 of north/border/log, for south" in run(*file, cwd=parties)
    shown = run("log", "show", "north", "--from", "6", "--format", "json", cwd=parties)
    assert '"party":"north"' in shown
    assert "Northern Force" not in shown
    (parties / "nothing.geojson").write_text('{"type": "FeatureCollection", "features": []}')
    run("log", "file", "north", "nothing.geojson", cwd=parties, status=2)
    kept = ("log", "file", "north", EXAMPLE, "--called", "Northern Force", "--keep-back")
    assert "Committed to as entries 9 to 11" in run(*kept, cwd=parties)
    assert "leave out --to, or --keep-back" in run(*kept, "--to", "south", cwd=parties, status=2)


def test_a_message_that_would_paint_the_screen(parties: Path) -> None:
    evil = "\x1b[2J\x1b[31mclear\x1b[0m \u202egnp"
    run("log", "say", "north", evil, "--to", "south", "--attach", str(EXAMPLE), cwd=parties)
    assert "\\x1b[2J" in run("log", "show", "north", cwd=parties)
    exchange(parties, *identified(parties))
    shown = run("log", "show", "south", "--of", "north", cwd=parties)
    assert "\\x1b[2J" in shown
    assert "\u202e" not in shown
    assert "standard input is given twice" in run("log", "say", "north", "-", "--attach", "-", cwd=parties, status=2)


def test_options_that_are_wrong_are_told_and_nothing_is_said(parties: Path) -> None:
    for arguments, told in [
        (("log", "say", "north", "x", "--priority", "urgent", "--line", "y"), "one of: routine"),
        (("log", "say", "north", "x", "--line", "y"), "north has no such line"),
        (("log", "say", "north", "x", "--to", "north"), "that is yourselves"),
        (("log", "say", "north", ""), "text"),
        (("log", "say", "north", "x", "--attach", "nowhere"), "nowhere: cannot be read"),
        (("log", "say", "nowhere", "x"), "not a party's folder"),
        (("log", "show", "north", "--from", "99"), "no such entry"),
        (("log", "show", "north", "--of", "east"), "no log of this party is held"),
        (("log", "show", "north", "--log", "north/border/log", "--line", "border"), "leave out --line"),
        (("log", "proof", "north", "99", "-o", "p"), "no such entry"),
        (("log", "proof", "north", "3", "-o", "p", "--size", "3"), "is not in it"),
        (("log", "proof", "north", "3", "-o", "p", "--entry", "p"), "named twice"),
        (("log", "policy", "north", "--quorum", "2"), "--quorum"),
        (("log", "policy", "north", "--cosigner", key(parties / "south", "south/identity")), "not a key that cosigns"),
        (("log", "open", "north", "2"), "cannot be opened"),
        (("log", "erase", "north", "2"), "--yes"),
        (("log", "export", "north", "x", "--for", "south"), "tiles hold no bodies"),
        (("log", "export", "north", "x", "--format", "lines", "--for", "a b"), "--for"),
        (("log", "import", "south", "nowhere"), "no checkpoint"),
        (("log", "refuse", "north", "2", "--of", "north", "--guard", "X"), "not the log of another party"),
        (("log", "evidence", "north", "-o", "x", "--of", "east"), "no log of this party"),
        (("log", "confirm", "north", "nowhere"), "cannot be read"),
        (("key", "change", "north", "--purpose", "identity"), "one of: log, mirror"),
        (("key", "change", "north", "--purpose", "mirror", "--lost"), "--lost"),
    ]:  # fmt: skip
        assert told in run(*arguments, cwd=parties, status=2), arguments
    assert "north/border/log: 6 entries" in run("log", "show", "north", cwd=parties)
    assert not (parties / "p").exists()


# --- the other party's log -----------------------------------------------------------------------------------------


def test_a_log_is_taken_in_by_the_identity_or_by_its_own_key(parties: Path) -> None:
    assert "--key KEY" in exchange(parties, status=2)
    south = ("--identity", key(parties / "south", "south/identity"))
    assert "the identity of north" in exchange(parties, *south, status=2)
    run("key", "new", "fake", "--party", "north", cwd=parties)
    fake = ("--identity", key(parties / "fake", "north/identity"))
    assert "no certificate of a key" in exchange(parties, *fake, status=2)
    assert "No identity of north was compared" in exchange(parties, "--key", key(parties / "north", "north/border/log"))
    assert "no identity of theirs was compared" in run("key", "show", "south", cwd=parties)
    assert "certified by the identity of north" in exchange(parties, *identified(parties))
    assert "another identity of north was compared before" in exchange(parties, *fake, status=2)
    assert "north/border/log: 6 entries are held, 0 of them new" in exchange(parties)


def test_a_wrong_key_is_not_what_a_copy_begins_with(parties: Path) -> None:
    run("key", "new", "fake", "--party", "north", cwd=parties)
    run("log", "new", "fake", "--line", "border", cwd=parties)
    wrong = key(parties / "fake", "north/border/log")
    exchange(parties, "--key", wrong, status=1)
    assert "6 of them new" in exchange(parties, "--key", key(parties / "north", "north/border/log"))
    assert "held under another key" in exchange(parties, "--key", wrong, status=2)


def test_a_log_that_says_it_is_ours_is_refused(parties: Path) -> None:
    run("key", "new", "fake", "--party", "south", cwd=parties)
    run("log", "new", "fake", "--line", "river", cwd=parties)
    run("log", "export", "fake", "tiles", cwd=parties)
    claimed = ("log", "import", "south", "tiles", "--key", key(parties / "fake", "south/river/log"))
    assert "it says that it is a log of yours" in run(*claimed, cwd=parties, status=2)
    run("log", "export", "south", "own", cwd=parties)
    assert "that is your own log" in run("log", "import", "south", "own", cwd=parties, status=2)


def test_a_fork_is_found_kept_and_proved_to_others(parties: Path) -> None:
    from keepclear.record.bodies.talk import MessageBody

    exchange(parties, *identified(parties))
    assert "No evidence is held" in run("log", "evidence", "south", "--of", "north", "-o", "e", cwd=parties, status=1)
    forged(parties, [MessageBody(text="something else")] * 4)
    run("log", "export", "forged", "forged-tiles", cwd=parties)
    assert "has forked" in run("log", "import", "south", "forged-tiles", cwd=parties, status=1)
    assert not (parties / "e").exists()
    run("log", "evidence", "south", "--of", "north", "-o", "e", cwd=parties)
    run("log", "policy", "south", "--of", "north", "-o", "policy", cwd=parties)
    assert "north/border/log" in run("verify", "e", "--policy", "policy", cwd=parties)
    assert "A convoy" in run("log", "show", "south", "--of", "north", cwd=parties)
    changed = bytearray((parties / "e").read_bytes())
    changed[len(changed) // 2] ^= 1
    (parties / "e").write_bytes(changed)
    done = subprocess.run([PROGRAM, "verify", "e", "--policy", "policy"], cwd=parties, check=False, capture_output=True)
    assert done.returncode in (1, 2)


def test_a_wrong_opening_is_refused_and_so_is_any_other_body(parties: Path) -> None:
    from keepclear.record.bodies.committed import OpeningBody
    from keepclear.record.bodies.talk import MessageBody

    run("log", "open", "north", "3", "--to", "south", cwd=parties)
    shown = run("log", "show", "north", "--from", "6", "--format", "json", cwd=parties)
    right = read_entry(shown.encode())
    assert right.body is not None
    members = json.loads(right.body)
    members["content"]["body"]["text"] = "Not what was planned."
    wrong = OpeningBody.of_bytes(canonical(members))
    folder = PartyFolder(parties / "north", passphrase=lambda _: "")
    with folder.store() as store:
        log = folder.own_log(store, "border")
        log.append([entry_said(wrong, line="border", party="north", time_s=1e9, recipients=["south"])])
    assert "WRONG: a wrong opening" in run("log", "show", "north", cwd=parties)
    printed = exchange(parties, *identified(parties), "--receipt", "r", status=1)
    assert "the body of entry 7 was not taken in: a wrong opening" in printed
    assert "No receipt is written" in printed
    assert not (parties / "r").exists()
    assert "nothing to refuse" in run(
        "log", "refuse", "south", "6", "--of", "north", "--guard", "X", cwd=parties, status=2
    )
    assert "nothing to refuse" in run(
        "log", "refuse", "south", "4", "--of", "north", "--guard", "X", cwd=parties, status=2
    )
    refuse = ("log", "refuse", "south", "7", "--of", "north", "--guard")
    assert "guard" in run(*refuse, "no sharing", cwd=parties, status=2)
    assert "its body is not here" in run("log", "erase", "south", "7", "--of", "north", "--yes", cwd=parties, status=2)
    assert "the body of entry 7 of north/border/log is not kept" in run(*refuse, "WRONG_OPENING", cwd=parties)
    assert "The receipt for 8 entries" in exchange(parties, "--receipt", "r")
    shown = run("log", "show", "south", "--of", "north", cwd=parties)
    assert "the body is refused" in shown
    assert "opens entry 3 of north/border/log, and is what was committed to there" in shown
    assert "south to north: refused" in run("log", "show", "south", cwd=parties)
    assert (
        commitment(
            MessageBody(text="x"), line="border", party="north", time_s=1.0, exercise=False, salt=bytes(32)
        ).leaf.recipients
        == ()
    )


def test_a_body_that_is_not_what_the_leaf_says(parties: Path) -> None:
    run("log", "export", "north", "tiles", cwd=parties)
    run("log", "export", "north", "lines", "--format", "lines", "--for", "south", cwd=parties)
    (parties / "lines").write_text((parties / "lines").read_text().replace(" R7", " R8"))
    taken = ("log", "import", "south", "tiles", "--bodies", "lines", *identified(parties), "--receipt", "r")
    printed = run(*taken, cwd=parties, status=1)
    assert "the body of entry 2 was not taken in" in printed
    assert "Not here are the bodies of entries 2:" in printed
    (parties / "lines").write_text("{}\n")
    assert "lines: line 1: not an entry file" in run(*taken, cwd=parties, status=2)


def test_a_leaf_that_speaks_for_another_party(parties: Path) -> None:
    """A log can hold any bytes; what it holds in another's name is not theirs."""
    from keepclear.record.bodies.talk import MessageBody

    folder = PartyFolder(parties / "north", passphrase=lambda _: "")
    said = entry_said(MessageBody(text="We withdraw."), line="border", party="east", time_s=1e9, recipients=["south"])
    with folder.store() as store:
        log = folder.own_log(store, "border")
        log._check = lambda _: None  # type: ignore[assignment, method-assign]  # what a program of theirs would do
        log.append([said])
    exchange(parties, *identified(parties))
    shown = run("log", "show", "south", "--of", "north", cwd=parties)
    assert "NOT the word of east on border: it stands in the log north/border/log" in shown


def test_an_erased_body_is_gone_and_its_leaf_still_proves(parties: Path) -> None:
    exchange(parties, *identified(parties))
    run("log", "proof", "south", "2", "--of", "north", "-o", "p", "--entry", "e", cwd=parties)
    run("log", "policy", "south", "--of", "north", "-o", "policy", cwd=parties)
    assert "is no longer here" in run("log", "erase", "south", "2", "--of", "north", "--yes", cwd=parties)
    for file in (parties / "south").glob("record.db*"):
        assert b"A convoy on the R7" not in file.read_bytes()
    assert "the body is erased" in run("log", "show", "south", "--of", "north", cwd=parties)
    assert "0 bodies were taken in" in exchange(parties)
    run("log", "proof", "south", "2", "--of", "north", "-o", "p2", "--entry", "e2", cwd=parties)
    assert "Proved" in run("verify", "p2", "--entry", "e2", "--policy", "policy", cwd=parties)
    assert "Proved" in run("verify", "p2", "--entry", "e", "--policy", "policy", cwd=parties)


def test_one_process_writes_and_others_read(parties: Path) -> None:
    store = SqliteStore(parties / "north" / "record.db")
    try:
        assert "is open for writing in process" in run("log", "say", "north", "x", cwd=parties, status=74)
        assert "north/border/log: 6 entries" in run("log", "show", "north", cwd=parties)
    finally:
        store.close()
    assert "entry 6" in run("log", "say", "north", "x", cwd=parties)


def test_two_lines_in_one_folder(parties: Path) -> None:
    run("log", "new", "north", "--line", "river", "--to", "east", cwd=parties)
    assert "north is on 2 lines" in run("log", "say", "north", "x", cwd=parties, status=2)
    assert "north/river/log" in run("log", "say", "north", "x", "--line", "river", cwd=parties)
    assert "north/border/log: 6 entries" in run("log", "show", "north", "--line", "border", cwd=parties)
    run("log", "export", "north", "tiles", "--line", "river", cwd=parties)
    taken = run("log", "import", "south", "tiles", "--key", key(parties / "north", "north/river/log"), cwd=parties)
    assert "north/river/log: 3 entries are held" in taken
    assert "the body is not here" in run("log", "show", "south", "--of", "north", cwd=parties)
    receipt = ("log", "import", "south", "tiles", "--receipt", "r")
    assert "border.mirror" not in run(*receipt, cwd=parties, status=2)


def test_after_a_restore_nothing_is_signed_before_it_is_confirmed(parties: Path) -> None:
    exchange(parties, *identified(parties), "--receipt", "receipt")
    (parties / "north" / "record.db-signed").unlink()
    assert "restored from a copy" in run("log", "say", "north", "x", cwd=parties, status=74)
    assert "a checkpoint of a log of yours" in run("log", "confirm", "south", "receipt", cwd=parties, status=2)
    assert "north/border/log goes on from 6 entries" in run("log", "confirm", "north", "receipt", cwd=parties)
    assert "was not restored" in run("log", "confirm", "north", "receipt", cwd=parties, status=2)
    assert "entry 6" in run("log", "say", "north", "x", cwd=parties)
