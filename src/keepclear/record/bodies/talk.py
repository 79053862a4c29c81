"""What people say on a line besides plans: messages, answers, cancellations, and that something was refused."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from keepclear.errors import Fault, InputError
from keepclear.record.bodies.base import MOST_PARTS, Body, Language, Line, Number, Text, Value
from keepclear.record.bodies.references import EntryRefValue
from keepclear.record.canonical import MOST_INTEGER
from keepclear.record.entry_types import EntryType

__all__ = [
    "AnswerBody",
    "AnswerGiven",
    "AttachmentNote",
    "CancelBody",
    "MessageBody",
    "Priority",
    "ReadBack",
    "RefusedBody",
]


class Priority(StrEnum):
    """How soon a message must be answered. FLASH is for harm in progress, and is never refused."""

    ROUTINE = "routine"
    SHORT = "short"
    IMMEDIATE = "immediate"
    FLASH = "flash"


class AnswerGiven(StrEnum):
    """What a person answers. None of them is an approval, and a receipt, which a machine gives, is none of them."""

    SEEN = "seen"
    READ_BACK = "read back"
    RELAYED = "relayed"
    CONCUR = "concur"
    OBJECT = "object"
    NOT_OURS = "not ours"
    UNABLE = "unable"


class AttachmentNote(Value):
    """What an attachment is: the first in the list is the first in the leaf."""

    name: Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[^/\\\x00-\x1f\x7f]+$")]
    media_type: Annotated[str, Field(max_length=127, pattern=r"^[a-z0-9.+-]+/[a-z0-9.+-]+$")]
    size_bytes: Annotated[int, Field(ge=0, le=MOST_INTEGER)]


class MessageBody(Body):
    """Something said in words. Only the text must be there.

    Attributes
    ----------
    text
        What is said.
    priority
        How soon it must be answered.
    language
        Of the text (BCP 47).
    about
        Entries that it is about.
    attachments
        One note for each attachment of the leaf, in its order.
    """

    TYPE: ClassVar[EntryType] = EntryType.MESSAGE

    text: Text
    priority: Annotated[Priority, Field(strict=False)] = Priority.ROUTINE
    language: Language | None = None
    about: Annotated[list[EntryRefValue], Field(max_length=MOST_PARTS)] = Field(default=[])
    attachments: Annotated[list[AttachmentNote], Field(max_length=MOST_PARTS)] = Field(default=[])


class CancelBody(Body):
    """An earlier entry of the same log no longer stands.

    Attributes
    ----------
    entry
        Which.
    reason
        Why.
    """

    TYPE: ClassVar[EntryType] = EntryType.CANCEL

    entry: EntryRefValue
    reason: Text | None = None


class ReadBack(Value):
    """Place and time as the recipient entered them anew, to be compared with what was sent.

    Attributes
    ----------
    lon_deg, lat_deg
        WGS84 degrees.
    time_s
        Seconds since the epoch.
    entered
        What the person typed, in whatever format.
    uncertainty_m
        How far off the place may be by how it was typed: by the digits it has, and by its datum; 0 if left out.
    """

    lon_deg: Annotated[float, Field(ge=-180.0, le=180.0)]
    lat_deg: Annotated[float, Field(ge=-90.0, le=90.0)]
    time_s: Number
    entered: Line | None = None
    uncertainty_m: Annotated[float, Field(ge=0.0, le=1e9)] | None = None


class AnswerBody(Body):
    """A person's answer to another party's entry.

    Attributes
    ----------
    to
        The entry that is answered.
    answer
        What is answered.
    read_back
        For ``read back``, and only then: what was entered anew.
    unit
        For ``relayed``, and only then: the unit that was told.
    reason
        Why; an objection has one.
    """

    TYPE: ClassVar[EntryType] = EntryType.ANSWER

    to: EntryRefValue
    answer: Annotated[AnswerGiven, Field(strict=False)]
    read_back: ReadBack | None = None
    unit: Line | None = None
    reason: Text | None = None

    def check(self) -> None:
        """Check that the answer has what belongs to it, and nothing that belongs to another."""
        faults = []
        for member, value, answer in (
            ("read_back", self.read_back, AnswerGiven.READ_BACK),
            ("unit", self.unit, AnswerGiven.RELAYED),
        ):
            if (value is None) == (self.answer is answer):
                problem = "missing" if value is None else f"does not belong to the answer {self.answer.value!r}"
                faults.append(Fault(problem, f"given with {answer.value!r}, and only then", field=member))
        if self.answer is AnswerGiven.OBJECT and self.reason is None:
            faults.append(Fault("missing", "an objection says why", field="reason"))
        if faults:
            raise InputError(faults)


class RefusedBody(Body):
    """A body addressed to this party was not kept. What it said is not repeated here.

    Attributes
    ----------
    entry
        Whose body.
    guard
        The rule by which it was refused, for example ``NO_SHARING``.
    """

    TYPE: ClassVar[EntryType] = EntryType.REFUSED

    entry: EntryRefValue
    guard: Annotated[str, Field(pattern="^[A-Z][A-Z_]{0,62}$")]
