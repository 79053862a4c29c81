"""``keepclear log show|proof|policy``: what is in a log, and what a stranger needs to check it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from keepclear.cli.folders import DirArgument, LineOption, opened, public_key
from keepclear.cli.options import Faults, parse_choice
from keepclear.cli.output import check_output, put
from keepclear.cli.screen import note, plain, plain_json
from keepclear.cli.which_log import LogOption, OfOption, log_of
from keepclear.errors import Fault, InputError, IntegrityError, PeerError
from keepclear.times import to_text

if TYPE_CHECKING:
    from keepclear.record.bodies.committed import OpeningBody
    from keepclear.record.entries import Entry
    from keepclear.record.keys import VerifierKey
    from keepclear.record.leaves import Leaf
    from keepclear.store.held import HeldLog
    from keepclear.store.log_store import LogStore

__all__ = ["entry_lines", "policy", "proof", "show"]

_OutputOption = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="PATH", help="Write it here, all at once.")
]


def show(
    directory: DirArgument,
    line: LineOption = None,
    of: OfOption = None,
    origin: LogOption = None,
    first: Annotated[int, typer.Option("--from", metavar="INDEX", help="The first entry.", min=0)] = 0,
    form: Annotated[str, typer.Option("--format", metavar="text|json", help="For people, or entry files.")] = "text",
) -> int:
    """Show the entries of a log, each verified against its tree before it is shown.

    Entry files do not hold what is kept back: `keepclear log export --with-all-bodies` does.
    """
    faults = Faults()
    chosen = faults.take("--format", form, parse_choice("text", "json"))
    faults.stop_if_any()
    folder = opened(directory, None)
    with folder.store(readonly=True) as store:
        log = log_of(store, folder, line=line, of=of, origin=origin)
        if first > log.size:
            raise InputError(Fault("no such entry", f"the log has {log.size}", field="--from", value=str(first)))
        put(entry_lines(log, first, shown=_may_be_shown) if chosen == "json" else _in_words(log, first, store), None)
    return 0


def proof(
    directory: DirArgument,
    index: Annotated[int, typer.Argument(metavar="INDEX", help="Which entry, counted from 0.", min=0)],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="PATH", help="The proof, NAME.tlog-proof.")],
    entry: Annotated[
        Path | None, typer.Option("--entry", metavar="PATH", help="Write the entry that it is of, too.")
    ] = None,
    leaf: Annotated[
        Path | None, typer.Option("--leaf", metavar="PATH", help="Write the leaf alone, as other tools want it.")
    ] = None,
    line: LineOption = None,
    of: OfOption = None,
    origin: LogOption = None,
    size: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="In the log of N entries; the one that most have cosigned if left out."),
    ] = None,
) -> int:
    """Write the proof that an entry is in a log, with the receipts of it that are held.

    With it, the entry and a policy, anyone can check offline what was said: keepclear verify. Who is given the entry
    file reads the body; of what is kept back it holds the leaf alone.
    """
    from keepclear.record.entry_files import write_entry

    faults = Faults()
    named = [path for path in (output, entry, leaf) if path is not None]
    for path in named:
        faults.add(check_output(path, []))
    if len({path.resolve() for path in named}) < len(named):
        faults.add([Fault("one file is named twice", "a file for each", field="--output", value=str(output))])
    faults.stop_if_any()
    folder = opened(directory, None)
    with folder.store(readonly=True) as store:
        log = log_of(store, folder, line=line, of=of, origin=origin)
        at = log.best_receipts(index) if size is None else size
        written = [(output, log.proof(index, size=at).to_bytes())]
        receipts = [key.partition("+")[0] for key, _ in store.cosignatures(log.origin, at)]
        if entry is not None:
            held = log.entry(index)
            written.append((entry, write_entry(held if _may_be_shown(held.leaf) else held.without_body()) + b"\n"))
        if leaf is not None:
            written.append((leaf, log.leaf(index)))
    for path, data in written:
        put([data.decode("utf-8", "surrogateescape")], path, private=path == entry)
    told = ", ".join(dict.fromkeys(receipts)) or "none, which proves nothing either way"
    put(
        [plain(f"Entry {index} of {log.origin}, in the log of {at} entries. Receipts in the proof: {told}.") + "\n"],
        None,
    )
    return 0


def policy(
    directory: DirArgument,
    output: _OutputOption = None,
    line: LineOption = None,
    of: OfOption = None,
    origin: LogOption = None,
    cosigner: Annotated[
        list[str] | None,
        typer.Option("--cosigner", metavar="KEY", help="A mirror's public key that counts; once for each."),
    ] = None,
    quorum: Annotated[
        str | None, typer.Option(metavar="all|any|none|N", help="How many of them must have cosigned.")
    ] = None,
) -> int:
    """Write a policy: whose log a verifier is to believe, and whose receipts it takes to do so (C2SP tlog-policy)."""
    from keepclear.record.policies import Group, LogTrust, Policy, WitnessTrust, policy_text

    faults = Faults()
    faults.add(check_output(output, []))
    given = [faults.take("--cosigner", text, _cosigner) for text in cosigner or ()]
    keys = tuple(dict.fromkeys(key for key in given if key is not None))
    # A mirror key that was changed has the name of the one before: the second is called so in the policy.
    names = [
        key.name if key.name not in [one.name for one in keys[:n]] else f"{key.name}/{n}" for n, key in enumerate(keys)
    ]
    witnesses = {name: WitnessTrust(key) for name, key in zip(names, keys, strict=True)}
    needed = faults.take("--quorum", quorum or ("any" if witnesses else "none"), lambda text: _needed(text, len(keys)))
    faults.stop_if_any()
    folder = opened(directory, None)
    with folder.store(readonly=True) as store:
        key = log_of(store, folder, line=line, of=of, origin=origin).key
    groups = {"cosigners": Group(needed, tuple(witnesses))} if needed else {}
    made = Policy((LogTrust(key),), witnesses, groups, "cosigners" if needed else None)
    put([policy_text(made).decode()], output)
    return 0


def _cosigner(text: str) -> VerifierKey:
    from keepclear.record.keys import SignatureKind

    key = public_key(text)
    if key.kind is not SignatureKind.COSIGNATURE:
        raise InputError(Fault("not a key that cosigns", "a mirror's, PARTY/LINE/mirror+…", value=text))
    return key


def _needed(text: str, many: int) -> int:
    """How many cosigners must have signed."""
    known = {"none": 0, "any": 1, "all": many}
    needed = known.get(text, int(text) if text.isascii() and text.isdecimal() else -1)
    if not 0 <= needed <= many or (needed == 0 and text != "none"):
        right = f"all, any, none, or a number from 1 to {many}, of the {many} --cosigner given"
        raise InputError(Fault("not a number of cosigners", right, value=text))
    return needed


def entry_lines(log: HeldLog, first: int, *, shown: Callable[[Leaf], bool]) -> Iterator[str]:
    """Entries from `first` on as entry files, one a line; with the body where `shown` says so of the leaf.

    A leaf of no kind that can be read has no such file: it is told, and left out.
    """
    from keepclear.record.entry_files import write_entry

    for index in range(first, log.size):
        try:
            entry = log.entry(index)
        except PeerError as error:
            note(f"Note: left out is entry {index} of {log.origin}: {error}")
            continue
        yield write_entry(entry if shown(entry.leaf) else entry.without_body()).decode() + "\n"


def _may_be_shown(leaf: Leaf) -> bool:
    """Whether the body of an entry goes into a file that is handed on: not what was kept back."""
    from keepclear.record.entry_types import EntryType

    return leaf.type != EntryType.COMMITMENT


def _in_words(log: HeldLog, first: int, store: LogStore) -> Iterator[str]:
    yield plain(f"{log.origin}: {log.size} entries") + "\n"
    for index in range(first, log.size):
        try:
            entry = log.entry(index)
        except PeerError as error:
            yield f"{index}. {plain(str(error))}\n"
            continue
        yield from _entry_in_words(log, index, entry, store)


def _entry_in_words(log: HeldLog, index: int, entry: Entry, store: LogStore) -> Iterator[str]:
    leaf = entry.leaf
    whom = f" to {', '.join(leaf.recipients)}" if leaf.recipients else ""
    exercise = " (exercise)" if leaf.exercise else ""
    unknown = "" if leaf.known else " (of a type that this version does not know)"
    yield plain(f"{index}. {to_text(leaf.time_s)} {leaf.party}{whom}: {leaf.type}{exercise}{unknown}") + "\n"
    if not log.origin.startswith(f"{leaf.party}/{leaf.line}/log"):
        yield plain(f"   NOT the word of {leaf.party} on {leaf.line}: it stands in the log {log.origin}") + "\n"
    if entry.body is None:
        state = log.body_state(index)
        yield f"   the body is {'not here' if state is None else state.name.lower()}\n"
        return
    for line in _body_in_words(entry, log, store):
        yield f"   {plain(line)}\n"


def _opens(body: OpeningBody, log: HeldLog, store: LogStore) -> str:
    """Which entry is opened, and whether this is what was committed to there."""
    from keepclear.store.openings import check_opening_held

    which = f"opens entry {body.entry.index} of {body.entry.origin}"
    try:
        check_opening_held(body, log.origin, store)
    except IntegrityError as error:
        return f"{which}: WRONG: {error}"
    except PeerError as error:
        return f"{which}: cannot be checked: {error}"
    return f"{which}, and is what was committed to there:"


def _body_in_words(entry: Entry, log: HeldLog, store: LogStore) -> Iterator[str]:
    from keepclear.record.bodies.committed import CommitmentBody, OpeningBody
    from keepclear.record.bodies.registry import body_of

    assert entry.body is not None
    try:
        body = body_of(entry)
    except PeerError as error:
        yield str(error)
        return
    members: dict[str, Any] = {} if body is None else body.members()
    if isinstance(body, OpeningBody):
        yield _opens(body, log, store)
        members = body.content.body
    elif isinstance(body, CommitmentBody):
        yield "kept back: nobody is shown this before keepclear log open"
        members = body.body
    if body is None:
        yield entry.body.decode("utf-8", "backslashreplace")
    elif "text" in members:
        yield str(members["text"])
    elif "note" in members:
        yield str(members["note"]).partition("\n\n")[0].replace("\n", "; ")
    else:
        yield plain_json(json.dumps(members, ensure_ascii=False))
