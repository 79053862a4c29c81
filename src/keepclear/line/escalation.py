"""Who must be told, when, and by what channel, while something is owed and has not been given.

The answer follows from what is owed and from the time alone. So it can be asked as often as one likes: what had to be
told by a time is the same whenever it is asked, and whoever carries it out leaves out what was done before. Steps are
told to roles, not to persons: the post is staffed at all hours, its holder is not.

Each node carries out what concerns its own officers. A request to relay goes to every member that can reach the
addressee, on the line and by all its own channels; anyone may relay.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from keepclear.errors import Fault, InputError
from keepclear.line.deadlines import MessageClass, Owed
from keepclear.line.threads import Owing
from keepclear.record.entries import EntryRef

__all__ = [
    "DEFAULT_LADDERS",
    "DESK",
    "Post",
    "Reason",
    "Role",
    "Roster",
    "Step",
    "Tell",
    "next_s",
    "to_tell",
]

DESK = "desk"
"""The channel that every node has: its own screen, and whatever watches it."""


class Role(StrEnum):
    """A post that can be told something; each has deputies."""

    DUTY_OFFICER = "duty officer"
    PARTY_AUTHORITY = "party authority"
    LIAISON = "liaison"
    LINGUIST = "linguist"


class Reason(StrEnum):
    """Why somebody is told."""

    ARRIVED = "it has come, and is to be answered"
    DUE_SOON = "an answer is due soon"
    NOT_DELIVERED = "the addressee's machine has not shown that it has it"
    UNANSWERED = "it was not answered in time"
    NOBODY_ABLE = "nobody who can act has answered"
    RELAY = "relay it to the addressee: you can reach it"
    WAITING = "your own entry was not answered in time"


@dataclass(frozen=True, slots=True)
class Post:
    """One post of a party: a role, and the channels by which its holder is reached.

    Attributes
    ----------
    role
        Which.
    rank
        0 for its holder, 1 for the first deputy, and so on.
    channels
        Those besides the desk, for example ``e-mail``, ``pager``; in the order in which they are used.
    """

    role: Role
    rank: int = 0
    channels: tuple[str, ...] = ()


_DUTY_DESK = (Post(Role.DUTY_OFFICER),)


@dataclass(frozen=True, slots=True)
class Roster:
    """The posts of a party.

    Raises
    ------
    InputError
        If there is no duty officer, or two posts are of one role and rank.
    """

    posts: tuple[Post, ...] = _DUTY_DESK

    def __post_init__(self) -> None:
        places = [(one.role, one.rank) for one in self.posts]
        faults = []
        if (Role.DUTY_OFFICER, 0) not in places:
            faults.append(Fault("nobody is on duty", "a duty officer of rank 0", field="posts"))
        if len(set(places)) < len(places):
            faults.append(Fault("two posts of one role and rank", "another rank for the deputy", field="posts"))
        if faults:
            raise InputError(faults)

    def up_to(self, depth: int | None) -> tuple[Post, ...]:
        """The duty officer and so many deputies; None: every post there is."""
        if depth is None:
            return self.posts
        return tuple(one for one in self.posts if one.role is Role.DUTY_OFFICER and one.rank <= depth)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a ladder, taken if what is owed has not been given by then.

    Attributes
    ----------
    owed
        What must be missing.
    reason
        What they are told.
    after_s
        Seconds after the clock started, or, where `of_due` is set, a share of the time until it is due: 1 is when it
        is due.
    of_due
        Whether `after_s` is such a share.
    depth
        Down to which deputy of the addressee's duty officer; None: every post; -1: nobody there, as it has not come.
    every_channel
        Whether all channels are used; otherwise the desk alone.
    author_too
        Whether the duty officer of the party that waits is told as well.
    relay
        Whether other members are asked to relay.
    """

    owed: Owed
    reason: Reason
    after_s: float
    of_due: bool = False
    depth: int | None = 0
    every_channel: bool = False
    author_too: bool = False
    relay: bool = False

    def at_s(self, owing: Owing) -> float:
        """When the step is taken; at once if the party says that it cannot, and somebody able is sought."""
        at_s = owing.from_s + self.after_s * (owing.due_s - owing.from_s if self.of_due else 1.0)
        if self.owed is Owed.ABLE and owing.unable_s is not None:
            return min(at_s, max(owing.unable_s, owing.from_s))
        return at_s


def _undelivered(after_s: float, *, relay: bool) -> Step:
    """Who has said something is told that it has not come."""
    reason, owed = Reason.NOT_DELIVERED, Owed.RECEIPT
    return Step(owed, reason, after_s, depth=-1, every_channel=relay, author_too=True, relay=relay)


def _ladder(owed: Owed, *, every_channel: bool) -> tuple[Step, ...]:
    """The ordinary ladder: on arrival, when half the time has gone, when it is due, when twice the time has gone."""
    return (
        Step(owed, Reason.ARRIVED, 0.0),
        Step(owed, Reason.DUE_SOON, 0.5, of_due=True, every_channel=every_channel),
        Step(owed, Reason.UNANSWERED, 1.0, of_due=True, depth=1, every_channel=True, author_too=True),
        Step(owed, Reason.UNANSWERED, 2.0, of_due=True, depth=None, every_channel=True, author_too=True, relay=True),
    )


_FLASH = (
    Step(Owed.ANSWER, Reason.ARRIVED, 0.0, every_channel=True),
    Step(Owed.ANSWER, Reason.UNANSWERED, 60.0, depth=1, every_channel=True, author_too=True, relay=True),
    Step(Owed.ABLE, Reason.NOBODY_ABLE, 120.0, depth=2, every_channel=True, author_too=True, relay=True),
    Step(Owed.ABLE, Reason.NOBODY_ABLE, 300.0, depth=None, every_channel=True, author_too=True, relay=True),
)

DEFAULT_LADDERS: Mapping[MessageClass, tuple[Step, ...]] = MappingProxyType(
    {
        MessageClass.ROUTINE: (
            _undelivered(3_600.0, relay=False),
            *_ladder(Owed.SEEN, every_channel=False),
            *_ladder(Owed.READ_BACK, every_channel=False)[1:],
        ),
        MessageClass.SHORT: (_undelivered(900.0, relay=False), *_ladder(Owed.SEEN, every_channel=False)),
        MessageClass.IMMEDIATE: (_undelivered(60.0, relay=True), *_ladder(Owed.READ_BACK, every_channel=True)),
        MessageClass.FLASH: _FLASH,
        MessageClass.CONFLICT_ADVISORY: (_undelivered(60.0, relay=True), *_ladder(Owed.ANSWER, every_channel=True)),
        MessageClass.LINE_TEST: (),
        MessageClass.INCIDENT: tuple(
            step
            for owed in (Owed.FIRST_REPORT, Owed.FULL_REPORT, Owed.REPLY)
            for step in _ladder(owed, every_channel=False)
        ),
        MessageClass.TERM_QUERY: _ladder(Owed.REPLY, every_channel=False),
        MessageClass.URGENT_TERM_QUERY: _ladder(Owed.REPLY, every_channel=False),
    }
)
"""The steps for each class of message; an agreement may have others."""


@dataclass(frozen=True, slots=True, order=True)
class Tell:
    """Somebody is to be told something.

    Attributes
    ----------
    at_s
        When.
    party, role, rank
        Whom.
    channel
        By what.
    about
        Which entry: origin, index, and leaf hash.
    owed_by
        The party whose answer is missing.
    owed
        What is missing.
    reason
        Why they are told.
    """

    at_s: float
    party: str
    role: Role
    rank: int
    channel: str
    about: tuple[str, int, bytes] = field(repr=False)
    owed_by: str
    owed: Owed
    reason: Reason

    @property
    def ref(self) -> EntryRef:
        """The entry."""
        return EntryRef(*self.about)


def to_tell(
    owed: Iterable[Owing],
    rosters: Mapping[str, Roster],
    *,
    until_s: float,
    reach: Mapping[str, Collection[str]] = MappingProxyType({}),
    ladders: Mapping[MessageClass, tuple[Step, ...]] = DEFAULT_LADDERS,
) -> tuple[Tell, ...]:
    """All that had to be told up to a time, that included, in order; asked twice it is the same.

    Parameters
    ----------
    owed
        What is or was owed, from `Thread.owed`; what was given in time asks for nothing more.
    rosters
        The posts of each party. One that is not there has its duty officer at the desk: nobody goes untold because we
        do not know their posts.
    until_s
        Up to when.
    reach
        For each member, the parties it can reach now. Who relays changes with it, and only with it.
    ladders
        The steps for each class of message.
    """
    found = {tell for one in owed for tell in _tells(one, rosters, reach, ladders, until_s)}
    return tuple(sorted(found))


def next_s(
    owed: Iterable[Owing],
    *,
    after_s: float,
    ladders: Mapping[MessageClass, tuple[Step, ...]] = DEFAULT_LADDERS,
) -> float | None:
    """When somebody is to be told next after that time, if nothing happens before; None if nobody is."""
    moments = [at_s for one in owed for _, at_s in _steps(one, ladders) if at_s > after_s]
    return min(moments, default=None)


def _steps(owing: Owing, ladders: Mapping[MessageClass, tuple[Step, ...]]) -> Iterator[tuple[Step, float]]:
    """The steps that are taken, or will be unless something happens, and when."""
    if owing.message_class is None:
        return
    own = [step for step in ladders[owing.message_class] if step.owed is owing.owed]
    if not own and owing.owed is not Owed.RECEIPT:
        # An agreement asks for something that the ladder of this class does not know: nothing goes overdue in silence.
        own = list(_ladder(owing.owed, every_channel=False)[1:])
    for step in own:
        at_s = step.at_s(owing)
        ended_s = owing.ended_s
        # Whoever is told on arrival is told even if the answer is there in the same moment; no other step is taken
        # once what was owed was given.
        arrived = step.reason is Reason.ARRIVED and (owing.ceased_s is None or at_s <= owing.ceased_s)
        if ended_s is None or at_s < ended_s or arrived:
            yield step, at_s


def _tells(
    owing: Owing,
    rosters: Mapping[str, Roster],
    reach: Mapping[str, Collection[str]],
    ladders: Mapping[MessageClass, tuple[Step, ...]],
    until_s: float,
) -> Iterator[Tell]:
    for step, at_s in _steps(owing, ladders):
        if at_s > until_s:
            continue
        yield from _told(owing, step, at_s, owing.party, _roster(rosters, owing.party).up_to(step.depth), step.reason)
        if step.author_too:
            posts = _roster(rosters, owing.author).up_to(0)
            reason = step.reason if step.reason is Reason.NOT_DELIVERED else Reason.WAITING
            yield from _told(owing, step, at_s, owing.author, posts, reason)
        for member in sorted(reach) if step.relay else ():
            if member not in {owing.author, owing.party} and owing.party in reach[member]:
                posts = _roster(rosters, member).up_to(0)
                yield from _told(owing, step, at_s, member, posts, Reason.RELAY)


def _told(owing: Owing, step: Step, at_s: float, party: str, posts: tuple[Post, ...], reason: Reason) -> Iterator[Tell]:
    about = (owing.about.origin, owing.about.index, owing.about.leaf_hash)
    for post in posts:
        for channel in (DESK, *post.channels) if step.every_channel else (DESK,):
            yield Tell(at_s, party, post.role, post.rank, channel, about, owing.party, owing.owed, reason)


def _roster(rosters: Mapping[str, Roster], party: str) -> Roster:
    return rosters.get(party) or Roster()
