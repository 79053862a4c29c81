"""From results to ``docs/benchmarks.md``."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from bench.commands import Figure
from bench.contest import Entry, Set
from bench.peers import PEERS
from bench.record import RecordFigure
from bench.scaling import Growth, Size, exponent

__all__ = ["Results", "page", "with_agreements", "with_check", "with_node", "with_record", "with_watch"]

TOOLS = (
    "keepclear",
    "numpy",
    "numba",
    "scipy",
    "bluesky-simulator",
    "pymeos",
    "pymeos-cffi",
    "traffic",
    "psycopg",
    "distributed",
)
RECORD_TOOLS = ("keepclear", "cryptography", "sqlalchemy")
WATCH_TOOLS = ("keepclear", "numpy", "numba")
NODE_TOOLS = (*RECORD_TOOLS, "fastapi", "uvicorn", "pydantic")


@dataclass(slots=True)
class Results:
    """Everything one run measured."""

    command: str
    sets: list[Set] = field(default_factory=list)
    constant: list[Size] = field(default_factory=list)
    growing: list[Size] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    record: list[RecordFigure] = field(default_factory=list)
    node: list[RecordFigure] = field(default_factory=list)
    watch: list[RecordFigure] = field(default_factory=list)
    agreements: list[RecordFigure] = field(default_factory=list)


def page(results: Results) -> str:
    """The page as Markdown."""
    parts = [_head(results.command)]
    if results.sets:
        parts += ["## Beside other tools", _CONTEST_TEXT]
        parts += [_contest(one) for one in results.sets]
        parts.append(_judged())
    if results.constant:
        parts += ["## Growing size, constant density", _SIZES_TEXT, _sizes(results.constant), _limits(results.constant)]
    if results.growing:
        parts += ["## Growing density", _growth(results.growing), _sizes(results.growing)]
    if results.figures:
        parts += ["## From the command line, and in memory", _figures(results.figures)]
    if results.record:
        parts.append(_record(results))
    if results.node:
        parts.append(_node(results))
    if results.watch:
        parts.append(_watch(results))
    if results.agreements:
        parts.append(_agreements(results))
    return "\n\n".join(parts) + "\n"


def with_check(written: str, results: Results) -> str:
    """The page as it was written, with its head and all before the record measured anew."""
    _, parted, rest = written.partition(f"{_RECORD_TITLE}\n")
    return f"{page(results).rstrip()}\n" + (f"\n{_RECORD_TITLE}\n{rest}" if parted else "")


def with_record(written: str, results: Results) -> str:
    """The page as it was written, with the record's part measured anew; all else stays as it is."""
    return _with(written, _RECORD_TITLE, _record(results))


def with_node(written: str, results: Results) -> str:
    """The page as it was written, with the node's part measured anew; all else stays as it is."""
    return _with(written, _NODE_TITLE, _node(results))


def with_watch(written: str, results: Results) -> str:
    """The page as it was written, with the encounters measured anew; all else stays as it is."""
    return _with(written, _WATCH_TITLE, _watch(results))


def with_agreements(written: str, results: Results) -> str:
    """The page as it was written, with the terms measured anew; all else stays as it is."""
    return _with(written, _AGREEMENTS_TITLE, _agreements(results))


def _with(written: str, title: str, section: str) -> str:
    before, _, after = written.partition(f"{title}\n")
    _, parted, rest = after.partition("\n## ")
    return f"{before.rstrip()}\n\n{section}\n" + (f"\n## {rest}" if parted else "")


_RECORD_TITLE = "## The record"

_RECORD_TEXT = """Entries are messages of some 200 bytes to two recipients, from a fixed seed; a log of a million of
them is made once and kept. *Asked for* is at least so much of a rate, at most so much of anything else. The *limit
alone* is measured in the same run, in the same folder and, for appends, by turns: nothing that does the work can be
faster. *Of the limit* is the share of that rate which keepclear reaches; of times, how many times as long it takes.
How long a commit takes is the disk's word, so appends compare with the bare commit beside them and with nothing
else."""


_NODE_TITLE = "## The node"

_NODE_TEXT = """Two real nodes with SQLite files, and what loads them, run on the one machine, over loopback. Plans are
from fixed seeds (`bench/node_plans.py`: routes of 4 to 12 points, flights, areas, and 5 % zones, over 2,000 by 1,500 km
and 25 days). An *alert* is an event of the peer's stream, counted from when the filing was due, so that waiting is
counted too. Each filing is a request of its own unless lists are spoken of, and durable when it is answered; the peer
does not run meanwhile. Each rate begins when the node has done all that it was given before. Searches are asked within
one process, of tables filled directly (`bench/node_search.py`: longer routes, of 40 to 60 points); the growth with what
is known can be read from them. A million filings are searched twice: in a theatre ten times as large, *as dense as
those 100,000*, for which 60 ms are asked for; and all in the one theatre, *ten times as dense*, where every question
meets ten times as much, zones without an end lie many over each other, and a search takes as much longer as it finds
more. Of that nothing is asked for, and where it takes more than those 60 ms its row says so. *Asked for* is at least so
much of a rate, at most so much of anything else."""

_WATCH_TITLE = "## Encounters"

_WATCH_TEXT = """A made-up day from a fixed seed (`bench/encounters.py`): patrols, flights and drones of five parties
wander about 500 by 500 km, each for two operations, of which most were filed and seen. Measured on one core: finding
every encounter, measuring it, and its label with what it rests on and what would change it. Memory is what the process
grows by while that is done; the tracks themselves are there before."""

_AGREEMENTS_TITLE = "## Terms of agreements"

_AGREEMENTS_TEXT = """A made-up day from a fixed seed (`bench/terms.py`): patrols, convoys, flights and others of three
parties along a border of 200 positions, most of them within the terms; ten types of term that look at filings, ten
terms of each. One core, one process. What is within a term is counted, all else is told with its sentence and
evidence."""

_CONTEST_TEXT = """Every competitor gets the same arrays and answers the same question: which pairs of flights
come, at one and the same time, closer than 9,260 m and 304.8 m by more than 1 mm? *Search* is the tool's own work;
*prepare* is turning arrays into what it wants to be given, and is not counted against it. *Times as long* compares its
search with keepclear's on one thread, from latitudes and longitudes to pairs. *Found*, *missed* and *extra* are against
a brute-force sweep over all pairs of legs that shares no code with keepclear (`bench/brute_force.py`)."""

_SIZES_TEXT = """Replicas of the Swiss day (`bench/replicas.py`): every flight resampled at its own random instants 5 to
60 s apart. *Candidates* are pairs of legs that share an instant and whose boxes come within 9,260 m: what any index has
to look at (estimated on a sample of 20,000 legs). The *floor* is sorting each half of the legs by time and gathering 48
bytes a leg in that order, in the same run: the same work for one thread as for two, since to sort two halves is less
work than to sort the whole. Two threads are asked for at least 0.9 times the floor's speed-up. In memory a leg may
take 48 B, what the search works with 20 B a leg (a small set has a tile's room all the same), and a pair that it
reports 40 B: it reports pairs of legs, each once, of which a pair of operations that fly beside each other for a
while has several."""


def _head(command: str) -> str:
    packages = ", ".join(f"{name} {found}" for name in TOOLS if (found := _version(name)))
    return "\n".join(
        (
            "# Benchmarks",
            "",
            f"<!-- Written by `{command}`: change the script, not this page. -->",
            "",
            f"Written by `{command}` in one run.",
            f"Machine: {_machine()}; Python {platform.python_version()}; {packages}.",
            "Ratios are worth more than seconds: they were taken in the same run, on the same machine.",
        )
    )


def _contest(one: Set) -> str:
    base = next((entry.search_s for entry in one.entries if entry.name == "keepclear, 1 thread"), 0.0)
    rows = [
        ("", "search, s", "times as long", "prepare, s", "found", "missed", "extra"),
        *(_entry(entry, base) for entry in one.entries),
    ]
    wrong = [
        f"- {entry.name}, for example: {'; '.join(entry.examples)}"
        for entry in one.entries
        if entry.examples and not entry.not_run
    ]
    head = (
        f"### {one.name}\n\n{one.legs:,} legs of {one.operations:,} flights; {one.pairs:,} pairs in conflict, "
        f"{one.touching:,} more exactly at the vertical minimum. The brute-force sweep tested {one.tested:,} pairs of "
        f"legs in {one.sweep_s:.1f} s.\n\n"
    )
    return head + _table(rows) + ("\n\n" + "\n".join(wrong) if wrong else "")


def _entry(entry: Entry, base_s: float) -> tuple[str, ...]:
    if entry.not_run:
        return (entry.name, f"not run: {entry.not_run}", "", "", "", "", "")
    times = f"{entry.search_s / base_s:.1f}" if base_s else ""
    counts = (f"{count:,}" for count in (entry.found, entry.missed, entry.extra))
    return (entry.name, f"{entry.search_s:.3f}", times, f"{entry.prepare_s:.3f}", *counts)


def _judged() -> str:
    return "### What each one judges\n\n" + "\n".join(
        f"- **{name}**: {_docstring(module)}" for name, (module, _) in PEERS.items()
    )


def _docstring(module: str) -> str:
    # From the source and not the module: a peer that is not installed still says what it judges.
    source = Path(__file__).parents[1].joinpath(*module.split(".")).with_suffix(".py").read_text()
    return " ".join(source.split('"""')[1].split())


def _sizes(sizes: Sequence[Size]) -> str:
    head = (
        "set", "legs", "candidates", "pairs", "arrays to legs, s", "join, s", "M legs/s", "join alone, M legs/s",
        "two threads, s", "speed-up", "floor, s", "floor, two threads, s", "floor's speed-up",
    )  # fmt: skip
    rows = [
        (
            size.name, f"{size.legs:,}", f"{size.candidates:,.0f}", f"{size.pairs:,}", f"{size.compile_s:.3f}",
            f"{size.join_s:.3f}", f"{size.legs / size.total_s / 1e6:.2f}", f"{size.legs / size.join_s / 1e6:.2f}",
            f"{size.two_threads_s:.3f}", f"{size.total_s / size.two_threads_s:.2f}", f"{size.floor_s:.3f}",
            f"{size.floor_two_threads_s:.3f}", f"{size.floor_s / size.floor_two_threads_s:.2f}",
        )
        for size in sizes
    ]  # fmt: skip
    memory_head = (
        "set", "pairs of legs", "input, B a leg", "working set, B a leg", "reported, B a pair of legs",
        "reported, B a pair of operations",
    )  # fmt: skip
    memory = [
        (
            s.name, f"{s.leg_hits:,}", f"{s.input_bytes_per_leg:.1f}", f"{s.working_bytes_per_leg:.1f}",
            f"{s.bytes_per_pair * s.pairs / max(1, s.leg_hits):.1f}", f"{s.bytes_per_pair:.1f}",
        )
        for s in sizes
    ]  # fmt: skip
    return _table([head, *rows]) + "\n\n" + _table([memory_head, *memory])


def _limits(sizes: Sequence[Size]) -> str:
    if len(sizes) < 2:
        return ""
    return f"Cost grows as n^{exponent(list(sizes)):.3f} from the smallest to the largest (at most 1.05 is asked for)."


def _growth(sizes: Sequence[Size]) -> str:
    text = "All copies share one area and one day, so that pairs grow with the square of the size."
    if len(sizes) < 2:
        return text
    fit = Growth.of(list(sizes))
    return (
        f"{text} Fitted cost on one thread: {fit.per_leg_s * 1e9:.0f} ns × legs + "
        f"{fit.per_candidate_s * 1e9:.1f} ns × candidates."
    )


def _figures(figures: Iterable[Figure]) -> str:
    rows: list[tuple[str, ...]] = [("what", "measured", "asked for")]
    for name, value, limit, unit in figures:
        shown = value if isinstance(value, str) else f"{value:.3g} {unit}"
        rows.append((name, shown, "" if limit is None else f"{'≥' if unit == '×' else '≤'} {limit:g} {unit}"))
    return _table(rows)


def _node(results: Results) -> str:
    # Its pieces may be from several runs: this one makes them all.
    whole = replace(results, command="python -m bench.run --parts node")
    return _measured(whole, _NODE_TITLE, _NODE_TEXT, NODE_TOOLS, results.node)


def _watch(results: Results) -> str:
    return _measured(results, _WATCH_TITLE, _WATCH_TEXT, WATCH_TOOLS, results.watch)


def _agreements(results: Results) -> str:
    return _measured(results, _AGREEMENTS_TITLE, _AGREEMENTS_TEXT, WATCH_TOOLS, results.agreements)


def _measured(results: Results, title: str, text: str, used: Sequence[str], figures: Sequence[RecordFigure]) -> str:
    tools = ", ".join(f"{name} {found}" for name in used if (found := _version(name)))
    about = f"Measured by `{results.command}`. Machine: {_machine()}; Python {platform.python_version()}; {tools}."
    rows: list[tuple[str, ...]] = [("what", "measured", "asked for", "")]
    for one in figures:
        asked = "" if one.asked is None else f"{'≥' if one.is_rate else '≤'} {_shown(one.asked)} {one.unit}"
        missed = one.asked is not None and (one.value < one.asked if one.is_rate else one.value > one.asked)
        rows.append((one.name, f"{_shown(one.value)} {one.unit}", asked, "missed" if missed else ""))
    return "\n\n".join((title, text, about, _table(rows)))


def _record(results: Results) -> str:
    about = (
        f"Measured by `{results.command}`, on one core. Machine: {_machine()}; Python {platform.python_version()}; "
        + ", ".join(f"{name} {found}" for name in RECORD_TOOLS if (found := _version(name)))
        + "."
    )
    rows: list[tuple[str, ...]] = [("what", "measured", "asked for", "the limit alone", "of the limit", "which limit")]
    for one in results.record:
        asked = "" if one.asked is None else f"{'≥' if one.is_rate else '≤'} {_shown(one.asked)} {one.unit}"
        limit = "" if one.limit is None else f"{_shown(one.limit)} {one.unit}"
        share = "" if one.limit is None else _share(one.value / one.limit, is_rate=one.is_rate)
        rows.append((one.name, f"{_shown(one.value)} {one.unit}", asked, limit, share, one.limit_is))
    return "\n\n".join((_RECORD_TITLE, _RECORD_TEXT, about, _table(rows)))


def _shown(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _share(ratio: float, *, is_rate: bool) -> str:
    return f"{ratio:.0%}" if is_rate else f"{ratio:.1f} ×"


def _table(rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(row)} |" for row in rows]
    lines.insert(1, "|" + "---|" * len(rows[0]))
    return "\n".join(lines)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _machine() -> str:
    model, memory = platform.machine(), ""
    for line in _lines("/proc/cpuinfo"):
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    for line in _lines("/proc/meminfo"):
        if line.startswith("MemTotal"):
            memory = f", {int(line.split()[1]) / 1e6:.0f} GB"
    return f"{os.cpu_count()} cores ({model}){memory}"


def _lines(path: str) -> list[str]:
    file = Path(path)
    return file.read_text().splitlines() if file.exists() else []
