"""``keepclear check``: read plans and tracks, find every pair that comes too close, and answer."""

from __future__ import annotations

import gc
import importlib
import itertools
import json
import sys
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from keepclear.cli.options import (
    Faults,
    check_files,
    parse_area,
    parse_choice,
    parse_jobs,
    parse_numbers,
    parse_seconds,
    parse_window,
    refuse_unknown,
    unshielded,
)
from keepclear.cli.output import check_output, put
from keepclear.errors import Fault, InputError
from keepclear.model.findings import Answer
from keepclear.model.kinds import GAP_LIMIT_S, SURFACE, Domain

if TYPE_CHECKING:
    from keepclear.model.findings import Report
    from keepclear.model.operations import Plans
    from keepclear.separation.minima import MinimaTable

__all__ = ["STATUS", "command", "read_minima"]

STATUS = {Answer.CLEAR: 0, Answer.CONFLICT: 1, Answer.POSSIBLE: 3}
_WORTH_LOADING_S = 0.3
"""Who has read for so long reads much; with little to read, or a fault in it, there would be more to wait for."""
_FORMATS = ("table", "json", "geojson", "kml")
_MINIMA = "H,V or H,V,T in metres and seconds, for example 500,300; or a TOML or JSON file (keepclear minima)"


@dataclass(frozen=True, slots=True)
class _Asked:
    """One command line, understood."""

    files: list[str]
    minima: MinimaTable | None
    between: str
    window: tuple[float | None, float | None]
    area: tuple[float, float, float, float] | None
    gap_limits_s: dict[Domain, float]
    propose: bool
    form: str
    output: Path | None
    jobs: int
    scheduler: str | None
    quiet: bool


def command(
    context: typer.Context,
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...",
            help="Plans, zones and tracks; - is standard input. FILE@PARTY and FILE@PARTY:KIND say whose they are.",
        ),
    ],
    minima: Annotated[
        str | None,
        typer.Option(
            metavar="H,V[,T]|FILE",
            help="Least separation: metres, metres, seconds for all pairs of operations; or a file of rules.",
        ),
    ] = None,
    between: Annotated[
        str, typer.Option(metavar="parties|all", help="Compare different parties only, or everything with everything.")
    ] = "parties",
    propose: Annotated[
        bool, typer.Option("--propose", help="Propose the smallest changes that part each pair.")
    ] = False,
    start: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="Look from this time on, e.g. 2026-01-31T09:00Z.")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Look up to this time.")] = None,
    area: Annotated[
        str | None, typer.Option(metavar="W,S,E,N", help="Look only here: west, south, east, north in degrees.")
    ] = None,
    gap_air: Annotated[
        str | None,
        typer.Option(metavar="SECONDS", help="Longer than this between two flown positions in the air is a gap. [60]"),
    ] = None,
    gap_ground: Annotated[
        str | None, typer.Option(metavar="SECONDS", help="The same on the ground and at sea. [300]")
    ] = None,
    form: Annotated[str, typer.Option("--format", metavar="|".join(_FORMATS), help="How to answer.")] = "table",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="PATH", help="Write the answer here, all at once.")
    ] = None,
    jobs: Annotated[str, typer.Option("--jobs", "-j", metavar="N", help="Threads; 0 is one for each core.")] = "0",
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Compute on the Dask cluster at this address.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="The answer only: no progress, no remarks.")] = False,
) -> int:
    """Find every place and time where two plans come too close.

    Exit status: 0 clear (no conflict found in what is known; not a permission), 1 conflict, 2 bad input,
    3 possible and no conflict.
    """
    faults = Faults()
    files = [unshielded(file) for file in files]
    refuse_unknown(files, (name for option in context.command.params for name in option.opts), faults)
    asked = _Asked(
        files=files,
        minima=faults.take("--minima", minima, read_minima),
        between=faults.take("--between", between, parse_choice("parties", "all")) or "",
        propose=propose,
        window=parse_window(start, end, faults),
        area=faults.take("--area", area, parse_area),
        gap_limits_s=_gap_limits(
            faults.take("--gap-air", gap_air, parse_seconds), faults.take("--gap-ground", gap_ground, parse_seconds)
        ),
        form=faults.take("--format", form, parse_choice(*_FORMATS)) or "",
        output=output,
        jobs=faults.take("--jobs", jobs, parse_jobs) or 0,
        scheduler=scheduler,
        quiet=quiet,
    )
    faults.add(check_output(output, files))
    faults.add(check_files(files))
    faults.stop_if_any()
    report, plans = _answered(asked)
    put(_written(report, plans, asked), output)
    if output is not None and not quiet:
        from keepclear.cli.report_table import answer_line
        from keepclear.cli.screen import note

        note(f"{answer_line(report)} Written to {output}.")
    return STATUS[report.answer]


def read_minima(text: str) -> MinimaTable:
    """The minima that ``--minima`` gives: numbers for all, or a file of rules.

    Raises
    ------
    InputError
        If it is neither.
    """
    from keepclear.separation.minima import MinimaTable

    try:
        numbers = parse_numbers(text)
    except InputError:
        if Path(text).exists():
            return MinimaTable.read(text)
        numbers = []
    if len(numbers) not in (2, 3):
        raise InputError(Fault("neither two or three numbers nor a file", _MINIMA, value=text))
    return MinimaTable.single(*numbers)


def _gap_limits(air_s: float | None, ground_s: float | None) -> dict[Domain, float]:
    given = {domain: ground_s if domain in SURFACE else air_s for domain in Domain}
    return {domain: given[domain] or usual_s for domain, usual_s in GAP_LIMIT_S.items()}


def _answered(asked: _Asked) -> tuple[Report, Plans]:
    from keepclear.cli.progress import Waiting, compile_once
    from keepclear.formats.registry import read_many
    from keepclear.separation.checking import check

    # One short-lived command whose millions of values hold no cycles: looking for some would take a quarter of it.
    gc.disable()
    with Waiting(shown=not asked.quiet) as waiting:
        with _loaded_ahead(asked.scheduler):
            plans = read_many(asked.files, window=asked.window)
        compile_once(shown=not asked.quiet)
        waiting.stage("comparing")
        return check(
            plans.operations,
            plans.zones,
            minima=asked.minima,
            between=asked.between,
            window=asked.window,
            area=asked.area,
            gap_limits_s=asked.gap_limits_s,
            propose=asked.propose,
            jobs=asked.jobs,
            progress=waiting.advance,
            scheduler=asked.scheduler,
            warnings=plans.warnings,
        ), plans


@contextmanager
def _loaded_ahead(scheduler: str | None) -> Iterator[None]:
    """With what will be needed being loaded while files are read: Dask, and the kernels where reading takes a while."""
    from keepclear.separation.warming import load_kernels

    kernels = threading.Timer(_WORTH_LOADING_S, load_kernels)
    kernels.start()
    try:
        with ThreadPoolExecutor(1) as thread:
            if scheduler is not None:
                thread.submit(importlib.import_module, "distributed")  # whether it is there at all is found out later
            yield
    finally:
        kernels.cancel()


def _written(report: Report, plans: Plans, asked: _Asked) -> Iterable[str]:
    """The answer in the format asked for, in pieces."""
    if asked.form == "table":
        return _table(report, asked)
    if asked.form == "kml":
        from keepclear.formats.report_kml import report_to_kml

        return report_to_kml(report, plans)
    if asked.form == "geojson":
        from keepclear.formats.report_geojson import report_to_geojson

        document = report_to_geojson(report, plans)
    else:
        from keepclear.formats.report_json import report_to_json

        document = report_to_json(report)
    from keepclear.cli.screen import plain_json

    pieces = json.JSONEncoder(ensure_ascii=False, allow_nan=False).iterencode(document)
    return itertools.chain(map(plain_json, pieces), ["\n"])


def _table(report: Report, asked: _Asked) -> Iterable[str]:
    from keepclear.cli.report_table import answer_line, pieces

    if asked.quiet:
        return [answer_line(report) + "\n"]
    return pieces(report, terminal=asked.output is None and sys.stdout is not None and sys.stdout.isatty())
