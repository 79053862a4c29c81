"""A day's compliance report, the way that a node makes it: from its store, through the record, to the files it writes.

Two real nodes on one line, an agreement of a hundred terms that both have signed, and a day of operations: each said by
one party, held and cosigned by the other, and answered SEEN. Then one process opens the folder of one of them, as a
node does when it starts, and makes the report of that day, all three forms of it; once as the first thing that it does,
when nothing was read yet, and once more with what it keeps in memory. One core.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from bench.node_pair import LINE, Pair, asked, until
from bench.record import RecordFigure
from bench.replicas import DATA
from bench.terms import DAY_S, START_S, filings_of, terms_of
from keepclear.agreements.documents import Annex, Document, TermText, Text
from keepclear.agreements.report_pages import html_page, markdown_page
from keepclear.cli.demo_nodes import DemoNode
from keepclear.clock import now_s
from keepclear.model.operations import Operation, Participant
from keepclear.node.agreeing import proposal_body
from keepclear.node.own_log import Outgoing
from keepclear.node.running import Node
from keepclear.node.settings import write_settings
from keepclear.record.bodies.agreements import AgreementSignedBody
from keepclear.record.bodies.plans import OperationBody
from keepclear.record.bodies.references import EntryRefValue
from keepclear.record.bodies.talk import AnswerBody, AnswerGiven
from keepclear.record.entries import EntryRef

__all__ = ["filled", "report_figures"]

OPERATIONS, TERMS = 10_000, 100
AGREEMENT = "bench"
PARTIES = ("NORTH", "SOUTH")
_HOUR_S = 3_600.0
_SHARE = 0.4  # of the day in which a party's operations begin
_AHEAD_DAYS = 3  # so that most is told in time
_AT_ONCE = 500
_HELD = "SELECT count(*) FROM body WHERE state = 1"
_TOLD = "SELECT count(*) FROM said WHERE counted"
_SIZE = "SELECT max(size) FROM checkpoint WHERE log = (SELECT id FROM log WHERE origin = '{origin}')"
_RECEIVED = "SELECT max(size) FROM receipt WHERE origin = '{origin}'"


def report_figures(*, quick: bool = False) -> list[RecordFigure]:
    """The figures of a day's report."""
    DATA.mkdir(parents=True, exist_ok=True)
    count = 1_000 if quick else OPERATIONS
    with tempfile.TemporaryDirectory(dir=DATA) as folder:
        path = filled(Path(folder), count)
        return list(reported(path, count))


def reported(path: Path, count: int) -> Iterator[RecordFigure]:
    """Reports of the day that is on the record in a node's folder."""
    to_s = now_s() // DAY_S * DAY_S + (_AHEAD_DAYS + 1) * DAY_S
    with Node.open(path, clock=lambda: to_s + 5 * _HOUR_S) as node:
        node.projector.catch_up()  # a node that runs has seen the day pass
        for when in (" after a start", ""):
            began = time.perf_counter()
            report = node.compliance.report(AGREEMENT, LINE, from_s=to_s - DAY_S, to_s=to_s)
            pages = (report.to_json(), html_page(report), markdown_page(report))
            took = time.perf_counter() - began
            assert report.judged == count, f"{report.judged} judged of {count}"
            assert all(pages)
            yield RecordFigure(f"a day's report for {count:,} operations{when}", took, "s", 10.0)
        yield RecordFigure("rows of it", float(len(report.rows)), "", None)


def filled(folder: Path, count: int) -> Path:
    """The folder of a node that has all of it; where it is set up."""
    with Pair(folder) as pair:
        pair.stop()
        for node in pair.both:  # all are along one border, and tens of thousands of advisories are another question
            write_settings(node.folder.path, {"advisories": "ask"})
        begin_s = now_s() // DAY_S * DAY_S + _AHEAD_DAYS * DAY_S
        document = _document()
        north, south = pair.both
        proposal = _said(north, [_proposed(document)])[0]
        pair.start()
        _wait(pair, 1)  # nobody signs what he does not have
        pair.stop()
        for node in pair.both:
            _said(node, [_signed(document, proposal, node.party)])
        filed: dict[str, list[EntryRef]] = {}
        for node, other in ((north, south), (south, north)):
            bodies = (OperationBody.of_model(one) for one in operations(count // 2, node.party, begin_s))
            filed[node.party] = _said(node, [Outgoing(body, [other.party]) for body in bodies])
        for node, other in ((north, south), (south, north)):
            answers = (AnswerBody(to=EntryRefValue.of(ref), answer=AnswerGiven.SEEN) for ref in filed[other.party])
            _said(node, [Outgoing(body, [other.party]) for body in answers])
        pair.start()
        _wait(pair, 2 * count)
    return north.folder.path


def operations(count: int, party: str, begin_s: float) -> Iterator[Operation]:
    """Those of `bench.terms`, of one party, and of the day that begins then.

    One party goes in the morning, the other in the afternoon: on one border they would meet a hundred thousand times.
    """
    later_s = PARTIES.index(party) * (1.0 - _SHARE) * DAY_S
    for number, filing in enumerate(filings_of(count, seed=sum(party.encode()))):
        plan = filing.plan
        assert isinstance(plan, Operation)
        assert filing.start_s is not None
        moved_s = begin_s + later_s + _SHARE * (filing.start_s - START_S) - filing.start_s
        yield replace(
            plan, party=party, id=f"{party[0]}{number}", participants=(Participant(party, "", 4, "truck"),),
            volumes=tuple(replace(v, start_s=v.start_s + moved_s, end_s=v.end_s + moved_s) for v in plan.volumes),
            tracks=tuple(replace(t, time_s=t.time_s + moved_s) for t in plan.tracks),
        )  # fmt: skip


def _document() -> Document:
    annexes, listed = terms_of(TERMS)
    clauses = "\n".join(f"## Clause {row} {{#c{row}}}\nWhat is agreed in it.\n" for row in range(TERMS))
    text = Text(language="en", authentic=True, markdown=f"# Memorandum\n\n{clauses}")
    found = {name: Annex("application/geo+json", data) for name, data in annexes.items()}
    terms = [one | {"clause_hash": text.clauses[str(one["clause"])].sha256} for one in listed]
    for one in terms:
        if "areas" in one:
            (place,) = dict(one["areas"]).values()  # type: ignore[call-overload]
            one["areas"] = {PARTIES[0]: place}
    return Document(AGREEMENT, "Memorandum", "1", PARTIES, (text,), tuple(map(TermText, terms)), found)


def _proposed(document: Document) -> Outgoing:
    data = document.canonical()
    return Outgoing(proposal_body(document, len(data)), PARTIES, attachments=[data])


def _signed(document: Document, proposal: EntryRef, party: str) -> Outgoing:
    body = AgreementSignedBody(
        agreement=document.id, document=document.hash, text=document.text_hash, persons=["one", "another"],
        proposal=EntryRefValue.of(proposal),
    )  # fmt: skip
    return Outgoing(body, [one for one in PARTIES if one != party])


def _said(node: DemoNode, outgoing: Sequence[Outgoing]) -> list[EntryRef]:
    """Put entries into the log of a node that does not run, many to a commit."""
    with Node.open(node.folder) as opened:
        found: list[EntryRef] = []
        for start in range(0, len(outgoing), _AT_ONCE):
            found += opened.records.say(LINE, outgoing[start : start + _AT_ONCE])
        return found


def _wait(pair: Pair, entries: int) -> None:
    """Until both hold so many entries, have them in their tables, and know that the other has all of them."""
    for node in pair.both:
        origin = f"{node.party}/{LINE}/log"
        size = asked(node, "record.db", _SIZE.format(origin=origin))
        for database, question, least in (
            ("record.db", _HELD, entries),
            ("node.db", _TOLD, entries),
            ("node.db", _RECEIVED.format(origin=origin), size),
        ):
            _until(node, database, question, least)


def _until(node: DemoNode, database: str, question: str, least: int) -> None:
    until(lambda: asked(node, database, question) >= least)


if __name__ == "__main__":
    for figure in report_figures():
        print(figure)
