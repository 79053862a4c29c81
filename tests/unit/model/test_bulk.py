from __future__ import annotations

import gc

import pytest

from keepclear.model.bulk import collector_paused


def paused_twice():
    with collector_paused():
        with collector_paused():
            assert not gc.isenabled()
        assert not gc.isenabled(), "the outer pause goes on"
        raise ZeroDivisionError


@pytest.mark.parametrize("is_on", [True, False])
def test_the_collector_is_as_it_was_after_a_pause_that_failed(is_on):
    before = gc.isenabled()
    try:
        (gc.enable if is_on else gc.disable)()
        with pytest.raises(ZeroDivisionError):
            paused_twice()
        assert gc.isenabled() is is_on
    finally:
        (gc.enable if before else gc.disable)()
