"""Whether a node is well, for programs that watch it."""

from __future__ import annotations

from pydantic import Field

from keepclear.values.base import Told

__all__ = ["AliveTold", "ReadyTold"]


class AliveTold(Told):
    """That the process answers."""

    alive: bool = True
    version: str


class ReadyTold(Told):
    """Whether the node can do its work.

    Attributes
    ----------
    ready
        Whether it can.
    parts
        What each part says: empty if it is well.
    notes
        What a person should look at, although the node does its work.
    """

    ready: bool
    parts: dict[str, str]
    notes: list[str] = Field(default=[])
