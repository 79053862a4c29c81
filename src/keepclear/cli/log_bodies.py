"""``keepclear log open|erase|refuse``: what becomes of the bodies beside a log."""

from __future__ import annotations

from typing import Annotated

import typer

from keepclear.cli.folders import DirArgument, LineOption, PassphraseOption, ToOption, opened, recipients_of
from keepclear.cli.log_saying import said_text
from keepclear.cli.output import put
from keepclear.cli.which_log import LogOption, OfOption, log_of, mirror_of, origin_of
from keepclear.errors import Fault, InputError

__all__ = ["IndexArgument", "erase", "open_commitment", "refuse"]

IndexArgument = Annotated[int, typer.Argument(metavar="INDEX", help="Which entry, counted from 0.", min=0)]


def open_commitment(
    directory: DirArgument,
    index: IndexArgument,
    line: LineOption = None,
    to: ToOption = None,
    origin: LogOption = None,
    passphrase_file: PassphraseOption = None,
) -> int:
    """Show what was kept back: a new entry that holds it, and proves that it was there when the old one was said."""
    from keepclear.clock import now_s
    from keepclear.record.commitments import opening
    from keepclear.record.entries import EntryRef
    from keepclear.store.held import HeldLog
    from keepclear.store.saying import entry_said

    folder = opened(directory, passphrase_file)
    recipients = recipients_of(folder, to)
    with folder.store() as store:
        name = origin_of(store, folder, line=line, of=None, origin=origin)
        party, line = name.split("/")[:2]
        if party != folder.party:
            raise InputError(Fault("not a log of yours", "what you kept back yourself", field="--log", value=name))
        held, log = HeldLog(store, name), folder.own_log(store, line)
        entry = held.entry(index)
        body = opening(entry, EntryRef(name, index, entry.leaf.hash))
        said = entry_said(
            body, line=line, party=folder.party, time_s=now_s(), recipients=recipients, exercise=entry.leaf.exercise
        )
        refs = log.append([said])
    put([*said_text(refs, to, keep_back=False), f"It opens entry {index} of {name}.\n"], None)
    return 0


def erase(
    directory: DirArgument,
    index: IndexArgument,
    of: OfOption = None,
    line: LineOption = None,
    origin: LogOption = None,
    sure: Annotated[bool, typer.Option("--yes", help="Do it: it cannot be undone.")] = False,
) -> int:
    """Remove the body of an entry, its salt and attachments, from your disk for good.

    The leaf stays, and still proves what the body was to whoever else holds it.
    """
    if not sure:
        raise InputError(Fault("a body that is erased cannot be brought back", "say --yes to erase it", field="--yes"))
    folder = opened(directory, None)
    with folder.store() as store:
        log = log_of(store, folder, line=line, of=of, origin=origin)
        log.erase_body(index)
    put([f"The body of entry {index} of {log.origin} is no longer here. Its leaf is.\n"], None)
    return 0


def refuse(
    directory: DirArgument,
    index: IndexArgument,
    of: Annotated[str, typer.Option("--of", metavar="PARTY", help="Whose entry it is.")],
    guard: Annotated[
        str, typer.Option(metavar="NAME", help="The rule by which it is refused, for example NO_SHARING.")
    ],
    line: LineOption = None,
    origin: LogOption = None,
    passphrase_file: PassphraseOption = None,
) -> int:
    """Say in your log, to its author, that the body of an entry addressed to you is not kept.

    From then on a receipt does not wait for it.
    """
    from keepclear.clock import now_s
    from keepclear.store.refusing import refuse as say_refused

    folder = opened(directory, passphrase_file)
    with folder.store() as store:
        mirror = mirror_of(store, folder, line=line, of=of, origin=origin)
        own = folder.own_log(store, mirror.origin.split("/")[1])
        ref = say_refused(mirror, index, own, guard=guard, time_s=now_s())
    put(
        [f"Said as entry {ref.index} of {ref.origin}: the body of entry {index} of {mirror.origin} is not kept.\n"],
        None,
    )
    return 0
