"""YAML read as plain values with their lines; what is none is told with its line."""

from __future__ import annotations

import pytest

from keepclear.errors import InputError
from keepclear.replay.yaml_reading import read_yaml


def test_times_stay_text_and_lines_are_known() -> None:
    value, lines = read_yaml(b"at: 2016-09-17T12:55:00Z\nsteps:\n  - {n: 3, x: 1.5, on: true, no: null}\n", file="a")
    assert value == {"at": "2016-09-17T12:55:00Z", "steps": [{"n": 3, "x": 1.5, "on": True, "no": None}]}
    assert lines[("steps",)] == 2
    assert lines[("steps", 0, "x")] == 3


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"a: 1\na: 2\n", "it stands twice"),
        (b"a: [1, 2\nb: 3", "line"),
        (b"a: !!python/object:os.system x\n", "a tag"),
        (b"\xff\xfe\x00", "UTF-8"),
        (b"", "nothing in it"),
        (b"? [a]\n: 1\n", "no text"),
        (b"a: " + b"[" * 60 + b"]" * 60, "too much"),
        (b"#" * ((1 << 20) + 1), "bytes"),
    ],
)
def test_what_is_none_is_told(data: bytes, told: str) -> None:
    with pytest.raises(InputError, match=told):
        read_yaml(data, file="scenario.yaml")


def test_aliases_that_multiply_end() -> None:
    rows = [b"a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    rows += [b"a%d: &a%d [%s]" % (n, n, b", ".join([b"*a%d" % (n - 1)] * 10)) for n in range(1, 8)]
    with pytest.raises(InputError, match="too much in it"):
        read_yaml(b"\n".join(rows), file="a")
