"""Look for bytes that break a reader of files, guided by coverage (atheris: ``pip install atheris``).

    python tests/fuzz/fuzz_readers.py --seconds 600            all formats, 600 seconds in all
    python tests/fuzz/fuzz_readers.py --seconds 60 --target kml
    python tests/fuzz/fuzz_readers.py --target kml --again crash-kml-…

What breaks a reader is kept in the working directory as ``crash-FORMAT-…``; the exit status is then 1.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.fuzz.driving import Target, run  # noqa: E402 - the path comes first


def _names() -> list[str]:
    from tests.fuzz.readers import READ_NAMES

    return list(READ_NAMES)


def _target(name: str) -> Target:
    from tests.fuzz.readers import must_read_or_refuse, samples

    for sample in samples()[name]:
        must_read_or_refuse(sample, name)  # which imports the reader, so that it too is instrumented
    words = Path(__file__).with_name("words.dict")
    return Target(lambda data: must_read_or_refuse(data, name), samples()[name], 2048, 20, words)


if __name__ == "__main__":
    sys.exit(run([] if "--child" in sys.argv else _names(), script=__file__, about=__doc__, target=_target))
