"""Members that were shown different histories find out, and nobody is accused who only knows more or less."""

from __future__ import annotations

import pytest

from keepclear.errors import IntegrityError
from keepclear.line.histories import Finding, HeldHead, Shown, Verdict, compared_heads, proved_or_forked
from keepclear.record.checkpoints import Checkpoint, sign_checkpoint
from keepclear.record.forks import verify_fork
from keepclear.record.merkle import consistency_proof, leaf_hash, root_of, tree_root
from tests.unit.line.parties_made import MadeParty

C = MadeParty("c")
KEY = C.log_key.verifier
KEYS = {KEY.name: KEY}
TRUE = [leaf_hash(b"%d" % n) for n in range(20)]
FALSE = [*TRUE[:6], leaf_hash(b"otherwise"), *TRUE[7:]]


def head(leaves, size):
    return sign_checkpoint(Checkpoint(KEY.name, size, root_of(leaves[:size])), C.log_key)


def reader(leaves):
    return lambda wanted: [root_of(leaves[index << level : (index + 1) << level]) for level, index in wanted]


def compared(ours, *shown, read=True):
    leaves, size = ours
    held = {} if size is None else {KEY.name: HeldHead(head(leaves, size), reader(leaves) if read else None)}
    heads = [Shown(by, head(*what)) for by, what in zip("abdef", shown, strict=False)]
    return compared_heads(heads, keys=KEYS, held=held)


def test_what_agrees_is_no_news():
    assert compared((TRUE, 10), (TRUE, 10), (TRUE, 4), (TRUE, 0)) == ()
    assert compared((FALSE, 6), (TRUE, 6)) == ()  # not yet apart


def test_two_roots_of_one_size_are_proof_at_once():
    (found,) = compared((TRUE, 10), (FALSE, 10), read=False)
    assert (found.by, found.verdict, found.beside) == ("a", Verdict.FORKED, "")
    assert found.evidence is not None
    assert verify_fork(found.evidence, [KEY]).smaller.size == 10


def test_an_older_one_that_differs_is_proof_where_the_tree_is_held():
    (found,) = compared((TRUE, 10), (FALSE, 8))
    assert found.verdict is Verdict.FORKED
    assert found.evidence is not None
    assert verify_fork(found.evidence, [KEY]).smaller.size == 8
    (found,) = compared((TRUE, 10), (FALSE, 8), read=False)
    assert (found.verdict, found.evidence) == (Verdict.ASK, None)


def test_a_larger_one_is_something_to_fetch():
    (found,) = compared((TRUE, 5), (FALSE, 10))
    assert (found.verdict, found.larger) == (Verdict.GROWN, head(FALSE, 10))
    (found,) = compared((TRUE, None), (TRUE, 10))
    assert found.verdict is Verdict.GROWN


def test_two_others_who_were_shown_different_histories_are_found_out():
    forked = [one for one in compared((TRUE, 5), (TRUE, 10), (FALSE, 10)) if one.verdict is Verdict.FORKED]
    assert [{one.by, one.beside} for one in forked] == [{"a", "b"}]
    assert verify_fork(forked[0].evidence, [KEY]).smaller.size == 10
    asked = [one for one in compared((TRUE, 5), (TRUE, 10), (FALSE, 12)) if one.verdict is Verdict.ASK]
    assert [(one.by, one.beside, one.smaller, one.larger) for one in asked] == [
        ("b", "a", head(TRUE, 10), head(FALSE, 12))
    ]


def test_the_proof_that_was_asked_for_settles_it():
    for leaves, forked in ((TRUE, False), (FALSE, True)):
        asked = Finding(KEY.name, "b", Verdict.ASK, head(TRUE, 10), head(leaves, 12))
        proof, prefix = consistency_proof(10, 12, reader(leaves)), tree_root(10, reader(leaves))
        evidence = proved_or_forked(asked, proof, prefix, key=KEY)
        assert (evidence is not None) == forked
        if evidence is not None:
            assert verify_fork(evidence, [KEY]).prefix_root == prefix
        with pytest.raises(IntegrityError):
            proved_or_forked(asked, proof, bytes(32), key=KEY)
        with pytest.raises(IntegrityError):
            proved_or_forked(asked, proof[:-1], prefix, key=KEY)


def test_what_the_log_did_not_sign_accuses_nobody_of_a_fork():
    thief = MadeParty("c", seed=2)
    forged = sign_checkpoint(Checkpoint(KEY.name, 10, bytes(32)), thief.log_key)
    stranger = sign_checkpoint(Checkpoint("x/border/log", 3, bytes(32)), MadeParty("x").log_key)
    held = {KEY.name: HeldHead(head(TRUE, 10), reader(TRUE))}
    found = compared_heads([Shown("a", forged), Shown("a", stranger)], keys=KEYS, held=held)
    assert sorted((one.origin, one.verdict) for one in found) == [
        (KEY.name, Verdict.UNSIGNED),
        ("x/border/log", Verdict.UNKNOWN),
    ]
