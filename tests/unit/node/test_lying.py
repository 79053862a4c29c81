"""Peers that contradict themselves, and a node that was restored from an older copy of itself."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from keepclear.errors import InputError
from keepclear.line.heartbeats import Heartbeat, sign_heartbeat
from keepclear.line.mirror_requests import AddCheckpoint
from keepclear.node.acts import Acts
from keepclear.node.alarms import Alarms
from keepclear.node.calling import Caller
from keepclear.node.folder import NodeFolder
from keepclear.node.request_signatures import RequestSigner
from keepclear.node.restoring import Restoring, getting
from keepclear.node.turning import TurnDesk
from keepclear.record.checkpoints import Checkpoint, sign_checkpoint
from keepclear.record.forks import ForkEvidence, verify_fork
from keepclear.record.names import KeyName
from tests.unit.api.test_peers import CHECKPOINT, call, signer
from tests.unit.node.exchange_made import FLASH, LINE, Talking, talking, until


def other_history(node: Talking) -> bytes:
    """A checkpoint of as many entries as the node's log has, of another tree, signed by its key."""
    origin = node.records.own_origin(LINE)
    name = KeyName.of_text(origin)
    assert name is not None
    checkpoint = Checkpoint(origin, node.records.size(origin), b"o" * 32)
    return sign_checkpoint(checkpoint, node.folder.signing_key(name))


def settled(*nodes: Talking) -> None:
    for node in nodes:
        until(lambda node=node: all(one.behind == 0 for one in node.exchange.status(LINE)))


def test_a_second_history_is_evidence_and_ends_everything_but_flash(tmp_path: Path) -> None:
    with talking(tmp_path) as (a, b):
        a.say("before", "B")
        settled(a, b)
        origin = a.records.own_origin(LINE)
        body = AddCheckpoint(a.records.size(origin), (), other_history(a)).to_bytes()
        assert call(b, signer(a), CHECKPOINT, body, to="B").status_code == 409
        (conflict,) = b.records.forks(origin)
        evidence = ForkEvidence.of_bytes(conflict.evidence)
        with a.records.reading(origin) as log:
            assert verify_fork(evidence, [log.key]).key == log.key
        assert [one.data["proved"] for one in b.events("fork")] == [True]
        assert [kind for kind, _ in b.alarms].count("fork") == 1
        assert "two histories" in b.peers.stopped(LINE, "A")
        lost, kept = a.say("after", "B"), b.say("not for you", "A")
        until(lambda: "403" in a.exchange.status(LINE)[0].trouble)
        assert not b.holds(lost)
        assert not a.holds(kept)
        a.exchange.flash(LINE, FLASH)
        b.exchange.flash(LINE, FLASH)
        until(lambda: b.exchange.flashes.came(LINE) and a.exchange.flashes.came(LINE))
        call(b, signer(a), CHECKPOINT, body, to="B")
        assert len(b.events("fork")) == 1  # it is told once


def test_two_members_who_were_shown_different_histories_find_out(tmp_path: Path) -> None:
    with talking(tmp_path, "ABC") as (a, b, c):
        a.say("one", "B", "C")
        settled(a, b, c)
        origin = a.records.own_origin(LINE)
        until(lambda: b.records.size(origin) == a.records.size(origin))
        now_s = round(c.clock(), 3)
        lie = Heartbeat("C", LINE, "B", now_s, round(now_s * 1000) + 10_000, checkpoints=(other_history(a),))
        beat = sign_heartbeat(lie, c.records.transport_key())
        assert call(b, signer(c), "/line/v1/heartbeat", beat, to="B").status_code == 200
        until(lambda: b.records.forks(origin))
        (event,) = b.events("fork")
        assert event.data["party"] == "A"
        assert "C was shown another history" in event.data["detail"]


class Restored(Talking):
    """A node whose folder is there already."""

    def __init__(self, path: Path, party: str) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(NodeFolder, "create", classmethod(lambda cls, path, *_, **__: cls(path)))
            super().__init__(path, party)


def test_a_node_restored_from_an_older_copy_takes_back_what_it_had_said(tmp_path: Path) -> None:
    with talking(tmp_path, "ABC") as (a, b, c):
        a.say("before", "B")
        settled(a, b, c)
        copy = tmp_path / "copy.db"
        with sqlite3.connect(tmp_path / "A" / "record.db") as db, sqlite3.connect(copy) as to:
            db.backup(to)
        refs = [a.say("since to B", "B"), a.say("since to C", "C"), a.say("since to both", "B", "C")]
        settled(a, b, c)
        a.close()
        for name in ("record.db", "record.db-wal", "record.db-shm", "record.db-signed"):
            (tmp_path / "A" / name).unlink(missing_ok=True)
        shutil.copy(copy, tmp_path / "A" / "record.db")
        again = Restored(tmp_path / "A", "A")
        try:
            assert again.records.restored(LINE)
            with pytest.raises(InputError):
                again.say("too early", "B")
            again.open_door()
            again.start()
            alarms = Alarms(again.database, Acts(again.database, again.clock), again.bell, again.clock, party="A")
            with closing(Caller(RequestSigner(again.records.transport_key(), again.clock))) as caller:
                restoring = Restoring(
                    again.records,
                    again.peers.of,
                    getting(caller, TurnDesk(again.bell, lambda *_: None)),
                    alarms,
                    again.bell,
                )
                until(lambda: restoring.look() == ())
            until(lambda: not again.records.restored(LINE))
            assert again.records.size(refs[-1].origin) == refs[-1].index + 1
            until(lambda: all(again.holds(ref) for ref in refs))
            new = again.say("and on", "B")
            assert new.index > refs[-1].index
            until(lambda: b.holds(new))
            assert b.records.conflicts(new.origin) == ()
        finally:
            again.close()
