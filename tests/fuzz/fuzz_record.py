"""Look for bytes that break what reads the record, from notes to evidence of forks (``pip install atheris``).

    python tests/fuzz/fuzz_record.py --seconds 600              all targets, 600 seconds in all
    python tests/fuzz/fuzz_record.py --seconds 60 --target note
    python tests/fuzz/fuzz_record.py --target note --again crash-note-…

What breaks one is kept in the working directory as ``crash-TARGET-…``; the exit status is then 1.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.fuzz.driving import Target, run  # noqa: E402 - the path comes first


def _modules() -> list[ModuleType]:
    from tests.fuzz import record_entries, record_forks, record_readers, record_tree

    return [record_readers, record_tree, record_entries, record_forks]


def _names() -> list[str]:
    return [name for module in _modules() for name in module.TARGETS]


def _target(name: str) -> Target:
    module = next(module for module in _modules() if name in module.TARGETS)
    return Target(module.TARGETS[name], module.samples()[name], 1024, 5)


if __name__ == "__main__":
    sys.exit(run([] if "--child" in sys.argv else _names(), script=__file__, about=__doc__, target=_target))
