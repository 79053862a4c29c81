"""The node's refusals, as the errors that the node itself would raise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import httpx

from keepclear.errors import Fault, InputError, IntegrityError, KeepclearError, PeerError, StoreError

__all__ = ["RefusedError", "error_of", "error_told"]

_KINDS: Mapping[int, type[KeepclearError]] = {502: PeerError}
_RECORD = "The record does not allow it"  # the title of what is an IntegrityError at the node


class RefusedError(InputError):
    """The node did not do what it was asked; its faults say what would be right.

    Attributes
    ----------
    status
        The HTTP status: 401 sign in, 403 no role for it, 404 not there, 409 something is in the way, 412 changed since
        it was read, 422 wrong in itself, 429 tried too often …
    request
        The request's id, as in the node's log.
    retry_after_s
        In how many seconds to try again; None where that is not said.
    """

    def __init__(
        self, faults: Sequence[Fault] | str, *, status: int, request: str = "", retry_after_s: float | None = None
    ) -> None:
        self.status = status
        self.request = request
        self.retry_after_s = retry_after_s
        super().__init__(faults)


def error_of(answer: httpx.Response) -> KeepclearError:
    """The error that an answer is; its body has been read."""
    return _error(_members(answer), answer.status_code, _seconds(answer.headers.get("retry-after", "")))


def error_told(problem: Mapping[str, Any]) -> KeepclearError:
    """The error that a problem is which stands in an answer, as of one of several filings."""
    status = problem.get("status")
    return _error(problem, status if isinstance(status, int) else 500, None)


def _error(problem: Mapping[str, Any], status: int, retry_after_s: float | None) -> KeepclearError:
    detail = str(problem.get("detail") or "")
    told = detail or f"the node answered with status {status}, and not as a node of keepclear does"
    if status == 409 and problem.get("title") == _RECORD:
        return IntegrityError(told)
    if status >= 500:
        return _KINDS.get(status, StoreError)(told)
    return RefusedError(
        list(_faults(problem)) or told,
        status=status,
        request=str(problem.get("instance") or ""),
        retry_after_s=retry_after_s,
    )


def _members(answer: httpx.Response) -> Mapping[str, Any]:
    try:
        problem = answer.json()
    except ValueError:
        return {}
    return problem if isinstance(problem, dict) else {}


def _faults(problem: Mapping[str, Any]) -> Iterator[Fault]:
    told = problem.get("faults")
    for one in told if isinstance(told, list) else ():
        if isinstance(one, dict) and one.get("problem"):
            words = {name: str(one.get(name) or "") for name in ("problem", "right", "feature", "field", "value")}
            yield Fault(**words)


def _seconds(text: str) -> float | None:
    return float(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
