"""What every way out of the machine has in common: what it is told, how long it may take, how it fails."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from keepclear.errors import Fault, InputError, KeepclearError

__all__ = ["Members", "NotToldError", "Way", "plain_text", "printable", "within"]

_MOST_NOTE = 200


class NotToldError(KeepclearError):
    """A way out of the machine did not work; the message says why in a few words, without secrets."""


class Way(Protocol):
    """One way by which somebody outside is told."""

    def tell(self, notice: Mapping[str, Any], *, key: str, at_s: float) -> str:
        """Tell it, and return what was answered, in a few words.

        Parameters
        ----------
        notice
            What is told; the same for every way.
        key
            The same when it is told again, so that the other side can see that it is.
        at_s
            The time now.

        Raises
        ------
        NotToldError
            If nobody was told, or that is not certain.
        """
        ...  # pragma: no cover


def within(timeout_s: float, work: Callable[[], str]) -> str:
    """What `work` returns, if it does so in time.

    It runs in a thread of its own, which is left alone when its time is over: timeouts of sockets are for each read, so
    whoever sends a byte now and then could hold up all alarms behind this one.

    Raises
    ------
    NotToldError
        If it takes longer, or fails in whatever way.
    """
    done: list[str] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            done.append(work())
        except BaseException as error:  # noqa: BLE001  # it is raised again by the caller
            failed.append(error)

    thread = threading.Thread(target=run, name="keepclear-telling", daemon=True)
    thread.start()
    thread.join(timeout_s)
    if done:
        return printable(done[0])
    if not failed:
        raise NotToldError(f"no answer within {timeout_s:g} s")
    if isinstance(failed[0], NotToldError):
        raise failed[0]
    raise NotToldError(printable(f"{type(failed[0]).__name__}: {failed[0]}"))


def plain_text(notice: Mapping[str, Any]) -> tuple[str, str]:
    """A subject, and a text, for people."""
    marks = [
        word for name, word in (("test", "TEST"), ("exercise", "EXERCISE"), ("again", "again")) if notice.get(name)
    ]
    subject = f"[keepclear {notice['party']}] {' '.join([*marks, str(notice['kind']).upper()])}"
    if notice.get("line"):
        subject += f" on {notice['line']}"
    lines = [str(notice["sentence"]), ""]
    if notice.get("again"):
        lines.append("This may have been sent before: the machine stopped while it was being sent.")
    names = {"reason": "Why", "line": "Line", "entry": "Entry", "at": "Since", "role": "To the", "alarm": "Alarm"}
    lines += [f"{name}: {notice[member]}" for member, name in names.items() if member in notice]
    lines += ["", "Acknowledge it at the desk. What the entry says is not repeated here."]
    return printable(subject), "\n".join(lines) + "\n"


def printable(text: str) -> str:
    """One line that can be shown, and is not too long."""
    line = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    return line if len(line) <= _MOST_NOTE else line[: _MOST_NOTE - 1] + "…"


class Members:
    """Reads the settings of a way, collecting every fault.

    Parameters
    ----------
    settings
        As they came from outside.
    known
        The members there are.
    """

    def __init__(self, settings: Mapping[str, Any], known: tuple[str, ...]) -> None:
        self._settings = settings
        right = f"one of: {', '.join(known)}"
        unknown = sorted(str(one) for one in settings if one not in known)
        self.faults = [Fault("there is no such setting", right, field=f"settings.{one}") for one in unknown]

    def fault(self, name: str, problem: str, right: str) -> None:
        """Note one."""
        value = self._settings.get(name)
        self.faults.append(Fault(problem, right, field=f"settings.{name}", value="" if value is None else str(value)))

    def text(self, name: str, right: str, *, default: str | None = None) -> str:
        """A text of one line."""
        value = self._settings.get(name, default)
        short = isinstance(value, str) and len(value) <= 1000 and all(one.isprintable() for one in value)
        if isinstance(value, str) and short and (value or default == ""):
            return value
        self.fault(name, "missing" if name not in self._settings else "not a text that will do", right)
        return ""

    def texts(self, name: str, right: str, *, most: int) -> tuple[str, ...]:
        """A list of texts, at least one."""
        value = self._settings.get(name)
        given = tuple(value) if isinstance(value, list | tuple) else ()
        fit = all(isinstance(one, str) and one and "\0" not in one and len(one) <= 4096 for one in given)
        if 0 < len(given) <= most and fit:
            return given
        self.fault(name, "missing" if value is None else "not a list that will do", right)
        return ()

    def number(self, name: str, right: str, *, default: float, least: float, most: float) -> float:
        """A number."""
        value = self._settings.get(name, default)
        if isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most:
            return float(value)
        self.fault(name, "not a number that will do", right)
        return default

    def done(self) -> None:
        """Raise what was found wrong.

        Raises
        ------
        InputError
            With all faults.
        """
        if self.faults:
            raise InputError(self.faults)
