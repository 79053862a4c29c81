"""``keepclear log export|import``: logs that travel between parties on whatever carries a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from keepclear.cli.folders import DirArgument, LineOption, PassphraseOption, opened, public_key
from keepclear.cli.log_claims import certified, claimed_origin, entries_of, opened_mirror, standing
from keepclear.cli.options import Faults, parse_choice
from keepclear.cli.output import check_output, put
from keepclear.cli.screen import note, plain
from keepclear.cli.which_log import LogOption, OfOption, log_of
from keepclear.errors import Fault, InputError, IntegrityError, PeerError

if TYPE_CHECKING:
    from keepclear.record.entries import Entry
    from keepclear.store.log_store import LogStore
    from keepclear.store.mirror import Mirror
    from keepclear.store.party_folder import PartyFolder

__all__ = ["export", "import_log"]

_NO_RECEIPT = 1
_SHOWN = 20


def export(
    directory: DirArgument,
    output: Annotated[Path, typer.Argument(metavar="PATH", help="A folder for tiles, a file for lines.")],
    line: LineOption = None,
    of: OfOption = None,
    origin: LogOption = None,
    form: Annotated[
        str, typer.Option("--format", metavar="tiles|lines", help="Tiles hold leaves alone, lines bodies too.")
    ] = "tiles",
    reader: Annotated[
        str | None, typer.Option("--for", metavar="PARTY", help="Of lines: put in the bodies addressed to this party.")
    ] = None,
    whole: Annotated[
        bool, typer.Option("--with-all-bodies", help="Of lines: put in every body, also what was kept back.")
    ] = False,
) -> int:
    """Write a log as a folder that any web server can publish (C2SP tlog-tiles), or as JSON lines.

    A folder that holds an earlier state of the log is brought up to date. Lines hold leaves alone, unless you say whose
    bodies to put in.
    """
    from keepclear.cli.log_reading import entry_lines
    from keepclear.record.names import check_name
    from keepclear.store.tile_directory import export_log

    faults = Faults()
    chosen = faults.take("--format", form, parse_choice("tiles", "lines"))
    faults.take("--for", reader, lambda text: check_name(text, field="party"))
    if chosen == "lines":
        faults.add(check_output(output, []))
    elif reader is not None or whole:
        faults.add([Fault("tiles hold no bodies", "--format lines", field="--for" if reader else "--with-all-bodies")])
    if reader is not None and whole:
        faults.add([Fault("either the bodies for one party, or all", "leave out one of the two", field="--for")])
    if chosen == "tiles" and output.exists() and not output.is_dir():
        faults.add([Fault("a file, where tiles go into a folder", "a folder, or --format lines", file=str(output))])
    faults.stop_if_any()
    folder = opened(directory, None)
    _must_be_outside(output, folder)
    with folder.store(readonly=True) as store:
        log = log_of(store, folder, line=line, of=of, origin=origin)
        if chosen == "lines":
            count = _Counted()
            lines = entry_lines(log, 0, shown=lambda leaf: count.add(whole or reader in leaf.recipients))
            put(lines, output, private=whole or reader is not None)
            whose = "every body that is here" if whole else f"the bodies of {count.of:,} of them for {reader}"
            with_bodies = whose if whole or reader is not None else "no bodies"
            put([plain(f"{log.size:,} entries of {log.origin} with {with_bodies}.") + "\n"], None)
        else:
            files = export_log(log, output)
            put([plain(f"{log.origin}: {log.size:,} entries, {files:,} files written.") + "\n"], None)
    return 0


def import_log(
    directory: DirArgument,
    source: Annotated[Path, typer.Argument(metavar="PATH", help="A folder of tiles.")],
    key: Annotated[
        str | None,
        typer.Option("--key", metavar="KEY", help="The log's public key; needed the first time, or --identity."),
    ] = None,
    identity: Annotated[
        str | None,
        typer.Option(
            "--identity",
            metavar="KEY",
            help="The party's identity, once you compared its words: it must have certified.",
        ),
    ] = None,
    bodies: Annotated[
        str | None, typer.Option(metavar="FILE", help="Entries with the bodies that are for you, as JSON lines.")
    ] = None,
    receipt: Annotated[
        Path | None, typer.Option(metavar="PATH", help="Cosign what you now hold whole, and write it here.")
    ] = None,
    passphrase_file: PassphraseOption = None,
) -> int:
    """Take in another party's log: everything is verified, and what contradicts what you hold is refused and kept.

    With --identity the log's key must be one that this identity certified; it is remembered. The receipt says that you
    hold every leaf, and every body addressed to you that you did not refuse; nothing else, and above all no consent.
    Exit status: 0 taken in, 1 something did not hold or there could be no receipt, 2 bad input.
    """
    from keepclear.store.key_statements import trust
    from keepclear.store.tile_directory import import_log as take_in

    faults = Faults()
    faults.add(check_output(receipt, []))
    known = faults.take("--key", key, public_key)
    compared = faults.take("--identity", identity, public_key)
    faults.stop_if_any()
    folder = opened(directory, passphrase_file)
    with folder.store() as store:
        origin = claimed_origin(store, folder, source, compared)
        periods = certified(store, folder, origin, compared, bodies)
        mirror = opened_mirror(store, folder, source, origin, known, periods)
        before = mirror.size
        take_in(mirror, source)
        if compared is not None:
            trust(store, compared)
        put([plain(f"{origin}: {mirror.size:,} entries are held, {mirror.size - before:,} of them new.") + "\n"], None)
        put([standing(periods, mirror.key) + "\n"], None)
        fine = bodies is None or _take_bodies(store, mirror, bodies)
        wanted = mirror.wanted(limit=_SHOWN + 1)
        if wanted:
            shown = ", ".join(map(str, wanted[:_SHOWN])) + (" and more" if len(wanted) > _SHOWN else "")
            put([f"Not here are the bodies of entries {shown}: ask for them, or say `keepclear log refuse`.\n"], None)
        if receipt is not None:
            fine = _write_receipt(folder, mirror, receipt) and fine
    return 0 if fine else _NO_RECEIPT


class _Counted:
    """How often the answer was yes."""

    def __init__(self) -> None:
        self.of = 0

    def add(self, answer: bool) -> bool:
        self.of += answer
        return answer


def _must_be_outside(output: Path, folder: PartyFolder) -> None:
    """What is published must not lie among the keys."""
    if output.resolve().is_relative_to(folder.path.resolve()):
        raise InputError(Fault("that is inside your party's folder", "a place outside it", file=str(output)))


def _take_bodies(store: LogStore, mirror: Mirror, name: str) -> bool:
    """Keep the bodies of a file that are wanted; whether all of them were what the leaves say."""
    wanted: dict[bytes, list[int]] = {}
    for index in mirror.wanted(limit=mirror.size):
        wanted.setdefault(mirror.leaf(index), []).append(index)
    taken, fine = 0, True
    for entry in entries_of(name):
        if entry.body is None:
            continue
        for index in wanted.pop(entry.leaf.raw, []):
            try:
                _check_opening(store, mirror, entry)
                mirror.put_body(index, entry)
                taken += 1
            except (PeerError, IntegrityError) as error:
                note(f"{name}: the body of entry {index} was not taken in: {error}")
                fine = False
    put([f"{taken:,} bodies were taken in.\n"], None)
    return fine


def _check_opening(store: LogStore, mirror: Mirror, entry: Entry) -> None:
    """A wrong opening is refused: it is not kept as the body that it claims to be."""
    from keepclear.record.bodies.committed import OpeningBody
    from keepclear.record.entry_types import EntryType
    from keepclear.store.openings import check_opening_held

    if entry.leaf.type == EntryType.OPENING and entry.leaf.version == OpeningBody.VERSION and entry.body is not None:
        check_opening_held(OpeningBody.of_bytes(entry.body), mirror.origin, store)


def _write_receipt(folder: PartyFolder, mirror: Mirror, path: Path) -> bool:
    """Cosign, if all is held; whether that could be done."""
    from keepclear.clock import now_s
    from keepclear.record.names import KeyName, Purpose

    party, line = mirror.origin.split("/")[:2]
    if mirror.wanted(limit=1):
        note(f"No receipt is written: not every body addressed to {folder.party} is here or refused")
        return False
    mirror.cosign(folder.signing_key(KeyName(folder.party, Purpose.MIRROR, line)), time_s=int(now_s()))
    put([mirror.checkpoint().decode()], path)
    put([plain(f"The receipt for {mirror.size:,} entries is in {path}; hand it to {party}.") + "\n"], None)
    return True
