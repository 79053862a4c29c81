"""Filing plans, looking at those of others, and what comes too close."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from keepclear.client.requests import Requests, Tagged, read_as
from keepclear.errors import Fault, InputError
from keepclear.times import to_text
from keepclear.values.conflicts import ConflictTold, FoundTold
from keepclear.values.entries import EntrySaid
from keepclear.values.filings import (
    CancelledTold,
    CheckAsked,
    DraftAsked,
    DraftTold,
    FiledTold,
    FilingOutcomeTold,
    FilingsTold,
    FilingTold,
    OperationAsked,
    SeriesAsked,
    SeriesDayTold,
    SeriesTold,
    ZoneAsked,
)

__all__ = ["Filings"]

Area = tuple[float, float, float, float]


class Filings:
    """The part of a client that is about plans."""

    requests: Requests

    def check(self, asked: CheckAsked) -> FoundTold:
        """What a plan would come too close to. Nobody is told."""
        return read_as(FoundTold, self.requests.post("/checks", asked))

    def operations(
        self,
        *,
        line: str | None = None,
        party: str | None = None,
        states: Sequence[str] = (),
        from_: datetime | None = None,
        to: datetime | None = None,
        area: Area | None = None,
        exercise: bool | None = None,
    ) -> Iterator[FilingTold]:
        """All operations that match, the newest first, without their plans.

        Parameters
        ----------
        area
            West, south, east, north in degrees; west greater than east crosses the antimeridian.
        """
        params = _filters(line, party, states, from_, to, area, exercise)
        return self.requests.all(FilingTold, "/operations", **params)

    def zones(
        self,
        *,
        line: str | None = None,
        party: str | None = None,
        states: Sequence[str] = (),
        from_: datetime | None = None,
        to: datetime | None = None,
        area: Area | None = None,
        exercise: bool | None = None,
    ) -> Iterator[FilingTold]:
        """All zones that match, as `operations`."""
        return self.requests.all(FilingTold, "/zones", **_filters(line, party, states, from_, to, area, exercise))

    def operation(self, entry: str) -> Tagged[FilingTold]:
        """An operation with its plan; that it was read is noted."""
        return self.requests.one_tagged(FilingTold, f"/operations/{entry}")

    def zone(self, entry: str) -> Tagged[FilingTold]:
        """A zone with its plan; that it was read is noted."""
        return self.requests.one_tagged(FilingTold, f"/zones/{entry}")

    def file(self, asked: OperationAsked | ZoneAsked, *, key: str | None = None) -> FiledTold:
        """File a plan; with the same `key` it is filed once, however often it is asked."""
        return read_as(FiledTold, self.requests.post(_path(asked), asked, key=key))

    def file_all(
        self, asked: Sequence[OperationAsked | ZoneAsked], *, all_or_none: bool = False, key: str | None = None
    ) -> list[FilingOutcomeTold]:
        """File plans in one request, in their order: of each what it was filed as, or why it was not.

        Parameters
        ----------
        asked
            At most `keepclear.values.filings.MOST_FILINGS`.
        all_or_none
            File all of them or none; then what is wrong with any is raised.
        key
            With the same one they are filed once, however often it is asked.
        """
        body = {
            "filings": [one.model_dump(mode="json", exclude_unset=True) for one in asked],
            "all_or_none": all_or_none,
        }
        return read_as(FilingsTold, self.requests.post("/filings", body, key=key)).items

    def amend(self, entry: str, asked: OperationAsked | ZoneAsked, *, if_match: str) -> FiledTold:
        """File a plan in place of an earlier one, of which this version was read."""
        return read_as(FiledTold, self.requests.put(f"{_path(asked)}/{entry}", asked, if_match=if_match))

    def cancel_operation(self, entry: str, *, if_match: str, reason: str | None = None) -> CancelledTold:
        """Say that an operation no longer stands."""
        path = f"/operations/{entry}"
        return read_as(CancelledTold, self.requests.delete(path, if_match=if_match, reason=reason))

    def cancel_zone(self, entry: str, *, if_match: str, reason: str | None = None) -> CancelledTold:
        """Say that a zone no longer stands."""
        return read_as(CancelledTold, self.requests.delete(f"/zones/{entry}", if_match=if_match, reason=reason))

    # --- conflicts --------------------------------------------------------------------------------------------------

    def conflicts(
        self, *, line: str | None = None, states: Sequence[str] = (), own: bool | None = None
    ) -> Iterator[ConflictTold]:
        """All conflicts that match, the newest first."""
        return self.requests.all(ConflictTold, "/conflicts", line=line, state=list(states) or None, own=own)

    def conflict(self, number: int) -> ConflictTold:
        """One conflict."""
        return self.requests.one(ConflictTold, f"/conflicts/{number}")

    def advise(self, number: int) -> EntrySaid:
        """Tell the other party of a conflict."""
        return read_as(EntrySaid, self.requests.post(f"/conflicts/{number}/advisory"))

    def accept_risk(self, number: int, reason: str) -> EntrySaid:
        """Say that we go on although a conflict stands; we speak for ourselves alone."""
        return read_as(EntrySaid, self.requests.post(f"/conflicts/{number}/accepted-risk", {"reason": reason}))

    # --- drafts and series ------------------------------------------------------------------------------------------

    def drafts(self) -> Iterator[DraftTold]:
        """All drafts, the oldest first."""
        return self.requests.all(DraftTold, "/drafts")

    def draft(self, number: int) -> Tagged[DraftTold]:
        """One draft."""
        return self.requests.one_tagged(DraftTold, f"/drafts/{number}")

    def keep_draft(self, asked: DraftAsked) -> DraftTold:
        """Keep a plan that is not filed."""
        return read_as(DraftTold, self.requests.post("/drafts", asked))

    def change_draft(self, number: int, asked: DraftAsked, *, if_match: str) -> DraftTold:
        """Put another plan in place of a draft."""
        return read_as(DraftTold, self.requests.put(f"/drafts/{number}", asked, if_match=if_match))

    def drop_draft(self, number: int, *, if_match: str) -> None:
        """Drop a draft."""
        self.requests.delete(f"/drafts/{number}", if_match=if_match)

    def check_draft(self, number: int) -> FoundTold:
        """What a draft would come too close to. Nobody is told."""
        return read_as(FoundTold, self.requests.post(f"/drafts/{number}/checks"))

    def file_draft(self, number: int, *, key: str | None = None) -> FiledTold:
        """File a draft."""
        return read_as(FiledTold, self.requests.post(f"/drafts/{number}/filing", key=key))

    def all_series(self, *, line: str | None = None) -> Iterator[SeriesTold]:
        """All series, the oldest first."""
        return self.requests.all(SeriesTold, "/series", line=line)

    def series(self, number: int) -> SeriesTold:
        """One series."""
        return self.requests.one(SeriesTold, f"/series/{number}")

    def series_days(self, number: int) -> Iterator[SeriesDayTold]:
        """The single operations of a series."""
        return self.requests.all(SeriesDayTold, f"/series/{number}/days")

    def begin_series(self, asked: SeriesAsked, *, key: str | None = None) -> SeriesTold:
        """Begin an operation that comes again."""
        return read_as(SeriesTold, self.requests.post("/series", asked, key=key))

    def cancel_series(self, number: int, *, reason: str | None = None) -> CancelledTold:
        """Let a series come no more."""
        return read_as(CancelledTold, self.requests.delete(f"/series/{number}", reason=reason))

    def cancel_series_day(self, number: int, day: str, *, reason: str | None = None) -> CancelledTold:
        """Cancel one of a series."""
        return read_as(CancelledTold, self.requests.delete(f"/series/{number}/days/{day}", reason=reason))


def _path(asked: OperationAsked | ZoneAsked) -> str:
    return "/operations" if isinstance(asked, OperationAsked) else "/zones"


def _filters(
    line: str | None,
    party: str | None,
    states: Sequence[str],
    from_: datetime | None,
    to: datetime | None,
    area: Area | None,
    exercise: bool | None,  # noqa: FBT001  # as the public ones give it
) -> dict[str, object]:
    return {
        "line": line,
        "party": party,
        "state": list(states) or None,
        "from": _time(from_, "from_"),
        "to": _time(to, "to"),
        "area": None if area is None else ",".join(map(repr, area)),
        "exercise": exercise,
    }


def _time(moment: datetime | None, field: str) -> str | None:
    if moment is None:
        return None
    if moment.tzinfo is None:
        raise InputError(Fault("the time has no zone", "an aware datetime", field=field, value=str(moment)))
    return to_text(moment.timestamp())
