"""What a party may say so that others hold something for agreed that is not, or the other way round."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

import pytest

from keepclear.agreements.documents import Document
from keepclear.agreements.facts import Filed, RecordView, Result
from keepclear.agreements.terms.registry import read_term
from keepclear.errors import InputError
from keepclear.line.guards import Outcome
from keepclear.node.agreeing import Agreeing, proposal_body
from keepclear.node.agreement_documents import Documents
from keepclear.node.agreement_reading import Agreements
from keepclear.node.guard_worker import GuardTask, judged
from keepclear.node.records import Outgoing
from keepclear.node.terms_in_force import TermsInForce
from keepclear.record.bodies.agreements import AgreementSignedBody
from keepclear.record.bodies.references import EntryRefValue
from keepclear.record.bodies.talk import CancelBody
from keepclear.store.node.agreements import agreements_of
from tests.unit.node.agreements_made import AGREEMENT, document
from tests.unit.node.officers_made import patrol
from tests.unit.node.watch_made import LINE, NOON_S, share, watching


@pytest.fixture
def two(tmp_path):
    with watching(tmp_path, "RU", "TR") as made:
        yield made


def others(node):
    return ("TR",) if node.party == "RU" else ("RU",)


def propose(node, made, *, attached=None):
    data = (attached or made).canonical()
    (ref,) = node.records.say(LINE, [Outgoing(proposal_body(made, len(data)), others(node), attachments=[data])])
    return ref


def sign(node, made, proposal):
    body = AgreementSignedBody(
        agreement=AGREEMENT, document=made.hash, text=made.text_hash, persons=["anna", "boris"],
        proposal=EntryRefValue.of(proposal),
    )  # fmt: skip
    (ref,) = node.records.say(LINE, [Outgoing(body, others(node))])
    return ref


def terms(node):
    return TermsInForce(node.records.entry, Documents(node.records.entry), node.search)


def standing(node):
    """How the agreement stands at a node, as an officer is shown it."""
    node.projector.catch_up()
    return Agreements(node.records, node.projector, terms(node).documents, node.clock).view(LINE, AGREEMENT)


def test_a_signature_that_its_author_cancels_is_taken_back_on_every_node(two):
    ru, tr = two
    made = document()
    proposal = propose(ru, made)
    share(ru, tr)
    signed = sign(tr, made, proposal)
    share(ru, tr)
    for node in two:
        assert standing(node).versions[0].signed_by == ("TR",)
    tr.records.say(LINE, [Outgoing(CancelBody(entry=EntryRefValue.of(signed)), ("RU",))])
    share(ru, tr)
    for node in two:
        assert standing(node).versions[0].signed_by == ()


def test_what_is_attached_to_another_proposal_of_the_same_hash_is_never_read_for_what_was_signed(two):
    ru, tr = two
    made, other = document(), document("2", depth="30 km")
    propose(tr, made, attached=other)
    proposal = propose(tr, made)
    share(ru, tr)
    assert standing(ru).versions[0].content.hash == made.hash
    for node in two:
        sign(node, made, proposal)
    share(ru, tr)
    for node in two:
        assert str(standing(node).standing.state) == "in force"
        with node.projector.asked() as (conn, _):
            (row,) = agreements_of(conn, LINE)
            (bound,) = terms(node).in_force(conn)
        assert row.document == bound.document.hash == made.hash
        assert isinstance(bound.document, Document)


TARGETS = b"Strike the enemy depot at 36.37050, 37.51570 at 09:00Z.\n"


@pytest.mark.parametrize("where", ["annex", "text", "term"])
def test_what_is_packed_in_a_document_is_judged_by_the_guards(where):
    made = json.loads(document().canonical())
    if where == "annex":
        annex = {"name": "list.txt", "media_type": "text/plain", "data": base64.b64encode(TARGETS).decode()}
        made["annexes"].append(annex)
    elif where == "text":
        made["texts"][0]["text"] += "\n" + TARGETS.decode()
    else:
        made["terms"][0]["remarks"] = TARGETS.decode()
    files = [("agreement.json", json.dumps(made).encode())]
    assert judged(GuardTask({"title": "Patrols"}, files)).outcome is Outcome.REFUSE
    assert judged(GuardTask({"title": "Patrols"}, [("agreement.json", document().canonical())])).outcome is Outcome.PASS


def test_a_term_that_cannot_be_read_here_leaves_no_filing_looking_as_if_it_were_within_it():
    term = read_term({"id": "x", "type": "MOON_PHASE", "clause": "c5"}, parties=("RU", "TR"))
    filed = Filed(None, "RU", patrol("RU"), said_s=0.0, start_s=NOON_S, end_s=NOON_S + 3600.0)
    (finding,) = term.warnings_for(filed, RecordView(frozenset({"RU", "TR"})), 0.0)
    assert finding.result is Result.POSSIBLE
    assert "MOON_PHASE" in finding.sentence
    assert term.warnings_for(replace(filed, party="US"), RecordView(frozenset()), 0.0) == ()


UNDRAWN = """\
  - id: school
    type: SITE_PROTECTION
    clause: c7
    site: border.geojson#town
    buffer: 19999 km
"""


def test_a_term_whose_area_cannot_be_drawn_is_not_proposed_and_stops_no_node_that_is_sent_it(two):
    ru, tr = two
    made = document(more=UNDRAWN)
    with pytest.raises(InputError) as refused:
        Agreeing._must_be_readable(made)
    assert [(one.feature, one.field.partition(".")[0]) for one in refused.value.faults] == [("school", "document")]
    proposal = propose(tr, made)
    share(ru, tr)
    for node in two:
        sign(node, made, proposal)
    share(ru, tr)
    for node in two:
        assert str(standing(node).standing.state) == "in force"
        assert node.projector.problem == ""
        with node.projector.asked() as (conn, doubts):
            (bound,) = terms(node).in_force(conn)
        assert doubts == ()
        assert [one.TYPE for one in bound.terms] == ["DEPTH_BAND", ""]
