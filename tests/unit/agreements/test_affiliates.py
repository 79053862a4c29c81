"""Affiliates: who a party says it binds, and who confirms or denies it."""

from __future__ import annotations

import pytest

from keepclear.agreements.affiliates import affiliates_of
from keepclear.agreements.facts import RecordView
from keepclear.record.bodies.agreements import AffiliateBody
from tests.unit.agreements.made_agreements import Telling, document

MADE = document(parties="[us, ru]")


@pytest.fixture
def told():
    telling = Telling()
    proposal = telling.propose("us", MADE, 10)
    telling.sign("us", MADE, proposal, 20, affiliates=["tr"])
    telling.sign("ru", MADE, proposal, 20)
    return telling


def say(told, party, stance, at_s, *, affiliate="tr", by="us", agreement="border-patrols", **others):
    body = AffiliateBody(affiliate=affiliate, by=by, stance=stance, agreement=agreement)
    return told.say(party, body, at_s, **others)


def shown(told, at_s=100.0):
    return [one.sentence for one in affiliates_of(told.standing(at_s), told.said)]


def test_who_is_named_in_a_signature_is_asserted_and_unconfirmed(told):
    assert shown(told) == ["cover of tr by us: asserted by us, unconfirmed"]


def test_the_affiliate_itself_or_another_party_confirms_it(told):
    say(told, "tr", "confirms", 30)
    assert shown(told, 29.0) == ["cover of tr by us: asserted by us, unconfirmed"]
    assert shown(told) == ["cover of tr by us: asserted by us, confirmed by tr"]
    say(told, "ru", "asserts", 40)
    assert shown(told) == ["cover of tr by us: asserted by us, confirmed by ru, tr"]


def test_the_party_that_binds_it_does_not_confirm_itself(told):
    say(told, "us", "confirms", 30)
    assert shown(told) == ["cover of tr by us: asserted by us, unconfirmed"]


def test_a_denial_stands_beside_the_assertion(told):
    say(told, "tr", "denies", 30)
    assert shown(told) == ["cover of tr by us: asserted by us, denied by tr, unconfirmed"]


def test_the_last_word_of_each_counts_and_what_all_have_withdrawn_is_gone(told):
    say(told, "tr", "confirms", 30)
    say(told, "tr", "withdraws", 40)
    assert shown(told) == ["cover of tr by us: asserted by us, unconfirmed"]
    say(told, "us", "withdraws", 50)
    assert shown(told) == []


def test_only_what_counts_of_this_agreement_is_looked_at(told):
    say(told, "tr", "confirms", None)
    say(told, "tr", "confirms", 30, exercise=True)
    say(told, "tr", "confirms", 30, agreement="another")
    assert shown(told) == ["cover of tr by us: asserted by us, unconfirmed"]
    ref = say(told, "tr", "confirms", 40, agreement=None)
    (found,) = affiliates_of(told.standing(100.0), RecordView(heard={"affiliate": told.said[3:]}))
    assert found.confirmed_by == ("tr",)
    assert ref in found.refs


def test_each_affiliate_of_each_party_stands_by_itself(told):
    say(told, "ru", "asserts", 30, affiliate="council", by="ru")
    say(told, "us", "denies", 31, affiliate="council", by="ru")
    assert shown(told) == [
        "cover of council by ru: asserted by ru, denied by us, unconfirmed",
        "cover of tr by us: asserted by us, unconfirmed",
    ]
