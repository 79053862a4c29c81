"""How the keys of a line come and go: a log begun, and a key put in the place of another.

Every key is in its file before anything names it; what names it is an entry of the party's own log, whose signed
checkpoint is durable before anything relies on it. Each step looks first whether it was done before. So where the
machine stopped in the middle, doing the same again goes on from there, with the same key and without saying anything
twice. Only who stopped after the last write, and was not told, changes a key once more.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from keepclear.errors import Fault, InputError, StoreError
from keepclear.record.bodies.keys import KeyCertificateBody
from keepclear.record.certificates import Certificate, read_statement, sign_statement
from keepclear.record.entries import Entry, EntryRef
from keepclear.record.entry_types import EntryType
from keepclear.record.keys import SigningKey, VerifierKey
from keepclear.record.names import KeyName, Purpose
from keepclear.store.files import sync_folder
from keepclear.store.held import HeldLog
from keepclear.store.log import Log
from keepclear.store.log_store import LogStore
from keepclear.store.party_folder import PartyFolder
from keepclear.store.saying import entry_said

__all__ = ["begin_log", "change_log_key", "change_mirror_key"]


def begin_log(
    folder: PartyFolder,
    store: LogStore,
    line: str,
    *,
    time_s: float,
    recipients: Iterable[str] = (),
    sealed_with: str | None,
) -> tuple[Log, tuple[EntryRef, ...]]:
    """Begin the party's log on a line: make its log and mirror key, certify them, and say so in the log.

    Raises
    ------
    InputError
        If the log is there already, or the names are none.
    """
    names = KeyName(folder.party, Purpose.LOG, line), KeyName(folder.party, Purpose.MIRROR, line)
    held = {name.text: name for name in folder.own_names(store, line)}
    if any(store.end(origin) for origin in held):
        raise InputError(Fault("the log is there already", "another --line", field="--line", value=line))
    _must_differ_in_more_than_capitals(folder, line)
    folder.clear()
    identity = folder.signing_key(KeyName(folder.party, Purpose.IDENTITY))
    for name in names:
        if not folder.key_path(name).exists():
            if name.text in held:  # never a new key in the place of one that only went astray
                problem = f"the log {name.text} is there, and its key is not"
                raise InputError(Fault(problem, "put the key file back", str(folder.key_path(name))))
            folder.make_key(folder.key_path(name), name, sealed_with=sealed_with)
    log_key, mirror_key = (folder.signing_key(name) for name in names)
    log = _opened(store, log_key)
    said = [
        entry_said(
            _certified(name, key, identity, int(time_s)),
            line=line, party=folder.party, time_s=time_s, recipients=recipients,
        )
        for name, key in zip(names, (log_key, mirror_key), strict=True)
    ]  # fmt: skip
    return log, log.append(said)


def change_log_key(
    folder: PartyFolder,
    store: LogStore,
    line: str,
    *,
    time_s: float,
    recipients: Iterable[str] = (),
    sealed_with: str | None,
    old_is_lost: bool = False,
) -> VerifierKey:
    """Begin a new log under a new key, and say so in both logs.

    A log that has signed with one key goes on under it for ever, so a new key begins a new log, ``…/log/2`` and so on,
    whose first entry is the certificate that supersedes the old key.

    Parameters
    ----------
    old_is_lost
        The old key cannot sign any more: only the new log says so.

    Raises
    ------
    InputError
        If there is no log on the line yet, or a key cannot be read.
    """
    old = folder.own_log(store, line, signing=not old_is_lost)
    before = KeyName.of_text(old.origin)
    assert before is not None
    name = KeyName(folder.party, Purpose.LOG, line, before.begun + 1)
    key, made = _new_key(folder, folder.key_path(name), name, sealed_with)
    entry = None if made else _said_before(old, key.verifier)
    if entry is None:
        identity = folder.signing_key(KeyName(folder.party, Purpose.IDENTITY))
        body = _certified(name, key, identity, int(time_s), supersedes=old.key)
        entry = entry_said(body, line=line, party=folder.party, time_s=time_s, recipients=recipients)
        if not old_is_lost:
            old.append([entry])
    _opened(store, key).append([entry])
    return key.verifier


def change_mirror_key(
    folder: PartyFolder,
    store: LogStore,
    line: str,
    *,
    time_s: float,
    recipients: Iterable[str] = (),
    sealed_with: str | None,
) -> VerifierKey:
    """Put a new mirror key in the place of the old one, which is kept beside it with its key id in the file's name.

    Raises
    ------
    InputError
        If there is no log on the line yet, or a key cannot be read.
    StoreError
        If the files cannot be written.
    """
    log = folder.own_log(store, line)
    name = KeyName(folder.party, Purpose.MIRROR, line)
    place = folder.key_path(name)
    coming = place.with_suffix(".next")
    old = folder.public_key(name)
    key, made = _new_key(folder, coming, name, sealed_with)
    if made or _said_before(log, key.verifier) is None:
        identity = folder.signing_key(KeyName(folder.party, Purpose.IDENTITY))
        body = _certified(name, key, identity, int(time_s), supersedes=old)
        log.append([entry_said(body, line=line, party=folder.party, time_s=time_s, recipients=recipients)])
    _put_in_place(coming, place, old)
    return key.verifier


def _new_key(folder: PartyFolder, path: Path, name: KeyName, sealed_with: str | None) -> tuple[SigningKey, bool]:
    """The key of a file, and whether it was made only now."""
    folder.clear()
    made = not path.exists()
    if made:
        folder.make_key(path, name, sealed_with=sealed_with)
    return folder.read_key(path, name), made


def _opened(store: LogStore, key: SigningKey) -> Log:
    """The log of a key, begun if it is not."""
    if any(log.origin == key.verifier.name for log in store.logs()):
        return Log(store, key.verifier.name, key=key)
    return Log.create(store, key)


def _said_before(log: HeldLog, key: VerifierKey) -> Entry | None:
    """The entry of the log that certifies a key, if there is one; the newest entries first."""
    for index in range(log.size - 1, -1, -1):
        entry = log.entry(index)
        if entry.leaf.type == EntryType.KEY_CERTIFICATE and entry.body is not None:
            statement, _ = read_statement(KeyCertificateBody.of_bytes(entry.body).note.encode())
            if isinstance(statement, Certificate) and statement.key == key:
                return entry
    return None


def _put_in_place(coming: Path, place: Path, old: VerifierKey) -> None:
    kept = place.with_name(f"{place.name}.{old.key_id.hex()}")
    try:
        if not (kept.exists() and kept.samefile(place)):
            os.link(place, kept)
        coming.replace(place)
        sync_folder(place.parent)
    except OSError as error:
        raise StoreError(f"{place}: the key cannot be put in place: {error.strerror or error}") from error


def _certified(
    name: KeyName, key: SigningKey, identity: SigningKey, from_s: int, *, supersedes: VerifierKey | None = None
) -> KeyCertificateBody:
    certificate = Certificate(name.party, name.purpose, name.line, key.verifier, from_s, supersedes)
    return KeyCertificateBody(note=sign_statement(certificate, identity).decode())


def _must_differ_in_more_than_capitals(folder: PartyFolder, line: str) -> None:
    """Some disks take ``Border.log.key`` for ``border.log.key``, and so do people."""
    twins = [other for other in folder.lines if other != line and other.casefold() == line.casefold()]
    if twins:
        problem = f"it can be taken for {twins[0]}: the names differ in capitals only"
        raise InputError(Fault(problem, "another --line", field="--line", value=line))
