"""``keepclear minima``: the table of least separations, with the source of each number."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any

import typer

from keepclear.cli.options import Faults, parse_choice
from keepclear.cli.output import put

__all__ = ["command"]


def command(
    form: Annotated[
        str, typer.Option("--format", metavar="table|json|toml", help="json and toml can be edited and given to check.")
    ] = "table",
) -> int:
    """Show the least separation between two kinds, and where each number comes from.

    Save it with --format toml, change it, and give it back with `keepclear check … --minima FILE`.
    """
    faults = Faults()
    chosen = faults.take("--format", form, parse_choice("table", "json", "toml"))
    faults.stop_if_any()
    from keepclear.separation.minima import MinimaTable

    table = MinimaTable.default()
    if chosen == "table":
        _show(table.rules)
    else:
        rows = [_row(rule) for rule in table.rules]
        put(
            [json.dumps({"rule": rows}, indent=2, ensure_ascii=False) + "\n" if chosen == "json" else _toml(rows)], None
        )
    return 0


def _row(rule: Any) -> dict[str, Any]:
    row = {
        "between": [rule.first, rule.second],
        "horizontal_m": rule.horizontal_m,
        "vertical_m": rule.vertical_m,
        "time_s": rule.time_s,
        "answer": rule.answer.value,
        "source": rule.source,
    }
    return {name: value for name, value in row.items() if value is not None}


def _toml(rows: list[dict[str, Any]]) -> str:
    lines = ["# The least separation. Leave vertical_m out where height does not matter."]
    for row in rows:
        lines += ["", "[[rule]]"]
        # What JSON writes for a string, a number and a list of strings is TOML too.
        lines += [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in row.items()]
    return "\n".join(lines) + "\n"


def _show(rules: Any) -> None:
    from rich import box
    from rich.table import Table

    from keepclear.cli.screen import rendered

    table = Table(box=box.SIMPLE, show_edge=False, pad_edge=False, header_style="")
    for heading in ("between", "horizontal", "vertical", "in time", "if closer", "source"):
        table.add_column(heading, justify="right" if heading in ("horizontal", "vertical", "in time") else "left")
    for rule in rules:
        table.add_row(
            rule.name,
            f"{rule.horizontal_m:g} m",
            "any height" if rule.vertical_m is None else f"{rule.vertical_m:g} m",
            f"{rule.time_s:g} s",
            rule.answer.value,
            rule.source,
        )
    remark = "0 m: any overlap. No kind known: the strictest row. Several rows: the largest of each number."
    put([rendered(table, remark, terminal=sys.stdout is not None and sys.stdout.isatty())], None)
