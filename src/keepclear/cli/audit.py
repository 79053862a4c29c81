"""``keepclear audit``: follow a whole log from its tiles, in one place or in several, and tell all that is wrong."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from keepclear.cli.kept_logs import KeptLog, examined, is_party_folder
from keepclear.cli.options import Faults, parse_choice, refuse_unknown
from keepclear.cli.output import check_output, put
from keepclear.errors import Fault, InputError, PeerError

if TYPE_CHECKING:
    from keepclear.cli.progress import Waiting
    from keepclear.record.auditing import Audited, Compared
    from keepclear.record.keys import VerifierKey
    from keepclear.record.policies import Policy
    from keepclear.record.walking import Fetch

__all__ = ["FOUND", "NOTHING_WRONG", "NOT_ALL_CHECKED", "command"]

NOTHING_WRONG, FOUND, NOT_ALL_CHECKED = 0, 1, 3


def command(
    context: typer.Context,
    places: Annotated[
        list[str],
        typer.Argument(
            metavar="DIR|URL...", help="Where the log is: exported folders or web addresses, all of one log."
        ),
    ],
    policy: Annotated[
        str | None,
        typer.Option(metavar="POLICY", help="Believe the logs and cosigners of this policy (C2SP tlog-policy)."),
    ] = None,
    key: Annotated[
        str | None, typer.Option(metavar="VKEY", help="Believe that this key, NAME+ID+KEY, is the log's.")
    ] = None,
    evidence: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Write evidence of a fork here. [fork-….txt in the working folder]"),
    ] = None,
    entries: Annotated[
        bool, typer.Option("--entries", help="Read every entry as well: its form, and whether this log may say it.")
    ] = False,
    form: Annotated[str, typer.Option("--format", metavar="text|json", help="How to answer.")] = "text",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="The answer only: no progress.")] = False,
) -> int:
    """Check every hash, signature and cosignature of a log, and hold copies of it against each other.

    Everything wrong is told, with the numbers of the entries and tiles, and what is safe. A fork, two heads that the
    log signed and that cannot both be true, is written down as evidence that `keepclear verify` accepts.

    Exit status: 0 nothing wrong, 1 something found, 2 bad input, 3 nothing wrong in what could be checked, but
    nobody said whose key is the log's.
    """
    from keepclear.cli.progress import Waiting
    from keepclear.cli.record_files import read_policy

    faults = Faults()
    refuse_unknown(places, (name for option in context.command.params for name in option.opts), faults)
    chosen = faults.take("--format", form, parse_choice("text", "json")) or ""
    believed = faults.take("--policy", policy, read_policy)
    log_key = faults.take("--key", key, _key)
    faults.add(check_output(evidence, [policy] if policy else []))
    folders = [place for place in places if is_party_folder(place)]
    places = [place for place in places if place not in folders]
    fetches = [fetch for place in places if (fetch := faults.take("DIR|URL", place, _fetch_of)) is not None]
    faults.stop_if_any()
    keys = [*([log_key] if log_key else []), *(believed.log_keys if believed else ())]
    with Waiting(shown=not quiet) as waiting:
        kept = [log for folder in folders for log in examined(folder, keys=keys, waiting=waiting)]
        audited = _audited(places, fetches, keys, believed, read_entries=entries, waiting=waiting)
    findings = _compared(places, audited)
    answer = _Answer(places, audited, findings, _written_evidence(findings, evidence), kept)
    put(answer.as_json() if chosen == "json" else answer.as_text(), None)
    return answer.status


def _key(text: str) -> VerifierKey:
    from keepclear.record.keys import VerifierKey

    try:
        return VerifierKey.of_text(text)
    except PeerError as error:
        raise InputError(Fault(str(error), "copy the key as its owner gave it", value=text)) from None


def _fetch_of(place: str) -> Fetch:
    from keepclear.cli.places import folder, is_url, site

    return site(place) if is_url(place) else folder(Path(place))


def _audited(
    places: Sequence[str],
    fetches: Sequence[Fetch],
    keys: Sequence[VerifierKey],
    policy: Policy | None,
    *,
    read_entries: bool,
    waiting: Waiting,
) -> list[Audited]:
    from keepclear.clock import now_s
    from keepclear.record.auditing import audit
    from keepclear.record.policies import Policy

    believed = policy or Policy()
    found, faults = [], []
    for place, fetch in zip(places, fetches, strict=True):
        waiting.stage(f"auditing {place}")
        try:
            found.append(
                audit(
                    fetch,
                    keys=keys,
                    policy=believed,
                    now_s=now_s(),
                    read_entries=read_entries,
                    progress=waiting.advance,
                )
            )
        except PeerError as error:
            faults.append(Fault(str(error), "name the folder or address below which 'checkpoint' is", file=place))
    if faults:
        raise InputError(faults)
    return found


def _compared(places: Sequence[str], audited: Sequence[Audited]) -> list[Compared]:
    from keepclear.record.auditing import compared

    origins = {place.head.origin: name for name, place in zip(places, audited, strict=True) if place.head}
    if len(origins) > 1:
        raise InputError(
            [
                Fault(f"the log {origin}, which is not the log of the others", "name copies of one log", file=name)
                for origin, name in origins.items()
            ]
        )
    return list(compared(audited))


def _written_evidence(findings: Sequence[Compared], path: Path | None) -> dict[int, str]:
    """The file of each finding that is a fork. Without `path` its name is made of what is in it."""
    from keepclear.cli.screen import note

    written: dict[int, str] = {}
    for number, one in enumerate(findings):
        if one.evidence is None:
            continue
        data = one.evidence.to_bytes()
        target = path or Path(f"fork-{hashlib.sha256(data).hexdigest()[:16]}.txt")
        if path is not None and written:
            target = path.with_name(f"{path.stem}-{len(written) + 1}{path.suffix}")
        try:
            put([data.decode()], target)
        except InputError as error:  # what was found is worth more than the file
            note(f"The evidence could not be kept. {error}")
        else:
            written[number] = str(target)
    return written


@dataclass(frozen=True, slots=True)
class _Answer:
    """All that was found, to be told."""

    places: Sequence[str]
    audited: Sequence[Audited]
    compared: Sequence[Compared]
    evidence: dict[int, str]
    kept: Sequence[KeptLog]

    @property
    def wrong(self) -> int:
        """How many things are wrong."""
        found = sum(len(place.findings) for place in self.audited) + sum(len(log.wrong) for log in self.kept)
        return found + len(self.compared)

    @property
    def status(self) -> int:
        """The exit status."""
        if self.wrong:
            return FOUND
        return NOTHING_WRONG if all(place.key for place in self.audited) else NOT_ALL_CHECKED

    def as_text(self) -> Iterator[str]:
        """For people, the answer in the last line."""
        from keepclear.cli.screen import plain

        for line in self._lines():
            yield plain(line) + "\n"

    def as_json(self) -> Iterator[str]:
        """For programs."""
        document = {
            "keepclear": "audit/1",
            "wrong": self.wrong,
            "signature_checked": all(place.key for place in self.audited),
            "places": [_place(name, place) for name, place in zip(self.places, self.audited, strict=True)],
            "kept": [log.document() for log in self.kept],
            "copies": [
                {
                    "first": self.places[one.first],
                    "second": self.places[one.second],
                    "problem": one.problem,
                    "fork": one.evidence is not None,
                    "evidence": self.evidence.get(number),
                }
                for number, one in enumerate(self.compared)
            ],
        }
        from keepclear.cli.screen import plain_json

        yield plain_json(json.dumps(document, ensure_ascii=False)) + "\n"

    def _lines(self) -> Iterator[str]:
        for log in self.kept:
            yield from log.lines()
        for name, place in zip(self.places, self.audited, strict=True):
            yield from _lines_of(name, place)
        for number, one in enumerate(self.compared):
            yield f"{self.places[one.first]} and {self.places[one.second]}: {one.problem}."
            if number in self.evidence:
                path = self.evidence[number]
                yield f"  Evidence: {path}. Anybody can check it: keepclear verify {path} --policy POLICY"
        if len(self.audited) > 1 and not self.compared and all(place.head for place in self.audited):
            yield f"The {len(self.audited)} copies agree: each larger one begins with the smaller ones."
        yield self._last_line()

    def _last_line(self) -> str:
        if self.status == FOUND:
            return f"FOUND: {self.wrong:,} {'thing is' if self.wrong == 1 else 'things are'} wrong, as told above."
        if self.status == NOT_ALL_CHECKED:
            return "NOT ALL CHECKED: nothing wrong in the hashes; whose log it is was not checked (--key or --policy)."
        return "NOTHING WRONG: every hash and signature that is here was checked."


def _lines_of(name: str, place: Audited) -> Iterator[str]:
    head = place.head
    if head is None:
        yield f"{name}: no log that can be read"
    else:
        yield f"{name}: the log {head.origin}, {head.size:,} entries"
        if place.key is not None:
            yield f"  Signed by the log: {place.key.text}"
        elif not place.findings.listed or place.findings.listed[0].kind != "checkpoint":
            yield "  Signature NOT checked: no key was given (--key or --policy)"
        yield from (f"  Cosigned: {_receipt(one)}" for one in place.held)
        leads = (
            "they lead to the root in the checkpoint" if place.proved else "they do NOT lead to the checkpoint's root"
        )
        yield f"  Hashed: {place.hashed:,} entries; with the tiles, {leads}"
        if place.types is not None:
            kinds = ", ".join(
                f"{count:,} {type_} v{version}" for (type_, version), count in sorted(place.types.items())
            )
            yield f"  Read: {place.types.total():,} leaves{f' ({kinds})' if kinds else ''}"
    yield from (f"  WRONG: {finding.sentence}" for finding in place.findings.listed)
    if place.findings.unlisted:
        yield f"  WRONG: {place.findings.unlisted:,} more of the like, which are not listed"
    if head is not None and len(place.findings):
        yield f"  Safe: {_safe(place)}"


def _safe(place: Audited) -> str:
    """Which entries are here just as they were logged."""
    if not place.proved or place.head is None:
        return "nothing is proved here"
    if place.findings.unlisted:
        return "not told, as there is too much wrong to list"
    gaps, at = [], 0
    for first, last in place.damaged:
        if at < first:
            gaps.append(f"{at}–{first - 1}")
        at = last + 1
    if at < place.head.size:
        gaps.append(f"{at}–{place.head.size - 1}")
    whose = "" if place.key else ", by the checkpoint; who signed that was not checked, or does not hold"
    return f"entries {', '.join(gaps)}{whose}" if gaps else "no entry"


def _receipt(one: Any) -> str:
    from keepclear.record.verdicts import second_text

    return f"{one.name} ({one.key.name}), by {second_text(one.time_s)} on its own clock"


def _place(name: str, place: Audited) -> dict[str, Any]:
    from keepclear.record.verdicts import second_text

    head = place.head
    types = place.types
    return {
        "place": name,
        "log": head.origin if head else None,
        "size": head.size if head else None,
        "signed_by": place.key.text if place.key else None,
        "receipts": [{"name": one.name, "key": one.key.name, "time": second_text(one.time_s)} for one in place.held],
        "hashed": place.hashed,
        "unread": place.unread,
        "leads_to_root": place.proved,
        "types": None if types is None else [{"type": t, "v": v, "count": n} for (t, v), n in sorted(types.items())],
        "findings": [
            {"kind": one.kind, "first": one.first, "last": one.last, "level": one.level, "sentence": one.sentence}
            for one in place.findings.listed
        ],
        "unlisted": place.findings.unlisted,
        "damaged": [list(span) for span in place.damaged],
    }
