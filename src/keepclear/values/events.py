"""Events: what happens at a node, as the stream tells it."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from keepclear.values.base import EntryId, LineName, Time, Told

__all__ = ["RESET", "EventTold"]

RESET = "reset"
"""An event of this type comes first where events were missed that are kept no longer: read anew what you show."""


class EventTold(Told):
    """Something that happened.

    Attributes
    ----------
    id
        Only grows; give the last one as ``Last-Event-ID`` to go on from there.
    at
        When the node noted it.
    type
        What it is about: entry, filing, conflict, answer, message, receipt, channel, alarm, fork, member …
    line, entry
        Where it is about one.
    data
        What more there is to say.
    """

    id: int
    at: Time
    type: str
    line: LineName | None = None
    entry: EntryId | None = None
    data: dict[str, Any] = Field(default={})
