"""Two failures that happened, played on a line: what it would have shown, to whom, and when.

Deir ez-Zor, 17 September 2016: the place that was passed on was nine kilometres off, and the caller waited 27 minutes
for his usual contact. Gaza, 2024: headquarters had the notice of a convoy, the crew did not. All positions here are
made up, as are the parties' posts.
"""

from __future__ import annotations

import pytest
from pyproj import Geod

from keepclear.line.conversation import Conversation, Receipt
from keepclear.line.deadlines import DEFAULT_DEADLINES, MessageClass, Owed, Rule
from keepclear.line.escalation import DESK, Post, Reason, Role, Roster, to_tell
from keepclear.line.operation_states import OperationState
from keepclear.line.threads import Void
from keepclear.record.bodies.talk import AnswerBody, MessageBody
from keepclear.times import parse_time
from tests.reference.made_lines import MadeLine, operation_body, ref

LON, LAT = 40.1500, 35.2900
HOUR = 3_600.0


class Played:
    """A line on which things are said, and what one party's node shows of it."""

    def __init__(self, us, *parties, deadlines=DEFAULT_DEADLINES):
        self.line = MadeLine(*parties)
        self.talk = Conversation(us, deadlines=deadlines)

    def say(self, party, body, at_s, **others):
        heard = self.line.say(party, body, at_s, **others)
        self.talk.take(heard)
        return heard

    def receipt(self, heard, by, at_s):
        self.talk.take(Receipt(heard.ref.origin, heard.ref.index + 1, by, at_s))

    def answer(self, party, to, answer, at_s, **members):
        return self.say(party, AnswerBody(to=ref(to), answer=answer, **members), at_s)

    def standing(self, heard, party, at_s):
        return self.talk.thread(heard.ref, at_s).standing(party)


@pytest.fixture
def hotline():
    return Played("RU", "RU", "US", "DK")


ROSTERS = {
    "US": Roster(
        (
            Post(Role.DUTY_OFFICER, 0, ("telephone",)),
            Post(Role.DUTY_OFFICER, 1, ("telephone", "pager")),
            Post(Role.DUTY_OFFICER, 2, ("pager",)),
            Post(Role.PARTY_AUTHORITY, 0, ("telephone",)),
        )
    ),
    "DK": Roster((Post(Role.DUTY_OFFICER, 0, ("radio",)),)),
}


def test_deir_ez_zor_a_flash_that_nobody_answers_goes_up_after_a_minute(hotline):
    called_s = parse_time("2016-09-17T13:25:00Z")
    flash = hotline.say("RU", MessageBody(text="You are hitting our people", priority="flash"), called_s, to=["US"])

    def tells(until_s):
        owed = hotline.talk.thread(flash.ref, until_s).owed
        return to_tell(owed, ROSTERS, until_s=until_s, reach={"DK": {"US"}})

    assert {(one.party, one.role, one.rank) for one in tells(called_s + 59.0)} == {("US", Role.DUTY_OFFICER, 0)}
    # Nobody waits for the usual contact: at 60 s the deputy, on every channel, and whoever can reach them relays.
    at_60 = [one for one in tells(called_s + 60.0) if one.at_s == called_s + 60.0]
    assert {(one.rank, one.channel) for one in at_60 if one.party == "US"} == {
        (0, DESK), (0, "telephone"), (1, DESK), (1, "telephone"), (1, "pager"),
    }  # fmt: skip
    assert {(one.party, one.channel, one.reason) for one in at_60 if one.party == "DK"} == {
        ("DK", DESK, Reason.RELAY),
        ("DK", "radio", Reason.RELAY),
    }
    assert {one.reason for one in at_60 if one.party == "RU"} == {Reason.WAITING}
    # 27 minutes later, with no answer, all three steps have been taken, and asking again adds nothing.
    late = tells(called_s + 27 * 60.0)
    assert sorted({one.at_s - called_s for one in late}) == [0.0, 60.0, 120.0, 300.0]
    assert (Role.PARTY_AUTHORITY, "telephone") in {(one.role, one.channel) for one in late if one.party == "US"}
    assert tells(called_s + 27 * 60.0) == late
    # Seen is not able: only when a unit was told does it end.
    hotline.receipt(flash, "US", called_s + 2.0)
    hotline.answer("US", flash, "seen", called_s + 30.0)
    assert sorted({one.at_s - called_s for one in tells(called_s + 1_000.0)}) == [0.0, 120.0, 300.0]
    hotline.answer("US", flash, "relayed", called_s + 110.0, unit="air operations centre")
    assert sorted({one.at_s - called_s for one in tells(called_s + 1_000.0)}) == [0.0]


def test_a_flash_needs_nothing_but_a_word(hotline):
    flash = hotline.say("RU", MessageBody(text="!", priority="flash"), 0.0, to=["US"])
    owed = hotline.talk.thread(flash.ref, 0.0).owed
    assert {one.owed: one.due_s for one in owed} == {Owed.RECEIPT: 5.0, Owed.ANSWER: 60.0, Owed.ABLE: 120.0}


def test_deir_ez_zor_a_read_back_nine_kilometres_off_is_blocked_and_says_nine_kilometres(hotline):
    filed_s, start_s = parse_time("2016-09-17T12:00:00Z"), parse_time("2016-09-17T12:55:00Z")
    end_s = parse_time("2016-09-17T13:56:00Z")
    heard = hotline.say("RU", operation_body("RU", "flight", LON, LAT, start_s, end_s), filed_s, to=["US"])
    hotline.receipt(heard, "US", filed_s + 1.0)
    lon, lat, _ = Geod(ellps="WGS84").fwd(LON, LAT, 200.0, 9_000.0)
    wrong = {"lon_deg": lon, "lat_deg": lat, "time_s": start_s}
    hotline.answer("US", heard, "read back", filed_s + 60.0, read_back=wrong)
    standing = hotline.standing(heard, "US", filed_s + 100.0)
    assert standing.blocked is not None
    assert standing.blocked.void is Void.DIFFERS
    assert "9.0 km south of the place filed" in standing.blocked.comparison.sentence
    assert standing.blocked.comparison.distance_m == pytest.approx(9_000.0, abs=0.1)
    # It is as if nobody had answered: five minutes after the receipt it is overdue.
    (row,) = (one for one in standing.owed if one.owed is Owed.READ_BACK)
    assert row.met_s is None
    assert not row.is_overdue(filed_s + 301.0)
    assert row.is_overdue(filed_s + 301.1)
    assert hotline.talk.thread(heard.ref, filed_s + 100.0).state is OperationState.DELIVERED
    right = {"lon_deg": LON, "lat_deg": LAT, "time_s": start_s, "entered": "35.29000 40.15000"}
    hotline.answer("US", heard, "read back", filed_s + 200.0, read_back=right)
    standing = hotline.standing(heard, "US", filed_s + 250.0)
    assert standing.blocked is None
    assert hotline.talk.thread(heard.ref, filed_s + 250.0).state is OperationState.ACKNOWLEDGED


def test_gaza_a_notice_at_headquarters_is_shown_as_not_relayed_to_the_unit():
    deadlines = DEFAULT_DEADLINES.agreed({MessageClass.SHORT: [Rule(Owed.SEEN, 1_800.0), Rule(Owed.RELAYED, HOUR)]})
    played = Played("aid", "aid", "force", deadlines=deadlines)
    filed_s = parse_time("2024-04-01T06:00:00Z")
    start_s = filed_s + 13 * HOUR
    convoy = played.say("aid", operation_body("aid", "convoy", 34.35, 31.42, start_s, start_s + 4 * HOUR), filed_s)
    played.receipt(convoy, "force", filed_s + 2.0)
    played.answer("force", convoy, "concur", filed_s + 600.0)
    standing = played.standing(convoy, "force", start_s - HOUR)
    # Headquarters has it, has seen it, and concurs. No unit is known to have been told.
    assert (standing.received_s, standing.seen_s) == (filed_s + 2.0, filed_s + 600.0)
    assert standing.relayed_to == ()
    assert standing.sentence == (
        "force: its headquarters had it at 2024-04-01T06:00:02.000Z; a person there saw it at "
        "2024-04-01T06:10:00.000Z; not known to have been relayed to any unit"
    )
    (row,) = (one for one in standing.owed if one.owed is Owed.RELAYED)
    assert row.is_overdue(start_s - HOUR)
    owed = played.talk.thread(convoy.ref, start_s).owed
    overdue = [one for one in to_tell(owed, {}, until_s=start_s) if one.owed is Owed.RELAYED]
    assert {one.party for one in overdue if one.at_s == row.due_s} == {"force", "aid"}
    played.answer("force", convoy, "relayed", start_s - 600.0, unit="brigade 7, air cell")
    standing = played.standing(convoy, "force", start_s)
    assert standing.relayed_to == ("brigade 7, air cell",)
    assert standing.sentence.endswith("relayed to brigade 7, air cell")


def test_gaza_without_a_receipt_nothing_is_said_to_be_known():
    played = Played("aid", "aid", "force")
    convoy = played.say("aid", operation_body("aid", "convoy", 34.35, 31.42, 9e4, 1e5), 0.0)
    assert played.standing(convoy, "force", 60.0).sentence == (
        "force: not known to have it; not known to have been seen by a person; "
        "not known to have been relayed to any unit"
    )
