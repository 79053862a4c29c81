"""``keepclear log``: what a party says on a line, and its copies of what others say."""

from __future__ import annotations

import typer

from keepclear.cli import log_bodies, log_copies, log_reading, log_receipts, log_saying

__all__ = ["app"]

app = typer.Typer(
    name="log", no_args_is_help=True, rich_markup_mode=None, help="What a party says on a line, and what others say."
)
app.command("new", short_help="Begin your log on a line.")(log_saying.new)
app.command("say", short_help="Say something in words.")(log_saying.say)
app.command("file", short_help="Say what you plan: operations and zones from files.")(log_saying.file)
app.command("open", short_help="Show what was kept back.")(log_bodies.open_commitment)
app.command("refuse", short_help="Say that a body addressed to you is not kept.")(log_bodies.refuse)
app.command("erase", short_help="Remove a body for good; its leaf stays.")(log_bodies.erase)
app.command("show", short_help="Show the entries.")(log_reading.show)
app.command("proof", short_help="Write the proof that an entry was said.")(log_reading.proof)
app.command("policy", short_help="Write whose keys a verifier is to believe.")(log_reading.policy)
app.command("export", short_help="Write a log as tiles for a web server, or as JSON lines.")(log_copies.export)
app.command("import", short_help="Take in another party's log.")(log_copies.import_log)
app.command("receipts", short_help="Take in what others cosigned.")(log_receipts.receipts)
app.command("evidence", short_help="Write the proof that a log contradicted itself.")(log_receipts.evidence)
app.command("confirm", short_help="Go on after your folder was restored from a copy.")(log_receipts.confirm)
