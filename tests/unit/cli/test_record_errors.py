"""Errors of the record end in one line each and a status of their own."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
import typer

from keepclear.cli import app as program
from keepclear.cli.kept_logs import examined, is_party_folder
from keepclear.cli.progress import Waiting
from keepclear.cli.record_files import parsed, read_file, read_policy
from keepclear.errors import InputError, IntegrityError, PeerError, StoreError
from keepclear.record.keys import SigningKey
from keepclear.store.log import Log
from keepclear.store.log_store import DamagedError
from keepclear.store.sqlite import SqliteStore
from tests.reference.made_logs import log_key, said


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (PeerError("not a note\nnot a key"), 2),
        (IntegrityError("the root differs\nand the key"), 1),
        (DamagedError("bytes differ\nin two places"), 1),
        (StoreError("the disk is full\nand slow"), 74),
    ],
)
def test_each_kind_has_its_status_and_one_line_per_fault(
    error: Exception, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = typer.Typer()

    @broken.command("one")
    def one() -> None:
        raise error

    @broken.command("two")
    def two() -> None:
        raise AssertionError

    monkeypatch.setattr(program, "_program_of", lambda _: broken)
    assert program.run(["one"]) == status
    shown = capsys.readouterr()
    assert (shown.out, shown.err.splitlines()) == ("", str(error).splitlines())


def test_files_are_read_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "proof"
    path.write_bytes(b"12345")
    assert read_file(str(path), most_bytes=5, right="a proof") == b"12345"
    for name, problem in (
        (str(path), "more than 4 bytes"),
        (str(tmp_path), "directory"),
        ("a\0b", "null"),
        (str(tmp_path / "none"), "No such"),
    ):
        with pytest.raises(InputError, match=problem):
            read_file(name, most_bytes=4, right="a proof")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"abc")))
    assert read_file("-", most_bytes=5, right="a proof") == b"abc"


def test_a_file_that_others_made_is_the_persons_to_mend() -> None:
    def refuse(data: bytes) -> None:
        raise PeerError("no note\nno key")

    with pytest.raises(InputError) as caught:
        parsed("p.tlog-proof", b"", refuse, right="a proof")
    assert [str(fault) for fault in caught.value.faults] == [
        "p.tlog-proof: no note; a proof",
        "p.tlog-proof: no key; a proof",
    ]


def test_a_policy_says_all_that_is_wrong_with_it(tmp_path: Path) -> None:
    (tmp_path / "p").write_text("log\nwitness\n")
    with pytest.raises(InputError) as caught:
        read_policy(str(tmp_path / "p"))
    assert len(caught.value.faults) == 3


@pytest.fixture
def party_folder(tmp_path: Path) -> Path:
    with Waiting(shown=False):
        store = SqliteStore(tmp_path / "record.db")
    Log.create(store, log_key()).append([said(number) for number in range(600)])
    store.close()
    return tmp_path


def kept(folder: Path, *keys: SigningKey) -> tuple[str, ...]:
    assert is_party_folder(str(folder))
    with Waiting(shown=False) as waiting:
        (log,) = examined(str(folder), keys=[key.verifier for key in keys], waiting=waiting)
    assert log.document()["wrong"] == list(log.wrong)
    assert sum("WRONG" in line for line in log.lines()) == len(log.wrong)
    return log.wrong


def test_a_partys_own_folder_is_examined(party_folder: Path) -> None:
    assert kept(party_folder) == ()
    assert kept(party_folder, log_key()) == ()
    assert not is_party_folder(str(party_folder / "record.db"))


def test_another_key_than_the_believed_one_is_told(party_folder: Path) -> None:
    key = log_key()
    stranger = SigningKey.of_seed(key.verifier.name, key.verifier.kind, bytes(32))
    (told,) = kept(party_folder, stranger)
    assert "not the key that you believe" in told
    assert kept(party_folder, log_key("south/border/log")) == ()


def test_damage_to_the_file_is_told_not_raised(party_folder: Path) -> None:
    path = party_folder / "record.db"
    data = bytearray(path.read_bytes())
    at = data.find(b'"party":"north"', len(data) // 2)
    assert at > 0
    data[at + 9] ^= 1
    path.write_bytes(data)
    assert any("damaged" in sentence or "not what" in sentence for sentence in kept(party_folder))
    path.write_bytes(b"SQLite format 3\0" + bytes(4096))
    assert kept(party_folder)
