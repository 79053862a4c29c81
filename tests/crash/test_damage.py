"""Bytes of the files are cut off, flipped and swapped: what is given out still verifies, and nothing signed is
contradicted.

What SQLite itself checks of a file is little: a flipped byte of a leaf reads as a leaf. So each damaged file is
opened, and all that can be asked of it is asked; every answer is either the truth or an error that names the damage.
"""

from __future__ import annotations

import random
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from keepclear.errors import IntegrityError, KeepclearError, StoreError
from keepclear.record.cosignatures import cosign
from keepclear.record.merkle import leaf_hash
from keepclear.record.merkle_proofs import verify_inclusion
from keepclear.record.notes import Note
from keepclear.store.log import Log
from keepclear.store.log_store import DamagedError
from keepclear.store.sqlite import SqliteStore
from tests.crash.saying import KEY, MIRROR_KEY, ORIGIN, head_of, opened, said, tree

FILES = ("record.db", "record.db-wal", "record.db-signed")


@dataclass
class Whole:
    """A log's files as they were while it was open, part of it in the write-ahead log, and what was signed of it."""

    folder: Path
    entries: list[bytes]
    signed: dict[int, bytes]

    def copy(self, folder: Path) -> Path:
        folder.mkdir(exist_ok=True)
        for name in FILES:
            shutil.copyfile(self.folder / name, folder / name)
        for name in ("record.db-shm", "record.db-lock"):
            (folder / name).unlink(missing_ok=True)
        return folder / "record.db"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    folder = tmp_path_factory.mktemp("whole")
    path = folder / "record.db"
    store = SqliteStore(path)
    log = Log.create(store, KEY)
    signed = {}
    for count in (1, 200, 60, 20):
        log.append([said(f"{log.size} {n}", attached=n % 50 == 0) for n in range(count)])
        signed[log.size] = log.root
    note = Note.of_bytes(log.checkpoint())
    log.add_cosignatures([cosign(note.text, MIRROR_KEY, time_s=7)], [MIRROR_KEY.verifier])
    log.reread()  # all of this is now in the database itself; what follows stays in the write-ahead log
    for count in (1, 1, 5):
        log.append([said(f"{log.size} {n}") for n in range(count)])
        signed[log.size] = log.root
    files = tmp_path_factory.mktemp("files")
    for name in FILES:
        shutil.copyfile(folder / name, files / name)
    entries = list(log.leaves())
    store.close()
    assert (files / "record.db-wal").stat().st_size > 30_000
    return Whole(files, entries, signed)


def ask_everything(path: Path, whole: Whole) -> str:
    """What became of a damaged file: "refused", "damaged" or "sound"; fails if it says anything untrue."""
    outcome = "sound"
    for key in (None, KEY):
        try:
            store = SqliteStore(path)
        except KeepclearError as error:
            _names(error, path)
            return "refused"
        try:
            log = Log(store, ORIGIN, key=key)
            outcome = _ask(log, whole) if key is None else outcome
            if key is not None:
                _go_on(log, whole)
        except KeepclearError as error:
            _names(error, path)
            outcome = "refused" if key is None else outcome
        finally:
            store.close()
    return outcome


def _names(error: KeepclearError, path: Path) -> None:
    """It is one of ours that is about the file, and says which."""
    assert isinstance(error, (IntegrityError, StoreError)), repr(error)
    assert str(path) in str(error)


def _ask(log: Log, whole: Whole) -> str:
    assert log.size in whole.signed
    assert log.root == whole.signed[log.size] == tree(whole.entries[: log.size])
    bad = set()
    try:
        assert list(log.leaves()) == whole.entries[: log.size]
    except DamagedError:
        bad = {number for number in range(log.size) if not _given_out(log, number, whole.entries[number])}
    for number in range(0, log.size, 13):
        try:
            proof = log.proof(number)
            size, root = head_of(proof.checkpoint)
            assert whole.signed[size] == root
            leaf = leaf_hash(whole.entries[number])
            verify_inclusion(proof.hashes, index=number, size=size, leaf=leaf, root=root)
        except DamagedError:
            pass
        try:
            entry = log.entry(number)
            assert entry.leaf.raw == whole.entries[number]
            entry.check()
        except DamagedError:
            bad.add(number)
    found = log.examine()
    assert not (bad and found.sound), (bad, found)
    safe = {number for first, last in found.safe for number in range(first, last + 1)}
    held = dict(enumerate(log._store.leaves(ORIGIN, 0, log.size))) if not found.sentences else {}
    assert all(held[number] == whole.entries[number] for number in safe & set(held))
    return "sound" if found.sound else "damaged"


def _given_out(log: Log, number: int, entry: bytes) -> bool:
    try:
        assert log.leaf(number) == entry
    except DamagedError:
        return False
    return True


def _go_on(log: Log, whole: Whole) -> None:
    """Opened for signing, it holds all that was signed, and what it signs next continues that."""
    assert log.size == max(whole.signed)
    if log.restored:
        with pytest.raises(StoreError, match="restored"):
            log.append([said("after a restore")])
        return
    try:
        log.append([said("after")])
    except StoreError:
        log.reread()
        return
    except IntegrityError:
        return
    size, root = head_of(log.checkpoint())
    assert (size, root) == (len(whole.entries) + 1, tree([*whole.entries, said("after").leaf.to_bytes()]))


def test_the_whole_files_open_and_are_sound(tmp_path, whole):
    assert ask_everything(whole.copy(tmp_path), whole) == "sound"


@pytest.mark.slow
@pytest.mark.parametrize(("name", "flips"), [("record.db", 220), ("record.db-wal", 80), ("record.db-signed", 20)])
def test_a_flipped_byte_is_never_given_out(tmp_path, whole, name, flips):
    chance = random.Random(name)
    size = (whole.folder / name).stat().st_size
    first = list(range(0, 100, 5)) if name != "record.db-signed" else []  # headers, which SQLite reads before all else
    places = first + [chance.randrange(size) for _ in range(flips - len(first))]
    outcomes = []
    for place in places:
        path = whole.copy(tmp_path)
        data = bytearray((tmp_path / name).read_bytes())
        data[place] ^= chance.choice((0x01, 0x10, 0x80, 0xFF))
        (tmp_path / name).write_bytes(data)
        outcomes.append(ask_everything(path, whole))
    if name == "record.db":
        assert {"refused", "damaged", "sound"} == set(outcomes)


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_a_file_that_was_cut_short_is_never_taken_for_whole(tmp_path, whole, name):
    size = (whole.folder / name).stat().st_size
    chance = random.Random(name)
    lengths = {0, 1, 100, 511, 512, size - 1, size // 2, *range(0, size, 4096), *range(32, size, 4120)}
    lengths |= {chance.randrange(size) for _ in range(15)}
    outcomes = []
    for length in sorted(chance.sample(sorted(lengths), min(45, len(lengths)))):
        path = whole.copy(tmp_path)
        with (tmp_path / name).open("r+b") as file:
            file.truncate(length)
        outcomes.append(ask_everything(path, whole))
    # What was cut off may stand in the write-ahead log too; and marks and that log are read as far as they go.
    assert name != "record.db" or outcomes.count("refused") > 0.8 * len(outcomes)


@pytest.mark.slow
def test_a_page_of_zeroes_or_of_another_place_is_found(tmp_path, whole):
    size = (whole.folder / "record.db").stat().st_size
    outcomes = []
    for place in range(4096, size, 8192):
        for other in (None, (place * 7) % size // 4096 * 4096):
            path = whole.copy(tmp_path)
            data = bytearray(path.read_bytes())
            data[place : place + 4096] = bytes(4096) if other is None else data[other : other + 4096]
            path.write_bytes(data)
            outcomes.append(ask_everything(path, whole))
    assert outcomes.count("sound") < len(outcomes) / 2


def test_an_older_copy_put_back_signs_nothing(tmp_path, whole):
    path = whole.copy(tmp_path)
    (tmp_path / "record.db-wal").unlink()
    with pytest.raises(
        DamagedError, match=r"288 entries were signed, and only 281 are here.*Safe are entries 0 to 280"
    ):
        opened(path)
    store = SqliteStore(path)
    assert Log(store, ORIGIN).size == 281  # it may be read
    store.close()


def test_a_copy_without_its_marks_signs_nothing_before_a_peer_has_shown_its_checkpoint(tmp_path, whole):
    path = whole.copy(tmp_path)
    (tmp_path / "record.db-signed").unlink()
    log = opened(path)
    newest = log.checkpoint()
    with pytest.raises(StoreError, match="restored from a copy"):
        log.append([said("too early")])
    log.confirm(newest)
    log.append([said("after")])
    assert log.size == 289
    log._store.close()
    assert not opened(path).restored


def test_a_damaged_leaf_is_named_and_the_others_are_given_out(tmp_path, whole):
    path = whole.copy(tmp_path)
    data = path.read_bytes()
    place = data.index(whole.entries[77]) + 30
    path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
    log = opened(path)
    with pytest.raises(DamagedError, match="entry 77 of north/border/log is damaged"):
        log.leaf(77)
    with pytest.raises(DamagedError, match="entry 77 of north/border/log is damaged"):
        log.proof(77)
    with pytest.raises(DamagedError, match="entry 77 of north/border/log is damaged"):
        list(log.leaves(0, 100))
    assert log.leaf(76) == whole.entries[76]
    assert log.proof(78).index == 78
    found = log.examine()
    assert found.damaged == ((77, 77),)
    assert found.safe == ((0, 76), (78, 287))
    assert "entry 77: damaged" in found.text
    assert "Safe entries: 0–76, 78–287" in found.text
    log._store.close()


def test_damage_at_the_end_is_refused_and_says_what_is_safe(tmp_path, whole):
    path = whole.copy(tmp_path)
    wal = tmp_path / "record.db-wal"
    # The log is written anew from the files as they are, so that its last leaf is in the database and not in frames
    # with sums.
    log = opened(path)
    log._store.close()
    assert not wal.exists()
    data = path.read_bytes()
    place = data.index(whole.entries[287]) + 30
    path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
    with pytest.raises(DamagedError, match=r"entry 287 .* is damaged.*Safe entries: 0–286"):
        opened(path)
