"""What the nodes show their people by themselves: alarms that sound, conflicts that are found or over."""

from __future__ import annotations

from collections.abc import Iterator

from keepclear.replay.stage import Stage, Stand

__all__ = ["Showing"]


class Showing:
    """Remembers what was shown, and tells what is new."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._known: set[tuple[str, str, int, str]] = set()
        for _ in self.new():
            pass

    def new(self) -> Iterator[tuple[str, str]]:
        """Parties, and what their nodes show that they did not show before."""
        for party, stand in self._stage.stands.items():
            for kind, number, sentence in (*_alarms(stand), *_conflicts(stand)):
                if (party, kind, number, sentence) not in self._known:
                    self._known.add((party, kind, number, sentence))
                    yield party, sentence


def _alarms(stand: Stand) -> Iterator[tuple[str, int, str]]:
    for one in sorted(stand.client().alarms(), key=lambda one: one.id):
        yield "alarm", one.id, f"ALARM ({one.kind}) {one.sentence}"


def _conflicts(stand: Stand) -> Iterator[tuple[str, int, str]]:
    for one in sorted(stand.client().conflicts(), key=lambda one: one.id):
        yield "conflict", one.id, f"{one.answer.upper()} ({one.state}) {one.found.sentence}"
