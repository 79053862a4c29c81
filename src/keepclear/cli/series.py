"""``keepclear series``: an operation that comes again, each time filed by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from keepclear.cli.filing import CalledOption, ExerciseOption, RemarksOption, ToOption, plans
from keepclear.cli.folders import DirArgument, LineOption, PassphraseOption
from keepclear.cli.line_tables import table_text, time_text
from keepclear.cli.node_link import confirmed, folder_of, linked
from keepclear.cli.options import Faults, days_s, parse_numbers
from keepclear.cli.output import put
from keepclear.cli.screen import plain
from keepclear.errors import Fault, InputError

if TYPE_CHECKING:
    from keepclear.values.filings import SeriesTold

__all__ = ["app"]

app = typer.Typer(
    name="series", no_args_is_help=True, rich_markup_mode=None, help="Operations that come again, such as a patrol."
)

_NOT_DONE = 1
_MOST_DAYS = 90.0
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
NumberArgument = Annotated[int, typer.Argument(metavar="NUMBER", min=1, help="As `keepclear series list` shows it.")]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


@app.command("new", short_help="Begin an operation that comes again.")
def new(
    directory: DirArgument,
    file: Annotated[str, typer.Argument(metavar="FILE", help="The first of them, alone in its file.")],
    days: Annotated[
        str, typer.Option("--days", metavar="N,…", help="On which days of the week: 1 Monday to 7 Sunday.")
    ],
    until: Annotated[str, typer.Option("--until", metavar="TIME", help="It starts no later than this.")],
    zone: Annotated[
        str, typer.Option("--zone", metavar="NAME", help="Whose clocks count, for example Asia/Damascus.")
    ] = "UTC",
    except_days: Annotated[
        list[str] | None, typer.Option("--except", metavar="DAY", help="A day, as 2026-03-01, on which it does not.")
    ] = None,
    ahead: Annotated[
        float, typer.Option("--ahead", metavar="DAYS", help="How many days before its start each is filed.")
    ] = 7.0,
    line: LineOption = None,
    to: ToOption = None,
    called: CalledOption = None,
    remarks: RemarksOption = None,
    exercise: ExerciseOption = False,
    passphrase_file: PassphraseOption = None,
) -> int:
    """Begin an operation that comes again. Your node files each of them by itself, some days before it starts."""
    faults = Faults()
    numbers = faults.take("--days", days, parse_numbers) or []
    if not faults.found and not all(one in range(1, 8) for one in numbers):
        faults.add([Fault("not days of the week", "1 for Monday to 7 for Sunday", field="--days", value=days)])
    faults.stop_if_any()
    found = plans([file], folder_of(directory).party, called)
    if len(found) != 1 or found[0][0] != "operation":
        raise InputError(Fault(f"{len(found)} plans in the file", "one operation, the first of the series", file=file))
    asked = {
        "operation": found[0][1], "recipients": "all" if to is None else to, "exercise": exercise, "line": line,
        "remarks": remarks,
        "recurrence": {
            "zone": zone, "days": sorted({int(one) for one in numbers}), "until": until,
            "except_days": except_days or [], "ahead_s": days_s(ahead, most=_MOST_DAYS),
        },
    }  # fmt: skip
    with linked(directory, passphrase_file) as node:
        told = node.requests.post("/series", {name: one for name, one in asked.items() if one is not None})
        rows = _days_of(node.series_days(told["id"]))
    put([f"Series {told['id']} is begun. The first of it:\n", rows], None)
    return 0


@app.command("list", short_help="Show your series.")
def list_series(directory: DirArgument, line: LineOption = None, passphrase_file: PassphraseOption = None) -> int:
    """Show your series, the oldest first."""
    with linked(directory, passphrase_file) as node:
        rows = [_row(one) for one in node.all_series(line=line)]
    put(
        [table_text(["series", "line", "operation", "days", "until", ""], rows) if rows else "There are no series.\n"],
        None,
    )
    return 0


@app.command("show", short_help="Show the single operations of a series.")
def show(directory: DirArgument, number: NumberArgument, passphrase_file: PassphraseOption = None) -> int:
    """Show the single operations of a series, and what became of each."""
    with linked(directory, passphrase_file) as node:
        told = _days_of(node.series_days(number))
    put([told], None)
    return 0


@app.command("cancel", short_help="Let a series come no more, or not on one day.")
def cancel(
    directory: DirArgument,
    number: NumberArgument,
    day: Annotated[str | None, typer.Option("--day", metavar="DAY", help="This one alone, as 2026-03-01.")] = None,
    reason: Annotated[
        str | None, typer.Option("--reason", metavar="TEXT", help="Why; it is told to the others.")
    ] = None,
    yes: YesOption = False,
    passphrase_file: PassphraseOption = None,
) -> int:
    """Let a series come no more, or not on one day: what is filed of it is cancelled, and told to whom it was told."""
    what = f"series {number}" if day is None else f"the operation of {day} of series {number}"
    with linked(directory, passphrase_file) as node:
        if not confirmed(f"Cancel {what}?", yes=yes):
            put(["Nothing was cancelled.\n"], None)
            return _NOT_DONE
        done = (
            node.cancel_series(number, reason=reason)
            if day is None
            else node.cancel_series_day(number, day, reason=reason)
        )
    said = ", ".join(one.id for one in done.entries)
    put([f"{what[0].upper()}{what[1:]} is cancelled{f': said as {said}' if said else ''}.\n"], None)
    return 0


def _row(one: SeriesTold) -> tuple[str, ...]:
    thing, when = one.request.get("operation") or {}, one.recurrence
    days = ", ".join(_DAYS[int(day) - 1] for day in when.get("days", ()))
    name = plain(str(thing.get("name") or thing.get("id") or ""))
    state = f"cancelled {time_text(one.cancelled)}" if one.cancelled else ""
    return str(one.id), one.line or "", name, days, plain(str(when.get("until", "")))[:16], state


def _days_of(found: object) -> str:
    rows = [
        (one.day, time_text(one.starts), one.state, one.entry or "", plain(one.note))
        for one in found  # type: ignore[attr-defined]
    ]
    return table_text(["day", "starts", "state", "entry", "note"], rows) if rows else "None of it is near yet.\n"
