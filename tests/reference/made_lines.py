"""Lines made for tests: parties that say things in their logs, and receipts for them. All of it is invented."""

from __future__ import annotations

from keepclear import Circle, Operation, OperationKind, Volume
from keepclear.line.conversation import Receipt
from keepclear.line.said import Heard
from keepclear.record.bodies.base import Body
from keepclear.record.bodies.plans import OperationBody
from keepclear.record.bodies.references import EntryRefValue
from keepclear.record.entries import Entry, EntryRef
from keepclear.record.names import log_origin

__all__ = ["MadeLine", "operation_body", "ref"]


class MadeLine:
    """Several logs that grow; whoever says something says it to all others unless told otherwise."""

    def __init__(self, *parties: str, line: str = "border") -> None:
        self.parties = parties
        self.line = line
        self.logs: dict[str, list[Heard]] = {party: [] for party in parties}

    def say(self, party: str, body: Body, at_s: float, *, to=None, exercise=False, held=True) -> Heard:
        """What a party says, as a node has it at that time; without its body where it is not held."""
        others = [one for one in self.parties if one != party] if to is None else to
        log = self.logs[party]
        salt = len(log).to_bytes(32, "big")
        entry = Entry.said(
            body.TYPE, body.VERSION, line=self.line, party=party, time_s=at_s, recipients=others,
            exercise=exercise, body=body.to_bytes(), salt=salt,
        )  # fmt: skip
        ref = EntryRef(log_origin(party, self.line), len(log), entry.leaf.hash)
        log.append(Heard(ref, entry if held else entry.without_body(), at_s))
        return log[-1]

    def receipt(self, heard: Heard, by: str, at_s: float) -> Receipt:
        """A receipt for an entry, and so for all before it."""
        return Receipt(heard.ref.origin, heard.ref.index + 1, by, at_s)


def ref(heard: Heard) -> EntryRefValue:
    """How a body names an entry."""
    return EntryRefValue.of(heard.ref)


def operation_body(
    party: str,
    identifier: str,
    lon_deg: float,
    lat_deg: float,
    start_s: float | None,
    end_s: float | None,
    *,
    kind: OperationKind = OperationKind.CONVOY,
    supersedes: Heard | None = None,
    uncertainty_m: float = 0.0,
) -> OperationBody:
    """An operation within 500 m of a place."""
    volume = Volume(Circle(lon_deg, lat_deg, 500.0), None, None, start_s, end_s, uncertainty_m)
    operation = Operation(party, identifier, kind, (volume,))
    return OperationBody.of_model(operation, supersedes=None if supersedes is None else ref(supersedes))
