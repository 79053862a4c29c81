"""Key rings: who is believed about which key, from when to when, and what is refused for which reason."""

from __future__ import annotations

import pytest

from keepclear.errors import InputError
from keepclear.record.certificates import Certificate, Reason, Revocation, Vouch, sign_statement
from keepclear.record.key_ring import KeyRing
from keepclear.record.keys import SignatureKind, SigningKey, VerifierKey
from keepclear.record.names import Purpose, identity_name, log_origin, mirror_name, transport_name
from keepclear.record.notes import Note, Signature, signed

ED, COSIGNING = SignatureKind.ED25519, SignatureKind.COSIGNATURE


def key(name, seed, kind=ED) -> SigningKey:
    return SigningKey.of_seed(name, kind, seed.to_bytes(32, "big"))


IDENTITY = {party: key(identity_name(party), n) for n, party in enumerate("abc", 1)}
A, B, C = IDENTITY.values()
LOG = key(log_origin("a", "north"), 10).verifier
LOG2 = key(log_origin("a", "north"), 11).verifier
MIRROR = key(mirror_name("a", "north"), 12, COSIGNING).verifier
TRANSPORT = key(transport_name("a"), 13).verifier
FOUNDED = KeyRing.founded([one.verifier for one in IDENTITY.values()])


def certificate(verifier, *, purpose=Purpose.LOG, line="north", from_s=100, supersedes=None, party="a", by=None):
    statement = Certificate(party, purpose, line, verifier, from_s, supersedes)
    return sign_statement(statement, by or IDENTITY[party])


def revocation(verifier, *, from_s=200, reason=Reason.COMPROMISED, party="a", by=None):
    return sign_statement(Revocation(party, verifier, from_s, reason), by or IDENTITY[party])


def vouch(verifier, *, by, party="a", supersedes=A.verifier, from_s=300, identity=None):
    return sign_statement(Vouch(party, verifier, supersedes, by, from_s), identity or IDENTITY[by])


def taken(*statements, ring=FOUNDED) -> KeyRing:
    after = ring.taking(statements)
    assert [one.reason for one in after.refused] == []
    return after


def refused(*statements, ring=FOUNDED) -> str:
    """The reason for which the last of the statements is refused; it must change nothing."""
    before = taken(*statements[:-1], ring=ring)
    after = before.taking(statements[-1:])
    assert after.held == before.held
    assert after.vouches == before.vouches
    (refusal,) = after.refused
    assert (refusal.number, refusal.data) == (len(statements) - 1 + ring.count, statements[-1])
    return refusal.reason


def log_at(ring, at_s):
    return ring.key_for("a", Purpose.LOG, "north", at_s)


def test_a_certified_key_is_the_partys_from_then_on():
    ring = taken(certificate(LOG))
    assert log_at(ring, 99.9) is None
    assert log_at(ring, 100) == LOG
    assert log_at(ring, 1e12) == LOG
    assert ring.key_for("a", Purpose.LOG, "south", 100) is None
    assert ring.key_for("a", Purpose.MIRROR, "north", 100) is None
    assert ring.key_for("b", Purpose.LOG, "north", 100) is None


def test_a_party_has_keys_for_each_purpose_and_line():
    south = key(log_origin("a", "south"), 14).verifier
    ring = taken(
        certificate(LOG),
        certificate(MIRROR, purpose=Purpose.MIRROR),
        certificate(TRANSPORT, purpose=Purpose.TRANSPORT, line=None),
        certificate(south, line="south"),
    )
    assert log_at(ring, 100) == LOG
    assert ring.key_for("a", Purpose.MIRROR, "north", 100) == MIRROR
    assert ring.key_for("a", Purpose.TRANSPORT, None, 100) == TRANSPORT
    assert ring.key_for("a", Purpose.LOG, "south", 100) == south
    assert ring.key_for("a", Purpose.IDENTITY, None, 0) == A.verifier
    assert set(ring.parties) == {"a", "b", "c"}


def test_the_ring_before_is_left_as_it_was():
    ring = taken(certificate(LOG))
    taken(certificate(LOG2, supersedes=LOG, from_s=500), ring=ring)
    assert log_at(ring, 600) == LOG
    assert log_at(FOUNDED, 600) is None


def test_a_key_is_superseded_at_the_moment_the_next_begins():
    ring = taken(certificate(LOG), certificate(LOG2, supersedes=LOG, from_s=500))
    assert [log_at(ring, at_s) for at_s in (99, 100, 499.9, 500, 1e9)] == [None, LOG, LOG, LOG2, LOG2]
    assert [one.ended for one in ring.periods("a", Purpose.LOG, "north")] == ["superseded", ""]


def test_a_revoked_key_ends_and_another_may_follow():
    ring = taken(certificate(LOG), revocation(LOG))
    assert [log_at(ring, at_s) for at_s in (199, 200)] == [LOG, None]
    for supersedes in (None, LOG):
        after = taken(certificate(LOG2, supersedes=supersedes, from_s=250), ring=ring)
        assert [log_at(after, at_s) for at_s in (199, 200, 249, 250)] == [LOG, None, None, LOG2]
    assert ring.periods("a", Purpose.LOG, "north")[0].ended == "compromised"


def test_a_key_certified_from_a_mistaken_time_can_be_undone():
    third = key(log_origin("a", "north"), 15).verifier
    ring = taken(
        certificate(LOG),
        certificate(LOG2, supersedes=LOG, from_s=10**10),
        revocation(LOG2, reason=Reason.RETIRED, from_s=600),
        certificate(third, from_s=700),
    )
    assert [log_at(ring, at_s) for at_s in (650, 700, 10**10 + 1)] == [LOG, third, third]


def test_a_statement_repeated_word_for_word_changes_nothing():
    ring = taken(certificate(LOG), certificate(LOG), revocation(LOG), revocation(LOG), certificate(LOG))
    assert len(ring.periods("a", Purpose.LOG, "north")) == 1
    assert ring.count == 5


# --- what is refused -------------------------------------------------------------------------------------------------


def test_two_logs_never_share_a_key():
    other = VerifierKey(log_origin("b", "north"), ED, LOG.public)
    assert "two logs never share a key" in refused(certificate(LOG), certificate(other, party="b"))
    south = VerifierKey(log_origin("a", "south"), ED, LOG.public)
    assert "two logs never share a key" in refused(certificate(LOG), certificate(south, line="south"))
    anew = VerifierKey(log_origin("a", "north", begun=2), ED, LOG.public)
    assert "two logs never share a key" in refused(certificate(LOG), certificate(anew, supersedes=LOG))


def test_a_key_serves_one_purpose():
    mirror = VerifierKey(mirror_name("a", "north"), COSIGNING, LOG.public)
    assert "one purpose" in refused(certificate(LOG), certificate(mirror, purpose=Purpose.MIRROR))
    transport = VerifierKey(transport_name("a"), ED, LOG.public)
    assert "one purpose" in refused(certificate(LOG), certificate(transport, purpose=Purpose.TRANSPORT, line=None))
    identity = VerifierKey(log_origin("a", "north"), ED, A.verifier.public)
    assert "one purpose" in refused(certificate(identity))


def test_a_key_id_is_one_keys_on_a_line():
    one = SigningKey.of_seed(log_origin("a", "north"), ED, COLLIDING[0].to_bytes(32, "big")).verifier
    two = SigningKey.of_seed(log_origin("b", "north"), ED, COLLIDING[1].to_bytes(32, "big")).verifier
    assert one.key_id == two.key_id
    assert "key id" in refused(certificate(one), certificate(two, party="b"))


def test_no_key_is_certified_twice_even_after_its_end():
    assert "no key is certified twice" in refused(certificate(LOG), certificate(LOG, from_s=150, supersedes=LOG))
    assert "no key is certified twice" in refused(certificate(LOG), revocation(LOG), certificate(LOG, from_s=300))
    again = certificate(LOG, from_s=600, supersedes=LOG2)
    assert "no key is certified twice" in refused(certificate(LOG), certificate(LOG2, supersedes=LOG), again)


@pytest.mark.parametrize("signer", [B, key(identity_name("a"), 99)])
def test_a_certificate_not_signed_by_the_partys_identity_is_refused(signer):
    text = Certificate("a", Purpose.LOG, "north", LOG, 100).text
    assert "not signed by the identity of a" in refused(signed(text, signer).to_bytes())


def test_a_signature_that_does_not_hold_is_refused():
    note = Note.of_bytes(certificate(LOG))
    line = note.signatures[0]
    forged = Note(note.text, (Signature(line.name, line.key_id, line.value[:-1] + b"\x00"),))
    assert "does not hold" in refused(forged.to_bytes())


def test_a_party_without_an_identity_has_no_keys():
    stranger = key(identity_name("d"), 40)
    log = key(log_origin("d", "north"), 41).verifier
    assert "d has no identity" in refused(certificate(log, party="d", by=stranger))


def test_what_a_revoked_identity_signs_is_refused_whatever_time_it_names():
    ring = taken(certificate(LOG), revocation(A.verifier))
    assert ring.identity_of("a") is None
    assert log_at(ring, 1000) == LOG  # what was certified before stands until it is revoked or superseded
    for late in (certificate(MIRROR, purpose=Purpose.MIRROR, from_s=1), revocation(LOG, from_s=1)):
        assert "had been compromised before" in refused(late, ring=ring)


def test_succession_is_said_and_in_order():
    assert "it must supersede" in refused(certificate(LOG), certificate(LOG2, from_s=200))
    third = key(log_origin("a", "north"), 15).verifier
    assert "it must supersede" in refused(certificate(LOG), certificate(LOG2, supersedes=third))
    assert "there is no key" in refused(certificate(LOG2, supersedes=LOG))
    assert "begins before" in refused(certificate(LOG), certificate(LOG2, supersedes=LOG, from_s=99))
    assert "begins before" in refused(certificate(LOG), revocation(LOG), certificate(LOG2, from_s=199))


def test_a_log_begun_anew_does_not_give_way_to_the_one_before():
    anew = key(log_origin("a", "north", begun=2), 16).verifier
    ring = taken(certificate(LOG), certificate(anew, supersedes=LOG))
    assert log_at(ring, 100) == anew
    assert "is over" in refused(certificate(LOG2, supersedes=anew), ring=ring)


def test_only_keys_that_are_there_are_revoked_and_by_their_party():
    assert "has had no key" in refused(revocation(LOG))
    assert "had already been compromised" in refused(certificate(LOG), revocation(LOG), revocation(LOG, from_s=300))
    text = Revocation("a", LOG, 200, Reason.LOST).text
    assert "not signed by the identity of a" in refused(certificate(LOG), signed(text, B).to_bytes())


def test_a_theft_found_out_later_ends_a_superseded_key_earlier():
    ring = taken(certificate(LOG), certificate(LOG2, supersedes=LOG, from_s=500), revocation(LOG, from_s=300))
    assert [log_at(ring, at_s) for at_s in (299, 300, 500)] == [LOG, None, LOG2]


@pytest.mark.parametrize("data", [b"", b"x\n\n", signed("keepclear key certificate v9\n", A).to_bytes()])
def test_what_is_no_statement_is_refused_and_the_rest_is_taken(data):
    ring = FOUNDED.taking([data, certificate(LOG)])
    assert len(ring.refused) == 1
    assert log_at(ring, 100) == LOG


# --- identities lost -------------------------------------------------------------------------------------------------

NEW = key(identity_name("a"), 20)


def test_a_new_identity_needs_all_other_members():
    one = taken(vouch(NEW.verifier, by="b"))
    assert one.identity_of("a") == A.verifier
    both = taken(vouch(NEW.verifier, by="c", from_s=350), ring=one)
    assert both.identity_of("a") == NEW.verifier
    assert [both.key_for("a", Purpose.IDENTITY, None, at_s) for at_s in (349, 350)] == [A.verifier, NEW.verifier]
    assert "had been superseded before" in refused(certificate(LOG), ring=both)
    assert log_at(taken(certificate(LOG, by=NEW), ring=both), 100) == LOG


def test_as_many_as_asked_for_are_enough():
    founded = KeyRing.founded([one.verifier for one in IDENTITY.values()], vouches_needed=1)
    assert taken(vouch(NEW.verifier, by="b"), ring=founded).identity_of("a") == NEW.verifier


def test_a_member_counts_once_however_often_it_vouches():
    ring = taken(vouch(NEW.verifier, by="b"), vouch(NEW.verifier, by="b"), vouch(NEW.verifier, by="b", from_s=301))
    assert ring.identity_of("a") == A.verifier


def test_vouches_for_different_keys_do_not_add_up():
    other = key(identity_name("a"), 21)
    ring = taken(vouch(NEW.verifier, by="b"), vouch(other.verifier, by="c"))
    assert ring.identity_of("a") == A.verifier


def test_the_vouch_of_an_identity_revoked_since_does_not_count():
    founded = KeyRing.founded([one.verifier for one in IDENTITY.values()], vouches_needed=2)
    ring = taken(vouch(NEW.verifier, by="b"), revocation(B.verifier, party="b"), ring=founded)
    assert taken(vouch(NEW.verifier, by="c"), ring=ring).identity_of("a") == A.verifier


def test_a_member_joins_when_all_vouch_for_it():
    joined = key(identity_name("d"), 30)
    ring = taken(*(vouch(joined.verifier, by=by, party="d", supersedes=None) for by in "abc"))
    assert ring.identity_of("d") == joined.verifier
    assert "d" in ring.parties


def test_vouches_that_cannot_be_are_refused():
    assert "supersedes is" in refused(vouch(NEW.verifier, by="b", supersedes=None))
    assert "supersedes is" in refused(vouch(key(identity_name("d"), 30).verifier, by="b", party="d", supersedes=NEW_D))
    stolen = VerifierKey(identity_name("a"), ED, LOG.public)
    assert "one purpose" in refused(certificate(LOG), vouch(stolen, by="b"))
    text = Vouch("a", NEW.verifier, A.verifier, "b", 300).text
    assert "not signed by the identity of b" in refused(signed(text, C).to_bytes())
    assert "not signed by the identity of b" in refused(signed(text, A).to_bytes())
    capital = key(identity_name("A"), 31).verifier
    assert "capitals" in refused(vouch(capital, by="b", party="A", supersedes=None))
    gone = taken(revocation(A.verifier, from_s=400))
    assert "begins before" in refused(vouch(NEW.verifier, by="b", from_s=399), ring=gone)


NEW_D = key(identity_name("d"), 32).verifier


# --- foundation ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("identities", "said"),
    [
        ([LOG], "is not an identity"),
        ([VerifierKey("a/identity", COSIGNING, LOG.public)], "is not an identity"),
        ([A.verifier, NEW.verifier], "two identities of a"),
        ([A.verifier, VerifierKey("b/identity", ED, A.verifier.public)], "one owner"),
        ([A.verifier, key("A/identity", 50).verifier], "capitals"),
    ],
)
def test_a_ring_is_founded_on_one_identity_of_each_party(identities, said):
    with pytest.raises(InputError, match=said):
        KeyRing.founded(identities)


def test_all_faults_of_a_foundation_are_named():
    with pytest.raises(InputError) as error:
        KeyRing.founded([LOG, MIRROR, A.verifier])
    assert len(error.value.faults) == 2


@pytest.mark.parametrize("needed", [0, -1])
def test_at_least_one_other_must_vouch(needed):
    with pytest.raises(InputError, match="at least one"):
        KeyRing.founded([], vouches_needed=needed)


def test_a_party_alone_cannot_get_a_new_identity():
    ring = taken(revocation(A.verifier), ring=KeyRing.founded([A.verifier]))
    text = Vouch("a", NEW.verifier, A.verifier, "b", 300).text
    assert "b has no identity" in refused(signed(text, B).to_bytes(), ring=ring)


# Two seeds whose keys have the same key id under these two names, found by trying.
COLLIDING = (46318, 21138)
