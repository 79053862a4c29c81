"""``keepclear agreement new``, ``check`` and ``diff``: agreements as files, without a node."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from keepclear.cli.agreement_folders import AgreementArgument, checked_at, document_at, strangers_in
from keepclear.cli.agreement_template import template
from keepclear.cli.agreement_text import checked_members, checked_text, difference_members, difference_text
from keepclear.cli.options import Faults, parse_choice, unshielded
from keepclear.cli.output import check_output, put
from keepclear.cli.screen import note, plain, plain_json
from keepclear.errors import Fault, InputError

if TYPE_CHECKING:
    from keepclear.agreements.comparing import Difference

__all__ = ["check", "diff", "new"]

CONTRADICTED = DIFFERENT = 1
OutputOption = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="PATH", help="Write it here, all at once.")
]


def new(
    directory: Annotated[str, typer.Argument(metavar="DIR", help="The folder to make.")],
    title: Annotated[str, typer.Option("--title", metavar="TEXT", help="What it is about.")],
    party: Annotated[
        list[str], typer.Option("--party", metavar="NAME", help="Who is to sign, by its name in the record; give two.")
    ],
    agreement: Annotated[
        str | None,
        typer.Option("--id", metavar="NAME", help="What the record calls it; else the folder's name."),
    ] = None,
    language: Annotated[
        list[str] | None,
        typer.Option("--language", metavar="TAG", help="Of a text, the authentic one first; en if not given."),
    ] = None,
) -> int:
    """Begin to write an agreement: a folder with its text, and the file that names its parties and its terms.

    It can be checked at once, and says nothing yet. Nothing is told to anybody.
    """
    folder = Path(unshielded(directory))
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(Fault("there is something already", "a folder that is not there yet", file=str(folder)))
    from keepclear.agreements.reading import read_agreement

    files = template(agreement or folder.resolve().name, title, party, language or ["en"])
    read_agreement(files)  # or nothing is written
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            (folder / name).write_bytes(data)
    except OSError as error:
        raise InputError(Fault(f"cannot be written: {error.strerror or error}", file=str(folder))) from None
    put([f"{plain(str(folder / name))}\n" for name in files], None)
    put([f"Next: write in them, then: keepclear agreement check {plain(directory)}\n"], None)
    return 0


def check(
    agreement: AgreementArgument,
    form: Annotated[str, typer.Option("--format", metavar="table|json", help="How to answer.")] = "table",
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE.json", help="Write the document here, as it would be signed."),
    ] = None,
) -> int:
    """Look for what is wrong with an agreement, before it is proposed or signed. That nothing is found is no advice.

    Exit status: 0 nothing wrong was found, 1 terms cannot all be kept, 2 it cannot be read as it stands.
    """
    faults = Faults()
    chosen = faults.take("--format", form, parse_choice("table", "json"))
    faults.add(check_output(output, [agreement]))
    faults.stop_if_any()
    checked = checked_at(agreement)
    strangers = strangers_in(agreement)
    if chosen == "json":
        put([plain_json(json.dumps(checked_members(checked), indent=2, ensure_ascii=False)) + "\n"], None)
    else:
        put(checked_text(checked), None)
    for name in strangers:
        note(f"{plain(name)} lies in the folder and is no part of the agreement.")
    if output is not None:
        put([checked.document.canonical().decode()], output)
    return CONTRADICTED if any(one.certain for one in checked.contradictions) else 0


def diff(
    old: AgreementArgument,
    new: Annotated[str, typer.Argument(metavar="AGREEMENT", help="The other version, given in the same way.")],
    form: Annotated[
        str, typer.Option("--format", metavar="table|json|geojson", help="How to answer; geojson is the ground alone.")
    ] = "table",
    output: OutputOption = None,
) -> int:
    """Show what is different between two versions: clauses and terms side by side, and what changes on the ground.

    Exit status: 0 they are the same, byte for byte; 1 they are not; 2 one of them cannot be read.
    """
    faults = Faults()
    chosen = faults.take("--format", form, parse_choice("table", "json", "geojson"))
    faults.add(check_output(output, [old, new]))
    faults.stop_if_any()
    from keepclear.agreements.comparing import compare

    difference = compare(document_at(old), document_at(new))
    if chosen == "json":
        put([plain_json(json.dumps(difference_members(difference), indent=2, ensure_ascii=False)) + "\n"], output)
    elif chosen == "geojson":
        put(_on_a_map(difference), output)
    else:
        put(difference_text(difference), output)
    return 0 if difference.is_none else DIFFERENT


def _on_a_map(difference: Difference) -> Any:
    """The shapes before and after, as zones: they open in any program for maps."""
    from keepclear.formats.geojson_write import write_plans_geojson
    from keepclear.model.extents import Volume
    from keepclear.model.kinds import ZoneKind
    from keepclear.model.operations import Plans, Zone

    zones = [
        Zone(version.id, f"{one.term} {which}", ZoneKind.BUFFER, tuple(Volume(shape.footprint) for shape in shapes))
        for one in difference.ground
        for which, version, shapes in (("before", difference.old, one.old), ("after", difference.new, one.new))
        if shapes
    ]
    return write_plans_geojson(Plans(zones=tuple(zones)))
