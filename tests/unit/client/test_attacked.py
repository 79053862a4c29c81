"""A node with something in it, attacked: real entries, conflicts, drafts and lines, and every kind of wrong body."""

from __future__ import annotations

from contextlib import suppress
from itertools import cycle

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.core.failures import FailureGroup

from keepclear.values.entries import MessageAsked
from keepclear.values.filings import DraftAsked
from tests.pair_served import LINE, pair_served, patrol, wait_for
from tests.unit.api.test_described import CHECKS, EXAMPLES

LEFT_OUT = {"/api/v1/events", "/api/v1/lines/{line}/leaving", "/api/v1/lines/{line}/bundles"}
"""What has no end; what would end the line for the others; what is no JSON."""


@pytest.fixture(scope="module")
def attacked(tmp_path_factory):
    with pair_served(tmp_path_factory.mktemp("attacked")) as (ru, tr):
        mine = ru.client.file(patrol("RU", "mine"))
        theirs = tr.client.file(patrol("TR", "theirs"))
        wait_for(lambda: list(ru.client.conflicts()))
        ru.client.say(MessageAsked(line=LINE, text="a message"))
        draft = ru.client.keep_draft(DraftAsked(line=LINE, operation=patrol("RU", "draft").operation))
        there = {"id": [mine.id, theirs.id], "line": [LINE], "number": [draft.id], "party": ["TR"]}
        yield ru, {name: cycle(values) for name, values in there.items()}


@pytest.mark.slow
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["as described", "otherwise"])
def test_nothing_that_is_asked_of_what_is_there_makes_the_node_fail(attacked, mode):
    ru, there = attacked
    schema = schemathesis.openapi.from_url(f"{ru.url}/api/v1/openapi.json")
    headers = {"authorization": f"Bearer {ru.node.folder.local_token()}", "if-match": "*"}
    failures: list[str] = []
    for result in schema.get_all_operations():
        operation = result.ok()
        if operation.path not in LEFT_OUT and "{" in operation.path:
            _attack(operation, mode, headers, there, failures)
    assert not failures, "\n\n".join(failures)
    assert ru.client.readiness().ready


def _attack(operation, mode, headers, there, failures):
    @settings(max_examples=EXAMPLES, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def once(case):
        for name in case.path_parameters or {}:
            if name in there:
                case.path_parameters[name] = next(there[name])
        try:
            case.validate_response(case.call(headers=headers, timeout=30), checks=CHECKS)
        except FailureGroup as group:
            told = [" ".join(str(one).split())[:400] for one in group.exceptions]
            failures.append(f"{operation.label}: {told} {case.as_curl_command()[:300]}")

    with suppress(Unsatisfiable):
        once()
