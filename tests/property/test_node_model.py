"""What a node answers, whatever happened: against a list of plans that is gone through from end to end.

Three parties on one line file, amend, cancel, keep back, open, tell one filing at two precisions, erase and begin anew;
their logs are carried in parts, leaves before bodies, in any order; clocks go on, jump ahead and are put right; tables
are made again. The oracle keeps what each party can know as plain lists, and asks `keepclear.check` about all of it. A
node may not say *clear* where that does not, may not lack a conflict or have one too many, and may not count less than
what it was not told.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keepclear.errors import InputError
from keepclear.model.findings import Answer
from keepclear.model.operations import Operation, Zone
from keepclear.node.folder import NodeFolder
from keepclear.node.own_log import Outgoing
from keepclear.node.searching import Search
from keepclear.record.bodies.plans import OneOfValue, OperationBody, ZoneBody
from keepclear.record.bodies.references import EntryRefValue
from keepclear.record.bodies.talk import CancelBody
from keepclear.record.commitments import commitment, opening
from keepclear.record.entries import Entry, EntryRef
from keepclear.separation.checking import check
from keepclear.store.node.filings import FilingState, filings_by_id
from tests.unit.node.filings_made import LINE, START_S, Party, convoy, line_of, patrol, zone

pytestmark = pytest.mark.slow

NAMES = ("AA", "BB", "CC")
Thing = Operation | Zone
_OPEN = {"found", "advised", "accepted"}


class Opened(Party):
    """A party whose folder was made before."""

    def __init__(self, path: Path, now_s: float) -> None:
        self.now_s = now_s
        self.mode = "ask"
        self.folder = NodeFolder(path)
        self.open()

    def open(self) -> None:
        """Open everything, as at a start of the program."""
        self.connect()
        self.search = Search()
        self.begin()


@dataclass
class Said:
    """An entry as the oracle knows it: who may read it, and what it says."""

    author: str
    ref: EntryRef
    to: frozenset[str]
    thing: Thing | None = None
    exercise: bool = False
    amends: int | None = None
    cancels: int | None = None
    opens: int | None = None
    is_kept_back: bool = False
    run: range = range(0)

    @property
    def is_filing(self) -> bool:
        return self.thing is not None and self.opens is None


@dataclass
class Mind:
    """What one party has: how much of each log, which bodies, which of them it has erased, and what it has learned."""

    known: dict[str, int] = field(default_factory=dict)
    held: set[tuple[str, int]] = field(default_factory=set)
    learned: set[tuple[str, int]] = field(default_factory=set)


class World:
    """Three nodes, and beside each what it can know."""

    def __init__(self, nodes: list[Opened]) -> None:
        self.nodes = nodes
        self.logs: dict[str, dict[int, Said]] = {one.records.party: {} for one in nodes}
        self.minds = {one.records.party: Mind() for one in nodes}
        self.count = 0
        self.ahead_s = dict.fromkeys(NAMES, 0.0)

    # --- what happens ----------------------------------------------------------------------------------------------

    def file(self, who: int, a: int, b: int) -> None:
        self.count += 1
        self._say_thing(who, self._thing(who, f"t{self.count}", a), self._others(who, b), exercise=b % 7 == 0)

    def amend(self, who: int, a: int, b: int) -> None:
        own = self._standing(who, a)
        if own is not None and isinstance(own.thing, Operation) and not own.is_kept_back:
            made = self._thing(who, own.thing.id, b)
            if isinstance(made, Operation):
                self._say_thing(who, made, own.to, exercise=own.exercise, amends=own.ref.index)

    def cancel(self, who: int, a: int, b: int) -> None:  # noqa: ARG002  # all have the same
        own = self._standing(who, a)
        if own is not None:
            body = CancelBody(entry=EntryRefValue.of(own.ref))
            to = frozenset(NAMES) - {NAMES[who]} if own.is_kept_back else own.to
            (ref,) = self._say(who, Outgoing(body, sorted(to), own.exercise))
            self._note(Said(NAMES[who], ref, to, exercise=own.exercise, cancels=own.ref.index))

    def keep_back(self, who: int, a: int, b: int) -> None:
        node = self.nodes[who]
        self.count += 1
        thing = self._thing(who, f"k{self.count}", a)
        if not isinstance(thing, Operation):
            return
        entry = commitment(
            OperationBody.of_model(thing), line=LINE, party=NAMES[who], time_s=node.clock(), exercise=False,
            salt=bytes([self.count % 256]) * 32,
        )  # fmt: skip
        with node.records.reading(node.records.own_origin(LINE)) as log:
            (ref,) = log.append([entry])
        self._note(Said(NAMES[who], ref, frozenset(), thing, is_kept_back=True), held=False)
        if b % 2:
            to = self._others(who, b // 2)
            (said,) = self._say(who, Outgoing(opening(entry, ref), sorted(to)))
            self._note(Said(NAMES[who], said, to, thing, opens=ref.index))

    def tell_twice(self, who: int, a: int, b: int) -> None:  # noqa: ARG002
        """One filing, told more roughly to the second of the others."""
        self.count += 1
        exact = self._thing(who, f"r{self.count}", a)
        if not isinstance(exact, Operation):
            return
        rough = patrol(NAMES[who], exact.id, *_middle(a), radius_m=40e3, after_s=60_000.0, hours=30.0)
        others = [one for one in NAMES if one != NAMES[who]]
        bodies = [OperationBody.of_model(one, one_of=OneOfValue(place=n, of=2)) for n, one in enumerate((exact, rough))]
        refs = self._say(who, *(Outgoing(body, (to,)) for body, to in zip(bodies, others, strict=True)))
        run = range(refs[0].index, refs[0].index + 2)
        for ref, to, thing in zip(refs, others, (exact, rough), strict=True):
            self._note(Said(NAMES[who], ref, frozenset({to}), thing, run=run))

    def carry(self, who: int, a: int, b: int) -> None:
        """All that one has said comes to another, with the bodies or (b odd) without."""
        self._carry(who, (who + 1 + a % 2) % 3, bodies=b % 2 == 0)

    def bodies(self, who: int, a: int, b: int) -> None:
        """Some of the bodies that had not come do."""
        giver, taker = self.nodes[who], self.nodes[(who + 1 + a % 2) % 3]
        origin = giver.records.own_origin(LINE)
        wanted = [n for n in taker.records.wanted(origin) if b % 3 or n % 2]
        self._give(giver, taker, origin, wanted)

    def late(self, who: int, a: int, b: int) -> None:
        """What one says comes to another, who looks at it, and the bodies come after that."""
        whom = (who + 1 + a % 2) % 3
        self.file(who, a // 2, b)
        self._carry(who, whom, bodies=False)
        self.look(whom, 0, 0)
        self.bodies(who, a, 1)

    def look(self, who: int, a: int, b: int) -> None:  # noqa: ARG002
        self.nodes[who].projector.catch_up()
        self._learn(who)

    def erase(self, who: int, a: int, b: int) -> None:  # noqa: ARG002
        node, mind = self.nodes[who], self.minds[NAMES[who]]
        self.look(who, 0, 0)
        theirs = sorted(place for place in mind.held if place[0] != NAMES[who])
        if theirs:
            author, index = theirs[a % len(theirs)]
            said = self.logs[author][index]
            node.records.erase(said.ref.origin, index)
            node.projector.look_again(said.ref)
            mind.held.discard((author, index))

    def time(self, who: int, a: int, b: int) -> None:  # noqa: ARG002
        for node in self.nodes:
            node.now_s += (600.0, 7_200.0, 40_000.0)[a % 3]

    def jump(self, who: int, a: int, b: int) -> None:  # noqa: ARG002
        """A clock is days ahead, and the tables are made by it; or it is put right."""
        ahead_s = 0.0 if self.ahead_s[NAMES[who]] else 500_000.0
        self.nodes[who].now_s += ahead_s - self.ahead_s[NAMES[who]]
        self.ahead_s[NAMES[who]] = ahead_s
        if a % 2:
            self.look(who, 0, 0)

    def restart(self, who: int, a: int, b: int) -> None:  # noqa: ARG002
        node = self.nodes[who]
        node.close()
        node.open()

    def rebuild(self, who: int, a: int, b: int) -> None:  # noqa: ARG002
        self.look(who, 0, 0)
        self.nodes[who].projector.rebuild()
        mind = self.minds[NAMES[who]]
        mind.learned = set(mind.held)

    # --- what is asked ---------------------------------------------------------------------------------------------

    def ask(self, who: int, a: int, b: int) -> None:
        """Nothing is answered better than it is, at once; and just as it is once time was looked at too."""
        node = self.nodes[who]
        exercise = b % 5 == 0
        thing = self._thing(who, "asked", a)
        for is_settled in (False, True):
            if is_settled:
                node.projector.catch_up()
            with node.projector.asked() as (conn, doubts):
                found = node.search.conflicts_of(thing, conn=conn, exercise=exercise, doubts=doubts)
            self._learn(who)
            now_s = node.now_s
            wanted = self._conflicts_of(who, thing, exercise, now_s)
            told = {self._place(one.filing.ref): one.answer for one in found.conflicts if one.filing is not None}
            answer = self._answer(who, thing, exercise, wanted, now_s)
            if not is_settled:
                assert found.answer is not Answer.CLEAR or answer is Answer.CLEAR
                missing = [place for place in wanted if told.get(place) != wanted[place]]
                assert not missing or any("was ahead" in one for one in doubts), missing
                continue
            assert told == wanted, (told, wanted)
            assert not doubts
            assert found.answer is answer, (found, wanted)
            hidden = sum(self._is_hidden(who, one) and one.exercise == exercise for one in self._known(who))
            assert sum(_number(note) for note in found.notes) == hidden

    def compare_tables(self, who: int) -> None:
        """The conflicts in the tables are those of a check of all that the node knows."""
        node = self.nodes[who]
        node.projector.catch_up()
        self._learn(who)
        now_s, wanted = node.now_s, {}
        for exercise in (False, True):
            things = {
                self._place(one.ref): _named(one) for one in self._current(who, now_s) if one.exercise == exercise
            }
            by_name = {(isinstance(one, Zone), one.party, one.id): place for place, one in things.items()}
            for one in _checked(list(things.values())):
                ends = [interval.end_s for interval in one.intervals]
                if None in ends or max(ends) >= now_s:  # type: ignore[type-var]
                    pair = frozenset(by_name[side.is_zone, side.party, side.id] for side in (one.a, one.b))
                    wanted[pair] = one.answer
        with node.database.reading() as conn:
            all_rows = node.conflicts(limit=10_000)
            assert len({(row.first, row.second) for row in all_rows}) == len(all_rows)
            rows = [row for row in all_rows if row.state in _OPEN]
            filings = filings_by_id(conn, {number for row in rows for number in (row.first, row.second)})
        assert all(one.state is FilingState.ACTIVE for one in filings.values())
        told = {frozenset(self._place(filings[n].ref) for n in (row.first, row.second)): row.answer for row in rows}
        assert len(told) == len(rows)
        assert told == wanted, (told, wanted)

    # --- the oracle ------------------------------------------------------------------------------------------------

    def _known(self, who: int) -> list[Said]:
        """All entries whose leaves a party has."""
        mind = self.minds[NAMES[who]]
        return [
            said for author, log in self.logs.items() for index, said in log.items()
            if author == NAMES[who] or index < mind.known.get(author, 0)
        ]  # fmt: skip

    def _changed(self, who: int, said: Said) -> bool:
        """Whether a party knows that a filing was cancelled, or amended by the entry that did so first."""
        mind = self.minds[NAMES[who]]
        log = self.logs[said.author]
        amended = [n for n, one in log.items() if one.amends == said.ref.index]
        changes = [n for n, one in log.items() if one.cancels == said.ref.index] + amended
        return any((said.author, n) in mind.learned for n in changes)

    def _thing_of(self, who: int, said: Said) -> bool:
        """Whether a party can read a filing."""
        mind = self.minds[NAMES[who]]
        if not said.is_kept_back:
            return (said.author, said.ref.index) in mind.held
        if said.author == NAMES[who]:
            return True
        openings = [n for n, one in self.logs[said.author].items() if one.opens == said.ref.index]
        return any((said.author, n) in mind.learned for n in openings)

    def _current(self, who: int, now_s: float) -> list[Said]:
        """The filings that stand, are not over, and can be read."""
        return [
            one for one in self._known(who)
            if one.is_filing and self._thing_of(who, one) and not self._changed(who, one)
            and (one.is_kept_back or _end_s(one.thing) is None or _end_s(one.thing) >= now_s)  # type: ignore[operator]
        ]  # fmt: skip

    def _is_lost(self, who: int, said: Said, now_s: float) -> bool:
        """Whether a filing was said to a party that cannot read it, and may stand."""
        if not said.is_filing or said.is_kept_back or NAMES[who] not in said.to:
            return False
        place = (said.author, said.ref.index)
        if self._thing_of(who, said) or self._changed(who, said):
            return False
        # When it is over was known before it was erased.
        learned = place in self.minds[NAMES[who]].learned
        return not (learned and _end_s(said.thing) is not None and _end_s(said.thing) < now_s)  # type: ignore[operator]

    def _is_hidden(self, who: int, said: Said) -> bool:
        """Whether a filing was not said to a party, and may stand."""
        if said.author == NAMES[who] or not said.is_filing or NAMES[who] in said.to or self._changed(who, said):
            return False
        if said.is_kept_back and self._thing_of(who, said):
            return False
        return not any((said.author, n) in self.minds[NAMES[who]].learned for n in said.run)

    def _conflicts_of(self, who: int, thing: Thing, exercise: bool, now_s: float) -> dict[tuple[str, int], Answer]:  # noqa: FBT001
        others = [one for one in self._current(who, now_s) if one.exercise == exercise]
        names = {(isinstance(one.thing, Zone), one.author, _named(one).id): self._place(one.ref) for one in others}
        found = {}
        for one in _checked([thing, *map(_named, others)]):
            sides = [(side.is_zone, side.party, side.id) for side in (one.a, one.b)]
            if "asked" in {one.a.id, one.b.id}:
                (other,) = (names[side] for side in sides if side[2] != "asked")
                found[other] = one.answer
        return found

    def _answer(
        self, who: int, thing: Thing, exercise: bool, found: dict[tuple[str, int], Answer], now_s: float  # noqa: FBT001
    ) -> Answer:  # fmt: skip
        if Answer.CONFLICT in found.values():
            return Answer.CONFLICT
        lost = [one for one in self._known(who) if one.exercise == exercise and self._is_lost(who, one, now_s)]
        others = [
            one for one in self._current(who, now_s) if one.exercise == exercise
            and (isinstance(thing, Zone) or isinstance(one.thing, Zone) or one.author != NAMES[who])
        ]  # fmt: skip
        return Answer.POSSIBLE if found or lost or not others else Answer.CLEAR

    # --- inside ----------------------------------------------------------------------------------------------------

    def _say(self, who: int, *outgoing: Outgoing) -> tuple[EntryRef, ...]:
        return self.nodes[who].records.say(LINE, list(outgoing))

    def _say_thing(
        self, who: int, thing: Thing, to: frozenset[str], *, exercise: bool, amends: int | None = None
    ) -> None:
        made = OperationBody if isinstance(thing, Operation) else ZoneBody
        before = None if amends is None else EntryRefValue.of(self.logs[NAMES[who]][amends].ref)
        (ref,) = self._say(who, Outgoing(made.of_model(thing, supersedes=before), sorted(to), exercise))
        self._note(Said(NAMES[who], ref, to, thing, exercise, amends=amends))

    def _note(self, said: Said, *, held: bool = True) -> None:
        self.logs[said.author][said.ref.index] = said
        if held:
            self.minds[said.author].held.add((said.author, said.ref.index))

    def _learn(self, who: int) -> None:
        mind = self.minds[NAMES[who]]
        mind.learned |= mind.held

    def _carry(self, who: int, whom: int, *, bodies: bool) -> None:
        giver, taker = self.nodes[who], self.nodes[whom]
        origin = giver.records.own_origin(LINE)
        with giver.records.reading(origin) as theirs, taker.records.reading(origin) as mirror:
            before = mirror.size
            if theirs.size > before:
                mirror.extend(theirs.checkpoint(), list(theirs.leaves(before)))
            size = theirs.size
        self.minds[NAMES[whom]].known[NAMES[who]] = size
        if bodies:
            told = range(before, size)
            self._give(giver, taker, origin, [n for n in taker.records.wanted(origin) if n in told])

    def _give(self, giver: Party, taker: Party, origin: str, numbers: list[int]) -> None:
        told: dict[int, Entry] = {n: giver.records.entry(origin, n) for n in numbers}
        taker.records.put_bodies(origin, told)
        mind, log = self.minds[taker.records.party], self.logs[giver.records.party]
        mind.held |= {(giver.records.party, n) for n in told if n in log}

    def _others(self, who: int, b: int) -> frozenset[str]:
        others = [one for one in NAMES if one != NAMES[who]]
        return frozenset((others, others[:1], others[1:])[b % 3])

    def _standing(self, who: int, a: int) -> Said | None:
        log = self.logs[NAMES[who]]
        gone = {one.amends for one in log.values()} | {one.cancels for one in log.values()}
        own = [one for n, one in log.items() if one.is_filing and n not in gone]
        return own[a % len(own)] if own else None

    def _thing(self, who: int, name: str, a: int) -> Thing:
        lon, lat = _middle(a // 8)
        after_s, hours = (3_000.0, 86_400.0, 90_000.0)[a // 3 % 3], (1.0, 3.0)[a % 2]
        if a % 8 == 0:
            return zone(NAMES[who], name, lon, lat)
        made = (convoy, patrol)[a % 2]
        return made(NAMES[who], name, lon, lat, hours=hours, after_s=after_s)

    def _place(self, ref: EntryRef) -> tuple[str, int]:
        return ref.origin.split("/")[0], ref.index


def _middle(a: int) -> tuple[float, float]:
    return ((41.0, 37.0), (41.05, 37.0), (41.0, 37.01), (41.0, 39.0), (179.77, 0.0), (-179.99, 0.0))[a % 6]


def _named(said: Said) -> Thing:
    """The plan, by a name that no other entry has."""
    assert said.thing is not None
    return replace(said.thing, id=f"{said.author}.{said.ref.index}")


def _checked(things: list[Thing]) -> tuple:  # type: ignore[type-arg]
    try:
        return check(
            [one for one in things if isinstance(one, Operation)], [one for one in things if isinstance(one, Zone)]
        ).conflicts
    except InputError:
        assert not things
        return ()


def _end_s(thing: Thing | None) -> float | None:
    assert thing is not None
    ends = [one.end_s for one in thing.volumes]
    ends += [float(one.time_s[-1]) for one in getattr(thing, "tracks", ())]
    return None if None in ends else max(ends)  # type: ignore[type-var]


def _number(note: str) -> int:
    first = note.split(maxsplit=1)[0]
    return 1 if first == "one" else int(first)


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    """The folders of three parties on one line, and what time it is there."""
    path = tmp_path_factory.mktemp("line")
    with line_of(path, *NAMES) as nodes:
        now_s = max(node.now_s for node in nodes)
    return path, now_s


@contextmanager
def _world(line: tuple[Path, float], path: Path) -> Iterator[World]:
    nodes = []
    try:
        for name in NAMES:
            shutil.copytree(line[0] / name, path / name)
            nodes.append(Opened(path / name, line[1]))
        world = World(nodes)
        for who, node in enumerate(nodes):
            for other in nodes:
                if other is not node:
                    origin = other.records.own_origin(LINE)
                    world.minds[NAMES[who]].known[other.records.party] = node.records.size(origin)
        yield world
    finally:
        for node in nodes:
            node.close()


STEPS = (
    "file", "file", "file", "amend", "cancel", "keep_back", "tell_twice", "carry", "carry", "carry", "bodies",
    "late", "late", "look", "erase", "time", "jump", "restart", "rebuild", "ask", "ask",
)  # fmt: skip
_NUMBERS = st.integers(0, 3_000)
_STEP = st.tuples(st.sampled_from(STEPS), st.integers(0, 2), _NUMBERS, _NUMBERS)


@given(steps=st.lists(_STEP, min_size=12, max_size=40))
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
def test_no_node_says_more_than_it_knows(
    line: tuple[Path, float], tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, int, int]]
) -> None:
    assert line[1] < START_S + 2_000.0
    with _world(line, tmp_path_factory.mktemp("world")) as world:
        for what, who, a, b in steps:
            getattr(world, what)(who, a, b)
        for who in range(3):
            for number in (8, 13, 80, 201):
                world.ask(who, number, 1)
            world.compare_tables(who)
