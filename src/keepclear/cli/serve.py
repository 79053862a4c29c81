"""``keepclear serve``: the node of a folder, until it is told to stop."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING, Annotated

import typer

from keepclear.cli.folders import DirArgument, PassphraseOption, passphrase_of
from keepclear.cli.screen import note, plain
from keepclear.clock import monotonic_s
from keepclear.errors import Fault, InputError, StoreError

if TYPE_CHECKING:
    from keepclear.cli.node_server import Listening
    from keepclear.node.folder import NodeFolder

__all__ = ["command"]

_PATIENCE_S = 60.0
_FAILED = 75  # EX_TEMPFAIL of sysexits.h: whoever looks after it starts it again


def command(
    directory: DirArgument,
    host: Annotated[str | None, typer.Option("--host", metavar="ADDRESS", help="Where to listen.")] = None,
    port: Annotated[
        int | None, typer.Option("--port", metavar="NUMBER", help="Which port; 0 takes a free one.")
    ] = None,
    tls_cert: Annotated[
        Path | None, typer.Option("--tls-cert", metavar="PATH", help="The certificate, in PEM.")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option("--tls-key", metavar="PATH", help="Its private key, in PEM.")] = None,
    database: Annotated[
        str | None, typer.Option("--database", metavar="URL", help="postgresql://…, instead of files in the folder.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", metavar="N", help="How many processes; more than one needs PostgreSQL.")
    ] = None,
    passphrase_file: PassphraseOption = None,
) -> int:
    """Start your party's node, and serve until SIGINT or SIGTERM.

    Outside this machine it is reached over TLS only: --host other than loopback needs a certificate. What is not said
    here is taken from settings.toml in the folder.
    """
    from keepclear.cli.node_server import listen
    from keepclear.node.folder import NodeFolder

    options: dict[str, object] = {
        "host": host, "port": port, "tls_cert": tls_cert and str(tls_cert.absolute()),
        "tls_key": tls_key and str(tls_key.absolute()), "database": database, "workers": workers,
    }  # fmt: skip
    folder = NodeFolder(directory, passphrase=passphrase_of(passphrase_file), options=options)
    if folder.settings.workers > 1 and not folder.settings.database:
        problem = f"{folder.settings.workers} processes cannot share files of SQLite"
        raise InputError(Fault(problem, "--database postgresql://…, or one worker", field="--workers"))
    with _locked(folder):
        listening = listen(folder)
        try:
            if folder.settings.workers > 1:
                from keepclear.cli.serve_workers import serve_workers

                return serve_workers(folder, listening, told=_told(folder, listening))
            return _serve(folder, listening)
        finally:
            listening.close()


@contextmanager
def _locked(folder: NodeFolder) -> Iterator[None]:
    """Be the folder's only node; a command that works in its place for a moment is waited for."""
    until_s = monotonic_s() + _PATIENCE_S
    with ExitStack() as ending:
        while True:
            try:
                ending.enter_context(folder.lock())
                break
            except StoreError:
                if folder.running() is not None or monotonic_s() > until_s:
                    raise
                sleep(0.1)
        yield


def _serve(folder: NodeFolder, listening: Listening) -> int:
    from keepclear.cli.node_server import NodeServer
    from keepclear.node.log_lines import set_up_logs
    from keepclear.node.running import Node

    set_up_logs(level=folder.settings.log_level, form=folder.settings.log_format)
    failed: list[str] = []
    with Node.open(folder) as node:
        server = NodeServer(node, listening)

        def give_up(sentence: str) -> None:
            failed.append(sentence)
            server.ask_to_end()

        node.failed = give_up
        node.start()
        folder.announce(listening.local_url, certificate=listening.certificate)
        for line in _told(folder, listening):
            _say(line)
        server.run()
    for sentence in failed:
        note(f"keepclear: {sentence}")
    return _FAILED if failed else 0


def _told(folder: NodeFolder, listening: Listening) -> list[str]:
    from keepclear.node.settings import FILE

    settings = folder.settings
    lines = [f"The node of {folder.party} is at {listening.url} (stop it with Ctrl-C)"]
    if not settings.address:
        lines.append(f"No address is set in {folder.path / FILE}: it calls the others' nodes, and they cannot call it")
    return [plain(line) for line in lines]


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
