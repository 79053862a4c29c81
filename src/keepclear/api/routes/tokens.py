"""API tokens."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from keepclear.api.asking import TheNode
from keepclear.api.authentication import SignedInAs
from keepclear.api.paging import PageAsked
from keepclear.api.routes.users import UserName
from keepclear.api.told_users import told_token
from keepclear.node.actors import Actor
from keepclear.node.roles import scopes_of_texts
from keepclear.values.base import Listed
from keepclear.values.users import TokenAsked, TokenMadeTold, TokenTold

__all__ = ["router"]

router = APIRouter(tags=["tokens"])


@router.get("/users/{name}/tokens")
def list_tokens(
    name: UserName, node: TheNode, page: PageAsked, actor: Annotated[Actor, SignedInAs()]
) -> Listed[TokenTold]:
    """List a user's tokens: your own, or anybody's if you keep users."""
    tokens = node.access.tokens.of(actor, name, after=page.text_after, limit=page.limit + 1)
    items, cursor = page.answer(tokens, key=lambda token: [token.id])
    return Listed(items=[told_token(token) for token in items], next=cursor)


@router.post("/users/{name}/tokens", status_code=201)
def make_token(
    name: UserName, asked: TokenAsked, node: TheNode, actor: Annotated[Actor, SignedInAs()]
) -> TokenMadeTold:
    """Make a token for yourself, in a session. It is shown this once; `Idempotency-Key` has no effect here."""
    text, token = node.access.tokens.make(
        actor, name, label=asked.label, scopes=scopes_of_texts(asked.scopes),
        good_for_s=asked.good_for_s,
    )  # fmt: skip
    return TokenMadeTold(token=text, made=told_token(token))


@router.delete("/tokens/{id}", status_code=204)
def end_token(
    token_id: Annotated[str, Path(alias="id", max_length=16, description="The id of the token, as in the list.")],
    node: TheNode,
    actor: Annotated[Actor, SignedInAs()],
) -> None:
    """End a token at once: your own, or anybody's if you keep users."""
    node.access.tokens.end(actor, token_id)
