"""What was said comes back out of its row as it was put in, whatever type of entry it is."""

from __future__ import annotations

import pytest

from keepclear.line.said import said_of
from keepclear.record.bodies.registry import attachments_of
from keepclear.record.bodies.watched import IncidentBody
from keepclear.store.node.said_facts import _read, _written
from tests.fuzz.record_entries import bodies
from tests.reference.made_lines import MadeLine

REPORT = IncidentBody(id="1", stage="first", detected_s=1.0)


@pytest.mark.parametrize("body", [*bodies(), REPORT], ids=lambda body: str(body.TYPE))
def test_what_was_said_comes_back_as_it_was(body):
    said = said_of(MadeLine("east", "north", "south").say("north", body, 1_772_442_000.0, exercise=True))
    assert _read(_written(said)) == said
    assert bool(said.problem) == bool(attachments_of(body))
