"""Backups: whole, made while the node works, sealed, and trusted in nothing when they are opened."""

from __future__ import annotations

import io
import json
import sqlite3
import tarfile
import threading
from pathlib import Path

import pytest

from keepclear.errors import InputError, StoreError
from keepclear.node.actors import OPERATOR
from keepclear.node.backup import MANIFEST, back_up
from keepclear.node.backup_opening import restore
from keepclear.node.backup_sealing import Opener, Sealer
from keepclear.node.folder import NodeFolder
from keepclear.node.settings import write_settings
from keepclear.store.node.channels import KeptChannel, channels_of, put_channel
from tests.unit.node.lines_made import MadeNode
from tests.unit.node.records_made import said

LINE = "north"
WORDS = "a passphrase of some words"
SECRET = b"the secret of the webhook 4711"


@pytest.fixture
def node(tmp_path):
    made = MadeNode(tmp_path / "node", "RU")
    made.lines.new(LINE, line=LINE, by=OPERATOR)
    made.records.say(LINE, [said("one"), said("two")])
    with made.database.writing() as conn:
        put_channel(conn, KeptChannel("hook", "webhook", {"url": "https://example.org"}, SECRET, 1))
    yield made
    made.close()


def _made(node, path, **options):
    return back_up(node.folder, path, at_s=1.8e9, **{"passphrase": WORDS, **options})


def _restored(file, folder, passphrase=WORDS):
    return restore(file, folder, passphrase=lambda: passphrase)


def test_what_is_restored_is_the_node_with_its_keys_and_says_nothing(node, tmp_path):
    made = _made(node, tmp_path / "backup")
    assert {"record.db", "node.db", "settings.toml", "keys/identity.key", f"keys/{LINE}.log.key"} <= set(made.members)
    told = _restored(tmp_path / "backup", tmp_path / "again")
    assert (told.party, told.has_keys) == ("RU", True)
    folder = NodeFolder(tmp_path / "again")
    assert folder.identity == node.folder.identity
    assert folder.settings == node.folder.settings
    assert {path.stat().st_mode & 0o077 for path in folder.path.rglob("*")} == {0}
    store, database = folder.open_records(), folder.open_database()
    try:
        from keepclear.node.bell import Bell
        from keepclear.node.records import Records

        records = Records(folder, store, Bell(), node.clock)
        origin = records.own_origin(LINE)
        assert records.size(origin) == node.records.size(origin)
        assert records.checkpoint(origin) == node.records.checkpoint(origin)
        assert records.restored(LINE)
        with pytest.raises(InputError, match="put back from a copy"):
            records.say(LINE, [said("three")])
        with database.reading() as conn:
            assert channels_of(conn)[0].secret == SECRET
    finally:
        database.close()
        store.close()


def test_it_is_whole_whatever_is_said_meanwhile(node, tmp_path):
    over = threading.Event()

    def speak():
        while not over.is_set():
            node.records.say(LINE, [said("again")])

    thread = threading.Thread(target=speak)
    thread.start()
    try:
        for number in range(3):
            _made(node, tmp_path / f"b{number}", passphrase=None, with_keys=False)
            _restored(tmp_path / f"b{number}", tmp_path / f"r{number}")
    finally:
        over.set()
        thread.join()
    for number in range(3):
        database = sqlite3.connect(tmp_path / f"r{number}" / "record.db")
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        database.close()


def test_without_keys_there_is_no_secret_in_it(node, tmp_path):
    made = _made(node, tmp_path / "backup", passphrase=None, with_keys=False)
    data = (tmp_path / "backup").read_bytes()
    assert "keys/identity.vkey" in made.members
    assert not any(name.endswith(".key") for name in made.members)
    assert SECRET not in data
    for key in (node.folder.path / "keys").glob("*.key"):
        assert key.read_bytes().split(b"seed ")[1].strip() not in data
    assert SECRET in (node.folder.path / "node.db").read_bytes() + (node.folder.path / "node.db-wal").read_bytes()
    _restored(tmp_path / "backup", tmp_path / "again")


def test_a_sealed_one_shows_nothing_and_opens_with_its_passphrase_alone(node, tmp_path):
    _made(node, tmp_path / "backup")
    data = (tmp_path / "backup").read_bytes()
    for shown in (b"SQLite", b"manifest", b"settings", b"identity", SECRET):
        assert shown not in data[200:]
    with pytest.raises(InputError, match="passphrase is wrong"):
        _restored(tmp_path / "backup", tmp_path / "again", "another")
    assert not (tmp_path / "again").exists()
    assert not list(tmp_path.glob(".again*"))


@pytest.mark.parametrize("sealed", [True, False])
def test_one_that_was_cut_off_or_changed_is_refused_and_leaves_nothing(node, tmp_path, sealed):
    _made(node, tmp_path / "backup", **({} if sealed else {"passphrase": None, "with_keys": False}))
    data = (tmp_path / "backup").read_bytes()
    head = data.index(b"\n", data.index(b"\n") + 1) + 1
    middle = len(data) // 2
    wrong = [
        data[:at] for at in (0, 5, head - 1, head, head + 65_552, middle, len(data) - 20_000 if not sealed else -1)
    ]
    wrong += [data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :] for at in (3, 25, head + 300, middle)]
    wrong += [data + b"x"] if sealed else [data + b"x" * 20_000]
    if sealed:  # two pieces in each other's place
        one, two = data[head : head + 65_552], data[head + 65_552 : head + 2 * 65_552]
        wrong.append(data[:head] + two + one + data[head + 2 * 65_552 :])
    for number, one in enumerate(wrong):
        (tmp_path / "wrong").write_bytes(one)
        with pytest.raises((InputError, StoreError)):
            _restored(tmp_path / "wrong", tmp_path / f"again{number}")
        assert not (tmp_path / f"again{number}").exists()


WHOSE = (tarfile.TarInfo("keys/identity.vkey"), b"RU")
MANIFEST_OF = {"format": "keepclear backup", "version": 1, "party": "RU", "made": "", "has_keys": False}


def _said(*more):
    return {**MANIFEST_OF, "members": [{"name": WHOSE[0].name, "size": 2, "sha256": _sha(b"RU")}, *more]}


def _tar(path, members, manifest=...):
    members = [WHOSE, *members]
    told = manifest if manifest is not ... else {
        "format": "keepclear backup", "version": 1, "party": "RU", "made": "", "has_keys": False,
        "members": [{"name": info.name, "size": len(data), "sha256": _sha(data)} for info, data in members],
    }  # fmt: skip
    with path.open("wb") as out:
        sealer = Sealer(out, None)
        with tarfile.open(fileobj=sealer, mode="w|") as tar:
            text = json.dumps(told).encode()
            info = tarfile.TarInfo(MANIFEST)
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text))
            for info, data in members:
                info.size = len(data) if info.isreg() else 0
                tar.addfile(info, io.BytesIO(data))
        sealer.finish()


def _sha(data):
    import hashlib

    return hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize(
    "name",
    [
        "../evil",
        "/tmp/evil",
        "keys/../../evil",
        "keys/.hidden",
        "keys/a/b",
        "run/lock",
        "x",
        "keys/",
        "record.db-signed",
    ],
)
def test_a_name_that_has_no_place_in_a_folder_is_refused(tmp_path, name):
    _tar(tmp_path / "backup", [(tarfile.TarInfo(name), b"evil")])
    with pytest.raises(InputError):
        _restored(tmp_path / "backup", tmp_path / "deep" / "again")
    assert not (tmp_path / "evil").exists()
    assert not (tmp_path / "deep" / "again").exists()


def test_links_and_what_the_manifest_does_not_say_are_refused(tmp_path):
    link = tarfile.TarInfo("keys/link")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    _tar(tmp_path / "link", [(link, b"")])
    first, second = tarfile.TarInfo("record.db"), tarfile.TarInfo("record.db")
    _tar(tmp_path / "twice", [(first, b"one"), (second, b"one")])
    _tar(tmp_path / "more", [(tarfile.TarInfo("record.db"), b"x")], _said())
    _tar(tmp_path / "less", [], _said({"name": "node.db", "size": 0, "sha256": _sha(b"")}))
    _tar(tmp_path / "huge", [], _said({"name": "node.db", "size": 2**60, "sha256": ""}))
    longer = _said({"name": "node.db", "size": 1, "sha256": _sha(b"x")})
    _tar(tmp_path / "longer", [(tarfile.TarInfo("node.db"), b"x" * 5_000_000)], longer)
    whose = _said()["members"]
    nobodys = {**_said(), "members": [], "x": 1}
    for number, wrong in enumerate(
        (
            {},
            [],
            None,
            {**_said(), "version": 2},
            {**_said(), "members": 3},
            nobodys,
            {**_said(), "members": whose * 2},
            {**_said(), "party": whose, "members": [1]},
        )
    ):
        _tar(tmp_path / f"m{number}", [], wrong)
    _tar(tmp_path / "fine", [])
    _restored(tmp_path / "fine", tmp_path / "restored")
    (tmp_path / "fine").unlink()
    (tmp_path / "restored").rename(tmp_path.parent / f"{tmp_path.name}-restored")
    for file in list(tmp_path.iterdir()):
        with pytest.raises(InputError):
            _restored(file, tmp_path / "again")
        assert not (tmp_path / "again").exists()


def test_nothing_is_written_over_and_keys_are_never_in_the_open(node, tmp_path):
    with pytest.raises(InputError, match="not sealed"):
        _made(node, tmp_path / "backup", passphrase=None)
    _made(node, tmp_path / "backup")
    with pytest.raises(InputError, match="never written over"):
        _made(node, tmp_path / "backup")
    with pytest.raises(InputError, match="own folder"):
        _made(node, node.folder.path / "backup")
    with pytest.raises(InputError, match="something there"):
        _restored(tmp_path / "backup", node.folder.path)
    with pytest.raises(InputError, match="empty"):
        _made(node, tmp_path / "other", passphrase="")
    assert not (tmp_path / "other").exists()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    with pytest.raises(StoreError):
        _restored(tmp_path / "nothing", tmp_path / "again")


def test_logs_on_a_server_are_backed_up_there(node, tmp_path):
    write_settings(node.folder.path, {"database": "postgresql://localhost/keepclear"})
    with pytest.raises(InputError, match="pg_dump"):
        back_up(NodeFolder(node.folder.path), tmp_path / "backup", passphrase=WORDS, at_s=0.0)


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 131_072, 200_000])
def test_the_envelope_gives_back_what_was_put_in(tmp_path, size):
    data = bytes(range(256)) * (size // 256 + 1)
    with (tmp_path / "x").open("wb") as out:
        sealer = Sealer(out, WORDS)
        for at in range(0, size, 10_240):
            sealer.write(data[at : min(at + 10_240, size)])
        sealer.finish()
    with (tmp_path / "x").open("rb") as source:
        opener = Opener(source, "x")
        opener.unseal(WORDS)
        parts = []
        while part := opener.read(7_001):
            parts.append(part)
    assert b"".join(parts) == data[:size]


def test_what_is_no_backup_is_said_to_be_none(tmp_path):
    for name, data in {
        "empty": b"", "tar": b"x" * 1000, "newer": b"keepclear backup v2\nplain\n",
        "other": b"keepclear backup v1\nsealed with wax\n", "half": b"keepclear backup v1\nsealed scrypt",
    }.items():  # fmt: skip
        (tmp_path / name).write_bytes(data)
        with pytest.raises(InputError):
            restore(Path(tmp_path / name), tmp_path / "again", passphrase=lambda: WORDS)
