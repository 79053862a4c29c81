"""Agreements: proposing, signing and changing them, how they stand, and reports of what came of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Literal

from keepclear.client.requests import Requests, read_as
from keepclear.errors import Fault, InputError
from keepclear.times import to_text
from keepclear.values.agreements import (
    AffiliateAsked,
    AgreementProposalAsked,
    AgreementTold,
    ChangeAsked,
    DeliverableAsked,
    DifferenceTold,
    ExemptionAsked,
    QueryAsked,
    ReportTold,
    SignatureAsked,
    SigningTold,
    VersionTold,
)
from keepclear.values.entries import EntrySaid

__all__ = ["Agreements"]


class Agreements:
    """The part of a client that is about agreements."""

    requests: Requests

    def agreements(self, *, line: str | None = None) -> Iterator[AgreementTold]:
        """The agreements of all lines, or of one."""
        return self.requests.all(AgreementTold, "/agreements", line=line)

    def agreement(self, name: str, *, line: str | None = None) -> AgreementTold:
        """How an agreement stands."""
        return self.requests.one(AgreementTold, f"/agreements/{name}", line=line)

    def agreement_versions(self, name: str, *, line: str | None = None) -> Iterator[VersionTold]:
        """The documents that were proposed, the newest first."""
        return self.requests.all(VersionTold, f"/agreements/{name}/versions", line=line)

    def agreement_version(self, name: str, document: str, *, line: str | None = None) -> VersionTold:
        """One document, with its content."""
        return self.requests.one(VersionTold, f"/agreements/{name}/versions/{document}", line=line)

    def agreement_difference(self, name: str, before: str, after: str, *, line: str | None = None) -> DifferenceTold:
        """What changes from one document to another."""
        path = f"/agreements/{name}/difference"
        return self.requests.one(DifferenceTold, path, before=before, after=after, line=line)

    def propose_agreement(self, asked: AgreementProposalAsked, *, key: str | None = None) -> EntrySaid:
        """Propose a document to its parties."""
        return read_as(EntrySaid, self.requests.post("/agreements", asked, key=key))

    def counter_agreement(self, name: str, asked: AgreementProposalAsked, *, key: str | None = None) -> EntrySaid:
        """Put another document against one that was proposed."""
        return read_as(EntrySaid, self.requests.post(f"/agreements/{name}/versions", asked, key=key))

    def sign_agreement(self, name: str, asked: SignatureAsked, *, key: str | None = None) -> SigningTold:
        """Propose to sign; another person confirms it (`confirm`)."""
        return read_as(SigningTold, self.requests.post(f"/agreements/{name}/signatures", asked, key=key))

    def change_agreement(self, name: str, asked: ChangeAsked, *, key: str | None = None) -> SigningTold:
        """Suspend, resume, end, withdraw or reject."""
        return read_as(SigningTold, self.requests.post(f"/agreements/{name}/changes", asked, key=key))

    def ask_about_agreement(self, name: str, asked: QueryAsked) -> EntrySaid:
        """Ask what it, or a term of it, means."""
        return read_as(EntrySaid, self.requests.post(f"/agreements/{name}/queries", asked))

    def give_exemption_notice(self, name: str, asked: ExemptionAsked) -> EntrySaid:
        """Give notice of an activity for which a term makes an exception."""
        return read_as(EntrySaid, self.requests.post(f"/agreements/{name}/exemptions", asked))

    def deliver(self, name: str, asked: DeliverableAsked) -> EntrySaid:
        """Say that what a term asks for is given or done."""
        return read_as(EntrySaid, self.requests.post(f"/agreements/{name}/deliverables", asked))

    def say_affiliate(self, name: str, asked: AffiliateAsked) -> EntrySaid:
        """Say whom it binds besides its parties, or confirm or deny what was said of it."""
        return read_as(EntrySaid, self.requests.post(f"/agreements/{name}/affiliates", asked))

    def agreement_report(
        self,
        name: str,
        *,
        from_: datetime | None = None,
        to: datetime | None = None,
        zones: Sequence[str] = (),
        line: str | None = None,
    ) -> ReportTold:
        """What was due, done, late, breached and disputed; left out: of the last day."""
        return self.requests.one(ReportTold, f"/agreements/{name}/report", **_span(from_, to, zones, line))

    def agreement_report_page(
        self,
        name: str,
        form: Literal["md", "html"] = "md",
        *,
        from_: datetime | None = None,
        to: datetime | None = None,
        zones: Sequence[str] = (),
        line: str | None = None,
    ) -> bytes:
        """The same, as Markdown or as an HTML page."""
        return self.requests.octets(f"/agreements/{name}/report.{form}", **_span(from_, to, zones, line))


def _span(
    from_: datetime | None, to: datetime | None, zones: Sequence[str], line: str | None
) -> dict[str, Any]:  # fmt: skip
    return {
        "from": _time(from_, "from_"), "to": _time(to, "to"), "zone": list(zones) or None, "line": line,
    }  # fmt: skip


def _time(moment: datetime | None, field: str) -> str | None:
    if moment is None:
        return None
    if moment.tzinfo is None:
        raise InputError(Fault("the time has no zone", "an aware datetime", field=field, value=str(moment)))
    return to_text(moment.timestamp())
