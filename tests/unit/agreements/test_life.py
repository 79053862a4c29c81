"""The life of an agreement: what binds, from when, and what has no effect."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from keepclear.agreements.documents import Annex, Document
from keepclear.agreements.facts import Heard, RecordView
from keepclear.agreements.life import standing_of, standings_of
from keepclear.agreements.standing import Flag
from keepclear.agreements.states import BINDING, TRANSITIONS, AgreementEvent, AgreementState, state_after
from keepclear.record.bodies.references import EntryRefValue
from keepclear.record.bodies.talk import CancelBody, MessageBody
from tests.unit.agreements.made_agreements import MAIN, Telling, document, proposed, ref

State, Event = AgreementState, AgreementEvent
FIRST, SECOND = document("1"), document("2")


def signed(what: Document = FIRST, at_s: float = 10.0) -> Telling:
    """Proposed at 10 s, signed by one at 20 s and by the other at 30 s."""
    told = Telling()
    proposal = told.propose("ru", what, at_s)
    told.sign("ru", what, proposal, at_s + 10)
    told.sign("tr", what, proposal, at_s + 20)
    return told


def why(standing, where) -> str:
    return next((one.why for one in standing.no_effect if one.ref == where), "")


# --- the table -------------------------------------------------------------------------------------------------------


def test_the_states_are_those_of_the_domain_and_nothing_leads_out_of_an_end():
    assert {str(one) for one in State} == {
        "draft", "proposed", "countered", "partly signed", "in force", "suspended", "resumed", "expired", "terminated",
    }  # fmt: skip
    for state, event in itertools.product(State, Event):
        after = state_after(state, event)
        assert after == TRANSITIONS.get((state, event))
        if state in {State.EXPIRED, State.TERMINATED}:
            assert after is None
        if after in BINDING:
            assert (state, event) in {(State.PARTLY_SIGNED, Event.ENTERED), (State.SUSPENDED, Event.RESUMED)}


def test_every_state_can_be_reached():
    reached, waiting = {State.DRAFT}, [State.DRAFT]
    while waiting:
        state = waiting.pop()
        for event in Event:
            after = state_after(state, event)
            if after is not None and after not in reached:
                reached.add(after)
                waiting.append(after)
    assert reached == set(State)


# --- signing ---------------------------------------------------------------------------------------------------------


def test_nothing_binds_before_every_party_has_signed():
    told = signed()
    states = [(told.standing(at_s).state, told.standing(at_s).in_force) for at_s in (10, 19.9, 20, 29.9)]
    assert states == [(State.PROPOSED, None)] * 2 + [(State.PARTLY_SIGNED, None)] * 2
    standing = told.standing(30)
    assert (standing.state, standing.since_s, standing.in_force) == (State.IN_FORCE, 30.0, FIRST)
    assert standing.bound_at(29.9) is None
    assert standing.bound_at(30) is FIRST
    assert told.standing(9.9) is None


def test_who_has_signed_and_who_has_not_is_shown():
    told = signed()
    version = told.standing(25).version
    assert version.missing == ("tr",)
    assert version.signatures["ru"].persons == ("minister", "chief of staff")
    assert "signed by ru; not signed by tr" in told.standing(25).sentence
    assert "binds nobody" in told.standing(25).sentence


def test_only_what_counts_counts():
    told = Telling()
    proposal = told.propose("ru", FIRST, 10)
    told.sign("ru", FIRST, proposal, 20)
    told.sign("tr", FIRST, proposal, None)
    assert told.standing(1e9).state is State.PARTLY_SIGNED
    told.said[-1] = replace(told.said[-1], counts_from_s=5e8)
    assert told.standing(1e9).since_s == 5e8


def test_an_exercise_binds_nobody():
    told = Telling()
    proposal = told.propose("ru", FIRST, 10, exercise=True)
    for party in ("ru", "tr"):
        told.sign(party, FIRST, proposal, 20, exercise=True)
    assert told.standing(30) is None
    assert told.standing(30, exercise=True).state is State.IN_FORCE
    # Nor does a signature that was given in one.
    told = Telling()
    proposal = told.propose("ru", FIRST, 10)
    told.sign("ru", FIRST, proposal, 20)
    told.sign("tr", FIRST, proposal, 20, exercise=True)
    assert told.standing(30).version.missing == ("tr",)


def test_it_binds_from_the_latest_time_that_a_signature_names():
    told = Telling()
    proposal = told.propose("ru", FIRST, 10)
    told.sign("ru", FIRST, proposal, 20, in_force_s=100.0)
    told.sign("tr", FIRST, proposal, 30, in_force_s=50.0)
    standing = told.standing(99)
    assert standing.state is State.PARTLY_SIGNED
    assert standing.flags == {Flag.WAITING}
    assert told.standing(100).since_s == 100.0
    assert told.standing(100).flags == frozenset()


def test_a_signature_that_comes_after_its_time_binds_from_when_it_counts():
    told = Telling()
    proposal = told.propose("ru", FIRST, 10)
    told.sign("ru", FIRST, proposal, 20, in_force_s=25.0)
    told.sign("tr", FIRST, proposal, 300)
    standing = told.standing(300)
    assert standing.since_s == 300.0
    assert Flag.LATE_SIGNATURE in standing.flags
    assert standing.bound_at(25) is None


@pytest.mark.parametrize("parties", ["[ru, tr, us]", "[ru, tr, us, iq]"])
def test_of_many_parties_all_have_to_sign(parties):
    many = document(parties=parties)
    told = Telling()
    proposal = told.propose("us", many, 10)
    for at_s, party in enumerate(many.parties, start=20):
        assert told.standing(at_s).state is not State.IN_FORCE
        told.sign(party, many, proposal, at_s)
    assert told.standing(100).since_s == 20 + len(many.parties) - 1


def test_a_second_signature_of_the_same_changes_nothing():
    told = signed()
    proposal = told.said[0].ref
    again = told.sign("tr", FIRST, proposal, 40)
    early = told.sign("ru", FIRST, proposal, 25)
    standing = told.standing(50)
    assert standing.since_s == 30.0
    assert "in force already" in why(standing, again)
    assert "signed the same before" in why(standing, early)


# --- what is no signature of it ---------------------------------------------------------------------------------------


def test_who_has_signed_other_bytes_has_no_agreement_and_both_are_told():
    told = Telling()
    one = told.propose("ru", FIRST, 10)
    other = told.propose("tr", SECOND, 11, counters=one)
    told.sign("ru", FIRST, one, 20)
    told.sign("tr", SECOND, other, 21)
    standing = told.standing(30)
    assert standing.in_force is None
    assert Flag.DISPUTED in standing.flags
    (dispute,) = standing.disputes
    assert dispute.parties == ("ru", "tr")
    assert set(dispute.hashes) == {FIRST.hash, SECOND.hash}
    assert FIRST.hash in dispute.sentence
    assert SECOND.hash in dispute.sentence
    assert "no agreement" in dispute.sentence
    # When one of them signs what the other has signed, there is one, and no dispute.
    told.sign("ru", SECOND, other, 40)
    assert told.standing(40).in_force is SECOND
    assert told.standing(40).disputes == ()


def test_a_signature_with_another_authentic_text_is_none_and_a_dispute():
    told = Telling()
    proposal = told.propose("ru", FIRST, 10)
    told.sign("ru", FIRST, proposal, 20)
    wrong = told.sign("tr", FIRST, proposal, 20, text=SECOND.text_hash)
    standing = told.standing(30)
    assert standing.state is State.PARTLY_SIGNED
    assert standing.version.missing == ("tr",)
    assert standing.disputes[0].hashes == (FIRST.text_hash, SECOND.text_hash)
    assert SECOND.text_hash in why(standing, wrong)
    told.sign("tr", FIRST, proposal, 40)
    assert told.standing(40).in_force is FIRST


def test_a_signature_replayed_for_another_document_has_no_effect():
    told = Telling()
    one = told.propose("ru", FIRST, 10)
    other = told.propose("tr", SECOND, 11, counters=one)
    told.sign("ru", FIRST, one, 20)
    replayed = told.sign("ru", SECOND, one, 21)  # the proposal is that of the first
    told.sign("tr", SECOND, other, 22)
    standing = told.standing(30)
    assert standing.in_force is None
    assert standing.of(SECOND.hash).missing == ("ru",)
    assert f"names the proposal of {FIRST.hash}" in why(standing, replayed)
    assert any({FIRST.hash, SECOND.hash} == set(one.hashes) for one in standing.disputes)


def test_a_signature_of_what_nobody_proposed_has_no_effect():
    told = Telling()
    proposal = told.propose("ru", FIRST, 10)
    nothing = told.sign("tr", SECOND, ref("us", 7), 20)
    unknown = told.sign("tr", FIRST, ref("us", 7), 21)
    standing = told.standing(30)
    assert "was proposed" in why(standing, nothing)
    assert "names no proposal" in why(standing, unknown)
    assert standing.version.signatures == {}
    assert proposal in standing.version.proposals


def test_who_is_no_party_signs_proposes_and_changes_nothing():
    told = signed()
    proposal = told.said[0].ref
    outside = [
        told.sign("us", FIRST, proposal, 25), told.propose("us", FIRST, 26), told.change("us", FIRST, "suspend", 40),
        told.change("us", FIRST, "terminate", 41),
    ]  # fmt: skip
    standing = told.standing(50)
    assert standing.state is State.IN_FORCE
    assert all(why(standing, one) for one in outside)


def test_a_proposal_that_says_something_else_than_its_document_is_none():
    for others, says in (
        ({"parties": ["ru", "us"]}, "other parties"),
        ({"texts": proposed(SECOND).texts}, "other texts"),
    ):
        told = Telling()
        told.documents[FIRST.hash] = FIRST
        where = told.say("ru", proposed(FIRST, **others), 10)
        told.propose("tr", FIRST, 12)
        standing = told.standing(20)
        assert says in why(standing, where)
        assert len(standing.version.proposals) == 1
    other = replace(FIRST, id="other-agreement")
    told = signed()
    told.documents[other.hash] = other
    where = told.say("ru", proposed(other, agreement="border-patrols"), 40)
    assert "of the agreement other-agreement" in why(told.standing(50), where)


def test_what_is_not_held_binds_nobody_as_far_as_we_can_tell():
    told = signed()
    told.documents.clear()
    standing = told.standing(50)
    assert standing.state is State.PARTLY_SIGNED
    assert standing.in_force is None
    assert standing.flags == {Flag.NOT_HELD}
    assert set(standing.version.signatures) == {"ru", "tr"}


# --- proposals -------------------------------------------------------------------------------------------------------


def test_a_counter_proposal_makes_it_countered_and_binds_nobody():
    told = Telling()
    one = told.propose("ru", FIRST, 10)
    told.propose("tr", SECOND, 20, counters=one)
    standing = told.standing(30)
    assert standing.state is State.COUNTERED
    assert [(version.hash, version.state) for version in standing.versions] == [
        (FIRST.hash, State.COUNTERED), (SECOND.hash, State.PROPOSED),
    ]  # fmt: skip
    assert standing.of(SECOND.hash).counters == FIRST.hash
    told.propose("ru", FIRST, 40)
    assert told.standing(40).state is State.PROPOSED


def test_a_counter_proposal_counts_whichever_of_both_counts_first():
    told = Telling()
    one = told.propose("ru", FIRST, 20)
    told.propose("tr", SECOND, 20, counters=one)
    assert {one.hash: one.state for one in told.standing(20).versions}[FIRST.hash] is State.COUNTERED


def test_what_is_taken_back_has_to_be_signed_again():
    told = Telling()
    proposal = told.propose("ru", FIRST, 10)
    told.sign("tr", FIRST, proposal, 20)
    told.change("ru", FIRST, "withdraw", 30)
    assert told.standing(30).state is State.DRAFT
    late = told.sign("ru", FIRST, proposal, 40)
    assert "taken back" in why(told.standing(40), late)
    again = told.propose("ru", FIRST, 50)
    told.sign("ru", FIRST, again, 60)
    assert told.standing(60).version.missing == ("tr",)
    told.sign("tr", FIRST, again, 70)
    assert told.standing(70).in_force is FIRST


def test_a_signature_can_be_taken_back_while_it_binds_nobody():
    for change in ("withdraw", "reject"):
        told = Telling()
        proposal = told.propose("ru", FIRST, 10)
        told.sign("tr", FIRST, proposal, 20)
        told.change("tr", FIRST, change, 30)
        assert told.standing(30).state is State.PROPOSED
        told.sign("ru", FIRST, proposal, 40)
        standing = told.standing(40)
        assert standing.in_force is None
        assert standing.version.rejected_by == (("tr",) if change == "reject" else ())
        told.sign("tr", FIRST, proposal, 50)
        assert told.standing(50).in_force is FIRST
        assert told.standing(50).version.rejected_by == ()


def test_a_cancellation_of_ones_own_signature_takes_it_back_and_of_anothers_does_nothing():
    told = Telling()
    proposal = told.propose("ru", FIRST, 10)
    signature = told.sign("tr", FIRST, proposal, 20)
    other = told.say("ru", CancelBody(entry=EntryRefValue.of(signature)), 25)
    assert told.standing(26).state is State.PARTLY_SIGNED
    assert "by its author" in why(told.standing(26), other)
    told.say("tr", CancelBody(entry=EntryRefValue.of(signature)), 30)
    told.sign("ru", FIRST, proposal, 40)
    assert told.standing(50).version.missing == ("tr",)
    told.sign("tr", FIRST, proposal, 60)
    late = told.say("tr", CancelBody(entry=EntryRefValue.of(signature)), 70)
    standing = told.standing(80)
    assert standing.in_force is FIRST
    assert "suspended or ended" in why(standing, late)
    told.say("tr", CancelBody(entry=EntryRefValue.of(ref("us", 5))), 90)
    assert len(told.standing(99).no_effect) == len(standing.no_effect), "it is about no agreement"


def test_what_is_in_force_is_not_taken_back():
    for change in ("withdraw", "reject"):
        told = signed()
        where = told.change("tr", FIRST, change, 40)
        standing = told.standing(50)
        assert standing.in_force is FIRST
        assert "suspended or ended" in why(standing, where)


def test_who_has_neither_proposed_nor_signed_takes_nothing_back():
    told = Telling()
    told.propose("ru", FIRST, 10)
    where = told.change("tr", FIRST, "withdraw", 20)
    assert "neither" in why(told.standing(30), where)


# --- suspending and ending --------------------------------------------------------------------------------------------


def test_what_one_suspends_it_alone_resumes():
    told = signed()
    told.change("ru", FIRST, "suspend", 40, reason="no answer")
    standing = told.standing(40)
    assert (standing.state, standing.in_force, standing.version.suspended_by) == (State.SUSPENDED, None, ("ru",))
    assert standing.flags == {Flag.ONE_SIDED}
    other = told.change("tr", FIRST, "resume", 50)
    standing = told.standing(50)
    assert standing.state is State.SUSPENDED
    assert standing.flags == {Flag.ONE_SIDED, Flag.DISPUTED}
    assert "only who suspended it" in why(standing, other)
    assert standing.disputes[0].parties == ("ru", "tr")
    told.change("ru", FIRST, "resume", 60)
    standing = told.standing(70)
    assert (standing.state, standing.since_s, standing.flags) == (State.RESUMED, 60.0, frozenset())
    assert [(one.from_s, one.to_s) for one in standing.periods] == [(30.0, 40.0), (60.0, None)]
    assert standing.bound_at(50) is None


def test_what_both_suspend_both_resume():
    told = signed()
    told.change("ru", FIRST, "suspend", 40)
    told.change("tr", FIRST, "suspend", 41)
    assert told.standing(45).flags == frozenset()
    told.change("ru", FIRST, "resume", 50)
    assert told.standing(50).version.suspended_by == ("tr",)
    told.change("tr", FIRST, "resume", 60)
    assert told.standing(60).state is State.RESUMED


def test_a_suspension_from_a_later_time_on_begins_then_and_can_be_taken_back_before():
    told = signed()
    told.change("ru", FIRST, "suspend", 40, from_s=100.0)
    assert told.standing(99).state is State.IN_FORCE
    assert told.standing(100).state is State.SUSPENDED
    told.change("ru", FIRST, "resume", 60)
    assert told.standing(200).state is State.IN_FORCE
    # What is said to have begun earlier begins when it counts.
    told.change("ru", FIRST, "suspend", 300, from_s=31.0)
    assert told.standing(400).version.state_s == 300.0


def test_what_is_not_in_force_cannot_be_suspended_resumed_or_ended():
    told = Telling()
    told.propose("ru", FIRST, 10)
    for at_s, change in enumerate(("suspend", "resume", "terminate"), start=20):
        where = told.change("ru", FIRST, change, at_s)
        assert "nothing to" in why(told.standing(30), where)
    nowhere = told.change("ru", SECOND, "suspend", 30)
    assert "was proposed" in why(told.standing(30), nowhere)
    assert told.standing(30).state is State.PROPOSED


def test_one_party_ends_it_and_another_may_say_otherwise_but_not_bring_it_back():
    told = signed()
    told.change("ru", FIRST, "terminate", 40)
    standing = told.standing(40)
    assert (standing.state, standing.version.ended_by) == (State.TERMINATED, "ru")
    assert standing.flags == {Flag.ONE_SIDED}
    back = told.change("tr", FIRST, "resume", 50)
    standing = told.standing(50)
    assert standing.state is State.TERMINATED
    assert Flag.DISPUTED in standing.flags
    assert "does not bring it back" in why(standing, back)
    told = signed()
    told.change("ru", FIRST, "terminate", 40)
    told.change("tr", FIRST, "terminate", 45)
    assert told.standing(50).flags == frozenset()
    assert [(one.from_s, one.to_s) for one in told.standing(50).periods] == [(30.0, 40.0)]


def test_a_document_is_over_by_its_own_terms():
    main = MAIN.replace("terms:\n", "terms:\n  - {id: end, type: DURATION, clause: '1', months: 1 months}\n")
    ending = document(main=main)
    month_s = 31 * 86_400.0
    told = signed(ending)
    assert told.standing(31).version.expires_s == pytest.approx(month_s + 30.0)
    assert told.standing(30 + month_s - 1).state is State.IN_FORCE
    standing = told.standing(30 + month_s)
    assert (standing.state, standing.in_force) == (State.EXPIRED, None)
    late = told.change("ru", ending, "suspend", 40 + month_s)
    assert "nothing to suspend" in why(told.standing(50 + month_s), late)
    assert told.standing(1e9).periods[0].to_s == pytest.approx(30 + month_s)


# --- versions --------------------------------------------------------------------------------------------------------


def test_a_later_version_takes_the_place_of_an_earlier_one_when_it_is_in_force():
    told = signed()
    proposal = told.propose("tr", SECOND, 40)
    told.sign("tr", SECOND, proposal, 50)
    standing = told.standing(55)
    assert (standing.in_force, standing.disputes) == (FIRST, ())
    assert standing.of(SECOND.hash).state is State.PARTLY_SIGNED
    told.sign("ru", SECOND, proposal, 60)
    standing = told.standing(70)
    assert (standing.in_force, standing.since_s) == (SECOND, 60.0)
    assert standing.of(FIRST.hash).state is State.TERMINATED
    assert standing.bound_at(59.9) is FIRST
    assert [(one.document, one.from_s, one.to_s) for one in standing.periods] == [
        (FIRST, 30.0, 60.0), (SECOND, 60.0, None),
    ]  # fmt: skip
    assert standing.history[-1].state is State.TERMINATED or standing.history[-1].document == SECOND.hash


def test_a_version_without_one_of_the_parties_does_not_end_what_binds_that_party():
    three = document(parties="[ru, tr, us]")
    told = Telling()
    proposal = told.propose("ru", three, 10)
    for party in three.parties:
        told.sign(party, three, proposal, 20)
    other = told.propose("ru", SECOND, 30)
    for party in SECOND.parties:
        told.sign(party, SECOND, other, 40)
    standing = told.standing(50)
    assert standing.of(three.hash).state is State.IN_FORCE
    assert standing.of(SECOND.hash).state is State.IN_FORCE
    assert standing.in_force is three, "or its terms would be checked no more"
    assert standing.bound_at(45) is three
    assert "two documents are in force under one name" in standing.disputes[0].sentence


def test_strangers_who_call_theirs_the_same_do_not_put_out_of_sight_what_binds_others():
    told = signed()
    theirs = document("2", parties="[us, tr]")
    proposal = told.propose("us", theirs, 40)
    for party in theirs.parties:
        told.sign(party, theirs, proposal, 50)
    standing = told.standing(60)
    assert (standing.in_force, standing.since_s) == (FIRST, 30.0)
    assert Flag.DISPUTED in standing.flags


def test_agreements_are_told_apart_by_what_they_are_called():
    told = signed()
    other = replace(FIRST, id="flights", annexes={**FIRST.annexes, "x": Annex("text/csv", b"")})
    told.propose("us", replace(other, parties=("us", "tr")), 40)
    told.say("us", MessageBody(text="hello"), 41)
    found = standings_of(told.said, told.documents, 50)
    assert {name: one.state for name, one in found.items()} == {
        "border-patrols": State.IN_FORCE, "flights": State.PROPOSED,
    }  # fmt: skip
    view = RecordView(heard={"agreement-proposed": told.said[:1], "agreement-signed": told.said[1:3]})
    assert standings_of(view, told.documents, 50).keys() == {"border-patrols"}
    assert standing_of("nothing", told.said, told.documents, 50) is None


def test_the_history_tells_every_change_with_who_made_it():
    told = signed()
    told.change("ru", FIRST, "suspend", 40)
    changes = told.standing(50).history
    assert [(one.at_s, one.state, one.party) for one in changes] == [
        (10, State.PROPOSED, "ru"), (20, State.PARTLY_SIGNED, "ru"), (30, State.PARTLY_SIGNED, "tr"),
        (30, State.IN_FORCE, ""), (40, State.SUSPENDED, "ru"),
    ]  # fmt: skip
    assert changes[4].sentence.startswith("1970-01-01T00:00:40.000Z: suspended by ru")


def test_no_sentence_says_that_anything_is_allowed():
    told = signed()
    told.change("ru", FIRST, "suspend", 40)
    told.change("tr", FIRST, "resume", 50)
    standing = told.standing(60)
    words = " ".join(
        [standing.sentence, *(one.sentence for one in standing.history), *(one.why for one in standing.no_effect)]
    )
    assert not {"allowed", "approved", "permitted", "cleared"} & set(words.split())


def test_the_order_in_which_entries_are_given_does_not_matter():
    told = Telling()
    one = told.propose("ru", FIRST, 10)
    other = told.propose("tr", SECOND, 10, counters=one)
    told.sign("tr", SECOND, other, 10)
    told.sign("ru", SECOND, other, 10)
    told.change("ru", SECOND, "suspend", 12)
    wanted = told.standing(50)
    for order in itertools.permutations(told.said):
        assert standing_of("border-patrols", order, told.documents, 50) == wanted


def test_heard_entries_are_values():
    assert Heard.__dataclass_params__.frozen


@pytest.mark.parametrize(("first", "second"), [("ru", "tr"), ("tr", "ru")])
def test_what_counts_from_one_moment_has_its_effect_whatever_the_parties_are_called(first, second):
    told = signed()
    told.change(first, FIRST, "suspend", 40)
    told.change(second, FIRST, "resume", 40)
    standing = told.standing(40)
    assert (standing.state, standing.flags) == (State.SUSPENDED, {Flag.ONE_SIDED, Flag.DISPUTED})
    told = signed()
    entered_s = told.standing(50).since_s
    told.change(first, FIRST, "terminate", entered_s)
    assert told.standing(50).state is State.TERMINATED


def test_of_one_party_at_one_moment_what_it_said_last_stands():
    told = signed()
    told.change("ru", FIRST, "suspend", 40)
    told.change("ru", FIRST, "resume", 40)
    assert told.standing(40).state is State.RESUMED
    told.change("ru", FIRST, "suspend", 40)
    assert told.standing(40).state is State.SUSPENDED


def test_a_signature_taken_back_at_the_moment_of_the_others_binds_nobody():
    told = Telling()
    proposal = told.propose("ru", FIRST, 10)
    told.sign("ru", FIRST, proposal, 20)
    told.change("ru", FIRST, "withdraw", 30)
    told.sign("tr", FIRST, proposal, 30)
    assert told.standing(40).in_force is None
