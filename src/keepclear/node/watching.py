"""What a node does about positions as time goes by: it shares what is due, and looks at what they say."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from keepclear.errors import KeepclearError
from keepclear.node.encounters import Encounters
from keepclear.node.joint_planning import JointPlanning
from keepclear.node.position_sharing import PositionSharing
from keepclear.node.positions import Positions
from keepclear.node.track_watch import TrackWatch

__all__ = ["Watching"]

_EVERY_S = 5.0
_LEAST_S = 1.0
_log = logging.getLogger(__name__)


class Watching:
    """A thread that does what is due, every few seconds and when something has come.

    Parameters
    ----------
    positions
        Tells when some have come.
    sharing, joint, tracks, encounters, more
        What does it.
    """

    def __init__(
        self,
        positions: Positions,
        sharing: PositionSharing,
        joint: JointPlanning,
        tracks: TrackWatch,
        encounters: Encounters,
        *more: Callable[[], int],
    ) -> None:
        self._work: tuple[Callable[[], int], ...] = (
            sharing.make_due, joint.file_due, tracks.sweep, encounters.sweep, *more,
        )  # fmt: skip
        self._encounters = encounters
        self._fresh = threading.Event()
        positions.on_new(lambda _from_s, _to_s: self._fresh.set())
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._told: dict[int, str] = {}

    def start(self) -> None:
        """Begin."""
        self._stopping.clear()
        self._encounters.look_at_all()
        self._thread = threading.Thread(target=self._run, name="keepclear-watching", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End; what has begun is finished."""
        self._stopping.set()
        self._fresh.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    @property
    def running(self) -> bool:
        """Whether the thread does what is due; else whoever asks has it done."""
        return self._thread is not None

    def make_due(self) -> int:
        """Do what is due by now; how much that was. What cannot be done keeps nothing else from being done."""
        done = 0
        for number, work in enumerate(self._work):
            try:
                done += work()
                self._told.pop(number, None)
            except KeepclearError as error:
                if self._told.get(number) != str(error):
                    _log.warning("watching: %s", error)
                self._told[number] = str(error)
        return done

    def _run(self) -> None:
        # By the clock, and by no bell: whatever is said rings one, and hardly any of it is about positions.
        while not self._stopping.is_set():
            self.make_due()
            self._fresh.clear()
            self._fresh.wait(_EVERY_S)
            self._stopping.wait(_LEAST_S)  # many batches come at once
