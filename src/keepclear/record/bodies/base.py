"""What all bodies share: strict members, canonical bytes, and faults that name the member."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from keepclear.errors import Fault, InputError, PeerError
from keepclear.record.canonical import canonical, parse_canonical
from keepclear.record.entry_types import EntryType
from keepclear.record.names import NAME_PATTERN, ORIGIN_PATTERN
from keepclear.record.salted import HASH_PATTERN
from keepclear.record.telling import told

__all__ = [
    "MOST_FAULTS",
    "MOST_PARTS",
    "MOST_TEXT",
    "Body",
    "Faults",
    "HashText",
    "Language",
    "Latitude",
    "Line",
    "Longitude",
    "Number",
    "Origin",
    "PartyName",
    "Sha256Text",
    "Text",
    "Value",
]

MOST_FAULTS = 1000
"""The most faults told of one body."""
MOST_PARTS = 10_000
"""The most volumes, tracks, participants or references in one body."""
MOST_TEXT = 100_000
"""Characters of one text: some thirty pages."""

Number = Annotated[float, Field(allow_inf_nan=False)]
Text = Annotated[str, Field(min_length=1, max_length=MOST_TEXT)]
Line = Annotated[str, Field(min_length=1, max_length=1000)]
"""A short text: a name, a reason in a word."""
HashText = Annotated[str, Field(pattern=HASH_PATTERN, min_length=44, max_length=44)]
PartyName = Annotated[str, Field(pattern=NAME_PATTERN)]
Origin = Annotated[str, Field(pattern=ORIGIN_PATTERN)]
Sha256Text = Annotated[str, Field(pattern="^[0-9a-f]{64}$", min_length=64, max_length=64)]
"""SHA-256 in lower-case hexadecimal: of a document, a text, a plan, a batch, as people compare them."""
Language = Annotated[str, Field(pattern="^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$", max_length=35)]
"""A language tag (BCP 47), for example ``ar`` or ``zh-Hant``."""
Longitude = Annotated[float, Field(ge=-180.0, le=180.0, allow_inf_nan=False)]
Latitude = Annotated[float, Field(ge=-90.0, le=90.0, allow_inf_nan=False)]


_MadeT = TypeVar("_MadeT")


class Value(BaseModel):
    """A JSON object with these members and no others, of these types and no others."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class Body(Value):
    """What an entry says. Made with its members by name, or read by `of_bytes`.

    Raises
    ------
    InputError
        If a member is missing, unknown or wrong; all faults, each with the path of the member.
    """

    TYPE: ClassVar[EntryType]
    VERSION: ClassVar[int] = 1
    MOST_BYTES: ClassVar[int] = 2**20
    """What is longer is not read: everybody on the line reads every body, and a long one may take seconds."""

    def __init__(self, /, **members: Any) -> None:
        try:
            super().__init__(**members)
        except ValidationError as error:
            raise InputError(_faults_of(error, members)) from None
        self.check()

    @classmethod
    def of_members(cls, members: object) -> Self:
        """The body of a JSON object.

        Raises
        ------
        InputError
            As the class, and if `members` is no object.
        """
        if not isinstance(members, Mapping):
            raise InputError(Fault("not a JSON object", f"the members of a {cls.TYPE}", field="body"))
        return cls(**members)

    @classmethod
    def of_bytes(cls, data: bytes) -> Self:
        """The body of canonical JSON, as another party sent it.

        Raises
        ------
        PeerError
            If the bytes are not canonical JSON, or a member is missing, unknown or wrong.
        """
        members = parse_canonical(data, limit=cls.MOST_BYTES)
        try:
            return cls.of_members(members)
        except InputError as error:
            raise PeerError(f"not a body of type {cls.TYPE}, version {cls.VERSION}: {told(error.faults)}") from None

    def members(self) -> dict[str, Any]:
        """The members as JSON values; those that say nothing are left out."""
        return self.model_dump(mode="json", exclude_none=True)

    def to_bytes(self) -> bytes:
        """Canonical JSON: what is hashed.

        Raises
        ------
        InputError
            If a text holds what is no character, or the body has more bytes than `MOST_BYTES`.
        """
        data = canonical(self.members())
        if len(data) > self.MOST_BYTES:
            problem = f"the body has {len(data)} bytes, more than the {self.MOST_BYTES} allowed"
            raise InputError(Fault(problem, "several entries, or an attachment", field="body"))
        return data

    def check(self) -> None:
        """Check what no schema can say.

        Raises
        ------
        InputError
            With all faults.
        """


class Faults:
    """Faults of the parts of a value, each with the path to its part; nothing is made while there is one."""

    def __init__(self) -> None:
        self.found: list[Fault] = []

    def attempt(self, path: str, make: Callable[[], _MadeT]) -> _MadeT | None:
        """What `make` makes; ``None`` if it cannot, and then its faults are kept with the path before them."""
        try:
            return make()
        except InputError as error:
            self.found += [replace(fault, field=_joined(path, fault.field)) for fault in error.faults]
            return None

    def raise_any(self) -> None:
        """Raise what was found.

        Raises
        ------
        InputError
            If anything was; at most `MOST_FAULTS`, and the last says so.
        """
        if self.found:
            raise InputError(_bounded(self.found))


def _bounded(faults: Sequence[Fault]) -> Sequence[Fault]:
    if len(faults) <= MOST_FAULTS:
        return faults
    return [*faults[:MOST_FAULTS], Fault(f"more than {MOST_FAULTS} faults: the others are left out")]


def _joined(path: str, field: str) -> str:
    return f"{path}.{field}" if path and field else path or field


def _faults_of(error: ValidationError, members: object) -> Sequence[Fault]:
    found = error.errors(include_url=False)
    return _bounded([_fault(one["type"], one["msg"], one.get("ctx", {}), one["loc"], members) for one in found])


def _fault(
    kind: str, message: str, context: Mapping[str, Any], location: Sequence[str | int], members: object
) -> Fault:
    """A fault in our words; `location` as pydantic gives it, which names branches of unions besides members."""
    path, here = "", members
    for number, step in enumerate(location):
        last = number == len(location) - 1
        if isinstance(here, Mapping) and (step in here or (last and kind == "missing")):
            path, here = _joined(path, _shown(str(step))), here.get(step)
        elif isinstance(here, list | tuple) and isinstance(step, int):
            path, here = f"{path}[{step}]", here[step] if step < len(here) else None
    if kind == "missing":
        return Fault("missing", field=path)
    if kind == "extra_forbidden":
        return Fault("there is no such member in this version", "leave it out", field=path)
    if kind.startswith("union_tag"):
        return Fault(
            "not what belongs here", f"one of the shapes {context.get('expected_tags', '')}".strip(), field=path
        )
    right = message.removeprefix("Input should be ").removeprefix("Value error, ")
    value = "" if isinstance(here, list | tuple | dict | Value) else str(here)
    return Fault("not what belongs here", right, field=path, value=value)


def _shown(member: str) -> str:
    # A name that is none of ours can hold anything, and a fault is for a terminal.
    short = member if len(member) <= 60 else f"{member[:59]}…"
    return short if short.isidentifier() and short.isascii() else ascii(short)
