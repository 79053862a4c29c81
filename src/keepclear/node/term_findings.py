"""What terms in force say of filings, as a node tells it; and the refusal to file unknowingly what is not within them.

A filing is never refused because of a term: what is planned all the same is better told than hidden. But whoever files
it must know, and must say so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from keepclear.agreements.facts import Finding, Result
from keepclear.errors import Fault
from keepclear.node.refusals import ClashError

__all__ = ["TermFinding", "TermsBrokenError", "broken"]

_RIGHT = "change the plan; or say that you file it all the same, and why (despite_terms)"


@dataclass(frozen=True, slots=True)
class TermFinding:
    """What a term in force says of a filing.

    Attributes
    ----------
    agreement, line, document
        Of which agreement the term is, and SHA-256 (hex) of the document.
    type
        The type of the term.
    finding
        What it says.
    """

    agreement: str
    line: str
    document: str
    type: str
    finding: Finding

    @property
    def sentence(self) -> str:
        """Which agreement, and what the clause says of the filing."""
        return f"{self.agreement}: {self.finding.sentence}"


class TermsBrokenError(ClashError):
    """A filing would not be within a term in force, and whoever files it has not said that they know.

    Attributes
    ----------
    findings
        Which terms, and why.
    """

    def __init__(self, findings: Sequence[TermFinding], *, field: str) -> None:
        self.findings = tuple(findings)
        super().__init__(
            [
                Fault(f"not within a term in force. {one.sentence}", _RIGHT, feature=one.finding.term, field=field)
                for one in findings
            ]
        )


def broken(findings: Sequence[TermFinding]) -> tuple[TermFinding, ...]:
    """Those that say that a term is not kept to."""
    return tuple(one for one in findings if one.finding.result is Result.BREACHED)
