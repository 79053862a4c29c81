"""A history at random, then the tables made again from the logs: every row of every table is as it was."""

from __future__ import annotations

import random

import pytest

from keepclear.errors import InputError
from keepclear.model.kinds import ZoneKind
from keepclear.node.own_log import Outgoing
from keepclear.record.bodies.line_talk import AcceptedRiskBody
from keepclear.record.bodies.plans import OperationBody
from keepclear.record.bodies.references import EntryRefValue
from keepclear.record.bodies.talk import AnswerBody, AnswerGiven, MessageBody
from keepclear.record.commitments import commitment, opening
from keepclear.store.node.projected import note_projected
from tests.unit.node.filings_made import LINE, Party, carry, convoy, line_of, patrol, tables_of, zone

PARTIES = ("RU", "TR", "US")
HAPPENINGS = (
    "file", "file", "file", "zone", "amend", "amend", "cancel", "carry", "carry", "leaves", "bodies", "advise",
    "accept", "answer", "say", "time", "doubt", "again",
)  # fmt: skip


class History:
    """What three parties do, drawn from a seed."""

    def __init__(self, nodes: list[Party], seed: int) -> None:
        self.nodes, self.chance = nodes, random.Random(seed)
        self.filed: list[tuple[Party, object, str, bool]] = []
        self.done: set[str] = set()
        self.count = 0

    def go_on(self, steps: int) -> None:
        for _ in range(steps):
            node = self.chance.choice(self.nodes)
            what = self.chance.choice(HAPPENINGS)
            getattr(self, f"_{what}")(node)
            self.done.add(what)

    def _others(self, node: Party) -> tuple[str, ...]:
        others = [one.records.party for one in self.nodes if one is not node]
        return tuple(others) if self.chance.random() < 0.7 else (self.chance.choice(others),)

    def _thing(self, node: Party, name: str):
        made = self.chance.choice((convoy, patrol))
        lat = 37.0 + self.chance.choice((0.0, 0.0, 0.01, 0.3))
        hours, after_s = self.chance.choice((1.0, 3.0)), self.chance.choice((3_000.0, 86_400.0, 90_000.0))
        return made(node.records.party, name, 41.0 + self.chance.choice((0.0, 0.05)), lat, hours=hours, after_s=after_s)

    def _file(self, node: Party) -> None:
        self.count += 1
        name, exercise = f"o{self.count}", self.chance.random() < 0.1
        ref = node.file(self._thing(node, name), *self._others(node), exercise=exercise)
        self.filed.append((node, ref, name, exercise))

    def _zone(self, node: Party) -> None:
        self.count += 1
        kind = self.chance.choice((ZoneKind.NO_GO_AREA, ZoneKind.PROTECTED_SITE, ZoneKind.HAZARD_AREA))
        node.file(zone(node.records.party, f"z{self.count}", 41.0, 37.0, kind=kind), *self._others(node))

    def _amend(self, node: Party) -> None:
        for at, (owner, ref, name, exercise) in enumerate(self.filed):
            if owner is node and self.chance.random() < 0.5:
                more = {"supersedes": ref, "exercise": exercise}
                new = node.file(self._thing(node, name), *self._others(node), **more)
                self.filed[at] = (owner, new, name, exercise)
                return

    def _cancel(self, node: Party) -> None:
        own = [one for one in self.filed if one[0] is node]
        if own:
            gone = self.chance.choice(own)
            self.filed.remove(gone)
            node.cancel(gone[1], *self._others(node), exercise=gone[3])

    def _carry(self, node: Party) -> None:
        for other in self.nodes:
            if other is not node:
                carry(node, other, LINE)
                other.projector.catch_up()

    def _leaves(self, node: Party) -> None:
        """Leaves go to another, and their bodies do not."""
        origin = node.records.own_origin(LINE)
        other = self.chance.choice([one for one in self.nodes if one is not node])
        with node.records.reading(origin) as theirs, other.records.reading(origin) as mirror:
            if theirs.size > mirror.size:
                mirror.extend(theirs.checkpoint(), list(theirs.leaves(mirror.size)))
        other.projector.catch_up()

    def _bodies(self, node: Party) -> None:
        """Bodies that had not come do."""
        for other in self.nodes:
            origin = other.records.own_origin(LINE)
            if other is not node and origin in node.records.origins(LINE):
                wanted = node.records.wanted(origin)
                node.records.put_bodies(origin, {n: other.records.entry(origin, n) for n in wanted})
        node.projector.catch_up()

    def _advise(self, node: Party) -> None:
        for row in node.conflicts(states=("found",), own=True):
            try:
                node.advising.advise(row.id)
            except InputError:
                continue
            return

    def _accept(self, node: Party) -> None:
        for row in node.conflicts(states=("advised",), own=True):
            body = AcceptedRiskBody(advisory=EntryRefValue.of(row.advisories[0]), reason="it must be")
            node.records.say(LINE, [Outgoing(body, self._others(node))])
            node.projector.catch_up()

    def _answer(self, node: Party) -> None:
        own = [ref for owner, ref, _, _ in self.filed if owner is not node]
        if own:
            body = AnswerBody(to=EntryRefValue.of(self.chance.choice(own)), answer=AnswerGiven.SEEN)
            node.records.say(LINE, [Outgoing(body, self._others(node))])
            node.projector.catch_up()

    def _say(self, node: Party) -> None:
        node.records.say(LINE, [Outgoing(MessageBody(text="all well"), self._others(node))])

    def _time(self, node: Party) -> None:
        for one in self.nodes:
            one.now_s += self.chance.choice((10.0, 3_600.0, 40_000.0))
        node.projector.catch_up()

    def _doubt(self, node: Party) -> None:
        """For a while it is not known who is on the line."""
        known, node.reader.of = node.reader.of, lambda _: None  # type: ignore[method-assign]
        node.bell.ring("line")
        node.projector.catch_up()
        if self.chance.random() < 0.5:
            for other in self.nodes:
                if other is not node:
                    carry(other, node, LINE)
            node.projector.catch_up()
        node.reader.of = known  # type: ignore[method-assign]
        node.bell.ring("line")
        node.projector.catch_up()

    def _again(self, node: Party) -> None:
        """What was kept in memory is gone, as after a crash."""
        node.begin()


def _rebuilt(node: Party) -> tuple[dict, dict]:
    node.projector.catch_up()
    before = tables_of(node.database)
    node.projector.rebuild()
    return before, tables_of(node.database)


@pytest.mark.parametrize("seed", range(4))
def test_a_rebuild_gives_the_same_tables(tmp_path, seed):
    with line_of(tmp_path, *PARTIES) as nodes:
        history = History(nodes, seed)
        history.go_on(60)
        for node in nodes:
            before, after = _rebuilt(node)
            for name, rows in before.items():
                assert after[name] == rows, name
            assert before["filing"]
        assert any(node.conflicts() for node in nodes)


@pytest.mark.parametrize("seed", [11, 12])
def test_so_it_is_on_postgresql(tmp_path, postgres, seed):
    schemas = [postgres.new_schema() for _ in range(2)]
    urls = {"RU": postgres.url(schemas[0]), "TR": postgres.url(schemas[1])}
    with line_of(tmp_path, *PARTIES, urls=urls) as nodes:
        history = History(nodes, seed)
        history.go_on(50)
        for node in nodes[:2]:
            assert node.database.dialect == "postgresql"
            before, after = _rebuilt(node)
            for name, rows in before.items():
                assert after[name] == rows, name
            assert before["filing"]


def test_a_rebuild_that_is_cut_off_goes_on(tmp_path, monkeypatch):
    with line_of(tmp_path, *PARTIES) as nodes:
        History(nodes, 5).go_on(40)
        node = nodes[1]
        node.projector.catch_up()
        before = tables_of(node.database)
        monkeypatch.setattr("keepclear.node.rebuilding._STEPS_AT_ONCE", 7)
        calls = []

        def fails(conn, at_s, real=note_projected):
            calls.append(at_s)
            if len(calls) == 3:
                raise KeyboardInterrupt
            real(conn, at_s)

        monkeypatch.setattr("keepclear.node.rebuilding.note_projected", fails)
        with pytest.raises(KeyboardInterrupt):
            node.projector.rebuild()
        assert tables_of(node.database) != before
        node.begin()
        node.projector.catch_up()
        assert tables_of(node.database) == before


def test_after_a_body_is_erased_a_rebuild_finds_what_is_left(tmp_path):
    with line_of(tmp_path, "RU", "TR") as (ru, tr):
        ours = ru.file(convoy("RU", "c1"), "TR")
        tr.file(patrol("TR", "p1"), "RU")
        carry(ru, tr, LINE)
        tr.projector.catch_up()
        assert tr.conflicts()
        tr.records.erase(ours.origin, ours.index)
        tr.projector.look_again(ours)
        assert tr.conflicts() == []
        assert tr.filing(ours).problem
        assert b'"id":"c1"' not in repr(tables_of(tr.database)["plan"]).encode()
        before, after = _rebuilt(tr)
        for name in ("cell", "conflict", "plan", "cell_class"):
            assert [row[2:] for row in after[name]] == [row[2:] for row in before[name]], name


def test_what_was_kept_back_is_a_plan_once_it_is_opened(tmp_path):
    with line_of(tmp_path, "RU", "TR") as (ru, tr):
        tr.file(patrol("TR", "p1"), "RU")
        made = commitment(
            OperationBody.of_model(convoy("RU", "secret")), line=LINE, party="RU", time_s=ru.clock(), exercise=False,
            salt=b"s" * 32,
        )  # fmt: skip
        origin = ru.records.own_origin(LINE)
        with ru.records.reading(origin) as log:
            (ref,) = log.append([made])
        ru.projector.catch_up()
        carry(ru, tr, LINE)
        tr.projector.catch_up()
        assert tr.filing(ref).problem == "its body is kept back"
        assert tr.conflicts() == []
        ru.records.say(LINE, [Outgoing(opening(made, ref), ("TR",))])
        carry(ru, tr, LINE)
        tr.projector.catch_up()
        assert tr.filing(ref).thing_id == "secret"
        assert [row.state for row in tr.conflicts()] == ["found"]
        before, after = _rebuilt(tr)
        assert after == before
