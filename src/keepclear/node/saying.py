"""Saying an entry as a person: judged first, then said, then noted as that person's act."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from keepclear.node.actors import Actor
from keepclear.node.acts import Acts
from keepclear.node.audience import Audience
from keepclear.node.entry_ids import EntryId
from keepclear.node.guarding import Guards
from keepclear.node.records import Outgoing, Records
from keepclear.node.talking import Attached, Said
from keepclear.record.bodies.base import Body

__all__ = ["Saying"]


class Saying:
    """Says entries.

    Parameters
    ----------
    records, acts
        The node's.
    guards, audience
        Judge what is said, and know who is told.
    """

    def __init__(self, records: Records, guards: Guards, audience: Audience, acts: Acts) -> None:
        self._records, self._guards, self._audience, self._acts = records, guards, audience, acts

    @property
    def party(self) -> str:
        """Who speaks."""
        return self._records.party

    def line(self, wanted: str | None) -> str:
        """The line that is meant.

        Raises
        ------
        InputError
            If that is not clear.
        """
        return self._audience.line(wanted)

    def others(self, line: str) -> tuple[str, ...]:
        """All who are on a line but us."""
        return self._audience.others(line)

    def say(
        self,
        line: str,
        body: Body,
        *,
        by: Actor,
        what: str,
        recipients: Iterable[str] | None = None,
        attachments: Sequence[Attached] = (),
        exercise: bool = False,
    ) -> Said:
        """Say it.

        Parameters
        ----------
        what
            What the act is called.
        recipients
            To whom; None: to all who are on the line.

        Raises
        ------
        InputError
            If somebody cannot be told.
        RefusedError
            If a guard refuses it.
        """
        told = self._audience.told(line, recipients)
        files = [(one.name, one.data) for one in attachments]
        verdict = self._guards.judge(body, by=by, line=line, attachments=files)
        outgoing = Outgoing(body, told.parties, exercise, [one.data for one in attachments])
        (ref,) = self._records.say(line, [outgoing])
        self._acts.note(by, what, ref=str(EntryId.of(ref)))
        self._guards.flag(verdict, ref, by=by.user)
        return Said(ref, (*told.warnings, *([verdict.sentence] if verdict.sentence else [])))
