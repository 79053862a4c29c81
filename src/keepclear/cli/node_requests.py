"""A node that a command asks: one that runs, or one that runs as long as the command."""

from __future__ import annotations

from keepclear.client.client import Client

__all__ = ["AskedNode"]

_TIMEOUT_S = 120.0


class AskedNode(Client):
    """A node's client.

    Attributes
    ----------
    alone
        Whether the node runs for this command alone, so that nothing it says goes out yet.
    """

    alone: bool = False
