"""What every store of logs does. A backend joins by a line in `backend`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from keepclear.errors import KeepclearError, StoreError
from keepclear.store.log_store import (
    BodyState,
    Conflict,
    DamagedError,
    GapError,
    GrownElsewhereError,
    Growth,
    LogStore,
    Mark,
    SignedHead,
    StoredAttachment,
    StoredBody,
    StoredLog,
    StoredPiece,
)
from keepclear.store.postgres import PostgresStore
from keepclear.store.sqlite import SqliteStore
from tests.postgres import Server

A, B = "north/border/log", "south/border/log"


def head(size: int, mark: bytes = b"r") -> SignedHead:
    return SignedHead(size, mark * 32, b"note of %d" % size)


def hashes(first: int, count: int) -> bytes:
    return b"".join(number.to_bytes(32, "big") for number in range(first, first + count))


@pytest.fixture(params=["postgres", "sqlite"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], LogStore]:
    """Opens a store in the same place each time it is called."""
    if request.param == "sqlite":
        return lambda: SqliteStore(tmp_path / "record.db")
    server: Server = request.getfixturevalue("postgres")
    url = server.url(server.new_schema())
    return lambda: PostgresStore(url, marks=tmp_path / "record-signed")


@pytest.fixture
def reopen(backend: Callable[[], LogStore]) -> Iterator[Callable[[], LogStore]]:
    """Opens the store anew each time it is called, the one before closed."""
    opened: list[LogStore] = []

    def again() -> LogStore:
        for store in opened:
            store.close()
        opened.append(backend())
        return opened[-1]

    yield again
    for store in opened:
        store.close()


@pytest.fixture
def store(reopen: Callable[[], LogStore]) -> LogStore:
    store = reopen()
    store.create(A, key="key of a", own=True, head=head(0))
    store.create(B, key="key of b", own=False)
    return store


def grow(store: LogStore, origin: str, at: int, count: int, **more: object) -> SignedHead:
    leaves = [b"leaf %d" % number for number in range(at, at + count)]
    tiles = {(0, 0): (at, hashes(at, count))}
    return store.append(origin, [Growth(leaves, tiles, **more)], at=at, seal=lambda: head(at + count))


def test_logs_are_there_after_reopening(store, reopen):
    expected = (StoredLog(A, "key of a", own=True), StoredLog(B, "key of b", own=False))
    assert store.logs() == expected
    assert reopen().logs() == expected


def test_a_log_is_begun_once(store):
    with pytest.raises(StoreError, match="already holds the log"):
        store.create(A, key="another", own=False)
    assert store.logs()[0].key == "key of a"


def test_a_log_begins_with_no_entries(store):
    with pytest.raises(StoreError, match="begins with size 0"):
        store.create("c/d/log", key="k", own=True, head=head(1))
    assert len(store.logs()) == 2


def test_a_log_that_is_not_there_is_refused_by_every_method(store):
    calls = [
        lambda: store.head("x"),
        lambda: store.end("x"),
        lambda: store.leaves("x", 0, 1),
        lambda: store.tiles("x", [(0, 0)]),
        lambda: store.checkpoint("x", 0),
        lambda: store.checkpoints("x"),
        lambda: store.cosignatures("x", 0),
        lambda: store.body("x", 0),
        lambda: store.attachments("x", 0),
        lambda: store.wanted("x", before=1),
        lambda: store.conflicts("x"),
        lambda: grow(store, "x", 0, 1),
        lambda: store.add_cosignatures("x", 0, {"k": "l"}),
        lambda: store.erase_body("x", 0),
    ]
    for call in calls:
        with pytest.raises(StoreError, match="holds no log x"):
            call()


def test_what_was_appended_is_there_after_reopening(store, reopen):
    assert grow(store, A, 0, 3) == head(3)
    assert grow(store, A, 3, 2) == head(5)
    for again in (lambda: store, reopen):
        at = again()
        assert at.head(A) == head(5)
        assert at.end(A) == 5
        assert at.leaves(A, 1, 7) == [b"leaf 1", b"leaf 2", b"leaf 3", b"leaf 4", None, None]
        assert at.tiles(A, [(0, 0), (1, 0)]) == [hashes(0, 5), None]
        assert at.checkpoints(A) == (head(5), head(3), head(0))
        assert at.checkpoints(A, before=5, limit=1) == (head(3),)
        assert at.checkpoint(A, 3) == head(3)
        assert at.checkpoint(A, 4) is None
        assert at.head(B) is None
        assert at.end(B) == 0


def test_tiles_come_in_the_order_asked_for_and_no_others(store):
    tiles = {(level, number): (0, hashes(level * 10 + number, 1)) for level in range(3) for number in range(4)}
    store.append(A, [Growth([b"leaf"], tiles)], at=0, seal=lambda: head(1))
    wanted = [(2, 3), (0, 1), (1, 0), (9, 9), (0, 3)]
    assert store.tiles(A, wanted) == [hashes(23, 1), hashes(1, 1), hashes(10, 1), None, hashes(3, 1)]
    assert store.tiles(A, []) == []
    assert store.tiles(B, [(0, 1)]) == [None]


def test_parts_become_one_checkpoint_and_the_seal_is_asked_last(store):
    asked = []

    def parts() -> Iterator[Growth]:
        for number in range(3):
            asked.append(number)
            yield Growth([b"leaf %d" % number], {(0, 0): (number, hashes(number, 1))})

    def seal() -> SignedHead:
        asked.append("seal")
        return head(3)

    store.append(B, parts(), at=0, seal=seal)
    assert asked == [0, 1, 2, "seal"]
    assert store.checkpoints(B) == (head(3),)
    assert store.tiles(B, [(0, 0)]) == [hashes(0, 3)]


def test_nothing_is_kept_when_a_part_or_the_seal_raises(store):
    grow(store, A, 0, 2)

    def parts() -> Iterator[Growth]:
        yield Growth([b"new"], {(0, 0): (2, hashes(2, 1))}, [StoredBody(2, BodyState.HELD, b"s", b"b")])
        raise ZeroDivisionError

    def seal() -> SignedHead:
        raise ZeroDivisionError

    for more, last in ((parts(), lambda: head(3)), ([Growth([b"new"], {})], seal)):
        with pytest.raises(ZeroDivisionError):
            store.append(A, more, at=2, seal=last)
        assert store.head(A) == head(2)
        assert store.leaves(A, 2, 3) == [None]
        assert store.tiles(A, [(0, 0)]) == [hashes(0, 2)]
        assert store.body(A, 2) is None
        assert store.mark(A) == Mark(2, b"r" * 32)
    grow(store, A, 2, 1)


@pytest.mark.parametrize("at", [0, 1, 3])
def test_an_append_at_another_size_is_not_signed_and_not_written(store, at):
    grow(store, A, 0, 2)
    signed = []
    with pytest.raises(StoreError, match="has 2 entries where"):
        store.append(A, [Growth([b"new"], {})], at=at, seal=lambda: signed.append(1) or head(at + 1))
    assert not signed
    assert store.head(A) == head(2)


@pytest.mark.parametrize("size", [0, 1, 2, 4])
def test_a_checkpoint_of_another_size_than_the_entries_is_refused(store, size):
    grow(store, A, 0, 2)
    with pytest.raises(StoreError, match="a checkpoint of size"):
        store.append(A, [Growth([b"new"], {})], at=2, seal=lambda: head(size))
    assert store.end(A) == 2


def test_a_second_checkpoint_of_one_size_is_refused(store):
    grow(store, A, 0, 2)
    with pytest.raises(StoreError):
        store.append(A, [], at=2, seal=lambda: head(2, b"x"))
    assert store.head(A) == head(2)


def test_a_tile_that_is_not_as_wide_as_it_should_be_is_damage(store):
    grow(store, A, 0, 2)
    for offset in (1, 3):
        with pytest.raises(DamagedError, match="does not hold the"):
            store.append(A, [Growth([b"new"], {(0, 0): (offset, hashes(2, 1))})], at=2, seal=lambda: head(3))
    with pytest.raises(KeepclearError):
        store.append(A, [Growth([b"new"], {(0, 0): (0, hashes(2, 1))})], at=2, seal=lambda: head(3))
    assert store.end(A) == 2


def test_a_tile_is_at_most_256_hashes_wide(store):
    grow(store, A, 0, 256)
    with pytest.raises(StoreError):
        grow(store, A, 256, 1)
    assert store.end(A) == 256


def test_bytes_of_every_value_come_back(store, reopen):
    data = bytes(range(256)) * 250
    store.append(A, [Growth([data, b"", b"\0"], {(0, 0): (0, data[:96])})], at=0, seal=lambda: head(3))
    store.put_body(A, StoredBody(0, BodyState.HELD, data[:32], data), [StoredAttachment(0, 0, data, data)])
    again = reopen()
    assert again.leaves(A, 0, 3) == [data, b"", b"\0"]
    assert again.tiles(A, [(0, 0)]) == [data[:96]]
    assert again.body(A, 0) == StoredBody(0, BodyState.HELD, data[:32], data)
    assert again.attachments(A, 0) == (StoredAttachment(0, 0, data, data),)


def test_cosignatures_are_kept_by_key_and_the_newer_takes_the_older_place(store, reopen):
    grow(store, A, 0, 1)
    store.add_cosignatures(A, 1, {"key b": "line b", "key a": "line a"})
    store.add_cosignatures(A, 1, {"key b": "newer b"})
    assert reopen().cosignatures(A, 1) == (("key a", "line a"), ("key b", "newer b"))


def test_cosignatures_of_a_checkpoint_that_was_not_signed_are_refused(store):
    with pytest.raises(StoreError, match="no checkpoint of size 5"):
        store.add_cosignatures(A, 5, {"k": "l"})
    assert store.cosignatures(A, 5) == ()


def test_bodies_are_wanted_held_refused_and_erased(store, reopen):
    grow(store, B, 0, 4, bodies=[StoredBody(number, BodyState.WANTED) for number in (0, 1, 3)])
    assert store.wanted(B, before=4) == (0, 1, 3)
    assert store.wanted(B, before=3) == (0, 1)
    assert store.wanted(B, before=4, limit=1) == (0,)
    store.put_body(B, StoredBody(0, BodyState.HELD, b"salt", b"body"), [StoredAttachment(0, 1, b"s", b"file")])
    store.put_body(B, StoredBody(1, BodyState.REFUSED, refusal=17))
    assert store.wanted(B, before=4) == (3,)
    store.erase_body(B, 0)
    again = reopen()
    assert again.body(B, 0) == StoredBody(0, BodyState.ERASED)
    assert again.attachments(B, 0) == ()
    assert again.body(B, 1) == StoredBody(1, BodyState.REFUSED, refusal=17)
    assert again.body(B, 2) is None
    assert [body.number for body in again.bodies(B, 1, 4)] == [1, 3]


def test_of_which_entries_a_body_is_known_is_told_without_reading_any(store):
    bodies = [
        StoredBody(1, BodyState.WANTED),
        StoredBody(2, BodyState.HELD, b"s", b"b"),
        StoredBody(4, BodyState.ERASED),
    ]
    grow(store, B, 0, 6, bodies=bodies)
    assert store.body_numbers(B, 0, 6) == (1, 2, 4)
    assert store.body_numbers(B, 2, 4) == (2,)
    assert store.body_numbers(B, 5, 6) == ()
    assert store.body_lengths(B, 0, 6) == ((2, 1),)
    assert store.body_lengths(B, 3, 6) == ()
    store.put_body(B, StoredBody(5, BodyState.HELD, b"s", b"\0" * 70_000))
    assert store.body_lengths(B, 2, 6) == ((2, 1), (5, 70_000))


def test_a_body_of_an_entry_that_is_not_there_is_refused(store):
    with pytest.raises(StoreError):
        store.put_body(A, StoredBody(5, BodyState.HELD, b"s", b"b"))
    assert store.body(A, 5) is None


def test_settings_are_kept_and_replaced(store, reopen):
    assert store.setting("name") is None
    store.put_setting("name", b"\0one")
    store.put_setting("name", b"\0two")
    assert reopen().setting("name") == b"\0two"


def test_conflicts_are_kept_once_and_in_order(store, reopen):
    first, second = Conflict(b"a", b"b", "why", b"proof"), Conflict(b"a", b"c", "why else")
    for conflict in (first, second, first):
        store.add_conflict(A, conflict)
    assert reopen().conflicts(A) == (first, second)
    assert reopen().conflicts(B) == ()


def test_the_mark_moves_forward_only(store, reopen):
    assert store.mark("nobody") is None
    grow(store, A, 0, 3)
    assert store.mark(A) == Mark(3, b"r" * 32)
    store.put_mark(A, Mark(2, b"x" * 32))
    store.put_mark(A, Mark(3, b"x" * 32))
    assert store.mark(A) == Mark(3, b"r" * 32)
    store.put_mark(A, Mark(9, b"x" * 32))
    assert reopen().mark(A) == Mark(9, b"x" * 32)


def test_rereading_counts_and_finds_the_same(store):
    grow(store, A, 0, 3)
    before = store.generation
    store.reread()
    assert store.generation == before + 1
    assert store.head(A) == head(3)
    grow(store, A, 3, 1)


def test_a_closed_store_refuses_everything_and_closes_twice(store):
    store.close()
    store.close()
    with pytest.raises(StoreError):
        store.head(A)
    with pytest.raises(StoreError):
        grow(store, A, 0, 1)
    with pytest.raises(StoreError):
        store.reread()


def test_a_sound_store_has_no_faults(store):
    grow(store, A, 0, 3)
    assert store.faults() == ()


# --- what is not whole yet -----------------------------------------------------------------------------------------


def test_pending_checkpoints_are_kept_in_order_and_the_smallest_go(store, reopen):
    for size, after in ((0, None), (4, 0), (9, 4), (12, 9)):
        store.put_pending(B, head(size), after=after, keep=3)
    assert reopen().pending(B) == (head(4), head(9), head(12))
    assert reopen().pending(A) == ()


@pytest.mark.parametrize(("size", "after"), [(9, None), (9, 0), (9, 5), (4, 4), (3, 4)])
def test_a_pending_checkpoint_that_does_not_follow_is_refused(store, size, after):
    store.put_pending(B, head(4), after=None, keep=3)
    with pytest.raises(GrownElsewhereError, match="the newest checkpoint taken is of 4"):
        store.put_pending(B, head(size), after=after, keep=3)
    assert store.pending(B) == (head(4),)


def test_a_pending_checkpoint_follows_the_logs_own(store):
    grow(store, B, 0, 5)
    with pytest.raises(GrownElsewhereError):
        store.put_pending(B, head(9), after=None, keep=3)
    store.put_pending(B, head(9), after=5, keep=3)
    assert store.pending(B) == (head(9),)


def test_leaves_come_once_and_without_gaps(store, reopen):
    assert store.next_entry(B) == 0
    assert store.put_coming(B, 0, [b"0", b"1", b"2"]) == 3
    assert store.put_coming(B, 1, [b"x", b"y", b"3"]) == 4
    assert store.put_coming(B, 0, [b"x"]) == 4
    with pytest.raises(GapError, match="would leave a gap"):
        store.put_coming(B, 5, [b"5"])
    again = reopen()
    assert again.next_entry(B) == 4
    assert again.coming(B, 0, 9) == [b"0", b"1", b"2", b"3"]
    assert again.coming(B, 1, 3) == [b"1", b"2"]
    again.drop_coming(B, since=2)
    assert (again.next_entry(B), again.coming(B, 0, 9), again.coming(B, 2, 9)) == (2, [b"0", b"1"], [])
    assert again.end(B) == 0


def test_leaves_that_come_follow_those_of_the_log(store):
    grow(store, B, 0, 3)
    assert store.next_entry(B) == 3
    assert store.put_coming(B, 2, [b"x", b"3"]) == 4
    assert store.coming(B, 3, 9) == [b"3"]


def test_what_was_pending_goes_when_it_is_settled(store):
    for size, after in ((2, None), (5, 2), (9, 5)):
        store.put_pending(B, head(size), after=after, keep=9)
    store.put_coming(B, 0, [b"%d" % n for n in range(7)])
    store.append(B, _from_store(store), at=0, seal=lambda: head(5))
    store.settle_pending(B, 5)
    assert store.pending(B) == (head(9),)
    assert (store.coming(B, 5, 9), store.coming(B, 0, 5)) == ([b"5", b"6"], [])
    assert store.leaves(B, 0, 5) == [b"0", b"1", b"2", b"3", b"4"]
    store.drop_pending(B)
    assert (store.pending(B), store.next_entry(B)) == ((), 5)


def _from_store(store: LogStore) -> Iterator[Growth]:
    """Parts that are read from the store while they are being appended to it."""
    for number in range(5):
        yield Growth(store.coming(B, number, number + 1), {(0, 0): (number, hashes(number, 1))})


def test_pieces_are_kept_until_the_body_is_there(store, reopen):
    grow(store, B, 0, 3, bodies=[StoredBody(number, BodyState.WANTED) for number in range(3)])
    first, second = StoredPiece(1, 0, 0, 5, b"s", b"abc"), StoredPiece(1, 0, 3, 5, b"s", b"de")
    other = StoredPiece(1, 1, 0, 9, b"t", b"")
    for piece in (second, first, other, StoredPiece(2, 0, 0, 1, b"u", b"x"), first):
        store.put_piece(B, piece)
    again = reopen()
    assert again.pieces(B, 1) == (first, second, other)
    assert again.piece_ends(B) == ((1, 0, 5, 5), (1, 1, 0, 9), (2, 0, 1, 1))
    again.drop_pieces(B, 1, part=1)
    assert again.pieces(B, 1) == (first, second)
    again.put_bodies(B, [StoredBody(1, BodyState.HELD, b"s", b"b"), StoredBody(0, BodyState.HELD, b"s", b"c")])
    assert (again.pieces(B, 1), again.wanted(B, before=3)) == ((), (2,))
    assert [one.data for one in again.pieces(B, 2)] == [b"x"]
    assert again.wanted(B, before=3, since=3) == ()
    again.erase_body(B, 2)
    assert again.piece_ends(B) == ()


def test_the_last_checkpoint_that_a_key_cosigned(store):
    grow(store, A, 0, 2)
    grow(store, A, 2, 2)
    assert store.last_cosigned(A, "k") is None
    store.add_cosignatures(A, 4, {"k": "line"})
    store.add_cosignatures(A, 2, {"k": "line", "l": "line"})
    assert (store.last_cosigned(A, "k"), store.last_cosigned(A, "l"), store.last_cosigned(B, "k")) == (4, 2, None)
