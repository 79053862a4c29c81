"""How a command reaches the node of a folder: the one that runs, or one that runs as long as the command.

Either is asked through its HTTP API, so a command does the same whether somebody serves the node or nobody does. One
that runs for a command alone talks to no other node: what it said goes out when the node is served next.
"""

from __future__ import annotations

import ssl
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING

from keepclear.cli.folders import passphrase_of
from keepclear.cli.screen import note
from keepclear.clock import monotonic_s
from keepclear.errors import Fault, InputError, StoreError

if TYPE_CHECKING:
    from keepclear.cli.node_requests import AskedNode
    from keepclear.node.folder import NodeFolder, Running

__all__ = ["asked", "confirmed", "folder_of", "linked"]

_STARTING_S = 60.0


def folder_of(directory: Path, passphrase_file: str | None = None) -> NodeFolder:
    """The node's folder.

    Raises
    ------
    InputError
        If it is none.
    """
    from keepclear.node.folder import NodeFolder

    folder = NodeFolder(directory, passphrase=passphrase_of(passphrase_file))
    if not (folder.path / "node.db").exists() and not folder.settings.database:
        right = f"set it up: keepclear init {directory} --party {folder.party}"
        raise InputError(Fault("there is no node in this folder yet", right, file=str(directory)))
    return folder


@contextmanager
def linked(directory: Path, passphrase_file: str | None = None) -> Iterator[AskedNode]:
    """The node of a folder, to be asked.

    Raises
    ------
    InputError
        If the folder is none of a node.
    StoreError
        If it can neither be reached nor opened.
    """
    folder = folder_of(directory, passphrase_file)
    with ExitStack() as ending:
        running = _running_or_locked(folder, ending)
        reached = ending.enter_context(_opened(folder)) if running is None else running
        requests = ending.enter_context(_requests(folder, reached))
        requests.alone = running is None
        yield requests


def _running_or_locked(folder: NodeFolder, ending: ExitStack) -> Running | None:
    """The node that runs; or None, and then the folder is locked until `ending` ends."""
    until_s = monotonic_s() + _STARTING_S
    while True:
        running = folder.running()
        if running is not None:
            return running
        try:
            ending.enter_context(folder.lock())
        except StoreError:  # it is starting, or another command has it
            if monotonic_s() > until_s:
                raise
            sleep(0.1)
        else:
            return None


@contextmanager
def _opened(folder: NodeFolder) -> Iterator[Running]:
    """The node, open and served to this process alone."""
    import logging
    import os
    import socket

    from keepclear.cli.node_server import Listening, NodeServer
    from keepclear.node.folder import Running
    from keepclear.node.running import Node

    logging.getLogger("keepclear").setLevel(logging.ERROR)
    listening = Listening([socket.create_server(("127.0.0.1", 0))], "127.0.0.1", None)
    try:
        with Node.open(folder) as node:
            node.start_alone()
            server = NodeServer(node, listening)
            server.start()
            try:
                yield Running(listening.url, os.getpid())
            finally:
                server.end()
    finally:
        listening.close()


def _requests(folder: NodeFolder, running: Running) -> AskedNode:
    from keepclear.cli.node_requests import AskedNode

    token = folder.local_token()
    if token is None:
        raise InputError(Fault("the node's token for this machine is not there", file=str(folder.run / "local-token")))
    verify: ssl.SSLContext | bool = True
    if running.certificate:
        verify = _own_certificate(running.certificate)
    return AskedNode(running.url, token=token, verify=verify)


def _own_certificate(certificate: str) -> ssl.SSLContext:
    """Believes the very certificate that the node serves with, whoever has signed it and whatever host it names."""
    try:
        believed = ssl.create_default_context(cafile=certificate)
    except (OSError, ValueError) as error:  # SSLError is one
        told = getattr(error, "strerror", None) or error
        right = "put it back, or start the node again"
        raise InputError(Fault(f"the node's certificate cannot be read: {told}", right, file=certificate)) from None
    believed.check_hostname = False
    believed.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return believed


def asked(prompt: str, *, option: str) -> str:
    """What a person at the terminal types.

    Raises
    ------
    InputError
        If there is nobody.
    """
    if not (sys.stdin and sys.stdin.isatty()):
        problem = "somebody must be asked, and there is nobody at a terminal"
        raise InputError(Fault(problem, f"give {option}", field=option))
    note(prompt)
    sys.stderr.write("> ")
    sys.stderr.flush()
    line = sys.stdin.readline()
    if not line:
        raise InputError(Fault("nothing was typed", f"give {option}", field=option))
    return line.strip()


def confirmed(question: str, *, yes: bool) -> bool:
    """Whether a person agrees; with `yes` they did beforehand.

    Raises
    ------
    InputError
        If there is nobody to ask.
    """
    return yes or asked(f"{question} Type yes to go on.", option="--yes").casefold() in ("yes", "y")
