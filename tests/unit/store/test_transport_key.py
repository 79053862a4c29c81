"""The transport key is made once, certified, and changed without losing who certified what."""

from __future__ import annotations

from pathlib import Path

import pytest

from keepclear.errors import InputError
from keepclear.record.certificates import Certificate, read_statement
from keepclear.record.key_ring import KeyRing
from keepclear.record.names import KeyName, Purpose
from keepclear.store.party_folder import PartyFolder
from keepclear.store.transport_key import change_transport_key, make_transport_key, transport_certificates

NAME = KeyName("north", Purpose.TRANSPORT)


@pytest.fixture
def folder(tmp_path: Path) -> PartyFolder:
    return PartyFolder.create(tmp_path / "north", "north", sealed_with=None)


def ring(folder: PartyFolder) -> KeyRing:
    return KeyRing.founded([folder.identity]).taking(transport_certificates(folder))


def test_it_is_made_once_and_certified(folder: PartyFolder) -> None:
    assert transport_certificates(folder) == ()
    key = make_transport_key(folder, time_s=1e9, sealed_with=None)
    assert make_transport_key(folder, time_s=2e9, sealed_with=None) == key
    assert folder.key_names()[1] == NAME
    assert folder.public_keys()[1] == key
    assert folder.lines == ()
    (note,) = transport_certificates(folder)
    statement, _ = read_statement(note)
    assert isinstance(statement, Certificate)
    assert (statement.key, statement.from_s, statement.supersedes) == (key, 1_000_000_000, None)
    assert not ring(folder).refused
    assert (folder.key_path(NAME).stat().st_mode & 0o777) == 0o600


def test_what_was_cut_off_goes_on_with_the_same_key(folder: PartyFolder) -> None:
    key = make_transport_key(folder, time_s=1e9, sealed_with=None)
    (folder.path / "keys" / "transport.certificates").unlink()
    assert make_transport_key(folder, time_s=1e9, sealed_with=None) == key
    assert len(transport_certificates(folder)) == 1


def test_a_key_that_went_astray_is_not_made_again(folder: PartyFolder) -> None:
    make_transport_key(folder, time_s=1e9, sealed_with=None)
    folder.key_path(NAME).unlink()
    with pytest.raises(InputError, match="put the key file back"):
        make_transport_key(folder, time_s=1e9, sealed_with=None)


def test_another_takes_its_place(folder: PartyFolder) -> None:
    old = make_transport_key(folder, time_s=1e9, sealed_with=None)
    new = change_transport_key(folder, time_s=1e9 + 10, sealed_with=None)
    assert new != old
    assert folder.public_key(NAME) == new
    periods = ring(folder).periods("north", Purpose.TRANSPORT, None)
    assert [(one.key, one.until_s) for one in periods] == [(old, 1_000_000_010), (new, None)]
    kept = folder.path / "keys" / f"transport.key.{old.key_id.hex()}"
    assert kept.exists()


def test_a_change_that_was_cut_off_goes_on(folder: PartyFolder) -> None:
    make_transport_key(folder, time_s=1e9, sealed_with=None)
    path = folder.key_path(NAME)
    folder.make_key(path.with_suffix(".next"), NAME, sealed_with=None)
    coming = folder.read_key(path.with_suffix(".next"), NAME).verifier
    assert change_transport_key(folder, time_s=1e9 + 10, sealed_with=None) == coming
    assert len(transport_certificates(folder)) == 2


@pytest.mark.parametrize("text", ["", "nothing\n", "\xff"])
def test_a_file_that_holds_something_else_is_refused(folder: PartyFolder, text: str) -> None:
    (folder.path / "keys" / "transport.certificates").write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError, match="from a copy"):
        transport_certificates(folder)


def test_sealed_keys(tmp_path: Path) -> None:
    folder = PartyFolder.create(tmp_path / "south", "south", sealed_with="a long passphrase")
    assert folder.passphrase_of_new_keys() == "a long passphrase"
    make_transport_key(folder, time_s=1e9, sealed_with=folder.passphrase_of_new_keys())
    again = PartyFolder(folder.path, passphrase=lambda _: "wrong")
    with pytest.raises(InputError, match="passphrase"):
        again.signing_key(KeyName("south", Purpose.TRANSPORT))
