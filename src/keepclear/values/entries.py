"""Entries as the API shows them: who said what to whom, and what became of it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from keepclear.record.bodies.base import HashText
from keepclear.record.bodies.talk import AnswerGiven, Priority
from keepclear.values.base import Asked, EntryId, LineName, LongText, OriginText, PartyName, ShortText, Time, Told

__all__ = [
    "AcceptedRiskAsked",
    "AnswerAsked",
    "AttachmentAsked",
    "EntrySaid",
    "EntryTold",
    "GivenTold",
    "MessageAsked",
    "MessageSaid",
    "OwingTold",
    "ReadBackAsked",
    "RefTold",
    "StandingTold",
    "ThreadTold",
]


class RefTold(Told):
    """Names one entry for ever: the log, the place in it, and the RFC 6962 hash of its leaf."""

    origin: OriginText
    index: int
    leaf: HashText


class EntrySaid(Told):
    """An entry that was said just now: it is in our log, durably. That somebody else has it is another matter.

    Attributes
    ----------
    id, ref
        Which.
    warnings
        What a person should know of it, such as that it was flagged, or that a party is not sent to.
    """

    id: EntryId
    ref: RefTold
    warnings: list[str] = Field(default=[])


class MessageSaid(Told):
    """A message that was said just now.

    Attributes
    ----------
    id, ref
        The entry; null for a FLASH that could only go beside the log.
    warnings
        What a person should know of it.
    beside
        For a FLASH, to whom it went beside the log too, and how that stands.
    """

    id: EntryId | None
    ref: RefTold | None
    warnings: list[str] = Field(default=[])
    beside: dict[str, str] = Field(default={})


class EntryTold(Told):
    """An entry.

    Attributes
    ----------
    id, ref, line, party
        Which, on what line, and whose.
    type, version
        What it says, as in docs/spec/entries.md; types that this node does not know are shown as they are.
    said_at
        By its author's clock.
    kept_at
        When this node had stored it, by its own clock.
    recipients
        To whom its body was addressed, besides its author, who has it anyway.
    exercise
        Whether it is for practice.
    body_state
        Whether the body is here, and if not, why.
    body
        What it says, as its author wrote it; null where it is not here.
    problem
        Why this node does not know what it says; empty if it does.
    """

    id: EntryId
    ref: RefTold
    line: LineName
    party: PartyName
    type: str
    version: int
    said_at: Time
    kept_at: Time | None
    recipients: list[PartyName]
    exercise: bool
    body_state: str
    body: dict[str, Any] | None = None
    attachments: int = 0
    problem: str = ""


class GivenTold(Told):
    """An answer that was given; `void` says why it does not count, where it does not."""

    id: EntryId
    party: PartyName
    answer: AnswerGiven
    at: Time
    unit: str = ""
    reason: str = ""
    read_back: str = ""
    void: str | None = None
    repeats: bool = False


class OwingTold(Told):
    """What a party owes, and by when. That it was not given is a reason to call again, and proves nothing.

    Attributes
    ----------
    about, author, party
        The entry, who waits, and who owes.
    sort, owed
        What sort of entry it is, and what is owed.
    since, due
        From when the clock runs, and when it is due.
    met, ceased
        When it was given, and when it was owed no longer for another reason; null where that is not so.
    open, overdue
        Whether it is owed now, and was due before.
    """

    about: EntryId
    author: PartyName
    party: PartyName
    sort: str | None
    owed: str
    since: Time | None
    due: Time | None
    met: Time | None = None
    ceased: Time | None = None
    open: bool
    overdue: bool


class StandingTold(Told):
    """How matters stand with one addressee, echelon by echelon; a receipt at headquarters is none at the unit.

    Attributes
    ----------
    blocked
        Why nothing goes on before a read-back is settled; empty where none is wrong.
    sentence
        All of it in one sentence, to be read out.
    """

    party: PartyName
    received: Time | None
    refused: str
    seen: Time | None
    relayed_to: list[str]
    answers: list[GivenTold]
    owed: list[OwingTold]
    blocked: str = ""
    sentence: str


class ThreadTold(Told):
    """An entry, and all that was said about it, as it stands now."""

    id: EntryId
    ref: RefTold
    party: PartyName
    type: str
    exercise: bool
    problem: str = ""
    kept_at: Time | None
    counts_from: Time | None
    starts: Time | None
    ends: Time | None
    state: str | None
    supersedes: EntryId | None
    superseded_by: EntryId | None
    cancelled_by: EntryId | None
    standings: list[StandingTold]
    advised: list[dict[str, Any]] = Field(default=[])
    strangers: list[GivenTold] = Field(default=[])
    odd: list[str] = Field(default=[])
    at: Time


class ReadBackAsked(Asked):
    """Place and time as a person typed them anew: nothing is to be copied from the screen.

    Attributes
    ----------
    place
        In any notation: decimal degrees, degrees and minutes, MGRS …
    time
        With a zone.
    datum
        Of the place, where it is not WGS84.
    """

    place: Annotated[str, Field(min_length=1, max_length=200, examples=["37SGB6621621274"])]
    time: Annotated[str, Field(min_length=1, max_length=100, examples=["2026-01-31T09:00:00Z"])]
    datum: Annotated[str, Field(min_length=1, max_length=100)] | None = None


class AnswerAsked(Asked):
    """A person's answer to an entry. None of them is an approval.

    Attributes
    ----------
    answer
        What is answered.
    read_back
        With ``read back``, and only then.
    unit
        With ``relayed``, and only then: the unit that was told.
    reason
        Why; an objection has one.
    insist
        Whether a read-back that differs from what was filed is to be said all the same, so that the filer sees it.
    """

    answer: Annotated[AnswerGiven, Field(strict=False)]
    read_back: ReadBackAsked | None = None
    unit: ShortText | None = None
    reason: LongText | None = None
    insist: bool = False


class AcceptedRiskAsked(Asked):
    """To go on although a conflict was advised of: the party speaks for itself alone."""

    reason: Annotated[LongText, Field(examples=["Both are under positive control of one ground controller."])]


class AttachmentAsked(Asked):
    """A file to go with a message; all files of a message together are at most some 3 MB."""

    name: Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[^/\\\x00-\x1f\x7f]+$")]
    media_type: Annotated[str, Field(max_length=127, pattern=r"^[a-z0-9.+-]+/[a-z0-9.+-]+$")]
    content: Annotated[str, Field(description="Base64.", pattern=r"^[A-Za-z0-9+/]*={0,2}$")]


class MessageAsked(Asked):
    """Something to be said in words.

    Attributes
    ----------
    line
        Where; may be left out where the party is on one line only.
    text
        What; FLASH may be sent without.
    priority
        How soon it must be answered. FLASH is for harm in progress.
    recipients
        To whom; left out: to all on the line.
    language
        Of the text (BCP 47).
    about
        Entries that it is about.
    """

    line: LineName | None = None
    text: LongText | None = None
    priority: Annotated[Priority, Field(strict=False)] = Priority.ROUTINE
    recipients: Annotated[list[PartyName], Field(min_length=1, max_length=1000)] | None = None
    language: Annotated[str, Field(pattern="^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$", max_length=35)] | None = None
    about: Annotated[list[EntryId], Field(max_length=100)] = Field(default=[])
    attachments: Annotated[list[AttachmentAsked], Field(max_length=20)] = Field(default=[])
    exercise: bool = False
