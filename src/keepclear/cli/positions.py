"""``keepclear positions``: where your units were: posting, binding, sharing, proving."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from keepclear.cli.folders import DirArgument, LineOption, PassphraseOption, ToOption
from keepclear.cli.line_tables import table_text, time_text
from keepclear.cli.node_link import folder_of, linked
from keepclear.cli.node_proof import unpacked, verifying
from keepclear.cli.options import Faults, check_files, parse_window, unshielded
from keepclear.cli.output import put
from keepclear.cli.receipts import later_text, received_text
from keepclear.cli.record_files import read_file
from keepclear.cli.screen import note, plain
from keepclear.clock import now_s
from keepclear.errors import Fault, InputError

if TYPE_CHECKING:
    from keepclear.model.operations import Operation
    from keepclear.values.positions import PostedTold
    from keepclear.watch.batches import Piece

__all__ = ["app"]

app = typer.Typer(name="positions", no_args_is_help=True, rich_markup_mode=None, help="Where your units were.")

_LINES = (".ndjson", ".jsonl")
_MOST_BYTES = 256 * 2**20
_AT_ONCE = 10_000
_GRIDS = ("1", "5", "10", "50", "100")

SourceOption = Annotated[str, typer.Option("--source", metavar="NAME", help="What reported them.")]
FromOption = Annotated[str | None, typer.Option("--from", metavar="TIME", help="From when, with its zone.")]
UntilOption = Annotated[str | None, typer.Option("--until", metavar="TIME", help="Until when, with its zone.")]


@app.command("source", short_help="Say what reports positions, and how accurately.")
def source(
    directory: DirArgument,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the source is called.")],
    owner: Annotated[str | None, typer.Option(metavar="PARTY", help="Whose it is; left out: yours.")] = None,
    accuracy: Annotated[float, typer.Option(metavar="METRES", help="How far off its positions may be.")] = 0.0,
    max_age: Annotated[float, typer.Option(metavar="SECONDS", help="How long a position says where a unit is.")] = 60.0,
    clock_ahead: Annotated[
        float, typer.Option(metavar="SECONDS", help="How far its clock may be ahead of yours.")
    ] = 5.0,
    passphrase_file: PassphraseOption = None,
) -> int:
    """Register what reports positions: a tracker, a radar, a receiver. Said again, it takes the place of what was."""
    asked: dict[str, Any] = {"accuracy_m": accuracy, "max_age_s": max_age, "clock_tolerance_s": clock_ahead}
    asked |= {} if owner is None else {"owner": owner}
    with linked(directory, passphrase_file) as node:
        told = node.requests.put(f"/positions/sources/{name}", asked)
    how = f"off by up to {told['accuracy_m']:g} m; silent for more than {told['max_age_s']:g} s is a gap"
    put([f"{told['name']}, of {told['owner']}: {how}.\n"], None)
    return 0


@app.command("post", short_help="Post positions out of files in any format.")
def post(
    directory: DirArgument,
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Flown tracks in any format, or .ndjson.")],
    source: SourceOption,
    called: Annotated[str | None, typer.Option("--called", metavar="NAME", help="What the files call you.")] = None,
    passphrase_file: PassphraseOption = None,
) -> int:
    """Post positions, whole files or nothing of a file. The same positions again are not taken twice.

    A track's id is what its unit is called. Files of lines (.ndjson) may say callsign, uid or icao instead.
    """
    faults = Faults()
    names = [unshielded(name) for name in files]
    faults.add(check_files(names))
    faults.stop_if_any()
    batches = [batch for name in names for batch in _batches(name, folder_of(directory).party, called)]
    with linked(directory, passphrase_file) as node:
        for name, data in batches:
            try:
                told = node.post_positions(source, data)
            except InputError as error:
                raise InputError([_of_file(fault, name) for fault in error.faults]) from None
            put(_posted_text(name, told), None)
    return 0


@app.command("bind", short_help="Say whose unit a callsign, a uid or an address is.")
def bind(
    directory: DirArgument,
    callsign: Annotated[str | None, typer.Option(metavar="TEXT", help="Positions that say this callsign,")] = None,
    uid: Annotated[str | None, typer.Option(metavar="TEXT", help="or this uid,")] = None,
    icao: Annotated[str | None, typer.Option(metavar="HEX", help="or this ICAO address,")] = None,
    unit: Annotated[str | None, typer.Option(metavar="NAME", help="or this unit; else what it is called.")] = None,
    party: Annotated[str | None, typer.Option(metavar="PARTY", help="Whose it is; left out: yours.")] = None,
    operation: Annotated[str | None, typer.Option(metavar="ID", help="The operation that it is on.")] = None,
    kind: Annotated[str | None, typer.Option(metavar="KIND", help="What it does: patrol, convoy, flight …")] = None,
    domain: Annotated[str | None, typer.Option(metavar="ground|air|uas|sea", help="Where it moves.")] = None,
    start: FromOption = None,
    until: UntilOption = None,
    passphrase_file: PassphraseOption = None,
) -> int:
    """Say whose unit it is of which positions speak so. It holds for those that have come already, too."""
    faults = Faults()
    from_s, to_s = parse_window(start, until, faults)
    said = {name: text for name, text in (("callsign", callsign), ("uid", uid), ("icao", icao)) if text}
    if len(said) > 1 or not (said or unit):
        faults.add([Fault("which positions are meant is not said", "one of --callsign, --uid, --icao, --unit",
                          field="--callsign")])  # fmt: skip
    faults.stop_if_any()
    by, value = next(iter(said.items()), ("unit", unit or ""))
    asked = {
        "by": by, "value": value, "unit": unit, "party": party, "operation": operation, "kind": kind,
        "domain": domain, "start": _time(from_s), "end": _time(to_s),
    }  # fmt: skip
    with linked(directory, passphrase_file) as node:
        told = node.requests.post(
            "/positions/bindings", {name: text for name, text in asked.items() if text is not None}
        )
    whose = told["party"] or "nobody that is known"
    put([f"Rule {told['number']}: {told['by']} {plain(told['value'])} is {plain(told['unit'])} of {whose}.\n"], None)
    return 0


@app.command("status", short_help="Show the units of which there are positions.")
def status(directory: DirArgument, passphrase_file: PassphraseOption = None) -> int:
    """Show the units of which there are positions, and how yours stand to their operations."""
    with linked(directory, passphrase_file) as node:
        units, sharing = list(node.units()), [one for one in node.sharing() if one.ended_at is None]
    rows = [
        (one.bound.unit, one.bound.party or "?", one.source, str(one.count), time_text(one.end), one.state or "")
        for one in units
    ]
    told = (
        [table_text(["unit", "party", "source", "positions", "last", "state"], rows)] if rows else ["No positions.\n"]
    )
    told += [f"{plain(one.sentence)}\n" for one in units if one.sentence]
    told += [
        f"Shared on {one.line} ({one.number}): {plain(one.unit)}, "
        f"{'exactly' if one.grid_km is None else f'on a grid of {one.grid_km} km'}, every {one.every_s:g} s, "
        f"{one.delay_s:g} s late.\n"
        for one in sharing
    ]
    put(told, None)
    return 0


@app.command("share", short_help="Tell others where a unit of yours was.")
def share(
    directory: DirArgument,
    unit: Annotated[str, typer.Argument(metavar="UNIT", help="Which unit.")],
    start: FromOption = None,
    until: UntilOption = None,
    line: LineOption = None,
    to: ToOption = None,
    nobody: Annotated[
        bool, typer.Option("--nobody", help="Tell nobody; commit to it, so that it can be proved later.")
    ] = False,
    grid: Annotated[
        str, typer.Option("--grid", metavar="1|5|10|50|100|exact", help="How roughly: kilometres of the grid.")
    ] = "5",
    delay: Annotated[float, typer.Option("--delay", metavar="SECONDS", help="Keep the newest back so long.")] = 0.0,
    every: Annotated[
        float | None, typer.Option("--every", metavar="SECONDS", help="From now on so often, until it is ended.")
    ] = None,
    passphrase_file: PassphraseOption = None,
) -> int:
    """Tell others where a unit of yours was: to whom, how roughly and how late is your choice.

    The batch goes to them beside the log, and its hash stands in the log. With --every it goes on by itself.
    """
    faults = Faults()
    from_s, to_s = parse_window(start, until, faults)
    if grid not in (*_GRIDS, "exact"):
        faults.add([Fault("not a grid", f"one of: {', '.join(_GRIDS)}, exact", field="--grid", value=grid)])
    if nobody and to:
        faults.add([Fault("nobody, and somebody", "one of the two", field="--to")])
    if every is None and from_s is None:
        faults.add([Fault("missing", "from when: --from TIME; or --every SECONDS", field="--from")])
    faults.stop_if_any()
    asked: dict[str, Any] = {"unit": unit, "line": line, "delay_s": delay, "recipients": [] if nobody else to}
    asked |= {"exact": True} if grid == "exact" else {"grid_km": int(grid)}
    asked = {name: value for name, value in asked.items() if value is not None}
    with linked(directory, passphrase_file) as node:
        if every is not None:
            begun = node.requests.post("/positions/sharing", {**asked, "every_s": every} | _end("until", to_s))
            put([f"Sharing {begun['number']} has begun; end it: keepclear positions stop DIR {begun['number']}\n",
                 *later_text(node, directory)], None)  # fmt: skip
            return 0
        ended = _time(to_s) or _time(now_s())
        said = node.requests.post("/positions/shares", {**asked, "start": _time(from_s), "end": ended})["items"]
        for one in said:
            put([f"Said as {one['id']}: {one['count']} positions, batch {one['batch']}\n",
                 *(received_text(node, one["id"], directory) if not nobody else ())], None)  # fmt: skip
    return 0


@app.command("stop", short_help="Share no more of a unit.")
def stop(
    directory: DirArgument,
    number: Annotated[int, typer.Argument(metavar="NUMBER", help="Of what is shared, as status shows it.")],
    passphrase_file: PassphraseOption = None,
) -> int:
    """End what is shared as time goes by. What was shared stays with those who have it."""
    with linked(directory, passphrase_file) as node:
        ended = node.end_sharing(number)
    put([f"Sharing {ended.number} of {plain(ended.unit)} is ended.\n"], None)
    return 0


@app.command("prove", short_help="Write a batch, and the proof that it was committed to.")
def prove(
    directory: DirArgument,
    entry: Annotated[str, typer.Argument(metavar="ENTRY", help="PARTY:LINE:NUMBER of the entry that shares it.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FOLDER", help="Where to; else positions-ENTRY here.")
    ] = None,
    passphrase_file: PassphraseOption = None,
) -> int:
    """Write the positions of a batch, and the files that prove when it was committed to, for anybody to verify."""
    from keepclear.node.entry_ids import EntryId

    EntryId.parse(entry, field="ENTRY")
    folder = output or Path(f"positions-{entry.replace(':', '_')}")
    with linked(directory, passphrase_file) as node:
        data = node.prove_positions(entry)
    names = unpacked(data, folder)
    batch = next((name for name in names if name.endswith(".ndjson")), "")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        positions = archive.read(batch) if batch else b""
    from keepclear.watch.batches import batch_hash

    shown = plain(str(folder))
    command_line = verifying(names, folder)
    lines = [
        f"The batch and its proof are in {shown}: {', '.join(names)}\n",
        f"SHA-256 of {batch}: {batch_hash(positions)}, as the entry says.\n",
        *([f"Verify it: {command_line}\n"] if command_line else []),
    ]
    put(lines, None)
    return 0


def _batches(name: str, party: str, called: str | None) -> list[tuple[str, bytes]]:
    """The batches of one file, each small enough to be posted."""
    if name.lower().endswith(_LINES):
        right = f"lines of JSON, at most {_MOST_BYTES // 2**20} MiB"
        lines = [one for one in read_file(name, most_bytes=_MOST_BYTES, right=right).split(b"\n") if one.strip()]
        return [(name, b"\n".join(lines[at : at + _AT_ONCE])) for at in range(0, len(lines), _AT_ONCE)] or [(name, b"")]
    from keepclear.watch.batches import written

    return [(name, written(some)) for some in _in_batches(_pieces(name, party, called))]


def _pieces(name: str, party: str, called: str | None) -> Iterator[Piece]:
    import numpy as np

    from keepclear.formats.registry import read_many
    from keepclear.model.extents import TrackBasis
    from keepclear.watch.batches import Identity, Piece

    plans = read_many([name])
    for warning in plans.warnings:
        note(f"Note: {warning}")
    faults = [_not_ours(name, one, party) for one in plans.operations if one.party not in {party, called}]
    flown = [(one, track) for one in plans.operations for track in one.tracks if track.basis is TrackBasis.FLOWN]
    if not flown:
        faults.append(Fault("no flown track in it", "positions as they were reported, not a plan", file=name))
    if faults:
        raise InputError(faults)
    for one, track in flown:
        unsure = np.broadcast_to(np.asarray(track.uncertainty_m, dtype=np.float64), track.time_s.shape)
        columns = (np.round(track.time_s, 3), track.lon_deg, track.lat_deg, track.height_m, unsure)
        yield Piece(Identity(unit=one.id), track.height_reference, *columns)


def _not_ours(name: str, one: Operation, party: str) -> Fault:
    right = f"--called NAME if that is what the file calls you; FILE@{party} if it names no party"
    return Fault(f"it is a track of {one.party}, and this is the folder of {party}", right, name, one.id, "party",
                 one.party)  # fmt: skip


def _in_batches(pieces: Iterator[Piece]) -> Iterator[Sequence[Piece]]:
    import numpy as np

    waiting: list[Piece] = []
    for piece in pieces:
        for start in range(0, len(piece), _AT_ONCE):
            some = piece.taken(np.arange(start, min(start + _AT_ONCE, len(piece))))
            if sum(map(len, waiting)) + len(some) > _AT_ONCE:
                yield waiting
                waiting = []
            waiting.append(some)
    if waiting:
        yield waiting


def _posted_text(name: str, told: PostedTold) -> list[str]:
    units = ", ".join(sorted({one.unit for one in told.units})[:5])
    what = "taken before" if told.again else "taken"
    more = f" and {len(told.units) - 5} others" if len(told.units) > 5 else ""
    count = "1 position" if told.count == 1 else f"{told.count} positions"
    lines = [f"{plain(name)}: {count} of {plain(units)}{more} {what}.\n"]
    return [*lines, *(f"  {plain(one)}\n" for one in told.warnings)]


def _of_file(fault: Fault, name: str) -> Fault:
    from dataclasses import replace

    return replace(fault, file=name) if not fault.file else fault


def _time(time_s: float | None) -> str | None:
    from keepclear.times import to_text

    return None if time_s is None else to_text(time_s)


def _end(name: str, time_s: float | None) -> dict[str, str]:
    text = _time(time_s)
    return {} if text is None else {name: text}
