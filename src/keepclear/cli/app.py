"""The commands put together, and bad command lines told in one line per fault."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Annotated, Any

import typer

from keepclear import __version__
from keepclear.cli import (
    agreement,
    alarm,
    audit,
    backup,
    check,
    claim,
    claim_node,
    conflict,
    convert,
    demo,
    draft,
    encounter,
    filing,
    formats,
    inbox,
    incident,
    init,
    joint,
    key,
    line,
    log,
    measure,
    minima,
    node_proof,
    positions,
    replay,
    series,
    serve,
    stop,
    talk,
    user,
    verify,
)
from keepclear.cli.options import shielded
from keepclear.cli.screen import plain
from keepclear.errors import InputError, IntegrityError, PeerError, StoreError

__all__ = ["BAD_INPUT", "NOT_PROVED", "NOT_STORED", "app", "run"]

NOT_PROVED = 1  # of the commands that prove something
BAD_INPUT = 2
NOT_STORED = 74  # EX_IOERR of sysexits.h

app = typer.Typer(
    name="keepclear",
    add_completion=False,
    rich_markup_mode=None,  # the same plain help on a terminal, in a pipe and in the documentation
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
# Options that do not exist are left in FILE, where `refuse_unknown` names all of them at once.
_LENIENT = {"ignore_unknown_options": True}
app.command("check", context_settings=_LENIENT)(check.command)
app.command("convert", context_settings=_LENIENT)(convert.command)
app.command("formats", short_help="Show which files can be read and written.")(formats.command)
app.command("minima", short_help="Show the least separation between two kinds.")(minima.command)
app.command("encounter", context_settings=_LENIENT, short_help="Say what an encounter was, by the record.")(
    encounter.command
)
app.command("verify", context_settings=_LENIENT)(verify.command)
app.command("audit", context_settings=_LENIENT)(audit.command)
app.command("init", short_help="Set up your party's node.")(init.command)
app.command("serve", short_help="Start your party's node.")(serve.command)
app.command("stop", short_help="Stop your party's node.")(stop.command)
app.add_typer(line.app)
app.command("file", short_help="File what you plan, and see what it comes too close to.")(filing.file)
app.command("amend", short_help="File a plan in the place of an earlier one.")(filing.amend)
app.command("cancel", short_help="Say that a filing no longer stands.")(filing.cancel)
app.command("say", short_help="Say something to the others.")(talk.say)
app.command("answer", short_help="Answer what another party has said.")(talk.answer)
app.command("inbox", short_help="Show what waits for an answer, and how your filings stand.")(inbox.command)
app.command("proof", short_help="Write the proof of an entry.")(node_proof.command)
app.command("demo", short_help="Watch two nodes on this machine go through a story.")(demo.command)
app.command("replay", short_help="Watch a scenario played by real nodes, and checked.")(replay.command)
app.command("backup", short_help="Copy your node into one file.")(backup.backup)
app.command("restore", short_help="Put a node back from a backup.")(backup.restore)
app.command("rebuild", short_help="Make the tables anew from the logs.")(backup.rebuild)
app.command("export", short_help="Write what your party has said into a folder.")(backup.export)
app.add_typer(agreement.app)
app.add_typer(draft.app)
app.add_typer(conflict.app)
app.add_typer(series.app)
app.add_typer(alarm.app)
app.add_typer(user.app)
app.add_typer(key.app)
app.add_typer(log.app)
assert claim_node.app is claim.app  # its commands stand beside those that need no node
app.add_typer(claim.app)
app.add_typer(positions.app)
app.add_typer(joint.app)
app.add_typer(incident.app)
app.command("encounters", short_help="Show the encounters that your node has found.")(incident.encounters)
app.command("measure", short_help="Say what would keep filings apart, or have them meet.")(measure.command)


_STATUS_OF: dict[type[Exception], int] = {PeerError: BAD_INPUT, IntegrityError: NOT_PROVED, StoreError: NOT_STORED}


def _show_version(asked: bool) -> None:
    if asked:
        sys.stdout.write(f"keepclear {__version__}\n")
        raise typer.Exit


@app.callback()
def _top(
    version: Annotated[
        bool, typer.Option("--version", help="Say which version this is.", callback=_show_version, is_eager=True)
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show where keepclear itself went wrong.")] = False,
) -> None:
    """Find every place and time where the plans of parties that share ground and sky come too close.

    Tell each other over a line, node to node, and lose nothing: demo, init, serve, line, file, inbox, answer. And keep
    what was said so that each can prove it to anyone: proof, verify, audit; by hand: key, log.

    Exit status of check: 0 clear (no conflict found in what is known; not a permission), 1 conflict, 2 bad input,
    3 possible and no conflict. Of verify and audit: 0 proved or sound, 1 not. Anything else is no answer.
    """


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit status."""
    if not arguments:  # help, but not the exit status of an answer
        run(["--help"])
        return BAD_INPUT
    try:
        # Not main(): it would end a closed pipe with status 1, which here reads as "conflict".
        command = typer.main.get_command(app)
        with command.make_context("keepclear", shielded(arguments)) as context:
            status = command.invoke(context)
    except typer.Exit as leaving:
        return leaving.exit_code
    except InputError as error:
        _tell(str(fault) for fault in error.faults)
        return BAD_INPUT
    except (PeerError, IntegrityError, StoreError) as error:
        _tell(str(error).splitlines())
        return next(status for kind, status in _STATUS_OF.items() if isinstance(error, kind))
    except Exception as error:
        if not _is_usage_error(error):
            raise
        if type(error).__name__ == "NoArgsIsHelpError":  # a group of commands alone, which is no bad command line
            run([*arguments, "--help"])
            return BAD_INPUT
        _tell([f"{_sentence(error)} (see {_help_of(error)})"])
        return BAD_INPUT
    return status if isinstance(status, int) else 0


def _is_usage_error(error: Exception) -> bool:
    # Typer has its own copy of click in some versions and the real one in others: what they share is their shape.
    return hasattr(error, "format_message") and getattr(error, "exit_code", None) == BAD_INPUT


def _sentence(error: Any) -> str:
    return str(error.format_message()).strip().rstrip(".") or "give a command"


def _help_of(error: Any) -> str:
    context = getattr(error, "ctx", None)
    return f"{context.command_path if context else 'keepclear'} --help"


def _tell(lines: Iterable[str]) -> None:
    for told in lines:
        sys.stderr.write(plain(told) + "\n")
