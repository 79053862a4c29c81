"""``keepclear user``: who may use the node, and what they may do.

The commands work as the operator, who has the folder in hand, whether the node runs or not.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from keepclear.cli.folders import DirArgument, PassphraseOption
from keepclear.cli.line_tables import table_text
from keepclear.cli.node_link import linked
from keepclear.cli.options import Faults, days_s, parse_choice
from keepclear.cli.output import put
from keepclear.cli.passwords import PasswordOption, known_password, new_password
from keepclear.cli.screen import plain, plain_json
from keepclear.errors import Fault, InputError
from keepclear.times import to_text

if TYPE_CHECKING:
    from keepclear.values.base import Asked
    from keepclear.values.users import UserAddedTold, UserTold

__all__ = ["app"]

app = typer.Typer(name="user", no_args_is_help=True, rich_markup_mode=None, help="Who may use your node.")

_AskedT = TypeVar("_AskedT", bound="Asked")
_MOST_DAYS = 366.0
_ROLES = (
    "party-authority, duty-officer, filer, linguist, liaison, monitor, humanitarian-notifier, affiliate, auditor, "
    "key-custodian"
)

NameArgument = Annotated[str, typer.Argument(metavar="USER", help="What the user signs in with.")]
RoleOption = Annotated[
    list[str], typer.Option("--role", metavar="ROLE", help=f"What they are to the party; once for each: {_ROLES}.")
]


@app.command("list", short_help="Show the users.")
def list_users(
    directory: DirArgument,
    form: Annotated[str, typer.Option("--format", metavar="text|json", help="How to show them.")] = "text",
    passphrase_file: PassphraseOption = None,
) -> int:
    """Show the users, what they are to the party, and who is shut out."""
    faults = Faults()
    chosen = faults.take("--format", form, parse_choice("text", "json"))
    faults.stop_if_any()
    with linked(directory, passphrase_file) as node:
        users = list(node.users())
    text = json.dumps([user.model_dump(mode="json") for user in users], ensure_ascii=False)
    told = [f"{plain_json(text)}\n"]
    put(told if chosen == "json" else _table(users), None)
    return 0


@app.command("add", short_help="Add a user.")
def add(
    directory: DirArgument,
    name: NameArgument,
    role: RoleOption,
    shown: Annotated[str, typer.Option("--name", metavar="TEXT", help="How people know them.")] = "",
    no_password: Annotated[
        bool, typer.Option("--no-password", help="They do not sign in; programs act for them with tokens.")
    ] = False,
    password_file: PasswordOption = None,
    passphrase_file: PassphraseOption = None,
) -> int:
    """Add a user. The password that you give them is good for nothing but changing it when they first sign in."""
    from keepclear.values.users import UserAsked

    given = None if no_password else new_password(password_file, whose=name)
    asked = _made(UserAsked, name=name, roles=role, shown=shown, password=given)
    with linked(directory, passphrase_file) as node:
        user = _told(node.add_user(asked))
    can = "can sign in now" if given else "is a user now, by tokens,"
    put([f"{_called(user)} {can} as {', '.join(user.roles)}.\n"], None)
    return 0


@app.command("role", short_help="Say what a user is to the party.")
def role_of(
    directory: DirArgument, name: NameArgument, role: RoleOption, passphrase_file: PassphraseOption = None
) -> int:
    """Give a user these roles, and no others."""
    user = _changed(directory, name, passphrase_file, roles=role)
    put([f"{_called(user)}: {', '.join(user.roles)}.\n"], None)
    return 0


@app.command("password", short_help="Give a user another password.")
def password(
    directory: DirArgument,
    name: NameArgument,
    password_file: PasswordOption = None,
    passphrase_file: PassphraseOption = None,
) -> int:
    """Give a user another password, which they must change; all their sessions end."""
    given = new_password(password_file, whose=name)
    user = _changed(directory, name, passphrase_file, password=given)
    put([f"{_called(user)} has another password, and must change it.\n"], None)
    return 0


@app.command("own-password", short_help="Change your own password.")
def own_password(
    directory: DirArgument,
    name: NameArgument,
    password_file: PasswordOption = None,
    new_password_file: Annotated[
        str | None,
        typer.Option("--new-password-file", metavar="PATH", help="Take the new one from this file; else it asks."),
    ] = None,
    passphrase_file: PassphraseOption = None,
) -> int:
    """Change your own password. One that another has given you is good for nothing else."""
    old = known_password(password_file, whose=name)
    new = new_password(new_password_file, whose=name)
    with linked(directory, passphrase_file) as node:
        node.requests.http.headers.pop("authorization", None)  # as themselves, and not as the folder's owner
        node.sign_in(_named(name), old)
        node.change_password(old, new)
        node.sign_out()
    put([f"{name} has a new password.\n"], None)
    return 0


@app.command("disable", short_help="Shut a user out.")
def disable(directory: DirArgument, name: NameArgument, passphrase_file: PassphraseOption = None) -> int:
    """Shut a user out at once: their sessions and tokens end."""
    user = _changed(directory, name, passphrase_file, disabled=True)
    put([f"{_called(user)} is shut out; their sessions and tokens have ended.\n"], None)
    return 0


@app.command("enable", short_help="Let a user in again.")
def enable(directory: DirArgument, name: NameArgument, passphrase_file: PassphraseOption = None) -> int:
    """Let a user in again; tokens that ended do not come back."""
    user = _changed(directory, name, passphrase_file, disabled=False)
    put([f"{_called(user)} can sign in again.\n"], None)
    return 0


@app.command("token", short_help="Make a token with which a program acts for a user.")
def token(
    directory: DirArgument,
    name: NameArgument,
    label: Annotated[str, typer.Option("--label", metavar="TEXT", help="What it is for.")],
    scope: Annotated[
        list[str], typer.Option("--scope", metavar="SCOPE", help="What it may do; once for each: read, file, say …")
    ],
    days: Annotated[float, typer.Option("--days", metavar="N", help="For how long, up to 366.")] = 90.0,
    passphrase_file: PassphraseOption = None,
) -> int:
    """Make a token. It is shown once, alone on the first line, and kept nowhere."""
    from keepclear.values.users import TokenAsked

    asked = _made(TokenAsked, label=label, scopes=scope, good_for_s=days_s(days, most=_MOST_DAYS))
    with linked(directory, passphrase_file) as node:
        made = node.make_token(_named(name), label=asked.label, scopes=asked.scopes, good_for_s=asked.good_for_s)
    one = made.made
    told = f"  token {one.id} of {one.user}: {', '.join(one.scopes)}, until {_time(one.ends)}\n"
    put([f"{made.token}\n", told], None)
    return 0


@app.command("tokens", short_help="Show a user's tokens.")
def tokens(directory: DirArgument, name: NameArgument, passphrase_file: PassphraseOption = None) -> int:
    """Show a user's tokens, those that have ended too."""
    with linked(directory, passphrase_file) as node:
        found = list(node.tokens(_named(name)))
    rows = [(one.id, plain(one.label), ", ".join(one.scopes), _time(one.ends), _time(one.ended)) for one in found]
    put([table_text(["token", "for", "scopes", "until", "ended"], rows)] if rows else ["No tokens.\n"], None)
    return 0


@app.command("end-token", short_help="End a token at once.")
def end_token(
    directory: DirArgument,
    token_id: Annotated[str, typer.Argument(metavar="TOKEN", help="Its id, as `user tokens` shows it.")],
    passphrase_file: PassphraseOption = None,
) -> int:
    """End a token at once."""
    with linked(directory, passphrase_file) as node:
        node.end_token(_named(token_id, "TOKEN"))
    put([f"Token {plain(token_id)} has ended.\n"], None)
    return 0


def _changed(directory: Path, name: str, passphrase_file: str | None, **change: Any) -> UserTold:
    """The user after a change."""
    from keepclear.values.users import UserChangeAsked

    asked = _made(UserChangeAsked, **change)
    with linked(directory, passphrase_file) as node:
        return _told(node.change_user(name, asked, if_match=node.user(_named(name)).etag))


def _made(kind: type[_AskedT], **values: Any) -> _AskedT:
    """What is asked; what the node would refuse by its shape is told before it is asked."""
    from pydantic import ValidationError

    from keepclear.values.faults import fault_of

    try:
        return kind(**values)
    except ValidationError as error:
        raise InputError([fault_of(one) for one in error.errors(include_input=False)]) from None


def _told(answer: UserAddedTold) -> UserTold:
    assert answer.user is not None  # what the operator does is proposed to nobody
    return answer.user


def _named(text: str, field: str = "USER") -> str:
    """A name that can be part of a path."""
    if not text or any(not (character.isascii() and (character.isalnum() or character in "._-")) for character in text):
        raise InputError(Fault("no such name", "letters, digits, dots, hyphens, underscores", field=field, value=text))
    return text


def _table(users: list[UserTold]) -> Iterator[str]:
    rows = [
        (
            user.name,
            plain(user.shown),
            ", ".join(user.roles),
            f"shut out since {_time(user.disabled)}" * bool(user.disabled),
        )
        for user in users
    ]
    yield table_text(["user", "known as", "roles", ""], rows) if rows else "No users.\n"


def _time(moment: datetime | None) -> str:
    return "" if moment is None else to_text(moment.timestamp())


def _called(user: UserTold) -> str:
    shown = plain(user.shown)
    return user.name if shown == user.name else f"{user.name} ({shown})"
