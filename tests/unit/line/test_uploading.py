"""What a log sends next, whatever a mirror answers."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepclear.line.body_requests import BODIES_TYPE, BodiesAnswer, Wanted
from keepclear.line.mirror_requests import Answer, MirrorInfo, cosignatures_answer, size_answer
from keepclear.line.uploading import (
    MOST_FRUITLESS,
    TRANSITIONS,
    BodiesDue,
    CheckpointDue,
    EntriesDue,
    Event,
    Stage,
    Uploading,
)
from keepclear.record.checkpoints import Checkpoint
from keepclear.record.cosignatures import cosign
from keepclear.record.keys import SignatureKind, SigningKey
from tests.crash.saying import MIRROR_KEY, ORIGIN

OTHER = SigningKey.of_seed("south/border/mirror", SignatureKind.COSIGNATURE, b"8" * 32)


@dataclass
class View:
    size: int = 700

    def checkpoint_text(self, size: int) -> str | None:
        return Checkpoint(ORIGIN, size, bytes([size % 251]) * 32).text if 0 < size <= self.size else None


LOG = View()
NEW = Uploading((MIRROR_KEY.verifier,))
SENDING = replace(NEW, stage=Stage.SENDING, theirs=700, target=700)
GIVING = replace(SENDING, stage=Stage.GIVING, next_entry=700)


def receipt(size: int, key: SigningKey = MIRROR_KEY) -> Answer:
    return cosignatures_answer((cosign(LOG.checkpoint_text(size) or "", key, time_s=1),))


def step(uploading: Uploading, answer: Answer | None) -> Uploading:
    due = uploading.due(LOG.size)
    assert due is not None
    return uploading.answered(due, answer, LOG)[0]


def test_a_new_mirror_is_asked_with_what_is_known():
    assert NEW.due(700) == CheckpointDue(0, 700)
    assert replace(NEW, cosigned=9).due(700) == CheckpointDue(9, 700)
    assert replace(NEW, theirs=20).due(700) == CheckpointDue(20, 700)


def test_it_goes_on_from_where_the_mirror_says_it_is():
    behind = step(NEW, size_answer(300))
    assert behind.due(700) == CheckpointDue(300, 700)
    sending = step(behind, Answer(200))
    assert sending.due(700) == EntriesDue(0, 700, b"")
    told = step(sending, MirrorInfo(300, 256, b"t").answer(409))
    assert told.due(700) == EntriesDue(256, 300, b"t")
    more = step(told, MirrorInfo(300, 299, b"u").answer(202))
    assert more.due(700) == EntriesDue(299, 300, b"u")
    done = step(more, receipt(300))
    assert (done.stage, done.cosigned) == (Stage.DONE, 300)
    assert done.due(300) is None
    assert done.due(700) == CheckpointDue(700, 700)


def test_bodies_are_offered_once_and_then_given_as_they_are_asked_for():
    giving = step(SENDING, MirrorInfo(700, 700).answer(202))
    assert giving.due(700) == BodiesDue(0, 700, None)
    asked = step(giving, BodiesAnswer((Wanted(3), Wanted(9))).answer())
    assert asked.due(700) == BodiesDue(700, 700, (Wanted(3), Wanted(9)))
    part = step(asked, BodiesAnswer((Wanted(3, 1), Wanted(9))).answer())
    assert part.due(700) == BodiesDue(700, 700, (Wanted(3, 1), Wanted(9)))
    last = step(part, BodiesAnswer((Wanted(9),)).answer())
    signatures = (cosign(LOG.checkpoint_text(700), MIRROR_KEY, time_s=1),)
    done, kept = last.answered(last.due(700), BodiesAnswer((), receipt=(700, signatures)).answer(), LOG)
    assert (done.stage, kept.size, kept.signatures) == (Stage.DONE, 700, signatures)


def test_bodies_that_did_not_go_into_one_request_are_not_waited_for_to_be_named():
    due = replace(GIVING.due(700), until=256)
    named = tuple(map(Wanted, range(256, 356)))

    def after(wanted):
        return GIVING.answered(due, BodiesAnswer(wanted, more=True).answer(), LOG)[0]

    assert after(named).due(700) == BodiesDue(256, 700, None)
    assert after((Wanted(300), Wanted(600))).due(700) == BodiesDue(300, 700, None)
    lost, begun = (Wanted(9), *named[1:]), (Wanted(256, 0, 2**20), *named[1:])
    for wanted in (lost, begun):  # what has been sent and did not come, and what has been begun, comes first
        assert after(wanted).due(700) == BodiesDue(256, 700, wanted)
        assert after(wanted).answered(after(wanted).due(700), BodiesAnswer(named).answer(), LOG)[0].offered == 256
    assert after((Wanted(700),)).due(700) == BodiesDue(256, 700, (Wanted(700),))


def test_a_log_that_has_grown_goes_first_after_each_answer_about_bodies():
    grown = GIVING.answered(GIVING.due(700), BodiesAnswer((Wanted(3),)).answer(), View(701))[0]
    assert grown.due(701) == CheckpointDue(700, 701)


def test_a_body_that_is_given_and_still_wanted_does_not_hold_up_the_others():
    given = replace(GIVING, offered=700, wanted=(Wanted(3), Wanted(9)))
    asked = step(given, BodiesAnswer((Wanted(3), Wanted(9))).answer())
    assert asked.due(700).wanted == (Wanted(9),)
    rests = step(asked, BodiesAnswer((Wanted(3),)).answer())
    assert rests.stage is Stage.RESTING
    assert "entries 3 were given" in rests.trouble
    assert rests.retried().due(700) == CheckpointDue(700, 700)


@pytest.mark.parametrize("due", [NEW, SENDING])
@pytest.mark.parametrize(("told", "stage"), [(701, Stage.DISPUTED), (2**63 - 1, Stage.DISPUTED)])
def test_a_mirror_that_has_more_than_the_log_is_a_matter_for_people(due, told, stage):
    answer = size_answer(told) if due is NEW else MirrorInfo(told, 0).answer(409)
    ended = step(due, answer)
    assert (ended.stage, ended.due(700), ended.retried()) == (stage, None, ended)
    assert "700" in ended.trouble
    assert step(SENDING, MirrorInfo(700, 701).answer(202)).stage is Stage.DISPUTED


def test_a_mirror_with_another_tree_of_our_size_is_a_matter_for_people():
    assert step(replace(NEW, theirs=700), size_answer(700)).stage is Stage.DISPUTED


@pytest.mark.parametrize(
    "answer",
    [
        receipt(700, OTHER),
        receipt(699),
        Answer(200, "text/plain", b"junk"),
        Answer(202, "text/plain", b"1\n2\n\n"),
        Answer(409, "text/x.tlog.mirror-info", b"1\n2\n"),
        Answer(403),
        Answer(404),
        Answer(422),
        Answer(500),
        Answer(302),
    ],
)
def test_what_is_no_answer_lets_it_rest_and_say_why(answer):
    rests = step(SENDING, answer)
    assert (rests.stage, rests.cosigned) == (Stage.RESTING, 0)
    assert rests.trouble
    assert rests.due(700) is None
    assert rests.retried().due(700) == CheckpointDue(700, 700)


@pytest.mark.parametrize("begin", [NEW, SENDING, GIVING])
@pytest.mark.parametrize("answer", [None, Answer(400)])
def test_a_request_that_is_lost_or_cut_off_is_made_again_and_then_rests(begin, answer):
    now = begin
    for _ in range(MOST_FRUITLESS - 1):
        assert now.due(700) == begin.due(700)
        now = step(now, answer)
    assert step(now, answer).stage is Stage.RESTING


LIES = st.one_of(
    st.none(),
    st.builds(size_answer, st.integers(0, 710)),
    st.builds(
        lambda s, n, t, c: MirrorInfo(s, n, t).answer(c),
        st.integers(0, 705),
        st.integers(0, 705),
        st.binary(max_size=3),
        st.sampled_from([202, 409]),
    ),
    st.builds(
        lambda ns, m: BodiesAnswer(tuple(Wanted(n, n % 3) for n in sorted(ns)), m).answer(),
        st.sets(st.integers(0, 20), max_size=4),
        st.booleans(),
    ),
    st.builds(Answer, st.sampled_from([200, 202, 400, 404, 409, 500]), st.sampled_from(["", BODIES_TYPE]), st.binary()),
    st.just(Answer(200)),
    st.just(receipt(700, OTHER)),
)


@given(st.data())
def test_whatever_is_answered_it_comes_to_rest_and_takes_no_false_receipt(data):
    now = NEW
    for _ in range(2000):
        due = now.due(700)
        if due is None:
            break
        now, kept = now.answered(due, data.draw(LIES), LOG)
        assert kept is None
        assert now.cosigned == 0
    assert now.stage in (Stage.RESTING, Stage.DISPUTED)


def test_every_event_leads_from_every_stage_to_one():
    for stage, event in itertools.product(Stage, Event):
        to = TRANSITIONS[stage, event]
        assert stage is not Stage.DISPUTED or to is Stage.DISPUTED
        assert to is not Stage.DONE or event is Event.RECEIPT or stage is Stage.DONE
