"""What a proof proves, step by step: each that fails is refused with what would be needed, and nothing is hinted at."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepclear.errors import IntegrityError, PeerError
from keepclear.record.bodies.committed import OpeningBody
from keepclear.record.checkpoints import Checkpoint
from keepclear.record.entries import Entry
from keepclear.record.forks import ForkEvidence, verify_fork
from keepclear.record.keys import SigningKey
from keepclear.record.notes import Note
from keepclear.record.policies import Group, LogTrust, Policy, WitnessTrust
from keepclear.record.tlog_proofs import TlogProof
from keepclear.record.verdicts import fork_document, fork_paragraph, proved_document, proved_paragraph, second_text
from keepclear.record.verifying import Body, party_and_line_of, verify_entry
from tests.reference.made_logs import (
    HELD_S,
    NOW_S,
    ORIGIN,
    checkpoint,
    committed,
    log_key,
    mirror_key,
    opened,
    proof,
    said,
)

SOUTH, UN, WITNESS = mirror_key("south/border/mirror"), mirror_key("un/border/mirror"), mirror_key("witness.example/w1")
COMMITMENT = committed(5)
ENTRIES = [said(0), said(1, exercise=True), said(2, attachments=[b"a map", b"a list"]), COMMITMENT]
ENTRIES.append(opened(COMMITMENT, 3))
LEAVES = tuple(entry.leaf.to_bytes() for entry in ENTRIES)
HELD = checkpoint(LEAVES, held_by=[(SOUTH, HELD_S), (UN, HELD_S + 60)])
FORBIDDEN = re.compile(r"approv|authori[sz]|clear|permi(?!ssion\b)|(?<!not a )permission", re.IGNORECASE)


def policy(*, quorum: str | None = None) -> Policy:
    witnesses = {
        "SOUTH": WitnessTrust(SOUTH.verifier), "UN": WitnessTrust(UN.verifier), "W": WitnessTrust(WITNESS.verifier),
    }  # fmt: skip
    return Policy((LogTrust(log_key().verifier),), witnesses, {"BOTH": Group(2, ("SOUTH", "UN"))}, quorum)


def proved(index: int, *, signed: bytes = HELD, entry: Entry | bytes | None = None, now_s: float = NOW_S, **options):
    shown = ENTRIES[index] if entry is None else entry
    believed = options.pop("policy", policy())
    return verify_entry(proof(LEAVES, index, signed), shown, believed, now_s=now_s, **options)


# --- what is proved ------------------------------------------------------------------------------------------------


def test_the_paragraph_says_who_what_where_and_who_held_it_by_when():
    assert proved_paragraph(proved(0)) == (
        "Proved: north said this on the line border. It is of type message (version 1) and entry 1 of 5 (index 0) in "
        "their log north/border/log, which they signed. The author's clock says it was said at "
        "2026-03-02T08:00:00.000Z; nothing here proves that clock right. south's node had stored it by "
        "2026-03-02T08:00:05Z (on its own clock). un's node had stored it by 2026-03-02T08:01:05Z (on its own clock). "
        "The body is shown here, and it is the one that was said. It was addressed to south, un. This proves that it "
        "was said, not that it is true; and it is not a permission."
    )


@pytest.mark.parametrize("index", range(5))
def test_every_entry_is_proved_with_and_without_its_body(index):
    assert proved(index).body is Body.SHOWN
    bare = proved(index, entry=ENTRIES[index].without_body())
    assert bare.body is Body.NOT_SHOWN
    assert "The body is not shown here" in proved_paragraph(bare)
    assert proved_paragraph(proved(index, entry=LEAVES[index])) == proved_paragraph(bare)


def test_an_exercise_is_said_to_be_one():
    assert "EXERCISE" in proved_paragraph(proved(1))
    assert "EXERCISE" not in proved_paragraph(proved(0))


def test_attachments_are_counted_as_shown():
    assert "Of its 2 attachments, 2 are shown" in proved_paragraph(proved(2))
    some = replace(ENTRIES[2], attachments=(ENTRIES[2].attachments[0], None))
    assert "Of its 2 attachments, 1 " in proved_paragraph(proved(2, entry=some))


@pytest.mark.parametrize("signed", [HELD, checkpoint(LEAVES)])
@pytest.mark.parametrize("index", range(5))
def test_no_word_that_could_be_taken_for_leave(signed, index):
    for entry in (ENTRIES[index], LEAVES[index]):
        text = proved_paragraph(proved(index, signed=signed, entry=entry)).replace("not a permission", "")
        assert not FORBIDDEN.search(text)
        assert len(text.splitlines()) == 1


def test_a_missing_receipt_is_said_to_prove_nothing_and_nobody_is_named():
    text = proved_paragraph(proved(0, signed=checkpoint(LEAVES)))
    assert "No receipt that counts is in this proof, and that proves nothing either way" in text
    assert "SOUTH" not in text
    assert "'s node" not in text
    one = proved_paragraph(proved(0, signed=checkpoint(LEAVES, held_by=[(SOUTH, HELD_S)])))
    assert "un's" not in one
    assert "No receipt" not in one


def test_receipts_of_those_the_policy_does_not_name_are_not_told():
    stranger = mirror_key("east/border/mirror")
    text = proved_paragraph(proved(0, signed=checkpoint(LEAVES, held_by=[(stranger, HELD_S)])))
    assert "east" not in text


def test_the_earliest_of_several_receipts_counts():
    signed = checkpoint(LEAVES, held_by=[(SOUTH, HELD_S + 9), (SOUTH, HELD_S), (SOUTH, HELD_S + 5)])
    assert [one.time_s for one in proved(0, signed=signed).held] == [HELD_S]


def test_a_witness_is_not_said_to_have_stored_anything():
    text = proved_paragraph(proved(0, signed=checkpoint(LEAVES, held_by=[(WITNESS, HELD_S)])))
    assert "The cosigner W had seen the log with 5 entries, this one among them, by 2026-03-02T08:00:05Z" in text
    assert "stored" not in text


def test_a_mirror_of_another_line_is_not_taken_for_one_of_this():
    other = mirror_key("south/coast/mirror")
    believed = replace(policy(), witnesses={"S": WitnessTrust(other.verifier)}, groups={})
    text = proved_paragraph(proved(0, signed=checkpoint(LEAVES, held_by=[(other, HELD_S)]), policy=believed))
    assert "stored" not in text


def test_a_receipt_from_the_future_counts_for_nothing():
    signed = checkpoint(LEAVES, held_by=[(SOUTH, int(NOW_S) + 3600)])
    found = proved(0, signed=signed)
    assert (found.held, len(found.from_the_future)) == ((), 1)
    assert "later than this machine's clock: not counted" in proved_paragraph(found)
    with pytest.raises(IntegrityError, match="none that counts"):
        proved(0, signed=signed, policy=policy(quorum="SOUTH"))


def test_another_logs_entry_is_proved_for_what_it_is():
    key = log_key("sum.example/db")
    entries = (b"golang.org/x/mod v0.1.0", b"another")
    believed = Policy((LogTrust(key.verifier),))
    found = verify_entry(proof(entries, 1, checkpoint(entries, key=key)), entries[1], believed, now_s=NOW_S)
    assert found.leaf is None
    text = proved_paragraph(found)
    assert "the log sum.example/db holds these 7 bytes as its entry 2 of 2" in text
    assert proved_document(found)["entry"] is None


def test_a_commitment_is_opened():
    opening = OpeningBody.of_bytes(ENTRIES[4].body)
    found = proved(3, entry=LEAVES[3], opening=opening)
    assert found.opened == ("message", 1)
    assert "what it held is opened here: of type message (version 1)" in proved_paragraph(found)
    with pytest.raises(IntegrityError, match="the opening does not fit"):
        proved(0, opening=opening)
    elsewhere = OpeningBody.of_bytes(opened(COMMITMENT, 2).body)
    with pytest.raises(IntegrityError, match="another place"):
        proved(3, opening=elsewhere)
    restarted = OpeningBody.of_bytes(opened(COMMITMENT, 3, origin="north/border/log/2").body)
    with pytest.raises(IntegrityError, match="another place"):
        proved(3, opening=restarted)


# --- what is not ---------------------------------------------------------------------------------------------------


def test_a_body_that_was_not_said_is_refused():
    with pytest.raises(IntegrityError, match=r"what is shown beside the leaf is not what was said .*needed"):
        proved(0, entry=replace(ENTRIES[0], body=ENTRIES[1].body))
    wrong = replace(ENTRIES[2], attachments=ENTRIES[2].attachments[::-1])
    with pytest.raises(IntegrityError, match="attachment"):
        proved(2, entry=wrong)


@pytest.mark.parametrize("index", range(1, 5))
def test_another_entry_at_the_place_is_refused(index):
    with pytest.raises(IntegrityError, match=r"not proved to be in the log .*needed"):
        verify_entry(proof(LEAVES, index, HELD), ENTRIES[index - 1], policy(), now_s=NOW_S)


def test_an_entry_in_a_log_that_cannot_say_it_is_refused():
    theirs = log_key("south/border/log")
    believed = Policy((LogTrust(theirs.verifier),))
    signed = checkpoint(LEAVES, key=theirs)
    with pytest.raises(IntegrityError, match="cannot speak for that party"):
        verify_entry(proof(LEAVES, 0, signed), ENTRIES[0], believed, now_s=NOW_S)


@pytest.mark.parametrize("name", ["north/coast/log", "north.example/log", "north/border/mirror", "x"])
def test_an_origin_that_is_not_of_the_leafs_party_and_line_is_refused(name):
    key = log_key(name)
    with pytest.raises(IntegrityError, match="cannot speak for that party"):
        verify_entry(
            proof(LEAVES, 0, checkpoint(LEAVES, key=key)), LEAVES[0], Policy((LogTrust(key.verifier),)), now_s=NOW_S
        )


def test_a_log_begun_anew_speaks_for_its_party():
    key = log_key("north/border/log/2")
    found = verify_entry(
        proof(LEAVES, 0, checkpoint(LEAVES, key=key)), ENTRIES[0], Policy((LogTrust(key.verifier),)), now_s=NOW_S
    )
    assert found.leaf == ENTRIES[0].leaf
    assert party_and_line_of("north/border/log/2") == ("north", "border")


def test_a_log_that_the_policy_does_not_know_is_refused():
    with pytest.raises(IntegrityError, match=r"no key of that log is known here; needed: a policy"):
        proved(0, policy=Policy())


def test_a_false_key_of_the_right_name_is_refused():
    false = SigningKey.of_seed(ORIGIN, log_key().verifier.kind, bytes(32))
    with pytest.raises(IntegrityError, match="does not hold"):
        proved(0, policy=Policy((LogTrust(false.verifier),)))
    # A second key of that log in the policy does no harm.
    assert proved(0, policy=Policy((LogTrust(false.verifier), LogTrust(log_key().verifier)))).index == 0


@pytest.mark.parametrize(("quorum", "met"), [("SOUTH", True), ("BOTH", True), ("W", False), (None, True)])
def test_the_quorum_is_asked_for(quorum, met):
    if met:
        proved(0, policy=policy(quorum=quorum))
        return
    with pytest.raises(IntegrityError, match=r"asks for cosignatures by W, .* SOUTH, UN; needed: .*proves nothing"):
        proved(0, policy=policy(quorum=quorum))


def test_a_group_is_told_with_its_members():
    signed = checkpoint(LEAVES, held_by=[(UN, HELD_S)])
    with pytest.raises(
        IntegrityError, match=r"cosignatures by BOTH \(2 of SOUTH, UN\), and in this proof are those of UN;"
    ):
        proved(0, signed=signed, policy=policy(quorum="BOTH"))


def test_a_quorum_is_not_met_by_other_heads():
    signed = checkpoint(LEAVES)
    elsewhere = checkpoint(LEAVES[:4], held_by=[(SOUTH, HELD_S)])
    line = Note.of_bytes(elsewhere).signatures[1]
    note = Note.of_bytes(signed)
    mixed = Note(note.text, (*note.signatures, line)).to_bytes()
    with pytest.raises(IntegrityError, match="a cosignature does not hold"):
        proved(0, signed=mixed, policy=policy(quorum="SOUTH"))


WHOLE = proof(LEAVES, 2, HELD).to_bytes()
SIGNED_TEXT = Checkpoint("north/border/log", 5, bytes(32)).text


@given(st.data())
def test_a_changed_byte_of_a_proof_proves_nothing_else(draw):
    at = draw.draw(st.integers(0, len(WHOLE) - 1))
    changed = bytearray(WHOLE)
    changed[at] = draw.draw(st.integers(0, 255))
    try:
        found = verify_entry(TlogProof.of_bytes(bytes(changed)), ENTRIES[2], policy(), now_s=NOW_S)
    except (PeerError, IntegrityError):
        return
    # Only a receipt may have become one of somebody unknown: then it is not told.
    true = proved(2)
    assert (found.index, found.checkpoint, found.leaf) == (true.index, true.checkpoint, true.leaf)
    assert set(found.held) <= set(true.held)


@given(st.integers(0, len(LEAVES[0]) - 1), st.integers(1, 255))
def test_a_changed_byte_of_a_leaf_is_not_proved(at, by):
    changed = bytearray(LEAVES[0])
    changed[at] = (changed[at] + by) % 256
    with pytest.raises(IntegrityError):
        proved(0, entry=bytes(changed))


# --- forks and forms -----------------------------------------------------------------------------------------------


def test_a_fork_is_told_in_words_that_accuse_nobody_of_more_than_is_proved():
    other = (*LEAVES[:2], b"x", *LEAVES[3:])
    first, second = sorted([checkpoint(LEAVES), checkpoint(other)])
    fork = verify_fork(ForkEvidence(first, second), [log_key().verifier])
    text = fork_paragraph(fork)
    assert "north's log on the line border (north/border/log) contradicted itself" in text
    assert "two different histories of the same 5 entries" in text
    assert not FORBIDDEN.search(text)
    document = fork_document(fork)
    assert (document["keepclear"], document["proved"], document["what"], document["sizes"]) == (
        "verify/1", True, "fork", [5, 5],
    )  # fmt: skip


def test_the_document_says_the_same():
    document = proved_document(proved(1))
    assert (document["keepclear"], document["proved"], document["what"]) == ("verify/1", True, "entry")
    assert (document["log"], document["index"], document["size"]) == (ORIGIN, 1, 5)
    assert document["entry"]["exercise"] is True
    assert document["entry"]["body"] == "shown"
    assert document["receipts"][0] == {
        "name": "SOUTH", "key": "south/border/mirror", "time": "2026-03-02T08:00:05Z", "mirror": True,
    }  # fmt: skip
    assert document["sentence"] == proved_paragraph(proved(1))


def test_a_second_of_any_year_can_be_told():
    assert second_text(0) == "1970-01-01T00:00:00Z"
    assert second_text(2**63 - 1) == "second 9223372036854775807 since 1970"
