"""Guards at work: before we say something, and before we keep what another says.

What is refused is told at once to whoever wanted to say it, logged without a word of what it said, and kept nowhere.
FLASH is never refused and never waits: it is judged after it was said. What could not be judged in time is flagged for
a person, and not passed over.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from keepclear.errors import Fault, InputError, KeepclearError, PeerError
from keepclear.line.guards import Outcome, Span, Verdict
from keepclear.line.hazard_areas import guard_hazard
from keepclear.node.actors import Actor
from keepclear.node.bell import Bell
from keepclear.node.entry_ids import EntryId
from keepclear.node.guard_worker import GuardTask, GuardWorker, judged
from keepclear.record.bodies.base import Body
from keepclear.record.bodies.committed import OpeningBody
from keepclear.record.bodies.plans import ZoneBody
from keepclear.record.bodies.registry import attachments_of, body_of
from keepclear.record.bodies.talk import MessageBody, Priority
from keepclear.record.canonical import MOST_BYTES, parse_canonical
from keepclear.record.entries import Entry, EntryRef
from keepclear.record.names import KeyName
from keepclear.store.node import events
from keepclear.store.node.database import NodeDatabase
from keepclear.store.node.guarded import Guarded, add_guarded, guarded_before, guarded_entry

__all__ = ["NOT_JUDGED", "Guards", "RefusedError", "judged_at_once"]

NOT_JUDGED = "NOT_JUDGED"
"""The guard's name where it could not judge in time."""

_AT_ONCE = 400  # characters that are judged here and now: some 10 ms at most
_LIMIT_S = 5.0
_UNJUDGED = "Flagged for the duty officers: it could not be judged in time whether this line carries it. Read it."
_MOST_REMEMBERED = 10_000


class RefusedError(InputError):
    """A guard refused it. Nothing of it was kept; what was found is named by its place, never by its words.

    Attributes
    ----------
    guard
        Which, for example ``NO_SHARING``.
    spans
        The places: the path of a member, and the characters of its text.
    sentence
        For the sender: why, and how to say it otherwise.
    """

    def __init__(self, verdict: Verdict) -> None:
        self.guard, self.spans, self.sentence = verdict.guard, verdict.spans, verdict.sentence
        fields = list(dict.fromkeys(span.member for span in verdict.spans)) or [""]
        right = f"refused by the guard {verdict.guard}"
        super().__init__([Fault(verdict.sentence, right, field=field) for field in fields])


class Guards:
    """The guards of a node.

    Parameters
    ----------
    database
        Where refusals and flags are noted.
    bell, clock
        Rung when something was noted; tells the time.
    limit_s
        How long a judgement may take.
    sound
        Sounds an alarm: kind, sentence, key, line, entry. None: nobody is alarmed.
    """

    def __init__(
        self,
        database: NodeDatabase,
        bell: Bell,
        clock: Callable[[], float],
        *,
        limit_s: float = _LIMIT_S,
        sound: Callable[..., object] | None = None,
    ) -> None:
        self._database, self._bell, self._clock = database, bell, clock
        self._limit_s = limit_s
        self.sound = sound
        # What others send must not be able to hold up what we say.
        self._ours, self._theirs = GuardWorker(), GuardWorker()
        self._refused: dict[tuple[str, int], str] = {}
        self._notes: queue.SimpleQueue[dict[str, Any] | threading.Event | None] = queue.SimpleQueue()
        self._writer: threading.Thread | None = None
        self._guard = threading.Lock()

    # --- what we say -----------------------------------------------------------------------------------------------

    def judge(
        self,
        body: Body,
        *,
        by: Actor,
        line: str | None = None,
        attachments: Sequence[tuple[str, bytes]] = (),
    ) -> Verdict:
        """Judge what somebody here is about to say. FLASH passes, with a flag where anything else would be refused.

        Raises
        ------
        RefusedError
            If a guard refuses it; that is logged, and the content is not.
        """
        verdict = self._judged(body, body.members(), attachments, self._ours)
        if _is_flash(body):
            return verdict.for_flash()
        if verdict.outcome is Outcome.REFUSE:
            self._note(verdict, by=by.user, line=line)
            self._alarm(f"a guard ({verdict.guard}) refused what {by.user} was about to say", by.user, line, None)
            raise RefusedError(verdict)
        return verdict

    def flag(self, verdict: Verdict, ref: EntryRef, *, by: str = "") -> None:
        """Note the flag of an entry that was said or came; nothing is done where there is none."""
        if verdict.outcome is not Outcome.PASS:
            self._note(verdict, by=by, line=EntryId.of(ref).line, place=(ref.origin, ref.index))

    # --- what others say -------------------------------------------------------------------------------------------

    def keeps(self, origin: str, index: int, entry: Entry) -> bool:
        """Whether the body of an entry that came is kept. What is of no known type or form is judged as text, and kept.

        Why one was not, `guard_of` says. It is noted a moment later by a thread of its own: the caller holds the lock
        of the log, and whoever writes the tables may wait for just that.
        """
        body, members = _read(entry)
        verdict = self._judged(body, members, _files(entry, body), self._theirs)
        if _is_flash(body):
            verdict = verdict.for_flash()
        if verdict.outcome is Outcome.PASS:
            return True
        refused = verdict.outcome is Outcome.REFUSE
        if refused:
            with self._guard:
                self._refused[origin, index] = verdict.guard
                while len(self._refused) > _MOST_REMEMBERED:
                    del self._refused[next(iter(self._refused))]
        self._later(verdict, (origin, index))
        return not refused

    def guard_of(self, origin: str, index: int) -> str:
        """The guard that refused a body; ``NO_SHARING`` where that is not known any more."""
        with self._guard:
            found = self._refused.get((origin, index))
        if found is not None:
            return found
        noted = [one.guard for one in self.noted_of(origin, index) if one.outcome == "refuse"]
        return noted[-1] if noted else "NO_SHARING"

    # --- what was noted --------------------------------------------------------------------------------------------

    def noted_of(self, origin: str, index: int) -> list[Guarded]:
        """What the guards had to say of an entry, oldest first."""
        with self._database.reading() as conn:
            return guarded_entry(conn, origin, index)

    def noted(self, before: int | None = None, *, limit: int = 100) -> list[Guarded]:
        """All that the guards had to say, the newest first."""
        with self._database.reading() as conn:
            return guarded_before(conn, before, limit=limit)

    def flush(self, timeout_s: float = 10.0) -> None:
        """Wait until what was judged is noted."""
        if self._writer is not None:
            done = threading.Event()
            self._notes.put(done)
            done.wait(timeout_s)

    def stop(self) -> None:
        """End the processes and the thread; what is judged afterwards starts them again."""
        with self._guard:
            writer, self._writer = self._writer, None
        if writer is not None:
            self._notes.put(None)
            writer.join()
        self._ours.stop()
        self._theirs.stop()

    # --- inside ----------------------------------------------------------------------------------------------------

    def _judged(
        self, body: Body | None, members: object, attachments: Sequence[tuple[str, bytes]], worker: GuardWorker
    ) -> Verdict:
        hazards = [guard_hazard(zone) for zone in _zones(body)]
        task = GuardTask(members, attachments)
        short = not attachments and judged_at_once(members)
        told = judged(task) if short else worker.judge(task, limit_s=self._limit_s)
        if told is None:
            told = Verdict(Outcome.FLAG, NOT_JUDGED, (Span("", 0, 0),), _UNJUDGED)
        return max([told, *hazards], key=lambda one: one.outcome)

    def _note(
        self, verdict: Verdict, *, by: str = "", line: str | None = None, place: tuple[str, int] | None = None
    ) -> None:
        spans = [(one.member, one.start, one.end) for one in verdict.spans]
        outcome = "refuse" if verdict.outcome is Outcome.REFUSE else "flag"
        at_s = self._clock()
        with self._database.writing() as conn:
            add_guarded(
                conn, at_s=at_s, outcome=outcome, guard=verdict.guard, sentence=verdict.sentence, spans=spans,
                by=by, line=line, place=place,
            )  # fmt: skip
            told: dict[str, Any] = {"guard": verdict.guard, "outcome": outcome}
            told |= {"by": by} if by else {}
            told |= {"origin": place[0], "index": place[1]} if place else {}
            events.say(conn, "message", told, at_s=at_s, line=line)
        self._bell.ring("event")

    def _later(self, verdict: Verdict, place: tuple[str, int]) -> None:
        with self._guard:
            if self._writer is None:
                self._writer = threading.Thread(target=self._write, name="guards", daemon=True)
                self._writer.start()
        self._notes.put({"verdict": verdict, "place": place})

    def _write(self) -> None:
        while (item := self._notes.get()) is not None:
            if isinstance(item, threading.Event):
                item.set()
                continue
            verdict, (origin, index) = item["verdict"], item["place"]
            name = KeyName.of_text(origin)
            line = name.line if name is not None else None
            try:
                self._note(verdict, line=line, place=(origin, index))
                if verdict.outcome is Outcome.REFUSE or verdict.guard == NOT_JUDGED:
                    party = name.party if name is not None else origin
                    did = "refused" if verdict.outcome is Outcome.REFUSE else "could not judge"
                    self._alarm(f"a guard ({verdict.guard}) {did} what {party} said", f"{origin} {index}", line, None)
            except KeepclearError:
                continue  # what could not be noted is in our log: the refusal says the guard

    def _alarm(self, sentence: str, key: str, line: str | None, ref: EntryRef | None) -> None:
        if self.sound is not None:
            self.sound("guard", sentence, key=key, line=line, ref=ref)


def judged_at_once(members: object) -> bool:
    """Whether what a JSON value says is so little that it is judged within some milliseconds."""
    return sum(map(len, _texts(members))) <= _AT_ONCE


def _is_flash(body: Body | None) -> bool:
    return isinstance(body, MessageBody) and body.priority is Priority.FLASH


def _read(entry: Entry) -> tuple[Body | None, object]:
    """The body, if it is of a known type and form, and its members; or whatever text the bytes are."""
    assert entry.body is not None
    try:
        body = body_of(entry)
    except (PeerError, InputError):
        body = None
    if body is not None:
        return body, body.members()
    try:
        return None, parse_canonical(entry.body, limit=MOST_BYTES)
    except (PeerError, InputError):
        return None, entry.body.decode("utf-8", errors="replace")


def _files(entry: Entry, body: Body | None) -> list[tuple[str, bytes]]:
    """The attachments, by the names that the body gives them."""
    names = [note.name for note in attachments_of(body)]
    held = [file.data if file is not None else b"" for file in entry.attachments]
    return [(names[n] if n < len(names) else f"attachment {n}", data) for n, data in enumerate(held)]


def _zones(body: Body | None) -> Iterable[Any]:
    if isinstance(body, ZoneBody):
        yield body.to_model()
    elif isinstance(body, OpeningBody) and body.content.type == ZoneBody.TYPE and body.content.v == ZoneBody.VERSION:
        yield ZoneBody.of_members(body.content.body).to_model()


def _texts(value: object) -> Iterable[str]:
    """All texts in a JSON value, names of members too."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict):
            for name, inner in one.items():
                # Names that are ours are words; only they may be passed over.
                if not str(name).isidentifier():
                    yield str(name)
                waiting.append(inner)
        elif isinstance(one, list | tuple) and not (one and isinstance(one[0], float)):
            waiting += one
