"""Heartbeats: signed pings by which the members of a line know of each other, their clocks, and what each was shown.

A heartbeat carries the newest checkpoint of every log on the line that its sender holds, so two members who were shown
different histories find out (`keepclear.line.histories`); and what the sender last heard of the one it goes to, so the
two can compare their clocks (`keepclear.line.hearing`). It is no entry: nobody's word depends on it.

A newer node may send members that are not known here; they are passed over, and named. The format is
``docs/spec/heartbeats.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from keepclear.errors import Fault, InputError, KeepclearError, PeerError
from keepclear.line.signed_json import Members, sign_json, signed_members, verify_signed
from keepclear.line.versions import MOST_VERSION, OURS, Versions
from keepclear.record.canonical import MOST_INTEGER
from keepclear.record.checkpoints import Checkpoint
from keepclear.record.keys import SigningKey, VerifierKey
from keepclear.record.names import check_name, is_origin, transport_name
from keepclear.record.notes import Note
from keepclear.times import to_text

__all__ = ["MOST_CHECKPOINTS", "MOST_HEARTBEAT_BYTES", "Heard", "Heartbeat", "read_heartbeat", "sign_heartbeat"]

MOST_CHECKPOINTS = 256
MOST_HEARTBEAT_BYTES = 512 * 1024

_HEAD = "keepclear heartbeat v1"
_MOST_CHECKPOINT = 16_384


@dataclass(frozen=True, slots=True)
class Heard:
    """The last heartbeat that the sender had of the one that this goes to.

    Attributes
    ----------
    sequence, sent_s
        As they stood in it: by the clock of the one that this goes to.
    received_s
        When it came, by the clock of the sender of this.
    """

    sequence: int
    sent_s: float
    received_s: float


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """What one node tells another every minute.

    Attributes
    ----------
    party, line
        Whose it is, and on which line.
    to
        Whom it is for.
    sent_s
        When, by the sender's clock, in seconds since the epoch; kept to the millisecond.
    sequence
        Greater than in every heartbeat before it, also those before the node was started anew.
    checkpoints
        The newest of each log that the sender holds, as the log signed it, sorted by origin.
    heard
        Of the one that this goes to; None if nothing was heard since the node was started.
    versions
        Of the protocol, that the sender speaks.
    unknown
        Names of members that are not known here.

    Raises
    ------
    InputError
        If one of them is not what it must be.
    """

    party: str
    line: str
    to: str
    sent_s: float
    sequence: int
    checkpoints: tuple[bytes, ...] = ()
    heard: Heard | None = None
    versions: Versions = OURS
    unknown: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for field, value in (("party", self.party), ("line", self.line), ("to", self.to)):
            check_name(value, field=field)
        if self.party == self.to:
            raise InputError(Fault("a heartbeat to oneself", "another member", field="to", value=self.to))
        if not 1 <= self.sequence <= MOST_INTEGER:
            raise InputError(
                Fault("not a sequence", f"1 to {MOST_INTEGER}", field="sequence", value=str(self.sequence))
            )
        if len(self.checkpoints) > MOST_CHECKPOINTS:
            problem = f"{len(self.checkpoints)} checkpoints"
            raise InputError(Fault(problem, f"at most {MOST_CHECKPOINTS}", field="checkpoints"))
        origins = [_origin(data) for data in self.checkpoints]
        if origins != sorted(set(origins)):
            raise InputError(Fault("checkpoints not sorted by origin", "each log once", field="checkpoints"))


def sign_heartbeat(heartbeat: Heartbeat, key: SigningKey) -> bytes:
    """The heartbeat as it is sent.

    Raises
    ------
    InputError
        If the key is not the transport key of its party, or the heartbeat is too long.
    """
    if key.verifier.name != transport_name(heartbeat.party):
        problem = f"the key {key.verifier.name} does not sign for the node of {heartbeat.party}"
        raise InputError(Fault(problem, transport_name(heartbeat.party), field="key"))
    members: dict[str, object] = {
        "party": heartbeat.party,
        "line": heartbeat.line,
        "to": heartbeat.to,
        "sent": to_text(heartbeat.sent_s),
        "sequence": heartbeat.sequence,
        "checkpoints": [data.decode() for data in heartbeat.checkpoints],
        "versions": [heartbeat.versions.least, heartbeat.versions.most],
    }
    if heartbeat.heard is not None:
        members["heard"] = {
            "sequence": heartbeat.heard.sequence,
            "sent": to_text(heartbeat.heard.sent_s),
            "received": to_text(heartbeat.heard.received_s),
        }
    data = sign_json(_HEAD, members, key)
    if len(data) > MOST_HEARTBEAT_BYTES:
        raise InputError(Fault(f"a heartbeat of {len(data)} bytes", f"at most {MOST_HEARTBEAT_BYTES}"))
    return data


def read_heartbeat(data: bytes, *, keys: Sequence[VerifierKey], line: str, to: str) -> Heartbeat:
    """Read a heartbeat that came in. Whether it was heard before is for `keepclear.line.hearing` to say.

    Parameters
    ----------
    keys
        The transport keys that the members have now.
    line, to
        Where it came in, and who we are.

    Raises
    ------
    PeerError
        If it is malformed, of another line or for another party, or of a party of which there is no key here.
    IntegrityError
        If the transport key of its party did not sign it.
    """
    members, note = signed_members(data, _HEAD, limit=MOST_HEARTBEAT_BYTES)
    party = members.name("party")
    key = next((key for key in keys if key.name == transport_name(party)), None)
    if key is None:
        raise PeerError(f"a heartbeat of {party}, which has no transport key on the line {line}")
    verify_signed(note, key)
    found = _heartbeat(party, members)
    if (found.line, found.to) != (line, to):
        raise PeerError(f"a heartbeat of {party} to {found.to} on {found.line}, and this is {to} on {line}")
    return found


def _heartbeat(party: str, members: Members) -> Heartbeat:
    line, to = members.name("line"), members.name("to")
    sent_s, sequence = members.time("sent"), members.whole("sequence", least=1)
    checkpoints = members.items("checkpoints", most=MOST_CHECKPOINTS)
    texts = [one.encode() for one in checkpoints if isinstance(one, str) and len(one) <= _MOST_CHECKPOINT]
    if len(texts) != len(checkpoints):
        members.refuse("checkpoints", "signed checkpoints")
    versions = members.items("versions", most=2)
    least, most = versions if len(versions) == 2 else (None, None)
    if type(least) is not int or type(most) is not int or not 1 <= least <= most <= MOST_VERSION:
        members.refuse("versions", f"two numbers from 1 to {MOST_VERSION}")
    heard = _heard(members.inside("heard")) if members.has("heard") else None
    unknown = tuple(name[:60] for name in members.rest)
    try:
        return Heartbeat(party, line, to, sent_s, sequence, tuple(texts), heard, Versions(least, most), unknown)
    except InputError as error:
        raise PeerError(f"not a heartbeat: {error}") from None


def _heard(members: Members) -> Heard:
    return Heard(members.whole("sequence", least=1), members.time("sent"), members.time("received"))


def _origin(data: bytes) -> str:
    try:
        origin = Checkpoint.of_text(Note.of_bytes(data).text).origin
    except KeepclearError as error:
        raise InputError(Fault(f"not a checkpoint: {error}", field="checkpoints")) from None
    if not is_origin(origin):
        raise InputError(Fault("a checkpoint of a log that is none of a line", field="checkpoints", value=origin))
    return origin
