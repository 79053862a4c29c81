"""Where a published log is read from: a folder, or a web server, which is trusted with nothing.

Both give what stands at a path of C2SP tlog-tiles, never more than can be there, and None where nothing is.
"""

from __future__ import annotations

import time
import zlib
from http import HTTPStatus
from http.client import HTTPException, HTTPMessage
from pathlib import Path
from typing import IO, Any, NoReturn
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
)

from keepclear import __version__
from keepclear.clock import monotonic_s
from keepclear.errors import Fault, InputError, PeerError
from keepclear.record.notes import MOST_NOTE_BYTES
from keepclear.record.tiles import ENTRY_MOST_BYTES, TILE_WIDTH
from keepclear.record.walking import Fetch

__all__ = ["folder", "is_url", "site"]

_TILE_BYTES = TILE_WIDTH * 32
_BUNDLE_BYTES = TILE_WIDTH * (2 + ENTRY_MOST_BYTES)
_SILENCE_S = 30.0  # without a byte
_LONGEST_S = 120.0  # for one file, however it trickles
_PAUSES_S = (0.5, 2.0)  # before trying again
_MOST_FAILURES = 9
_GONE = {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}
_CHUNK_BYTES = 65_536


def is_url(place: str) -> bool:
    """Whether a place is written as an address rather than as a folder."""
    return "://" in place


def folder(path: Path) -> Fetch:
    """Read the log that is in a folder.

    Raises
    ------
    InputError
        If there is no such folder.
    """
    if not path.is_dir():
        right = "a folder with the file checkpoint and the folder tile in it, or an address that begins with http"
        raise InputError(Fault("no such folder", right, field="DIR|URL", value=str(path)))

    def fetch(name: str) -> bytes | None:
        try:
            with (path / name).open("rb") as stream:
                data = stream.read(_most_bytes(name) + 1)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise PeerError(f"{name} cannot be read: {error.strerror or error}") from None
        if len(data) > _most_bytes(name):
            _refuse_length(name)
        return data

    return fetch


def site(url: str) -> Fetch:
    """Read the log that a web server has below `url`.

    Raises
    ------
    InputError
        If the address is none of http or https, or has parts that the prefix of a log cannot have.
    """
    try:
        parts = urlsplit(url)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fine, parts = False, urlsplit("")
    if not fine or parts.query or parts.fragment or parts.username is not None:
        right = "http://HOST/PREFIX or https://HOST/PREFIX, without user, question mark and hash"
        raise InputError(Fault("not the address of a log", right, field="DIR|URL", value=url))
    return _Site(url.rstrip("/"))


class _PassingError(PeerError):
    """What may be better in a moment."""


class _Site:
    """A web server, asked again where it fails, and not any more once it has failed several times running."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._opener = _opener()
        self._failures = 0

    def __call__(self, name: str) -> bytes | None:
        if self._failures >= _MOST_FAILURES:
            raise PeerError(f"{name} was not asked for, as the server had failed {_MOST_FAILURES} times running")
        for pause_s in _PAUSES_S:
            try:
                return self._fetched(name)
            except _PassingError:
                time.sleep(pause_s)
        return self._fetched(name)

    def _fetched(self, name: str) -> bytes | None:
        try:
            found = _fetched(self._opener, f"{self._prefix}/{name}", name)
        except _PassingError:
            self._failures += 1
            raise
        self._failures = 0
        return found


class _NoDowngrade(HTTPRedirectHandler):
    """Follows a server to another place, but never from https to http."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        if req.type == "https" and urlsplit(newurl).scheme != "https":
            raise PeerError("the server sends us from https to http")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener() -> OpenerDirector:
    # Not build_opener: that one would also open file: and ftp: addresses that a server sends us to.
    opener = OpenerDirector()
    for handler in (
        ProxyHandler(),
        HTTPHandler(),
        HTTPSHandler(),
        _NoDowngrade(),
        HTTPErrorProcessor(),
        HTTPDefaultErrorHandler(),
    ):
        opener.add_handler(handler)
    return opener


def _fetched(opener: OpenerDirector, address: str, name: str) -> bytes | None:
    headers = {"Accept-Encoding": "gzip, identity", "User-Agent": f"keepclear/{__version__}"}
    request = Request(address, headers=headers)  # noqa: S310  # only http and https have handlers
    try:
        response = opener.open(request, timeout=_SILENCE_S)
        if response is None:  # what an opener without a handler for the scheme gives
            raise PeerError(f"{name} cannot be had: the server sends us to an address that is not of the web")
        with response:
            return _body(response, name)
    except HTTPError as error:
        with error:
            if error.code in _GONE:
                return None
        kind = _PassingError if error.code >= HTTPStatus.INTERNAL_SERVER_ERROR else PeerError
        raise kind(f"{name} cannot be had: the server answers {error.code}") from None
    except (URLError, HTTPException, OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise _PassingError(f"{name} cannot be had: {reason}") from None


def _body(response: Any, name: str) -> bytes:
    most, until_s = _most_bytes(name), monotonic_s() + _LONGEST_S
    encoding = (response.headers.get("Content-Encoding") or "identity").strip().lower()
    if encoding not in ("identity", "gzip", "x-gzip"):
        raise PeerError(f"{name} cannot be had: the server packs it as {encoding!r}, which was not asked for")
    data = bytearray()
    while chunk := response.read1(_CHUNK_BYTES):
        data += chunk
        if len(data) > most + most // 64 + 1024:  # hashes do not shrink, and gzip adds some bytes
            _refuse_length(name)
        if monotonic_s() > until_s:
            raise PeerError(f"{name} cannot be had: not all of it came in {_LONGEST_S:.0f} s")
    if encoding == "identity":
        if len(data) > most:
            _refuse_length(name)
        return bytes(data)
    unpacker = zlib.decompressobj(wbits=31)
    try:
        unpacked = unpacker.decompress(bytes(data), most + 1)
    except zlib.error:
        raise PeerError(f"{name} cannot be had: the server says it is gzip, and it is not") from None
    if len(unpacked) > most:
        _refuse_length(name)
    if not unpacker.eof or unpacker.unused_data:
        raise PeerError(f"{name} cannot be had: the gzip of it breaks off, or goes on after its end")
    return unpacked


def _refuse_length(name: str) -> NoReturn:
    raise PeerError(f"{name} has more than the {_most_bytes(name):,} bytes that can be there")


def _most_bytes(name: str) -> int:
    if name == "checkpoint":
        return MOST_NOTE_BYTES
    return _BUNDLE_BYTES if name.startswith("tile/entries/") else _TILE_BYTES
