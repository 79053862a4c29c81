"""Waiting a little for the other nodes' receipts, so that who has said something is told who has it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING

from keepclear.cli.screen import plain
from keepclear.clock import monotonic_s
from keepclear.errors import InputError

if TYPE_CHECKING:
    from keepclear.cli.node_requests import AskedNode
    from keepclear.values.entries import StandingTold

__all__ = ["PATIENCE_S", "later_text", "received_text"]

PATIENCE_S = 5.0
"""Within so long a receipt is due while the channel is up."""


def received_text(
    node: AskedNode, entry: str, directory: Path, *, until_s: float | None = None
) -> Iterator[str]:  # fmt: skip
    """Whose nodes have stored an entry, and whose have not within some seconds, or until a time on the stopwatch."""
    if node.alone:
        yield from later_text(node, directory)
        return
    if until_s is None:
        until_s = monotonic_s() + PATIENCE_S
    while True:
        standings = _standings(node, entry)
        missing = [one.party for one in standings if one.received is None and not one.refused]
        if standings and not missing:
            break
        if monotonic_s() > until_s:
            break
        sleep(0.1)
    stored = [one.party for one in standings if one.received is not None]
    if stored:
        yield f"  Stored by the node of {', '.join(stored)}; that a person has seen it, only they can say.\n"
    for one in standings:
        if one.refused:
            yield f"  Refused by the node of {one.party}: {plain(one.refused)}\n"
    if missing:
        yield f"  Not stored yet by the node of {', '.join(missing)}; it is sent until it is.\n"


def later_text(node: AskedNode, directory: Path) -> Iterator[str]:
    """What to say where the node runs for a command alone."""
    if node.alone:
        yield f"The others are told when your node runs: keepclear serve {plain(str(directory))}\n"


def _standings(node: AskedNode, entry: str) -> list[StandingTold]:
    try:
        return node.thread(entry).standings
    except InputError:
        return []  # not in the tables yet
