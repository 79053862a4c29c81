from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from keepclear.errors import InputError, StoreError
from keepclear.node.folder import NodeFolder
from keepclear.node.settings import FILE
from keepclear.record.names import KeyName, Purpose


@pytest.fixture
def folder(tmp_path):
    return NodeFolder.create(tmp_path / "RU", "RU", name="Hmeymim cell")


def test_a_new_folder_has_an_identity_and_its_name(folder):
    again = NodeFolder(folder.path)
    assert (again.party, again.settings.name) == ("RU", "Hmeymim cell")
    assert again.identity == folder.identity


def test_what_is_no_folder_of_a_party_is_refused(tmp_path):
    with pytest.raises(InputError, match="there is no node in this folder; set one up: keepclear init"):
        NodeFolder(tmp_path)


def test_settings_come_from_file_environment_and_options(folder):
    found = NodeFolder(folder.path, environment={"KEEPCLEAR_PORT": "7"}, options={"workers": 2})
    assert (found.settings.port, found.settings.workers, found.settings.name) == (7, 2, "Hmeymim cell")


def test_sealed_keys_are_opened_with_the_passphrase_of_the_file_that_is_named(tmp_path):
    NodeFolder.create(tmp_path / "RU", "RU", sealed_with="correct horse")
    (tmp_path / "passphrase").write_text("correct horse\nsecond line\n")
    folder = NodeFolder(tmp_path / "RU", options={"passphrase_file": str(tmp_path / "passphrase")})
    assert folder.signing_key(KeyName("RU", Purpose.IDENTITY)).verifier == folder.identity
    with pytest.raises(InputError, match="passphrase_file"):
        NodeFolder(tmp_path / "RU").signing_key(KeyName("RU", Purpose.IDENTITY))
    missing = NodeFolder(tmp_path / "RU", options={"passphrase_file": "nowhere"})
    with pytest.raises(InputError, match="nowhere"):
        missing.signing_key(KeyName("RU", Purpose.IDENTITY))


def test_one_node_runs_in_a_folder_and_says_where(folder):
    with folder.lock():
        folder.announce("http://127.0.0.1:8470")
        assert folder.running().url == "http://127.0.0.1:8470"
        assert folder.running().pid == os.getpid()
        assert folder.running().certificate == ""
        with pytest.raises(StoreError, match=f"process {os.getpid()}, at http://127.0.0.1:8470"), folder.lock():
            pass
    assert folder.running() is None
    with folder.lock():
        pass


def test_a_node_that_was_killed_is_not_taken_to_run(folder):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    with folder.lock():
        pass
    (folder.run / "node.json").write_text(json.dumps({"url": "http://127.0.0.1:1", "pid": dead.pid}))
    assert folder.running() is None
    with folder.lock():
        pass


@pytest.mark.parametrize("text", ["", "{", "[]", '{"url": "x"}', '{"url": "x", "pid": "y"}', '{"url": 1, "pid": 1e99}'])
def test_a_spoilt_announcement_counts_as_none(folder, text):
    with folder.lock():
        (folder.run / "node.json").write_text(text)
        assert folder.running() is None


def test_the_local_token_is_made_once_and_is_the_owners_alone(folder):
    assert folder.local_token() is None
    token = folder.local_token(make=True)
    assert token.startswith("kcl_")
    assert folder.local_token(make=True) == token == NodeFolder(folder.path).local_token()
    assert (folder.run / "local-token").stat().st_mode & 0o077 == 0
    assert folder.run.stat().st_mode & 0o077 == 0


def test_stores_are_opened_in_the_folder(folder):
    store = folder.open_records()
    store.close()
    folder.open_database().close()
    assert (folder.path / "record.db").stat().st_mode & 0o077 == 0
    assert (folder.path / "node.db").stat().st_mode & 0o077 == 0
    assert (folder.path / FILE).exists()
