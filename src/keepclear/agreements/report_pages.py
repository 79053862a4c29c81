"""A compliance report for people: as Markdown, and as one HTML page that loads nothing from anywhere."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from keepclear.agreements.reporting import Kind, Report, Row, clocks, entry_name

if TYPE_CHECKING:
    from jinja2 import Template

__all__ = ["html_page", "markdown_page"]

_TITLES = {
    Kind.BREACHED: "Breached", Kind.LATE: "Late, or due and not done", Kind.POSSIBLE: "Not decided by what is known",
    Kind.DUE: "Still due", Kind.DONE: "Done in time", Kind.WITHIN: "Within the terms, and disputed",
    Kind.NO_DATA: "Nothing to judge by",
}  # fmt: skip
_NO_PERMISSION = "What is within the terms is no more than that: nobody permitted it, and this report permits nothing."
_UNESCAPED = str.maketrans({one: f"\\{one}" for one in r"\`*_{}[]<>#|!~"})
_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }}</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid #999; padding: .3rem .6rem; text-align: left; vertical-align: top; }
h2.breached, h2.late { border-left: .5rem solid #a00; padding-left: .5rem; }
</style>
</head>
<body>
<h1>{{ title }}</h1>
{% for line in opening %}<p>{{ line }}</p>
{% endfor %}
{% for section in sections %}
<h2 class="{{ section.kind }}">{{ section.title }} ({{ section.rows | length }})</h2>
<table>
<thead><tr><th>Clause</th><th>Party</th><th>What</th><th>When</th><th>Entries</th></tr></thead>
<tbody>
{% for row in section.rows -%}
<tr><td>{{ row.clause }}</td><td>{{ row.party }}</td><td>{{ row.what }}</td><td>{{ row.when }}</td>\
<td>{{ row.entries }}</td></tr>
{% endfor %}</tbody>
</table>
{% endfor %}
{% for list in lists %}
<h2>{{ list.title }}</h2>
<ul>
{% for item in list["items"] %}<li>{{ item }}</li>
{% endfor %}</ul>
{% endfor %}
<p>{{ closing }}</p>
</body>
</html>
"""


def markdown_page(report: Report) -> str:
    """The report as Markdown; whatever parties wrote is shown as they wrote it, and is no markup."""
    return "\n".join(_markdown(report)) + "\n"


def html_page(report: Report) -> str:
    """The report as an HTML page of its own."""
    sections = [
        {"kind": str(kind).replace(" ", "-"), "title": _TITLES[kind], "rows": list(_told(rows, report))}
        for kind, rows in _sections(report)
    ]
    lists = [{"title": title, "items": items} for title, items in _lists(report)]
    return _template().render(
        title=_title(report), opening=list(_opening(report)), sections=sections, lists=lists, closing=_NO_PERMISSION
    )


@functools.cache
def _template() -> Template:
    from jinja2 import Environment

    # Every value that goes in is text that a party may have written.
    return Environment(autoescape=True, trim_blocks=False).from_string(_PAGE)


def _markdown(report: Report) -> Iterator[str]:
    yield f"# {_plain(_title(report))}"
    yield ""
    for line in _opening(report):
        yield _plain(line)
        yield ""
    for kind, rows in _sections(report):
        yield f"## {_TITLES[kind]} ({len(rows)})"
        yield ""
        yield "| clause | party | what | when | entries |"
        yield "|---|---|---|---|---|"
        for row in _told(rows, report):
            yield "| " + " | ".join(_plain(row[name]) for name in ("clause", "party", "what", "when", "entries")) + " |"
        yield ""
    for title, items in _lists(report):
        yield f"## {title}"
        yield ""
        yield from (f"- {_plain(item)}" for item in items)
        yield ""
    yield _NO_PERMISSION


def _title(report: Report) -> str:
    return f"{report.title or report.agreement}: {clocks(report.from_s, {})} to {clocks(report.to_s, {})}"


def _opening(report: Report) -> Iterator[str]:
    when = clocks(report.since_s, report.zones)
    yield (
        f"Agreement {report.agreement} on the line {report.line}, between {', '.join(report.parties)}. "
        f"It is {report.state}{f' since {when}' if when else ''}."
    )
    if report.document:
        yield f"Document {report.document}."
    counts = report.counts
    told = [f"{counts[str(kind)]} {kind}" for kind in Kind if counts[str(kind)]] or ["nothing found"]
    disputed = f" Disputed: {counts['disputed']}." if counts["disputed"] else ""
    many = "1 filing was" if report.judged == 1 else f"{report.judged} filings were"
    yield f"{many} judged: {', '.join(told)}.{disputed}"
    yield f"Made {clocks(report.made_s, report.zones)} of what was known here by then."


def _sections(report: Report) -> Iterator[tuple[Kind, list[Row]]]:
    for kind in Kind:
        rows = [row for row in report.rows if row.kind is kind]
        if rows:
            yield kind, rows


def _told(rows: Sequence[Row], report: Report) -> Iterator[dict[str, str]]:
    clock = _clock(report)
    for row in rows:
        finding = row.finding
        disputed = f" Disputed by {', '.join(finding.disputed_by)}." if finding.disputed_by else ""
        when = f"due {clock(finding.due_s)}" if finding.due_s is not None else _span(finding, clock)
        refs = dict.fromkeys([finding.about, *(one.ref for one in finding.evidence)])
        tracks = [one.track for one in finding.evidence if one.track]
        entries = [name for ref in refs if (name := entry_name(ref))]
        yield {
            "clause": f"{finding.clause} ({finding.term})", "party": finding.party, "what": finding.sentence + disputed,
            "when": when, "entries": ", ".join([*entries, *dict.fromkeys(tracks)]),
        }  # fmt: skip


def _clock(report: Report) -> Callable[[float | None], str]:
    # Thousands of rows have the same few times.
    return functools.lru_cache(maxsize=4096)(lambda time_s: clocks(time_s, report.zones))


def _span(finding: Any, clock: Callable[[float | None], str]) -> str:
    begins, ends = clock(finding.from_s), clock(finding.to_s)
    if begins and ends and begins != ends:
        return f"{begins} to {ends}"
    return begins or ends


def _lists(report: Report) -> Iterator[tuple[str, list[str]]]:
    within = [f"{term}: {count}" for term, count in report.within.items()]
    said = [
        f"{clocks(one.at_s, report.zones)}: {one.sentence}" + (f" [{name}]" if (name := entry_name(one.ref)) else "")
        for one in report.happenings
    ]
    for title, items in (
        ("Within the terms", within), ("Said of the agreement", said), ("Not known here", list(report.notes))
    ):  # fmt: skip
        if items:
            yield title, items


def _plain(text: str) -> str:
    """Text in one line, of which nothing is markup."""
    return " ".join(text.split()).translate(_UNESCAPED)
