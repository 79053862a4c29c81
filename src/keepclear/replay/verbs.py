"""What can be done in a step of a scenario: one small model for each, which says what it needs and does it.

A step that a person could do asks the party's node for it as a person's client would. To add a kind of step, write such
a model in one of the modules that are gathered here.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from keepclear.replay.doing import Doing, Names, Verb
from keepclear.replay.verbs_agreeing import AGREEING
from keepclear.replay.verbs_asking import ASKING
from keepclear.replay.verbs_filing import FILING
from keepclear.replay.verbs_talking import TALKING
from keepclear.replay.verbs_watching import WATCHING

__all__ = ["VERBS", "Doing", "Names", "Verb"]

VERBS: Mapping[str, type[Verb]] = MappingProxyType({**FILING, **TALKING, **AGREEING, **WATCHING, **ASKING})
"""Every kind of step by its name."""
