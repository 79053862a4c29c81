"""Real nodes brought together on one line, as their people would: by invitations, and words that are read out."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from keepclear.client.client import Client
from keepclear.record.fingerprints import words
from tests.nodes import NodeProcess

__all__ = ["LINE", "joined", "until"]

LINE = "north"
_FoundT = TypeVar("_FoundT")


def joined(nodes: Sequence[NodeProcess]) -> None:
    """Bring nodes that run onto one line, which the first of them begins; when this returns, all know of all."""
    first, *others = nodes
    with client_of(first) as host:
        host.begin_line("North", line=LINE)
        for other in others:
            _join(host, first, other)
    parties = sorted(one.party for one in nodes)
    for node in nodes:
        with client_of(node) as client:
            until(lambda: _members(client) == parties, f"{node.party} knows who is on the line")
            until(lambda: _all_up(client), f"{node.party} hears the others")


def client_of(node: NodeProcess) -> Client:
    """A client of the owner of the node's folder."""
    return Client(node.url, token=node.folder.local_token(make=True), verify=node.verify)


def until(found: Callable[[], _FoundT], what: str, *, timeout_s: float = 60.0) -> _FoundT:
    """Wait until something is so; what was found then."""
    until_s = time.monotonic() + timeout_s
    while time.monotonic() < until_s:
        if one := found():
            return one
        time.sleep(0.05)
    raise AssertionError(f"not within {timeout_s:.0f} s: {what}")


def _join(host: Client, first: NodeProcess, other: NodeProcess) -> None:
    _, invitation = host.invite(LINE)
    with client_of(other) as guest:
        guest.join(invitation, _words(first))
        until(lambda: other.party in [one.party for one in host.acceptances(LINE)], f"{other.party} has accepted")
        host.admit(LINE, other.party, _words(other))
        until(lambda: other.party in _members(guest), f"{other.party} is on the line")


def _words(node: NodeProcess) -> str:
    return " ".join(words(node.folder.identity))


def _members(client: Client) -> list[Any]:
    return sorted(one.party for one in client.members(LINE).members)


def _all_up(client: Client) -> bool:
    return all(one.state == "up" for one in client.status(LINE).channels)
