"""``keepclear line``: beginning a line, bringing parties onto it, joining, leaving, and how it is."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING, Annotated

import typer

from keepclear.cli.folders import DirArgument, LineOption, PassphraseOption
from keepclear.cli.line_tables import members_text, status_text, table_text, time_text
from keepclear.cli.node_link import asked, confirmed, folder_of, linked
from keepclear.cli.options import days_s
from keepclear.cli.output import check_output, put
from keepclear.cli.receipts import later_text
from keepclear.cli.record_files import pieces_of_file, read_file
from keepclear.cli.screen import note, plain
from keepclear.clock import monotonic_s
from keepclear.errors import Fault, InputError
from keepclear.store.files import writing_whole

if TYPE_CHECKING:
    from keepclear.cli.node_requests import AskedNode
    from keepclear.record.keys import VerifierKey
    from keepclear.values.lines import JoinedTold

__all__ = ["app", "line_meant"]

app = typer.Typer(name="line", no_args_is_help=True, rich_markup_mode=None, help="The lines that your party shares.")

_MOST_FILE = 600_000
_MOST_DAYS = 366.0
_PATIENCE_S = 15.0
WordsOption = Annotated[
    str | None,
    typer.Option("--words", metavar="WORDS", help="The twelve words as they were read to you; else it asks."),
]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
ReasonOption = Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Why; all on the line read it.")]


@app.command("new", short_help="Begin a line.")
def new(
    directory: DirArgument,
    name: Annotated[str, typer.Option("--name", metavar="TEXT", help="What the line is called.")],
    line: Annotated[
        str | None, typer.Option("--line", metavar="NAME", help="Its name in the record; else made of --name.")
    ] = None,
    passphrase_file: PassphraseOption = None,
) -> int:
    """Begin a line, with your party alone on it; then invite the others."""
    with linked(directory, passphrase_file) as node:
        told = node.begin_line(name, line=line)
    put(
        [
            f"The line {told.line} ({plain(name)}) is begun.\n",
            f"Next: keepclear line invite {plain(str(directory))} --line {told.line}\n",
        ],
        None,
    )
    return 0


@app.command("invite", short_help="Write an invitation for another party.")
def invite(
    directory: DirArgument,
    line: LineOption = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to; else PARTY-LINE.invitation here.")
    ] = None,
    days: Annotated[float, typer.Option("--days", metavar="N", help="For how long it can be answered.")] = 7.0,
    passphrase_file: PassphraseOption = None,
) -> int:
    """Write an invitation onto a line, for one party.

    Give the file to that party and to nobody else. Then talk over a telephone with somebody you know there: each reads
    the other the twelve words of its own identity.
    """
    faults = check_output(output, ())
    if faults:
        raise InputError(faults)
    valid_s = days_s(days, most=_MOST_DAYS)
    folder = folder_of(directory)
    with linked(directory, passphrase_file) as node:
        line = line_meant(node, line)
        told, invitation = node.invite(line, valid_s=valid_s)
    path = output or Path(f"{folder.party}-{line}.invitation")
    put([invitation.decode()], path, private=True)
    shown = plain(str(directory))
    put(
        [
            f"Invitation {told.id} onto {line} is in {plain(str(path))}, good until {told.expires:%Y-%m-%d %H:%M}Z.\n",
            "Give it to the party that you invite, and to nobody else. Over the telephone, read them your words:\n",
            f"  {_words(folder.identity)}\n",
            f"When they have answered: keepclear line admit {shown} PARTY --line {line}\n",
        ],
        None,
    )
    return 0


@app.command("join", short_help="Answer an invitation.")
def join(
    directory: DirArgument,
    file: Annotated[str, typer.Argument(metavar="FILE", help="The invitation.")],
    words: WordsOption = None,
    acceptance: Annotated[
        Path | None,
        typer.Option("--acceptance", metavar="FILE", help="Write the answer here too, where no network carries it."),
    ] = None,
    passphrase_file: PassphraseOption = None,
) -> int:
    """Answer an invitation, after somebody you know has read you the inviting party's words over a telephone."""
    faults = check_output(acceptance, [file])
    if faults:
        raise InputError(faults)
    data = read_file(file, most_bytes=_MOST_FILE, right="an invitation")
    folder = folder_of(directory)
    with linked(directory, passphrase_file) as node:
        seen = node.look(data)
        note(f"{seen.party} ({seen.party_name}) invites you onto {seen.name} ({seen.line}).")
        heard = words or asked(f"Type the twelve words that {seen.party} reads to you.", option="--words")
        told, answer = node.join(data, heard)
        alone = node.alone
    if acceptance is not None:
        put([answer.decode()], acceptance, private=True)
    put(_joined_text(directory, folder.identity, told, alone=alone, written=acceptance), None)
    return 0


@app.command("admit", short_help="Bring in a party that has answered.")
def admit(
    directory: DirArgument,
    party: Annotated[str, typer.Argument(metavar="PARTY", help="Who answered your invitation.")],
    line: LineOption = None,
    words: WordsOption = None,
    acceptance: Annotated[
        str | None, typer.Option("--acceptance", metavar="FILE", help="Their answer, where it came as a file.")
    ] = None,
    passphrase_file: PassphraseOption = None,
) -> int:
    """Say that a party is on the line, after somebody you know there has read you its words over a telephone."""
    with linked(directory, passphrase_file) as node:
        line = line_meant(node, line)
        if acceptance is not None:
            data = read_file(acceptance, most_bytes=_MOST_FILE, right="the answer to an invitation")
            node.take_acceptance(line, data)
        waiting = _waiting(node, line, party)
        if party not in waiting:
            if _is_member(node, line, party):
                raise InputError(Fault(f"it is on {line} already", "", "", "", "PARTY", party))
            told = ", ".join(waiting) or "nobody"
            right = "keepclear line join at their side; or give their answer as a file: --acceptance"
            raise InputError(Fault(f"it has not answered an invitation ({told} has)", right, "", "", "PARTY", party))
        heard = words or asked(f"Type the twelve words that {party} reads to you.", option="--words")
        said = node.admit(line, party, heard)
        there = _is_there(node, line, party)
        later = list(later_text(node, directory))
    still = "" if there else f"It is there once what {party} has said itself has come.\n"
    put([f"{party} is on {line}: said as entry {said.id}.\n", still, *later], None)
    return 0


@app.command("members", short_help="Show who is on a line.")
def members(directory: DirArgument, line: LineOption = None, passphrase_file: PassphraseOption = None) -> int:
    """Show who is on a line, by whose word, and who has answered an invitation."""
    folder = folder_of(directory)
    with linked(directory, passphrase_file) as node:
        line = line_meant(node, line)
        found, waiting = node.members(line), list(node.acceptances(line))
    put(members_text(found, waiting, own=folder.party), None)
    return 0


@app.command("status", short_help="Show how the channels of your lines are.")
def status(directory: DirArgument, line: LineOption = None, passphrase_file: PassphraseOption = None) -> int:
    """Show of every party on the line: whether its node is heard, and what it has not received yet."""
    with linked(directory, passphrase_file) as node:
        lines = [line] if line is not None else [one.line for one in node.lines()]
        texts = [piece for one in lines for piece in status_text(node.status(one))]
    put(texts or ["On no line yet: keepclear line new, or keepclear line join.\n"], None)
    return 0


@app.command("leave", short_help="Leave a line.")
def leave(
    directory: DirArgument,
    line: LineOption = None,
    reason: ReasonOption = None,
    yes: YesOption = False,
    passphrase_file: PassphraseOption = None,
) -> int:
    """Say that your party leaves a line. What it said there stays said; to come back it has to be invited."""
    with linked(directory, passphrase_file) as node:
        line = line_meant(node, line)
        if not confirmed(f"Leave {line}?", yes=yes):
            return 1
        said = node.leave(line, reason=reason)
        later = list(later_text(node, directory))
    put([f"Said as entry {said.id}: you leave {line}.\n", *later], None)
    return 0


@app.command("remove", short_help="Say that a member is to go.")
def remove(
    directory: DirArgument,
    party: Annotated[str, typer.Argument(metavar="PARTY", help="Who is to go.")],
    line: LineOption = None,
    reason: ReasonOption = None,
    yes: YesOption = False,
    passphrase_file: PassphraseOption = None,
) -> int:
    """Say that a member is to be on the line no longer. It is gone once all others have said so."""
    with linked(directory, passphrase_file) as node:
        line = line_meant(node, line)
        if not confirmed(f"Remove {party} from {line}?", yes=yes):
            return 1
        said = node.remove(line, party, reason=reason)
        later = list(later_text(node, directory))
    put(
        [
            f"Said as entry {said.id}: {party} is to go. It is gone once all others have said so.\n",
            *later,
        ],
        None,
    )
    return 0


@app.command("invitations", short_help="Show the invitations that you wrote.")
def invitations(directory: DirArgument, line: LineOption = None, passphrase_file: PassphraseOption = None) -> int:
    """Show the invitations that were written here, and what came of each."""
    with linked(directory, passphrase_file) as node:
        line = line_meant(node, line)
        rows = [
            (str(one.id), one.state, one.party or "", time_text(one.made_at), time_text(one.expires))
            for one in node.invitations(line)
        ]
    heads = ["invitation", "state", "answered by", "written", "good until"]
    put([table_text(heads, rows) if rows else f"No invitation to {line} was written here.\n"], None)
    return 0


@app.command("withdraw", short_help="Take an invitation back.")
def withdraw(
    directory: DirArgument,
    number: Annotated[int, typer.Argument(metavar="NUMBER", min=1, help="As `keepclear line invitations` shows it.")],
    line: LineOption = None,
    yes: YesOption = False,
    passphrase_file: PassphraseOption = None,
) -> int:
    """Take an invitation back: nobody can be admitted by it any more."""
    with linked(directory, passphrase_file) as node:
        line = line_meant(node, line)
        if not confirmed(f"Take invitation {number} to {line} back?", yes=yes):
            put(["Nothing was taken back.\n"], None)
            return 1
        node.withdraw(line, number)
    put([f"Invitation {number} to {line} is taken back.\n"], None)
    return 0


@app.command("carry", short_help="Carry a line in a file, where no network does.")
def carry(
    directory: DirArgument,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The bundle to be written, or to be taken in.")],
    to: Annotated[
        str | None, typer.Option("--to", metavar="PARTY", help="Write it for this party; left out: take it in.")
    ] = None,
    line: LineOption = None,
    passphrase_file: PassphraseOption = None,
) -> int:
    """Write what another party's node lacks into a file, for a memory stick; or take in what they wrote for you.

    Carried both ways, it does all that a network does, receipts too.
    """
    if to is None:
        return _taken_in(directory, file, line, passphrase_file)
    faults = check_output(file, ())
    if faults:
        raise InputError(faults)
    with linked(directory, passphrase_file) as node:
        line = line_meant(node, line)
        with writing_whole(file, mode=0o600) as writing:
            node.write_bundle_to(line, to, writing)
    put(
        [f"{plain(str(file))} has what {to} lacks of {line}; there: keepclear line carry DIR {plain(file.name)}\n"],
        None,
    )
    return 0


def _taken_in(directory: Path, file: Path, line: str | None, passphrase_file: str | None) -> int:
    with (
        pieces_of_file(file, right="a bundle that another party wrote for you") as pieces,
        linked(directory, passphrase_file) as node,
    ):
        line = line_meant(node, line)
        told = node.read_bundle(line, pieces)
    new = sum(told.entries.values())
    put(
        [
            f"From {told.party}: {new} new entries of {len(told.entries)} logs.\n",
            *(f"{plain(one)}\n" for one in told.troubles),
            f"For the way back: keepclear line carry {plain(str(directory))} FILE --to {told.party} --line {line}\n",
        ],
        None,
    )
    return 0


def line_meant(node: AskedNode, line: str | None) -> str:
    """The line that is meant: the one named, or the only one there is.

    Raises
    ------
    InputError
        If none was named, and there are none or several.
    """
    if line is not None:
        return line
    lines = [one.line for one in node.lines()]
    if len(lines) == 1:
        return str(lines[0])
    right = f"one of: {', '.join(lines)}" if lines else "begin one: keepclear line new DIR --name NAME"
    raise InputError(Fault(f"you are on {len(lines) or 'no'} lines" if lines else "no line yet", right, field="--line"))


def _waiting(node: AskedNode, line: str, party: str) -> list[str]:
    """Who has answered an invitation, after some patience with an answer that is on its way."""
    until_s = monotonic_s() + _PATIENCE_S
    while True:
        waiting = [one.party for one in node.acceptances(line)]
        if party in waiting or node.alone or monotonic_s() > until_s or _is_member(node, line, party):
            return waiting
        sleep(0.2)


def _is_there(node: AskedNode, line: str, party: str) -> bool:
    """Whether a party is on a line, after some patience with what it has said itself."""
    until_s = monotonic_s() + _PATIENCE_S
    while not _is_member(node, line, party):
        if node.alone or monotonic_s() > until_s:
            return False
        sleep(0.2)
    return True


def _is_member(node: AskedNode, line: str, party: str) -> bool:
    return any(one.party == party for one in node.members(line).members)


def _words(key: VerifierKey) -> str:
    from keepclear.record.fingerprints import words

    return " ".join(words(key))


def _joined_text(
    directory: Path, identity: VerifierKey, told: JoinedTold, *, alone: bool, written: Path | None
) -> Iterable[str]:
    inviter, shown = told.inviter, plain(str(directory))
    yield f"The words are those of {inviter}. You have said that you join {told.line}.\n"
    yield f"Now read {inviter} your words over the telephone:\n  {_words(identity)}\n"
    if written is not None:
        yield f"The answer is in {plain(str(written))}; give it to {inviter}.\n"
    elif not told.addresses:
        yield f"{inviter} has no address: write the answer to a file with --acceptance, and give it to them.\n"
    elif alone:
        yield f"It goes to {inviter} when your node runs: keepclear serve {shown}\n"
