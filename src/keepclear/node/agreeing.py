"""What officers do about agreements: propose, sign, suspend and end them, and all that is said besides.

Nothing binds before every party has signed the same bytes; that is worked out from the record
(`keepclear.agreements.life`), and nobody here decides it. Signing, suspending, resuming and ending take two persons of
the party (`keepclear.node.two_person`): what one proposes, another confirms, and only then is anything said.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from keepclear.agreements.document_bytes import document_of
from keepclear.agreements.documents import Document
from keepclear.agreements.states import AgreementState
from keepclear.agreements.terms.registry import read_terms
from keepclear.errors import Fault, InputError
from keepclear.node.actors import Actor
from keepclear.node.acts import Acts
from keepclear.node.agreement_reading import Agreements, AgreementView, Version
from keepclear.node.audience import Audience
from keepclear.node.entry_ids import EntryId
from keepclear.node.guarding import Guards
from keepclear.node.records import Outgoing, Records
from keepclear.node.refusals import ClashError, NotFoundError
from keepclear.node.roles import Scope
from keepclear.node.two_person import Rule, TwoPersons
from keepclear.record.bodies.agreements import (
    AffiliateBody,
    AgreementChangedBody,
    AgreementProposedBody,
    AgreementSignedBody,
    DeliverableBody,
    ExemptionNoticeBody,
    TermQueryBody,
)
from keepclear.record.bodies.base import Body
from keepclear.record.bodies.references import EntryRefValue
from keepclear.record.entries import EntryRef
from keepclear.store.node.two_person import KeptProposal
from keepclear.times import to_text

__all__ = ["SIGNING", "TWO_PERSON_CHANGES", "Agreeing", "Changing", "Signing"]

SIGNING = "agreement"
"""The kind of act, at `keepclear.node.two_person`."""
TWO_PERSON_CHANGES = frozenset({"suspend", "resume", "terminate"})
_DOCUMENT = "application/vnd.keepclear.agreement+json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signing:
    """A signature that is asked for.

    Attributes
    ----------
    line, agreement, document
        Of what: the line, the agreement, and SHA-256 of the document.
    text
        SHA-256 of the authentic text that was read; empty: not compared.
    in_force_s
        The signature binds from then on, and not before; None: from when everyone has signed.
    affiliates
        Whom the party says it binds too.
    """

    line: str
    agreement: str
    document: str
    text: str = ""
    in_force_s: float | None = None
    affiliates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Changing:
    """A change that is asked for: as `keepclear.record.bodies.agreements.AgreementChangedBody` has it.

    Attributes
    ----------
    line, agreement, change
        Of what, and which change.
    document
        SHA-256; empty: the one in force, or the only one that is open.
    from_s, reason
        From when, and why.
    """

    line: str
    agreement: str
    change: str
    document: str = ""
    from_s: float | None = None
    reason: str | None = None


class Agreeing:
    """Says what the party says of agreements.

    Parameters
    ----------
    records, acts, clock
        The node's.
    agreements
        How they stand.
    guards, audience
        Judge what is said, and know who is told.
    two_persons
        Sees to the two-person rule.
    """

    def __init__(
        self,
        records: Records,
        agreements: Agreements,
        guards: Guards,
        audience: Audience,
        acts: Acts,
        two_persons: TwoPersons,
        clock: Callable[[], float],
    ) -> None:
        self._records, self._agreements, self._guards, self._audience = records, agreements, guards, audience
        self._acts, self._two_persons, self._clock = acts, two_persons, clock
        two_persons.add_rule(SIGNING, Rule(Scope.SIGN, beyond=self._carry_out))

    # --- proposing -------------------------------------------------------------------------------------------------

    def propose(
        self,
        line: str | None,
        members: Mapping[str, Any],
        *,
        by: Actor,
        counters: EntryRef | None = None,
        remarks: str | None = None,
    ) -> EntryRef:
        """Propose a document to its parties, or put it against another's. It binds nobody before all have signed.

        Parameters
        ----------
        members
            The document, as JSON has it.
        counters
            The proposal that it is put against.

        Raises
        ------
        InputError
            If it is no document, its parties are not those of the line, or we are none of them; with all faults.
        RefusedError
            If a guard refuses it.
        """
        by.must(Scope.SIGN)
        line = self._audience.line(line)
        document = _document_of(members)
        self._must_be_readable(document)
        data = document.canonical()
        self._must_be_parties(line, document)
        if counters is not None:
            self._must_counter(line, document, counters)
        body = proposal_body(document, len(data), counters=counters, remarks=remarks)
        files = [("agreement.json", data)]
        return self._say(line, body, by, what="agreement propose", attachments=files)

    @staticmethod
    def _must_be_readable(document: Document) -> None:
        """Refuse terms that are wrong: once signed, nobody could mend them. Types that are not known here are none."""
        faults: list[Fault] = []
        try:
            terms = read_terms(
                [one.members for one in document.terms],
                document.annexes,
                parties=document.parties,
                agreement=document.id,
            )
        except InputError as error:
            faults += error.faults
            terms = ()
        for term in terms:
            try:
                term.contributes()
            except InputError as error:  # what it says is right, and its area cannot be drawn
                faults += [replace(one, feature=term.id) for one in error.faults]
        if faults:
            raise InputError([replace(one, field=f"document.terms.{one.field}".rstrip(".")) for one in faults])

    def _must_be_parties(self, line: str, document: Document) -> None:
        here = {self._records.party, *self._audience.others(line)}
        right = f"parties of the line: {', '.join(sorted(here))}"
        faults = [
            Fault("is not on the line, so it can never sign", right, field="document.parties", value=one)
            for one in document.parties
            if one not in here
        ]
        if self._records.party not in document.parties:
            problem = f"{self._records.party} is no party to it"
            faults.append(Fault(problem, "name it among the parties", field="document.parties"))
        if faults:
            raise InputError(faults)

    def _must_counter(self, line: str, document: Document, counters: EntryRef) -> None:
        view = self._agreements.view(line, document.id)
        known = {version.ref for version in view.versions}
        if counters not in known:
            place = str(EntryId.of(counters))
            right = f"a proposal of {document.id} on {line}"
            raise InputError(Fault("no proposal of this agreement", right, field="counters", value=place))
        if any(version.document == document.hash for version in view.versions):
            problem = "this very document was proposed before"
            raise ClashError(Fault(problem, "sign it, or change it", field="document", value=document.hash))

    # --- signing and changing --------------------------------------------------------------------------------------

    def sign(self, asked: Signing, *, by: Actor) -> KeptProposal:
        """Propose to sign; another person confirms it, and only then it is said.

        Raises
        ------
        NotFoundError
            If there is no such agreement, or no such document of it.
        InputError
            If it cannot be signed as asked, with all faults.
        NotAllowedError
            If they may not sign, or are nobody in particular.
        """
        by.must(Scope.SIGN)
        version = self._signable(asked)
        when = "" if asked.in_force_s is None else f", to bind from {to_text(asked.in_force_s)} on"
        subject = f"sign {asked.agreement} on {asked.line}: {_short(version.title)} ({asked.document[:12]}){when}"
        content = {"act": "sign", "text": version.text} | _content(asked)
        content["text"] = version.text
        return self._two_persons.propose(by, SIGNING, subject, content)

    def change(self, asked: Changing, *, by: Actor) -> KeptProposal | EntryRef:
        """Suspend, resume or end (two persons), or withdraw or reject (at once).

        Raises
        ------
        NotFoundError, InputError, NotAllowedError
            As `sign`.
        """
        by.must(Scope.SIGN)
        document = self._changeable(asked)
        if asked.change not in TWO_PERSON_CHANGES:
            body = _changed_body(asked, document, [by.user])
            return self._say(asked.line, body, by, what=f"agreement {asked.change}")
        when = "at once" if asked.from_s is None else f"from {to_text(asked.from_s)} on"
        why = f": {_short(asked.reason)}" if asked.reason else ""
        subject = f"{asked.change} {asked.agreement} on {asked.line} ({document[:12]}), {when}{why}"
        content = {"act": asked.change} | _content(asked) | {"document": document}
        # What cannot be said is told now, and not to the second person.
        self._guards.judge(_changed_body(asked, document, ["one", "another"]), by=by, line=asked.line)
        return self._two_persons.propose(by, SIGNING, subject, content)

    def _signable(self, asked: Signing) -> Version:
        view = self._agreements.view(asked.line, asked.agreement)
        version = view.version(asked.document)
        faults = []
        if version.problem:
            faults.append(Fault(f"it cannot be read here: {version.problem}", field="document", value=asked.document))
        if self._records.party not in version.parties:
            faults.append(Fault(f"{self._records.party} is no party to it", field="document", value=asked.document))
        if asked.text and asked.text != version.text:
            right = f"the authentic text that was proposed: {version.text}"
            faults.append(Fault("another text than the proposed one", right, field="text", value=asked.text))
        if faults:
            raise InputError(faults)
        if self._records.party in version.signed_by:
            raise ClashError(Fault(f"{self._records.party} has signed it", field="document", value=asked.document))
        if version.closed:
            raise ClashError(Fault(version.closed, "a document that is open", field="document", value=asked.document))
        return version

    def _changeable(self, asked: Changing) -> str:
        view = self._agreements.view(asked.line, asked.agreement)
        document = asked.document or _meant(view)
        version = view.version(document)
        if self._records.party not in version.parties:
            raise InputError(Fault(f"{self._records.party} is no party to it", field="document", value=document))
        view.must_allow(asked.change, document, party=self._records.party)
        return document

    def _carry_out(self, proposal: KeptProposal, actor: Actor) -> None:
        """Say what two persons agreed on; a second time it says nothing."""
        content = dict(proposal.content)
        act, persons = content.pop("act"), [proposal.proposed_by, proposal.decided_by or actor.user]
        if act == "sign":
            text = content.pop("text")
            asked = Signing(**content | {"affiliates": tuple(content["affiliates"])})
            version = self._agreements.view(asked.line, asked.agreement).version(asked.document)
            body: Body = AgreementSignedBody(
                agreement=asked.agreement, document=asked.document, text=text, persons=persons,
                proposal=EntryRefValue.of(version.ref), in_force_s=asked.in_force_s, affiliates=list(asked.affiliates),
            )  # fmt: skip
            if self._agreements.said_since(asked.line, body, proposal.proposed_s) is not None:
                return
            self._signable(asked)
        else:
            asked_change = Changing(**content)
            body = _changed_body(asked_change, asked_change.document, persons)
            asked = Signing(
                line=asked_change.line, agreement=asked_change.agreement, document=asked_change.document
            )  # fmt: skip
            if self._agreements.said_since(asked.line, body, proposal.proposed_s) is not None:
                return
            self._changeable(asked_change)
        self._say(asked.line, body, actor, what=f"agreement {act}", detail={"persons": persons})

    # --- besides ---------------------------------------------------------------------------------------------------

    def query(
        self, line: str, agreement: str, question: str, *, by: Actor, term: str | None = None, urgent: bool = False
    ) -> EntryRef:
        """Ask what an agreement, or a term of it, means."""
        by.must(Scope.SAY)
        view = self._agreements.view(line, agreement)
        document = view.document or None
        if term is not None:
            document = self._term(view, term)
        body = TermQueryBody(agreement=agreement, question=question, urgent=urgent, document=document, term=term)
        return self._say(line, body, by, what="agreement query")

    def give_notice(
        self,
        line: str,
        agreement: str,
        *,
        term: str,
        activity: str,
        from_s: float,
        to_s: float,
        by: Actor,
        filings: Sequence[EntryRef] = (),
        reason: str | None = None,
    ) -> EntryRef:
        """Give notice of an activity for which a term makes an exception. It asks nobody's leave."""
        by.must(Scope.FILE)
        view = self._agreements.view(line, agreement)
        document = self._term(view, term)
        faults = [
            Fault("another party's, or none of this line", f"a filing of ours on {line}", field=f"filings[{n}]",
                  value=str(EntryId.of(ref)))
            for n, ref in enumerate(filings)
            if (EntryId.of(ref).party, EntryId.of(ref).line) != (self._records.party, line)
        ]  # fmt: skip
        if faults:
            raise InputError(faults)
        body = ExemptionNoticeBody(
            agreement=agreement, document=document, term=term, activity=activity, from_s=from_s, to_s=to_s,
            filings=[EntryRefValue.of(ref) for ref in filings], reason=reason,
        )  # fmt: skip
        return self._say(line, body, by, what="agreement exempt")

    def deliver(
        self,
        line: str,
        agreement: str,
        *,
        term: str,
        what: str,
        by: Actor,
        done_s: float | None = None,
        for_s: float | None = None,
        remarks: str | None = None,
    ) -> EntryRef:
        """Say that what a term asks for is given or done. That it is so, the party says; nothing here proves it."""
        by.must(Scope.FILE)
        view = self._agreements.view(line, agreement)
        document = self._term(view, term)
        if done_s is not None and done_s > self._clock():
            right = "a time that has come; what is planned is filed"
            raise InputError(Fault("it is still to come", right, field="done", value=to_text(done_s)))
        body = DeliverableBody(
            agreement=agreement, document=document, term=term, what=what, done_s=done_s, for_s=for_s, remarks=remarks
        )
        return self._say(line, body, by, what="agreement deliver")

    def say_affiliate(
        self,
        line: str,
        agreement: str,
        *,
        affiliate: str,
        stance: str,
        by: Actor,
        binder: str | None = None,
        reason: str | None = None,
    ) -> EntryRef:
        """Say whom an agreement binds besides its parties, or confirm or deny what was said of it."""
        by.must(Scope.SIGN)
        self._agreements.view(line, agreement)
        binder = binder or self._records.party
        here = {self._records.party, *self._audience.others(line)}
        if binder not in here:
            right = f"one of: {', '.join(sorted(here))}"
            raise InputError(Fault("is not on the line", right, field="by", value=binder))
        if stance == "asserts" and binder != self._records.party:
            right = "leave it out; of others, confirm or deny"
            raise InputError(Fault("no party says for another whom it binds", right, field="by", value=binder))
        members: dict[str, Any] = {"affiliate": affiliate, "by": binder, "stance": stance, "agreement": agreement}
        return self._say(line, AffiliateBody(**members, reason=reason), by, what="agreement affiliate")

    # --- inside ----------------------------------------------------------------------------------------------------

    def _term(self, view: AgreementView, term: str) -> str:
        """The document in force, or the only one that is open, if it has a term of that id."""
        document = _meant(view)
        terms = [one.id for one in view.version(document).terms]
        if term not in terms:
            raise NotFoundError(
                "term", field="term", value=term, right=f"one of: {', '.join(terms) or 'there is none'}"
            )
        return document

    def _say(
        self,
        line: str,
        body: Body,
        by: Actor,
        *,
        what: str,
        attachments: Sequence[tuple[str, bytes]] = (),
        detail: Mapping[str, Any] | None = None,
    ) -> EntryRef:
        told = self._audience.told(line, None)
        if not told.parties:
            raise InputError(Fault("nobody else is on the line", "wait for another party", field="line", value=line))
        self._agreements.must_be_looked_at(line, body.TYPE)
        verdict = self._guards.judge(body, by=by, line=line, attachments=attachments)
        outgoing = Outgoing(body, told.parties, attachments=[data for _, data in attachments])
        (ref,) = self._records.say(line, [outgoing])
        self._acts.note(by, what, ref=str(EntryId.of(ref)), detail=detail)
        self._guards.flag(verdict, ref, by=by.user)
        return ref


def _document_of(members: Mapping[str, Any]) -> Document:
    """The document of these members, with all that is wrong with them.

    Raises
    ------
    InputError
        If it is none.
    """
    try:
        return document_of(dict(members))
    except InputError as error:
        raise InputError(
            [replace(one, field=f"document.{one.field}" if one.field else "document") for one in error.faults]
        ) from None


def proposal_body(
    document: Document, size_bytes: int, *, counters: EntryRef | None = None, remarks: str | None = None
) -> AgreementProposedBody:
    """The entry that proposes a document."""
    texts = [{"language": one.language, "authentic": one.authentic, "sha256": one.sha256} for one in document.texts]
    note = {"name": "agreement.json", "media_type": _DOCUMENT, "size_bytes": size_bytes}
    members: dict[str, Any] = {"texts": texts, "attachments": [note]}
    return AgreementProposedBody(
        agreement=document.id, title=document.title, parties=list(document.parties), document=document.hash,
        counters=None if counters is None else EntryRefValue.of(counters), remarks=remarks, **members,
    )  # fmt: skip


def _changed_body(asked: Changing, document: str, persons: Sequence[str]) -> AgreementChangedBody:
    members: dict[str, Any] = {"change": asked.change}
    return AgreementChangedBody(
        agreement=asked.agreement, document=document, persons=list(persons), from_s=asked.from_s, reason=asked.reason,
        **members,
    )  # fmt: skip


def _content(asked: Signing | Changing) -> dict[str, Any]:
    """As JSON keeps it."""
    found = {name: getattr(asked, name) for name in asked.__slots__}
    kept: dict[str, Any] = json.loads(json.dumps(found))
    return kept


def _meant(view: AgreementView) -> str:
    """The document in force or suspended; else the only one that could still be signed.

    Raises
    ------
    InputError
        If there are none or several.
    """
    if view.document:
        return view.document
    if view.standing.state is AgreementState.SUSPENDED:
        return view.standing.version.hash
    found = [version.document for version in view.versions if not version.closed]
    if len(set(found)) == 1:
        return found[0]
    right = f"one of: {', '.join(found)}" if found else "a document that is open or in force"
    raise InputError(Fault("which document is meant is not said", right, field="document"))


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 200 else f"{line[:199]}…"
