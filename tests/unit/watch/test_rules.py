"""The table of labels, row by row: what each row asks for, and that nothing less will do."""

from __future__ import annotations

import itertools

import pytest

from keepclear.watch.rules import RULES, Atom, Label, first_match

A = Atom
BOTH_FILED = {A.MET, A.TOLD, A.FILED_A, A.FILED_B}
ANSWERED = BOTH_FILED | {A.ANSWERED_A, A.ANSWERED_B, A.NO_CONFLICT}
ROWS = {
    Label.JOINT: {A.JOINT_SIGNED, A.JOINT_PRESENT},
    Label.JOINT_PLANNED: {A.JOINT_SIGNED},
    Label.COORDINATED: BOTH_FILED | {A.MEASURE, A.KEPT_A, A.KEPT_B},
    Label.DECONFLICTED: ANSWERED,
    Label.NOTIFIED_ONLY: {A.MET, A.TOLD},
    Label.COINCIDENTAL: {A.MET},
}
FOR_COORDINATED = (A.FILED_A, A.FILED_B, A.MEASURE, A.KEPT_A, A.KEPT_B)
FOR_DECONFLICTED = (A.FILED_A, A.FILED_B, A.ANSWERED_A, A.ANSWERED_B, A.NO_CONFLICT)
LESS = {
    Label.JOINT: {A.JOINT_SIGNED: None, A.JOINT_PRESENT: Label.JOINT_PLANNED},
    Label.JOINT_PLANNED: {A.JOINT_SIGNED: None},
    Label.COORDINATED: dict.fromkeys(FOR_COORDINATED, Label.NOTIFIED_ONLY) | {A.MET: None},
    Label.DECONFLICTED: dict.fromkeys(FOR_DECONFLICTED, Label.NOTIFIED_ONLY) | {A.MET: None},
    Label.NOTIFIED_ONLY: {A.TOLD: Label.COINCIDENTAL, A.MET: None},
    Label.COINCIDENTAL: {A.MET: None},
}


@pytest.mark.parametrize("label", ROWS)
def test_the_facts_of_a_row_make_its_label(label):
    assert first_match(ROWS[label]) is label


@pytest.mark.parametrize(("label", "atom"), [(label, atom) for label, some in LESS.items() for atom in some])
def test_without_one_of_them_it_is_another(label, atom):
    assert first_match(ROWS[label] - {atom}) is LESS[label][atom]


def test_every_label_but_undetermined_has_one_row_and_they_stand_in_the_order_of_the_labels():
    rows = [label for label, _, _ in RULES if label is not None]
    assert rows == [label for label in Label if label is not Label.UNDETERMINED]


def test_with_more_facts_a_label_is_never_less():
    rank = {label: place for place, label in enumerate([*(row for row, _, _ in RULES if row is not None), None])}
    # All facts but the one that tells plans and meetings from what was no encounter, each way.
    atoms = [atom for atom in Atom if atom is not Atom.MET]
    for count in (0, 1, 2, 3, 5, 6, 7, 9):
        for some in itertools.islice(itertools.combinations(atoms, count), 400):
            facts = {Atom.MET, *some}
            for atom in atoms:
                assert rank[first_match(facts | {atom})] <= rank[first_match(facts)]


def test_a_measure_that_was_not_kept_to_does_not_make_less_of_plans_that_were_seen():
    assert first_match(ANSWERED | {A.MEASURE}) is Label.DECONFLICTED
