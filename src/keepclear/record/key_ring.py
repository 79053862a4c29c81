"""Which key is whose: what certificates, revocations and vouches say together, taken in order.

A ring begins with identities that people compared by their fingerprints (`keepclear.record.fingerprints`), and takes
statements one after another. A statement that cannot be believed changes nothing and is kept with the reason, so that
one bad statement in somebody's log stops nobody. Order is what counts, not the times that statements name: what an
identity signed is refused once its revocation, or its successor, has been taken. So those who take the same statements
in the same order have the same ring; all of one party's are in its own logs, which fix theirs.

A revocation does not unsay anything. Whoever holds a cosignature from before can still prove what was signed; the ring
says with which key a party speaks at a time, and when and why another ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from keepclear.errors import Fault, InputError, IntegrityError, KeepclearError
from keepclear.record.certificates import Certificate, Revocation, Statement, Vouch, read_statement
from keepclear.record.keys import SignatureKind, VerifierKey
from keepclear.record.names import KeyName, Purpose
from keepclear.record.notes import Note, verified

__all__ = ["KeyPeriod", "KeyRing", "Refusal"]

_Place: TypeAlias = tuple[str, Purpose, str | None]
_Vouched: TypeAlias = tuple[str, VerifierKey, VerifierKey | None]
_SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True)
class KeyPeriod:
    """A key, and from when to when it was its party's.

    Attributes
    ----------
    from_s, until_s
        Whole seconds since the epoch: from `from_s` on, until just before `until_s`; None if it has not ended.
    ended
        Why it ended: ``superseded``, ``retired``, ``lost``, ``compromised``; empty if it has not.
    """

    key: VerifierKey
    from_s: int
    until_s: int | None = None
    ended: str = ""

    def holds(self, at_s: float) -> bool:
        """Whether the key was its party's at that time."""
        return self.from_s <= at_s and (self.until_s is None or at_s < self.until_s)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A statement that changed nothing, and why: the how manyth of those taken it was (from 0), and its bytes."""

    number: int
    reason: str
    data: bytes = field(repr=False)


@dataclass(frozen=True)
class KeyRing:
    """Which key of which party is for what, and since when. Make it with `founded`, then take statements.

    Attributes
    ----------
    vouches_needed
        How many other members must vouch for an identity; None means all who have one then.
    refused
        The statements that changed nothing.
    held
        All keys, by party, purpose and line, each in order.
    vouches
        For each identity vouched for (party, key, the key it supersedes): by which identities, and from when.
    taken
        What has been taken before, so that repetitions are known.
    count
        How many statements have been taken, refused or not.
    """

    vouches_needed: int | None
    refused: tuple[Refusal, ...]
    held: Mapping[_Place, tuple[KeyPeriod, ...]] = field(repr=False)
    vouches: Mapping[_Vouched, Mapping[VerifierKey, int]] = field(repr=False)
    taken: frozenset[str] = field(repr=False)
    count: int

    @classmethod
    def founded(cls, identities: Iterable[VerifierKey], *, vouches_needed: int | None = None) -> KeyRing:
        """A ring of identities that people compared by their fingerprints.

        Raises
        ------
        InputError
            If a key is not an identity's by name and kind, if two are of one party or of parties whose names differ
            in capitals only, if two are the same key, or if `vouches_needed` is less than 1.
        """
        if vouches_needed is not None and vouches_needed < 1:
            raise InputError(Fault("at least one other member must vouch", "1 or more", value=str(vouches_needed)))
        taking = _Taking(cls(vouches_needed, (), {}, {}, frozenset(), 0))
        faults = []
        for key in identities:
            try:
                taking.found(key)
            except IntegrityError as error:
                faults.append(Fault(str(error), feature=key.name))
        if faults:
            raise InputError(faults)
        return taking.ring()

    def taking(self, statements: Iterable[bytes]) -> KeyRing:
        """The ring after these statements, in this order; those refused are in its `refused`.

        A statement already taken, word for word, changes nothing and is not refused.
        """
        taking = _Taking(self)
        for data in statements:
            taking.take(data)
        return taking.ring()

    def key_for(self, party: str, purpose: Purpose, line: str | None, at_s: float) -> VerifierKey | None:
        """The key that was the party's for this at that time; None if there was none."""
        return next((one.key for one in reversed(self.periods(party, purpose, line)) if one.holds(at_s)), None)

    def periods(self, party: str, purpose: Purpose, line: str | None = None) -> tuple[KeyPeriod, ...]:
        """All keys that the party has had for this, in order."""
        return self.held.get((party, purpose, line), ())

    def identity_of(self, party: str) -> VerifierKey | None:
        """The identity whose statements are taken now; None if the party has none."""
        periods = self.periods(party, Purpose.IDENTITY)
        return periods[-1].key if periods and periods[-1].until_s is None else None

    @property
    def parties(self) -> tuple[str, ...]:
        """All parties that have, or have had, an identity."""
        return tuple(party for party, purpose, _ in self.held if purpose is Purpose.IDENTITY)


class _Taking:
    """A ring while statements are being taken: what is changed here, nobody else sees."""

    def __init__(self, ring: KeyRing) -> None:
        self.needed = ring.vouches_needed
        self.refused = list(ring.refused)
        self.periods = {place: list(periods) for place, periods in ring.held.items()}
        self.vouches = {vouched: dict(by) for vouched, by in ring.vouches.items()}
        self.taken = set(ring.taken)
        self.count = ring.count
        self.owners: dict[bytes, VerifierKey] = {}
        self.key_ids: dict[tuple[str, bytes], VerifierKey] = {}
        self.parties: dict[str, str] = {}
        for (party, _, line), periods in self.periods.items():
            self.parties[party.casefold()] = party
            for period in periods:
                self._note(period.key, line)

    def ring(self) -> KeyRing:
        periods = {place: tuple(periods) for place, periods in self.periods.items()}
        return KeyRing(self.needed, tuple(self.refused), periods, self.vouches, frozenset(self.taken), self.count)

    def found(self, key: VerifierKey) -> None:
        name = KeyName.of_text(key.name)
        if name is None or name.purpose is not Purpose.IDENTITY or key.kind is not SignatureKind.ED25519:
            raise IntegrityError(f"the key {key.name} is not an identity, PARTY/identity of type 1")
        if (name.party, Purpose.IDENTITY, None) in self.periods:
            raise IntegrityError(f"two identities of {name.party}")
        self._check_new(key, None)
        self._check_party(name.party)
        self._add((name.party, Purpose.IDENTITY, None), key, 0)

    def take(self, data: bytes) -> None:
        try:
            statement, note = read_statement(data)
            # A vouch counts for the identity that signed it, so the same one by a new identity is another.
            mark = statement.text
            if isinstance(statement, Vouch):
                mark += "".join(signature.line for signature in note.signatures)
            if mark not in self.taken:
                self._check_signer(statement, note)
                self._apply(statement)
                self.taken.add(mark)
        except KeepclearError as error:
            self.refused.append(Refusal(self.count, str(error), data))
        self.count += 1

    def _apply(self, statement: Statement) -> None:
        if isinstance(statement, Certificate):
            self._certify(statement)
        elif isinstance(statement, Revocation):
            self._revoke(statement)
        else:
            self._vouch(statement)

    def _check_signer(self, statement: Statement, note: Note) -> None:
        party = statement.signer
        periods = self.periods.get((party, Purpose.IDENTITY, None), [])
        current = periods[-1].key if periods and periods[-1].until_s is None else None
        if current is not None and any(line.is_by(current) for line in note.signatures):
            verified(note, [current])
            return
        for period in periods:
            if any(line.is_by(period.key) for line in note.signatures):
                raise IntegrityError(f"signed by an identity of {party} that had been {period.ended} before")
        if current is None:
            raise IntegrityError(f"{party} has no identity that could sign this")
        raise IntegrityError(f"not signed by the identity of {party}, {current.text}")

    def _certify(self, certificate: Certificate) -> None:
        place = (certificate.party, certificate.purpose, certificate.line)
        self._check_new(certificate.key, certificate.line)
        self._check_succession(self.periods.get(place, []), certificate)
        self._add(place, certificate.key, certificate.from_s)

    def _check_succession(self, periods: list[KeyPeriod], certificate: Certificate) -> None:
        if not periods:
            if certificate.supersedes is not None:
                raise IntegrityError(f"there is no key {certificate.supersedes.text} that it could supersede")
            return
        last = periods[-1]
        if certificate.supersedes != last.key and (certificate.supersedes is not None or last.until_s is None):
            raise IntegrityError(f"it must supersede {last.key.text}, the key there is now")
        _check_after(last, certificate.from_s)
        old, new = KeyName.of_text(last.key.name), KeyName.of_text(certificate.key.name)
        if old is not None and new is not None and new.begun < old.begun:
            raise IntegrityError(f"the log {certificate.key.name} was begun before {last.key.name}, and is over")

    def _revoke(self, revocation: Revocation) -> None:
        name = KeyName.of_text(revocation.key.name)
        periods = self.periods.get((name.party, name.purpose, name.line), []) if name is not None else []
        number = next((n for n, period in enumerate(periods) if period.key == revocation.key), None)
        if number is None:
            raise IntegrityError(f"{revocation.party} has had no key {revocation.key.text}")
        period = periods[number]
        if period.until_s is not None and period.until_s <= revocation.from_s:
            raise IntegrityError(f"the key had already been {period.ended} by then")
        periods[number] = replace(period, until_s=revocation.from_s, ended=revocation.reason.value)

    def _vouch(self, vouch: Vouch) -> None:
        periods = self.periods.get((vouch.party, Purpose.IDENTITY, None), [])
        last = periods[-1] if periods else None
        if vouch.supersedes != (last.key if last else None):
            now = last.key.text if last else "none"
            raise IntegrityError(f"the identity of {vouch.party} that a new one supersedes is {now}")
        self._check_new(vouch.key, None)
        if last is None:
            self._check_party(vouch.party)
        else:
            _check_after(last, vouch.from_s)
        by = self.vouches.setdefault((vouch.party, vouch.key, vouch.supersedes), {})
        by[self._current_identities()[vouch.by]] = vouch.from_s
        self._adopt_if_enough(vouch, by)

    def _adopt_if_enough(self, vouch: Vouch, by: Mapping[VerifierKey, int]) -> None:
        others = {key for party, key in self._current_identities().items() if party != vouch.party}
        counted = [from_s for key, from_s in by.items() if key in others]  # not those whose identity ended since
        if len(counted) >= (len(others) if self.needed is None else self.needed):
            self._add((vouch.party, Purpose.IDENTITY, None), vouch.key, max(counted))

    def _current_identities(self) -> dict[str, VerifierKey]:
        return {
            party: periods[-1].key
            for (party, purpose, _), periods in self.periods.items()
            if purpose is Purpose.IDENTITY and periods[-1].until_s is None
        }

    def _check_party(self, party: str) -> None:
        other = self.parties.get(party.casefold(), party)
        if other != party:
            raise IntegrityError(f"{party} can be taken for {other}: their names differ in capitals only")

    def _check_new(self, key: VerifierKey, line: str | None) -> None:
        other = self.owners.get(key.public)
        if other == key:
            raise IntegrityError(f"the key {key.text} is already known: no key is certified twice")
        if other is not None:
            names = KeyName.of_text(key.name), KeyName.of_text(other.name)
            logs = all(name is not None and name.purpose is Purpose.LOG for name in names)
            rule = "two logs never share a key" if logs else "a key has one owner and one purpose"
            raise IntegrityError(f"the key of {key.name} is already that of {other.name}: {rule}")
        twin = self.key_ids.get((line, key.key_id)) if line is not None else None
        if twin is not None:
            hexadecimal = key.key_id.hex()
            raise IntegrityError(f"the key id {hexadecimal} of {key.name} is already that of {twin.name} on {line}")

    def _add(self, place: _Place, key: VerifierKey, from_s: int) -> None:
        party, _, line = place
        periods = self.periods.setdefault(place, [])
        for number, period in enumerate(periods):  # all: the last may have been revoked from before its beginning
            if period.until_s is None or period.until_s > from_s:
                periods[number] = replace(period, until_s=from_s, ended=period.ended or _SUPERSEDED)
        periods.append(KeyPeriod(key, from_s))
        self.parties[party.casefold()] = party
        self._note(key, line)

    def _note(self, key: VerifierKey, line: str | None) -> None:
        self.owners[key.public] = key
        if line is not None:
            self.key_ids[line, key.key_id] = key


def _check_after(last: KeyPeriod, from_s: int) -> None:
    if from_s < (last.from_s if last.until_s is None else last.until_s):
        raise IntegrityError(f"it begins before the time of the key that it follows, {last.key.text}")
