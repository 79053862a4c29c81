"""Runs the coverage-guided fuzzer (atheris: ``pip install atheris``), one process for each target."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Target", "run"]

_LONGEST_BYTES = 8192
_INSTRUMENTED = ["keepclear.formats", "keepclear.model", "keepclear.record", "keepclear.times"]


@dataclass(frozen=True)
class Target:
    """What is given bytes, samples of them, and what it may take to read `_LONGEST_BYTES`."""

    reads: Callable[[bytes], object]
    samples: Sequence[bytes]
    most_memory_mb: int
    slowest_s: int
    words: Path | None = None


def run(names: Iterable[str], *, script: str, about: str | None, target: Callable[[str], Target]) -> int:
    """Fuzz what the command line asks for, each in a process of its own, as libFuzzer ends the process it runs in.

    Parameters
    ----------
    names
        All targets.
    script, about
        The file that is run, and its docstring.
    target
        Makes one; called in the child, with atheris instrumenting what it imports.
    """
    options = _options(about)
    if options.child:
        return _in_child(options, target)
    chosen = options.target or list(names)
    each_s = max(1, options.seconds // len(chosen))
    broken = []
    for name in chosen:
        sys.stdout.write(f"{name}: {each_s} s\n")
        sys.stdout.flush()
        command = [sys.executable, script, "--child", "--target", name, "--seconds", str(each_s)]
        if options.again:
            command += ["--again", str(options.again)]
        ran = subprocess.run(command, check=False, stderr=subprocess.PIPE, text=True, errors="replace")
        if ran.returncode != 0:
            broken.append(name)
            sys.stdout.write(ran.stderr[-8000:])
    sys.stdout.write(f"broken: {', '.join(broken)}\n" if broken else "nothing found\n")
    return 1 if broken else 0


def _options(about: str | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=60, help="for all targets together")
    parser.add_argument("--target", action="append", help="only this one; may be repeated")
    parser.add_argument("--again", type=Path, help="read this file, which broke one before")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def _in_child(options: argparse.Namespace, target: Callable[[str], Target]) -> int:
    try:
        import atheris
    except ImportError:
        sys.stderr.write("atheris is not installed: pip install atheris\n")
        return 2
    name = options.target[0]
    with atheris.instrument_imports(
        include=["keepclear.formats", "keepclear.model", "keepclear.record", "keepclear.times"]
    ):
        found = target(name)
    if options.again is not None:
        found.reads(options.again.read_bytes())
        return 0
    return _fuzz(atheris, name, found, options.seconds)


def _fuzz(atheris: object, name: str, target: Target, seconds: int) -> int:
    """Hand over to libFuzzer, which ends the process when it finds something."""
    with tempfile.TemporaryDirectory() as folder:
        for number, sample in enumerate(target.samples):
            Path(folder, str(number)).write_bytes(sample)
        arguments = [
            sys.argv[0],
            f"-max_total_time={seconds}",
            f"-max_len={_LONGEST_BYTES}",
            f"-rss_limit_mb={target.most_memory_mb}",
            f"-timeout={target.slowest_s}",
            f"-artifact_prefix=crash-{name.replace(' ', '-')}-",
            *([] if target.words is None else [f"-dict={target.words}"]),
            folder,
        ]
        atheris.Setup(arguments, lambda data: target.reads(data) and None)  # type: ignore[attr-defined]
        atheris.Fuzz()  # type: ignore[attr-defined]
    return 0
