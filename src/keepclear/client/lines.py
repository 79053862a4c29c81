"""Lines: beginning and joining them, their members and their channels."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import IO

from keepclear.client.requests import Requests, read_as
from keepclear.values.entries import EntrySaid
from keepclear.values.lines import (
    AcceptanceTold,
    CarriedTold,
    InvitationLookTold,
    InvitationTold,
    InvitedTold,
    JoinedTold,
    LineStatusTold,
    LineTold,
    MembersTold,
)

__all__ = ["LinesOf"]


class LinesOf:
    """The part of a client that is about lines. Files are given and got as bytes."""

    requests: Requests

    def lines(self) -> Iterator[LineTold]:
        """The lines of the party."""
        return self.requests.all(LineTold, "/lines")

    def line(self, line: str) -> LineTold:
        """One line."""
        return self.requests.one(LineTold, f"/lines/{line}")

    def begin_line(self, name: str, *, line: str | None = None) -> LineTold:
        """Begin a line; `line` is its name in the record."""
        asked = {"name": name} if line is None else {"name": name, "line": line}
        return read_as(LineTold, self.requests.post("/lines", asked))

    def members(self, line: str) -> MembersTold:
        """Who is on a line."""
        return self.requests.one(MembersTold, f"/lines/{line}/members")

    def status(self, line: str) -> LineStatusTold:
        """How the channels of a line are."""
        return self.requests.one(LineStatusTold, f"/lines/{line}/status")

    def invitations(self, line: str) -> Iterator[InvitationTold]:
        """The invitations that were written here."""
        return self.requests.all(InvitationTold, f"/lines/{line}/invitations")

    def invite(self, line: str, *, valid_s: float | None = None) -> tuple[InvitedTold, bytes]:
        """Write an invitation, and its file."""
        asked = {} if valid_s is None else {"valid_s": float(valid_s)}
        told = read_as(InvitedTold, self.requests.post(f"/lines/{line}/invitations", asked))
        return told, base64.b64decode(told.invitation)

    def withdraw(self, line: str, number: int) -> None:
        """Take an invitation back."""
        self.requests.delete(f"/lines/{line}/invitations/{number}")

    def look(self, invitation: bytes) -> InvitationLookTold:
        """What an invitation says; nothing proves it before the words are compared."""
        return read_as(
            InvitationLookTold, self.requests.post("/lines/invitation-looks", {"invitation": _text(invitation)})
        )

    def join(self, invitation: bytes, words: str) -> tuple[JoinedTold, bytes]:
        """Answer an invitation with the words that were read out; and the file for the inviting party."""
        asked = {"invitation": _text(invitation), "words": words}
        told = read_as(JoinedTold, self.requests.post("/lines/joinings", asked))
        return told, base64.b64decode(told.acceptance)

    def acceptances(self, line: str) -> Iterator[AcceptanceTold]:
        """Parties that answered an invitation, and wait."""
        return self.requests.all(AcceptanceTold, f"/lines/{line}/acceptances")

    def take_acceptance(self, line: str, acceptance: bytes) -> AcceptanceTold:
        """Take in the answer to an invitation from a file."""
        asked = {"acceptance": _text(acceptance)}
        return read_as(AcceptanceTold, self.requests.post(f"/lines/{line}/acceptances", asked))

    def admit(self, line: str, party: str, words: str, *, start: int | None = None) -> EntrySaid:
        """Say that a party is on the line, with the words that its people read out."""
        asked = {"party": party, "words": words} | ({} if start is None else {"start": start})
        return read_as(EntrySaid, self.requests.post(f"/lines/{line}/admissions", asked))

    def leave(self, line: str, *, reason: str | None = None) -> EntrySaid:
        """Leave a line."""
        return read_as(EntrySaid, self.requests.post(f"/lines/{line}/leaving", _with_reason(reason)))

    def remove(self, line: str, party: str, *, reason: str | None = None) -> EntrySaid:
        """Say that a party is to be on the line no longer."""
        asked = {"party": party} | _with_reason(reason)
        return read_as(EntrySaid, self.requests.post(f"/lines/{line}/removals", asked))

    def test_line(self, line: str) -> EntrySaid:
        """Test a line."""
        return read_as(EntrySaid, self.requests.post(f"/lines/{line}/tests"))

    def write_bundle(self, line: str, party: str) -> bytes:
        """What a party's node lacks, to be carried there; all in memory, see `write_bundle_to`."""
        return self.requests.octets(f"/lines/{line}/bundles/{party}")

    def write_bundle_to(self, line: str, party: str, file: IO[bytes]) -> None:
        """Write what a party's node lacks into an open file, as it comes."""
        self.requests.octets_to(f"/lines/{line}/bundles/{party}", file)

    def read_bundle(self, line: str, data: bytes | Iterator[bytes]) -> CarriedTold:
        """Take in a bundle, whole or piece by piece."""
        return read_as(CarriedTold, self.requests.post_octets(f"/lines/{line}/bundles", data))


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _with_reason(reason: str | None) -> dict[str, str]:
    return {} if reason is None else {"reason": reason}
