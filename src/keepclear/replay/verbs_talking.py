"""Steps in which people speak and answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from keepclear.replay.doing import Doing, Verb

__all__ = ["TALKING"]


class Say(Verb):
    """Say something on the line; a FLASH may say nothing."""

    text: str | None = None
    priority: Literal["routine", "short", "immediate", "flash"] = "routine"
    recipients: list[str] | None = None
    language: str | None = None
    about: list[str] = Field(default=[])
    exercise: bool = False

    def do(self, doing: Doing) -> Any:
        """Say it."""
        asked = {**self.model_dump(exclude_none=True, exclude_defaults=True), "line": doing.line}
        told = doing.client.requests.post("/messages", asked)
        text = f": “{self.text}”" if self.text else ""
        doing.tell(f"says {self.priority.upper() if self.priority == 'flash' else self.priority}{text} ({told['id']})")
        for warning in told.get("warnings", ()):
            doing.tell(f"   {warning}")
        return told


class ReadBack(Verb):
    """Place and time as they were typed anew."""

    place: str
    time: str
    datum: str | None = None

    def do(self, doing: Doing) -> Any:  # a part of an answer, no step
        """Is never done by itself."""
        raise NotImplementedError


class Answer(Verb):
    """Answer an entry."""

    entry: str
    answer: Literal["seen", "read back", "relayed", "concur", "object", "not ours", "unable"]
    read_back: ReadBack | None = None
    unit: str | None = None
    reason: str | None = None
    insist: bool = False

    def do(self, doing: Doing) -> Any:
        """Answer it."""
        asked = self.model_dump(exclude_none=True, exclude_defaults=True, exclude={"entry"})
        typed = f": “{self.read_back.place}”, {self.read_back.time}" if self.read_back else ""
        more = f" to {self.unit}" if self.unit else f": {self.reason}" if self.reason else typed
        doing.tell(f"answers {self.entry}: {self.answer.upper()}{more}")
        return doing.client.requests.post(f"/entries/{self.entry}/answers", asked)


class AnswerAll(Verb):
    """Answer everything that waits in the inbox."""

    answer: Literal["seen", "concur", "unable"] = "seen"

    def do(self, doing: Doing) -> Any:
        """Answer one after the other."""
        waiting = [one["id"] for one in doing.client.requests.get("/inbox", line=doing.line)["to_answer"]]
        for entry in waiting:
            doing.client.requests.post(f"/entries/{entry}/answers", {"answer": self.answer})
        doing.tell(f"answers {', '.join(waiting) or 'nothing: nothing waits'}: {self.answer.upper()}")
        return {"answered": waiting}


class TestLine(Verb):
    """Test the line with every character."""

    def do(self, doing: Doing) -> Any:
        """Test it; the test is given back by the others' nodes."""
        stage = doing.stage
        ref = stage.stands[doing.party].node.line_tests.begin(doing.line)
        stage.settle()
        for stand in stage.stands.values():
            stand.node.line_tests.look()
        stage.settle()
        stage.stands[doing.party].node.line_tests.look()
        doing.tell("tests the line with every character that messages may need")
        return {"index": ref.index}


TALKING: Mapping[str, type[Verb]] = {
    "answer": Answer,
    "answer-all": AnswerAll,
    "say": Say,
    "test-line": TestLine,
}
