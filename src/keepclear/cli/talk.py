"""``keepclear say|answer``: words, and a person's answers to what others have said."""

from __future__ import annotations

import base64
import mimetypes
from pathlib import Path
from typing import Annotated, Any

import typer

from keepclear.cli.folders import DirArgument, LineOption, PassphraseOption
from keepclear.cli.node_link import asked, linked
from keepclear.cli.options import Faults, parse_choice
from keepclear.cli.output import put
from keepclear.cli.receipts import later_text, received_text
from keepclear.cli.record_files import read_file
from keepclear.cli.screen import plain
from keepclear.errors import Fault, InputError

__all__ = ["answer", "say"]

_ANYTHING = "application/octet-stream"
_MOST_ATTACHED = 3 * 2**20
_ANSWERS = {
    "seen": "seen", "read-back": "read back", "relay": "relayed", "concur": "concur", "object": "object",
    "not-ours": "not ours", "unable": "unable",
}  # fmt: skip


def say(
    directory: DirArgument,
    text: Annotated[
        str | None, typer.Argument(metavar="[TEXT]", help="What is said; - is standard input. FLASH needs none.")
    ] = None,
    line: LineOption = None,
    to: Annotated[
        list[str] | None, typer.Option("--to", metavar="PARTY", help="To whom; once for each. Left out: all.")
    ] = None,
    priority: Annotated[
        str, typer.Option(metavar="routine|short|immediate|flash", help="How soon it must be answered.")
    ] = "routine",
    about: Annotated[
        list[str] | None, typer.Option("--about", metavar="ENTRY", help="What it is about; once for each.")
    ] = None,
    language: Annotated[str | None, typer.Option(metavar="TAG", help="Of the text, for example ar or en.")] = None,
    attach: Annotated[list[str] | None, typer.Option(metavar="FILE", help="A file that goes with it.")] = None,
    exercise: Annotated[bool, typer.Option("--exercise", help="It is an exercise, and marked so for ever.")] = False,
    passphrase_file: PassphraseOption = None,
) -> int:
    """Say something to the others on a line.

    FLASH is for harm in progress: it is never refused, and nothing but the priority needs to be given.
    """
    faults = Faults()
    chosen = faults.take("--priority", priority, parse_choice("routine", "short", "immediate", "flash"))
    if not text and chosen != "flash":
        faults.add([Fault("nothing to say", "what is said, between quotes", field="TEXT")])
    faults.stop_if_any()
    if text == "-":
        text = _utf8(read_file("-", most_bytes=4 * 2**20, right="text in UTF-8"))
    given: dict[str, Any] = {
        "line": line, "text": text, "priority": chosen, "recipients": to, "about": about or None,
        "language": language, "exercise": exercise, "attachments": [_attachment(name) for name in attach or ()] or None,
    }  # fmt: skip
    with linked(directory, passphrase_file) as node:
        told = node.requests.post("/messages", {name: value for name, value in given.items() if value is not None})
        received = list(received_text(node, told["id"], directory)) if told["id"] else []
    said = f"Said as {told['id']}.\n" if told["id"] else "Not in the log yet; sent beside it.\n"
    beside = [f"  beside the log to {party}: {plain(how)}\n" for party, how in told.get("beside", {}).items()]
    put([said, *beside, *(f"  {plain(one)}\n" for one in told["warnings"]), *received], None)
    return 0


def answer(
    directory: DirArgument,
    entry: Annotated[str, typer.Argument(metavar="ENTRY", help="PARTY:LINE:NUMBER, as the inbox shows it.")],
    what: Annotated[
        str, typer.Argument(metavar="|".join(_ANSWERS), help="What you answer. None of them is an approval.")
    ],
    place: Annotated[
        str | None, typer.Option("--place", metavar="TEXT", help="With read-back: the place, as you were told it.")
    ] = None,
    time: Annotated[
        str | None, typer.Option("--time", metavar="TIME", help="With read-back: the time, with its zone.")
    ] = None,
    datum: Annotated[
        str | None, typer.Option("--datum", metavar="NAME", help="Of the place, where it is not WGS84.")
    ] = None,
    unit: Annotated[str | None, typer.Option("--unit", metavar="TEXT", help="With relay: which unit was told.")] = None,
    reason: Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Why; an objection has one.")] = None,
    insist: Annotated[
        bool, typer.Option("--insist", help="Say a read-back that differs all the same, so that the filer sees it.")
    ] = False,
    passphrase_file: PassphraseOption = None,
) -> int:
    """Answer what another party has said, as a person. A receipt, which your node gives, is no answer.

    With read-back, place and time are typed anew, and compared; they are not shown here.
    """
    from keepclear.node.entry_ids import EntryId

    faults = Faults()
    faults.take("ENTRY", entry, EntryId.parse)
    chosen = faults.take("ANSWER", what, parse_choice(*_ANSWERS)) or ""
    if chosen != "read-back" and (place or time or datum):
        faults.add([Fault("goes with read-back only", "leave it out", field="--place")])
    if chosen == "relay" and not unit:
        faults.add([Fault("missing", "the unit that was told", field="--unit")])
    if chosen == "object" and not reason:
        faults.add([Fault("missing", "an objection says why", field="--reason")])
    faults.stop_if_any()
    given: dict[str, Any] = {"answer": _ANSWERS[chosen], "unit": unit, "reason": reason, "insist": insist}
    if chosen == "read-back":
        place = place or asked("Type the place as you were told it.", option="--place")
        time = time or asked("Type the time as you were told it, with its zone.", option="--time")
        given["read_back"] = {"place": place, "time": time} | ({"datum": datum} if datum else {})
    with linked(directory, passphrase_file) as node:
        told = node.requests.post(
            f"/entries/{entry}/answers", {name: value for name, value in given.items() if value not in (None, False)}
        )
        later = list(later_text(node, directory))
    warnings = [f"  {plain(one)}\n" for one in told["warnings"]]
    put([f"Answered as {told['id']}: {_ANSWERS[chosen]}.\n", *warnings, *later], None)
    return 0


def _attachment(name: str) -> dict[str, str]:
    path = Path(name)
    data = read_file(name, most_bytes=_MOST_ATTACHED, right=f"a file of at most {_MOST_ATTACHED:,} bytes")
    return {
        "name": path.name,
        "media_type": mimetypes.guess_type(path)[0] or _ANYTHING,
        "content": base64.b64encode(data).decode(),
    }


def _utf8(data: bytes) -> str:
    try:
        return data.decode().removesuffix("\n")
    except UnicodeDecodeError:
        raise InputError(Fault("not text in UTF-8", "text in UTF-8", file="-")) from None
