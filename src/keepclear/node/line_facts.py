"""What terms and labels are judged by, read from what was said on a line: only as much of it as a time can need.

A line may have years of filings. Which of them there are, and of when, a conversation knows without reading any body;
so only those are read, and looked at closely, that somebody wants. What each is said to be is the same as if all were.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from functools import partial

from keepclear.agreements.facts import Filed, RecordView
from keepclear.agreements.heard import filed_in, filed_order, filings_in, record_of
from keepclear.errors import InputError
from keepclear.line.conversation import Conversation
from keepclear.line.said import Said
from keepclear.model.operations import Operation, Zone
from keepclear.node.line_bodies import LineBodies
from keepclear.record.bodies.base import Body
from keepclear.record.bodies.plans import OperationBody, ZoneBody
from keepclear.record.entries import EntryRef
from keepclear.record.entry_types import EntryType

__all__ = ["LineFacts", "read_facts"]

Wanted = Callable[[Said, float | None], bool]
"""Whether a filing is wanted, by what is known of it without its body, and from when it counts."""

_AT_ONCE = 100  # threads that are read while others wait for the conversation
# Filings are read by their time; of answers no body is needed; positions come as tracks.
_NOT_HEARD = frozenset({EntryType.OPERATION, EntryType.ZONE, EntryType.ANSWER, EntryType.POSITIONS})


@dataclass(frozen=True, slots=True)
class LineFacts:
    """What was said on a line.

    Attributes
    ----------
    filings
        Those that were wanted.
    view
        All else.
    untold
        How many filings, wanted or not, nobody but their authors is known to have.
    """

    filings: tuple[Filed, ...]
    view: RecordView
    untold: int


def read_facts(
    held: Callable[[], AbstractContextManager[Conversation]],
    bodies: LineBodies,
    line: str,
    at_s: float,
    wanted: Wanted,
    *,
    also: Collection[EntryRef] = (),
    all_versions: bool = False,
    parties: Iterable[str] = (),
    said_by_clock: bool = False,
) -> LineFacts:
    """What was said on a line, as it counts at a time.

    Parameters
    ----------
    held
        Gives the line's conversation. Nobody has to wait for it while bodies are read, nor long while threads are.
    wanted, also
        Which filings are wanted: by what is known of them, and by name.
    all_versions
        Whether all other versions of a filing that is wanted are wanted too.
    parties
        Who is on the line, besides all who have said something.
    said_by_clock
        Whether entries are said to be of when their authors' clocks had it.
    """
    heard = bodies.of(line, bodies.types(line) - _NOT_HEARD)
    with held() as talk:
        filed = [(said, talk.counts_from_s(said)) for said in filings_in(talk, at_s)]
    refs = dict.fromkeys(said.ref for said, counts_s in filed if said.ref in also or wanted(said, counts_s))
    if all_versions:
        refs = _with_versions([said for said, _ in filed], refs)
    plans: dict[EntryRef, Operation | Zone] = {}
    read = bodies.of_these(refs, each=partial(_make, plans))
    said_s = bodies.said_s([*refs, *heard]) if said_by_clock else {}
    filings: list[Filed] = []
    for some in _some(list(refs)):
        with held() as talk:
            filings += filed_in(talk, read, at_s, said_s=said_s, plans=plans, only=some)
    with held() as talk:
        view = record_of(talk, heard, at_s, parties=parties, said_s=said_s)
    untold = sum(1 for _, counts_s in filed if counts_s is None)
    return LineFacts(tuple(sorted(filings, key=filed_order)), view, untold)


def _make(plans: dict[EntryRef, Operation | Zone], ref: EntryRef, body: Body) -> None:
    """Make a plan at once: what is read is checked by making it, and that is remembered for a moment."""
    if isinstance(body, OperationBody | ZoneBody):
        with suppress(InputError):  # whoever asks for it is told what is wrong
            plans[ref] = body.to_model()


def _some(refs: Sequence[EntryRef]) -> Iterator[Sequence[EntryRef]]:
    for start in range(0, len(refs), _AT_ONCE):
        yield refs[start : start + _AT_ONCE]


def _with_versions(filed: Iterable[Said], wanted: Mapping[EntryRef, None]) -> dict[EntryRef, None]:
    """Those wanted and whatever takes the place of one of them, or is said to, in any number of steps."""
    together: dict[EntryRef, list[EntryRef]] = {}
    everyone = []
    for said in filed:
        everyone.append(said.ref)
        if said.supersedes is not None:
            together.setdefault(said.ref, []).append(said.supersedes)
            together.setdefault(said.supersedes, []).append(said.ref)
    found, waiting = set(wanted), list(wanted)
    while waiting:
        for ref in together.get(waiting.pop(), ()):
            if ref not in found:
                found.add(ref)
                waiting.append(ref)
    return dict.fromkeys(ref for ref in everyone if ref in found)
