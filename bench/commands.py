"""The command line as a user meets it: how long a command takes from Enter to the prompt."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from bench.peers.outcome import NotRun
from bench.positions import HORIZONTAL_M, VERTICAL_M

__all__ = ["Figure", "cluster_figures", "parquet_figures", "start_figures"]

ROOT = Path(__file__).parents[1]
SMALL = [str(ROOT / "examples" / "two-parties" / name) for name in ("relief.geojson", "northern-force.geojson")]
MINIMA = ["--minima", f"{HORIZONTAL_M:g},{VERTICAL_M:g}", "--between", "all"]
BAD_INPUT = 2

# What was measured, the figure in its unit, the limit in that unit (None: none stated), and the unit; or why not run.
Figure = tuple[str, float | str, float | None, str]


def start_figures(repeats: int) -> list[Figure]:
    """How fast the program is there."""
    with tempfile.TemporaryDirectory() as fresh:
        environment = {**os.environ, "NUMBA_CACHE_DIR": fresh}
        check = ["check", *SMALL, "--quiet"]
        return [
            _figure("keepclear --version", 0.15, lambda: _median(["--version"], None, repeats)),
            _figure("keepclear check, two small files, first time ever", 15.0, lambda: _wall_s(check, environment)),
            _figure(
                "keepclear check, two small files, kernels cached", 1.5, lambda: _median(check, environment, repeats)
            ),
        ]


def parquet_figures(path: Path, legs: int) -> list[Figure]:
    """Positions in a Parquet file to the table on the screen."""
    limit = 8.0 if legs == 10_000_000 else None
    name = f"keepclear check, {legs:,} legs from Parquet to the table"
    arguments = ["check", str(path), *MINIMA, "--jobs", "2"]

    def measure() -> float:
        _wall_s(["check", *SMALL, "--quiet"], None)  # so that no kernel is compiled in what is measured
        return _wall_s(arguments, None)

    return [_figure(name, limit, measure)]


def cluster_figures(path: Path, legs: int) -> list[Figure]:
    """The same check without a cluster on one thread, and on a Dask cluster of one worker and of two, a thread each.

    What is timed is the check itself, as its answer tells it: reading the file is not in it.
    """
    alone, one, two = (
        _figure(f"Check of {legs:,} legs once they are read, {name}", None, partial(_elapsed_s, path, workers))
        for workers, name in enumerate(("without a cluster, --jobs 1", "Dask with one worker", "Dask with two workers"))
    )
    figures = [alone, one, two]
    for name, base, limit in (("one", one[1], 1.4), ("no cluster and --jobs 1", alone[1], None)):
        if not isinstance(base, str) and not isinstance(two[1], str):
            figures.append((f"Dask, two workers against {name}", base / two[1], limit, "×"))
    return figures


def _elapsed_s(path: Path, workers: int) -> float:
    """As a check tells it; the least of a few, since what else a machine does can only add to it."""
    arguments = ["check", str(path), *MINIMA, "--format", "json"]
    if not workers:
        return _least_s([*arguments, "--jobs", "1"])
    with _cluster(workers) as address:
        return _least_s([*arguments, "--scheduler", address])


def _least_s(arguments: list[str]) -> float:
    _output(arguments, None)  # whoever computes compiles the kernels
    return min(float(json.loads(_output(arguments, None))["elapsed_s"]) for _ in range(3))


@contextmanager
def _cluster(workers: int) -> Iterator[str]:
    try:
        from distributed import LocalCluster
    except ImportError as error:
        raise NotRun("distributed is not installed") from error
    options: dict[str, Any] = {"dashboard_address": None, "silence_logs": 50}
    start: Any = LocalCluster  # it publishes no types
    with start(n_workers=workers, threads_per_worker=1, processes=True, **options) as cluster:
        yield cluster.scheduler_address


def _figure(name: str, limit_s: float | None, measure: Callable[[], float]) -> Figure:
    print(f"  {name}", file=sys.stderr, flush=True)
    try:
        return name, measure(), limit_s, "s"
    except NotRun as error:
        return name, f"not run: {error}", limit_s, "s"


def _median(arguments: list[str], environment: dict[str, str] | None, repeats: int) -> float:
    _wall_s(arguments, environment)
    return statistics.median(_wall_s(arguments, environment) for _ in range(max(3, repeats)))


def _wall_s(arguments: list[str], environment: dict[str, str] | None) -> float:
    began = time.perf_counter()
    _output(arguments, environment)
    return time.perf_counter() - began


def _output(arguments: list[str], environment: dict[str, str] | None) -> str:
    program = Path(sys.executable).with_name("keepclear")
    if not program.exists():
        raise NotRun(f"{program.name} is not installed beside this Python")
    done = subprocess.run([str(program), *arguments], capture_output=True, env=environment, check=False, text=True)
    if done.returncode == BAD_INPUT or done.returncode not in (0, 1, 3) or "Traceback" in done.stderr:
        raise NotRun(f"exit status {done.returncode}: {done.stderr.strip()[-200:]}")
    return done.stdout
