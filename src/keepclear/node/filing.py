"""Filing: what we plan is checked, compared with all that is known, said, and compared again.

A filing asks nobody and is allowed by nobody. Its filer is shown what it comes too close to before and after it was
said, and decides. What is said is durable and on its way when this returns; who has it is for receipts to tell.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace

from keepclear.errors import Fault, InputError, KeepclearError
from keepclear.line.guards import Verdict
from keepclear.line.hazard_areas import published_hazard
from keepclear.model.operations import Operation, Zone
from keepclear.node.actors import Actor
from keepclear.node.acts import Acts
from keepclear.node.audience import Audience, Told
from keepclear.node.changing import Changing
from keepclear.node.entry_ids import EntryId
from keepclear.node.filing_checks import check_filing, filing_warnings
from keepclear.node.filing_requests import FilingRequest
from keepclear.node.filing_rounds import (
    FilingRounds,
    NotAloneError,
    Prepared,
    Projected,
    Terms,
    Underway,
    must_know,
    type_of,
)
from keepclear.node.guarding import Guards
from keepclear.node.precision_groups import Group, commitment_to, groups_of
from keepclear.node.records import Outgoing, Records
from keepclear.node.refusals import ClashError, NotFoundError, StaleError
from keepclear.node.roles import Scope
from keepclear.node.searching import PrivateDraft, Search, SearchFound
from keepclear.node.together import Together
from keepclear.record.bodies.references import EntryRefValue
from keepclear.record.bodies.talk import CancelBody
from keepclear.record.entries import EntryRef
from keepclear.record.entry_types import EntryType
from keepclear.store.node import filings
from keepclear.store.node.database import NodeDatabase

__all__ = ["Filed", "Filing"]

_WAIT_S = 2.0  # for the tables to have what was just said
_MOST_AT_ONCE = 64  # filings that are searched and said together
_FILINGS = frozenset({EntryType.OPERATION, EntryType.ZONE})
_ALL_TYPES = (EntryType.OPERATION, EntryType.ZONE, EntryType.COMMITMENT)
_Told = Callable[[str, tuple[str, ...] | None], Told]
_NOT_TOLD_ANY_MORE = "The party is not told of this filing any more."


@dataclass(frozen=True, slots=True)
class Filed:
    """A filing that was said.

    Attributes
    ----------
    ref
        The entry that says it most exactly.
    refs
        All entries that say it: one for each precision, and cancellations for those who are told no more.
    committed
        The commitment to the exact plan, where there is one.
    found_before, found_after
        What it comes too close to, before it was said and after: others may have filed meanwhile.
    warnings
        What a person should know.
    """

    ref: EntryRef
    refs: tuple[EntryRef, ...]
    committed: EntryRef | None
    found_before: SearchFound
    found_after: SearchFound
    warnings: tuple[str, ...]


class Filing:
    """Files, amends and cancels.

    Parameters
    ----------
    records, database, acts, clock
        The node's.
    projector
        Tells when the tables have caught up.
    search
        What is too close to what.
    guards
        Judge it before it is said.
    audience
        Who is on the line.
    """

    def __init__(
        self,
        records: Records,
        projector: Projected,
        search: Search,
        database: NodeDatabase,
        guards: Guards,
        audience: Audience,
        acts: Acts,
        clock: Callable[[], float],
    ) -> None:
        self._records, self._projector, self._search, self._database = records, projector, search, database
        self._guards, self._audience, self._acts, self._clock = guards, audience, acts, clock
        self._changing = Changing(records, database, acts, clock)
        self._names: set[tuple[str, str]] = set()
        self._guard = threading.Lock()
        self.drafts: Callable[[], Sequence[PrivateDraft]] = tuple
        """Private plans that a dry run is compared with too."""
        self.unfinished: Callable[[], Sequence[int]] = tuple
        """Numbers of drafts that lack too much to be compared with."""
        self._rounds = FilingRounds(records, projector, search, database, audience, acts, clock)
        self._together: Together[Sequence[Underway]] = Together(self._rounds.run, most=_MOST_AT_ONCE)

    @property
    def terms(self) -> Terms | None:
        """Knows the terms in force; None: there are none."""
        return self._rounds.terms

    @terms.setter
    def terms(self, terms: Terms) -> None:
        self._rounds.terms = terms

    def check(
        self, thing: Operation | Zone | FilingRequest, *, by: Actor, exercise: bool = False,
        leaving_out: Collection[EntryRef] = (),
    ) -> SearchFound:  # fmt: skip
        """What a plan comes too close to, of all that this node knows, drafts too. Nobody is told, nothing is kept.

        Raises
        ------
        InputError
            If the plan is none, or another party's.
        """
        by.must(Scope.READ)
        request = thing if isinstance(thing, FilingRequest) else FilingRequest(thing=thing, exercise=exercise)
        exercise, thing = request.exercise, request.model()
        if thing.party != self._records.party:
            # Of another party's plan its own filings would be left out, and it would look clear of them.
            right = f"{self._records.party}: it is compared as one that you would file"
            raise InputError(Fault("not ours to file", right, field="party", value=thing.party))
        drafts = self.drafts()
        with self._projector.asked() as (conn, doubts):
            found = self._search.conflicts_of(
                thing, conn=conn, exercise=exercise, leaving_out=leaving_out, drafts=drafts, doubts=doubts
            )
            found = self._rounds.with_terms(conn, found, request, thing, leaving_out)
        notes = tuple(f"draft {one} is not complete, and was not compared" for one in self.unfinished())
        return replace(found, notes=(*found.notes, *notes))

    def file(self, request: FilingRequest, *, by: Actor) -> Filed:
        """Say what we plan.

        Raises
        ------
        InputError
            If it cannot be filed, with all faults.
        ClashError
            If a filing of that id stands already: it is to be amended.
        TermsBrokenError
            If a term in force would not be kept to, and `despite_terms` does not say why it is filed all the same.
        RefusedError
            If a guard refuses it.
        """
        by.must(Scope.FILE)
        ready = self._prepared(request)
        with self._alone(ready):
            one = Underway(self._judged(ready, by), by)
            self._together.do([(one,)])
            return self._filed(one)

    def file_all(
        self, requests: Iterable[FilingRequest | Exception], *, by: Actor, all_or_none: bool = False
    ) -> list[Filed | Exception]:  # fmt: skip
        """Say many plans, in their order; of each what became of it: what is wrong with one stops no other.

        Parameters
        ----------
        requests
            What is asked; or why one is no request, which is what becomes of it.
        all_or_none
            Say all of them in one go, or none at all: those that could be said have a `NotAloneError` then.

        Raises
        ------
        InputError
            If they are of several lines, and all or none is asked: each line has a log of its own.
        """
        by.must(Scope.FILE)
        with ExitStack() as held:
            outcomes = [self._begun(request, by, held) for request in requests]
            going = [one for one in outcomes if isinstance(one, Underway)]
            if all_or_none:
                _must_be_of_one_line(going)
                if len(going) < len(outcomes):
                    return [NotAloneError() if isinstance(one, Underway) else one for one in outcomes]
                self._together.do([going] if going else [])
            else:
                for start in range(0, len(going), _MOST_AT_ONCE):
                    self._together.do([(one,) for one in going[start : start + _MOST_AT_ONCE]])
                if len(going) > _MOST_AT_ONCE:
                    self._rounds.look_again(going)  # those that were filed first are told of the last ones too
            return [one if isinstance(one, Exception) else self._outcome(one) for one in outcomes]

    def file_each(self, wanted: Sequence[tuple[FilingRequest | Exception, Actor]]) -> list[Filed | Exception]:
        """Say plans that came at the same time, each as `file` does; of each what became of it.

        Parameters
        ----------
        wanted
            Each with who files it; or why one is no request, which is what becomes of it.
        """
        told = functools.cache(self._audience.told)  # it is the same moment for all of them
        with ExitStack() as held:
            outcomes = [self._begun(request, by, held, told) for request, by in wanted]
            self._together.do([(one,) for one in outcomes if isinstance(one, Underway)])
            return [one if isinstance(one, Exception) else self._outcome(one) for one in outcomes]

    def amend(self, ref: EntryRef, request: FilingRequest, *, by: Actor) -> Filed:
        """Say a filing anew; answers to the old one count no more. Those who are told no more are told just that.

        Parameters
        ----------
        ref
            The newest entry of the filing. Recipients that are not named stay as they are.

        Raises
        ------
        StaleError
            If it is not the newest, or was cancelled.
        InputError, TermsBrokenError, RefusedError
            As `file`.
        """
        by.must(Scope.FILE)
        line, old = self._newest(ref)
        request = self._like_before(request, line, old)
        ready = self._prepared(request)
        if (ready.thing.id, type_of(ready.thing)) != (old[0].thing_id, old[0].type):
            told = f"{type_of(ready.thing)} {ready.thing.id}"
            raise InputError(Fault("another filing", f"the {old[0].type} {old[0].thing_id}", field="id", value=told))
        with self._alone(ready):
            one = Underway(self._judged(ready, by), by)
            changes = [one.ref for one in old]
            with self._projector.asked() as (conn, doubts):
                one.newest = filings.newest_number(conn)
                one.before = one.after = self._rounds.found(conn, doubts, ready, changes)
            told_why = must_know(ready, one.before.terms)
            with self._committed(ready) as one.committed:
                outgoing = list(self._amendments(ready, old, one.committed))
                one.refs = self._changing.say(line, outgoing, changes=changes, by=by, what="amend")
            if told_why:
                self._acts.note(by, "file despite terms", ref=str(EntryId.of(one.refs[0])), detail=told_why)
            one.is_caught_up = self._caught_up(one.refs[-1])
            self._rounds.look_again([one])
            return self._filed(one)

    def cancel(self, ref: EntryRef, reason: str | None = None, *, by: Actor) -> tuple[EntryRef, ...]:
        """Say that a filing no longer stands, to all who were told of it; the entries that say so.

        Raises
        ------
        StaleError
            If it was amended or cancelled already.
        RefusedError
            If a guard refuses the reason.
        """
        by.must(Scope.FILE)
        line, old = self._newest(ref, types=frozenset(_ALL_TYPES))
        bodies = [CancelBody(entry=EntryRefValue.of(one.ref), reason=reason or None) for one in old]
        verdict = self._guards.judge(bodies[0], by=by, line=line)
        outgoing = [Outgoing(body, self._who_knows(one), one.exercise) for body, one in zip(bodies, old, strict=True)]
        refs = self._changing.say(line, outgoing, changes=[one.ref for one in old], by=by, what="cancel")
        self._guards.flag(verdict, refs[0], by=by.user)
        self._caught_up(refs[-1])
        return refs

    def standing(self, ref: EntryRef) -> tuple[EntryRef, ...]:
        """All entries that say the same filing, at whatever precision, if it still stands.

        Raises
        ------
        StaleError
            If it was amended or cancelled.
        """
        return tuple(one.ref for one in self._newest(ref)[1])

    def newest(self, ref: EntryRef) -> EntryRef:
        """The entry that stands for a filing now: itself, or the last of those by which it was amended.

        Raises
        ------
        NotFoundError
            If it is no filing that is known here.
        """
        with self._database.reading() as conn:
            row = filings.filing_of(conn, ref)
            while row is not None and row.state is filings.FilingState.AMENDED and row.changed_by is not None:
                row = filings.filing_of(conn, row.changed_by)
        if row is None:
            raise NotFoundError("filing", field="entry", value=str(EntryId.of(ref)))
        return row.ref

    def try_out(
        self, request: FilingRequest, *, by: Actor, instead_of: Collection[EntryRef] = ()
    ) -> tuple[str, ...]:  # fmt: skip
        """Whether it could be filed now, as far as that is in our hands; what a person should know. Nothing is said.

        Parameters
        ----------
        instead_of
            Filings whose place it would take.

        Raises
        ------
        InputError, ClashError, RefusedError
            As `file`.
        """
        by.must(Scope.FILE)
        ready = self._prepared(request)
        with self._database.reading() as conn:
            self._rounds.must_be_new(conn, ready, instead_of)
        verdict = self._judged(ready, by).verdict
        return (*ready.warnings, *([verdict.sentence] if verdict.sentence else []))

    # --- inside ----------------------------------------------------------------------------------------------------

    def _prepared(self, request: FilingRequest, told_of: _Told | None = None) -> Prepared:
        line = self._audience.line(request.line)
        thing, warnings = request.model(), []
        if isinstance(thing, Zone):
            published = published_hazard(thing)
            if published is not thing and _footprints(published) != _footprints(thing):
                warnings.append("It is told as a wider and rounded area, as hazard areas are; nobody is told more.")
            thing = published
        now_s = self._clock()
        check_filing(thing, party=self._records.party, now_s=now_s)
        told = (told_of or self._audience.told)(line, request.recipients)
        strangers = sorted(set(request.precision_for) - set(told.parties))
        if strangers:
            right = "one of: " + (", ".join(told.parties) or "nobody is told")
            raise InputError(
                [Fault("is not told at all", right, field="precision_for", value=one) for one in strangers]
            )
        groups = groups_of(request, thing, told.parties)
        if not groups and not request.commit_exact:
            raise InputError(Fault("said to nobody", "at least one recipient, or a commitment", field="recipients"))
        warnings += told.warnings
        if not told.parties:
            warnings.append(_nobody_told(alone=not self._audience.others(line)))
        warnings += filing_warnings(
            thing, now_s=now_s, reason_if_late=request.reason_if_late, exercise=request.exercise
        )  # fmt: skip
        whole = Group((), None, thing).body(request)
        return Prepared(line, request, thing, groups, whole, Verdict(), tuple(warnings))

    def _judged(self, ready: Prepared, by: Actor) -> Prepared:
        return replace(ready, verdict=self._guards.judge(ready.whole, by=by, line=ready.line))

    def _begun(
        self, request: FilingRequest | Exception, by: Actor, held: ExitStack, told_of: _Told | None = None
    ) -> Underway | Exception:
        """One of many, as far as it goes by itself; nobody else files its id until all of them are over."""
        if isinstance(request, Exception):
            return request
        try:
            by.must(Scope.FILE)
            ready = self._prepared(request, told_of)
            held.enter_context(self._alone(ready))
            return Underway(self._judged(ready, by), by)
        except Exception as error:  # noqa: BLE001  # told of this one alone
            return error

    def _outcome(self, one: Underway) -> Filed | Exception:
        try:
            return self._filed(one)
        except Exception as error:  # noqa: BLE001  # as above
            return error

    @contextmanager
    def _committed(self, ready: Prepared) -> Iterator[EntryRef | None]:
        """Commit to the exact plan, in an entry before those that tell of it, which name it; take it back if they fail.

        A commitment that nothing names would be a plan kept back, and nobody could be clear of it any more.
        """
        body, ref = commitment_to(ready.request, ready.thing, ready.groups), None
        if body is not None:
            (ref,) = self._records.say(ready.line, [Outgoing(body, (), ready.request.exercise)])
        try:
            yield ref
        except KeepclearError:
            if ref is not None:
                taken = Outgoing(
                    CancelBody(entry=EntryRefValue.of(ref)), self._audience.others(ready.line), ready.request.exercise
                )
                with suppress(KeepclearError):
                    self._records.say(ready.line, [taken])
            raise

    def _amendments(
        self, ready: Prepared, old: Sequence[filings.Filing], committed: EntryRef | None
    ) -> Iterator[Outgoing]:
        """Each old entry is amended by the new one that shares most of its recipients, or cancelled for all of them.

        A party that had the old entry and is in another group now has the new one of that group, and is told besides
        that the old one does not stand: nobody is left with what is no more.
        """
        left = list(old)
        taken: dict[int, filings.Filing] = {}
        for is_shared in (True, False):
            for number, group in enumerate(ready.groups):
                best = max(left, key=lambda one: len({*one.recipients} & {*group.recipients}), default=None)
                if (
                    number not in taken
                    and best is not None
                    and (not is_shared or {*best.recipients} & {*group.recipients})
                ):
                    taken[number] = best
                    left.remove(best)
        for number in range(len(ready.groups)):
            before = taken.get(number)
            yield ready.outgoing(number, None if before is None else before.ref, committed)
        for number, before in taken.items():
            gone = {*_others(before.recipients, before.party)} - {*ready.groups[number].recipients}
            yield from self._cancelled(before, sorted(gone))
        for before in left:
            yield from self._cancelled(before, _others(before.recipients, before.party))

    def _cancelled(self, old: filings.Filing, parties: Sequence[str]) -> Iterator[Outgoing]:
        if parties:
            body = CancelBody(entry=EntryRefValue.of(old.ref), reason=_NOT_TOLD_ANY_MORE)
            yield Outgoing(body, parties, old.exercise)

    def _who_knows(self, one: filings.Filing) -> tuple[str, ...]:
        """Those who were told; of a commitment, all: it was kept back from all of them."""
        if one.type == EntryType.COMMITMENT:
            return self._audience.others(one.line)
        return _others(one.recipients, one.party)

    def _like_before(self, request: FilingRequest, line: str, old: Sequence[filings.Filing]) -> FilingRequest:
        if request.line not in {None, line}:
            raise InputError(Fault("filed on another line", line, field="line", value=str(request.line)))
        if request.exercise != old[0].exercise:
            right = "as it was; cancel it, and file anew"
            raise InputError(
                Fault("what is so does not become an exercise, nor the other way", right, field="exercise")
            )
        recipients = request.recipients
        if recipients is None:
            before = {party for one in old for party in _others(one.recipients, one.party)}
            recipients = tuple(sorted(before & {*self._audience.others(line)}))
        return replace(request, line=line, recipients=recipients)

    def _newest(self, ref: EntryRef, *, types: Collection[str] = _FILINGS) -> tuple[str, list[filings.Filing]]:
        """The line, and all standing entries of the filing that an entry of ours says."""
        place = EntryId.of(ref)
        if place.party != self._records.party:
            raise NotFoundError("filing of ours", field="entry", value=str(place))
        origin = self._records.own_origin(place.line)
        self._caught_up(self._records.ref(origin, self._records.size(origin) - 1))
        with self._database.reading() as conn:
            row = filings.filing_of(conn, ref)
            if row is None or row.type not in types:
                raise NotFoundError("filing of ours", field="entry", value=str(place))
            # What is only committed to has no id that is known to the tables.
            rows = filings.filings_of_thing(conn, row.party, row.thing_id) if row.type in _FILINGS else [row]
        if row.state is not filings.FilingState.ACTIVE:
            changed = "" if row.changed_by is None else f" by {EntryId.of(row.changed_by)}"
            raise StaleError(f"{place} was {row.state}{changed}")
        same = [one for one in rows if _is_twin(one, row)]
        return place.line, sorted(same, key=lambda one: (one.ref != ref, one.id))

    def _filed(self, one: Underway) -> Filed:
        if one.error is not None:
            raise one.error
        assert one.before is not None
        assert one.after is not None
        ready, verdict = one.ready, one.ready.verdict
        self._guards.flag(verdict, one.told[0], by=one.by.user)
        warnings = ready.warnings if not verdict.sentence else (*ready.warnings, verdict.sentence)
        if not one.is_caught_up:
            warnings = (
                *warnings,
                "The tables have not caught up yet: what it comes too close to is told a little later.",
            )
        return Filed(one.told[0], one.told, one.committed, one.before, one.after, warnings)

    def _caught_up(self, ref: EntryRef) -> bool:
        """Whether the tables have an entry that is in our log; what is said stands, whatever the tables do."""
        with suppress(KeepclearError):
            self._projector.catch_up(ref)
        return self._projector.wait_for(ref, _WAIT_S)

    @contextmanager
    def _alone(self, ready: Prepared) -> Iterator[None]:
        """Let nobody else file the same id meanwhile."""
        name = ready.line, ready.thing.id
        with self._guard:
            if name in self._names:
                raise ClashError(Fault(f"{ready.thing.id!r} is being filed at this moment", "look again"))
            self._names.add(name)
        try:
            yield
        finally:
            with self._guard:
                self._names.discard(name)


def _nobody_told(*, alone: bool) -> str:
    kept = "it is only committed to, which proves later that it was planned now"
    if alone:
        alone_told = f"You are alone on this line, so nobody is told: {kept}"
        return f"{alone_told}. When others have joined, cancel it and file it anew."
    return f"Nobody is told: {kept}."


def _must_be_of_one_line(every: Sequence[Underway]) -> None:
    lines = sorted({one.ready.line for one in every})
    if len(lines) > 1:
        problem = f"all or none, and of several lines: {', '.join(lines)}"
        raise InputError(Fault(problem, "those of one line at a time", field="all_or_none"))


def _is_twin(one: filings.Filing, of: filings.Filing) -> bool:
    return (one.line, one.type, one.exercise, one.state) == (of.line, of.type, of.exercise, of.state)


def _others(recipients: Sequence[str], party: str) -> tuple[str, ...]:
    return tuple(one for one in recipients if one != party)


def _footprints(zone: Zone) -> list[object]:
    return [one.footprint for one in zone.volumes]
