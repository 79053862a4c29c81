"""Versions of what several may change: an ETag says which one was read, and If-Match which one is meant."""

from __future__ import annotations

import hashlib
import re
from typing import Annotated

from fastapi import Depends, Header

from keepclear.errors import Fault, InputError
from keepclear.node.refusals import StaleError, UnconditionalError

__all__ = ["Condition", "IfMatch", "etag"]

# RFC 9110 section 8.8.3, without the control and space characters that it allows for old servers' sake.
_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e]*)"')
_LIST = re.compile(r'\s*(?:W/)?"[\x21\x23-\x7e]*"\s*(?:,\s*(?:W/)?"[\x21\x23-\x7e]*"\s*)*')
_RIGHT = 'the ETag that came with what you read, in its quotes: "…"'


def etag(*parts: object) -> str:
    """The ETag of a version: of whatever is another when it is another."""
    told = "\0".join(map(str, parts)).encode()
    return f'"{hashlib.sha256(told).hexdigest()[:24]}"'


class Condition:
    """What a caller said in If-Match.

    Parameters
    ----------
    tags
        The ETags; empty for ``*``, which fits whatever is there.
    """

    def __init__(self, tags: frozenset[str]) -> None:
        self._tags = tags

    def must_fit(self, current: str) -> None:
        """Go no further unless the caller means the version whose ETag is `current`.

        Raises
        ------
        StaleError
            If they mean another.
        """
        if self._tags and current not in self._tags:
            raise StaleError


async def _condition(
    if_match: Annotated[
        str | None, Header(max_length=1000, description=f"Which version is meant: {_RIGHT}.", examples=['"1f0c9a"'])
    ] = None,
) -> Condition:
    if if_match is None:
        raise UnconditionalError
    if if_match.strip() == "*":
        return Condition(frozenset())
    if not _LIST.fullmatch(if_match):
        raise InputError(Fault("not an ETag", _RIGHT, field="If-Match", value=if_match))
    # A weak tag fits nothing here (RFC 9110 section 13.1.1).
    return Condition(frozenset(f'"{tag}"' for weak, tag in _TAG.findall(if_match) if not weak) or frozenset({""}))


IfMatch = Annotated[Condition, Depends(_condition)]
"""Parameter of an endpoint that changes what others may change too: the header is then asked for."""
