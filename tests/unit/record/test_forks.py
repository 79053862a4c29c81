"""Evidence of forks: what proves one, what proves none, and a file that has one form only."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepclear.errors import IntegrityError, PeerError
from keepclear.record.forks import ForkEvidence, evidence_of_fork, verify_fork
from keepclear.record.keys import VerifierKey
from keepclear.record.merkle import node_hash
from tests.fuzz.record_forks import fork_evidence, samples
from tests.reference import merkle_tree as oracle
from tests.reference.made_logs import FOREIGN_ENTRIES, checkpoint, log_key, mirror_key

KEY = log_key()
TRUE = FOREIGN_ENTRIES[:13]
OTHER = (*TRUE[:5], b"something else", *TRUE[6:])
KEYS = [KEY.verifier]
SAMPLES = samples()["fork evidence"]


def evidence(small: tuple[bytes, ...], large: tuple[bytes, ...]) -> ForkEvidence | None:
    held = oracle.HeldTree(max(small, large, key=len))
    return evidence_of_fork(checkpoint(small), checkpoint(large), key=KEY.verifier, read=held)


def test_two_roots_of_one_size_are_a_fork_by_themselves():
    found = evidence(TRUE, OTHER)
    assert found is not None
    assert (found.prefix_root, found.hashes) == (None, ())
    fork = verify_fork(ForkEvidence.of_bytes(found.to_bytes()), KEYS)
    assert fork.smaller.size == fork.larger.size == 13
    assert fork.smaller.root != fork.larger.root


@pytest.mark.parametrize("size", range(6, 13))
def test_a_larger_head_that_does_not_begin_with_the_smaller_is_a_fork(size):
    found = evidence(OTHER[:size], TRUE)
    assert found is not None
    assert found.prefix_root == oracle.mth(TRUE[:size])
    fork = verify_fork(ForkEvidence.of_bytes(found.to_bytes()), KEYS)
    assert (fork.smaller.size, fork.larger.size) == (size, 13)
    assert fork.prefix_root != fork.smaller.root


@pytest.mark.parametrize("size", range(14))
def test_heads_of_one_history_are_no_fork(size):
    assert evidence(TRUE[:size], TRUE) is None


@pytest.mark.parametrize("size", range(1, 6))
def test_what_was_the_same_up_to_there_is_no_fork(size):
    assert evidence(OTHER[:size], TRUE) is None


@pytest.mark.parametrize("size", range(1, 13))
def test_true_heads_cannot_be_made_to_look_like_a_fork(size):
    small, large = checkpoint(TRUE[:size]), checkpoint(TRUE)
    hashes = tuple(oracle.proof(size, TRUE))
    for prefix_root in (oracle.mth(OTHER[:size]), bytes(32), oracle.mth(TRUE)):
        if prefix_root == oracle.mth(TRUE[:size]):
            continue
        with pytest.raises(IntegrityError, match="not proved"):
            verify_fork(ForkEvidence(small, large, prefix_root, hashes), KEYS)
    with pytest.raises(IntegrityError, match="the opposite"):
        verify_fork(ForkEvidence(small, large, oracle.mth(TRUE[:size]), hashes), KEYS)


def test_the_same_head_twice_is_no_fork():
    one, same = sorted([checkpoint(TRUE), checkpoint(TRUE, held_by=[(mirror_key("south/border/mirror"), 5)])])
    with pytest.raises(IntegrityError, match="that is no fork"):
        verify_fork(ForkEvidence(one, same), KEYS)


def test_only_the_log_can_contradict_itself():
    forger = log_key()
    stranger = type(forger).of_seed(forger.verifier.name, forger.verifier.kind, bytes(32))
    first, second = sorted([checkpoint(TRUE), checkpoint(OTHER, key=stranger)])
    forged = ForkEvidence(first, second)
    with pytest.raises(IntegrityError, match="did not sign both"):
        verify_fork(forged, KEYS)
    # Each is signed by a key that is believed to be the log's, but no key contradicts itself.
    with pytest.raises(IntegrityError, match="did not sign both"):
        verify_fork(forged, [*KEYS, stranger.verifier])
    with pytest.raises(IntegrityError, match="no key of the log"):
        verify_fork(forged, [log_key("south/border/log").verifier])


def test_damaged_tiles_are_not_taken_for_a_fork():
    held = oracle.HeldTree((*TRUE[:3], b"damaged", *TRUE[4:]))
    with pytest.raises(IntegrityError, match="not proved"):
        evidence_of_fork(checkpoint(TRUE[:9]), checkpoint(TRUE), key=KEY.verifier, read=held)


def test_a_missing_or_needless_prefix_is_refused():
    small, large = checkpoint(OTHER[:9]), checkpoint(TRUE)
    with pytest.raises(PeerError, match="a prefix and its proof"):
        ForkEvidence.of_bytes(ForkEvidence(small, large).to_bytes())
    with pytest.raises(IntegrityError, match="is missing"):
        verify_fork(ForkEvidence(small, large), KEYS)
    first, second = sorted([checkpoint(TRUE), checkpoint(OTHER)])
    with pytest.raises(PeerError, match="a prefix and its proof"):
        ForkEvidence.of_bytes(ForkEvidence(first, second, bytes(32)).to_bytes())


def test_two_logs_are_no_fork():
    one = ForkEvidence(checkpoint(TRUE[:4]), checkpoint(TRUE, key=log_key("south/border/log")), bytes(32))
    with pytest.raises(PeerError, match="different logs"):
        ForkEvidence.of_bytes(one.to_bytes())


def test_the_order_is_fixed():
    found = evidence(OTHER[:9], TRUE)
    swapped = ForkEvidence(found.larger, found.smaller, found.prefix_root, found.hashes)
    with pytest.raises(PeerError, match="wrong order"):
        ForkEvidence.of_bytes(swapped.to_bytes())


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda data: data.replace(b"v1\n", b"v2\n", 1), "first line"),
        (lambda data: data.replace(b"prefix ", b"suffix ", 1), "second line"),
        (lambda data: data + b"\n", "paragraphs|form|signature"),
        (lambda data: data.replace(b"\n", b"\r\n"), "first line"),
        (lambda data: data[:200], "paragraphs"),
        (lambda data: data.replace(b"\n\n", b"\nAAAA\n\n", 1), "32 bytes"),
        (lambda data: data.replace(b"\n\n", b"\n" + b"A" * 43 + b"\n\n", 1), "32 bytes"),
        (lambda data: data.replace(b"\n\n", (b"\n" + b"A" * 43 + b"=") * 200 + b"\n\n", 1), "more than any proof"),
        (lambda data: data + b"x" * 5_000_000, "more than"),
        (lambda data: data[:0], "first line"),
    ],
)
def test_a_file_that_is_not_evidence_is_refused_with_the_reason(change, told):
    with pytest.raises(PeerError, match=told):
        ForkEvidence.of_bytes(change(evidence(OTHER[:9], TRUE).to_bytes()))


def test_a_hash_too_many_is_well_formed_and_proves_nothing():
    data = evidence(OTHER[:9], TRUE).to_bytes()
    more = ForkEvidence.of_bytes(data.replace(b"\n\n", b"\n" + b"A" * 43 + b"=\n\n", 1))
    with pytest.raises(IntegrityError, match="not proved"):
        verify_fork(more, KEYS)


def test_the_example_in_the_specification_holds():
    page = (Path(__file__).parents[3] / "docs/spec/fork-evidence.md").read_text(encoding="utf-8")
    vkey, example = re.findall(r"^```text\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    fork = verify_fork(ForkEvidence.of_bytes(example.encode()), [VerifierKey.of_text(vkey.strip())])
    assert (fork.smaller.size, fork.larger.size) == (9, 13)


DATA = [evidence(OTHER[:9], TRUE).to_bytes(), evidence(TRUE, OTHER).to_bytes()]


@given(st.sampled_from(DATA), st.data())
def test_a_changed_byte_is_refused_or_still_a_true_fork(data, draw):
    at = draw.draw(st.integers(0, len(data) - 1))
    changed = bytearray(data)
    changed[at] = draw.draw(st.integers(0, 255))
    try:
        found = ForkEvidence.of_bytes(bytes(changed))
        assert found.to_bytes() == bytes(changed)
        verify_fork(found, KEYS)
    except (PeerError, IntegrityError):
        return
    assert bytes(changed) == data


def test_the_samples_are_well_formed():
    assert all(fork_evidence(sample) for sample in SAMPLES)


@given(st.binary(max_size=300).flatmap(lambda tail: st.sampled_from([tail, b"keepclear fork evidence v1\n" + tail])))
def test_any_bytes_are_evidence_or_refused(data):
    assert fork_evidence(data) is False


@given(st.sampled_from(SAMPLES), st.data())
def test_no_splice_of_true_heads_is_a_fork(sample, draw):
    start = draw.draw(st.integers(0, len(sample)))
    end = draw.draw(st.integers(start, min(len(sample), start + 60)))
    other = draw.draw(st.sampled_from(SAMPLES))
    at = draw.draw(st.integers(0, len(other)))
    fork_evidence(sample[:start] + other[at : at + draw.draw(st.integers(0, 60))] + sample[end:])


def test_the_proof_is_that_of_the_prefix():
    """By hand, in the smallest case: of two entries, the first was another one before."""
    a, b, c = b"a", b"b", b"c"
    found = evidence((c,), (a, b))
    assert found.prefix_root == oracle.mth((a,))
    assert found.hashes == (oracle.mth((b,)),)
    assert node_hash(*[found.prefix_root, *found.hashes]) == oracle.mth((a, b))
