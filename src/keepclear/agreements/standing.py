"""How matters stand with an agreement. Values to be shown, made in `keepclear.agreements.life`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from keepclear.agreements.documents import Document
from keepclear.agreements.states import BINDING, AgreementState
from keepclear.record.entries import EntryRef
from keepclear.times import to_text

__all__ = ["AgreementStanding", "Change", "Dispute", "Flag", "NoEffect", "Period", "Signature", "Version"]


class Flag(StrEnum):
    """What is to be seen besides the state."""

    DISPUTED = "disputed"
    """The parties say different things of how it stands, or signed different bytes."""
    ONE_SIDED = "one-sided"
    """One party has suspended or ended it, and no other has said so."""
    LATE_SIGNATURE = "late signature"
    """A signature counts only from after the time at which it was to be in force."""
    NOT_HELD = "document not held"
    """We do not have the document, so that nothing of it binds as far as we can tell."""
    WAITING = "waiting"
    """Signed by all; the time from which it binds has not come."""


@dataclass(frozen=True, slots=True)
class Signature:
    """A party's signature.

    Attributes
    ----------
    ref, party, persons
        Which entry, whose, and who signed for it.
    at_s
        From when it counts.
    in_force_s
        From when it is to bind; None: as soon as all have signed.
    affiliates
        Whom the party says it binds too.
    """

    ref: EntryRef
    party: str
    persons: tuple[str, ...]
    at_s: float
    in_force_s: float | None = None
    affiliates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NoEffect:
    """An entry that has no effect, and why."""

    ref: EntryRef
    party: str
    why: str


@dataclass(frozen=True, slots=True)
class Dispute:
    """Something of which parties say different things.

    Attributes
    ----------
    sentence
        To be told to all of them: who says what.
    parties
        Who.
    hashes
        Of what they signed, where that is it; hexadecimal.
    refs
        The entries.
    """

    sentence: str
    parties: tuple[str, ...]
    hashes: tuple[str, ...] = ()
    refs: tuple[EntryRef, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """A change of state.

    Attributes
    ----------
    at_s, document, state
        When, of which document, and to what.
    party, ref
        By whom, and by which entry; empty and None where it came by itself.
    sentence
        The same in words.
    """

    at_s: float
    document: str
    state: AgreementState
    party: str
    ref: EntryRef | None
    sentence: str


@dataclass(frozen=True, slots=True)
class Period:
    """A time during which a document bound its parties: from, up to and without `to_s`; None: it still does."""

    document: Document
    from_s: float
    to_s: float | None


@dataclass(frozen=True, slots=True)
class Version:
    """One document of the agreement.

    Attributes
    ----------
    hash
        Which.
    state, state_s
        How far it has come, and since when.
    title, parties
        As the document says, or the proposal where the document is not held.
    document
        None where it is not held.
    proposals
        The entries that propose it, the first one first.
    counters
        The hash of the document that it was put against; empty where it was against none.
    signatures
        By party; those that stand.
    rejected_by
        Who has said that it will not sign.
    since_s
        From when it was in force; None while it was not.
    suspended_by
        Who has suspended it and has not resumed it.
    ended_by
        Who ended it; empty where it has not ended, or ended by itself.
    expires_s
        When its time is over, by its own terms; None where they do not say so, or it was not in force.
    """

    hash: str
    state: AgreementState
    state_s: float
    title: str
    parties: tuple[str, ...]
    document: Document | None
    proposals: tuple[EntryRef, ...]
    counters: str = ""
    signatures: Mapping[str, Signature] = field(default_factory=dict)
    rejected_by: tuple[str, ...] = ()
    since_s: float | None = None
    suspended_by: tuple[str, ...] = ()
    ended_by: str = ""
    expires_s: float | None = None

    @property
    def missing(self) -> tuple[str, ...]:
        """Who has not signed."""
        return tuple(one for one in self.parties if one not in self.signatures)


@dataclass(frozen=True, slots=True)
class AgreementStanding:
    """An agreement at a time, by what counts then.

    Attributes
    ----------
    id, at_s
        Which agreement, and when.
    state
        Of the version that matters most: of the one that binds, else that is suspended, else that changed last.
    version
        That version.
    versions
        All of them, in the order in which they were proposed.
    in_force
        The document that binds its parties; None where none does.
    since_s
        From when, without interruption.
    periods
        When which document bound its parties, in time order.
    disputes
        What parties say different things of.
    flags
        What is to be seen besides the state.
    no_effect
        Entries that have none, and why.
    history
        All changes, in time order.
    """

    id: str
    at_s: float
    state: AgreementState
    version: Version
    versions: tuple[Version, ...]
    in_force: Document | None = None
    since_s: float | None = None
    periods: tuple[Period, ...] = ()
    disputes: tuple[Dispute, ...] = ()
    flags: frozenset[Flag] = frozenset()
    no_effect: tuple[NoEffect, ...] = ()
    history: tuple[Change, ...] = ()

    @property
    def sentence(self) -> str:
        """How it stands, to be read out."""
        version = self.version
        said = [f"{self.id} ({version.title}, {version.hash[:12]}): {self.state} since {to_text(version.state_s)}"]
        if version.state not in BINDING:
            said.append("binds nobody")
        if version.since_s is None:
            said.append(f"signed by {', '.join(sorted(version.signatures)) or 'nobody'}")
            said.append(f"not signed by {', '.join(version.missing)}" if version.missing else "signed by all")
        if version.suspended_by:
            said.append(f"suspended by {', '.join(version.suspended_by)}")
        if version.ended_by:
            said.append(f"ended by {version.ended_by}")
        if self.flags:
            said.append(", ".join(sorted(flag.value.upper() for flag in self.flags)))
        return "; ".join(said)

    def bound_at(self, at_s: float) -> Document | None:
        """The document that bound its parties at an earlier time, by what counts now."""
        found = [one for one in self.periods if one.from_s <= at_s and (one.to_s is None or at_s < one.to_s)]
        return found[0].document if found else None  # the first, as in `in_force`, if two bound at once

    def of(self, document: str) -> Version | None:
        """The version with this hash."""
        return next((one for one in self.versions if one.hash == document), None)
