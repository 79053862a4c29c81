"""Where published logs are read from: bounded, and trusted with nothing. Real servers are in tests/e2e."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from keepclear.cli.places import folder, is_url, site
from keepclear.errors import InputError, PeerError


def test_a_folder_gives_what_is_there_and_none_for_what_is_not(tmp_path: Path) -> None:
    (tmp_path / "checkpoint").write_bytes(b"note")
    fetch = folder(tmp_path)
    assert fetch("checkpoint") == b"note"
    assert fetch("tile/0/000") is None
    assert fetch("checkpoint/tile") is None  # a file where a folder should be


@pytest.mark.parametrize(
    ("name", "most"),
    [("checkpoint", 1_000_000), ("tile/0/000", 8192), ("tile/entries/000", 256 * 65_537)],
)
def test_no_file_is_read_beyond_what_it_can_be(tmp_path: Path, name: str, most: int) -> None:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    os.truncate(path, most)
    assert len(folder(tmp_path)(name) or b"") == most
    os.truncate(path, most + 1)
    with pytest.raises(PeerError, match="that can be there"):
        folder(tmp_path)(name)


def test_what_cannot_be_read_says_why(tmp_path: Path) -> None:
    (tmp_path / "checkpoint").mkdir()
    with pytest.raises(PeerError, match=r"checkpoint cannot be read: Is a directory"):
        folder(tmp_path)("checkpoint")


def test_no_folder_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        folder(tmp_path / "nowhere")


def test_addresses_are_told_from_folders() -> None:
    assert is_url("https://log.example/north")
    assert is_url("ftp://log.example")
    assert not is_url("C:/logs")
    assert not is_url("logs/north")


@pytest.mark.parametrize("url", ["https://log.example/north/", "http://[::1]:8080", "http://log.example:80/a/b"])
def test_addresses_of_the_web_are_taken(url: str) -> None:
    assert callable(site(url))


@pytest.mark.parametrize(
    "url",
    [
        "ftp://log.example", "file:///etc", "http://", "https:///path", "http://log.example/?a", "http://log.example/#a",
        "http://user@log.example/", "http://log.example:0/", "http://log.example:99999/", "http://[::1", "data://x",
    ],
)  # fmt: skip
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(InputError, match="not the address of a log"):
        site(url)
