"""``keepclear agreement`` at a node: proposing, how it stands, reading, asking, giving notice, and the report."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from keepclear.cli.agreement_folders import AgreementArgument, checked_at
from keepclear.cli.agreement_meant import agreement_meant, asked_as, version_meant
from keepclear.cli.agreement_signing import AgreementOption, DocumentOption
from keepclear.cli.folders import DirArgument, LineOption, PassphraseOption
from keepclear.cli.line import line_meant
from keepclear.cli.node_link import confirmed, linked
from keepclear.cli.options import Faults, parse_choice, parse_window
from keepclear.cli.output import check_output, put
from keepclear.cli.receipts import received_text
from keepclear.cli.screen import note, plain, plain_json
from keepclear.errors import Fault, InputError
from keepclear.times import parse_time, to_text

if TYPE_CHECKING:
    from keepclear.cli.node_requests import AskedNode
    from keepclear.values.agreements import AgreementTold

__all__ = ["affiliate", "counter", "deliver", "exempt", "propose", "query", "read", "report", "status"]

RemarksOption = Annotated[str | None, typer.Option("--remarks", metavar="TEXT", help="What else is to be said of it.")]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
TermOption = Annotated[str, typer.Option("--term", metavar="ID", help="Which term of it.")]
FormOption = Annotated[str, typer.Option("--format", metavar="text|json", help="How to answer.")]


def propose(
    directory: DirArgument,
    agreement: AgreementArgument,
    line: LineOption = None,
    remarks: RemarksOption = None,
    yes: YesOption = False,
    passphrase_file: PassphraseOption = None,
) -> int:
    """Propose an agreement to the other parties on a line. It binds nobody before all of them have signed it."""
    return _proposed(directory, agreement, line, remarks, None, passphrase_file, yes=yes)


def counter(
    directory: DirArgument,
    agreement: AgreementArgument,
    against: Annotated[
        str | None,
        typer.Option("--against", metavar="ENTRY", help="The proposal; left out: the newest of another party."),
    ] = None,
    line: LineOption = None,
    remarks: RemarksOption = None,
    yes: YesOption = False,
    passphrase_file: PassphraseOption = None,
) -> int:
    """Put another document against one that was proposed."""
    return _proposed(directory, agreement, line, remarks, against or "", passphrase_file, yes=yes)


def status(
    directory: DirArgument,
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="One agreement; else all.")] = None,
    line: LineOption = None,
    form: FormOption = "text",
    passphrase_file: PassphraseOption = None,
) -> int:
    """Show how agreements stand: who has signed what, what is disputed, and what waits for a second person of yours.

    It says nothing of the channel, which `keepclear line status` shows.
    """
    faults = Faults()
    chosen = faults.take("--format", form, parse_choice("text", "json"))
    faults.stop_if_any()
    with linked(directory, passphrase_file) as node:
        found = [agreement_meant(node, name, line)] if name is not None else list(node.agreements(line=line))
        found = [node.agreement(one.id, line=one.line) for one in found] if name is None else found
    if chosen == "json":
        told = json.dumps([one.model_dump(mode="json") for one in found], ensure_ascii=False)
        put([f"{plain_json(told)}\n"], None)
    else:
        put([piece for one in found for piece in _status_text(one)] or ["No agreement was proposed.\n"], None)
    return 0


def read(
    directory: DirArgument,
    name: AgreementOption,
    document: DocumentOption = None,
    line: LineOption = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE.json", help="Write the document here, as it is signed."),
    ] = None,
    passphrase_file: PassphraseOption = None,
) -> int:
    """Read a document that was proposed, as it is to be read before it is signed.

    Written with --output it can be looked at without a node: keepclear agreement check FILE.json, or diff.
    """
    faults = check_output(output, ())
    if faults:
        raise InputError(faults)
    with linked(directory, passphrase_file) as node:
        told = agreement_meant(node, name, line)
        version = node.agreement_version(name, version_meant(told, document).document, line=told.line)
    if version.content is None:
        raise InputError(Fault(f"the document is not here: {version.problem}", value=version.document))
    if output is not None:
        from keepclear.record.canonical import canonical

        put([canonical(version.content).decode()], output)
        put([f"{plain(str(output))} has the document {version.document}.\n"], None)
        return 0
    put(_content_text(version.content), None)
    put([f"Document {version.document}\n", f"Authentic text {version.text}\n"], None)
    return 0


def query(
    directory: DirArgument,
    name: AgreementOption,
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="What you ask.")],
    term: Annotated[str | None, typer.Option("--term", metavar="ID", help="About which term.")] = None,
    urgent: Annotated[bool, typer.Option("--urgent", help="The answer is owed in two days rather than seven.")] = False,
    line: LineOption = None,
    passphrase_file: PassphraseOption = None,
) -> int:
    """Ask what an agreement, or a term of it, means."""
    from keepclear.values.agreements import QueryAsked

    with linked(directory, passphrase_file) as node:
        told = agreement_meant(node, name, line)
        given = {"question": question, "line": told.line, "term": term, "urgent": urgent}
        asked = asked_as(QueryAsked, given)
        return _said(node, directory, node.ask_about_agreement(name, asked).id)


def exempt(
    directory: DirArgument,
    name: AgreementOption,
    term: TermOption,
    activity: Annotated[str, typer.Option("--activity", metavar="TEXT", help="The activity, as the term names it.")],
    start: Annotated[str, typer.Option("--from", metavar="TIME", help="From when.")],
    end: Annotated[str, typer.Option("--to", metavar="TIME", help="Until when.")],
    filing: Annotated[
        list[str] | None, typer.Option("--filing", metavar="ENTRY", help="A filing that it is about; once for each.")
    ] = None,
    reason: Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Why.")] = None,
    line: LineOption = None,
    passphrase_file: PassphraseOption = None,
) -> int:
    """Give notice of an activity for which a term makes an exception. It asks nobody's leave."""
    from keepclear.values.agreements import ExemptionAsked

    faults = Faults()
    times = parse_window(start, end, faults)
    faults.stop_if_any()
    starts, ends = (datetime.fromtimestamp(one or 0.0, UTC) for one in times)
    with linked(directory, passphrase_file) as node:
        given = {"term": term, "activity": activity, "starts": starts, "ends": ends, "reason": reason}
        given |= {"line": agreement_meant(node, name, line).line, "filings": filing or []}
        asked = asked_as(ExemptionAsked, given)
        return _said(node, directory, node.give_exemption_notice(name, asked).id)


def deliver(
    directory: DirArgument,
    name: AgreementOption,
    term: TermOption,
    what: Annotated[str, typer.Option("--what", metavar="TEXT", help="What is given, or was done.")],
    done: Annotated[
        str | None, typer.Option("--done", metavar="TIME", help="When it was done; left out: now, with this.")
    ] = None,
    due: Annotated[str | None, typer.Option("--due", metavar="TIME", help="The due date that it is for.")] = None,
    remarks: RemarksOption = None,
    line: LineOption = None,
    passphrase_file: PassphraseOption = None,
) -> int:
    """Say that what a term asks for is given or done. That it is so, you say; nothing here proves it."""
    from keepclear.values.agreements import DeliverableAsked

    faults = Faults()
    at = {
        name: datetime.fromtimestamp(time_s, UTC)
        for name, option, text in (("done", "--done", done), ("due", "--due", due))
        if (time_s := faults.take(option, text, parse_time)) is not None
    }
    faults.stop_if_any()
    with linked(directory, passphrase_file) as node:
        given = {"term": term, "what": what, "line": agreement_meant(node, name, line).line, "remarks": remarks}
        asked = asked_as(DeliverableAsked, given | at)
        return _said(node, directory, node.deliver(name, asked).id)


def affiliate(
    directory: DirArgument,
    name: AgreementOption,
    who: Annotated[str, typer.Argument(metavar="AFFILIATE", help="Who is bound besides the parties.")],
    stance: Annotated[
        str, typer.Option("--stance", metavar="asserts|confirms|denies|withdraws", help="What you say of it.")
    ] = "asserts",
    by: Annotated[
        str | None, typer.Option("--by", metavar="PARTY", help="The party that is said to bind it; left out: yours.")
    ] = None,
    reason: Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Why.")] = None,
    line: LineOption = None,
    passphrase_file: PassphraseOption = None,
) -> int:
    """Say whom an agreement binds besides its parties, or confirm or deny what another party said of it."""
    from keepclear.values.agreements import AffiliateAsked

    faults = Faults()
    chosen = faults.take("--stance", stance, parse_choice("asserts", "confirms", "denies", "withdraws"))
    faults.stop_if_any()
    with linked(directory, passphrase_file) as node:
        told = agreement_meant(node, name, line)
        given = {"affiliate": who, "stance": chosen, "line": told.line, "by": by, "reason": reason}
        return _said(node, directory, node.say_affiliate(name, asked_as(AffiliateAsked, given)).id)


def report(
    directory: DirArgument,
    name: AgreementOption,
    start: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="Of which time; left out: of the last day.")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Until when.")] = None,
    zone: Annotated[
        list[str] | None,
        typer.Option("--zone", metavar="PARTY=ZONE", help="A party's time zone, such as RU=Europe/Moscow."),
    ] = None,
    form: Annotated[str, typer.Option("--format", metavar="markdown|html|json", help="How to write it.")] = "markdown",
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to.")] = None,
    line: LineOption = None,
    passphrase_file: PassphraseOption = None,
) -> int:
    """Report what was due, done, late, breached and disputed, by whom, and by which entries.

    Each morning the node makes the report of the day before by itself, in the folder's reports/.
    """
    faults = Faults()
    chosen = faults.take("--format", form, parse_choice("markdown", "html", "json"))
    from_s, to_s = parse_window(start, end, faults)
    faults.add(check_output(output, ()))
    faults.stop_if_any()
    span: dict[str, Any] = {"zones": zone or ()}
    span |= {
        name_: datetime.fromtimestamp(time_s, UTC)
        for name_, time_s in (("from_", from_s), ("to", to_s))
        if time_s is not None
    }
    with linked(directory, passphrase_file) as node:
        span["line"] = agreement_meant(node, name, line).line
        if chosen == "json":
            told = json.dumps(node.agreement_report(name, **span).report, ensure_ascii=False, indent=2) + "\n"
            put([told if output else plain_json(told)], output)
        else:
            page = node.agreement_report_page(name, "html" if chosen == "html" else "md", **span).decode()
            put([page if output else _lines(page)], output)
    return 0


def _proposed(
    directory: Path,
    agreement: str,
    line: str | None,
    remarks: str | None,
    against: str | None,
    passphrase_file: str | None,
    *,
    yes: bool,
) -> int:
    from keepclear.values.agreements import AgreementProposalAsked

    checked = checked_at(agreement)
    document = checked.document
    for one in checked.contradictions:
        note(f"{'CANNOT BOTH BE KEPT' if one.certain else 'DIFFERENT'}: {', '.join(one.terms)}: {one.sentence}")
    for oddity in checked.oddities:
        note(f"Note: {oddity}")
    members = json.loads(document.canonical())
    with linked(directory, passphrase_file) as node:
        line = line_meant(node, line)
        counters = None if against is None else _countered(node, document.id, line, against)
        what = f"Propose {document.title} ({document.hash[:12]}) to {', '.join(document.parties)}?"
        if not confirmed(plain(what), yes=yes):
            put(["Nothing was proposed.\n"], None)
            return 1
        given = {"document": members, "line": line, "counters": counters, "remarks": remarks}
        asked = asked_as(AgreementProposalAsked, given)
        said = (
            node.propose_agreement(asked) if counters is None else node.counter_agreement(document.id, asked)
        )  # fmt: skip
        put(
            [
                f"Proposed as {said.id}: {plain(document.title)}, document {document.hash}.\n",
                *(f"  {plain(one)}\n" for one in said.warnings),
                *received_text(node, said.id, directory),
                "It binds nobody before all parties have signed it: keepclear agreement sign.\n",
            ],
            None,
        )
    return 0


def _countered(node: AskedNode, name: str, line: str, against: str) -> str:
    """The proposal that is countered: the one that is named, or else the newest of another party."""
    own, versions = node.me().party, agreement_meant(node, name, line).versions
    if against:
        entries = [one.entry for one in versions]
        if against not in entries:
            right = f"one of: {', '.join(entries)}"
            raise InputError(Fault(f"no entry that proposes {name}", right, field="--against", value=against))
        return against
    found = [one.entry for one in versions if one.party != own]
    if not found:
        right = "propose it: keepclear agreement propose"
        raise InputError(Fault(f"no other party has proposed anything of {name}", right, field="--against"))
    return found[0]


def _said(node: AskedNode, directory: Path, entry: str) -> int:
    put([f"Said as entry {entry}.\n", *received_text(node, entry, directory)], None)
    return 0


def _status_text(told: AgreementTold) -> Iterator[str]:
    since = "" if told.since is None else f" since {to_text(told.since.timestamp())[:16]}Z"
    yield f"{plain(told.title)} ({told.id}, on {told.line}): {told.state.upper()}{since}\n"
    yield f"  parties: {', '.join(told.parties)}\n"
    if told.document:
        yield f"  in force: document {told.document}\n"
    elif told.missing:
        yield f"  not signed by: {', '.join(told.missing)}\n"
    for dispute in told.disputes:
        yield f"  DISPUTE: {plain(dispute)}\n"
    if told.flags:
        yield f"  {', '.join(told.flags)}\n"
    for version in told.versions:
        signed = f"signed by {', '.join(version.signed_by)}" if version.signed_by else "signed by nobody"
        against = f", against {version.counters}" if version.counters else ""
        yield f"  {version.document[:12]}  proposed by {version.party} as {version.entry}{against}; {signed}\n"
        if version.problem:
            yield f"    cannot be read here: {plain(version.problem)}\n"
    for signature in told.signatures:
        if signature.effect:
            yield f"  the signature {signature.entry} of {signature.party} has no effect: {plain(signature.effect)}\n"
    for one in told.affiliates:
        yield f"  affiliate: {plain(one.standing)}\n"
    for waiting in told.waiting:
        yield f"  waits for a second person (proposed by {waiting.proposed_by}): {plain(waiting.subject)}\n"


def _lines(text: str) -> str:
    return "\n".join(plain(line) for line in text.split("\n"))


def _content_text(content: dict[str, Any]) -> Iterator[str]:
    yield f"{plain(str(content.get('title')))}, version {plain(str(content.get('version')))}\n"
    for text in content.get("texts", ()):
        what = "authentic" if text.get("authentic") else "translation"
        yield f"\n--- {plain(str(text.get('language')))}, {what}\n\n{_lines(str(text.get('text')))}\n"
    for term in content.get("terms", ()):
        yield f"term {plain(json.dumps(term, ensure_ascii=False, sort_keys=True))}\n"
    for annex in content.get("annexes", ()):
        yield f"annex {plain(str(annex.get('name')))} ({plain(str(annex.get('media_type')))})\n"
