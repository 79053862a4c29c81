from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from pydantic import ValidationError

from keepclear.values.base import moment_or_none
from keepclear.values.describing import members_of, summary_of
from keepclear.values.events import EventTold
from keepclear.values.filings import OperationAsked


def event(at):
    return EventTold(id=1, at=at, type="x")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z"),
        ("1970-01-01T00:00:00+03:00", "1969-12-31T21:00:00.000Z"),
        ("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"),
        (datetime(2026, 1, 1, 12, tzinfo=timezone(timedelta(hours=3))), "2026-01-01T09:00:00.000Z"),
    ],
)
def test_times_are_told_in_utc_with_milliseconds(given, told):
    assert event(given).model_dump(mode="json")["at"] == told


@pytest.mark.parametrize(
    "given",
    [
        "2026-01-01T00:00:00", "2026-02-30T00:00:00Z", "9999-12-31T23:59:59-05:00", "0001-01-01T00:00:00+05:00", "",
        "now", 17, 1.5, None, True, datetime(2026, 1, 1),  # noqa: DTZ001  # that it is naive is the point
    ],
)  # fmt: skip
def test_what_is_no_moment_is_refused(given):
    with pytest.raises(ValidationError):
        event(given)


def test_what_no_calendar_has_is_none():
    assert moment_or_none(None) is None
    assert moment_or_none(float("inf")) is None
    assert moment_or_none(-1e13) is None
    assert moment_or_none(0.0) == datetime(1970, 1, 1, tzinfo=UTC)


def test_what_is_asked_has_these_members_and_no_others():
    with pytest.raises(ValidationError, match="Extra inputs"):
        OperationAsked.model_validate({"operation": {"party": "RU", "id": "1"}, "target": "x"})
    with pytest.raises(ValidationError):
        OperationAsked.model_validate({"operation": {"party": "RU", "id": 1}})


def test_what_is_answered_may_have_more_than_we_know():
    assert EventTold.model_validate({"id": 1, "at": "1970-01-01T00:00:00Z", "type": "x", "newer": 1}).id == 1


def test_docstrings_are_the_descriptions_of_members():
    text = """A thing, with ``code``.

    Attributes
    ----------
    one, other
        Both of them,
        in two lines.
    """
    assert summary_of(text) == "A thing, with `code`."
    assert members_of(text) == {"one": "Both of them, in two lines.", "other": "Both of them, in two lines."}
    schema = OperationAsked.model_json_schema()
    assert schema["properties"]["recipients"]["description"].startswith("To whom")
    assert "Attributes" not in schema["description"]
