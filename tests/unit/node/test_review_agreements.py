"""What a party may say so that others hold something for agreed that is not, or the other way round."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

import pytest

from keepclear.agreements import life
from keepclear.agreements.documents import Document
from keepclear.agreements.facts import Filed, RecordView, Result
from keepclear.agreements.terms.registry import read_term
from keepclear.errors import InputError
from keepclear.line.guards import Outcome
from keepclear.node import agreement_folding, agreement_reading
from keepclear.node.agreeing import Agreeing, proposal_body
from keepclear.node.agreement_documents import Documents
from keepclear.node.agreement_reading import Agreements
from keepclear.node.agreements_heard import AgreementsHeard
from keepclear.node.guard_worker import GuardTask, judged
from keepclear.node.records import Outgoing
from keepclear.node.refusals import ClashError, NotFoundError
from keepclear.node.terms_in_force import TermsInForce
from keepclear.record.bodies.agreements import AgreementSignedBody
from keepclear.record.bodies.references import EntryRefValue
from keepclear.record.bodies.talk import CancelBody
from keepclear.store.node.agreements import EntryRow, agreement_entries, agreements_of, put_agreements
from tests.unit.node.agreements_made import AGREEMENT, APART, document
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
    return agreements(node).view(LINE, AGREEMENT)


def agreements(node):
    return Agreements(node.records, node.projector, terms(node).documents, node.clock)


def test_its_author_is_told_that_nobody_else_is_known_to_have_a_proposal_yet(two):
    ru, tr = two
    made = document()
    propose(ru, made)
    for ask in (lambda: standing(ru), lambda: agreements(ru).found(AGREEMENT)):
        with pytest.raises(NotFoundError, match=f"it is proposed on {LINE}, and no other party is known to have it"):
            ask()
    with pytest.raises(NotFoundError, match="none was proposed"):
        standing(tr)
    share(ru, tr)
    assert str(standing(ru).standing.state) == "proposed"


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


def test_of_too_many_proposals_no_more_is_made_and_their_author_is_told_before(two, monkeypatch):
    for module in (life, agreement_folding, agreement_reading):
        monkeypatch.setattr(module, "MOST_OF_A_LOG", 3)
    ru, tr = two
    refs = [propose(tr, document(str(number))) for number in range(5)]
    share(ru, tr)
    for node in two:
        node.projector.catch_up()
        with node.projector.asked() as (conn, _):
            assert [row.ref for row in agreement_entries(conn, LINE)] == refs[:3]
        assert [one.ref for one in agreements(node).view(LINE, AGREEMENT).versions] == refs[:3]
    with pytest.raises(ClashError, match="there are 3 entries of this type") as told:
        agreements(tr).must_be_looked_at(LINE, "agreement-proposed")
    assert told.value.faults[0].right == "at most 3 in a log; begin a new one"
    agreements(tr).must_be_looked_at(LINE, "agreement-signed")
    agreements(ru).must_be_looked_at(LINE, "agreement-proposed")
    assert str(agreements(ru).view(LINE, AGREEMENT).standing.state) == "proposed"


def test_what_was_said_of_agreements_is_read_once_and_not_after_it_was_erased(two):
    ru, tr = two
    made = document()
    proposal = propose(tr, made)
    signed = sign(tr, made, proposal)
    share(ru, tr)
    ru.projector.catch_up()
    asked = []

    def entry(origin, index):
        asked.append((origin, index))
        return ru.records.entry(origin, index)

    heard = AgreementsHeard(entry)
    with ru.projector.asked() as (conn, _):
        found = heard.all(conn, LINE)
        assert [one.ref for one in found] == [proposal, signed]
        assert heard.all(conn, LINE) == found
        assert heard.record_of(conn, LINE, ("TR",)).of("agreement-signed") == [found[1]]
        assert heard.one(conn, EntryRow(signed, LINE, "agreement-signed", found[1].counts_from_s)) == found[1]
    assert asked == [(one.origin, one.index) for one in (proposal, signed)]
    ru.records.erase(signed.origin, signed.index)
    ru.projector.look_again(signed)
    with ru.projector.asked() as (conn, _):
        assert [one.ref for one in heard.all(conn, LINE)] == [proposal]


def test_who_writes_the_tables_reads_once_what_is_in_force(two):
    ru, tr = two
    made = document()
    proposal = propose(ru, made)
    share(ru, tr)
    for node in two:
        sign(node, made, proposal)
    share(ru, tr)
    ru.projector.catch_up()
    known = terms(ru)
    with ru.database.writing() as conn, known.held(conn):
        assert [one.agreement for one in known.in_force(conn)] == [AGREEMENT]
        assert known.in_force(conn) is known.in_force(conn)
        put_agreements(conn, LINE, ())
        known.change()
        assert known.in_force(conn) == ()
    with ru.database.reading() as conn:
        assert known.in_force(conn) == ()


@pytest.mark.parametrize("apart", [1, 2])
def test_terms_that_ask_for_the_same_distance_are_searched_for_once(two, apart):
    ru, tr = two
    more = "".join(
        APART.replace("id: apart", f"id: apart-{row}").replace("3 km", f"{3 + row % apart} km") for row in range(4)
    )
    made = document(more=more)
    proposal = propose(ru, made)
    share(ru, tr)
    for node in two:
        sign(node, made, proposal)
    share(ru, tr)
    ru.projector.catch_up()
    with ru.projector.asked() as (conn, _):
        (bound,) = terms(ru).in_force(conn)
    assert len(bound.rules) == 4
    assert len({search for _, search in bound.rules}) == apart
