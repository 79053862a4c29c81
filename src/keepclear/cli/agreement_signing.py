"""``keepclear agreement sign``, ``suspend``, ``resume`` and ``terminate``: what takes two persons, each as themselves.

The folder says nothing of who is sitting at it, so whoever signs says who they are, with their password. The first
person proposes, and the second, with the same command, confirms: only then anything is said.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING, Annotated, Any

import typer

from keepclear.cli.agreement_meant import agreement_meant, asked_as, version_meant
from keepclear.cli.folders import DirArgument, LineOption, PassphraseOption
from keepclear.cli.node_link import confirmed, linked
from keepclear.cli.options import Faults
from keepclear.cli.output import put
from keepclear.cli.passwords import known_password
from keepclear.cli.receipts import received_text
from keepclear.cli.screen import note, plain
from keepclear.clock import monotonic_s
from keepclear.errors import Fault, InputError
from keepclear.times import parse_time

if TYPE_CHECKING:
    from keepclear.cli.node_requests import AskedNode
    from keepclear.values.agreements import AgreementTold, SigningTold, VersionTold
    from keepclear.values.users import ProposalTold, SessionTold

__all__ = ["as_user", "reject", "resume", "sign", "suspend", "terminate", "withdraw"]

_PATIENCE_S = 5.0
_NOT_DONE = 1

AgreementOption = Annotated[str, typer.Argument(metavar="NAME", help="The agreement, as `agreement status` names it.")]
UserOption = Annotated[str, typer.Option("--user", metavar="USER", help="Who you are: a party authority of yours.")]
PasswordOption = Annotated[
    str | None,
    typer.Option("--password-file", metavar="PATH", help="Your password is the first line of this file; else it asks."),
]
DocumentOption = Annotated[
    str | None,
    typer.Option("--document", metavar="SHA-256", help="Which document: its hash, or how that begins."),
]
FromOption = Annotated[
    str | None, typer.Option("--from", metavar="TIME", help="From when; left out: from when the others have it.")
]
ReasonOption = Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Why; all on the line read it.")]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def sign(
    directory: DirArgument,
    name: AgreementOption,
    user: UserOption,
    document: DocumentOption = None,
    line: LineOption = None,
    in_force: Annotated[
        str | None,
        typer.Option("--in-force", metavar="TIME", help="It is to bind from then on, and not before; else at once."),
    ] = None,
    affiliate: Annotated[
        list[str] | None, typer.Option("--affiliate", metavar="NAME", help="Whom you say it binds too; once for each.")
    ] = None,
    yes: YesOption = False,
    password_file: PasswordOption = None,
    passphrase_file: PassphraseOption = None,
) -> int:
    """Sign a document for your party. The first person proposes it; a second one runs the same, and it is signed.

    It binds nobody before all of its parties have signed the same bytes. Read it first: keepclear agreement read.
    """
    from keepclear.values.agreements import SignatureAsked

    faults = Faults()
    at_s = faults.take("--in-force", in_force, parse_time)
    faults.stop_if_any()
    with as_user(directory, passphrase_file, user, password_file) as node:
        told = agreement_meant(node, name, line)
        version = version_meant(told, document)
        waiting = _waiting(told, f"sign {name} on {told.line}", version.document)
        if waiting is not None:
            return _confirmed(node, told, waiting, user, yes=yes)
        if node.me().party in version.signed_by:
            rest = f"it waits for {', '.join(version.missing)}" if version.missing else "it is signed by all"
            problem = "your party has signed this document already"
            raise InputError(Fault(problem, rest, field="--document", value=version.document))
        _show(version)
        if not confirmed(f"Propose that {name} is signed?", yes=yes):
            return _nothing()
        given: dict[str, Any] = {"document": version.document, "line": told.line, "text": version.text or None}
        given |= {"affiliates": affiliate or []}
        given |= {} if at_s is None else {"in_force": datetime.fromtimestamp(at_s, UTC)}
        return _proposed(node.sign_agreement(name, asked_as(SignatureAsked, given)))


def suspend(
    directory: DirArgument,
    name: AgreementOption,
    user: UserOption,
    line: LineOption = None,
    document: DocumentOption = None,
    start: FromOption = None,
    reason: ReasonOption = None,
    yes: YesOption = False,
    password_file: PasswordOption = None,
    passphrase_file: PassphraseOption = None,
) -> int:
    """Suspend an agreement for your party: its terms bind nobody while it is. The channel stays as it is."""
    return _change(
        "suspend", directory, name, user, line, document, start, reason, password_file, passphrase_file, yes=yes
    )


def resume(
    directory: DirArgument,
    name: AgreementOption,
    user: UserOption,
    line: LineOption = None,
    document: DocumentOption = None,
    start: FromOption = None,
    reason: ReasonOption = None,
    yes: YesOption = False,
    password_file: PasswordOption = None,
    passphrase_file: PassphraseOption = None,
) -> int:
    """Resume an agreement that your party has suspended."""
    return _change(
        "resume", directory, name, user, line, document, start, reason, password_file, passphrase_file, yes=yes
    )


def terminate(
    directory: DirArgument,
    name: AgreementOption,
    user: UserOption,
    line: LineOption = None,
    document: DocumentOption = None,
    start: FromOption = None,
    reason: ReasonOption = None,
    yes: YesOption = False,
    password_file: PasswordOption = None,
    passphrase_file: PassphraseOption = None,
) -> int:
    """End an agreement."""
    return _change(
        "terminate", directory, name, user, line, document, start, reason, password_file, passphrase_file, yes=yes
    )


def withdraw(
    directory: DirArgument,
    name: AgreementOption,
    line: LineOption = None,
    document: DocumentOption = None,
    reason: ReasonOption = None,
    yes: YesOption = False,
    passphrase_file: PassphraseOption = None,
) -> int:
    """Take back your party's proposal or signature, while the document is not in force."""
    return _say_alone("withdraw", directory, name, line, document, reason, passphrase_file, yes=yes)


def reject(
    directory: DirArgument,
    name: AgreementOption,
    line: LineOption = None,
    document: DocumentOption = None,
    reason: ReasonOption = None,
    yes: YesOption = False,
    passphrase_file: PassphraseOption = None,
) -> int:
    """Say that your party will not sign a document."""
    return _say_alone("reject", directory, name, line, document, reason, passphrase_file, yes=yes)


def _change(
    change: str,
    directory: Path,
    name: str,
    user: str,
    line: str | None,
    document: str | None,
    start: str | None,
    reason: str | None,
    password_file: str | None,
    passphrase_file: str | None,
    *,
    yes: bool,
) -> int:
    from keepclear.values.agreements import ChangeAsked

    faults = Faults()
    at_s = faults.take("--from", start, parse_time)
    faults.stop_if_any()
    with as_user(directory, passphrase_file, user, password_file) as node:
        told = agreement_meant(node, name, line)
        wanted = told.document if document is None else version_meant(told, document).document
        waiting = _waiting(told, f"{change} {name} on {told.line}", wanted)
        if waiting is not None:
            return _confirmed(node, told, waiting, user, yes=yes)
        note(told.sentence)
        if not confirmed(f"Propose to {change} {name}?", yes=yes):
            return _nothing()
        given: dict[str, Any] = {"change": change, "line": told.line, "document": wanted or None, "reason": reason}
        given |= {} if at_s is None else {"effective": datetime.fromtimestamp(at_s, UTC)}
        return _proposed(node.change_agreement(name, asked_as(ChangeAsked, given)))


def _say_alone(
    change: str, directory: Path, name: str, line: str | None, document: str | None, reason: str | None,
    passphrase_file: str | None, *, yes: bool,
) -> int:  # fmt: skip
    from keepclear.values.agreements import ChangeAsked

    with linked(directory, passphrase_file) as node:
        told = agreement_meant(node, name, line)
        version = version_meant(told, document)
        if not confirmed(f"{change.capitalize()} {version.document[:12]} of {name}?", yes=yes):
            return _nothing()
        given = {"change": change, "line": told.line, "document": version.document, "reason": reason}
        said = node.change_agreement(name, asked_as(ChangeAsked, given)).entry
        assert said is not None
        put([f"Said as entry {said}.\n", *received_text(node, said, directory)], None)
    return 0


@contextmanager
def as_user(
    directory: Path, passphrase_file: str | None, user: str, password_file: str | None
) -> Iterator[AskedNode]:  # fmt: skip
    """The node of a folder, asked by somebody who has signed in: it takes persons, and the folder is none."""
    password = known_password(password_file, whose=user)
    with linked(directory, passphrase_file) as node:
        node.requests.http.headers.pop("authorization", None)
        session = _signed_in(node, user, password, password_file)
        if session.must_change_password:
            right = f"keepclear user own-password {directory} {user}"
            raise InputError(Fault("another has set this password: change it first", right, field="--user", value=user))
        try:
            yield node
        finally:
            node.sign_out()


def _signed_in(node: AskedNode, user: str, password: str, password_file: str | None) -> SessionTold:
    """Who they are, if they may sign at all: nothing is shown to be signed to those who may not."""
    from keepclear.client.problems import RefusedError
    from keepclear.node.roles import Role, Scope

    try:
        session = node.sign_in(user, password)
    except RefusedError as error:
        if error.status != 401:
            faults = [replace(one, file=password_file or "") for one in error.faults if one.field == "password"]
            raise InputError([*faults, *(one for one in error.faults if one.field != "password")]) from None
        right = f"{user}'s own password, or another --user"
        raise InputError(Fault(str(error.faults[0].problem), right, field="--user", value=user)) from None
    if Scope.SIGN not in session.scopes and not session.must_change_password:
        node.sign_out()
        right = f"a user of yours with the role {Role.PARTY_AUTHORITY}"
        raise InputError(Fault("may not sign for your party, nor suspend or end", right, field="--user", value=user))
    return session


def _waiting(told: AgreementTold, act: str, document: str) -> ProposalTold | None:
    """What somebody here has proposed of just this, and waits."""
    mark = f"({document[:12]})"
    return next((one for one in told.waiting if one.subject.startswith(act) and mark in one.subject), None)


def _confirmed(node: AskedNode, told: AgreementTold, waiting: ProposalTold, user: str, *, yes: bool) -> int:
    if waiting.proposed_by == user:
        raise InputError(
            Fault(
                f"you have proposed it yourself, as {waiting.id}",
                "another person confirms it",
                field="--user",
                value=user,
            )
        )
    note(f"{waiting.proposed_by} proposed: {waiting.subject}")
    if not confirmed("Confirm it?", yes=yes):
        return _nothing()
    before = {one.entry for one in told.signatures}
    done = node.confirm(waiting.id)
    put([f"Done by {waiting.proposed_by} and {user}: {plain(done.subject)}\n"], None)
    now = _settled(node, told, before)
    put([f"{plain(now.sentence)}\n"], None)
    put([f"DISPUTE: {plain(one)}\n" for one in now.disputes], None)
    return 0


def _settled(node: AskedNode, told: AgreementTold, before: set[str]) -> AgreementTold:
    """How it stands once the others' nodes have it, or after some patience."""
    until_s = monotonic_s() + _PATIENCE_S
    while True:
        now = node.agreement(told.id, line=told.line)
        fresh = [one for one in now.signatures if one.entry not in before]
        told_others = all(one.counts is not None for one in fresh)
        if node.alone or (told_others and now.sentence != told.sentence) or monotonic_s() > until_s:
            return now
        sleep(0.1)


def _proposed(told: SigningTold) -> int:
    assert told.proposal is not None
    put(
        [
            f"Proposed ({told.proposal.id}): {plain(told.proposal.subject)}\n",
            "Nothing is said yet: within a day another person of yours runs the same, with their own --user.\n",
        ],
        None,
    )
    return 0


def _show(version: VersionTold) -> None:
    note(f"{version.title}: document {version.document}, of {version.party} ({version.entry})")
    note(f"authentic text {version.text}; signed by {', '.join(version.signed_by) or 'nobody'} so far")


def _nothing() -> int:
    put(["Nothing was said.\n"], None)
    return _NOT_DONE
