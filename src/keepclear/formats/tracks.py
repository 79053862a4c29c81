"""From sorted columns of positions to operations: each track is a view, nothing is copied."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise, repeat
from operator import itemgetter
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from keepclear.errors import Fault, InputError
from keepclear.formats.cells import Array, Codes, RowNames, Vocabulary
from keepclear.formats.columns import HEIGHT, Layout
from keepclear.formats.decimals import parse_number
from keepclear.formats.grouping import Groups
from keepclear.formats.reading import Reading
from keepclear.model.bulk import collector_paused, made_of
from keepclear.model.extents import Track, TrackBasis
from keepclear.model.heights import HeightReference, parse_height_reference
from keepclear.model.kinds import Domain, OperationKind, ZoneKind, domains_of, parse_domains, parse_operation_kind
from keepclear.model.operations import JointPlan, Operation, Source, check_names

__all__ = ["Backward", "Table", "build_operations"]

_T = TypeVar("_T")
_NO_DOMAIN: frozenset[Domain] = frozenset()
_SAID_OF_OPERATION = ("kind", "domain", "name", "top_speed_m_s", "joint_plan", "joint_with")


@dataclass(frozen=True, slots=True)
class Backward:
    """The first row of a group whose time is before that of the row before it, and how many more there are."""

    group: int
    row: int
    before_s: float
    time_s: float
    more: int


@dataclass(slots=True)
class Table:
    """Columns of positions with the rows of each group together, in the order of the file.

    Attributes
    ----------
    columns
        Each of shape (n,), float64.
    groups, starts
        Which groups have rows here, and where each begins.
    rows
        The number in the file of each row; ``None`` if they are 0 to n - 1.
    """

    columns: dict[str, Array]
    groups: Codes
    starts: npt.NDArray[np.intp]
    rows: npt.NDArray[np.int64] | None

    def row(self, index: int) -> int:
        """The number in the file of the row at `index`."""
        return index if self.rows is None else int(self.rows[index])

    def backward(self) -> list[Backward]:
        """Where time goes back: the first place in each group."""
        time_s = self.columns["time"]
        back = time_s[1:] < time_s[:-1]
        back[self.starts[1:] - 1] = False
        if not back.any():
            return []
        indices = np.flatnonzero(back) + 1
        pieces = np.searchsorted(self.starts, indices, side="right") - 1
        different, first, counts = np.unique(pieces, return_index=True, return_counts=True)
        return [
            Backward(
                int(self.groups[piece]),
                self.row(int(index)),
                float(time_s[index - 1]),
                float(time_s[index]),
                int(count) - 1,
            )
            for piece, index, count in zip(different, indices[first], counts, strict=True)
        ]

    def without_repeats(self) -> tuple[Table, int]:
        """The table without rows that repeat the row before them in every number, and how many those were."""
        time_s = self.columns["time"]
        same = time_s[1:] == time_s[:-1]
        same[self.starts[1:] - 1] = False
        repeats = np.flatnonzero(same) + 1
        for column in self.columns.values():
            here, before = column[repeats], column[repeats - 1]
            repeats = repeats[(here == before) | (np.isnan(here) & np.isnan(before))]
        if not len(repeats):
            return self, 0
        keep = np.ones(len(time_s), np.bool_)
        keep[repeats] = False
        columns = {field: column[keep] for field, column in self.columns.items()}
        starts = self.starts - np.searchsorted(repeats, self.starts)
        rows = np.flatnonzero(keep) if self.rows is None else self.rows[keep]
        return Table(columns, self.groups, starts, rows), len(repeats)


def build_operations(
    table: Table,
    groups: Groups,
    words: Mapping[str, Vocabulary],
    layout: Layout,
    reading: Reading,
    names: RowNames,
    extra_uncertainty_m: float = 0.0,
) -> None:
    """Add an operation to `reading` for each (party, operation) of the table; what is wrong is noted there."""
    with collector_paused():
        _build(table, groups, words, layout, reading, names, extra_uncertainty_m)


def _build(
    table: Table,
    groups: Groups,
    words: Mapping[str, Vocabulary],
    layout: Layout,
    reading: Reading,
    names: RowNames,
    extra_uncertainty_m: float = 0.0,
) -> None:
    meanings = _Meanings(table, groups, words, reading, names)
    tracks = _tracks(table, meanings, layout, extra_uncertainty_m)
    pieces_of = _pieces_of(list(zip(meanings.codes("party"), groups.operations[table.groups].tolist(), strict=True)))
    kinds = meanings.of("kind", lambda text: parse_operation_kind(text) if text else _default_kind(reading), None)
    domains = meanings.of("domain", lambda text: parse_domains(text) if text else _NO_DOMAIN, _NO_DOMAIN)
    usual = {kind: domains_of(kind) for kind in {*kinds}}
    titles = meanings.of("name", str, "")
    speeds = meanings.of("top_speed_m_s", _top_speed, None)
    joint = meanings.joint()
    if reading.faults:
        return
    one_each = len(pieces_of) == len(tracks)
    if not one_each:
        for pieces in pieces_of.values():
            if len(pieces) > 1:
                meanings.check_alike(pieces)
    firsts = [pieces[0] for pieces in pieces_of.values()]
    tracks_of = zip(tracks) if one_each else (tuple(tracks[piece] for piece in pieces) for pieces in pieces_of.values())
    parties, ids = words["party"].texts, words["operation"].texts
    own_ids = [ids[operation] for _, operation in pieces_of]
    count = len(own_ids)
    for party in {party for party, _ in pieces_of}:
        check_names(parties[party], reading.file)  # each operation has an id: that was checked with the rows
    reading.operations += made_of(
        Operation,
        count,
        {
            "party": map(parties.__getitem__, map(itemgetter(0), pieces_of)),
            "id": own_ids,
            "kind": map(kinds.__getitem__, firsts),
            "volumes": repeat((), count),
            "tracks": tracks_of,
            "domains": (domains[first] or usual[kinds[first]] for first in firsts),
            "participants": repeat((), count),
            "joint": map(joint.__getitem__, firsts),
            "name": map(titles.__getitem__, firsts),
            "top_speed_m_s": map(speeds.__getitem__, firsts),
            "source": made_of(Source, count, {"file": repeat(reading.file, count), "feature": own_ids}),
        },
    )


def _pieces_of(keys: list[tuple[int, int]]) -> dict[tuple[int, int], list[int]]:
    """The pieces of each operation, by party and id: most have one only."""
    pieces_of = dict(zip(keys, ([piece] for piece in range(len(keys))), strict=True))
    if len(pieces_of) == len(keys):
        return pieces_of
    pieces_of = {key: [] for key in pieces_of}
    for piece, key in enumerate(keys):
        pieces_of[key].append(piece)
    return pieces_of


class _Meanings:
    """What the texts mean that the groups of a table say."""

    def __init__(
        self, table: Table, groups: Groups, words: Mapping[str, Vocabulary], reading: Reading, names: RowNames
    ) -> None:
        self._table = table
        self._said = groups.said
        self._words = words
        self._reading = reading
        self._names = names

    def codes(self, field: str) -> list[int]:
        """What each piece of the table says in a column; empty texts where there is no such column."""
        if field in self._said:
            return self._said[field][self._table.groups].tolist()  # type: ignore[no-any-return]
        return [self._words[field].code("")] * len(self._table.groups)

    def of(self, field: str, parse: Callable[[str], _T], otherwise: _T) -> list[_T]:
        """What each piece means; each text is parsed once, and noted where it means nothing."""
        codes = self.codes(field)
        texts = self._words[field].texts
        parsed: dict[int, _T] = {}
        first = dict(zip(reversed(codes), range(len(codes) - 1, -1, -1), strict=True))
        for code, piece in sorted(first.items(), key=itemgetter(1)):
            try:
                parsed[code] = parse(texts[code])
            except InputError as error:
                parsed[code] = otherwise
                for fault in error.faults:
                    self._fault(piece, fault.problem, fault.right, field, fault.value)
        return list(map(parsed.__getitem__, codes))

    def joint(self) -> list[JointPlan | None]:
        """The joint plan of each piece: a plan and who else is in it."""
        plans, others = self.of("joint_plan", str, ""), self.of("joint_with", _ids, frozenset[str]())
        if not any(plans) and not any(others):
            return [None] * len(plans)
        for piece, (plan, ids) in enumerate(zip(plans, others, strict=True)):
            if bool(plan) != bool(ids):
                self._fault(
                    piece, "half of a joint plan", "both the plan's name and the other operations' ids",
                    "joint_with" if plan else "joint_plan",
                )  # fmt: skip
        return [JointPlan(plan, ids) if plan and ids else None for plan, ids in zip(plans, others, strict=True)]

    def check_alike(self, pieces: list[int]) -> None:
        """Note where the planned and the flown track of one operation do not say the same of it."""
        for field in _SAID_OF_OPERATION:
            codes = self.codes(field) if field in self._said else []
            for piece in pieces[1:]:
                if codes and codes[piece] != codes[pieces[0]]:
                    right = "the same in all rows of an operation"
                    self._fault(piece, "the operation's other track says otherwise", right, field,
                                self._words[field].texts[codes[piece]])  # fmt: skip

    def _fault(self, piece: int, problem: str, right: str, field: str, value: str = "") -> None:
        row = self._table.row(int(self._table.starts[piece]))
        self._reading.fault(problem, right, feature=self._names.name(row), field=field, value=value)


def _tracks(table: Table, meanings: _Meanings, layout: Layout, extra_uncertainty_m: float) -> list[Track]:
    own = layout.height.reference if layout.height else HeightReference.W84
    references = meanings.of("height_reference", lambda text: _reference(text) if text else own, own)
    bases = meanings.of("track", _basis, TrackBasis.FLOWN)
    if "uncertainty_m" in table.columns and extra_uncertainty_m:
        table.columns["uncertainty_m"] += extra_uncertainty_m
    columns = {field: _read_only(column) for field, column in table.columns.items()}
    time_s, lon, lat, height = (columns[field] for field in ("time", "lon", "lat", HEIGHT))
    uncertainty, early, late = (columns.get(field) for field in ("uncertainty_m", "early_s", "late_s"))
    starts = table.starts.tolist()
    views = [slice(*ends) for ends in pairwise([*starts, len(time_s)])]
    count = len(views)

    def cut(column: Array | None, otherwise: float) -> Iterator[float | Array]:
        return repeat(otherwise, count) if column is None else map(column.__getitem__, views)

    return made_of(
        Track,
        count,
        {
            "time_s": map(time_s.__getitem__, views),
            "lon_deg": map(lon.__getitem__, views),
            "lat_deg": map(lat.__getitem__, views),
            "height_m": map(height.__getitem__, views),
            "height_reference": references,
            "basis": bases,
            "uncertainty_m": cut(uncertainty, extra_uncertainty_m),
            "early_s": cut(early, 0.0),
            "late_s": cut(late, 0.0),
            "row": starts,
        },
    )


def _read_only(column: Array) -> Array:
    """The column as nobody can change it, and as all parts of it that are taken are then."""
    view = column[:]
    view.setflags(write=False)
    return view


def _basis(text: str) -> TrackBasis:
    try:
        return TrackBasis(text)
    except ValueError:
        raise InputError(Fault("not a sort of track", "planned or flown", value=text)) from None


def _reference(text: str) -> HeightReference:
    if text == "fl":
        problem = "a number in metres or feet cannot be a flight level"
        raise InputError(Fault(problem, "a column height_fl, or STD for pressure altitude", value=text))
    return parse_height_reference(text)


def _top_speed(text: str) -> float | None:
    speed = parse_number(text, thousands_possible=True)
    if np.isnan(speed):
        return None
    if not 0.0 < speed < 1e5:
        raise InputError(Fault("not a top speed", "metres per second", value=text))
    return speed


def _ids(text: str) -> frozenset[str]:
    return frozenset(part.strip() for part in text.split("|") if part.strip())


def _default_kind(reading: Reading) -> OperationKind | None:
    if isinstance(reading.kind, ZoneKind):
        raise InputError(Fault("a zone does not move", f"one of: {', '.join(OperationKind)}", value=reading.kind.value))
    return reading.kind
