"""Whether the node is alive, and whether it can do its work: for supervisors and load balancers, without credentials.

They tell strangers no more than the names of parts: why one does not work is in the log, and in the alarms.
"""

from __future__ import annotations

from fastapi import APIRouter, Response

from keepclear import __version__
from keepclear.api.asking import TheNode
from keepclear.errors import KeepclearError
from keepclear.store.node.events import newest
from keepclear.values.health import AliveTold, ReadyTold

__all__ = ["router"]

router = APIRouter(tags=["health"])


@router.get("/healthz")
async def is_alive() -> AliveTold:
    """Whether the process answers. It says nothing about what it needs to do its work."""
    return AliveTold(version=__version__)


@router.get("/readyz", responses={503: {"model": ReadyTold, "description": "Not ready; `parts` says what is not."}})
def is_ready(node: TheNode, response: Response) -> ReadyTold:
    """Whether the node can do its work, and if not, which part of it cannot."""
    parts = {"database": _database(node), "logs": _logs(node), "tables": _tables(node)}
    ready = not any(parts.values())
    if not ready:
        response.status_code = 503
    return ReadyTold(ready=ready, parts=parts, notes=_notes(node))


def _database(node: TheNode) -> str:
    try:
        with node.database.reading() as conn:
            newest(conn)
    except KeepclearError:
        return "it cannot be read"
    return ""


def _logs(node: TheNode) -> str:
    count = len(node.records.unreadable())
    return f"{count} cannot be opened" if count else ""


def _tables(node: TheNode) -> str:
    return "they are not brought up to date" if node.projector.problem else ""


def _notes(node: TheNode) -> list[str]:
    silent = 0
    for line in node.records.lines():
        try:
            silent += bool(node.records.silence(line))
        except KeepclearError:
            silent += 1
    return [f"nothing but FLASH can be said on {silent} line{'s' if silent > 1 else ''} at present"] if silent else []
