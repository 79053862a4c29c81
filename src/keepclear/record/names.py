"""What parties, lines, logs and keys are called.

A key name is what a signed note (C2SP signed-note) puts before a signature; a log's origin (C2SP tlog-checkpoint) is
the name of the key that signs it. keepclear composes them of the names of party and line, so that the key name alone
says whose key it is and what it is for::

    <party>/identity         signs certificates, revocations and vouches
    <party>/<line>/log       signs the checkpoints of the party's log on a line, and is that log's origin
    <party>/<line>/log/2     the same of a log begun anew, the second one
    <party>/<line>/mirror    cosigns the checkpoints of the other parties' logs on that line
    <party>/transport        signs requests between nodes

The format is `docs/spec/names.md`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from keepclear.errors import Fault, InputError

__all__ = [
    "NAME_PATTERN",
    "NAME_RIGHT",
    "ORIGIN_PATTERN",
    "ORIGIN_RIGHT",
    "KeyName",
    "Purpose",
    "check_name",
    "identity_name",
    "is_key_name",
    "is_name",
    "is_origin",
    "log_origin",
    "mirror_name",
    "transport_name",
]

LONGEST_KEY_NAME = 1024
"""Characters of a key name. The specification has no limit; ours is far above any name and keeps lines bounded."""
MOST_BEGUN = 999_999
"""How often a party's log on a line can be begun anew."""

# No spaces, slashes or plus signs: the name of a key has none (signed-note), and the slash parts what an origin is
# made of. ASCII alone, so that two names that look the same are the same.
_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}"
NAME_PATTERN = f"^{_NAME}$"
"""Pattern of a party's or a line's name."""
NAME_RIGHT = "1 to 63 ASCII letters, digits, dots, hyphens and underscores, a letter or digit first"
ORIGIN_PATTERN = f"^{_NAME}/{_NAME}/log(?:/(?:[2-9]|[1-9][0-9]{{1,5}}))?$"
"""Pattern of a log's origin: ``party/line/log``, and ``/2`` and so on where a log was begun anew."""
ORIGIN_RIGHT = "party/line/log"

_NAME_WHOLE = re.compile(_NAME)
_KEY_NAME = re.compile(rf"[^+\s\x00-\x1f\ud800-\udfff]{{1,{LONGEST_KEY_NAME}}}")
_MOST_REMEMBERED = 1024  # characters of a name that is remembered
_ORIGIN_WHOLE = re.compile(ORIGIN_PATTERN[1:-1])


class Purpose(StrEnum):
    """What a party's key is for."""

    IDENTITY = "identity"
    LOG = "log"
    MIRROR = "mirror"
    TRANSPORT = "transport"

    @property
    def of_line(self) -> bool:
        """Whether there is one such key per line, rather than one per party."""
        return self in {Purpose.LOG, Purpose.MIRROR}


@dataclass(frozen=True, slots=True)
class KeyName:
    """The name of a key, taken apart.

    Attributes
    ----------
    party
        The name of the party whose key it is.
    purpose
        What the key is for.
    line
        The name of the line, for a log or mirror key; None for the others.
    begun
        For a log: the how manyth of the party on the line it is, from 1; 1 for the others.

    Raises
    ------
    InputError
        If a name is malformed, or a line is given where there is none, or none where there must be one, or a log's
        number is not from 1 to 999,999.
    """

    party: str
    purpose: Purpose
    line: str | None = None
    begun: int = 1

    def __post_init__(self) -> None:
        check_name(self.party, field="party")
        if self.line is not None:
            check_name(self.line, field="line")
        if (self.line is not None) != self.purpose.of_line:
            per = "party and line: name the line" if self.purpose.of_line else "party: leave the line out"
            raise InputError(Fault(f"there is one {self.purpose} key per {per}", field="line", value=self.line or ""))
        if not 1 <= self.begun <= (MOST_BEGUN if self.purpose is Purpose.LOG else 1):
            right = f"1 to {MOST_BEGUN:,} for a log, 1 for any other key"
            raise InputError(Fault("not a number that a log can have", right, field="begun", value=str(self.begun)))

    @property
    def text(self) -> str:
        """The name as it stands before signatures."""
        number = "" if self.begun == 1 else str(self.begun)
        return "/".join(part for part in (self.party, self.line, self.purpose.value, number) if part)

    @classmethod
    def of_text(cls, text: str) -> KeyName | None:
        """Take a key name apart; None if it is not one of ours (other logs and witnesses have names of their own)."""
        return _of_text(text) if len(text) <= _MOST_REMEMBERED else _of_text.__wrapped__(text)


@lru_cache(maxsize=1024)  # of a few logs, and for each of their entries
def _of_text(text: str) -> KeyName | None:
    parts = text.split("/")
    if is_origin(text):
        return KeyName(parts[0], Purpose.LOG, parts[1], int(parts[3]) if len(parts) == 4 else 1)
    if len(parts) == 3 and parts[2] == Purpose.MIRROR and is_name(parts[0]) and is_name(parts[1]):
        return KeyName(parts[0], Purpose.MIRROR, parts[1])
    if len(parts) == 2 and parts[1] in {Purpose.IDENTITY, Purpose.TRANSPORT} and is_name(parts[0]):
        return KeyName(parts[0], Purpose(parts[1]))
    return None


def is_name(value: object) -> bool:
    """Whether `value` is the name of a party or a line as the record has them."""
    return isinstance(value, str) and _NAME_WHOLE.fullmatch(value) is not None


def check_name(text: str, *, field: str) -> str:
    """`text`, if it can be the name of a party or a line.

    Raises
    ------
    InputError
        If it cannot; the fault names `field`.
    """
    if not is_name(text):
        raise InputError(
            Fault(f"not a name that a {field} can have in the record", NAME_RIGHT, field=field, value=text)
        )
    return text


def is_origin(value: object) -> bool:
    """Whether `value` is the origin of a party's log on a line."""
    return isinstance(value, str) and _ORIGIN_WHOLE.fullmatch(value) is not None


def is_key_name(text: str) -> bool:
    """Whether a signed note can carry this key name: not empty, without Unicode spaces, control characters and plus.

    The specification forbids control characters in the whole note, and so in names. Characters that are not valid in
    UTF-8 (lone surrogates) are refused, as is a name of more than 1,024 characters.
    """
    return _KEY_NAME.fullmatch(text) is not None


def identity_name(party: str) -> str:
    """The name of a party's identity key."""
    return KeyName(party, Purpose.IDENTITY).text


def log_origin(party: str, line: str, *, begun: int = 1) -> str:
    """The origin of a party's log on a line, which is also the name of the key that signs it."""
    return KeyName(party, Purpose.LOG, line, begun).text


def mirror_name(party: str, line: str) -> str:
    """The name of the key with which a party cosigns the logs of others on a line."""
    return KeyName(party, Purpose.MIRROR, line).text


def transport_name(party: str) -> str:
    """The name of the key with which a party's node signs its requests."""
    return KeyName(party, Purpose.TRANSPORT).text
