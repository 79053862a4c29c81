"""How the agreements of a line stand, read from what counts on its record: for officers, reports and use cases.

What a person is shown counts from when somebody other than its author is known to have had it. (For the search and for
what is judged before it is filed, our own words bind us from when we have said them: see
`keepclear.node.agreement_folding`.)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Connection

from keepclear.agreements.documents import Document, TermText
from keepclear.agreements.facts import Heard, RecordView
from keepclear.agreements.life import ENTRY_TYPES, MOST_OF_A_LOG, standings_of
from keepclear.agreements.standing import AgreementStanding
from keepclear.agreements.standing import Version as StandingVersion
from keepclear.agreements.states import BINDING, AgreementState
from keepclear.errors import Fault, KeepclearError
from keepclear.line.conversation import Conversation
from keepclear.node.agreement_documents import Documents
from keepclear.node.entry_ids import EntryId
from keepclear.node.records import Records
from keepclear.node.refusals import ClashError, NotFoundError
from keepclear.record.bodies.agreements import AgreementProposedBody
from keepclear.record.bodies.base import Body
from keepclear.record.bodies.registry import body_of
from keepclear.record.entries import EntryRef
from keepclear.record.entry_types import EntryType
from keepclear.store.node.agreements import EntryRow, agreement_entries, count_entries
from keepclear.times import to_text

__all__ = ["AgreementView", "Agreements", "Version"]

_OPEN = frozenset({AgreementState.PROPOSED, AgreementState.COUNTERED, AgreementState.PARTLY_SIGNED})
_ENTERED = BINDING | {AgreementState.SUSPENDED}


class Asked(Protocol):
    """What has the tables and the conversations: the projector."""

    def asked(self) -> AbstractContextManager[tuple[Connection, tuple[str, ...]]]:
        """The tables with all that is held now."""

    def conversation(self, line: str) -> AbstractContextManager[Conversation]:
        """All that was said on a line."""


@dataclass(frozen=True, eq=False)
class Version:
    """A document that was proposed.

    Attributes
    ----------
    ref, proposed_s
        The entry that proposed it first, and from when that counts.
    standing
        How it stands.
    body
        What that entry says.
    content
        The document; None where it cannot be had.
    problem
        Why it cannot; empty if it can.
    """

    ref: EntryRef
    proposed_s: float | None
    standing: StandingVersion
    body: AgreementProposedBody
    content: Document | None
    problem: str

    @property
    def document(self) -> str:
        """SHA-256 of it, hexadecimal."""
        return self.standing.hash

    @property
    def title(self) -> str:
        """Of the document."""
        return self.standing.title

    @property
    def parties(self) -> tuple[str, ...]:
        """Who has to sign."""
        return self.standing.parties

    @property
    def text(self) -> str:
        """SHA-256 of the authentic text; empty where the document cannot be had."""
        return "" if self.content is None else self.content.text_hash

    @property
    def terms(self) -> tuple[TermText, ...]:
        """Its terms, as they are written."""
        return () if self.content is None else self.content.terms

    @property
    def signed_by(self) -> tuple[str, ...]:
        """Who has signed it."""
        return tuple(sorted(self.standing.signatures))

    @property
    def closed(self) -> str:
        """Why it can be signed no more; empty while it can."""
        return (
            "" if self.standing.state in _OPEN else f"the document is {self.standing.state}, and not open to be signed"
        )


@dataclass(frozen=True, eq=False)
class AgreementView:
    """An agreement, as it stands at this moment.

    Attributes
    ----------
    line, id, standing
        Which, and how.
    versions
        Its documents, in the order in which they were proposed.
    heard
        All that was said of it: signatures, changes, notices, queries.
    """

    line: str
    id: str
    standing: AgreementStanding
    versions: tuple[Version, ...]
    heard: tuple[Heard, ...]

    @property
    def document(self) -> str:
        """SHA-256 of the document in force; empty where none is."""
        return "" if self.standing.in_force is None else self.standing.in_force.hash

    @property
    def main(self) -> Version:
        """The version that matters most: which binds, is suspended, or changed last."""
        return self.version(self.standing.version.hash)

    def version(self, document: str) -> Version:
        """The version of that hash.

        Raises
        ------
        NotFoundError
            If there is none.
        """
        found = next((one for one in self.versions if one.document == document), None)
        if found is None:
            right = f"one of: {', '.join(one.document for one in self.versions)}"
            raise NotFoundError(f"document of {self.id}", field="document", value=document, right=right)
        return found

    def must_allow(self, change: str, document: str, *, party: str) -> None:
        """Go no further with a change that would have no effect.

        Raises
        ------
        ClashError
            If it would have none.
        """
        standing = self.version(document).standing
        state = standing.state
        problem, right = "", ""
        if change == "suspend" and (state not in _ENTERED or party in standing.suspended_by):
            problem, right = f"it is {state}", "one that is in force, and that we have not suspended"
        elif change == "resume" and not standing.suspended_by:
            # Who has not suspended it can say that it goes on: it stays suspended, and all see the dispute.
            problem, right = "nobody has suspended it", "one that is suspended"
        elif change == "terminate" and state not in _ENTERED:
            problem, right = f"it is {state}", "one that is in force or suspended"
        elif change in {"withdraw", "reject"} and state not in _OPEN:
            problem, right = f"it is {state}", "a document that is not in force yet"
        elif change == "reject" and party in standing.rejected_by:
            problem, right = f"{party} has rejected it before", "nothing more is needed"
        elif change == "withdraw" and party not in standing.signatures and not self._proposed_by(standing, party):
            problem, right = f"{party} has neither proposed nor signed it", "reject it"
        if problem:
            raise ClashError(Fault(f"to {change} it would have no effect: {problem}", right, field="change"))

    @staticmethod
    def _proposed_by(standing: StandingVersion, party: str) -> bool:
        return any(EntryId.of(ref).party == party for ref in standing.proposals)


class Agreements:
    """Reads how agreements stand. Any thread may use it.

    Parameters
    ----------
    records, clock
        The node's.
    projector
        Knows which entries speak of agreements, and from when each counts.
    documents
        Reads documents.
    """

    def __init__(
        self, records: Records, projector: Asked, documents: Documents, clock: Callable[[], float]
    ) -> None:  # fmt: skip
        self._records, self._projector, self._documents, self._clock = records, projector, documents, clock

    def views(self, line: str | None = None, *, at_s: float | None = None) -> tuple[AgreementView, ...]:
        """All agreements of a line, or of all lines, by name.

        Raises
        ------
        NotFoundError
            If there is no such line.
        """
        lines = self._records.lines()
        if line is not None and line not in lines:
            told = ", ".join(lines) or "none yet"
            raise NotFoundError("line", field="line", value=line, right=f"one of: {told}")
        return tuple(view for one in (lines if line is None else (line,)) for view in self._views(one, at_s))

    def view(self, line: str, agreement: str, *, at_s: float | None = None) -> AgreementView:
        """One agreement.

        Raises
        ------
        NotFoundError
            If there is no such line, or no such agreement on it.
        """
        found = self.views(line, at_s=at_s)
        one = next((view for view in found if view.id == agreement), None)
        if one is None:
            told = ", ".join(view.id for view in found) or "none was proposed"
            right = self._not_told_yet(line, agreement) or f"on {line}: {told}"
            raise NotFoundError("agreement", field="id", value=agreement, right=right)
        return one

    def found(self, agreement: str, line: str | None = None) -> AgreementView:
        """The agreement of that name: on that line, or on the only one that has it.

        Raises
        ------
        NotFoundError
            If none or several have it.
        """
        if line is not None:
            return self.view(line, agreement)
        found = [view for view in self.views() if view.id == agreement]
        if len(found) == 1:
            return found[0]
        right = (
            f"name the line: {', '.join(one.line for one in found)}" if found else self._proposed_anywhere(agreement)
        )
        raise NotFoundError("agreement", field="id", value=agreement, right=right)

    def conversation(self, line: str) -> AbstractContextManager[Conversation]:
        """All that was said on a line, for this thread alone while the block lasts."""
        return self._projector.conversation(line)

    def record_of(self, line: str) -> RecordView:
        """All entries of a line that agreements and terms look at, as they count."""
        heard: dict[str, list[Heard]] = {}
        for one, kind in self._heard(line):
            heard.setdefault(kind, []).append(one)
        return RecordView(heard=heard)

    def must_be_looked_at(self, line: str, kind: str) -> None:
        """Go no further with an entry of ours that nobody would look at.

        Raises
        ------
        ClashError
            If there are too many of its type in our log already.
        """
        origin = self._records.own_origin(line)
        with self._projector.asked() as (conn, _):
            many = count_entries(conn, origin, kind)
        if kind in ENTRY_TYPES and many >= MOST_OF_A_LOG:
            problem = (
                f"there are {many} entries of this type ({kind}) in our log on {line}, and of more nothing is made"
            )
            raise ClashError(
                Fault(problem, f"at most {MOST_OF_A_LOG} in a log; begin a new one", field="line", value=line)
            )

    def mark(self, line: str, rows: Sequence[EntryRow]) -> tuple[float | None, ...]:
        """From when each entry of a line counts: another one where that has changed. It reads none of them."""
        with self._projector.conversation(line) as talk:
            return tuple(None if (said := talk.said(row.ref)) is None else talk.counts_from_s(said) for row in rows)

    def said_since(self, line: str, body: Body, since_s: float) -> EntryRef | None:
        """The entry of ours in which just this was said since then; None if it was not."""
        with self._projector.asked() as (conn, _):
            rows = agreement_entries(conn, line)
        for row in rows:
            if self._records.is_own(row.ref.origin) and row.type == str(type(body).TYPE):
                entry = self._records.entry(row.ref)
                if entry.leaf.time_s >= since_s - 1.0 and _body(self._records, row) == body:
                    return row.ref
        return None

    def _proposed_anywhere(self, agreement: str) -> str:
        told = (self._not_told_yet(line, agreement) for line in self._records.lines())
        return next(filter(None, told), "one that was proposed")

    def _not_told_yet(self, line: str, agreement: str) -> str:
        """What to do about an agreement that is proposed, but not known to anybody else yet; empty where it is not."""
        for one, _ in self._heard(line):
            body = one.body
            if one.counts_from_s is None and isinstance(body, AgreementProposedBody) and body.agreement == agreement:
                return f"wait: it is proposed on {line}, and no other party is known to have it yet"
        return ""

    def _views(self, line: str, at_s: float | None) -> list[AgreementView]:
        at_s = self._clock() if at_s is None else at_s
        heard = [one for one, _ in self._heard(line)]
        proposals = {one.ref: one for one in heard if isinstance(one.body, AgreementProposedBody)}
        documents = self._documents.by_hash(proposals)
        standings = standings_of(heard, documents, at_s)
        return [self._view(line, standing, proposals, heard) for standing in standings.values()]

    def _view(
        self, line: str, standing: AgreementStanding, proposals: Mapping[EntryRef, Heard], heard: list[Heard]
    ) -> AgreementView:
        versions = []
        for one in standing.versions:
            first = proposals[one.proposals[0]]
            assert isinstance(first.body, AgreementProposedBody)
            content, problem = self._content(one)
            versions.append(Version(first.ref, first.counts_from_s, one, first.body, content, problem))
        about = tuple(one for one in heard if _is_about(one.body, standing.id))
        return AgreementView(line, standing.id, standing, tuple(versions), about)

    def _content(self, version: StandingVersion) -> tuple[Document | None, str]:
        """The document of that hash, whoever's proposal has it attached; else why there is none."""
        found = [self._documents.of(ref) for ref in version.proposals]
        content = next((one for one in found if isinstance(one, Document) and one.hash == version.hash), None)
        if content is not None:
            return content, ""
        problem = next((one for one in found if not isinstance(one, Document)), "")
        return None, problem or "what is attached is another document than the entry names"

    def _heard(self, line: str) -> list[tuple[Heard, str]]:
        with self._projector.asked() as (conn, _):
            rows = agreement_entries(conn, line)
        found: list[tuple[Heard, str]] = []
        with self._projector.conversation(line) as talk:
            counted = {row.ref: talk.counts_from_s(said) for row in rows if (said := talk.said(row.ref)) is not None}
        for row in rows:
            if row.ref not in counted:
                continue  # its author is no member
            body = _body(self._records, row)
            if body is not None:
                leaf = self._records.entry(row.ref).leaf
                heard = Heard(row.ref, leaf.party, body, leaf.time_s, counted[row.ref], exercise=leaf.exercise)
                found.append((heard, row.type))
        return found


def _body(records: Records, row: EntryRow) -> Body | None:
    try:
        return body_of(records.entry(row.ref))
    except KeepclearError:
        return None


def _is_about(body: Body, agreement: str) -> bool:
    """Whether an entry speaks of an agreement: by its name, or, of affiliates, of any."""
    told: Any = getattr(body, "agreement", None)
    return told == agreement or (told is None and body.TYPE == EntryType.AFFILIATE)


def said_of_it(one: Heard) -> str:
    """What an entry says of an agreement, in a sentence."""
    body: Any = one.body
    when = "" if getattr(body, "from_s", None) is None else f", from {to_text(body.from_s)}"
    match body.TYPE:
        case EntryType.AGREEMENT_PROPOSED:
            against = " against another document" if body.counters is not None else ""
            return f"{one.party} proposed {body.document[:12]}{against}"
        case EntryType.AGREEMENT_SIGNED:
            return f"{one.party} signed {body.document[:12]} ({', '.join(body.persons)})"
        case EntryType.AGREEMENT_CHANGED:
            why = f": {body.reason}" if body.reason else ""
            return f"{one.party}: {body.change} {body.document[:12]}{when}{why}"
        case EntryType.EXEMPTION_NOTICE:
            return f"{one.party} gave notice of {body.activity} ({body.term}){when} to {to_text(body.to_s)}"
        case EntryType.TERM_QUERY:
            return f"{one.party} asked{' urgently' if body.urgent else ''}: {body.question}"
        case EntryType.DELIVERABLE:
            return f"{one.party} gave {body.what} ({body.term})"
        case EntryType.AFFILIATE:
            return f"{one.party} {body.stance} that {body.by} binds {body.affiliate}"
        case _:
            return f"{one.party}: {body.TYPE}"
