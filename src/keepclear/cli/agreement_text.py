"""Agreements and their differences, for people and as JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from keepclear.cli.line_tables import table_text
from keepclear.cli.screen import plain, rendered

if TYPE_CHECKING:
    from keepclear.agreements.checking import Checked
    from keepclear.agreements.comparing import ClauseChange, Difference, GroundChange
    from keepclear.agreements.terms.base import Ground

__all__ = ["checked_members", "checked_text", "difference_members", "difference_text"]

_COMMON = frozenset({"id", "type", "clause", "clause_hash"})
_MOST_SHOWN = 200
_NOTHING = "No fault was found in it. What it means, people have to read."


def checked_text(checked: Checked) -> Iterator[str]:
    """What an agreement is, and what was found."""
    document = checked.document
    yield plain(f"{document.title} ({document.id}), version {document.version}") + "\n"
    yield plain(f"Parties: {', '.join(document.parties)}") + "\n\n"
    yield table_text(
        ["text", "", "clauses", "SHA-256"],
        (
            (one.language, "authentic" if one.authentic else "translation", str(len(one.clauses)), one.sha256)
            for one in document.texts
        ),
    )
    if checked.terms:
        yield "\n" + table_text(
            ["term", "type", "clause", "binds", "says"],
            ((one.id, one.type, one.clause, _bound(checked, one.id), _says(one.members)) for one in document.terms),
        )
    if document.annexes:
        rows = (
            (name, one.media_type, str(len(one.data)), one.sha256) for name, one in sorted(document.annexes.items())
        )
        yield "\n" + table_text(["annex", "type", "bytes", "SHA-256"], rows)
    yield "\n"
    yield from (f"{plain(one)}\n" for one in checked.oddities)
    for one in checked.contradictions[:_MOST_SHOWN]:
        what = "CANNOT BOTH BE KEPT" if one.certain else "DIFFERENT"
        yield plain(f"{what}: {', '.join(one.terms)}: {one.sentence}") + "\n"
    more = len(checked.contradictions) - _MOST_SHOWN
    yield f"… and {more} more: --format json tells all.\n" if more > 0 else ""
    yield f"Document, {len(document.canonical())} bytes, SHA-256 {document.hash}\n"
    yield f"Authentic text, SHA-256 {document.text_hash}\n"
    yield "" if checked.contradictions else f"{_NOTHING}\n"


def checked_members(checked: Checked) -> dict[str, Any]:
    """The same as JSON values."""
    document = checked.document
    return {
        "agreement": document.id,
        "title": document.title,
        "version": document.version,
        "parties": list(document.parties),
        "document": document.hash,
        "document_bytes": len(document.canonical()),
        "text": document.text_hash,
        "texts": [
            {"language": one.language, "authentic": one.authentic, "sha256": one.sha256, "clauses": list(one.clauses)}
            for one in document.texts
        ],
        "terms": [dict(one.members) for one in document.terms],
        "annexes": [
            {"name": name, "media_type": one.media_type, "bytes": len(one.data), "sha256": one.sha256}
            for name, one in sorted(document.annexes.items())
        ],
        "warnings": list(checked.oddities),
        "contradictions": [
            {"terms": list(one.terms), "sentence": one.sentence, "certain": one.certain}
            for one in checked.contradictions
        ],
    }


def difference_text(difference: Difference) -> Iterator[str]:
    """What is different between two versions."""
    old, new = difference.old, difference.new
    yield plain(f"old: {old.title} ({old.id}), version {old.version}, {old.hash}") + "\n"
    yield plain(f"new: {new.title} ({new.id}), version {new.version}, {new.hash}") + "\n"
    if difference.is_none:
        yield "They are the same, byte for byte.\n"
        return
    if difference.head:
        yield "\n" + table_text(
            ["", "", "old", "new"], ((one.what, one.kind, one.old, one.new) for one in difference.head)
        )
    for clause in difference.clauses:
        yield from _clause_text(clause)
    for term in difference.terms:
        yield plain(f"\nTerm {term.term} (clause {term.clause}): {term.kind}") + "\n"
        rows = [(one.name, _value(one.old), _value(one.new)) for one in term.members if one.name != "clause_hash"]
        yield table_text(["member", "old", "new"], rows) if rows else "Its clause says something else.\n"
    if difference.ground:
        yield "\nOn the ground (--format geojson writes the shapes):\n"
        yield from (plain(_ground_text(one)) + "\n" for one in difference.ground)


def difference_members(difference: Difference) -> dict[str, Any]:
    """The same as JSON values."""
    return {
        "old": {"agreement": difference.old.id, "version": difference.old.version, "document": difference.old.hash},
        "new": {"agreement": difference.new.id, "version": difference.new.version, "document": difference.new.hash},
        "same": difference.is_none,
        "head": [
            {"what": one.what, "change": one.kind, "old": one.old, "new": one.new} for one in difference.head
        ],
        "clauses": [
            {
                "language": one.language, "authentic": one.authentic, "clause": one.clause, "change": one.kind,
                "old": one.old, "new": one.new,
            }
            for one in difference.clauses
        ],
        "terms": [
            {
                "term": one.term, "clause": one.clause, "change": one.kind,
                "members": [{"name": each.name, "old": each.old, "new": each.new} for each in one.members],
            }
            for one in difference.terms
        ],
        "ground": [
            {
                "term": one.term, "change": one.kind, "old": _labels(one.old), "new": _labels(one.new),
                "old_km2": round(one.old_m2 / 1e6, 3), "new_km2": round(one.new_m2 / 1e6, 3),
            }
            for one in difference.ground
        ],
    }  # fmt: skip


def _clause_text(change: ClauseChange) -> Iterator[str]:
    """Side by side, a piece of the old text and what stands in its place."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    what = "authentic" if change.authentic else "translation"
    yield plain(f"\nClause {change.clause or 'before all others'} ({change.language}, {what}): {change.kind}") + "\n"
    if not change.lines:
        return
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("old")
    table.add_column("new")
    for left, right in _beside(change.lines):
        table.add_row(plain(left), plain(right))
    yield rendered(table, terminal=sys.stdout is not None and sys.stdout.isatty())


def _beside(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Lines taken out beside those put in after them."""
    out: list[str] = []
    put_in: list[str] = []
    for line in [*lines, "-"]:
        if (line.startswith("-") and put_in) or len(line) < 2:
            rows = max(len(out), len(put_in))
            yield from zip(out + [""] * (rows - len(out)), put_in + [""] * (rows - len(put_in)), strict=True)
            out, put_in = [], []
        (out if line.startswith("-") else put_in).append(line[2:])


def _bound(checked: Checked, term: str) -> str:
    found = next((one for one in checked.terms if one.id == term), None)
    return "" if found is None else ", ".join(sorted(found.parties))


def _says(members: Any) -> str:
    return ", ".join(f"{name} {_value(value)}" for name, value in members.items() if name not in _COMMON)


def _value(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _ground_text(change: GroundChange) -> str:
    old, new = (f"{'; '.join(_labels(one)) or 'nothing'}" for one in (change.old, change.new))
    sizes = f"about {change.old_m2 / 1e6:,.1f} km² before, {change.new_m2 / 1e6:,.1f} km² after"
    return f"Term {change.term}, {change.kind}: {old} -> {new} ({sizes})"


def _labels(shapes: Sequence[Ground]) -> list[str]:
    return list(dict.fromkeys(one.label for one in shapes))
