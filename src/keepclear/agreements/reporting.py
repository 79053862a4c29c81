"""Compliance reports: what was due, done, late, breached and disputed under one agreement, by whom, by which entries.

A report is made of findings (`keepclear.agreements.facts.Finding`), and says nothing that they do not. What was within
a term is counted and not listed: it is no permission, and there may be very much of it. Times are UTC, and beside it
each party's own clocks, since a deadline is met by people who look at theirs.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from keepclear.agreements.facts import Finding, Result
from keepclear.errors import Fault, InputError
from keepclear.record.entries import EntryRef
from keepclear.record.names import KeyName
from keepclear.times import to_datetime, to_text

__all__ = ["Happening", "Kind", "Report", "Row", "clocks", "entry_name", "parse_zones", "rows_of"]


class Kind(StrEnum):
    """What a row of a report says; of several the graver comes first."""

    BREACHED = "breached"
    LATE = "late"
    """It was due, and was done too late, or has not been done."""
    POSSIBLE = "possible"
    """What is known does not decide it."""
    DUE = "due"
    """It is still to be done, or to be kept to."""
    DONE = "done"
    """It was due, and was done in time."""
    WITHIN = "within"
    """Nothing was due, and it is within the term."""
    NO_DATA = "no data"


@dataclass(frozen=True, slots=True)
class Row:
    """One finding, as a report has it.

    Attributes
    ----------
    kind
        What it says.
    type
        The type of the term.
    finding
        What it is made of.
    """

    kind: Kind
    type: str
    finding: Finding

    @property
    def disputed(self) -> bool:
        """Whether a party says otherwise on the record."""
        return bool(self.finding.disputed_by)


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that was said of the agreement in that time: a signature, a suspension, a notice, a query."""

    at_s: float
    sentence: str
    ref: EntryRef | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A compliance report.

    Attributes
    ----------
    agreement, title, line, document, parties
        Of which agreement, and of which document of it; empty where none was in force.
    state, since_s
        How it stood when the report was made.
    from_s, to_s, made_s
        Of which time, and when it was made: what came later is not in it.
    zones
        The time zone of each party that is known, by its name in the IANA database.
    rows
        All findings but those that are simply within a term.
    within
        How many of those there are, by term.
    judged
        How many filings were judged.
    happenings
        What was said of the agreement in that time.
    notes
        What is not known, and could matter.
    """

    agreement: str
    title: str
    line: str
    document: str
    parties: tuple[str, ...]
    state: str
    since_s: float | None
    from_s: float
    to_s: float
    made_s: float
    rows: tuple[Row, ...]
    within: Mapping[str, int] = field(default_factory=dict)
    judged: int = 0
    zones: Mapping[str, str] = field(default_factory=dict)
    happenings: tuple[Happening, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def counts(self) -> Mapping[str, int]:
        """How many rows there are of each kind, and how many are disputed."""
        found = Counter(str(row.kind) for row in self.rows)
        found[str(Kind.WITHIN)] += sum(self.within.values())
        return {str(kind): found[str(kind)] for kind in Kind} | {"disputed": sum(row.disputed for row in self.rows)}

    def members(self) -> dict[str, Any]:
        """The report as JSON has it; `docs/spec/agreements.md` describes it."""
        return {
            "agreement": self.agreement, "title": self.title, "line": self.line, "document": self.document,
            "parties": list(self.parties), "state": self.state, "since": _text(self.since_s),
            "from": _text(self.from_s), "to": _text(self.to_s), "made": _text(self.made_s), "zones": dict(self.zones),
            "judged": self.judged, "counts": dict(self.counts), "within": dict(self.within),
            "findings": [_row_members(row) for row in self.rows],
            "said": [
                {"at": _text(one.at_s), "sentence": one.sentence, "entry": entry_name(one.ref)}
                for one in self.happenings
            ],
            "notes": list(self.notes),
        }  # fmt: skip

    def to_json(self) -> str:
        """The report as JSON text."""
        return json.dumps(self.members(), ensure_ascii=False, indent=2) + "\n"


def rows_of(findings: Iterable[Finding], types: Mapping[str, str]) -> tuple[tuple[Row, ...], dict[str, int]]:
    """The rows of findings, the gravest first, and how many are simply within a term, by term.

    Parameters
    ----------
    types
        The type of each term.
    """
    rows, within = [], Counter[str]()
    for finding in findings:
        kind = _kind(finding)
        if kind is Kind.WITHIN and not finding.disputed_by:
            within[finding.term] += 1
        else:
            rows.append(Row(kind, types.get(finding.term, ""), finding))
    order = {kind: place for place, kind in enumerate(Kind)}
    rows.sort(key=lambda row: (order[row.kind], _when(row.finding), row.finding.term, row.finding.party))
    return tuple(rows), dict(sorted(within.items()))


def clocks(time_s: float | None, zones: Mapping[str, str]) -> str:
    """A time in UTC, and on the clocks of each party whose zone is known.

    Examples
    --------
    >>> clocks(1572361200.0, {"RU": "Europe/Moscow"})
    '2019-10-29 15:00Z (RU 18:00)'
    >>> clocks(1572386400.0, {"RU": "Europe/Moscow"})
    '2019-10-29 22:00Z (RU 2019-10-30 01:00)'
    """
    if time_s is None:
        return ""
    try:
        moment = to_datetime(time_s)
    except InputError:
        return ""  # without end
    told = []
    for party, name in zones.items():
        there = moment.astimezone(ZoneInfo(name))
        day = "" if there.date() == moment.date() else f"{there:%Y-%m-%d} "
        told.append(f"{party} {day}{there:%H:%M}")
    return f"{moment:%Y-%m-%d %H:%M}Z" + (f" ({', '.join(told)})" if told else "")


def parse_zones(text: str, *, field: str = "time_zones") -> dict[str, str]:
    """The time zone of each party, of text like ``RU=Europe/Moscow,TR=Europe/Istanbul``.

    Raises
    ------
    InputError
        With all that are none.

    Examples
    --------
    >>> parse_zones("RU=Europe/Moscow, TR=Europe/Istanbul")
    {'RU': 'Europe/Moscow', 'TR': 'Europe/Istanbul'}
    """
    right = "PARTY=ZONE, with the zone's name in the IANA database, for example RU=Europe/Moscow"
    found, faults = dict[str, str](), list[Fault]()
    for part in filter(None, (one.strip() for one in text.split(","))):
        party, _, name = (one.strip() for one in part.partition("="))
        if not party or not _is_zone(name):
            faults.append(Fault("not a party's time zone", right, field=field, value=part[:80]))
        found[party] = name
    if faults:
        raise InputError(faults)
    return found


def entry_name(ref: EntryRef | None) -> str:
    """An entry as people write it: ``PARTY:LINE:INDEX``; empty where there is none."""
    name = None if ref is None else KeyName.of_text(ref.origin)
    if ref is None or name is None or name.line is None:
        return ""
    begun = f":{name.begun}" if name.begun > 1 else ""
    return f"{name.party}:{name.line}{begun}:{ref.index}"


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ValueError, OSError):  # a ZoneInfoNotFoundError is a KeyError
        return False
    except KeyError:
        return False
    return bool(name)


def _kind(finding: Finding) -> Kind:
    match finding.result:
        case Result.BREACHED:
            return Kind.BREACHED if finding.due_s is None else Kind.LATE
        case Result.POSSIBLE:
            return Kind.POSSIBLE
        case Result.NOT_YET:
            return Kind.DUE
        case Result.MET:
            return Kind.WITHIN if finding.due_s is None else Kind.DONE
        case _:
            return Kind.NO_DATA


def _when(finding: Finding) -> float:
    known = [one for one in (finding.due_s, finding.from_s, finding.to_s) if one is not None]
    return known[0] if known else float("inf")


def _row_members(row: Row) -> dict[str, Any]:
    finding = row.finding
    told: Sequence[tuple[str, Any]] = [
        ("kind", str(row.kind)), ("result", str(finding.result)), ("term", finding.term), ("type", row.type),
        ("clause", finding.clause), ("party", finding.party), ("sentence", finding.sentence),
        ("entry", entry_name(finding.about)), ("unit", finding.unit), ("from", _text(finding.from_s)),
        ("to", _text(finding.to_s)), ("due", _text(finding.due_s)), ("disputed_by", list(finding.disputed_by)),
        ("evidence", [
            {name: value for name, value in (("entry", entry_name(one.ref)), ("track", one.track), ("note", one.note))
             if value}
            for one in finding.evidence
        ]),
    ]  # fmt: skip
    return {name: value for name, value in told if value not in ("", None, [])}


def _text(time_s: float | None) -> str | None:
    if time_s is None:
        return None
    try:
        return to_text(time_s)
    except InputError:
        return None  # without end
