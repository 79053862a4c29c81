"""Write docs/reference/ from the code, so that it cannot say anything else; tests/docs holds it to that."""

from __future__ import annotations

import enum
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

import keepclear
from keepclear.cli.app import app
from keepclear.formats.registry import formats_table
from keepclear.model import kinds
from keepclear.node.settings import FILE, PREFIX, rows
from keepclear.separation.minima import MinimaTable
from tools import make_http_reference

__all__ = ["FOLDER", "commands", "pages"]

FOLDER = Path(__file__).parents[1] / "docs" / "reference"
_MADE = "<!-- Written by tools/make_reference.py (make docs): change the code, not this page. -->"


def pages() -> dict[str, str]:
    """Text of every page by its file's name."""
    made = {
        "command-line.md": _command_line(),
        "api.md": _api(),
        "http.md": make_http_reference.lines(),
        "kinds.md": _kinds(),
        "minima.md": _minima(),
        "formats.md": _formats(),
        "settings.md": _settings(),
    }
    return {name: "\n".join([*lines, _MADE]) + "\n" for name, lines in made.items()}


def _settings() -> list[str]:
    lines = [
        "# Settings of a node",
        "",
        f"Said in `{FILE}` in the node's folder (`port = 8470`), by an environment variable (`{PREFIX}PORT=8470`), or",
        "where there is one by an option of `keepclear serve`; the later of these counts. A value that cannot be is",
        "refused when the node starts, with all others that cannot be.",
        "",
        "| setting | value | default | |",
        "|---|---|---|---|",
    ]
    for name, right, default, sentence in rows():
        shown = "" if default == "" else f"`{str(default).lower() if isinstance(default, bool) else default}`"
        lines.append(f"| `{name}` | {right} | {shown} | {sentence} |")
    return [*lines, ""]


def _command_line() -> list[str]:
    group: Any = typer.main.get_command(app())
    every = dict(commands(group))
    lines = ["# The command line", "", "```text"]
    lines += [f"keepclear {name} {_usage(command)}".rstrip() for name, command in every.items()]
    lines += ["keepclear --version", "```", "", *_statuses(), "", "## keepclear", "", *_parameters(group)]
    for name, command in every.items():
        lines += [f"## keepclear {name}", "", inspect.cleandoc(command.callback.__doc__), "", *_parameters(command)]
    return lines


def commands(group: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    """Every command by its whole name, those of groups among them."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{before}{name} ")
        else:
            yield f"{before}{name}", command


def _usage(command: Any) -> str:
    parts = []
    for parameter in command.params:
        if parameter.param_type_name == "argument":
            parts.append(_metavar(parameter))
        else:
            shown = f"{_long(parameter)} {_metavar(parameter)}".strip()
            parts.append(shown if parameter.required else f"[{shown}]")
    return " ".join(parts)


def _parameters(command: Any) -> list[str]:
    rows = ["| | |", "|---|---|"]
    for parameter in command.params:
        names = ", ".join(sorted(parameter.opts, key=len)) if parameter.param_type_name == "option" else ""
        what = f"{names} {_metavar(parameter)}".strip().replace("|", "\\|")
        default = parameter.default
        after = f" Default: `{default}`." if isinstance(default, str) and default else ""
        rows.append(f"| `{what}` | {parameter.help}{after} |")
    return [*rows, ""] if len(rows) > 2 else ["No options.", ""]


def _metavar(parameter: Any) -> str:
    if parameter.param_type_name == "option" and parameter.is_flag:
        return ""
    return str(parameter.metavar)


def _long(parameter: Any) -> str:
    return str(max(parameter.opts, key=len))


def _statuses() -> list[str]:
    return [
        "| exit status | |",
        "|---|---|",
        "| 0 | clear: no conflict found in what is known; not a permission. verify: proved. audit: nothing wrong |",
        "| 1 | conflict. verify: not proved. audit: something found. Others: a proof or a hash does not hold |",
        "| 2 | bad input: one line per fault on standard error, and no answer |",
        "| 3 | possible, and no conflict. audit: nothing wrong, but whose log it is was not checked |",
        "| 70 | no answer, through a fault of keepclear's own |",
        "| 74 | what was to be kept could not be, or is in use by another process |",
        "| 130 | no answer: stopped from the keyboard |",
        "| 141 | no answer: whoever read the output went away |",
    ]


def _api() -> list[str]:
    lines = [
        "# The library",
        "",
        "Everything here is had with `import keepclear`; names are loaded when first used.",
        "",
    ]
    for name in sorted(keepclear.__all__, key=str.casefold):
        lines += [f"## keepclear.{name}", "", "```text", *_signature(name), "```", "", *_described(name)]
    return lines


def _signature(name: str) -> Iterator[str]:
    thing = getattr(keepclear, name)
    if isinstance(thing, type) and issubclass(thing, enum.Enum):
        yield from (f"{name}.{member.name} = {member.value!r}" for member in thing)
        return
    if isinstance(thing, type) and issubclass(thing, Exception) and "__init__" not in vars(thing):
        yield f"{name}({', '.join(base.__name__ for base in thing.__bases__)})"
        return
    yield from _one_a_line(name, thing)
    for method, value in _methods(thing):
        yield from _one_a_line(f"{name}.{method}", value)


def _methods(thing: Any) -> Iterator[tuple[str, Any]]:
    """Public methods of a class by name."""
    if not isinstance(thing, type) or issubclass(thing, Exception):
        return
    for method, value in vars(thing).items():
        if not method.startswith("_") and (inspect.isfunction(value) or isinstance(value, classmethod | staticmethod)):
            yield method, getattr(thing, method)


def _one_a_line(name: str, thing: Any) -> Iterator[str]:
    signature = inspect.signature(thing)
    parameters = list(signature.parameters.values())
    if parameters and parameters[0].name == "self":
        signature = signature.replace(parameters=parameters[1:])
    text = _unquoted(f"{name}{signature}").removesuffix(" -> None")
    if len(text) <= 100:
        yield text
        return
    yield f"{name}("
    keyword_only = False
    for parameter in signature.parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and not keyword_only:
            keyword_only = True
            yield "    *,"
        yield _unquoted(f"    {parameter},")
    returns = signature.return_annotation
    yield ")" if returns in (inspect.Signature.empty, None, "None") else f") -> {returns}"


def _unquoted(text: str) -> str:
    """Annotations without the quotes of `from __future__ import annotations`; enum members and functions by name."""
    named = re.sub(r"<(?:function )?([\w.]+)(?:: | at )[^>]*>", r"\1", text)
    return re.sub(r"(: |-> )'([^']*)'", r"\1\2", named)


def _described(name: str) -> list[str]:
    """The docstring: its sections as headings in bold, its fields as a list, the first lines of its methods' own."""
    thing = getattr(keepclear, name)
    text = inspect.getdoc(thing) or ""
    lines: list[str] = []
    section = ""
    fenced = False
    source = text.splitlines()
    for number, line in enumerate(source):
        following = source[number + 1] if number + 1 < len(source) else ""
        if following and set(following) == {"-"}:
            section = line
            lines.append(f"**{line}**")
            continue
        if line and set(line) == {"-"}:
            lines.append("")
            continue
        if section == "Examples":
            if line and not fenced:
                lines += ["```python", f">>> from keepclear import {name}"]
                fenced = True
            elif not line and fenced:
                lines.append("```")
                fenced = False
            lines.append(line)
            continue
        if section and line and not line.startswith(" "):
            lines.append(f"- `{line}`")
        else:
            lines.append((f"  {line.strip()}" if section and line else line).replace("``", "`"))
    if fenced:
        lines.append("```")
    methods = [f"- `{method}`\n  {inspect.getdoc(value) or ''}".split("\n\n")[0] for method, value in _methods(thing)]
    if methods:
        lines += ["", "**Methods**", "", *(line.replace("``", "`") for line in methods)]
    return [*lines, ""]


def _kinds() -> list[str]:
    lines = [
        "# Kinds",
        "",
        "Case, spaces, hyphens and underscores do not matter. Any other word is refused, with this list.",
        "",
        "| operation | moves |",
        "|---|---|",
    ]
    order = list(kinds.Domain)
    for kind in kinds.OperationKind:
        domains = sorted(kinds.OPERATION_DOMAINS[kind], key=order.index)
        lines.append(f"| {kind.value} | {', '.join(domains)} |")
    lines += ["| (none given) | anywhere: the strictest minima |", "", "| zone |", "|---|"]
    lines += [f"| {kind.value} |" for kind in kinds.ZoneKind]
    lines += [
        "",
        "What bounds where a unit can be while nothing is known of it, and from when on nothing is known:",
        "",
        "| domain | top speed, m/s | top climb, m/s | a gap is longer than, s |",
        "|---|--:|--:|--:|",
    ]
    for domain in kinds.Domain:
        numbers = (kinds.SPEED_LIMIT_M_S[domain], kinds.CLIMB_LIMIT_M_S[domain], kinds.GAP_LIMIT_S[domain])
        lines.append(f"| {domain.value} | " + " | ".join(f"{number:g}" for number in numbers) + " |")
    return [*lines, ""]


def _minima() -> list[str]:
    lines = [
        "# Minima",
        "",
        "The least separation allowed. 0 m means that any overlap of more than 1 mm is too close. Where several rows",
        "bind a pair, the largest of each number does; where no kind is given, the strictest row.",
        "",
        "| between | horizontal, m | vertical, m | in time, s | if closer | source |",
        "|---|--:|--:|--:|---|---|",
    ]
    for rule in MinimaTable.default().rules:
        vertical = "any height" if rule.vertical_m is None else f"{rule.vertical_m:g}"
        numbers = f"{rule.horizontal_m:g} | {vertical} | {rule.time_s:g}"
        lines.append(f"| {rule.name} | {numbers} | {rule.answer.value} | {rule.source} |")
    return [*lines, ""]


def _formats() -> list[str]:
    lines = ["# Formats", "", "| format | files | can be | at most | what it is |", "|---|---|---|---|---|"]
    lines += ["| " + " | ".join(row) + " |" for row in formats_table()]
    return [*lines, ""]


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for file_name, page in pages().items():
        (FOLDER / file_name).write_text(page, encoding="utf-8")
        print(FOLDER / file_name)
