"""``keepclear log receipts|evidence|confirm``: what other parties' checkpoints say about a log that is held."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from keepclear.cli.folders import DirArgument, LineOption, PassphraseOption, opened, public_key
from keepclear.cli.options import Faults
from keepclear.cli.output import check_output, put
from keepclear.cli.record_files import parsed, read_file
from keepclear.cli.screen import note, plain
from keepclear.cli.which_log import LogOption, OfOption, held_log, origin_of
from keepclear.errors import Fault, InputError, IntegrityError

if TYPE_CHECKING:
    from keepclear.record.checkpoints import Checkpoint
    from keepclear.record.keys import VerifierKey
    from keepclear.store.log_store import LogStore
    from keepclear.store.party_folder import PartyFolder

__all__ = ["checkpoint_of", "confirm", "evidence", "receipts"]

_NOTE_BYTES = 1_000_000
_NOTHING_PROVED = 1
_CHECKPOINT_RIGHT = "a checkpoint with cosignatures, as `keepclear log import --receipt` writes it"


def receipts(
    directory: DirArgument,
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Checkpoints that others have cosigned.")],
    key: Annotated[list[str], typer.Option("--key", metavar="KEY", help="A mirror's public key; once for each.")],
) -> int:
    """Take in receipts for a log that you hold, above all your own: from then on proofs carry them.

    A receipt says that the other party's machine has stored the entries; it is no answer, and no consent.
    """
    faults = Faults()
    keys = [one for text in key if (one := faults.take("--key", text, _mirror_key)) is not None]
    faults.stop_if_any()
    folder = opened(directory, None)
    for one in keys:
        if one.name.partition("/")[0] == folder.party:
            faults.add(
                [Fault("a receipt of your own proves nothing", "another party's", field="--key", value=one.name)]
            )
    faults.stop_if_any()
    with folder.store() as store:
        lines = [_taken(store, folder, name, keys) for name in files]
    put(lines, None)
    return 0


def evidence(
    directory: DirArgument,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="PATH", help="Where to write it.")],
    of: OfOption = None,
    line: LineOption = None,
    origin: LogOption = None,
) -> int:
    """Write the evidence that a log contradicted itself, which anyone can check: keepclear verify.

    Exit status: 0 written, 1 there is none (what only came without proof is told, and is evidence of nothing).
    """
    faults = Faults()
    faults.add(check_output(output, []))
    faults.stop_if_any()
    folder = opened(directory, None)
    with folder.store(readonly=True) as store:
        name = origin_of(store, folder, line=line, of=of, origin=origin)
        found = store.conflicts(name)
    proved = [conflict for conflict in found if conflict.evidence]
    for conflict in found:
        if not conflict.evidence:
            note(f"Not proved, so evidence of nothing: {name}: {conflict.detail}")
    if not proved:
        put([f"No evidence is held that {name} contradicted itself.\n"], None)
        return _NOTHING_PROVED
    put([proved[0].evidence.decode()], output)
    more = f" ({len(proved) - 1} more of the same log are held)" if len(proved) > 1 else ""
    put([f"{plain(name)}: {proved[0].detail}{more}. The evidence is in {plain(str(output))}.\n"], None)
    return 0


def confirm(
    directory: DirArgument,
    checkpoint: Annotated[
        str, typer.Argument(metavar="FILE", help="A checkpoint of your log that another party holds.")
    ],
    passphrase_file: PassphraseOption = None,
) -> int:
    """After your folder was restored from a copy: go on from here, if no later checkpoint was shown to anyone.

    Ask every other party for the newest that they hold (keepclear log import --receipt writes it), and confirm the
    one of most entries. Until then nothing is signed.
    """
    from keepclear.record.names import KeyName
    from keepclear.store.log import Log

    data = read_file(checkpoint, most_bytes=_NOTE_BYTES, right=_CHECKPOINT_RIGHT)
    name = parsed(checkpoint, data, checkpoint_of, right=_CHECKPOINT_RIGHT).origin
    folder = opened(directory, passphrase_file)
    with folder.store() as store:
        key_name = KeyName.of_text(name)
        if key_name is None or not any(log.own for log in store.logs() if log.origin == name):
            raise InputError(Fault(f"it is of {name}", "a checkpoint of a log of yours", file=checkpoint))
        log = Log(store, name, key=folder.signing_key(key_name))
        if not log.restored:
            raise InputError(Fault(f"{name} was not restored from a copy", "nothing: it goes on as it is"))
        log.confirm(data)
    put([f"{name} goes on from {log.size} entries.\n"], None)
    return 0


def checkpoint_of(data: bytes) -> Checkpoint:
    """What a signed checkpoint says; nothing of it is verified.

    Raises
    ------
    PeerError
        If it is none.
    """
    from keepclear.record.checkpoints import Checkpoint
    from keepclear.record.notes import Note

    return Checkpoint.of_text(Note.of_bytes(data).text)


def _taken(store: LogStore, folder: PartyFolder, name: str, keys: list[VerifierKey]) -> str:
    from keepclear.record.notes import Note

    data = read_file(name, most_bytes=_NOTE_BYTES, right=_CHECKPOINT_RIGHT)
    cosigned = parsed(name, data, Note.of_bytes, right=_CHECKPOINT_RIGHT)
    checkpoint = parsed(name, data, checkpoint_of, right=_CHECKPOINT_RIGHT)
    if checkpoint.origin not in {log.origin for log in store.logs()}:
        raise InputError(Fault(f"it is of {checkpoint.origin}", "a checkpoint of a log that is held", file=name))
    log = held_log(store, folder, checkpoint.origin)
    known = store.checkpoint(log.origin, checkpoint.size)
    if known is None or known.root != checkpoint.root:
        problem = f"no such checkpoint of {checkpoint.size} entries of {log.origin} is held"
        right = "a checkpoint that this log signed; if its key did sign this one too, keep the file: it proves a fork"
        raise InputError(Fault(problem, right, file=name))
    try:
        kept = log.add_cosignatures(cosigned.signatures, keys, size=checkpoint.size)
    except IntegrityError as error:
        raise IntegrityError(f"{name}: {error}; nothing of it was kept") from None
    told = ", ".join(dict.fromkeys(kept)) or "none by a key that was given"
    return plain(f"{log.origin}, {checkpoint.size} entries: receipts kept: {told}.") + "\n"


def _mirror_key(text: str) -> VerifierKey:
    from keepclear.record.keys import SignatureKind

    key = public_key(text)
    if key.kind is not SignatureKind.COSIGNATURE:
        raise InputError(Fault("not a key that cosigns", "a mirror's, PARTY/LINE/mirror+…", value=text))
    return key
