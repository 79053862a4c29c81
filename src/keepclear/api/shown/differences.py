"""What changes between two documents of an agreement, as an answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from keepclear.agreements.comparing import Difference, GroundChange, TermChange, compare
from keepclear.agreements.documents import Document
from keepclear.values.agreements import ClauseDifferenceTold, DifferenceTold

__all__ = ["difference_told"]


def difference_told(before: Document, after: Document) -> DifferenceTold:
    """What changes from one document to another."""
    found = compare(before, after)
    return DifferenceTold(
        before=before.hash,
        after=after.hash,
        head=[ClauseDifferenceTold(name=one.what, before=one.old or None, after=one.new or None) for one in found.head],
        clauses=list(_clauses(found)),
        terms=[_term(one) for one in found.terms],
        ground=[_ground(one) for one in found.ground],
    )


def _clauses(found: Difference) -> Iterator[ClauseDifferenceTold]:
    for one in found.clauses:
        name = f"{one.clause} ({one.language}{'' if one.authentic else ', not authentic'})"
        yield ClauseDifferenceTold(name=name, before=one.old or None, after=one.new or None)


def _term(one: TermChange) -> ClauseDifferenceTold:
    sides = [{member.name: getattr(member, side) for member in one.members} for side in ("old", "new")]
    before, after = ({name: value for name, value in side.items() if value is not None} for side in sides)
    return ClauseDifferenceTold(name=one.term, before=_written(before), after=_written(after))


def _ground(one: GroundChange) -> str:
    """For example ``depth (changed): 230.0 km² become 184.0 km²``."""
    labels = " becomes ".join(
        ", ".join(dict.fromkeys(shape.label for shape in shapes)) or "nothing" for shapes in (one.old, one.new)
    )
    return f"{one.term} ({one.kind}): {one.old_m2 / 1e6:,.1f} km² become {one.new_m2 / 1e6:,.1f} km²; {labels}"


def _written(members: dict[str, Any]) -> str | None:
    return json.dumps(members, ensure_ascii=False, sort_keys=True) if members else None
