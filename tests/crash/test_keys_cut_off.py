"""Making and changing keys, stopped at each write, before and after it: doing it again goes on from there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.crash import changing_keys

ROOT = Path(__file__).parents[2]
IDENTITY = ["identity.key", "identity.vkey"]
BEGUN = ["border.log.key", "border.mirror.key", *IDENTITY]
LOG_CHANGED = ["border.log.2.key", *BEGUN]
ONCE = {
    "new": f"{IDENTITY}",
    "begin": f"{BEGUN} {{'north/border/log': 2}} [True, True]",
    "change-log": f"{LOG_CHANGED} {{'north/border/log': 3, 'north/border/log/2': 1}} [False, True, True]",
    "change-mirror": "{'north/border/log': 3} [True, True] {'identity': 0, 'log': 1, 'mirror': 2, 'transport': 0}",
}
DONE_BEFORE = {  # where it was done, and nobody was told: what doing it again says
    "new": "InputError",
    "begin": "InputError",
    "change-log": "'north/border/log/2': 2, 'north/border/log/3': 1",
    "change-mirror": "{'north/border/log': 4} [True, True] {'identity': 0, 'log': 1, 'mirror': 3, 'transport': 0}",
}


@pytest.mark.parametrize("operation", sorted(changing_keys.OPERATIONS))
def test_doing_it_again_goes_on(operation: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.crash.changing_keys", operation, str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=200,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    assert sum(line.startswith("whole ") for line in lines) == 2
    assert len(lines) > 16, "it was stopped nowhere"
    once = [line for line in lines if ONCE[operation] in line and " refused " not in f" {line}"]
    others = [line for line in lines if line not in once]
    assert all(DONE_BEFORE[operation] in line for line in others), others
    assert len(others) <= 8
    assert len(once) > 2 * len(others)
    assert not [line for line in lines if ".new" in line or ".next" in line], "something is left behind"
    if operation != "new":
        assert all(line.endswith(" 0") for line in lines), "somebody would not believe a statement"
