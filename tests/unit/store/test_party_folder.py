"""A party's folder: whose it is, which keys it has, and that nobody else could have changed them."""

from __future__ import annotations

from pathlib import Path

import pytest

from keepclear.errors import InputError, StoreError
from keepclear.record.keys import SignatureKind
from keepclear.record.names import KeyName, Purpose
from keepclear.store.key_changes import begin_log
from keepclear.store.party_folder import PartyFolder

IDENTITY = KeyName("north", Purpose.IDENTITY)
LOG = KeyName("north", Purpose.LOG, "border")


def asked(path: Path) -> str:
    raise AssertionError(f"a passphrase was asked for: {path}")


def begun(path: Path, *lines: str) -> PartyFolder:
    folder = PartyFolder.create(path, "north", sealed_with=None)
    with folder.store() as store:
        for line in lines:
            begin_log(folder, store, line, time_s=1e9, sealed_with=None)
    return folder


def test_a_folder_is_its_owners_alone(tmp_path: Path) -> None:
    folder = begun(tmp_path / "new" / "n", "border")
    assert (folder.party, folder.lines) == ("north", ("border",))
    assert folder.path.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in (folder.path / "keys").glob("*.key")} == {0o600}
    assert [key.kind for key in folder.public_keys()] == [SignatureKind.ED25519] * 2 + [SignatureKind.COSIGNATURE]
    assert PartyFolder(folder.path, passphrase=asked).signing_key(LOG).verifier == folder.public_key(LOG)


@pytest.mark.parametrize("mode", [0o770, 0o757])
def test_a_folder_that_others_can_write_in_is_not_used_for_keys(tmp_path: Path, mode: int) -> None:
    tmp_path.chmod(mode)
    with pytest.raises(InputError, match="others than the owner can write"):
        PartyFolder.create(tmp_path, "north", sealed_with=None)
    tmp_path.chmod(0o700)
    folder = PartyFolder.create(tmp_path, "north", sealed_with=None)
    tmp_path.chmod(mode)
    with pytest.raises(InputError, match="others than the owner can write"):
        folder.signing_key(IDENTITY)


def test_creating_goes_on_only_where_it_is_the_same_party(tmp_path: Path) -> None:
    identity = begun(tmp_path).identity
    vkey = tmp_path / "keys" / "identity.vkey"
    vkey.unlink()
    (tmp_path / "keys" / ".identity.key.1.new").write_text("left behind")
    with pytest.raises(InputError, match="an identity already"):
        PartyFolder.create(tmp_path, "south", sealed_with=None)
    assert PartyFolder.create(tmp_path, "north", sealed_with=None).identity == identity
    assert sorted(file.name for file in vkey.parent.iterdir()) == ["identity.key", "identity.vkey"]
    with pytest.raises(InputError, match="an identity already"):
        PartyFolder.create(tmp_path, "north", sealed_with=None)
    (tmp_path / "keys" / "identity.key").unlink()  # kept in a safe
    assert PartyFolder(tmp_path, passphrase=asked).identity == identity
    with pytest.raises(InputError, match="an identity already"):
        PartyFolder.create(tmp_path, "north", sealed_with=None)


def test_what_is_no_folder_of_a_party(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no identity"):
        PartyFolder(tmp_path / "nowhere", passphrase=asked)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="holds no identity"):
        PartyFolder(tmp_path / "file", passphrase=asked)
    with pytest.raises(StoreError, match="cannot be made"):
        PartyFolder.create(tmp_path / "file", "north", sealed_with=None)
    folder = begun(tmp_path / "n", "border")
    vkey = folder.path / "keys" / "identity.vkey"
    for text in ("", "x", folder.public_key(LOG).text, "é" * 9):
        vkey.write_text(text)
        with pytest.raises(InputError, match=r"identity.vkey"):
            PartyFolder(folder.path, passphrase=asked)
    vkey.write_bytes(b"\xff")
    with pytest.raises(InputError, match=r"identity.vkey"):
        PartyFolder(folder.path, passphrase=asked)


def test_a_passphrase_is_asked_for_only_where_a_key_is_sealed(tmp_path: Path) -> None:
    begun(tmp_path, "border")
    PartyFolder(tmp_path, passphrase=asked).signing_key(LOG)
    sealed = PartyFolder.create(tmp_path / "sealed", "south", sealed_with="open sesame")
    questions: list[Path] = []

    def answer(path: Path) -> str:
        questions.append(path)
        return "open sesame"

    again = PartyFolder(sealed.path, passphrase=answer)
    assert again.public_keys() == sealed.public_keys()
    assert questions == []
    again.signing_key(KeyName("south", Purpose.IDENTITY))
    assert questions == [sealed.path / "keys" / "identity.key"]


def test_a_key_file_of_another_name_is_not_taken(tmp_path: Path) -> None:
    folder = begun(tmp_path, "border", "river")
    path = folder.key_path(LOG)
    path.write_bytes(folder.key_path(KeyName("north", Purpose.LOG, "river")).read_bytes())
    for read in (folder.public_key, folder.signing_key):
        with pytest.raises(InputError, match="should hold north/border/log"):
            read(LOG)
    path.write_text("no key")
    with pytest.raises(InputError, match=r"border.log.key: not a key file"):
        folder.public_key(LOG)
    (tmp_path / "keys" / "a b.log.key").write_text("")
    with pytest.raises(InputError, match="no key is called so"):
        folder.key_names()


def test_names_of_files_lead_back_to_names_of_keys(tmp_path: Path) -> None:
    lines = ("a", "a.log", "a.log.2", "a.mirror", "log", "identity")
    folder = begun(tmp_path, *lines)
    assert folder.lines == tuple(sorted(lines))
    for name, key in zip(folder.key_names(), folder.public_keys(), strict=True):
        assert (folder.public_key(name), key.name) == (key, name.text)


def test_the_line_that_is_meant(tmp_path: Path) -> None:
    folder = begun(tmp_path, "border")
    assert folder.line_of(None) == folder.line_of("border") == "border"
    with pytest.raises(InputError, match=r"no such line.*one of: border"):
        folder.line_of("river")
    with folder.store() as store:
        begin_log(folder, store, "river", time_s=1e9, sealed_with=None)
    with pytest.raises(InputError, match=r"on 2 lines.*border, river"):
        folder.line_of(None)


def test_a_store_that_is_not_there_is_not_made_by_reading(tmp_path: Path) -> None:
    folder = PartyFolder.create(tmp_path, "north", sealed_with=None)
    with pytest.raises(InputError, match="no logs here yet"), folder.store(readonly=True):
        pass
    assert not folder.has_store
    with folder.store() as store, pytest.raises(InputError, match="has no log on border"):
        folder.own_log(store, "border")
