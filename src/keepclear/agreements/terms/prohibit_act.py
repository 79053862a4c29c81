"""PROHIBIT_ACT: acts that nobody does: dazzling with lasers, jamming, simulated attacks, blocking, close passes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from keepclear.agreements.facts import Finding, Result
from keepclear.agreements.terms import parameters as p
from keepclear.agreements.terms.base import Scene, Term
from keepclear.agreements.terms.quantities import said_moment
from keepclear.agreements.terms.reported import accused, incidents, reply_evidence, stances

__all__ = ["ProhibitAct"]


@dataclass(frozen=True, kw_only=True, eq=False)
class ProhibitAct(Term):
    """Nobody who is bound does these.

    What an incident report says that was done is possible; that the party of whom it is said concurs makes it a breach.
    That nothing was reported shows nothing.
    """

    TYPE: ClassVar[str] = "PROHIBIT_ACT"
    JUDGES_FILINGS: ClassVar[bool] = False

    acts: tuple[str, ...] = field(metadata=p.names("the acts, in the words that reports use, for example lasing"))

    def of_scene(self, scene: Scene) -> tuple[Finding, ...]:
        """Each report of such an act."""
        found = []
        for heard in incidents(self, scene):
            body: Any = heard.body
            acts = [act for act in self.acts if any(act.casefold() in one.casefold() for one in body.acts)]
            if not acts:
                continue
            whom = accused(self, heard)
            concur, against = stances(heard, scene)
            when = said_moment(body.detected_s if body.from_s is None else body.from_s)
            said = f"{heard.party} reports {' and '.join(acts)}{f' by {whom}' if whom else ''} at {when}"
            result = Result.BREACHED if whom and whom in concur else Result.POSSIBLE
            ends = f"; {whom} concurs" if result is Result.BREACHED else "; one side's report"
            ends += f", disputed by {' and '.join(against)}" if against else ""
            found.append(
                self.finding(
                    result,
                    f"{said}{ends}.",
                    party=whom,
                    about=heard.ref,
                    from_s=body.from_s,
                    to_s=body.to_s,
                    evidence=reply_evidence(heard, scene, ", ".join(acts)),
                    disputed_by=against,
                )
            )
        if found:
            return tuple(found)
        sentence = f"no report of {', '.join(self.acts)} is on the record, which does not show that there was none."
        return (self.finding(Result.NO_DATA, sentence),)
