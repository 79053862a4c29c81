"""``keepclear claim``: what was said publicly of an encounter, weighed against the record."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from keepclear.cli.options import Faults, check_files, parse_choice, refuse_unknown
from keepclear.cli.output import check_output, put
from keepclear.cli.screen import note
from keepclear.errors import Fault, InputError, PeerError

if TYPE_CHECKING:
    from keepclear.cli.encounter import Looked
    from keepclear.record.bodies.watched import ClaimBody
    from keepclear.record.entries import EntryRef
    from keepclear.watch.claims import Weighed

__all__ = ["CONTRADICTED", "NOT_SHOWN", "SUPPORTED", "app", "weigh"]

SUPPORTED, CONTRADICTED, NOT_SHOWN = 0, 1, 3
_CLAIM_BYTES = 1 << 20
_CLAIM_RIGHT = "a JSON object with the members of a claim: subject, said_by, said_s, where, words_ref, asserts …"

app = typer.Typer(name="claim", help="Keep what was said publicly of an encounter, and weigh it against the record.")

Claim = tuple["EntryRef | None", str, "ClaimBody"]


@app.command("weigh", context_settings={"ignore_unknown_options": True})
def weigh(
    context: typer.Context,
    tracks: Annotated[
        list[str] | None,
        typer.Argument(metavar="TRACKS...", help="Flown tracks in any format, as for keepclear encounter."),
    ] = None,
    record: Annotated[
        Path | None, typer.Option("--record", metavar="DIR", help="The folder of a party, or exported logs.")
    ] = None,
    line: Annotated[str | None, typer.Option("--line", metavar="NAME", help="Which line of that record.")] = None,
    claim: Annotated[
        list[str] | None,
        typer.Option("--claim", metavar="FILE", help="A claim as JSON; once for each. [all on the record]"),
    ] = None,
    policy: Annotated[
        list[str] | None,
        typer.Option("--policy", metavar="FILE", help="Of exported logs: whose keys are believed; once for each."),
    ] = None,
    agreement: Annotated[
        list[str] | None, typer.Option("--agreement", metavar="NAME", help="Judge by the terms of this one only. [all]")
    ] = None,
    minima: Annotated[str | None, typer.Option("--minima", metavar="H,V|FILE", help="Least separation.")] = None,
    accuracy: Annotated[
        str | None, typer.Option("--accuracy", metavar="METRES", help="How far off all positions may be. [0]")
    ] = None,
    now: Annotated[
        str | None, typer.Option("--now", metavar="TIME", help="Later positions are refused. [now, by the clock]")
    ] = None,
    form: Annotated[str, typer.Option("--format", metavar="text|json", help="How to answer.")] = "text",
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="PATH", help="Write the answer here, all at once.")
    ] = None,
) -> int:
    """Weigh claims: SUPPORTED, UNSUPPORTED or CONTRADICTED, and the entries that decide it.

    UNSUPPORTED says that the record shows neither a claim nor its contrary, which proves nothing against it.

    Exit status: 0 all supported, 1 one is contradicted, 2 bad input, 3 none contradicted and one unsupported.
    """
    from keepclear.cli.encounter import look

    faults = Faults()
    files = list(tracks or ())
    refuse_unknown(files, (name for option in context.command.params for name in option.opts), faults)
    chosen = faults.take("--format", form, parse_choice("text", "json")) or ""
    faults.add(check_output(output, [*files, *(claim or ())]))
    faults.add(check_files([*files, *(claim or ())]))
    if record is None:
        faults.add([Fault("a claim is weighed against a record", "--record DIR", field="--record")])
    looked = look(files, record, line, agreement, minima, accuracy, now, policy=policy, faults=faults)
    for text in looked.warnings:
        note(f"Note: {text}")
    claims = _given(claim) if claim else list(_on_record(looked))
    if not claims:
        raise InputError(Fault("no claim is on this record", "a claim as JSON", field="--claim"))
    weighed = [(one, _weighed(one[2], looked)) for one in claims]
    put(_told(weighed, as_json=as_json or chosen == "json"), output)
    return _status([one for _, one in weighed])


def _given(files: list[str]) -> list[Claim]:
    from keepclear.cli.record_files import read_file
    from keepclear.record.bodies.watched import ClaimBody
    from keepclear.record.canonical import parse

    found: list[Claim] = []
    faults = []
    for file in files:
        try:
            data = read_file(file, most_bytes=_CLAIM_BYTES, right=_CLAIM_RIGHT)
            found.append((None, file, ClaimBody.of_members(parse(data, limit=_CLAIM_BYTES))))
        except PeerError as error:
            faults.append(Fault(str(error), _CLAIM_RIGHT, file))
        except InputError as error:
            faults += [Fault(one.problem, one.right, file, one.feature, one.field, one.value) for one in error.faults]
    if faults:
        raise InputError(faults)
    return found


def _on_record(looked: Looked) -> Iterator[Claim]:
    from keepclear.record.bodies.watched import ClaimBody
    from keepclear.record.entry_types import EntryType

    for one in looked.record.of(EntryType.CLAIM):
        if isinstance(one.body, ClaimBody) and not one.exercise:
            yield one.ref, f"entry {one.ref.index} of {one.ref.origin}", one.body


def _weighed(body: ClaimBody, looked: Looked) -> Weighed:
    from keepclear.watch.claims import weigh as weigh_one

    return weigh_one(body, looked.labelled, filings=looked.filings, findings=looked.findings, record=looked.record)


def _status(weighed: list[Weighed]) -> int:
    from keepclear.watch.claims import Weight

    found = {one.weight for one in weighed}
    if Weight.CONTRADICTED in found:
        return CONTRADICTED
    return NOT_SHOWN if Weight.UNSUPPORTED in found else SUPPORTED


def _told(weighed: list[tuple[Claim, Weighed]], *, as_json: bool) -> Iterator[str]:
    from keepclear.cli.screen import plain, plain_json

    if as_json:
        document = {"keepclear": "claims/1", "claims": [_document(one, found) for one, found in weighed]}
        yield plain_json(json.dumps(document, ensure_ascii=False, allow_nan=False)) + "\n"
        return
    for one, found in weighed:
        for line in _lines(one, found):
            yield plain(line) + "\n"


def _document(claim: Claim, weighed: Weighed) -> dict[str, Any]:
    from keepclear.watch.telling import claim_document, entry_document

    ref, name, body = claim
    about = {"entry": None if ref is None else entry_document(ref), "from": name, "asserts": body.asserts}
    return about | {"said_by": body.said_by, "where": body.where} | claim_document(weighed)


def _lines(claim: Claim, weighed: Weighed) -> Iterator[str]:
    from keepclear.separation.sentences import time_of_day

    _, name, body = claim
    when = time_of_day(body.said_s)
    yield f"{weighed.weight.value.upper()}: {body.asserts}, said by {body.said_by} at {when} ({name})"
    yield from (f"  Why: {text}" for text in weighed.because)
    for one in weighed.evidence:
        what = f"track {one.track}" if one.ref is None else f"entry {one.ref.index} of {one.ref.origin}"
        yield f"  Rests on: {what}{f': {one.note}' if one.note else ''}"
