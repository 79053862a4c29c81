from __future__ import annotations

import shutil

import pytest

from keepclear.errors import InputError, IntegrityError, PeerError, StoreError
from keepclear.record.merkle import leaf_hash, packed_root
from keepclear.record.tiles import Tile, decode_bundle
from keepclear.store.log import Log
from keepclear.store.mirror import Mirror
from keepclear.store.sqlite import SqliteStore
from keepclear.store.tile_directory import TileDirectory, export_log, import_log
from tests.crash.saying import KEY, OWN_KEY, said, signed


@pytest.fixture
def log(tmp_path):
    store = SqliteStore(tmp_path / "north.db")
    log = Log.create(store, KEY)
    log.append([said(number) for number in range(300)])
    yield log
    store.close()


@pytest.fixture
def mirror(tmp_path):
    store = SqliteStore(tmp_path / "south.db")
    yield Mirror.create(store, KEY.verifier, party="south")
    store.close()


def files(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_what_is_published_is_what_the_specification_names(log, tmp_path):
    out = tmp_path / "out"
    assert export_log(log, out) == 6
    assert files(out) == {
        "checkpoint",
        "tile/0/000",
        "tile/0/001.p/44",
        "tile/1/000.p/1",
        "tile/entries/000",
        "tile/entries/001.p/44",
    }
    assert (out / "checkpoint").read_bytes() == log.checkpoint()
    full = (out / "tile/0/000").read_bytes()
    assert (out / "tile/1/000.p/1").read_bytes() == packed_root(full)
    leaves = decode_bundle((out / "tile/entries/000").read_bytes(), width=256)
    assert leaves == list(log.leaves(0, 256))
    assert b"".join(map(leaf_hash, leaves)) == full == log.tile(Tile(0, 0))


def test_only_what_is_new_is_written(log, tmp_path):
    out = tmp_path / "out"
    export_log(log, out)
    before = (out / "tile/0/000").stat().st_mtime_ns
    log.append([said("more"), said("again")])
    assert export_log(log, out) == 3
    assert {"tile/0/001.p/46", "tile/entries/001.p/46"} <= files(out)
    assert (out / "tile/0/000").stat().st_mtime_ns == before
    assert export_log(log, out) == 1  # the checkpoint alone, which may have more cosignatures


def test_an_export_that_was_cut_off_leaves_the_older_log_whole(log, tmp_path, monkeypatch):
    out = tmp_path / "out"
    export_log(log, out)
    older = log.checkpoint()
    log.append([said(f"more {number}") for number in range(300)])
    from keepclear.store import tile_directory

    real, left = tile_directory.write_whole, [3]

    def failing(*args, **more):
        left[0] -= 1
        if left[0] < 0:
            raise OSError(28, "No space left on device")
        real(*args, **more)

    monkeypatch.setattr(tile_directory, "write_whole", failing)
    with pytest.raises(StoreError, match="No space left"):
        export_log(log, out)
    assert (out / "checkpoint").read_bytes() == older
    assert list(TileDirectory(out).leaves(0, 300)) == list(log.leaves(0, 300))
    monkeypatch.undo()
    export_log(log, out)
    assert list(TileDirectory(out).leaves(0, 600)) == list(log.leaves())


def test_a_folder_comes_back_as_a_mirror_step_by_step(log, mirror, tmp_path):
    out = tmp_path / "out"
    for many in (0, 10, 250, 1):
        if many:
            log.append([said(f"{many} {number}") for number in range(many)])
        export_log(log, out)
        head = import_log(mirror, out)
        assert (head.size, head.root) == (log.size, log.root)
    assert list(mirror.leaves()) == list(log.leaves())
    assert import_log(mirror, out).size == log.size


def test_full_bundles_do_where_partial_ones_are_gone(log, mirror, tmp_path):
    out = tmp_path / "out"
    export_log(log, out)
    older = (out / "checkpoint").read_bytes()
    log.append([said(f"more {number}") for number in range(300)])
    export_log(log, out)
    for partial in (out / "tile").rglob("*.p"):
        shutil.rmtree(partial)
    (out / "checkpoint").write_bytes(older)
    assert import_log(mirror, out).size == 300


@pytest.mark.parametrize("damage", ["missing", "flipped", "cut", "longer"])
def test_a_damaged_folder_is_refused_and_nothing_is_kept(log, mirror, tmp_path, damage):
    out = tmp_path / "out"
    export_log(log, out)
    path = out / "tile/entries/001.p/44"
    data = bytearray(path.read_bytes())
    if damage == "missing":
        path.unlink()
    else:
        data[100] ^= 1
        path.write_bytes({"flipped": data, "cut": data[:-1], "longer": data + b"\0"}[damage])
    with pytest.raises((PeerError, IntegrityError)):
        import_log(mirror, out)
    assert mirror.head is None


def test_a_folder_of_something_else_is_not_written_to(log, tmp_path):
    out = tmp_path / "out"
    for checkpoint, error, match in (
        (b"not a note", InputError, "something else"),
        (signed([b"x"], OWN_KEY), InputError, "something else"),
        (signed([said(number).leaf.raw for number in range(301)]), InputError, "301 entries"),
        (signed([b"another history"]), IntegrityError, "contradicts"),
    ):
        out.mkdir(exist_ok=True)
        (out / "checkpoint").write_bytes(checkpoint)
        with pytest.raises(error, match=match):
            export_log(log, out)
        assert files(out) == {"checkpoint"}
        assert (out / "checkpoint").read_bytes() == checkpoint


def test_a_folder_without_a_checkpoint_is_refused(mirror, tmp_path):
    with pytest.raises(InputError, match="there is no checkpoint"):
        import_log(mirror, tmp_path)


@pytest.mark.parametrize("path", ["../secret", "/etc/passwd", "checkpoint", "tile/0/../0/000", "tile/0/000.p/256"])
def test_no_other_path_is_read(tmp_path, path):
    with pytest.raises(PeerError):
        TileDirectory(tmp_path).fetch(path)
