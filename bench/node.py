"""The node: filings, alerts, searches, catching up and memory, each beside what is asked for.

Two real nodes and what loads them run on this machine, over loopback. Setting up what is known beforehand goes the ways
that a node goes, but not over HTTP: entries are said many to a commit, and projected. The tables of the searches are
filled directly, and kept in ``bench/data/`` for the next run.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from bench.node_load import Events, Filer, file_all, file_lists, file_steadily, streams, until_quiet
from bench.node_pair import LINE, Pair, asked, memory_mb, until
from bench.node_plans import body_of_plan, plans, request_of
from bench.node_search import fill, searched, things
from bench.record import RecordFigure
from bench.replicas import DATA
from keepclear.clock import now_s
from keepclear.node.own_log import Outgoing
from keepclear.node.searching import Search
from keepclear.record.bodies.talk import MessageBody, Priority
from keepclear.store.node.database import NodeDatabase

__all__ = ["PIECES", "node_figures"]

PIECES = ("node-rate", "node-catch-up", "node-memory", "node-search")
"""What can be measured by itself, each within some minutes."""

SEED = 23
KNOWN, QUICK_KNOWN = 10_000, 1_000
ACTIVE = 100_000
MISSED, QUICK_MISSED = 100_000, 5_000
PER_S, CLIENTS, STREAMS = 20.0, 16, 500
LISTED = 100


def node_figures(*, quick: bool, pieces: Sequence[str] = PIECES) -> list[RecordFigure]:
    """All figures of the node; of pieces that are not measured now, those of the last time that they were."""
    DATA.mkdir(parents=True, exist_ok=True)
    figures: list[RecordFigure] = []
    for piece in PIECES:
        kept = DATA / f"{piece}{'-quick' if quick else ''}.json"
        if piece in pieces:
            found = list(_MEASURED[piece](quick))
            kept.write_text(json.dumps([asdict(one) for one in found], indent=1), encoding="utf-8")
        else:
            found = [RecordFigure(**one) for one in json.loads(kept.read_text("utf-8"))] if kept.exists() else []
        figures += found
    return figures


@contextmanager
def _pair() -> Iterator[Pair]:
    with tempfile.TemporaryDirectory(dir=DATA) as folder, Pair(Path(folder)) as pair:
        yield pair


def _rates(quick: bool) -> Iterator[RecordFigure]:  # noqa: FBT001  # all pieces are asked alike
    with _pair() as pair:
        yield from _idle(pair)
        known = _known(pair, QUICK_KNOWN if quick else KNOWN)
        yield from _alerts(pair, known, seconds=5.0 if quick else 30.0)
        yield from _filings(pair, known, seconds=5.0 if quick else 20.0)
        yield from _streams(pair)


def _caught_up(quick: bool) -> Iterator[RecordFigure]:  # noqa: FBT001
    with _pair() as pair:
        yield from _catching_up(pair, QUICK_MISSED if quick else MISSED)


def _held(quick: bool) -> Iterator[RecordFigure]:  # noqa: FBT001
    if not quick:
        with _pair() as pair:
            yield from _memory(pair)


def _searches(quick: bool) -> Iterator[RecordFigure]:  # noqa: FBT001
    _say("searches")
    yield from searched((1_000, 10_000) if quick else (10_000, 100_000, 1_000_000))


_MEASURED: dict[str, Callable[[bool], Iterator[RecordFigure]]] = dict(
    zip(PIECES, (_rates, _caught_up, _held, _searches), strict=True)
)


def _idle(pair: Pair) -> Iterator[RecordFigure]:
    _say("an idle node")
    time.sleep(18.0)  # what was only needed to set it up has ended
    yield RecordFigure("an idle node in memory", max(memory_mb(node) for node in pair.both), "MB", 250.0)


def _known(pair: Pair, count: int) -> int:
    """Half of what is known is said by either; both have all of it afterwards."""
    _say(f"{count:,} operations and zones known to both")
    pair.stop()
    for node, other in (pair.both, pair.both[::-1]):
        made = plans(count // 2, node.party, seed=SEED, begin_s=now_s())
        pair.say(node, (Outgoing(body_of_plan(one), [other.party]) for one in made), project=True)
    pair.start()
    for node in pair.both:
        until(lambda node=node: asked(node, "node.db", "SELECT count(*) FROM filing") >= count)  # type: ignore[misc]
    for node in pair.both:
        until_quiet(node)  # after the receipts, and looking through so many at once for what is due
    return count


def _alerts(pair: Pair, known: int, *, seconds: float) -> Iterator[RecordFigure]:
    _say("filing to alert")
    made = list(plans(int(PER_S * seconds), "NORTH", seed=SEED + 1, begin_s=now_s()))
    events = Events(pair.south).start()
    due = file_steadily(pair.north, made, per_s=PER_S, clients=8)
    until(lambda: due.keys() <= events.told.keys())
    events.stop()
    times = sorted(1e3 * (events.told[entry] - at) for entry, at in due.items())
    about = f"filing to the peer's alert at {PER_S:.0f} filings/s, {known:,} known"
    yield RecordFigure(f"{about}: half within", times[len(times) // 2], "ms", 150.0)
    yield RecordFigure(f"{about}: 99 % within", times[int(0.99 * len(times))], "ms", 1000.0)


def _filings(pair: Pair, known: int, *, seconds: float) -> Iterator[RecordFigure]:
    """As fast as one node takes them; the other does not run."""
    _say("filings as fast as they go")
    pair.south.stop()
    file_all(pair.north, list(plans(100, "NORTH", seed=SEED + 2, begin_s=now_s())), clients=CLIENTS)
    for clients in (1, CLIENTS):
        few = list(plans(100, "NORTH", seed=SEED + 2 + clients, begin_s=now_s()))
        count = max(100, int(seconds * len(few) / file_all(pair.north, few, clients=clients)))
        made = list(plans(count, "NORTH", seed=SEED + 100 + clients, begin_s=now_s()))
        until_quiet(pair.north)
        used_s = time.process_time()
        took_s = file_all(pair.north, made, clients=clients)
        rate, share = count / took_s, (time.process_time() - used_s) / took_s
        _say(f"  {clients}: {rate:.0f}/s; those who file use {100 * share:.0f} % of one core themselves")
        about = f"durable filings over HTTP, {clients} client{'s' if clients > 1 else ''}, {known:,} known"
        yield RecordFigure(about, rate, "filings/s", 150.0 if clients > 1 else None)
    few = list(plans(2 * LISTED, "NORTH", seed=SEED + 60, begin_s=now_s()))
    count = LISTED * max(2, int(seconds * len(few) / file_lists(pair.north, few, at_once=LISTED) / LISTED))
    made = list(plans(count, "NORTH", seed=SEED + 61, begin_s=now_s()))
    until_quiet(pair.north)
    rate = count / file_lists(pair.north, made, at_once=LISTED)
    yield RecordFigure(
        f"the same in lists of {LISTED}, each in one request, 1 client, {known:,} known", rate, "filings/s", 150.0
    )


def _streams(pair: Pair) -> Iterator[RecordFigure]:
    _say(f"{STREAMS} streams of events")
    (plan,) = plans(1, "NORTH", seed=SEED + 50, begin_s=now_s())
    _, last_s = streams(pair.north, STREAMS, plan)
    yield RecordFigure(f"filing to the last of {STREAMS} streams of events", 1e3 * last_s, "ms", None)


def _catching_up(pair: Pair, count: int) -> Iterator[RecordFigure]:
    """The peer was away while messages were said, which NORTH has in its tables."""
    _say(f"a peer that missed {count:,} entries")
    pair.stop()
    text = "Convoy halted at the bridge; we go on when the road is clear."
    body = MessageBody(text=text, priority=Priority.ROUTINE)
    pair.say(pair.north, (Outgoing(body, [pair.south.party]) for _ in range(count)), project=True)
    size = asked(pair.north, "record.db", _SIZE)
    pair.start()
    held_s = until(
        lambda: asked(pair.south, "record.db", _HELD) >= size and asked(pair.south, "record.db", _WANTED) == 0
    )
    told_s = held_s + until(lambda: asked(pair.south, "node.db", _ARRIVED) >= size)
    yield RecordFigure(f"a peer that missed {count:,} entries has them all, verified", held_s, "s", 60.0)
    yield RecordFigure(f"the same, until all are in its tables: {count:,} entries", told_s, "s", None)


_OF_NORTH = f"(SELECT id FROM log WHERE origin = 'NORTH/{LINE}/log')"
_SIZE = f"SELECT max(size) FROM checkpoint WHERE log = {_OF_NORTH}"  # our own words
_HELD = f"SELECT count(*) FROM leaf WHERE log = {_OF_NORTH}"
_WANTED = f"SELECT count(*) FROM body WHERE log = {_OF_NORTH} AND state = 0"
_ARRIVED = f"SELECT max(stop) FROM arrival WHERE origin = 'NORTH/{LINE}/log'"


def _memory(pair: Pair) -> Iterator[RecordFigure]:
    """With so many plans in its tables, after some questions."""
    _say(f"{ACTIVE:,} active operations in memory")
    pair.stop()
    database = NodeDatabase.open(pair.south.folder.path / "node.db")
    source = things(ACTIVE, began_s=now_s())
    for start in range(0, ACTIVE, 20_000):
        fill(database, Search(), 10**7 + start, [next(source) for _ in range(20_000)], line=LINE)
    database.close()
    pair.south.start()
    pair.south.wait()
    filer = Filer(pair.south)
    for plan in plans(300, "SOUTH", seed=SEED + 4, begin_s=now_s(), zones=False):
        filer.post("/api/v1/checks", request_of(plan, LINE)[1])
    for plan in plans(20, "SOUTH", seed=SEED + 5, begin_s=now_s()):
        filer.file(plan)
    filer.close()
    yield RecordFigure(f"a node with {ACTIVE:,} active operations in memory", memory_mb(pair.south), "MB", 1000.0)


def _say(what: str) -> None:
    print(f"  {what}", file=sys.stderr, flush=True)


def _main(words: Sequence[str]) -> None:
    chosen = [word for word in words if word in PIECES] or PIECES
    for figure in node_figures(quick="--quick" in words, pieces=chosen):
        print(figure)


if __name__ == "__main__":
    _main(sys.argv[1:])
