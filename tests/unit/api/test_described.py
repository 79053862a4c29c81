"""Every route attacked as its own description says that it may be used, and as it says that it may not.

Schemathesis makes requests from the OpenAPI, right ones and wrong ones. Whatever it sends, no answer may be a failure
of ours, and every answer must be as it is described.
"""

from __future__ import annotations

from contextlib import suppress

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.unit.api.nodes_served import serving

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
ENDLESS = "/api/v1/events"
EXAMPLES = max(5, settings().max_examples // 20)
"""Of each route; `make fuzz` tries 250."""


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("attacked")) as served:
        yield served


def attack(served, operation, mode, failures):
    headers = {"authorization": f"Bearer {served.node.folder.local_token()}"}
    strategy = operation.as_strategy(generation_mode=mode)

    @settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=strategy)
    def once(case):
        try:
            answer = case.call(headers=headers, timeout=30)
            case.validate_response(answer, checks=CHECKS)
        except FailureGroup as group:
            told = [" ".join(str(one).split())[:400] for one in group.exceptions]
            failures.append(f"{operation.label}: {told} {case.as_curl_command()[:300]}")

    with suppress(Unsatisfiable):  # of some routes there is nothing that could be sent otherwise
        once()


@pytest.mark.slow
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["as described", "otherwise"])
def test_no_request_makes_the_node_fail_or_answer_otherwise_than_described(served, mode):
    schema = schemathesis.openapi.from_url(f"{served.url}/api/v1/openapi.json")
    failures: list[str] = []
    tried = 0
    for result in schema.get_all_operations():
        operation = result.ok()
        if operation.path != ENDLESS:
            tried += 1
            attack(served, operation, mode, failures)
    assert tried > 30
    assert not failures, "\n\n".join(failures)
    assert httpx.get(f"{served.url}/healthz").status_code == 200
