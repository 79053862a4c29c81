"""The users of the node."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response

from keepclear.api.asking import TheNode
from keepclear.api.authentication import Needs
from keepclear.api.etags import IfMatch, etag
from keepclear.api.paging import PageAsked
from keepclear.api.told_users import told_proposal, told_user
from keepclear.node.actors import Actor
from keepclear.node.roles import Scope, roles_of_texts
from keepclear.node.users import Change
from keepclear.store.node.two_person import KeptProposal
from keepclear.store.node.users import KeptUser
from keepclear.values.base import Listed
from keepclear.values.users import UserAddedTold, UserAsked, UserChangeAsked, UserTold

__all__ = ["UserName", "router"]

router = APIRouter(tags=["users"])
UserName = Annotated[str, Path(max_length=63, description="The user's name.", examples=["anna.k"])]


@router.get("/users")
def list_users(node: TheNode, page: PageAsked, actor: Annotated[Actor, Needs(Scope.USERS)]) -> Listed[UserTold]:  # noqa: ARG001  # asked for to be checked
    """List the users, by name."""
    users = node.access.users.after(page.text_after, limit=page.limit + 1)
    items, cursor = page.answer(users, key=lambda user: [user.name])
    return Listed(items=[told_user(user) for user in items], next=cursor)


@router.post("/users", status_code=201, responses={202: {"model": UserAddedTold}})
def add_user(
    asked: UserAsked, response: Response, node: TheNode, actor: Annotated[Actor, Needs(Scope.USERS)]
) -> UserAddedTold:
    """Add a user. One who is to sign, to keep users or to keep keys is proposed (202): another must confirm it."""
    added = node.access.users.add(
        actor, asked.name, roles=roles_of_texts(asked.roles), shown=asked.shown,
        password=asked.password,
    )  # fmt: skip
    return _added(response, added)


@router.get("/users/{name}")
def user(name: UserName, response: Response, node: TheNode, actor: Annotated[Actor, Needs(Scope.USERS)]) -> UserTold:  # noqa: ARG001  # as above
    """One user; the ETag is that of this version."""
    found = node.access.users.user(name)
    response.headers["etag"] = _etag(found)
    return told_user(found)


@router.patch("/users/{name}", responses={202: {"model": UserAddedTold}})
def change_user(
    name: UserName,
    asked: UserChangeAsked,
    condition: IfMatch,
    response: Response,
    node: TheNode,
    actor: Annotated[Actor, Needs(Scope.USERS)],
) -> UserAddedTold:
    """Change a user. To shut one out (``disabled``) ends their sessions and tokens at once.

    What else is changed with a user who may sign, keep users or keep keys is proposed (202): another must confirm it.
    """
    before = node.access.users.user(name)
    condition.must_fit(_etag(before))
    roles = None if asked.roles is None else roles_of_texts(asked.roles)
    change = Change(shown=asked.shown, roles=roles, password=asked.password, disabled=asked.disabled)
    return _added(response, node.access.users.change(actor, name, change, version=before.version))


def _added(response: Response, done: KeptUser | KeptProposal) -> UserAddedTold:
    if isinstance(done, KeptProposal):
        response.status_code = 202
        return UserAddedTold(proposal=told_proposal(done))
    response.headers["etag"] = _etag(done)
    return UserAddedTold(user=told_user(done))


def _etag(user: KeptUser) -> str:
    return etag("user", user.name, user.version)
