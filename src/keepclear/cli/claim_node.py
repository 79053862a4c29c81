"""``keepclear claim add|list`` at a node: what was said publicly of an encounter, on the record, and weighed."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from keepclear.cli.claim import app
from keepclear.cli.folders import DirArgument, LineOption, PassphraseOption, ToOption
from keepclear.cli.node_link import linked
from keepclear.cli.options import Faults
from keepclear.cli.output import put
from keepclear.cli.receipts import received_text
from keepclear.cli.screen import plain
from keepclear.errors import Fault
from keepclear.times import parse_time, to_text

__all__ = ["add", "app", "list_claims"]

_WHAT = "joint|coordinated|deconflicted|not-joint|only-deconfliction|not-coordinated|participants|breach|no-breach"


@app.command("add", short_help="Put on the record what somebody said publicly.")
def add(
    directory: DirArgument,
    asserts: Annotated[str, typer.Argument(metavar=_WHAT, help="What it comes to.")],
    party: Annotated[list[str], typer.Option("--party", metavar="PARTY", help="Of whom it speaks; once for each.")],
    start: Annotated[str, typer.Option("--from", metavar="TIME", help="Of which time it speaks: from when,")],
    until: Annotated[str, typer.Option("--until", metavar="TIME", help="and until when.")],
    said_by: Annotated[str, typer.Option("--said-by", metavar="TEXT", help="Who said it.")],
    said_at: Annotated[str, typer.Option("--said-at", metavar="TIME", help="When.")],
    where: Annotated[str, typer.Option("--where", metavar="TEXT", help="Where it can be read.")],
    words: Annotated[str, typer.Option("--words", metavar="TEXT", help="A short reference to the words.")],
    took_part: Annotated[
        list[str] | None,
        typer.Option("--took-part", metavar="PARTY=NUMBER", help="With participants: how many; once for each."),
    ] = None,
    language: Annotated[str | None, typer.Option(metavar="TAG", help="Of the words, for example ru or en.")] = None,
    line: LineOption = None,
    to: ToOption = None,
    passphrase_file: PassphraseOption = None,
) -> int:
    """Put on the record what somebody said publicly of an encounter: the words by reference alone."""
    faults = Faults()
    from_s, to_s = faults.take("--from", start, parse_time), faults.take("--until", until, parse_time)
    if from_s is not None and to_s is not None and to_s < from_s:
        faults.add([Fault("the end is before the start", "--until at or after --from", field="--until", value=until)])
    said_s = faults.take("--said-at", said_at, parse_time)
    some = [_platforms(one, faults) for one in took_part or ()]
    faults.stop_if_any()
    claim: dict[str, Any] = {
        "subject": {"parties": party, "from_s": from_s, "to_s": to_s}, "said_by": said_by, "said_s": said_s,
        "where": where, "words_ref": words, "asserts": asserts, "participants": some,
    }  # fmt: skip
    claim |= {} if language is None else {"language": language}
    asked = {"claim": claim, "line": line, "recipients": to}
    with linked(directory, passphrase_file) as node:
        said = node.requests.post("/claims", {name: one for name, one in asked.items() if one is not None})
        received = list(received_text(node, said["id"], directory))
        told = node.claim(said["id"])
    assert told.weighed is not None
    put([f"On the record as {said['id']}.\n", *received, f"{told.weighed.weight.upper()}\n",
         *(f"  {plain(one)}\n" for one in told.weighed.because)], None)  # fmt: skip
    return 0


@app.command("list", short_help="Show the claims on the record of your node, weighed.")
def list_claims(directory: DirArgument, line: LineOption = None, passphrase_file: PassphraseOption = None) -> int:
    """Show what was said publicly of encounters, and how each claim stands to the record by what is known now."""
    with linked(directory, passphrase_file) as node:
        found = [node.claim(one.id) for one in node.claims(line=line)]
    lines = []
    for one in found:
        assert one.weighed is not None
        claim = one.claim
        lines.append(
            f"{one.id}  {one.weighed.weight.upper()}  {plain(claim['said_by'])}, {to_text(claim['said_s'])}: "
            f"{claim['asserts']} ({', '.join(map(plain, claim['subject']['parties']))})\n"
        )
        lines += [f"  {plain(because)}\n" for because in one.weighed.because]
    put(lines or ["No claim.\n"], None)
    return 0


def _platforms(text: str, faults: Faults) -> dict[str, Any]:
    party, _, number = text.partition("=")
    if not party or not number.isdigit() or not number.isascii():
        faults.add([Fault("not a party and a number", "PARTY=NUMBER", field="--took-part", value=text)])
        return {}
    return {"party": party, "platforms": int(number)}
