"""Reports by themselves each morning, once, as files, of what the terms in force say."""

from __future__ import annotations

import json

import pytest

from keepclear.errors import InputError
from keepclear.node.compliance import Compliance
from keepclear.node.line_bodies import LineBodies
from keepclear.store.node.events import since
from keepclear.values.filings import OperationAsked
from tests.pair_served import LINE, pair_served, wait_for
from tests.unit.node.agreements_made import AGREEMENT, document, in_force, patrol_at

pytestmark = pytest.mark.slow
DAY_S = 86_400.0


@pytest.fixture(scope="module")
def ru(tmp_path_factory):
    """A node with an agreement in force, and two patrols, one of them too deep."""
    with pair_served(tmp_path_factory.mktemp("reported")) as (ru, tr):
        in_force(ru, tr, document())
        for number, depth_km, why in (("near", 5.0, None), ("deep", 12.0, "no other road")):
            asked = {"line": LINE, "operation": patrol_at("RU", number, depth_km), "despite_terms": why}
            ru.client.file(OperationAsked.model_validate({k: v for k, v in asked.items() if v is not None}))
        # What nobody else is known to have is not told yet.
        wait_for(lambda: ru.node.compliance.report(AGREEMENT).judged == 2)
        yield ru


def compliance(node, clock, **more):
    bodies = LineBodies(node.records, node.projector.membership)
    return Compliance(node.folder.path, node.records, node.database, node.agreements, bodies, clock, **more)


def test_the_report_of_the_day_before_is_made_once_when_its_hour_has_come(ru):
    node = ru.node
    midnight_s = node.clock() // DAY_S * DAY_S + DAY_S
    at = [midnight_s + 4 * 3600.0]
    daily = compliance(node, lambda: at[0], hour=5.0, zones="RU=Europe/Moscow")
    assert daily.make_due() == 0
    at[0] = midnight_s + 5 * 3600.0 + 1.0
    assert daily.make_due() == 1
    assert daily.make_due() == 0
    assert compliance(node, lambda: at[0], hour=5.0).make_due() == 0  # started anew
    (markdown,) = (node.folder.path / "reports" / LINE / AGREEMENT).glob("*.md")
    told = json.loads(markdown.with_suffix(".json").read_text())
    assert told["counts"]["breached"] == 1
    assert told["findings"][0]["party"] == "RU"
    assert told["zones"] == {"RU": "Europe/Moscow"}
    assert "deep" in markdown.read_text()
    assert markdown.with_suffix(".html").read_text().startswith("<!doctype html>")
    with node.database.reading() as conn:
        events = [one for one in since(conn, 0, limit=100_000) if one.type == "agreement" and "report" in one.data]
    assert [(one.data["agreement"], one.data["report"]) for one in events] == [(AGREEMENT, markdown.stem)]


def test_a_report_is_of_its_time_alone(ru):
    node = ru.node
    now_s = node.clock()
    assert node.compliance.report(AGREEMENT, from_s=now_s - 3 * DAY_S, to_s=now_s - 2 * DAY_S).judged == 0
    assert node.compliance.report(AGREEMENT).judged == 2
    later = node.compliance.report(AGREEMENT, from_s=now_s + 2 * DAY_S, to_s=now_s + 4 * DAY_S)
    assert (later.judged, later.counts["breached"]) == (2, 1)


def test_what_is_no_time_is_refused(ru):
    now_s = ru.node.clock()
    for from_s, to_s in ((now_s, now_s), (now_s, now_s - 1.0), (now_s - 400 * DAY_S, now_s)):
        with pytest.raises(InputError):
            ru.node.compliance.report(AGREEMENT, from_s=from_s, to_s=to_s)
    with pytest.raises(InputError, match="no such agreement"):
        ru.node.compliance.report("nothing")
