"""``keepclear draft``: plans that are kept and told to nobody, until they are filed or dropped."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from keepclear.cli.filing import filed_text
from keepclear.cli.folders import DirArgument, PassphraseOption
from keepclear.cli.found_text import STATUS_OF, found_text
from keepclear.cli.line_tables import table_text, time_text
from keepclear.cli.node_link import confirmed, linked
from keepclear.cli.output import put
from keepclear.cli.receipts import received_text
from keepclear.cli.screen import plain, plain_json

if TYPE_CHECKING:
    from keepclear.values.filings import DraftTold

__all__ = ["app"]

app = typer.Typer(
    name="draft", no_args_is_help=True, rich_markup_mode=None, help="Plans of yours that are told to nobody yet."
)

_NOT_DONE = 1
NumberArgument = Annotated[int, typer.Argument(metavar="NUMBER", min=1, help="As `keepclear draft list` shows it.")]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


@app.command("list", short_help="Show your drafts.")
def list_drafts(directory: DirArgument, passphrase_file: PassphraseOption = None) -> int:
    """Show your drafts, the oldest first. `keepclear file --draft` keeps one."""
    with linked(directory, passphrase_file) as node:
        rows = [
            (str(one.id), one.line or "", _named(one.draft), one.by, time_text(one.changed_at)) for one in node.drafts()
        ]
    put([table_text(["draft", "line", "plan", "by", "changed"], rows) if rows else "There are no drafts.\n"], None)
    return 0


@app.command("show", short_help="Show a draft as JSON.")
def show(directory: DirArgument, number: NumberArgument, passphrase_file: PassphraseOption = None) -> int:
    """Show a draft as JSON: what would be filed, as far as it is known."""
    with linked(directory, passphrase_file) as node:
        found: DraftTold = node.draft(number).value
    put([plain_json(json.dumps(found.draft, ensure_ascii=False, indent=2)) + "\n"], None)
    return 0


@app.command("check", short_help="Show what a draft would come too close to.")
def check(directory: DirArgument, number: NumberArgument, passphrase_file: PassphraseOption = None) -> int:
    """Show what a draft would come too close to; nobody is told. Exit status as of `keepclear file --dry-run`."""
    with linked(directory, passphrase_file) as node:
        found = node.requests.post(f"/drafts/{number}/checks")
    put(found_text(found), None)
    return STATUS_OF[found["answer"]]


@app.command("file", short_help="File a draft.")
def file(
    directory: DirArgument, number: NumberArgument, yes: YesOption = False, passphrase_file: PassphraseOption = None
) -> int:
    """File a draft: show what it comes too close to, ask, and tell the others. It is no draft any more then."""
    with linked(directory, passphrase_file) as node:
        put(found_text(node.requests.post(f"/drafts/{number}/checks")), None)
        if not confirmed(f"File draft {number}?", yes=yes):
            put(["Nothing was filed.\n"], None)
            return _NOT_DONE
        told = node.requests.post(f"/drafts/{number}/filing")
        put([*filed_text(told), *received_text(node, told["id"], directory)], None)
    return 0


@app.command("drop", short_help="Drop a draft.")
def drop(
    directory: DirArgument, number: NumberArgument, yes: YesOption = False, passphrase_file: PassphraseOption = None
) -> int:
    """Drop a draft. It was told to nobody, and is gone."""
    with linked(directory, passphrase_file) as node:
        found = node.draft(number)
        if not confirmed(f"Drop draft {number}, {_named(found.value.draft)}?", yes=yes):
            put(["Nothing was dropped.\n"], None)
            return _NOT_DONE
        node.drop_draft(number, if_match=found.etag)
    put([f"Draft {number} is dropped.\n"], None)
    return 0


def _named(draft: Mapping[str, Any]) -> str:
    """What a draft is of, as far as it says so."""
    for kind in ("operation", "zone"):
        thing = draft.get(kind)
        if isinstance(thing, dict):
            return plain(f"{kind} {thing.get('name') or thing.get('id') or ''}".strip())
    return "not complete"
