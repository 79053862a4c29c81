"""What a person sees while waiting: nothing at first, then a bar; nothing at all in a pipe."""

from __future__ import annotations

import sys
import threading
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from keepclear.cli.screen import note

__all__ = ["Waiting", "compile_once"]

PATIENCE_S = 1.0  # with the second that starting takes, a person has waited for two


class Waiting:
    """A bar on standard error that shows itself once something has taken longer than `PATIENCE_S`.

    It may be advanced from any thread.
    """

    def __init__(self, *, shown: bool) -> None:
        self._lock = threading.Lock()
        self._over = False
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            console=Console(file=sys.stderr, no_color=True),
            transient=True,
            disable=not (shown and sys.stderr.isatty()),
        )
        self._task = self._progress.add_task("reading", total=None)
        self._timer = threading.Timer(PATIENCE_S, self._show)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        with self._lock:
            self._over = True
            self._progress.stop()

    def stage(self, what: str) -> None:
        """Say what is being done now; how far it has got is not known until `advance` says so."""
        self._progress.reset(self._task, description=what, total=None)

    def advance(self, share: float) -> None:
        """Say how far it has got, from 0 to 1."""
        self._progress.update(self._task, completed=share, total=1.0)

    def _show(self) -> None:
        with self._lock:
            if not self._over:
                self._progress.start()


def compile_once(*, shown: bool) -> None:
    """Compile the kernels if this machine has not yet, saying so in one line: the first run takes seconds longer."""
    from keepclear.geo.kernel import kernels_are_compiled

    if kernels_are_compiled():
        return
    if shown:
        note("keepclear: compiling its kernels for this machine, once; this takes some seconds")
    from keepclear.separation.warming import compile_kernels

    compile_kernels()
