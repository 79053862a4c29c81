"""The two-person rule: what one person proposes, another confirms, or nothing is done.

Some acts bind the party, or would let one person bind it alone. Of each there is a `Rule`: which scope the two need,
and what is done once both agree. A proposal ends by itself; whoever proposed it can take it back; each step is
recorded. Its states are a table::

             confirm          done
    OPEN ─┬─────────▶ CONFIRMED ──▶ DONE
          ├─▶ REFUSED     └───────▶ FAILED      (the reason is kept)
          ├─▶ WITHDRAWN       failed
          └─▶ EXPIRED

The operator at the folder takes no part: the folder says nothing of who is sitting there, and it might be the first
person again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection

from keepclear.errors import Fault, InputError, KeepclearError
from keepclear.node.actors import SYSTEM, Actor, Via
from keepclear.node.acts import Acts
from keepclear.node.refusals import ClashError, NotAllowedError, NotFoundError
from keepclear.node.roles import Scope
from keepclear.store.node.database import NodeDatabase
from keepclear.store.node.two_person import (
    KeptProposal,
    add_proposal,
    proposal_of,
    proposals_before,
    proposals_in,
    put_proposal_state,
)

__all__ = ["TRANSITIONS", "ProposalEvent", "ProposalState", "Rule", "TwoPersons"]

DAY_S = 86_400.0
_LONGEST_SUBJECT = 1000


class ProposalState(StrEnum):
    """How a proposal stands."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    DONE = "done"
    FAILED = "failed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class ProposalEvent(StrEnum):
    """What happens to a proposal."""

    CONFIRM = "confirm"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"
    TIME_UP = "time-up"
    SUCCEED = "succeed"
    FAIL = "fail"


_S, _E = ProposalState, ProposalEvent
TRANSITIONS: Mapping[tuple[ProposalState, ProposalEvent], ProposalState] = MappingProxyType(
    {
        (_S.OPEN, _E.CONFIRM): _S.CONFIRMED,
        (_S.OPEN, _E.REFUSE): _S.REFUSED,
        (_S.OPEN, _E.WITHDRAW): _S.WITHDRAWN,
        (_S.OPEN, _E.TIME_UP): _S.EXPIRED,
        (_S.CONFIRMED, _E.SUCCEED): _S.DONE,
        (_S.CONFIRMED, _E.FAIL): _S.FAILED,
    }
)
"""All that can happen; what is not here is refused."""
_GOES_ON = frozenset(state for state, _ in TRANSITIONS)


@dataclass(frozen=True, slots=True)
class Rule:
    """What it takes for one kind of act, and how it is done.

    Attributes
    ----------
    scope
        What both persons need.
    within
        Does it in the transaction that confirms it: for what changes only the node's tables.
    beyond
        Does it after that transaction, and again if the node stopped before it was known to be done: what it does a
        second time must change nothing. For what is said on a line.
    ends_after_s
        How long the second person has.
    """

    scope: Scope
    within: Callable[[Connection, KeptProposal, Actor], None] | None = None
    beyond: Callable[[KeptProposal, Actor], None] | None = None
    ends_after_s: float = DAY_S


class TwoPersons:
    """Proposals, and the rules for them.

    Parameters
    ----------
    database, clock, acts
        Where they are kept, what tells the time, and where each step is recorded.
    """

    def __init__(self, database: NodeDatabase, clock: Callable[[], float], acts: Acts) -> None:
        self._database = database
        self._clock = clock
        self._acts = acts
        self._rules: dict[str, Rule] = {}

    def add_rule(self, kind: str, rule: Rule) -> None:
        """Make a kind of act known; once, when the node is put together."""
        assert kind not in self._rules
        assert (rule.within is None) != (rule.beyond is None)
        self._rules[kind] = rule

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of acts that take two."""
        return tuple(sorted(self._rules))

    def propose(self, actor: Actor, kind: str, subject: str, content: Mapping[str, Any]) -> KeptProposal:
        """Propose an act.

        Parameters
        ----------
        actor
            Who proposes it.
        kind
            Which act, as `add_rule` made it known.
        subject
            The act in words, as the second person reads them.
        content
            What carries it out is given; values that JSON has, and no secrets.

        Raises
        ------
        NotAllowedError
            If they have not the scope, or are nobody in particular.
        """
        rule = self._rule(kind)
        self._may_take_part(actor, rule)
        if not 0 < len(subject) <= _LONGEST_SUBJECT:
            raise InputError(Fault("nobody can read what is proposed", f"1 to {_LONGEST_SUBJECT} characters"))
        at_s = self._clock()
        with self._database.writing() as conn:
            number = add_proposal(
                conn, kind=kind, subject=subject, content=content, state=_S.OPEN, proposed_by=actor.user,
                proposed_s=at_s, ends_s=at_s + rule.ends_after_s,
            )  # fmt: skip
            self._acts.record(conn, actor, f"{kind} propose", ref=f"proposal {number}", detail={"subject": subject})
            return self._found(conn, number)

    def confirm(self, actor: Actor, number: int) -> KeptProposal:
        """Confirm what another has proposed, and do it.

        Raises
        ------
        NotFoundError, NotAllowedError, ClashError
            If there is no such proposal, if they have not the scope or proposed it themselves, or if it is not open.
        KeepclearError
            Why it could not be done; a proposal that failed does not open again.
        """
        with self._database.writing() as conn:
            proposal, rule = self._open_one(conn, number, actor)
            if proposal.proposed_by == actor.user:
                problem = "the one who proposed it cannot confirm it: it takes two persons"
                raise NotAllowedError(problem, right="another person with the same scope")
            self._move(conn, proposal, _E.CONFIRM, actor)
            if rule.within is not None:
                rule.within(conn, proposal, actor)
                self._move(conn, self._found(conn, number), _E.SUCCEED, actor)
        if rule.beyond is not None:
            self._do(number, rule.beyond, actor)
        return self.proposal(number)

    def refuse(self, actor: Actor, number: int) -> KeptProposal:
        """Say no to it, or take back one's own."""
        with self._database.writing() as conn:
            proposal, _ = self._open_one(conn, number, actor)
            self._move(conn, proposal, _E.WITHDRAW if proposal.proposed_by == actor.user else _E.REFUSE, actor)
            return self._found(conn, number)

    def proposal(self, number: int) -> KeptProposal:
        """One proposal as it stands now."""
        with self._database.reading() as conn:
            return self._now(self._found(conn, number))

    def before(self, number: int | None = None, *, limit: int) -> list[KeptProposal]:
        """Proposals as they stand now, the newest first."""
        with self._database.reading() as conn:
            return [self._now(proposal) for proposal in proposals_before(conn, number, limit=limit)]

    def resume(self) -> None:
        """Do what was confirmed before the node stopped, and is not known to have been done."""
        with self._database.reading() as conn:
            confirmed = proposals_in(conn, [_S.CONFIRMED])
        for proposal in confirmed:
            rule = self._rules.get(proposal.kind)
            if rule is not None and rule.beyond is not None:
                try:
                    self._do(proposal.id, rule.beyond, SYSTEM)
                except KeepclearError:
                    continue  # the reason stands with the proposal

    def _do(self, number: int, beyond: Callable[[KeptProposal, Actor], None], actor: Actor) -> None:
        try:
            beyond(self.proposal(number), actor)
        except KeepclearError as error:
            with self._database.writing() as conn:
                self._move(conn, self._found(conn, number), _E.FAIL, actor, outcome=str(error)[:2000])
            raise
        with self._database.writing() as conn:
            self._move(conn, self._found(conn, number), _E.SUCCEED, actor)

    def _open_one(self, conn: Connection, number: int, actor: Actor) -> tuple[KeptProposal, Rule]:
        proposal = self._now(self._found(conn, number))
        rule = self._rule(proposal.kind)
        self._may_take_part(actor, rule)
        if proposal.state != _S.OPEN:
            raise ClashError(
                Fault(f"the proposal is {proposal.state}, not open", "propose it again", value=str(number))
            )
        return proposal, rule

    def _move(
        self, conn: Connection, proposal: KeptProposal, event: ProposalEvent, actor: Actor, *, outcome: str = ""
    ) -> None:
        state = TRANSITIONS[ProposalState(proposal.state), event]
        decides = event in {_E.CONFIRM, _E.REFUSE, _E.WITHDRAW}
        put_proposal_state(
            conn, proposal.id, state, decided_by=actor.user if decides else None,
            decided_s=self._clock() if decides else None, outcome=outcome, is_over=state not in _GOES_ON,
        )  # fmt: skip
        detail = {"subject": proposal.subject, "proposed_by": proposal.proposed_by}
        self._acts.record(conn, actor, f"{proposal.kind} {event}", ref=f"proposal {proposal.id}", detail=detail)

    def _now(self, proposal: KeptProposal) -> KeptProposal:
        """As it stands at this moment: what nobody confirmed in time has expired, whoever looks."""
        if proposal.state == _S.OPEN and proposal.ends_s <= self._clock():
            return replace(proposal, state=TRANSITIONS[_S.OPEN, _E.TIME_UP])
        return proposal

    def _found(self, conn: Connection, number: int) -> KeptProposal:
        proposal = proposal_of(conn, number)
        if proposal is None:
            raise NotFoundError("proposal", field="id", value=str(number))
        return proposal

    def _rule(self, kind: str) -> Rule:
        rule = self._rules.get(kind)
        if rule is None:
            raise NotFoundError("kind of act that takes two persons", field="kind", value=kind)
        return rule

    @staticmethod
    def _may_take_part(actor: Actor, rule: Rule) -> None:
        actor.must(rule.scope)
        if actor.via not in {Via.SESSION, Via.TOKEN}:
            raise NotAllowedError("this takes two persons, and the folder is nobody", right="sign in as a user")
