"""Answers kept under the callers' own keys."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from keepclear.errors import InputError
from keepclear.node.kept_answers import KEPT_S, MOST_KEPT_BYTES, KeptAnswers, Standing
from keepclear.node.refusals import ClashError
from tests.unit.node.access_made import Made, place


@pytest.fixture(params=["sqlite", "postgresql"])
def made(request, tmp_path):
    made = Made(place(request, tmp_path))
    yield made
    made.database.close()


def test_an_answer_is_given_again_for_a_day_to_the_same_person(made):
    kept = made.access.kept_answers
    assert kept.take("anna", "k", b"1").standing is Standing.OURS
    assert kept.take("anna", "k", b"1").standing is Standing.RUNNING
    kept.put("anna", "k", 201, (("content-type", "application/json"),), b"{}")
    found = kept.take("anna", "k", b"1")
    assert found.standing is Standing.ANSWERED
    assert (found.answer.status, found.answer.body) == (201, b"{}")
    assert found.answer.headers == (("content-type", "application/json"),)
    assert kept.take("boris", "k", b"2").standing is Standing.OURS
    made.clock.now_s += KEPT_S + 1
    assert kept.take("anna", "k", b"other").standing is Standing.OURS


def test_a_key_is_for_one_request(made):
    made.access.kept_answers.take("anna", "k", b"1")
    with pytest.raises(InputError, match="another request"):
        made.access.kept_answers.take("anna", "k", b"2")


def test_a_key_that_was_given_back_is_free(made):
    kept = made.access.kept_answers
    kept.take("anna", "k", b"1")
    kept.drop("anna", "k")
    assert kept.take("anna", "k", b"2").standing is Standing.OURS


def test_whether_it_was_done_before_the_process_ended_is_not_guessed(made):
    made.access.kept_answers.take("anna", "k", b"1")
    later = KeptAnswers(made.database, made.clock)  # another process, or this one started anew
    if made.database.dialect == "postgresql":
        assert later.take("anna", "k", b"1").standing is Standing.RUNNING  # it may be another worker that is at it
        made.clock.now_s += 61
    with pytest.raises(ClashError, match="not known"):
        later.take("anna", "k", b"1")


def test_a_failure_on_our_side_leaves_the_key_taken(made):
    kept = made.access.kept_answers
    kept.take("anna", "k", b"1")
    kept.leave("anna", "k")
    with pytest.raises(ClashError, match="not known"):
        kept.take("anna", "k", b"1")


def test_an_answer_too_long_to_be_kept_leaves_the_key_taken(made):
    kept = made.access.kept_answers
    kept.take("anna", "k", b"1")
    kept.put("anna", "k", 200, (), b"x" * (MOST_KEPT_BYTES + 1))
    with pytest.raises(ClashError, match="not known"):
        kept.take("anna", "k", b"1")


@pytest.mark.parametrize("ends", ["put", "drop"])
def test_who_comes_while_the_answer_is_being_kept_is_never_told_that_nobody_knows(made, ends):
    kept = made.access.kept_answers
    both = threading.Barrier(2)

    def end(key):
        both.wait()
        if ends == "put":
            kept.put("anna", key, 201, (), b"{}")
        else:
            kept.drop("anna", key)

    with ThreadPoolExecutor(1) as other:
        for number in range(60):
            key = f"k{number}"
            assert kept.take("anna", key, b"1").standing is Standing.OURS
            ended = other.submit(end, key)
            both.wait()
            found = kept.take("anna", key, b"1").standing
            while found is Standing.RUNNING:
                found = kept.take("anna", key, b"1").standing
            ended.result()
            assert found is (Standing.ANSWERED if ends == "put" else Standing.OURS)
