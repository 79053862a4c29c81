"""Requests between nodes are signed (RFC 9421) with the transport key of the party that makes them.

Signed are the method, the path and query, the digest of the body, and whom the request is for (``keepclear-to``): so
what was sent to one member is of no use with another, nor at another endpoint. The host is not signed, since a node
behind a proxy does not know by which name it was called.

A clock that is ten minutes off must not cut a party off, so a request may be an hour old by our clock, or from an hour
ahead. Within that time each is taken once (`Nonces`). The head of a request is verified before its body is read:
nobody but members can make us read anything.
"""

from __future__ import annotations

import base64
import datetime as dt
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from http_message_signatures import (
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
    InvalidSignature,
    algorithms,
)
from http_message_signatures.digests import ContentDigest
from http_message_signatures.exceptions import HTTPMessageSignaturesException

from keepclear.errors import PeerError
from keepclear.record.keys import SigningKey, VerifierKey

__all__ = [
    "ACCEPTED_AGE_S",
    "TO",
    "BodyDigest",
    "NonceRepeatedError",
    "Nonces",
    "RequestSigner",
    "RequestVerifier",
    "SignedHead",
    "key_id_text",
]

ACCEPTED_AGE_S = 3600.0
"""How far from ours the time of a request may be."""
TO = "keepclear-to"
"""The header that says which party a request is for."""

_TAG = "keepclear-line"
_LABEL = "line"
_COVERED = ("@method", "@path", "@query", "content-digest", TO)
_NONCE_BYTES = 18
_MOST_NONCE = 64
_MOST_NONCES = 50_000  # of one key, within the accepted age


def key_id_text(key: VerifierKey) -> str:
    """What names a key in a signature: its name and its key id, for keys of one name follow each other."""
    return f"{key.name}+{key.key_id.hex()}"


@dataclass(frozen=True, slots=True)
class SignedHead:
    """What the head of a request says, which has been verified; of its body only the digest is known.

    Attributes
    ----------
    key
        The transport key that signed it.
    nonce, created_s
        What tells it apart from all others, and when it was made by its sender's clock.
    digest
        Of the body.
    """

    key: VerifierKey
    nonce: str
    created_s: int
    digest: BodyDigest

    @property
    def party(self) -> str:
        """Whose node made it."""
        return self.key.name.partition("/")[0]


class BodyDigest:
    """The digest that a body must have, and a check of bytes as they come."""

    def __init__(self, wanted: bytes) -> None:
        import hashlib

        self._wanted = wanted
        self._made = hashlib.sha256()

    def feed(self, data: bytes) -> None:
        """Take some bytes of the body."""
        self._made.update(data)

    def check(self) -> None:
        """The body has ended.

        Raises
        ------
        PeerError
            If it is not the one that was signed.
        """
        if not secrets.compare_digest(self._made.digest(), self._wanted):
            raise PeerError("the body is not the one that was signed")


class NonceRepeatedError(PeerError):
    """The same request again."""


@dataclass
class _Seen:
    nonces: OrderedDict[str, int] = field(default_factory=OrderedDict)
    floor_s: float = 0.0  # requests of before this are taken no more: their nonces have been forgotten


class Nonces:
    """Which requests were taken, for as long as they would be taken again. Any thread may use it.

    There is room for so many of each key. Where a node sends more within an hour, the oldest are forgotten, and then
    nothing as old as they is taken: so memory is bounded, and a replay is not taken for it.

    After a restart of ours nothing is remembered. Then a request of the last hour can be played to us once more, to no
    effect: logs, bodies and heartbeats know by themselves what they have had, and so does FLASH.
    """

    def __init__(self, clock: Callable[[], float], *, most: int = _MOST_NONCES) -> None:
        self._clock, self._most = clock, most
        self._lock = threading.Lock()
        self._seen: dict[str, _Seen] = {}

    def must_be_new(self, head: SignedHead) -> None:
        """Raises `NonceRepeatedError` if it was taken before, without taking it."""
        with self._lock:
            self._check(head)

    def take(self, head: SignedHead) -> None:
        """Take it; raises as `must_be_new`."""
        with self._lock:
            seen = self._check(head)
            seen.nonces[head.nonce] = head.created_s
            oldest_s = self._clock() - ACCEPTED_AGE_S
            while seen.nonces:
                nonce, created_s = next(iter(seen.nonces.items()))
                if len(seen.nonces) > self._most:
                    seen.floor_s = max(seen.floor_s, created_s + 1.0)
                elif created_s >= oldest_s:
                    break
                del seen.nonces[nonce]

    def _check(self, head: SignedHead) -> _Seen:
        seen = self._seen.setdefault(key_id_text(head.key), _Seen())
        if head.nonce in seen.nonces or head.created_s < seen.floor_s:
            raise NonceRepeatedError("this request was made before: each is taken once")
        return seen


class RequestSigner:
    """Signs what our node sends.

    Parameters
    ----------
    key
        Our transport key.
    clock
        The time, in seconds since the epoch.
    """

    def __init__(self, key: SigningKey, clock: Callable[[], float]) -> None:
        self._key_id, self._clock = key_id_text(key.verifier), clock
        self._signer = HTTPMessageSigner(signature_algorithm=_of_private(key))

    def headers(self, method: str, target: str, *, to: str, body: bytes) -> dict[str, str]:
        """The headers that sign a request.

        Parameters
        ----------
        target
            Path and query.
        to
            The party that it is for.
        body
            All of it.
        """
        message = _Message(method, target, {TO: to})
        prepared = self._signer.prepare(
            message, key_id=self._key_id, created=_datetime(self._clock()), label=_LABEL, tag=_TAG,
            nonce=base64.urlsafe_b64encode(secrets.token_bytes(_NONCE_BYTES)).decode(),
            covered_component_ids=tuple(one for one in _COVERED if one != "content-digest"), body=body,
        )  # fmt: skip
        signature = self._signer.signature_algorithm(private_key=b"").sign(prepared.signature_base)
        self._signer.apply(message, prepared, signature)
        return {name.lower(): value for name, value in message.headers.items()}


class RequestVerifier:
    """Verifies the heads of requests that come in.

    Parameters
    ----------
    party
        Who we are: requests for others are refused.
    keys
        The key of an id, if it is one of a party that may talk to us now.
    clock
        The time, in seconds since the epoch.
    """

    def __init__(self, party: str, keys: Callable[[str], VerifierKey | None], clock: Callable[[], float]) -> None:
        self._party, self._keys, self._clock = party, keys, clock

    def verified(self, method: str, target: str, headers: Iterable[tuple[str, str]]) -> SignedHead:
        """The head of a request.

        Parameters
        ----------
        target
            Path and query, as they came.
        headers
            Each line of them, in order.

        Raises
        ------
        PeerError
            If it is not signed as it must be, by a key that we know, for us, and lately.
        """
        message = _Message(method, target, _Lines(headers))
        said = [value for name, value in message.headers.items() if name.lower() == TO]
        if said != [self._party]:
            raise PeerError(f"not for {self._party}: the header {TO} must say so, once")
        found: list[VerifierKey] = []
        verifier = _Verifier(self._keys, self._clock, found)
        try:
            (result,) = verifier.verify(message, max_age=None, expect_tag=_TAG, require_components=_COVERED)
            digest = _digest_of(str(result.covered_components['"content-digest"']))
        except (HTTPMessageSignaturesException, ValueError, KeyError) as error:
            raise PeerError(f"not signed as requests between nodes are: {_told(error)}") from None
        nonce = result.nonce
        if nonce is None or not 0 < len(nonce) <= _MOST_NONCE:
            raise PeerError(f"not signed as requests between nodes are: a nonce of 1 to {_MOST_NONCE} characters")
        return SignedHead(found[0], nonce, int(result.parameters["created"]), BodyDigest(digest))


class _Verifier(HTTPMessageVerifier):
    """The library's verifier, by our clock and our keys; each use makes its own."""

    def __init__(
        self, keys: Callable[[str], VerifierKey | None], clock: Callable[[], float], found: list[VerifierKey]
    ) -> None:
        super().__init__(signature_algorithm=_of_public(found), key_resolver=_Keys(keys, found))
        self._now_s = clock

    def validate_created_and_expires(self, sig_input: Any, max_age: Any = None) -> None:  # noqa: ARG002  # the library's
        """The library goes by the system's clock, and by other limits."""
        created = sig_input.params.get("created")
        if type(created) is not int or abs(created - self._now_s()) > ACCEPTED_AGE_S:
            raise InvalidSignature("made more than an hour ago, or ahead, by our clock; look at both clocks")
        if "expires" in sig_input.params:
            raise InvalidSignature("it says when it expires, and that is for the receiver to say")


class _Keys(HTTPSignatureKeyResolver):
    def __init__(self, keys: Callable[[str], VerifierKey | None], found: list[VerifierKey]) -> None:
        self._keys, self._found = keys, found

    def resolve_public_key(self, key_id: str) -> bytes | None:
        key = self._keys(key_id) if len(key_id) <= 2048 else None
        if key is None:
            return None
        self._found.append(key)
        return b""


def _of_private(key: SigningKey) -> type[algorithms.HTTPSignatureAlgorithm]:
    """The library's algorithm, done by our key, whose private bytes are given to nobody."""

    class Signing(algorithms.ED25519):
        def __init__(self, public_key: Any = None, private_key: Any = None, password: Any = None) -> None:
            pass

        def sign(self, message: bytes) -> bytes:
            return key.sign(message)

    return Signing


def _of_public(found: list[VerifierKey]) -> type[algorithms.HTTPSignatureAlgorithm]:
    class Verifying(algorithms.ED25519):
        def __init__(self, public_key: Any = None, private_key: Any = None, password: Any = None) -> None:
            pass

        def verify(self, signature: bytes, message: bytes) -> None:
            if len(found) != 1 or not found[0].verify(message, signature):
                raise InvalidSignature("the signature does not hold")

    return Verifying


class _Lines:
    """Header lines as they came: repeated ones stay apart."""

    def __init__(self, lines: Iterable[tuple[str, str]]) -> None:
        self._lines = tuple(lines)

    def items(self) -> Iterable[tuple[str, str]]:
        return self._lines


@dataclass
class _Message:
    """A request as the library wants it. The host is of no account, and is not signed."""

    method: str
    target: str
    headers: Any

    @property
    def url(self) -> str:
        return f"https://node.invalid{self.target}"


def _digest_of(value: str) -> bytes:
    """The SHA-256 in a Content-Digest field; others beside it are passed over, as each of them would do."""
    found: Mapping[str, bytes] = ContentDigest._parse(value)  # noqa: SLF001 - the library checks only whole bodies
    if "sha-256" not in found:
        raise InvalidSignature("the content digest must be a SHA-256")
    return found["sha-256"]


def _datetime(time_s: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(int(time_s), tz=dt.UTC)


def _told(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]
