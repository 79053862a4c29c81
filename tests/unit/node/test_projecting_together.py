"""Two that project at once, as when a process has lost the lead and does not know it yet: all is taken up once."""

from __future__ import annotations

import threading

import pytest

from keepclear.node.own_log import Outgoing
from keepclear.node.projecting import Projector
from keepclear.node.searching import Search
from keepclear.record.bodies.plans import OperationBody
from keepclear.record.bodies.talk import MessageBody
from keepclear.store.node import events
from keepclear.store.node.database import NodeDatabase
from keepclear.store.node.filings import FilingState
from keepclear.store.node.said_facts import said_in_log
from tests.unit.node.filings_made import LINE, carry, convoy, line_of, patrol, tables_of

_FLOOD = 24


@pytest.fixture(params=["sqlite", "postgresql"])
def urls(request):
    if request.param == "sqlite":
        return None
    server = request.getfixturevalue("postgres")
    return {party: server.url(server.new_schema()) for party in ("RU", "TR")}


def other_projector(node, urls):
    """What another process of the node has: its own connection, search and memory; the tables are the same."""
    place = urls["RU"] if urls else node.folder.path / "node.db"
    database = NodeDatabase.open(place)
    return database, Projector(node.records, database, Search(), node.reader, node.bell, node.clock)


def test_two_at_once_take_all_up_once_and_in_order(tmp_path, urls):
    with line_of(tmp_path, "RU", "TR", urls=urls) as (ru, tr):
        database, other = other_projector(ru, urls)
        try:
            failures, over = [], threading.Event()

            def work(projector):
                try:
                    while not over.is_set():
                        projector.catch_up()
                except BaseException as error:  # noqa: BLE001  # told by the test
                    failures.append(error)

            both = [threading.Thread(target=work, args=(one,)) for one in (ru.projector, other)]
            for thread in both:
                thread.start()
            refs = []
            for n in range(_FLOOD):
                refs += tr.records.say(LINE, [Outgoing(OperationBody.of_model(convoy("TR", f"c{n}")), ("RU",))])
                carry(tr, ru, LINE)
                if n % 6 == 0:
                    ru.records.say(LINE, [Outgoing(OperationBody.of_model(patrol("RU", f"p{n}")), ("TR",))])
            over.set()
            for thread in both:
                thread.join(60.0)
            assert not failures
            other.catch_up()
            assert all(ru.filing(ref).state is FilingState.ACTIVE for ref in refs)
            rows = ru.conflicts(limit=1000)
            assert len(rows) == len({(row.first, row.second) for row in rows}) == _FLOOD * 4
            with ru.database.reading() as conn:
                told = [one for one in events.since(conn, 0, limit=10_000) if one.type == "filing"]
                numbers = [number for number, _ in said_in_log(conn, refs[0].origin)]
            assert len({(one.ref.origin, one.ref.index) for one in told}) == len(told) == _FLOOD + 4
            assert numbers == list(range(ru.records.size(refs[0].origin)))
            before = tables_of(ru.database)
            other.rebuild()
            assert tables_of(ru.database) == before
        finally:
            database.close()


def test_what_another_sends_with_a_zero_character_is_kept_on_every_database(tmp_path, urls):
    with line_of(tmp_path, "RU", "TR", urls=urls) as (ru, tr):
        named = convoy("TR", "c\x00d")
        (filed,) = tr.records.say(LINE, [Outgoing(OperationBody.of_model(named), ("RU",))])
        (said,) = tr.records.say(LINE, [Outgoing(MessageBody(text="a\x00b"), ("RU",))])
        carry(tr, ru, LINE)
        ru.projector.catch_up()
        assert ru.filing(filed).thing_id == "c\ufffdd"
        assert ru.projector.thread(said) is not None
        before = tables_of(ru.database)
        ru.projector.rebuild()
        assert tables_of(ru.database) == before
