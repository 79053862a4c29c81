"""Signing in and out, and who it is that a cookie or a token speaks for.

Guessing is slowed down by three counts over the last quarter of an hour, which a restart does not clear: wrong
passwords for a name from an address, for a name from anywhere, and from an address for anyone. The second would let a
stranger lock an officer out by guessing on purpose; so an address from which the officer has signed in before is not
bound by it. What is answered never says whether the name exists: neither in words nor in time.
"""

from __future__ import annotations

import hmac
import ipaddress
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

from sqlalchemy import Connection

from keepclear.node.actors import OPERATOR, Actor, Via
from keepclear.node.acts import Acts
from keepclear.node.bearer_proofs import Proof, new_proof, proof_of_cookie, proof_of_token
from keepclear.node.passwords import LONGEST, Passwords
from keepclear.node.refusals import NotSignedInError, TooManyTriesError
from keepclear.node.roles import Scope, scopes_of
from keepclear.node.users import roles_of
from keepclear.store.node.database import NodeDatabase
from keepclear.store.node.sessions import (
    KeptSession,
    add_session,
    end_session,
    prune_sessions,
    session_of,
    touch_session,
)
from keepclear.store.node.sign_ins import failures, has_signed_in_from, note_good, note_try, prune_sign_ins
from keepclear.store.node.tokens import KeptToken, token_of, touch_token
from keepclear.store.node.users import KeptUser, change_user, user_named

__all__ = [
    "IDLE_S",
    "LONGEST_SESSION_S",
    "MOST_OF_ADDRESS",
    "MOST_OF_BOTH",
    "MOST_OF_NAME",
    "WINDOW_S",
    "SignIns",
    "SignedIn",
    "is_loopback",
]

DAY_S = 86_400.0
LONGEST_SESSION_S = 12 * 3600.0
"""After a watch everybody signs in again."""
IDLE_S = 2 * 3600.0
"""Who was away so long signs in again."""
WINDOW_S = 900.0
"""Over how long wrong passwords are counted."""
MOST_OF_BOTH = 5
"""Wrong passwords for one name from one address."""
MOST_OF_NAME = 20
"""For one name, from addresses from which nobody has signed in with it before."""
MOST_OF_ADDRESS = 30
"""From one address, for any names."""

_KNOWN_S = 30 * DAY_S  # how long it counts that somebody has signed in from an address
_TOUCH_S = 60.0  # use is noted to the minute: a write for each request would be the most of the work


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that was begun: the cookie, who it is, until when, and whether they must change the password first."""

    cookie: str
    actor: Actor
    ends_s: float
    must_change: bool


class SignIns:
    """Sessions, and the way into them.

    Parameters
    ----------
    database, clock, acts, passwords
        Where they are kept, what tells the time, where acts are recorded, and what compares passwords.
    local_token
        Lets the owner of the folder in from this machine; None lets nobody in so.
    """

    def __init__(
        self,
        database: NodeDatabase,
        clock: Callable[[], float],
        acts: Acts,
        passwords: Passwords,
        *,
        local_token: str | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._acts = acts
        self._passwords = passwords
        self._local_token = local_token

    def sign_in(self, name: str, password: str, *, address: str) -> SignedIn:
        """Begin a session.

        Raises
        ------
        NotSignedInError
            If name and password do not belong together; it does not say which is wrong.
        TooManyTriesError
            If too many were wrong lately; then it is not even looked at.
        """
        name = name.strip().lower()
        network, at_s = _network(address), self._clock()
        with self._database.writing() as conn:
            self._slow_down(conn, name, network, at_s)
            number = note_try(conn, name, network, at_s=at_s)  # counted before it is looked at: no race to more tries
            user = user_named(conn, name)
        kept = user.password if user is not None and user.disabled_s is None else ""
        good = len(password) <= LONGEST and self._passwords.match(kept, password)
        with self._database.writing() as conn:
            user = user_named(conn, name)
            if user is None or not good or user.disabled_s is not None:
                if user is not None:
                    failed = Actor(user.name, frozenset(), address=address)
                    self._acts.record(conn, failed, "sign-in failed", ref=f"user {user.name}")
            else:
                note_good(conn, number)
                prune_sign_ins(conn, before_s=at_s - _KNOWN_S)
                prune_sessions(conn, before_s=at_s)
                return self._begin(conn, user, password, address, at_s)
        raise NotSignedInError("name and password do not belong together", "both as they were given to you")

    def sign_out(self, actor: Actor) -> None:
        """End the session that one came with."""
        with self._database.writing() as conn:
            if actor.via is Via.SESSION and end_session(conn, actor.credential):
                self._acts.record(conn, actor, "sign-out", ref=f"user {actor.user}")

    def actor_of_cookie(self, cookie: str, *, address: str) -> Actor:
        """Whom a session's cookie speaks for.

        Raises
        ------
        NotSignedInError
            If it is of no session that goes on.
        """
        proof, at_s = proof_of_cookie(cookie), self._clock()
        if proof is None:
            raise NotSignedInError
        with self._database.reading() as conn:
            session = session_of(conn, proof.id)
            user = None if session is None else user_named(conn, session.user)
        if session is None or user is None or not self._goes_on(session, user, proof, at_s):
            raise NotSignedInError("the session has ended", "sign in again")
        if at_s - session.used_s > _TOUCH_S:
            with self._database.writing() as conn:
                touch_session(conn, proof.id, at_s=at_s)
        return _actor(user, address, Via.SESSION, proof.id)

    def is_local(self, text: str) -> bool:
        """Whether this is the token of the folder's owner."""
        return bool(self._local_token) and hmac.compare_digest(text.encode(), (self._local_token or "").encode())

    def actor_of_token(self, text: str, *, address: str) -> Actor:
        """Whom a bearer token speaks for.

        Raises
        ------
        NotSignedInError
            If it is of no token in force.
        """
        if self.is_local(text):
            return self._operator(address)
        proof, at_s = proof_of_token(text), self._clock()
        if proof is None:
            raise NotSignedInError("not a token of this node", "kc_… as it was shown when it was made")
        with self._database.reading() as conn:
            token = token_of(conn, proof.id)
            user = None if token is None else user_named(conn, token.user)
        if token is None or user is None or not self._is_in_force(token, user, proof, at_s):
            raise NotSignedInError("the token is not in force", "a new one")
        if token.used_s is None or at_s - token.used_s > _TOUCH_S:
            with self._database.writing() as conn:
                touch_token(conn, proof.id, at_s=at_s)
        return _actor(user, address, Via.TOKEN, proof.id, only=frozenset(token.scopes))

    def still(self, actor: Actor) -> bool:
        """Whether an actor may still do all that they could when they came; for what goes on long, such as streams."""
        at_s = self._clock()
        with self._database.reading() as conn:
            user = user_named(conn, actor.user)
            if actor.via in {Via.FOLDER, Via.SYSTEM}:
                return True
            if user is None or user.disabled_s is not None or not actor.scopes <= scopes_of(roles_of(user)):
                return False
            if actor.via is Via.SESSION:
                session = session_of(conn, actor.credential)
                return session is not None and session.ends_s > at_s
            token = token_of(conn, actor.credential)
            return token is not None and token.ended_s is None and token.ends_s > at_s

    def _slow_down(self, conn: Connection, name: str, network: str, at_s: float) -> None:
        since_s = at_s - WINDOW_S
        counts = [
            (MOST_OF_BOTH, failures(conn, since_s=since_s, name=name, address=network)),
            (MOST_OF_ADDRESS, failures(conn, since_s=since_s, address=network)),
        ]
        if not has_signed_in_from(conn, name, network, since_s=at_s - _KNOWN_S):
            counts.append((MOST_OF_NAME, failures(conn, since_s=since_s, name=name)))
        waits = [first_s + WINDOW_S - at_s for most, (count, first_s) in counts if count >= most]
        if waits:
            wait_s = max(1, math.ceil(max(waits)))
            raise TooManyTriesError("too many wrong passwords", retry_after_s=wait_s)

    def _begin(self, conn: Connection, user: KeptUser, password: str, address: str, at_s: float) -> SignedIn:
        if self._passwords.is_outdated(user.password):
            user = change_user(conn, _rehashed(user, self._passwords.hashed(password)))
        proof = new_proof()
        session = KeptSession(proof.id, user.name, proof.hash, address, at_s, at_s, at_s + LONGEST_SESSION_S)
        add_session(conn, session)
        actor = _actor(user, address, Via.SESSION, proof.id)
        self._acts.record(conn, actor, "sign-in", ref=f"user {user.name}")
        return SignedIn(proof.cookie, actor, session.ends_s, user.must_change)

    @staticmethod
    def _goes_on(session: KeptSession, user: KeptUser, proof: Proof, at_s: float) -> bool:
        in_time = at_s < session.ends_s and at_s - session.used_s < IDLE_S
        return proof.proves(session.secret_hash) and in_time and user.disabled_s is None

    @staticmethod
    def _is_in_force(token: KeptToken, user: KeptUser, proof: Proof, at_s: float) -> bool:
        in_time = token.ended_s is None and at_s < token.ends_s
        return proof.proves(token.secret_hash) and in_time and user.disabled_s is None

    @staticmethod
    def _operator(address: str) -> Actor:
        if not is_loopback(address):
            raise NotSignedInError("this token is good only at the machine itself", "a token of your own")
        return Actor(OPERATOR.user, OPERATOR.roles, OPERATOR.scopes, address=address, via=Via.FOLDER)


@lru_cache(maxsize=256)
def is_loopback(address: str) -> bool:
    """Whether an address is this machine."""
    try:
        return ipaddress.ip_address(address.partition("%")[0]).is_loopback
    except ValueError:
        return False


def _actor(user: KeptUser, address: str, via: Via, credential: str, *, only: frozenset[str] | None = None) -> Actor:
    roles = roles_of(user)
    scopes = scopes_of(roles)
    if user.must_change and via is Via.SESSION:
        scopes = frozenset()  # what another has set is good for nothing but changing it
    if only is not None:
        scopes = frozenset(scope for scope in scopes if scope in only and scope is not Scope.SIGN)
    return Actor(user.name, roles, scopes, address=address, via=via, credential=credential)


def _rehashed(user: KeptUser, password: str) -> KeptUser:
    return replace(user, password=password)


def _network(address: str) -> str:
    """What counts as one address: of IPv6 the /64, which is what one customer has."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(found, ipaddress.IPv6Address):
        mapped = found.ipv4_mapped
        return str(mapped) if mapped else str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)
