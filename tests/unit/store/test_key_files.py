from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from keepclear.errors import InputError, StoreError
from keepclear.store.key_files import read_key_file, write_key_file
from tests.crash.saying import KEY, OWN_KEY

SEALED = {"passphrase": "correct horse", "salt": b"s" * 16, "nonce": b"n" * 12}


@pytest.mark.parametrize("how", [{}, SEALED])
def test_a_key_comes_back_from_a_file_that_only_its_owner_reads(tmp_path, how):
    path = tmp_path / "log.key"
    write_key_file(path, KEY, **how)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    read = read_key_file(path, passphrase=how.get("passphrase"))
    assert read.verifier == KEY.verifier
    assert read.seed() == KEY.seed()
    assert [found.name for found in tmp_path.iterdir()] == ["log.key"]


def test_a_mask_that_lets_others_read_is_no_matter(tmp_path):
    before = os.umask(0)
    try:
        write_key_file(tmp_path / "log.key", KEY)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "log.key").stat().st_mode) == 0o600


def test_a_key_is_never_written_over(tmp_path):
    path = tmp_path / "log.key"
    write_key_file(path, KEY)
    with pytest.raises(InputError, match=r"log\.key: there is a file already"):
        write_key_file(path, OWN_KEY)
    assert read_key_file(path).verifier == KEY.verifier
    assert [found.name for found in tmp_path.iterdir()] == ["log.key"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o610, 0o777])
def test_a_key_that_others_can_read_or_change_is_refused(tmp_path, mode):
    path = tmp_path / "log.key"
    write_key_file(path, KEY)
    path.chmod(mode)
    with pytest.raises(InputError, match=r"others than the owner can read or change the key.*chmod 600"):
        read_key_file(path)
    path.chmod(0o400)
    assert read_key_file(path).verifier == KEY.verifier


def test_what_is_no_key_file_is_refused_by_name(tmp_path):
    path = tmp_path / "log.key"
    with pytest.raises(InputError, match=r"log\.key.*cannot be read"):
        read_key_file(path)
    open_before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(InputError, match="Is a directory"):
        read_key_file(tmp_path)
    assert len(list(Path("/proc/self/fd").iterdir())) == open_before
    for data in (b"", b"\xff" * 100, b"x" * 20_000, b"keepclear key v1\n"):
        path.write_bytes(data)
        path.chmod(0o600)
        with pytest.raises(InputError, match=r"log\.key"):
            read_key_file(path)
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(InputError, match="not a file"):
        read_key_file(tmp_path / "pipe")


def test_a_wrong_passphrase_is_refused_and_not_told(tmp_path):
    path = tmp_path / "log.key"
    write_key_file(path, KEY, **SEALED)
    for wrong in (None, "correct horses"):
        with pytest.raises(InputError) as caught:
            read_key_file(path, passphrase=wrong)
        assert "log.key" in str(caught.value)
        assert "horses" not in str(caught.value)


def test_a_folder_that_is_not_there_is_the_stores_error(tmp_path):
    with pytest.raises(StoreError, match="could not be written"):
        write_key_file(tmp_path / "nowhere" / "log.key", KEY)
