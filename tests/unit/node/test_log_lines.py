"""What is written to the log: whole lines, and no secrets."""

from __future__ import annotations

import io
import json
import logging

import pytest

from keepclear.node.bearer_proofs import new_proof
from keepclear.node.log_lines import set_up_logs
from keepclear.node.passwords import Passwords


@pytest.fixture
def log():
    root = logging.getLogger()
    ours = logging.getLogger("keepclear")
    before, levels = root.handlers[:], (root.level, ours.level)
    stream = io.StringIO()

    def set_up(form, **options):
        set_up_logs(form=form, stream=stream, **options)
        return stream

    yield set_up
    root.handlers[:] = before
    root.setLevel(levels[0])
    ours.setLevel(levels[1])


def test_each_event_is_one_json_object_with_all_that_was_given(log):
    stream = log("json")
    logger = logging.getLogger("keepclear.test")
    logger.info("said %s", "a\nb", extra={"request_id": "r1", "status": 200})
    logger.debug("not this")
    try:
        int("inside\nof it")
    except ValueError:
        logger.exception("failed")
    first, second = map(json.loads, stream.getvalue().splitlines())
    assert first | {"at": ""} == {
        "at": "", "level": "info", "logger": "keepclear.test", "message": "said a\nb", "request_id": "r1",
        "status": 200,
    }  # fmt: skip
    assert first["at"].endswith("Z")
    assert "ValueError: invalid literal" in second["trace"]


def test_text_is_one_line_to_be_read(log):
    stream = log("text", level="warning")
    logging.getLogger("keepclear.test").warning("two\nlines", extra={"request_id": "r1"})
    logging.getLogger("keepclear.test").info("not this")
    (line,) = stream.getvalue().splitlines()
    assert line.endswith("warning two lines [r1]")


@pytest.mark.parametrize("form", ["json", "text"])
def test_what_proves_who_somebody_is_is_blanked(log, form):
    proof = new_proof()
    hashed = Passwords().hashed("harbour lantern seven mule")
    secrets = [
        proof.token, proof.cookie, hashed, "kcl_0123456789abcdef0123456789abcdef", "postgresql://me:pass%2Fword@host/db"
    ]  # fmt: skip
    stream = log(form)
    for secret in secrets:
        logging.getLogger("keepclear").error("it was %s, and more", secret, extra={"given": secret})
    told = stream.getvalue()
    assert proof.secret not in told
    assert hashed not in told
    assert "0123456789abcdef" not in told
    assert "pass%2Fword" not in told
    assert told.count("•••") >= len(secrets)
    assert told.count("and more") == len(secrets)
