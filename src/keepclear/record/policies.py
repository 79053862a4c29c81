"""Policies (C2SP tlog-policy): which logs' keys are trusted, and how many cosigners a checkpoint must have.

A policy file is octets: those above 0x7E are opaque, and two names are the same only if all their octets are. Here a
name is text in which an octet that is not valid UTF-8 stands as a lone surrogate (PEP 383), which keeps different
octets different and is written back as it was; use `shown` before printing one.

Keys of type 6 (ML-DSA-44) are read, kept and never satisfied: keepclear cannot verify them, so such a witness counts as
one that has not cosigned, and such a log as one that has not signed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from keepclear.errors import Fault, InputError, PeerError
from keepclear.record.keys import SignatureKind, VerifierKey, key_id_of, vkey_parts
from keepclear.record.scalars import decimal_number

__all__ = ["Group", "LogTrust", "Policy", "UnverifiableKey", "WitnessTrust", "parse_policy", "policy_text", "shown"]

MOST_POLICY_BYTES = 1_000_000
_MOST_FAULTS = 1000

_ML_DSA_44 = 6
_ML_DSA_44_BYTES = 1312
_ALLOWED = re.compile(rb"[\t\n\x20-\x7e\x80-\xff]*")
_NONE = "none"
_FORMS = {
    "log": "log VKEY [URL]",
    "witness": "witness NAME VKEY [URL]",
    "group": "group NAME all|any|K MEMBER…",
    "quorum": "quorum NAME",
}


@dataclass(frozen=True, slots=True)
class UnverifiableKey:
    """A key of a type that the policy may name and keepclear cannot verify.

    Attributes
    ----------
    text
        The vkey.
    public
        Its public bytes.
    """

    text: str
    public: bytes


@dataclass(frozen=True, slots=True)
class LogTrust:
    """A log whose checkpoints are accepted; its key is named as its origin. `url` is empty where there is none."""

    key: VerifierKey | UnverifiableKey
    url: str = ""


@dataclass(frozen=True, slots=True)
class WitnessTrust:
    """A cosigner that counts towards the quorum. `url` is empty where there is none."""

    key: VerifierKey | UnverifiableKey
    url: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Cosigners of whom `threshold` must have cosigned; members are names of witnesses and earlier groups."""

    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """Whose checkpoints are believed.

    Attributes
    ----------
    logs
        The logs, any of which may have signed.
    witnesses, groups
        By name; every member of a group is a witness or a group before it.
    quorum
        The witness or group that must have cosigned; None if nobody must.
    """

    logs: tuple[LogTrust, ...] = ()
    witnesses: Mapping[str, WitnessTrust] = field(default_factory=dict)
    groups: Mapping[str, Group] = field(default_factory=dict)
    quorum: str | None = None

    @property
    def log_keys(self) -> tuple[VerifierKey, ...]:
        """The keys of the logs that keepclear can verify."""
        return tuple(log.key for log in self.logs if isinstance(log.key, VerifierKey))

    @property
    def witness_keys(self) -> tuple[VerifierKey, ...]:
        """The keys of the witnesses that keepclear can verify."""
        return tuple(one.key for one in self.witnesses.values() if isinstance(one.key, VerifierKey))

    def quorum_met(self, names: Collection[str]) -> bool:
        """Whether the witnesses of these names are enough.

        Names that are not of witnesses, or of witnesses whose keys cannot be verified, count for nothing.
        """
        if self.quorum is None:
            return True
        met = {name for name, one in self.witnesses.items() if name in names and isinstance(one.key, VerifierKey)}
        for name, group in self.groups.items():  # members come before the groups they are in
            if sum(member in met for member in group.members) >= group.threshold:
                met.add(name)
        return self.quorum in met

    def quorum_met_by(self, keys: Iterable[VerifierKey]) -> bool:
        """Whether cosignatures by these keys, each verified, are enough."""
        cosigned = set(keys)
        return self.quorum_met({name for name, one in self.witnesses.items() if one.key in cosigned})


def parse_policy(data: bytes, *, file: str) -> Policy:
    """Read a policy file.

    Parameters
    ----------
    file
        The name to show in faults.

    Raises
    ------
    InputError
        With all that is wrong, each fault naming its line.
    """
    if len(data) > MOST_POLICY_BYTES:
        raise InputError(Fault(f"a policy of more than {MOST_POLICY_BYTES:,} bytes is not read", file=file))
    reading = _Reading(file)
    lines = data.split(b"\n")
    if lines[-1]:
        reading.fault(len(lines), "the last line does not end in a newline", "end it with a newline")
    for number, line in enumerate(lines, 1):
        reading.line(number, line)
    if reading.quorum_line is None:
        reading.fault(0, "there is no quorum line", "add one: 'quorum NAME', or 'quorum none'")
    if reading.faults:
        raise InputError(reading.faults)
    return Policy(tuple(reading.logs), reading.witnesses, reading.groups, reading.quorum)


def policy_text(policy: Policy) -> bytes:
    """The policy as a file; reading it gives an equal policy.

    Raises
    ------
    InputError
        If it is one that no file can say: a name with spaces in it, a group with members defined after it, and so on.
    """
    lines = [f"log {log.key.text} {log.url}".rstrip(" ") for log in policy.logs]
    lines += [f"witness {name} {one.key.text} {one.url}".rstrip(" ") for name, one in policy.witnesses.items()]
    for name, group in policy.groups.items():
        lines.append(" ".join(("group", name, _threshold_text(group), *group.members)))
    lines.append(f"quorum {_NONE if policy.quorum is None else policy.quorum}")
    try:
        data = "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise InputError(Fault("a name or URL of the policy cannot be written")) from None
    if parse_policy(data, file="policy") != policy:
        raise InputError(Fault("a name or URL of the policy has spaces in it or is empty"))
    return data


def shown(name: str) -> str:
    """A name of a policy as it can be printed: octets that are not UTF-8 as backslash escapes."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _threshold_text(group: Group) -> str:
    if group.threshold == len(group.members):
        return "all"
    return "any" if group.threshold == 1 else str(group.threshold)


class _Reading:
    """A policy being read: what was found, and what is wrong."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.faults: list[Fault] = []
        self.logs: list[LogTrust] = []
        self.witnesses: dict[str, WitnessTrust] = {}
        self.groups: dict[str, Group] = {}
        self.quorum: str | None = None
        self.quorum_line: int | None = None
        self._number = 0
        self._log_lines: dict[bytes, int] = {}
        self._witness_lines: dict[bytes, int] = {}
        self._defined: dict[str, int] = {}
        self._grouped: dict[str, int] = {}

    def fault(self, number: int, problem: str, right: str = "", *, value: str = "") -> None:
        feature = f"line {number}" if number else ""
        self.faults.append(Fault(problem, right, self.file, feature, value=shown(value)))
        if len(self.faults) >= _MOST_FAULTS:
            self.faults.append(Fault(f"more than {_MOST_FAULTS} faults: reading stopped here", file=self.file))
            raise InputError(self.faults)

    def line(self, number: int, line: bytes) -> None:
        self._number = number
        if _ALLOWED.fullmatch(line) is None:
            problem = "a control character in the line" if b"\r" not in line else "a carriage return in the line"
            self._wrong(problem, "save the file with Unix line ends, without control characters but tab")
            if line.lstrip(b" \t").startswith(b"quorum"):
                self.quorum_line = self.quorum_line or number  # it is there, and must not be missed as well
            return
        # Only space and tab part the items: str.split() would also part at characters that are opaque here.
        items = [item.decode("utf-8", "surrogateescape") for item in re.split(rb"[ \t]+", line.strip(b" \t"))]
        if not items[0] or items[0].startswith("#"):
            return
        known = {"log": self._log, "witness": self._witness, "group": self._group, "quorum": self._quorum}
        take = known.get(items[0])
        if take is None:
            self._wrong("the line says what no policy says", f"begin it with {', '.join(known)} or #", items[0])
        else:
            take(items[1:])

    def _wrong(self, problem: str, right: str = "", value: str = "") -> None:
        self.fault(self._number, problem, right, value=value)

    def _form(self, keyword: str, items: list[str], least: int, most: int | None) -> bool:
        if len(items) >= least and (most is None or len(items) <= most):
            return True
        self._wrong(f"a {keyword} line has too {'few' if len(items) < least else 'many'} items", _FORMS[keyword])
        return False

    def _log(self, items: list[str]) -> None:
        if not self._form("log", items, 1, 2):
            return
        key = self._key(items[0], (SignatureKind.ED25519, SignatureKind.COSIGNATURE), "a log", self._log_lines)
        if key is not None:
            self.logs.append(LogTrust(key, items[1] if len(items) == 2 else ""))

    def _witness(self, items: list[str]) -> None:
        if not self._form("witness", items, 2, 3):
            return
        key = self._key(items[1], (SignatureKind.COSIGNATURE,), "a witness", self._witness_lines)
        # The name is defined even where its key is faulty, so that one mistake is not reported at every use of it.
        if self._define(items[0]) and key is not None:
            self.witnesses[items[0]] = WitnessTrust(key, items[2] if len(items) == 3 else "")

    def _group(self, items: list[str]) -> None:
        if not self._form("group", items, 3, None):
            return
        name, threshold_text, *members = items
        for member in members:
            self._take_member(member)
        threshold = {"all": len(members), "any": 1}.get(threshold_text) or decimal_number(threshold_text)
        if threshold is None or not 1 <= threshold <= len(members):
            right = f"write all, any, or a number from 1 to {len(members)}, the number of members"
            self._wrong("the group has no threshold that it can meet", right, threshold_text)
        if self._define(name) and threshold is not None:
            self.groups[name] = Group(threshold, tuple(members))

    def _quorum(self, items: list[str]) -> None:
        if self.quorum_line is not None:
            self._wrong("a second quorum line", f"keep one of it and line {self.quorum_line}")
            return
        self.quorum_line = self._number
        if not self._form("quorum", items, 1, 1) or items[0] == _NONE:
            return
        self.quorum = items[0]
        if items[0] not in self._defined:
            self._wrong("the quorum is not defined on a line before", "define it by a witness or group line", items[0])

    def _define(self, name: str) -> bool:
        if name == _NONE:
            self._wrong("the name none is taken: it is the quorum of nobody", "choose another name", name)
            return False
        if name in self._defined:
            self._wrong(f"the name is already defined on line {self._defined[name]}", "choose another name", name)
            return False
        self._defined[name] = self._number
        return True

    def _take_member(self, name: str) -> None:
        if name == _NONE:
            self._wrong("none cannot be a member of a group", "leave it out", name)
        elif name not in self._defined:
            self._wrong("the member is not defined on a line before", "define it by a witness or group line", name)
        elif name in self._grouped:
            right = "a name is a member once, so that each witness counts in one way only"
            self._wrong(f"the name is already a member, by line {self._grouped[name]}", right, name)
        else:
            self._grouped[name] = self._number

    def _key(
        self, text: str, kinds: tuple[SignatureKind, ...], whose: str, lines: dict[bytes, int]
    ) -> VerifierKey | UnverifiableKey | None:
        try:
            key = _key_of(text)
        except PeerError as error:
            self._wrong(str(error), "copy the vkey as its owner gave it", text)
            return None
        if isinstance(key, VerifierKey) and key.kind not in kinds:
            wanted = " or ".join(str(kind.value) for kind in kinds)
            self._wrong(f"the key is of type {key.kind.value}", f"the key of {whose} is of type {wanted}", text)
            return None
        line = lines.setdefault(key.public, self._number)
        if line != self._number:
            self._wrong(f"the same public key as on line {line}, whatever it is called", "leave one of them out", text)
            return None
        return key


def _key_of(text: str) -> VerifierKey | UnverifiableKey:
    name, key_id, kind, public = vkey_parts(text)
    if kind != _ML_DSA_44:
        return VerifierKey.of_text(text)
    if len(public) != _ML_DSA_44_BYTES or key_id != key_id_of(name, kind, public):
        raise PeerError("the vkey is of type 6 (ML-DSA-44), but not 1,312 bytes with the key id that they have")
    return UnverifiableKey(text, public)
