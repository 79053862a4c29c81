"""Whom an agreement is said to bind besides its parties: who says so, who confirms it, who denies it.

An affiliate signs nothing. That a party says that it answers for one is that party's word; it is confirmed when the
affiliate itself says so, or another party of the agreement does. Until then it is asserted, and no more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from keepclear.agreements.facts import Heard, RecordView
from keepclear.agreements.folding import order_of
from keepclear.agreements.standing import AgreementStanding
from keepclear.record.bodies.agreements import AffiliateBody
from keepclear.record.entries import EntryRef
from keepclear.record.entry_types import EntryType

__all__ = ["Affiliate", "affiliates_of"]


@dataclass(frozen=True, slots=True)
class Affiliate:
    """Somebody who is said to be bound.

    Attributes
    ----------
    name, by
        Who, and the party that is said to bind it.
    asserted_by, confirmed_by, denied_by
        Who says what, by the last word of each.
    refs
        The entries by which they say it.
    """

    name: str
    by: str
    asserted_by: tuple[str, ...]
    confirmed_by: tuple[str, ...]
    denied_by: tuple[str, ...]
    refs: tuple[EntryRef, ...]

    @property
    def sentence(self) -> str:
        """How it stands, to be read out: "cover of TR by US: asserted by US, unconfirmed"."""
        said = [
            f"{what} by {', '.join(who)}"
            for what, who in (
                ("asserted", self.asserted_by),
                ("confirmed", self.confirmed_by),
                ("denied", self.denied_by),
            )
            if who
        ]
        if not self.confirmed_by:
            said.append("unconfirmed")
        return f"cover of {self.name} by {self.by}: {', '.join(said)}"


def affiliates_of(
    standing: AgreementStanding, record: RecordView | Iterable[Heard], *, exercise: bool = False
) -> tuple[Affiliate, ...]:
    """Whom an agreement is said to bind besides its parties, at the time of its standing, by name.

    Parameters
    ----------
    standing
        The agreement; whom a party named when it signed the version in question is asserted by it.
    record
        What was said; ``affiliate`` entries that name this agreement, or none, are looked at.
    exercise
        Whether to look at what was said for practice.
    """
    entries = list(record.of(EntryType.AFFILIATE) if isinstance(record, RecordView) else record)
    said = [*_signed(standing), *_entries(entries, standing, exercise=exercise)]
    last: dict[tuple[str, str, str], tuple[str, EntryRef]] = {}
    for name, by, party, stance, ref in said:
        last[name, by, party] = (stance, ref)
    found = []
    for name, by in sorted({(name, by) for name, by, _ in last}):
        words = {party: last[name, by, party] for n, b, party in sorted(last) if (n, b) == (name, by)}
        stances = {
            stance: tuple(party for party, (said_, _) in words.items() if said_ == stance)
            for stance in ("asserts", "confirms", "denies")
        }
        if any(stances.values()):
            refs = tuple(ref for stance, ref in words.values() if stance != "withdraws")
            found.append(Affiliate(name, by, stances["asserts"], stances["confirms"], stances["denies"], refs))
    return tuple(found)


_Word = tuple[str, str, str, str, EntryRef]


def _signed(standing: AgreementStanding) -> Iterator[_Word]:
    for party, signature in sorted(standing.version.signatures.items()):
        for name in signature.affiliates:
            yield name, party, party, "asserts", signature.ref


def _entries(entries: Iterable[Heard], standing: AgreementStanding, *, exercise: bool) -> Iterator[_Word]:
    counted = [
        one
        for one in entries
        if one.counts_from_s is not None and one.counts_from_s <= standing.at_s and one.exercise == exercise
    ]
    for one in sorted(counted, key=lambda heard: (heard.counts_from_s or 0.0, *order_of(heard))):
        body = one.body
        if isinstance(body, AffiliateBody) and body.agreement in {None, standing.id}:
            # Who binds it asserts it, whatever it calls that; anybody else can only confirm or deny.
            confirms = body.stance in {"asserts", "confirms"}
            stance = ("asserts" if one.party == body.by else "confirms") if confirms else body.stance
            yield body.affiliate, body.by, one.party, stance, one.ref
