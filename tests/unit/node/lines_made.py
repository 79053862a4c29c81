"""Nodes without a network: their logs are carried from one store to the other as a memory stick would."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from keepclear.node.actors import OPERATOR
from keepclear.node.acts import Acts
from keepclear.node.bell import Bell
from keepclear.node.cards_on_file import CardsOnFile
from keepclear.node.folder import NodeFolder
from keepclear.node.lines import Lines
from keepclear.node.membership_reading import MembershipReader
from keepclear.node.records import Records
from keepclear.node.settings import write_settings
from keepclear.node.welcoming import Welcoming
from keepclear.record.fingerprints import words
from keepclear.store.mirror import Mirror
from keepclear.store.transport_key import make_transport_key

START_S = 1.7e9


class MadeNode:
    """The parts of a node that know about lines, on real files."""

    def __init__(self, path: Path, party: str, *, address: str = "") -> None:
        self.now_s = START_S
        if path.exists():  # a copy of one that was made before
            self.folder = NodeFolder(path)
        else:
            self.folder = NodeFolder.create(path, party, name=f"The party {party}")
            make_transport_key(self.folder, time_s=START_S, sealed_with=None)
        if address:
            write_settings(path, {"address": address})
        self.connect()

    def connect(self) -> None:
        """Open the folder's files, and make the parts."""
        self.store, self.database, self.bell = self.folder.open_records(), self.folder.open_database(), Bell()
        self.records = Records(self.folder, self.store, self.bell, self.clock)
        self.reader = MembershipReader(self.records, self.database)
        self.cards = CardsOnFile(self.records, self.database, self.reader, self.bell, self.clock)
        acts = Acts(self.database, self.clock)
        self.lines = Lines(
            self.folder, self.records, self.database, self.reader, self.cards, acts, self.bell, self.clock
        )
        self.welcoming = Welcoming(self.lines, self.bell)

    def clock(self) -> float:
        self.now_s += 0.001
        return self.now_s

    @property
    def words(self) -> str:
        return " ".join(words(self.folder.identity))

    def close(self) -> None:
        self.database.close()
        self.store.close()


def carry(giver: MadeNode, taker: MadeNode, line: str) -> None:
    """Bring the giver's own logs, and the bodies for the taker, to the taker; and what says who is on the line."""
    for peer in taker.cards.peers(line):
        taker.records.add_mirror(peer.keys.log)
    for origin in giver.records.own_origins(line):
        if origin not in taker.records.origins(line):
            continue
        with giver.records.reading(origin) as theirs, taker.records.reading(origin) as ours:
            assert isinstance(ours, Mirror)
            before = ours.size
            ours.extend(theirs.checkpoint(), list(theirs.leaves(before)))
            told = {n: theirs.entry(n) for n in range(before, theirs.size)}
            ours.put_bodies({n: one for n, one in told.items() if taker.folder.party in one.leaf.recipients})
    taker.cards.take(line, giver.cards.give(line))
    taker.welcoming.look_at(line)


def meet(line: str, *nodes: MadeNode, times: int = 3) -> None:
    """Let all bring all what there is, a few times."""
    for _ in range(times):
        for giver in nodes:
            for taker in nodes:
                if giver is not taker:
                    carry(giver, taker, line)


def bring_in(inviter: MadeNode, invited: MadeNode, line: str, *others: MadeNode) -> None:
    """The whole way onto a line, words read to each other."""
    written = inviter.lines.invite(line, by=OPERATOR)
    joined = invited.lines.join(written.data, inviter.words, by=OPERATOR)
    inviter.lines.take_acceptance(joined.acceptance)
    inviter.lines.admit(line, invited.folder.party, invited.words, by=OPERATOR)
    meet(line, inviter, invited, *others)


def found(line: str, *nodes: MadeNode) -> None:
    """Have the first begin a line, and bring the others in."""
    nodes[0].lines.new(line, line=line, by=OPERATOR)
    for number, node in enumerate(nodes[1:], start=1):
        bring_in(nodes[0], node, line, *nodes[1:number])


def copied(path: Path, line: str, *parties: str) -> float:
    """Put a copy of the folders of parties that are on one line there; what their clocks show then.

    To bring parties together takes seconds, and is the same each time: it is done once in each process.
    """
    folders, now_s = _together(line, parties)
    for party in parties:
        shutil.copytree(folders / party, path / party)
    return now_s


@cache
def _together(line: str, parties: tuple[str, ...]) -> tuple[Path, float]:
    path = Path(tempfile.mkdtemp(prefix="keepclear-"))
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    nodes = [MadeNode(path / party, party) for party in parties]
    try:
        found(line, *nodes)
        return path, max(node.now_s for node in nodes)
    finally:
        for node in nodes:
            node.close()


__all__ = ["START_S", "MadeNode", "bring_in", "carry", "copied", "found", "meet"]
