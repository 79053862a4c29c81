"""``keepclear encounter``: who met, and what it was by the record."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from keepclear.cli.options import Faults, check_files, parse_choice, parse_numbers, parse_window, refuse_unknown
from keepclear.cli.output import check_output, put
from keepclear.errors import Fault, InputError

if TYPE_CHECKING:
    from keepclear.agreements.facts import Filed, Finding, Flown, RecordView
    from keepclear.cli.record_reading import Offline
    from keepclear.separation.minima import MinimaTable
    from keepclear.watch.labels import Labelled

__all__ = ["CERTAIN", "NONE_FOUND", "POSSIBLE", "Looked", "command", "look"]

NONE_FOUND, CERTAIN, POSSIBLE = 0, 1, 3
_TracksArgument = Annotated[
    list[str] | None,
    typer.Argument(metavar="TRACKS...", help="Flown tracks in any format; FILE@PARTY and FILE@PARTY:KIND say whose."),
]
_RecordOption = Annotated[
    Path | None, typer.Option("--record", metavar="DIR", help="The folder of a party: what was said, and when.")
]
_LineOption = Annotated[str | None, typer.Option("--line", metavar="NAME", help="Which line of that record.")]
_MinimaOption = Annotated[
    str | None, typer.Option("--minima", metavar="H,V|FILE", help="Least separation, as for keepclear check.")
]
_AccuracyOption = Annotated[
    str | None, typer.Option("--accuracy", metavar="METRES", help="How far off all positions may be. [0]")
]
_NowOption = Annotated[
    str | None, typer.Option("--now", metavar="TIME", help="Later positions are refused. [now, by the clock]")
]
_AgreementOption = Annotated[
    list[str] | None,
    typer.Option("--agreement", metavar="NAME", help="Judge by the terms of this one only; once for each. [all]"),
]


@dataclass(frozen=True, slots=True)
class Looked:
    """All that was looked at, and what was found."""

    labelled: tuple[Labelled, ...]
    tracks: tuple[Flown, ...]
    filings: tuple[Filed, ...]
    record: RecordView
    findings: tuple[Finding, ...]
    offline: Offline | None
    warnings: tuple[str, ...]

    @property
    def status(self) -> int:
        """The exit status."""
        if any(one.encounter.certain_from_s is not None for one in self.labelled):
            return CERTAIN
        return POSSIBLE if self.labelled else NONE_FOUND


def command(
    context: typer.Context,
    tracks: _TracksArgument = None,
    record: _RecordOption = None,
    line: _LineOption = None,
    agreement: _AgreementOption = None,
    minima: _MinimaOption = None,
    accuracy: _AccuracyOption = None,
    now: _NowOption = None,
    start: Annotated[str | None, typer.Option("--from", metavar="TIME", help="Look from this time on.")] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Look up to this time.")] = None,
    form: Annotated[str, typer.Option("--format", metavar="text|json|geojson", help="How to answer.")] = "text",
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    as_geojson: Annotated[bool, typer.Option("--geojson", help="The same as --format geojson.")] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="PATH", help="Write the answer here, all at once.")
    ] = None,
) -> int:
    """Find who came within the minima, and say what each encounter was: by the tracks, and by what had been said.

    With a record each encounter has a label, the entries that it rests on, and what would make it another one. Without
    tracks the labels are about the plans. A label is no permission, and none says who was right.

    Exit status: 0 no encounter found in what is known, 1 an encounter, 2 bad input, 3 only possible ones.
    """
    faults = Faults()
    files = list(tracks or ())
    refuse_unknown(files, (name for option in context.command.params for name in option.opts), faults)
    chosen = faults.take("--format", form, parse_choice("text", "json", "geojson")) or ""
    chosen = "json" if as_json else "geojson" if as_geojson else chosen
    window = parse_window(start, end, faults)
    faults.add(check_output(output, files))
    faults.add(check_files(files))
    if not files and record is None:
        faults.add([Fault("nothing to look at", "tracks, a record (--record DIR), or both", field="TRACKS")])
    looked = look(files, record, line, agreement, minima, accuracy, now, faults=faults)
    looked = replace(looked, labelled=tuple(_within(looked.labelled, window)))
    put(_written(looked, chosen), output)
    return looked.status


def look(
    files: list[str],
    record: Path | None,
    line: str | None,
    agreement: list[str] | None,
    minima: str | None,
    accuracy: str | None,
    now: str | None,
    *,
    faults: Faults,
) -> Looked:
    """Read tracks and record, and label every encounter.

    Raises
    ------
    InputError
        With everything that is wrong with options, files and tracks.
    """
    from keepclear.agreements.facts import RecordView
    from keepclear.clock import now_s
    from keepclear.times import parse_time
    from keepclear.watch.binding import bind
    from keepclear.watch.flown import check_flown

    table = faults.take("--minima", minima, _minima)
    accuracy_m = faults.take("--accuracy", accuracy, _metres) or 0.0
    until_s = faults.take("--now", now, parse_time)
    faults.stop_if_any()
    flown, warnings = _read_tracks(files, accuracy_m)
    check_flown(flown, now_s=now_s() if until_s is None else until_s)
    offline = None
    filings: tuple[Filed, ...] = ()
    view = RecordView()
    if record is not None:
        from keepclear.cli.record_reading import read_record

        offline = read_record(record, line)
        filings, view = offline.filings, offline.view
        flown = bind(flown, filings)
    looked = Looked((), flown, filings, view, (), offline, warnings)
    return _labelled(looked, table, agreement)


def _labelled(looked: Looked, table: MinimaTable | None, agreement: list[str] | None) -> Looked:
    from keepclear.separation.minima import MinimaTable
    from keepclear.watch.encounters import encounters
    from keepclear.watch.labels import Labelling
    from keepclear.watch.planned import planned_encounters, planned_together

    terms = _terms(looked, agreement)
    rules = [one.rule for term in terms for one in term.contributes().minima]
    minima = table or MinimaTable.default().with_rules(rules)
    found = list(encounters(looked.tracks, minima) if looked.tracks else planned_encounters(looked.filings, minima))
    found += planned_together(looked.record, found)
    findings = _findings(terms, looked)
    labelling = Labelling(looked.filings, looked.record, looked.tracks, findings=findings)
    return replace(looked, labelled=tuple(labelling.label(one) for one in found), findings=findings)


def _terms(looked: Looked, agreement: list[str] | None) -> list[Any]:
    """The terms of the agreements that are in force when the record ends, or of those asked for."""
    if looked.offline is None:
        if agreement:
            raise InputError(Fault("agreements are on a record", "--record DIR", field="--agreement"))
        return []
    from keepclear.agreements.life import standings_of
    from keepclear.agreements.terms.registry import read_terms

    standings = standings_of(looked.record, looked.offline.documents, looked.offline.last_s)
    unknown = [one for one in agreement or () if one not in standings]
    if unknown:
        known = ", ".join(standings) or "none is on this record"
        raise InputError([Fault("no such agreement", known, field="--agreement", value=one) for one in unknown])
    found: list[Any] = []
    for name, standing in standings.items():
        document = standing.in_force
        if document is not None and (not agreement or name in agreement):
            members = [one.members for one in document.terms]
            found += read_terms(members, document.annexes, parties=document.parties, agreement=name, file=name)
    return found


def _findings(terms: list[Any], looked: Looked) -> tuple[Finding, ...]:
    if not terms or looked.offline is None:
        return ()
    from keepclear.agreements.evaluating import evaluate

    at_s = max([looked.offline.last_s, *(float(one.track.time_s[-1]) for one in looked.tracks)])
    found = evaluate(terms, looked.filings, looked.tracks, looked.record, at_s=at_s, full=True)
    return tuple(found.findings)


def _read_tracks(files: list[str], accuracy_m: float) -> tuple[tuple[Flown, ...], tuple[str, ...]]:
    if not files:
        return (), ()
    from keepclear.formats.registry import read_many
    from keepclear.watch.flown import TrackSource, flown_of

    plans = read_many(files)
    flown = flown_of(plans.operations, TrackSource(accuracy_m=accuracy_m))
    if not flown:
        problem = "no flown track in what was given"
        raise InputError(Fault(problem, "positions that were reported; a plan is no track", field="TRACKS"))
    return flown, plans.warnings


def _minima(text: str) -> MinimaTable:
    from keepclear.cli.check import read_minima

    return read_minima(text)


def _metres(text: str) -> float:
    numbers = parse_numbers(text)
    if len(numbers) != 1 or numbers[0] < 0.0:
        raise InputError(Fault("not an accuracy", "metres, 0 or more", value=text))
    return numbers[0]


def _within(labelled: Iterable[Labelled], window: tuple[float | None, float | None]) -> Iterator[Labelled]:
    low, high = window
    for one in labelled:
        if (low is None or one.encounter.to_s >= low) and (high is None or one.encounter.from_s <= high):
            yield one


def _written(looked: Looked, form: str) -> Iterator[str]:
    from keepclear.cli.screen import plain, plain_json
    from keepclear.watch.telling import geojson_of

    if form == "text":
        for line in _lines(looked):
            yield plain(line) + "\n"
        return
    document = (
        geojson_of(looked.labelled, looked.tracks, has_record=looked.offline is not None)
        if form == "geojson"
        else _document(looked)
    )
    yield plain_json(json.dumps(document, ensure_ascii=False, allow_nan=False)) + "\n"


def _document(looked: Looked) -> dict[str, Any]:
    from keepclear.times import to_text
    from keepclear.watch.telling import document_of

    offline = looked.offline
    return {
        "keepclear": "encounter/1",
        "line": None if offline is None else offline.line,
        "record_until": None if offline is None else to_text(offline.last_s),
        "tracks": len(looked.tracks),
        "filings": len(looked.filings),
        "encounters": [document_of(one, has_record=offline is not None) for one in looked.labelled],
        "warnings": list(looked.warnings),
    }


def _lines(looked: Looked) -> Iterator[str]:
    from keepclear.watch.telling import lines_of

    for one in looked.labelled:
        yield from lines_of(one, has_record=looked.offline is not None)
    yield from (f"Note: {text}" for text in looked.warnings)
    yield _last_line(looked)


def _last_line(looked: Looked) -> str:
    if not looked.labelled:
        what = f"{len(looked.tracks):,} tracks" if looked.tracks else f"{len(looked.filings):,} filings"
        return f"NO ENCOUNTER FOUND in what is known: {what} were looked at. A silence is no proof of distance."
    certain = sum(one.encounter.certain_from_s is not None for one in looked.labelled)
    possible = len(looked.labelled) - certain
    which = "" if looked.offline is not None else " No record was given, so nothing had been said as far as is known."
    return f"{certain:,} certain, {possible:,} possible.{which}"
