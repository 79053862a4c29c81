"""What has to be so after every disturbance: nothing that was acknowledged is lost, doubled or out of order.

First while the nodes run (`must_all_have`), then when they have stopped (`must_be_sound`).
"""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import keepclear.store.node.tables  # noqa: F401  # so that the metadata is whole
from keepclear.client.client import Client
from keepclear.store.log_store import LogStore
from keepclear.store.node.database import projections
from tests.line_of_nodes import LINE, client_of, until
from tests.load import Desk
from tests.nodes import NodeProcess

__all__ = ["group_of", "must_all_have", "must_be_sound", "no_process_left"]

_LINKED_S = 120.0
_SAID = ("operation", "message", "answer")


def must_all_have(nodes: Sequence[NodeProcess], desks: Iterable[Desk], *, timeout_s: float = _LINKED_S) -> None:
    """Every node has every log whole, with all bodies, and in them what was acknowledged: once, and in order."""
    known = list(desks)
    _must_be_acknowledged(known)
    until(lambda: _sizes_agree(nodes), "all have all logs, and all bodies", timeout_s=timeout_s)
    parties = {one.party for one in nodes}
    for node in nodes:
        with client_of(node) as client:
            _soon(partial(_must_have, node, client, known, parties), timeout_s=timeout_s)


def must_be_sound(nodes: Sequence[NodeProcess]) -> None:
    """Stop all nodes; then audits pass, the logs are the same everywhere, and a rebuild gives the same tables."""
    groups = {node.party: group_of(node) for node in nodes}
    for node in nodes:
        assert node.stop() == 0, node.log[-3000:]
    for party, group in groups.items():
        no_process_left(group, party)
    _logs_must_agree(nodes)
    for node in nodes:
        assert "Traceback" not in node.log, node.log[-6000:]
        node.run("audit", "--quiet")
        before = _tables(node.path / "node.db")
        node.run("rebuild")
        _must_equal(node.party, before, _tables(node.path / "node.db"))


def group_of(node: NodeProcess) -> int:
    """The process group of a node that runs: its own session."""
    assert node.process is not None
    return node.process.pid


def no_process_left(group: int, party: str, *, timeout_s: float = 15.0) -> None:
    """Nothing of a node's process group runs any more, soon."""
    until_s = time.monotonic() + timeout_s
    while (found := _processes_of(group)) and time.monotonic() < until_s:
        time.sleep(0.05)
    assert not found, f"of {party} still run: {found}"


# --- while they run -----------------------------------------------------------------------------------------------


def _must_be_acknowledged(desks: Iterable[Desk]) -> None:
    for desk in desks:
        who = f"desk {desk.number} of {desk.node.party}"
        assert not desk.refused, f"{who} was refused: {desk.refused[:3]}"
        assert desk.acknowledged, f"{who} did nothing"


def _sizes_agree(nodes: Sequence[NodeProcess]) -> bool:
    """Whether each node has given a receipt for everything in each other's log."""
    for node in nodes:
        with client_of(node) as client:
            if any(one.behind != 0 or one.state != "up" for one in client.status(LINE).channels):
                return False
    return True


def _soon(check: Callable[[], None], *, timeout_s: float) -> None:
    """Check until it holds: a receipt is given for what is held, and the tables follow a moment later."""
    until_s = time.monotonic() + timeout_s
    while True:
        try:
            return check()
        except AssertionError:
            if time.monotonic() > until_s:
                raise
        time.sleep(0.2)


def _is_here(entry: Any, party: str) -> bool:
    return entry["body_state"] == ("held" if party in _told(entry) else "none for us")


def _told(entry: Any) -> set[str]:
    return {entry["party"], *entry["recipients"]}


def _must_have(node: NodeProcess, client: Client, desks: Sequence[Desk], parties: set[str]) -> None:
    entries = _all(client, "/entries", type=list(_SAID))
    held = {one["id"]: one for one in entries}
    assert len(held) == len(entries), f"{node.party} shows entries twice"
    # Plans and messages are said to all here; answers to whoever is answered.
    untold = [one["id"] for one in entries if one["type"] != "answer" and parties != _told(one)]
    assert not untold, f"not said to all: {untold[:10]}"
    missing = [f"{one['id']} ({one['body_state']})" for one in entries if not _is_here(one, node.party)]
    assert not missing, f"{node.party} has no body of {missing[:10]}"
    filed = Counter((one["party"], one["thing_id"]) for one in _all(client, "/operations"))
    said = Counter(_word(one["body"]["text"]) for one in _all(client, "/messages"))
    for desk in desks:
        acknowledged = dict(desk.acknowledged)
        assert len(acknowledged) == len(desk.acknowledged), "an id was given twice"
        lost = [one for one in (*acknowledged, *(entry for entry, _ in desk.answered)) if one not in held]
        assert not lost, f"{node.party} lacks {lost[:10]}"
        for entry, name in desk.acknowledged:
            count = filed[desk.node.party, name] + said[name]
            assert count == 1, f"{node.party} has {name} ({entry}) {count} times"
        for name in desk.unknown:
            assert filed[desk.node.party, name] + said[name] <= 1, f"{node.party} has {name} twice"
        _must_be_in_order(desk)


def _must_be_in_order(desk: Desk) -> None:
    """Who was acknowledged one thing before he said the next has them in this order."""
    numbers = [int(entry.rpartition(":")[2]) for entry, _ in desk.acknowledged]
    assert numbers == sorted(numbers), f"out of order in the log of {desk.node.party}"


def _all(client: Client, path: str, **filters: Any) -> list[Any]:
    return list(client.requests.items(path, line=LINE, limit=500, **filters))


def _word(text: str) -> str:
    return text.split()[1]


# --- when they have stopped ---------------------------------------------------------------------------------------


def _logs_must_agree(nodes: Sequence[NodeProcess]) -> None:
    """Each log has the same leaves wherever it is kept."""
    own: dict[str, tuple[str, list[bytes | None]]] = {}
    mirrored: list[tuple[str, str, list[bytes | None]]] = []
    for node in nodes:
        store: LogStore = node.folder.open_records(readonly=True)
        try:
            for log in store.logs():
                leaves = list(store.leaves(log.origin, 0, store.end(log.origin)))
                if log.own:
                    own[log.origin] = (node.party, leaves)
                else:
                    mirrored.append((node.party, log.origin, leaves))
        finally:
            store.close()
    assert len(mirrored) == len(nodes) * (len(nodes) - 1)
    for party, origin, leaves in mirrored:
        assert leaves == own[origin][1], f"{party} has {len(leaves)} of {len(own[origin][1])} leaves of {origin}"


def _tables(path: Path) -> Mapping[str, Sequence[tuple[Any, ...]]]:
    """All rows of all tables that can be made again."""
    connection = sqlite3.connect(path)
    try:
        return {name: sorted(connection.execute(f'SELECT * FROM "{name}"'), key=repr) for name in projections.tables}
    finally:
        connection.close()


def _must_equal(
    party: str, before: Mapping[str, Sequence[tuple[Any, ...]]], after: Mapping[str, Sequence[tuple[Any, ...]]]
) -> None:
    assert before.keys() == after.keys()
    for name, rows in before.items():
        gone = [row for row in rows if row not in set(after[name])][:3]
        new = [row for row in after[name] if row not in set(rows)][:3]
        assert not gone, f"{party}: a rebuild loses of {name}: {gone}; and has {new}"
        assert not new, f"{party}: a rebuild adds to {name}: {new}"
        assert list(rows) == list(after[name])


def _processes_of(group: int) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == group and fields[0] != "Z":
            found.append(path.parent.name)
    return found
