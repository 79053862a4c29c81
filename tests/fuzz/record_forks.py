"""What evidence of forks must withstand: whatever bytes come, it proves nothing of a log that did not fork.

The log's key has signed heads of one history alone, of each size up to 13, so any evidence that holds is a fault.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from keepclear.errors import IntegrityError, PeerError
from keepclear.record.forks import ForkEvidence, verify_fork
from tests.reference import merkle_tree as oracle
from tests.reference.made_logs import checkpoint, log_key

ENTRIES = tuple(b"entry %d" % index for index in range(13))


def fork_evidence(data: bytes) -> bool:
    """The bytes of a file; whether it is well formed."""
    refused = ""
    try:
        evidence = ForkEvidence.of_bytes(data)
    except PeerError as error:
        refused = str(error)
    if refused:
        assert len(refused.splitlines()) == 1
        return False
    assert evidence.to_bytes() == data
    try:
        verify_fork(evidence, [log_key().verifier])
    except IntegrityError:
        return True
    raise AssertionError("a log that did not fork is said to have forked")


TARGETS: dict[str, Callable[[bytes], bool]] = {"fork evidence": fork_evidence}


@cache
def samples() -> dict[str, list[bytes]]:
    """Well-formed bytes: true heads, with the prefix and proof that show that they agree, or with others."""
    large = checkpoint(ENTRIES)
    return {
        "fork evidence": [
            ForkEvidence(checkpoint(ENTRIES[:size]), large, prefix, tuple(oracle.proof(size, ENTRIES))).to_bytes()
            for size in (1, 7, 8, 12)
            for prefix in (oracle.mth(ENTRIES[:size]), bytes(32))
        ]
    }
