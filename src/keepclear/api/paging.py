"""Lists in pages, none of which leaves anything out.

A page goes on from the last item of the one before, by the key the list is ordered by, and not from the how-manyth: so
what is added meanwhile moves nothing. The cursor that says where is signed, and belongs to one list with one set of
filters: with others it would leave out what lies before it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Query, Request

from keepclear.errors import Fault, InputError

__all__ = ["MOST", "USUAL", "Page", "PageAsked"]

USUAL = 100
"""Items of a page where nobody says."""
MOST = 500
"""The most that a page can have."""

_SIGNATURE = 16
_RIGHT = "the `next` of the page before, with the same filters"
_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class Page:
    """Which page is asked for.

    Attributes
    ----------
    limit
        How many items it has at most. Read one more, so that it is known whether there is another page.
    after
        The key of the last item of the page before; empty for the first page.
    """

    limit: int
    after: tuple[Any, ...]
    _list: bytes
    _secret: bytes

    @property
    def number_after(self) -> int | None:
        """The key of the last item, of lists that have one number for a key; None for the first page."""
        found: int | None = self._only(int)
        return found

    @property
    def text_after(self) -> str:
        """The key of the last item, of lists that have one text for a key; empty for the first page."""
        found: str | None = self._only(str)
        return found or ""

    def answer(
        self, items: Sequence[_Item], *, key: Callable[[_Item], Sequence[Any]]
    ) -> tuple[list[_Item], str | None]:
        """The items of the page, and the cursor of the next one; None if there is none.

        Parameters
        ----------
        items
            What was read: up to one more than `limit`.
        key
            Of an item: numbers and texts, such that no two items have the same.
        """
        shown = list(items[: self.limit])
        return shown, self._cursor(key(shown[-1])) if len(items) > self.limit else None

    def _cursor(self, key: Sequence[Any]) -> str:
        told = json.dumps(list(key), separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(self._signature(told) + told).decode().rstrip("=")

    def _signature(self, told: bytes) -> bytes:
        return hmac.digest(self._secret, self._list + told, "sha256")[:_SIGNATURE]

    def _only(self, kind: type[Any]) -> Any:
        if not self.after:
            return None
        if len(self.after) != 1 or not isinstance(self.after[0], kind):
            raise _not_a_cursor("")
        return self.after[0]


async def _page(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=MOST, description="How many items at most.")] = USUAL,
    cursor: Annotated[str, Query(max_length=1000, description=f"Where to go on: {_RIGHT}.")] = "",
) -> Page:
    filters = sorted(pair for pair in request.query_params.multi_items() if pair[0] not in {"limit", "cursor"})
    of = hashlib.sha256(json.dumps([request.url.path, filters]).encode()).digest()
    first = Page(limit, (), of, request.app.state.cursor_secret)
    return first if not cursor else _going_on(first, cursor)


PageAsked = Annotated[Page, Depends(_page)]
"""Parameter of an endpoint that gives a list: which page of it is asked for."""


def _going_on(first: Page, cursor: str) -> Page:
    try:
        signed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raise _not_a_cursor(cursor) from None
    signature, told = signed[:_SIGNATURE], signed[_SIGNATURE:]
    if not hmac.compare_digest(signature, first._signature(told)):  # noqa: SLF001  # the same class
        raise _not_a_cursor(cursor)
    return Page(first.limit, tuple(json.loads(told)), first._list, first._secret)  # noqa: SLF001


def _not_a_cursor(cursor: str) -> InputError:
    return InputError(Fault("not a cursor of this list", _RIGHT, field="cursor", value=cursor))
