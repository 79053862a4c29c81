"""Faults of what another party sent, told in one line."""

from __future__ import annotations

from collections.abc import Sequence

from keepclear.errors import Fault

__all__ = ["LONGEST_LINE", "told"]

LONGEST_LINE = 900
"""Characters of the line, so that it stays one that a person reads."""


def told(faults: Sequence[Fault]) -> str:
    """All faults in one line; of very many the first, and how many there are besides."""
    line = ""
    for number, fault in enumerate(faults):
        longer = f"{line}; {fault}" if line else str(fault)
        more = f" and {len(faults) - number} more"
        if len(longer) > LONGEST_LINE - len(more):
            return f"{line}{more}" if line else f"{longer[: LONGEST_LINE - 1]}…"
        line = longer
    return line
