"""Statements about keys in their bodies: each body holds its own kind, and a key ring believes what comes out."""

from __future__ import annotations

import pytest

from keepclear.errors import InputError, PeerError
from keepclear.record.bodies.base import Body
from keepclear.record.bodies.keys import IdentityVouchBody, KeyCertificateBody, KeyRevocationBody
from keepclear.record.bodies.registry import read_body
from keepclear.record.canonical import canonical
from keepclear.record.certificates import Certificate, Reason, Revocation, Statement, Vouch, sign_statement
from keepclear.record.key_ring import KeyRing
from keepclear.record.keys import SignatureKind, SigningKey
from keepclear.record.names import Purpose, identity_name, log_origin
from keepclear.record.notes import signed


def key(name: str, seed: int) -> SigningKey:
    return SigningKey.of_seed(name, SignatureKind.ED25519, bytes([seed]) * 32)


A, B = key(identity_name("a"), 1), key(identity_name("b"), 2)
NEW_B = key(identity_name("b"), 3).verifier
LOG = key(log_origin("a", "north"), 4).verifier
STATEMENTS: dict[type[Body], Statement] = {
    KeyCertificateBody: Certificate("a", Purpose.LOG, "north", LOG, 100),
    KeyRevocationBody: Revocation("a", LOG, 200, Reason.COMPROMISED),
    IdentityVouchBody: Vouch("b", NEW_B, B.verifier, "a", 300),
}
NOTES = {model: sign_statement(statement, A).decode() for model, statement in STATEMENTS.items()}
every_model = pytest.mark.parametrize("model", STATEMENTS)


def refused(model: type[Body], note: str) -> str:
    with pytest.raises(InputError) as error:
        model(note=note)
    (fault,) = error.value.faults
    assert fault.field == "note"
    with pytest.raises(PeerError, match="note"):
        read_body(str(model.TYPE), 1, canonical({"note": note}))
    return fault.problem


def test_every_kind_of_statement_goes_through_its_body_into_a_key_ring():
    assert {*map(type, STATEMENTS.values())} == {*Statement.__args__}
    ring = KeyRing.founded([A.verifier, B.verifier], vouches_needed=1)
    after = []
    for model, note in NOTES.items():
        body = read_body(str(model.TYPE), 1, model(note=note).to_bytes())
        assert type(body) is model
        ring = ring.taking([body.note.encode()])
        assert ring.refused == ()
        after.append((ring.key_for("a", Purpose.LOG, "north", 250), ring.identity_of("b")))
    assert after == [(LOG, B.verifier), (None, B.verifier), (None, NEW_B)]


@every_model
def test_a_statement_of_another_kind_is_refused(model):
    for other, note in NOTES.items():
        if other is not model:
            first = note.partition("\n")[0]
            assert refused(model, note) == f"another statement about keys: {first}"


@every_model
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda _: "a note\n", "an empty line, and signatures"),
        (lambda note: note.replace(" v1\n", " v2\n", 1), "not a statement about keys, or one of a version"),
        (lambda note: note.replace("party ", "partei ", 1), "begin with: party"),
        (lambda note: note.replace("from 1970-01-01T", "from 1970-01-01t", 1), "not spelled as it must be"),
        (lambda note: note.partition("\n\n")[0] + "\n", "an empty line, and signatures"),
        (lambda note: f"{note} ", "each ending in a newline"),
        (lambda note: note.replace("\n\n", "\n\r\n"), "no control characters"),
        (lambda _: signed("anything\n", A).to_bytes().decode(), "not a statement about keys"),
    ],
)
def test_a_malformed_statement_is_refused(model, change, words):
    assert words in refused(model, change(NOTES[model]))


@every_model
def test_a_note_that_is_no_text_is_refused(model):
    with pytest.raises(InputError) as error:
        model(note=NOTES[model] + "\ud800")
    assert [fault.field for fault in error.value.faults] == ["note"]
