"""Plays a scenario: does each step at its time, tells what happened, and compares it with what is expected.

What a step does goes the way that a person's act goes: through the HTTP API of the party's node. Then everything is
delivered and looked at before the next step, and what the nodes show their people by themselves is told too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from keepclear.errors import Fault, InputError, KeepclearError
from keepclear.replay.matching import misses
from keepclear.replay.scenarios import Scenario, Step
from keepclear.replay.showing import Showing
from keepclear.replay.stage import OFFICER, Serve, Stage
from keepclear.replay.verbs import VERBS, Doing, Names, Verb
from keepclear.times import to_text
from keepclear.values.faults import fault_of

__all__ = ["Failure", "Played", "Player", "Told"]


@dataclass(frozen=True, slots=True)
class Told:
    """One step as it was played.

    Attributes
    ----------
    line
        Where it stands in the file.
    at_s, who, verb
        When, whose, and what.
    sentences
        What is told of it, line by line.
    result
        What the node answered; the refusal, as `{"refused": …}`, where it refused.
    failures
        What was expected and was not so.
    """

    line: int
    at_s: float
    who: str | None
    verb: str
    sentences: tuple[str, ...]
    result: Any
    failures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Failure:
    """An expectation that was not met."""

    line: int
    at_s: float
    who: str | None
    verb: str
    sentence: str

    def __str__(self) -> str:
        who = f" of {self.who}" if self.who else ""
        return f"line {self.line}, {self.verb}{who} at {stamp(self.at_s)}: {self.sentence}"


@dataclass
class Played:
    """What became of a scenario."""

    scenario: str
    variant: str
    steps: list[Told] = field(default_factory=list)
    expectations: int = 0
    failures: list[Failure] = field(default_factory=list)


class Player:
    """Plays one variant of a scenario.

    Parameters
    ----------
    scenario, variant
        What is played.
    folder
        Where the nodes' folders are made.
    serve
        Serves a node.
    tell
        Is given each line of the story as it happens.
    pause
        Called before time goes by, with the seconds that go by: to make it slow enough to be watched.
    """

    def __init__(
        self, scenario: Scenario, variant: str, folder: Path, *, serve: Serve, tell: Callable[[str], None],
        pause: Callable[[float], None] = lambda _: None,
    ) -> None:  # fmt: skip
        self._scenario, self._steps = scenario, scenario.of(variant)
        self._tell, self._pause = tell, pause
        self.played = Played(scenario.name, variant)
        self.names = Names()
        self.stage = Stage(
            folder, scenario.parties, line=scenario.line, line_name=scenario.line_name, begins_s=scenario.begins_s,
            serve=serve,
        )  # fmt: skip
        self._showing = Showing(self.stage)

    def play(self) -> Played:
        """Play it to its end; what was expected and was not so does not stop it.

        Raises
        ------
        KeepclearError
            If a step cannot be done that was to be done.
        """
        for step in self._steps:
            self._go_to(step)
            self._play(step)
        return self.played

    # --- inside ----------------------------------------------------------------------------------------------------

    def _go_to(self, step: Step) -> None:
        stage = self.stage
        to_s = stage.now_s if step.after_s is None else stage.now_s + step.after_s
        to_s = max(to_s, stage.now_s if step.at_s is None else step.at_s)
        while stage.now_s < to_s - 0.0005:
            moment_s = stage.next_moment_s(to_s)
            self._pause(moment_s - stage.now_s)
            stage.step_to(moment_s)
            self._shown()
        stage.step_to(to_s)

    def _play(self, step: Step) -> None:
        if step.tell:
            self._say("", step.tell.strip())
        if not step.verb:
            return
        sentences: list[str] = []
        at_s = self.stage.now_s
        result, failures = self._done(step, sentences)
        for sentence in sentences:
            self._say(step.who or "", sentence)
        self.stage.look()
        shown = self._shown()
        for failure in failures:
            self._say("", f"NOT AS EXPECTED: {failure}")
        if step.saved:
            self.names.keep(step.saved, result)
        told = Told(step.line, at_s, step.who, step.verb, (*sentences, *shown), result, tuple(failures))
        self.played.steps.append(told)
        self.played.expectations += (step.expect is not None) + (step.refused is not None)
        self.played.failures += [Failure(step.line, at_s, step.who, step.verb, one) for one in failures]

    def _done(self, step: Step, sentences: list[str]) -> tuple[Any, list[str]]:
        """Do it; the result, and what of it is not as expected."""
        verb = self._verb(step)
        doing = Doing(
            self.stage, self._scenario.folder, step.who or "", step.by or OFFICER, self.names, sentences.append
        )
        try:
            result = verb.do(doing)
        except KeepclearError as error:
            if step.refused is None:
                problem = f"{step.verb} could not be done: {error}"
                raise InputError(
                    Fault(problem, file=str(self._scenario.folder), feature=f"line {step.line}")
                ) from error
            refusal = str(error)
            sentences.append(f"is refused: {refusal}")
            return {"refused": refusal}, misses(self.names.put_in(step.refused), refusal)
        if step.refused is not None:
            return result, ["it was to be refused, and it was done"]
        return result, [] if step.expect is None else misses(self.names.put_in(step.expect), result)

    def _verb(self, step: Step) -> Verb:
        """What is done, with the results of earlier steps in the place of their names."""
        where = {"file": str(self._scenario.folder), "feature": f"line {step.line}"}
        try:
            return VERBS[step.verb].model_validate(self.names.put_in(step.given))
        except ValidationError as error:
            raise InputError([replace(fault_of(dict(one)), **where) for one in error.errors()]) from None
        except InputError as error:
            raise InputError([replace(one, **where) for one in error.faults]) from None

    def _shown(self) -> list[str]:
        """What the nodes have begun to show their people since it was last looked."""
        seen: dict[str, list[str]] = {}
        for party, sentence in self._showing.new():
            seen.setdefault(sentence, []).append(party)
        told = [f"   at {' and '.join(parties)}: {sentence}" for sentence, parties in seen.items()]
        for sentence in told:
            self._say(" ->", sentence.strip())
        return [one.strip() for one in told]

    def _say(self, who: str, sentence: str) -> None:
        for line in _lines(sentence):
            begun = who and not line.startswith(" ")
            self._tell(f"{stamp(self.stage.now_s)}  {who:4} {line}".rstrip() if begun else f"{'':26} {line}".rstrip())


def stamp(time_s: float) -> str:
    """A time to the second."""
    return to_text(round(time_s))[:19] + "Z"


def _lines(sentence: str) -> Iterator[str]:
    yield from (line for line in sentence.splitlines() if line.strip())
