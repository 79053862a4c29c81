"""Nodes that project and search, on real files, and what they file. All of it is invented."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from sqlalchemy import inspect, text

from keepclear.model.extents import Track, Volume
from keepclear.model.footprints import Circle
from keepclear.model.heights import HeightReference
from keepclear.model.kinds import OperationKind, ZoneKind
from keepclear.model.operations import Operation, Zone
from keepclear.node.advising import Advising
from keepclear.node.own_log import Outgoing
from keepclear.node.projecting import Projector
from keepclear.node.searching import Search
from keepclear.record.bodies.plans import OperationBody, ZoneBody
from keepclear.record.bodies.references import EntryRefValue
from keepclear.record.bodies.talk import CancelBody
from keepclear.record.entries import EntryRef
from keepclear.store.node.conflicts import ConflictRow, conflicts_like
from keepclear.store.node.database import NodeDatabase, projections
from keepclear.store.node.filings import Filing, filing_of
from tests.unit.node.lines_made import START_S, MadeNode, carry, copied, found, meet

__all__ = [
    "LINE", "START_S", "Party", "carry", "convoy", "line_of", "meet", "patrol", "tables_of", "zone",
]  # fmt: skip

LINE = "border"


class Party(MadeNode):
    """A node that knows about lines and projects what is said on them; a PostgreSQL if its address is given."""

    def __init__(self, path: Path, party: str, *, url: str = "", mode: str = "ask") -> None:
        super().__init__(path, party)
        if url:
            self.database.close()
            self.database = NodeDatabase.open(url)
            for part in (self.reader, self.cards, self.lines):
                for name in ("_database", "database"):
                    if hasattr(part, name):
                        setattr(part, name, self.database)
        self.mode = mode
        self.search = Search()
        self.begin()

    def begin(self) -> None:
        """Make the parts that keep something in memory anew, as after a crash."""
        self.projector = Projector(self.records, self.database, self.search, self.reader, self.bell, self.clock)
        self.advising = Advising(self.records, self.database, self.projector, mode=self.mode)

    def file(self, thing: Operation | Zone, *to: str, supersedes: EntryRef | None = None, **more: object) -> EntryRef:
        """Say an operation or a zone, and project it."""
        made = OperationBody if isinstance(thing, Operation) else ZoneBody
        of = None if supersedes is None else EntryRefValue.of(supersedes)
        (ref,) = self.records.say(LINE, [Outgoing(made.of_model(thing, supersedes=of), to, **more)])
        self.projector.catch_up()
        return ref

    def cancel(self, ref: EntryRef, *to: str, **more: object) -> EntryRef:
        """Cancel a filing, and project that."""
        (said,) = self.records.say(LINE, [Outgoing(CancelBody(entry=EntryRefValue.of(ref)), to, **more)])
        self.projector.catch_up()
        return said

    def filing(self, ref: EntryRef) -> Filing:
        with self.database.reading() as conn:
            found = filing_of(conn, ref)
        assert found is not None
        return found

    def conflicts(self, **wanted: object) -> list[ConflictRow]:
        with self.database.reading() as conn:
            return conflicts_like(conn, **wanted)


@contextmanager
def line_of(path: Path, *parties: str, urls: dict[str, str] | None = None, mode: str = "ask") -> Iterator[list[Party]]:
    """Parties that are on one line; the first has founded it."""
    now_s = START_S if urls else copied(path, LINE, *parties)
    nodes = [Party(path / one, one, url=(urls or {}).get(one, ""), mode=mode) for one in parties]
    try:
        if urls:
            found(LINE, *nodes)
        for node in nodes:
            node.now_s = max(node.now_s, now_s)
            node.projector.catch_up()
        yield nodes
    finally:
        for node in nodes:
            node.close()


def convoy(
    party: str, name: str, lon: float = 41.0, lat: float = 37.0, *, hours: float = 2.0, after_s: float = 86_400.0
) -> Operation:
    """A convoy that goes 20 km east from there, beginning so long after the start."""
    times = START_S + after_s + np.linspace(0.0, 3600.0 * hours, 5)
    east = lon + np.linspace(0.0, 0.225, 5)
    track = Track(times, east, np.full(5, lat), np.full(5, np.nan), HeightReference.UNKNOWN)
    return Operation(party, name, OperationKind.CONVOY, tracks=(track,))


def patrol(
    party: str, name: str, lon: float = 41.0, lat: float = 37.0, *, radius_m: float = 3e3, **when: float
) -> Operation:
    """A patrol somewhere round there, tomorrow."""
    start = START_S + when.get("after_s", 86_400.0)
    end = start + 3600.0 * when.get("hours", 4.0)
    return Operation(party, name, OperationKind.PATROL, (Volume(Circle(lon, lat, radius_m), None, None, start, end),))


def zone(party: str, name: str, lon: float = 41.0, lat: float = 37.0, *, kind: ZoneKind = ZoneKind.NO_GO_AREA) -> Zone:
    """An area without an end, from the start on."""
    return Zone(party, name, kind, (Volume(Circle(lon, lat, 2e3), None, None, START_S, None),))


def tables_of(database: NodeDatabase) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table that a rebuild makes again."""
    found = {}
    with database.reading() as conn:
        for table in projections.sorted_tables:
            assert inspect(conn).has_table(table.name)
            rows = conn.execute(text(f"SELECT * FROM {table.name}")).all()  # our own names
            found[table.name] = sorted((tuple(map(_plain, row)) for row in rows), key=repr)
    return found


def _plain(value: object) -> object:
    return bytes(value) if isinstance(value, memoryview) else value
