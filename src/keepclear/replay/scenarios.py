"""What a scenario file says: who is there, which variants there are, and step by step who does what when.

A scenario is a folder with `scenario.yaml` and what it names: plans, tracks, agreements. Everything in it is checked
when it is read, the steps of all variants too, so that a slip of the pen is told before anything runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from keepclear.errors import Fault, InputError
from keepclear.record.names import NAME_PATTERN, NAME_RIGHT
from keepclear.replay.verbs import VERBS
from keepclear.replay.yaml_reading import MOST_BYTES, Lines, read_yaml
from keepclear.times import parse_time
from keepclear.values.faults import fault_of

__all__ = ["FILE", "MAIN", "Scenario", "Step", "Variant", "read_scenario"]

FILE = "scenario.yaml"
MAIN = "main"
"""The variant that is played when none is named."""

_DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(s|min|h|d)\s*")
_SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86_400.0}
_Name = Annotated[str, Field(pattern=NAME_PATTERN, max_length=63)]
_Text = Annotated[str, Field(min_length=1, max_length=5000)]
_Word = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,40}$")]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=False)


class Variant(_Model):
    """One way in which it may have gone.

    Attributes
    ----------
    title
        In a few words.
    tells
        What is otherwise in it, and what is to be seen by it.
    """

    title: _Text
    tells: str = ""


class _LineGiven(_Model):
    id: _Name
    name: _Text


class _Head(_Model):
    scenario: _Word
    title: _Text
    about: _Text
    invented: _Text
    parties: Annotated[dict[_Name, _Text], Field(min_length=2, max_length=10)]
    line: _LineGiven
    begins: _Text
    variants: Annotated[dict[_Word, Variant], Field(min_length=1, max_length=20)]
    steps: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=500)]


class _StepHead(_Model):
    """What every step has besides what is done in it."""

    at: str | None = None
    after: str | None = None
    who: _Name | None = None
    by: Literal["officer", "owner", "authority-1", "authority-2"] | None = None
    only: list[_Word] | None = None
    skip: Annotated[list[_Word], Field(alias="except")] = Field(default=[])
    tell: str = ""
    saved: Annotated[_Word | None, Field(alias="as")] = None
    refused: Any = None
    expect: Any = None


@dataclass(frozen=True, slots=True)
class Step:
    """One step.

    Attributes
    ----------
    line
        Where it stands in the file.
    at_s, after_s
        When it is: a time, or so long after the step before; both None: right after it.
    who, by
        The party, and which of its people; None: nobody, or the duty officer.
    variants
        In which it is played.
    tell
        What is told before it.
    verb, given
        What is done, and with what.
    saved
        Under what name its result is known to later steps; empty: under none.
    refused
        What the refusal has to be like, where it is to be refused; None where it is not.
    expect
        What the result has to be like; None: anything.
    """

    line: int
    at_s: float | None
    after_s: float | None
    who: str | None
    by: str | None
    variants: frozenset[str]
    tell: str
    verb: str
    given: Any
    saved: str
    refused: Any
    expect: Any


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario that was read."""

    folder: Path
    name: str
    title: str
    about: str
    invented: str
    parties: Mapping[str, str]
    line: str
    line_name: str
    begins_s: float
    variants: Mapping[str, Variant]
    steps: tuple[Step, ...] = field(repr=False)

    def of(self, variant: str) -> tuple[Step, ...]:
        """The steps of one variant.

        Raises
        ------
        InputError
            If there is none of that name.
        """
        if variant not in self.variants:
            right = f"one of: {', '.join(self.variants)}"
            raise InputError(Fault("there is no such variant", right, field="--variant", value=variant))
        return tuple(step for step in self.steps if variant in step.variants)


def read_scenario(folder: Path) -> Scenario:
    """The scenario of a folder.

    Raises
    ------
    InputError
        With everything that is wrong with it: the file, the line, what stands there and what would be right.
    """
    path = folder / FILE if folder.is_dir() else folder
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)  # the reader refuses what is longer
    except OSError as error:
        right = f"a folder with {FILE} in it"
        raise InputError(Fault(f"cannot be read: {error.strerror or error}", right, file=str(path))) from None
    value, lines = read_yaml(data, file=str(path))
    return _Reading(path, lines).scenario(value)


class _Reading:
    """Reads one file, and gathers what is wrong with it."""

    def __init__(self, path: Path, lines: Lines) -> None:
        self.path, self.lines = path, lines
        self.faults: list[Fault] = []

    def scenario(self, value: Any) -> Scenario:
        if not isinstance(value, dict):
            raise InputError(Fault("not a scenario", "a mapping: scenario, title, …", file=str(self.path)))
        head = self._checked(_Head, value, ())
        if head is None:
            raise InputError(self.faults)
        begins_s = self._time(head.begins, ("begins",))
        if MAIN not in head.variants:
            self._fault(("variants",), "no main variant", f"one of the name {MAIN}")
        steps = [one for number, given in enumerate(head.steps) if (one := self._step(number, given, head))]
        self._in_order(steps, begins_s)
        if self.faults:
            raise InputError(self.faults)
        return Scenario(
            self.path.parent, head.scenario, head.title, head.about.strip(), head.invented.strip(), head.parties,
            head.line.id, head.line.name, begins_s, head.variants, tuple(steps),
        )  # fmt: skip

    def _step(self, number: int, given: dict[str, Any], head: _Head) -> Step | None:
        path = ("steps", number)
        verbs = [name for name in given if name in VERBS]
        rest = {name: one for name, one in given.items() if name not in VERBS}
        if len(verbs) > 1 or (not verbs and "tell" not in given):
            told = f"{' and '.join(verbs)} in one step" if verbs else "nothing is done in it"
            self._fault(path, told, f"one of: {', '.join(sorted(VERBS))}")
        own = self._checked(_StepHead, rest, path)
        if own is None:
            return None
        verb = verbs[0] if verbs else ""
        if verb:
            self._checked(VERBS[verb], given[verb], (*path, verb))
        self._check_who(own, verb, head, path)
        at_s = None if own.at is None else self._time(own.at, (*path, "at"))
        after_s, variants = self._seconds(own.after, (*path, "after")), self._variants(own, head, path)
        return Step(
            self.lines.get(path, 0), at_s, after_s, own.who, own.by, variants, own.tell, verb, given.get(verb),
            own.saved or "", own.refused, own.expect,
        )  # fmt: skip

    def _check_who(self, own: _StepHead, verb: str, head: _Head, path: tuple[str | int, ...]) -> None:
        right = f"one of: {', '.join(head.parties)}"
        if own.who is not None and own.who not in head.parties:
            self._fault((*path, "who"), "no party of the scenario", right, own.who)
        if own.who is None and verb and VERBS[verb].BY_A_PARTY:
            self._fault((*path, verb), "it is not said who does it", f"who: {right}")
        if own.at is not None and own.after is not None:
            self._fault((*path, "after"), "two times", "at, or after, not both")
        if own.refused is not None and own.expect is not None:
            self._fault((*path, "expect"), "what is refused has no result", "refused, or expect, not both")

    def _variants(self, own: _StepHead, head: _Head, path: tuple[str | int, ...]) -> frozenset[str]:
        for name in (*(own.only or ()), *own.skip):
            if name not in head.variants:
                self._fault(path, "no variant of the scenario", f"one of: {', '.join(head.variants)}", name)
        return frozenset(head.variants if own.only is None else own.only) - frozenset(own.skip)

    def _in_order(self, steps: list[Step], begins_s: float) -> None:
        for variant in sorted({one for step in steps for one in step.variants}):
            last_s = begins_s
            for step in steps:
                if variant in step.variants and step.at_s is not None:
                    if step.at_s < last_s:
                        where = f"line {step.line}"
                        right = "the steps in the order in which they happen"
                        fault = Fault("it is before the step before it", right, str(self.path), where, "at")
                        self.faults += [] if fault in self.faults else [fault]
                    last_s = max(last_s, step.at_s)

    def _time(self, text: str, path: tuple[str | int, ...]) -> float:
        try:
            return parse_time(text)
        except InputError as error:
            fault = error.faults[0]
            self._fault(path, fault.problem, fault.right, text)
            return 0.0

    def _seconds(self, text: str | None, path: tuple[str | int, ...]) -> float | None:
        match = None if text is None else _DURATION.fullmatch(text)
        if text is not None and match is None:
            self._fault(path, "not a time to wait", "a number and s, min, h or d: 90 s", text)
        return None if match is None else float(match[1]) * _SECONDS[match[2]]

    def _checked(self, model: type[Any], value: Any, path: tuple[str | int, ...]) -> Any:
        try:
            return model.model_validate(value)
        except ValidationError as error:
            for told in _errors(error):
                fault = fault_of(told)
                right = _right(fault, model, nested=len(told["loc"]) > 1)
                self._fault((*path, *told["loc"]), fault.problem, right, fault.value)
            return None

    def _fault(self, path: tuple[str | int, ...], problem: str, right: str = "", value: str = "") -> None:
        known = next((path[:n] for n in range(len(path), -1, -1) if path[:n] in self.lines), ())
        where = f"line {self.lines.get(known, 1)}"
        shown = "".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in path).lstrip(".")
        self.faults.append(Fault(problem, right, str(self.path), where, shown, value))


def _errors(error: ValidationError) -> Iterator[dict[str, Any]]:
    for one in error.errors(include_url=False):
        yield dict(one)


def _right(fault: Fault, model: type[BaseModel], *, nested: bool) -> str:
    if "openapi" in fault.right:  # a member that is not known
        if nested:
            return "leave it out; a text with a comma in it stands in quotes"
        names = [one.alias or name for name, one in model.model_fields.items()]
        return f"one of: {', '.join(names)}"
    return NAME_RIGHT if fault.problem == "not a name" else fault.right
