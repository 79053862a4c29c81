"""What people do at nodes all day: they file, say and answer, and try again when a node does not answer them.

Each desk writes down what was acknowledged to it. Where it got no answer, it does what a careful program does: sends
the same request with the same key again, and where the node cannot tell whether it was done, looks whether it was.
"""

from __future__ import annotations

import random
import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import httpx

from keepclear.clock import now_s
from tests.line_of_nodes import LINE
from tests.nodes import NodeProcess

__all__ = ["Desk", "at_work", "operation"]

_START_S = now_s() // 60.0 * 60.0 + 3 * 86_400.0
_KINDS = ("operation", "operation", "message", "answer")


@dataclass
class Desk:
    """Somebody at a node, in a thread of its own.

    Attributes
    ----------
    number
        Of the desk at its node.
    pause_s
        Between two things that it does.
    acknowledged
        What was acknowledged, in order: the entry's id, and what names it for ever, the operation's id or the text.
    unknown
        What it never got an answer to.
    refused
        What it was told instead, where that was no acknowledgement.
    """

    node: NodeProcess
    number: int
    pause_s: float = 0.1
    acknowledged: list[tuple[str, str]] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    answered: list[tuple[str, str]] = field(default_factory=list)
    failed: list[BaseException] = field(default_factory=list)
    last_words: str = ""

    def __post_init__(self) -> None:
        self._stopping = threading.Event()
        self._chance = random.Random(f"{self.node.party} {self.number}")
        self._done = 0
        self._seen: set[str] = set()
        self._thread = threading.Thread(target=self._run, name=f"desk-{self.node.party}-{self.number}", daemon=True)
        self._client = httpx.Client(
            base_url=f"{self.node.url}/api/v1", timeout=15.0, trust_env=False,
            headers={"authorization": f"Bearer {self.node.folder.local_token(make=True)}"},
        )  # fmt: skip

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Finish what was begun; call it while the node runs."""
        self._stopping.set()
        self._thread.join(90.0)
        self._client.close()
        assert not self._thread.is_alive(), f"{self._thread.name} waits for ever"
        if self.failed:
            raise self.failed[0]

    def _run(self) -> None:
        try:
            while not self._stopping.wait(self.pause_s * self._chance.uniform(0.5, 1.5)):
                self._do(self._chance.choice(_KINDS))
        except BaseException as error:  # noqa: BLE001  # for whoever stops it
            self.failed.append(error)

    def _do(self, kind: str) -> None:
        self._done += 1
        name = f"{self.node.party}-{self.number}-{self._done}"
        match kind:
            case "operation":
                self._say(name, "/operations", {"line": LINE, "operation": operation(self.node.party, name)})
            case "message":
                self._say(name, "/messages", {"line": LINE, "text": f"Word {name} of the day.", "priority": "routine"})
            case _:
                self._answer_one()

    def _say(self, name: str, path: str, body: Mapping[str, Any]) -> None:
        told = self._sent(path, body, name)
        if told is not None:
            self.acknowledged.append((told, name))

    def _answer_one(self) -> None:
        """Say SEEN of another party's operation that has come, once."""
        found = self._get(f"/operations?line={LINE}&limit=20")
        items = found["items"] if found else []
        # Of one whose body is still on its way nobody can have seen what it says.
        others = [one["id"] for one in items if one["party"] != self.node.party and not one["problem"]]
        entry = next((one for one in others if one not in self._seen), None)
        if entry is None:
            return
        self._seen.add(entry)
        told = self._sent(f"/entries/{entry}/answers", {"answer": "seen"}, entry)
        if told is not None:
            self.answered.append((told, entry))

    def _sent(self, path: str, body: Mapping[str, Any], name: str) -> str | None:
        """The id of the entry that was said; tried until there is an answer, or the desk stops."""
        key, why = uuid.uuid4().hex, ""
        while True:
            answer: httpx.Response | None = None
            try:
                answer = self._client.post(path, json=dict(body), headers={"idempotency-key": key})
                why = f"{answer.status_code} {answer.text[:500]}"
            except httpx.TransportError as error:
                why = repr(error)
            if answer is not None and answer.status_code == 201:
                return str(answer.json()["id"])
            if answer is not None and answer.status_code == 409:
                found = self._said_before(path, name)
                if found is not None:
                    return found
                key = uuid.uuid4().hex  # it was looked for, and is not there
            elif answer is not None and answer.status_code < 500:
                self.refused.append(f"{path} {name}: {answer.status_code} {answer.text[:500]}")
                return None
            if self._stopping.wait(0.2):
                self.unknown.append(name)
                self.last_words = why
                return None

    def _said_before(self, path: str, name: str) -> str | None:
        """The entry of a request of which the node could not say whether it was done."""
        if path == "/operations":
            filed = [one["id"] for one in self._all("/operations", party=self.node.party) if one["thing_id"] == name]
            return filed[0] if filed else None
        if path == "/messages":
            for one in self._all("/messages", party=self.node.party):
                if one["body"] is not None and name in str(one["body"].get("text")).split():
                    return str(one["id"])
            return None
        mine = [one["id"] for one in self._answers(path) if one["party"] == self.node.party]
        return mine[0] if mine else None

    def _answers(self, path: str) -> Sequence[Any]:
        return self._must_get(path)["items"]

    def _all(self, path: str, **filters: str) -> Iterator[Any]:
        cursor = ""
        while True:
            asked = "&".join(f"{name}={value}" for name, value in {"line": LINE, "limit": "500", **filters}.items())
            page = self._must_get(f"{path}?{asked}{f'&cursor={cursor}' if cursor else ''}")
            yield from page["items"]
            cursor = page["next"]
            if not cursor:
                return

    def _must_get(self, path: str) -> Any:
        while (found := self._get(path)) is None:
            assert not self._stopping.wait(0.2), "stopped while it looked"
        return found

    def _get(self, path: str) -> Any:
        with suppress(httpx.TransportError):
            answer = self._client.get(path)
            if answer.status_code == 200:
                return answer.json()
            assert answer.status_code in (404, 503), f"GET {path}: {answer.status_code} {answer.text[:500]}"
        return None


def operation(party: str, name: str, *, lon_deg: float = 40.6, start_s: float = _START_S) -> dict[str, Any]:
    """A plan; places and times are spread, so that some come too close to each other and most do not."""
    spread = random.Random(name)
    circle = {
        "shape": "circle", "lon_deg": lon_deg + spread.uniform(0.0, 3.0), "lat_deg": 36.0 + spread.uniform(0.0, 2.0),
        "radius_m": 500.0,
    }  # fmt: skip
    begin_s = start_s + 60.0 * spread.randrange(0, 2880)
    volume = {"footprint": circle, "start_s": begin_s, "end_s": begin_s + 3600.0}
    return {"party": party, "id": name, "kind": "patrol", "volumes": [volume], "name": f"patrol {name}"}


@contextmanager
def at_work(
    nodes: Sequence[NodeProcess], *, desks: int = 1, pause_s: float = 0.1, first: int = 0
) -> Iterator[list[Desk]]:
    """Desks at all nodes that work until the block ends; then every node has to run. They count from `first`."""
    made = [Desk(node, first + number, pause_s=pause_s) for node in nodes for number in range(desks)]
    for desk in made:
        desk.start()
    try:
        yield made
    finally:
        for desk in made:
            desk.stop()
