"""What is said on the lines, answers to it, proofs of it, and the inbox."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from keepclear.client.requests import Requests, read_as
from keepclear.values.entries import (
    AnswerAsked,
    EntrySaid,
    EntryTold,
    GivenTold,
    MessageAsked,
    MessageSaid,
    ThreadTold,
)
from keepclear.values.inbox import InboxTold

__all__ = ["Talk"]


class Talk:
    """The part of a client that is about entries."""

    requests: Requests

    def inbox(self, *, line: str | None = None) -> InboxTold:
        """What is to be answered, and how matters stand with what we filed."""
        return self.requests.one(InboxTold, "/inbox", line=line)

    def messages(self, *, line: str | None = None, party: str | None = None) -> Iterator[EntryTold]:
        """All messages, the newest first."""
        return self.requests.all(EntryTold, "/messages", line=line, party=party)

    def say(self, asked: MessageAsked, *, key: str | None = None) -> MessageSaid:
        """Say something; FLASH may be empty."""
        return read_as(MessageSaid, self.requests.post("/messages", asked, key=key))

    def entries(
        self, *, line: str | None = None, party: str | None = None, types: Sequence[str] = ()
    ) -> Iterator[EntryTold]:
        """All entries, the newest arrival first, without what they say."""
        return self.requests.all(EntryTold, "/entries", line=line, party=party, type=list(types) or None)

    def entry(self, entry: str) -> EntryTold:
        """One entry, and what it says where that is held; that another's plan was read is noted."""
        return self.requests.one(EntryTold, f"/entries/{entry}")

    def thread(self, entry: str) -> ThreadTold:
        """An entry and all that was said about it."""
        return self.requests.one(ThreadTold, f"/entries/{entry}/thread")

    def answers(self, entry: str) -> Iterator[GivenTold]:
        """All answers to an entry."""
        return self.requests.all(GivenTold, f"/entries/{entry}/answers")

    def answer(self, entry: str, asked: AnswerAsked, *, key: str | None = None) -> EntrySaid:
        """Answer an entry, as a person."""
        return read_as(EntrySaid, self.requests.post(f"/entries/{entry}/answers", asked, key=key))

    def proof(self, entry: str) -> bytes:
        """A zip archive with a proof of an entry, for `keepclear verify`."""
        return self.requests.octets(f"/entries/{entry}/proof")
