"""What stood on a record at a time: measures, joint plans and their signatures, advisories, and what was taken back.

A record is put in order once, by what its entries are about; a question then looks at no more than these.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet

from keepclear.agreements.facts import Heard, RecordView
from keepclear.record.bodies.base import Body
from keepclear.record.bodies.joint import JointPlanBody, JointPlanSignedBody, MeasureBody
from keepclear.record.bodies.line_talk import AdvisoryBody
from keepclear.record.bodies.talk import CancelBody
from keepclear.record.entries import EntryRef
from keepclear.record.entry_types import EntryType
from keepclear.watch.joint_plans import PlanOnRecord, PlanTold, with_signatures

__all__ = ["Standing", "log_order"]


class Standing:
    """What stood on a record, to be asked for any time."""

    def __init__(self, record: RecordView) -> None:
        self._cancels = _by_subject(record.of(EntryType.CANCEL))
        self._advisories = _by_subject(record.of(EntryType.ADVISORY))
        self._measures = _by_subject(_that_bind(record.of(EntryType.MEASURE)))
        self._signed = _by_subject(_that_bind(record.of(EntryType.JOINT_PLAN_SIGNED)))
        told = _that_bind(record.of(EntryType.JOINT_PLAN))
        self._replacing = _by_subject(told)
        self._plans = [
            PlanTold(one, one.body.plan, one.body.plan.hash) for one in told if isinstance(one.body, JointPlanBody)
        ]

    @property
    def is_empty(self) -> bool:
        """Whether nothing was said that a label could rest on besides filings and answers."""
        return not (self._measures or self._advisories or self._plans)

    def stood(self, one: Heard, at_s: float, without: AbstractSet[EntryRef]) -> bool:
        """Whether an entry counted by then, and its author had not cancelled it."""
        return _counted(one, at_s, without) and not any(
            each.party == one.party and _counted(each, at_s, without) for each in self._cancels.get(one.ref, ())
        )

    def measures(self, refs: Iterable[EntryRef]) -> list[Heard]:
        """The measures that name one of these filings, in the order of the logs, whenever they stood."""
        return _once(one for ref in refs for one in self._measures.get(ref, ()))

    def measures_of_both(self, a: AbstractSet[EntryRef], b: AbstractSet[EntryRef]) -> list[Heard]:
        """The measures that name a filing of either side, in the order of the logs, whenever they stood."""
        if not self._measures:
            return []
        others = {one.ref for one in self.measures(b)}
        return [one for one in self.measures(a) if one.ref in others]

    def advisories(self, first: EntryRef | None, second: EntryRef) -> list[Heard]:
        """Advisories about both filings."""
        if first is None:
            return []
        about = {one.ref for one in self._advisories.get(first, ())}
        return [one for one in self._advisories.get(second, ()) if one.ref in about]

    def plans(self, parties: AbstractSet[str], from_s: float, to_s: float) -> list[PlanTold]:
        """The joint plans in which all of these take part, in whose time something was, whenever they stood."""
        return [
            one
            for one in self._plans
            if one.plan.start_s <= to_s and one.plan.end_s >= from_s and parties <= one.parties
        ]

    def plan(self, told: PlanTold, at_s: float, without: AbstractSet[EntryRef]) -> PlanOnRecord | None:
        """A plan with the signatures that counted by then; None if it did not stand, or another had taken its place."""
        if not self.stood(told.heard, at_s, without):
            return None
        replacing = [one for one in self._replacing.get(told.heard.ref, ()) if one.party == told.heard.party]
        if any(self.stood(one, at_s, without) for one in replacing):
            return None
        signatures = [one for one in self._signatures(told) if self.stood(one, at_s, without)]
        return with_signatures(told, signatures)

    def _signatures(self, told: PlanTold) -> list[Heard]:
        """What was signed under that entry, or is of that plan, in the order of the logs."""
        return _once(one for key in (told.heard.ref, told.hash) for one in self._signed.get(key, ()))

    def times(self, filings: Iterable[EntryRef], plans: Sequence[PlanTold]) -> Iterator[float]:
        """Whenever something said of these filings, or of these plans, began or ceased to count."""
        refs = set(filings)
        some = self.measures(refs)
        some += [one for ref in refs for one in self._advisories.get(ref, ())]
        for told in plans:
            some += [told.heard, *self._signatures(told), *self._replacing.get(told.heard.ref, ())]
        for one in _once(some):
            for each in (one, *self._cancels.get(one.ref, ())):
                if each.counts_from_s is not None:
                    yield each.counts_from_s
            yield from (each.at_s for each in one.answers)


def log_order(ref: EntryRef) -> tuple[str, int, bytes]:
    """Any order, but always the same: that of the logs."""
    return ref.origin, ref.index, ref.leaf_hash


def _by_subject(some: Iterable[Heard]) -> dict[EntryRef | str, list[Heard]]:
    """Entries by what they are about, each in the order in which they were given."""
    found: dict[EntryRef | str, list[Heard]] = defaultdict(list)
    for one in some:
        for subject in dict.fromkeys(_subjects(one.body)):
            found[subject].append(one)
    return found


def _subjects(body: Body) -> Iterator[EntryRef | str]:
    """What an entry is about: other entries, and of a signature the hash of the plan, too."""
    if isinstance(body, CancelBody):
        yield body.entry.ref()
    elif isinstance(body, MeasureBody):
        yield from (one.ref() for one in body.filings)
    elif isinstance(body, AdvisoryBody):
        yield from (one.ref() for one in body.about)
    elif isinstance(body, JointPlanSignedBody):
        yield body.entry.ref()
        yield body.plan
    elif isinstance(body, JointPlanBody) and body.supersedes is not None:
        yield body.supersedes.ref()


def _that_bind(some: Iterable[Heard]) -> list[Heard]:
    """What may count at some time, in the order of the logs."""
    return _once(one for one in some if one.counts_from_s is not None and not one.exercise)


def _once(some: Iterable[Heard]) -> list[Heard]:
    """In the order of the logs, each entry once."""
    found = {one.ref: one for one in some}
    return sorted(found.values(), key=lambda one: log_order(one.ref))


def _counted(one: Heard, at_s: float, without: AbstractSet[EntryRef]) -> bool:
    return one.counts_from_s is not None and one.counts_from_s <= at_s and one.ref not in without
