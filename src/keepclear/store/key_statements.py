"""Whose key is whose, as the logs in a store say: their statements about keys folded into one ring.

It begins with the identities whose words people compared: our own, and those that `trust` was told of. What no such
identity signed, directly or through vouches, is not believed (`keepclear.record.key_ring`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from keepclear.errors import Fault, InputError, PeerError
from keepclear.record.bodies.base import Body
from keepclear.record.bodies.keys import IdentityVouchBody, KeyCertificateBody, KeyRevocationBody
from keepclear.record.bodies.registry import body_of
from keepclear.record.certificates import Certificate, Revocation, Statement, Vouch, read_statement
from keepclear.record.entries import Entry
from keepclear.record.entry_types import EntryType
from keepclear.record.key_ring import KeyRing
from keepclear.record.keys import VerifierKey
from keepclear.record.names import KeyName, Purpose
from keepclear.store.held import HeldLog
from keepclear.store.log_store import LogStore
from keepclear.store.party_folder import PartyFolder

__all__ = [
    "STATEMENTS",
    "body_of_statement",
    "check_own",
    "identity_of",
    "ring_of",
    "statement_of",
    "statements",
    "trust",
]

STATEMENTS = frozenset({EntryType.KEY_CERTIFICATE, EntryType.KEY_REVOCATION, EntryType.IDENTITY_VOUCH})
"""The types of entries that carry them."""
_MODELS: dict[type[Statement], type[Body]] = {
    Certificate: KeyCertificateBody,
    Revocation: KeyRevocationBody,
    Vouch: IdentityVouchBody,
}
_TYPE_TEXTS = tuple(f'"type":"{name}"'.encode() for name in sorted(STATEMENTS))


def statement_of(entry: Entry) -> bytes | None:
    """The statement about keys that an entry carries; None if it carries none, or none that can be read."""
    if entry.leaf.type not in STATEMENTS or entry.body is None:
        return None
    try:
        body = body_of(entry)
    except PeerError:
        return None
    if isinstance(body, KeyCertificateBody | KeyRevocationBody | IdentityVouchBody):
        return body.note.encode()
    return None


def body_of_statement(data: bytes) -> Body:
    """The body that carries a statement in a log.

    Raises
    ------
    PeerError
        If it is no statement.
    """
    statement, _ = read_statement(data)
    for kind, model in _MODELS.items():
        if isinstance(statement, kind):
            return model(note=data.decode())
    raise AssertionError(f"a statement of no kind: {statement}")


def statements(log: HeldLog) -> Iterator[bytes]:
    """The statements about keys in a log whose bodies are here, in order."""
    for index, leaf in enumerate(log.leaves()):
        if not any(name in leaf for name in _TYPE_TEXTS):  # a log is long, and few of its entries are statements
            continue
        try:
            found = statement_of(log.entry(index))
        except PeerError:
            continue  # a leaf of no kind that we can read is no statement
        if found is not None:
            yield found


def identity_of(store: LogStore, party: str) -> VerifierKey | None:
    """The identity of another party whose words were compared here; None if none were."""
    value = store.setting(_setting(party))
    return None if value is None else VerifierKey.of_text(value.decode())


def trust(store: LogStore, identity: VerifierKey) -> None:
    """Remember an identity whose words were compared, where none of its party is remembered.

    A later one is believed by what the others vouch for, never by taking the place of this one.

    Raises
    ------
    InputError
        If it is no identity.
    """
    name = KeyName.of_text(identity.name)
    if name is None or name.purpose is not Purpose.IDENTITY:
        raise InputError(Fault("not an identity", "PARTY/identity+…, as its party shows it", value=identity.name))
    if identity_of(store, name.party) is None:
        store.put_setting(_setting(name.party), identity.text.encode())


def ring_of(
    store: LogStore, folder: PartyFolder, *, more: Iterable[bytes] = (), compared: VerifierKey | None = None
) -> KeyRing:
    """What all logs in the store say about keys, and the statements `more`.

    Parameters
    ----------
    compared
        An identity whose words were compared just now; it counts only where none of its party is remembered.

    Notes
    -----
    A party's own statements are taken in the order of its logs. Between logs there is no order, so what parties say of
    their own keys is taken before what others vouch for; what was refused is tried again until nothing changes, since a
    vouch makes good what a new identity signed. `more` comes last: what only arrives now is never believed on the word
    of an identity that the logs say is over. What is refused in the end is in the ring's `refused`.
    """
    origins = [log.origin for log in store.logs()]
    parties = sorted({origin.partition("/")[0] for origin in origins} - {folder.party})
    known = {party: key for party in parties if (key := identity_of(store, party)) is not None}
    if compared is not None:
        known.setdefault(compared.name.partition("/")[0], compared)
    ring = KeyRing.founded([folder.identity, *known.values()])
    held = [one for origin in sorted(origins, key=_order) for one in statements(HeldLog(store, origin))]
    first = _settled(ring, held)
    return _settled(replace(first, refused=()), [*(one.data for one in first.refused), *more])


def _settled(ring: KeyRing, found: Iterable[bytes]) -> KeyRing:
    """The ring after all that can be believed of these statements has been."""
    pending = sorted(found, key=lambda data: data.startswith(b"keepclear identity vouch"))
    while True:
        after = replace(ring, refused=()).taking(pending)
        pending = [refusal.data for refusal in after.refused]
        if after.held == ring.held and after.vouches == ring.vouches:
            return after
        ring = after


def check_own(ring: KeyRing, folder: PartyFolder, statement: bytes) -> None:
    """Refuse to say of our own keys what nobody would believe.

    Raises
    ------
    InputError
        With the reason for which a ring would refuse it.
    """
    after = ring.taking([statement])
    if after.refused[len(ring.refused) :]:
        problem = f"nobody who compared the identity of {folder.party} would believe it: {after.refused[-1].reason}"
        raise InputError(
            Fault(
                problem,
                "a key that your log certified, --from a time before it ended: keepclear key show DIR",
                field="KEY",
            )
        )


def _setting(party: str) -> str:
    return f"identity/{party}"


def _order(origin: str) -> tuple[str, str, int]:
    name = KeyName.of_text(origin)
    return (origin, "", 0) if name is None else (name.party, name.line or "", name.begun)
