"""Tables of who is on a line and how its channels are: all of it is told, and no cell can leave its place."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from keepclear.cli.line_tables import status_text, table_text, time_text
from keepclear.values.lines import ChannelTold, LineStatusTold

NOON = datetime(2035, 3, 2, 12, 0, 0, 900_000, tzinfo=UTC)


def told(*channels: ChannelTold, **more: object) -> str:
    found = LineStatusTold(line="north", party="RU", log="keepclear/north/RU", size=7, channels=list(channels), **more)
    return " ".join("".join(status_text(found)).split())


def test_times_are_shown_to_the_second_and_in_utc():
    assert time_text(NOON) == "2035-03-02 12:00:00Z"
    assert time_text(None) == ""


def test_what_would_move_the_cursor_or_break_the_table_is_shown_and_not_done():
    text = table_text(["who"], [["a\x1b[2Jb\nc"]])
    assert "\x1b" not in text
    assert len([line for line in text.splitlines() if "a" in line and "c" in line]) == 1


@pytest.mark.parametrize(
    ("ahead_s", "shown"), [(None, "-"), (5.0, "agrees"), (-5.0, "agrees"), (5.6, "6 s ahead"), (-90.0, "90 s behind")]
)
def test_a_clock_is_told_in_words(ahead_s, shown):
    assert f" {shown} " in told(ChannelTold(party="TR", state="up", clock_ahead_s=ahead_s, behind=3, trouble="x")) + " "


def test_a_channel_says_what_stops_it_before_what_troubles_it_before_its_version():
    every = {"stopped": "its-log-forked", "trouble": "unreachable", "versions": "older"}
    for note in ("its-log-forked", "unreachable", "older"):
        text = told(ChannelTold(party="TR", state="down", **every))
        assert note in text
        every = dict(list(every.items())[1:])
        assert all(other not in text for other in every.values())


def test_who_was_never_heard_is_told_as_that():
    text = told(ChannelTold(party="TR", state="down"))
    assert "never" in text
    assert "RU on north: 7 entries said" in text
    assert "2035-03-02 12:00:00Z" in told(ChannelTold(party="TR", state="up", heard_at=NOON))


def test_forks_and_silence_are_told_below_the_table():
    text = told(forks=["keepclear/north/TR"], silence="restored from a copy")
    assert "Nobody else is on the line yet." in text
    assert "FORKED: keepclear/north/TR" in text
    assert text.endswith("Nothing can be said: restored from a copy")
