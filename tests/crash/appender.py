"""What the killed processes do. Imported by them, so it holds nothing but what they run."""

from __future__ import annotations

import random
import resource
from multiprocessing.connection import Connection
from pathlib import Path

from keepclear.errors import KeepclearError
from keepclear.store.log_store import UnknownOutcomeError
from tests.crash.saying import head_of, opened, said


def append_for_ever(path: Path, seed: int, acknowledged: Connection) -> None:
    """Append one or several at a time, and tell each checkpoint once it has been given."""
    numbers = random.Random(seed)
    log = opened(path)
    count = 0
    while True:
        many = numbers.choice((1, 1, 1, 2, 5, 40))
        log.append([said(f"{seed} {count + n}") for n in range(many)])
        count += many
        acknowledged.send(head_of(log.checkpoint()))
        if count % 7 == 0:
            log.erase_body(numbers.randrange(log.size))


def append_until_full(path: Path, most_bytes: int, acknowledged: Connection) -> None:
    """Append until a file may not grow any more, then say what the errors were."""
    log = opened(path)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))
    told: list[str] = []
    for count in range(400):
        try:
            log.append([said(f"{most_bytes} {count} {n}") for n in range(8)])
            acknowledged.send(head_of(log.checkpoint()))
        except UnknownOutcomeError as error:
            told.append(str(error))
            try:
                log.reread()
            except KeepclearError as again:
                told.append(str(again))
                break
        except KeepclearError as error:
            told.append(str(error))
            if len(told) > 3:
                break
    acknowledged.send(("full", told))


def hold(path: Path, said_so: Connection) -> None:
    """Open the file for writing, say so, and append one entry for each message until told to stop."""
    log = opened(path)
    said_so.send(log.size)
    while said_so.recv() == "append":
        log.append([said(f"held {log.size}")])
        said_so.send(log.size)
