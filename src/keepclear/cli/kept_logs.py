"""Audits of the logs that a party's own folder keeps, beside those that are published."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keepclear.errors import IntegrityError

if TYPE_CHECKING:
    from keepclear.cli.progress import Waiting
    from keepclear.record.keys import VerifierKey

__all__ = ["KeptLog", "examined", "is_party_folder"]

_STORE = "record.db"


@dataclass(frozen=True, slots=True)
class KeptLog:
    """What was found of one log in a party's folder.

    Attributes
    ----------
    place
        The folder.
    log
        Which log; empty if the store cannot be opened at all.
    size
        How many of its entries lead to a checkpoint that was signed.
    wrong
        What is wrong, in words.
    safe
        Entries that can be proved, as ranges (first, last).
    """

    place: str
    log: str
    size: int
    wrong: tuple[str, ...]
    safe: tuple[tuple[int, int], ...]

    def lines(self) -> Iterator[str]:
        """For people."""
        what = f"the log {self.log}, {self.size:,} entries that lead to a signed checkpoint" if self.log else "no log"
        yield f"{self.place}: {what}"
        yield from (f"  WRONG: {sentence}" for sentence in self.wrong)
        if self.wrong and self.log:
            ranges = ", ".join(f"{first}" if first == last else f"{first}–{last}" for first, last in self.safe)
            yield f"  Safe: {f'entries {ranges}' if ranges else 'no entry'}"

    def document(self) -> dict[str, Any]:
        """For programs."""
        return {
            "place": self.place,
            "log": self.log or None,
            "size": self.size,
            "wrong": list(self.wrong),
            "safe": [list(span) for span in self.safe],
        }


def is_party_folder(place: str) -> bool:
    """Whether a place is a folder that a party's logs are kept in, not one that a log was published to."""
    return (Path(place) / _STORE).is_file()


def examined(place: str, *, keys: Sequence[VerifierKey], waiting: Waiting) -> list[KeptLog]:
    """Everything in a party's folder examined: each log, its bodies and its older checkpoints.

    Parameters
    ----------
    keys
        The keys of logs that are believed: a log of the same name that is kept under another key is told.

    Raises
    ------
    StoreError
        If the store cannot be read for a reason other than damage.
    """
    from keepclear.store.examining import examine
    from keepclear.store.sqlite import SqliteStore

    found = []
    try:
        store = SqliteStore(Path(place) / _STORE, readonly=True)
    except IntegrityError as error:
        return [KeptLog(place, "", 0, tuple(str(error).splitlines()), ())]
    try:
        for log in store.logs():
            waiting.stage(f"auditing {log.origin} in {place}")
            told = examine(store, log.origin, progress=waiting.advance)
            believed = [key.text for key in keys if key.name == log.origin]
            wrong = list(told.sentences)
            if believed and log.key not in believed:
                wrong.append(f"it is kept as signed by {log.key}, and that is not the key that you believe")
            found.append(KeptLog(place, log.origin, told.size, tuple(wrong), told.safe))
    except IntegrityError as error:
        found.append(KeptLog(place, "", 0, tuple(str(error).splitlines()), ()))
    finally:
        store.close()
    return found or [KeptLog(place, "", 0, (), ())]
