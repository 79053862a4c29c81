"""Measures: what would keep two filings apart, or have them meet. Mutual once the other side says that it concurs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keepclear.errors import Fault, InputError
from keepclear.node.actors import Actor
from keepclear.node.entry_ids import EntryId
from keepclear.node.roles import Scope
from keepclear.node.saying import Saying
from keepclear.node.talking import Said
from keepclear.record.bodies.joint import MeasureBody
from keepclear.record.bodies.references import EntryRefValue
from keepclear.record.entries import EntryRef

__all__ = ["Measures"]


class Measures:
    """Says measures. The other side answers them as any entry: ``concur``, ``object``.

    Parameters
    ----------
    saying
        Says entries.
    """

    def __init__(self, saying: Saying) -> None:
        self._saying = saying

    def say(self, filings: Sequence[EntryRef], measure: str, text: str, *, by: Actor) -> Said:
        """Say a measure about filings of both sides; it is told to those whose filings they are.

        Parameters
        ----------
        measure
            ``time``, ``route``, ``level``, ``area`` or ``meeting``.

        Raises
        ------
        InputError
            If none of the filings is ours, or all are, or they are of several lines; with all faults.
        """
        by.must(Scope.ANSWER)
        places = [EntryId.of(ref) for ref in filings]
        parties, lines = {one.party for one in places}, {one.line for one in places}
        faults = []
        if self._saying.party not in parties:
            faults.append(Fault("none of the filings is ours", "one of ours, and one of the others'", field="filings"))
        if not parties - {self._saying.party}:
            faults.append(Fault("all of the filings are ours", "one of the others' too", field="filings"))
        if len(lines) > 1:
            right = f"filings of one line, not of {', '.join(sorted(lines))}"
            faults.append(Fault("filings of several lines", right, field="filings"))
        if faults:
            raise InputError(faults)
        named: dict[str, Any] = {"measure": measure, "text": text}
        body = MeasureBody(filings=[EntryRefValue.of(ref) for ref in filings], **named)
        (line,) = lines
        others = sorted(parties - {self._saying.party})
        return self._saying.say(line, body, by=by, what="say measure", recipients=others)
