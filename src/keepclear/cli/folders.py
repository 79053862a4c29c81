"""The folder of a party that a person names on the command line, its sealed keys, and how keys are shown."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from keepclear.cli.record_files import read_file
from keepclear.cli.screen import plain
from keepclear.errors import Fault, InputError, PeerError

if TYPE_CHECKING:
    from keepclear.record.keys import VerifierKey
    from keepclear.store.party_folder import PartyFolder
    from keepclear.store.party_keys import Passphrase

__all__ = [
    "DirArgument",
    "LineOption",
    "PassphraseOption",
    "ToOption",
    "is_attended",
    "new_passphrase",
    "opened",
    "passphrase_of",
    "public_key",
    "recipients_of",
    "told_key",
    "unsealed",
]

_PASSPHRASE_BYTES = 10_000
_FILE_RIGHT = "a file whose first line is the passphrase"

DirArgument = Annotated[Path, typer.Argument(metavar="DIR", help="The folder of your party.")]
LineOption = Annotated[
    str | None, typer.Option("--line", metavar="NAME", help="Which line; may be left out where there is one.")
]
PassphraseOption = Annotated[
    str | None,
    typer.Option(
        "--passphrase-file", metavar="PATH", help="Keys are sealed with the first line of this file; - asks for it."
    ),
]
ToOption = Annotated[
    list[str] | None, typer.Option("--to", metavar="PARTY", help="Who is given the body; once for each party.")
]


def opened(path: Path, file: str | None) -> PartyFolder:
    """The folder; a passphrase is asked for when a sealed key is first needed."""
    from keepclear.store.party_folder import PartyFolder

    return PartyFolder(path, passphrase=_asked(file))


def passphrase_of(file: str | None) -> Passphrase | None:
    """How a node comes by its passphrase: as the command says, or, with None, as its settings do."""
    return None if file is None else _asked(file)


def _asked(file: str | None) -> Passphrase:
    known: list[str] = []

    def passphrase(key_file: Path) -> str:
        if not known:
            known.append(_read(file, f"Passphrase of {key_file}: "))
        return known[0]

    return passphrase


def new_passphrase(file: str | None) -> str | None:
    """The passphrase that new keys are to be sealed with; None if there is to be none.

    Raises
    ------
    InputError
        If it is empty, cannot be read, or was not typed twice alike.
    """
    if file is None:
        return None
    text = _read(file, "New passphrase: ")
    if not text:
        raise InputError(Fault("the passphrase is empty", _FILE_RIGHT, field="--passphrase-file"))
    if file == "-" and getpass.getpass("The same again: ") != text:
        raise InputError(Fault("the two are not the same", "type it twice alike", field="--passphrase-file"))
    return text


def unsealed(sealed_with: str | None, what: str) -> list[str]:
    """What to say of new keys that are not sealed."""
    if sealed_with is not None:
        return []
    return [f"{what} not sealed with a passphrase: only the owner of the file can read it.\n"]


def public_key(text: str) -> VerifierKey:
    """A public key as people hand it to each other.

    Raises
    ------
    InputError
        If it is none.
    """
    from keepclear.record.keys import VerifierKey

    try:
        return VerifierKey.of_text(text.strip())
    except PeerError as error:
        right = "a public key as `keepclear key show` gives it"
        raise InputError(Fault(str(error), right, field="KEY", value=text)) from None


def told_key(key: VerifierKey) -> list[str]:
    """A key and its words, for people."""
    from keepclear.record.fingerprints import words

    return [f"{plain(key.text)}\n", f"  {' '.join(words(key))}\n"]


def recipients_of(folder: PartyFolder, to: Sequence[str] | None) -> tuple[str, ...]:
    """Who an entry is addressed to, each once.

    Raises
    ------
    InputError
        If one is no party's name, or is ourselves.
    """
    from keepclear.record.names import NAME_RIGHT, is_name

    names = tuple(dict.fromkeys(to or ()))
    faults = [Fault("not a party's name", NAME_RIGHT, field="--to", value=name) for name in names if not is_name(name)]
    faults += [
        Fault("that is yourselves", "the other parties", field="--to", value=name)
        for name in names
        if name == folder.party
    ]
    if faults:
        raise InputError(faults)
    return names


def _read(file: str | None, prompt: str) -> str:
    if file not in (None, "-"):
        data = read_file(str(file), most_bytes=_PASSPHRASE_BYTES, right=_FILE_RIGHT)
        try:
            return data.decode().split("\n")[0].rstrip("\r")
        except UnicodeDecodeError:
            raise InputError(Fault("not text in UTF-8", _FILE_RIGHT, file=str(file))) from None
    if not is_attended():
        problem = "a passphrase is needed, and there is nobody at a terminal to ask"
        raise InputError(Fault(problem, "give --passphrase-file PATH", field="--passphrase-file"))
    try:
        return getpass.getpass(prompt)
    except EOFError:
        problem = "a passphrase is needed, and none was typed"
        raise InputError(Fault(problem, "type it, or give --passphrase-file PATH", field="--passphrase-file")) from None


def is_attended() -> bool:
    """Whether there is a terminal to ask at, though standard input may be something else."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return sys.stdin is not None and sys.stdin.isatty()
    return True
