"""Two live ends of a line, each with its own store on disk, and between them nothing but bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from keepclear.line.mirror_requests import Answer
from keepclear.line.uploading import Due, Receipt, Stage
from keepclear.record.cosignatures import cosigned_at
from keepclear.record.entries import Entry
from keepclear.record.keys import SigningKey
from keepclear.record.notes import Note
from keepclear.store.log import Log
from keepclear.store.mirror import Mirror
from keepclear.store.receiving import Receiver
from keepclear.store.receiving_bodies import BodyDesk
from keepclear.store.sending import Request, Sender
from keepclear.store.sqlite import SqliteStore
from tests.crash.saying import KEY, MIRROR_KEY, ORIGIN, said, tree

SECRET = b"s" * 32


class MirrorEnd:
    """South's mirror of north's log."""

    def __init__(self, folder: Path, *, keeps: Callable[[int, Entry], bool] = lambda *_: True) -> None:
        self.path, self.keeps = folder / "south.db", keeps
        self.open()

    def open(self) -> None:
        self.store = SqliteStore(self.path)
        known = {log.origin for log in self.store.logs()}
        if ORIGIN in known:
            self.mirror = Mirror(self.store, ORIGIN, party="south")
        else:
            self.mirror = Mirror.create(self.store, KEY.verifier, party="south")
        self.receiver = Receiver(self.store, self.mirror, key=MIRROR_KEY, secret=SECRET)
        self.desk = BodyDesk(self.store, self.mirror, key=MIRROR_KEY, keeps=self.keeps)

    def restart(self) -> None:
        self.store.close()
        self.open()

    def serve(self, endpoint: str, chunks: Iterator[bytes], *, time_s: int = 1) -> Answer:
        """One request, its body in whatever chunks it comes."""
        if endpoint == "add-checkpoint":
            return self.receiver.add_checkpoint(b"".join(chunks))
        request = self.receiver.upload() if endpoint == "add-entries" else self.desk.request()
        for chunk in chunks:
            refusal = request.receive(chunk)
            if refusal is not None:
                return refusal
        return request.end(time_s=time_s)


class LogEnd:
    """North, who speaks and uploads."""

    def __init__(self, folder: Path, *, key: SigningKey = KEY) -> None:
        self.path, self.key = folder / "north.db", key
        self.receipts: list[Receipt] = []
        self.open()

    def open(self) -> None:
        self.store = SqliteStore(self.path)
        known = {log.origin for log in self.store.logs()}
        self.log = Log(self.store, ORIGIN, key=self.key) if ORIGIN in known else Log.create(self.store, self.key)
        self.sender = Sender(self.store, self.log, keys=(MIRROR_KEY.verifier,), party="south")

    def restart(self) -> None:
        self.store.close()
        self.open()

    def say(self, many: int, *, word: str = "", attached: int = 0, to: tuple[str, ...] = ("south",)) -> None:
        size = self.log.size
        self.log.append([said(f"{word}{size + n}", attached=attached, to=to) for n in range(many)])


class Ends:
    """Both."""

    def __init__(self, folder: Path, *, keeps: Callable[[int, Entry], bool] = lambda *_: True) -> None:
        self.north, self.south = LogEnd(folder), MirrorEnd(folder, keeps=keeps)

    def close(self) -> None:
        self.north.store.close()
        self.south.store.close()

    def exchange(self) -> tuple[Due, Request, Answer] | None:
        """One request and its answer over a sound network."""
        asked = self.north.sender.due()
        if asked is None:
            return None
        due, request = asked
        answer = self.south.serve(request.endpoint, request.body)
        self.north.sender.answered(due, answer)
        return due, request, answer

    def settle(self, *, most: int = 200) -> int:
        """Exchange until nothing is due; how many requests it took."""
        for count in range(most):
            if self.exchange() is None:
                return count
        raise AssertionError(f"{most} requests and no end: {self.north.sender.uploading}")

    def must_agree(self) -> None:
        """All of north's log is held by south with its bodies, and cosigned, and north has the receipt."""
        north, south = self.north.log, self.south.mirror
        assert self.north.sender.uploading.stage is Stage.DONE, self.north.sender.uploading
        assert (south.size, south.root) == (north.size, north.root)
        assert south.wanted() == ()
        for number in range(north.size):
            entry = north.entry(number)
            if "south" in entry.leaf.recipients:
                assert south.entry(number) == entry
        note = Note.of_bytes(north.checkpoint())
        (line,) = [one for one in note.signatures if one.is_by(MIRROR_KEY.verifier)]
        assert cosigned_at(note.text, line, MIRROR_KEY.verifier) >= 0


def must_be_honest(south: MirrorEnd, leaves: list[bytes]) -> None:
    """South holds and has cosigned nothing but what begins these leaves, which north signed."""
    mirror, store = south.mirror, south.store
    mirror.refresh()
    assert mirror.size <= len(leaves)
    held = list(mirror.leaves())
    assert held == leaves[: mirror.size]
    following = store.next_entry(ORIGIN)
    coming = store.coming(ORIGIN, mirror.size, following)
    assert coming == leaves[mirror.size : following]
    for head in (*store.pending(ORIGIN), *store.checkpoints(ORIGIN)):
        assert head.root == tree(leaves[: head.size])
    for head in store.checkpoints(ORIGIN):
        if store.cosignatures(ORIGIN, head.size):
            assert store.wanted(ORIGIN, before=head.size) == ()
