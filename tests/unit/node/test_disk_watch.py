from __future__ import annotations

import pytest

from keepclear.node.disk_watch import DiskWatch
from tests.unit.node.alarm_parts import Parts, until

GIB = 2**30


@pytest.fixture
def parts(tmp_path):
    made = Parts(tmp_path)
    yield made
    made.database.close()


@pytest.mark.parametrize(
    ("total", "free", "low"),
    [
        (100 * GIB, 50 * GIB, False),
        (100 * GIB, GIB // 4, True),
        (100 * GIB, GIB, False),
        (4 * GIB, 3 * GIB // 10, False),
        (4 * GIB, GIB // 10, True),
        (0, 0, True),
    ],
)
def test_little_room_is_an_alarm(parts, tmp_path, total, free, low):
    assert DiskWatch(tmp_path, parts.alarms, usage=lambda _: (total, free)).look() is low
    assert [one.kind for one in parts.alarms.listed()] == (["disk"] if low else [])


def test_it_is_one_alarm_until_there_is_room_again(parts, tmp_path):
    free = [GIB // 10]
    watch = DiskWatch(tmp_path, parts.alarms, look_s=0.01, usage=lambda _: (100 * GIB, free[0]))
    watch.start()
    (alarm,) = until(parts.alarms.listed)
    assert (alarm.over_s, alarm.times) == (None, 1)
    free[0] = 50 * GIB
    until(lambda: parts.alarms.listed()[0].over_s is not None)
    watch.stop()
    assert parts.alarms.listed()[0].times == 1


def test_the_real_disk_can_be_looked_at(parts, tmp_path):
    watch = DiskWatch(tmp_path, parts.alarms, least_bytes=1)
    assert not watch.look()
