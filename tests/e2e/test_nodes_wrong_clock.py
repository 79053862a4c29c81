"""A node whose clock is ten minutes off: what is said goes to and fro all the same, and people are told of it."""

from __future__ import annotations

import libfaketime  # of PyPI: a library that is put before the C library's own clock
import pytest

from tests.afterwards import must_all_have, must_be_sound
from tests.killing import all_busy
from tests.line_of_nodes import LINE, client_of, joined, until
from tests.load import at_work
from tests.nodes import nodes_in

OFF_S = 600


@pytest.mark.slow
@pytest.mark.parametrize("off_s", [OFF_S, -OFF_S])
def test_a_clock_ten_minutes_off_is_flagged_and_stops_nothing(tmp_path, off_s):
    _, environment = libfaketime.get_reload_information()
    wrong = {**environment, "FAKETIME": f"{off_s:+d}"}
    with nodes_in(tmp_path) as nodes:
        ru, tr = nodes.new("RU"), nodes.new("TR")
        ru.start(wait=False)
        tr.start(environment=wrong, wait=False)
        ru.wait_ready()
        tr.wait_ready()
        joined([ru, tr])
        with client_of(ru) as client:
            told = until(lambda: clock_of(client), "the difference is told")
            assert abs(told - off_s) < 60.0
            assert [one for one in until(lambda: list(client.alarms()), "an alarm") if one.kind == "clock"]
        with at_work((ru, tr), desks=1) as desks:
            all_busy(desks)
            # The clock is put right, or the battery of the other one fails: time goes back at one of them.
            tr.restart()
            all_busy(desks)
            ru.kill()
            ru.start(environment=wrong)
            all_busy(desks)
        must_all_have((ru, tr), desks)
        must_be_sound((ru, tr))


def clock_of(client) -> float:
    """How far the other's clock is ahead, in seconds, if it is known."""
    return next(iter(client.status(LINE).channels)).clock_ahead_s or 0.0
