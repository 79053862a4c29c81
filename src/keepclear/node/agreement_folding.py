"""Which agreements bind, as the tables have it, step by step: a part of `keepclear.node.folding`.

An entry counts here from when our node had it: our own signature binds us in the search and before we file from when we
have said it, which may be a moment before the others are known to have it. That errs to the side of finding more. Times
at which an agreement begins, expires or is suspended by itself are taken in their order, each at its own time, so that
a rebuild makes the same tables.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from keepclear.agreements.documents import Document
from keepclear.agreements.facts import Heard
from keepclear.agreements.life import MOST_OF_A_LOG
from keepclear.agreements.standing import AgreementStanding
from keepclear.errors import KeepclearError
from keepclear.node.agreement_documents import Documents, EntryOf
from keepclear.node.terms_in_force import InForce, TermsInForce
from keepclear.record.bodies.registry import body_of
from keepclear.record.entries import EntryRef
from keepclear.record.entry_types import EntryType
from keepclear.store.node.agreements import (
    AgreementRow,
    EntryRow,
    agreements_of,
    count_entries,
    is_agreement_entry,
    next_change_s,
    put_agreement_entry,
    put_agreements,
)

__all__ = ["WATCHED_TYPES", "AgreementFold", "Binding"]

WATCHED_TYPES = frozenset(
    {
        EntryType.AGREEMENT_PROPOSED, EntryType.AGREEMENT_SIGNED, EntryType.AGREEMENT_CHANGED, EntryType.AFFILIATE,
        EntryType.EXEMPTION_NOTICE, EntryType.DELIVERABLE, EntryType.TERM_QUERY, EntryType.JOINT_PLAN,
        EntryType.JOINT_PLAN_SIGNED, EntryType.MEASURE,
    }
)  # fmt: skip
"""Entries that agreements, or their terms, look at."""
_STANDING = frozenset(
    {EntryType.AGREEMENT_PROPOSED, EntryType.AGREEMENT_SIGNED, EntryType.AGREEMENT_CHANGED, EntryType.CANCEL}
)  # fmt: skip
"""What may change how an agreement stands: only for these are all the others read again."""
_REJUDGED = frozenset({EntryType.EXEMPTION_NOTICE, EntryType.AFFILIATE})
"""What may change what a term says of filings that stand."""


@dataclass(frozen=True)
class Binding:
    """What a step has changed.

    Attributes
    ----------
    gone, new
        Agreements that bind no longer, and those that do from now on.
    rejudged
        Parties of whose filings terms may say something else now.
    """

    gone: tuple[InForce, ...] = ()
    new: tuple[InForce, ...] = ()
    rejudged: frozenset[str] = frozenset()

    @property
    def parties(self) -> frozenset[str]:
        """Whose filings are to be looked at again."""
        return self.rejudged.union(*(one.document.parties for one in (*self.gone, *self.new)))


class AgreementFold:
    """Makes the tables of agreements. One thread at a time, in a transaction that writes.

    Parameters
    ----------
    documents, terms
        Read documents, and the terms in force.
    entry_of
        Gives an entry as it was held at the step.
    """

    def __init__(self, documents: Documents, terms: TermsInForce, entry_of: EntryOf) -> None:
        self._documents, self.terms, self._entry_of = documents, terms, entry_of

    def note(self, conn: Connection, line: str, ref: EntryRef, kind: str, kept_s: float) -> bool:
        """An entry that agreements look at came, or its body did; whether it counts may change.

        False where it is one of too many: nothing is made of it (`keepclear.agreements.life.MOST_OF_A_LOG`).
        """
        is_new = kind in _STANDING and not is_agreement_entry(conn, ref)
        if is_new and count_entries(conn, ref.origin, kind) >= MOST_OF_A_LOG:
            return False
        put_agreement_entry(conn, EntryRow(ref, line, kind, kept_s))
        return True

    def is_about(self, conn: Connection, ref: EntryRef, kind: str) -> bool:
        """Whether an entry is one that agreements look at: by its type, or because it takes back one that is."""
        if kind != EntryType.CANCEL:
            return kind in WATCHED_TYPES
        try:
            body: Any = body_of(self._entry_of(ref.origin, ref.index))
        except KeepclearError:
            return False
        return body is not None and is_agreement_entry(conn, body.entry.ref())

    def hear(self, conn: Connection, line: str, ref: EntryRef, kind: str, kept_s: float, at_s: float) -> Binding:
        """What an entry changes that was noted, and counts."""
        if kind in _STANDING:
            return self.look(conn, line, at_s)
        if kind not in _REJUDGED:
            return Binding()
        heard = self.terms.heard.one(conn, EntryRow(ref, line, kind, kept_s))
        body: Any = None if heard is None else heard.body
        if heard is None or not any(row.document for row in agreements_of(conn, line)):
            return Binding()
        who = heard.party if kind == EntryType.EXEMPTION_NOTICE else body.by
        return Binding(rejudged=frozenset({who}))

    def look(self, conn: Connection, line: str, at_s: float) -> Binding:
        """Work out how the agreements of a line stand at a time, and keep it; what has changed."""
        before = {one.key: one for one in self.terms.in_force(conn) if one.line == line}
        heard = self.terms.heard.all(conn, line)
        standings = self.terms.standings_by(heard, at_s)
        rows = [_row(line, one, heard, at_s, self._proposal(one)) for one in standings.values()]
        put_agreements(conn, line, rows)
        self.terms.change()
        after = {one.key: one for one in self.terms.in_force(conn) if one.line == line}
        gone = tuple(one for key, one in before.items() if key not in after)
        return Binding(gone, tuple(one for key, one in after.items() if key not in before))

    def _proposal(self, standing: AgreementStanding) -> EntryRef | None:
        """The entry that the document in force is read from: with some other one something else may be attached."""
        document = standing.in_force
        version = None if document is None else standing.of(document.hash)
        if document is None or version is None:
            return None
        found = ((ref, self._documents.of(ref)) for ref in version.proposals)
        return next((ref for ref, one in found if isinstance(one, Document) and one.hash == document.hash), None)

    def due_s(self, conn: Connection, until_s: float) -> float | None:
        """When the next agreement changes by itself, if that is by then."""
        found = next_change_s(conn)
        return found if found is not None and found <= until_s else None

    def due_lines(self, conn: Connection, at_s: float) -> Collection[str]:
        """The lines of which one does at that time."""
        return sorted({row.line for row in agreements_of(conn) if row.next_s is not None and row.next_s <= at_s})


def _row(
    line: str, standing: AgreementStanding, heard: Collection[Heard], at_s: float, proposal: EntryRef | None
) -> AgreementRow:  # fmt: skip
    document: Document | None = standing.in_force
    return AgreementRow(
        line, standing.id, str(standing.state), standing.since_s, "" if document is None else document.hash,
        tuple(one.sentence for one in standing.disputes), proposal, _next_s(standing, heard, at_s),
    )  # fmt: skip


def _next_s(standing: AgreementStanding, heard: Collection[Heard], at_s: float) -> float | None:
    """When it changes by itself: a time that a signature or a change names, or the end of its own time."""
    times = [one.expires_s for one in standing.versions]
    for one in heard:
        body: Any = one.body
        if getattr(body, "agreement", None) == standing.id and body.TYPE in _TIMED:
            times.append(getattr(body, _TIMED[body.TYPE]))
    return min((one for one in times if one is not None and one > at_s), default=None)


_TIMED: Mapping[EntryType, str] = {EntryType.AGREEMENT_SIGNED: "in_force_s", EntryType.AGREEMENT_CHANGED: "from_s"}
