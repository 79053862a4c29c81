"""What the tables know of agreements: which entries speak of them, how each stands, and what terms say of filings."""

from __future__ import annotations

import base64
from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import Column, Connection, Index, Table, bindparam, delete, func, insert, select

from keepclear.record.entries import EntryRef
from keepclear.store.node.columns import OCTETS, SECONDS, STRUCTURE, WHOLE, WORDS
from keepclear.store.node.database import projections
from keepclear.store.node.said_facts import problem_in, said_table
from keepclear.store.ready import Ready

__all__ = [
    "AgreementRow",
    "EntryRow",
    "TermFindingRow",
    "agreement_entries",
    "agreements_of",
    "count_entries",
    "counted_entries",
    "findings_of",
    "findings_since",
    "is_agreement_entry",
    "next_change_s",
    "put_agreement_entry",
    "put_agreements",
    "put_findings",
]

_entry = Table(
    "agreement_entry",
    projections,
    Column("origin", WORDS, primary_key=True),
    Column("number", WHOLE, primary_key=True, autoincrement=False),
    Column("line", WORDS, nullable=False),
    Column("leaf_hash", OCTETS, nullable=False),
    Column("type", WORDS, nullable=False),
    Column("kept_s", SECONDS, nullable=False),
    Index("agreement_entry_by_line", "line", "kept_s"),
)
_agreement = Table(
    "agreement",
    projections,
    Column("line", WORDS, primary_key=True),
    Column("agreement", WORDS, primary_key=True),
    Column("state", WORDS, nullable=False),
    Column("since_s", SECONDS),
    Column("document", WORDS, nullable=False),
    Column("disputes", STRUCTURE, nullable=False),
    Column("proposal", STRUCTURE),
    Column("next_s", SECONDS),
)
_finding = Table(
    "term_finding",
    projections,
    Column("filing", WHOLE, primary_key=True, autoincrement=False),
    Column("place", WHOLE, primary_key=True, autoincrement=False),
    Column("at_s", SECONDS, nullable=False),
    Column("line", WORDS, nullable=False),
    Column("agreement", WORDS, nullable=False),
    Column("document", WORDS, nullable=False),
    Column("term", WORDS, nullable=False),
    Column("clause", WORDS, nullable=False),
    Column("result", WORDS, nullable=False),
    Column("sentence", WORDS, nullable=False),
    Column("party", WORDS, nullable=False),
    Column("from_s", SECONDS),
    Column("to_s", SECONDS),
    Column("due_s", SECONDS),
    Column("zone", WHOLE, nullable=False),
    Index("term_finding_by_agreement", "line", "agreement", "at_s"),
)
_e, _a, _f = _entry.c, _agreement.c, _finding.c

_HERE = (_e.origin == bindparam("log"), _e.number == bindparam("at"))
_DROP_ENTRY, _PUT_ENTRY = Ready(delete(_entry).where(*_HERE)), Ready(insert(_entry))
_ENTRY = Ready(select(_e.leaf_hash).where(*_HERE))
_ENTRIES = Ready(
    select(_entry).where(_e.line == bindparam("on")).order_by(_e.kept_s, _e.origin, _e.number)
)  # fmt: skip
_COUNTED = Ready(
    select(*_entry.c, said_table.c.facts)
    .join(said_table, (said_table.c.origin == _e.origin) & (said_table.c.number == _e.number))
    .where(_e.line == bindparam("on"), said_table.c.counted)
    .order_by(_e.kept_s, _e.origin, _e.number)
)
_MANY = Ready(select(func.count()).where(_e.origin == bindparam("log"), _e.type == bindparam("kind")))
_ALL = Ready(select(_agreement).order_by(_a.line, _a.agreement))
_NEXT = Ready(select(func.min(_a.next_s)))
_DROP_FINDINGS = Ready(delete(_finding).where(_f.filing == bindparam("which")))
_PUT_FINDING = Ready(insert(_finding))
_FINDINGS = Ready(select(_finding).where(_f.filing == bindparam("which")).order_by(_f.place))


@dataclass(frozen=True, slots=True)
class EntryRow:
    """An entry that agreements or terms look at, and when our node had it."""

    ref: EntryRef
    line: str
    type: str
    kept_s: float


@dataclass(frozen=True, slots=True)
class AgreementRow:
    """How an agreement stands.

    Attributes
    ----------
    line, agreement
        Which.
    state, since_s
        How it stands (`keepclear.agreements.life`), and since when; None where that is not known.
    document
        SHA-256 (hex) of the version that is in force; empty where none is.
    disputes
        What the parties hold otherwise, as sentences.
    proposal
        The entry whose first attachment is the document in force; None where none is.
    next_s
        When it changes by itself; None if it does not.
    """

    line: str
    agreement: str
    state: str
    since_s: float | None
    document: str
    disputes: tuple[str, ...]
    proposal: EntryRef | None
    next_s: float | None


@dataclass(frozen=True, slots=True)
class TermFindingRow:
    """What a term in force says of a filing that it is not within, or may not be.

    Attributes
    ----------
    filing
        Its number.
    at_s
        When it was judged.
    line, agreement, document, term, clause
        Which term, of which version.
    result, sentence, party, from_s, to_s, due_s
        As in `keepclear.agreements.facts.Finding`.
    zone
        1 where the term is one of an area that is to be kept out of: then it counts as a conflict too.
    """

    filing: int
    at_s: float
    line: str
    agreement: str
    document: str
    term: str
    clause: str
    result: str
    sentence: str
    party: str
    from_s: float | None
    to_s: float | None
    due_s: float | None
    zone: int = 0


def put_agreement_entry(conn: Connection, row: EntryRow) -> None:
    """Note an entry that speaks of agreements, or that terms look at."""
    _DROP_ENTRY.run(conn, log=row.ref.origin, at=row.ref.index)
    _PUT_ENTRY.run(
        conn, origin=row.ref.origin, number=row.ref.index, line=row.line, leaf_hash=row.ref.leaf_hash, type=row.type,
        kept_s=row.kept_s,
    )  # fmt: skip


def agreement_entries(conn: Connection, line: str) -> list[EntryRow]:
    """All such entries of a line, those that came first in front."""
    return [
        EntryRow(EntryRef(row.origin, row.number, bytes(row.leaf_hash)), row.line, row.type, row.kept_s)
        for row in _ENTRIES.rows(conn, on=line)
    ]


def counted_entries(conn: Connection, line: str) -> list[tuple[EntryRow, str]]:
    """Those of a line that count, as `agreement_entries`; each with why it is not known what it says, if it is not."""
    return [
        (EntryRow(EntryRef(row.origin, row.number, bytes(row.leaf_hash)), row.line, row.type, row.kept_s),
         problem_in(row.facts))
        for row in _COUNTED.rows(conn, on=line)
    ]  # fmt: skip


def count_entries(conn: Connection, origin: str, kind: str) -> int:
    """How many entries of a type there are in a log."""
    return int(_MANY.value(conn, log=origin, kind=kind) or 0)


def is_agreement_entry(conn: Connection, ref: EntryRef) -> bool:
    """Whether an entry is one of them."""
    row = _ENTRY.one(conn, log=ref.origin, at=ref.index)
    return row is not None and bytes(row.leaf_hash) == ref.leaf_hash


def put_agreements(conn: Connection, line: str, rows: Iterable[AgreementRow]) -> None:
    """How the agreements of a line stand, in place of what was known before."""
    conn.execute(delete(_agreement).where(_a.line == line))
    values = [{one.name: getattr(row, one.name) for one in fields(row)} for row in rows]
    if values:
        told = [one | {"disputes": list(one["disputes"]), "proposal": _told(one["proposal"])} for one in values]
        conn.execute(insert(_agreement), told)


def agreements_of(conn: Connection, line: str | None = None) -> list[AgreementRow]:
    """How the agreements of a line stand, or all of them."""
    found = [AgreementRow(**_members(row, AgreementRow)) for row in _ALL.rows(conn)]
    return [one for one in found if line is None or one.line == line]


def next_change_s(conn: Connection) -> float | None:
    """When the next of them changes by itself; None where none does."""
    found = _NEXT.value(conn)
    return None if found is None else float(found)


def put_findings(conn: Connection, filing: int, rows: Iterable[TermFindingRow]) -> None:
    """What terms say of a filing, in place of what they said before."""
    _DROP_FINDINGS.run(conn, which=filing)
    for place, row in enumerate(rows):
        _PUT_FINDING.run(conn, place=place, **{one.name: getattr(row, one.name) for one in fields(row)})


def findings_of(conn: Connection, filing: int) -> list[TermFindingRow]:
    """What terms say of a filing."""
    return [TermFindingRow(**_members(row, TermFindingRow)) for row in _FINDINGS.rows(conn, which=filing)]


def findings_since(
    conn: Connection, *, filings: Collection[int] | None = None, limit: int = 1000
) -> list[TermFindingRow]:  # fmt: skip
    """What terms say of filings, the newest judgement first: of these, or of all."""
    wanted = select(_finding).order_by(_f.at_s.desc(), _f.filing.desc(), _f.place).limit(limit)
    if filings is not None:
        wanted = wanted.where(_f.filing.in_(sorted(filings)))
    return [TermFindingRow(**_members(row, TermFindingRow)) for row in conn.execute(wanted)]


def _told(ref: EntryRef | None) -> list[Any] | None:
    return None if ref is None else [ref.origin, ref.index, base64.b64encode(ref.leaf_hash).decode()]


def _ref(value: list[Any] | None) -> EntryRef | None:
    return None if value is None else EntryRef(value[0], value[1], base64.b64decode(value[2]))


def _members(row: Any, kind: type[Any]) -> dict[str, Any]:
    found = {one.name: getattr(row, one.name) for one in fields(kind)}
    if "disputes" in found:
        found["disputes"] = tuple(found["disputes"])
        found["proposal"] = _ref(found["proposal"])
    return found
