"""Binding: whose unit a track is of, and which filing it was flown or driven for.

By rule, which an officer may set: the name under which a unit reports (callsign, uid, ICAO address) is a party's unit,
and perhaps one filing's. Where no rule tells the filing, it is the one that the unit's name names, or the only one of
the party that the track kept to at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from keepclear.agreements.facts import Filed, Flown
from keepclear.model.operations import Operation
from keepclear.record.entries import EntryRef
from keepclear.watch.conformance import kept_share
from keepclear.watch.extent import RELATED, Extent, tolerance_of

__all__ = ["BindingRule", "bind"]


@dataclass(frozen=True, slots=True)
class BindingRule:
    """What a name in reports stands for.

    Attributes
    ----------
    name
        As the source has it: a callsign, a uid, an ICAO address; case does not matter.
    party, unit
        Whose unit that is, and which; an empty unit keeps the name.
    operation
        The filing that it was flown for; None where the rule does not say.
    """

    name: str
    party: str
    unit: str = ""
    operation: EntryRef | None = None


def bind(
    tracks: Sequence[Flown], filings: Sequence[Filed] = (), rules: Sequence[BindingRule] = ()
) -> tuple[Flown, ...]:
    """The tracks with party, unit and filing, as far as that can be told.

    A track that is bound to a filing moves where the filing says: its kind and domains are the filing's, unless the
    track has its own.
    """
    named = {rule.name.casefold(): rule for rule in rules}
    extents: dict[int, Extent] = {}
    return tuple(_bound(_by_rule(one, named), filings, extents) for one in tracks)


def _by_rule(flown: Flown, named: dict[str, BindingRule]) -> Flown:
    rule = named.get(flown.unit.casefold())
    if rule is None:
        return flown
    operation = rule.operation or flown.operation
    return replace(flown, party=rule.party, unit=rule.unit or flown.unit, operation=operation)


def _bound(flown: Flown, filings: Sequence[Filed], extents: dict[int, Extent]) -> Flown:
    found = _filing(flown, filings, extents)
    if found is None or not isinstance(found.plan, Operation):
        return flown
    kind = found.plan.kind
    own = flown.kind or ("" if kind is None else kind.value)
    domains = found.plan.domains if not flown.kind else flown.domains & found.plan.domains or flown.domains
    return replace(flown, operation=found.ref, kind=own, domains=domains)


def _filing(flown: Flown, filings: Sequence[Filed], extents: dict[int, Extent]) -> Filed | None:
    if flown.operation is not None:
        return next((one for one in filings if one.ref == flown.operation), None)
    some = [
        one
        for one in filings
        if flown.party
        and flown.party in (one.party, one.on_behalf_of)
        and isinstance(one.plan, Operation)
        and one.ref is not None
        and one.superseded_s is None
        and one.cancelled_s is None
        and not one.exercise
    ]
    named = [
        one
        for one in some
        if isinstance(one.plan, Operation) and flown.unit in (one.plan.id, one.plan.name) and _is_of_then(one, flown)
    ]
    if named:
        return named[0] if len(named) == 1 else None
    kept = [one for one in some if _keeps(one, flown, extents)]
    return kept[0] if len(kept) == 1 else None


def _is_of_then(filed: Filed, flown: Flown) -> bool:
    """Whether a filing is of the time of a track, or of about then: names come again, week after week."""
    assert isinstance(filed.plan, Operation)
    slack = RELATED * tolerance_of(filed.plan).time_s
    begins = filed.start_s is None or filed.start_s - slack <= flown.track.time_s[-1]
    return bool(begins and (filed.end_s is None or filed.end_s + slack >= flown.track.time_s[0]))


def _keeps(filed: Filed, flown: Flown, extents: dict[int, Extent]) -> bool:
    """Whether the track was ever where the filing says."""
    plan = filed.plan
    assert isinstance(plan, Operation)
    extent = extents.get(id(plan)) or extents.setdefault(id(plan), Extent(plan))
    low, high = extent.window
    if flown.track.time_s[-1] < low or flown.track.time_s[0] > high:
        return False
    found = kept_share(extent, flown)
    return found is not None and found[0].reported > 0.0
