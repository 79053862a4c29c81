"""``keepclear alarm``: what somebody must look at, who is on duty, and how they are alarmed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any
from urllib.parse import quote

import typer

from keepclear.cli.folders import DirArgument, PassphraseOption
from keepclear.cli.line_tables import table_text
from keepclear.cli.node_link import linked
from keepclear.cli.options import Faults, parse_choice
from keepclear.cli.output import put
from keepclear.cli.record_files import read_file
from keepclear.cli.screen import plain
from keepclear.errors import Fault, InputError

__all__ = ["app"]

app = typer.Typer(
    name="alarm", help="See alarms, say who is on duty, and set up how they are alarmed.", no_args_is_help=True,
    rich_markup_mode=None,
)  # fmt: skip

_KINDS = ("e-mail", "webhook", "command")
_LISTS = frozenset({"to", "argv"})
_NUMBERS = frozenset({"port", "timeout_s"})
_SET_RIGHT = "NAME=VALUE, for example host=mail.example.org"
_POST_RIGHT = "ROLE:RANK:HOLDER:CHANNEL,CHANNEL, for example 'duty officer:0:ivanov:siren,mail'"
_SECRET_RIGHT = "a file whose first line is the secret; - for standard input"  # noqa: S105  # words for people
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="What the channel is called.")]


@app.command("list", short_help="Show the alarms.")
def list_alarms(
    directory: DirArgument,
    everything: Annotated[bool, typer.Option("--all", help="Those too that somebody has seen.")] = False,
    passphrase_file: PassphraseOption = None,
) -> int:
    """Show the alarms that nobody has acknowledged, the newest first."""
    with linked(directory, passphrase_file) as node:
        alarms = list(node.requests.items("/alarms", **({"all": True} if everything else {})))
    put([table_text(["", "since", "kind", "what", "seen by"], map(_row, alarms))] if alarms else ["No alarm.\n"], None)
    return 0


@app.command("seen", short_help="Say that you have seen an alarm.")
def seen(
    directory: DirArgument,
    number: Annotated[int, typer.Argument(metavar="NUMBER", help="As the list has it.")],
    note: Annotated[str, typer.Option("--note", metavar="TEXT", help="What you did about it.")] = "",
    passphrase_file: PassphraseOption = None,
) -> int:
    """Say that you have seen an alarm. Who was first stays."""
    with linked(directory, passphrase_file) as node:
        told = node.requests.post(f"/alarms/{number}/acknowledgement", {"note": note})
    put([f"Alarm {told['id']} was seen by {plain(told['acknowledged_by'])} at {told['acknowledged']}.\n"], None)
    return 0


@app.command("channels", short_help="Show how alarms leave the machine.")
def channels(directory: DirArgument, passphrase_file: PassphraseOption = None) -> int:
    """Show the channels by which alarms leave the machine, and how each was when it was last used or tried."""
    with linked(directory, passphrase_file) as node:
        found = list(node.requests.items("/alarm-channels"))
    rows = [[one["name"], one["kind"], _worked(one), one.get("tried") or "", one["note"]] for one in found]
    nothing = ["No channel is set up: alarms are shown at the desk alone. See keepclear alarm channel.\n"]
    put([table_text(["name", "kind", "worked", "last", "answered"], rows)] if rows else nothing, None)
    return 0


@app.command("channel", short_help="Set up a channel, or change one.")
def channel(
    directory: DirArgument,
    name: NameArgument,
    kind: Annotated[str, typer.Option("--kind", metavar="KIND", help=f"One of: {', '.join(_KINDS)}.")],
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="E-mail: host, sender, to. Webhook: url. Command: argv, …"),
    ] = None,
    secret_file: Annotated[
        str | None, typer.Option("--secret-file", metavar="PATH", help="Its password, or the secret that is shared.")
    ] = None,
    passphrase_file: PassphraseOption = None,
) -> int:
    """Set up a channel, or change one, and try it.

    The program of a command is given by its whole path; each --set argv=… is one more word of it, and it gets the alarm
    as JSON on its standard input.
    """
    faults = Faults()
    chosen = faults.take("--kind", kind, parse_choice(*_KINDS))
    told = _settings(settings or [], faults)
    secret = None if secret_file is None else faults.take("--secret-file", secret_file, _first_line)
    faults.stop_if_any()
    asked: dict[str, Any] = {"kind": chosen, "settings": told}
    if secret is not None:
        asked["secret"] = secret
    with linked(directory, passphrase_file) as node:
        made = node.requests.put(f"/alarm-channels/{_in_path(name)}", asked, if_match="*")
    put([f"{made['name']} {_worked(made)}: {plain(made['note'])}\n"], None)
    return 0 if made["worked"] else 1


@app.command("drop", short_help="Forget a channel.")
def drop(directory: DirArgument, name: NameArgument, passphrase_file: PassphraseOption = None) -> int:
    """Forget a channel that nobody on the roster is reached by."""
    with linked(directory, passphrase_file) as node:
        node.requests.delete(f"/alarm-channels/{_in_path(name)}", if_match="*")
    put([f"{plain(name)} is forgotten.\n"], None)
    return 0


@app.command("try", short_help="Send a test by one channel, or by all.")
def try_(
    directory: DirArgument,
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Left out: all.", show_default=False)] = None,
    passphrase_file: PassphraseOption = None,
) -> int:
    """Send a test, and say what became of it; 1 if one did not work."""
    with linked(directory, passphrase_file) as node:
        tried = node.requests.post("/alarm-channel-tests", {} if name is None else {"name": name})["items"]
    rows = [f"{one['channel']} {_worked(one)}: {plain(one['note'])}\n" for one in tried]
    put(rows or ["No channel is set up.\n"], None)
    return 0 if all(one["worked"] for one in tried) else 1


@app.command("roster", short_help="Show who is on duty, or say it.")
def roster(
    directory: DirArgument,
    posts: Annotated[
        list[str] | None,
        typer.Option("--post", metavar="ROLE:RANK:HOLDER:CHANNELS", help="One post; all of them replace those before."),
    ] = None,
    passphrase_file: PassphraseOption = None,
) -> int:
    """Show who is on duty and how they are reached; with --post, say it anew.

    Rank 0 holds the post, 1 is the first deputy. A FLASH goes to all channels of the duty officer at once, and after a
    minute without an answer to the deputy's.
    """
    faults = Faults()
    asked = [post for text in posts or [] if (post := faults.take("--post", text, _post)) is not None]
    faults.stop_if_any()
    with linked(directory, passphrase_file) as node:
        told = node.requests.put("/roster", {"posts": asked}, if_match="*") if asked else node.requests.get("/roster")
    rows = [
        [one["role"], str(one["rank"]), one["holder"], ", ".join(one["channels"]) or "desk"] for one in told["posts"]
    ]
    put([table_text(["role", "rank", "holder", "reached by"], rows)], None)
    return 0


def _row(alarm: Any) -> Sequence[str]:
    times = f" ({alarm['times']} times)" if alarm["times"] > 1 else ""
    over = ", over" if alarm.get("over") else ""
    return [str(alarm["id"]), alarm["at"], alarm["kind"] + over, alarm["sentence"] + times, alarm["acknowledged_by"]]


def _worked(told: Any) -> str:
    return {True: "works", False: "does not work", None: "was not tried"}[told["worked"]]


def _settings(texts: Sequence[str], faults: Faults) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name or (name in found and name not in _LISTS):
            problem = "said twice" if name in found else "not a setting"
            faults.add([Fault(problem, _SET_RIGHT, field="--set", value=text)])
        elif name in _LISTS:
            found.setdefault(name, []).append(value)
        else:
            found[name] = _number(value) if name in _NUMBERS else value
    return found


def _number(text: str) -> float | str:
    """A number where it is one; what is none is told by the node, with all else that is wrong."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _post(text: str) -> dict[str, Any]:
    parts = text.split(":")
    if not 2 <= len(parts) <= 4 or not parts[1].isascii() or not parts[1].isdecimal() or len(parts[1]) > 2:
        raise InputError(Fault("not a post", _POST_RIGHT, field="--post", value=text))
    role, rank, holder, names = (*parts, "", "")[:4]
    channels = [one.strip() for one in names.split(",") if one.strip()]
    return {"role": role, "rank": int(rank), "holder": holder, "channels": channels}


def _first_line(file: str) -> str:
    data = read_file(file, most_bytes=10_000, right=_SECRET_RIGHT)
    try:
        return data.decode().split("\n")[0].rstrip("\r")
    except UnicodeDecodeError:
        raise InputError(Fault("not text in UTF-8", _SECRET_RIGHT, file=file)) from None


def _in_path(text: str) -> str:
    return quote(text, safe="")
