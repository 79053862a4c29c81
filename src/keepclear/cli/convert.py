"""``keepclear convert``: the same plans in another format."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from keepclear.cli.options import Faults, check_files, parse_choice, refuse_unknown, unshielded
from keepclear.cli.output import check_output, put
from keepclear.cli.screen import note

if TYPE_CHECKING:
    from keepclear.model.operations import Plans

__all__ = ["command"]

_FORMATS = ("geojson", "kml")


def command(
    context: typer.Context,
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="FILE, FILE@PARTY or FILE@PARTY:KIND; - is standard input.")
    ],
    to: Annotated[str, typer.Option("--to", metavar="|".join(_FORMATS), help="What to write.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="PATH", help="Write it here, all at once.")
    ] = None,
) -> int:
    """Write the operations and zones of a file in another format.

    What could be read but had to be assumed is told on standard error.
    """
    faults = Faults()
    file = unshielded(file)
    faults.add(check_files([file]))
    refuse_unknown([file], (name for option in context.command.params for name in option.opts), faults)
    chosen = faults.take("--to", to, parse_choice(*_FORMATS))
    faults.add(check_output(output, [file.partition("@")[0], file]))
    faults.stop_if_any()
    from keepclear.formats.registry import read_many

    plans = read_many([file])
    for warning in plans.warnings:
        note(f"Note: {warning}")
    put(_written(plans, chosen or ""), output)
    return 0


def _written(plans: Plans, form: str) -> Iterable[str]:
    def warn(sentence: str) -> None:
        note(f"Note: {sentence}")

    if form == "kml":
        from keepclear.formats.kml_write import write_plans_kml

        return write_plans_kml(plans, warn=warn)
    from keepclear.formats.geojson_write import write_plans_geojson

    return write_plans_geojson(plans, warn=warn)
