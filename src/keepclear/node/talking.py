"""Saying things in words: messages, and what belongs to earlier ones.

FLASH asks for nothing: no text, no recipients, no place. It is said first and judged afterwards, and where our log
cannot speak, or is not taken, it goes beside the log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from keepclear.errors import Fault, InputError, IntegrityError, StoreError
from keepclear.node.actors import Actor
from keepclear.node.acts import Acts
from keepclear.node.audience import Audience
from keepclear.node.changing import Changing
from keepclear.node.entry_ids import EntryId
from keepclear.node.guarding import Guards
from keepclear.node.records import Outgoing, Records
from keepclear.node.refusals import NotFoundError
from keepclear.node.roles import Scope
from keepclear.record.bodies.base import Faults
from keepclear.record.bodies.references import EntryRefValue
from keepclear.record.bodies.talk import CancelBody, MessageBody, Priority
from keepclear.record.entries import MOST_ATTACHMENT_BYTES, EntryRef
from keepclear.record.entry_types import EntryType

__all__ = ["FLASH_TEXT", "Attached", "Said", "Talking"]

FLASH_TEXT = "FLASH"
"""What a FLASH says that was sent with nothing filled in."""

_WITHDRAWN = frozenset({EntryType.MESSAGE, EntryType.ANSWER, EntryType.ADVISORY, EntryType.ACCEPTED_RISK})


@dataclass(frozen=True, slots=True)
class Attached:
    """A file that goes with a message."""

    name: str
    media_type: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Said:
    """Something that was said.

    Attributes
    ----------
    ref
        The entry; None for a FLASH that could only go beside the log.
    warnings
        What a person should know.
    beside
        For a FLASH, those to whom it went beside the log too, and how that stands.
    """

    ref: EntryRef | None
    warnings: tuple[str, ...] = ()
    beside: Mapping[str, str] = field(default_factory=dict)


class Talking:
    """Says messages, and takes back what was said.

    Parameters
    ----------
    records, acts
        The node's.
    guards
        Judge it before it is said; a FLASH after.
    audience
        Who is on the line.
    changing
        Says what may be said once.
    """

    def __init__(self, records: Records, guards: Guards, audience: Audience, acts: Acts, changing: Changing) -> None:
        self._records, self._guards, self._audience, self._acts = records, guards, audience, acts
        self._changing = changing
        self.beside: Callable[[str, MessageBody, Sequence[str]], Mapping[str, str]] | None = None
        """Sends a FLASH beside the log, to these parties on a line; None: there is no such way."""

    def say(
        self,
        line: str | None,
        text: str | None = None,
        *,
        by: Actor,
        priority: Priority = Priority.ROUTINE,
        recipients: Iterable[str] | None = None,
        language: str | None = None,
        about: Sequence[EntryRef] = (),
        attachments: Sequence[Attached] = (),
        exercise: bool = False,
    ) -> Said:
        """Say something.

        Parameters
        ----------
        text
            What; a FLASH may be sent without.
        recipients
            To whom; None: to all on the line.
        about
            Entries that it is about.

        Raises
        ------
        InputError
            If it cannot be said, with all faults.
        RefusedError
            If a guard refuses it; never a FLASH.
        """
        is_flash = priority is Priority.FLASH
        by.must(Scope.SAY_FLASH if is_flash else Scope.SAY)
        line = self._audience.line(line)
        if not text:
            if not is_flash:
                raise InputError(Fault("nothing is said", "a text; FLASH goes without", field="text"))
            text = FLASH_TEXT
        left_out: tuple[str, ...] = ()
        try:
            self._check_about(about, line)
            body = _message(text, priority, language, about, attachments)
            told = self._audience.told(line, recipients, flash=is_flash)
        except InputError as error:
            if not is_flash:
                raise
            # Nothing that is optional keeps a FLASH from going, to all.
            body, about, attachments = MessageBody(text=text, priority=priority), (), ()
            told = self._audience.told(line, None, flash=True)
            left_out = (f"Sent to all, with its words alone: {error}",)
        if not told.parties:
            raise InputError(Fault("nobody else is on the line", "wait for another party", field="recipients"))
        outgoing = Outgoing(body, told.parties, exercise, [one.data for one in attachments])
        files = [(one.name, one.data) for one in attachments]
        if is_flash:
            return self._flash(line, body, outgoing, files, by, left_out)
        verdict = self._guards.judge(body, by=by, line=line, attachments=files)
        (ref,) = self._records.say(line, [outgoing])
        self._acts.note(by, "say", ref=str(EntryId.of(ref)), detail={"priority": str(priority)})
        self._guards.flag(verdict, ref, by=by.user)
        return Said(ref, (*told.warnings, *([verdict.sentence] if verdict.sentence else [])))

    def withdraw(self, ref: EntryRef, reason: str | None = None, *, by: Actor) -> EntryRef:
        """Take back a message, an answer, an advisory or an accepted risk of ours, from all who were told.

        Raises
        ------
        StaleError
            If it was taken back already.
        InputError
            If it is none of these, or not ours.
        """
        by.must(Scope.ANSWER)
        place, entry = EntryId.of(ref), self._records.entry(ref)
        if place.party != self._records.party or entry.leaf.type not in _WITHDRAWN:
            right = "a message, an answer, an advisory or an accepted risk of ours"
            raise NotFoundError("entry to take back", field="entry", value=str(place), right=right)
        body = CancelBody(entry=EntryRefValue.of(ref), reason=reason or None)
        verdict = self._guards.judge(body, by=by, line=place.line)
        parties = sorted({*entry.leaf.recipients} & {*self._audience.others(place.line)})
        (said,) = self._changing.say(
            place.line, [Outgoing(body, parties, entry.leaf.exercise)], changes=[ref], by=by, what="withdraw"
        )
        self._guards.flag(verdict, said, by=by.user)
        return said

    def _flash(
        self, line: str, body: MessageBody, outgoing: Outgoing, files: Sequence[tuple[str, bytes]], by: Actor,
        left_out: Sequence[str],
    ) -> Said:  # fmt: skip
        """Say it, whatever a guard makes of it, and whatever is wrong with our log."""
        ref, warnings, beside = None, list(left_out), dict[str, str]()
        parties = tuple(outgoing.recipients)
        try:
            (ref,) = self._records.say(line, [outgoing])
        except (InputError, StoreError, IntegrityError) as error:
            if self.beside is None:
                raise
            beside |= self.beside(line, body, parties)
            warnings.append(f"It went beside the log, and is not in the record: {error}")
        else:
            cut_off = [one for one in parties if self._audience.stopped(line, one)]
            if cut_off and self.beside is not None:
                beside |= self.beside(line, body, cut_off)
                warnings.append(f"To {', '.join(cut_off)} it went beside the log, which is not exchanged with them.")
        told = "" if ref is None else str(EntryId.of(ref))
        self._acts.note(by, "say FLASH", ref=told, detail={"line": line})
        verdict = self._guards.judge(body, by=by, line=line, attachments=files)
        if ref is not None:
            self._guards.flag(verdict, ref, by=by.user)
        warnings += [verdict.sentence] if verdict.sentence else []
        return Said(ref, tuple(warnings), beside)

    def _check_about(self, about: Sequence[EntryRef], line: str) -> None:
        faults = []
        for number, ref in enumerate(about):
            try:
                self._records.entry(ref)
            except InputError:
                fault = Fault("no such entry is here", "one that is", field=f"about[{number}]", value=ref.origin)
                faults.append(fault)
            else:
                if EntryId.of(ref).line != line:
                    right = f"an entry of {line}"
                    faults.append(Fault("of another line", right, field=f"about[{number}]", value=str(EntryId.of(ref))))
        if faults:
            raise InputError(faults)


def _message(
    text: str, priority: Priority, language: str | None, about: Sequence[EntryRef], attachments: Sequence[Attached]
) -> MessageBody:
    faults, notes = Faults(), []
    for number, one in enumerate(attachments):
        members = {"name": one.name, "media_type": one.media_type, "size_bytes": len(one.data)}
        notes.append(members)
        if len(one.data) > MOST_ATTACHMENT_BYTES:
            problem = f"{len(one.data)} bytes, more than the {MOST_ATTACHMENT_BYTES} allowed"
            faults.found.append(Fault(problem, "a smaller file", field=f"attachments[{number}]"))
    faults.raise_any()
    # As members, so that what is wrong with one is told with its path.
    others: dict[str, Any] = {"about": [EntryRefValue.of(ref).model_dump() for ref in about], "attachments": notes}
    return MessageBody(text=text, priority=priority, language=language, **others)
