"""The node's search: how long a question takes, what it finds, and what putting a filing into the tables costs.

Filings of a month over a theatre of 2,000 by 1,500 km, from a fixed seed: patrols, convoys, flights, drones and zones
of six parties, as many as are asked for, with the density that follows. A million of them are in a theatre ten times as
large, with the density of 100,000 in the other, and also in the same theatre, where the zones that have no end cover
everything several times over. Each size is asked by filings that are not in the tables, drawn alike. Run it by hand:
``python -m bench.node_search [--sizes 1000,10000,100000] [--asked 300]``.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
from sqlalchemy import MetaData, create_engine, inspect, text

from bench.record import RecordFigure
from bench.replicas import DATA
from keepclear.model.extents import Track, Volume
from keepclear.model.footprints import Circle, Corridor, Polygon
from keepclear.model.heights import Height, HeightReference
from keepclear.model.kinds import OperationKind, ZoneKind
from keepclear.model.operations import Operation, Zone
from keepclear.node.searching import Search
from keepclear.record.entries import EntryRef
from keepclear.separation.asking import Prepared
from keepclear.store.node import schema
from keepclear.store.node.cells import add_cells
from keepclear.store.node.database import NodeDatabase, facts, projections
from keepclear.store.node.filings import Filing, FilingState, add_filings, put_plans
from keepclear.store.node.kept_values import keep_value
from keepclear.store.node.plan_bytes import packed

__all__ = ["fill", "main", "searched", "things"]

SEED = 17
BEGAN_S = 1_767_225_600.0
MONTH_S = 30 * 86_400.0
Theatre = tuple[float, float, float, float]
"""West, south, width and height in degrees."""
THEATRE: Theatre = (30.0, 28.0, 22.0, 14.0)
TENFOLD: Theatre = (5.4, 12.865, 71.2, 44.27)
"""About the same middle, and ten times as large: (sin 57.135° - sin 12.865°) · 71.2 is ten times that of the other."""
PARTIES = ("north", "east", "south", "west", "aid", "un")
SIZES = (1_000, 10_000, 100_000)
ASKED = 300
FORM = 1  # of the kept tables: another number makes them anew
_AT_ONCE = 20_000
_READ = ("filing", "plan", "cell", "cell_class")
_LIMITS_MS = {100_000: 20.0, 1_000_000: 60.0}
_MANY = 1_000_000


def things(
    count: int, *, seed: int = SEED, began_s: float = BEGAN_S, theatre: Theatre = THEATRE
) -> Iterator[Operation | Zone]:
    """Filings drawn from a seed: of a hundred, 37 patrols, 23 convoys, 20 flights, 15 of drones and 5 zones."""
    rng = np.random.default_rng(seed)
    west, south, wide, high = theatre
    for number in range(count):
        party, share = PARTIES[int(rng.integers(0, len(PARTIES)))], rng.random()
        lon, lat = west + wide * rng.random(), south + high * rng.random()
        start = began_s + MONTH_S * rng.random()
        name = f"{party[0]}{number}"
        if share < 0.37:
            yield Operation(party, name, OperationKind.PATROL, tracks=(_ground(rng, lon, lat, start, 8.0, 40),))
        elif share < 0.60:
            yield Operation(party, name, OperationKind.CONVOY, tracks=(_ground(rng, lon, lat, start, 14.0, 60),))
        elif share < 0.80:
            yield Operation(party, name, OperationKind.FLIGHT, tracks=(_flight(rng, lon, lat, start),))
        elif share < 0.95:
            yield Operation(party, name, OperationKind.UAS, (_area(rng, lon, lat, start),))
        else:
            yield Zone(party, name, ZoneKind.NO_GO_AREA, (_zone(rng, lon, lat, start),))


def _ground(rng: np.random.Generator, lon: float, lat: float, start: float, speed_m_s: float, points: int) -> Track:
    """A route that turns now and then, with slip as such plans have it."""
    course = np.cumsum(rng.normal(0.0, 0.25, points)) + rng.uniform(0.0, 6.28)
    step_m = rng.uniform(500.0, 1_500.0)
    lons = lon + np.cumsum(np.sin(course)) * step_m / 90_000.0
    lats = lat + np.cumsum(np.cos(course)) * step_m / 111_000.0
    times = start + np.arange(points) * step_m / speed_m_s
    nothing = np.full(points, np.nan)
    return Track(times, lons, lats, nothing, HeightReference.UNKNOWN, early_s=300.0, late_s=1_800.0)


def _flight(rng: np.random.Generator, lon: float, lat: float, start: float) -> Track:
    points, speed_m_s = 20, rng.uniform(120.0, 240.0)
    course, length_m = rng.uniform(0.0, 6.28), rng.uniform(100e3, 700e3)
    along = np.linspace(0.0, length_m, points)
    lons, lats = lon + along * np.sin(course) / 90_000.0, lat + along * np.cos(course) / 111_000.0
    level = 304.8 * rng.integers(5, 40)
    heights = np.minimum(level, 15.0 * np.minimum(along, along[::-1]) / speed_m_s + 300.0)
    return Track(start + along / speed_m_s, lons, lats, heights, HeightReference.AMSL, late_s=600.0)


def _area(rng: np.random.Generator, lon: float, lat: float, start: float) -> Volume:
    low, high = (Height(value, HeightReference.AGL) for value in (0.0, 120.0))
    end = start + rng.uniform(1_800.0, 14_400.0)
    return Volume(Circle(lon, lat, rng.uniform(200.0, 3_000.0)), low, high, start, end)


def _zone(rng: np.random.Generator, lon: float, lat: float, start: float) -> Volume:
    end = None if rng.random() < 0.3 else start + rng.uniform(0.2, 10.0) * 86_400.0
    ceiling = None if rng.random() < 0.3 else Height(rng.uniform(500.0, 5_000.0), HeightReference.AMSL)
    if rng.random() < 0.3:
        line = np.array([[lon, lat], [lon + 0.3, lat + 0.1], [lon + 0.5, lat]])
        return Volume(Corridor(line, 2_000.0), None, ceiling, start, end)
    turns = np.linspace(0.0, 2.0 * np.pi, 13)
    size = rng.uniform(0.02, 0.3)
    ring = np.column_stack((lon + size * np.cos(turns), lat + size * np.sin(turns)))
    ring[-1] = ring[0]
    return Volume(Polygon((ring,)), None, ceiling, start, end)


def fill(
    database: NodeDatabase, search: Search, start: int, made: list[Operation | Zone], *, line: str = "line"
) -> float:
    """Put filings into the tables, without searching; seconds for each."""
    began = time.perf_counter()
    for low in range(0, len(made), 2_000):
        some = made[low : low + 2_000]
        with database.writing() as conn:
            rows = []
            for at, thing in enumerate(some):
                number = start + low + at
                ref = EntryRef(f"{thing.party}/{line}/log", number, number.to_bytes(8, "big") * 4)
                kind = "zone" if isinstance(thing, Zone) else "operation"
                nothing = {"box": None, "start_s": None, "end_s": None, "supersedes": None, "changed_by": None}
                said = {"line": line, "ref": ref, "party": thing.party, "type": kind, "exercise": False}
                told = {"time_s": BEGAN_S, "kept_s": BEGAN_S, "recipients": (), "problem": "", "thing_id": thing.id}
                state = {"state": FilingState.ACTIVE, "state_s": BEGAN_S, "name": "", "kind": ""}
                rows.append(Filing(**{"id": 0, **said, **told, **state, **nothing}))
            rows = add_filings(conn, rows)
            put_plans(conn, {row.id: packed(thing) for row, thing in zip(rows, some, strict=True)})
            for row, thing in zip(rows, some, strict=True):
                owner, prepared = "" if isinstance(thing, Zone) else thing.party, Prepared.of(thing)
                search.keep(row.ref.leaf_hash, prepared)  # as the projector does
                add_cells(conn, row.id, search.cells_of(prepared, exercise=False), owner=owner)
    return (time.perf_counter() - began) / max(1, len(made))


def ask(database: NodeDatabase, search: Search, asked: list[Operation | Zone]) -> dict[str, float]:
    """Times of questions in milliseconds, and what they found."""
    times, candidates, conflicts = [], [], []
    for thing in asked:
        began = time.perf_counter()
        with database.reading() as conn:
            found = search.conflicts_of(thing, conn=conn)
        times.append(1e3 * (time.perf_counter() - began))
        candidates.append(found.checked)
        conflicts.append(len(found.conflicts))
    ranked = sorted(times)
    return {
        "p50 ms": statistics.median(ranked), "p90 ms": ranked[int(0.90 * len(ranked))],
        "p99 ms": ranked[int(0.99 * len(ranked))], "most ms": ranked[-1],
        "judged": statistics.mean(candidates), "found": statistics.mean(conflicts),
    }  # fmt: skip


def searched(sizes: Sequence[int]) -> Iterator[RecordFigure]:
    """How long questions take at each size, asked by operations, by zones and by both as they are filed.

    The tables are filled once, and kept for the next run. What is asked for stands beside the density of 100,000; of
    the density that is ten times as great it is said whether that was kept to as well.
    """
    for size in sizes:
        if size != _MANY:
            yield from _searched(size, THEATRE, "", _LIMITS_MS.get(size))
            continue
        yield from _searched(size, TENFOLD, " as dense as those 100,000", _LIMITS_MS[size])
        limit_ms = _LIMITS_MS[size]
        for figure in _searched(size, THEATRE, " ten times as dense", None):
            over = f" (more than the {limit_ms:.0f} ms asked for)" if figure.value > limit_ms else ""
            yield replace(figure, name=figure.name + over)


def _searched(size: int, theatre: Theatre, where: str, limit_ms: float | None) -> Iterator[RecordFigure]:
    asked = list(things(ASKED * 4, seed=SEED + 1, theatre=theatre))
    both = asked[100:]
    kinds = {
        "": both,
        " by operations": [one for one in both if isinstance(one, Operation)],
        " by zones": [one for one in both if isinstance(one, Zone)],
    }
    database, search = _filled(size, theatre), Search()
    _timed(database, search, asked[:100])  # pages are in the cache, and kernels are compiled
    for name, questions in kinds.items():
        times = _timed(database, search, questions)
        about = f"a search{name} among {size:,} active{where}"
        yield RecordFigure(f"{about}: half within", times[len(times) // 2], "ms", None)
        asked_ms = None if name else limit_ms
        yield RecordFigure(f"{about}: 99 % within", times[int(0.99 * len(times))], "ms", asked_ms)
    database.close()


def _filled(size: int, theatre: Theatre = THEATRE) -> NodeDatabase:
    """Tables with so many plans in them, made where they are not there."""
    path = DATA / f"node-search-{size}{'-constant' if theatre == TENFOLD else ''}-{FORM}" / "node.db"
    if not path.exists():
        making = path.parent.with_suffix(".making")
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(parents=True)
        _make(making / path.name, size, theatre)
        making.rename(path.parent)
    elif not _adopted(path):
        shutil.rmtree(path.parent)
        return _filled(size, theatre)
    database = NodeDatabase.open(path)
    assert not database.stale, f"{path} was emptied"
    return database


def _make(path: Path, size: int, theatre: Theatre) -> None:
    """Fill new tables. Cells, whose places are anywhere in their table, are put into it at the end, in the same order.

    A small cache would have each of them write a page of its own: of a million filings for an hour.
    """
    database, search = NodeDatabase.open(path), Search()
    database.rebuild_projections()
    source = things(size, theatre=theatre)
    with closing(sqlite3.connect(path, isolation_level=None)) as beside:
        beside.execute("PRAGMA synchronous = OFF")
        beside.execute("ATTACH ? AS aside", (str(path.with_name("cells.db")),))
        beside.execute("PRAGMA aside.journal_mode = OFF")
        beside.execute("CREATE TABLE aside.cell AS SELECT * FROM cell LIMIT 0")
        for low in range(0, size, _AT_ONCE):
            fill(database, search, low, [next(source) for _ in range(min(_AT_ONCE, size - low))])
            beside.execute("INSERT INTO aside.cell SELECT * FROM main.cell ORDER BY filing, part")
            beside.execute("DELETE FROM main.cell")
        database.close()
        beside.execute("PRAGMA main.journal_mode = DELETE")
        beside.execute("PRAGMA main.journal_mode = OFF")
        beside.execute("PRAGMA main.cache_size = -2000000")
        beside.execute("INSERT INTO main.cell SELECT * FROM aside.cell ORDER BY aside.cell.rowid")
    path.with_name("cells.db").unlink()


def _adopted(path: Path) -> bool:
    """Make kept tables those of today's program, which else would empty them; not where searches read them otherwise.

    What a search reads is filled from a seed and stays; all other tables are empty, and made anew.
    """
    engine = create_engine(f"sqlite:///{path}")
    try:
        with engine.begin() as conn:
            there = inspect(conn)
            for name in _READ:
                table = projections.tables[name]
                columns = {column["name"] for column in there.get_columns(name)} if there.has_table(name) else set()
                indexes = {index["name"] for index in there.get_indexes(name)} if columns else set()
                if columns != {one.name for one in table.columns} or indexes != {one.name for one in table.indexes}:
                    return False
            if not conn.execute(text("SELECT 1 FROM filing LIMIT 1")).scalar():
                return False
            others = MetaData()
            others.reflect(conn, only=[name for name in there.get_table_names() if name not in _READ])
            others.drop_all(conn)
            facts.create_all(conn, checkfirst=False)
            schema.stamp_tables(conn, schema.FACTS_VERSION)
            projections.create_all(conn)
            keep_value(conn, schema._MADE_AS, schema._shape())  # noqa: SLF001  # nobody else says what it is not
    finally:
        engine.dispose()
    return True


def _timed(database: NodeDatabase, search: Search, asked: Sequence[Operation | Zone]) -> list[float]:
    times = []
    for thing in asked:
        began = time.perf_counter()
        with database.reading() as conn:
            search.conflicts_of(thing, conn=conn)
        times.append(1e3 * (time.perf_counter() - began))
    return sorted(times)


def main(arguments: list[str]) -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    parser.add_argument("--asked", type=int, default=ASKED)
    parser.add_argument("--url", default="", help="a PostgreSQL instead of a SQLite file")
    options = parser.parse_args(arguments)
    sizes = [int(size) for size in options.sizes.split(",")]
    asked = list(things(options.asked, seed=SEED + 1))
    source = things(max(sizes))
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        database = NodeDatabase.open(options.url or Path(folder) / "node.db")
        database.rebuild_projections()
        search, there = Search(), 0
        print(f"{'active':>9} {'put ms':>7} {'p50 ms':>7} {'p90 ms':>7} {'p99 ms':>7} {'most ms':>8} judged  found  MB")
        for size in sizes:
            put_s, some = 0.0, []
            for low in range(there, size, 20_000):
                some = [next(source) for _ in range(min(20_000, size - low))]
                put_s = fill(database, search, low, some)
            there = size
            ask(database, search, asked[:30])  # warm: kernels are compiled, pages are in the cache
            told = ask(database, search, asked[30:])
            used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(
                f"{size:>9,} {1e3 * put_s:>7.2f} {told['p50 ms']:>7.2f} {told['p90 ms']:>7.2f} {told['p99 ms']:>7.2f} "
                f"{told['most ms']:>8.2f} {told['judged']:>6.1f} {told['found']:>6.2f} {used:>5.0f}",
                flush=True,
            )
        database.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
