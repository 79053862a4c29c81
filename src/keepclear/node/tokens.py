"""API tokens: how a program acts for a user, within what the user may do, until a day that is said beforehand.

A token is made by its owner, in a session, never by another token: so that one that leaked cannot outlive its end. It
never signs for the party: that is done by persons.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from keepclear.errors import Fault, InputError
from keepclear.node.actors import Actor, Via
from keepclear.node.acts import Acts
from keepclear.node.bearer_proofs import new_proof
from keepclear.node.refusals import ClashError, NotAllowedError, NotFoundError
from keepclear.node.roles import Scope, scopes_of
from keepclear.node.users import Users, roles_of
from keepclear.store.node.database import NodeDatabase
from keepclear.store.node.tokens import KeptToken, add_token, end_token, token_of, tokens_of_user

__all__ = ["LONGEST_S", "MOST", "USUAL_S", "Tokens"]

DAY_S = 86_400.0
USUAL_S = 90 * DAY_S
"""How long a token is good where nobody says."""
LONGEST_S = 366 * DAY_S
"""How long one can be good at most."""
MOST = 100
"""How many tokens in force one user can have."""

_LONGEST_LABEL = 200


class Tokens:
    """The tokens.

    Parameters
    ----------
    database, clock, acts, users
        Where they are kept, what tells the time, where acts are recorded, and whose they are.
    """

    def __init__(self, database: NodeDatabase, clock: Callable[[], float], acts: Acts, users: Users) -> None:
        self._database = database
        self._clock = clock
        self._acts = acts
        self._users = users

    def make(
        self, actor: Actor, user: str, *, label: str, scopes: Collection[Scope], good_for_s: float = USUAL_S
    ) -> tuple[str, KeptToken]:
        """Make a token; the text of it, which nobody sees a second time, and what is kept of it.

        Parameters
        ----------
        actor
            Its owner, in a session, or the operator at the folder.
        user
            For whom it acts.
        label
            What it is for.
        scopes
            What it may do.
        good_for_s
            For how long, up to a year.

        Raises
        ------
        NotAllowedError, InputError, ClashError
            If the actor may not make it, if it would hold more than its owner, and if there are too many.
        """
        owner = self._users.user(user)
        if actor.via is not Via.FOLDER and (actor.via is not Via.SESSION or actor.user != user):
            raise NotAllowedError("a token is made by its owner, who has signed in", right="sign in and make your own")
        if owner.disabled_s is not None:
            raise ClashError(Fault("the user is shut out", "let them in first", field="user", value=user))
        held = scopes_of(roles_of(owner))
        if actor.via is Via.SESSION:
            held &= actor.scopes
        _check(label, scopes, good_for_s, held)
        proof, at_s = new_proof(), self._clock()
        token = KeptToken(
            proof.id, user, label, proof.hash, tuple(scope.value for scope in Scope if scope in scopes), at_s,
            at_s + good_for_s,
        )  # fmt: skip
        with self._database.writing() as conn:
            in_force = [one for one in tokens_of_user(conn, user, limit=100 * MOST) if _is_in_force(one, at_s)]
            if len(in_force) >= MOST:
                raise ClashError(Fault(f"there are {MOST} tokens of this user already", "end some first"))
            add_token(conn, token)
            detail = {"user": user, "label": label, "scopes": list(token.scopes), "ends_s": token.ends_s}
            self._acts.record(conn, actor, "token make", ref=f"token {token.id}", detail=detail)
        return proof.token, token

    def of(self, actor: Actor, user: str, *, after: str = "", limit: int) -> list[KeptToken]:
        """A user's tokens, in force or not: one's own, or for who keeps users anybody's."""
        if actor.user != user:
            actor.must(Scope.USERS)
        self._users.user(user)
        with self._database.reading() as conn:
            return tokens_of_user(conn, user, after=after, limit=limit)

    def end(self, actor: Actor, token_id: str) -> None:
        """End a token at once: one's own, or for who keeps users anybody's.

        Raises
        ------
        NotFoundError
            If there is none in force that the actor may know of.
        """
        with self._database.writing() as conn:
            token = token_of(conn, token_id)
            may = token is not None and (token.user == actor.user or actor.may(Scope.USERS))
            if token is None or not may or not end_token(conn, token_id, at_s=self._clock()):
                raise NotFoundError("token in force", field="id", value=token_id)
            self._acts.record(conn, actor, "token end", ref=f"token {token_id}", detail={"user": token.user})


def _is_in_force(token: KeptToken, at_s: float) -> bool:
    return token.ended_s is None and token.ends_s > at_s


def _check(label: str, scopes: Collection[Scope], good_for_s: float, held: frozenset[Scope]) -> None:
    faults = []
    if not (0 < len(label) <= _LONGEST_LABEL and label.isprintable()):
        right = f"what the token is for, in 1 to {_LONGEST_LABEL} characters that can be seen"
        faults.append(Fault("not a label", right, field="label", value=label))
    right = "some of " + ", ".join(scope for scope in Scope if scope in held and scope is not Scope.SIGN)
    if not scopes:
        faults.append(Fault("no scope", right, field="scopes"))
    faults += [
        Fault("not a scope that this token can have", right, field="scopes", value=scope)
        for scope in Scope
        if scope in scopes and (scope not in held or scope is Scope.SIGN)
    ]
    if not 60.0 <= good_for_s <= LONGEST_S:
        right = f"60 s to {LONGEST_S / DAY_S:.0f} days"
        faults.append(Fault("not how long a token can be good", right, field="good_for_s", value=str(good_for_s)))
    if faults:
        raise InputError(faults)
