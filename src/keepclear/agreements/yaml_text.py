"""YAML of people, read strictly and within bounds: YAML 1.2, its core schema, and nothing that can be misread.

Refused, with file and line: a name twice in one mapping, anchors and aliases (of which bombs are made), tags, several
documents, what is nested too deep. A date is text here, so that whoever reads it can ask for its zone; so is ``no``.
JSON is YAML, and is read by the same.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from keepclear.errors import Fault, InputError

__all__ = ["MOST_YAML_BYTES", "YamlText", "read_yaml"]

MOST_YAML_BYTES = 2**20
"""Terms, not texts: those have files of their own."""
_MOST_EVENTS = 60_000
_DEEPEST = 32

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?[0-9]{1,17}", re.ASCII)
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]{1,4})?", re.ASCII)
_MOST_INTEGER = 2**53 - 1

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class YamlText:
    """What a file says, and where.

    Attributes
    ----------
    value
        Mappings, lists, texts, numbers, truth values, None.
    lines
        The line of each value, from 1, by its path.
    """

    value: Any
    lines: Mapping[Path, int] = field(repr=False)

    def line(self, path: Path) -> int:
        """The line of a value; that of what it is in where it is not there."""
        while path not in self.lines and path:
            path = path[:-1]
        return self.lines.get(path, 1)


def read_yaml(data: bytes, *, file: str = "") -> YamlText:
    """The value of a YAML text.

    Raises
    ------
    InputError
        If it is too long, not UTF-8, not YAML, or has what is refused here; with file and line.
    """
    if len(data) > MOST_YAML_BYTES:
        problem = f"{len(data)} bytes, more than the {MOST_YAML_BYTES} allowed"
        raise InputError(Fault(problem, "long texts and maps go into files of their own", file=file))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(Fault(f"not UTF-8 at byte {error.start}", "save it as UTF-8", file=file)) from None
    building = _Building(file)
    for event in _events(text, file):
        building.take(event)
    if building.faults:
        raise InputError(building.faults)
    return YamlText(building.value, building.lines)


def _events(text: str, file: str) -> Iterator[Any]:
    from ruamel.yaml import YAML  # only where YAML is read
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        for number, event in enumerate(YAML(typ="safe", pure=True).parse(text)):
            if number >= _MOST_EVENTS:
                raise InputError(Fault(f"more than {_MOST_EVENTS} values", "a shorter file", file=file))
            yield event
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = "" if mark is None else f"line {mark.line + 1}"
        raise InputError(Fault(f"not YAML: {error.problem or error.context}", file=file, feature=where)) from None
    except (YAMLError, ValueError, RecursionError) as error:
        raise InputError(Fault(f"not YAML: {error}", file=file)) from None


class _Building:
    """Makes the value of a stream of events; a plain loop, so that no depth of nesting matters."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.value: Any = None
        self.lines: dict[Path, int] = {}
        self.faults: list[Fault] = []
        self._documents = 0
        self._open: list[tuple[Any, Path]] = []
        self._names: list[str | None] = []

    def take(self, event: Any) -> None:
        kind = type(event).__name__
        line = event.start_mark.line + 1
        if kind == "DocumentStartEvent":
            self._documents += 1
            if self._documents == 2:
                self._fault(line, "a second document in the file", "one")
        elif kind == "AliasEvent":
            self._fault(line, "an alias", "write it out", f"*{event.anchor}")
            self._put(None, line)
        elif kind in {"MappingStartEvent", "SequenceStartEvent"}:
            self._check(event, line)
            self._begin({} if kind == "MappingStartEvent" else [], line)
        elif kind in {"MappingEndEvent", "SequenceEndEvent"}:
            self._open.pop()
            self._names.pop()
        elif kind == "ScalarEvent":
            self._check(event, line)
            plain = event.implicit[0] and event.style in {None, ""}
            self._scalar(event.value, line, plain=plain)

    def _check(self, event: Any, line: int) -> None:
        if event.anchor is not None:
            self._fault(line, "an anchor", "leave it out", f"&{event.anchor}")
        tag = getattr(event, "tag", None)
        if tag is not None and str(tag) != "!":
            self._fault(line, "a tag", "leave it out", str(tag))

    def _begin(self, made: Any, line: int) -> None:
        if len(self._open) >= _DEEPEST:
            raise InputError(Fault(f"nested deeper than {_DEEPEST}", "a flatter file", self.file, f"line {line}"))
        path = self._put(made, line)
        self._open.append((made, path))
        self._names.append(None)

    def _scalar(self, text: str, line: int, *, plain: bool) -> None:
        if self._open and isinstance(self._open[-1][0], dict) and self._names[-1] is None:
            self._name(text, line)
        else:
            self._put(self._value(text, line) if plain else text, line)

    def _name(self, text: str, line: int) -> None:
        holder, path = self._open[-1]
        if text in holder:
            where = ".".join(map(str, (*path, text)))
            self._fault(line, "the same name twice in one mapping", "each once", where)
        self._names[-1] = text

    def _value(self, text: str, line: int) -> Any:
        if text in _NULL:
            return None
        if text in _BOOL:
            return _BOOL[text]
        if _INT.fullmatch(text) and abs(int(text)) <= _MOST_INTEGER:
            return int(text)
        if _FLOAT.fullmatch(text):
            number = float(text)
            if not math.isfinite(number) or abs(number) > _MOST_INTEGER:
                self._fault(line, "a number that is too large", "a smaller one, or text in quotes", text)
            return number
        return text

    def _put(self, value: Any, line: int) -> Path:
        if not self._open:
            path: Path = ()
            self.value = value
        else:
            holder, above = self._open[-1]
            if isinstance(holder, dict):
                name = self._names[-1]
                if name is None:  # a mapping or a list where a name belongs
                    self._fault(line, "a name that is no text", "text")
                    name = f"line {line}"
                    self._names[-1] = name
                    return (*above, name)
                holder.setdefault(name, value)
                path, self._names[-1] = (*above, name), None
            else:
                holder.append(value)
                path = (*above, len(holder) - 1)
        self.lines.setdefault(path, line)
        return path

    def _fault(self, line: int, problem: str, right: str = "", value: str = "") -> None:
        if len(self.faults) < 100:
            self.faults.append(Fault(problem, right, self.file, f"line {line}", value=value))
