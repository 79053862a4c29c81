"""What Prometheus reads: counts and times of requests, and how the node's logs, channels and duties stand.

It takes credentials like everything else: names of lines and parties are nobody else's business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from keepclear import __version__
from keepclear.api.authentication import Needs
from keepclear.api.event_feed import EventFeed
from keepclear.errors import KeepclearError
from keepclear.line.channel import ChannelState
from keepclear.node.actors import Actor
from keepclear.node.roles import Scope as Allowed
from keepclear.store.node.filings import active_count

if TYPE_CHECKING:
    from keepclear.node.running import Node

__all__ = ["Meters", "RequestMeter", "router"]

router = APIRouter(tags=["health"])
_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_MOST_ALARMS = 1000
_PREFIX = "/api/v1"
_Labels = tuple[tuple[str, str], ...]


@router.get(
    "/metrics", response_class=Response, responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}}
)
def metrics(request: Request, actor: Annotated[Actor, Needs(Allowed.READ)]) -> Response:  # noqa: ARG001  # asked for to be checked
    """Numbers about this node in the text format of Prometheus."""
    meters: Meters = request.app.state.meters
    return Response(generate_latest(meters.registry), media_type=CONTENT_TYPE_LATEST)


class Meters:
    """The numbers of a node, made or looked up when they are asked for.

    Parameters
    ----------
    node
        The node.
    feed
        Counts the streams.
    """

    def __init__(self, node: Node, feed: EventFeed) -> None:
        self.registry = CollectorRegistry(auto_describe=False)
        self.requests = Counter(
            "keepclear_requests", "Requests that were answered.", ("method", "route", "status"), registry=self.registry
        )
        self.request_s = Histogram(
            "keepclear_request_seconds",
            "How long requests took, streams left out.",
            ("method", "route"),
            buckets=_BUCKETS_S,
            registry=self.registry,
        )
        self.registry.register(_NodeNumbers(node, feed))


class RequestMeter:
    """ASGI middleware that counts requests by the pattern of their path, never by the path itself.

    Parameters
    ----------
    app
        What comes after it.
    meters
        Where they are counted.
    stopwatch
        Seconds on a clock that never goes back.
    """

    def __init__(self, app: ASGIApp, *, meters: Meters, stopwatch: Callable[[], float]) -> None:
        self._app = app
        self._meters = meters
        self._stopwatch = stopwatch

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, as ASGI has it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun_s, status, streamed = self._stopwatch(), 0, False

        async def seen(message: Message) -> None:
            nonlocal status, streamed
            if message["type"] == "http.response.start":
                status = message["status"]
                streamed = any(
                    name == b"content-type" and value.startswith(b"text/event-stream")
                    for name, value in message.get("headers", ())
                )
            await send(message)

        try:
            await self._app(scope, receive, seen)
        finally:
            route = _pattern_of(scope)
            # A method is whatever the caller wrote: only those that a route has are worth a series of numbers.
            method = scope["method"] if route != "none" else "none"
            self._meters.requests.labels(method, route, str(status)).inc()
            if not streamed:
                self._meters.request_s.labels(method, route).observe(self._stopwatch() - begun_s)


class _NodeNumbers:
    """Looks up what is known of a node when it is asked."""

    def __init__(self, node: Node, feed: EventFeed) -> None:
        self._node = node
        self._feed = feed

    def collect(self) -> Iterable[Any]:
        """All numbers; those that cannot be had now are left out."""
        yield _gauge("keepclear_info", "Which version this is.", {(("version", __version__),): 1.0})
        yield _gauge("keepclear_event_streams", "Streams of events that are open.", {(): float(self._feed.streams)})
        yield _gauge("keepclear_event_number", "The number of the newest event.", {(): float(self._feed.position)})
        for numbers in (self._logs, self._channels, self._duties):
            try:
                yield from numbers()
            except KeepclearError:
                continue

    def _logs(self) -> Iterable[Any]:
        records = self._node.records
        origins = [(line, origin) for line in records.lines() for origin in records.origins(line)]
        sizes: dict[_Labels, float] = {
            (("line", line), ("log", origin)): float(records.size(origin)) for line, origin in origins
        }
        yield _gauge("keepclear_log_entries", "Entries of each log that are held here.", sizes)
        forks: dict[_Labels, float] = {(("log", origin),): float(len(records.forks(origin))) for _, origin in origins}
        yield _gauge("keepclear_log_forks", "Proved forks of each log.", forks)
        receipts: dict[_Labels, float] = {
            (("log", origin), ("by", key.partition("+")[0])): float(size)
            for _, origin in origins
            for key, size in records.receipts(origin)
        }
        yield _gauge("keepclear_log_receipt_entries", "Up to which size others have cosigned each log.", receipts)
        silent: dict[_Labels, float] = {
            (("line", line),): float(bool(records.silence(line))) for line in records.lines()
        }
        yield _gauge("keepclear_line_silent", "Whether nothing but FLASH can be said at present.", silent)

    def _channels(self) -> Iterable[Any]:
        states: dict[_Labels, float] = {}
        behind: dict[_Labels, float] = {}
        heard: dict[_Labels, float] = {}
        for line in self._node.records.lines():
            for status in self._node.exchange.status(line):
                who = (("line", line), ("party", status.channel.party))
                channel = status.channel.channel
                states |= {(*who, ("state", one.value)): float(channel.state is one) for one in ChannelState}
                if status.behind is not None:
                    behind[who] = float(status.behind)
                if channel.heard_s is not None:
                    heard[who] = channel.heard_s
        yield _gauge("keepclear_channel_state", "1 for the state that the channel to a party is in.", states)
        yield _gauge("keepclear_behind_entries", "Entries of ours without a receipt of that party.", behind)
        yield _gauge("keepclear_heard_timestamp_seconds", "When a party's node was last heard.", heard)

    def _duties(self) -> Iterable[Any]:
        node = self._node
        with node.database.reading() as conn:
            active = float(active_count(conn))
        yield _gauge("keepclear_filings_active", "Filings that stand and are not over.", {(): active})
        alarms = node.alarms.listed(open_only=True, limit=_MOST_ALARMS)
        kinds = {one.kind for one in alarms}
        counted: dict[_Labels, float] = {
            (("kind", kind),): float(sum(one.kind == kind for one in alarms)) for kind in kinds
        }
        yield _gauge("keepclear_alarms_open", "Alarms that nobody has acknowledged.", counted)


def _pattern_of(scope: Scope) -> str:
    """The pattern of the path that was asked for, whole; ``none`` where there is nothing."""
    pattern = getattr(scope.get("route"), "path", None)
    if pattern is None:
        return "none"
    # A route knows its path without the prefix under which it was included.
    return f"{_PREFIX}{pattern}" if scope["path"].startswith(_PREFIX) and not pattern.startswith(_PREFIX) else pattern


def _gauge(name: str, text: str, values: Mapping[_Labels, float]) -> GaugeMetricFamily:
    labels = [label for label, _ in next(iter(values), ())]
    family = GaugeMetricFamily(name, text, labels=labels)
    for key, value in values.items():
        family.add_metric([value_of for _, value_of in key], value)
    return family
