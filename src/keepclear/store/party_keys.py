"""The keys in a party's folder: whose it is, and that nobody else could have put other keys there.

A key is written before anything that names it, and never written over. The two halves of the identity must belong
together, a file must hold the key that its name says, and others than the owner can neither read the private keys nor
write in the folder.
"""

from __future__ import annotations

import re
import secrets
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Self

from keepclear.errors import Fault, InputError, PeerError, StoreError
from keepclear.record.keys import SignatureKind, SigningKey, VerifierKey
from keepclear.record.names import KeyName, Purpose, check_name
from keepclear.record.sealing import NONCE_BYTES, SALT_BYTES, is_sealed, sealed_verifier
from keepclear.store.files import sync_folder, write_whole
from keepclear.store.key_files import read_key_file, write_key_file

__all__ = ["PartyKeys", "Passphrase"]

Passphrase = Callable[[Path], str]
"""Asks for the passphrase of a key file; called only where the file is sealed with one."""

_KEY_FILE = re.compile(r"(?P<line>.+)\.(?P<purpose>log|mirror)(?:\.(?P<begun>[0-9]+))?\.key")
_KINDS = {Purpose.MIRROR: SignatureKind.COSIGNATURE}
_NEW = "make one: keepclear key new DIR --party NAME"


class PartyKeys:
    """The keys in the folder of one party.

    Parameters
    ----------
    path
        Where it is.
    passphrase
        How to come by the passphrase of a sealed key.

    Raises
    ------
    InputError
        If it is no such folder, or the two halves of the identity in it do not belong together.
    """

    def __init__(self, path: Path, *, passphrase: Passphrase) -> None:
        self._path = path
        self._passphrase = passphrase
        self._identity = _identity_of(path)
        self._party = self._identity.name.partition("/")[0]

    @classmethod
    def create(cls, path: Path, party: str, *, sealed_with: str | None) -> Self:
        """Make the folder and a new identity in it; where that was begun and cut off, go on from there.

        Parameters
        ----------
        sealed_with
            The passphrase of the identity's file; None leaves it readable by its owner.

        Raises
        ------
        InputError
            If the party's name is none, there is an identity already, or others can write in the folder.
        StoreError
            If it cannot be written.
        """
        check_name(party, field="party")
        keys = path / "keys"
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            keys.mkdir(mode=0o700, exist_ok=True)
            sync_folder(path)
            with suppress(PermissionError):  # a folder above that we may only pass through
                sync_folder(path.parent)
        except OSError as error:
            raise StoreError(f"{path}: the folder cannot be made: {error.strerror or error}") from error
        _must_be_ours_alone(path)
        _clear(keys)
        there = sorted(file.name for file in keys.glob("identity.*"))
        begun = there == ["identity.key"] and _named(keys / "identity.key") == KeyName(party, Purpose.IDENTITY).text
        if there and not begun:
            right = "another folder; or put the files of the old identity elsewhere, if it is lost"
            raise InputError(Fault("there is an identity already, and a key is never written over", right, str(keys)))
        if not begun:
            _make_key(keys / "identity.key", KeyName(party, Purpose.IDENTITY), sealed_with)
        _write_vkey(path)
        return cls(path, passphrase=lambda _: sealed_with or "")

    @property
    def path(self) -> Path:
        """Where it is."""
        return self._path

    @property
    def party(self) -> str:
        """Whose folder it is."""
        return self._party

    @property
    def identity(self) -> VerifierKey:
        """The public half of the identity."""
        return self._identity

    def key_names(self) -> tuple[KeyName, ...]:
        """Every key in the folder: the identity, the transport key if there is one, then by line.

        Raises
        ------
        InputError
            If there is a key file with a name that no key can have.
        """
        found = []
        for path in (self._path / "keys").glob("*.key"):
            parts = _KEY_FILE.fullmatch(path.name)
            if parts is None:
                continue
            try:
                begun = int(parts["begun"] or 1)
                found.append(KeyName(self._party, Purpose(parts["purpose"]), parts["line"], begun))
            except (InputError, ValueError) as error:
                fault = Fault(f"no key is called so: {error}", "put the file elsewhere", str(path))
                raise InputError(fault) from None
        found.sort(key=lambda name: (name.line or "", name.purpose, name.begun))
        transport = KeyName(self._party, Purpose.TRANSPORT)
        of_party = (transport,) if self.key_path(transport).exists() else ()
        return (KeyName(self._party, Purpose.IDENTITY), *of_party, *found)

    def public_keys(self) -> tuple[VerifierKey, ...]:
        """The public half of every key in the folder."""
        return (self._identity, *(self.public_key(name) for name in self.key_names()[1:]))

    def public_key(self, name: KeyName) -> VerifierKey:
        """The public half of a key.

        Raises
        ------
        InputError
            If there is no such key, or its file cannot be read.
        """
        path = self.key_path(name)
        try:
            key = sealed_verifier(path.read_bytes())
        except OSError as error:
            raise InputError(Fault(f"the key cannot be read: {error.strerror or error}", file=str(path))) from None
        except InputError as error:
            raise InputError([Fault(fault.problem, fault.right, str(path)) for fault in error.faults]) from None
        return _must_be_named(key, name, path)

    def signing_key(self, name: KeyName) -> SigningKey:
        """A private key.

        Raises
        ------
        InputError
            If there is none, others can read its file or write in the folder, or the passphrase is wrong.
        """
        return self.read_key(self.key_path(name), name)

    def read_key(self, path: Path, name: KeyName) -> SigningKey:
        """The private key of a file, which holds the one of that name; raises as `signing_key`."""
        _must_be_ours_alone(self._path)
        key = read_key_file(path, passphrase=self._passphrase(path) if _is_sealed(path) else None)
        _must_be_named(key.verifier, name, path)
        return key

    def make_key(self, path: Path, name: KeyName, *, sealed_with: str | None) -> None:
        """Make a key in a new file; raises as `keepclear.store.key_files.write_key_file`."""
        _must_be_ours_alone(self._path)
        _make_key(path, name, sealed_with)

    def passphrase_of_new_keys(self) -> str | None:
        """What seals a key that is made now: the passphrase of the identity; None if that is not sealed."""
        path = self._path / "keys" / "identity.key"
        return self._passphrase(path) if _is_sealed(path) else None

    def clear(self) -> None:
        """Remove what a key that was cut off while it was written left behind; nobody else may be writing one."""
        _clear(self._path / "keys")

    def key_path(self, name: KeyName) -> Path:
        """Where a key is kept."""
        if name.line is None:
            return self._path / "keys" / f"{name.purpose}.key"
        number = "" if name.begun == 1 else f".{name.begun}"
        return self._path / "keys" / f"{name.line}.{name.purpose}{number}.key"


def _make_key(path: Path, name: KeyName, sealed_with: str | None) -> None:
    kind = _KINDS.get(name.purpose, SignatureKind.ED25519)
    key = SigningKey.of_seed(name.text, kind, secrets.token_bytes(32))
    salts = {} if sealed_with is None else {
        "salt": secrets.token_bytes(SALT_BYTES), "nonce": secrets.token_bytes(NONCE_BYTES)
    }  # fmt: skip
    write_key_file(path, key, passphrase=sealed_with, **salts)


def _clear(keys: Path) -> None:
    try:
        for left in keys.glob(".*.new"):
            left.unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(f"{keys}: cannot be written: {error.strerror or error}") from error


def _must_be_named(key: VerifierKey, name: KeyName, path: Path) -> VerifierKey:
    if key.name != name.text:
        problem = f"the file holds the key {key.name}, and should hold {name.text}"
        raise InputError(Fault(problem, "put the right key file there", str(path)))
    return key


def _must_be_ours_alone(folder: Path) -> None:
    """Who can write in a folder can put other keys in the place of its own."""
    for path in (folder, folder / "keys"):
        try:
            mode = path.stat().st_mode
        except OSError as error:
            raise InputError(Fault(f"cannot be read: {error.strerror or error}", _NEW, str(path))) from None
        if mode & 0o022 and not mode & stat.S_ISVTX:
            problem = f"others than the owner can write in the folder ({stat.filemode(mode)})"
            raise InputError(Fault(problem, f"chmod go-w {path}, and look at what is in it", str(path)))


def _is_sealed(path: Path) -> bool:
    try:
        return is_sealed(path.read_bytes())
    except (OSError, InputError):
        return False  # reading the key says what is wrong


def _named(path: Path) -> str:
    """What a key file says whose it is; empty if it says nothing."""
    try:
        return sealed_verifier(path.read_bytes()).name
    except (OSError, InputError):
        return ""


def _write_vkey(folder: Path) -> None:
    """Write the public half of the identity beside it."""
    path = folder / "keys" / "identity.key"
    try:
        write_whole(path.with_suffix(".vkey"), f"{sealed_verifier(path.read_bytes()).text}\n".encode())
        sync_folder(path.parent)
    except OSError as error:
        raise StoreError(f"{path.with_suffix('.vkey')}: cannot be written: {error.strerror or error}") from error


def _identity_of(folder: Path) -> VerifierKey:
    path = folder / "keys" / "identity.vkey"
    private = path.with_suffix(".key")
    if not path.exists() and private.exists():
        _write_vkey(folder)  # cut off between the two
    try:
        key = VerifierKey.of_text(path.read_text(encoding="utf-8").strip())
        half = sealed_verifier(private.read_bytes()) if private.exists() else key
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(Fault("not a party's folder: it holds no identity", _NEW, str(folder))) from None
    except (OSError, UnicodeDecodeError, PeerError) as error:
        told = getattr(error, "strerror", None) or error
        raise InputError(Fault(f"cannot be read: {told}", "the public key of an identity", str(path))) from None
    name = KeyName.of_text(key.name)
    if name is None or name.purpose is not Purpose.IDENTITY:
        raise InputError(Fault(f"holds the key {key.name}, which is no identity", _NEW, str(path)))
    if half != key:
        problem = f"it is not the public half of {private}: one of the two was changed"
        raise InputError(Fault(problem, "put the right files there, from a copy", str(path)))
    return key
