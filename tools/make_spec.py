"""Write docs/spec/entries/, docs/spec/entries.md and the worked vector in docs/spec/leaf.md, from the code.

    python tools/make_spec.py            writes them
    python tools/make_spec.py --check    writes nothing; exit status 1 if they say anything else than the code

A version that was published never changes: what it says is what old logs hold. A changed type gets a new version.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from keepclear.agreements.documents import Document
from keepclear.record.bodies.base import Body
from keepclear.record.bodies.registry import BODIES
from keepclear.record.leaves import Leaf

__all__ = ["FOLDER", "files"]

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "spec"
VECTORS = ROOT / "tests" / "vectors" / "record" / "leaf.json"
DOCUMENTS = ROOT / "tests" / "vectors" / "agreements" / "documents.json"
BEGIN, END = "<!-- worked vector, written by tools/make_spec.py (make docs) -->", "<!-- end of the worked vector -->"
_MADE = "<!-- Written by tools/make_spec.py (make docs): change the code, not this page. -->"


def files() -> dict[Path, str]:
    """Text of every file, by its path."""
    made = {FOLDER / "entries" / f"{kind}-v{version}.json": _schema(BODIES[kind, version]) for kind, version in BODIES}
    made[FOLDER / "entries.md"] = "\n".join([*_index(), "", _MADE, ""])
    for name, worked in (("leaf.md", _worked), ("agreements.md", _worked_document)):
        made[FOLDER / name] = _with_vector((FOLDER / name).read_text(encoding="utf-8"), worked())
    return made


def _schema(model: type[Body]) -> str:
    schema = _plain(model.model_json_schema())
    for definition in (schema, *schema.get("$defs", {}).values()):
        _describe(definition)
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:keepclear:entry:{model.TYPE}:{model.VERSION}",
        "title": f"{model.TYPE}, version {model.VERSION}",
    }
    return json.dumps(head | {name: value for name, value in schema.items() if name != "title"}, indent=2) + "\n"


def _plain(schema: Any) -> Any:
    """Without what says nothing, which some versions of pydantic write and others do not."""
    if isinstance(schema, list):
        return [_plain(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {name: _plain(value) for name, value in schema.items()}
    if kept.get("additionalProperties") is True:
        del kept["additionalProperties"]
    if "const" in kept:
        kept.pop("enum", None)
    return kept


def _describe(definition: dict[str, Any]) -> None:
    """Move what a docstring says of each member to the member."""
    summary, members = _told(definition.get("description", ""))
    if summary:
        definition["description"] = summary
    for name, member in definition.get("properties", {}).items():
        member.pop("title", None)
        if name in members:
            member["description"] = members[name]


def _told(docstring: str) -> tuple[str, dict[str, str]]:
    summary, _, rest = inspect.cleandoc(docstring).partition("\n\nAttributes\n----------\n")
    members: dict[str, str] = {}
    names: list[str] = []
    for line in rest.splitlines():
        if line and not line.startswith(" "):
            names = line.split(", ")
        for name in names if line.startswith(" ") else ():
            members[name] = f"{members.get(name, '')} {line.strip()}".strip()
    return " ".join(re.split(r"\n\n(?:Raises|Parameters)\n", summary)[0].split()), members


def _index() -> Iterator[str]:
    yield from ("# Types of entries", "")
    yield from _INTRODUCTION
    yield from ("", "| type | version | says | members |", "|---|--:|---|---|")
    for (kind, version), model in sorted(BODIES.items()):
        schema = model.model_json_schema()
        summary = _told(schema.get("description", ""))[0]
        needed = schema.get("required", [])
        members = ", ".join(f"`{name}`" if name in needed else f"`{name}`?" for name in schema["properties"])
        yield f"| [{kind}](entries/{kind}-v{version}.json) | {version} | {summary} | {members} |"
    yield from ("", "A question mark stands after members that may be left out.", "", *_NOTES)


_INTRODUCTION = """\
What a body says depends on the `type` and `v` of its [leaf](leaf.md). Each has a JSON schema here, which is closed: a
member that it does not have is refused. A type or version that a program does not know it keeps, shows as it is and
passes on. No type has a member for aim points, objects of attack, munitions or effects; none will.""".splitlines()

_NOTES = """## What no schema can say
- **Numbers** are doubles, written with as many digits as it takes to read the same double again (RFC 8785). Nothing
  is rounded: a rounded window is not the one that was checked. `-0` is `0`.
- **Times** (`…_s`) are seconds since 1970-01-01T00:00:00Z without leap seconds, in the years 1 to 9999.
- **Longitudes and latitudes** are WGS84 degrees; a position is `[longitude, latitude]`. A ring repeats its first
  position at the end, does not cross itself, and the first ring is the outside.
- **What is left out is not known.** A volume of an operation without `start_s` may be there at any time; one of a
  zone is there always. A `height_m` of `null` is not known. An operation without `kind` is held to the strictest
  minima.
- **Slips** (`early_s`, `late_s`) are seconds or `"unlimited"`: one for all positions, or one for each.
- **An answer** `read back` has `read_back`, `relayed` has `unit`, and no other has; `object` has a `reason`. No
  answer is an approval, and a receipt, which a machine gives, is none of them.
- **A read-back** whose `uncertainty_m` is left out was typed finely enough; how it is compared stands in
  [answers](answers.md).
- **An advisory** names no filing twice; no interval ends before it starts; its `answer` is the gravest of its
  intervals.
- **A body** of a type in this table has at most 1,048,576 bytes, so that nobody keeps the others busy with reading it;
  a commitment 16,384 more, and an opening 4,096 more than that, so that whatever can be said can be committed to and
  shown. A longer one is kept and passed on, and is not read.
- **A plan** has at most 1,000 rings in all its polygons, and its tracks, lines and rings are together at most
  200,000 km long: tracks along great circles of a sphere of 6,371 km, lines and rings straight in degrees, a degree of
  longitude as long as at whichever end of its edge is nearer to the equator. What cannot be read for this may be
  anywhere at any time to those who were told it.
- **A commitment**'s `body` is a body of its `type` and `v`, neither a commitment nor an opening; so is the `content`
  of an opening. An opening proves what was planned if its `salt` and `content` have the hash in the commitment's leaf.
- **A filing told roughly** has `precision`: its extent was widened to cells of a grid and whole steps of time, and
  contains the exact one. Where different parties are told at different precisions, each group has an entry of its own;
  these stand next to each other in the log, and each says in `one_of` which of them it is: entry *i* with
  `{"place": p, "of": n}` is one of the entries *i − p* to *i − p + n − 1*. Who can read one of them need not take the
  others for filings that were kept from it. `committed` names an earlier commitment of the same log to the exact one.
- **A message**, like every body with `attachments`, notes as many as its leaf has hashes, in the same order.
- **Of agreements** no party, person or affiliate is named twice in one entry; the document and at least one of its
  texts being authentic are as [agreements](agreements.md) says. `persons` are at least two to sign, suspend, resume or
  terminate, and one for anything else.
- **A joint plan** has an operation for each participant and none of anybody else; its hash is the SHA-256 of the
  canonical JSON of `plan` as it stands.
- **A measure** names no filing twice. **A claim** of `participants` has some. **An incident** that replies has `about`.
- **No end** (`to_s`, `end_s`) is before its start.""".splitlines()


def _with_vector(text: str, worked: Iterator[str]) -> str:
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return "\n".join([before + BEGIN, *worked, END]) + after


def _worked_document() -> Iterator[str]:
    vector = json.loads(DOCUMENTS.read_text(encoding="utf-8"))["documents"][0]
    made = Document.of_bytes(vector["document"].encode())
    rows = (
        (f"document, {len(made.canonical())} bytes", vector["document"]),
        ("its hash", made.hash),
        ("hash of its authentic text", made.text_hash),
        *(
            (f"clause {anchor}, and its hash", f"{made.clause_text(anchor)!a}\n  {made.clause_hash(anchor)}")
            for anchor in made.clauses
        ),
    )
    yield from ("", "```text")
    for name, value in rows:
        yield from (f"{name}:", f"  {value}")
    yield from ("```", "")


def _worked() -> Iterator[str]:
    vector = json.loads(VECTORS.read_text(encoding="utf-8"))["entries"][0]
    raw = vector["leaf"].encode()
    leaf = Leaf.of_bytes(raw)
    leaf.check_body(bytes.fromhex(vector["salt"]), vector["body"].encode())
    rows = (
        ("salt, hex", vector["salt"]),
        ("body", vector["body"]),
        ('SHA-256("keepclear body v1\\n" + salt + body), hex', leaf.body_hash.hex()),
        (f"leaf, {len(raw)} bytes", vector["leaf"]),
        ("SHA-256(00 + leaf), hex", leaf.hash.hex()),
    )
    yield from ("", "```text")
    for name, value in rows:
        yield from (f"{name}:", f"  {value}")
    yield from ("```", "")


def _main() -> int:
    made = files()
    stale = [path for path, text in made.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    stale += [path for path in (FOLDER / "entries").glob("*.json") if path not in made]
    if "--check" in sys.argv[1:]:
        for path in stale:
            print(f"{path.relative_to(ROOT)} is not what the code says: run tools/make_spec.py")
        return 1 if stale else 0
    for path, text in made.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(_main())
