"""``keepclear proof``: the files that prove an entry to anybody, without a node."""

from __future__ import annotations

import io
import shlex
import zipfile
from pathlib import Path
from typing import Annotated

import typer

from keepclear.cli.folders import DirArgument, PassphraseOption
from keepclear.cli.node_link import linked
from keepclear.cli.output import put
from keepclear.cli.screen import plain
from keepclear.errors import Fault, InputError, StoreError
from keepclear.store.files import write_whole

__all__ = ["command", "unpacked", "verifying"]

_MOST_BYTES = 128 * 2**20


def command(
    directory: DirArgument,
    entry: Annotated[str, typer.Argument(metavar="ENTRY", help="PARTY:LINE:NUMBER, as the inbox shows it.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FOLDER", help="Where to; else proof-ENTRY here.")
    ] = None,
    passphrase_file: PassphraseOption = None,
) -> int:
    """Write the proof that an entry was said, by whom, and who had received it by when.

    Whoever has the files needs nothing else but `keepclear verify`: no network, no node, and no trust in you.
    """
    from keepclear.node.entry_ids import EntryId

    EntryId.parse(entry, field="ENTRY")
    folder = output or Path(f"proof-{entry.replace(':', '_')}")
    with linked(directory, passphrase_file) as node:
        data = node.requests.octets(f"/entries/{entry}/proof")
    names = unpacked(data, folder)
    shown = plain(str(folder))
    lines = [f"The proof of {entry} is in {shown}: {', '.join(names)}\n"]
    command_line = verifying(names, folder)
    put([*lines, *([f"Verify it: {command_line}\n"] if command_line else [])], None)
    return 0


def unpacked(data: bytes, folder: Path) -> list[str]:
    """Write the files of an archive into a folder, and nowhere else; their names."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(Fault("there is something already", "an empty folder: --output", value=str(folder)))
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = archive.infolist()
            if sum(info.file_size for info in infos) > _MOST_BYTES:
                raise InputError(Fault("the node sent more than a proof can be"))
            folder.mkdir(parents=True, exist_ok=True)
            for info in infos:
                write_whole(folder / Path(info.filename).name, archive.read(info))
    except zipfile.BadZipFile:
        raise StoreError("the node sent no archive") from None
    except OSError as error:
        raise StoreError(f"{folder}: cannot be written: {error.strerror or error}") from error
    return [Path(info.filename).name for info in infos]


def verifying(names: list[str], folder: Path) -> str:
    """The command that verifies the proof."""
    proof = next((name for name in names if name.endswith(".tlog-proof")), None)
    policy = next((name for name in names if "policy" in name), None)
    entry = next((name for name in names if name.endswith(".json") and "entry" in name), None)
    if proof is None or policy is None or entry is None:
        return ""
    proof, entry, policy = (plain(shlex.quote(str(folder / name))) for name in (proof, entry, policy))
    return f"keepclear verify {proof} --entry {entry} --policy {policy}"
