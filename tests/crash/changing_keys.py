"""Run by `test_keys_cut_off`: an operation on a party's folder, stopped at each of its writes in turn, then done again.

Prints one line for each place at which it was stopped: what the folder looked like after it was done again.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy

from keepclear.errors import KeepclearError
from keepclear.record.names import Purpose
from keepclear.store.held import HeldLog
from keepclear.store.key_changes import begin_log, change_log_key, change_mirror_key
from keepclear.store.key_statements import ring_of
from keepclear.store.party_folder import PartyFolder

STOPPED = 9
NOW_S = 1_772_438_400.0


def _folder(path: Path) -> PartyFolder:
    return PartyFolder(path, passphrase=lambda _: "never asked")


def new(path: Path) -> None:
    """Make the identity."""
    PartyFolder.create(path, "north", sealed_with=None)


def begin(path: Path) -> None:
    """Begin a log."""
    folder = _folder(path)
    with folder.store() as store:
        begin_log(folder, store, "border", time_s=NOW_S, recipients=["south"], sealed_with=None)


def change_log(path: Path) -> None:
    """Change the log key."""
    folder = _folder(path)
    with folder.store() as store:
        change_log_key(folder, store, "border", time_s=NOW_S + 10, recipients=["south"], sealed_with=None)


def change_mirror(path: Path) -> None:
    """Change the mirror key."""
    folder = _folder(path)
    with folder.store() as store:
        change_mirror_key(folder, store, "border", time_s=NOW_S + 10, recipients=["south"], sealed_with=None)


OPERATIONS: dict[str, tuple[list[Callable[[Path], None]], Callable[[Path], None]]] = {
    "new": ([], new),
    "begin": ([new], begin),
    "change-log": ([new, begin], change_log),
    "change-mirror": ([new, begin], change_mirror),
}


@contextmanager
def stopping_at(number: int, *, after: bool) -> Iterator[list[int]]:
    """End the process at the how manyth write: before it, or when it has been done and nobody knows yet."""
    count = [0]

    def counted(call: Callable[..., Any]) -> Callable[..., Any]:
        def stopped(*arguments: Any, **options: Any) -> Any:
            count[0] += 1
            if count[0] == number and not after:
                os._exit(STOPPED)
            result = call(*arguments, **options)
            if count[0] == number:
                os._exit(STOPPED)
            return result

        return stopped

    def committing(self: Any, statement: str, *arguments: Any) -> Any:
        call = counted(driver_sql) if statement in ("COMMIT", "BEGIN IMMEDIATE") else driver_sql
        return call(self, statement, *arguments)

    driver_sql = sqlalchemy.Connection.exec_driver_sql
    names = ("fsync", "link", "replace", "unlink", "mkdir", "open", "pwrite")
    for name in names:
        setattr(os, name, counted(getattr(os, name)))
    sqlalchemy.Connection.exec_driver_sql = committing  # type: ignore[method-assign, assignment]
    yield count


def told(path: Path) -> str:
    """What matters of a folder: keys and certificates that belong together, logs that can be read and appended to."""
    folder = _folder(path)
    files = sorted(file.name for file in (path / "keys").iterdir())
    if not folder.has_store:
        return f"{files}"
    with folder.store() as store:
        ring = ring_of(store, folder)
        logs = {log.origin: HeldLog(store, log.origin).size for log in store.logs()}
        current = [
            ring.periods("north", purpose, "border")[-1].key == folder.public_key(name)
            for purpose in (Purpose.LOG, Purpose.MIRROR)
            for name in folder.key_names()
            if name.purpose is purpose
        ]
        periods = {str(purpose): len(ring.periods("north", purpose, "border")) for purpose in Purpose}
        signing = folder.own_log(store, "border").origin
    return f"{files} {logs} {current} {periods} {signing} {len(ring.refused)}"


def main(operation: str, where: Path) -> None:
    """Stop it everywhere."""
    before, do = OPERATIONS[operation]
    base = where / "base"
    for step in before:
        step(base)
    base.mkdir(exist_ok=True)
    for after in (False, True):
        for number in range(1, 1000):
            path = where / f"{number}-{after}"
            shutil.copytree(base, path)
            child = os.fork()
            if child == 0:
                with stopping_at(number, after=after):
                    do(path)
                os._exit(0)
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            if status == 0:
                _say("whole", told(path))
                break
            try:
                do(path)
                _say("again", told(path))
            except KeepclearError as error:
                _say("refused", f"{number} {after} {type(error).__name__} {error} {told(path)}")


def _say(word: str, rest: str) -> None:
    sys.stdout.write(f"{word} {rest}\n")
    sys.stdout.flush()  # before the next fork


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
