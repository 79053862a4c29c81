"""A node with all its parts, made in one place: what knows what of which.

`Node.open` makes the parts and starts nothing; `Node.start` begins the work in the background, and `Node.stop` ends it.
Where several processes serve one node (PostgreSQL), one of them leads: it alone runs the parts that `_LEADING` names.
A leader that has lost its lock does not know whether another has taken its place; it stops, and says so by `failed`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from keepclear.clock import now_s
from keepclear.errors import KeepclearError, StoreError
from keepclear.node.access import Access
from keepclear.node.advising import Advising
from keepclear.node.agreeing import Agreeing
from keepclear.node.agreement_reading import Agreements
from keepclear.node.agreement_watch import AgreementWatch
from keepclear.node.alarm_channels import AlarmChannels
from keepclear.node.alarms import Alarms
from keepclear.node.answering import Answering
from keepclear.node.audience import Audience
from keepclear.node.bell import TOPICS, Bell
from keepclear.node.calling import Caller
from keepclear.node.cards_on_file import CardsOnFile
from keepclear.node.changing import Changing
from keepclear.node.claims import Claims
from keepclear.node.compliance import Compliance
from keepclear.node.courier import Courier
from keepclear.node.disk_watch import DiskWatch
from keepclear.node.drafts import Drafts
from keepclear.node.encounters import Encounters
from keepclear.node.entry_lists import EntryLists
from keepclear.node.escalating import Escalating
from keepclear.node.exchange import Exchange
from keepclear.node.filing import Filing
from keepclear.node.folder import NodeFolder
from keepclear.node.guarding import Guards
from keepclear.node.housekeeping import Housekeeping
from keepclear.node.inbox import Inbox
from keepclear.node.incidents import Incidents
from keepclear.node.joint_planning import JointPlanning
from keepclear.node.line_bodies import LineBodies
from keepclear.node.line_tests import LineTests
from keepclear.node.lines import Lines
from keepclear.node.measures import Measures
from keepclear.node.membership_reading import MembershipReader
from keepclear.node.passwords import Passwords
from keepclear.node.peers import Peers
from keepclear.node.position_sharing import PositionSharing
from keepclear.node.positions import Positions, domains_filed
from keepclear.node.projecting import Projector
from keepclear.node.proofs import Proofs
from keepclear.node.readings import Readings
from keepclear.node.records import Records
from keepclear.node.report_watch import ReportWatch
from keepclear.node.request_signatures import RequestSigner
from keepclear.node.restoring import Restoring, getting
from keepclear.node.rosters import Rosters
from keepclear.node.saying import Saying
from keepclear.node.searching import Search
from keepclear.node.series import SeriesDesk
from keepclear.node.settings import Settings
from keepclear.node.talking import Talking
from keepclear.node.track_watch import TrackWatch
from keepclear.node.watching import Watching
from keepclear.node.welcoming import Welcoming
from keepclear.record.bodies.talk import MessageBody
from keepclear.store.log_store import LogStore
from keepclear.store.node.calling import Calls
from keepclear.store.node.database import NodeDatabase
from keepclear.store.node.leading import Leadership, lead
from keepclear.store.party_keys import Passphrase
from keepclear.store.transport_key import make_transport_key

__all__ = ["Node"]

_LOOK_S = 2.0  # how often a process that does not lead tries to, and one that does looks whether it still does


class _Part(Protocol):
    def start(self) -> None: ...
    def stop(self) -> None: ...


class Node:
    """A party's node. Made by `open`; as a context manager, it is closed at the end.

    Parameters
    ----------
    folder, store, database
        Where everything is; the node closes the last two.
    clock
        Seconds since the epoch.
    """

    def __init__(
        self,
        folder: NodeFolder,
        store: LogStore,
        database: NodeDatabase,
        *,
        clock: Callable[[], float],
        passwords: Passwords | None = None,
    ) -> None:
        self.folder = folder
        self._passwords = passwords
        authorities = folder.settings.peer_authorities
        # A path is of the folder, as those of the certificate are, wherever the node is started.
        self.settings: Settings = replace(
            folder.settings, peer_authorities=str(folder.path / authorities) if authorities else ""
        )
        self.clock = clock
        self.store, self.database = store, database
        self.shared = database.dialect == "postgresql"
        """Whether other processes may serve the same node."""
        self.bell = Bell()
        self.records = Records(folder, store, self.bell, clock, shared=self.shared)
        self._make_people()
        self._make_line()
        self._make_desk()
        self._calls = Calls(database, [topic for topic in TOPICS if topic != "stop"], self._called)
        self._deaf = threading.local()
        self._leadership: Leadership | None = None
        self._started: list[_Part] = []
        self._needed_parts: tuple[_Part, ...] = (self.projector,)
        # The first is started first, and stopped last: an alarm of any other still goes out.
        self._leading_parts: tuple[_Part, ...] = (
            self.courier, self.projector, self.series, self.escalating, self.welcoming, self.line_tests,
            self.disk_watch, self.exchange, self.restoring, self.compliance, self.watching,
            Housekeeping(self.database, self.settings, self.clock),
        )  # fmt: skip
        self._left_out: tuple[object, ...] = ()
        self._stopping = threading.Event()
        self._watch: threading.Thread | None = None
        self._restore_hook: Callable[[], None] = lambda: None
        self.failed: Callable[[str], None] = lambda _: None
        """Called with a sentence when this process can no longer do its work; who serves the node then ends it."""
        self.led: Callable[[], None] = lambda: None
        """Called when this process begins to lead."""

    @classmethod
    def open(
        cls,
        folder: NodeFolder | Path,
        *,
        clock: Callable[[], float] = now_s,
        passphrase: Passphrase | None = None,
        options: Mapping[str, object] | None = None,
        passwords: Passwords | None = None,
    ) -> Self:
        """Open the node of a folder; nothing runs yet. Who does this holds `NodeFolder.lock`, or is its worker.

        Parameters
        ----------
        folder
            The folder; `passphrase` and `options` are as for `NodeFolder`.
        clock
            Seconds since the epoch.
        passwords
            Makes and compares their hashes, if not at the usual cost.

        Raises
        ------
        InputError
            If it is no node's folder, or a setting or a key cannot be used.
        StoreError
            If its files or its database cannot be opened.
        """
        if not isinstance(folder, NodeFolder):
            folder = NodeFolder(folder, passphrase=passphrase, options=options)
        with ExitStack() as undo:
            store = folder.open_records()
            undo.callback(store.close)
            database = folder.open_database()
            undo.callback(database.close)
            node = cls(folder, store, database, clock=clock, passwords=passwords)
            undo.pop_all()
        return node

    # --- the parts, in the order in which they need each other -----------------------------------------------------

    def _make_people(self) -> None:
        """Who may do what, and who is told what."""
        self.access = Access(
            self.database, self.clock, local_token=self.folder.local_token(make=True), passwords=self._passwords
        )  # fmt: skip
        self.acts = self.access.acts
        self.alarms = Alarms(self.database, self.acts, self.bell, self.clock, party=self.party)
        self.rosters = Rosters(self.database, self.acts, self.bell, self.clock)
        self.alarm_channels = AlarmChannels(self.database, self.acts, self.alarms, self.bell, self.clock)
        self.courier = Courier(self.database, self.alarm_channels, self.alarms, self.bell, self.clock)

    def _make_line(self) -> None:
        """Who is on the lines, and what goes to and fro."""
        make_transport_key(self.folder, time_s=self.clock(), sealed_with=self.folder.passphrase_of_new_keys())
        self.memberships = MembershipReader(self.records, self.database)
        self.cards = CardsOnFile(self.records, self.database, self.memberships, self.bell, self.clock)
        self.lines = Lines(
            self.folder, self.records, self.database, self.memberships, self.cards, self.acts, self.bell, self.clock
        )
        self.welcoming = Welcoming(self.lines, self.bell)
        self.peers = Peers(self.records, self.cards, self.bell, membership_of=self.memberships.of)
        self.guards = Guards(self.database, self.bell, self.clock, sound=self.alarms.sound)
        self.records.keep_by(self.guards.keeps)
        self.exchange = Exchange(
            self.records, self.peers, self.database, self.bell, self.settings, self.clock, alarm=self.alarms.sound,
            over=self.alarms.clear, guard_of=self.guards.guard_of, joining=self.lines,
        )  # fmt: skip
        self.desk = self.exchange.desk
        caller = Caller(
            RequestSigner(self.records.transport_key(), self.clock), authorities=self.settings.peer_authorities
        )
        self.restoring = Restoring(
            self.records, self.peers.of, getting(caller, self.exchange.turn_desk), self.alarms, self.bell
        )  # fmt: skip

    def _make_desk(self) -> None:
        """What officers do, and what is found out for them."""
        self.search = Search()
        self.projector = Projector(self.records, self.database, self.search, self.memberships, self.bell, self.clock)
        self.audience = Audience(self.records, self.projector.membership, stopped=self.peers.stopped)
        self.filing = Filing(
            self.records, self.projector, self.search, self.database, self.guards, self.audience, self.acts, self.clock
        )
        self.drafts = Drafts(self.database, self.filing, self.acts, self.bell, self.clock)
        self.series = SeriesDesk(
            self.records, self.database, self.filing, self.audience, self.acts, self.bell, self.clock
        )
        self.changing = Changing(self.records, self.database, self.acts, self.clock)
        self.talking = Talking(self.records, self.guards, self.audience, self.acts, self.changing)
        self.talking.beside = self._flash_beside
        self.answering = Answering(
            self.records, self.projector, self.database, self.guards, self.audience, self.acts, self.clock
        )
        self.readings = Readings(self.records, self.database, self.clock)
        self.proofs = Proofs(self.records, self.readings, self.acts)
        self.inbox = Inbox(self.records, self.projector, self.database, self.clock)
        self.entry_lists = EntryLists(self.records, self.database)
        self.advising = Advising(
            self.records, self.database, self.projector, mode=self.settings.advisories, leads=self.leads,
            clock=self.clock, alarm=self.alarms.sound,
        )  # fmt: skip
        self.escalating = Escalating(
            self.projector.duties, self.records.lines, self.database, self.alarms, self.bell, self.clock,
            reach=self.exchange.reach,
        )  # fmt: skip

        self.line_tests = LineTests(
            self.records, self._members_of, self.database, self.alarm_channels, self.alarms, self.acts, self.bell,
            self.clock, tested=self.exchange.tested,
        )  # fmt: skip
        self.disk_watch = DiskWatch(self.folder.path, self.alarms)
        self._make_agreements()

    def _make_agreements(self) -> None:
        """What the parties have agreed, and what comes of it."""
        terms = self.projector.terms
        self.filing.terms = terms
        self.agreements = Agreements(self.records, self.projector, terms.documents, self.clock)
        self.agreeing = Agreeing(
            self.records, self.agreements, self.guards, self.audience, self.acts, self.access.two_persons, self.clock
        )
        self.agreement_watch = AgreementWatch(
            self.agreements, self.database, self.bell, self.clock, lines=self.records.lines, leads=self.leads
        )
        self.projector.then(self.agreement_watch.safely)
        bodies = LineBodies(self.records, self.projector.membership)
        self.compliance = Compliance(
            self.folder.path, self.records, self.database, self.agreements, bodies, self.clock,
            hour=self.settings.report_hour, zones=self.settings.time_zones,
        )  # fmt: skip
        self._make_watch(bodies)

    def _make_watch(self, bodies: LineBodies) -> None:
        """Where units are, and what came of it."""
        self.positions = Positions(self.party, self.database, self.acts, self.bell, self.clock)
        self.positions.domains_of = partial(domains_filed, bodies)
        self.sharing = PositionSharing(
            self.records, self.database, self.positions, bodies, self.guards, self.audience, self.proofs, self.acts,
            self.clock,
        )  # fmt: skip
        saying = Saying(self.records, self.guards, self.audience, self.acts)
        self.encounters = Encounters(
            self.party, self.positions, self.sharing, bodies, self.projector, self.records.lines, self.projector.terms,
            self.database, self.alarms, self.bell, self.clock,
        )  # fmt: skip
        self.track_watch = TrackWatch(
            self.party, self.positions, bodies, self.database, self.alarms, self.bell, self.clock
        )
        self.joint_planning = JointPlanning(
            saying, bodies, self.filing, self.database, self.access.two_persons, self.records.lines
        )
        self.measures = Measures(saying)
        self.claims = Claims(saying, bodies, self.encounters, self.database, self.clock)
        self.incidents = Incidents(saying, bodies, self.database, self.clock)
        reports = ReportWatch(self.database, self.alarms, self.bell, self.clock)
        self.watching = Watching(
            self.positions, self.sharing, self.joint_planning, self.track_watch, self.encounters, reports.sweep
        )

    def _members_of(self, line: str) -> Collection[str]:
        membership = self.memberships.of(line)
        return () if membership is None else membership.members

    def _flash_beside(self, line: str, message: MessageBody, parties: Sequence[str]) -> Mapping[str, str]:
        self.exchange.flash(line, message, to=parties)
        return dict.fromkeys(parties, "under way")

    @property
    def party(self) -> str:
        """Whose node it is."""
        return self.folder.party

    def leads(self) -> bool:
        """Whether this process does the work in the background."""
        return self._leadership is not None

    def start_alone(self) -> None:
        """Begin only what the use cases wait for, for one command where no node runs: nobody is called or told."""
        for part in self._needed_parts:
            self._started.append(part)
            part.start()

    def start(self, *, leaving_out: Collection[object] = ()) -> None:
        """Begin the work in the background.

        Parameters
        ----------
        leaving_out
            Parts that do not begin: a replay does by hand, at its own time, what they do as time goes by.
        """
        self._left_out = tuple(leaving_out)
        self._end_when_a_thread_is_lost()
        if self.shared:
            self.bell.listen(self._call_others)
            self._calls.start()
        self._take_lead()
        self._watch = threading.Thread(target=self._keep_watch, name="keepclear-leading", daemon=True)
        self._watch.start()

    def _end_when_a_thread_is_lost(self) -> None:
        """A thread that died of a fault of our own leaves the node half at work, and that is worse than none."""
        before = threading.excepthook

        def lost(what: threading.ExceptHookArgs) -> None:
            before(what)
            name = "" if what.thread is None else what.thread.name
            if name.startswith("keepclear-") and not self._stopping.is_set():
                self.failed(f"{name} has stopped through a fault of keepclear's own; the node ends")

        def restore() -> None:
            if threading.excepthook is lost:
                threading.excepthook = before

        threading.excepthook = lost
        self._restore_hook = restore

    def stop(self) -> None:
        """End the work in the background; what has begun is finished."""
        self._stopping.set()
        self.bell.ring("stop")
        if self._watch is not None and self._watch is not threading.current_thread():
            self._watch.join()
        for part in reversed(self._started):
            part.stop()
        self._started.clear()
        self._restore_hook()
        self.guards.stop()
        self._calls.stop()
        if self._leadership is not None:
            self._leadership.close()
            self._leadership = None

    def close(self) -> None:
        """Stop, and let go of the files."""
        self.stop()
        self.database.close()
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- several processes -----------------------------------------------------------------------------------------

    def _take_lead(self) -> None:
        if self._leadership is None:
            self._leadership = lead(self.database)
            if self._leadership is not None:
                self.access.two_persons.resume()
                for part in self._leading_parts:
                    if any(part is one for one in self._left_out):
                        continue
                    self._started.append(part)
                    part.start()
                self.led()

    def _keep_watch(self) -> None:
        while self.shared and not self._stopping.wait(_LOOK_S):
            try:
                if self._leadership is None:
                    self._take_lead()
                elif not self._leadership.holds():
                    raise StoreError("this process has lost the lock by which it leads the others")
            except KeepclearError as error:
                if self._leadership is not None:
                    self.failed(f"{error}; it ends, and is started again")
                    return
                # Who does not lead goes on serving; the store says itself what is wrong.

    def _called(self, topics: Collection[str]) -> None:
        """Another process has rung."""
        self._deaf.now = True
        try:
            self.bell.ring(*topics)
        finally:
            self._deaf.now = False

    def _call_others(self, topics: frozenset[str]) -> None:
        if not getattr(self._deaf, "now", False):
            self._calls.call(topics)
