"""``keepclear measure``: what would keep filings of both sides apart, or have them meet."""

from __future__ import annotations

from typing import Annotated, get_args

import typer

from keepclear.cli.folders import DirArgument, PassphraseOption
from keepclear.cli.node_link import linked
from keepclear.cli.options import Faults, parse_choice
from keepclear.cli.output import put
from keepclear.cli.receipts import received_text
from keepclear.errors import Fault

__all__ = ["command"]


def command(
    directory: DirArgument,
    measure: Annotated[str, typer.Argument(metavar="time|route|level|area|meeting", help="By what.")],
    text: Annotated[str, typer.Argument(metavar="TEXT", help="The measure, in words.")],
    filings: Annotated[list[str], typer.Argument(metavar="ENTRY...", help="Filings of both sides.")],
    passphrase_file: PassphraseOption = None,
) -> int:
    """Say what would keep filings of both sides apart, or have them meet.

    It is mutual once the other side says that it concurs: keepclear answer DIR ENTRY concur.
    """
    from keepclear.node.entry_ids import EntryId
    from keepclear.record.bodies.joint import MeasureKind

    faults = Faults()
    chosen = faults.take("MEASURE", measure, parse_choice(*get_args(MeasureKind)))
    for one in filings:
        faults.take("ENTRY", one, lambda text: EntryId.parse(text, field="ENTRY"))
    if len(set(filings)) < 2:
        faults.add([Fault("one filing alone", "two or more, of both sides", field="ENTRY", value=filings[0])])
    faults.stop_if_any()
    with linked(directory, passphrase_file) as node:
        said = node.requests.post("/measures", {"measure": chosen, "text": text, "filings": filings})
        put([f"Said as {said['id']}.\n", *received_text(node, said["id"], directory)], None)
    return 0
