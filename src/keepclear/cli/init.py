"""``keepclear init``: a party's node set up in an empty folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from keepclear.cli.folders import PassphraseOption, new_passphrase, told_key, unsealed
from keepclear.cli.output import put
from keepclear.cli.passwords import PasswordOption, new_password
from keepclear.cli.screen import plain

__all__ = ["command"]


def command(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="The folder to be made.")],
    party: Annotated[str, typer.Option("--party", metavar="NAME", help="What the party is called on every line.")],
    name: Annotated[
        str | None, typer.Option("--name", metavar="TEXT", help="What people call it; left out, the same.")
    ] = None,
    address: Annotated[
        str, typer.Option("--address", metavar="URL", help="Where the others reach your node; left out, it calls them.")
    ] = "",
    officer: Annotated[
        str, typer.Option("--officer", metavar="NAME", help="What the first officer signs in with.")
    ] = "officer",
    password_file: PasswordOption = None,
    passphrase_file: PassphraseOption = None,
    database: Annotated[
        str | None, typer.Option("--database", metavar="URL", help="postgresql://…, instead of files in the folder.")
    ] = None,
) -> int:
    """Set up your party's node: keys, settings, databases, and the first officer.

    The twelve words that it shows are those of your identity. Read them to the other parties over a telephone: who
    hears the same words that they see has the right key. Where this was cut off, do it again: it goes on.
    """
    from keepclear.clock import now_s
    from keepclear.node.beginning import Beginning, begin_node

    sealed_with = new_passphrase(passphrase_file)
    password = new_password(password_file, whose=officer)
    settings: dict[str, object] = {} if database is None else {"database": database}
    settings |= _listening(address)
    if passphrase_file not in (None, "-"):
        settings["passphrase_file"] = str(Path(str(passphrase_file)).absolute())
    given = Beginning(
        party=party, name=name or party, officer=officer, password=password, address=address,
        sealed_with=sealed_with, settings=settings,
    )  # fmt: skip
    folder = begin_node(directory, given, time_s=now_s())
    shown = plain(str(directory))
    put(
        [
            f"The node of {party} ({plain(name or party)}) is set up in {shown}.\n",
            "Its identity, and the words that you read to the other parties over a telephone:\n",
            *told_key(folder.identity),
            *unsealed(sealed_with, "The private parts of its keys are"),
            f"First officer: {officer}, party authority and duty officer.\n",
            "Next:\n",
            f"  keepclear serve {shown}                 start the node\n",
            f"  keepclear line new {shown} --name NAME  begin a line, and invite the others onto it; or\n",
            f"  keepclear line join {shown} FILE        answer an invitation\n",
        ],
        None,
    )
    return 0


def _listening(address: str) -> dict[str, object]:
    """Where a node listens that is reached at this address."""
    from urllib.parse import urlsplit

    from keepclear.errors import InputError
    from keepclear.node.calling import Address, is_loopback

    try:
        Address.of_text(address)
        parts = urlsplit(address)
    except InputError:
        return {}  # said when the node is begun, with all other faults
    port: dict[str, object] = {} if parts.port is None else {"port": parts.port}
    host = parts.hostname or ""
    if is_loopback(host):  # to listen anywhere else would open the node to others than it was asked to
        return {"host": host, **port} if host not in {"127.0.0.1", "localhost"} else port
    return {"host": "0.0.0.0", **port} if parts.scheme == "https" else port  # noqa: S104  # that is what it is for
