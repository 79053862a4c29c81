"""Where a node listens: nothing goes unencrypted beyond this machine, and files that cannot be used are named."""

from __future__ import annotations

import pytest

from keepclear.cli.node_server import is_loopback, listen
from keepclear.errors import InputError
from keepclear.node.folder import NodeFolder
from keepclear.node.tls import make_certificate


@pytest.fixture
def path(tmp_path):
    return NodeFolder.create(tmp_path / "RU", "RU").path


@pytest.fixture
def certified(path):
    make_certificate(path, "https://127.0.0.1:1", time_s=1.9e9)
    return path


def opened(path, **options):
    return listen(NodeFolder(path, options={"port": 0, "host": "127.0.0.1", **options}))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "north.example"])
def test_beyond_this_machine_nothing_is_served_without_a_certificate(path, host):
    assert not is_loopback(host)
    with pytest.raises(InputError, match="unencrypted"):
        opened(path, host=host)


def test_with_a_certificate_it_is_served_over_tls(certified):
    listening = opened(certified, host="0.0.0.0")
    try:
        assert listening.url.startswith("https://0.0.0.0:")
        assert listening.local_url == f"https://127.0.0.1:{listening.port}"
        assert listening.certificate == certified / "tls" / "certificate.pem"
    finally:
        listening.close()


def test_a_key_of_another_certificate_is_refused(certified, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    make_certificate(other, "https://127.0.0.1:1", time_s=1.9e9)
    with pytest.raises(InputError, match="not a certificate and its private key"):
        opened(certified, tls_cert="tls/certificate.pem", tls_key=str(other / "tls" / "key.pem"))
    with pytest.raises(InputError, match="belong together"):
        opened(certified, tls_cert="tls/certificate.pem")


def test_authorities_are_a_file_of_the_folder_with_certificates(certified):
    opened(certified, peer_authorities="tls/certificate.pem").close()
    (certified / "empty.pem").write_text("no certificate\n")
    for name, told in (("nowhere.pem", "No such file"), ("empty.pem", "no certificate in it")):
        with pytest.raises(InputError, match=told) as caught:
            opened(certified, peer_authorities=name)
        assert [(one.field, one.value) for one in caught.value.faults] == [("peer_authorities", str(certified / name))]
