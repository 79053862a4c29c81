"""Statements about keys: one spelling each, and names and kinds that agree."""

from __future__ import annotations

import pytest

from keepclear.errors import InputError, PeerError
from keepclear.record.certificates import Certificate, Reason, Revocation, Vouch, read_statement, sign_statement
from keepclear.record.keys import SignatureKind, SigningKey
from keepclear.record.names import Purpose
from keepclear.record.notes import signed


def key(name, seed, kind=SignatureKind.ED25519) -> SigningKey:
    return SigningKey.of_seed(name, kind, bytes([seed]) * 32)


A, B = key("a/identity", 1), key("b/identity", 2)
LOG, OLD = key("a/north/log", 3).verifier, key("a/north/log", 4).verifier
MIRROR = key("a/north/mirror", 5, SignatureKind.COSIGNATURE).verifier
TRANSPORT = key("a/transport", 6).verifier
NEW = key("a/identity", 7).verifier
FROM_S = 1_767_225_600  # 2026-01-01T00:00:00Z

STATEMENTS = [
    (Certificate("a", Purpose.LOG, "north", LOG, FROM_S, OLD), A),
    (Certificate("a", Purpose.MIRROR, "north", MIRROR, FROM_S), A),
    (Certificate("a", Purpose.TRANSPORT, None, TRANSPORT, 0), A),
    (Revocation("a", LOG, FROM_S, Reason.LOST), A),
    (Revocation("a", A.verifier, FROM_S, Reason.COMPROMISED), A),
    (Vouch("a", NEW, A.verifier, "b", FROM_S), B),
    (Vouch("a", NEW, None, "b", 253402300799), B),
]


@pytest.mark.parametrize(("statement", "identity"), STATEMENTS)
def test_statements_come_back_as_they_were(statement, identity):
    data = sign_statement(statement, identity)
    read, note = read_statement(data)
    assert read == statement
    assert note.to_bytes() == data
    assert read.signer == identity.verifier.name.split("/")[0]


def test_the_text_of_each_is_as_documented():
    assert STATEMENTS[0][0].text == (
        f"keepclear key certificate v1\nparty a\npurpose log\nline north\nkey {LOG.text}\n"
        f"from 2026-01-01T00:00:00Z\nsupersedes {OLD.text}\n"
    )
    assert STATEMENTS[2][0].text.split("\n")[3:7] == [
        "line -", f"key {TRANSPORT.text}", "from 1970-01-01T00:00:00Z", "supersedes -",
    ]  # fmt: skip
    assert STATEMENTS[3][0].text == (
        f"keepclear key revocation v1\nparty a\nkey {LOG.text}\nfrom 2026-01-01T00:00:00Z\nreason lost\n"
    )
    assert STATEMENTS[5][0].text == (
        f"keepclear identity vouch v1\nparty a\nkey {NEW.text}\nsupersedes {A.verifier.text}\nby b\n"
        "from 2026-01-01T00:00:00Z\n"
    )


CERTIFICATE = STATEMENTS[0][0].text


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("certificate v1", "certificate v2"),
        ("party a", "party b"),
        ("party a", "party "),
        ("party a", "party  a"),
        ("party a\n", ""),
        ("party a\n", "party a\nparty a\n"),
        ("party a\npurpose log\n", "purpose log\nparty a\n"),
        ("purpose log", "purpose mirror"),
        ("purpose log", "purpose identity"),
        ("purpose log", "purpose x"),
        ("purpose log", "purpose LOG"),
        ("line north", "line south"),
        ("line north", "line -"),
        ("line north", "line"),
        ("key a", "key b"),
        (LOG.key_id.hex(), LOG.key_id.hex().upper() if LOG.key_id.hex().upper() != LOG.key_id.hex() else "00000000"),
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00z"),
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000Z"),
        ("2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00"),
        ("2026-01-01T00:00:00Z", "2026-01-01 00:00:00Z"),
        ("2026-01-01T00:00:00Z", "2026-02-30T00:00:00Z"),
        ("2026-01-01T00:00:00Z", "1969-12-31T23:59:59Z"),
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00"),
        ("supersedes a/north/log", "supersedes a/south/log"),
        (OLD.text, ""),
        (OLD.text + "\n", OLD.text + "\n\n"),
        (OLD.text + "\n", OLD.text + "\nmore\n"),
    ],
)
def test_no_other_spelling_is_read(old, new):
    assert old in CERTIFICATE
    with pytest.raises(PeerError):
        read_statement(signed(CERTIFICATE.replace(old, new, 1), A).to_bytes())


@pytest.mark.parametrize(
    "make",
    [
        lambda: Certificate("a", Purpose.IDENTITY, None, A.verifier, 0),
        lambda: Certificate("b", Purpose.LOG, "north", LOG, 0),
        lambda: Certificate("a", Purpose.LOG, "south", LOG, 0),
        lambda: Certificate("a", Purpose.LOG, None, LOG, 0),
        lambda: Certificate("a", Purpose.TRANSPORT, "north", TRANSPORT, 0),
        lambda: Certificate("a", Purpose.MIRROR, "north", LOG, 0),
        lambda: Certificate("a", Purpose.LOG, "north", key("a/north/log", 3, SignatureKind.COSIGNATURE).verifier, 0),
        lambda: Certificate("a", Purpose.MIRROR, "north", key("a/north/mirror", 3).verifier, 0),
        lambda: Certificate("a", Purpose.LOG, "north", LOG, 0, MIRROR),
        lambda: Certificate("a", Purpose.LOG, "north", LOG, -1),
        lambda: Certificate("a", Purpose.LOG, "north", LOG, 253402300800),
        lambda: Revocation("b", LOG, 0, Reason.LOST),
        lambda: Revocation("a", key("witness.example", 9).verifier, 0, Reason.LOST),
        lambda: Vouch("a", NEW, None, "a", 0),
        lambda: Vouch("a", NEW, None, "b b", 0),
        lambda: Vouch("a", LOG, None, "b", 0),
        lambda: Vouch("a", NEW, B.verifier, "b", 0),
    ],
)
def test_statements_that_cannot_be_are_not_made(make):
    with pytest.raises(InputError):
        make()


@pytest.mark.parametrize(("statement", "identity"), STATEMENTS)
def test_only_the_identity_of_who_says_it_signs(statement, identity):
    for wrong in (B if identity is A else A, key("a/transport", 6), key("a/identity", 1, SignatureKind.COSIGNATURE)):
        with pytest.raises(InputError, match="sign with"):
            sign_statement(statement, wrong)
