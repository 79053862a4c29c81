"""``keepclear log new|say|file``: what is added to a party's own log."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from keepclear.cli.folders import (
    DirArgument,
    LineOption,
    PassphraseOption,
    ToOption,
    new_passphrase,
    opened,
    recipients_of,
    unsealed,
)
from keepclear.cli.options import Faults, check_files, parse_choice, unshielded
from keepclear.cli.output import put
from keepclear.cli.record_files import read_file
from keepclear.cli.screen import note
from keepclear.errors import Fault, InputError
from keepclear.record.names import check_name

if TYPE_CHECKING:
    from keepclear.model.operations import Operation, Plans, Zone
    from keepclear.record.bodies.base import Body
    from keepclear.record.entries import EntryRef
    from keepclear.store.party_folder import PartyFolder

_ANYTHING = "application/octet-stream"
Plan = TypeVar("Plan", "Operation", "Zone")

__all__ = ["file", "new", "plan_bodies", "said_text", "say"]

_ExerciseOption = Annotated[bool, typer.Option("--exercise", help="It is said in an exercise, and marked so for ever.")]
_KeepBackOption = Annotated[
    bool,
    typer.Option("--keep-back", help="Commit to it now, and show it to nobody until `keepclear log open`."),
]


def new(
    directory: DirArgument,
    line: Annotated[str, typer.Option("--line", metavar="NAME", help="What the line is called by all on it.")],
    to: ToOption = None,
    passphrase_file: PassphraseOption = None,
) -> int:
    """Begin your log on a line: a key that signs it, a key that cosigns the others', and certificates for both."""
    from keepclear.clock import now_s
    from keepclear.store.key_changes import begin_log

    folder = opened(directory, passphrase_file)
    check_name(line, field="line")
    recipients, sealed_with = recipients_of(folder, to), new_passphrase(passphrase_file)
    with folder.store() as store:
        log, refs = begin_log(
            folder, store, line, time_s=now_s(), recipients=recipients, sealed_with=sealed_with
        )  # fmt: skip
    whom = f"for {', '.join(recipients)}" if recipients else "addressed to nobody (keepclear key certify does it later)"
    put(
        [
            f"{log.origin} is begun; its first {len(refs)} entries certify its keys, {whom}.\n{log.key.text}\n",
            *unsealed(sealed_with, "The private parts of its keys are"),
        ],
        None,
    )
    return 0


def say(
    directory: DirArgument,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What is said; - is standard input.")],
    line: LineOption = None,
    to: ToOption = None,
    priority: Annotated[
        str, typer.Option(metavar="routine|short|immediate|flash", help="How soon it must be answered.")
    ] = "routine",
    language: Annotated[str | None, typer.Option(metavar="TAG", help="Of the text, for example ar or en.")] = None,
    attach: Annotated[list[str] | None, typer.Option(metavar="FILE", help="A file that goes with it.")] = None,
    exercise: _ExerciseOption = False,
    keep_back: _KeepBackOption = False,
    passphrase_file: PassphraseOption = None,
) -> int:
    """Say something in words. It is in the log for ever; whom it was told to, the log says too."""
    from keepclear.record.bodies.base import MOST_TEXT
    from keepclear.record.bodies.talk import AttachmentNote, MessageBody, Priority

    faults = Faults()
    chosen = faults.take("--priority", priority, parse_choice(*Priority))
    if keep_back and attach:
        faults.add([Fault("what is kept back has no attachments", "leave out one of the two", field="--attach")])
    faults.add(check_files([*(attach or ()), *([text] if text == "-" else [])]))
    faults.stop_if_any()
    if text == "-":
        text = _utf8(read_file("-", most_bytes=4 * MOST_TEXT, right="text in UTF-8"))
    files = [(Path(name), read_file(name, most_bytes=_most_attachment(), right="a file")) for name in attach or ()]
    notes = [
        AttachmentNote(
            name=_printable(path.name), media_type=mimetypes.guess_type(path)[0] or _ANYTHING, size_bytes=len(data)
        )
        for path, data in files
    ]
    body = MessageBody(text=text, priority=Priority(chosen or ""), language=language, attachments=notes)
    folder = opened(directory, passphrase_file)
    refs = _append(folder, line, to, [body], exercise=exercise, keep_back=keep_back, attachments=[d for _, d in files])
    put(said_text(refs, to, keep_back=keep_back), None)
    return 0


def file(
    directory: DirArgument,
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Plans in any format that can be read.")],
    line: LineOption = None,
    to: ToOption = None,
    exercise: _ExerciseOption = False,
    keep_back: _KeepBackOption = False,
    called: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="What the files call you; what you file has your party's name."),
    ] = None,
    passphrase_file: PassphraseOption = None,
) -> int:
    """Say what you plan: every operation and zone of the files becomes an entry, all of them or none.

    Only plans of your own party are taken; FILE@PARTY says that a file without parties is yours.
    """
    from keepclear.formats.registry import read_many

    faults = Faults()
    files = [unshielded(name) for name in files]
    faults.add(check_files(files))
    faults.stop_if_any()
    folder = opened(directory, passphrase_file)
    plans = read_many(files)
    for warning in plans.warnings:
        note(f"Note: {warning}")
    bodies = plan_bodies(plans, folder.party, called)
    if not bodies:
        raise InputError([Fault("there is no operation and no zone in it", "a plan", file=name) for name in files])
    refs = _append(folder, line, to, bodies, exercise=exercise, keep_back=keep_back)
    put(said_text(refs, to, keep_back=keep_back), None)
    return 0


def _append(
    folder: PartyFolder,
    line: str | None,
    to: list[str] | None,
    bodies: Iterable[Body],
    *,
    exercise: bool,
    keep_back: bool,
    attachments: Iterable[bytes] = (),
) -> tuple[EntryRef, ...]:
    from keepclear.clock import now_s
    from keepclear.record.bodies.committed import CommitmentBody
    from keepclear.store.saying import entry_said

    if keep_back:
        if to:
            raise InputError(
                Fault("what is kept back is shown to nobody", "leave out --to, or --keep-back", field="--to")
            )
        bodies = [CommitmentBody(type=str(body.TYPE), v=body.VERSION, body=body.members()) for body in bodies]
    line = folder.line_of(line)
    recipients = recipients_of(folder, to)
    with folder.store() as store:
        log = folder.own_log(store, line)
        time_s = now_s()
        entries = [
            entry_said(
                body, line=line, party=folder.party, time_s=time_s, recipients=recipients, exercise=exercise,
                attachments=attachments,
            )
            for body in bodies
        ]  # fmt: skip
        return log.append(entries)


def plan_bodies(plans: Plans, party: str, called: str | None) -> list[Body]:
    """The plans of a party as bodies; `called` is what the files call it.

    Raises
    ------
    InputError
        If one is another party's.
    """
    from keepclear.record.bodies.plans import OperationBody, ZoneBody

    operations = [_renamed(one, called, party) for one in plans.operations]
    zones = [_renamed(one, called, party) for one in plans.zones]
    things: tuple[Operation | Zone, ...] = (*operations, *zones)
    faults = [
        Fault(
            f"it is a plan of {thing.party}, and this is the folder of {party}",
            f"file your own; --called NAME if that is what the file calls you; FILE@{party} if it names no party",
            file=thing.source.file,
            feature=thing.id,
            field="party",
            value=thing.party,
        )
        for thing in things
        if thing.party != party
    ]
    if faults:
        raise InputError(faults)
    return [
        *(OperationBody.of_model(operation) for operation in operations),
        *(ZoneBody.of_model(zone) for zone in zones),
    ]


def _renamed(thing: Plan, called: str | None, party: str) -> Plan:
    return thing if called is None or thing.party != called else replace(thing, party=party)


def said_text(refs: tuple[EntryRef, ...], to: list[str] | None, *, keep_back: bool) -> list[str]:
    """What a person is told of entries that were said: where they stand, and that nobody has them by this alone."""
    first, last = refs[0], refs[-1]
    which = f"entry {first.index}" if first == last else f"entries {first.index} to {last.index}"
    if keep_back:
        return [f"Committed to as {which} of {first.origin}; the body is here alone.\n"]
    whom = f"for {', '.join(dict.fromkeys(to))}" if to else "addressed to nobody"
    return [f"Said as {which} of {first.origin}, {whom}. Nobody has been told by this alone.\n"]


def _most_attachment() -> int:
    from keepclear.record.entries import MOST_ATTACHMENT_BYTES

    return MOST_ATTACHMENT_BYTES


def _printable(name: str) -> str:
    """A file's name as it may be told to others; what a disk calls it need not be text."""
    if not name.isprintable():
        raise InputError(
            Fault("a name that cannot be told to others", "rename the file", field="--attach", value=ascii(name))
        )
    return name


def _utf8(data: bytes) -> str:
    try:
        return data.decode().removesuffix("\n")
    except UnicodeDecodeError:
        raise InputError(Fault("not text in UTF-8", "text in UTF-8", file="-")) from None
