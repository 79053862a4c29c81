"""Write docs/spec/terms/ and docs/spec/terms.md, from the types of terms.

python -m tools.make_terms            writes them
python -m tools.make_terms --check    writes nothing; exit status 1 if they say anything else than the code
"""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from keepclear.agreements.terms.base import Term, parameters_of
from keepclear.agreements.terms.registry import types

__all__ = ["FOLDER", "files", "schema_of"]

FOLDER = Path(__file__).parents[1] / "docs" / "spec"
_MADE = "<!-- Written by tools/make_terms.py (make docs): change the code, not this page. -->"
_NAMES = {"type": "array", "items": {"type": "string"}, "minItems": 1}
_COMMON: dict[str, Any] = {
    "id": {"type": "string", "minLength": 1, "maxLength": 200, "description": "unique in the agreement"},
    "clause": {
        "type": "string",
        "minLength": 1,
        "maxLength": 200,
        "description": "the anchor of the clause in the text",
    },
    "clause_hash": {"type": "string", "description": "SHA-256 of what the clause says, in hexadecimal"},
    "parties": _NAMES | {"description": "whom it binds; all parties of the agreement if left out"},
    "affiliates": _NAMES | {"description": "affiliates of the parties that it binds too"},
}


def files() -> dict[Path, str]:
    """Text of every file, by its path."""
    made = {FOLDER / "terms" / f"{name}.json": _written(schema_of(kind)) for name, kind in types().items()}
    made[FOLDER / "terms.md"] = "\n".join([*_page(), "", _MADE, ""])
    return made


def schema_of(kind: type[Term]) -> dict[str, Any]:
    """JSON schema of a term of a type."""
    parameters = parameters_of(kind)
    own = {
        member: dict(parameter.schema) | {"description": parameter.says}
        for member, (_, parameter, _) in parameters.items()
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:keepclear:term:{kind.TYPE}",
        "title": kind.TYPE,
        "description": " ".join(_says(kind).split()),
        "type": "object",
        "properties": {"type": {"const": kind.TYPE}} | _COMMON | own,
        "required": ["id", "type", "clause", *(member for member, (_, _, needed) in parameters.items() if needed)],
        "additionalProperties": False,
    }


def _written(schema: dict[str, Any]) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False, default=dict) + "\n"


def _says(kind: type[Term]) -> str:
    return inspect.cleandoc(kind.__doc__ or "")


def _page() -> Iterator[str]:
    yield from ("# Types of terms", "", *_INTRODUCTION)
    shared = parameters_of(Term)
    yield from ("", "## What every term may have", "", "| member | says |", "|---|---|")
    for member, schema in _COMMON.items():
        yield f"| `{member}` | {schema['description']} |"
    for member, (_, parameter, _) in shared.items():
        yield f"| `{member}` | {parameter.says} |"
    for name, kind in types().items():
        yield from ("", f"## {name}", "", _says(kind).replace("\n\n", "\n\n"), "")
        yield f"[Schema](terms/{name}.json)"
        own = {member: one for member, one in parameters_of(kind).items() if member not in shared}
        if own:
            yield from ("", "| member | needed | says |", "|---|---|---|")
        for member, (_, parameter, needed) in own.items():
            yield f"| `{member}` | {'yes' if needed else ''} | {parameter.says} |"


_INTRODUCTION = """\
A term is a JSON object in an agreement's document. Quantities are texts with their unit: `"10 km"`, `"5 NM"`, `"24 h"`,
`"FL250"`, `"3000 ft AMSL"`; a bare number is refused. Times are RFC 3339 with a zone, perhaps with a duration after
them: `"2019-10-23T09:00:00Z + 150 h"`. A geometry is a feature of an annex, by its id: `"map.geojson#border"`. A line
is a `LineString`; an area is a `Polygon`, a `MultiPolygon`, or a `Point` with a property `radius` (`"5 km"`). A
property `edges` says what runs between two positions: `lonlat` (as GeoJSON has it, and if left out) or `geodesic`.

Each term is judged *met*, *breached*, *possible* (what is known does not decide it), *not yet* (nothing was due by
then) or *no data*. What is within a term is within it, and no more: nobody was allowed anything. A type that a program
does not know it shows as text, and judges *no data*. How to add one: [write a term](../howto/write-a-term.md).
""".splitlines()


def main() -> None:
    """Write, or check."""
    made = files()
    if "--check" in sys.argv[1:]:
        stale = [path for path, text in made.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
        for path in stale:
            print(f"stale: {path.relative_to(FOLDER.parents[1])}")
        sys.exit(1 if stale else 0)
    for path, text in made.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
