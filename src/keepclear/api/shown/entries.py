"""Entries, threads and what is owed, as answers."""

from __future__ import annotations

import base64
import json
from typing import Any

from keepclear.errors import PeerError
from keepclear.line.threads import Advised, Given, Owing, Standing, Thread
from keepclear.node.entry_ids import EntryId
from keepclear.record.bodies.registry import body_of
from keepclear.record.entries import Entry, EntryRef
from keepclear.values.base import moment, moment_or_none
from keepclear.values.entries import EntryTold, GivenTold, OwingTold, RefTold, StandingTold, ThreadTold

__all__ = ["entry_told", "given_told", "id_or_none", "owing_told", "ref_told", "standing_told", "thread_told"]


def ref_told(ref: EntryRef) -> RefTold:
    """The name of an entry."""
    return RefTold(origin=ref.origin, index=ref.index, leaf=base64.b64encode(ref.leaf_hash).decode("ascii"))


def id_or_none(ref: EntryRef | None) -> str | None:
    """The id of an entry; None where there is none."""
    return None if ref is None else str(EntryId.of(ref))


def entry_told(
    ref: EntryRef, entry: Entry, *, kept_s: float | None, body_state: str, with_body: bool = True, guard: str = ""
) -> EntryTold:
    """An entry; `with_body`: and what it says, where that is held."""
    leaf = entry.leaf
    body: dict[str, Any] | None = None
    problem = ""
    if entry.body is None:
        problem = f"refused by the guard {guard}" if guard else "the body is not held"
    else:
        try:
            if body_of(entry) is None:
                problem = "of a type or version that is not known"
            if with_body:
                read = json.loads(entry.body)
                body = read if isinstance(read, dict) else {"value": read}
        except (PeerError, ValueError, RecursionError) as error:
            problem = str(error)
    return EntryTold(
        id=str(EntryId.of(ref)),
        ref=ref_told(ref),
        line=leaf.line,
        party=leaf.party,
        type=leaf.type,
        version=leaf.version,
        said_at=moment(leaf.time_s),
        kept_at=moment_or_none(kept_s),
        recipients=list(leaf.recipients),
        exercise=leaf.exercise,
        body_state=body_state,
        body=body,
        attachments=len(leaf.attachments),
        problem=problem,
    )


def thread_told(thread: Thread, at_s: float) -> ThreadTold:
    """How matters stand with an entry."""
    return ThreadTold(
        id=str(EntryId.of(thread.ref)),
        ref=ref_told(thread.ref),
        party=thread.party,
        type=thread.type,
        exercise=thread.exercise,
        problem=thread.problem,
        kept_at=moment_or_none(thread.kept_s),
        counts_from=moment_or_none(thread.counts_from_s),
        starts=moment_or_none(thread.start_s),
        ends=moment_or_none(thread.end_s),
        state=None if thread.state is None else thread.state.value,
        supersedes=id_or_none(thread.supersedes),
        superseded_by=id_or_none(thread.superseded_by),
        cancelled_by=id_or_none(thread.cancelled_by),
        standings=[standing_told(one, at_s) for one in thread.standings],
        advised=[_advised(one) for one in thread.advised],
        strangers=[given_told(one) for one in thread.strangers],
        odd=[f"{EntryId.of(one.ref)}: {one.why}" for one in thread.odd],
        at=moment(at_s),
    )


def standing_told(standing: Standing, at_s: float) -> StandingTold:
    """How matters stand with one addressee."""
    blocked = standing.blocked
    return StandingTold(
        party=standing.party,
        received=moment_or_none(standing.received_s),
        refused=standing.refused,
        seen=moment_or_none(standing.seen_s),
        relayed_to=list(standing.relayed_to),
        answers=[given_told(one) for one in standing.answers],
        owed=[owing_told(one, at_s) for one in standing.owed],
        blocked="" if blocked is None else _why_blocked(blocked),
        sentence=standing.sentence,
    )


def given_told(given: Given) -> GivenTold:
    """An answer that was given."""
    return GivenTold(
        id=str(EntryId.of(given.ref)),
        party=given.party,
        answer=given.answer,
        at=moment(given.at_s),
        unit=given.unit,
        reason=given.reason,
        read_back="" if given.comparison is None else given.comparison.sentence,
        void=None if given.void is None else given.void.value,
        repeats=given.repeats,
    )


def owing_told(owing: Owing, at_s: float) -> OwingTold:
    """What a party owes."""
    return OwingTold(
        about=str(EntryId.of(owing.about)),
        author=owing.author,
        party=owing.party,
        sort=None if owing.message_class is None else owing.message_class.value,
        owed=owing.owed.value,
        since=moment_or_none(owing.from_s),
        due=moment_or_none(owing.due_s),
        met=moment_or_none(owing.met_s),
        ceased=moment_or_none(owing.ceased_s),
        open=owing.is_open(at_s),
        overdue=owing.is_overdue(at_s),
    )


def _why_blocked(given: Given) -> str:
    return given.comparison.sentence if given.comparison is not None else given.void.value if given.void else ""


def _advised(advised: Advised) -> dict[str, Any]:
    return {
        "id": str(EntryId.of(advised.ref)),
        "party": advised.party,
        "about": [str(EntryId.of(one)) for one in advised.about],
        "found": advised.found.value,
        "status": advised.status.value,
        "accepted_by": list(advised.accepted_by),
    }
