"""Whom a term binds: its parties and the affiliates that it names, by domain, kind and class, while the term runs.

That a party says an affiliate is bound binds nobody but says something: what is found then is only possible, and says
who asserted it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from keepclear.agreements.facts import Filed, Finding, Flown, RecordView, Result
from keepclear.model.kinds import Domain, OperationKind, domains_of
from keepclear.model.operations import Operation, Zone

if TYPE_CHECKING:
    from keepclear.agreements.terms.base import Scene, Term

__all__ = [
    "Bond",
    "binds_plan",
    "bond_of_filing",
    "bond_of_sort",
    "bond_of_track",
    "plan_of_track",
    "sort_of",
    "stands",
]


@dataclass(frozen=True, slots=True)
class Bond:
    """Whether a term binds something, and what of that is not certain.

    Attributes
    ----------
    binds
        Whether it has to be judged at all.
    doubt
        Why it may not be bound after all, as the end of a sentence; empty where that is certain.
    """

    binds: bool
    doubt: str = ""

    def applied(self, finding: Finding) -> Finding:
        """The finding with the doubt in it: a breach is only possible, and nothing is met for certain."""
        if not self.doubt or finding.result not in (Result.BREACHED, Result.POSSIBLE):
            return finding
        return replace(finding, result=Result.POSSIBLE, sentence=f"{finding.sentence} Not certain: {self.doubt}.")


_NOT = Bond(binds=False)


def bond_of_filing(term: Term, filed: Filed, record: RecordView, at_s: float) -> Bond:
    """Whether a term binds a filing."""
    if not (stands(filed, at_s) and _runs(term, filed.start_s)):
        return _NOT
    return bond_of_sort(term, filed, record, at_s)


def bond_of_sort(term: Term, filed: Filed, record: RecordView, at_s: float) -> Bond:
    """Whether a term binds filings of this sort: of this party and affiliate, with this kind, domains and classes."""
    who = _bond_of_party(term, filed.party, filed.on_behalf_of, record, at_s)
    what = binds_plan(term, filed.plan)
    if not who.binds or what is False:
        return _NOT
    return who if what else Bond(binds=True, doubt=_joined(who.doubt, _unknown(term, filed.plan)))


def bond_of_track(term: Term, flown: Flown, scene: Scene) -> Bond:
    """Whether a term binds a track."""
    if not flown.party or not _runs(term, float(flown.track.time_s[0])):
        return _NOT
    if term.from_s is not None and flown.track.time_s[-1] < term.from_s:
        return _NOT
    filed = scene.filing_of(flown)
    who = _bond_of_party(term, flown.party, filed.on_behalf_of if filed else "", scene.record, scene.at_s)
    if not who.binds:
        return _NOT
    kind = _kind_of(flown, filed)
    classes = (flown.platform_class,) if flown.platform_class else _classes(filed.plan if filed else None)
    where = plan_of_track(flown, filed).domains
    what = _binds(term, kind, where, classes)
    if what is False:
        return _NOT
    return who if what else Bond(binds=True, doubt=_joined(who.doubt, "what sort of unit it is is not known"))


def binds_plan(term: Term, plan: Operation | Zone | None) -> bool | None:
    """Whether a term binds a plan by domain, kind and class; None where that is not known."""
    if plan is None:
        return None if term.kinds or term.classes or term.domains else True
    if isinstance(plan, Zone):
        return plan.kind in (term.kinds or term.KINDS)
    return _binds(term, plan.kind, plan.domains, _classes(plan))


def sort_of(filed: Filed) -> tuple[object, ...]:
    """What of a filing decides whether terms bind it, apart from its times."""
    plan = filed.plan
    where = plan.domains if isinstance(plan, Operation) else None
    kind = None if plan is None else plan.kind
    return filed.party, filed.on_behalf_of, type(plan), kind, where, _classes(plan)


def plan_of_track(flown: Flown, filed: Filed | None) -> Operation:
    """A track as an operation, of the kind and domains that are known of it."""
    kind = _kind_of(flown, filed)
    plan = filed.plan if filed else None
    domains = flown.domains or (plan.domains if isinstance(plan, Operation) else domains_of(kind))
    joint = plan.joint if isinstance(plan, Operation) else None
    return Operation(flown.party or "?", flown.unit or "?", kind, (), (flown.track,), domains, joint=joint)


def _kind_of(flown: Flown, filed: Filed | None) -> OperationKind | None:
    if flown.kind:
        return next((one for one in OperationKind if one.value == flown.kind), None)
    plan = filed.plan if filed else None
    return plan.kind if isinstance(plan, Operation) else None


def _binds(
    term: Term, kind: OperationKind | None, where: frozenset[Domain], classes: frozenset[str] | tuple[str, ...]
) -> bool | None:
    if term.domains and not term.domains & where:
        return False
    answer: bool | None = True
    kinds = term.kinds or term.KINDS
    if kinds:
        if kind is not None and kind not in kinds:
            return False
        if kind is None:
            if not any(isinstance(one, OperationKind) for one in kinds):
                return False
            answer = None
    if term.classes:
        known = {one.casefold() for one in classes if one}
        if not known:
            return None
        if not known & {one.casefold() for one in term.classes}:
            return False if all(classes) else None
    return answer


def _classes(plan: Operation | Zone | None) -> tuple[str, ...]:
    return tuple(one.platform_class for one in plan.participants) if isinstance(plan, Operation) else ()


def _unknown(term: Term, plan: Operation | Zone | None) -> str:
    if plan is None:
        return "what sort of operation it is is not known"
    return "its kind is not known" if plan.kind is None else f"whether it has {', '.join(term.classes)} is not known"


def stands(filed: Filed, at_s: float) -> bool:
    """Whether a filing is to be judged: it counts, and it stood when it began, if it does not stand now."""
    if filed.exercise or (filed.counts_from_s is not None and filed.counts_from_s > at_s):
        return False
    over = [one for one in (filed.superseded_s, filed.cancelled_s) if one is not None and one <= at_s]
    return not over or (filed.start_s is not None and filed.start_s < min(over))


def _runs(term: Term, start_s: float | None) -> bool:
    return term.until_s is None or start_s is None or start_s < term.until_s


def _bond_of_party(term: Term, party: str, affiliate: str, record: RecordView, at_s: float) -> Bond:
    if not affiliate:
        return Bond(binds=party in term.parties or party in term.affiliates)
    if party not in term.parties and affiliate not in term.affiliates:
        return _NOT
    stances = _stances(affiliate, record, at_s)
    if "denies" in stances or "withdraws" in stances:
        doubt = f"{affiliate} being bound is denied by {' and '.join(_who(stances, 'denies', 'withdraws'))}"
        return Bond(binds=True, doubt=doubt)
    if affiliate in term.affiliates or "confirms" in stances:
        return Bond(binds=True)
    if "asserts" in stances:
        asserted = " and ".join(_who(stances, "asserts"))
        return Bond(binds=True, doubt=f"that {affiliate} is bound is asserted by {asserted}, and unconfirmed")
    # A party that is bound speaks for it: or any filing escapes by naming somebody of whom nobody has said anything.
    return Bond(binds=True, doubt=f"nobody has said whether {affiliate} is bound")


def _stances(affiliate: str, record: RecordView, at_s: float) -> dict[str, list[str]]:
    """What each party last said of an affiliate: the parties by what they said."""
    last: dict[str, str] = {}
    for heard in record.of("agreement-signed"):  # who signs may say whom it binds too
        if affiliate in getattr(heard.body, "affiliates", ()) and (heard.counts_from_s or at_s) <= at_s:
            last[heard.party] = "asserts"
    for heard in record.of("affiliate"):
        body = heard.body
        if getattr(body, "affiliate", None) == affiliate and (heard.counts_from_s or at_s) <= at_s:
            last[heard.party] = str(getattr(body, "stance", ""))
    stances: dict[str, list[str]] = {}
    for party, stance in last.items():
        stances.setdefault(stance, []).append(party)
    return stances


def _who(stances: dict[str, list[str]], *wanted: str) -> list[str]:
    return sorted(party for stance in wanted for party in stances.get(stance, ()))


def _joined(*parts: str) -> str:
    return "; ".join(part for part in parts if part)
