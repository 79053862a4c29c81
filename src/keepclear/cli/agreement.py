"""``keepclear agreement``: the agreements of your party, from a draft to the report of whether it is kept."""

from __future__ import annotations

import typer

from keepclear.cli import agreement_files, agreement_node, agreement_signing

__all__ = ["app"]

app = typer.Typer(
    name="agreement",
    no_args_is_help=True,
    rich_markup_mode=None,
    help="What parties agree: write it, check it, propose and sign it, and see whether it is kept.",
)
app.command("new", short_help="Begin to write an agreement.")(agreement_files.new)
app.command("check", short_help="Look for what is wrong with an agreement, before it is proposed or signed.")(
    agreement_files.check
)
app.command("diff", short_help="Show what is different between two versions.")(agreement_files.diff)
app.command("propose", short_help="Propose an agreement to the other parties.")(agreement_node.propose)
app.command("counter", short_help="Put another document against one that was proposed.")(agreement_node.counter)
app.command("status", short_help="Show how agreements stand.")(agreement_node.status)
app.command("read", short_help="Read a document that was proposed.")(agreement_node.read)
app.command("sign", short_help="Sign a document; it takes two persons of yours.")(agreement_signing.sign)
app.command("suspend", short_help="Suspend an agreement; it takes two persons.")(agreement_signing.suspend)
app.command("resume", short_help="Resume what your party has suspended; it takes two.")(agreement_signing.resume)
app.command("terminate", short_help="End an agreement; it takes two persons.")(agreement_signing.terminate)
app.command("withdraw", short_help="Take back your proposal or signature.")(agreement_signing.withdraw)
app.command("reject", short_help="Say that your party will not sign.")(agreement_signing.reject)
app.command("query", short_help="Ask what an agreement means.")(agreement_node.query)
app.command("affiliate", short_help="Say whom it binds besides its parties.")(agreement_node.affiliate)
app.command("exempt", short_help="Give notice of what a term makes an exception for.")(agreement_node.exempt)
app.command("deliver", short_help="Say that what a term asks for is given or done.")(agreement_node.deliver)
app.command("report", short_help="Report what was due, done, late, breached and disputed.")(agreement_node.report)
