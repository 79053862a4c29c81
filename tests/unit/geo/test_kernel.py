"""Where compiled kernels are kept: by the contents of all they are made of, and never where others can write."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

from keepclear.geo import kernel as kernel_module

HEAD = "from keepclear.geo.kernel import kernel\n"


def _say(program: str, **environment: str) -> str:
    kept = {name: value for name, value in os.environ.items() if name not in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME")}
    command = [sys.executable, "-c", program]
    return subprocess.run(command, env=kept | environment, capture_output=True, text=True, check=True).stdout.strip()


def test_a_constant_of_a_file_without_kernels_is_compiled_anew_when_it_has_changed(tmp_path) -> None:
    geo = tmp_path / "keepclear" / "geo"
    geo.mkdir(parents=True)
    for folder in (geo, geo.parent):
        (folder / "__init__.py").touch()
    shutil.copy(Path(kernel_module.__file__), geo / "kernel.py")
    outer = "from keepclear.geo.numbers import N\n\n\n@kernel\ndef outer(x):\n    return N * x\n"
    (geo / "outer.py").write_text(HEAD + outer)
    for number in ("2", "30"):
        (geo / "numbers.py").write_text(f"N = {number}\n")
        for _ in range(2):  # compiled, then from the cache
            paths = {"PYTHONPATH": str(tmp_path), "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
            assert _say("from keepclear.geo.outer import outer; print(outer(1))", **paths) == number


def test_without_a_cache_of_its_own_a_process_takes_a_new_folder_that_nobody_else_can_write_in(tmp_path) -> None:
    program = "from keepclear.geo.kernel import _cache; print(_cache())"
    nowhere = tmp_path / "file"
    nowhere.touch()  # a home that is a file holds no folder
    folders = [Path(_say(program, HOME=str(nowhere), TMPDIR=str(tmp_path))) for _ in range(2)]
    assert folders[0] != folders[1]
    for folder in folders:
        assert folder.parent == tmp_path
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
