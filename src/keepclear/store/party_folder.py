"""A party's folder: its keys, and the logs it keeps, as they lie on a disk.

::

    keys/identity.vkey             whose folder it is
    keys/identity.key              signs certificates, and nothing else; it may be kept elsewhere until it is needed
    keys/transport.key             signs requests between nodes (`keepclear.store.transport_key`)
    keys/<line>.log.key            signs the party's log on a line
    keys/<line>.log.2.key          the same of a log begun anew
    keys/<line>.mirror.key         cosigns the logs of the others on that line
    keys/<line>.mirror.key.<id>    the one before, by its key id
    record.db, record.db-signed    the logs themselves (`keepclear.store.sqlite`)

The folder is its owner's alone. A key is written before anything that names it, and never written over; so whatever
stops the machine, doing the same again goes on from there. How keys come and go is `keepclear.store.key_changes`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from keepclear.errors import Fault, InputError
from keepclear.record.names import KeyName
from keepclear.store.log import Log
from keepclear.store.log_store import LogStore
from keepclear.store.party_keys import PartyKeys

if TYPE_CHECKING:
    from keepclear.store.sqlite import SqliteStore

__all__ = ["PartyFolder"]


class PartyFolder(PartyKeys):
    """The folder of one party: its keys, and its logs. Made as `PartyKeys` is."""

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines that the party has keys for."""
        return tuple(sorted({name.line for name in self.key_names() if name.line is not None}))

    def line_of(self, wanted: str | None) -> str:
        """The line that is meant: `wanted`, or the only one there is.

        Raises
        ------
        InputError
            If there is none of that name, or several and none was named.
        """
        lines = self.lines
        if wanted is not None and wanted in lines:
            return wanted
        if wanted is None and len(lines) == 1:
            return lines[0]
        if wanted is not None:
            problem = f"{self._party} has no such line"
        else:
            problem = f"{self._party} is on {len(lines)} lines" if lines else f"{self._party} is on no line yet"
        right = f"one of: {', '.join(lines)}" if lines else "begin a log first: keepclear log new DIR --line NAME"
        raise InputError(Fault(problem, right, field="--line", value=wanted or ""))

    @property
    def has_store(self) -> bool:
        """Whether there are logs here."""
        return self._store_path.exists()

    @contextmanager
    def store(self, *, readonly: bool = False) -> Iterator[SqliteStore]:
        """The store of the party's logs, open meanwhile."""
        if readonly and not self.has_store:
            raise InputError(
                Fault("there are no logs here yet", "keepclear log new DIR --line NAME", str(self._store_path))
            )
        from keepclear.store.sqlite import SqliteStore  # what asks a node that runs has no need of SQL

        store = SqliteStore(self._store_path, readonly=readonly)
        try:
            yield store
        finally:
            store.close()

    @property
    def _store_path(self) -> Path:
        return self._path / "record.db"

    def own_names(self, store: LogStore, line: str) -> tuple[KeyName, ...]:
        """The party's logs on a line, oldest first, also one that was begun and holds nothing yet."""
        names = [KeyName.of_text(log.origin) for log in store.logs() if log.own]
        return tuple(sorted((one for one in names if one is not None and one.line == line), key=lambda one: one.begun))

    def origin(self, store: LogStore, line: str) -> str:
        """The party's newest log on a line that says anything.

        Raises
        ------
        InputError
            If there is none.
        """
        names = [name for name in self.own_names(store, line) if store.end(name.text)]
        if not names:
            again = f"keepclear log new DIR --line {line}"
            raise InputError(Fault(f"{self._party} has no log on {line}, or its beginning was cut off", again))
        return names[-1].text

    def own_log(self, store: LogStore, line: str, *, signing: bool = True) -> Log:
        """The party's log on a line, to be appended to where `signing`; raises as `origin` and `signing_key`."""
        origin = self.origin(store, line)
        name = KeyName.of_text(origin)
        assert name is not None
        return Log(store, origin, key=self.signing_key(name) if signing else None)
