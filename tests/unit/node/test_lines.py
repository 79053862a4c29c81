"""Lines begun, joined, left; who is on them is what the logs say at every node."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from mnemonic import Mnemonic

from keepclear.errors import InputError, IntegrityError, PeerError
from keepclear.line.invitations import InvitationState
from keepclear.line.standing import Standing
from keepclear.node.actors import OPERATOR, Actor
from keepclear.node.lines import line_name
from keepclear.node.refusals import ClashError, NotAllowedError, NotFoundError
from keepclear.node.roles import Role, scopes_of
from keepclear.record.entry_types import EntryType
from keepclear.store.key_statements import identity_of
from tests.unit.node.lines_made import MadeNode, bring_in, carry, meet

LINE = "north-east"


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[list[MadeNode]]:
    made = [MadeNode(tmp_path / party, party, address=f"http://127.0.0.1:{n}") for n, party in enumerate("ABC", 8471)]
    yield made
    for node in made:
        node.close()


def members(node: MadeNode) -> list[str]:
    return sorted(node.lines.members(LINE).members)


def test_a_line_is_begun_once(nodes: list[MadeNode]) -> None:
    a = nodes[0]
    known = a.lines.new("North-east", by=OPERATOR)
    assert (known.line, known.name, members(a)) == (LINE, "North-east", ["A"])
    assert a.lines.members(LINE).root == known.root
    with pytest.raises(ClashError, match="has a line"):
        a.lines.new("north-east", by=OPERATOR)
    with pytest.raises(InputError, match="without a name"):
        a.lines.new("", by=OPERATOR)
    with pytest.raises(InputError, match="no name in the record"):
        a.lines.new("Евфрат", by=OPERATOR)
    with pytest.raises(NotFoundError, match="north-east"):
        a.lines.members("south")


def test_a_beginning_that_was_cut_off_goes_on(nodes: list[MadeNode]) -> None:
    a = nodes[0]
    a.records.begin(LINE)
    known = a.lines.new("North-east", by=OPERATOR)
    assert a.records.size("A/north-east/log") == 3
    assert members(a) == ["A"]
    assert known.root.index == 2


def test_two_come_together_by_words(nodes: list[MadeNode]) -> None:
    a, b, _ = nodes
    a.lines.new("North-east", by=OPERATOR)
    written = a.lines.invite(LINE, by=OPERATOR)
    seen = b.lines.look(written.data)
    assert (seen.line, seen.name, seen.party, seen.party_name) == (LINE, "North-east", "A", "The party A")
    with pytest.raises(InputError, match="word 1 differs"):
        b.lines.join(written.data, b.words, by=OPERATOR)
    assert b.records.lines() == ()
    joined = b.lines.join(written.data, a.words.upper(), by=OPERATOR)
    assert b.lines.acceptance_to_send(LINE) == (("http://127.0.0.1:8471",), joined.acceptance)
    assert [peer.kind for peer in b.cards.peers(LINE)] == ["inviter"]
    a.lines.take_acceptance(joined.acceptance)
    a.lines.take_acceptance(joined.acceptance)  # the answer to the first one was lost
    b.lines.acceptance_sent(LINE)
    assert b.lines.acceptance_to_send(LINE) is None
    assert [(one.party, one.addresses) for one in a.lines.acceptances(LINE)] == [("B", ("http://127.0.0.1:8472",))]
    assert [(peer.kind, peer.member) for peer in a.cards.peers(LINE)] == [("asking", False)]
    a.lines.admit(LINE, "B", b.words, by=OPERATOR)
    assert members(a) == ["A"]  # what B said is not here yet
    meet(LINE, a, b)
    assert members(a) == members(b) == ["A", "B"]
    assert [(peer.kind, peer.member) for peer in a.cards.peers(LINE)] == [("member", True)]
    assert [one.state for one in a.lines.invitations(LINE)] == [InvitationState.USED]
    assert not a.lines.acceptances(LINE)
    assert identity_of(a.store, "B") == b.folder.identity
    welcome = b.lines.members(LINE).members["A"].invitations
    assert [(one.by, one.words_compared) for one in welcome] == [("B", True)]
    with pytest.raises(ClashError, match="already"):
        b.lines.join(a.lines.invite(LINE, by=OPERATOR).data, a.words, by=OPERATOR)


def test_a_third_learns_what_was_said_before_it_came(nodes: list[MadeNode]) -> None:
    a, b, c = nodes
    a.lines.new("North-east", by=OPERATOR)
    bring_in(a, b, LINE)
    bring_in(a, c, LINE, b)
    assert members(a) == members(b) == members(c) == ["A", "B", "C"]
    at_b = {one.by: one.words_compared for one in b.lines.members(LINE).members["C"].invitations}
    assert at_b == {"A": True, "B": False}
    for node in nodes:
        assert not node.cards.wanted(LINE)
        assert node.lines.others(LINE) == tuple(sorted({"A", "B", "C"} - {node.folder.party}))
    sizes = [node.records.size(f"{node.folder.party}/{LINE}/log") for node in nodes]
    meet(LINE, a, b, c)
    assert [node.records.size(f"{node.folder.party}/{LINE}/log") for node in nodes] == sizes


def test_a_log_is_given_whole_and_whoever_wants_it_otherwise_is_told_why(nodes: list[MadeNode]) -> None:
    a, b, c = nodes
    a.lines.new("North-east", by=OPERATOR)
    bring_in(a, b, LINE)
    written = a.lines.invite(LINE, by=OPERATOR)
    joined = c.lines.join(written.data, a.words, by=OPERATOR)
    a.lines.take_acceptance(joined.acceptance)
    with pytest.raises(InputError, match="start: a log is given to a new member whole"):
        a.lines.admit(LINE, "C", c.words, start=5, by=OPERATOR)
    a.lines.admit(LINE, "C", c.words, start=0, by=OPERATOR)
    meet(LINE, a, b, c)
    found = b.lines.members(LINE).members["C"]
    assert found.start_of("A/north-east/log") == found.start_of("B/north-east/log") == 0


def test_somebody_else_who_had_the_invitation_is_found_out(nodes: list[MadeNode]) -> None:
    a, b, c = nodes
    a.lines.new("North-east", by=OPERATOR)
    written = a.lines.invite(LINE, by=OPERATOR)
    stolen = c.lines.join(written.data, a.words, by=OPERATOR)
    a.lines.take_acceptance(stolen.acceptance)
    with pytest.raises(InputError, match="answered"):
        a.lines.take_acceptance(b.lines.join(written.data, a.words, by=OPERATOR).acceptance)
    known = Mnemonic("english")
    others = (" ".join([word, *c.words.split()[1:]]) for word in known.wordlist)
    misheard = next(text for text in others if not known.check(text))  # one word in 16 makes the words of another key
    with pytest.raises(InputError, match="misheard"):
        a.lines.admit(LINE, "C", misheard, by=OPERATOR)
    assert [one.party for one in a.lines.acceptances(LINE)] == ["C"]
    with pytest.raises(InputError, match="somebody else answered"):
        a.lines.admit(LINE, "C", b.words, by=OPERATOR)
    assert [one.state for one in a.lines.invitations(LINE)] == [InvitationState.WITHDRAWN]
    with pytest.raises(InputError, match="has not answered"):
        a.lines.admit(LINE, "C", c.words, by=OPERATOR)
    meet(LINE, a, c)
    assert members(a) == ["A"]


def test_what_answers_no_invitation_is_refused(nodes: list[MadeNode]) -> None:
    a, b, c = nodes
    a.lines.new("North-east", by=OPERATOR)
    with pytest.raises(PeerError):
        a.lines.take_acceptance(b"\xff")
    c.lines.new("North-east", by=OPERATOR)
    joined = b.lines.join(c.lines.invite(LINE, by=OPERATOR).data, c.words, by=OPERATOR)
    a.lines.invite(LINE, by=OPERATOR)
    with pytest.raises((PeerError, IntegrityError)):
        a.lines.take_acceptance(joined.acceptance)
    with pytest.raises(ClashError, match="another line called"):
        b.lines.join(a.lines.invite(LINE, by=OPERATOR).data, a.words, by=OPERATOR)


def test_an_invitation_ends(nodes: list[MadeNode]) -> None:
    a, b, _ = nodes
    a.lines.new("North-east", by=OPERATOR)
    written = a.lines.invite(LINE, valid_s=60, by=OPERATOR)
    joined = b.lines.join(written.data, a.words, by=OPERATOR)
    a.now_s += 120
    assert [one.state for one in a.lines.invitations(LINE)] == [InvitationState.EXPIRED]
    with pytest.raises(InputError, match="good until"):
        a.lines.take_acceptance(joined.acceptance)
    later = a.lines.invite(LINE, by=OPERATOR)
    a.lines.withdraw(later.id, by=OPERATOR)
    with pytest.raises(InputError, match="withdrawn"):
        a.lines.take_acceptance(b.lines.join(later.data, a.words, by=OPERATOR).acceptance)
    with pytest.raises(NotFoundError):
        a.lines.withdraw(99, by=OPERATOR)
    with pytest.raises(InputError, match="60 s"):
        a.lines.invite(LINE, valid_s=1, by=OPERATOR)


def test_leaving_and_coming_back(nodes: list[MadeNode]) -> None:
    a, b, _ = nodes
    a.lines.new("North-east", by=OPERATOR)
    bring_in(a, b, LINE)
    b.lines.leave(LINE, "our task has ended", by=OPERATOR)
    meet(LINE, a, b)
    assert members(a) == members(b) == ["A"]
    with pytest.raises(InputError, match="not on this line"):
        b.lines.leave(LINE, by=OPERATOR)
    bring_in(a, b, LINE)
    assert members(a) == members(b) == ["A", "B"]


def test_all_others_remove_a_member(nodes: list[MadeNode]) -> None:
    a, b, c = nodes
    a.lines.new("North-east", by=OPERATOR)
    bring_in(a, b, LINE)
    bring_in(a, c, LINE, b)
    with pytest.raises(InputError, match="not another member"):
        a.lines.remove(LINE, "A", by=OPERATOR)
    a.lines.remove(LINE, "C", "does not answer", by=OPERATOR)
    carry(a, b, LINE)
    assert members(b) == ["A", "B", "C"]
    b.lines.remove(LINE, "C", by=OPERATOR)
    meet(LINE, a, b)
    assert members(a) == members(b) == ["A", "B"]
    assert a.lines.members(LINE).standings["C", c.folder.identity] is Standing.REMOVED


def test_a_new_address_is_told(nodes: list[MadeNode]) -> None:
    from keepclear.node.settings import Settings

    a, b, _ = nodes
    a.lines.new("North-east", by=OPERATOR)
    bring_in(a, b, LINE)
    a.folder.__dict__["settings"] = Settings(name="The party A", address="https://a.example:8470")
    a.welcoming.look_at(LINE)
    carry(a, b, LINE)
    assert b.lines.members(LINE).members["A"].card.addresses == ["https://a.example:8470"]
    assert [tuple(peer.card.addresses) for peer in b.cards.peers(LINE)] == [("https://a.example:8470",)]


def test_only_who_may_does_it(nodes: list[MadeNode]) -> None:
    a = nodes[0]
    roles = frozenset({Role.DUTY_OFFICER})
    officer = Actor("petrov", roles, scopes_of(roles))
    for act in (
        lambda: a.lines.new("x", by=officer),
        lambda: a.lines.invite(LINE, by=officer),
        lambda: a.lines.join(b"", "", by=officer),
        lambda: a.lines.admit(LINE, "B", "", by=officer),
        lambda: a.lines.leave(LINE, by=officer),
        lambda: a.lines.remove(LINE, "B", by=officer),
        lambda: a.lines.withdraw(1, by=officer),
    ):
        with pytest.raises(NotAllowedError):
            act()


def test_cards_that_are_none_are_refused_whole(nodes: list[MadeNode]) -> None:
    a, b, _ = nodes
    a.lines.new("North-east", by=OPERATOR)
    bring_in(a, b, LINE)
    good = b.cards.give(LINE)
    for bad in (good[:-2], b"{}\n", good + b"[1]\n", good.replace(b'"index":2', b'"index":-2'), b"\n"):
        with pytest.raises(PeerError):
            a.cards.take(LINE, bad)
    assert a.cards.take(LINE, good) == 0
    assert b"member-joined" in good
    assert EntryType.LINE_FOUNDED.encode() in good


def test_names_in_the_record() -> None:
    assert line_name("Euphrates, both banks!") == "euphrates-both-banks"
    assert len(line_name("a" * 200)) == 63
