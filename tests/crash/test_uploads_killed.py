"""A mirror is killed at random moments of an upload, and the log goes on with the one that follows it."""

from __future__ import annotations

import random
import threading

import pytest

from keepclear.line.uploading import Stage
from tests.crash.receiver import serve_for_ever
from tests.crash.test_killed import process
from tests.property.two_ends import Ends, LogEnd, MirrorEnd, must_be_honest


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_an_upload_goes_on_after_each_kill_and_nothing_is_held_that_was_not_signed(tmp_path, seed):
    moments = random.Random(seed)
    north = LogEnd(tmp_path)
    MirrorEnd(tmp_path).store.close()
    north.say(900, to=())
    north.say(60, attached=2)
    leaves = list(north.log.leaves())
    kills = 0
    while north.sender.uploading.stage is not Stage.DONE:
        with process(serve_for_ever, tmp_path) as (child, pipe):
            assert pipe.recv() == "ready"
            killer = threading.Timer(moments.uniform(0.0, 0.15) + kills * 0.01, child.kill)
            killer.start()
            killed = False
            while not killed and (asked := north.sender.due()) is not None:
                due, request = asked
                answer = None
                try:
                    pipe.send((request.endpoint, b"".join(request.body), moments.choice((999, 20_000, 10**6))))
                    answer = pipe.recv()
                except (EOFError, OSError):
                    killed = True
                    kills += 1
                north.sender.answered(due, answer)
            north.sender.retried()
            killer.cancel()
        south = MirrorEnd(tmp_path)
        must_be_honest(south, leaves)
        south.store.close()
        assert kills < 100
    ends = Ends.__new__(Ends)
    ends.north, ends.south = north, MirrorEnd(tmp_path)
    ends.must_agree()
    assert kills > 0
    ends.close()
