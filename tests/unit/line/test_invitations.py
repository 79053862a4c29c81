"""Invitations: what comes back, what is refused, and that nobody goes on without having compared words."""

from __future__ import annotations

import pytest

from keepclear.errors import InputError, IntegrityError, PeerError
from keepclear.line.acceptances import Compared, accept, admit, compare, join, read_acceptance
from keepclear.line.invitations import (
    INVITATION_TRANSITIONS,
    Invitation,
    InvitationEvent,
    InvitationState,
    after_event,
    read_invitation,
    sign_invitation,
)
from keepclear.line.signed_json import sign_json
from keepclear.record.canonical import parse_canonical
from keepclear.record.fingerprints import words
from keepclear.record.names import Purpose
from keepclear.record.notes import Note, signed
from tests.unit.line.parties_made import MadeParty, members, signing_key

SECRET = bytes(range(32))
A, B = MadeParty("a"), MadeParty("b")
ROOT = A.found()
INVITATION = Invitation(ROOT, "border", "north-east", A.card(), 2000.0, SECRET)
FILE = sign_invitation(INVITATION, A.transport)


def spoken(party):
    return " ".join(words(party.identity.verifier))


def joined_and_accepted(party=None, invitation=INVITATION):
    party = party or MadeParty("b")
    body = join(invitation, compare(spoken(A), invitation.keys.identity), card=party.card(), now_s=1500.0)
    joined = party.say(body)
    return party, joined, accept(invitation, card=party.card(), joined=joined, key=party.transport)


def changed(data, key, *, head=None, **members):
    first, line = Note.of_bytes(data).text.splitlines()
    value = parse_canonical(line.encode()) | members
    return sign_json(head or first, {name: one for name, one in value.items() if one is not ...}, key)


def test_an_invitation_comes_back_as_it_was():
    assert read_invitation(FILE) == INVITATION
    assert "secret" not in repr(INVITATION)
    assert b"PRIVATE" not in FILE


def test_two_parties_come_together():
    a, b = MadeParty("a"), MadeParty("b")
    root = a.found()
    invitation = read_invitation(
        sign_invitation(Invitation(root, "border", "north-east", a.card(), 2000.0, SECRET), a.transport)
    )
    b_joined = b.say(join(invitation, compare(spoken(a), invitation.keys.identity), card=b.card(), now_s=1500.0))
    answer = accept(invitation, card=b.card(), joined=b_joined, key=b.transport)
    acceptance = read_acceptance(answer, invitation, now_s=1600.0)
    assert members(root, a, b) == ["a"]
    a.say(admit(acceptance, compare(spoken(b), acceptance.keys.identity)))
    assert members(root, a, b) == ["a", "b"]


def test_nobody_goes_on_with_the_words_of_another():
    wrong = Compared(B.identity.verifier)
    with pytest.raises(InputError, match="another identity"):
        join(INVITATION, wrong, card=B.card(), now_s=1500.0)
    _, _, answer = joined_and_accepted()
    acceptance = read_acceptance(answer, INVITATION, now_s=1500.0)
    with pytest.raises(InputError, match="another identity"):
        admit(acceptance, Compared(A.identity.verifier))
    with pytest.raises(InputError, match="word 1 differs"):
        compare(spoken(B), INVITATION.keys.identity)


def test_who_found_the_invitation_on_the_way_has_other_words():
    _, _, answer = joined_and_accepted(MadeParty("b", seed=2))
    acceptance = read_acceptance(answer, INVITATION, now_s=1500.0)  # its tag holds: it had the file
    with pytest.raises(InputError, match="most likely those of another key"):
        compare(spoken(B), acceptance.keys.identity)


def test_an_invitation_has_a_last_day():
    _, _, answer = joined_and_accepted()
    words_of_a = compare(spoken(A), INVITATION.keys.identity)
    with pytest.raises(InputError, match="was good until 1970-01-01T00:33:20"):
        join(INVITATION, words_of_a, card=B.card(), now_s=2000.5)
    with pytest.raises(InputError, match="was good until 1970-01-01T00:33:20"):
        read_acceptance(answer, INVITATION, now_s=2000.5)


@pytest.mark.parametrize("secret", [A.identity.seed(), A.transport.seed(), A.log_key.seed()])
def test_a_private_key_is_no_secret(secret):
    with pytest.raises(InputError, match="private key"):
        Invitation(ROOT, "border", "x", A.card(), 2000.0, secret)


@pytest.mark.parametrize(
    ("changes", "words_"),
    [
        ({"line": "a b"}, "line"),
        ({"line": "other"}, "no log on other"),
        ({"name": ""}, "name"),
        ({"name": "x" * 1001}, "name"),
        ({"expires": "tomorrow"}, "expires"),
        ({"expires": "2026-01-31T09:00:00Z"}, "expires"),  # another spelling of a time
        ({"expires": "2026-02-30T09:00:00.000Z"}, "expires"),
        ({"secret": "AAAA"}, "secret"),
        ({"secret": ...}, "secret: missing"),
        ({"versions": [2, 1]}, "versions"),
        ({"versions": [1]}, "versions"),
        ({"versions": [True, True]}, "versions"),
        ({"root": {}}, "origin"),
        ({"root": 7}, "root"),
        ({"card": {}}, "card"),
        ({"card": A.card().model_dump() | {"private_key": "x"}}, "card"),
        ({"card": A.card().model_dump() | {"identity": B.identity.verifier.text}}, "card"),
        ({"private_key": "x"}, "private_key: there is no such member"),
    ],
)
def test_what_is_not_an_invitation_is_refused(changes, words_):
    with pytest.raises(PeerError, match=words_):
        read_invitation(changed(FILE, A.transport, **changes))


def test_other_forms_are_refused():
    with pytest.raises(PeerError, match="its version is newer"):
        read_invitation(changed(FILE, A.transport, head="keepclear invitation v2"))
    with pytest.raises(PeerError, match="another head"):
        read_invitation(changed(FILE, A.transport, head="keepclear heartbeat v1"))
    with pytest.raises(PeerError, match="bytes"):
        read_invitation(b"x" * 1_000_000)
    text = Note.of_bytes(FILE).text
    for odd in (text + "more\n", text.replace('{"card"', '{ "card"'), "keepclear invitation v1\n[]\n"):
        with pytest.raises(PeerError):
            read_invitation(signed(odd, A.transport).to_bytes())


def test_an_invitation_that_its_transport_key_did_not_sign_is_refused():
    with pytest.raises(IntegrityError):
        read_invitation(changed(FILE, signing_key("a", Purpose.TRANSPORT, 7)))
    with pytest.raises(IntegrityError, match="does not hold"):
        read_invitation(FILE.replace(b"north-east", b"north-west"))


def test_a_card_with_a_false_certificate_is_refused():
    card = A.card().model_dump()
    card["certificates"][2] = MadeParty("a", seed=2).card().certificates[2]
    with pytest.raises(IntegrityError, match="certificate on the card"):
        read_invitation(changed(FILE, signing_key("a", Purpose.TRANSPORT, 2), card=card))
    card["certificates"].pop()
    with pytest.raises(IntegrityError, match="no certificate for a transport key"):
        read_invitation(changed(FILE, A.transport, card=card))


def test_an_acceptance_without_the_secret_is_refused():
    other = Invitation(ROOT, "border", "north-east", A.card(), 2000.0, bytes(32))
    _, _, answer = joined_and_accepted(invitation=other)
    with pytest.raises(IntegrityError, match="did not have this invitation"):
        read_acceptance(answer, INVITATION, now_s=1500.0)


def test_an_acceptance_is_of_one_entry_one_card_and_one_line():
    b, _, answer = joined_and_accepted()
    later = b.join(ROOT, A)
    ref = {"origin": later.origin, "index": later.index, "leaf": "A" * 43 + "="}
    for changes in (
        {"joined": ref},
        {"card": MadeParty("b").card(languages=["tr"]).model_dump()},
        {"versions": [1, 2]},
    ):
        with pytest.raises(IntegrityError, match="tag"):
            read_acceptance(changed(answer, b.transport, **changes), INVITATION, now_s=1500.0)
    with pytest.raises(PeerError, match="another line"):
        read_acceptance(changed(answer, b.transport, line="other"), INVITATION, now_s=1500.0)
    with pytest.raises(PeerError, match="no such member"):
        read_acceptance(changed(answer, b.transport, extra=1), INVITATION, now_s=1500.0)
    with pytest.raises(IntegrityError):
        read_acceptance(changed(answer, signing_key("b", Purpose.TRANSPORT, 5)), INVITATION, now_s=1500.0)


def test_our_own_mistakes_are_told():
    joined = B.join(ROOT, A)
    with pytest.raises(InputError, match="is not on the card"):
        accept(INVITATION, card=B.card(), joined=joined, key=A.transport)
    with pytest.raises(InputError, match="b/border/log"):
        accept(INVITATION, card=B.card(), joined=ROOT, key=B.transport)
    with pytest.raises(InputError, match="no certificate for a mirror key"):
        accept(INVITATION, card=B.card(certificates=B.card().certificates[:1]), joined=joined, key=B.transport)
    with pytest.raises(InputError, match="is not on the card"):
        sign_invitation(INVITATION, B.transport)


@pytest.mark.parametrize("event", InvitationEvent)
@pytest.mark.parametrize("state", InvitationState)
def test_every_event_in_every_state(state, event):
    then = INVITATION_TRANSITIONS.get((state, event))
    if then is None:
        with pytest.raises(InputError, match=f"the invitation is {state.value}"):
            after_event(state, event)
        return
    assert after_event(state, event) is then
    if then is InvitationState.USED and state is not then:  # used once, and only after words were compared
        assert (state, event) == (InvitationState.COMPARED, InvitationEvent.ADMITTED)
    if then is InvitationState.COMPARED and state is not then:
        assert (state, event) == (InvitationState.ANSWERED, InvitationEvent.WORDS)
    if state in {InvitationState.USED, InvitationState.WITHDRAWN, InvitationState.EXPIRED}:
        assert then is state


def test_an_invitation_is_answered_once():
    assert (InvitationState.ANSWERED, InvitationEvent.ACCEPTANCE) not in INVITATION_TRANSITIONS
