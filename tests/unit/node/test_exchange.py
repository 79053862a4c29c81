"""Two and more nodes over real sockets: what is said on one is on the others, whole, and with a receipt."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from keepclear.line.channel import ChannelState
from keepclear.node import flashes, pushing
from keepclear.node.actors import OPERATOR
from keepclear.node.calling import UnreachableError
from keepclear.node.flashes import Flash, sign_flash
from keepclear.node.peers import Peers
from keepclear.node.remote_log import origin_path
from keepclear.node.settings import write_settings
from keepclear.record.bodies.registry import body_of
from keepclear.record.bodies.talk import MessageBody, Priority, RefusedBody
from keepclear.record.checkpoints import Checkpoint
from keepclear.record.entry_types import EntryType
from keepclear.record.notes import Note
from tests.bad_network import BadNetwork, Weather
from tests.unit.node.exchange_made import FLASH, LINE, Talking, introduce, talking, until


def cosigned(node: Talking, ref) -> set[str]:
    """Whose mirrors have stored an entry."""
    return {key.partition("/")[0] for key, _ in node.records.cosigned_by(ref.origin, ref.index)}


def status_of(node: Talking, party: str):
    return next(one for one in node.exchange.status(LINE) if one.channel.party == party)


def test_what_one_says_the_other_holds_and_gives_a_receipt_for(tmp_path: Path) -> None:
    with talking(tmp_path) as (a, b):
        there, back = a.say("to you", "B"), b.say("and back", "A")
        until(lambda: b.holds(there) and a.holds(back))
        assert body_of(b.records.entry(there)).text == "to you"
        until(lambda: cosigned(a, there) == {"B"} and cosigned(b, back) == {"A"})
        until(lambda: status_of(a, "B").behind == 0)
        assert status_of(a, "B").trouble == ""


def test_who_asks_while_it_is_first_looked_who_there_is_waits_for_it(tmp_path: Path) -> None:
    with talking(tmp_path) as (a, _):
        looking, go_on = threading.Event(), threading.Event()

        def slowly(line):
            looking.set()
            assert go_on.wait(30.0)
            return a.reader.of(line)

        peers = Peers(a.records, a.cards, a.bell, membership_of=slowly)
        found: list[tuple[str, ...]] = []
        first, second = (threading.Thread(target=lambda: found.append(peers.lines())) for _ in range(2))
        first.start()
        assert looking.wait(30.0)
        second.start()
        second.join(0.3)
        go_on.set()
        first.join()
        second.join()
        assert found == [(LINE,), (LINE,)]
        assert [peers.refreshed(), peers.refreshed()] == [True, False]  # who looked first took no news away


def test_three_meet_by_one_who_knows_both_and_bodies_go_to_whom_they_are_addressed(tmp_path: Path) -> None:
    with talking(tmp_path, "ABC") as (a, b, c):
        ref = b.say("for C alone", "C")
        until(lambda: cosigned(b, ref) == {"A", "C"})
        assert c.holds(ref)
        assert a.records.size(ref.origin) > ref.index
        assert a.records.entry(ref).body is None


def test_an_attachment_of_several_pieces_arrives(tmp_path: Path) -> None:
    data = bytes(range(256)) * 4 * 1024 * 3  # three pieces
    with talking(tmp_path) as (a, b):
        note = {"name": "a.bin", "media_type": "application/octet-stream", "size_bytes": len(data)}
        from keepclear.node.own_log import Outgoing

        (ref,) = a.records.say(
            LINE, [Outgoing(MessageBody(text="see", attachments=[note]), ("B",), attachments=(data,))]
        )
        until(lambda: b.holds(ref))
        assert b.records.entry(ref).attachments[0].data == data
        until(lambda: cosigned(a, ref) == {"B"})


def test_what_a_guard_refuses_is_refused_in_our_own_log_and_the_receipt_follows(tmp_path: Path) -> None:
    with talking(tmp_path) as (a, b):
        b.records.keep_by(lambda *asked: b"forbidden" not in (asked[2].body or b""))
        bad, good = a.say("forbidden things", "B"), a.say("good", "B")
        until(lambda: cosigned(a, good) == {"B"})
        assert b.records.entry(bad).body is None
        said = [b.records.entry(o, n) for o in b.records.own_origins(LINE) for n in range(b.records.size(o))]
        refused = [body_of(one) for one in said if one.leaf.type == EntryType.REFUSED]
        assert [(one.entry.ref(), one.guard) for one in refused if isinstance(one, RefusedBody)] == [
            (bad, "NO_SHARING")
        ]
        until(lambda: any(a.holds(one) for one in [_last_ref(b)]))  # and its author is told


def test_a_body_that_was_erased_before_it_went_is_said_to_be_gone(tmp_path: Path) -> None:
    with talking(tmp_path) as (a, b):
        b.close_door()
        gone = a.say("never read", "B")
        a.records.erase(gone.origin, gone.index)
        b.open_door()
        b.lines.members(LINE)
        _move(a, b)
        until(lambda: cosigned(a, gone) == {"B"})
        refused = body_of(b.records.entry(_last_ref(b)))
        assert isinstance(refused, RefusedBody)
        assert refused.guard == "GONE"


def test_what_was_said_while_the_other_was_away_arrives_when_it_is_back(tmp_path: Path) -> None:
    with talking(tmp_path) as (a, b):
        until(lambda: status_of(a, "B").behind == 0)
        b.close_door()
        refs = [a.say(f"{n}", "B") for n in range(300)]
        until(lambda: "127.0.0.1" in status_of(a, "B").trouble)
        assert not b.holds(refs[0])
        b.open_door()
        _move(a, b)
        until(lambda: cosigned(a, refs[-1]) == {"B"})
        assert all(b.holds(ref) for ref in refs)
        assert [body_of(b.records.entry(ref)).text for ref in refs] == [f"{n}" for n in range(300)]


def test_a_node_behind_nat_hears_by_its_own_calls(tmp_path: Path) -> None:
    with talking(tmp_path, "AB", behind_nat="B") as (a, b):
        assert a.peers.find(LINE, "B").addresses == ()
        refs = [a.say(f"{n}", "B") for n in range(5)]
        until(lambda: all(b.holds(ref) for ref in refs))
        until(lambda: cosigned(a, refs[-1]) == {"B"})
        back = b.say("heard", "A")
        until(lambda: cosigned(b, back) == {"A"})
        a.exchange.flash(LINE, FLASH)
        until(lambda: b.exchange.flashes.came(LINE))


def test_who_only_calls_reads_for_us_in_its_turns(tmp_path: Path) -> None:
    with talking(tmp_path, "AB", behind_nat="B") as (a, b):
        ref = a.say("x", "B")
        until(lambda: b.holds(ref))
        turns, path = a.exchange.turn_desk, origin_path(ref.origin)
        until(lambda: cosigned(a, ref) == {"B"})
        shown = turns.get(LINE, "B", f"{path}/checkpoint")
        assert shown.status == 200
        assert Checkpoint.of_text(Note.of_bytes(shown.body).text).size == a.records.size(ref.origin)
        assert turns.get(LINE, "B", f"{path}/body/{ref.index}").status == 200
        for nothing in ("lines/x/cards", f"{path}/tile/../../checkpoint", "mirror/x/checkpoint", "", "\u20ac"):
            assert turns.get(LINE, "B", nothing).status == 404
        later = a.say("y", "B")  # and what is uploaded goes on as before
        until(lambda: b.holds(later))
        b.exchange.stop()
        with pytest.raises(UnreachableError, match="has not answered in a turn"):
            turns.get(LINE, "B", f"{path}/checkpoint", timeout_s=0.5)


def test_channels_come_up_and_silence_is_noticed(tmp_path: Path) -> None:
    with talking(tmp_path, heartbeat_s=1.0) as (a, b):
        until(lambda: status_of(a, "B").channel.channel.state is ChannelState.UP)
        until(lambda: status_of(b, "A").channel.channel.state is ChannelState.UP)
        assert a.exchange.reach(LINE) == {"B"}
        b.exchange.stop()
        b.close_door()
        until(lambda: status_of(a, "B").channel.channel.state is ChannelState.DEGRADED)
        until(lambda: [one.data["after"] for one in a.events("channel")][-1:] == ["degraded"])
        until(lambda: "channel" in [kind for kind, _ in a.alarms])


@pytest.mark.parametrize("ahead_s", [-600.0, 600.0])
def test_a_clock_ten_minutes_off_is_flagged_and_stops_nothing(tmp_path: Path, ahead_s: float) -> None:
    with talking(tmp_path, heartbeat_s=2.0, ahead={"B": ahead_s}) as (a, b):
        there, back = a.say("to you", "B"), b.say("and back", "A")
        until(lambda: cosigned(a, there) == {"B"} and cosigned(b, back) == {"A"})
        until(
            lambda: status_of(a, "B").channel.clock is not None and status_of(a, "B").channel.clock.error_s is not None
        )
        assert status_of(a, "B").channel.clock.ahead_s == pytest.approx(ahead_s, abs=2)
        assert any(one.data["flagged"] for one in a.events("clock"))
        assert [kind for kind, _ in a.alarms].count("clock") == 1


def test_flash_goes_beside_the_log_once_and_is_marked(tmp_path: Path) -> None:
    with talking(tmp_path) as (a, b):
        a.records.stop_saying(LINE, "restored from a copy")
        a.exchange.flash(LINE, FLASH)
        until(lambda: b.exchange.flashes.came(LINE))
        (flash, _), *more = b.exchange.flashes.came(LINE)
        assert more == []
        assert (flash.party, flash.to, flash.message.text) == ("A", "B", "we are being hit")
        (event,) = b.events("message")
        assert event.data["beside_the_log"] is True
        until(lambda: a.exchange.flashes.waiting(LINE, "B") == ())
        assert all(b.records.entry(b.records.origins(LINE)[0], n).leaf.type != EntryType.MESSAGE for n in range(2))


def test_flash_waits_for_one_who_is_away(tmp_path: Path) -> None:
    with talking(tmp_path) as (a, b):
        b.close_door()
        a.exchange.flash(LINE, FLASH, to=["B"])
        until(lambda: status_of(a, "B").trouble)
        assert len(a.exchange.flashes.waiting(LINE, "B")) == 1
        b.open_door()
        _move(a, b)
        until(lambda: b.exchange.flashes.came(LINE))


def test_a_flash_that_a_broken_node_neither_takes_nor_refuses_holds_up_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with talking(tmp_path) as (a, b):
        tries: list[str] = []
        take = b.exchange.flashes.take

        def broken(party: str, data: bytes) -> None:
            tries.append(party)
            raise ZeroDivisionError

        monkeypatch.setattr(b.exchange.flashes, "take", broken)
        a.exchange.flash(LINE, FLASH)
        until(lambda: tries)
        ref = a.say("something else", "B")
        until(lambda: cosigned(a, ref))
        assert len(tries) < 10, "tried again after a while, longer each time"
        assert len(a.exchange.flashes.waiting(LINE, "B")) == 1
        monkeypatch.setattr(b.exchange.flashes, "take", take)
        until(lambda: b.exchange.flashes.came(LINE))
        until(lambda: a.exchange.flashes.waiting(LINE, "B") == ())


def _last_ref(node: Talking):
    origin = node.records.own_origin(LINE)
    return node.records.ref(origin, node.records.size(origin) - 1)


def _move(a: Talking, b: Talking) -> None:
    """Tell a by b's card that b listens at another port now, as b's node does by itself."""
    b.bell.ring("line")
    until(lambda: a.peers.find(LINE, "B").addresses == (b.address,))


def test_many_flashes_are_all_kept_and_told_and_share_an_alarm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flashes, "MOST_ALARMS", 2)
    with talking(tmp_path) as (a, b):
        keys: list[tuple[str, str]] = []
        b.exchange.flashes._alarm = lambda _, sentence, *, key, **__: keys.append((key, sentence))
        made = Flash("A", LINE, "B", "", 1.0, MessageBody(text="stop", priority=Priority.FLASH))
        for n in range(5):
            b.exchange.flashes.take("A", sign_flash(replace(made, id=f"{n:032x}"), a.records.transport_key()))
        assert len(b.exchange.flashes.came(LINE)) == 5
        assert len([one for one in b.events("message") if one.data["beside_the_log"]]) == 5
        assert [key for key, _ in keys] == [f"beside/{0:032x}", f"beside/{1:032x}", "beside/A", "beside/A", "beside/A"]
        assert keys[-1][1] == (
            f"A sent 5 FLASH within an hour beside its log, the last on {LINE}: look at the desk at once"
        )
        b.ahead_s = 4000.0  # an hour later it is one of its own again
        b.exchange.flashes.take("A", sign_flash(replace(made, id="f" * 32), a.records.transport_key()))
        assert keys[-1][0] == "beside/" + "f" * 32


class BehindBadNetwork(Talking):
    """Whoever calls it goes through a network that can be cut."""

    network: BadNetwork

    def open_door(self) -> None:
        super().open_door()
        self.network = self._stack.enter_context(BadNetwork(int(self.address.rpartition(":")[2])))
        self.address = self.network.url
        write_settings(self.folder.path, {"address": self.address})
        self.folder.__dict__.pop("settings", None)
        self.exchange._settings = replace(self.settings, address=self.address)


def test_a_peer_that_calls_is_called_again_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = Talking(tmp_path / "A", "A"), BehindBadNetwork(tmp_path / "B", "B", heartbeat_s=0.5)
    try:
        for node in (a, b):
            node.open_door()
        a.lines.new(LINE, by=OPERATOR)
        for node in (a, b):
            node.start()
        introduce(a, b)
        before = a.say("before", "B")
        until(lambda: b.holds(before))
        # From now on whoever cannot reach the other waits half a minute before the next try, as after a long outage.
        monkeypatch.setattr(pushing, "_FIRST_BACK_OFF_S", 30.0)
        monkeypatch.setattr(pushing, "_EAGER_S", 30.0)
        b.network.change(Weather(cut=True))
        while_cut = a.say("while cut", "B")
        until(lambda: status_of(a, "B").trouble)
        time.sleep(1.0)
        assert not b.holds(while_cut)
        b.network.change(Weather())  # b has called all the time, every half second
        assert until(lambda: b.holds(while_cut)) < 10.0
        assert not status_of(a, "B").trouble
    finally:
        for node in (a, b):
            node.close()
