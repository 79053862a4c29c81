"""Positions: posting them, whose they are, and what is shared of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from keepclear.client.requests import Requests, read_as
from keepclear.times import to_text
from keepclear.values.base import Listed
from keepclear.values.positions import (
    BatchTold,
    BindingAsked,
    BindingTold,
    PostedTold,
    ShareAsked,
    SharedTold,
    SharingAsked,
    SharingTold,
    SourceAsked,
    SourceTold,
    TrackTold,
    UnitTold,
)

__all__ = ["PositionsOf"]


class PositionsOf:
    """The part of a client that is about positions."""

    requests: Requests

    def post_positions(self, source: str, positions: bytes | Sequence[Mapping[str, Any]]) -> PostedTold:
        """Post a batch: lines of JSON, or positions as JSON has them. The same batch again is not taken twice."""
        if isinstance(positions, bytes):
            return read_as(PostedTold, self.requests.post_lines("/positions", positions, source=source))
        body = {"source": source, "positions": list(positions)}
        return read_as(PostedTold, self.requests.post("/positions", body))

    def position_batches(self, *, source: str | None = None) -> Iterator[BatchTold]:
        """All batches, the newest first."""
        return self.requests.all(BatchTold, "/positions/batches", source=source)

    def position_sources(self) -> Iterator[SourceTold]:
        """What reports positions."""
        return self.requests.all(SourceTold, "/positions/sources")

    def put_position_source(self, name: str, asked: SourceAsked) -> SourceTold:
        """Register what reports positions."""
        return read_as(SourceTold, self.requests.put(f"/positions/sources/{name}", asked))

    def bindings(self) -> Iterator[BindingTold]:
        """Whose units are whose, by which rules."""
        return self.requests.all(BindingTold, "/positions/bindings")

    def bind_positions(self, asked: BindingAsked) -> BindingTold:
        """Say whose unit it is of which positions speak so."""
        return read_as(BindingTold, self.requests.post("/positions/bindings", asked))

    def unbind_positions(self, number: int) -> None:
        """Take a binding back."""
        self.requests.delete(f"/positions/bindings/{number}")

    def units(self, *, since: datetime | None = None) -> Iterator[UnitTold]:
        """Units of which there are positions, and how ours stand to their operations."""
        return self.requests.all(UnitTold, "/positions/units", **_times(since=since))

    def track(
        self, unit: str, start: datetime, end: datetime, *, party: str | None = None, line: str | None = None
    ) -> Iterator[TrackTold]:  # fmt: skip
        """Where one unit was; that another party's was read is noted."""
        times = {"from": to_text(start.timestamp()), "to": to_text(end.timestamp())}
        return self.requests.all(TrackTold, "/positions/tracks", unit=unit, party=party, line=line, **times)

    def share_positions(self, asked: ShareAsked) -> list[SharedTold]:
        """Tell others where a unit of ours was; an entry for each batch."""
        return list(read_as(Listed[SharedTold], self.requests.post("/positions/shares", asked)).items)

    def sharing(self) -> Iterator[SharingTold]:
        """What is shared as time goes by, and was."""
        return self.requests.all(SharingTold, "/positions/sharing")

    def begin_sharing(self, asked: SharingAsked) -> SharingTold:
        """Share a unit's positions from now on."""
        return read_as(SharingTold, self.requests.post("/positions/sharing", asked))

    def end_sharing(self, number: int) -> SharingTold:
        """Share no more of it."""
        return read_as(SharingTold, self.requests.delete(f"/positions/sharing/{number}"))

    def prove_positions(self, entry: str) -> bytes:
        """A zip archive with a batch that was committed to, and its proof for `keepclear verify`."""
        return self.requests.octets(f"/positions/proofs/{entry}")


def _times(*, since: datetime | None) -> dict[str, str]:
    return {} if since is None else {"from": to_text(since.timestamp())}
