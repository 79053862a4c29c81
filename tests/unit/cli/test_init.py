"""Where a node that is set up will listen."""

from __future__ import annotations

import pytest

from keepclear.cli.init import _listening


@pytest.mark.parametrize(
    ("address", "settings"),
    [
        ("", {}),
        ("http://127.0.0.1:8470", {"port": 8470}),
        ("https://127.0.0.1:8470", {"port": 8470}),  # this machine was named, so nobody else's is let in
        ("https://localhost:8470", {"port": 8470}),
        ("https://127.0.0.2:8470", {"host": "127.0.0.2", "port": 8470}),
        ("https://[::1]:8470", {"host": "::1", "port": 8470}),
        ("https://north.example:8470", {"host": "0.0.0.0", "port": 8470}),
        ("not an address", {}),
    ],
)
def test_a_node_listens_where_it_is_reached_and_nowhere_else(address, settings):
    assert _listening(address) == settings
