"""What members were shown of each log, side by side: so that two who were shown different histories find out.

Each heartbeat brings the checkpoints that its sender holds. They are compared with what is held here and with what the
others showed last (`keepclear.line.histories`). Where that cannot be decided from here, a proof is asked for, from
whoever showed the larger; the thread that talks to that peer does it (`Comparing.asked`).
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from keepclear.errors import InputError, KeepclearError
from keepclear.line.histories import Finding, HeldHead, Shown, Verdict, compared_heads, proved_or_forked
from keepclear.node.forks_found import ForksFound
from keepclear.node.peers import Peer, Peers
from keepclear.record.checkpoints import Checkpoint
from keepclear.record.keys import VerifierKey
from keepclear.record.merkle import consistency_proof, tree_root
from keepclear.record.notes import Note
from keepclear.record.tile_reading import TileFetch, hash_reader
from keepclear.record.tiles import Tile, tile_at

if TYPE_CHECKING:
    from keepclear.node.records import Records

__all__ = ["Comparing"]

_MOST_ASKED = 64


class Comparing:
    """Compares histories. Any thread may use it."""

    def __init__(self, records: Records, peers: Peers, forks: ForksFound) -> None:
        self._records, self._peers, self._forks = records, peers, forks
        self._guard = threading.Lock()
        self._shown: dict[tuple[str, str], tuple[bytes, ...]] = {}
        self._asked: dict[tuple[str, str], dict[tuple[bytes, bytes], Finding]] = {}
        self._ahead: dict[str, tuple[int, str]] = {}

    def shown(self, peer: Peer, checkpoints: Sequence[bytes]) -> tuple[Finding, ...]:
        """A peer has shown these; what came of them all."""
        with self._guard:
            self._shown[peer.line, peer.party] = tuple(checkpoints)
            shown = [
                Shown(party, data)
                for (line, party), found in self._shown.items()
                if line == peer.line
                for data in found
            ]
        try:
            findings = compared_heads(shown, keys=self._keys(peer), held=self._held(peer.line))
        except KeepclearError:
            return ()  # what cannot be read says nothing
        for finding in findings:
            self._note(peer.line, finding)
        return findings

    def larger_own(self, origin: str) -> tuple[int, str] | None:
        """The greatest size of our own log that somebody showed and that is more than we hold, and who did."""
        with self._guard:
            return self._ahead.get(origin)

    def asked(self, line: str, party: str) -> tuple[Finding, ...]:
        """What that party is to be asked a proof for."""
        with self._guard:
            return tuple(self._asked.get((line, party), {}).values())

    def proved(self, line: str, finding: Finding, fetch: TileFetch) -> None:
        """Ask for the proof that the larger of two checkpoints continues the smaller, and keep the evidence if not.

        Parameters
        ----------
        fetch
            Gets tiles of the tree from whoever showed the larger.

        Raises
        ------
        KeepclearError
            If it did not come, or does not lead to the larger: then it is asked for again another time.
        """
        smaller, larger = (_checkpoint(data) for data in (finding.smaller, finding.larger))
        read = hash_reader(fetch, larger.size)
        prefix = tree_root(smaller.size, read)
        with self._records.reading(finding.origin) as log:
            key = log.key
        hashes = consistency_proof(smaller.size, larger.size, read)
        evidence = proved_or_forked(finding, hashes, prefix, key=key)
        with self._guard:
            self._asked.get((line, finding.by), {}).pop((finding.smaller, finding.larger), None)
        if evidence is not None:
            self._forks.keep(finding.origin, evidence, _told(finding))

    def _note(self, line: str, finding: Finding) -> None:
        match finding.verdict:
            case Verdict.FORKED if finding.evidence is not None:
                self._forks.keep(finding.origin, finding.evidence, _told(finding))
            case Verdict.ASK:
                with self._guard:
                    asked = self._asked.setdefault((line, finding.by), {})
                    if len(asked) < _MOST_ASKED:
                        asked[finding.smaller, finding.larger] = finding
            case Verdict.GROWN if self._records.is_own(finding.origin):
                size = _checkpoint(finding.larger).size
                with self._guard:
                    if size > self._ahead.get(finding.origin, (0, ""))[0]:
                        self._ahead[finding.origin] = (size, finding.by)
            case _:
                pass

    def _keys(self, peer: Peer) -> Mapping[str, VerifierKey]:
        found = {}
        for origin in self._records.origins(peer.line):
            with self._records.reading(origin) as log:
                found[origin] = log.key
        return found

    def _held(self, line: str) -> dict[str, HeldHead]:
        found = {}
        for origin in self._records.origins(line):
            try:
                with self._records.reading(origin) as log:
                    checkpoint, size = log.checkpoint(), log.size
            except InputError:
                continue
            found[origin] = HeldHead(checkpoint, hash_reader(self._tiles_of(origin), size))
        return found

    def _tiles_of(self, origin: str) -> TileFetch:
        """Tiles of a log as it is held here, as narrow as they are asked for."""

        def fetch(tiles: Sequence[Tile]) -> list[bytes]:
            with self._records.reading(origin) as log:
                return [log.tile(tile_at(one.level, one.number, log.size))[: 32 * one.width] for one in tiles]

        return fetch


def _checkpoint(data: bytes) -> Checkpoint:
    return Checkpoint.of_text(Note.of_bytes(data).text)


def _told(finding: Finding) -> str:
    beside = f"{finding.beside} was shown" if finding.beside else "is held here"
    return f"{finding.by} was shown another history than {beside}"
