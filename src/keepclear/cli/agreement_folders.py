"""An agreement as it lies on a person's disk: a folder with ``agreement.yaml``, or the one file that parties sign."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from keepclear.cli.options import unshielded
from keepclear.cli.record_files import parsed, read_file
from keepclear.errors import Fault, InputError

if TYPE_CHECKING:
    from keepclear.agreements.checking import Checked
    from keepclear.agreements.documents import Document

__all__ = ["AgreementArgument", "checked_at", "document_at", "strangers_in"]

GivenT = TypeVar("GivenT")
FoundT = TypeVar("FoundT")
AgreementArgument = Annotated[
    str,
    typer.Argument(
        metavar="AGREEMENT",
        help="The folder of an agreement, its agreement.yaml, or the document as it is signed (.json).",
    ),
]
_RIGHT = "the folder of an agreement (keepclear agreement new makes one)"
_MOST_FILES = 2000


def checked_at(name: str) -> Checked:
    """The agreement there, with its terms read.

    Raises
    ------
    InputError
        With everything that is wrong with it.
    """
    from keepclear.agreements.checking import check_document  # with all types of terms

    return check_document(document_at(name), file=name)


def document_at(name: str) -> Document:
    """The document of the agreement there.

    Raises
    ------
    InputError
        With everything that is wrong with it.
    """
    from keepclear.agreements.documents import MOST_DOCUMENT_BYTES, Document
    from keepclear.agreements.reading import MAIN_FILE, files_named, read_agreement

    path = Path(unshielded(name))
    if path.suffix == ".json":
        data = read_file(str(path), most_bytes=MOST_DOCUMENT_BYTES, right=_RIGHT)
        return parsed(str(path), data, Document.of_bytes, right="the document that a proposal has brought")
    main = _main(path)
    files = {MAIN_FILE: read_file(str(main), most_bytes=MOST_DOCUMENT_BYTES, right=_RIGHT)}
    names = _told_of(main, files_named, files[MAIN_FILE])
    if len(names) > _MOST_FILES:
        raise InputError(Fault(f"it names {len(names)} files", f"at most {_MOST_FILES}", file=str(main)))
    faults = [fault for one in names if (fault := _outside(main, one)) is not None]
    if faults:
        raise InputError(faults)
    for one in names:
        if (main.parent / one).is_file():  # what is not there, the reader tells with its line
            files[one] = read_file(str(main.parent / one), most_bytes=MOST_DOCUMENT_BYTES, right="a smaller file")
    return _told_of(main, read_agreement, files)


def strangers_in(name: str) -> list[str]:
    """Files in the folder of an agreement that are no part of it."""
    from keepclear.agreements.documents import MOST_DOCUMENT_BYTES
    from keepclear.agreements.reading import files_named

    path = Path(unshielded(name))
    if path.suffix == ".json":
        return []
    main = _main(path)
    named = {
        main.name,
        *_told_of(main, files_named, read_file(str(main), most_bytes=MOST_DOCUMENT_BYTES, right=_RIGHT)),
    }
    found = sorted(one.name for one in main.parent.iterdir() if one.is_file() and not one.name.startswith("."))
    return [one for one in found if one not in named]


def _told_of(main: Path, read: Callable[[GivenT], FoundT], given: GivenT) -> FoundT:
    """What is wrong with files of an agreement, told of the files as they lie on the disk."""
    from keepclear.agreements.reading import MAIN_FILE

    try:
        return read(given)
    except InputError as error:
        places = {MAIN_FILE: main, "": main}
        faults = [replace(one, file=str(places.get(one.file, main.parent / one.file))) for one in error.faults]
        raise InputError(faults) from None


def _main(path: Path) -> Path:
    from keepclear.agreements.reading import MAIN_FILE

    return path / MAIN_FILE if path.is_dir() else path


def _outside(main: Path, name: str) -> Fault | None:
    """An agreement of somebody else's must not read what lies elsewhere on this disk."""
    folder = main.parent.resolve()
    path = Path(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name:
        return Fault("not a file of the folder", "a name, without a way out of it", file=str(main), value=name)
    if not (folder / path).resolve().is_relative_to(folder):
        return Fault("a link out of the folder", "the file itself", file=str(main), value=name)
    return None
