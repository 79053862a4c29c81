"""``keepclear incident``: reports of what went wrong: drafted by the node, completed and sent by an officer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from keepclear.cli.folders import DirArgument, LineOption, PassphraseOption, ToOption
from keepclear.cli.line_tables import time_text
from keepclear.cli.node_link import confirmed, linked
from keepclear.cli.output import put
from keepclear.cli.receipts import received_text
from keepclear.cli.record_files import read_file
from keepclear.cli.screen import plain
from keepclear.errors import Fault, InputError

if TYPE_CHECKING:
    from keepclear.values.encounters import EncounterTold

__all__ = ["app", "encounters"]

app = typer.Typer(name="incident", no_args_is_help=True, rich_markup_mode=None, help="Reports of what went wrong.")

_MOST_BYTES = 2**20
_NOT_DONE = 1
_RIGHT = "a JSON object with members of an incident: narrative, harm, immediate_action, attribution …"

NarrativeOption = Annotated[
    str | None, typer.Option("--narrative", metavar="TEXT", help="What happened, in your own words.")
]
FileOption = Annotated[
    str | None,
    typer.Option("--file", metavar="FILE", help="Members of the report, as JSON; they go before the draft's."),
]
EntryArgument = Annotated[str, typer.Argument(metavar="ENTRY", help="PARTY:LINE:NUMBER of the other party's report.")]


def encounters(
    directory: DirArgument,
    number: Annotated[int | None, typer.Argument(metavar="[NUMBER]", help="One of them, and where it was.")] = None,
    line: LineOption = None,
    passphrase_file: PassphraseOption = None,
) -> int:
    """Show the encounters that your node has found: what each was by the record, and why.

    Where two were closest is shown of one at a time: that somebody read where another's unit was is noted.
    """
    with linked(directory, passphrase_file) as node:
        found = list(node.encounters(line=line)) if number is None else [node.encounter(number)]
    put([text for one in found for text in _encounter_text(one)] or ["No encounter.\n"], None)
    return 0


def _encounter_text(one: EncounterTold) -> list[str]:
    flags = f" [{', '.join(one.flags)}]" if one.flags else ""
    report = f"; reported as {one.report}" if one.report else "; a report is drafted" if one.has_draft else ""
    who = " and ".join(f"{plain(met.party or '?')} {plain(met.unit)}" for met in (one.a, one.b))
    when = f"{time_text(one.start)} to {time_text(one.end)}"
    lines = [f"{one.number}  {one.label.upper()}{flags}  {who}, {when}{report}\n"]
    lines += [f"     {plain(because)}\n" for because in one.because]
    if one.closest is not None:
        lines.append(
            f"     closest: {one.closest.horizontal_m:,.0f} m "
            f"({one.closest.least_m:,.0f} to {one.closest.greatest_m:,.0f})\n"
        )
    return lines


@app.command("draft", short_help="Show the reports that are drafted and not sent.")
def draft(
    directory: DirArgument,
    number: Annotated[int | None, typer.Argument(metavar="[ENCOUNTER]", help="One of them, in full.")] = None,
    passphrase_file: PassphraseOption = None,
) -> int:
    """Show the reports that your node has drafted for encounters, and by when the first report is due."""
    with linked(directory, passphrase_file) as node:
        found = [one for one in node.incident_drafts() if number in {None, one.encounter}]
    if number is not None and not found:
        raise InputError(Fault("no such draft", "one that keepclear incident draft shows", value=str(number)))
    if number is not None:
        put([json.dumps(found[0].report, ensure_ascii=True, indent=2) + "\n"], None)
        return 0
    lines = []
    for one in found:
        what = f"{one.report.get('label', '')} {', '.join(one.report.get('flags', []))}"
        due = f"first report due {time_text(one.first_due)}, full report {time_text(one.full_due)}"
        lines.append(f"{one.encounter}  {plain(what)}: {due}\n")
    put(lines or ["Nothing to report.\n"], None)
    return 0


@app.command("report", short_help="Send a report.")
def report(
    directory: DirArgument,
    number: Annotated[int | None, typer.Argument(metavar="[ENCOUNTER]", help="The draft that it completes.")] = None,
    narrative: NarrativeOption = None,
    file: FileOption = None,
    line: LineOption = None,
    to: ToOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    passphrase_file: PassphraseOption = None,
) -> int:
    """Send a report: a draft with your own words, or one of your own. It is yours alone, and never merged."""
    asked: dict[str, Any] = {"report": _members(file, narrative), "line": line, "recipients": to, "encounter": number}
    if number is None and not asked["report"].get("id"):
        raise InputError(Fault("nothing to report", "an ENCOUNTER, or --file with an id", field="ENCOUNTER"))
    if not confirmed("Send the report?", yes=yes):
        put(["Nothing was sent.\n"], None)
        return _NOT_DONE
    with linked(directory, passphrase_file) as node:
        said = node.requests.post("/incidents", {name: one for name, one in asked.items() if one is not None})
        put([f"Reported as {said['id']}.\n", *received_text(node, said["id"], directory)], None)
    return 0


@app.command("reply", short_help="Report your own side of what another party has reported.")
def reply(
    directory: DirArgument,
    entry: EntryArgument,
    narrative: NarrativeOption = None,
    file: FileOption = None,
    passphrase_file: PassphraseOption = None,
) -> int:
    """Report your own side of what another party has reported. Neither report changes the other."""
    from keepclear.node.entry_ids import EntryId

    EntryId.parse(entry, field="ENTRY")
    with linked(directory, passphrase_file) as node:
        said = node.requests.post(f"/incidents/{entry}/replies", {"report": _members(file, narrative)})
        put([f"Replied as {said['id']}.\n", *received_text(node, said["id"], directory)], None)
    return 0


def _members(file: str | None, narrative: str | None) -> dict[str, Any]:
    members: dict[str, Any] = {}
    if file is not None:
        try:
            value = json.loads(read_file(file, most_bytes=_MOST_BYTES, right=_RIGHT))
        except (ValueError, RecursionError):
            raise InputError(Fault("not JSON", _RIGHT, file=file)) from None
        if not isinstance(value, dict):
            raise InputError(Fault("not a JSON object", _RIGHT, file=file))
        members |= value
    return members if narrative is None else members | {"narrative": narrative}
