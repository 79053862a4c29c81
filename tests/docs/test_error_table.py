"""The error analysis shows what is measured, and what is measured is within what it states."""

from __future__ import annotations

import pytest

from tools import make_error_table


@pytest.mark.slow
def test_the_table_of_errors_is_up_to_date() -> None:
    text = make_error_table.TARGET.read_text(encoding="utf-8")
    assert make_error_table.page(text) == text, "run make docs"


def test_a_changed_table_would_be_found() -> None:
    text = make_error_table.TARGET.read_text(encoding="utf-8")
    assert text.count(make_error_table.BEGIN) == text.count(make_error_table.END) == 1
    assert "| a chord, less than the geodesic | 100 km |" in text


@pytest.mark.parametrize(
    ("metres", "shown"), [(1.031, "1.1 m"), (0.000338, "340 µm"), (0.00694, "7 mm"), (2.3e-9, "under 10 nm")]
)
def test_lengths_are_rounded_up(metres: float, shown: str) -> None:
    assert make_error_table._length(metres) == shown
