"""Which of the logs in a party's folder a person means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from keepclear.errors import Fault, InputError

if TYPE_CHECKING:
    from keepclear.record.names import KeyName
    from keepclear.store.held import HeldLog
    from keepclear.store.log_store import LogStore
    from keepclear.store.mirror import Mirror
    from keepclear.store.party_folder import PartyFolder

__all__ = ["LogOption", "OfOption", "held_log", "log_of", "mirror_of", "origin_of"]

OfOption = Annotated[str | None, typer.Option("--of", metavar="PARTY", help="Whose log; your own if it is left out.")]
LogOption = Annotated[
    str | None, typer.Option("--log", metavar="ORIGIN", help="A log by its name, for one that is not the newest.")
]


def log_of(
    store: LogStore, folder: PartyFolder, *, line: str | None, of: str | None, origin: str | None = None
) -> HeldLog:
    """The log that is meant: the party's own on a line, or its copy of another party's.

    Raises
    ------
    InputError
        If there is none, or it is not clear which.
    """
    return held_log(store, folder, origin_of(store, folder, line=line, of=of, origin=origin))


def mirror_of(store: LogStore, folder: PartyFolder, *, line: str | None, of: str, origin: str | None = None) -> Mirror:
    """The copy of another party's log; raises as `log_of`, and if it is the party's own."""
    from keepclear.store.mirror import Mirror

    found = origin_of(store, folder, line=line, of=None if origin else of, origin=origin)
    if found.partition("/")[0] != of or of == folder.party:
        raise InputError(Fault("not the log of another party", "whose log it is", field="--of", value=of))
    return Mirror(store, found, party=folder.party)


def held_log(store: LogStore, folder: PartyFolder, origin: str) -> HeldLog:
    """The log of that name, our own or the copy of another party's."""
    from keepclear.store.log import Log
    from keepclear.store.mirror import Mirror

    if any(log.own for log in store.logs() if log.origin == origin):
        return Log(store, origin)
    return Mirror(store, origin, party=folder.party)


def origin_of(store: LogStore, folder: PartyFolder, *, line: str | None, of: str | None, origin: str | None) -> str:
    """The name of the log that is meant; raises as `log_of`."""
    if origin is not None:
        return _named(store, origin, line, of)
    if of is None or of == folder.party:
        return folder.origin(store, folder.line_of(line))
    names = [name for name in _names(store) if name.party == of and line in (None, name.line)]
    lines = sorted({str(name.line) for name in names})
    if not names:
        parties = sorted({name.party for name in _names(store)} - {folder.party})
        right = f"one of: {', '.join(parties)}" if parties else "take it in first: keepclear log import"
        on = "" if line is None else f" on {line}"
        raise InputError(Fault(f"no log of this party{on} is held", right, field="--of", value=of))
    if len(lines) > 1:
        problem = f"logs of {of} on {len(lines)} lines are held"
        raise InputError(Fault(problem, f"one of: {', '.join(lines)}", field="--line"))
    newest_first = sorted(names, key=lambda name: name.begun, reverse=True)
    return next((name for name in newest_first if store.end(name.text)), newest_first[0]).text


def _named(store: LogStore, origin: str, line: str | None, of: str | None) -> str:
    faults = []
    held = [log.origin for log in store.logs()]
    if line is not None or of is not None:
        faults.append(Fault("--log names the log alone", "leave out --line and --of", field="--log", value=origin))
    if origin not in held:
        right = f"one of: {', '.join(held)}" if held else "begin one: keepclear log new"
        faults.append(Fault("no such log is held", right, field="--log", value=origin))
    if faults:
        raise InputError(faults)
    return origin


def _names(store: LogStore) -> list[KeyName]:
    from keepclear.record.names import KeyName

    return [name for log in store.logs() if (name := KeyName.of_text(log.origin)) is not None]
