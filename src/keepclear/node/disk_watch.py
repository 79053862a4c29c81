"""Watching that there is room on the disk: what cannot be kept cannot be said, and that must be known before."""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

from keepclear.errors import KeepclearError
from keepclear.node.alarms import AlarmKind, Alarms

__all__ = ["DiskWatch"]

_LOG = logging.getLogger(__name__)
_LOOK_S = 60.0
_LEAST_BYTES = 500 * 2**20
_LEAST_SHARE = 0.03


class DiskWatch:
    """Sounds an alarm when the disk of the node's folder is nearly full, and ends it when there is room again.

    Parameters
    ----------
    folder
        The node's folder.
    alarms
        Told of it.
    look_s
        How often it is looked at.
    usage
        Total and free bytes of a path; the operating system's unless another is given.
    """

    def __init__(
        self,
        folder: Path,
        alarms: Alarms,
        *,
        look_s: float = _LOOK_S,
        least_bytes: int = _LEAST_BYTES,
        usage: Callable[[Path], tuple[int, int]] = lambda path: shutil.disk_usage(path)[::2],
    ) -> None:
        self._folder, self._alarms, self._look_s, self._least = folder, alarms, look_s, least_bytes
        self._usage = usage
        self._is_low = False
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="keepclear-disk", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def look(self) -> bool:
        """Whether it is nearly full: less than 500 MiB, or less than 3 % of a small disk."""
        total, free = self._usage(self._folder)
        is_low = free < min(self._least, max(1, int(total * _LEAST_SHARE)))
        if is_low and not self._is_low:
            left = f"{free // 2**20} MiB of {total // 2**20} MiB are left"
            self._alarms.sound(AlarmKind.DISK, f"The disk of {self._alarms.party}'s node is nearly full: {left}.")
        if self._is_low and not is_low:
            self._alarms.clear(AlarmKind.DISK, "")
        self._is_low = is_low
        return is_low

    def _run(self) -> None:
        while True:
            try:
                self.look()
            except (KeepclearError, OSError) as error:
                # The alarm itself may not fit any more; it is tried again, and whoever reads the log sees this.
                _LOG.error("the disk is nearly full, or cannot be looked at: %s", error)
                self._is_low = False
            if self._stopping.wait(self._look_s):
                return
