"""Draw docs/terminal.svg: what `keepclear check` shows for the two parties of the examples."""

from __future__ import annotations

import subprocess
import sys
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
_WIDTH = 132
_INK = TerminalTheme((252, 252, 250), (28, 30, 34), [(28, 30, 34)] * 8, [(28, 30, 34)] * 8)

# As Rich draws it by default, less the fonts that it would fetch from elsewhere.
_FRAME = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
  <style>
    .{unique_id}-matrix {{ font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
      font-size: {char_height}px; line-height: {line_height}px; font-variant-east-asian: full-width; }}
    {styles}
  </style>
  <defs>
    <clipPath id="{unique_id}-clip-terminal">
      <rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
    </clipPath>
    {lines}
  </defs>
  {chrome}
  <g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
    {backgrounds}
    <g class="{unique_id}-matrix">
      {matrix}
    </g>
  </g>
</svg>
"""


def picture() -> str:
    """SVG of the command and what it prints."""
    program = str(Path(sys.executable).parent / COMMAND[0])
    done = subprocess.run([program, *COMMAND[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 1:
        raise SystemExit(f"expected a conflict, got {done.returncode}: {done.stderr}")
    console = Console(record=True, width=_WIDTH, file=sys.stderr, color_system="truecolor", force_terminal=True)
    console.print(Text(f"$ {' '.join(COMMAND)}", style="bold"))
    console.print(Text(done.stdout.rstrip()))
    return console.export_svg(title="keepclear", theme=_INK, code_format=_FRAME, unique_id="keepclear")


if __name__ == "__main__":
    TARGET.write_text(picture(), encoding="utf-8")
    print(TARGET, TARGET.stat().st_size)
