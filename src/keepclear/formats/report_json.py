"""A report as the JSON object of ``keepclear check --format json`` (``check/1``), which others script against.

The names and their order are a contract: what is added comes last in its object.
"""

from __future__ import annotations

import math
from typing import Any

from keepclear.model.findings import CLEAR_SENTENCE, Answer, Closest, Conflict, Interval, Proposal, Report, Scope, Side
from keepclear.times import to_text

__all__ = ["CONTRACT", "LEFT_ASIDE", "answer_sentence", "interval_to_json", "report_to_json", "side_to_json"]

CONTRACT = "check/1"

LEFT_ASIDE = (
    "a conflict in this answer of keepclear check is no plan and was left aside; of all that was checked, the answer "
    "holds only the plans in conflict"
)
"""What is said when an answer that was drawn as a map is read as plans."""


def report_to_json(report: Report) -> dict[str, Any]:
    """The object to be written as JSON: times RFC 3339 with milliseconds, and ``None`` for what is not known."""
    return {
        "keepclear": CONTRACT,
        "answer": report.answer.value,
        "scope": _scope(report.scope),
        "operations": report.operations,
        "zones": report.zones,
        "legs": report.legs,
        "elapsed_s": _finite(report.elapsed_s),
        "conflicts": [conflict_to_json(conflict) for conflict in report.conflicts],
        "warnings": list(report.warnings),
        "reasons": list(report.reasons),
        "pairs_compared": report.pairs_compared,
        "sentence": answer_sentence(report),
    }


def answer_sentence(report: Report) -> str:
    """The answer in one sentence; where it is clear, what that does not mean."""
    if report.answer is Answer.CLEAR:
        return CLEAR_SENTENCE
    counts = {
        answer: sum(conflict.answer is answer for conflict in report.conflicts)
        for answer in (Answer.CONFLICT, Answer.POSSIBLE)
    }
    parts = []
    if counts[Answer.CONFLICT]:
        parts.append(_pairs(counts[Answer.CONFLICT], "comes too close", "come too close"))
    if counts[Answer.POSSIBLE]:
        parts.append(_pairs(counts[Answer.POSSIBLE], "may come too close", "may come too close"))
    return "; ".join(parts) or "; ".join(report.reasons) or "not enough is known to say"


def conflict_to_json(conflict: Conflict) -> dict[str, Any]:
    """One element of ``conflicts``."""
    return {
        "answer": conflict.answer.value,
        "reasons": list(conflict.reasons),
        "a": side_to_json(conflict.a),
        "b": side_to_json(conflict.b),
        "minima": {
            "horizontal_m": _finite(conflict.minima.horizontal_m),
            "vertical_m": _finite(conflict.minima.vertical_m),
            "time_s": _finite(conflict.minima.time_s),
            "rule": conflict.minima.rule,
        },
        "intervals": [interval_to_json(interval) for interval in conflict.intervals],
        "closest": None if conflict.closest is None else _closest(conflict.closest),
        "sentence": conflict.sentence,
        "proposals": [_proposal(proposal) for proposal in conflict.proposals],
    }


def side_to_json(side: Side) -> dict[str, Any]:
    """One side of a pair: ``zone`` in place of ``operation`` where it is one."""
    named = {"party": side.party, "zone" if side.is_zone else "operation": side.id}
    return {**named, "kind": None if side.kind is None else side.kind.value, "name": side.name}


def interval_to_json(interval: Interval) -> dict[str, Any]:
    """One interval of violation; ``None`` where it is open."""
    return {"answer": interval.answer.value, "start": _time(interval.start_s), "end": _time(interval.end_s)}


def _pairs(count: int, one: str, several: str) -> str:
    return f"1 pair {one}" if count == 1 else f"{count} pairs {several}"


def _scope(scope: Scope) -> dict[str, Any]:
    area = None if scope.area is None else list(scope.area)
    return {"from": _time(scope.from_s), "to": _time(scope.to_s), "area": area}


def _closest(closest: Closest) -> dict[str, Any]:
    return {
        "time_a": _time(closest.time_a_s),
        "time_b": _time(closest.time_b_s),
        "horizontal_m": _finite(closest.horizontal_m),
        "vertical_m": _finite(closest.vertical_m),
        "a": [_finite(number) for number in closest.a],
        "b": [_finite(number) for number in closest.b],
    }


def _proposal(proposal: Proposal) -> dict[str, Any]:
    return {
        "side": proposal.side,
        "change": proposal.change,
        "amount": _finite(proposal.amount),
        "unit": proposal.unit,
        "works": proposal.works,
        "cost": _finite(proposal.cost),
        "sentence": proposal.sentence,
        "because": proposal.because,
    }


def _time(time_s: float | None) -> str | None:
    return None if time_s is None or not math.isfinite(time_s) else to_text(time_s)


def _finite(number: float | None) -> float | None:
    """JSON has no infinity and no NaN (RFC 8259 section 6): both mean that there is no such number."""
    return None if number is None or not math.isfinite(number) else number
