"""Valid samples of notes, proofs, keys and policies, and the promise of what reads them.

It gives a value that writes the same bytes again, or refuses. All samples are invented.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from keepclear.errors import InputError, IntegrityError, PeerError
from keepclear.record.certificates import Certificate, Reason, Revocation, Vouch, read_statement, sign_statement
from keepclear.record.checkpoints import Checkpoint, sign_checkpoint
from keepclear.record.cosignatures import cosign, cosignatures
from keepclear.record.key_ring import KeyRing
from keepclear.record.keys import SignatureKind, SigningKey, VerifierKey
from keepclear.record.names import Purpose
from keepclear.record.notes import Note, signature_lines, signed, verified
from keepclear.record.policies import Policy, parse_policy, policy_text
from keepclear.record.sealing import seal, sealed_verifier, unseal
from keepclear.record.tlog_proofs import TlogProof

LOG = SigningKey.of_seed("a/north/log", SignatureKind.ED25519, bytes(32))
MIRROR = SigningKey.of_seed("b/north/mirror", SignatureKind.COSIGNATURE, bytes([1]) * 32)
IDENTITY = SigningKey.of_seed("a/identity", SignatureKind.ED25519, bytes([2]) * 32)
OTHER = SigningKey.of_seed("b/identity", SignatureKind.ED25519, bytes([3]) * 32)
NEW = SigningKey.of_seed("a/identity", SignatureKind.ED25519, bytes([4]) * 32)
CHECKPOINT = Checkpoint("a/north/log", 5, bytes(range(32)))


@cache
def samples() -> dict[str, list[bytes]]:
    """Valid bytes, by the name of what reads them."""
    checkpoint = sign_checkpoint(CHECKPOINT, LOG)
    cosignature = cosign(CHECKPOINT.text, MIRROR, time_s=1_700_000_000)
    cosigned = Note(CHECKPOINT.text, (*Note.of_bytes(checkpoint).signatures, cosignature)).to_bytes()
    extended = Checkpoint("x y", 2**63 - 1, bytes(32), ("one", "two"))
    hashes = tuple(bytes([n]) * 32 for n in range(3))
    policy = (
        f"# policy\nlog {LOG.verifier.text} https://a.example\nwitness w {MIRROR.verifier.text}\n"
        "group g any w\nquorum g\n"
    )
    return {
        "note": [signed("one\n\ntwo\n", LOG, IDENTITY).to_bytes(), checkpoint, cosigned],
        "signature lines": [cosignature.line.encode()],
        "checkpoint": [CHECKPOINT.text.encode(), extended.text.encode()],
        "cosigned checkpoint": [cosigned],
        "proof": [TlogProof(4, hashes, cosigned, b"extra").to_bytes(), TlogProof(0, (), checkpoint).to_bytes()],
        "vkey": [LOG.verifier.text.encode(), MIRROR.verifier.text.encode()],
        "key file": [seal(LOG, None), _SEALED],
        "policy": [policy.encode(), b"quorum none\n"],
        "statement": [
            sign_statement(Certificate("a", Purpose.LOG, "north", LOG.verifier, 0), IDENTITY),
            sign_statement(Revocation("a", LOG.verifier, 1, Reason.LOST), IDENTITY),
            sign_statement(Vouch("a", NEW.verifier, IDENTITY.verifier, "b", 1_700_000_000), OTHER),
        ],
    }


# A key file sealed once with the passphrase "passphrase": sealing takes 128 MiB and half a second.
_SEALED = (
    b"keepclear sealed key v1\n"
    + f"key {LOG.verifier.text}\n".encode()
    + b"kdf scrypt n=131072 r=8 p=1 salt=AAECAwQFBgcICQoLDA0ODw==\n"
    + b"cipher chacha20-poly1305 nonce=AAECAwQFBgcICQoL\n"
    + b"sealed Npf288CrfIkZ+LFqK7iyUnWVlxsMVpIxKXNQr4taZDwJCv2jD0+R9E4BQUzrMFb7\n"
)


def must_read_or_refuse(data: bytes, name: str) -> Any | None:
    """Read `data` as `name` and check the promise; None if it was refused."""
    try:
        return _READERS[name](data)
    except PeerError as error:
        _must_be_one_line(str(error))
    except IntegrityError as error:
        assert name in {"cosigned checkpoint", "note"}, "only a signature can fail to hold"
        _must_be_one_line(str(error))
    except InputError as error:
        assert name in {"key file", "policy"}, "what others sent is no fault of our user's"
        for fault in error.faults:
            _must_be_one_line(str(fault))
    return None


def _note(data: bytes) -> Note:
    note = Note.of_bytes(data)
    assert note.to_bytes() == data
    verified(note, [LOG.verifier, IDENTITY.verifier])
    return note


def _lines(data: bytes) -> Any:
    lines = signature_lines(data)
    assert "".join(one.line for one in lines).encode() == data
    return lines


def _checkpoint(data: bytes) -> Checkpoint:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise PeerError("not UTF-8") from None
    checkpoint = Checkpoint.of_text(text)
    assert checkpoint.text == text
    return checkpoint


def _cosigned(data: bytes) -> Any:
    note = Note.of_bytes(data)
    return cosignatures(note, [MIRROR.verifier])


def _proof(data: bytes) -> TlogProof:
    proof = TlogProof.of_bytes(data)
    assert proof.to_bytes() == data
    return proof


def _vkey(data: bytes) -> VerifierKey:
    text = data.decode("utf-8", "replace")
    key = VerifierKey.of_text(text)
    assert VerifierKey.of_text(key.text) == key
    assert key.text.casefold() == text.casefold()
    return key


def _key_file(data: bytes) -> VerifierKey:
    verifier = sealed_verifier(data)
    if data.startswith(b"keepclear key"):
        key = unseal(data, None)
        assert seal(key, None).upper() == data.upper()  # the key id's digits may have been capitals
    return verifier


def _policy(data: bytes) -> Policy:
    policy = parse_policy(data, file="p")
    assert parse_policy(policy_text(policy), file="p") == policy
    assert policy.quorum_met(policy.witnesses) or policy.quorum is not None
    return policy


def _statement(data: bytes) -> Any:
    statement, note = read_statement(data)
    assert statement.text == note.text
    ring = KeyRing.founded([IDENTITY.verifier, OTHER.verifier]).taking([data])
    assert len(ring.refused) <= 1
    return statement


_READERS: dict[str, Callable[[bytes], Any]] = {
    "note": _note,
    "signature lines": _lines,
    "checkpoint": _checkpoint,
    "cosigned checkpoint": _cosigned,
    "proof": _proof,
    "vkey": _vkey,
    "key file": _key_file,
    "policy": _policy,
    "statement": _statement,
}
TARGETS: dict[str, Callable[[bytes], bool]] = {
    name: lambda data, name=name: must_read_or_refuse(data, name) is not None for name in _READERS
}


def _must_be_one_line(text: str) -> None:
    assert len(text.splitlines()) == 1, f"not one line: {text!r}"
    assert len(text) < 5_000, f"not a line that a person reads: {text[:200]!r}"
    text.encode("utf-8")
