"""``keepclear encounter``: who met, and what it was by the record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from keepclear.cli.options import Faults, check_files, parse_choice, parse_numbers, parse_window, refuse_unknown
from keepclear.cli.output import check_output, put
from keepclear.errors import Fault, InputError

if TYPE_CHECKING:
    from keepclear.agreements.facts import Filed, Finding, Flown, RecordView
    from keepclear.cli.record_reading import Offline
    from keepclear.separation.minima import MinimaTable
    from keepclear.watch.bound_terms import Bound
    from keepclear.watch.labels import Labelled

__all__ = ["CERTAIN", "NONE_FOUND", "POSSIBLE", "Looked", "command", "look"]

NONE_FOUND, CERTAIN, POSSIBLE = 0, 1, 3
_MARGIN_S = 1800.0  # an encounter that reaches into the time that is asked for is not cut in two
_TracksArgument = Annotated[
    list[str] | None,
    typer.Argument(metavar="TRACKS...", help="Flown tracks in any format; FILE@PARTY and FILE@PARTY:KIND say whose."),
]
_RecordOption = Annotated[
    Path | None,
    typer.Option("--record", metavar="DIR", help="The folder of a party, or exported logs: what was said, and when."),
]
_PolicyOption = Annotated[
    list[str] | None,
    typer.Option("--policy", metavar="FILE", help="Of exported logs: whose keys are believed; once for each."),
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
    bound: tuple[Bound, ...]
    judged: tuple[tuple[Bound, Finding], ...]
    offline: Offline | None
    warnings: tuple[str, ...]
    given: bool = False
    """Whether tracks were handed in, besides those that the record has."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the terms that bound then say."""
        return tuple(finding for _, finding in self.judged)

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
    policy: _PolicyOption = None,
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

    Positions that a record commits to are tracks too: those that travelled with it, and files of them (.ndjson), which
    their hash proves.

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
    looked = look(
        files, record, line, agreement, minima, accuracy, now, policy=policy, window=window, faults=faults
    )  # fmt: skip
    looked = replace(looked, labelled=tuple(_within(looked.labelled, window)))
    from keepclear.cli.encounter_text import written

    put(written(looked, chosen), output)
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
    policy: list[str] | None = None,
    window: tuple[float | None, float | None] = (None, None),
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
    from keepclear.watch.flown import check_flown

    table = faults.take("--minima", minima, _minima)
    accuracy_m = faults.take("--accuracy", accuracy, _metres) or 0.0
    until_s = faults.take("--now", now, parse_time)
    if record is None:
        given = (("--agreement", agreement), ("--policy", policy), ("--line", line))
        faults.add([Fault("it is of a record", "--record DIR besides", field=name) for name, one in given if one])
    faults.stop_if_any()
    offline = None
    if record is not None:
        from keepclear.cli.record_reading import read_record

        offline = read_record(record, line, policy)
    flown, warnings = _tracks(files, accuracy_m, offline)
    check_flown(flown, now_s=now_s() if until_s is None else until_s)
    if offline is None:
        return _labelled(Looked((), flown, (), RecordView(), (), (), None, warnings), table, [])
    flown, more = _with_shared(flown, offline, window)
    looked = Looked((), flown, offline.filings, offline.view, (), (), offline, (*offline.notes, *warnings, *more),
                    bool(files))  # fmt: skip
    return _labelled(looked, table, agreement or [])


def _labelled(looked: Looked, table: MinimaTable | None, agreement: list[str]) -> Looked:
    from keepclear.cli.record_terms import bound_then, findings_of, found_by
    from keepclear.separation.minima import MinimaTable
    from keepclear.watch.encounters import Basis
    from keepclear.watch.labels import Labelling
    from keepclear.watch.planned import planned_together

    if looked.offline is not None:
        bound, notes = bound_then(looked.offline, agreement, looked.filings, looked.tracks)
        judged = findings_of(bound, looked.offline, looked.filings, looked.tracks)
        looked = replace(looked, bound=bound, judged=judged, warnings=(*looked.warnings, *notes))
    found = found_by(
        table or MinimaTable.default(), looked.bound, looked.filings, looked.tracks,
        with_plans=looked.offline is not None and not looked.given,
    )  # fmt: skip
    together = planned_together(looked.record, found)
    by_tracks, by_plans = (
        Labelling(looked.filings, looked.record, tracks, findings=looked.findings) for tracks in (looked.tracks, ())
    )
    # Of plans of which tracks do not tell, nothing that a track of one side shows can make the label a better one.
    labelled = [(by_plans if one.basis is Basis.PLANS else by_tracks).label(one) for one in found]
    return replace(looked, labelled=(*labelled, *(by_tracks.label(one) for one in together)))


def _tracks(
    files: list[str], accuracy_m: float, offline: Offline | None
) -> tuple[tuple[Flown, ...], tuple[str, ...]]:  # fmt: skip
    """The tracks in files, and what to say of them; a file that the record commits to is proved by its hash."""
    if not files:
        return (), ()
    from keepclear.cli.record_tracks import proved_files
    from keepclear.formats.registry import read_many
    from keepclear.watch.flown import TrackSource, flown_of

    proved, others, notes = proved_files(files, () if offline is None else offline.committed)
    proved = tuple(
        replace(one, track=replace(one.track, uncertainty_m=one.track.uncertainty_m + accuracy_m)) for one in proved
    )
    if not others:
        return proved, notes
    plans = read_many(others)
    flown = flown_of(plans.operations, TrackSource(accuracy_m=accuracy_m))
    if not flown and not proved:
        problem = "no flown track in what was given"
        raise InputError(Fault(problem, "positions that were reported; a plan is no track", field="TRACKS"))
    return (*flown, *proved), (*plans.warnings, *notes)


def _with_shared(
    flown: tuple[Flown, ...], offline: Offline, window: tuple[float | None, float | None]
) -> tuple[tuple[Flown, ...], tuple[str, ...]]:
    """With the tracks that the record itself holds; all of them bound to the filings they were for."""
    from keepclear.cli.record_tracks import together, tracks_shared
    from keepclear.watch.binding import bind

    low, high = window
    span = (None if low is None else low - _MARGIN_S, None if high is None else high + _MARGIN_S)
    shared, problems = tracks_shared(offline.committed, offline.counts, span)
    hashes = {name for one in flown for name in one.batches}
    problems = tuple(one for one in problems if not any(name in one for name in hashes))
    tracks, notes = together(flown, shared)
    return bind(tracks, offline.filings), (*notes, *problems)


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
