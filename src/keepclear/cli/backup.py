"""``keepclear backup``, ``restore``, ``rebuild`` and ``export``: a node kept, put back, made anew, and shown."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from keepclear.cli.folders import DirArgument, LineOption, PassphraseOption, is_attended, new_passphrase, passphrase_of
from keepclear.cli.node_link import confirmed, folder_of
from keepclear.cli.output import put
from keepclear.cli.screen import plain
from keepclear.errors import Fault, InputError

__all__ = ["backup", "export", "rebuild", "restore"]

BackupPassphrase = Annotated[
    str | None,
    typer.Option("--sealed-with", metavar="PATH", help="The backup's passphrase: the first line of this file; - asks."),
]


def backup(
    directory: DirArgument,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file that is made, on another disk.")],
    sealed_with: BackupPassphrase = None,
    without_keys: Annotated[
        bool, typer.Option("--without-keys", help="Leave private keys and passwords out; it need not be sealed.")
    ] = False,
) -> int:
    """Copy your node into one file: logs, database, settings and keys. The node may run meanwhile.

    It is sealed with a passphrase, since there are private keys in it. Without that passphrase nobody can restore it,
    and neither can you.
    """
    from keepclear.clock import now_s
    from keepclear.node.backup import back_up

    folder = folder_of(directory)
    ask = "-" if sealed_with is None and not without_keys and is_attended() else sealed_with
    passphrase = new_passphrase(ask)
    made = back_up(folder, file, passphrase=passphrase, at_s=now_s(), with_keys=not without_keys)
    sealed = "sealed with the passphrase" if passphrase is not None else "not sealed: whoever has it can read it"
    keys = "with the private keys" if made.has_keys else "without the private keys"
    put([f"{plain(str(file))}: {made.size_bytes:,} bytes, {len(made.members)} files, {keys}, {sealed}.\n"], None)
    return 0


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE|DIR", help="The backup; with --begin-anew the node's folder.")],
    directory: Annotated[
        Path | None, typer.Argument(metavar="DIR", help="The folder that is made.", show_default=False)
    ] = None,
    sealed_with: BackupPassphrase = None,
    begin_anew: Annotated[
        bool, typer.Option("--begin-anew", help="Begin new logs in the place of restored ones that wait for others.")
    ] = False,
    line: LineOption = None,
    passphrase_file: PassphraseOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before beginning anew.")] = False,
) -> int:
    """Put a node back from a backup.

    Started, it says nothing on a line before every other member has shown what it holds of your log, and brings back
    what was said since the backup was made. If somebody cannot be reached any more, begin a new log that names the old
    one: stop the node, and give --begin-anew with its folder.
    """
    if begin_anew:
        if directory is not None:
            raise InputError(Fault("two folders are given", "keepclear restore --begin-anew DIR", field="DIR"))
        return _begin_anew(file, line, passphrase_file, yes=yes)
    if directory is None:
        raise InputError(Fault("the folder to be made is missing", "keepclear restore FILE DIR", field="DIR"))
    from keepclear.node.backup_opening import restore as restored

    asking = passphrase_of(sealed_with or "-")
    assert asking is not None
    told = restored(file, directory, passphrase=lambda: asking(file))
    shown = plain(str(directory))
    lines = [f"The node of {plain(told.party)}, as it was at {plain(told.made)}, is in {shown}.\n"]
    if not told.has_keys:
        lines.append(f"Its private keys are not in the backup: put them into {plain(str(directory / 'keys'))}.\n")
    lines += [
        "Make sure that the old one does not run any more: two that speak for you make two histories.\n",
        f"Next: keepclear serve {shown}\n",
        "It says nothing on a line before every member has shown what it holds of your log; FLASH goes out.\n",
    ]
    put(lines, None)
    return 0


def rebuild(directory: DirArgument, passphrase_file: PassphraseOption = None) -> int:
    """Make all tables anew that follow from the logs. The node must not run.

    Nothing is lost by it, and nothing changes that should not: it is for a database that is thought to be damaged.
    """
    from keepclear.node.running import Node

    folder = folder_of(directory, passphrase_file)
    with folder.lock(), Node.open(folder) as node:
        steps = node.projector.rebuild()
    put([f"{plain(str(directory))}: made anew from the logs, in {steps:,} steps.\n"], None)
    return 0


def export(
    directory: DirArgument,
    output: Annotated[Path, typer.Argument(metavar="PATH", help="The folder that they are written into.")],
    line: LineOption = None,
) -> int:
    """Write what your party has said into a folder: tiles that anybody can verify, entries with their bodies, receipts.

    Only your own logs: what others told you was told to you. The node may run meanwhile. keepclear encounter reads such
    a folder, with a policy that names your log and its cosigners.
    """
    from keepclear.node.exporting import export_own

    folder = folder_of(directory)
    store = folder.open_records(readonly=True)
    try:
        done = export_own(store, output, line=line)
    finally:
        store.close()
    for one in done:
        left = f", of which {one.unread} cannot be read" if one.unread else ""
        put([f"{one.origin}: {one.entries:,} entries{left}, in {plain(str(one.folder))}.\n"], None)
    return 0


def _begin_anew(directory: Path, line: str | None, passphrase_file: str | None, *, yes: bool) -> int:
    from keepclear.node.running import Node

    folder = folder_of(directory, passphrase_file)
    with folder.lock(), Node.open(folder) as node:
        waiting = [one for one in node.records.lines() if node.records.restored(one)]
        chosen = [one for one in waiting if line is None or one == line]
        if not chosen:
            right = f"one of: {', '.join(waiting)}" if waiting else "nothing to do: no log waits for others"
            raise InputError(Fault("no restored log waits there", right, field="--line", value=line or ""))
        question = (
            f"What {node.party} said on {', '.join(chosen)} since the backup stays in the old log, which says nothing"
            " any more. Begin a new one?"
        )
        if not confirmed(question, yes=yes):
            return 1
        for one in chosen:
            membership = node.memberships.of(one)
            others = sorted(set(membership.members if membership else ()) - {node.party})
            origin = node.records.begin_anew(one, recipients=others, old_is_lost=True)
            put([f"{one}: {origin} is your log from now on; it names the one before.\n"], None)
    return 0
