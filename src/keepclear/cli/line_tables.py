"""Who is on a line and how its channels are, as tables for people."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.table import Table

from keepclear.cli.screen import plain, rendered

if TYPE_CHECKING:
    from keepclear.values.lines import AcceptanceTold, LineStatusTold, MembersTold

__all__ = ["members_text", "status_text", "table_text", "time_text"]


def table_text(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; whatever the cells hold, they stay in it."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for head in heads:
        table.add_column(head)
    for row in rows:
        table.add_row(*(plain(cell) for cell in row))
    return rendered(table, terminal=sys.stdout is not None and sys.stdout.isatty())


def members_text(found: MembersTold, waiting: Sequence[AcceptanceTold], *, own: str) -> Iterator[str]:
    """Who is on a line, who asks to be, and who is to be removed."""
    yield f"{plain(found.name or found.line)} ({found.line})\n"
    yield table_text(
        ["party", "name", "on the line since", "brought in by", "words compared by"],
        (
            (
                _marked(one.party, own), one.name, time_text(one.since), (one.through or ["(founded it)"])[-1],
                ", ".join(one.words_compared_by) or "-",
            )
            for one in found.members
        ),
    )  # fmt: skip
    for asks in waiting:
        told = f"{asks.party} ({asks.party_name or asks.party}) has answered an invitation. Have its words read to you"
        yield plain(f"{told}, then: keepclear line admit DIR {asks.party}") + "\n"
    for asking in found.asking:
        yield plain(f"{asking.party} asks to be on the line: {asking.why}") + "\n"
    for one in found.removals:
        if not one.complete:
            still = ", ".join(one.missing)
            yield plain(f"{', '.join(one.by)} will have {one.party} removed; {still} has not said so") + "\n"
    for unread in found.unread:
        yield plain(f"Not counted: {unread}") + "\n"


def status_text(found: LineStatusTold) -> Iterator[str]:
    """How the channels of a line are."""
    yield f"{found.party} on {found.line}: {found.size} entries said\n"
    if found.channels:
        yield table_text(
            ["party", "channel", "heard", "no receipt yet for", "clock", "note"],
            (
                (
                    one.party, one.state, time_text(one.heard_at) or "never",
                    "-" if one.behind is None else str(one.behind), _clock(one.clock_ahead_s),
                    one.stopped or one.trouble or one.versions,
                )
                for one in found.channels
            ),
        )  # fmt: skip
    else:
        yield "Nobody else is on the line yet.\n"
    for told in found.forks:
        yield plain(f"FORKED: {told}") + "\n"
    if found.silence:
        yield plain(f"Nothing can be said: {found.silence}") + "\n"


def time_text(at: datetime | None) -> str:
    """A time for a table."""
    return "" if at is None else f"{at:%Y-%m-%d %H:%M:%S}Z"


def _marked(party: str, own: str) -> str:
    return f"{party} (you)" if party == own else party


def _clock(ahead_s: float | None) -> str:
    if ahead_s is None:
        return "-"
    if abs(ahead_s) <= 5.0:
        return "agrees"
    return f"{abs(ahead_s):.0f} s {'ahead' if ahead_s > 0 else 'behind'}"
