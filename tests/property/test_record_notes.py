"""Whatever others send of notes, checkpoints, keys and policies is read to a value or refused; what we sign holds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepclear.errors import IntegrityError
from keepclear.record.checkpoints import Checkpoint, open_checkpoint, sign_checkpoint
from keepclear.record.cosignatures import cosign, cosigned_at
from keepclear.record.keys import SignatureKind, SigningKey, VerifierKey
from keepclear.record.names import is_key_name
from keepclear.record.notes import Note, signed, verified
from keepclear.record.scalars import LARGEST, base64_bytes, base64_text
from tests.fuzz.record_readers import TARGETS, must_read_or_refuse, samples

names = pytest.mark.parametrize("name", TARGETS)

SEEDS = st.binary(min_size=32, max_size=32)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=[chr(n) for n in range(32)])).map(
    lambda text: text.replace("|", "\n") + "\n"
)
KEY_NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20).filter(is_key_name)
LINES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=[chr(n) for n in range(32)]), min_size=1)
CHECKPOINTS = st.builds(Checkpoint, KEY_NAMES, st.integers(1, LARGEST), SEEDS, st.lists(LINES, max_size=3).map(tuple))
# fmt: off
ODD_TEXTS = [
    "\x00", "\n", "\n\n", "\r", "\t", " ", "+", "=", "— ", "—", "\u00a0", "\u0085", "\u2028", "\ufeff",
    "0", "-1", "٣", "9223372036854775808", "A", "==", "none", "quorum none\n",
]
# fmt: on
ODD_BYTES = st.sampled_from(ODD_TEXTS).map(str.encode) | st.binary(max_size=8)


@names
def test_the_samples_are_read(name):
    for sample in samples()[name]:
        assert must_read_or_refuse(sample, name) is not None


@names
@given(data=st.data())
def test_samples_with_damaged_bytes(name, data):
    damaged = data.draw(st.sampled_from(samples()[name]), "sample")
    for _ in range(data.draw(st.integers(1, 3), "how often")):
        start = data.draw(st.integers(0, len(damaged)), "start")
        end = data.draw(st.integers(start, min(len(damaged), start + 40)), "end")
        again = damaged[start:end] * data.draw(st.sampled_from([0, 1, 2]), "copies")
        damaged = damaged[:start] + data.draw(ODD_BYTES, "put") + again + damaged[end:]
    must_read_or_refuse(damaged, name)


@names
@given(data=st.binary())
def test_any_bytes(name, data):
    must_read_or_refuse(data, name)


@given(text=TEXTS, seeds=st.lists(st.tuples(KEY_NAMES, SEEDS), min_size=1, max_size=4, unique_by=lambda one: one[0]))
def test_what_is_signed_is_verified_after_any_round_trip(text, seeds):
    keys = [SigningKey.of_seed(name, SignatureKind.ED25519, seed) for name, seed in seeds]
    note = Note.of_bytes(signed(text, *keys).to_bytes())
    assert note.text == text
    assert verified(note, [key.verifier for key in keys]) == tuple(key.verifier for key in keys)


@given(text=TEXTS, other=TEXTS, seed=SEEDS)
def test_a_signature_holds_for_no_other_text(text, other, seed):
    key = SigningKey.of_seed("a", SignatureKind.ED25519, seed)
    forged = Note(other, signed(text, key).signatures)
    if other == text:
        verified(forged, [key.verifier])
    else:
        with pytest.raises(IntegrityError):
            verified(forged, [key.verifier])


@given(checkpoint=CHECKPOINTS, seed=SEEDS, witness_seed=SEEDS, time_s=st.integers(0, LARGEST), place=st.integers(0, 71))
def test_checkpoints_are_signed_and_cosigned(checkpoint, seed, witness_seed, time_s, place):
    log = SigningKey.of_seed(checkpoint.origin, SignatureKind.ED25519, seed)
    opened, note = open_checkpoint(sign_checkpoint(checkpoint, log), log.verifier)
    assert opened == checkpoint
    witness = SigningKey.of_seed("w", SignatureKind.COSIGNATURE, witness_seed)
    line = cosign(note.text, witness, time_s=time_s)
    assert cosigned_at(note.text, line, witness.verifier) == time_s
    damaged = bytearray(line.value)
    damaged[place] ^= 1 << (time_s % 8)
    assert not witness.verifier.verify(note.text.encode(), bytes(damaged))


@given(name=KEY_NAMES, kind=st.sampled_from(SignatureKind), seed=SEEDS)
def test_vkeys_come_back_as_they_were(name, kind, seed):
    key = SigningKey.of_seed(name, kind, seed).verifier
    assert VerifierKey.of_text(key.text) == key


@given(data=st.binary(), text=st.text(st.sampled_from("ABab01+/=-_ \n"), max_size=12))
def test_base64_has_one_spelling(data, text):
    assert base64_bytes(base64_text(data)) == data
    read = base64_bytes(text)
    assert read is None or base64_text(read) == text
