"""``keepclear stop``: end the node that serves a folder."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from time import sleep
from typing import TYPE_CHECKING, Annotated

import typer

from keepclear.cli.folders import DirArgument
from keepclear.cli.output import put
from keepclear.clock import monotonic_s
from keepclear.errors import StoreError

if TYPE_CHECKING:
    from keepclear.node.folder import NodeFolder, Running

__all__ = ["command"]

_WAIT_S = 30.0


def command(
    directory: DirArgument,
    now: Annotated[
        bool, typer.Option("--now", help="At once, as a power cut would: what had begun is finished when it starts.")
    ] = False,
) -> int:
    """Stop the node of a folder, and wait until it has ended."""
    from keepclear.cli.node_link import folder_of

    folder = folder_of(directory)
    running = _running(folder)
    if running is None:
        put([f"The node of {folder.party} does not run.\n"], None)
        return 0
    with suppress(ProcessLookupError):
        os.kill(running.pid, signal.SIGKILL if now else signal.SIGTERM)
    until_s = monotonic_s() + _WAIT_S
    while folder.running() is not None:
        if monotonic_s() > until_s:
            raise StoreError(f"{folder.path}: process {running.pid} was told to stop, and has not")
        sleep(0.05)
    put([f"The node of {folder.party} has stopped.\n"], None)
    return 0


def _running(folder: NodeFolder) -> Running | None:
    """The node that runs; one that is just starting is waited for, or it would go on after it was stopped."""
    until_s = monotonic_s() + _WAIT_S
    while True:
        running = folder.running()
        if running is not None:
            return running
        try:
            with folder.lock():
                return None
        except StoreError:  # it is starting, or a command works in its place for a moment
            if monotonic_s() > until_s:
                raise
            sleep(0.05)
