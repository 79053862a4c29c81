"""The ways by which alarms leave the machine: setting them up, and trying them.

A channel is tried when it is set up, and with every line test. One that does not work is an alarm itself, which is
told by the others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from keepclear.errors import Fault, InputError
from keepclear.line.escalation import DESK
from keepclear.node.actors import SYSTEM, Actor, Via
from keepclear.node.acts import Acts
from keepclear.node.alarms import AlarmKind, Alarms
from keepclear.node.bell import Bell
from keepclear.node.refusals import ClashError, NotAllowedError, NotFoundError, StaleError
from keepclear.node.roles import Scope
from keepclear.node.way_command import CommandWay
from keepclear.node.way_email import EmailWay
from keepclear.node.way_webhook import WebhookWay
from keepclear.node.ways import NotToldError, Way
from keepclear.record.bodies.line_talk import ChannelTried
from keepclear.store.node.channels import (
    KeptChannel,
    channel_of,
    channels_of,
    drop_channel,
    note_tried,
    put_channel,
)
from keepclear.store.node.database import NodeDatabase
from keepclear.store.node.rosters import kept_roster
from keepclear.times import to_text

__all__ = ["KINDS", "AlarmChannels", "ChannelView", "way_of"]

KINDS = ("e-mail", "webhook", "command")
"""What kinds of channels there are."""

_WAYS: Mapping[str, Callable[[Mapping[str, Any], bytes | None], Way]] = {
    "e-mail": EmailWay.of_settings,
    "webhook": WebhookWay.of_settings,
    "command": CommandWay.of_settings,
}
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}", re.ASCII)
_NAME_RIGHT = "lower-case letters, digits and hyphens, at most 40, for example siren; not desk"
_MOST_CHANNELS = 50
_MOST_SECRET = 4096


@dataclass(frozen=True, slots=True)
class ChannelView:
    """A channel as it is shown: without its secret.

    Attributes
    ----------
    name, kind, settings, version
        As it is kept.
    has_secret
        Whether it has a password, or a secret shared with the other side.
    tried_s, worked, note
        When it was last used or tried, whether it worked, and what was answered.
    """

    name: str
    kind: str
    settings: Mapping[str, Any]
    has_secret: bool
    version: int
    tried_s: float | None
    worked: bool | None
    note: str


class AlarmChannels:
    """The channels of a node. Any thread may use it.

    Parameters
    ----------
    database, acts
        Where they are kept, and who changed them.
    alarms
        Told of channels that do not work.
    bell
        Rung when something has changed.
    clock
        Tells the time.
    """

    def __init__(
        self, database: NodeDatabase, acts: Acts, alarms: Alarms, bell: Bell, clock: Callable[[], float]
    ) -> None:
        self._database, self._acts, self._alarms = database, acts, alarms
        self._bell, self._clock = bell, clock

    def all(self) -> tuple[ChannelView, ...]:
        """All channels, by name."""
        with self._database.reading() as conn:
            return tuple(_view(one) for one in channels_of(conn))

    def one(self, name: str) -> ChannelView:
        """The channel of that name.

        Raises
        ------
        NotFoundError
            If there is none.
        """
        with self._database.reading() as conn:
            kept = channel_of(conn, name)
        if kept is None:
            raise NotFoundError("alarm channel", field="name", value=name)
        return _view(kept)

    def put(
        self,
        name: str,
        kind: str,
        settings: Mapping[str, Any],
        *,
        by: Actor,
        secret: str | None = None,
        if_version: int | None = None,
    ) -> ChannelView:
        """Set up a channel, or change one, and try it.

        Parameters
        ----------
        secret
            A password or a shared secret; None keeps the one there is, empty has none.
        if_version
            The version that the caller has read, 0 for a new one; None changes whatever is there.

        Raises
        ------
        NotAllowedError
            If the actor may not; a command is the operator's alone, at the machine.
        InputError
            With all that is wrong.
        StaleError
            If it was changed since.
        """
        by.must(Scope.ROSTERS)
        if not _NAME.fullmatch(name) or name == DESK:
            raise InputError(Fault("not a name for a channel", _NAME_RIGHT, field="name", value=name))
        if kind not in KINDS:
            raise InputError(Fault("no such kind of channel", f"one of: {', '.join(KINDS)}", field="kind", value=kind))
        with self._database.writing() as conn:
            before = channel_of(conn, name)
            _may_change(by, kind, before)
            if if_version is not None and if_version != (before.version if before else 0):
                raise StaleError("the channel was changed since you read it")
            if before is None and len(channels_of(conn)) >= _MOST_CHANNELS:
                raise InputError(Fault("too many channels", f"at most {_MOST_CHANNELS}", field="name"))
            kept = KeptChannel(
                name, kind, dict(settings), _secret(secret, before, kind), (before.version if before else 0) + 1
            )
            way_of(kept)  # refuses what is wrong
            put_channel(conn, kept)
            self._acts.record(conn, by, "change alarm channel", ref=name, detail={"kind": kind})
        self.try_now(name, by=by)
        return self.one(name)

    def drop(self, name: str, *, by: Actor) -> None:
        """Forget a channel.

        Raises
        ------
        NotAllowedError
            If the actor may not.
        NotFoundError
            If there is none.
        ClashError
            If somebody on the roster is reached by it.
        """
        by.must(Scope.ROSTERS)
        with self._database.writing() as conn:
            before = channel_of(conn, name)
            if before is None:
                raise NotFoundError("alarm channel", field="name", value=name)
            _may_change(by, before.kind, before)
            if any(name in post.channels for post in kept_roster(conn)[1]):
                raise ClashError(
                    Fault("somebody is reached by it", "take it off the roster first", field="name", value=name)
                )
            drop_channel(conn, name)
            self._acts.record(conn, by, "drop alarm channel", ref=name)
        self._alarms.clear(AlarmKind.ALARM_CHANNEL, name)

    def try_now(self, name: str | None = None, *, by: Actor = SYSTEM) -> tuple[ChannelTried, ...]:
        """Send a test by a channel, or by all at once, and say what became of it.

        Raises
        ------
        NotAllowedError
            If the actor may not.
        NotFoundError
            If there is no such channel.
        """
        if by is not SYSTEM:
            by.must(Scope.ROSTERS)
        with self._database.reading() as conn:
            kept = [one for one in channels_of(conn) if name is None or one.name == name]
        if name is not None and not kept:
            raise NotFoundError("alarm channel", field="name", value=name)
        if by is not SYSTEM:
            self._acts.note(by, "try alarm channels", ref=name or "")
        if not kept:
            return ()
        with ThreadPoolExecutor(len(kept), thread_name_prefix="keepclear-trying") as pool:
            return tuple(pool.map(self._try, kept))

    def tell(self, name: str, notice: Mapping[str, Any], *, key: str) -> str:
        """Tell something by a channel, note how it went, and sound an alarm if it did not.

        Raises
        ------
        NotToldError
            If nobody was told, or that is not certain.
        """
        with self._database.reading() as conn:
            kept = channel_of(conn, name)
        try:
            answered = _usable(kept).tell(notice, key=key, at_s=self._clock())
        except NotToldError as error:
            self._failed(name, str(error))
            raise
        self._worked(name, answered)
        return answered

    def _try(self, kept: KeptChannel) -> ChannelTried:
        at_s = self._clock()
        sentence = f"This is a test of the alarm channel {kept.name} of {self._alarms.party}. Nothing has happened."
        notice = {"party": self._alarms.party, "kind": "test", "test": True, "sentence": sentence, "at": to_text(at_s)}
        try:
            note = self.tell(kept.name, notice, key=f"test {kept.name} {at_s:.3f}")
        except NotToldError as error:
            return ChannelTried(channel=kept.name, worked=False, note=str(error) or None)
        return ChannelTried(channel=kept.name, worked=True, note=note)

    def _worked(self, name: str, note: str) -> None:
        with self._database.writing() as conn:
            note_tried(conn, name, worked=True, note=note, at_s=self._clock())
            over = self._alarms.clear(AlarmKind.ALARM_CHANNEL, name, conn=conn)
        if over:
            self._bell.ring("event")

    def _failed(self, name: str, note: str) -> None:
        with self._database.writing() as conn:
            note_tried(conn, name, worked=False, note=note, at_s=self._clock())
            self._alarms.sound(
                AlarmKind.ALARM_CHANNEL, f"The alarm channel {name} does not work: {note}.", key=name,
                leaving_out=(name,), conn=conn,
            )  # fmt: skip
        self._bell.ring("event")


def way_of(kept: KeptChannel) -> Way:
    """The way that a channel is.

    Raises
    ------
    InputError
        With all that is wrong with its settings.
    """
    return _WAYS[kept.kind](kept.settings, kept.secret)


def _usable(kept: KeptChannel | None) -> Way:
    if kept is None:
        raise NotToldError("there is no such channel any more")
    try:
        return way_of(kept)
    except (InputError, KeyError) as error:  # restored without its secret, or made by a newer program
        raise NotToldError(f"it is not set up as it should be: {' '.join(str(error).split())}") from error


def _may_change(by: Actor, kind: str, before: KeptChannel | None) -> None:
    """A command runs on this machine: who may set one up here could do so by hand as well."""
    if "command" in {kind, before.kind if before else ""} and by.via is not Via.FOLDER:
        raise NotAllowedError(
            "a command is set up at the machine", user=by.user, right="keepclear alarm-channel, in the node's folder"
        )


def _secret(secret: str | None, before: KeptChannel | None, kind: str) -> bytes | None:
    if secret is None:
        return before.secret if before is not None and before.kind == kind else None
    if len(secret) > _MOST_SECRET:
        raise InputError(Fault("too long", f"at most {_MOST_SECRET} characters", field="secret"))
    return secret.encode() or None


def _view(kept: KeptChannel) -> ChannelView:
    return ChannelView(
        kept.name, kept.kind, kept.settings, kept.secret is not None, kept.version, kept.tried_s, kept.worked, kept.note
    )
