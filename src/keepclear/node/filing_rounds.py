"""Filings that come at the same time are searched, said and put into the tables together.

What is the same for all of them is done once: the picture of the tables in which each is searched, the append to the
log, the step of the tables with the acts, the sync of the disk. Each stands for itself all the same: what is wrong with
one harms no other, and one is told of another just as if that had been filed by somebody else at that moment.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Protocol

from sqlalchemy import Connection

from keepclear.errors import Fault, InputError, KeepclearError, StoreError
from keepclear.line.guards import Verdict
from keepclear.model.operations import Operation, Zone
from keepclear.node.actors import Actor
from keepclear.node.acts import Acts
from keepclear.node.audience import Audience
from keepclear.node.besides import Beside, Besides
from keepclear.node.entry_ids import EntryId
from keepclear.node.filing_requests import FilingRequest
from keepclear.node.precision_groups import Group, commitment_to
from keepclear.node.records import Outgoing, Records
from keepclear.node.refusals import ClashError
from keepclear.node.searching import Search, SearchFound
from keepclear.node.term_findings import TermFinding, TermsBrokenError, broken
from keepclear.record.bodies.base import Body
from keepclear.record.bodies.plans import OneOfValue
from keepclear.record.bodies.references import EntryRefValue
from keepclear.record.bodies.talk import CancelBody
from keepclear.record.entries import EntryRef
from keepclear.record.entry_types import EntryType
from keepclear.separation.asking import Prepared as Shaped
from keepclear.store.node import filings
from keepclear.store.node.database import NodeDatabase

__all__ = ["FilingRounds", "NotAloneError", "Prepared", "Projected", "Terms", "Underway", "must_know", "type_of"]

_WAIT_S = 2.0  # for the tables to have what was just said
_MOST_FRESH = 2000  # filings since the first search that are looked at one by one


class Projected(Protocol):
    """What has the tables catch up: the projector."""

    besides: Besides

    def catch_up(self, ref: EntryRef | None = None, *, beside: Beside | None = None) -> int:
        """Put all that came into the tables, or at least what was said up to an entry, and what goes beside it."""

    def wait_for(self, ref: EntryRef, timeout_s: float) -> bool:
        """Whether the tables have an entry, waiting for it so long."""

    def asked(self) -> AbstractContextManager[tuple[Connection, tuple[str, ...]]]:
        """The tables with all that is held now, and what they lack all the same."""


class Terms(Protocol):
    """What knows the terms in force: `keepclear.node.terms_in_force`."""

    def in_force(self, conn: Connection) -> Collection[object]:
        """The agreements that are in force."""

    def added(
        self,
        conn: Connection,
        found: SearchFound,
        thing: Operation | Zone,
        *,
        at_s: float,
        exercise: bool,
        leaving_out: Collection[EntryRef],
        on_behalf_of: str,
        reason: str,
    ) -> SearchFound:
        """What was found of something of ours that is not said yet, and what the agreements in force add to it."""


class NotAloneError(InputError):
    """It could be filed, and is not: it was to be filed with others or not at all, and one of them cannot be."""

    def __init__(self) -> None:
        super().__init__(Fault("another one of the list cannot be filed", "mend that one, or file them one by one"))


@dataclass(frozen=True, slots=True)
class Prepared:
    """A filing that can be said as far as its own content goes.

    Attributes
    ----------
    line
        Where.
    thing
        As it is told at most: a hazard area wide and rounded.
    groups
        Who is told what.
    whole
        The body that tells it exactly.
    verdict
        Of the guards.
    """

    line: str
    request: FilingRequest
    thing: Operation | Zone
    groups: tuple[Group, ...]
    whole: Body
    verdict: Verdict
    warnings: tuple[str, ...]

    def outgoing(self, number: int, supersedes: EntryRef | None, committed: EntryRef | None) -> Outgoing:
        """The entry for one of the groups. All of them stand next to each other in the log."""
        count, group = len(self.groups), self.groups[number]
        if count == 1 and group.precision is None and supersedes is None:
            return Outgoing(self.whole, group.recipients, self.request.exercise)
        body = group.body(
            self.request,
            one_of=OneOfValue(place=number, of=count) if count > 1 else None,
            supersedes=None if supersedes is None else EntryRefValue.of(supersedes),
            committed=None if committed is None else EntryRefValue.of(committed),
        )
        return Outgoing(body, group.recipients, self.request.exercise)


@dataclass(eq=False, slots=True)
class Underway:
    """A filing on its way, and what has become of it so far.

    Attributes
    ----------
    ready, by
        What is filed, and by whom.
    newest
        The number of the newest filing that its first search knew.
    before, after
        What was found before it was said, and after.
    told_why
        What the record of acts says of terms that it does not keep to.
    committed, refs
        The commitment to it, and the entries that say it.
    error
        Why it was not filed, or what failed when it had been said.
    """

    ready: Prepared
    by: Actor
    newest: int = 0
    before: SearchFound | None = None
    after: SearchFound | None = None
    told_why: dict[str, object] = field(default_factory=dict)
    committed: EntryRef | None = None
    refs: tuple[EntryRef, ...] = ()
    is_caught_up: bool = False
    error: Exception | None = None

    @property
    def told(self) -> tuple[EntryRef, ...]:
        """All that tells of it: what nobody is told is committed to."""
        return self.refs or (() if self.committed is None else (self.committed,))

    @property
    def entries(self) -> tuple[EntryRef, ...]:
        """All entries of it."""
        return self.refs if self.committed is None else (self.committed, *self.refs)

    @contextmanager
    def on_its_own(self) -> Iterator[None]:
        """What goes wrong in the block goes wrong with this one alone."""
        try:
            yield
        except Exception as error:  # noqa: BLE001  # raised to whoever files it
            self.error = error


class FilingRounds:
    """Takes filings that were prepared and judged, some at a time.

    Parameters
    ----------
    records, projector, search, database, audience, acts, clock
        The node's.
    """

    def __init__(
        self,
        records: Records,
        projector: Projected,
        search: Search,
        database: NodeDatabase,
        audience: Audience,
        acts: Acts,
        clock: Callable[[], float],
    ) -> None:
        self._records, self._projector, self._search, self._database = records, projector, search, database
        self._audience, self._acts, self._clock = audience, acts, clock
        self.terms: Terms | None = None
        """Knows the terms in force; None: there are none."""

    def run(self, sets: Sequence[Sequence[Underway]]) -> None:
        """File them: each one of a set, or none of that set, whatever becomes of the other sets."""
        every = [one for some in sets for one in some]
        try:
            self._look(every)
            for some in sets:
                _all_or_none(some)
            self._say(sets)
            self._put_into_tables(every)
            self.look_again(every)
        except Exception as error:  # noqa: BLE001  # raised to whoever files them
            for one in every:
                one.error = one.error or again(error)

    def found(
        self, conn: Connection, doubts: Sequence[str], ready: Prepared, leaving_out: Collection[EntryRef]
    ) -> SearchFound:
        """What a filing comes too close to, by this picture of the tables."""
        exercise = ready.request.exercise
        found = self._search.conflicts_of(
            ready.thing, conn=conn, exercise=exercise, leaving_out=leaving_out, doubts=doubts
        )
        return self.with_terms(conn, found, ready.request, ready.thing, leaving_out)

    def with_terms(
        self, conn: Connection, found: SearchFound, request: FilingRequest, thing: Operation | Zone,
        leaving_out: Collection[EntryRef],
    ) -> SearchFound:  # fmt: skip
        """The same, with what the terms in force say of it."""
        if self.terms is None:
            return found
        return self.terms.added(
            conn, found, thing, at_s=self._clock(), exercise=request.exercise, leaving_out=leaving_out,
            on_behalf_of=request.on_behalf_of or "", reason=request.reason_if_late or "",
        )  # fmt: skip

    def must_be_new(self, conn: Connection, ready: Prepared, instead_of: Collection[EntryRef] = ()) -> None:
        """Go no further where a filing of that id stands on the line already.

        Raises
        ------
        ClashError
            With the entries that say it.
        """
        rows = filings.filings_of_thing(conn, self._records.party, ready.thing.id)
        wanted = ready.line, type_of(ready.thing), filings.FilingState.ACTIVE
        standing = [one.ref for one in rows if (one.line, one.type, one.state) == wanted and one.ref not in instead_of]
        if standing:
            named = ", ".join(str(EntryId.of(ref)) for ref in standing)
            raise ClashError(
                Fault(f"{ready.thing.id!r} is filed already, as {named}", "amend it, or file with another id")
            )

    # --- before ----------------------------------------------------------------------------------------------------

    def _look(self, every: Sequence[Underway]) -> None:
        with self._projector.asked() as (conn, doubts):
            newest = filings.newest_number(conn)
            for one in every:
                with one.on_its_own():
                    one.newest = newest
                    self.must_be_new(conn, one.ready)
                    one.before = one.after = self.found(conn, doubts, one.ready, ())
                    one.told_why = must_know(one.ready, one.before.terms)

    # --- saying ----------------------------------------------------------------------------------------------------

    def _say(self, sets: Sequence[Sequence[Underway]]) -> None:
        by_line: dict[str, list[list[Underway]]] = {}
        for some in sets:
            going = [one for one in some if one.error is None]
            if going:
                by_line.setdefault(going[0].ready.line, []).append(going)
        for line, of_line in by_line.items():
            self._commit(line, of_line)
            self._tell(line, of_line)
            for some in of_line:
                _all_or_none(some)  # one that is only committed to is said by then
            for one in (one for some in of_line for one in some):
                if one.error is not None and one.committed is not None:
                    self._take_back(one)

    def _commit(self, line: str, sets: Sequence[Sequence[Underway]]) -> None:
        """Commit to the exact plans, in entries before those that tell of them, which name them."""
        wanted = []
        for some in sets:
            bodies = [(one, commitment_to(one.ready.request, one.ready.thing, one.ready.groups)) for one in some]
            pairs = [(one, Outgoing(body, (), one.ready.request.exercise)) for one, body in bodies if body]
            if pairs:
                wanted.append(pairs)
        for pairs, refs in zip(wanted, self._said(line, wanted), strict=True):
            for place, (one, _) in enumerate(pairs):
                one.committed = refs[place] if refs else None

    def _tell(self, line: str, sets: Sequence[Sequence[Underway]]) -> None:
        wanted = []
        for some in sets:
            _all_or_none(some)
            if some[0].error is not None:
                continue
            pairs: list[tuple[Underway, Outgoing]] = []
            for one in some:
                with one.on_its_own():
                    many = range(len(one.ready.groups))
                    pairs += [(one, one.ready.outgoing(number, None, one.committed)) for number in many]
            _all_or_none(some)
            if pairs and some[0].error is None:
                wanted.append(pairs)
        for pairs, refs in zip(wanted, self._said(line, wanted), strict=True):
            for (one, _), ref in zip(pairs, refs, strict=False):
                one.refs = (*one.refs, ref)

    def _said(
        self, line: str, wanted: Sequence[Sequence[tuple[Underway, Outgoing]]]
    ) -> list[tuple[EntryRef, ...]]:  # fmt: skip
        """Say each of these whole or not at all; what could not be said is noted with those whose it is."""
        if not wanted:
            return []
        try:
            done = self._records.say_each(line, [[outgoing for _, outgoing in pairs] for pairs in wanted])
        except Exception as error:  # noqa: BLE001  # nothing was said; raised to whoever files it
            done = [again(error) for _ in wanted]
        for pairs, result in zip(wanted, done, strict=True):
            if isinstance(result, Exception):
                for one, _ in pairs:
                    one.error = again(result)
        return [() if isinstance(result, Exception) else result for result in done]

    def _take_back(self, one: Underway) -> None:
        """A commitment that nothing names would be a plan kept back, and nobody could be clear of it any more."""
        assert one.committed is not None
        body = CancelBody(entry=EntryRefValue.of(one.committed))
        taken = Outgoing(body, self._audience.others(one.ready.line), one.ready.request.exercise)
        with suppress(KeepclearError):
            self._records.say(one.ready.line, [taken])

    # --- afterwards ------------------------------------------------------------------------------------------------

    def _put_into_tables(self, every: Sequence[Underway]) -> None:
        """What was said stands, whatever the tables do; its act is recorded with it, or else by itself."""
        said = [one for one in every if one.told and one.error is None]
        if not said:
            return
        acts = [self._act(one) for one in said]
        noted = [self._projector.besides.put(act) for act in acts]
        last = {one.told[-1].origin: one.told[-1] for one in said}
        try:
            for ref in last.values():
                self._projector.catch_up(ref, beside=noted[-1])
            is_durable = all(one.over for one in noted)
        except KeepclearError:
            is_durable = False
        left = [act for act, one in zip(acts, noted, strict=True) if not one.kept()]
        if left:
            with self._database.writing() as conn:
                for act in left:
                    act(conn)
        elif not is_durable:
            self._database.make_durable()
        there = {origin: self._projector.wait_for(ref, _WAIT_S) for origin, ref in last.items()}
        for one in said:
            one.is_caught_up = there[one.told[-1].origin]

    def _act(self, one: Underway) -> Callable[[Connection], object]:
        detail = {"id": one.ready.thing.id} | one.told_why
        return self._acts.to_record(one.by, "file", ref=str(EntryId.of(one.told[0])), detail=detail)

    def look_again(self, every: Sequence[Underway]) -> None:
        """Search once more what others that were filed meanwhile could matter to, one of these among them."""
        said = [one for one in every if one.is_caught_up and one.error is None]
        if not said:
            return
        with self._database.reading() as conn:
            fresh = filings.filed_after(conn, min(one.newest for one in said), limit=_MOST_FRESH + 1)
            ours = {ref: one for one in said for ref in one.entries}
            # What agreements add may reach further than the table of minima.
            has_terms = self.terms is not None and bool(self.terms.in_force(conn))
            things = {id(one): self._search.believed(conn, one.ready.thing) for one in said}
            wanted = [one for one in said if self._could_matter(one, fresh, ours, things, has_terms=has_terms)]
        if wanted:
            with self._projector.asked() as (conn, doubts):
                for one in wanted:
                    with one.on_its_own():
                        one.after = self.found(conn, doubts, one.ready, one.entries)

    def _could_matter(
        self, one: Underway, fresh: Sequence[filings.Fresh], ours: Mapping[EntryRef, Underway],
        things: Mapping[int, Shaped], *, has_terms: bool,
    ) -> bool:  # fmt: skip
        """Whether a second search may find more than the first did."""
        if len(fresh) > _MOST_FRESH:
            return True
        request, others = one.ready.request, []
        for row in fresh:
            if row.number <= one.newest or row.ref in one.entries:
                continue
            if row.party == self._records.party and row.type == EntryType.OPERATION and not request.is_zone:
                continue  # a party's operations are not compared with each other
            other = ours.get(row.ref)
            if has_terms or other is None or not (_is_told_exactly(one) and _is_told_exactly(other)):
                return True
            if other.ready.request.exercise == request.exercise:
                others.append(things[id(other)])
        return self._search.meets(things[id(one)], others, exercise=request.exercise)


def must_know(ready: Prepared, terms: Sequence[TermFinding]) -> dict[str, object]:
    """Go no further where a term would not be kept to and nobody has said that they know; what the record of acts says.

    Raises
    ------
    TermsBrokenError
        With all such terms.
    """
    found = broken(terms)
    # Who says why it is told so late knows that it is.
    untold = [one for one in found if not (one.type == "NOTIFY" and ready.request.reason_if_late)]
    if untold and not ready.request.despite_terms:
        raise TermsBrokenError(untold, field=type_of(ready.thing))
    if not found:
        return {}
    named = [f"{one.agreement} {one.finding.term}" for one in found]
    return {"despite_terms": ready.request.despite_terms or ready.request.reason_if_late, "terms": named}


def type_of(thing: Operation | Zone) -> str:
    """The type of the entry that tells of it."""
    return str(EntryType.ZONE if isinstance(thing, Zone) else EntryType.OPERATION)


def again(error: Exception) -> Exception:
    """An error that several are to raise: each its own, since a traceback grows where it is raised."""
    if not isinstance(error, KeepclearError):
        return StoreError(f"it broke off, and it is not known how far it came: {error!r}")
    own = type(error).__new__(type(error))
    own.args, own.__cause__ = error.args, error
    own.__dict__.update(error.__dict__)
    return own


def _all_or_none(some: Sequence[Underway]) -> None:
    """Of a set of which one cannot be filed none is."""
    if any(one.error is not None for one in some):
        for one in some:
            one.error = one.error or NotAloneError()


def _is_told_exactly(one: Underway) -> bool:
    return one.committed is None and all(group.precision is None for group in one.ready.groups)
