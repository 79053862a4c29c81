"""``.tlog-proof`` files: written as the specification has them, and read strictly."""

from __future__ import annotations

import pytest

from keepclear.errors import InputError, PeerError
from keepclear.record.checkpoints import Checkpoint, sign_checkpoint
from keepclear.record.keys import SignatureKind, SigningKey
from keepclear.record.scalars import base64_text
from keepclear.record.tlog_proofs import MOST_HASHES, TlogProof

KEY = SigningKey.of_seed("a/north/log", SignatureKind.ED25519, bytes(32))
CHECKPOINT = sign_checkpoint(Checkpoint("a/north/log", 5, bytes(range(32))), KEY)
HASHES = tuple(bytes([n]) * 32 for n in range(3))
PROOF = TlogProof(4, HASHES, CHECKPOINT)
HEAD = "c2sp.org/tlog-proof@v1\n"
LINES = "".join(f"{base64_text(one)}\n" for one in HASHES)


def test_a_proof_is_written_as_specified():
    assert PROOF.to_bytes() == f"{HEAD}index 4\n{LINES}\n".encode() + CHECKPOINT
    extra = TlogProof(0, (), CHECKPOINT, b"extra")
    assert extra.to_bytes() == f"{HEAD}extra {base64_text(b'extra')}\nindex 0\n\n".encode() + CHECKPOINT


@pytest.mark.parametrize("index", [0, 1, 73894, 2**63 - 1])
@pytest.mark.parametrize("hashes", [(), HASHES, HASHES * 21])
@pytest.mark.parametrize("extra", [None, b"\x00", b"x" * 100_000])
def test_a_proof_comes_back_as_it_was(index, hashes, extra):
    proof = TlogProof(index, hashes, CHECKPOINT, extra)
    assert TlogProof.of_bytes(proof.to_bytes()) == proof
    assert MOST_HASHES == 63


HASH = base64_text(bytes(32))


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ("", "empty line"),
        ("index 4\n", "begins with the line"),
        ("c2sp.org/tlog-proof@v2\nindex 4\n", "begins with the line"),
        (" " + HEAD + "index 4\n", "begins with the line"),
        (HEAD, "'index' is missing"),
        (HEAD + "extra QQ==\n", "'index' is missing"),
        (HEAD + "index 4\nextra QQ==\n", "32 bytes"),
        (HEAD + "extra QQ==\nextra QQ==\nindex 4\n", "'index' is missing"),
        (HEAD + "extra \nindex 4\n", "extra data"),
        (HEAD + "extra QR==\nindex 4\n", "extra data"),
        (HEAD + "extra Q\nindex 4\n", "extra data"),
        (HEAD + "index 04\n", "decimal"),
        (HEAD + "index\n", "'index' is missing"),
        (HEAD + "index \n", "decimal"),
        (HEAD + "index -1\n", "decimal"),
        (HEAD + "index  4\n", "decimal"),
        (HEAD + f"index {2**63}\n", "decimal"),
        (HEAD + "index 4\nx\n", "32 bytes"),
        (HEAD + f"index 4\n{HASH[:-1]}\n", "32 bytes"),
        (HEAD + f"index 4\n{HASH} \n", "32 bytes"),
        (HEAD + f"index 4\n{base64_text(bytes(31))}\n", "32 bytes"),
        (HEAD + "index 4\n" + f"{HASH}\n" * 64, "63"),
        (HEAD + "index é\n", "ASCII"),
        ((HEAD + "index 4\n").replace("\n", "\r\n"), "begins with the line"),
    ],
)
def test_what_is_not_a_proof_is_refused(head, said):
    with pytest.raises(PeerError, match=said):
        TlogProof.of_bytes(head.encode() + b"\n" + CHECKPOINT)


@pytest.mark.parametrize(
    "checkpoint", [b"", b"x", b"\n" + CHECKPOINT, CHECKPOINT[:-1], CHECKPOINT.replace(b"5", b"05")]
)
def test_a_proof_without_a_checkpoint_is_refused(checkpoint):
    with pytest.raises(PeerError):
        TlogProof.of_bytes(PROOF.to_bytes()[: -len(CHECKPOINT)] + checkpoint)
    with pytest.raises(InputError):
        TlogProof(4, HASHES, checkpoint)


def test_a_proof_of_too_many_bytes_is_refused():
    with pytest.raises(PeerError, match="is not read"):
        TlogProof.of_bytes(b"x" * 3_000_000)


@pytest.mark.parametrize(
    ("index", "hashes", "extra"),
    [(-1, (), None), (2**63, (), None), (0, (b"x",), None), (0, HASHES * 22, None), (0, (), b"")],
)
def test_proofs_that_cannot_be_are_not_made(index, hashes, extra):
    with pytest.raises(InputError):
        TlogProof(index, hashes, CHECKPOINT, extra)
