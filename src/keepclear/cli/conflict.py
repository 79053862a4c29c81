"""``keepclear conflict``: pairs of plans that come too close, and what is done about them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from keepclear.cli.folders import DirArgument, LineOption, PassphraseOption
from keepclear.cli.line_tables import table_text, time_text
from keepclear.cli.node_link import confirmed, linked
from keepclear.cli.output import put
from keepclear.cli.receipts import received_text
from keepclear.cli.screen import plain

if TYPE_CHECKING:
    from keepclear.values.conflicts import ConflictTold

__all__ = ["app"]

app = typer.Typer(
    name="conflict", no_args_is_help=True, rich_markup_mode=None, help="Plans that come too close, or may."
)

_NOT_DONE = 1
_OPEN = ("found", "advised", "accepted")
NumberArgument = Annotated[int, typer.Argument(metavar="NUMBER", min=1, help="As `keepclear conflict list` shows it.")]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


@app.command("list", short_help="Show the conflicts that your node has found.")
def list_conflicts(
    directory: DirArgument,
    line: LineOption = None,
    own: Annotated[bool, typer.Option("--own", help="Only those in which a plan of yours takes part.")] = False,
    all_: Annotated[bool, typer.Option("--all", help="Also those that are over.")] = False,
    passphrase_file: PassphraseOption = None,
) -> int:
    """Show the conflicts that stand, the newest first."""
    with linked(directory, passphrase_file) as node:
        found = list(node.conflicts(line=line, states=() if all_ else _OPEN, own=True if own else None))
    put(_listed(found) if found else ["No conflict is known here that stands. That is no permission.\n"], None)
    return 0


@app.command("show", short_help="Show a conflict.")
def show(directory: DirArgument, number: NumberArgument, passphrase_file: PassphraseOption = None) -> int:
    """Show a conflict: when and how close, who was told, and who goes on knowingly."""
    with linked(directory, passphrase_file) as node:
        found = node.conflict(number)
    put(_shown(found), None)
    return 0


@app.command("advise", short_help="Tell the other party of a conflict.")
def advise(directory: DirArgument, number: NumberArgument, passphrase_file: PassphraseOption = None) -> int:
    """Tell the other party of a conflict with a plan of yours, where your node does not do so by itself."""
    with linked(directory, passphrase_file) as node:
        said = node.advise(number)
        received = list(received_text(node, said.id, directory))
    put([f"Said as {said.id}.\n", *received], None)
    return 0


@app.command("accept-risk", short_help="Say that you go on although a conflict stands.")
def accept_risk(
    directory: DirArgument,
    number: NumberArgument,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it is told to the other party.")],
    yes: YesOption = False,
    passphrase_file: PassphraseOption = None,
) -> int:
    """Say that you go on although a conflict stands. You speak for your party alone, and permit nobody anything."""
    with linked(directory, passphrase_file) as node:
        put(_shown(node.conflict(number)), None)
        if not confirmed("Go on with your plan, and say so on the record?", yes=yes):
            put(["Nothing was said.\n"], None)
            return _NOT_DONE
        said = node.accept_risk(number, reason)
        received = list(received_text(node, said.id, directory))
    put([f"Said as {said.id}.\n", *received], None)
    return 0


def _listed(found: list[ConflictTold]) -> Iterator[str]:
    rows = (
        (
            str(one.id),
            one.line,
            one.answer,
            one.state + (" (exercise)" if one.exercise else ""),
            plain(one.found.sentence),
        )
        for one in found
    )
    yield table_text(["conflict", "line", "answer", "state", "what"], rows)


def _shown(one: ConflictTold) -> Iterator[str]:
    yield f"Conflict {one.id} on {one.line}: {one.answer}, {one.state} since {time_text(one.changed_at)}\n"
    yield f"  {plain(one.found.sentence)}\n"
    for reason in one.found.reasons:
        yield f"    because {plain(reason)}\n"
    if one.advised_by:
        yield f"  Advised of by {', '.join(one.advised_by)}: {', '.join(one.advisories)}\n"
    if one.why_not_advised:
        yield f"  Your node does not advise of it: {plain(one.why_not_advised)}\n"
    if one.accepted_by:
        yield f"  Going on knowingly, each for itself: {', '.join(one.accepted_by)}\n"
