"""Look for bytes that break what reads the record, from notes to evidence of forks (``pip install atheris``).

    python tests/fuzz/fuzz_record.py --seconds 600              all targets, 600 seconds in all
    python tests/fuzz/fuzz_record.py --seconds 60 --target note
    python tests/fuzz/fuzz_record.py --target note --again crash-note-…

What breaks one is kept in the working directory as ``crash-TARGET-…``; the exit status is then 1.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

_LONGEST_BYTES = 8192
_MOST_MEMORY_MB = 1024
_SLOWEST_S = 5


def main() -> int:
    """Fuzz what was asked for, each in a process of its own, as libFuzzer ends the process it runs in."""
    options = _options()
    if options.child:
        return _fuzz(options.target[0], options.seconds, options.again)
    names = options.target or [name for module in _modules() for name in module.TARGETS]
    each_s = max(1, options.seconds // len(names))
    broken = []
    for name in names:
        sys.stdout.write(f"{name}: {each_s} s\n")
        sys.stdout.flush()
        command = [sys.executable, __file__, "--child", "--target", name, "--seconds", str(each_s)]
        if options.again:
            command += ["--again", str(options.again)]
        ran = subprocess.run(command, check=False, stderr=subprocess.PIPE, text=True, errors="replace")
        if ran.returncode != 0:
            broken.append(name)
            sys.stdout.write(ran.stderr[-8000:])
    sys.stdout.write(f"broken: {', '.join(broken)}\n" if broken else "nothing found\n")
    return 1 if broken else 0


def _modules() -> list[ModuleType]:
    from tests.fuzz import record_entries, record_forks, record_readers, record_tree

    return [record_readers, record_tree, record_entries, record_forks]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=60, help="for all targets together")
    parser.add_argument("--target", action="append", help="only this one; may be repeated")
    parser.add_argument("--again", type=Path, help="read this file, which broke one before")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def _fuzz(name: str, seconds: int, again: Path | None) -> int:
    try:
        import atheris
    except ImportError:
        sys.stderr.write("atheris is not installed: pip install atheris\n")
        return 2
    with atheris.instrument_imports(include=["keepclear.record", "keepclear.times"]):
        module = next(module for module in _modules() if name in module.TARGETS)
        target, samples = module.TARGETS[name], module.samples()[name]
    if again is not None:
        target(again.read_bytes())
        return 0
    with tempfile.TemporaryDirectory() as folder:
        for number, sample in enumerate(samples):
            Path(folder, str(number)).write_bytes(sample)
        arguments = [
            sys.argv[0],
            f"-max_total_time={seconds}",
            f"-max_len={_LONGEST_BYTES}",
            f"-rss_limit_mb={_MOST_MEMORY_MB}",
            f"-timeout={_SLOWEST_S}",
            f"-artifact_prefix=crash-{name.replace(' ', '-')}-",
            folder,
        ]
        atheris.Setup(arguments, lambda data: target(data) and None)
        atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
