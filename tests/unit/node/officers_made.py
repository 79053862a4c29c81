"""Nodes at which officers file, talk and answer: real files and tables, logs carried from one to the other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from keepclear.model.extents import Volume
from keepclear.model.footprints import Circle
from keepclear.model.kinds import OperationKind, ZoneKind
from keepclear.model.operations import Operation, Zone
from keepclear.node.actors import Actor
from keepclear.node.acts import Acts
from keepclear.node.answering import Answering
from keepclear.node.audience import Audience
from keepclear.node.changing import Changing
from keepclear.node.drafts import Drafts
from keepclear.node.filing import Filing
from keepclear.node.filing_requests import FilingRequest
from keepclear.node.guarding import Guards
from keepclear.node.inbox import Inbox
from keepclear.node.projecting import Projector
from keepclear.node.proofs import Proofs
from keepclear.node.readings import Readings
from keepclear.node.roles import Role, scopes_of
from keepclear.node.searching import Search
from keepclear.node.series import SeriesDesk
from keepclear.node.talking import Talking
from keepclear.record.bodies.registry import body_of
from keepclear.record.keys import VerifierKey
from keepclear.record.notes import Note
from tests.unit.node.lines_made import START_S, MadeNode, copied, meet

LINE = "north"
NOON_S = START_S + 3 * 86_400.0
OFFICER = Actor("anna", frozenset({Role.DUTY_OFFICER}), scopes_of([Role.DUTY_OFFICER]), address="192.0.2.7")
READER = Actor("mona", frozenset({Role.MONITOR}), scopes_of([Role.MONITOR]))
AUDITOR = Actor("odo", frozenset({Role.AUDITOR}), scopes_of([Role.AUDITOR]))
CALM = "We stay on the road."
ORDER = "Strike the house at 36.3705N 37.5157E at noon."


class Officer(MadeNode):
    """A node with all that an officer works with."""

    def __init__(self, path: Path, party: str) -> None:
        super().__init__(path, party)
        self.party = party
        self.acts = Acts(self.database, self.clock)
        self.stopped: dict[str, str] = {}
        self.make()

    def make(self) -> None:
        """The parts, as after a start of the program."""
        self.search = Search()
        self.projector = Projector(self.records, self.database, self.search, self.reader, self.bell, self.clock)
        self.guards = Guards(self.database, self.bell, self.clock)
        self.audience = Audience(
            self.records, self.projector.membership, stopped=lambda _, party: self.stopped.get(party, "")
        )
        self.filing = Filing(
            self.records, self.projector, self.search, self.database, self.guards, self.audience, self.acts, self.clock
        )
        self.drafts = Drafts(self.database, self.filing, self.acts, self.bell, self.clock)
        self.changing = Changing(self.records, self.database, self.acts, self.clock)
        self.talking = Talking(self.records, self.guards, self.audience, self.acts, self.changing)
        self.answering = Answering(
            self.records, self.projector, self.database, self.guards, self.audience, self.acts, self.clock
        )
        self.series = SeriesDesk(
            self.records, self.database, self.filing, self.audience, self.acts, self.bell, self.clock
        )
        self.readings = Readings(self.records, self.database, self.clock)
        self.proofs = Proofs(self.records, self.readings, self.acts)
        self.inbox = Inbox(self.records, self.projector, self.database, self.clock)

    def body(self, ref):
        return body_of(self.records.entry(ref))

    def newest(self):
        """The last entry of its own log."""
        origin = self.records.own_origin(LINE)
        return self.records.ref(origin, self.records.size(origin) - 1)

    def did(self) -> list[str]:
        """What was recorded as done here, the newest first."""
        return [act.what for act in self.acts.before(limit=1000) if not act.what.startswith("line")]

    def close(self) -> None:
        self.series.stop()
        self.projector.stop()
        self.guards.stop()
        super().close()


Desk = TypeVar("Desk", bound=Officer)


@contextmanager
def together(path: Path, *parties: str, kind: type[Desk] = Officer) -> Iterator[list[Desk]]:
    """Nodes of these parties on one line."""
    now_s = copied(path, LINE, *parties)
    made = [kind(path / party, party) for party in parties]
    try:
        for one in made:
            one.now_s = now_s
            one.projector.start()
            one.projector.catch_up()
        yield made
    finally:
        for one in made:
            one.close()


def share(*nodes: Officer) -> None:
    """Let all have what all have said, with the receipts for it."""
    meet(LINE, *nodes, times=1)
    for giver in nodes:
        for taker in nodes:
            if giver is not taker:
                receipt(giver, taker)
    for one in nodes:
        one.bell.ring("came", "body", "receipt")
        one.projector.catch_up()


def receipt(giver: Officer, taker: Officer) -> None:
    """The taker's receipt for all that it has of the giver's log."""
    origin = giver.records.own_origin(LINE)
    key = taker.records.mirror_key(LINE)
    with taker.records.reading(origin) as copy:
        copy.cosign(key, time_s=int(taker.clock()))
        signed = Note.of_bytes(copy.checkpoint())
        size = copy.size
    with giver.records.reading(origin) as own:
        own.add_cosignatures(signed.signatures, [VerifierKey.of_text(key.verifier.text)], size=size)


def patrol(party="A", *, id="patrol-1", lon=40.65, lat=37.06, radius_m=500.0, start_s=NOON_S, hours=1.0, **more):  # noqa: A002
    volume = Volume(Circle(lon, lat, radius_m), start_s=start_s, end_s=start_s + hours * 3600.0)
    return Operation(party, id, OperationKind.PATROL, (volume,), **more)


def site(party="A", *, id="clinic", kind=ZoneKind.PROTECTED_SITE, lon=40.65, lat=37.06, radius_m=500.0):  # noqa: A002
    return Zone(party, id, kind, (Volume(Circle(lon, lat, radius_m)),))


def asked(thing, **more) -> FilingRequest:
    return FilingRequest(thing=thing, **more)


__all__ = [
    "AUDITOR", "CALM", "LINE", "NOON_S", "OFFICER", "ORDER", "READER", "START_S", "Officer", "asked",
    "patrol", "receipt", "share", "site", "together",
]  # fmt: skip
