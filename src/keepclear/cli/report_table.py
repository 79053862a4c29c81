"""A report as a person reads it: worst first, in words that can be read out, and the answer in the last line.

Nothing is coloured and nothing is ticked: an answer is a word, and the word for clear says that it is no permission.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator

from rich import box
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from keepclear.cli.screen import plain, rendered, terminal_columns
from keepclear.model.findings import CLEAR_SENTENCE, Answer, Closest, Conflict, Interval, Minima, Report, Scope, Side
from keepclear.times import to_text

__all__ = ["answer_line", "pieces"]

_WHEN = "too close (UTC)"
_HEADINGS = ("", "answer", "who", _WHEN, "closest", "minimum")
_MOST_FOLDED = 200
_NARROW, _TOO_NARROW = 80, 50
_SHOWN_INTERVALS = 3
_ORDER = {Answer.CONFLICT: 0, Answer.POSSIBLE: 1, Answer.CLEAR: 2}


def pieces(report: Report, *, terminal: bool) -> Iterator[str]:
    """Everything there is to show, from the top of the screen to the bottom; folded to fit where it is a terminal."""
    pairs = sorted(report.conflicts, key=lambda pair: _ORDER[pair.answer])  # stable: by start within an answer
    if pairs:
        cells = (_cells(number, pair) for number, pair in enumerate(pairs, start=1))
        # Rich takes milliseconds a row, and nobody reads thousands of them without a pager.
        folded = terminal and len(pairs) <= _MOST_FOLDED
        columns = terminal_columns()
        if not folded:
            yield _in_columns([_HEADINGS, *cells])
        elif columns >= _TOO_NARROW:  # else the sentences alone, which say the same
            yield rendered(_table(cells, narrow=columns < _NARROW), terminal=True)
        for number, pair in enumerate(pairs, start=1):
            said = _in_words(number, pair)
            if folded:
                yield "\n" + "".join(_line(text, indent, folded=True) for indent, text in said)
            else:
                yield "\n" + "".join([f"{' ' * indent}{text}\n" for indent, text in said])
        yield "\n"
    for warning in report.warnings:
        yield _line(f"Note: {plain(warning)}", folded=terminal)
    yield _line(f"Looked at {_scope(report)}.", folded=terminal)
    yield _line(answer_line(report), folded=terminal)


def answer_line(report: Report) -> str:
    """The answer in one line, with what was looked at where that was not everything."""
    scope = report.scope
    whole = scope.from_s is None and scope.to_s is None and scope.area is None
    return _answer(report) if whole else f"{_answer(report)} Looked only at: {_limits(scope)}."


def _answer(report: Report) -> str:
    counts = Counter(pair.answer for pair in report.conflicts)
    reasons = "".join(f" {_sentence(plain(reason))}" for reason in report.reasons)
    if report.answer is Answer.CLEAR:
        return f"CLEAR: {CLEAR_SENTENCE}."
    if report.answer is Answer.POSSIBLE:
        pairs = counts[Answer.POSSIBLE]
        return "POSSIBLE:" + (f" {_pairs(pairs)} may come too close." if pairs else "") + reasons
    more = f", and {_pairs(counts[Answer.POSSIBLE])} may" if counts[Answer.POSSIBLE] else ""
    comes = "comes" if counts[Answer.CONFLICT] == 1 else "come"
    return f"CONFLICT: {_pairs(counts[Answer.CONFLICT])} {comes} too close{more}.{reasons}"


def _cells(number: int, pair: Conflict) -> tuple[str, ...]:
    return (
        str(number),
        pair.answer.value.upper(),
        f"{_side(pair.a)}\n{_side(pair.b)}",
        _times(pair.intervals),
        _distances(pair.closest, pair.minima),
        _minima(pair.minima),
    )


def _table(rows: Iterable[tuple[str, ...]], *, narrow: bool) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False, pad_edge=False, header_style="")
    for heading in _HEADINGS:
        # A clock time that is folded in its middle can be misread.
        least = 10 if heading == _WHEN else None
        table.add_column(heading, no_wrap=heading == "answer", overflow="fold", min_width=least)
    for row in rows:
        named = zip(_HEADINGS, row, strict=True)
        table.add_row(*(Text(cell.replace("–", "–\n") if narrow and at == _WHEN else cell) for at, cell in named))
    return table


def _in_columns(rows: list[tuple[str, ...]]) -> str:
    """Rows of cells of several lines, as wide as they need to be."""
    split = [line for row in rows for line in itertools.zip_longest(*(c.split("\n") for c in row), fillvalue="")]
    widths = [max(map(len, column)) for column in zip(*split, strict=True)]
    laid_out = "   ".join(f"%-{width}s" for width in widths)
    lines = [(laid_out % line).rstrip() for line in split]
    lines.insert(1, "─" * (sum(widths) + 3 * len(widths) - 3))
    return "\n".join(lines) + "\n"


def _line(text: str, indent: int = 0, *, folded: bool) -> str:
    return rendered(Padding(Text(text), (0, 0, 0, indent)), terminal=True) if folded else " " * indent + text + "\n"


def _in_words(number: int, pair: Conflict) -> Iterator[tuple[int, str]]:
    """Indents and lines."""
    yield 0, f"{number}. {plain(pair.sentence).strip()}"
    for side in (pair.a, pair.b):
        if side.name and side.name != side.id:
            yield 3, f"{plain(side.id)} is: {plain(side.name)}"
    if pair.closest is not None:
        yield 3, f"Closest: {_moment(pair.a, pair.closest.time_a_s, pair.closest.a)};"
        yield 12, f"{_moment(pair.b, pair.closest.time_b_s, pair.closest.b)}."
    for reason in pair.reasons:
        yield 3, f"Because: {_sentence(plain(reason))}"
    yield 3, f"Rule: {plain(pair.minima.rule)}."
    for proposal in pair.proposals:
        if proposal.works:
            yield 3, f"Would part them: {_sentence(plain(proposal.sentence))}"
        else:
            yield 3, f"Tried, no help: {_sentence(plain(proposal.sentence), '')} – {plain(proposal.because)}"


def _side(side: Side) -> str:
    kind = side.kind.value if side.kind is not None else "kind not known"
    return plain(f"{side.party} {side.id} ({kind})")


def _moment(side: Side, time_s: float | None, place: tuple[float, float, float | None]) -> str:
    lon, lat, height_m = place
    when = f" at {to_text(time_s)}" if time_s is not None else ""
    height = f", {height_m:.0f} m above WGS84" if height_m is not None else ""
    where = f"{abs(lat):.5f}° {'S' if lat < 0 else 'N'} {abs(lon):.5f}° {'W' if lon < 0 else 'E'}"
    return f"{plain(side.party)} {plain(side.id)}{when} at {where}{height}"


def _times(intervals: tuple[Interval, ...]) -> str:
    lines: list[str] = []
    day = ""
    for interval in intervals[:_SHOWN_INTERVALS]:
        start = "open" if interval.start_s is None else _clock(interval.start_s)
        end = "open" if interval.end_s is None else _clock(interval.end_s)
        if start[:10] not in ("open", day):
            day = start[:10]
            lines.append(day)
        lines.append(f"{start.removeprefix(day).strip()}–{end.removeprefix(day).strip()}")
    if len(intervals) > _SHOWN_INTERVALS:
        lines.append(f"and {len(intervals) - _SHOWN_INTERVALS} more (--format json has all)")
    return "\n".join(lines) or "time not known"


def _clock(time_s: float) -> str:
    return to_text(time_s)[:19].replace("T", " ")


def _distances(closest: Closest | None, minima: Minima) -> str:
    if closest is None:
        return "not known"
    lines = [f"{_metres(closest.horizontal_m, minima.horizontal_m)} apart"]
    if closest.vertical_m is not None:
        lines.append(f"{_metres(closest.vertical_m, minima.vertical_m)} in height")
    elif minima.vertical_m is not None:
        lines.append("height not known")
    return "\n".join(lines)


def _minima(minima: Minima) -> str:
    lines = [f"{minima.horizontal_m:g} m apart" if minima.horizontal_m else "no overlap"]
    if minima.vertical_m:
        lines.append(f"or {minima.vertical_m:g} m in height")
    if minima.time_s:
        lines.append(f"or {minima.time_s:g} s in time")
    return "\n".join(lines)


def _metres(value: float, limit: float | None) -> str:
    """Whole metres, unless they would hide on which side of the limit the value is."""
    if limit is not None and value != limit and round(value) == round(limit):
        return f"{value:.3f}".rstrip("0") + " m"
    return f"{value:.0f} m"


def _scope(report: Report) -> str:
    counted = f"{_count(report.operations, 'operation')}, {_count(report.zones, 'zone')}, {_count(report.legs, 'leg')}"
    return f"{counted}; {_limits(report.scope)}; {_pairs(report.pairs_compared)} compared"


def _limits(scope: Scope) -> str:
    start = "the beginning" if scope.from_s is None else to_text(scope.from_s)
    end = "the end" if scope.to_s is None else to_text(scope.to_s)
    when = "all times" if scope.from_s is None and scope.to_s is None else f"from {start} to {end}"
    where = "everywhere"
    if scope.area is not None:
        where = "in the area " + ",".join(f"{degrees:g}" for degrees in scope.area)
    return f"{when}; {where}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _pairs(number: int) -> str:
    return _count(number, "pair")


def _sentence(text: str, stop: str = ".") -> str:
    return text.rstrip(".") + stop
