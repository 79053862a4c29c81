"""Binding: whose unit a track is of, and which filing it was flown or driven for.

By rule, which an officer may set: the name under which a unit reports (callsign, uid, ICAO address) is a party's unit,
and perhaps one filing's. Where no rule tells the filing, it is the one that the unit's name names, or the only one of
the party that the track kept to at all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice

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
    by_ref = {one.ref: one for one in reversed(filings) if one.ref is not None}
    standing: dict[str, list[Filed]] = defaultdict(list)
    for filed in filings:
        if isinstance(filed.plan, Operation) and filed.ref is not None and not _is_over(filed):
            for party in {filed.party, filed.on_behalf_of} - {""}:
                standing[party].append(filed)
    extents: dict[int, Extent] = {}
    found = []
    for flown in (_by_rule(one, named) for one in tracks):
        if flown.operation is not None:
            found.append(_bound(flown, by_ref.get(flown.operation)))
        else:
            found.append(_bound(flown, _filing(flown, standing.get(flown.party, []), extents)))
    return tuple(found)


def _by_rule(flown: Flown, named: dict[str, BindingRule]) -> Flown:
    rule = named.get(flown.unit.casefold())
    if rule is None:
        return flown
    operation = rule.operation or flown.operation
    return replace(flown, party=rule.party, unit=rule.unit or flown.unit, operation=operation)


def _is_over(filed: Filed) -> bool:
    """Whether a filing is none that anything could be flown for any more: superseded, cancelled, or for practice."""
    return filed.superseded_s is not None or filed.cancelled_s is not None or filed.exercise


def _bound(flown: Flown, found: Filed | None) -> Flown:
    if found is None or not isinstance(found.plan, Operation):
        return flown
    kind = found.plan.kind
    own = flown.kind or ("" if kind is None else kind.value)
    domains = found.plan.domains if not flown.kind else flown.domains & found.plan.domains or flown.domains
    return replace(flown, operation=found.ref, kind=own, domains=domains)


def _filing(flown: Flown, some: Sequence[Filed], extents: dict[int, Extent]) -> Filed | None:
    """Of the filings of a track's party the one that it was flown for; None where that cannot be told."""
    named = [
        one
        for one in some
        if isinstance(one.plan, Operation) and flown.unit in (one.plan.id, one.plan.name) and _is_of_then(one, flown)
    ]
    if named:
        return named[0] if len(named) == 1 else None
    kept = list(islice((one for one in some if _keeps(one, flown, extents)), 2))  # of two it is not known which
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
