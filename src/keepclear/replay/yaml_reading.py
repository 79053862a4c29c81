"""YAML as plain values, and on which line each of them stands.

Times stay text: whether one has a zone is for its reader to say. A name that stands twice in a mapping, a tag and a
document of more than a megabyte are refused; an alias is allowed, and counts as often as it is used.
"""

from __future__ import annotations

from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from keepclear.errors import Fault, InputError

__all__ = ["MOST_BYTES", "Lines", "read_yaml"]

Lines = dict[tuple[str | int, ...], int]
"""The line, from 1, of what stands at each path."""

MOST_BYTES = 1 << 20
_MOST_NODES = 100_000
_DEEPEST = 40
_TAG = "tag:yaml.org,2002:"
_PLAIN = {"str", "int", "float", "bool", "null", "timestamp", "map", "seq"}


def read_yaml(data: bytes, *, file: str) -> tuple[Any, Lines]:
    """The value of a document, and where everything in it stands.

    Raises
    ------
    InputError
        With everything that makes it no such document.
    """
    if len(data) > MOST_BYTES:
        raise InputError(Fault(f"{len(data)} bytes", f"at most {MOST_BYTES}", file=file))
    try:
        node = YAML(typ="rt", pure=True).compose(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise InputError(Fault("not UTF-8", "text in UTF-8", file=file, feature=f"byte {error.start}")) from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = "" if mark is None else f"line {mark.line + 1}"
        raise InputError(Fault(f"not YAML: {error.problem or error.context}", file=file, feature=where)) from None
    except (YAMLError, ValueError, RecursionError) as error:
        raise InputError(Fault(f"not YAML: {type(error).__name__}", "YAML 1.2", file=file)) from None
    if node is None:
        raise InputError(Fault("there is nothing in it", "a mapping", file=file))
    reader = _Reader(file)
    value = reader.value(node, ())
    if reader.faults:
        raise InputError(reader.faults)
    return value, reader.lines


class _Reader:
    """Makes plain values of nodes."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.lines: Lines = {}
        self.faults: list[Fault] = []
        self._left = _MOST_NODES

    def value(self, node: Node, path: tuple[str | int, ...]) -> Any:
        self._left -= 1
        if self._left < 0 or len(path) > _DEEPEST:
            raise InputError(Fault("too much in it", f"at most {_MOST_NODES} values, {_DEEPEST} deep", file=self.file))
        line = node.start_mark.line + 1
        self.lines[path] = line
        kind = str(node.tag).removeprefix(_TAG)
        if kind not in _PLAIN:
            self._fault(node, "a tag", "plain YAML", value=str(node.tag))
            return None
        if isinstance(node, MappingNode):
            return self._mapping(node, path)
        if isinstance(node, SequenceNode):
            return [self.value(one, (*path, number)) for number, one in enumerate(node.value)]
        assert isinstance(node, ScalarNode)
        return self._scalar(node, kind)

    def _mapping(self, node: MappingNode, path: tuple[str | int, ...]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                self._fault(key, "a name that is no text", "text")
                continue
            if key.value in found:
                self._fault(key, "it stands twice", "each name once", value=key.value)
            found[key.value] = self.value(value, (*path, key.value))
            self.lines[(*path, key.value)] = key.start_mark.line + 1
        return found

    def _scalar(self, node: ScalarNode, kind: str) -> Any:
        text = str(node.value)
        try:
            if kind == "int":
                return int(text.replace("_", ""), 0) if not text.lstrip("+-").isdigit() else int(text)
            if kind == "float":
                return float(text.replace("_", "").replace(".inf", "inf").replace(".nan", "nan"))
        except ValueError:
            self._fault(node, "not a number", "a number, or text in quotes", value=text)
        if kind == "bool":
            return text.casefold() == "true"
        return None if kind == "null" else text

    def _fault(self, node: Node, problem: str, right: str, *, value: str = "") -> None:
        where = f"line {node.start_mark.line + 1}"
        self.faults.append(Fault(problem, right, file=self.file, feature=where, value=value))
