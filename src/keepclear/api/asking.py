"""What endpoints take as parameters besides their own: who is asking, and the node that is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from fastapi import Depends, Request

if TYPE_CHECKING:
    from keepclear.node.running import Node

__all__ = ["TheNode"]


async def _node(request: Request) -> Any:
    return request.app.state.node


if TYPE_CHECKING:
    TheNode: TypeAlias = Node
else:
    # FastAPI looks at what the annotation is when the program runs, and the node is no model of a request.
    TheNode = Annotated[Any, Depends(_node)]
