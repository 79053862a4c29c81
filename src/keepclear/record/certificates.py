"""What an identity key signs: certificates for its party's other keys, revocations, and vouches for others' identities.

Each is a signed note (C2SP signed-note) whose text is a fixed list of lines, the first of which says what it is and in
which version; there is one spelling of each, and any other is refused. An identity signs nothing else, so nothing that
it signed can be taken for something that it did not mean. What these say together, `keepclear.record.key_ring` works
out. The format is `docs/spec/certificates.md`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from keepclear.errors import Fault, InputError, PeerError
from keepclear.record.keys import SignatureKind, SigningKey, VerifierKey
from keepclear.record.names import KeyName, Purpose, check_name, identity_name
from keepclear.record.notes import Note, signed
from keepclear.times import LATEST_S, parse_time, to_text

__all__ = ["Certificate", "Reason", "Revocation", "Statement", "Vouch", "read_statement", "sign_statement"]

_NOTHING = "-"  # no name and no vkey is a hyphen alone

_KINDS = {
    Purpose.IDENTITY: SignatureKind.ED25519,
    Purpose.LOG: SignatureKind.ED25519,
    Purpose.MIRROR: SignatureKind.COSIGNATURE,
    Purpose.TRANSPORT: SignatureKind.ED25519,
}


class Reason(StrEnum):
    """Why a key is revoked."""

    RETIRED = "retired"
    LOST = "lost"
    COMPROMISED = "compromised"


@dataclass(frozen=True, slots=True)
class Certificate:
    """A party says that a key is its own, and what for.

    Attributes
    ----------
    party
        Whose key it is, and whose identity signs this.
    purpose, line
        What it is for: log or mirror on a line, or transport (and then `line` is None).
    key
        The key, whose name says the same.
    from_s
        From when, in whole seconds since the epoch.
    supersedes
        The key that it takes the place of from then on; None where there is none.

    Raises
    ------
    InputError
        If the key's name or kind is not that of the party, purpose and line, or the purpose is identity.
    """

    party: str
    purpose: Purpose
    line: str | None
    key: VerifierKey
    from_s: int
    supersedes: VerifierKey | None = None

    def __post_init__(self) -> None:
        if self.purpose is Purpose.IDENTITY:
            raise InputError(Fault("an identity is not certified", "let the other members vouch for it"))
        _check_key(self.key, self.party, self.purpose, self.line)
        if self.supersedes is not None:
            _check_key(self.supersedes, self.party, self.purpose, self.line)
        _check_time(self.from_s)

    @property
    def signer(self) -> str:
        """The party whose identity signs this."""
        return self.party

    @property
    def text(self) -> str:
        """The note text."""
        values = (self.purpose.value, self.line or _NOTHING, self.key.text, _time_text(self.from_s))
        return _text(_CERTIFICATE, (self.party, *values, _optional(self.supersedes)))


@dataclass(frozen=True, slots=True)
class Revocation:
    """A party says that a key of its own, its identity included, is no longer its word.

    Attributes
    ----------
    party
        Whose key it is, and whose identity signs this.
    key
        The key.
    from_s
        From when, in whole seconds since the epoch; it may have been stolen a while ago.
    reason
        Why.

    Raises
    ------
    InputError
        If the key's name is not one of the party's.
    """

    party: str
    key: VerifierKey
    from_s: int
    reason: Reason

    def __post_init__(self) -> None:
        name = KeyName.of_text(self.key.name)
        if name is None or name.party != self.party:
            raise InputError(Fault(f"the key {self.key.name} is not named as a key of {self.party}", field="key"))
        _check_time(self.from_s)

    @property
    def signer(self) -> str:
        """The party whose identity signs this."""
        return self.party

    @property
    def text(self) -> str:
        """The note text."""
        values = (self.party, self.key.text, _time_text(self.from_s), self.reason.value)
        return _text(_REVOCATION, values)


@dataclass(frozen=True, slots=True)
class Vouch:
    """A party says that another's identity is now this key: people have compared its fingerprint.

    Attributes
    ----------
    party
        Whose identity it is.
    key
        The identity, named ``<party>/identity``.
    supersedes
        The identity that it takes the place of, which was lost or revoked; None for a party that has had none.
    by
        Who vouches, and whose identity signs this; not the party itself.
    from_s
        From when, in whole seconds since the epoch.

    Raises
    ------
    InputError
        If a key is not named as an identity of the party, or the party vouches for itself.
    """

    party: str
    key: VerifierKey
    supersedes: VerifierKey | None
    by: str
    from_s: int

    def __post_init__(self) -> None:
        check_name(self.by, field="party")
        if self.by == self.party:
            raise InputError(Fault(f"{self.party} cannot vouch for itself", "let the other members do so", field="by"))
        for key in (self.key, self.supersedes):
            if key is not None:
                _check_key(key, self.party, Purpose.IDENTITY, None)
        _check_time(self.from_s)

    @property
    def signer(self) -> str:
        """The party whose identity signs this."""
        return self.by

    @property
    def text(self) -> str:
        """The note text."""
        values = (self.party, self.key.text, _optional(self.supersedes), self.by, _time_text(self.from_s))
        return _text(_VOUCH, values)


Statement: TypeAlias = Certificate | Revocation | Vouch

# The first line, and what each line after it begins with.
_CERTIFICATE = ("keepclear key certificate v1", "party", "purpose", "line", "key", "from", "supersedes")
_REVOCATION = ("keepclear key revocation v1", "party", "key", "from", "reason")
_VOUCH = ("keepclear identity vouch v1", "party", "key", "supersedes", "by", "from")
_FORMS = {form[0]: form for form in (_CERTIFICATE, _REVOCATION, _VOUCH)}


def sign_statement(statement: Statement, identity: SigningKey) -> bytes:
    """The statement as a note signed by the identity of the party that makes it.

    Raises
    ------
    InputError
        If `identity` is not named as the identity of that party.
    """
    wanted = identity_name(statement.signer)
    if identity.verifier.name != wanted or identity.verifier.kind is not SignatureKind.ED25519:
        problem = f"the key {identity.verifier.name} cannot sign this"
        raise InputError(Fault(problem, f"sign with {wanted}", field="key"))
    return signed(statement.text, identity).to_bytes()


def read_statement(data: bytes) -> tuple[Statement, Note]:
    """Read a statement. Who signed it, and whether it can be believed, is for `keepclear.record.key_ring` to say.

    Raises
    ------
    PeerError
        If the bytes are not a signed note with the text of a statement of a kind and version that is known.
    """
    note = Note.of_bytes(data)
    values = _values(note.text)
    try:
        statement = _statement(note.text.partition("\n")[0], values)
    except InputError as error:
        raise PeerError(f"{error.faults[0].problem}, in a statement about keys") from None
    except ValueError:  # of the enums
        raise PeerError("the purpose or reason in a statement about keys is none that there is") from None
    if statement.text != note.text:
        raise PeerError("a statement about keys is not spelled as it must be")
    return statement, note


def _statement(first: str, values: Sequence[str]) -> Statement:
    if first == _CERTIFICATE[0]:
        party, purpose, line, key, from_text, supersedes = values
        named = None if line == _NOTHING else line
        return Certificate(party, Purpose(purpose), named, _key(key), _time(from_text), _optional_key(supersedes))
    if first == _REVOCATION[0]:
        party, key, from_text, reason = values
        return Revocation(party, _key(key), _time(from_text), Reason(reason))
    party, key, supersedes, by, from_text = values
    return Vouch(party, _key(key), _optional_key(supersedes), by, _time(from_text))


def _values(text: str) -> list[str]:
    lines = text[:-1].split("\n")
    form = _FORMS.get(lines[0])
    if form is None:
        raise PeerError("not a statement about keys, or one of a version that is not known")
    if len(lines) != len(form) or not all(map(str.startswith, lines[1:], (f"{name} " for name in form[1:]))):
        raise PeerError(f"the lines of a {lines[0]!r} begin with: {', '.join(form[1:])}")
    return [line.partition(" ")[2] for line in lines[1:]]


def _text(form: Sequence[str], values: Sequence[str]) -> str:
    named = (f"{name} {value}" for name, value in zip(form[1:], values, strict=True))
    return "".join(f"{line}\n" for line in (form[0], *named))


def _optional(key: VerifierKey | None) -> str:
    return _NOTHING if key is None else key.text


def _optional_key(text: str) -> VerifierKey | None:
    return None if text == _NOTHING else _key(text)


def _key(text: str) -> VerifierKey:
    return VerifierKey.of_text(text)


def _time_text(time_s: int) -> str:
    return f"{to_text(time_s)[:19]}Z"


def _time(text: str) -> int:
    return int(parse_time(text))  # another spelling of the same time is noticed where the text is compared


def _check_time(time_s: int) -> None:
    if not 0 <= time_s <= LATEST_S:
        raise InputError(Fault("a time is between the years 1970 and 9999", field="from", value=str(time_s)))


def _check_key(key: VerifierKey, party: str, purpose: Purpose, line: str | None) -> None:
    wanted = KeyName(party, purpose, line)
    name = KeyName.of_text(key.name)
    if name is None or (name.party, name.purpose, name.line) != (wanted.party, wanted.purpose, wanted.line):
        raise InputError(Fault(f"the key {key.name} is not named as {wanted.text}", field="key", value=key.name))
    if key.kind is not _KINDS[purpose]:
        right = f"a {purpose} key is of type {_KINDS[purpose].value}"
        raise InputError(Fault(f"the key {key.name} is of type {key.kind.value}", right, field="key"))
