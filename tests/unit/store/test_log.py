from __future__ import annotations

import pytest

from keepclear.errors import InputError, IntegrityError, StoreError
from keepclear.record.cosignatures import cosign
from keepclear.record.entries import Entry
from keepclear.record.keys import SignatureKind, SigningKey
from keepclear.record.merkle import EMPTY_ROOT, leaf_hash
from keepclear.record.merkle_proofs import verify_consistency, verify_inclusion, verify_subtree_consistency
from keepclear.record.notes import Note
from keepclear.record.tiles import Tile
from keepclear.store.log import Log
from keepclear.store.log_store import BodyState, DamagedError
from keepclear.store.sqlite import SqliteStore
from tests.crash.saying import KEY, MIRROR_KEY, ORIGIN, OWN_KEY, head_of, said, signed, tree


@pytest.fixture
def store(tmp_path):
    store = SqliteStore(tmp_path / "record.db")
    yield store
    store.close()


@pytest.fixture
def log(store):
    return Log.create(store, KEY)


def test_a_log_begins_with_a_signed_checkpoint_of_nothing(log):
    assert (log.size, log.root) == (0, EMPTY_ROOT)
    assert head_of(log.checkpoint()) == (0, EMPTY_ROOT)
    assert list(log.leaves()) == []


@pytest.mark.parametrize("batches", [[1] * 20, [255, 1, 1], [256, 256], [300, 1, 700], [1, 65_536 - 1, 1]])
def test_roots_are_those_of_rfc_6962_and_every_step_is_proved(log, batches):
    if sum(batches) > 60_000:  # two levels of full tiles; said once, as making that many entries takes long
        entries = [said("same")] * max(batches)
    else:
        entries = [said(number) for number in range(max(batches))]
    leaves: list[bytes] = []
    heads = []
    for many in batches:
        refs = log.append(entries[:many])
        assert [ref.index for ref in refs] == list(range(len(leaves), len(leaves) + many))
        leaves += [entry.leaf.to_bytes() for entry in entries[:many]]
        assert [ref.leaf_hash for ref in refs] == [leaf_hash(leaf) for leaf in leaves[-many:]]
        heads.append((len(leaves), tree(leaves)))
        assert head_of(log.checkpoint()) == heads[-1] == (log.size, log.root)
    for size, root in heads:
        assert log.root_at(size) == root
        assert head_of(log.checkpoint(size)) == (size, root)
        verify_consistency(log.consistency(size), old_size=size, old_root=root, new_size=log.size, new_root=log.root)
    for number in {0, 1, log.size // 2, log.size - 1}:
        proof = log.proof(number)
        assert proof.checkpoint == log.checkpoint()
        verify_inclusion(proof.hashes, index=number, size=log.size, leaf=leaf_hash(leaves[number]), root=log.root)
    log.refresh()
    assert log.leaf(log.size - 1) == leaves[-1]


def test_a_subtree_is_proved(log):
    leaves = [said(number).leaf.to_bytes() for number in range(600)]
    log.append([said(number) for number in range(600)])
    hashes = log.subtree_consistency(256, 512)
    subtree = tree(leaves[256:512])
    verify_subtree_consistency(hashes, start=256, end=512, subtree=subtree, size=600, root=log.root)
    assert log.tile(Tile(0, 1)) == b"".join(leaf_hash(leaf) for leaf in leaves[256:512])


def test_an_entry_comes_back_with_body_and_attachments(log):
    entries = [said(1), said(2, attached=3), said(3)]
    log.append(entries)
    log.refresh()
    assert [log.entry(number) for number in range(3)] == entries
    assert log.body_state(1) is BodyState.HELD


def test_an_erased_body_leaves_no_byte_in_any_file_and_its_leaf_stays(log, tmp_path):
    entry = said("SECRET-7391", attached=1)
    log.append([said(0), entry, said(2)])

    def found(secret: bytes) -> set[str]:
        return {path.name for path in tmp_path.iterdir() if secret in path.read_bytes()}

    secrets = (entry.body, entry.salt, entry.attachments[0].data)
    assert all(found(secret) for secret in secrets)
    log.erase_body(1)
    assert not any(found(secret) for secret in secrets)
    assert log.entry(1) == Entry(entry.leaf)
    assert log.body_state(1) is BodyState.ERASED
    assert log.proof(1).index == 1
    assert log.examine().sound


def test_all_faults_of_a_batch_are_told_and_nothing_is_kept(log):
    other = said(1, party="south")
    with pytest.raises(InputError) as caught:
        log.append([said(0), other, Entry(said(2).leaf), Entry(said(3, attached=1).leaf, said(3).salt, said(3).body)])
    assert [fault.feature for fault in caught.value.faults] == ["entry 1", "entry 2", "entry 3"]
    with pytest.raises(InputError, match="nothing to append"):
        log.append([])
    assert log.size == 0


def test_a_body_that_the_leaf_does_not_name_is_refused(log):
    with pytest.raises(IntegrityError):
        log.append([Entry(said(1).leaf, said(2).salt, said(2).body)])
    assert log.size == 0


@pytest.mark.parametrize("index", [-1, 3, 2**63])
def test_an_entry_that_is_not_there_is_refused(log, index):
    log.append([said(number) for number in range(3)])
    for call in (log.proof, log.leaf, log.entry, log.erase_body):
        with pytest.raises(InputError, match="no such entr"):
            call(index)


@pytest.mark.parametrize("size", [-1, 4, 2**63])
def test_a_size_that_the_log_never_had_is_refused(log, size):
    log.append([said(number) for number in range(3)])
    for call in (log.root_at, log.consistency):
        with pytest.raises(InputError):
            call(size)
    with pytest.raises(InputError, match="no checkpoint of that size"):
        log.checkpoint(2)


def test_the_key_must_be_this_logs(store, log):
    other = SigningKey.of_seed(ORIGIN, SignatureKind.ED25519, b"9" * 32)
    for key in (other, OWN_KEY):
        with pytest.raises(InputError, match="not the key of the log"):
            Log(store, ORIGIN, key=key)


@pytest.mark.parametrize("name", ["north/identity", "north/border/mirror", "north/border", "somewhere"])
def test_only_a_key_named_as_a_log_begins_one(store, name):
    with pytest.raises(InputError):
        Log.create(store, SigningKey.of_seed(name, SignatureKind.ED25519, b"1" * 32))
    assert store.logs() == ()


def test_without_its_key_a_log_is_read_and_not_appended_to(store, log):
    log.append([said(1)])
    reader = Log(store, ORIGIN)
    assert reader.leaf(0) == log.leaf(0)
    with pytest.raises(InputError, match="without its key"):
        reader.append([said(2)])


def test_a_second_handle_signs_nothing_over_what_the_first_has_said(store, log, monkeypatch):
    second = Log(store, ORIGIN, key=KEY)
    log.append([said(1)])
    with pytest.raises(StoreError, match="has 1 entries where 0 were expected"):
        second.append([said(2)])
    second.refresh()
    second.append([said(2)])
    assert head_of(second.checkpoint()) == (2, tree([said(1).leaf.raw, said(2).leaf.raw]))


def test_cosignatures_go_with_the_checkpoint_and_its_proofs(log):
    log.append([said(1), said(2)])
    text = Note.of_bytes(log.checkpoint()).text
    signature = cosign(text, MIRROR_KEY, time_s=1_800_000_000)
    assert log.add_cosignatures([signature], [OWN_KEY.verifier]) == ()
    assert log.add_cosignatures([signature], [MIRROR_KEY.verifier]) == ("south/border/mirror",)
    assert signature in Note.of_bytes(log.checkpoint()).signatures
    assert log.proof(0).checkpoint == log.checkpoint()
    log.append([said(3)])
    assert signature not in Note.of_bytes(log.checkpoint()).signatures
    assert signature in Note.of_bytes(log.checkpoint(2)).signatures


def test_a_cosignature_that_does_not_hold_is_not_kept(log):
    log.append([said(1)])
    wrong = cosign(Note.of_bytes(signed([b"other"])).text, MIRROR_KEY, time_s=1)
    with pytest.raises(IntegrityError):
        log.add_cosignatures([wrong], [MIRROR_KEY.verifier])
    assert len(Note.of_bytes(log.checkpoint()).signatures) == 1


def test_a_cosignature_damaged_in_the_store_is_not_given_out(log, store):
    log.append([said(1)])
    good = cosign(Note.of_bytes(log.checkpoint()).text, MIRROR_KEY, time_s=1)
    log.add_cosignatures([good], [MIRROR_KEY.verifier])
    other = cosign(Note.of_bytes(signed([b"other"])).text, MIRROR_KEY, time_s=1)
    store.add_cosignatures(ORIGIN, 1, {MIRROR_KEY.verifier.text: other.line.rstrip("\n")})
    with pytest.raises(DamagedError, match="a cosignature on the checkpoint of 1 entries"):
        log.checkpoint()
    assert not log.examine().sound


def test_after_a_restore_a_peers_checkpoint_of_more_entries_is_not_confirmed(log, store, tmp_path):
    entries = [said(number) for number in range(3)]
    log.append(entries)
    store.close()
    (tmp_path / "record.db-signed").unlink()
    again = SqliteStore(tmp_path / "record.db")
    restored = Log(again, ORIGIN, key=KEY)
    assert restored.restored
    more = signed([entry.leaf.raw for entry in [*entries, said(3)]])
    with pytest.raises(DamagedError, match="4 entries were signed, and the restored file holds 3"):
        restored.confirm(more)
    with pytest.raises(IntegrityError, match="has forked"):
        restored.confirm(signed([said(8).leaf.raw, said(9).leaf.raw]))
    assert len(again.conflicts(ORIGIN)) == 1
    with pytest.raises(StoreError, match="restored"):
        restored.append([said(4)])
    restored.confirm(signed([entry.leaf.raw for entry in entries[:2]]))
    restored.append([said(4)])
    again.close()


@pytest.mark.parametrize("pages", [None, 1, 2, 5, 9])
def test_a_full_database_loses_nothing_and_goes_on_once_there_is_room(log, store, pages):
    log.append([said(number) for number in range(20)])
    connection = store._connection
    used = connection.exec_driver_sql("PRAGMA page_count").scalar()
    connection.exec_driver_sql(f"PRAGMA max_page_count = {used + (pages or 0)}")
    batches = ([said(f"{number} {n}") for n in range(8)] for number in range(1000))
    with pytest.raises(StoreError, match="full"):
        all(map(log.append, batches))
    size, root = head_of(log.checkpoint())
    assert (size, root) == (log.size, log.root)
    connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
    log.append([said("after")])
    assert log.size == size + 1
    assert log.root_at(size) == root
    assert log.examine().sound
