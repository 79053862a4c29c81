"""What parties say of what took place: where units were, what was said of it in public, and incidents."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from keepclear.errors import Fault, InputError
from keepclear.model.kinds import Domain, OperationKind
from keepclear.record.bodies.agreements import MOST_PARTIES, AgreementId, Persons, window_faults
from keepclear.record.bodies.base import (
    MOST_PARTS,
    Body,
    Language,
    Latitude,
    Line,
    Longitude,
    Number,
    PartyName,
    Sha256Text,
    Text,
    Value,
)
from keepclear.record.bodies.references import EntryRefValue
from keepclear.record.bodies.talk import AttachmentNote
from keepclear.record.canonical import MOST_INTEGER
from keepclear.record.entry_types import EntryType

__all__ = [
    "BoxValue",
    "ChannelRecord",
    "ClaimBody",
    "ClaimSubject",
    "ClosestValue",
    "IncidentBody",
    "PlaceValue",
    "PlatformsValue",
    "PositionSource",
    "PositionsBody",
    "TermRefValue",
]

_Least = Annotated[float, Field(ge=0.0, le=1e9, allow_inf_nan=False)]
_Count = Annotated[int, Field(ge=0, le=MOST_INTEGER)]
_Attachments = Annotated[list[AttachmentNote], Field(max_length=MOST_PARTS)]
_Notes = Annotated[list[Text], Field(max_length=1000)]
_Label = Literal[
    "undetermined", "joint", "joint-planned", "coordinated", "deconflicted", "notified-only", "coincidental"
]
_Flag = Literal["unsafe", "term-breach", "obstruction", "late", "disputed"]


class PlaceValue(Value):
    """A place, and how far off it may be.

    Attributes
    ----------
    lon_deg, lat_deg
        WGS84 degrees.
    uncertainty_m
        How far off it may be.
    name
        What it is called.
    """

    lon_deg: Longitude
    lat_deg: Latitude
    uncertainty_m: _Least = 0.0
    name: Line | None = None


class BoxValue(Value):
    """All positions lie in it; where west is greater than east, it goes over the antimeridian."""

    west_deg: Longitude
    south_deg: Latitude
    east_deg: Longitude
    north_deg: Latitude


class PositionSource(Value):
    """What reported the positions.

    Attributes
    ----------
    name
        Of the source.
    owner
        The party whose source it is.
    accuracy_m
        How far off its positions may be.
    max_age_s
        A position that is older says nothing of where the unit is.
    """

    name: Line
    owner: PartyName
    accuracy_m: _Least
    max_age_s: _Least


class PositionsBody(Body):
    """Where units were: a batch, by its hash, so that a track can be proved later, whether or not it goes along.

    Attributes
    ----------
    batch
        SHA-256 of the batch: canonical JSON, one position per line; the first attachment, where it is shared.
    source
        What reported the positions.
    from_s, to_s
        The times of the first and of the last position.
    count
        How many positions there are.
    unit
        The unit, where they are all of one.
    kind, domain, platform_class
        What it does and where it moves, and what it is; left out where that is not told.
    area
        Where they all lie; left out where that is not told.
    precision
        How roughly they are told, in words; left out where they are exact.
    delayed_s
        How much later than it was reported it is told, on purpose.
    attachments
        One note for each attachment of the leaf, in its order.
    """

    TYPE: ClassVar[EntryType] = EntryType.POSITIONS

    batch: Sha256Text
    source: PositionSource
    from_s: Number
    to_s: Number
    count: Annotated[int, Field(ge=1, le=MOST_INTEGER)]
    unit: Line | None = None
    kind: Annotated[OperationKind, Field(strict=False)] | None = None
    domain: Annotated[Domain, Field(strict=False)] | None = None
    platform_class: Line | None = None
    area: BoxValue | None = None
    precision: Line | None = None
    delayed_s: _Least = 0.0
    attachments: _Attachments = Field(default=[])

    def check(self) -> None:
        """Check that times and area are in order."""
        faults = list(window_faults(self.from_s, self.to_s))
        if self.area is not None and self.area.north_deg < self.area.south_deg:
            faults.append(Fault("north is south of south", field="area.north_deg"))
        if faults:
            raise InputError(faults)


class PlatformsValue(Value):
    """So many platforms of a class, of a party; in words where it is no party of the line."""

    party: Line
    platforms: _Count | None = None
    platform_class: str = ""


class ClaimSubject(Value):
    """What was spoken of: who, when, and where, as far as it was said."""

    parties: Annotated[list[Line], Field(min_length=1, max_length=MOST_PARTIES)]
    from_s: Number
    to_s: Number
    place: PlaceValue | None = None


class ClaimBody(Body):
    """What somebody said publicly of an encounter, kept by reference so that it can be weighed against the record.

    Attributes
    ----------
    subject
        What it was about.
    said_by
        Who said it.
    said_s
        When.
    where
        The outlet or the address at which it can be read.
    words_ref
        A short reference to the words; never the words of others at length.
    asserts
        What it comes to. ``participants``: who took part, with how many platforms.
    language
        Of the words (BCP 47).
    participants
        Who is said to have taken part.
    remarks
        Free text.
    """

    TYPE: ClassVar[EntryType] = EntryType.CLAIM

    subject: ClaimSubject
    said_by: Line
    said_s: Number
    where: Line
    words_ref: Line
    asserts: Literal[
        "joint",
        "coordinated",
        "deconflicted",
        "not-joint",
        "only-deconfliction",
        "not-coordinated",
        "participants",
        "breach",
        "no-breach",
    ]
    language: Language | None = None
    participants: Annotated[list[PlatformsValue], Field(max_length=MOST_PARTIES)] = Field(default=[])
    remarks: Text | None = None

    def check(self) -> None:
        """Check that the time is in order, and that who took part is said where that is what is claimed."""
        faults = list(window_faults(self.subject.from_s, self.subject.to_s, field="subject.to_s"))
        if self.asserts == "participants" and not self.participants:
            faults.append(Fault("missing", "who is said to have taken part", field="participants"))
        if faults:
            raise InputError(faults)


class ClosestValue(Value):
    """The least distance, and during which time it was; a height that is not known is left out."""

    horizontal_m: _Least
    vertical_m: _Least | None = None
    from_s: Number | None = None
    to_s: Number | None = None


class TermRefValue(Value):
    """A term of an agreement."""

    agreement: AgreementId
    term: Line


class ChannelRecord(Value):
    """How long an entry took to reach a party and to be answered; left out where it was not, as far as is known."""

    entry: EntryRefValue
    party: PartyName
    received_after_s: Number | None = None
    answered_after_s: Number | None = None


class IncidentBody(Body):
    """What happened, as one party reports it. Each party's report is its own: they stand beside each other.

    Attributes
    ----------
    id
        What the incident is called by its author.
    stage
        ``first`` and ``full`` report of the author, or its ``reply`` to another party's.
    detected_s
        When it was noticed, by its author.
    from_s, to_s
        When it took place.
    place
        Where.
    parties
        Who was concerned, in words where it is no party of the line.
    platforms
        With what.
    label
        What the encounter was, by the record.
    flags
        What besides.
    closest
        How close they came.
    terms
        The terms that it touches.
    entries
        Filings and answers that it rests on.
    channel
        How long entries took.
    acts
        What was seen to be done.
    harm
        Injuries and damage.
    immediate_action
        What was done at once.
    narrative
        What happened, in the author's words.
    attribution
        Whom the author holds it to be due to, and why.
    open_questions
        What is not known.
    corrective_action
        What is done so that it does not happen again.
    dissent
        Who of the author's own people sees it otherwise, and how.
    persons
        Who answers for the report.
    about
        The other party's report that this one stands beside, or replies to.
    follows
        The author's own earlier report that this one takes the place of.
    attachments
        One note for each attachment of the leaf, in its order.
    """

    TYPE: ClassVar[EntryType] = EntryType.INCIDENT

    id: Line
    stage: Literal["first", "full", "reply"]
    detected_s: Number
    from_s: Number | None = None
    to_s: Number | None = None
    place: PlaceValue | None = None
    parties: Annotated[list[Line], Field(max_length=MOST_PARTIES)] = Field(default=[])
    platforms: Annotated[list[PlatformsValue], Field(max_length=MOST_PARTIES)] = Field(default=[])
    label: _Label | None = None
    flags: Annotated[list[_Flag], Field(max_length=8)] = Field(default=[])
    closest: ClosestValue | None = None
    terms: Annotated[list[TermRefValue], Field(max_length=1000)] = Field(default=[])
    entries: Annotated[list[EntryRefValue], Field(max_length=MOST_PARTS)] = Field(default=[])
    channel: Annotated[list[ChannelRecord], Field(max_length=MOST_PARTS)] = Field(default=[])
    acts: Annotated[list[Line], Field(max_length=1000)] = Field(default=[])
    harm: Text | None = None
    immediate_action: Text | None = None
    narrative: Text | None = None
    attribution: Text | None = None
    open_questions: _Notes = Field(default=[])
    corrective_action: Text | None = None
    dissent: Text | None = None
    persons: Persons = Field(default=[])
    about: EntryRefValue | None = None
    follows: EntryRefValue | None = None
    attachments: _Attachments = Field(default=[])

    def check(self) -> None:
        """Check that the time is in order, and that a reply names what it replies to."""
        faults = list(window_faults(self.from_s, self.to_s))
        if self.closest is not None:
            faults += window_faults(self.closest.from_s, self.closest.to_s, field="closest.to_s")
        if self.stage == "reply" and self.about is None:
            faults.append(Fault("missing", "the report that this replies to", field="about"))
        if faults:
            raise InputError(faults)
