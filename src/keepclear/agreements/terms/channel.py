"""CHANNEL: how the parties reach each other: tested so many times a day, and in which languages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

from keepclear.agreements.facts import Evidence, Finding, Heard, Result
from keepclear.agreements.terms import parameters as p
from keepclear.agreements.terms.base import Scene, Term
from keepclear.agreements.terms.quantities import said_duration, said_moment
from keepclear.record.entries import EntryRef

__all__ = ["ChannelTerm"]

_DAY_S = 86_400.0
_NAMED = 20


@dataclass(frozen=True, kw_only=True, eq=False)
class ChannelTerm(Term):
    """The channel is tested so many times each day (UTC), and is never down long. A test counts when it was given back.

    The state of the channel has nothing to do with the state of the agreement.
    """

    TYPE: ClassVar[str] = "CHANNEL"
    JUDGES_FILINGS: ClassVar[bool] = False

    primary: str = field(default="", metadata=p.text("the first way to reach each other"))
    alternates: tuple[str, ...] = field(default=(), metadata=p.names("other ways, in order"))
    frequencies: tuple[str, ...] = field(default=(), metadata=p.names("frequencies, in words"))
    languages: tuple[str, ...] = field(default=(), metadata=p.names("languages of messages (BCP 47), for example ar"))
    tests_per_day: int | None = field(default=None, metadata=p.count("how many tests a day at least"))
    max_outage_s: float | None = field(default=None, metadata=p.duration("for how long it may be down at a time"))

    def of_scene(self, scene: Scene) -> tuple[Finding, ...]:
        """Tests, outages and languages; no data where nothing of it can be checked."""
        found = (*self._tests(scene), *self._outages(scene), *self._languages(scene))
        if found:
            return found
        sentence = f"reached by {self.primary or 'a channel that the text names'}; nothing of it can be checked here."
        return (self.finding(Result.NO_DATA, sentence),)

    def _tests(self, scene: Scene) -> Iterator[Finding]:
        if self.tests_per_day is None:
            return
        begun = {one.ref: one for one in scene.heard("line-test") if one.body.returns is None}  # type: ignore[attr-defined]
        returned = [one for one in scene.heard("line-test") if one.body.returns is not None]  # type: ignore[attr-defined]
        whole = list({one.body.returns.ref(): one for one in returned if _is_whole(one, begun)}.values())  # type: ignore[attr-defined]
        known = [one.counts_from_s for one in (*begun.values(), *returned) if one.counts_from_s is not None]
        seen = [start for spans in scene.record.channel.values() for start, _, _ in spans]
        since = [one for one in (self.from_s, min(seen, default=None)) if one is not None]
        first_s = max(since, default=min(known, default=0.0) // _DAY_S * _DAY_S)
        last_s = scene.at_s if self.until_s is None else min(scene.at_s, self.until_s)
        if not known and not seen:
            yield self.finding(Result.NO_DATA, "no test of the line and no state of the channel is on the record.")
            return
        # A day that is only half in force, or not over yet, says nothing.
        days = range(int(-(-first_s // _DAY_S)), int(last_s // _DAY_S))
        counts = Counter(int((one.counts_from_s or 0.0) // _DAY_S) for one in whole)
        evidence = tuple(Evidence(ref=one.ref, note="a test given back") for one in whole[:1000])
        if not days:
            sentence = f"{self.tests_per_day} tests a day are asked, and no whole day has passed yet."
            yield self.finding(Result.NOT_YET, sentence, due_s=(last_s // _DAY_S + 1) * _DAY_S)
            return
        short = [day for day in days if counts[day] < self.tests_per_day]
        asked = f"{self.tests_per_day} tests a day, given back, are asked"
        times = {"from_s": days[0] * _DAY_S, "to_s": (days[-1] + 1) * _DAY_S, "evidence": evidence}
        if not short:
            yield self.finding(Result.MET, f"{asked}, and there were on each of {len(days)} days.", **times)
            return
        named = ", ".join(f"{said_moment(day * _DAY_S)[:10]} ({counts[day]})" for day in short[:_NAMED])
        more = f" and {len(short) - _NAMED} more days" if len(short) > _NAMED else ""
        yield self.finding(
            Result.BREACHED, f"{asked}; fewer on {len(short)} of {len(days)} days: {named}{more}.", **times
        )

    def _outages(self, scene: Scene) -> Iterator[Finding]:
        if self.max_outage_s is None:
            return
        if not scene.record.channel:
            yield self.finding(Result.NO_DATA, "nothing of the state of the channel is known here.")
            return
        for party, spans in sorted(scene.record.channel.items()):
            down = [(max(a, self.from_s or a), min(b, scene.at_s)) for a, b, state in spans if state == "down"]
            long = [(a, b) for a, b in down if b - a > self.max_outage_s]
            asked = f"at most {said_duration(self.max_outage_s)} at a time is asked"
            for start, end in long:
                down_for = f"was down for {said_duration(end - start)} from {said_moment(start)}"
                sentence = f"the channel to {party} {down_for}, as seen here; {asked}."
                yield self.finding(Result.BREACHED, sentence, from_s=start, to_s=end)
            if not long:
                yield self.finding(Result.MET, f"the channel to {party} was never down longer, as seen here; {asked}.")

    def _languages(self, scene: Scene) -> Iterator[Finding]:
        if not self.languages:
            return
        agreed = {one.split("-")[0].casefold() for one in self.languages}
        for heard in scene.heard("message"):
            body: Any = heard.body
            if heard.party in self.parties and body.language and body.language.split("-")[0].casefold() not in agreed:
                sentence = f"{heard.party} wrote in {body.language}; {', '.join(self.languages)} are agreed."
                yield self.finding(
                    Result.BREACHED, sentence, party=heard.party, about=heard.ref, evidence=(Evidence(ref=heard.ref),)
                )


def _is_whole(heard: Heard, begun: dict[EntryRef, Heard]) -> bool:
    """Whether a test came back as it was sent, from another party: one's own echo shows nothing of the line."""
    body: Any = heard.body
    test = begun.get(body.returns.ref())
    return test is not None and test.party != heard.party and test.body.text == body.text  # type: ignore[attr-defined]
