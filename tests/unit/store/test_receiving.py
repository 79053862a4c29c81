"""A log and its mirror over a sound network, each with its store."""

from __future__ import annotations

import pytest

from keepclear.line.body_requests import MOST_PIECE_BYTES, BodiesAnswer, Gone, Piece, Wanted, format_bodies, pieces_of
from keepclear.line.entry_packages import EntriesHeader
from keepclear.line.mirror_requests import AddCheckpoint, MirrorInfo
from keepclear.line.mirroring import MOST_PENDING
from keepclear.line.uploading import BodiesDue, CheckpointDue, EntriesDue, Stage
from keepclear.record.bodies.references import EntryRefValue
from keepclear.record.bodies.talk import RefusedBody
from keepclear.record.entries import Attachment, Entry, EntryRef
from keepclear.record.merkle import leaf_hash
from keepclear.store import sending
from keepclear.store.log import Log
from keepclear.store.log_store import BodyState
from keepclear.store.receiving_bodies import Undelivered
from tests.crash.saying import ORIGIN, OWN_KEY, said, signed
from tests.property.two_ends import Ends, must_be_honest


@pytest.fixture
def ends(tmp_path):
    ends = Ends(tmp_path)
    yield ends
    ends.close()


def leaves_of(ends: Ends) -> list[bytes]:
    return list(ends.north.log.leaves())


def test_an_empty_log_is_cosigned_too(ends):
    assert ends.settle() == 2
    assert ends.north.sender.uploading.stage is Stage.DONE
    ends.must_agree()


@pytest.mark.parametrize("sizes", [(1,), (255, 1, 1), (256,), (257, 300), (3, 700), (1, 1, 1, 1)])
def test_a_mirror_follows_a_log_with_its_bodies(ends, sizes):
    for many in sizes:
        ends.north.say(many)
        ends.settle()
        ends.must_agree()
    must_be_honest(ends.south, leaves_of(ends))


def test_one_filing_takes_three_requests(ends):
    ends.north.say(3)
    ends.settle()
    ends.north.say(1)
    dues = []
    while (found := ends.exchange()) is not None:
        dues.append((type(found[0]), found[2].status))
    assert dues == [(CheckpointDue, 200), (EntriesDue, 202), (BodiesDue, 200)]
    ends.must_agree()


def test_many_bodies_come_in_as_few_requests_as_they_go_into(ends, monkeypatch):
    monkeypatch.setattr(sending, "_MOST_SCANNED", 100)
    ends.north.say(250)
    ends.north.say(100, to=())
    ends.north.say(20)
    dues = []
    while (found := ends.exchange()) is not None:
        dues.append(found[0])
    assert [(due.since, due.wanted) for due in dues[2:]] == [(0, None), (100, None), (200, None), (350, None)]
    ends.must_agree()


def test_bodies_of_a_request_that_was_cut_off_are_sent_again(ends):
    ends.north.say(40)
    ends.exchange()
    ends.exchange()
    due, request = ends.north.sender.due()
    taken = [next(request.body) for _ in range(31)]  # the name of the log, and 30 bodies
    answer = ends.south.serve("add-bodies", iter(taken[:-3]))
    ends.north.sender.answered(due, answer)
    again, _ = ends.north.sender.due()
    assert [one.number for one in again.wanted] == list(range(27, 40))
    ends.settle()
    ends.must_agree()


def test_without_bodies_for_us_the_answer_to_the_entries_is_the_receipt(ends):
    ends.north.say(5, to=("east",))
    assert ends.settle() == 2
    ends.must_agree()


def test_more_entries_than_one_request_carries_take_several(ends):
    ends.north.log.append([said(n, to=()) for n in range(33 * 256 + 7)])
    answers = []
    while (found := ends.exchange()) is not None:
        answers.append(found[2].status)
    assert answers == [200, 202, 200]
    assert ends.south.mirror.root == ends.north.log.root


def test_the_cosignature_waits_for_the_bodies(ends):
    ends.north.say(2)
    ends.exchange()
    due, _, answer = ends.exchange()
    assert answer.status == 202
    assert answer.retry_after_s == 5
    assert MirrorInfo.of_answer(answer).next_entry == 2
    assert ends.south.mirror.wanted() == (0, 1)
    assert ends.south.store.cosignatures(ORIGIN, 2) == ()
    assert isinstance(due, EntriesDue)


def test_a_checkpoint_before_the_first_missing_body_is_cosigned(ends):
    ends.north.say(2)
    ends.settle()
    ends.north.say(1, to=())
    ends.exchange()
    ends.exchange()
    ends.north.say(1)
    ends.exchange()
    ends.exchange()
    body = format_bodies(ORIGIN, [])
    said_ = BodiesAnswer.of_answer(ends.south.serve("add-bodies", body))
    assert said_.wanted == (Wanted(3),)
    assert said_.receipt[0] == 3


def test_uploads_go_on_where_they_were_after_restarts(ends):
    ends.north.log.append([said(n) for n in range(600)])
    ends.exchange()
    _, request = ends.north.sender.due()
    body = b"".join(request.body)
    assert ends.south.serve("add-entries", iter([body[: len(body) // 2]])).status == 202
    assert ends.south.store.next_entry(ORIGIN) == 256
    ends.south.restart()
    assert ends.south.store.next_entry(ORIGIN) == 256
    ends.north.restart()
    ends.settle()
    ends.must_agree()
    assert ends.south.store.pending(ORIGIN) == ()
    assert ends.south.store.coming(ORIGIN, 0, 600) == []


def test_an_old_end_is_taken_by_its_ticket(ends):
    ends.north.say(300, to=())
    ends.exchange()
    probe = EntriesHeader(ORIGIN.encode(), 0, 0).to_bytes()
    info = MirrorInfo.of_answer(ends.south.serve("add-entries", iter([probe])))
    assert (info.size, info.next_entry) == (300, 0)
    _, request = ends.north.sender.due()
    body = b"".join(request.body)
    for _ in range(MOST_PENDING + 1):  # until 300 is forgotten
        old = ends.north.log.size
        ends.north.say(1, to=())
        proof = tuple(ends.north.log.consistency(old))
        more = AddCheckpoint(old, proof, ends.north.log.checkpoint()).to_bytes()
        assert ends.south.receiver.add_checkpoint(more).status == 200
    assert ends.south.receiver.state().known(300) is None
    refused = ends.south.serve("add-entries", iter([body]))
    assert refused.status == 409
    assert MirrorInfo.of_answer(refused).size == 300 + MOST_PENDING + 1
    plain = EntriesHeader(ORIGIN.encode(), 0, 300).to_bytes()
    with_ticket = EntriesHeader(ORIGIN.encode(), 0, 300, info.ticket).to_bytes() + body[len(plain) :]
    assert ends.south.serve("add-entries", iter([with_ticket])).status == 200
    ends.settle()
    ends.must_agree()


def test_interleaved_uploads_of_the_same_entries_agree(ends):
    ends.north.log.append([said(n, to=()) for n in range(700)])
    ends.exchange()
    _, request = ends.north.sender.due()
    body = b"".join(request.body)
    one, two = ends.south.receiver.upload(), ends.south.receiver.upload()
    for at in range(0, len(body), 10_000):
        one.receive(body[at : at + 10_000])
        two.receive(body[at : at + 10_000])
    assert one.end(time_s=5).body == two.end(time_s=9).body  # the same cosignature
    must_be_honest(ends.south, leaves_of(ends))


# --- forks ---------------------------------------------------------------------------------------------------------


def test_another_root_of_the_pending_size_is_evidence_of_a_fork(ends):
    leaves = [said(n).leaf.raw for n in range(5)]
    fork = signed([*leaves[:4], b"other"])
    receiver = ends.south.receiver
    assert receiver.add_checkpoint(AddCheckpoint(0, (), signed(leaves)).to_bytes()).status == 200
    for old in (5, 0):
        answer = receiver.add_checkpoint(AddCheckpoint(old, (), fork).to_bytes())
        assert (answer.status, answer.body) == (409, b"5\n")
    assert len(ends.south.mirror.evidence()) == 1
    assert receiver.state().newest.note == signed(leaves)


def test_an_older_checkpoint_of_another_tree_is_evidence_of_a_fork(ends):
    ends.north.say(6, to=())
    ends.settle()
    fork = signed([b"another", b"history"])
    assert ends.south.receiver.add_checkpoint(AddCheckpoint(0, (), fork).to_bytes()).status == 409
    assert len(ends.south.mirror.evidence()) == 1


def test_what_was_to_come_is_dropped_where_the_copy_has_taken_another_branch(ends, tmp_path):
    """The copy was extended by hand, along another branch than the pending checkpoint's."""
    ends.north.say(300, to=())
    ends.exchange()
    _, request = ends.north.sender.due()
    body = b"".join(request.body)
    assert ends.south.serve("add-entries", iter([body[:-40]])).status == 202
    other = [b"other %d" % n for n in range(10)]
    ends.south.mirror.extend(signed(other), other)
    answer = ends.south.serve("add-entries", iter([body]))
    assert answer.status in (409, 422)
    assert list(ends.south.mirror.leaves()) == other
    if answer.status == 422:
        ends.north.sender.retried()
    for _ in range(3):
        ends.north.sender.retried()
        ends.settle()
    assert list(ends.south.mirror.leaves()) == other
    assert ends.north.sender.uploading.stage in (Stage.RESTING, Stage.DISPUTED)
    assert ends.south.store.cosignatures(ORIGIN, 300) == ()


# --- bodies --------------------------------------------------------------------------------------------------------


def long_entry(*lengths: int, to: tuple[str, ...] = ("south",)) -> Entry:
    salt = b"q" * 32
    first, *rest = lengths
    files = tuple(Attachment(salt, b"f" * length) for length in rest)
    body = b'"' + b"x" * (first - 2) + b'"'
    return Entry.said(
        "message",
        1,
        line="border",
        party="north",
        time_s=1.8e9,
        recipients=to,
        exercise=False,
        body=body,
        salt=salt,
        attachments=files,
    )


@pytest.mark.parametrize(
    "lengths",
    [(10,), (MOST_PIECE_BYTES,), (MOST_PIECE_BYTES + 1, 0), (10, 0, 5, 3 * MOST_PIECE_BYTES), (16 * 2**20, 2**20)],
)
def test_long_bodies_and_attachments_arrive(ends, lengths):
    ends.north.log.append([long_entry(*lengths)])
    ends.settle()
    ends.must_agree()
    assert ends.south.store.piece_ends(ORIGIN) == ()


def test_a_long_body_goes_on_where_it_broke_off(ends):
    ends.north.log.append([long_entry(4 * 2**20, 2**20 + 5)])
    ends.exchange()
    ends.exchange()
    _, request = ends.north.sender.due()
    body = b"".join(request.body)
    answer = ends.south.serve("add-bodies", iter([body[: int(2.5 * 2**20)]]))
    assert answer.status == 400
    ends.south.restart()
    answer = ends.south.serve("add-bodies", format_bodies(ORIGIN, []))
    assert BodiesAnswer.of_answer(answer).wanted == (Wanted(0, 0, 2 * 2**20),)
    ends.settle()
    ends.must_agree()


def test_bodies_of_others_are_neither_sent_nor_wanted(ends):
    ends.north.say(2)
    ends.north.say(2, to=("east",))
    ends.settle()
    ends.must_agree()
    assert ends.south.mirror.body_state(2) is None
    sender = ends.north.sender
    asked = BodiesDue(0, 4, (Wanted(0), Wanted(2), Wanted(3), Wanted(9)))
    assert {piece.number for piece in sender._bodies(asked)} == {0}
    entry = ends.north.log.entry(2)
    ends.south.serve("add-bodies", format_bodies(ORIGIN, pieces_of(entry, Wanted(2), most_bytes=2**20)))
    assert ends.south.mirror.body_state(2) is None


def test_a_wrong_body_is_refused_and_the_right_one_is_taken_after_it(ends):
    ends.north.log.append([long_entry(2 * MOST_PIECE_BYTES)])
    ends.exchange()
    ends.exchange()
    right = list(pieces_of(ends.north.log.entry(0), Wanted(0), most_bytes=2**24))
    wrong = [Piece(0, 0, one.offset, one.total, one.salt, b"w" * len(one.data)) for one in right]
    assert ends.south.serve("add-bodies", format_bodies(ORIGIN, wrong)).status == 422
    assert ends.south.store.piece_ends(ORIGIN) == ()
    assert ends.south.serve("add-bodies", format_bodies(ORIGIN, [wrong[0], right[1]])).status == 422
    other_salt = Piece(0, 0, right[0].offset, right[0].total, b"z" * 32, right[0].data)
    ends.south.serve("add-bodies", format_bodies(ORIGIN, [other_salt]))
    ends.south.serve("add-bodies", format_bodies(ORIGIN, [right[1]]))
    ends.settle()
    ends.must_agree()


def test_pieces_out_of_order_or_twice_change_nothing(ends):
    ends.north.log.append([long_entry(3 * MOST_PIECE_BYTES, 10)])
    ends.exchange()
    ends.exchange()
    right = list(pieces_of(ends.north.log.entry(0), Wanted(0), most_bytes=2**24))
    for pieces in ([right[2]], [right[0], right[0]], [right[3]], [right[2], right[1]], right[:2]):
        assert ends.south.serve("add-bodies", format_bodies(ORIGIN, pieces)).status == 200
    assert ends.south.store.piece_ends(ORIGIN) == ((0, 0, 2 * MOST_PIECE_BYTES, 3 * MOST_PIECE_BYTES),)
    ends.settle()
    ends.must_agree()


def test_what_a_guard_refuses_is_not_kept_and_waits_for_our_own_entry(tmp_path):
    ends = Ends(tmp_path, keeps=lambda _, entry: b"1" not in entry.body)
    ends.north.say(3)
    for _ in range(3):
        ends.settle()
        ends.north.sender.retried()
    assert ends.south.desk.undelivered == {1: Undelivered.REFUSED}
    assert ends.south.mirror.wanted() == (1,)
    own = Log.create(ends.south.store, OWN_KEY)
    named = EntryRef(ORIGIN, 1, leaf_hash(ends.south.mirror.leaf(1)))
    own.append([refusal(named)])
    ends.south.mirror.refuse_body(1, own, 0)
    ends.north.sender.retried()
    ends.settle()
    assert ends.north.sender.uploading.stage is Stage.DONE
    assert ends.south.mirror.body_state(1) is BodyState.REFUSED
    assert ends.south.desk.undelivered == {}
    ends.close()


def refusal(entry: EntryRef) -> Entry:
    body = RefusedBody(entry=EntryRefValue.of(entry), guard="NO_SHARING")
    return Entry.said(
        "refused",
        1,
        line="border",
        party="south",
        time_s=1.8e9,
        recipients=("north",),
        exercise=False,
        body=body.to_bytes(),
        salt=b"r" * 32,
    )


def test_a_body_that_is_gone_is_said_to_be(ends):
    ends.north.say(2)
    ends.north.log.erase_body(0)
    for _ in range(3):
        ends.settle()
        ends.north.sender.retried()
    assert ends.south.desk.undelivered == {0: Undelivered.GONE}
    assert ends.south.mirror.body_state(1) is BodyState.HELD
    assert ends.south.mirror.wanted() == (0,)
    assert Gone(0) in list(ends.north.sender._bodies(BodiesDue(0, 2, (Wanted(0),))))


def test_an_entry_that_is_longer_than_may_be_sent_is_said_to_be(ends):
    ends.north.say(1)
    ends.settle()
    ends.north.log.append([long_entry(10, *[16 * 2**20] * 4)])
    ends.settle()
    assert ends.south.desk.undelivered == {1: Undelivered.GONE}
