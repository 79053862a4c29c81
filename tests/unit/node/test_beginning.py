"""A node set up in an empty folder, and one whose set-up was cut off."""

from __future__ import annotations

import hashlib
import ssl
from pathlib import Path

import pytest

from keepclear.errors import InputError, StoreError
from keepclear.node.access import Access
from keepclear.node.beginning import FIRST_ROLES, Beginning, begin_node
from keepclear.node.calling import Address
from keepclear.node.folder import NodeFolder
from keepclear.node.refusals import ClashError
from keepclear.node.settings import Settings
from keepclear.node.tls import address_told, make_certificate, tls_files
from keepclear.store.party_folder import PartyFolder
from keepclear.store.transport_key import transport_certificates

PASSWORD = "twelve geese fly south"


def given(**others: object) -> Beginning:
    members = {"party": "north", "name": "Northern cell", "officer": "petrov", "password": PASSWORD}
    return Beginning(**(members | others))  # type: ignore[arg-type]


def officers(folder: NodeFolder) -> list[tuple[str, list[str]]]:
    database = folder.open_database()
    try:
        return [(one.name, sorted(one.roles)) for one in Access(database, lambda: 0.0).users.after(limit=10)]
    finally:
        database.close()


def test_a_node_is_set_up(tmp_path: Path) -> None:
    folder = begin_node(tmp_path / "n", given(address="https://north.example:8443"), time_s=1.7e9)
    assert (folder.party, folder.settings.name) == ("north", "Northern cell")
    assert officers(folder) == [("petrov", sorted(FIRST_ROLES))]
    assert len(transport_certificates(folder)) == 1
    with pytest.raises(ClashError, match="already"):
        begin_node(tmp_path / "n", given(), time_s=1.7e9)


def test_a_folder_of_keys_becomes_a_node(tmp_path: Path) -> None:
    before = PartyFolder.create(tmp_path / "n", "north", sealed_with=None)
    with pytest.raises(InputError, match="folder of north, not of south"):
        begin_node(tmp_path / "n", given(party="south"), time_s=1.7e9)
    folder = begin_node(tmp_path / "n", given(), time_s=1.7e9)
    assert folder.identity == before.identity
    assert tls_files(folder.path, folder.settings) is None


def test_what_was_cut_off_goes_on(tmp_path: Path) -> None:
    NodeFolder.create(tmp_path / "n", "north").open_database().close()
    folder = begin_node(tmp_path / "n", given(), time_s=1.7e9)
    assert [name for name, _ in officers(folder)] == ["petrov"]


def test_what_cannot_be_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    for wrong in ({"password": "short"}, {"address": "http://far.example"}, {"address": "ftp://x"}, {"party": "a b"}):
        with pytest.raises(InputError):
            begin_node(tmp_path / "n", given(**wrong), time_s=1.7e9)
        assert not (tmp_path / "n" / "keys" / "identity.key").exists()


def test_the_card_names_the_certificate_made_here(tmp_path: Path) -> None:
    settings = Settings(address="https://127.0.0.1:8443/")
    make_certificate(tmp_path, settings.address, time_s=1.7e9)
    told = address_told(tmp_path, settings)
    files = tls_files(tmp_path, settings)
    assert files is not None
    assert files.made_here
    assert (files.key.stat().st_mode & 0o777) == 0o600
    der = ssl.PEM_cert_to_DER_cert(files.certificate.read_text())
    assert Address.of_text(told) == Address("https://127.0.0.1:8443", hashlib.sha256(der).digest())
    make_certificate(tmp_path, settings.address, time_s=1.8e9)
    assert address_told(tmp_path, settings) == told


def test_an_operators_own_certificate_is_not_named(tmp_path: Path) -> None:
    make_certificate(tmp_path, "https://north.example", time_s=1.7e9)
    own = {"tls_cert": "tls/certificate.pem", "tls_key": "tls/key.pem"}
    settings = Settings(address="https://north.example:8443", **own)
    assert address_told(tmp_path, settings) == "https://north.example:8443"
    with pytest.raises(InputError, match="belong together"):
        tls_files(tmp_path, Settings(tls_cert="a.pem"))
    with pytest.raises(InputError, match="no such file"):
        tls_files(tmp_path, Settings(tls_cert="a.pem", tls_key="b.pem"))
    assert address_told(tmp_path, Settings(address="http://127.0.0.1:1")) == "http://127.0.0.1:1"


def test_all_that_is_wrong_is_told_before_anything_is_made(tmp_path: Path) -> None:
    wrong = given(party="a b", officer="Petrov", password="short", address="foo")
    with pytest.raises(InputError) as caught:
        begin_node(tmp_path / "n", wrong, time_s=1.7e9)
    assert {fault.field for fault in caught.value.faults} == {"party", "name", "password", "address"}
    assert not (tmp_path / "n").exists()


def test_a_database_that_cannot_be_reached_does_not_come_into_the_settings(tmp_path: Path) -> None:
    for database, error in (("postgresql://127.0.0.1:1/keepclear", StoreError), ("mysql://h/d", InputError)):
        with pytest.raises(error):
            begin_node(tmp_path / "n", given(settings={"database": database}), time_s=1.7e9)
        assert not (tmp_path / "n").exists()
    assert begin_node(tmp_path / "n", given(), time_s=1.7e9).settings.database == ""
