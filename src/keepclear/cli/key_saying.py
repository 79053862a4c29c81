"""``keepclear key change|certify|revoke|vouch``: what a party says in its log about keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from keepclear.cli.folders import (
    DirArgument,
    LineOption,
    PassphraseOption,
    ToOption,
    new_passphrase,
    opened,
    public_key,
    recipients_of,
    told_key,
    unsealed,
)
from keepclear.cli.options import Faults, parse_choice
from keepclear.cli.output import put
from keepclear.cli.screen import note
from keepclear.errors import Fault, InputError
from keepclear.times import parse_time

if TYPE_CHECKING:
    from keepclear.record.bodies.base import Body
    from keepclear.record.certificates import Statement
    from keepclear.store.party_folder import PartyFolder

__all__ = ["certify", "change", "revoke", "vouch"]


def change(
    directory: DirArgument,
    purpose: Annotated[str, typer.Option("--purpose", metavar="log|mirror", help="Which key.")],
    line: LineOption = None,
    to: ToOption = None,
    lost: Annotated[bool, typer.Option("--lost", help="The old log key is gone: only the new log can say so.")] = False,
    passphrase_file: PassphraseOption = None,
) -> int:
    """Put a new key in the place of the line's log or mirror key, and say so in the log.

    A new log key begins a new log: the old one stays as it is, signed by its own key. Where this was cut off, doing it
    again goes on from there.
    """
    from keepclear.clock import now_s
    from keepclear.store.key_changes import change_log_key, change_mirror_key

    faults = Faults()
    chosen = faults.take("--purpose", purpose, parse_choice("log", "mirror"))
    if lost and chosen == "mirror":
        faults.add([Fault("a lost mirror key is changed like any other", "leave it out", field="--lost")])
    faults.stop_if_any()
    folder = opened(directory, passphrase_file)
    line = folder.line_of(line)
    recipients, sealed_with = recipients_of(folder, to), new_passphrase(passphrase_file)
    with folder.store() as store:
        if chosen == "log":
            key = change_log_key(
                folder, store, line, time_s=now_s(), recipients=recipients, sealed_with=sealed_with, old_is_lost=lost
            )
        else:
            key = change_mirror_key(
                folder, store, line, time_s=now_s(), recipients=recipients, sealed_with=sealed_with
            )  # fmt: skip
    put(["From now on:\n", *told_key(key), *unsealed(sealed_with, "Its private part is")], None)
    return 0


def certify(
    directory: DirArgument,
    to: Annotated[list[str], typer.Option("--to", metavar="PARTY", help="Who is given them; once for each party.")],
    line: LineOption = None,
    passphrase_file: PassphraseOption = None,
) -> int:
    """Say again what your logs on the line say about your keys, word for word, to parties that were not told."""
    from keepclear.clock import now_s
    from keepclear.store.held import HeldLog
    from keepclear.store.key_statements import body_of_statement, statements
    from keepclear.store.saying import entry_said

    folder = opened(directory, passphrase_file)
    line = folder.line_of(line)
    recipients = recipients_of(folder, to)
    with folder.store() as store:
        log = folder.own_log(store, line)
        own = (HeldLog(store, name.text) for name in folder.own_names(store, line))
        notes = dict.fromkeys(told for held in own for told in statements(held))
        bodies = [body_of_statement(told) for told in notes]
        if not bodies:
            raise InputError(Fault("the bodies of your statements about keys were erased", "keepclear key change"))
        said = [
            entry_said(body, line=line, party=folder.party, time_s=now_s(), recipients=recipients) for body in bodies
        ]
        refs = log.append(said)
    put([f"Said again as entries {refs[0].index} to {refs[-1].index} of {log.origin}, for {', '.join(to)}.\n"], None)
    return 0


def revoke(
    directory: DirArgument,
    key: Annotated[str, typer.Argument(metavar="KEY", help="The public key.")],
    reason: Annotated[str, typer.Option("--reason", metavar="retired|lost|compromised", help="Why.")],
    since: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="From when: it may have been stolen before today.")
    ] = None,
    line: LineOption = None,
    to: ToOption = None,
    passphrase_file: PassphraseOption = None,
) -> int:
    """Say in the log that a key is no longer the party's, signed by its identity.

    Change a log or mirror key first: what is said after that, another key signs.
    """
    from keepclear.clock import now_s
    from keepclear.record.bodies.keys import KeyRevocationBody
    from keepclear.record.certificates import Reason, Revocation, sign_statement
    from keepclear.record.names import KeyName, Purpose, mirror_name
    from keepclear.store.key_statements import check_own, ring_of

    faults = Faults()
    chosen = faults.take("--reason", reason, parse_choice(*Reason))
    from_s = faults.take("--from", since, parse_time)
    public = faults.take("KEY", key, public_key)
    faults.stop_if_any()
    assert public is not None
    folder = opened(directory, passphrase_file)
    statement = Revocation(folder.party, public, int(now_s() if from_s is None else from_s), Reason(chosen or ""))
    identity = folder.signing_key(KeyName(folder.party, Purpose.IDENTITY))
    with folder.store(readonly=True) as store:
        check_own(ring_of(store, folder), folder, sign_statement(statement, identity))
        used = {name for on in folder.lines for name in (folder.origin(store, on), mirror_name(folder.party, on))}
    body = KeyRevocationBody(note=sign_statement(statement, identity).decode())
    said = _said(folder, line, to, body)
    put([f"{said}: the key {public.name} is no longer {folder.party}'s ({statement.reason}).\n"], None)
    if public.name in used and public in folder.public_keys():
        note("Note: that key is still the one in use; put another in its place: keepclear key change")
    return 0


def vouch(
    directory: DirArgument,
    key: Annotated[str, typer.Argument(metavar="KEY", help="The new identity, PARTY/identity+...")],
    words: Annotated[str, typer.Option("--words", metavar="WORDS", help="Its words as the party read them to you.")],
    supersedes: Annotated[
        str | None, typer.Option("--supersedes", metavar="KEY", help="The identity that was lost, if there was one.")
    ] = None,
    line: LineOption = None,
    to: ToOption = None,
    passphrase_file: PassphraseOption = None,
) -> int:
    """Say in your log that a party that lost its identity has this new one.

    Only after somebody you know read you its words: they are compared before anything is said.
    """
    from keepclear.clock import now_s
    from keepclear.record.bodies.keys import IdentityVouchBody
    from keepclear.record.certificates import Vouch
    from keepclear.record.fingerprints import check_words

    faults = Faults()
    new_key = faults.take("KEY", key, public_key)
    old = faults.take("--supersedes", supersedes, public_key)
    if new_key is not None:
        faults.take("--words", words, lambda text: check_words(text, new_key))
    faults.stop_if_any()
    assert new_key is not None
    folder = opened(directory, passphrase_file)
    statement = Vouch(new_key.name.partition("/")[0], new_key, old, folder.party, int(now_s()))
    said = _said(folder, line, to, IdentityVouchBody(note=_signed(folder, statement)))
    put([f"{said}: {folder.party} vouches that {statement.party}'s identity is now this key.\n"], None)
    return 0


def _said(folder: PartyFolder, line: str | None, to: Sequence[str] | None, body: Body) -> str:
    from keepclear.clock import now_s
    from keepclear.store.saying import entry_said

    line = folder.line_of(line)
    recipients = recipients_of(folder, to)
    if not recipients:
        note("Note: addressed to nobody, so nobody is given it; say --to for each party that must know")
    with folder.store() as store:
        log = folder.own_log(store, line)
        entry = entry_said(body, line=line, party=folder.party, time_s=now_s(), recipients=recipients)
        (ref,) = log.append([entry])
    return f"Said as entry {ref.index} of {ref.origin}"


def _signed(folder: PartyFolder, statement: Statement) -> str:
    from keepclear.record.certificates import sign_statement
    from keepclear.record.names import KeyName, Purpose

    identity = folder.signing_key(KeyName(folder.party, Purpose.IDENTITY))
    return sign_statement(statement, identity).decode()
