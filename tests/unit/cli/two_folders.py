"""Two parties' folders, offline: what each says at a time, and the receipt of the other at another."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from keepclear.record.bodies.base import Body
from keepclear.record.entries import EntryRef
from keepclear.record.names import KeyName, Purpose
from keepclear.store.key_changes import begin_log
from keepclear.store.mirror import Mirror
from keepclear.store.party_folder import PartyFolder
from keepclear.store.saying import entry_said

__all__ = ["TwoFolders"]

LINE = "border"


def _no_passphrase(path: Path) -> str:
    raise AssertionError(f"{path} is not sealed")


class TwoFolders:
    """The folders of two parties in `place`; each begins its log at `time_s`."""

    def __init__(self, place: Path, parties: tuple[str, str], time_s: float) -> None:
        self.parties = parties
        self.folders = {}
        for party in parties:
            folder = PartyFolder.create(place / party, party, sealed_with=None)
            other = self.other(party)
            with folder.store() as store:
                begin_log(folder, store, LINE, time_s=time_s, recipients=[other], sealed_with=None)
            self.folders[party] = PartyFolder(place / party, passphrase=_no_passphrase)
        for party in parties:
            self._carry(party, time_s)

    def other(self, party: str) -> str:
        """Who is told."""
        return self.parties[1 - self.parties.index(party)]

    def say(
        self,
        party: str,
        body: Body,
        said_s: float,
        *,
        had_s: float | None,
        files: Sequence[bytes] = (),
        to: Sequence[str] | None = None,
    ) -> EntryRef:
        """Say something, and have the other's receipt at that time; None: it never had it. `to`: the other alone."""
        folder = self.folders[party]
        with folder.store() as store:
            log = folder.own_log(store, LINE)
            told = [self.other(party)] if to is None else to
            entry = entry_said(body, line=LINE, party=party, time_s=said_s, recipients=told, attachments=files)
            (ref,) = log.append([entry])
        if had_s is not None:
            self._carry(party, had_s)
        return ref

    def _carry(self, party: str, time_s: float) -> None:
        """Bring the whole log to the other, which cosigns; the receipt comes back."""
        reader = self.other(party)
        mine, theirs = self.folders[party], self.folders[reader]
        key = theirs.signing_key(KeyName(reader, Purpose.MIRROR, LINE))
        with mine.store() as own_store, theirs.store() as store:
            log = mine.own_log(own_store, LINE)
            held = log.origin in {one.origin for one in store.logs()}
            mirror = Mirror(store, log.origin, party=reader) if held else Mirror.create(store, log.key, party=reader)
            mirror.extend(log.checkpoint(), log.leaves(mirror.size))
            for index in mirror.wanted(limit=1000):
                mirror.put_body(index, log.entry(index))
            signature = mirror.cosign(key, time_s=int(time_s))
            log.add_cosignatures([signature], [key.verifier])
