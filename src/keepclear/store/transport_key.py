"""The key with which a party's node signs its requests: one per party, certified by the identity when it is made.

::

    keys/transport.key             signs requests between nodes
    keys/transport.certificates    who certified it: the statements of the identity, the oldest first
    keys/transport.key.<id>        the one before, by its key id

The certificate stands in no log before a line is joined; it goes to the others on the party's card. The key is written
before its certificate, so whoever was cut off in between goes on with the same key.
"""

from __future__ import annotations

import os

from keepclear.errors import Fault, InputError, PeerError, StoreError
from keepclear.record.certificates import Certificate, read_statement, sign_statement
from keepclear.record.keys import SigningKey, VerifierKey
from keepclear.record.names import KeyName, Purpose
from keepclear.store.files import sync_folder, write_whole
from keepclear.store.party_keys import PartyKeys

__all__ = ["change_transport_key", "make_transport_key", "transport_certificates"]

_APART = b"\n\n\n"  # no note has two empty lines


def make_transport_key(folder: PartyKeys, *, time_s: float, sealed_with: str | None) -> VerifierKey:
    """Make the party's transport key and certify it; where that was begun and cut off, go on from there.

    Raises
    ------
    InputError
        If the identity's private key is not here, or cannot be read.
    StoreError
        If a file cannot be written.
    """
    name = KeyName(folder.party, Purpose.TRANSPORT)
    path = folder.key_path(name)
    if not path.exists():
        if transport_certificates(folder):
            problem = "the transport key is not there, and its certificates are"
            raise InputError(Fault(problem, "put the key file back, from a copy", str(path)))
        folder.make_key(path, name, sealed_with=sealed_with)
    key = folder.signing_key(name)
    if not transport_certificates(folder):
        _write(folder, (_certified(folder, key, time_s),))
    return key.verifier


def change_transport_key(folder: PartyKeys, *, time_s: float, sealed_with: str | None) -> VerifierKey:
    """Put a new transport key in the place of the old one; where that was cut off, go on from there.

    The others learn it from the party's new card, which is to be said on every line.

    Raises
    ------
    InputError
        If there is none yet, or a key cannot be read.
    StoreError
        If a file cannot be written.
    """
    name = KeyName(folder.party, Purpose.TRANSPORT)
    path = folder.key_path(name)
    coming = path.with_suffix(".next")
    held = transport_certificates(folder)
    old = folder.public_key(name)
    if not coming.exists():
        folder.make_key(coming, name, sealed_with=sealed_with)
    key = folder.read_key(coming, name)
    if _subject(held[-1]) != key.verifier:
        _write(folder, (*held, _certified(folder, key, time_s, supersedes=old)))
    kept = path.with_name(f"{path.name}.{old.key_id.hex()}")
    try:
        if not (kept.exists() and kept.samefile(path)):
            os.link(path, kept)
        coming.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise StoreError(f"{path}: the key cannot be put in place: {error.strerror or error}") from error
    return key.verifier


def transport_certificates(folder: PartyKeys) -> tuple[bytes, ...]:
    """What the identity signed of the party's transport keys, the oldest first; nothing if it has none yet.

    Raises
    ------
    InputError
        If the file cannot be read, or holds something else.
    """
    path = folder.path / "keys" / "transport.certificates"
    try:
        notes = tuple(f"{note.strip()}\n" for note in path.read_text(encoding="utf-8").split(_APART.decode()))
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError) as error:
        told = getattr(error, "strerror", None) or error
        raise InputError(Fault(f"cannot be read: {told}", "put it back, from a copy", str(path))) from None
    found = tuple(note.encode() for note in notes)
    for note in found:
        try:
            _subject(note)
        except PeerError as error:
            problem = f"not the certificate of a transport key: {error}"
            raise InputError(Fault(problem, "put it back, from a copy", str(path))) from None
    return found


def _certified(folder: PartyKeys, key: SigningKey, time_s: float, *, supersedes: VerifierKey | None = None) -> bytes:
    identity = folder.signing_key(KeyName(folder.party, Purpose.IDENTITY))
    certificate = Certificate(folder.party, Purpose.TRANSPORT, None, key.verifier, int(time_s), supersedes)
    return sign_statement(certificate, identity)


def _subject(note: bytes) -> VerifierKey:
    statement, _ = read_statement(note)
    if not isinstance(statement, Certificate) or statement.purpose is not Purpose.TRANSPORT:
        raise PeerError("it says something else")
    return statement.key


def _write(folder: PartyKeys, notes: tuple[bytes, ...]) -> None:
    path = folder.path / "keys" / "transport.certificates"
    try:
        write_whole(path, _APART.join(notes))
        sync_folder(path.parent)
    except OSError as error:
        raise StoreError(f"{path}: cannot be written: {error.strerror or error}") from error
