"""The commands put together, and bad command lines told in one line per fault."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from typing import Annotated, Any

import typer

from keepclear import __version__
from keepclear.cli.options import shielded
from keepclear.cli.screen import plain
from keepclear.errors import InputError, IntegrityError, PeerError, StoreError

__all__ = ["BAD_INPUT", "NOT_PROVED", "NOT_STORED", "app", "run"]

NOT_PROVED = 1  # of the commands that prove something
BAD_INPUT = 2
NOT_STORED = 74  # EX_IOERR of sysexits.h

# Options that do not exist are left in FILE, where `refuse_unknown` names all of them at once.
_LENIENT = {"ignore_unknown_options": True}


@dataclass(frozen=True)
class _Command:
    """Where a command is, by its module here; a group of commands is its module's `app`."""

    name: str
    module: str
    function: str = "command"
    help: str | None = None
    settings: dict[str, bool] | None = None

    def add_to(self, program: typer.Typer) -> None:
        module = import_module(f"keepclear.cli.{self.module}")
        if self.function == "app":
            program.add_typer(module.app)
        else:
            made = program.command(self.name, context_settings=self.settings, short_help=self.help)
            made(getattr(module, self.function))


def _group(name: str, module: str = "") -> _Command:
    return _Command(name, module or name, "app")


# In the order in which the help shows them: commands, and then groups of them.
_COMMANDS = (
    _Command("check", "check", settings=_LENIENT),
    _Command("convert", "convert", settings=_LENIENT),
    _Command("formats", "formats", help="Show which files can be read and written."),
    _Command("minima", "minima", help="Show the least separation between two kinds."),
    _Command("encounter", "encounter", help="Say what an encounter was, by the record.", settings=_LENIENT),
    _Command("verify", "verify", settings=_LENIENT),
    _Command("audit", "audit", settings=_LENIENT),
    _Command("init", "init", help="Set up your party's node."),
    _Command("serve", "serve", help="Start your party's node."),
    _Command("stop", "stop", help="Stop your party's node."),
    _Command("file", "filing", "file", "File what you plan, and see what it comes too close to."),
    _Command("amend", "filing", "amend", "File a plan in the place of an earlier one."),
    _Command("cancel", "filing", "cancel", "Say that a filing no longer stands."),
    _Command("say", "talk", "say", "Say something to the others."),
    _Command("answer", "talk", "answer", "Answer what another party has said."),
    _Command("inbox", "inbox", help="Show what waits for an answer, and how your filings stand."),
    _Command("proof", "node_proof", help="Write the proof of an entry."),
    _Command("demo", "demo", help="Watch two nodes on this machine go through a story."),
    _Command("replay", "replay", help="Watch a scenario played by real nodes, and checked."),
    _Command("backup", "backup", "backup", "Copy your node into one file."),
    _Command("restore", "backup", "restore", "Put a node back from a backup."),
    _Command("rebuild", "backup", "rebuild", "Make the tables anew from the logs."),
    _Command("export", "backup", "export", "Write what your party has said into a folder."),
    _Command("encounters", "incident", "encounters", "Show the encounters that your node has found."),
    _Command("measure", "measure", help="Say what would keep filings apart, or have them meet."),
    _group("line"),
    _group("agreement"),
    _group("draft"),
    _group("conflict"),
    _group("series"),
    _group("alarm"),
    _group("user"),
    _group("key"),
    _group("log"),
    _group("claim", "claim_node"),  # which puts its commands beside those that need no node
    _group("positions"),
    _group("joint"),
    _group("incident"),
)


_STATUS_OF: dict[type[Exception], int] = {PeerError: BAD_INPUT, IntegrityError: NOT_PROVED, StoreError: NOT_STORED}


def _show_version(asked: bool) -> None:
    if asked:
        sys.stdout.write(f"keepclear {__version__}\n")
        raise typer.Exit


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


def _program(commands: Iterable[_Command]) -> typer.Typer:
    program = typer.Typer(
        name="keepclear",
        add_completion=False,
        rich_markup_mode=None,  # the same plain help on a terminal, in a pipe and in the documentation
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
    program.callback()(_top)
    for command in commands:
        command.add_to(program)
    return program


def app() -> typer.Typer:
    """The whole program, with every command."""
    return _program(_COMMANDS)


def _program_of(arguments: list[str]) -> typer.Typer:
    """What is enough for that command line: all others would have to be loaded, which takes longer than a check."""
    asked = next((one for one in arguments if not one.startswith("-")), "")
    return _program([one for one in _COMMANDS if one.name == asked] or _COMMANDS)


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit status."""
    if not arguments:  # help, but not the exit status of an answer
        run(["--help"])
        return BAD_INPUT
    try:
        # Not main(): it would end a closed pipe with status 1, which here reads as "conflict".
        command = typer.main.get_command(_program_of(arguments))
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
