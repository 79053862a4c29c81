"""Nodes that take positions, share them, plan jointly and find encounters; logs are carried as a memory stick would."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

from keepclear.node.actors import Actor, Via
from keepclear.node.alarms import Alarms
from keepclear.node.claims import Claims
from keepclear.node.encounters import Encounters
from keepclear.node.incidents import Incidents
from keepclear.node.joint_planning import JointPlanning
from keepclear.node.line_bodies import LineBodies
from keepclear.node.measures import Measures
from keepclear.node.position_sharing import PositionSharing
from keepclear.node.positions import Positions, domains_filed
from keepclear.node.roles import Role, scopes_of
from keepclear.node.saying import Saying
from keepclear.node.track_watch import TrackWatch
from keepclear.node.two_person import TwoPersons
from keepclear.node.watching import Watching
from keepclear.store.node.events import since
from keepclear.times import to_text
from keepclear.watch.batches import batch_hash
from tests.unit.node.officers_made import LINE, NOON_S, OFFICER, Officer, share, together

__all__ = ["CHIEF", "DEPUTY", "LINE", "NOON_S", "OFFICER", "Watcher", "batch_hash", "line_text", "share", "watching"]

_SIGN = scopes_of([Role.PARTY_AUTHORITY, Role.DUTY_OFFICER])
CHIEF = Actor("carla", frozenset({Role.PARTY_AUTHORITY}), _SIGN, via=Via.SESSION)
DEPUTY = Actor("dmitri", frozenset({Role.PARTY_AUTHORITY}), _SIGN, via=Via.SESSION)


class Watcher(Officer):
    """An officer's node with all that watches positions."""

    def make(self) -> None:
        super().make()
        self.alarms = Alarms(self.database, self.acts, self.bell, self.clock, party=self.party)
        self.two_persons = TwoPersons(self.database, self.clock, self.acts)
        self.bodies = LineBodies(self.records, self.projector.membership)
        self.positions = Positions(self.party, self.database, self.acts, self.bell, self.clock)
        self.positions.domains_of = partial(domains_filed, self.bodies)
        self.sharing = PositionSharing(
            self.records, self.database, self.positions, self.bodies, self.guards, self.audience, self.proofs,
            self.acts, self.clock,
        )  # fmt: skip
        saying = Saying(self.records, self.guards, self.audience, self.acts)
        self.encounters = Encounters(
            self.party, self.positions, self.sharing, self.bodies, self.projector, self.records.lines, None,
            self.database, self.alarms, self.bell, self.clock,
        )  # fmt: skip
        self.track_watch = TrackWatch(
            self.party, self.positions, self.bodies, self.database, self.alarms, self.bell, self.clock
        )
        self.joint = JointPlanning(
            saying, self.bodies, self.filing, self.database, self.two_persons, self.records.lines
        )
        self.measures = Measures(saying)
        self.claims = Claims(saying, self.bodies, self.encounters, self.database, self.clock)
        self.incidents = Incidents(saying, self.bodies, self.database, self.clock)
        self.watch = Watching(self.positions, self.sharing, self.joint, self.track_watch, self.encounters)

    def post(self, text: bytes, source: str = "gps"):
        """Post a batch of a source that is registered if it is not yet."""
        if source not in {one.name for one in self.positions.sources()}:
            self.positions.register(source, by=OFFICER, accuracy_m=5.0, max_age_s=120.0)
        return self.positions.post(source, text, by=OFFICER)

    def sign(self, plan: str) -> None:
        """Two persons sign a joint plan."""
        proposal = self.joint.sign(plan, by=CHIEF)
        self.two_persons.confirm(DEPUTY, proposal.id)

    def happened(self, kind: str):
        with self.database.reading() as conn:
            return [event for event in since(conn, 0, limit=5000) if event.type == kind]


def watching(path: Path, *parties: str) -> AbstractContextManager[list[Watcher]]:
    """Nodes of these parties on one line."""
    return together(path, *parties, kind=Watcher)


def line_text(unit: str, *rows, **more) -> bytes:
    """A batch: rows of time in seconds, longitude, latitude."""
    import json

    lines = [
        json.dumps({"unit": unit, "time": to_text(time_s), "lon_deg": lon, "lat_deg": lat, **more})
        for time_s, lon, lat in rows
    ]
    return "\n".join(lines).encode()
