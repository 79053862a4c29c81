"""What other parties' nodes call: the mirror's endpoints of C2SP tlog-mirror, and keepclear's own (docs/spec/nodes.md).

Each request is signed by a peer's transport key. Its head is verified before any of its body is read; the body is read
within limits of bytes and time, and given on only when it is whole and is the one that was signed. The work itself is
done in threads of its own, a few for each party: whoever sends much holds up itself.
"""

from __future__ import annotations

import asyncio
import tempfile
import threading
import zlib
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from typing import IO, TYPE_CHECKING, Any

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Request, Response
from starlette.requests import ClientDisconnect

from keepclear.errors import InputError, IntegrityError, KeepclearError, PeerError
from keepclear.line.invitations import MOST_FILE_BYTES
from keepclear.line.mirror_requests import Answer
from keepclear.node.peer_desk import LIMITS, PREFIX, PeerDesk
from keepclear.node.request_signatures import NonceRepeatedError, Nonces, RequestVerifier, SignedHead
from keepclear.node.turning import MOST_TURN_BYTES

if TYPE_CHECKING:
    from keepclear.node.running import Node

__all__ = ["peers_router"]

_IDLE_S = 15.0  # from one piece of a body to the next
_WHOLE_S = 300.0  # for a body; what takes longer is sent in shorter requests
_AT_ONCE = 8  # requests of one party
_IN_MEMORY = 2**20
_CHUNK = 2**18  # what is in it is kept by one commit
_THREADS = 32
_TURNS = 256
_STRANGERS_S = 20.0  # for what somebody sends who is no member yet
_STRANGERS = 32  # requests of all of them
_PACKED = frozenset({"add-entries"})  # what tlog-mirror has a mirror take as gzip


class _TooMuchError(PeerError):
    """More bytes than the endpoint takes."""


class _TooSlowError(PeerError):
    """The body did not come in time."""


_STATUSES: dict[type[PeerError], int] = {_TooMuchError: 413, _TooSlowError: 408, NonceRepeatedError: 409}


class _Doors:
    """What all endpoints need."""

    def __init__(self, node: Node) -> None:
        self.desk: PeerDesk = node.desk
        self.node = node
        self.verifier = RequestVerifier(node.party, node.peers.key, node.clock)
        self.nonces = Nonces(node.clock)
        self._guard = threading.Lock()
        self._busy: dict[str, int] = {}
        self._threads: CapacityLimiter | None = None
        self._turns: CapacityLimiter | None = None

    async def work(self, do: Callable[[], Answer]) -> Answer:
        """Do it in a thread."""
        if self._threads is None:
            self._threads = CapacityLimiter(_THREADS)
        return await to_thread.run_sync(do, limiter=self._threads)

    async def wait(self, do: Callable[[], Any]) -> Any:
        """Do what takes long because it waits."""
        if self._turns is None:
            self._turns = CapacityLimiter(_TURNS)
        return await to_thread.run_sync(do, limiter=self._turns)

    def head(self, request: Request) -> SignedHead:
        """Who asks, verified.

        Raises
        ------
        PeerError
            If nobody whom we know has signed the request.
        """
        target = request.scope["raw_path"].decode("latin-1")
        query = request.scope["query_string"].decode("latin-1")
        lines = ((name.decode("latin-1"), value.decode("latin-1")) for name, value in request.scope["headers"])
        head = self.verifier.verified(request.method, f"{target}?{query}" if query else target, lines)
        self.nonces.must_be_new(head)
        return head

    @asynccontextmanager
    async def busy(self, party: str, *, most: int = _AT_ONCE) -> AsyncIterator[bool]:
        """Whether the party may have one more request under way; it counts while the block lasts."""
        with self._guard:
            free = self._busy.get(party, 0) < most
            if free:
                self._busy[party] = self._busy.get(party, 0) + 1
        try:
            yield free
        finally:
            if free:
                with self._guard:
                    self._busy[party] -= 1
                    if not self._busy[party]:
                        del self._busy[party]


def peers_router(node: Node) -> APIRouter:
    """The routes under ``/line/v1``; in no description of the API, which is for a party's own people."""
    router = APIRouter(prefix=PREFIX, include_in_schema=False)
    doors = _Doors(node)
    for endpoint in ("add-checkpoint", "add-entries", "add-bodies", "heartbeat", "flash"):
        router.add_api_route(f"/{endpoint}", _posting(doors, endpoint), methods=["POST"])
    _add_line_routes(router, doors)

    @router.get("/mirror/{origin_hash}/{path:path}")
    async def mirror(request: Request, origin_hash: str, path: str) -> Response:
        return await _read(doors, request, lambda party: doors.desk.read(party, origin_hash, path))

    @router.post("/acceptance")
    async def acceptance(request: Request) -> Response:
        return await _accepted(doors, request)

    return router


def _add_line_routes(router: APIRouter, doors: _Doors) -> None:
    """Those that name a line."""

    @router.post("/lines/{line}/cards")
    async def put_cards(request: Request, line: str) -> Response:
        return await _posting(doors, "cards", line=line)(request)

    @router.get("/lines/{line}/cards")
    async def cards(request: Request, line: str) -> Response:
        return await _read(doors, request, lambda party: doors.desk.cards(party, line))

    @router.post("/turn/{line}")
    async def turn(request: Request, line: str) -> Response:
        async def answer(head: SignedHead, body: IO[bytes]) -> Answer:
            data = b"".join(_chunks(body))
            found: Answer = await doors.wait(lambda: doors.node.exchange.turn_desk.turn(head.party, line, data))
            return found

        return await _taken(doors, request, MOST_TURN_BYTES, answer)


def _posting(
    doors: _Doors, endpoint: str, *, line: str | None = None
) -> Callable[[Request], Coroutine[Any, Any, Response]]:
    """What answers posts to an endpoint of the desk."""

    async def post(request: Request) -> Response:
        packing = request.headers.get("content-encoding", "identity").strip().lower()
        if packing not in ({"identity", "gzip"} if endpoint in _PACKED else {"identity"}):
            return _closing(Answer.saying(415, f"a body of {endpoint} is not taken packed like this"))

        async def answer(head: SignedHead, body: IO[bytes]) -> Answer:
            chunks = _unpacked(_chunks(body), LIMITS[endpoint]) if packing == "gzip" else _chunks(body)
            return await doors.work(lambda: doors.desk.post(head.party, endpoint, chunks, line=line))

        return await _taken(doors, request, LIMITS[endpoint], answer)

    return post


async def _taken(doors: _Doors, request: Request, limit: int, answer: Any) -> Response:
    """A request with a body: verify its head, read it, answer it."""
    try:
        head = doors.head(request)
    except NonceRepeatedError as error:
        return _closing(Answer.saying(409, str(error)))
    except PeerError as error:
        return _closing(Answer.saying(401, str(error)))
    async with doors.busy(head.party) as free:
        if not free:
            return _closing(Answer.saying(429, "too many requests at once"))
        with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as body:
            try:
                await _received(request, body, limit, head)
                head.digest.check()
                doors.nonces.take(head)
            except ClientDisconnect:
                return Response(status_code=400)
            except PeerError as error:
                return _closing(Answer.saying(_STATUSES.get(type(error), 400), str(error)))
            body.seek(0)
            return _response(await answer(head, body))


async def _read(doors: _Doors, request: Request, answer: Callable[[str], Answer]) -> Response:
    """A request that only reads; it has no body."""
    try:
        head = doors.head(request)
        head.digest.check()
        doors.nonces.take(head)
    except NonceRepeatedError as error:
        return _closing(Answer.saying(409, str(error)))
    except PeerError as error:
        return _closing(Answer.saying(401, str(error)))
    async with doors.busy(head.party) as free:
        if not free:
            return _closing(Answer.saying(429, "too many requests at once"))
        return _response(await doors.work(lambda: answer(head.party)))


async def _accepted(doors: _Doors, request: Request) -> Response:
    """An answer to an invitation: who sends it is no member yet, and its tag says that it had the invitation."""
    address = request.client.host if request.client is not None else ""
    async with doors.busy("", most=_STRANGERS) as free, doors.busy(f"/{address}", most=2) as free_there:
        if not (free and free_there):
            return _closing(Answer.saying(429, "too many requests at once"))
        with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as body:
            try:
                await _received(request, body, MOST_FILE_BYTES, None, whole_s=_STRANGERS_S)
            except ClientDisconnect:
                return Response(status_code=400)
            except PeerError as error:
                return _closing(Answer.saying(_STATUSES.get(type(error), 400), str(error)))
            body.seek(0)
            data = body.read()
        return _response(await doors.work(lambda: _take_acceptance(doors.node, data)))


def _take_acceptance(node: Node, data: bytes) -> Answer:
    try:
        node.lines.take_acceptance(data)
    except (PeerError, InputError, IntegrityError) as error:
        return Answer.saying(422, str(error))
    except KeepclearError:
        return Answer.saying(503, "this node cannot keep it now")
    return Answer.saying(200, "taken; its words are compared by people")


async def _received(
    request: Request, body: IO[bytes], limit: int, head: SignedHead | None, *, whole_s: float = _WHOLE_S
) -> None:
    """Read a body into a file, within limits."""
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length[:12]) > limit:
        raise _TooMuchError(f"at most {limit:,} bytes are read here")
    came = 0
    stream = request.stream().__aiter__()
    try:
        async with asyncio.timeout(whole_s):
            while True:
                async with asyncio.timeout(_IDLE_S):
                    chunk = await anext(stream, None)
                if chunk is None:
                    return
                came += len(chunk)
                if came > limit:
                    raise _TooMuchError(f"at most {limit:,} bytes are read here")
                if head is not None:
                    head.digest.feed(chunk)
                body.write(chunk)
    except TimeoutError:
        raise _TooSlowError("the body did not come in time; send less at once") from None


def _chunks(body: IO[bytes]) -> Iterator[bytes]:
    while chunk := body.read(_CHUNK):
        yield chunk


def _unpacked(chunks: Iterator[bytes], limit: int) -> Iterator[bytes]:
    """What is in a gzip file, piece by piece; however much it claims to hold, no more than `limit` comes out of it."""
    unpacking, came = zlib.decompressobj(wbits=31), 0
    for packed in chunks:
        waiting = packed
        while waiting and not unpacking.eof:
            try:
                piece = unpacking.decompress(waiting, _CHUNK)
            except zlib.error:
                raise PeerError("the body is no gzip file") from None
            waiting = unpacking.unconsumed_tail
            came += len(piece)
            if came > limit:
                raise PeerError(f"at most {limit:,} bytes are read here, and the body unpacks to more")
            if piece:
                yield piece
        if unpacking.eof and (waiting or unpacking.unused_data):
            raise PeerError("something follows the gzip file")
    if not unpacking.eof:
        raise PeerError("the gzip file is cut off")


def _response(answer: Answer) -> Response:
    headers = {} if answer.retry_after_s is None else {"retry-after": str(answer.retry_after_s)}
    return Response(answer.body, answer.status, headers, media_type=answer.content_type or None)


def _closing(answer: Answer) -> Response:
    """What is left of the body is not read, so the connection is of no use any more."""
    response = _response(answer)
    response.headers["connection"] = "close"
    return response
