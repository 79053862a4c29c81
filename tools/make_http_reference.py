"""The page docs/reference/http.md, made from the API's own description; tools/make_reference.py writes it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from keepclear.api.app import create_app
from keepclear.node.folder import NodeFolder
from keepclear.node.running import Node

__all__ = ["described", "lines"]

_TITLES = {
    "filings": "Operations, zones and checks",
    "conflicts": "Conflicts",
    "drafts": "Drafts",
    "series": "Series",
    "inbox": "Inbox",
    "messages": "Messages",
    "entries": "Entries, answers and proofs",
    "lines": "Lines",
    "events": "Events",
    "alarms": "Alarms",
    "duty": "Duty: the roster and the alarm channels",
    "sessions": "Sessions",
    "me": "Who is asking",
    "users": "Users",
    "tokens": "Tokens",
    "proposals": "What takes two persons",
    "acts": "Who did what",
    "health": "Health and numbers",
    "agreements": "Agreements",
    "positions": "Positions",
    "encounters": "Encounters, incidents and claims",
    "joint plans": "Joint plans",
}
_INTRODUCTION = """\
# The HTTP API

Everything that the command line does with a node goes through this, and so can your own programs. The node describes
it at `/api/v1/openapi.json` (OpenAPI 3.1), from which this page is made; in Python, `keepclear.client.client.Client`
has a method for each route.

- **Who is asking**: `Authorization: Bearer kc_…` (a token, `POST /api/v1/users/{name}/tokens`), or the cookie of a
  session (`POST /api/v1/sessions`). Each route names the scope that it takes; which role has which is in
  `keepclear.node.roles`.
- **Bodies** are JSON in UTF-8 and have the members that are listed, no others. A plan has the members of
  [its entry](../spec/entries.md), with times in seconds since 1970-01-01T00:00:00Z.
- **Times** elsewhere are RFC 3339 with a zone; answers have them in UTC with milliseconds. A time without a zone is
  refused.
- **Areas** are `west,south,east,north` in degrees; west greater than east crosses the antimeridian.
- **Lists** come in pages: ask again with `cursor` set to the `next` of the page before until it is null. Nothing is
  left out, whatever is added meanwhile.
- **Changes** of what others may change too take `If-Match` with the `ETag` that was read: without it 428, and 412 if it
  was changed since.
- **Twice**: a `POST` with the header `Idempotency-Key` is done once, however often it is sent with the same key.
- **Failures** are problem details (RFC 9457, `application/problem+json`) with `faults`: what is wrong, where, what was
  given, and what would be right.

No answer of this API is a permission, and no acknowledgement an approval."""


def lines() -> list[str]:
    """The page."""
    told = described()
    schemas = told["components"]["schemas"]
    by_tag: dict[str, list[tuple[str, str, dict[str, Any]]]] = {tag: [] for tag in _TITLES}
    for path, operations in told["paths"].items():
        for method, operation in operations.items():
            by_tag[operation["tags"][0]].append((method.upper(), path, operation))
    page = [*_INTRODUCTION.splitlines(), ""]
    for tag, found in by_tag.items():
        page += [f"## {_TITLES[tag]}", ""]
        for method, path, operation in found:
            page += [*_route(method, path, operation, schemas)]
    return [*page, *_values(schemas)]


def described() -> dict[str, Any]:
    """What a node says of its own API."""
    with tempfile.TemporaryDirectory() as folder, Node.open(NodeFolder.create(Path(folder) / "node", "RU")) as node:
        return create_app(node).openapi()


def _values(schemas: Mapping[str, Any]) -> Iterator[str]:
    yield from ("## Values", "", "What stands in the tables above by its name, each with its members.", "")
    for name, schema in sorted(schemas.items()):
        if name.startswith("Listed_"):
            continue
        if "properties" in schema:
            needed = schema.get("required", [])
            rows = [_member(member, one, member in needed) for member, one in schema["properties"].items()]
            yield from (f"### {name}", "", _told(schema), "", "| | | |", "|---|---|---|", *rows, "")
        elif "enum" in schema:
            yield from (f"### {name}", "", _told(schema), "", f"{_type(schema)}.", "")


def _told(schema: Mapping[str, Any]) -> str:
    text = str(schema.get("description", "")).partition("\n\nAttributes\n")[0]
    return " ".join(text.split()).replace("``", "`")


def _route(method: str, path: str, operation: Mapping[str, Any], schemas: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"### {method} {path}", "", operation["description"], "")
    security = operation.get("security")
    if security is not None:
        scopes = sorted({scope for one in security for needed in one.values() for scope in needed})
        yield from (f"Scope: {', '.join(f'`{scope}`' for scope in scopes) or 'none of its own'}.", "")
    else:
        yield from ("Takes no credentials.", "")
    given = [_parameter(one) for one in operation.get("parameters", ()) if one["name"] != "Idempotency-Key"]
    body = operation.get("requestBody")
    if body is not None:
        given += [_member(*member) for member in _members(body, schemas)]
    if given:
        yield from ("| asked | | |", "|---|---|---|", *given, "")
    status, answer = next((code, one) for code, one in sorted(operation["responses"].items()) if code < "300")
    told = [_member(*member) for member in _members(answer, schemas)]
    kinds = ", ".join(answer.get("content", {})) or "nothing"
    yield from (f"Answers {status}: {kinds}.", "")
    if told:
        yield from ("| answered | | |", "|---|---|---|", *told, "")


def _parameter(one: Mapping[str, Any]) -> str:
    needed = "" if one.get("required") else "?"
    return _row(f"`{one['name']}`{needed}", f"{_type(one['schema'])}, {one['in']}", one.get("description", ""))


def _members(holder: Mapping[str, Any], schemas: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any], bool]]:
    schema = holder.get("content", {}).get("application/json", {}).get("schema", {})
    model = _resolved(schema, schemas)
    needed = model.get("required", [])
    for name, member in model.get("properties", {}).items():
        yield name, member, name in needed


def _member(name: str, member: Mapping[str, Any], needed: bool) -> str:  # noqa: FBT001  # part of a row
    return _row(f"`{name}`{'' if needed else '?'}", _type(member), member.get("description", ""))


def _row(*cells: str) -> str:
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"


def _resolved(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Mapping[str, Any]:
    ref = schema.get("$ref", "")
    return schemas[ref.rpartition("/")[2]] if ref else schema


def _type(schema: Mapping[str, Any]) -> str:
    """A schema in a word or two."""
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return " or ".join(dict.fromkeys(_type(one) for one in schema[several]))
    if "const" in schema:
        return f'"{schema["const"]}"'
    if "enum" in schema:
        return " or ".join(f'"{one}"' for one in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return {"string": "text", "object": "object", "null": "null", "integer": "whole number"}.get(
        str(schema.get("type", "anything")), str(schema.get("type", "anything"))
    ) + (" (time)" if schema.get("format") == "date-time" else "")
