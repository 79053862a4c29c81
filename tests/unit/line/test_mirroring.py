"""Each status of tlog-mirror and of tlog-witness's add-checkpoint, from the machine that decides them."""

from __future__ import annotations

import itertools

import pytest

from keepclear.line.entry_packages import EntriesHeader, format_package, package_ranges
from keepclear.line.mirror_requests import INFO_TYPE, SIZE_TYPE, AddCheckpoint, Answer, MirrorInfo
from keepclear.line.mirroring import (
    MOST_BEHIND,
    TRANSITIONS,
    Compare,
    EntriesUpload,
    Event,
    KeepFork,
    MirrorState,
    PendingCheckpoint,
    Stage,
    TakePending,
    on_add_checkpoint,
)
from keepclear.line.tickets import open_ticket, ticket_for
from keepclear.record.keys import SignatureKind, SigningKey
from keepclear.record.merkle import consistency_proof, leaf_hash, root_of, subtree_consistency_proof
from tests.crash.saying import KEY, ORIGIN, signed

SECRET = b"t" * 32
ENTRIES = [b"entry %d" % n for n in range(700)]
STRANGER = SigningKey.of_seed(ORIGIN, SignatureKind.ED25519, b"9" * 32)


def read(pairs):
    return [root_of(map(leaf_hash, ENTRIES[i << level : (i + 1) << level])) for level, i in pairs]


def pending(size: int) -> PendingCheckpoint:
    return PendingCheckpoint(size, root_of(map(leaf_hash, ENTRIES[:size])), signed(ENTRIES[:size]))


def state(*sizes: int, **more: int) -> MirrorState:
    return MirrorState(KEY.verifier, tuple(map(pending, sizes)), **more)


def asking(old: int, size: int, *, key: SigningKey = KEY, proof: list[bytes] | None = None) -> bytes:
    if proof is None:
        proof = consistency_proof(old, size, read) if old < size else []
    return AddCheckpoint(old, tuple(proof), signed(ENTRIES[:size], key)).to_bytes()


# --- add-checkpoint ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sizes", "old", "size"), [((), 0, 5), ((), 0, 0), ((0,), 0, 5), ((5,), 5, 300), ((2, 5), 5, 6)]
)
def test_a_checkpoint_that_continues_is_taken(sizes, old, size):
    decision = on_add_checkpoint(state(*sizes), asking(old, size))
    assert decision.answer == Answer(200)
    assert decision.first == (TakePending(pending(size), sizes[-1] if sizes else None),)


def test_the_same_checkpoint_again_changes_nothing():
    decision = on_add_checkpoint(state(5), asking(5, 5))
    assert (decision.answer.status, decision.first) == (200, ())


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"", 400),
        (b"old 5", 400),
        (asking(5, 9)[:-1], 400),
        (asking(5, 9).replace(b"old 5", b"old 05"), 400),
        (asking(5, 9).replace(b"old 5", b"old -5"), 400),
        (asking(5, 9).replace(b"old 5", b"new 5"), 400),
        (asking(5, 9).replace(b"=\n", b"\n", 1), 400),
        (asking(9, 5), 400),
        (asking(5, 9).replace(ORIGIN.encode() + b"\n9", b"other/border/log\n9"), 404),
        (asking(5, 9, key=STRANGER), 403),
        (asking(5, 9).replace(b"\n9\n", b"\n8\n"), 403),
        (asking(5, 9, proof=[]), 422),
        (asking(5, 9, proof=[b"x" * 32]), 422),
        (asking(5, 9, proof=[*consistency_proof(5, 9, read), b"x" * 32]), 422),
        (asking(5, 5, proof=[b"x" * 32]), 422),
        (asking(0, 9), 409),
        (asking(4, 9), 409),
        (asking(6, 9), 409),
    ],
)
def test_what_is_not_taken_says_why(data, status):
    decision = on_add_checkpoint(state(5), data)
    assert decision.answer.status == status
    assert not any(isinstance(step, TakePending) for step in decision.first)
    if status == 409:
        assert (decision.answer.content_type, decision.answer.body) == (SIZE_TYPE, b"5\n")


def test_a_proof_from_nothing_must_be_empty():
    assert on_add_checkpoint(state(), asking(0, 9, proof=[b"x" * 32])).answer.status == 422


def test_more_than_63_hashes_are_malformed():
    line = asking(5, 9).split(b"\n")[1]
    head, rest = asking(5, 9).split(b"\n", 1)
    assert on_add_checkpoint(state(5), head + b"\n" + (line + b"\n") * 61 + rest).answer.status == 400


def test_two_trees_of_one_size_are_a_fork_with_its_evidence():
    other = AddCheckpoint(5, (), signed([b"other"] * 5)).to_bytes()
    for known in (state(5), state(5, 9)):
        decision = on_add_checkpoint(known, other)
        assert decision.answer.status == 409
        assert isinstance(decision.first[0], KeepFork)


def test_a_checkpoint_of_a_size_not_remembered_is_compared_with_the_copy():
    decision = on_add_checkpoint(state(5), asking(0, 3))
    assert decision.first == (Compare(3, signed(ENTRIES[:3])),)


# --- add-entries ---------------------------------------------------------------------------------------------------


def body(
    start: int, end: int, *, upto: int | None = None, ticket: bytes = b"", origin: bytes = ORIGIN.encode()
) -> bytes:
    parts = [EntriesHeader(origin, start, end, ticket).to_bytes()]
    for first, last in package_ranges(start, end):
        if upto is None or last <= upto:
            proof = subtree_consistency_proof(first - first % 256, last, end, read)
            parts.append(format_package(ENTRIES[first:last], proof))
    return b"".join(parts)


def begun(known: MirrorState) -> EntriesUpload:
    return EntriesUpload(known, secret=SECRET, leaf_hashes=lambda a, b: [leaf_hash(e) for e in ENTRIES[a:b]])


def sent(known: MirrorState, data: bytes, *, step: int = 10**6):
    """What came out, and what is to be done at the end, where everything was saved."""
    upload, came = begun(known), []
    for at in range(0, len(data), step):
        came += upload.receive(data[at : at + step])
    reached = max([known.next_entry, *(one.end for one in came)])
    now = MirrorState(known.key, known.pending, known.held, reached, known.cosigned)
    return upload, came, now, upload.end(now)


@pytest.mark.parametrize("step", [1, 7, 1000, 10**6])
def test_packages_come_out_proved_however_the_bytes_come(step):
    _, came, _, end = sent(state(700, held=0, next_entry=3), body(3, 700), step=step)
    assert [entry for package in came for entry in package.entries] == ENTRIES[3:700]
    assert end == pending(700)


def test_a_body_cut_off_anywhere_gives_what_was_whole():
    data = body(250, 520)
    after = [len(body(250, 520, upto=upto)) for upto in (256, 512, 520)]
    near = {cut for at in (0, *after) for cut in range(at - 80, at + 80)}
    for cut in sorted(near & set(range(len(data) + 1))):
        upload, came, _, end = sent(state(520, next_entry=250), data[:cut])
        whole = sum(cut >= at for at in after)
        assert len(came) == whole
        if whole == 3:
            assert end == pending(520)
        elif whole:
            info = MirrorInfo.of_answer(end)
            assert (end.status, info.size, info.next_entry) == (202, 520, (250, 256, 512)[whole])
            assert open_ticket(info.ticket, secret=SECRET) == pending(520).note
        else:
            assert end.status == 400
        assert upload.refusal is None


@pytest.mark.parametrize(
    ("known", "data", "status"),
    [
        (state(5), body(0, 5, origin=b"other/border/log"), 404),
        (state(5), body(0, 5, origin=b"\xff"), 404),
        (state(5), body(0, 6), 409),
        (state(), body(0, 0), 409),
        (state(5, 9, cosigned=9, held=9, next_entry=9), body(0, 5), 409),
        (state(9, next_entry=4), body(5, 9), 409),
        (state(700, held=700, next_entry=MOST_BEHIND + 9), body(8, 700), 409),
        (state(5, 9, held=9, next_entry=9), EntriesHeader(ORIGIN.encode(), 8, 5).to_bytes(), 400),
        (state(5), body(0, 5)[:-1] + b"\x01" + b"x" * 32, 422),
        (state(5), body(0, 5).replace(b"entry 3", b"entry 4"), 422),
    ],
)
def test_what_cannot_be_is_refused_before_the_body_ends(known, data, status):
    upload = begun(known)
    upload.receive(data)
    assert upload.refusal is not None
    assert upload.refusal.status == status
    assert upload.receive(b"more" * 1000) == []
    assert upload.end(known) == upload.refusal
    if status == 409:
        info = MirrorInfo.of_answer(upload.refusal)
        assert upload.refusal.content_type == INFO_TYPE
        assert info.next_entry == known.next_entry


def test_an_end_that_is_valid_is_named_again_and_another_is_not():
    named = [
        MirrorInfo.of_answer(sent(known, data)[3]).size
        for known, data in [
            (state(5, 9, next_entry=2), body(3, 5)),
            (state(5, 9, next_entry=2), body(3, 7)),
            (state(5, 9, cosigned=9, held=9, next_entry=9), body(5, 5)),
        ]
    ]
    assert named == [5, 9, 9]


def test_a_malformed_package_is_400_first_and_422_later():
    header = EntriesHeader(ORIGIN.encode(), 0, 300).to_bytes()
    first = body(0, 300, upto=256)
    too_many = b"".join(b"\0\0" for _ in range(256)) + b"\x40"
    assert sent(state(300), header + too_many)[3].status == 400
    assert sent(state(300), first + b"\0\0" * 44 + b"\x40")[3].status == 422


def test_bytes_after_the_last_package_are_dropped_and_alone_are_malformed():
    assert sent(state(5), body(0, 5) + b"more")[3] == pending(5)
    known = state(5, held=5, next_entry=5)
    assert sent(known, body(5, 5) + b"more")[3].status == 400
    assert sent(known, body(5, 5))[3] == pending(5)


def test_the_end_waits_for_bodies_and_is_then_cosigned():
    known = state(5, next_entry=0)
    upload, _, now, _ = sent(known, body(0, 5))
    held = MirrorState(now.key, now.pending, 5, 5, 0)
    waiting = upload.concluded(held, bodies_missing=True)
    assert (waiting.status, MirrorInfo.of_answer(waiting).next_entry, waiting.retry_after_s) == (202, 5, 5)
    assert upload.concluded(held, bodies_missing=False) is None


def test_an_end_that_was_passed_meanwhile_is_409():
    upload, _, _, _ = sent(state(5, 9), body(0, 5))
    for now in (
        state(5, 9, held=9, next_entry=9, cosigned=9),
        state(9, held=9, next_entry=9),
        state(5, 9, next_entry=5),
    ):
        assert upload.concluded(now, bodies_missing=False).status == 409


def test_what_was_dropped_meanwhile_is_409_from_where_we_are():
    upload, _, _, _ = sent(state(5, 9), body(0, 5))
    answer = upload.end(state(5, 9, next_entry=3))
    assert (answer.status, MirrorInfo.of_answer(answer).next_entry) == (409, 3)


def test_tickets_bring_back_what_was_pending_here_and_nothing_else():
    known = state(300, 700, held=100, next_entry=100)
    for note, secret, status in [
        (pending(200).note, SECRET, None),
        (pending(200).note, b"u" * 32, 409),
        (pending(150).note, SECRET, 409),
        (signed(ENTRIES[:200], STRANGER), SECRET, 409),
        (b"junk", SECRET, 409),
    ]:
        ticket = ticket_for(note, secret=secret)
        end = sent(known, body(100, 200, ticket=ticket))[3]
        assert (end == pending(200)) is (status is None)
        assert status is None or end.status == status
    past = state(300, 700, held=250, next_entry=250)
    assert sent(past, body(100, 200, ticket=ticket_for(pending(200).note, secret=SECRET)))[3].status == 409


def test_every_event_in_every_stage_either_has_its_place_or_cannot_be():
    final = {Stage.WHOLE, Stage.REFUSED}
    for stage, event in itertools.product(Stage, Event):
        assert ((stage, event) in TRANSITIONS) == (
            stage not in final
            and (event in (Event.ACCEPTED, Event.NOTHING_ASKED))
            == (stage is Stage.HEADER and event is not Event.REJECTED)
        )


def test_a_ticket_that_would_be_too_long_is_empty():
    assert ticket_for(b"x" * 65_535, secret=SECRET) == b""
    assert open_ticket(b"", secret=SECRET) is None
