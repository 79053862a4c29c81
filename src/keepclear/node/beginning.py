"""A party's node set up in an empty folder: identity, transport key, settings, databases and the first officer.

Each step is there whole or not at all, and is passed over where it was done before: so what was cut off is finished by
doing it again, and a folder made by ``keepclear key new`` becomes that of a node.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from keepclear.errors import Fault, InputError
from keepclear.node.access import Access
from keepclear.node.actors import OPERATOR
from keepclear.node.calling import Address
from keepclear.node.folder import NodeFolder
from keepclear.node.passwords import check_password
from keepclear.node.refusals import ClashError
from keepclear.node.roles import Role
from keepclear.node.settings import write_settings
from keepclear.node.tls import make_certificate
from keepclear.node.users import check_user
from keepclear.record.names import NAME_RIGHT, is_name
from keepclear.store.node.database import NodeDatabase
from keepclear.store.transport_key import make_transport_key

__all__ = ["FIRST_ROLES", "Beginning", "begin_node"]

FIRST_ROLES = (Role.PARTY_AUTHORITY, Role.DUTY_OFFICER)
"""What the first officer is: enough to sign for the party and to do the daily work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """What a node is set up with.

    Attributes
    ----------
    party, name
        The party's name in the record, and what people call it.
    officer, password
        The first officer's name to sign in with, and password.
    address
        Where the others reach the node; empty if it calls them.
    sealed_with
        The passphrase of the keys; None leaves them readable by their owner.
    settings
        Others, by name.
    """

    party: str
    name: str
    officer: str
    password: str = field(repr=False)
    address: str = ""
    sealed_with: str | None = field(default=None, repr=False)
    settings: Mapping[str, object] = field(default_factory=dict)


def begin_node(path: Path, given: Beginning, *, time_s: float) -> NodeFolder:
    """Set up a node.

    Raises
    ------
    InputError
        If something given is wrong, or the folder is another party's.
    ClashError
        If there is a node already.
    StoreError
        If it cannot be written.
    """
    _must_be_right(given)
    folder = _folder(path, given)
    settings = {"name": given.name, "address": given.address or None, **given.settings}
    write_settings(path, settings)
    folder = NodeFolder(path, passphrase=lambda _: given.sealed_with or "")
    make_certificate(path, given.address, time_s=time_s)
    make_transport_key(folder, time_s=time_s, sealed_with=given.sealed_with)
    folder.open_records().close()
    database = folder.open_database()
    try:
        access = Access(database, lambda: time_s)
        if access.users.after(limit=1):
            raise ClashError(Fault("there is a node in this folder already", "another folder", value=str(path)))
        access.users.add(
            OPERATOR, given.officer, roles=FIRST_ROLES, shown=given.officer, password=given.password
        )  # fmt: skip
    finally:
        database.close()
    return folder


def _must_be_right(given: Beginning) -> None:
    """Refuse what cannot be, all of it at once, before anything is made."""
    faults: list[Fault] = []
    if not is_name(given.party):
        faults.append(Fault("not a name that a party can have", NAME_RIGHT, field="party", value=given.party))
    for look in (
        lambda: check_password(given.password, names=[given.officer, given.party, given.name]),
        lambda: check_user(name=given.officer),
        lambda: given.address and Address.of_text(given.address),
    ):
        try:
            look()
        except InputError as error:
            faults.extend(error.faults)
    if faults:
        raise InputError(faults)
    database = given.settings.get("database")
    if database:  # one that cannot be opened must not come into the settings
        NodeDatabase.open(str(database)).close()


def _folder(path: Path, given: Beginning) -> NodeFolder:
    if not (path / "keys" / "identity.vkey").exists():
        return NodeFolder.create(path, given.party, sealed_with=given.sealed_with, name=given.name)
    folder = NodeFolder(path, passphrase=lambda _: given.sealed_with or "")
    if folder.party != given.party:
        problem = f"this is the folder of {folder.party}, not of {given.party}"
        raise InputError(Fault(problem, "another folder", field="DIR", value=str(path)))
    if (path / "node.db").exists() and not given.settings.get("database"):
        _must_be_unfinished(folder)
    return folder


def _must_be_unfinished(folder: NodeFolder) -> None:
    """Refuse a node that has users, before anything of it is changed."""
    database = folder.open_database()
    try:
        if Access(database, lambda: 0.0).users.after(limit=1):
            raise ClashError(Fault("there is a node in this folder already", "another folder", value=str(folder.path)))
    finally:
        database.close()
