"""Who is on a line, by whose word: a fold over the entries of all its logs.

The result depends on what the logs hold and on nothing else: not on the order in which they came or are given, not on
anybody's clock, not on who computes it. Two nodes that hold the same entries agree. Each log has its order, and entries
name entries of other logs; more order between logs there is not, and none is made up (docs/design/0014).

- A party is brought in by both sides' words (`keepclear.line.bringing_in`), and leaves by its own.
- It is removed when all other members have said so, each in its own log, of the same place in the same log. What it
  said below that place stands; what it says from there on counts no more, so it brings in nobody and takes nothing
  back. Whom one of the others brought in after itself had said so, is not asked.
- Which keys are a party's, its own identity says (`keepclear.record.key_ring`), one ring for each.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from keepclear.line.bringing_in import Admission, Cuts, Pending, Presence, SpeakerId, brought_in, standing_of
from keepclear.line.party_words import LineLog, Place, Said, Speaker, Unread, card_of, speakers
from keepclear.line.standing import Standing
from keepclear.record.bodies.members import (
    LineFoundedBody,
    MemberInvitedBody,
    MemberJoinedBody,
    MemberRemovedBody,
    PartyCard,
)
from keepclear.record.entries import EntryRef
from keepclear.record.key_ring import KeyRing
from keepclear.record.keys import VerifierKey
from keepclear.record.names import KeyName

__all__ = ["MOST_REMOVALS", "Asking", "Invitation", "Member", "Membership", "Removal", "membership"]


MOST_REMOVALS = 256
"""How many different removals one party can say on a line; those after them are not counted."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """What a member said of another: that it is on the line.

    Attributes
    ----------
    by, ref, time_s
        Who, where, and when by its own clock.
    words_compared
        Whether its people compared the words of the identity.
    log, start
        From which entry on it gives this log of its own to the new member.
    """

    by: str
    ref: EntryRef
    time_s: float
    words_compared: bool
    log: str
    start: int


@dataclass(frozen=True, slots=True)
class Member:
    """A party on the line.

    Attributes
    ----------
    party, identity
        Who.
    card
        The newest that it gave.
    since
        Its own entry, by which it joined or founded the line.
    through
        From the founder to the one who brought it in, each brought in by the one before; empty for the founder.
    invitations
        What the other members, and those who were, said of it.
    ring
        Which keys its identity certified.
    """

    party: str
    identity: VerifierKey
    card: PartyCard
    since: EntryRef
    since_s: float
    through: tuple[str, ...]
    invitations: tuple[Invitation, ...]
    ring: KeyRing = field(repr=False)

    def start_of(self, log: str) -> int | None:
        """From which entry on the author of a log gives it to this member; None if it does not, or has not said."""
        name = KeyName.of_text(log)
        if name is None or name.party == self.party:
            return 0
        said = [one for one in self.invitations if one.by == name.party]
        here = [one.start for one in said if one.log == log]
        if here or not said:
            return here[-1] if here else None
        # Its log was begun anew before or since: what came later is given whole, what came before as far as all is.
        later = all((KeyName.of_text(one.log) or name).begun < name.begun for one in said)
        return 0 if later or not any(one.start for one in said) else None


@dataclass(frozen=True, slots=True)
class Asking:
    """A party that has said that it joins, and is no member, and why not."""

    party: str
    identity: VerifierKey
    why: str


@dataclass(frozen=True, slots=True)
class Removal:
    """What members said of removing another.

    Attributes
    ----------
    party, log, until
        Whom, and how many entries of which log of it count.
    by, missing
        Who has said so, and who is still to.
    complete
        Whether it is removed by this.
    """

    party: str
    log: str
    until: int
    by: tuple[str, ...]
    missing: tuple[str, ...]
    complete: bool


Span: TypeAlias = tuple[frozenset[int], Place, Place | None]


@dataclass(frozen=True)
class Membership:
    """Who is on a line.

    Attributes
    ----------
    root
        The entry by which it was founded: this, not its name, says which line it is.
    name
        What it is called; empty while the founder's log is not held.
    members
        By party, the senior first.
    standings
        Of all who ever spoke, by party and identity.
    asking
        Who waits for another's word.
    removals
        All that were said by members.
    unread
        Entries that were not counted, and why.
    spans
        By party, where what it says it says as a member: in which of its logs, after which place, and before which.
    """

    root: EntryRef
    name: str
    members: Mapping[str, Member]
    standings: Mapping[SpeakerId, Standing] = field(repr=False)
    asking: tuple[Asking, ...]
    removals: tuple[Removal, ...]
    unread: tuple[Unread, ...]
    spans: Mapping[str, tuple[Span, ...]] = field(default_factory=dict, repr=False)

    def spoke_as_member(self, origin: str, index: int) -> bool:
        """Whether what stands there in a log was said by a member: only that counts."""
        name = KeyName.of_text(origin)
        if name is None:
            return False
        place = Place(name.begun, index)
        return any(
            name.begun in logs and joined < place and (until is None or place < until)
            for logs, joined, until in self.spans.get(name.party, ())
        )


def membership(root: EntryRef, logs: Iterable[LineLog]) -> Membership:
    """Who is on the line that this entry founded.

    Parameters
    ----------
    root
        From the invitation, or from the founder's own log.
    logs
        All logs of the line that are held, those of parties that are no members too.

    Raises
    ------
    InputError
        If one is a log of another line, or two have one key.
    """
    given = list(logs)
    line = KeyName.of_text(root.origin)
    heard, unread = speakers((line and line.line) or "", given)
    held: dict[str, int] = {}
    for log in given:
        held[log.key.name] = max(log.size, held.get(log.key.name, 0))
    return _Folding(root, heard, held, unread).folded()


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A removal: of whom, and from where on."""

    who: SpeakerId
    place: Place
    log: str


class _Folding:
    def __init__(
        self,
        root: EntryRef,
        heard: Mapping[SpeakerId, Speaker],
        held: Mapping[str, int],
        unread: tuple[Unread, ...],
    ) -> None:
        self.root, self.speakers, self.held, self.unread = root, heard, held, unread
        self.unread_refs = frozenset(one.ref for one in unread)
        self.removing: dict[_Wanted, dict[SpeakerId, list[Place]]] = {}
        for who, speaker in heard.items():
            mine: set[_Wanted] = set()
            for said in speaker.said:
                wanted = self._wanted(said)
                # The first ones, so that what was complete stays so; a bound, since each costs a walk over the line.
                if wanted is not None and (wanted in mine or len(mine) < MOST_REMOVALS):
                    mine.add(wanted)
                    self.removing.setdefault(wanted, {}).setdefault(who, []).append(said.place)

    def folded(self) -> Membership:
        cuts: Cuts = frozenset()
        done: dict[_Wanted, Removal] = {}
        while True:
            presence = self._present(cuts)
            said = {wanted: self._judged(wanted, presence, cuts) for wanted in self.removing if wanted not in done}
            complete = {wanted: one for wanted, one in said.items() if one is not None and one.complete}
            if not complete:
                break
            # All at once: which of two that remove each other is first, no order would tell.
            done |= complete
            cuts |= {(wanted.who, wanted.place) for wanted in complete}
        removals = [*done.values(), *(one for one in said.values() if one is not None)]
        removals.sort(key=lambda one: (one.party, one.log, one.until, one.by))
        return self._told(presence, cuts, tuple(removals))

    def _wanted(self, said: Said) -> _Wanted | None:
        body = said.body
        if not isinstance(body, MemberRemovedBody) or body.root.ref() != self.root:
            return None
        name = KeyName.of_text(body.log)
        who = (body.party, VerifierKey.of_text(body.identity))
        if name is None or who not in self.speakers or name.begun not in self.speakers[who].logs:
            return None
        return _Wanted(who, Place(name.begun, body.until), body.log)

    def _judged(self, wanted: _Wanted, presence: Presence, cuts: Cuts) -> Removal | None:
        """What has come of a removal; None if it is of nobody who was a member there."""
        # Of one that has left since, too: else it would bring in others, leave, and nobody could cut it off before.
        if not any(one.covers(wanted.place) for one in presence.admissions.get(wanted.who, ())):
            return None
        # Judged as if it were so: those whom the party brought in from there on have no say in it.
        then = self._present(cuts | {(wanted.who, wanted.place)})
        said = {
            who: counted[0]
            for who, places in self.removing[wanted].items()
            if who != wanted.who and (counted := [place for place in places if then.spoke_as_member(who, place)])
        }
        if not said:
            return None
        asked = {
            who[0]
            for who in then.members
            if who not in said and who != wanted.who and not all(_after(said, one) for one in then.current(who))
        }
        # Somebody may have joined whose entry is not held here: what it says cannot be known, so it is waited for.
        asked |= {one.who[0] for one in then.pending if one.who not in then.admissions and not _after(said, one)}
        by, missing = tuple(sorted(who[0] for who in said)), tuple(sorted(asked - {wanted.who[0]}))
        return Removal(wanted.who[0], wanted.log, wanted.place.index, by, missing, complete=not missing)

    def _present(self, cuts: Cuts) -> Presence:
        return brought_in(self.root, self.speakers, self.held, self.unread_refs, cuts)

    def _told(self, presence: Presence, cuts: Cuts, removals: tuple[Removal, ...]) -> Membership:
        standings = {}
        for who, speaker in sorted(self.speakers.items(), key=lambda one: (one[0][0], one[0][1].text)):
            joined = [one.joined for one in presence.admissions.get(who, ())]
            standings[who] = standing_of(self.root, speaker, joined, cuts)
        members = {who[0]: self._member(presence, who) for who in presence.members}
        admitted = (one.joined.body for found in presence.admissions.values() for one in found)
        name = next((body.name for body in admitted if isinstance(body, LineFoundedBody)), "")
        # Who is there by another's word is not brought in once more; that somebody says so counts all the same.
        said = {one.ref for member in members.values() for one in member.invitations}
        refused = sorted(
            (*self.unread, *{one for one in presence.refused if one.ref not in said}),
            key=lambda one: (one.ref.origin, one.ref.index, one.reason),
        )
        return Membership(
            self.root, name, members, standings, tuple(self._asking(presence, standings)), removals, tuple(refused),
            self._spans(presence),
        )  # fmt: skip

    def _spans(self, presence: Presence) -> dict[str, tuple[Span, ...]]:
        found: dict[str, tuple[Span, ...]] = {}
        for who, admissions in presence.admissions.items():
            logs = self.speakers[who].logs
            found[who[0]] = found.get(who[0], ()) + tuple((logs, one.joined.place, one.until) for one in admissions)
        return found

    def _member(self, presence: Presence, who: SpeakerId) -> Member:
        speaker = self.speakers[who]
        first = presence.current(who)[0]
        stay = [said for said in speaker.said if said.place == first.joined.place or first.covers(said.place)]
        cards = [said for said in stay if self._is_card(said, speaker)]
        card = card_of(cards[-1].body)
        assert card is not None
        return Member(
            party=speaker.party, identity=speaker.identity, card=card, since=first.joined.ref,
            since_s=first.joined.time_s, through=tuple(by[0] for by, _ in first.steps),
            invitations=tuple(self._invitations(presence, speaker, {said.ref for said in stay})), ring=speaker.ring,
        )  # fmt: skip

    def _is_card(self, said: Said, speaker: Speaker) -> bool:
        card = card_of(said.body)
        if card is None or card.identity != speaker.identity.text:
            return False
        return said.ref == self.root or (isinstance(said.body, MemberJoinedBody) and said.body.root.ref() == self.root)

    def _invitations(self, presence: Presence, speaker: Speaker, stay: set[EntryRef]) -> Iterator[Invitation]:
        for who in sorted(presence.admissions, key=lambda one: (one[0], one[1].text)):
            for said in self.speakers[who].said:
                body = said.body
                if not isinstance(body, MemberInvitedBody) or not presence.spoke_as_member(who, said.place):
                    continue
                if body.identity == speaker.identity.text and body.joined.ref() in stay and who[0] != speaker.party:
                    yield Invitation(
                        who[0], said.ref, said.time_s, body.words_compared, said.ref.origin, body.start or 0
                    )

    def _asking(self, presence: Presence, standings: Mapping[SpeakerId, Standing]) -> Iterator[Asking]:
        taken = {one.speaker for one in presence.taken}
        for who, standing in standings.items():
            if who in taken:
                yield Asking(*who, "the name is that of another member, or can be taken for it")
            elif standing is Standing.ASKING:
                yield Asking(*who, "the member that invited it has not said so, or not as a member")
        for who in dict.fromkeys(one.who for one in presence.pending):
            if who not in presence.members:
                yield Asking(*who, "a member brings it in, and its entry is not held here, or cannot be read")


def _after(said: Mapping[SpeakerId, Place], one: Admission | Pending) -> bool:
    """Whether one of those who brought somebody in had said before that a party is to be removed."""
    return any(who in said and said[who] < place for who, place in one.steps)
