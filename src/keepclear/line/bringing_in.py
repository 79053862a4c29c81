"""Who was brought onto a line, followed from its founder from word to word.

A party is brought in where it says that it joins, naming a member and that member's identity, and that member says,
while it is one, that its people compared the words of the party's identity, naming that very entry. The founder is
there by founding. From when to when a party is there is a matter of its own logs: from the entry by which it joined to
the one by which it left, or to where all others cut it off.

A name belongs to one at a time. Where two identities are brought in under one name, or under names that differ in
capitals only, it is the senior's: the one fewer words away from the founder, and of those the one whose words were said
earlier, each compared within one log. A junior can not make itself senior, whatever it says and when.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from keepclear.line.party_words import Place, Said, Speaker, Unread
from keepclear.line.standing import Standing, Word, after
from keepclear.record.bodies.members import (
    LineFoundedBody,
    MemberInvitedBody,
    MemberJoinedBody,
    MemberLeftBody,
)
from keepclear.record.entries import EntryRef
from keepclear.record.keys import VerifierKey

__all__ = ["Admission", "Cuts", "Pending", "Presence", "SpeakerId", "brought_in", "standing_of"]

SpeakerId: TypeAlias = tuple[str, VerifierKey]
Cuts: TypeAlias = frozenset[tuple[SpeakerId, Place]]
"""Where others cut off speakers: what stands there or later counts only if the speaker is brought in anew."""


@dataclass(frozen=True, slots=True)
class Admission:
    """How a speaker is there: since which entry of its own, until where, and by whose words.

    Attributes
    ----------
    speaker
        Who.
    joined
        Its own entry.
    until
        The place from which on it is there no longer; None while it is.
    steps
        From the founder on: who brought in the next, and where it said so. Empty for the founder.
    """

    speaker: SpeakerId
    joined: Said
    until: Place | None
    steps: tuple[tuple[SpeakerId, Place], ...]

    def covers(self, place: Place) -> bool:
        """Whether what the speaker says there, it says as a member."""
        return self.joined.place < place and (self.until is None or place < self.until)


@dataclass(frozen=True, slots=True)
class Pending:
    """A member brings in a party by an entry that is not held, so that nobody can tell whether it joined."""

    who: SpeakerId
    said: Said
    steps: tuple[tuple[SpeakerId, Place], ...]


@dataclass(frozen=True)
class Presence:
    """Who was brought in, and what came of the other words that would bring somebody in.

    Attributes
    ----------
    admissions
        Of each speaker, the senior first.
    taken
        Admissions that do not count as another has that name.
    pending
        What cannot be told yet.
    refused
        Words that bring nobody in, and why.
    """

    admissions: Mapping[SpeakerId, tuple[Admission, ...]] = field(repr=False)
    taken: tuple[Admission, ...]
    pending: tuple[Pending, ...]
    refused: tuple[Unread, ...]

    def current(self, speaker: SpeakerId) -> tuple[Admission, ...]:
        """By what a speaker is there now; empty if it is not."""
        return tuple(one for one in self.admissions.get(speaker, ()) if one.until is None)

    @property
    def members(self) -> tuple[SpeakerId, ...]:
        """Who is there now, the senior first."""
        return tuple(speaker for speaker in self.admissions if self.current(speaker))

    def spoke_as_member(self, speaker: SpeakerId, place: Place) -> bool:
        """Whether what the speaker says there counts."""
        return any(one.covers(place) for one in self.admissions.get(speaker, ()))


def brought_in(
    root: EntryRef,
    speakers: Mapping[SpeakerId, Speaker],
    held: Mapping[str, int],
    unread: frozenset[EntryRef],
    cuts: Cuts,
) -> Presence:
    """Follow the words from the founder on.

    Parameters
    ----------
    root
        The entry by which the line was founded.
    speakers
        All who speak.
    held
        How many entries are held of each log.
    unread
        Those of them that could not be counted: their bodies may still come, or a program that understands them.
    cuts
        Where speakers were cut off.
    """
    return _Following(root, speakers, held, unread, cuts).followed()


def standing_of(root: EntryRef, speaker: Speaker, joined: Iterable[Said], cuts: Cuts) -> Standing:
    """Where a speaker stands after all its words, if it was brought in by these entries of its own."""
    brought = {one.ref for one in joined}
    steps: list[tuple[Place, int, Word]] = [
        (place, 0, Word.REMOVED_BY_ALL) for who, place in cuts if who == (speaker.party, speaker.identity)
    ]
    for said in speaker.said:
        steps += [(said.place, 1, word) for word in _words(root, speaker, said)]
        if said.ref in brought:
            steps.append((said.place, 2, Word.BROUGHT_IN))
    standing = Standing.STRANGER
    for _, _, word in sorted(steps):
        standing = after(standing, word)
    return standing


def _words(root: EntryRef, speaker: Speaker, said: Said) -> Iterator[Word]:
    body = said.body
    if isinstance(body, LineFoundedBody) and said.ref == root and body.founder.identity == speaker.identity.text:
        yield Word.JOINS
    elif isinstance(body, MemberJoinedBody) and _joins(root, speaker, body):
        yield Word.NEW_CARD if body.inviter is None else Word.JOINS
    elif isinstance(body, MemberLeftBody) and body.root.ref() == root:
        yield Word.LEAVES


def _joins(root: EntryRef, speaker: Speaker, body: MemberJoinedBody) -> bool:
    return body.root.ref() == root and body.card.identity == speaker.identity.text


_Waiting: TypeAlias = tuple[int, tuple[Place, ...], str, str, Place]


class _Following:
    """A line while words are being followed, the senior's first, so that whoever takes a name has it rightly."""

    def __init__(
        self,
        root: EntryRef,
        speakers: Mapping[SpeakerId, Speaker],
        held: Mapping[str, int],
        unread: frozenset[EntryRef],
        cuts: Cuts,
    ) -> None:
        self.root, self.speakers, self.held, self.unread = root, speakers, held, unread
        self.ends: dict[SpeakerId, list[Place]] = {who: self._ends(who, cuts) for who in speakers}
        self.joining: dict[EntryRef, list[tuple[SpeakerId, Said]]] = {}
        for who, speaker in speakers.items():
            for said in speaker.said:
                if any(word is Word.JOINS for word in _words(root, speaker, said)):
                    self.joining.setdefault(said.ref, []).append((who, said))
        self.queue: list[tuple[_Waiting, Admission]] = []
        self.admitted: dict[SpeakerId, list[Admission]] = {}
        self.names: dict[str, SpeakerId] = {}
        self.taken: list[Admission] = []
        self.pending: list[Pending] = []
        self.refused: list[Unread] = []

    def followed(self) -> Presence:
        for who, said in self.joining.get(self.root, ()):
            self._wait(who, said, ())
        while self.queue:
            _, admission = heapq.heappop(self.queue)
            if all(one.joined != admission.joined for one in self.admitted.get(admission.speaker, ())):
                self._admit(admission)
        admissions = {who: tuple(found) for who, found in self.admitted.items()}
        return Presence(admissions, tuple(self.taken), tuple(self.pending), tuple(self.refused))

    def _ends(self, who: SpeakerId, cuts: Cuts) -> list[Place]:
        speaker = self.speakers[who]
        left = [said.place for said in speaker.said if Word.LEAVES in _words(self.root, speaker, said)]
        return sorted(left + [place for other, place in cuts if other == who])

    def _wait(self, who: SpeakerId, said: Said, steps: tuple[tuple[SpeakerId, Place], ...]) -> None:
        until = next((end for end in self.ends[who] if end > said.place), None)
        path = tuple(place for _, place in steps)
        order = (len(path), path, who[0], who[1].text, said.place)
        heapq.heappush(self.queue, (order, Admission(who, said, until, steps)))

    def _admit(self, admission: Admission) -> None:
        who = admission.speaker
        if admission.until is None and self.names.setdefault(who[0].casefold(), who) != who:
            self.taken.append(admission)
            return
        self.admitted.setdefault(who, []).append(admission)
        for said in self.speakers[who].said:
            if isinstance(said.body, MemberInvitedBody) and said.body.words_compared and admission.covers(said.place):
                self._bring_in(admission, said, said.body)

    def _bring_in(self, admission: Admission, said: Said, body: MemberInvitedBody) -> None:
        steps = (*admission.steps, (admission.speaker, said.place))
        ref = body.joined.ref()
        asking = [one for one in self.joining.get(ref, ()) if one[0][1].text == body.identity]
        if not asking:
            if ref.index >= self.held.get(ref.origin, 0) or ref in self.unread:
                self.pending.append(Pending((body.party, VerifierKey.of_text(body.identity)), said, steps))
            else:
                self.refused.append(Unread(said.ref, f"{body.party} does not say there that it joins this line"))
            return
        for who, joined in asking:
            inviter = joined.body.inviter if isinstance(joined.body, MemberJoinedBody) else None
            if inviter is None or (inviter.party, inviter.identity) != (
                admission.speaker[0],
                admission.speaker[1].text,
            ):
                self.refused.append(Unread(said.ref, f"{body.party} does not name {admission.speaker[0]} there"))
            else:
                self._wait(who, joined, steps)
