from __future__ import annotations

import pytest

from keepclear.errors import InputError, IntegrityError, PeerError, StoreError
from keepclear.record.bodies.references import EntryRefValue
from keepclear.record.bodies.talk import RefusedBody
from keepclear.record.cosignatures import cosigned_at
from keepclear.record.entries import Entry, EntryRef
from keepclear.record.forks import verify_fork
from keepclear.record.merkle import leaf_hash
from keepclear.record.notes import Note
from keepclear.store.log import Log
from keepclear.store.mirror import Mirror
from keepclear.store.sqlite import SqliteStore
from tests.crash.saying import KEY, MIRROR_KEY, ORIGIN, OWN_KEY, head_of, said, signed, tree

SAID = [said(number) for number in range(20)]
LEAVES = [entry.leaf.raw for entry in SAID]


@pytest.fixture
def log(tmp_path):
    store = SqliteStore(tmp_path / "north.db")
    yield Log.create(store, KEY)
    store.close()


@pytest.fixture
def store(tmp_path):
    store = SqliteStore(tmp_path / "south.db")
    yield store
    store.close()


@pytest.fixture
def mirror(store):
    return Mirror.create(store, KEY.verifier, party="south")


def test_a_mirror_follows_a_log(log, mirror, store):
    assert mirror.head is None
    for many in (1, 255, 300, 1):
        log.append([said(f"{log.size} {n}") for n in range(many)])
        proof = log.consistency(mirror.size) if mirror.size else None
        head = mirror.extend(log.checkpoint(), log.leaves(mirror.size), proof)
        assert (head.size, head.root) == (mirror.size, mirror.root) == (log.size, log.root)
    assert list(mirror.leaves()) == list(log.leaves())
    assert mirror.proof(255).hashes == log.proof(255).hashes
    again = Mirror(store, ORIGIN, party="south")
    assert again.head == mirror.head
    assert again.examine().sound


def test_an_empty_log_can_be_mirrored(log, mirror):
    assert mirror.extend(log.checkpoint(), []).size == 0
    log.append(SAID[:2])
    assert mirror.extend(log.checkpoint(), LEAVES[:2]).size == 2


def test_what_is_known_already_changes_nothing(mirror):
    mirror.extend(signed(LEAVES[:9]), LEAVES[:9])
    for size in (0, 3, 8, 9):
        assert mirror.extend(signed(LEAVES[:size]), []).size == 9
    assert mirror.conflicts() == ()


def test_cosignatures_of_others_are_not_taken_for_the_logs_note(mirror, log):
    log.append(SAID[:1])
    bare = log.checkpoint()
    from keepclear.record.cosignatures import cosign

    log.add_cosignatures([cosign(Note.of_bytes(bare).text, MIRROR_KEY, time_s=1)], [MIRROR_KEY.verifier])
    assert log.checkpoint() != bare
    assert mirror.extend(log.checkpoint(), LEAVES[:1]).note == bare


@pytest.mark.parametrize(
    ("leaves", "error", "match"),
    [
        (LEAVES[:4], PeerError, "leaves up to 4 of 5"),
        (LEAVES[:6], PeerError, "more leaves"),
        ([*LEAVES[:4], LEAVES[5]], IntegrityError, "do not lead to the checkpoint"),
        ([*LEAVES[:4], b"x" * 65_536], PeerError, "65535 bytes"),
        ([], PeerError, "leaves up to 0 of 5"),
    ],
)
def test_wrong_leaves_are_refused_and_nothing_is_kept(mirror, store, leaves, error, match):
    with pytest.raises(error, match=match):
        mirror.extend(signed(LEAVES[:5]), leaves)
    assert mirror.head is None
    assert store.end(ORIGIN) == 0
    assert mirror.extend(signed(LEAVES[:5]), LEAVES[:5]).size == 5


def test_a_checkpoint_that_the_log_did_not_sign_is_refused(mirror):
    with pytest.raises(IntegrityError):
        mirror.extend(signed(LEAVES[:5], OWN_KEY), LEAVES[:5])
    with pytest.raises(PeerError):
        mirror.extend(b"not a note", LEAVES[:5])
    assert mirror.head is None


def test_another_tree_of_the_same_size_is_a_fork_with_evidence(mirror):
    mirror.extend(signed(LEAVES[:5]), LEAVES[:5])
    other = [*LEAVES[:4], b"something else"]
    for _ in range(2):
        with pytest.raises(IntegrityError, match="has forked: the log signed two different trees of 5 entries"):
            mirror.extend(signed(other), other[4:])
    (evidence,) = mirror.evidence()
    fork = verify_fork(evidence, [KEY.verifier])
    assert {fork.smaller.root, fork.larger.root} == {tree(LEAVES[:5]), tree(other)}
    assert mirror.root == tree(LEAVES[:5])


def test_an_older_checkpoint_of_another_tree_is_a_fork_with_evidence(mirror):
    mirror.extend(signed(LEAVES), LEAVES)
    other = [*LEAVES[:4], b"something else"]
    with pytest.raises(IntegrityError, match="has forked"):
        mirror.extend(signed(other), [])
    (evidence,) = mirror.evidence()
    fork = verify_fork(evidence, [KEY.verifier])
    assert (fork.smaller.size, fork.larger.size) == (5, 20)
    assert fork.prefix_root == tree(LEAVES[:5])


@pytest.mark.parametrize("proof", [None, [], [b"x" * 32]])
def test_a_greater_tree_that_does_not_continue_is_kept_as_not_proved(mirror, proof):
    mirror.extend(signed(LEAVES[:5]), LEAVES[:5])
    other = [b"another beginning", *LEAVES[1:9]]
    with pytest.raises(IntegrityError, match="has forked, or this was not sent rightly"):
        mirror.extend(signed(other), other[5:], proof)
    assert mirror.size == 5
    assert mirror.evidence() == ()
    (conflict,) = mirror.conflicts()
    assert conflict.second == signed(other)
    assert mirror.extend(signed(LEAVES), LEAVES[5:]).size == 20


def test_checkpoints_without_proof_are_kept_up_to_a_number(mirror):
    mirror.extend(signed(LEAVES[:1]), LEAVES[:1])
    for number in range(40):
        other = [b"%d" % number, b"more"]
        with pytest.raises(IntegrityError):
            mirror.extend(signed(other), other[1:])
    assert len(mirror.conflicts()) == 32


def test_it_cosigns_only_what_it_holds_whole(mirror, log):
    entries = [said(0), said(1, to=("west",)), said(2, attached=2), said(3)]
    log.append(entries)
    with pytest.raises(StoreError, match=r"nothing of .* is held yet"):
        mirror.cosign(MIRROR_KEY, time_s=1)
    mirror.extend(log.checkpoint(), log.leaves())
    assert mirror.wanted() == (0, 2, 3)
    for number in (0, 2, 3):
        with pytest.raises(StoreError, match=rf"bodies of entries {number}.* are neither held nor refused"):
            mirror.cosign(MIRROR_KEY, time_s=1)
        mirror.put_body(number, log.entry(number))
    signature = mirror.cosign(MIRROR_KEY, time_s=1_800_000_000)
    text = Note.of_bytes(log.checkpoint()).text
    assert cosigned_at(text, signature, MIRROR_KEY.verifier) == 1_800_000_000
    assert signature in Note.of_bytes(mirror.checkpoint()).signatures
    assert log.add_cosignatures([signature], [MIRROR_KEY.verifier]) == ("south/border/mirror",)
    assert mirror.entry(2) == entries[2]


def test_a_body_that_is_not_what_was_said_is_refused(mirror):
    mirror.extend(signed(LEAVES[:3]), LEAVES[:3])
    wrong = [
        (1, SAID[0], PeerError),
        (0, Entry(SAID[0].leaf), PeerError),
        (0, Entry(SAID[0].leaf, SAID[1].salt, SAID[1].body), IntegrityError),
        (0, Entry(SAID[0].leaf, SAID[0].salt, SAID[1].body), IntegrityError),
    ]
    for index, entry, error in wrong:
        with pytest.raises(error):
            mirror.put_body(index, entry)
    assert mirror.wanted() == (0, 1, 2)


def refusal_of(ref: EntryRef, *, party: str = "south", line: str = "border") -> Entry:
    body = RefusedBody(entry=EntryRefValue.of(ref), guard="NO_SHARING")
    return Entry.said(
        "refused",
        1,
        line=line,
        party=party,
        time_s=1.8e9,
        recipients=("north",),
        exercise=False,
        body=body.to_bytes(),
        salt=b"s" * 32,
    )


def test_a_body_that_our_own_log_refuses_by_name_is_not_waited_for(mirror, tmp_path):
    mirror.extend(signed(LEAVES[:2]), LEAVES[:2])
    mirror.put_body(1, SAID[1])
    store = SqliteStore(tmp_path / "own.db")
    own = Log.create(store, OWN_KEY)
    right = EntryRef(ORIGIN, 0, leaf_hash(LEAVES[0]))
    wrong = [
        EntryRef(ORIGIN, 1, right.leaf_hash),
        EntryRef(ORIGIN, 0, b"x" * 32),
        EntryRef("a/border/log", 0, right.leaf_hash),
    ]
    own.append([said("no refusal", party="south"), *map(refusal_of, wrong), refusal_of(right)])
    for number in range(4):
        with pytest.raises(InputError, match="not a refusal of that body"):
            mirror.refuse_body(0, own, number)
    with pytest.raises(StoreError, match="not cosigned"):
        mirror.cosign(MIRROR_KEY, time_s=1)
    mirror.refuse_body(0, own, 4)
    assert mirror.cosign(MIRROR_KEY, time_s=1).name == "south/border/mirror"
    store.close()


def test_a_leaf_that_cannot_be_read_is_kept_and_asks_for_nothing(mirror):
    leaves = [b"", b"\xff\x00", b'{"type":"future","unknown":1}', LEAVES[0]]
    mirror.extend(signed(leaves), leaves)
    assert list(mirror.leaves()) == leaves
    assert mirror.wanted() == (3,)
    assert mirror.examine().sound


def test_a_copy_that_was_put_back_cosigns_nothing_until_it_has_caught_up(mirror, store, tmp_path):
    mirror.extend(signed(LEAVES[:3]), LEAVES[:3])
    store.close()
    older = (tmp_path / "south.db").read_bytes()
    again = SqliteStore(tmp_path / "south.db")
    ahead = Mirror(again, ORIGIN, party="nobody")
    ahead.extend(signed(LEAVES[:9]), LEAVES[3:9])
    again.close()
    (tmp_path / "south.db").write_bytes(older)
    restored_store = SqliteStore(tmp_path / "south.db")
    restored = Mirror(restored_store, ORIGIN, party="nobody")
    for number in restored.wanted():
        restored.put_body(number, SAID[number])
    with pytest.raises(StoreError, match="9 entries were held once and 3 are now"):
        restored.cosign(MIRROR_KEY, time_s=1)
    other = [*LEAVES[:3], b"another history", *LEAVES[4:12]]
    with pytest.raises(IntegrityError, match="not the 9 entries that were held once"):
        restored.extend(signed(other), other[3:])
    restored.extend(signed(LEAVES[:12]), LEAVES[3:12])
    assert head_of(restored.checkpoint())[0] == 12
    restored.cosign(MIRROR_KEY, time_s=1)
    restored_store.close()


def test_another_partys_log_is_not_opened_as_ours(mirror, store):
    with pytest.raises(StoreError, match="another party's log"):
        Log(store, ORIGIN, key=KEY)
