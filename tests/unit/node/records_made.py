"""Records of parties as the tests of the node need them: real folders, keys and stores."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from keepclear.node.bell import Bell
from keepclear.node.folder import NodeFolder
from keepclear.node.own_log import Outgoing
from keepclear.node.records import Records
from keepclear.record.bodies.talk import MessageBody, Priority
from keepclear.store.log_store import LogStore

__all__ = ["LINE", "folder_of", "opened", "said"]

LINE = "north"


def folder_of(path: Path, party: str, **options: object) -> NodeFolder:
    """A new folder of a party."""
    made = NodeFolder.create(path / party, party)
    return NodeFolder(made.path, options=options)


@contextmanager
def opened(
    folder: NodeFolder, *, bell: Bell | None = None, store: LogStore | None = None, shared: bool = False
) -> Iterator[Records]:
    """The records of a folder, with a log on `LINE`."""
    clock = iter(range(1_800_000_000, 1_900_000_000))
    store = store or folder.open_records()
    try:
        records = Records(folder, store, bell or Bell(), lambda: float(next(clock)), shared=shared)
        if not records.lines():
            records.begin(LINE)
        yield records
    finally:
        store.close()


def said(text: str, *to: str) -> Outgoing:
    """A message to be said."""
    return Outgoing(MessageBody(text=text, priority=Priority.ROUTINE), to)
