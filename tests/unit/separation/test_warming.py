"""The kernels compiled ahead are the ones that a check calls."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[3] / "examples" / "two-parties"
CHECK = """
import sys
from numba.core import event

compiled = []

class Listener(event.Listener):
    def on_start(self, event):
        compiled.append(event.data["dispatcher"].py_func.__name__)

    def on_end(self, event):
        pass

with event.install_listener("numba:compile", Listener()):
    from keepclear.cli.__main__ import main
    try:
        main()
    except SystemExit as end:
        code = end.code
print("exit", code)
print("compiled", *compiled)
"""

LOAD = """
from keepclear.separation import sweeping
from keepclear.separation.warming import load_kernels

load_kernels()
print(sum(sweeping.sweep_tile.stats.cache_hits.values()), len(sweeping.sweep_tile.overloads))
"""


def run(cache: Path, program: str, *arguments: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")}
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env={**environment, "NUMBA_CACHE_DIR": str(cache)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout


def compiled_by_a_check(cache: Path) -> set[str]:
    files = sorted(str(path) for path in EXAMPLE.glob("*.geojson"))
    *_, code, compiled = run(cache, CHECK, "check", *files).splitlines()
    assert code == "exit 1", "the two parties of the example are in conflict"
    return set(compiled.split()[1:])


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_check_after_warming_compiles_neither_the_search_nor_the_judges_again(tmp_path: Path) -> None:
    warm = "from keepclear.separation.warming import compile_kernels; compile_kernels()"
    assert run(tmp_path, LOAD) == "0 0\n", "nothing is loaded, and nothing compiled, where nothing was"
    run(tmp_path, warm)
    assert run(tmp_path, LOAD) == "1 1\n"
    assert not {"sweep_tile", "_look", "_judge_hits", "_on_surface", "judge_legs"} & compiled_by_a_check(tmp_path)
    assert compiled_by_a_check(tmp_path) == set(), "and a second check nothing at all"
    for kept in tmp_path.rglob("*.sweep_tile-*"):
        kept.unlink()
    assert "sweep_tile" in compiled_by_a_check(tmp_path), "or nothing would have been seen above either"
