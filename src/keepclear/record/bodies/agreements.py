"""What parties say of agreements: they propose, sign, suspend and end them, and ask what they mean.

None of these alone makes an agreement; what they say together, `keepclear.agreements.life` works out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from keepclear.errors import Fault, InputError
from keepclear.record.bodies.base import MOST_PARTS, Body, Language, Line, Number, PartyName, Sha256Text, Text, Value
from keepclear.record.bodies.references import EntryRefValue
from keepclear.record.bodies.talk import AttachmentNote
from keepclear.record.entry_types import EntryType

__all__ = [
    "MOST_PARTIES",
    "AffiliateBody",
    "AgreementChangedBody",
    "AgreementId",
    "AgreementProposedBody",
    "AgreementSignedBody",
    "AgreementText",
    "DeliverableBody",
    "ExemptionNoticeBody",
    "Persons",
    "TermQueryBody",
    "person_faults",
    "window_faults",
]

MOST_PARTIES = 256
"""The most parties of one agreement or plan; a text or an annex for each, and some more."""

AgreementId = Annotated[str, Field(pattern="^[a-z0-9][a-z0-9.-]{0,63}$")]
"""What an agreement is called: lower case, so that two names that look the same are the same."""
Persons = Annotated[list[Line], Field(max_length=16)]
"""Who did it, by name or by role, as the party chooses."""
_TWO_PERSONS = frozenset({"suspend", "resume", "terminate"})


class AgreementText(Value):
    """A text of the document in one language.

    Attributes
    ----------
    language
        BCP 47.
    authentic
        Whether it is what was agreed, and no translation of it.
    sha256
        Of its bytes as they are.
    """

    language: Language
    authentic: bool
    sha256: Sha256Text


class AgreementProposedBody(Body):
    """A document that the parties named in it may sign. It has no effect before all of them have.

    Attributes
    ----------
    agreement
        What the agreement is called.
    title
        Of the document.
    parties
        Who would have to sign.
    document
        SHA-256 of the document, which is the first attachment: canonical JSON.
    texts
        The texts in the document.
    attachments
        One note for each attachment of the leaf, in its order.
    counters
        The proposal that this one is put against; left out where it is the first, or another one of the same party.
    remarks
        Free text.
    """

    TYPE: ClassVar[EntryType] = EntryType.AGREEMENT_PROPOSED

    agreement: AgreementId
    title: Line
    parties: Annotated[list[PartyName], Field(min_length=2, max_length=MOST_PARTIES)]
    document: Sha256Text
    texts: Annotated[list[AgreementText], Field(min_length=1, max_length=MOST_PARTIES)]
    attachments: Annotated[list[AttachmentNote], Field(min_length=1, max_length=MOST_PARTS)]
    counters: EntryRefValue | None = None
    remarks: Text | None = None

    def check(self) -> None:
        """Check that no party and no language is named twice, and that a text is authentic."""
        faults = [
            Fault("a party is named twice", "each once", field="parties", value=one) for one in _twice(self.parties)
        ]
        languages = [one.language.casefold() for one in self.texts]
        faults += [Fault("two texts in one language", "one", field="texts", value=one) for one in _twice(languages)]
        if not any(one.authentic for one in self.texts):
            faults.append(Fault("no authentic text", "true for one text or several", field="texts"))
        _raise_any(faults)


class AgreementSignedBody(Body):
    """A party signs a document. Who signed other bytes has signed something else.

    Attributes
    ----------
    agreement, document
        Which agreement, and SHA-256 of the document that is signed.
    text
        SHA-256 of the authentic text that the signer read; where there are several, of each, one after the other (see
        ``docs/spec/agreements.md``).
    persons
        Who signed: two or more.
    proposal
        The entry that the document was proposed by.
    in_force_s
        The signature binds from then on, and not before; left out: from when everyone has signed.
    affiliates
        Whom the party says it binds too.
    """

    TYPE: ClassVar[EntryType] = EntryType.AGREEMENT_SIGNED

    agreement: AgreementId
    document: Sha256Text
    text: Sha256Text
    persons: Persons
    proposal: EntryRefValue
    in_force_s: Number | None = None
    affiliates: Annotated[list[Line], Field(max_length=MOST_PARTIES)] = Field(default=[])

    def check(self) -> None:
        """Check that two persons signed, and that no affiliate is named twice."""
        faults = list(person_faults(self.persons, least=2))
        faults += [Fault("named twice", "each once", field="affiliates", value=one) for one in _twice(self.affiliates)]
        _raise_any(faults)


class AgreementChangedBody(Body):
    """A party changes how it stands to an agreement. It speaks for itself alone; what comes of it, the record shows.

    Attributes
    ----------
    agreement, document
        Which agreement, and SHA-256 of the document.
    change
        ``suspend``, ``resume``, ``terminate``; ``withdraw`` takes back the party's own proposal or signature while the
        document is not in force, ``reject`` says that the party will not sign.
    persons
        Who did it: two or more to suspend, resume or terminate.
    from_s
        From when; left out: from when the entry counts.
    reason
        Why.
    """

    TYPE: ClassVar[EntryType] = EntryType.AGREEMENT_CHANGED

    agreement: AgreementId
    document: Sha256Text
    change: Literal["suspend", "resume", "terminate", "withdraw", "reject"]
    persons: Persons
    from_s: Number | None = None
    reason: Text | None = None

    def check(self) -> None:
        """Check that so many persons did it as it takes."""
        _raise_any(list(person_faults(self.persons, least=2 if self.change in _TWO_PERSONS else 1)))


class AffiliateBody(Body):
    """Who an agreement is said to bind besides its parties, and who confirms or denies it.

    Attributes
    ----------
    affiliate
        Who, in words.
    by
        The party that is said to bind it.
    stance
        ``asserts``, ``confirms``, ``denies`` or ``withdraws`` what was said before.
    agreement
        Which; left out: any.
    reason
        Why.
    """

    TYPE: ClassVar[EntryType] = EntryType.AFFILIATE

    affiliate: Line
    by: PartyName
    stance: Literal["asserts", "confirms", "denies", "withdraws"]
    agreement: AgreementId | None = None
    reason: Text | None = None


class ExemptionNoticeBody(Body):
    """Notice that a filing is of an activity for which a term makes an exception. Giving notice asks nobody's leave.

    Attributes
    ----------
    agreement, document
        Which agreement, and SHA-256 of the document.
    term
        The id of the term.
    activity
        The activity, as the term names it.
    filings
        The filings that it is about; none where they follow.
    from_s, to_s
        When it takes place.
    reason
        Why.
    """

    TYPE: ClassVar[EntryType] = EntryType.EXEMPTION_NOTICE

    agreement: AgreementId
    document: Sha256Text
    term: Line
    activity: Line
    from_s: Number
    to_s: Number
    filings: Annotated[list[EntryRefValue], Field(max_length=MOST_PARTS)] = Field(default=[])
    reason: Text | None = None

    def check(self) -> None:
        """Check that it does not end before it starts."""
        _raise_any(list(window_faults(self.from_s, self.to_s)))


class TermQueryBody(Body):
    """A question about what an agreement means. A message or an answer about it answers it.

    Attributes
    ----------
    agreement
        Which.
    question
        What is asked.
    urgent
        Whether the answer is owed in two days rather than seven.
    document, term
        Which document of it (SHA-256), and which term; left out where it is about none alone.
    """

    TYPE: ClassVar[EntryType] = EntryType.TERM_QUERY

    agreement: AgreementId
    question: Text
    urgent: bool = False
    document: Sha256Text | None = None
    term: Line | None = None


class DeliverableBody(Body):
    """What a term asks for is given, or declared to be done: that it is so, its author says.

    Attributes
    ----------
    agreement, document
        Which agreement, and SHA-256 of the document.
    term
        The id of the term.
    what
        What is given or done.
    done_s
        When it was done, by its author; left out where it is given with this entry.
    for_s
        The due date that it is for, where a term asks for it again and again.
    remarks
        Free text.
    attachments
        One note for each attachment of the leaf, in its order.
    """

    TYPE: ClassVar[EntryType] = EntryType.DELIVERABLE

    agreement: AgreementId
    document: Sha256Text
    term: Line
    what: Line
    done_s: Number | None = None
    for_s: Number | None = None
    remarks: Text | None = None
    attachments: Annotated[list[AttachmentNote], Field(max_length=MOST_PARTS)] = Field(default=[])


def person_faults(persons: Sequence[str], *, least: int) -> Iterator[Fault]:
    """What is wrong with those who are said to have done it together."""
    different = {" ".join(one.split()).casefold() for one in persons}
    if len(different) < len(persons):
        yield Fault("a person is named twice", "each once", field="persons")
    elif len(different - {""}) < least:
        right = "two persons" if least == 2 else "one person or more"
        yield Fault("not enough persons", right, field="persons", value=str(len(different - {""})))


def window_faults(from_s: float | None, to_s: float | None, *, field: str = "to_s") -> Iterator[Fault]:
    """What is wrong with a time that has a beginning and an end."""
    if from_s is not None and to_s is not None and to_s < from_s:
        yield Fault("the end is before the start", field=field)


def _twice(names: Sequence[str]) -> list[str]:
    return [one for one, times in Counter(names).items() if times > 1]


def _raise_any(faults: Sequence[Fault]) -> None:
    if faults:
        raise InputError(faults)
