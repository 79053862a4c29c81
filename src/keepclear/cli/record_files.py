"""The files that a person hands to the commands of the record: read whole, but never more than such a file can be."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from keepclear.errors import Fault, InputError, PeerError

if TYPE_CHECKING:
    from keepclear.record.policies import Policy

__all__ = ["parsed", "pieces_of_file", "read_file", "read_policy"]

Value = TypeVar("Value")
_POLICY_BYTES = 1_000_000
_AT_ONCE = 2**20


def read_file(name: str, *, most_bytes: int, right: str) -> bytes:
    """The bytes of a file; ``-`` is standard input.

    Raises
    ------
    InputError
        If it cannot be read, or is larger than `most_bytes`; `right` says what was expected.
    """
    try:
        if name == "-":
            data = sys.stdin.buffer.read(most_bytes + 1)
        else:
            with Path(name).open("rb") as stream:
                data = stream.read(most_bytes + 1)
    except (OSError, ValueError) as error:  # ValueError: a name with a zero byte
        problem = f"cannot be read: {getattr(error, 'strerror', None) or error}"
        raise InputError(Fault(problem, right, file=name)) from None
    if len(data) > most_bytes:
        raise InputError(Fault(f"more than {most_bytes:,} bytes", right, file=name))
    return data


@contextmanager
def pieces_of_file(path: Path, *, right: str) -> Iterator[Iterator[bytes]]:
    """The bytes of a file of any length, piece by piece, while the block lasts.

    Raises
    ------
    InputError
        If it cannot be opened; `right` says what was expected.
    """
    try:
        file = path.open("rb")
    except (OSError, ValueError) as error:
        problem = f"cannot be read: {getattr(error, 'strerror', None) or error}"
        raise InputError(Fault(problem, right, file=str(path))) from None
    with file:
        yield iter(lambda: file.read(_AT_ONCE), b"")


def parsed(name: str, data: bytes, parse: Callable[[bytes], Value], *, right: str) -> Value:
    """What `parse` makes of a file that a person named: what is wrong with it is theirs to mend.

    Raises
    ------
    InputError
        Where `parse` raises `PeerError`.
    """
    try:
        return parse(data)
    except PeerError as error:
        raise InputError([Fault(line, right, file=name) for line in str(error).splitlines()]) from None


def read_policy(name: str) -> Policy:
    """The policy in a file.

    Raises
    ------
    InputError
        With everything that is wrong with it, by its lines.
    """
    from keepclear.record.policies import parse_policy

    data = read_file(name, most_bytes=_POLICY_BYTES, right="a policy file (C2SP tlog-policy)")
    return parse_policy(data, file=name)
