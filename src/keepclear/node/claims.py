"""Claims at a node: what was said publicly of an encounter, kept by reference and weighed against the record."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from keepclear.node.actors import Actor
from keepclear.node.encounters import Encounters
from keepclear.node.entry_ids import EntryId
from keepclear.node.line_bodies import LineBodies
from keepclear.node.refusals import NotFoundError
from keepclear.node.roles import Scope
from keepclear.node.saying import Saying
from keepclear.node.talking import Said
from keepclear.record.bodies.watched import ClaimBody
from keepclear.record.entries import EntryRef
from keepclear.record.entry_types import EntryType
from keepclear.store.node import events
from keepclear.store.node.database import NodeDatabase
from keepclear.watch.claims import Weighed, weigh
from keepclear.watch.labels import Labelled

__all__ = ["Claims", "WeighedClaim"]

_MARGIN_S = 3600.0


@dataclass(frozen=True, slots=True)
class WeighedClaim:
    """A claim, and how it stands to the record.

    Attributes
    ----------
    ref, line, party, body
        The entry.
    weighed
        How it stands.
    labelled
        The encounters that it was weighed against.
    """

    ref: EntryRef
    line: str
    party: str
    body: ClaimBody
    weighed: Weighed
    labelled: tuple[Labelled, ...]


class Claims:
    """Keeps claims, and weighs them.

    Parameters
    ----------
    saying, bodies
        Say entries, and know what was said.
    encounters
        What happened, as far as it is known.
    database, clock
        The node's.
    """

    def __init__(
        self, saying: Saying, bodies: LineBodies, encounters: Encounters, database: NodeDatabase,
        clock: Callable[[], float],
    ) -> None:  # fmt: skip
        self._saying, self._bodies, self._encounters = saying, bodies, encounters
        self._database, self._clock = database, clock

    def add(
        self, line: str | None, members: Mapping[str, Any], *, by: Actor, recipients: Iterable[str] | None = None
    ) -> Said:
        """Put a claim on the record of a line.

        Parameters
        ----------
        members
            Those of `ClaimBody`.

        Raises
        ------
        InputError
            With all that is wrong.
        """
        by.must(Scope.SAY)
        line, body = self._saying.line(line), ClaimBody.of_members(dict(members))
        said = self._saying.say(line, body, by=by, what="add claim", recipients=recipients)
        with self._database.writing() as conn:
            data = {"asserts": body.asserts, "own": True}
            events.say(conn, "claim", data, at_s=self._clock(), line=line, ref=said.ref)
        return said

    def refs(self, line: str) -> tuple[EntryRef, ...]:
        """The claims that were put on the record of a line, each party's in its order."""
        return tuple(
            ref for ref in self._bodies.refs(line, (EntryType.CLAIM,)) if isinstance(self._bodies.body(ref), ClaimBody)
        )

    def body(self, ref: EntryRef) -> ClaimBody:
        """What a claim says.

        Raises
        ------
        NotFoundError
            If the entry is no claim that can be read here.
        """
        body = self._bodies.body(ref)
        if not isinstance(body, ClaimBody):
            raise NotFoundError("claim", field="id", value=str(EntryId.of(ref)))
        return body

    def weigh(self, ref: EntryRef) -> WeighedClaim:
        """How a claim stands to the record, by what is known now.

        Raises
        ------
        NotFoundError
            If the entry is no claim that can be read here.
        """
        body, place = self.body(ref), EntryId.of(ref)
        weighed, labelled = self.weighed(place.line, body)
        return WeighedClaim(ref, place.line, place.party, body, weighed, labelled)

    def weighed(self, line: str, claim: ClaimBody) -> tuple[Weighed, tuple[Labelled, ...]]:
        """How a claim would stand to the record of a line, whether it was put there or not."""
        from_s, to_s = claim.subject.from_s, claim.subject.to_s
        record = self._encounters.record(line, from_s - _MARGIN_S, to_s + _MARGIN_S)
        labelled = tuple(
            one
            for pair in combinations(sorted(set(claim.subject.parties)), 2)
            for one in self._encounters.between(record, pair, from_s, to_s)
        )
        return weigh(
            claim, labelled, filings=record.filings, findings=record.findings, record=record.view
        ), labelled  # fmt: skip
