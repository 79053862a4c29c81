"""``keepclear demo``: two nodes on this machine, and all that two parties do with them, told as it happens."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Annotated

import typer

from keepclear.cli.screen import note
from keepclear.cli.story_folder import story_folder, tell

__all__ = ["command"]


def command(
    keep: Annotated[
        Path | None, typer.Option("--keep", metavar="DIR", help="Keep the two nodes' folders here, to look into.")
    ] = None,
) -> int:
    """Show what a line is, in under a minute: two nodes on this machine, and a story that they go through.

    They are set up, join by words, file plans that come too close, are warned, amend, answer and prove; then one is
    killed, and catches up. Nothing leaves this machine. Ctrl-C ends it; nothing goes on running.
    """
    from keepclear.cli.demo_story import Story
    from keepclear.cli.progress import compile_once

    # Also where it was started by a script, which ignores SIGINT for it, and where it is told to stop by SIGTERM: the
    # nodes must not go on without it.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    compile_once(shown=True)
    with story_folder(keep, name="demo") as folder:
        story = Story(folder, tell=tell)
        try:
            story.run()
        except KeyboardInterrupt:
            note("Stopped.")
            return 130
        finally:
            story.end()
    if keep is not None:
        tell(f"The folders of the two nodes are in {keep}.")
    return 0
