"""NO_SHARING: certain things are not told on the line. What a guard refuses is not kept; that it refused is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from keepclear.agreements.facts import Evidence, Finding, Result
from keepclear.agreements.terms import parameters as p
from keepclear.agreements.terms.base import Scene, Term
from keepclear.agreements.terms.quantities import said_moment
from keepclear.line.guards import NO_SHARING

__all__ = ["NoSharing"]


@dataclass(frozen=True, kw_only=True, eq=False)
class NoSharing(Term):
    """Targets, intelligence and the like are not told. Each refusal by a guard is pointed at; its content is not kept.

    A guard errs on the side of care, so a refusal is possible evidence and no more.
    """

    TYPE: ClassVar[str] = "NO_SHARING"
    JUDGES_FILINGS: ClassVar[bool] = False

    categories: tuple[str, ...] = field(metadata=p.names("what is not told, in words", "category"))

    def of_scene(self, scene: Scene) -> tuple[Finding, ...]:
        """Each refusal that is on the record."""
        found = []
        for heard in scene.heard("refused"):
            body: Any = heard.body
            counts = heard.counts_from_s
            if body.guard != NO_SHARING or counts is None or not self._is_in_time(counts):
                continue
            entry = body.entry.ref()
            author = entry.origin.split("/")[0]
            refused = f"the guard of {heard.party} refused an entry of {author} at {said_moment(counts)}"
            sentence = f"{refused}; its content was not kept."
            evidence = (Evidence(ref=heard.ref, note="the refusal"), Evidence(ref=entry, note="what was refused"))
            found.append(self.finding(Result.POSSIBLE, sentence, party=author, about=entry, evidence=evidence))
        if found:
            return tuple(found)
        what = ", ".join(self.categories)
        sentence = f"no entry was refused on the record; that nothing of {what} was told, this cannot show."
        return (self.finding(Result.NO_DATA, sentence),)

    def _is_in_time(self, counts_s: float) -> bool:
        return (self.from_s is None or counts_s >= self.from_s) and (self.until_s is None or counts_s < self.until_s)
