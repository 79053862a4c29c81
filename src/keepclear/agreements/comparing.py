"""Two versions of an agreement side by side, for people: what was said and is not, and what changes on the ground."""

from __future__ import annotations

import difflib
import json
import math
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from keepclear.agreements.clauses import Clause, pieces_of
from keepclear.agreements.documents import Document

if TYPE_CHECKING:
    from keepclear.agreements.terms.base import Ground

__all__ = ["Change", "ClauseChange", "Difference", "GroundChange", "Kind", "MemberChange", "TermChange", "compare"]

_MOST_LINES = 2000
"""A longer clause is told as changed, without its lines: people read it in an editor."""


class Kind(StrEnum):
    """What was done to a part."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    MOVED = "moved"


@dataclass(frozen=True, slots=True)
class Change:
    """Something of the document as a whole, or an annex; empty where it was not, or is not."""

    what: str
    kind: Kind
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class ClauseChange:
    """A piece of a text.

    Attributes
    ----------
    language, authentic
        Of which text.
    clause
        Its anchor; a heading in quotes, or empty for what stands before all, where it has none.
    kind, old, new
        What was done to it, and what it said and says; empty where it was not, or is not.
    lines
        The lines that were taken out (``-``) and put in (``+``); none where the clause is too long for that.
    """

    language: str
    authentic: bool
    clause: str
    kind: Kind
    old: str
    new: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MemberChange:
    """A member of a term; None where it was not, or is not. JSON values."""

    name: str
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class TermChange:
    """A term, and which of its members are other ones."""

    term: str
    clause: str
    kind: Kind
    members: tuple[MemberChange, ...]


@dataclass(frozen=True, slots=True)
class GroundChange:
    """What a term covers on the ground: shapes before and after, and their areas (each by itself) in square metres."""

    term: str
    kind: Kind
    old: tuple[Ground, ...]
    new: tuple[Ground, ...]
    old_m2: float
    new_m2: float


@dataclass(frozen=True, slots=True)
class Difference:
    """All that is different.

    Attributes
    ----------
    old, new
        The documents.
    head
        Title, version, parties, texts, annexes.
    clauses
        Of every text that is in both.
    terms
        By id.
    ground
        Of every term, also of one that says the same where the map that it names has changed.
    """

    old: Document
    new: Document
    head: tuple[Change, ...] = ()
    clauses: tuple[ClauseChange, ...] = ()
    terms: tuple[TermChange, ...] = ()
    ground: tuple[GroundChange, ...] = ()

    @property
    def is_none(self) -> bool:
        """Whether they are the same document, byte for byte."""
        return self.old.hash == self.new.hash


def compare(old: Document, new: Document) -> Difference:
    """What is different between two versions, whether of one agreement or of two."""
    if old.hash == new.hash:
        return Difference(old, new)
    return Difference(
        old,
        new,
        tuple(_head(old, new)),
        tuple(_clauses(old, new)),
        tuple(_terms(old, new)),
        tuple(_ground(old, new)),
    )


def _kind(old: object, new: object) -> Kind:
    return Kind.ADDED if not old else Kind.REMOVED if not new else Kind.CHANGED


def _head(old: Document, new: Document) -> Iterator[Change]:
    for what, before, after in (
        ("agreement", old.id, new.id),
        ("title", old.title, new.title),
        ("version", old.version, new.version),
        ("parties", ", ".join(old.parties), ", ".join(new.parties)),
    ):
        if before != after:
            yield Change(what, Kind.CHANGED, before, after)
    texts = [{one.language: one for one in document.texts} for document in (old, new)]
    for language in dict.fromkeys([*texts[0], *texts[1]]):
        was, is_ = texts[0].get(language), texts[1].get(language)
        before, after = ("" if one is None else _told(authentic=one.authentic) for one in (was, is_))
        if before != after:
            yield Change(f"text in {language}", _kind(before, after), before, after)
    for name in sorted({*old.annexes, *new.annexes}):
        before, after = (_annex(document, name) for document in (old, new))
        if before != after:
            yield Change(f"annex {name}", _kind(before, after), before, after)


def _told(*, authentic: bool) -> str:
    return "authentic" if authentic else "a translation"


def _annex(document: Document, name: str) -> str:
    one = document.annexes.get(name)
    return "" if one is None else f"{one.media_type}, {len(one.data)} bytes, {one.sha256}"


# --- clauses ---------------------------------------------------------------------------------------------------------


def _clauses(old: Document, new: Document) -> Iterator[ClauseChange]:
    before = {one.language: one for one in old.texts}
    for text in new.texts:
        was = before.get(text.language)
        if was is None or was.sha256 == text.sha256:
            continue
        pairs = _paired(_named(was.markdown), _named(text.markdown))
        for name, one, other in pairs:
            if one is None or other is None or one.text != other.text:
                said, says = ("" if piece is None else piece.text for piece in (one, other))
                kind = Kind.ADDED if one is None else Kind.REMOVED if other is None else Kind.CHANGED
                yield ClauseChange(text.language, text.authentic, name, kind, said, says, _lines(said, says))
        kept = [(one.line, other.line, name) for name, one, other in pairs if one is not None and other is not None]
        in_new = [name for _, _, name in sorted(kept, key=lambda row: row[1])]
        for name in _out_of_order([name for _, _, name in sorted(kept)], in_new):
            yield ClauseChange(text.language, text.authentic, name, Kind.MOVED, "", "")


def _named(markdown: str) -> dict[str, Clause]:
    """The pieces of a text by name; where several are called the same, they are numbered."""
    found: dict[str, Clause] = {}
    for piece in pieces_of(markdown):
        name, number = piece.anchor, 1
        while name in found:
            number += 1
            name = f"{piece.anchor} ({number})"
        found[name] = piece
    return found


def _paired(old: Mapping[str, Clause], new: Mapping[str, Clause]) -> list[tuple[str, Clause | None, Clause | None]]:
    """In the order of the new text; what is no more, where it stood."""
    names = list(new)
    place = 0
    for name in old:
        if name in new:
            place = names.index(name) + 1 if len(names) < _MOST_LINES else len(names)
        else:
            names.insert(place, name)
            place += 1
    return [(name, old.get(name), new.get(name)) for name in names]


def _out_of_order(old: Sequence[str], new: Sequence[str]) -> Iterator[str]:
    """The names that stand in another place among the others than they did: as few as will do."""
    places = {name: place for place, name in enumerate(old)}
    # The longest run of names whose places ascend stays where it is (patience sorting): all others have moved.
    tops: list[int] = []
    ends: list[int] = []
    before: list[int | None] = []
    for number, name in enumerate(new):
        pile = bisect_left(tops, places[name])
        tops[pile : pile + 1], ends[pile : pile + 1] = [places[name]], [number]
        before.append(ends[pile - 1] if pile else None)
    kept: set[str] = set()
    at = ends[-1] if ends else None
    while at is not None:
        kept.add(new[at])
        at = before[at]
    yield from (name for name in new if name not in kept)


def _lines(old: str, new: str) -> tuple[str, ...]:
    before, after = old.splitlines(), new.splitlines()
    if len(before) + len(after) > _MOST_LINES:
        return ()
    found: list[str] = []
    for tag, a, b, c, d in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag != "equal":
            found += [*(f"- {line}" for line in before[a:b]), *(f"+ {line}" for line in after[c:d])]
    # Line ends are signed too, and nobody would see them.
    return tuple(found) or ("- other line ends", "+ the words are the same")


# --- terms -----------------------------------------------------------------------------------------------------------


def _terms(old: Document, new: Document) -> Iterator[TermChange]:
    before, after = ({one.id: one.members for one in document.terms} for document in (old, new))
    for term in dict.fromkeys([*before, *after]):
        was, is_ = before.get(term, {}), after.get(term, {})
        members = tuple(
            MemberChange(name, was.get(name), is_.get(name))
            for name in dict.fromkeys([*was, *is_])
            if _written(was.get(name)) != _written(is_.get(name))
        )
        if members or not was or not is_:
            yield TermChange(term, str((is_ or was).get("clause", "")), _kind(was, is_), members)


def _written(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


# --- the ground ------------------------------------------------------------------------------------------------------


def _ground(old: Document, new: Document) -> Iterator[GroundChange]:
    before, after = _shapes(old), _shapes(new)
    for term in dict.fromkeys([*before, *after]):
        was, is_ = before.get(term, ()), after.get(term, ())
        if _outlines(was) != _outlines(is_):
            areas = [sum(_area_m2(one.footprint) for one in shapes) for shapes in (was, is_)]
            yield GroundChange(term, _kind(was, is_), was, is_, areas[0], areas[1])


def _shapes(document: Document) -> dict[str, tuple[Ground, ...]]:
    from keepclear.agreements.terms.registry import ground_of  # geometry is heavy, and many terms have none

    found = {one.id: ground_of(one.members, document.annexes) for one in document.terms}
    return {term: shapes for term, shapes in found.items() if shapes}


def _outlines(shapes: Sequence[Ground]) -> list[bytes]:
    return sorted(repr(_members(one.footprint)).encode() for one in shapes)


def _members(footprint: Any) -> list[Any]:
    """All numbers of a footprint, so that two can be compared."""
    from keepclear.model.footprints import Circle, Polygon

    if isinstance(footprint, Polygon):
        return ["polygon", footprint.edges, *(ring.tolist() for ring in footprint.rings)]
    if isinstance(footprint, Circle):
        return ["circle", footprint.lon_deg, footprint.lat_deg, footprint.radius_m]
    return ["corridor", footprint.edges, footprint.line.tolist(), footprint.half_width_m]


def _area_m2(footprint: Any) -> float:
    """About how much it covers: geodesic for polygons, that of a plane for the others."""
    from pyproj import Geod

    from keepclear.model.footprints import Circle, Polygon

    geod = Geod(ellps="WGS84")
    if isinstance(footprint, Polygon):
        areas = [abs(geod.polygon_area_perimeter(*ring.T)[0]) for ring in footprint.rings]
        return float(areas[0] - sum(areas[1:]))
    if isinstance(footprint, Circle):
        return math.pi * footprint.radius_m**2
    half_m = float(footprint.half_width_m)
    return 2.0 * half_m * float(geod.line_length(*footprint.line.T)) + math.pi * half_m**2
