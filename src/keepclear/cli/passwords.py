"""Passwords that are asked for at a terminal, or read from a file; never taken from the command line, which all see."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from keepclear.cli.folders import is_attended
from keepclear.cli.record_files import read_file
from keepclear.errors import Fault, InputError

__all__ = ["PasswordOption", "known_password", "new_password"]

_MOST_BYTES = 10_000
_RIGHT = "a file whose first line is the password; - for standard input"

PasswordOption = Annotated[
    str | None,
    typer.Option(
        "--password-file", metavar="PATH", help="Take the first line of this file; - is standard input. Else it asks."
    ),
]


def known_password(file: str | None, *, whose: str) -> str:
    """A password that is theirs: the first line of a file, or typed once.

    Raises
    ------
    InputError
        If there is nobody to ask, or the file cannot be read.
    """
    if file is not None:
        return new_password(file, whose=whose)
    if not is_attended():
        problem = "a password is needed, and there is nobody at a terminal to ask"
        raise InputError(Fault(problem, "give --password-file PATH, or - and the password", field="--password-file"))
    try:
        return getpass.getpass(f"Password of {whose}: ")
    except EOFError:
        raise InputError(Fault("a password is needed, and none was typed", field="--password-file")) from None


def new_password(file: str | None, *, whose: str) -> str:
    """A new password: the first line of a file, or typed twice alike.

    Raises
    ------
    InputError
        If there is nobody to ask, the two are not alike, or the file cannot be read.
    """
    if file is not None:
        data = read_file(file, most_bytes=_MOST_BYTES, right=_RIGHT)
        try:
            return data.decode().split("\n")[0].rstrip("\r")
        except UnicodeDecodeError:
            raise InputError(Fault("not text in UTF-8", _RIGHT, file=file)) from None
    if not is_attended():
        problem = "a password is needed, and there is nobody at a terminal to ask"
        raise InputError(Fault(problem, "give --password-file PATH, or - and the password", field="--password-file"))
    try:
        typed = getpass.getpass(f"New password for {whose}: ")
        again = getpass.getpass("The same again: ")
    except EOFError:
        raise InputError(Fault("a password is needed, and none was typed", field="--password-file")) from None
    if typed != again:
        raise InputError(Fault("the two are not the same", "type it twice alike", field="--password-file"))
    return typed
