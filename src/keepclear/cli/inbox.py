"""``keepclear inbox``: what waits for an answer of yours, and how matters stand with what you filed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer

from keepclear.cli.folders import DirArgument, LineOption, PassphraseOption
from keepclear.cli.line_tables import table_text
from keepclear.cli.node_link import linked
from keepclear.cli.options import Faults, parse_choice
from keepclear.cli.output import put
from keepclear.cli.screen import plain, plain_json

__all__ = ["command"]

_MOST_SHOWN = 80


def command(
    directory: DirArgument,
    line: LineOption = None,
    form: Annotated[str, typer.Option("--format", metavar="text|json", help="How to show it.")] = "text",
    passphrase_file: PassphraseOption = None,
) -> int:
    """Show what is to be answered, the most urgent first, and how matters stand with your own filings."""
    faults = Faults()
    chosen = faults.take("--format", form, parse_choice("text", "json"))
    faults.stop_if_any()
    with linked(directory, passphrase_file) as node:
        found = node.requests.get("/inbox", line=line)
    put([plain_json(json.dumps(found, ensure_ascii=False)) + "\n"] if chosen == "json" else _text(found), None)
    return 0


def _text(found: Mapping[str, Any]) -> Iterator[str]:
    waiting = found["to_answer"]
    yield "Nothing waits for an answer of yours.\n" if not waiting else "To be answered:\n"
    if waiting:
        yield table_text(["entry", "from", "what", "owed", "due", ""], map(_row, waiting))
    for one in waiting:
        if one.get("problem"):
            yield f"  {one['id']}: {plain(one['problem'])}\n"
    if found.get("terms"):
        yield "Not within the terms, or perhaps not:\n"
    for one in found.get("terms", ()):
        whose = "yours" if one["own"] else one["party"]
        finding = one["finding"]
        yield f"  {one['entry']} ({whose}): {finding['agreement']}: {plain(finding['sentence'])}\n"
    if found["own"]:
        yield "Your own filings:\n"
    for one in found["own"]:
        what = f"{one['type']} {plain(one['name'])}".strip()
        yield f"  {one['id']}  {what}: {one['state'] or 'state not known'}\n"
        for standing in one["standings"]:
            yield f"    {plain(standing['sentence'])}\n"


def _row(one: Mapping[str, Any]) -> tuple[str, ...]:
    owed = ", ".join(dict.fromkeys(part["owed"] for part in one["owed"] if part["open"]))
    mark = "OVERDUE" if one["overdue"] else ("exercise" if one.get("exercise") else "")
    told = one.get("summary") or one.get("text") or one["type"]
    told = told if len(told) <= _MOST_SHOWN else f"{told[: _MOST_SHOWN - 1]}…"
    due = one.get("due")
    return one["id"], one["party"], told, owed, f"{due[:19]}Z" if due else "", mark
