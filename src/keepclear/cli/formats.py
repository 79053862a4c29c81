"""``keepclear formats``: what can be read and written."""

from __future__ import annotations

import sys

from keepclear.cli.output import put

__all__ = ["command"]


def command() -> int:
    """Show which files can be read and written, and the most that is read of each."""
    from rich import box
    from rich.table import Table

    from keepclear.cli.screen import rendered
    from keepclear.formats.registry import formats_table

    table = Table(box=box.SIMPLE, show_edge=False, pad_edge=False, header_style="")
    for heading in ("format", "files", "can be", "at most", "what it is"):
        table.add_column(heading, overflow="fold")
    for name, extensions, ways, most, description in formats_table():
        table.add_row(name, extensions, ways, most, description)
    put([rendered(table, terminal=sys.stdout is not None and sys.stdout.isatty())], None)
    return 0
