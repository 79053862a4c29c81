"""Draw docs/terminal.svg: what `keepclear check` shows on a terminal for the two parties of the examples."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

__all__ = ["COMMAND", "picture"]

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "docs" / "terminal.svg"
COMMAND = [
    "keepclear",
    "check",
    "examples/two-parties/relief.geojson",
    "examples/two-parties/northern-force.geojson",
    "--propose",
]
_WIDTH = 108
_INK = TerminalTheme((252, 252, 250), (28, 30, 34), [(28, 30, 34)] * 8, [(28, 30, 34)] * 8)

# As Rich draws it by default, less the fonts that it would fetch from elsewhere and the three coloured lights. Spaces
# at the start of a line are kept by every renderer only where it is told to.
_FRAME = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
  <style>
    .{unique_id}-matrix {{ font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
      font-size: {char_height}px; line-height: {line_height}px; font-variant-east-asian: full-width;
      white-space: pre; }}
    {styles}
  </style>
  <defs>
    <clipPath id="{unique_id}-clip-terminal">
      <rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
    </clipPath>
    {lines}
  </defs>
  <rect width="100%" height="100%" rx="8" fill="#fcfcfa" />
  <g transform="translate({terminal_x}, 16)" clip-path="url(#{unique_id}-clip-terminal)">
    {backgrounds}
    <g class="{unique_id}-matrix" xml:space="preserve">
      {matrix}
    </g>
  </g>
</svg>
"""


def picture() -> str:
    """SVG of the command and what it prints."""
    status, shown = _on_a_terminal([str(Path(sys.executable).parent / COMMAND[0]), *COMMAND[1:]])
    if status != 1:
        raise SystemExit(f"expected a conflict (exit status 1), got {status}:\n{shown}")
    console = Console(record=True, width=_WIDTH, file=sys.stderr, color_system="truecolor", force_terminal=True)
    console.print(Text(f"$ {' '.join(COMMAND)}", style="bold"))
    console.print(Text.from_ansi(shown.rstrip()))
    return console.export_svg(title="keepclear", theme=_INK, code_format=_FRAME, unique_id="keepclear")


def _on_a_terminal(command: list[str]) -> tuple[int, str]:
    """Exit status of a command, and what it prints on a terminal `_WIDTH` columns wide."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 60, _WIDTH, 0, 0))
    running = subprocess.Popen(command, cwd=ROOT, stdout=theirs)
    os.close(theirs)
    pieces = []
    try:
        while piece := os.read(ours, 65536):
            pieces.append(piece)
    except OSError:
        pass  # how Linux says that the other end was closed
    os.close(ours)
    return running.wait(), b"".join(pieces).decode("utf-8").replace("\r\n", "\n")


if __name__ == "__main__":
    TARGET.write_text(picture(), encoding="utf-8")
    print(TARGET, TARGET.stat().st_size)
