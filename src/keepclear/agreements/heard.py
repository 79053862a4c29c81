"""What terms and labels are judged by, taken from a conversation: filings with their answers, and all other entries.

Everything counts from when somebody other than its author is known to have had it. What counts only later than the
time that is asked for is left out, so that the record can be read as it stood then.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

from keepclear.agreements.documents import Document
from keepclear.agreements.facts import Filed, Given, Heard, RecordView
from keepclear.errors import InputError, PeerError
from keepclear.line.conversation import Conversation
from keepclear.line.said import Said
from keepclear.line.threads import Advised, AdvisoryStatus, Thread, Void
from keepclear.model.findings import Answer
from keepclear.model.operations import Operation, Zone
from keepclear.record.bodies.agreements import AgreementProposedBody
from keepclear.record.bodies.base import Body
from keepclear.record.bodies.plans import OperationBody, ZoneBody
from keepclear.record.bodies.registry import body_of
from keepclear.record.entries import Entry, EntryRef
from keepclear.record.entry_types import EntryType

__all__ = ["documents_in", "filed_in", "filed_order", "filings_in", "record_of"]

_FILINGS = frozenset({EntryType.OPERATION, EntryType.ZONE})
_SETTLED = frozenset({AdvisoryStatus.RESOLVED, AdvisoryStatus.ACCEPTED})
# An amendment voids an answer from then on; while the amended version stood, it was answered.
_COUNTED_THEN = frozenset({None, Void.AMENDED})
_NOTHING: Mapping[EntryRef, float] = MappingProxyType({})


def filed_in(
    conversation: Conversation,
    entries: Mapping[EntryRef, Body],
    at_s: float,
    *,
    said_s: Mapping[EntryRef, float] = _NOTHING,
    plans: Mapping[EntryRef, Operation | Zone] = MappingProxyType({}),
    only: Iterable[EntryRef] | None = None,
) -> tuple[Filed, ...]:
    """All filings of a conversation, each version by itself, in the order in which they count; last what does not yet.

    Parameters
    ----------
    conversation
        All that was said on the line.
    entries
        The bodies that are held. A filing without one is told all the same, with its problem.
    at_s
        As of when: seconds since the epoch. Filings that count later are left out.
    said_s
        When entries were said by their authors' clocks, where that is known; else when our node had them.
    plans
        What was made of bodies already: making it again takes as long as reading them.
    only
        Of these filings alone; what is known of each is the same as if it were of all.
    """
    found = []
    for said in filings_in(conversation, at_s) if only is None else filter(None, map(conversation.said, only)):
        thread = conversation.thread(said.ref, at_s)
        filed = _filed(conversation, said, thread, entries.get(said.ref), at_s, said_s, plans.get(said.ref))
        found.append(filed)
    return tuple(sorted(found, key=filed_order))


def filings_in(conversation: Conversation, at_s: float) -> Iterator[Said]:
    """What `filed_in` tells of, before any body is read: who, when, and the time that it is about."""
    for said in conversation.everything():
        if said.is_filing and _known_by(conversation.counts_from_s(said), at_s):
            yield said


def record_of(
    conversation: Conversation,
    entries: Mapping[EntryRef, Body],
    at_s: float,
    *,
    parties: Iterable[str] = (),
    said_s: Mapping[EntryRef, float] = _NOTHING,
    channel: Mapping[str, Sequence[tuple[float, float, str]]] = MappingProxyType({}),
) -> RecordView:
    """What stands on the record besides filings: all other entries whose bodies are held.

    Parameters
    ----------
    conversation, entries, at_s, said_s
        As `filed_in`; of filings and answers no body is needed.
    parties
        Who is on the line; whoever has said something is on it too.
    channel
        What our node saw of the channel to each party.
    """
    heard: dict[str, list[Heard]] = {}
    authors = {*parties, *(said.party for said in conversation.everything() if _is_read(said))}
    for ref, body in entries.items():
        said = conversation.said(ref)
        if said is None:
            continue
        authors.add(said.party)
        counts_s = conversation.counts_from_s(said)
        if said.type not in _FILINGS and said.type != EntryType.ANSWER and _known_by(counts_s, at_s):
            is_answered = next(conversation.about(ref), None) is not None
            answers = tuple(_answers(conversation, conversation.thread(ref, at_s), at_s)) if is_answered else ()
            time_s = said_s.get(ref, said.kept_s)
            heard.setdefault(said.type, []).append(
                Heard(ref, said.party, body, time_s, counts_s, answers, said.exercise)
            )
    ordered = {name: tuple(sorted(found, key=filed_order)) for name, found in sorted(heard.items())}
    return RecordView(frozenset(authors), ordered, channel)


def documents_in(entries: Iterable[Entry]) -> Mapping[str, Document]:
    """The documents of agreements that came with proposals, by hash; what is none, or is not held, is left out."""
    found: dict[str, Document] = {}
    for entry in entries:
        data = entry.attachments[0] if entry.leaf.type == EntryType.AGREEMENT_PROPOSED and entry.attachments else None
        try:
            body = None if data is None else body_of(entry)
            if data is not None and isinstance(body, AgreementProposedBody) and body.document not in found:
                document = Document.of_bytes(data.data)
                found[document.hash] = document
        except PeerError:
            continue
    return found


def _is_read(said: Said) -> bool:
    """Whether it is an answer or a filing whose body was read: its author is on the line."""
    return said.given is not None or (said.is_filing and not said.problem)


def _known_by(counts_s: float | None, at_s: float) -> bool:
    return counts_s is None or counts_s <= at_s


def filed_order(one: Filed | Heard) -> tuple[bool, float, str, int, bytes]:
    """In the order in which things count; last what does not yet."""
    counts_s = one.counts_from_s
    assert one.ref is not None  # what is said has one
    return (counts_s is None, counts_s or 0.0, one.ref.origin, one.ref.index, one.ref.leaf_hash)


def _filed(
    talk: Conversation,
    said: Said,
    thread: Thread,
    body: Body | None,
    at_s: float,
    said_s: Mapping[EntryRef, float],
    made: Operation | Zone | None,
) -> Filed:
    plan, problem = _plan(said, body) if made is None else (made, said.problem)
    known = body if isinstance(body, OperationBody | ZoneBody) else None
    superseded_s = _counts(talk, thread.superseded_by, at_s)
    return Filed(
        said.ref,
        said.party,
        plan,
        problem,
        (known.on_behalf_of or "") if isinstance(known, OperationBody) else "",
        said.recipients,
        said_s.get(said.ref, said.kept_s),
        thread.counts_from_s,
        said.start_s,
        said.end_s,
        tuple(_answers(talk, thread, at_s)),
        tuple(_conflicts(talk, thread, at_s)),
        tuple(_settled(talk, thread, at_s)),
        superseded_s,
        _counts(talk, thread.cancelled_by, at_s),
        None if superseded_s is None else thread.superseded_by,
        said.exercise,
        "" if known is None else known.reason_if_late or "",
        is_rough=known is not None and known.precision is not None,
    )


def _plan(said: Said, body: Body | None) -> tuple[Operation | Zone | None, str]:
    if not isinstance(body, OperationBody | ZoneBody):
        return None, said.problem or "the body is not held"
    try:
        return body.to_model(), said.problem
    except InputError as error:
        return None, f"it cannot be read: {error.faults[0]}"


def _answers(talk: Conversation, thread: Thread, at_s: float) -> Iterator[Given]:
    """What others answered that counts by then, in time order."""
    found = []
    for one in (answer for standing in thread.standings for answer in standing.answers):
        said = talk.said(one.ref)
        counts_s = None if said is None else talk.counts_from_s(said)
        if said is None or counts_s is None or counts_s > at_s or one.party == thread.party:
            continue
        if one.void in _COUNTED_THEN or (one.void is Void.WITHDRAWN and not _withdrawn(talk, said, at_s)):
            found.append(Given(one.ref, one.party, one.answer, counts_s))
    yield from sorted(found, key=lambda one: (one.at_s, one.party, one.ref.origin, one.ref.index))


def _withdrawn(talk: Conversation, answer: Said, at_s: float) -> bool:
    by = talk.thread(answer.ref, at_s).cancelled_by
    return _counts(talk, by, at_s) is not None


def _counts(talk: Conversation, ref: EntryRef | None, at_s: float) -> float | None:
    """From when an entry counts, if it does by then."""
    said = None if ref is None else talk.said(ref)
    counts_s = None if said is None else talk.counts_from_s(said)
    return counts_s if counts_s is not None and counts_s <= at_s else None


def _is_settled(advised: Advised, at_s: float) -> bool:
    """Whether it was settled by then; what was settled only afterwards was open."""
    return advised.status in _SETTLED and advised.status_s <= at_s


def _settled(talk: Conversation, thread: Thread, at_s: float) -> Iterator[tuple[EntryRef, float]]:
    """The filings with which a conflict was advised of and is settled, each with since when at the latest."""
    found: dict[EntryRef, float] = {}
    for one in thread.advised:
        if _is_settled(one, at_s) and _counts(talk, one.ref, at_s) is not None:
            found |= {ref: max(found.get(ref, one.status_s), one.status_s) for ref in one.about if ref != thread.ref}
    yield from found.items()


def _conflicts(talk: Conversation, thread: Thread, at_s: float) -> Iterator[EntryRef]:
    """The filings that it conflicts with, or may, each once: what is neither resolved nor accepted."""
    found: dict[EntryRef, None] = {}
    accepted: set[EntryRef] = set()
    for one in thread.advised:
        if one.status is AdvisoryStatus.ACCEPTED and _is_settled(one, at_s):
            accepted.update(one.about)
        if not _is_settled(one, at_s) and _counts(talk, one.ref, at_s) is not None:
            found.update(dict.fromkeys(one.about))
    searched = thread.searched
    if searched is not None and searched.at_s <= at_s and searched.answer is not Answer.CLEAR:
        found.update(dict.fromkeys(one for one in searched.against if one not in accepted))
    yield from (one for one in found if one != thread.ref)
