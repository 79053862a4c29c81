"""Bodies refused, wrong openings found out, and the checkpoint with which an entry is best proved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from keepclear.errors import InputError, IntegrityError, PeerError
from keepclear.record.bodies.committed import CommitmentBody, OpeningBody
from keepclear.record.bodies.talk import MessageBody
from keepclear.record.commitments import opening
from keepclear.record.entries import EntryRef
from keepclear.record.keys import SignatureKind, SigningKey
from keepclear.record.merkle import leaf_hash
from keepclear.record.merkle_proofs import verify_inclusion
from keepclear.store.log import Log
from keepclear.store.mirror import Mirror
from keepclear.store.openings import check_opening_held
from keepclear.store.refusing import refuse
from keepclear.store.saying import entry_said
from keepclear.store.sqlite import SqliteStore

NORTH = SigningKey.of_seed("north/border/log", SignatureKind.ED25519, bytes([1]) * 32)
SOUTH = SigningKey.of_seed("south/border/log", SignatureKind.ED25519, bytes([2]) * 32)
MIRROR = SigningKey.of_seed("south/border/mirror", SignatureKind.COSIGNATURE, bytes([3]) * 32)
EAST = SigningKey.of_seed("east/border/mirror", SignatureKind.COSIGNATURE, bytes([4]) * 32)


@dataclass
class Pair:
    north: Log
    south: Log
    mirror: Mirror
    store: SqliteStore

    def say(self, body: MessageBody | CommitmentBody | OpeningBody, *, to: tuple[str, ...] = ("south",)) -> int:
        said = entry_said(body, line="border", party="north", time_s=1e9, recipients=to, exercise=True)
        (ref,) = self.north.append([said])
        self.mirror.extend(self.north.checkpoint(), [self.north.leaf(ref.index)])
        return ref.index


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    ours, theirs = SqliteStore(tmp_path / "s.db"), SqliteStore(tmp_path / "n.db")
    mirror = Mirror.create(ours, NORTH.verifier, party="south")
    yield Pair(Log.create(theirs, NORTH), Log.create(ours, SOUTH), mirror, ours)
    ours.close()
    theirs.close()


def test_a_refusal_is_said_once_and_lets_the_receipt_go(pair: Pair) -> None:
    index = pair.say(MessageBody(text="not to be kept"))
    ref = refuse(pair.mirror, index, pair.south, guard="NO_SHARING", time_s=1e9)
    said = pair.south.entry(ref.index).leaf
    assert (said.recipients, said.exercise, said.type) == (("north",), True, "refused")
    pair.mirror.cosign(MIRROR, time_s=1_000_000_000)
    with pytest.raises(InputError, match="nothing to refuse"):
        refuse(pair.mirror, index, pair.south, guard="NO_SHARING", time_s=1e9)
    with pytest.raises(InputError, match="its body is not here"):
        pair.mirror.erase_body(index)


def test_a_refusal_that_was_cut_off_is_not_said_twice(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    index = pair.say(MessageBody(text="x"))

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Mirror, "refuse_body", stopped)
        with pytest.raises(KeyboardInterrupt):
            refuse(pair.mirror, index, pair.south, guard="NO_SHARING", time_s=1e9)
    assert refuse(pair.mirror, index, pair.south, guard="NO_SHARING", time_s=1e9).index == 0
    assert pair.south.size == 1


def test_what_is_not_ours_or_is_held_is_not_refused(pair: Pair) -> None:
    other, held = pair.say(MessageBody(text="x"), to=("east",)), pair.say(MessageBody(text="y"))
    pair.mirror.put_body(held, pair.north.entry(held))
    for index in (other, held, 99):
        with pytest.raises(InputError, match="nothing to refuse"):
            refuse(pair.mirror, index, pair.south, guard="NO_SHARING", time_s=1e9)
    with pytest.raises(InputError, match="its body is not here"):
        pair.mirror.erase_body(other)
    assert pair.south.size == 0


def test_an_opening_is_held_to_the_commitment(pair: Pair) -> None:
    body = MessageBody(text="planned").members()
    index = pair.say(CommitmentBody(type="message", v=1, body=body), to=())
    entry = pair.north.entry(index)
    right = opening(entry, EntryRef("north/border/log", index, entry.leaf.hash))
    check_opening_held(right, "north/border/log", pair.store)
    check_opening_held(right, "north/border/log/2", pair.store)  # opened in the log that came after
    members = right.members()
    for wrong in (
        {**members, "content": {**members["content"], "body": MessageBody(text="other").members()}},
        {**members, "entry": {**members["entry"], "index": 99}},
        {**members, "salt": "A" * 43 + "="},
    ):
        with pytest.raises(IntegrityError, match="wrong opening"):
            check_opening_held(OpeningBody.of_members(wrong), "north/border/log", pair.store)
    for origin in ("south/border/log", "north/river/log"):
        with pytest.raises(IntegrityError, match="wrong opening"):
            check_opening_held(right, origin, pair.store)
    elsewhere = OpeningBody.of_members({**members, "entry": {**members["entry"], "origin": "north/border/log/7"}})
    with pytest.raises(PeerError, match="not held"):
        check_opening_held(elsewhere, "north/border/log", pair.store)


def test_the_earliest_of_the_checkpoints_that_most_have_cosigned_proves_best(pair: Pair) -> None:
    log = pair.north
    for number in range(6):
        pair.say(MessageBody(text=str(number)), to=())
        if number in (1, 3, 4):
            pair.mirror.cosign(MIRROR, time_s=1_000_000_000 + number)
            signature = pair.mirror.cosign(MIRROR, time_s=1_000_000_000 + number)
            log.add_cosignatures([signature], [MIRROR.verifier])
    assert [log.best_receipts(index) for index in range(6)] == [2, 2, 4, 4, 5, 6]
    for index in range(6):
        size = log.best_receipts(index)
        proof = log.proof(index, size=size)
        leaf, root = leaf_hash(log.leaf(index)), log.root_at(size)
        verify_inclusion(proof.hashes, index=index, size=size, leaf=leaf, root=root)
        assert proof.checkpoint == log.checkpoint(size)
        assert (b"south/border/mirror" in proof.checkpoint) == (index < 5)
    for size in (1, 7):
        with pytest.raises(InputError):
            log.proof(1, size=size)
    assert EAST.verifier.text not in dict(pair.store.first_cosigned("north/border/log", above=0))
