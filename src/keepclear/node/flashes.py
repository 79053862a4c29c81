"""FLASH beside the log: harm in progress does not wait until a log can be signed, taken, or believed again.

Ordinarily a FLASH is an entry like any other, and goes at once. Where the log cannot speak (restored from a copy) or is
not taken (a fork), and besides the log where somebody wants to be sure, the message itself is sent, signed by the
transport key. It is shown at once, and marked: it is not in the record, and no receipt of the log speaks of it. It is
sent again until the other node says that it has taken it. The format is ``docs/spec/nodes.md``.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from keepclear.errors import Fault, InputError, PeerError
from keepclear.line.signed_json import sign_json, signed_members, verify_signed
from keepclear.node.bell import Bell
from keepclear.node.peers import Peers
from keepclear.record.bodies.talk import MessageBody, Priority
from keepclear.record.canonical import canonical
from keepclear.record.keys import SigningKey
from keepclear.store.node import events
from keepclear.store.node.database import NodeDatabase
from keepclear.store.node.peers import (
    FlashCame,
    FlashWaiting,
    came_flashes,
    flashes_since,
    queue_flash,
    take_flash,
    taken_flash,
    waiting_flashes,
)
from keepclear.times import to_text

if TYPE_CHECKING:
    from keepclear.node.records import Records

__all__ = ["MOST_ALARMS", "MOST_FLASH_BYTES", "Flash", "Flashes", "read_flash", "sign_flash"]

MOST_FLASH_BYTES = 128 * 1024
MOST_ALARMS = 20
"""So many FLASH of one party within an hour each have an alarm of their own; all that come after share one."""
_HEAD = "keepclear flash v1"
_ID_BYTES = 16
_HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class Flash:
    """A FLASH beside the log.

    Attributes
    ----------
    party, line, to
        From whom, on which line, for whom.
    id
        What tells it apart, 32 hexadecimal digits.
    sent_s
        When, by the sender's clock.
    message
        What it says.
    """

    party: str
    line: str
    to: str
    id: str
    sent_s: float
    message: MessageBody


def sign_flash(flash: Flash, key: SigningKey) -> bytes:
    """The flash as it is sent.

    Raises
    ------
    InputError
        If its message is no FLASH, or too long.
    """
    if flash.message.priority is not Priority.FLASH:
        raise InputError(Fault("only FLASH goes beside the log", "priority flash", field="priority"))
    members = {
        "party": flash.party, "line": flash.line, "to": flash.to, "id": flash.id, "sent": to_text(flash.sent_s),
        "message": json.loads(flash.message.to_bytes()),
    }  # fmt: skip
    data = sign_json(_HEAD, members, key)
    if len(data) > MOST_FLASH_BYTES:
        raise InputError(Fault(f"a FLASH of {len(data)} bytes", f"at most {MOST_FLASH_BYTES}", field="text"))
    return data


def read_flash(data: bytes, *, keys: Iterable[Any]) -> Flash:
    """Read one that came.

    Raises
    ------
    PeerError
        If it is malformed, or not of whom we know.
    IntegrityError
        If its party's transport key did not sign it.
    """
    members, note = signed_members(data, _HEAD, limit=MOST_FLASH_BYTES)
    party, line, to = members.name("party"), members.name("line"), members.name("to")
    key = next(
        (key for key in keys if key.name == f"{party}/transport" and any(s.is_by(key) for s in note.signatures)), None
    )
    if key is None:
        raise PeerError(f"a FLASH of {party} that no transport key of its signed")
    verify_signed(note, key)
    id_ = members.text("id", most=2 * _ID_BYTES)
    if len(id_) != 2 * _ID_BYTES or set(id_) - set("0123456789abcdef"):
        members.refuse("id", f"{2 * _ID_BYTES} hexadecimal digits")
    sent_s = members.time("sent")
    message = MessageBody.of_bytes(canonical(members.value("message")))
    if message.priority is not Priority.FLASH:
        members.refuse("message", "one of priority flash")
    return Flash(party, line, to, id_, sent_s, message)


class Flashes:
    """Sends and takes FLASH beside the log. Any thread may use it."""

    def __init__(
        self,
        records: Records,
        peers: Peers,
        database: NodeDatabase,
        bell: Bell,
        clock: Callable[[], float],
        *,
        alarm: Callable[..., object] = lambda *_, **__: None,
    ) -> None:
        self._records, self._peers, self._database = records, peers, database
        self._bell, self._clock, self._alarm = bell, clock, alarm

    def send(self, line: str, message: MessageBody, *, to: Iterable[str] | None = None) -> str:
        """Send one to these parties, or to all on the line; its id. It is on its way when this returns, not there."""
        key = self._records.transport_key()
        known = [peer.party for peer in self._peers.of(line) if peer.member]
        wanted = known if to is None else [party for party in to if party in known]
        if not wanted:
            raise InputError(Fault("nobody to send it to", f"one of: {', '.join(known) or 'nobody yet'}", field="to"))
        id_, sent_s = secrets.token_hex(_ID_BYTES), round(self._clock(), 3)
        with self._database.writing() as conn:
            for party in wanted:
                data = sign_flash(Flash(self._records.party, line, party, id_, sent_s, message), key)
                queue_flash(conn, FlashWaiting(id_, line, party, sent_s, data))
        self._bell.ring("said")
        return id_

    def waiting(self, line: str, party: str) -> tuple[FlashWaiting, ...]:
        """What a party has not taken yet."""
        with self._database.reading() as conn:
            return waiting_flashes(conn, line, party)

    def taken(self, waiting: FlashWaiting) -> None:
        """The party's node has said that it has it."""
        with self._database.writing() as conn:
            taken_flash(conn, waiting.id, waiting.party, taken_s=self._clock())

    def refused(self, waiting: FlashWaiting, why: str) -> None:
        """The party's node says that it cannot be taken, and would say so again: somebody must telephone."""
        with self._database.writing() as conn:
            taken_flash(conn, waiting.id, waiting.party, taken_s=self._clock())
            sentence = f"the node of {waiting.party} does not take our FLASH on {waiting.line}: {why}; call them now"
            self._alarm("flash", sentence, key=f"refused/{waiting.id}", line=waiting.line, conn=conn)
        self._bell.ring("event")

    def take(self, party: str, data: bytes) -> None:
        """Take one that came from a party's node.

        Raises
        ------
        PeerError
            If it is malformed, of another party, or for another.
        IntegrityError
            If it is not signed by the party's transport key.
        """
        keys = [key for line in self._peers.lines_with(party) for key in _transports(self._peers, line, party)]
        flash = read_flash(data, keys=dict.fromkeys(keys))
        peer = self._peers.find(flash.line, party)
        if flash.party != party or flash.to != self._records.party or peer is None or not peer.member:
            raise PeerError(f"a FLASH of {flash.party} to {flash.to} on {flash.line}, which is not for us from {party}")
        now_s = self._clock()
        with self._database.writing() as conn:
            if not take_flash(conn, FlashCame(party, flash.id, flash.line, now_s, data)):
                return
            told = {
                "party": party, "priority": "flash", "beside_the_log": True, "id": flash.id, "sent_s": flash.sent_s,
                "message": json.loads(flash.message.to_bytes()),
            }  # fmt: skip
            events.say(conn, "message", told, at_s=now_s, line=flash.line)
            many = flashes_since(conn, party, now_s - _HOUR_S)
            key, sentence = f"beside/{flash.id}", f"{party} sent FLASH on {flash.line} beside its log"
            if many > MOST_ALARMS:
                key = f"beside/{party}"
                sentence = f"{party} sent {many} FLASH within an hour beside its log, the last on {flash.line}"
            self._alarm("flash", f"{sentence}: look at the desk at once", key=key, line=flash.line, conn=conn)
        self._bell.ring("event")

    def came(self, line: str) -> tuple[tuple[Flash, float], ...]:
        """Those that came on a line, newest first, each with the time when it came."""
        with self._database.reading() as conn:
            rows = came_flashes(conn, line)
        found = []
        for row in rows:
            members, _ = signed_members(row.data, _HEAD, limit=MOST_FLASH_BYTES)
            message = MessageBody.of_bytes(canonical(members.value("message")))
            found.append(
                (Flash(row.party, row.line, members.name("to"), row.id, members.time("sent"), message), row.came_s)
            )
        return tuple(found)


def _transports(peers: Peers, line: str, party: str) -> tuple[Any, ...]:
    peer = peers.find(line, party)
    return () if peer is None else peer.transports
