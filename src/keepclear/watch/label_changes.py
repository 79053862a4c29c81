"""Why a label is what it is, and what would make it another one. Each sentence is checked before it is said.

What is said to make a label less is tried: the entry is left out, and the label worked out anew. What is said to make
it more is read from the table of rules, with the facts that are wanting.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from keepclear.agreements.facts import Evidence
from keepclear.record.entries import EntryRef
from keepclear.watch.encounters import SILENT, Basis
from keepclear.watch.label_case import Case
from keepclear.watch.label_facts import Fact, Facts, facts_of
from keepclear.watch.label_words import entry_text, moment_text
from keepclear.watch.rules import RULES, Atom, Label, first_match

__all__ = [
    "Change",
    "Outcomes",
    "because",
    "downward",
    "evidence_of",
    "if_exact",
    "moments",
    "name_of",
    "straddled",
    "subsets",
    "upward",
]

_IN_ORDER = {needs: tuple(atom for atom in Atom if atom in needs) for _, needs, _ in RULES}
"""The facts that a row asks for, in the order in which they are told."""
Outcomes = tuple[tuple[Label | None, tuple[frozenset[Atom], ...]], ...]
"""Each label that is possible, with the facts left open that would have to be so for it."""


@dataclass(frozen=True, slots=True)
class Change:
    """What would make it another label.

    Attributes
    ----------
    to
        Which; None: no encounter at all.
    needs
        The facts that would have to be so.
    without
        The entry that would have to be missing.
    sentence
        The same in words, with names, entries and times.
    """

    to: Label | None
    needs: frozenset[Atom]
    without: EntryRef | None
    sentence: str


def name_of(one: Label | None) -> str:
    """A label as it is said."""
    return "no encounter" if one is None else one.value.upper().replace("-", "_")


def subsets(atoms: Sequence[Atom]) -> Iterator[frozenset[Atom]]:
    """All subsets of some facts."""
    for count in range(len(atoms) + 1):
        yield from map(frozenset, itertools.combinations(atoms, count))


def moments(case: Case) -> list[float]:
    """When it may have begun: the earliest, and every later time, until it surely had, at which the record changed.

    A meeting of plans begins with the plans' common time; one of tracks, whenever they first were within the minima.
    """
    encounter = case.encounter
    low, high = encounter.from_s, encounter.from_s
    if encounter.basis is Basis.TRACKS:
        high = encounter.to_s if encounter.certain_from_s is None else encounter.certain_from_s
    return [low, *case.changes_s(low, high)]


def because(facts: Facts, label: Label, between: Sequence[Label | None]) -> tuple[str, ...]:
    """Why, as sentences: what the rule of the label asks for, and what each better one lacks."""
    sentences: list[str] = []
    for fact in _deciding(facts, label, between):
        if fact.sentence and fact.sentence not in sentences:
            sentences.append(fact.sentence)
    return tuple(sentences)


def evidence_of(facts: Facts, label: Label, between: Sequence[Label | None]) -> tuple[Evidence, ...]:
    """What it rests on, each entry and track once."""
    found: dict[tuple[EntryRef | None, str], Evidence] = {}
    for fact in (*_deciding(facts, label, between), facts[Atom.MET], facts[Atom.JOINT_PRESENT]):
        for one in fact.evidence:
            found.setdefault((one.ref, one.track), one)
    return tuple(found.values())


def _deciding(facts: Facts, label: Label, between: Sequence[Label | None]) -> Iterator[Fact]:
    for row, needs, _ in RULES:
        ordered = _IN_ORDER[needs]
        if row is label or (label is Label.UNDETERMINED and row in between):
            yield from (facts[atom] for atom in ordered)
        elif row is not None:
            wanting = [atom for atom in ordered if not facts[atom].so]
            yield from (facts[atom] for atom in wanting[:1])
        if row is label:
            return


def upward(facts: Facts, label: Label) -> tuple[Change, ...]:
    """What would make it a better label: for each row before its own, the facts that are wanting."""
    sure = {atom for atom, fact in facts.items() if fact.so}
    changes = []
    for row, needs, _ in RULES:
        if row is label:
            break
        missing = [atom for atom in _IN_ORDER[needs] if atom not in sure]
        if row is None or not missing or first_match(_closed(sure | needs)) is not row:
            continue
        if row is Label.JOINT_PLANNED and not facts[Atom.JOINT_PRESENT].sentence:
            continue  # there is no plan, so nothing tells whether the tracks would have shown it
        wanting = list(dict.fromkeys(facts[atom].wanting for atom in missing if facts[atom].wanting))
        sentence = f"It would be {name_of(row)} if {'; and '.join(wanting)}."
        changes.append(Change(row, frozenset(missing), None, sentence))
    return tuple(changes)


def _closed(facts: set[Atom]) -> set[Atom]:
    """With what follows from them: who filed told the other of it."""
    return facts | {Atom.TOLD} if facts & {Atom.FILED_A, Atom.FILED_B} else facts


def downward(case: Case, began_s: float, label: Label) -> tuple[Change, ...]:
    """Which single entries it hangs on: without each of them the label would be another, and which."""
    facts = facts_of(case, began_s)
    refs = dict.fromkeys(one.ref for atom in _needed(label) for one in facts[atom].evidence if one.ref is not None)
    changes = []
    for ref in refs:
        then = facts_of(case, began_s, frozenset({ref}))
        to = first_match({atom for atom, fact in then.items() if fact.so})
        if to is not label:
            sentence = f"Without {entry_text(ref)} it would be {name_of(to)}."
            changes.append(Change(to, frozenset(), ref, sentence))
    return tuple(changes)


def _needed(label: Label) -> list[Atom]:
    return list(_IN_ORDER[next(needs for row, needs, _ in RULES if row is label)])


def if_exact(case: Case, facts: Facts) -> tuple[Change, ...]:
    """What it would be if the positions were exact; nothing where a silence leaves it open."""
    if SILENT in case.encounter.reasons:
        return ()
    reported = {atom for atom, fact in facts.items() if fact.by_report}
    to = first_match(reported)
    return (Change(to, frozenset(), None, f"If the positions as reported were exact, it would be {name_of(to)}."),)


def straddled(case: Case, facts: Facts, outcomes: Outcomes) -> tuple[str, ...]:
    """Which thresholds the uncertainty straddles so that the label hangs on it."""
    told = []
    by_case = {some: one for one, cases in outcomes for some in cases}
    for atom in Atom:
        decides = any(by_case.get(some ^ {atom}, one) is not one for some, one in by_case.items())
        if facts[atom].so is None and decides:
            told.append(_threshold(case, atom, facts[atom]))  # as a loop it can be read
    encounter = case.encounter
    if not told:  # the facts are the same whatever was so, but not whenever it began
        start, end = encounter.from_s, encounter.certain_from_s or encounter.to_s
        told.append(
            f"it began between {moment_text(start)} and {moment_text(end)}, and what counted then is not the same"
        )
    return tuple(told)


def _threshold(case: Case, atom: Atom, fact: Fact) -> str:
    if atom is not Atom.MET:
        return fact.sentence
    encounter = case.encounter
    minimum = encounter.minima
    text = f"the minimum of {minimum.horizontal_m:,.0f} m"
    if minimum.vertical_m is not None:
        text += f" or {minimum.vertical_m:,.0f} m in height"
    one = encounter.approach
    if one is None:
        return f"they may have come within {text}: {'; '.join(encounter.reasons)}"
    height = ""
    if one.vertical_least_m is not None and one.vertical_greatest_m != one.vertical_least_m:
        height = f", and {one.vertical_least_m:,.0f} to {one.vertical_greatest_m:,.0f} m in height"
    elif one.vertical_least_m is None and minimum.vertical_m is not None:
        height = ", and it is not known how far in height"
    return (
        f"at their closest they were {one.least_m:,.0f} to {one.greatest_m:,.0f} m apart{height}; {text} lies between"
    )
