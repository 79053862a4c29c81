"""Requests to a node: JSON there and back, refusals as errors, and nothing done twice.

What may be asked again without harm is, when the node or the network fails for a moment: reading, and whatever carries
a key by which the node knows that it has done it (``Idempotency-Key``). All else is asked again only if it cannot have
arrived.
"""

from __future__ import annotations

import json
import secrets
import ssl
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import IO, Any, Generic, Self, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from keepclear.client.problems import error_of
from keepclear.errors import PeerError, StoreError

__all__ = ["PREFIX", "Requests", "Tagged", "read_as"]

PREFIX = "/api/v1"
_TIMEOUT_S = 30.0
_PAUSES_S = (0.1, 0.4, 1.6)
_LONGEST_PAUSE_S = 10.0
_PASSING = frozenset({502, 503, 504})

_ValueT = TypeVar("_ValueT")
_ModelT = TypeVar("_ModelT", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Tagged(Generic[_ValueT]):
    """A value, and the ETag of the version that was read: to be given when it is changed."""

    value: _ValueT
    etag: str


class Requests:
    """Asks one node. Any thread may use it; as a context manager it closes its connections at the end.

    Parameters
    ----------
    url
        Where the node is, for example ``https://north.example:8470``.
    token
        An API token; None to sign in with a name and a password.
    verify
        Which certificates are believed: those of this context, or those of the system.
    timeout_s
        How long an answer may take.
    """

    def __init__(
        self, url: str, *, token: str | None = None, verify: ssl.SSLContext | bool = True, timeout_s: float = _TIMEOUT_S
    ) -> None:
        self.url = url.rstrip("/")
        headers = {"accept": "application/json"} | ({} if token is None else {"authorization": f"Bearer {token}"})
        # No proxy of the environment: what goes to a node goes to that node.
        self.http = httpx.Client(base_url=self.url, headers=headers, verify=verify, timeout=timeout_s, trust_env=False)
        self._pause = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self.http.close()

    # --- plain ------------------------------------------------------------------------------------------------------

    def get(self, path: str, **params: Any) -> Any:
        """What is at a path under ``/api/v1``, as JSON; parameters that are None are left out."""
        return _json(self._sent("GET", path, params=params))

    def items(self, path: str, **params: Any) -> Iterator[Any]:
        """All items of a list, page after page."""
        cursor: str | None = None
        while True:
            page = self.get(path, cursor=cursor, **params)
            yield from page["items"]
            cursor = page.get("next")
            if cursor is None:
                return

    def post(self, path: str, body: object = None, *, key: str | None = None, **params: Any) -> Any:
        """Do something, once: with the same key the node does it once, however often it is asked.

        Parameters
        ----------
        body
            Something that JSON can write, or one of the values of `keepclear.values`.
        key
            Any text of your own that names this act; None makes one.
        params
            Of the address; those that are None are left out.
        """
        headers = {"idempotency-key": key or secrets.token_hex(16)}
        return _json(self._sent("POST", path, body=_written(body), headers=headers, params=params))

    def put(self, path: str, body: object, *, if_match: str | None = None) -> Any:
        """Put something in the place of what was read with that ETag."""
        return _json(self._sent("PUT", path, body=_written(body), headers=_if_match(if_match)))

    def patch(self, path: str, body: object, *, if_match: str | None = None) -> Any:
        """Change something of what was read with that ETag."""
        return _json(self._sent("PATCH", path, body=_written(body), headers=_if_match(if_match)))

    def delete(self, path: str, *, if_match: str | None = None, **params: Any) -> Any:
        """Take away what was read with that ETag."""
        return _json(self._sent("DELETE", path, headers=_if_match(if_match), params=params))

    def tagged(self, path: str, **params: Any) -> tuple[Any, str]:
        """What is at a path, and its ETag."""
        answer = self._sent("GET", path, params=params)
        return _json(answer), answer.headers.get("etag", "")

    def octets(self, path: str, **params: Any) -> bytes:
        """The bytes at a path."""
        return self._sent("GET", path, params=params, headers={"accept": "*/*"}).content

    def octets_to(self, path: str, file: IO[bytes]) -> None:
        """Write the bytes at a path into an open file, as they come."""
        try:
            with self.http.stream("GET", PREFIX + path, headers={"accept": "*/*"}) as answer:
                if answer.status_code >= 400:
                    answer.read()
                    raise error_of(answer)
                for piece in answer.iter_bytes():
                    file.write(piece)
        except httpx.HTTPError as error:
            raise self.unreachable(error) from None

    def post_octets(self, path: str, data: bytes | Iterator[bytes], **params: Any) -> Any:
        """Hand over bytes, all at once or piece by piece."""
        headers = {"content-type": "application/octet-stream"}
        return _json(self._sent("POST", path, body=data, headers=headers, params=params))

    def post_lines(self, path: str, lines: bytes, **params: Any) -> Any:
        """Hand over lines of JSON."""
        headers = {"content-type": "application/x-ndjson"}
        return _json(self._sent("POST", path, body=lines, headers=headers, params=params))

    # --- typed ------------------------------------------------------------------------------------------------------

    def one(self, model: type[_ModelT], path: str, **params: Any) -> _ModelT:
        """What is at a path, as a value."""
        return read_as(model, self.get(path, **params))

    def one_tagged(self, model: type[_ModelT], path: str) -> Tagged[_ModelT]:
        """What is at a path, as a value with its ETag."""
        value, etag = self.tagged(path)
        return Tagged(read_as(model, value), etag)

    def all(self, model: type[_ModelT], path: str, **params: Any) -> Iterator[_ModelT]:
        """All items of a list, page after page, as values."""
        return (read_as(model, item) for item in self.items(path, **params))

    # --- inside -----------------------------------------------------------------------------------------------------

    def _sent(
        self,
        method: str,
        path: str,
        *,
        body: bytes | Iterator[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> httpx.Response:
        given = dict(headers or {})
        if isinstance(body, bytes):
            given.setdefault("content-type", "application/json")
        repeatable = method == "GET" or "idempotency-key" in given
        pauses = iter(_PAUSES_S)
        while True:
            wait_s = next(pauses, None)
            try:
                answer = self.http.request(
                    method, PREFIX + path, content=body, headers=given, params=_given(params or {})
                )
            except httpx.ConnectError as error:
                # It never arrived; but a body that is read piece by piece may be half gone.
                if wait_s is None or not (body is None or isinstance(body, bytes)):
                    raise self.unreachable(error) from None
            except httpx.HTTPError as error:
                if wait_s is None or not repeatable:
                    raise self.unreachable(error) from None
            else:
                if answer.status_code < 400:
                    return answer
                error_told = error_of(answer)
                if wait_s is None or not repeatable or answer.status_code not in _PASSING:
                    raise error_told
                wait_s = max(wait_s, min(_LONGEST_PAUSE_S, _retry_s(answer)))
            self._pause.wait(wait_s)

    def unreachable(self, error: httpx.HTTPError) -> StoreError:
        """What to say of a node that does not answer."""
        return StoreError(f"the node at {self.url} does not answer: {str(error) or type(error).__name__}")


def read_as(model: type[_ModelT], value: object) -> _ModelT:
    """An answer as a value.

    Raises
    ------
    PeerError
        If the node answered otherwise than its description says.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise PeerError(f"the node's answer is not as described: {where}: {first['msg']}") from None


def _json(answer: httpx.Response) -> Any:
    if not answer.content:
        return None
    try:
        return answer.json()
    except ValueError:
        raise PeerError("the node's answer is not JSON") from None


def _written(body: object) -> bytes | None:
    if body is None:
        return None
    if isinstance(body, BaseModel):
        # Only what was said: a default written out would be another body, with another hash.
        body = body.model_dump(mode="json", exclude_unset=True)
    return json.dumps(body, ensure_ascii=False, allow_nan=False).encode()


def _given(params: Mapping[str, Any]) -> dict[str, Any]:
    texts = {True: "true", False: "false"}
    return {
        name: texts[value] if isinstance(value, bool) else value for name, value in params.items() if value is not None
    }


def _if_match(etag: str | None) -> dict[str, str]:
    return {} if etag is None else {"if-match": etag}


def _retry_s(answer: httpx.Response) -> float:
    text = answer.headers.get("retry-after", "")
    return float(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0.0
