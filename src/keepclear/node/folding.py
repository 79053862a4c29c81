"""From entries to tables: what each step of a node's history changes in them.

A step is that entries came, that a body came later, or that entries count from now on or do so no longer. Steps have
times, which are facts of this node, and the tables are what the steps make of them in that order. So a rebuild, which
goes through the same steps again, gives the same tables; and so does a crash, since a step is a transaction.

Nothing here reads a clock: what is over at a step is over by the step's time, and what ends by itself ends at its own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection

from keepclear.agreements.facts import Result
from keepclear.errors import InputError, KeepclearError, PeerError
from keepclear.line.said import Heard, Said, said_of
from keepclear.line.threads import Advised, AdvisoryStatus, Searched
from keepclear.model.findings import Answer
from keepclear.model.operations import Zone
from keepclear.node.agreement_documents import Documents
from keepclear.node.agreement_folding import WATCHED_TYPES, AgreementFold
from keepclear.node.agreement_steps import AgreementSteps
from keepclear.node.conflict_lives import ConflictEvent, ConflictState, life_of
from keepclear.node.conversations import Conversations
from keepclear.node.findings_told import members_of
from keepclear.node.joint_parts import are_parts, believed, take_joint
from keepclear.node.searching import FoundConflict, Search, spoken_by
from keepclear.node.terms_in_force import TermsInForce
from keepclear.record.bodies.committed import CommitmentBody, Content, OpeningBody
from keepclear.record.bodies.plans import OperationBody, ZoneBody
from keepclear.record.bodies.registry import BODIES, body_of
from keepclear.record.commitments import check_opening
from keepclear.record.entries import Entry, EntryRef
from keepclear.record.entry_types import KNOWN_TYPES, EntryType
from keepclear.record.names import KeyName
from keepclear.separation.asking import Thing
from keepclear.store.node import events
from keepclear.store.node.agreements import findings_of
from keepclear.store.node.cells import add_cells, box_of, drop_cells
from keepclear.store.node.conflicts import (
    ConflictRow,
    add_conflict,
    change_conflict,
    conflict_between,
    conflicts_of_filing,
    drop_conflict,
    open_conflicts,
)
from keepclear.store.node.counting import Counting
from keepclear.store.node.filings import (
    UNREADABLE,
    Filing,
    FilingState,
    add_filing,
    change_filing,
    compared_with,
    drop_plan,
    ended_before,
    ended_too_early,
    filing_of,
    filings_by_id,
    filings_changed_by,
    filings_of_log,
    filings_of_thing,
    is_in_run,
    put_plan,
    unread_filings,
)
from keepclear.store.node.joint_parts import drop_entry, is_named, parts_of_plan
from keepclear.store.node.plan_bytes import packed
from keepclear.store.node.said_facts import put_said, said_at, set_counted

__all__ = ["AWAITED_TYPES", "Came", "Fold", "searched_of"]

_FILINGS = frozenset({EntryType.OPERATION, EntryType.ZONE, EntryType.COMMITMENT})
_CHANGING = _FILINGS | {EntryType.CANCEL, EntryType.ADVISORY, EntryType.ACCEPTED_RISK}
"""What can change how it stands with a filing; answers are read out of the conversation, and change no table."""
_NAMES = frozenset(name for name, _ in KNOWN_TYPES)
_JOINT = frozenset({EntryType.JOINT_PLAN, EntryType.JOINT_PLAN_SIGNED})
_REVEALING = frozenset({EntryType.OPERATION, EntryType.ZONE, EntryType.OPENING})
_OPEN = (ConflictState.FOUND, ConflictState.ADVISED, ConflictState.ACCEPTED)
_EVENTS = {
    EntryType.OPERATION: "filing", EntryType.ZONE: "filing", EntryType.CANCEL: "filing", EntryType.ANSWER: "answer",
    EntryType.MESSAGE: "message", EntryType.ACCEPTED_RISK: "conflict", EntryType.ADVISORY: "conflict",
}  # fmt: skip
AWAITED_TYPES = frozenset(
    {
        EntryType.LINE_FOUNDED, EntryType.MEMBER_INVITED, EntryType.MEMBER_JOINED, EntryType.MEMBER_LEFT,
        EntryType.MEMBER_REMOVED, EntryType.KEY_CERTIFICATE, EntryType.KEY_REVOCATION,
    }
)  # fmt: skip
"""Entries whose bodies may come although they were not addressed to us: they say who is on the line."""


@dataclass(frozen=True, slots=True)
class Came:
    """An entry, with what is held of its body, and when our node had it."""

    line: str
    ref: EntryRef
    entry: Entry
    kept_s: float
    counted: bool


class Fold:
    """Makes the tables of the steps. One thread at a time, in a transaction that writes.

    Parameters
    ----------
    us
        The party whose node this is.
    search, conversations
        What conflicts are found by, and where entries are folded into threads.
    entry_of
        Gives an entry with what was held of its body by a time.
    clock
        What is over by now. Steps may have later times, where the clock was ahead once and was put right.
    agreed
        Knows which agreements bind; one is made where it is not given.
    quiet
        Whether nothing is said of it to those who follow events: in a rebuild.
    """

    def __init__(
        self,
        us: str,
        search: Search,
        conversations: Conversations,
        entry_of: Callable[[str, int, float], Entry],
        clock: Callable[[], float],
        *,
        agreed: AgreementFold | None = None,
        quiet: bool = False,
    ) -> None:
        self._us, self._search, self._conversations, self._entry_of = us, search, conversations, entry_of
        self._quiet = quiet
        self._clock = clock
        self._at_s = self._over_s = 0.0
        self._passed_s: float | None = None
        self._advised: dict[EntryRef, tuple[Advised, ...]] = {}
        # What is over is still too close in time to what comes next, where minima ask for a time between.
        self._after_s = max((one.time_s for one in search.asking.minima.rules), default=0.0)
        held = self._held_now
        documents = Documents(held)
        self.agreed = AgreementSteps(
            us, agreed or AgreementFold(documents, TermsInForce(held, documents, search), held), search, held,
            find=self._find, live=self._live, say=self._say,
        )  # fmt: skip

    def _held_now(self, origin: str, index: int) -> Entry:
        return self._entry_of(origin, index, self._at_s)

    def begin_step(self) -> None:
        """Another transaction begins: what was done in the one before may not have been kept."""
        self._passed_s = None

    # --- steps -----------------------------------------------------------------------------------------------------

    def hear(self, conn: Connection, came: Came, at_s: float) -> None:
        """An entry came, or its body did."""
        if at_s != self._passed_s:  # of many entries that came at once the first has done it for all
            self.pass_time(conn, at_s)
            self._passed_s = at_s
        try:
            said = said_of(Heard(came.ref, came.entry, came.kept_s))
        except PeerError:
            # Its leaf is not one of that log: what its author wanted to say cannot be told.
            self.miss(conn, came.line, came.ref, came.kept_s, at_s, counted=came.counted)
            return
        leaf = came.entry.leaf
        # Of our own too: after a restore the leaves are brought back first, and then the bodies.
        ours = self._us in {leaf.party, *leaf.recipients}
        awaits = came.entry.body is None and (ours or leaf.type in AWAITED_TYPES)
        change = put_said(conn, came.line, said, counted=came.counted, awaits_body=awaits)
        changed: frozenset[EntryRef] = frozenset()
        if came.counted:
            changed = self._conversations.take(conn, came.line, said, change)
            self._advised.clear()
        if leaf.type in _CHANGING:
            for ref in sorted(changed - {came.ref}, key=lambda one: (one.origin, one.index)):
                self._refresh(conn, came.line, ref)
        if leaf.type in _FILINGS or leaf.type not in _NAMES:
            self._file(conn, came, said)
        elif came.counted and leaf.type == EntryType.OPENING:
            self._open_commitment(conn, came)
        elif came.counted and leaf.type in _JOINT:
            self._take_joint(conn, came)
        self.agreed.hear(conn, came.line, came.ref, leaf.type, came.kept_s, at_s, counted=came.counted)
        if leaf.type in WATCHED_TYPES:
            self._passed_s = None  # an agreement may be due at once
        if came.counted:
            self._tell(conn, came, said)

    def miss(
        self, conn: Connection, line: str, ref: EntryRef, kept_s: float, at_s: float, *, counted: bool
    ) -> None:  # fmt: skip
        """An entry came whose leaf is none that can be read: it may say anything, until its author takes it back."""
        self.pass_time(conn, at_s)
        name = KeyName.of_text(ref.origin)
        assert name is not None, "it is a log's"
        problem = "its leaf is none that can be read"
        to = frozenset({self._us}) - {name.party}
        said = Said(ref, name.party, to, exercise=False, kept_s=kept_s, type=UNREADABLE, problem=problem)
        change = put_said(conn, line, said, counted=counted, awaits_body=False)
        row = Filing(
            id=0, line=line, ref=ref, party=name.party, type=UNREADABLE, exercise=False, time_s=kept_s, kept_s=kept_s,
            recipients=tuple(to), problem=problem, thing_id="", name="", kind="", start_s=None, end_s=None, box=None,
            state=FilingState.NOT_COUNTED, state_s=at_s, supersedes=None, changed_by=None,
        )  # fmt: skip
        row = add_filing(conn, row)
        if counted:
            self._conversations.take(conn, line, said, change)
            self._advised.clear()
            self._begin(conn, row)

    def count(self, conn: Connection, step: Counting, line: str, party: str) -> None:
        """Entries count from now on, or do so no longer."""
        self.pass_time(conn, step.at_s)
        set_counted(conn, line, step.origin, step.start, step.stop, counted=step.counted)
        self._advised.clear()
        if not step.counted:
            self._conversations.forget(line)
        filings = [one for one in filings_of_log(conn, step.origin, start=step.start) if one.ref.index < step.stop]
        for one in filings:
            if not step.counted:
                self._end(conn, one, FilingState.NOT_COUNTED, step.at_s)
            elif one.state is FilingState.NOT_COUNTED:
                self._begin(conn, one)
        for one in filings_changed_by(conn, party, line):
            by = one.changed_by
            if not step.counted and by and by.origin == step.origin and step.start <= by.index < step.stop:
                self._begin(conn, replace(one, changed_by=None))
        for said in _said_between(conn, step):
            self._reveal(conn, line, said, step)
            for target in _targets(said):
                self._refresh(conn, line, target)
        for row in open_conflicts(conn, _OPEN):
            if row.line == line:
                self._live(conn, row)
        self.agreed.count(conn, line, step.at_s)

    def _reveal(self, conn: Connection, line: str, said: Said, step: Counting) -> None:
        """What an entry that counts from now on, or does so no longer, says of others."""
        if said.type in _JOINT:
            self._count_joint(conn, line, said, step)
        elif step.counted and said.type in _REVEALING and not said.problem:
            entry = self._entry_of(said.ref.origin, said.ref.index, step.at_s)
            came = Came(line, said.ref, entry, said.kept_s, counted=True)
            self._open_commitment(conn, came)
            self._cover(conn, came)

    def forget_body(self, conn: Connection, came: Came, at_s: float) -> None:
        """The body of an entry is no longer here: nothing that was found by it stays."""
        self.pass_time(conn, at_s)
        said = said_of(Heard(came.ref, came.entry, came.kept_s))
        before = said_at(conn, came.ref.origin, came.ref.index)
        if before is not None:
            kept = replace(before.said, problem=said.problem, place=None, unit="", reason="", read_back=None)
            put_said(conn, came.line, kept, counted=before.counted, awaits_body=False)
        self._advised.clear()
        filing = filing_of(conn, came.ref)
        if filing is None or filing.problem:
            return
        values = {"problem": said.problem, "name": "", "kind": "", "box": None, "thing_id": ""}
        change_filing(conn, filing.id, **values)
        drop_cells(conn, filing.id)
        drop_plan(conn, filing.id)
        for row in conflicts_of_filing(conn, filing.id):
            if row.advisories:
                unread = replace(row, finding=None, found_s=None)
                change_conflict(conn, unread)  # or it would look as if it had been so
                self._live(conn, unread)
            else:
                drop_conflict(conn, row.id)

    def pass_time(self, conn: Connection, at_s: float) -> None:
        """What was over before then, is."""
        over_s = min(at_s, self._clock())
        while (due_s := self.agreed.due_s(conn, over_s)) is not None:
            self._end_before(conn, due_s, due_s)
            self.agreed.pass_time(conn, due_s)
        self._end_before(conn, at_s, over_s)

    def _end_before(self, conn: Connection, at_s: float, over_s: float) -> None:
        self._advised.clear()
        self._at_s, self._over_s = at_s, over_s
        numbers = ended_before(conn, self._over_s - self._after(conn))
        for filing in filings_by_id(conn, numbers).values():
            assert filing.end_s is not None, "it has ended"
            self._end(conn, filing, FilingState.EXPIRED, filing.end_s)
        for row in open_conflicts(conn, _OPEN, ended_before_s=self._over_s):
            self._live(conn, row)

    def revive(self, conn: Connection, at_s: float) -> None:
        """What was taken to be over while the clock was ahead, and is not, is found again."""
        self.pass_time(conn, at_s)
        for filing in filings_by_id(conn, ended_too_early(conn, self._over_s)).values():
            self._begin(conn, filing)
            self._say(conn, "filing", {"state": FilingState.ACTIVE, "party": filing.party}, filing.line, filing.ref)

    def _after(self, conn: Connection) -> float:
        return max(self._after_s, self.agreed.after_s(conn))

    def is_over(self, conn: Connection, at_s: float) -> bool:
        """Whether something has ended by then that the tables still have as standing, or an agreement has changed."""
        if self.agreed.due_s(conn, at_s) is not None:
            return True
        ended = ended_before(conn, at_s - self._after(conn))
        return bool(ended or open_conflicts(conn, _OPEN, ended_before_s=at_s))

    # --- filings ---------------------------------------------------------------------------------------------------

    def _file(self, conn: Connection, came: Came, said: Said) -> None:
        """A filing came, or the body of one that was there."""
        leaf = came.entry.leaf
        thing, problem = self._thing(came.entry, said)
        known = filing_of(conn, came.ref)
        row = Filing(
            0 if known is None else known.id, came.line, came.ref, leaf.party, leaf.type, leaf.exercise, leaf.time_s,
            came.kept_s, tuple(leaf.recipients), problem, "" if thing is None else _kept_text(thing.id),
            "" if thing is None else _kept_text(thing.name), "" if thing is None else str(thing.kind or ""),
            said.start_s, said.end_s, None, FilingState.ACTIVE, self._at_s if known is None else known.state_s,
            said.supersedes, None,
            self._is_for_us(came.entry), _run_stop(came),
        )  # fmt: skip
        if known is None:
            row = add_filing(conn, replace(row, state=FilingState.NOT_COUNTED))
            known = row
        else:
            given = ("problem", "thing_id", "name", "kind", "start_s", "end_s", "supersedes", "run_stop")
            change_filing(conn, row.id, **{name: getattr(row, name) for name in given})
            row = replace(row, state=known.state, changed_by=known.changed_by)
        if came.counted and row.state in (FilingState.NOT_COUNTED, FilingState.ACTIVE):
            self._begin(conn, row, thing)
            self._cover(conn, came)
            if row.problem and not row.for_us and is_in_run(conn, came.ref.origin, came.ref.index):
                self._end(conn, replace(row, state=FilingState.ACTIVE), FilingState.COVERED, self._at_s)

    def _begin(self, conn: Connection, filing: Filing, thing: Thing | None = None) -> None:
        """A filing counts from now on: it is found, and what it comes too close to is looked for."""
        with self._conversations.held(conn, filing.line) as talk:
            thread = talk.thread(filing.ref, self._at_s)
        self._advised[filing.ref] = thread.advised
        state, state_s, by = FilingState.ACTIVE, self._at_s, None
        if thread.cancelled_by is not None:
            state, by = FilingState.CANCELLED, thread.cancelled_by
        elif thread.superseded_by is not None:
            state, by = FilingState.AMENDED, thread.superseded_by
        elif filing.end_s is not None and filing.end_s < self._over_s - self._after(conn):
            state, state_s = FilingState.EXPIRED, filing.end_s
        change_filing(conn, filing.id, state=state, state_s=state_s, changed_by=by)
        filing = replace(filing, state=state, state_s=state_s, changed_by=by)
        if thing is None and not filing.problem:
            thing = self._read(filing)
        if thing is None or state is not FilingState.ACTIVE:
            self._live_all(conn, filing.id)
            self._advised_before(conn, filing)
            return
        thing = believed(conn, thing)
        prepared = self._search.prepared(thing)
        self._search.keep(filing.ref.leaf_hash, prepared)
        cells = self._search.cells_of(prepared, exercise=filing.exercise)
        change_filing(conn, filing.id, box=box_of(cells.spheres))
        put_plan(conn, filing.id, packed(thing))
        near, _ = self._search.near(conn, prepared, exercise=filing.exercise, leaving_out=(filing.ref,))
        found = self.agreed.found(conn, filing, thing, near)
        drop_cells(conn, filing.id)
        add_cells(conn, filing.id, cells, owner="" if isinstance(thing, Zone) else thing.party)
        for one in sorted(found, key=lambda one: one.filing.id if one.filing else 0):
            self._find(conn, filing, one)
        self._live_all(conn, filing.id, but={one.filing.id for one in found if one.filing})
        self._advised_before(conn, filing)
        self.agreed.judge(conn, filing, thing, self._at_s)

    def _end(
        self, conn: Connection, filing: Filing, state: FilingState, at_s: float, by: EntryRef | None = None
    ) -> None:
        """A filing is found no longer."""
        change_filing(conn, filing.id, state=state, state_s=at_s, changed_by=by)
        drop_cells(conn, filing.id)
        drop_plan(conn, filing.id)
        self.agreed.forget(conn, filing)
        self._live_all(conn, filing.id)
        if filing.state is not state:
            self._say(conn, "filing", {"state": state, "party": filing.party}, filing.line, filing.ref)

    def _refresh(self, conn: Connection, line: str, ref: EntryRef) -> None:
        """The thread of an entry may read otherwise: it may have been amended, cancelled, advised of, accepted."""
        filing = filing_of(conn, ref)
        if filing is None or filing.state is FilingState.NOT_COUNTED:
            if filing is None:
                self._refresh_pairs(conn, line, ref)
            return
        if filing.state is FilingState.ACTIVE:
            with self._conversations.held(conn, line) as talk:
                if talk.said(ref) is None:
                    return
                thread = talk.thread(ref, self._at_s)
            if thread.cancelled_by is not None:
                self._end(conn, filing, FilingState.CANCELLED, self._at_s, thread.cancelled_by)
                return
            if thread.superseded_by is not None:
                self._end(conn, filing, FilingState.AMENDED, self._at_s, thread.superseded_by)
                return
        self._advised_before(conn, filing)

    def _refresh_pairs(self, conn: Connection, line: str, ref: EntryRef) -> None:
        """An advisory may be another than before: so may the conflicts of the filings it is about."""
        with self._conversations.held(conn, line) as talk:
            said = talk.said(ref)
        if said is None or said.found is None:
            return
        for about in said.about:
            filing = filing_of(conn, about)
            if filing is not None:
                self._advised_before(conn, filing)

    def _cover(self, conn: Connection, came: Came) -> None:
        """What was kept back, and is contained in a filing of the same party that can be read, hides nothing more.

        Nor do the entries next to it in which others are told of the same filing, more or less roughly.
        """
        body = _body(came.entry)
        if not isinstance(body, OperationBody | ZoneBody):
            return
        if body.one_of is not None:
            start = came.ref.index - body.one_of.place
            for one in filings_of_log(conn, came.ref.origin, start=start, stop=start + body.one_of.of):
                if one.problem and not one.for_us and one.state is FilingState.ACTIVE and one.type == body.TYPE:
                    self._end(conn, one, FilingState.COVERED, self._at_s, came.ref)
        if body.committed is not None:
            kept_back = filing_of(conn, body.committed.ref())
            same = kept_back is not None and kept_back.party == came.entry.leaf.party
            if same and kept_back is not None and kept_back.state is FilingState.ACTIVE:
                self._end(conn, kept_back, FilingState.COVERED, self._at_s, came.ref)

    def _open_commitment(self, conn: Connection, came: Came) -> None:
        """A body that was kept back is shown: if it is a plan, it is searched from now on."""
        body = _body(came.entry)
        if not isinstance(body, OpeningBody) or body.entry.origin != came.ref.origin:
            return
        filing = filing_of(conn, body.entry.ref())
        if filing is None or filing.state is not FilingState.ACTIVE or not filing.problem:
            return
        try:
            check_opening(self._entry_of(filing.ref.origin, filing.ref.index, self._at_s).leaf, body)
            thing = _content(body.content, filing.party)
        except KeepclearError:
            return  # it does not open it: what was kept back stays so
        if thing is None:
            self._end(conn, filing, FilingState.COVERED, self._at_s, came.ref)
            return
        values = {
            "problem": "", "thing_id": _kept_text(thing.id), "name": _kept_text(thing.name),
            "kind": str(thing.kind or ""),
        }  # fmt: skip
        change_filing(conn, filing.id, **values)
        self._begin(conn, replace(filing, **values), thing)  # type: ignore[arg-type]

    def _is_for_us(self, entry: Entry) -> bool:
        """Whether we should be able to read it. What is kept back from everybody is not for us either."""
        leaf = entry.leaf
        if leaf.type == EntryType.COMMITMENT and entry.body is None:
            return False
        return leaf.party == self._us or self._us in leaf.recipients

    def _thing(self, entry: Entry, said: Said) -> tuple[Thing | None, str]:
        """The plan in an entry, of who speaks for it; or why there is none."""
        leaf = entry.leaf
        if leaf.type not in _NAMES:
            return None, "of a type that is not known here"
        if leaf.type == EntryType.COMMITMENT and entry.body is None:
            return None, "its body is kept back"
        if said.problem:
            return None, said.problem
        body = _body(entry)
        try:
            if isinstance(body, OperationBody | ZoneBody):
                return spoken_by(body.to_model(), leaf.party), ""
            if isinstance(body, CommitmentBody):
                content = Content(type=body.type, v=body.v, body=body.body)
                return _content(content, leaf.party), ""
        except InputError as error:
            return None, f"it is no plan: {error}"
        return None, "of a version that is not known"

    def _read(self, filing: Filing) -> Thing | None:
        entry = self._entry_of(filing.ref.origin, filing.ref.index, self._at_s)
        return self._thing(entry, said_of(Heard(filing.ref, entry, filing.kept_s)))[0]

    # --- joint plans -----------------------------------------------------------------------------------------------

    def _take_joint(self, conn: Connection, came: Came) -> None:
        """A joint plan was told of, or signed: its parts are one operation once all have signed, and not before."""
        try:
            body = body_of(came.entry)
        except PeerError:
            return
        plan = take_joint(conn, came.line, came.ref, came.entry.leaf.party, body, self._at_s)
        if plan:
            self._look_at_parts(conn, came.line, plan)
            self._say(conn, "joint", {"plan": plan, "state": "signed by all"}, came.line, came.ref)

    def _count_joint(self, conn: Connection, line: str, said: Said, step: Counting) -> None:
        if step.counted:
            entry = self._entry_of(said.ref.origin, said.ref.index, step.at_s)
            self._take_joint(conn, Came(line, said.ref, entry, said.kept_s, counted=True))
            return
        plan = drop_entry(conn, said.ref.origin, said.ref.index)
        if plan:
            self._look_at_parts(conn, line, plan)

    def _look_at_parts(self, conn: Connection, line: str, plan: str) -> None:
        """Search the filings anew that are parts of a plan."""
        for part in parts_of_plan(conn, line, plan):
            for filing in filings_of_thing(conn, part.party, part.thing_id):
                if filing.state is FilingState.ACTIVE and not filing.problem and filing.type == EntryType.OPERATION:
                    for row in conflicts_of_filing(conn, filing.id):
                        if self._is_joint(conn, row):
                            self._live(conn, row)
                    self._begin(conn, filing)

    def _is_joint(self, conn: Connection, row: ConflictRow) -> bool:
        """Whether the two of a conflict are parts of one plan that all have signed."""
        both = filings_by_id(conn, (row.first, row.second))
        pair = [both[number] for number in (row.first, row.second)]
        if any(one.problem or one.state is not FilingState.ACTIVE or one.type != EntryType.OPERATION for one in pair):
            return False
        return are_parts(conn, self._read(pair[0]), self._read(pair[1]))

    # --- conflicts -------------------------------------------------------------------------------------------------

    def _find(self, conn: Connection, filing: Filing, found: FoundConflict) -> None:
        """Our search found a conflict."""
        other = found.filing
        assert other is not None, "filings were searched"
        first, second = sorted((filing, other), key=lambda one: one.id)
        starts = [one.start_s for one in found.conflict.intervals]
        ends = [one.end_s for one in found.conflict.intervals]
        ours = [one for one in (first, second) if one.party == self._us]
        row = conflict_between(conn, first.id, second.id) or _new_row(first, second, len(ours), self._at_s)
        row = replace(
            row, answer=found.answer, finding=members_of(found.conflict), found_s=self._at_s,
            start_s=None if None in starts else min(starts, default=None),  # type: ignore[type-var]
            end_s=None if None in ends else max(ends, default=None),  # type: ignore[type-var]
            why_not_advised=_why_not(first, second, self._us),
        )  # fmt: skip
        self._live(conn, row)

    def _advised_before(self, conn: Connection, filing: Filing) -> None:
        """What others, or we, advised of: pairs that our own search did not find have a conflict too."""
        for one in self._advised_of(conn, filing):
            for ref in one.about:
                other = None if ref == filing.ref else filing_of(conn, ref)
                if other is None or one.party not in (filing.party, other.party):
                    continue
                first, second = sorted((filing, other), key=lambda each: each.id)
                row = conflict_between(conn, first.id, second.id)
                if row is None:
                    ours = sum(each.party == self._us for each in (first, second))
                    row = _new_row(first, second, ours, self._at_s)
                    row = replace(row, answer=one.found, why_not_advised="our own search does not find it")
                self._live(conn, row)

    def _live_all(self, conn: Connection, filing: int, *, but: Collection[int] = ()) -> None:
        for row in conflicts_of_filing(conn, filing):
            if row.first not in but and row.second not in but:
                self._live(conn, row)

    def _live(self, conn: Connection, row: ConflictRow) -> None:
        """Work out anew how it stands with a conflict, and keep it."""
        both = filings_by_id(conn, (row.first, row.second))
        first, second = both[row.first], both[row.second]
        advised = self._advisories(conn, first, second)
        standing = [one for one in advised if not _is_taken_back(one, first, second)]
        parties = {first.party, second.party}
        accepted = sorted({party for one in standing for party in one.accepted_by if party in parties})
        happened = [ConflictEvent.FOUND] if row.found_s is not None else []
        if advised:
            happened.append(ConflictEvent.ADVISED)
        if standing and parties <= set(accepted):
            happened.append(ConflictEvent.ACCEPTED)
        if advised and not standing:
            happened.append(ConflictEvent.TAKEN_BACK)
        over, over_s = self._over(row, first, second)
        if not over and _may_be_joint(conn, first, second) and self._is_joint(conn, row):
            # They were made parts of one plan, which every participant has signed.
            over, over_s = [ConflictEvent.CHANGED], self._at_s
        state = life_of([*happened, *over])
        changed = state.value != row.state
        told = any(one.party == self._us for one in advised)
        to_advise = state is ConflictState.FOUND and row.own == 1 and not row.why_not_advised and not advised
        values = replace(
            row, state=state.value, state_s=(over_s if over else self._at_s) if changed else row.state_s,
            advised_by=tuple(sorted({one.party for one in advised})), accepted_by=tuple(accepted),
            advisories=tuple(one.ref for one in advised), to_advise=int(to_advise and not told),
        )  # fmt: skip
        if row.id:
            if values == row and not changed:
                return
            change_conflict(conn, values)
        else:
            values = add_conflict(conn, values)
        if changed or not row.id:
            told_of = {"conflict": values.id, "state": values.state, "answer": values.answer, "own": values.own}
            self._say(conn, "conflict", told_of, row.line, second.ref)

    def _over(self, row: ConflictRow, first: Filing, second: Filing) -> tuple[list[ConflictEvent], float]:
        """Whether a conflict is over, and since when: by whatever came first."""
        ends = [(one.state_s, n, _OVER[one.state]) for n, one in enumerate((first, second)) if one.state in _OVER]
        if row.end_s is not None and row.end_s < self._over_s:
            ends.append((row.end_s, 2, ConflictEvent.OVER))
        if not ends:
            return [], self._at_s
        at_s, _, event = min(ends)
        dropped = any(one.state is FilingState.NOT_COUNTED for one in (first, second))
        return [ConflictEvent.NOT_COUNTED if dropped else event], at_s

    def _advisories(self, conn: Connection, first: Filing, second: Filing) -> list[Advised]:
        """What was advised of a pair by one of the two, on the line of either, each once, in order."""
        found: dict[EntryRef, Advised] = {}
        for filing, other in ((first, second), (second, first)):
            for one in self._advised_of(conn, filing):
                if other.ref in one.about and one.party in (first.party, second.party):
                    found.setdefault(one.ref, one)
        return sorted(found.values(), key=lambda one: (one.ref.origin, one.ref.index))

    def _advised_of(self, conn: Connection, filing: Filing) -> tuple[Advised, ...]:
        """What was advised of a filing: one that comes too close to a thousand others is asked for a thousand times."""
        known = self._advised.get(filing.ref)
        if known is None:
            with self._conversations.held(conn, filing.line) as talk:
                known = () if talk.said(filing.ref) is None else talk.thread(filing.ref, self._at_s).advised
            self._advised[filing.ref] = known
        return known

    # --- those who follow ------------------------------------------------------------------------------------------

    def _tell(self, conn: Connection, came: Came, said: Said) -> None:
        data: dict[str, Any] = {"type": said.type, "party": said.party, "exercise": said.exercise}
        data["own"] = said.party == self._us
        if said.problem:
            data["problem"] = said.problem
        if said.priority is not None:
            data["priority"] = said.priority.value
        if said.about:
            data["about"] = [[one.origin, one.index] for one in said.about]
        self._say(conn, "entry", data, came.line, came.ref)
        kind = "member" if said.type in AWAITED_TYPES else _EVENTS.get(said.type)  # type: ignore[call-overload]
        if kind is not None:
            self._say(conn, kind, data, came.line, came.ref)

    def _say(self, conn: Connection, kind: str, data: Mapping[str, Any], line: str, ref: EntryRef) -> None:
        if not self._quiet:
            events.say(conn, kind, data, at_s=self._at_s, line=line, ref=ref)


_OVER = {
    FilingState.AMENDED: ConflictEvent.CHANGED, FilingState.CANCELLED: ConflictEvent.CHANGED,
    FilingState.COVERED: ConflictEvent.CHANGED, FilingState.EXPIRED: ConflictEvent.OVER,
    FilingState.NOT_COUNTED: ConflictEvent.NOT_COUNTED,
}  # fmt: skip


def searched_of(conn: Connection, filing: Filing, at_s: float) -> Searched:
    """What all searches up to now come to for a filing: every one that came since was compared with it."""
    rows = [row for row in conflicts_of_filing(conn, filing.id) if row.state in _OPEN and row.found_s is not None]
    both = filings_by_id(conn, {number for row in rows for number in (row.first, row.second)})
    against = [both[row.second if row.first == filing.id else row.first].ref for row in rows]
    if any(row.answer == Answer.CONFLICT for row in rows):
        answer = Answer.CONFLICT
    else:
        is_zone, itself = filing.type == "zone", (filing.ref,)
        matters = [
            one for one in unread_filings(conn, exercise=filing.exercise, leaving_out=itself)
            if one.for_us and (is_zone or one.party != filing.party or one.type != "operation")
        ]  # fmt: skip
        compared = compared_with(conn, us=filing.party, own_too=is_zone, exercise=filing.exercise, leaving_out=itself)
        possible = rows or matters or filing.problem or not compared
        answer = Answer.POSSIBLE if possible else Answer.CLEAR
    told = {row.result for row in findings_of(conn, filing.id) if row.zone}
    if Result.BREACHED in told:  # an area of an agreement that is to be kept out of
        answer = Answer.CONFLICT
    elif told and answer is Answer.CLEAR:
        answer = Answer.POSSIBLE
    return Searched(filing.ref, at_s, answer, tuple(against))


def _new_row(first: Filing, second: Filing, own: int, at_s: float) -> ConflictRow:
    return ConflictRow(
        0, first.line, first.id, second.id, Answer.POSSIBLE, None, None, None, None, ConflictState.NEW.value, at_s,
        own, "", (), (), (), 0,
    )  # fmt: skip


def _why_not(first: Filing, second: Filing, us: str) -> str:
    """Why we cannot advise the other party of a conflict; empty if we can."""
    ours, theirs = (first, second) if first.party == us else (second, first)
    if ours.party != us:
        return "neither filing is ours"
    if theirs.party == us:
        return "both filings are ours"
    if ours.line != theirs.line:
        return f"the two were told on different lines, {ours.line} and {theirs.line}"
    if theirs.party not in ours.recipients:
        return f"our filing was not told to {theirs.party}"
    return ""


def _may_be_joint(conn: Connection, first: Filing, second: Filing) -> bool:
    return first.party != second.party and all(is_named(conn, one.party, one.thing_id) for one in (first, second))


def _is_taken_back(one: Advised, first: Filing, second: Filing) -> bool:
    """An advisory of two filings that both stand is resolved only by being taken back."""
    unchanged = all(filing.state not in (FilingState.AMENDED, FilingState.CANCELLED) for filing in (first, second))
    return unchanged and one.status is AdvisoryStatus.RESOLVED


def _run_stop(came: Came) -> int:
    """One past the last of the entries, next to each other, that tell of the same filing; 0 where it is alone."""
    body = _body(came.entry)
    if not isinstance(body, OperationBody | ZoneBody) or body.one_of is None:
        return 0
    return came.ref.index - body.one_of.place + body.one_of.of


def _kept_text(text: str) -> str:
    """Text as every database keeps it: PostgreSQL has no NUL, and what another sends may."""
    return text.replace("\x00", "\ufffd")


def _body(entry: Entry) -> object:
    try:
        return body_of(entry)
    except PeerError:
        return None


def _content(content: Content, party: str) -> Thing | None:
    """The plan that was committed to; None if it is none. One of a version that is not known is no plan we can tell."""
    model = BODIES.get((content.type, content.v))
    if model is None:
        raise PeerError(f"a body of type {content.type}, version {content.v}, which is not known")
    body = model.of_members(content.body)
    return spoken_by(body.to_model(), party) if isinstance(body, OperationBody | ZoneBody) else None


def _targets(said: Said) -> tuple[EntryRef, ...]:
    return said.about if said.supersedes is None else (*said.about, said.supersedes)


def _said_between(conn: Connection, step: Counting) -> list[Said]:
    found = [said_at(conn, step.origin, number) for number in range(step.start, step.stop)]
    return [row.said for row in found if row is not None]
