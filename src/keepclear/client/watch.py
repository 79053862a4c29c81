"""Encounters, claims, incident reports, measures and joint plans."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from keepclear.client.requests import Requests, read_as
from keepclear.times import to_text
from keepclear.values.encounters import (
    ClaimAsked,
    ClaimTold,
    EncounterTold,
    IncidentAsked,
    IncidentDraftTold,
    IncidentTold,
    LabelTold,
    MeasureAsked,
    ReplyAsked,
    WeighedTold,
    WeighingAsked,
)
from keepclear.values.entries import EntrySaid
from keepclear.values.joint_plans import JointPlanAsked, JointPlanTold, PartsFiledTold
from keepclear.values.users import ProposalTold

__all__ = ["WatchOf"]


class WatchOf:
    """The part of a client that is about what took place, and about what is done together."""

    requests: Requests

    # --- encounters ------------------------------------------------------------------------------------------------

    def encounters(self, *, line: str | None = None) -> Iterator[EncounterTold]:
        """All encounters that were found, as they were last labelled; the newest first."""
        return self.requests.all(EncounterTold, "/encounters", line=line)

    def encounter(self, number: int) -> EncounterTold:
        """One encounter, labelled by what is known now."""
        return self.requests.one(EncounterTold, f"/encounters/{number}")

    def labels(
        self, parties: Sequence[str], start: datetime, end: datetime, *, line: str | None = None
    ) -> Iterator[LabelTold]:  # fmt: skip
        """What two parties did with each other in a time."""
        times = {"from": to_text(start.timestamp()), "to": to_text(end.timestamp())}
        return self.requests.all(LabelTold, "/labels", party=list(parties), line=line, **times)

    def incident_drafts(self) -> Iterator[IncidentDraftTold]:
        """Reports that were drafted and not sent."""
        return self.requests.all(IncidentDraftTold, "/incidents/drafts")

    def incidents(self, *, line: str | None = None) -> Iterator[IncidentTold]:
        """Reports on the record, of all parties."""
        return self.requests.all(IncidentTold, "/incidents", line=line)

    def report_incident(self, asked: IncidentAsked, *, key: str | None = None) -> EntrySaid:
        """Send a report."""
        return read_as(EntrySaid, self.requests.post("/incidents", asked, key=key))

    def reply_to_incident(self, entry: str, asked: ReplyAsked, *, key: str | None = None) -> EntrySaid:
        """Report our own side of what another party has reported."""
        return read_as(EntrySaid, self.requests.post(f"/incidents/{entry}/replies", asked, key=key))

    # --- claims ----------------------------------------------------------------------------------------------------

    def claims(self, *, line: str | None = None) -> Iterator[ClaimTold]:
        """What was said publicly of encounters, as it was put on the record."""
        return self.requests.all(ClaimTold, "/claims", line=line)

    def claim(self, entry: str) -> ClaimTold:
        """One claim, weighed."""
        return self.requests.one(ClaimTold, f"/claims/{entry}")

    def add_claim(self, asked: ClaimAsked, *, key: str | None = None) -> EntrySaid:
        """Put on the record what somebody said publicly."""
        return read_as(EntrySaid, self.requests.post("/claims", asked, key=key))

    def weigh_claim(self, asked: WeighingAsked) -> WeighedTold:
        """Weigh a claim; nobody is told."""
        return read_as(WeighedTold, self.requests.post("/claims/weighings", asked))

    # --- together --------------------------------------------------------------------------------------------------

    def say_measure(self, asked: MeasureAsked, *, key: str | None = None) -> EntrySaid:
        """Say what would keep filings apart, or have them meet."""
        return read_as(EntrySaid, self.requests.post("/measures", asked, key=key))

    def joint_plans(self, *, line: str | None = None) -> Iterator[JointPlanTold]:
        """Joint plans, and who has signed them."""
        return self.requests.all(JointPlanTold, "/joint-plans", line=line)

    def joint_plan(self, plan: str, *, line: str | None = None) -> JointPlanTold:
        """One joint plan, by its hash or how that begins; `line`: of the plan there, where it is on several."""
        return self.requests.one(JointPlanTold, f"/joint-plans/{plan}", line=line)

    def propose_joint_plan(self, asked: JointPlanAsked, *, key: str | None = None) -> EntrySaid:
        """Tell the others of a plan."""
        return read_as(EntrySaid, self.requests.post("/joint-plans", asked, key=key))

    def sign_joint_plan(self, plan: str, *, line: str | None = None) -> ProposalTold:
        """Propose to sign a plan; another person confirms it."""
        return read_as(ProposalTold, self.requests.post(f"/joint-plans/{plan}/signatures", line=line))

    def file_joint_plan(self, plan: str, *, line: str | None = None) -> PartsFiledTold:
        """File our parts of a plan."""
        return read_as(PartsFiledTold, self.requests.post(f"/joint-plans/{plan}/filing", line=line))
