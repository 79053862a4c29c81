"""What incident reports say that somebody did. A report is its author's word: alone it makes nothing certain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from keepclear.agreements.facts import Evidence, Heard
from keepclear.agreements.terms.base import Scene, Term
from keepclear.agreements.terms.dues import disputed_by
from keepclear.record.bodies.talk import AnswerGiven

__all__ = ["accused", "incidents", "reply_evidence", "stances"]


def incidents(term: Term, scene: Scene) -> Iterator[Heard]:
    """The latest report of each author on each incident, within the time of the term."""
    reports = [one for one in scene.heard("incident") if getattr(one.body, "stage", "") != "reply"]
    replaced = {one.body.follows.ref() for one in reports if getattr(one.body, "follows", None) is not None}  # type: ignore[attr-defined]
    for one in reports:
        body: Any = one.body
        happened = body.detected_s if body.from_s is None else body.from_s
        begins = term.from_s is None or happened >= term.from_s
        if one.ref not in replaced and begins and (term.until_s is None or happened < term.until_s):
            yield one


def accused(term: Term, heard: Heard) -> str:
    """Of whom a report speaks, where it can be only one of the parties that are bound; empty otherwise."""
    body: Any = heard.body
    others = sorted((set(body.parties) & term.parties) - {heard.party})
    return others[0] if len(others) == 1 else ""


def stances(heard: Heard, scene: Scene) -> tuple[frozenset[str], tuple[str, ...]]:
    """Who concurs with a report, and who disputes it, by answers and by reports of their own that reply to it."""
    concur = {one.party for one in heard.answers if one.answer is AnswerGiven.CONCUR and one.at_s <= scene.at_s}
    against = set(disputed_by(heard, scene.at_s))
    against |= {one.party for one in heard.answers if one.answer is AnswerGiven.NOT_OURS and one.at_s <= scene.at_s}
    against |= {one.party for one in _replies(heard, scene)}
    return frozenset(concur - against), tuple(sorted(against))


def reply_evidence(heard: Heard, scene: Scene, note: str) -> tuple[Evidence, ...]:
    """The report, and what was replied to it."""
    return (
        Evidence(ref=heard.ref, note=note),
        *(Evidence(ref=one.ref, note="a reply") for one in _replies(heard, scene)),
    )


def _replies(heard: Heard, scene: Scene) -> Sequence[Heard]:
    """Reports of others that stand beside this one: they tell it otherwise, or they would have concurred."""
    found = []
    for one in scene.heard("incident"):
        about = getattr(one.body, "about", None)
        if about is not None and about.ref() == heard.ref and one.party != heard.party:
            found.append(one)
    return found
