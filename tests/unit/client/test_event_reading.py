from __future__ import annotations

import pytest

from keepclear.client.event_reading import blocks_of

STREAM = (
    'retry: 2000\n\nid: 1\nevent: message\ndata: {"text":"\u2028 line"}\n\n'
    'id: 2\n: still here\n\nid: 3\r\ndata:{"n":\r\ndata: 1}\r\n\r\nid: 4\ndata: cut off'
).encode()


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_a_stream_is_read_the_same_however_it_is_cut(size):
    pieces = [STREAM[start : start + size] for start in range(0, len(STREAM), size)]
    found = [(one.id, one.event, one.data) for one in blocks_of(pieces)]
    assert found == [
        ("", "", []),
        ("1", "message", ['{"text":"\u2028 line"}']),
        ("2", "", []),
        ("3", "", ['{"n":', "1}"]),
    ]
