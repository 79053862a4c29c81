"""``keepclear file|amend|cancel``: what your party plans, told to the others on a line."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from keepclear.cli.folders import DirArgument, LineOption, PassphraseOption
from keepclear.cli.found_text import STATUS_OF, found_text, worst
from keepclear.cli.node_link import asked, confirmed, folder_of, linked
from keepclear.cli.options import Faults, check_files, parse_numbers, unshielded
from keepclear.cli.output import put
from keepclear.cli.receipts import PATIENCE_S, received_text
from keepclear.cli.screen import note, plain
from keepclear.clock import monotonic_s
from keepclear.errors import Fault, InputError, KeepclearError

if TYPE_CHECKING:
    from keepclear.cli.node_requests import AskedNode

__all__ = [
    "CalledOption", "ExerciseOption", "RemarksOption", "ToOption", "amend", "cancel", "file", "filed_text", "plans",
]  # fmt: skip

_COARSE = "KM[,SECONDS[,METRES]]: cells of the grid, step of times, step of heights; for example 10,1800"
_NOT_DONE = 1
_AT_ONCE = 100  # plans in a request
_MOST_BYTES = 2**20  # and about so many bytes
_TRIED = ("recipients", "exercise", "reason_if_late", "precision", "line")

ToOption = Annotated[
    list[str] | None,
    typer.Option("--to", metavar="PARTY", help="Who is told; once for each. Left out: all on the line."),
]
CoarseOption = Annotated[
    str | None,
    typer.Option("--coarse", metavar="KM[,S[,M]]", help="Tell it roughly: a shape that contains the exact one."),
]
ExerciseOption = Annotated[bool, typer.Option("--exercise", help="It is an exercise, and marked so for ever.")]
CalledOption = Annotated[
    str | None, typer.Option("--called", metavar="NAME", help="What the files call you; filed under your party's name.")
]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Only show what it would come too close to; tell nobody.")
]
EntryArgument = Annotated[str, typer.Argument(metavar="ENTRY", help="PARTY:LINE:NUMBER, as the inbox shows it.")]
LateOption = Annotated[
    str | None, typer.Option("--reason-if-late", metavar="TEXT", help="Why it is told so shortly before it begins.")
]
DespiteOption = Annotated[
    str | None,
    typer.Option(
        "--despite-terms", metavar="TEXT", help="Why it is filed although it is not within a term; else it asks."
    ),
]
RemarksOption = Annotated[str | None, typer.Option("--remarks", metavar="TEXT", help="What else is to be said of it.")]


def file(
    directory: DirArgument,
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Plans in any format that can be read.")],
    line: LineOption = None,
    to: ToOption = None,
    coarse: CoarseOption = None,
    exercise: ExerciseOption = False,
    draft: Annotated[bool, typer.Option("--draft", help="Keep it as a draft, which never leaves your node.")] = False,
    dry_run: DryRunOption = False,
    called: CalledOption = None,
    remarks: RemarksOption = None,
    reason_if_late: LateOption = None,
    despite_terms: DespiteOption = None,
    yes: YesOption = False,
    passphrase_file: PassphraseOption = None,
) -> int:
    """File what you plan: show what it comes too close to, ask, and tell the others.

    A filing tells; it asks for no permission, and no answer to it is one. What is not within a term of an agreement in
    force is told with its clause before it is filed, and filed only by who says why, --yes or not. Exit status of
    --dry-run: 0 clear (no conflict found in what is known), 1 conflict, or not within a term, 3 possible and no
    conflict; and what filing would refuse, a dry run refuses too.
    """
    wanted = _wanted(coarse)
    bodies = plans(files, folder_of(directory).party, called)
    more: dict[str, Any] = {
        "recipients": "all" if to is None else to, "exercise": exercise, "remarks": remarks,
        "reason_if_late": reason_if_late, "precision": wanted, "line": line,
    }  # fmt: skip
    with linked(directory, passphrase_file) as node:
        if draft:
            told = [node.requests.post("/drafts", _asked(body, more)) for body in bodies]
            put([f"Kept as draft {one['id']}; nobody is told.\n" for one in told], None)
            return 0
        answer, known, broken = _shown_before(node, bodies, more)
        if dry_run:
            return STATUS_OF["conflict" if broken else answer]
        more["despite_terms"] = _despite(broken, despite_terms)
        if not _agreed(len(bodies), answer, yes=yes):
            put(["Nothing was filed.\n"], None)
            return _NOT_DONE
        _file(node, [(body, _asked(body, more)) for body in bodies], known, directory)
    return 0


def amend(
    directory: DirArgument,
    entry: EntryArgument,
    file: Annotated[str, typer.Argument(metavar="FILE", help="The plan as it is now, alone in its file.")],
    to: ToOption = None,
    coarse: CoarseOption = None,
    dry_run: DryRunOption = False,
    called: CalledOption = None,
    remarks: RemarksOption = None,
    reason_if_late: LateOption = None,
    despite_terms: DespiteOption = None,
    yes: YesOption = False,
    passphrase_file: PassphraseOption = None,
) -> int:
    """File a plan in the place of an earlier one of yours; answers to that one no longer count."""
    wanted = _wanted(coarse)
    bodies = plans([file], folder_of(directory).party, called)
    if len(bodies) != 1:
        raise InputError(Fault(f"{len(bodies)} plans in the file", "the one that takes the place", file=file))
    with linked(directory, passphrase_file) as node:
        before, tag = _filing(node, entry)
        exercise = bool(before["exercise"])
        if before["type"] != bodies[0][0]:
            raise InputError(
                Fault(f"{entry} is of type {before['type']}, and this is of type {bodies[0][0]}", file=file)
            )
        more: dict[str, Any] = {
            "recipients": "all" if to is None else to, "exercise": exercise, "remarks": remarks,
            "reason_if_late": reason_if_late, "precision": wanted, "line": before["line"],
        }  # fmt: skip
        answer, known, broken = _shown_before(node, bodies, more, leaving_out=[entry])
        if dry_run:
            return STATUS_OF["conflict" if broken else answer]
        more["despite_terms"] = _despite(broken, despite_terms)
        if not _agreed(1, answer, yes=yes):
            put(["Nothing was amended.\n"], None)
            return _NOT_DONE
        told = node.requests.put(f"/{before['type']}s/{entry}", _asked(bodies[0], more), if_match=tag)
        put([*filed_text(told, known, instead_of=entry), *received_text(node, told["id"], directory)], None)
    return 0


def cancel(
    directory: DirArgument,
    entry: EntryArgument,
    reason: Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Why.")] = None,
    yes: YesOption = False,
    passphrase_file: PassphraseOption = None,
) -> int:
    """Say that a filing of yours no longer stands. That it was filed stays on the record."""
    with linked(directory, passphrase_file) as node:
        before, tag = _filing(node, entry)
        if not confirmed(f"Cancel {entry}, {before['kind'] or before['type']} {before['thing_id']}?", yes=yes):
            put(["Nothing was cancelled.\n"], None)
            return _NOT_DONE
        told = node.requests.delete(
            f"/{before['type']}s/{entry}", if_match=tag, **({"reason": reason} if reason else {})
        )
        said = [one["id"] for one in told["entries"]]
        received = list(received_text(node, said[0], directory)) if said else []
    put([f"{entry} is cancelled: said as {', '.join(said)}.\n", *received], None)
    return 0


def plans(files: Sequence[str], party: str, called: str | None) -> list[tuple[str, dict[str, Any]]]:
    """The plans of files as requests have them: of which type, and the value."""
    from keepclear.cli.log_saying import plan_bodies
    from keepclear.formats.registry import read_many

    faults = Faults()
    names = [unshielded(name) for name in files]
    faults.add(check_files(names))
    faults.stop_if_any()
    plans = read_many(names)
    for warning in plans.warnings:
        note(f"Note: {warning}")
    bodies = plan_bodies(plans, party, called)
    if not bodies:
        raise InputError([Fault("there is no operation and no zone in it", "a plan", file=name) for name in names])
    return [(str(body.TYPE), body.members()[str(body.TYPE)]) for body in bodies]


_Body = tuple[str, dict[str, Any]]


def _file(node: AskedNode, wanted: Sequence[tuple[_Body, Any]], known: Collection[str], directory: Path) -> None:
    """File plans and say what became of each: many in one request.

    Raises
    ------
    KeepclearError
        With what some were refused for, once the others are filed and shown.
    """
    if len(wanted) == 1:
        ((body, asked_for),) = wanted
        told = node.requests.post(f"/{body[0]}s", asked_for)
        put([*filed_text(told, known), *received_text(node, told["id"], directory)], None)
        return
    from keepclear.client.problems import error_told

    failed: list[KeepclearError] = []
    for some in _parts(wanted):
        items = node.requests.post("/filings", {"filings": [one for _, one in some]})["items"]
        until_s = monotonic_s() + PATIENCE_S
        for (body, _), item in zip(some, items, strict=True):
            told = item.get("filed")
            if told is None:
                failed.append(_named(error_told(item["problem"]), str(body[1].get("name") or body[1]["id"])))
                continue
            put([*filed_text(told, known), *received_text(node, told["id"], directory, until_s=until_s)], None)
    if failed and all(isinstance(one, InputError) for one in failed):
        raise InputError([fault for one in failed if isinstance(one, InputError) for fault in one.faults])
    if failed:
        raise next(one for one in failed if not isinstance(one, InputError))


def _parts(wanted: Sequence[tuple[_Body, Any]]) -> Iterator[list[tuple[_Body, Any]]]:
    """Some plans at a time, so that no request is longer than a node takes."""
    some: list[tuple[_Body, Any]] = []
    size = 0
    for one in wanted:
        length = len(json.dumps(one[1]))
        if some and (len(some) == _AT_ONCE or size + length > _MOST_BYTES):
            yield some
            some, size = [], 0
        some.append(one)
        size += length
    if some:
        yield some


def _named(error: KeepclearError, name: str) -> KeepclearError:
    if not isinstance(error, InputError):
        return error
    return InputError([replace(fault, feature=fault.feature or plain(name)) for fault in error.faults])


def _wanted(coarse: str | None) -> dict[str, Any] | None:
    if coarse is None:
        return None
    faults = Faults()
    numbers = faults.take("--coarse", coarse, parse_numbers) or []
    if not faults.found and not (1 <= len(numbers) <= 3 and numbers[0] == int(numbers[0])):
        faults.add([Fault("not a precision", _COARSE, field="--coarse", value=coarse)])
    faults.stop_if_any()
    found: dict[str, Any] = {"grid_km": int(numbers[0])}
    if len(numbers) > 1:
        found["time_s"] = int(numbers[1])
    if len(numbers) > 2:
        found["height_m"] = numbers[2]
    return found


def _asked(body: tuple[str, dict[str, Any]], more: Mapping[str, Any]) -> dict[str, Any]:
    kind, value = body
    return {kind: value, **{name: one for name, one in more.items() if one is not None}}


def _shown_before(
    node: AskedNode,
    bodies: Sequence[tuple[str, dict[str, Any]]],
    more: Mapping[str, Any],
    *,
    leaving_out: Sequence[str] = (),
) -> tuple[str, frozenset[str], list[str]]:
    """Show what plans come too close to, and refuse what filing would refuse.

    Returns
    -------
    answer, warnings, broken
        The answer of all, what was warned of, and the terms in force that they are not within.
    """
    answers, warnings, broken = [], set(), []
    told = {name: more[name] for name in _TRIED}
    for body in bodies:
        tried = {**_asked(body, told), "to_file": True, "leaving_out": list(leaving_out)}
        found = node.requests.post("/checks", tried)
        answers.append(found["answer"])
        warnings.update(found["warnings"])
        late = bool(more.get("reason_if_late"))
        broken += [
            f"clause {one['clause']} of {one['agreement']}"
            for one in found.get("terms", ())
            if one["result"] == "breached" and not (late and one.get("type") == "NOTIFY")
        ]
        put([f"{plain(body[1].get('name') or body[1]['id'])}: ", *found_text(found)], None)
    return worst(answers), frozenset(warnings), broken


def _despite(broken: Sequence[str], given: str | None) -> str | None:
    """Why it is filed although it is not within terms; asked for, since nobody is to do that without knowing."""
    if not broken or given:
        return given
    told = ", ".join(dict.fromkeys(broken))
    return asked(
        f"It is not within {told}. Why is it filed all the same? (Ctrl-C: it is not.)", option="--despite-terms"
    )


def _agreed(count: int, answer: str, *, yes: bool) -> bool:
    what = "it" if count == 1 else f"all {count}"
    doubt = {"conflict": " although there is a conflict", "possible": " although one is possible"}.get(answer, "")
    return confirmed(f"File {what}{doubt}?", yes=yes)


def filed_text(told: Mapping[str, Any], known: Collection[str] = (), *, instead_of: str = "") -> Iterator[str]:
    """What became of a filing, less the warnings that are known already."""
    place = f" in the place of {instead_of}" if instead_of else ""
    yield f"Filed as {told['id']}{place}.\n"
    for warning in told.get("warnings", ()):
        if warning not in known:
            yield f"  {plain(warning)}\n"
    before, after = told.get("found_before"), told.get("found_after")
    if after is not None and (before is None or after["conflicts"] != before["conflicts"]):
        yield "Since it was filed: "
        yield from found_text(after)


def _filing(node: AskedNode, entry: str) -> tuple[dict[str, Any], str]:
    """A filing, whichever type it is of, and its ETag; refused if another has taken its place."""
    from keepclear.node.entry_ids import EntryId

    EntryId.parse(entry, field="ENTRY")
    kind = node.requests.get(f"/entries/{entry}")["type"]
    if kind not in ("operation", "zone"):
        raise InputError(Fault(f"{entry} is of type {kind}", "an operation or a zone", field="ENTRY", value=entry))
    filing, tag = node.requests.tagged(f"/{kind}s/{entry}")
    for member, what in (("superseded_by", "amended"), ("cancelled_by", "cancelled")):
        if filing.get(member):
            problem = f"it was {what} by {filing[member]}"
            right = filing[member] if what == "amended" else "file anew"
            raise InputError(Fault(problem, right, field="ENTRY", value=entry))
    return filing, tag
