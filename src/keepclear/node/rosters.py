"""Who is on duty: reading and changing the roster of the party."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from keepclear.errors import Fault, InputError
from keepclear.line.escalation import DESK, Post, Role, Roster
from keepclear.node.actors import Actor
from keepclear.node.acts import Acts
from keepclear.node.bell import Bell
from keepclear.node.refusals import StaleError
from keepclear.node.roles import Scope
from keepclear.store.node.channels import channels_of
from keepclear.store.node.database import NodeDatabase
from keepclear.store.node.rosters import KeptPost, kept_roster, put_roster

__all__ = ["RosterView", "Rosters", "roster_in"]

_MOST_POSTS = 100
_MOST_RANK = 99
_MOST_TEXT = 200


@dataclass(frozen=True, slots=True)
class RosterView:
    """The roster, and its version; version 0 is the one that every node begins with: a duty officer at the desk."""

    version: int
    posts: tuple[KeptPost, ...]


class Rosters:
    """The roster of a party.

    Parameters
    ----------
    database, acts
        Where it is kept, and who changed it.
    bell
        Rung when it was changed.
    clock
        Tells the time.
    """

    def __init__(self, database: NodeDatabase, acts: Acts, bell: Bell, clock: Callable[[], float]) -> None:
        self._database, self._acts, self._bell, self._clock = database, acts, bell, clock

    def get(self) -> RosterView:
        """The roster as it is."""
        with self._database.reading() as conn:
            version, posts = kept_roster(conn)
        return RosterView(version, posts or (KeptPost(Role.DUTY_OFFICER, 0),))

    def put(self, posts: Sequence[KeptPost], by: Actor, *, if_version: int | None = None) -> RosterView:
        """Put these posts in place of those before.

        Parameters
        ----------
        if_version
            The version that the caller has read; None changes whatever is there.

        Raises
        ------
        NotAllowedError
            If the actor may not.
        InputError
            If there is no duty officer, two posts are the same, or a channel is not known: all faults.
        StaleError
            If it was changed since.
        """
        by.must(Scope.ROSTERS)
        with self._database.writing() as conn:
            version, _ = kept_roster(conn)
            if if_version is not None and if_version != version:
                raise StaleError("the roster was changed since you read it")
            _check(posts, {one.name for one in channels_of(conn)})
            put_roster(conn, posts)
            told = [
                {"role": one.role, "rank": one.rank, "holder": one.holder, "channels": [*one.channels]} for one in posts
            ]
            self._acts.record(conn, by, "change roster", detail={"posts": told})
        self._bell.ring("event")
        return self.get()


def roster_in(conn: Connection) -> Roster:
    """The roster, for `keepclear.line.escalation`."""
    _, posts = kept_roster(conn)
    return Roster(tuple(Post(Role(one.role), one.rank, one.channels) for one in posts)) if posts else Roster()


def _check(posts: Sequence[KeptPost], channels: set[str]) -> None:
    faults = []
    if len(posts) > _MOST_POSTS:
        raise InputError(Fault("too many posts", f"at most {_MOST_POSTS}", field="posts", value=str(len(posts))))
    roles = {str(role) for role in Role}
    for number, post in enumerate(posts):
        here = f"posts[{number}]"
        if post.role not in roles:
            faults.append(Fault("no such role", f"one of: {', '.join(Role)}", field=f"{here}.role", value=post.role))
        if not 0 <= post.rank <= _MOST_RANK:
            right = f"0 for the holder, 1 for the first deputy, up to {_MOST_RANK}"
            faults.append(Fault("not a rank", right, field=f"{here}.rank", value=str(post.rank)))
        if len(post.holder) > _MOST_TEXT:
            faults.append(Fault("too long", f"at most {_MOST_TEXT} characters", field=f"{here}.holder"))
        unknown = [one for one in post.channels if one not in channels and one != DESK]
        right = f"one of: {', '.join(sorted(channels))}" if channels else "make it first: no channel is set up"
        faults += [Fault("no such alarm channel", right, field=f"{here}.channels", value=one) for one in unknown]
        if len(set(post.channels)) < len(post.channels):
            faults.append(Fault("a channel is named twice", "each once", field=f"{here}.channels"))
    if not faults:
        try:
            Roster(tuple(Post(Role(one.role), one.rank, one.channels) for one in posts))
        except InputError as error:
            faults += error.faults
    if faults:
        raise InputError(faults)
