"""The users of a node: added, changed and disabled, never removed, so that a name in the record stays one person's.

Whoever may sign, keep users or keep keys is *trusted*: could one person make another trusted account, or take one over,
the two-person rule would be worth nothing. So each change to a trusted user, or that makes one, is proposed by one and
confirmed by another, or made at the machine, on the folder. Only disabling is always done at once, by one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection

from keepclear.errors import Fault, InputError
from keepclear.node.actors import Actor, Via
from keepclear.node.acts import Acts
from keepclear.node.passwords import Passwords, check_password
from keepclear.node.refusals import ClashError, NotAllowedError, NotFoundError, StaleError
from keepclear.node.roles import SCOPES_OF, TRUSTED_SCOPES, Role, Scope, scopes_of
from keepclear.node.two_person import Rule, TwoPersons
from keepclear.store.node.database import NodeDatabase
from keepclear.store.node.sessions import end_sessions
from keepclear.store.node.tokens import end_tokens
from keepclear.store.node.two_person import KeptProposal
from keepclear.store.node.users import KeptUser, add_user, change_user, count_users, user_named, users_after

__all__ = ["LONGEST_SHOWN", "USER_NAME_PATTERN", "USER_NAME_RIGHT", "Change", "Users"]
__all__ += ["check_user", "is_trusted", "roles_of"]

USER_NAME_PATTERN = "^[a-z0-9][a-z0-9._-]{0,62}$"
"""Pattern of a user's name."""
USER_NAME_RIGHT = "1 to 63 small ASCII letters, digits, dots, hyphens and underscores, a letter or digit first"
LONGEST_SHOWN = 200
"""Characters of what a user is shown as."""

_USER_NAME = re.compile(USER_NAME_PATTERN[1:-1])
_TAKEN = frozenset({"operator", "system", "me"})  # who acts where no user does, and a word of the API's own
_KIND = "user change"
_KEEPERS = tuple(role.value for role, scopes in SCOPES_OF.items() if Scope.USERS in scopes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is to be otherwise with a user; None leaves it.

    Attributes
    ----------
    shown
        How people know them.
    roles
        What they are to the party.
    password
        A new one, which they must change when they first sign in.
    disabled
        Whether they are shut out.
    """

    shown: str | None = None
    roles: Collection[Role] | None = None
    password: str | None = None
    disabled: bool | None = None

    @property
    def only_disables(self) -> bool:
        """Whether it does nothing but shut the user out."""
        return self.disabled is True and self.shown is None and self.roles is None and self.password is None


class Users:
    """The users.

    Parameters
    ----------
    database, clock, acts, two_persons, passwords
        Where they are kept, what tells the time, where acts are recorded, who sees to the two-person rule, and what
        makes hashes.
    """

    def __init__(
        self,
        database: NodeDatabase,
        clock: Callable[[], float],
        acts: Acts,
        two_persons: TwoPersons,
        passwords: Passwords,
    ) -> None:
        self._database = database
        self._clock = clock
        self._acts = acts
        self._two_persons = two_persons
        self._passwords = passwords
        two_persons.add_rule(_KIND, Rule(Scope.USERS, within=self._carry_out))

    def add(
        self, actor: Actor, name: str, *, roles: Collection[Role], shown: str = "", password: str | None = None
    ) -> KeptUser | KeptProposal:
        """Add a user, or propose one who is to be trusted.

        Parameters
        ----------
        actor
            Who adds them.
        name
            What they sign in with; no one else may ever have had it.
        roles
            What they are to the party.
        shown
            How people know them; the name if it is empty.
        password
            Their first, which they must change; None for a user who has only tokens.

        Returns
        -------
        KeptUser or KeptProposal
            The user, or what another person must confirm.

        Raises
        ------
        NotAllowedError, ClashError, InputError
            If the actor keeps no users, if there is or was one of that name, or if something given is wrong.
        """
        actor.must(Scope.USERS)
        check_user(name=name, shown=shown, roles=roles)
        if password is not None:
            check_password(password, names=[name, shown])
        user = KeptUser(
            name, shown or name, _role_names(roles), "" if password is None else self._passwords.hashed(password),
            must_change=password is not None, added_s=self._clock(),
        )  # fmt: skip
        with self._database.reading() as conn:
            if user_named(conn, name) is not None:
                raise _there_is_one(name)
        if is_trusted(user) and actor.via is not Via.FOLDER:
            subject = f"add the user {name} ({user.shown}) as {', '.join(user.roles)}"
            return self._two_persons.propose(actor, _KIND, subject, _content(user, is_new=True))
        with self._database.writing() as conn:
            self._add(conn, actor, user)
        return user

    def user(self, name: str) -> KeptUser:
        """The user of that name.

        Raises
        ------
        NotFoundError
            If there is none.
        """
        with self._database.reading() as conn:
            return _found(conn, name)

    def after(self, name: str = "", *, limit: int) -> list[KeptUser]:
        """Users in the order of their names, those after `name`."""
        with self._database.reading() as conn:
            return users_after(conn, name, limit=limit)

    def change(self, actor: Actor, name: str, change: Change, *, version: int | None = None) -> KeptUser | KeptProposal:
        """Change a user, or propose to change one who is or would be trusted.

        Parameters
        ----------
        actor
            Who changes them: never themselves.
        name
            Whom.
        change
            What is to be otherwise.
        version
            The one that the actor has seen; None asks for none.

        Raises
        ------
        NotFoundError, NotAllowedError, StaleError, ClashError, InputError
            If there is no such user, if the actor may not, if the user was changed meanwhile, if nobody would be left
            who keeps users, or if something given is wrong.
        """
        actor.must(Scope.USERS)
        check_user(shown=change.shown, roles=change.roles)
        before = self.user(name)
        if version is not None and version != before.version:
            raise StaleError
        if actor.user == name:
            raise NotAllowedError("nobody changes their own roles or standing", right="ask another who keeps users")
        if change.password is not None:
            check_password(change.password, names=[name, change.shown or before.shown])
        after = self._changed(before, change)
        trusted = is_trusted(before) or is_trusted(after)
        if trusted and not change.only_disables and actor.via is not Via.FOLDER:
            return self._two_persons.propose(actor, _KIND, _told(before, after), _content(after, is_new=False))
        with self._database.writing() as conn:
            return self._put(conn, actor, before.version, after)

    def change_own_password(self, actor: Actor, old: str, new: str) -> None:
        """Change one's own password; all one's other sessions end.

        Raises
        ------
        NotAllowedError
            If one came with a token, or the old password is wrong.
        InputError
            If the new one is not good enough.
        """
        if actor.via is not Via.SESSION:
            raise NotAllowedError("a password is changed only by who signed in with it", right="sign in first")
        user = self.user(actor.user)
        if not self._passwords.match(user.password, old):
            raise InputError(Fault("the old password is wrong", "the one you signed in with", field="old"))
        if new == old:
            raise InputError(Fault("the new password is the old one", "another one", field="new"))
        check_password(new, names=[user.name, user.shown], field="new")
        hashed = self._passwords.hashed(new)
        with self._database.writing() as conn:
            change_user(conn, replace(_found(conn, user.name), password=hashed, must_change=False))
            end_sessions(conn, user.name, but=actor.credential)
            self._acts.record(conn, actor, "password change", ref=f"user {user.name}")

    def _changed(self, before: KeptUser, change: Change) -> KeptUser:
        after = before
        if change.shown is not None:
            after = replace(after, shown=change.shown)
        if change.roles is not None:
            after = replace(after, roles=_role_names(change.roles))
        if change.password is not None:
            after = replace(after, password=self._passwords.hashed(change.password), must_change=True)
        if change.disabled is not None and change.disabled != (before.disabled_s is not None):
            after = replace(after, disabled_s=self._clock() if change.disabled else None)
        return after

    def _add(self, conn: Connection, actor: Actor, user: KeptUser) -> None:
        if not add_user(conn, user):
            raise _there_is_one(user.name)
        self._acts.record(conn, actor, "user add", ref=f"user {user.name}", detail={"roles": list(user.roles)})

    def _put(self, conn: Connection, actor: Actor, version: int, after: KeptUser) -> KeptUser:
        """Put `after` in place of that version, end what the user has open if it must be, and record it."""
        before = _found(conn, after.name)
        if before.version != version:
            raise StaleError
        changed = change_user(conn, after)
        if before.disabled_s is None and actor.via is not Via.FOLDER and not count_users(conn, _KEEPERS):
            raise ClashError(Fault("nobody would be left who keeps users", "make another one first"))
        if after.disabled_s is not None or after.password != before.password:
            end_sessions(conn, after.name)
        if after.disabled_s is not None:
            end_tokens(conn, after.name, at_s=self._clock())
        detail = {"change": _told(before, after)}
        self._acts.record(conn, actor, "user change", ref=f"user {after.name}", detail=detail)
        return changed

    def _carry_out(self, conn: Connection, proposal: KeptProposal, actor: Actor) -> None:
        content = dict(proposal.content)
        is_new = content.pop("is_new")
        user = KeptUser(**{**content, "roles": tuple(content["roles"])})
        if is_new:
            self._add(conn, actor, replace(user, added_s=self._clock()))
        else:
            self._put(conn, actor, user.version, user)


def roles_of(user: KeptUser) -> frozenset[Role]:
    """A user's roles; one that this program does not know gives nothing."""
    known = frozenset(Role)
    return frozenset(Role(role) for role in user.roles if role in known)


def is_trusted(user: KeptUser) -> bool:
    """Whether the user may do what takes two persons, or make others who may."""
    return not TRUSTED_SCOPES.isdisjoint(scopes_of(roles_of(user)))


def check_user(*, name: str | None = None, shown: str | None = None, roles: Collection[Role] | None = None) -> None:
    """Refuse what a user cannot be called, be shown as, or be to the party.

    Raises
    ------
    InputError
        With all that is wrong.
    """
    faults = []
    if name is not None and not _USER_NAME.fullmatch(name):
        faults.append(Fault("not a name that a user can have", USER_NAME_RIGHT, field="name", value=name))
    if name in _TAKEN:
        faults.append(Fault("a name that means something else here", "another name", field="name", value=name or ""))
    if shown is not None and (len(shown) > LONGEST_SHOWN or not (shown.isprintable() and shown.strip() == shown)):
        right = f"at most {LONGEST_SHOWN} characters that can be seen, no space at either end"
        faults.append(Fault("not what a person can be shown as", right, field="shown", value=shown))
    if roles is not None and not roles:
        faults.append(Fault("no role", "one or more of " + ", ".join(Role), field="roles"))
    if faults:
        raise InputError(faults)


def _found(conn: Connection, name: str) -> KeptUser:
    user = user_named(conn, name)
    if user is None:
        raise NotFoundError("user", field="name", value=name)
    return user


def _there_is_one(name: str) -> ClashError:
    return ClashError(Fault("there is or was a user of that name", "another name", field="name", value=name))


def _role_names(roles: Collection[Role]) -> tuple[str, ...]:
    return tuple(role.value for role in Role if role in roles)


def _told(before: KeptUser, after: KeptUser) -> str:
    """A change in words."""
    parts = []
    if after.roles != before.roles:
        parts.append(f"roles {', '.join(before.roles)} become {', '.join(after.roles)}")
    if after.shown != before.shown:
        parts.append(f"{before.shown!r} becomes {after.shown!r}")
    if after.password != before.password:
        parts.append("a new password")
    if (after.disabled_s is None) != (before.disabled_s is None):
        parts.append("let in again" if after.disabled_s is None else "shut out")
    return f"user {before.name}: {'; '.join(parts) or 'nothing'}"


def _content(user: KeptUser, *, is_new: bool) -> dict[str, Any]:
    return {
        "name": user.name, "shown": user.shown, "roles": list(user.roles), "password": user.password,
        "must_change": user.must_change, "added_s": user.added_s, "disabled_s": user.disabled_s,
        "version": user.version, "is_new": is_new,
    }  # fmt: skip
