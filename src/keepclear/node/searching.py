"""What an operation or a zone comes too close to, of all that the node knows.

Candidates are found in tables by cells of space and time (`keepclear.store.node.cells`), narrowed by bounding spheres,
and judged by the same exact tests as every check (`keepclear.separation.asking`). So a node with a million filings
answers as `keepclear.check` would of all of them, as far as the one thing takes part in it.

Never clear when it is not: a filing that we should be able to read and cannot (its body is not here yet, was erased, is
of a version that is not known) could be anywhere at any time, so the answer is *possible*, and says because of whose.
So it is where nothing of others is known at all, and while the tables lack what has come. What was said to others
alone, or is kept back from everybody, is not known to us: the answer is of what is known, and says how much is not.

What is said for practice is compared with what is said for practice, and with nothing else: an exercise shows no
conflict that is none, and hides none. Who speaks for a plan is its author on the line, whatever party it names: nobody
can take a plan of his out of the comparison by writing the other's name on it.
"""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from sqlalchemy import Connection

from keepclear.model.findings import Answer, Conflict
from keepclear.model.operations import Operation, Zone
from keepclear.node.joint_parts import believed
from keepclear.node.term_findings import TermFinding
from keepclear.record.entries import EntryRef
from keepclear.separation.asking import Asking, Prepared, Thing
from keepclear.separation.minima import MinimaTable
from keepclear.store.node.cells import Cells, Near, cells_near, within_reach
from keepclear.store.node.filings import (
    Filing,
    Unread,
    active_names,
    compared_with,
    filings_by_id,
    plans_of,
    unread_filings,
)
from keepclear.store.node.plan_bytes import packed, unpacked
from keepclear.store.node.projected import last_step_s, projected_s

__all__ = [
    "NOTHING_COMPARED", "FoundConflict", "PrivateDraft", "Search", "SearchFound", "notes_of", "spoken_by",
    "unread_sentence",
]  # fmt: skip

NOTHING_COMPARED = "nothing could be compared: no plan of another party, and no zone, is known here that still stands"

_AT_ONCE = 512
_RECENT = 128  # more than are filed together
_MOST_VERDICTS = 64
_SMALL = 65_536  # bytes of a plan that is worth remembering for a moment
_MOST_WEIGHT = 4_000_000  # edges and positions, of some 50 bytes each


@dataclass(frozen=True, slots=True)
class PrivateDraft:
    """A plan that was told to nobody, and what it is called here."""

    name: str
    thing: Thing


@dataclass(frozen=True, slots=True)
class FoundConflict:
    """A conflict, or a possible one, with a filing, or with a draft.

    Attributes
    ----------
    conflict
        The finding: in it an operation comes before a zone, and otherwise the thing asked about is ``a``.
    filing
        The other's filing; None for a draft.
    draft
        The draft's name; empty for a filing.
    """

    conflict: Conflict
    filing: Filing | None = None
    draft: str = ""

    @property
    def answer(self) -> Answer:
        """Conflict or possible."""
        return self.conflict.answer


@dataclass(frozen=True, slots=True)
class SearchFound:
    """What a search came to.

    Attributes
    ----------
    answer
        The gravest of all findings; *possible* where something for us could not be read, the tables lack something, or
        there is nothing at all that it is compared with.
    conflicts
        By start.
    checked
        With how many filings and drafts it was compared exactly; all others are nowhere near.
    unread
        What is for us to read, could not be read, and could matter.
    reasons
        Why the answer is *possible* where no finding says so.
    notes
        What was not compared because it is not known to us: said to others alone, or kept back.
    terms
        What terms in force say of it: that it is not within them, or may not be.
    """

    answer: Answer
    conflicts: tuple[FoundConflict, ...]
    checked: int
    unread: tuple[Unread, ...] = ()
    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    terms: tuple[TermFinding, ...] = ()


class Search:
    """Searches. Any number of threads at once, each with a connection of its own.

    Parameters
    ----------
    minima
        The least separation allowed; the default table where it is not given.
    """

    def __init__(self, *, minima: MinimaTable | None = None) -> None:
        self.asking = Asking(minima=minima)
        self._things: OrderedDict[bytes, Prepared] = OrderedDict()
        self._weight = 0
        self._recent: OrderedDict[bytes, Prepared] = OrderedDict()
        self._cells: OrderedDict[tuple[int, bool], tuple[Thing | Prepared, Cells]] = OrderedDict()
        # By the thing that asks: what was found of it and others, of which each is kept for as long as this is.
        self._verdicts: OrderedDict[int, tuple[Prepared, dict[int, tuple[Prepared, Conflict | None]]]] = OrderedDict()
        self._lock = threading.Lock()

    def conflicts_of(
        self,
        thing: Thing,
        *,
        conn: Connection,
        exercise: bool = False,
        leaving_out: Collection[EntryRef] = (),
        drafts: Sequence[PrivateDraft] = (),
        doubts: Sequence[str] = (),
    ) -> SearchFound:
        """What an operation or a zone comes, or may come, too close to. Nobody is told.

        Parameters
        ----------
        thing
            Its party is whoever speaks for it: our own, for what we would file.
        conn
            A reading of the node's database.
        exercise
            Whether it is for practice.
        leaving_out
            Filings that are not looked at: those that it would take the place of.
        drafts
            Private plans of our own that it is compared with too.
        doubts
            What the tables lack (`keepclear.node.projecting.Projector.asked`), as sentences.
        """
        thing = believed(conn, thing)
        found, checked = self.near(conn, thing, exercise=exercise, leaving_out=leaving_out)
        compared = [one for one in drafts if _is_compared(thing, one.thing)]
        among = self.asking.conflicts_of(thing, [one.thing for one in compared])
        found += [FoundConflict(conflict, draft=compared[place].name) for place, conflict in among]
        found.sort(key=_order)
        hidden = unread_filings(conn, exercise=exercise, leaving_out=leaving_out)
        unread = tuple(one for one in hidden if one.for_us and _matters(thing, one))
        reasons = [*doubts, *(unread_sentence(one) for one in unread)]
        if projected_s(conn) < last_step_s(conn):
            reasons.append("the tables of this node are being made again, and are not whole yet")
        own_too = isinstance(thing, Zone)
        if not compared and not compared_with(
            conn, us=thing.party, own_too=own_too, exercise=exercise, leaving_out=leaving_out
        ):
            reasons.append(NOTHING_COMPARED)
        notes = notes_of([one for one in hidden if not one.for_us and _matters(thing, one)])
        answer = _answer(found, possible=bool(reasons))
        return SearchFound(answer, tuple(found), checked + len(compared), unread, tuple(reasons), notes)

    def near(
        self, conn: Connection, thing: Thing | Prepared, *, exercise: bool, leaving_out: Collection[EntryRef] = ()
    ) -> tuple[list[FoundConflict], int]:
        """Findings with filings that can be read, and with how many it was compared exactly."""
        prepared = thing if isinstance(thing, Prepared) else self.prepared(thing)
        names = self.candidates(conn, prepared, exercise=exercise)
        left_out = {one.leaf_hash for one in leaving_out}
        numbers = [number for number, name in names.items() if name not in left_out]
        found: list[tuple[int, Conflict]] = []
        for start in range(0, len(numbers), _AT_ONCE):
            some = numbers[start : start + _AT_ONCE]
            told = self._judged(prepared, self._things_of(conn, {one: names[one] for one in some}))
            found += [(some[place], conflict) for place, conflict in told]
        rows = filings_by_id(conn, {number for number, _ in found})
        return [FoundConflict(conflict, filing=rows[number]) for number, conflict in found], len(numbers)

    def believed(self, conn: Connection, thing: Thing) -> Prepared:
        """A thing as it is compared: part of a joint plan only where that is so."""
        return self.prepared(believed(conn, thing))

    def meets(self, asked: Prepared, others: Sequence[Prepared], *, exercise: bool = False) -> bool:
        """Whether a thing comes, or may come, too close to one of some others, by the table of minima."""
        among = [one for one in others if _is_compared(asked.thing, one.thing)]
        if not among:
            return False
        cells = [self.cells_of(one, exercise=exercise) for one in among]
        places = np.repeat(np.arange(len(among)), [len(one.spheres) for one in cells])
        spheres, times = np.concatenate([one.spheres for one in cells]), np.concatenate([one.times for one in cells])
        reach_m, reach_s = self.asking.reach_of(asked.thing)
        own = self.cells_of(asked, exercise=exercise)
        close = within_reach(Near(places, spheres, times), own, reach_m=reach_m, reach_s=reach_s)
        return bool(self._judged(asked, [among[place] for place in close.tolist()]))

    def candidates(self, conn: Connection, thing: Thing | Prepared, *, exercise: bool) -> Mapping[int, bytes]:
        """Active filings that may come too close to a thing, by number, and their leaves' hashes: none is missing."""
        plain = thing.thing if isinstance(thing, Prepared) else thing
        cells = self.cells_of(thing, exercise=exercise)
        reach_m, reach_s = self.asking.reach_of(plain)
        owner = plain.party if isinstance(plain, Operation) else "/"
        near = cells_near(conn, cells, reach_m=reach_m, reach_s=reach_s, leaving_owner=owner)
        return active_names(conn, within_reach(near, cells, reach_m=reach_m, reach_s=reach_s).tolist())

    def cells_of(self, thing: Thing | Prepared, *, exercise: bool) -> Cells:
        """The cells in which a thing is found."""
        key = id(thing), exercise
        with self._lock:
            known = self._cells.get(key)
        if known is not None and known[0] is thing:
            return known[1]
        parts = self.asking.parts_of(thing)
        cells = Cells(parts.spheres, parts.times, exercise)
        if parts.spheres.nbytes > _SMALL:
            return cells
        with self._lock:
            self._cells[key] = thing, cells
            while len(self._cells) > _RECENT:
                self._cells.popitem(last=False)
        return cells

    def prepared(self, thing: Thing) -> Prepared:
        """A thing with its shapes. One that is filed is asked about several times within a moment."""
        name = packed(thing)
        if len(name) > _SMALL:
            return Prepared.of(thing)
        with self._lock:
            known = self._recent.get(name)
            if known is None:
                known = self._recent[name] = Prepared.of(thing)
                while len(self._recent) > _RECENT:
                    self._recent.popitem(last=False)
        return known

    def keep(self, leaf_hash: bytes, thing: Prepared) -> None:
        """Keep a thing in memory: it is likely to be compared soon."""
        with self._lock:
            self._put(leaf_hash, thing)

    def forget(self) -> None:
        """Forget what is kept in memory."""
        with self._lock:
            self._things.clear()
            self._recent.clear()
            self._cells.clear()
            self._verdicts.clear()
            self._weight = 0

    def _judged(self, asked: Prepared, others: Sequence[Prepared]) -> list[tuple[int, Conflict]]:
        """As `Asking.conflicts_of`. What is filed is searched before and after it was said, and mostly finds the same.

        Things never change: what was found of two of them holds as long as both are these very ones.
        """
        with self._lock:
            known = dict(self._verdicts.get(id(asked), (asked, {}))[1])
        fresh = [one for one in others if id(one) not in known]
        told = dict(self.asking.conflicts_of(asked, fresh))
        verdicts = {id(one): (one, told.get(place)) for place, one in enumerate(fresh)}
        known |= verdicts
        with self._lock:
            if any(one is asked for one in self._recent.values()) and len(known) <= _MOST_VERDICTS:
                self._verdicts[id(asked)] = asked, known
                self._verdicts.move_to_end(id(asked))
                while len(self._verdicts) > _RECENT:
                    self._verdicts.popitem(last=False)
        found = [(place, known[id(one)][1]) for place, one in enumerate(others)]
        return [(place, conflict) for place, conflict in found if conflict is not None]

    def _things_of(self, conn: Connection, names: Mapping[int, bytes]) -> list[Prepared]:
        with self._lock:
            known = {name: self._things[name] for name in names.values() if name in self._things}
            for name in known:
                self._things.move_to_end(name)
        missing = {number: name for number, name in names.items() if name not in known}
        read = {missing[number]: Prepared.of(unpacked(data)) for number, data in plans_of(conn, missing).items()}
        with self._lock:
            for name, prepared in read.items():
                self._put(name, prepared)
        known |= read
        return [known[name] for name in names.values()]

    def _put(self, name: bytes, prepared: Prepared) -> None:
        if name not in self._things:
            self._weight += prepared.weight
        self._things[name] = prepared
        self._things.move_to_end(name)
        while self._weight > _MOST_WEIGHT and len(self._things) > 1:
            _, gone = self._things.popitem(last=False)
            self._weight -= gone.weight


def spoken_by(thing: Thing, party: str) -> Thing:
    """The thing, of who speaks for it."""
    return thing if thing.party == party else replace(thing, party=party)


def _is_compared(thing: Thing, other: Thing) -> bool:
    return isinstance(thing, Zone) or isinstance(other, Zone) or thing.party != other.party


def _matters(thing: Thing, unread: Unread) -> bool:
    """Whether what could not be read would be compared with the thing: all but a party's own operations."""
    return isinstance(thing, Zone) or unread.party != thing.party or unread.type == "zone"


def _order(found: FoundConflict) -> tuple[float, str, str, str]:
    start = found.conflict.intervals[0].start_s if found.conflict.intervals else None
    ref = found.filing.ref if found.filing else None
    place = (ref.origin, f"{ref.index:020}") if ref else ("", "")
    return (-np.inf if start is None else start, *place, found.draft)


def _answer(found: Sequence[FoundConflict], *, possible: bool) -> Answer:
    if any(one.answer is Answer.CONFLICT for one in found):
        return Answer.CONFLICT
    return Answer.POSSIBLE if found or possible else Answer.CLEAR


def notes_of(hidden: Sequence[Unread]) -> tuple[str, ...]:
    """What was not compared because it is not known to us, a sentence for each line, to be read out."""
    counts = Counter(dict.fromkeys(sorted({one.line for one in hidden}), 0))
    for one in hidden:
        counts[one.line] += one.count
    return tuple(
        f"{'one entry' if count == 1 else f'{count} entries'} on {line} "
        f"{'was' if count == 1 else 'were'} not said to us or {'is' if count == 1 else 'are'} kept back, "
        f"and {'was' if count == 1 else 'were'} not compared"
        for line, count in counts.items()
    )


def unread_sentence(unread: Unread) -> str:
    """Why an answer is possible, to be read out."""
    many = f"{unread.count} entries" if unread.count > 1 else "one entry"
    what = {"commitment": "body kept back"}.get(unread.type, unread.type)
    return (
        f"{unread.party} said {many} on {unread.line} ({what}) that could not be read here: {unread.problem}; "
        "it may be anywhere at any time"
    )
