"""The conversation on a line: all entries of all logs, folded into threads.

What is taken in is kept as facts and as an index of which entry is about which; a thread is worked out of them when it
is asked for. So the order in which entries of different logs arrive does not matter, nor does taking one twice; what
counts is each log's own order, which stands in its indices, and from when each entry counts.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from keepclear.errors import IntegrityError
from keepclear.line.deadlines import DEFAULT_DEADLINES, Deadlines
from keepclear.line.read_back import DEFAULT_TOLERANCE, Tolerance
from keepclear.line.said import Heard, Said, said_of
from keepclear.line.threads import Owing, Searched, Thread
from keepclear.model.findings import Answer
from keepclear.record.entries import EntryRef
from keepclear.record.entry_types import EntryType

__all__ = ["MOST_ABOUT", "Conversation", "Event", "Receipt"]

MOST_ABOUT = 200
"""How many entries of one party about one entry are looked at, the first ones: a bound, since each costs every reading
of the thread, and no person says so much of one thing."""
_GRAVITY = (Answer.CLEAR, Answer.POSSIBLE, Answer.CONFLICT)


@dataclass(frozen=True, slots=True)
class Receipt:
    """Somebody holds a log up to a size: a cosignature that was verified.

    Attributes
    ----------
    origin, size
        Which log, and how many of its entries.
    by
        The party whose mirror it is, or the name of a witness.
    at_s
        The time that the cosignature names, or that at which we had it, if that is earlier: a clock that is ahead
        moves no deadline.
    """

    origin: str
    size: int
    by: str
    at_s: float


Event = Heard | Said | Receipt | Searched
"""An entry may be given as it was said, or as what is kept of it (`said_of`)."""


class _Sizes:
    """How far somebody has a log, and since when: only sizes that were reached earlier than any greater one."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.times: list[float] = []  # ascending, as the sizes are

    def first(self, index: int) -> float | None:
        """Since when it has had the entry."""
        place = bisect_right(self.sizes, index)
        return self.times[place] if place < len(self.times) else None

    def add(self, size: int, at_s: float) -> range:
        """Take in that it had so many then; the indices of the entries that it had earlier than was known."""
        reached = bisect_right(self.times, at_s)
        before = self.sizes[reached - 1] if reached else 0
        if before >= size:
            return range(0)
        # What was reached at the same moment or later, and is no greater, says nothing beside this.
        first = reached - 1 if reached and self.times[reached - 1] == at_s else reached
        last = bisect_right(self.sizes, size)
        self.sizes[first:last], self.times[first:last] = [size], [at_s]
        return range(before, size)


class Conversation:
    """All that was said on a line, as one party's node knows it.

    Take events as they come; each tells which threads it changed.

    Parameters
    ----------
    us
        The party whose node this is.
    deadlines
        Those of the line.
    tolerance
        How far a read-back may be off.
    """

    def __init__(
        self,
        us: str,
        *,
        deadlines: Deadlines = DEFAULT_DEADLINES,
        tolerance: Tolerance = DEFAULT_TOLERANCE,
    ) -> None:
        self.us = us
        self.deadlines = deadlines
        self.tolerance = tolerance
        self._said: dict[EntryRef, Said] = {}
        self._places: dict[tuple[str, int], EntryRef] = {}
        self._about: dict[EntryRef, set[EntryRef]] = {}
        self._counts: Counter[tuple[EntryRef, str]] = Counter()
        self._receipts: dict[str, dict[str, _Sizes]] = {}
        self._searched: dict[EntryRef, Searched] = {}

    def take(self, event: Event) -> frozenset[EntryRef]:
        """Take in an event, and say which entries' threads may read otherwise now.

        The same event again changes nothing. An entry whose body comes later is taken again with it.

        Raises
        ------
        PeerError
            If an entry is not one of its log (`said_of`).
        IntegrityError
            If another entry stands in that place of that log: the log has been forked.
        """
        if isinstance(event, Heard):
            return self._hear(said_of(event))
        if isinstance(event, Said):
            return self._hear(event)
        if isinstance(event, Receipt):
            sizes = self._receipts.setdefault(event.origin, {}).setdefault(event.by, _Sizes())
            earlier = sizes.add(event.size, event.at_s)
            refs = [self._places[place] for n in earlier if (place := (event.origin, n)) in self._places]
            return frozenset(one for ref in refs for one in self._concerned(ref))
        return self._search(event)

    def said(self, ref: EntryRef) -> Said | None:
        """What an entry says; None if we do not have it."""
        return self._said.get(ref)

    def everything(self) -> Iterator[Said]:
        """All that was said, by log and index."""
        return (self._said[self._places[place]] for place in sorted(self._places))

    def about(self, ref: EntryRef) -> Iterator[Said]:
        """All entries that are about this one, each party's in the order in which it said them."""
        found = [self._said[one] for one in self._about.get(ref, ())]
        return iter(sorted(found, key=lambda one: (one.party, one.order, one.ref.leaf_hash)))

    def searched(self, ref: EntryRef) -> Searched | None:
        """What our last search found of a filing; None if there was none."""
        return self._searched.get(ref)

    def received_s(self, said: Said, party: str) -> float | None:
        """Since when a party has had an entry; None if it has not shown that. Our own node has what it has."""
        sizes = self._receipts.get(said.ref.origin, {}).get(party)
        shown = None if sizes is None else sizes.first(said.ref.index)
        if party != self.us:
            return shown
        return said.kept_s if shown is None else min(shown, said.kept_s)

    def counts_from_s(self, said: Said) -> float | None:
        """Since when somebody other than its author is known to have an entry; None if nobody is."""
        shown = [
            at_s
            for by, sizes in self._receipts.get(said.ref.origin, {}).items()
            if by != said.party and (at_s := sizes.first(said.ref.index)) is not None
        ]
        if said.party != self.us:
            shown.append(said.kept_s)
        return min(shown, default=None)

    def when_s(self, said: Said) -> float:
        """From when an entry counts for our own purposes: what we said ourselves, from when we had it."""
        shown = self.counts_from_s(said)
        return said.kept_s if shown is None else shown

    def thread(self, ref: EntryRef, at_s: float) -> Thread:
        """How matters stand with an entry at that time.

        Raises
        ------
        KeyError
            If we do not have the entry.
        """
        from keepclear.line.thread_reading import read_thread  # which needs this module

        return read_thread(self, self._said[ref], at_s)

    def threads(self, at_s: float) -> Iterator[Thread]:
        """The threads of all entries, by log and index."""
        for place in sorted(self._places):
            yield self.thread(self._places[place], at_s)

    def owed(self, at_s: float) -> tuple[Owing, ...]:
        """All that is owed at that time, what is due first in front."""
        found = [one for thread in self.threads(at_s) for one in thread.owed if one.is_open(at_s)]
        return tuple(sorted(found, key=lambda one: (one.due_s, one.about.origin, one.about.index, one.party, one.owed)))

    def unknown(self) -> tuple[tuple[EntryRef, EntryRef], ...]:
        """Entries that are about one that we do not have, each with the one it is about. It may come yet."""
        found = [(one, to) for to, refs in self._about.items() if to not in self._said for one in refs]
        return tuple(sorted(found, key=lambda pair: [(ref.origin, ref.index, ref.leaf_hash) for ref in pair]))

    def _hear(self, said: Said) -> frozenset[EntryRef]:
        ref = said.ref
        place = (ref.origin, ref.index)
        there = self._places.get(place, ref)
        if there != ref:
            raise IntegrityError(f"two entries in place {ref.index} of {ref.origin}: the log is forked")
        before = self._said.get(ref)
        if before is not None:
            said = replace(before if said.problem else said, kept_s=min(said.kept_s, before.kept_s))
            if said == before:
                return frozenset()
        self._places[place] = ref
        self._said[ref] = said
        for target in _targets(said):
            about = self._about.setdefault(target, set())
            if ref not in about and self._counts[target, said.party] < MOST_ABOUT:
                self._counts[target, said.party] += 1
                about.add(ref)
        return frozenset(self._concerned(ref))

    def _search(self, searched: Searched) -> frozenset[EntryRef]:
        before = self._searched.get(searched.ref)
        if before is not None and _rank(before) >= _rank(searched):
            return frozenset()
        self._searched[searched.ref] = searched
        return frozenset({searched.ref} & self._said.keys())

    def _concerned(self, ref: EntryRef) -> set[EntryRef]:
        """Entries whose threads a change of this one can change, itself among them.

        Upwards: what it is about, and so on. From each of those down by one: amendments, cancellations and advisories
        of it depend on it, and what an advisory is about besides depends on the advisory. Other answers do not.
        """
        up = {ref}
        waiting = [ref]
        while waiting:
            said = self._said.get(waiting.pop())
            for target in () if said is None else _targets(said):
                if target not in up and len(up) < MOST_ABOUT:
                    up.add(target)
                    waiting.append(target)
        found = set(up)
        for one in up:
            for below in self._about.get(one, ()):
                if _has_thread(self._said[below]):
                    found |= {below, *_targets(self._said[below])}
        return found & self._said.keys()


def _targets(said: Said) -> tuple[EntryRef, ...]:
    return said.about if said.supersedes is None else (*said.about, said.supersedes)


def _has_thread(said: Said) -> bool:
    """Whether somebody may owe something to it, or something hangs on it: not so of answers, acceptances, refusals."""
    return said.found is not None or said.supersedes is not None or said.type == EntryType.CANCEL


def _rank(searched: Searched) -> tuple[float, int, list[tuple[str, int, bytes]]]:
    """The later search counts; of two at one moment the graver, and then any, but always the same."""
    against = [(one.origin, one.index, one.leaf_hash) for one in searched.against]
    return searched.at_s, _GRAVITY.index(searched.answer), against
