"""Agreements: proposing, signing and changing them, how they stand, and what their terms say of what was filed."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from keepclear.values.base import Asked, EntryId, LineName, LongText, PartyName, ShortText, Time, Told
from keepclear.values.users import ProposalTold

__all__ = [
    "AGREEMENT_PATTERN",
    "AffiliateAsked",
    "AffiliateTold",
    "AgreementName",
    "AgreementProposalAsked",
    "AgreementTold",
    "ChangeAsked",
    "ClauseDifferenceTold",
    "DeliverableAsked",
    "DifferenceTold",
    "ExemptionAsked",
    "QueryAsked",
    "ReportTold",
    "SignatureAsked",
    "SignatureTold",
    "SigningTold",
    "TermTold",
    "VersionTold",
]

AGREEMENT_PATTERN = "^[a-z0-9][a-z0-9.-]{0,63}$"
"""Pattern of an agreement's name."""
AgreementName = Annotated[str, Field(pattern=AGREEMENT_PATTERN, max_length=64, examples=["sochi"])]
Sha256 = Annotated[
    str, Field(pattern="^[0-9a-f]{64}$", max_length=64, examples=["9f" * 32])
]  # fmt: skip
TermName = Annotated[str, Field(min_length=1, max_length=200, examples=["depth"])]
Reason = LongText


class AgreementProposalAsked(Asked):
    """A document to be proposed, or put against another's; nobody is bound by it before all parties have signed.

    Attributes
    ----------
    line
        On which line; may be left out where the party is on one only.
    document
        The document, as `keepclear agreement check --json` writes it: the hash of these members is what is signed.
    counters
        The proposal that it is put against: an entry; left out for the first.
    remarks
        Free text.
    """

    document: Annotated[dict[str, Any], Field(min_length=1)]
    line: LineName | None = None
    counters: EntryId | None = None
    remarks: LongText | None = None


class SignatureAsked(Asked):
    """A signature to be given. It takes two persons: this proposes it, and another confirms it.

    Attributes
    ----------
    document
        SHA-256 of the document that is signed.
    text
        SHA-256 of the authentic text that was read, where the signer would have it compared.
    in_force
        The signature binds from then on, and not before; left out: from when everyone has signed.
    affiliates
        Whom the party says it binds too.
    """

    document: Sha256
    line: LineName | None = None
    text: Sha256 | None = None
    in_force: Time | None = None
    affiliates: Annotated[list[ShortText], Field(max_length=256)] = Field(default=[])


class ChangeAsked(Asked):
    """A change of how the party stands to an agreement.

    Attributes
    ----------
    change
        ``suspend``, ``resume`` and ``terminate`` take two persons: this proposes it, and another confirms it.
        ``withdraw`` takes back the party's own proposal or signature while nothing is in force, ``reject`` says that
        it will not sign; both are done at once.
    document
        SHA-256 of the document; left out: the one in force, or the only one that is open.
    effective
        From when; left out: from when others have it.
    reason
        Why.
    """

    change: Literal["suspend", "resume", "terminate", "withdraw", "reject"]
    line: LineName | None = None
    document: Sha256 | None = None
    effective: Time | None = None
    reason: Reason | None = None


class QueryAsked(Asked):
    """A question about what an agreement means.

    Attributes
    ----------
    question
        What is asked.
    term
        About which term; left out: about the whole.
    urgent
        Whether the answer is owed in two days rather than seven.
    """

    question: LongText
    line: LineName | None = None
    term: TermName | None = None
    urgent: bool = False


class ExemptionAsked(Asked):
    """Notice of an activity for which a term makes an exception. It asks nobody's leave.

    Attributes
    ----------
    term, activity
        Which term, and the activity as it names it.
    starts, ends
        When it takes place.
    filings
        The filings that it is about; none where they follow.
    reason
        Why.
    """

    term: TermName
    activity: ShortText
    starts: Time
    ends: Time
    line: LineName | None = None
    filings: Annotated[list[EntryId], Field(max_length=1000)] = Field(default=[])
    reason: Reason | None = None


class DeliverableAsked(Asked):
    """What a term asks for is given, or said to be done.

    Attributes
    ----------
    term, what
        Which term, and what is given or done.
    done
        When it was done; left out: now, with this.
    due
        The due date that it is for, where a term asks for it again and again.
    remarks
        Free text.
    """

    term: TermName
    what: ShortText
    line: LineName | None = None
    done: Time | None = None
    due: Time | None = None
    remarks: LongText | None = None


class AffiliateAsked(Asked):
    """Who an agreement is said to bind besides its parties, or that we confirm or deny it.

    Attributes
    ----------
    affiliate
        Who.
    by
        The party that is said to bind it; left out: we.
    stance
        What we say of it.
    reason
        Why.
    """

    affiliate: ShortText
    stance: Literal["asserts", "confirms", "denies", "withdraws"] = "asserts"
    line: LineName | None = None
    by: PartyName | None = None
    reason: Reason | None = None


class SignatureTold(Told):
    """A signature, as its party gave it.

    Attributes
    ----------
    entry
        The entry that says it.
    party, persons
        Whose, and who did it.
    document
        SHA-256 of what was signed.
    counts
        From when others are known to have it; null: from never, so far.
    effect
        Why it has no effect, where it has none.
    """

    entry: EntryId
    party: str
    persons: list[str] = Field(default=[])
    document: str
    counts: Time | None = None
    effect: str = ""


class TermTold(Told):
    """A term of a version, and the clause that it belongs to.

    Attributes
    ----------
    id, type, clause
        Which term, of which type, and the clause.
    sentence
        The term in words.
    known
        Whether this program can check it; what it cannot is shown, and says nothing of any filing.
    """

    id: str
    type: str
    clause: str
    sentence: str = ""
    known: bool = True


class VersionTold(Told):
    """A document that was proposed.

    Attributes
    ----------
    entry, party
        The entry that proposed it, and whose it is.
    document
        SHA-256 of the document: what is signed.
    title, parties, languages
        Of the document.
    text
        SHA-256 of its authentic text.
    signed_by, missing
        Who signed it, and who has not.
    counters
        The proposal that it was put against.
    problem
        Why it cannot be read here; then it cannot be signed here.
    content
        The document itself, where one version is asked for; its hash is `document`.
    """

    entry: EntryId
    party: str
    document: str
    title: str
    parties: list[str]
    languages: list[str] = Field(default=[])
    text: str = ""
    signed_by: list[str] = Field(default=[])
    missing: list[str] = Field(default=[])
    counters: EntryId | None = None
    proposed: Time | None = None
    problem: str = ""
    terms: list[TermTold] = Field(default=[])
    content: dict[str, Any] | None = None


class AffiliateTold(Told):
    """Who a party says it binds, and what others say of it.

    Attributes
    ----------
    affiliate, by
        Who, and the party that is said to bind it.
    standing
        In words: ``cover of TR by US: asserted by US, unconfirmed``.
    """

    affiliate: str
    by: str
    standing: str


class AgreementTold(Told):
    """How an agreement stands. It says nothing of the channel, and nothing that is filed is permitted by it.

    Attributes
    ----------
    id, line, title
        Which.
    state
        ``draft``, ``proposed``, ``countered``, ``partly signed``, ``in force``, ``suspended``, ``resumed``,
        ``expired`` or ``terminated``.
    since
        Since when; null where that is not known.
    sentence
        The same in words.
    document
        SHA-256 of the version in force; empty where none is.
    missing
        Who has not signed, of the version that is nearest to being in force.
    disputes
        What the parties hold otherwise; while they signed different texts nothing is in force.
    versions
        All that were proposed, the newest first.
    signatures
        All that were given, those without effect too.
    """

    id: str
    line: LineName
    title: str = ""
    state: str
    since: Time | None = None
    sentence: str = ""
    document: str = ""
    parties: list[str] = Field(default=[])
    missing: list[str] = Field(default=[])
    disputes: list[str] = Field(default=[])
    flags: list[str] = Field(default=[])
    versions: list[VersionTold] = Field(default=[])
    signatures: list[SignatureTold] = Field(default=[])
    affiliates: list[AffiliateTold] = Field(default=[])
    waiting: list[ProposalTold] = Field(default=[], description="What one person here has proposed, and waits.")


class SigningTold(Told):
    """What came of a signature or a change: it waits for a second person, or was said.

    Attributes
    ----------
    proposal
        What another person must confirm; null where it was said at once.
    entry
        The entry; null while it waits.
    """

    proposal: ProposalTold | None = None
    entry: EntryId | None = None


class ClauseDifferenceTold(Told):
    """A clause or a term in two versions, side by side; null on the side that has it not."""

    name: str
    before: str | None = None
    after: str | None = None


class DifferenceTold(Told):
    """What changes between two versions.

    Attributes
    ----------
    before, after
        SHA-256 of the documents.
    head
        Title, version, parties, texts and annexes that are not the same.
    clauses, terms
        Those that are not the same; of a term the members that differ.
    ground
        What changes on the ground, in sentences.
    """

    before: str
    after: str
    head: list[ClauseDifferenceTold] = Field(default=[])
    clauses: list[ClauseDifferenceTold] = Field(default=[])
    terms: list[ClauseDifferenceTold] = Field(default=[])
    ground: list[str] = Field(default=[])


class ReportTold(Told):
    """A compliance report of one agreement: what was due, done, late, breached and disputed, by whom.

    Attributes
    ----------
    agreement, line
        Of which.
    starts, ends
        Of which time.
    made
        When; what came later is not in it.
    state
        How the agreement stood then.
    counts
        How many findings of each kind.
    report
        The report itself, as docs/spec/agreements.md describes it.
    """

    agreement: str
    line: LineName
    starts: Time
    ends: Time
    made: Time
    state: str
    counts: dict[str, int]
    report: dict[str, Any]
