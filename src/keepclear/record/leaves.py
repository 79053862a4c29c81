"""Leaves: what everyone on a line holds of each entry, for ever."""

from __future__ import annotations

import base64
import hmac
import re
from binascii import a2b_base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any

from keepclear.errors import Fault, InputError, IntegrityError, PeerError
from keepclear.record.canonical import JsonValue, canonical, parse_canonical
from keepclear.record.entry_types import KNOWN_TYPES
from keepclear.record.merkle import leaf_hash
from keepclear.record.names import NAME_PATTERN, NAME_RIGHT, is_name
from keepclear.record.salted import HASH_RIGHT, SALT_BYTES, attachment_hash, body_hash, is_hash_text
from keepclear.record.telling import told
from keepclear.times import to_text

__all__ = ["CLOCK_TOLERANCE_S", "MOST_LEAF_BYTES", "Leaf"]

MOST_LEAF_BYTES = 65_535
"""An entry bundle (C2SP tlog-tiles) writes the length of an entry in 16 bits."""
CLOCK_TOLERANCE_S = 60.0
"""How far ahead of ours another party's clock may be, unless something else is agreed."""

_put = object.__setattr__
_TYPE = re.compile(r"[a-z][a-z0-9-]{0,62}", re.ASCII)
# One instant has one text: no leap seconds, which are the first instant of the next minute, and no hour 24.
_TIME = re.compile(r"\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z", re.ASCII)
_MOST_VERSION = 65_535
_NAME = NAME_PATTERN[1:-1]
# Most leaves have neither attachments nor a member that is not known. One look tells that such a leaf is right, in a
# third of the time; what it does not tell of is looked at closely. Whole logs are read, so it counts.
_PLAIN = re.compile(
    (
        r'\{"body":"([A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=)","exercise":(true|false)'
        rf',"line":"({_NAME})","party":"({_NAME})","recipients":\[((?:"{_NAME}"(?:,"{_NAME}")*)?)\]'
        rf',"time":"({_TIME.pattern})","type":"({_TYPE.pattern})","v":([1-9][0-9]{{0,4}})\}}'
    ).encode()
)


@dataclass(frozen=True, slots=True)
class Leaf:
    """What everyone on the line holds of an entry, and what the log's Merkle tree is made of.

    Attributes
    ----------
    type, version
        What the body is, for example ``operation``, 1.
    line, party
        Where it is said, and by whom.
    time_s
        When it was said by the author's clock, seconds since the epoch; kept to the millisecond.
    recipients
        Parties who are given the body, sorted; nobody for a commitment.
    exercise
        Whether this is said for practice and is not so.
    body_hash
        `body_hash` of salt and body, 32 bytes.
    attachments
        `attachment_hash` of each attachment.
    raw
        The bytes themselves, as they were read or are written: canonical JSON, at most `MOST_LEAF_BYTES`.
    known
        Whether type and version are known, and there is no member that they do not have. What is not known is kept
        and passed on as it is.

    Raises
    ------
    InputError
        If a value is not one that a leaf can have, with all faults; or if the leaf would be too long.
    """

    type: str
    version: int
    line: str
    party: str
    time_s: float
    recipients: tuple[str, ...]
    exercise: bool
    body_hash: bytes
    attachments: tuple[bytes, ...] = ()
    raw: bytes = field(init=False, repr=False)
    known: bool = field(init=False, repr=False)

    def __post_init__(self) -> None:
        members = self._members()
        faults = list(_faults(members))
        if faults:
            raise InputError(faults)
        raw = canonical(members)
        if len(raw) > MOST_LEAF_BYTES:
            problem = f"the leaf has {len(raw)} bytes, more than the {MOST_LEAF_BYTES} of an entry in a log"
            raise InputError(Fault(problem, "fewer recipients or attachments"))
        put = object.__setattr__
        put(self, "type", str(self.type))
        put(self, "recipients", tuple(self.recipients))
        put(self, "attachments", tuple(self.attachments))
        put(self, "time_s", _seconds(to_text(self.time_s)))  # as it will be read
        put(self, "raw", raw)
        put(self, "known", (self.type, self.version) in KNOWN_TYPES)

    @classmethod
    def of_bytes(cls, data: bytes) -> Leaf:
        """The leaf that these bytes are; `raw` is the bytes.

        Raises
        ------
        PeerError
            If they are no leaf, saying everything that is wrong with them.
        """
        plain = cls._of_plain(data)
        return cls._of_any(data) if plain is None else plain

    @classmethod
    def _of_plain(cls, data: bytes) -> Leaf | None:
        """The leaf, if one look tells that it is right."""
        found = _PLAIN.fullmatch(data) if len(data) <= MOST_LEAF_BYTES else None
        if found is None:
            return None
        body, exercise, line, party, listed, time, kind, version = found.groups()
        recipients = tuple(listed[1:-1].decode("ascii").split('","')) if listed else ()
        number = int(version)
        if number > _MOST_VERSION or (len(recipients) > 1 and not _are_sorted(recipients)):
            return None
        try:
            time_s = _seconds(time.decode("ascii"))
        except ValueError:
            return None
        leaf = object.__new__(cls)
        name = kind.decode("ascii")
        _put(leaf, "type", name)
        _put(leaf, "version", number)
        _put(leaf, "line", line.decode("ascii"))
        _put(leaf, "party", party.decode("ascii"))
        _put(leaf, "time_s", time_s)
        _put(leaf, "recipients", recipients)
        _put(leaf, "exercise", exercise == b"true")
        _put(leaf, "body_hash", a2b_base64(body))
        _put(leaf, "attachments", ())
        _put(leaf, "raw", data)
        _put(leaf, "known", (name, number) in KNOWN_TYPES)
        return leaf

    @classmethod
    def _of_any(cls, data: bytes) -> Leaf:
        members = parse_canonical(data, limit=MOST_LEAF_BYTES)
        if not isinstance(members, dict):
            raise PeerError("not a leaf: not a JSON object")
        faults = list(_faults(members))
        if faults:
            raise PeerError(f"not a leaf: {told(faults)}")
        return cls._of_checked(members, data)

    @classmethod
    def _of_checked(cls, members: Mapping[str, Any], raw: bytes) -> Leaf:
        leaf = object.__new__(cls)
        put = object.__setattr__
        put(leaf, "type", members["type"])
        put(leaf, "version", members["v"])
        put(leaf, "line", members["line"])
        put(leaf, "party", members["party"])
        put(leaf, "time_s", _seconds(members["time"]))
        put(leaf, "recipients", tuple(members["recipients"]))
        put(leaf, "exercise", members["exercise"])
        put(leaf, "body_hash", base64.b64decode(members["body"]))
        put(leaf, "attachments", tuple(map(base64.b64decode, members.get("attachments", ()))))
        put(leaf, "raw", raw)
        put(leaf, "known", (leaf.type, leaf.version) in KNOWN_TYPES and members.keys() <= _RULES.keys())
        return leaf

    def to_bytes(self) -> bytes:
        """The leaf as it stands in the log."""
        return self.raw

    @property
    def hash(self) -> bytes:
        """RFC 6962 leaf hash, 32 bytes."""
        return leaf_hash(self.raw)

    def check_time(self, now_s: float, *, tolerance_s: float = CLOCK_TOLERANCE_S) -> None:
        """Refuse a leaf from the future.

        Parameters
        ----------
        now_s
            Our time, seconds since the epoch.
        tolerance_s
            How far ahead the author's clock may be.

        Raises
        ------
        PeerError
            If the leaf's time is later than that.
        """
        if not self.time_s <= now_s + tolerance_s:
            said, now = to_text(self.time_s), to_text(now_s)
            raise PeerError(f"the leaf says {said}, more than {tolerance_s:g} s after now, {now}")

    def check_body(self, salt: bytes, body: bytes) -> None:
        """Prove that `body` is what was said.

        Raises
        ------
        IntegrityError
            If salt and body do not have the leaf's hash.
        """
        if not _is(self.body_hash, body_hash, salt, body):
            raise IntegrityError("this is not the body: salt and body do not have the hash in the leaf")

    def check_attachment(self, number: int, salt: bytes, data: bytes) -> None:
        """Prove that `data` is attachment `number`, counted from 0.

        Raises
        ------
        IntegrityError
            If there is no such attachment, or salt and data do not have its hash.
        """
        if not 0 <= number < len(self.attachments):
            raise IntegrityError(f"the leaf has no attachment {number}")
        if not _is(self.attachments[number], attachment_hash, salt, data):
            raise IntegrityError(f"this is not attachment {number}: it does not have the hash in the leaf")

    def _members(self) -> dict[str, JsonValue]:
        members: dict[str, JsonValue] = {
            "type": self.type,
            "v": self.version,
            "line": self.line,
            "party": self.party,
            "time": to_text(self.time_s),
            "recipients": list(self.recipients),
            "exercise": self.exercise,
            "body": _text(self.body_hash),
        }
        if self.attachments:
            members["attachments"] = [_text(one) for one in self.attachments]
        return members


def _is(wanted: bytes, hash_of: Callable[[bytes, bytes], bytes], salt: bytes, data: bytes) -> bool:
    # In constant time: how near a wrong body comes is nobody's business.
    return len(salt) == SALT_BYTES and hmac.compare_digest(hash_of(salt, data), wanted)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _is_time(value: object) -> bool:
    if not isinstance(value, str) or _TIME.fullmatch(value) is None:
        return False
    try:
        _seconds(value)
    except ValueError:
        return False
    return True


def _seconds(text: str) -> float:
    # What `parse_time` makes of it, in a tenth of the time: a whole log is read this way.
    return datetime.fromisoformat(f"{text[:19]}+00:00").timestamp() + int(text[20:23]) / 1000


def _are_recipients(value: object) -> bool:
    if not isinstance(value, list) or not all(map(is_name, value)):
        return False
    return _are_sorted(value)


def _are_sorted(names: Sequence[str]) -> bool:
    return all(first < second for first, second in pairwise(names))


# What each member of a leaf must be. The members are the same in every version; a version may have more.
_RULES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "type": (
        lambda value: isinstance(value, str) and _TYPE.fullmatch(value) is not None,
        "lower-case letters, digits and hyphens, a letter first, at most 63",
    ),
    "v": (lambda value: type(value) is int and 1 <= value <= _MOST_VERSION, f"a version from 1 to {_MOST_VERSION}"),
    "line": (is_name, NAME_RIGHT),
    "party": (is_name, NAME_RIGHT),
    "time": (_is_time, "RFC 3339 in UTC with milliseconds, for example 2026-01-31T09:00:00.000Z"),
    "recipients": (_are_recipients, f"a list of parties, sorted, none twice: {NAME_RIGHT}"),
    "exercise": (lambda value: value is True or value is False, "true or false"),
    "body": (is_hash_text, HASH_RIGHT),
    "attachments": (
        lambda value: isinstance(value, list) and len(value) > 0 and all(map(is_hash_text, value)),
        f"a list of at least one, each {HASH_RIGHT}; left out where there is none",
    ),
}


def _faults(members: Mapping[str, object]) -> Iterator[Fault]:
    for name, (is_right, right) in _RULES.items():
        if name not in members:
            if name != "attachments":
                yield Fault("missing", right, field=name)
        elif not is_right(members[name]):
            yield Fault("not right", right, field=name, value=str(members[name]))
