"""Who is on a line: both sides must say it, all others must say that one is gone, and the order of logs is nothing."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from keepclear.errors import InputError
from keepclear.line.membership import MOST_REMOVALS, membership
from keepclear.line.party_words import LineLog
from keepclear.line.standing import TRANSITIONS, Standing, Word, after
from keepclear.line.trust import trusted
from keepclear.record.bodies.keys import KeyCertificateBody
from keepclear.record.entries import EntryRef
from tests.unit.line.parties_made import MadeParty, members, on_line


def line_of(*names):
    """A line whose first party founded it and brought in the others."""
    parties = [MadeParty(name) for name in names]
    root = parties[0].found()
    for other in parties[1:]:
        parties[0].bring_in(other, root)
    return root, parties


# --- the table -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", Word)
@pytest.mark.parametrize("standing", Standing)
def test_every_word_in_every_standing(standing, word):
    then = after(standing, word)
    # Nobody becomes a member but by another's word after its own, and nobody stops being one but by leaving or by all.
    if then is Standing.MEMBER and standing is not Standing.MEMBER:
        assert (standing, word) == (Standing.ASKING, Word.BROUGHT_IN)
    if standing is Standing.MEMBER and then is not Standing.MEMBER:
        assert (word, then) in {(Word.LEAVES, Standing.LEFT), (Word.REMOVED_BY_ALL, Standing.REMOVED)}
    if standing in {Standing.LEFT, Standing.REMOVED} and then is not standing:
        assert (word, then) == (Word.JOINS, Standing.ASKING)
    assert (standing, word) in TRANSITIONS or then is standing


# --- coming ----------------------------------------------------------------------------------------------------------


def test_the_founder_is_alone_at_first():
    root, (a,) = line_of("a")
    found = on_line(root, a)
    assert list(found.members) == ["a"]
    assert found.name == "north-east"
    assert found.members["a"].through == ()
    assert found.unread == ()


def test_a_party_counts_once_both_sides_have_said_so():
    root, (a,) = line_of("a")
    b = MadeParty("b")
    joined = b.join(root, a)
    found = on_line(root, a, b)
    assert list(found.members) == ["a"]
    assert [(one.party, one.why) for one in found.asking] == [
        ("b", "the member that invited it has not said so, or not as a member")
    ]
    a.invite(b, joined)
    found = on_line(root, a, b)
    assert list(found.members) == ["a", "b"]
    assert (found.members["b"].since, found.members["b"].through) == (joined, ("a",))
    assert [(one.by, one.words_compared) for one in found.members["b"].invitations] == [("a", True)]
    assert found.asking == ()


def test_an_invitation_without_compared_words_brings_nobody_in():
    root, (a,) = line_of("a")
    b = MadeParty("b")
    a.invite(b, b.join(root, a), compared=False)
    assert members(root, a, b) == ["a"]


def test_only_the_member_that_a_party_named_brings_it_in():
    root, (a, c) = line_of("a", "c")
    b = MadeParty("b")
    c.invite(b, b.join(root, a))
    found = on_line(root, a, b, c)
    assert sorted(found.members) == ["a", "c"]
    assert "b does not name c there" in [one.reason for one in found.unread]


def test_a_stranger_brings_nobody_in():
    root, (a,) = line_of("a")
    b, c = MadeParty("b"), MadeParty("c")
    b.bring_in(c, root)
    b.join(root, a)
    assert members(root, a, b, c) == ["a"]


def test_what_was_said_before_one_was_a_member_does_not_count():
    root, (a,) = line_of("a")
    b, c = MadeParty("b"), MadeParty("c")
    joined = c.join(root, b)
    b.invite(c, joined)  # before its own joining
    a.bring_in(b, root)
    assert members(root, a, b, c) == ["a", "b"]
    b.invite(c, joined)
    assert members(root, a, b, c) == ["a", "b", "c"]
    assert on_line(root, a, b, c).members["c"].through == ("a", "b")


def test_another_identity_under_the_name_is_not_the_one_invited():
    root, (a,) = line_of("a")
    b, false = MadeParty("b"), MadeParty("b", seed=2)
    b.join(root, a)
    a.invite(b, false.join(root, a))  # the right words, the wrong entry
    assert members(root, a, b, false) == ["a"]


def test_an_identity_that_signed_no_certificate_for_the_log_does_not_count():
    root, (a,) = line_of("a")
    b, thief = MadeParty("b"), MadeParty("b", seed=2)
    joined = thief.join(
        root, a, identity=b.identity.verifier.text, certificates=b.card().certificates  # copied, all of it
    )  # fmt: skip
    a.invite(b, joined)
    found = on_line(root, a, thief)
    assert list(found.members) == ["a"]
    assert any("certified this log's key" in one.reason for one in found.unread)


def test_another_line_of_the_same_name_is_another_line():
    root, (a, b) = line_of("a", "b")
    other = MadeParty("x")
    elsewhere = other.found()
    b_there = MadeParty("c")
    a.invite(b_there, b_there.join(elsewhere, a))
    assert members(root, a, b, other, b_there) == ["a", "b"]
    assert members(elsewhere, a, b, other, b_there) == ["x"]


def test_a_name_belongs_to_the_senior():
    root, (a, b, z) = line_of("a", "b", "z")
    false, lookalike = MadeParty("b", seed=2), MadeParty("B")
    z.bring_in(false, root)
    z.bring_in(lookalike, root)
    found = on_line(root, a, b, z, false, lookalike)
    assert sorted(found.members) == ["a", "b", "z"]
    assert found.members["b"].identity == b.identity.verifier
    assert {one.why for one in found.asking} == {"the name is that of another member, or can be taken for it"}


def test_the_newest_card_counts_and_needs_nobody():
    root, (a, b) = line_of("a", "b")
    b.join(root, None, addresses=["https://moved.example"])
    found = on_line(root, a, b)
    assert found.members["b"].card.addresses == ["https://moved.example"]
    assert len(found.members) == 2


def test_all_say_who_is_on_the_line_and_from_where_their_logs_are_given():
    root, (a, b) = line_of("a", "b")
    c = MadeParty("c")
    joined = a.bring_in(c, root)
    found = on_line(root, a, b, c)
    assert found.members["c"].start_of("a/border/log") == 0
    assert found.members["c"].start_of("b/border/log") is None
    assert found.members["c"].start_of("c/border/log") == 0
    b.invite(c, joined, compared=False, start=1)
    member = on_line(root, a, b, c).members["c"]
    assert member.start_of("b/border/log") == 1
    assert [(one.by, one.words_compared) for one in member.invitations] == [("a", True), ("b", False)]


def test_what_is_said_for_practice_changes_nothing():
    root, (a, b) = line_of("a", "b")
    left = b.entries[-1]
    b.leave(root)
    body = b.entries.pop()
    b.entries.append(replace(body, leaf=replace(body.leaf, exercise=True)))
    assert left is b.entries[0]
    found = on_line(root, a, b)
    assert sorted(found.members) == ["a", "b"]
    assert [one.reason for one in found.unread] == ["said for practice: it changes nothing"]


def test_a_body_that_is_not_held_is_said_to_be_missing():
    root, (a, b) = line_of("a", "b")
    b.entries[0] = b.entries[0].without_body()
    found = on_line(root, a, b)
    assert list(found.members) == ["a"]
    assert [one.reason for one in found.unread] == ["its body is not held"]
    assert [one.why for one in found.asking] == [
        "a member brings it in, and its entry is not held here, or cannot be read"
    ]


def test_the_same_log_twice_or_one_of_another_line_is_refused():
    root, (a, b) = line_of("a", "b")
    with pytest.raises(InputError, match="same log twice"):
        membership(root, [a.log(), b.log(), b.log()])
    other = MadeParty("c")
    with pytest.raises(InputError, match="not a log on the line"):
        membership(root, [a.log(), LineLog(other.identity.verifier, 0, {})])


# --- going -----------------------------------------------------------------------------------------------------------


def test_who_leaves_is_gone_and_can_come_back_only_as_it_came():
    root, (a, b) = line_of("a", "b")
    b.leave(root)
    assert members(root, a, b) == ["a"]
    joined = b.join(root, a)
    assert members(root, a, b) == ["a"]
    a.invite(b, joined)
    assert members(root, a, b) == ["a", "b"]


def test_the_founder_can_leave_and_the_line_goes_on():
    root, (a, b) = line_of("a", "b")
    a.leave(root)
    b.bring_in(c := MadeParty("c"), root)
    assert members(root, a, b, c) == ["b", "c"]


def test_removal_needs_every_other_member():
    root, (a, b, c, x) = line_of("a", "b", "c", "x")
    until = len(x.entries)
    a.remove(x, root, until=until)
    (removal,) = on_line(root, a, b, c, x).removals
    assert (removal.by, removal.missing, removal.complete) == (("a",), ("b", "c"), False)
    b.remove(x, root, until=until)
    assert members(root, a, b, c, x) == ["a", "b", "c", "x"]
    c.remove(x, root, until=until)
    found = on_line(root, a, b, c, x)
    assert sorted(found.members) == ["a", "b", "c"]
    assert found.removals[0].complete
    assert found.standings["x", x.identity.verifier] is Standing.REMOVED


def test_words_about_different_places_do_not_add_up():
    root, (a, b, x) = line_of("a", "b", "x")
    x.join(root, None)
    a.remove(x, root, until=1)
    b.remove(x, root, until=2)
    assert members(root, a, b, x) == ["a", "b", "x"]


def test_one_does_not_remove_oneself_or_count_for_it():
    root, (a, b) = line_of("a", "b")
    b.remove(b, root, until=1)
    assert members(root, a, b) == ["a", "b"]


def test_who_is_removed_says_nothing_more_and_brings_in_nobody():
    root, (a, b, x) = line_of("a", "b", "x")
    friend = MadeParty("friend")
    until = len(x.entries)
    a.remove(x, root, until=until)
    x.bring_in(friend, root)  # held by nobody when the first said it
    b.remove(x, root, until=until)
    x.join(root, None)
    assert members(root, a, b, x, friend) == ["a", "b"]
    b.invite(x, x.join(root, b))
    assert members(root, a, b, x, friend) == ["a", "b", "x"]


def test_whom_the_removed_party_brought_in_before_stays_and_is_asked():
    root, (a, x) = line_of("a", "x")
    friend = MadeParty("friend")
    x.bring_in(friend, root)
    until = len(x.entries)
    a.remove(x, root, until=until)
    assert members(root, a, x, friend) == ["a", "friend", "x"]
    friend.remove(x, root, until=until)
    assert members(root, a, x, friend) == ["a", "friend"]


def test_who_is_brought_in_after_a_removal_is_not_asked():
    root, (a, b, x) = line_of("a", "b", "x")
    until = len(x.entries)
    a.remove(x, root, until=until)
    late, later = MadeParty("late"), MadeParty("later")
    a.bring_in(late, root)
    late.bring_in(later, root)
    assert members(root, a, b, x, late, later) == ["a", "b", "late", "later", "x"]
    b.remove(x, root, until=until)
    assert members(root, a, b, x, late, later) == ["a", "b", "late", "later"]


def test_somebody_whose_log_is_not_held_here_is_waited_for():
    root, (a, b, x) = line_of("a", "b", "x")
    until = len(x.entries)
    a.remove(x, root, until=until)
    assert members(root, a, x) == ["a", "x"]
    assert members(root, a, b, x) == ["a", "b", "x"]


def test_two_who_remove_each_other_are_both_gone():
    root, (a, b, c) = line_of("a", "b", "c")
    sizes = {"a": len(a.entries), "c": len(c.entries)}
    b.remove(a, root, until=sizes["a"])
    b.remove(c, root, until=sizes["c"])
    c.remove(a, root, until=sizes["a"])
    a.remove(c, root, until=sizes["c"])
    assert members(root, a, b, c) == ["b"]


# --- logs begun anew -------------------------------------------------------------------------------------------------


def begun_anew(party, *, said_before=True):
    later = MadeParty(party.name, party.seed, begun=2, before=party)
    note = party.certificate(later.log_key.verifier, supersedes=party.log_key.verifier)
    if said_before:
        party.say(KeyCertificateBody(note=note))
    later.say(KeyCertificateBody(note=note))
    return later


@pytest.mark.parametrize("said_before", [True, False])
def test_a_log_begun_anew_goes_on(said_before):
    root, (a, b) = line_of("a", "b")
    later = begun_anew(b, said_before=said_before)
    assert members(root, a, b, later) == ["a", "b"]
    later.bring_in(c := MadeParty("c"), root)
    assert members(root, a, b, later, c) == ["a", "b", "c"]
    later.leave(root)
    assert members(root, a, b, later, c) == ["a", "c"]


def test_a_log_that_gave_way_to_another_says_nothing_more():
    root, (a, b) = line_of("a", "b")
    later = begun_anew(b)
    b.leave(root)
    assert members(root, a, b, later) == ["a", "b"]


def test_a_false_log_of_the_name_says_nothing():
    root, (a, b) = line_of("a", "b")
    false = MadeParty("b", seed=2, begun=2)
    false.entries = [*b.entries]  # all that was said before, word for word
    false.leave(root)
    assert members(root, a, b, false) == ["a", "b"]


# --- whose word it is ------------------------------------------------------------------------------------------------


def test_whom_one_believes_follows_from_the_words_one_compared():
    root, (a, b) = line_of("a", "b")
    b.bring_in(c := MadeParty("c"), root)
    found = on_line(root, a, b, c)
    assert trusted(found, [a.identity.verifier]) == {"a": ("a",), "b": ("a", "b"), "c": ("a", "b", "c")}
    assert trusted(found, [c.identity.verifier]) == {"a": ("c", "b", "a"), "b": ("c", "b"), "c": ("c",)}
    assert trusted(found, []) == dict.fromkeys("abc")
    other = MadeParty("b", seed=9)
    assert trusted(found, [a.identity.verifier, other.identity.verifier]) == {"a": ("a",), "b": None, "c": None}


def test_the_keys_of_a_member_are_in_its_ring():
    root, (a, b) = line_of("a", "b")
    ring = on_line(root, a, b).members["b"].ring
    assert b.transport.verifier in {one.key for one in ring.periods("b", "transport")}


def test_the_order_in_which_logs_are_given_is_nothing():
    root, (a, b, x) = line_of("a", "b", "x")
    x.bring_in(c := MadeParty("c"), root)
    for one in (a, b, c):
        one.remove(x, root, until=2)
    logs = [party.log() for party in (a, b, c, x)]
    first, *others = [membership(root, order) for order in itertools.permutations(logs)]
    assert all(one == first for one in others)
    assert sorted(first.members) == ["a", "b", "c"]


def test_a_root_that_is_not_held_gives_nobody():
    root, (a, b) = line_of("a", "b")
    other = EntryRef(root.origin, 0, bytes(32))
    assert on_line(other, a, b).members == {}
    assert on_line(root, b).members == {}


def test_removals_said_by_the_thousand_are_bounded():
    root, (a, b, x) = line_of("a", "b", "x")
    x.join(root, None)
    for until in range(3, MOST_REMOVALS + 20):
        a.remove(b, root, until=until)
    a.remove(x, root, until=2)
    b.remove(x, root, until=2)
    assert members(root, a, b, x) == ["a", "b", "x"]
    assert len(on_line(root, a, b, x).removals) <= MOST_REMOVALS + 1


def test_nobody_escapes_being_cut_off_by_leaving():
    root, (a, b, x) = line_of("a", "b", "x")
    until = len(x.entries)
    a.remove(x, root, until=until)
    x.bring_in(friend := MadeParty("friend"), root)
    x.leave(root)
    b.remove(x, root, until=until)
    assert members(root, a, b, x, friend) == ["a", "b"]


def test_a_log_begun_anew_is_given_as_far_as_its_author_said():
    root, (a, b) = line_of("a", "b")
    later = begun_anew(b)
    c = MadeParty("c")
    joined = a.bring_in(c, root)
    later.invite(c, joined, compared=False)
    member = on_line(root, a, b, later, c).members["c"]
    assert [member.start_of(f"b/border/log{number}") for number in ("", "/2", "/3")] == [0, 0, 0]
    later.invite(c, joined, compared=False, start=1)  # the newest word counts, and what came before is not given
    member = on_line(root, a, b, later, c).members["c"]
    assert [member.start_of(f"b/border/log{number}") for number in ("", "/2", "/3")] == [None, 1, 0]
