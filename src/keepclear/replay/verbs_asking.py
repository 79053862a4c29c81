"""Steps that look at what a node shows, so that the scenario can say what it should be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from keepclear.replay.doing import Doing, Verb

__all__ = ["ASKING"]


class Look(Verb):
    """Anything that the API shows; a list with all of its pages."""

    path: str
    params: dict[str, Any] = Field(default={})

    def do(self, doing: Doing) -> Any:
        """Get it."""
        found = doing.client.requests.get(self.path, **self.params)
        if isinstance(found, dict) and set(found) == {"items", "next"}:
            return list(doing.client.requests.items(self.path, **self.params))
        return found


class Request(Verb):
    """Anything that the API takes."""

    method: Literal["post", "put", "delete"] = "post"
    path: str
    body: Any = None

    def do(self, doing: Doing) -> Any:
        """Ask for it."""
        requests = doing.client.requests
        if self.method == "delete":
            return requests.delete(self.path)
        return requests.post(self.path, self.body) if self.method == "post" else requests.put(self.path, self.body)


class ThreadOf(Verb):
    """How matters stand with an entry."""

    entry: str

    def do(self, doing: Doing) -> Any:
        """Get it, and tell how it stands with each party."""
        found = doing.client.requests.get(f"/entries/{self.entry}/thread")
        doing.tell(f"reads of {self.entry}: {found['state'] or found['type']}")
        for one in found["standings"]:
            doing.tell(f"   {one['party']}: {one['sentence']}")
        return found


class Entry(Verb):
    """An entry, and what it says."""

    entry: str

    def do(self, doing: Doing) -> Any:
        """Get it."""
        return doing.client.requests.get(f"/entries/{self.entry}")


class Entries(Verb):
    """All entries of the line that the node has."""

    type: str | None = None
    party: str | None = None

    def do(self, doing: Doing) -> Any:
        """Get them."""
        params = {"line": doing.line, "type": self.type, "party": self.party}
        return list(doing.client.requests.items("/entries", **params))


class Filing(Verb):
    """A filing as the node shows it."""

    entry: str

    def do(self, doing: Doing) -> Any:
        """Get it."""
        requests = doing.client.requests
        kind = requests.get(f"/entries/{self.entry}")["type"]
        found = requests.get(f"/{kind}s/{self.entry}")
        doing.tell(f"sees of {self.entry}: {found['state']}{f', {told}' if (told := found['answer']) else ''}")
        for warning in found["warnings"]:
            doing.tell(f"   {warning}")
        return found


class Conflicts(Verb):
    """The conflicts that the node knows of."""

    state: list[str] | None = None

    def do(self, doing: Doing) -> Any:
        """Get them."""
        found = list(doing.client.requests.items("/conflicts", line=doing.line, state=self.state))
        for one in found:
            doing.tell(f"knows of a {one['answer']} ({one['state']}): {one['found']['sentence']}")
        if not found:
            doing.tell("knows of no conflict; that is no permission")
        return found


class Channel(Verb):
    """How the channels of the line are."""

    def do(self, doing: Doing) -> Any:
        """Get it."""
        found = doing.client.requests.get(f"/lines/{doing.line}/status")
        for one in found["channels"]:
            doing.tell(f"sees the channel to {one['party']}: {one['state']}")
        return found


class AlarmsOf(Verb):
    """What has sounded and nobody has acknowledged."""

    def do(self, doing: Doing) -> Any:
        """Get them."""
        return list(doing.client.requests.items("/alarms"))


class Inbox(Verb):
    """What waits for an answer."""

    def do(self, doing: Doing) -> Any:
        """Get it."""
        return doing.client.requests.get("/inbox", line=doing.line)


class Kept(Verb):
    """Whether words are to be found anywhere in the folder of a party's node: in the record, the tables or the logs."""

    words: str
    BY_A_PARTY: ClassVar[bool] = True

    def do(self, doing: Doing) -> Any:
        """Look through every file."""
        folder = doing.stage.stands[doing.party].node.folder.path
        wanted = self.words.encode()
        found = [one.name for one in sorted(folder.rglob("*")) if one.is_file() and wanted in one.read_bytes()]
        doing.tell(f"the words “{self.words}” are kept in: {', '.join(found) or 'no file of its node'}")
        return {"files": found}


ASKING: Mapping[str, type[Verb]] = {
    "alarms": AlarmsOf, "channel": Channel, "conflicts": Conflicts, "entries": Entries, "entry": Entry,
    "filing": Filing, "inbox": Inbox, "kept": Kept, "look": Look, "request": Request, "thread": ThreadOf,
}  # fmt: skip
