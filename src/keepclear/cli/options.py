"""What people write after an option, turned into values; every fault is collected, not only the first."""

from __future__ import annotations

import difflib
import math
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from keepclear.errors import Fault, InputError
from keepclear.times import parse_time

__all__ = [
    "Faults",
    "check_files",
    "days_s",
    "parse_area",
    "parse_choice",
    "parse_jobs",
    "parse_numbers",
    "parse_seconds",
    "parse_window",
    "refuse_unknown",
    "shielded",
    "unshielded",
]

Value = TypeVar("Value")
_DAY_S = 86_400.0
_SHIELD = "\0"  # which no argument of a program can hold
_AREA = "west,south,east,north in degrees, for example 40,36.8,42.4,37.4 (west may be greater than east)"


class Faults:
    """The faults of one command line."""

    def __init__(self) -> None:
        self.found: list[Fault] = []

    def take(self, option: str, text: str | None, parse: Callable[[str], Value]) -> Value | None:
        """What `parse` makes of `text`, or None if it is absent or wrong; what is wrong is kept."""
        if text is None:
            return None
        try:
            return parse(text)
        except InputError as error:
            self.found += [Fault(f.problem, f.right, f.file, f.feature, option, f.value or text) for f in error.faults]
            return None

    def add(self, faults: Iterable[Fault]) -> None:
        """Keep these too."""
        self.found += faults

    def stop_if_any(self) -> None:
        """Raise `InputError` with everything that was wrong."""
        if self.found:
            raise InputError(self.found)


def parse_numbers(text: str) -> list[float]:
    """Numbers separated by commas.

    Raises
    ------
    InputError
        If one of them is not a finite number.
    """
    parts = text.split(",")
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        raise InputError(Fault("not numbers separated by commas", "for example 500,300", value=text)) from None
    if not all(math.isfinite(number) for number in numbers):
        raise InputError(Fault("not finite numbers", "for example 500,300", value=text))
    return numbers


def parse_area(text: str) -> tuple[float, float, float, float]:
    """West, south, east, north in degrees; an area that crosses the antimeridian has its west east of its east.

    Raises
    ------
    InputError
        If there are not four numbers, or they are out of range or in the wrong order.
    """
    numbers = parse_numbers(text)
    if len(numbers) != 4:
        raise InputError(Fault("not an area", _AREA, value=text))
    west, south, east, north = numbers
    if not (abs(west) <= 180.0 and abs(east) <= 180.0 and abs(south) <= 90.0 and abs(north) <= 90.0):
        raise InputError(Fault("out of range", _AREA, value=text))
    if north < south:
        raise InputError(Fault("the north is south of the south", _AREA, value=text))
    return west, south, east, north


def parse_seconds(text: str) -> float:
    """Seconds, more than 0.

    Raises
    ------
    InputError
        If it is no such number.
    """
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0.0 < seconds < math.inf:
        raise InputError(Fault("not a number of seconds", "a number greater than 0", value=text))
    return seconds


def days_s(days: float, *, most: float) -> float:
    """Days as seconds: more than none, and no more than `most`.

    Raises
    ------
    InputError
        If there are fewer or more.
    """
    if not 0.001 <= days <= most:  # a NaN is neither
        raise InputError(Fault("not for how long", f"from 0.001 to {most:g} days", field="--days", value=f"{days:g}"))
    return days * _DAY_S


def parse_jobs(text: str) -> int:
    """Threads: 0 is as many as there are cores.

    Raises
    ------
    InputError
        If it is not a whole number from 0 to 1024.
    """
    if not (text.isascii() and text.isdecimal() and int(text) <= 1024):
        raise InputError(Fault("not a number of threads", "a whole number from 0 (all cores) to 1024", value=text))
    return int(text) or _cores()


def parse_choice(*choices: str) -> Callable[[str], str]:
    """A parser that accepts one of `choices`, whatever the case."""

    def parse(text: str) -> str:
        if text.lower() not in choices:
            raise InputError(Fault("unknown choice", f"one of: {', '.join(choices)}", value=text))
        return text.lower()

    return parse


def parse_window(start: str | None, end: str | None, faults: Faults) -> tuple[float | None, float | None]:
    """The times of ``--from`` and ``--to``; None where open."""
    from_s = faults.take("--from", start, parse_time)
    to_s = faults.take("--to", end, parse_time)
    if from_s is not None and to_s is not None and to_s < from_s:
        faults.add([Fault("the end is before the start", "--to at or after --from", field="--to", value=end or "")])
    return from_s, to_s


def check_files(files: Iterable[str]) -> list[Fault]:
    """What is wrong with the names of the files, before any is opened."""
    files = list(files)
    faults = [Fault("an empty name", "name a file", field="FILE")] if "" in files else []
    if sum(file == "-" or file.startswith("-@") for file in files) > 1:
        faults.append(Fault("standard input is given twice", "give - once", field="FILE", value="-"))
    return faults


def shielded(arguments: Iterable[str]) -> list[str]:
    """`arguments` with ``-@PARTY`` marked, which a parser would take for a row of short options."""
    return [_SHIELD + argument if argument.startswith("-@") else argument for argument in arguments]


def unshielded(argument: str) -> str:
    """An argument as it was before `shielded`."""
    return argument.removeprefix(_SHIELD)


def refuse_unknown(arguments: Iterable[str], known: Iterable[str], faults: Faults) -> None:
    """Note every argument that was meant as an option and is none."""
    known = list(known)
    for argument in arguments:
        if (
            argument.startswith("-")
            and argument != "-"
            and not argument.startswith("-@")
            and not Path(argument).exists()
        ):
            name = argument.partition("=")[0]
            near = difflib.get_close_matches(name, known, n=1)
            right = f"did you mean {near[0]}?" if near else "see --help"
            faults.add([Fault("no such option", right, field=name)])


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
