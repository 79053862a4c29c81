"""``keepclear verify``: what a proof proves, with no network and no store."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from keepclear.cli.options import Faults, check_files, parse_choice, refuse_unknown
from keepclear.cli.output import put
from keepclear.cli.record_files import parsed, read_file, read_policy
from keepclear.errors import Fault, InputError, IntegrityError, PeerError

if TYPE_CHECKING:
    from keepclear.record.bodies.committed import OpeningBody
    from keepclear.record.entries import Entry
    from keepclear.record.policies import Policy

__all__ = ["NOT_PROVED", "PROVED", "command"]

PROVED, NOT_PROVED = 0, 1
_PROOF_BYTES = 4 * 2**20
_PROOF_RIGHT = "a .tlog-proof file (C2SP tlog-proof), or evidence of a fork as keepclear audit writes it"
_ENTRY_RIGHT = "an entry file as keepclear writes it, or the bytes that were logged"


def command(
    context: typer.Context,
    proof: Annotated[
        str, typer.Argument(metavar="PROOF", help="A .tlog-proof file, or evidence of a fork; - is standard input.")
    ],
    policy: Annotated[
        str, typer.Option(metavar="POLICY", help="Whose logs and cosigners you believe (C2SP tlog-policy).")
    ],
    entry: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="The entry: an entry file, or the very bytes that a log holds (a leaf)."),
    ] = None,
    opening: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Where the entry is a commitment: the entry file that opens it."),
    ] = None,
    form: Annotated[str, typer.Option("--format", metavar="text|json", help="How to answer.")] = "text",
) -> int:
    """Prove what was said, by whom, where it stands in their log, and who had received it by when.

    Nothing is needed but these files: no network and no store. Evidence of a fork needs no entry.

    Exit status: 0 proved, 1 not proved (and which step failed), 2 bad input. What is not proved is not thereby false.
    """
    faults = Faults()
    files = [name for name in (proof, entry, opening) if name is not None]
    refuse_unknown(files, (name for option in context.command.params for name in option.opts), faults)
    faults.add(check_files([*files, policy]))
    chosen = faults.take("--format", form, parse_choice("text", "json")) or ""
    believed = faults.take("--policy", policy, read_policy)
    faults.stop_if_any()
    assert believed is not None
    try:
        document = _document(proof, entry, opening, believed)
    except IntegrityError as error:
        sentence = f"Not proved: {error}."
        document = {"keepclear": "verify/1", "proved": False, "sentence": sentence}
    put([_shown(document, chosen)], None)
    return PROVED if document["proved"] else NOT_PROVED


def _document(proof: str, entry: str | None, opening: str | None, policy: Policy) -> dict[str, Any]:
    from keepclear.clock import now_s
    from keepclear.record.forks import ForkEvidence, is_fork_evidence, verify_fork
    from keepclear.record.tlog_proofs import TlogProof
    from keepclear.record.verdicts import fork_document, proved_document
    from keepclear.record.verifying import verify_entry

    data = read_file(proof, most_bytes=_PROOF_BYTES, right=_PROOF_RIGHT)
    if is_fork_evidence(data):
        if entry is not None or opening is not None:
            raise InputError(Fault("evidence of a fork is of no single entry", "leave it out", field="--entry"))
        evidence = parsed(proof, data, ForkEvidence.of_bytes, right=_PROOF_RIGHT)
        return fork_document(verify_fork(evidence, policy.log_keys))
    read = parsed(proof, data, TlogProof.of_bytes, right=_PROOF_RIGHT)
    if entry is None:
        raise InputError(Fault("missing: a proof says nothing without what it is of", _ENTRY_RIGHT, field="--entry"))
    opened = None if opening is None else _opening(opening)
    return proved_document(verify_entry(read, _entry(entry), policy, now_s=now_s(), opening=opened))


def _entry(name: str) -> Entry | bytes:
    """An entry file, or else the bytes themselves, of whatever log they are."""
    from keepclear.record.entry_files import MOST_FILE_BYTES, read_entry
    from keepclear.record.leaves import Leaf

    data = read_file(name, most_bytes=MOST_FILE_BYTES, right=_ENTRY_RIGHT)
    if b'"keepclear"' not in data:
        return data
    try:
        Leaf.of_bytes(data)
    except PeerError:
        return parsed(name, data, read_entry, right=_ENTRY_RIGHT)
    return data


def _opening(name: str) -> OpeningBody:
    """The body of an entry file that opens a commitment, which is what its own leaf says it is."""
    from keepclear.record.bodies.committed import OpeningBody

    entry = _entry(name)
    if isinstance(entry, bytes) or entry.leaf.type != OpeningBody.TYPE or entry.body is None:
        raise InputError(Fault("no opening", "an entry file of type opening, with its body", file=name))
    entry.check()
    return parsed(name, entry.body, OpeningBody.of_bytes, right=_ENTRY_RIGHT)


def _shown(document: dict[str, Any], form: str) -> str:
    from keepclear.cli.screen import plain, plain_json, rendered

    if form == "json":
        return plain_json(json.dumps(document, ensure_ascii=False)) + "\n"
    return rendered(plain(document["sentence"]), terminal=sys.stdout is not None and sys.stdout.isatty())
