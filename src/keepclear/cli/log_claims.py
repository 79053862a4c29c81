"""Whose log a folder of tiles claims to be, and by which key it is taken in: nothing of it is believed before that."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from keepclear.cli.log_receipts import checkpoint_of
from keepclear.cli.screen import plain
from keepclear.errors import Fault, InputError, IntegrityError, PeerError
from keepclear.times import to_text

if TYPE_CHECKING:
    from keepclear.record.entries import Entry
    from keepclear.record.key_ring import KeyPeriod
    from keepclear.record.keys import VerifierKey
    from keepclear.store.log_store import LogStore
    from keepclear.store.mirror import Mirror
    from keepclear.store.party_folder import PartyFolder

__all__ = ["certified", "claimed_origin", "entries_of", "opened_mirror", "standing"]

_LINES_RIGHT = "entries as JSON lines"


def claimed_origin(store: LogStore, folder: PartyFolder, source: Path, identity: VerifierKey | None) -> str:
    """The name of the log that a folder says it holds.

    Raises
    ------
    InputError
        If it holds none, one that is or says it is our own, or another party's than `identity` is of.
    """
    from keepclear.record.names import identity_name, is_origin
    from keepclear.store.tile_directory import TileDirectory

    try:
        origin = checkpoint_of(TileDirectory(source).checkpoint()).origin
    except PeerError as error:
        raise InputError(Fault(str(error), "the folder of a log", file=str(source / "checkpoint"))) from None
    file = str(source)
    if not is_origin(origin):
        raise InputError(Fault("not the log of a party on a line", "PARTY/LINE/log", file=file, value=origin))
    if any(log.own for log in store.logs() if log.origin == origin):
        raise InputError(Fault("that is your own log", "another party's", file=file, value=origin))
    party = origin.partition("/")[0]
    if party.casefold() == folder.party.casefold():
        problem = "it says that it is a log of yours, and it is not one that you have here"
        raise InputError(Fault(problem, "another party's; and ask who made this one", file=file, value=origin))
    if identity is not None and identity.name != identity_name(party):
        right = f"the identity of {party}"
        raise InputError(Fault(f"the folder holds {origin}", right, field="--identity", value=identity.name))
    return origin


def certified(
    store: LogStore, folder: PartyFolder, origin: str, identity: VerifierKey | None, bodies: str | None
) -> tuple[KeyPeriod, ...] | None:
    """The keys that the party's identity has certified for a log, as those held and the file `bodies` say.

    Returns
    -------
    tuple or None
        None if no identity of the party was ever compared, so that nothing can be said.

    Raises
    ------
    InputError
        If another identity of the party was compared before, and nobody vouched for this one.
    """
    from keepclear.record.names import KeyName, Purpose
    from keepclear.store.key_statements import ring_of, statement_of

    name = KeyName.of_text(origin)
    assert name is not None
    given = () if bodies is None else entries_of(bodies)
    more = [one for entry in given if (one := statement_of(entry)) is not None]
    ring = ring_of(store, folder, more=more, compared=identity)
    identities = [period.key for period in ring.periods(name.party, Purpose.IDENTITY)]
    if not identities:
        return None
    if identity is not None and identity not in identities:
        problem = f"another identity of {name.party} was compared before: {identities[-1].text}"
        right = "that one; where it was lost, the other parties vouch for the new one in their logs"
        raise InputError(Fault(problem, right, field="--identity", value=identity.text))
    periods = tuple(one for one in ring.periods(name.party, name.purpose, name.line) if one.key.name == origin)
    if identity is not None and not periods:
        problem = f"no certificate of a key for {origin} by this identity is here"
        right = "their entries with the certificates in them: --bodies FILE"
        raise InputError(Fault(problem, right, field="--identity", value=identity.text))
    return periods


def opened_mirror(
    store: LogStore,
    folder: PartyFolder,
    source: Path,
    origin: str,
    key: VerifierKey | None,
    periods: tuple[KeyPeriod, ...] | None,
) -> Mirror:
    """Our copy of the log, begun if it is not, under the key that was given or certified.

    Raises
    ------
    InputError
        If there is no key to begin with, or it is another log's, or another than the copy is held under.
    IntegrityError
        If the party's identity has certified another key for this log, or the key did not sign what is in the folder.
    """
    from keepclear.record.checkpoints import open_checkpoint
    from keepclear.store.mirror import Mirror
    from keepclear.store.tile_directory import TileDirectory

    if key is not None and key.name != origin:
        raise InputError(Fault(f"the folder holds {origin}", "the key of that log", field="--key", value=key.name))
    mirror = None
    if any(log.origin == origin for log in store.logs()):
        mirror = Mirror(store, origin, party=folder.party)
        if key is not None and key != mirror.key:
            problem = f"{origin} is held under another key, {mirror.key.text}"
            raise InputError(Fault(problem, "the key that you took it in with", field="--key", value=key.text))
        key = mirror.key
    known = [period.key for period in periods or ()]
    if key is None and not known:
        right = "its public key, once you have compared its words over a telephone: --key KEY"
        raise InputError(Fault(f"{origin} is not held yet", right, field="--key"))
    key = key or known[-1]
    if known and key not in known:
        party = origin.partition("/")[0]
        problem = f"the identity of {party} has certified another key for {origin}, {known[-1].text}"
        raise IntegrityError(f"{problem}; what {key.text} signs is not their word, and nothing was kept")
    if mirror is None:
        open_checkpoint(TileDirectory(source).checkpoint(), key)  # a wrong key must not be what the copy begins with
        mirror = Mirror.create(store, key, party=folder.party)
    return mirror


def standing(periods: tuple[KeyPeriod, ...] | None, key: VerifierKey) -> str:
    """How the key of a log stands, in one sentence."""
    party = key.name.partition("/")[0]
    if periods is None:
        return f"No identity of {party} was compared, so this rests on the log key alone (--identity KEY)."
    period = next((one for one in periods if one.key == key), None)
    if period is None:
        return f"The identity of {party} that was compared has not certified its key, as far as is known here."
    since = f"Its key is certified by the identity of {party}, from {to_text(period.from_s)} on"
    if period.until_s is None:
        return f"{since}."
    return f"{since}; it is {period.ended}, and no longer theirs from {to_text(period.until_s)} on."


def entries_of(name: str) -> Iterator[Entry]:
    """The entries of a file of JSON lines, one at a time in memory.

    Raises
    ------
    InputError
        If it cannot be read, or is no such file.
    """
    from keepclear.record.entry_files import MOST_FILE_BYTES, read_lines

    try:
        with Path(name).open("rb") as stream:
            yield from read_lines(iter(lambda: stream.readline(MOST_FILE_BYTES + 2), b""))
    except PeerError as error:
        raise InputError(Fault(plain(str(error)), _LINES_RIGHT, file=name)) from None
    except (OSError, ValueError) as error:  # ValueError: a name with a zero byte
        problem = f"cannot be read: {getattr(error, 'strerror', None) or error}"
        raise InputError(Fault(problem, _LINES_RIGHT, file=name)) from None
