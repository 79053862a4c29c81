"""What stood on the record at a time: what its author had taken back by then had not been said."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from keepclear.agreements.facts import Given, Heard
from keepclear.record.bodies.talk import AnswerGiven

if TYPE_CHECKING:
    from keepclear.agreements.terms.base import Scene

__all__ = ["concurring", "signatures", "standing"]

_DECIDING = frozenset({AnswerGiven.CONCUR, AnswerGiven.OBJECT, AnswerGiven.UNABLE, AnswerGiven.NOT_OURS})


def standing(scene: Scene, entry_type: str, *, by_s: float | None = None) -> Iterator[Heard]:
    """The entries of a type that counted by a time, and that their authors had neither cancelled nor replaced by then.

    Parameters
    ----------
    by_s
        As of when; never later than the scene. What is taken back only afterwards stood then.
    """
    moment = scene.at_s if by_s is None else min(by_s, scene.at_s)
    for one in scene.heard(entry_type):
        gone_s = scene.taken_back.get((one.ref, one.party))
        if one.counts_from_s is not None and one.counts_from_s <= moment and (gone_s is None or gone_s > moment):
            yield one


def concurring(heard: Heard, by_s: float) -> frozenset[str]:
    """Who stood behind an entry of another party by a time: those whose last word on it was CONCUR."""
    last: dict[str, Given] = {}
    for one in sorted(heard.answers, key=lambda each: (each.at_s, each.ref.origin, each.ref.index)):
        if one.answer in _DECIDING and one.at_s <= by_s and one.party != heard.party:
            last[one.party] = one
    return frozenset(party for party, one in last.items() if one.answer is AnswerGiven.CONCUR)


def signatures(plan: Heard, scene: Scene, *, by_s: float | None = None) -> dict[str, Heard]:
    """Which participants of a joint plan had signed it by a time: by its hash, and with the role that it names."""
    body: Any = plan.body
    roles = {one.party: one.role.casefold() for one in body.plan.participants}
    signed: dict[str, Heard] = {}
    for heard in standing(scene, "joint-plan-signed", by_s=by_s):
        said: Any = heard.body
        if said.plan == body.plan.hash and said.role.casefold() == roles.get(heard.party):
            signed.setdefault(heard.party, heard)
    return signed
