from __future__ import annotations

import os
from pathlib import Path

import pytest

from keepclear.cli.output import check_output, put
from keepclear.errors import InputError


def test_a_file_is_replaced_whole_and_keeps_its_permissions(tmp_path: Path) -> None:
    target = tmp_path / "answer.json"
    target.write_text("old")
    target.chmod(0o640)
    put(["new –", " ü\n"], target)
    assert target.read_text(encoding="utf-8") == "new – ü\n"
    assert target.stat().st_mode & 0o777 == 0o640
    assert os.listdir(tmp_path) == ["answer.json"]  # noqa: PTH208


def test_a_link_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    put(["new"], tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "answer.json"
    target.write_text("old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="No space left on device"):
        put(["new"], target)
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["answer.json"]


def test_a_device_is_written_to() -> None:
    put(["gone"], Path("/dev/null"))
    assert not Path("/dev/null").is_file()


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        (".", "a folder"),
        ("missing/answer.json", "its folder does not exist"),
        ("plans.gpx", "one of the files to read"),
    ],
)
def test_a_bad_place_is_refused_before_any_work(tmp_path: Path, name: str, problem: str) -> None:
    (tmp_path / "plans.gpx").write_text("")
    faults = check_output(tmp_path / name, [str(tmp_path / "plans.gpx"), "-"])
    assert len(faults) == 1
    assert problem in faults[0].problem


def test_a_good_place_is_not(tmp_path: Path) -> None:
    assert check_output(None, ["a"]) == []
    assert check_output(tmp_path / "new.json", ["a", "\0"]) == []
