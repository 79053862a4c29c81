"""Where the nodes of a story live: a folder that is gone afterwards, or one that is kept; and how it is told."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from keepclear.cli.screen import plain
from keepclear.errors import Fault, InputError

__all__ = ["story_folder", "tell"]


@contextmanager
def story_folder(keep: Path | None, *, name: str) -> Iterator[Path]:
    """A folder for a story called that; the one to keep, if there is one.

    Raises
    ------
    InputError
        If there is something in the folder to keep already.
    """
    if keep is None:
        made = Path(tempfile.mkdtemp(prefix=f"keepclear-{name}-"))
        try:
            yield made
        finally:
            shutil.rmtree(made, ignore_errors=True)
        return
    if keep.exists() and (not keep.is_dir() or any(keep.iterdir())):
        raise InputError(Fault("there is something already", "a folder that is empty or not there", field="--keep"))
    keep.mkdir(parents=True, exist_ok=True)
    yield keep


def tell(line: str) -> None:
    """Show a line of it at once."""
    sys.stdout.write(plain(line) + "\n")
    sys.stdout.flush()
