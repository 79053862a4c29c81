"""Look for bytes that break a reader, guided by coverage (atheris: ``pip install atheris``).

    python tests/fuzz/fuzz_readers.py --seconds 600            all formats, 600 seconds in all
    python tests/fuzz/fuzz_readers.py --seconds 60 --format kml
    python tests/fuzz/fuzz_readers.py --format kml --again crash-kml-…

What breaks a reader is kept in the working directory as ``crash-FORMAT-…``; the exit status is then 1.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

_LONGEST_BYTES = 8192
_MOST_MEMORY_MB = 2048
_SLOWEST_S = 20


def main() -> int:
    """Fuzz the formats asked for, each in a process of its own, as libFuzzer ends the process it runs in."""
    options = _options()
    if options.child:
        return _fuzz(options.format[0], options.seconds, options.again)
    from tests.fuzz.readers import READ_NAMES

    names = options.format or list(READ_NAMES)
    each_s = max(1, options.seconds // len(names))
    broken = []
    for name in names:
        sys.stdout.write(f"{name}: {each_s} s\n")
        sys.stdout.flush()
        command = [sys.executable, __file__, "--child", "--format", name, "--seconds", str(each_s)]
        if options.again:
            command += ["--again", str(options.again)]
        ran = subprocess.run(command, check=False, stderr=subprocess.PIPE, text=True)
        if ran.returncode != 0:
            broken.append(name)
            sys.stdout.write(ran.stderr[-8000:])
    sys.stdout.write(f"broken: {', '.join(broken)}\n" if broken else "nothing found\n")
    return 1 if broken else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=60, help="for all formats together")
    parser.add_argument("--format", action="append", help="only this one; may be repeated")
    parser.add_argument("--again", type=Path, help="read this file, which broke a reader before")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def _fuzz(name: str, seconds: int, again: Path | None) -> int:
    try:
        import atheris
    except ImportError:
        sys.stderr.write("atheris is not installed: pip install atheris\n")
        return 2
    with atheris.instrument_imports(include=["keepclear.formats", "keepclear.model", "keepclear.times"]):
        from tests.fuzz.readers import must_read_or_refuse, samples

        for sample in samples()[name]:
            must_read_or_refuse(sample, name)  # which imports the reader, so that it too is instrumented
    if again is not None:
        must_read_or_refuse(again.read_bytes(), name)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(folder, "corpus")
        corpus.mkdir()
        for number, sample in enumerate(samples()[name]):
            (corpus / f"{name}-{number}").write_bytes(sample)
        arguments = [
            sys.argv[0],
            f"-max_total_time={seconds}",
            f"-max_len={_LONGEST_BYTES}",
            f"-rss_limit_mb={_MOST_MEMORY_MB}",
            f"-timeout={_SLOWEST_S}",
            f"-artifact_prefix=crash-{name}-",
            f"-dict={Path(__file__).with_name('words.dict')}",
            str(corpus),
        ]
        atheris.Setup(arguments, lambda data: must_read_or_refuse(data, name))
        atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
