"""Measure everything and write ``docs/benchmarks.md``: ``python -m bench.run``.

Fixed seeds, one run. Needs the ``bench`` extra; a peer that is not installed is reported as not run.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from bench import ours
from bench.commands import cluster_figures, parquet_figures, start_figures
from bench.compliance import report_figures
from bench.contest import contest
from bench.encounters import encounter_figures
from bench.node import PIECES, node_figures
from bench.peers import PEERS
from bench.positions import HORIZONTAL_M, VERTICAL_M, read_positions, swiss_day
from bench.record import record_figures
from bench.render import Results, page, with_agreements, with_check, with_node, with_record, with_watch
from bench.replicas import DATA, replica_file
from bench.scaling import measure_sizes
from bench.service import service_figures
from bench.terms import terms_figures

__all__ = ["main"]

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
CHECK = ("contest", "sizes", "growing", "commands", "service", "cluster")
PARTS = (
    *CHECK,
    "record",
    "node",
    "watch",
    "agreements",
    *PIECES,
)
HOUR_S = 3600.0
QUICK = 200_000


def main() -> None:
    """Parse the options, measure, write."""
    chosen = _options().parse_args()
    sizes = chosen.sizes or ([QUICK] if chosen.quick else [1_000_000, 10_000_000])
    repeats = 1 if chosen.quick else chosen.repeats
    results = Results("python -m bench.run" + "".join(f" {shlex.quote(word)}" for word in sys.argv[1:]))
    pieces = PIECES if "node" in chosen.parts else [one for one in PIECES if one in chosen.parts]
    alone = "record" if chosen.parts == ["record"] else "node" if {*chosen.parts} <= {"node", *PIECES} else ""
    alone = chosen.parts[0] if chosen.parts in (["watch"], ["agreements"]) else alone
    alone = "check" if {*chosen.parts} == {*CHECK} else alone
    if alone in ("", "check"):  # those compile nothing, or by themselves
        _warm()
    if "sizes" in chosen.parts:  # first, while the process holds nothing else
        results.constant = measure_sizes(sizes, growing=False, repeats=repeats)
    if "growing" in chosen.parts:
        some = [size for size in (125_000, 250_000, 500_000, 1_000_000) if size <= max(*sizes, QUICK)]
        results.growing = measure_sizes(some, growing=True, repeats=repeats)
    if "contest" in chosen.parts:
        _contest(results, chosen.peers, min(sizes), repeats)
    if "commands" in chosen.parts:
        results.figures += start_figures(repeats)
        results.figures += parquet_figures(replica_file(max(sizes), growing=False), max(sizes))
    if "service" in chosen.parts:
        results.figures += service_figures(repeats)
    if "cluster" in chosen.parts:
        results.figures += cluster_figures(replica_file(max(sizes), growing=False), max(sizes))
    if "record" in chosen.parts:
        results.record = record_figures(repeats, quick=chosen.quick)
    if pieces:
        results.node = node_figures(quick=chosen.quick, pieces=pieces)
    _pure(results, chosen.parts, quick=chosen.quick)
    if alone and chosen.output.exists():  # the rest takes an hour to measure anew
        renew = {
            "check": with_check,
            "record": with_record,
            "node": with_node,
            "watch": with_watch,
            "agreements": with_agreements,
        }[alone]
        text = renew(chosen.output.read_text(encoding="utf-8"), results)
    else:
        text = page(results)
    chosen.output.write_text(text, encoding="utf-8")
    _keep(results, f"{alone}.json" if alone and alone != "check" else "results.json")
    print(f"wrote {chosen.output}", file=sys.stderr)


def _pure(results: Results, parts: list[str], *, quick: bool) -> None:
    """What is judged without a node: encounters, and the terms of agreements."""
    if "watch" in parts:
        results.watch = encounter_figures(quick=quick)
    if "agreements" in parts:
        results.agreements = [*terms_figures(quick=quick), *report_figures(quick=quick)]


def _contest(results: Results, peers: list[str], legs: int, repeats: int) -> None:
    day = swiss_day()
    start_s = (day.time_s.min() // HOUR_S + 6) * HOUR_S  # 11:00 UTC, the busiest hour, as in examples/switzerland
    hour = day.within(start_s, start_s + HOUR_S)
    large = read_positions(replica_file(legs, growing=False))
    for name, positions in (("The busiest hour", hour), ("The stock day", day), (f"{legs:,} asynchronous legs", large)):
        results.sets.append(contest(name, positions, peers, repeats=repeats))


def _warm() -> None:
    """Compile, or load from the cache, every kernel before anything is timed."""
    day = swiss_day()
    few = day.within(day.time_s.min(), day.time_s.min() + HOUR_S)
    for jobs in (1, 2):
        ours.find(few, HORIZONTAL_M, VERTICAL_M, jobs=jobs)


def _keep(results: Results, name: str) -> None:
    """The same in figures, for whoever wants to compare runs; not committed."""
    DATA.mkdir(parents=True, exist_ok=True)
    kept = {
        "sets": [one.as_dict() for one in results.sets],
        "constant": [size.as_dict() for size in results.constant],
        "growing": [size.as_dict() for size in results.growing],
        "figures": results.figures,
        "record": [asdict(figure) for figure in results.record],
        "node": [asdict(figure) for figure in results.node],
        "watch": [asdict(figure) for figure in results.watch],
        "agreements": [asdict(figure) for figure in results.agreements],
    }
    (DATA / name).write_text(json.dumps(kept, indent=1), encoding="utf-8")


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.run", description=__doc__)
    parser.add_argument("--sizes", type=_sizes, default=[], help="legs; 1M,10M if left out")
    parser.add_argument("--peers", type=_named(tuple(PEERS)), default=list(PEERS), help=f"of {', '.join(PEERS)}")
    every = list(PARTS[: -len(PIECES)])
    parser.add_argument("--parts", type=_named(PARTS), default=every, help=f"of {', '.join(PARTS)}")
    parser.add_argument("--repeats", type=int, default=3, help="the best of so many runs counts")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK:,} legs unless told otherwise, one run of each")
    parser.add_argument("--output", type=Path, default=PAGE)
    return parser


def _sizes(text: str) -> list[int]:
    units = {"k": 1_000, "M": 1_000_000}
    return [int(float(part.rstrip("kM")) * units.get(part[-1], 1)) for part in text.split(",")]


def _named(known: tuple[str, ...]) -> Callable[[str], list[str]]:
    def parse(text: str) -> list[str]:
        names = text.split(",") if text else []
        unknown = [name for name in names if name not in known]
        if unknown:
            raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: not one of {', '.join(known)}")
        return names

    return parse


if __name__ == "__main__":
    main()
