"""A member of a line whose node does as it likes: it has the keys, and signs and sends what no honest node would."""

from __future__ import annotations

import base64
import gzip
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import httpx

from keepclear.clock import now_s
from keepclear.line.mirror_requests import Answer
from keepclear.node.request_signatures import RequestSigner
from keepclear.node.running import Node
from keepclear.record.canonical import canonical
from keepclear.record.checkpoints import Checkpoint, sign_checkpoint
from keepclear.record.entries import Attachment, Entry, EntryRef
from keepclear.record.merkle import leaf_hash
from keepclear.record.names import KeyName
from keepclear.store.log_store import Growth
from tests.line_of_nodes import LINE
from tests.nodes import NodeProcess

__all__ = ["Hostile", "hostile", "named"]


class Hostile:
    """What a hostile member does; its own node does not run.

    Parameters
    ----------
    node
        Its folder, open.
    """

    def __init__(self, node: Node) -> None:
        self.node, self.party = node, node.party
        self.signer = RequestSigner(node.records.transport_key(), now_s)
        self._http = httpx.Client(timeout=60.0, trust_env=False)

    @property
    def origin(self) -> str:
        return self.node.records.own_origin(LINE)

    @property
    def size(self) -> int:
        return self.node.records.size(self.origin)

    def entry(
        self, kind: str, body: Any, *to: str, version: int = 1, attachments: Sequence[bytes] = (), **leaf: Any
    ) -> Entry:
        """An entry of its own; a body that is bytes is taken as it is."""
        data = body if isinstance(body, bytes) else canonical(body)
        files = tuple(Attachment(secrets.token_bytes(32), one) for one in attachments)
        said: dict[str, Any] = {"time_s": round(now_s(), 3), "exercise": False, **leaf}
        return Entry.said(
            kind, version, line=LINE, party=self.party, recipients=to, body=data, salt=secrets.token_bytes(32),
            attachments=files, **said,
        )  # fmt: skip

    def say(self, *entries: Entry) -> tuple[EntryRef, ...]:
        """Put these into its log, whatever they are."""
        with self.node.records._speaking(LINE).held() as log:
            return log.append(entries)

    def put_leaf(self, leaf: bytes) -> EntryRef:
        """Put bytes into its log that are no leaf."""
        with self.node.records._speaking(LINE).held() as log:
            growing = log._growing()
            at, gains = growing.size, growing.add([leaf])
            head = log._store.append(
                log.origin, (Growth([leaf], gains, [], ()),), at=at,
                seal=lambda: log._sealed(growing.size, growing.root()),
            )  # fmt: skip
            log._has_grown(head, growing)
        return EntryRef(log.origin, at, leaf_hash(leaf))

    def other_tree(self, size: int) -> bytes:
        """A checkpoint of so many entries of a tree that there is not."""
        name = KeyName.of_text(self.origin)
        assert name is not None
        key = self.node.folder.signing_key(name)
        return sign_checkpoint(Checkpoint(self.origin, size, secrets.token_bytes(32)), key)

    def call(
        self, to: NodeProcess, path: str, body: bytes = b"", *, method: str = "POST", **headers: str
    ) -> httpx.Response:
        """Make a signed request."""
        signed = self.signer.headers(method, path, to=to.party, body=body)
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._http.request(method, to.url + path, content=body or None, headers=signed | more)

    def push(self, to: NodeProcess, *, most: int = 500, packed: bool = False) -> str:
        """Upload its log until all of it is cosigned, or no more is taken; why not, or nothing."""
        peer = self.node.peers.find(LINE, to.party)
        assert peer is not None
        for _ in range(most):
            with self.node.records.sender(self.origin, peer.mirrors, to.party) as sender:
                if sender.uploading.cosigned == sender.size:
                    return ""
                sender.retried()
                found = sender.due()
                if found is None:
                    return sender.uploading.trouble or "nothing is due"
                due, request = found
                body = b"".join(request.body)
            more = {}
            if packed and request.endpoint == "add-entries":
                body, more = gzip.compress(body), {"content_encoding": "gzip"}
            answer = self.call(to, f"/line/v1/{request.endpoint}", body, **more)
            told = Answer(answer.status_code, answer.headers.get("content-type", ""), answer.content)
            with self.node.records.sender(self.origin, peer.mirrors, to.party) as sender:
                sender.answered(due, told)
        return "it does not end"

    def close(self) -> None:
        self._http.close()


@contextmanager
def hostile(node: NodeProcess) -> Iterator[Hostile]:
    """Take over the folder of a node that was killed."""
    assert node.process is None
    with Node.open(node.folder) as opened:
        made = Hostile(opened)
        try:
            yield made
        finally:
            made.close()


def named(ref: EntryRef) -> dict[str, Any]:
    """A reference as it stands in bodies."""
    return {
        "origin": ref.origin,
        "index": ref.index,
        "leaf": base64.b64encode(ref.leaf_hash).decode("ascii"),
    }
