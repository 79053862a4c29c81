"""What Pydantic finds wrong with a value, said as everything else that is wrong is said."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from keepclear.errors import Fault
from keepclear.record.names import NAME_PATTERN, NAME_RIGHT
from keepclear.values.base import ENTRY_ID_PATTERN

__all__ = ["fault_of"]

_PLACES = frozenset({"body", "query", "path", "header", "cookie"})
_PATTERNS: Mapping[str, tuple[str, str]] = {
    ENTRY_ID_PATTERN: ("not the id of an entry", "PARTY:LINE:NUMBER, for example RU:north-east:12"),
    NAME_PATTERN: ("not a name", NAME_RIGHT),
}


def fault_of(error: Mapping[str, Any]) -> Fault:
    """One error of Pydantic's, as a fault.

    Parameters
    ----------
    error
        As `pydantic.ValidationError.errors` lists them.
    """
    place: Sequence[Any] = error.get("loc", ())
    where = place[1:] if place and place[0] in _PLACES else place
    field = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in where).lstrip(".")
    problem, right = _told(error)
    return Fault(problem, right, field=field, value="" if error.get("type") == "missing" else _written(error))


def _told(error: Mapping[str, Any]) -> tuple[str, str]:
    """What is wrong, and what would be right."""
    message, context = str(error.get("msg", "not what belongs here")), error.get("ctx", {})
    match error.get("type"):
        case "missing":
            return message, "give it"
        case "extra_forbidden":
            return message, "leave it out, or see /api/v1/openapi.json for what it may be called"
        case "literal_error" | "enum":
            return "not what belongs here", f"one of {context.get('expected', '')}"
        case "string_pattern_mismatch":
            pattern = str(context.get("pattern", ""))
            return _PATTERNS.get(pattern, ("not of the form that it has", f"text that matches {pattern}"))
        case "string_too_short" if context.get("min_length") == 1:
            return "it is empty", "some text, or leave it out"
    for begins in ("Input should be ", "Value should have ", "String should have ", "List should have "):
        if message.startswith(begins):
            return "not what belongs here", message.removeprefix(begins)
    return message, ""


def _written(error: Mapping[str, Any]) -> str:
    if "input" not in error:
        return ""
    value = error["input"]
    if isinstance(value, str):
        return value
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, (bool, int, float)) or value is None:
        return json.dumps(value) if not isinstance(value, int) or abs(value) < 2**63 else "a very large number"
    return "an object" if isinstance(value, dict) else "a list" if isinstance(value, list) else ""
