"""What a geo-zone asks of those who would enter, as the geo-zone formats spell it."""

from __future__ import annotations

from keepclear.errors import Fault, InputError
from keepclear.model.kinds import ZoneRule

__all__ = ["parse_restriction"]

_RULES = {
    "PROHIBITED": ZoneRule.PROHIBITED,
    "REQ_AUTHORISATION": ZoneRule.REQ_AUTHORIZATION,  # ED-269
    "REQ_AUTHORIZATION": ZoneRule.REQ_AUTHORIZATION,  # ED-318
    "CONDITIONAL": ZoneRule.CONDITIONAL,
    "NO_RESTRICTION": ZoneRule.NO_RESTRICTION,
    # U-space airspace (ED-318): a flight needs its authorisation, Regulation (EU) 2021/664, article 10.
    "USPACE": ZoneRule.REQ_AUTHORIZATION,
}


def parse_restriction(text: str) -> ZoneRule:
    """Rule named by `text`, in the spelling of ED-269, ED-318 or F3548-21; case does not matter.

    Raises
    ------
    InputError
        If no restriction has that name; the error lists those that exist.
    """
    rule = _RULES.get(text.strip().upper())
    if rule is None:
        raise InputError(Fault("unknown restriction", f"one of: {', '.join(_RULES)}", field="restriction", value=text))
    return rule
