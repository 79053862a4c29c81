"""A node put back from an older copy: it says nothing until all others have shown what they hold of its log."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

from keepclear.errors import InputError
from keepclear.node.acts import Acts
from keepclear.node.alarms import Alarms
from keepclear.node.backup import back_up
from keepclear.node.backup_opening import restore
from keepclear.node.bell import Bell
from keepclear.node.calling import Caller
from keepclear.node.cards_on_file import CardsOnFile
from keepclear.node.folder import NodeFolder
from keepclear.node.membership_reading import MembershipReader
from keepclear.node.peers import Peers
from keepclear.node.records import Records
from keepclear.node.request_signatures import RequestSigner
from keepclear.node.restoring import Restoring, getting
from keepclear.node.turning import TurnDesk
from keepclear.record.merkle import leaf_hash
from tests.unit.node.exchange_made import LINE, talking, until
from tests.unit.node.records_made import said

WORDS = "a passphrase of some words"


class Back:
    """The parts of a restored node that bring its logs back."""

    def __init__(self, folder: NodeFolder, clock) -> None:
        self.store, self.database, self.bell = folder.open_records(), folder.open_database(), Bell()
        self.records = Records(folder, self.store, self.bell, clock)
        reader = MembershipReader(self.records, self.database)
        cards = CardsOnFile(self.records, self.database, reader, self.bell, clock)
        peers = Peers(self.records, cards, self.bell, membership_of=reader.of)
        self.alarms = Alarms(self.database, Acts(self.database, clock), self.bell, clock, party="A")
        self.caller = Caller(RequestSigner(self.records.transport_key(), clock))
        self.restoring = Restoring(
            self.records, peers.of, getting(self.caller, TurnDesk(self.bell, lambda *_: None)), self.alarms, self.bell
        )  # fmt: skip

    def close(self) -> None:
        self.restoring.stop()
        self.caller.close()
        self.database.close()
        self.store.close()


@contextmanager
def _restored(file, path, clock):
    restore(file, path, passphrase=lambda: WORDS)
    back = Back(NodeFolder(path), clock)
    try:
        yield back
    finally:
        back.close()


def _all_cosigned(a, ref, count):
    return lambda: len(a.records.cosigned_by(ref.origin, ref.index)) == count


def _restored_waits(back):
    with pytest.raises(InputError, match="put back from a copy"):
        back.records.say(LINE, [said("x", "B")])
    return back.restoring.silent() == (LINE,)


def test_what_was_said_since_is_brought_back_and_then_it_speaks_on(tmp_path):
    with talking(tmp_path, "ABC") as (a, b, c):
        until(_all_cosigned(a, a.say("before", "B", "C"), 2))
        back_up(a.folder, tmp_path / "backup", passphrase=WORDS, at_s=0.0)
        refs = a.records.say(LINE, [said(f"since {n}", "B", "C") for n in range(300)])
        until(_all_cosigned(a, refs[-1], 2))
        size = a.records.size(refs[-1].origin)
        a.close()
        with _restored(tmp_path / "backup", tmp_path / "again", a.clock) as back:
            assert _restored_waits(back)
            back.restoring.start()
            until(lambda: not back.records.restored(LINE))
            assert back.records.size(refs[0].origin) == size
            assert [leaf_hash(back.records.leaf(ref.origin, ref.index).to_bytes()) for ref in refs[::50]] == [
                ref.leaf_hash for ref in refs[::50]
            ]
            (ref,) = back.records.say(LINE, [said("after", "B")])
            assert ref.index == size
            alarms = back.alarms.listed()
            assert all(one.over_s is not None for one in alarms)
        assert b.records.forks(refs[0].origin) == ()
        assert c.records.size(refs[0].origin) == size


def test_one_that_does_not_answer_may_hold_the_most_so_nothing_is_said(tmp_path):
    with talking(tmp_path, "ABC") as (a, b, c):
        until(_all_cosigned(a, a.say("before", "B", "C"), 2))
        back_up(a.folder, tmp_path / "backup", passphrase=WORDS, at_s=0.0)
        a.close()
        c.close_door()
        with _restored(tmp_path / "backup", tmp_path / "again", a.clock) as back:
            assert back.restoring.look() == (LINE,)
            assert _restored_waits(back)
            (alarm,) = back.alarms.listed()
            assert alarm.kind == "restore"
            assert "not yet heard of: C" in alarm.sentence
            b.close_door()
            back.restoring.look()
            assert "B, C" in back.alarms.listed()[0].sentence


def test_a_copy_that_lacks_nothing_is_confirmed(tmp_path):
    with talking(tmp_path) as (a, _):
        ref = a.say("before", "B")
        until(_all_cosigned(a, ref, 1))
        until(lambda: a.records.receipts(ref.origin)[0][1] == a.records.size(ref.origin))
        back_up(a.folder, tmp_path / "backup", passphrase=WORDS, at_s=0.0)
        a.close()
        with _restored(tmp_path / "backup", tmp_path / "again", a.clock) as back:
            assert back.restoring.look() == ()
            back.records.say(LINE, [said("after", "B")])


def test_a_second_history_is_never_signed_and_the_evidence_is_kept(tmp_path):
    with talking(tmp_path) as (a, _):
        until(_all_cosigned(a, a.say("before", "B"), 1))
        back_up(a.folder, tmp_path / "backup", passphrase=WORDS, at_s=0.0)
        origin = a.records.own_origin(LINE)
        until(_all_cosigned(a, a.say("one history", "B"), 1))
        a.close()
        restore(tmp_path / "backup", tmp_path / "other", passphrase=lambda: WORDS)
        other = Back(NodeFolder(tmp_path / "other"), a.clock)
        other.records.confirm(origin, other.records.checkpoint(origin))  # what nobody should do
        other.records.say(LINE, [said("another history", "B"), said("and more", "B")])
        back_up(NodeFolder(tmp_path / "other"), tmp_path / "forked", passphrase=WORDS, at_s=0.0)
        other.close()
        with _restored(tmp_path / "forked", tmp_path / "again", a.clock) as back:
            back.restoring.look()
            assert back.restoring.look() == ()
            assert back.alarms.listed()[0].kind == "fork"
            assert len(back.records.forks(origin)) == 1
            with pytest.raises(InputError):
                back.records.say(LINE, [said("x", "B")])


def test_a_node_that_was_not_restored_asks_nobody(tmp_path):
    with talking(tmp_path) as (a, _):
        restoring = Restoring(a.records, a.peers.of, lambda *_: pytest.fail("it asked"), None, a.bell)
        assert restoring.silent() == ()
        restoring.start()
        restoring.stop()
