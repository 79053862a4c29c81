"""A client of a node: everything that the HTTP API has, as typed methods.

Examples
--------
>>> with Client("http://127.0.0.1:8470", token="kc_…") as node:  # doctest: +SKIP
...     for one in node.operations(area=(40.0, 36.5, 42.5, 37.5)):
...         print(one.id, one.party, one.state)
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Sequence
from threading import Event
from types import TracebackType
from typing import Self

from keepclear.client.agreements import Agreements
from keepclear.client.event_reading import follow
from keepclear.client.filings import Filings
from keepclear.client.lines import LinesOf
from keepclear.client.people import People
from keepclear.client.positions import PositionsOf
from keepclear.client.requests import Requests
from keepclear.client.talk import Talk
from keepclear.client.watch import WatchOf
from keepclear.values.events import EventTold
from keepclear.values.health import AliveTold, ReadyTold

__all__ = ["Client"]


class Client(Agreements, Filings, Talk, LinesOf, People, PositionsOf, WatchOf):
    """Asks one node. Any thread may use it; as a context manager it closes its connections at the end.

    Lists are read to their end, page after page, as they are asked for. What the node refuses is raised as
    `keepclear.client.problems.RefusedError` with its faults, or as another of `keepclear.errors`.

    Parameters
    ----------
    url
        Where the node is, for example ``https://north.example:8470``.
    token
        An API token; None to `sign_in`.
    verify
        Which certificates are believed: those of this context, or those of the system.
    timeout_s
        How long an answer may take.

    Attributes
    ----------
    requests
        The plain requests, for what has no method.
    """

    def __init__(
        self, url: str, *, token: str | None = None, verify: ssl.SSLContext | bool = True, timeout_s: float = 30.0
    ) -> None:
        self.requests = Requests(url, token=token, verify=verify, timeout_s=timeout_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self.requests.close()

    def events(
        self,
        *,
        after: int | None = None,
        types: Sequence[str] = (),
        line: str | None = None,
        stop: Event | None = None,
        wait: bool = True,
    ) -> Iterator[EventTold]:
        """What happens at the node, for as long as it is wanted; see `keepclear.client.event_reading.follow`."""
        return follow(self.requests, after=after, types=types, line=line, stop=stop, wait=wait)

    def is_alive(self) -> AliveTold:
        """Whether the process answers."""
        return AliveTold.model_validate(self.requests.http.get("/healthz").json())

    def readiness(self) -> ReadyTold:
        """Whether the node can do its work, and if not, which part cannot."""
        return ReadyTold.model_validate(self.requests.http.get("/readyz").json())
