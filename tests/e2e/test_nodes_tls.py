"""Nodes that speak over TLS: by certificates that their cards name, and by those that an authority has signed."""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from keepclear.client.client import Client
from keepclear.clock import now_s
from keepclear.errors import StoreError
from keepclear.node.tls import make_certificate
from tests.line_of_nodes import LINE, client_of, joined, until
from tests.nodes import NodeProcess, nodes_in

PARTIES = ("RU", "TR")
PATIENCE_S = 180.0  # a node that was not there is called again after half a minute at the latest


def address(port: int) -> str:
    return f"https://127.0.0.1:{port}"


def addresses(node: NodeProcess) -> list[str]:
    """As they stand on the cards of the line."""
    with client_of(node) as client:
        return [one for member in client.members(LINE).members for one in member.addresses]


def trouble(node: NodeProcess) -> str:
    """What a node says of the channel to the other."""
    with client_of(node) as client:
        return next(iter(client.status(LINE).channels)).trouble


def waiting(node: NodeProcess) -> list[str]:
    return [one["summary"] for one in node.asked("GET", "/inbox")["to_answer"]]


def must_reach(node: NodeProcess, other: NodeProcess, text: str) -> None:
    """Say something as a person does, with whom it arrives."""
    told = node.run("say", text, "--line", LINE)
    assert "Said as" in told
    until(lambda: any(text in one for one in waiting(other)), f"{text!r} is at {other.party}")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_certificate_made_at_set_up_is_believed_because_the_card_names_it_and_no_other_is(tmp_path):
    other = tmp_path / "other"
    with nodes_in(tmp_path) as nodes:
        ru, tr = (nodes.new(party, address_of=address, by_command=True) for party in PARTIES)
        for node in (ru, tr):
            node.start("--host", "127.0.0.1", wait=False)
        for node in (ru, tr):
            node.wait_ready()
        joined([ru, tr])
        assert all("#sha256=" in one for node in (ru, tr) for one in addresses(node))
        must_reach(ru, tr, "calm at the bridge")
        must_reach(tr, ru, "calm here as well")
        with pytest.raises(StoreError, match="certificate verify failed"):
            Client(ru.url, token=ru.folder.local_token()).me()

        # At TR's address there is another certificate, which no card names and nobody known has signed.
        tr.stop()
        other.mkdir()
        make_certificate(other, tr.url, time_s=now_s())
        tr.certificate = other / "tls" / "certificate.pem"
        tr.start("--host", "127.0.0.1", "--tls-cert", str(tr.certificate), "--tls-key", str(other / "tls" / "key.pem"))
        ru.run("say", "only for TR", "--line", LINE)
        until(
            lambda: "its certificate is not" in trouble(ru),
            "RU says what is wrong",
            timeout_s=PATIENCE_S,
        )
        told = " ".join(ru.run("line status").split())
        assert "its certificate is not" in told
        assert "only for TR" not in json.dumps(waiting(tr))
        assert "TR on north" in tr.run("line status")  # by the certificate with which it is served

        tr.stop()
        tr.certificate = tr.path / "tls" / "certificate.pem"
        tr.start("--host", "127.0.0.1")
        until(lambda: any("only for TR" in one for one in waiting(tr)), "it is at TR itself", timeout_s=PATIENCE_S)
        until(lambda: not trouble(ru), "nothing is wrong any more", timeout_s=PATIENCE_S)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_certificates_of_an_authority_are_believed_by_those_who_name_it(tmp_path):
    signed_by_authority(tmp_path, PARTIES)
    with nodes_in(tmp_path) as nodes:
        for party in PARTIES:
            node = nodes.new(
                party, address_of=address, tls_cert=f"../{party}.pem", tls_key=f"../{party}.key",
                peer_authorities="../authority.pem",
            )  # fmt: skip
            node.certificate = tmp_path / "authority.pem"
            node.start(wait=False)
        ru, tr = nodes.made
        for node in (ru, tr):
            node.wait_ready()
        joined([ru, tr])
        assert not any("#" in one for node in (ru, tr) for one in addresses(node))
        must_reach(ru, tr, "calm at the bridge")
        must_reach(tr, ru, "calm here as well")

        ru.stop()
        ru.start(environment={"KEEPCLEAR_PEER_AUTHORITIES": ""})
        until(lambda: "peer_authorities" in trouble(ru), "RU says what is wrong", timeout_s=PATIENCE_S)
        assert "its certificate is not believed: unable to get local issuer certificate" in trouble(ru)


def signed_by_authority(folder: Path, parties: tuple[str, ...]) -> None:
    """An authority, and a certificate of its own for each party: authority.pem, PARTY.pem and PARTY.key."""
    own = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "an authority")])
    itself = begun(name, name, own).add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    (folder / "authority.pem").write_bytes(itself.sign(own, hashes.SHA256()).public_bytes(Encoding.PEM))
    for party in parties:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, party)])
        hosts = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        made = begun(subject, name, key).add_extension(hosts, critical=False).sign(own, hashes.SHA256())
        (folder / f"{party}.pem").write_bytes(made.public_bytes(Encoding.PEM))
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (folder / f"{party}.key").write_bytes(private)


def begun(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=30))
    )  # fmt: skip
